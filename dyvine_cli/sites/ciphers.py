"""The textbook pieces that the platforms' signatures are put together from (pure)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator

Random = Callable[[], float]
"""A source of numbers in [0, 1)."""

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def rc4(key: bytes, data: bytes) -> bytes:
    """RC4 as in the textbooks."""
    return bytes(value ^ byte for value, byte in zip(data, rc4_stream(rc4_schedule(key)), strict=False))


def rc4_schedule(key: bytes) -> list[int]:
    """RC4's table after the key was mixed in."""
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) & 255
        state[i], state[j] = state[j], state[i]
    return state


def rc4_stream(state: list[int]) -> Iterator[int]:
    """RC4's key stream without end; uses up `state`."""
    i = j = 0
    while True:
        i = (i + 1) & 255
        j = (j + state[i]) & 255
        state[i], state[j] = state[j], state[i]
        yield state[(state[i] + state[j]) & 255]


def base64_with(data: bytes, alphabet: str) -> str:
    """Base64 with other digits; the padding stays `=`."""
    return base64.b64encode(data).decode().translate(str.maketrans(_BASE64, alphabet))


def md5(data: bytes) -> bytes:
    """The 16 bytes of MD5, which guard nothing here."""
    return hashlib.md5(data, usedforsecurity=False).digest()
