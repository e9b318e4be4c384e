"""Every form of TikTok link, and what only looks like one."""

from __future__ import annotations

from typing import get_args

import pytest

from dyvine_cli import links
from dyvine_cli.errors import UnsupportedURL
from dyvine_cli.models import Listing, Ref, RefKind
from dyvine_cli.sites import forms
from dyvine_cli.sites.tiktok import urls

ID = "7212008840433274118"
STABLE = "MS4wLjABAAAAHghfTK_0oCnHfvK1dI_lQFR6mOqG0ubruxoKqK9yKX4-aBcDeFgHiJkLmNoP"
SHORTER = STABLE[:44]
POST = Ref("tiktok", "post", ID)
USER = Ref("tiktok", "user", "li.hua_01")
ELSEWHERE: tuple[RefKind, ...] = ("series", "trending", "film", "replay")


def ref(kind: RefKind, id: str, listing: Listing | None = None) -> Ref:
    """A TikTok ref in short."""
    return Ref("tiktok", kind, id, listing)


ROWS: list[tuple[str, str, str, Ref]] = [
    # row, form, link, what it means
    ("vm", "short", "https://vm.tiktok.com/ZMabC1dEf/", ref("short", "https://vm.tiktok.com/ZMabC1dEf/")),
    ("vt", "short", "https://vt.tiktok.com/ZSabC1dEf", ref("short", "https://vt.tiktok.com/ZSabC1dEf/")),
    ("vm-bare", "short", "vm.tiktok.com/ZMabC1dEf", ref("short", "https://vm.tiktok.com/ZMabC1dEf/")),
    ("vm-http", "short", "http://vm.tiktok.com/ZMabC/?a=1", ref("short", "https://vm.tiktok.com/ZMabC/")),
    ("vm-glued", "short", "https://vm.tiktok.com/ZMabC/看", ref("short", "https://vm.tiktok.com/ZMabC/")),
    ("vm-case", "short", "https://VM.TikTok.com/ZMabC", ref("short", "https://vm.tiktok.com/ZMabC/")),
    ("t", "short-t", "https://www.tiktok.com/t/ZTabC1/", ref("short", "https://www.tiktok.com/t/ZTabC1/")),
    (
        "lite-t",
        "short-t",
        "https://lite.tiktok.com/t/ZS-9kb/",
        ref("short", "https://lite.tiktok.com/t/ZS-9kb/"),
    ),
    ("vm-t", "short-t", "https://vm.tiktok.com/t/ZTabC1", ref("short", "https://vm.tiktok.com/t/ZTabC1/")),
    ("video", "post", f"https://www.tiktok.com/@li.hua_01/video/{ID}", POST),
    ("video-query", "post", f"https://www.tiktok.com/@li/video/{ID}?is_from_webapp=1&lang=en#x", POST),
    ("video-share-id", "post", f"https://www.tiktok.com/@/video/{ID}?_r=1&share_item_id=1", POST),
    ("video-slash", "post", f"https://www.tiktok.com/@li/video/{ID}/", POST),
    ("video-glued", "post", f"https://www.tiktok.com/@li/video/{ID}看看", POST),
    ("video-empty-handle", "post", f"https://www.tiktok.com/@/video/{ID}", POST),
    ("video-no-handle", "post", f"https://www.tiktok.com/@_/video/{ID}", POST),
    ("video-secuid", "post", f"https://www.tiktok.com/@{STABLE}/video/{ID}", POST),
    ("video-encoded-at", "post", f"https://www.tiktok.com/%40li/video/{ID}", POST),
    ("video-lite", "post", f"https://lite.tiktok.com/@li/video/{ID}", POST),
    ("video-mobile", "post", f"https://m.tiktok.com/@li/video/{ID}", POST),
    ("video-no-www", "post", f"tiktok.com/@li/video/{ID}", POST),
    ("video-short-id", "post", "https://www.tiktok.com/@li/video/107955", ref("post", "107955")),
    ("photo", "post", f"https://www.tiktok.com/@li/photo/{ID}", POST),
    ("photo-no-handle", "post", f"https://www.tiktok.com/@_/photo/{ID}", POST),
    ("embed", "embed", f"https://www.tiktok.com/embed/{ID}", POST),
    ("embed-v2", "embed", f"https://www.tiktok.com/embed/v2/{ID}?lang=en", POST),
    ("player", "player", f"https://www.tiktok.com/player/v1/{ID}?autoplay=1", POST),
    ("share-video", "share-post", f"https://www.tiktokv.com/share/video/{ID}/", POST),
    ("share-video-www", "share-post", f"https://www.tiktok.com/share/video/{ID}", POST),
    ("share-photo", "share-post", f"https://www.tiktokv.com/share/photo/{ID}", POST),
    ("mobile", "mobile-post", f"https://m.tiktok.com/v/{ID}.html", POST),
    ("mobile-query", "mobile-post", f"https://m.tiktok.com/v/{ID}.html?u_code=1&preview_pb=0", POST),
    ("user", "user", "https://www.tiktok.com/@li.hua_01", USER),
    ("user-query", "user", "https://www.tiktok.com/@li.hua_01?_t=8xYz&_r=1", USER),
    ("user-slash", "user", "https://www.tiktok.com/@li.hua_01/", USER),
    ("user-glued", "user", "https://www.tiktok.com/@li.hua_01关注我", USER),
    ("user-encoded-at", "user", "https://www.tiktok.com/%40li.hua_01", USER),
    ("user-hyphen", "user", "https://www.tiktok.com/@-li-", ref("user", "-li-")),
    ("user-longest", "user", f"https://www.tiktok.com/@{'a' * 24}", ref("user", "a" * 24)),
    ("user-number", "user", "https://www.tiktok.com/@107955", ref("user", "107955")),
    ("user-uid", "user", f"https://www.tiktok.com/@{ID}", ref("user", ID)),
    ("user-secuid", "user", f"https://www.tiktok.com/@{STABLE}", ref("user", STABLE)),
    ("user-secuid-shorter", "user", f"https://www.tiktok.com/@{SHORTER}", ref("user", SHORTER)),
    ("posts", "tab", "https://www.tiktok.com/@li.hua_01/posts", USER),
    ("liked", "tab", "https://www.tiktok.com/@li.hua_01/liked", ref("user", "li.hua_01", "likes")),
    ("likes", "tab", f"https://www.tiktok.com/@{STABLE}/likes/", ref("user", STABLE, "likes")),
    ("reposts", "tab", "https://www.tiktok.com/@li.hua_01/reposts", ref("user", "li.hua_01", "reposts")),
    ("saved", "tab", "https://www.tiktok.com/@li.hua_01/saved", ref("user", "li.hua_01", "favorites")),
    ("playlists", "tab", "https://www.tiktok.com/@li.hua_01/playlists", ref("user", "li.hua_01", "mixes")),
    ("embed-user", "embed-user", "https://www.tiktok.com/embed/@li.hua_01", USER),
    ("share-user", "share-user", "https://m.tiktok.com/h5/share/usr/107955.html", ref("user", "107955")),
    ("share-user-web", "share-user", f"https://www.tiktok.com/share/user/{ID}", ref("user", ID)),
    (
        "share-user-stable",
        "share-stable",
        f"https://m.tiktok.com/h5/share/usr/107955.html?language=en&sec_uid={STABLE}&u_code=x",
        ref("user", STABLE),
    ),
    ("live", "room", "https://www.tiktok.com/@li.hua_01/live", ref("room", "li.hua_01")),
    ("live-query", "room", "https://www.tiktok.com/@li.hua_01/live?enter_from=x", ref("room", "li.hua_01")),
    ("live-number", "room", "https://www.tiktok.com/@107955/live/", ref("room", "107955")),
    ("share-live", "share-room", f"https://m.tiktok.com/share/live/{ID}?language=en", ref("room", ID)),
    ("share-live-v", "share-room", f"https://www.tiktokv.com/share/live/{ID}/", ref("room", ID)),
    ("playlist", "playlist", f"https://www.tiktok.com/@li/playlist/Cats-{ID}", ref("mix", ID)),
    (
        "playlist-encoded",
        "playlist",
        f"https://www.tiktok.com/@li/playlist/a%2Fb-%E7%8C%AB-2-{ID}",
        ref("mix", ID),
    ),
    ("playlist-unnamed", "playlist", f"https://www.tiktok.com/@li/playlist/-{ID}", ref("mix", ID)),
    ("playlist-id-only", "playlist", f"https://www.tiktok.com/@li/playlist/{ID}?lang=en", ref("mix", ID)),
    ("collection", "collection", f"https://www.tiktok.com/@li/collection/Food-{ID}", ref("collection", ID)),
    (
        "collection-kanji",
        "collection",
        f"https://www.tiktok.com/@li/collection/猫-{ID}",
        ref("collection", ID),
    ),
    ("tag", "hashtag", "https://www.tiktok.com/tag/CatsOfTikTok", ref("hashtag", "CatsOfTikTok")),
    ("tag-encoded", "hashtag", "https://www.tiktok.com/tag/%E7%8C%AB?lang=en", ref("hashtag", "猫")),
    ("tag-slash", "hashtag", "https://www.tiktok.com/tag/2024/", ref("hashtag", "2024")),
    ("tag-escapes", "hashtag", "https://www.tiktok.com/tag/%1b%5B31ma%E2%80%AE", ref("hashtag", "[31ma")),
    ("sound", "sound", f"https://www.tiktok.com/music/original-sound-{ID}", ref("sound", ID)),
    (
        "sound-encoded",
        "sound",
        f"https://www.tiktok.com/music/%E5%8E%9F%E8%81%B2-li-{ID}?a=1",
        ref("sound", ID),
    ),
    ("sound-id-only", "sound", f"https://www.tiktok.com/music/{ID}", ref("sound", ID)),
    ("search", "search", "https://www.tiktok.com/search?q=cat%20%2F%20dog&t=1", ref("search", "cat / dog")),
    ("search-videos", "search", "https://www.tiktok.com/search/video?q=%E7%8C%AB", ref("search", "猫")),
    ("search-percent", "search", "https://www.tiktok.com/search?q=100%2541", ref("search", "100%41")),
]

WRAPPED = [
    (
        "login-for",
        f"https://www.tiktok.com/login?redirect_url=https%3A%2F%2Fwww.tiktok.com%2F%40li%2Fvideo%2F{ID}",
        POST,
    ),
    (
        "login-for",
        "https://www.tiktok.com/login/phone?redirect_url=https%3A%2F%2Fwww.tiktok.com%2F%40li.hua_01",
        USER,
    ),
    ("oembed", f"https://www.tiktok.com/oembed?url=https://www.tiktok.com/@li/video/{ID}", POST),
]

REFUSED = [
    ("part", "https://www.tiktok.com/@li/avatar", "can be listed"),
    ("part", "https://www.tiktok.com/@li/stories", "can be listed"),
    ("part", "https://www.tiktok.com/@li/following", "can be listed"),
    ("effect", "https://www.tiktok.com/sticker/Cat-ears-12345", "effect"),
    ("effect", "https://www.tiktok.com/effect/Cat-ears-12345", "effect"),
    ("login", "https://www.tiktok.com/login", "login"),
    ("login", "https://www.tiktok.com/login/qrcode?lang=en", "login"),
    (
        "login",
        "https://www.tiktok.com/login?redirect_url=https%3A%2F%2Fevil.tld%2F%40li%2Fvideo%2F1",
        "login",
    ),
    ("feed", "https://www.tiktok.com/explore", "feed"),
    ("feed", "https://www.tiktok.com/foryou?lang=en", "feed"),
    ("feed", "https://www.tiktok.com/following", "feed"),
    ("feed", "https://www.tiktok.com/live", "feed"),
    ("feed", "https://www.tiktok.com/search", "feed"),
    ("feed", "https://www.tiktok.com/discover/cats", "feed"),
]


@pytest.mark.parametrize(
    ("form", "link", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_match(form: str, link: str, expected: Ref) -> None:
    """A link means what the table says, by the form it was meant for."""
    parts = forms.split(link)
    assert parts is not None
    found = forms.find(urls.FORMS, parts)
    assert found is not None

    assert found[0].name == form
    assert urls.match(link) == expected


@pytest.mark.parametrize(("form", "link", "expected"), WRAPPED)
def test_a_link_inside_a_link_counts(form: str, link: str, expected: Ref) -> None:
    """What a login page leads back to, or an oEmbed address asks about, is what was meant."""
    parts = forms.split(link)
    assert parts is not None
    found = forms.find(urls.WRAPPINGS, parts)
    assert found is not None

    assert found[0].name == form
    assert urls.match(link) == expected


@pytest.mark.parametrize(("form", "link", "words"), REFUSED, ids=[row[1][23:] for row in REFUSED])
def test_known_links_out_of_scope_are_named(form: str, link: str, words: str) -> None:
    """What TikTok has and dyvine does not read is refused in plain words."""
    with pytest.raises(UnsupportedURL, match=words):
        urls.match(link)


def test_every_form_has_a_row() -> None:
    """No form is in the tables without a link that shows it."""
    shown = {row[1] for row in ROWS} | {row[0] for row in REFUSED}

    assert shown == {form.name for form in urls.FORMS}
    assert {row[0] for row in WRAPPED} == {form.name for form in urls.WRAPPINGS}
    assert len({form.name for form in urls.FORMS}) == len(urls.FORMS)
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("link", [row[2] for row in ROWS], ids=[row[0] for row in ROWS])
def test_links_are_found_in_share_texts(link: str) -> None:
    """A link keeps its meaning when it stands in a sentence."""
    found = links.find(f"Look at this: {link} ! 看")

    assert len(found) == 1
    assert urls.match(found[0]) == urls.match(link)


@pytest.mark.parametrize("expected", dict.fromkeys(row[3] for row in ROWS), ids=str)
def test_url_is_the_inverse_of_match(expected: Ref) -> None:
    """The address of a ref means that ref."""
    assert urls.match(urls.url(expected)) == expected


def test_every_kind_of_ref_has_an_address() -> None:
    """No kind is forgotten by `url`, and a hostile id stays inside its place."""
    for kind in get_args(RefKind):
        if kind not in ("short", *ELSEWHERE):
            assert urls.url(ref(kind, "../?x=1#y")).startswith("https://www.tiktok.com/")
            assert "?x=1" not in urls.url(ref(kind, "../?x=1#y"))


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_a_kind_that_only_douyin_has_is_refused(kind: RefKind) -> None:
    """A printed ref of a kind that TikTok does not have is no address of TikTok's."""
    with pytest.raises(UnsupportedURL, match=kind):
        urls.url(ref(kind, ID))


@pytest.mark.parametrize("listing", get_args(Listing))
def test_a_listing_keeps_to_its_users_page(listing: Listing) -> None:
    """The address of any listing of a user is on that user's page."""
    found = urls.match(urls.url(Ref("tiktok", "user", STABLE, listing)))

    assert found is not None
    assert (found.kind, found.id) == ("user", STABLE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"tiktokuser:{STABLE}", ref("user", STABLE), id="tiktokuser"),
        pytest.param(f" tiktokuser:{SHORTER}\n", ref("user", SHORTER), id="tiktokuser-with-space"),
        pytest.param("@li.hua_01", USER, id="handle"),
        pytest.param("@107955", ref("user", "107955"), id="handle-digits"),
        pytest.param("tiktokuser:li", None, id="tiktokuser-handle"),
        pytest.param("tiktokuser:", None, id="tiktokuser-empty"),
        pytest.param("li.hua_01", None, id="word"),
        pytest.param("@", None, id="at"),
        pytest.param("@..", None, id="at-dots"),
        pytest.param(f"@{'a' * 25}", None, id="handle-too-long"),
        pytest.param("@li hua", None, id="handle-with-space"),
        pytest.param("someone@example.org", None, id="mail"),
        pytest.param(ID, None, id="bare-number-is-no-site's"),
        pytest.param(STABLE, None, id="bare-secuid-is-no-site's"),
        pytest.param(f"tiktok:post:{ID}", None, id="printed-ref"),
        pytest.param("", None, id="empty"),
    ],
)
def test_bare_words(text: str, expected: Ref | None) -> None:
    """A handle with its sign and gallery-dl's `tiktokuser:` need no link; other words are left alone."""
    assert urls.match(text) == expected


@pytest.mark.parametrize(
    "link",
    [
        "https://www.tiktok.com/",
        "https://www.tiktok.com",
        "https://www.tiktok.com/about",
        "https://www.tiktok.com/@",
        "https://www.tiktok.com/@..",
        "https://www.tiktok.com/@../video",
        "https://www.tiktok.com/@li/video/",
        "https://www.tiktok.com/@li/video/abc",
        f"https://www.tiktok.com/@li/video/{ID}123",
        f"https://www.tiktok.com/@li/video/{ID}a",
        f"https://www.tiktok.com/@li/VIDEO/{ID}",
        f"https://www.tiktok.com/@a/b/video/{ID}",
        "https://www.tiktok.com/@li/unknown",
        f"https://www.tiktok.com/@{'a' * 25}",
        f"https://www.tiktok.com/@{STABLE}x{STABLE}",
        f"https://www.tiktok.com/@{ID}/live",
        "https://www.tiktok.com/@li/playlist/Cats",
        "https://www.tiktok.com/@li/playlist/",
        "https://www.tiktok.com/music/no-id-here",
        "https://www.tiktok.com/tag/",
        "https://www.tiktok.com/tag/%20%00",
        "https://www.tiktok.com/search?q=%20%00",
        "https://www.tiktok.com/t/",
        "https://www.tiktok.com/ZMabC1dEf",
        "https://vm.tiktok.com/",
        "https://vm.tiktok.com/abc",
        f"https://vm.tiktok.com/video/{ID}",
        f"https://www.tiktokv.com/@li/video/{ID}",
        "https://m.tiktok.com/share/live/12345",
        f"https://www.tiktok.com/oembed?url=https://evil.tld/@li/video/{ID}",
        f"https://www.tiktok.com/oembed?url=/@li/video/{ID}",
        f"https://www.douyin.com/video/{ID}",
        f"https://example.org/?u=https://www.tiktok.com/@li/video/{ID}",
        "mailto:someone@tiktok.com",
    ],
)
def test_no_match(link: str) -> None:
    """A link that names nothing of TikTok's is not ours."""
    assert urls.match(link) is None


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        pytest.param("https://www.tiktok.com", True, id="no-path"),
        pytest.param("https://www.tiktok.com/?_r=1", True, id="dead-short-link"),
        pytest.param("https://m.tiktok.com/", True, id="mobile"),
        pytest.param("https://www.tiktok.com/notfound", True, id="not-found"),
        pytest.param("https://www.tiktok.com/en/notfound?from=x", True, id="not-found-language"),
        pytest.param("https://www.tiktok.com/@notfound", False, id="a-handle"),
        pytest.param("https://www.tiktok.com/tag/notfound", False, id="a-tag"),
        pytest.param(f"https://www.tiktok.com/@li/video/{ID}", False, id="post"),
        pytest.param("https://vm.tiktok.com/", False, id="short-host"),
        pytest.param("https://www.tiktok.com.evil.tld/", False, id="evil"),
        pytest.param("https://www.tiktok.com:8443/", False, id="no-link"),
    ],
)
def test_is_home(link: str, expected: bool) -> None:
    """The pages that a dead short link leads to are told from everything else."""
    assert urls.is_home(link) is expected


def refused(*links: str) -> None:
    """None of the links is taken for ours."""
    for link in links:
        assert urls.match(link) is None, link


def test_host_that_begins_with_our_name_is_refused() -> None:
    """`www.tiktok.com.evil.tld` is somebody else's host."""
    refused(f"https://www.tiktok.com.evil.tld/@li/video/{ID}", "https://vm.tiktok.com.evil.tld/ZMabC1dEf/")


def test_host_that_ends_in_our_name_without_a_label_border_is_refused() -> None:
    """`eviltiktok.com` is not below `tiktok.com`."""
    refused(
        f"https://eviltiktok.com/@li/video/{ID}",
        f"https://www.evil-tiktok.com/@li/video/{ID}",
        "https://xvm.tiktok.com.co/ZMabC1dEf",
        "https://evilvm.tiktok.com/ZMabC1dEf",
        f"https://www.eviltiktokv.com/share/video/{ID}/",
    )


def test_host_of_another_country_domain_is_refused() -> None:
    """Only the domains of the list are TikTok's."""
    refused(
        f"https://www.tiktok.cn/@li/video/{ID}",
        f"https://tiktok/@li/video/{ID}",
        f"https://com/@li/video/{ID}",
    )


def test_login_part_before_the_host_is_refused() -> None:
    """`user@` hides the true host, or sends a password; the sign in our own paths does not confuse it."""
    refused(
        f"https://www.tiktok.com@evil.tld/@li/video/{ID}",
        f"https://www.tiktok.com:443@evil.tld/@li/video/{ID}",
        f"https://evil.tld@www.tiktok.com/@li/video/{ID}",
        "https://user:password@vm.tiktok.com/ZMabC1dEf/",
        f"www.tiktok.com@evil.tld/video/{ID}",
    )


def test_backslash_and_blanks_before_the_host_are_refused() -> None:
    """What browsers and programs split differently is no link."""
    refused(
        rf"https://evil.tld\@www.tiktok.com/@li/video/{ID}",
        rf"https:\\www.tiktok.com\@li\video\{ID}",
        f"https://www.tiktok.com/ @li/video/{ID}",
        f"https://www.tik\ttok.com/@li/video/{ID}",
        f"https://www.tiktok.com\x00.evil.tld/@li/video/{ID}",
    )


def test_our_name_in_path_query_or_fragment_is_refused() -> None:
    """Only the host decides whose link it is."""
    refused(
        f"https://evil.tld/www.tiktok.com/@li/video/{ID}",
        f"https://evil.tld?https://www.tiktok.com/@li/video/{ID}",
        f"https://evil.tld#@www.tiktok.com/@li/video/{ID}",
        f"https://evil.tld/login?redirect_url=https://www.tiktok.com/@li/video/{ID}",
    )


def test_strange_port_is_refused() -> None:
    """TikTok answers on the usual ports; another one is another server, a broken one no server."""
    refused(
        f"https://www.tiktok.com:8443/@li/video/{ID}",
        f"https://www.tiktok.com:99999/@li/video/{ID}",
        f"https://www.tiktok.com:x/@li/video/{ID}",
    )


@pytest.mark.parametrize(
    "host", ["www.tiktok.com:443", "www.tiktok.com:80", "WWW.TikTok.COM", "www.tiktok.com."]
)
def test_other_spellings_of_our_host_are_accepted(host: str) -> None:
    """The usual ports, upper case and the root dot are the same host."""
    assert urls.match(f"https://{host}/@li/video/{ID}") == POST
    assert urls.match(f"{host}/@li/video/{ID}") == POST


def test_short_link_forgets_port_and_spelling_of_its_host() -> None:
    """What is fetched later is built anew from a known host and a checked code."""
    expected = ref("short", "https://vm.tiktok.com/ZMabC1dEf/")

    assert urls.match("HTTP://VM.TIKTOK.COM.:80/ZMabC1dEf?x=//evil.tld") == expected


def test_two_dots_and_empty_labels_are_refused() -> None:
    """More than the one root dot is no name."""
    refused(
        f"https://www.tiktok.com../@li/video/{ID}", f"https:///@li/video/{ID}", f"https://./@li/video/{ID}"
    )


def test_look_alike_letters_in_the_host_are_refused() -> None:
    """Cyrillic, full-width and punycode hosts are not TikTok, whatever they look like."""
    refused(
        f"https://www.tiktоk.com/@li/video/{ID}",
        f"https://www.tiktok.com。evil.tld/@li/video/{ID}",
        f"https://ｗｗｗ.ｔｉｋｔｏｋ.ｃｏｍ/@li/video/{ID}",
        f"https://www.tiktok．com/@li/video/{ID}",
        f"https://www.xn--tiktk-jye.com/@li/video/{ID}",
        f"https://www%2etiktok.com/@li/video/{ID}",
        f"https://www.tiktok.com℀evil.tld/@li/video/{ID}",
    )


def test_addresses_instead_of_names_are_refused() -> None:
    """Decimal, hexadecimal, octal and mapped addresses are no host of ours."""
    refused(
        f"https://2130706433/@li/video/{ID}",
        f"https://0x7f000001/@li/video/{ID}",
        f"https://0177.0.0.1/@li/video/{ID}",
        f"https://[::ffff:127.0.0.1]/@li/video/{ID}",
        f"https://[www.tiktok.com]/@li/video/{ID}",
    )


@pytest.mark.parametrize("scheme", ["file", "ftp", "gopher", "javascript", "data"])
def test_other_schemes_are_refused(scheme: str) -> None:
    """Only http and https lead to TikTok."""
    refused(f"{scheme}://www.tiktok.com/@li/video/{ID}", f"{scheme}:www.tiktok.com/@li/video/{ID}")
