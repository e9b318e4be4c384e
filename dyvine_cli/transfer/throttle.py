"""The limit of speed that all transfers of a process share."""

from __future__ import annotations

from collections.abc import Iterable

from dyvine_cli.transfer.hosts import Clock, Sleep

_SAVED_UP = 0.2
"""Seconds of the rate that may be used at once after a pause."""
_AT_ONCE = 0.1
"""Seconds of the rate that pass in one go."""
_LEAST = 1 << 14
_EACH = 1_000_000
"""Bytes a second of the rate that are worth a connection to one file: each fills its buffers at full speed first."""


class Throttle:
    """Lets at most `rate` bytes a second through, for all who ask together; None is no limit."""

    def __init__(self, rate: int | None, clock: Clock, sleep: Sleep) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._booked_until = clock()

    def connections(self, most: int) -> int:
        """How many of `most` connections the rate leaves room for, at least 1."""
        return most if not self._rate else max(1, min(most, self._rate // _EACH))

    def shares(self, chunk: bytes) -> Iterable[bytes]:
        """The bytes in portions that are to be taken one after the other."""
        most = max(_LEAST, int((self._rate or 0) * _AT_ONCE))
        if not self._rate or len(chunk) <= most:
            return (chunk,)
        return (chunk[at : at + most] for at in range(0, len(chunk), most))

    async def take(self, count: int) -> None:
        """Wait until `count` more bytes may pass. Those who ask later wait for those who asked before."""
        if not self._rate:
            return
        now = self._clock()
        self._booked_until = max(self._booked_until, now - _SAVED_UP) + count / self._rate
        if self._booked_until > now:
            await self._sleep(self._booked_until - now)
