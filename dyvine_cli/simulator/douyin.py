"""Douyin in small: which host and path answers what, and the gates before it, as strict as the platform is at its worst.

What is refused and how stands in the gates below; `Viewer` says who asks, `Lists`, `Pages` and `Posts` say what.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, quote

from dyvine_cli.simulator.douyin_guest import (
    Issuer,
    Viewer,
    captcha,
    is_uifid,
    judge_fingerprint,
    set_cookie,
    viewer,
    webid,
)
from dyvine_cli.simulator.douyin_lists import Lists
from dyvine_cli.simulator.douyin_pages import Pages
from dyvine_cli.simulator.douyin_posts import Posts, Raw, compact, token
from dyvine_cli.simulator.douyin_signatures import (
    before_a_bogus,
    judge_a_bogus,
    judge_a_bogus_cus,
    judge_web_signature,
    judge_x_bogus,
)
from dyvine_cli.simulator.faults import Fault, Faults
from dyvine_cli.simulator.media import Media
from dyvine_cli.simulator.messages import Request, Response
from dyvine_cli.simulator.shapes import SHAPES as COMMON_SHAPES
from dyvine_cli.simulator.shapes import shaped
from dyvine_cli.simulator.world import Published, World

WEB_HOSTS = frozenset({"www.douyin.com", "www-hj.douyin.com"})
SHORT_HOSTS = frozenset({"v.douyin.com", "v.iesdouyin.com", "jx.douyin.com"})
SHARE_HOSTS = frozenset({"www.iesdouyin.com", "m.douyin.com"})
FEED_HOSTS = frozenset({"api5-normal-c-hl.amemv.com", "aweme.snssdk.com"})
WEB = "/aweme/v1/web/"
EMBED_ORIGIN = "https://open.douyin.com"
OWN_ORIGINS = frozenset({"https://www.douyin.com", "https://www-hj.douyin.com"})

PROTECTED = frozenset(
    {
        "aweme/detail/",
        "aweme/post/",
        "aweme/favorite/",
        "aweme/listcollection/",
        "mix/aweme/",
        "mix/list/",
        "mix/detail/",
    }
)
"""Paths below `WEB` that stand behind the gate Argus, as far as they are answered here (reported, 2026-08 and 09)."""

ARGUS = {
    "argus-uifid-not-found": "Uifid Not Found",
    "argus-signature-not-found": "Signature Not Found",
    "argus-validate-error": "Validate Error",
    "argus-sign-invalid": "Sign Invalid",
}
SHAPES = {
    **COMMON_SHAPES,
    **{name: f"403 Blocked by ArgusSecurityPlugin {text}" for name, text in ARGUS.items()},
    "api-verify-ticket": "200 with verify_ticket: a captcha is wanted",
    "api-verify-center": "200 with verify_center_decision_conf: a captcha is wanted",
    "api-bdturing": "200 with zero bytes and the header bdturing-verify",
    "api-vc-bdturing": "200 with zero bytes and the header x-vc-bdturing-parameters",
}
"""Answers of the API in place of the true one."""

DETAILS = {
    "detail-filtered": "every post is refused for the reason of the value (default status_deleted)",
    "detail-field-missing": "the detail lacks the key of the value (default author)",
    "detail-field-null": "the detail's key of the value (default video) is null",
}
"""Details that are refused or lack something."""

ROUTES = {
    "embed-closed": "open.douyin.com is a foreign origin like any other: 403",
    "signed-closed": "every signature is invalid for protected paths",
    "slidesinfo-closed": "slidesinfo answers nothing",
    "batch-closed": "multi/aweme/detail answers nothing",
    "feed-closed": "the app feed answers nothing",
    "feed-wanted-second": "the wanted post is not the first of the app feed",
    "feed-wanted-missing": "the app feed gives other posts only",
    "a-bogus-unenforced": "a wrong or missing a_bogus does not matter, as reported of 2026-09",
    "ttwid-refused": "ttwid counts as unknown: 200 with zero bytes",
    "ttwid-withheld": "registering a device gives no ttwid",
    "login-expired": "the known login is dead",
    "edge-budget": "more calls a second and identity than the value (default 3) are answered 429",
}
"""Doors that may be shut, and rules that may be stricter or milder."""

_PHONE_APP = re.compile(r"com\.ss\.android\.ugc\.aweme/")
_NOTICES = {
    "status_deleted": "因作品权限或已被删除，无法观看，去看看其他作品吧",
    "status_self_see": "因作品权限设置，无法观看，去看看其他作品吧",
    "status_part_see": "因作品权限设置，无法观看，去看看其他作品吧",
    "status_reviewing": "作品正在审核中",
}

Parameters = Mapping[str, str]


class Douyin:
    """The platform of one world. `answer` is None for hosts and paths that are not its own.

    Registers its faults with `faults`; `clock` gives unix seconds.
    """

    def __init__(
        self, world: World, media: Media, faults: Faults, clock: Callable[[], float] = time.time
    ) -> None:
        self.world = world
        self._faults = faults
        self._clock = clock
        self._issuer = Issuer(world.seed)
        self._posts = Posts(world, media, clock)
        self._lists = Lists(world, self._posts, faults)
        self._pages = Pages(world, self._posts, faults, self._issuer, clock)
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)
        self.reasons: deque[str] = deque(maxlen=100)
        """Why requests were refused, newest last; for tests that want to know what their client did wrong."""
        faults.register({**SHAPES, **DETAILS, **ROUTES})
        self._endpoints: dict[str, Callable[[Request, Parameters, Viewer], Raw | None]] = {
            "aweme/detail/": self._detail,
            "multi/aweme/detail/": self._batch,
            "aweme/post/": self._lists.user_posts,
            "aweme/favorite/": self._lists.likes,
            "mix/list/": self._lists.mixes,
            "mix/aweme/": self._lists.mix_posts,
            "mix/detail/": self._mix,
            "user/profile/other/": self._profile,
            "user/profile/self/": self._own_profile,
            "query/user/": self._query_user,
        }

    def answer(self, request: Request) -> Response | None:
        """What the platform says."""
        host, path = request.host, request.path
        if host in WEB_HOSTS and path.startswith(WEB):
            return self._web(request)
        if host == "www.douyin.com" and not path.startswith("/aweme/"):
            return self._site(request)
        if host in SHORT_HOSTS:
            return self._pages.short(request)
        if host in SHARE_HOSTS and path.startswith("/share/"):
            return self._pages.share(request, self._viewer(request))
        if host == "www.iesdouyin.com" and path.startswith("/web/api/v2/"):
            return self._h5(request)
        if host == "live.douyin.com" and path == "/":
            return self._pages.live(request, self._viewer(request))
        if host in FEED_HOSTS and path == "/aweme/v1/feed/":
            return self._shaped(request) or self._feed(request)
        return self._device(request)

    # -- devices -------------------------------------------------------------------------------------------------------

    def _device(self, request: Request) -> Response | None:
        """The hosts that register devices."""
        if request.host == "ttwid.bytedance.com" and request.path == "/ttwid/union/register/":
            return self._register(request)
        if request.host == "mcs.zijieapi.com" and request.path == "/webid":
            return _json({"e": 0, "web_id": webid(token("anonymous", self._clock()))})
        if request.host == "mssdk.bytedance.com" and request.method == "POST":
            fresh = token("msToken", self._clock(), length=64) * 2
            return Response(
                headers=[("x-ms-token", fresh), set_cookie("msToken", fresh, domain=".douyin.com")]
            )
        return None

    def _register(self, request: Request) -> Response:
        """A device registers with a JSON body that names app and service."""
        if request.method != "POST":
            return Response(status=404)
        try:
            wish = json.loads(request.body)
            known = wish["aid"] in (1768, 6383) and wish["service"] in ("www.ixigua.com", "www.douyin.com")
        except (ValueError, TypeError, KeyError):
            known = False
        if not known or "json" not in request.headers.get("content-type", ""):
            return _json({"status_code": 5, "message": "invalid param"})
        answer = _json({"status_code": 0, "message": "success"})
        if not self._faults.take("ttwid-withheld", request):
            ttwid = quote(self._issuer.ttwid(self._clock()), safe="")
            answer.headers.append(set_cookie("ttwid", ttwid, domain=".bytedance.com"))
        return answer

    def _site(self, request: Request) -> Response:
        if request.path == "/passport/general/login_guiding_strategy/":
            csrf = token("csrf", self._clock())
            names = ("passport_csrf_token", "passport_csrf_token_default")
            answer = _json({"data": {}, "message": "success"})
            answer.headers += [set_cookie(name, csrf, domain=".douyin.com") for name in names]
            return answer
        return self._pages.web(request, self._viewer(request))

    def _viewer(self, request: Request) -> Viewer:
        seen = viewer(request)
        ttwid = None if self._faults.take("ttwid-refused", request) else seen.ttwid
        dead = seen.login is True and self._faults.take("login-expired", request) is not None
        return Viewer(ttwid=ttwid, login=False if dead else seen.login, fingerprint=seen.fingerprint)

    # -- the web API and its gates -------------------------------------------------------------------------------------

    def _web(self, request: Request) -> Response:
        """One call of the web client: edge, origin, login, Argus, device, a_bogus, then the answer."""
        shaped = self._shaped(request)
        if shaped is not None:
            return shaped
        name = request.path.removeprefix(WEB)
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            return Response(status=404, headers=[_TEXT], body=b"404 page not found")
        origin = request.headers.get("origin")
        if origin is not None and origin not in OWN_ORIGINS:
            return self._embedded(request, origin, name)
        seen = self._viewer(request)
        parameters = _parameters(request)
        refusal = self._gates(request, parameters, seen, name)
        if refusal is not None:
            return refusal
        answer = self._answered(request, endpoint(request, parameters, seen))
        if seen.ttwid is not None:
            answer.headers.append(("cookie_ttwidinfo_webid", webid(seen.ttwid)))
        if seen.is_logged_in:
            answer.headers.append(
                set_cookie("odin_tt", token("odin", self._clock()) * 4, domain=".douyin.com")
            )
        return answer

    def _embedded(self, request: Request, origin: str, name: str) -> Response:
        """Calls from another origin: post details for the embed player, nothing for anyone else."""
        if origin != EMBED_ORIGIN or name != "aweme/detail/" or self._faults.take("embed-closed", request):
            return self._refused(403, "origin", b"Forbidden")
        stranger = Viewer(ttwid=None, login=None, fingerprint=None)
        answer = self._answered(request, self._detail(request, _parameters(request), stranger))
        answer.headers.append(("Access-Control-Allow-Origin", origin))
        answer.headers.append(("Access-Control-Allow-Credentials", "true"))
        return answer

    def _gates(self, request: Request, parameters: Parameters, seen: Viewer, name: str) -> Response | None:
        """The first refusal that this call meets, None if it passes."""
        if not request.headers.get("user-agent", "").startswith("Mozilla/5.0"):
            return self._refused(200, "user agent")
        if name == "aweme/detail/" and request.headers.get("referer", "").startswith(EMBED_ORIGIN):
            return self._refused(200, "Referer of the embed player without its Origin")
        if name in PROTECTED:
            blocked = self._argus(request, parameters, seen)
            if blocked is not None:
                return blocked
        if seen.ttwid is None:
            return self._refused(200, "ttwid")
        if parameters.get("webid", webid(seen.ttwid)) != webid(seen.ttwid):
            return self._refused(200, "webid")
        bogus = self._judge_bogus(request, required=name in PROTECTED)
        if bogus is not None:
            return self._refused(200, bogus)
        return _json({"status_code": 8, "status_msg": "用户未登录"}) if seen.has_dead_login else None

    def _argus(self, request: Request, parameters: Parameters, seen: Viewer) -> Response | None:
        """The gate of 2026-08: a device id of the platform's own and a signature over the query."""
        uifid = parameters.get("uifid") or request.headers.get("uifid")
        if not uifid:
            return self._blocked("argus-uifid-not-found")
        signature = parameters.get("x-secsdk-web-signature")
        if not signature or (request.method == "POST" and not request.body):
            return self._blocked("argus-signature-not-found")
        if not is_uifid(uifid):
            return self._blocked("argus-validate-error", "uifid")
        fingerprint = judge_fingerprint(seen, parameters)
        if fingerprint is not None:
            return self._blocked("argus-validate-error", fingerprint)
        closed = self._faults.take("signed-closed", request) is not None
        reason = judge_web_signature(request.query, uifid, parameters.get("timestamp", ""), signature)
        return self._blocked("argus-sign-invalid", reason or "closed") if reason or closed else None

    def _judge_bogus(self, request: Request, *, required: bool) -> str | None:
        """Whether a_bogus (or its predecessor) fits query, body and user agent; strict where it must be there."""
        if self._faults.take("a-bogus-unenforced", request):
            return None
        agent = request.headers.get("user-agent", "")
        signed, value = before_a_bogus(request.query)
        if value is None:
            return self._judge_x_bogus(request.query, agent) or ("a_bogus: missing" if required else None)
        body = request.body.decode("utf-8", "replace")
        if "multipart" in request.headers.get("content-type", ""):
            body = ""
        reason = judge_a_bogus(value, signed, body, agent)
        if reason is None or judge_a_bogus_cus(value, signed, body, request.method, agent) is None:
            return None
        return reason

    def _judge_x_bogus(self, query: str, agent: str) -> str | None:
        signed, found, rest = query.partition("&X-Bogus=")
        return judge_x_bogus(rest.partition("&")[0], signed, agent) if found else None

    def _refused(self, status: int, reason: str, body: bytes = b"") -> Response:
        self.reasons.append(reason)
        return Response(status=status, headers=[_TEXT], body=body)

    def _blocked(self, name: str, reason: str = "") -> Response:
        """Argus's own answer; `reason` goes to `reasons` only."""
        text = ARGUS[name]
        self.reasons.append(f"{text}: {reason}" if reason else text)
        headers = [_TEXT]
        if name == "argus-sign-invalid":
            headers.append(("argus_security_code", "web_id_sign_invalid"))
        return Response(status=403, headers=headers, body=f"Blocked by ArgusSecurityPlugin {text}".encode())

    def _answered(self, request: Request, raw: Raw | None) -> Response:
        """The JSON of an endpoint; None is 200 without a body."""
        if raw is None:
            return self._refused(200, "nothing to show")
        if raw.get("status_code") == 0 and "filter_detail" not in raw:
            raw.setdefault("log_pb", {"impr_id": self._log_id()})
        return _json(raw, ("x-tt-logid", self._log_id()))

    def _log_id(self) -> str:
        now = self._clock()
        return time.strftime("%Y%m%d%H%M%S", time.gmtime(now)) + token("log", now, length=20).upper()

    # -- shapes instead of answers -------------------------------------------------------------------------------------

    def _shaped(self, request: Request) -> Response | None:
        """The odd answer that is switched on, or the edge's when the caller is too fast."""
        if self._is_too_fast(request):
            return self._refused(429, "budget", b"Too Many Requests")
        fault = self._faults.take_any(SHAPES, request)
        if fault is None:
            return None
        if fault.name in ARGUS:
            return self._blocked(fault.name, "fault")
        return shaped(fault, key="aweme_list", cursor="max_cursor") or _shape(fault)

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

    # -- posts ---------------------------------------------------------------------------------------------------------

    def _detail(self, request: Request, parameters: Parameters, seen: Viewer) -> Raw:
        id = parameters.get("aweme_id", "")
        post = self.world.post(id)
        reason = self._refusal(request, post, parameters)
        if reason is not None or post is None:
            return {
                "aweme_detail": None,
                "filter_detail": _filtered(id, reason or "core_dep"),
                "status_code": 0,
            }
        aweme = self._aweme(post, parameters, seen)
        if fault := self._faults.take("detail-field-missing", request):
            aweme.pop(fault.value or "author", None)
        if fault := self._faults.take("detail-field-null", request):
            aweme[fault.value or "video"] = None
        return {"aweme_detail": aweme, "status_code": 0}

    def _refusal(self, request: Request, post: Published | None, parameters: Parameters) -> str | None:
        """Why this caller does not get the post, in the platform's word; None when it does."""
        if fault := self._faults.take("detail-filtered", request):
            return fault.value or "status_deleted"
        if post is None:
            return "core_dep"
        if post.refused_for_aid:
            return post.refusal if parameters.get("aid") == post.refused_for_aid else None
        return post.refusal

    def _aweme(self, post: Published, parameters: Parameters, seen: Viewer) -> Raw:
        return self._posts.aweme(post, login=seen.is_logged_in, dash=parameters.get("support_dash") == "1")

    def _batch(self, request: Request, parameters: Parameters, seen: Viewer) -> Raw | None:
        """Up to 20 posts; ids that do not exist are silently absent."""
        if self._faults.take("batch-closed", request):
            return None
        found, refused = [], []
        for id in _ids(parameters.get("aweme_ids", ""))[:20]:
            post = self.world.post(id)
            reason = self._refusal(request, post, parameters)
            if post is not None and reason is None:
                found.append(self._aweme(post, parameters, seen))
            elif post is not None and reason is not None:
                refused.append(_filtered(id, reason))
        return {
            "aweme_details": found,
            "filter_list": refused,
            "verification_filter_list": None,
            "extra": {"now": int(self._clock() * 1000)},
            "status_code": 0,
        }

    def _feed(self, request: Request) -> Response:
        """The app's feed: around the wanted video, H.265 up to 720p; picture posts are never in it."""
        parameters = _parameters(request)
        if not _PHONE_APP.match(request.headers.get("user-agent", "")) or self._faults.take(
            "feed-closed", request
        ):
            return self._refused(200, "user agent of the app")
        others = [post for post in map(self.world.post, (World.SMALL, World.AI_NOTICE)) if post]
        wanted = self.world.post(parameters.get("aweme_id", ""))
        if wanted is None or wanted.kind != "video" or wanted.refusal or wanted.login_only:
            shown = others
        elif self._faults.take("feed-wanted-missing", request):
            shown = [post for post in others if post.id != wanted.id]
        elif self._faults.take("feed-wanted-second", request):
            shown = [others[0], wanted, others[1]]
        else:
            shown = [wanted, *others]
        return self._answered(
            request, {"status_code": 0, "has_more": 1, "aweme_list": list(map(self._app_aweme, shown))}
        )

    def _app_aweme(self, post: Published) -> Raw:
        raw = self._posts.aweme(post)
        video = raw["video"]
        ladder = [
            gear for gear in video["bit_rate"] or [] if gear["is_h265"] and gear["play_addr"]["width"] <= 720
        ]
        video["bit_rate"] = ladder
        if ladder:
            video["play_addr"] = ladder[0]["play_addr"]
            video.pop("play_addr_h264", None)
        return raw

    # -- accounts and mixes --------------------------------------------------------------------------------------------

    def _profile(self, request: Request, parameters: Parameters, seen: Viewer) -> Raw:
        sec_uid = parameters.get("sec_user_id", "")
        account = self.world.account(sec_uid)
        if account is None:
            known_form = sec_uid.startswith("MS4wLjABAAAA")
            return {
                "status_code": 2065 if known_form else 2,
                "status_msg": "用户不存在" if known_form else "invalid user id",
            }
        return self._profile_answer(self._posts.user(account))

    def _own_profile(self, request: Request, parameters: Parameters, seen: Viewer) -> Raw:
        account = self.world.account(World.SELF)
        if account is None or not seen.is_logged_in:
            return {"status_code": 8, "status_msg": "用户未登录"}
        return self._profile_answer(self._posts.user(account))

    def _profile_answer(self, user: Raw) -> Raw:
        extra = {
            "fatal_item_ids": [],
            "logid": self._log_id(),
            "now": int(self._clock() * 1000),
            "scenes": None,
        }
        return {"extra": extra, "status_code": 0, "status_msg": None, "user": user}

    def _query_user(self, request: Request, parameters: Parameters, seen: Viewer) -> Raw:
        return {
            "id": webid(seen.ttwid or ""),
            "create_time": int(self._clock()),
            "user_uid_type": 0,
            "status_code": 0,
        }

    def _mix(self, request: Request, parameters: Parameters, seen: Viewer) -> Raw:
        mix = self.world.mix(parameters.get("mix_id", ""))
        return {"mix_info": self._posts.mix(mix) if mix else None, "status_code": 0}

    # -- H5 ------------------------------------------------------------------------------------------------------------

    def _h5(self, request: Request) -> Response | None:
        """The phone page's API: no cookie, no signature."""
        name = request.path.removeprefix("/web/api/v2/")
        if name not in ("aweme/slidesinfo/", "user/info/"):
            return None
        shaped = self._shaped(request)
        if shaped is not None:
            return shaped
        parameters = _parameters(request)
        raw = (
            self._slidesinfo(request, parameters)
            if name == "aweme/slidesinfo/"
            else self._user_info(parameters)
        )
        return self._answered(request, raw)

    def _slidesinfo(self, request: Request, parameters: Parameters) -> Raw | None:
        """Pictures with `request_source=200`, videos without; an a_bogus empties the answer (reported, 2026-08)."""
        if "a_bogus" in parameters or self._faults.take("slidesinfo-closed", request):
            return None
        wants_pictures = parameters.get("request_source") == "200"
        posts = (self.world.post(id) for id in _ids(parameters.get("aweme_ids", "")))
        shown = [post for post in posts if post and not self._refusal(request, post, parameters)]
        details = [self._posts.aweme(post) for post in shown if (post.kind != "video") == wants_pictures]
        return {"aweme_details": details, "status_code": 0}

    def _user_info(self, parameters: Parameters) -> Raw:
        account = self.world.account(parameters.get("sec_uid", "")) or self.world.account_by_handle(
            parameters.get("unique_id", "")
        )
        if account is None:
            return {"status_code": 2065, "status_msg": "用户不存在"}
        return {"status_code": 0, "user_info": self._posts.short_user(account)}


# -- small rules -------------------------------------------------------------------------------------------------------

_TEXT = ("Content-Type", "text/plain; charset=utf-8")
_JSON = ("Content-Type", "application/json; charset=utf-8")


def _json(raw: object, *headers: tuple[str, str]) -> Response:
    return Response(headers=[_JSON, *headers], body=compact(raw).encode("utf-8", "surrogatepass"))


def _parameters(request: Request) -> dict[str, str]:
    """The query, decoded; of a repeated name the last value counts."""
    return dict(parse_qsl(request.query, keep_blank_values=True))


def _ids(text: str) -> list[str]:
    return re.findall(r"\d+", text)


def _filtered(id: str, reason: str) -> Raw:
    notice = _NOTICES.get(reason, "") if reason != "core_dep" else ""
    return {"aweme_id": id, "detail_msg": notice, "filter_reason": reason, "icon": "", "notice": notice}


def _shape(fault: Fault) -> Response:
    """One of the answers of `SHAPES` that only Douyin gives, or in its own words."""
    if fault.name == "api-captcha-html":
        return captcha()
    if fault.name == "api-bdturing":
        return Response(headers=[_JSON, ("bdturing-verify", compact({"code": "10000", "type": "verify"}))])
    if fault.name == "api-vc-bdturing":
        return Response(headers=[_JSON, ("x-vc-bdturing-parameters", "eyJjb2RlIjoiMTAwMDAifQ==")])
    bodies: dict[str, Callable[[], bytes]] = {
        "api-empty": lambda: b"",
        "api-verify-ticket": lambda: compact({"status_code": 0, "verify_ticket": token("ticket")}).encode(),
        "api-verify-center": lambda: compact(
            {"status_code": 10000, "verify_center_decision_conf": compact({"code": "10000"})}
        ).encode(),
        "api-status": lambda: compact({"status_code": fault.number(4), "status_msg": "服务器繁忙"}).encode(),
    }
    return Response(headers=[_JSON], body=bodies[fault.name]())
