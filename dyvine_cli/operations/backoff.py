"""When something that failed is tried again (pure): after an hour, then twice as long each time, at most a week."""

from __future__ import annotations

from datetime import datetime, timedelta

from dyvine_cli import errors
from dyvine_cli.errors import DyvineError, LoginExpired, LoginNeeded, NotFound

FIRST = timedelta(hours=1)
LONGEST = timedelta(days=7)
_DOUBLINGS = 8


def may_pass(error: DyvineError) -> bool:
    """Whether a later run may get what failed so: not what is gone or closed to us, nor what wants a login."""
    return _may_pass(type(error))


def may_pass_by_name(name: str) -> bool:
    """The same of an error on record; one that this version does not know may pass."""
    kind = getattr(errors, name, None)
    return not (isinstance(kind, type) and issubclass(kind, DyvineError)) or _may_pass(kind)


def _may_pass(kind: type[DyvineError]) -> bool:
    return issubclass(kind, LoginExpired) or not issubclass(kind, NotFound | LoginNeeded)


def pause(attempts: int) -> timedelta:
    """How long something rests that failed so many times in a row."""
    doublings: int = min(max(attempts, 1) - 1, _DOUBLINGS)
    return min(FIRST * (1 << doublings), LONGEST)


def next_try(error: DyvineError, attempts: int, now: datetime) -> datetime | None:
    """When something that just failed for the `attempts`th time is tried again; None if that is no use."""
    return now + pause(attempts) if may_pass(error) else None
