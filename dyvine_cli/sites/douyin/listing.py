"""Pages of listings: what is listed, what is only counted, where it goes on (pure)."""

from __future__ import annotations

from dataclasses import replace

from dyvine_cli.models import Page, Post, Ref
from dyvine_cli.sites.douyin import renditions
from dyvine_cli.sites.douyin.accounts import SITE
from dyvine_cli.sites.douyin.posts import access_of, images_of, read_mix, read_post
from dyvine_cli.sites.entries import next_cursor, onward, readable
from dyvine_cli.sites.reading import Record

GUEST_CUT = "Douyin shows guests only the newest posts"
CURSORS = ("max_cursor", "cursor")


def read_posts(record: Record, ref: Ref) -> Page:
    """A page of posts; see `parse.posts_page`."""
    entries = record.records("aweme_list")
    shown = [each for each in entries if not _is_foreign(each, ref)]
    present = [each for each in shown if not _is_hidden(each)]
    items, unreadable = readable(present, _listed, site=SITE, id="aweme_id")
    episodes = _episodes(record)
    next, lost = onward(record, items, more="has_more", cursors=CURSORS, ref=ref)
    return Page(
        items=tuple(replace(each, episode=episodes.get(each.ref.id, each.episode)) for each in items),
        next=next,
        lost=lost,
        cut=_cut(record),
        hidden=len(shown) - len(present),
        skipped=len(entries) - len(shown),
        unreadable=unreadable,
    )


def read_mixes(record: Record) -> Page:
    """A page of mixes; see `parse.mixes_page`."""
    mixes = tuple(read_mix(each) for each in record.records("mix_infos"))
    return Page(items=mixes, next=next_cursor(record, more="has_more", cursors=CURSORS), cut=_cut(record))


def _listed(raw: Record) -> Post:
    return read_post(raw, listed=True)


def _is_foreign(raw: Record, ref: Ref) -> bool:
    """Whether an entry is of another kind: a live card, or an advertisement put among an account's own posts."""
    if not images_of(raw) and (
        raw.whole("aweme_type") == 101 or any(name in raw for name in ("cell_room", "live_room"))
    ):
        return True
    author = raw.record("author")
    own = ref.kind == "user" and ref.listing in (None, "posts")
    return own and raw.flag("is_ads") and bool(author) and author.id("sec_uid") != ref.id  # type: ignore[union-attr]


def _is_hidden(raw: Record) -> bool:
    """Whether an entry stands for a post that cannot be seen: it says so, or it has no content."""
    access = access_of(raw.record("status"))
    bare = not any(name in raw for name in ("video", "article_info")) and not images_of(raw)
    return access in ("deleted", "prohibited") or bare or (access != "public" and not _has_media(raw))


def _has_media(raw: Record) -> bool:
    video = raw.record("video")
    return bool(images_of(raw) or "article_info" in raw or (video and renditions.video(video)))


def _episodes(record: Record) -> dict[str, int]:
    """Post id to episode, from the JSON text `item_id_to_episode` of a mix's page."""
    given = record.embedded("item_id_to_episode")
    return {id: number for id in given.names() if (number := given.positive(id))} if given else {}


def _cut(record: Record) -> str | None:
    wall = record.record("not_login_module")
    return GUEST_CUT if wall and wall.flag("guide_login_tip_exist") else None
