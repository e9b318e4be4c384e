"""SIGKILL at random moments: what is on the disk afterwards, and how much of it the next run fetches again.

A process downloads an account (24 posts, 54 files) or, every fifth time, one file of 500 MB over several connections.
It is killed once to three times and then left alone. After each kill everything recorded must stand there with its
bytes; at the end every file must be right, none recorded twice, and the last run may fetch nothing that could be
continued. Prints its seed and its counts; ends with status 1 at the first broken promise, leaving the folder.
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

EVERY = 5
"""Of so many rounds one is of the large file."""
CALM = 10.0
"""Seconds within which the simulator has noticed that a client is gone."""


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
        self.run(place / "reference")
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

    def kill(self, folder: Path, share: float, moment: float) -> bool:
        """Run, and kill `moment` seconds after that share of what is missing was sent; whether it came in time."""
        env = surroundings(folder / "home", self.stand_in)
        until = self.sent() + share * to_fetch(folder, self.known)
        process = subprocess.Popen(
            self.command(folder), env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        while process.poll() is None and self.sent() < until:
            time.sleep(0.003)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        _, said = process.communicate()
        if process.returncode not in (0, -signal.SIGKILL):
            raise Broken(f"a run ended with status {process.returncode}: {said.decode()[-1000:]}")
        return process.returncode != 0

    def sent(self) -> int:
        """Bytes that the simulator sent so far, answers of its interface included."""
        return int(self.stand_in.ask("/counts")["sent"])

    def fetched(self) -> list[dict[str, Any]]:
        """The requests for media since it was asked last, once nobody but us is connected."""
        until = time.monotonic() + CALM
        while self.stand_in.ask("/counts")["open"] > 1 and time.monotonic() < until:
            time.sleep(0.02)
        log = self.stand_in.ask("/log", {"clear": True})
        return [each for each in log["requests"] if each["kind"]]


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


def parts_of(folder: Path) -> dict[str, str]:
    """What an earlier run left of unfinished files: sizes of parts, content of notes."""
    found = {}
    for path in folder.rglob("*.part*"):
        note = path.suffix == ".json"
        found[path.name] = path.read_text("utf-8").strip() if note else str(path.stat().st_size)
    return found


def kept(path: Path) -> int:
    """Bytes that the part of a file has and its note vouches for."""
    part = path.with_name(path.name + ".part")
    note = part.with_name(part.name + ".json")
    text = note.read_text() if note.exists() else ""
    if not text:  # a small file, or it struck before the first byte, which the note precedes
        return 0
    facts: dict[str, Any] = json.loads(text)
    if facts["written"] is None:
        return part.stat().st_size
    return sum(end - start for start, end in facts["written"])


def one_round(scene: Scene, folder: Path, dice: random.Random) -> Counter[str]:
    """Kill once to three times, then run to the end and look; what was counted."""
    seen: Counter[str] = Counter()
    for _ in range(dice.randint(1, 3)):
        share = max(0.0, dice.uniform(-0.15, 1))  # some in the start, most on the way, some at the very end
        moment = dice.uniform(0, 0.1) if share else dice.uniform(0.1, 1)
        seen["kills"] += scene.kill(folder, share, moment)
        seen["rows checked"] += check_rows(folder)
        seen["parts left"] += len(list((folder / "out").rglob("*.part")))
    scene.fetched()
    expected, parts = to_fetch(folder, scene.known), parts_of(folder / "out")
    scene.run(folder)
    requests = scene.fetched()
    fetched = sum(each["sent"] for each in requests)
    if fetched > expected + scene.job.slack:
        found = {"parts": parts, "requests": requests}
        (folder / "last.json").write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
        raise Broken(f"{fetched} bytes were fetched where {expected} were missing: see last.json")
    seen["MB kept"] += (sum(size for size, _ in scene.known.values()) - expected) // 1_000_000
    seen["MB fetched at last"] += fetched // 1_000_000
    if hashed(folder / "out") != scene.known:
        raise Broken("the files are not those of a run that was left alone")
    if check_rows(folder) != len(scene.known):
        raise Broken("not every file is recorded, and once")
    seen["files right"] += len(scene.known)
    return seen


def rounds(place: Path, stand_in: Platform, kills: int, dice: random.Random) -> int:
    """Rounds of both jobs in turns until so many kills have struck; the exit status."""
    scenes = {job.name: Scene(place / job.name, job, stand_in) for job in (ACCOUNT, LARGE)}
    seen = {name: Counter[str](rounds=0) for name in scenes}
    number = 0
    while sum(each["kills"] for each in seen.values()) < kills:
        number += 1
        name = LARGE.name if number % EVERY == 0 else ACCOUNT.name
        folder = place / name / str(number)
        stand_in.ask("/line", {"rate": scenes[name].job.rate})
        try:
            seen[name] += Counter(rounds=1) + one_round(scenes[name], folder, dice)
        except Broken as broken:
            print(f"{name}, round {number}: {broken}\nleft in {folder}", file=sys.stderr)
            return 1
        shutil.rmtree(folder)
        if number % 25 == 0:
            print(f"{number} rounds, {sum(each['kills'] for each in seen.values())} kills", flush=True)
    for name, counts in seen.items():
        print(f"{name}: {', '.join(f'{count} {what}' for what, count in counts.items())}")
    return 0


def main() -> int:
    """Kill as often as asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=None, help="of the moments; a new one if none is given")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else time.time_ns() % 10**9
    print(f"seed {seed}", flush=True)
    place = Path(tempfile.mkdtemp(prefix="bench-kill-"))
    with platform(rtt=0.02) as stand_in:
        status = rounds(place, stand_in, options.kills, random.Random(seed))
    if not status:
        shutil.rmtree(place)
    return status


if __name__ == "__main__":
    sys.exit(main())
