"""Our objects and events as JSON: the words of `models` and `events`, ids as strings, times ISO 8601 in UTC (pure).

The shapes are published in `schemas/`. An address of media is signed and runs out, so it is written only when asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dyvine_cli.errors import DyvineError
from dyvine_cli.events import (
    Advanced,
    Balance,
    Cut,
    Event,
    Failed,
    Finished,
    Listed,
    Saved,
    Skipped,
    SourceBegun,
    Started,
    Summarized,
    SyncedSource,
    Waiting,
    Warned,
)
from dyvine_cli.models import Asset, Author, Mix, Post, Ref, Rendition, Sound, User

VERSION = 1
"""The `v` of every object and event; a later one may take fields away, this one only gains them."""

Json = dict[str, Any]


_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What `json` leaves as it is though it moves a terminal's cursor, turns its text around or ends a line."""


def dumps(value: Any, *, indent: int | None = None, allow_nan: bool = True) -> str:
    """A value as JSON whose characters are all harmless to show, and whose only line breaks are those of `indent`.

    Half characters, which UTF-8 cannot hold, become `?`. Without `allow_nan` raises ValueError for a number that JSON
    has not.
    """
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators, allow_nan=allow_nan)
    harmless = _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return harmless.encode("utf-8", "replace").decode()


def encode(value: Post | User | Mix, *, urls: bool = False) -> Json:
    """A post, an account or a mix as an object of its schema; `urls` adds media addresses and what their hosts need."""
    match value:
        case Post():
            return {"v": VERSION, "type": "post", **_post(value, urls)}
        case User():
            return {"v": VERSION, "type": "user", **_user(value, urls)}
        case Mix():
            return {"v": VERSION, "type": "mix", **_mix(value, urls)}


def encode_event(event: Event, *, time: datetime | None = None) -> Json:
    """One event as an object of the event schema; `time` None is now.

    `Advanced` and `Finished` are steps that a listener adds up: they become `progress`, with their own counts.
    """
    name, fields = _event(event)
    return {**stamp(name, time=time), **fields}


def stamp(event: str, *, time: datetime | None = None) -> Json:
    """What every event begins with: version, name, time."""
    return {"v": VERSION, "event": event, "time": moment(time or datetime.now(UTC), precise=True)}


def moment(time: datetime, *, precise: bool = False) -> str:
    """`2026-01-31T08:00:00Z`; `precise` adds milliseconds."""
    written = time.astimezone(UTC).isoformat(timespec="milliseconds" if precise else "seconds")
    return written.removesuffix("+00:00") + "Z"


def _post(post: Post, urls: bool) -> Json:
    return {
        "ref": str(post.ref),
        "site": post.ref.site,
        "id": post.ref.id,
        "kind": post.kind,
        "url": post.url,
        "title": post.title,
        "text": post.text,
        "text_is_cut": post.text_is_cut,
        "created": moment(post.created),
        "duration": post.duration,
        "author": _author(post.author),
        "co_authors": [_author(each) for each in post.co_authors],
        "statistics": {
            "likes": post.statistics.likes,
            "comments": post.statistics.comments,
            "favorites": post.statistics.favorites,
            "shares": post.statistics.shares,
            "plays": post.statistics.plays,
        },
        "tags": [{"name": each.name, "id": each.id} for each in post.tags],
        "mentions": [{"user_id": each.user_id, "name": each.name} for each in post.mentions],
        "sound": _sound(post.sound, urls) if post.sound else None,
        "mix": _mix(post.mix, urls) if post.mix else None,
        "episode": post.episode,
        "pinned": post.pinned,
        "story": post.story,
        "ad": post.ad,
        "access": post.access,
        "paid": post.paid,
        "login_only": post.login_only,
        "notice": post.notice,
        "region": post.region,
        "assets": [_asset(each, urls) for each in post.assets],
    }


def _user(user: User, urls: bool) -> Json:
    return {
        "ref": str(user.ref),
        "site": user.ref.site,
        "id": user.ref.id,
        "uid": user.uid,
        "handle": user.handle,
        "nickname": user.nickname,
        "url": user.url,
        "signature": user.signature,
        "state": user.state,
        "state_reason": user.state_reason,
        "verified": user.verified,
        "declared": user.declared,
        "followers": user.followers,
        "following": user.following,
        "likes_received": user.likes_received,
        "likes_given": user.likes_given,
        "likes_are_public": user.likes_are_public,
        "mixes": user.mixes,
        "region": user.region,
        "live_room": str(user.live_room) if user.live_room else None,
        "avatar": _rendition(user.avatar, urls) if user.avatar else None,
    }


def _mix(mix: Mix, urls: bool) -> Json:
    return {
        "ref": str(mix.ref),
        "site": mix.ref.site,
        "id": mix.ref.id,
        "title": mix.title,
        "description": mix.description,
        "author": _author(mix.author) if mix.author else None,
        "declared": mix.declared,
        "created": moment(mix.created) if mix.created else None,
        "updated": moment(mix.updated) if mix.updated else None,
        "cover": _rendition(mix.cover, urls) if mix.cover else None,
    }


def _author(author: Author) -> Json:
    return {"id": author.id, "uid": author.uid, "handle": author.handle, "nickname": author.nickname}


def _sound(sound: Sound, urls: bool) -> Json:
    return {
        "ref": str(sound.ref),
        "id": sound.ref.id,
        "title": sound.title,
        "author": sound.author,
        "duration": sound.duration,
        "original": sound.original,
        "rendition": _rendition(sound.rendition, urls) if sound.rendition else None,
    }


def _asset(asset: Asset, urls: bool) -> Json:
    return {
        "id": asset.id,
        "kind": asset.kind,
        "index": asset.index,
        "language": asset.language,
        "text": asset.text,
        "renditions": [_rendition(each, urls) for each in asset.renditions],
    }


def _rendition(rendition: Rendition, urls: bool) -> Json:
    encoded: Json = {
        "ext": rendition.ext,
        "label": rendition.label,
        "width": rendition.width,
        "height": rendition.height,
        "fps": rendition.fps,
        "codec": rendition.codec,
        "bit_rate": rendition.bit_rate,
        "size": rendition.size,
        "watermarked": rendition.watermarked,
        "has_sound": rendition.has_sound,
        "original": rendition.original,
    }
    if urls:
        encoded["mirrors"] = list(rendition.mirrors)
        encoded["headers"] = _shown(rendition.headers)
        encoded["mirror_headers"] = {url: _shown(own) for url, own in rendition.mirror_headers.items()}
        encoded["expires"] = moment(rendition.expires) if rendition.expires else None
    return encoded


def _shown(headers: Mapping[str, str]) -> Json:
    """Headers without cookies, which are secrets."""
    return {name: value for name, value in headers.items() if name.lower() != "cookie"}


def _event(event: Event) -> tuple[str, Json]:
    match event:
        case SourceBegun():
            return "source", _source(event)
        case Listed():
            return "listed", {"ref": str(event.ref), "count": event.count, "total": event.total}
        case Skipped():
            return "skipped", {**_about(event), "reason": event.reason, "path": _path(event.path)}
        case Started():
            size = {"size": event.size, "begun": event.begun}
            return "started", {"ref": str(event.ref), "asset": event.asset, "path": _path(event.path), **size}
        case Saved():
            file = {"path": _path(event.path), "size": event.size, "sha256": event.sha256}
            return "saved", {**_about(event), **file}
        case Failed():
            return "failed", {**_about(event), "text": event.text, **error_fields(event.error)}
        case Waiting():
            told = {"site": event.site, "seconds": event.seconds, "reason": event.reason}
            return "waiting", {"ref": None, **told}
        case Warned():
            return "warning", {"ref": _ref(event.ref), "message": event.message, "hint": event.hint}
        case Cut():
            return "cut", _cut(event)
        case Summarized():
            return "summary", _summary(event)
        case Advanced() | Finished():
            return "progress", _step(event)


def error_fields(error: DyvineError) -> Json:
    """An error in the words that are the same at every door: its name, message, cure and exit status."""
    return {
        "error": error.name,
        "message": error.message,
        "hint": error.hint,
        "exit_code": error.exit_code,
    }


def _about(event: Skipped | Saved | Failed) -> Json:
    return {"ref": _ref(event.ref), "asset": event.asset, "source": _ref(event.source)}


def _source(event: SourceBegun) -> Json:
    return {
        "ref": str(event.ref),
        "title": event.title,
        "declared": event.declared,
        "calls": event.calls,
        "estimate": event.estimate,
    }


def _cut(event: Cut) -> Json:
    return {
        "ref": str(event.ref),
        **error_fields(event.error),
        "listed": event.listed,
        "declared": event.declared,
        "resumable": event.resumable,
    }


def _step(event: Advanced | Finished) -> Json:
    if isinstance(event, Advanced):
        return {"ref": str(event.ref), "size": event.count}
    return {"ref": str(event.ref), "posts": 1}


def _summary(event: Summarized) -> Json:
    return {
        "ref": None,
        "files": event.files,
        "size": event.size,
        "posts": event.posts,
        "known": event.known,
        "failed": event.failed,
        "seconds": round(event.seconds, 3),
        "exit_code": event.exit_code,
        "reasons": _counts(event.reasons),
        "balances": [_balance(each) for each in event.balances],
        "next_try": moment(event.next_try) if event.next_try else None,
        **({} if event.sources is None else {"sources": [_synced(each) for each in event.sources]}),
    }


def _synced(source: SyncedSource) -> Json:
    return {
        "ref": _ref(source.ref),
        "name": source.name,
        "state": source.state,
        "new": source.new,
        "failed": source.failed,
        "hidden": source.hidden,
        "size": source.size,
        "seconds": round(source.seconds, 3),
        "error": source.error,
        "reasons": _counts(source.reasons),
    }


def _balance(balance: Balance) -> Json:
    return {
        "ref": str(balance.ref),
        "title": balance.title,
        "listed": balance.listed,
        "earlier": balance.earlier,
        "declared": balance.declared,
        "hidden": balance.hidden,
        "saved": balance.saved,
        "known": balance.known,
        "filtered": balance.filtered,
        "failed": balance.failed,
        "complete": balance.complete,
        "stopped": balance.stopped,
        "reasons": _counts(balance.reasons),
    }


def _counts(reasons: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(reasons.items()))


def _ref(ref: Ref | None) -> str | None:
    return str(ref) if ref else None


def _path(path: Path | None) -> str | None:
    """A path as text that UTF-8 can hold: half characters of a name become `?`."""
    return str(path).encode("utf-8", "replace").decode() if path else None
