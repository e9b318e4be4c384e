"""What a turn of the request budget costs, and how eight processes share one.

Bars: a turn of an idle budget takes 1 ms at most, shared or not; eight processes at 50 calls a second for 3 s make not
one call more than the rule allows, each a fair share; a killed one frees its call at once.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dyvine_cli.budget import Budget, Rate
from dyvine_cli.ledger import boot_clock

BURST, INTERVAL, PROCESSES, SECONDS = 5, 0.02, 8, 3.0


def turns(count: int, folder: Path | None, pace: str = "normal") -> list[float]:
    """Seconds of so many turns, one after the other, that need not wait."""
    budget = Budget({"douyin": {"list": Rate(10 * count, 1.0)}}, folder=folder, pace=pace)  # type: ignore[arg-type]

    async def run() -> list[float]:
        taken = []
        for _ in range(count):
            began = time.perf_counter()
            async with budget.turn("douyin", "main", "list"):
                pass
            budget.accepted("douyin", "main", "list")
            taken.append(time.perf_counter() - began)
        return taken

    return sorted(asyncio.run(run()))


def costs(folder: Path, count: int) -> None:
    """A turn alone."""
    print(f"\none turn, {count} times (bar: 1 ms)")
    for name, where, pace in (
        ("in one process", None, "normal"),
        ("shared", folder, "normal"),
        ("shared, pace off", folder, "off"),
    ):
        taken = turns(count, where, pace)
        middle, late = statistics.median(taken), taken[int(count * 0.99)]
        print(f"  {name:<18}  median {middle * 1e6:5.0f} us   99 of 100 below {late * 1e6:5.0f} us")


async def call(folder: Path, seconds: float, length: float) -> None:
    """What each process does: calls until the time is over; prints when each began."""
    budget = Budget({"douyin": {"list": Rate(BURST, INTERVAL)}}, folder=folder, random=lambda: 0.5)
    print("ready", flush=True)
    sys.stdin.readline()
    end = boot_clock() + seconds
    while boot_clock() < end:
        async with budget.turn("douyin", "main", "list"):
            if (began := boot_clock()) < end:
                print(began, flush=True)
                await asyncio.sleep(length)


def started(folder: Path, seconds: float, length: float) -> subprocess.Popen[str]:
    """A process that is ready to call."""
    command = [sys.executable, __file__, "--call", str(folder), str(seconds), str(length)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def together(folder: Path) -> None:
    """Eight processes at once."""
    processes = [started(folder, SECONDS, 0.002) for _ in range(PROCESSES)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [[float(line) for line in process.communicate()[0].split()] for process in processes]
    begun = sorted(moment for each in told for moment in each)
    allowed = (begun[-1] - begun[0]) / INTERVAL + BURST
    over = max(
        count + 1 - (later - first) / INTERVAL - BURST
        for start, first in enumerate(begun)
        for count, later in enumerate(begun[start:])
    )
    shares = [len(each) for each in told]
    print(f"\n{PROCESSES} processes, {1 / INTERVAL:.0f} calls a second, {SECONDS:.0f} s")
    print(
        f"  {len(begun)} calls of {allowed:.0f} allowed; most above the rule in any stretch: {over:+.2f} (bar: 1)"
    )
    print(f"  calls of each: {min(shares)} to {max(shares)}")


def killed(folder: Path, runs: int) -> None:
    """One is killed in a call; how long until the next one's begins."""
    taken = []
    for _ in range(runs):
        first, second = started(folder, 60, 60), started(folder, 60, 60)
        for process in (first, second):
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            if process is first:
                process.stdout.readline()
        time.sleep(0.1)
        moment = boot_clock()
        first.kill()
        assert second.stdout is not None
        taken.append(float(second.stdout.readline()) - moment)
        for process in (first, second):
            process.kill()
            process.communicate()
    print(
        f"\na call of a killed process is free after {statistics.median(taken) * 1000:.1f} ms (median of {runs})"
    )


def main() -> None:
    """Run all three parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5000, help="turns of each kind")
    parser.add_argument("--call", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.call:
        asyncio.run(call(Path(given.call[0]), float(given.call[1]), float(given.call[2])))
        return
    with tempfile.TemporaryDirectory(prefix="dyvine-bench-") as place:
        costs(Path(place) / "one", given.turns)
        together(Path(place) / "many")
        killed(Path(place) / "killed", 7)


if __name__ == "__main__":
    main()
