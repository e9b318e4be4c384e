"""The TikTok half's answers have the recordings' keys and JSON types."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.simulator.tiktok_world import TIKTOK

Differences = Callable[..., list[str]]

EXCEPTIONS: dict[str, str] = {
    "app_context.webapp.app-context.abTestVersion.abTestApp": "left out of the extract, there in the whole page",
    "app_context.webapp.app-context.abTestVersion.parameters": "replaced by a sentence in the extract",
    "list.itemList[].isPinnedItem": "there on pinned posts only, and the one recorded item is pinned",
    "list.itemList[].playlistId": "there on posts of a playlist",
}
"""Places where the simulator differs on purpose, with the reason."""


def _scope(name: str, path: str) -> Callable[[Any], Any]:
    return lambda browser: browser.scope(path)[name]


ANSWERS: dict[str, tuple[str, tuple[str, ...], Callable[[Any], Any]]] = {
    "video": (
        "scope_video_detail_2025-08.json",
        ("webapp.video-detail",),
        _scope("webapp.video-detail", f"/@_/video/{TIKTOK.SUBTITLES}"),
    ),
    "missing": (
        "scope_video_detail_missing_2026-09.json",
        ("__DEFAULT_SCOPE__", "webapp.video-detail"),
        _scope("webapp.video-detail", f"/@_/video/{TIKTOK.DELETED}"),
    ),
    "user": (
        "scope_user_detail_2026-09.json",
        ("__DEFAULT_SCOPE__", "webapp.user-detail"),
        _scope("webapp.user-detail", f"/@{TIKTOK.SAMPLES}"),
    ),
    "unavailable": (
        "scope_user_detail_unavailable_2026-09.json",
        ("__DEFAULT_SCOPE__", "webapp.user-detail"),
        _scope("webapp.user-detail", f"/@{TIKTOK.BANNED_ACCOUNT}"),
    ),
    "nobody": (
        "scope_user_detail_unavailable_2026-09.json",
        ("__DEFAULT_SCOPE__", "webapp.user-detail"),
        _scope("webapp.user-detail", f"/@{TIKTOK.MISSING_ACCOUNT}"),
    ),
    "app_context": (
        "scope_app_context_2025-08.json",
        (),
        lambda browser: {
            name: value
            for name, value in browser.scope(f"/@_/video/{TIKTOK.VIDEO}").items()
            if name in ("webapp.app-context", "seo.abtest")
        },
    ),
    "user_api": (
        "user_detail_api_2025-10.json",
        (),
        lambda browser: browser.get("user/detail", uniqueId=TIKTOK.SAMPLES, secUid=""),
    ),
    "list": (
        "post_item_list_newest_2025-10.json",
        (),
        lambda browser: browser.get("post/item_list", secUid=_sec_uid(513), count=16, cursor=0),
    ),
}
THINNED = {
    "photo": ("scope_video_detail_photo_2026-09.json", TIKTOK.PHOTO),
    "mentions": ("scope_video_detail_subtitles_mentions_2026-09.json", TIKTOK.MENTIONS),
}


def _sec_uid(number: int) -> str:
    return next(c.sec_uid for c in TIKTOK._creators.values() if c.number == number)


def _real(recordings: Path, name: str, place: tuple[str, ...] = ()) -> Any:
    real = json.loads((recordings / "samples/tiktok" / name).read_text("utf-8"))
    for key in place:
        real = real[key]
    return real


def _like_the_recorded_item(answer: Any) -> Any:
    """Photo posts and mentions are compared with their own recordings: the one recorded item of a list has neither."""
    if isinstance(answer, dict) and "itemList" in answer:
        answer["itemList"] = [item for item in answer["itemList"] if "imagePost" not in item]
        for item in answer["itemList"]:
            for words in (item, *item["contents"]):
                words["textExtra"] = [mark for mark in words["textExtra"] if mark["type"] == 1]
    return answer


@pytest.mark.recordings
@pytest.mark.parametrize("case", ANSWERS)
def test_keys_and_types_equal_the_recording(
    recordings: Path, visitor: Any, differences: Differences, case: str
) -> None:
    """Nothing is missing, nothing is added, nothing has another type."""
    name, place, ask = ANSWERS[case]
    found = differences(_real(recordings, name, place), _like_the_recorded_item(ask(visitor)), case)

    assert [place for place in found if place.split(":")[0] not in EXCEPTIONS] == []


@pytest.mark.recordings
@pytest.mark.parametrize("case", THINNED)
def test_what_a_thinned_recording_kept_is_there(
    recordings: Path, visitor: Any, differences: Differences, case: str
) -> None:
    """Recordings whose publisher left keys out: those that stayed are ours too, in the same type."""
    name, id = THINNED[case]
    real = _real(recordings, name, ("__DEFAULT_SCOPE__", "webapp.video-detail"))

    assert (
        differences(real, visitor.scope(f"/@_/video/{id}")["webapp.video-detail"], case, thinned=True) == []
    )


@pytest.mark.recordings
def test_a_photo_post_adds_only_its_pictures(
    recordings: Path, visitor: Any, differences: Differences
) -> None:
    """Outside `video` and `imagePost` a photo post has a video post's keys."""
    real = _real(
        recordings, "scope_video_detail_2025-08.json", ("webapp.video-detail", "itemInfo", "itemStruct")
    )
    ours = visitor.item(TIKTOK.PHOTO)
    del real["video"], ours["video"], ours["imagePost"]

    assert [place for place in differences(real, ours) if "textExtra" not in place] == []


@pytest.mark.recordings
def test_the_embed_page_is_the_recorded_one(recordings: Path, visitor: Any, differences: Differences) -> None:
    """Node, account and posts, videos and photos alike."""
    real = _real(recordings, "embed_user_state_2026-09.json")["source"]["data"]["/embed/@nasa"]
    handle = TIKTOK.ACCOUNTS[12]
    ours = visitor.embedded(handle)["source"]["data"][f"/embed/@{handle}"]

    assert differences(real, ours) == []


@pytest.mark.recordings
def test_the_whole_page_has_the_recorded_frame(recordings: Path, visitor: Any) -> None:
    """Every scope and every script that a client looks for, under the same ids, and about as long."""
    real = (recordings / "samples/tiktok/page_video_hydration_2025-08.html").read_text("utf-8")
    ours = visitor.request(f"https://www.tiktok.com/@_/video/{TIKTOK.VIDEO}").body.decode()
    marks = re.compile(r'<script[^>]* id="(script-manager|__UNIVERSAL[^"]*)"')

    assert set(marks.findall(ours)) <= set(marks.findall(real))
    assert '"webapp.biz-context"' in ours
    assert len(ours) > 350_000


@pytest.mark.recordings
def test_the_proof_of_work_has_the_recorded_skeleton(recordings: Path, newcomer: Any, faults: Any) -> None:
    """The same elements in the same order; only the blob differs, and `rs` stands behind `rci`."""
    faults.set("waf-challenge")
    real = (recordings / "samples/tiktok/waf_challenge_page_2026-09.html").read_text("utf-8").strip()
    ours = newcomer.request("https://www.tiktok.com/@x").body.decode().strip()
    blank = re.compile(r'(<p id="cs" class=")[^"]*|<p id="rs" class="[^"]*"></p>')

    assert blank.sub(r"\1", ours) == blank.sub(r"\1", real)
