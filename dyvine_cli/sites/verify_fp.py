"""`s_v_web_id`, the id that a page's script gives its visitor on both platforms (pure)."""

from __future__ import annotations

from dyvine_cli.sites.ciphers import Random

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def verify_fp(*, now_ms: int, random: Random) -> str:
    """A fresh `s_v_web_id`, which the query repeats as `verifyFp` (Douyin: and `fp`)."""
    return f"verify_{_base36(now_ms)}_{''.join(_character(position, random) for position in range(36))}"


def _character(position: int, random: Random) -> str:
    """A version 4 UUID's layout, with 62 digits instead of 16."""
    if position in (8, 13, 18, 23):
        return "_"
    if position == 14:
        return "4"
    drawn = int(random() * 62)
    return _DIGITS[drawn & 3 | 8 if position == 19 else drawn]


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits or "0"
