"""Pages of listings: what is listed, what is only counted, where it goes on (pure)."""

from __future__ import annotations

from collections.abc import Collection

from dyvine_cli.errors import Private
from dyvine_cli.models import Author, Page, Ref
from dyvine_cli.sites.entries import next_cursor, onward, readable
from dyvine_cli.sites.reading import Record
from dyvine_cli.sites.tiktok.accounts import SITE, read_author
from dyvine_cli.sites.tiktok.posts import access_of, has_media, read_embedded, read_mix, read_post
from dyvine_cli.sites.tiktok.refusals import code_error, soft_block

EMBED_CUT = "TikTok's embed page shows only the newest posts"


def read_posts(record: Record, ref: Ref) -> Page:
    """A page of posts; see `parse.posts_page`."""
    entries = record.records("itemList")
    shown = [each for each in entries if not _is_foreign(each, ref)]
    present = [each for each in shown if not _is_hidden(each)]
    items, unreadable = readable(present, read_post, site=SITE, id="id")
    next, lost = onward(record, items, more="hasMore", cursors=("cursor",), ref=ref)
    return Page(
        items=items,
        next=next,
        lost=lost,
        hidden=len(shown) - len(present),
        skipped=len(entries) - len(shown),
        unreadable=unreadable,
    )


def read_mixes(record: Record) -> Page:
    """A page of an account's playlists; see `parse.mixes_page`."""
    mixes = tuple(read_mix(each) for each in record.records("playList"))
    return Page(items=mixes, next=next_cursor(record, more="hasMore", cursors=("cursor",)))


def read_embed(node: Record, ref: Ref, author: Author | None) -> Page:
    """The newest posts of an account; see `parse.embed_page`."""
    owner = node.record("userInfo")
    if owner is None:
        raise soft_block(ref, "embed")
    _check_owner(owner, ref, listed="videoList" in node)
    named = author or read_author(owner)
    entries = node.records("videoList")
    items, unreadable = readable(entries, lambda raw: read_embedded(raw, named), site=SITE, id="id")
    return Page(items=items, next=None, cut=EMBED_CUT, unreadable=unreadable)


def is_repeated(page: Page, before: Collection[str]) -> bool:
    """Whether a page shows nothing but posts whose ids came before.

    So TikTok answers a device id that it dislikes (yt-dlp #14031): another one may get on.
    """
    ids = {each.ref.id for each in page.items}
    return bool(ids) and ids <= set(before)


def _check_owner(owner: Record, ref: Ref, *, listed: bool) -> None:
    code = owner.whole("customErrorCode") or 0
    if code:
        raise code_error(code, "", endpoint="embed", ref=ref)
    if owner.whole("code") not in (None, 0, 200):
        raise soft_block(ref, "embed")
    if owner.flag("privateAccount") and not listed:
        raise Private(f"{ref}: the account is private", ref=ref, endpoint="embed")


def _is_foreign(raw: Record, ref: Ref) -> bool:
    """Whether an entry is an advertisement of another account, put among an account's own posts."""
    own = ref.kind == "user" and ref.listing in (None, "posts")
    author = raw.record("author") if own and raw.flag("isAd") else None
    return author is not None and ref.id not in (
        author.id("secUid"),
        author.id("id"),
        author.text("uniqueId"),
    )


def _is_hidden(raw: Record) -> bool:
    """Whether an entry stands for a post that cannot be seen: it says so, or it has no content."""
    access = access_of(raw)
    bare = "video" not in raw and "imagePost" not in raw and not raw.flag("isContentClassified")
    return access == "prohibited" or bare or (access != "public" and not has_media(raw))
