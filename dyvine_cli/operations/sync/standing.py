"""How the sources of `sync` stand, from configuration, archive and budget alone: nobody is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from dyvine_cli import errors
from dyvine_cli.archive.base import Archive, CheckedSource, FailedAsset, ListedSource, StoredCursor
from dyvine_cli.encode import moment
from dyvine_cli.errors import (
    ArchiveError,
    DiskError,
    InputError,
    ListingIncomplete,
    LoginNeeded,
    NotFound,
    UnexpectedResponse,
)
from dyvine_cli.listing import allowance
from dyvine_cli.models import Listing, Ref
from dyvine_cli.operations.accounts import SHORT, missing_of
from dyvine_cli.operations.backoff import may_pass_by_name
from dyvine_cli.operations.sync import again
from dyvine_cli.operations.sync.again import Failures, Owner
from dyvine_cli.operations.sync.check import CHECKING, listing_of, wants_newest
from dyvine_cli.operations.sync.run import by_key, due_at, key
from dyvine_cli.operations.sync.upkeep import filters_of, named, remembered, scope_of
from dyvine_cli.operations.workspace import Entry, Workspaces

NEVER = "never checked"
INTERRUPTED = "interrupted"

_ENDS = ("limit=", "since=", "depth=")
"""Filters that end a list before its end."""
_FOR_A_PERSON = (NotFound, LoginNeeded, InputError, UnexpectedResponse, DiskError, ArchiveError)
"""What does not get well by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One source as it stands.

    `title` is what the account calls itself, empty until it was asked. `state` is that of its last check, NEVER or INTERRUPTED. `checked` is when that began. `due` is None for now, and for
    a source that is off. `failed` counts the posts that are tried again by error name, the next at `next_try`; `lasting`
    those whose cause does not pass. `cut` is the cause for which older posts are missing, empty if none are; `listed` and
    `declared` say how many there are, `unshown` how many its account counts and its list does not show. `gone` counts posts that are not shown any more by their state. `cools_until` is
    when `profile` may ask the site again, None for now.
    """

    name: str
    link: str
    ref: Ref | None
    tags: tuple[str, ...]
    enabled: bool
    state: str
    checked: datetime | None = None
    due: datetime | None = None
    error: str = ""
    message: str = ""
    troubles: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    lasting: Mapping[str, int] = field(default_factory=dict)
    next_try: datetime | None = None
    cut: str = ""
    listed: int | None = None
    declared: int | None = None
    unshown: int = 0
    title: str = ""
    gone: Mapping[str, int] = field(default_factory=dict)
    profile: str | None = None
    cools_until: datetime | None = None

    @property
    def needs_person(self) -> bool:
        """Whether something is wrong that no later run mends."""
        kind = getattr(errors, self.error, None) if self.state in ("failed", "stopped") else None
        return isinstance(kind, type) and issubclass(kind, _FOR_A_PERSON)


async def standings(places: Workspaces, entries: Sequence[Entry], now: datetime) -> list[Standing]:
    """How these sources stand, in their order. Raises ArchiveError."""
    archive = places.shared.archive
    checked = by_key(await archive.checked())
    failures = again.by_owner(await archive.failures())
    return [await _of(places, entry, checked.get(key(entry)), failures, now) for entry in entries]


async def _of(
    places: Workspaces,
    entry: Entry,
    last: CheckedSource | None,
    failures: Mapping[Owner, Failures],
    now: datetime,
) -> Standing:
    name = entry.source.name or (last.title if last else "") or entry.title
    found = Standing(
        name=name,
        title=last.title if last else "",
        link=entry.source.shown_url,
        ref=None,
        tags=entry.source.tags,
        enabled=entry.enabled,
        state=NEVER,
    )
    if last is None:
        return found
    when = due_at(entry, last, now)
    found = replace(
        found,
        state=INTERRUPTED if last.state == CHECKING else last.state,
        checked=last.began,
        due=when if when is not None and when > now else None,
        error=last.error,
        message=last.message,
        troubles=last.troubles,
    )
    if last.ref is None:
        return found
    ref = named(last.ref, listing_of(last.ref, entry.what))
    found = await _as_remembered(replace(found, ref=ref), places, entry, last.ref, failures, now)
    if entry.newest:
        found = replace(found, cut="")  # what is older is not wanted, whoever was cut there
    return _with_cooling(found, places, entry)


async def _as_remembered(
    found: Standing,
    places: Workspaces,
    entry: Entry,
    ref: Ref,
    failures: Mapping[Owner, Failures],
    now: datetime,
) -> Standing:
    """With what is remembered of the listing for what the source wants; with nothing if it wants what cannot be."""
    try:
        wish = places.wish_of(entry)
    except InputError:
        return found
    newest, what, archive = wants_newest(entry, ref), listing_of(ref, entry.what), places.shared.archive
    scope, filters = scope_of(wish, newest=newest), filters_of(wish, newest=newest)
    row, place, like = await remembered(archive, ref, what, scope, filters, now)
    found = _with_failures(found, failures.get((named(ref, what), like), {}))
    return await _with_listing(found, archive, ref, what, row, place)


def _with_failures(found: Standing, posts: Failures) -> Standing:
    passing = {post: rows for post, rows in posts.items() if any(may_pass_by_name(row.error) for row in rows)}
    times = [row.next_try for rows in passing.values() for row in rows if row.next_try is not None]
    return replace(
        found,
        failed=_causes(passing.values()),
        lasting=_causes(rows for post, rows in posts.items() if post not in passing),
        next_try=min(times, default=None),
    )


async def _with_listing(
    found: Standing,
    archive: Archive,
    ref: Ref,
    what: Listing | None,
    row: ListedSource | None,
    place: StoredCursor | None,
) -> Standing:
    gone = await archive.gone_of(ref.site, ref.id) if ref.kind == "user" and what is None else ()
    cause = place.cause if place else row.cause if row else ""
    to_its_end = row is not None and row.full is not None and not any(word in row.filters for word in _ENDS)
    missing = missing_of(row) if row is not None and to_its_end and not cause and ref.kind == "user" else 0
    return replace(
        found,
        cut=ListingIncomplete.__name__ if cause == SHORT else cause,
        unshown=missing if missing > allowance((row.declared if row else None) or 0) else 0,
        listed=row.listed if row else place.listed if place else None,
        declared=row.declared if row else None,
        gone=dict(Counter(each.state for each in gone)),
    )


def _with_cooling(found: Standing, places: Workspaces, entry: Entry) -> Standing:
    """With the time until which the source's profile is not to ask its site, if that profile is there."""
    try:
        workspace, _ = places.of(entry)
        profile = workspace.client.profile(found.ref.site if found.ref else "")
    except InputError:
        return found
    return replace(found, profile=profile.name, cools_until=workspace.client.health(profile).closed_until)


def _causes(posts: Iterable[Sequence[FailedAsset]]) -> dict[str, int]:
    """Posts by the cause of their first failure."""
    return dict(Counter(rows[0].error for rows in posts).most_common())


def encoded(standing: Standing) -> dict[str, object]:
    """A standing as an object of its schema."""

    def when(time: datetime | None) -> str | None:
        return moment(time) if time else None

    return {
        "v": 1,
        "type": "source_status",
        "name": standing.name,
        "url": standing.link,
        "ref": str(standing.ref) if standing.ref else None,
        "tags": list(standing.tags),
        "enabled": standing.enabled,
        "state": standing.state,
        "needs_person": standing.needs_person,
        "checked": when(standing.checked),
        "due": when(standing.due),
        "error": standing.error,
        "message": standing.message,
        "troubles": standing.troubles,
        "failed": dict(standing.failed),
        "lasting": dict(standing.lasting),
        "next_try": when(standing.next_try),
        "cut": standing.cut,
        "listed": standing.listed,
        "declared": standing.declared,
        "gone": dict(standing.gone),
        "profile": standing.profile,
        "cools_until": when(standing.cools_until),
    }
