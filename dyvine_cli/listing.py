"""Walking a listing to its end, and noticing when the platform only says that it ended."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace

from dyvine_cli.errors import (
    Banned,
    DiskError,
    DyvineError,
    InputError,
    ListingIncomplete,
    LoginNeeded,
    Private,
    RiskControl,
)
from dyvine_cli.models import Cursor, Mix, Page, Post, Ref, User

Fetch = Callable[[Cursor | None], Awaitable[Page]]

EMPTY_PAGES = 3
"""Pages without anything new in a row that are believed; Douyin sends a few where posts were removed."""
EMPTY_RETURNS = 2
"""The same while the platform leads back to a place where we were: a list that is stuck is asked once more."""
LOGIN_HINT = "a login sees the rest, and the next run goes on from here: dyvine login add FILE"
GOES_ON = "run the same command again: it goes on from here"
FROM_TOP = "run the same command again: it begins at the top and skips what is saved"
NOTHING_HINT = "the platform may take this for a robot: try again later, with --pace slow or a login"
SHORTFALL = 0.02
"""Part of the declared posts that may be missing at the end: counts lag behind removals."""


def allowance(declared: int) -> float:
    """How many of so many declared entries may be missing at an end that is believed."""
    return max(2, declared * SHORTFALL)


class Walk:
    """The entries of a listing, page by page; one page is in memory at a time.

    `cursor` is where the page in hand began: a later walk from there misses nothing. `listed`, `hidden`, `skipped` and
    `unreadable` count so far; `errors` are those of the page in hand. Ends, or raises ListingIncomplete after a page
    that gave something; before that the cause itself. `at_top` says that nothing of the list itself came before `cursor`.

    `counted` is how many entries the pages before `cursor` had, None when that is unknown or nothing came before.
    `enough` is how many entries may do for the caller, None for all. A sample that has so many is given out before the
    list itself is asked for; any other only as far as the list does not have its entries, which are whole there.
    """

    def __init__(
        self,
        fetch: Fetch,
        ref: Ref,
        *,
        cursor: Cursor | None = None,
        declared: int | None = None,
        counted: int | None = None,
        enough: int | None = None,
    ) -> None:
        self._fetch = fetch
        self._enough = enough
        self._refusal: DyvineError | None = None
        self._began = cursor
        self._counted = counted
        self.ref = ref
        self.declared = declared
        self.cursor = cursor
        self.at_top = cursor is None
        self.listed = self.hidden = self.skipped = self.unreadable = self.pages = 0
        self.errors: tuple[DyvineError, ...] = ()
        self._cursors: set[Cursor | None] = {cursor}
        self._seen: set[str] = set()
        self._barren = 0
        self._doubt: tuple[Cursor | None] | None = None
        self._end_was_asked = False

    def __aiter__(self) -> AsyncIterator[Post | Mix]:
        return self._entries()

    async def batches(self) -> AsyncGenerator[tuple[Post | Mix, ...]]:
        """What is new in each page, in its order."""
        while True:
            page = await self._page()
            if page.sample and not self._may_do(page):
                page = await self._in_place_of(page)
            yield self._take(page)
            self.at_top = self.at_top and page.sample
            if self._is_end_to_ask(page):
                page = await self._end_again(page)
                if page.items or page.hidden or page.unreadable:
                    yield self._take(page)
            if page.cut is not None and not self._is_all():
                cause = LoginNeeded(page.cut, hint=LOGIN_HINT, ref=self.ref)
                raise self._cut(page.cut, page.next or self.cursor, cause)
            if page.lost is not None and not self._is_all():
                raise self._cut(page.lost.message, self.cursor, page.lost)
            if page.cut is not None or page.lost is not None or self._is_end(page):
                return
            self.cursor = page.next

    async def _entries(self) -> AsyncGenerator[Post | Mix]:
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for entry in batch:
                    yield entry

    async def _page(self) -> Page:
        try:
            if self._refusal is not None:
                raise self._refusal
            page = await self._fetch(self.cursor)
        except (InputError, DiskError):
            raise
        except DyvineError as error:
            if self.pages == 0 and self._counted is None:
                raise
            raise self._cut(error.message, self.cursor, error) from error
        self.pages += 1
        return page

    def _is_end_to_ask(self, page: Page) -> bool:
        """Whether a page that claims to be the last one is asked for once more: too much is missing after it."""
        if page.next is not None or page.sample or page.cut is not None or page.lost is not None:
            return False
        is_clear = self._has_something and self._doubt is None
        return is_clear and not self._end_was_asked and bool(self._missing)

    async def _end_again(self, page: Page) -> Page:
        """The same page again, with only what it did not have before."""
        self._end_was_asked = True
        again = await self._page()
        return replace(
            again,
            items=tuple(entry for entry in again.items if entry.ref.id not in self._seen),
            hidden=max(0, again.hidden - page.hidden),
            skipped=max(0, again.skipped - page.skipped),
            unreadable=again.unreadable[len(page.unreadable) :],
        )

    def _may_do(self, sample: Page) -> bool:
        """Whether a sample may be all that the caller wants, or all that there is."""
        wanted = [number for number in (self._enough, self.declared) if number is not None]
        return len(sample.items) + sample.hidden + len(sample.unreadable) >= min(
            wanted, default=len(sample.items) + 1
        )

    async def _in_place_of(self, sample: Page) -> Page:
        """The first page of the list itself, and what only the sample has; the sample, if that page is refused."""
        try:
            page = await self._fetch(sample.next)
        except (InputError, DiskError):
            raise
        except DyvineError as error:
            self._refusal = error  # for the next turn, as if it were asked for then
            return sample
        self.cursor = sample.next
        self._cursors.add(sample.next)
        listed = {entry.ref.id for entry in page.items}
        others = tuple(entry for entry in sample.items if entry.ref.id not in listed)
        return replace(page, items=(*others, *page.items))

    def _take(self, page: Page) -> tuple[Post | Mix, ...]:
        """Count what a page brought; what came before is no longer in it."""
        fresh = {entry.ref.id: entry for entry in page.items if entry.ref.id not in self._seen}
        others = page.hidden + page.skipped + len(page.unreadable)
        leads_on = page.next is None or page.next not in self._cursors
        is_news = bool(fresh) or bool(others and not page.items and leads_on)
        self.errors = page.unreadable if is_news else ()
        if not is_news:
            self._note_barren()
            return ()
        self._barren = 0
        self._seen.update(fresh)
        self.listed += len(fresh)
        self.hidden += page.hidden
        self.skipped += page.skipped
        self.unreadable += len(page.unreadable)
        return tuple(fresh.values())

    def _note_barren(self) -> None:
        """Remember the first place that gave nothing new: if entries are missing at the end, they may be there."""
        self._barren += 1
        if self._doubt is None:
            self._doubt = (self.cursor,)

    def _is_end(self, page: Page) -> bool:
        """Whether the list ends here. Raises ListingIncomplete when the platform only says so, or never says so."""
        if page.sample and self._is_all():
            return True
        if page.next is None:
            self._check_shortfall()
            return True
        back = page.next in self._cursors
        self._cursors.add(page.next)
        if self._barren < (EMPTY_RETURNS if back else EMPTY_PAGES):
            return False
        if self._is_all():  # then the promise of more is the lie
            return True
        why = (
            "the platform sends the same place of the list again and again"
            if back
            else "the platform promises more and sends nothing new"
        )
        raise self._cut(why, self._doubtful)

    @property
    def _doubtful(self) -> Cursor | None:
        return self._doubt[0] if self._doubt else self.cursor

    @property
    def _accounted(self) -> int | None:
        """Entries from the top to here; None for a walk that does not know what came before it."""
        if self._began is not None and self._counted is None:
            return None
        return (self._counted or 0) + self.listed + self.hidden + self.unreadable

    def _is_all(self) -> bool:
        return self.declared is not None and (self._accounted or 0) >= self.declared

    @property
    def _missing(self) -> int:
        """How many declared entries did not come; 0 if that are no more than counts lag behind, or is unknown."""
        if self.declared is None or self._accounted is None:
            return 0
        missing = self.declared - self._accounted
        return missing if missing > allowance(self.declared) else 0

    def _check_shortfall(self) -> None:
        """An end that comes long before the declared number is no end.

        If nothing on the way was odd, the missing ones may be anywhere: the next walk begins at the top.
        """
        if not self._missing:
            return
        is_odd = self._doubt is not None
        raise self._cut(
            "the platform says the list ends here",
            self._doubtful if is_odd else None,
            missing=0 if is_odd or self._began is not None else self._missing,
        )

    def _nothing(self, why: str) -> RiskControl:
        of = f"nothing of {self.declared}" if self.declared is not None else "nothing"
        return RiskControl(f"{self.ref}: {of} came: {why}", hint=NOTHING_HINT, ref=self.ref)

    @property
    def _has_something(self) -> bool:
        return bool(self.listed or self.hidden or self.unreadable or self._counted)

    def _cut(
        self, why: str, cursor: Cursor | None, cause: DyvineError | None = None, *, missing: int = 0
    ) -> DyvineError:
        """The error of a list that ends here: its cause itself if nothing of it came, now or earlier."""
        if not self._has_something:
            return cause or self._nothing(why)
        of = f" of {self.declared}" if self.declared is not None else ""
        more = " more" if self._accounted is None else ""
        return ListingIncomplete(
            f"listed {self.listed + (self._counted or 0)}{more}{of}: {why}",
            cursor=cursor,
            cause=cause,
            reason=why,
            missing=missing,
            hint=cause.hint if cause and cause.hint else GOES_ON if cursor is not None else FROM_TOP,
            ref=self.ref,
        )


def check_listable(user: User) -> None:
    """Raise what an account's state means for its lists: Private, Banned."""
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


def check_likes(user: User) -> None:
    """Raise Private for an account that hides what it likes."""
    if user.likes_are_public is False:
        raise Private(
            f"{user.nickname} hides the posts they like",
            hint="only a login of that account sees them",
            ref=user.ref,
        )
