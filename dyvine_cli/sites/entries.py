"""The entries of a page of a listing, and the cursor for the next (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dyvine_cli.errors import DyvineError, SiteError
from dyvine_cli.models import Cursor, Post, Ref
from dyvine_cli.sites.reading import Record, reading


def readable(
    entries: Iterable[Record], read: Callable[[Record], Post], *, site: str, id: str
) -> tuple[tuple[Post, ...], tuple[DyvineError, ...]]:
    """The posts among the entries, and the errors of those that could not be read; raises if none could.

    `id` is the field with a post's id, which an error then names.
    """
    items: list[Post] = []
    errors: list[DyvineError] = []
    for entry in entries:
        try:
            with reading("post", ref=_named(entry, site, id)):
                items.append(read(entry))
        except SiteError as exc:
            errors.append(exc)
    if errors and not items:
        raise errors[0]
    return tuple(items), tuple(errors)


def next_cursor(record: Record, *, more: str, cursors: Iterable[str]) -> Cursor | None:
    """The cursor for the next page, None at the end: the first of the fields `cursors` that is there.

    Raises LookupError if `more` is missing, or promises more without a cursor.
    """
    if more not in record.names():
        record.missing(more)
    if not record.flag(more):
        return None
    names = tuple(cursors)
    name = next((each for each in names if each in record.names()), names[-1])
    value = record.raw.get(name)
    if isinstance(value, str) and value:
        return Cursor(record.text(name))
    number = record.whole(name)
    return Cursor(str(number)) if number is not None else record.missing(name)


def onward(
    record: Record, items: Sequence[object], *, more: str, cursors: Sequence[str], ref: Ref
) -> tuple[Cursor | None, DyvineError | None]:
    """The cursor for the next page like `next_cursor`, and the error of a page with `items` that promises more without.

    Raises LookupError where there are no items: nothing is lost with that page.
    """
    promised = more in record.names() and record.flag(more)
    if items and promised and all(record.raw.get(name) is None for name in cursors):
        try:
            with reading(str(ref), ref=ref):
                record.missing(cursors[0])
        except SiteError as exc:
            return None, exc
    return next_cursor(record, more=more, cursors=cursors), None


def _named(entry: Record, site: str, id: str) -> Ref | None:
    with reading("post"):
        found = entry.id(id)
    return Ref(site, "post", found) if found else None
