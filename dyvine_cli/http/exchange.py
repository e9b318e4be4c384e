"""One request and its answer, for those who watch: traffic on a terminal, the record for a bug report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and how it went; `url` may be shown: it has no query. `status` None means that no answer came.

    `size` is the bytes of the body that were read. What `repr` leaves out holds secrets: `full_url` with its query, the
    headers as they were sent and received (lower-case names, without `Set-Cookie`), the bodies. Whoever shows them goes
    through `redact`. `fault` is the name of the error that ended it, empty if none did.
    """

    endpoint: str
    method: str
    url: str
    status: int | None
    size: int
    seconds: float
    fault: str = ""
    full_url: str = field(default="", repr=False)
    sent: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"", repr=False)
    received: Mapping[str, str] = field(default_factory=dict, repr=False)
    set_cookies: tuple[str, ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)


Trace = Callable[[Exchange], None]
"""Receives every exchange as it ends."""
