"""The grammar: pieces of an expression -> its tree."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Literal, NoReturn

from dyvine_cli.match.fields import ALIASES, CALLED, FIELDS, NUMBERS, ORDER, SIGNS, Field
from dyvine_cli.match.patterns import compiled
from dyvine_cli.match.tree import Compared, Has, Joined, Listed, Node, Not, Searched
from dyvine_cli.match.values import LONGEST_QUANTITY, Other, Value, did_you_mean, read_value
from dyvine_cli.match.words import Token, fail, tokens
from dyvine_cli.quantities import quoted

DEEPEST = 50
"""Brackets inside each other."""
MOST_PATTERNS = 20
"""Regular expressions in one expression."""


class Reader:
    """Reads one expression by descent; its depth is bounded."""

    def __init__(self, text: str, now: datetime) -> None:
        self._text = text
        self._now = now
        self._tokens = list(tokens(text))
        self._place = 0
        self._patterns = 0

    def read(self) -> Node:
        """The tree of the whole expression. Raises InputError that names the column."""
        node = self._joined("or", 0)
        if (left := self._peek()).kind != "end":
            hint = "thousands are separated by _: 1_000" if left.text == "," else None
            self._fail(left, f"expected and, or, or the end, found {quoted(left.text)}", hint)
        return node

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._place + ahead, len(self._tokens) - 1)]

    def _next(self) -> Token:
        token = self._peek()
        self._place += 1
        return token

    def _takes(self, *signs: str) -> bool:
        """Whether these signs come next; they are taken then."""
        found = all(
            self._peek(ahead) == Token("sign", sign, self._peek(ahead).column)
            for ahead, sign in enumerate(signs)
        )
        self._place += len(signs) if found else 0
        return found

    def _fail(self, token: Token, what: str, hint: str | None = None) -> NoReturn:
        fail(self._text, token.column, what, hint)

    def _joined(self, word: Literal["and", "or"], depth: int) -> Node:
        def part() -> Node:
            return self._joined("and", depth) if word == "or" else self._one(depth)

        parts = [part()]
        while self._takes(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _one(self, depth: int) -> Node:
        turned = False
        while self._takes("not"):
            turned = not turned
        node = self._brackets(depth) if self._takes("(") else self._test()
        return Not(node) if turned else node

    def _brackets(self, depth: int) -> Node:
        opening = self._tokens[self._place - 1]
        if depth >= DEEPEST:
            self._fail(opening, f"more than {DEEPEST} brackets stand inside each other")
        node = self._joined("or", depth + 1)
        if not self._takes(")"):
            self._fail(self._peek(), f"expected ) for the ( at column {opening.column}")
        return node

    def _test(self) -> Node:
        name = self._field()
        field = FIELDS[name]
        token = self._peek()
        sign = self._sign()
        if not sign:
            return self._bare(name)
        if sign not in SIGNS[field.kind]:
            use = f"use {', '.join(SIGNS[field.kind])}"
            self._fail(token, f"{sign} cannot compare {name}, which is {CALLED[field.kind]}", use)
        if sign in ("in", "not in"):
            return Listed(name, self._values(name), sign == "in")
        if sign in ("~", "!~"):
            return self._searched(name, wanted=sign == "~")
        return Compared(name, sign, self._value(name, sign))

    def _field(self) -> str:
        token = self._next()
        if token.kind == "end" or token.kind == "sign":
            found = f", found {quoted(token.text)}" if token.text else ""
            self._fail(token, f"expected a field{found}", "such as: likes > 1000")
        name = unicodedata.normalize("NFKC", token.text[:LONGEST_QUANTITY]).lower()
        name = ALIASES.get(name, name)
        if token.kind == "text" or (name not in FIELDS and name[:1].isdigit()):
            self._fail(token, f"a field stands first, not {quoted(token.text)}", "such as: likes > 1000")
        if name not in FIELDS:
            fields = f"fields are: {', '.join(FIELDS)}"
            meant = did_you_mean(name, (*FIELDS, *ALIASES))
            hint = f"{meant} {fields}" if meant else fields
            self._fail(token, f"there is no field {quoted(token.text)}", hint)
        return name

    def _sign(self) -> str:
        """The comparison that comes next, empty if there is none."""
        if self._takes("not", "in"):
            return "not in"
        token = self._peek()
        if token.kind == "sign" and token.text in (*ORDER, "in", "~", "!~"):
            return self._next().text
        return ""

    def _bare(self, name: str) -> Node:
        token = self._peek()
        if token.kind in ("word", "text"):
            self._fail(token, f"expected a comparison after {name}, found {quoted(token.text)}")
        return Has(name)

    def _values(self, name: str) -> tuple[Value, ...]:
        opening = self._peek()
        bracketed = self._takes("(")
        values = [self._value(name, "in")]
        while self._takes(","):
            values.append(self._value(name, ","))
        if bracketed and not self._takes(")"):
            self._fail(self._peek(), f"expected , or ) for the ( at column {opening.column}")
        return tuple(values)

    def _value(self, name: str, after: str) -> Value:
        field = FIELDS[name]
        token = self._operand(field, after)
        other = ALIASES.get(token.text.lower(), token.text.lower()) if token.kind == "word" else ""
        if after in ORDER and field.kind in NUMBERS and other in FIELDS and FIELDS[other].kind == field.kind:
            return Other(other)
        try:
            return read_value(field, token.text, self._now)
        except ValueError as error:
            self._fail(token, str(error), getattr(error, "hint", None))

    def _operand(self, field: Field, after: str) -> Token:
        token = self._next()
        if token.kind not in ("word", "text"):
            found = f", found {quoted(token.text)}" if token.text else ""
            self._fail(token, f"expected {CALLED[field.kind]} after {after}{found}", _missing(field, token))
        return token

    def _searched(self, name: str, *, wanted: bool) -> Node:
        token = self._operand(FIELDS[name], "~" if wanted else "!~")
        self._patterns += 1
        if self._patterns > MOST_PATTERNS:
            self._fail(token, f"more than {MOST_PATTERNS} regular expressions", "join some with |")
        try:
            compiled(token.text)
        except ValueError as error:
            self._fail(token, str(error))
        return Searched(name, token.text, wanted)


def _missing(field: Field, token: Token) -> str | None:
    """What to write where something else than a value stands, None where the error says it all."""
    if field.known:
        return f"there are: {', '.join(field.known)}"
    if token.text in (",", ")"):
        return "write one value or several with commas between them"
    return "put it in quotation marks" if token.kind == "sign" and field.kind == "text" else None
