"""The limit of speed that all transfers of a process share."""

from __future__ import annotations

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
