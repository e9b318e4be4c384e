"""From Douyin's descriptions of videos, pictures and sounds to renditions (pure).

Facts about fields, hosts and headers: field maps published by downloader projects, compared with answers recorded
2025-12 to 2026-08.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from dyvine_cli.models import Rendition
from dyvine_cli.sites.mirrors import best_first, claimed_md5, expiry, extension, links, pictures
from dyvine_cli.sites.reading import Record

REFERER: Mapping[str, str] = {"Referer": "https://www.douyin.com/"}
"""Transcodes are refused with 403 without it (reported 2026); pictures and sounds do not ask for it."""

NO_SOUND = "images_no_sound_volume_audio_file.mp3"
"""The file that stands for "no sound" behind a gallery (recorded 2026-08)."""

_WATERMARKS = ("playwm", "watermark=1", "logo_name=", "tplv-dy-water")
_SINGLE_PICKS = (
    ("play_addr", None),
    ("play_addr_h264", "h264"),
    ("play_addr_265", "h265"),
    ("play_addr_lowbr", None),
)
_ORIGINAL_HOSTS = ("www.iesdouyin.com", "www.douyin.com")
_COVERS = ("cover_original_scale", "origin_cover", "cover", "raw_cover")
_VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{8,128}")


def video(description: Record, *, original: bool = False) -> tuple[Rendition, ...]:
    """The encodings of a video or clip, best first: most pixels, frames, then bits per second within a codec.

    `dash` entries are left out: they are pictures without sound. Without a ladder the single picks stand in. With
    `original`, the author's upload follows the ladder (its size and pixels are unknown until it is asked for). The
    watermarked download is last.
    """
    clean = [*_ladder(description)] or [*_picks(description)]
    upload = _original(description) if original else ()
    return (*best_first(clean), *upload, *_download(description))


def picture(description: Record) -> tuple[Rendition, ...]:
    """The encodings of one picture: without watermark first, JPEG before WebP before HEIC; watermarked last.

    Addresses of one encoding on several hosts are mirrors of one rendition.
    """
    size = {"width": description.positive("width"), "height": description.positive("height")}
    shown = _shown(description)
    clean = _by_encoding([*description.texts("watermark_free_download_url_list"), *shown], **size)
    marked = _by_encoding(description.texts("download_url_list"), **size)
    return (*clean, *(replace(each, watermarked=True, label="download") for each in marked))


def pictures_at(urls: Iterable[str]) -> tuple[Rendition, ...]:
    """Renditions of a picture that is known by addresses of different encodings, best first."""
    return tuple(each for url in urls for each in _by_encoding([url]))


def cover(description: Record) -> tuple[Rendition, ...]:
    """The preview picture of a video or gallery: uncropped first, then the first frame, then the author's crop."""
    found = (entry for name in _COVERS if (entry := description.record(name)))
    return next((encodings for entry in found if (encodings := _by_encoding(entry.texts("url_list")))), ())


def still(description: Record | None) -> Rendition | None:
    """The one encoding of a small picture (an avatar, a mix's cover) that is worth naming."""
    found = _by_encoding(description.texts("url_list")) if description else ()
    return found[0] if found else None


def sound(description: Record | None) -> Rendition | None:
    """The sound at an address object; None when it is muted, withheld or the no-sound placeholder."""
    if description is None:
        return None
    urls = links([*description.texts("url_list"), description.text("uri")])
    if not urls or any(NO_SOUND in url for url in urls):
        return None
    return Rendition(mirrors=urls, ext=extension(urls[0], "sound"), expires=expiry(urls))


def _ladder(description: Record) -> Iterator[Rendition]:
    for entry in description.records("bit_rate"):
        address = entry.record("play_addr")
        if address is None or entry.text("format") == "dash":
            continue
        found = _addressed(address)
        if found:
            yield replace(
                found,
                fps=entry.number("FPS"),
                codec="h265" if entry.flag("is_h265") or entry.flag("is_bytevc1") else "h264",
                bit_rate=entry.positive("bit_rate"),
                label=entry.text("gear_name") or None,
            )


def _picks(description: Record) -> Iterator[Rendition]:
    known: set[tuple[str, ...]] = set()
    usual = "h265" if description.flag("is_h265") or description.flag("is_bytevc1") else "h264"
    for name, codec in _SINGLE_PICKS:
        address = description.record(name)
        found = _addressed(address) if address else None
        if found and found.mirrors not in known:
            known.add(found.mirrors)
            yield replace(
                found,
                codec=codec or usual,
                width=found.width or description.positive("width"),
                height=found.height or description.positive("height"),
                label=name,
            )


def _addressed(address: Record) -> Rendition | None:
    """The rendition behind a `play_addr`; None without a usable address.

    `/playwm/` of share pages is the same file with a watermark at `/play/`; the size belongs to the marked one.
    """
    given = links(address.texts("url_list"))
    clean = links(url.replace("/playwm/", "/play/") for url in given)
    unmarked = tuple(url for url in clean if not _is_marked(url))
    mirrors = unmarked or clean
    if not mirrors:
        return None
    size = address.positive("data_size") if mirrors[0] in given else None
    return Rendition(
        mirrors=mirrors,
        ext=extension(mirrors[0], "video"),
        width=address.positive("width"),
        height=address.positive("height"),
        size=size,
        size_is_exact=size is not None,
        md5=claimed_md5(address.text("file_hash")),
        watermarked=not unmarked,
        headers=REFERER,
        expires=expiry(mirrors),
    )


def _original(description: Record) -> tuple[Rendition, ...]:
    """The author's upload (reported: up to eight times larger than the best transcode, sometimes smaller).

    Its cold storage refuses a Referer by one report and wants it by another, so each mirror tries one.
    """
    address = description.record("play_addr")
    uri = address.text("uri") if address else ""
    if not _VIDEO_ID.fullmatch(uri):
        return ()
    cookie = "&ss_is_p_v_ss=1" if description.flag("is_need_set_cookie") else ""
    query = (
        f"video_id={uri}&ratio=default&line=0&is_play_url=1&watermark=0&source=PackSourceEnum_PUBLISH{cookie}"
    )
    mirrors = tuple(f"https://{host}/aweme/v1/play/?{query}" for host in _ORIGINAL_HOSTS)
    return (
        Rendition(
            mirrors=mirrors,
            ext="mp4",
            label="original",
            original=True,
            mirror_headers={mirrors[1]: dict(REFERER)},
        ),
    )


def _download(description: Record) -> Iterator[Rendition]:
    """The watermarked file of the save button; its stated pixels (720 x 720) and bytes are not its own."""
    address = description.record("download_addr") or description.record("download_suffix_logo_addr")
    urls = links(address.texts("url_list")) if address else ()
    if urls:
        yield Rendition(
            mirrors=urls, ext="mp4", label="download", watermarked=True, headers=REFERER, expires=expiry(urls)
        )


def _shown(description: Record) -> tuple[str, ...]:
    """The addresses of a picture: `url_list`, in old answers inside `display_image` or `label_large`."""
    nested = (description.record(name) for name in ("display_image", "label_large"))
    return description.texts("url_list") or next((each.texts("url_list") for each in nested if each), ())


def _by_encoding(
    urls: Iterable[str], *, width: int | None = None, height: int | None = None
) -> tuple[Rendition, ...]:
    return pictures(urls, width=width, height=height, is_marked=_is_marked)


def _is_marked(url: str) -> bool:
    return any(sign in url for sign in _WATERMARKS)
