"""What people were told already, and what the next digest will say: one small file that all processes share.

`notify.json` in the state folder, mode 0600, replaced as a whole; a lock file beside it is held for the milliseconds in
which it is read and written.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dyvine_cli import lock

AGAIN = 24 * 3600.0
"""Seconds after which an unchanged failure is told again."""
MOST = 200
"""Failures that are remembered."""
MOST_ACCOUNTS = 50
"""Accounts that a digest counts one by one."""
MOST_REASONS = 40
"""Names of errors that a digest counts."""
LONGEST_NAME = 200
"""Characters of an account's name that are kept."""

_LARGEST = 512 * 1024
_PATIENCE = 1.0  # seconds for a lock that others hold for milliseconds
_LARGEST_COUNT = 10**15
_LATEST = 4_102_444_800  # the year 2100


class Unkept(Exception):
    """The file cannot be written, so nothing can be remembered."""


@dataclass(slots=True)
class Counts:
    """What happened since the last digest. `since` is Unix seconds of its first run, None while there was none.

    `accounts` has the account's name and its new posts by site and id; `others` are new posts of accounts beyond
    MOST_ACCOUNTS.
    """

    since: float | None = None
    runs: int = 0
    posts: int = 0
    files: int = 0
    size: int = 0
    failed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, tuple[str, int]] = field(default_factory=dict)
    others: int = 0

    def add(self, other: Counts) -> None:
        """Take in what `other` counted."""
        known = [each for each in (self.since, other.since) if each is not None]
        self.since = min(known, default=None)
        self.runs += other.runs
        self.posts += other.posts
        self.files += other.files
        self.size += other.size
        self.failed += other.failed
        self.others += other.others
        for name, count in other.reasons.items():
            if name in self.reasons or len(self.reasons) < MOST_REASONS:
                self.reasons[name] = self.reasons.get(name, 0) + count
        for account, (name, count) in other.accounts.items():
            self.add_posts(account, name, count)

    def add_posts(self, account: str, name: str, count: int) -> None:
        """Count new posts of an account."""
        if account in self.accounts or len(self.accounts) < MOST_ACCOUNTS:
            before = self.accounts[account][1] if account in self.accounts else 0
            self.accounts[account] = name[:LONGEST_NAME], before + count
        else:
            self.others += count


@dataclass(slots=True)
class Sheet:
    """What the file holds: when each failure was told (Unix seconds), the day on which each login was, the digest."""

    failures: dict[str, float] = field(default_factory=dict)
    logins: dict[str, str] = field(default_factory=dict)
    digest: str = ""
    counts: Counts = field(default_factory=Counts)

    def claim_failure(self, fingerprint: str, now: datetime) -> bool:
        """Whether a failure is to be told now; then it is not again for AGAIN seconds."""
        moment = now.timestamp()
        self.failures = {
            known: told for known, told in self.failures.items() if 0 <= moment - told + 60 < AGAIN + 60
        }
        if fingerprint in self.failures:
            return False
        self.failures[fingerprint] = moment
        for oldest in sorted(self.failures, key=lambda known: self.failures[known])[:-MOST]:
            del self.failures[oldest]
        return True

    def claim_logins(self, keys: Iterable[str], now: datetime) -> list[str]:
        """Those of the logins that were not told today."""
        today = now.astimezone().date().isoformat()
        self.logins = {key: day for key, day in self.logins.items() if day == today}
        due = [key for key in dict.fromkeys(keys) if key not in self.logins]
        self.logins |= dict.fromkeys(due[:MOST], today)
        return due

    def claim_digest(self, at: str, now: datetime) -> Counts | None:
        """What a digest says if it is due: the first one of the day after the local time `at` (`08:00`)."""
        local = now.astimezone()
        today = local.date()
        # A day that is far ahead was noted by a wrong clock, which must not silence the digest until then.
        ahead = (today + timedelta(days=1)).isoformat()
        if today.isoformat() <= self.digest <= ahead or f"{local:%H:%M}" < at:
            return None
        self.digest = today.isoformat()
        counts, self.counts = self.counts, Counts()
        return counts


class Told:
    """The file in a state folder."""

    def __init__(self, state: Path) -> None:
        self._path = state / "notify.json"
        self._lock_path = state / "notify.lock"

    @contextmanager
    def open(self) -> Iterator[Sheet]:
        """The sheet, nobody else's until the block ends, then kept. No awaiting inside. Raises Unkept.

        A damaged file begins anew.
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            descriptor = os.open(self._lock_path, flags, 0o600)
        except OSError as exc:
            raise Unkept(str(exc.strerror)) from exc
        try:
            _wait_for(descriptor)
            sheet = self._read()
            yield sheet
            self._write(sheet)
        finally:
            lock.free(descriptor)
            os.close(descriptor)

    def _read(self) -> Sheet:
        try:
            with self._path.open("rb") as file:
                return _decode(json.loads(file.read(_LARGEST)))
        except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return Sheet()

    def _write(self, sheet: Sheet) -> None:
        beside = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}.new")
        try:
            try:
                descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    json.dump({"v": 1, **asdict(sheet)}, file)
                beside.replace(self._path)
            finally:
                with suppress(FileNotFoundError):
                    beside.unlink()
        except OSError as exc:
            raise Unkept(str(exc.strerror)) from exc


def _wait_for(descriptor: int) -> None:
    until = time.monotonic() + _PATIENCE
    try:
        while not lock.take(descriptor):
            if time.monotonic() > until:
                raise Unkept("another run keeps it locked")
            time.sleep(0.002)
    except OSError as exc:
        raise Unkept(str(exc.strerror)) from exc


def _decode(found: Mapping[str, Any]) -> Sheet:
    """The sheet in a file. Raises what an odd field raises."""
    return Sheet(
        failures={_text(key): _moment(told) for key, told in found["failures"].items()},
        logins={_text(key): _text(day) for key, day in found["logins"].items()},
        digest=_text(found["digest"]),
        counts=_counts(found["counts"]),
    )


def _counts(found: Mapping[str, Any]) -> Counts:
    accounts = {_text(key): (_text(name), _count(posts)) for key, (name, posts) in found["accounts"].items()}
    return Counts(
        since=None if found["since"] is None else _moment(found["since"]),
        reasons={_text(name): _count(number) for name, number in found["reasons"].items()},
        accounts=accounts,
        **{name: _count(found[name]) for name in ("runs", "posts", "files", "size", "failed", "others")},
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    value.encode()  # half a character is a ValueError
    return value


def _moment(value: object) -> float:
    """Unix seconds that a calendar has."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST:
        raise TypeError
    return float(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LARGEST_COUNT:
        raise ValueError
    return value
