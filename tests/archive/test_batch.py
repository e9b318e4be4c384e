"""Rows that are written together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dyvine_cli.archive.base import CompletePost, SavedAsset
from dyvine_cli.archive.batch import Batch
from dyvine_cli.archive.sqlite import SqliteArchive
from dyvine_cli.errors import DiskFull
from dyvine_cli.models import Author, Ref

pytestmark = pytest.mark.anyio


@pytest.fixture
async def archive() -> AsyncIterator[SqliteArchive]:
    """An archive that is gone after the test."""
    archive = SqliteArchive.in_memory()
    yield archive
    await archive.aclose()


def row(number: int) -> SavedAsset:
    """The video of one post."""
    return SavedAsset(
        ref=Ref("douyin", "post", str(number)),
        asset="video",
        user="u",
        path=Path(f"/v/{number}.mp4"),
        size=1,
        sha256="00" * 32,
        saved=datetime(2026, 1, 31, tzinfo=UTC),
    )


async def count(archive: SqliteArchive) -> int:
    """How many files are recorded."""
    return sum(tally.files for tally in await archive.stats())


async def fill_up(archive: SqliteArchive) -> None:
    """Leave no space for further rows."""
    pages = archive._db.execute("PRAGMA page_count").fetchone()[0]
    archive._db.execute(f"PRAGMA max_page_count = {pages}")


async def test_full_batch_is_written_at_once(archive: SqliteArchive) -> None:
    """The 64th row writes all."""
    async with Batch(archive, wait=60) as batch:
        for number in range(63):
            await batch.add(row(number))
        before = await count(archive)
        await batch.add(row(63))
        after = await count(archive)

    assert (before, after) == (0, 64)


async def test_batch_is_written_when_its_time_has_come(archive: SqliteArchive) -> None:
    """A lone row does not wait for others, and the next one has a time of its own."""
    async with Batch(archive, wait=0.01) as batch, asyncio.timeout(10):
        for number in (1, 2):
            await batch.add(row(number))
            while await count(archive) < number:  # noqa: ASYNC110 - the archive tells nobody
                await asyncio.sleep(0)

    assert await count(archive) == 2


async def test_end_writes_what_is_left(archive: SqliteArchive) -> None:
    """Nothing is lost when the block is left, also by an error."""

    async def broken_run() -> None:
        async with Batch(archive, wait=60) as batch:
            await batch.add(row(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await broken_run()

    assert await count(archive) == 1


async def test_batch_of_nothing_writes_nothing(archive: SqliteArchive) -> None:
    """An idle block is no error."""
    async with Batch(archive) as batch:
        await batch.write()

    assert await count(archive) == 0


async def test_many_savers_share_a_batch(archive: SqliteArchive) -> None:
    """Rows that come from many tasks at once are all written."""
    async with Batch(archive, most=3, wait=60) as batch, asyncio.TaskGroup() as group:
        for number in range(100):
            group.create_task(batch.add(row(number)))

    assert await count(archive) == 100


async def test_cancelled_saver_does_not_lose_the_rows_of_others(archive: SqliteArchive) -> None:
    """Whoever triggers the write may be cancelled in it."""
    async with Batch(archive, wait=60) as batch:
        await batch.add(row(1))
        saver = asyncio.create_task(batch.write())
        await asyncio.sleep(0)
        saver.cancel()
        with pytest.raises(asyncio.CancelledError):
            await saver
        await batch.add(row(2))

    assert await count(archive) == 2


async def test_full_disk_in_the_background_is_raised_by_the_next_call(archive: SqliteArchive) -> None:
    """An error of a write that nobody waited for is not lost."""
    await fill_up(archive)
    batch = Batch(archive, most=5000, wait=0)
    for number in range(2000):
        await batch.add(row(number))
    await asyncio.sleep(0.01)
    with pytest.raises(DiskFull):
        await batch.add(row(3000))


async def test_folders_are_flushed_before_their_rows(archive: SqliteArchive) -> None:
    """A row is written only once what comes before it is done, and that is asked for once a batch."""
    seen: list[int] = []

    async def before() -> None:
        seen.append(await count(archive))

    async with Batch(archive, before=before, most=3, wait=60) as batch:
        for number in range(5):
            await batch.add(row(number))

    assert seen == [0, 3]


async def test_a_row_is_not_written_where_its_folder_could_not_be_flushed(archive: SqliteArchive) -> None:
    """What fails before the rows fails the batch."""

    async def before() -> None:
        raise DiskFull("no space")

    with pytest.raises(DiskFull):
        async with Batch(archive, before=before, wait=60) as batch:
            await batch.add(row(1))

    assert await count(archive) == 0


async def test_a_post_is_complete_after_the_rows_of_its_files(archive: SqliteArchive) -> None:
    """Posts and their authors come with the same batch, and never before their files."""
    ref, now = Ref("douyin", "post", "1"), datetime(2026, 1, 31, tzinfo=UTC)
    author = Author(id="u", uid="1", handle="h", nickname="n")
    post = CompletePost(ref=ref, user="u", created=now, completed=now)
    seen: list[tuple[int, bool]] = []

    async def before() -> None:
        seen.append((await count(archive), await archive.knows(ref)))

    async with Batch(archive, before=before, most=2, wait=60) as batch:
        await batch.add(row(1))
        await batch.complete(post, author, seen=now)
        early = await archive.knows(ref)
        await batch.add(row(2))
        late = await archive.knows(ref)

    known = await archive.user("douyin", "u")
    assert (early, late) == (False, True)
    assert seen == [(0, False)]
    assert known is not None
    assert known.names[0].nickname == "n"
