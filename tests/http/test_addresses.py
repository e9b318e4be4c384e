"""Which hosts and addresses are what they seem."""

from __future__ import annotations

import pytest

from dyvine_cli.errors import AddressRefused
from dyvine_cli.http.addresses import is_local_name, is_public, normalise, safe_url, split, within

LOOPBACK = [
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0177.0.0.01",
    "１２７.0.0.1",
    "127。0。0。1",
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_every_spelling_of_loopback_is_loopback(host: str) -> None:
    """Decimal, hexadecimal, octal, short and full-width forms are one address."""
    found = normalise(host)

    assert found == "127.0.0.1"


@pytest.mark.parametrize(
    ("host", "plain"),
    [
        pytest.param("WWW.Douyin.COM", "www.douyin.com", id="upper-case"),
        pytest.param("www.douyin.com.", "www.douyin.com", id="trailing-dot"),
        pytest.param("[2001:DB8::1]", "2001:db8::1", id="ipv6"),
        pytest.param("[fe80::1%eth0]", "fe80::1", id="zone"),
        pytest.param("dоuyin.com", "xn--duyin-jye.com", id="cyrillic-look-alike"),
        pytest.param("1.1.1.1.example.com", "1.1.1.1.example.com", id="name-of-numbers"),
    ],
)
def test_a_host_has_one_spelling(host: str, plain: str) -> None:
    """Hosts are compared in one form; a look-alike stays a stranger."""
    found = normalise(host)

    assert found == plain


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "a..b",
        "a b",
        "a/b",
        "a@b",
        "%31.com",
        "256.1.1.1",
        "1.2.3.4.5",
        "0x100000000",
        "1.09",
        "[::g]",
        "-",
        "a" * 254,
        "x\x00y",
    ],
)
def test_what_is_no_host_is_refused(host: str) -> None:
    """Text that resolvers might read in their own way is no host."""
    with pytest.raises(ValueError, match="not a host"):
        normalise(host)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("douyin.com", True),
        ("www.douyin.com", True),
        ("WWW.DOUYIN.COM.", True),
        ("evildouyin.com", False),
        ("douyin.com.evil.tld", False),
        ("douyin.com@evil.tld", False),
        ("www.dоuyin.com", False),
        ("", False),
    ],
)
def test_a_domain_is_matched_on_label_borders(host: str, expected: bool) -> None:
    """Only the domain and what is below it belongs to it."""
    found = within(host, ["douyin.com"])

    assert found is expected


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("1.1.1.1", True),
        ("2606:4700::1111", True),
        ("::ffff:1.1.1.1", True),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("169.254.169.254", False),
        ("168.63.129.16", False),
        ("100.100.100.200", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:7f00:1", False),
        ("::127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:7f00:1::", False),
        ("0x7f.1", False),
        ("2130706433", False),
        ("not an address", False),
    ],
)
def test_only_the_open_internet_is_public(ip: str, expected: bool) -> None:
    """Inner, metadata and wrapped addresses are not public in any spelling."""
    found = is_public(ip)

    assert found is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("router", True),
        ("nas.local", True),
        ("metadata.google.internal", True),
        ("a.com", False),
        ("10.0.0.1", False),
    ],
)
def test_names_of_the_own_network_are_known(host: str, expected: bool) -> None:
    """Names that only this network knows need no look-up to be refused behind a proxy."""
    found = is_local_name(host)

    assert found is expected


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("ftp://host/x", id="ftp"),
        pytest.param("gopher://host/x", id="gopher"),
        pytest.param("data:text/plain,x", id="data"),
        pytest.param("//host/x", id="no-scheme"),
        pytest.param("https:///x", id="no-host"),
        pytest.param("https://douyin.com@evil.tld/", id="user"),
        pytest.param("https://evil.tld\\@douyin.com/", id="backslash"),
        pytest.param("https://a.com:0/", id="port-0"),
        pytest.param("https://a.com:99999/", id="port-too-high"),
        pytest.param("https://a.com/\r\nX: y", id="line-break"),
        pytest.param("https://a.com/\x00", id="nul"),
        pytest.param("https://a\t.com/", id="tab"),
        pytest.param("http://[::1", id="bracket"),
    ],
)
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    """Only plain http and https addresses are opened."""
    with pytest.raises(AddressRefused):
        split(url)


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("https://A.com", "https://a.com/"),
        ("HTTP://a.com:80/x?y=1#z", "http://a.com/x?y=1"),
        (
            "https://a.com:8443/%2F%zz?a=b%20c&a_bogus=x%2F%3D",
            "https://a.com:8443/%2F%zz?a=b%20c&a_bogus=x%2F%3D",
        ),
        ("https://a.com/a b/中?q=!'()*,[]", "https://a.com/a%20b/%E4%B8%AD?q=!'()*,[]"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
    ],
)
def test_an_address_goes_out_as_it_came(url: str, whole: str) -> None:
    """A signed query reaches the wire byte for byte; only what HTTP forbids is encoded."""
    found = split(url)

    assert str(found) == whole


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "https://u:p@www.douyin.com/aweme/v1/web/aweme/detail/?msToken=secret#f",
            "https://www.douyin.com/aweme/v1/web/aweme/detail/",
        ),
        (
            "https://v3.douyinvod.com/0123456789abcdef0123456789abcdef/66aa/video/x",
            "https://v3.douyinvod.com/…/66aa/video/x",
        ),
        ("https://[::bad", "(not a URL)"),
        ("data:text/html,secret", "data:…"),
    ],
)
def test_a_shown_url_has_no_secrets(url: str, shown: str) -> None:
    """Users, queries and long tokens stay out of what a person or a log sees."""
    found = safe_url(url)

    assert found == shown
