"""The ledger: what all processes of a machine remember of a profile's calls to a site (files and locks, no rules).

One file per site and profile, `budget/<site>.<profile>.json` in the state folder, locked for the microseconds in which
it is read and changed; beside it a lock file that is held while a call is in flight. Both locks end with their process.
"""

from __future__ import annotations

import json
import math
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, unquote

from dyvine_cli import lock

LONGEST = 3600.0
"""Seconds of the longest cool-down; a file that knows of a longer one is damaged."""

_VERSION = 1
_LARGEST = 64 * 1024
_BLOCK = 1024  # the file grows in such steps and never shrinks, so one write replaces all of it
_PATIENCE = 1.0  # seconds for a lock that others hold for microseconds; who exceeds it was suspended
_FRESH = 0.1  # a place that was looked at so lately is not written again
_GONE = 10.0  # a place whose owner did not look for so long is given up
_BACK = 1.0  # a clock that is so far behind the file is another one
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class LedgerError(Exception):
    """The shared state cannot be used; the text says why. The budget then goes on in its own process."""


@dataclass(slots=True)
class Place:
    """A call that waits: `run` is the budget that asks, `at` when the call is due, `seen` when its owner last looked."""

    run: str
    call: str
    at: float
    seen: float


@dataclass(slots=True)
class Strain:
    """What refusals cost: no call until `closed_until`, and fewer after it for every one of the `refusals`.

    `answered` counts answers since the last refusal was noted or taken back.
    """

    refusals: int = 0
    answered: int = 0
    closed_until: float = -math.inf


@dataclass(slots=True)
class Sheet(Strain):
    """How a profile stands with a site; times are seconds of the boot clock.

    `due` is, per class of call, when the calls so far will have been worked off at one per interval. `alone` is what
    refusals cost a class of call beside what they cost all. `taken` is when the call in flight began, `used` the time of
    day of the last call in Unix seconds, `accepted` and `refused` those of the last answer of each kind; None for never.
    `line` are the calls that wait, first come first.
    """

    due: dict[str, float] = field(default_factory=dict)
    alone: dict[str, Strain] = field(default_factory=dict)
    taken: float | None = None
    used: float | None = None
    accepted: float | None = None
    refused: float | None = None
    line: list[Place] = field(default_factory=list)

    def ahead(self, run: str, call: str) -> list[Place]:
        """The places of other runs before ours, or all of them if we have none."""
        mine = self._place(run, call)
        until = self.line.index(mine) if mine else len(self.line)
        return [place for place in self.line[:until] if place.run != run]

    def join(self, run: str, call: str, at: float, now: float) -> None:
        """Wait in the line, at its end if we are not in it yet, until `at`."""
        place = self._place(run, call)
        if place is None:
            self.line.append(Place(run, call, at, now))
            return
        if at > now or place.at > now:
            place.at = at
        if now - place.seen > _FRESH:
            place.seen = now

    def has(self, run: str, call: str) -> bool:
        """Whether we have a place."""
        return self._place(run, call) is not None

    def leave(self, run: str, call: str) -> None:
        """Give up our place, if we have one."""
        if place := self._place(run, call):
            self.line.remove(place)

    def prune(self, now: float) -> None:
        """Give up the places of runs that ended without a word."""
        self.line = [place for place in self.line if -_BACK < now - place.seen < _GONE]

    def _place(self, run: str, call: str) -> Place | None:
        return next((each for each in self.line if each.run == run and each.call == call), None)


class Ledger(Protocol):
    """Where a sheet is kept, and the slot of the one call in flight. `last` is the sheet as it was last seen."""

    shared: bool
    damaged: bool
    last: Sheet

    @contextmanager
    def open(self, *, flush: bool = False) -> Iterator[Sheet]:
        """The sheet, nobody else's until the block ends, then kept; `flush` makes it survive a power loss."""

    def glance(self) -> Sheet:
        """The sheet as it is, only to be read; nothing is created."""

    def take_slot(self) -> bool:
        """Take the slot; False if a call of another run is in flight."""

    def free_slot(self) -> None:
        """Give the slot back, if we have it."""

    def break_slot(self) -> bool:
        """Take the slot from a run that does not move any more; False if the system forbids it."""


class OwnLedger:
    """A ledger of this process alone; the budget's own lock guards its slot."""

    shared: bool = False

    def __init__(self, sheet: Sheet | None = None) -> None:
        self.damaged = False
        self.last = sheet or Sheet()

    @contextmanager
    def open(self, *, flush: bool = False) -> Iterator[Sheet]:
        """The sheet."""
        yield self.last

    def glance(self) -> Sheet:
        """The sheet."""
        return self.last

    def take_slot(self) -> bool:
        """It is always free."""
        return True

    def free_slot(self) -> None:
        """Nothing to do."""

    def break_slot(self) -> bool:
        """Nobody else has it."""
        return True


@dataclass(frozen=True, slots=True)
class Times:
    """`clock` counts seconds since the start of the machine, `boot` names that start, `wall` is the Unix time.

    The wall clock may jump; it is asked only how long the machine was off.
    """

    clock: Callable[[], float]
    wall: Callable[[], float]
    boot: str


class SharedLedger:
    """A ledger in a file that all processes open. Its methods raise LedgerError when the file cannot be used."""

    shared: bool = True

    def __init__(self, folder: Path, site: str, profile: str, times: Times) -> None:
        stem = f"{_plain(site)}.{_plain(profile)}"
        self._path = folder / f"{stem}.json"
        self._slot_path = folder / f"{stem}.slot"
        self._times = times
        self._slot: int | None = None
        self.damaged = False
        self.last = Sheet()

    @contextmanager
    def open(self, *, flush: bool = False) -> Iterator[Sheet]:
        """The sheet, locked until the block ends and then written if it changed. No awaiting inside.

        A damaged file begins anew with what this process knows, and `damaged` is set.
        """
        descriptor = self._open(self._path, os.O_RDWR | os.O_CREAT)
        try:
            self._lock(descriptor)
            text = self._read(descriptor)
            self.last = self._understand(text)
            before = _facts(self.last)
            try:
                yield self.last
            finally:
                after = _facts(self.last)
                if after != before or self.damaged:
                    self._write(descriptor, after, len(text), flush=flush)
        finally:
            lock.free(descriptor)
            os.close(descriptor)

    def glance(self) -> Sheet:
        """The sheet as it is; a fresh one if there is no file or a damaged one."""
        try:
            descriptor = self._open(self._path, os.O_RDWR)
        except FileNotFoundError:
            return self.last
        try:
            self._lock(descriptor)
            self.last = self._understand(self._read(descriptor))
        finally:
            lock.free(descriptor)
            os.close(descriptor)
        return self.last

    def take_slot(self) -> bool:
        """Lock the slot's file; False if another process has it."""
        descriptor = self._open(self._slot_path, os.O_RDWR | os.O_CREAT)
        try:
            taken = lock.take(descriptor)
        except OSError as exc:
            os.close(descriptor)
            raise self._fault(exc) from exc
        if taken:
            self._slot = descriptor
        else:
            os.close(descriptor)
        return taken

    def free_slot(self) -> None:
        """Unlock the slot's file, if we have it."""
        if self._slot is not None:
            lock.free(self._slot)
            os.close(self._slot)
            self._slot = None

    def break_slot(self) -> bool:
        """Put a new file where the slot's was: the run that holds the old one has nothing any more."""
        try:
            self._slot_path.unlink(missing_ok=True)
        except OSError:
            return False
        return self.take_slot()

    def _open(self, path: Path, flags: int) -> int:
        try:
            descriptor = _made(path, flags) if flags & os.O_CREAT else os.open(path, flags | _FLAGS)
        except FileNotFoundError:
            raise
        except OSError as exc:
            raise self._fault(exc) from exc
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            os.close(descriptor)
            raise LedgerError(f"{path}: not a file")
        if sys.platform != "win32" and facts.st_mode & 0o077 and facts.st_uid == os.geteuid():
            os.fchmod(descriptor, 0o600)
        return descriptor

    def _lock(self, descriptor: int) -> None:
        until = time.monotonic() + _PATIENCE
        try:
            while not lock.take(descriptor):
                if time.monotonic() > until:
                    raise LedgerError(f"{self._path}: another run keeps it locked")
                time.sleep(0.0005)
        except OSError as exc:
            raise self._fault(exc) from exc

    def _read(self, descriptor: int) -> bytes:
        try:
            text = os.read(descriptor, _LARGEST + 1)
        except OSError as exc:
            raise self._fault(exc) from exc
        if len(text) <= _LARGEST:
            return text
        self.damaged = True
        os.ftruncate(descriptor, 0)
        return b""

    def _understand(self, text: bytes) -> Sheet:
        if not text and not self.damaged:
            return Sheet()
        try:
            return _decode(json.loads(text, parse_constant=_refuse), self._times)
        except _Newer:
            raise LedgerError(f"{self._path}: written by a newer dyvine") from None
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError):
            self.damaged = True
            self.last.line.clear()
            return self.last

    def _write(self, descriptor: int, facts: dict[str, Any], size: int, *, flush: bool) -> None:
        times = self._times
        head = {"v": _VERSION, "boot": times.boot, "at": times.clock(), "wall": times.wall()}
        text = json.dumps(head | facts, allow_nan=False, separators=(",", ":")).encode()
        data = text.ljust(max(size, -(-len(text) // _BLOCK) * _BLOCK))
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            if os.write(descriptor, data) != len(data):
                raise LedgerError(f"{self._path}: no space left")
            if flush:
                os.fsync(descriptor)
        except OSError as exc:
            raise self._fault(exc) from exc

    def _fault(self, exc: OSError) -> LedgerError:
        return LedgerError(f"{self._path}: {exc.strerror or exc}")


def kept(folder: Path) -> list[tuple[str, str]]:
    """Site and profile of every ledger in a folder, sorted; none if the folder cannot be read."""
    try:
        stems = sorted(path.stem for path in folder.iterdir() if path.suffix == ".json")
    except OSError:
        return []
    pairs = (stem.partition(".") for stem in stems)
    return [(unquote(site), unquote(profile)) for site, dot, profile in pairs if dot]


# -- form of the file --------------------------------------------------------------------------------------------


class _Newer(Exception):
    """The file's version is above ours."""


def _facts(sheet: Sheet) -> dict[str, Any]:
    alone = {call: _strain_facts(strain) for call, strain in sheet.alone.items()}
    return {
        "due": dict(sheet.due),
        **_strain_facts(sheet),
        **({"alone": alone} if alone else {}),
        "taken": sheet.taken,
        "used": sheet.used,
        "accepted": sheet.accepted,
        "refused": sheet.refused,
        "line": [[each.run, each.call, each.at, each.seen] for each in sheet.line],
    }


def _strain_facts(strain: Strain) -> dict[str, Any]:
    return {
        "refusals": strain.refusals,
        "answered": strain.answered,
        "closed_until": None if strain.closed_until == -math.inf else strain.closed_until,
    }


def _decode(data: Any, times: Times) -> Sheet:
    """The sheet in the times of this start of the machine. Raises what an odd field raises."""
    if data["v"] > _VERSION:
        raise _Newer
    now = times.clock()
    at = _number(data["at"])
    same = data["boot"] == times.boot and now > at - _BACK
    shift = 0.0 if same else now - at - max(0.0, times.wall() - _number(data["wall"]))
    alone = data.get("alone", {})
    return Sheet(
        due={_text(call): _number(due) + shift for call, due in data["due"].items()},
        **_strain(data, at, shift),
        alone={_text(call): Strain(**_strain(each, at, shift)) for call, each in alone.items()},
        taken=_number(data["taken"]) if same and data["taken"] is not None else None,
        used=_number_or_none(data["used"]),
        accepted=_number_or_none(data.get("accepted")),
        refused=_number_or_none(data.get("refused")),
        line=[_place(*each) for each in data["line"]] if same else [],
    )


def _strain(data: Any, at: float, shift: float) -> dict[str, Any]:
    """The fields of a strain, written at `at`, in times that are `shift` later."""
    closed = -math.inf if data["closed_until"] is None else _number(data["closed_until"])
    if closed > at + LONGEST + _BACK:
        raise ValueError
    return {
        "refusals": _count(data["refusals"]),
        "answered": _count(data["answered"]),
        "closed_until": closed + shift,
    }


def _place(run: object, call: object, at: object, seen: object) -> Place:
    return Place(_text(run), _text(call), _number(at), _number(seen))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise ValueError
    return float(value)


def _number_or_none(value: object) -> float | None:
    return None if value is None else _number(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**6:
        raise ValueError
    return value


def _refuse(text: str) -> None:
    raise ValueError(text)


def _plain(name: str) -> str:
    """A name as part of a file name; the names of profiles stay as they are."""
    return name if all(char.isalnum() or char in "-_" for char in name) else quote(name, safe="")


def _made(path: Path, flags: int) -> int:
    """A descriptor of the file, made with its folders if need be."""
    try:
        return os.open(path, flags | _FLAGS, 0o600)
    except FileNotFoundError:
        path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
    return os.open(path, flags | _FLAGS, 0o600)


# -- clocks ------------------------------------------------------------------------------------------------------

if sys.platform == "linux":

    def boot_clock() -> float:
        """Seconds since the start of the machine, its sleep included; the same for all processes."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot_name() -> str:
        """What names this start of the machine; empty if nothing does."""
        try:
            return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return ""

elif sys.platform == "win32":
    import winreg

    boot_clock = time.monotonic

    def boot_name() -> str:
        """What names this start of the machine; empty if nothing does."""
        place = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters"
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
                count, _ = winreg.QueryValueEx(key, "BootId")
        except OSError:
            return ""
        # The clock behind time.monotonic changed with Python 3.13.
        return f"{count} {time.get_clock_info('monotonic').implementation}"

else:
    import ctypes

    def boot_clock() -> float:
        """Seconds since the start of the machine; the same for all processes."""
        return time.clock_gettime(time.CLOCK_MONOTONIC)

    def boot_name() -> str:
        """What names this start of the machine; empty if nothing does."""
        text = ctypes.create_string_buffer(64)
        size = ctypes.c_size_t(len(text))
        try:
            call = ctypes.CDLL(None).sysctlbyname
        except (OSError, AttributeError):
            return ""
        failed = call(b"kern.bootsessionuuid", text, ctypes.byref(size), None, ctypes.c_size_t(0))
        return "" if failed else text.value.decode("ascii", "replace")
