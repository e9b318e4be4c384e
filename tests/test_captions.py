"""WebVTT to SubRip: what is kept, what is left out, and files that were made to break one."""

from __future__ import annotations

import time

import pytest

from dyvine_cli.captions import srt
from dyvine_cli.simulator.tiktok_media import subtitle

WHOLE = """\ufeffWEBVTT - a title

STYLE
::cue { color: red }

NOTE 00:00:00.000 --> 00:00:01.000 is only spoken of

first
00:00:01.500 --> 00:00:03.250 align:start position:0%
<v Mara>Hello &amp; <b>welcome</b> <00:00:02.000><c.yellow>back</c></v>
second line

01:02.003 --> 100:01:04.005
☕ &lt;3

00:00:09.000 --> 00:00:10.000

00:00:12.000 --> 00:00:11.000
it ends before it begins
"""


def test_cues_are_kept_and_the_rest_is_not() -> None:
    """Times with hours and a comma, numbers in order, basic tags; no styles, notes, voices or empty cues."""
    assert srt(WHOLE) == (
        "1\n00:00:01,500 --> 00:00:03,250\nHello & <b>welcome</b> back\nsecond line\n"
        "\n2\n00:01:02,003 --> 100:01:04,005\n☕ <3\n"
    )


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_every_end_of_line_is_one(ends: str) -> None:
    """Files of all systems give the same."""
    assert srt(WHOLE.replace("\n", ends)) == srt(WHOLE)


def test_what_the_platform_serves_is_read() -> None:
    """Each cue of the simulator's file comes out once."""
    served = subtitle("webvtt", 7).decode()

    assert srt(served).count(" --> ") == served.count(" --> ") >= 5


CUE = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a&#10;&#10;2&#10;00:00:05,000 --> 00:00:06,000&#10;injected", "a 2 00:00:05,000 -> 00:00:06,000 injected"),
        ("a\u2028\u2028b\x85c\x1b[31md\x00", "a b c [31md"),
        ("00:00:05,000 -- > x --&gt; y", "00:00:05,000 -- > x -> y"),
        ("<script>alert(1)</script><i onclick=x>y</i>", "alert(1)<i>y</i>"),
        ("<b", "<b>"),
        ("a < b and c", "a < b and c"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("&#x110000;&#99999999999;", "\ufffd\ufffd"),
    ],
    ids=["cue in escapes", "lines nobody sees", "arrows", "scripts", "open tag", "no tag", "escaped twice", "no character"],
)  # fmt: skip
def test_a_cue_cannot_break_out(text: str, said: str) -> None:
    """One cue goes in, one comes out, whatever its text holds."""
    assert srt(CUE + text) == f"1\n00:00:01,000 --> 00:00:02,000\n{said}\n"


@pytest.mark.parametrize(
    "text",
    ["", "WEBVTTX\n", "1\n00:00:01,000 --> 00:00:02,000\nsrt\n", "WEBVTT\n", CUE, "WEBVTT\n\n00:61:00.000 --> 00:62:00.000\nx"],
    ids=["empty", "another name", "SubRip", "header alone", "cue without text", "times that are none"],
)  # fmt: skip
def test_what_is_no_webvtt_is_an_error(text: str) -> None:
    """Nothing is made up."""
    with pytest.raises(ValueError, match=r"no WebVTT|no cue"):
        srt(text)


@pytest.mark.parametrize(
    "text",
    ["<" * 300_000, "&" * 300_000, "-->" * 100_000, "00:00:01.000 -->" + " " * 300_000, "\n" * 300_000],
)
def test_a_file_that_was_made_to_take_long_does_not(text: str) -> None:
    """Reading takes as long as the file is long, not more."""
    began = time.thread_time()
    srt(CUE + "x\n" + text)

    assert time.thread_time() - began < 2
