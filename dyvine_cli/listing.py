"""Walking a listing to its end, and noticing when the platform only says that it ended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from dyvine_cli.errors import DyvineError, InputError, ListingIncomplete, LoginNeeded
from dyvine_cli.models import Cursor, Mix, Page, Post, Ref

Fetch = Callable[[Cursor | None], Awaitable[Page]]

EMPTY_PAGES = 3
"""Pages without anything new in a row that are believed; Douyin sends a few where posts were removed."""
LOGIN_HINT = "a login sees the rest, and the next run goes on from here: dyvine login add FILE"
SHORTFALL = 0.02
"""Part of the declared posts that may be missing at the end: counts lag behind removals."""


class Walk:
    """The entries of a listing, page by page; one page is in memory at a time.

    `cursor` is where the page in hand began: a later walk from there misses nothing. `listed`, `hidden` and `skipped`
    count so far. Ends, or raises ListingIncomplete after at least one page; before that the cause itself.
    """

    def __init__(
        self, fetch: Fetch, ref: Ref, *, cursor: Cursor | None = None, declared: int | None = None
    ) -> None:
        self._fetch = fetch
        self._began = cursor
        self.ref = ref
        self.declared = declared
        self.cursor = cursor
        self.listed = self.hidden = self.skipped = self.pages = 0
        self._cursors: set[Cursor | None] = {cursor}
        self._seen: set[str] = set()
        self._barren = 0

    def __aiter__(self) -> AsyncIterator[Post | Mix]:
        return self._entries()

    async def batches(self) -> AsyncIterator[tuple[Post | Mix, ...]]:
        """What is new in each page, in its order."""
        cursor = self.cursor
        while True:
            page = await self._page(cursor)
            self.cursor = cursor
            yield self._fresh(page)
            if page.cut is not None:
                self.cursor = page.next or cursor
                raise self._cut(page.cut, LoginNeeded(page.cut, hint=LOGIN_HINT, ref=self.ref))
            if page.next is None:
                self._check_shortfall()
                return
            cursor = self._following(page)

    async def _entries(self) -> AsyncIterator[Post | Mix]:
        async for batch in self.batches():
            for entry in batch:
                yield entry

    async def _page(self, cursor: Cursor | None) -> Page:
        try:
            page = await self._fetch(cursor)
        except InputError:
            raise
        except DyvineError as error:
            if self.pages == 0 and self._began is None:
                raise
            self.cursor = cursor
            raise self._cut(error.message, error) from error
        self.pages += 1
        return page

    def _fresh(self, page: Page) -> tuple[Post | Mix, ...]:
        fresh = tuple(
            {entry.ref.id: entry for entry in page.items if entry.ref.id not in self._seen}.values()
        )
        self._seen.update(entry.ref.id for entry in fresh)
        self._barren = 0 if fresh else self._barren + 1
        self.listed += len(fresh)
        self.hidden += page.hidden
        self.skipped += page.skipped
        return fresh

    def _following(self, page: Page) -> Cursor | None:
        if page.next in self._cursors:
            raise self._cut("the platform sent the same place of the list again")
        if self._barren >= EMPTY_PAGES:
            raise self._cut("the platform promises more and sends nothing new")
        self._cursors.add(page.next)
        return page.next

    def _check_shortfall(self) -> None:
        """An end that comes long before the declared number is no end (only a walk from the top can tell)."""
        if self.declared is None or self._began is not None:
            return
        missing = self.declared - self.listed - self.hidden
        if missing > max(2, self.declared * SHORTFALL):
            raise self._cut("the platform says the list ends here", resumable=False)

    def _cut(
        self, why: str, cause: DyvineError | None = None, *, resumable: bool = True
    ) -> ListingIncomplete:
        of = f" of {self.declared}" if self.declared is not None else ""
        return ListingIncomplete(
            f"listed {self.listed}{' more' if self._began is not None else ''}{of}: {why}",
            cursor=self.cursor if resumable else None,
            cause=cause,
            reason=why,
            hint=cause.hint if cause else None,
            ref=self.ref,
        )
