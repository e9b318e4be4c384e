"""Signatures: every third-party vector byte for byte, and our own vectors for every branch."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.errors import ConfigError, RiskControl
from dyvine_cli.sites import xbogus
from dyvine_cli.sites.tiktok import proof, sign
from dyvine_cli.sites.tiktok.envelope import draw_key, sdk_random, seal
from dyvine_cli.sites.verify_fp import verify_fp

OWN = json.loads((Path(__file__).parents[2] / "data/tiktok/signatures.json").read_text(encoding="utf-8"))
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
VISIT = sign.Visit(gnarly_seed=123456789, dynosaur_seed=123456790)

COUNTS = {
    "X-Bogus": 9,
    "X-Bogus-decode": 1,
    "X-Gnarly": 19,
    "X-Gnarly-decode": 1,
    "X-Dynosaur": 9,
    "X-Dynosaur-decode": 1,
    "hash_state": 4,
    "encode_field": 6,
    "lcg_record_order": 3,
    "sdk_prng_words": 3,
    "fingerprint_seed": 1,
    "js_number_xor_operand": 6,
    "query_escape": 5,
    "verifyFp": 3,
    "WAF-challenge": 3,
}
VECTORS = [(name, index) for name, count in COUNTS.items() for index in range(count)]


def own(name: str) -> pytest.MarkDecorator:
    """A test for each of our own vectors of one signature."""
    return pytest.mark.parametrize("row", OWN[name], ids=lambda row: row["id"])


def numbers(values: Iterable[float]) -> Callable[[], float]:
    """A source of random numbers that gives these and no more."""
    return iter(values).__next__


def words(values: Iterable[int]) -> Callable[[], float]:
    """A source of random numbers that draws these words of 32 bits."""
    return numbers(value / 2**32 for value in values)


# ---- third-party vectors


@pytest.fixture(scope="session")
def third_party(recordings: Path) -> list[dict[str, Any]]:
    """The vectors of the SDK, of browsers and of other projects."""
    loaded: list[dict[str, Any]] = json.loads(
        (recordings / "vectors/tiktok_signatures.json").read_text(encoding="utf-8")
    )
    return loaded


@pytest.mark.recordings
def test_no_vector_is_left_out(third_party: list[dict[str, Any]]) -> None:
    """The tests below name every vector there is, and know how to compute each kind."""
    assert Counter(vector["algorithm"] for vector in third_party) == COUNTS
    assert len(third_party) == len(VECTORS) == 74
    assert COMPUTED.keys() == COUNTS.keys()


@pytest.mark.recordings
@pytest.mark.parametrize(("name", "index"), VECTORS)
def test_third_party_vector(third_party: list[dict[str, Any]], name: str, index: int) -> None:
    """What the SDK, a browser or another project made comes out byte for byte."""
    vector = [vector for vector in third_party if vector["algorithm"] == name][index]
    compute, expected = COMPUTED[name]

    assert compute(vector) == expected(vector)


def as_published(vector: dict[str, Any]) -> Any:
    """What the vector says should come out."""
    return vector["expected"]


def as_captured(vector: dict[str, Any]) -> Any:
    """The value that was taken apart, which has to come together again."""
    return vector["pinned"]["input"]


def x_bogus(vector: dict[str, Any]) -> str:
    """The X-Bogus of a vector."""
    return sign.x_bogus(
        vector["query"],
        vector["user_agent"],
        now_s=vector["timestamp"],
        body=vector["body"],
        constants=replace(sign.CONSTANTS, x_bogus=flagged(vector["pinned"])),
    )


def flagged(pinned: dict[str, Any]) -> xbogus.XBogus:
    """The constants of X-Bogus with a vector's flag and canvas."""
    key = (0, 1, pinned["param_byte"])
    return replace(sign.CONSTANTS.x_bogus, agent_key=key, head=(64, *key), canvas=pinned["canvas"])


def captured_x_bogus(vector: dict[str, Any]) -> str:
    """The X-Bogus of a real page, whose query is known by its digest."""
    pinned = vector["pinned"]
    return xbogus.x_bogus_of(
        bytes.fromhex(pinned["query_double_md5_hex"]),
        hashlib.md5(hashlib.md5(b"").digest()).digest(),
        vector["user_agent"],
        now_s=vector["timestamp"],
        constants=flagged(pinned),
        alphabet=sign.CONSTANTS.alphabets.x_bogus,
    )


def x_dynosaur(vector: dict[str, Any]) -> str:
    """The X-Dynosaur of a vector."""
    return sign.x_dynosaur(
        query_of(vector),
        vector["user_agent"],
        visit_of(vector["pinned"]),
        now_s=vector["timestamp"],
        random=words(vector["pinned"]["key_words"]),
        body=vector["body"],
        constants=built(vector["pinned"]),
    )


def x_gnarly(vector: dict[str, Any]) -> str:
    """The X-Gnarly of a vector, of whatever generation; its payload alone is sealed the same."""
    before = "SDK 5.1" in vector["variant"]
    padded = not before or "ZTCA" in vector["variant"]
    pinned = vector["pinned"]
    sealed = seal(
        bytes.fromhex(pinned["payload_hex"]),
        pinned["key_words"],
        constants=sign.CONSTANTS.envelope,
        alphabet=sign.CONSTANTS.alphabets.envelope,
        padded=padded,
    )
    assert sealed == vector["expected"]
    return x_gnarly_before(vector) if before else x_gnarly_now(vector)


def x_gnarly_now(vector: dict[str, Any]) -> str:
    """The X-Gnarly of SDK 5.3.2, with the values and the order that the vector names."""
    pinned = vector["pinned"]
    bound = f"{query_of(vector)}&X-Dynosaur={pinned['x_dynosaur']}&msToken={pinned['msToken']}"
    visit, constants, now_s = visit_of(pinned), built(pinned), vector["timestamp"]
    if "final_query" in pinned:
        assert pinned["final_query"] == f"{bound}&X-Bogus=1&X-Gnarly={vector['expected']}"
    if "field_16" in pinned:
        values = sign.gnarly_values(
            bound, vector["user_agent"], visit, now_s=now_s, body=vector["body"], constants=constants
        )
        assert [values[key] for key in (0, 14, 15, 16)] == [pinned[f"field_{key}"] for key in (0, 14, 15, 16)]
        order = [key for key in sign.record_order(visit.gnarly_seed) if key != 7 or visit.canvas is not None]
        assert order == pinned["record_order"]
    return sign.x_gnarly(
        bound,
        vector["user_agent"],
        visit,
        now_s=now_s,
        random=words(pinned["key_words"]),
        body=vector["body"],
        constants=constants,
    )


def x_gnarly_before(vector: dict[str, Any]) -> str:
    """The X-Gnarly of an SDK before 5.3."""
    pinned, generation, visit, noise = vector["pinned"], vector["variant"].split()[1], VISIT, []
    if "emitted first" in vector["variant"]:
        generation += "-page"
    if counters := pinned.get("counters"):
        total = counters["totalXHRRequests"] + counters["totalFetchRequests"]
        intercepted = counters["interceptedXHRRequests"] + counters["interceptedFetchRequests"]
        visit = replace(visit, total=total, intercepted=intercepted)
        noise = [int(pinned["field_14_low16_hex"], 16) << 16, int(pinned["field_15_hex"], 16)]
    return sign.x_gnarly_before(
        generation,
        vector["query"],
        vector["user_agent"],
        visit,
        now_ms=pinned["timestamp_ms"],
        random=words([*noise, *pinned["key_words"]]),
        body=vector["body"],
        ub=pinned["field_2"],
    )


def query_of(vector: dict[str, Any]) -> str:
    """A vector's query; where it names the pairs, they are encoded to it."""
    pairs = vector["pinned"].get("pairs")
    assert pairs is None or sign.encode(pairs) == vector["query"]
    query: str = vector["query"]
    return query


def visit_of(pinned: dict[str, Any]) -> sign.Visit:
    """The visit to the page that a vector pins."""
    canvas = pinned["canvas"] if "canvas" in pinned else pinned["canvas_field_7"]
    return sign.Visit(
        gnarly_seed=pinned.get("seed_field_8", 0),
        dynosaur_seed=pinned.get("seed", 0),
        page=pinned.get("page", ""),
        intercepted=pinned["intercepted_requests"],
        total=pinned["total_requests"],
        canvas=None if canvas == -1 else canvas,
    )


def built(pinned: dict[str, Any]) -> sign.Constants:
    """Our constants with the build that a vector pins."""
    tail = int(pinned.get("field_0x38_hex", f"{sign.hash_state(''):x}"), 16)
    build = replace(
        sign.CONSTANTS.build,
        sdk=pinned["sdk"],
        scm=pinned["scm"],
        env=pinned["env_code"],
        ub=pinned["ub_code"],
        tail=tail,
    )
    return replace(sign.CONSTANTS, build=build)


def resealed(vector: dict[str, Any]) -> str:
    """A captured value from its payload and key."""
    expected = vector["expected"]
    return seal(
        bytes.fromhex(expected["payload_hex"]),
        expected["key_words"],
        constants=sign.CONSTANTS.envelope,
        alphabet=sign.CONSTANTS.alphabets.envelope,
        padded="5.1" not in vector["variant"],
    )


def resealed_dynosaur(vector: dict[str, Any]) -> str:
    """A captured X-Dynosaur, whose payload comes out of the values that were read from it."""
    constants = sign.CONSTANTS.dynosaur
    fields = {int(tag, 16): value for tag, value in vector["expected"]["fields"].items()}
    values = {
        name: int(fields[tag], 16) if name in ("body", "query", "agent", "tail") else fields[tag]
        for tag, name in enumerate(constants.records, constants.first_tag)
    }
    payload = sign.dynosaur_payload(values, constants)
    assert payload.hex() == vector["expected"]["payload_hex"]
    return resealed(vector)


def sdk_words(vector: dict[str, Any]) -> list[int]:
    """Two keys, drawn one after the other from the SDK's own source."""
    pinned = vector["pinned"]
    source = sdk_random(pinned["timestamp_ms"], pinned["words_13_15"], sign.CONSTANTS.generator)
    drawn = [*draw_key(source), *draw_key(source)]
    stream = sdk_random(pinned["timestamp_ms"], pinned["words_13_15"], sign.CONSTANTS.generator)
    first = struct.pack("<40I", *(int(stream() * 2**32) & 0xFFFFFFFF for _ in range(40)))
    assert hashlib.sha256(first).hexdigest() in vector["note"]
    return drawn


def seeds(vector: dict[str, Any]) -> list[int]:
    """The two seeds of a visit."""
    pinned = vector["pinned"]
    pairs = [number for pair in pinned["random_pairs"] for number in pair]
    visit = sign.Visit.begin(now_ms=pinned["timestamp_ms"], random=numbers(pairs))
    return [visit.gnarly_seed, visit.dynosaur_seed]


def solved(vector: dict[str, Any]) -> dict[str, str]:
    """The cookies of a solved challenge, none for one that has no answer."""
    assert proof.is_challenge(vector["body"])
    try:
        return proof.solve(vector["body"])
    except RiskControl:
        return {}


COMPUTED: dict[str, tuple[Callable[[dict[str, Any]], Any], Callable[[dict[str, Any]], Any]]] = {
    "X-Bogus": (x_bogus, as_published),
    "X-Bogus-decode": (captured_x_bogus, as_captured),
    "X-Gnarly": (x_gnarly, as_published),
    "X-Gnarly-decode": (resealed, as_captured),
    "X-Dynosaur": (x_dynosaur, as_published),
    "X-Dynosaur-decode": (resealed_dynosaur, as_captured),
    "hash_state": (lambda vector: f"{sign.hash_state(vector['query']):08x}", as_published),
    "encode_field": (
        lambda vector: sign.encode_field(vector["query"], second_way=vector["variant"] == "B").hex(),
        as_published,
    ),
    "lcg_record_order": (lambda vector: sign.record_order(vector["pinned"]["seed"]), as_published),
    "sdk_prng_words": (sdk_words, as_published),
    "fingerprint_seed": (seeds, as_published),
    "js_number_xor_operand": (lambda vector: sign.js_number(vector["query"]), as_published),
    "query_escape": (lambda vector: sign.escape(vector["query"]), as_published),
    "verifyFp": (
        lambda vector: verify_fp(
            now_ms=vector["pinned"]["timestamp_ms"],
            random=numbers((each + 0.5) / 62 for each in vector["pinned"]["random_indices_0_61"]),
        ),
        as_published,
    ),
    "WAF-challenge": (solved, lambda vector: vector["expected"]["cookies"]),
}


# ---- our own vectors


@own("signed")
def test_signed(row: dict[str, Any]) -> None:
    """Builds, bodies, pages, canvases, counters, tokens and other than ASCII characters each have their value."""
    source = sdk_random(row["now_ms"], row["words"], sign.CONSTANTS.generator)
    signed = sign.signed(
        sign.encode(row["pairs"]),
        row["user_agent"],
        sign.Visit(**row["visit"]),
        now_s=row["now_ms"] // 1000,
        random=source,
        ms_token=row["ms_token"],
        body=row["body"],
        constants=replace(sign.CONSTANTS, build=replace(sign.CONSTANTS.build, **row["build"])),
    )

    assert signed == row["expected"]


@own("x_gnarly_before")
def test_x_gnarly_before(row: dict[str, Any]) -> None:
    """Each generation before 5.3 has its order, widths and tail."""
    signed = sign.x_gnarly_before(
        row["generation"],
        row["query"],
        AGENT,
        VISIT,
        now_ms=row["now_ms"],
        random=random.Random(row["seed"]).random,
        body=row["body"],
        ub=row["ub"],
    )

    assert signed == row["expected"]


@own("x_bogus")
def test_x_bogus(row: dict[str, Any]) -> None:
    """Query, body, user agent and second decide the 28 characters."""
    signed = sign.x_bogus(row["query"], row["user_agent"], now_s=row["now_s"], body=row["body"])

    assert len(signed) == 28
    assert signed == row["expected"]


# ---- properties


def parts(signed: str) -> list[str]:
    """The names of a signed query's parameters in their order."""
    return [pair.partition("=")[0] for pair in signed.split("&")]


def test_parameters_are_appended_in_the_order_of_the_page() -> None:
    """The business query stays as it is; then come the four in the order that the SDK has."""
    signed = sign.signed("aid=1988&count=1", AGENT, VISIT, now_s=1788856077, random=random.Random(1).random)

    assert signed.startswith("aid=1988&count=1&X-Dynosaur=M")
    assert parts(signed) == ["aid", "count", "X-Dynosaur", "msToken", "X-Bogus", "X-Gnarly"]
    assert "&msToken=&X-Bogus=1&X-Gnarly=M" in signed


def test_every_part_of_a_signature_decides() -> None:
    """Another query, body, user agent, second, visit, token or chance is another value."""

    def signed(
        query: str = "aid=1988",
        agent: str = AGENT,
        visit: sign.Visit = VISIT,
        now_s: int = 1788856077,
        seed: int = 1,
        **more: str,
    ) -> str:
        source = random.Random(seed).random
        return sign.signed(query, agent, visit, now_s=now_s, random=source, **more).partition("&X-Bogus")[2]

    values = {
        signed(),
        signed(query="aid=1989"),
        signed(agent="x"),
        signed(visit=VISIT.next()),
        signed(visit=replace(VISIT, gnarly_seed=1)),
        signed(visit=replace(VISIT, dynosaur_seed=1)),
        signed(visit=replace(VISIT, canvas=5)),
        signed(visit=replace(VISIT, page="www.tiktok.com/@li")),
        signed(now_s=1788856078),
        signed(seed=2),
        signed(ms_token="x"),
        signed(body="a=1"),
    }

    assert len(values) == 12


def test_counters_go_on_and_seeds_stay() -> None:
    """The next request of a visit counts one more and is of the same page life."""
    visit = sign.Visit.begin(now_ms=1791323574000, random=random.Random(1).random)

    assert (visit.intercepted, visit.total) == (1, 1)
    assert visit.next() == replace(visit, intercepted=2, total=2)
    assert 0 <= visit.gnarly_seed < 2**31


def test_a_long_page_is_cut() -> None:
    """Only the first 50 characters of host and path are told."""
    source = [0.5] * 12
    long, cut = (replace(VISIT, page=f"www.tiktok.com/@{'a' * count}") for count in (60, 34))

    assert sign.x_dynosaur("a=1", AGENT, long, now_s=1, random=numbers(source)) == sign.x_dynosaur(
        "a=1", AGENT, cut, now_s=1, random=numbers(source)
    )


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        pytest.param([], "", id="none"),
        pytest.param([("a", "1"), ("msToken", ""), ("a", "2")], "a=1&msToken=&a=2", id="order-empty-twice"),
        pytest.param(
            [("v", "5.0 (Windows NT 10.0; x64)")], "v=5.0%20(Windows%20NT%2010.0;%20x64)", id="agent"
        ),
        pytest.param([("r", "https://www.tiktok.com/")], "r=https://www.tiktok.com/", id="address"),
        pytest.param([("q", "你好 🎵")], "q=%E4%BD%A0%E5%A5%BD%20%F0%9F%8E%B5", id="utf-8"),
        pytest.param([("c", '{"a":[1]}')], "c={%22a%22:[1]}", id="json"),
        pytest.param([("v", "&=+%#")], "v=%26%3D%2B%25%23", id="splitting"),
        pytest.param([("v", "\x00\n\x7f")], "v=%00%0A%7F", id="control"),
        pytest.param([("v", "a\"b<c>`d'e~")], "v=a%22b%3Cc%3E%60d'e~", id="marks"),
    ],
)
def test_encode(pairs: list[tuple[str, str]], expected: str) -> None:
    """A query is written as a browser writes it, and values cannot split it."""
    assert sign.encode(pairs) == expected


@pytest.mark.parametrize("value", [*map(chr, range(128)), "云海", "a b&c=d/e+f%20"])
def test_encoded_query_is_not_escaped_again(value: str) -> None:
    """What `encode` wrote, a browser would send as it is."""
    query = sign.encode([("aid", "1988"), ("v", value)])

    assert sign.escape(query) == query


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("0e123", 0, id="zero"),
        pytest.param("1e400", 0, id="infinite"),
        pytest.param("4294967297", 1, id="only-32-bits"),
        pytest.param("-1", 0xFFFFFFFF, id="negative"),
        pytest.param("", 0, id="empty"),
        pytest.param("1_0", 0, id="python's-own-way"),
        pytest.param("nan", 0, id="nan"),
        pytest.param("٣", 0, id="other-digits"),
    ],
)
def test_js_number(text: str, expected: int) -> None:
    """A text counts as JavaScript's numbers do, whatever Python would read."""
    assert sign.js_number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "dddedfe00000", id="empty"),
        pytest.param("abc", "a89890e00003", id="filled-up"),
        pytest.param("abcd", "a89890000004", id="nothing-to-fill"),
        pytest.param("🎵", "cbc1dfe00002", id="two-units"),
    ],
)
def test_encode_field(text: str, expected: str) -> None:
    """At least four bytes of code, and the length of JavaScript's string."""
    assert sign.encode_field(text).hex() == expected


# ---- constants


def test_own_constants_replace_ours(tmp_path: Path) -> None:
    """A file with the one constant that the platform turned is enough."""
    file = tmp_path / "sign.toml"
    file.write_text('[builds.browser]\nscm = "2.0.0.600"\n', encoding="utf-8")
    constants = sign.Constants.load(file)

    assert constants == replace(sign.CONSTANTS, build=replace(sign.CONSTANTS.build, scm="2.0.0.600"))


def test_another_build_can_be_chosen(tmp_path: Path) -> None:
    """One word makes us sign as the other known build."""
    file = tmp_path / "sign.toml"
    file.write_text('build = "bare"\n', encoding="utf-8")

    assert sign.CONSTANTS.build.scm == "2.0.0.561"
    assert sign.Constants.load(file).build.scm == "1.0.0.417"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("[dynosaur", "sign.toml: the signing constants cannot be read", id="not-toml"),
        pytest.param('build = "new"', "build: must be one of browser, bare", id="unknown-build"),
        pytest.param("[builds.new]\na = 1", "new: no such signing constant", id="unknown-table"),
        pytest.param("[builds.browser]\nenv = '65'", "env: must be written like 65", id="other-type"),
        pytest.param("[dynosaur]\nrecords = ['1']", "cannot be signed with: StopIteration", id="no-checksum"),
        pytest.param("[envelope]\nmark = 256", "cannot be signed with: ValueError", id="no-byte"),
        pytest.param("[envelope]\ncore = [1, 2]", "cannot be signed with", id="short-core"),
        pytest.param(
            "[builds.browser]\ntail = 4294967296", "cannot be signed with: OverflowError", id="no-word"
        ),
        pytest.param(
            '[before."5.1.0"]\norder = [99]', "cannot be signed with: KeyError", id="unknown-record"
        ),
        pytest.param("[x_bogus]\nkey = 256", "cannot be signed with: ValueError", id="no-key"),
        pytest.param("[alphabets]\nenvelope = 'abc'", "envelope: must be 64 different", id="short-alphabet"),
    ],
)
def test_broken_constants_are_refused(tmp_path: Path, text: str, words: str) -> None:
    """A file that cannot be signed with is a ConfigError that names the place."""
    file = tmp_path / "sign.toml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=r"sign\.toml") as caught:
        sign.Constants.load(file)
    assert words in caught.value.message
