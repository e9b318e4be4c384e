"""A browser for the simulator's own tests.

It makes signatures from the protocol description, without the client's code, and holds the platform's own constants
against them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest

from dyvine_cli.simulator import tiktok_guest, tiktok_signatures
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
from dyvine_cli.simulator.tiktok import Tiktok
from dyvine_cli.simulator.tiktok_media import TiktokMedia
from dyvine_cli.simulator.tiktok_world import TIKTOK
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


# -- TikTok ------------------------------------------------------------------------------------------------------------

TIKTOK_COMMON = {
    "WebIdLastTime": "",
    "aid": "1988",
    "app_language": "en",
    "app_name": "tiktok_web",
    "browser_version": "5.0 (Windows NT 10.0; Win64; x64)",
    "channel": "tiktok_web",
    "device_id": "",
    "device_platform": "web_pc",
    "odinId": "",
    "region": "US",
    "tz_name": "America/New_York",
}


def coded(text: str, *, b: bool = False) -> bytes:
    """A field of X-Dynosaur in coding A or B."""
    out = bytearray()
    for i, char in enumerate(map(ord, text)):
        if b:
            v = (char ^ (102 + i) & 255) + (170 & i) & 255 ^ 165
            out.append((v << 1 | v >> 7) & 255 ^ 187)
        else:
            v = (char ^ (103 + i) & 255) + 1 + (170 & i) & 255
            out.append(((v << 2 | v >> 6) & 255 ^ 187) + 1 & 255)
    out += bytes((221 + i) & 255 for i in range(len(out), max(6, len(out) + 2) - 2))
    return bytes(out) + len(text).to_bytes(2, "big")


def sealed(payload: bytes, draw: random.Random) -> str:
    """An envelope under a key of its own."""
    key = draw.randbytes(48)
    hidden = tiktok_signatures.crypt(payload, key)
    place = (sum(key) + sum(hidden)) % (len(hidden) + 1)
    raw = base64.b64encode(b"K" + hidden[:place] + key + hidden[place:]).decode()
    return raw.translate(
        str.maketrans(tiktok_signatures.STANDARD_ALPHABET, tiktok_signatures.ENVELOPE_ALPHABET)
    )


@dataclass(kw_only=True)
class Sdk:
    """The page's signing script: constants that a test may spoil, and its counters."""

    version: str = "5.3.2"
    scm: str = "2.0.0.561"
    env: int = 65
    ub: int = 8
    x38: int = 0xC46CE353
    canvas: int = 1_135_188_161
    page: str = "www.tiktok.com/"
    count: int = 0
    seeds: tuple[int, int] = (1_652_779_289, 1_652_779_282)
    draw: random.Random = field(default_factory=lambda: random.Random(1))

    def sign(self, query: str, token: str, agent: str, now: int, body: bytes = b"") -> str:
        """The query with the four parameters behind it."""
        self.count += 1
        covered = f"{query}&X-Dynosaur={self.dynosaur(query, agent, now)}&msToken={token}"
        return f"{covered}&X-Bogus=1&X-Gnarly={self.gnarly(covered, agent, now, body)}"

    def dynosaur(self, query: str, agent: str, now: int) -> str:
        """X-Dynosaur of a business query."""
        seed = self.seeds[1]
        mixed = tiktok_signatures.mix(now, seed, self.env)
        mixed -= 2**32 if mixed >= 2**31 else 0
        texts: dict[int, object] = {
            0x23: 0, 0x24: mixed, 0x25: self.count, 0x26: self.env, 0x27: now, 0x28: 0, 0x29: 0, 0x2A: self.version,
            0x2C: self.canvas, 0x2D: 0, 0x2F: self.count, 0x31: self.scm, 0x32: 0, 0x33: 0, 0x34: seed,
            0x35: self.page[:50], 0x36: self.ub, 0x37: 0,
        }  # fmt: skip
        fields = {0x21: coded("1", b=True), 0x22: coded("1", b=True)}
        fields |= {tag: coded(str(value)) for tag, value in texts.items()}
        hashes = {0x2B: "", 0x2E: query, 0x30: agent}
        fields |= {tag: tiktok_signatures.hash_state(text).to_bytes(4, "big") for tag, text in hashes.items()}
        fields[0x38] = self.x38.to_bytes(4, "big")
        checksum = 0xDE
        for value in fields.values():
            checksum ^= value[1]
        fields[0x20] = coded(str(checksum), b=True)
        records = (bytes([tag]) + len(raw).to_bytes(2, "big") + raw for tag, raw in sorted(fields.items()))
        return sealed(b"".join(records), self.draw)

    def gnarly(self, covered: str, agent: str, now: int, body: bytes = b"") -> str:
        """X-Gnarly of a query with X-Dynosaur and msToken."""
        seed, canvas = self.seeds[0], self.canvas & 0xFFFFFFFF
        md5 = [hashlib.md5(data).hexdigest() for data in (covered.encode(), body, agent.encode())]
        low = 1_767_225_600 if self.env & 32 else now
        fields: dict[int, int | str] = {
            1: self.env, 2: self.ub, 3: md5[0], 4: md5[1], 5: md5[2], 6: now, 7: canvas, 8: seed, 9: self.version,
            10: self.scm, 11: 1, 12: self.count, 13: self.count, 14: tiktok_signatures.mix(now, seed, self.env),
            15: (low ^ seed) & 0xFFFF | ((canvas ^ seed >> 16) & 0xFFFF) << 16,
        }  # fmt: skip
        fields[16] = fields[0] = 0
        for value in list(fields.values())[:15]:
            fields[16] ^= value if isinstance(value, int) else int.from_bytes(value.encode()[:4], "big")
        for key in range(1, 17):
            value = fields[key]
            fields[0] ^= value if isinstance(value, int) else tiktok_signatures.js_number(value)
        payload = bytes([17])
        for key, value in fields.items():
            raw = (
                value.encode()
                if isinstance(value, str)
                else value.to_bytes(2 if value <= 65_535 else 4, "big")
            )
            payload += bytes([key]) + len(raw).to_bytes(2, "big") + raw
        return sealed(payload, self.draw)


class TiktokBrowser:
    """Someone with a cookie jar in front of TikTok and its media hosts."""

    def __init__(self, tiktok: Tiktok, media: TiktokMedia, *, now: int = NOW, agent: str = AGENT) -> None:
        self.tiktok = tiktok
        self.media = media
        self.now = now
        self.agent = agent
        self.sdk = Sdk()
        self.jar: dict[str, str] = {}
        self.context: dict[str, str] = {}

    def request(
        self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """One request with the jar; what the answer sets is kept."""
        host, _, rest = url.removeprefix("https://").partition("/")
        path, _, query = rest.partition("?")
        sent = {"user-agent": self.agent, "referer": "https://www.tiktok.com/", **(headers or {})}
        if self.jar and host.endswith("tiktok.com"):
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
        asked = Request(method=method, host=host, path=f"/{path}", query=query, headers=sent, body=body)
        answer = self.media.answer(asked) or self.tiktok.answer(asked)
        assert answer is not None
        for name, value in answer.headers:
            if name == "Set-Cookie":
                key, _, text = value.partition(";")[0].partition("=")
                self.jar[key] = text
        return answer

    def fetch(self, url: str, **headers: str) -> Response:
        """A file, with the cookie that its address names and nothing else."""
        jar, self.jar = self.jar, {}
        if (
            url.startswith("https://")
            and url.split("/")[2].endswith(".tiktok.com")
            and "tt_chain_token" in jar
        ):
            self.jar = {"tt_chain_token": jar["tt_chain_token"]}
        try:
            return self.request(url, headers=headers)
        finally:
            self.jar = jar

    def scope(self, path: str, **headers: str) -> Any:
        """The hydration data of a page; `context` is filled from it."""
        answer = self.request(f"https://www.tiktok.com{path}", headers=headers)
        assert isinstance(answer.body, bytes)
        assert answer.status == 200, (answer.status, dict(answer.headers))
        text = answer.body.decode().split('__UNIVERSAL_DATA_FOR_REHYDRATION__" type="application/json">')[1]
        scope = json.loads(text.split("</script>")[0])["__DEFAULT_SCOPE__"]
        self.context = scope["webapp.app-context"]
        return scope

    def item(self, id: str) -> Any:
        """The post of a `/video/` page."""
        return self.scope(f"/@_/video/{id}")["webapp.video-detail"]["itemInfo"]["itemStruct"]

    def embedded(self, handle: str) -> Any:
        """The state of an embed page."""
        answer = self.request(f"https://www.tiktok.com/embed/@{handle}")
        assert isinstance(answer.body, bytes)
        text = answer.body.decode().split('__FRONTITY_CONNECT_STATE__" type="application/json">')[1]
        return json.loads(text.split("</script>")[0])

    def arrive(self) -> TiktokBrowser:
        """Become a visitor: a page's cookies and ids."""
        self.scope(f"/@{TIKTOK.SAMPLES}")
        return self

    def query(self, **parameters: object) -> str:
        """The business query, with the ids that the page gave."""
        ids = {"device_id": "wid", "odinId": "odinId", "WebIdLastTime": "webIdCreatedTime"}
        common = TIKTOK_COMMON | {name: self.context.get(key, "") for name, key in ids.items()}
        pairs = {**common, **parameters}
        return "&".join(f"{name}={quote(str(value), safe='()/:,;')}" for name, value in pairs.items())

    def signed(self, name: str, **parameters: object) -> str:
        """The address of an API call with everything that belongs to it."""
        query = self.query(**parameters)
        signed = self.sdk.sign(query, self.jar.get("msToken", ""), self.agent, self.now)
        return f"https://www.tiktok.com/api/{name}/?{signed}"

    def get(self, name: str, **parameters: object) -> Any:
        """The JSON of an API call, None for an empty answer."""
        answer = self.request(self.signed(name, **parameters))
        assert isinstance(answer.body, bytes)
        assert answer.status == 200, (answer.status, answer.body)
        return json.loads(answer.body) if answer.body else None

    def listed(self, name: str, key: str = "itemList", **parameters: object) -> list[Any]:
        """All pages of a listing, as an honest client walks them."""
        pages: list[Any] = []
        cursor = "0"
        while True:
            page = self.get(name, **parameters, cursor=cursor)
            assert page is not None, self.tiktok.reasons
            pages.append(page)
            if not page["hasMore"]:
                return pages
            cursor = page["cursor"]


@pytest.fixture
def tiktok_media(faults: Faults) -> TiktokMedia:
    """TikTok's media hosts, at a fixed time."""
    return TiktokMedia(lambda: NOW, faults)


@pytest.fixture
def tiktok(tiktok_media: TiktokMedia, faults: Faults) -> Tiktok:
    """The platform, at a fixed time."""
    return Tiktok(TIKTOK, tiktok_media, faults, lambda: NOW)


@pytest.fixture
def newcomer(tiktok: Tiktok, tiktok_media: TiktokMedia) -> TiktokBrowser:
    """A browser that knows nothing yet."""
    return TiktokBrowser(tiktok, tiktok_media)


@pytest.fixture
def visitor(newcomer: TiktokBrowser) -> TiktokBrowser:
    """A browser with a visitor's cookies."""
    return newcomer.arrive()


@pytest.fixture
def follower(newcomer: TiktokBrowser) -> TiktokBrowser:
    """A browser with the known login."""
    newcomer.jar = tiktok_guest.login_cookies(NOW)
    return newcomer.arrive()


@pytest.fixture(scope="session")
def differences() -> Callable[..., list[str]]:
    """Where keys or types of an answer differ from those of a recording."""
    return lambda real, ours, place="", thinned=False: sorted(_differences(real, ours, place, thinned))


def _type(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else type(value).__name__


def _differences(real: Any, ours: Any, place: str, thinned: bool) -> Iterator[str]:
    """Each entry of a list must be like one of the recorded ones; a `thinned` recording may lack keys."""
    if _type(real) != _type(ours):
        yield f"{place}: {_type(real)} is {_type(ours)}"
    elif isinstance(real, dict):
        alone = set(real) - set(ours) if thinned else set(real) ^ set(ours)
        yield from (f"{place}.{key}: only on one side" for key in alone)
        for key in set(real) & set(ours):
            yield from _differences(real[key], ours[key], f"{place}.{key}", thinned)
    elif isinstance(real, list) and real:
        for entry in ours:
            yield from min((list(_differences(like, entry, f"{place}[]", thinned)) for like in real), key=len)
