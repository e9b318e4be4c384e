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
from typing import TYPE_CHECKING

from dyvine_cli.archive import schema
from dyvine_cli.archive import statements as sql
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
from dyvine_cli.archive.rows import (
    account_row,
    checked_of,
    failed_of,
    files_query,
    folder_row,
    forget_failures,
    listed_of,
    listing_key,
    merge,
    moment,
    moment_of,
    number,
    plain,
    ref_text,
    saved_of,
    seconds,
    time_of,
    top_of,
    top_text,
    values_of,
)
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

PART = 1000
"""Failures that one part of a long reading has."""

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
                sql.SAVED_OF_POST + " AND saved.asset = ?", (ref.site, ref.id, asset)
            ).fetchone()
        return saved_of(row) if row else None

    async def saved_assets(self, ref: Ref) -> Mapping[str, SavedAsset]:
        """The rows of one post lie side by side."""
        with mapped(self._path):
            rows = self._db.execute(sql.SAVED_OF_POST, (ref.site, ref.id)).fetchall()
        found = (saved_of(row) for row in rows)
        return {row.asset: row for row in found}

    async def knows(self, ref: Ref) -> bool:
        """Whether the post stands in the table of complete ones."""
        with mapped(self._path):
            return self._db.execute(sql.KNOWN, (ref.site, ref.id)).fetchone() is not None

    async def known(self, refs: Sequence[Ref]) -> frozenset[Ref]:
        """One look-up per ref: 60 of them are cheaper than building a query."""
        return frozenset([ref for ref in refs if await self.knows(ref)])

    async def completed(self, refs: Sequence[Ref]) -> Mapping[Ref, datetime]:
        """One look-up per ref, as in `known`."""
        with mapped(self._path):
            found = {ref: self._db.execute(sql.COMPLETED, (ref.site, ref.id)).fetchone() for ref in refs}
        return {ref: time_of(row[0]) for ref, row in found.items() if row is not None}

    async def add_saved(self, rows: Sequence[SavedAsset]) -> None:
        """Insert or replace in one transaction; the tally follows by triggers."""
        with self._writing() as db:
            for row in rows:
                db.execute(sql.ADD_SAVED, values_of(db, row))
                db.execute(
                    "DELETE FROM failed WHERE site = ? AND kind = ? AND post = ? AND asset = ?",
                    (row.ref.site, row.ref.kind, row.ref.id, row.asset),
                )
                db.execute(sql.DROP_DAMAGED, (row.ref.site, row.ref.id, row.asset))

    async def add_posts(self, posts: Sequence[CompletePost]) -> None:
        """Insert, or move the time of completion."""
        with self._writing() as db:
            for post in posts:
                times = (seconds(post.created), seconds(post.completed))
                db.execute(
                    sql.ADD_POST,
                    (post.ref.site, post.ref.id, account_row(db, post.ref.site, post.user), *times),
                )
                db.execute(sql.NOT_FAILED, (post.ref.site, post.ref.kind, post.ref.id))

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
        now = seconds(self._clock())
        key = (ref.site, ref.kind, ref.id, asset or "")
        values = (error, plain(message), now, moment(next_try))
        with self._writing() as db:
            known = db.execute(sql.FAIL_AGAIN, (*key, *values)).rowcount
            if source is not None or not known:
                db.execute(sql.ADD_FAILED, (*key, *values, ref_text(source), scope))

    async def keep_failed(self, ref: Ref, *, source: Ref, scope: str) -> None:
        """Copy what is there."""
        with self._writing() as db:
            db.execute(sql.KEEP_FAILED, (ref.site, ref.kind, ref.id, ref_text(source), scope))

    async def failed(
        self, ref: Ref, *, source: Ref | None = None, scope: str = ""
    ) -> Mapping[str | None, FailedAsset]:
        """The open failures of one post."""
        where = (
            " WHERE site = ?1 AND kind = ?2 AND post = ?3 AND (?4 IS NULL OR (source = ?4 AND scope = ?5))"
        )
        values = (ref.site, ref.kind, ref.id, None if source is None else ref_text(source), scope)
        with mapped(self._path):
            rows = self._db.execute(sql.FAILED + where, values).fetchall()
        found = (failed_of(row) for row in rows)
        return {row.asset: row for row in found}

    async def failures(self, site: str | None = None) -> tuple[FailedAsset, ...]:
        """All open failures."""
        with mapped(self._path):
            return tuple(map(failed_of, self._db.execute(sql.FAILURES, (site,))))

    async def each_failure(self, site: str | None = None) -> AsyncGenerator[tuple[FailedAsset, ...]]:
        """One query, read a part at a time; what it sorts is in SQLite's own files where it is much."""
        with mapped(self._path):
            rows = self._db.execute(sql.FAILURES, (site,))
        try:
            while part := self._part_of(rows):
                yield part
        finally:
            rows.close()

    def _part_of(self, rows: sqlite3.Cursor) -> tuple[FailedAsset, ...]:
        with mapped(self._path):
            return tuple(map(failed_of, rows.fetchmany(PART)))

    async def drop_failed(self, refs: Sequence[Ref], *, source: Ref | None = None, scope: str = "") -> None:
        """Delete the rows."""
        with self._writing() as db:
            for ref in refs:
                if source is None:
                    forget_failures(db, ref)
                else:
                    db.execute(sql.DROP_FAILED, (ref.site, ref.kind, ref.id, ref_text(source), scope))

    async def add_listed(self, source: ListedSource) -> None:
        """Insert or replace, keeping the time of the last full listing."""
        full = None if source.full is None else seconds(source.full)
        counts = (source.listed, source.hidden, number(source.declared))
        words = (source.cause, source.filters, top_text(source.top))
        with self._writing() as db:
            key = (*listing_key(source.ref, source.what), source.scope)
            db.execute(sql.ADD_LISTED, (*key, seconds(source.time), *counts, full, *words))

    async def listed(self, ref: Ref, what: Listing | None, scope: str = "") -> ListedSource | None:
        """One row by its key."""
        with mapped(self._path):
            row = self._db.execute(sql.LISTED + " AND scope = ?", (*listing_key(ref, what), scope)).fetchone()
        return listed_of(ref, what, row) if row else None

    async def listings(self, ref: Ref, what: Listing | None) -> tuple[ListedSource, ...]:
        """The rows of one listing lie side by side."""
        with mapped(self._path):
            rows = self._db.execute(
                sql.LISTED + " ORDER BY time DESC, scope", listing_key(ref, what)
            ).fetchall()
        return tuple(listed_of(ref, what, row) for row in rows)

    async def keep_listed(self, ref: Ref, what: Listing | None, scope: str, *, like: str) -> None:
        """Copy what is there."""
        with self._writing() as db:
            for statement in sql.KEEP_LISTED:
                db.execute(statement, (*listing_key(ref, what), scope, like))
            db.execute(sql.KEEP_FAILURES, (ref.site, ref_text(replace(ref, listing=what)), scope, like))

    async def cursor(self, ref: Ref, what: Listing | None, scope: str = "") -> StoredCursor | None:
        """The first of `cursors`."""
        places = await self.cursors(ref, what, scope)
        return places[0] if places else None

    async def cursors(self, ref: Ref, what: Listing | None, scope: str = "") -> tuple[StoredCursor, ...]:
        """One row per unfinished listing."""
        with mapped(self._path):
            rows = self._db.execute(sql.PLACES, (*listing_key(ref, what), scope)).fetchall()
        return tuple(
            StoredCursor(
                ref=ref,
                what=what,
                cursor=Cursor(cursor),
                started=time_of(started),
                kept=time_of(kept),
                listed=listed,
                cause=cause,
                hidden=hidden,
                filters=filters,
                scope=scope,
                top=top_of(top),
                above=moment_of(above),
            )
            for cursor, started, kept, listed, cause, hidden, filters, top, above in rows
        )

    async def keep_cursor(self, place: StoredCursor) -> None:
        """Insert, or move the place on."""
        key = (*listing_key(place.ref, place.what), place.scope)
        with self._writing() as db:
            values = (
                seconds(place.started),
                plain(place.cursor),
                seconds(place.kept),
                place.listed,
                place.cause,
                place.hidden,
                place.filters,
                top_text(place.top),
                moment(place.above),
            )
            db.execute(sql.KEEP_CURSOR, (*key, *values))

    async def drop_cursor(
        self, ref: Ref, what: Listing | None, started: datetime | None = None, *, scope: str = ""
    ) -> None:
        """Delete one place or all of a source."""
        begun = None if started is None else seconds(started)
        with self._writing() as db:
            db.execute(sql.DROP_CURSOR, (*listing_key(ref, what), scope, begun))

    async def add_user(self, site: str, user: Author, *, seen: datetime, folder: Path | None = None) -> None:
        """Update the account; a name becomes a row when it differs from the latest."""
        name = (plain(user.nickname), plain(user.handle))
        with self._writing() as db:
            account = account_row(db, site, user.id)
            merge(db, site, user, account)
            place = None if folder is None else folder_row(db, folder)
            db.execute(
                "UPDATE account SET uid = CASE ?1 WHEN '' THEN uid ELSE ?1 END, folder = coalesce(?2, folder) "
                "WHERE id = ?3",
                (plain(user.uid), place, account),
            )
            latest = db.execute(
                "SELECT number, nickname, handle FROM name WHERE account = ? ORDER BY number DESC LIMIT 1",
                (account,),
            ).fetchone()
            if latest is None or latest[1:] != name:
                number = 1 if latest is None else latest[0] + 1
                db.execute("INSERT INTO name VALUES (?, ?, ?, ?, ?)", (account, number, *name, seconds(seen)))

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
            names=tuple(KnownName(nickname=n, handle=h, since=time_of(since)) for n, h, since in names),
        )

    async def find_users(self, site: str, name: str) -> tuple[str, ...]:
        """By the tables of accounts and names, which are small beside the others."""
        with mapped(self._path):
            return tuple(user for (user,) in self._db.execute(sql.FIND_USERS, (site, name)))

    async def forget(self, ref: Ref) -> None:
        """Delete the rows of the post from every table."""
        with self._writing() as db:
            for statement in sql.FORGET:
                db.execute(statement, (ref.site, ref.id))
            forget_failures(db, ref)

    async def ignore(self, refs: Sequence[Ref]) -> None:
        """Insert, keeping the first decision."""
        now = seconds(self._clock())
        with self._writing() as db:
            for ref in refs:
                db.execute("INSERT OR IGNORE INTO ignored VALUES (?, ?, ?)", (ref.site, ref.id, now))
                forget_failures(db, ref)

    async def ignored(self, refs: Sequence[Ref]) -> frozenset[Ref]:
        """One look-up per ref."""
        with mapped(self._path):
            return frozenset(
                ref for ref in refs if self._db.execute(sql.IGNORED, (ref.site, ref.id)).fetchone()
            )

    async def ignored_posts(self, site: str | None = None) -> tuple[IgnoredPost, ...]:
        """The whole table."""
        from dyvine_cli.archive.holdings import IgnoredPost

        asked = (
            "SELECT site, post, since FROM ignored WHERE ?1 IS NULL OR site = ?1 ORDER BY since, site, post"
        )
        with mapped(self._path):
            return tuple(
                IgnoredPost(ref=Ref(site, "post", post), since=time_of(since))
                for site, post, since in self._db.execute(asked, (site,))
            )

    async def checked(self) -> tuple[CheckedSource, ...]:
        """The whole table."""
        with mapped(self._path):
            return tuple(checked_of(row) for row in self._db.execute(sql.CHECKED))

    async def add_checked(self, source: CheckedSource) -> None:
        """Insert or replace."""
        texts = (source.state, source.error, source.message)
        counts = (source.new, source.failed, source.hidden, source.size, source.troubles)
        values = (
            *(source.link, source.what or "", ref_text(source.ref), plain(source.title)),
            *(seconds(source.began), moment(source.ended)),
            *(plain(each) for each in texts),
            *counts,
            moment(source.next_try),
            source.name,
        )
        with self._writing() as db:
            db.execute(sql.ADD_CHECKED, values)

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
                db.execute(sql.ADD_GONE, (post.ref.site, post.ref.id, post.state, seconds(post.noticed)))

    async def gone(self, site: str | None = None) -> tuple[GonePost, ...]:
        """The whole table."""
        asked = "SELECT site, post, state, noticed FROM gone WHERE ?1 IS NULL OR site = ?1 "
        with mapped(self._path):
            return tuple(
                GonePost(ref=Ref(site, "post", post), state=state, noticed=time_of(noticed))
                for site, post, state, noticed in self._db.execute(
                    asked + "ORDER BY noticed DESC, site, post", (site,)
                )
            )

    async def gone_of(self, site: str, user_id: str) -> tuple[GonePost, ...]:
        """By the index on accounts."""
        with mapped(self._path):
            rows = self._db.execute(sql.GONE_OF, (site, user_id)).fetchall()
        return tuple(
            GonePost(ref=Ref(site, "post", post), state=state, noticed=time_of(noticed))
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
            rows = self._db.execute(sql.POSTS_OF, (site, user_id)).fetchall()
        return {Ref(site, "post", post): time_of(created) for post, created in rows}

    async def files(
        self, wanted: FileFilter, *, after: FileKey | None = None, limit: int = 1000
    ) -> tuple[RecordedFile, ...]:
        """A range of the key, or of one account's posts."""
        from dyvine_cli.archive.holdings import RecordedFile

        query, values = files_query(wanted, after)
        with mapped(self._path):
            rows = self._db.execute(query, (*values, limit)).fetchall()
        return tuple(RecordedFile(saved=saved_of(row), created=moment_of(row[-1])) for row in rows)

    async def add_damaged(self, files: Sequence[DamagedAsset]) -> None:
        """Insert, or change the state."""
        with self._writing() as db:
            for file in files:
                key = (file.ref.site, file.ref.id, file.asset)
                db.execute(sql.ADD_DAMAGED, (*key, file.state, seconds(file.noticed)))

    async def damaged(
        self, site: str | None = None, *, after: FileKey | None = None, limit: int | None = None
    ) -> tuple[DamagedAsset, ...]:
        """A range of the key."""
        from dyvine_cli.archive.holdings import DamagedAsset

        values = (site, *(after or ("", "", "")), -1 if limit is None else limit)
        with mapped(self._path):
            return tuple(
                DamagedAsset(ref=Ref(site, "post", post), asset=asset, state=state, noticed=time_of(noticed))
                for site, post, asset, state, noticed in self._db.execute(sql.DAMAGED, values)
            )

    async def known_damaged(self, keys: Sequence[FileKey]) -> frozenset[FileKey]:
        """One look-up per key."""
        with mapped(self._path):
            return frozenset(key for key in keys if self._db.execute(sql.IS_DAMAGED, key).fetchone())

    async def drop_damaged(self, keys: Sequence[FileKey]) -> None:
        """Delete the rows."""
        with self._writing() as db:
            db.executemany(sql.DROP_DAMAGED, keys)

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
        return Verification(scope=scope, last=last, began=time_of(began), files=files, size=size)

    async def keep_verification(self, place: Verification) -> None:
        """Insert or replace."""
        values = (place.scope, *place.last, seconds(place.began), place.files, place.size)
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO verifying VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    async def drop_verification(self, scope: str) -> None:
        """Delete one row."""
        with self._writing() as db:
            db.execute("DELETE FROM verifying WHERE scope = ?", (scope,))

    async def sample(self, wanted: FileFilter, count: int) -> tuple[SavedAsset, ...]:
        """Rows of the whole table, each with the same chance; four times as many as wanted are the most."""
        total = sum(each.files for each in await self.stats())
        query, values = files_query(wanted, None, every=max(1, total // count))
        with mapped(self._path):
            return tuple(saved_of(row) for row in self._db.execute(query, (*values, 4 * count)))

    async def files_below(self, folder: Path) -> int:
        """The folders are looked at one by one, their files counted by SQLite: for rare occasions."""
        with mapped(self._path):
            paths = self._db.execute("SELECT id, CAST(path AS BLOB) FROM folder").fetchall()
            below = {id for id, path in paths if Path(os.fsdecode(path)).is_relative_to(folder)}
            counts = self._db.execute(sql.FILES_OF_FOLDERS).fetchall() if below else []
        return sum(files for id, files in counts if id in below)

    async def counts(self, site: str | None = None) -> Counts:
        """Counted by SQLite."""
        from dyvine_cli.archive.holdings import Counts

        with mapped(self._path):
            failed, gone, ignored, damaged = self._db.execute(sql.COUNTS, (site,)).fetchone()
        return Counts(failed=failed, gone=gone, ignored=ignored, damaged=damaged)

    async def stats(self) -> tuple[Tally, ...]:
        """Read from the tally, not counted."""
        from dyvine_cli.archive.holdings import Tally

        with mapped(self._path):
            rows = self._db.execute(sql.STATS).fetchall()
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
