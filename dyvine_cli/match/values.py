"""What stands on the right of a comparison, as the kind of the field reads it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from dyvine_cli.match.fields import CALLED, FIELDS, Field
from dyvine_cli.quantities import Wrong, parse_date, parse_duration, parse_size, quoted


@dataclass(frozen=True, slots=True)
class Days:
    """A day from its first moment to its last, or a moment, when both are the same."""

    first: datetime
    last: datetime

    def __str__(self) -> str:
        if self.first == self.last:
            return self.first.isoformat()
        # Its first moment may not exist: some clocks change at midnight.
        return self.last.astimezone().date().isoformat()


@dataclass(frozen=True, slots=True)
class Other:
    """A field on the right of a comparison."""

    field: str

    def __str__(self) -> str:
        return self.field


Value = float | str | bool | Days | Other

_NUMBER = re.compile(
    r"(?P<digits>[+-]?[0-9][0-9_]{0,24}(?:\.[0-9]{1,12})?)(?P<unit>[kmw千万亿]?)", re.IGNORECASE
)
_UNITS = {"": 1, "k": 10**3, "千": 10**3, "w": 10**4, "万": 10**4, "m": 10**6, "亿": 10**8}
LONGEST_QUANTITY = 40
_LARGEST = 10**18


def read_value(field: Field, text: str, now: datetime) -> Value:
    """A value of the field's kind. Raises ValueError with a sentence."""
    if field.kind == "text":
        return _read_text(field, text)
    text = unicodedata.normalize("NFKC", text[: LONGEST_QUANTITY + 1]).strip()
    if len(text) > LONGEST_QUANTITY:
        raise ValueError(f"{quoted(text)} is no {CALLED[field.kind].removeprefix('a ')}: it is too long")
    if field.kind == "date":
        return Days(parse_date(text, now=now), parse_date(text, end=True, now=now))
    if field.kind == "flag":
        return _read_flag(text)
    value = _read_quantity(field, text)
    if abs(value) > _LARGEST:
        raise ValueError(f"{quoted(text)} is too large")
    return value


def _read_quantity(field: Field, text: str) -> float:
    if field.kind == "duration":
        return _tidy(Decimal(repr(parse_duration(text.replace("_", "")))))
    if field.kind == "size":
        return parse_size(text.replace("_", ""))
    return _read_number(text)


def _read_number(text: str) -> float:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise Wrong(f"{quoted(text)} is no number", "write 1000, 1_000, 10K, 1.5M or 2万")
    return _tidy(Decimal(found["digits"].replace("_", "")) * _UNITS[found["unit"].lower()])


def _tidy(number: Decimal) -> float:
    return int(number) if number == int(number) else float(number)


def _read_flag(text: str) -> bool:
    if text.lower() not in ("true", "yes", "1", "false", "no", "0"):
        raise Wrong(f"{quoted(text)} is neither true nor false", "write true or false")
    return text.lower() in ("true", "yes", "1")


def _read_text(field: Field, text: str) -> str:
    if field is FIELDS["hashtag"]:
        text = text.lstrip("#＃")
    if field.known and text.casefold() not in field.known:
        known = ", ".join(field.known)
        raise Wrong(
            f"{quoted(text)} is none of {known}", did_you_mean(text, field.known) or f"known are: {known}"
        )
    return text.casefold()


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The hint for a misspelt word, None if no known one is near."""
    from difflib import get_close_matches  # only on the way to an error

    close = get_close_matches(word[:40].lower(), tuple(known), n=1)
    return f"did you mean {close[0]}?" if close else None


def spelt(value: Value) -> str:
    """A value as the grammar reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    return str(value)
