"""The hashes of a file that grows: of bytes as they pass by, or read again from the disk behind a scattered front."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

_BLOCK = 1 << 22
"""Bytes read and hashed at once: each step waits for the interpreter, which the connections keep busy."""
_STEP = 1 << 25
MUCH = 1 << 23
"""Bytes from which a second hash gets a thread of its own."""


class Digest:
    """One hash of the first `count` bytes of a file."""

    def __init__(self, name: str) -> None:
        self._hash = hashlib.new(name, usedforsecurity=False)
        self.count = 0

    def add(self, data: bytes | memoryview) -> None:
        """The next bytes."""
        self._hash.update(data)
        self.count += len(data)

    def read(self, fd: int, until: int) -> None:
        """Read the bytes from the last one up to `until`. Raises OSError if they are not there."""
        for block in _blocks(fd, self.count, until):
            self.add(block)

    @property
    def hex(self) -> str:
        """The hash so far."""
        return self._hash.hexdigest()


class Digests:
    """SHA-256 of a file, and MD5 where somebody will ask for it."""

    def __init__(self, *, md5: bool) -> None:
        self.sha256 = Digest("sha256")
        self.md5 = Digest("md5") if md5 else None

    def add(self, data: bytes | memoryview) -> None:
        """The next bytes, which no hash has seen."""
        self.sha256.add(data)
        if self.md5:
            self.md5.add(data)

    def read(self, fd: int, until: int) -> Iterator[int]:
        """Read the file up to `until`, pausing every 32 MiB, so that it can be left."""
        while self.sha256.count < until:
            step = min(until, self.sha256.count + _STEP)
            self.catch_up(fd, step)
            yield step

    def catch_up(self, fd: int, until: int) -> None:
        """Read the file up to `until`; much of it with both hashes at once. Raises OSError."""
        if self.md5 is None or until - self.sha256.count < MUCH or not hasattr(os, "pread"):
            self._read_once(fd, until)
        else:
            with ThreadPoolExecutor(1, "md5") as beside:
                second = beside.submit(self.md5.read, fd, until)
                self.sha256.read(fd, until)
                second.result()

    def _read_once(self, fd: int, until: int) -> None:
        for block in _blocks(fd, self.sha256.count, until):
            self.add(block)


def _blocks(fd: int, place: int, until: int) -> Iterator[memoryview]:
    """The bytes of a file between two places, in one buffer that is filled again and again."""
    buffer = memoryview(bytearray(min(_BLOCK, until - place)))
    while place < until:
        block = buffer[: until - place]
        count = _read_into(fd, block, place)
        if not count:
            raise OSError(errno.EIO, "the file was cut while it was written")
        yield block[:count]
        place += count


def _read_into(fd: int, buffer: memoryview, place: int) -> int:
    if hasattr(os, "preadv"):
        return os.preadv(fd, [buffer], place)
    data = read_at(fd, len(buffer), place)
    buffer[: len(data)] = data
    return len(data)


def read_at(fd: int, count: int, place: int) -> bytes:
    """Bytes from a place in a file, which leaves the writer's place alone."""
    if hasattr(os, "pread"):
        return os.pread(fd, count, place)
    before = os.lseek(fd, 0, os.SEEK_CUR)
    os.lseek(fd, place, os.SEEK_SET)
    try:
        return os.read(fd, count)
    finally:
        os.lseek(fd, before, os.SEEK_SET)
