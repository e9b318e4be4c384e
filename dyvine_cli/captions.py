"""Subtitles from one form into another (pure): WebVTT, as platforms serve it, to SubRip, which every player reads."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

_TIME = r"(?:([0-9]{1,4}):)?([0-5][0-9]):([0-5][0-9])[.,]([0-9]{3})"
_TIMING = re.compile(rf"[ \t]*{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t].*)?")
_TAG = re.compile(r"<(?=[/a-z0-9])(/?)([a-z]*)[^<>\n]*>?", re.IGNORECASE)
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_KEPT = ("b", "i", "u")
"""Tags that both forms know; what the others mark (voices, classes, the times of words) SubRip has no place for."""


def srt(vtt: str) -> str:
    """The cues of a WebVTT file as SubRip, in their order and numbered; styles, regions and notes are left out.

    Whatever stands in a cue stays inside of it: no text makes a cue of its own. Raises ValueError for a file that is no
    WebVTT or has no cue that can be read.
    """
    text = vtt.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not re.match(r"WEBVTT(?:\s|$)", text):
        raise ValueError("no WebVTT")
    blocks = [f"{number}\n{cue}\n" for number, cue in enumerate(_cues(text), start=1)]
    if not blocks:
        raise ValueError("no cue that can be read")
    return "\n".join(blocks)


def _cues(text: str) -> Iterator[str]:
    """Times and text of each cue. A timing begins one, with or without an identifier before it; an empty line ends it."""
    times, lines = "", [""]
    for line in [*text.split("\n"), ""]:
        timing = _TIMING.fullmatch(line)
        if timing:
            times, lines = _times(timing), []
        elif line.strip():
            lines.append(_plain(line))
        else:
            said = [each for each in lines if each]
            if times and said:
                yield "\n".join([times, *said])
            times = ""


def _times(timing: re.Match[str]) -> str:
    """The timing of a cue, "" for one that ends before it begins."""
    begin, end = timing.groups()[:4], timing.groups()[4:]
    moments = [tuple(int(part or 0) for part in each) for each in (begin, end)]
    if moments[1] < moments[0]:
        return ""
    return " --> ".join(f"{h:02}:{m:02}:{s:02},{ms:03}" for h, m, s, ms in moments)


def _plain(line: str) -> str:
    """A line without the tags and escapes of WebVTT, and without anything that SubRip takes for its own."""
    bare = _TAG.sub(lambda tag: f"<{tag[1]}{tag[2].lower()}>" if tag[2].lower() in _KEPT else "", line)
    return _UNSEEN.sub(" ", html.unescape(bare)).replace("-->", "->").strip()
