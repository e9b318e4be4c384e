"""Posts that stand inside Douyin's pages: the web page's data in camel case, the share page's router data (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from dyvine_cli.models import Ref
from dyvine_cli.sites.douyin.answers import of_items, soft_block
from dyvine_cli.sites.douyin.posts import read_post
from dyvine_cli.sites.douyin.refusals import captcha
from dyvine_cli.sites.page_scripts import object_at, script
from dyvine_cli.sites.reading import Record, loads, reading

_DEEPEST = 40
_SCRIPTS = ("RENDER_DATA", "__UNIVERSAL_DATA_FOR_REHYDRATION__")
_CHUNK = re.compile(r"self\.__pace_f\.push\(\[1,(\"(?:[^\"\\]|\\.)*+\")\]\)")
_DETAIL = re.compile(r"\"(?:videoDetail|awemeDetail)\":\s*(?=\{)")
_ROUTER = re.compile(r"window\._ROUTER_DATA\s*=\s*(?=\{)")
_CHALLENGES = ("验证码中间页", "byted_acrawler", "__ac_nonce")
_UPPER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def render_data(html: str, ref: Ref) -> Mapping[str, Any]:
    """The raw post of a www.douyin.com page, brought to the keys of the API.

    Its containers are RENDER_DATA (URL-encoded JSON), universal data and the streamed chunks of newer pages.
    Raises RiskControl for a challenge or captcha page, UnexpectedResponse for a page without the post.
    """
    with reading(f"page {ref}", ref=ref, endpoint="page"):
        for text in _containers(html):
            found = _DETAIL.search(text)
            if found:
                detail = _snake(object_at(text, found.end(), "videoDetail"), 0)
                return _wanted(_translated(detail), ref)
        if any(sign in html for sign in _CHALLENGES):
            raise captcha(f"page {ref}", ref)
        raise LookupError("videoDetail is missing")


def router_data(html: str, ref: Ref) -> Mapping[str, Any]:
    """The raw post of a share page; raises what its `filter_list` says about a withheld one.

    Since 2026-08 the page is an empty shell without a server-issued `ttwid` (reported): RiskControl.
    """
    with reading(f"share page {ref}", ref=ref, endpoint="share"):
        found = _ROUTER.search(html)
        data = Record(object_at(html, found.end(), "_ROUTER_DATA"), "_ROUTER_DATA") if found else None
        loaded = data.record("loaderData") if data else None
        for name in loaded.names() if loaded else ():
            page = loaded.record(name) if loaded and name.endswith("/page") else None
            content = page.record("videoInfoRes") if page else None
            if content:
                return of_items(content.raw, ref)
    raise soft_block(ref, "share page")


def _containers(html: str) -> list[str]:
    scripts = [script(html, name) for name in _SCRIPTS]
    chunks = "".join(str(loads(each[1], "__pace_f")) for each in _CHUNK.finditer(html))
    return [unquote(scripts[0]), *scripts[1:], chunks]


def _wanted(raw: dict[str, Any], ref: Ref) -> Mapping[str, Any]:
    """The post, if the page holds enough of it: articles and withheld posts come without their content."""
    found = of_items({"item_list": [raw]}, ref, endpoint="page")
    read_post(Record(found, "videoDetail"), listed=False)
    return found


def _snake(value: Any, depth: int) -> Any:
    """The same data with keys like `aweme_id` in place of `awemeId`."""
    if depth > _DEEPEST:
        raise ValueError("videoDetail is nested too deeply")
    if isinstance(value, dict):
        return {_UPPER.sub("_", key).lower(): _snake(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [_snake(each, depth + 1) for each in value]
    return value


def _translated(detail: dict[str, Any]) -> dict[str, Any]:
    """The page's names and shapes in the API's: author, statistics, addresses as `url_list`."""
    tag = detail.get("tag")
    raw = {
        **detail,
        "author": detail.get("author_info") or detail.get("author"),
        "statistics": detail.get("stats") or detail.get("statistics"),
        "is_top": tag.get("is_top") if isinstance(tag, dict) else detail.get("is_top"),
        "images": [_image(each) for each in detail.get("images") or ()],
    }
    if isinstance(detail.get("video"), dict):
        raw["video"] = _video(detail["video"])
    return raw


def _image(image: Any) -> Any:
    if isinstance(image, dict) and isinstance(image.get("video"), dict):
        return {**image, "video": _video(image["video"])}
    return image


def _video(video: dict[str, Any]) -> dict[str, Any]:
    """A page's video with the API's `play_addr`, `bit_rate` and covers."""
    ladder = [_gear(each) for each in video.get("bit_rate_list") or ()]
    address = {
        "uri": video.get("uri"),
        "url_list": _sources(video),
        "data_size": video.get("play_addr_size") or video.get("data_size"),
        "file_hash": video.get("play_addr_file_hash"),
        "width": video.get("width"),
        "height": video.get("height"),
    }
    return {
        **video,
        "play_addr": address,
        "play_addr_h264": None,
        "play_addr_265": None,
        "bit_rate": ladder,
        "cover": _covers(video, "cover"),
        "origin_cover": _covers(video, "origin_cover"),
        "cover_original_scale": None,
        "raw_cover": None,
    }


def _gear(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    address = {name: entry.get(name) for name in ("uri", "data_size", "file_hash", "width", "height")}
    return {
        **entry,
        "FPS": entry.get("fps"),
        "format": entry.get("format") or entry.get("video_format"),
        "play_addr": {**address, "url_list": _sources(entry)},
    }


def _sources(entry: dict[str, Any]) -> list[Any]:
    """The addresses of a page's video: `playAddr[].src`, then the address that signs anew."""
    listed = entry.get("play_addr") or ()
    if isinstance(listed, dict):
        return list(listed.get("url_list") or ())
    sources = [each.get("src") for each in listed if isinstance(each, dict)]
    return [each for each in (*sources, entry.get("play_api")) if each]


def _covers(video: dict[str, Any], name: str) -> dict[str, Any] | None:
    urls = video.get(f"{name}_url_list") or video.get(name)
    if isinstance(urls, dict):
        return urls
    return {"url_list": urls if isinstance(urls, list) else [urls]} if urls else None
