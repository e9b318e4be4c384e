"""Whole listings, downloaded while they are listed: accounts and mixes, with their balance at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dyvine_cli.archive.base import ListedSource, StoredCursor
from dyvine_cli.errors import Banned, ListingIncomplete, Private
from dyvine_cli.events import Balance, Cut, Event, Failed, Finished, Listed, SourceBegun
from dyvine_cli.listing import Walk
from dyvine_cli.models import Cursor, Listing, Post, Ref, User
from dyvine_cli.operations import selection
from dyvine_cli.operations.download import Errand, save_posts

WORTH_AN_ESTIMATE = 60.0
"""Seconds of listing from which a person is told beforehand."""
USUAL_PAGE = 18
"""Posts a page, for the estimate (Douyin caps a page at about 20)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A listing to work through; `declared` is what the platform claims it has, None if it does not say."""

    ref: Ref
    what: Listing | None
    title: str
    declared: int | None


async def source_of(ref: Ref, what: Listing | None, errand: Errand) -> Source:
    """The listing's name and declared size. Raises Private, Banned, NotFound when there is nothing to list."""
    client = errand.workspace.client
    if ref.kind == "mix":
        mix = await client.mix(ref)
        return Source(ref=mix.ref, what=None, title=mix.title, declared=mix.declared)
    user = await client.user(ref)
    check_listable(user)
    chosen = what or ref.listing
    if chosen == "likes":
        if user.likes_are_public is False:
            raise Private(
                f"{user.nickname} hides the posts they like",
                hint="only a login of that account sees them",
                ref=user.ref,
            )
        return Source(ref=user.ref, what="likes", title=f"{user.nickname}: likes", declared=user.likes_given)
    return Source(ref=user.ref, what=chosen, title=user.nickname, declared=user.declared)


def check_listable(user: User) -> None:
    """Raise what an account's state means for its lists."""
    if user.state == "private":
        raise Private(
            f"the account {user.nickname} is private: {user.state_reason or 'only followers see its posts'}",
            hint="a login that follows it may see them: dyvine login add FILE",
            ref=user.ref,
        )
    if user.state != "public":
        raise Banned(
            f"the account {user.nickname or user.ref} is {user.state}: {user.state_reason}".rstrip(": "),
            ref=user.ref,
        )


@dataclass(slots=True)
class _Count:
    """What happened to the posts of one listing."""

    saved: int = 0
    known: int = 0
    filtered: int = 0
    failed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    def take(self, event: object) -> None:
        if isinstance(event, Finished):
            setattr(self, event.state, getattr(self, event.state) + 1)
        elif isinstance(event, Failed) and event.source is not None:
            self.reasons[event.error.name] = self.reasons.get(event.error.name, 0) + 1


class Run:
    """One listing from its first page to its balance."""

    def __init__(self, source: Source, errand: Errand) -> None:
        self._source = source
        self._count = _Count()
        self._outer = errand
        self._errand = Errand(
            workspace=errand.workspace,
            wish=errand.wish,
            report=self._report,
            tally=errand.tally,
            source=source.ref,
            simulate=errand.simulate,
        )
        self._began = datetime.now(UTC)
        self._listed = self._hidden = self._taken = 0
        self._under_way: dict[Cursor | None, set[str]] = {}
        self._ended_early = ""
        self._walk: Walk | None = None

    def _report(self, event: Event) -> None:
        self._count.take(event)
        if isinstance(event, Finished):
            for ids in self._under_way.values():
                ids.discard(event.ref.id)
        self._outer.report(event)

    async def run(self) -> None:
        """List and save; a cut is reported and counted, and its place kept for the next run."""
        self._announce()
        cut: ListingIncomplete | None = None
        try:
            await save_posts(self._posts(), self._errand)
        except ListingIncomplete as error:
            cut = error
        await self._conclude(cut)

    def _announce(self) -> None:
        declared = self._source.declared
        calls = -(-declared // USUAL_PAGE) if declared else None
        seconds = (
            self._outer.workspace.client.budget.estimate(self._source.ref.site, "list", calls)
            if calls
            else 0.0
        )
        told = seconds >= WORTH_AN_ESTIMATE and not self._outer.wish.limit
        self._report(
            SourceBegun(
                ref=self._source.ref,
                title=self._source.title,
                declared=declared,
                calls=calls if told else None,
                estimate=seconds if told else None,
            )
        )

    async def _posts(self) -> AsyncGenerator[Post]:
        """The posts of the listing, from the top until something known, then on from where the last run was cut."""
        archive, wish = self._errand.workspace.archive, self._errand.wish
        place = None if wish.full else await archive.cursor(self._source.ref, self._source.what)
        async for post in self._from(None, until_known=wish.stop_at_known or place is not None):
            yield post
        if place is not None and self._ended_early == "known":
            self._ended_early = ""
            async for post in self._from(place.cursor, until_known=False):
                yield post

    async def _from(self, cursor: Cursor | None, *, until_known: bool) -> AsyncGenerator[Post]:
        source, wish = self._source, self._errand.wish
        self._walk = walk = self._errand.workspace.client.list(
            source.ref, source.what, cursor=cursor, declared=source.declared
        )
        async for batch in walk.batches():
            self._listed += len(batch)
            self._report(Listed(ref=source.ref, count=len(batch), total=self._listed))
            self._under_way[walk.cursor] = {post.ref.id for post in batch}
            await self._keep_place()
            for post in batch:
                if not isinstance(post, Post):
                    continue
                if self._is_end(post) or (until_known and await self._is_known(post)):
                    return
                yield post
                self._taken += selection.wanted(post, wish)

    async def _is_known(self, post: Post) -> bool:
        if post.pinned or not await self._errand.workspace.archive.knows(post.ref):
            return False
        self._ended_early = "known"
        return True

    def _is_end(self, post: Post) -> bool:
        wish = self._errand.wish
        if wish.limit is not None and self._taken >= wish.limit:
            self._ended_early = "limit"
        elif (
            wish.since
            and not post.pinned
            and post.created < wish.since
            and self._source.what in (None, "posts")
            and self._source.ref.kind == "user"
        ):
            self._ended_early = "date"
        return bool(self._ended_early)

    async def _keep_place(self, cause: str = "") -> None:
        """Remember the first page of which a post is still under way: a run that is killed now goes on with it."""
        self._under_way = {
            at: ids
            for place, (at, ids) in enumerate(self._under_way.items(), start=1)
            if ids or place == len(self._under_way)
        }
        cursor = next(iter(self._under_way), None)
        if cursor is None or self._errand.simulate:
            return
        await self._errand.workspace.archive.keep_cursor(
            StoredCursor(
                ref=self._source.ref,
                what=self._source.what,
                cursor=cursor,
                started=self._began,
                kept=datetime.now(UTC),
                listed=self._listed,
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
        await self._remember(cut, complete=complete)
        tally.balances.append(self._balance(cut, complete=complete))

    async def _remember(self, cut: ListingIncomplete | None, *, complete: bool) -> None:
        if self._errand.simulate:
            return
        archive, source = self._errand.workspace.archive, self._source
        if complete:
            await archive.drop_cursor(source.ref, source.what)
        elif cut is None:
            await archive.drop_cursor(source.ref, source.what, self._began)
        elif self._walk is not None and cut.cursor is not None:
            self._under_way.setdefault(cut.cursor, set())
            await self._keep_place(cause=(cut.cause or cut).name)
        await archive.add_listed(
            ListedSource(
                ref=source.ref,
                what=source.what,
                time=self._began,
                listed=self._listed,
                hidden=self._walk.hidden if self._walk else 0,
                declared=source.declared,
                full=self._began if complete else None,
                cause=(cut.cause or cut).name if cut else "",
            )
        )

    def _balance(self, cut: ListingIncomplete | None, *, complete: bool) -> Balance:
        stopped = {"known": "ended at a known post", "limit": "ended at --limit", "date": "ended at --since"}
        return Balance(
            ref=self._source.ref,
            title=self._source.title,
            listed=self._listed,
            declared=self._source.declared,
            hidden=self._walk.hidden if self._walk else 0,
            saved=self._count.saved,
            known=self._count.known,
            filtered=self._count.filtered,
            failed=self._count.failed,
            complete=complete,
            stopped=cut.reason if cut else stopped.get(self._ended_early, ""),
            reasons=self._count.reasons,
        )
