"""The sealed envelope around every present TikTok signature, and the SDK's own random numbers (pure).

The cipher is ChaCha's with two diagonals exchanged and a number of rounds that the key decides; the key travels inside.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dyvine_cli.sites.ciphers import Random, base64_with

_WORD = 0xFFFFFFFF
_KEY_WORDS = 12
_COLUMNS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
# ChaCha's last two diagonals are (2, 7, 8, 13) and (3, 4, 9, 14).
_DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 12, 13), (3, 4, 13, 14))


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Constants of the envelope: the cipher's first words, the first byte, the rounds that are always made."""

    core: tuple[int, ...]
    mark: int
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Generator:
    """Constants of the SDK's random numbers."""

    state: tuple[int, ...]
    rounds: int


def draw_key(random: Random) -> tuple[int, ...]:
    """The 12 words of a fresh key; any source of randomness is valid, because the receiver is told."""
    return tuple(math.floor(random() * 2**32) & _WORD for _ in range(_KEY_WORDS))


def seal(
    payload: bytes, key: Sequence[int], *, constants: Envelope, alphabet: str, padded: bool = True
) -> str:
    """`payload` under `key` as text; not `padded` is what SDKs before 5.1.3 did with the last digits."""
    cipher = _encrypted(payload, key, constants)
    words = struct.pack("<12I", *key)
    place = (sum(words) + sum(cipher)) % (len(cipher) + 1)
    sealed = bytes([constants.mark]) + cipher[:place] + words + cipher[place:]
    return base64_with(sealed if padded else sealed[: len(sealed) // 3 * 3], alphabet)


def sdk_random(now_ms: int, words: Sequence[int], constants: Generator) -> Random:
    """The SDK's own source of random numbers, from the clock and three random words."""
    return _drawn([*constants.state, _signed(now_ms), *words], constants.rounds).__next__


def _encrypted(payload: bytes, key: Sequence[int], constants: Envelope) -> bytes:
    rounds = constants.rounds + (sum(key) & 15)
    state = [*constants.core, *key]
    out = bytearray()
    for start in range(0, len(payload), 64):
        stream = struct.pack("<16I", *_block(state, rounds))
        out += bytes(a ^ b for a, b in zip(payload[start : start + 64], stream, strict=False))
        state[12] = (state[12] + 1) & _WORD
    return bytes(out)


def _block(state: Sequence[int], rounds: int) -> list[int]:
    words = list(state)
    for number in range(rounds):
        for quarter in _DIAGONALS if number % 2 else _COLUMNS:
            _quarter(words, *quarter)
    return [(new + old) & _WORD for new, old in zip(words, state, strict=True)]


def _quarter(words: list[int], a: int, b: int, c: int, d: int) -> None:
    for add, other, bits in ((b, d, 16), (d, b, 12), (b, d, 8), (d, b, 7)):
        into = a if add == b else c
        words[into] = (words[into] + words[add]) & _WORD
        words[other] = _left(words[other] ^ words[into], bits)


def _left(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & _WORD


# ---- the SDK's random numbers: the same cipher in JavaScript's numbers, whose sums are not cut to 32 bits


def _drawn(state: list[int], rounds: int) -> Iterator[float]:
    while True:
        words = _loose_block(state, rounds)
        for low, high in zip(words[:8], words[8:], strict=True):
            yield (low + 2**32 * ((high & 0xFFFFF800) >> 11)) / 2**53
        state[12] = _signed(state[12] + 1)


def _loose_block(state: Sequence[int], rounds: int) -> list[int]:
    words = list(state)
    for number in range(rounds):
        for quarter in _DIAGONALS if number % 2 else _COLUMNS:
            _loose_quarter(words, *quarter)
    return [new + old for new, old in zip(words, state, strict=True)]


def _loose_quarter(words: list[int], a: int, b: int, c: int, d: int) -> None:
    for add, other, bits in ((b, d, 16), (d, b, 12), (b, d, 8), (d, b, 7)):
        into = a if add == b else c
        words[into] += words[add]
        words[other] = _signed(_left((words[other] ^ words[into]) & _WORD, bits))


def _signed(word: int) -> int:
    """A number's lowest 32 bits as JavaScript's `| 0` reads them."""
    return (word + 2**31 & _WORD) - 2**31
