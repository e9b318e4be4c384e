"""Douyin's endpoints: one method each, path and parameters in, raw JSON out.

A call is made in the order that its checks need: common and own parameters, `a_bogus` over them, `verifyFp`, then the
device id with the web signature (web client, 2026-09). Every try signs anew.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from dyvine_cli.errors import (
    DyvineError,
    LoginNeeded,
    NotFound,
    Refused,
    SignatureRejected,
    UnexpectedResponse,
)
from dyvine_cli.http.api import Answer, ApiClient, Request
from dyvine_cli.identity import Profile
from dyvine_cli.models import Cursor, Ref
from dyvine_cli.sites.douyin import parse, sign
from dyvine_cli.sites.douyin.guest import Guest
from dyvine_cli.sites.douyin.refusals import judge_api, judge_page

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
DETAIL_VERSION = ("190500", "19.5.0")
USUAL_VERSION = ("170400", "17.4.0")


class Api:
    """The web client's calls with one identity."""

    def __init__(
        self,
        http: ApiClient,
        *,
        clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._http = http
        self._clock = clock
        self._draw = draw
        self.guest = Guest(http, clock=clock, draw=draw)
        self._routes: dict[str, Callable[[Ref], Awaitable[Raw]]] = {
            "embed": self._detail_embed,
            "web": self._detail_web,
            "slidesinfo": self._detail_slidesinfo,
            "batch": self._detail_batch,
            "page": self._detail_page,
            "app": self._detail_app,
        }
        if not http.profile.is_guest:  # only the signed call carries the login
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
            except NotFound as error:
                if not said or name in ("embed", "web"):
                    raise
                said.append(error)
            except (Refused, UnexpectedResponse, LoginNeeded) as error:
                log.debug("douyin: %s: route %s: %s", ref, name, error)
                said.append(error)
                continue
            else:
                log.debug("douyin: %s answered by route %s", ref, name)
                if name == "web" and said:
                    self._prefer("web")
                return found
        raise self._telling(said)

    def _prefer(self, name: str) -> None:
        self._routes = {name: self._routes[name], **self._routes}

    def _telling(self, said: Sequence[DyvineError]) -> DyvineError:
        """A missing login explains more than a refusal, a refusal more than an odd answer."""
        for kind in (NotFound, LoginNeeded, SignatureRejected, Refused, DyvineError):
            for error in said:
                if isinstance(error, kind):
                    if isinstance(error, Refused):
                        self._http.refused("detail", error)
                    return error
        return UnexpectedResponse("douyin: no route was tried")

    async def _detail_embed(self, ref: Ref) -> Raw:
        query = sign.encode([("aweme_id", ref.id), ("aid", "6383")])
        answer = await self._http.send(
            lambda: Request(
                url=f"{WEB}/aweme/detail/?{query}",
                headers={**HEADERS, "Sec-Fetch-Site": "same-site", "Origin": EMBED, "Referer": f"{EMBED}/"},
                login=False,
            ),
            call="detail",
            endpoint="detail (embed)",
            ref=ref,
        )
        return self._detail(judge_api(answer, endpoint="detail (embed)", ref=ref), ref)

    async def _detail_web(self, ref: Ref) -> Raw:
        found = await self._get(
            "aweme/detail/",
            [("aweme_id", ref.id), ("request_source", "600"), ("origin_type", "video_page")],
            call="detail",
            ref=ref,
            version=DETAIL_VERSION,
            referer=f"https://www.douyin.com/video/{ref.id}",
            judged=False,
        )
        return self._detail(found, ref)

    async def _detail_slidesinfo(self, ref: Ref) -> Raw:
        query = sign.encode([("aweme_ids", f"[{ref.id}]"), ("request_source", "200")])
        answer = await self._http.send(
            lambda: Request(
                url=f"{SHARE}/web/api/v2/aweme/slidesinfo/?{query}",
                headers={**HEADERS, "User-Agent": PHONE, "Referer": f"{SHARE}/"},
                login=False,
            ),
            call="detail",
            endpoint="slidesinfo",
            ref=ref,
        )
        return parse.of_batch(judge_api(answer, endpoint="slidesinfo", ref=ref), ref)

    async def _detail_batch(self, ref: Ref) -> Raw:
        found = await self._get(
            "multi/aweme/detail/",
            [("aweme_ids", f"[{ref.id}]"), ("request_source", "200")],
            call="detail",
            ref=ref,
            judged=False,
        )
        return parse.of_batch(found, ref)

    async def _detail_page(self, ref: Ref) -> Raw:
        await self.guest.ready()
        html = await self.guest.page(f"https://www.douyin.com/jingxuan?modal_id={ref.id}")
        return parse.render_data(html, ref)

    async def _detail_app(self, ref: Ref) -> Raw:
        query = sign.encode([("aweme_id", ref.id), ("aid", "1128")])
        answer = await self._http.send(
            lambda: Request(url=f"{APP}?{query}", headers={"User-Agent": ANDROID}, login=False),
            call="detail",
            endpoint="app feed",
            ref=ref,
        )
        return parse.of_feed(judge_api(answer, endpoint="app feed", ref=ref), ref)

    def _detail(self, found: Raw, ref: Ref) -> Raw:
        return parse.classify_detail(found, ref, login=self.logged_in)

    async def batch_detail(self, refs: Sequence[Ref]) -> Mapping[str, Raw]:
        """Up to 20 posts in one call, by id; ids that are not there are absent."""
        ids = ",".join(ref.id for ref in refs)
        found = await self._get(
            "multi/aweme/detail/", [("aweme_ids", f"[{ids}]"), ("request_source", "200")], call="detail"
        )
        return parse.batch(found)

    # --- accounts -------------------------------------------------------------------------------------------------

    async def profile(self, ref: Ref) -> Raw:
        """An account's profile answer; its user object may be missing (parse decides)."""
        return await self._get(
            "user/profile/other/",
            [
                ("sec_user_id", ref.id),
                ("publish_video_strategy_type", "2"),
                ("source", "channel_pc_web"),
                ("personal_center_strategy", "1"),
                ("profile_other_record_enable", "1"),
                ("land_to", "1"),
            ],
            call="detail",
            ref=ref,
            referer=f"https://www.douyin.com/user/{ref.id}",
        )

    async def profile_by_handle(self, handle: str) -> Raw:
        """The H5 profile by 抖音号: no cookie, no signature."""
        query = sign.encode([("unique_id", handle)])
        answer = await self._http.send(
            lambda: Request(
                url=f"{SHARE}/web/api/v2/user/info/?{query}",
                headers={**HEADERS, "User-Agent": PHONE},
                login=False,
            ),
            call="detail",
            endpoint="user info",
        )
        return judge_api(answer, endpoint="user info")

    async def profile_self(self) -> Raw:
        """The account of the login. Raises LoginNeeded for a guest, LoginExpired for a dead login."""
        return await self._get(
            "user/profile/self/", [("publish_video_strategy_type", "2")], call="detail", judged=False
        )

    # --- listings -------------------------------------------------------------------------------------------------

    async def posts(self, ref: Ref, cursor: Cursor | None) -> Raw:
        """One page of an account's posts, newest first after the pinned ones; the cursor is a time in ms."""
        return await self._get(
            "aweme/post/",
            [
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
            ],
            call="list",
            ref=ref,
            referer=f"https://www.douyin.com/user/{ref.id}",
        )

    async def likes(self, ref: Ref, cursor: Cursor | None) -> Raw:
        """One page of the posts an account likes; a hidden list is an empty answer."""
        return await self._get(
            "aweme/favorite/",
            [
                ("sec_user_id", ref.id),
                ("max_cursor", cursor or "0"),
                ("min_cursor", "0"),
                ("whale_cut_token", ""),
                ("cut_version", "1"),
                ("count", "18"),
                ("publish_video_strategy_type", "2"),
            ],
            call="list",
            ref=ref,
            referer=f"https://www.douyin.com/user/{ref.id}?showTab=like",
        )

    async def mixes(self, ref: Ref, cursor: Cursor | None) -> Raw:
        """One page of an account's mixes."""
        return await self._get(
            "mix/list/",
            [
                ("sec_user_id", ref.id),
                ("req_from", "channel_pc_web"),
                ("cursor", cursor or "0"),
                ("count", "20"),
            ],
            call="list",
            ref=ref,
            referer=f"https://www.douyin.com/user/{ref.id}",
        )

    async def mix_detail(self, ref: Ref) -> Raw:
        """A mix's description."""
        return await self._get(
            "mix/detail/",
            [("mix_id", ref.id), ("req_from", "channel_pc_web")],
            call="detail",
            ref=ref,
            referer=f"https://www.douyin.com/collection/{ref.id}",
        )

    async def mix_posts(self, ref: Ref, cursor: Cursor | None) -> Raw:
        """One page of a mix's posts, first episode first."""
        return await self._get(
            "mix/aweme/",
            [("mix_id", ref.id), ("cursor", cursor or "0"), ("count", "20")],
            call="list",
            ref=ref,
            referer=f"https://www.douyin.com/collection/{ref.id}",
        )

    # --- short links ----------------------------------------------------------------------------------------------

    async def location(self, url: str) -> str | None:
        """Where one hop of a short link leads; None when it leads nowhere. Its landing page is not read."""
        answer = await self._http.send(
            lambda: Request(url=url, headers={"User-Agent": PHONE}, login=False),
            call="page",
            endpoint="short link",
        )
        if answer.status in (301, 302, 303, 307, 308):
            return answer.headers.get("location") or None
        return None

    # --- the signed call ------------------------------------------------------------------------------------------

    async def _get(
        self,
        path: str,
        own: Pairs,
        *,
        call: str,
        ref: Ref | None = None,
        referer: str = "https://www.douyin.com/?recommend=1",
        version: tuple[str, str] = USUAL_VERSION,
        judged: bool = True,
    ) -> Raw:
        """GET below `WEB`, signed; a refused guest identity is renewed once.

        `judged` False keeps a refusal from the budget, because another route will be tried.
        """
        endpoint = path.rstrip("/")

        def judge(answer: Answer) -> None:
            judge_api(answer, endpoint=endpoint, ref=ref, login=self.logged_in)

        async def once() -> Answer:
            await self.guest.ready()
            return await self._http.send(
                lambda: self._signed(path, own, referer, version),
                call=call,
                endpoint=endpoint,
                judge=judge if judged else None,
                ref=ref,
            )

        try:
            answer = await once()
            judge(answer)
        except Refused as error:
            if not self._identity_refused(error) or not await self.guest.renew():
                raise
            answer = await once()
        return judge_api(answer, endpoint=endpoint, ref=ref, login=self.logged_in)

    def _identity_refused(self, error: Refused) -> bool:
        return isinstance(error, SignatureRejected) or "empty answer" in error.message

    def _signed(self, path: str, own: Pairs, referer: str, version: tuple[str, str]) -> Request:
        now = self._clock()
        browser = sign.Browser.of(self._http.profile.user_agent or sign.USER_AGENT)
        query = sign.encode([*common(browser, version), *own, ("msToken", self.guest.ms_token)])
        bogus = sign.a_bogus(query, "", browser, now_ms=int(now * 1000), random=self._draw)
        fingerprint = self.guest.verify_fp
        query += f"&a_bogus={quote(bogus, safe='')}&verifyFp={fingerprint}&fp={fingerprint}"
        query = sign.web_signature(query, self.guest.uifid, now_s=int(now))
        return Request(
            url=f"{WEB}/{path}?{query}",
            headers={
                **HEADERS,
                "Referer": referer,
                "uifid": self.guest.uifid,
                "x-secsdk-web-signature": query.rpartition("=")[2],
                "x-secsdk-web-expire": str(int(now)),
            },
        )

    async def share_page(self, ref: Ref) -> Raw:
        """A post from the share page: poor data, but it says why a post was removed."""
        answer = await self._http.send(
            lambda: Request(url=f"{SHARE}/share/video/{ref.id}/", headers={"User-Agent": PHONE}),
            call="page",
            endpoint="share page",
            ref=ref,
        )
        judge_page(answer, endpoint="share page", ref=ref)
        return parse.router_data(answer.text, ref)


def common(browser: sign.Browser, version: tuple[str, str]) -> list[tuple[str, str]]:
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
