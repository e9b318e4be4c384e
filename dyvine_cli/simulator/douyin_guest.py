"""What Douyin hands to a browser it has never met, and how it knows its own again: cookies, nonces, the pages before.

Nothing is kept: every value carries its own check, so an identity made by one simulator is good at the next.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from dyvine_cli.simulator.douyin_signatures import judge_ac_signature, judge_verify_fp
from dyvine_cli.simulator.messages import Request, Response
from dyvine_cli.simulator.world import World

YEAR = 31_536_000
NONCE_LIFE = 1800
_KEY = b"the platform's own secret"


def _seal(text: str, length: int) -> str:
    out = hmac.new(_KEY, text.encode(), hashlib.sha512).hexdigest()
    while len(out) < length:
        out += hmac.new(_KEY, out.encode(), hashlib.sha512).hexdigest()
    return out[:length]


class Issuer:
    """Issues ttwid, UIFID_TEMP and nonces; two asked for in one second differ."""

    def __init__(self, seed: int = 1) -> None:
        self._draw = random.Random(f"issuer {seed}")

    def ttwid(self, now: float) -> str:
        """A registered device: `1|<43 characters>|<unix seconds>|<64 hex>`, not yet percent-encoded."""
        name = base64.urlsafe_b64encode(self._draw.randbytes(32)).decode().rstrip("=")
        head = f"1|{name}|{int(now)}"
        return f"{head}|{_seal(head, 64)}"

    def uifid(self, now: float, length: int = 160) -> str:
        """A device id of 160 hex digits; browsers that ran the page's script have 320."""
        head = f"{int(now) & 0xFFFFFFFF:08x}" + self._draw.randbytes(12).hex()
        return head + _seal(f"uifid {head} {length}", length - len(head))

    def nonce(self, now: float) -> str:
        """`__ac_nonce`: `0`, eight hex digits of the second, twelve more."""
        head = f"0{int(now) & 0xFFFFFFFF:08x}" + self._draw.randbytes(3).hex()
        return head + _seal(f"nonce {head}", 6)


def is_ttwid(value: str) -> bool:
    """Whether this value, percent-encoded or not, was issued by us."""
    text = unquote(value)
    head, _, seal = text.rpartition("|")
    return head.count("|") == 2 and hmac.compare_digest(seal, _seal(head, 64))


def is_uifid(value: str) -> bool:
    """Whether this device id was issued by us; who shows it does not matter."""
    if len(value) not in (160, 192, 320):
        return False
    head = value[:32]
    return hmac.compare_digest(value[32:], _seal(f"uifid {head} {len(value)}", len(value) - 32))


def is_nonce(value: str, now: float) -> bool:
    """Whether this nonce was issued by us and is not older than half an hour."""
    if len(value) != 21 or not hmac.compare_digest(value[15:], _seal(f"nonce {value[:15]}", 6)):
        return False
    return abs(now - int(value[1:9], 16)) <= NONCE_LIFE


def webid(ttwid: str) -> str:
    """The 19 digits that belong to a ttwid."""
    return str(7_000_000_000_000_000_000 + int(_seal(f"webid {unquote(ttwid)}", 12), 16))


def set_cookie(name: str, value: str, *, domain: str | None, life: int = YEAR) -> tuple[str, str]:
    """A `Set-Cookie` header; `domain` None makes it host-only."""
    where = f"; Domain={domain}" if domain else ""
    return "Set-Cookie", f"{name}={value}; Path=/{where}; Max-Age={life}; Secure"


# -- who asks ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who a request comes from, by its cookies. `login` is None when no session was sent."""

    ttwid: str | None
    login: bool | None
    fingerprint: str | None

    @property
    def is_logged_in(self) -> bool:
        """Whether the session is the known login's."""
        return self.login is True

    @property
    def has_dead_login(self) -> bool:
        """Whether a session was sent that is no longer good."""
        return self.login is False


def viewer(request: Request) -> Viewer:
    """Read the cookies of a request; a ttwid that is not ours counts as none."""
    cookies = request.cookies
    session = cookies.get("sessionid") or cookies.get("sessionid_ss") or cookies.get("sid_tt")
    ttwid = cookies.get("ttwid", "")
    return Viewer(
        ttwid=ttwid if is_ttwid(ttwid) else None,
        login=None if session is None else session == World.SESSION,
        fingerprint=cookies.get("s_v_web_id"),
    )


def judge_fingerprint(seen: Viewer, parameters: Mapping[str, str]) -> str | None:
    """Whether `verifyFp`, `fp` and the cookie `s_v_web_id` are one well-formed value, where any of them is sent."""
    value = seen.fingerprint or ""
    values = {parameters.get("verifyFp", ""), parameters.get("fp", ""), value}
    if values == {""}:
        return None
    if len(values) > 1:
        return "verifyFp: differs from fp or s_v_web_id"
    return judge_verify_fp(value)


def login_cookies(now: float, *, session: str = World.SESSION) -> dict[str, str]:
    """The whole jar of a browser that is logged in, as a person would export it; `session` may be a dead one."""
    issuer = Issuer(7)
    end = f"{session}|{int(now)}|5184000|Thu, 31-Dec-2026 00:00:00 GMT"
    return {
        "ttwid": quote(issuer.ttwid(now), safe=""),
        "UIFID": issuer.uifid(now, 320),
        "s_v_web_id": "verify_mspvrlwr_bIKgz6yy_FKLl_4um1_8Qia_E0Y9uYRxYoSQ",
        "sessionid": session,
        "sessionid_ss": session,
        "sid_tt": session,
        "sid_guard": quote(end, safe=""),
        "uid_tt": _seal("uid_tt", 32),
        "uid_tt_ss": _seal("uid_tt", 32),
        "odin_tt": _seal("odin_tt", 128),
        "passport_csrf_token": _seal("csrf", 32),
        "passport_csrf_token_default": _seal("csrf", 32),
        "msToken": _seal("msToken", 128),
    }


def login_header(now: float, *, session: str = World.SESSION) -> str:
    """The same jar as the text of a `Cookie` header."""
    return "; ".join(f"{name}={value}" for name, value in login_cookies(now, session=session).items())


# -- pages -------------------------------------------------------------------------------------------------------------

_CHALLENGE_SIZE = 72_000
_CAPTCHA_SIZE = 6_000


def _page(head: str, size: int = 0) -> bytes:
    """HTML with as much script noise as the platform's page has."""
    start = f'<!DOCTYPE html><html><head><meta charset="utf-8">{head}</head><body></body></html>'.encode()
    return start + b"<!--" + b"x" * max(0, size - len(start) - 7) + b"-->"


def challenge(nonce: str) -> Response:
    """The first page for a browser without nonce: its script would compute `__ac_signature`."""
    script = "<script>window.byted_acrawler&&window.byted_acrawler.init({aid:99999999,dfp:0})</script>"
    headers = [_HTML, set_cookie("__ac_nonce", nonce, domain=None, life=NONCE_LIFE)]
    return Response(headers=headers, body=_page(f"<title></title>{script}", _CHALLENGE_SIZE))


def captcha() -> Response:
    """The page that asks a person to prove it is one."""
    head = '<title>验证码中间页</title><script src="https://lf-cdn-tos.bytescm.com/captcha.js"></script>'
    return Response(headers=[_HTML], body=_page(head, _CAPTCHA_SIZE))


def page(head: str, cookies: list[tuple[str, str]]) -> Response:
    """A real page; `cookies` are the headers it sets."""
    return Response(headers=[_HTML, *cookies], body=_page(head, 20_000))


_HTML = ("Content-Type", "text/html; charset=utf-8")


def before_page(request: Request, issuer: Issuer, now: float) -> Response | None:
    """The challenge or captcha that stands before a page of www.douyin.com; None when the page may be shown."""
    nonce, signature = request.cookies.get("__ac_nonce"), request.cookies.get("__ac_signature")
    if not nonce or not is_nonce(nonce, now):
        return challenge(issuer.nonce(now))
    if not signature:
        return challenge(nonce)
    reason = judge_ac_signature(signature, f"{request.host}/", nonce, request.headers.get("user-agent", ""))
    return captcha() if reason else None
