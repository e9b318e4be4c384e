"""What a run learns about media hosts: how many of their slots are free, which do not answer, which want a rest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from copy import copy
from urllib.parse import urlsplit

from dyvine_cli.errors import DyvineError

LONGEST_REST = 120.0
"""Seconds of a host's Retry-After that are waited out; a host that wants more is not asked again before."""

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


class Host:
    """One media host. `slots` are its places for transfers; `is_silent` after it gave no answer or fell silent.

    `gives_ranges` until it failed to prove that ranges of it belong together.
    """

    def __init__(self, name: str, slots: int, clock: Clock) -> None:
        self.name = name
        self.slots = asyncio.Semaphore(slots)
        self.is_silent = False
        self.gives_ranges = True
        self._clock = clock
        self._rests_until = 0.0
        self._refusal: DyvineError | None = None

    def refuses(self, error: DyvineError, seconds: float | None) -> None:
        """Note that the host wants to be left alone for that long, None if it did not say."""
        if seconds:
            self._rests_until, self._refusal = self._clock() + seconds, error

    @property
    def rests_for(self) -> float:
        """Seconds for which the host is to be left alone."""
        return max(0.0, self._rests_until - self._clock()) if self._refusal else 0.0

    @property
    def is_barred(self) -> bool:
        """Whether the host wants a longer rest than we wait out."""
        return self.rests_for > LONGEST_REST

    async def rest(self, sleep: Sleep) -> None:
        """Wait as long as the host asked for; raises its refusal again if that is too long."""
        if self._refusal and self.is_barred:
            raise copy(self._refusal)
        if self.rests_for:
            await sleep(self.rests_for)


class Hosts:
    """All hosts that this run met."""

    def __init__(self, slots: int, clock: Clock) -> None:
        self._slots = slots
        self._clock = clock
        self._known: dict[str, Host] = {}

    def of(self, url: str) -> Host:
        """The host of an address."""
        try:
            name = urlsplit(url).netloc.rpartition("@")[2].lower()
        except ValueError:
            name = "an unreadable address"
        if name not in self._known:
            self._known[name] = Host(name, self._slots, self._clock)
        return self._known[name]

    def in_order(self, urls: Iterable[str]) -> list[str]:
        """Addresses as they are to be tried: in their own order, resting hosts later, silent ones last."""
        return sorted(urls, key=lambda url: (self.of(url).is_silent, self.of(url).rests_for > 0))
