"""Proxies that rest because they failed: one file in the state folder for all runs of the machine (no HTTP here).

A proxy stands in it under a salted hash of its address, beside that address without its login.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dyvine_cli import lock

LONGEST = 3600.0
"""Seconds of the longest rest."""

_FIRST = 60.0  # seconds, doubled by every further failure
_MOST_FAILURES = 10**6
_MOST = 500  # proxies in the file, those that failed last
_LARGEST = 256 * 1024
_VERSION = 1
_PATIENCE = 1.0  # seconds for a lock that others hold for microseconds
_FORGOTTEN = 24 * 3600.0  # seconds after a rest when the failures before it do not count any more


@dataclass(frozen=True, slots=True)
class Rest:
    """How a proxy failed: `shown` is its address without a login, `until` and `failed` are Unix seconds."""

    shown: str
    failures: int
    failed: float
    until: float

    @property
    def ends(self) -> datetime:
        """When it is used again like the others."""
        return datetime.fromtimestamp(self.until, UTC)


class Rests:
    """The failures of proxies. `folder` is the state folder, None keeps them in this process; `clock` gives Unix seconds.

    A file that cannot be read or written costs no run: what is known then stays in this process.
    """

    def __init__(self, folder: Path | None, *, clock: Callable[[], float] = time.time) -> None:
        self._path = folder / "proxies.json" if folder else None
        self._clock = clock
        self._salt = secrets.token_hex(16)
        self._rests: dict[str, Rest] = {}
        self._seen: tuple[int, int] | None = None

    def left(self, addresses: Sequence[str]) -> list[float]:
        """How many seconds each proxy still rests, 0 for one that does not; an address is all of it, with its login."""
        self._look()
        if not self._rests:
            return [0.0] * len(addresses)
        found = (self._rests.get(self._key(each)) for each in addresses)
        return [self._left(each) if each else 0.0 for each in found]

    def failed(self, address: str, shown: str) -> None:
        """Let a proxy rest: a minute, doubled by every failure up to an hour; `shown` is how people may see it."""
        with self._changing():
            now, key = self._clock(), self._key(address)
            before = self._rests.pop(key, None)
            failures = before.failures if before and now - before.until < _FORGOTTEN else 0
            left = min(LONGEST, _FIRST * 2 ** min(failures, 10))
            self._rests[key] = Rest(shown, min(failures + 1, _MOST_FAILURES), now, now + left)

    def worked(self, address: str) -> None:
        """Forget a proxy's failures."""
        self._look()
        if self._key(address) in self._rests:
            with self._changing():
                self._rests.pop(self._key(address), None)

    def resting(self) -> tuple[Rest, ...]:
        """Those that rest now, the next to come back first."""
        self._look()
        return tuple(
            sorted((each for each in self._rests.values() if self._left(each)), key=lambda each: each.until)
        )

    def _left(self, rest: Rest) -> float:
        """No rest is longer than an hour, whatever clocks and files say."""
        return max(0.0, min(rest.until - self._clock(), LONGEST))

    def _key(self, address: str) -> str:
        return hashlib.blake2b(address.encode(), key=self._salt.encode(), digest_size=12).hexdigest()

    # --- the file -------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Read the file if it changed."""
        if self._path is None:
            return
        with suppress(OSError):
            facts = self._path.stat()
            seen = facts.st_mtime_ns, facts.st_size
            if seen != self._seen:
                with self._path.open("rb") as file:
                    self._understand(file.read(_LARGEST + 1))
                self._seen = seen

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Read, change and write, as nobody else does meanwhile; only in this process where that cannot be."""
        descriptor = None
        if self._path is not None:
            with suppress(OSError):
                descriptor = _locked(self._path)
        if descriptor is None:
            yield
            return
        try:
            with suppress(OSError):
                self._understand(os.read(descriptor, _LARGEST + 1))
            yield
            if self._path is not None:
                with suppress(OSError):
                    self._write(descriptor)
        finally:
            lock.free(descriptor)
            os.close(descriptor)

    def _understand(self, data: bytes) -> None:
        """Take over what stands in the file; a damaged one begins anew."""
        try:
            found = json.loads(data)
            if found["v"] > _VERSION:
                self._path = None  # the newer dyvine still needs it
                return
            rests = {str(key): _rest(value) for key, value in found["proxies"].items()}
            salt = str(found["salt"])[:32]
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError):
            return
        self._salt, self._rests = salt, rests

    def _write(self, descriptor: int) -> None:
        kept = sorted(self._rests.items(), key=lambda pair: pair[1].failed)[-_MOST:]
        proxies = {key: [each.shown, each.failures, each.failed, each.until] for key, each in kept}
        data = json.dumps({"v": _VERSION, "salt": self._salt, "proxies": proxies}).encode()
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, data)
        os.ftruncate(descriptor, len(data))


def _locked(path: Path) -> int:
    """A descriptor of the file, made with mode 0600 if need be, that nobody else has. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o600)
    until = time.monotonic() + _PATIENCE
    try:
        while not lock.take(descriptor):
            if time.monotonic() > until:
                raise TimeoutError
            time.sleep(0.0005)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _rest(value: Any) -> Rest:
    shown, failures, failed, until = value
    if not isinstance(shown, str) or isinstance(failures, bool) or not 0 < int(failures) <= _MOST_FAILURES:
        raise ValueError
    if not (abs(failed) < 1e12 and abs(until) < 1e12):
        raise ValueError
    return Rest(shown[:300], int(failures), float(failed), float(until))
