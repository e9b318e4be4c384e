"""What a person wants of what is there: which posts, which of their assets, which rendition (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from dyvine_cli.models import Asset, AssetKind, Post, PostKind, Rendition

if TYPE_CHECKING:
    from dyvine_cli.match import Match

Codec = Literal["any", "h264", "h265"]
ConvertSubs = Literal["none", "srt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A person's wishes for one run.

    Limits (`max_height`, `max_filesize`, `kinds`, dates) leave out what does not fit; wishes (`quality`, `codec`) take
    the nearest there is. `quality` is best, worst, original (the author's upload, where it can be had) or the short
    edge in pixels as people name it (1080 for "1080p"). `max_height` is the short edge, too. `since` and `until` are
    both included, `match` is asked besides. `limit` counts posts after the filters. `sound` is None for the usual: with
    pictures, not with videos. `convert_subs` is the form that WebVTT subtitles are kept in.
    """

    kinds: frozenset[PostKind] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    match: Match | None = None
    limit: int | None = None
    quality: str = "best"
    codec: Codec = "any"
    max_height: int | None = None
    max_filesize: int | None = None
    sound: bool | None = None
    thumbnail: bool = False
    subtitles: bool = False
    convert_subs: ConvertSubs = "none"
    info_json: bool = False
    mtime: bool = True
    overwrite: bool = False
    archive: bool = True
    stop_at_known: bool = False
    full: bool = False


def wanted(post: Post, wish: Selection) -> bool:
    """Whether the filters let this post through.

    A partial one may be younger than its list can say (its date is that of the upload), so `since` waits for the rest;
    so does `match` if it asks for what the list does not say. Raises InputError for a `match` that takes too long.
    """
    if wish.kinds and post.kind not in wish.kinds:
        return False
    if wish.since and post.created < wish.since and not post.partial:
        return False
    if wish.until and post.created > wish.until:
        return False
    return wish.match is None or _lacks(post, wish.match) or wish.match(post)


def _lacks(post: Post, match: Match) -> bool:
    """Whether a list gave too little of a post for its expression to say anything."""
    return (post.partial or post.text_is_cut) and match.lacks(post)


def filters(wish: Selection) -> str:
    """The wishes that leave posts out, as a text to compare; empty if every post is wanted."""
    given = {
        "kind": ",".join(sorted(wish.kinds)),
        "since": wish.since.isoformat() if wish.since else "",
        "until": wish.until.isoformat() if wish.until else "",
        "match": str(wish.match or "").replace("=", "＝"),  # so that nothing in it looks like another wish
        "max-height": str(wish.max_height or ""),
        "max-filesize": str(wish.max_filesize or ""),
    }
    return " ".join(f"{name}={value}" for name, value in given.items() if value)


def is_older(post: Post, wish: Selection) -> bool:
    """Whether a post ends a listing whose posts come newest first: it is older than `since`, and not pinned on top."""
    known = not (post.pinned or post.partial)
    return wish.since is not None and known and post.created < wish.since


def assets(post: Post, wish: Selection) -> tuple[Asset, ...]:
    """The assets of a post that the wish asks for, in the post's order."""
    kinds = _kinds(post, wish)
    return tuple(asset for asset in post.assets if asset.kind in kinds)


def _kinds(post: Post, wish: Selection) -> set[AssetKind]:
    kinds: set[AssetKind] = {"video", "picture", "clip", "text"}
    sound = wish.sound if wish.sound is not None else post.kind != "video"
    if sound:
        kinds.add("sound")
    if wish.thumbnail:
        kinds.add("cover")
    if wish.subtitles:
        kinds.add("subtitle")
    return kinds


def choices(asset: Asset, wish: Selection) -> tuple[Rendition, ...]:
    """The renditions to try, best for this wish first; empty if the limits leave none.

    Never a watermarked one while a clean one exists, never one without sound while one with sound exists.
    """
    clean = [each for each in asset.renditions if not each.watermarked] or list(asset.renditions)
    clean = [each for each in clean if each.has_sound] or clean
    fitting = [each for each in clean if _fits(each, wish)]
    ranked = sorted(fitting, key=lambda each: _rank(each, wish, fitting), reverse=True)
    return tuple(sorted(ranked, key=lambda each: each.ext != wish.convert_subs))


def _fits(rendition: Rendition, wish: Selection) -> bool:
    edge = short_edge(rendition)
    if wish.max_height and edge and edge > wish.max_height:
        return False
    if rendition.original and (wish.max_height or wish.max_filesize or wish.quality != "original"):
        return False  # of unknown size, and another request to learn it
    return not (wish.max_filesize and rendition.size and rendition.size > wish.max_filesize)


def _rank(rendition: Rendition, wish: Selection, among: list[Rendition]) -> tuple[float, ...]:
    """Higher is better. Bit rates are compared last, where pixels, frames and codec are equal.

    At equal pixels the order is: the codec asked for, more frames, H.265 before H.264 (the better picture of what
    people can play today), bits per second.
    """
    pixels = (rendition.width or 0) * (rendition.height or 0)
    codec = rendition.codec == wish.codec if wish.codec != "any" else True
    detail = (rendition.fps or 0, rendition.codec == "h265", rendition.bit_rate or 0)
    if wish.quality == "worst":
        return (codec, -pixels, -(rendition.bit_rate or rendition.size or 0))
    if wish.quality == "original":
        return (rendition.original, codec, pixels, *detail)
    if wish.quality.isdigit():
        return (codec, *_nearness(short_edge(rendition) or 0, int(wish.quality)), pixels, *detail)
    return (codec, pixels, *detail)


def _nearness(edge: int, asked: int) -> tuple[bool, int]:
    """Up to the asked edge the largest is best; above it the smallest."""
    return (edge <= asked, edge if edge <= asked else -edge)


def short_edge(rendition: Rendition) -> int | None:
    """The smaller side in pixels: the "1080" of 1080p, whichever way the picture is held."""
    if not (rendition.width and rendition.height):
        return None
    return min(rendition.width, rendition.height)


def same_rendition(fresh: Post, asset: Asset, chosen: Rendition, wish: Selection) -> Rendition | None:
    """The rendition of a re-fetched post that stands for `chosen`; None if that asset is no longer there."""
    for again in _named(fresh.assets, asset.id):
        candidates = choices(again, wish) or again.renditions
        alike = [each for each in candidates if (each.label, each.size) == (chosen.label, chosen.size)]
        return next(iter(alike or candidates), None)
    return None


def _named(assets: tuple[Asset, ...], id: str) -> Iterator[Asset]:
    return (each for each in assets if each.id == id)
