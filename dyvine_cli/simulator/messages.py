"""One HTTP request and one response, as the simulator's rooms hand them to each other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client sent. `host` is lower case without port; `query` is the raw query string without `?`."""

    method: str
    host: str
    path: str
    query: str
    headers: dict[str, str]
    """Names in lower case; repeated ones joined by `, ` (cookies by `; `)."""
    body: bytes = b""

    @property
    def cookies(self) -> dict[str, str]:
        """Name to value of the `Cookie` header, undecoded."""
        pairs = (pair.partition("=") for pair in self.headers.get("cookie", "").split(";"))
        return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


@dataclass(slots=True, kw_only=True)
class Response:
    """What goes back. A `body` that is an iterator is sent as it comes; `length` is then its promised total."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | AsyncIterator[bytes] = b""
    length: int | None = None
