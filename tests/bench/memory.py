"""20,000 posts streamed through: memory, open files and connections on the way.

Bars: peak memory at the end within 20 MB of that at post 1,000; open files and connections bounded. Linux only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import PROGRAM, platform, seconds, surroundings

from dyvine_cli.simulator.world import World

MARKS = (1_000, 2_000, 5_000, 10_000, 15_000, 19_900)
BAR = 20_000_000


def state(process: int) -> tuple[int, int]:
    """Peak memory in bytes and number of open files of a process."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return peak * 1024, sum(1 for _ in Path(f"/proc/{process}/fd").iterdir())


def main() -> int:
    """Download the account and print what stands at each mark."""
    peaks: dict[int, int] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as place, platform(rtt=0.0) as stand_in:
        env = surroundings(Path(place, "home"), stand_in)
        seconds([*PROGRAM, "login", "add", f"sessionid={World.SESSION}"], env=env)
        link = f"https://www.douyin.com/user/{World.ACCOUNTS[20_000]}"
        command = [
            *PROGRAM,
            "--pace",
            "off",
            "--json",
            "user",
            link,
            "-N",
            "16",
            "-P",
            str(Path(place, "out")),
        ]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            posts: set[str] = set()
            for line in process.stdout:
                event = json.loads(line)
                if event["event"] != "saved" or event["ref"] in posts:
                    continue
                posts.add(event["ref"])
                if (count := len(posts)) in MARKS:
                    peak, files = state(process.pid)
                    peaks[count] = peak
                    opened = stand_in.ask("/log")["counts"]
                    print(
                        f"post {count:6}: peak {peak / 1e6:6.1f} MB, {files:3} open files,"
                        f" {opened['open'] - 1:3} connections ({opened['most_open'] - 1} at most)",
                        flush=True,
                    )
        last = max(peaks)
        grown = peaks[last] - peaks[MARKS[0]]
        print(
            f"{count} posts, status {process.returncode}; from {MARKS[0]} on {grown / 1e6:.1f} MB more  (bar 20 MB)"
        )
        return int(grown > BAR or process.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
