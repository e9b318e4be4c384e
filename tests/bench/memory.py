"""20,000 posts streamed through: memory, open files and connections on the way. Linux only.

Bars: peak memory at the end within 20 MB of that at post 1,000; never more open files than `-N` asks for several times
over, never more connections than the hosts' slots.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from measure import PROGRAM, platform, seconds, surroundings

from dyvine_cli.simulator.world import World

MARKS = (1_000, 2_000, 5_000, 10_000, 15_000, 19_900)
PARALLEL = 16
GROWTH = 20_000_000
MOST_FILES = 12 * PARALLEL
"""Bar of open files besides sockets: a part, its folder and its note for each transfer and for some that wait."""
MOST_SOCKETS = 6 * PARALLEL
"""Bar of connections: sixteen to each of a few hosts."""
EVERY = 0.1
"""Seconds between two looks."""


class Watch(threading.Thread):
    """Looks at a process ten times a second; what it held at most."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._place = Path("/proc", str(process))
        self.peak = self.files = self.sockets = 0

    def run(self) -> None:
        """Look until the process is gone."""
        with suppress(OSError):
            while True:
                self.look()
                time.sleep(EVERY)

    def look(self) -> None:
        """Memory from the system's own high-water mark, descriptors by what they lead to."""
        lines = (self._place / "status").read_text().splitlines()
        self.peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
        targets = [target_of(each) for each in (self._place / "fd").iterdir()]
        sockets = sum(target.startswith("socket:") for target in targets)
        self.sockets = max(self.sockets, sockets)
        self.files = max(self.files, len(targets) - sockets)

    def __str__(self) -> str:
        return (
            f"peak {self.peak / 1e6:6.1f} MB, at most {self.files:3} open files and {self.sockets:3} sockets"
        )


def target_of(descriptor: Path) -> str:
    """What a descriptor leads to; nothing if it was closed meanwhile."""
    try:
        return str(descriptor.readlink())
    except FileNotFoundError:
        return ""


def main() -> int:
    """Download the account and print what stands at each mark; 1 if a bar was missed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as place, platform(rtt=0.0) as stand_in:
        env = surroundings(Path(place, "home"), stand_in)
        seconds([*PROGRAM, "login", "add", f"sessionid={World.SESSION}"], env=env)
        link = f"https://www.douyin.com/user/{World.ACCOUNTS[20_000]}"
        options = ["--pace", "off", "-q", "--json", "-N", str(PARALLEL), "-P", str(Path(place, "out"))]
        with subprocess.Popen(
            [*PROGRAM, *options, "user", link], env=env, stdout=subprocess.PIPE, text=True
        ) as process:
            watch = Watch(process.pid)
            watch.start()
            posts, peaks = follow(process, watch)
        most = stand_in.ask("/counts")["most_open"] - 1  # one is ours
    grown = peaks[max(peaks)] - peaks[MARKS[0]]
    print(f"{posts} posts, status {process.returncode}; load average {os.getloadavg()[0]:.1f}")
    print(f"  from post {MARKS[0]:,} on {grown / 1e6:5.1f} MB more     (bar {GROWTH / 1e6:.0f} MB)")
    print(f"  open files at most {watch.files:8}     (bar {MOST_FILES})")
    print(f"  connections at most {most:7}     (bar {MOST_SOCKETS})")
    missed = grown > GROWTH or watch.files > MOST_FILES or max(most, watch.sockets) > MOST_SOCKETS
    return int(missed or process.returncode != 0)


def follow(process: subprocess.Popen[str], watch: Watch) -> tuple[int, dict[int, int]]:
    """Read the events to the end; how many posts were saved, and the peak of memory at each mark."""
    assert process.stdout is not None
    posts: set[str] = set()
    peaks: dict[int, int] = {}
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] != "saved" or event["ref"] in posts:
            continue
        posts.add(event["ref"])
        if (count := len(posts)) in MARKS:
            watch.look()
            peaks[count] = watch.peak
            print(f"post {count:6}: {watch}", flush=True)
    return len(posts), peaks


if __name__ == "__main__":
    sys.exit(main())
