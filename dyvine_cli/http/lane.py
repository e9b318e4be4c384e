"""The way to one host: its connections, kept for the next request."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpcore

from dyvine_cli.http.sockets import Backend, Opener

Connection = httpcore.AsyncConnectionInterface

CONNECTIONS = 16
"""Connections to one host at most; further requests wait."""

_IDLE = 30.0  # seconds that an unused connection is kept


class Lane:
    """Up to sixteen connections that `opener` makes, each for one request at a time.

    `trust` None speaks plain HTTP. `forwarded` says that a proxy gets the requests whole. `made` gives connections of
    another kind instead. The last used connection is taken first. (httpcore's own pool looks at every connection and request for each step, which costs more CPU time
    than a small file itself.)
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
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for one request; it is kept afterwards if it can serve another."""
        async with self._places:
            taken = await self._take()
            try:
                yield taken
            finally:
                await self._give_back(taken)

    async def aclose(self) -> None:
        """Close the unused connections now and the others after their request."""
        self._closed = True
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
            self._origin, ssl_context=self._trust, keepalive_expiry=_IDLE, network_backend=self._backend
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
