"""Signing constants: ours, and a person's file over them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dyvine_cli.errors import ConfigError
from dyvine_cli.sites.constants import check_alphabet, tables, trying

OURS = """
build = "a"
[room]
salt = "x"
key = 1
order = [1, 2]
none = []
marks = [[1, 2]]
[room.families]
chrome = 0
"""


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """The file that comes with the program."""
    file = tmp_path / "sign.toml"
    file.write_text(OURS, encoding="utf-8")
    return file


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Where a person's file stands."""
    return tmp_path / "own.toml"


def test_ours_alone(ours: Path) -> None:
    """Without a file of one's own ours counts, with tuples instead of lists."""
    room = {"salt": "x", "key": 1, "order": (1, 2), "none": (), "marks": ((1, 2),), "families": {"chrome": 0}}

    assert tables(ours) == {"build": "a", "room": room}


def test_own_values_take_the_place_of_ours(ours: Path, own: Path) -> None:
    """Only the keys that differ need to be written; a byte order mark does no harm."""
    own.write_text("\ufeff[room]\nkey = 2\nnone = [7]\n[room.families]\nchrome = 3\n", encoding="utf-8")
    room = {
        "salt": "x",
        "key": 2,
        "order": (1, 2),
        "none": (7,),
        "marks": ((1, 2),),
        "families": {"chrome": 3},
    }

    assert tables(ours, own) == {"build": "a", "room": room}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("[room", "own.toml: the signing constants cannot be read", id="not-toml"),
        pytest.param("[hall]", "own.toml: hall: no such signing constant", id="unknown-table"),
        pytest.param("[room]\nsalz = 1", "own.toml: room: salz: no such signing constant", id="unknown-key"),
        pytest.param("[room]\nkey = true", "key: must be written like 1", id="truth-is-no-number"),
        pytest.param("[room]\nsalt = 1", "salt: must be written like 'x'", id="other-type"),
        pytest.param("[room]\norder = []", "order: must be written like", id="empty-list"),
        pytest.param("[room]\norder = [1, 'a']", "order: must be written like", id="mixed-list"),
        pytest.param("[room]\nmarks = [1]", "marks: must be written like", id="flat-list"),
        pytest.param("room = 1", "room: must be written like", id="no-table"),
        pytest.param("[room.families]\nnetscape = 1", "families: netscape: no such", id="unknown-inner-key"),
    ],
)
def test_what_does_not_fit_is_named(ours: Path, own: Path, text: str, words: str) -> None:
    """A key that does not exist or has another type is a ConfigError with its place."""
    own.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        tables(ours, own)
    assert words in caught.value.message


def test_a_missing_file_is_named(ours: Path, own: Path) -> None:
    """A path without a file is a ConfigError."""
    with pytest.raises(ConfigError, match="cannot be read"):
        tables(ours, own)


@pytest.mark.parametrize("digits", ["abc", "a" * 64, "é" + "".join(map(chr, range(48, 111)))])
def test_an_alphabet_has_64_different_ascii_digits(digits: str) -> None:
    """Other digits are refused with their name."""
    with pytest.raises(ConfigError, match="own: alphabets: result: must be 64 different"):
        check_alphabet("result", digits, "own")


def test_a_failing_trial_names_the_file() -> None:
    """What fails in the middle of a trial signature is a ConfigError."""
    with (
        pytest.raises(ConfigError, match="own: these constants cannot be signed with: KeyError"),
        trying("own"),
    ):
        {}["missing"]
