"""What Douyin's servers do with a signature: decode it and compare what is inside with the request.

Written from the protocol descriptions alone, without the client's code, so that a wrong idea on one side cannot cancel
itself out on the other. Every `judge_…` returns None for a right signature and the reason of the refusal otherwise.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote, unquote_plus

STANDARD_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
S3_ALPHABET = "ckdp1h4ZKsUB80/Mfvw36XIgR25+WQAlEi7NLboqYTOPuzmFjJnryx9HVGDaStCe"
"""Digits of the user agent's inner base64 (bdms 1.0.1.19-fix.01, Evil0ctal v5, 2026-09)."""
S4_ALPHABET = "Dkdpgh2ZmsQB80/MfvV36XI1R45-WUAlEixNLwoqYTOPuzKFjJnry79HbGcaStCe"
"""Digits of the finished a_bogus (same source)."""
XB_ALPHABET = "Dkdpgh4ZKsQB80/Mfvw36XI1R25-WUAlEi7NLboqYTOPuzmFjJnryx9HVGcaStCe"
"""Digits of X-Bogus (Johnserf-Seed/f2)."""
AC_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."
"""Digits of `__ac_signature` (saermart/DouyinLiveWebFetcher)."""
WEB_SALT = "A96D855A08C0A9707F8BEF0D9A527E4E"
"""Salt of x-secsdk-web-signature (@byted/secsdk-strategy 1.0.40, project id 34)."""


class Malformed(ValueError):
    """The text cannot be the output of the signing code at all."""


# -- SM3, RC4, base64 with other digits ------------------------------------------------------------------------------

_MASK = 0xFFFFFFFF
_SM3_START = (0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E)


def _rotate(word: int, by: int) -> int:
    by %= 32
    return ((word << by) | (word >> (32 - by))) & _MASK


def _p0(word: int) -> int:
    return word ^ _rotate(word, 9) ^ _rotate(word, 17)


def _p1(word: int) -> int:
    return word ^ _rotate(word, 15) ^ _rotate(word, 23)


def _sm3_words(block: bytes) -> list[int]:
    words = list(struct.unpack(">16I", block))
    for j in range(16, 68):
        mixed = _p1(words[j - 16] ^ words[j - 9] ^ _rotate(words[j - 3], 15))
        words.append(mixed ^ _rotate(words[j - 13], 7) ^ words[j - 6])
    return words


def _sm3_compress(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    words = _sm3_words(block)
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        constant = 0x79CC4519 if j < 16 else 0x7A879D8A
        ss1 = _rotate((_rotate(a, 12) + e + _rotate(constant, j)) & _MASK, 7)
        ff = a ^ b ^ c if j < 16 else (a & b) | (a & c) | (b & c)
        gg = e ^ f ^ g if j < 16 else (e & f) | (~e & _MASK & g)
        tt1 = (ff + d + (ss1 ^ _rotate(a, 12)) + (words[j] ^ words[j + 4])) & _MASK
        tt2 = (gg + h + ss1 + words[j]) & _MASK
        a, b, c, d, e, f, g, h = tt1, a, _rotate(b, 9), c, _p0(tt2), e, _rotate(f, 19), g
    return tuple(old ^ new for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True))


def _own_sm3(data: bytes) -> bytes:
    padded = data + b"\x80" + b"\0" * ((55 - len(data)) % 64) + (len(data) * 8).to_bytes(8, "big")
    state: tuple[int, ...] = _SM3_START
    for start in range(0, len(padded), 64):
        state = _sm3_compress(state, padded[start : start + 64])
    return struct.pack(">8I", *state)


def _chosen_sm3() -> Callable[[bytes], bytes]:
    if "sm3" in hashlib.algorithms_available:
        return lambda data: hashlib.new("sm3", data).digest()
    return _own_sm3


sm3 = _chosen_sm3()
"""SM3 (GB/T 32905): OpenSSL's where Python was built with it, else our own."""


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


def rc4v(key: bytes, data: bytes) -> bytes:
    """RC4 as bdms 1.0.1.19 has it: a descending box and a multiplying key schedule."""
    box = list(range(255, -1, -1))
    j = 0
    for i in range(256):
        j = (j * box[i] + j + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    return bytes(byte ^ k for byte, k in zip(data, _keystream(box), strict=False))


def b64_encode(data: bytes, alphabet: str) -> str:
    """Base64 with other digits and `=` as padding."""
    return base64.b64encode(data).decode().translate(str.maketrans(STANDARD_ALPHABET, alphabet))


def b64_decode(text: str, alphabet: str) -> bytes:
    """The bytes behind base64 with other digits. Raises Malformed."""
    try:
        return base64.b64decode(text.translate(str.maketrans(alphabet, STANDARD_ALPHABET)), validate=True)
    except ValueError as exc:
        raise Malformed(f"no base64 of this alphabet: {exc}") from exc


# -- a_bogus, variant dhzx -------------------------------------------------------------------------------------------

_ORDER = (
    34, 44, 56, 61, 73, 29, 70, 45, 35, 49, 38, 66, 51, 68, 28, 48, 64, 47, 30, 71, 26, 55, 31, 69, 59,
    40, 62, 63, 27, 72, 41, 74, 57, 52, 42, 39, 33, 67, 53, 43, 65, 46, 36, 24, 60, 32, 79, 80, 84, 85,
)  # fmt: skip
_FORTNIGHT_MS = 1_209_600_000
_FORTNIGHTS_FROM_MS = 1_721_836_800_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ABogus:
    """What stands inside an a_bogus of variant dhzx.

    `slots` maps the slot numbers of the description to their bytes. `geometry` is `innerW|innerH|…|platform`.
    """

    slots: dict[int, int]
    geometry: str
    tail: str
    checksum: int
    version: bytes

    def little(self, first: int, count: int) -> int:
        """The little endian number that starts at slot `first`."""
        return sum(self.slots[first + i] << (8 * i) for i in range(count))

    @property
    def now_ms(self) -> int:
        """The client's clock in milliseconds."""
        return self.little(29, 6)


def _join_group(e0: int, e1: int, e2: int, e3: int) -> tuple[int, int, int]:
    """The three bytes behind four: the other bits are noise."""
    return (e0 & 0x6E) | (e3 & 0x91), (e1 & 0xBD) | (e3 & 0x42), (e2 & 0xD3) | (e3 & 0x2C)


def _shrink(expanded: bytes) -> bytes:
    """Undo the expansion of three bytes to four; a rest of one or two bytes stands as it is."""
    whole = len(expanded) // 4 * 4
    out = bytearray()
    for i in range(0, whole, 4):
        out += bytes(_join_group(*expanded[i : i + 4]))
    return bytes(out) + expanded[whole:]


def decode_a_bogus(value: str) -> ABogus:
    """What stands inside `value` (percent-decoded). Raises Malformed."""
    raw = b64_decode(value, S4_ALPHABET)
    if len(raw) < 4 + 8 + 50:
        raise Malformed("too short")
    plain = rc4v(b"\xd3", raw[4:])
    version, body = plain[:8], _shrink(plain[8:])
    slots = dict(zip(_ORDER, body[:50], strict=False))
    geometry_length = slots[79] | slots[80] << 8
    tail_length = slots[84] | slots[85] << 8
    end = 50 + geometry_length + tail_length
    if len(body) == end:
        body += b"\0"  # a zero as second byte of the last, incomplete group is not sent
    if len(body) != end + 1:
        raise Malformed("the lengths inside do not fit")
    geometry = body[50 : 50 + geometry_length].decode("latin-1")
    tail = body[50 + geometry_length : end].decode("latin-1")
    return ABogus(slots=slots, geometry=geometry, tail=tail, checksum=body[end], version=version)


def _canary(digest: bytes, start: int, sentinel: int, fallback: int) -> int:
    return next((byte for byte in digest[start:] if byte != sentinel), fallback)


def _expected_digest_slots(
    query: str, body: str, user_agent: str, bogus: ABogus
) -> dict[int, tuple[str, int]]:
    """Slot to what it speaks of and the byte that belongs there."""
    q = sm3(sm3((query + "dhzx").encode()))
    b = sm3(sm3((body + "dhzx").encode()))
    key = bytes([bogus.slots[36], bogus.slots[35], bogus.slots[44]])
    u = sm3(b64_encode(rc4v(key, user_agent.strip().encode("latin-1", "replace")), S3_ALPHABET).encode())
    nr = bogus.slots[38]
    return {
        48: ("query", q[9]),
        49: ("query", q[18]),
        51: ("query", 11 if nr & 2 else _canary(q, 3, 11, 12)),
        52: ("body", b[10]),
        53: ("body", b[19]),
        55: ("body", 8 if nr & 4 else _canary(b, 4, 8, 9)),
        56: ("user agent", u[11]),
        57: ("user agent", u[21]),
        59: ("user agent", 12 if nr & 8 else _canary(u, 5, 12, 13)),
    }


def _inner_fault(bogus: ABogus) -> str | None:
    """What contradicts itself inside, None if nothing does."""
    checksum = 0
    for byte in (*bogus.version, *bogus.slots.values()):
        checksum ^= byte
    facts = {
        "checksum": checksum == bogus.checksum,
        "tail": bogus.tail == f"{(bogus.now_ms + 3) & 255},",
        "fortnight": bogus.slots[26] == ((bogus.now_ms - _FORTNIGHTS_FROM_MS) // _FORTNIGHT_MS) & 255,
        "clock": bogus.little(60, 6) == bogus.now_ms - 1,
        "marks": bogus.slots[24] == 41 and bogus.slots[27] in (3, 4, 5, 6) and bogus.slots[66] == 3,
        "aid": bogus.little(71, 4) == 6383,
        "geometry": bogus.geometry.count("|") == 8,
    }
    return next((f"a_bogus: {name}" for name, holds in facts.items() if not holds), None)


def judge_a_bogus(value: str, query: str, body: str, user_agent: str) -> str | None:
    """Whether an a_bogus of variant dhzx belongs to this query, body and user agent."""
    try:
        bogus = decode_a_bogus(value)
    except (Malformed, KeyError) as exc:
        return f"a_bogus: {exc}"
    inner = _inner_fault(bogus)
    if inner:
        return inner
    expected = _expected_digest_slots(query, body, user_agent, bogus)
    return next(
        (f"a_bogus: {what}" for slot, (what, byte) in expected.items() if bogus.slots[slot] != byte), None
    )


# -- a_bogus, variant cus --------------------------------------------------------------------------------------------

_CUS_ORDER = (
    18, 20, 52, 26, 30, 34, 58, 38, 40, 53, 42, 21, 27, 54, 55, 31, 35, 57, 39, 41, 43, 22, 28, 32,
    60, 36, 23, 29, 33, 37, 44, 45, 59, 46, 47, 48, 49, 50, 24, 25, 65, 66, 70, 71,
)  # fmt: skip


def _cus_slots(value: str) -> dict[int, int]:
    raw = b64_decode(value, S4_ALPHABET)
    plain = rc4(b"y", raw[12:])
    if len(plain) < len(_CUS_ORDER) + 2:
        raise Malformed("too short")
    slots = dict(zip(_CUS_ORDER, plain, strict=False))
    if len(plain) != len(_CUS_ORDER) + slots[65] + 1:
        raise Malformed("the length inside does not fit")
    return slots


def judge_a_bogus_cus(value: str, query: str, body: str, method: str, user_agent: str) -> str | None:
    """Whether an a_bogus of the older variant cus belongs to this request; its body may stand for the method.

    The clock's high byte exceeds 255 and its ninth bit falls into the byte before it, so no other byte is compared
    than the three digests and the fixed mark, which no such bit reaches.
    """
    try:
        slots = _cus_slots(value)
    except Malformed as exc:
        return f"a_bogus: {exc}"
    a = sm3(sm3((query + "cus").encode()))
    c = sm3(b64_encode(rc4(b"\x00\x01\x0e", user_agent.encode("latin-1", "replace")), S3_ALPHABET).encode())
    if slots[18] != 44 or [slots[38], slots[39]] != list(a[21:23]):
        return "a_bogus: query"
    seconds = [sm3(sm3((text + "cus").encode()))[21:23] for text in (body, method)]
    if bytes([slots[40], slots[41]]) not in seconds:
        return "a_bogus: body"
    return None if [slots[42], slots[43]] == list(c[23:25]) else "a_bogus: user agent"


# -- X-Bogus ---------------------------------------------------------------------------------------------------------


def judge_x_bogus(value: str, query: str, user_agent: str) -> str | None:
    """Whether an X-Bogus belongs to this query and user agent; its clock is not looked at."""
    try:
        raw = b64_decode(value, XB_ALPHABET)
    except Malformed as exc:
        return f"X-Bogus: {exc}"
    if len(raw) != 21 or raw[:2] != b"\x02\xff":
        return "X-Bogus: frame"
    payload = rc4(b"\xff", raw[2:])
    u = hashlib.md5(base64.b64encode(rc4(b"\x00\x01\x0c", user_agent.encode("latin-1", "replace")))).digest()  # noqa: S324
    q = hashlib.md5(hashlib.md5(query.encode()).digest()).digest()  # noqa: S324
    expected = bytes([0x40, 0, 1, 0x0C]) + q[14:16] + b"\x45\x3f" + u[14:16]
    if payload[:10] != expected:
        return "X-Bogus: query or user agent"
    checksum = 0
    for byte in payload[:18]:
        checksum ^= byte
    return None if checksum == payload[18] else "X-Bogus: checksum"


# -- x-secsdk-web-signature ------------------------------------------------------------------------------------------

_AS_COMPONENT = "-_.!~*'()"
_AS_SEARCH_PARAMS = "*-._"
_SIGNED_LAST = ("timestamp", "x-secsdk-web-signature")


def _like_component(text: str) -> str:
    return quote(text, safe=_AS_COMPONENT)


def _like_search_params(text: str) -> str:
    # quote() never encodes `~`, URLSearchParams does
    return quote(text, safe=_AS_SEARCH_PARAMS).replace("~", "%7E")


def _encoded_anew(query: str, encode: Callable[[str], str]) -> str:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    kept = ((key, value) for key, _, value in pairs if key not in _SIGNED_LAST)
    return "&".join(f"{key}={encode(unquote_plus(value))}" for key, value in kept)


def web_signatures(query: str, uifid: str, timestamp: str) -> tuple[str, ...]:
    """The right signatures of `query`, one for each of the two encoders in use; they are usually equal."""
    found = []
    for encode in (_like_component, _like_search_params):
        q = _encoded_anew(query, encode)
        if "uifid" not in {pair.partition("=")[0] for pair in q.split("&")}:
            q += f"&uifid={uifid}"
        q += f"&timestamp={timestamp}"
        found.append(hashlib.md5(f"{uifid}_{timestamp}_{WEB_SALT}_{q}".encode()).hexdigest())  # noqa: S324
    return tuple(found)


def judge_web_signature(query: str, uifid: str, timestamp: str, signature: str) -> str | None:
    """Whether the signature belongs to this query in this order; how old it is does not matter."""
    if not timestamp.isdigit():
        return "web signature: timestamp"
    return None if signature in web_signatures(query, uifid, timestamp) else "web signature: hash"


# -- __ac_signature --------------------------------------------------------------------------------------------------

_AC_PREFIX = "_02B4Z6wo00f01"
_AC_LENGTH = len(_AC_PREFIX) + 5 * 3 + 1 + 5 * 3 + 2


def _ac_hash(text: str, seed: int) -> int:
    for char in text:
        seed = ((seed ^ ord(char)) * 65599) & _MASK
    return seed


def _ac_number(digits: str) -> int:
    value = 0
    for digit in digits:
        at = AC_ALPHABET.find(digit)
        if at < 0:
            raise Malformed("foreign digit")
        value = value << 6 | at
    return value


def _ac_digits(value: int) -> str:
    return "".join(AC_ALPHABET[(value >> shift) & 63] for shift in (24, 18, 12, 6, 0))


def _ac_checksum(text: str) -> str:
    value = 0
    for char in text:
        value = (value * 65599 + ord(char)) & _MASK
    return f"{value:08x}"[-2:]


def _ac_clock(signature: str) -> int:
    """The 46-bit number that carries the clock, read back from the digits."""
    at = len(_AC_PREFIX)
    d = _ac_number(signature[at : at + 5])
    f = _ac_number(signature[at + 5 : at + 10])
    hh = _ac_number(signature[at + 10 : at + 15])
    low = ((d << 2) | (f >> 28)) & _MASK
    high = ((f & 0xFFFFFFF) << 4) | (hh >> 26)
    return high << 32 | low


def judge_ac_signature(signature: str, site: str, nonce: str, user_agent: str) -> str | None:
    """Whether an `__ac_signature` was made for this page host (`www.douyin.com/`), nonce and user agent."""
    if len(signature) != _AC_LENGTH or not signature.startswith(_AC_PREFIX):
        return "__ac_signature: form"
    if _ac_checksum(signature[:-2]) != signature[-2:]:
        return "__ac_signature: checksum"
    try:
        b = _ac_clock(signature)
    except Malformed as exc:
        return f"__ac_signature: {exc}"
    c = _ac_hash(str(b), 0)
    j = (_ac_hash(user_agent, c) % 65521) << 16 | _ac_hash(nonce, c) % 65521
    wanted = _ac_digits(j >> 2) + _ac_digits(((j << 28) & _MASK) | ((524576 ^ b) & _MASK) >> 4)
    at = len(_AC_PREFIX) + 16
    if signature[at : at + 10] != wanted:
        return "__ac_signature: nonce or user agent"
    time = (b & _MASK) ^ ((_ac_number(signature[at + 10 : at + 15]) * 65521) & _MASK)
    a = _ac_hash(site, _ac_hash(str(time), 0)) % 65521
    return None if _ac_digits(a) == signature[at + 10 : at + 15] else "__ac_signature: site"


# -- verifyFp --------------------------------------------------------------------------------------------------------

_FP_ALPHABET = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def judge_verify_fp(value: str) -> str | None:
    """Whether a verifyFp has the form that the page's script gives it."""
    prefix, _, rest = value.partition("_")
    clock, _, random = rest.partition("_")
    if prefix != "verify" or not clock.isalnum() or clock != clock.lower() or len(random) != 36:
        return "verifyFp: form"
    marks = all(random[i] == "_" for i in (8, 13, 18, 23)) and random[14] == "4" and random[19] in "89AB"
    letters = all(char in _FP_ALPHABET for i, char in enumerate(random) if i not in (8, 13, 18, 23))
    return None if marks and letters else "verifyFp: form"


def before_a_bogus(query: str) -> tuple[str, str | None]:
    """The part of a query that its a_bogus signs, and the a_bogus itself (None if there is none)."""
    if query.startswith("a_bogus="):
        return "", unquote(query[8:].partition("&")[0])
    signed, found, rest = query.partition("&a_bogus=")
    return (signed, unquote(rest.partition("&")[0])) if found else (query, None)
