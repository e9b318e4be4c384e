"""How far a listing was worked through, page by page (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dyvine_cli.models import Cursor, Post

TOP = 100
"""How many ids are remembered of the top of a list that goes by no time: several pages at every site."""

_IN_HAND = ""


@dataclass(frozen=True, slots=True)
class Horizon:
    """What is known of a listing: everything that it had at `time` is dealt with.

    `top` are the ids that it had first then, None where nobody noted them. Only lists that do not go by the times of their
    posts need them: there a post may have come into the archive another way, and stand above others that nobody saw.
    """

    time: datetime
    top: tuple[str, ...] | None = None

    def has(self, post: Post, since: datetime | None, *, dated: bool) -> bool:
        """Whether a post stood in the list then, so that what is below it did, too.

        `since` is when it was dealt with, None if it was not. A pinned one says nothing of what is below it.
        """
        if not dated and self.top is not None:
            return post.ref.id in self.top
        if since is None or post.pinned:
            return False
        return since <= self.time and not (dated and post.created >= self.time)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins; `listed` entries and `hidden` ones were on the pages before it.

    `above` is when the newest post of the last of them was published, None where that says nothing.
    """

    cursor: Cursor | None
    listed: int
    hidden: int
    above: datetime | None = None


class Pages:
    """The pages of a listing that still need something, in the list's order.

    A page is open while it is in hand, while a post of it is on its way, and for good when one failed for a reason that
    may pass. So everything before the first open page is done with, whenever the run is killed.
    """

    def __init__(self) -> None:
        self._places: dict[Cursor | None, Place] = {}
        self._open: dict[Cursor | None, set[str]] = {}
        self._page_of: dict[str, Cursor | None] = {}

    def begin(self, place: Place) -> None:
        """A page came and is in hand; the one before is not any more."""
        self.lay_down()
        self._places.setdefault(place.cursor, place)
        self._add(_IN_HAND, place.cursor)

    def lay_down(self) -> None:
        """Everything on the page in hand was looked at."""
        self.finish(_IN_HAND)

    def add(self, id: str) -> None:
        """A post of the page in hand is on its way."""
        self._add(id, self._page_of[_IN_HAND])

    def finish(self, id: str) -> None:
        """A post is done with: saved, or nothing to come back for."""
        cursor = self._page_of.pop(id, None)
        ids = self._open.get(cursor, set())
        ids.discard(id)
        if not ids:
            self._open.pop(cursor, None)

    def first(self) -> Place | None:
        """The first open page; None if all are done with."""
        return next((place for cursor, place in self._places.items() if cursor in self._open), None)

    def _add(self, id: str, cursor: Cursor | None) -> None:
        self._page_of[id] = cursor
        self._open.setdefault(cursor, set()).add(id)
