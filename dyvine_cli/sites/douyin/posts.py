"""One raw post, its sound and its mix (pure). Field names are the platform's; what they mean stands beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from dyvine_cli.models import (
    Access,
    Asset,
    Author,
    Mention,
    Mix,
    Post,
    PostKind,
    Ref,
    RefKind,
    Rendition,
    Sound,
    Statistics,
    Tag,
)
from dyvine_cli.sites.douyin import renditions
from dyvine_cli.sites.douyin.accounts import SITE, place, read_author
from dyvine_cli.sites.douyin.article import Article, read_article
from dyvine_cli.sites.mirrors import expiry, links
from dyvine_cli.sites.reading import Record, span

CUT_MARK = "版本过低，升级后可展示全部信息"
"""What web answers put behind the beginning of a long note (recorded 2026-08)."""

LONG_NOTE = 1000
"""Characters. An ordinary caption ends there (reported limit); a longer text under stills is a note."""

LISTED_ARTICLE = 490
"""Characters. Listings cut an article's text at about 499 (reported); the detail answer has all of it."""

_LIVE_FIELDS = ("cell_room", "live_room", "live_id", "live_info")
_STORY_FIELDS = ("is_story", "is_24_story", "is_25_story", "is_moment_story")
_CLIP_PAGE = 4
"""The `clip_type` of a page that is a clip of its own; 5 marks the short clip behind a live photo."""
_PAGES: Mapping[PostKind, str] = {"video": "video", "article": "article"}


def read_post(raw: Record, *, listed: bool) -> Post:
    """The post with its assets. Raises ValueError for a live card, LookupError without media on an open post."""
    kind = kind_of(raw)
    if kind is None:
        raise ValueError(f"{raw.path} is a live card, not a post")
    id = raw.required_id("aweme_id")
    article = read_article(raw.required_record("article_info")) if kind == "article" else None
    made = Post(
        ref=Ref(SITE, "post", id),
        kind=kind,
        url=f"https://www.douyin.com/{_PAGES.get(kind, 'note')}/{id}",
        author=read_author(raw.required_record("author")),
        created=raw.required_time("create_time"),
        title=article.title if article else raw.text("item_title"),
        text=_whole_text(raw.text("desc")),
        text_is_cut=_is_cut(raw, article, listed=listed),
        duration=_duration(raw) if kind == "video" else None,
        statistics=_statistics(raw.record("statistics")),
        tags=tuple(_tags(raw)),
        mentions=tuple(_mentions(raw)),
        co_authors=_co_authors(raw),
        sound=_sound(raw.record("music")),
        mix=_mix_of(raw),
        episode=_episode(raw),
        pinned=raw.flag("is_top"),
        story=any(raw.flag(name) for name in _STORY_FIELDS),
        ad=raw.flag("is_ads"),
        access=access_of(raw.record("status")),
        paid=_is_paid(raw),
        login_only=raw.flag("pc_need_login"),
        notice=_notice(raw),
        region=place(raw.text("ip_attribution")) or raw.text("region") or None,
        raw=raw.raw,
    )
    return _with_assets(made, raw, article)


def kind_of(raw: Record) -> PostKind | None:
    """What a post is; None for a live card. `aweme_type` is 0 for guests' gallery posts, so `images` decides."""
    if raw.whole("aweme_type") == 163 or "article_info" in raw:
        return "article"
    images = images_of(raw)
    if images:
        return _gallery_kind(raw, images)
    if is_card(raw):
        return None
    return "images" if raw.whole("media_type") in (2, 42) else "video"


def is_card(raw: Record) -> bool:
    """Whether an entry of a feed without pictures of its own announces a broadcast."""
    return raw.whole("aweme_type") == 101 or any(name in raw and raw.raw[name] != 0 for name in _LIVE_FIELDS)


def _gallery_kind(raw: Record, images: tuple[Record, ...]) -> PostKind:
    """Clip pages make slides, short clips live photos; a long text makes a note of stills."""
    clips = [each for each in images if "video" in each]
    if any(each.whole("clip_type") == _CLIP_PAGE for each in clips):
        return "slides"
    if clips:
        return "live_photo"
    text = raw.text("desc")
    return "note" if text.endswith(CUT_MARK) or len(text) > LONG_NOTE else "images"


def images_of(raw: Record) -> tuple[Record, ...]:
    """The pictures of a gallery, where newer and older answers have them."""
    nested = raw.record("image_post_info")
    return raw.records("images") or (nested.records("images") if nested else ()) or raw.records("image_infos")


def _with_assets(made: Post, raw: Record, article: Article | None) -> Post:
    """The post with its files. Raises LookupError when an open post has none."""
    video = raw.record("video")
    if article:
        assets = article.assets
    elif made.kind == "video":
        assets = tuple(_video_assets(video))
    else:
        assets = (*_note_text(made), *_gallery_assets(images_of(raw)))
    withheld = made.access != "public" or made.paid or made.login_only
    if not assets and not withheld:
        raise LookupError(
            f"{raw.path} has no media ({'video.play_addr' if made.kind == 'video' else 'images'})"
        )
    return replace(made, assets=(*assets, *_companions(made, video)))


def _video_assets(video: Record | None) -> Iterator[Asset]:
    encodings = renditions.video(video, original=True) if video else ()
    if any(not each.original for each in encodings):
        yield Asset(id="video", kind="video", renditions=encodings)


def _gallery_assets(images: tuple[Record, ...]) -> Iterator[Asset]:
    """Each picture and, with the same number, its clip; slides have a still for each of their clip pages, too."""
    for index, image in enumerate(images, start=1):
        clip = image.record("video")
        moving = renditions.video(clip) if clip else ()
        stills = renditions.picture(image)
        if not (stills or moving):
            raise LookupError(f"{image.where('url_list')} is missing")
        if stills:
            yield Asset(id=f"picture_{index:02}", kind="picture", index=index, renditions=stills)
        if moving:
            yield Asset(id=f"clip_{index:02}", kind="clip", index=index, renditions=moving)


def _note_text(made: Post) -> Iterator[Asset]:
    if made.kind == "note":
        head = f"# {made.title}\n\n" if made.title else ""
        tail = (
            "\n\n> Only the beginning: Douyin's web answers cut this text here.\n"
            if made.text_is_cut
            else "\n"
        )
        yield Asset(id="text", kind="text", text=f"{head}{made.text}{tail}")


def _companions(made: Post, video: Record | None) -> Iterator[Asset]:
    """Sound, cover and subtitles."""
    sound = _gallery_sound(made, video) if made.kind not in ("video", "article") else _music(made)
    if sound:
        yield Asset(id="sound", kind="sound", renditions=(sound,))
    if video and (encodings := renditions.cover(video)):
        yield Asset(id="cover", kind="cover", renditions=encodings)
    yield from _subtitles(video)


def _gallery_sound(made: Post, video: Record | None) -> Rendition | None:
    """What plays under a gallery: the sound at its `play_addr`, else the music. A placeholder there means silence."""
    address = video.record("play_addr") if video else None
    if address and links([*address.texts("url_list"), address.text("uri")]):
        return renditions.sound(address)
    return _music(made)


def _music(made: Post) -> Rendition | None:
    return made.sound.rendition if made.sound else None


def _subtitles(video: Record | None) -> Iterator[Asset]:
    captions = video.record("cla_info") if video else None
    seen: set[str] = set()
    for entry in captions.records("caption_infos") if captions else ():
        language = entry.id("lang") or "und"
        urls = links([entry.text("url")])
        if urls and language not in seen:
            seen.add(language)
            rendition = Rendition(mirrors=urls, ext="srt", expires=expiry(urls))
            yield Asset(
                id=f"subtitle.{language}", kind="subtitle", language=language, renditions=(rendition,)
            )


def _whole_text(text: str) -> str:
    """The author's words, without the mark that web answers put behind a cut text."""
    return text.removesuffix(CUT_MARK)


def _is_cut(raw: Record, article: Article | None, *, listed: bool) -> bool:
    if article:
        return listed and article.length >= LISTED_ARTICLE
    return raw.text("desc").endswith(CUT_MARK)


def _duration(raw: Record) -> float | None:
    """Seconds; the platform gives milliseconds."""
    video = raw.record("video")
    length = raw.number("duration") or (video.number("duration") if video else None)
    return length / 1000 if length else None


def _co_authors(raw: Record) -> tuple[Author, ...]:
    """Everyone but the author who stands in `cooperation_info`."""
    together = raw.record("cooperation_info")
    main = raw.required_record("author").id("sec_uid")
    people = together.records("co_creators") if together else ()
    return tuple(read_author(each) for each in people if each.id("sec_uid") not in ("", main))


def _statistics(raw: Record | None) -> Statistics:
    """`play_count` is always 0 on the web, so 0 is "not said"."""
    if raw is None:
        return Statistics()
    return Statistics(
        likes=raw.whole("digg_count"),
        comments=raw.whole("comment_count"),
        favorites=raw.whole("collect_count"),
        shares=raw.whole("share_count"),
        plays=raw.positive("play_count"),
    )


def _tags(raw: Record) -> Iterator[Tag]:
    """Each hashtag once: `text_extra` entries of type 1, then the challenge list."""
    named = [(each.text("hashtag_name"), each.id("hashtag_id")) for each in raw.records("text_extra")]
    named += [(each.text("cha_name"), each.id("cid")) for each in raw.records("cha_list")]
    seen: set[str] = set()
    for name, id in named:
        if name and name not in seen:
            seen.add(name)
            yield Tag(name=name, id=id or None)


def _mentions(raw: Record) -> Iterator[Mention]:
    """`text_extra` entries of type 0 name a person; their name is the span of the text, without the `@`."""
    for each in raw.records("text_extra"):
        user_id = each.id("sec_uid", "user_id")
        if user_id and not each.text("hashtag_name"):
            shown = span(raw.text("desc"), each.whole("start") or 0, each.whole("end") or 0)
            yield Mention(user_id=user_id, name=(shown or each.text("nickname")).removeprefix("@").strip())


def _sound(raw: Record | None) -> Sound | None:
    """The music of a post; an empty `url_list` means muted or withheld (recorded)."""
    id = raw.id("id_str", "mid", "id") if raw else ""
    if raw is None or not id:
        return None
    return Sound(
        ref=Ref(SITE, "sound", id),
        title=raw.text("title"),
        author=raw.text("author") or raw.text("owner_nickname"),
        duration=raw.number("duration"),
        original=raw.flag("is_original_sound"),
        rendition=renditions.sound(raw.record("play_url")),
    )


def _mix_of(raw: Record) -> Mix | None:
    """The mix a post is part of; a short drama's episode may name its series only."""
    info = raw.record("mix_info")
    if info and info.id("mix_id"):
        return read_mix(info)
    series = raw.record("series_basic_info")
    id = series.id("series_id_str", "series_id") if series else ""
    return Mix(ref=Ref(SITE, "series", id), title="") if id else None


def read_mix(raw: Record) -> Mix:
    """A mix from `mix_info`, a series from `series_info`."""
    kind: RefKind = "mix" if raw.id("mix_id") else "series"
    author = raw.record("author")
    counts = raw.record("statis") or raw.record("stats")
    return Mix(
        ref=Ref(SITE, kind, raw.required_id("mix_id", "series_id_str", "series_id")),
        title=raw.text("mix_name") or raw.text("series_name"),
        description=raw.text("desc"),
        author=read_author(author) if author and author.id("sec_uid") else None,
        declared=counts.positive("updated_to_episode") if counts else None,
        created=raw.time("create_time"),
        updated=raw.time("update_time"),
        cover=renditions.still(raw.record("cover_url")),
        raw=raw.raw,
    )


def _episode(raw: Record) -> int | None:
    info = raw.record("mix_info")
    counts = info.record("statis") if info else None
    return counts.positive("current_episode") if counts else None


def access_of(status: Record | None) -> Access:
    """Who may see a post; the strongest reason first. `private_status`: 1 only its author, 2 friends."""
    if status is None:
        return "public"
    review = status.record("review_result")
    seen_by: tuple[tuple[bool, Access], ...] = (
        (status.flag("is_delete"), "deleted"),
        (status.flag("is_prohibited"), "prohibited"),
        (status.whole("private_status") == 1, "private"),
        (status.flag("in_reviewing") or bool(review and review.flag("review_status")), "in_review"),
        (status.flag("private_status") or status.flag("part_see"), "friends"),
    )
    return next((access for holds, access in seen_by if holds), "public")


def _is_paid(raw: Record) -> bool:
    series = raw.record("series_paid_info")
    way = raw.record("entertainment_video_paid_way")
    in_series = bool(series and (series.flag("item_price") or series.flag("series_paid_status")))
    return in_series or bool(way and (way.flag("paid_type") or way.records("paid_ways")))


def _notice(raw: Record) -> str:
    """The platform's own warning under a post, such as "contains AI-made content"."""
    risk = raw.record("risk_infos")
    return risk.text("content") if risk else ""
