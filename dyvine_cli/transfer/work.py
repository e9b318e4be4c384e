"""One fetch on its way: what is wanted, the part it grows in, what each mirror did, what the listener was told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dyvine_cli.errors import DyvineError, LinkExpired
from dyvine_cli.models import Rendition
from dyvine_cli.transfer.check import Family
from dyvine_cli.transfer.hosts import Clock
from dyvine_cli.transfer.partial import Part, Promise

WORDS = {
    "video": "a video",
    "picture": "a picture",
    "sound": "a sound",
    "subtitle": "subtitles",
    "any": "media",
}

_EVERY = 0.2
"""Seconds between two reports of bytes."""


class Meter:
    """Tells how many bytes came, a few times a second; a negative count takes back bytes that are dropped."""

    def __init__(self, tell: Callable[[int], None], clock: Clock) -> None:
        self._tell = tell
        self.clock = clock
        self._kept = 0
        self._total = 0
        self._told = clock()

    def start(self, begun: int) -> None:
        """The listener knows of that many bytes."""
        self._total = begun

    def count(self, count: int) -> None:
        """Note more bytes."""
        self._kept += count
        self._total += count
        if self.clock() - self._told >= _EVERY:
            self.tell()

    def take_back(self) -> None:
        """All bytes so far are dropped."""
        self.count(-self._total)

    def tell(self) -> None:
        """Pass on what was noted."""
        if self._kept:
            self._tell(self._kept)
        self._kept, self._told = 0, self.clock()


@dataclass(slots=True)
class Work:
    """One fetch on its way.

    `mirrors` are those not given up, `failures` the last error of each, `silent` those that gave no answer, `flaws` how
    often each gave a broken file, `strangers` those that have another file than the one that was begun. `whole` says that
    this file is not to be split.
    """

    rendition: Rendition
    family: Family
    path: Path
    overwrite: bool
    part: Part
    meter: Meter
    on_start: Callable[[int | None, int], None]
    mirrors: list[str] = field(init=False)
    failures: dict[str, DyvineError] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    flaws: dict[str, int] = field(default_factory=dict)
    strangers: set[str] = field(default_factory=set)
    started: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        self.mirrors = list(dict.fromkeys(self.rendition.mirrors))

    @property
    def exact_size(self) -> int | None:
        """The size in bytes that the platform promises, None if it does not."""
        return self.rendition.size if self.rendition.size_is_exact else None

    def begin(self, promise: Promise, *, scattered: bool = False) -> None:
        """A new file comes, in place of what is there; `scattered` for bytes in any order."""
        if self.part.size or self.part.promise.length is not None:
            self.start_over()
        self.start(promise.length)
        self.part.begin(promise, scattered=scattered)

    def start(self, length: int | None) -> None:
        """Tell once that the transfer begins, and with how many bytes."""
        if not self.started:
            self.started = True
            self.meter.start(self.part.size)
            self.on_start(length, self.part.size)

    def start_over(self) -> None:
        """Drop all bytes."""
        self.meter.take_back()
        self.part.restart()
        self.strangers.clear()

    def may_leave(self, url: str) -> bool:
        """Whether a mirror that does not go on with what is there is passed over, once: another one may."""
        return url not in self.strangers and not self.strangers.issuperset(set(self.mirrors) - {url})

    def verdict(self) -> DyvineError:
        """The one error for what all mirrors did.

        LinkExpired if every host that answered at all said so; else the last error of a host that answered, else the
        last error; one that another try may cure comes first.
        """
        answered = [error for url, error in self.failures.items() if url not in self.silent]
        others = [error for error in answered if not isinstance(error, LinkExpired)]
        if answered and not others:
            return answered[-1]
        errors = others or list(self.failures.values())
        return ([error for error in errors if error.retryable] or errors)[-1]
