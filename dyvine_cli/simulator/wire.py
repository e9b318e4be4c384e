"""One connection: requests in, answers out at the line's speed, and everything that can go wrong on the way."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from typing import Any

import h11

from dyvine_cli.simulator.content import CHUNK
from dyvine_cli.simulator.faults import Fault
from dyvine_cli.simulator.messages import Request, Response
from dyvine_cli.simulator.mishaps import WAYS, Closed, chunks_of, length_of

READ = 2**16
LARGEST_BODY = 2**22
LARGEST_HEAD = 2**17
SMALLEST_CHUNK = 2**14
CHUNKS_A_SECOND = 50
MADE_GOOD = 0.1
LINGER = 0.5


@dataclass(slots=True, kw_only=True)
class Line:
    """What the network is like.

    `rtt` is the round-trip time in seconds, waited before every answer; a connection's first answer waits `handshake`
    round trips more (2 is TCP and TLS 1.3). `rate` is bytes per second and connection, None for no limit. `idle` is the
    silence in seconds after which the server closes a connection.
    """

    rtt: float = 0.0
    handshake: float = 2.0
    rate: float | None = None
    idle: float = 75.0


@dataclass(slots=True, kw_only=True)
class Served:
    """One request as it was served; `sent` counts body bytes handed to the socket so far, `time` is Unix seconds.

    `connection` counts connections from 1. `kind` is family and kind of a media file, empty elsewhere. `fault` names
    what went wrong on the wire, None if nothing did.
    """

    connection: int
    method: str
    host: str
    path: str
    query: str
    headers: dict[str, str]
    kind: str
    status: int
    time: float
    fault: str | None = None
    sent: int = 0

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


@dataclass(slots=True, kw_only=True)
class Log:
    """The last requests and what was counted since the start; `open` is the number of connections now."""

    requests: deque[Served]
    connections: int = 0
    handshakes: int = 0
    open: int = 0
    most_open: int = 0
    answers: int = 0
    sent: int = 0

    def counts(self) -> dict[str, int]:
        """All counts by name; `handshakes` are those of TLS, `sent` body bytes."""
        names = ("connections", "handshakes", "open", "most_open", "answers", "sent")
        return {name: getattr(self, name) for name in names}


@dataclass(slots=True, kw_only=True)
class Answered:
    """An answer, what it is of and what is to go wrong on its way."""

    response: Response
    kind: str = ""
    fault: Fault | None = None
    logged: bool = True


@dataclass(slots=True)
class Connection:
    """Serves one client until it leaves, misbehaves or a fault ends it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    line: Line
    log: Log
    clock: Callable[[], float]
    answer: Callable[[Request], Awaitable[Answered]]
    number: int
    _h11: h11.Connection = field(
        default_factory=lambda: h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_HEAD)
    )
    rate: float | None = None
    _ahead: bytes = b""
    _due: float = 0.0
    _first: bool = True
    _served: Served | None = None

    async def serve(self) -> None:
        """Answer one request after the other; returns when the connection is to be closed."""
        with suppress(Closed, ConnectionError, TimeoutError):
            while request := await self._receive():
                await self._exchange(request)
                if self._h11.our_state is h11.MUST_CLOSE:
                    break
                self._h11.start_next_cycle()

    async def _receive(self) -> Request | None:
        """The next whole request; None at the end of the connection."""
        try:
            head = await self._event()
            if not isinstance(head, h11.Request):
                return None
            body = bytearray()
            while isinstance(event := await self._event(), h11.Data):
                body += event.data
                if len(body) > LARGEST_BODY:
                    await self._reject(413)
        except h11.RemoteProtocolError as error:
            await self._reject(error.error_status_hint)
        return _request(head, bytes(body))

    async def _event(self) -> Any:
        """h11's next event, reading from the socket where it needs to."""
        while (event := self._h11.next_event()) is h11.NEED_DATA:
            if self._h11.they_are_waiting_for_100_continue:
                self.writer.write(
                    _bytes(self._h11.send(h11.InformationalResponse(status_code=100, headers=[])))
                )
            async with asyncio.timeout(self.line.idle):
                self._h11.receive_data(await self.reader.read(READ))
        return event

    async def _reject(self, status: int) -> None:
        """Say that the request was no HTTP and end the connection."""
        if self._h11.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            headers = [("Connection", "close"), ("Content-Length", "0")]
            self.writer.write(_bytes(self._h11.send(h11.Response(status_code=status, headers=headers))))
            await self.writer.drain()
            if self.writer.can_write_eof():
                self.writer.write_eof()
            # A close over unread bytes would be a reset, which eats the answer.
            async with asyncio.timeout(LINGER):
                await self.client_leaves()
        raise Closed

    async def _exchange(self, request: Request) -> None:
        """One request and its answer, after the line's delay."""
        answered = await self.answer(request)
        await self._delay()
        response, fault = answered.response, answered.fault
        self._served = Served(
            connection=self.number,
            method=request.method,
            host=request.host,
            path=request.path,
            query=request.query,
            headers=request.headers,
            kind=answered.kind,
            status=response.status,
            time=self.clock(),
            fault=fault.name if fault else None,
        )
        if answered.logged:
            self.log.requests.append(self._served)
        self.log.answers += 1
        self.rate = self.line.rate
        if request.method == "HEAD":
            await self.send_head(response)
            await self.write(_bytes(self._h11.send(h11.EndOfMessage())), body=0)
        elif fault is None:
            await self.send(response)
        else:
            await WAYS[fault.name](self, response, fault)

    async def _delay(self) -> None:
        """Wait as long as the line needs for this request, and for the connection if it is the first.

        The line carried nothing meanwhile: the answer gets no bytes for that time.
        """
        rounds = 1 + (self.line.handshake if self._first else 0)
        self._first = False
        if self.line.rtt:
            await asyncio.sleep(self.line.rtt * rounds)
            self._due = 0.0

    async def send(self, response: Response, *, chunked: bool = False) -> None:
        """The answer as HTTP wants it."""
        await self.send_head(response, chunked=chunked)
        async with aclosing(chunks_of(response)) as chunks:
            async for chunk in chunks:
                for piece in self._paced(chunk):
                    framed = self._h11.send_with_data_passthrough(h11.Data(data=piece))
                    await self.write(b"".join(framed or ()), body=len(piece))
        await self.write(_bytes(self._h11.send(h11.EndOfMessage())), body=0)

    async def send_head(self, response: Response, *, chunked: bool = False) -> None:
        """Status and headers; without a length if `chunked`."""
        length = None if chunked else length_of(response)
        headers = [(name.encode(), value.encode()) for name, value in self._headers(response, length)]
        head = h11.Response(status_code=response.status, headers=headers)
        self._ahead += _bytes(self._h11.send(head))

    def _headers(self, response: Response, length: str | int | None) -> list[tuple[str, str]]:
        """The answer's headers with date and length; None leaves the length out."""
        headers = list(response.headers)
        if not any(name.lower() == "date" for name, _ in headers):
            headers.insert(0, ("Date", formatdate(self.clock(), usegmt=True)))
        if length is not None and response.status not in {204, 304}:
            headers.append(("Content-Length", str(length)))
        return headers

    async def write(self, data: bytes, *, body: int | None = None) -> None:
        """Hand bytes to the socket no faster than the line allows; `body` of them are content (all if None).

        A head goes out together with the first bytes behind it (one packet for a small answer) unless those must wait.
        """
        if self.rate and data:
            self.writer.write(self._ahead)
            self._ahead = b""
            await self._wait_for(len(data) / self.rate)
        if self.writer.is_closing():
            raise Closed
        if self._served:  # before the client can have them, so that who has read them finds them counted
            sent = len(data) if body is None else body
            self._served.sent += sent
            self.log.sent += sent
        self.writer.write(self._ahead + data if self._ahead else data)
        self._ahead = b""
        await self.writer.drain()

    async def _wait_for(self, seconds: float) -> None:
        """Wait until the line has carried what takes so long; what a late wake-up cost is made good, a pause is not."""
        now = time.monotonic()
        self._due = seconds + (self._due if self._due > now - MADE_GOOD else now)
        if self._due > now:
            await asyncio.sleep(self._due - now)

    def _paced(self, chunk: bytes) -> list[bytes]:
        """The chunk in pieces that the line carries in 20 ms, a slow one in a quarter of a second."""
        if not self.rate:
            return [chunk]
        least = min(SMALLEST_CHUNK, self.rate / 4)
        step = max(1, int(min(CHUNK, max(least, self.rate / CHUNKS_A_SECOND))))
        return [chunk[start : start + step] for start in range(0, len(chunk), step)]

    async def raw(
        self,
        response: Response,
        *,
        length: str | int | None = None,
        extra: tuple[tuple[str, str], ...] = (),
        until: int | None = None,
    ) -> None:
        """A head that need not be right and the body, or its first `until` bytes; only a close can follow."""
        headers = [*self._headers(response, length), *extra]
        lines = [f"HTTP/1.1 {response.status} -", *(f"{name}: {value}" for name, value in headers)]
        self._ahead += "\r\n".join([*lines, "", ""]).encode()
        left = until
        async with aclosing(chunks_of(response)) as chunks:
            async for chunk in chunks:
                for piece in self._paced(chunk if left is None else chunk[:left]):
                    await self.write(piece)
                if left is not None and (left := left - len(chunk)) <= 0:
                    break
        await self.write(b"")

    async def client_leaves(self) -> None:
        """Keep silent until the client goes away."""
        while await self.reader.read(READ):
            pass

    def reset(self) -> None:
        """Close with a TCP reset."""
        carrier = self.writer.get_extra_info("socket")
        linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        carrier.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


def _request(head: h11.Request, body: bytes) -> Request:
    """h11's event in our words."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in head.headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        joint = "; " if name == "cookie" else ", "
        headers[name] = f"{headers[name]}{joint}{value}" if name in headers else value
    path, _, query = head.target.decode("latin-1").partition("?")
    return Request(
        method=head.method.decode("latin-1"),
        host=headers.get("host", "").partition(":")[0].rstrip(".").lower(),
        path=path,
        query=query,
        headers=headers,
        body=body,
    )


def _bytes(data: bytes | None) -> bytes:
    """h11 gives None where nothing is to be sent."""
    return data or b""
