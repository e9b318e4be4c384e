"""The SQLite file: its permissions, upgrades, other processes, and what may have happened to it."""

# ruff: noqa: ASYNC240 - nothing else runs in the loop of a test

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import dyvine_cli
from dyvine_cli.archive import schema
from dyvine_cli.archive.base import SavedAsset
from dyvine_cli.archive.sqlite import SqliteArchive
from dyvine_cli.errors import ArchiveError, DiskFull
from dyvine_cli.events import Event, Warned
from dyvine_cli.models import Ref

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def post(number: int) -> Ref:
    """The ref of one of our posts."""
    return Ref("douyin", "post", str(number))


def row(number: int, folder: Path = Path("/v/a_1")) -> SavedAsset:
    """The video of one post."""
    return SavedAsset(
        ref=post(number),
        asset="video",
        user="MS4wA",
        path=folder / f"{number}_标题.mp4",
        size=1000,
        sha256="ab" * 32,
        saved=NOW,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the archive is made; the folder is not there yet."""
    return tmp_path / "state" / "archive.sqlite"


@contextlib.contextmanager
def unprivileged() -> Iterator[None]:
    """Without the superuser's right to write everywhere, if the tests have it."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


async def filled(path: Path, count: int = 1) -> None:
    """Make an archive with some rows and close it."""
    archive = SqliteArchive.open(path)
    await archive.add_saved([row(number) for number in range(count)])
    await archive.aclose()


def mode(path: Path) -> int:
    """The permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


async def test_archive_readable_by_others_is_prevented(path: Path) -> None:
    """Folder 0700, file and side files 0600, whatever the umask."""
    before = os.umask(0)
    try:
        archive = SqliteArchive.open(path)
        await archive.add_saved([row(1)])
    finally:
        os.umask(before)
    modes = {file.name: mode(file) for file in path.parent.iterdir()}
    await archive.aclose()

    assert mode(path.parent) == 0o700
    assert modes == {"archive.sqlite": 0o600, "archive.sqlite-wal": 0o600, "archive.sqlite-shm": 0o600}


async def test_archive_opened_up_by_a_copy_is_closed_again(path: Path) -> None:
    """A file that came back from a backup with mode 0644 becomes private."""
    await filled(path)
    path.chmod(0o644)
    await SqliteArchive.open(path).aclose()

    assert mode(path) == 0o600


async def test_settings_of_the_file(path: Path) -> None:
    """Write-ahead log, NORMAL, and the timeout that two runs need."""
    archive = SqliteArchive.open(path)
    found = {
        name: archive._db.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "busy_timeout", "application_id")
    }
    await archive.aclose()

    assert found == {
        "journal_mode": "wal",
        "synchronous": 1,
        "busy_timeout": 5000,
        "application_id": schema.APPLICATION_ID,
    }


async def test_archive_on_a_network_file_system_uses_a_rollback_journal(path: Path) -> None:
    """A write-ahead log needs shared memory, which NFS has not; the person is told."""
    events: list[Event] = []
    archive = SqliteArchive.open(path, report=events.append, network=lambda folder: "nfs4")
    await archive.add_saved([row(1)])
    journal = archive._db.execute("PRAGMA journal_mode").fetchone()[0]
    await archive.aclose()

    assert journal == "delete"
    assert [type(event) for event in events] == [Warned]
    assert isinstance(events[0], Warned)
    assert "nfs4" in events[0].message


async def test_archive_moved_to_a_network_file_system_changes_its_journal(path: Path) -> None:
    """A file that was made on a local disk is changed when it is opened there."""
    await filled(path)
    archive = SqliteArchive.open(path, network=lambda folder: "cifs")
    journal = archive._db.execute("PRAGMA journal_mode").fetchone()[0]
    found = await archive.saved(post(0), "video")
    await archive.aclose()

    assert journal == "delete"
    assert found is not None


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"<html>not a database</html>" * 200, id="html"),
        pytest.param(b"SQLite format 3\x00" + b"\xff" * 4080, id="broken header"),
        pytest.param(b"\x00" * 8192, id="zeros after a power cut"),
    ],
)
def test_corrupt_archive_is_named_with_its_cure(path: Path, content: bytes) -> None:
    """A file that is no database is an ArchiveError, and stays as it is."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ArchiveError) as caught:
        SqliteArchive.open(path)

    assert "damaged" in caught.value.message
    assert caught.value.hint is not None
    assert "move it" in caught.value.hint
    assert path.read_bytes() == content


async def test_archive_damaged_in_the_middle_is_named_with_its_cure(path: Path) -> None:
    """Damage that shows only when a page is read is an ArchiveError too."""
    await filled(path, 2000)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xa5" * (size - 4096 * 2))
    with pytest.raises(ArchiveError, match="damaged"):
        await SqliteArchive.open(path).saved_assets(post(7))


async def test_corrupt_archive_names_the_backup_beside_it(path: Path) -> None:
    """The cure is the newest backup if there is one."""
    path.parent.mkdir()
    path.write_bytes(b"damaged" * 1000)
    (path.parent / "archive.sqlite.before-m002_more").write_bytes(b"")
    (path.parent / "archive.sqlite.before-m003_half.part").write_bytes(b"")
    with pytest.raises(ArchiveError) as caught:
        SqliteArchive.open(path)

    assert caught.value.hint is not None
    assert "archive.sqlite.before-m002_more" in caught.value.hint


def test_database_of_another_program_is_left_alone(path: Path) -> None:
    """A path that points at a browser's history by mistake gets no tables of ours."""
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE visits (url TEXT)")
    with pytest.raises(ArchiveError, match="belongs to another program"):
        SqliteArchive.open(path)
    with contextlib.closing(sqlite3.connect(path)) as other:
        tables = other.execute("SELECT name FROM sqlite_schema").fetchall()

    assert tables == [("visits",)]


@pytest.mark.parametrize(
    "act",
    [
        pytest.param("SELECT no_such_function()", id="function that is not there"),
        pytest.param("SELECT raise(ABORT, 'a\x1b[31mb')", id="text of its own"),
        pytest.param("INSERT INTO no_such_table VALUES (1)", id="table that is not there"),
    ],
)
async def test_trigger_planted_in_the_archive_is_an_archive_error(path: Path, act: str) -> None:
    """Whatever a changed file makes SQLite say is told as the archive's trouble, without control characters."""
    await filled(path)
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute(f"CREATE TRIGGER planted AFTER INSERT ON saved BEGIN {act}; END")
        other.commit()
    archive = SqliteArchive.open(path)
    with pytest.raises(ArchiveError, match="cannot be used") as caught:
        await archive.add_saved([row(99)])
    await archive.aclose()

    assert "\x1b" not in caught.value.message


async def test_read_only_archive_says_so_before_the_first_download(path: Path) -> None:
    """A file without the right to write is an ArchiveError when it is opened."""
    await filled(path)
    path.chmod(0o444)
    path.parent.chmod(0o555)
    path.parent.parent.chmod(0o755)
    path.parent.parent.parent.chmod(0o755)
    with unprivileged(), pytest.raises(ArchiveError) as caught:
        SqliteArchive.open(path)
    path.parent.chmod(0o755)

    assert "cannot be" in caught.value.message
    assert "--no-archive" in str(caught.value.hint)


async def test_folder_without_the_right_to_write_is_an_error_with_its_cure(tmp_path: Path) -> None:
    """The archive cannot even be made."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    with unprivileged(), pytest.raises(ArchiveError, match="cannot be made"):
        SqliteArchive.open(folder / "archive.sqlite")


def test_folder_in_the_archives_place_is_an_error(path: Path) -> None:
    """Something of another kind stands at the path."""
    path.mkdir(parents=True)
    with pytest.raises(ArchiveError, match="is not a file"):
        SqliteArchive.open(path)


async def test_full_disk_is_disk_full(path: Path) -> None:
    """No space for a row is a DiskFull, and the rows before stay."""
    archive = SqliteArchive.open(path)
    await archive.add_saved([row(1)])
    pages = archive._db.execute("PRAGMA page_count").fetchone()[0]
    archive._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskFull):
        await archive.add_saved([row(number) for number in range(2, 2000)])
    found = [await archive.saved(post(number), "video") for number in (1, 2)]
    await archive.aclose()

    assert [item is not None for item in found] == [True, False]


async def test_lock_held_by_another_program_is_named(path: Path) -> None:
    """A program that never lets go is an ArchiveError, not a hang."""
    archive = SqliteArchive.open(path)
    archive._db.execute("PRAGMA busy_timeout = 10")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ArchiveError, match="locked by another program"):
            await archive.add_saved([row(1)])
        other.execute("ROLLBACK")
    await archive.add_saved([row(1)])
    await archive.aclose()


def m002_colour(db: sqlite3.Connection) -> None:
    """A change that a later version could bring."""
    db.execute("ALTER TABLE post ADD COLUMN colour TEXT")


def m003_broken(db: sqlite3.Connection) -> None:
    """A change that fails half-way."""
    db.execute("ALTER TABLE post ADD COLUMN shape TEXT")
    db.execute("INSERT INTO nowhere VALUES (1)")


NEXT = (*schema.MIGRATIONS, m002_colour)


async def test_upgrade_keeps_rows_and_leaves_a_backup(path: Path) -> None:
    """The older file is copied whole, privately, before it is changed; a second opening changes nothing."""
    await filled(path, 3)
    upgraded = SqliteArchive.open(path, migrations=NEXT)
    found = await upgraded.saved(post(2), "video")
    await upgraded.aclose()
    await SqliteArchive.open(path, migrations=NEXT).aclose()
    backup = path.with_name("archive.sqlite.before-m002_colour")
    older = SqliteArchive.open(backup)
    kept = await older.saved(post(2), "video")
    await older.aclose()

    assert found == kept == row(2)
    assert mode(backup) == 0o600
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name, backup.name]


async def test_symlink_planted_at_the_backup_is_not_followed(path: Path) -> None:
    """What it points at stays as it is; backup and temporary name are files of our own."""
    await filled(path)
    victim = path.parent / "victim"
    victim.write_text("precious")
    backup = path.with_name("archive.sqlite.before-m002_colour")
    for planted in (backup, backup.with_name(backup.name + ".part")):
        planted.symlink_to(victim)
    await SqliteArchive.open(path, migrations=NEXT).aclose()

    assert victim.read_text() == "precious"
    assert not backup.is_symlink()


async def test_new_archive_needs_no_backup(path: Path) -> None:
    """A first opening leaves one file."""
    await SqliteArchive.open(path, migrations=NEXT).aclose()

    assert [file.name for file in path.parent.iterdir()] == [path.name]


async def test_failed_upgrade_leaves_the_archive_as_it_was(path: Path) -> None:
    """A migration that fails half-way is rolled back whole, and the cause is told."""
    await filled(path)
    with pytest.raises(ArchiveError, match="nowhere"):
        SqliteArchive.open(path, migrations=(*schema.MIGRATIONS, m003_broken))
    archive = SqliteArchive.open(path)
    columns = {name for _, name, *_ in archive._db.execute("PRAGMA table_info(post)")}
    await archive.aclose()

    assert "shape" not in columns


async def test_archive_of_a_newer_version_is_refused_untouched(path: Path) -> None:
    """Older code does not write into tables that it does not know."""
    await SqliteArchive.open(path, migrations=NEXT).aclose()
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match=r"newer dyvine.*m002_colour") as caught:
        SqliteArchive.open(path)

    assert "update dyvine" in str(caught.value.hint)
    assert path.read_bytes() == before


async def test_applied_migrations_stand_in_the_file_by_name(path: Path) -> None:
    """What was applied can be read without our code."""
    archive = SqliteArchive.open(path)
    names = archive._db.execute("SELECT name FROM migration").fetchall()
    await archive.aclose()

    assert names == [(migration.__name__,) for migration in schema.MIGRATIONS]


async def test_folder_name_that_is_not_utf8_comes_back_byte_by_byte(path: Path) -> None:
    """An old disk may have names in another encoding."""
    folder = Path(os.fsdecode(b"/v/\xb4\xf3\xc2\xbd"))
    archive = SqliteArchive.open(path)
    await archive.add_saved([row(1, folder)])
    found = await archive.saved(post(1), "video")
    await archive.aclose()

    assert found is not None
    assert found.path == row(1, folder).path


async def test_files_can_be_read_with_any_sqlite_tool(path: Path) -> None:
    """The view `file` shows whole names and hashes."""
    await filled(path)
    with contextlib.closing(sqlite3.connect(path)) as tool:
        found = tool.execute("SELECT folder, name, sha256, user FROM file").fetchone()

    assert found == ("/v/a_1", "0_标题.mp4", "ab" * 32, "MS4wA")


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Another process that runs our package."""
    root = str(Path(dyvine_cli.__file__).parent.parent)
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )


WRITER = """
import asyncio, sys
from datetime import datetime, UTC
from pathlib import Path
from dyvine_cli.archive.base import CompletePost, SavedAsset
from dyvine_cli.archive.sqlite import SqliteArchive
from dyvine_cli.models import Author, Ref

async def main(path, first, count, batch):
    archive = SqliteArchive.open(Path(path))
    now = datetime.now(UTC)
    for start in range(first, first + count, batch):
        refs = [Ref("douyin", "post", str(number)) for number in range(start, start + batch)]
        await archive.add_saved([
            SavedAsset(ref=ref, asset=asset, user="u" + ref.id[-1], path=Path("/v", ref.id + asset), size=1,
                       sha256="00" * 32, saved=now)
            for ref in refs for asset in ("picture_01", "picture_02")
        ])
        await archive.add_posts([CompletePost(ref=ref, user="u", created=now, completed=now) for ref in refs])
        await archive.add_user("douyin", Author(id="u", uid="1", handle="h", nickname=refs[0].id), seen=now)
        print(start, flush=True)
    await archive.aclose()

asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
"""


@pytest.mark.parametrize("seed", range(4))
async def test_kill_while_writing_leaves_a_whole_archive(path: Path, seed: int) -> None:
    """After SIGKILL at any moment every finished call is there, an unfinished one is there whole or not at all."""
    batch = 5
    writer = python(WRITER, str(path), "0", "1000000", str(batch))
    assert writer.stdout is not None
    lines = random.Random(seed).randrange(1, 60)
    for _ in range(lines):
        last = int(writer.stdout.readline())
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()
    archive = SqliteArchive.open(path)
    check = archive._db.execute("PRAGMA integrity_check").fetchone()[0]
    rows = archive._db.execute("SELECT count(*) FROM saved").fetchone()[0]
    finished = [await archive.saved_assets(post(number)) for number in range(last + batch)]
    tally = await archive.stats()
    await archive.aclose()

    assert check == "ok"
    assert all(len(assets) == 2 for assets in finished)
    assert rows % (2 * batch) == 0
    assert sum(part.files for part in tally) == rows


async def test_two_processes_writing_at_once_both_succeed(path: Path) -> None:
    """No `database is locked`, not even while the archive is being made."""
    writers = [python(WRITER, str(path), str(first), "200", "1") for first in (0, 100_000, 200_000)]
    errors = [writer.communicate()[1] for writer in writers]
    archive = SqliteArchive.open(path)
    tally = await archive.stats()
    await archive.aclose()

    assert errors == ["", "", ""]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert sum(part.files for part in tally) == 3 * 200 * 2


OPENER = """
import sys
from pathlib import Path
from dyvine_cli.archive import schema
from dyvine_cli.archive.sqlite import SqliteArchive

def m002_colour(db):
    db.execute("ALTER TABLE post ADD COLUMN colour TEXT")

SqliteArchive.open(Path(sys.argv[1]), migrations=(*schema.MIGRATIONS, m002_colour))._db.close()
"""


async def test_two_processes_upgrading_at_once_apply_it_once(path: Path) -> None:
    """The second one waits and finds it done."""
    await filled(path)
    openers = [python(OPENER, str(path)) for _ in range(3)]
    errors = [opener.communicate()[1] for opener in openers]

    assert errors == ["", "", ""]
