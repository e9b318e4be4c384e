"""The API client: whose cookies go where, what is tried again, how answers are read."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from dyvine_cli.budget import Budget, Rate
from dyvine_cli.cookies import Cookie
from dyvine_cli.errors import (
    AddressRefused,
    DyvineError,
    NetworkError,
    RateLimited,
    RiskControl,
    Truncated,
    UnexpectedResponse,
)
from dyvine_cli.http.api import Answer, ApiClient, Exchange, Request
from dyvine_cli.http.connect import ConnectTo
from dyvine_cli.http.network import Network
from dyvine_cli.identity import Profile

from .conftest import Asked, Serve, Server, reply

pytestmark = pytest.mark.anyio

Make = Callable[..., Network]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LOGIN = Cookie("sessionid", "secret", "douyin.com", secure=True)
DETAIL = "https://www.douyin.com/aweme/v1/web/aweme/detail/?aweme_id=1&a_bogus=x%2Fy%3D"


@dataclass
class Time:
    """A clock that sleeping moves."""

    at: float = 0.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@dataclass
class Desk:
    """A client and what it stored and traced."""

    client: ApiClient
    time: Time
    stored: list[Profile]
    traced: list[Exchange]

    async def get(self, url: str = DETAIL, **more: Any) -> Answer:
        """One GET of the class detail."""
        options = {"call": "detail", "endpoint": "aweme/detail", **more}
        return await self.client.send(lambda: Request(url=url), **options)


@pytest.fixture
def desk(network: Make) -> Callable[..., Desk]:
    """Makes a client whose requests for douyin.com and bytedance.com reach a server."""

    def make(
        server: Server, *jar: Cookie, retries: int = 3, agent: str | None = "UA", **options: Any
    ) -> Desk:
        time, stored, traced = Time(), [], []
        budget = Budget(
            {"douyin": {"detail": Rate(10, 1.5)}},
            pace="off",
            clock=time.clock,
            sleep=time.sleep,
            random=lambda: 0.5,
        )
        rules = ConnectTo.parse(f"*:80:127.0.0.1:{server.port},b.example:80:127.0.0.1:{server.port}")
        net = network(connect_to=rules, listed=["douyin.com", "bytedance.com"], **options)
        client = ApiClient(
            net,
            Profile(site="douyin", name="main", cookies=jar, user_agent=agent),
            budget,
            retries=retries,
            store=stored.append,
            trace=traced.append,
            sleep=time.sleep,
            clock=lambda: NOW,
        )
        return Desk(client, time, stored, traced)

    return make


Make_desk = Callable[..., Desk]


def saying(*answers: bytes) -> Callable[[Asked, asyncio.StreamWriter], Any]:
    """A server that gives these answers in turn, the last one again and again."""
    left = list(answers)

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> bytes:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


# -- what is sent ------------------------------------------------------------------------------------------------


async def test_a_request_goes_out_as_its_site_made_it(serve: Serve, desk: Make_desk) -> None:
    """The signed query byte for byte, the profile's user agent and cookies, and what a body needs."""
    server = await serve(reply(b"{}"))
    sent = Request(method="POST", url=DETAIL, headers={"uifid": "1"}, content=b"a=1")
    answer = await desk(server, LOGIN).client.send(lambda: sent, call="detail", endpoint="x")
    asked = server.asked[0]

    assert answer.json("x") == {}
    assert (asked.method, asked.target, asked.body) == (
        "POST",
        DETAIL.removeprefix("https://www.douyin.com"),
        b"a=1",
    )
    assert asked.headers == {
        "host": "www.douyin.com",
        "uifid": "1",
        "user-agent": "UA",
        "accept-encoding": "gzip, deflate",
        "cookie": "sessionid=secret",
        "content-length": "3",
    }


async def test_the_requests_own_user_agent_counts(serve: Serve, desk: Make_desk) -> None:
    """A route that must look like a phone says so."""
    server = await serve(reply(b"{}"))
    made = desk(server)
    await made.client.send(
        lambda: Request(url=DETAIL, headers={"user-agent": "phone"}), call="detail", endpoint="x"
    )

    assert server.asked[0].headers["user-agent"] == "phone"


@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("https://ttwid.bytedance.com/x", True),
        ("https://www.douyin.com/x", False),
        ("http://www.douyin.com/x", True),
        ("http://b.example/x", True),
    ],
    ids=["other-domain", "not-wanted", "plain-http", "stranger"],
)
async def test_the_login_goes_only_to_its_own_hosts(
    url: str, login: bool, serve: Serve, desk: Make_desk
) -> None:
    """Another domain, plain HTTP and requests without login get no cookie, whatever the jar says."""
    server = await serve(reply(b"{}"))
    careless = Cookie("sessionid", "secret", "douyin.com", secure=False)
    made = desk(server, careless)
    await made.client.send(lambda: Request(url=url, login=login), call="detail", endpoint="x")

    assert "cookie" not in server.asked[0].headers


# -- what is kept ------------------------------------------------------------------------------------------------


async def test_cookies_of_an_answer_are_kept_and_stored(serve: Serve, desk: Make_desk) -> None:
    """New values replace old ones, are stored once, and go out with the next request."""
    server = await serve(
        saying(
            reply(b"{}", Set_Cookie="odin_tt=1; Domain=.douyin.com\r\nSet-Cookie: ttwid=a%7Cb; Path=/"),
            reply(b"{}"),
        )
    )
    made = desk(server, LOGIN)
    answer = await made.get()
    await made.get()

    assert answer.set_cookies("ttwid") == ("a%7Cb",)
    assert "set-cookie" not in answer.headers
    assert [len(profile.cookies) for profile in made.stored] == [3]
    assert set(server.asked[1].headers["cookie"].split("; ")) == {
        "sessionid=secret",
        "odin_tt=1",
        "ttwid=a%7Cb",
    }


async def test_a_session_planted_on_a_guest_is_not_kept(serve: Serve, desk: Make_desk) -> None:
    """An answer cannot log a guest in; a login's session is renewed by one."""
    planted = "sessionid=theirs; Domain=.douyin.com; Path=/; Secure\r\nSet-Cookie: sid_tt=theirs\r\nSet-Cookie: ttwid=1"
    server = await serve(reply(b"{}", Set_Cookie=planted))
    guest, login = desk(server), desk(server, LOGIN)
    guest.client.profile = guest.client.profile.replace(name="guest", session=False)
    await guest.get()
    await login.get()

    assert [(each.name, each.value) for each in guest.client.profile.cookies] == [("ttwid", "1")]
    assert login.client.cookie("sessionid", url=DETAIL) == "theirs"


async def test_cookies_of_a_request_without_login_are_not_kept(serve: Serve, desk: Make_desk) -> None:
    """They are in the answer for those who asked."""
    server = await serve(reply(b"{}", Set_Cookie="ttwid=1"))
    made = desk(server, LOGIN)
    answer = await made.client.send(lambda: Request(url=DETAIL, login=False), call="detail", endpoint="x")

    assert answer.set_cookies("ttwid") == ("1",)
    assert made.client.profile.cookies == (LOGIN,)
    assert not made.stored


async def test_a_cookie_is_set_read_and_dropped(serve: Serve, desk: Make_desk) -> None:
    """A cookie made here replaces those of its name that go to the same place."""
    made = desk(await serve(reply(b"{}")), LOGIN, Cookie("ttwid", "old", "www.douyin.com", host_only=True))
    made.client.set_cookie("ttwid", "new", url="https://www.douyin.com/", domain="douyin.com")
    found = made.client.cookie("ttwid", url="https://live.douyin.com/")
    made.client.drop_cookies("ttwid")

    assert found == "new"
    assert made.client.cookie("ttwid", url="https://www.douyin.com/") is None
    assert made.client.profile.cookies == (LOGIN,)
    assert len(made.stored) == 2


# -- redirects ---------------------------------------------------------------------------------------------------


async def test_no_redirect_is_followed_unasked(serve: Serve, desk: Make_desk) -> None:
    """The answer is the redirect itself."""
    server = await serve(reply(b"", status=302, Location="https://www.douyin.com/video/1"))
    answer = await desk(server).get("https://v.douyin.com/abc/")

    assert (answer.status, answer.headers["location"]) == (302, "https://www.douyin.com/video/1")
    assert len(server.asked) == 1


async def test_redirect_takes_neither_login_nor_signature_to_another_host(
    serve: Serve, desk: Make_desk
) -> None:
    """On the other host the jar is asked anew and only harmless headers go along."""
    server = await serve(saying(reply(b"", status=302, Location="https://x.bytedance.com/end"), reply(b"{}")))
    made = desk(server, LOGIN)
    headers = {"x-secsdk-web-signature": "secret", "uifid": "secret", "Accept": "text/html"}
    answer = await made.client.send(
        lambda: Request(url=DETAIL, headers=headers), call="detail", endpoint="x", redirects=2
    )

    assert (answer.status, answer.url) == (200, "https://x.bytedance.com/end")
    assert set(server.asked[1].headers) == {"host", "accept", "accept-encoding", "user-agent"}


@pytest.mark.parametrize(
    ("location", "redirects"),
    [
        ("https://b.example/", 3),
        ("https://douyin.com.evil.example/", 3),
        ("http://www.douyin.com/", 3),
        ("file:///etc/passwd", 3),
        ("https://www.douyin.com@b.example/", 3),
        ("https://www.douyin.com/again", 2),
    ],
    ids=["stranger", "label-border", "to-http", "file", "user", "too-many"],
)
async def test_redirect_astray_is_refused(
    location: str, redirects: int, serve: Serve, desk: Make_desk
) -> None:
    """Strangers, plain HTTP, other schemes and endless chains end the call."""
    server = await serve(reply(b"", status=302, Location=location))

    with pytest.raises(AddressRefused):
        await desk(server, LOGIN).get(redirects=redirects)
    assert len(server.asked) == (3 if location.endswith("again") else 1)


# -- tries -------------------------------------------------------------------------------------------------------


async def test_a_try_is_made_anew(serve: Serve, desk: Make_desk) -> None:
    """Each try has its own request, so its signature is fresh; waits lie between."""
    server = await serve(
        saying(reply(status=502), reply(b"", Content_Length="5\r\nConnection: close"), reply(b"{}"))
    )
    made = desk(server)
    numbers = iter(range(9))
    answer = await made.client.send(
        lambda: Request(url=f"https://www.douyin.com/{next(numbers)}"), call="detail", endpoint="x"
    )

    assert answer.status == 200
    assert [asked.target for asked in server.asked] == ["/0", "/1", "/2"]
    assert len(made.time.slept) == 2
    assert all(0 <= seconds <= 20 for seconds in made.time.slept)


async def test_tries_come_to_an_end(serve: Serve, desk: Make_desk) -> None:
    """After the last try its error is raised."""

    async def cut(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(b"x", Content_Length="9"))
        await writer.drain()

    server = await serve(cut)

    with pytest.raises(Truncated, match="1 of 9"):
        await desk(server, retries=2).get()
    assert len(server.asked) == 3


async def test_a_server_in_trouble_is_judged_at_the_last_try(serve: Serve, desk: Make_desk) -> None:
    """A 5xx that stays is an answer like any other."""
    server = await serve(reply(b"down", status=503))
    answer = await desk(server, retries=1).get()

    assert (answer.status, answer.body) == (503, b"down")
    assert len(server.asked) == 2


async def test_an_answer_that_is_final_is_not_asked_for_again(serve: Serve, desk: Make_desk) -> None:
    """What the judge raises decides by its own word whether another try can help."""

    def judge(answer: Answer) -> None:
        raise RiskControl("empty answer")

    server = await serve(reply(b""))

    with pytest.raises(RiskControl):
        await desk(server).get(judge=judge)
    assert len(server.asked) == 1


async def test_cancelling_ends_the_tries(serve: Serve, desk: Make_desk) -> None:
    """A cancelled call stops in its try and gives its turn back."""
    came = asyncio.Event()

    async def silent(asked: Asked, writer: asyncio.StreamWriter) -> bytes:
        came.set()
        await asyncio.sleep(0.1)
        return reply(b"{}")

    server = await serve(silent)
    made = desk(server)
    task = asyncio.create_task(made.get())
    await came.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    answer = await made.get()

    assert answer.status == 200
    assert len(server.asked) == 2


# -- refusals ----------------------------------------------------------------------------------------------------


def limited(answer: Answer) -> None:
    """A judge that knows 429."""
    if answer.status == 429:
        raise RateLimited("too many", retry_after=answer.retry_after)


async def test_retry_after_is_obeyed(serve: Serve, desk: Make_desk) -> None:
    """The next try waits as long as the server asked, no longer and no shorter."""
    server = await serve(saying(reply(status=429, Retry_After="7"), reply(b"{}")))
    made = desk(server)
    answer = await made.get(judge=limited)

    assert answer.status == 200
    assert sum(made.time.slept) == pytest.approx(7)


@pytest.mark.parametrize("value", ["99999999999999999999999", "86400", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_an_absurd_retry_after_ends_the_site(value: str, serve: Serve, desk: Make_desk) -> None:
    """Nobody waits for a day: the error names the next try instead."""
    server = await serve(reply(status=429, Retry_After=value))
    made = desk(server)

    with pytest.raises(RateLimited, match="next try"):
        await made.get(judge=limited)
    assert len(server.asked) == 1
    assert sum(made.time.slept) < 1


@pytest.mark.parametrize("value", ["-5", "NaN", "inf", "soon", "", "1e9"])
async def test_a_retry_after_that_is_none_means_the_usual_pause(
    value: str, serve: Serve, desk: Make_desk
) -> None:
    """Nonsense neither breaks the wait nor shortens it."""
    server = await serve(saying(reply(status=429, Retry_After=value), reply(b"{}")))
    made = desk(server)
    answer = await made.get(judge=limited)

    assert answer.status == 200
    assert sum(made.time.slept) == pytest.approx(60)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("Fri, 02 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 32 Jan 2026 00:00:00 GMT", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    """A date that is past means now; no header means that the server does not say."""
    headers = {} if value is None else {"retry-after": value}
    answer = Answer(status=429, headers=headers, body=b"", url="https://a.com/")

    assert answer.retry_after == seconds


async def test_refusals_end_the_site_for_this_run(serve: Serve, desk: Make_desk) -> None:
    """60 s and 120 s are waited out; before a longer pause the call ends with its cause."""
    server = await serve(reply(status=429))
    made = desk(server, retries=10)

    with pytest.raises(RateLimited, match="next try"):
        await made.get(judge=limited)
    assert len(server.asked) == 3
    assert sum(made.time.slept) == pytest.approx(180)


async def test_a_refusal_found_later_counts_as_well(serve: Serve, desk: Make_desk) -> None:
    """A site that judges by itself tells the budget."""
    server = await serve(reply(b"{}"))
    made = desk(server)
    made.client.refused("detail", RiskControl("empty answer"))
    await made.get()

    assert made.time.slept == [pytest.approx(60)]


# -- bodies ------------------------------------------------------------------------------------------------------

BARE = zlib.compressobj(wbits=-15)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b'{"a": 1}', "identity"),
        (gzip.compress(b'{"a": 1}'), "gzip"),
        (gzip.compress(b'{"a": 1}'), "X-GZIP"),
        (zlib.compress(b'{"a": 1}'), "deflate"),
        (BARE.compress(b'{"a": 1}') + BARE.flush(), "deflate"),
    ],
    ids=["plain", "gzip", "x-gzip", "zlib", "bare-deflate"],
)
async def test_a_packed_answer_is_unpacked(body: bytes, encoding: str, serve: Serve, desk: Make_desk) -> None:
    """Whatever we asked for is understood."""
    server = await serve(reply(body, Content_Encoding=encoding))
    answer = await desk(server).get()

    assert answer.json("x") == {"a": 1}


@pytest.mark.parametrize(
    ("body", "encoding", "error", "match"),
    [
        pytest.param(
            gzip.compress(bytes(80 * 2**20), 1), "gzip", UnexpectedResponse, "larger than", id="gzip-bomb"
        ),
        pytest.param(
            zlib.compress(bytes(80 * 2**20), 1),
            "deflate",
            UnexpectedResponse,
            "larger than",
            id="deflate-bomb",
        ),
        pytest.param(b"x", "br", UnexpectedResponse, "not asked for", id="brotli"),
        pytest.param(
            gzip.compress(gzip.compress(b"x")), "gzip, gzip", UnexpectedResponse, "not asked for", id="twice"
        ),
        pytest.param(b"no gzip at all", "gzip", UnexpectedResponse, "damaged", id="not-gzip"),
        pytest.param(gzip.compress(b"x" * 100)[:-9], "gzip", Truncated, "breaks off", id="cut-gzip"),
    ],
)
async def test_an_unpacked_answer_is_bounded(
    body: bytes, encoding: str, error: type[DyvineError], match: str, serve: Serve, desk: Make_desk
) -> None:
    """A bomb is put down at 16 MiB, an encoding that was not asked for is not opened."""
    server = await serve(reply(body, Content_Encoding=encoding))

    with pytest.raises(error, match=match):
        await desk(server, retries=0).get()


async def test_an_endless_answer_is_bounded(serve: Serve, desk: Make_desk) -> None:
    """Without a length, too, it ends at 16 MiB."""

    async def endless(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(bytes(2**20))
            await writer.drain()

    server = await serve(endless)

    with pytest.raises(UnexpectedResponse, match="larger than") as caught:
        await desk(server).get()
    assert caught.value.endpoint == "aweme/detail"


async def test_an_empty_200_is_an_answer(serve: Serve, desk: Make_desk) -> None:
    """What an empty answer means depends on the endpoint; as JSON it is an error with a name."""
    server = await serve(reply(b"", Content_Encoding="gzip"))
    answer = await desk(server).get()

    assert (answer.status, answer.body) == (200, b"")
    with pytest.raises(UnexpectedResponse, match="detail: an empty answer"):
        answer.json("detail")


def said(body: bytes) -> Answer:
    """An answer with this body."""
    return Answer(status=200, headers={}, body=body, url="https://a.com/")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": NaN, "b": [Infinity, -Infinity, 1e999, 1.5]}', {"a": None, "b": [None, None, None, 1.5]}),
        (b'{"id": 18446744073709551616}', {"id": 2**64}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": "\xff"}', {"a": "�"}),
        (b'{"a": "\\ud800"}', {"a": "\ud800"}),
        (b"\xef\xbb\xbf{}", {}),
        (b"[]", []),
    ],
    ids=["nan", "big-id", "duplicate-key", "not-utf-8", "lone-surrogate", "bom", "list"],
)
def test_odd_json_is_read(body: bytes, expected: object) -> None:
    """Numbers that are none are None; the rest is as the platform said it."""
    found = said(body).json("x")

    assert found == expected


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{", b"[" * 200_000, b'{"a":' * 200_000, b"9" * 10_000, b"null x", b"\x00"],
    ids=["empty", "html", "cut", "deep-list", "deep-object", "endless-number", "surplus", "nul"],
)
def test_json_that_is_none_is_unexpected(body: bytes) -> None:
    """Every way to be no JSON is one error that names what was asked."""
    with pytest.raises(UnexpectedResponse, match=r"^detail 1: "):
        said(body).json("detail 1")


def test_a_million_items_are_read() -> None:
    """Size alone is no fault below the limit."""
    found = said(json.dumps(list(range(10**6))).encode()).json("x")

    assert len(found) == 10**6


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" + b"[]," * 10**6 + b"[]]", id="lists"),
        pytest.param(b"[" + b'{"a":1},' * 10**6 + b"{}]", id="objects"),
        pytest.param(b"\xef\xbb\xbf[" + b"[{}]," * 400_000 + b"1]", id="both"),
    ],
)
def test_a_json_bomb_is_not_decoded(body: bytes) -> None:
    """A few megabytes of brackets would be hundreds of megabytes of lists and objects."""
    answer = said(body)
    tracemalloc.start()
    try:
        with pytest.raises(UnexpectedResponse, match="lists and objects"):
            answer.json("x")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert most < 2**20


# -- secrets -----------------------------------------------------------------------------------------------------


async def test_no_log_trace_or_error_shows_a_secret(
    serve: Serve, desk: Make_desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Cookies, tokens and the signed query stay inside; host, path and endpoint are shown."""
    caplog.set_level(logging.DEBUG)
    server = await serve(
        saying(reply(b"{}", Set_Cookie="odin_tt=received"), reply(b"x", Content_Length="-1"))
    )
    made = desk(server, LOGIN, retries=0)
    answer = await made.get()
    with pytest.raises(NetworkError) as caught:
        await made.get()
    shown = (
        f"{caplog.text} {made.traced} {answer!r} {caught.value!r} {caught.value.hint} {made.client.profile!r}"
    )

    assert "www.douyin.com/aweme/v1/web/aweme/detail/" in caplog.text
    assert [(each.endpoint, each.status) for each in made.traced] == [
        ("aweme/detail", 200),
        ("aweme/detail", None),
    ]
    assert not any(word in shown for word in ("secret", "received", "a_bogus"))


def test_importing_the_clients_loads_no_terminal() -> None:
    """Neither rich nor a command line comes with the library."""
    import subprocess
    import sys

    program = "import sys, dyvine_cli.http.api, dyvine_cli.http.reader; print(sorted({'rich', 'click', 'typer', 'httpx', 'pydantic'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert found.stdout == "[]\n"
