"""The embedded archive: one SQLite file, one connection, short transactions.

Calls go straight to SQLite from the event loop: a one-row write takes 14 µs, a hop into a thread 50 µs. What reads
before it writes begins IMMEDIATE, because a deferred transaction that turns into a writer fails with "database is
locked" whatever the timeout. sqlite3's errors become ours here and nowhere else. Rows that no download needs are
imported where they are made.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dyvine_cli.archive import schema
from dyvine_cli.archive.base import (
    CheckedSource,
    CompletePost,
    FailedAsset,
    GonePost,
    ListedSource,
    SavedAsset,
    StoredCursor,
)
from dyvine_cli.archive.database import (
    can_write,
    in_memory,
    mapped,
    open_database,
    open_reading,
    stands,
    transaction,
)
from dyvine_cli.archive.mount import network_file_system
from dyvine_cli.events import Report, Warned, ignore
from dyvine_cli.models import Author, Cursor, Listing, Ref

if TYPE_CHECKING:
    from dyvine_cli.archive.holdings import (
        Counts,
        DamagedAsset,
        FileFilter,
        FileKey,
        IgnoredPost,
        KnownUser,
        RecordedFile,
        Tally,
        Verification,
    )

_SAVED = """
SELECT saved.site, saved.post, saved.asset, account.user, CAST(folder.path AS BLOB), CAST(post.name AS BLOB), saved.shared,
    CAST(saved.rest AS BLOB), saved.size, saved.sha256, saved.time, saved.codec, saved.width, saved.height,
    post.created
FROM {tables}
    JOIN folder ON folder.id = coalesce(saved.folder, post.folder) JOIN account ON account.id = post.account
"""
PART = 1000
"""Failures that one part of a long reading has."""
_FILE_OF_POST = "saved CROSS JOIN post ON post.site = saved.site AND post.post = saved.post"
_POST_OF_FILE = "post CROSS JOIN saved ON saved.site = post.site AND saved.post = post.post"
_SAVED_OF_POST = _SAVED.format(tables=_FILE_OF_POST) + "WHERE saved.site = ? AND saved.post = ?"
_AFTER = "(saved.site, saved.post, saved.asset) > (?, ?, ?)"
_IN_ORDER = {
    _FILE_OF_POST: "ORDER BY saved.site, saved.post, saved.asset LIMIT ?",
    _POST_OF_FILE: "ORDER BY post.site, post.post, saved.asset LIMIT ?",
}
"""The same order, in the words by which SQLite sees that it reads the rows so already."""
_ASSET_KIND = "CASE WHEN substr(saved.asset, 1, 9) = 'subtitle.' THEN 'subtitle' ELSE rtrim(saved.asset, '0123456789_') END"
_ADD_SAVED = """
INSERT INTO saved (site, post, asset, folder, shared, rest, size, sha256, time, codec, width, height)
VALUES (?, ?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?, ?, ?, ?)
ON CONFLICT (site, post, asset) DO UPDATE SET folder = excluded.folder, shared = excluded.shared,
    rest = excluded.rest, size = excluded.size, sha256 = excluded.sha256, time = excluded.time,
    codec = excluded.codec, width = excluded.width, height = excluded.height
"""
_ADD_POST = """
INSERT INTO post (site, post, account, created, completed) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (site, post) DO UPDATE SET created = excluded.created, completed = excluded.completed
"""
_KNOWN = "SELECT 1 FROM post WHERE site = ? AND post = ? AND completed IS NOT NULL"
_COMPLETED = "SELECT completed FROM post WHERE site = ? AND post = ? AND completed IS NOT NULL"
_FAILED = """
SELECT site, kind, post, asset, error, message, attempts, first, last, next_try, source, scope FROM failed
"""
_FAILURES = f"{_FAILED} WHERE ?1 IS NULL OR site = ?1 ORDER BY first, site, post, asset, source, scope"
_FAIL_AGAIN = """
UPDATE failed SET error = ?5, message = ?6, attempts = attempts + 1, last = ?7, next_try = ?8
WHERE site = ?1 AND kind = ?2 AND post = ?3 AND asset = ?4
"""
_ADD_FAILED = """
INSERT OR IGNORE INTO failed (site, kind, post, asset, error, message, last, next_try, source, scope, attempts, first)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, coalesce(max(attempts), 1), coalesce(min(first), ?7)
FROM failed WHERE site = ?1 AND kind = ?2 AND post = ?3 AND asset = ?4
"""
_KEEP_FAILED = """
INSERT OR IGNORE INTO failed (site, kind, post, asset, source, scope, error, message, attempts, first, last, next_try)
SELECT site, kind, post, asset, ?4, ?5, error, message, attempts, first, last, next_try
FROM failed WHERE site = ?1 AND kind = ?2 AND post = ?3
"""
_NOT_FAILED = "DELETE FROM failed WHERE site = ? AND kind = ? AND post = ? AND (asset = '' OR scope = '')"
_DROP_FAILED = """
DELETE FROM failed WHERE site = ? AND kind = ? AND post = ? AND source = ? AND scope = ?
"""
_ADD_LISTED = """
INSERT INTO listed (site, kind, source, what, scope, time, listed, hidden, declared, full, cause, filters, top)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (site, kind, source, what, scope) DO UPDATE SET time = excluded.time, listed = excluded.listed,
    hidden = excluded.hidden, declared = excluded.declared, full = coalesce(excluded.full, full),
    cause = excluded.cause, filters = excluded.filters, top = excluded.top
"""
_KEEP_CURSOR = """
INSERT INTO unfinished (site, kind, source, what, scope, started, cursor, kept, listed, cause, hidden, filters, top)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (site, kind, source, what, scope, started) DO UPDATE SET cursor = excluded.cursor, kept = excluded.kept,
    listed = excluded.listed, cause = excluded.cause, hidden = excluded.hidden, filters = excluded.filters,
    top = excluded.top
"""
_DROP_CURSOR = """
DELETE FROM unfinished WHERE site = ?1 AND kind = ?2 AND source = ?3 AND what = ?4 AND scope = ?5
    AND (?6 IS NULL OR started = ?6)
"""
_KEEP_LISTED = (
    """
    INSERT OR IGNORE INTO listed (site, kind, source, what, scope, time, listed, hidden, declared, full, cause, filters, top)
    SELECT site, kind, source, what, ?5, time, listed, hidden, declared, full, cause, filters, top
    FROM listed WHERE site = ?1 AND kind = ?2 AND source = ?3 AND what = ?4 AND scope = ?6
    """,
    """
    INSERT OR IGNORE INTO unfinished
        (site, kind, source, what, scope, started, cursor, kept, listed, cause, hidden, filters, top)
    SELECT site, kind, source, what, ?5, started, cursor, kept, listed, cause, hidden, filters, top
    FROM unfinished WHERE site = ?1 AND kind = ?2 AND source = ?3 AND what = ?4 AND scope = ?6
    """,
)
_KEEP_FAILURES = """
INSERT OR IGNORE INTO failed (site, kind, post, asset, source, scope, error, message, attempts, first, last, next_try)
SELECT site, kind, post, asset, source, ?3, error, message, attempts, first, last, next_try
FROM failed WHERE site = ?1 AND source = ?2 AND scope = ?4
"""
_IGNORED = "SELECT 1 FROM ignored WHERE site = ? AND post = ?"
_CHECKED = """
SELECT link, what, ref, title, began, ended, state, error, message, new, failed, hidden, size, troubles, next_try, name
FROM checked ORDER BY began, link, what, name
"""
_ADD_CHECKED = """
INSERT OR REPLACE INTO checked
    (link, what, ref, title, began, ended, state, error, message, new, failed, hidden, size, troubles, next_try, name)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_ADD_GONE = """
INSERT INTO gone (site, post, state, noticed) VALUES (?, ?, ?, ?) ON CONFLICT (site, post) DO UPDATE SET
    noticed = CASE state WHEN excluded.state THEN noticed ELSE excluded.noticed END, state = excluded.state
"""
_ADD_DAMAGED = """
INSERT INTO damaged (site, post, asset, state, noticed) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (site, post, asset) DO UPDATE SET
    noticed = CASE state WHEN excluded.state THEN noticed ELSE excluded.noticed END, state = excluded.state
"""
_DAMAGED = """
SELECT site, post, asset, state, noticed FROM damaged
WHERE (?1 IS NULL OR site = ?1) AND (site, post, asset) > (?2, ?3, ?4) ORDER BY site, post, asset LIMIT ?5
"""
_IS_DAMAGED = "SELECT 1 FROM damaged WHERE site = ? AND post = ? AND asset = ?"
_DROP_DAMAGED = "DELETE FROM damaged WHERE site = ? AND post = ? AND asset = ?"
_GONE_OF = """
SELECT gone.post, gone.state, gone.noticed FROM account CROSS JOIN post ON post.account = account.id
    CROSS JOIN gone ON gone.site = post.site AND gone.post = post.post
WHERE account.site = ? AND account.user = ? ORDER BY gone.noticed DESC, gone.post
"""
_POSTS_OF = """
SELECT post.post, created FROM post WHERE post.account = (SELECT id FROM account WHERE site = ? AND user = ?)
    AND completed IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM gone WHERE gone.site = post.site AND gone.post = post.post)
ORDER BY created DESC
"""
_FORGET = (
    "DELETE FROM saved WHERE site = ? AND post = ?",  # first: its triggers look at `post`
    "DELETE FROM post WHERE site = ? AND post = ?",
    "DELETE FROM ignored WHERE site = ? AND post = ?",
    "DELETE FROM gone WHERE site = ? AND post = ?",
    "DELETE FROM damaged WHERE site = ? AND post = ?",
)
_FIND_USERS = """
SELECT user FROM account WHERE site = ?1 AND (user = ?2 OR (uid <> '' AND uid = ?2)) UNION
SELECT user FROM account JOIN name ON name.account = account.id WHERE site = ?1 AND handle <> '' AND handle = ?2
"""
_MERGE = (
    "UPDATE post SET account = ?1 WHERE account = ?2",
    """
    INSERT INTO tally SELECT ?1, kind, files, size FROM tally WHERE account = ?2
    ON CONFLICT (account, kind) DO UPDATE SET files = files + excluded.files, size = size + excluded.size
    """,
    "DELETE FROM tally WHERE account = ?2",
    "DELETE FROM name WHERE account = ?2",
    "DELETE FROM account WHERE id = ?2",
)
_STATS = """
SELECT site, user, kind, files, size,
    coalesce((SELECT nickname FROM name WHERE name.account = account.id ORDER BY number DESC LIMIT 1), '')
FROM tally JOIN account ON account.id = tally.account WHERE files > 0 ORDER BY site, user, kind
"""
_COUNTS = """
SELECT (SELECT count(*) FROM (SELECT DISTINCT site, kind, post, asset FROM failed WHERE ?1 IS NULL OR site = ?1)),
    (SELECT count(*) FROM gone WHERE ?1 IS NULL OR site = ?1),
    (SELECT count(*) FROM ignored WHERE ?1 IS NULL OR site = ?1),
    (SELECT count(*) FROM damaged WHERE ?1 IS NULL OR site = ?1)
"""
_FILES_OF_FOLDERS = """
SELECT coalesce(saved.folder, post.folder) AS place, count(*)
FROM saved LEFT JOIN post ON (post.site, post.post) = (saved.site, saved.post) GROUP BY place
"""
_PLACES = """
SELECT cursor, started, kept, listed, cause, hidden, filters, top FROM unfinished
WHERE site = ? AND kind = ? AND source = ? AND what = ? AND scope = ? ORDER BY started DESC
"""
_LISTED = """
SELECT scope, time, listed, hidden, declared, full, cause, filters, top FROM listed
WHERE site = ? AND kind = ? AND source = ? AND what = ?
"""
_REMOTE_HINT = "keep it on a local disk (DYVINE_HOME moves it) if more than one run may use it at once"


def _now() -> datetime:
    return datetime.now(UTC)


class SqliteArchive:
    """The archive in one SQLite file; for one thread, and any number of processes."""

    def __init__(
        self,
        db: sqlite3.Connection,
        path: Path | None,
        clock: Callable[[], datetime],
        *,
        read_only: bool = False,
    ) -> None:
        self._db = db
        self._path = path
        self._clock = clock
        self._read_only = read_only

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        optional: bool = True,
        reading: bool = False,
        report: Report = ignore,
        clock: Callable[[], datetime] = _now,
        network: Callable[[Path], str | None] = network_file_system,
        migrations: Sequence[schema.Migration] = schema.MIGRATIONS,
    ) -> SqliteArchive:
        """Open the archive at `path`, made if it is not there, brought up to the present tables if it is older.

        `optional` says that a run can do without an archive; `reading` that reading it is enough where it cannot be
        written, see `read_only`. `network` tells the network file system a folder lies on, None for a local one; there
        a rollback journal replaces the write-ahead log, with a warning. Raises ArchiveError, DiskFull.
        """
        if reading and stands(path) and not can_write(path):
            return cls(open_reading(path, migrations=migrations), path, clock, read_only=True)
        remote = network(path.parent)
        db = open_database(path, remote=remote, optional=optional, migrations=migrations)
        if remote:
            report(
                Warned(
                    message=f"the archive {path} lies on {remote}, where locks are weak", hint=_REMOTE_HINT
                )
            )
        return cls(db, path, clock)

    @classmethod
    def in_memory(cls, *, clock: Callable[[], datetime] = _now) -> SqliteArchive:
        """An archive that begins empty and leaves nothing behind, for runs without one."""
        return cls(in_memory(), None, clock)

    @property
    def read_only(self) -> bool:
        """Whether it was opened where it cannot be written."""
        return self._read_only

    async def saved(self, ref: Ref, asset: str) -> SavedAsset | None:
        """One row by its key, 7 µs."""
        with mapped(self._path):
            row = self._db.execute(
                _SAVED_OF_POST + " AND saved.asset = ?", (ref.site, ref.id, asset)
            ).fetchone()
        return _saved(row) if row else None

    async def saved_assets(self, ref: Ref) -> Mapping[str, SavedAsset]:
        """The rows of one post lie side by side."""
        with mapped(self._path):
            rows = self._db.execute(_SAVED_OF_POST, (ref.site, ref.id)).fetchall()
        found = (_saved(row) for row in rows)
        return {row.asset: row for row in found}

    async def knows(self, ref: Ref) -> bool:
        """Whether the post stands in the table of complete ones."""
        with mapped(self._path):
            return self._db.execute(_KNOWN, (ref.site, ref.id)).fetchone() is not None

    async def known(self, refs: Sequence[Ref]) -> frozenset[Ref]:
        """One look-up per ref: 60 of them are cheaper than building a query."""
        return frozenset([ref for ref in refs if await self.knows(ref)])

    async def completed(self, refs: Sequence[Ref]) -> Mapping[Ref, datetime]:
        """One look-up per ref, as in `known`."""
        with mapped(self._path):
            found = {ref: self._db.execute(_COMPLETED, (ref.site, ref.id)).fetchone() for ref in refs}
        return {ref: _time(row[0]) for ref, row in found.items() if row is not None}

    async def add_saved(self, rows: Sequence[SavedAsset]) -> None:
        """Insert or replace in one transaction; the tally follows by triggers."""
        with self._writing() as db:
            for row in rows:
                db.execute(_ADD_SAVED, _saved_values(db, row))
                db.execute(
                    "DELETE FROM failed WHERE site = ? AND kind = ? AND post = ? AND asset = ?",
                    (row.ref.site, row.ref.kind, row.ref.id, row.asset),
                )
                db.execute(_DROP_DAMAGED, (row.ref.site, row.ref.id, row.asset))

    async def add_posts(self, posts: Sequence[CompletePost]) -> None:
        """Insert, or move the time of completion."""
        with self._writing() as db:
            for post in posts:
                times = (_seconds(post.created), _seconds(post.completed))
                db.execute(
                    _ADD_POST, (post.ref.site, post.ref.id, _account(db, post.ref.site, post.user), *times)
                )
                db.execute(_NOT_FAILED, (post.ref.site, post.ref.kind, post.ref.id))

    async def add_failed(
        self,
        ref: Ref,
        asset: str | None,
        error: str,
        message: str,
        *,
        source: Ref | None = None,
        scope: str = "",
        next_try: datetime | None = None,
    ) -> None:
        """Count one more attempt, and insert who is new."""
        now = _seconds(self._clock())
        key = (ref.site, ref.kind, ref.id, asset or "")
        values = (error, _text(message), now, _moment(next_try))
        with self._writing() as db:
            known = db.execute(_FAIL_AGAIN, (*key, *values)).rowcount
            if source is not None or not known:
                db.execute(_ADD_FAILED, (*key, *values, _ref_text(source), scope))

    async def keep_failed(self, ref: Ref, *, source: Ref, scope: str) -> None:
        """Copy what is there."""
        with self._writing() as db:
            db.execute(_KEEP_FAILED, (ref.site, ref.kind, ref.id, _ref_text(source), scope))

    async def failed(
        self, ref: Ref, *, source: Ref | None = None, scope: str = ""
    ) -> Mapping[str | None, FailedAsset]:
        """The open failures of one post."""
        where = (
            " WHERE site = ?1 AND kind = ?2 AND post = ?3 AND (?4 IS NULL OR (source = ?4 AND scope = ?5))"
        )
        values = (ref.site, ref.kind, ref.id, None if source is None else _ref_text(source), scope)
        with mapped(self._path):
            rows = self._db.execute(_FAILED + where, values).fetchall()
        found = (_failed(row) for row in rows)
        return {row.asset: row for row in found}

    async def failures(self, site: str | None = None) -> tuple[FailedAsset, ...]:
        """All open failures."""
        with mapped(self._path):
            return tuple(map(_failed, self._db.execute(_FAILURES, (site,))))

    async def each_failure(self, site: str | None = None) -> AsyncGenerator[tuple[FailedAsset, ...]]:
        """One query, read a part at a time; what it sorts is in SQLite's own files where it is much."""
        with mapped(self._path):
            rows = self._db.execute(_FAILURES, (site,))
        try:
            while part := self._part_of(rows):
                yield part
        finally:
            rows.close()

    def _part_of(self, rows: sqlite3.Cursor) -> tuple[FailedAsset, ...]:
        with mapped(self._path):
            return tuple(map(_failed, rows.fetchmany(PART)))

    async def drop_failed(self, refs: Sequence[Ref], *, source: Ref | None = None, scope: str = "") -> None:
        """Delete the rows."""
        with self._writing() as db:
            for ref in refs:
                if source is None:
                    _forget_failures(db, ref)
                else:
                    db.execute(_DROP_FAILED, (ref.site, ref.kind, ref.id, _ref_text(source), scope))

    async def add_listed(self, source: ListedSource) -> None:
        """Insert or replace, keeping the time of the last full listing."""
        full = None if source.full is None else _seconds(source.full)
        counts = (source.listed, source.hidden, _number(source.declared))
        words = (source.cause, source.filters, _top_text(source.top))
        with self._writing() as db:
            key = (*_listing_key(source.ref, source.what), source.scope)
            db.execute(_ADD_LISTED, (*key, _seconds(source.time), *counts, full, *words))

    async def listed(self, ref: Ref, what: Listing | None, scope: str = "") -> ListedSource | None:
        """One row by its key."""
        with mapped(self._path):
            row = self._db.execute(_LISTED + " AND scope = ?", (*_listing_key(ref, what), scope)).fetchone()
        return _listed(ref, what, row) if row else None

    async def listings(self, ref: Ref, what: Listing | None) -> tuple[ListedSource, ...]:
        """The rows of one listing lie side by side."""
        with mapped(self._path):
            rows = self._db.execute(
                _LISTED + " ORDER BY time DESC, scope", _listing_key(ref, what)
            ).fetchall()
        return tuple(_listed(ref, what, row) for row in rows)

    async def keep_listed(self, ref: Ref, what: Listing | None, scope: str, *, like: str) -> None:
        """Copy what is there."""
        with self._writing() as db:
            for statement in _KEEP_LISTED:
                db.execute(statement, (*_listing_key(ref, what), scope, like))
            db.execute(_KEEP_FAILURES, (ref.site, _ref_text(replace(ref, listing=what)), scope, like))

    async def cursor(self, ref: Ref, what: Listing | None, scope: str = "") -> StoredCursor | None:
        """The first of `cursors`."""
        places = await self.cursors(ref, what, scope)
        return places[0] if places else None

    async def cursors(self, ref: Ref, what: Listing | None, scope: str = "") -> tuple[StoredCursor, ...]:
        """One row per unfinished listing."""
        with mapped(self._path):
            rows = self._db.execute(_PLACES, (*_listing_key(ref, what), scope)).fetchall()
        return tuple(
            StoredCursor(
                ref=ref,
                what=what,
                cursor=Cursor(cursor),
                started=_time(started),
                kept=_time(kept),
                listed=listed,
                cause=cause,
                hidden=hidden,
                filters=filters,
                scope=scope,
                top=_top(top),
            )
            for cursor, started, kept, listed, cause, hidden, filters, top in rows
        )

    async def keep_cursor(self, place: StoredCursor) -> None:
        """Insert, or move the place on."""
        key = (*_listing_key(place.ref, place.what), place.scope)
        with self._writing() as db:
            values = (
                _seconds(place.started),
                _text(place.cursor),
                _seconds(place.kept),
                place.listed,
                place.cause,
                place.hidden,
                place.filters,
                _top_text(place.top),
            )
            db.execute(_KEEP_CURSOR, (*key, *values))

    async def drop_cursor(
        self, ref: Ref, what: Listing | None, started: datetime | None = None, *, scope: str = ""
    ) -> None:
        """Delete one place or all of a source."""
        begun = None if started is None else _seconds(started)
        with self._writing() as db:
            db.execute(_DROP_CURSOR, (*_listing_key(ref, what), scope, begun))

    async def add_user(self, site: str, user: Author, *, seen: datetime, folder: Path | None = None) -> None:
        """Update the account; a name becomes a row when it differs from the latest."""
        name = (_text(user.nickname), _text(user.handle))
        with self._writing() as db:
            account = _account(db, site, user.id)
            _merge(db, site, user, account)
            place = None if folder is None else _folder(db, folder)
            db.execute(
                "UPDATE account SET uid = CASE ?1 WHEN '' THEN uid ELSE ?1 END, folder = coalesce(?2, folder) "
                "WHERE id = ?3",
                (_text(user.uid), place, account),
            )
            latest = db.execute(
                "SELECT number, nickname, handle FROM name WHERE account = ? ORDER BY number DESC LIMIT 1",
                (account,),
            ).fetchone()
            if latest is None or latest[1:] != name:
                number = 1 if latest is None else latest[0] + 1
                db.execute(
                    "INSERT INTO name VALUES (?, ?, ?, ?, ?)", (account, number, *name, _seconds(seen))
                )

    async def user(self, site: str, id: str) -> KnownUser | None:
        """The account with its names and folder."""
        from dyvine_cli.archive.holdings import KnownName, KnownUser

        with mapped(self._path):
            row = self._db.execute(
                "SELECT account.id, uid, CAST(folder.path AS BLOB) FROM account "
                "LEFT JOIN folder ON folder.id = account.folder WHERE site = ? AND user = ?",
                (site, id),
            ).fetchone()
            if row is None:
                return None
            names = self._db.execute(
                "SELECT nickname, handle, since FROM name WHERE account = ? ORDER BY number", row[:1]
            ).fetchall()
        # An account that is known from a saved file alone has no name on record.
        if not names:
            return None
        return KnownUser(
            site=site,
            id=id,
            uid=row[1],
            folder=None if row[2] is None else Path(os.fsdecode(row[2])),
            names=tuple(KnownName(nickname=n, handle=h, since=_time(since)) for n, h, since in names),
        )

    async def find_users(self, site: str, name: str) -> tuple[str, ...]:
        """By the tables of accounts and names, which are small beside the others."""
        with mapped(self._path):
            return tuple(user for (user,) in self._db.execute(_FIND_USERS, (site, name)))

    async def forget(self, ref: Ref) -> None:
        """Delete the rows of the post from every table."""
        with self._writing() as db:
            for statement in _FORGET:
                db.execute(statement, (ref.site, ref.id))
            _forget_failures(db, ref)

    async def ignore(self, refs: Sequence[Ref]) -> None:
        """Insert, keeping the first decision."""
        now = _seconds(self._clock())
        with self._writing() as db:
            for ref in refs:
                db.execute("INSERT OR IGNORE INTO ignored VALUES (?, ?, ?)", (ref.site, ref.id, now))
                _forget_failures(db, ref)

    async def ignored(self, refs: Sequence[Ref]) -> frozenset[Ref]:
        """One look-up per ref."""
        with mapped(self._path):
            return frozenset(ref for ref in refs if self._db.execute(_IGNORED, (ref.site, ref.id)).fetchone())

    async def ignored_posts(self, site: str | None = None) -> tuple[IgnoredPost, ...]:
        """The whole table."""
        from dyvine_cli.archive.holdings import IgnoredPost

        asked = (
            "SELECT site, post, since FROM ignored WHERE ?1 IS NULL OR site = ?1 ORDER BY since, site, post"
        )
        with mapped(self._path):
            return tuple(
                IgnoredPost(ref=Ref(site, "post", post), since=_time(since))
                for site, post, since in self._db.execute(asked, (site,))
            )

    async def checked(self) -> tuple[CheckedSource, ...]:
        """The whole table."""
        with mapped(self._path):
            return tuple(_checked(row) for row in self._db.execute(_CHECKED))

    async def add_checked(self, source: CheckedSource) -> None:
        """Insert or replace."""
        texts = (source.state, source.error, source.message)
        counts = (source.new, source.failed, source.hidden, source.size, source.troubles)
        values = (
            *(source.link, source.what or "", _ref_text(source.ref), _text(source.title)),
            *(_seconds(source.began), _moment(source.ended)),
            *(_text(each) for each in texts),
            *counts,
            _moment(source.next_try),
            source.name,
        )
        with self._writing() as db:
            db.execute(_ADD_CHECKED, values)

    async def drop_checked(self, link: str, what: Listing | None, name: str | None = None) -> None:
        """Delete its rows."""
        with self._writing() as db:
            db.execute(
                "DELETE FROM checked WHERE link = ? AND what = ? AND name IN ('', ?)",
                (link, what or "", name or ""),
            )

    async def add_gone(self, posts: Sequence[GonePost]) -> None:
        """Insert, or change the state."""
        with self._writing() as db:
            for post in posts:
                db.execute(_ADD_GONE, (post.ref.site, post.ref.id, post.state, _seconds(post.noticed)))

    async def gone(self, site: str | None = None) -> tuple[GonePost, ...]:
        """The whole table."""
        asked = "SELECT site, post, state, noticed FROM gone WHERE ?1 IS NULL OR site = ?1 "
        with mapped(self._path):
            return tuple(
                GonePost(ref=Ref(site, "post", post), state=state, noticed=_time(noticed))
                for site, post, state, noticed in self._db.execute(
                    asked + "ORDER BY noticed DESC, site, post", (site,)
                )
            )

    async def gone_of(self, site: str, user_id: str) -> tuple[GonePost, ...]:
        """By the index on accounts."""
        with mapped(self._path):
            rows = self._db.execute(_GONE_OF, (site, user_id)).fetchall()
        return tuple(
            GonePost(ref=Ref(site, "post", post), state=state, noticed=_time(noticed))
            for post, state, noticed in rows
        )

    async def drop_gone(self, refs: Sequence[Ref]) -> None:
        """Delete the rows."""
        with self._writing() as db:
            for ref in refs:
                db.execute("DELETE FROM gone WHERE site = ? AND post = ?", (ref.site, ref.id))

    async def posts_of(self, site: str, user_id: str) -> Mapping[Ref, datetime]:
        """By the index on accounts."""
        with mapped(self._path):
            rows = self._db.execute(_POSTS_OF, (site, user_id)).fetchall()
        return {Ref(site, "post", post): _time(created) for post, created in rows}

    async def files(
        self, wanted: FileFilter, *, after: FileKey | None = None, limit: int = 1000
    ) -> tuple[RecordedFile, ...]:
        """A range of the key, or of one account's posts."""
        from dyvine_cli.archive.holdings import RecordedFile

        query, values = _files_query(wanted, after)
        with mapped(self._path):
            rows = self._db.execute(query, (*values, limit)).fetchall()
        return tuple(RecordedFile(saved=_saved(row), created=_moment_of(row[-1])) for row in rows)

    async def add_damaged(self, files: Sequence[DamagedAsset]) -> None:
        """Insert, or change the state."""
        with self._writing() as db:
            for file in files:
                key = (file.ref.site, file.ref.id, file.asset)
                db.execute(_ADD_DAMAGED, (*key, file.state, _seconds(file.noticed)))

    async def damaged(
        self, site: str | None = None, *, after: FileKey | None = None, limit: int | None = None
    ) -> tuple[DamagedAsset, ...]:
        """A range of the key."""
        from dyvine_cli.archive.holdings import DamagedAsset

        values = (site, *(after or ("", "", "")), -1 if limit is None else limit)
        with mapped(self._path):
            return tuple(
                DamagedAsset(ref=Ref(site, "post", post), asset=asset, state=state, noticed=_time(noticed))
                for site, post, asset, state, noticed in self._db.execute(_DAMAGED, values)
            )

    async def known_damaged(self, keys: Sequence[FileKey]) -> frozenset[FileKey]:
        """One look-up per key."""
        with mapped(self._path):
            return frozenset(key for key in keys if self._db.execute(_IS_DAMAGED, key).fetchone())

    async def drop_damaged(self, keys: Sequence[FileKey]) -> None:
        """Delete the rows."""
        with self._writing() as db:
            db.executemany(_DROP_DAMAGED, keys)

    async def verification(self, scope: str) -> Verification | None:
        """One row by its key."""
        from dyvine_cli.archive.holdings import Verification

        asked = "SELECT site, post, asset, began, files, size FROM verifying WHERE scope = ?"
        with mapped(self._path):
            row = self._db.execute(asked, (scope,)).fetchone()
        if row is None:
            return None
        site, post, asset, began, files, size = row
        last = (site, post, asset)
        return Verification(scope=scope, last=last, began=_time(began), files=files, size=size)

    async def keep_verification(self, place: Verification) -> None:
        """Insert or replace."""
        values = (place.scope, *place.last, _seconds(place.began), place.files, place.size)
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO verifying VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    async def drop_verification(self, scope: str) -> None:
        """Delete one row."""
        with self._writing() as db:
            db.execute("DELETE FROM verifying WHERE scope = ?", (scope,))

    async def sample(self, wanted: FileFilter, count: int) -> tuple[SavedAsset, ...]:
        """Rows of the whole table, each with the same chance; four times as many as wanted are the most."""
        total = sum(each.files for each in await self.stats())
        query, values = _files_query(wanted, None, every=max(1, total // count))
        with mapped(self._path):
            return tuple(_saved(row) for row in self._db.execute(query, (*values, 4 * count)))

    async def files_below(self, folder: Path) -> int:
        """The folders are looked at one by one, their files counted by SQLite: for rare occasions."""
        with mapped(self._path):
            paths = self._db.execute("SELECT id, CAST(path AS BLOB) FROM folder").fetchall()
            below = {id for id, path in paths if Path(os.fsdecode(path)).is_relative_to(folder)}
            counts = self._db.execute(_FILES_OF_FOLDERS).fetchall() if below else []
        return sum(files for id, files in counts if id in below)

    async def counts(self, site: str | None = None) -> Counts:
        """Counted by SQLite."""
        from dyvine_cli.archive.holdings import Counts

        with mapped(self._path):
            failed, gone, ignored, damaged = self._db.execute(_COUNTS, (site,)).fetchone()
        return Counts(failed=failed, gone=gone, ignored=ignored, damaged=damaged)

    async def stats(self) -> tuple[Tally, ...]:
        """Read from the tally, not counted."""
        from dyvine_cli.archive.holdings import Tally

        with mapped(self._path):
            rows = self._db.execute(_STATS).fetchall()
        return tuple(
            Tally(site=site, user=user, kind=kind, files=files, size=size, name=name)
            for site, user, kind, files, size, name in rows
        )

    async def aclose(self) -> None:
        """Close the connection; the last one to close also removes the side files."""
        with mapped(self._path):
            self._db.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with mapped(self._path), transaction(self._db):
            yield self._db


def _saved(row: tuple[Any, ...]) -> SavedAsset:
    site, post, asset, user, folder, first, shared, rest, size, sha256, time, codec, width, height, _ = row
    return SavedAsset(
        ref=Ref(site, "post", post),
        asset=asset,
        user=user,
        path=Path(os.fsdecode(folder), os.fsdecode(first)[:shared] + os.fsdecode(rest)),
        size=size,
        sha256=sha256.hex(),
        saved=_time(time),
        codec=codec,
        width=width,
        height=height,
    )


def _saved_values(db: sqlite3.Connection, row: SavedAsset) -> tuple[object, ...]:
    folder, first = _post_place(db, row)
    own = _folder(db, row.path.parent)
    name = row.path.name
    shared = _shared(first, name)
    path = (None if own == folder else own, shared, os.fsencode(name[shared:]))
    facts = (row.size, bytes.fromhex(row.sha256), _seconds(row.saved), row.codec)
    return (row.ref.site, row.ref.id, row.asset, *path, *facts, _number(row.width), _number(row.height))


def _shared(first: str, second: str) -> int:
    """How many characters two names have in common at their beginning."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(first), len(second)))


def _post_place(db: sqlite3.Connection, row: SavedAsset) -> tuple[int, str]:
    """Folder and name that the files of this post are told by: its first file's, hence this one's if it is new."""
    key = (row.ref.site, row.ref.id)
    found = db.execute(
        "SELECT folder, CAST(name AS BLOB) FROM post WHERE site = ? AND post = ?", key
    ).fetchone()
    if found and found[0] is not None:
        return found[0], os.fsdecode(found[1])
    folder, name = _folder(db, row.path.parent), row.path.name
    db.execute(
        "INSERT INTO post (site, post, account, folder, name) VALUES (?, ?, ?, ?, CAST(? AS TEXT)) "
        "ON CONFLICT (site, post) DO UPDATE SET folder = excluded.folder, name = excluded.name",
        (*key, _account(db, row.ref.site, row.user), folder, os.fsencode(name)),
    )
    return folder, name


def _files_query(wanted: FileFilter, after: FileKey | None, *, every: int = 1) -> tuple[str, list[object]]:
    """The query for a page of files, and its values but the last, the limit; of `every` files it takes one at random."""
    conditions: list[str] = []
    values: list[object] = []

    def only(condition: str, *more: object) -> None:
        conditions.append(condition)
        values.extend(more)

    if every > 1:
        only("abs(random() % ?) = 0", every)
    tables = _FILE_OF_POST if wanted.user is None else _POST_OF_FILE
    if after is not None:
        only(_AFTER, *after)
        if tables == _POST_OF_FILE:
            only("(post.site, post.post) >= (?, ?)", *after[:2])
    if wanted.site is not None:
        only("saved.site = ?", wanted.site)
    if wanted.post is not None:
        only("saved.site = ? AND saved.post = ?", wanted.post.site, wanted.post.id)
    if wanted.user is not None:
        only(
            "post.account = (SELECT id FROM account WHERE site = ? AND user = ?)",
            wanted.user.site,
            wanted.user.id,
        )
    if wanted.kinds:
        only(f"{_ASSET_KIND} IN ({', '.join('?' * len(wanted.kinds))})", *wanted.kinds)
    if wanted.since is not None:
        only("post.created >= ?", _seconds(wanted.since))
    if wanted.until is not None:
        only("post.created < ?", _seconds(wanted.until))
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    return f"{_SAVED.format(tables=tables)}{where}{_IN_ORDER[tables]}", values


def _failed(row: tuple[Any, ...]) -> FailedAsset:
    site, kind, post, asset, error, message, attempts, first, last, next_try, source, scope = row
    return FailedAsset(
        ref=Ref(site, kind, post),
        asset=asset or None,
        error=error,
        message=message,
        attempts=attempts,
        first=_time(first),
        last=_time(last),
        next_try=_moment_of(next_try),
        source=Ref.parse(source),
        scope=scope,
    )


def _listed(ref: Ref, what: Listing | None, row: tuple[Any, ...]) -> ListedSource:
    scope, time, listed, hidden, declared, full, cause, filters, top = row
    return ListedSource(
        ref=ref,
        what=what,
        time=_time(time),
        listed=listed,
        hidden=hidden,
        declared=declared,
        full=_moment_of(full),
        cause=cause,
        filters=filters,
        scope=scope,
        top=_top(top),
    )


def _checked(row: tuple[Any, ...]) -> CheckedSource:
    (
        link,
        what,
        ref,
        title,
        began,
        ended,
        state,
        error,
        message,
        new,
        failed,
        hidden,
        size,
        troubles,
        next_try,
        name,
    ) = row
    return CheckedSource(
        link=link,
        what=what or None,
        ref=Ref.parse(ref),
        title=title,
        began=_time(began),
        ended=_moment_of(ended),
        state=state,
        error=error,
        message=message,
        new=new,
        failed=failed,
        hidden=hidden,
        size=size,
        troubles=troubles,
        next_try=_moment_of(next_try),
        name=name,
    )


def _forget_failures(db: sqlite3.Connection, ref: Ref) -> None:
    db.execute("DELETE FROM failed WHERE site = ? AND kind = ? AND post = ?", (ref.site, ref.kind, ref.id))


def _account(db: sqlite3.Connection, site: str, user: str) -> int:
    """The row of an account, made if it is new."""
    found = db.execute("SELECT id FROM account WHERE site = ? AND user = ?", (site, user)).fetchone()
    if found is None:
        found = db.execute(
            "INSERT INTO account (site, user) VALUES (?, ?) RETURNING id", (site, user)
        ).fetchone()
    return int(found[0])


def _merge(db: sqlite3.Connection, site: str, user: Author, account: int) -> None:
    """Take over what stands under the account's number: a tree of files tells no more, see `operations.library.rebuild`."""
    if not user.uid or user.uid == user.id:
        return
    found = db.execute("SELECT id FROM account WHERE site = ? AND user = ?", (site, user.uid)).fetchone()
    if found is not None:
        for statement in _MERGE:
            db.execute(statement, (account, found[0]))


def _folder(db: sqlite3.Connection, folder: Path) -> int:
    """The row of a folder, made if it is new; its bytes are kept even where they are not UTF-8."""
    path = os.fsencode(folder)
    found = db.execute("SELECT id FROM folder WHERE path = CAST(? AS TEXT)", (path,)).fetchone()
    if found is None:
        found = db.execute(
            "INSERT INTO folder (path) VALUES (CAST(? AS TEXT)) RETURNING id", (path,)
        ).fetchone()
    return int(found[0])


def _listing_key(ref: Ref, what: Listing | None) -> tuple[str, str, str, str]:
    return ref.site, ref.kind, ref.id, what or ""


def _top_text(top: Sequence[str] | None) -> str | None:
    return None if top is None else _text(" ".join(top))


def _top(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(text.split())


def _seconds(time: datetime) -> int:
    return int(time.timestamp())


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _moment(time: datetime | None) -> int | None:
    return None if time is None else _seconds(time)


def _moment_of(seconds: int | None) -> datetime | None:
    return None if seconds is None else _time(seconds)


def _ref_text(ref: Ref | None) -> str:
    return str(ref) if ref else ""


def _number(value: int | None) -> int | None:
    """A platform's number, None where it is too large to be true (SQLite holds 63 bits)."""
    return value if value is not None and 0 <= value < 2**31 else None


def _text(text: str) -> str:
    """A platform's text without the lone surrogates that JSON can smuggle in and UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
