"""The "Please wait..." page: recognised, solved, and refused when it is not what it says."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from dyvine_cli.errors import RiskControl, UnexpectedResponse
from dyvine_cli.sites.tiktok import proof

SEED = b"an invented seed"


def coded(data: bytes) -> str:
    """Base64 as text."""
    return base64.b64encode(data).decode()


def challenge(answer: int, **more: Any) -> dict[str, Any]:
    """A challenge whose answer is `answer`."""
    digest = hashlib.sha256(SEED + str(answer).encode()).digest()
    return {"v": {"a": coded(SEED), "b": 1795305600, "c": coded(digest)}, "s": "c2lnbmVk", **more}


def page(told: Any, *, name: str = "_wafchallengeid", more: str = "") -> str:
    """The page around a challenge; a text stands in it as it is."""
    cs = told if isinstance(told, str) else coded(json.dumps(told, separators=(",", ":")).encode())
    return (
        '<!DOCTYPE html><html><head><script id="slardar-config">{"slardarClient":"SlardarWAF"}</script></head>'
        f'<body> Please wait... <p id="wci" class="{name}"></p><p id="cs" class="{cs}"></p>{more}</body></html>'
    )


def answered(cookie: str) -> dict[str, Any]:
    """What a cookie says."""
    text = base64.b64decode(cookie, validate=True).decode()
    told: dict[str, Any] = json.loads(text)
    assert " " not in text
    return told


def test_the_answer_stands_last_in_the_cookie() -> None:
    """The cookie is the challenge as it came, with the number that was looked for at its end."""
    cookies = proof.solve(page(challenge(123)))

    assert list(cookies) == ["_wafchallengeid"]
    assert list(answered(cookies["_wafchallengeid"]).items()) == [
        *challenge(123).items(),
        ("d", coded(b"123")),
    ]


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        pytest.param(challenge(0), 0, id="first"),
        pytest.param(challenge(7, d="old", e=[1]), 7, id="an-answer-is-there-already"),
        pytest.param(coded(json.dumps(challenge(5)).encode()).rstrip("="), 5, id="padding-missing"),
        pytest.param(coded(json.dumps(challenge(5)).encode() + b" " * 2), 5, id="blanks"),
    ],
)
def test_solve(told: Any, answer: int) -> None:
    """The smallest number with the digest is the answer."""
    solved = answered(proof.solve(page(told))["_wafchallengeid"])

    assert solved["d"] == coded(str(answer).encode())
    assert list(solved)[-1] == "d"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param('<p id="rci" class="waforiginalreid"></p><p id="rs" class="2026AB"></p>', {"waforiginalreid": "2026AB"}, id="both"),
        pytest.param("<p class='2026AB' id='rs'></p><P CLASS='waf2' ID='rci'>", {"waf2": "2026AB"}, id="other-order-and-quotes"),
        pytest.param('<p id="rci" class="waforiginalreid"></p><p id="rs" class=""></p>', {}, id="empty-value"),
        pytest.param('<p id="rci" class="waforiginalreid"></p>', {}, id="no-value"),
        pytest.param('<p id="rs" class="2026AB"></p>', {}, id="no-name"),
        pytest.param('<p id="wci" class="other"></p>', {}, id="second-of-the-same-id"),
    ],
)  # fmt: skip
def test_second_cookie(more: str, expected: dict[str, str]) -> None:
    """The second cookie is set when the page gives it a name and a value."""
    cookies = proof.solve(page(challenge(3), more=more))
    cookies.pop("_wafchallengeid")

    assert cookies == expected


def test_a_challenge_without_answer_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the last number the search ends."""
    monkeypatch.setattr(proof, "LAST_ANSWER", 50)
    assert proof.solve(page(challenge(50)))

    with pytest.raises(RiskControl, match="no answer"):
        proof.solve(page(challenge(51)))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("<html>Please wait...</html>", id="no-elements"),
        pytest.param(page("!!!"), id="no-base64"),
        pytest.param(page(coded(b"{")), id="no-json"),
        pytest.param(page(coded(b"\xff\xfe")), id="no-text"),
        pytest.param(page(coded(b"[" * 30000)), id="deep"),
        pytest.param(page([1]), id="a-list"),
        pytest.param(page({"v": {"a": coded(SEED)}}), id="no-digest"),
        pytest.param(page({"v": {"a": coded(SEED), "c": coded(b"short")}}), id="short-digest"),
        pytest.param(page({"v": {"a": 1, "c": coded(SEED * 2)}}), id="number-as-seed"),
        pytest.param(page(challenge(1), name=""), id="no-name"),
        pytest.param(page(challenge(1), name="a b"), id="name-with-blank"),
        pytest.param(page(challenge(1), name="a;path"), id="name-with-semicolon"),
        pytest.param(page(challenge(1), name="sessionid"), id="name-of-the-login"),
        pytest.param(page(challenge(1), name="sid_tt"), id="another-name-of-the-login"),
        pytest.param(page(challenge(1), more='<p id="rci" class="x"></p><p id="rs" class="a; b"></p>'), id="value-with-semicolon"),
        pytest.param(page(challenge(1), more='<p id="rci" class="x"></p><p id="rs" class="a&#10;b"></p>'), id="value-with-line-break"),
    ],
)  # fmt: skip
def test_hostile_pages_are_refused(text: str) -> None:
    """What has not the form of a challenge, or wants our login replaced, is an error with a name."""
    with pytest.raises(UnexpectedResponse, match="proof of work"):
        proof.solve(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(page(challenge(1)), True, id="challenge"),
        pytest.param("<p>Please wait...</p><script>waf-aiso</script>", True, id="other-mark"),
        pytest.param("<p>Please wait...</p>", False, id="no-mark"),
        pytest.param("<script>SlardarWAF</script>", False, id="no-words"),
        pytest.param(page(challenge(1)) + "x" * 60_000, False, id="a-whole-page"),
        pytest.param("", False, id="empty"),
    ],
)
def test_is_challenge(text: str, expected: bool) -> None:
    """The small page with its marks is told from a page that quotes its words."""
    assert proof.is_challenge(text) is expected
