"""Accounts and the short form of them that stands in posts (pure)."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from dyvine_cli.models import Author, Ref, User
from dyvine_cli.sites.reading import Record
from dyvine_cli.sites.tiktok import renditions

SITE = "tiktok"

_FOLLOWS = (1, 2)
"""`relation` of an account that we follow, and that follows us back."""

_AVATARS = ("avatarLarger", "avatarMedium", "avatarThumb")


def read_user(info: Record) -> User:
    """An account from `userInfo`.

    `stats` is rounded and overflows (recorded: -1614092016 likes), `statsV2` is exact: it counts first. `diggCount`
    is 0 for likes that are hidden, too.
    """
    raw = info.required_record("user")
    handle = raw.text("uniqueId")
    likes_are_public = raw.flag("openFavorite") if "openFavorite" in raw.names() else None
    return User(
        ref=Ref(SITE, "user", raw.required_id("secUid")),
        url=f"https://www.tiktok.com/@{quote(handle, safe='')}",
        uid=raw.id("id"),
        handle=handle,
        nickname=raw.text("nickname"),
        signature=raw.text("signature"),
        state=_state(raw),
        verified="verified" if raw.flag("verified") else "",
        declared=count(info, "videoCount"),
        followers=count(info, "followerCount"),
        following=count(info, "followingCount"),
        likes_received=_likes_received(info),
        likes_given=count(info, "diggCount") or (0 if likes_are_public else None),
        likes_are_public=likes_are_public,
        region=raw.text("region") or None,
        live_room=_live_room(raw),
        avatar=renditions.still(*(raw.text(name) for name in _AVATARS)),
        raw=info.raw,
    )


def read_author(raw: Record) -> Author:
    """The account beside a post; the stable id is missing in embeds: then the number, then the handle stands in."""
    uid, handle = raw.id("id"), raw.text("uniqueId")
    return Author(
        id=raw.id("secUid") or uid or handle, uid=uid, handle=handle, nickname=raw.text("nickname") or handle
    )


def count(raw: Record, name: str) -> int | None:
    """A count from `statsV2` (text), else from `stats`; a negative one is an overflow: not said."""
    for stats in (raw.record("statsV2"), raw.record("stats")):
        found = stats.whole(name) if stats else None
        if found is not None and found >= 0:
            return found
    return None


def _likes_received(info: Record) -> int | None:
    found = count(info, "heartCount")
    return count(info, "heart") if found is None else found


def _state(raw: Record) -> Literal["public", "private"]:
    """A private account's posts can be listed by those who follow it."""
    hidden = raw.flag("privateAccount") or raw.flag("secret")
    return "private" if hidden and raw.whole("relation") not in _FOLLOWS else "public"


def _live_room(raw: Record) -> Ref | None:
    """The room an account broadcasts in now: `roomId` stays after the end, so that only status 2 makes it one."""
    id = raw.id("roomId")
    return Ref(SITE, "room", id) if id and raw.whole("status") == 2 else None
