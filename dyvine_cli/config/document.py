"""A config file: read within bounds, parsed, checked for unknown keys, with the line of everything in it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from dyvine_cli.config.readers import did_you_mean
from dyvine_cli.config.settings import LISTS, places, tables
from dyvine_cli.errors import ConfigError
from dyvine_cli.quantities import quoted

_LARGEST_FILE = 16 * 1024 * 1024
_DEEPEST = 8  # tables and lists inside each other; no setting needs half of it

_FORM = 'write name = value, one a line, and texts in quotes: quality = "best"'


def _cure(cause: str, text: str) -> str:
    """What helps against a mistake in TOML; a table written twice comes from pasting one into the file of `config init`."""
    twice = re.match(r"Cannot declare \('([a-z_]+)',\) twice", cause)
    if twice is not None:
        first = re.search(rf"^[ \t]*\[{twice[1]}\]", text, re.MULTILINE)
        line = f" of line {text.count(chr(10), 0, first.start()) + 1}" if first else ""
        return f"a table stands in the file once: move these lines below the [{twice[1]}]{line}"
    if cause.startswith("Cannot overwrite a value"):
        return "a setting stands in the file once: take one of the two out"
    return _FORM


Keys = tuple[str | int, ...]
"""The way to a value: names of tables and keys, numbers in lists of tables."""


class Where:
    """A place in a config file; its line is looked for only when it is shown."""

    __slots__ = ("_document", "_keys")

    def __init__(self, document: Document, keys: Keys) -> None:
        self._document = document
        self._keys = keys

    def __str__(self) -> str:
        line = self._document.line(self._keys)
        return f"{self._document.path}" if line is None else f"{self._document.path}:{line}"


class Document:
    """A TOML file as parsed, and the line on which each of its keys stands."""

    def __init__(self, path: Path | None, text: str = "") -> None:
        import tomllib

        self.path = path
        self._text = text
        try:
            self.data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as exc:
            line = re.search(r"at line ([0-9]+)", str(exc))
            number = line[1] if line else str(text.count("\n") + 1)
            cause = re.sub(r" \(at .*\)$", "", str(exc))
            raise ConfigError(
                f"{path}:{number}: no valid TOML: {cause[0].lower()}{cause[1:]}", hint=_cure(cause, text)
            ) from exc
        except RecursionError:
            raise ConfigError(f"{path}: no valid TOML: nested too deep", hint=_FORM) from None

    def where(self, *keys: str | int) -> Where:
        """`path:line` of a key or table."""
        return Where(self, keys)

    def mistake(self, keys: Keys, cause: str, hint: str) -> ConfigError:
        """What is wrong at a key or table, with its place."""
        return ConfigError(f"{self.where(*keys)}: {cause}", hint=hint, line=self.line(keys))

    def drop(self, keys: Keys) -> None:
        """Take a key or table out of the data."""
        *outer, last = keys
        holder: Any = self.data
        for key in outer:
            holder = holder[key]
        del holder[last]

    def line(self, keys: Keys) -> int | None:
        """The line of a key or table, or of what holds it; None for the whole file."""
        while keys and keys not in self._lines:
            keys = keys[:-1]
        return self._lines[keys] if keys else None

    @cached_property
    def _lines(self) -> dict[Keys, int]:
        """The first line of every statement by the keys it sets.

        Each statement is parsed alone by tomllib, so quoting and multi-line values need no rules of our own.
        """
        found: dict[Keys, int] = {}
        counts: dict[Keys, int] = {}
        table: Keys = ()
        for number, text, part in _statements(self._text):
            if text.lstrip().startswith("["):
                table = _named(part, counts, is_list=text.lstrip().startswith("[["))
                found.setdefault(table[:_DEEPEST], number)
            else:
                for keys in _keys(part, _DEEPEST):
                    found.setdefault((*table, *keys), number)
        return found


_TOKEN = re.compile(
    r"""
    \"{3} (?: \\. | [^\\] )*? \"{3,5} | '{3} .*? '{3,5}   # texts of several lines
    | " (?: \\. | [^"\\\n] )* " | ' [^'\n]* '             # texts of one
    | \#[^\n]* | [\[\]{}] | \n
    """,
    re.DOTALL | re.VERBOSE,
)
"""Where a statement can end or go on: texts, comments, brackets and line ends."""


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Every statement of a valid TOML text: its first line, its own text, what it alone would be parsed to."""
    import tomllib

    for number, statement in split(text):
        if part := tomllib.loads(statement):
            yield number, statement, part


def split(text: str) -> Iterator[tuple[int, str]]:
    """The statements of a valid TOML text with their first lines; each ends with a line outside of brackets and texts.

    Blank lines and comments are statements, too: together they are the whole text.
    """
    first = line = 1
    start = depth = 0
    for found in _TOKEN.finditer(text):
        mark = found[0]
        if mark != "\n":
            depth += (mark in ("[", "{")) - (mark in ("]", "}"))
            line += mark.count("\n")
            continue
        line += 1
        if depth == 0:
            yield first, text[start : found.end()]
            first, start = line, found.end()
    if text[start:]:
        yield first, text[start:]


def _named(part: Any, counts: dict[Keys, int], *, is_list: bool) -> Keys:
    """The keys of the table that a header opens; entries of a list of tables are numbered."""
    keys: Keys = ()
    while part:
        name, part = next(iter(part.items()))
        keys = (*keys, name)
        last = isinstance(part, list)
        if last and is_list:
            counts[keys] = counts.get(keys, -1) + 1
            return (*keys, counts[keys])
        if keys in counts:
            keys = (*keys, counts[keys])
    return keys


def _keys(part: Mapping[str, Any], depth: int) -> Iterator[Keys]:
    """The keys that a statement sets, no deeper than `depth`."""
    for name, value in part.items():
        yield (name,)
        if isinstance(value, dict) and depth > 1:
            yield from ((name, *rest) for rest in _keys(value, depth - 1))


def open_document(path: Path | None, named: str = "") -> Document:
    """The file's document, an empty one for None; `named` is what named the file, for errors. Raises ConfigError."""
    if path is None:
        return Document(None)
    with reading(path, named), opened(path) as file:
        data = read(file)
    return parsed(path, data)


@contextmanager
def reading(path: Path, named: str = "") -> Iterator[None]:
    """Turn what the system says when a config file cannot be read into ConfigError; `named` is what named the file."""
    place = f"{named}: {path}" if named else path
    try:
        yield
    except FileNotFoundError:
        raise ConfigError(f"{place}: there is no such file", hint="`dyvine config init` writes one") from None
    except OSError as exc:
        cause = "this is a folder" if path.is_dir() else f"cannot be read: {exc.strerror}"
        raise ConfigError(f"{place}: {cause}", hint="give a TOML file that you may read") from exc


_DESCRIPTORS = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""What a shell names that hands over a pipe somebody writes into: `--config <(decrypt …)`."""


def opened(path: Path) -> IO[bytes]:
    """A config file, open. Raises ConfigError for a pipe, which would be waited for, OSError."""
    if str(path).startswith(_DESCRIPTORS):
        return path.open("rb")
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ConfigError(f"{path}: this is a pipe", hint="give a TOML file that you may read")
    try:
        return os.fdopen(descriptor, "rb")
    except OSError:  # a folder
        os.close(descriptor)
        raise


def read(file: IO[bytes]) -> bytes:
    """What stands in a config file, and no more of another than shows that it is none."""
    return file.read(_LARGEST_FILE + 1)


def parsed(path: Path, data: bytes) -> Document:
    """The document in a file's bytes. Raises ConfigError for what is no config file."""
    if len(data) > _LARGEST_FILE:
        raise ConfigError(
            f"{path}: larger than 16 MiB; this is not a config file", hint="`dyvine config init` writes one"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise ConfigError(f"{path}:{line}: not written in UTF-8", hint="save it as UTF-8") from None
    return Document(path, text)


def check_shape(document: Document) -> None:
    """Raise ConfigError for the first key that is no setting or has a table's name without being one."""
    for _, mistake in misplaced(document):
        raise mistake


def misplaced(document: Document) -> Iterator[tuple[Keys, ConfigError]]:
    """Every key that is no setting or has a table's name without being one, with what is wrong about it.

    Raises ConfigError for what is nested too deep to be looked at.
    """
    _check_depth(document)
    top = [place.field for place in places() if not place.table]
    for name, value in document.data.items():
        if name in tables():
            yield from _misplaced_in_table(document, name, value)
        elif name in LISTS:
            yield from _misplaced_in_list(document, name, value)
        elif name in top and isinstance(value, dict):
            hint = did_you_mean(name, tables()) or f"write {name} = VALUE above the first [table]"
            yield (name,), document.mistake((name,), f"{name} is a setting, not a table", hint)
        elif name not in top:
            yield _unknown(document, (), name, [*top, *tables(), *LISTS])


def _check_depth(document: Document) -> None:
    """Refuse what is nested so deep that looking at it would end in a RecursionError: a dotted key can be."""
    level: list[tuple[Keys, Any]] = [((), document.data)]
    for _ in range(_DEEPEST):
        level = [((*keys, name), value) for keys, outer in level for name, value in _inside(outer)]
    for keys, value in level:
        if isinstance(value, (dict, list)):
            raise document.mistake(keys, "nested too deep", _FORM)


def _inside(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _misplaced_in_table(document: Document, table: str, value: Any) -> Iterator[tuple[Keys, ConfigError]]:
    if not isinstance(value, dict):
        hint = f"write [{table}] on a line of its own, and its settings below it"
        yield (table,), document.mistake((table,), f"{table} is a table", hint)
        return
    known = [place.field for place in places() if place.table == table]
    for name in value:
        if name not in known:
            yield _unknown(document, (table,), name, known)


def _misplaced_in_list(document: Document, name: str, value: Any) -> Iterator[tuple[Keys, ConfigError]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        hint = f"write [[{name}]] with two brackets, once for each {name}"
        yield (name,), document.mistake((name,), f"{name} is a list of tables", hint)
        return
    known = [each.name for each in fields(LISTS[name])]
    for number, entry in enumerate(value):
        for key in entry:
            if key not in known:
                yield _unknown(document, (name, number), key, known)


def _unknown(document: Document, table: Keys, name: str, known: list[str]) -> tuple[Keys, ConfigError]:
    place = f" in [{table[0]}]" if len(table) == 1 else f" in [[{table[0]}]]" if table else ""
    hint = _belongs(name) or did_you_mean(name, known)
    hint = hint or (f"known are: {', '.join(known)}" if table else "`dyvine config show` lists all of them")
    keys = (*table, name)
    return keys, document.mistake(keys, f"unknown setting {quoted(name)}{place}", hint)


def _belongs(name: str) -> str | None:
    """Where a setting stands that was written in another table or under its flag's name."""
    word = name.lower().replace("-", "_")
    for place in places():
        if word in (place.field, place.option.flag) and not place.option.not_in_file:
            where = (
                f"in [{place.table}] as '{place.field}'"
                if place.table
                else f"above the first [table] as '{place.field}'"
            )
            return f"it stands {where}"
        if word in (f"no_{place.field}", f"no_{place.option.flag}"):
            return f"write {place.in_words} = false"
    return None
