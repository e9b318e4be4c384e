"""A listing that is kept in sync: what was settled is not listed again, a gap is remembered, a failure has its own time.

Everything of a listing that was there at its *settled* time is dealt with: saved, left out on purpose, or on record as
failed. A post that the archive completed before that time is a landmark: nothing below it is new. One that came into
the archive later is none, because it may have been fetched alone. A list that does not go by the times of its posts has
other landmarks, the ids that it had first: its posts may be in the archive by way of their own accounts. A *place* is
where a listing was cut: everything above it is dealt with as of the time when it was kept.

All that is remembered for a *scope*: the sources of the listing that want the same posts and files. So sources of one
account with other filters do not speak for each other, a name is only a name, and a source that wants other posts than
before looks at everything once. One that is new goes on where another left off who wanted all that it wants.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dyvine_cli.archive.base import Archive, FailedAsset, ListedSource, StoredCursor
from dyvine_cli.errors import ArchiveError, DiskError, DyvineError, ListingIncomplete
from dyvine_cli.events import Cut, Failed
from dyvine_cli.listing import Walk
from dyvine_cli.models import Author, Cursor, Listing, Post, Ref
from dyvine_cli.operations import selection
from dyvine_cli.operations.accounts import Run, Source, cause_of
from dyvine_cli.operations.backoff import may_pass_by_name, pause
from dyvine_cli.operations.download import Errand, note_failure
from dyvine_cli.operations.pages import TOP, Horizon
from dyvine_cli.operations.selection import Selection
from dyvine_cli.operations.tally import STOPPING

WALLED = "LoginNeeded"
"""The cause of a cut that a guest meets again and again at the same depth."""

ODD = "odd"
"""The state of a listing that ended before anything known came: who is asked for what is new has to be asked again."""

_LATE = timedelta(days=1)
"""How long before a settled time a post that was left out must have been published to have been there for sure."""

_SINCE = re.compile(r"since=(\S+) ?")
_LIMIT = re.compile(r" ?limit=\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much of a listing this run lists.

    `row` and `place` are what the archive knows of it for this `scope`, None for nothing. `filters` are those for which
    what comes of it will hold. `whole` lists to the end. Landmarks of the `horizon` end the walk from the top, None to
    walk on; `rest` goes on at the place then, until landmarks of the `floor`. `settled` is None if the listing never
    was. Landmarks of `known` count as an overlap. `walled` says that what is missing needs a login. `newest` wants
    nothing older, `first` is its first run.
    """

    row: ListedSource | None
    filters: str
    scope: str
    place: StoredCursor | None = None
    whole: bool = False
    rest: bool = False
    horizon: Horizon | None = None
    floor: Horizon | None = None
    settled: datetime | None = None
    known: Horizon | None = None
    walled: bool = False
    newest: bool = False
    first: bool = False

    @property
    def is_small(self) -> bool:
        """Whether the newest posts are all that is to be looked at, so that nobody need ask how many there are."""
        return self.row is not None and not (self.whole or self.rest or self.first)


async def plan(
    archive: Archive,
    ref: Ref,
    what: Listing | None,
    wish: Selection,
    *,
    newest: bool,
    guest: bool,
    full_every: float | None,
    now: datetime,
    simulate: bool = False,
) -> Plan:
    """The plan for a listing; `full_every` is after how many seconds it is listed to its end again, None for never."""
    filters, scope = filters_of(wish, newest=newest), scope_of(wish, newest=newest)
    row, place, like = await remembered(archive, ref, what, scope, filters, now)
    if like != scope and not simulate:
        await archive.keep_listed(ref, what, scope, like=like)
    row, place = row and replace(row, scope=scope), place and replace(place, scope=scope)
    fits = row is not None and covers(row.filters, filters)
    known = _latest(row, place)
    if newest:
        is_first = row is None or not fits or row.time > now
        horizon = None if is_first else Horizon(row.time, row.top) if row else None
        return Plan(
            row=row, filters=filters, scope=scope, horizon=horizon, known=known, newest=True, first=is_first
        )
    settled = _settled(row, fits=fits, now=now)
    if wish.full:
        return Plan(row=row, filters=filters, scope=scope, whole=True, known=known, settled=settled)
    if place is not None and not (place.listed and place.kept <= now and covers(place.filters, filters)):
        place = None
    cause = place.cause if place else row.cause if row and fits else ""
    walled = guest and cause == WALLED and row is not None and not _is_old(row.time, full_every, now)
    stale = settled is None or row is None or _is_old(row.full, full_every, now)
    whole = stale and not walled
    there = Horizon(settled, row.top) if row is not None and settled is not None else None
    above = Horizon(place.kept, place.top) if place is not None else None
    dated = ref.kind == "user" and what is None
    return Plan(
        row=row,
        filters=filters if whole or row is None or not dated else _lasting(row, filters),
        scope=scope,
        place=place,
        whole=whole,
        rest=place is not None and not walled,
        horizon=known if walled else above or (None if whole else there),
        floor=None if whole or ref.kind == "mix" else there,
        settled=settled,
        known=known,
        walled=walled,
    )


async def remembered(
    archive: Archive, ref: Ref, what: Listing | None, scope: str, filters: str, now: datetime
) -> tuple[ListedSource | None, StoredCursor | None, str]:
    """What is remembered of a listing for a scope, and whose memory that is: its own, or one to begin with.

    That is one for whom all that is wanted was dealt with, the latest; else whatever is left of a listing by hand.
    """
    row, place = await archive.listed(ref, what, scope), await archive.cursor(ref, what, scope)
    if row is not None or place is not None:
        return row, place, scope
    fitting = [each for each in await archive.listings(ref, what) if covers(each.filters, filters)]
    for each in fitting:
        if _settled(each, fits=True, now=now) is not None:
            return each, await archive.cursor(ref, what, each.scope), each.scope
    row, place = await archive.listed(ref, what), await archive.cursor(ref, what)
    if (row is None or row in fitting) and (place is None or covers(place.filters, filters)):
        return row, place, ""
    return None, None, scope


def _latest(row: ListedSource | None, place: StoredCursor | None) -> Horizon | None:
    """Everything that is known of a listing, also where something is missing between."""
    times = [*([row.time] if row else ()), *([place.kept] if place else ())]
    tops = [each.top for each in (place, row) if each is not None and each.top is not None]
    top = tuple(dict.fromkeys(id for ids in tops for id in ids)) if tops else None
    return Horizon(max(times), top) if times else None


def _settled(row: ListedSource | None, *, fits: bool, now: datetime) -> datetime | None:
    """When a listing was settled; None if it never was, or only by a clock that was ahead of its time."""
    if row is None or not fits or row.full is None or row.cause or max(row.time, row.full) > now:
        return None
    return row.time


def _is_old(time: datetime | None, full_every: float | None, now: datetime) -> bool:
    return time is None or (full_every is not None and (now - time).total_seconds() >= full_every)


def filters_of(wish: Selection, *, newest: bool) -> str:
    """The wishes that leave posts of a source out, as a text to compare."""
    limit = f"limit={wish.limit}" if wish.limit else ""
    return " ".join(filter(None, (selection.filters(wish), limit, "depth=newest" if newest else "")))


def scope_of(wish: Selection, *, newest: bool) -> str:
    """Whose memory of a listing a source shares: that of all who want the same posts and files of it.

    Without the dates themselves, which may move on every day; not empty.
    """
    sound = "" if wish.sound is None else "sound" if wish.sound else "no-sound"
    words = {"since": wish.since, "until": wish.until, "thumbnail": wish.thumbnail, "subs": wish.subtitles}
    filters = filters_of(replace(wish, since=None, until=None), newest=newest)
    return " ".join(filter(None, ("sync", filters, sound, *(word for word, said in words.items() if said))))


def _lasting(row: ListedSource, filters: str) -> str:
    """The filters of a list by time for which new posts settle it: an earlier date of before holds on.

    What was published before that listing does not come now, whatever this source wants of it.
    """
    since = _SINCE.search(filters)
    if since is None or _SINCE.sub("", row.filters).strip() != _SINCE.sub("", filters).strip():
        return filters
    return row.filters if datetime.fromisoformat(since[1]) <= row.time else filters


def covers(before: str, now: str) -> bool:
    """Whether everything that `now` lets through was wanted under the filters of `before`, too.

    A date that moves on (`today-2weeks`) only leaves out more, and so does a limit where there was none.
    """
    now = now if _LIMIT.search(before) else _LIMIT.sub("", now)
    if before in ("", now):
        return True
    then, since = _SINCE.search(before), _SINCE.search(now)
    if then is None or since is None or _SINCE.sub("", before).strip() != _SINCE.sub("", now).strip():
        return False
    return datetime.fromisoformat(then[1]) <= datetime.fromisoformat(since[1])


def named(ref: Ref, what: Listing | None) -> Ref:
    """A source's listing in one word, as its failures name it."""
    return replace(ref, listing=what)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Met:
    """What is known of a post of a page; `since` is the time from which on it was dealt with, None if it was not.

    `dated` says that its list goes by the times of publishing: a later one cannot have been there.
    """

    post: Post
    kind: str
    dated: bool
    since: datetime | None = None

    def is_landmark(self, horizon: Horizon | None) -> bool:
        return horizon is not None and horizon.has(self.post, self.since, dated=self.dated)

    def is_late(self, horizon: Horizon | None) -> bool:
        """Whether it was dealt with, but too late to be a landmark now."""
        dealt_with = self.since is not None and not self.post.pinned if self.dated else self.kind != "new"
        return horizon is not None and dealt_with and not self.is_landmark(horizon)


class Upkeep(Run):
    """One check of a listing.

    Afterwards `state` is `complete` (everything wanted was dealt with), `gap` (everything new was, but not what an
    earlier cut left, or a page on the way was empty), `cut`, `stopped` or ODD. `seen` are the ids that a walk to the end met, all of those published up to
    `seen_until` (None for all). `author` is the account as its newest own post names it. `met` counts the posts of all
    its pages.
    """

    def __init__(self, source: Source, errand: Errand, plan: Plan, *, gone: frozenset[Ref]) -> None:
        super().__init__(source, errand)
        self._errand = replace(
            self._errand, source=named(source.ref, source.what), scope=plan.scope, backs_off=True
        )
        self._filters = plan.filters
        self._behind = plan.known.top or () if plan.known else ()
        self._plan = plan
        self._gone = gone
        self._place = plan.place
        self._announced = self._overlaps = self._resumed = self._late = self._doubted = False
        self._brought = 0
        self._asked: set[Cursor | None] = set()
        self._top_pages: set[Cursor | None] = set()
        self.state = ""
        self.cut: ListingIncomplete | None = None
        self.author: Author | None = None
        self.seen: set[str] = set()
        self.seen_until: datetime | None = None
        self.met = 0

    @property
    def at_end(self) -> bool:
        """Whether the list itself ended, so that what it did not show is not there."""
        return self.state == "complete" and not self._ended_early

    @property
    def scope(self) -> str:
        """For whom it is remembered."""
        return self._plan.scope

    @property
    def hidden(self) -> int:
        """Entries without content that the pages of this run had."""
        return self._hidden

    async def _last_listed(self) -> ListedSource | None:
        return self._plan.row or await super()._last_listed()

    def _stays_open(self, error: DyvineError) -> bool:
        """A failure is on record and has its own next try; what ends the whole run is not."""
        return isinstance(error, STOPPING)

    def _announce(self) -> None:
        """A source that has nothing new is not announced."""
        if not self._announced and (self._plan.whole or self._looked):
            self._announced = True
            super()._announce()

    # --- the posts ------------------------------------------------------------------------------------------------

    async def _posts(self) -> AsyncGenerator[Post]:
        """The posts from the top to the first page with a landmark, then on from where a former run was cut."""
        place = self._plan.place
        enough = None if self._plan.horizon is None and not self._plan.newest else 0
        top = self._walk(None, None, enough=enough)
        async with aclosing(self._walked(top, self._plan.horizon)) as newest:
            async for post in newest:
                yield post
        if place is None or not self._plan.rest or self._ended_early != "known" or self._doubted:
            return
        self._brought = 0
        await self._take_up(place)
        walk = self._walk(place.cursor, self._listed + self._hidden)
        async with aclosing(self._walked(walk, self._plan.floor)) as rest:
            async for post in rest:
                yield post

    async def _take_up(self, place: StoredCursor) -> None:
        self._resumed = True
        await super()._take_up(place)

    async def _walked(self, walk: Walk, horizon: Horizon | None) -> AsyncGenerator[Post]:
        """What is to be done of each page, the whole page with the first landmark included."""
        async with aclosing(self._pages_of(walk)) as batches:
            async for batch in batches:
                if not self._resumed:
                    self._top_pages.add(walk.cursor)
                    self._note_first(batch)
                    if self._place is not None and walk.cursor == self._place.cursor:
                        horizon = None  # everything down to the place was looked at
                if horizon is None:
                    await self._note_begun()
                self._mind_barren(walk, batch)
                page = await self._look_at(batch)
                self._late = self._late or any(each.is_late(horizon) for each in page)
                for met in page:
                    if self._is_old(met.post):
                        return
                    if self._is_beyond(met, horizon):
                        if self._source.dated:
                            break
                        continue
                    if await self._is_to_do(met, horizon):
                        yield met.post
                        if self._is_enough(met.post):
                            return
                if self._ends(page, horizon):
                    return

    def _mind_barren(self, walk: Walk, batch: Sequence[Post]) -> None:
        """A page that brought nothing though the list goes on stays open: posts that are new may belong there.

        A second run that meets it so believes it, and so does a walk that was led back to it.
        """
        brought = walk.listed + walk.hidden + walk.skipped + walk.unreadable
        is_barren = not batch and brought == self._brought and walk.cursor not in self._asked
        self._brought = brought
        self._asked.add(walk.cursor)
        if is_barren and not self._resumed:
            self._doubted = True
            self._pages.add(f"barren {walk.cursor}")

    def _is_beyond(self, met: _Met, horizon: Horizon | None) -> bool:
        """Whether a limit left a post out, and in a list by time what follows: with one, no landmark is wanted any more."""
        return self._errand.wish.limit is not None and met.is_landmark(horizon)

    async def _look_at(self, batch: Sequence[Post]) -> list[_Met]:
        """What the archive knows of a page's posts."""
        archive = self._errand.workspace.archive
        refs = [post.ref for post in batch]
        if self._gone and not self._errand.simulate and (back := self._gone.intersection(refs)):
            await archive.drop_gone(tuple(back))
        if self._plan.whole:
            self._see(batch)
        completed = await archive.completed(refs)
        dated = self._source.dated
        met = [
            _Met(post=post, kind="known", dated=dated, since=completed[post.ref])
            if post.ref in completed
            else await self._meet(post)
            for post in batch
        ]
        self.met += len(met)
        self._overlaps = self._overlaps or any(each.is_landmark(self._plan.known) for each in met)
        own = (post.author for post in batch if post.author.id == self._source.ref.id)
        self.author = self.author or next(own, None)
        return met

    def _see(self, batch: Sequence[Post]) -> None:
        if self._resumed and self.seen_until is None:
            self.seen_until = next((post.created for post in batch if not post.pinned), None)
        self.seen.update(post.ref.id for post in batch)

    async def _meet(self, post: Post) -> _Met:
        """A post that is not complete: left out on purpose, waiting for its next try, or new."""
        archive, dated = self._errand.workspace.archive, self._source.dated
        if not selection.wanted(post, self._errand.wish) or await archive.ignored([post.ref]):
            since = post.created + _LATE if dated else None
            return _Met(post=post, kind="unwanted", dated=dated, since=since)
        own = await self._own_failures(post.ref)
        failures = (own or await archive.failed(post.ref)).values()
        if failures and self._rests(post, failures, are_own=bool(own)):
            if not own:
                await self._wait_for(post.ref)
            first = min(each.first for each in failures)
            return _Met(post=post, kind="failed", dated=dated, since=first)
        return _Met(post=post, kind="new", dated=dated)

    async def _own_failures(self, ref: Ref) -> Mapping[str | None, FailedAsset]:
        errand = self._errand
        return await errand.workspace.archive.failed(ref, source=errand.source, scope=errand.scope)

    async def _wait_for(self, ref: Ref) -> None:
        """What failed for another source is tried again for this one, too, whatever becomes of the other."""
        errand = self._errand
        if errand.source is not None and not errand.simulate:
            await errand.workspace.archive.keep_failed(ref, source=errand.source, scope=errand.scope)

    def _rests(self, post: Post, failures: Iterable[FailedAsset], *, are_own: bool) -> bool:
        """Whether a post that failed is passed over: it has a next try of its own, or the list gives no new hope."""
        now = self._errand.clock()
        passing = [each for each in failures if may_pass_by_name(each.error)]
        if passing:
            return all(each.next_try and (are_own or now < each.next_try) for each in passing)
        if post.partial or any(now < each.last + pause(each.attempts) for each in failures):
            return True
        try:
            self._errand.workspace.client.check(post)
        except DyvineError:
            return True
        return False

    async def _is_to_do(self, met: _Met, horizon: Horizon | None) -> bool:
        """Whether a post is handed on; what was dealt with is only counted, and only where the list is walked whole.

        One that another source brought, or a person, may lack files that this one wants.
        """
        if met.kind == "failed":
            if horizon is None:
                self._looked += 1
                self._count.known += 1
            return False
        if self._resumed and met.post.ref.id in self._newest:
            return False
        if met.kind == "new" or self._errand.wish.overwrite:
            await self._note_begun()
        elif horizon is not None and not (met.kind == "known" and met.is_late(horizon)):
            return False
        if self._place is not None and not self._resumed:
            self._newest.add(met.post.ref.id)
            self._again += await self._was_listed(met.post, self._place)
        self._take(met.post)
        if met.kind == "new":
            self._announce()
        return True

    def _ends(self, page: Sequence[_Met], horizon: Horizon | None) -> bool:
        """Whether nothing new can come behind this page."""
        if self._plan.newest and self._plan.first and page:
            self._ended_early = "newest"
            return True
        landmarks = [met.is_landmark(horizon) for met in page]
        if not any(landmarks) or not (self._is_by_time or self._is_as_it_was(page, landmarks, horizon)):
            return False
        self._ended_early = "known"
        return True

    @property
    def _is_by_time(self) -> bool:
        """Whether one landmark says that all below it was there, or that nothing below it is wanted."""
        return self._source.dated or self._plan.newest or self._errand.wish.limit is not None

    def _is_as_it_was(self, page: Sequence[_Met], landmarks: Sequence[bool], horizon: Horizon | None) -> bool:
        """Whether a page of a list that goes by no time was there before as it is now.

        Where no ids were noted, by an older version, the archive has to do: then they are noted now, enough of them.
        """
        if horizon is None or horizon.top is not None:
            return all(landmarks)
        is_noted = self._resumed or len(self._first) >= TOP
        return is_noted and not any(met.kind == "new" for met in page)

    async def _note_unreadable(self, walk: Walk) -> None:
        """An entry that cannot be read fails once and is tried again by its id, later each time."""
        for error in walk.errors:
            ref: Ref | None = getattr(error, "ref", None)
            post = ref if ref is not None and ref.kind == "post" else None
            if post is not None:
                self.seen.add(post.id)
                if await self._errand.workspace.archive.failed(post):
                    await self._wait_for(post)
                    continue
                await note_failure(post, None, error, self._errand)
            self._looked += 1
            self._count.failed += 1
            self._errand.tally.fail(error)
            self._report(Failed(ref=ref or self._source.ref, error=error, source=self._errand.source))

    # --- what stays on record -------------------------------------------------------------------------------------

    async def _note_begun(self) -> None:
        """Before the first change. Nothing need be written: what this run brings is no landmark before it ends."""
        if not self._noted and not self._errand.simulate:
            self._noted = True
            await self._keep_place()

    async def _keep_place(self, cause: str = "") -> None:
        """Remember the first page that needs something; an older place stands until the walk went on behind it."""
        if self._plan.newest:
            return
        if self._plan.place is not None:
            first = self._pages.first()
            if not self._resumed or (first is not None and first.cursor in self._top_pages):
                return
        await super()._keep_place(cause)

    # --- the end --------------------------------------------------------------------------------------------------

    def _tell_missing(self, missing: int, *, notice: bool = True) -> None:
        """Whoever keeps an account in sync sees it in the status."""
        super()._tell_missing(missing, notice=notice)

    async def _conclude(self, cut: ListingIncomplete | None) -> None:
        tally, stop = self._errand.tally, self._errand.tally.stop
        if cut is not None and self._plan.newest:
            cut, self._ended_early = None, "newest"
        self.cut = cut
        self.state = self._state(cut)
        if self.state == ODD:
            return
        if self.state == "cut" and cut is not None:
            tally.cuts.append(cut)
            self._report(
                Cut(
                    ref=self._source.ref,
                    error=cut,
                    listed=self._listed,
                    declared=self._source.declared,
                    resumable=cut.cursor is not None,
                )
            )
        elif not self._count.failed and stop is None:
            tally.done += 1
        tally.balances.append(self._balance(cut, complete=self.state == "complete"))
        if not self._errand.simulate and not isinstance(stop, DiskError | ArchiveError):
            await self._remember(cut, complete=self.state == "complete")

    def _state(self, cut: ListingIncomplete | None) -> str:
        if self._errand.tally.stop is not None:
            return "stopped"
        if cut is not None:
            return "gap" if self._overlaps else "cut"
        if self._source.recalled and not self._ended_early and not self._is_as_before():
            return ODD
        has_gap = self._plan.walled or self._doubted
        return "gap" if self._ended_early == "known" and has_gap else "complete"

    def _is_as_before(self) -> bool:
        """Whether a list that ended before anything known is no wonder: it is empty as ever, or only its newest are wanted."""
        if self.met:
            return self._plan.newest
        return not (self._plan.row and self._plan.row.listed)

    async def _remember(self, cut: ListingIncomplete | None, *, complete: bool) -> None:
        if complete:
            await self._settle()
        elif self._errand.tally.stop is not None:
            await self._leave(self._errand.tally.stop.name)
        elif self._doubted and cut is None:
            await self._keep_place(ListingIncomplete.__name__)
        elif cut is None:
            await self._stand_at_wall()
        else:
            await self._note_cut(cut)

    async def _settle(self) -> None:
        """Everything wanted is dealt with; with nothing new, what is on record says so already.

        Nothing at all, and nobody asked why: that may be an account that is closed now, and settles nothing.
        """
        if self._source.recalled and not self.met:
            return
        at_end = self._ended_early != "known"
        row = self._plan.row
        is_noted = self._source.dated or (row is not None and row.top is not None)
        if at_end or self._noted or self._late or self._plan.place is not None or not is_noted:
            await self._drop_place()
            await self._note_row(full=at_end, cause="")

    async def _leave(self, cause: str) -> None:
        if self._noted:
            await self._keep_place(cause)
            if self._plan.settled is None:
                await self._note_row(full=False, cause=cause)

    async def _stand_at_wall(self) -> None:
        """What was new is dealt with, and its time is the next landmark; the gap behind stays as it is."""
        if not self._noted:
            return
        place, row, began = self._plan.place, self._plan.row, self._began
        archive = self._errand.workspace.archive
        if place is not None:
            place = replace(place, filters=self._filters, top=self._top())
            await archive.keep_cursor(replace(place, kept=began, listed=place.listed + self._looked))
        elif row is not None:
            row = replace(row, filters=self._filters, top=self._top())
            await archive.add_listed(replace(row, time=began, listed=row.listed + self._looked, full=None))

    async def _note_cut(self, cut: ListingIncomplete) -> None:
        cause = cause_of(cut)
        if cut.cursor is None:
            await self._drop_place()
        else:
            self._pages.begin(self._here(cut.cursor))
            await self._keep_place(cause)
        if self._plan.settled is None or cut.cursor is None or cause == WALLED:
            await self._note_row(full=False, cause=cause)

    async def _note_row(self, *, full: bool, cause: str) -> None:
        """Put on record how the listing came out, as of its beginning."""
        source, row = self._source, self._plan.row
        behind = row if row is not None and not self._plan.whole and self._plan.settled else None
        declared = source.declared
        if behind and source.recalled and declared is not None:
            declared += self._listed  # nobody was asked: the number grew by what is new
        await self._errand.workspace.archive.add_listed(
            ListedSource(
                ref=source.ref,
                what=source.what,
                time=self._began,
                listed=self._listed + (behind.listed if behind else 0),
                hidden=self._hidden + (behind.hidden if behind else 0),
                declared=declared,
                full=self._began if full else None,
                cause=cause,
                filters=self._filters,
                scope=self._plan.scope,
                top=self._top(whole=full and self._plan.whole),
            )
        )
