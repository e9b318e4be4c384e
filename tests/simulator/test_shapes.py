"""The simulator's answers have the recordings' keys and JSON types."""

from __future__ import annotations

import json
from collections.abc import Callable
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


@pytest.mark.recordings
@pytest.mark.parametrize("name", ANSWERS)
def test_keys_and_types_equal_the_recording(
    recordings: Path, guest: Any, name: str, differences: Callable[..., list[str]]
) -> None:
    """Nothing is missing, nothing is added, nothing has another type."""
    real = json.loads((recordings / "samples/douyin" / name).read_text("utf-8"))
    found = differences(real, ANSWERS[name](guest), name)

    assert [place for place in found if place.split(":")[0] not in EXCEPTIONS] == []


def test_a_difference_is_found(differences: Callable[..., list[str]]) -> None:
    """The comparison notices a missing key, an added one, another type, and a list entry unlike all others."""
    real = {"a": 1, "b": [{"x": None}, {"x": 1}], "c": "t", "d": []}

    assert not differences(real, {"a": 2, "b": [{"x": 3}], "c": "", "d": [1]})
    assert len(differences(real, {"a": True, "b": [{"x": "s"}], "e": 1, "d": None})) == 5
