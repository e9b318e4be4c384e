"""Finding links in pasted text."""

from __future__ import annotations

import pytest

from dyvine_cli import links

SHARE = (
    "4.30 :0pm 09/03 o@d.nD SLW:/ 山间的雾，像牛奶一样 # 旅行 # 云海  "
    "https://v.douyin.com/p7-T74NL4h4/ 复制此链接，打开Dou音搜索，直接观看视频！"
)
SHORT = "https://v.douyin.com/p7-T74NL4h4/"
POST = "https://www.douyin.com/video/7372484719365098803"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(SHARE, (SHORT,), id="share-text"),
        pytest.param(POST, (POST,), id="link-alone"),
        pytest.param(
            f"{POST}?previous_page=web_code_link&a=1#x",
            (f"{POST}?previous_page=web_code_link&a=1#x",),
            id="query",
        ),
        pytest.param(f"看{POST}", (POST,), id="glued-to-the-word-before"),
        pytest.param(f"{SHORT} 和 {POST}", (SHORT, POST), id="two-in-order"),
        pytest.param(f"{POST}\n{SHORT}\r\n{POST}", (POST, SHORT), id="lines-and-doubles"),
        pytest.param("看 v.douyin.com/p7-T74NL4h4/ 吧", (SHORT,), id="short-without-scheme"),
        pytest.param("链接:v.douyin.com/p7-T74NL4h4/", (SHORT,), id="without-scheme-after-colon"),
        pytest.param(
            "【www.douyin.com/video/1】", ("https://www.douyin.com/video/1",), id="without-scheme-in-brackets"
        ),
        pytest.param(
            "v.douyin.com/abcdef v.douyin.com/ABCDEF",
            ("https://v.douyin.com/abcdef", "https://v.douyin.com/ABCDEF"),
            id="codes-keep-their-case",
        ),
        pytest.param(
            "www.iesdouyin.com/share/user/MS4x?did=1",
            ("https://www.iesdouyin.com/share/user/MS4x?did=1",),
            id="share-url-of-a-profile",
        ),
        pytest.param(
            "www.tiktok.com/@name/video/7",
            ("https://www.tiktok.com/@name/video/7",),
            id="tiktok-without-scheme",
        ),
        pytest.param("vm.tiktok.com/ZM1/", ("https://vm.tiktok.com/ZM1/",), id="tiktok-short"),
        pytest.param("douyin.com?modal_id=1", ("https://douyin.com?modal_id=1",), id="query-without-path"),
        pytest.param(
            "www.douyin.com:443/video/1", ("https://www.douyin.com:443/video/1",), id="port-without-scheme"
        ),
        pytest.param(
            "WWW.DOUYIN.COM/video/1", ("https://WWW.DOUYIN.COM/video/1",), id="upper-case-without-scheme"
        ),
        pytest.param(
            "HTTPS://V.Douyin.com/AbCdEf/", ("HTTPS://V.Douyin.com/AbCdEf/",), id="upper-case-scheme"
        ),
        pytest.param("http://example.org/a", ("http://example.org/a",), id="unknown-host-is-a-link-too"),
        pytest.param(
            "https://a.org/?to=https://www.douyin.com/video/1",
            ("https://a.org/?to=https://www.douyin.com/video/1",),
            id="link-in-a-query-is-not-a-second-one",
        ),
        pytest.param(f"(see {POST}).", (POST,), id="closing-punctuation"),
        pytest.param(f"[post]({POST})", (POST,), id="markdown"),
        pytest.param(
            "https://www.douyin.com/search/(a)",
            ("https://www.douyin.com/search/(a)",),
            id="paired-brackets-stay",
        ),
        pytest.param(f"\ufeff{POST}\u200b复制", (POST,), id="invisible-characters"),
        pytest.param("", (), id="empty"),
        pytest.param("douyin 7372484719365098803 @name douyin:post:1", (), id="no-link"),
        pytest.param("https://. http:// https://)", (), id="scheme-without-host"),
        pytest.param("www.douyin.com", (), id="host-named-in-prose"),
        pytest.param("me@v.douyin.com/abcdef", (), id="mail-address"),
    ],
)
def test_find(text: str, expected: tuple[str, ...]) -> None:
    """Links are found whole, in order, once, and nothing else is."""
    assert links.find(text) == expected


@pytest.mark.parametrize(
    "mark", list(' \t\n\u3000"<>\\^`{|}，。；！？、【】《》“”（）\x00\x1b\u202e'), ids=ascii
)
def test_a_link_ends_at(mark: str) -> None:
    """White space, quotes, full-width marks and control characters end a link."""
    assert links.find(f"{SHORT}{mark}复制") == (SHORT,)
    assert links.find(f"v.douyin.com/p7-T74NL4h4/{mark}复制") == (SHORT,)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("www.douyin.com.evil.tld/video/1", id="our-name-in-front"),
        pytest.param("evildouyin.com/video/1", id="our-name-at-the-end"),
        pytest.param("www.dоuyin.com/video/1", id="cyrillic-o"),
        pytest.param("ftp://www.douyin.com/video/1", id="other-scheme"),
        pytest.param("evil.tld/www.douyin.com/video/1", id="our-name-in-a-path"),
    ],
)
def test_look_alikes_without_scheme_are_no_links(text: str) -> None:
    """A host counts without a scheme only if its last labels are a platform's domain."""
    assert links.find(text) == ()


def test_a_huge_paste_is_searched_in_linear_time() -> None:
    """A megabyte of almost-hosts and almost-links ends at once."""
    assert links.find("a." * 250_000 + "x" * 250_000 + "https:/" * 40_000) == ()
