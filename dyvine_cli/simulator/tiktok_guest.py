"""What TikTok hands to a browser it has never met, and how it knows its own again: cookies, tokens, the proof of work.

Cookies carry their own check, so an identity made by one simulator is good at the next; only which `msToken` is the
newest of a jar is remembered.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from dyvine_cli.simulator.messages import Request, Response
from dyvine_cli.simulator.tiktok_world import TiktokWorld

YEAR = 31_536_000
TOKEN_LIFE = 10 * 86_400
ANSWER_LIFE = 60
"""Seconds in which an answer to the proof of work must come back; the page's script keeps its cookie for one."""
_KEY = b"the other platform's own secret"


def seal(*parts: object, length: int = 32) -> str:
    """Lasting hexadecimal digits that only we can make of the parts."""
    text = " ".join(map(str, parts))
    out = ""
    while len(out) < length:
        out += hmac.new(_KEY, (text + out).encode(), hashlib.sha512).hexdigest()
    return out[:length]


def set_cookie(name: str, value: str, *, life: int = YEAR, hidden: bool = False) -> tuple[str, str]:
    """A `Set-Cookie` header for the whole domain; `hidden` from scripts."""
    return "Set-Cookie", (
        f"{name}={value}; Path=/; Domain=.tiktok.com; Max-Age={life}; Secure{'; HttpOnly' if hidden else ''}"
    )


# -- who asks ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who a request comes from, by its cookies; values that are not ours count as none.

    `ttwid` is decoded; `login` is None when no session was sent.
    """

    ttwid: str | None
    chain: str | None
    login: bool | None

    @property
    def is_logged_in(self) -> bool:
        """Whether the session is the known login's."""
        return self.login is True

    @property
    def wid(self) -> str:
        """The device id that belongs to the ttwid."""
        return str(7_400_000_000_000_000_000 + int(seal("wid", self.ttwid, length=14), 16))

    @property
    def odin(self) -> str:
        """The visitor id that belongs to the ttwid."""
        return str(7_400_000_000_000_000_000 + int(seal("odin", self.ttwid, length=14), 16))

    @property
    def created(self) -> str:
        """Unix seconds of the ttwid."""
        return (self.ttwid or "").split("|")[2]


class Issuer:
    """Issues cookies; two asked for in one second differ."""

    def __init__(self, seed: int = 1) -> None:
        self._draw = random.Random(f"tiktok issuer {seed}")

    def ttwid(self, now: float) -> str:
        """A registered device: `1|<43 characters>|<unix seconds>|<64 hex>`, not yet percent-encoded."""
        name = base64.urlsafe_b64encode(self._draw.randbytes(32)).decode().rstrip("=")
        head = f"1|{name}|{int(now)}"
        return f"{head}|{seal('ttwid', head, length=64)}"

    def chain(self) -> str:
        """`tt_chain_token`: what media addresses are bound to."""
        head = self._draw.randbytes(8).hex()
        return base64.b64encode(bytes.fromhex(head + seal("chain", head, length=16))).decode()

    def token(self, ttwid: str | None, now: float) -> str:
        """A fresh `msToken` of 172 characters for the jar of a ttwid."""
        head = f"{int(now) & 0xFFFFFFFF:08x}{self._draw.randbytes(24).hex()}"
        raw = bytes.fromhex(head + seal("msToken", ttwid, head, length=200))
        return base64.urlsafe_b64encode(raw).decode()


def is_ttwid(value: str) -> bool:
    """Whether this decoded value was issued by us."""
    head, _, given = value.rpartition("|")
    return head.count("|") == 2 and hmac.compare_digest(
        given.encode(), seal("ttwid", head, length=64).encode()
    )


def _is_chain(value: str) -> bool:
    try:
        raw = base64.b64decode(value, validate=True).hex()
    except ValueError:
        return False
    return len(raw) == 32 and raw[16:] == seal("chain", raw[:16], length=16)


def visitor(request: Request) -> Visitor:
    """Read the cookies of a request."""
    cookies = request.cookies
    ttwid, chain = unquote(cookies.get("ttwid", "")), unquote(cookies.get("tt_chain_token", "").strip('"'))
    session = cookies.get("sessionid") or cookies.get("sessionid_ss") or cookies.get("sid_tt")
    return Visitor(
        ttwid=ttwid if is_ttwid(ttwid) else None,
        chain=chain if _is_chain(chain) else None,
        login=None if session is None else session == TiktokWorld.SESSION,
    )


class Tokens:
    """Which `msToken` is good: issued to this jar, not ended, and one of the two newest (an answer may overtake)."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._newest: dict[str, list[str]] = {}

    def issue(self, ttwid: str, now: float) -> str:
        """A new token, from now on the jar's newest."""
        fresh = self._issuer.token(ttwid, now)
        self._newest[ttwid] = [*self._newest.get(ttwid, [])[-1:], fresh]
        return fresh

    def judge(self, token: str, ttwid: str, now: float) -> str | None:
        """Why the token is refused, None if it is good; an empty one is."""
        if not token:
            return None
        try:
            raw = base64.urlsafe_b64decode(token).hex()
        except ValueError:
            return "msToken: invented"
        head = raw[:56]
        if len(raw) != 256 or raw[56:] != seal("msToken", ttwid, head, length=200):
            return "msToken: invented or another visitor's"
        if now - int(head[:8], 16) > TOKEN_LIFE:
            return "msToken: ended"
        known = self._newest.get(ttwid)
        return "msToken: not the newest" if known and token not in known else None


def login_cookies(now: float, *, session: str = TiktokWorld.SESSION) -> dict[str, str]:
    """The whole jar of a browser that is logged in, as a person would export it; `session` may be a dead one."""
    issuer = Issuer(7)
    ttwid = issuer.ttwid(now)
    end = f"{session}|{int(now)}|15552000|Thu, 31-Dec-2026 00:00:00 GMT"
    return {
        "ttwid": quote(ttwid, safe=""),
        "tt_chain_token": issuer.chain(),
        "tt_csrf_token": seal("csrf", length=36),
        "msToken": issuer.token(ttwid, now),
        "sessionid": session,
        "sessionid_ss": session,
        "sid_tt": session,
        "sid_guard": quote(end, safe=""),
        "uid_tt": seal("uid_tt", length=64),
        "sid_ucp_v1": seal("ucp", length=96),
        "tt-target-idc": "useast2a",
        "odin_tt": seal("odin", length=128),
    }


def login_header(now: float, *, session: str = TiktokWorld.SESSION) -> str:
    """The same jar as the text of a `Cookie` header."""
    return "; ".join(f"{name}={value}" for name, value in login_cookies(now, session=session).items())


# -- the proof of work -------------------------------------------------------------------------------------------------

ANSWER_COOKIE = "_wafchallengeid"
SECOND_COOKIE = "waforiginalreid"
USUAL_ANSWER = 1_973
_HTML = ("Content-Type", "text/html; charset=utf-8")


def _packed(value: Any) -> str:
    return base64.b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()


class ProofOfWork:
    """The "Please wait..." page: makes challenges and knows right answers again, without remembering any."""

    def __init__(self, clock: Callable[[], float], seed: int = 1) -> None:
        self._clock = clock
        self._draw = random.Random(f"waf {seed}")

    def page(self, *, answer: int | None = USUAL_ANSWER, second: bool = True) -> Response:
        """A challenge whose answer is this number, None for one without; `second` asks for the second cookie too."""
        seed = self._draw.randbytes(32)
        digest = hashlib.sha256(seed + str(answer).encode()).digest() if answer is not None else bytes(32)
        value = {
            "a": base64.b64encode(seed).decode(),
            "b": int(self._clock()),
            "c": base64.b64encode(digest).decode(),
        }
        blob = _packed({"v": value, "s": _signature(value, second)}).rstrip("=")
        marks = (
            f'<p id="rci" class="{SECOND_COOKIE}"></p><p id="rs" class="{_second(value)}"></p>'
            if second
            else ""
        )
        return Response(headers=[_HTML], body=_WAIT.format(blob=blob, marks=marks).encode().ljust(1_462))

    def judge(self, request: Request) -> str | None:
        """Whether the cookies of a request answer a challenge of ours rightly and in time; the reason if not."""
        try:
            given = base64.b64decode(request.cookies[ANSWER_COOKIE], validate=True)
            said = json.loads(given)
            value, signature = said["v"], said["s"]
            answer = base64.b64decode(said["d"], validate=True)
            seed, digest = (base64.b64decode(value[name], validate=True) for name in "ac")
            age = self._clock() - value["b"]
        except (ValueError, KeyError, TypeError):
            return "proof of work: no answer"
        facts = {
            "order": list(said) == ["v", "s", "d"] and base64.b64encode(given).decode() == _packed(said),
            "number": bool(re.fullmatch(rb"\d{1,7}", answer))
            and hashlib.sha256(seed + answer).digest() == digest,
            "signature": signature in (_signature(value, True), _signature(value, False)),
            "time": 0 <= age <= ANSWER_LIFE,
            "second cookie": signature == _signature(value, False)
            or request.cookies.get(SECOND_COOKIE) == _second(value),
        }
        return next((f"proof of work: {name}" for name, holds in facts.items() if not holds), None)


def _signature(value: dict[str, Any], second: bool) -> str:
    """Over the challenge and whether it asked for the second cookie."""
    return base64.b64encode(bytes.fromhex(seal("waf", second, sorted(value.items()), length=64))).decode()


def _second(value: dict[str, Any]) -> str:
    return seal("waf second", value["a"], length=40)


_WAIT = (
    '<!DOCTYPE html> <html lang="en"> <head><script id="slardar-config" type="application/json">'
    '{{ "slardarClient": "SlardarWAF", "bid": "slardar_us_waf", "pid": "js-44" }}</script></head><body>'
    ' Please wait... <p id="wci" class="_wafchallengeid"></p><p id="cs" class="{blob}"></p>{marks}'
    '<script src="https://sf16-website-login.neutral.ttwstatic.com/obj/tiktok_web_login_static/obj/waf-aiso/dd9808.js">'
    "</script></body></html>"
)
