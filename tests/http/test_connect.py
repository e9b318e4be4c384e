"""The grammar of --connect-to and where its rules lead."""

from __future__ import annotations

import pytest

from dyvine_cli.errors import ConfigError
from dyvine_cli.http.connect import ConnectTo, Route


@pytest.mark.parametrize(
    ("text", "host", "port", "tls", "listed", "expected"),
    [
        pytest.param(
            "a.com:443:127.0.0.1:8443",
            "a.com",
            443,
            True,
            False,
            Route("127.0.0.1", 8443, "ask"),
            id="loopback-443",
        ),
        pytest.param(
            "a.com:443:10.0.0.1:8443",
            "a.com",
            443,
            True,
            False,
            Route("10.0.0.1", 8443, "yes"),
            id="elsewhere-keeps-tls",
        ),
        pytest.param(
            "a.com::127.0.0.1:8080", "a.com", 443, True, False, Route("127.0.0.1", 8080, "ask"), id="any-port"
        ),
        pytest.param(
            "a.com::[::1]:", "a.com", 8000, False, False, Route("::1", 8000, "yes"), id="same-port-ipv6"
        ),
        pytest.param(
            "a.com:443::8443", "a.com", 443, True, False, Route("a.com", 8443, "yes"), id="same-host"
        ),
        pytest.param(
            "*:80:127.0.0.1:8080", "a.com", 443, True, True, Route("127.0.0.1", 8080, "no"), id="lowered"
        ),
        pytest.param(
            "*:80:localhost:8080",
            "a.com",
            443,
            True,
            True,
            Route("localhost", 8080, "no"),
            id="lowered-to-localhost",
        ),
        pytest.param(
            "*:80:127.0.0.1:8080", "a.com", 80, False, True, Route("127.0.0.1", 8080, "yes"), id="plain"
        ),
        pytest.param("*:80:10.0.0.1:8080", "a.com", 443, True, True, None, id="not-lowered-elsewhere"),
        pytest.param("*:80:127.0.0.1:8080", "a.com", 443, True, False, None, id="star-is-for-listed-hosts"),
        pytest.param("*:80:127.0.0.1:8080", "a.com", 8443, True, True, None, id="other-port"),
        pytest.param(
            "b.com:80:127.0.0.1:1, *:80:127.0.0.1:2",
            "a.com",
            80,
            False,
            True,
            Route("127.0.0.1", 2, "yes"),
            id="first-that-fits",
        ),
        pytest.param(
            "*:80:127.0.0.1:1,a.com:443:127.0.0.1:2",
            "a.com",
            443,
            True,
            True,
            Route("127.0.0.1", 2, "ask"),
            id="own-port-before-lowering",
        ),
        pytest.param(
            "A.com.:443:127.1:8443",
            "a.com",
            443,
            True,
            False,
            Route("127.0.0.1", 8443, "ask"),
            id="spellings",
        ),
        pytest.param("", "a.com", 443, True, True, None, id="no-rules"),
    ],
)
def test_a_rule_leads_where_it_says(
    text: str, host: str, port: int, tls: bool, listed: bool, expected: Route | None
) -> None:
    """Host, port and scheme of a request decide which rule leads it where."""
    found = ConnectTo.parse(text).route(host, port, tls=tls, listed=listed)

    assert found == expected


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "a.com:443",
        "a.com:443:b.com",
        ":443:127.0.0.1:1",
        "a.com:443::",
        "a.com:x:b:1",
        "a.com:0:b:1",
        "a.com:1:b:99999",
        "a b:1:c:2",
        "a:1:b:2:c:3",
        "a.com:1:[::g]:2",
        f"a:{'9' * 5000}:b:1",
    ],
)
def test_a_rule_that_cannot_be_read_is_a_config_error(text: str) -> None:
    """Nonsense is named, not ignored."""
    with pytest.raises(ConfigError, match="connect-to rule"):
        ConnectTo.parse(text)
