"""What TikTok's servers do with a signature: open it and compare what is inside with the request.

Written from the protocol description alone, without the client's code, so that a wrong idea on one side cannot cancel
itself out on the other. Every `judge_…` returns None for a right signature and the reason of the refusal otherwise.
"""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import xor

STANDARD_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
ENVELOPE_ALPHABET = "u09tbS3UvgDEe6r-ZVMXzLpsAohTn7mdINQlW412GqBjfYiyk8JORCF5/xKHwacP"
"""Digits of X-Dynosaur and X-Gnarly (Evil0ctal v5, brennoflavio/tokai, 2026-09)."""
XB_ALPHABET = "Dkdpgh4ZKsQB80/Mfvw36XI1R25-WUAlEi7NLboqYTOPuzmFjJnryx9HVGcaStCe"
"""Digits of the 28-character X-Bogus (Johnserf-Seed/f2)."""

SDK = "5.3.2"
"""The signing SDK that strict routes want; earlier ones are answered with nothing (reported, 2026-08)."""
BUILDS: Mapping[str, tuple[int, int, int]] = {
    "2.0.0.561": (65, 8, 0xC46CE353),
    "1.0.0.417": (0, 0, 0x811C9DC4),
}
"""SCM version to the env code, the ub code and field 0x38 of a browser (Evil0ctal v5; brennoflavio/tokai)."""
CLOCK = 600
"""Seconds by which a signature's clock may differ from ours."""

_MASK = 0xFFFFFFFF
_EMPTY_HASH = 0x811C9DC4
_DOM_STUB = 32
_STUB_TIME = 1_767_225_600


class Malformed(ValueError):
    """The text cannot be the output of the signing code at all."""


# -- the envelope ------------------------------------------------------------------------------------------------------

_START = (1196819126, 600974999, 3863347763, 1451689750)
_EVEN = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
_ODD = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 12, 13), (3, 4, 13, 14))
_KEY_BYTES = 48
_MARK = 0x4B


def _rotate(word: int, by: int) -> int:
    return (word << by | word >> (32 - by)) & _MASK


def _quarter(s: list[int], a: int, b: int, c: int, d: int) -> None:
    for first, second, third, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[first] = (s[first] + s[second]) & _MASK
        s[third] = _rotate(s[third] ^ s[first], by)


def _block(state: list[int], rounds: int) -> bytes:
    """One block of key stream."""
    mixed = list(state)
    for number in range(rounds):
        for quarter in _ODD if number % 2 else _EVEN:
            _quarter(mixed, *quarter)
    return struct.pack("<16I", *((x + y) & _MASK for x, y in zip(mixed, state, strict=True)))


def crypt(data: bytes, key: bytes) -> bytes:
    """The stream cipher under 48 bytes of key; its own inverse."""
    words = struct.unpack("<12I", key)
    rounds = 5 + (sum(words) & 15)
    state = [*_START, *words]
    stream = b""
    while len(stream) < len(data):
        stream += _block(state, rounds)
        state[12] = (state[12] + 1) & _MASK
    return bytes(x ^ y for x, y in zip(data, stream, strict=False))


def unseal(text: str) -> tuple[bytes, bytes]:
    """Payload and key of an envelope; where the key stands follows from the sum of all bytes. Raises Malformed."""
    try:
        raw = base64.b64decode(
            text.translate(str.maketrans(ENVELOPE_ALPHABET, STANDARD_ALPHABET)), validate=True
        )
    except ValueError as exc:
        raise Malformed(f"no base64 of this alphabet: {exc}") from exc
    if len(raw) < 1 + _KEY_BYTES or raw[0] != _MARK:
        raise Malformed("no envelope")
    raw = raw[1:]
    place = sum(raw) % (len(raw) - _KEY_BYTES + 1)
    key = raw[place : place + _KEY_BYTES]
    return crypt(raw[:place] + raw[place + _KEY_BYTES :], key), key


def hash_state(text: str) -> int:
    """The 32-bit hash of queries and user agents."""
    value = _EMPTY_HASH
    for byte in text.encode():
        value = (value ^ byte) * 16777619 * 33 & _MASK
    return value


def mix(now_s: int, seed: int, env: int) -> int:
    """The number that ties clock, seed and env code together."""
    return (now_s >> 16 ^ seed >> 16 ^ now_s ^ seed) & 0xFFFF | env << 16 & _MASK


def _records(payload: bytes) -> dict[int, bytes]:
    """Tag, two bytes of length, value, and so on. Raises Malformed."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(payload):
        if at + 3 > len(payload):
            raise Malformed("a record is cut")
        tag, length = payload[at], int.from_bytes(payload[at + 1 : at + 3], "big")
        value = payload[at + 3 : at + 3 + length]
        if len(value) < length or tag in found:
            raise Malformed("a record is cut or doubled")
        found[tag] = value
        at += 3 + length
    return found


# -- X-Dynosaur --------------------------------------------------------------------------------------------------------

_TAGS = range(0x20, 0x39)
_HASHES = (0x2B, 0x2E, 0x30, 0x38)
_CODED_B = (0x20, 0x21, 0x22)
_FIXED = {0x21: "1", 0x22: "1", 0x23: "0", 0x29: "0", 0x2D: "0", 0x37: "0"}
_OWN_MARK = 0xDE


def _uncoded(coded: bytes, index: int, *, b: bool) -> int:
    """The character that stands coded at this index."""
    char = coded[index]
    if b:
        char ^= 187
        char = (char >> 1 | char << 7) & 255
        return (char ^ 165) - (170 & index) & 255 ^ (102 + index) & 255
    char = char - 1 & 255 ^ 187
    char = (char >> 2 | char << 6) & 255
    return char - 1 - (170 & index) & 255 ^ (103 + index) & 255


def decode_field(coded: bytes, *, b: bool = False) -> str:
    """The text of a coded field, in coding A or B. Raises Malformed where length or filling are wrong."""
    length = int.from_bytes(coded[-2:], "big")
    if len(coded) != max(6, length + 2):
        raise Malformed("a field has another length than it says")
    if any(coded[i] != (221 + i) & 255 for i in range(length, len(coded) - 2)):
        raise Malformed("a field is filled with other bytes")
    return bytes(_uncoded(coded, i, b=b) for i in range(length)).decode("latin-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynosaur:
    """What stands inside an X-Dynosaur: `texts` by tag, `hashes` by tag."""

    texts: Mapping[int, str]
    hashes: Mapping[int, int]

    def number(self, tag: int) -> int:
        """A field as a number. Raises Malformed."""
        try:
            return int(self.texts[tag])
        except ValueError as exc:
            raise Malformed(f"field {tag:#x} is no number") from exc

    @property
    def codes(self) -> tuple[int, int]:
        """Env and ub code."""
        return self.number(0x26), self.number(0x36)

    @property
    def counts(self) -> tuple[int, int]:
        """All requests and the intercepted ones so far."""
        return self.number(0x2F), self.number(0x25)


def decode_dynosaur(value: str) -> Dynosaur:
    """What stands inside `value`. Raises Malformed for what no SDK would write."""
    payload, _ = unseal(value)
    fields = _records(payload)
    if list(fields) != list(_TAGS) or any(len(fields[tag]) != 4 for tag in _HASHES):
        raise Malformed("other records than SDK 5.3 writes")
    texts = {tag: decode_field(fields[tag], b=tag in _CODED_B) for tag in _TAGS if tag not in _HASHES}
    if texts[0x20] != str(reduce(xor, (fields[tag][1] for tag in _TAGS[1:]), _OWN_MARK)):
        raise Malformed("the checksum is wrong")
    return Dynosaur(texts=texts, hashes={tag: int.from_bytes(fields[tag], "big") for tag in _HASHES})


def _dynosaur_facts(inside: Dynosaur) -> dict[str, bool]:
    """What must hold inside, by the word for it."""
    env, _ = inside.codes
    total, intercepted = inside.counts
    build = BUILDS.get(inside.texts[0x31])
    mixed = mix(inside.number(0x27), inside.number(0x34), env)
    return {
        "fixed fields": all(inside.texts[tag] == text for tag, text in _FIXED.items()),
        "SDK": inside.texts[0x2A] == SDK,
        "SCM": build is not None and inside.hashes[0x38] == build[2],
        "counters": 1 <= intercepted <= total,
        "mix": inside.number(0x24) & _MASK == mixed,
        "page": inside.texts[0x35].startswith("www.tiktok.com/") and len(inside.texts[0x35]) <= 50,
        "body": inside.hashes[0x2B] == _EMPTY_HASH,
    }


def judge_dynosaur(value: str, query: str, user_agent: str) -> str | None:
    """Whether an X-Dynosaur belongs to this business query and user agent."""
    try:
        inside = decode_dynosaur(value)
        facts = _dynosaur_facts(inside)
    except Malformed as exc:
        return f"X-Dynosaur: {exc}"
    facts["query"] = inside.hashes[0x2E] == hash_state(query)
    facts["user agent"] = inside.hashes[0x30] == hash_state(user_agent)
    return next((f"X-Dynosaur: {name}" for name, holds in facts.items() if not holds), None)


# -- X-Gnarly ----------------------------------------------------------------------------------------------------------

_TEXT_KEYS = (3, 4, 5, 9, 10)
_GNARLY_KEYS = frozenset(range(17))
_CANVAS = 7

Value = int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gnarly:
    """What stands inside an X-Gnarly, by key; a missing canvas (key 7) stands as -1."""

    fields: Mapping[int, Value]
    order: tuple[int, ...]

    def number(self, key: int) -> int:
        """A field that is a number."""
        value = self.fields[key]
        assert isinstance(value, int)
        return value


def decode_gnarly(value: str) -> Gnarly:
    """What stands inside `value`. Raises Malformed for what no SDK 5.3 would write."""
    payload, _ = unseal(value)
    records = _records(payload[1:])
    if not payload or payload[0] != len(records) or not records.keys() | {_CANVAS} == _GNARLY_KEYS:
        raise Malformed("other records than SDK 5.3 writes")
    fields: dict[int, Value] = {_CANVAS: -1}
    for key, raw in records.items():
        number = int.from_bytes(raw, "big")
        fields[key] = raw.decode("latin-1") if key in _TEXT_KEYS else number
        if key not in _TEXT_KEYS and len(raw) != (2 if number <= 0xFFFF else 4):
            raise Malformed("a number has another width")
    return Gnarly(fields=fields, order=tuple(records))


def js_number(text: str) -> int:
    """ToInt32(Number(text)) of JavaScript as an unsigned number; 0 for what is no number."""
    try:
        number = float(text)
    except ValueError:
        return 0
    return int(number) & _MASK if math.isfinite(number) else 0


def _as_word(value: Value) -> int:
    if isinstance(value, str):
        return int.from_bytes(value.encode("latin-1")[:4], "big")
    return value & _MASK


def _as_number(value: Value) -> int:
    return js_number(value) if isinstance(value, str) else value & _MASK


def _gnarly_facts(inside: Gnarly) -> dict[str, bool]:
    """What must hold inside, by the word for it."""
    values = [inside.fields[key] for key in range(17)]
    env, now, canvas, seed = (inside.number(key) for key in (1, 6, 7, 8))
    low = _STUB_TIME if env & _DOM_STUB else now
    folded = (low ^ seed) & 0xFFFF | ((canvas ^ seed >> 16) & 0xFFFF) << 16
    return {
        "checksum": inside.number(16) == reduce(xor, map(_as_word, values[1:16])),
        "second checksum": inside.number(0) == reduce(xor, map(_as_number, values[1:])),
        "SDK": inside.fields[9] == SDK,
        "SCM": inside.fields[10] in BUILDS and inside.fields[11] == 1,
        "counters": 1 <= inside.number(13) <= inside.number(12),
        "mix": inside.number(14) == mix(now, seed, env),
        "fold": inside.number(15) == folded,
    }


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def judge_gnarly(value: str, signed: str, body: bytes, user_agent: str) -> str | None:
    """Whether an X-Gnarly belongs to this query (up to and with `msToken`), body and user agent."""
    try:
        inside = decode_gnarly(value)
    except Malformed as exc:
        return f"X-Gnarly: {exc}"
    facts = _gnarly_facts(inside)
    hashed = {"query": signed.encode(), "body": body, "user agent": user_agent.encode()}
    for key, (name, data) in enumerate(hashed.items(), start=3):
        facts[name] = inside.fields[key] == _md5(data).hex()
    return next((f"X-Gnarly: {name}" for name, holds in facts.items() if not holds), None)


# -- both together -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A query taken apart where the four parameters were appended; None for one that is not there.

    `business` is what stands before the first of them, `covered` what X-Gnarly speaks of.
    """

    business: str
    covered: str
    dynosaur: str | None
    token: str | None
    bogus: str | None
    gnarly: str | None


_APPENDED = ("X-Dynosaur", "msToken", "X-Bogus", "X-Gnarly")


def take_apart(query: str) -> Signed:
    """The parts of a raw query; values stay as they came."""
    pairs = [(pair.partition("=")[0], pair) for pair in query.split("&")]
    first = next((n for n, (name, _) in enumerate(pairs) if name in _APPENDED), len(pairs))
    last = next((n for n, (name, _) in enumerate(pairs) if name in _APPENDED[2:]), len(pairs))
    found = {name: pair.partition("=")[2] for name, pair in pairs if name in _APPENDED}
    return Signed(
        business="&".join(pair for _, pair in pairs[:first]),
        covered="&".join(pair for _, pair in pairs[:last]),
        dynosaur=found.get("X-Dynosaur"),
        token=found.get("msToken"),
        bogus=found.get("X-Bogus"),
        gnarly=found.get("X-Gnarly"),
    )


def order_of(query: str) -> tuple[str, ...]:
    """The appended parameters in the order they came."""
    names = (pair.partition("=")[0] for pair in query.split("&"))
    return tuple(name for name in names if name in _APPENDED)


def judge_all(query: str, body: bytes, user_agent: str, now_s: float) -> str | None:
    """The whole set, as `/api/post/item_list/` wants it: order, both envelopes, their agreement, codes and clock."""
    if order_of(query) != _APPENDED:
        return "signature: parameters missing or in another order"
    parts = take_apart(query)
    dynosaur, gnarly = parts.dynosaur or "", parts.gnarly or ""
    reason = judge_dynosaur(dynosaur, parts.business, user_agent)
    reason = reason or judge_gnarly(gnarly, parts.covered, body, user_agent)
    reason = reason or _judge_bogus(parts, body, user_agent)
    return reason or _judge_agreement(decode_dynosaur(dynosaur), decode_gnarly(gnarly), now_s)


def _judge_bogus(parts: Signed, body: bytes, user_agent: str) -> str | None:
    """Since SDK 5.3.0 it is the digit 1; a right one of before would not hurt."""
    if parts.bogus == "1":
        return None
    return judge_x_bogus(parts.bogus or "", parts.covered, user_agent, body)


def _judge_agreement(dynosaur: Dynosaur, gnarly: Gnarly, now_s: float) -> str | None:
    scm = dynosaur.texts[0x31]
    env, ub, _ = BUILDS[scm]
    facts = {
        "codes of a browser": dynosaur.codes == (env, ub),
        "one SCM": gnarly.fields[10] == scm,
        "one env": (gnarly.number(1), gnarly.number(2)) == dynosaur.codes,
        "one count": (gnarly.number(12), gnarly.number(13)) == dynosaur.counts,
        "one canvas": gnarly.number(_CANVAS) == dynosaur.number(0x2C),
        "one clock": abs(gnarly.number(6) - dynosaur.number(0x27)) <= 2,
        "clock": abs(now_s - gnarly.number(6)) <= CLOCK,
    }
    return next((f"signature: {name}" for name, holds in facts.items() if not holds), None)


# -- X-Bogus of 28 characters ------------------------------------------------------------------------------------------


def _keystream(box: list[int]) -> Iterator[int]:
    i = j = 0
    while True:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        yield box[(box[i] + box[j]) % 256]


def rc4(key: bytes, data: bytes) -> bytes:
    """Textbook RC4."""
    box = list(range(256))
    j = 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    return bytes(byte ^ k for byte, k in zip(data, _keystream(box), strict=False))


def decode_x_bogus(value: str) -> bytes:
    """The 19 bytes inside. Raises Malformed."""
    try:
        raw = base64.b64decode(value.translate(str.maketrans(XB_ALPHABET, STANDARD_ALPHABET)), validate=True)
    except ValueError as exc:
        raise Malformed(f"no base64 of this alphabet: {exc}") from exc
    if len(raw) != 21 or raw[:2] != b"\x02\xff":
        raise Malformed("no frame")
    inside = rc4(b"\xff", raw[2:])
    if reduce(xor, inside):
        raise Malformed("the checksum is wrong")
    return inside


def judge_x_bogus(value: str, query: str, user_agent: str, body: bytes = b"") -> str | None:
    """Whether an X-Bogus of SDK 5.1 or 5.2 belongs to this request; parameter byte and canvas are taken from it."""
    try:
        inside = decode_x_bogus(value)
    except Malformed as exc:
        return f"X-Bogus: {exc}"
    q, b = (_md5(_md5(data)) for data in (query.encode(), body))
    u = _md5(base64.b64encode(rc4(bytes([0, 1, inside[3]]), user_agent.encode())))
    expected = bytes([64, 0, 1, inside[3]]) + q[14:] + b[14:] + u[14:]
    return None if inside[:10] == expected else "X-Bogus: query, body or user agent"
