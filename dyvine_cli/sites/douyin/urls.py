"""What Douyin's links mean, and the link of a ref (pure). One table of forms; the first that fits counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from dyvine_cli.errors import UnsupportedURL
from dyvine_cli.http.addresses import within
from dyvine_cli.models import Listing, Ref, RefKind

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

_ID = r"(?P<id>[0-9]{1,20})"
_STABLE = r"MS4wLjABAAAA[A-Za-z0-9_-]{10,120}"
_NAME = r"(?P<id>[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})"
# The words after a link are often glued to it; only what could belong to the id must not follow.
_END = r"(?![A-Za-z0-9_-])"

# Control characters and those that turn the direction of writing: a keyword is shown on a terminal.
_UNSEEN = "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"

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


class Link(NamedTuple):
    """The parts of a link that matter: host in lower case, path as written, the first value of each parameter."""

    host: str
    path: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Form:
    """One form of link.

    The id is group `id` of `path`, or of the value of `parameter`. `part` is a parameter, or a group of `path`, that
    narrows the id down: it is appended after a `/`. A form with a `refusal` is known and out of scope.
    """

    name: str
    domains: tuple[str, ...]
    path: str
    kind: RefKind = "post"
    parameter: str | None = None
    value: str = _ID
    part: str | None = None
    refusal: str | None = None

    def id(self, link: Link) -> str | None:
        """The id in `link`, "" for a form without; None if the link has another form."""
        found = re.match(self.path, link.path)
        if not found or not within(link.host, self.domains):
            return None
        if self.parameter is not None:
            named = re.match(self.value + _END, link.parameters.get(self.parameter, ""))
            return named["id"] if named else None
        groups = found.groupdict()
        part = (groups | dict(link.parameters)).get(self.part or "")
        return "/".join(filter(None, [groups.get("id", ""), part]))


FORMS: tuple[Form, ...] = (
    Form("xigua", ("ixigua.com",), "", refusal=_XIGUA),
    Form("xigua-redirect", _WEB, "/xg/video/", refusal=_XIGUA),
    Form("short", SHORT_HOSTS, r"/(?P<id>[A-Za-z0-9_-]{6,32})" + _END, "short"),
    Form("player", ("open.douyin.com",), r"/player/video/?$", parameter="vid"),
    Form("modal", _WEB, "", parameter="modal_id"),
    Form("follow-room", _WEB, "/follow/?$", "room", parameter="webRid", value=_NAME),
    Form("post", _WEB, r"(?:/m|/share)?/(?:video|shipin|note|gallery|slides|article)/" + _ID + _END),
    Form("self", _WEB, r"/user/(?P<id>self)" + _END, "user"),
    Form("share-user", _WEB, "/share/user/", "user", parameter="sec_uid", value=f"(?P<id>{_STABLE})"),
    Form("user", _WEB, rf"(?:/share)?/user/(?P<id>{_STABLE}|[0-9]{{1,20}})" + _END, "user"),
    Form("mix", _WEB, r"(?:/share)?/(?:collection|mix(?:/detail)?)/" + _ID + _END, "mix"),
    Form("series", _WEB, "/series/?$", "series", parameter="series_id"),
    Form("sound", _WEB, r"(?:/share)?/music/" + _ID + _END, "sound"),
    Form("hashtag", _WEB, r"(?:/share)?/(?:hashtag|challenge)/" + _ID + _END, "hashtag"),
    Form("search", _WEB, r"(?:/root|/jingxuan)?/search/(?P<id>[^/]+)", "search"),
    Form("trending", _WEB, r"/hot/" + _ID + _END, "trending"),
    Form("board", _WEB, r"/(?P<id>hot)/?$", "trending"),
    Form(
        "film", _WEB, r"/lvdetail/" + _ID + r"(?:/(?P<episode>[0-9]{1,20}))?" + _END, "film", part="episode"
    ),
    Form("replay", _WEB, r"/vsdetail/" + _ID + _END, "replay"),
    Form(
        "reflow-replay",
        ("amemv.com",),
        r"(?:/douyin)?/webcast/reflow/episode/" + _ID + _END,
        "replay",
        part="replay_id",
    ),
    Form("reflow", ("amemv.com",), r"(?:/douyin)?/webcast/reflow/" + _ID + _END, "room"),
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
    link = _split(text)
    found = _find(link) if link else None
    return _ref(*found) if found else None


def is_home(text: str) -> bool:
    """Whether a link is Douyin's bare front page, where a short link leads that has run out."""
    link = _split(text.strip())
    if link is None or link.host not in _HOMES:
        return False
    return link.path in ("", "/") and "modal_id" not in link.parameters


def url(ref: Ref) -> str:
    """The address a person would open for this ref; `match` gives the ref back."""
    if ref.kind == "short":
        return ref.id
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


def _split(text: str) -> Link | None:
    """The parts of an http(s) link without login, strange port or anything that two readers could split in two ways."""
    if re.search(r"[\s\\\x00-\x1f\x7f]", text):
        return None
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        text = "https://" + text.removeprefix("//")
    try:
        parts = urlsplit(text)
        usual = parts.port in (None, 80, 443)
    except ValueError:
        return None
    host = (parts.hostname or "").removesuffix(".")
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not usual:
        return None
    if not host.isascii() or host.endswith("."):
        return None
    return Link(host, parts.path, dict(reversed(parse_qsl(parts.query))))


def _find(link: Link) -> tuple[Form, str, Link] | None:
    for form in FORMS:
        id = form.id(link)
        if id is not None:
            return form, id, link
    return None


def _ref(form: Form, id: str, link: Link) -> Ref | None:
    if form.refusal:
        raise UnsupportedURL(f"{link.host}{link.path}: {form.refusal}")
    if form.kind == "short":
        return Ref("douyin", "short", f"https://{link.host}/{id}/")
    if form.kind == "search":
        keyword = re.sub(_UNSEEN, "", unquote(id)).strip()
        return Ref("douyin", "search", keyword) if keyword else None
    return Ref("douyin", form.kind, id, _listing(id, link) if form.kind == "user" else None)


def _listing(id: str, link: Link) -> Listing | None:
    """The listing that the tab of a user's page shows; None for the posts."""
    listing = _LISTINGS.get(link.parameters.get("showTab", ""))
    return listing if id == "self" or listing == "likes" else None
