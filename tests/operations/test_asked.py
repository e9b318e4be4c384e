"""What a person named (pure): share text without quotes, several links, batch files."""

from __future__ import annotations

import pytest

from dyvine_cli.operations.asked import Asked, from_lines, from_words, nothing_asked

A = "https://v.douyin.com/iRNBho8/"
B = "https://www.douyin.com/video/7372484719365098803"
REF = "douyin:post:7372484719365098803"


def known(word: str) -> bool:
    """Ids and refs, as the client would know them."""
    return word == REF or word.isdigit()


WORDS = {
    "one link": ([B], [B]),
    "share text unquoted": (f"4.30 :0pm 看看 【猫】 {A} 复制此链接，打开Dou音搜索！".split(), [A]),
    "two links": ([B, "and", A], [B, A]),
    "the same twice": ([B, B], [B]),
    "an id beside a link": (["7372484719365098803", A], ["7372484719365098803", A]),
    "a ref": ([REF], [REF]),
    "words only": (["hello", "there"], ["hello", "there"]),
}


@pytest.mark.parametrize(("words", "expected"), WORDS.values(), ids=WORDS.keys())
def test_the_things_in_a_calls_words(words: list[str], expected: list[str]) -> None:
    """Links, ids and refs in their order; other words only where nothing else is there."""
    found = from_words(words, is_known=known)

    assert [each.text for each in found] == expected
    assert {each.place for each in found} == {each.text for each in found}


def test_lines_of_a_batch_file() -> None:
    """Comments, blanks, BOM and CRLF are passed over; numbers are those of the file."""
    text = f"\ufeff# mine\r\n\r\n{A}\r\n  {B}  \n#x\nlast"

    assert list(from_lines(text)) == [Asked(A, 3), Asked(B, 4), Asked("last", 6)]
    assert next(from_lines(text)).place.startswith("line 3")


def test_an_endless_line_is_cut() -> None:
    """A file without line ends is not read into one name."""
    (only,) = from_lines("x" * 1_000_000)

    assert len(only.text) == 20_000


def test_nothing_asked_says_what_to_do() -> None:
    """The complaint names the ways to name something."""
    error = nothing_asked("get")

    assert error.exit_code == 2
    assert "-a FILE" in str(error.hint)
