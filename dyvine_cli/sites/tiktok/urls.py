"""What TikTok's links mean, and the link of a ref (pure). One table of forms; the first that fits counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from dyvine_cli.errors import UnsupportedURL
from dyvine_cli.models import Listing, Ref, RefKind
from dyvine_cli.sites.forms import END, ID, STABLE_PREFIX, Form, Link, find, shown, split

HOSTS: tuple[str, ...] = ("tiktok.com", "tiktokv.com")
"""Domains whose links belong to TikTok, with everything below them."""

SHORT_HOSTS: tuple[str, ...] = ("vm.tiktok.com", "vt.tiktok.com")
"""Hosts of nothing but short links; other hosts have them too, below `/t/`."""

_WEB = ("tiktok.com",)
_HOMES = ("www.tiktok.com", "tiktok.com", "m.tiktok.com", "lite.tiktok.com")
# With or without a language before it, as in /en/notfound.
_GONE = r"/?|(?:/[a-z]{2}(?:-[A-Za-z]+)?)?/notfound(?:/.*)?"

_FEED = "this TikTok page is a feed that changes with every visit; it names no post, user or list"
_EFFECT = "TikTok has no list of the posts with an effect"
_LOGIN = "this is TikTok's login page, which names no post"
_PART = "of a TikTok account only posts, likes, reposts, saved posts and playlists can be listed"

_STABLE = STABLE_PREFIX + r"[A-Za-z0-9_-]{32,64}"
_NUMBER = r"[0-9]{1,20}"
_HANDLE = r"(?=[.-]*[A-Za-z0-9_])[A-Za-z0-9_.-]{1,24}"
_BROADCAST = r"[0-9]{17,20}"
_CODE = r"[A-Za-z0-9_-]{5,32}"
_ANY = r"(?P<id>(?s:.)+)"
_AT = r"/(?:@|%40)"
_USER = rf"(?P<id>{_STABLE}|{_NUMBER}|{_HANDLE})(?![A-Za-z0-9_.-])"
# A name of any letters before the id, which is what stands after the last hyphen.
_NAMED = r"(?:[^/]*-)?" + ID + END
_LAST = r"(?!/[A-Za-z0-9])"

_TABS: Mapping[str, Listing] = {
    "liked": "likes",
    "likes": "likes",
    "reposts": "reposts",
    "saved": "favorites",
    "playlists": "mixes",
}
"""Words after an account's address, as gallery-dl has them too; the page itself shows the posts."""

_PAGES: Mapping[RefKind, str] = {
    "post": "https://www.tiktok.com/@_/video/{}",
    "user": "https://www.tiktok.com/@{}",
    "mix": "https://www.tiktok.com/@_/playlist/_-{}",
    "collection": "https://www.tiktok.com/@_/collection/_-{}",
    "sound": "https://www.tiktok.com/music/_-{}",
    "hashtag": "https://www.tiktok.com/tag/{}",
    "room": "https://www.tiktok.com/@{}/live",
    "search": "https://www.tiktok.com/search?q={}",
}
_BROADCAST_PAGE = "https://m.tiktok.com/share/live/{}"

FORMS: tuple[Form, ...] = (
    Form("short", SHORT_HOSTS, rf"/(?P<id>{_CODE})" + END + _LAST, "short"),
    Form("short-t", _WEB, rf"/(?P<id>t/{_CODE})" + END, "short"),
    # The handle is not checked by TikTok: empty, `_`, another's and a secUid all show the post.
    Form("post", _WEB, rf"{_AT}[^/]*/(?:video|photo)/" + ID + END),
    Form("embed", _WEB, r"/embed/(?:v[0-9]/)?" + ID + END),
    Form("player", _WEB, r"/player/v[0-9]/" + ID + END),
    Form("share-post", HOSTS, r"/share/(?:video|photo)/" + ID + END),
    Form("mobile-post", ("m.tiktok.com",), "/v/" + ID + END),
    Form("room", _WEB, rf"{_AT}(?!{_BROADCAST}/){_USER}/live/?(?![A-Za-z0-9_-])", "room"),
    Form("share-room", HOSTS, rf"/share/live/(?P<id>{_BROADCAST})" + END, "room"),
    Form("playlist", _WEB, rf"{_AT}[^/]*/playlist/" + _NAMED, "mix"),
    Form("collection", _WEB, rf"{_AT}[^/]*/collection/" + _NAMED, "collection"),
    Form("tab", _WEB, rf"{_AT}{_USER}/(?P<tab>posts|{'|'.join(_TABS)})" + END, "user"),
    Form("part", _WEB, rf"{_AT}{_USER}/(?:avatar|stories|following|followers)" + END, refusal=_PART),
    Form("user", _WEB, _AT + _USER + _LAST, "user"),
    Form("embed-user", _WEB, f"/embed{_AT}{_USER}", "user"),
    Form(
        "share-stable",
        HOSTS,
        "(?:/h5)?/share/use?r/",
        "user",
        parameter="sec_uid",
        value=f"(?P<id>{_STABLE})",
    ),
    Form("share-user", HOSTS, rf"(?:/h5)?/share/use?r/(?P<id>{_STABLE}|{_NUMBER})" + END, "user"),
    Form("hashtag", _WEB, r"/tag/(?P<id>[^/]+)", "hashtag"),
    Form("sound", _WEB, "/music/" + _NAMED, "sound"),
    Form("search", _WEB, r"/search(?:/[a-z]+)?/?$", "search", parameter="q", value=_ANY),
    Form("effect", _WEB, "/(?:sticker|effect)/", refusal=_EFFECT),
    Form("login", _WEB, "/login" + END, refusal=_LOGIN),
    Form(
        "feed",
        _WEB,
        "/(?:explore|foryou|following|friends|live|search|discover(?:/.*)?)/?$",
        refusal=_FEED,
    ),
)

WRAPPINGS: tuple[Form, ...] = (
    Form("login-for", _WEB, "/login" + END, parameter="redirect_url", value=_ANY),
    Form("oembed", _WEB, "/oembed/?$", parameter="url", value=_ANY),
)
"""Links whose meaning is another link in a parameter."""


def match(text: str) -> Ref | None:
    """What one link, `@handle` or `tiktokuser:SECUID` means; None if it is not TikTok's.

    A bare number is left to `tiktok:post:ID`: nothing tells it from Douyin's. Raises UnsupportedURL for forms that are
    known and out of scope.
    """
    text = text.strip()
    if bare := re.fullmatch(rf"tiktokuser:({_STABLE})|@({_HANDLE})", text):
        return Ref("tiktok", "user", bare[1] or bare[2])
    link = split(text)
    if link is None:
        return None
    wrapped = find(WRAPPINGS, link)
    inner = split(wrapped[1]) if wrapped else None
    return (_meaning(inner) if inner else None) or _meaning(link)


def is_home(text: str) -> bool:
    """Whether a link is TikTok's bare front page or its "not found", where a short link leads that has run out."""
    link = split(text.strip())
    return link is not None and link.host in _HOMES and bool(re.fullmatch(_GONE, link.path))


def url(ref: Ref) -> str:
    """The address a person would open for this ref; `match` gives the ref back.

    Raises UnsupportedURL for a kind that TikTok does not have.
    """
    if ref.kind == "short":
        return ref.id
    if ref.kind not in _PAGES:
        raise UnsupportedURL(f"{ref}: TikTok has no such thing as a {ref.kind}")
    broadcast = ref.kind == "room" and re.fullmatch(_BROADCAST, ref.id)
    page = (_BROADCAST_PAGE if broadcast else _PAGES[ref.kind]).format(quote(ref.id, safe=""))
    tab = next((tab for tab, listing in _TABS.items() if listing == ref.listing), None)
    return f"{page}/{tab}" if tab else page


def _meaning(link: Link) -> Ref | None:
    found = find(FORMS, link)
    if found is None:
        return None
    form, id = found
    if form.kind == "short":
        return Ref("tiktok", "short", f"https://{link.host}/{id}/")
    if form.kind in ("hashtag", "search"):
        id = shown(unquote(id) if form.kind == "hashtag" else id)
        return Ref("tiktok", form.kind, id) if id else None
    return Ref("tiktok", form.kind, id, _listing(form, link))


def _listing(form: Form, link: Link) -> Listing | None:
    """The listing that the word after an account's address names; None for the posts."""
    found = re.match(form.path, link.path)
    return _TABS.get(found["tab"]) if found and "tab" in found.groupdict() else None
