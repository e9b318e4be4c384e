"""What a post can be asked for: each field with its kind and how it is read."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from dyvine_cli.models import Asset, Post, PostKind, Rendition

Kind = Literal["number", "duration", "size", "date", "text", "flag"]


@dataclass(frozen=True, slots=True)
class Field:
    """Something a post can be asked for.

    `read` gives the fact as its kind has it: a number (seconds for a duration, bytes for a size), a moment, a truth, or
    for a text all of its values; None if the platform did not say. `known` are the only values, if they are few.
    """

    kind: Kind
    read: Callable[[Post], Any]
    known: tuple[str, ...] = ()


def _title(post: Post) -> tuple[str, ...]:
    lines = (line.strip() for line in post.text.splitlines())
    return (post.title.strip() or next((line for line in lines if line), ""),)


def _author(post: Post) -> tuple[str, ...]:
    author = post.author
    return tuple(each for each in (author.nickname, author.handle, author.uid, author.id) if each)


def _size(post: Post) -> int | None:
    sizes = [max((each.size or 0 for each in _offers(asset)), default=0) for asset in _main(post)]
    return sum(sizes) if sizes and all(sizes) else None


def _side(name: str) -> Callable[[Post], float | None]:
    """Reads width, height or fps of the largest encoding of the first file."""

    def read(post: Post) -> float | None:
        asset = next(_main(post), None)
        offers = [each for each in _offers(asset) if each.width and each.height] if asset else []
        largest = max(offers, key=lambda each: (each.width or 0) * (each.height or 0), default=None)
        value: float | None = getattr(largest, name, None)
        return value

    return read


def _main(post: Post) -> Iterator[Asset]:
    """The videos, pictures and clips of a post."""
    return (each for each in post.assets if each.kind in ("video", "picture", "clip"))


def _offers(asset: Asset) -> list[Rendition]:
    """The encodings without a watermark; all if none is without."""
    return [each for each in asset.renditions if not each.watermarked] or list(asset.renditions)


FIELDS: Mapping[str, Field] = {
    "likes": Field("number", operator.attrgetter("statistics.likes")),
    "comments": Field("number", operator.attrgetter("statistics.comments")),
    "shares": Field("number", operator.attrgetter("statistics.shares")),
    "favorites": Field("number", operator.attrgetter("statistics.favorites")),
    "plays": Field("number", operator.attrgetter("statistics.plays")),
    "duration": Field("duration", operator.attrgetter("duration")),
    "width": Field("number", _side("width")),
    "height": Field("number", _side("height")),
    "fps": Field("number", _side("fps")),
    "size": Field("size", _size),
    "date": Field("date", operator.attrgetter("created")),
    "kind": Field("text", lambda post: (post.kind,), get_args(PostKind)),
    "title": Field("text", _title),
    "text": Field("text", lambda post: (post.title, post.text)),
    "hashtag": Field("text", lambda post: tuple(tag.name for tag in post.tags)),
    "author": Field("text", _author),
    "nickname": Field("text", lambda post: (post.author.nickname,)),
    "handle": Field("text", lambda post: (post.author.handle,)),
    "uid": Field("text", lambda post: (post.author.uid,)),
    "id": Field("text", lambda post: (post.ref.id,)),
    "site": Field("text", lambda post: (post.ref.site,), ("douyin", "tiktok")),
    "mix": Field("text", lambda post: (post.mix.title,) if post.mix else None),
    "episode": Field("number", operator.attrgetter("episode")),
    "sound": Field("text", lambda post: (post.sound.title, post.sound.author) if post.sound else None),
    "region": Field("text", lambda post: (post.region,) if post.region else None),
    "pinned": Field("flag", operator.attrgetter("pinned")),
}
ALIASES = {"hashtags": "hashtag", "tag": "hashtag", "tags": "hashtag", "user": "author"}

NUMBERS = ("number", "duration", "size")
ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ORDERED = (*ORDER, "in", "not in")
SIGNS: Mapping[Kind, tuple[str, ...]] = {
    "number": _ORDERED,
    "duration": _ORDERED,
    "size": _ORDERED,
    "date": _ORDERED,
    "text": ("==", "!=", "in", "not in", "~", "!~"),
    "flag": ("==", "!="),
}
"""What may compare a field of each kind."""
CALLED: Mapping[Kind, str] = {
    "number": "a number",
    "duration": "a duration",
    "size": "a size",
    "date": "a date",
    "text": "a text",
    "flag": "true or false",
}
