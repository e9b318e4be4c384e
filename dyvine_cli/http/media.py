"""Reading media: bytes of an address as they come, with nothing sent but what a rendition names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaAnswer:
    """The head of an answer and its bytes. `headers` have lower-case names; `url` is where redirects ended."""

    status: int
    headers: Mapping[str, str]
    url: str
    chunks: AsyncIterator[bytes]


class MediaReader(Protocol):
    """Opens addresses of media hosts. The context closes the connection if its bytes were not read to the end."""

    def open(
        self, url: str, headers: Mapping[str, str], range: tuple[int, int | None] | None = None
    ) -> AbstractAsyncContextManager[MediaAnswer]:
        """Send one GET; `range` is first and last byte, last None for the rest.

        Any status is an answer, not an error. Raises Timeout, TLSFailure, ProxyFailure, NetworkError; while reading
        `chunks` too (a body shorter than promised is Truncated).
        """
        ...
