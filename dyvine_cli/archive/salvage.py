"""A damaged archive: told from a whole one, set aside, and read as far as it can be read.

Rows are read from both ends of each table, so what is lost lies between the first and the last page that cannot be
read: little where the disk lost pages of rows, all of a table whose inner pages went, everything with the first page. Listings and their places are left behind on purpose: with rows
missing, "listed to its end" is not true any more, and the next run has to look at everything once.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from dyvine_cli.archive import schema
from dyvine_cli.archive.database import (
    RIGHTS,
    SIDE_FILES,
    connect,
    create,
    link,
    mapped,
    primary,
    reached,
    state_of,
    transaction,
)
from dyvine_cli.errors import ArchiveError

_KEYS: Mapping[str, str] = {
    "folder": "id",
    "account": "id",
    "name": "account, number",
    "post": "site, post",
    "saved": "site, post, asset",
    "failed": "site, kind, post, asset, source, scope",
    "checked": "link, what, name",
    "gone": "site, post",
    "ignored": "site, post",
    "damaged": "site, post, asset",
}
"""The tables that are taken over, with their keys; each after those that it points at."""

_NEEDED: Mapping[str, str] = {
    "name": "EXISTS (SELECT 1 FROM account WHERE account.id = :account)",
    "post": "EXISTS (SELECT 1 FROM account WHERE account.id = :account)",
    "saved": """EXISTS (
        SELECT 1 FROM post JOIN folder ON folder.id = coalesce(:folder, post.folder)
        WHERE post.site = CAST(:site AS TEXT) AND post.post = CAST(:post AS TEXT) AND post.name IS NOT NULL)""",
}
"""What a row has to find in the new archive, or else it means nothing."""

_READERS = range(0x40000002, 0x40000002 + 510)
"""The bytes that every connection locks while it reads, and one with a write-ahead log as long as it is open; see
SHARED_FIRST in SQLite's os.h.
"""

_UNPLACED = "UPDATE post SET folder = NULL, name = NULL WHERE folder NOT IN (SELECT id FROM folder)"


def damage(path: Path) -> str | None:
    """Why the archive at `path` is damaged, None if it is whole or not there. Reads all of it.

    Raises ArchiveError for a file that belongs to another program or a newer version, or cannot be read.
    """
    with reached(path, "opened", hint=RIGHTS):
        if not path.exists():
            return None
        if not state_of(path).st_size:
            return "it is empty"
    with mapped(path), contextlib.closing(connect(path)) as db:
        try:
            found = db.execute("PRAGMA quick_check(1)").fetchone()
            owner = db.execute("PRAGMA application_id").fetchone()[0]
            applied = {name for (name,) in db.execute("SELECT name FROM migration")} if owner else set()
        except sqlite3.DatabaseError as exc:
            if primary(exc) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                return str(exc)
            raise
    if found[0] != "ok":
        return str(found[0])
    if owner != schema.APPLICATION_ID:
        raise ArchiveError(
            f"{path} belongs to another program", hint="move it away, or move dyvine by DYVINE_HOME"
        )
    newer = applied - {migration.__name__ for migration in schema.MIGRATIONS}
    if newer:
        raise ArchiveError(f"the archive {path} was written by a newer dyvine", hint="update dyvine")
    return None


def in_use(path: Path) -> bool:
    """Whether another process has the archive open, as far as its locks tell. Not for who has it open itself."""
    if sys.platform == "win32":
        return False  # a file that is open cannot be renamed there
    import fcntl

    try:
        # Not through SQLite, which would read the file first; and a pipe is not waited for.
        file = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _READERS.stop - _READERS.start, _READERS.start)
    except OSError as exc:
        return exc.errno in (errno.EACCES, errno.EAGAIN)
    finally:
        os.close(file)
    return False


def replace_damaged(path: Path, now: datetime) -> tuple[Path, Mapping[str, int]]:
    """Put a new archive in the place of a damaged one, with what could be read of it.

    The damaged file stays beside it, with its side files, as `….damaged-<time>`; that path, and the rows taken over by
    table. Until the new one is whole the old one stays where it is. Nobody else may have it open. Raises ArchiveError,
    DiskFull.
    """
    aside = path.with_name(f"{path.name}.damaged-{now:%Y%m%d-%H%M%S}")
    beside = path.with_name(f"{path.name}.rebuilt")
    with reached(
        path, "rebuilt", hint="make its folder writable, and move away what stands there in the way"
    ):
        _remove(beside)
        counts = _rebuild(path, beside)
        link(path, aside)
        for ending in SIDE_FILES:
            side = path.with_name(path.name + ending)
            if side.exists():
                side.rename(aside.with_name(aside.name + ending))
        beside.replace(path)
    return aside, counts


def _rebuild(path: Path, beside: Path) -> Mapping[str, int]:
    """Make the new archive and fill it from a copy of the old one: SQLite may have to write to what it reads."""
    copy = path.with_name(f"{path.name}.copy")
    try:
        for ending in ("", "-wal"):
            source = path.with_name(path.name + ending)
            if source.exists():
                _copy(source, copy.with_name(copy.name + ending))
        with contextlib.closing(create(beside, path)) as new, mapped(path), transaction(new):
            counts = _salvage(copy, new)
        _flush(beside)
        return counts
    finally:
        _remove(copy)


def _copy(source: Path, target: Path) -> None:
    """A private copy; one that was cut off gets zeros up to the length that its header claims."""
    target.unlink(missing_ok=True)
    with (
        source.open("rb") as old,
        os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "r+b") as new,
    ):
        shutil.copyfileobj(old, new, 1 << 20)
        new.seek(0)
        header = new.read(100)
        if header.startswith(b"SQLite format 3\0"):
            claimed = int.from_bytes(header[16:18], "big") * int.from_bytes(header[28:32], "big")
            new.truncate(min(max(claimed, new.seek(0, os.SEEK_END)), 1 << 40))


def _salvage(copy: Path, new: sqlite3.Connection) -> Mapping[str, int]:
    with contextlib.closing(connect(copy)) as old:
        old.text_factory = bytes
        counts = {}
        for table, key in _KEYS.items():
            counts[table] = _take_over(old, new, table, key)
            if table == "post":
                new.execute(_UNPLACED)
    return counts


def _take_over(old: sqlite3.Connection, new: sqlite3.Connection, table: str, key: str) -> int:
    """The rows of one table that can be read and make sense; how many."""
    present = _columns(old, table)
    kinds = {name: kind for name, kind in _columns(new, table).items() if name in present}
    if not kinds:
        return 0
    key = ", ".join(name for name in key.split(", ") if name in present)  # an older version's may be shorter
    names = ", ".join(kinds)
    values = ", ".join(
        f"CAST(:{name} AS TEXT)" if kind == "TEXT" else f":{name}" for name, kind in kinds.items()
    )
    needed = f" WHERE {_NEEDED[table]}" if table in _NEEDED else ""
    insert = f"INSERT OR IGNORE INTO {table} ({names}) SELECT {values}{needed}"
    for row in _rows(old, f"SELECT {names} FROM {table} ORDER BY {key}", key):  # noqa: S608
        with contextlib.suppress(sqlite3.IntegrityError):
            new.execute(insert, dict(zip(kinds, row, strict=True)))
    return int(new.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608


def _columns(db: sqlite3.Connection, table: str) -> dict[str, str]:
    """Column names and types; empty if the table cannot be read."""
    try:
        found = db.execute(f"PRAGMA table_info({table})").fetchall()
    except sqlite3.DatabaseError:
        return {}
    return {_text(name): _text(kind) for _, name, kind, *_ in found}


def _text(found: str | bytes) -> str:
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found


def _rows(db: sqlite3.Connection, query: str, key: str) -> Iterator[Sequence[object]]:
    """Rows in order up to the first that cannot be read, then from the end back to the last that cannot be."""
    backwards = f"{query.removesuffix(key)}{', '.join(f'{name} DESC' for name in key.split(', '))}"
    for each in (query, backwards):
        try:
            yield from db.execute(each)
        except sqlite3.DatabaseError:
            continue
        return


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    for ending in ("", *SIDE_FILES):
        path.with_name(path.name + ending).unlink(missing_ok=True)
