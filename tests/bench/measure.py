"""What the benches share: the simulator as a process, interleaved runs, medians, and a table with ratios."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PROGRAM = [sys.executable, "-m", "dyvine_cli"]
MEDIA_HEADERS = {
    "Referer": "https://www.douyin.com/",
    "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36",
}
"""What the media hosts want to see; other programs have to be told."""


@dataclass(frozen=True)
class Platform:
    """A running simulator."""

    port: int
    connect_to: str
    ca_file: str | None = None

    def ask(self, path: str, wish: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Talk to its control host; `/log` tells what was asked of it."""
        connection = self._connection()
        connection.request("POST", path, json.dumps(wish or {}), {"Host": "control.simulator"})
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def _connection(self) -> http.client.HTTPConnection:
        if self.ca_file is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        context = ssl.create_default_context(cafile=self.ca_file)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)

    def here(self, url: str) -> tuple[str, str]:
        """An address of a media host as it is reached here, and the host that stands in its `Host` header."""
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return f"http://127.0.0.1:{self.port}{parts.path}{query}", parts.netloc


@contextmanager
def platform(*, rtt: float, rate: str | None = None, tls: bool = False) -> Iterator[Platform]:
    """A simulator with a round-trip time in seconds and a rate per connection such as `8M`."""
    command = [sys.executable, "-m", "dyvine_cli.simulator", "--rtt", str(rtt)]
    command += ["--rate", rate] if rate else []
    command += ["--tls"] if tls else []
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    facts = json.loads(process.stdout.readline())
    try:
        yield Platform(facts["port"], facts["connect_to"], facts.get("ca_file"))
    finally:
        process.communicate()


def surroundings(home: Path, stand_in: Platform | None = None) -> dict[str, str]:
    """The variables of a run that knows nothing of the person's own settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    reach = {"DYVINE_CONNECT_TO": stand_in.connect_to} if stand_in else {}
    if stand_in and stand_in.ca_file:
        reach["DYVINE_CA_FILE"] = stand_in.ca_file
    return {**kept, **reach, "DYVINE_HOME": str(home), "LC_ALL": "C.UTF-8"}


def seconds(command: Sequence[str], **options: Any) -> float:
    """How long a command takes; one that fails ends the bench with what it said."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    took = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"{' '.join(command)[:200]}: status {done.returncode}\n{done.stderr[-2000:]}")
    return took


def interleaved(contenders: Mapping[str, Callable[[], float]], runs: int) -> dict[str, float]:
    """The median seconds of each, taken in turns so that a busy moment hits all of them; the first turn is thrown away."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(runs + 1):
        for name, run in contenders.items():
            took = run()
            if turn:
                taken[name].append(took)
    return {name: statistics.median(each) for name, each in taken.items()}


def table(title: str, medians: Mapping[str, float], *, against: str, bars: Mapping[str, str]) -> None:
    """Print medians, their ratio to one of them, and the bar that each has to meet."""
    print(f"\n{title}")
    width = max(map(len, medians))
    for name, median in medians.items():
        ratio = median / medians[against] if against in medians else float("nan")
        print(f"  {name:<{width}}  {median:8.3f} s  {ratio:6.2f} x  {bars.get(name, '')}".rstrip())


def has(program: str) -> bool:
    """Whether a program is installed; without it its row is missing and the bench says so."""
    if shutil.which(program):
        return True
    print(f"({program} is not installed: no row for it)", file=sys.stderr)
    return False


def files_of(folder: Path) -> tuple[int, int]:
    """Number and bytes of the files below a folder."""
    found = [each.stat().st_size for each in folder.rglob("*") if each.is_file()]
    return len(found), sum(found)


def emptied(folder: Path) -> Path:
    """The folder, without anything in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
