"""Whole listings, downloaded while they are listed: accounts and mixes, with their balance at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from dyvine_cli.archive.base import ListedSource, StoredCursor
from dyvine_cli.client import Client
from dyvine_cli.errors import ArchiveError, DiskError, DyvineError, InputError, ListingIncomplete
from dyvine_cli.events import Balance, Cut, Event, Failed, Finished, Listed, SourceBegun, Warned
from dyvine_cli.listing import FROM_TOP, GOES_ON, Walk, allowance, check_likes, check_listable
from dyvine_cli.models import Cursor, Listing, Mix, Post, Ref
from dyvine_cli.operations import selection
from dyvine_cli.operations.backoff import may_pass
from dyvine_cli.operations.download import Errand, save_posts
from dyvine_cli.operations.pages import TOP, Horizon, Pages, Place

WORTH_AN_ESTIMATE = 60.0
"""Seconds of listing from which a person is told beforehand."""

STOPPED = {"known": "ended at a known post", "limit": "ended at --limit", "date": "ended at --since"}
"""Why a listing was ended by us, in words."""

BEGUN = "stopped"
"""The cause on record while a run is on its way: what a kill leaves behind."""

SHORT = "short"
"""The cause on record of a list from the top that came to its own end, long before the declared number."""
UNSEEN = "vanished"
"""The cause of another walk to the end: posts that were not listed have not all been looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A listing to work through.

    `what` None is the kind's own listing. `declared` is what the platform claims it has, None if it does not say.
    `dated` says that its posts come newest first, so that a date can end it. `recalled` says that the platform was not
    asked: title and number are those of an earlier run. `updated` is when the list last changed, None if it does not say.
    """

    ref: Ref
    what: Listing | None
    title: str
    declared: int | None
    dated: bool = False
    recalled: bool = False
    updated: datetime | None = None


async def source_of(client: Client, ref: Ref, what: Listing | None) -> Source:
    """The listing's name and declared size. Raises Private, Banned, NotFound when there is nothing to list."""
    if ref.kind == "mix":
        mix = await client.mix(ref)
        return Source(ref=mix.ref, what=None, title=mix.title, declared=mix.declared, updated=mix.updated)
    if ref.kind == "collection":  # nothing describes one
        return Source(ref=ref, what=None, title=f"collection {ref.id}", declared=None)
    user = await client.user(ref)
    check_listable(user)
    chosen = what or ref.listing
    if chosen in (None, "posts"):
        return Source(ref=user.ref, what=None, title=user.nickname, declared=user.declared, dated=True)
    if chosen == "likes":
        check_likes(user)
    declared = {"likes": user.likes_given, "mixes": user.mixes}.get(chosen)
    return Source(ref=user.ref, what=chosen, title=f"{user.nickname}: {chosen}", declared=declared)


@dataclass(slots=True)
class _Count:
    """What happened to the posts of one listing."""

    saved: int = 0
    known: int = 0
    filtered: int = 0
    failed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All that were dealt with."""
        return self.saved + self.known + self.filtered + self.failed

    def take(self, event: Event) -> None:
        if isinstance(event, Finished):
            setattr(self, event.state, getattr(self, event.state) + 1)
        elif isinstance(event, Failed):
            self.reasons[event.error.name] = self.reasons.get(event.error.name, 0) + 1


class Run:
    """One listing from its first page to its balance.

    Whatever moment ends it, what stands in the archive is true: a stored place has nothing before it that this run left
    undone, and a listing on record without a cause left nothing behind at all.
    """

    def __init__(self, source: Source, errand: Errand) -> None:
        if source.what == "mixes":
            raise InputError(
                f"{source.title} cannot be downloaded at once",
                hint="see them with `dyvine user mixes`, then download one with `dyvine mix get`",
            )
        self._source = source
        self._count = _Count()
        self._outer = errand
        self._began = errand.clock()
        self._errand = replace(errand, report=self._report, source=source.ref, named=False, begun=self._began)
        self._filters = selection.filters(errand.wish)
        self._earlier = self._looked = self._again = self._hidden = self._taken = 0
        self._pages = Pages()
        self._failing: dict[str, str] = {}
        self._newest: set[str] = set()
        self._first: dict[str, None] = {}
        self._behind: tuple[str, ...] | None = ()
        self._above: datetime | None = None
        self._good: tuple[Cursor | None] | None = None
        self._place: StoredCursor | None = None
        self._before: ListedSource | None = None
        self._current: Walk | None = None
        self._noted = False
        self._ended_early = ""
        self._cause = ""

    def _report(self, event: Event) -> None:
        self._count.take(event)
        if isinstance(event, Failed) and event.ref is not None and self._stays_open(event.error):
            self._failing[event.ref.id] = event.error.name
            self._cause = self._cause or event.error.name
        elif isinstance(event, Finished) and not self._failing.pop(event.ref.id, ""):
            self._pages.finish(event.ref.id)
        self._outer.report(event)

    def _stays_open(self, error: DyvineError) -> bool:
        """Whether the page of a post that failed so has to come again."""
        return may_pass(error)

    async def run(self) -> None:
        """List and save; a cut is reported and counted, and its place kept for the next run.

        Raises the cause when not even one page came.
        """
        self._before = await self._last_listed()
        self._announce()
        cut: ListingIncomplete | None = None
        try:
            await save_posts(self._posts(), self._errand)
        except ListingIncomplete as error:
            cut = error
        if cut is not None and is_all_that_shows(cut, self._before):
            self._tell_missing(cut.missing)
            cut = None
        await self._conclude(cut)

    async def _last_listed(self) -> ListedSource | None:
        """How the list came out the last time: our own, or another's who asked for as much of it."""
        archive, source = self._outer.workspace.archive, self._source
        own = await archive.listed(source.ref, source.what, self._errand.scope)
        rows = await archive.listings(source.ref, source.what)
        return own or next((row for row in rows if self._covers(row.filters)), None)

    def _tell_missing(self, missing: int, *, notice: bool = False) -> None:
        source = self._source
        self._report(Warned(message=f"{source.title}: {not_shown(missing)}", ref=source.ref, notice=notice))

    def _announce(self) -> None:
        source = self._source
        calls, seconds = self._outer.workspace.client.estimate(source.ref, source.what, source.declared)
        told = seconds >= WORTH_AN_ESTIMATE and not self._outer.wish.limit
        self._report(
            SourceBegun(
                ref=source.ref,
                title=source.title,
                declared=source.declared,
                calls=calls if told else None,
                estimate=seconds if told else None,
                limit=self._outer.wish.limit,
            )
        )

    # --- the posts ------------------------------------------------------------------------------------------------

    async def _posts(self) -> AsyncGenerator[Post]:
        """The posts of the listing, from the top until something known, then on from where the last run was cut."""
        place = self._place = await self._stored_place()
        horizon = Horizon(place.kept, place.top) if place is not None else await self._last_horizon()
        self._behind = horizon.top if horizon is not None else ()
        async with aclosing(self._from_top(horizon)) as newest:
            async for post in newest:
                yield post
        if place is not None and self._ended_early == "known":
            await self._take_up(place)
            async with aclosing(self._rest(place)) as rest:
                async for post in rest:
                    yield post

    async def _stored_place(self) -> StoredCursor | None:
        """Where the last run left off; None if that is the top, or if it wanted fewer posts than this one."""
        if self._errand.wish.full:
            return None
        errand = self._errand
        place = await errand.workspace.archive.cursor(self._source.ref, self._source.what, errand.scope)
        return place if place and place.listed and self._covers(place.filters) else None

    async def _last_horizon(self) -> Horizon | None:
        """The last listing's that left nothing behind, whoever it was for: what was known then is done with.

        None if known posts are not to end this listing.
        """
        wish = self._errand.wish
        if wish.full or not wish.stop_at_known:
            return None
        rows = await self._errand.workspace.archive.listings(self._source.ref, self._source.what)
        whole = (row for row in rows if row.full and not row.cause and self._covers(row.filters))
        return next((Horizon(row.time, row.top) for row in whole), None)

    def _covers(self, filters: str) -> bool:
        return filters in ("", self._filters)

    async def _from_top(self, horizon: Horizon | None) -> AsyncGenerator[Post]:
        """The posts from the top on, those of the archive included, or until what was there at the `horizon`."""
        archive = self._errand.workspace.archive
        walk = self._walk(None, None, enough=self._errand.wish.limit if horizon is None else 0)
        async with aclosing(self._pages_of(walk)) as batches:
            async for batch in batches:
                if self._place is not None and walk.cursor == self._place.cursor:
                    horizon = None  # everything down to the place was looked at
                if horizon is None:
                    await self._note_begun()
                self._note_first(batch)
                if self._was_there(batch, horizon):
                    self._ended_early = "known"
                    return
                completed = await archive.completed([post.ref for post in batch])
                for post in batch:
                    if self._is_old(post):
                        return
                    if self._is_landmark(post, completed.get(post.ref), horizon):
                        self._ended_early = "known"
                        return
                    if post.ref not in completed or self._errand.wish.overwrite:
                        await self._note_begun()
                    if self._place is not None:
                        self._newest.add(post.ref.id)
                        self._again += await self._was_listed(post, self._place)
                    self._take(post)
                    yield post
                    if self._is_enough(post):
                        return

    def _is_landmark(self, post: Post, since: datetime | None, horizon: Horizon | None) -> bool:
        """Whether a post that is known `since` then was dealt with by the listing of that time, as all below it were."""
        goes_by_ids = horizon is not None and not self._source.dated and horizon.top is not None
        return horizon is not None and not goes_by_ids and horizon.has(post, since, dated=self._source.dated)

    def _was_there(self, batch: Sequence[Post], horizon: Horizon | None) -> bool:
        """Whether all of a page was in the list before: where it goes by no time, one post alone says nothing."""
        if horizon is None or horizon.top is None or self._source.dated or not batch:
            return False
        return all(post.ref.id in horizon.top for post in batch)

    def _note_first(self, batch: Sequence[Post]) -> None:
        """Remember the first posts of a list that goes by no time."""
        if not self._source.dated and len(self._first) < TOP:
            self._first |= dict.fromkeys(post.ref.id for post in batch)

    def _top(self, *, whole: bool = False) -> tuple[str, ...] | None:
        """The first ids of the list as it is now; below those that came, it is as it was unless it was listed `whole`."""
        if self._source.dated or (self._behind is None and not whole):
            return None
        behind = () if whole else self._behind or ()
        return tuple(islice(dict.fromkeys((*self._first, *behind)), TOP))

    async def _rest(self, place: StoredCursor) -> AsyncGenerator[Post]:
        """The posts from a stored place on, but for those that came with the newest."""
        walk = self._walk(place.cursor, self._listed + self._hidden)
        async with aclosing(self._pages_of(walk)) as batches:
            async for batch in batches:
                for post in batch:
                    if self._is_old(post):
                        return
                    if post.ref.id not in self._newest:
                        self._take(post)
                        yield post
                        if self._is_enough(post):
                            return

    def _walk(self, cursor: Cursor | None, counted: int | None, *, enough: int | None = None) -> Walk:
        source = self._source
        return self._errand.workspace.client.list(
            source.ref, source.what, cursor=cursor, declared=source.declared, counted=counted, enough=enough
        )

    async def _pages_of(self, walk: Walk) -> AsyncGenerator[tuple[Post, ...]]:
        """The posts of each page, once its place is on record; what could not be read is told."""
        hidden, self._current = self._hidden, walk
        async with aclosing(walk.batches()) as batches:
            async for batch in batches:
                self._mind_way_back(walk, batch)
                self._pages.begin(self._here(walk.cursor))
                self._above = self._newest_of(batch) or self._above
                self._hidden = hidden + walk.hidden
                total = self._listed + len(batch) + len(walk.errors)
                self._report(Listed(ref=self._source.ref, count=len(batch), total=total))
                if walk.errors:
                    await self._note_begun()
                    await self._note_unreadable(walk)
                if self._noted:
                    await self._keep_place()
                yield tuple(entry for entry in batch if isinstance(entry, Post))

    def _mind_way_back(self, walk: Walk, batch: Sequence[Post | Mix]) -> None:
        """Raise ListingIncomplete when a list by time that is gone on with leads back above its place.

        What comes there was counted before: counted again, it would stand for posts that did not come.
        """
        if self._good is None:
            return
        shown = [each.created for each in batch if isinstance(each, Post) and not each.pinned]
        if self._source.dated and self._above is not None and shown and min(shown) > self._above:
            why = "the platform leads back in the list"
            raise ListingIncomplete(
                f"listed {self._listed}: {why}",
                cursor=self._good[0],
                reason=why,
                hint=FROM_TOP if self._good[0] is None else GOES_ON,
                ref=self._source.ref,
            )
        self._good = (walk.cursor,)

    def _newest_of(self, batch: Sequence[Post | Mix]) -> datetime | None:
        shown = [each.created for each in batch if isinstance(each, Post) and not each.pinned]
        return max(shown, default=None) if self._source.dated else None

    async def _was_listed(self, post: Post, place: StoredCursor) -> bool:
        """Whether a post of the newest stood in the listing that was cut, too, as far as that can be said."""
        if self._source.dated:
            return post.created <= place.started
        archive = self._errand.workspace.archive
        return not selection.wanted(post, self._errand.wish) or bool(await archive.failed(post.ref))

    async def _take_up(self, place: StoredCursor) -> None:
        """Count what the run that was cut listed before its place and does not come again, and go on there."""
        self._ended_early = ""
        self._earlier = max(0, place.listed - self._again)
        self._hidden = place.hidden
        self._current = None
        self._above, self._good = place.above, (None,)
        self._pages.begin(self._here(place.cursor))
        await self._note_begun()

    @property
    def _listed(self) -> int:
        return self._earlier + self._looked

    def _here(self, cursor: Cursor | None) -> Place:
        """The place that begins at `cursor`; nothing came before the top."""
        at_top = self._current is not None and self._current.at_top
        return Place(cursor, 0, 0) if at_top else Place(cursor, self._listed, self._hidden, self._above)

    def _take(self, post: Post) -> None:
        self._looked += 1
        self._pages.add(post.ref.id)

    async def _note_unreadable(self, walk: Walk) -> None:
        source = self._source
        for error in walk.errors:
            self._looked += 1
            self._count.failed += 1
            self._errand.tally.fail(error)
            ref = getattr(error, "ref", None) or source.ref
            self._pages.add(f"unreadable {self._looked}")  # stays open: a newer version may read it
            self._report(Failed(ref=ref, error=error, source=source.ref))

    def _is_old(self, post: Post) -> bool:
        if not self._source.dated or not selection.is_older(post, self._errand.wish):
            return False
        self._ended_early = "date"
        return True

    def _is_enough(self, post: Post) -> bool:
        wish = self._errand.wish
        self._taken += selection.wanted(post, wish)
        if wish.limit is None or self._taken < wish.limit:
            return False
        self._ended_early = "limit"
        return True

    # --- what stays on record -------------------------------------------------------------------------------------

    async def _note_begun(self) -> None:
        """Before the first change: a run that is killed from here on has left posts behind."""
        if not self._noted and not self._errand.simulate:
            self._noted = True
            await self._note_listed(full=False, cause=BEGUN)
            await self._keep_place()

    async def _note_listed(self, *, full: bool, cause: str) -> None:
        source = self._source
        await self._errand.workspace.archive.add_listed(
            ListedSource(
                ref=source.ref,
                what=source.what,
                time=self._began,
                listed=self._listed,
                hidden=self._hidden,
                declared=source.declared,
                full=self._began if full else None,
                cause=cause,
                filters=self._filters,
                scope=self._errand.scope,
                top=self._top(whole=full),
            )
        )

    async def _keep_place(self, cause: str = "") -> None:
        """Remember the first page that needs something, instead of any other place; none if that is the top."""
        archive, source, first = self._errand.workspace.archive, self._source, self._pages.first()
        scope = self._errand.scope
        await self._errand.workspace.rows.write()  # what was finished before this place
        if first is None or first.cursor is None or not first.listed:
            await archive.drop_cursor(source.ref, source.what, scope=scope)
            return
        kept = StoredCursor(
            ref=source.ref,
            what=source.what,
            cursor=first.cursor,
            started=self._began.replace(microsecond=0),
            kept=self._began,
            listed=first.listed,
            cause=cause,
            hidden=first.hidden,
            filters=self._filters,
            scope=scope,
            top=self._top(),
            above=first.above,
        )
        await archive.keep_cursor(kept)
        for other in await archive.cursors(source.ref, source.what, scope):
            if other.started != kept.started:
                await archive.drop_cursor(source.ref, source.what, other.started, scope=scope)

    async def _drop_place(self) -> None:
        errand, source = self._errand, self._source
        await errand.workspace.archive.drop_cursor(source.ref, source.what, scope=errand.scope)

    # --- the end --------------------------------------------------------------------------------------------------

    async def _conclude(self, cut: ListingIncomplete | None) -> None:
        tally, source = self._errand.tally, self._source
        complete = cut is None and not self._ended_early and tally.stop is None
        if cut is not None:
            tally.cuts.append(cut)
            self._report(
                Cut(
                    ref=source.ref,
                    error=cut,
                    listed=self._listed,
                    declared=source.declared,
                    resumable=cut.cursor is not None,
                )
            )
        elif not self._count.failed and tally.stop is None:
            tally.done += 1
        tally.balances.append(self._balance(cut, complete=complete))
        if not self._errand.simulate and not isinstance(tally.stop, DiskError | ArchiveError):
            await self._remember(cut, complete=complete)

    async def _remember(self, cut: ListingIncomplete | None, *, complete: bool) -> None:
        ended_by_person = self._ended_early in ("limit", "date")
        if ended_by_person and not self._noted:
            return  # nothing was changed, and what is behind was not looked at
        if complete or self._ended_early == "known":
            self._pages.lay_down()
        elif cut is not None and cut.cursor is not None:
            self._pages.begin(self._here(cut.cursor))
        stop = self._errand.tally.stop
        left = stop.name if stop else cause_of(cut) if cut else self._cause
        if (cut is not None and cut.cursor is None) or (ended_by_person and self._place is None):
            await self._drop_place()
        elif self._noted:
            await self._keep_place(left)
        await self._note_listed(full=complete, cause=left or (self._ended_early if ended_by_person else ""))

    def _balance(self, cut: ListingIncomplete | None, *, complete: bool) -> Balance:
        return Balance(
            ref=self._source.ref,
            title=self._source.title,
            listed=self._earlier + self._count.total,
            declared=self._source.declared,
            earlier=self._earlier,
            hidden=self._hidden,
            saved=self._count.saved,
            known=self._count.known,
            filtered=self._count.filtered,
            failed=self._count.failed,
            complete=complete,
            stopped=cut.reason if cut else STOPPED.get(self._ended_early, ""),
            reasons=self._count.reasons,
        )


def cause_of(cut: ListingIncomplete) -> str:
    """Why a listing left posts behind, as it stays on record."""
    return SHORT if cut.missing else (cut.cause or cut).name


def is_all_that_shows(cut: ListingIncomplete, before: ListedSource | None) -> bool:
    """Whether a list that came to its own end too early is believed: it did so the last time, with as many missing.

    One that shows less than half of what is declared is not; nor one that had far more missing before, because its ends
    are not to be trusted.
    """
    if not cut.missing or before is None or before.declared is None:
        return False
    at_end = before.cause in (SHORT, UNSEEN) or (not before.cause and before.full is not None)
    missing = missing_of(before)
    is_same = cut.missing <= missing <= cut.missing + allowance(before.declared)
    return at_end and is_same and 2 * missing <= before.declared


def missing_of(listed: ListedSource) -> int:
    """How many declared entries a listing did not have, 0 if that is unknown."""
    return max(0, (listed.declared or 0) - listed.listed - listed.hidden)


def not_shown(missing: int) -> str:
    """What is told of a list that is believed though its number is not."""
    return f"the account counts {missing:,} {'post' if missing == 1 else 'posts'} that its list does not show"
