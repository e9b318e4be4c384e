"""Raw HTTP servers on loopback, and networks that reach them."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from dyvine_cli.http.network import Network

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as a server got it; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Answer = Callable[[Asked, asyncio.StreamWriter], Awaitable[bytes | None]]
"""What a server does with a request: bytes to send on a kept connection, or None to have it closed."""


def reply(body: bytes = b"", status: int = 200, **headers: str) -> bytes:
    """An answer with its Content-Length; header names with `_` for `-`."""
    lines = [f"HTTP/1.1 {status} Said"]
    if "Content_Length" not in headers:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class Server:
    """One server: what it was asked, and over how many connections."""

    answer: Answer
    port: int = 0
    busy: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while `crowd` connections and more are open."""
    crowd: int = 16
    connections: int = 0
    open: int = 0
    most_open: int = 0
    asked: list[Asked] = field(default_factory=list)
    _left: asyncio.Event = field(default_factory=asyncio.Event)

    async def thins_out(self, most: int = 0) -> None:
        """Return once so many connections are open at most. Raises TimeoutError after ten seconds."""
        async with asyncio.timeout(10):
            while self.open > most:
                self._left.clear()
                await self._left.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        if self.open >= self.crowd:
            self.busy.set()
        try:
            while (said := await self._one(reader, writer)) is not None:
                writer.write(said)
                await writer.drain()
                if b"Connection: close" in said:
                    writer.close()
                    await writer.wait_closed()
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self.open -= 1
            self._left.set()
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        first = await reader.readexactly(1)
        if not first.isalpha():
            writer.write(reply(status=400, Connection="close"))
            await writer.drain()
            return None
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        asked = Asked(method=method, target=target, headers=headers, body=body)
        self.asked.append(asked)
        return await self.answer(asked, writer)


Serve = Callable[..., Awaitable[Server]]

_held: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody listens on. It is held until the test ends: only who asks for it by number can have it."""
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(("127.0.0.1", 0))
    _held.append(taken)
    return int(taken.getsockname()[1])


@pytest.fixture(autouse=True)
def _ports() -> Iterator[None]:
    """Give back the ports of a test."""
    yield
    while _held:
        _held.pop().close()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """A function that starts a server with an answer (bytes for one fixed answer) and a TLS context."""
    running: list[asyncio.Server] = []

    async def start(answer: Answer | bytes, tls: ssl.SSLContext | None = None) -> Server:
        if isinstance(answer, bytes):
            fixed = answer

            async def same(asked: Asked, writer: asyncio.StreamWriter) -> bytes:
                return fixed

            answer = same
        server = Server(answer)
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
        running.append(listening)
        server.port = listening.sockets[0].getsockname()[1]
        return server

    yield start
    for listening in running:
        listening.close()
    await asyncio.sleep(0.01)  # lets aborted connections close their sockets


@pytest.fixture
async def network() -> AsyncIterator[Callable[..., Network]]:
    """Makes networks that may open loopback addresses unless told otherwise, and closes them."""
    made: list[Network] = []

    def make(**options: object) -> Network:
        found = Network(**{"allow": [LOOPBACK], **options})  # type: ignore[arg-type]
        made.append(found)
        return found

    yield make
    for each in made:
        await each.aclose()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A throw-away certificate authority."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its certificate, as --ca-file takes it."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture(scope="session")
def certified(authority: trustme.CA) -> Callable[[str], ssl.SSLContext]:
    """Server contexts with a certificate for a name."""

    def make(name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        return context

    return make


async def read(network: Network, url: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """Status and body of one request."""
    async with network.send(method, url, headers) as response:
        return response.status, b"".join([chunk async for chunk in response.chunks])
