"""TikTok in small: which host and path answers what, and the gates before it, as strict as the platform is at its worst.

What is refused and how stands in the gates below; `Visitor` says who asks, `Lists`, `Pages` and `Posts` say what.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import parse_qsl, quote

from dyvine_cli.simulator.faults import Fault, Faults
from dyvine_cli.simulator.messages import Request, Response
from dyvine_cli.simulator.shapes import SHAPES as COMMON_SHAPES
from dyvine_cli.simulator.shapes import shaped
from dyvine_cli.simulator.tiktok_guest import Issuer, ProofOfWork, Tokens, Visitor, seal, set_cookie, visitor
from dyvine_cli.simulator.tiktok_lists import Asked, Lists, status
from dyvine_cli.simulator.tiktok_media import TiktokMedia
from dyvine_cli.simulator.tiktok_pages import (
    SHORT_HOSTS,
    Pages,
    account_status,
    captcha_page,
    post_status,
    redirect,
    share_of,
)
from dyvine_cli.simulator.tiktok_posts import Posts, Raw, compact
from dyvine_cli.simulator.tiktok_signatures import (
    Malformed,
    decode_dynosaur,
    judge_all,
    judge_dynosaur,
    take_apart,
)
from dyvine_cli.simulator.tiktok_world import TiktokWorld

WEB = "www.tiktok.com"
SHARE_HOSTS = frozenset({"www.tiktokv.com", "m.tiktok.com"})

Gate = Literal["open", "present", "query", "whole"]
"""How much of a signature a route looks at: nothing, that an X-Dynosaur is there, that it fits the query, everything."""

SHAPES = {
    **COMMON_SHAPES,
    "api-verify": "200 with the captcha envelope: code 10000",
    "api-not-empty": '200 with {"statusCode":0,"hasMore":true} and no entries',
}
"""Answers of the API in place of the true one."""

ROUTES = {
    "signed-closed": "every signature is invalid for protected paths",
    "creator-open": "the unsigned list of posts answers, as before 2026-08",
    "token-refused": "every msToken counts as stale",
    "token-wanted": "an empty msToken counts as stale",
    "token-withheld": "no answer issues an msToken",
    "tokens-live": "older msTokens of the jar stay good",
    "chain-withheld": "no page sets tt_chain_token",
    "ttwid-withheld": "no page sets ttwid",
    "ttwid-refused": "ttwid counts as unknown: 200 with zero bytes",
    "login-expired": "the known login is dead",
    "edge-budget": "more calls a second and identity than the value (default 3) are answered 429",
}
"""Doors that may be shut, and rules that may be stricter or milder; some are Douyin's too."""

_DEVICE = re.compile(r"[1-9]\d{18}")
_JSON = ("Content-Type", "application/json; charset=utf-8")
_TEXT = ("Content-Type", "text/plain; charset=utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    answer: Callable[[Asked], Raw | None]
    gate: Gate


class Tiktok:
    """The platform of one world. `answer` is None for hosts and paths that are not its own.

    Registers its faults with `faults`; `clock` gives unix seconds.
    """

    def __init__(
        self, world: TiktokWorld, media: TiktokMedia, faults: Faults, clock: Callable[[], float] = time.time
    ) -> None:
        self.world = world
        self._faults = faults
        self._clock = clock
        self._issuer = Issuer(world.seed)
        self._tokens = Tokens(self._issuer)
        self._posts = Posts(world, media, faults, clock)
        self._lists = Lists(world, self._posts, faults)
        self._pages = Pages(world, self._posts, faults, ProofOfWork(clock, world.seed), clock)
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)
        self.reasons: deque[str] = deque(maxlen=100)
        """Why requests were refused, newest last; for tests that want to know what their client did wrong."""
        faults.register({**SHAPES, **ROUTES})
        lists = self._lists
        self._routes: dict[str, _Route] = {
            "/api/post/item_list/": _Route(answer=lists.user_posts, gate="whole"),
            "/api/creator/item_list/": _Route(answer=self._creator_posts, gate="open"),
            "/api/favorite/item_list/": _Route(answer=lists.likes, gate="whole"),
            "/api/repost/item_list/": _Route(answer=lists.reposts, gate="whole"),
            "/api/user/collect/item_list/": _Route(answer=lists.saved, gate="whole"),
            "/api/user/playlist/": _Route(answer=lists.playlists, gate="whole"),
            "/api/mix/item_list/": _Route(answer=lists.playlist_posts, gate="whole"),
            "/api/mix/detail/": _Route(answer=self._playlist, gate="query"),
            "/api/collection/item_list/": _Route(answer=lists.collection_posts, gate="whole"),
            "/api/user/detail/": _Route(answer=self._user, gate="query"),
            "/api/item/detail/": _Route(answer=self._item, gate="present"),
            "/api/recommend/item_list/": _Route(answer=self._recommended, gate="present"),
        }

    def answer(self, request: Request) -> Response | None:
        """What the platform says."""
        host, path = request.host, request.path
        if host in SHORT_HOSTS or (host == WEB and path.startswith("/t/")):
            return self._pages.short(request)
        if host in SHARE_HOSTS or host == "tiktok.com":
            return self._moved(request)
        if host == WEB and path.startswith("/api/"):
            return self._api(request)
        if host == WEB:
            return self._shaped(request) or self._site(request)
        if re.fullmatch(r"api\d+-normal-[\w-]+\.tiktokv\.com", host):
            return Response(status=429, headers=[_TEXT], body=b"ratelimit triggered")
        return None

    def _moved(self, request: Request) -> Response:
        """Share addresses and the bare host lead to the page on the main host."""
        path = request.path
        if found := re.fullmatch(r"(?:/share/(?:video|photo)|/v)/(\d+)(?:\.html|/?)", path):
            path = f"/@/video/{found[1]}"
        return redirect(f"https://{WEB}{path}{'?' + request.query if request.query else ''}")

    # -- pages and small services --------------------------------------------------------------------------------------

    def _site(self, request: Request) -> Response:
        if request.path == "/oembed":
            return self._pages.oembed(request)
        if request.path == "/ttwid/check/":
            return self._renewed(request)
        if request.path.startswith("/passport/"):
            return self._passport(request)
        if request.method not in ("GET", "HEAD"):
            return Response(status=405, headers=[("Allow", "GET, HEAD")])
        return self._page(request)

    def _page(self, request: Request) -> Response:
        """A page, and the cookies that it sets; what stands before pages sets none."""
        before = self._pages.before(request)
        if self._pages.reason:
            self.reasons.append(self._pages.reason)
        if before is not None:
            return before
        seen, cookies = self._known(request)
        answer = self._pages.page(request, seen)
        if "tt_csrf_token" not in request.cookies:
            cookies.append(set_cookie("tt_csrf_token", seal("csrf", self._clock(), length=36), hidden=True))
        answer.headers.extend(cookies)
        self._issue(request, answer, seen)
        return answer

    def _known(self, request: Request) -> tuple[Visitor, list[tuple[str, str]]]:
        """Who asks, a newcomer with cookies of its own, and the headers that hand them out."""
        seen, cookies = self._visitor(request), []
        if seen.ttwid is None:
            ttwid = self._issuer.ttwid(self._clock())
            seen = replace(seen, ttwid=ttwid)
            if self._faults.take("ttwid-withheld", request) is None:
                cookies.append(set_cookie("ttwid", quote(ttwid, safe=""), hidden=True))
        if seen.chain is None:
            chain = self._issuer.chain()
            seen = replace(seen, chain=chain)
            if self._faults.take("chain-withheld", request) is None:
                cookies.append(set_cookie("tt_chain_token", chain, life=180 * 86_400, hidden=True))
        return seen, cookies

    def _issue(self, request: Request, answer: Response, seen: Visitor) -> None:
        """Every answer hands out the jar's next `msToken`, as header and as cookie."""
        if seen.ttwid and self._faults.take("token-withheld", request) is None:
            token = self._tokens.issue(seen.ttwid, self._clock())
            answer.headers += [("x-ms-token", token), set_cookie("msToken", token, life=10 * 86_400)]

    def _renewed(self, request: Request) -> Response:
        """`/ttwid/check/`: a ttwid for a known service; a good one is kept."""
        try:
            wish = json.loads(request.body)
            known = wish["aid"] == 1988 and wish["service"] == WEB
        except (ValueError, TypeError, KeyError):
            known = False
        if request.method != "POST" or not known:
            return _json({"status_code": 5, "message": "invalid param"})
        answer = _json({"status_code": 0, "message": "success"})
        ttwid = self._visitor(request).ttwid or self._issuer.ttwid(self._clock())
        answer.headers.append(set_cookie("ttwid", quote(ttwid, safe=""), hidden=True))
        return answer

    def _passport(self, request: Request) -> Response:
        """Whether a session is alive, unsigned."""
        if request.path != "/passport/token/beat/web/":
            answer = _json({"data": {}, "message": "success"})
            answer.headers.append(set_cookie("odin_tt", seal("odin", self._clock(), length=128)))
            return answer
        if self._visitor(request).is_logged_in:
            return _json({"data": {"user_id_str": self.world.myself.id}, "message": "success"})
        return _json({"data": {"error_code": 1, "description": "session expired"}, "message": "error"})

    def _visitor(self, request: Request) -> Visitor:
        seen = visitor(request)
        if self._faults.take("ttwid-refused", request):
            seen = replace(seen, ttwid=None)
        dead = seen.login is True and self._faults.take("login-expired", request) is not None
        return replace(seen, login=False) if dead else seen

    # -- the API and its gates -----------------------------------------------------------------------------------------

    def _api(self, request: Request) -> Response:
        """One call of the web client: edge, visitor, device, token, signature, then the answer."""
        shape = self._shaped(request)
        if shape is not None:
            return shape
        route = self._routes.get(request.path)
        if route is None or request.method != "GET":
            return Response(status=404, headers=[_TEXT], body=b"404 page not found")
        seen = self._visitor(request)
        asked = Asked(request=request, parameters=_parameters(request), seen=seen)
        reason = self._gates(asked, route.gate)
        if reason is not None:
            return self._refused(reason)
        if asked.parameters.get("aid") != "1988":
            return _json(status(5))
        raw = route.answer(asked)
        if raw is None:
            return self._refused("nothing to show")
        answer = self._answered(raw)
        self._issue(request, answer, seen)
        return answer

    def _gates(self, asked: Asked, gate: Gate) -> str | None:
        """The first reason to answer with nothing, None if the call passes."""
        request = asked.request
        if not request.headers.get("user-agent", "").startswith("Mozilla/5.0"):
            return "user agent"
        if not _DEVICE.fullmatch(asked.parameters.get("device_id", "")):
            return "device_id"
        reason = self._judge_signature(request, gate)
        if reason or gate in ("open", "present"):
            return reason
        return self._judge_visitor(asked, strict=gate == "whole")

    def _judge_visitor(self, asked: Asked, *, strict: bool) -> str | None:
        """Whether the cookies are a visitor's of ours and the token is the newest that it was given."""
        seen, request = asked.seen, asked.request
        if seen.ttwid is None:
            return "ttwid"
        if strict and not asked.parameters.get("WebIdLastTime", "").isdecimal():
            return "WebIdLastTime"
        if strict and not request.headers.get("referer", "").startswith(f"https://{WEB}/"):
            return "Referer"
        token = asked.parameters.get("msToken", "")
        refused = self._faults.take("token-refused", request) is not None and bool(token)
        wanted = self._faults.take("token-wanted", request) is not None and not token
        if refused or wanted:
            return "msToken: fault"
        reason = self._tokens.judge(token, seen.ttwid, self._clock())
        live = reason == "msToken: not the newest" and self._faults.take("tokens-live", request) is not None
        return None if live else reason

    def _judge_signature(self, request: Request, gate: Gate) -> str | None:
        agent = request.headers.get("user-agent", "")
        parts = take_apart(request.query)
        if gate == "open":
            return None
        if self._faults.take("signed-closed", request) and gate == "whole":
            return "signature: closed"
        if gate == "whole":
            return judge_all(request.query, request.body, agent, self._clock())
        if gate == "query":
            return judge_dynosaur(parts.dynosaur or "", parts.business, agent)
        try:
            decode_dynosaur(parts.dynosaur or "")
        except Malformed as exc:
            return f"X-Dynosaur: {exc}"
        return None

    def _refused(self, reason: str) -> Response:
        """TikTok's refusal: 200, JSON, zero bytes; the reason goes to `reasons` only."""
        self.reasons.append(reason)
        return _nothing()

    def _answered(self, raw: Raw) -> Response:
        now = self._clock()
        log = time.strftime("%Y%m%d%H%M%S", time.gmtime(now)) + seal("log", now, length=20).upper()
        extra = {"fatal_item_ids": [], "logid": log, "now": int(now) * 1000}
        return _json({"extra": extra, "log_pb": {"impr_id": log}, **raw}, ("x-tt-logid", log))

    def _shaped(self, request: Request) -> Response | None:
        """The odd answer that is switched on, or the edge's when the caller is too fast."""
        if self._is_too_fast(request):
            self.reasons.append("budget")
            return Response(status=429, headers=[_TEXT], body=b"Too Many Requests")
        is_api = request.path.startswith("/api/")
        names = SHAPES if is_api else [name for name in SHAPES if name.startswith("edge-")]
        fault = self._faults.take_any(names, request)
        return _shape(fault) if fault else None

    def _is_too_fast(self, request: Request) -> bool:
        fault = self._faults.take("edge-budget", request)
        if fault is None:
            return False
        cookies = request.cookies
        calls = self._calls[cookies.get("sessionid") or cookies.get("ttwid") or "nobody"]
        now = self._clock()
        while calls and calls[0] <= now - 1:
            calls.popleft()
        calls.append(now)
        return len(calls) > fault.number(3)

    # -- single things -------------------------------------------------------------------------------------------------

    def _creator_posts(self, asked: Asked) -> Raw | None:
        """Dead since the end of 2026-08 (gallery-dl #9718)."""
        if self._faults.take("creator-open", asked.request) is None:
            return None
        return self._lists.creator_posts(asked)

    def _item(self, asked: Asked) -> Raw:
        post = self.world.post(asked.parameters.get("itemId", ""))
        code = post_status(post, asked.seen)
        if code or post is None:
            return status(code)
        item = self._posts.item(
            post, asked.request, chain=asked.seen.chain, channel="detail", login=asked.seen.is_logged_in
        )
        item.pop("challenges", None)
        item.pop("textExtra", None)
        share = {"title": f"{post.creator.nickname} on TikTok", "desc": post.text}
        return {**status(0), "itemInfo": {"itemStruct": item}, "shareMeta": share}

    def _user(self, asked: Asked) -> Raw:
        """A handle in the secUid's place is nobody."""
        handle, sec_uid = (asked.parameters.get(name, "") for name in ("uniqueId", "secUid"))
        creator = self.world.creator(sec_uid or handle)
        if creator is not None and sec_uid and creator.sec_uid != sec_uid:
            creator = None
        code = account_status(creator)
        if creator is None or code == 10221:
            return {**status(10221), "userInfo": {}}
        told = {"shareMeta": share_of(creator), "userInfo": self._posts.user_info(creator, page=False)}
        return {**told, "statusCode": code, "status_code": code, "status_msg": ""}

    def _playlist(self, asked: Asked) -> Raw:
        playlist = self.world.playlist(asked.parameters.get("mixId", ""))
        return {**status(0), "mixInfo": self._posts.playlist(playlist)} if playlist else status(10204)

    def _recommended(self, asked: Asked) -> Raw:
        """A feed without cursor; guests ask it for an `msToken`."""
        names = (TiktokWorld.SMALL, TiktokWorld.PHOTO, TiktokWorld.SUBTITLES)
        posts = [post for post in map(self.world.post, names) if post]
        items = [self._posts.item(p, asked.request, chain=asked.seen.chain, channel="list") for p in posts]
        return {"statusCode": 0, "status_code": 0, "itemList": items, "hasMore": True}


# -- small rules -------------------------------------------------------------------------------------------------------


def _json(raw: object, *headers: tuple[str, str]) -> Response:
    return Response(headers=[_JSON, *headers], body=compact(raw).encode("utf-8", "surrogatepass"))


def _nothing() -> Response:
    return Response(headers=[("Content-Type", "application/json"), ("tt_orcas_res", "1")])


def _parameters(request: Request) -> Mapping[str, str]:
    """The query, decoded; of a repeated name the last value counts."""
    return dict(parse_qsl(request.query, keep_blank_values=True))


def _shape(fault: Fault) -> Response:
    """The odd answer of a fault, in TikTok's words."""
    common = shaped(fault, key="itemList", cursor="cursor")
    if common is not None:
        return common
    if fault.name == "api-empty":
        return _nothing()
    if fault.name == "api-captcha-html":
        return captcha_page()
    if fault.name == "api-not-empty":
        return _json({"statusCode": 0, "status_code": 0, "hasMore": True, "cursor": "0"})
    if fault.name == "api-status":
        return _json(status(fault.number(4)))
    decision = {"code": "10000", "type": "verify", "subtype": "slide", "region": "va"}
    return _json(
        {"code": "10000", "from": "", "type": "verify", "verify_center_decision_conf": compact(decision)}
    )
