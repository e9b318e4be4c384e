"""An archive that may not be read or written, and a disk without room: each is told apart, and what can be read is."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from dyvine_cli.archive import schema
from dyvine_cli.archive.database import REBUILD
from dyvine_cli.archive.salvage import damage
from dyvine_cli.archive.sqlite import SqliteArchive
from dyvine_cli.errors import ArchiveError, DiskFull
from tests.archive.test_sqlite import filled, post, row, unprivileged

pytestmark = pytest.mark.anyio


@pytest.fixture
async def place() -> AsyncIterator[Path]:
    """A closed archive with three rows, where another user may look."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state", "archive.sqlite3")
        await filled(path, 3)
        for each in (path.parent, path.parent.parent):
            each.chmod(0o755)
        yield path
        path.parent.chmod(0o755)


@contextlib.contextmanager
def closed(path: Path, file: int, folder: int) -> Iterator[None]:
    """As someone who has no more than these rights."""
    path.chmod(file)
    path.parent.chmod(folder)
    with unprivileged():
        yield
    path.parent.chmod(0o755)


def lock_up(path: Path) -> None:
    """Take every right."""
    path.chmod(0)


def cover(path: Path) -> None:
    """Put a folder in its place."""
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    """Put a pipe in its place, which nobody writes into."""
    path.unlink()
    os.mkfifo(path)


def close_folder(path: Path) -> None:
    """Take the right to look into the folder."""
    path.parent.chmod(0)


@pytest.mark.parametrize(
    ("harm", "complaint"),
    [
        pytest.param(lock_up, "cannot be opened", id="no right"),
        pytest.param(close_folder, "cannot be opened", id="no right in the folder"),
        pytest.param(cover, "is not a file", id="folder"),
        pytest.param(pipe, "is not a file", id="pipe"),
    ],
)
async def test_what_cannot_be_opened_is_not_taken_for_damage(
    place: Path, harm: Callable[[Path], None], complaint: str
) -> None:
    """Before a rebuilding it is an ArchiveError with its cure, never a fault of SQLite's."""
    harm(place)
    with unprivileged(), pytest.raises(ArchiveError, match=complaint) as caught:
        damage(place)

    assert caught.value.hint
    assert REBUILD not in caught.value.hint


@pytest.mark.parametrize(
    ("file", "folder"),
    [
        pytest.param(0o444, 0o555, id="both"),
        pytest.param(0o666, 0o555, id="folder"),
        pytest.param(0o444, 0o777, id="file"),
    ],
)
async def test_archive_that_cannot_be_written_is_read(place: Path, file: int, folder: int) -> None:
    """Everything on record is there, nothing is written beside it, and a change is an honest error."""
    with closed(place, file, folder):
        archive = SqliteArchive.open(place, reading=True)
        found = [await archive.saved(post(number), "video") for number in range(3)]
        with pytest.raises(ArchiveError, match="cannot be written"):
            await archive.add_saved([row(9)])
        await archive.aclose()
        with pytest.raises(ArchiveError, match="cannot be written") as caught:
            SqliteArchive.open(place, optional=False)

    assert archive.read_only
    assert found == [row(0), row(1), row(2)]
    assert "--no-archive" not in str(caught.value.hint)
    assert [each.name for each in place.parent.iterdir()] == [place.name]


async def test_archive_that_another_has_open_is_read_with_its_last_rows(place: Path) -> None:
    """They stand in the write-ahead log; a copy without its index says that it cannot be read whole."""
    writer = SqliteArchive.open(place)
    await writer.add_saved([row(9)])
    for each in place.parent.iterdir():
        each.chmod(0o444)
    with closed(place, 0o444, 0o555):
        archive = SqliteArchive.open(place, reading=True)
        found = await archive.saved(post(9), "video")
        await archive.aclose()
    copy = place.parent.parent / "copy" / place.name
    copy.parent.mkdir()
    for ending in ("", "-wal"):
        shutil.copy(f"{place}{ending}", f"{copy}{ending}")
    with closed(copy, 0o444, 0o555), pytest.raises(ArchiveError, match="was not closed") as caught:
        SqliteArchive.open(copy, reading=True)
    await writer.aclose()

    assert found == row(9)
    assert "copy it" in str(caught.value.hint)


async def test_older_archive_that_cannot_be_upgraded_says_so(place: Path) -> None:
    """Its tables are not those that would be asked."""
    later = (*schema.MIGRATIONS, lambda db: None)
    with closed(place, 0o444, 0o555), pytest.raises(ArchiveError, match="older dyvine"):
        SqliteArchive.open(place, reading=True, migrations=later)


async def test_archive_that_can_be_written_is_opened_as_ever(place: Path) -> None:
    """Who only wants to read does not lose anything."""
    archive = SqliteArchive.open(place, reading=True)
    await archive.add_saved([row(9)])
    await archive.aclose()

    assert not archive.read_only


@pytest.mark.parametrize(
    ("free", "error"),
    [
        pytest.param(0, DiskFull, id="full"),
        pytest.param(30_000, DiskFull, id="a tiny rest"),
        pytest.param(10**9, ArchiveError, id="another fault"),
    ],
)
async def test_side_file_that_cannot_grow_is_a_full_disk(
    place: Path, free: int, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite calls it a failing disk; how much is free tells."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(error, match="no space" if error is DiskFull else "disk failed"):
            SqliteArchive.open(place)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
