"""Every form of Douyin link, and what only looks like one."""

from __future__ import annotations

from typing import get_args

import pytest

from dyvine_cli.errors import UnsupportedURL
from dyvine_cli.models import Listing, Ref, RefKind
from dyvine_cli.sites import forms
from dyvine_cli.sites.douyin import urls

ID = "7372484719365098803"
STABLE = "MS4wLjABAAAAHghfTK_0oCnHfvK1dI_lQFR6mOqG0ubruxoKqK9yKX4"
POST = Ref("douyin", "post", ID)
USER = Ref("douyin", "user", STABLE)
SELF = Ref("douyin", "user", "self")
LIKES = Ref("douyin", "user", STABLE, "likes")
ELSEWHERE: tuple[RefKind, ...] = ("collection",)


def ref(kind: RefKind, id: str) -> Ref:
    """A Douyin ref in short."""
    return Ref("douyin", kind, id)


ROWS: list[tuple[str, str, str, Ref]] = [
    # row, form, link, what it means
    ("v", "short", "https://v.douyin.com/p7-T74NL4h4/", ref("short", "https://v.douyin.com/p7-T74NL4h4/")),
    ("v-bare", "short", "v.douyin.com/iJKqx_8A", ref("short", "https://v.douyin.com/iJKqx_8A/")),
    ("v-http", "short", "http://v.douyin.com/iJKqx8/?a=1", ref("short", "https://v.douyin.com/iJKqx8/")),
    (
        "v-glued",
        "short",
        "https://v.douyin.com/iJKqx8/复制此链接",
        ref("short", "https://v.douyin.com/iJKqx8/"),
    ),
    ("v-host-case", "short", "https://V.DOUYIN.com/iJKqx8", ref("short", "https://v.douyin.com/iJKqx8/")),
    ("v-ies", "short", "https://v.iesdouyin.com/iJKqx8", ref("short", "https://v.iesdouyin.com/iJKqx8/")),
    ("jx", "short", "https://jx.douyin.com/iJKqx8/", ref("short", "https://jx.douyin.com/iJKqx8/")),
    ("video", "post", f"https://www.douyin.com/video/{ID}", POST),
    ("video-query", "post", f"https://www.douyin.com/video/{ID}/?previous_page=app_code_link#x", POST),
    ("video-glued", "post", f"https://www.douyin.com/video/{ID}复制此链接", POST),
    ("video-no-www", "post", f"douyin.com/video/{ID}", POST),
    ("shipin", "post", f"https://www.douyin.com/shipin/{ID}", POST),
    ("note", "post", f"https://www.douyin.com/note/{ID}", POST),
    ("gallery", "post", f"https://www.douyin.com/gallery/{ID}", POST),
    ("slides", "post", f"https://www.douyin.com/slides/{ID}", POST),
    ("article", "post", f"https://www.douyin.com/article/{ID}", POST),
    (
        "share-video",
        "post",
        f"https://www.iesdouyin.com/share/video/{ID}/?region=CN&mid=7&u_code=-1&iid=MS4w",
        POST,
    ),
    ("share-note", "post", f"https://www.iesdouyin.com/share/note/{ID}/", POST),
    ("share-slides", "post", f"https://www.iesdouyin.com/share/slides/{ID}/", POST),
    ("m-share-video", "post", f"https://m.douyin.com/share/video/{ID}", POST),
    ("m-share-note", "post", f"https://m.douyin.com/share/note/{ID}", POST),
    ("m-share-slides", "post", f"https://m.douyin.com/share/slides/{ID}", POST),
    ("jingxuan-m", "post", f"https://jingxuan.douyin.com/m/video/{ID}", POST),
    ("player", "player", f"https://open.douyin.com/player/video?vid={ID}&autoplay=0", POST),
    ("modal-home", "modal", f"https://www.douyin.com/?modal_id={ID}", POST),
    ("modal-no-slash", "modal", f"https://www.douyin.com?modal_id={ID}", POST),
    ("modal-jingxuan", "modal", f"https://www.douyin.com/jingxuan?modal_id={ID}", POST),
    ("modal-discover", "modal", f"https://www.douyin.com/discover?modal_id={ID}", POST),
    ("modal-follow", "modal", f"https://www.douyin.com/follow?modal_id={ID}", POST),
    ("modal-friend", "modal", f"https://www.douyin.com/friend?modal_id={ID}", POST),
    ("modal-hot", "modal", f"https://www.douyin.com/hot?modal_id={ID}", POST),
    ("modal-channel", "modal", f"https://www.douyin.com/channel/300203?modal_id={ID}", POST),
    ("modal-search", "modal", f"https://www.douyin.com/search/%E7%8C%AB?modal_id={ID}&type=general", POST),
    ("modal-user", "modal", f"https://www.douyin.com/user/{STABLE}?modal_id={ID}", POST),
    ("modal-self", "modal", f"https://www.douyin.com/user/self?modal_id={ID}&showTab=like", POST),
    ("modal-first", "modal", f"https://www.douyin.com/?modal_id={ID}&modal_id=1", POST),
    ("modal-bad", "user", f"https://www.douyin.com/user/{STABLE}?modal_id=x", USER),
    ("user", "user", f"https://www.douyin.com/user/{STABLE}", USER),
    ("user-vid", "user", f"https://www.douyin.com/user/{STABLE}?vid={ID}", USER),
    ("user-likes", "user", f"https://www.douyin.com/user/{STABLE}?from_tab_name=main&showTab=like", LIKES),
    ("user-posts", "user", f"https://www.douyin.com/user/{STABLE}?showTab=post", USER),
    ("user-tab-of-self", "user", f"https://www.douyin.com/user/{STABLE}?showTab=record", USER),
    ("user-mobile", "user", f"https://m.douyin.com/user/{STABLE}", USER),
    ("self", "self", "https://www.douyin.com/user/self", SELF),
    ("self-posts", "self", "https://www.douyin.com/user/self?showTab=post", SELF),
    (
        "self-likes",
        "self",
        "https://www.douyin.com/user/self?showTab=like",
        Ref("douyin", "user", "self", "likes"),
    ),
    (
        "self-favorites",
        "self",
        "https://www.douyin.com/user/self?showTab=favorite_collection",
        Ref("douyin", "user", "self", "favorites"),
    ),
    (
        "self-history",
        "self",
        "https://www.douyin.com/user/self?showTab=record",
        Ref("douyin", "user", "self", "history"),
    ),
    ("self-other-tab", "self", "https://www.douyin.com/user/self?showTab=watch_later", SELF),
    (
        "share-user-query",
        "share-user",
        f"https://www.iesdouyin.com/share/user/98765?sec_uid={STABLE}&did=MS4w",
        USER,
    ),
    ("share-user-path", "user", f"www.iesdouyin.com/share/user/{STABLE}?did=MS4wLjABAAAAzor1cm", USER),
    ("share-user-uid", "user", "https://www.iesdouyin.com/share/user/98765", ref("user", "98765")),
    ("m-share-user", "user", f"https://m.douyin.com/share/user/{STABLE}", USER),
    ("collection", "mix", f"https://www.douyin.com/collection/{ID}", ref("mix", ID)),
    ("collection-episode", "mix", f"https://www.douyin.com/collection/{ID}/3", ref("mix", ID)),
    ("mix", "mix", f"https://www.douyin.com/mix/{ID}", ref("mix", ID)),
    ("mix-detail", "mix", f"https://www.douyin.com/mix/detail/{ID}", ref("mix", ID)),
    ("share-mix", "mix", f"https://www.iesdouyin.com/share/mix/detail/{ID}/", ref("mix", ID)),
    ("series", "series", f"https://www.douyin.com/series?series_id={ID}", ref("series", ID)),
    ("music", "sound", f"https://www.douyin.com/music/{ID}", ref("sound", ID)),
    ("share-music", "sound", f"https://www.iesdouyin.com/share/music/{ID}/", ref("sound", ID)),
    ("hashtag", "hashtag", "https://www.douyin.com/hashtag/1578234", ref("hashtag", "1578234")),
    ("challenge", "hashtag", "https://www.douyin.com/challenge/1578234", ref("hashtag", "1578234")),
    (
        "share-challenge",
        "hashtag",
        "https://www.iesdouyin.com/share/challenge/1578234/",
        ref("hashtag", "1578234"),
    ),
    (
        "search",
        "search",
        "https://www.douyin.com/search/%E7%8C%AB%20%2F%20dog?type=video",
        ref("search", "猫 / dog"),
    ),
    ("search-plain", "search", "https://www.douyin.com/search/猫", ref("search", "猫")),
    ("search-root", "search", "https://www.douyin.com/root/search/%E7%8C%AB", ref("search", "猫")),
    (
        "search-jingxuan",
        "search",
        "https://www.douyin.com/jingxuan/search/%E7%8C%AB?type=user",
        ref("search", "猫"),
    ),
    ("search-escapes", "search", "https://www.douyin.com/search/%1b%5B31ma%E2%80%AE", ref("search", "[31ma")),
    ("board", "board", "https://www.douyin.com/hot", ref("trending", "hot")),
    ("board-slash", "board", "https://www.douyin.com/hot/", ref("trending", "hot")),
    ("hot-word", "trending", "https://www.douyin.com/hot/2217835", ref("trending", "2217835")),
    (
        "hot-word-title",
        "trending",
        "https://www.douyin.com/hot/2217835/%E5%A4%A7%E9%9B%AA",
        ref("trending", "2217835"),
    ),
    ("film", "film", f"https://www.douyin.com/lvdetail/{ID}", ref("film", ID)),
    ("film-episode", "film", f"https://www.douyin.com/lvdetail/{ID}/7012", ref("film", f"{ID}/7012")),
    ("vsdetail", "replay", f"https://www.douyin.com/vsdetail/{ID}", ref("replay", ID)),
    (
        "reflow-episode",
        "reflow-replay",
        f"https://webcast.amemv.com/douyin/webcast/reflow/episode/{ID}?replay_id=7012",
        ref("replay", f"{ID}/7012"),
    ),
    (
        "reflow-episode-only",
        "reflow-replay",
        f"https://webcast.amemv.com/douyin/webcast/reflow/episode/{ID}",
        ref("replay", ID),
    ),
    (
        "reflow",
        "reflow",
        f"https://webcast.amemv.com/douyin/webcast/reflow/{ID}?u_code=1&sec_user_id={STABLE}",
        ref("room", ID),
    ),
    ("live", "room", "https://live.douyin.com/745606325880", ref("room", "745606325880")),
    ("live-query", "room", "https://live.douyin.com/745606325880/?from_nav=1", ref("room", "745606325880")),
    ("live-handle", "room", "https://live.douyin.com/li.hua_01", ref("room", "li.hua_01")),
    ("root-live", "page-room", "https://www.douyin.com/root/live/745606325880", ref("room", "745606325880")),
    (
        "follow-live",
        "page-room",
        "https://www.douyin.com/follow/live/745606325880",
        ref("room", "745606325880"),
    ),
    (
        "share-live",
        "page-room",
        "https://www.douyin.com/share/live/745606325880",
        ref("room", "745606325880"),
    ),
    ("share-live-room", "page-room", f"https://www.iesdouyin.com/share/live/{ID}", ref("room", ID)),
    (
        "follow-webrid",
        "follow-room",
        "https://www.douyin.com/follow?webRid=745606325880",
        ref("room", "745606325880"),
    ),
]

REFUSED = [
    ("xigua", "https://www.ixigua.com/7372484719365098803", "Xigua"),
    ("xigua-redirect", "https://www.iesdouyin.com/xg/video/7372484719365098803/", "Xigua"),
    ("feed", "https://www.douyin.com/jingxuan", "feed"),
    ("feed", "https://www.douyin.com/channel/300203", "feed"),
    ("feed", "https://www.douyin.com/follow", "feed"),
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


@pytest.mark.parametrize(("form", "link", "words"), REFUSED, ids=[row[1][8:] for row in REFUSED])
def test_known_links_out_of_scope_are_named(form: str, link: str, words: str) -> None:
    """What Douyin has and dyvine does not read is refused in plain words."""
    with pytest.raises(UnsupportedURL, match=words):
        urls.match(link)


def test_every_form_has_a_row() -> None:
    """No form is in the table without a link that shows it."""
    shown = {row[1] for row in ROWS} | {row[0] for row in REFUSED}

    assert shown == {form.name for form in urls.FORMS}
    assert len({form.name for form in urls.FORMS}) == len(urls.FORMS)
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("expected", dict.fromkeys(row[3] for row in ROWS), ids=str)
def test_url_is_the_inverse_of_match(expected: Ref) -> None:
    """The address of a ref means that ref."""
    assert urls.match(urls.url(expected)) == expected


def test_every_kind_of_ref_has_an_address() -> None:
    """No kind is forgotten by `url`, and a hostile id stays inside its place."""
    for kind in get_args(RefKind):
        if kind not in ("short", *ELSEWHERE):
            assert urls.url(ref(kind, "../?x=1#y")).startswith("https://")
            assert "?x=1" not in urls.url(ref(kind, "../?x=1#y"))


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_a_kind_that_only_tiktok_has_is_refused(kind: RefKind) -> None:
    """A printed ref of a kind that Douyin does not have is no address of Douyin's."""
    with pytest.raises(UnsupportedURL, match=kind):
        urls.url(ref(kind, ID))


@pytest.mark.parametrize("listing", get_args(Listing))
def test_a_listing_keeps_to_its_users_page(listing: Listing) -> None:
    """The address of any listing of a user is on that user's page."""
    found = urls.match(urls.url(Ref("douyin", "user", "self", listing)))

    assert found is not None
    assert (found.kind, found.id) == ("user", "self")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(ID, POST, id="post-19-digits"),
        pytest.param(f" {ID}\n", POST, id="with-space"),
        pytest.param("673724847193650", ref("post", "673724847193650"), id="post-15-digits"),
        pytest.param(STABLE, USER, id="user"),
        pytest.param("12345678901234", None, id="14-digits"),
        pytest.param("123456789012345678901", None, id="21-digits"),
        pytest.param("٧٣٧٢٤٨٤٧١٩٣٦٥٠٩٨٨٠٣", None, id="other-digits"),
        pytest.param("MS4wLjABAAAA", None, id="prefix-only"),
        pytest.param("@li_hua", None, id="handle"),
        pytest.param("info", None, id="word"),
        pytest.param("douyin:post:7372484719365098803", None, id="printed-ref"),
        pytest.param("", None, id="empty"),
    ],
)
def test_bare_ids(text: str, expected: Ref | None) -> None:
    """A bare id of a post or user needs no link; other words are left alone."""
    assert urls.match(text) == expected


@pytest.mark.parametrize(
    "link",
    [
        "https://www.douyin.com/",
        "https://www.douyin.com",
        "https://www.douyin.com/about",
        "https://www.douyin.com/video/",
        "https://www.douyin.com/video/abc",
        "https://www.douyin.com/video/7372484719365098803123456",
        "https://www.douyin.com/video/7372484719365098803a",
        "https://www.douyin.com/user/somebody",
        "https://www.douyin.com/user/selfie",
        "https://www.douyin.com/series",
        "https://www.douyin.com/search/",
        "https://www.douyin.com/search/%20%00",
        "https://www.douyin.com/VIDEO/7372484719365098803",
        "https://v.douyin.com/",
        "https://v.douyin.com/abc",
        "https://open.douyin.com/player/video",
        "https://live.douyin.com/",
        "https://live.douyin.com/..",
        "https://webcast.amemv.com/douyin/webcast/reflow/",
        "https://www.tiktok.com/@li/video/7372484719365098803",
        "https://example.org/?u=https://www.douyin.com/video/7372484719365098803",
        "mailto:someone@douyin.com",
    ],
)
def test_no_match(link: str) -> None:
    """A link that names nothing of Douyin's is not ours."""
    assert urls.match(link) is None


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        pytest.param("https://www.douyin.com", True, id="no-path"),
        pytest.param("https://www.douyin.com/", True, id="slash"),
        pytest.param("https://www.douyin.com/?recommend=1", True, id="query"),
        pytest.param("https://douyin.com/", True, id="no-www"),
        pytest.param("https://www.iesdouyin.com/", True, id="share-host"),
        pytest.param(f"https://www.douyin.com/?modal_id={ID}", False, id="post-over-it"),
        pytest.param(f"https://www.douyin.com/video/{ID}", False, id="post"),
        pytest.param("https://live.douyin.com/", False, id="live"),
        pytest.param("https://www.douyin.com.evil.tld/", False, id="evil"),
        pytest.param("https://www.douyin.com:8443/", False, id="no-link"),
    ],
)
def test_is_home(link: str, expected: bool) -> None:
    """The front page is told from everything below it."""
    assert urls.is_home(link) is expected


def refused(*links: str) -> None:
    """None of the links is taken for ours."""
    for link in links:
        assert urls.match(link) is None, link


def test_host_that_begins_with_our_name_is_refused() -> None:
    """`www.douyin.com.evil.tld` is somebody else's host."""
    refused(f"https://www.douyin.com.evil.tld/video/{ID}", f"https://v.douyin.com.evil.tld/{ID[:8]}/")


def test_host_that_ends_in_our_name_without_a_label_border_is_refused() -> None:
    """`evildouyin.com` is not below `douyin.com`."""
    refused(
        f"https://evildouyin.com/video/{ID}",
        f"https://www.evil-douyin.com/video/{ID}",
        "https://xv.douyin.com.cn/abcdef",
    )


def test_host_of_another_country_domain_is_refused() -> None:
    """Only the domains of the list are Douyin's."""
    refused(f"https://www.douyin.cn/video/{ID}", f"https://douyin/video/{ID}", f"https://com/video/{ID}")


def test_login_part_before_the_host_is_refused() -> None:
    """`user@` hides the true host, or sends a password; neither is a link to follow."""
    refused(
        f"https://www.douyin.com@evil.tld/video/{ID}",
        f"https://www.douyin.com:443@evil.tld/video/{ID}",
        f"https://evil.tld@www.douyin.com/video/{ID}",
        "https://user:password@v.douyin.com/abcdef/",
    )


def test_backslash_and_blanks_before_the_host_are_refused() -> None:
    """What browsers and programs split differently is no link."""
    refused(
        rf"https://evil.tld\@www.douyin.com/video/{ID}",
        rf"https:\\www.douyin.com\video\{ID}",
        f"https://www.douyin.com/ video/{ID}",
        f"https://www.dou\tyin.com/video/{ID}",
        f"https://www.douyin.com\x00.evil.tld/video/{ID}",
    )


def test_our_name_in_path_query_or_fragment_is_refused() -> None:
    """Only the host decides whose link it is."""
    refused(
        f"https://evil.tld/www.douyin.com/video/{ID}",
        f"https://evil.tld?https://www.douyin.com/video/{ID}",
        f"https://evil.tld#@www.douyin.com/video/{ID}",
    )


def test_strange_port_is_refused() -> None:
    """Douyin answers on the usual ports; another one is another server, a broken one no server."""
    refused(
        f"https://www.douyin.com:8443/video/{ID}",
        f"https://www.douyin.com:99999/video/{ID}",
        f"https://www.douyin.com:x/video/{ID}",
    )


@pytest.mark.parametrize(
    "host", ["www.douyin.com:443", "www.douyin.com:80", "WWW.DouYin.COM", "www.douyin.com."]
)
def test_other_spellings_of_our_host_are_accepted(host: str) -> None:
    """The usual ports, upper case and the root dot are the same host."""
    assert urls.match(f"https://{host}/video/{ID}") == POST
    assert urls.match(f"{host}/video/{ID}") == POST


def test_short_link_forgets_port_and_spelling_of_its_host() -> None:
    """What is fetched later is built anew from a known host and a checked code."""
    expected = ref("short", "https://v.douyin.com/AbCdEf/")

    assert urls.match("HTTP://V.DOUYIN.COM.:80/AbCdEf?x=//evil.tld") == expected


def test_two_dots_and_empty_labels_are_refused() -> None:
    """More than the one root dot is no name."""
    refused(f"https://www.douyin.com../video/{ID}", f"https:///video/{ID}", f"https://./video/{ID}")


def test_look_alike_letters_in_the_host_are_refused() -> None:
    """Cyrillic, full-width and punycode hosts are not Douyin, whatever they look like."""
    refused(
        f"https://www.dоuyin.com/video/{ID}",
        f"https://www.douyin.com。evil.tld/video/{ID}",
        f"https://ｗｗｗ.ｄｏｕｙｉｎ.ｃｏｍ/video/{ID}",
        f"https://www.douyin．com/video/{ID}",
        f"https://www.xn--duyin-0ye.com/video/{ID}",
        f"https://www%2edouyin.com/video/{ID}",
        f"https://www.douyin.com℀evil.tld/video/{ID}",
    )


def test_addresses_instead_of_names_are_refused() -> None:
    """Decimal, hexadecimal, octal and mapped addresses are no host of ours."""
    refused(
        f"https://2130706433/video/{ID}",
        f"https://0x7f000001/video/{ID}",
        f"https://0177.0.0.1/video/{ID}",
        f"https://[::ffff:127.0.0.1]/video/{ID}",
        f"https://[www.douyin.com]/video/{ID}",
    )


@pytest.mark.parametrize("scheme", ["file", "ftp", "gopher", "javascript", "data"])
def test_other_schemes_are_refused(scheme: str) -> None:
    """Only http and https lead to Douyin."""
    refused(f"{scheme}://www.douyin.com/video/{ID}", f"{scheme}:www.douyin.com/video/{ID}")
