"""Data that stands inside TikTok's pages: the hydration scope of its web app, the state of an embed (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit

from dyvine_cli.models import Ref
from dyvine_cli.sites.mirrors import links
from dyvine_cli.sites.page_scripts import script
from dyvine_cli.sites.reading import Record, loads, reading
from dyvine_cli.sites.tiktok.answers import about, classify_detail
from dyvine_cli.sites.tiktok.refusals import blocked, judge_html, soft_block

Raw = Mapping[str, Any]

_HYDRATION = "__UNIVERSAL_DATA_FOR_REHYDRATION__"
_OLDER = ("SIGI_STATE", "sigi-persisted-data")
_EMBED = "__FRONTITY_CONNECT_STATE__"
_DETAILS = ("webapp.video-detail", "webapp.reflow.video.detail")
"""Scopes of a post: of the web page, and of the one for phones."""
_BUILD = r"webmssdk(?:/|\\u002[Ff])([0-9.]+)(?:/|\\u002[Ff])webmssdk"


def hydration(html: str, *, ref: Ref | None = None, endpoint: str = "page") -> Raw:
    """The scopes of a page by their names: `webapp.video-detail`, `webapp.user-detail`, `webapp.app-context`, …

    Raises what the page is instead (proof of work, captcha, no service in this country, shell), RiskControl for one
    of no known form.
    """
    with reading(about(ref, endpoint), ref=ref, endpoint=endpoint):
        data = _data(html)
        if data is not None:
            return Record(data, _HYDRATION).required_record("__DEFAULT_SCOPE__").raw
    judge_html(html, endpoint=endpoint, ref=ref)
    raise blocked(endpoint, "a page without data came", ref)


def app_context(html: str) -> Raw:
    """Who a page takes its visitor for: `wid`, `odinId`, `webIdCreatedTime`, `region`; empty if it does not say."""
    found = _scopes(html).get("webapp.app-context")
    return found if isinstance(found, Mapping) else {}


def build_named_by(page: str) -> str | None:
    """The SCM version of the SDK that a page loads, to be compared with that of the signing constants; None if it names none."""
    found = re.search(_BUILD, page)
    return found[1] if found else None


def own_number(context: Raw) -> str:
    """The number of the account that is logged in, from `app_context`; "" for a visitor."""
    own = context.get("user")
    uid = own.get("uid") if isinstance(own, Mapping) else None
    return uid if isinstance(uid, str) else ""


def canonical(html: str) -> str:
    """The address that a page names as its own, which is the one to load if it lacks the post; "" if none."""
    return _canonical(_scopes(html))


def item_of_page(html: str, ref: Ref, *, login: bool = False) -> Raw:
    """The raw post of its page; raises like `classify_detail`, RiskControl for a page without a post."""
    older = None if _HYDRATION in html else _older_item(html, ref)
    if older is not None:
        return older
    scopes = hydration(html, ref=ref)
    detail = next((scopes[name] for name in _DETAILS if scopes.get(name)), None)
    if detail is None:
        raise soft_block(ref, "page")
    return _with_author(classify_detail(detail, ref, login=login, endpoint="page"), scopes)


def embed_state(html: str, ref: Ref) -> Record:
    """The part of an embed page's state that is about an account and its posts."""
    with reading(about(ref, "embed"), ref=ref, endpoint="embed"):
        text = script(html, _EMBED)
        if text:
            source = Record(loads(text, _EMBED), _EMBED).required_record("source")
            return _about_account(source.required_record("data")) or source.missing("data")
    judge_html(html, endpoint="embed", ref=ref)
    raise blocked("embed", "a page without data came", ref)


@lru_cache(maxsize=1)
def _data(html: str) -> Any:
    """What stands in a page's hydration script, None if it has none. Raises ValueError for what is no JSON.

    The last page's is kept: it has half a megabyte, and is asked for its visitor, its post and its own address.
    """
    text = script(html, _HYDRATION)
    return loads(text, _HYDRATION) if text else None


def _scopes(html: str) -> Raw:
    """The scopes of a page, empty for one that has none to read."""
    try:
        data = _data(html)
    except ValueError:
        return {}
    found = data.get("__DEFAULT_SCOPE__") if isinstance(data, dict) else None
    return found if isinstance(found, Mapping) else {}


def _canonical(scopes: Raw) -> str:
    """A web address, or "" for anything else."""
    found = scopes.get("seo.abtest")
    said = found.get("canonical") if isinstance(found, Mapping) else None
    return next(iter(links([said])), "") if isinstance(said, str) else ""


def _about_account(data: Record) -> Record | None:
    for name in data.names():
        if isinstance(data.raw[name], Mapping) and {"videoList", "userInfo"} & set(data.raw[name]):
            return data.record(name)
    return None


def _with_author(item: Raw, scopes: Raw) -> Raw:
    """The post with the handle of the page's own address, if it has no author (some old posts)."""
    first = urlsplit(_canonical(scopes)).path.split("/")[1:2] if not item.get("author") else []
    handle = unquote(first[0]).removeprefix("@") if first and first[0].startswith("@") else ""
    return {**item, "author": {"uniqueId": handle}} if handle else item


def _older_item(html: str, ref: Ref) -> Raw | None:
    """The post in the container that pages had until 2023, with the account it names by its handle."""
    text = next((found for name in _OLDER if (found := script(html, name))), "")
    with reading(about(ref, "page"), ref=ref, endpoint="page"):
        state = Record(loads(text, "SIGI_STATE"), "SIGI_STATE") if text else None
        items = state.record("ItemModule") if state else None
        item = items.record(ref.id) if items else None
        if state is None or item is None:
            return None
        people = state.record("UserModule")
        users = people.record("users") if people else None
        said = item.raw.get("author")
        author = users.record(said) if users and isinstance(said, str) else None
        made = {**item.raw, "author": author.raw} if author else item.raw
        return classify_detail({"itemInfo": {"itemStruct": made}}, ref, endpoint="page")
