"""Rows of the archive's tables, as they become what `Archive` speaks of and the other way round."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dyvine_cli.archive import statements as sql
from dyvine_cli.archive.base import CheckedSource, FailedAsset, ListedSource, SavedAsset
from dyvine_cli.models import Author, Listing, Ref

if TYPE_CHECKING:
    from dyvine_cli.archive.holdings import FileFilter, FileKey


def saved_of(row: tuple[Any, ...]) -> SavedAsset:
    """A file on record."""
    site, post, asset, user, folder, first, shared, rest, size, sha256, time, codec, width, height, _ = row
    return SavedAsset(
        ref=Ref(site, "post", post),
        asset=asset,
        user=user,
        path=Path(os.fsdecode(folder), os.fsdecode(first)[:shared] + os.fsdecode(rest)),
        size=size,
        sha256=sha256.hex(),
        saved=time_of(time),
        codec=codec,
        width=width,
        height=height,
    )


def values_of(db: sqlite3.Connection, row: SavedAsset) -> tuple[object, ...]:
    """The values of its row, with the rows of account and folder that it needs."""
    folder, first = post_place(db, row)
    own = folder_row(db, row.path.parent)
    name = row.path.name
    shared = shared_length(first, name)
    path = (None if own == folder else own, shared, os.fsencode(name[shared:]))
    facts = (row.size, bytes.fromhex(row.sha256), seconds(row.saved), row.codec)
    return (row.ref.site, row.ref.id, row.asset, *path, *facts, number(row.width), number(row.height))


def shared_length(first: str, second: str) -> int:
    """How many characters two names have in common at their beginning."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(first), len(second)))


def post_place(db: sqlite3.Connection, row: SavedAsset) -> tuple[int, str]:
    """Folder and name that the files of this post are told by: its first file's, hence this one's if it is new."""
    key = (row.ref.site, row.ref.id)
    found = db.execute(
        "SELECT folder, CAST(name AS BLOB) FROM post WHERE site = ? AND post = ?", key
    ).fetchone()
    if found and found[0] is not None:
        return found[0], os.fsdecode(found[1])
    folder, name = folder_row(db, row.path.parent), row.path.name
    db.execute(
        "INSERT INTO post (site, post, account, folder, name) VALUES (?, ?, ?, ?, CAST(? AS TEXT)) "
        "ON CONFLICT (site, post) DO UPDATE SET folder = excluded.folder, name = excluded.name",
        (*key, account_row(db, row.ref.site, row.user), folder, os.fsencode(name)),
    )
    return folder, name


def files_query(wanted: FileFilter, after: FileKey | None, *, every: int = 1) -> tuple[str, list[object]]:
    """The query for a page of files, and its values but the last, the limit; of `every` files it takes one at random."""
    conditions: list[str] = []
    values: list[object] = []

    def only(condition: str, *more: object) -> None:
        conditions.append(condition)
        values.extend(more)

    if every > 1:
        only("abs(random() % ?) = 0", every)
    tables = sql.FILE_OF_POST if wanted.user is None else sql.POST_OF_FILE
    if after is not None:
        only(sql.AFTER, *after)
        if tables == sql.POST_OF_FILE:
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
        only(f"{sql.ASSET_KIND} IN ({', '.join('?' * len(wanted.kinds))})", *wanted.kinds)
    if wanted.since is not None:
        only("post.created >= ?", seconds(wanted.since))
    if wanted.until is not None:
        only("post.created < ?", seconds(wanted.until))
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    return f"{sql.SAVED.format(tables=tables)}{where}{sql.IN_ORDER[tables]}", values


def failed_of(row: tuple[Any, ...]) -> FailedAsset:
    """Something that failed."""
    site, kind, post, asset, error, message, attempts, first, last, next_try, source, scope = row
    return FailedAsset(
        ref=Ref(site, kind, post),
        asset=asset or None,
        error=error,
        message=message,
        attempts=attempts,
        first=time_of(first),
        last=time_of(last),
        next_try=moment_of(next_try),
        source=Ref.parse(source),
        scope=scope,
    )


def listed_of(ref: Ref, what: Listing | None, row: tuple[Any, ...]) -> ListedSource:
    """How a listing came out."""
    scope, time, listed, hidden, declared, full, cause, filters, top = row
    return ListedSource(
        ref=ref,
        what=what,
        time=time_of(time),
        listed=listed,
        hidden=hidden,
        declared=declared,
        full=moment_of(full),
        cause=cause,
        filters=filters,
        scope=scope,
        top=top_of(top),
    )


def checked_of(row: tuple[Any, ...]) -> CheckedSource:
    """How the check of a source came out."""
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
        began=time_of(began),
        ended=moment_of(ended),
        state=state,
        error=error,
        message=message,
        new=new,
        failed=failed,
        hidden=hidden,
        size=size,
        troubles=troubles,
        next_try=moment_of(next_try),
        name=name,
    )


def forget_failures(db: sqlite3.Connection, ref: Ref) -> None:
    """Nothing of a post is waited for any more."""
    db.execute("DELETE FROM failed WHERE site = ? AND kind = ? AND post = ?", (ref.site, ref.kind, ref.id))


def account_row(db: sqlite3.Connection, site: str, user: str) -> int:
    """The row of an account, made if it is new."""
    found = db.execute("SELECT id FROM account WHERE site = ? AND user = ?", (site, user)).fetchone()
    if found is None:
        found = db.execute(
            "INSERT INTO account (site, user) VALUES (?, ?) RETURNING id", (site, user)
        ).fetchone()
    return int(found[0])


def merge(db: sqlite3.Connection, site: str, user: Author, account: int) -> None:
    """Take over what stands under the account's number: a tree of files tells no more, see `operations.library.rebuild`."""
    if not user.uid or user.uid == user.id:
        return
    found = db.execute("SELECT id FROM account WHERE site = ? AND user = ?", (site, user.uid)).fetchone()
    if found is not None:
        for statement in sql.MERGE:
            db.execute(statement, (account, found[0]))


def folder_row(db: sqlite3.Connection, folder: Path) -> int:
    """The row of a folder, made if it is new; its bytes are kept even where they are not UTF-8."""
    path = os.fsencode(folder)
    found = db.execute("SELECT id FROM folder WHERE path = CAST(? AS TEXT)", (path,)).fetchone()
    if found is None:
        found = db.execute(
            "INSERT INTO folder (path) VALUES (CAST(? AS TEXT)) RETURNING id", (path,)
        ).fetchone()
    return int(found[0])


def listing_key(ref: Ref, what: Listing | None) -> tuple[str, str, str, str]:
    """What the rows of a listing are found by, but for the scope."""
    return ref.site, ref.kind, ref.id, what or ""


def top_text(top: Sequence[str] | None) -> str | None:
    """The first ids of a list as one text; None stays None."""
    return None if top is None else plain(" ".join(top))


def top_of(text: str | None) -> tuple[str, ...] | None:
    """The first ids of a list."""
    return None if text is None else tuple(text.split())


def seconds(time: datetime) -> int:
    """A time as it is stored: whole seconds since 1970."""
    return int(time.timestamp())


def time_of(seconds: int) -> datetime:
    """A stored time."""
    return datetime.fromtimestamp(seconds, UTC)


def moment(time: datetime | None) -> int | None:
    """A time as it is stored; None stays None."""
    return None if time is None else seconds(time)


def moment_of(seconds: int | None) -> datetime | None:
    """A stored time, None if there is none."""
    return None if seconds is None else time_of(seconds)


def ref_text(ref: Ref | None) -> str:
    """A ref as it is stored, empty for None."""
    return str(ref) if ref else ""


def number(value: int | None) -> int | None:
    """A platform's number, None where it is too large to be true (SQLite holds 63 bits)."""
    return value if value is not None and 0 <= value < 2**31 else None


def plain(text: str) -> str:
    """A platform's text without the lone surrogates that JSON can smuggle in and UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
