"""Signatures: every third-party vector byte for byte, and our own vectors for every branch."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.errors import ConfigError
from dyvine_cli.sites import ciphers
from dyvine_cli.sites.ciphers import base64_with, rc4
from dyvine_cli.sites.douyin import queries, sign
from dyvine_cli.sites.douyin.sm3 import portable_sm3, sm3
from dyvine_cli.sites.verify_fp import verify_fp

OWN = json.loads((Path(__file__).parents[2] / "data/douyin/signatures.json").read_text(encoding="utf-8"))
UIFID = "0f1e2d3c4b5a69788796a5b4c3d2e1f0" * 5

VECTORS = [
    *(f"xb-{n:02}" for n in range(1, 13)),
    *(f"ab-dhzx-{n:02}" for n in (1, 2, 4, 5, 6, 7, *range(9, 16))),
    *(f"ab-cus-{n:02}" for n in range(1, 7)),
    *(f"ab-cusm-{n:02}" for n in (1, 2)),
]
PRIMITIVES = 29


def own(name: str) -> pytest.MarkDecorator:
    """A test for each of our own vectors of one signature."""
    return pytest.mark.parametrize("row", OWN[name], ids=lambda row: row["id"])


def numbers(values: list[float]) -> Callable[[], float]:
    """A source of random numbers that gives these and no more."""
    return iter(values).__next__


# ---- third-party vectors


@pytest.fixture(scope="session")
def third_party(recordings: Path) -> dict[str, Any]:
    """The vectors of other projects and of browsers."""
    loaded: dict[str, Any] = json.loads(
        (recordings / "vectors/douyin_signatures.json").read_text(encoding="utf-8")
    )
    return loaded


@pytest.mark.recordings
def test_no_vector_is_left_out(third_party: dict[str, Any]) -> None:
    """The tests below name every vector and primitive there is."""
    assert [vector["id"] for vector in third_party["vectors"]] == VECTORS
    assert len(VECTORS) == 33
    assert len(third_party["primitives"]) == PRIMITIVES


@pytest.mark.recordings
@pytest.mark.parametrize("id", VECTORS)
def test_third_party_vector(third_party: dict[str, Any], id: str) -> None:
    """The signature of a browser or of another project comes out byte for byte."""
    vector = next(vector for vector in third_party["vectors"] if vector["id"] == id)
    kind = id.rpartition("-")[0]
    signed = {"xb": sign_x_bogus, "ab-dhzx": sign_dhzx, "ab-cus": sign_cus, "ab-cusm": sign_cus}[kind](vector)

    assert signed == vector["expected"]


@pytest.mark.recordings
@pytest.mark.parametrize("id", [id for id in VECTORS if id.startswith("ab-dhzx") and id[-2:] > "02"])
def test_noise_is_drawn_as_the_vector_says(third_party: dict[str, Any], id: str) -> None:
    """The random numbers become the very noise that the other implementation made of them."""
    vector = next(vector for vector in third_party["vectors"] if vector["id"] == id)
    drawn = vector["random_values"]
    # Each implementation draws and throws away one number, at its own place and in its own order.
    order = [0, 2, 3, 4, 5] if vector["page_id"] == 6383 else [0, 1, 2, 5, 4]
    source = numbers([drawn[i] for i in order] + drawn[6:])
    groups = len(vector["noise_bytes"]["expand"])

    assert sign.Noise.draw(source, groups, vector["family_base"]) == noise_of(vector)


def sign_x_bogus(vector: dict[str, Any]) -> str:
    """The X-Bogus of a vector."""
    return sign.x_bogus(vector["query"], vector["user_agent"], now_s=vector["time_s"])


def sign_dhzx(vector: dict[str, Any]) -> str:
    """The present a_bogus of a vector, with its flags."""
    flags = {"env": vector["env_flags"], "nr": vector["nr_flags"], "detect": vector["detect_flags"]}
    flags |= {"page_id": vector["page_id"], "aid": vector["aid"], "tripwire": vector["tripwire_l66"]}
    *sizes, platform = vector["browser_info"].split("|")
    inner, outer, available, screen = pairs(sizes)
    browser = sign.Browser(
        user_agent=vector["user_agent"],
        platform=platform,
        inner=inner,
        outer=outer,
        available=available,
        screen=screen,
    )
    constants = replace(sign.CONSTANTS, dhzx=replace(sign.CONSTANTS.dhzx, **flags))
    return sign.a_bogus(
        vector["query"],
        vector["body"],
        browser,
        now_ms=vector["now_ms"],
        random=noise_of(vector),
        constants=constants,
    )


def sign_cus(vector: dict[str, Any]) -> str:
    """The a_bogus before of a vector, in the form it is of."""
    by_method = "method-hash" in vector["variant"]
    drawn = [value / 10000 for value in vector["random_values"]] if by_method else vector["random_values"]
    *sizes, platform = vector["browser_info"].split("|")
    inner, outer, position, _, screen, available, *_ = pairs(sizes)
    browser = sign.Browser(
        user_agent=vector["user_agent"],
        platform=platform,
        inner=inner,
        outer=outer,
        position=position,
        screen=screen,
        available=available,
    )
    return sign.a_bogus_cus(
        vector["query"],
        vector["body"],
        browser,
        start_ms=vector["start_ms"],
        end_ms=vector["end_ms"],
        random=numbers(drawn),
        method=vector["method"] if by_method else None,
    )


def noise_of(vector: dict[str, Any]) -> sign.Noise:
    """The noise that a vector was made with."""
    noise = vector["noise_bytes"]
    return sign.Noise(
        tuple(noise["version_1"]), tuple(noise["version_2"]), tuple(noise["header"]), noise["expand"]
    )


def pairs(sizes: list[str]) -> Iterator[tuple[int, int]]:
    """Widths and heights."""
    return zip(map(int, sizes[::2]), map(int, sizes[1::2]), strict=True)


@pytest.mark.recordings
@pytest.mark.parametrize("index", range(PRIMITIVES))
def test_third_party_primitive(third_party: dict[str, Any], index: int) -> None:
    """Each building block alone gives the published value."""
    row = third_party["primitives"][index]

    assert primitive(row) == expected_of(row)


def primitive(row: dict[str, Any]) -> str:
    """What our building block makes of a row."""
    name = row["algorithm"]
    data = bytes.fromhex(row.get("data_hex", ""))
    if name == "SM3":
        text = row["input_utf8"].encode()
        assert sm3(text) == portable_sm3(text)
        return sm3(text).hex()
    if name.startswith("RC4"):
        cipher = sign.rc4_bdms if "bdms" in name else rc4
        return cipher(bytes.fromhex(row["key_hex"]), data).hex()
    if name.startswith("custom base64"):
        digits = sign.CONSTANTS.alphabets
        return base64_with(data, {"s3": digits.agent, "s4": digits.result, "xb": digits.x_bogus}[name[-2:]])
    if name == "x-secsdk-web-signature":
        return sign.web_signature(row["query_before"], row["uifid"], now_s=row["timestamp_s"])
    if name == "__ac_signature":
        return sign.ac_signature(row["site"], row["nonce"], row["user_agent"], now_s=row["timestamp_s"])
    assert name == "verifyFp / s_v_web_id"
    return verify_fp(now_ms=row["time_ms"], random=numbers(row["random_values"]))


def expected_of(row: dict[str, Any]) -> str:
    """What the row says should come out."""
    if row["algorithm"] == "x-secsdk-web-signature":
        return f"{row['signed_query']}&x-secsdk-web-signature={row['expected']}"
    expected: str = row.get("expected") or row["expected_hex"]
    return expected


# ---- our own vectors


@own("a_bogus")
def test_a_bogus(row: dict[str, Any]) -> None:
    """Browser families, bodies, call counts, page ages, flags and screen sizes each have their value."""
    screen = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row["browser"].items()
    }
    browser = replace(sign.Browser.of(row["user_agent"]), **screen)
    constants = replace(sign.CONSTANTS, dhzx=replace(sign.CONSTANTS.dhzx, **row["dhzx"]))
    signed = sign.a_bogus(
        row["query"],
        row["body"],
        browser,
        now_ms=row["now_ms"],
        random=random.Random(row["seed"]).random,
        init_ms=row["init_ms"],
        calls=row["calls"],
        constants=constants,
    )

    assert signed == row["expected"]


@own("a_bogus_cus")
def test_a_bogus_cus(row: dict[str, Any]) -> None:
    """The generation before, by body and by method."""
    signed = sign.a_bogus_cus(
        row["query"],
        row["body"],
        sign.Browser.of(row["user_agent"]),
        start_ms=row["start_ms"],
        end_ms=row["end_ms"],
        random=random.Random(row["seed"]).random,
        method=row["method"],
    )

    assert signed == row["expected"]


@own("x_bogus")
def test_x_bogus(row: dict[str, Any]) -> None:
    """Query, user agent and second decide the 28 characters."""
    signed = sign.x_bogus(row["query"], row["user_agent"], now_s=row["now_s"])

    assert len(signed) == 28
    assert signed == row["expected"]


@own("web_signature")
def test_web_signature(row: dict[str, Any]) -> None:
    """The query is written anew, completed and signed."""
    assert sign.web_signature(row["query"], row["uifid"], now_s=row["now_s"]) == row["expected"]


@own("ac_signature")
def test_ac_signature(row: dict[str, Any]) -> None:
    """Site, nonce, user agent and second decide the cookie."""
    assert (
        sign.ac_signature(row["site"], row["nonce"], row["user_agent"], now_s=row["now_s"]) == row["expected"]
    )


@own("verify_fp")
def test_verify_fp(row: dict[str, Any]) -> None:
    """The clock and the random numbers decide the id."""
    signed = verify_fp(now_ms=row["now_ms"], random=random.Random(row["seed"]).random)

    assert signed == row["expected"]
    assert len(signed.split("_", 2)[2]) == 36


# ---- properties


def test_every_part_of_an_a_bogus_decides() -> None:
    """Another query, body, user agent, time or noise is another value."""

    def signed(
        query: str = "aid=6383",
        body: str = "",
        agent: str = sign.USER_AGENT,
        now_ms: int = 1793318400250,
        seed: int = 1,
    ) -> str:
        source = random.Random(seed).random
        return sign.a_bogus(query, body, sign.Browser(user_agent=agent), now_ms=now_ms, random=source)

    values = {
        signed(),
        signed(query="aid=6384"),
        signed(body="a=1"),
        signed(agent="x"),
        signed(now_ms=1793318400251),
        signed(seed=2),
    }

    assert len(values) == 6


def test_noise_decides_nothing_but_itself() -> None:
    """Random numbers and the noise drawn from them give the same value."""
    scalars_and_tail = 50 + len(sign.CHROME.geometry) + len("77,") + 1
    noise = sign.Noise.draw(random.Random(5).random, scalars_and_tail // 3, 0)
    now_ms = 1793318400000 + 74
    tail = (now_ms + 3) & 255
    drawn = sign.a_bogus("aid=6383", "", now_ms=now_ms, random=random.Random(5).random)

    assert tail == 77
    assert sign.a_bogus("aid=6383", "", now_ms=now_ms, random=noise) == drawn


def test_too_little_noise_is_an_error() -> None:
    """Noise for another length of body is not stretched."""
    with pytest.raises(ValueError, match="zip"):
        sign.a_bogus("", "", now_ms=1793318400250, random=sign.Noise((0, 0), (0, 0), (0, 0), [0] * 5))


@pytest.mark.parametrize(
    ("probe", "expected"),
    [(0.0, 0), (109.5 / 240, 109), (110.5 / 240, 111), (111.5 / 240, 113), (239.5 / 240, 241)],
)
def test_probe_above_109_is_odd(probe: float, expected: int) -> None:
    """The SDK makes a high probe odd and leaves a low one."""
    noise = sign.Noise.draw(numbers([0.0, probe, 0.0, 0.0, 0.0]), 0, 0)

    assert noise.probe == (expected, 0xB2)


@pytest.mark.parametrize(
    ("body", "noise", "expected"),
    [
        pytest.param("", [], "", id="nothing"),
        pytest.param("07", [], "07", id="one-left"),
        pytest.param("0708", [], "0708", id="two-left"),
        pytest.param("0700", [], "07", id="two-left-the-last-zero"),
        pytest.param("00", [], "00", id="one-left-zero"),
        pytest.param("ffffff", [0], "6ebdd3ff", id="masks-of-the-body"),
        pytest.param("000000", [255], "91422c00", id="masks-of-the-noise"),
        pytest.param("00000007", [0], "0000000007", id="group-and-rest"),
    ],
)
def test_expansion(body: str, noise: list[int], expected: str) -> None:
    """Groups of three become four bytes; what is left over is copied."""
    assert sign._expanded(bytes.fromhex(body), noise).hex() == expected


@pytest.mark.parametrize(
    ("digest", "expected"),
    [
        pytest.param(bytes(range(100, 132)), 103, id="first-byte-from-the-index"),
        pytest.param(bytes([100] * 3 + [11] * 5 + [42] * 24), 42, id="avoided-value-is-skipped"),
        pytest.param(bytes([100] * 3 + [11] * 29), 12, id="nothing-but-the-avoided-value"),
    ],
)
def test_canary_of_the_query(digest: bytes, expected: int) -> None:
    """The third byte shown of a digest is never the value that reports a failed self-check."""
    slots = sign._digest_slots([digest, bytes(32), bytes(32)], sign.CONSTANTS.dhzx)

    assert slots[51] == expected


def test_ninth_bit_goes_to_the_neighbour() -> None:
    """Values above 255 change the digit before them, as in JavaScript, and a first one is cut."""
    alphabet = ciphers._BASE64

    assert sign._wide_base64([0, 0x100, 0], alphabet) == base64_with(bytes([1, 0, 0]), alphabet)
    assert sign._wide_base64([0x101, 0, 0], alphabet) == base64_with(bytes([1, 0, 0]), alphabet)
    assert sign._wide_base64([1, 0x102], alphabet) == base64_with(bytes([1, 2]), alphabet)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        pytest.param([], "", id="none"),
        pytest.param([("a", "1"), ("msToken", ""), ("a", "2")], "a=1&msToken=&a=2", id="order-empty-twice"),
        pytest.param(
            [("keyword", "云海 🌫")], "keyword=%E4%BA%91%E6%B5%B7%20%F0%9F%8C%AB", id="utf-8-and-space"
        ),
        pytest.param([("ids", "[1,2]"), ("o", '{"a":1}')], "ids=%5B1%2C2%5D&o=%7B%22a%22%3A1%7D", id="json"),
        pytest.param([("a_bogus", "a/b+c==")], "a_bogus=a%2Fb%2Bc%3D%3D", id="base64"),
        pytest.param([("v", "AZaz09-_.*")], "v=AZaz09-_.*", id="kept"),
        pytest.param([("v", "&=#?%")], "v=%26%3D%23%3F%25", id="delimiters"),
    ],
)
def test_encode(pairs: list[tuple[str, str]], expected: str) -> None:
    """A query is encoded in one way only."""
    assert queries.encode(pairs) == expected


@pytest.mark.parametrize("value", [*map(chr, range(32, 127)), "云海", "a b&c=d/e+f%20"])
def test_encoded_query_is_sent_as_it_was_signed(value: str) -> None:
    """What `encode` wrote is not written otherwise by the web signature."""
    query = queries.encode([("aid", "6383"), ("v", value)])

    assert sign.web_signature(query, UIFID, now_s=1793318400).startswith(
        f"{query}&uifid={UIFID}&timestamp=1793318400&"
    )


def test_ambiguous_values_are_named() -> None:
    """Values that the two known encoders treat differently are found before they are signed."""
    pairs = [("id", "1"), ("json", '{"a":[1,2]}'), ("space", "a b"), ("mark", "no!"), ("tilde", "~")]

    assert sign.ambiguous(pairs) == ("space", "mark", "tilde")


def test_signing_again_replaces_the_signature() -> None:
    """A query that was signed before gets one timestamp and one signature."""
    once = sign.web_signature("aid=6383", UIFID, now_s=1)

    assert sign.web_signature(once, UIFID, now_s=2) == sign.web_signature("aid=6383", UIFID, now_s=2)


# ---- browsers


@pytest.mark.parametrize(
    ("agent", "family", "platform", "version"),
    [
        pytest.param(sign.USER_AGENT, "chrome", "Win32", "150.0.0.0", id="chrome"),
        pytest.param(f"{sign.USER_AGENT} Edg/149.0.1.2", "edge", "Win32", "149.0.1.2", id="edge"),
        pytest.param(f"{sign.USER_AGENT} HuaweiBrowser/16.0", "huawei", "Win32", "16.0", id="huawei"),
        pytest.param(
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "firefox",
            "Linux x86_64",
            "140.0",
            id="firefox",
        ),
        pytest.param(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15",
            "safari",
            "MacIntel",
            "18.1",
            id="safari",
        ),
        pytest.param("Lynx/2.9.2", "other", "Win32", "", id="other"),
    ],
)
def test_browser_of(agent: str, family: str, platform: str, version: str) -> None:
    """A user agent tells family, platform and version."""
    browser = sign.Browser.of(agent)

    assert (browser.user_agent, browser.family, browser.platform) == (agent, family, platform)
    assert browser.version == version


def test_browser_writes_its_screen() -> None:
    """The default is the captured Chrome on Windows."""
    assert sign.CHROME.geometry == "1920|947|1920|1032|1920|1032|1920|1080|Win32"
    assert sign.CHROME.fingerprint == "1920|947|1920|1032|0|0|0|0|1920|1080|1920|1032|1920|947|24|24|Win32"


# ---- constants


def test_own_constants_replace_ours(tmp_path: Path) -> None:
    """A file with the one constant that the platform turned is enough."""
    file = tmp_path / "sign.toml"
    file.write_text('[web_signature]\nsalt = "NEW"\n[dhzx.families]\nchrome = 1\n', encoding="utf-8")
    constants = sign.Constants.load(file)

    assert constants.web_signature.salt == "NEW"
    assert constants.dhzx == replace(
        sign.CONSTANTS.dhzx, families={**sign.CONSTANTS.dhzx.families, "chrome": 1}
    )
    assert constants.cus == sign.CONSTANTS.cus
    assert sign.web_signature("a=1", UIFID, now_s=1, constants=constants) != sign.web_signature(
        "a=1", UIFID, now_s=1
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("[dhzx", "sign.toml: the signing constants cannot be read", id="not-toml"),
        pytest.param("[dhzy]\na = 1", "dhzy: no such signing constant", id="unknown-table"),
        pytest.param("[dhzx]\nsalz = 'a'", "dhzx: salz: no such signing constant", id="unknown-key"),
        pytest.param("[dhzx]\nsalt = 1", "salt: must be written like 'dhzx'", id="other-type"),
        pytest.param("[dhzx]\nnr = true", "nr: must be written like 33", id="truth-is-no-number"),
        pytest.param("[dhzx]\norder = []", "order: must be written like", id="empty-list"),
        pytest.param("[dhzx]\norder = [24, 'x']", "order: must be written like", id="mixed-list"),
        pytest.param("[dhzx]\norder = [24, 99]", "cannot be signed with: KeyError", id="unknown-slot"),
        pytest.param("[dhzx]\nsdk = 256", "cannot be signed with: ValueError", id="no-byte"),
        pytest.param(
            "[dhzx]\ncall_buckets = [[5, 1]]", "cannot be signed with: StopIteration", id="no-bucket"
        ),
        pytest.param("[ac_signature]\nmodulus = 0", "cannot be signed with: ZeroDivisionError", id="zero"),
        pytest.param("[alphabets]\nresult = 'abc'", "result: must be 64 different", id="short-alphabet"),
        pytest.param(f"[alphabets]\nagent = '{'a' * 64}'", "agent: must be 64 different", id="one-digit"),
    ],
)
def test_broken_constants_are_refused(tmp_path: Path, text: str, words: str) -> None:
    """A file that cannot be signed with is a ConfigError that names the place."""
    file = tmp_path / "sign.toml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=r"sign\.toml") as caught:
        sign.Constants.load(file)
    assert words in caught.value.message


def test_missing_constants_are_refused(tmp_path: Path) -> None:
    """A path without a file is a ConfigError."""
    with pytest.raises(ConfigError, match="cannot be read"):
        sign.Constants.load(tmp_path / "none.toml")
