"""Sockets under httpcore: asyncio streams that hand over up to 256 kB at once and know what a connection carries.

httpcore's own streams give one TLS record (16 kB) per read, which costs twice the CPU time.
"""

from __future__ import annotations

import asyncio
import re
import select
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from itertools import chain, zip_longest
from typing import Any, SupportsIndex, cast

import httpcore

from dyvine_cli.http import tls
from dyvine_cli.http.failures import Abandoned, BrokenHandshake

CHUNK = 2**18
IDLE = 30.0
"""Seconds that an unused connection is kept."""
_STAGGER = 0.25  # seconds before the next address is tried beside the last one (RFC 8305, section 5)
_TRIED = 6  # addresses of one name
_HEAD_END = re.compile(rb"\n\r?\n")
_LAST_CHUNK = b"0\r\n\r\n"

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
Opener = Callable[[], Awaitable["Stream"]]


class _Counted(asyncio.StreamReader):
    """A reader that knows how many bytes have come, and hands over without a copy those that somebody waits for."""

    def __init__(self) -> None:
        super().__init__(limit=CHUNK)
        self.fed = 0
        self._asked: asyncio.Future[bytes] | None = None

    async def take(self, most: int, taken: int) -> bytes:
        """What `read` gives; `taken` bytes were read before. (The buffer in between costs two copies of every byte.)"""
        if self.fed > taken or self.at_eof() or self.exception():
            return await self.read(most)
        self._asked = asyncio.get_running_loop().create_future()
        try:
            return await self._asked
        except asyncio.CancelledError:
            if not self._asked.cancelled():  # it came, and nobody will have it: what follows has a hole
                self._asked.exception()
                self.set_exception(ConnectionError("a read was broken off"))
            raise
        finally:
            self._asked = None

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        self.fed += len(cast("bytes", data))
        if not self._answer(cast("bytes", data)):
            super().feed_data(data)

    def feed_eof(self) -> None:
        self._answer(b"")
        super().feed_eof()

    def set_exception(self, exc: Exception) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_exception(exc)
        super().set_exception(exc)

    def _answer(self, data: bytes) -> bool:
        waits = self._asked is not None and not self._asked.done()
        if waits and self._asked is not None:
            self._asked.set_result(bytes(data))
        return waits


class Stream(httpcore.AsyncNetworkStream):
    """One connection. `host` is the name that its errors use."""

    def __init__(self, reader: _Counted, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host
        self._taken = 0
        self._head: bytearray | None = bytearray()  # of the answer being read, None once it is complete
        self.body = 0  # bytes that came behind it
        self._last = b""
        self._out_of_step = False
        self._has_served = False
        self._is_ready = False
        self._is_handed_over = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's interface
        """The next bytes as they came, up to 256 kB even where httpcore asks for less; empty at the end."""
        try:
            async with asyncio.timeout(timeout):
                data = await self._reader.take(max(max_bytes, CHUNK), self._taken)
        except TimeoutError as exc:
            raise httpcore.ReadTimeout("silence") from exc
        except OSError as exc:
            raise (Abandoned if self._is_abandoned() else httpcore.ReadError)(str(exc)) from exc
        if not data and self._is_abandoned():
            raise Abandoned("the connection was closed")
        self._taken += len(data)
        self._last = (self._last + data if len(data) < len(_LAST_CHUNK) else data)[-len(_LAST_CHUNK) :]
        self._measure(data)
        return data

    async def take(self) -> bytes:
        """The next bytes, for those who pass them on unread; empty at the end. Raises OSError."""
        data = await self._reader.take(CHUNK, self._taken)
        self._taken += len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's interface
        """Send bytes; the first ones after an answer begin a new exchange."""
        if self._head is None:
            self._head, self.body = bytearray(), 0
            self._has_served = True
        try:
            self._writer.write(buffer)
            async with asyncio.timeout(timeout):
                await self._writer.drain()
        except TimeoutError as exc:
            raise httpcore.WriteTimeout("the peer takes nothing") from exc
        except OSError as exc:
            raise httpcore.WriteError(str(exc)) from exc

    async def aclose(self) -> None:
        """Drop the connection at once, unless it was handed over."""
        if self._is_handed_over:
            return
        self.abort()
        await asyncio.sleep(0)  # lets the transport close its socket

    def abort(self) -> None:
        """Drop the connection; its socket closes with the loop's next turn."""
        self._writer.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
    ) -> Stream:
        """Speak TLS from here on. Raises TLSFailure, or httpcore's connection errors."""
        if self._is_ready:
            return self
        name = server_hostname or self._host
        try:
            async with asyncio.timeout(timeout):
                self._check_silence(name)
                await self._writer.start_tls(ssl_context, server_hostname=name)
                self._check_silence(name)
        except TimeoutError as exc:
            await self.aclose()
            raise httpcore.ConnectTimeout(f"{name} did not finish the TLS handshake") from exc
        except ssl.SSLError as exc:
            await self.aclose()
            raise tls.failure(name, exc) from exc
        except OSError as exc:
            await self.aclose()
            raise BrokenHandshake(str(exc)) from exc
        except BaseException:
            await self.aclose()
            raise
        return self

    def _check_silence(self, name: str) -> None:
        """Raise TLSFailure for bytes that nobody asked for: sent in the clear, they would pass for the host's answer."""
        if self._reader.fed > self._taken:
            raise tls.no_tls(name, "bytes came before the handshake was done")

    def hand_over(self) -> Stream:
        """The connection for the next exchange, as open and encrypted as it is; this object lets go of it."""
        heir = Stream(self._reader, self._writer, self._host)
        heir._taken, heir._has_served, heir._is_ready = self._taken, True, True
        self._is_handed_over = True
        return heir

    @property
    def is_usable(self) -> bool:
        """Whether an unused connection still is open, with nothing to read on it."""
        return not self.get_extra_info("is_readable")

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks of a connection; a readable idle one is dead or out of step and gets closed."""
        if info == "is_readable":
            gone = self._is_handed_over or self._reader.at_eof() or self._writer.is_closing()
            return (
                gone
                or self._out_of_step
                or self._reader.fed > self._taken
                or _is_readable(self._writer.get_extra_info("socket"))
            )
        return self._writer.get_extra_info({"server_addr": "peername"}.get(info, info))

    async def read_head(self, most: int = 2**14) -> bytes:
        """Read up to the empty line that ends a head. Raises ValueError over `most` bytes, EOFError at the end."""
        head = bytearray()
        while not head.endswith((b"\n\r\n", b"\n\n")):
            line = await self._reader.readline()
            if not line:
                raise EOFError
            head += line
            if len(head) > most:
                raise ValueError("the head does not end")
        self._taken += len(head)
        return bytes(head)

    async def read_exactly(self, count: int) -> bytes:
        """Read `count` bytes. Raises EOFError at the end."""
        data = await self._reader.readexactly(count)
        self._taken += count
        return data

    def surplus(self, promised: int | None) -> int:
        """How many bytes came after a body of `promised` bytes; None is a chunked body, whose surplus has no count.

        A connection with bytes left over is not used again: they would be read as the next answer.
        """
        if promised is None:
            self._out_of_step = not self._last.endswith(_LAST_CHUNK)
            return 0
        over = self.body + self._reader.fed - self._taken - promised
        self._out_of_step = over > 0
        return max(over, 0)

    def _is_abandoned(self) -> bool:
        """Whether the end of this connection, if it is one, comes after an answer and before any byte of the next."""
        return self._has_served and self._head is not None and not self._head

    def _measure(self, data: bytes) -> None:
        """Count the bytes behind the head of the answer."""
        if self._head is None:
            self.body += len(data)
            return
        self._head += data
        while end := _HEAD_END.search(self._head):
            interim = self._head[9:10] == b"1" and self._head[9:12] != b"101"
            del self._head[: end.end()]
            if not interim:
                self.body = len(self._head)
                self._head = None
                return


class Backend(httpcore.AsyncNetworkBackend):
    """Hands httpcore the connections that `opener` makes, wherever they lead, and before those the kept ones."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._kept: list[tuple[Stream, float]] = []

    def keep(self, stream: Stream) -> None:
        """Take a connection that can serve again."""
        self._kept.append((stream, time.monotonic()))

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Stream:
        """A connection; where to is the opener's to know."""
        while self._kept:
            stream, since = self._kept.pop()
            if stream.is_usable and time.monotonic() - since < IDLE:
                return stream
            await stream.aclose()
        return await self._opener()

    async def aclose(self) -> None:
        """Close the kept connections."""
        kept, self._kept = self._kept, []
        for stream, _ in kept:
            stream.abort()
        await asyncio.sleep(0)

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore asks."""
        await asyncio.sleep(seconds)


def _is_readable(sock: socket.socket) -> bool:
    """Whether the system has something of a socket that the loop has not read yet: bytes, or its end."""
    if not hasattr(select, "poll"):
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()  # `select` takes no descriptor above 1023
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


async def resolve(host: str, port: int) -> Sequence[str]:
    """The IP addresses of a name, as the system knows them. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def connect(host: str, addresses: Sequence[str], port: int, limit: float) -> Stream:
    """Open a connection to the first of `addresses` that answers, the next one starting beside a slow one.

    `host` is the name in errors, `limit` seconds. Raises httpcore.ConnectTimeout, httpcore.ConnectError.
    """
    try:
        async with asyncio.timeout(limit):
            if len(addresses) == 1:
                return await _open(host, addresses[0], port)
            return await _race(host, _alternating(addresses)[:_TRIED], port)
    except TimeoutError as exc:
        raise httpcore.ConnectTimeout(f"no answer within {limit:.0f} s") from exc
    except OSError as exc:
        raise httpcore.ConnectError(exc.strerror or str(exc)) from exc


async def _open(host: str, address: str, port: int) -> Stream:
    loop = asyncio.get_running_loop()
    reader = _Counted()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.create_connection(lambda: protocol, address, port)
    return Stream(reader, asyncio.StreamWriter(transport, protocol, reader, loop), host)


async def _race(host: str, addresses: Sequence[str], port: int) -> Stream:
    """Try the addresses one after the other, each beside the one before once that is slow; the first to answer wins."""
    failures: list[OSError] = []
    winners: list[Stream] = []

    async def attempt(address: str, before: asyncio.Event, failed: asyncio.Event) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_STAGGER):
                await before.wait()
        try:
            stream = await _open(host, address, port)
        except OSError as exc:
            failures.append(exc)
            failed.set()
            return
        winners.append(stream)
        for task in tasks:
            task.cancel()

    turns = [asyncio.Event() for _ in range(len(addresses) + 1)]
    turns[0].set()
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(attempt(address, turns[place], turns[place + 1]))
                for place, address in enumerate(addresses)
            ]
    except BaseException:  # broken off: nobody will have the one that won
        for winner in winners:
            winner.abort()
        raise
    for loser in winners[1:]:
        loser.abort()
    if not winners:
        raise failures[0]
    return winners[0]


def _alternating(addresses: Sequence[str]) -> list[str]:
    """IPv6 and IPv4 in turn, so that one broken family costs one wait; the family named first stays first."""
    six = [address for address in addresses if ":" in address]
    four = [address for address in addresses if ":" not in address]
    first, second = (six, four) if addresses[0] in six else (four, six)
    return [address for address in chain(*zip_longest(first, second)) if address]
