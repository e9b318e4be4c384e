"""A media host that misbehaves on request, over real sockets, and an engine that reads from it."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import math
import random
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from dyvine_cli.http.network import Network, Timeouts
from dyvine_cli.http.reader import HttpMediaReader
from dyvine_cli.models import Rendition
from dyvine_cli.transfer.engine import Engine

DATE = "Sat, 01 Aug 2026 12:00:00 GMT"
MODIFIED = "Fri, 31 Jul 2026 12:00:00 GMT"


@dataclass
class Request:
    """What a client asked for; names of headers in lower case."""

    path: str
    headers: dict[str, str]

    @property
    def range(self) -> tuple[int, int | None] | None:
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        return (int(found[1]), int(found[2]) if found[2] else None) if found else None

    def wanted(self, file: Stored) -> tuple[int, int, bytes]:
        """First and last byte that are to be given, and the bytes."""
        first, last = self.range or (0, None)
        last = len(file.content) - 1 if last is None else min(last, len(file.content) - 1)
        return first, last, file.content[first : last + 1]


@dataclass
class Stored:
    """A file on the host. `facts` are the headers that identify it."""

    content: bytes
    facts: dict[str, str]


class Reply:
    """One answer on its way; counts what it gives."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: Host) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host

    async def head(self, status: int, headers: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} Reason", *(f"{name}: {value}" for name, value in headers.items())]
        self._writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        await self._writer.drain()

    async def body(self, data: bytes) -> None:
        self._host.sent += len(data)
        self._writer.write(data)
        await self._writer.drain()

    async def hang(self) -> None:
        await self._reader.read()

    def reset(self) -> None:
        self._writer.transport.abort()


Fault = Callable[[Request, Stored, Reply], Awaitable[None]]


async def straight(request: Request, file: Stored, reply: Reply) -> None:
    """Serve as a good host does: If-Range is honoured."""
    condition = request.headers.get("if-range")
    same = condition is None or condition in file.facts.values()
    if request.range is None or not same:
        await reply.head(200, {"Content-Length": str(len(file.content)), **file.facts})
        await reply.body(file.content)
        return
    first = request.range[0]
    if first >= len(file.content):
        await reply.head(416, {"Content-Range": f"bytes */{len(file.content)}", "Content-Length": "0"})
        return
    first, last, rest = request.wanted(file)
    said = f"bytes {first}-{last}/{len(file.content)}"
    await reply.head(206, {"Content-Length": str(len(rest)), "Content-Range": said, **file.facts})
    await reply.body(rest)


class Host:
    """A media host on a loopback port. `sent` are all bytes of bodies that it gave.

    `faults` are the ways of the next answers, `always` is that of all others. `network`, where it is known, is hasty
    while the host may fall silent, and patient otherwise: a busy machine is no fault.
    """

    def __init__(self) -> None:
        self.files: dict[str, Stored] = {}
        self.network: Network | None = None
        self._faults: list[Fault] = []
        self._always: Fault = straight
        self.requests: list[Request] = []
        self.sent = 0
        self.busy = 0
        self.busiest = 0
        self._writers: dict[asyncio.Task, asyncio.StreamWriter] = {}

    @property
    def faults(self) -> list[Fault]:
        return self._faults

    @faults.setter
    def faults(self, faults: list[Fault]) -> None:
        self._faults = faults
        self._set_patience()

    @property
    def always(self) -> Fault:
        return self._always

    @always.setter
    def always(self, fault: Fault) -> None:
        self._always = fault
        self._set_patience()

    def _set_patience(self) -> None:
        if self.network is not None:
            silent = any(fault in SILENT for fault in (self._always, *self._faults))
            self.network.timeouts = HASTY if silent else PATIENT

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for writer in self._writers.values():
            writer.transport.abort()
        if self._writers:
            await asyncio.wait(list(self._writers))

    def put(self, path: str, content: bytes, **facts: str) -> str:
        """Store a file; its address. Without facts it has a strong ETag."""
        names = {name.replace("_", "-"): value for name, value in facts.items()}
        etag = {"ETag": f'"{hashlib.md5(content).hexdigest()}"'}
        self.files[path] = Stored(content, names or etag)
        return self.url(path)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._writers[task] = writer
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(_request(head), Reply(reader, writer, self))
                if writer.is_closing():
                    return
        except (asyncio.IncompleteReadError, ConnectionError, _Close):
            pass
        finally:
            writer.close()
            del self._writers[task]

    async def _answer(self, request: Request, reply: Reply) -> None:
        self.requests.append(request)
        fault = self.faults.pop(0) if self.faults else self.always
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            await fault(request, self.files[request.path], reply)
        finally:
            self.busy -= 1


class _Close(Exception):
    """Ends a connection without a word."""


def _request(head: bytes) -> Request:
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if line)
    return Request(first.split()[1], {name.lower(): value for name, value in headers.items()})


def status(code: int, **headers: str) -> Fault:
    """Answers with a status and a short page."""

    async def fault(request: Request, file: Stored, reply: Reply) -> None:
        body = b"" if code == 204 else b"<html>no</html>"
        length = {} if code == 204 else {"Content-Length": str(len(body))}
        await reply.head(
            code, {**length, **{name.replace("_", "-"): value for name, value in headers.items()}}
        )
        await reply.body(body)

    return fault


def page(body: bytes, type: str = "video/mp4") -> Fault:
    """Answers with 200 and something that is no media, whatever its type says."""

    async def fault(request: Request, file: Stored, reply: Reply) -> None:
        await reply.head(200, {"Content-Length": str(len(body)), "Content-Type": type})
        await reply.body(body)

    return fault


def cut(share: float, *, reset: bool = False) -> Fault:
    """Promises all of what was asked for, gives a share of it and hangs up, or resets the connection."""

    async def fault(request: Request, file: Stored, reply: Reply) -> None:
        first, last, rest = request.wanted(file)
        total = len(file.content)
        headers = {"Content-Length": str(len(rest)), **file.facts}
        if request.range:
            headers["Content-Range"] = f"bytes {first}-{last}/{total}"
        await reply.head(206 if request.range else 200, headers)
        await reply.body(rest[: int(len(rest) * share)])
        if reset:
            await asyncio.sleep(0.02)
            reply.reset()
        raise _Close

    return fault


def stall(share: float) -> Fault:
    """Gives a share of what it promised and falls silent."""

    async def fault(request: Request, file: Stored, reply: Reply) -> None:
        first, last, rest = request.wanted(file)
        total = len(file.content)
        headers = {"Content-Length": str(len(rest)), **file.facts}
        if request.range:
            headers["Content-Range"] = f"bytes {first}-{last}/{total}"
        await reply.head(206 if request.range else 200, headers)
        await reply.body(rest[: int(len(rest) * share)])
        await reply.hang()

    return fault


def unframed(share: float) -> Fault:
    """Says no length, gives a share of the file and hangs up."""

    async def fault(request: Request, file: Stored, reply: Reply) -> None:
        await reply.head(200, {"Connection": "close", **file.facts})
        await reply.body(file.content[: int(len(file.content) * share)])
        raise _Close

    return fault


def chunked(share: float) -> Fault:
    """Sends chunks; a share below 1 ends without the last one."""

    async def fault(request: Request, file: Stored, reply: Reply) -> None:
        await reply.head(200, {"Transfer-Encoding": "chunked", **file.facts})
        data = file.content[: int(len(file.content) * share)]
        await reply.body(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        if share < 1:
            raise _Close
        await reply.body(b"0\r\n\r\n")

    return fault


def length(change: int) -> Fault:
    """Gives a file that is longer or shorter than the real one, and says so."""

    async def fault(request: Request, file: Stored, reply: Reply) -> None:
        size = len(file.content) + change
        await reply.head(200, {"Content-Length": str(size), **file.facts})
        await reply.body(file.content[:size].ljust(size, b"\0"))

    return fault


async def surplus(request: Request, file: Stored, reply: Reply) -> None:
    """Sends more bytes than promised."""
    await reply.head(200, {"Content-Length": str(len(file.content)), **file.facts})
    await reply.body(file.content + b"x" * 5000)
    raise _Close


def says_length(text: str) -> Fault:
    """Sends a Content-Length that is none."""

    async def fault(request: Request, file: Stored, reply: Reply) -> None:
        await reply.head(200, {"Content-Length": text, **file.facts})
        await reply.body(file.content)
        raise _Close

    return fault


async def ignores_range(request: Request, file: Stored, reply: Reply) -> None:
    """Gives the whole file whatever part is asked for."""
    await straight(Request(request.path, {}), file, reply)


def range_says(text: str, **facts: str) -> Fault:
    """Answers a range with a Content-Range of its own; `{…}` are first, last and total."""

    async def fault(request: Request, file: Stored, reply: Reply) -> None:
        if request.range is None:
            await straight(request, file, reply)
            return
        first, last, rest = request.wanted(file)
        total = len(file.content)
        said = text.format(first=first, last=last, total=total, before=first - 1, more=total + 1)
        named = {name.replace("_", "-"): value for name, value in facts.items()}
        headers = {"Content-Length": str(len(rest)), "Content-Range": said, **(named or file.facts)}
        await reply.head(206, headers)
        await reply.body(rest)

    return fault


async def refuses_range(request: Request, file: Stored, reply: Reply) -> None:
    """Answers 416 to every range."""
    if request.range is None:
        await straight(request, file, reply)
        return
    await reply.head(416, {"Content-Range": f"bytes */{len(file.content)}", "Content-Length": "0"})


def range_body(change: int, *, says: bool) -> Fault:
    """Answers a range with more or fewer bytes than were asked for; `says` whether Content-Length admits it."""

    async def fault(request: Request, file: Stored, reply: Reply) -> None:
        if request.range is None:
            await straight(request, file, reply)
            return
        first, last, rest = request.wanted(file)
        length = len(rest) + (change if says else 0)
        said = f"bytes {first}-{last}/{len(file.content)}"
        await reply.head(206, {"Content-Length": str(length), "Content-Range": said, **file.facts})
        await reply.body(rest[: len(rest) + change] + b"x" * max(change, 0))
        raise _Close

    return fault


def range_head(**headers: str) -> Fault:
    """Answers a range rightly, but with other framing; without a length the bytes come in one chunk."""

    async def fault(request: Request, file: Stored, reply: Reply) -> None:
        if request.range is None:
            await straight(request, file, reply)
            return
        first, last, rest = request.wanted(file)
        said = {"Content-Range": f"bytes {first}-{last}/{len(file.content)}", **file.facts}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        chunked = "Transfer-Encoding" in named
        length = {} if chunked else {"Content-Length": str(len(rest))}
        await reply.head(206, {**length, **said, **named})
        await reply.body(f"{len(rest):x}\r\n".encode() + rest + b"\r\n0\r\n\r\n" if chunked else rest)

    return fault


async def packs(request: Request, file: Stored, reply: Reply) -> None:
    """Says that the file is compressed, which nobody asked for."""
    await reply.head(200, {"Content-Length": "20", "Content-Encoding": "gzip", **file.facts})
    await reply.body(b"\x1f\x8b\x08" + bytes(17))


async def drip(request: Request, file: Stored, reply: Reply) -> None:
    """Sends a byte now and then for ever."""
    await reply.head(200, {"Content-Length": str(len(file.content)), **file.facts})
    for place in range(len(file.content)):
        await reply.body(file.content[place : place + 1])
        await asyncio.sleep(0.03)


def slow(pieces: int) -> Fault:
    """Serves as a good host does, in pieces with a moment between them."""

    async def fault(request: Request, file: Stored, reply: Reply) -> None:
        first, last, rest = request.wanted(file)
        total = len(file.content)
        headers = {"Content-Length": str(len(rest)), **file.facts}
        if request.range:
            headers["Content-Range"] = f"bytes {first}-{last}/{total}"
        await reply.head(206 if request.range else 200, headers)
        size = total // pieces
        for place in range(0, len(rest), size):
            await reply.body(rest[place : place + size])
            await asyncio.sleep(0.01)

    return fault


@dataclass
class Bench:
    """Everything a test of the engine needs: a host, an engine on real sockets, a folder."""

    host: Host
    network: Network
    folder: Path
    waits: list[float] = field(default_factory=list)

    def engine(self, **limits: object) -> Engine:
        return Engine(HttpMediaReader(self.network), **{"sleep": self.sleep, "fast": math.inf, **limits})

    async def sleep(self, seconds: float) -> None:
        """Notes a wait instead of waiting."""
        self.waits.append(seconds)
        await asyncio.sleep(0)

    def leftovers(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())


HASTY = Timeouts(connect=2, head=2, read=0.3, window=0.25, floor=1000)
PATIENT = Timeouts(connect=10, head=10, read=10, window=10, floor=1000)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A bench with one host."""
    host = Host()
    await host.start()
    host.network = Network(allow=[ipaddress.ip_network("127.0.0.0/8")], timeouts=PATIENT)
    yield Bench(host, host.network, tmp_path / "saved")
    await host.network.aclose()
    await host.stop()


@pytest.fixture
async def mirror() -> AsyncIterator[Host]:
    """A second host."""
    host = Host()
    await host.start()
    yield host
    await host.stop()


@pytest.fixture(scope="session")
def media(data: Path) -> dict[str, bytes]:
    """Small real media by file name."""
    return {path.name: path.read_bytes() for path in (data / "media").iterdir()}


@pytest.fixture(scope="session")
def film(media: dict[str, bytes]) -> bytes:
    """A real MP4 of 700 kB, most of it in a box that players skip."""
    return padded(media["video.mp4"], 700_000)


def padded(movie: bytes, size: int, seed: int = 0) -> bytes:
    """A movie made larger by a box that players skip, with bytes that differ everywhere."""
    rest = size - len(movie)
    return movie + struct.pack(">I4s", rest, b"free") + random.Random(seed).randbytes(rest - 8)


@pytest.fixture(scope="session")
def grow() -> Callable[..., bytes]:
    """Makes a movie of any size."""
    return padded


@pytest.fixture
def video() -> Callable[..., Rendition]:
    """Makes a video rendition of addresses."""

    def make(*mirrors: str, **facts: object) -> Rendition:
        return Rendition(**{"mirrors": mirrors, "ext": "mp4", **facts})

    return make


FAULTS: dict[str, Fault] = {
    "straight": straight,
    "cut": cut(0.5),
    "cut_at_once": cut(0.0),
    "reset": cut(0.5, reset=True),
    "stall": stall(0.5),
    "stall_at_once": stall(0.0),
    "drip": drip,
    "slow": slow(50),
    "unframed": unframed(1),
    "unframed_cut": unframed(0.5),
    "chunked": chunked(1),
    "chunked_cut": chunked(0.5),
    "longer": length(+999),
    "shorter": length(-300),
    "surplus": surplus,
    "negative_length": says_length("-5"),
    "odd_length": says_length("12abc"),
    "absurd_length": says_length("9" * 17),
    "ignores_range": ignores_range,
    "refuses_range": refuses_range,
    "other_range": range_says("bytes {before}-{last}/{total}"),
    "other_total": range_says("bytes {first}-{last}/{more}"),
    "unknown_total": range_says("bytes {first}-{last}/*"),
    "no_range_said": range_says(""),
    "other_etag": range_says("bytes {first}-{last}/{total}", ETag='"another"'),
    "no_etag": range_says("bytes {first}-{last}/{total}", Server="x"),
    "range_surplus": range_body(+5000, says=False),
    "range_too_long": range_body(+5000, says=True),
    "range_too_short": range_body(-50, says=True),
    "range_chunked": range_head(Transfer_Encoding="chunked"),
    "range_packed": range_head(Content_Encoding="gzip"),
    "packed": packs,
    "web_page": page(b"<!DOCTYPE html><html><body>please log in</body></html>"),
    "json": page(b'{"status_code":0,"aweme_detail":null}'),
    "text": page(b"not today"),
    "empty": page(b""),
    "no_content": status(204),
    "partial_unasked": status(206),
    "not_modified": status(304),
    "redirect_nowhere": status(302, Location="ftp://127.0.0.1/x"),
    "forbidden": status(403),
    "not_found": status(404),
    "gone": status(410),
    "bad_request": status(400),
    "too_many": status(429, Retry_After="7"),
    "too_many_absurd": status(429, Retry_After="99999999"),
    "server_error": status(500),
    "unavailable": status(503, Retry_After="5"),
}
SILENT = {FAULTS["stall"], FAULTS["stall_at_once"], FAULTS["drip"]}
"""What only a time-out ends."""


CHILD = """
import asyncio, ipaddress, sys
from pathlib import Path
from dyvine_cli.errors import DyvineError
from dyvine_cli.http.network import Network
from dyvine_cli.http.reader import HttpMediaReader
from dyvine_cli.models import Rendition
from dyvine_cli.transfer.engine import Engine

async def main(url, path):
    network = Network(allow=[ipaddress.ip_network("127.0.0.0/8")])
    engine = Engine(HttpMediaReader(network))
    try:
        fetched = await engine.fetch(Rendition(mirrors=(url,), ext="mp4"), Path(path), family="video")
        print("found" if fetched.found else "fetched", fetched.sha256)
    except DyvineError as exc:
        print(exc.name)
    await network.aclose()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
async def child() -> AsyncIterator[Callable[..., Awaitable[asyncio.subprocess.Process]]]:
    """Starts a process of its own that fetches an address to a path and prints how it went."""
    started: list[asyncio.subprocess.Process] = []

    async def start(url: str, path: Path) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHILD, url, str(path), stdout=asyncio.subprocess.PIPE
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.fixture
def faults() -> Iterator[dict[str, Fault]]:
    """Every misbehaviour by name."""
    return FAULTS


@cache
def name_space() -> tuple[str, ...]:
    """What gives a command mounts of its own: a name space of the user's, else of root's. Fails where none can be had."""
    for command in (
        ("unshare", "--user", "--map-root-user", "--mount"),
        ("unshare", "--mount"),
        ("sudo", "-n", "-E", "unshare", "--mount"),
    ):
        if (
            shutil.which(command[0])
            and not subprocess.run([*command, "true"], capture_output=True).returncode
        ):
            return command
    pytest.fail("a full disk cannot be tested: no name space can be had")
