"""The pieces of an expression, and the place of a mistake in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NoReturn

from dyvine_cli.errors import InputError


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression: a `sign` (a comparison, a bracket, and, or, not, in), a `word`, a quoted `text` or the
    `end`. `column` counts characters from 1.
    """

    kind: Literal["sign", "word", "text", "end"]
    text: str
    column: int


_CLOSING = {'"': '"', "'": "'", "“": "”“", "”": "”“", "‘": "’‘", "’": "’‘", "「": "」", "＂": "＂", "＇": "＇"}  # fmt: skip
_SIGN = re.compile(r"[<>=!＜＞＝！][=＝~～]?|[&＆]{2}|[|｜]{2}|[~～()（）,，、≤≥≠&＆|｜]")
_WORD = re.compile(r"[^\s<>=!＜＞＝！~～()（）,，、≤≥≠&＆|｜" + "".join(_CLOSING) + "]+")
_SPACE = re.compile(r"\s*")
_SAME_SIGN = {"=": "==", "=~": "~", "≤": "<=", "≥": ">=", "≠": "!=", "、": ",", "!": "not", "&&": "and", "||": "or"}  # fmt: skip
_KEYWORDS = ("and", "or", "not", "in")


EXAMPLE = "such as: likes > 1000 and kind == video; the README explains it all under Expressions"


def fail(text: str, column: int, what: str, hint: str | None = None) -> NoReturn:
    """Raise InputError that says what is wrong at a column and shows the place behind ▸."""
    raise InputError(f"column {column} ({_around(text, column)}): {what}", hint=hint or EXAMPLE)


def _around(text: str, column: int, reach: int = 30) -> str:
    """The part of an expression around a column, which is marked."""
    place = column - 1
    before, after = text[max(0, place - reach) : place], text[place : place + reach]
    shown = f"{'…' if place > reach else ''}{before}▸{after}{'…' if len(text) > place + reach else ''}"
    return "".join(char if char.isprintable() else "?" for char in shown)


def tokens(text: str) -> Iterator[Token]:
    """The pieces of an expression, the end last. Raises InputError for a quotation that does not end."""
    place = _SPACE.match(text).end()  # type: ignore[union-attr]
    while place < len(text):
        if text[place] in _CLOSING:
            token, end = _quotation(text, place)
        elif found := _SIGN.match(text, place):
            sign = unicodedata.normalize("NFKC", found[0])
            token, end = Token("sign", _SAME_SIGN.get(sign, sign), place + 1), found.end()
        else:
            word = _WORD.match(text, place)
            assert word is not None  # whatever begins neither a quotation nor a sign
            is_keyword = word[0].lower() in _KEYWORDS
            kind: Literal["sign", "word"] = "sign" if is_keyword else "word"
            token, end = Token(kind, word[0].lower() if is_keyword else word[0], place + 1), word.end()
        yield token
        place = _SPACE.match(text, end).end()  # type: ignore[union-attr]
    yield Token("end", "", len(text) + 1)


def _quotation(text: str, place: int) -> tuple[Token, int]:
    """A quoted text and the place behind it; a backslash stands for itself but before one, or before a quotation mark."""
    closing, kept, end = _CLOSING[text[place]], [], place + 1
    while end < len(text) and text[end] not in closing:
        escapes = text[end] == "\\" and text[end + 1 : end + 2] in (*closing, "\\")
        kept.append(text[end + 1] if escapes else text[end])
        end += 2 if escapes else 1
    if end >= len(text):
        fail(text, place + 1, f"this text has no closing {closing[0]}")
    return Token("text", "".join(kept), place + 1), end + 1
