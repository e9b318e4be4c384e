"""The "Please wait..." page: a proof of work that TikTok's edge asks of some addresses before it serves a page (pure).

Reported since 2025-12 (gallery-dl #8772, yt-dlp #15672), its second cookie since 2026-03 (yt-dlp #16223).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from dyvine_cli.errors import RiskControl
from dyvine_cli.sites.reading import Record, loads, reading

LAST_ANSWER = 1_000_000
"""The largest number that is tried; the page's own script gives up after it."""

_LARGEST_PAGE = 50_000
_MARKS = ("SlardarWAF", "_wafchallengeid", "waf-aiso")
_COOKIE_NAME = r"[A-Za-z0-9_.-]{1,64}"
_COOKIE_VALUE = r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,1024}"
_PARAGRAPH = r"<[Pp]\s[^<>]*>"
_ATTRIBUTE = r"""([A-Za-z-]+)\s*=\s*["']([^"'<>]*)["']"""
_DIGEST_SIZE = 32

# Beginnings of cookies that say who we are: a challenge has no business with them.
_IDENTITY = ("sessionid", "sid_", "uid_", "tt_", "ttwid", "msToken", "odin_tt", "s_v_web_id")


def is_challenge(page: str) -> bool:
    """Whether a page, served with status 200, is the proof of work instead of what was asked for."""
    return len(page) < _LARGEST_PAGE and "Please wait..." in page and any(mark in page for mark in _MARKS)


def solve(page: str) -> dict[str, str]:
    """The cookies with which the same request has to be repeated at once, and once only.

    Tries up to a million numbers, which takes about a second: not for the event loop. A second challenge after a right
    answer is a refusal. Raises RiskControl when there is no answer, UnexpectedResponse when the page has another form.
    """
    with reading("TikTok's proof of work", endpoint="page"):
        elements = _elements(page)
        challenge = Record(loads(_decoded(elements["cs"]).decode(), "cs"), "cs")
        asked = challenge.required_record("v")
        answer = _answer(_decoded(asked.text("a")), _decoded(asked.text("c")))
        cookies = {elements["wci"]: _solved(challenge.raw, answer)} if answer is not None else {}
        if elements.get("rci") and elements.get("rs"):
            cookies[elements["rci"]] = elements["rs"]
        _check(cookies)
    if answer is None:
        raise RiskControl(
            "TikTok's proof of work has no answer", hint="wait, or use another address", endpoint="page"
        )
    return cookies


def _answer(seed: bytes, digest: bytes) -> int | None:
    """The number that has `digest` after `seed`; None if it is larger than allowed."""
    if len(digest) != _DIGEST_SIZE:
        raise ValueError("c is no SHA-256")
    started = hashlib.sha256(seed)
    for number in range(LAST_ANSWER + 1):
        tried = started.copy()
        tried.update(b"%d" % number)
        if tried.digest() == digest:
            return number
    return None


def _solved(challenge: Mapping[str, Any], answer: int) -> str:
    """The challenge with its answer as last key, as the cookie carries it."""
    told = {key: value for key, value in challenge.items() if key != "d"}
    told["d"] = base64.b64encode(b"%d" % answer).decode()
    return base64.b64encode(json.dumps(told, separators=(",", ":")).encode()).decode()


def _decoded(text: str) -> bytes:
    """Base64 whose padding may be missing."""
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)


def _check(cookies: Mapping[str, str]) -> None:
    for name, value in cookies.items():
        if not re.fullmatch(_COOKIE_NAME, name) or not re.fullmatch(_COOKIE_VALUE, value):
            raise ValueError("what the page wants set is no cookie")
        if name.startswith(_IDENTITY):
            raise ValueError(f"the page wants {name} set")


def _elements(page: str) -> dict[str, str]:
    """`class` by `id`: the page hides its values there, each in a paragraph of its own."""
    from html import unescape  # few pages have something to solve

    found: dict[str, str] = {}
    for paragraph in re.finditer(_PARAGRAPH, page):
        named = {name.lower(): unescape(value) for name, value in re.findall(_ATTRIBUTE, paragraph[0])}
        found.setdefault(named.get("id", ""), named.get("class", ""))
    return found
