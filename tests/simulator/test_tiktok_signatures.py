"""The TikTok half judges signatures as the platform does: held to the vectors before it judges anyone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.simulator import tiktok_signatures as signatures

AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
NOW = 1_790_800_000
QUERY = "aid=1988&browser_version=5.0%20(Windows)&count=16&cursor=0&device_id=7515045088717112839&secUid=MS4wLjABAAAA"

Row = dict[str, Any]


@pytest.fixture
def sdk(newcomer: Any) -> Any:
    """A signing script with a browser's constants."""
    return newcomer.sdk


@pytest.mark.parametrize("token", ["", "s3cret-Token_=="], ids=["without token", "with token"])
@pytest.mark.parametrize("query", [QUERY, "aid=1988&q=%E7%8C%AB&empty="], ids=["plain", "chinese"])
def test_a_right_set_is_accepted(sdk: Any, query: str, token: str) -> None:
    """Order, both envelopes, their agreement and the clock."""
    assert signatures.judge_all(sdk.sign(query, token, AGENT, NOW), b"", AGENT, NOW + 5) is None


def test_the_other_build_is_accepted(sdk: Any) -> None:
    """SCM 1.0.0.417 goes with env 0, ub 0 and the hash of nothing."""
    sdk.scm, sdk.env, sdk.ub, sdk.x38 = "1.0.0.417", 0, 0, 0x811C9DC4

    assert signatures.judge_all(sdk.sign(QUERY, "", AGENT, NOW), b"", AGENT, NOW) is None


SPOILED: dict[str, tuple[dict[str, object], str]] = {
    "old sdk": ({"version": "5.1.1"}, "SDK"),
    "unknown scm": ({"scm": "9.9.9.9"}, "SCM"),
    "x38 of the other build": ({"x38": 0x811C9DC4}, "SCM"),
    "codes of a dom stub": ({"env": 129, "ub": 14}, "codes of a browser"),
    "another page": ({"page": "example.com/"}, "page"),
    "counter below one": ({"count": -1}, "counters"),
}


@pytest.mark.parametrize(("change", "reason"), SPOILED.values(), ids=SPOILED.keys())
def test_what_no_browser_says_is_refused(sdk: Any, change: dict[str, object], reason: str) -> None:
    """Constants of other builds, of stubs and of nobody."""
    for name, value in change.items():
        setattr(sdk, name, value)

    assert reason in str(signatures.judge_all(sdk.sign(QUERY, "", AGENT, NOW), b"", AGENT, NOW))


def _without(query: str, name: str) -> str:
    return "&".join(pair for pair in query.split("&") if not pair.startswith(f"{name}="))


ALTERED: dict[str, tuple[Callable[[str], str], str]] = {
    "another query": (lambda q: q.replace("count=16", "count=35"), "X-Dynosaur: query"),
    "another order of the query": (lambda q: "count=16&" + q.replace("&count=16", ""), "X-Dynosaur: query"),
    "encoded anew": (lambda q: q.replace("(Windows)", "%28Windows%29"), "X-Dynosaur: query"),
    "another token": (lambda q: q.replace("msToken=", "msToken=x"), "X-Gnarly: query"),
    "token in front": (lambda q: "msToken=&" + _without(q, "msToken"), "order"),
    "without X-Dynosaur": (lambda q: _without(q, "X-Dynosaur"), "missing"),
    "without X-Gnarly": (lambda q: _without(q, "X-Gnarly"), "missing"),
    "empty X-Gnarly": (lambda q: q.partition("&X-Gnarly=")[0] + "&X-Gnarly=", "X-Gnarly: no envelope"),
    "X-Bogus that is none": (lambda q: q.replace("X-Bogus=1", "X-Bogus=2"), "X-Bogus"),
    "one letter of X-Gnarly": (lambda q: q[:-9] + ("A" if q[-9] != "A" else "B") + q[-8:], "X-Gnarly"),
    "one letter of X-Dynosaur": (
        lambda q: q.replace("X-Dynosaur=M", "X-Dynosaur=L"),
        "X-Dynosaur",
    ),
}


@pytest.mark.parametrize(("change", "reason"), ALTERED.values(), ids=ALTERED.keys())
def test_an_altered_query_is_refused(sdk: Any, change: Callable[[str], str], reason: str) -> None:
    """Nothing of a signed query may move."""
    signed = change(sdk.sign(QUERY, "", AGENT, NOW))

    assert reason in str(signatures.judge_all(signed, b"", AGENT, NOW))


def test_user_agent_body_and_clock_belong_to_it(sdk: Any) -> None:
    """Another browser, another body, another hour."""
    signed = sdk.sign(QUERY, "", AGENT, NOW)

    assert signatures.judge_all(signed, b"", AGENT + "1", NOW) == "X-Dynosaur: user agent"
    assert signatures.judge_all(signed, b"x", AGENT, NOW) == "X-Gnarly: body"
    assert signatures.judge_all(signed, b"", AGENT, NOW + 3600) == "signature: clock"


def test_halves_of_two_calls_do_not_go_together(sdk: Any) -> None:
    """X-Gnarly covers the X-Dynosaur of its own call, and both count alike."""
    first, second = (sdk.sign(QUERY, "", AGENT, NOW) for _ in range(2))
    mixed = first.partition("&X-Gnarly=")[0] + "&X-Gnarly=" + second.partition("&X-Gnarly=")[2]

    assert signatures.judge_all(mixed, b"", AGENT, NOW) == "X-Gnarly: query"


@pytest.mark.parametrize("value", ["", "1", "=", "M" * 40, "猫", "Q" * 400, "Mu" * 300])
def test_garbage_is_refused_not_raised(value: str) -> None:
    """Whatever a client sends as a signature gets a reason instead of an exception."""
    assert signatures.judge_dynosaur(value, QUERY, AGENT)
    assert signatures.judge_gnarly(value, QUERY, b"", AGENT)
    assert signatures.judge_x_bogus(value, QUERY, AGENT)


def test_every_letter_counts(sdk: Any) -> None:
    """Wherever a letter of an envelope is changed, it is noticed and nothing is raised."""
    parts = signatures.take_apart(sdk.sign(QUERY, "", AGENT, NOW))
    for value in (parts.dynosaur or "", parts.gnarly or ""):
        for at in range(0, len(value.rstrip("=")) - 1, 13):
            other = value[:at] + ("u" if value[at] != "u" else "0") + value[at + 1 :]

            assert signatures.judge_dynosaur(other, parts.business, AGENT)
            assert signatures.judge_gnarly(other, parts.covered, b"", AGENT)


# -- vectors -----------------------------------------------------------------------------------------------------------


def _vectors(recordings: Path, algorithm: str) -> list[Row]:
    rows = json.loads((recordings / "vectors/tiktok_signatures.json").read_text("utf-8"))
    found = [row for row in rows if row["algorithm"] == algorithm]
    assert found
    return found


def _covered(row: Row) -> str:
    pinned = row["pinned"]
    return f"{row['query']}&X-Dynosaur={pinned['x_dynosaur']}&msToken={pinned['msToken']}"


@pytest.mark.recordings
def test_recorded_dynosaurs_are_accepted(recordings: Path) -> None:
    """All of them, and each payload byte for byte."""
    for row in _vectors(recordings, "X-Dynosaur"):
        payload, key = signatures.unseal(row["expected"])

        assert signatures.judge_dynosaur(row["expected"], row["query"], row["user_agent"]) is None
        assert payload.hex() == row["pinned"]["payload_hex"]
        assert list(key) == [b for word in row["pinned"]["key_words"] for b in word.to_bytes(4, "little")]


@pytest.mark.recordings
def test_recorded_gnarlies_of_the_current_sdk_are_accepted(recordings: Path) -> None:
    """Those of SDK 5.3.2 pass with the order that was noted, those of 5.1 do not."""
    rows = _vectors(recordings, "X-Gnarly")
    current = [row for row in rows if "5.3.2" in row["variant"]]
    for row in current:
        args = (_covered(row), row["body"].encode(), row["user_agent"])

        assert signatures.judge_gnarly(row["expected"], *args) is None
        assert signatures.decode_gnarly(row["expected"]).order == tuple(row["pinned"]["record_order"])
    old = [row for row in rows if row not in current]

    assert len(current) >= 9
    assert all(signatures.judge_gnarly(r["expected"], r["query"], b"", r["user_agent"]) for r in old)


@pytest.mark.recordings
def test_recorded_signatures_fit_no_other_request(recordings: Path) -> None:
    """With another query or user agent each of them is refused."""
    for row in _vectors(recordings, "X-Dynosaur"):
        assert signatures.judge_dynosaur(row["expected"], row["query"] + "&x=1", row["user_agent"])
        assert signatures.judge_dynosaur(row["expected"], row["query"], row["user_agent"] + "9")
    for row in _vectors(recordings, "X-Bogus"):
        assert signatures.judge_x_bogus(row["expected"], row["query"] + "&x=1", row["user_agent"])


@pytest.mark.recordings
def test_a_browsers_own_dynosaur_holds_what_was_noted(recordings: Path) -> None:
    """The captured one opens: a browser's codes, counters, and no contradiction inside."""
    (row,) = _vectors(recordings, "X-Dynosaur-decode")
    payload, _ = signatures.unseal(row["pinned"]["input"])
    inside = signatures.decode_dynosaur(row["pinned"]["input"])

    assert payload.hex() == row["expected"]["payload_hex"]
    assert (inside.codes, inside.counts) == ((65, 8), (146, 16))
    assert all(signatures._dynosaur_facts(inside).values())


@pytest.mark.recordings
def test_recorded_x_bogus_are_accepted(recordings: Path) -> None:
    """Parameter bytes 8 and 12, and a page's own with 14."""
    for row in _vectors(recordings, "X-Bogus"):
        body = (row["body"] or "").encode()

        assert signatures.judge_x_bogus(row["expected"], row["query"], row["user_agent"], body) is None
    (row,) = _vectors(recordings, "X-Bogus-decode")

    assert list(signatures.decode_x_bogus(row["pinned"]["input"])) == row["expected"]["bytes"]


@pytest.mark.recordings
def test_recorded_parts_are_ours(recordings: Path) -> None:
    """The hash, both field codings and JavaScript's numbers."""
    for row in _vectors(recordings, "hash_state"):
        assert f"{signatures.hash_state(row['query']):08x}" == row["expected"]
    for row in _vectors(recordings, "encode_field"):
        coded = bytes.fromhex(row["expected"])
        assert signatures.decode_field(coded, b=row["variant"] == "B") == row["query"]
    for row in _vectors(recordings, "js_number_xor_operand"):
        assert signatures.js_number(row["query"]) == row["expected"]
