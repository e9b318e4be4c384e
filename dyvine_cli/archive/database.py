"""The SQLite file of the embedded archive: made, opened, brought up to date, and its errors as ours.

A file is made beside its place with all tables in it and then linked there, so one without a byte is never new: it was
cut off. Damage elsewhere is found when SQLite reads the page in question.
"""

from __future__ import annotations

import contextlib
import errno
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

LEAST_SPACE = 64 * 1024
"""Free bytes below which SQLite's side files cannot grow: `-shm` does so by 32 KiB."""

RIGHTS = "make it and its folder readable and writable for your user"
WITHOUT = f"{RIGHTS}, or go without it by --no-archive"

COPY = (
    "copy it, with its -wal file if there is one, to a folder of yours, and name the copy by [archive] path"
)
REBUILD = "`dyvine archive repair --rebuild` begins a new one from what can be read of it and from the files"


def open_database(
    path: Path,
    *,
    remote: str | None = None,
    optional: bool = True,
    migrations: Sequence[schema.Migration] = schema.MIGRATIONS,
) -> sqlite3.Connection:
    """Open the archive at `path`, made if it is not there, upgraded if it is older.

    `remote` names the network file system it lies on, None for a local one: there a rollback journal replaces the
    write-ahead log. `optional` says that a run can do without an archive. Raises ArchiveError, DiskFull.
    """
    rights = WITHOUT if optional else RIGHTS
    with reached(path, "made", hint=f"{rights}; DYVINE_HOME moves it"):
        _make(path, migrations)
    if _is_read_only(path):  # before SQLite leaves side files that their owner could not write
        raise _not_ours_to_write(path, rights)
    with mapped(path, rights=rights):
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
    """Make folder (0700) and file (0600) if need be; SQLite gives its side files the file's mode. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _begin(path, migrations)
    found = state_of(path)
    if not found.st_size:
        raise ArchiveError(f"the archive {path} is damaged: it is empty", hint=cure(path))
    if os.name == "posix" and found.st_mode & 0o077 and found.st_uid == os.geteuid():
        path.chmod(0o600)


def state_of(path: Path) -> os.stat_result:
    """The state of the archive's file. Raises ArchiveError for something of another kind, OSError."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise ArchiveError(f"{path} is not a file", hint="move it away; the archive is made there")
    return found


def stands(path: Path) -> bool:
    """Whether there is something in the archive's place, also where we may not look."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def can_write(path: Path) -> bool:
    """Whether the archive's file and its folder, where SQLite keeps its side files, can be written."""
    return _may(path, os.W_OK) and _may(path.parent, os.W_OK)


def _is_read_only(path: Path) -> bool:
    return _may(path, os.R_OK) and not can_write(path)


def _not_ours_to_write(path: Path, rights: str) -> ArchiveError:
    return ArchiveError(f"the archive {path} cannot be written, or its folder cannot", hint=rights)


def _may(path: Path, what: int) -> bool:
    return os.access(path, what, effective_ids=os.access in os.supports_effective_ids)


def open_reading(
    path: Path, *, migrations: Sequence[schema.Migration] = schema.MIGRATIONS
) -> sqlite3.Connection:
    """Open an archive that cannot be written, to read it as it stands. Raises ArchiveError, DiskFull."""
    rights = "make it and its folder readable for your user"
    with reached(path, "opened", hint=rights):
        if not state_of(path).st_size:
            raise ArchiveError(f"the archive {path} is damaged: it is empty", hint=cure(path))
        with mapped(path, rights=rights):
            db = _connect_reading(path)
    with mapped(path, rights=rights):
        try:
            _check_is_ours(db, path, migrations)
            _check_is_present(db, path, migrations)
        except BaseException:
            db.close()
            raise
    return db


def _check_is_present(db: sqlite3.Connection, path: Path, migrations: Sequence[schema.Migration]) -> None:
    """Refuse a file that would have to be changed to be read."""
    if {migration.__name__ for migration in migrations} - _applied(db):
        raise ArchiveError(
            f"the archive {path} was written by an older dyvine, and cannot be brought up to date here",
            hint=COPY,
        )


def _connect_reading(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing, not even side files."""
    if _side_size(path, "-wal") and _side_size(path, "-shm") is None:
        raise ArchiveError(
            f"the archive {path} was not closed, and its last rows cannot be read where nothing can be written",
            hint=COPY,
        )
    # Whoever has a file with a write-ahead log open has made its side files: without them it stands still.
    stands_still = _has_log(path) and not _side_size(path, "-wal") and _side_size(path, "-shm") is None
    return connect(path, mode="mode=ro&immutable=1" if stands_still else "mode=ro")


def _has_log(path: Path) -> bool:
    """Whether the file is written by way of a write-ahead log; see "File format version numbers" of SQLite's format."""
    with path.open("rb") as file:
        return file.read(20)[18:19] == b"\x02"


def _side_size(path: Path, ending: str) -> int | None:
    """The bytes of a side file, None if it is not there."""
    try:
        return path.with_name(path.name + ending).stat().st_size
    except OSError:
        return None


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


def connect(path: Path, *, mode: str = "") -> sqlite3.Connection:
    """A connection without implicit transactions; what the file's own schema calls is not trusted.

    `mode` are parameters of SQLite's URI; with any, the file is read at once, so that it is known to be readable.
    """
    name: str | Path = f"{path.absolute().as_uri()}?{mode}" if mode else path
    db = sqlite3.connect(name, isolation_level=None, timeout=BUSY_TIMEOUT, uri=bool(mode))
    try:
        db.execute("PRAGMA trusted_schema = OFF")
        if mode:
            db.execute("PRAGMA schema_version").fetchone()
    except BaseException:
        db.close()
        raise
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
        if primary(exc) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise


def _migrate(db: sqlite3.Connection, path: Path, migrations: Sequence[schema.Migration]) -> None:
    """Apply what is missing, one transaction each; another process may do the same at this moment.

    Writes, though nothing, even if nothing is missing: so a file that cannot be written says so now, not after the first
    download.
    """
    with transaction(db):
        db.execute("DELETE FROM migration WHERE 0")
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
    with reached(path, f"copied to {copy} before its upgrade", hint="make the folder writable"):
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
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


def primary(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 when the error does not come from SQLite itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


@contextlib.contextmanager
def reached(path: Path, done: str, *, hint: str) -> Iterator[None]:
    """Turn the system's errors about the archive into ours; `done` is what cannot be done with it."""
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(path) from exc
        raise ArchiveError(f"the archive {path} cannot be {done}: {exc.strerror}", hint=hint) from exc


@contextlib.contextmanager
def mapped(path: Path | None, *, rights: str = RIGHTS) -> Iterator[None]:
    """Turn SQLite's errors into ours, also those that only somebody's change to the file can cause.

    `rights` is the cure for a file that may not be used.
    """
    try:
        yield
    except sqlite3.Error as exc:
        raise _ours(exc, path, rights) from exc


def _ours(exc: sqlite3.Error, path: Path | None, rights: str) -> DyvineError:
    match primary(exc):
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return ArchiveError(f"the archive {path} is damaged: {exc}", hint=cure(path))
        case sqlite3.SQLITE_FULL:
            return _full(path)
        case sqlite3.SQLITE_IOERR if path and _is_full(path):
            return _full(path)
        case sqlite3.SQLITE_CANTOPEN if path and can_write(path) and _is_full(path):
            return _full(path)
        case sqlite3.SQLITE_CANTOPEN if path and _is_read_only(path):
            return _not_ours_to_write(path, rights)
        case sqlite3.SQLITE_READONLY:
            return ArchiveError(f"the archive {path} cannot be written: {exc}", hint=rights)
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return ArchiveError(f"the archive {path} cannot be opened: {exc}", hint=rights)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return ArchiveError(
                f"the archive {path} was locked by another program for {BUSY_TIMEOUT:.0f} s",
                hint="end the program that holds it open (a copy, a backup, a database browser)",
            )
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_NOLFS | sqlite3.SQLITE_PROTOCOL:
            return ArchiveError(
                f"the disk failed under the archive {path}: {exc}", hint="check the disk or mount"
            )
        case _:
            return ArchiveError(f"the archive {path} cannot be used: {_printable(exc)}", hint=cure(path))


def _full(path: Path | None) -> DiskFull:
    return DiskFull(f"no space left for the archive {path}", hint="make space, or move it with DYVINE_HOME")


def _is_full(path: Path) -> bool:
    """Whether the disk has no room for a side file to grow: SQLite tells that as a failing disk."""
    import shutil  # only on the way to an error

    try:
        return shutil.disk_usage(path.parent).free < LEAST_SPACE
    except OSError:
        return False


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
