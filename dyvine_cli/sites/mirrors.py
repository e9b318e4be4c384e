"""The addresses of a file: which can be used, what type they promise, when they run out (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from dyvine_cli.models import Rendition

Family = Literal["video", "picture", "sound"]

_EXTENSIONS: Mapping[Family, Mapping[str, str]] = {
    "video": {"mp4": "mp4", "mov": "mov"},
    "picture": {
        "jpeg": "jpg",
        "jpg": "jpg",
        "png": "png",
        "gif": "gif",
        "webp": "webp",
        "heic": "heic",
        "heif": "heic",
        "avif": "avif",
    },
    "sound": {"mp3": "mp3", "m4a": "m4a", "aac": "aac"},
}
_TYPES: Mapping[str, str] = {"video_mp4": "mp4", "audio_mpeg": "mp3", "audio_mp4": "m4a"}
"""`mime_type` in the query of a media host to the suffix that it stands for."""

_USUAL: Mapping[Family, str] = {"video": "mp4", "picture": "jpg", "sound": "mp3"}
_PICTURE_ORDER = ("jpg", "png", "gif", "webp", "heic", "avif")
_MD5 = re.compile(r"[0-9a-f]{32}")
_PATH_EXPIRY = re.compile(r"https?://[^/?#]*/[0-9a-f]{32}/([0-9a-f]{8})/", re.IGNORECASE)
_STATED_EXPIRY = re.compile(r"[?&](?:x-expires|expire)=([0-9]{9,11})(?![^&#])")
_UNSEEN = r"\x00-\x20\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_PLAIN = re.compile(r"https://[a-z0-9-]+(?:\.[a-z0-9-]+)+/")
"""How nearly all begin: nothing in front of the host that could hide another, no port."""
_URL = re.compile(rf"https?://[^\s{_UNSEEN}<>\"\\^`{{|}}]{{4,8000}}", re.IGNORECASE)


def links(values: Iterable[str]) -> tuple[str, ...]:
    """The usable web addresses among `values`, each once.

    Left out are other schemes, addresses with a login, and those with characters that nobody sees.
    """
    full = (f"https:{value}" if value.startswith("//") else value for value in values)
    return tuple(dict.fromkeys(value for value in full if _is_link(value)))


def extension(url: str, family: Family) -> str:
    """The file extension an address promises, from a fixed list only; the family's usual one otherwise."""
    parts = urlsplit(url)
    known = _EXTENSIONS[family]
    suffix = parts.path.rpartition(".")[2].lower()
    if suffix in known:
        return known[suffix]
    promised = _TYPES.get(_stated(parts, "mime_type"), "")
    return known.get(promised, _USUAL[family])


def expiry(urls: Iterable[str]) -> datetime | None:
    """When the first of the signed addresses runs out; None if none says so.

    Video hosts write hexadecimal Unix seconds as second path segment, picture hosts `x-expires`, others `expire`.
    """
    return min((moment for url in urls if (moment := _expiry(url))), default=None)


def claimed_md5(text: str) -> str | None:
    """The MD5 that a platform names, if it has the form of one."""
    return text.lower() if _MD5.fullmatch(text.lower()) else None


def pictures(
    urls: Iterable[str],
    *,
    width: int | None = None,
    height: int | None = None,
    is_marked: Callable[[str], bool] = lambda url: False,
) -> tuple[Rendition, ...]:
    """One rendition per encoding, JPEG before WebP before HEIC; its addresses on several hosts are mirrors.

    One of which every address `is_marked` has a watermark.
    """
    groups: dict[str, list[str]] = {}
    for url in links(urls):
        groups.setdefault(extension(url, "picture"), []).append(url)
    return tuple(
        Rendition(
            mirrors=tuple(groups[ext]),
            ext=ext,
            width=width,
            height=height,
            watermarked=all(is_marked(url) for url in groups[ext]),
            expires=expiry(groups[ext]),
        )
        for ext in sorted(groups, key=_PICTURE_ORDER.index)
    )


def best_first(renditions: Iterable[Rendition]) -> tuple[Rendition, ...]:
    """Clean before watermarked, with sound before without, then most pixels, frames, and bits per second.

    H.265 stands before H.264 at equal pixels, so that bit rates meet only within a codec.
    """
    return tuple(sorted(renditions, key=_rank, reverse=True))


def _rank(rendition: Rendition) -> tuple[float, ...]:
    return (
        not rendition.watermarked,
        rendition.has_sound,
        (rendition.width or 0) * (rendition.height or 0),
        rendition.fps or 0,
        rendition.codec == "h265",
        rendition.bit_rate or rendition.size or 0,
    )


def _is_link(value: str) -> bool:
    if not _URL.fullmatch(value):
        return False
    if _PLAIN.match(value):
        return True
    try:
        parts = urlsplit(value)
        return bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False


def _expiry(url: str) -> datetime | None:
    in_path = _PATH_EXPIRY.match(url)
    if in_path:
        return datetime.fromtimestamp(int(in_path[1], 16), UTC)
    stated = _STATED_EXPIRY.search(url)
    return datetime.fromtimestamp(int(stated[1]), UTC) if stated else None


def _stated(parts: SplitResult, name: str) -> str:
    """The last value of a parameter of an address, "" for none."""
    _, mark, rest = f"&{parts.query}".rpartition(f"&{name}=")
    return unquote(rest.partition("&")[0]) if mark else ""
