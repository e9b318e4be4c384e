"""One at a time for each of many things."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Turns:
    """Lets one task of this process at a time work on a thing."""

    def __init__(self) -> None:
        self._locks: dict[Hashable, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, thing: Hashable) -> AsyncIterator[None]:
        """Wait for the others that work on the thing, and keep those who come later waiting."""
        lock, waiting = self._locks.get(thing, (asyncio.Lock(), 0))
        self._locks[thing] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks.pop(thing)
            if waiting > 1:
                self._locks[thing] = (lock, waiting - 1)
