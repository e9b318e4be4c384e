"""Douyin's endpoints: one method each, path and parameters in, raw JSON out.

A call is made in the order that its checks need: common and own parameters, `a_bogus` over them, `verifyFp`, then the
device id with the web signature (web client, 2026-09). Every try signs anew.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dyvine_cli.errors import (
    DyvineError,
    LoginExpired,
    LoginNeeded,
    NetworkError,
    NotFound,
    Private,
    RateLimited,
    Refused,
    SignatureRejected,
    SiteError,
    UnexpectedResponse,
)
from dyvine_cli.http.api import Answer, ApiClient, Request
from dyvine_cli.identity import Profile
from dyvine_cli.models import Cursor, Ref
from dyvine_cli.sites.douyin import parse
from dyvine_cli.sites.douyin.guest import Guest
from dyvine_cli.sites.douyin.queries import USER_AGENT, encode
from dyvine_cli.sites.douyin.refusals import judge_api, judge_captcha, refuses_device
from dyvine_cli.sites.logins import Trial

if TYPE_CHECKING:
    from dyvine_cli.sites.douyin.sign import Browser, Constants

log = logging.getLogger(__name__)

Raw = Mapping[str, Any]
Pairs = Sequence[tuple[str, str]]

WEB = "https://www.douyin.com/aweme/v1/web"
SHARE = "https://www.iesdouyin.com"
APP = "https://api5-normal-c-hl.amemv.com/aweme/v1/feed/"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
"""A phone gets the richest address out of a short link (JoeanAmier/TikTokDownloader, 2026)."""
ANDROID = (
    "com.ss.android.ugc.aweme/300904 (Linux; U; Android 12; zh_CN; M2102J2SC; Build/SP1A.210812.016; "
    "Cronet/TTNetVersion:1c651b66 2023-12-14)"
)
EMBED = "https://open.douyin.com"
"""The one foreign origin whose calls are answered unsigned (reported 2026-09-22; may be closed any day)."""

HEADERS = {
    "Accept": "application/json, text/plain, */*",
    "Accept-Language": "zh-CN,zh;q=0.9",
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "same-origin",
}
CLOSED = (401, 403, 405)
"""Statuses with which a foreign origin is turned away for good, whatever the rate."""
DETAIL_VERSION = ("190500", "19.5.0")
USUAL_VERSION = ("170400", "17.4.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A signed call below `WEB`: `own` are its parameters besides the common ones, `kind` its class in the budget.

    `key` is what a page of a listing must hold. `hides` is what an empty answer means for a list that its owner may
    hide. `quiet` keeps every refusal but a rate limit from the budget, because another route follows.
    """

    path: str
    own: Pairs
    kind: str
    ref: Ref | None = None
    referer: str = "https://www.douyin.com/?recommend=1"
    version: tuple[str, str] = USUAL_VERSION
    key: str | None = None
    hides: str | None = None
    quiet: bool = False

    @property
    def endpoint(self) -> str:
        """The name in errors and logs."""
        return self.path.rstrip("/")


class Api:
    """The web client's calls with one identity. `constants` None are those that come with the program."""

    def __init__(
        self,
        http: ApiClient,
        *,
        constants: Constants | None = None,
        clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._http = http
        self._constants = constants
        self._clock = clock
        self._draw = draw
        self.trial = Trial(http, self.profile_self)
        self.guest = Guest(http, constants=constants, clock=clock, draw=draw)
        self._routes: dict[str, Callable[[Ref], Awaitable[Raw]]] = {
            "embed": self._detail_embed,
            "web": self._detail_web,
            "slidesinfo": self._detail_slidesinfo,
            "batch": self._detail_batch,
            "page": self._detail_page,
            "app": self._detail_app,
        }
        if self.logged_in:  # only the signed call carries the login
            self._prefer("web")

    @property
    def identity(self) -> Profile:
        """The profile in use."""
        return self._http.profile

    @property
    def logged_in(self) -> bool:
        """Whether calls carry a login."""
        return not self._http.profile.is_guest

    # --- one post -------------------------------------------------------------------------------------------------

    async def post_detail(self, ref: Ref) -> Raw:
        """One post's raw object by the first route that answers; which one stands in the debug log.

        Raises what the best-informed route said when none answers.
        """
        said: list[DyvineError] = []
        for name, route in tuple(self._routes.items()):
            try:
                found = await route(ref)
            except (SiteError, NetworkError) as error:
                if _is_final(name, error):
                    raise
                log.debug("douyin: %s: route %s: %s", ref, name, error)
                said.append(error)
                continue
            log.info("douyin: %s answered by route %s", ref, name)
            if name == "web" and said:
                self._prefer("web")
            return found
        raise self._telling(said)

    @property
    def routes(self) -> tuple[str, ...]:
        """The names of the routes to a post, the next to be tried first."""
        return tuple(self._routes)

    async def detail_by(self, route: str, ref: Ref) -> Raw:
        """One post's raw object by one route alone. Raises KeyError for a route that is not there."""
        return await self._routes[route](ref)

    def _prefer(self, name: str) -> None:
        self._routes = {name: self._routes[name], **self._routes}

    def _telling(self, said: Sequence[DyvineError]) -> DyvineError:
        """A missing login explains more than an absence, an absence more than a refusal, that more than an odd answer.

        An absence counts only if nobody refused us: a route that hides a post from robots does not say so.
        """
        refused = any(isinstance(error, Refused) for error in said)
        kinds: tuple[type[DyvineError], ...] = (
            LoginNeeded,
            SignatureRejected if refused else NotFound,
            Refused,
            DyvineError,
        )
        telling = next(error for kind in kinds for error in said if isinstance(error, kind))
        if isinstance(telling, Refused) and telling.endpoint:  # without one it is the budget's own word
            self._http.refused("detail", telling)
        return telling

    async def _detail_embed(self, ref: Ref) -> Raw:
        endpoint = "detail (embed)"
        query = encode([("aweme_id", ref.id), ("aid", "6383")])

        def judge(answer: Answer) -> None:
            if answer.status not in CLOSED:
                judge_api(answer, endpoint=endpoint, ref=ref)

        answer = await self._http.send(
            lambda: Request(
                url=f"{WEB}/aweme/detail/?{query}",
                headers={**HEADERS, "Sec-Fetch-Site": "same-site", "Origin": EMBED, "Referer": f"{EMBED}/"},
                login=False,
            ),
            call="detail",
            endpoint=endpoint,
            judge=_rate_only(judge),
            ref=ref,
        )
        if answer.status in CLOSED:
            raise UnexpectedResponse(f"douyin {endpoint}: this door is closed", ref=ref, endpoint=endpoint)
        found = judge_api(answer, endpoint=endpoint, ref=ref)
        return parse.classify_detail(found, ref, endpoint=endpoint)

    async def _detail_web(self, ref: Ref) -> Raw:
        found = await self._get(
            Call(
                path="aweme/detail/",
                own=[("aweme_id", ref.id), ("request_source", "600"), ("origin_type", "video_page")],
                kind="detail",
                ref=ref,
                version=DETAIL_VERSION,
                referer=f"https://www.douyin.com/video/{ref.id}",
                quiet=True,
            )
        )
        return parse.classify_detail(found, ref, login=self.logged_in)

    async def _detail_slidesinfo(self, ref: Ref) -> Raw:
        """Picture posts come with `request_source`, videos without it."""
        ids = ("aweme_ids", f"[{ref.id}]")
        try:
            found = await self._shared("aweme/slidesinfo/", [ids, ("request_source", "200")], ref)
            return parse.of_batch(found, ref, endpoint="slidesinfo")
        except NotFound as error:
            if type(error) is not NotFound:
                raise
            found = await self._shared("aweme/slidesinfo/", [ids], ref)
            return parse.of_batch(found, ref, endpoint="slidesinfo")

    async def _detail_batch(self, ref: Ref) -> Raw:
        return parse.of_batch(await self._get(_batch([ref], quiet=True)), ref)

    async def _detail_page(self, ref: Ref) -> Raw:
        await self.guest.ready()
        html = await self.guest.page(f"https://www.douyin.com/jingxuan?modal_id={ref.id}")
        return parse.render_data(html, ref)

    async def _detail_app(self, ref: Ref) -> Raw:
        query = encode([("aweme_id", ref.id), ("aid", "1128")])
        answer = await self._http.send(
            lambda: Request(url=f"{APP}?{query}", headers={"User-Agent": ANDROID}, login=False),
            call="detail",
            endpoint="app feed",
            ref=ref,
        )
        return parse.of_feed(judge_api(answer, endpoint="app feed", ref=ref), ref)

    async def batch_detail(self, refs: Sequence[Ref]) -> Mapping[str, Raw]:
        """Up to 20 posts in one call, by id; ids that are not there are absent."""
        return parse.batch(await self._get(_batch(refs)))

    # --- accounts -------------------------------------------------------------------------------------------------

    async def profile(self, ref: Ref) -> Raw:
        """An account's profile answer; its user object may be missing (parse decides)."""
        own = [
            ("sec_user_id", ref.id),
            ("publish_video_strategy_type", "2"),
            ("source", "channel_pc_web"),
            ("personal_center_strategy", "1"),
            ("profile_other_record_enable", "1"),
            ("land_to", "1"),
        ]
        return await self._get(
            Call(path="user/profile/other/", own=own, kind="detail", ref=ref, referer=_page_of(ref))
        )

    async def profile_by_handle(self, ref: Ref) -> Raw:
        """The H5 profile by 抖音号: no cookie, no signature, and less in it."""
        return await self._shared("user/info/", [("unique_id", ref.id)], ref, told=True)

    async def profile_self(self) -> Raw:
        """The account of the login. Raises LoginNeeded for a guest, LoginExpired for a dead login."""
        await self.guest.ready()
        found = await self._send_signed(
            Call(path="user/profile/self/", own=[("publish_video_strategy_type", "2")], kind="detail")
        )
        self.trial.passed()
        return found

    async def whoami(self) -> Raw:
        """What Douyin knows of this device: its web id. Needs no login and does not try one."""
        call = Call(path="query/user/", own=[], kind="detail", quiet=True)
        if not self.logged_in:
            return await self._get(call)
        await self.guest.ready()
        return await self._send_signed(call)

    async def _shared(self, path: str, own: Pairs, ref: Ref, *, told: bool = False) -> Raw:
        """The phone page's API; `told` says whether its refusals count for the budget."""
        endpoint = path.strip("/").rpartition("/")[2] if path.startswith("aweme") else path.strip("/")
        query = encode(own)

        def judge(answer: Answer) -> None:
            judge_api(answer, endpoint=endpoint, ref=ref)

        answer = await self._http.send(
            lambda: Request(
                url=f"{SHARE}/web/api/v2/{path}?{query}",
                headers={**HEADERS, "User-Agent": PHONE, "Referer": f"{SHARE}/"},
                login=False,
            ),
            call="detail",
            endpoint=endpoint,
            judge=judge if told else None,
            ref=ref,
        )
        return judge_api(answer, endpoint=endpoint, ref=ref)

    # --- listings -------------------------------------------------------------------------------------------------

    async def posts(self, ref: Ref, cursor: Cursor | None) -> Raw:
        """One page of an account's posts, newest first after the pinned ones; the cursor is a time in ms."""
        own = [
            ("sec_user_id", ref.id),
            ("max_cursor", cursor or "0"),
            ("locate_query", "false"),
            ("show_live_replay_strategy", "1"),
            ("need_time_list", "0" if cursor else "1"),
            ("time_list_query", "0"),
            ("whale_cut_token", ""),
            ("cut_version", "1"),
            ("count", "18"),
            ("publish_video_strategy_type", "2"),
            ("from_user_page", "1"),
        ]
        return await self._get(
            Call(path="aweme/post/", own=own, kind="list", ref=ref, referer=_page_of(ref), key="aweme_list")
        )

    async def likes(self, ref: Ref, cursor: Cursor | None) -> Raw:
        """One page of the posts an account likes. Raises Private where its first page is an empty answer."""
        own = [
            ("sec_user_id", ref.id),
            ("max_cursor", cursor or "0"),
            ("min_cursor", "0"),
            ("whale_cut_token", ""),
            ("cut_version", "1"),
            ("count", "18"),
            ("publish_video_strategy_type", "2"),
        ]
        return await self._get(
            Call(
                path="aweme/favorite/",
                own=own,
                kind="list",
                ref=ref,
                referer=f"{_page_of(ref)}?showTab=like",
                key="aweme_list",
                hides=None if cursor else f"{ref}: the account hides the posts that it likes",
            )
        )

    async def mixes(self, ref: Ref, cursor: Cursor | None) -> Raw:
        """One page of an account's mixes."""
        own = [
            ("sec_user_id", ref.id),
            ("req_from", "channel_pc_web"),
            ("cursor", cursor or "0"),
            ("count", "20"),
        ]
        return await self._get(
            Call(path="mix/list/", own=own, kind="list", ref=ref, referer=_page_of(ref), key="mix_infos")
        )

    async def mix_detail(self, ref: Ref) -> Raw:
        """A mix's description."""
        own = [("mix_id", ref.id), ("req_from", "channel_pc_web")]
        return await self._get(
            Call(path="mix/detail/", own=own, kind="detail", ref=ref, referer=_page_of(ref))
        )

    async def mix_posts(self, ref: Ref, cursor: Cursor | None) -> Raw:
        """One page of a mix's posts, first episode first."""
        own = [("mix_id", ref.id), ("cursor", cursor or "0"), ("count", "20")]
        return await self._get(
            Call(path="mix/aweme/", own=own, kind="list", ref=ref, referer=_page_of(ref), key="aweme_list")
        )

    # --- the signed call ------------------------------------------------------------------------------------------

    async def _get(self, call: Call) -> Raw:
        """Make a signed call. A login is tried before its first use, a refused guest identity is renewed once."""
        if self.logged_in:
            await self._try_login()
        device = await self.guest.ready()
        try:
            return await self._send_signed(call, renewable=not self.logged_in)
        except _DeviceRefused as refusal:
            if not await self.guest.renew(device):
                if not call.quiet:
                    self._http.refused(call.kind, refusal.error)
                raise refusal.error from None
        return await self._send_signed(call)

    async def _try_login(self) -> None:
        """Try the login before its first use. Raises LoginExpired."""
        try:
            await self.trial.hold()
        except UnexpectedResponse as error:
            log.warning("douyin: the login could not be tried: %s", error)
            self.trial.passed()

    async def _send_signed(self, call: Call, *, renewable: bool = False) -> Raw:
        """Send and judge. `renewable` raises _DeviceRefused for a refused device id, and the budget is not told."""
        found: Raw | None = None

        def judge(answer: Answer) -> None:
            nonlocal found
            found = None
            if not (renewable and _refuses_device(answer, call)):
                found = self._judged(answer, call)

        answer = await self._http.send(
            lambda: self._signed(call),
            call=call.kind,
            endpoint=call.endpoint,
            judge=_rate_only(judge) if call.quiet else judge,
            ref=call.ref,
        )
        if found is not None:
            return found
        try:
            return self._judged(answer, call)
        except Refused as error:
            if renewable and _refuses_device(answer, call):
                raise _DeviceRefused(error) from None
            raise

    def _judged(self, answer: Answer, call: Call) -> Raw:
        if call.hides and answer.status == 200 and not answer.body:
            judge_captcha(answer, endpoint=call.endpoint, ref=call.ref)
            raise Private(call.hides, hint="only a login of that account sees them", ref=call.ref)
        found = judge_api(answer, endpoint=call.endpoint, ref=call.ref, login=self.logged_in)
        if call.key and found.get(call.key) is None:
            raise parse.soft_block(call.ref, call.endpoint)
        return found

    def _signed(self, call: Call) -> Request:
        from dyvine_cli.sites.douyin import sign  # the first way to a post goes without

        now = self._clock()
        constants = self._constants or sign.CONSTANTS
        browser = sign.Browser.of(self._http.profile.user_agent or USER_AGENT)
        query = encode([*common(browser, call.version), *call.own, ("msToken", self.guest.ms_token)])
        bogus = sign.a_bogus(
            query, "", browser, now_ms=int(now * 1000), random=self._draw, constants=constants
        )
        fingerprint = self.guest.verify_fp
        query += f"&a_bogus={quote(bogus, safe='')}&verifyFp={fingerprint}&fp={fingerprint}"
        query = sign.web_signature(query, self.guest.uifid, now_s=int(now), constants=constants)
        return Request(
            url=f"{WEB}/{call.path}?{query}",
            headers={
                **HEADERS,
                "Referer": call.referer,
                "uifid": self.guest.uifid,
                "x-secsdk-web-signature": query.rpartition("=")[2],
                "x-secsdk-web-expire": str(int(now)),
            },
        )


class _DeviceRefused(Exception):
    """The device id was refused; `error` is what to say if no other can be had."""

    def __init__(self, error: Refused) -> None:
        super().__init__(str(error))
        self.error = error


def _refuses_device(answer: Answer, call: Call) -> bool:
    """Whether new device ids may help; an empty answer of a list that its owner may hide means just that."""
    return refuses_device(answer) and not (call.hides and answer.status == 200)


def _is_final(route: str, error: DyvineError) -> bool:
    """Whether what a route said ends the search for a post: another one could only say the same, or must not be asked."""
    if isinstance(error, (RateLimited, NotFound)) and route in ("embed", "web"):
        return True
    if isinstance(error, NetworkError):
        return route not in ("slidesinfo", "app")  # the others are on the host that all lists need
    return isinstance(error, LoginExpired) or (isinstance(error, NotFound) and type(error) is not NotFound)


def _rate_only(judge: Callable[[Answer], None]) -> Callable[[Answer], None]:
    """A judge that sees rate limits only: they are waited out; what else is wrong, another route may not have."""

    def rate_only(answer: Answer) -> None:
        try:
            judge(answer)
        except RateLimited:
            raise
        except SiteError:
            return

    return rate_only


def _batch(refs: Sequence[Ref], *, quiet: bool = False) -> Call:
    ids = ",".join(ref.id for ref in refs)
    return Call(
        path="multi/aweme/detail/",
        own=[("aweme_ids", f"[{ids}]"), ("request_source", "200")],
        kind="detail",
        ref=refs[0] if len(refs) == 1 else None,
        quiet=quiet,
    )


def _page_of(ref: Ref) -> str:
    """The page from which a browser would make the call."""
    return f"https://www.douyin.com/{'collection' if ref.kind == 'mix' else 'user'}/{ref.id}"


def common(browser: Browser, version: tuple[str, str]) -> list[tuple[str, str]]:
    """The parameters that every web call carries. `support_dash` is 0, or videos without sound come in the ladder."""
    chrome = browser.version
    return [
        ("device_platform", "webapp"),
        ("aid", "6383"),
        ("channel", "channel_pc_web"),
        ("update_version_code", "170400"),
        ("pc_client_type", "1"),
        ("pc_libra_divert", "Windows"),
        ("support_h265", "1"),
        ("support_dash", "0"),
        ("version_code", version[0]),
        ("version_name", version[1]),
        ("cookie_enabled", "true"),
        ("screen_width", "1920"),
        ("screen_height", "1080"),
        ("browser_language", "zh-CN"),
        ("browser_platform", "Win32"),
        ("browser_name", "Chrome"),
        ("browser_version", chrome),
        ("browser_online", "true"),
        ("engine_name", "Blink"),
        ("engine_version", chrome),
        ("os_name", "Windows"),
        ("os_version", "10"),
        ("cpu_core_num", "16"),
        ("device_memory", "8"),
        ("platform", "PC"),
        ("downlink", "10"),
        ("effective_type", "4g"),
        ("round_trip_time", "100"),
    ]
