"""From Douyin's raw answers to models: the door to the rooms that read posts, accounts and listings (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dyvine_cli.errors import NotFound
from dyvine_cli.models import Mix, Page, Post, Ref, User
from dyvine_cli.sites import availability
from dyvine_cli.sites.douyin.accounts import read_user
from dyvine_cli.sites.douyin.answers import (
    batch,
    classify_detail,
    classify_search,
    ensure_served,
    of_batch,
    of_feed,
    of_items,
    soft_block,
)
from dyvine_cli.sites.douyin.listing import read_mixes, read_posts
from dyvine_cli.sites.douyin.page_data import render_data, router_data
from dyvine_cli.sites.douyin.posts import read_mix, read_post
from dyvine_cli.sites.reading import Record, reading

__all__ = [
    "batch",
    "classify_detail",
    "classify_search",
    "ensure_available",
    "ensure_served",
    "mix",
    "mix_of",
    "mixes_page",
    "of_batch",
    "of_feed",
    "of_items",
    "post",
    "posts_page",
    "render_data",
    "router_data",
    "soft_block",
    "user",
    "user_of",
]


def post(raw: Mapping[str, Any], *, ref: Ref | None = None, listed: bool = False) -> Post:
    """One post from its raw form; `ref` only names it in errors. `listed` says that it comes from a listing.

    A post that is not for us (deleted, private, paid, login only) is a Post with what it says and the assets it still
    has; `ensure_available` raises. Raises UnexpectedResponse naming the field, also for a live card, which is no post.
    """
    with reading(f"post {ref or ''}".strip(), ref=ref):
        return read_post(Record(raw, "aweme"), listed=listed)


def user(raw: Mapping[str, Any], *, ref: Ref | None = None) -> User:
    """An account from `user` of a profile answer, or `user_info` of the H5 answer."""
    with reading(f"user {ref or ''}".strip(), ref=ref):
        return read_user(Record(raw, "user"))


def user_of(answer: object, ref: Ref | None, *, endpoint: str = "profile") -> User:
    """The account that a profile answer or an H5 answer is about.

    Raises NotFound when the answer has a place for it and nothing there, RiskControl when it has no such place.
    """
    record = ensure_served(answer, ref=ref, endpoint=endpoint)
    with reading(f"{endpoint} {ref or ''}".strip(), ref=ref, endpoint=endpoint):
        for name in ("user", "user_info"):
            if found := record.record(name):
                return read_user(found)
        if {"user", "user_info"} & set(record.names()):
            raise NotFound(f"{ref or endpoint}: there is no such account", ref=ref, endpoint=endpoint)
    raise soft_block(ref, endpoint)


def mix(raw: Mapping[str, Any], *, ref: Ref | None = None) -> Mix:
    """A mix from `mix_info`, or a short-drama series from `series_info`."""
    with reading(f"mix {ref or ''}".strip(), ref=ref):
        return read_mix(Record(raw, "mix_info"))


def mix_of(answer: object, ref: Ref, *, endpoint: str = "mix/detail") -> Mix:
    """The mix or series that a detail answer is about. Raises like `user_of`."""
    record = ensure_served(answer, ref=ref, endpoint=endpoint)
    with reading(f"{endpoint} {ref}", ref=ref, endpoint=endpoint):
        for name in ("mix_info", "series_info"):
            if found := record.record(name):
                return read_mix(found)
        if {"mix_info", "series_info"} & set(record.names()):
            raise NotFound(f"{ref}: there is no such {ref.kind}", ref=ref, endpoint=endpoint)
    raise soft_block(ref, endpoint)


def posts_page(answer: object, *, ref: Ref, what: str | None = None) -> Page:
    """One page of posts: of an account (posts, likes, favourites, history), a mix, a series, a sound or a hashtag.

    `what` names the listing in errors. Entries without content count as `hidden`, live cards and strangers'
    advertisements as `skipped`; a post that cannot be read is one of `unreadable` while others can. `cut` is set when
    Douyin wants a login for more; `next` may still go on. Raises RiskControl when the list is missing,
    UnexpectedResponse when no post can be read or more is promised without a cursor.
    """
    endpoint = what or "list"
    record = ensure_served(answer, ref=ref, endpoint=endpoint)
    if record.raw.get("aweme_list") is None:
        raise soft_block(ref, endpoint)
    with reading(f"{endpoint} {ref}", ref=ref, endpoint=endpoint):
        return read_posts(record, ref)


def mixes_page(answer: object, *, ref: Ref) -> Page:
    """One page of an account's mixes. Raises like `posts_page`."""
    record = ensure_served(answer, ref=ref, endpoint="mixes")
    if record.raw.get("mix_infos") is None:
        raise soft_block(ref, "mixes")
    with reading(f"mixes {ref}", ref=ref, endpoint="mixes"):
        return read_mixes(record)


def ensure_available(post: Post, *, login: bool = False) -> Post:
    """The same post, if there is something of it for us; raises like `availability.ensure_available`."""
    return availability.ensure_available(post, platform="Douyin", login=login)
