"""Answers that lie: any node of a good one removed, or replaced by something odd."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Way = tuple[str | int, ...]


def nested(depth: int) -> list[Any]:
    """Lists in lists."""
    out: list[Any] = []
    for _ in range(depth):
        out = [out]
    return out


GONE = object()
"""Stands for removing the node."""

ODD = [
    GONE, None, "", 0, -1, 2**63, -(2**63), 10**400, float("nan"), float("inf"), 1e300, 3.5, True, False, [], {}, "x", "12",
    "\ud800", "2" * 5000, "a" * 9000, "https://[::1", [None], [1], ["x"], [[]], [{}], {"a": None}, {"url_list": "x"},
    {"url_list": [5]}, [{"video": {}}], "{", "NaN", '{"a":NaN}', "[" * 100_000, nested(3000),
]  # fmt: skip


def ways(value: Any, way: Way = ()) -> Iterator[Way]:
    """The way to every node of a JSON value."""
    yield way
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield from ways(child, (*way, key))


def changed(value: Any, way: Way, odd: object) -> Any:
    """A copy with one node replaced or removed; a way that an earlier change closed changes nothing."""
    if not way:
        return None if odd is GONE else odd
    if not (isinstance(value, dict) and way[0] in value) and not (
        isinstance(value, list) and isinstance(way[0], int) and way[0] < len(value)
    ):
        return value
    copy: Any = value.copy()
    if len(way) == 1 and odd is GONE:
        del copy[way[0]]
    else:
        copy[way[0]] = changed(value[way[0]], way[1:], odd)
    return copy
