"""A browser's SQLite database, copied so that neither the browser nor we disturb the other."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from dyvine_cli.errors import InputError

_BESIDE = ("-wal", "-journal")
_TRIES = 5
_PAUSE = 0.05


@contextmanager
def copied(database: Path, browser: str) -> Iterator[Path]:
    """A private copy of the database with what stands in its write-ahead log or journal; gone at the end.

    A running browser may write meanwhile, so a copy during which the files changed is made again. `browser` is the name
    in errors. Raises InputError when this is no database or cannot be read, OSError as the system says it.
    """
    with database.open("rb") as file:
        if not file.read(16).startswith(b"SQLite format 3"):
            raise InputError(
                f"{database}: this is not a cookie database of {browser}", hint="give the profile's folder"
            )
    with TemporaryDirectory(prefix="dyvine-") as folder:
        copy = Path(folder) / "Cookies"
        for _ in range(_TRIES):
            before = _state(database)
            _copy(database, copy)
            if before == _state(database):
                break
            time.sleep(_PAUSE)
        with _reading(database, browser):
            yield copy


@contextmanager
def _reading(database: Path, browser: str) -> Iterator[None]:
    """Turn SQLite's errors into InputError; its own words are left out, they may quote what stands in a row.

    A message of SQLite that quotes damaged bytes arrives as UnicodeDecodeError.
    """
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError):
        raise InputError(
            f"{database}: {browser} has it locked, or it is damaged or of a version that dyvine does not know",
            hint=f"close {browser} and try again, or export the cookies",
        ) from None


@contextmanager
def opened(copy: Path, *, write: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection to the copy, for reading unless `write`. Bytes that are not UTF-8 are replaced, never quoted."""
    mode = "rw" if write else "ro"
    with closing(sqlite3.connect(f"{copy.as_uri()}?mode={mode}", uri=True)) as connection:
        connection.text_factory = _text
        yield connection


def columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """The names of a table's columns, empty if there is no such table."""
    return frozenset(
        name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    )


def last_used(database: Path) -> float:
    """When the database or its log was written last, as a unix time; 0 if there is none."""
    files = (database, *_beside(database))
    return max((file.stat().st_mtime for file in files if file.is_file()), default=0.0)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _beside(database: Path) -> tuple[Path, ...]:
    return tuple(database.with_name(database.name + suffix) for suffix in _BESIDE)


def _state(database: Path) -> tuple[tuple[int, int] | None, ...]:
    """Length and time of the database and the files beside it."""
    return tuple(_stamp(file) for file in (database, *_beside(database)))


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        facts = file.stat()
    except FileNotFoundError:
        return None
    return facts.st_size, facts.st_mtime_ns


def _copy(database: Path, copy: Path) -> None:
    shutil.copyfile(database, copy)
    for file, target in zip(_beside(database), _beside(copy), strict=True):
        try:
            shutil.copyfile(file, target)
        except FileNotFoundError:
            target.unlink(missing_ok=True)
