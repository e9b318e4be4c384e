"""SIGKILL at random moments: what is on the disk afterwards, and how much of it the next run fetches again.

A process downloads an account (24 posts, 54 files) or, every tenth time, one file of 500 MB over several connections.
It is killed once to three times and then left alone. At the end every file must be right, none recorded without being
there, none twice; and the last run may fetch nothing that could be continued. Prints its seed; ends with status 1 at
the first broken promise, leaving the folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import PROGRAM, Platform, platform, surroundings

from dyvine_cli.simulator.world import World

EVERY = 10
"""Of so many runs one is of the large file."""


@dataclass(frozen=True)
class Job:
    """What is downloaded: the command, the simulator's bytes per second and connection, and what may come twice.

    `slack` bytes are what connections may have sent that nobody took: a piece of which another one fetched the end.
    """

    name: str
    words: tuple[str, ...]
    rate: float
    slack: int


ACCOUNT = Job("account", ("user", f"https://www.douyin.com/user/{World.OPEN}"), 1_500_000, 0)
LARGE = Job("large", ("post", f"https://www.douyin.com/video/{World.BIG}"), 40_000_000, 16 << 20)


class Broken(Exception):
    """A promise that was not kept."""


class Scene:
    """One job in a folder of its own, and what a whole run of it brings."""

    def __init__(self, place: Path, job: Job, stand_in: Platform) -> None:
        self.job = job
        self.place = place
        self.stand_in = stand_in
        self.known: dict[str, tuple[int, str]] = {}
        stand_in.ask("/line", {"rate": job.rate})
        began = time.monotonic()
        self.run(place / "reference")
        self.lasts = time.monotonic() - began
        self.known = hashed(place / "reference" / "out")

    def command(self, folder: Path) -> list[str]:
        """The call of a whole run."""
        return [*PROGRAM, "--pace", "off", "-q", *self.job.words, "-P", str(folder / "out")]

    def run(self, folder: Path) -> None:
        """Run to the end."""
        env = surroundings(folder / "home", self.stand_in)
        done = subprocess.run(self.command(folder), env=env, capture_output=True, text=True)
        if done.returncode:
            raise Broken(f"a run ended with status {done.returncode}: {done.stderr[-1000:]}")

    def kill(self, folder: Path, moment: float) -> bool:
        """Run and kill after `moment` seconds; whether there was something left to kill."""
        env = surroundings(folder / "home", self.stand_in)
        process = subprocess.Popen(
            self.command(folder), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        _, said = process.communicate()
        if process.returncode not in (0, -signal.SIGKILL):
            raise Broken(f"a run ended with status {process.returncode}: {said.decode()[-1000:]}")
        return process.returncode != 0

    def fetched(self) -> int:
        """Bytes of media that the simulator sent since it was asked last."""
        log = self.stand_in.ask("/log", {"clear": True})
        return sum(each["sent"] for each in log["requests"] if each["kind"])


def hashed(folder: Path) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 of every file below a folder, by its path there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found[str(path.relative_to(folder))] = path.stat().st_size, digest
    return found


def recorded(home: Path) -> list[tuple[Path, int, bytes]]:
    """Path, size and hash of every row of the archive."""
    places = list(home.rglob("archive.sqlite3"))
    if not places:
        return []
    archive = sqlite3.connect(places[0])
    try:
        if not archive.execute("SELECT 1 FROM sqlite_master WHERE name = 'saved'").fetchone():
            return []  # it struck before the archive was made
        return [
            (Path(folder, name[:shared] + rest), size, sha256)
            for folder, name, shared, rest, size, sha256 in archive.execute(
                "SELECT folder.path, post.name, saved.shared, saved.rest, saved.size, saved.sha256 FROM saved"
                " JOIN post ON post.site = saved.site AND post.post = saved.post"
                " JOIN folder ON folder.id = coalesce(saved.folder, post.folder)"
            )
        ]
    finally:
        archive.close()


def check_rows(folder: Path) -> int:
    """Every row's file stands there with its bytes, and none twice; how many rows there are."""
    rows = recorded(folder / "home")
    for path, size, sha256 in rows:
        if not path.is_file():
            raise Broken(f"recorded and not there: {path}")
        content = path.read_bytes()
        if len(content) != size or hashlib.sha256(content).digest() != sha256:
            raise Broken(f"recorded with other bytes: {path}")
    if len({path for path, *_ in rows}) != len(rows):
        raise Broken("one file is recorded twice")
    return len(rows)


def to_fetch(folder: Path, known: Mapping[str, tuple[int, str]]) -> int:
    """Bytes that are neither under a final name nor in a part whose note vouches for them."""
    out, missing = folder / "out", 0
    for name, (size, _) in known.items():
        if not (out / name).exists():
            missing += size - kept(out / name)
    return missing


def kept(path: Path) -> int:
    """Bytes that the part of a file has; its name may have had another extension."""
    for part in path.parent.glob(f"{globbed(path.stem)}.*.part"):
        note = part.with_name(part.name + ".json")
        text = note.read_text() if note.exists() else ""
        if not text:  # it struck before the first byte, which the note precedes
            return 0
        facts: dict[str, Any] = json.loads(text)
        if facts["written"] is None:
            return part.stat().st_size
        return sum(end - start for start, end in facts["written"])
    return 0


def globbed(text: str) -> str:
    """A name in which nothing is a pattern."""
    return "".join(f"[{letter}]" if letter in "[]*?" else letter for letter in text)


def one_run(scene: Scene, folder: Path, dice: random.Random) -> Counter[str]:
    """Kill once to three times, then run to the end and look; what was counted."""
    seen: Counter[str] = Counter()
    for _ in range(dice.randint(1, 3)):
        moment = dice.uniform(0.15, scene.lasts * 1.05)
        seen["kills"] += scene.kill(folder, moment)
        seen["rows checked"] += check_rows(folder)
        seen["parts left"] += len(list((folder / "out").rglob("*.part")))
    expected = to_fetch(folder, scene.known)
    scene.fetched()
    scene.run(folder)
    fetched = scene.fetched()
    if fetched > expected + scene.job.slack:
        raise Broken(f"{fetched} bytes were fetched where {expected} were missing")
    seen["bytes kept"] += sum(size for size, _ in scene.known.values()) - expected
    seen["bytes fetched"] += fetched
    if hashed(folder / "out") != scene.known:
        raise Broken("the files are not those of a run that was left alone")
    if check_rows(folder) != len(scene.known):
        raise Broken("not every file is recorded")
    seen["files right"] += len(scene.known)
    return seen


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=None, help="of the moments; a new one if none is given")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else time.time_ns() % 10**9
    print(f"seed {seed}", flush=True)
    dice, seen = random.Random(seed), Counter[str]()
    place = Path(tempfile.mkdtemp(prefix="bench-kill-"))
    with platform(rtt=0.02) as stand_in:
        for job, runs in ((ACCOUNT, options.runs - options.runs // EVERY), (LARGE, options.runs // EVERY)):
            scene = Scene(place / job.name, job, stand_in)
            for number in range(runs):
                folder = place / job.name / str(number)
                try:
                    seen += one_run(scene, folder, dice)
                except Broken as broken:
                    print(f"{job.name} {number}: {broken}\nleft in {folder}", file=sys.stderr)
                    return 1
                shutil.rmtree(folder)
            print(f"{job.name}: {runs} runs; {dict(seen)}", flush=True)
    shutil.rmtree(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
