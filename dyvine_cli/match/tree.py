"""What an expression asks, as a tree: its tests over posts, and its words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from dyvine_cli.errors import InputError
from dyvine_cli.match.fields import FIELDS, ORDER
from dyvine_cli.match.patterns import PATIENCE, compiled
from dyvine_cli.match.values import Days, Other, Value, spelt
from dyvine_cli.models import Post
from dyvine_cli.quantities import quoted

Test = Callable[[Post], bool]


@dataclass(frozen=True, slots=True)
class Has:
    """A field that is known and neither zero nor empty."""

    field: str

    def __str__(self) -> str:
        return self.field

    def test(self) -> Test:
        """As a test over posts."""
        read = FIELDS[self.field].read
        if FIELDS[self.field].kind == "text":
            return lambda post: any(read(post) or ())
        return lambda post: bool(read(post))


@dataclass(frozen=True, slots=True)
class Compared:
    """A field beside a value."""

    field: str
    sign: str
    value: Value

    def __str__(self) -> str:
        return f"{self.field} {self.sign} {spelt(self.value)}"

    def test(self) -> Test:
        """As a test over posts."""
        read, value = FIELDS[self.field].read, self.value
        if isinstance(value, Days):
            return _dated(read, self.sign, value)
        if isinstance(value, Other):
            return _beside(read, ORDER[self.sign], FIELDS[value.field].read)
        if isinstance(value, str):
            return _one_of(read, frozenset({value}), wanted=self.sign == "==")
        return _ordered(read, ORDER[self.sign], value)


@dataclass(frozen=True, slots=True)
class Listed:
    """A field that is one of some values, or with `wanted` False none of them."""

    field: str
    values: tuple[Value, ...]
    wanted: bool

    def __str__(self) -> str:
        return f"{self.field} {'in' if self.wanted else 'not in'} ({', '.join(map(spelt, self.values))})"

    def test(self) -> Test:
        """As a test over posts."""
        read, values, wanted = FIELDS[self.field].read, self.values, self.wanted
        if FIELDS[self.field].kind == "text":
            return _one_of(read, frozenset(values), wanted=wanted)
        if FIELDS[self.field].kind != "date":
            known = frozenset(values)
            return lambda post: (value := read(post)) is not None and (value in known) is wanted
        days = [_dated(read, "==", value) for value in values if isinstance(value, Days)]
        return lambda post: any(each(post) for each in days) is wanted


@dataclass(frozen=True, slots=True)
class Searched:
    """A text in which a regular expression is found, or with `wanted` False is not."""

    field: str
    pattern: str
    wanted: bool

    def __str__(self) -> str:
        return f"{self.field} {'~' if self.wanted else '!~'} {spelt(self.pattern)}"

    def test(self) -> Test:
        """As a test over posts. Raises ValueError with a sentence for what is no regular expression."""
        read, wanted, search = FIELDS[self.field].read, self.wanted, compiled(self.pattern).search

        def test(post: Post) -> bool:
            values = read(post)
            try:
                return values is not None and wanted is any(search(each, timeout=PATIENCE) for each in values)
            except TimeoutError:
                raise InputError(
                    f"{post.ref}: the regular expression {quoted(self.pattern)} takes too long on its {self.field}",
                    hint="write it simpler: a repeat inside a repeat, as in (a+)+, tries everything",
                ) from None

        return test


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    of: Node

    def __str__(self) -> str:
        return f"not {self.of}" if isinstance(self.of, _TESTS) else f"not ({self.of})"

    def test(self) -> Test:
        """As a test over posts."""
        test = self.of.test()
        return lambda post: not test(post)


@dataclass(frozen=True, slots=True)
class Joined:
    """Several, of which all must hold, or any one."""

    word: Literal["and", "or"]
    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return f" {self.word} ".join(
            f"({each})" if isinstance(each, Joined) else str(each) for each in self.parts
        )

    def test(self) -> Test:
        """As a test over posts."""
        tests = tuple(each.test() for each in self.parts)
        settles = self.word == "or"

        def test(post: Post) -> bool:
            for each in tests:
                if each(post) is settles:
                    return settles
            return not settles

        return test


Node = Has | Compared | Listed | Searched | Not | Joined
_TESTS = (Has, Compared, Listed, Searched)


def fields_of(node: Node) -> Iterator[str]:
    """The names of the fields that are read."""
    match node:
        case Not(of):
            yield from fields_of(of)
        case Joined(_, parts):
            for each in parts:
                yield from fields_of(each)
        case Compared(left, _, Other(right)):
            yield from (left, right)
        case _:
            yield node.field


def _ordered(read: Callable[[Post], Any], compare: Callable[[Any, Any], bool], value: float) -> Test:
    return lambda post: (known := read(post)) is not None and compare(known, value)


def _beside(
    read: Callable[[Post], Any], compare: Callable[[Any, Any], bool], other: Callable[[Post], Any]
) -> Test:
    def test(post: Post) -> bool:
        left, right = read(post), other(post)
        return left is not None and right is not None and compare(left, right)

    return test


def _dated(read: Callable[[Post], Any], sign: str, days: Days) -> Test:
    first, last = days.first, days.last
    if sign in ("==", "!="):
        wanted = sign == "=="
        return lambda post: (first <= read(post) <= last) is wanted
    return _ordered(read, ORDER[sign], last if sign in ("<=", ">") else first)  # type: ignore[arg-type]


def _one_of(read: Callable[[Post], Any], known: frozenset[Value], *, wanted: bool) -> Test:
    def test(post: Post) -> bool:
        values = read(post)
        return values is not None and any(each.casefold() in known for each in values) is wanted

    return test
