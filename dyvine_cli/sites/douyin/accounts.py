"""Accounts and the short form of them that stands in posts (pure)."""

from __future__ import annotations

import re
from typing import Literal

from dyvine_cli.models import Author, Ref, Rendition, User
from dyvine_cli.sites.douyin import renditions
from dyvine_cli.sites.reading import Record

SITE = "douyin"

_GONE_WORDS = ("注销", "重置")
_BANNED_WORDS = ("封禁", "违规", "违反")


def read_user(raw: Record) -> User:
    """An account from a profile's `user` or the H5 `user_info`."""
    sec_uid = raw.required_id("sec_uid")
    state, reason = _state(raw)
    favorites = raw.raw.get("show_favorite_list")
    return User(
        ref=Ref(SITE, "user", sec_uid),
        url=f"https://www.douyin.com/user/{sec_uid}",
        uid=raw.id("uid"),
        handle=raw.id("unique_id") or raw.id("short_id"),
        nickname=raw.text("nickname"),
        signature=raw.text("signature"),
        state=state,
        state_reason=reason,
        verified=raw.text("custom_verify") or raw.text("enterprise_verify_reason"),
        declared=raw.whole("aweme_count"),
        followers=raw.whole("follower_count"),
        following=raw.whole("following_count"),
        likes_received=raw.whole("total_favorited"),
        likes_given=raw.whole("favoriting_count"),
        likes_are_public=None if favorites is None else raw.flag("show_favorite_list"),
        mixes=raw.whole("mix_count"),
        region=place(raw.text("ip_location")) or None,
        live_room=_live_room(raw),
        avatar=_avatar(raw),
        raw=raw.raw,
    )


def _state(raw: Record) -> tuple[Literal["public", "private", "banned", "cancelled"], str]:
    """Whether an account's posts can be listed, and the platform's own sentence if not.

    Private: `secret` 1 with `special_state` 4 (recorded). Cancelled: `user_canceled`, or `special_state` 1 with
    `user_deleted` (reported); banned: `is_ban`. The sentence decides where no flag does.
    """
    special = raw.record("special_state_info")
    said = (
        "：".join(part for part in (special.text("title"), special.text("content")) if part)
        if special
        else ""
    )
    if raw.flag("user_canceled") or raw.flag("user_deleted") or any(word in said for word in _GONE_WORDS):
        return "cancelled", said
    if raw.flag("is_ban") or any(word in said for word in _BANNED_WORDS):
        return "banned", said
    if raw.flag("secret") or (special and special.whole("special_state") == 4):
        return "private", said
    return "public", ""


def _live_room(raw: Record) -> Ref | None:
    """The room an account broadcasts in now: its lasting number where `room_data` has it, else this broadcast's."""
    if raw.whole("live_status") != 1:
        return None
    room = raw.embedded("room_data")
    owner = room.record("owner") if room else None
    id = (owner.id("web_rid") if owner else "") or raw.id("room_id_str", "room_id")
    return Ref(SITE, "room", id) if id else None


def _avatar(raw: Record) -> Rendition | None:
    sizes = ("avatar_larger", "avatar_300x300", "avatar_medium", "avatar_168x168", "avatar_thumb")
    return next((found for name in sizes if (found := renditions.still(raw.record(name)))), None)


def read_author(raw: Record) -> Author:
    """`unique_id` is the handle a person chose, `short_id` the numeric one everybody has."""
    uid = raw.id("uid", "id_str", "id")
    return Author(
        id=raw.required_id("sec_uid"),
        uid=uid,
        handle=raw.id("unique_id") or raw.id("short_id"),
        nickname=raw.text("nickname"),
    )


def place(text: str) -> str:
    """`IP属地：广东` without the words for "place of the address"."""
    return re.sub(r"^IP属地[：:]\s*", "", text)
