"""An archive of a million files: its size, and how long people and runs wait for it.

400,000 posts of 2,000 accounts: 300,000 videos, 100,000 picture posts of six pictures and a sound, names of 80 bytes.
Bars: the file under 200 MB, `archive stats` under 0.5 s with the program's start, a membership check under 20 µs. The
archive is made in a folder of its own below the system's temporary one and removed at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from measure import PROGRAM, surroundings

from dyvine_cli.archive.base import CompletePost, SavedAsset
from dyvine_cli.archive.holdings import FileFilter
from dyvine_cli.archive.sqlite import SqliteArchive
from dyvine_cli.models import Author, Ref

ACCOUNTS, VIDEOS, PICTURES = 2_000, 300_000, 100_000
FIRST = datetime(2020, 1, 1, tzinfo=UTC)
TITLE = "清晨在外婆家遇见一只橘猫慢慢走过长长的巷子"
MOST_BYTES, MOST_SECONDS, MOST_MICROSECONDS = 200_000_000, 0.5, 20.0
CHECKS, RUNS = 20_000, 5


def account(number: int) -> Author:
    """One of the accounts; ids as long as real ones."""
    id = "MS4wLjABAAAA" + hashlib.sha256(str(number).encode()).hexdigest()[:43]
    return Author(
        id=id, uid=str(3_290_000_000_000_000 + number), handle=f"user_{number}", nickname=f"星野{number}"
    )


def post(number: int) -> tuple[Ref, Author, datetime]:
    """One of the posts, the accounts' in turn."""
    author = account(number % ACCOUNTS)
    return (
        Ref("douyin", "post", str(7_000_000_000_000_000_000 + number * 1_700_000_003)),
        author,
        FIRST + timedelta(minutes=number),
    )


def files(number: int) -> Iterator[SavedAsset]:
    """The files of a post."""
    ref, author, created = post(number)
    folder = Path("/srv/videos/douyin", f"{author.nickname}_{author.uid}")
    stem = f"{created:%Y-%m-%d}_{ref.id}_{TITLE}"
    parts = [("video", "", "mp4")] if number % 4 else [
        *((f"picture_{page:02}", f"_{page:02}", "jpg") for page in range(1, 7)), ("sound", "_sound", "mp3")
    ]  # fmt: skip
    for asset, part, ext in parts:
        yield SavedAsset(
            ref=ref, asset=asset, user=author.id, path=folder / f"{stem}{part}.{ext}", size=5_000_000 + number,
            sha256=hashlib.sha256(f"{ref.id}{asset}".encode()).hexdigest(), saved=created,
            codec="h265" if asset == "video" else None, width=1080, height=1920,
        )  # fmt: skip


async def fill(path: Path) -> None:
    """Make the archive as runs would, a thousand posts a transaction."""
    archive = SqliteArchive.open(path)
    for number in range(ACCOUNTS):
        await archive.add_user("douyin", account(number), seen=FIRST)
    numbers = iter(range(VIDEOS + PICTURES))
    while some := list(islice(numbers, 1000)):
        await archive.add_saved([row for number in some for row in files(number)])
        await archive.add_posts(
            [
                CompletePost(ref=ref, user=author.id, created=created, completed=created)
                for ref, author, created in map(post, some)
            ]
        )
    await archive.aclose()


async def asked(path: Path) -> dict[str, float]:
    """Microseconds of the questions that runs ask, each the mean of many."""
    archive = SqliteArchive.open(path)
    known = [post(number * 17 % (VIDEOS + PICTURES))[0] for number in range(CHECKS)]
    strange = [Ref("douyin", "post", ref.id[:-1] + "x") for ref in known]
    found = {}
    for name, refs in (("membership, known", known), ("membership, unknown", strange)):
        begun = time.perf_counter()
        for ref in refs:
            await archive.knows(ref)
        found[name] = (time.perf_counter() - begun) / len(refs) * 1e6
    begun = time.perf_counter()
    for number in range(100):
        await archive.posts_of("douyin", account(number).id)
    found["posts of an account (200)"] = (time.perf_counter() - begun) / 100 * 1e6
    user = Ref("douyin", "user", account(7).id)
    begun = time.perf_counter()
    page = await archive.files(FileFilter(user=user), limit=1000)
    found[f"files of an account ({len(page)})"] = (time.perf_counter() - begun) * 1e6
    await archive.aclose()
    return found


def seconds(arguments: Sequence[str], home: Path) -> float:
    """The median wall time of the program; the archive is read from the system's cache."""
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        subprocess.run([*PROGRAM, *arguments], env=surroundings(home), check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def main() -> int:
    """Make the archive, ask it, print what it takes; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="a folder to make the archive in, and leave it there")
    given = parser.parse_args()
    home = given.keep or Path(tempfile.mkdtemp(prefix="dyvine-bench-"))
    path = home / "state" / "archive.sqlite3"
    try:
        if not path.exists():
            begun = time.perf_counter()
            asyncio.run(fill(path))
            print(f"made in {time.perf_counter() - begun:.0f} s")
        return judge(path, home)
    finally:
        if given.keep is None:
            shutil.rmtree(home)


def judge(path: Path, home: Path) -> int:
    """Measure and compare with the bars."""
    size = path.stat().st_size
    stats = seconds(["archive", "stats"], home)
    first = seconds(["archive", "list", "--limit", "100"], home)
    questions = asyncio.run(asked(path))
    print(f"{'file':30} {size / 1e6:8.1f} MB   (bar {MOST_BYTES / 1e6:.0f})")
    print(f"{'archive stats':30} {stats:8.2f} s    (bar {MOST_SECONDS})")
    print(f"{'archive list --limit 100':30} {first:8.2f} s")
    for name, took in questions.items():
        bar = f"   (bar {MOST_MICROSECONDS:.0f})" if name.startswith("membership") else ""
        print(f"{name:30} {took:8.1f} µs{bar}")
    slowest = max(took for name, took in questions.items() if name.startswith("membership"))
    return int(size > MOST_BYTES or stats > MOST_SECONDS or slowest > MOST_MICROSECONDS)


if __name__ == "__main__":
    sys.exit(main())
