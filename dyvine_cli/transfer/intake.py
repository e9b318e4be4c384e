"""What comes out of one answer into a part: the first bytes are judged before one is written, the promise is held."""

from __future__ import annotations

from collections.abc import Callable

from dyvine_cli.errors import Truncated
from dyvine_cli.transfer.check import HEAD, Family, describe, sniff
from dyvine_cli.transfer.hosts import Clock
from dyvine_cli.transfer.partial import Part, Promise

WORDS = {
    "video": "a video",
    "picture": "a picture",
    "sound": "a sound",
    "subtitle": "subtitles",
    "any": "media",
}

LARGEST = {
    "video": 1 << 38,
    "picture": 1 << 28,
    "sound": 1 << 32,
    "subtitle": 1 << 24,
    "any": 1 << 38,
}
"""Bytes that no file of a family has; a server that promises or sends more is not believed."""

_EVERY = 0.2


class Meter:
    """Passes byte counts on, a few times a second. A negative count takes back bytes that are dropped."""

    def __init__(self, tell: Callable[[int], None], clock: Clock) -> None:
        self._tell = tell
        self._clock = clock
        self._kept = 0
        self._told = clock()

    def count(self, count: int) -> None:
        """Note more bytes."""
        self._kept += count
        if self._clock() - self._told >= _EVERY:
            self.tell()

    def tell(self) -> None:
        """Pass on what was noted."""
        if self._kept:
            self._tell(self._kept)
        self._kept, self._told = 0, self._clock()


class Intake:
    """Takes the bytes of one answer. `promise` is given for a new file, None where an old one goes on."""

    def __init__(self, part: Part, promise: Promise | None, family: Family, host: str, meter: Meter) -> None:
        self._part = part
        self._new = promise
        self._family = family
        self._host = host
        self._meter = meter
        self._head: list[bytes] = []

    def take(self, chunk: bytes) -> None:
        """Take the next bytes. Raises Truncated (not this kind of file, more than promised), DiskFull, NotWritable."""
        if self._new is None:
            self._write(chunk)
            return
        self._head.append(chunk)
        if sum(map(len, self._head)) >= HEAD:
            self._begin(self._new)

    def end(self) -> None:
        """The server sent its last byte. Raises Truncated if some are missing."""
        if self._new is not None:
            self._begin(self._new)
        promised = self._part.promise.length
        if promised is not None and self._part.size < promised:
            raise Truncated(f"{self._host} sent {self._part.size} of {promised} bytes")

    def _begin(self, promise: Promise) -> None:
        head = b"".join(self._head)
        found = sniff(head)
        if found is None or not found.suits(self._family):
            what = f"a {found.name} file" if found else describe(head)
            raise Truncated(f"{self._host} sent {what} instead of {WORDS[self._family]}")
        self._new, self._head = None, []
        self._part.begin(promise)
        self._write(head)

    def _write(self, data: bytes) -> None:
        promised = self._part.promise.length
        most = LARGEST[self._family] if promised is None else promised
        if self._part.size + len(data) > most:
            self._meter.count(-self._part.size)
            self._part.restart()
            raise Truncated(f"{self._host} sent more than {most} bytes")
        self._part.write(data)
        self._meter.count(len(data))
