"""SM3 (GB/T 32905-2016), the Chinese standard hash under Douyin's `a_bogus`.

OpenSSL's is used where hashlib has it; some builds leave it out, so the same hash stands here once more in Python.
"""

from __future__ import annotations

import hashlib
import struct

_WORD = 0xFFFFFFFF
_START = (
    0x7380166F,
    0x4914B2B9,
    0x172442D7,
    0xDA8A0600,
    0xA96F30BC,
    0x163138AA,
    0xE38DEE4D,
    0xB0FB0E4E,
)


def sm3(data: bytes) -> bytes:
    """The 32 bytes of SM3 over `data`."""
    try:
        return hashlib.new("sm3", data, usedforsecurity=False).digest()
    except ValueError:
        return portable_sm3(data)


def portable_sm3(data: bytes) -> bytes:
    """The same without OpenSSL: about 0.1 ms for each 64 bytes."""
    state: tuple[int, ...] = _START
    padded = data + b"\x80" + bytes((55 - len(data)) % 64) + struct.pack(">Q", 8 * len(data))
    for offset in range(0, len(padded), 64):
        state = _compress(state, _expand(padded[offset : offset + 64]))
    return struct.pack(">8I", *state)


def _left(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & _WORD


_ROUND = tuple(_left(0x79CC4519 if j < 16 else 0x7A879D8A, j % 32) for j in range(64))


def _expand(block: bytes) -> list[int]:
    """The 68 words of a block; a round's second word is the XOR of two of them."""
    words = list(struct.unpack(">16I", block))
    for j in range(16, 68):
        mixed = words[j - 16] ^ words[j - 9] ^ _left(words[j - 3], 15)
        words.append(mixed ^ _left(mixed, 15) ^ _left(mixed, 23) ^ _left(words[j - 13], 7) ^ words[j - 6])
    return words


def _compress(state: tuple[int, ...], words: list[int]) -> tuple[int, ...]:
    a, b, c, d, e, f, g, h = state
    for j, constant in enumerate(_ROUND):
        turned = _left(a, 12)
        first = _left((turned + e + constant) & _WORD, 7)
        majority = a ^ b ^ c if j < 16 else a & b | a & c | b & c
        choice = e ^ f ^ g if j < 16 else e & f | ~e & g
        left = (majority + d + (first ^ turned) + (words[j] ^ words[j + 4])) & _WORD
        right = (choice + h + first + words[j]) & _WORD
        a, b, c, d = left, a, _left(b, 9), c
        e, f, g, h = right ^ _left(right, 9) ^ _left(right, 17), e, _left(f, 19), g
    return tuple(old ^ new for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True))
