"""One raw post, its sound and its mix (pure). Field names are the platform's; what they mean stands beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

from dyvine_cli.models import (
    Access,
    Asset,
    Author,
    Mention,
    Mix,
    Post,
    PostKind,
    Ref,
    Rendition,
    Sound,
    Statistics,
    Tag,
)
from dyvine_cli.sites.mirrors import links
from dyvine_cli.sites.reading import Record, span
from dyvine_cli.sites.tiktok import renditions
from dyvine_cli.sites.tiktok.accounts import SITE, count, read_author

_MIX_COVERS = ("urlList", "url_list")


def read_post(raw: Record, *, by_detail: bool = False) -> Post:
    """The post with its assets. `by_detail` says that it comes from the API's detail call.

    Raises LookupError without media on an open post.
    """
    id = raw.required_id("id")
    kind = kind_of(raw)
    author = _author(raw)
    video = raw.record("video")
    gallery = raw.record("imagePost")
    made = Post(
        ref=Ref(SITE, "post", id),
        kind=kind,
        url=_url(author.handle, kind, id),
        author=author,
        created=raw.required_time("createTime"),
        title=gallery.text("title") if gallery else "",
        text=raw.text("desc"),
        duration=video.number("duration") if video and kind == "video" else None,
        statistics=_statistics(raw),
        tags=tuple(_tags(raw)),
        mentions=tuple(_mentions(raw)),
        sound=_sound(raw.record("music")),
        mix=_mix_of(raw),
        pinned=raw.flag("isPinnedItem"),
        ad=raw.flag("isAd"),
        access=access_of(raw),
        login_only=raw.flag("isContentClassified") and not has_media(raw),
        notice=_notice(raw),
        region=raw.text("locationCreated") or None,
        raw=raw.raw,
    )
    return _with_assets(made, raw, by_detail=by_detail)


def read_embedded(raw: Record, author: Author) -> Post:
    """A post as an embed page lists it: one encoding of a video, nothing of a photo post but its cover.

    It has no date: the id begins with the time of its upload.
    """
    id = raw.required_id("id")
    encodings = renditions.embedded(raw)
    kind: PostKind = "video" if encodings else "images"
    covers = renditions.cover(raw.text("originCoverUrl"), raw.text("coverUrl"))
    return Post(
        ref=Ref(SITE, "post", id),
        kind=kind,
        url=_url(author.handle, kind, id),
        author=author,
        created=_uploaded(raw, id),
        text=raw.text("desc"),
        assets=(
            *([Asset(id="video", kind="video", renditions=encodings)] if encodings else ()),
            *([Asset(id="cover", kind="cover", renditions=covers)] if covers else ()),
        ),
        statistics=Statistics(plays=raw.whole("playCount")),
        access="private" if raw.flag("privateItem") else "public",
        raw=raw.raw,
    )


def kind_of(raw: Record) -> PostKind:
    """What a post is. A photo post has a `video` too, an empty one: `imagePost` decides."""
    return "images" if "imagePost" in raw else "video"


def has_media(raw: Record) -> bool:
    """Whether a post comes with addresses of its video or pictures."""
    gallery, video = raw.record("imagePost"), raw.record("video")
    if gallery:
        return any(renditions.picture(image) for image in gallery.records("images"))
    return bool(video and renditions.video(video))


def access_of(raw: Record) -> Access:
    """Who may see a post; the strongest reason first."""
    seen_by: tuple[tuple[str, Access], ...] = (
        ("takeDown", "prohibited"),
        ("isProhibited", "prohibited"),
        ("privateItem", "private"),
        ("secret", "private"),
        ("isReviewing", "in_review"),
        ("forFriend", "friends"),
    )
    return next((access for name, access in seen_by if raw.flag(name)), "public")


def read_mix(raw: Record) -> Mix:
    """A playlist from `playList` or `mixInfo`."""
    creator = raw.record("creator")
    return Mix(
        ref=Ref(SITE, "mix", raw.required_id("id", "mixId")),
        title=raw.text("name") or raw.text("mixName"),
        author=read_author(creator) if creator else None,
        declared=raw.whole("videoCount"),
        cover=_mix_cover(raw),
        raw=raw.raw,
    )


def _with_assets(made: Post, raw: Record, *, by_detail: bool) -> Post:
    """The post with its files. Raises LookupError when an open post has none."""
    video = raw.record("video")
    gallery = raw.record("imagePost")
    assets = tuple(_pictures(gallery)) if gallery else tuple(_video(video, by_detail=by_detail))
    if not assets and made.access == "public" and not made.login_only:
        raise LookupError(f"{raw.path} has no media ({'imagePost.images' if gallery else 'video.playAddr'})")
    return replace(made, assets=(*assets, *_companions(made, video, gallery)))


def _video(video: Record | None, *, by_detail: bool) -> Iterator[Asset]:
    encodings = renditions.video(video, by_detail=by_detail) if video else ()
    if encodings:
        yield Asset(id="video", kind="video", renditions=encodings)


def _pictures(gallery: Record) -> Iterator[Asset]:
    for index, image in enumerate(gallery.records("images"), start=1):
        stills = renditions.picture(image)
        if not stills:
            raise LookupError(f"{image.where('imageURL.urlList')} is missing")
        yield Asset(id=f"picture_{index:02}", kind="picture", index=index, renditions=stills)


def _companions(made: Post, video: Record | None, gallery: Record | None) -> Iterator[Asset]:
    """Sound, cover and subtitles."""
    if made.sound and made.sound.rendition:
        yield Asset(id="sound", kind="sound", renditions=(made.sound.rendition,))
    if encodings := _cover(video, gallery):
        yield Asset(id="cover", kind="cover", renditions=encodings)
    for language, files in renditions.subtitles(video) if video else ():
        yield Asset(id=f"subtitle.{language}", kind="subtitle", language=language, renditions=files)


def _cover(video: Record | None, gallery: Record | None) -> tuple[Rendition, ...]:
    """A photo post's own cover; a video's first frame, then the author's choice."""
    own = gallery.record("cover") if gallery else None
    if own and (encodings := renditions.picture(own)):
        return encodings
    return renditions.cover(video.text("originCover"), video.text("cover")) if video else ()


def _author(raw: Record) -> Author:
    """The author; old containers have only the handle, with ids beside it, and some old posts nothing."""
    said = raw.raw.get("author")
    if isinstance(said, str):
        uid = raw.id("authorId")
        return Author(
            id=raw.id("authorSecId") or uid or raw.text("author"),
            uid=uid,
            handle=raw.text("author"),
            nickname=raw.text("nickname") or raw.text("author"),
        )
    author = raw.record("author")
    return read_author(author) if author else Author(id="", uid="", handle="", nickname="")


def _url(handle: str, kind: PostKind, id: str) -> str:
    """TikTok does not check the handle; `_` stands for an unknown one."""
    page = "photo" if kind == "images" else "video"
    return f"https://www.tiktok.com/@{quote(handle, safe='') or '_'}/{page}/{id}"


def _uploaded(raw: Record, id: str) -> datetime:
    """The time in the first half of an id, some seconds before the post appeared (measured: 4 to 94)."""
    if not (id.isascii() and id.isdigit()):
        raise ValueError(f"{raw.where('id')} holds no time")
    try:
        return datetime.fromtimestamp(int(id) >> 32, UTC)
    except (OverflowError, OSError, ValueError) as exc:
        raise ValueError(f"{raw.where('id')} holds no time") from exc


def _statistics(raw: Record) -> Statistics:
    return Statistics(
        likes=count(raw, "diggCount"),
        comments=count(raw, "commentCount"),
        favorites=count(raw, "collectCount"),
        shares=count(raw, "shareCount"),
        plays=count(raw, "playCount"),
    )


def _marks(raw: Record) -> tuple[Record, ...]:
    """What is marked in the text: `textExtra`, in some answers only paragraph by paragraph."""
    return raw.records("textExtra") or tuple(
        mark for paragraph in raw.records("contents") for mark in paragraph.records("textExtra")
    )


def _tags(raw: Record) -> Iterator[Tag]:
    """Each hashtag once: marks of the text, then `challenges`, which have the ids that marks may lack."""
    listed = {each.text("title"): each.id("id") for each in raw.records("challenges")}
    marked = {each.text("hashtagName"): each.id("hashtagId") for each in _marks(raw)}
    for name in dict.fromkeys((*marked, *listed)):
        if name:
            yield Tag(name=name, id=marked.get(name) or listed.get(name) or None)


def _mentions(raw: Record) -> Iterator[Mention]:
    """Marks that name a person, each person once.

    What stands in the text is a display name, and was another than the handle in 14 of 85 cases (2scraper, 2026-09).
    """
    seen: set[str] = set()
    for mark in _marks(raw):
        user_id = mark.id("secUid", "userId")
        if user_id and user_id not in seen and not mark.text("hashtagName"):
            seen.add(user_id)
            shown = span(raw.text("desc"), mark.whole("start") or 0, mark.whole("end") or 0)
            yield Mention(user_id=user_id, name=mark.text("userUniqueId") or shown.removeprefix("@").strip())


def _sound(raw: Record | None) -> Sound | None:
    """The music of a post; an empty `playUrl` means licensed or withheld."""
    id = raw.id("id") if raw else ""
    if raw is None or not id:
        return None
    precise = raw.record("preciseDuration")
    return Sound(
        ref=Ref(SITE, "sound", id),
        title=raw.text("title"),
        author=raw.text("authorName"),
        duration=(precise.number("preciseDuration") if precise else None) or raw.number("duration"),
        original=raw.flag("original"),
        rendition=renditions.sound(raw),
    )


def _mix_of(raw: Record) -> Mix | None:
    """The playlist a post is in; a post knows only its id."""
    id = raw.id("playlistId")
    return Mix(ref=Ref(SITE, "mix", id), title="") if id else None


def _mix_cover(raw: Record) -> Rendition | None:
    """A playlist's cover: an address, or an object with several."""
    said = raw.raw.get("cover")
    if isinstance(said, str):
        return renditions.still(raw.text("cover"))
    held = raw.record("cover")
    urls = [url for name in _MIX_COVERS for url in held.texts(name)] if held else []
    return renditions.still(*links(urls))


def _notice(raw: Record) -> str:
    """The platform's warnings under a post, such as the label of AI-made content."""
    said = [each.text("text") for each in raw.records("warnInfo")]
    if raw.flag("IsAigc"):
        said.append(raw.text("AIGCDescription") or "AI-generated")
    return " ".join(part for part in said if part)
