"""Reading a platform's JSON field by field, so that a change upstream fails with the name of the field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NoReturn

from dyvine_cli.errors import UnexpectedResponse
from dyvine_cli.models import Ref

MOST_ENTRIES = 10_000
"""A list with more entries is no answer of a platform (pages hold at most a hundred)."""

_ID = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_LARGEST = 2**63


@contextmanager
def reading(what: str, *, ref: Ref | None = None, endpoint: str | None = None) -> Iterator[None]:
    """Turn a missing or odd field into UnexpectedResponse naming `what` (endpoint and id) and the field."""
    try:
        yield
    except (LookupError, TypeError, ValueError, OverflowError, RecursionError) as exc:
        told = str(exc) if type(exc) in (LookupError, TypeError, ValueError) else repr(exc)
        raise UnexpectedResponse(
            f"{what}: {told}",
            hint="the platform changed its answers; try a newer dyvine",
            ref=ref,
            endpoint=endpoint,
        ) from exc


class Record:
    """One object of an answer, which knows its path in it.

    Absent and null fields (and empty strings, lists, objects where an object or list is meant) read as "not said": None,
    "" or (). A field of another type than asked for is never guessed at: TypeError or ValueError with its path; the
    `required_…` twins raise LookupError when nothing is said. To be used inside `reading`.
    """

    __slots__ = ("_fields", "path")

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, Mapping):
            raise TypeError(f"{path} is {_named(value)}, not an object")
        self._fields: Mapping[str, Any] = value
        self.path = path

    def __contains__(self, name: str) -> bool:
        return self._fields.get(name) not in (None, "", [], {})

    @property
    def raw(self) -> Mapping[str, Any]:
        """The object itself."""
        return self._fields

    def names(self) -> tuple[str, ...]:
        """The names of its fields."""
        return tuple(self._fields)

    def where(self, name: str) -> str:
        """The path of a field, as error messages name it."""
        return f"{self.path}.{name}"

    def missing(self, name: str) -> NoReturn:
        """Raise the error for a field that must be there."""
        raise LookupError(f"{self.where(name)} is missing")

    def text(self, name: str) -> str:
        """A string, "" if not said. Half characters (lone surrogates) become U+FFFD, so it can be written anywhere."""
        value = self._fields.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._refuse(name, "a text")
        return _whole_characters(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings without the empty ones."""
        values = self._list(name)
        for index, value in enumerate(values):
            if value is not None and not isinstance(value, str):
                raise TypeError(f"{self.where(name)}[{index}] is {_named(value)}, not a text")
        return tuple(_whole_characters(value) for value in values if value)

    def id(self, *names: str) -> str:
        """The first id that is said under one of `names`, "" if none; numbers are taken digit by digit, 0 is none.

        The string twins (`id_str`) come first in `names`: the number may have been rounded on its way.
        """
        for name in names:
            value = self._fields.get(name)
            if value is None or value in ("", 0, "0"):
                continue
            if isinstance(value, bool) or not isinstance(value, (str, int)):
                self._refuse(name, "an id")
            if isinstance(value, int) and value.bit_length() > 64:
                raise ValueError(f"{self.where(name)} is too large for an id")
            if not _ID.fullmatch(text := str(value)):
                raise ValueError(f"{self.where(name)} is no id")
            return text
        return ""

    def required_id(self, *names: str) -> str:
        """An id that must be there."""
        return self.id(*names) or self.missing(names[0])

    def whole(self, name: str) -> int | None:
        """A whole number of at most 63 bits; digits in a string are accepted."""
        value = self._fields.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int):
            self._refuse(name, "a whole number")
        if not -_LARGEST < value < _LARGEST:
            raise ValueError(f"{self.where(name)} is out of range")
        return int(value)

    def positive(self, name: str) -> int | None:
        """A whole number above zero; zero and less read as not said."""
        value = self.whole(name)
        return value if value and value > 0 else None

    def number(self, name: str) -> float | None:
        """A finite number above zero; zero and less read as not said."""
        value = self._fields.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self._refuse(name, "a number")
        if not -_LARGEST < value < _LARGEST:
            raise ValueError(f"{self.where(name)} is out of range")
        return float(value) if value > 0 else None

    def flag(self, name: str) -> bool:
        """A truth value, as the platforms write it: true, 1 or "1"; False if not said."""
        return bool(self.whole(name))

    def time(self, name: str) -> datetime | None:
        """Unix seconds as an aware UTC time; zero reads as not said."""
        seconds = self.positive(name)
        if seconds is None:
            return None
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, OSError, ValueError) as exc:
            raise ValueError(f"{self.where(name)} is no time") from exc

    def required_time(self, name: str) -> datetime:
        """A time that must be there."""
        return self.time(name) or self.missing(name)

    def record(self, name: str) -> Record | None:
        """An object; an empty one reads as not said."""
        return Record(self._fields[name], self.where(name)) if name in self else None

    def required_record(self, name: str) -> Record:
        """An object that must be there and say something."""
        return self.record(name) or self.missing(name)

    def records(self, name: str) -> tuple[Record, ...]:
        """A list of objects."""
        return tuple(
            Record(value, f"{self.where(name)}[{index}]") for index, value in enumerate(self._list(name))
        )

    def embedded(self, name: str) -> Record | None:
        """An object that is written as JSON text inside a field."""
        value = self._fields.get(name)
        if isinstance(value, str) and value:
            value = loads(value, self.where(name))
        return Record(value, self.where(name)) if value not in (None, "", [], {}) else None

    def _list(self, name: str) -> list[Any]:
        value = self._fields.get(name)
        if value in (None, "", {}):
            return []
        if not isinstance(value, list):
            self._refuse(name, "a list")
        if len(value) > MOST_ENTRIES:
            raise ValueError(f"{self.where(name)} has {len(value)} entries")
        return value

    def _refuse(self, name: str, wanted: str) -> NoReturn:
        raise TypeError(f"{self.where(name)} is {_named(self._fields[name])}, not {wanted}")


def loads(text: str, path: str) -> Any:
    """Decode JSON that stands inside a page or a field. Raises ValueError naming `path`; NaN is no JSON."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"{path} is no JSON") from exc


def span(text: str, start: int, end: int) -> str:
    """Part of a text; the platforms count in UTF-16 units."""
    units = text.encode("utf-16-le")[2 * max(start, 0) : 2 * max(end, 0)]
    return units.decode("utf-16-le", "ignore")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _whole_characters(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _named(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
