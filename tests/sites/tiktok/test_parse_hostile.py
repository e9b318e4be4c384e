"""Answers that lie: missing, renamed, null and odd fields, huge numbers and lists, deep nesting, broken text."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyvine_cli.encode import encode
from dyvine_cli.errors import DyvineError, UnexpectedResponse
from dyvine_cli.models import Post, Ref
from dyvine_cli.sidecar import info_json
from dyvine_cli.sites.tiktok import parse

from ..hostile import ODD, changed, ways

DATA = Path(__file__).parents[2] / "data" / "tiktok"
POST = Ref("tiktok", "post", "7600000000000000001")
PHOTO = Ref("tiktok", "post", "7600000000000000002")
USER = Ref("tiktok", "user", "mira.holm")
TOKEN = "invented"


def load(name: str) -> Any:
    """An answer of ours by its name, fresh each time."""
    return json.loads((DATA / f"{name}.json").read_text("utf-8"))


def item() -> Any:
    """A raw post."""
    return load("page_video")["__DEFAULT_SCOPE__"]["webapp.video-detail"]["itemInfo"]["itemStruct"]


def html(state: Any, id: str) -> str | None:
    """A page with data; None for data that cannot stand in a page."""
    try:
        return f'<script id="{id}" type="application/json">{json.dumps(state)}</script>'
    except (ValueError, RecursionError):
        return None


def write(post: Post) -> None:
    """Whatever a program does with a post."""
    post = parse.unlocked(post, TOKEN)
    info_json(post).encode()
    json.dumps(encode(post, urls=True), ensure_ascii=False, allow_nan=False).encode()


def read_page(state: Any, ref: Ref) -> None:
    """A post's page on its whole way: found, told apart, read, written."""
    text = html(state, "__UNIVERSAL_DATA_FOR_REHYDRATION__")
    if text is not None:
        parse.app_context(text)
        parse.canonical(text)
        post = parse.post(parse.item_of_page(text, ref))
        write(post)
        parse.ensure_available(post)


def read_profile(state: Any) -> None:
    """A profile page on its way."""
    text = html(state, "__UNIVERSAL_DATA_FOR_REHYDRATION__")
    if text is not None:
        encode(parse.user_of_page(text, USER))


def read_older(state: Any) -> None:
    """A post in the older container."""
    text = html(state, "SIGI_STATE")
    if text is not None:
        write(parse.post(parse.item_of_page(text, POST)))


def read_list(answer: Any) -> None:
    """A page of posts on its way."""
    page = parse.posts_page(answer, ref=USER)
    parse.is_repeated(page, ())
    for each in page.items:
        assert isinstance(each, Post)
        write(each)


def read_embed(state: Any) -> None:
    """An embed on its way."""
    text = html(state, "__FRONTITY_CONNECT_STATE__")
    if text is not None:
        for each in parse.embed_page(text, USER).items:
            assert isinstance(each, Post)
            write(each)


def older() -> Any:
    """A post as pages had it until 2023."""
    raw = item()
    account = raw["author"]
    raw.update({"author": "mira.holm", "authorId": "1", "authorSecId": "MS4w"})
    return {"ItemModule": {POST.id: raw}, "UserModule": {"users": {"mira.holm": account}}}


READERS: dict[str, tuple[Any, Callable[[Any], object]]] = {
    "video": (load("page_video"), lambda state: read_page(state, POST)),
    "photo": (load("page_photo"), lambda state: read_page(state, PHOTO)),
    "older page": (older(), read_older),
    "profile": (load("page_user"), read_profile),
    "api item": (
        {"itemInfo": {"itemStruct": item()}, "statusCode": 0},
        lambda answer: write(parse.post(parse.classify_detail(answer, POST), by_detail=True)),
    ),
    "posts page": (load("posts_page"), read_list),
    "playlists page": (load("playlists_page"), lambda answer: parse.mixes_page(answer, ref=USER)),
    "embed": (load("embed_user"), read_embed),
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
        ("id", None, "item.id is missing"),
        ("id", "../../etc", "item.id is no id"),
        ("createTime", None, "item.createTime is missing"),
        ("createTime", "soon", "item.createTime is a text, not a whole number"),
        ("createTime", "1769529296000", "item.createTime is no time"),
        ("author", ["x"], "item.author is a list, not an object"),
        ("desc", {"text": "x"}, "item.desc is an object, not a text"),
        ("statsV2", {"diggCount": "many"}, "item.statsV2.diggCount is a text, not a whole number"),
        ("textExtra", [None], r"item.textExtra\[0\] is null, not an object"),
        ("imagePost", {"images": [{}] * 1_000_000}, "item.imagePost.images has 1000000 entries"),
        (
            "video",
            {"bitrateInfo": [{"PlayAddr": 5}]},
            r"bitrateInfo\[0\].PlayAddr is a number, not an object",
        ),
        ("video", {"bitrateInfo": {"0": 5}}, "bitrateInfo.0 is a number, not an object"),
    ],
)
def test_an_odd_field_is_named(field: str, value: object, named: str) -> None:
    """The message says which field of which object is missing or of another type."""
    with pytest.raises(UnexpectedResponse, match=named):
        parse.post({**item(), field: value})


def test_half_an_emoji_becomes_text_that_can_be_written() -> None:
    """A lone surrogate in a text would break every file and pipe behind it."""
    raw = item()
    raw["desc"] = "river\ud83d"
    raw["author"]["nickname"] = "\ud83d\ude00\udead"
    post = parse.post(raw)

    assert (post.text, post.author.nickname) == ("river\ufffd", "😀\ufffd")
    assert info_json(post).encode()


@pytest.mark.parametrize(
    "html",
    ['<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__"' * 30_000, '<script id="SIGI_STATE">' * 50_000,
     '<script id="__FRONTITY_CONNECT_STATE__">' + '{"a":' * 200_000 + "</script>",
     '<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">' + "[" * 500_000 + "</script>", "captcha-init" * 100_000],
    ids=["scripts", "older", "deep", "lists", "captchas"],
)  # fmt: skip
def test_a_pages_html_cannot_keep_the_reader_busy(html: str) -> None:
    """A megabyte of half-written containers ends in our error, in a blink."""
    begun = time.process_time()
    for read in (parse.item_of_page, parse.user_of_page, parse.embed_page):
        with pytest.raises(DyvineError):
            read(html, USER)

    assert time.process_time() - begun < 2
