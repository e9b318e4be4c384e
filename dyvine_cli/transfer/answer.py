"""What the head of a media answer says: the promise for the whole file, the range, the refusal. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from dyvine_cli.errors import DyvineError, LinkExpired, NetworkError, RateLimited
from dyvine_cli.http.media import MediaAnswer
from dyvine_cli.transfer.partial import Promise

_RANGE = re.compile(r"bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18})")
_EXPIRED = {403, 404, 410}


def promised(answer: MediaAnswer) -> Promise:
    """What an answer with the whole file promises. Raises NetworkError if the file comes compressed."""
    coding = answer.headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"", "identity"}:
        raise NetworkError(f"the file came compressed ({coding[:20]!r}), which nobody asked for")
    length = answer.headers.get("content-length", "").strip()
    chunked = "transfer-encoding" in answer.headers
    known = length.isascii() and length.isdigit() and not chunked
    return Promise(int(length) if known else None, validator(answer.headers))


def validator(headers: Mapping[str, str]) -> str | None:
    """What identifies exactly these bytes: a strong ETag, else a Last-Modified that is old enough (RFC 9110, 8.8)."""
    etag = headers.get("etag", "").strip()
    if re.fullmatch(r'"[!#-~\x80-\xff]*"', etag):
        return etag
    modified = headers.get("last-modified", "").strip()
    then, now = _date(modified), _date(headers.get("date", ""))
    return modified if then and now and now - then >= timedelta(seconds=60) else None


def goes_on(answer: MediaAnswer, begun: Promise, size: int) -> bool:
    """Whether a 206 gives exactly the rest, behind `size` bytes, of the file that was begun."""
    return begun.length is not None and gives(answer, begun, size, begun.length - 1)


def gives(answer: MediaAnswer, begun: Promise, first: int, last: int) -> bool:
    """Whether a 206 gives exactly the bytes from `first` to `last` of the file that was begun."""
    if begun.length is None or begun.validator is None or _ranged(answer) != (first, last, begun.length):
        return False
    return _is_same(answer.headers, begun.validator)


def begins(answer: MediaAnswer, last: int) -> Promise | None:
    """What a 206 with the bytes up to `last` promises for the whole file; None if that is not enough to ask for more.

    A shorter file comes whole. Enough is a total and something that identifies the file strongly.
    """
    named, found = validator(answer.headers), _ranged(answer)
    if named is None or found is None or found[:2] != (0, min(last, found[2] - 1)):
        return None
    return Promise(found[2], named)


def _ranged(answer: MediaAnswer) -> tuple[int, int, int] | None:
    """First byte, last byte and total that a 206 brings, plain and as many as it says; None if it does not."""
    found = _RANGE.fullmatch(answer.headers.get("content-range", "").strip())
    coding = answer.headers.get("content-encoding", "identity").strip().lower()
    if answer.status != 206 or not found or coding not in {"", "identity"}:
        return None
    first, last, total = (int(number) for number in found.groups())
    length = answer.headers.get("content-length", "").strip()
    return (first, last, total) if length in {"", str(last - first + 1)} else None


def _is_same(headers: Mapping[str, str], begun: str) -> bool:
    kind = "etag" if begun.startswith('"') else "last-modified"
    return headers.get(kind, "").strip() == begun


def refusal(answer: MediaAnswer, host: str) -> DyvineError:
    """The error for an answer that brings no file."""
    status = answer.status
    if status in _EXPIRED:
        return LinkExpired(f"{host} does not serve this address any more (status {status})")
    if status == 429:
        return RateLimited(
            f"{host} asks for fewer requests (status 429)",
            hint="wait some minutes and run the same command again: it goes on where it stopped; -N 2 asks less",
            retry_after=retry_after(answer.headers),
        )
    return NetworkError(f"{host} answered with status {status} instead of the file")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait, None if it does not say; a date counts from the server's own clock."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    until = _date(text)
    if not until:
        return None
    now = _date(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
