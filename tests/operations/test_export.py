"""The copy of one's data that TikTok gives out: every layout, dead entries, files that are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dyvine_cli.errors import InputError
from dyvine_cli.events import Failed
from dyvine_cli.operations.export import DEAD, HINT, SECTIONS, Section, named, read
from dyvine_cli.simulator.tiktok_world import TiktokWorld

from .conftest import Person

LINK = "https://www.tiktokv.com/share/video/{}/"
NEWER_LINK = "https://www.tiktok.com/@/video/{}/"


def older() -> dict[str, Any]:
    """The layout until 2024: everything below "Activity", names with capitals."""
    return {
        "Activity": {
            "Like List": {"ItemFavoriteList": [{"Date": "2023-01-02 03:04:05", "Link": LINK.format(10001)}]},
            "Favorite Videos": {"FavoriteVideoList": [{"Date": "2023-01-02 03:04:05", "Link": LINK.format(10002)}]},
            "Video Browsing History": {"VideoList": [{"Date": "2023-01-02 03:04:05", "VideoLink": LINK.format(10003)}]},
        },
        "Video": {"Videos": {"VideoList": [{"Date": "2023-01-02 03:04:05", "Link": LINK.format(10004), "Likes": "7"}]}},
    }  # fmt: skip


def between() -> dict[str, Any]:
    """The layout of 2025: likes, favorites and history below "Your Activity"."""
    return {
        "Your Activity": {
            "Like List": {"ItemFavoriteList": [{"date": "2025-01-02 03:04:05", "link": LINK.format(10001)}]},
            "Favorite Videos": {"FavoriteVideoList": [{"Date": "2025-01-02 03:04:05", "Link": LINK.format(10002)}]},
            "Watch History": {"VideoList": [{"Date": "2025-01-02 03:04:05", "Link": LINK.format(10003)}]},
        },
        "Post": {"Posts": {"VideoList": [{"Date": "2025-01-02", "Link": LINK.format(10004), "WhoCanView": "Everyone"}]}},
    }  # fmt: skip


def newer() -> dict[str, Any]:
    """The layout since 2026: other wrappers, small letters for likes."""
    return {
        "Profile And Settings": {"Profile Info": {"ProfileMap": {"userName": "someone"}}},
        "Likes and Favorites": {
            "Like List": {"ItemFavoriteList": [{"date": "2025-01-02 03:04:05", "link": NEWER_LINK.format(10001)}]},
            "Favorite Videos": {"FavoriteVideoList": [{"Date": "2025-01-02 03:04:05", "Link": NEWER_LINK.format(10002)}]},
        },
        "Your Activity": {"Watch History": {"VideoList": [{"Date": "2025-01-02", "Link": NEWER_LINK.format(10003)}]}},
        "Post": {"Posts": {"VideoList": [{"Date": "2025-01-02", "Link": NEWER_LINK.format(10004), "Title": "hi"}]}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("layout", "link"),
    [(older, LINK), (between, LINK), (newer, NEWER_LINK)],
    ids=["until 2024", "2025", "since 2026"],
)
@pytest.mark.parametrize("section", SECTIONS)
def test_every_layout_are_read(layout: Any, link: str, section: Section) -> None:
    """Every section is found under whatever stands around it."""
    found = read(json.dumps(layout()), section, name="data.json")

    assert [(each.text, each.line) for each in found] == [(link.format(10001 + SECTIONS.index(section)), 1)]


def test_addresses_of_files_are_no_posts() -> None:
    """One's own posts may be named by their media alone: that is told once, with the command that gets them."""
    link = "https://v16m.tiktokcdn.com/0123456789abcdef/65a0b1c2/video/tos/a/b/?a=1180&mime_type=video_mp4"
    entries = [{"Date": "2025-01-02", "Link": link}, {"Date": "2025-01-03", "Link": f"{link}&x=1"}]
    with pytest.raises(InputError, match="named by addresses of their files") as caught:
        read(json.dumps({"Post": {"Posts": {"VideoList": entries}}}), "posts", name="data.json")

    assert "dyvine user self --site tiktok" in str(caught.value.hint)


def test_entries_keep_their_number_and_come_once() -> None:
    """A double is left out, what has no link stays to be reported."""
    links = [LINK.format(number) for number in (12345, 12346)]
    entries = [{"Link": links[0]}, {"Link": links[1]}, {"Link": links[0]}, {"Date": "x"}, 7]
    found = read(json.dumps({"Like List": {"ItemFavoriteList": entries}}), "likes", name="data.json")

    assert [(each.text, each.line) for each in found] == [(links[0], 1), (links[1], 2), (DEAD, 4), (DEAD, 5)]


@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        pytest.param("", "no JSON", HINT, id="empty"),
        pytest.param("<html>", "no JSON", HINT, id="html"),
        pytest.param("[" * 100_000, "no JSON", HINT, id="deep"),
        pytest.param("[]", "no list of likes", HINT, id="list"),
        pytest.param('{"Activity": null}', "no list of likes", HINT, id="null"),
        pytest.param(
            '{"Posts": {"VideoList": []}}', "no list of likes", "it has: posts", id="another-section"
        ),
    ],
)
def test_what_is_no_export_is_refused(text: str, told: str, hint: str) -> None:
    """The error names the file and what to ask TikTok for, or which sections there are."""
    with pytest.raises(InputError, match=f"data.json: .*{told}") as caught:
        read(text, "likes", name="data.json")

    assert caught.value.hint == hint


def test_an_empty_section_is_empty() -> None:
    """TikTok writes null for a list without entries."""
    assert read('{"Like List": {"ItemFavoriteList": null}}', "likes", name="data.json") == []


def test_sections_have_names() -> None:
    """An unknown section is told with those that there are."""
    with pytest.raises(InputError) as caught:
        named("liked")

    assert caught.value.hint == "there are: likes, favorites, history, posts"


@pytest.mark.anyio
async def test_the_posts_of_an_export_are_saved_and_dead_ones_told(person: Person) -> None:
    """What is there is downloaded; what was deleted, or has no link any more, fails with its number."""
    links = [LINK.format(id) for id in (TiktokWorld.SMALL, TiktokWorld.DELETED)]
    entries = [{"link": link} for link in links]
    data = {"Likes and Favorites": {"Like List": {"ItemFavoriteList": [*entries, {"date": "x"}]}}}
    outcome = await person.get(*read(json.dumps(data), "likes", name="data.json"), noun="post")

    assert outcome.code == 3
    assert len(person.files()) == 1
    assert outcome.summary.reasons == {"NotFound": 1, "UnsupportedURL": 1}
    assert [each.text for each in outcome.of(Failed)] == [f"line 2: {links[1]}", f"line 3: {DEAD}"]
