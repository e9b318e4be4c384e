"""The sources of `sync`: found by a word, added to the configuration, taken out of it, described."""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from dyvine_cli import config, links
from dyvine_cli.client import BARE_ID, Client, address, match
from dyvine_cli.config import Settings, Source
from dyvine_cli.encode import VERSION, Json, moment
from dyvine_cli.errors import ArchiveError, DiskError, InputError, NetworkError, Refused, UnsupportedURL
from dyvine_cli.events import Report, Warned
from dyvine_cli.models import Listing, Ref, RefKind
from dyvine_cli.operations.asked import Asked
from dyvine_cli.operations.attempts import Attempts
from dyvine_cli.operations.tally import Tally
from dyvine_cli.redact import link

SYNCED: tuple[RefKind, ...] = ("user", "mix", "collection")
"""What has posts that can be listed again and again."""

_LONGEST_NAME = 24
_SHORT_NAME = 8
"""Characters of a long id that tell it from others."""


class Means(Protocol):
    """What a text means without asking anyone: `client.match`, or a client's own, which knows the usual site."""

    def __call__(self, text: str, /, *, kind: RefKind | None = None) -> Ref:
        """`kind` says what a bare id is the id of. Raises UnsupportedURL."""
        ...


def means_at(site: str | None) -> Means:
    """What links mean where bare handles and ids are those of `site`, None for the usual ones."""
    return partial(match, default_site=site)


# --- found by a word --------------------------------------------------------------------------------------------------


def chosen(sources: Sequence[Source], words: Sequence[str], means: Means = match) -> tuple[Source, ...]:
    """The sources that words name, in the order of the settings, each once; all of them where there is no word.

    A word is a name (as written, else in any case), a tag, a link as it stands in the settings, or anything that means
    the same account or mix. Raises InputError for a word that is none of these.
    """
    if not words:
        return tuple(sources)
    return tuple(sources[number] for number in _numbers(sources, words, means))


def _numbers(sources: Sequence[Source], words: Sequence[str], means: Means) -> list[int]:
    """The numbers of the sources that words name, ascending."""
    index = _Index(sources, means)
    return sorted({number for word in words for number in index.find(word)})


class _Index:
    """Sources by everything that they can be called."""

    def __init__(self, sources: Sequence[Source], means: Means) -> None:
        self._sources = sources
        self._means = means
        self._meanings: Mapping[Ref, Mapping[Listing, Sequence[int]]] | None = None
        named = [(each.name, number) for number, each in enumerate(sources) if each.name is not None]
        tagged = [(tag, number) for number, each in enumerate(sources) for tag in each.tags]
        self._words = dict.fromkeys(word for word, _ in (*named, *tagged))
        self._by = (
            _grouped(named),
            _grouped((name.casefold(), number) for name, number in named),
            _grouped((tag.casefold(), number) for tag, number in tagged),
            _grouped((each.url, number) for number, each in enumerate(sources)),
        )

    def find(self, word: str) -> Iterable[int]:
        """The numbers of the sources that a word names. Raises InputError if there are none."""
        exact, names, tags, urls = self._by
        folded = word.casefold()
        found = (
            exact.get(word) or names.get(folded) or tags.get(folded) or urls.get(word) or self._meant(word)
        )
        if not found:
            raise InputError(f"no source is called {Asked(word).shown[:80]!r}", hint=self._hint(folded))
        return found

    def _meant(self, word: str) -> list[int]:
        """The sources whose link means the same; a word that names one listing finds only those of that one."""
        try:
            ref = _meant(word, self._means)
        except UnsupportedURL:
            return []
        if self._meanings is None:
            self._meanings = _by_meaning(self._sources, self._means)
        same = self._meanings.get(_bare(ref), {})
        return [
            number
            for listing, numbers in same.items()
            for number in numbers
            if ref.listing in (None, listing)
        ]

    def _hint(self, folded: str) -> str:
        if not self._sources:
            return "there are none yet: dyvine sync add LINK"
        known = {each.casefold(): each for each in self._words}
        close = get_close_matches(folded, known, n=1)
        return f"did you mean '{known[close[0]]}'?" if close else "`dyvine sync list` shows names and tags"


def _grouped(pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """The numbers by their word."""
    found: dict[str, list[int]] = {}
    for word, number in pairs:
        found.setdefault(word, []).append(number)
    return found


def _by_meaning(sources: Iterable[Source], means: Means) -> dict[Ref, dict[Listing, list[int]]]:
    """The numbers of sources by the account or mix that their links mean, and the listing."""
    found: dict[Ref, dict[Listing, list[int]]] = {}
    for number, source in enumerate(sources):
        ref = _meaning(source, means)
        if ref is not None:
            listing = source.listing or ref.listing or "posts"
            found.setdefault(_bare(ref), {}).setdefault(listing, []).append(number)
    return found


def _meaning(source: Source, means: Means) -> Ref | None:
    """What a source's link means, None for one that no site knows."""
    try:
        return _meant(source.url, means)
    except UnsupportedURL:
        return None


def _meant(text: str, means: Means) -> Ref:
    """What a text means; a bare word is an account's handle. Raises UnsupportedURL."""
    try:
        return means(text)
    except UnsupportedURL:
        if BARE_ID.fullmatch(text.strip()) is None:
            raise
        return means(text, kind="user")


def _bare(ref: Ref) -> Ref:
    """The account or mix, whichever of its listings is meant."""
    return Ref(ref.site, ref.kind, ref.id)


# --- added and taken out ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What `sync add` was told besides links: the config file, and `said`, what each new source says, as TOML by field.

    `name` is for the only source. `downloads` is the folder that the first config file gets, None if none may be made.
    `simulate` writes nothing.
    """

    file: Path
    said: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    downloads: Path | None = None
    simulate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """How an addition came out; `known` are the sources that were there already."""

    added: tuple[Source, ...] = ()
    known: tuple[Source, ...] = ()
    exit_code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _New:
    """Something to keep in sync: its link and what that means; a short link that could not be followed means itself."""

    url: str
    ref: Ref
    listing: Listing | None = None


async def add(client: Client, asked: Iterable[Asked], wish: Wish, report: Report) -> Addition:
    """Write a source for each thing asked for, all in one edit; what cannot be a source is reported, the others go on.

    Short links are followed; one that cannot be followed now is kept as it is. Raises InputError for a name that is
    taken or meant for several, ConfigError, Busy, NotWritable, DiskFull.
    """
    tally = Tally()
    attempts = Attempts(client, tally, report, None)
    found: dict[tuple[Ref, Listing], _New] = {}
    for each in asked:
        if attempts.goes_on(each):
            with attempts.one(each):
                new = await _understood(client, each, wish.said.get("listing"), report)
                found.setdefault((_bare(new.ref), new.listing or "posts"), new)
                tally.done += 1
    attempts.tell_left()
    if wish.name is not None and len(found) > 1:
        raise InputError(
            f"one name is given for {len(found)} sources",
            hint="leave --name out, then each gets its own; --tag is for all",
        )
    added, known = _write(found, wish, client.match) if found else ((), ())
    return Addition(added=added, known=known, exit_code=tally.exit_code())


async def _understood(client: Client, asked: Asked, listing: Listing | None, report: Report) -> _New:
    """What one thing is as a source. Raises InputError for what cannot be kept in sync, NotFound."""
    ref = _meant(asked.text, client.match)
    url = _link(asked.text, ref, client.match)
    if ref.kind == "short":
        try:
            ref = await client.resolve(ref.id)
        except (NetworkError, Refused) as error:
            report(Warned(message=f"{url} could not be followed now and stays as it is: {error.message}"))
            return _New(url=url, ref=ref, listing=listing)
        url = address(ref)
    if ref.kind not in SYNCED:
        raise InputError(
            f"{ref} is a {ref.kind}; what is kept in sync are accounts, mixes and collections",
            hint=f"to have it once: dyvine get {ref}"
            if ref.kind == "post"
            else "give the link of one of these",
        )
    if listing and ref.kind != "user":
        raise InputError(f"{ref} is a {ref.kind}, and only accounts have {listing}", hint="leave --likes out")
    return _New(url=url, ref=ref, listing=listing or ref.listing)


def _link(text: str, ref: Ref, means: Means) -> str:
    """The link in a text that means `ref`, without what says who shared it; the site's own if there is none."""
    for found in map(link, links.find(text)):
        try:
            if means(found) == ref:
                return found
        except UnsupportedURL:
            continue
    return address(ref)


def _write(
    found: Mapping[tuple[Ref, Listing], _New], wish: Wish, means: Means
) -> tuple[tuple[Source, ...], tuple[Source, ...]]:
    """Put into the file what is not there yet; what was added, and what was known."""
    if wish.downloads is not None and not wish.simulate and not wish.file.exists():
        config.write_fresh(wish.file, downloads=wish.downloads)
    with config.editing(wish.file) as draft:
        numbers = _by_meaning(draft.sources, means)
        there = {
            new: _called(wish.name, [draft.sources[number] for number in numbers.get(ref, {}).get(what, ())])
            for (ref, what), new in found.items()
        }
        missing = [new for new, same in there.items() if not same]
        known = [source for same in there.values() for source in same]
        if not missing:
            return (), tuple(known)
        added = draft.add(_entries(missing, wish, draft.sources))
        if not wish.simulate:
            draft.write()
    return added, tuple(known)


def _called(name: str | None, same: Sequence[Source]) -> list[Source]:
    """Those of the sources of a link that are asked for: another name stands for another source."""
    return [each for each in same if name is None or (each.name or "").casefold() == name.casefold()]


def _entries(new: Sequence[_New], wish: Wish, there: Sequence[Source]) -> list[dict[str, Any]]:
    """The tables of new sources, in the order in which the example explains them. Raises InputError for a taken name."""
    taken = {each.name.casefold(): each for each in there if each.name is not None}
    if wish.name is not None and (other := taken.get(wish.name.casefold())):
        raise InputError(f"{other.shown_url} is called {wish.name} already", hint="give another --name")
    words = set(taken) | {tag.casefold() for each in there for tag in each.tags}
    words |= {tag.casefold() for tag in wish.said.get("tags", ())}
    entries = []
    for each in new:
        name = wish.name or _free(_name(each), words)
        words.add(name.casefold())
        said: dict[str, Any] = {**wish.said, "url": each.url, "name": name}
        if each.listing not in (None, "posts"):
            said["listing"] = each.listing
        entries.append({own.name: said[own.name] for own in fields(Source) if own.name in said})
    return entries


def _name(new: _New) -> str:
    """A word for a source: its handle, or the end of an id that nobody could type."""
    ref = new.ref
    word = re.sub(r"[^\w.-]", "", ref.id.rstrip("/").rpartition("/")[2])
    if ref.kind != "user" or len(word) > _LONGEST_NAME or word.isdigit():
        word = f"{ref.site if ref.kind in ('user', 'short') else ref.kind}-{word[-_SHORT_NAME:].strip('-_.')}"
    word = word.strip("-_.") or ref.site
    return word if new.listing in (None, "posts") else f"{word}-{new.listing}"


def _free(word: str, taken: Container[str]) -> str:
    """`word`, or the first of `word-2`, `word-3`, … that is nobody's."""
    words = itertools.chain([word], (f"{word}-{number}" for number in itertools.count(2)))
    return next(each for each in words if each.casefold() not in taken)


def remove(file: Path, words: Sequence[str], means: Means = match) -> tuple[Source, ...]:
    """Take the sources that words name out of the file; which they were. Their downloads and the archive stay.

    Raises InputError for a word that names none, ConfigError, Busy, NotWritable, DiskFull.
    """
    with config.editing(file) as draft:
        sources, numbers = draft.sources, _numbers(draft.sources, words, means)
        draft.remove(numbers)
        draft.write()
    return tuple(sources[number] for number in numbers)


async def forget_checks(removed: Iterable[Source], settings: Settings, report: Report) -> None:
    """Drop how the last checks of removed sources came out, where there is an archive; one that fails is a warning."""
    from dyvine_cli.archive.database import stands
    from dyvine_cli.operations.workspace import archive_place, open_archive

    if not settings.archive.enabled or not stands(archive_place(settings)):
        return
    try:
        archive = open_archive(settings, report)
        try:
            for each in removed:
                await archive.drop_checked(each.url, each.listing, each.name)
        finally:
            await archive.aclose()
    except (ArchiveError, DiskError) as error:
        report(Warned(message=f"their last checks stay on record: {error.message}", hint=error.hint))


# --- described --------------------------------------------------------------------------------------------------------


def called(source: Source, means: Means = match) -> str:
    """What a source is, in a word or two."""
    ref = _meaning(source, means)
    return "unknown link" if ref is None else "short link" if ref.kind == "short" else ref.kind


def meaning(source: Source, means: Means = match) -> Ref | None:
    """The account or mix that a source's link names; None for a short link, and for one that no site knows."""
    ref = _meaning(source, means)
    return None if ref is None or ref.kind == "short" else _bare(ref)


def encoded(source: Source, means: Means = match) -> Json:
    """A source as an object of its schema: null is the general setting, the link is without logins and tokens."""
    ref = meaning(source, means)
    said = {own.name: _plain(getattr(source, own.name)) for own in fields(source)}
    return {
        "v": VERSION,
        "type": "source",
        **said,
        "url": source.shown_url,
        "ref": str(ref) if ref else None,
    }


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value
