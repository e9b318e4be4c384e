"""TikTok's signatures: a query, a visit to the page, the clock and random numbers in, signed text out (pure).

Every constant stands in `sign.toml` with its origin. Present calls carry `X-Dynosaur` and `X-Gnarly`; `X-Bogus` has
become the word `1`, and its old form and the older `X-Gnarly` are accepted by lenient routes at most.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

from dyvine_cli.errors import ConfigError
from dyvine_cli.sites import xbogus
from dyvine_cli.sites.ciphers import Random, md5
from dyvine_cli.sites.constants import check_alphabet, tables, trying
from dyvine_cli.sites.tiktok.envelope import Envelope, Generator, draw_key, seal
from dyvine_cli.sites.xbogus import XBogus

_WORD = 0xFFFFFFFF
_GNARLY_KEYS = 17

# What browsers escape in a query, besides control and other than ASCII characters; then what would split it in two.
_BROWSER_ESCAPES = r"[^\x21-\x7e]|[\"<>`#]"
_SPLITTING = "[&=+%#]"
_DECIMAL = r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*"

Value = int | str


# ---- constants


@dataclass(frozen=True, slots=True, kw_only=True)
class Alphabets:
    """Digit sets of 64 characters each."""

    envelope: str
    x_bogus: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What one build of webmssdk says about itself."""

    sdk: str
    scm: str
    env: int
    ub: int
    extension: str
    tail: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynosaur:
    """Constants of `X-Dynosaur`."""

    first_tag: int
    records: tuple[str, ...]
    second_way: tuple[int, ...]
    checksum: int
    page_length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gnarly:
    """Constants of `X-Gnarly`."""

    clock_flag: int
    clock: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """Constants of one `X-Gnarly` before 5.3."""

    sdk: str
    scm: str
    flag: int
    canvas: int
    order: tuple[int, ...]
    wide: int
    factor: int
    narrow: tuple[int, ...]
    padded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """Everything in `sign.toml`; `build` is the one that is signed as."""

    build: Build
    alphabets: Alphabets
    envelope: Envelope
    generator: Generator
    dynosaur: Dynosaur
    gnarly: Gnarly
    before: Mapping[str, Before]
    x_bogus: XBogus

    @classmethod
    def load(cls, path: Path | None = None) -> Constants:
        """The constants that come with the program, with those of the TOML file `path` in their place.

        Raises ConfigError naming the key for one that does not exist, has another type or cannot be signed with.
        """
        rooms = tables(Path(__file__).with_name("sign.toml"), path)
        if rooms["build"] not in rooms["builds"]:
            raise ConfigError(f"{path}: build: must be one of {', '.join(rooms['builds'])}")
        constants = cls._of(rooms)
        if path is not None:
            _try_out(constants, str(path))
        return constants

    @classmethod
    def _of(cls, rooms: Mapping[str, Any]) -> Constants:
        return cls(
            build=Build(**rooms["builds"][rooms["build"]]),
            alphabets=Alphabets(**rooms["alphabets"]),
            envelope=Envelope(**rooms["envelope"]),
            generator=Generator(**rooms["generator"]),
            dynosaur=Dynosaur(**rooms["dynosaur"]),
            gnarly=Gnarly(**rooms["gnarly"]),
            before={name: Before(**table) for name, table in rooms["before"].items()},
            x_bogus=XBogus(**rooms["x_bogus"]),
        )


def _try_out(constants: Constants, where: str) -> None:
    """Refuse what has the right types but fails in the middle of signing."""
    for alphabet in fields(constants.alphabets):
        check_alphabet(alphabet.name, getattr(constants.alphabets, alphabet.name), where)
    visit = Visit(gnarly_seed=1, dynosaur_seed=2)
    with trying(where):
        signed("", "", visit, now_s=2**31, random=float, constants=constants)
        x_bogus("", "", now_s=2**31, constants=constants)
        for generation in constants.before:
            x_gnarly_before(generation, "", "", visit, now_ms=2**41, random=float, constants=constants)


CONSTANTS = Constants.load()


# ---- who signs


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One life of the page in the browser we say we are.

    The seeds stay the same during it. `page` is host and path of the page. `intercepted` counts the signed requests
    and `total` all, this one included. `canvas` is the canvas' hash (None: absent), `webgl` the hash of WebGL and
    `device` 32 hexadecimal digits ("0": absent).
    """

    gnarly_seed: int
    dynosaur_seed: int
    page: str = "www.tiktok.com/"
    intercepted: int = 1
    total: int = 1
    canvas: int | None = None
    webgl: int = 0
    device: str = "0"

    @classmethod
    def begin(cls, *, now_ms: int, random: Random) -> Visit:
        """A visit that begins now."""
        return cls(gnarly_seed=_seed(now_ms, random), dynosaur_seed=_seed(now_ms, random))

    def next(self) -> Visit:
        """The visit at its next signed request; a failed request counts too."""
        return replace(self, intercepted=self.intercepted + 1, total=self.total + 1)


def _seed(now_ms: int, random: Random) -> int:
    return math.floor(math.fmod(abs(1000 * ((now_ms + random()) + random())), 2**31))


def _mix(now_s: int, seed: int, env: int) -> int:
    return ((now_s >> 16) ^ (seed >> 16) ^ now_s ^ seed) & 0xFFFF | env << 16


# ---- queries


def encode(pairs: Iterable[tuple[str, str]]) -> str:
    """The query of `pairs` as a browser writes it; the bytes that are signed must be the bytes that are sent."""
    return "&".join(f"{_value(key)}={_value(value)}" for key, value in pairs)


def escape(text: str) -> str:
    """What a browser makes of a query that was put together by hand: `%` and the like stay."""
    return re.sub(_BROWSER_ESCAPES, _percent, text)


def signed(
    query: str,
    user_agent: str,
    visit: Visit,
    *,
    now_s: int,
    random: Random,
    ms_token: str = "",
    body: str = "",
    constants: Constants = CONSTANTS,
) -> str:
    """`query` with the four signing parameters appended; send it exactly like this, with this user agent.

    `ms_token` is the newest that the server issued to this visitor, or empty: an invented one is refused.
    """
    dynosaur = x_dynosaur(
        query, user_agent, visit, now_s=now_s, random=random, body=body, constants=constants
    )
    bound = f"{query}&X-Dynosaur={dynosaur}&msToken={ms_token}"
    gnarly = x_gnarly(bound, user_agent, visit, now_s=now_s, random=random, body=body, constants=constants)
    return f"{bound}&X-Bogus=1&X-Gnarly={gnarly}"


def _value(text: str) -> str:
    return escape(re.sub(_SPLITTING, _percent, text)) if text else ""


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


# ---- X-Dynosaur


def x_dynosaur(
    query: str,
    user_agent: str,
    visit: Visit,
    *,
    now_s: int,
    random: Random,
    body: str = "",
    constants: Constants = CONSTANTS,
) -> str:
    """The `X-Dynosaur` of a query as sent (without `?` and signing parameters)."""
    values = _dynosaur_values(query, user_agent, visit, now_s, body, constants)
    payload = dynosaur_payload(values, constants.dynosaur)
    return seal(
        payload, draw_key(random), constants=constants.envelope, alphabet=constants.alphabets.envelope
    )


def dynosaur_payload(values: Mapping[str, Value], constants: Dynosaur) -> bytes:
    """The records of `X-Dynosaur`: `values` by the names in `sign.toml`, hashes as numbers, the rest as text."""
    named = dict(enumerate(constants.records, constants.first_tag))
    own = next(tag for tag, name in named.items() if name == "checksum")
    coded = {tag: _coded(tag, values.get(name, name), constants) for tag, name in named.items() if tag != own}
    checksum = reduce(xor, (data[1] for data in coded.values()), constants.checksum)
    coded[own] = _coded(own, str(checksum), constants)
    return b"".join(bytes([tag]) + len(coded[tag]).to_bytes(2, "big") + coded[tag] for tag in named)


def _dynosaur_values(
    query: str, user_agent: str, visit: Visit, now_s: int, body: str, constants: Constants
) -> dict[str, Value]:
    build = constants.build
    mix = _mix(now_s, visit.dynosaur_seed, build.env)
    return {
        "mix": str((mix + 2**31 & _WORD) - 2**31),
        "intercepted": str(visit.intercepted),
        "total": str(visit.total),
        "env": str(build.env),
        "ub": str(build.ub),
        "sdk": build.sdk,
        "scm": build.scm,
        "extension": build.extension,
        "tail": build.tail,
        "now": str(now_s),
        "seed": str(visit.dynosaur_seed),
        "webgl": str(visit.webgl),
        "canvas": "-1" if visit.canvas is None else str(visit.canvas),
        "device": visit.device,
        "page": visit.page[: constants.dynosaur.page_length],
        "query": hash_state(query),
        "body": hash_state(body),
        "agent": hash_state(user_agent),
    }


def _coded(tag: int, value: Value, constants: Dynosaur) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(4, "big")
    return encode_field(value, second_way=tag in constants.second_way)


def hash_state(text: str) -> int:
    """The SDK's hash of 32 bits, a relative of FNV."""
    state = 2166136260
    for byte in text.encode():
        state = (state ^ byte) * 16777619 * 33 & _WORD
    return state


def encode_field(text: str, *, second_way: bool = False) -> bytes:
    """The code of a text: a byte for each UTF-16 unit, at least four of them, and the length."""
    units = struct.unpack(f"<{len(text.encode('utf-16-le')) // 2}H", text.encode("utf-16-le"))
    code = _second_way if second_way else _first_way
    coded = bytes(code(unit, index) for index, unit in enumerate(units))
    filled = bytes(221 + index & 255 for index in range(len(coded), 4))
    return coded + filled + (len(coded) & 0xFFFF).to_bytes(2, "big")


def _first_way(unit: int, index: int) -> int:
    byte = (unit ^ (103 + index & 255)) + 1 + (170 & index) & 255
    return ((byte << 2 | byte >> 6) & 255 ^ 187) + 1 & 255


def _second_way(unit: int, index: int) -> int:
    byte = (unit ^ (102 + index & 255)) + (170 & index) & 255 ^ 165
    return (byte << 1 | byte >> 7) & 255 ^ 187


# ---- X-Gnarly


def x_gnarly(
    query: str,
    user_agent: str,
    visit: Visit,
    *,
    now_s: int,
    random: Random,
    body: str = "",
    constants: Constants = CONSTANTS,
) -> str:
    """The `X-Gnarly` of a query that ends in `X-Dynosaur` and `msToken`, whose value may be empty."""
    values = gnarly_values(query, user_agent, visit, now_s=now_s, body=body, constants=constants)
    order = (key for key in record_order(visit.gnarly_seed) if key != 7 or visit.canvas is not None)
    payload = _records([(key, values[key]) for key in order])
    return seal(
        payload, draw_key(random), constants=constants.envelope, alphabet=constants.alphabets.envelope
    )


def gnarly_values(
    query: str,
    user_agent: str,
    visit: Visit,
    *,
    now_s: int,
    body: str = "",
    constants: Constants = CONSTANTS,
) -> dict[int, Value]:
    """What `X-Gnarly` says, by key; key 7 is -1 and is not sent when there is no canvas."""
    build, seed = constants.build, visit.gnarly_seed
    canvas = -1 if visit.canvas is None else visit.canvas
    clock = constants.gnarly.clock if build.env & constants.gnarly.clock_flag else now_s
    values: dict[int, Value] = {1: build.env, 2: build.ub, **_digests(query, body, user_agent)}
    values |= {6: now_s, 7: canvas, 8: seed, 9: build.sdk, 10: build.scm, 11: 1}
    values |= {12: visit.total, 13: visit.intercepted, 14: _mix(now_s, seed, build.env)}
    values[15] = (clock ^ seed) & 0xFFFF | ((canvas ^ seed >> 16) & 0xFFFF) << 16
    values[16] = _first_words(values)
    values[0] = reduce(xor, (js_number(value) for value in values.values()))
    return values


def record_order(seed: int) -> list[int]:
    """The keys 0 to 16 in the order that the seed shuffles them into."""
    keys = list(range(_GNARLY_KEYS))
    for last in range(_GNARLY_KEYS - 1, 0, -1):
        seed = 1664525 * seed + 1013904223 & _WORD
        other = seed * (last + 1) >> 32
        keys[last], keys[other] = keys[other], keys[last]
    return keys


def js_number(value: Value) -> int:
    """A value's 32 bits as JavaScript's `^` takes them: text that is no number counts as 0."""
    if isinstance(value, str):
        number = float(value) if re.fullmatch(_DECIMAL, value, re.ASCII) else 0.0
        value = int(number) if math.isfinite(number) else 0
    return value & _WORD


def _digests(query: str, body: str, user_agent: str) -> dict[int, Value]:
    return {key: md5(text.encode()).hex() for key, text in enumerate((query, body, user_agent), start=3)}


def _first_words(values: Mapping[int, Value]) -> int:
    """The XOR of all values, texts counted as their first four bytes."""
    words = (
        int.from_bytes(value.encode()[:4], "big") if isinstance(value, str) else value & _WORD
        for value in values.values()
    )
    return reduce(xor, words)


def _records(pairs: Sequence[tuple[int, Value]], *, wide: int = 0x10000, narrow: Sequence[int] = ()) -> bytes:
    """Count and records; numbers below `wide` and those of keys in `narrow` have two bytes, others four."""
    out = bytearray([len(pairs)])
    for key, value in pairs:
        if isinstance(value, str):
            data = value.encode()
        else:
            data = value.to_bytes(2 if value < wide or key in narrow else 4, "big")
        out += bytes([key]) + len(data).to_bytes(2, "big") + data
    return bytes(out)


# ---- the others


def x_gnarly_before(
    generation: str,
    query: str,
    user_agent: str,
    visit: Visit,
    *,
    now_ms: int,
    random: Random,
    body: str = "",
    ub: int = 0,
    constants: Constants = CONSTANTS,
) -> str:
    """The `X-Gnarly` of a `generation` before 5.3 for a query that ends in `msToken`; strict routes refuse it."""
    const = constants.before[generation]
    values: dict[int, Value] = {1: const.flag, 2: ub, **_digests(query, body, user_agent)}
    values |= {6: now_ms // 1000, 7: const.canvas, 8: now_ms * const.factor % 2**31, 9: const.sdk}
    if 11 in const.order:
        values |= {10: const.scm, 11: 1}
    if 13 in const.order:
        noise = const.flag << 16 | int(random() * 2**16)
        values |= {12: visit.total, 13: visit.intercepted, 14: noise, 15: int(random() * 2**32)}
    elif 12 in const.order:
        values[12] = _first_words(values)
    values[0] = reduce(xor, (value for value in values.values() if isinstance(value, int)))
    payload = _records([(key, values[key]) for key in const.order], wide=const.wide, narrow=const.narrow)
    return seal(
        payload,
        draw_key(random),
        constants=constants.envelope,
        alphabet=constants.alphabets.envelope,
        padded=const.padded,
    )


def x_bogus(
    query: str, user_agent: str, *, now_s: int, body: str = "", constants: Constants = CONSTANTS
) -> str:
    """The 28 characters of the old `X-Bogus` for a percent-encoded query; present calls carry the word `1`."""
    alphabet = constants.alphabets.x_bogus
    return xbogus.x_bogus(
        query, user_agent, now_s=now_s, body=body, constants=constants.x_bogus, alphabet=alphabet
    )
