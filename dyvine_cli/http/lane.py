"""The way to one host: its connections, kept for the next request."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpcore

from dyvine_cli.errors import NetworkError
from dyvine_cli.http.failures import is_abandoned
from dyvine_cli.http.sockets import IDLE, Backend, Opener, Stream

Connection = httpcore.AsyncConnectionInterface

CONNECTIONS = 16
"""Connections to one host at most; further requests wait."""


class Lane:
    """Up to sixteen connections that `opener` makes, each for one request at a time.

    `trust` None speaks plain HTTP. `forwarded` says that a proxy gets the requests whole. `made` gives connections of
    another kind instead. The last used connection is taken first. (httpcore's own pool looks at every connection and
    request for each step, which costs more CPU time than a small file itself.)
    """

    def __init__(
        self,
        host: str,
        port: int,
        opener: Opener,
        *,
        trust: ssl.SSLContext | None,
        forwarded: bool = False,
        made: Callable[[], Connection] | None = None,
    ) -> None:
        self.scheme = "http" if trust is None else "https"
        self.forwarded = forwarded
        self.users = 0
        self._origin = httpcore.Origin(self.scheme.encode(), host.encode(), port)
        self._backend = Backend(opener)
        self._trust = trust
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._made = made or self._usual
        self._idle: list[Connection] = []
        self._closed = False

    @asynccontextmanager
    async def answer(
        self, begin: Callable[[Connection], Awaitable[httpcore.Response]], *, repeatable: bool
    ) -> AsyncIterator[httpcore.Response]:
        """The answer to the one request that `begin` sends; its connection is kept if it can serve another.

        A host may close a kept connection just as the next request leaves: one that is `repeatable` then goes out again
        over another one, as RFC 9110, section 9.2.2 allows.
        """
        async with self._places:
            taken = await self._take()
            try:
                while True:
                    try:
                        answer = await begin(taken)
                        break
                    except NetworkError as exc:
                        if not (repeatable and is_abandoned(exc)):
                            raise
                        await taken.aclose()
                        taken = await self._take()
                try:
                    yield answer
                finally:
                    await answer.aclose()
            finally:
                await self._give_back(taken)

    async def keep(self, stream: Stream) -> None:
        """Take an open connection that a coming request may use."""
        if self._closed:
            await stream.aclose()
        else:
            self._backend.keep(stream)

    async def aclose(self) -> None:
        """Close the unused connections now and the others after their request."""
        self._closed = True
        await self._backend.aclose()
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.aclose()

    async def _take(self) -> Connection:
        while self._idle:
            kept = self._idle.pop()
            if kept.is_available() and not kept.has_expired():
                return kept
            await kept.aclose()
        return self._made()

    def _usual(self) -> Connection:
        return httpcore.AsyncHTTPConnection(
            self._origin, ssl_context=self._trust, keepalive_expiry=IDLE, network_backend=self._backend
        )

    async def _give_back(self, used: Connection) -> None:
        if self._closed or not used.is_available():
            await used.aclose()
            return
        self._idle.append(used)
        while self._idle[0].has_expired():
            expired = self._idle.pop(0)
            await expired.aclose()
            if not self._idle:
                return
