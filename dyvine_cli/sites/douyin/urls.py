"""What Douyin's links mean, and the link of a ref (pure). One table of forms; the first that fits counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from dyvine_cli.errors import UnsupportedURL
from dyvine_cli.models import Listing, Ref, RefKind
from dyvine_cli.sites.forms import END, ID, STABLE_PREFIX, Form, Link, find, shown, split

HOSTS: tuple[str, ...] = ("douyin.com", "iesdouyin.com", "amemv.com")
"""Domains whose links belong to Douyin, with everything below them."""

SHORT_HOSTS: tuple[str, ...] = ("v.douyin.com", "v.iesdouyin.com", "jx.douyin.com")
"""Hosts of short links, which say nothing until they are followed."""

BOARD = "hot"
"""The id of the `trending` ref that means the whole board."""

_WEB = ("douyin.com", "iesdouyin.com")
_HOMES = ("www.douyin.com", "douyin.com", "www.iesdouyin.com", "iesdouyin.com")
_XIGUA = "Xigua (西瓜视频) is not supported, only Douyin itself is"
_FEED = "this Douyin page is a feed that changes with every visit; it names no post, user or list"

_STABLE = STABLE_PREFIX + r"[A-Za-z0-9_-]{10,120}"
_NAME = r"(?P<id>[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})"

_LISTINGS: Mapping[str, Listing] = {"like": "likes", "favorite_collection": "favorites", "record": "history"}
"""Tabs of a user's page; the others show the posts. All but likes exist for the own account only."""

_PAGES: Mapping[RefKind, str] = {
    "post": "https://www.douyin.com/video/{}",
    "user": "https://www.douyin.com/user/{}",
    "mix": "https://www.douyin.com/collection/{}",
    "series": "https://www.douyin.com/series?series_id={}",
    "sound": "https://www.douyin.com/music/{}",
    "hashtag": "https://www.douyin.com/hashtag/{}",
    "room": "https://live.douyin.com/{}",
    "search": "https://www.douyin.com/search/{}",
    "trending": "https://www.douyin.com/hot/{}",
    "film": "https://www.douyin.com/lvdetail/{}",
    "replay": "https://www.douyin.com/vsdetail/{}",
}
_REFLOW = "https://webcast.amemv.com/douyin/webcast/reflow/{}"


FORMS: tuple[Form, ...] = (
    Form("xigua", ("ixigua.com",), "", refusal=_XIGUA),
    Form("xigua-redirect", _WEB, "/xg/video/", refusal=_XIGUA),
    Form("short", SHORT_HOSTS, r"/(?P<id>[A-Za-z0-9_-]{6,32})" + END, "short"),
    Form("player", ("open.douyin.com",), r"/player/video/?$", parameter="vid"),
    Form("modal", _WEB, "", parameter="modal_id"),
    Form("follow-room", _WEB, "/follow/?$", "room", parameter="webRid", value=_NAME),
    Form("post", _WEB, r"(?:/m|/share)?/(?:video|shipin|note|gallery|slides|article)/" + ID + END),
    Form("self", _WEB, r"/user/(?P<id>self)" + END, "user"),
    Form("share-user", _WEB, "/share/user/", "user", parameter="sec_uid", value=f"(?P<id>{_STABLE})"),
    Form("user", _WEB, rf"(?:/share)?/user/(?P<id>{_STABLE}|[0-9]{{1,20}})" + END, "user"),
    Form("mix", _WEB, r"(?:/share)?/(?:collection|mix(?:/detail)?)/" + ID + END, "mix"),
    Form("series", _WEB, "/series/?$", "series", parameter="series_id"),
    Form("sound", _WEB, r"(?:/share)?/music/" + ID + END, "sound"),
    Form("hashtag", _WEB, r"(?:/share)?/(?:hashtag|challenge)/" + ID + END, "hashtag"),
    Form("search", _WEB, r"(?:/root|/jingxuan)?/search/(?P<id>[^/]+)", "search"),
    Form("trending", _WEB, r"/hot/" + ID + END, "trending"),
    Form("board", _WEB, r"/(?P<id>hot)/?$", "trending"),
    Form("film", _WEB, r"/lvdetail/" + ID + r"(?:/(?P<episode>[0-9]{1,20}))?" + END, "film", part="episode"),
    Form("replay", _WEB, r"/vsdetail/" + ID + END, "replay"),
    Form(
        "reflow-replay",
        ("amemv.com",),
        r"(?:/douyin)?/webcast/reflow/episode/" + ID + END,
        "replay",
        part="replay_id",
    ),
    Form("reflow", ("amemv.com",), r"(?:/douyin)?/webcast/reflow/" + ID + END, "room"),
    Form("page-room", _WEB, r"/(?:root|follow|share)/live/" + _NAME, "room"),
    Form("room", ("live.douyin.com",), rf"/{_NAME}/?$", "room"),
    Form("feed", _WEB, r"/(?:jingxuan|discover|follow|friend|recommend|channel/[0-9]+)/?$", refusal=_FEED),
)


def match(text: str) -> Ref | None:
    """What one link, with or without a scheme, or one bare id means; None if it is not Douyin's.

    Raises UnsupportedURL for forms that are known and out of scope.
    """
    text = text.strip()
    if re.fullmatch("[0-9]{15,20}", text):
        return Ref("douyin", "post", text)
    if re.fullmatch(_STABLE, text):
        return Ref("douyin", "user", text)
    link = split(text)
    found = find(FORMS, link) if link else None
    return _ref(*found, link) if link and found else None


def is_home(text: str) -> bool:
    """Whether a link is Douyin's bare front page, where a short link leads that has run out."""
    link = split(text.strip())
    if link is None or link.host not in _HOMES:
        return False
    return link.path in ("", "/") and "modal_id" not in link.parameters


def url(ref: Ref) -> str:
    """The address a person would open for this ref; `match` gives the ref back.

    Raises UnsupportedURL for a kind that Douyin does not have.
    """
    if ref.kind == "short":
        return ref.id
    if ref.kind not in _PAGES:
        raise UnsupportedURL(f"{ref}: Douyin has no such thing as a {ref.kind}")
    if ref.kind == "room" and re.fullmatch("[0-9]{17,}", ref.id):
        return _REFLOW.format(ref.id)
    if ref.kind == "replay" and "/" in ref.id:
        episode, _, replay = ref.id.partition("/")
        return _REFLOW.format(f"episode/{quote(episode, safe='')}?replay_id={quote(replay, safe='')}")
    if ref.kind == "trending" and ref.id == BOARD:
        return "https://www.douyin.com/hot"
    page = _PAGES[ref.kind].format(quote(ref.id, safe="/" if ref.kind == "film" else ""))
    tab = next((tab for tab, listing in _LISTINGS.items() if listing == ref.listing), None)
    return f"{page}?showTab={tab}" if tab else page


def _ref(form: Form, id: str, link: Link) -> Ref | None:
    if form.kind == "short":
        return Ref("douyin", "short", f"https://{link.host}/{id}/")
    if form.kind == "search":
        keyword = shown(unquote(id))
        return Ref("douyin", "search", keyword) if keyword else None
    return Ref("douyin", form.kind, id, _listing(id, link) if form.kind == "user" else None)


def _listing(id: str, link: Link) -> Listing | None:
    """The listing that the tab of a user's page shows; None for the posts."""
    listing = _LISTINGS.get(link.parameters.get("showTab", ""))
    return listing if id == "self" or listing == "likes" else None
