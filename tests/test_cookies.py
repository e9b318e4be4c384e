"""Reading cookies in every form people have them, and sending them nowhere but where they belong."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dyvine_cli import cookies
from dyvine_cli.cookies import Cookie
from dyvine_cli.errors import InputError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
PAGE = "https://www.douyin.com/aweme/v1/web/aweme/detail/?aweme_id=1"
SECRET = "5ecre7c0ffee5ecre7c0ffee5ecre7c0"


def names(jar: tuple[Cookie, ...]) -> list[str]:
    """What the cookies of a jar are called."""
    return [cookie.name for cookie in jar]


# -- where a cookie goes -----------------------------------------------------------------------------------------

LOGIN = Cookie("sessionid", SECRET, "douyin.com", secure=True, expires=LATER)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://douyin.com/", id="the domain itself"),
        pytest.param(PAGE, id="subdomain"),
        pytest.param("https://live.douyin.com/123", id="another subdomain"),
        pytest.param("https://WWW.Douyin.COM/", id="upper case"),
        pytest.param("https://www.douyin.com./", id="trailing dot"),
        pytest.param("https://www.douyin.com:443/", id="port"),
        pytest.param("wss://webcast.douyin.com/chat", id="socket over TLS"),
    ],
)
def test_domain_cookie_goes_to_its_domain_and_below(url: str) -> None:
    """A domain cookie is sent to the domain and every host below it."""
    assert cookies.header([LOGIN], url, NOW) == f"sessionid={SECRET}"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://v3-web.douyinvod.com/abc/video.mp4", id="video host"),
        pytest.param("https://p3-pc-sign.douyinpic.com/x.jpeg", id="picture host"),
        pytest.param("https://sf5-hl-cdn-tos.douyinstatic.com/x.mp3", id="sound host"),
        pytest.param("https://douyin.com.evil.tld/", id="our name in front"),
        pytest.param("https://evildouyin.com/", id="our name at the end"),
        pytest.param("https://douyin.com@evil.tld/", id="our name as user"),
        pytest.param("https://evil.tld/douyin.com", id="our name as path"),
        pytest.param("https://xn--douyin-9ya.com/", id="look-alike"),
        pytest.param("https://com/", id="the suffix"),
        pytest.param("https://www.tiktok.com/", id="the other site"),
        pytest.param("https://127.0.0.1/", id="an address"),
    ],
)
def test_cookie_of_douyin_never_goes_to_a_cdn_host(url: str) -> None:
    """Neither a media host nor a host that only looks like ours gets the login."""
    assert cookies.header([LOGIN], url, NOW) == ""


def test_host_only_cookie_stays_on_its_host() -> None:
    """A cookie without a domain attribute is sent to exactly the host that set it."""
    jar = [Cookie("s_v_web_id", "verify_1", "www.douyin.com", host_only=True)]

    assert cookies.header(jar, PAGE, NOW) == "s_v_web_id=verify_1"
    assert cookies.header(jar, "https://a.www.douyin.com/", NOW) == ""
    assert cookies.header(jar, "https://douyin.com/", NOW) == ""


def test_secure_cookie_is_not_sent_over_plain_http() -> None:
    """A secure cookie needs https or wss."""
    assert cookies.header([LOGIN], "http://www.douyin.com/", NOW) == ""


def test_expired_cookie_is_not_sent() -> None:
    """A cookie ends at its moment, not after it."""
    assert cookies.header([LOGIN], PAGE, LATER) == ""
    assert cookies.header([LOGIN], PAGE, LATER - timedelta(seconds=1)) != ""


@pytest.mark.parametrize(
    ("path", "url_path", "sent"),
    [
        pytest.param("/", "/any/where", True, id="root"),
        pytest.param("/aweme", "/aweme", True, id="same"),
        pytest.param("/aweme", "/aweme/v1", True, id="below"),
        pytest.param("/aweme/", "/aweme/v1", True, id="below with slash"),
        pytest.param("/aweme", "/awemes", False, id="only the same letters"),
        pytest.param("/aweme/", "/aweme", False, id="above"),
        pytest.param("/aweme", "/", False, id="elsewhere"),
    ],
)
def test_path_is_compared_on_its_borders(path: str, url_path: str, sent: bool) -> None:
    """A cookie's path covers what lies below it, not what begins with the same letters."""
    jar = [Cookie("a", "1", "douyin.com", path=path)]

    assert bool(cookies.header(jar, f"https://www.douyin.com{url_path}", NOW)) is sent


def test_longer_paths_come_first_in_the_header() -> None:
    """The header is ordered by path length, then as stored."""
    jar = [
        Cookie("a", "1", "douyin.com"),
        Cookie("b", "2", "douyin.com", path="/aweme"),
        Cookie("c", "3", "douyin.com"),
    ]

    assert cookies.header(jar, PAGE, NOW) == "b=2; a=1; c=3"


# -- what an answer may set --------------------------------------------------------------------------------------


def merged(*headers: str, url: str = PAGE, jar: tuple[Cookie, ...] = ()) -> tuple[Cookie, ...]:
    """The jar after one answer."""
    return cookies.merge(jar, headers, url, NOW)


def test_answer_sets_a_domain_cookie() -> None:
    """Domain, path, security and age are read, whatever the case of their names."""
    (cookie,) = merged(
        "ttwid=1%7Cabc; Path=/; DOMAIN=.Douyin.com; max-age=60; HttpOnly; secure; SameSite=None"
    )

    assert cookie == Cookie(
        "ttwid", "1%7Cabc", "douyin.com", path="/", secure=True, expires=NOW + timedelta(seconds=60)
    )


def test_answer_without_a_domain_sets_a_host_only_cookie() -> None:
    """The host is the domain and the folder of the request's path is the path."""
    (cookie,) = merged("a=b")

    assert cookie == Cookie("a", "b", "www.douyin.com", path="/aweme/v1/web/aweme/detail", host_only=True)


@pytest.mark.parametrize(
    ("set_cookie", "url"),
    [
        pytest.param("a=b; Domain=tiktok.com", PAGE, id="another site"),
        pytest.param("a=b; Domain=live.douyin.com", PAGE, id="a sibling host"),
        pytest.param("a=b; Domain=a.www.douyin.com", PAGE, id="a host below"),
        pytest.param("a=b; Domain=uyin.com", PAGE, id="the end of our name"),
        pytest.param("a=b; Domain=com", PAGE, id="a top-level domain"),
        pytest.param("a=b; Domain=com.cn", "https://www.example.com.cn/", id="a country's second level"),
        pytest.param("a=b; Domain=co.uk", "https://www.example.co.uk/", id="another second level"),
        pytest.param("a=b; Domain=0.0.1", "https://127.0.0.1/", id="the end of an address"),
    ],
)
def test_domain_that_is_not_the_hosts_own_is_refused(set_cookie: str, url: str) -> None:
    """A host sets cookies for itself and the domains above it, but never for a public suffix."""
    assert merged(set_cookie, url=url) == ()


@pytest.mark.parametrize(
    ("set_cookie", "kept"),
    [
        pytest.param("__Host-a=b; Secure; Path=/", True, id="host prefix"),
        pytest.param("__Host-a=b; Secure; Path=/; Domain=douyin.com", False, id="host prefix with a domain"),
        pytest.param("__Host-a=b; Secure; Path=/aweme", False, id="host prefix with a path"),
        pytest.param("__Host-a=b; Secure", False, id="host prefix without a path"),
        pytest.param("__Host-a=b; Path=/", False, id="host prefix, not secure"),
        pytest.param("__hOST-a=b; Path=/", False, id="host prefix in other case"),
        pytest.param("__Secure-a=b; Secure; Domain=douyin.com", True, id="secure prefix"),
        pytest.param("__Secure-a=b; Domain=douyin.com", False, id="secure prefix, not secure"),
    ],
)
def test_name_prefix_without_its_promise_is_refused(set_cookie: str, kept: bool) -> None:
    """`__Host-` and `__Secure-` names are kept only with what they promise."""
    assert bool(merged(set_cookie)) is kept


@pytest.mark.parametrize(
    "set_cookie",
    [
        pytest.param("", id="empty"),
        pytest.param("alone", id="no value"),
        pytest.param("=value", id="no name"),
        pytest.param("a=b\r\nX-Evil: 1", id="line break"),
        pytest.param("a=b\x00c", id="NUL"),
        pytest.param("a b=c", id="space in the name"),
        pytest.param("a=" + "x" * 5000, id="too large"),
        pytest.param("a=é", id="not ASCII"),
    ],
)
def test_cookie_that_would_break_a_header_is_ignored(set_cookie: str) -> None:
    """Nothing is kept that could not be sent back as one plain pair."""
    assert merged(set_cookie) == ()


def test_quotes_belong_to_the_value() -> None:
    """A quoted value is sent back with its quotes; a semicolon ends it all the same."""
    jar = merged('a="x y"; Path=/', 'b="x;y"; Path=/')

    assert cookies.header(jar, PAGE, NOW) == 'a="x y"; b="x'


def test_newer_cookie_takes_the_place_of_its_namesake() -> None:
    """Name, domain and path say which cookie is meant; the order stays."""
    jar = merged("odin_tt=1; Domain=douyin.com; Path=/", "x=2; Path=/")

    assert (
        cookies.header(merged("odin_tt=3; Domain=douyin.com; Path=/", jar=jar), PAGE, NOW) == "odin_tt=3; x=2"
    )
    assert len(merged("odin_tt=3; Path=/", jar=jar)) == 3


@pytest.mark.parametrize(
    "end",
    [
        pytest.param("Max-Age=0", id="age 0"),
        pytest.param("Max-Age=-99999999999999999999", id="absurd age"),
        pytest.param("Expires=Thu, 01 Jan 1970 00:00:00 GMT", id="date"),
        pytest.param("Expires=Thu, 01-Jan-70 00:00:00 GMT", id="old form of date"),
        pytest.param("Max-Age=0; Expires=Thu, 01 Jan 2099 00:00:00 GMT", id="age before date"),
    ],
)
def test_answer_removes_a_cookie_by_ending_it(end: str) -> None:
    """An end in the past removes the cookie."""
    jar = merged("a=1; Path=/; Domain=douyin.com")

    assert merged(f"a=; Path=/; Domain=douyin.com; {end}", jar=jar) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "Sun, 06 Nov 2039 08:49:37 GMT", datetime(2039, 11, 6, 8, 49, 37, tzinfo=UTC), id="usual"
        ),
        pytest.param(
            "Sunday, 06-Nov-39 08:49:37 GMT", datetime(2039, 11, 6, 8, 49, 37, tzinfo=UTC), id="RFC 850"
        ),
        pytest.param("Sun Nov  6 08:49:37 2039", datetime(2039, 11, 6, 8, 49, 37, tzinfo=UTC), id="asctime"),
        pytest.param("Sun, 31 Feb 2039 08:49:37 GMT", None, id="no such day"),
        pytest.param("Sun, 06 Nov 2039 25:49:37 GMT", None, id="no such hour"),
        pytest.param("tomorrow", None, id="no date"),
        pytest.param("", None, id="empty"),
    ],
)
def test_dates_are_read_as_browsers_do(text: str, expected: datetime | None) -> None:
    """Every form of date that servers send is known; nonsense makes a session cookie."""
    (cookie,) = merged(f"a=1; Expires={text}")

    assert cookie.expires == expected


def test_plain_http_cannot_replace_a_secure_cookie() -> None:
    """An answer over http sets no secure cookie and shadows none."""
    http = "http://www.douyin.com/"

    assert merged("sessionid=evil; Domain=douyin.com; Path=/", url=http, jar=(LOGIN,)) == (LOGIN,)
    assert merged("a=1; Secure", url=http) == ()


def test_server_cannot_fill_the_jar_without_end() -> None:
    """The oldest cookies go when an answer sets thousands."""
    assert len(merged(*(f"a{n}=1" for n in range(5000)))) < 1000


PIECES = [
    *"=;,\"' \t\r\n\0\x1f.:/|%[]{}<>#é…５",
    "ttwid", "sessionid", "a", "0", "99999999999999999999", "TRUE", "FALSE", "douyin.com", ".tiktok.com", "/",
    "; Domain=", "; Path=", "; Expires=", "; Max-Age=", "; Secure", "__Host-", "Cookie: ", "#HttpOnly_", "# Netscape",
    '{"cookies":[', '"name":', '"value":', '"domain":', "null", "NaN", "-1", "\ufeff", "\u2028", "\ud800",
]  # fmt: skip


def nonsense(count: int) -> Iterator[str]:
    """Texts of random pieces that the readers look for, the same in every run."""
    dice = random.Random(20261122)
    for _ in range(count):
        yield "".join(dice.choices(PIECES, k=dice.randrange(1, 30)))


def test_no_set_cookie_header_breaks_merge() -> None:
    """Whatever a server sends, the result can be sent back on one line."""
    for text in nonsense(4000):
        sent = cookies.header(merged(f"a={text}", text), PAGE, NOW)

        assert sent.isascii()
        assert not set(sent) & set("\r\n\0")


# -- reading -----------------------------------------------------------------------------------------------------

NETSCAPE = (
    "# Netscape HTTP Cookie File\n"
    "# https://curl.se/docs/http-cookies.html\n"
    "\n"
    ".douyin.com\tTRUE\t/\tTRUE\t1900000000\tttwid\t1%7Cabc\n"
    "#HttpOnly_.douyin.com\tTRUE\t/\tTRUE\t1900000000\tsessionid\t" + SECRET + "\n"
    "www.douyin.com\tFALSE\t/\tFALSE\t0\ts_v_web_id\tverify_1\n"
    ".example.org\tTRUE\t/\tFALSE\t1900000000\tbank\tprivate\n"
)


def test_netscape_file_is_read() -> None:
    """Domains, http-only lines, ends and host-only cookies are understood; strangers' cookies are left out."""
    jar = cookies.read(NETSCAPE, site="douyin")

    assert jar == (
        Cookie(
            "ttwid", "1%7Cabc", "douyin.com", secure=True, expires=datetime.fromtimestamp(1900000000, UTC)
        ),
        Cookie(
            "sessionid", SECRET, "douyin.com", secure=True, expires=datetime.fromtimestamp(1900000000, UTC)
        ),
        Cookie("s_v_web_id", "verify_1", "www.douyin.com", host_only=True),
    )


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(NETSCAPE.encode(), id="plain"),
        pytest.param(NETSCAPE.replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(b"\xef\xbb\xbf" + NETSCAPE.encode(), id="BOM"),
        pytest.param(NETSCAPE.encode("utf-16"), id="UTF-16 of PowerShell"),
        pytest.param(NETSCAPE.partition("\n")[2].encode(), id="first line missing"),
    ],
)
def test_netscape_file_is_read_from_any_system(data: bytes) -> None:
    """Line ends, marks and encodings of other systems make no difference."""
    assert names(cookies.read_bytes(data, site="douyin")) == ["ttwid", "sessionid", "s_v_web_id"]


def test_netscape_line_may_lack_the_tab_before_an_empty_value() -> None:
    """Editors cut trailing tabs."""
    jar = cookies.read(NETSCAPE + ".douyin.com\tTRUE\t/\tFALSE\t0\tempty\n", site="douyin")

    assert cookies.value(jar, "empty") == ""


EDIT_THIS_COOKIE = json.dumps(
    [
        {
            "domain": ".douyin.com",
            "expirationDate": 1900000000.5,
            "hostOnly": False,
            "httpOnly": True,
            "name": "sessionid",
            "path": "/",
            "sameSite": "unspecified",
            "secure": True,
            "session": False,
            "storeId": "0",
            "value": SECRET,
            "id": 1,
        },
        {
            "domain": "www.douyin.com",
            "hostOnly": True,
            "name": "s_v_web_id",
            "path": "/",
            "session": True,
            "value": "v",
        },
    ]
)
COOKIE_EDITOR = json.dumps(
    [
        {
            "name": "sessionid",
            "value": SECRET,
            "domain": ".douyin.com",
            "hostOnly": False,
            "path": "/",
            "secure": True,
            "httpOnly": True,
            "sameSite": None,
            "session": False,
            "firstPartyDomain": "",
            "partitionKey": None,
            "expirationDate": 1900000000,
            "storeId": None,
        },
        {
            "name": "s_v_web_id",
            "value": "v",
            "domain": "www.douyin.com",
            "hostOnly": True,
            "path": "/",
            "session": True,
        },
    ]
)
PLAYWRIGHT = json.dumps(
    {
        "cookies": [
            {
                "name": "sessionid",
                "value": SECRET,
                "domain": ".douyin.com",
                "path": "/",
                "expires": 1900000000.25,
                "httpOnly": True,
                "secure": True,
                "sameSite": "None",
            },
            {"name": "s_v_web_id", "value": "v", "domain": "www.douyin.com", "path": "/", "expires": -1},
        ],
        "origins": [],
    }
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(EDIT_THIS_COOKIE, id="EditThisCookie"),
        pytest.param(COOKIE_EDITOR, id="Cookie-Editor"),
        pytest.param(PLAYWRIGHT, id="Playwright"),
        pytest.param("\ufeff\n" + PLAYWRIGHT, id="with a mark"),
    ],
)
def test_json_exports_are_read(text: str) -> None:
    """Three kinds of export give the same cookies with their scope."""
    login, device = cookies.read(text, site="douyin")

    assert (login.name, login.domain, login.secure, login.host_only) == (
        "sessionid",
        "douyin.com",
        True,
        False,
    )
    assert login.expires is not None
    assert int(login.expires.timestamp()) == 1900000000
    assert (device.name, device.domain, device.host_only, device.expires) == (
        "s_v_web_id",
        "www.douyin.com",
        True,
        None,
    )


def test_end_in_milliseconds_is_recognised() -> None:
    """Some exports count milliseconds."""
    entry = {"name": "ttwid", "value": "1", "domain": ".douyin.com", "expires": 1900000000000}
    (cookie,) = cookies.read(json.dumps([entry]), site="douyin")

    assert cookie.expires == datetime.fromtimestamp(1900000000, UTC)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"ttwid=1; sessionid={SECRET}", id="bare"),
        pytest.param(f"Cookie: ttwid=1; sessionid={SECRET}", id="with its name"),
        pytest.param(f"cookie:ttwid=1;sessionid={SECRET};\n", id="without spaces"),
        pytest.param(f"'ttwid=1; sessionid={SECRET}'", id="in quotes"),
        pytest.param(
            f"Accept: */*\r\nCookie: ttwid=1; sessionid={SECRET}\r\nHost: www.douyin.com", id="among headers"
        ),
        pytest.param(f"ttwid=1; sessionid={SECRET}; ttwid=2", id="a name twice"),
    ],
)
def test_header_string_gets_the_sites_domain(text: str) -> None:
    """A header string has no domains; its cookies belong to the site, over TLS only."""
    jar = cookies.read(text, site="douyin")

    assert jar == (
        Cookie("ttwid", "1", "douyin.com", secure=True),
        Cookie("sessionid", SECRET, "douyin.com", secure=True),
    )


def test_header_string_keeps_equals_signs_and_quotes() -> None:
    """Only the first equals sign parts name and value."""
    jar = cookies.read('msToken=ab==; passport="a b"', site="douyin")

    assert cookies.header(jar, PAGE, NOW) == 'msToken=ab==; passport="a b"'


@pytest.mark.parametrize(
    ("text", "site"),
    [
        pytest.param("ttwid=1; UIFID=2", "douyin", id="douyin"),
        pytest.param("ttwid=1; tt_chain_token=2", "tiktok", id="tiktok"),
    ],
)
def test_header_string_is_told_apart_by_its_names(text: str, site: str) -> None:
    """Without a site, names that only one site uses decide."""
    assert {cookies.site_of(cookie) for cookie in cookies.read(text, site=None)} == {site}


def test_jar_of_both_sites_is_read_for_the_one_asked_for() -> None:
    """A whole browser's export gives each site its own cookies."""
    text = NETSCAPE + ".tiktok.com\tTRUE\t/\tTRUE\t1900000000\ttt_chain_token\tx\n"

    assert names(cookies.read(text, site="tiktok")) == ["tt_chain_token"]
    assert len(cookies.read(text, site=None)) == 4


def test_unsendable_cookie_without_importance_is_left_out() -> None:
    """One odd cookie does not spoil a jar."""
    text = NETSCAPE + ".douyin.com\tTRUE\t/\tFALSE\t0\todd\tgrüße\n"

    assert "odd" not in names(cookies.read(text, site="douyin"))


# -- mishaps -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "site", "says"),
    [
        pytest.param(b"", "douyin", "empty", id="empty"),
        pytest.param(b" \n\n", "douyin", "empty", id="blank"),
        pytest.param(b"<!DOCTYPE html><html>", "douyin", "web page", id="HTML"),
        pytest.param(b"SQLite format 3\x00abc", "douyin", "browser's own database", id="database"),
        pytest.param(b"PK\x03\x04\x00\x00", "douyin", "binary", id="archive"),
        pytest.param(b"\xff\xd8\xff\xe0\x9c", "douyin", "not text", id="picture"),
        pytest.param(b"\xff\xfea", "douyin", "not text", id="broken UTF-16"),
        pytest.param(
            NETSCAPE.replace("\t", "    ").encode(), "douyin", ":4: the tabs of this", id="tabs became spaces"
        ),
        pytest.param(
            NETSCAPE.replace("\t/\t", "\t", 1).encode(), "douyin", ":4: the fifth field", id="path missing"
        ),
        pytest.param(
            b"douyin.com\tTRUE\t/\tTRUE\t0\ta\tb\tc\n",
            "douyin",
            ":1: a line of a cookie file has 7",
            id="a field too many",
        ),
        pytest.param(
            NETSCAPE.replace("1900000000", "soon").encode(), "douyin", ":4: the fifth field", id="no time"
        ),
        pytest.param(
            NETSCAPE.encode(), "tiktok", "cookies of douyin, none is of tiktok", id="another site's jar"
        ),
        pytest.param(
            b"a.org\tTRUE\t/\tTRUE\t0\ta\tb", "douyin", "no cookie in it is of douyin", id="stranger's jar"
        ),
        pytest.param(b"# Netscape HTTP Cookie File\n", "douyin", "no cookie in it is of", id="only comments"),
        pytest.param(b"tt_chain_token=1; ttwid=2", "douyin", "cookies of tiktok", id="another site's header"),
        pytest.param(b"sessionid=1", None, "does not say which site", id="header of an unknown site"),
        pytest.param(SECRET.encode(), "douyin", "a value alone", id="only a value"),
        pytest.param(b"ttwid=1;\nUIFID=2;\n", "douyin", "2 lines", id="header on several lines"),
        pytest.param(b"curl -H 'a: b' x=y", "douyin", "neither a cookie header", id="something else"),
        pytest.param(b"dear diary = \xc3\xa9", "douyin", "neither a cookie header", id="prose"),
        pytest.param(
            f"sessionid={SECRET[:9]}…".encode(),
            "douyin",
            "sessionid was shortened",
            id="shortened by devtools",
        ),
        pytest.param("sessionid=５５".encode(), "douyin", "sessionid has characters", id="full-width"),
        pytest.param(b'[{"name": "a"', "douyin", ":1: no valid JSON", id="cut JSON"),
        pytest.param(b"{}", "douyin", "not a cookie export", id="other JSON"),
        pytest.param(b"[1]", "douyin", "cookie 1:", id="list of numbers"),
        pytest.param(
            b'[{"name":"a","value":1,"domain":"douyin.com"}]', "douyin", "cookie 1:", id="number as value"
        ),
        pytest.param(b"[" * 100_000, "douyin", "no", id="very deep JSON"),
        pytest.param(b"[]", "douyin", "no cookie in it", id="empty list"),
    ],
)
def test_mishap_is_explained(data: bytes, site: str | None, says: str) -> None:
    """Every wrong thing people give as cookies is named, with a cure and without a value."""
    with pytest.raises(InputError) as caught:
        cookies.read_bytes(data, site=site, filename="jar.txt")

    assert says in caught.value.message
    assert caught.value.message.startswith("jar.txt")
    assert caught.value.hint or "of douyin" in caught.value.message
    assert SECRET not in f"{caught.value!r} {caught.value.hint} {caught.value.__cause__}"


def test_folder_given_as_cookie_file_is_explained(tmp_path: Path) -> None:
    """A folder is not read."""
    with pytest.raises(InputError, match="this is a folder"):
        cookies.read_file(tmp_path, site="douyin")


def test_missing_cookie_file_is_explained(tmp_path: Path) -> None:
    """A missing file is said to be missing."""
    with pytest.raises(InputError, match="no such file"):
        cookies.read_file(tmp_path / "none.txt", site="douyin")


def test_endless_cookie_file_is_not_read_to_its_end() -> None:
    """Reading stops at a bound."""
    with pytest.raises(InputError, match="larger than"):
        cookies.read_file(Path("/dev/zero"), site="douyin")


def test_cookie_file_is_read(tmp_path: Path) -> None:
    """A file's path stands for its content."""
    path = tmp_path / "jar.txt"
    path.write_text(NETSCAPE)

    assert len(cookies.read_file(path, site="douyin")) == 3


def test_any_text_is_read_or_explained() -> None:
    """No text makes anything but cookies that can be sent, or an InputError."""
    read = 0
    for text in nonsense(4000):
        try:
            jar = cookies.read(text, site="douyin")
        except InputError:
            continue
        read += 1

        assert jar
        assert cookies.header(jar, PAGE, NOW).isascii()
    assert read > 0


@pytest.mark.parametrize("form", [repr, str, lambda cookie: f"{cookie!r:>10}", lambda cookie: repr([cookie])])
def test_value_is_never_shown(form) -> None:
    """A cookie shows its name and scope only."""
    assert SECRET not in form(LOGIN)
    assert "sessionid" in form(LOGIN)


# -- what a jar is good for --------------------------------------------------------------------------------------

GUARD = f"{SECRET}%7C1795300000%7C5184000%7CWed%2C%2020-Jan-2027%2000%3A00%3A00%20GMT"
WHOLE = (
    f"sessionid={SECRET}; sid_guard={GUARD}; uid_tt=1; ttwid=2; odin_tt=3; s_v_web_id=4; UIFID=5; "
    "passport_csrf_token=6; msToken=7"
)


def test_whole_login_misses_nothing_and_tells_its_end() -> None:
    """The end is the one in sid_guard."""
    report = cookies.report(cookies.read(WHOLE, site="douyin"), "douyin")

    assert (report.found, report.login, report.missing_needed) == (9, True, ())
    assert report.ends == datetime.fromtimestamp(1795300000 + 5184000, UTC)
    assert not report.has_ended(NOW)
    assert report.has_ended(NOW + timedelta(days=365))


def test_earlier_end_of_the_session_cookie_counts() -> None:
    """Of sid_guard and the cookie's own end the earlier one ends the login."""
    guard = Cookie("sid_guard", GUARD, "douyin.com")

    assert cookies.report([LOGIN, guard], "douyin").ends == LATER


@pytest.mark.parametrize(
    ("text", "login", "missing"),
    [
        pytest.param("ttwid=1; UIFID_TEMP=2", False, (), id="guest"),
        pytest.param("ttwid=1", False, ("UIFID",), id="guest without uifid"),
        pytest.param("msToken=1", False, ("ttwid", "UIFID"), id="neither"),
        pytest.param(
            WHOLE.replace("UIFID=5", "UIFID_TEMP=5"), True, ("UIFID",), id="login with a guest's uifid"
        ),
        pytest.param(
            WHOLE.replace("sessionid=", "sessionid_ss="), True, (), id="either session cookie is enough"
        ),
        pytest.param(
            WHOLE.replace("uid_tt=1; ttwid=2", "uid_tt=; a=1"),
            True,
            ("uid_tt", "ttwid"),
            id="empty counts as missing",
        ),
    ],
)
def test_missing_cookies_are_named(text: str, login: bool, missing: tuple[str, ...]) -> None:
    """A jar with a session is measured as a login, one without as a guest."""
    report = cookies.report(cookies.read(text, site="douyin"), "douyin")

    assert (report.login, report.missing_needed) == (login, missing)


@pytest.mark.parametrize(
    "guard",
    [
        pytest.param("", id="empty"),
        pytest.param("abc", id="no parts"),
        pytest.param("a%7Cb%7Cc", id="no numbers"),
        pytest.param("a%7C1%7C" + "9" * 400, id="absurd"),
        pytest.param("a%7C²%7C1", id="odd digits"),
    ],
)
def test_odd_sid_guard_tells_no_end_or_the_last_moment(guard: str) -> None:
    """A guard that cannot be read is no error."""
    ends = cookies.report(
        [Cookie("sessionid", "1", "douyin.com"), Cookie("sid_guard", guard, "douyin.com")], "douyin"
    ).ends

    assert ends is None or ends.year == 9999


def test_session_of_another_site_is_no_login() -> None:
    """Both sites use the same names."""
    assert not cookies.has_session([LOGIN], "tiktok")
    assert cookies.has_session([LOGIN], "douyin")
    assert cookies.report([LOGIN], "tiktok").found == 0
