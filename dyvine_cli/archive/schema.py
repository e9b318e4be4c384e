"""The tables, as numbered migrations that are only ever appended.

A migration that was released is never changed; a new one gets the next number. What was applied stands in the table
`migration` by name. Texts are UTF-8 compared byte by byte (user ids differ by case alone), times Unix seconds. Folders
and accounts are rows of their own, and the files of a post note only where their names depart from the first one's:
a million paths would be more than half of the file. The view `file` shows them whole.
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


def m002_what_a_place_stands_for(db: sqlite3.Connection) -> None:
    """Hidden entries before a place, and which posts a listing was asked for."""
    db.execute("ALTER TABLE unfinished ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE unfinished ADD COLUMN filters TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE listed ADD COLUMN filters TEXT NOT NULL DEFAULT ''")


def m003_years_of_sync(db: sqlite3.Connection) -> None:
    """Checks of sources, posts that are gone or not wanted, files found damaged, and the posts of an account."""
    for statement in _YEARS_OF_SYNC:
        db.execute(statement)


def m004_memory_of_each_source(db: sqlite3.Connection) -> None:
    """Listings, places and failures for each selection of posts, and the first posts of lists that go by no time.

    What is there becomes that of runs by hand, from which a source takes over what it wants.
    """
    for table, keys in _REMEMBERED.items():
        columns = ", ".join(name for _, name, *_ in db.execute(f"PRAGMA table_info({table})"))
        db.execute(f"ALTER TABLE {table} RENAME TO {table}_before")
        db.execute(keys)
        db.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table}_before")  # noqa: S608 - our own names
        db.execute(f"DROP TABLE {table}_before")


def m005_sources_of_one_link(db: sqlite3.Connection) -> None:
    """Checks of several sources of one link, told apart by their names."""
    columns = ", ".join(name for _, name, *_ in db.execute("PRAGMA table_info(checked)"))
    db.execute("ALTER TABLE checked RENAME TO checked_before")
    db.execute(_CHECKED)
    db.execute(f"INSERT INTO checked ({columns}) SELECT {columns} FROM checked_before")  # noqa: S608 - our own names
    db.execute("DROP TABLE checked_before")


def m006_what_came_before_a_place(db: sqlite3.Connection) -> None:
    """When the newest post of the page before a place was published, where its list goes by that."""
    db.execute("ALTER TABLE unfinished ADD COLUMN above INTEGER")


MIGRATIONS: tuple[Migration, ...] = (
    m001_first_tables,
    m002_what_a_place_stands_for,
    m003_years_of_sync,
    m004_memory_of_each_source,
    m005_sources_of_one_link,
    m006_what_came_before_a_place,
)


_COUNT = """
INSERT INTO tally (account, kind, files, size) VALUES (
    (SELECT account FROM post WHERE post.site = {row}.site AND post.post = {row}.post),
    CASE WHEN substr({row}.asset, 1, 9) = 'subtitle.' THEN 'subtitle' ELSE rtrim({row}.asset, '0123456789_') END,
    {sign}1, {sign}{row}.size
) ON CONFLICT (account, kind) DO UPDATE SET files = files + excluded.files, size = size + excluded.size;
"""
_COUNT_NEW = _COUNT.format(row="new", sign="+")
_DISCOUNT_OLD = _COUNT.format(row="old", sign="-")

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
    # `folder` and `name` are those of its first saved file; `completed` is NULL until all its files are saved.
    """
    CREATE TABLE post (
        site TEXT NOT NULL,
        post TEXT NOT NULL,
        account INTEGER NOT NULL REFERENCES account (id),
        folder INTEGER REFERENCES folder (id),
        name TEXT,
        created INTEGER,
        completed INTEGER,
        PRIMARY KEY (site, post)
    ) STRICT, WITHOUT ROWID
    """,
    # The file's name is the first `shared` characters of the post's `name`, then `rest`; `folder` NULL is the post's.
    """
    CREATE TABLE saved (
        site TEXT NOT NULL,
        post TEXT NOT NULL,
        asset TEXT NOT NULL,
        folder INTEGER REFERENCES folder (id),
        shared INTEGER NOT NULL,
        rest TEXT NOT NULL,
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
    CREATE VIEW file AS
    SELECT saved.site, saved.post, saved.asset, account.user, folder.path AS folder,
        substr(post.name, 1, saved.shared) || saved.rest AS name, saved.size, lower(hex(saved.sha256)) AS sha256,
        datetime(saved.time, 'unixepoch') AS time, saved.codec, saved.width, saved.height
    FROM saved JOIN post ON post.site = saved.site AND post.post = saved.post
        JOIN folder ON folder.id = coalesce(saved.folder, post.folder) JOIN account ON account.id = post.account
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
    f"CREATE TRIGGER saved_added AFTER INSERT ON saved BEGIN {_COUNT_NEW} END",
    f"CREATE TRIGGER saved_removed AFTER DELETE ON saved BEGIN {_DISCOUNT_OLD} END",
    f"CREATE TRIGGER saved_changed AFTER UPDATE OF size ON saved BEGIN {_DISCOUNT_OLD} {_COUNT_NEW} END",
)

_YEARS_OF_SYNC = (
    # The listing that brought the post, as `site:kind:id[:listing]`; empty for one that was named itself.
    "ALTER TABLE failed ADD COLUMN source TEXT NOT NULL DEFAULT ''",
    # `link` and `what` as the settings write them (`what` empty: the link's own listing); `ended` NULL: killed.
    """
    CREATE TABLE checked (
        link TEXT NOT NULL,
        what TEXT NOT NULL,
        ref TEXT NOT NULL,
        title TEXT NOT NULL,
        began INTEGER NOT NULL,
        ended INTEGER,
        state TEXT NOT NULL,
        error TEXT NOT NULL,
        message TEXT NOT NULL,
        new INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        hidden INTEGER NOT NULL,
        size INTEGER NOT NULL,
        troubles INTEGER NOT NULL,
        next_try INTEGER,
        PRIMARY KEY (link, what)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE gone (
        site TEXT NOT NULL,
        post TEXT NOT NULL,
        state TEXT NOT NULL,
        noticed INTEGER NOT NULL,
        PRIMARY KEY (site, post)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE ignored (
        site TEXT NOT NULL,
        post TEXT NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (site, post)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE damaged (
        site TEXT NOT NULL,
        post TEXT NOT NULL,
        asset TEXT NOT NULL,
        state TEXT NOT NULL,
        noticed INTEGER NOT NULL,
        PRIMARY KEY (site, post, asset)
    ) STRICT, WITHOUT ROWID
    """,
    # Where a verification stands: everything up to this file is checked. `scope` says which files it was asked for.
    """
    CREATE TABLE verifying (
        scope TEXT PRIMARY KEY,
        site TEXT NOT NULL,
        post TEXT NOT NULL,
        asset TEXT NOT NULL,
        began INTEGER NOT NULL,
        files INTEGER NOT NULL,
        size INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX post_of_account ON post (account)",
)

# `scope` is empty for runs by hand, else the selection of the sources of `sync` that it is for. `top` are the first ids
# of a list that goes by no time, with blanks between them; NULL where the list goes by time, and where they are not known.
_REMEMBERED = {
    "listed": """
    CREATE TABLE listed (
        site TEXT NOT NULL,
        kind TEXT NOT NULL,
        source TEXT NOT NULL,
        what TEXT NOT NULL,
        scope TEXT NOT NULL DEFAULT '',
        time INTEGER NOT NULL,
        listed INTEGER NOT NULL,
        hidden INTEGER NOT NULL,
        declared INTEGER,
        full INTEGER,
        cause TEXT NOT NULL,
        filters TEXT NOT NULL DEFAULT '',
        top TEXT,
        PRIMARY KEY (site, kind, source, what, scope)
    ) STRICT, WITHOUT ROWID
    """,
    "unfinished": """
    CREATE TABLE unfinished (
        site TEXT NOT NULL,
        kind TEXT NOT NULL,
        source TEXT NOT NULL,
        what TEXT NOT NULL,
        scope TEXT NOT NULL DEFAULT '',
        started INTEGER NOT NULL,
        cursor TEXT NOT NULL,
        kept INTEGER NOT NULL,
        listed INTEGER NOT NULL,
        cause TEXT NOT NULL,
        hidden INTEGER NOT NULL DEFAULT 0,
        filters TEXT NOT NULL DEFAULT '',
        top TEXT,
        PRIMARY KEY (site, kind, source, what, scope, started)
    ) STRICT, WITHOUT ROWID
    """,
    # A row for each source that wants it; what became of the last try is the same in all of them.
    "failed": """
    CREATE TABLE failed (
        site TEXT NOT NULL,
        kind TEXT NOT NULL,
        post TEXT NOT NULL,
        asset TEXT NOT NULL,
        source TEXT NOT NULL DEFAULT '',
        scope TEXT NOT NULL DEFAULT '',
        error TEXT NOT NULL,
        message TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        next_try INTEGER,
        PRIMARY KEY (site, kind, post, asset, source, scope)
    ) STRICT, WITHOUT ROWID
    """,
}

# `name` is empty where the link stands once for its listing.
_CHECKED = """
CREATE TABLE checked (
    link TEXT NOT NULL,
    what TEXT NOT NULL,
    name TEXT NOT NULL DEFAULT '',
    ref TEXT NOT NULL,
    title TEXT NOT NULL,
    began INTEGER NOT NULL,
    ended INTEGER,
    state TEXT NOT NULL,
    error TEXT NOT NULL,
    message TEXT NOT NULL,
    new INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    hidden INTEGER NOT NULL,
    size INTEGER NOT NULL,
    troubles INTEGER NOT NULL,
    next_try INTEGER,
    PRIMARY KEY (link, what, name)
) STRICT, WITHOUT ROWID
"""
