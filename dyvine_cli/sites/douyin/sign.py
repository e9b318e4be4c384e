"""Douyin's signatures: a query, a browser, the clock and random numbers in, signed text out (pure).

Every constant stands in `sign.toml` with its origin; the algorithms are described there by their names: `dhzx` and
`cus` are the salts of two generations of `a_bogus`. Values are raw: whoever puts one into a URL encodes it with
`queries.encode`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache, reduce
from operator import xor
from pathlib import Path
from typing import Any, Literal

from dyvine_cli.sites import xbogus
from dyvine_cli.sites.ciphers import Random, base64_with, md5, rc4, rc4_schedule, rc4_stream
from dyvine_cli.sites.constants import check_alphabet, tables, trying
from dyvine_cli.sites.douyin.queries import USER_AGENT, again
from dyvine_cli.sites.douyin.sm3 import sm3
from dyvine_cli.sites.xbogus import XBogus

Family = Literal["chrome", "firefox", "safari", "edge", "huawei", "other"]

AMBIGUOUS = frozenset("!'()~+ ")
"""Characters that the two known encoders of the web signature write differently."""

_SIGNED = ("timestamp", "x-secsdk-web-signature")

# In this order: an Edge names Chrome and Safari too, a Chrome names Safari.
_FAMILY_MARKS: tuple[tuple[Family, str], ...] = (
    ("huawei", "HuaweiBrowser/"),
    ("edge", "Edg/"),
    ("firefox", "Firefox/"),
    ("chrome", "Chrome/"),
    ("safari", "Version/"),
)
_PLATFORMS = (("Windows", "Win32"), ("Macintosh", "MacIntel"), ("Linux", "Linux x86_64"))


# ---- constants


@dataclass(frozen=True, slots=True, kw_only=True)
class Alphabets:
    """Digit sets of 64 characters each."""

    agent: str
    result: str
    x_bogus: str
    ac_signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dhzx:
    """Constants of the present `a_bogus`."""

    salt: str
    env: int
    nr: int
    detect: int
    tripwire: int
    page_id: int
    aid: int
    sdk: int
    epoch_ms: int
    fortnight_ms: int
    tail_offset: int
    result_key: int
    version_mark: tuple[int, int]
    header_mark: tuple[int, int]
    call_buckets: tuple[tuple[int, int], ...]
    digest_slots: tuple[tuple[int, int, int, int, int, int], ...]
    order: tuple[int, ...]
    families: Mapping[str, int]

    @property
    def agent_key(self) -> bytes:
        """Key under which the user agent is hashed: the two flags."""
        return bytes([self.env >> 8 & 255, self.env & 255, self.detect & 255])


@dataclass(frozen=True, slots=True, kw_only=True)
class Cus:
    """Constants of the `a_bogus` before."""

    salt: str
    agent_key: tuple[int, ...]
    key: str
    page_id: int
    aid: int
    sdk: int
    options: tuple[int, int, int]
    prefix_marks: tuple[tuple[int, int, int, int], ...]
    method_prefix_marks: tuple[tuple[int, int, int, int], ...]
    order: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSignature:
    """Constants of `x-secsdk-web-signature`."""

    salt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcSignature:
    """Constants of `__ac_signature`."""

    prefix: str
    multiplier: int
    modulus: int
    head: int
    first_mask: int
    second_mask: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """Everything in `sign.toml`."""

    alphabets: Alphabets
    dhzx: Dhzx
    cus: Cus
    x_bogus: XBogus
    web_signature: WebSignature
    ac_signature: AcSignature

    @classmethod
    def load(cls, path: Path | None = None) -> Constants:
        """The constants that come with the program, with those of the TOML file `path` in their place.

        Raises ConfigError naming the key for one that does not exist, has another type or cannot be signed with.
        """
        constants = cls._of(tables(Path(__file__).with_name("sign.toml"), path))
        if path is not None:
            _try_out(constants, str(path))
        return constants

    @classmethod
    def _of(cls, rooms: Mapping[str, Any]) -> Constants:
        return cls(
            alphabets=Alphabets(**rooms["alphabets"]),
            dhzx=Dhzx(**rooms["dhzx"]),
            cus=Cus(**rooms["cus"]),
            x_bogus=XBogus(**rooms["x_bogus"]),
            web_signature=WebSignature(**rooms["web_signature"]),
            ac_signature=AcSignature(**rooms["ac_signature"]),
        )


def _try_out(constants: Constants, where: str) -> None:
    """Refuse what has the right types but fails in the middle of signing."""
    for alphabet in fields(constants.alphabets):
        check_alphabet(alphabet.name, getattr(constants.alphabets, alphabet.name), where)
    with trying(where):
        a_bogus("", "", now_ms=2**41, random=float, constants=constants)
        a_bogus_cus("", "", start_ms=2**41, end_ms=2**41, random=float, constants=constants)
        a_bogus_cus("", "", start_ms=2**41, end_ms=2**41, random=float, method="GET", constants=constants)
        x_bogus("", "", now_s=2**31, constants=constants)
        ac_signature("", "", "", now_s=2**31, constants=constants)


CONSTANTS = Constants.load()


# ---- who signs


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """The browser we say we are; sizes are (width, height) in CSS pixels.

    The user agent must be the one in the request's header and in `browser_version`.
    """

    user_agent: str = USER_AGENT
    family: Family = "chrome"
    platform: str = "Win32"
    inner: tuple[int, int] = (1920, 947)
    outer: tuple[int, int] = (1920, 1032)
    available: tuple[int, int] = (1920, 1032)
    screen: tuple[int, int] = (1920, 1080)
    position: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, user_agent: str) -> Browser:
        """The browser of a user agent, with the usual screen."""
        family = next((family for family, mark in _FAMILY_MARKS if mark in user_agent), "other")
        platform = next((name for mark, name in _PLATFORMS if mark in user_agent), "Win32")
        return cls(user_agent=user_agent, family=family, platform=platform)  # type: ignore[arg-type]

    @property
    def version(self) -> str:
        """The version in the user agent, as `browser_version` and `engine_version` carry it; "" if it names none."""
        mark = dict(_FAMILY_MARKS).get(self.family, "Chrome/")
        found = re.search(re.escape(mark) + r"([0-9.]+)", self.user_agent)
        return found[1] if found else ""

    @property
    def geometry(self) -> str:
        """Window, screen and platform as `dhzx` writes them."""
        sizes = (*self.inner, *self.outer, *self.available, *self.screen)
        return "|".join([*map(str, sizes), self.platform])

    @property
    def fingerprint(self) -> str:
        """Window, screen, colours and platform as `cus` writes them."""
        sizes = (
            *self.inner,
            *self.outer,
            *self.position,
            0,
            0,
            *self.screen,
            *self.available,
            *self.inner,
            24,
            24,
        )
        return "|".join([*map(str, sizes), self.platform])


CHROME = Browser()


@dataclass(frozen=True, slots=True)
class Noise:
    """The bytes of an `a_bogus` that chance decides: two pairs for the version, one for the header, one per group."""

    version: tuple[int, int]
    probe: tuple[int, int]
    header: tuple[int, int]
    groups: Sequence[int]

    @classmethod
    def draw(cls, random: Random, groups: int, base: int) -> Noise:
        """Noise for `groups` groups of three bytes from numbers in [0, 1); `base` is the browser family's number."""
        version = int(random() * 65535)
        probe = int(random() * 240)
        if probe > 109:
            probe += probe % 2 + 1
        trip = int(random() * 255) & 0x4D | 0xB2
        header = (int(random() * 65535) & 255, base + int(random() * 40))
        drawn = [int(random() * 1000) & 255 for _ in range(groups)]
        return cls((version & 255, version >> 8), (probe, trip), header, drawn)


# ---- queries


def ambiguous(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The keys whose values Douyin's edge may encode otherwise than we do; none may be in a protected call."""
    return tuple(key for key, value in pairs if AMBIGUOUS & set(value))


def web_signature(query: str, uifid: str, *, now_s: int, constants: Constants = CONSTANTS) -> str:
    """`query` with `uifid`, `timestamp` and `x-secsdk-web-signature` appended; send it exactly like this.

    Values are decoded and encoded again as the edge does before it compares; what an earlier signature appended goes.
    """
    pairs = [piece.partition("=") for piece in query.split("&") if piece]
    kept = [f"{key}={again(value)}" for key, _, value in pairs if key not in _SIGNED]
    if not any(key == "uifid" for key, _, _ in pairs):
        kept.append(f"uifid={uifid}")
    kept.append(f"timestamp={now_s}")
    signed = "&".join(kept)
    text = f"{uifid}_{now_s}_{constants.web_signature.salt}_{signed}"
    return f"{signed}&x-secsdk-web-signature={md5(text.encode()).hex()}"


# ---- a_bogus, dhzx


def a_bogus(
    query: str,
    body: str,
    browser: Browser = CHROME,
    *,
    now_ms: int,
    random: Random | Noise,
    init_ms: int | None = None,
    calls: int = 0,
    constants: Constants = CONSTANTS,
) -> str:
    """The `a_bogus` of a query as sent (no leading `?`, without `a_bogus`) and a body ("" for GET and multipart).

    `init_ms` is when the page began to sign (None: now), `calls` how often it has. `random` is a source of numbers
    in [0, 1), or the noise itself.
    """
    const = constants.dhzx
    tail = f"{(now_ms + const.tail_offset) & 255},".encode()
    geometry = _js_bytes(browser.geometry)
    digests = (
        _salted(query, const.salt),
        _salted(body, const.salt),
        _agent_digest(browser.user_agent.strip(), const.agent_key, constants.alphabets.agent, bdms=True),
    )
    slots = _clock_slots(now_ms, now_ms if init_ms is None else init_ms, calls, const) | _flag_slots(const)
    slots |= _digest_slots(digests, const) | _little(79, len(geometry), 2) | _little(84, len(tail), 2)
    scalars = bytes(slots[slot] for slot in const.order)
    groups = (len(scalars) + len(geometry) + len(tail) + 1) // 3
    noise = (
        random if isinstance(random, Noise) else Noise.draw(random, groups, const.families[browser.family])
    )
    version = _masked(const.version_mark, noise.version) + _masked(const.version_mark, noise.probe)
    checksum = reduce(xor, version + scalars)
    expanded = _expanded(scalars + geometry + tail + bytes([checksum]), noise.groups)
    sealed = rc4_bdms(bytes([const.result_key]), version + expanded)
    return base64_with(_masked(const.header_mark, noise.header) + sealed, constants.alphabets.result)


def _clock_slots(now_ms: int, init_ms: int, calls: int, const: Dhzx) -> dict[int, int]:
    """What the time, the page's age and the number of calls before say."""
    slots = _little(29, now_ms, 6) | _little(60, now_ms - 1, 6)
    slots[26] = (now_ms - const.epoch_ms) // const.fortnight_ms & 255
    slots[27] = next(bucket for above, bucket in const.call_buckets if calls > above)
    slots[28] = (now_ms - init_ms + const.tail_offset) & 255
    return slots


def _flag_slots(const: Dhzx) -> dict[int, int]:
    """What is the same in every call of a page."""
    slots = {24: const.sdk, 66: const.tripwire} | dict.fromkeys(range(40, 44), 0)
    slots |= _little(35, const.env, 2) | _little(38, const.nr, 2) | _little(44, const.detect, 4)
    return slots | _little(67, const.page_id, 4) | _little(71, const.aid, 4)


def _digest_slots(digests: Sequence[bytes], const: Dhzx) -> dict[int, int]:
    """Three bytes of each digest; a failed self-check (a bit of `nr`) puts the avoided value in the third's place."""
    slots = {}
    for bit, (digest, row) in enumerate(zip(digests, const.digest_slots, strict=True), start=1):
        slot, first, second, start, avoided, otherwise = row
        canary = next((byte for byte in digest[start:] if byte != avoided), otherwise)
        slots[slot], slots[slot + 1] = digest[first], digest[second]
        slots[slot + 3] = avoided if const.nr >> bit & 1 else canary
    return slots


def _expanded(body: bytes, noise: Sequence[int]) -> bytes:
    """Every three bytes spread over four with one byte of noise; the bits of the masks add up."""
    out = bytearray()
    whole = len(body) - len(body) % 3
    for n, x, y, z in zip(noise, body[0:whole:3], body[1:whole:3], body[2:whole:3], strict=True):
        out += bytes((n & 0x91 | x & 0x6E, n & 0x42 | y & 0xBD, n & 0x2C | z & 0xD3))
        out.append(x & 0x91 | y & 0x42 | z & 0x2C)
    rest = body[whole:]
    # The SDK reads a missing and a zero byte alike here.
    return bytes(out) + (rest[:1] if rest[1:] == b"\0" else rest)


def _masked(mark: tuple[int, int], pair: tuple[int, int]) -> bytes:
    """Two marks and two bytes interleaved bit by bit."""
    (a, b), (x, y) = mark, pair
    return bytes((x & 0xAA | a & 0x55, x & 0x55 | a & 0xAA, y & 0xAA | b & 0x55, y & 0x55 | b & 0xAA))


# ---- a_bogus, cus


def a_bogus_cus(
    query: str,
    body: str,
    browser: Browser = CHROME,
    *,
    start_ms: int,
    end_ms: int,
    random: Random,
    method: str | None = None,
    constants: Constants = CONSTANTS,
) -> str:
    """The `a_bogus` of the generation before, accepted only where none is enforced.

    With `method` ("GET", "POST") the older form that hashes the method instead of the body. `start_ms` and `end_ms`
    are when the signing began and ended.
    """
    const = constants.cus
    second = body if method is None else method
    marks = const.prefix_marks if method is None else const.method_prefix_marks
    times = (start_ms, end_ms) if method is None else (end_ms, start_ms)
    key = bytes(const.agent_key)
    digests = (
        _salted(query, const.salt),
        _salted(second, const.salt),
        _agent_digest(browser.user_agent, key, constants.alphabets.agent, bdms=False),
    )
    fingerprint = browser.fingerprint.encode("latin-1", "replace")
    slots = _cus_slots(digests, times, len(fingerprint), const)
    scalars = [slots[slot] for slot in const.order]
    values = [*scalars, *fingerprint, reduce(xor, scalars)]
    sealed = [
        value ^ byte
        for value, byte in zip(values, rc4_stream(rc4_schedule(const.key.encode())), strict=False)
    ]
    return _wide_base64([*_cus_prefix(random, marks), *sealed], constants.alphabets.result)


def _cus_slots(digests: Sequence[bytes], times: tuple[int, int], size: int, const: Cus) -> dict[int, int]:
    """The values by slot; the upper parts of the times are not cut to bytes."""
    a, b, c = digests
    first, second = times
    slots = dict.fromkeys((26, 27, 28, 29, 66, 70, 71), 0)
    slots |= {
        18: const.sdk,
        24: first >> 32,
        25: first >> 40,
        48: 3,
        49: second >> 32,
        50: second >> 40,
        65: size,
    }
    slots |= {38: a[21], 39: a[22], 40: b[21], 41: b[22], 42: c[23], 43: c[24]}
    slots |= _big(20, first) | _big(44, second) | _big(34, const.options[2])
    slots |= {30: const.options[0], 31: const.options[1], 32: 0, 33: 0}
    return slots | _big(52, const.page_id) | _little(57, const.aid, 4)


def _cus_prefix(random: Random, marks: Sequence[Sequence[int]]) -> Iterator[int]:
    for mark in marks:
        drawn = int(random() * 10000)
        low, high = drawn & 255, drawn >> 8
        yield from (low & 0xAA | mark[0], low & 0x55 | mark[1], high & 0xAA | mark[2], high & 0x55 | mark[3])


def _wide_base64(values: Sequence[int], alphabet: str) -> str:
    """Base64 of values of which some have a ninth bit: it is or-ed into the neighbour, as JavaScript does."""
    out = bytearray()
    for start in range(0, len(values), 3):
        group = [*values[start : start + 3], 0, 0]
        out += (group[0] << 16 & 0xFFFFFF | group[1] << 8 | group[2]).to_bytes(3, "big")
    return base64_with(bytes(out[: len(values)]), alphabet)


# ---- the others


def x_bogus(query: str, user_agent: str, *, now_s: int, constants: Constants = CONSTANTS) -> str:
    """The 28 characters of `X-Bogus` for a percent-encoded query; some calls still carry it."""
    alphabet = constants.alphabets.x_bogus
    return xbogus.x_bogus(query, user_agent, now_s=now_s, constants=constants.x_bogus, alphabet=alphabet)


def ac_signature(
    site: str, nonce: str, user_agent: str, *, now_s: int, constants: Constants = CONSTANTS
) -> str:
    """The cookie `__ac_signature` that goes with the cookie `__ac_nonce`; `site` is host and slash."""
    const, digits = constants.ac_signature, constants.alphabets.ac_signature
    multiplier, modulus = const.multiplier, const.modulus
    page = _rolled(site, _rolled(str(now_s), 0, multiplier), multiplier) % modulus
    stamp = const.head << 32 | (now_s ^ page * modulus) & 0xFFFFFFFF
    seed = _rolled(str(stamp), 0, multiplier)
    upper, first = stamp >> 32, const.first_mask ^ stamp
    agent = _rolled(user_agent, seed, multiplier) % modulus
    both = agent << 16 | _rolled(nonce, seed, multiplier) % modulus
    words = [
        _five(stamp >> 2, digits),
        _five(stamp << 28 | upper >> 4, digits),
        _five(upper << 26 | first >> 6, digits),
        digits[first & 63],
        _five(both >> 2, digits),
        _five(both << 28 | (const.second_mask ^ stamp) >> 4, digits),
        _five(page, digits),
    ]
    text = const.prefix + "".join(words)
    check = 0
    for char in text:
        check = (check * multiplier + ord(char)) & 0xFFFFFFFF
    return f"{text}{check & 255:02x}"


def _rolled(text: str, start: int, multiplier: int) -> int:
    for char in text:
        start = (start ^ ord(char)) * multiplier & 0xFFFFFFFF
    return start


def _five(word: int, digits: str) -> str:
    """The lowest 30 bits in five digits."""
    return "".join(digits[word >> shift & 63] for shift in (24, 18, 12, 6, 0))


# ---- primitives


def rc4_bdms(key: bytes, data: bytes) -> bytes:
    """RC4 as bdms has it: the table starts in falling order and the schedule multiplies."""
    state = list(range(255, -1, -1))
    j = 0
    for i in range(256):
        j = (j * state[i] + j + key[i % len(key)]) & 255
        state[i], state[j] = state[j], state[i]
    return bytes(value ^ byte for value, byte in zip(data, rc4_stream(state), strict=False))


def _salted(text: str, salt: str) -> bytes:
    return sm3(sm3((text + salt).encode()))


@lru_cache(maxsize=32)
def _agent_digest(user_agent: str, key: bytes, alphabet: str, *, bdms: bool) -> bytes:
    data = _js_bytes(user_agent)
    return sm3(base64_with(rc4_bdms(key, data) if bdms else rc4(key, data), alphabet).encode())


def _js_bytes(text: str) -> bytes:
    """UTF-16 units: one byte below 256, else two, the upper first."""
    units = text.encode("utf-16-be", "surrogatepass")
    pairs = zip(units[::2], units[1::2], strict=True)
    return b"".join(bytes([high, low]) if high else bytes([low]) for high, low in pairs)


def _little(slot: int, value: int, count: int) -> dict[int, int]:
    return {slot + i: value >> 8 * i & 255 for i in range(count)}


def _big(slot: int, value: int) -> dict[int, int]:
    return {slot + i: value >> 8 * (3 - i) & 255 for i in range(4)}
