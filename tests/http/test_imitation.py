"""Whom a site's calls imitate: the browser of the user agent, or nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dyvine_cli.budget import Budget
from dyvine_cli.errors import MissingExtra, NetworkError
from dyvine_cli.http import curl
from dyvine_cli.http.api import ApiClient, Request
from dyvine_cli.http.imitation import Imitation, client_hints, nearest
from dyvine_cli.http.network import Network
from dyvine_cli.identity import Profile

from ..hello import Gate
from .conftest import Serve, Server, reply
from .test_curl import Certified
from .test_network import leading_to

pytestmark = pytest.mark.anyio

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{} Safari/605.1.15"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
TARGETS = [
    "edge101",
    "chrome99",
    "chrome133a",
    "chrome136",
    "chrome142",
    "chrome150",
    "chrome151_macos",
    "chrome99_android",
    "chrome131_android",
    "safari153",
    "safari170",
    "safari172_ios",
    "safari180",
    "safari180_ios",
    "safari184",
    "safari260",
    "safari2601",
    "firefox133",
    "firefox147",
    "tor145",
    "safari18_0",
    "chrome",
]

AGENTS = [
    pytest.param(CHROME.format(150), "chrome150", id="its own version"),
    pytest.param(CHROME.format(149), "chrome142", id="the newest before it"),
    pytest.param(CHROME.format(200), "chrome150", id="newer than all"),
    pytest.param(CHROME.format(134), "chrome133a", id="a version with a letter"),
    pytest.param(CHROME.format(80), "chrome99", id="older than all"),
    pytest.param(CHROME.format(142) + " Edg/142.0.0.0", "chrome142", id="Edge is a Chromium"),
    pytest.param(ANDROID, "chrome131_android", id="Chrome on a phone"),
    pytest.param(FIREFOX.format(140), "firefox133", id="Firefox"),
    pytest.param(SAFARI.format("18.3"), "safari180", id="Safari"),
    pytest.param(SAFARI.format("26.0.1"), "safari260", id="Safari of three numbers"),
    pytest.param(SAFARI.format("26.1"), "safari2601", id="Safari, the newest"),
    pytest.param(PHONE, "safari172_ios", id="Safari on a phone"),
    pytest.param(CHROME.format(150) + " OPR/120.0.0.0", None, id="Opera speaks its own way"),
    pytest.param("facebookexternalhit/1.1", None, id="a robot"),
    pytest.param("com.ss.android.ugc.aweme/300904 (Linux; Android 12)", None, id="an app"),
    pytest.param("", None, id="nothing"),
]


@pytest.mark.parametrize(("agent", "target"), AGENTS)
def test_the_imitated_browser_is_that_of_the_user_agent(agent: str, target: str | None) -> None:
    """The same browser and system, and no version that the agent cannot have."""
    assert nearest(agent, TARGETS) == target


def test_the_sites_own_agents_can_be_imitated_exactly() -> None:
    """The installed library knows the version that both sites say they are."""
    from dyvine_cli.sites.douyin import sign
    from dyvine_cli.sites.tiktok.api import USER_AGENT

    found = {nearest(agent, curl.targets()) for agent in (sign.USER_AGENT, USER_AGENT)}

    assert found == {"chrome150"}


HINTS = [
    pytest.param(CHROME.format(124), '"Chromium";v="124", "Google Chrome";v="124", "Not-A.Brand";v="99"', "Windows", "?0"),
    pytest.param(CHROME.format(136), '"Chromium";v="136", "Google Chrome";v="136", "Not.A/Brand";v="99"', "Windows", "?0"),
    pytest.param(CHROME.format(146), '"Chromium";v="146", "Not-A.Brand";v="24", "Google Chrome";v="146"', "Windows", "?0"),
    pytest.param(CHROME.format(150), '"Not;A=Brand";v="8", "Chromium";v="150", "Google Chrome";v="150"', "Windows", "?0"),
    pytest.param(
        CHROME.format(146) + " Edg/146.0.0.0",
        '"Chromium";v="146", "Not-A.Brand";v="24", "Microsoft Edge";v="146"',
        "Windows",
        "?0",
    ),
    pytest.param(ANDROID, '"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"', "Android", "?1"),
]  # fmt: skip
"""As Chrome sends them (the first four also as curl_cffi's own browsers do)."""


@pytest.mark.parametrize(("agent", "brands", "system", "mobile"), HINTS)
def test_client_hints_agree_with_the_user_agent(agent: str, brands: str, system: str, mobile: str) -> None:
    """Brands in the order of their version, the system, phone or not."""
    assert client_hints(agent) == {
        "sec-ch-ua": brands,
        "sec-ch-ua-mobile": mobile,
        "sec-ch-ua-platform": f'"{system}"',
    }


@pytest.mark.parametrize("agent", [FIREFOX.format(140), SAFARI.format("18.3"), PHONE, "curl/8"])
def test_other_browsers_give_no_hints(agent: str) -> None:
    """Only Chromium names itself in headers of its own."""
    assert client_hints(agent) == {}


def imitation(when: str = "auto", *, installed: bool = True) -> Imitation:
    """A choice of the person, with the extra or without."""
    return Imitation(when, installed=lambda: installed, targets=lambda: TARGETS)  # type: ignore[arg-type]


def test_auto_begins_with_the_first_refusal_and_stays() -> None:
    """Only at the site that refused, once; an agent that is no browser's is left as it is."""
    made = imitation()
    agent = CHROME.format(150)
    before = made.browser("tiktok", agent)
    begun = made.begin("tiktok", agent), made.begin("tiktok", agent), made.begin("douyin", "app")
    after = made.browser("tiktok", agent)

    assert before is None
    assert begun == (True, False, False)
    assert after is not None
    assert (after.target, len(after.hints)) == ("chrome150", 3)
    assert made.browser("douyin", agent) is None
    assert made.browser("tiktok", "facebookexternalhit/1.1") is None


def test_off_and_always_are_the_persons_word() -> None:
    """Neither changes with what a site answers."""
    never, ever = imitation("off"), imitation("always")

    assert not never.begin("tiktok", CHROME.format(150))
    assert never.browser("tiktok", CHROME.format(150)) is None
    assert not ever.begin("tiktok", CHROME.format(150))
    assert ever.browser("tiktok", CHROME.format(150)) is not None


def test_without_the_extra_the_hint_names_it() -> None:
    """Only a refusal that looks like it is told so, and always cannot be had."""
    error = NetworkError("www.tiktok.com broke off the TLS handshake")
    imitation(installed=False).explain(error)
    told = NetworkError("x", hint="y")
    imitation().explain(told)
    imitation("off", installed=False).explain(told)

    assert "pip install 'dyvine-cli[impersonate]'" in (error.hint or "")
    assert told.hint == "y"
    assert not imitation(installed=False).begin("tiktok", CHROME.format(150))
    with pytest.raises(MissingExtra) as caught:
        imitation("always", installed=False)
    assert caught.value.hint == "pip install 'dyvine-cli[impersonate]'"


@dataclass
class Picky:
    """A TikTok that speaks to browsers only."""

    server: Server
    port: int
    network: Callable[..., Network]

    def client(self, *, installed: bool) -> ApiClient:
        """A client, with the extra or without it."""
        made = Imitation(installed=lambda: installed)
        profile = Profile(site="tiktok", name="guest", user_agent=CHROME.format(150))
        budget = Budget({"tiktok": {}}, pace="off")
        return ApiClient(
            self.network(imitation=made), profile, budget, retries=1, sleep=lambda _: asyncio.sleep(0)
        )

    async def ask(self, client: ApiClient) -> int:
        """The status of one call."""
        url = f"https://www.tiktok.com:{self.port}/"
        return (await client.send(lambda: Request(url=url), call="page", endpoint="page")).status


@pytest.fixture
async def picky(
    network: Callable[..., Network], certified: Certified, ca_file: Path, serve: Serve
) -> AsyncIterator[Picky]:
    """A server behind a gate that knows browsers by their ClientHello."""
    server = await serve(reply(b"{}"), tls=certified("www.tiktok.com"))
    gate = Gate(server.port)
    listening = await asyncio.start_server(gate.lead, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    usual = {"resolve": leading_to("127.0.0.1"), "ca_file": ca_file, "listed": ["tiktok.com"]}
    yield Picky(server, port, lambda **options: network(**usual, **options))
    listening.close()
    await gate.close()


async def test_a_broken_handshake_is_tried_again_as_a_browser(picky: Picky) -> None:
    """A site that hangs up on our TLS is spoken to like a browser from then on, in every later call, too."""
    client = picky.client(installed=True)
    found = [await picky.ask(client) for _ in range(3)]

    assert found == [200] * 3
    assert picky.server.connections == 1
    assert picky.server.asked[0].headers["sec-ch-ua-platform"] == '"Windows"'


async def test_a_broken_handshake_names_the_extra_that_is_missing(picky: Picky) -> None:
    """Nothing else can be done about it, and nothing else breaks."""
    with pytest.raises(NetworkError, match="broke off the TLS handshake") as caught:
        await picky.ask(picky.client(installed=False))

    assert "pip install 'dyvine-cli[impersonate]'" in (caught.value.hint or "")
    assert not picky.server.asked
