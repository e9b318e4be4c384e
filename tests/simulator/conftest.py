"""A browser for the simulator's own tests.

It makes signatures from the protocol description, without the client's code, and holds the platform's own constants
against them.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from dyvine_cli.simulator.douyin import Douyin
from dyvine_cli.simulator.douyin_guest import login_cookies
from dyvine_cli.simulator.douyin_signatures import (
    _ORDER,
    S3_ALPHABET,
    S4_ALPHABET,
    WEB_SALT,
    _ac_checksum,
    _ac_digits,
    _ac_hash,
    _canary,
    b64_encode,
    rc4v,
    sm3,
)
from dyvine_cli.simulator.faults import Faults
from dyvine_cli.simulator.media import Media
from dyvine_cli.simulator.messages import Request, Response
from dyvine_cli.simulator.world import World

AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1"
FINGERPRINT = "verify_mspvrlwr_bIKgz6yy_FKLl_4um1_8Qia_E0Y9uYRxYoSQ"
GEOMETRY = "1920|947|1920|1032|1920|1032|1920|1080|Win32"
NOW = 1_790_800_000
COMMON = "device_platform=webapp&aid=6383&channel=channel_pc_web&version_code=170400&msToken="


def _masked(marks: tuple[int, int], x: int, y: int) -> list[int]:
    a, b = marks
    return [x & 0xAA | a & 0x55, x & 0x55 | a & 0xAA, y & 0xAA | b & 0x55, y & 0x55 | b & 0xAA]


def a_bogus(query: str, body: str, agent: str, now_ms: int, draw: random.Random) -> str:
    """An a_bogus of variant dhzx (1.0.1.19)."""
    q, b = (sm3(sm3((text + "dhzx").encode())) for text in (query, body))
    u = sm3(b64_encode(rc4v(b"\x00\x01\x0e", agent.encode()), S3_ALPHABET).encode())
    tail = f"{(now_ms + 3) & 255},"
    slots = dict.fromkeys(_ORDER, 0)
    slots |= {
        24: 41,
        26: (now_ms - 1721836800000) // 1209600000,
        27: 6,
        28: 3,
        35: 1,
        38: 0x21,
        44: 14,
        66: 3,
    }
    slots |= {48: q[9], 49: q[18], 51: _canary(q, 3, 11, 12), 52: b[10], 53: b[19], 55: _canary(b, 4, 8, 9)}
    slots |= {56: u[11], 57: u[21], 59: _canary(u, 5, 12, 13), 79: len(GEOMETRY), 84: len(tail)}
    for first, count, number in ((29, 6, now_ms), (60, 6, now_ms - 1), (67, 4, 6241), (71, 4, 6383)):
        slots |= {first + i: number >> (8 * i) & 255 for i in range(count)}
    version = _masked((1, 0), draw.randrange(256), draw.randrange(256)) + _masked(
        (1, 0), draw.randrange(110), 0xB2
    )
    scalars = [slots[slot] for slot in _ORDER]
    checksum = 0
    for byte in (*version, *scalars):
        checksum ^= byte
    body_bytes = [*scalars, *GEOMETRY.encode(), *tail.encode(), checksum]
    head = bytes(_masked((3, 82), draw.randrange(256), draw.randrange(40)))
    return b64_encode(head + rc4v(b"\xd3", bytes(version) + _expanded(body_bytes, draw)), S4_ALPHABET)


def _expanded(plain: list[int], draw: random.Random) -> bytes:
    out: list[int] = []
    whole = len(plain) // 3 * 3
    for i in range(0, whole, 3):
        x, y, z = plain[i : i + 3]
        n = draw.randrange(256)
        out += [n & 0x91 | x & 0x6E, n & 0x42 | y & 0xBD, n & 0x2C | z & 0xD3, x & 0x91 | y & 0x42 | z & 0x2C]
    rest = plain[whole:]
    return bytes(out + (rest if len(rest) < 2 or rest[1] else rest[:1]))


def web_signed(query: str, uifid: str, now: int) -> str:
    """The query with device id, time and signature; its values must not need encoding twice."""
    query = f"{query}&uifid={uifid}&timestamp={now}"
    signature = hashlib.md5(f"{uifid}_{now}_{WEB_SALT}_{query}".encode()).hexdigest()
    return f"{query}&x-secsdk-web-signature={signature}"


def ac_signature(site: str, nonce: str, agent: str, now: int) -> str:
    """`__ac_signature` for a page."""
    a = _ac_hash(site, _ac_hash(str(now), 0)) % 65521
    b = int("10000000110000" + f"{(now ^ a * 65521) & 0xFFFFFFFF:032b}", 2)
    c = _ac_hash(str(b), 0)
    e = (b >> 32) & 0xFFFFFFFF
    g = 582085784 ^ b
    j = (_ac_hash(agent, c) % 65521) << 16 | _ac_hash(nonce, c) % 65521
    n = "_02B4Z6wo00f01" + _ac_digits(b >> 2) + _ac_digits(b << 28 & 0xFFFFFFFF | e >> 4)
    n += _ac_digits(e << 26 & 0xFFFFFFFF | (g >> 6) & 0x3FFFFFF) + _ac_digits(g & 63)[-1] + _ac_digits(j >> 2)
    n += _ac_digits(j << 28 & 0xFFFFFFFF | ((524576 ^ b) & 0xFFFFFFFF) >> 4) + _ac_digits(a)
    return n + _ac_checksum(n)


class Browser:
    """Someone with a cookie jar in front of one platform."""

    def __init__(self, douyin: Douyin, *, now: int = NOW, agent: str = AGENT) -> None:
        self.douyin = douyin
        self.now = now
        self.agent = agent
        self.jar: dict[str, str] = {}
        self.uifid = ""
        self._draw = random.Random(1)

    def request(
        self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """One request with the jar; what the answer sets is kept."""
        host, _, rest = url.removeprefix("https://").partition("/")
        path, _, query = rest.partition("?")
        sent = {"user-agent": self.agent, "host": host, **(headers or {})}
        if self.jar:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        asked = Request(method=method, host=host, path=f"/{path}", query=query, headers=sent, body=body)
        answer = self.douyin.answer(asked)
        assert answer is not None
        for name, value in answer.headers:
            if name == "Set-Cookie":
                key, _, text = value.partition(";")[0].partition("=")
                self.jar[key] = text
        return answer

    def register(self) -> Browser:
        """Become a guest: ttwid, UIFID_TEMP and a fingerprint of our own."""
        self.request("https://live.douyin.com/?from_nav=1")
        self.jar["s_v_web_id"] = FINGERPRINT
        self.uifid = self.jar["UIFID_TEMP"]
        return self

    def log_in(self, cookies: Mapping[str, str]) -> Browser:
        """Use an exported jar."""
        self.jar = dict(cookies)
        self.uifid = self.jar["UIFID"]
        return self

    def signed(self, name: str, body: str = "", **parameters: object) -> str:
        """The address of a web call with everything that belongs to it."""
        own = "&".join(f"{key}={quote(str(value), safe='')}" for key, value in parameters.items())
        query = f"{COMMON}&{own}" if own else COMMON
        bogus = a_bogus(query, body, self.agent, self.now * 1000 + 123, self._draw)
        fingerprint = self.jar.get("s_v_web_id", "")
        query += f"&a_bogus={quote(bogus, safe='')}&verifyFp={fingerprint}&fp={fingerprint}"
        return f"https://www.douyin.com/aweme/v1/web/{name}/?" + web_signed(query, self.uifid, self.now)

    def get(self, name: str, **parameters: object) -> Any:
        """The JSON of a web call, None for an empty answer."""
        answer = self.request(self.signed(name, **parameters))
        assert isinstance(answer.body, bytes)
        assert answer.status == 200, (answer.status, answer.body, self.douyin.reasons)
        return json.loads(answer.body) if answer.body else None

    def listed(
        self, name: str, key: str = "aweme_list", cursor: str = "max_cursor", **parameters: object
    ) -> list[Any]:
        """All pages of a listing, as an honest client walks them."""
        pages, at = [], 0
        while True:
            page = self.get(name, **parameters, **{cursor: at, "count": 18})
            pages.append(page)
            if not page["has_more"]:
                return pages
            at = page[cursor]

    def pass_challenge(self, url: str = "https://www.douyin.com/", site: str = "www.douyin.com/") -> None:
        """Fetch a page once and sign the nonce that came with it."""
        self.request(url)
        self.jar["__ac_signature"] = ac_signature(site, self.jar["__ac_nonce"], self.agent, self.now)

    a_bogus = staticmethod(a_bogus)
    web_signed = staticmethod(web_signed)
    ac_signature = staticmethod(ac_signature)


@pytest.fixture
def faults() -> Faults:
    """The switches of one platform."""
    return Faults()


@pytest.fixture(scope="session")
def world() -> World:
    """The invented people."""
    return World()


@pytest.fixture
def douyin(world: World, faults: Faults) -> Douyin:
    """The platform, at a fixed time."""
    return Douyin(world, Media(lambda: NOW, faults), faults, lambda: NOW)


@pytest.fixture
def new_browser(douyin: Douyin) -> Callable[..., Browser]:
    """Makes browsers that know nothing yet."""
    return lambda **options: Browser(douyin, **options)


@pytest.fixture
def guest(douyin: Douyin) -> Browser:
    """A browser that the platform has registered."""
    return Browser(douyin).register()


@pytest.fixture
def member(douyin: Douyin) -> Browser:
    """A browser with the known login."""
    return Browser(douyin).log_in(login_cookies(NOW))
