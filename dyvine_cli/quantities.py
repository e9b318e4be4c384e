"""Sizes, rates, durations and dates as people write them; every reader raises Wrong, a ValueError, with its cure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([KMGT]?)(I?B)?", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?[smhdw])+")
_DATE = re.compile(
    r"(?P<base>now|today|yesterday|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})"
    r"(?:(?P<sign>[+-])(?P<count>[0-9]{1,6})(?P<unit>hour|day|week|month|year)s?)?"
)


_DAYS = "2026-01-31, 20260131, yesterday or today-2weeks"


class Wrong(ValueError):
    """A value that cannot be used; `hint` is the cure."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def parse_size(value: str | float) -> int:
    """Bytes of `500K`, `2M`, `1.5GiB` (powers of 1024, as in yt-dlp), `2MB` (powers of 1000) or a plain number."""
    found = _SIZE.fullmatch(str(value).strip()) if not isinstance(value, bool) else None
    if found is None:
        raise Wrong(f"{quoted(value)} is no size", "write bytes as a number, or 500K, 2M, 1.5G")
    number, unit, byte = found[1], found[2].upper(), (found[3] or "").upper()
    factor = _UNITS[unit] if byte != "B" else 1000 ** list(_UNITS).index(unit)
    return int(float(number) * factor)


def parse_rate(value: str | float) -> int | None:
    """Bytes per second of `2M`, `500K/s` or a number; None for `0` and `none`, which mean no limit."""
    text = str(value).strip() if not isinstance(value, bool) else "?"
    if text.lower() == "none":
        return None
    try:
        return parse_size(re.sub(r"/s$", "", text)) or None
    except ValueError:
        raise Wrong(
            f"{quoted(value)} is no rate", "write bytes a second: 500K, 2M, or 0 for no limit"
        ) from None


def parse_duration(value: str | float) -> float:
    """Seconds of `90`, `15m`, `6h`, `1h30m`, `2d`, `1w` or a number."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return float(value)
    text = str(value).strip().lower() if isinstance(value, str) else ""
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return float(text)
    if not _DURATION.fullmatch(text):
        raise Wrong(f"{quoted(value)} is no duration", "write 90s, 15m, 6h, 1h30m or 2d")
    return sum(float(part[:-1]) * _SECONDS[part[-1]] for part in re.findall(r"[0-9.]+[smhdw]", text))


def spelt(seconds: float) -> str:
    """A duration as `parse_duration` reads it, in the largest unit that it is a whole number of: `6h`, `30d`, `90s`."""
    for unit in ("d", "h", "m"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]:.0f}{unit}"
    return f"{seconds:g}s"


def parse_date(value: str | date, *, end: bool = False, now: datetime | None = None) -> datetime:
    """The moment, in UTC, that `2026-01-31`, `20260131`, `today-2weeks`, `yesterday` or `now-6hours` means.

    Days are days of the local time zone and mean their first moment, with `end` their last one. ISO 8601 with a time
    is taken as it stands, local unless it names a zone. `now` (aware) is the present one if None.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    text = value.isoformat() if isinstance(value, date) else str(value).strip().lower()
    try:
        if found := _DATE.fullmatch(text):
            return _relative_date(found, end=end, now=(now or datetime.now(UTC)).astimezone())
        if "t" in text or " " in text:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Wrong(
            f"{quoted(value)} is no date of the calendar", f"write a day that there is: {_DAYS}"
        ) from None
    raise Wrong(f"{quoted(value)} is no date", f"write {_DAYS}")


def _relative_date(found: re.Match[str], *, end: bool, now: datetime) -> datetime:
    base, unit = found["base"], found["unit"]
    count = int(found["count"] or 0) * (-1 if found["sign"] == "-" else 1)
    if base == "now":
        if unit == "hour":
            return (now + timedelta(hours=count)).astimezone(UTC)
        return datetime.combine(_moved(now.date(), count, unit), now.timetz()).astimezone(UTC)
    if base in ("today", "yesterday"):
        day = now.date() - timedelta(days=base == "yesterday")
    else:
        day = datetime.strptime(base.replace("-", ""), "%Y%m%d").replace(tzinfo=now.tzinfo).date()
    if unit == "hour":
        return (datetime.combine(day, time.min).astimezone() + timedelta(hours=count)).astimezone(UTC)
    return datetime.combine(_moved(day, count, unit), time.max if end else time.min).astimezone(UTC)


def _moved(day: date, count: int, unit: str | None) -> date:
    """`day` moved by `count` days, weeks, months or years; the 31st becomes the last day of a shorter month."""
    if unit in ("month", "year"):
        months = day.year * 12 + day.month - 1 + count * (12 if unit == "year" else 1)
        first = date(months // 12, months % 12 + 1, 1)
        following = date((months + 1) // 12, (months + 1) % 12 + 1, 1)
        return first + timedelta(days=min(day.day, (following - first).days) - 1)
    return day + timedelta(days=count * (7 if unit == "week" else 1))


def quoted(value: object) -> str:
    """A person's value as an error shows it: short, without control characters."""
    text = "".join(char if char.isprintable() else "?" for char in str(value))
    return f"'{text[:60]}{'…' if len(text) > 60 else ''}'"
