"""Whether the login in use is alive: tried before its first use, because a dead one is answered as a guest elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from dyvine_cli.http.api import ApiClient

ALIVE = timedelta(hours=1)
"""How long a login that was found alive is trusted without another try, as long as nothing casts doubt on it."""


class Trial:
    """The trial of one login. `ask` makes the call that tells, and raises LoginExpired for a dead one."""

    def __init__(self, http: ApiClient, ask: Callable[[], Awaitable[object]]) -> None:
        self._http = http
        self._ask = ask
        self._lock = asyncio.Lock()
        self._passed = False

    async def hold(self) -> None:
        """Ask once in a run, and not at all when the login was found alive shortly before. Raises LoginExpired."""
        async with self._lock:
            age = self._http.login_age
            if not self._passed and (age is None or age > ALIVE):
                await self._ask()
                self._passed = True

    async def doubt(self) -> None:
        """Ask at once, unless that was done in this run: an answer looks as if it were for a guest. Raises LoginExpired."""
        async with self._lock:
            if not self._passed:
                await self._ask()
                self._passed = True

    def passed(self) -> None:
        """The call that tells came back well."""
        self._passed = True
        self._http.found_alive()
