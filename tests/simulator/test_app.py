"""The simulator's server: connections, hosts, the line's speed, TLS, the control host, thread and process."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from dyvine_cli.simulator.app import Clock, Simulator, running
from dyvine_cli.simulator.content import content
from dyvine_cli.simulator.messages import Request, Response

BROWSER = {"User-Agent": "Mozilla/5.0", "Referer": "https://www.douyin.com/"}


def echo(request: Request) -> Response | None:
    """A platform that tells what it was asked."""
    if request.host != "api.example":
        return None
    facts = {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "body": request.body.decode(),
    }
    return Response(
        headers=[("Content-Type", "application/json"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")],
        body=json.dumps({**facts, "cookies": request.cookies}).encode(),
    )


async def trickle(request: Request) -> Response | None:
    """A platform whose answers come in pieces of unknown number."""
    if request.host != "live.example":
        return None

    async def body() -> AsyncIterator[bytes]:
        for number in range(3):
            yield f"part {number}\n".encode()

    return Response(body=body())


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """One simulator for all tests that leave it as it was."""
    with running(platforms=[echo, trickle]) as simulator:
        yield simulator


def connect(simulator: Simulator) -> http.client.HTTPConnection:
    """A keep-alive client."""
    return http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=5)


def get(client: http.client.HTTPConnection, url: str, **headers: str) -> tuple[int, bytes]:
    """Status and body of one address, whatever its host."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    client.request("GET", target, headers={"Host": parts.netloc, **BROWSER, **headers})
    answer = client.getresponse()
    return answer.status, answer.read()


def control(simulator: Simulator, path: str, **wishes: Any) -> tuple[int, dict[str, Any]]:
    """What the control host answers."""
    with closing(connect(simulator)) as client:
        client.request("POST", path, json.dumps(wishes), {"Host": "control.simulator"})
        answer = client.getresponse()
        return answer.status, json.loads(answer.read())


def talk(simulator: Simulator, sent: bytes) -> bytes:
    """Everything that comes back for raw bytes until the server closes."""
    got = b""
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=10) as carrier:
        carrier.sendall(sent)
        while chunk := carrier.recv(65_536):
            got += chunk
    return got


def test_a_platform_is_asked_by_its_host(simulator: Simulator) -> None:
    """Method, path, query, body and cookies arrive; both cookies that it sets come back."""
    with closing(connect(simulator)) as client:
        client.putrequest("POST", "/a%20b?c=%E4&d", skip_host=True)
        for name, value in [
            ("Host", "API.example:443"),
            ("Cookie", "x=1"),
            ("Cookie", "y=2"),
            ("Content-Length", "2"),
        ]:
            client.putheader(name, value)
        client.endheaders(b"hi")
        answer = client.getresponse()
        facts = json.loads(answer.read())

    assert facts == {
        "method": "POST",
        "path": "/a%20b",
        "query": "c=%E4&d",
        "body": "hi",
        "cookies": {"x": "1", "y": "2"},
    }
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert answer.headers["Date"].endswith("GMT")


def test_douyin_is_there_by_default() -> None:
    """Without platforms given the invented Douyin answers its hosts and has put its faults among the others."""
    with running() as simulator, closing(connect(simulator)) as client:
        client.request("POST", "/ttwid/union/register/", "{}", {"Host": "ttwid.bytedance.com"})
        answer = client.getresponse()
        answer.read()

    assert answer.status == 200
    assert simulator.world is not None
    assert simulator.douyin is not None
    assert "api-empty" in simulator.faults.meanings


def test_other_hosts_are_nobody(simulator: Simulator) -> None:
    """A host that no platform knows is 404 and says so."""
    with closing(connect(simulator)) as client:
        status, body = get(client, "https://elsewhere.example/x")

    assert status == 404
    assert b"elsewhere.example/x" in body


def test_a_body_of_unknown_length_is_chunked(simulator: Simulator) -> None:
    """An iterator without a length goes out in chunks and the connection lives on."""
    with closing(connect(simulator)) as client:
        first = get(client, "https://live.example/stream")
        second = get(client, "https://api.example/after")

    assert first == (200, b"part 0\npart 1\npart 2\n")
    assert second[0] == 200


def test_connections_are_kept(simulator: Simulator) -> None:
    """Twenty requests on one connection count as one, HEAD and refusals included."""
    before = simulator.counts()["connections"]
    url = simulator.media.urls("jpeg", 20_000, 1)[0]
    with closing(connect(simulator)) as client:
        for _ in range(9):
            assert get(client, url)[0] == 200
            assert get(client, "https://elsewhere.example/")[0] == 404
        client.request("HEAD", "/", headers={"Host": "api.example"})
        head = client.getresponse()
        head.read()
        assert get(client, url)[0] == 200

    assert head.headers["Content-Length"] != "0"
    assert simulator.counts()["connections"] == before + 1


def test_pipelined_requests_are_answered_in_order(simulator: Simulator) -> None:
    """Three requests in one packet give three answers in their order."""
    lines = [f"GET /{n} HTTP/1.1\r\nHost: api.example\r\n\r\n" for n in range(2)]
    last = "GET /2 HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n"
    got = talk(simulator, "".join([*lines, last]).encode()).decode()

    assert got.count("HTTP/1.1 200") == 3
    assert [got.index(f'"path": "/{n}"') for n in range(3)] == sorted(
        got.index(f'"path": "/{n}"') for n in range(3)
    )


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"nonsense\r\n\r\n", b"400", id="no request line"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", b"400", id="no host"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 200_000 + b"\r\n\r\n", b"431", id="head too long"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: api.example\r\nContent-Length: 9000000\r\n\r\n" + b"z" * 4_300_000,
            b"413",
            id="body too long",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"400", id="negative length"
        ),
    ],
)
def test_what_is_no_request_is_rejected(simulator: Simulator, sent: bytes, status: bytes) -> None:
    """An error status and the end of the connection."""
    assert talk(simulator, sent).startswith(b"HTTP/1.1 " + status)


def test_a_client_that_waits_for_100_gets_it(simulator: Simulator) -> None:
    """`Expect: 100-continue` is honoured."""
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=5) as carrier:
        carrier.sendall(
            b"POST / HTTP/1.1\r\nHost: api.example\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        first = carrier.recv(1000)
        carrier.sendall(b"ok")
        second = carrier.recv(10_000)

    assert first.startswith(b"HTTP/1.1 100")
    assert second.startswith(b"HTTP/1.1 200")


def test_a_large_file_arrives_whole(simulator: Simulator) -> None:
    """Thirty megabytes in pieces of 256 kB, counted to the byte."""
    url = simulator.media.urls("h264", 30_000_001, 9)[0]
    with closing(connect(simulator)) as client:
        status, body = get(client, url)

    assert status == 200
    assert body == content("h264", 30_000_001, 9).read()
    assert simulator.requests[-1].sent == 30_000_001


def test_requests_are_remembered() -> None:
    """The log has what was asked on which connection and what was sent, up to its length."""
    with running(platforms=[echo], log=3) as simulator, closing(connect(simulator)) as client:
        url = simulator.media.urls("jpeg", 20_000, 1)[0]
        for number in range(3):
            get(client, f"https://api.example/{number}")
        get(client, url, Range="bytes=0-99")
        served = simulator.requests

    assert [each.path for each in served[:2]] == ["/1", "/2"]
    assert (served[2].host, served[2].status, served[2].kind) == (urlsplit(url).netloc, 206, "picture jpeg")
    assert (served[2].sent, served[2].connection, served[2].headers["range"]) == (100, 1, "bytes=0-99")
    assert simulator.counts()["answers"] == 4


def test_leaks_are_seen() -> None:
    """A cookie at a media host is refused and stands in `leaks`."""
    with running(platforms=[echo]) as simulator, closing(connect(simulator)) as client:
        status, _ = get(client, simulator.media.urls("h264", 20_000, 1)[0], Cookie="sessionid=1")
        get(client, "https://api.example/", Cookie="sessionid=1")

    assert status == 403
    assert [leak.header for leak in simulator.leaks] == ["cookie"]


def test_round_trips() -> None:
    """Every answer costs one, a connection's first two more."""
    with running(platforms=[echo], rtt=0.05) as simulator, closing(connect(simulator)) as client:
        times = []
        for _ in range(7):
            begun = time.monotonic()
            get(client, "https://api.example/")
            times.append(time.monotonic() - begun)

    assert times[0] >= 0.149
    assert 0.049 <= min(times[1:]) < 0.099  # the best one: a busy machine makes others longer


def test_speed_is_per_connection() -> None:
    """A line of 1 MB/s carries 200 kB in 0.2 s, and two connections at once as much each."""
    with running(platforms=[], rate=1_000_000) as simulator:
        url = simulator.media.urls("h264", 200_000, 1)[0]

        def fetch() -> None:
            with closing(connect(simulator)) as client:
                get(client, url)

        def both() -> float:
            begun = time.monotonic()
            threads = [threading.Thread(target=fetch) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return time.monotonic() - begun

        taken = min(both() for _ in range(4))

    assert 0.18 < taken < 0.36  # the best one: a busy machine makes others longer


def test_clock_can_be_moved() -> None:
    """Links and dates follow the simulator's clock."""
    with (
        running(platforms=[echo], clock=lambda: 1_790_000_000.0) as simulator,
        closing(connect(simulator)) as client,
    ):
        url = simulator.media.urls("h264", 20_000, 1)[0]
        before, _ = get(client, url)
        simulator.clock.advance(4000)
        after, _ = get(client, url)

    assert (before, after) == (200, 403)


def test_control_faults(simulator: Simulator) -> None:
    """Faults are set, shown and cleared by POST; a wrong name is an error."""
    _, shown = control(simulator, "/faults", set=["500:2@video", {"name": "stall", "skip": 1}])
    status, error = control(simulator, "/faults", set=["no-such-fault"])
    _, one = control(simulator, "/faults", clear=["stall"])
    _, none = control(simulator, "/faults", clear=True)

    assert [(fault["name"], fault["count"]) for fault in shown["active"]] == [("500", 2), ("stall", None)]
    assert (status, "no-such-fault" in error["error"]) == (400, True)
    assert len(one["active"]) == 1
    assert none["active"] == []


def test_control_log_clock_and_line() -> None:
    """Log, clock and line can be read and changed from outside, without standing in the log themselves."""
    with running(platforms=[echo]) as simulator:
        with closing(connect(simulator)) as client:
            get(client, "https://api.example/x")
        _, log = control(simulator, "/log", clear=True)
        _, empty = control(simulator, "/log")
        _, moved = control(simulator, "/clock", advance=10_000)
        _, line = control(simulator, "/line", rate=5_000_000, rtt=0.001)

    assert [each["path"] for each in log["requests"]] == ["/x"]
    assert empty["requests"] == []
    assert moved["now"] > time.time() + 9_000
    assert (line["rate"], line["rtt"], simulator.line.rate) == (5_000_000, 0.001, 5_000_000)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/nothing", b"{}", 404),
        ("/faults", b"[]", 400),
        ("/faults", b"{", 400),
        ("/clock", b'{"advance":"x"}', 400),
    ],
)
def test_control_says_what_is_wrong(simulator: Simulator, path: str, body: bytes, status: int) -> None:
    """Odd wishes are errors with a text."""
    with closing(connect(simulator)) as client:
        client.request("POST", path, body, {"Host": "control.simulator"})
        answer = client.getresponse()

        assert answer.status == status
        assert json.loads(answer.read())["error"]


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1"])
@pytest.mark.anyio
async def test_only_the_loopback_is_listened_on(address: str) -> None:
    """The simulator cannot be reached from another machine."""
    with pytest.raises(ValueError, match="loopback"):
        await Simulator(platforms=[]).start(address=address)


@pytest.mark.anyio
async def test_stop_ends_open_connections() -> None:
    """Idle, stalled and busy connections are closed; the port is free at once."""
    simulator = Simulator(platforms=[echo], rate=1000)
    port = await simulator.start()
    simulator.faults.set("stall", count=1)
    url = urlsplit(simulator.media.urls("h264", 500_000, 1)[0])
    head = f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nUser-Agent: Mozilla/5.0\r\n"
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    for _, writer in streams[:2]:
        writer.write(f"{head}Referer: https://www.douyin.com/\r\n\r\n".encode())
        await writer.drain()
    async with asyncio.timeout(5):
        for reader, _ in streams[:2]:
            await reader.readuntil(b"\r\n\r\n")
        await simulator.stop()
        again = await simulator.start(port)
        await simulator.stop()
    for _, writer in streams:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    assert again == port
    assert simulator.counts()["open"] == 0


@pytest.mark.anyio
async def test_a_silent_connection_is_closed() -> None:
    """A connection without a request ends after the line's idle time."""
    simulator = Simulator(platforms=[])
    simulator.line.idle = 0.05
    port = await simulator.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(5):
        end = await reader.read()
    writer.close()
    await writer.wait_closed()
    await simulator.stop()

    assert end == b""


def test_a_taken_port_is_an_error(simulator: Simulator) -> None:
    """`running` raises what the server could not do."""
    with pytest.raises(OSError, match="address"), running(platforms=[], port=simulator.port):
        pass


def test_tls_names_every_host() -> None:
    """With TLS every name that is asked for has a certificate of the throw-away authority, and only that one helps."""
    with running(platforms=[echo], tls=True) as simulator:
        assert simulator.ca_file is not None
        trusting = ssl.create_default_context(cafile=str(simulator.ca_file))
        for name in ("api.example", "v3-web.douyinvod.com"):
            with (
                socket.create_connection(("127.0.0.1", simulator.port), timeout=5) as carrier,
                trusting.wrap_socket(carrier, server_hostname=name) as secure,
            ):
                secure.sendall(b"GET / HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n")

                assert secure.recv(1000).startswith(b"HTTP/1.1 200")
        with (
            socket.create_connection(("127.0.0.1", simulator.port), timeout=5) as carrier,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            ssl.create_default_context().wrap_socket(carrier, server_hostname="api.example")
        path = simulator.ca_file

    assert simulator.counts()["handshakes"] >= 2
    assert simulator.connect_to == f"*:443:127.0.0.1:{simulator.port}"
    assert not path.exists()


def test_clock_of_a_clock() -> None:
    """A clock that is given is used itself, so that a test can share it."""
    clock = Clock(lambda: 5.0)

    assert Simulator(platforms=[], clock=clock).clock is clock
    assert Simulator(platforms=[], clock=clock).media.clock is clock


class Process:
    """`python -m dyvine_cli.simulator` with a pipe on its stdin."""

    def __init__(self, *options: str) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "dyvine_cli.simulator", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.child.stdout is not None
        self.facts = json.loads(self.child.stdout.readline())

    def end(self) -> tuple[int, bytes]:
        """Exit status and stderr of a process that was told to end; its stdin stays open as long as it runs."""
        status = self.child.wait(10)
        for stream in (self.child.stdin, self.child.stdout):
            assert stream is not None
            stream.close()
        assert self.child.stderr is not None
        with self.child.stderr as errors:
            return status, errors.read()


@pytest.mark.parametrize("way", ["stdin closes", "SIGTERM", "SIGINT"])
def test_the_process_ends_cleanly(way: str) -> None:
    """It says where it listens, serves, and ends without a word when its parent is gone or wants it to."""
    process = Process("--rtt", "0.001", "--rate", "8M", "--fault", "404:1@picture", "--seed", "2")
    with closing(http.client.HTTPConnection("127.0.0.1", process.facts["port"], timeout=5)) as client:
        client.request("POST", "/faults", "{}", {"Host": "control.simulator"})
        active = json.loads(client.getresponse().read())["active"]
        if way == "stdin closes":
            assert process.child.stdin is not None
            process.child.stdin.close()
        else:
            os.kill(process.child.pid, getattr(signal, way))
        ended = process.end()

    assert process.facts["connect_to"] == f"*:80:127.0.0.1:{process.facts['port']}"
    assert [fault["where"] for fault in active] == ["picture"]
    assert ended == (0, b"")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fault", "no-such-fault"], b"cut-body"),
        (["--rate", "fast"], b"8M"),
        (["--fault", "500:x"], b"count"),
    ],
)
def test_wrong_options_are_refused(options: list[str], said: bytes) -> None:
    """Status 2 and what would be right."""
    ended = subprocess.run(
        [sys.executable, "-m", "dyvine_cli.simulator", *options], capture_output=True, check=False
    )

    assert ended.returncode == 2
    assert said in ended.stderr


def test_list_faults_prints_every_name() -> None:
    """`--list-faults` explains the core's faults and the platform's."""
    from dyvine_cli.simulator.faults import CORE

    listed = subprocess.run(
        [sys.executable, "-m", "dyvine_cli.simulator", "--list-faults"], capture_output=True, check=True
    )
    names = {line.split()[0] for line in listed.stdout.decode().splitlines()}

    assert set(CORE) <= names
