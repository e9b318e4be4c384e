"""From Douyin's raw JSON to models (pure). Field names are the platform's own; what they mean stands beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from dyvine_cli.errors import Deleted, DyvineError, InReview, LoginNeeded, NotFound, Paid, Private, SiteError
from dyvine_cli.models import (
    Access,
    Asset,
    Author,
    Cursor,
    Listing,
    Mention,
    Mix,
    Page,
    Post,
    PostKind,
    Ref,
    RefKind,
    Rendition,
    Sound,
    Statistics,
    Tag,
    User,
)
from dyvine_cli.sites.douyin import renditions
from dyvine_cli.sites.douyin.answers import (
    LOGIN_HINT,
    classify_batch,
    classify_detail,
    classify_feed,
    classify_items,
    classify_profile,
    classify_search,
    ensure_served,
    soft_block,
)
from dyvine_cli.sites.douyin.article import Article, read_article
from dyvine_cli.sites.douyin.page_data import render_data, router_data
from dyvine_cli.sites.reading import Record, reading

__all__ = [
    "classify_batch",
    "classify_detail",
    "classify_feed",
    "classify_items",
    "classify_profile",
    "classify_search",
    "ensure_available",
    "ensure_served",
    "mix",
    "mixes_page",
    "post",
    "posts_page",
    "render_data",
    "router_data",
    "user",
]

SITE = "douyin"

CUT_MARK = "版本过低，升级后可展示全部信息"
"""What web answers put behind the beginning of a long note (recorded 2026-08)."""

LONG_NOTE = 1000
"""Characters. An ordinary caption ends there (reported limit); a longer text under stills is a note."""

LISTED_ARTICLE = 490
"""Characters. Listings cut an article's text at about 499 (reported); the detail answer has all of it."""

GUEST_CUT = "Douyin shows guests only the newest posts"

_LIVE_FIELDS = ("cell_room", "live_room", "live_id", "live_info")
_STORY_FIELDS = ("is_story", "is_24_story", "is_25_story", "is_moment_story")
_SHORT_CLIP, _CLIP_PAGE = 5, 4
_PAGES: Mapping[PostKind, str] = {"video": "video", "article": "article"}
_GONE_WORDS = ("注销", "重置")
_BANNED_WORDS = ("封禁", "违规", "违反")


def post(raw: Mapping[str, Any], *, ref: Ref | None = None, listed: bool = False) -> Post:
    """One post from its raw form; `ref` only names it in errors. `listed` says that it comes from a listing.

    A post that is not for us (deleted, private, paid, login only) is a Post with what it says and the assets it still
    has; `ensure_available` raises. Raises UnexpectedResponse naming the field, also for a live card, which is no post.
    """
    with reading(f"post {ref or ''}".strip(), ref=ref):
        return _post(Record(raw, "aweme"), listed=listed)


def user(raw: Mapping[str, Any]) -> User:
    """An account from `user` of a profile answer, or `user_info` of the H5 answer."""
    with reading("user"):
        return _user(Record(raw, "user"))


def mix(raw: Mapping[str, Any]) -> Mix:
    """A mix from `mix_info`, or a short-drama series from `series_info`."""
    with reading("mix"):
        return _mix(Record(raw, "mix_info"))


def posts_page(answer: object, *, ref: Ref, what: Listing | None = None) -> Page:
    """One page of posts: of an account (posts, likes, favourites, history), a mix, a series, a sound or a hashtag.

    Entries without content count as `hidden`, live cards and strangers' advertisements as `skipped`; a post that cannot
    be read is one of `unreadable` while others can. `cut` is set when Douyin wants a login for more; `next` may still
    go on. Raises RiskControl when the list is missing, UnexpectedResponse when no post can be read.
    """
    record = ensure_served(answer, ref=ref, endpoint=what or "list")
    if record.raw.get("aweme_list") is None:
        raise soft_block(ref, what or "list")
    with reading(f"{what or 'list'} {ref}", ref=ref, endpoint=what or "list"):
        entries = record.records("aweme_list")
        shown = [each for each in entries if not _is_foreign(each, ref)]
        present = [each for each in shown if not _is_hidden(each)]
        items, unreadable = _readable(present)
        episodes = _episodes(record)
        return Page(
            items=tuple(replace(each, episode=episodes.get(each.ref.id, each.episode)) for each in items),
            next=_next(record),
            cut=_cut(record),
            hidden=len(shown) - len(present),
            skipped=len(entries) - len(shown),
            unreadable=unreadable,
        )


def mixes_page(answer: object, *, ref: Ref) -> Page:
    """One page of an account's mixes. Raises like `posts_page`."""
    record = ensure_served(answer, ref=ref, endpoint="mixes")
    if record.raw.get("mix_infos") is None:
        raise soft_block(ref, "mixes")
    with reading(f"mixes {ref}", ref=ref, endpoint="mixes"):
        return Page(
            items=tuple(_mix(each) for each in record.records("mix_infos")),
            next=_next(record),
            cut=_cut(record),
        )


def ensure_available(post: Post) -> Post:
    """The same post, if there is something of it for us.

    Raises Deleted; Private, InReview, Paid or LoginNeeded when Douyin withholds the media for that reason (its author,
    logged in, is given them).
    """
    if post.access in ("deleted", "prohibited"):
        by = "its author" if post.access == "deleted" else "Douyin"
        raise Deleted(f"{post.ref}: {by} removed the post", ref=post.ref)
    if any(asset.kind in ("video", "picture", "clip", "text") for asset in post.assets):
        return post
    raise _withheld(post)


def _withheld(post: Post) -> SiteError:
    if post.access in ("private", "friends"):
        hint = LOGIN_HINT if post.access == "friends" else None
        return Private(f"{post.ref}: only people its author chose can see the post", hint=hint, ref=post.ref)
    if post.access == "in_review":
        return InReview(f"{post.ref}: the post is in review", ref=post.ref)
    if post.paid:
        return Paid(f"{post.ref}: only for those who bought it", ref=post.ref)
    if post.login_only:
        return LoginNeeded(
            f"{post.ref}: Douyin shows this post to logged-in people only", hint=LOGIN_HINT, ref=post.ref
        )
    return NotFound(f"{post.ref}: the post holds no media", ref=post.ref)


def _post(raw: Record, *, listed: bool) -> Post:
    kind = _kind(raw)
    if kind is None:
        raise ValueError(f"{raw.path} is a live card, not a post")
    id = raw.required_id("aweme_id")
    article = read_article(raw.required_record("article_info")) if kind == "article" else None
    made = Post(
        ref=Ref(SITE, "post", id),
        kind=kind,
        url=f"https://www.douyin.com/{_PAGES.get(kind, 'note')}/{id}",
        author=_author(raw.required_record("author")),
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
        access=_access(raw.record("status")),
        paid=_is_paid(raw),
        login_only=raw.flag("pc_need_login"),
        notice=_notice(raw),
        region=_place(raw.text("ip_attribution")) or raw.text("region") or None,
        raw=raw.raw,
    )
    return _with_assets(made, raw, article)


def _kind(raw: Record) -> PostKind | None:
    """What a post is; None for a live card. `aweme_type` is 0 for guests' gallery posts, so `images` decides."""
    if raw.whole("aweme_type") == 163 or "article_info" in raw:
        return "article"
    images = _images(raw)
    if images:
        return _gallery_kind(raw, images)
    if raw.whole("aweme_type") == 101 or any(name in raw and raw.raw[name] != 0 for name in _LIVE_FIELDS):
        return None
    return "images" if raw.whole("media_type") in (2, 42) else "video"


def _gallery_kind(raw: Record, images: tuple[Record, ...]) -> PostKind:
    """Clip pages make slides, short clips live photos; a long text makes a note of stills."""
    clips = [each for each in images if "video" in each]
    if any(each.whole("clip_type") == _CLIP_PAGE for each in clips):
        return "slides"
    if clips:
        return "live_photo"
    text = raw.text("desc")
    return "note" if text.endswith(CUT_MARK) or len(text) > LONG_NOTE else "images"


def _images(raw: Record) -> tuple[Record, ...]:
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
        assets = (*_note_text(made), *_gallery_assets(_images(raw)))
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
    if address and renditions.links([*address.texts("url_list"), address.text("uri")]):
        return renditions.sound(address)
    return _music(made)


def _music(made: Post) -> Rendition | None:
    return made.sound.rendition if made.sound else None


def _subtitles(video: Record | None) -> Iterator[Asset]:
    captions = video.record("cla_info") if video else None
    seen: set[str] = set()
    for entry in captions.records("caption_infos") if captions else ():
        language = entry.id("lang") or "und"
        urls = renditions.links([entry.text("url")])
        if urls and language not in seen:
            seen.add(language)
            rendition = Rendition(mirrors=urls, ext="srt", expires=renditions.expiry(urls))
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


def _author(raw: Record) -> Author:
    """`unique_id` is the handle a person chose, `short_id` the numeric one everybody has."""
    uid = raw.id("uid", "id_str", "id")
    return Author(
        id=raw.required_id("sec_uid"),
        uid=uid,
        handle=raw.id("unique_id") or raw.id("short_id"),
        nickname=raw.text("nickname"),
    )


def _co_authors(raw: Record) -> tuple[Author, ...]:
    """Everyone but the author who stands in `cooperation_info`."""
    together = raw.record("cooperation_info")
    main = raw.required_record("author").id("sec_uid")
    people = together.records("co_creators") if together else ()
    return tuple(_author(each) for each in people if each.id("sec_uid") not in ("", main))


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
            span = _span(raw.text("desc"), each.whole("start") or 0, each.whole("end") or 0)
            yield Mention(user_id=user_id, name=(span or each.text("nickname")).removeprefix("@").strip())


def _span(text: str, start: int, end: int) -> str:
    """Part of a text; the platform counts UTF-16 units."""
    units = text.encode("utf-16-le")[2 * max(start, 0) : 2 * max(end, 0)]
    return units.decode("utf-16-le", "ignore")


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
        return _mix(info)
    series = raw.record("series_basic_info")
    id = series.id("series_id_str", "series_id") if series else ""
    return Mix(ref=Ref(SITE, "series", id), title="") if id else None


def _mix(raw: Record) -> Mix:
    kind: RefKind = "mix" if raw.id("mix_id") else "series"
    author = raw.record("author")
    counts = raw.record("statis") or raw.record("stats")
    return Mix(
        ref=Ref(SITE, kind, raw.required_id("mix_id", "series_id_str", "series_id")),
        title=raw.text("mix_name") or raw.text("series_name"),
        description=raw.text("desc"),
        author=_author(author) if author and author.id("sec_uid") else None,
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


def _access(status: Record | None) -> Access:
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


def _place(text: str) -> str:
    """`IP属地：广东` without the words for "place of the address"."""
    return re.sub(r"^IP属地[：:]\s*", "", text)


def _user(raw: Record) -> User:
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
        region=_place(raw.text("ip_location")) or None,
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


def _is_foreign(raw: Record, ref: Ref) -> bool:
    """Whether an entry is of another kind: a live card, or an advertisement put among an account's own posts."""
    if not _images(raw) and (
        raw.whole("aweme_type") == 101 or any(name in raw for name in ("cell_room", "live_room"))
    ):
        return True
    author = raw.record("author")
    own = ref.kind == "user" and ref.listing in (None, "posts")
    return own and raw.flag("is_ads") and bool(author) and author.id("sec_uid") != ref.id  # type: ignore[union-attr]


def _is_hidden(raw: Record) -> bool:
    """Whether an entry stands for a post that cannot be seen: it says so, or it has no content."""
    access = _access(raw.record("status"))
    bare = not any(name in raw for name in ("video", "article_info")) and not _images(raw)
    return access in ("deleted", "prohibited") or bare or (access != "public" and not _has_media(raw))


def _has_media(raw: Record) -> bool:
    video = raw.record("video")
    return bool(_images(raw) or "article_info" in raw or (video and renditions.video(video)))


def _readable(entries: list[Record]) -> tuple[list[Post], tuple[DyvineError, ...]]:
    """The posts among the entries, and the errors of those that could not be read; raises if none could."""
    items: list[Post] = []
    errors: list[DyvineError] = []
    for entry in entries:
        try:
            with reading("post", ref=_named(entry)):
                items.append(_post(entry, listed=True))
        except SiteError as exc:
            errors.append(exc)
    if errors and not items:
        raise errors[0]
    return items, tuple(errors)


def _named(entry: Record) -> Ref | None:
    with reading("post"):
        id = entry.id("aweme_id")
    return Ref(SITE, "post", id) if id else None


def _episodes(record: Record) -> dict[str, int]:
    """Post id to episode, from the JSON text `item_id_to_episode` of a mix's page."""
    given = record.embedded("item_id_to_episode")
    return {id: number for id in given.names() if (number := given.positive(id))} if given else {}


def _next(record: Record) -> Cursor | None:
    """The cursor for the next page, None at the end. Raises LookupError if more is promised without one."""
    if "has_more" not in record.names():
        record.missing("has_more")
    if not record.flag("has_more"):
        return None
    name = "max_cursor" if "max_cursor" in record.names() else "cursor"
    value = record.raw.get(name)
    if isinstance(value, str) and value:
        return Cursor(record.text(name))
    number = record.whole(name)
    return Cursor(str(number)) if number is not None else record.missing(name)


def _cut(record: Record) -> str | None:
    wall = record.record("not_login_module")
    return GUEST_CUT if wall and wall.flag("guide_login_tip_exist") else None
