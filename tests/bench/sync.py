"""What `sync` costs when nothing is new: an account of 2,000 posts with start-up, and the CPU of 1,000 sources.

    python tests/bench/sync.py

The archive of the first is filled by a real run. The second has 1,000 sources on the simulator's accounts: each is the
account of 24 posts under a link of its own, so that everything but the number of accounts is as in life.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import PROGRAM, Platform, emptied, platform, seconds, surroundings, table

from dyvine_cli.simulator.world import World

RTT = 0.04
BAR_SECONDS = 0.6
BAR_CPU = 0.020
LONG = World.ACCOUNTS[2000]


def configure(home: Path, urls: list[str], downloads: Path) -> None:
    """A configuration with these sources."""
    home.mkdir(parents=True, exist_ok=True)
    text = f'path = "{downloads}"\nquality = "worst"\nkind = ["video"]\n'
    text += "".join(f'\n[[source]]\nurl = "{url}"\n' for url in urls)
    (home / "config.toml").write_text(text, encoding="utf-8")


def nothing_new(folder: Path, stand_in: Platform, runs: int) -> None:
    """Seconds and calls of `dyvine -q sync` for one account with all its posts archived."""
    home = emptied(folder / "long")
    configure(home, [f"https://www.douyin.com/user/{LONG}"], folder / "videos")
    env = surroundings(home, stand_in)
    stand_in.ask("/faults", {"set": ["guests-see-all"]})
    stand_in.ask("/line", {"rtt": 0})
    print(f"filling the archive: {seconds([*PROGRAM, '-q', '--pace', 'off', 'sync'], env=env):.1f} s")
    stand_in.ask("/line", {"rtt": RTT})
    taken = []
    for _ in range(runs + 1):
        stand_in.ask("/log", {"clear": True})
        taken.append(seconds([*PROGRAM, "-q", "sync"], env=env))
        requests = stand_in.ask("/log")["requests"]
        if len(requests) != 1 or "/aweme/post/" not in requests[0]["path"]:
            sys.exit(f"not exactly one listing call: {[each['path'] for each in requests]}")
    table(
        f"re-sync of 2,000 archived posts with nothing new, one call, {RTT * 1000:.0f} ms away",
        {"dyvine -q sync": statistics.median(taken[1:])},
        against="dyvine -q sync",
        bars={"dyvine -q sync": f"at most {BAR_SECONDS} s"},
    )


def many(folder: Path, stand_in: Platform, count: int) -> None:
    """The CPU that dyvine's own process takes for each of many sources with nothing new."""
    home = emptied(folder / "many")
    urls = [f"https://www.douyin.com/user/{World.OPEN}?from={number}" for number in range(count)]
    configure(home, urls, folder / "videos")
    env = surroundings(home, stand_in)
    stand_in.ask("/line", {"rtt": 0})
    print(
        f"first run over {count:,} sources: {seconds([*PROGRAM, '-q', '--pace', 'off', 'sync'], env=env):.1f} s"
    )
    usage = []
    for sources in (1, count):
        names = [] if sources == count else [urls[0]]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        done = subprocess.run(
            [*PROGRAM, "--json", "--pace", "off", "sync", *names], env=env, capture_output=True, text=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        rows = json.loads(done.stdout.splitlines()[-1])["sources"]
        if done.returncode or len(rows) != sources or any(row["new"] for row in rows):
            sys.exit(f"status {done.returncode}, {len(rows)} sources\n{done.stderr[-2000:]}")
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        usage.append(cpu)
        print(f"{sources:,} sources: {cpu:.2f} s CPU, {time.perf_counter() - began:.2f} s")
    each = (usage[1] - usage[0]) / (count - 1)
    print(f"CPU of a source with nothing new: {each * 1000:.1f} ms (bar: under {BAR_CPU * 1000:.0f} ms)")


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sources", type=int, default=1000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, platform(rtt=RTT) as stand_in:
        nothing_new(Path(name), stand_in, given.runs)
        many(Path(name), stand_in, given.sources)


if __name__ == "__main__":
    os.environ.pop("DYVINE_HOME", None)
    main()
