"""`X-Bogus` in its form of 28 characters, which both platforms once asked for (pure)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import reduce
from operator import xor

from dyvine_cli.sites.ciphers import base64_with, md5, rc4


@dataclass(frozen=True, slots=True, kw_only=True)
class XBogus:
    """Constants of `X-Bogus`; the last byte of `agent_key` and of `head` is the same flag."""

    agent_key: tuple[int, ...]
    head: tuple[int, ...]
    canvas: int
    key: int
    prefix: tuple[int, ...]


def x_bogus(
    query: str, user_agent: str, *, now_s: int, body: str = "", constants: XBogus, alphabet: str
) -> str:
    """The 28 characters of `X-Bogus` for a percent-encoded query without `?`.

    The original is undefined for queries of up to 32 characters: it takes them for hexadecimal digests.
    """
    asked, told = (md5(md5(text.encode())) for text in (query, body))
    return x_bogus_of(asked, told, user_agent, now_s=now_s, constants=constants, alphabet=alphabet)


def x_bogus_of(
    asked: bytes, told: bytes, user_agent: str, *, now_s: int, constants: XBogus, alphabet: str
) -> str:
    """The same from the double MD5 of query and body."""
    sealed = rc4(bytes(constants.agent_key), user_agent.encode("latin-1", "replace"))
    agent = md5(base64.b64encode(sealed))
    payload = bytes(constants.head) + asked[14:] + told[14:] + agent[14:]
    payload += (now_s & 0xFFFFFFFF).to_bytes(4, "big") + constants.canvas.to_bytes(4, "big")
    payload += bytes([reduce(xor, payload)])
    return base64_with(bytes(constants.prefix) + rc4(bytes([constants.key]), payload), alphabet)
