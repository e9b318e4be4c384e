"""Answers that lie: missing, renamed, null and odd fields, huge numbers and lists, deep nesting, broken text."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyvine_cli.encode import encode
from dyvine_cli.errors import DyvineError, UnexpectedResponse
from dyvine_cli.models import Ref
from dyvine_cli.sidecar import info_json
from dyvine_cli.sites.douyin import parse

from ..hostile import ODD, changed, ways

DATA = Path(__file__).parents[2] / "data" / "douyin"
USER = Ref("douyin", "user", "MS4wLjABAAAAx")


def load(name: str) -> Any:
    """An answer of ours by its name, fresh each time."""
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))


def read_detail(answer: Any, id: str) -> None:
    """A detail answer on its whole way: told apart, read, written."""
    post = parse.post(parse.classify_detail(answer, Ref("douyin", "post", id)))
    info_json(post).encode()
    json.dumps(encode(post, urls=True), ensure_ascii=False, allow_nan=False).encode()
    parse.ensure_available(post)


def read_page_data(detail: Any) -> None:
    """A page's post on its way."""
    try:
        text = quote(json.dumps({"app": {"videoDetail": detail}}))
    except (ValueError, RecursionError):
        return  # such data cannot stand in a page
    html = f'<script id="RENDER_DATA" type="application/json">{text}</script>'
    parse.post(parse.render_data(html, Ref("douyin", "post", "7400000000000000001")))


def listing() -> Any:
    """A page of an account's posts."""
    return {
        "aweme_list": [load("detail_images")["aweme_detail"]],
        "has_more": 1,
        "max_cursor": 5,
        "item_id_to_episode": '{"7400000000000000002": 2}',
        "not_login_module": {"guide_login_tip_exist": True},
        "status_code": 0,
    }


READERS: dict[str, tuple[Any, Callable[[Any], object]]] = {
    "video": (load("detail_video"), lambda answer: read_detail(answer, "7400000000000000001")),
    "images": (load("detail_images"), lambda answer: read_detail(answer, "7400000000000000002")),
    "live photo": (load("detail_live_photo"), lambda answer: read_detail(answer, "7400000000000000003")),
    "note": (load("detail_note"), lambda answer: read_detail(answer, "7400000000000000005")),
    "article": (load("detail_article"), lambda answer: read_detail(answer, "7400000000000000006")),
    "profile": (load("profile"), lambda answer: encode(parse.user_of(answer, None))),
    "posts page": (listing(), lambda answer: parse.posts_page(answer, ref=USER)),
    "mixes page": (load("mixes_page"), lambda answer: parse.mixes_page(answer, ref=USER)),
    "page data": (load("video_detail"), read_page_data),
}
WAYS = {name: list(ways(answer)) for name, (answer, _) in READERS.items()}


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=250, deadline=None, derandomize=True)
@given(draw=st.data())
def test_any_changed_node_is_read_or_refused_by_name(name: str, draw: st.DataObject) -> None:
    """Whatever is removed or replaced in a good answer, nothing but our own errors comes out, and all can be written."""
    answer, read = READERS[name]
    for _ in range(draw.draw(st.integers(1, 3))):
        way, odd = draw.draw(st.sampled_from(WAYS[name])), draw.draw(st.sampled_from(range(len(ODD))))
        answer = changed(answer, way, ODD[odd])

    with contextlib.suppress(DyvineError):
        read(answer)


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("aweme_id", None, "aweme.aweme_id is missing"),
        ("aweme_id", "../../etc", "aweme.aweme_id is no id"),
        ("aweme_id", ["1"], "aweme.aweme_id is a list, not an id"),
        ("aweme_id", 2**70, "aweme.aweme_id is too large"),
        ("create_time", None, "aweme.create_time is missing"),
        ("create_time", "soon", "aweme.create_time is a text, not a whole number"),
        ("create_time", float("nan"), "aweme.create_time is a number, not a whole number"),
        ("create_time", 1_726_000_000_000, "aweme.create_time is no time"),
        ("author", None, "aweme.author is missing"),
        ("author", {"nickname": "x"}, "aweme.author.sec_uid is missing"),
        ("desc", {"text": "x"}, "aweme.desc is an object, not a text"),
        ("images", "many", "aweme.images is a text, not a list"),
        ("images", [{}] * 1_000_000, "aweme.images has 1000000 entries"),
        ("images", [{"url_list": []}], r"aweme.images\[0\].url_list is missing"),
        ("images", [None], r"aweme.images\[0\] is null, not an object"),
        ("statistics", {"digg_count": 2**63}, "aweme.statistics.digg_count is out of range"),
        (
            "video",
            {"bit_rate": [{"play_addr": 5}]},
            r"aweme.video.bit_rate\[0\].play_addr is a number, not an object",
        ),
    ],
)
def test_an_odd_field_is_named(field: str, value: object, named: str) -> None:
    """The message says which field of which object is missing or of another type."""
    raw = {**load("detail_video")["aweme_detail"], field: value}

    with pytest.raises(UnexpectedResponse, match=named):
        parse.post(raw)


def test_a_huge_id_of_digits_keeps_every_digit() -> None:
    """A 64-bit id that comes as a number is not rounded, and its string twin wins."""
    raw = load("detail_video")["aweme_detail"]
    raw["aweme_id"] = 2**63 - 1
    raw["music"]["id"] = 7399999999999999000
    post = parse.post(raw)

    assert post.ref.id == "9223372036854775807"
    assert post.sound is not None
    assert post.sound.ref.id == "7399999999999999901"


def test_half_an_emoji_becomes_text_that_can_be_written() -> None:
    """A lone surrogate in a title would break every file and pipe behind it."""
    raw = {**load("detail_video")["aweme_detail"], "desc": "河\ud83d", "item_title": "\ud83d\ude00"}
    post = parse.post(raw)

    assert (post.text, post.title) == ("河\ufffd", "😀")
    assert info_json(post).encode()


@pytest.mark.parametrize(
    "text",
    ["![" * 200_000, "![a](" + "x" * 500_000, "![](" * 100_000, "![](a " * 100_000, "![](" + " " * 400_000],
    ids=["opened", "endless", "nested", "spaced", "blank"],
)
def test_an_articles_text_cannot_keep_the_reader_busy(text: str) -> None:
    """Half a megabyte of half-written links is read in a blink, not in minutes."""
    raw = load("detail_article")["aweme_detail"]
    raw["article_info"]["article_content"] = json.dumps({"markdown": text})
    begun = time.process_time()
    parse.post(raw)

    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    "html",
    ['<script id="RENDER_DATA"' * 50_000, 'self.__pace_f.push([1,"' * 50_000, '"videoDetail":{' * 50_000,
     "window._ROUTER_DATA = {" * 50_000, '"videoDetail":' + '{"a":' * 200_000],
    ids=["scripts", "chunks", "details", "routers", "deep"],
)  # fmt: skip
def test_a_pages_html_cannot_keep_the_reader_busy(html: str) -> None:
    """A megabyte of half-written containers ends in our error, in a blink."""
    begun = time.process_time()
    for read in (parse.render_data, parse.router_data):
        with pytest.raises(DyvineError):
            read(html, USER)

    assert time.process_time() - begun < 2
