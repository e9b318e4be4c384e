"""Which posts, which of their files, which encoding (pure)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dyvine_cli.match import parse
from dyvine_cli.models import Asset, Author, Post, Ref, Rendition
from dyvine_cli.operations.selection import (
    Selection,
    assets,
    choices,
    filters,
    is_older,
    same_rendition,
    wanted,
)

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def rendition(label: str, **facts: Any) -> Rendition:
    """One encoding; `edge` is its short edge in pixels, upright."""
    edge = facts.pop("edge", None)
    size = {"width": edge, "height": edge * 16 // 9} if edge else {}
    return Rendition(mirrors=("https://v.example/x",), ext="mp4", label=label, **size, **facts)


LADDER = Asset(
    id="video",
    kind="video",
    renditions=(
        rendition("1080 h264", edge=1080, codec="h264", bit_rate=3_000_000, size=9_000_000, fps=30),
        rendition("1080 h264 60", edge=1080, codec="h264", bit_rate=2_900_000, size=9_500_000, fps=60),
        rendition("1080 h265", edge=1080, codec="h265", bit_rate=1_500_000, size=5_000_000, fps=30),
        rendition("720 h265", edge=720, codec="h265", bit_rate=900_000, size=3_000_000, fps=30),
        rendition("540 h264", edge=540, codec="h264", bit_rate=700_000, size=2_000_000, fps=30),
        rendition("marked", edge=2160, codec="h264", bit_rate=9_000_000, size=99_000_000, watermarked=True),
        rendition("mute", edge=2160, codec="h265", bit_rate=9_000_000, size=88_000_000, has_sound=False),
        rendition("upload", original=True),
    ),
)

CHOICES: dict[str, tuple[dict[str, Any], str | None]] = {
    "the best": ({}, "1080 h264 60"),
    "worst": ({"quality": "worst"}, "540 h264"),
    "original": ({"quality": "original"}, "upload"),
    "as asked": ({"quality": "720"}, "720 h265"),
    "the next below": ({"quality": "900"}, "720 h265"),
    "the smallest above": ({"quality": "300"}, "540 h264"),
    "H.265": ({"codec": "h265"}, "1080 h265"),
    "H.264": ({"codec": "h264"}, "1080 h264 60"),
    "H.264 of 720": ({"codec": "h264", "quality": "720"}, "540 h264"),
    "worst H.265": ({"codec": "h265", "quality": "worst"}, "720 h265"),
    "at most 720": ({"max_height": 720}, "720 h265"),
    "at most 4 MB": ({"max_filesize": 4_000_000}, "720 h265"),
    "nothing fits": ({"max_filesize": 1_000}, None),
}


@pytest.mark.parametrize(("wish", "label"), CHOICES.values(), ids=CHOICES.keys())
def test_the_first_choice(wish: dict[str, Any], label: str | None) -> None:
    """No watermark, sound, most pixels, more frames, H.265 where all else is equal; wishes before that."""
    found = choices(LADDER, Selection(**wish))

    assert (found[0].label if found else None) == label
    assert not any(each.watermarked or not each.has_sound for each in found)


def test_a_watermark_is_better_than_nothing() -> None:
    """Where only marked or mute ones exist, they are taken."""
    marked = replace(LADDER, renditions=tuple(each for each in LADDER.renditions if each.watermarked))
    mute = replace(LADDER, renditions=tuple(each for each in LADDER.renditions if not each.has_sound))

    assert [each.label for each in choices(marked, Selection())] == ["marked"]
    assert [each.label for each in choices(mute, Selection())] == ["mute"]


def post(kind: str = "video", *kinds: str, **facts: Any) -> Post:
    """A post with one asset of each kind."""
    usual: dict[str, Any] = {"created": NOW, "pinned": False}
    return Post(
        ref=Ref("douyin", "post", "1"),
        kind=kind,  # type: ignore[arg-type]
        url="",
        author=Author(id="a", uid="1", handle="h", nickname="n"),
        assets=tuple(Asset(id=each, kind=each) for each in kinds),  # type: ignore[arg-type]
        **usual | facts,
    )


ASSETS: dict[str, tuple[str, dict[str, Any], set[str]]] = {
    "a video": ("video", {}, {"video"}),
    "a video with its sound": ("video", {"sound": True}, {"video", "sound"}),
    "pictures": ("images", {}, {"picture", "sound"}),
    "pictures without sound": ("images", {"sound": False}, {"picture"}),
    "with cover": ("video", {"thumbnail": True}, {"video", "cover"}),
    "with subtitles": ("video", {"subtitles": True}, {"video", "subtitle"}),
    "an article": ("article", {}, {"text", "picture", "sound"}),
}
HOLDS = {
    "video": ("video", "sound", "cover", "subtitle"),
    "images": ("picture", "sound", "cover"),
    "article": ("text", "picture", "sound"),
}


@pytest.mark.parametrize(("kind", "wish", "expected"), ASSETS.values(), ids=ASSETS.keys())
def test_which_files_of_a_post(kind: str, wish: dict[str, Any], expected: set[str]) -> None:
    """The content always; sound with pictures; covers and subtitles when asked for."""
    assert {each.kind for each in assets(post(kind, *HOLDS[kind]), Selection(**wish))} == expected


FILTERS: dict[str, tuple[dict[str, Any], bool, bool]] = {
    "no wish": ({}, True, False),
    "the kind": ({"kinds": frozenset({"video"})}, True, False),
    "another kind": ({"kinds": frozenset({"images"})}, False, False),
    "since the same moment": ({"since": NOW}, True, False),
    "since later": ({"since": NOW + DAY}, False, True),
    "until the same moment": ({"until": NOW}, True, False),
    "until before": ({"until": NOW - DAY}, False, False),
    "an expression": ({"match": parse("kind == video")}, True, False),
    "an expression that fails": ({"match": parse("not kind == video")}, False, False),
    "an expression about what is not said": ({"match": parse("likes < 5")}, False, False),
    "both must hold": ({"match": parse("date"), "kinds": frozenset({"images"})}, False, False),
}


@pytest.mark.parametrize(("wish", "through", "ends"), FILTERS.values(), ids=FILTERS.keys())
def test_filters(wish: dict[str, Any], through: bool, ends: bool) -> None:
    """Dates are included; an older post ends a list unless it is pinned."""
    selection = Selection(**wish)

    assert wanted(post(), selection) is through
    assert is_older(post(), selection) is ends
    assert not is_older(post(pinned=True), selection)


def test_a_part_of_a_post_is_not_judged_by_what_it_does_not_say() -> None:
    """An expression waits for the whole post where the list leaves open what it asks for, and only there."""
    said = Selection(match=parse("kind == images"))
    unsaid = Selection(match=parse("likes > 5 and kind == images"))

    assert wanted(post(partial=True), unsaid)
    assert not wanted(post(partial=True), said)
    assert not wanted(post(partial=True), replace(unsaid, until=NOW - DAY))
    assert wanted(post(text_is_cut=True), Selection(match=parse("text ~ nothing")))


def test_the_filters_as_a_text_tell_expressions_apart() -> None:
    """However it is written the same expression is the same text, and nothing in it looks like another wish."""
    texts = [
        filters(Selection(match=parse(text)))
        for text in ("likes>1K", "likes > 1_000", "likes > 1001", 'title = "since=2026"')
    ]

    assert texts[0] == texts[1] != texts[2]
    assert all(text.startswith("match=") and text.count("=") == 1 for text in texts)
    assert filters(Selection()) == ""


def test_the_same_encoding_of_a_fresh_post() -> None:
    """Fresh links stand for the chosen encoding by name and size, else for the best there is now."""
    chosen = LADDER.renditions[3]
    fresh = replace(post(), assets=(LADDER,))
    fewer = replace(post(), assets=(replace(LADDER, renditions=LADDER.renditions[4:5]),))

    assert same_rendition(fresh, LADDER, chosen, Selection()) == chosen
    assert same_rendition(fewer, LADDER, chosen, Selection()) == LADDER.renditions[4]
    assert same_rendition(post(), LADDER, chosen, Selection()) is None
