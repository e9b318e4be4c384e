"""The simulator judges signatures as Douyin does: held to the recorded vectors and to our own before it judges anyone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.simulator import douyin_signatures as signatures

Row = dict[str, Any]

JUDGES: dict[str, Callable[[Row], str | None]] = {
    "a_bogus": lambda row: signatures.judge_a_bogus(row["value"], row["query"], row["body"], row["agent"]),
    "cus": lambda row: signatures.judge_a_bogus_cus(
        row["value"], row["query"], row["body"], "POST", row["agent"]
    ),
    "x_bogus": lambda row: signatures.judge_x_bogus(row["value"], row["query"], row["agent"]),
    "web": lambda row: signatures.judge_web_signature(
        row["query"], row["uifid"], row["timestamp"], row["value"]
    ),
    "ac": lambda row: signatures.judge_ac_signature(row["value"], row["site"], row["nonce"], row["agent"]),
}
OWN: list[Row] = json.loads(
    (Path(__file__).parents[1] / "data/douyin/simulator_signatures.json").read_text("utf-8")
)
ALTERED = [
    pytest.param(row, field, id=f"{row['kind']}-{row['id']}-{field}")
    for row in OWN
    for field in ("value", "query", "body", "agent", "uifid", "timestamp", "site", "nonce")
    if row.get(field) and (row["kind"], field) != ("cus", "value")  # its end, the geometry, is not looked at
]


@pytest.mark.parametrize("row", OWN, ids=lambda row: f"{row['kind']}-{row['id']}")
def test_own_vectors_are_accepted(row: Row) -> None:
    """A right signature of every kind passes."""
    assert JUDGES[row["kind"]](row) is None


@pytest.mark.parametrize(("row", "field"), ALTERED)
def test_one_altered_character_is_noticed(row: Row, field: str) -> None:
    """Changing the signature or any input it covers is refused with a reason."""
    text = row[field]
    other = text[:-3] + ("0" if text[-3] != "0" else "1") + text[-2:]

    assert JUDGES[row["kind"]]({**row, field: other})


@pytest.mark.parametrize("value", ["", "x", "=", "A" * 40, "不是", "Q" * 188, "a_bogus"])
def test_garbage_is_refused_not_raised(value: str) -> None:
    """Whatever a client sends as a signature gets a reason instead of an exception."""
    assert signatures.judge_a_bogus(value, "a=1", "", "agent")
    assert signatures.judge_a_bogus_cus(value, "a=1", "", "GET", "agent")
    assert signatures.judge_x_bogus(value, "a=1", "agent")
    assert signatures.judge_ac_signature(value, "www.douyin.com/", "0" * 21, "agent")
    assert signatures.judge_verify_fp(value)


def test_both_encoders_of_the_web_signature_are_accepted() -> None:
    """Values with `~` and brackets are hashed in either form."""
    both = signatures.web_signatures("k=a~b(c)", "ab" * 80, "1790800000")

    assert len(set(both)) == 2


@pytest.mark.parametrize(
    ("query", "signed", "value"),
    [
        ("a=1&a_bogus=x%2F%3D&fp=2", "a=1", "x/="),
        ("a_bogus=x&a=1", "", "x"),
        ("a=1", "a=1", None),
    ],
    ids=["in the middle", "first", "missing"],
)
def test_the_query_before_a_bogus_is_what_it_signs(query: str, signed: str, value: str | None) -> None:
    """Parameters behind it are not covered."""
    assert signatures.before_a_bogus(query) == (signed, value)


def test_sm3_without_openssl_is_the_same() -> None:
    """The own SM3 gives the digest of the standard's first example, and padding of every length works."""
    assert (
        signatures._own_sm3(b"abc").hex()
        == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )
    assert all(signatures._own_sm3(b"x" * n) == signatures.sm3(b"x" * n) for n in range(130))


# -- recorded vectors --------------------------------------------------------------------------------------------------


def _judged(vector: Row) -> str | None:
    value, query, agent = vector["expected"], vector["query"], vector["user_agent"]
    body = "" if "multipart" in vector.get("content_type", "") else vector["body"]
    if vector["algorithm"] == "X-Bogus":
        return signatures.judge_x_bogus(value, query, agent)
    if "dhzx" in vector["id"]:
        return signatures.judge_a_bogus(value, query, body, agent)
    return signatures.judge_a_bogus_cus(value, query, body, vector["method"], agent)


def _vectors(recordings: Path) -> Row:
    found: Row = json.loads((recordings / "vectors/douyin_signatures.json").read_text("utf-8"))
    return found


@pytest.mark.recordings
def test_recorded_signatures_are_accepted(recordings: Path) -> None:
    """Every recorded a_bogus and X-Bogus is right for its request."""
    refused = {vector["id"]: _judged(vector) for vector in _vectors(recordings)["vectors"]}

    assert len(refused) > 30
    assert not any(refused.values()), refused


@pytest.mark.recordings
def test_recorded_signatures_fit_no_other_request(recordings: Path) -> None:
    """With another query or user agent each of them is refused."""
    vectors = _vectors(recordings)["vectors"]

    assert all(_judged({**vector, "query": vector["query"] + "&x=1"}) for vector in vectors)
    assert all(_judged({**vector, "user_agent": vector["user_agent"] + "9"}) for vector in vectors)


@pytest.mark.recordings
def test_recorded_intermediates_stand_inside(recordings: Path) -> None:
    """Decoding a browser's a_bogus gives the clock, flags and geometry that were noted with it."""
    vectors = [vector for vector in _vectors(recordings)["vectors"] if "dhzx" in vector["id"]]
    for vector in vectors:
        inside = signatures.decode_a_bogus(vector["expected"])

        assert inside.now_ms == vector["now_ms"]
        assert inside.geometry == vector["browser_info"]
        assert inside.little(67, 4) == vector["page_id"]
        assert inside.little(38, 2) == vector["nr_flags"]


@pytest.mark.recordings
def test_recorded_primitives_are_ours(recordings: Path) -> None:
    """SM3, both RC4, the three alphabets, web and page signatures and verifyFp agree with the notes."""
    makers: dict[str, Callable[[Row], object]] = {
        "SM3": lambda row: signatures._own_sm3(row["input_utf8"].encode()).hex() == row["expected_hex"],
        "RC4 (textbook)": lambda row: _rc4(signatures.rc4, row),
        "RC4 (bdms": lambda row: _rc4(signatures.rc4v, row),
        "custom base64 s3": lambda row: _base64(signatures.S3_ALPHABET, row),
        "custom base64 s4": lambda row: _base64(signatures.S4_ALPHABET, row),
        "custom base64 xb": lambda row: _base64(signatures.XB_ALPHABET, row),
        "x-secsdk": lambda row: (
            row["expected"]
            in signatures.web_signatures(row["query_before"], row["uifid"], str(row["timestamp_s"]))
        ),
        "__ac": lambda row: (
            signatures.judge_ac_signature(row["expected"], row["site"], row["nonce"], row["user_agent"])
            is None
        ),
        "verifyFp": lambda row: signatures.judge_verify_fp(row["expected"]) is None,
    }
    for row in _vectors(recordings)["primitives"]:
        make = next(make for name, make in makers.items() if row["algorithm"].startswith(name))

        assert make(row), row["algorithm"]


def _rc4(cipher: Callable[[bytes, bytes], bytes], row: Row) -> bool:
    return cipher(bytes.fromhex(row["key_hex"]), bytes.fromhex(row["data_hex"])).hex() == row["expected_hex"]


def _base64(alphabet: str, row: Row) -> bool:
    data = bytes.fromhex(row["data_hex"])
    encoded = signatures.b64_encode(data, alphabet)
    return encoded == row["expected"] and signatures.b64_decode(encoded, alphabet) == data
