"""The simulator's answers have the recordings' keys and JSON types."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.simulator.world import World

EXCEPTIONS: frozenset[str] = frozenset()
"""Places (`detail_video.json .aweme_detail.x`) where the simulator differs on purpose; none so far."""

ANSWERS: dict[str, Callable[[Any], Any]] = {
    "detail_video.json": lambda guest: guest.get("aweme/detail", aweme_id=World.AI_NOTICE),
    "detail_note_images.json": lambda guest: guest.get("aweme/detail", aweme_id=World.MUTED),
    "detail_note_live_photo.json": lambda guest: guest.get("aweme/detail", aweme_id=World.LIVE_PHOTO),
    "detail_slides.json": lambda guest: guest.get("aweme/detail", aweme_id=World.SLIDES),
    "detail_long_note.json": lambda guest: guest.get("aweme/detail", aweme_id=World.NOTE),
    "detail_not_found.json": lambda guest: guest.get("aweme/detail", aweme_id="123456789"),
    "user_profile_private.json": lambda guest: guest.get(
        "user/profile/other", sec_user_id=World.PRIVATE_ACCOUNT
    ),
}


def _type(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else type(value).__name__


def _differences(real: Any, ours: Any, place: str) -> Iterator[str]:
    """Where keys or types differ; each entry of a list must be like one of the recorded ones."""
    if _type(real) != _type(ours):
        yield f"{place}: {_type(real)} is {_type(ours)}"
    elif isinstance(real, dict):
        yield from (f"{place}.{key}: only on one side" for key in set(real) ^ set(ours))
        for key in set(real) & set(ours):
            yield from _differences(real[key], ours[key], f"{place}.{key}")
    elif isinstance(real, list) and real:
        for entry in ours:
            yield from min((list(_differences(like, entry, f"{place}[]")) for like in real), key=len)


@pytest.mark.recordings
@pytest.mark.parametrize("name", ANSWERS)
def test_keys_and_types_equal_the_recording(recordings: Path, guest: Any, name: str) -> None:
    """Nothing is missing, nothing is added, nothing has another type."""
    real = json.loads((recordings / "samples/douyin" / name).read_text("utf-8"))
    found = sorted(_differences(real, ANSWERS[name](guest), name))

    assert [place for place in found if place.split(":")[0] not in EXCEPTIONS] == []


def test_a_difference_is_found() -> None:
    """The comparison notices a missing key, an added one, another type, and a list entry unlike all others."""
    real = {"a": 1, "b": [{"x": None}, {"x": 1}], "c": "t", "d": []}

    assert not list(_differences(real, {"a": 2, "b": [{"x": 3}], "c": "", "d": [1]}, ""))
    assert len(list(_differences(real, {"a": True, "b": [{"x": "s"}], "e": 1, "d": None}, ""))) == 5
