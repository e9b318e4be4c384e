"""The file that runs share: what stands in it, what it survives, and real processes that keep to one budget."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli import lock
from dyvine_cli.ledger import (
    LedgerError,
    Place,
    SharedLedger,
    Sheet,
    Strain,
    Times,
    boot_clock,
    boot_name,
    kept,
)

TIMES = Times(clock=lambda: 1000.0, wall=lambda: 1.8e9, boot="first")
FULL = Sheet(
    due={"list": 1003.5, "detail": 999.0},
    refusals=2,
    answered=7,
    closed_until=1120.0,
    alone={"signed_list": Strain(1, 3, 1060.0), "search": Strain()},
    taken=998.0,
    used=1.79e9,
    line=[Place("ab12", "list", 1003.5, 999.5)],
)


def ledger(folder: Path, *, times: Times = TIMES, profile: str = "main") -> SharedLedger:
    """A process's view of a profile's ledger."""
    return SharedLedger(folder / "budget", "douyin", profile, times)


def write(folder: Path, sheet: Sheet = FULL, *, profile: str = "main") -> Path:
    """Keep a sheet as another process would; its file."""
    with ledger(folder, profile=profile).open() as found:
        for each in fields(Sheet):
            setattr(found, each.name, getattr(sheet, each.name))
    return folder / "budget" / f"douyin.{profile}.json"


def test_another_process_reads_what_one_wrote(tmp_path: Path) -> None:
    """Every field comes back, whether locked or at a glance."""
    write(tmp_path)
    with ledger(tmp_path).open() as sheet:
        found = sheet

    assert found == FULL
    assert ledger(tmp_path).glance() == FULL


def test_an_empty_sheet_is_kept_too(tmp_path: Path) -> None:
    """Never closed stays never."""
    write(tmp_path, Sheet(refusals=1))

    assert ledger(tmp_path).glance().closed_until == -math.inf


def test_a_glance_creates_nothing(tmp_path: Path) -> None:
    """Who only asks leaves no trace."""
    found = ledger(tmp_path).glance()

    assert found == Sheet()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no modes")
def test_others_may_not_read_which_profiles_there_are(tmp_path: Path) -> None:
    """Files have mode 0600 and folders 0700, also when someone opened them up."""
    path = write(tmp_path / "state")
    held = ledger(tmp_path / "state")
    assert held.take_slot()
    held.free_slot()
    path.chmod(0o666)
    ledger(tmp_path / "state").glance()
    modes = {each.name: each.stat().st_mode & 0o777 for each in (tmp_path / "state").rglob("*")}

    assert modes == {"budget": 0o700, "douyin.main.json": 0o600, "douyin.main.slot": 0o600}
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_one_write_replaces_all(tmp_path: Path) -> None:
    """A shorter sheet leaves nothing of a longer one, and the file does not shrink under a reader."""
    path = write(tmp_path, Sheet(line=[Place("ab12", "list", 1000.0, 1000.0) for _ in range(99)]))
    size = path.stat().st_size
    write(tmp_path, Sheet(refusals=1))

    assert path.stat().st_size == size
    assert ledger(tmp_path).glance() == Sheet(refusals=1)


def _changed(**fields: Any) -> Callable[[dict[str, Any]], bytes]:
    return lambda data: json.dumps(data | fields).encode()


DAMAGES: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "zeros": lambda _: b"\0" * 1024,
    "cut": lambda data: json.dumps(data).encode()[:-40],
    "other bytes": lambda _: b"\xff\xfe" * 40,
    "a list": lambda _: b"[]",
    "nested": lambda _: b"[" * 60_000,
    "huge": lambda _: b" " * 200_000,
    "a field is missing": lambda data: json.dumps({"v": data["v"]}).encode(),
    "not a number": lambda data: json.dumps(data | {"refusals": math.nan}).encode(),
    "infinite": lambda data: json.dumps(data | {"at": math.inf}).encode(),
    "far away": _changed(due={"list": 1e300}),
    "closed for ever": _changed(closed_until=1e11),
    "a class closed for ever": _changed(alone={"list": {"refusals": 1, "answered": 0, "closed_until": 1e11}}),
    "a class in words": _changed(alone={"list": "closed"}),
    "negative refusals": _changed(refusals=-1),
    "half a refusal": _changed(refusals=1.5),
    "true refusals": _changed(refusals=True),
    "a place of two": _changed(line=[["ab12", "list"]]),
    "a place of numbers": _changed(line=[[1, 2, 3, 4]]),
    "due in words": _changed(due={"list": "soon"}),
    "due as a list": _changed(due=[1]),
    "version in words": _changed(v="1"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_begins_anew(name: str, tmp_path: Path) -> None:
    """Whatever stands in it, the next to open it writes a whole one, and says so once."""
    path = write(tmp_path)
    path.write_bytes(DAMAGES[name](json.loads(path.read_bytes())))
    mending = ledger(tmp_path)
    with mending.open() as found:
        found.refusals = 1
    after = ledger(tmp_path)

    assert mending.damaged
    assert after.glance() == Sheet(refusals=1)
    assert not after.damaged


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    """The newer dyvine still needs it."""
    path = write(tmp_path)
    path.write_bytes(_changed(v=2)(json.loads(path.read_bytes())))
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="newer dyvine"), ledger(tmp_path).open():
        pass

    assert path.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    """Neither for the ledger nor for the slot; what it points to stays as it is."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "budget").mkdir()
    for name in ("douyin.main.json", "douyin.main.slot"):
        (tmp_path / "budget" / name).symlink_to(precious)
    with pytest.raises(LedgerError), ledger(tmp_path).open():
        pass
    with pytest.raises(LedgerError):
        ledger(tmp_path).take_slot()

    assert precious.read_text() == "mine"


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_an_error_and_no_trap(kind: str, tmp_path: Path) -> None:
    """A pipe in its place must not hang a run."""
    place = tmp_path / "budget" / "douyin.main.json"
    place.parent.mkdir()
    if kind == "pipe" and os.name != "nt":
        os.mkfifo(place)
    else:
        place.mkdir()

    with pytest.raises(LedgerError), ledger(tmp_path).open():
        pass


def test_a_ledger_that_stays_locked_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run suspended in the wrong moment must not hang the others."""
    monkeypatch.setattr("dyvine_cli.ledger._PATIENCE", 0.01)
    write(tmp_path)
    with (
        ledger(tmp_path).open(),
        pytest.raises(LedgerError, match="keeps it locked"),
        ledger(tmp_path).open(),
    ):
        pass

    assert ledger(tmp_path).glance() == FULL


@pytest.mark.skipif(os.name == "nt", reason="needs a limit for the size of files")
def test_a_full_disk_is_an_error_and_leaves_a_file_that_can_be_read(tmp_path: Path) -> None:
    """The next run begins with an empty sheet, not with a damaged one."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(LedgerError), ledger(tmp_path).open() as sheet:
            sheet.refusals = 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    after = ledger(tmp_path)

    assert after.glance() == Sheet()
    assert not after.damaged


def test_the_slot_belongs_to_one(tmp_path: Path) -> None:
    """Until it is given back."""
    first, second = ledger(tmp_path), ledger(tmp_path)
    taken = [first.take_slot(), second.take_slot()]
    first.free_slot()
    taken.append(second.take_slot())
    second.free_slot()

    assert taken == [True, False, True]


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no file that is open")
def test_a_broken_slot_belongs_to_the_one_who_broke_it(tmp_path: Path) -> None:
    """The former holder gives back nothing that is the new one's."""
    first, second, third = ledger(tmp_path), ledger(tmp_path), ledger(tmp_path)
    first.take_slot()
    broken = second.break_slot()
    first.free_slot()
    taken = third.take_slot()
    second.free_slot()

    assert broken
    assert not taken


@pytest.mark.parametrize("profile", ["main", "小号_2", "../../etc", "a/b", "con", "a.b"])
def test_names_of_profiles_stay_in_the_folder_and_come_back(profile: str, tmp_path: Path) -> None:
    """A name that would leave the folder is written differently."""
    with ledger(tmp_path, profile=profile).open() as sheet:
        sheet.refusals = 1
    written = [each for each in tmp_path.rglob("*") if each.is_file()]

    assert [each.parent for each in written] == [tmp_path / "budget"]
    assert kept(tmp_path / "budget") == [("douyin", profile)]


def test_the_clock_of_the_machine_is_every_process_s(tmp_path: Path) -> None:
    """A child's clock and name of the start agree with ours."""
    asked = "from dyvine_cli.ledger import boot_clock, boot_name; print(boot_clock(), boot_name())"
    before = boot_clock()
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    clock, _, name = told.strip().partition(" ")

    assert before < float(clock) < boot_clock()
    assert name == boot_name()


# --- real processes ---------------------------------------------------------------------------------------------

CALLER = """
import asyncio, json, sys
from pathlib import Path
from dyvine_cli.budget import Budget, Rate
from dyvine_cli.ledger import boot_clock

async def main(folder, burst, interval, seconds, length):
    budget = Budget({"douyin": {"list": Rate(burst, interval)}}, folder=Path(folder), random=lambda: 0.5,
                    report=lambda event: print(json.dumps({"event": str(event)}), flush=True))
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    end = boot_clock() + seconds
    while boot_clock() < end:
        async with budget.turn("douyin", "main", "list"):
            begun = boot_clock()
            if begun < end:
                print(json.dumps({"begun": begun}), flush=True)
                await asyncio.sleep(length)
                print(json.dumps({"ended": boot_clock()}), flush=True)

asyncio.run(main(sys.argv[1], *map(float, sys.argv[2:])))
"""
"""Makes calls as fast as the budget lets it for so many seconds, and tells when each began and ended."""


@dataclass
class Caller:
    """A process that makes calls."""

    process: subprocess.Popen[str]

    def hear(self) -> dict[str, Any]:
        """The next thing that it tells; empty when it has ended."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        told: dict[str, Any] = json.loads(line) if line else {}
        return told

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def rest(self) -> list[dict[str, Any]]:
        """All that it tells until it ends."""
        return list(iter(self.hear, {}))


@contextmanager
def callers(
    folder: Path, count: int, *, burst: int = 5, interval: float, seconds: float, length: float
) -> Iterator[list[Caller]]:
    """So many processes that are ready to begin."""
    options = [str(each) for each in (burst, interval, seconds, length)]
    command = [sys.executable, "-c", CALLER.replace("Rate(burst", "Rate(int(burst)"), str(folder), *options]
    pipe = subprocess.PIPE
    started = [
        Caller(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, encoding="utf-8"))
        for _ in range(count)
    ]
    try:
        for each in started:
            assert each.hear() == {"ready": True}
        yield started
    finally:
        for each in started:
            each.process.kill()
            each.process.communicate()


def in_order(told: list[list[dict[str, Any]]]) -> list[tuple[float, int, bool]]:
    """Time, caller and whether a call begins, of all that callers told."""
    return sorted(
        (moment, number, "begun" in each)
        for number, lines in enumerate(told)
        for each in lines
        for moment in each.values()
        if isinstance(moment, float)
    )


@pytest.mark.slow
def test_eight_processes_keep_to_one_budget(tmp_path: Path) -> None:
    """Fifty calls a second for three seconds: not one too many, hardly one too few, a fair share for each.

    What is too few is seen in the best half second, when nothing else kept the processes from running.
    """
    with callers(tmp_path, 8, burst=5, interval=0.02, seconds=3.0, length=0.002) as started:
        for each in started:
            each.go()
        told = [each.rest() for each in started]
    moments = in_order(told)
    begun = [moment for moment, _, begins in moments if begins]
    span = begun[-1] - begun[0]
    shares = [sum("begun" in each for each in lines) for lines in told]

    assert not [each for lines in told for each in lines if "event" in each]
    assert all(later - first >= (count - 5) * 0.02 - 0.001 for first, later, count in windows(begun))
    assert len(begun) <= span / 0.02 + 5 + 1
    assert min(later - first for first, later, count in windows(begun) if count == 30) <= 25 * 0.02 / 0.8
    assert 0.5 * len(begun) / 8 <= min(shares) <= max(shares) <= 1.5 * len(begun) / 8
    assert all(begins != after for (_, _, begins), (_, _, after) in pairwise(moments))


def windows(begun: list[float]) -> Iterator[tuple[float, float, int]]:
    """First and last of every run of calls, and how many it holds beside the first."""
    for start, first in enumerate(begun):
        for count, later in enumerate(begun[start:]):
            yield first, later, count


@pytest.mark.parametrize("blow", ["SIGKILL", "SIGTERM"])
def test_a_killed_process_frees_its_call_at_once(blow: str, tmp_path: Path) -> None:
    """Killed in the middle of a call of a minute, it holds up the next one for milliseconds."""
    with callers(tmp_path, 2, interval=0.02, seconds=60.0, length=60.0) as (first, second):
        first.go()
        assert "begun" in first.hear()
        second.go()
        time.sleep(0.1)
        killed = boot_clock()
        first.process.send_signal(getattr(signal, blow, signal.SIGTERM))
        begun = second.hear()["begun"]

    assert 0 < begun - killed < 0.5


def is_free(path: Path) -> bool:
    """Whether nobody has the lock of a file."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        return lock.take(descriptor)
    finally:
        os.close(descriptor)


def suspend_in_line(caller: Caller, folder: Path) -> None:
    """Stop a process that waits for its turn, at a moment when it holds no lock; what it tells meanwhile is heard."""
    held = SharedLedger(folder / "budget", "douyin", "main", Times(boot_clock, time.time, boot_name()))
    files = [folder / "budget" / f"douyin.main.{kind}" for kind in ("json", "slot")]
    for _ in range(1000):
        if held.glance().line:
            caller.process.send_signal(signal.SIGSTOP)
            os.waitpid(caller.process.pid, os.WUNTRACED)
            if all(map(is_free, files)) and held.glance().line:
                return
            caller.process.send_signal(signal.SIGCONT)
        time.sleep(0.005)
    raise AssertionError("it is never in the line")


def calls(caller: Caller, count: int) -> list[dict[str, Any]]:
    """What a process tells until it has begun so many more calls."""
    told: list[dict[str, Any]] = []
    while sum("begun" in each for each in told) < count:
        told.append(caller.hear())
        assert told[-1], "it ended"
    return told


@pytest.mark.skipif(os.name == "nt", reason="needs SIGSTOP")
def test_a_suspended_process_in_the_line_is_passed(tmp_path: Path) -> None:
    """Who was stopped while waiting neither holds up the others nor breaks anything when it goes on.

    The others are done long before its place would be given up as that of a process which is gone.
    """
    with callers(tmp_path, 3, burst=1, interval=0.1, seconds=60.0, length=0.001) as (first, *others):
        first.go()
        calls(first, 1)
        suspend_in_line(first, tmp_path)
        begun = boot_clock()
        for each in others:
            each.go()
        told = [calls(each, 2) for each in others]
        spent = boot_clock() - begun
        first.process.send_signal(signal.SIGCONT)
        rest = calls(first, 1)

    assert spent < 6
    assert not [each for lines in (*told, rest) for each in lines if "event" in each]


@pytest.mark.slow
def test_kills_at_any_moment_leave_a_ledger_that_can_be_read(tmp_path: Path) -> None:
    """Thirty processes die at moments spread over their calls; the file is whole after each."""
    for number in range(30):
        with callers(tmp_path, 1, burst=1, interval=0.0005, seconds=60.0, length=0.0) as (caller,):
            caller.go()
            caller.hear()
            time.sleep(0.001 * number)
            caller.process.kill()
        found = SharedLedger(tmp_path / "budget", "douyin", "main", Times(boot_clock, time.time, boot_name()))
        with found.open():
            assert not found.damaged
