"""What comes out of one answer into a part: the first bytes are judged before one is written, the promise is held."""

from __future__ import annotations

from dyvine_cli.errors import Truncated
from dyvine_cli.transfer.check import HEAD, Family, describe, sniff
from dyvine_cli.transfer.partial import Promise
from dyvine_cli.transfer.work import WORDS, Work

LARGEST = {
    "video": 1 << 38,
    "picture": 1 << 28,
    "sound": 1 << 32,
    "subtitle": 1 << 24,
    "any": 1 << 38,
}
"""Bytes that no file of a family has; a server that promises or sends more is not believed."""


_MANY = 1 << 30
_TIMES = 10
"""A host's promise of more than a GiB is not believed where the platform speaks of less than a tenth of that."""


class Intake:
    """Takes the bytes of one answer. `promise` is given for a new file, None where an old one goes on."""

    def __init__(self, work: Work, promise: Promise | None, host: str) -> None:
        self._work = work
        self._new = promise
        self._host = host
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
        part = self._work.part
        if part.promise.length is not None and part.size < part.promise.length:
            raise Truncated(f"{self._host} sent {part.size} of {part.promise.length} bytes")

    def _begin(self, promise: Promise) -> None:
        """Judge the first bytes; what was there before is dropped only now."""
        head = b"".join(self._head)
        judge(head, self._work.family, self._host)
        self._new, self._head = None, []
        self._work.begin(promise)
        self._write(head)

    def _write(self, data: bytes) -> None:
        part = self._work.part
        promised = part.promise.length
        most = LARGEST[self._work.family] if promised is None else promised
        if part.size + len(data) > most:
            self._work.start_over()
            raise Truncated(f"{self._host} sent more than {most} bytes")
        part.write(data)
        self._work.meter.count(len(data))


def _credible(work: Work) -> int:
    """Bytes that a host may promise: what it lies would pass for a disk that is too small, which ends a run."""
    most, said = LARGEST[work.family], work.rendition.size
    return min(most, max(_MANY, _TIMES * said)) if said else most


def judge(head: bytes, family: Family, host: str) -> None:
    """Raise Truncated if the first bytes of a file are none of the family."""
    found = sniff(head)
    if found is None or not found.suits(family):
        what = f"a {found.name} file" if found else describe(head)
        raise Truncated(f"{host} sent {what} instead of {WORDS[family]}")


def agreed(promise: Promise, work: Work, host: str) -> Promise:
    """The server's promise, held against the platform's. Raises Truncated if they contradict each other."""
    expected, length = work.exact_size, promise.length
    if expected is not None and length not in {None, expected}:
        raise Truncated(f"{host} has {length} bytes of a file of {expected}")
    if length == 0:
        raise Truncated(f"{host} sent nothing instead of {WORDS[work.family]}")
    if length is not None and length > _credible(work):
        raise Truncated(f"{host} promises {length} bytes, which is too much for {WORDS[work.family]}")
    return promise if length is not None else Promise(expected, promise.validator)
