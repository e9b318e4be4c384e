"""What runs remember of proxies that failed: shared, bounded, without a login, and never worth a failure of its own."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.rests import LONGEST, Rests

ADDRESS = "http://me:hush-hush@proxy.example:3128"
SHOWN = "http://***@proxy.example:3128"


class Clock:
    """A time of day that is set."""

    def __init__(self) -> None:
        self.now = 1.8e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The time of day."""
    return Clock()


@pytest.fixture
def run(tmp_path: Path, clock: Clock) -> Callable[[], Rests]:
    """Makes what a run knows."""
    return lambda: Rests(tmp_path / "state", clock=clock)


def test_the_next_run_knows_what_failed(run: Callable[[], Rests], clock: Clock) -> None:
    """A minute, then two, at most an hour; one success forgives all."""
    left = []
    for _ in range(9):
        run().failed(ADDRESS, SHOWN)
        left.append(run().left([ADDRESS])[0])
        clock.now += left[-1] + 1
    (rested,) = run().left([ADDRESS])
    run().failed(ADDRESS, SHOWN)
    run().worked(ADDRESS)

    assert left == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert rested == 0
    assert run().left([ADDRESS]) == [0]
    assert run().resting() == ()


def test_after_a_day_a_failure_begins_anew(run: Callable[[], Rests], clock: Clock) -> None:
    """Proxies come and go."""
    for _ in range(5):
        run().failed(ADDRESS, SHOWN)
    clock.now += 2 * 24 * 3600
    run().failed(ADDRESS, SHOWN)

    assert run().left([ADDRESS]) == [60]


def test_runs_at_the_same_time_see_each_other(run: Callable[[], Rests]) -> None:
    """A run that began before learns what another one met."""
    first, second = run(), run()
    first.left([ADDRESS])
    second.failed(ADDRESS, SHOWN)
    seen = first.left([ADDRESS])
    first.worked(ADDRESS)

    assert seen == [60]
    assert second.left([ADDRESS]) == [0]


def test_failures_noted_at_the_same_time_are_all_kept(run: Callable[[], Rests]) -> None:
    """Eight writers lose nothing of each other's."""
    writers = [
        threading.Thread(
            target=lambda n=n: [run().failed(f"{ADDRESS}/{n}/{each}", f"{n} {each}") for each in range(10)]
        )
        for n in range(8)
    ]
    for each in writers:
        each.start()
    for each in writers:
        each.join()

    assert len(run().resting()) == 80


def test_the_file_holds_no_login_and_is_its_owners(run: Callable[[], Rests], tmp_path: Path) -> None:
    """Neither a part of it nor a hash that is the same on another machine."""
    run().failed(ADDRESS, SHOWN)
    path = tmp_path / "state" / "proxies.json"
    elsewhere = Rests(tmp_path / "other")
    elsewhere.failed(ADDRESS, SHOWN)
    keys = [
        set(json.loads(each.read_bytes())["proxies"]) for each in (path, tmp_path / "other" / "proxies.json")
    ]

    assert b"hush" not in path.read_bytes()
    assert keys[0].isdisjoint(keys[1])
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o600


def test_the_file_does_not_grow_for_ever(run: Callable[[], Rests], tmp_path: Path, clock: Clock) -> None:
    """Those that failed last are kept."""
    path = tmp_path / "state" / "proxies.json"
    path.parent.mkdir()
    many = {f"{each:024x}": [SHOWN, 1, clock.now - 10, clock.now + 50] for each in range(1000)}
    path.write_text(json.dumps({"v": 1, "salt": "00", "proxies": many}))
    run().failed(ADDRESS, SHOWN)

    assert len(json.loads(path.read_bytes())["proxies"]) == 500
    assert run().left([ADDRESS]) == [60]


def changed(**fields: Any) -> bytes:
    """A file with odd fields."""
    whole = {"v": 1, "salt": "00", "proxies": {"ab": [SHOWN, 1, 1.8e9, 1.8e9 + 60]}}
    return json.dumps(whole | fields).encode()


DAMAGES = {
    "empty": b"",
    "zeros": b"\0" * 99,
    "a list": b"[]",
    "nested": b"[" * 60_000,
    "huge": b" " * 300_000,
    "no salt": b'{"v": 1, "proxies": {}}',
    "version in words": changed(v="1"),
    "a proxy of two": changed(proxies={"ab": [SHOWN, 1]}),
    "true failures": changed(proxies={"ab": [SHOWN, True, 1.0, 1.0]}),
    "negative failures": changed(proxies={"ab": [SHOWN, -1, 1.0, 1.0]}),
    "not a number": changed(proxies={"ab": [SHOWN, 1, float("nan"), 1.0]}),
    "far away": changed(proxies={"ab": [SHOWN, 1, 1.0, 1e300]}),
    "shown as a number": changed(proxies={"ab": [1, 1, 1.0, 1.0]}),
}


@pytest.mark.parametrize("data", DAMAGES.values(), ids=list(DAMAGES))
def test_a_damaged_file_begins_anew(data: bytes, run: Callable[[], Rests], tmp_path: Path) -> None:
    """Nothing is raised, and the next failure is kept."""
    path = tmp_path / "state" / "proxies.json"
    path.parent.mkdir()
    path.write_bytes(data)
    before = run().left([ADDRESS])
    run().failed(ADDRESS, SHOWN)

    assert before == [0]
    assert run().left([ADDRESS]) == [60]


def test_a_newer_file_is_left_alone(run: Callable[[], Rests], tmp_path: Path) -> None:
    """The newer dyvine still needs it; this run remembers by itself."""
    path = tmp_path / "state" / "proxies.json"
    path.parent.mkdir()
    path.write_bytes(changed(v=2))
    rests = run()
    rests.failed(ADDRESS, SHOWN)

    assert path.read_bytes() == changed(v=2)
    assert rests.left([ADDRESS]) == [60]


def test_a_state_folder_that_cannot_be_written_costs_no_run(tmp_path: Path, clock: Clock) -> None:
    """The run remembers by itself."""
    (tmp_path / "state").write_text("a file")
    rests = Rests(tmp_path / "state", clock=clock)
    rests.failed(ADDRESS, SHOWN)

    assert rests.left([ADDRESS]) == [60]


def test_a_clock_that_jumps_makes_no_rest_longer_than_an_hour(run: Callable[[], Rests], clock: Clock) -> None:
    """Back by a year, a proxy comes back after an hour at most."""
    run().failed(ADDRESS, SHOWN)
    clock.now -= 365 * 24 * 3600

    assert run().left([ADDRESS]) == [LONGEST]
