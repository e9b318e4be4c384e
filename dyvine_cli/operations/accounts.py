"""Whole listings, downloaded while they are listed: accounts and mixes, with their balance at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from dyvine_cli.archive.base import ListedSource, StoredCursor
from dyvine_cli.client import Client
from dyvine_cli.errors import DyvineError, InputError, ListingIncomplete
from dyvine_cli.events import Balance, Cut, Event, Failed, Finished, Listed, SourceBegun
from dyvine_cli.listing import Walk, check_likes, check_listable
from dyvine_cli.models import Cursor, Listing, Post, Ref
from dyvine_cli.operations import selection
from dyvine_cli.operations.download import Errand, save_posts

WORTH_AN_ESTIMATE = 60.0
"""Seconds of listing from which a person is told beforehand."""

STOPPED = {"known": "ended at a known post", "limit": "ended at --limit", "date": "ended at --since"}
"""Why a listing was ended by us, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A listing to work through.

    `what` None is the kind's own listing. `declared` is what the platform claims it has, None if it does not say.
    `dated` says that its posts come newest first, so that a date can end it.
    """

    ref: Ref
    what: Listing | None
    title: str
    declared: int | None
    dated: bool = False


async def source_of(client: Client, ref: Ref, what: Listing | None) -> Source:
    """The listing's name and declared size. Raises Private, Banned, NotFound when there is nothing to list."""
    if ref.kind == "mix":
        mix = await client.mix(ref)
        return Source(ref=mix.ref, what=None, title=mix.title, declared=mix.declared)
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

    def take(self, event: Event) -> None:
        if isinstance(event, Finished):
            setattr(self, event.state, getattr(self, event.state) + 1)
        elif isinstance(event, Failed):
            self.reasons[event.error.name] = self.reasons.get(event.error.name, 0) + 1


class _Pages:
    """The pages that still have posts under way, so that a run that is killed goes on with the first of them."""

    def __init__(self) -> None:
        self._open: dict[Cursor | None, set[str]] = {}
        self._before: dict[Cursor | None, int] = {}

    def begin(self, cursor: Cursor | None, before: int) -> None:
        """A page came; `before` entries of the list were on earlier pages."""
        self._open = {at: ids for at, ids in self._open.items() if ids}
        self._open.setdefault(cursor, set())
        self._before.setdefault(cursor, before)

    def add(self, cursor: Cursor | None, id: str) -> None:
        """A post of the page is on its way."""
        self._open[cursor].add(id)

    def finish(self, id: str) -> None:
        """A post is done with, saved or not."""
        for ids in self._open.values():
            ids.discard(id)

    def first(self) -> tuple[Cursor | None, int]:
        """Where the first page with a post under way begins (else the last page), and how many entries came before."""
        at = next((at for at, ids in self._open.items() if ids), next(reversed(self._open), None))
        return at, self._before.get(at, 0)


class Run:
    """One listing from its first page to its balance."""

    def __init__(self, source: Source, errand: Errand) -> None:
        if source.what == "mixes":
            raise InputError(
                f"{source.title} cannot be downloaded at once",
                hint="see them with `dyvine user mixes`, then download one with `dyvine mix get`",
            )
        self._source = source
        self._count = _Count()
        self._outer = errand
        self._errand = replace(errand, report=self._report, source=source.ref, named=False)
        self._began = datetime.now(UTC)
        self._listed = self._hidden = self._taken = self._fresh = 0
        self._pages = _Pages()
        self._walk: Walk | None = None
        self._ended_early = ""

    def _report(self, event: Event) -> None:
        self._count.take(event)
        if isinstance(event, Finished):
            self._pages.finish(event.ref.id)
        self._outer.report(event)

    async def run(self) -> None:
        """List and save; a cut is reported and counted, and its place kept for the next run.

        Raises the cause when not even one page came.
        """
        self._announce()
        cut: ListingIncomplete | None = None
        try:
            await save_posts(self._posts(), self._errand)
        except ListingIncomplete as error:
            cut = error
        await self._conclude(cut)

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
            )
        )

    # --- the posts ------------------------------------------------------------------------------------------------

    async def _posts(self) -> AsyncGenerator[Post]:
        """The posts of the listing, from the top until something known, then on from where the last run was cut."""
        archive, wish = self._errand.workspace.archive, self._errand.wish
        place = None if wish.full else await archive.cursor(self._source.ref, self._source.what)
        if place is not None and not place.listed:  # it is the top of the list
            place = None
        until_known = wish.stop_at_known or place is not None
        async with aclosing(self._from(None, None, until_known=until_known)) as newest:
            async for post in newest:
                yield post
        if place is not None and self._ended_early == "known":
            counted = await self._take_up(place)
            async with aclosing(self._from(place.cursor, counted, until_known=False)) as rest:
                async for post in rest:
                    yield post

    async def _take_up(self, place: StoredCursor) -> int:
        """Count what the run that was cut listed before its place, and what is new since; the sum of both."""
        last = await self._errand.workspace.archive.listed(self._source.ref, self._source.what)
        self._ended_early = ""
        self._listed = place.listed + self._fresh
        if last is not None and last.time == place.started:
            self._hidden = last.hidden
        return self._listed + self._hidden

    async def _from(
        self, cursor: Cursor | None, counted: int | None, *, until_known: bool
    ) -> AsyncGenerator[Post]:
        source = self._source
        walk = self._errand.workspace.client.list(
            source.ref, source.what, cursor=cursor, declared=source.declared, counted=counted
        )
        hidden, self._walk = self._hidden, walk
        async with aclosing(walk.batches()) as batches:
            async for batch in batches:
                self._pages.begin(walk.cursor, self._before)
                self._listed += len(batch) + len(walk.errors)
                self._hidden = hidden + walk.hidden
                self._note(walk, len(batch))
                await self._keep_place()
                for post in (entry for entry in batch if isinstance(entry, Post)):
                    if self._is_old(post) or (until_known and await self._is_known(post)):
                        return
                    self._pages.add(walk.cursor, post.ref.id)
                    self._fresh += not post.pinned
                    yield post
                    if self._is_enough(post):
                        return

    @property
    def _before(self) -> int:
        """How many entries of the list came before the walk's place; none if that is the top."""
        return 0 if self._walk is None or self._walk.at_top else self._listed

    def _note(self, walk: Walk, count: int) -> None:
        """Tell of a page, and of its entries that could not be read."""
        source = self._source
        self._report(Listed(ref=source.ref, count=count, total=self._listed))
        for error in walk.errors:
            self._count.failed += 1
            self._errand.tally.fail(error)
            ref = getattr(error, "ref", None) or source.ref
            self._report(Failed(ref=ref, error=error, source=source.ref))

    async def _is_known(self, post: Post) -> bool:
        if post.pinned or not await self._errand.workspace.archive.knows(post.ref):
            return False
        self._ended_early = "known"
        return True

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

    # --- the end --------------------------------------------------------------------------------------------------

    async def _keep_place(self, cause: str = "") -> None:
        """Remember the first page of which a post is still under way: a run that is killed now goes on with it."""
        cursor, before = self._pages.first()
        if cursor is None or self._errand.simulate:
            return
        await self._errand.workspace.archive.keep_cursor(
            StoredCursor(
                ref=self._source.ref,
                what=self._source.what,
                cursor=cursor,
                started=self._began,
                kept=datetime.now(UTC),
                listed=before,
                cause=cause,
            )
        )

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
        if tally.stop is None and not self._errand.simulate:
            await self._remember(cut, complete=complete)

    async def _remember(self, cut: ListingIncomplete | None, *, complete: bool) -> None:
        archive, source = self._errand.workspace.archive, self._source
        if complete:
            await archive.drop_cursor(source.ref, source.what)
        elif cut is None:  # the person ended it: there is no place to go on from
            await archive.drop_cursor(source.ref, source.what, self._began)
        elif cut.cursor is None:  # the next run begins at the top
            await archive.drop_cursor(source.ref, source.what)
        else:
            self._pages.begin(cut.cursor, self._before)
            await self._keep_place(cause=_cause(cut).name)
        await archive.add_listed(
            ListedSource(
                ref=source.ref,
                what=source.what,
                time=self._began,
                listed=self._listed,
                hidden=self._hidden,
                declared=source.declared,
                full=self._began if complete else None,
                cause=_cause(cut).name if cut else "",
            )
        )

    def _balance(self, cut: ListingIncomplete | None, *, complete: bool) -> Balance:
        return Balance(
            ref=self._source.ref,
            title=self._source.title,
            listed=self._listed,
            declared=self._source.declared,
            hidden=self._hidden,
            saved=self._count.saved,
            known=self._count.known,
            filtered=self._count.filtered,
            failed=self._count.failed,
            complete=complete,
            stopped=cut.reason if cut else STOPPED.get(self._ended_early, ""),
            reasons=self._count.reasons,
        )


def _cause(cut: ListingIncomplete) -> DyvineError:
    return cut.cause or cut
