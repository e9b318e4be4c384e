"""A body as it comes: held to its promised length, to a limit on silence and to a floor on speed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

import httpcore

from dyvine_cli.errors import Timeout, Truncated
from dyvine_cli.http.failures import Progress
from dyvine_cli.http.sockets import CHUNK, Stream

BULK = CHUNK
"""Bytes of a body that are worth a step past the parser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds until a silent peer is given up.

    `connect` is for socket and TLS each, `head` for everything up to an answer's head, `read` between two reads of a
    body. A body of which fewer than `floor` bytes come in `window` seconds of waiting is given up as well, and one of
    which none come in that time, whatever else keeps the line busy (chunk extensions, trailers).
    """

    connect: float = 15
    head: float = 60
    read: float = 30
    window: float = 60
    floor: int = 60_000


class Chunks:
    """The chunks of one answer's body; `promised` is its size in bytes, None if the head does not say.

    What is left of a long counted body is taken from the connection itself, which the library hands out for that: its
    parser has nothing to find in it and copies every byte three times, a third of all CPU time of a large file. The
    library then takes its connection for used up, so that the socket goes to `keep`, for a connection to come. So it
    does after a body without a length: what a host sends behind its end lies in the parser, and is lost with that.
    """

    def __init__(
        self,
        answer: httpcore.Response,
        host: str,
        promised: int | None,
        limits: Timeouts,
        *,
        keep: Callable[[Stream], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        stream = answer.extensions.get("network_stream")
        self._answer = answer
        self._progress = Progress(host, promised)
        self._limits = limits
        self._keep = keep
        self._clock = clock
        self._stream = stream if isinstance(stream, Stream) else None

    async def read(self) -> AsyncGenerator[bytes, None]:
        """The body; only the waiting for bytes counts for the floor.

        Raises Timeout, Truncated for fewer or more bytes than promised.
        """
        progress = self._progress
        waited, since = 0.0, 0
        async with aclosing(self._parts()) as parts:
            with progress.mapped():
                while True:
                    begun = self._clock()
                    chunk = await self._next(parts)
                    if chunk is None:
                        break
                    waited += self._clock() - begun
                    progress.count += len(chunk)
                    if waited >= self._limits.window:
                        self._check_floor(since, waited)
                        waited, since = 0.0, progress.count
                    yield chunk

    async def _parts(self) -> AsyncGenerator[bytes, None]:
        """The body from the library, and from the connection itself as soon as the library holds nothing back."""
        assert isinstance(self._answer.stream, AsyncIterable)
        body = aiter(self._answer.stream)
        try:
            async for chunk in body:
                yield chunk
                if self._is_bulk():
                    break
            else:
                self._check_surplus()
                if self._progress.promised is None:  # the parser may hold more than this answer
                    await self._leave()
                return
            async for chunk in self._past_parser():
                yield chunk
            self._check_surplus()
            await self._leave()
        finally:
            if isinstance(body, AsyncGenerator):
                await body.aclose()

    async def _past_parser(self) -> AsyncGenerator[bytes, None]:
        stream = self._stream
        assert stream is not None
        while left := self._left:
            data = await stream.read(CHUNK, self._limits.read)
            if not data:
                raise httpcore.RemoteProtocolError("the connection was closed")
            yield data if len(data) <= left else data[:left]

    async def _leave(self) -> None:
        """Give the connection on, past the parser that has served it."""
        stream = self._stream
        if stream is not None and stream.is_usable and _persists(self._answer):
            await self._keep(stream.hand_over())

    @property
    def _left(self) -> int:
        return (self._progress.promised or 0) - self._progress.count

    def _is_bulk(self) -> bool:
        stream = self._stream
        return stream is not None and self._left >= BULK and stream.body == self._progress.count

    async def _next(self, parts: AsyncIterator[bytes]) -> bytes | None:
        """The next bytes of the body, None at its end.

        Every byte on the wire begins the read limit anew, also those that are no part of the body.
        """
        window, progress = self._limits.window, self._progress
        try:
            async with asyncio.timeout(window):
                return await anext(parts, None)
        except TimeoutError as exc:
            raise Timeout(
                f"{progress.host} is too slow to be of use: 0 bytes in {window:.0f} s, {progress} so far"
            ) from exc

    def _check_floor(self, since: int, waited: float) -> None:
        progress, limits = self._progress, self._limits
        count = progress.count - since
        if count < limits.floor * waited / limits.window:
            raise Timeout(
                f"{progress.host} is too slow to be of use: {count} bytes in {waited:.0f} s, {progress} so far"
            )

    def _check_surplus(self) -> None:
        progress = self._progress
        over = self._stream.surplus(progress.promised) if self._stream is not None else 0
        if over:
            raise Truncated(
                f"{progress.host} sent {over} bytes more than the {progress.promised} it promised"
            )


def _persists(answer: httpcore.Response) -> bool:
    """Whether the connection can serve another request (RFC 9112, section 9.3)."""
    said = b",".join(value for name, value in answer.headers if name.lower() == b"connection").lower()
    options = {option.strip() for option in said.split(b",")}
    return answer.extensions.get("http_version") == b"HTTP/1.1" and b"close" not in options
