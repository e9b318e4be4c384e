"""Fields of a platform's answer: read, not said, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from dyvine_cli.errors import UnexpectedResponse
from dyvine_cli.models import Ref
from dyvine_cli.sites.reading import Record, loads, reading

POST = Ref("douyin", "post", "1")


@pytest.mark.parametrize(
    ("exc", "told"),
    [
        (LookupError("a.b is missing"), "detail: a.b is missing"),
        (KeyError("b"), "detail: KeyError('b')"),
        (TypeError("a.b is null, not a text"), "detail: a.b is null, not a text"),
        (OverflowError("too large"), "detail: OverflowError('too large')"),
        (RecursionError("too deep"), "detail: RecursionError('too deep')"),
    ],
    ids=["ours", "missing key", "type", "overflow", "recursion"],
)
def test_a_field_error_becomes_an_unexpected_response(exc: Exception, told: str) -> None:
    """It names what was read, and keeps cause, ref and endpoint."""
    with pytest.raises(UnexpectedResponse) as caught, reading("detail", ref=POST, endpoint="web"):
        raise exc

    assert str(caught.value) == told
    assert caught.value.__cause__ is exc
    assert (caught.value.ref, caught.value.endpoint) == (POST, "web")


def test_other_errors_pass() -> None:
    """A bug of ours shows itself."""
    with pytest.raises(AttributeError), reading("detail"):
        raise AttributeError("x")


NOT_SAID: list[tuple[Callable[[Record], object], object]] = [
    (lambda record: record.text("x"), ""),
    (lambda record: record.texts("x"), ()),
    (lambda record: record.id("x", "y"), ""),
    (lambda record: record.whole("x"), None),
    (lambda record: record.positive("x"), None),
    (lambda record: record.number("x"), None),
    (lambda record: record.flag("x"), False),
    (lambda record: record.time("x"), None),
    (lambda record: record.record("x"), None),
    (lambda record: record.records("x"), ()),
    (lambda record: record.embedded("x"), None),
]


@pytest.mark.parametrize("fields", [{}, {"x": None}], ids=["absent", "null"])
@pytest.mark.parametrize(("read", "expected"), NOT_SAID, ids=[
    "text", "texts", "id", "whole", "positive", "number", "flag", "time", "record", "records", "embedded",
])  # fmt: skip
def test_what_is_not_said_has_its_empty_value(
    fields: dict[str, object], read: Callable[[Record], object], expected: object
) -> None:
    """Absent and null are the same: the platform did not say."""
    assert read(Record(fields, "a")) == expected


@pytest.mark.parametrize(
    ("value", "read", "expected"),
    [
        (7, lambda record: record.id("x"), "7"),
        ("MS4w_-.", lambda record: record.id("x"), "MS4w_-."),
        ("0", lambda record: record.id("x"), ""),
        ("12", lambda record: record.whole("x"), 12),
        (12.0, lambda record: record.whole("x"), 12),
        (True, lambda record: record.flag("x"), True),
        ("1", lambda record: record.flag("x"), True),
        (2, lambda record: record.flag("x"), True),
        (-5, lambda record: record.positive("x"), None),
        (29.97, lambda record: record.number("x"), 29.97),
        (0, lambda record: record.time("x"), None),
        (1_700_000_000, lambda record: record.time("x"), datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        (["a", "", None], lambda record: record.texts("x"), ("a",)),
        ('{"a": 1}', lambda record: record.embedded("x").whole("a"), 1),
        ({"a": 1}, lambda record: record.embedded("x").whole("a"), 1),
        ({}, lambda record: record.record("x"), None),
        ("", lambda record: record.record("x"), None),
    ],
    ids=[
        "id number",
        "id text",
        "no id",
        "digits",
        "whole float",
        "true",
        "one",
        "two",
        "negative",
        "fraction",
        "no time",
        "time",
        "texts",
        "json text",
        "json object",
        "empty object",
        "empty text",
    ],
)
def test_a_field_is_read_as_the_platforms_write_it(
    value: object, read: Callable[[Record], object], expected: object
) -> None:
    """Ids and numbers come as numbers or digits, flags as truth values, 0 and 1, objects as JSON texts."""
    assert read(Record({"x": value}, "a")) == expected


@pytest.mark.parametrize(
    ("value", "read", "named"),
    [
        (5, lambda record: record.text("x"), "a.x is a number, not a text"),
        ([5], lambda record: record.texts("x"), r"a.x\[0\] is a number, not a text"),
        ("a", lambda record: record.texts("x"), "a.x is a text, not a list"),
        (True, lambda record: record.id("x"), "a.x is true or false, not an id"),
        (1.5, lambda record: record.id("x"), "a.x is a number, not an id"),
        ("a/b", lambda record: record.id("x"), "a.x is no id"),
        (1.5, lambda record: record.whole("x"), "a.x is a number, not a whole number"),
        (2**63, lambda record: record.whole("x"), "a.x is out of range"),
        (float("nan"), lambda record: record.number("x"), "a.x is out of range"),
        (10**400, lambda record: record.number("x"), "a.x is out of range"),
        (2**62, lambda record: record.time("x"), "a.x is no time"),
        ([1], lambda record: record.record("x"), "a.x is a list, not an object"),
        ([None], lambda record: record.records("x"), r"a.x\[0\] is null, not an object"),
        ([0] * 10_001, lambda record: record.records("x"), "a.x has 10001 entries"),
        ("{", lambda record: record.embedded("x"), "a.x is no JSON"),
        ("[" * 100_000, lambda record: record.embedded("x"), "a.x is no JSON"),
        ("NaN", lambda record: record.embedded("x"), "a.x is no JSON"),
        (None, lambda record: record.required_id("x", "y"), "a.x is missing"),
        ({}, lambda record: record.required_record("x"), "a.x is missing"),
        (0, lambda record: record.required_time("x"), "a.x is missing"),
    ],
    ids=[
        "number for text",
        "number in texts",
        "text for texts",
        "true for id",
        "fraction for id",
        "path for id",
        "fraction for whole",
        "too large",
        "nan",
        "far too large",
        "far future",
        "list for object",
        "null in records",
        "too many",
        "broken json",
        "deep json",
        "nan json",
        "no id",
        "no object",
        "no time",
    ],
)
def test_a_field_of_another_type_is_refused_by_its_path(
    value: object, read: Callable[[Record], object], named: str
) -> None:
    """Nothing is guessed."""
    with pytest.raises(UnexpectedResponse, match=named), reading("detail"):
        read(Record({"x": value}, "a"))


def test_only_objects_are_records() -> None:
    """The outermost answer has a path, too."""
    with pytest.raises(TypeError, match="answer is a list, not an object"):
        Record([], "answer")


def test_json_text_is_decoded_whole() -> None:
    """What stands behind the value makes it no JSON."""
    assert loads('[1, "a"]', "x") == [1, "a"]
    with pytest.raises(ValueError, match="x is no JSON"):
        loads("{} {}", "x")
