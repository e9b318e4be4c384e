"""Queries of Douyin's calls before they are signed: how they are written, and as which browser (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, unquote_to_bytes

USER_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
"""Chrome on Windows: what the known parameters of all signatures were captured with."""


def encode(pairs: Iterable[tuple[str, str]]) -> str:
    """The query of `pairs`, encoded once and for all: UTF-8, upper-case hex, a space is %20.

    The bytes that are signed must be the bytes that are sent, so nothing after this may encode again.
    """
    return "&".join(f"{_component(key.encode())}={_component(value.encode())}" for key, value in pairs)


def again(value: str) -> str:
    """A value of a query as the edge writes it before it compares: decoded and encoded once more."""
    return _component(unquote_to_bytes(value.replace("+", " ")))


def _component(value: bytes) -> str:
    return quote(value, safe="*")
