"""Edits of a person's config file: sources come and go, every other byte stays where it is."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from dyvine_cli import lock
from dyvine_cli.config.document import check_shape, opened, parsed, read, reading, split
from dyvine_cli.config.folders import beside, writing
from dyvine_cli.config.resolve import sources_in
from dyvine_cli.config.settings import Source, places_of
from dyvine_cli.errors import Busy, ConfigError
from dyvine_cli.quantities import Wrong

PATIENCE = 10.0
"""Seconds to wait for another dyvine that edits the same file; an edit takes a few tenths."""
_MOMENT = 0.05
_MARK = b"\xef\xbb\xbf"
"""What some editors put before the first character."""


@dataclass(frozen=True, slots=True)
class _Span:
    """The statements of one [[source]] with the comments that belong to it: from `first` up to, not with, `end`."""

    first: int
    end: int


class Draft:
    """A config file being edited: its `sources`, and what will stand in the file once it is written."""

    def __init__(self, path: Path, data: bytes, put: Callable[[bytes], None]) -> None:
        """`path` is the name that errors use, `put` replaces the file. Raises ConfigError for no valid configuration."""
        self._path = path
        self._put = put
        self._read(data)

    def _read(self, data: bytes) -> None:
        """Take over the bytes of a file. Raises ConfigError."""
        self._document = parsed(self._path, data)
        check_shape(self._document)
        self.sources = sources_in(self._document)
        self._mark = _MARK if data.startswith(_MARK) else b""
        self._text = data.removeprefix(_MARK).decode()

    def write(self) -> None:
        """Put the edits into the file. Raises Busy when it was changed meanwhile, NotWritable, DiskFull."""
        self._put(self._mark + self._text.encode())

    @property
    def _entries(self) -> list[dict[str, Any]]:
        """The sources as they are written."""
        found: list[dict[str, Any]] = self._document.data.get("source", [])
        return found

    def add(self, entries: Sequence[Mapping[str, Any]]) -> tuple[Source, ...]:
        """Put these sources, as TOML values by field, behind those that are there; what they become.

        Raises ConfigError for an entry that is no source, and where sources are not written as tables.
        """
        parts, spans = self._parts()
        place = spans[-1].end if spans else len(parts)
        before, after = parts[:place], parts[place:]
        new = _rendered(entries).replace("\n", self._line_end)
        if before and not before[-1].endswith("\n"):
            before[-1] += self._line_end
        if before and before[-1].strip():
            before.append(self._line_end)
        if after and after[0].strip():
            new += self._line_end
        self._take("".join((*before, new, *after)), [*self._entries, *map(dict, entries)])
        return self.sources[-len(entries) :]

    def remove(self, numbers: Collection[int]) -> None:
        """Take out the sources of these numbers, counted from 0, each with its own comments.

        Its own are those within it, right below it, and right above it unless they are the heading of the file.
        """
        parts, spans = self._parts()
        for number in sorted(numbers, reverse=True):
            first, end = spans[number].first, spans[number].end
            rest = next((place for place in range(end, len(parts)) if parts[place].strip()), len(parts))
            if rest == len(parts):
                while first and not parts[first - 1].strip():
                    first -= 1
            if rest == len(parts) or not first or not parts[first - 1].strip():
                end = rest
            del parts[first:end]
        kept = [entry for number, entry in enumerate(self._entries) if number not in numbers]
        self._take("".join(parts), kept)

    def _take(self, text: str, sources: list[dict[str, Any]]) -> None:
        """Accept an edit once it is proved to change nothing but the sources, and these as intended."""
        before = {**self._document.data, "source": sources}
        self._read(self._mark + text.encode())
        if {**self._document.data, "source": self._entries} != before:
            raise ConfigError(
                f"{self._path}: this file cannot be edited without changing more of it",
                hint="nothing was written: edit its [[source]] tables by hand",
            )

    @property
    def _line_end(self) -> str:
        return "\r\n" if "\r\n" in self._text else "\n"

    def _parts(self) -> tuple[list[str], list[_Span]]:
        """The statements of the file, and which of them are each source's."""
        parts = [text for _, text in split(self._text)]
        headers = [place for place, text in enumerate(parts) if text.lstrip().startswith("[")]
        spans = [
            _span(parts, place, following)
            for place, following in pairwise((*headers, len(parts)))
            if _opens_source(parts[place])
        ]
        if len(spans) != len(self._entries):
            raise ConfigError(
                f"{self._document.where('source')}: these sources are written as one list, which is not edited",
                hint="write each of them as a [[source]] table",
            )
        return parts, spans


def _opens_source(header: str) -> bool:
    import tomllib

    return header.startswith("[[source]]") or tomllib.loads(header) == {"source": [{}]}


def _span(parts: Sequence[str], header: int, following: int) -> _Span:
    """The statements of the table that `header` opens; `following` is the next header, or the end."""

    def is_comment(place: int) -> bool:
        return parts[place].lstrip().startswith("#")

    first = header
    while first and is_comment(first - 1):
        first -= 1
    if first == 0:
        first = header
    last = max(
        place
        for place in range(header, following)
        if place == header or (parts[place].strip() and not is_comment(place))
    )
    end = last + 1
    while end < following and is_comment(end):
        end += 1
    if end == following < len(parts):  # they stand right above the next table
        end = last + 1
    return _Span(first, end)


def _rendered(entries: Sequence[Mapping[str, Any]]) -> str:
    """The tables of these sources, with a blank line between two."""
    import tomlkit

    tables = []
    for entry in entries:
        table = tomlkit.document()
        for name, value in entry.items():
            table.add(name, tomlkit.item(value))
        tables.append(f"[[source]]\n{tomlkit.dumps(table)}")
    return "\n".join(tables)


def read_said(said: Mapping[str, Any], flags: Mapping[str, str]) -> None:
    """Raise ConfigError for a value that no source may have; it is told by the option that gave it, else by its field."""
    known = {place.field: place for place in places_of(Source, "source")}
    for name, value in said.items():
        try:
            known[name].option.read(value)
        except Wrong as exc:
            raise ConfigError(f"{flags.get(name, name)}: {exc}", hint=exc.hint) from None


@contextmanager
def editing(path: Path, *, sleep: Callable[[float], None] = time.sleep) -> Iterator[Draft]:
    """A config file's draft; it is written beside the file, flushed, renamed, with its mode, and a link is followed.

    Of two dyvines one waits for the other. Raises Busy when that takes too long, ConfigError.
    """
    place = Path(os.path.realpath(path))
    with _held(path, place, sleep) as data:

        def put(new: bytes) -> None:
            with writing(path):
                _replace(path, place, data, new)

        yield Draft(path, data, put)


def _replace(path: Path, place: Path, before: bytes, after: bytes) -> None:
    """Put `after` in the place of `before`. Raises Busy if that is no longer there, OSError."""
    with beside(place, after, place.stat()) as made:
        with place.open("rb") as file:
            if read(file) != before:
                raise Busy(
                    f"{path} was changed by another program; nothing was written",
                    hint="run the same command again",
                )
        made.replace(place)


@contextmanager
def _held(path: Path, place: Path, sleep: Callable[[float], None]) -> Iterator[bytes]:
    """The bytes of a file that no other dyvine edits meanwhile. Windows renames no open file, so nothing is held there."""
    waited = 0.0
    while True:
        with reading(path):
            file = opened(place)
        with file:
            if sys.platform == "win32":
                data = read(file)
                file.close()
                yield data
                return
            if _take(file, place):
                try:
                    with reading(path):
                        data = read(file)
                    yield data
                finally:
                    lock.free(file.fileno())
                return
        if waited >= PATIENCE:
            raise Busy(f"{path} is being edited by another dyvine", hint="run the same command again")
        sleep(_MOMENT)
        waited += _MOMENT


def _take(file: IO[bytes], place: Path) -> bool:
    """Lock an open file; False if another has the lock, or has put another file in its place before we got it."""
    if not lock.take(file.fileno()):
        return False
    try:
        return os.path.samestat(os.fstat(file.fileno()), place.stat())
    except FileNotFoundError:
        return False
