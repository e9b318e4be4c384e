"""Characters that nobody sees, planted where a platform may write: none reaches a terminal or splits a record."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from dyvine_cli.cli.output import doctor, tables
from dyvine_cli.cli.output.jsonl import line
from dyvine_cli.errors import UnexpectedResponse
from dyvine_cli.models import Asset, Author, Post, Ref, Rendition
from dyvine_cli.operations.bundle import Reading
from dyvine_cli.operations.selection import Selection
from dyvine_cli.sidecar import info_json
from dyvine_cli.sites.mirrors import links

UNSEEN = [
    *(chr(code) for code in range(0x7F, 0xA0)),
    *"\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
]
CODES = [f"U+{ord(each):04X}" for each in UNSEEN]


def hostile(word: str) -> Post:
    """A post whose text and addresses hold it."""
    address = f"https://v3-web.douyinvod.com/a{word}b.mp4"
    shown = Rendition(mirrors=(address,), ext="mp4", codec=f"h{word}264")
    return Post(
        ref=Ref("douyin", "post", "7300000000000000001"),
        kind="video",
        url="https://www.douyin.com/video/7300000000000000001",
        author=Author(id="MS4wLjABAAAAa", uid="1", nickname=f"n{word}n", handle="h"),
        created=datetime(2026, 1, 1, tzinfo=UTC),
        text=f"one{word}two",
        assets=(Asset(id="video", kind="video", renditions=(shown,)),),
    )


@pytest.mark.parametrize("word", UNSEEN, ids=CODES)
def test_an_unseen_character_in_json_is_escaped(word: str) -> None:
    """The same value, on one line, without the character itself, on stdout and in the file beside the media."""
    written = line({"text": f"one{word}two"})
    beside = info_json(hostile(word))

    assert json.loads(written) == {"text": f"one{word}two"}
    assert f"\\u{ord(word):04x}" in written
    assert written.splitlines() == [written]
    assert json.loads(beside)["text"] == f"one{word}two"
    assert word not in written + beside


@pytest.mark.parametrize("word", UNSEEN, ids=CODES)
def test_an_unseen_character_in_an_address_is_refused(word: str) -> None:
    """It is no mirror, and what is printed of one that came otherwise has lost it."""
    post = hostile(word)
    shown = [*tables.addresses(post, Selection()), *tables.formats(post)]

    assert links([f"https://v3-web.douyinvod.com/a{word}b.mp4"]) == ()
    assert word not in "".join(shown)


@pytest.mark.parametrize("json_wanted", [False, True], ids=["text", "json"])
def test_an_unseen_character_in_a_record_does_not_reach_the_terminal(
    capsys: pytest.CaptureFixture[str], json_wanted: bool
) -> None:
    """A record for the doctor comes from strangers."""
    word = "".join(UNSEEN)
    error = UnexpectedResponse(f"x{word}y")
    doctor.show_readings(
        [Reading(endpoint=f"e{word}", url=f"https://a/{word}", state="breaks", detail=word, error=error)],
        json=json_wanted,
    )
    shown = capsys.readouterr().out

    assert not set(UNSEEN) & set(shown)
    assert len(shown.splitlines()) == 1
