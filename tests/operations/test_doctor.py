"""The doctor against a platform that breaks in one place at a time: it names that place."""

from __future__ import annotations

import asyncio
import os
import re
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli import config
from dyvine_cli.errors import ConfigError, UnsupportedURL
from dyvine_cli.events import ignore
from dyvine_cli.http.connect import ConnectTo
from dyvine_cli.http.imitation import Imitation
from dyvine_cli.http.network import Network
from dyvine_cli.operations.doctor import EXTRAS, Examination, Finding, Subject, exit_code
from dyvine_cli.operations.workspace import open_subject
from dyvine_cli.simulator.app import Simulator, running
from dyvine_cli.simulator.douyin_guest import login_header
from dyvine_cli.simulator.faults import Fault
from dyvine_cli.simulator.tiktok_world import TiktokWorld
from dyvine_cli.simulator.world import World

from ..hello import Gate
from ..rows import some_fast

pytestmark = pytest.mark.anyio

TOP = Path(__file__).parent.parent.parent
VIDEO = f"https://www.douyin.com/video/{World.SMALL}"


@pytest.fixture(scope="module")
def world() -> Iterator[Simulator]:
    """Douyin in small, whole."""
    with running() as simulator:
        yield simulator


@pytest.fixture
def platform(world: Simulator) -> Iterator[Simulator]:
    """The same, with faults that end with the test."""
    yield world
    world.faults.clear()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, whoever looks for it."""
    monkeypatch.setenv("DYVINE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@asynccontextmanager
async def subject(
    platform: Simulator, link: str | None, *, flags: Mapping[str, Any] = {}, env: Mapping[str, str] = {}
) -> AsyncIterator[Subject]:
    """What is examined, led to the stand-in."""
    given = {"connect_to": platform.connect_to, "pace": "off", "path": Path("/tmp"), **flags}
    flags = {name: value for name, value in given.items() if value is not None}
    settings = config.load(flags, {"DYVINE_HOME": os.environ["DYVINE_HOME"], **env}, None)
    async with open_subject(settings, ignore, link, lambda made: None) as found:
        yield found


async def examined(found: Subject, **more: Any) -> dict[str, Finding]:
    """Every stage by name, in the order it was shown."""
    shown: list[Finding] = []
    findings = await Examination(found, shown.append, **more).run()
    assert tuple(shown) == findings
    return {each.stage: each for each in findings}


async def examine(platform: Simulator, link: str | None = VIDEO, **more: Any) -> dict[str, Finding]:
    """An examination from its beginning."""
    async with subject(platform, link, **more) as found:
        return await examined(found)


def failed(findings: Mapping[str, Finding]) -> list[tuple[str, str]]:
    """The stages that failed, with the names of their errors."""
    return [(each.stage, each.error.name) for each in findings.values() if each.error]


# --- when nothing is broken -------------------------------------------------------------------------------------------


async def test_a_healthy_platform_has_every_stage_ok(platform: Simulator) -> None:
    """Nothing fails; what is not tried has its reason, and the status is 0."""
    findings = await examine(platform)
    skipped = {each.stage: each.detail for each in findings.values() if each.state == "not tried"}

    assert failed(findings) == []
    assert list(skipped) == ["proxy", "login", "archive"]
    assert "nobody is logged in" in skipped["login"]
    assert exit_code(list(findings.values())) == 0
    assert "MP4" in findings["media"].detail


async def test_a_login_is_a_stage_of_its_own(platform: Simulator) -> None:
    """With cookies the account is named, and the signed calls carry them."""
    findings = await examine(platform, env={"DOUYIN_COOKIE": login_header(platform.clock())})

    assert failed(findings) == []
    assert findings["login"].state == "ok"
    assert findings["login"].detail.startswith("profile 'env' is ")


async def test_without_a_link_the_sample_may_be_gone(platform: Simulator) -> None:
    """The sample post is of the real Douyin: the ways answer, and say that another post must be named."""
    findings = await examine(platform, None)

    assert failed(findings) == []
    assert "dyvine doctor LINK" in findings["post embed"].detail
    assert findings["media"].state == findings["listing"].state == "not tried"


@pytest.mark.parametrize(
    "link",
    [f"https://www.douyin.com/user/{World.OPEN}", f"douyin:mix:{World.MIX}"],
    ids=["user", "mix"],
)
async def test_a_named_listing_gives_the_post_to_try(platform: Simulator, link: str) -> None:
    """The listing comes first, its first post goes through every way."""
    findings = await examine(platform, link)
    order = list(findings)

    assert failed(findings) == []
    assert order.index("listing") < order.index("post embed")
    assert findings["media"].state == "ok"


async def test_a_short_link_is_a_stage(platform: Simulator) -> None:
    """A code that ran out fails there, and what needs the link is not tried."""
    findings = await examine(platform, World.DEAD_SHORT)

    assert failed(findings)[0] == ("link", "NotFound")
    assert findings["signature"].detail == "needs link"
    assert exit_code(list(findings.values())) == 5


async def test_a_link_that_nobody_knows_is_wrong_input(platform: Simulator) -> None:
    """It is refused before anything is tried."""
    with pytest.raises(UnsupportedURL):
        await examine(platform, "https://example.org/video/1")


# --- one place broken at a time: the shapes of refusals, status codes and reasons that are known -----------------------

POSTS = "@aweme/post/"
USER = f"https://www.douyin.com/user/{World.OPEN}"
HIDDEN_LIKES = f"https://www.douyin.com/user/{World.LIKES_HIDDEN}?showTab=like"
LOGIN_ONLY = f"https://www.douyin.com/video/{World.LOGIN_ONLY}"

BREAKAGES: dict[str, tuple[str, str, str]] = {
    # the gate before protected calls
    "argus-uifid-not-found@aweme/detail/?device": (VIDEO, "signature", "SignatureRejected"),
    "argus-signature-not-found@aweme/detail/?device": (VIDEO, "signature", "SignatureRejected"),
    "argus-validate-error@aweme/detail/?device": (VIDEO, "signature", "SignatureRejected"),
    "argus-sign-invalid@aweme/detail/?device": (VIDEO, "signature", "SignatureRejected"),
    "signed-closed": (VIDEO, "signature", "SignatureRejected"),
    # the edge, by rate
    **{f"edge-{status}": (VIDEO, "guest", "RateLimited") for status in (401, 403, 405, 412, 429, 444)},
    # 200 with zero bytes
    "ttwid-refused": (VIDEO, "guest", "RiskControl"),
    "api-empty": (VIDEO, "guest", "RiskControl"),
    "api-empty@aweme/detail/?device": (VIDEO, "signature", "RiskControl"),
    "api-empty@aweme/favorite/": (HIDDEN_LIKES, "listing", "Private"),
    # devices that are not handed out
    "ttwid-withheld": (VIDEO, "guest", "UnexpectedResponse"),
    "uifid-withheld": (VIDEO, "guest", "RiskControl"),
    # pages
    "api-captcha-html": (VIDEO, "guest", "RiskControl"),
    "ssr-closed": (VIDEO, "post page", "RiskControl"),
    "challenge-again": (VIDEO, "post page", "RiskControl"),
    "ssr-without-data": (VIDEO, "post page", "UnexpectedResponse"),
    # soft blocks
    f"api-soft-block{POSTS}": (VIDEO, "listing", "RiskControl"),
    "list-key-missing": (VIDEO, "listing", "RiskControl"),
    "list-key-null": (VIDEO, "listing", "RiskControl"),
    # captchas
    "api-verify-ticket": (VIDEO, "guest", "RiskControl"),
    "api-verify-center": (VIDEO, "guest", "RiskControl"),
    "api-bdturing": (VIDEO, "guest", "RiskControl"),
    "api-vc-bdturing": (VIDEO, "guest", "RiskControl"),
    # status codes
    f"api-status{POSTS}=2": (USER, "listing", "NotFound"),
    "api-status=4": (VIDEO, "guest", "RateLimited"),
    "api-status=5": (VIDEO, "guest", "UnexpectedResponse"),
    f"api-status{POSTS}=8": (VIDEO, "listing", "LoginNeeded"),
    "api-status@aweme/detail/=2053": (VIDEO, "post embed", "NotFound"),
    f"api-status{POSTS}=2483": (VIDEO, "listing", "LoginNeeded"),
    **{f"api-status={code}": (VIDEO, "guest", "RiskControl") for code in (10000, 10001, 2154, 2156)},
    "api-status=10011": (VIDEO, "guest", "RateLimited"),
    f"api-status{POSTS}=2096": (USER, "listing", "Private"),
    f"api-status{POSTS}=2065": (USER, "listing", "NotFound"),
    **{f"api-status{POSTS}={code}": (USER, "listing", "NotLive") for code in (30003, 4001038)},
    # reasons why a post is not shown
    "detail-filtered=core_dep": (VIDEO, "post embed", "NotFound"),
    "detail-filtered=status_deleted": (VIDEO, "post embed", "Deleted"),
    "detail-filtered=status_self_see": (VIDEO, "post embed", "Private"),
    "detail-filtered=status_part_see": (VIDEO, "post embed", "Private"),
    "detail-filtered=status_reviewing": (VIDEO, "post embed", "InReview"),
    "detail-filtered=status_audit_not_pass": (VIDEO, "post embed", "InReview"),
    "detail-filtered=images_base": (VIDEO, "post embed", "UnexpectedResponse"),
    "detail-filtered=copyright_foreign": (VIDEO, "post embed", "NotInRegion"),
    "detail-filtered=music_deleted_video": (VIDEO, "post embed", "NotInRegion"),
    # one way to a post shut, a field gone
    "embed-closed": (VIDEO, "post embed", "UnexpectedResponse"),
    "slidesinfo-closed": (VIDEO, "post slidesinfo", "RiskControl"),
    "batch-closed": (VIDEO, "post batch", "RiskControl"),
    "feed-closed": (VIDEO, "post app", "RiskControl"),
    "feed-wanted-missing": (VIDEO, "post app", "UnexpectedResponse"),
    "detail-field-missing=author": (VIDEO, "post embed", "UnexpectedResponse"),
    f"api-cut-json{POSTS}": (VIDEO, "listing", "UnexpectedResponse"),
    # media
    "403@douyinvod.com": (VIDEO, "media", "LinkExpired"),
    "html-200@douyinvod.com": (VIDEO, "media", "NetworkError"),
    "reset@douyinvod.com=head": (VIDEO, "media", "NetworkError"),
}
"""Fault to the link that was named, the first stage that fails and its error."""


@pytest.mark.parametrize("fault", BREAKAGES)
async def test_the_doctor_names_the_stage_that_broke(platform: Simulator, fault: str) -> None:
    """Whatever the platform does wrong, the first failure is the stage where it does, in the words of the errors."""
    link, stage, error = BREAKAGES[fault]
    platform.faults.add(Fault.parse(fault))
    findings = await examine(platform, link)

    assert failed(findings)[:1] == [(stage, error)]
    assert all(each.state != "failed" or each.error for each in findings.values())
    assert all(findings[name].state == "ok" for name in ("tls", "clock", "disk", "extras"))


TIKTOK = f"https://www.tiktok.com/@_/video/{TiktokWorld.VIDEO}"
PAGE, ITEM, LIST = "@/@_/video/", "@/api/item/detail/", "@/api/post/item_list/"
TIKTOK_USER = f"https://www.tiktok.com/@{TiktokWorld.ACCOUNTS[200]}"

TIKTOK_BREAKAGES: dict[str, tuple[str, str, str]] = {
    # pages that are none
    "page-shell": (TIKTOK, "guest", "RiskControl"),
    "page-risk": (TIKTOK, "guest", "RiskControl"),
    "page-maintenance": (TIKTOK, "guest", "RiskControl"),
    "page-login": (TIKTOK, "guest", "LoginNeeded"),
    "page-discontinued": (TIKTOK, "guest", "NotInRegion"),
    "page-captcha": (TIKTOK, "guest", "RiskControl"),
    "waf-unsolvable": (TIKTOK, "guest", "RiskControl"),
    f"page-risk{PAGE}": (TIKTOK, "post page", "RiskControl"),
    "page-without-data@/video/": (TIKTOK, "post page", "RiskControl"),
    # the edge: 403 is about who asks, the others about how often
    "edge-403": (TIKTOK, "guest", "RiskControl"),
    **{f"edge-{status}": (TIKTOK, "guest", "RateLimited") for status in (401, 405, 412, 429, 444)},
    # 200 with zero bytes, and the soft refusal of a list
    "signed-closed": (TIKTOK_USER, "listing", "SignatureRejected"),
    "token-refused": (TIKTOK_USER, "listing", "SignatureRejected"),
    f"api-empty{ITEM}": (TIKTOK, "signature", "SignatureRejected"),
    f"api-not-empty{LIST}": (TIKTOK_USER, "listing", "SignatureRejected"),
    # captchas
    f"api-verify{ITEM}": (TIKTOK, "signature", "RiskControl"),
    # status codes of pages and of the API
    f"page-status{PAGE}=10101": (TIKTOK, "post page", "Refused"),
    f"page-status{PAGE}=10204": (TIKTOK, "post page", "NotFound"),
    **{f"page-status{PAGE}={code}": (TIKTOK, "post page", "Private") for code in (10215, 10216, 10222)},
    f"page-status{PAGE}=10217": (TIKTOK, "post page", "InReview"),
    **{f"page-status{PAGE}={code}": (TIKTOK, "post page", "LoginNeeded") for code in (10223, 10225)},
    f"page-status{PAGE}=10231": (TIKTOK, "post page", "NotInRegion"),
    f"page-status{PAGE}=10299": (TIKTOK, "post page", "UnexpectedResponse"),
    **{f"page-status@/@={code}": (TIKTOK_USER, "listing", "NotFound") for code in (10201, 10202)},
    "page-status@/@=10221": (TIKTOK_USER, "listing", "Banned"),
    f"api-status{ITEM}=-1": (TIKTOK, "signature", "RiskControl"),
    f"api-status{ITEM}=5": (TIKTOK, "post api", "UnexpectedResponse"),
    **{f"api-status{ITEM}={code}": (TIKTOK, "signature", "RiskControl") for code in (10000, 10110)},
    f"api-status{ITEM}=10101": (TIKTOK, "signature", "Refused"),
    f"api-status{ITEM}=100002": (TIKTOK, "post api", "NotFound"),
    # a field gone, media
    f"item-field-missing{PAGE}=createTime": (TIKTOK, "post page", "UnexpectedResponse"),
    f"api-cut-json{ITEM}": (TIKTOK, "post api", "UnexpectedResponse"),
    "403": (TIKTOK, "media", "LinkExpired"),
}
"""The same for TikTok's page answers, zero-byte table and status codes (those of live rooms have no stage yet)."""


@pytest.mark.parametrize("fault", some_fast(TIKTOK_BREAKAGES.keys(), *list(TIKTOK_BREAKAGES)[1::4]))
async def test_the_doctor_names_the_stage_of_tiktok_that_broke(platform: Simulator, fault: str) -> None:
    """As for Douyin."""
    link, stage, error = TIKTOK_BREAKAGES[fault]
    platform.faults.add(Fault.parse(fault))
    findings = await examine(platform, link)

    assert failed(findings)[:1] == [(stage, error)]
    assert all(findings[name].state == "ok" for name in ("tls", "clock", "disk", "extras"))


async def test_a_dead_login_is_named_and_nothing_is_tried_with_it(platform: Simulator) -> None:
    """Code 8 with a login: exit status 4, the ways without identity still tried."""
    env = {"DOUYIN_COOKIE": login_header(platform.clock(), session=World.DEAD_SESSION)}
    findings = await examine(platform, env=env)

    assert failed(findings) == [("login", "LoginExpired")]
    assert findings["signature"].detail == findings["post batch"].detail == "needs login"
    assert findings["post embed"].state == "ok"
    assert exit_code(list(findings.values())) == 4


async def test_a_post_for_logins_only_says_so(platform: Simulator) -> None:
    """`pc_need_login` is the post's own word."""
    findings = await examine(platform, LOGIN_ONLY)

    assert ("post web", "LoginNeeded") in failed(findings)


async def test_the_cut_that_guests_meet_is_no_failure(platform: Simulator) -> None:
    """`not_login_module` is said in the words of the listing, and everything is ok."""
    platform.faults.set("list-guest-cut")
    findings = await examine(platform)

    assert failed(findings) == []
    assert "guests" in findings["listing"].detail


# --- what follows from a failure ---------------------------------------------------------------------------------------


async def test_one_way_to_a_post_is_enough(platform: Simulator) -> None:
    """A shut way is shown and does not fail the whole; with all of them shut, the first counts."""
    platform.faults.set("embed-closed")
    one = await examine(platform)
    for name in ("signed-closed", "slidesinfo-closed", "batch-closed", "feed-closed", "ssr-closed"):
        platform.faults.set(name)
    none = await examine(platform)

    assert exit_code(list(one.values())) == 0
    assert exit_code(list(none.values())) == 6
    assert none["media"].state == "not tried"


async def test_a_refusal_ends_the_questions(platform: Simulator) -> None:
    """The pause after a 429 is kept: the site's other stages are not tried, and nobody waits."""
    platform.faults.set("edge-429", value=None)
    before = len(platform.requests)
    findings = await examine(platform)
    asked = [each for each in platform.requests[before:] if "/aweme/v1/" in each.path]

    assert len(asked) == 1
    assert "pause" in findings["post embed"].detail
    assert findings["signature"].detail == "needs guest"
    assert exit_code(list(findings.values())) == 6


async def test_an_unknown_name_is_dns(platform: Simulator) -> None:
    """What cannot be looked up fails there; the disk is tried all the same."""

    async def resolve(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    async with subject(platform, VIDEO) as found:
        findings = await examined(replace(found, network=Network(resolve=resolve)))

    assert failed(findings) == [("dns", "NetworkError")]
    assert findings["tls"].detail == "needs dns"
    assert findings["post app"].detail == "needs tls"
    assert findings["disk"].state == "ok"
    assert exit_code(list(findings.values())) == 9


async def test_a_proxy_that_is_not_there_is_the_proxy(platform: Simulator) -> None:
    """Its login is masked."""
    proxy = "http://someone:hunter2secret@127.0.0.1:9"
    findings = await examine(platform, flags={"connect_to": None, "proxy": proxy})

    assert failed(findings) == [("proxy", "ProxyFailure")]
    assert "hunter2" not in str(findings)


async def test_proxies_of_a_list_that_rest_are_named(platform: Simulator, tmp_path: Path) -> None:
    """Until when and after how many failures, without their logins."""

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 led\r\n\r\n")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(lead, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    (tmp_path / "proxies").write_text(f"http://me:hush@127.0.0.1:9\nhttp://127.0.0.1:{port}\n")
    flags = {"connect_to": None, "proxy": f"list:{tmp_path}/proxies"}
    findings = await examine(platform, VIDEO, flags=flags, env={"DYVINE_NETWORK_PROXY_ORDER": "first"})
    listening.close()

    assert findings["proxy"].state == "ok"
    assert re.search(
        r"resting: http://\*\*\*@127\.0\.0\.1:9 until \d\d:\d\d \(failed 1 time\)", findings["proxy"].detail
    )
    assert "hush" not in str(findings)


@pytest.mark.parametrize("installed", [True, False])
async def test_a_site_that_hangs_up_on_our_tls_is_greeted_like_a_browser(
    installed: bool, tmp_path: Path
) -> None:
    """With the extra the stage is ok and says so; without it the hint names the extra."""

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    with running(tls=True) as simulator:
        gate = Gate(simulator.port)
        listening = await asyncio.start_server(gate.lead, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        network = Network(
            connect_to=ConnectTo.parse(f"www.tiktok.com:443:gate.example:{port}"),
            resolve=resolve,
            ca_file=simulator.ca_file,
            listed=["tiktok.com"],
            imitation=Imitation(installed=lambda: installed),
        )
        async with subject(simulator, TIKTOK, flags={"ca_file": simulator.ca_file}) as found:
            findings = await examined(replace(found, network=network))
        await network.aclose()
        listening.close()
        await gate.close()

    if installed:
        assert "spoken to like chrome" in findings["tls"].detail
    else:
        assert findings["tls"].error is not None
        assert "dyvine-cli[impersonate]" in (findings["tls"].error.hint or "")


async def test_an_authority_that_nobody_trusts_is_tls() -> None:
    """The certificate's fault has its own stage and its cure."""
    with running(tls=True) as simulator:
        findings = await examine(simulator)
        whole = await examine(simulator, flags={"ca_file": simulator.ca_file})

    assert failed(findings) == [("tls", "TLSFailure")]
    assert "--ca-file" in str(findings["tls"].error.hint if findings["tls"].error else "")
    assert failed(whole) == []


async def test_a_wrong_clock_is_told_with_its_size(platform: Simulator) -> None:
    """An hour is too much, a minute is not."""
    async with subject(platform, VIDEO) as found:
        late = await examined(found, clock=lambda: datetime.now(UTC) - timedelta(hours=1))
        near = await examined(found, clock=lambda: datetime.now(UTC) + timedelta(minutes=1))

    assert failed(late) == [("clock", "DyvineError")]
    assert "60 min behind" in str(late["clock"].error)
    assert near["clock"].state == "ok"


async def test_a_folder_that_takes_no_file_is_the_disk(platform: Simulator, tmp_path: Path) -> None:
    """A file stands where the downloads should go."""
    (tmp_path / "file").write_text("")
    findings = await examine(platform, flags={"path": tmp_path / "file" / "below"})

    assert failed(findings) == [("disk", "NotWritable")]
    assert exit_code(list(findings.values())) == 10


async def test_a_damaged_archive_is_the_archive(platform: Simulator, home: Path) -> None:
    """It is opened as a run would; one that is not there is not made."""
    path = home / "state" / "archive.sqlite3"
    await examine(platform)
    missing = path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no database" * 1000)
    findings = await examine(platform)

    assert not missing
    assert failed(findings) == [("archive", "ArchiveError")]
    assert exit_code(list(findings.values())) == 12


async def test_nothing_of_the_probe_is_left(platform: Simulator, tmp_path: Path) -> None:
    """The disk is tried with a file that goes again."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    await examine(platform, flags={"path": folder})

    assert list(folder.iterdir()) == []


# --- signing constants of one's own -------------------------------------------------------------------------------------


async def test_signing_constants_come_from_a_file(platform: Simulator, tmp_path: Path) -> None:
    """Another salt is signed with, which this platform refuses; with the true one written there it accepts."""
    wrong, right = tmp_path / "wrong.toml", tmp_path / "right.toml"
    wrong.write_text('[web_signature]\nsalt = "another"\n')
    right.write_text('[dhzx]\nsalt = "dhzx"\n')
    refused = await examine(platform, env={"DYVINE_DOUYIN_SIGN": str(wrong)})
    accepted = await examine(platform, env={"DYVINE_DOUYIN_SIGN": str(right)})

    assert failed(refused)[:1] == [("signature", "SignatureRejected")]
    assert failed(accepted) == []


async def test_signing_constants_that_are_none_are_a_config_error(
    platform: Simulator, tmp_path: Path
) -> None:
    """The file and the key are named."""
    file = tmp_path / "sign.toml"
    file.write_text("[dhzx]\nno_such_key = 1\n")
    with pytest.raises(ConfigError, match="no_such_key"):
        await examine(platform, env={"DYVINE_DOUYIN_SIGN": str(file)})


async def test_the_extras_are_those_of_the_project() -> None:
    """The table of the doctor equals pyproject.toml."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    named = {
        extra: {text.partition(">")[0] for text in needs if ";" not in text}  # not those of one system only
        for extra, needs in optional.items()
        if extra not in ("all", "dev")
    }

    assert {extra: set(names) for extra, names in EXTRAS.items()} == named
