"""Pages of lists as every platform has them, and every lie that a list has been reported to tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dyvine_cli.simulator.faults import Faults
from dyvine_cli.simulator.messages import Request

Raw = dict[str, Any]

LIES: Mapping[str, str] = {
    "list-empty-page": "a page without entries that promises more under the same cursor; value skip: under the next one",
    "list-repeated-cursor": "the right entries, and the cursor that was just asked for",
    "list-cursor-back": "the right entries, and the cursor of the first page",
    "list-cursor-missing": "the right entries, more promised, and no cursor",
    "list-sticky-cursor": "the list goes on page by page, but its cursor stays that of the first page",
    "list-has-more-forever": "more is promised on every page, also behind the end",
    "list-ends-early": "this page claims to be the last one",
    "list-cut": "no entries and no more, in the middle of the list",
    "list-same-page": "the first page's entries again under the right cursor",
    "list-duplicates": "three entries of the first page again in front",
    "list-entry-odd": "the last entry of the page lacks the key of the value (default author)",
    "list-key-missing": "the key of the entries is missing",
    "list-key-null": "the entries are null, more is promised",
}


@dataclass(slots=True, kw_only=True)
class Sheet:
    """One page before it becomes JSON: `key` and `cursor_key` are the platform's names for entries and cursor."""

    key: str
    cursor_key: str
    entries: list[Raw]
    cursor: int
    has_more: bool
    extra: Raw = field(default_factory=dict)
    asked: int = 0


Again = Callable[[int], Sheet]
Change = Callable[[Sheet, Again, str], None]


class Liar:
    """Tells pages after the lies that are switched on.

    `words` makes the platform's JSON of a page; `changes` are lies that only this platform tells.
    """

    def __init__(
        self, faults: Faults, words: Callable[[Sheet], Raw], changes: Mapping[str, Change] | None = None
    ) -> None:
        self._faults = faults
        self._words = words
        self._changes = {**_CHANGES, **(changes or {})}
        self._places: dict[str, int] = {}
        faults.register(LIES)

    def told(self, request: Request, owner: str, again: Again, cursor: int) -> Raw:
        """The page behind the cursor; `again` makes honest ones, `owner` is whose list it is."""
        stuck = self._faults.take("list-sticky-cursor", request) is not None
        sheet = self._stuck(f"{request.path} {owner}", again, cursor) if stuck else again(cursor)
        for name, change in self._changes.items():
            fault = self._faults.take(name, request)
            if fault is not None:
                change(sheet, again, fault.value or "")
        keyless = self._faults.take("list-key-missing", request) is not None
        cursorless = self._faults.take("list-cursor-missing", request) is not None
        sheet.has_more = sheet.has_more or cursorless
        raw = self._words(sheet)
        for key, missing in ((sheet.key, keyless), (sheet.cursor_key, cursorless)):
            if missing:
                raw.pop(key, None)
        return raw

    def _stuck(self, list_name: str, again: Again, cursor: int) -> Sheet:
        """The next page in the list's own count, under the cursor that was asked for."""
        sheet = again(self._places.get(list_name, cursor) if cursor else 0)
        self._places[list_name] = sheet.cursor
        sheet.cursor = cursor or sheet.cursor
        return sheet


def _empty(sheet: Sheet, again: Again, value: str) -> None:
    sheet.entries, sheet.has_more = [], True
    if value != "skip":
        sheet.cursor = sheet.asked


def _repeated(sheet: Sheet, again: Again, value: str) -> None:
    sheet.cursor, sheet.has_more = sheet.asked, True


def _first_cursor(sheet: Sheet, again: Again, value: str) -> None:
    sheet.cursor, sheet.has_more = again(0).cursor, True


def _forever(sheet: Sheet, again: Again, value: str) -> None:
    sheet.has_more = True


def _ended(sheet: Sheet, again: Again, value: str) -> None:
    sheet.has_more = False


def _cut(sheet: Sheet, again: Again, value: str) -> None:
    sheet.entries, sheet.has_more = [], False


def _same_page(sheet: Sheet, again: Again, value: str) -> None:
    sheet.entries = again(0).entries


def _duplicates(sheet: Sheet, again: Again, value: str) -> None:
    sheet.entries = [*again(0).entries[:3], *sheet.entries]


def _odd_entry(sheet: Sheet, again: Again, value: str) -> None:
    if sheet.entries:
        sheet.entries = [*sheet.entries[:-1], dict(sheet.entries[-1])]
        sheet.entries[-1].pop(value or "author", None)


def _null(sheet: Sheet, again: Again, value: str) -> None:
    nothing: Any = None
    sheet.entries, sheet.has_more = nothing, True


_CHANGES: Mapping[str, Change] = {
    "list-empty-page": _empty,
    "list-repeated-cursor": _repeated,
    "list-cursor-back": _first_cursor,
    "list-has-more-forever": _forever,
    "list-ends-early": _ended,
    "list-cut": _cut,
    "list-same-page": _same_page,
    "list-duplicates": _duplicates,
    "list-entry-odd": _odd_entry,
    "list-key-null": _null,
}
