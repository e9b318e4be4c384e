"""Every fault of the simulator's core, as a client meets it on the socket."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from urllib.parse import urlsplit

import pytest

from dyvine_cli.simulator.app import Simulator, running
from dyvine_cli.simulator.content import content
from dyvine_cli.simulator.faults import ANSWERS, CONTENT, CORE, WIRE, Fault, Faults
from dyvine_cli.simulator.messages import Request, Response

SIZE = 100_000
FILE = content("h264", SIZE, 5)
BROWSER = {"User-Agent": "Mozilla/5.0", "Referer": "https://www.douyin.com/"}


@dataclass
class Seen:
    """What came through one socket until it ended: head, body, and whether the end was a reset."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    reset: bool

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def hello(request: Request) -> Response:
    """A platform of one sentence, standing for the hosts of an API."""
    return Response(headers=[("Content-Type", "application/json")], body=b'{"hello":1}')


@pytest.fixture(scope="module")
def server() -> Iterator[Simulator]:
    """One simulator for the module."""
    with running(platforms=[hello]) as simulator:
        yield simulator


@pytest.fixture
def simulator(server: Simulator) -> Iterator[Simulator]:
    """The module's simulator without faults left over."""
    server.faults.clear()
    server.faults.taken.clear()
    yield server
    server.faults.clear()


PATIENCE = 10.0
"""Seconds of silence after which nothing more is expected."""


def look(simulator: Simulator, url: str, *, most: float = inf, quiet: float = 0.0, **headers: str) -> Seen:
    """Ask for one address and read until the other side closes, or to the silence of `quiet` seconds after `most` bytes."""
    parts = urlsplit(url)
    lines = [f"GET {parts.path}?{parts.query} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in {**BROWSER, **headers}.items()]
    got, reset = b"", False
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=PATIENCE) as carrier:
        carrier.sendall("\r\n".join([*lines, "", ""]).encode())
        try:
            while True:
                enough = len(got.partition(b"\r\n\r\n")[2]) >= most
                carrier.settimeout(max(quiet, 0.001) if enough else PATIENCE)
                if not (chunk := carrier.recv(65_536)):
                    break
                got += chunk
        except ConnectionResetError:
            reset = True
        except TimeoutError:
            assert enough, "nothing more came"
    head, _, body = got.partition(b"\r\n\r\n")
    status, *rest = head.decode("latin-1").split("\r\n")
    pairs = [line.split(": ", 1) for line in rest]
    return Seen(
        int(status.split()[1]) if status else 0, [(name, value) for name, value in pairs], body, reset
    )


def link(simulator: Simulator, kind: str = "h264") -> str:
    """A fresh first mirror of the module's file."""
    return simulator.media.urls(kind, SIZE, 5)[0]


def test_without_faults_the_file_comes_whole(simulator: Simulator) -> None:
    """The measure for all others."""
    seen = look(simulator, link(simulator))

    assert (seen.status, seen.body) == (200, FILE.read())
    assert seen.header("ETag") == FILE.etag


def test_every_core_fault_has_a_test_here_and_a_meaning() -> None:
    """No switch without a sentence and no sentence without a test."""
    tested = {*ANSWER_ROWS, *RANGE_ROWS, *BODY_ROWS, *OTHER_FAULTS}

    assert tested == set(CORE)
    assert all(len(meaning) > 5 for meaning in CORE.values())
    assert set(ANSWERS) | set(CONTENT) | set(WIRE) == set(CORE)


ANSWER_ROWS: dict[str, tuple[int, str, bytes]] = {
    "204": (204, "text/plain", b""),
    "403": (403, "text/plain", b"refused by a fault\n"),
    "404": (404, "text/plain", b"refused by a fault\n"),
    "410": (410, "text/plain", b"refused by a fault\n"),
    "429": (429, "text/plain", b"refused by a fault\n"),
    "500": (500, "text/plain", b"refused by a fault\n"),
    "503": (503, "text/plain", b"refused by a fault\n"),
    "empty-200": (200, "text/plain", b""),
    "json-200": (200, "application/json", b'{"status_code":0}'),
}


@pytest.mark.parametrize("name", ANSWER_ROWS)
def test_another_answer(simulator: Simulator, name: str) -> None:
    """The fault's answer comes once, in place of the true one."""
    status, mime, body = ANSWER_ROWS[name]
    simulator.faults.set(name, count=1)
    seen = look(simulator, link(simulator))

    assert (seen.status, seen.header("Content-Type"), seen.body) == (status, mime, body)
    assert look(simulator, link(simulator)).status == 200
    assert simulator.faults.taken == {name: 1}


OTHER_FAULTS = {
    "html-200",
    "bomb",
    "redirect",
    "redirect-loop",
    "expired-link",
    "jpeg-for-video",
    "gzip-unasked",
    "weak-etag",
    "no-validator",
    "changed-etag",
    "changed-size",
    "short-file",
    "stall",
    "late",
    "drip",
    "slow",
    "dead-mirror",
    "close-silently",
    "chunked",
    "cut-chunk",
    "reset",
    "double-length",
}


def test_html_may_lie_about_its_type(simulator: Simulator) -> None:
    """A captcha page with status 200, if wanted under the type of a video."""
    simulator.faults.set("html-200", value="video/mp4", count=1)
    seen = look(simulator, link(simulator))

    assert (seen.status, seen.header("Content-Type")) == (200, "video/mp4")
    assert seen.body.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize("value", ["7", "999999999999", "-1", "soon", "Wed, 21 Oct 2099 07:28:00 GMT"])
@pytest.mark.parametrize("name", ["429", "503"])
def test_retry_after_is_sent_as_it_stands(simulator: Simulator, name: str, value: str) -> None:
    """Sensible or absurd, the value reaches the client."""
    simulator.faults.set(name, value=value, count=1)

    assert look(simulator, link(simulator)).header("Retry-After") == value


def test_bomb_unpacks_to_zeros(simulator: Simulator) -> None:
    """A small body of many MiB."""
    simulator.faults.set("bomb", value=64, count=1)
    seen = look(simulator, link(simulator))

    assert seen.header("Content-Encoding") == "gzip"
    assert len(seen.body) < 100_000
    assert len(zlib.decompress(seen.body, 31)) == 64 * 2**20


def test_redirects(simulator: Simulator) -> None:
    """To the value, or to itself as often as counted."""
    url = link(simulator)
    simulator.faults.set("redirect", value="http://169.254.169.254/latest", count=1)
    away = look(simulator, url)
    simulator.faults.set("redirect-loop", count=2)
    loop = [look(simulator, url) for _ in range(3)]

    assert (away.status, away.header("Location")) == (302, "http://169.254.169.254/latest")
    assert [seen.status for seen in loop] == [302, 302, 200]
    assert loop[0].header("Location") == url


RANGE_ROWS: dict[str, tuple[str | None, int, str | None, int]] = {
    "wrong-range": (None, 206, f"bytes 49000-98999/{SIZE}", 49_000),
    "range-ignored": (None, 200, None, 0),
    "wrong-total": (None, 206, f"bytes 50000-99999/{SIZE + 1000}", 50_000),
    "416": (None, 416, f"bytes */{SIZE}", SIZE),
}


@pytest.mark.parametrize("name", RANGE_ROWS)
def test_a_range_goes_wrong(simulator: Simulator, name: str) -> None:
    """The fault waits for a request with a range; what is sent is what is labelled."""
    value, status, content_range, start = RANGE_ROWS[name]
    simulator.faults.set(name, value=value, count=1)
    first = look(simulator, link(simulator))
    seen = look(simulator, link(simulator), Range="bytes=50000-")

    assert first.body == FILE.read()
    assert (seen.status, seen.header("Content-Range")) == (status, content_range)
    assert seen.body == FILE.read(start, len(seen.body))


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [("changed-etag", None, 200), ("changed-etag", "206", 206), ("changed-size", None, 200)],
)
def test_the_file_changed(simulator: Simulator, name: str, value: str | None, status: int) -> None:
    """Another file stands under the address; 206 in spite of If-Range only if wanted."""
    simulator.faults.set(name, value=value)
    other = FILE.changed(1000 if name == "changed-size" else 0)
    seen = look(simulator, link(simulator), Range="bytes=40000-", **{"If-Range": FILE.etag})

    assert (seen.status, seen.header("ETag")) == (status, other.etag)
    assert seen.body == other.read(40_000 if status == 206 else 0)
    assert seen.body != FILE.read(40_000 if status == 206 else 0)


def test_the_file_ends_early_but_consistently(simulator: Simulator) -> None:
    """Length and range agree with each other, not with the platform's word."""
    simulator.faults.set("short-file")
    seen = look(simulator, link(simulator))
    rest = look(simulator, link(simulator), Range="bytes=10-")

    assert (seen.header("Content-Length"), seen.body) == ("50000", FILE.read(0, 50_000))
    assert rest.header("Content-Range") == "bytes 10-49999/50000"


@pytest.mark.parametrize(("name", "etag"), [("weak-etag", "W/" + FILE.etag), ("no-validator", None)])
def test_validators_that_prove_nothing(simulator: Simulator, name: str, etag: str | None) -> None:
    """Weak or absent ETag, no date."""
    simulator.faults.set(name)
    seen = look(simulator, link(simulator))

    assert (seen.header("ETag"), seen.header("Last-Modified")) == (etag, None)
    assert seen.body == FILE.read()


@pytest.mark.parametrize("mime", [None, "video/mp4"])
def test_a_picture_for_a_video(simulator: Simulator, mime: str | None) -> None:
    """The bytes contradict what was asked for, with or without a lying type."""
    simulator.faults.set("jpeg-for-video", value=mime)
    seen = look(simulator, link(simulator))

    assert seen.body[:3] == b"\xff\xd8\xff"
    assert len(seen.body) == SIZE
    assert seen.header("Content-Type") == (mime or "image/jpeg")


def test_compressed_though_not_asked(simulator: Simulator) -> None:
    """The right bytes in an encoding nobody accepted."""
    simulator.faults.set("gzip-unasked")
    seen = look(simulator, link(simulator), **{"Accept-Encoding": "identity"})

    assert seen.header("Content-Encoding") == "gzip"
    assert gzip.decompress(seen.body) == FILE.read()


def test_links_expire_once(simulator: Simulator) -> None:
    """With a count, all addresses handed out so far are dead, the play address too; new ones work."""
    old = simulator.media.urls("h264", SIZE, 5)
    simulator.faults.set("expired-link", count=1)
    before = [look(simulator, url).status for url in old]
    new = simulator.media.urls("h264", SIZE, 5)

    assert before == [403, 403, 403]
    assert [look(simulator, url).status for url in new] == [200, 200, 302]
    assert look(simulator, old[0]).status == 403


def test_links_of_every_file_expire_once(simulator: Simulator) -> None:
    """`once` does the same for each file, with no count."""
    simulator.faults.set("expired-link", value="once")
    seen = [look(simulator, simulator.media.urls("h264", SIZE, seed)[0]) for seed in (61, 61, 62, 62)]

    assert [each.status for each in seen] == [403, 200, 403, 200]


def test_links_may_always_be_expired(simulator: Simulator) -> None:
    """Without count and value new links are dead as well."""
    simulator.faults.set("expired-link")

    assert [look(simulator, link(simulator)).status for _ in range(3)] == [403] * 3


BODY_ROWS: dict[str, tuple[str | None, str | None, bytes]] = {
    "cut-body": (None, str(SIZE), FILE.read(0, SIZE // 2)),
    "wrong-length": (None, str(SIZE + 1000), FILE.read()),
    "surplus": ("7", str(SIZE), FILE.read() + b"?" * 7),
    "no-length": (None, None, FILE.read()),
    "negative-length": (None, "-1", FILE.read()),
}


@pytest.mark.parametrize("name", BODY_ROWS)
def test_body_and_length_disagree(simulator: Simulator, name: str) -> None:
    """The length that is promised and the bytes that come before the close."""
    value, length, body = BODY_ROWS[name]
    simulator.faults.set(name, value=value, count=1)
    seen = look(simulator, link(simulator))

    assert (seen.status, seen.header("Content-Length")) == (200, length)
    assert seen.body == body
    assert look(simulator, link(simulator)).body == FILE.read()


@pytest.mark.parametrize(
    ("name", "value", "length", "sent"),
    [
        pytest.param("cut-body", "1234", str(SIZE), 1234, id="cut after so many"),
        pytest.param("cut-body", "0", str(SIZE), 0, id="cut before the first"),
        pytest.param("wrong-length", "shorter", str(SIZE // 2), SIZE, id="shorter"),
        pytest.param("wrong-length", "9223372036854775808", "9223372036854775808", SIZE, id="huge"),
        pytest.param("no-length", "cut", None, SIZE // 2, id="early end without length"),
        pytest.param("short-file", "20000", "20000", 20_000, id="short file of so many"),
    ],
)
def test_values(simulator: Simulator, name: str, value: str, length: str | None, sent: int) -> None:
    """What a value changes."""
    simulator.faults.set(name, value=value, count=1)
    seen = look(simulator, link(simulator))

    assert (seen.header("Content-Length"), len(seen.body)) == (length, sent)


def test_two_lengths(simulator: Simulator) -> None:
    """Two Content-Length headers that disagree."""
    simulator.faults.set("double-length")
    seen = look(simulator, link(simulator))

    assert [value for name, value in seen.headers if name == "Content-Length"] == [str(SIZE), str(SIZE + 1)]


@pytest.mark.parametrize("name", ["chunked", "cut-chunk"])
def test_chunked(simulator: Simulator, name: str) -> None:
    """Chunked coding, whole or broken off inside a chunk."""
    simulator.faults.set(name)
    seen = look(simulator, link(simulator))
    size, _, rest = seen.body.partition(b"\r\n")

    assert (seen.header("Transfer-Encoding"), seen.header("Content-Length")) == ("chunked", None)
    assert int(size, 16) == SIZE
    assert rest == (FILE.read() + b"\r\n0\r\n\r\n" if name == "chunked" else FILE.read(0, SIZE // 2))


@pytest.mark.parametrize(("value", "came"), [(None, SIZE // 2), ("head", 0), ("300", 300)])
def test_stall(simulator: Simulator, value: str | None, came: int) -> None:
    """Part of the body or nothing, then silence; the server notices that the client left."""
    simulator.faults.set("stall", value=value, count=1)
    seen = look(simulator, link(simulator), most=came, quiet=0.1)

    assert len(seen.body) == came
    assert look(simulator, link(simulator)).body == FILE.read()


@pytest.mark.parametrize(("value", "came"), [(None, SIZE // 2), ("head", 0)])
def test_reset(simulator: Simulator, value: str | None, came: int) -> None:
    """Part of the body, then a TCP reset (which may overtake bytes on their way)."""
    simulator.faults.set("reset", value=value, count=1)
    seen = look(simulator, link(simulator))

    assert seen.reset
    assert len(seen.body) <= came


def test_drip(simulator: Simulator) -> None:
    """Single bytes at the pace given."""
    simulator.faults.set("drip", value=100, count=1)
    begun = time.monotonic()
    seen = look(simulator, link(simulator), most=6)
    taken = time.monotonic() - begun

    assert seen.header("Content-Length") == str(SIZE)
    assert seen.body == FILE.read(0, len(seen.body))
    assert taken >= 0.009 * len(seen.body)


def test_slow_and_late(simulator: Simulator) -> None:
    """A slow answer takes its bytes' time, a late one its seconds."""
    simulator.faults.set("slow", value=500_000, count=1)
    begun = time.monotonic()
    slow = look(simulator, link(simulator))
    middle = time.monotonic()
    simulator.faults.set("late", value="0.1", count=1)
    late = look(simulator, link(simulator))

    assert slow.body == late.body == FILE.read()
    assert middle - begun > 0.15
    assert time.monotonic() - middle > 0.09


def test_first_mirror_is_dead(simulator: Simulator) -> None:
    """The first address gets no answer, the second all; other files' first hosts are as dead."""
    simulator.faults.set("dead-mirror")
    mirrors = simulator.media.urls("h264", SIZE, 5)

    assert look(simulator, mirrors[0]).status == 0
    assert look(simulator, mirrors[1]).body == FILE.read()
    assert look(simulator, simulator.media.urls("jpeg", SIZE, 6)[0]).status == 0


def test_close_that_was_not_announced(simulator: Simulator) -> None:
    """The whole answer, then an end without `Connection: close`."""
    simulator.faults.set("close-silently", where="api.example")
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=5) as carrier:
        carrier.sendall(b"GET / HTTP/1.1\r\nHost: api.example\r\n\r\n")
        got = b""
        while chunk := carrier.recv(65_536):
            got += chunk

    assert got.endswith(b'\r\n\r\n{"hello":1}')
    assert b"connection" not in got.lower()


def test_without_where_an_api_is_spared(simulator: Simulator) -> None:
    """Core faults are for media unless a place is named."""
    simulator.faults.set("500")
    spared = look(simulator, "https://api.example/posts")
    simulator.faults.set("cut-body", where="api.example/posts", value=3)
    cut = look(simulator, "https://api.example/posts")
    simulator.faults.set("503", where="GET api.example/posts")

    assert spared.status == 200
    assert json.loads(spared.body) == {"hello": 1}
    assert cut.body == b'{"h'
    assert look(simulator, "https://api.example/posts").status == 503


@pytest.mark.parametrize(
    ("where", "kind", "status"),
    [
        ("video", "h264", 404),
        ("video", "jpeg", 200),
        ("picture jpeg", "jpeg", 404),
        ("picture jpeg", "webp", 200),
        ("douyinstatic.com", "mp3", 404),
        ("HEAD", "mp3", 200),
    ],
)
def test_where(simulator: Simulator, where: str, kind: str, status: int) -> None:
    """Family, kind, method, host or path choose the requests."""
    simulator.faults.set("404", where=where)

    assert look(simulator, link(simulator, kind)).status == status


def test_skip_and_ranged(simulator: Simulator) -> None:
    """The first requests may pass, and only those with a range may be meant."""
    simulator.faults.set("404", skip=1, count=1)
    skipped = [look(simulator, link(simulator)).status for _ in range(3)]
    simulator.faults.set("410", ranged=True)

    assert skipped == [200, 404, 200]
    assert look(simulator, link(simulator)).status == 200
    assert look(simulator, link(simulator), Range="bytes=0-1").status == 410


def test_two_faults_in_one_answer(simulator: Simulator) -> None:
    """What is wrong with the file and what is wrong on the wire add up."""
    simulator.faults.set("changed-etag", count=1)
    simulator.faults.set("cut-body", value=30_000, count=1)
    seen = look(simulator, link(simulator))

    assert (seen.header("ETag"), seen.body) == (FILE.changed().etag, FILE.changed().read(0, 30_000))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("500", Fault(name="500"), id="bare"),
        pytest.param("cut-body:3", Fault(name="cut-body", count=3), id="count"),
        pytest.param("cut-body=99", Fault(name="cut-body", value="99"), id="value"),
        pytest.param("404@video", Fault(name="404", where="video"), id="where"),
        pytest.param(
            "redirect:1@douyinvod.com=http://127.0.0.1:80/?a=b@c",
            Fault(name="redirect", count=1, where="douyinvod.com", value="http://127.0.0.1:80/?a=b@c"),
            id="all",
        ),
    ],
)
def test_text_form(text: str, fault: Fault) -> None:
    """The command line's way of naming a fault."""
    assert Fault.parse(text) == fault


@pytest.mark.parametrize("text", ["500:0", "500:many", "500:-1", "500:"])
def test_text_form_with_a_bad_count(text: str) -> None:
    """A count is a number above 0."""
    with pytest.raises(ValueError, match="count"):
        Fault.parse(text)


def test_unknown_names_are_refused_until_registered() -> None:
    """A misspelt fault is an error that lists the names; a platform adds its own."""
    faults = Faults()
    with pytest.raises(ValueError, match="cut-body"):
        faults.set("cut-bodies")
    faults.register({"captcha": "the platform wants a captcha solved"})
    faults.set("captcha", count=1)
    request = Request(method="GET", host="www.douyin.com", path="/", query="", headers={})

    assert faults.take("captcha", request) == Fault(name="captcha", count=0)
    assert faults.take("captcha", request) is None


@pytest.mark.anyio
async def test_faults_are_counted_under_load(simulator: Simulator) -> None:
    """Many requests at once use up exactly the count."""
    simulator.faults.set("404", count=10)
    url = link(simulator)
    seen = await asyncio.gather(*(asyncio.to_thread(look, simulator, url) for _ in range(30)))

    assert sorted(each.status for each in seen) == [200] * 20 + [404] * 10
