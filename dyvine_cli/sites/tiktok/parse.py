"""From TikTok's raw answers to models: the door to the rooms that read posts, accounts and listings (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dyvine_cli.errors import NotFound
from dyvine_cli.models import Author, Mix, Page, Post, Ref, User
from dyvine_cli.sites import availability
from dyvine_cli.sites.reading import Record, reading
from dyvine_cli.sites.tiktok import renditions
from dyvine_cli.sites.tiktok.accounts import read_user
from dyvine_cli.sites.tiktok.answers import about, classify_detail, ensure_served
from dyvine_cli.sites.tiktok.listing import is_repeated, read_embed, read_mixes, read_posts
from dyvine_cli.sites.tiktok.page_data import (
    app_context,
    canonical,
    embed_state,
    hydration,
    item_of_page,
    own_number,
)
from dyvine_cli.sites.tiktok.posts import read_mix, read_post
from dyvine_cli.sites.tiktok.refusals import rejected, soft_block

__all__ = [
    "app_context",
    "canonical",
    "classify_detail",
    "embed_page",
    "ensure_available",
    "ensure_served",
    "hydration",
    "is_repeated",
    "item_of_page",
    "mix",
    "mix_of",
    "mixes_page",
    "own_number",
    "post",
    "posts_page",
    "soft_block",
    "unlocked",
    "user",
    "user_of",
    "user_of_page",
]


def post(raw: Mapping[str, Any], *, ref: Ref | None = None, by_detail: bool = False) -> Post:
    """One post from its raw form; `ref` only names it in errors. `by_detail` says that it comes from the API's detail
    call, of whose addresses only the player's work.

    Its files need `unlocked` before they can be fetched. A post that is not for us (private, taken down, login only)
    is a Post with what it says and the assets it still has; `ensure_available` raises. Raises UnexpectedResponse
    naming the field.
    """
    with reading(f"post {ref or ''}".strip(), ref=ref):
        return read_post(Record(raw, "item"), by_detail=by_detail)


def unlocked(post: Post, token: str) -> Post:
    """The same post with the cookie `tt_chain_token` on the addresses that ask for it, and on no other.

    `token` is that cookie's value as it came with the page or answer that named the addresses (another page's is
    refused); "" changes nothing.
    """
    return replace(
        post,
        assets=tuple(
            replace(asset, renditions=tuple(renditions.unlocked(each, token) for each in asset.renditions))
            for asset in post.assets
        ),
    )


def user(raw: Mapping[str, Any], *, ref: Ref | None = None) -> User:
    """An account from `userInfo`: `{user, stats, statsV2}`."""
    with reading(f"user {ref or ''}".strip(), ref=ref):
        return read_user(Record(raw, "userInfo"))


def user_of(answer: object, ref: Ref | None, *, login: bool = False, endpoint: str = "user/detail") -> User:
    """The account that `/api/user/detail/` or a page's `webapp.user-detail` is about.

    A private account is a User with that state if TikTok names it. Raises Private where it does not, Banned for one
    that is banned or never was, RiskControl for an answer without an account.
    """
    record = ensure_served(answer, ref=ref, endpoint=endpoint, login=login)
    with reading(about(ref, endpoint), ref=ref, endpoint=endpoint):
        info = record.record("userInfo")
        if info and "user" in info:
            return read_user(info)
    raise soft_block(ref, endpoint)


def user_of_page(html: str, ref: Ref, *, login: bool = False) -> User:
    """The account of a profile page. Raises like `user_of` and `hydration`."""
    detail = hydration(html, ref=ref, endpoint="profile page").get("webapp.user-detail")
    if detail is None:
        raise soft_block(ref, "profile page")
    return user_of(detail, ref, login=login, endpoint="profile page")


def mix(raw: Mapping[str, Any], *, ref: Ref | None = None) -> Mix:
    """A playlist from `mixInfo` or an entry of `playList`."""
    with reading(f"mix {ref or ''}".strip(), ref=ref):
        return read_mix(Record(raw, "mixInfo"))


def mix_of(answer: object, ref: Ref, *, endpoint: str = "mix/detail") -> Mix:
    """The playlist that a detail answer is about.

    Raises NotFound when the answer has a place for it and nothing there, RiskControl when it has no such place.
    """
    record = ensure_served(answer, ref=ref, endpoint=endpoint)
    with reading(about(ref, endpoint), ref=ref, endpoint=endpoint):
        if found := record.record("mixInfo"):
            return read_mix(found)
        if "mixInfo" in record.names():
            raise NotFound(f"{ref}: there is no such {ref.kind}", ref=ref, endpoint=endpoint)
    raise soft_block(ref, endpoint)


def posts_page(answer: object, *, ref: Ref, what: str | None = None, login: bool = False) -> Page:
    """One page of posts: of an account (posts, likes, reposts, saved), a playlist, a collection, a sound or a hashtag.

    `what` names the listing in errors. Entries without content count as `hidden`, strangers' advertisements as
    `skipped`; a post that cannot be read is one of `unreadable` while others can. A list that is missing where no more
    is promised is empty. Raises SignatureRejected where more is promised (another device id may help), RiskControl
    where nothing is said, UnexpectedResponse when no post can be read or more is promised without a cursor.
    """
    endpoint = what or "list"
    record = _list_of(answer, "itemList", ref=ref, endpoint=endpoint, login=login)
    with reading(about(ref, endpoint), ref=ref, endpoint=endpoint):
        return read_posts(record, ref)


def mixes_page(answer: object, *, ref: Ref, login: bool = False) -> Page:
    """One page of an account's playlists. Raises like `posts_page`."""
    record = _list_of(answer, "playList", ref=ref, endpoint="playlists", login=login)
    with reading(about(ref, "playlists"), ref=ref, endpoint="playlists"):
        return read_mixes(record)


def embed_page(html: str, ref: Ref, *, author: Author | None = None) -> Page:
    """The newest ten to twelve posts of an account from its embed page, which says nothing of the others: `cut`.

    Each has one encoding; photo posts have no pictures there, so their own page must be asked. The page does not know
    the account's stable id, so give the `author` if they are known. Raises Private, Banned, NotFound as the page says.
    """
    node = embed_state(html, ref)
    with reading(about(ref, "embed"), ref=ref, endpoint="embed"):
        return read_embed(node, ref, author)


def ensure_available(post: Post, *, login: bool = False) -> Post:
    """The same post, if there is something of it for us; raises like `availability.ensure_available`."""
    return availability.ensure_available(post, platform="TikTok", login=login)


def _list_of(answer: object, name: str, *, ref: Ref, endpoint: str, login: bool) -> Record:
    record = ensure_served(answer, ref=ref, endpoint=endpoint, login=login)
    with reading(about(ref, endpoint), ref=ref, endpoint=endpoint):
        if record.raw.get(name) is None:
            if record.flag("hasMore"):
                raise rejected(endpoint, "it promises more and sends no list", ref)
            if "hasMore" not in record.names():
                raise soft_block(ref, endpoint)
        return record
