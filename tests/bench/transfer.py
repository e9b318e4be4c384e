"""The engine against C downloaders that are handed the finished addresses: many small files, and one large one.

Bars of wall time: 1,000 pictures 1.0 x `aria2c -j16`; 500 MB at 20 MB/s per connection 1.3 x `aria2c -x16`; 500 MB
without a limit 2.0 x curl, with 2.0 x its CPU time plus the hashing. `--limit-rate` within 5 % of ten seconds' worth.
CPU time is that of the whole program with its start; the server's is not counted.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import MEDIA_HEADERS, PROGRAM, Platform, emptied, files_of, has, platform, surroundings

from dyvine_cli.simulator.world import World

PICTURES = f"https://www.douyin.com/user/{World.PICTURES}"
BIG = f"https://www.douyin.com/video/{World.BIG}"
FLAGS = ["-q", "--no-conf", "--file-allocation=none", "--allow-overwrite=true"]


@dataclass(frozen=True)
class Cost:
    """Seconds of one run: on the wall, and of the processor."""

    wall: float
    cpu: float


def cost(command: Sequence[str], env: Mapping[str, str] | None = None, *, status: int = 0) -> Cost:
    """Run a command and say what it cost; another status than the expected one ends the bench."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, ended, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(ended)
    if process.returncode != status:
        sys.exit(f"{' '.join(command)[:300]}: status {process.returncode}\n{said.decode()[-2000:]}")
    return Cost(time.perf_counter() - began, usage.ru_utime + usage.ru_stime)


class Course:
    """A simulator with a home and an output folder, and the programs that run on it."""

    def __init__(self, place: Path, stand_in: Platform) -> None:
        self.stand_in = stand_in
        self.out = place / "out"
        self._place = place
        self._env = surroundings(place / "home", stand_in)
        cost([*PROGRAM, "--pace", "off", "-q", "post", World.SMALL, "-P", str(place / "first")], self._env)

    def dyvine(self, *arguments: str) -> Cost:
        """A whole run into an empty folder, with an archive that knows nothing."""
        for left in (self._place / "home").rglob("archive.sqlite3*"):
            left.unlink()
        where = ["--pace", "off", "-q", "-P", str(emptied(self.out))]
        return cost([*PROGRAM, *where, *arguments], self._env)

    def addresses(self, *arguments: str) -> list[str]:
        """The finished list of media addresses."""
        command = [*PROGRAM, "--pace", "off", "-g", *arguments]
        return subprocess.run(
            command, env=self._env, capture_output=True, text=True, check=True
        ).stdout.split()

    def aria2c(self, addresses: Sequence[str], *flags: str) -> Cost:
        """A finished list with aria2c."""
        entries = []
        for number, (here, host) in enumerate(map(self.stand_in.here, addresses)):
            named = {**MEDIA_HEADERS, "Host": host}
            heads = [f"header={name}: {value}" for name, value in named.items()]
            entries.append("\n  ".join([here, f"out={number}", *heads]))
        wanted = self._place / "list"
        wanted.write_text("\n".join(entries) + "\n", encoding="utf-8")
        return cost(["aria2c", *FLAGS, *flags, "-d", str(emptied(self.out)), "-i", str(wanted)])

    def curl(self, address: str) -> Cost:
        """One address with curl."""
        here, host = self.stand_in.here(address)
        named = {**MEDIA_HEADERS, "Host": host}
        heads = [part for name, value in named.items() for part in ("-H", f"{name}: {value}")]
        return cost(["curl", "-sSf", *heads, "-o", str(emptied(self.out) / "file"), here])

    def connections(self) -> int:
        """How many connections were opened since it was asked last."""
        log = self.stand_in.ask("/log", {"clear": True})
        return len({each["connection"] for each in log["requests"] if each["kind"]})


def compare(
    title: str, contenders: Mapping[str, Callable[[], Cost]], runs: int, against: str, bars: Mapping[str, str]
) -> None:
    """Run them in turns, print medians with the ratio to one of them; the first turn is thrown away."""
    taken: dict[str, list[Cost]] = {name: [] for name in contenders}
    for turn in range(runs + 1):
        for name, run in contenders.items():
            took = run()
            if turn:
                taken[name].append(took)
    print(f"\n{title}  (medians of {runs})")
    medians = {
        name: Cost(
            statistics.median(each.wall for each in all_), statistics.median(each.cpu for each in all_)
        )
        for name, all_ in taken.items()
    }
    first = medians.get(against)
    for name, each in medians.items():
        wall = f"{each.wall / first.wall:5.2f} x" if first else ""
        cpu = f"{each.cpu / first.cpu:5.2f} x" if first else ""
        bar = bars.get(name, "")
        print(f"  {name:24} wall {each.wall:7.3f} s {wall}   CPU {each.cpu:7.3f} s {cpu}   {bar}".rstrip())


def pictures(place: Path, runs: int) -> None:
    """1,000 files of 40 kB at 40 ms."""
    with platform(rtt=0.04) as stand_in:
        course = Course(place, stand_in)
        contenders = {
            f"dyvine user -N {count}": (lambda count=count: course.dyvine("user", PICTURES, "-N", str(count)))
            for count in (8, 16)
        }
        if has("aria2c"):
            contenders["aria2c -j16"] = lambda: course.aria2c(
                course.addresses("user", PICTURES), "-j16", "-x16"
            )
        bars = {"dyvine user -N 16": "bar 1.0 x wall"}
        compare("1,000 pictures of 40 kB, 40 ms", contenders, runs, "aria2c -j16", bars)
        course.connections()
        course.dyvine("user", PICTURES, "-N", "16")
        count, size = files_of(course.out)
        print(f"  {count} files, {size / 1e6:.0f} MB over {course.connections()} connections")


def one_file(place: Path, runs: int, *, rate: str | None, rtt: float) -> None:
    """One file of 500 MB."""
    with platform(rtt=rtt, rate=rate) as stand_in:
        course = Course(place, stand_in)
        contenders: dict[str, Callable[[], Cost]] = {"dyvine post": lambda: course.dyvine("post", BIG)}
        if rate:
            against, bars = "aria2c -x16", {"dyvine post": "bar 1.3 x wall"}
            if has("aria2c"):
                contenders[against] = lambda: course.aria2c(
                    course.addresses("post", BIG), "-x16", "-s16", "-k1M"
                )
        else:
            against, bars = "curl", {"dyvine post": "bar 2.0 x wall, 2.0 x CPU + hashing"}
            contenders["hashing"] = lambda: hashing(course)
            if has("curl"):
                contenders[against] = lambda: course.curl(course.addresses("post", BIG)[0])
        speed = f"{rate}B/s per connection" if rate else "no limit"
        compare(f"500 MB, {speed}, {rtt * 1000:.0f} ms", contenders, runs, against, bars)


def hashing(course: Course) -> Cost:
    """What SHA-256 and, where the platform names one, MD5 of the file cost."""
    block, rounds = bytes(2**20), 500
    began, cpu = time.perf_counter(), time.process_time()
    for name in ("sha256", "md5"):
        hashed = hashlib.new(name, usedforsecurity=False)
        for _ in range(rounds):
            hashed.update(block)
    return Cost(time.perf_counter() - began, time.process_time() - cpu)


def limited(place: Path) -> None:
    """Ten seconds and more under `--limit-rate`."""
    with platform(rtt=0.04) as stand_in:
        course = Course(place, stand_in)
        course.dyvine("user", PICTURES, "-N", "16", "--limit", "1")
        short = course.dyvine("user", PICTURES, "-N", "16", "--limit", "1", "-r", "3M").wall
        _, less = files_of(course.out)
        long = course.dyvine("user", PICTURES, "-N", "16", "-r", "3M").wall
        _, more = files_of(course.out)
        speed = (more - less) / (long - short)
        print(f"\n--limit-rate 3M: {speed / 1e6:.3f} MB/s over {long - short:.1f} s  (bar 2.85 to 3.15)")


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("only", nargs="*", help="pictures, throttled, unlimited, limited; none for all")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        works: dict[str, Callable[[], None]] = {
            "pictures": lambda: pictures(Path(folder, "pictures"), options.runs),
            "throttled": lambda: one_file(Path(folder, "throttled"), options.runs, rate="20M", rtt=0.04),
            "unlimited": lambda: one_file(Path(folder, "unlimited"), options.runs, rate=None, rtt=0.0),
            "limited": lambda: limited(Path(folder, "limited")),
        }
        for name in options.only or works:
            works[name]()


if __name__ == "__main__":
    main()
