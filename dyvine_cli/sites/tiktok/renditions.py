"""From TikTok's descriptions of videos, pictures, sounds and subtitles to renditions (pure).

Which host wants what was measured by tokai (2026-09): video hosts of tiktok.com answer 403 without a Referer, and
without the cookie that the page set when the address was made, whose name the address has in `tk`. A rendition gets
the Referer here and the cookie from `unlocked`, as headers of the addresses that need them; no other host gets either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from dyvine_cli.http.addresses import within
from dyvine_cli.models import Rendition
from dyvine_cli.sites import mirrors
from dyvine_cli.sites.mirrors import best_first, claimed_md5, expiry, extension, links
from dyvine_cli.sites.reading import Record

REFERER: Mapping[str, str] = {"Referer": "https://www.tiktok.com/"}
CHAIN = "tt_chain_token"
"""The one cookie that addresses of media may ask for."""

_OWN_HOSTS = ("tiktok.com",)
_PLAYER = "www.tiktok.com"
"""Its `/aweme/v1/play/` redirects to a media host."""

_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,1024}")
_CODECS = (
    (("h264", "avc"), "h264"),
    (("h265", "bytevc1", "hevc"), "h265"),
    (("bytevc2", "h266", "vvc"), "h266"),
)
_SINGLE_TRACKS = ("/media-video-", "/media-audio")
"""Parts of a path behind which is one track only, or nothing (yt-dlp #15891, #16622, #17372)."""

_FORMATS: Mapping[str, str] = {"webvtt": "vtt", "vtt": "vtt", "srt": "srt"}
_SOURCES = ("LC", "ASR", "MT")
"""Who wrote a subtitle, best first: the creator, speech recognition, a machine translation."""


def video(description: Record, *, by_detail: bool = False) -> tuple[Rendition, ...]:
    """The encodings of a video, best first: most pixels, frames, then bits per second within a codec.

    `bytevc2`, which common programs cannot play, is left out. The watermarked download is last. `by_detail`
    says that the description comes from the API's detail call: then only the player's address works (reported by
    Evil0ctal v5, 2026-09), and stands first. Lists bind their addresses to the visitor's cookie, as pages do.
    """
    ladder = [*_ladder(description)]
    known = {url for each in ladder for url in each.mirrors}
    single = [each for each in _single(description) if not known & set(each.mirrors)]
    every = (*best_first([*ladder, *single]), *_download(description))
    return tuple(_player_first(each) for each in every) if by_detail else every


def embedded(entry: Record) -> tuple[Rendition, ...]:
    """The one encoding that an embed page names; its host asks for nothing."""
    urls = links([entry.text("playAddr")])
    return (
        (
            Rendition(
                mirrors=urls,
                ext=extension(urls[0], "video"),
                width=entry.positive("width"),
                height=entry.positive("height"),
                label="embed",
                expires=expiry(urls),
            ),
        )
        if urls
        else ()
    )


def picture(image: Record) -> tuple[Rendition, ...]:
    """The encodings of one picture of a photo post; its addresses on several hosts are mirrors."""
    address = image.record("imageURL")
    return mirrors.pictures(
        address.texts("urlList") if address else (),
        width=image.positive("imageWidth"),
        height=image.positive("imageHeight"),
    )


def cover(*urls: str) -> tuple[Rendition, ...]:
    """The preview picture at the first usable one of these addresses."""
    return mirrors.pictures(links(urls)[:1])


def still(*urls: str) -> Rendition | None:
    """The one encoding of a small picture (an avatar, a mix's cover)."""
    return next(iter(cover(*urls)), None)


def sound(music: Record) -> Rendition | None:
    """The sound at `playUrl`, which is empty for licensed ones."""
    urls = links([music.text("playUrl")])
    return (
        Rendition(
            mirrors=urls,
            ext=extension(urls[0], "sound"),
            expires=expiry(urls),
            mirror_headers=_referers(urls),
        )
        if urls
        else None
    )


def subtitles(description: Record) -> Iterator[tuple[str, tuple[Rendition, ...]]]:
    """Per language its files: of several makers the best one's, WebVTT before SRT.

    The creator's own captions in TikTok's JSON form are left out.
    """
    mirrored = {urls[0]: urls for urls in _caption_addresses(description)}
    found: dict[str, list[tuple[int, Rendition]]] = {}
    for entry in description.records("subtitleInfos"):
        urls = links([entry.text("Url")])
        ext = _FORMATS.get(entry.text("Format").lower())
        if urls and ext:
            urls = mirrored.get(urls[0], urls)
            file = Rendition(
                mirrors=urls,
                ext=ext,
                size=entry.positive("Size"),
                label=entry.text("Source") or None,
                expires=entry.time("UrlExpire") or expiry(urls),
                mirror_headers=_referers(urls),
            )
            found.setdefault(entry.id("LanguageCodeName") or "und", []).append((_maker(entry), file))
    for language, files in found.items():
        best = min(maker for maker, _ in files)
        by_ext = {file.ext: file for maker, file in reversed(files) if maker == best}
        yield language, tuple(by_ext[ext] for ext in ("vtt", "srt") if ext in by_ext)


def unlocked(rendition: Rendition, token: str) -> Rendition:
    """The same rendition with the cookie `tt_chain_token` on those of its addresses that ask for it.

    `token` is the value that came with the page or answer which named the addresses; one that is no cookie value, and
    an address that asks for any other cookie, change nothing.
    """
    if not _VALUE.fullmatch(token):
        return rendition
    asking = [url for url in rendition.mirrors if _asks_for_chain(url)]
    named = {url: {**headers_for(rendition, url), "Cookie": f"{CHAIN}={token}"} for url in asking}
    return replace(rendition, mirror_headers={**rendition.mirror_headers, **named}) if named else rendition


def headers_for(rendition: Rendition, url: str) -> Mapping[str, str]:
    """What is sent to one of a rendition's addresses."""
    return rendition.mirror_headers.get(url, rendition.headers)


def _ladder(description: Record) -> Iterator[Rendition]:
    for entry in _gears(description):
        address = entry.record("PlayAddr")
        codec = _codec(entry.text("CodecType")) or (_codec(address.text("UrlKey")) if address else None)
        found = _addressed(address) if address and codec != "h266" else None
        if found:
            yield replace(
                found,
                fps=entry.number("BitrateFPS"),
                codec=codec,
                bit_rate=entry.positive("Bitrate"),
                label=entry.text("GearName") or None,
            )


def _gears(description: Record) -> tuple[Record, ...]:
    """The ladder's entries, which were reported as an object's values, too."""
    if not isinstance(description.raw.get("bitrateInfo"), Mapping):
        return description.records("bitrateInfo")
    held = description.record("bitrateInfo")
    if held is None:
        return ()
    return (
        (held,) if "PlayAddr" in held else tuple(each for name in held.names() if (each := held.record(name)))
    )


def _single(description: Record) -> Iterator[Rendition]:
    """The file that the page plays by itself: without watermark, with its size as a promise."""
    address = description.record("PlayAddrStruct")
    plain = links([description.text("playAddr")])
    found = _addressed(address) if address else None
    if plain and (found is None or plain[0] not in found.mirrors):
        size = description.positive("size")
        found = Rendition(
            mirrors=plain,
            ext=extension(plain[0], "video"),
            size=size,
            size_is_exact=size is not None,
            expires=expiry(plain),
            mirror_headers=_referers(plain),
        )
    codec = _codec(description.text("codecType"))
    if found and codec != "h266":
        yield replace(
            found,
            codec=codec,
            width=found.width or description.positive("width"),
            height=found.height or description.positive("height"),
            bit_rate=description.positive("bitrate"),
            label="playAddr",
        )


def _addressed(address: Record) -> Rendition | None:
    """The file behind a `PlayAddr`; None without a usable address. Size and MD5 held for every download measured."""
    every = links(address.texts("UrlList"))
    whole = tuple(url for url in every if not any(part in url for part in _SINGLE_TRACKS))
    urls = whole or every
    if not urls:
        return None
    size, md5 = address.positive("DataSize"), claimed_md5(address.text("FileHash"))
    return Rendition(
        mirrors=urls,
        ext=extension(urls[0], "video"),
        width=address.positive("Width"),
        height=address.positive("Height"),
        size=size,
        size_is_exact=size is not None,
        md5=md5,
        md5_is_exact=md5 is not None,
        has_sound=bool(whole),
        expires=expiry(urls),
        mirror_headers=_referers(urls),
    )


def _download(description: Record) -> Iterator[Rendition]:
    """The file of the save button: another encode, with a watermark as a rule."""
    urls = links([description.text("downloadAddr")])
    if urls:
        yield Rendition(
            mirrors=urls,
            ext="mp4",
            label="download",
            watermarked=True,
            expires=expiry(urls),
            mirror_headers=_referers(urls),
        )


def _player_first(rendition: Rendition) -> Rendition:
    ordered = sorted(rendition.mirrors, key=lambda url: urlsplit(url).hostname != _PLAYER)
    return replace(rendition, mirrors=tuple(ordered))


def _caption_addresses(description: Record) -> Iterator[tuple[str, ...]]:
    """Per caption the addresses of one file, that of `subtitleInfos` first."""
    captions = description.record("claInfo")
    for entry in captions.records("captionInfos") if captions else ():
        if urls := links([entry.text("url"), *entry.texts("urlList")]):
            yield urls


def _maker(entry: Record) -> int:
    source = entry.text("Source")
    return _SOURCES.index(source) if source in _SOURCES else len(_SOURCES)


def _codec(said: str) -> str | None:
    said = said.lower()
    return next((codec for words, codec in _CODECS if any(word in said for word in words)), None)


def _referers(urls: Iterable[str]) -> dict[str, Mapping[str, str]]:
    """The Referer for the addresses on TikTok's own hosts."""
    return {url: REFERER for url in urls if within(urlsplit(url).hostname or "", _OWN_HOSTS)}


def _asks_for_chain(url: str) -> bool:
    if CHAIN not in url:
        return False
    parts = urlsplit(url)
    named = [each for each in parts.query.split("&") if each.startswith("tk=")]
    return named == [f"tk={CHAIN}"] and parts.scheme == "https" and within(parts.hostname or "", _OWN_HOSTS)
