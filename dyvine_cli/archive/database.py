"""The SQLite file of the embedded archive: made, opened, brought up to date, and its errors as ours.

A file is made beside its place with all tables in it and then linked there, so one without a byte is never new: it was
cut off. Damage elsewhere is found when SQLite reads the page in question.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from dyvine_cli.archive import schema
from dyvine_cli.errors import ArchiveError, DiskFull, DyvineError

BUSY_TIMEOUT = 5.0
"""Seconds to wait for another process's transaction; SQLite's waiting is unfair, so it is long."""

SIDE_FILES = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file, as endings of its name."""

REBUILD = "`dyvine archive repair --rebuild` begins a new one from what can be read of it and from the files"


def open_database(
    path: Path, *, remote: str | None = None, migrations: Sequence[schema.Migration] = schema.MIGRATIONS
) -> sqlite3.Connection:
    """Open the archive at `path`, made if it is not there, upgraded if it is older.

    `remote` names the network file system it lies on, None for a local one: there a rollback journal replaces the
    write-ahead log. Raises ArchiveError, DiskFull.
    """
    _make(path, migrations)
    with mapped(path):
        db = connect(path)
        try:
            _check_is_ours(db, path, migrations)
            _set_journal(db, remote)
            _migrate(db, path, migrations)
        except BaseException:
            db.close()
            raise
    return db


def _make(path: Path, migrations: Sequence[schema.Migration]) -> None:
    """Make folder (0700) and file (0600) if need be; SQLite gives its side files the file's mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _begin(path, migrations)
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ArchiveError(f"{path} is not a file", hint="move it away; the archive is made there")
        if not found.st_size:
            raise ArchiveError(f"the archive {path} is damaged: it is empty", hint=cure(path))
        if os.name == "posix" and found.st_mode & 0o077 and found.st_uid == os.geteuid():
            path.chmod(0o600)
    except OSError as exc:
        raise ArchiveError(
            f"the archive {path} cannot be made: {exc.strerror}",
            hint="make the folder writable, move it with DYVINE_HOME, or go without it by --no-archive",
        ) from exc


def _begin(path: Path, migrations: Sequence[schema.Migration]) -> None:
    """Put a new archive in place, whole; another process's that comes first stays."""
    beside = path.with_name(f"{path.name}.new-{secrets.token_hex(4)}")
    try:
        create(beside, path, migrations=migrations).close()
        link(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def link(beside: Path, path: Path) -> None:
    """Give the file `beside` a second name where none stands; a file that stands there stays. Raises OSError."""
    try:
        os.link(beside, path)
    except FileExistsError:
        return
    except OSError:  # a volume without hard links
        if not path.exists():
            beside.rename(path)


def create(
    path: Path, shown: Path, *, migrations: Sequence[schema.Migration] = schema.MIGRATIONS
) -> sqlite3.Connection:
    """A new archive at `path`, with its tables and flushed; `shown` is the place that errors name. Raises OSError."""
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    try:
        with mapped(shown):
            db = connect(path)
            db.execute("PRAGMA synchronous = OFF")  # nothing leans on it before it is in place
            with transaction(db):
                db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
                db.execute(
                    "CREATE TABLE migration (name TEXT PRIMARY KEY, time TEXT NOT NULL) STRICT, WITHOUT ROWID"
                )
                for migration in migrations:
                    _apply(db, migration)
        os.fsync(fd)
    finally:
        os.close(fd)
    return db


def in_memory() -> sqlite3.Connection:
    """The same tables in a place of their own that ends with the connection."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    for migration in schema.MIGRATIONS:
        migration(db)
    return db


def connect(path: Path) -> sqlite3.Connection:
    """A connection without implicit transactions; what the file's own schema calls is not trusted."""
    db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT)
    db.execute("PRAGMA trusted_schema = OFF")
    return db


def _check_is_ours(db: sqlite3.Connection, path: Path, migrations: Sequence[schema.Migration]) -> None:
    """Refuse another program's file and one that a newer dyvine has changed."""
    if db.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION_ID:
        raise ArchiveError(
            f"{path} belongs to another program", hint="move it away, or move dyvine by DYVINE_HOME"
        )
    newer = _applied(db) - {migration.__name__ for migration in migrations}
    if newer:
        raise ArchiveError(
            f"the archive {path} was written by a newer dyvine ({', '.join(sorted(newer))})",
            hint="update dyvine, put the backup beside it in its place, or name another place by [archive] path",
        )


def _set_journal(db: sqlite3.Connection, remote: str | None) -> None:
    """Choose how commits become lasting; the mode stays in the file.

    A connection of another process can stand in the way of the change. Then the file keeps its mode for now, which
    only costs speed.
    """
    wanted = "delete" if remote else "wal"
    db.execute(f"PRAGMA synchronous = {'FULL' if remote else 'NORMAL'}")
    if db.execute("PRAGMA journal_mode").fetchone()[0] == wanted:
        return
    try:
        db.execute(f"PRAGMA journal_mode = {wanted}")
    except sqlite3.OperationalError as exc:
        if _primary(exc) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise


def _migrate(db: sqlite3.Connection, path: Path, migrations: Sequence[schema.Migration]) -> None:
    """Apply what is missing, one transaction each; another process may do the same at this moment.

    Begins a transaction even if nothing is missing: so a file that cannot be written says so now, not after the first
    download.
    """
    with transaction(db):
        missing = [migration for migration in migrations if migration.__name__ not in _applied(db)]
    for migration in missing:
        _upgrade(db, path, migration)


def _upgrade(db: sqlite3.Connection, path: Path, migration: schema.Migration) -> None:
    with transaction(db):
        if migration.__name__ not in _applied(db):
            _back_up(path, path.with_name(f"{path.name}.before-{migration.__name__}"))
            _apply(db, migration)


def _apply(db: sqlite3.Connection, migration: schema.Migration) -> None:
    migration(db)
    db.execute(
        "INSERT INTO migration VALUES (?, ?)",
        (migration.__name__, datetime.now(UTC).isoformat(timespec="seconds")),
    )


def _applied(db: sqlite3.Connection) -> set[str]:
    return {name for (name,) in db.execute("SELECT name FROM migration")}


def _back_up(path: Path, copy: Path) -> None:
    """Copy the committed state to `copy`, whole or not at all.

    Through a second connection: the one that holds the write lock may not read for a backup.
    """
    unfinished = copy.with_name(copy.name + ".part")
    try:
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as exc:
        raise ArchiveError(
            f"the archive {path} cannot be copied to {copy} before its upgrade: {exc.strerror}",
            hint="make space, or the folder writable",
        ) from exc
    with contextlib.closing(connect(path)) as source, contextlib.closing(connect(unfinished)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = delete")
    unfinished.replace(copy)


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, holding the write lock from the start."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _primary(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 when the error does not come from SQLite itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


@contextlib.contextmanager
def mapped(path: Path | None) -> Iterator[None]:
    """Turn SQLite's errors into ours, also those that only somebody's change to the file can cause."""
    try:
        yield
    except sqlite3.Error as exc:
        raise _ours(exc, path) from exc


def _ours(exc: sqlite3.Error, path: Path | None) -> DyvineError:
    match _primary(exc):
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return ArchiveError(f"the archive {path} is damaged: {exc}", hint=cure(path))
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return ArchiveError(
                f"the archive {path} cannot be written: {exc}",
                hint="make it and its folder writable for your user, or go without it by --no-archive",
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return ArchiveError(
                f"the archive {path} was locked by another program for {BUSY_TIMEOUT:.0f} s",
                hint="end the program that holds it open (a copy, a backup, a database browser)",
            )
        case sqlite3.SQLITE_FULL:
            return DiskFull(
                f"no space left for the archive {path}", hint="make space, or move it with DYVINE_HOME"
            )
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_NOLFS | sqlite3.SQLITE_PROTOCOL:
            return ArchiveError(
                f"the disk failed under the archive {path}: {exc}", hint="check the disk or mount"
            )
        case _:
            return ArchiveError(f"the archive {path} cannot be used: {_printable(exc)}", hint=cure(path))


def _printable(exc: sqlite3.Error) -> str:
    """SQLite's words; those of a trigger are whatever somebody wrote into the file."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(exc))[:200]


def cure(path: Path | None) -> str:
    """What to do about a damaged file: rebuild it, or take the newest backup if there is one."""
    if path is None:
        return "start again"
    backups = sorted(path.parent.glob(f"{path.name}.before-*[!t]"), key=lambda copy: copy.stat().st_mtime)
    if backups:
        return f"{REBUILD}; or move it and its -wal and -shm files away and put the backup {backups[-1].name} in its place"
    return f"{REBUILD}; or move it and its -wal and -shm files away: what is on disk stays"
