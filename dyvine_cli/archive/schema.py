"""The tables, as numbered migrations that are only ever appended.

A migration that was released is never changed; a new one gets the next number. What was applied stands in the table
`migration` by name. Texts are UTF-8 compared byte by byte (user ids differ by case alone), times Unix seconds. Folders
and accounts are rows of their own because a million long texts would be a fifth of the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

APPLICATION_ID = 0x64797669
"""`dyvi`: tells our file from another program's."""

Migration = Callable[[sqlite3.Connection], None]


def m001_first_tables(db: sqlite3.Connection) -> None:
    """Saved files, complete posts, failures, listings, accounts."""
    for statement in _FIRST_TABLES:
        db.execute(statement)


MIGRATIONS: tuple[Migration, ...] = (m001_first_tables,)


_KIND_OF_ASSET = """
CASE WHEN substr({row}.asset, 1, 9) = 'subtitle.' THEN 'subtitle' ELSE rtrim({row}.asset, '0123456789_') END
"""

_TALLY_ADD = f"""
INSERT INTO tally (account, kind, files, size) VALUES (new.account, {_KIND_OF_ASSET.format(row="new")}, 1, new.size)
ON CONFLICT (account, kind) DO UPDATE SET files = files + 1, size = size + excluded.size;
"""  # noqa: S608 - our own text, no data

_TALLY_SUBTRACT = f"""
UPDATE tally SET files = files - 1, size = size - old.size
WHERE account = old.account AND kind = {_KIND_OF_ASSET.format(row="old")};
"""  # noqa: S608 - our own text, no data

_FIRST_TABLES = (
    """
    CREATE TABLE folder (
        id INTEGER PRIMARY KEY,
        path TEXT NOT NULL UNIQUE
    ) STRICT
    """,
    """
    CREATE TABLE account (
        id INTEGER PRIMARY KEY,
        site TEXT NOT NULL,
        user TEXT NOT NULL,
        uid TEXT NOT NULL DEFAULT '',
        folder INTEGER REFERENCES folder (id),
        UNIQUE (site, user)
    ) STRICT
    """,
    """
    CREATE TABLE name (
        account INTEGER NOT NULL REFERENCES account (id),
        number INTEGER NOT NULL,
        nickname TEXT NOT NULL,
        handle TEXT NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (account, number)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE saved (
        site TEXT NOT NULL,
        post TEXT NOT NULL,
        asset TEXT NOT NULL,
        account INTEGER NOT NULL REFERENCES account (id),
        folder INTEGER NOT NULL REFERENCES folder (id),
        name TEXT NOT NULL,
        size INTEGER NOT NULL,
        sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
        time INTEGER NOT NULL,
        codec TEXT,
        width INTEGER,
        height INTEGER,
        PRIMARY KEY (site, post, asset)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE post (
        site TEXT NOT NULL,
        post TEXT NOT NULL,
        account INTEGER NOT NULL REFERENCES account (id),
        created INTEGER NOT NULL,
        completed INTEGER NOT NULL,
        PRIMARY KEY (site, post)
    ) STRICT, WITHOUT ROWID
    """,
    # An empty asset stands for the whole post: a key column cannot be NULL.
    """
    CREATE TABLE failed (
        site TEXT NOT NULL,
        kind TEXT NOT NULL,
        post TEXT NOT NULL,
        asset TEXT NOT NULL,
        error TEXT NOT NULL,
        message TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        next_try INTEGER,
        PRIMARY KEY (site, kind, post, asset)
    ) STRICT, WITHOUT ROWID
    """,
    # An empty `what` is the ref's own listing.
    """
    CREATE TABLE listed (
        site TEXT NOT NULL,
        kind TEXT NOT NULL,
        source TEXT NOT NULL,
        what TEXT NOT NULL,
        time INTEGER NOT NULL,
        listed INTEGER NOT NULL,
        hidden INTEGER NOT NULL,
        declared INTEGER,
        full INTEGER,
        cause TEXT NOT NULL,
        PRIMARY KEY (site, kind, source, what)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE unfinished (
        site TEXT NOT NULL,
        kind TEXT NOT NULL,
        source TEXT NOT NULL,
        what TEXT NOT NULL,
        started INTEGER NOT NULL,
        cursor TEXT NOT NULL,
        kept INTEGER NOT NULL,
        listed INTEGER NOT NULL,
        cause TEXT NOT NULL,
        PRIMARY KEY (site, kind, source, what, started)
    ) STRICT, WITHOUT ROWID
    """,
    # Kept by triggers, so that counting a million files takes no scan and no index of 60 MB.
    """
    CREATE TABLE tally (
        account INTEGER NOT NULL REFERENCES account (id),
        kind TEXT NOT NULL,
        files INTEGER NOT NULL,
        size INTEGER NOT NULL,
        PRIMARY KEY (account, kind)
    ) STRICT, WITHOUT ROWID
    """,
    f"CREATE TRIGGER saved_added AFTER INSERT ON saved BEGIN {_TALLY_ADD} END",
    f"CREATE TRIGGER saved_removed AFTER DELETE ON saved BEGIN {_TALLY_SUBTRACT} END",
    f"CREATE TRIGGER saved_changed AFTER UPDATE ON saved BEGIN {_TALLY_SUBTRACT} {_TALLY_ADD} END",
)
