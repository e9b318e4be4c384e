"""Archives of every older version, brought up to date with their rows."""

# ruff: noqa: ASYNC240 - nothing else runs in the loop of a test

from __future__ import annotations

import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dyvine_cli.archive import schema
from dyvine_cli.archive.base import CompletePost, ListedSource, SavedAsset, StoredCursor
from dyvine_cli.archive.holdings import FileFilter, Tally
from dyvine_cli.archive.sqlite import SqliteArchive
from dyvine_cli.errors import ArchiveError
from dyvine_cli.models import Cursor, Ref

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
POST = Ref("douyin", "post", "7372484719365098803")
USER = Ref("douyin", "user", "MS4wA")

OLD_ROWS = (
    "INSERT INTO folder VALUES (1, '/v/星野_42')",
    "INSERT INTO account VALUES (1, 'douyin', 'MS4wA', '42', 1)",
    "INSERT INTO name VALUES (1, 1, '星野', 'xingye', 1769860800)",
    "INSERT INTO post VALUES ('douyin', '7372484719365098803', 1, 1, 'a_01.jpg', 1769774400, 1769860800)",
    """INSERT INTO saved VALUES ('douyin', '7372484719365098803', 'picture_01', NULL, 8, '', 7, zeroblob(32),
        1769860800, NULL, 1080, 1440)""",
    """INSERT INTO failed (site, kind, post, asset, error, message, attempts, first, last, next_try)
        VALUES ('douyin', 'post', '8', 'video', 'Timeout', 'slow', 3, 1769774400, 1769860800, 1769864400)""",
    """INSERT INTO listed (site, kind, source, what, time, listed, hidden, declared, full, cause)
        VALUES ('douyin', 'user', 'MS4wA', '', 1769860800, 63, 2, 65, 1769860800, '')""",
    """INSERT INTO unfinished (site, kind, source, what, started, cursor, kept, listed, cause)
        VALUES ('douyin', 'user', 'MS4wA', 'likes', 1769860800, 'c1', 1769860800, 18, 'Timeout')""",
)
"""One row of each table as the first version wrote it; the others only added columns with defaults."""


def older(path: Path, version: int) -> None:
    """Make an archive as the version with so many migrations did, and fill it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        db.execute("CREATE TABLE migration (name TEXT PRIMARY KEY, time TEXT NOT NULL) STRICT, WITHOUT ROWID")
        for migration in schema.MIGRATIONS[:version]:
            migration(db)
            db.execute("INSERT INTO migration VALUES (?, '2026-01-31T12:00:00+00:00')", (migration.__name__,))
        for statement in OLD_ROWS:
            db.execute(statement)


@pytest.mark.parametrize("version", range(1, len(schema.MIGRATIONS)))
async def test_rows_of_an_older_version_survive(tmp_path: Path, version: int) -> None:
    """Each table's row is read as it was written, new facts are empty, and the old file stands beside."""
    path = tmp_path / "archive.sqlite3"
    older(path, version)
    archive = SqliteArchive.open(path)
    (row,) = await archive.files(FileFilter(user=USER))
    (failure,) = await archive.failures()
    found = (
        await archive.known([POST]),
        await archive.posts_of("douyin", "MS4wA"),
        await archive.listed(USER, None),
        await archive.cursor(USER, "likes"),
        await archive.stats(),
        await archive.find_users("douyin", "xingye"),
    )
    await archive.aclose()

    assert row.saved == SavedAsset(
        ref=POST, asset="picture_01", user="MS4wA", path=Path("/v/星野_42/a_01.jpg"), size=7, sha256="00" * 32,
        saved=NOW, width=1080, height=1440,
    )  # fmt: skip
    assert (failure.error, failure.attempts, failure.source) == ("Timeout", 3, None)
    assert found == (
        frozenset({POST}),
        {POST: NOW - timedelta(days=1)},
        ListedSource(ref=USER, what=None, time=NOW, listed=63, hidden=2, declared=65, full=NOW),
        StoredCursor(
            ref=USER, what="likes", cursor=Cursor("c1"), started=NOW, kept=NOW, listed=18, cause="Timeout"
        ),
        (Tally(site="douyin", user="MS4wA", kind="picture", files=1, size=7, name="星野"),),
        ("MS4wA",),
    )
    assert {each.name for each in tmp_path.iterdir()} == {path.name} | {
        f"{path.name}.before-{migration.__name__}" for migration in schema.MIGRATIONS[version:]
    }


async def test_a_source_takes_over_what_was_remembered_before_there_were_several(tmp_path: Path) -> None:
    """The third version had one memory for each listing: whoever wants the same goes on with it, a gap included."""
    path = tmp_path / "archive.sqlite3"
    older(path, 3)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE failed SET source = 'douyin:user:MS4wA'")
        db.execute("UPDATE listed SET filters = 'kind=video'")
        db.execute("UPDATE unfinished SET what = '', filters = 'kind=video', hidden = 2")
    archive = SqliteArchive.open(path)
    await archive.keep_listed(USER, None, "sync kind=video", like="")
    found = (
        await archive.listed(USER, None, "sync kind=video"),
        await archive.cursor(USER, None, "sync kind=video"),
        await archive.failed(Ref("douyin", "post", "8"), source=USER, scope="sync kind=video"),
    )
    await archive.aclose()
    row, place, failed = found

    assert row is not None
    assert (row.time, row.full, row.listed, row.filters, row.top) == (NOW, NOW, 63, "kind=video", None)
    assert place is not None
    assert (place.cursor, place.listed, place.hidden, place.filters) == ("c1", 18, 2, "kind=video")
    assert failed["video"].attempts == 3


async def test_upgraded_archive_takes_rows_of_today(tmp_path: Path) -> None:
    """What the newest version writes finds its place beside the old rows."""
    path = tmp_path / "archive.sqlite3"
    older(path, 1)
    archive = SqliteArchive.open(path)
    await archive.add_failed(Ref("douyin", "post", "9"), None, "Timeout", "", source=USER)
    await archive.ignore([Ref("douyin", "post", "8")])
    await archive.add_posts([CompletePost(ref=POST, user="MS4wA", created=NOW, completed=NOW)])
    failures = await archive.failures()
    await archive.aclose()

    assert [(each.ref.id, each.source) for each in failures] == [("9", USER)]


async def test_archive_of_a_newer_version_names_both_ways_out(tmp_path: Path) -> None:
    """Update, or another place: nothing else is offered, and nothing is written."""
    path = tmp_path / "archive.sqlite3"
    SqliteArchive.open(path)._db.close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("INSERT INTO migration VALUES ('m999_of_the_future', '2030-01-01')")
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match="newer dyvine") as caught:
        SqliteArchive.open(path)

    assert "update dyvine" in str(caught.value.hint)
    assert "[archive] path" in str(caught.value.hint)
    assert path.read_bytes() == before
