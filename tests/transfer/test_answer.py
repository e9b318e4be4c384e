"""Heads of media answers: promises, validators, ranges, refusals."""

from __future__ import annotations

import pytest

from dyvine_cli.errors import LinkExpired, NetworkError, RateLimited
from dyvine_cli.http.media import MediaAnswer
from dyvine_cli.transfer.answer import goes_on, promised, refusal, retry_after, validator
from dyvine_cli.transfer.partial import Promise

DATE = "Sat, 01 Aug 2026 12:00:00 GMT"
DAY_BEFORE = "Fri, 31 Jul 2026 12:00:00 GMT"


def answer(status: int = 200, **headers: str) -> MediaAnswer:
    """An answer without a body."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return MediaAnswer(status=status, headers=names, url="https://v3.example/x", chunks=iter(()))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"etag": '"abc"'}, '"abc"'),
        ({"etag": 'W/"abc"'}, None),
        ({"etag": "abc"}, None),
        ({"etag": '"a"b"'}, None),
        ({"etag": 'W/"abc"', "last-modified": DAY_BEFORE, "date": DATE}, DAY_BEFORE),
        ({"last-modified": DAY_BEFORE, "date": DATE}, DAY_BEFORE),
        ({"last-modified": DATE, "date": DATE}, None),
        ({"last-modified": DAY_BEFORE}, None),
        ({"last-modified": "yesterday", "date": DATE}, None),
        ({}, None),
    ],
    ids=["strong", "weak", "bare", "broken", "weak_date", "date", "just_now", "no_clock", "words", "none"],
)
def test_only_strong_validators_count(headers, expected):
    """A strong ETag, or a date old enough to be one, identifies bytes; nothing else does."""
    assert validator(headers) == expected


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        ({"content_length": "700"}, 700),
        ({"content_length": "-700"}, None),
        ({"content_length": "seven"}, None),
        ({"content_length": "٧"}, None),
        ({"content_length": "700", "transfer_encoding": "chunked"}, None),
        ({}, None),
    ],
)
def test_length_is_taken_from_a_plain_number(headers, length):
    """Only digits are a promised length, and not where chunks rule it out."""
    assert promised(answer(**headers)).length == length


def test_compressed_file_is_refused():
    """A file that comes packed although nobody asked for it is not taken: it may be a bomb."""
    with pytest.raises(NetworkError, match="compressed"):
        promised(answer(content_encoding="br"))


@pytest.mark.parametrize(
    ("said", "etag", "goes"),
    [
        ("bytes 10-99/100", '"a"', True),
        ("bytes 10-98/100", '"a"', False),
        ("bytes 9-99/100", '"a"', False),
        ("bytes 10-99/101", '"a"', False),
        ("bytes 10-99/*", '"a"', False),
        ("bytes 10-99/100", '"b"', False),
        ("bytes 10-99/100", "", False),
        ("bytes 10-99/100", 'W/"a"', False),
        ("items 10-99/100", '"a"', False),
        ("bytes 10-99/" + "9" * 30, '"a"', False),
        ("", '"a"', False),
    ],
)
def test_range_must_be_the_rest_of_the_same_file(said, etag, goes):
    """A range goes on only with the same first byte, total and validator."""
    found = answer(206, content_range=said, etag=etag)

    assert goes_on(found, Promise(100, '"a"'), 10) is goes


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("-7", None),
        ("99999999999999999999", 999999999999),
        ("Sat, 01 Aug 2026 12:00:30 GMT", 30),
        ("Fri, 31 Jul 2026 12:00:00 GMT", 0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_counts_from_the_clock_of_the_server(text, seconds):
    """Seconds or a date; a wrong clock on our side changes nothing."""
    assert retry_after({"retry-after": text, "date": DATE}) == seconds


@pytest.mark.parametrize(
    ("status", "error"),
    [(403, LinkExpired), (404, LinkExpired), (410, LinkExpired), (429, RateLimited), (503, NetworkError)],
)
def test_refusal_names_the_host_and_not_the_address(status, error):
    """The error says which host and which status, never the signed address."""
    found = refusal(answer(status), "v3.example")

    assert type(found) is error
    assert "v3.example" in str(found)
    assert str(status) in str(found)
    assert "https" not in str(found)
