"""What the archive remembers, and the methods that every archive has.

Times are aware UTC `datetime`s to the second, sizes bytes. Everything raises ArchiveError (with the cure as hint) when
the archive cannot be read or written, and DiskFull when there is no space for it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

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

Gone = Literal["deleted", "private", "hidden"]
"""What became of a post that its account does not show any more; `hidden` when the platform does not say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedAsset:
    """A file that is whole on disk under `path` (absolute), as it was when it was saved.

    `ref` is the post, `asset` the asset's id, `user` the author's stable id, `sha256` 64 hexadecimal digits. `codec`,
    `width` and `height` tell which rendition it is; None where that is unknown.
    """

    ref: Ref
    asset: str
    user: str
    path: Path
    size: int
    sha256: str
    saved: datetime
    codec: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletePost:
    """A post of which everything that was wanted is saved; `user` is its author's stable id."""

    ref: Ref
    user: str
    created: datetime
    completed: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedAsset:
    """Something that could not be saved; `asset` is None for a whole post.

    `error` is the error's name, `attempts` the number of runs in which it failed. `next_try` is None when nothing
    speaks against the next run. `source` is a listing that brought the post, None if it was named itself, and `scope`
    for whom; see `ListedSource`. What several brought is on record for each, with the same last try.
    """

    ref: Ref
    asset: str | None
    error: str
    message: str
    attempts: int
    first: datetime
    last: datetime
    next_try: datetime | None = None
    source: Ref | None = None
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCursor:
    """A place from which an unfinished listing goes on.

    `started` is when that listing began at the top: what was published later is not in it. `listed` counts its posts
    before the place, `hidden` those without content; `cause` is the name of the error that cut it, empty when the run
    was just ended. `filters` tells which posts were wanted, empty for all. `scope` and `top` are as in `ListedSource`.
    `above` is when the newest post of the page before it was published, None where the list does not go by that.
    """

    ref: Ref
    what: Listing | None
    cursor: Cursor
    started: datetime
    kept: datetime
    listed: int
    cause: str = ""
    hidden: int = 0
    filters: str = ""
    scope: str = ""
    top: tuple[str, ...] | None = None
    above: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSource:
    """How the last listing of a source came out; `full` is when it was last listed to its end, None for never.

    `cause` says why the last one left posts behind: the name of an error that cut it or that may pass, `stopped`, or
    the filter that ended it; empty when it left none. `declared` is what the platform claimed, None if it did not.
    `filters` tells which posts were wanted, empty for all. `scope` is whose memory this is: empty for what people list by
    hand, else the selection of the sources of `sync` that it is for. `top` are the ids that a list which goes by no time
    had first, None where it goes by time and where they are not known.
    """

    ref: Ref
    what: Listing | None
    time: datetime
    listed: int
    hidden: int = 0
    declared: int | None = None
    full: datetime | None = None
    cause: str = ""
    filters: str = ""
    scope: str = ""
    top: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSource:
    """How the last check of a source of the settings came out; `link` and `what` are as they stand there.

    `name` is the source's where that link stands there several times for this listing, else empty.
    `ref` is None until the link was understood once. `ended` is None while it runs, so also when it was killed. `state`
    is a word of whoever checks, `error` and `message` are its error's, empty if there was none. `new`, `failed` and
    `hidden` count posts, `size` bytes, `troubles` the checks in a row that ended in an error. `next_try` is None when
    nothing speaks against the next run.
    """

    link: str
    what: Listing | None
    ref: Ref | None
    title: str
    began: datetime
    ended: datetime | None
    state: str
    error: str = ""
    message: str = ""
    new: int = 0
    failed: int = 0
    hidden: int = 0
    size: int = 0
    troubles: int = 0
    next_try: datetime | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GonePost:
    """A saved post that is not shown any more, and when that was noticed; its files stay."""

    ref: Ref
    state: Gone
    noticed: datetime


class Archive(Protocol):
    """Our memory of what was listed, saved and failed. Every method is one short transaction."""

    @property
    def read_only(self) -> bool:
        """Whether it can only be read: every method that changes it raises ArchiveError."""
        ...

    async def saved(self, ref: Ref, asset: str) -> SavedAsset | None:
        """What is recorded about one file; None if it was never saved."""
        ...

    async def saved_assets(self, ref: Ref) -> Mapping[str, SavedAsset]:
        """All recorded files of a post by asset id."""
        ...

    async def knows(self, ref: Ref) -> bool:
        """Whether the post was completed."""
        ...

    async def known(self, refs: Sequence[Ref]) -> frozenset[Ref]:
        """Those of `refs` that were completed."""
        ...

    async def completed(self, refs: Sequence[Ref]) -> Mapping[Ref, datetime]:
        """Those of `refs` that were completed, and when."""
        ...

    async def add_saved(self, rows: Sequence[SavedAsset]) -> None:
        """Record whole files, all or none; the files must be flushed to disk before.

        A file that is recorded already is replaced. Earlier failures of the same asset are forgotten.
        """
        ...

    async def add_posts(self, posts: Sequence[CompletePost]) -> None:
        """Record completed posts, all or none. May be called twice.

        Their earlier failures are forgotten, but for those of single files that sources of `sync` want: what others
        completed may not have had them.
        A post on record as gone stays that: its files may come from an old answer. See `drop_gone`.
        """
        ...

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
        """Record one more failure of an asset, or of the whole post when `asset` is None, for all who wait for it.

        From now on `source` with its `scope` is one of them; `source` None is only where there is nobody.
        """
        ...

    async def keep_failed(self, ref: Ref, *, source: Ref, scope: str) -> None:
        """Keep what of a post has failed for others on record for this source, too. May be called twice."""
        ...

    async def failed(
        self, ref: Ref, *, source: Ref | None = None, scope: str = ""
    ) -> Mapping[str | None, FailedAsset]:
        """What of a post has failed and was not saved since; with `source` only what this one waits for."""
        ...

    async def failures(self, site: str | None = None) -> tuple[FailedAsset, ...]:
        """Everything that has failed and was not saved since, oldest failure first, for each who waits for it."""
        ...

    def each_failure(self, site: str | None = None) -> AsyncGenerator[tuple[FailedAsset, ...]]:
        """The same in parts, so that few of many are in memory; to be closed when it is left early.

        All parts are of the moment at which it begins.
        """
        ...

    async def drop_failed(self, refs: Sequence[Ref], *, source: Ref | None = None, scope: str = "") -> None:
        """Forget what failed of posts: nothing of it is wanted any more, with `source` by this one. May be called twice."""
        ...

    async def add_listed(self, source: ListedSource) -> None:
        """Record how a listing came out for its scope. `full` None keeps the time of the last full one."""
        ...

    async def listed(self, ref: Ref, what: Listing | None, scope: str = "") -> ListedSource | None:
        """How the last listing of a source came out for a scope; None if there was none."""
        ...

    async def listings(self, ref: Ref, what: Listing | None) -> tuple[ListedSource, ...]:
        """How the last listings of a source came out, one for each scope, the latest first."""
        ...

    async def keep_listed(self, ref: Ref, what: Listing | None, scope: str, *, like: str) -> None:
        """Keep for a scope of which nothing is on record what is remembered for another, `like`: rows, places, failures."""
        ...

    async def cursor(self, ref: Ref, what: Listing | None, scope: str = "") -> StoredCursor | None:
        """The place of the unfinished listing that began last; None if nothing is unfinished."""
        ...

    async def cursors(self, ref: Ref, what: Listing | None, scope: str = "") -> tuple[StoredCursor, ...]:
        """The places of all unfinished listings, the one that began last first.

        More than one means gaps: each older listing was cut before it met what was known.
        """
        ...

    async def keep_cursor(self, place: StoredCursor) -> None:
        """Remember where a listing stands; replaces the place of the listing with the same `started`."""
        ...

    async def drop_cursor(
        self, ref: Ref, what: Listing | None, started: datetime | None = None, *, scope: str = ""
    ) -> None:
        """Forget the place of the listing begun at `started`, or of all when it is None. May be called twice."""
        ...

    async def add_user(self, site: str, user: Author, *, seen: datetime, folder: Path | None = None) -> None:
        """Remember an account under its present name; `folder` None keeps the one on record.

        What stands under its number in place of its id, because nothing else was known, becomes its own.
        """
        ...

    async def user(self, site: str, id: str) -> KnownUser | None:
        """What is remembered about an account; None if it was never met by `add_user`."""
        ...

    async def find_users(self, site: str, name: str) -> tuple[str, ...]:
        """The ids of the accounts that have this id or number, or have or had this handle."""
        ...

    async def forget(self, ref: Ref) -> None:
        """Drop everything about a post, so that it may come again, also if it was ignored. May be called twice."""
        ...

    async def ignore(self, refs: Sequence[Ref]) -> None:
        """Note posts that shall never come again; what failed of them is forgotten. May be called twice."""
        ...

    async def ignored(self, refs: Sequence[Ref]) -> frozenset[Ref]:
        """Those of `refs` that are ignored."""
        ...

    async def ignored_posts(self, site: str | None = None) -> tuple[IgnoredPost, ...]:
        """All ignored posts, the earliest decision first."""
        ...

    async def checked(self) -> tuple[CheckedSource, ...]:
        """How the last check of each source came out, the one that began longest ago first."""
        ...

    async def add_checked(self, source: CheckedSource) -> None:
        """Record a check, in place of an earlier one of the same `link`, `what` and `name`."""
        ...

    async def drop_checked(self, link: str, what: Listing | None, name: str | None = None) -> None:
        """Forget the checks of a source, whether its link stood there once or several times. May be called twice."""
        ...

    async def add_gone(self, posts: Sequence[GonePost]) -> None:
        """Note posts that are gone; one that was noticed before in the same state keeps its time."""
        ...

    async def gone(self, site: str | None = None) -> tuple[GonePost, ...]:
        """All posts that are gone, the one noticed last first."""
        ...

    async def gone_of(self, site: str, user_id: str) -> tuple[GonePost, ...]:
        """Those of an account's saved posts that are gone, the one noticed last first."""
        ...

    async def drop_gone(self, refs: Sequence[Ref]) -> None:
        """Note that posts are there again. May be called twice."""
        ...

    async def posts_of(self, site: str, user_id: str) -> Mapping[Ref, datetime]:
        """The complete posts of an account that are not known to be gone, with their times of publishing."""
        ...

    async def files(
        self, wanted: FileFilter, *, after: FileKey | None = None, limit: int = 1000
    ) -> tuple[RecordedFile, ...]:
        """The next recorded files behind `after`, in the order of their keys; fewer than `limit` only at the end."""
        ...

    async def add_damaged(self, files: Sequence[DamagedAsset]) -> None:
        """Note files that are missing or damaged; one that was noticed before in the same state keeps its time."""
        ...

    async def damaged(
        self, site: str | None = None, *, after: FileKey | None = None, limit: int | None = None
    ) -> tuple[DamagedAsset, ...]:
        """The files on record as missing or damaged, in the order of their keys; from behind `after`, at most `limit`."""
        ...

    async def known_damaged(self, keys: Sequence[FileKey]) -> frozenset[FileKey]:
        """Those of `keys` that are on record as missing or damaged."""
        ...

    async def drop_damaged(self, keys: Sequence[FileKey]) -> None:
        """Note that files were found whole. May be called twice."""
        ...

    async def verification(self, scope: str) -> Verification | None:
        """Where an unfinished verification of these files stands; None if there is none."""
        ...

    async def keep_verification(self, place: Verification) -> None:
        """Remember where a verification stands."""
        ...

    async def drop_verification(self, scope: str) -> None:
        """Forget the place: it is at its end, or begins again. May be called twice."""
        ...

    async def sample(self, wanted: FileFilter, count: int) -> tuple[SavedAsset, ...]:
        """About `count` of the recorded files that are meant, picked at random; all if there are not so many on record."""
        ...

    async def files_below(self, folder: Path) -> int:
        """How many recorded files were saved in a folder or below it."""
        ...

    async def counts(self, site: str | None = None) -> Counts:
        """How many posts or files have their own story."""
        ...

    async def stats(self) -> tuple[Tally, ...]:
        """Files and bytes by site, account and kind."""
        ...

    async def aclose(self) -> None:
        """Let go of the archive; nothing may be called afterwards. May be called twice."""
        ...
