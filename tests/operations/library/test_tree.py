"""Files told by their names alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dyvine_cli.operations.library import tree

ID = "7372484719365098803"
STEM = f"2026-01-31_{ID}"

POSTS = [
    pytest.param({"_标题.mp4": "video"}, id="video"),
    pytest.param({".mp4": "video"}, id="video without a title"),
    pytest.param({"_part_02.mp4": "video"}, id="video whose title ends in a number"),
    pytest.param(
        {"_part_02.mp4": "video", "_part_02_cover.jpg": "cover", "_part_02_sub.zh-CN.vtt": "subtitle.zh-CN"},
        id="such a video with its cover and subtitles",
    ),
    pytest.param({"_a.jpg": "picture_01", "_a_sound.mp3": "sound"}, id="one picture"),
    pytest.param({"_a.jpg": "picture_01", "_a.mp4": "clip_01"}, id="one live photo"),
    pytest.param(
        {
            "_a_01.jpg": "picture_01",
            "_a_02.webp": "picture_02",
            "_a_02.mp4": "clip_02",
            "_a_sound.m4a": "sound",
        },
        id="pictures, one of them live",
    ),
    pytest.param({"_a_01.mp4": "clip_01", "_a_02.mp4": "clip_02"}, id="slides of clips"),
    pytest.param(
        {"_a_099.jpg": "picture_99", "_a_100.jpg": "picture_100"}, id="more than a hundred pictures"
    ),
    pytest.param({"_a.md": "text", "_a_01.jpg": "picture_01", "_a_02.jpg": "picture_02"}, id="article"),
    pytest.param(
        {"_a.mp4": "video", "_a.info.json": "", "_b.mp4.part": "", "_a.nfo": ""}, id="what is no asset"
    ),
]


@pytest.mark.parametrize("files", POSTS)
def test_a_name_says_which_file_of_a_post_it_is(files: dict[str, str], tmp_path: Path) -> None:
    """By part, extension and brothers; titles that look like parts are titles."""
    for ending in files:
        (tmp_path / f"{STEM}{ending}").write_bytes(b"x")
    found = {each.path.name.removeprefix(STEM): each.asset for each in tree.read("douyin", "42", tmp_path)}

    assert found == {ending: asset for ending, asset in files.items() if asset}


def test_only_account_folders_of_sites_are_read(tmp_path: Path) -> None:
    """A folder of another form, of no site, or behind a planted link, is a person's own."""
    for place in ("douyin/星野_42", "douyin/42", "tiktok/a_b_7", "other/a_1", "douyin/a_b"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "douyin" / "link_9").symlink_to(tmp_path / "other")
    (tmp_path / "other" / "a_1" / f"{STEM}.mp4").write_bytes(b"x")
    (tmp_path / "douyin" / "星野_42" / f"{STEM}.mp4").symlink_to(tmp_path / "other" / "a_1" / f"{STEM}.mp4")
    found = [(site, uid, path.name) for site, uid, path in tree.accounts(tmp_path, ("douyin", "tiktok"))]

    assert found == [("douyin", "42", "星野_42"), ("tiktok", "7", "a_b_7")]
    assert list(tree.read("douyin", "42", tmp_path / "douyin" / "星野_42")) == []


@pytest.mark.parametrize(
    ("name", "data", "flaw"),
    [
        ("a.mp4", b"<html>", "it is no media file"),
        ("a.mp4", b"", "it is empty"),
        ("a.jpg", b"\xff\xd8\xff\xe0" + b"\0" * 100, "JPEG"),
        ("a.md", b"# x", None),
    ],
)
def test_a_file_that_is_not_whole_is_not_taken(
    tmp_path: Path, name: str, data: bytes, flaw: str | None
) -> None:
    """A web page under a video's name, an empty file, a cut picture."""
    path = tmp_path / name
    path.write_bytes(data)
    found = tree.flaw(path)

    assert (found is None) == (flaw is None)
    assert found is None or flaw == found or flaw == "JPEG"
