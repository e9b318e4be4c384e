"""Large accounts: 2,000 hostile titles byte for byte, 20,000 archived posts in flat memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dyvine_cli.archive.base import CompletePost, SavedAsset
from dyvine_cli.archive.sqlite import SqliteArchive
from dyvine_cli.events import Saved
from dyvine_cli.models import Ref
from dyvine_cli.simulator.content import content
from dyvine_cli.simulator.world import Published, World

from .conftest import Person

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def expected(post: Published, asset: str, ext: str) -> str:
    """The SHA-256 of what the stand-in holds for an asset."""
    kind, _, number = asset.partition("_")
    if kind == "sound":
        return content("mp3", post.track.size, post.track.seed).sha256
    if kind == "picture":
        picture = post.pictures[int(number) - 1]
        return content("webp" if ext == "webp" else "jpeg", picture.size, picture.seed).sha256
    gear = post.gears[0] if kind == "video" else post.pictures[int(number) - 1].clip[0]
    return content(gear.codec, gear.size, gear.seed).sha256


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def test_two_thousand_hostile_titles(person: Person) -> None:
    """Every file of the account is there under a name of its own, and is the platform's byte for byte."""
    person.platform.faults.set("guests-see-all")
    world = person.platform.world
    assert world is not None
    outcome = await person.get(f"douyin:user:{World.ACCOUNTS[2000]}", parallel=16)
    saved = outcome.of(Saved)
    media = [event for event in saved if event.asset != "text"]
    wrong = [
        event.path.name
        for event in media
        if digest(event.path) != expected(world.post(event.ref.id), event.asset, event.path.suffix[1:])  # type: ignore[arg-type]
    ]
    balance = outcome.balance

    assert outcome.code == 0
    assert (balance.declared, balance.listed, balance.hidden, balance.failed) == (2000, 1995, 5, 0)
    assert balance.complete
    assert {event.ref.id for event in saved} == {
        world.at(account, n).id
        for account in [world.account(World.ACCOUNTS[2000])]
        for n in range(2000)
        if account is not None and not account.is_hidden(n)
    }
    assert wrong == []
    assert len({event.path for event in saved}) == len(saved) == len(person.files())
    assert len({path.parent for path in person.files()}) == 1


async def fill(archive: Path, account: Ref, posts: int) -> None:
    """Record every video of the account as saved."""
    world = World()
    owner = world.account(account.id)
    assert owner is not None
    refs = [
        Ref("douyin", "post", post.id)
        for post in (world.at(owner, n) for n in range(posts))
        if post.kind == "video" and not post.hidden
    ]
    now = datetime.now(UTC)
    kept = SqliteArchive.open(archive)
    rows = [
        SavedAsset(
            ref=ref,
            asset="video",
            user=account.id,
            path=archive.parent / f"{ref.id}.mp4",
            size=1,
            sha256="0" * 64,
            saved=now,
        )
        for ref in refs
    ]
    await kept.add_saved(rows)
    await kept.add_posts([CompletePost(ref=ref, user=account.id, created=now, completed=now) for ref in refs])
    await kept.aclose()


WITH_ITS_PEAK = """
import atexit, pathlib, resource, sys

def peak():
    status = pathlib.Path("/proc/self/status")
    if status.exists():  # there getrusage counts the process that started this one, too
        lines = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(lines[0].split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

atexit.register(lambda: print(f"peak {peak()}"))
from dyvine_cli.__main__ import main
main()
"""


def peak(person: Person, posts: int) -> float:
    """MB that a run needs at most which lists all of an account and saves nothing."""
    account = Ref("douyin", "user", World.ACCOUNTS[posts])
    home = person.home / str(posts)
    (home / "state").mkdir(parents=True)
    asyncio.run(fill(home / "state" / "archive.sqlite3", account, posts))
    env = {
        **os.environ,
        "DYVINE_HOME": str(home),
        "DYVINE_CONNECT_TO": person.platform.connect_to,
        "DYVINE_PATH": str(home / "downloads"),
    }
    options = ["--full", "--kind", "video", "--pace", "off", "-q"]
    command = [sys.executable, "-c", WITH_ITS_PEAK, "user", str(account), *options]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=500)

    assert done.returncode == 0, done.stderr
    assert not (home / "downloads").exists()
    return float(done.stdout.removeprefix("peak "))


def test_twenty_thousand_archived_posts_in_flat_memory(person: Person) -> None:
    """Ten times as many posts take hardly more memory, and less than 120 MB."""
    person.platform.faults.set("guests-see-all")
    few = peak(person, 2000)
    many = peak(person, 20000)

    assert many < 120
    assert many - few < 25
