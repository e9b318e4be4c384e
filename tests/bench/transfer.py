"""The engine against programs that are handed the finished addresses: many small files, and one large one.

Bars of wall time: 1,000 pictures 1.0 x `aria2c -j16`; 500 MB at 20 MB/s per connection 1.3 x `aria2c -x16`; 500 MB
without a limit 2.0 x curl, with 2.0 x its CPU time plus the hashing. `--limit-rate` within 5 % of ten seconds' worth.
CPU time is that of the whole program with its start; the server's is not counted. Of an account of 200 posts the
connections, handshakes and flushes are told, and what its progress display costs: 3 % of a processor at most.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import pty
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from measure import MEDIA_HEADERS, PROGRAM, Platform, emptied, files_of, has, platform, surroundings

from dyvine_cli.simulator.world import World

PICTURES = f"https://www.douyin.com/user/{World.PICTURES}"
BIG = f"https://www.douyin.com/video/{World.BIG}"
BIG_SIZE = 500_000_000
ACCOUNT = f"https://www.douyin.com/user/{World.ACCOUNTS[200]}"
HERE = Path(__file__).parent
FLAGS = ["-q", "--no-conf", "--file-allocation=none", "--allow-overwrite=true"]


@dataclass(frozen=True)
class Cost:
    """Seconds of one run: on the wall, and of the processor."""

    wall: float
    cpu: float


def cost(
    command: Sequence[str],
    env: Mapping[str, str] | None = None,
    *,
    status: int = 0,
    terminal: int | None = None,
) -> Cost:
    """Run a command and say what it cost; another status than the expected one ends the bench.

    `terminal` is where it writes to, None for a pipe.
    """
    began = time.perf_counter()
    streams = terminal or subprocess.PIPE
    process = subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=streams, stderr=terminal or subprocess.STDOUT
    )
    said = process.stdout.read() if process.stdout else b""
    _, ended, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(ended)
    if process.returncode != status:
        sys.exit(f"{' '.join(command)[:300]}: status {process.returncode}\n{said.decode()[-2000:]}")
    return Cost(time.perf_counter() - began, usage.ru_utime + usage.ru_stime)


class Course:
    """A simulator with a home and an output folder, and the programs that run on it."""

    def __init__(self, place: Path, stand_in: Platform, *, login: bool = False) -> None:
        self.stand_in = stand_in
        self.out = place / "out"
        self._place = place
        self.env = surroundings(place / "home", stand_in)
        cost([*PROGRAM, "--pace", "off", "-q", "post", World.SMALL, "-P", str(place / "first")], self.env)
        if login:
            cost([*PROGRAM, "login", "add", f"sessionid={World.SESSION}"], self.env)

    def dyvine(self, *arguments: str) -> Cost:
        """A whole run into an empty folder, with an archive that knows nothing."""
        return cost([*PROGRAM, *self.anew(), "-q", *arguments], self.env)

    def anew(self) -> list[str]:
        """The options of such a run."""
        for left in (self._place / "home").rglob("archive.sqlite3*"):
            left.unlink()
        return ["--pace", "off", "-P", str(emptied(self.out))]

    def addresses(self, *arguments: str) -> list[str]:
        """The finished list of media addresses."""
        command = [*PROGRAM, "--pace", "off", "-g", *arguments]
        return subprocess.run(
            command, env=self.env, capture_output=True, text=True, check=True
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

    def curl(self, addresses: Sequence[str], at_once: int = 16) -> Cost:
        """A finished list with curl."""
        emptied(self.out)
        entries = []
        for number, (here, host) in enumerate(map(self.stand_in.here, addresses)):
            named = {**MEDIA_HEADERS, "Host": host}
            heads = [f'header = "{name}: {value}"' for name, value in named.items()]
            lines = [f'url = "{here}"', f'output = "{self.out}/{number}"', "silent", "show-error", "fail"]
            entries.append("\n".join([*lines, *heads]))
        wanted = self._place / "config"
        wanted.write_text("\nnext\n".join(entries) + "\n", encoding="utf-8")
        return cost(["curl", "--parallel", "--parallel-max", str(at_once), "-K", str(wanted)])

    def bare(self, addresses: Sequence[str], connections: int = 16, *, split: int = 0) -> Cost:
        """A finished list with bare asyncio sockets; a file of `split` bytes comes in a range for each connection."""
        wanted = []
        for number, url in enumerate(addresses):
            parts = urlsplit(url)
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            each = {"host": parts.netloc, "path": path, "headers": MEDIA_HEADERS, "out": str(number)}
            step = -(-split // connections)
            ranges = [{"start": at, "end": min(at + step, split)} for at in range(0, split, step or 1)]
            wanted += [{**each, **one} for one in ranges] or [each]
        listed = self._place / "requests"
        listed.write_text(json.dumps(wanted), encoding="utf-8")
        command = [sys.executable, str(HERE / "bare.py"), str(self.stand_in.port), str(listed)]
        return cost([*command, str(emptied(self.out)), str(connections)])

    def connections(self) -> int:
        """How many connections to media hosts were opened since it was asked last."""
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
        if has("curl"):
            contenders["curl --parallel"] = lambda: course.curl(course.addresses("user", PICTURES))
        contenders["bare asyncio"] = lambda: course.bare(course.addresses("user", PICTURES))
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
            contenders["bare asyncio, 16 ranges"] = lambda: course.bare(
                course.addresses("post", BIG), split=BIG_SIZE
            )
        else:
            against, bars = "curl", {"dyvine post": "bar 2.0 x wall, 2.0 x CPU + hashing"}
            contenders["hashing"] = lambda: hashing(course)
            if has("curl"):
                contenders[against] = lambda: course.curl(course.addresses("post", BIG)[:1])
            contenders["bare asyncio"] = lambda: course.bare(course.addresses("post", BIG)[:1])
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
    """Ten seconds under `--limit-rate`, of many files and of one over several connections."""
    with platform(rtt=0.04) as stand_in:
        course = Course(place, stand_in)
        for title, rate, arguments in (
            ("1,000 pictures", 3_000_000, ["user", PICTURES, "-N", "16"]),
            ("one large file", 20_000_000, ["post", BIG]),
        ):
            command = [*PROGRAM, *course.anew(), "-q", *arguments, "-r", str(rate)]
            with subprocess.Popen(command, env=course.env) as process:
                speed = speed_of(course.out, after=2 * rate)
                process.terminate()
            print(
                f"\n--limit-rate {rate / 1e6:.0f}M, {title}: {speed / 1e6:.3f} MB/s over 10 s"
                f"  (bar {rate * 0.95 / 1e6:.2f} to {rate * 1.05 / 1e6:.2f})"
            )


def speed_of(folder: Path, *, after: int) -> float:
    """Bytes a second that reach the disk in ten seconds, once so many have."""
    while (there := on_disk(folder)) < after:
        time.sleep(0.02)
    began = time.perf_counter()
    time.sleep(10)
    return (on_disk(folder) - there) / (time.perf_counter() - began)


def on_disk(folder: Path) -> int:
    """Bytes in files below a folder; holes do not count."""
    total = 0
    for each in folder.rglob("*"):
        with suppress(FileNotFoundError):  # it got its final name meanwhile
            found = each.stat()
            total += min(found.st_size, found.st_blocks * 512) if each.is_file() else 0
    return total


def connections(place: Path) -> None:
    """Connections and TLS handshakes of the account of 200 posts."""
    with platform(rtt=0.04, rate="8M", tls=True) as stand_in:
        course = Course(place, stand_in, login=True)
        before = stand_in.ask("/counts")
        course.connections()
        course.dyvine("user", ACCOUNT, "-N", "16")
        after = stand_in.ask("/counts")
        count, size = files_of(course.out)
        ours = 2  # questions of this bench
        print(f"\naccount of 200 posts over TLS: {count} files, {size / 1e6:.0f} MB")
        print(
            f"  {after['answers'] - before['answers'] - ours} answers over"
            f" {after['connections'] - before['connections'] - ours} connections,"
            f" {after['handshakes'] - before['handshakes'] - ours} handshakes;"
            f" {course.connections()} connections to media hosts"
        )


def flushes(place: Path) -> None:
    """How long the account of 200 posts, 1,000 pictures and one large file spend in flushes."""
    print("\nflushes to the disk")
    with platform(rtt=0.04, rate="8M") as stand_in:
        course = Course(place, stand_in, login=True)
        for title, rate, arguments in (
            ("account of 200 posts", 8_000_000, ["user", ACCOUNT, "-N", "16"]),
            ("1,000 pictures", None, ["user", PICTURES, "-N", "16"]),
            ("500 MB, no limit", None, ["post", BIG]),
        ):
            stand_in.ask("/line", {"rate": rate})
            report = place / "flushes"
            cost(
                [sys.executable, str(HERE / "flushes.py"), str(report), *course.anew(), "-q", *arguments],
                course.env,
            )
            found = json.loads(report.read_text(encoding="utf-8"))
            share = found["together"] / found["wall"]
            print(
                f"  {title:24} {found['flushes']:5} flushes, {found['added']:6.2f} s in threads;"
                f" under way for {found['together']:5.2f} of {found['wall']:5.2f} s ({share:.0%})"
            )


@contextmanager
def screen() -> Iterator[int]:
    """A terminal of 120 columns that somebody reads."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def read() -> None:
        with suppress(OSError):
            while os.read(ours, 1 << 16):
                pass

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield theirs
    finally:
        os.close(theirs)
        reader.join()
        os.close(ours)


def progress(place: Path, runs: int) -> None:
    """What the display costs: the account of 200 posts on a terminal, with and without it."""
    with platform(rtt=0.04, rate="3M") as stand_in:
        course = Course(place, stand_in, login=True)
        course.env["TERM"] = "xterm-256color"

        def run(*arguments: str) -> Cost:
            with screen() as terminal:
                command = [*PROGRAM, *course.anew(), *arguments, "user", ACCOUNT, "-N", "16"]
                return cost(command, course.env, terminal=terminal)

        taken: dict[str, list[Cost]] = {"with": [], "without": []}
        for _ in range(runs):
            taken["with"].append(run())
            taken["without"].append(run("--no-progress"))
        cpu = {name: statistics.median(each.cpu for each in all_) for name, all_ in taken.items()}
        wall = statistics.median(each.wall for each in taken["with"])
        more = cpu["with"] - cpu["without"]
        print(
            f"\nprogress display over {wall:.1f} s: CPU {cpu['with']:.2f} s with it, {cpu['without']:.2f} s without;"
            f" {more / wall:.1%} of a processor  (bar 3 %), {more / cpu['without']:.0%} of the run's own"
        )


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    names = "pictures, throttled, unlimited, limited, connections, flushes, progress"
    parser.add_argument("only", nargs="*", help=f"{names}; none for all")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        works: dict[str, Callable[[], None]] = {
            "pictures": lambda: pictures(Path(folder, "pictures"), options.runs),
            "throttled": lambda: one_file(Path(folder, "throttled"), options.runs, rate="20M", rtt=0.04),
            "unlimited": lambda: one_file(Path(folder, "unlimited"), options.runs, rate=None, rtt=0.0),
            "limited": lambda: limited(Path(folder, "limited")),
            "connections": lambda: connections(Path(folder, "connections")),
            "flushes": lambda: flushes(Path(folder, "flushes")),
            "progress": lambda: progress(Path(folder, "progress"), options.runs),
        }
        for name in options.only or works:
            works[name]()
        print(f"\nload average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)


if __name__ == "__main__":
    main()
