"""Speed: the limit that all transfers of a process share, and the floor below which a transfer is given up."""

from __future__ import annotations

from dyvine_cli.errors import Timeout
from dyvine_cli.transfer.hosts import Clock, Sleep

_SAVED_UP = 0.2
"""Seconds of the rate that may be used at once after a pause."""


class Throttle:
    """Lets at most `rate` bytes a second through, for all who ask together; None is no limit."""

    def __init__(self, rate: int | None, clock: Clock, sleep: Sleep) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._booked_until = clock()

    async def take(self, count: int) -> None:
        """Wait until `count` more bytes may pass. Those who ask later wait for those who asked before."""
        if not self._rate:
            return
        now = self._clock()
        self._booked_until = max(self._booked_until, now - _SAVED_UP) + count / self._rate
        if self._booked_until > now:
            await self._sleep(self._booked_until - now)


SLOWEST = 512
"""Bytes a second that a transfer must reach on average over PATIENCE seconds of waiting for it."""

PATIENCE = 30.0


class Watch:
    """Times how long a server lets us wait, so that a drip of bytes ends as a stall does."""

    def __init__(self, host: str, clock: Clock) -> None:
        self._host = host
        self._clock = clock
        self._waited = 0.0
        self._count = 0
        self._since = clock()

    def arrived(self, count: int) -> None:
        """Note bytes from the server. Raises Timeout if they come too slowly to be of use."""
        self._waited += self._clock() - self._since
        self._count += count
        if self._waited < PATIENCE:
            return
        if self._count < SLOWEST * self._waited:
            raise Timeout(f"{self._host} sends less than {SLOWEST} bytes a second")
        self._waited, self._count = 0.0, 0

    def wait(self) -> None:
        """Note that from now on the server is waited for."""
        self._since = self._clock()
