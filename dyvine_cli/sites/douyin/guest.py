"""Makes and renews what a Douyin guest needs: `ttwid`, `UIFID_TEMP`, `s_v_web_id` (reference: cookie table of the web client)."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from dyvine_cli.errors import RiskControl, UnexpectedResponse
from dyvine_cli.http.api import Answer, ApiClient, Request
from dyvine_cli.sites.douyin.queries import USER_AGENT
from dyvine_cli.sites.douyin.refusals import judge_page
from dyvine_cli.sites.verify_fp import verify_fp

if TYPE_CHECKING:
    from dyvine_cli.sites.douyin.sign import Constants

log = logging.getLogger(__name__)

SITE_URL = "https://www.douyin.com/"
REGISTER_URL = "https://ttwid.bytedance.com/ttwid/union/register/"
LIVE_URL = "https://live.douyin.com/?from_nav=1"
PAGE_URL = "https://www.douyin.com/jingxuan"
REGISTER_BODY = json.dumps(
    {
        "region": "cn",
        "aid": 1768,
        "needFid": False,
        "service": "www.ixigua.com",
        "migrate_info": {"ticket": "", "source": "node"},
        "cbUrlProtocol": "https",
        "union": True,
    },
    separators=(",", ":"),
).encode()
"""What the page's own script sends; reported unchanged since 2022 (f2, Evil0ctal)."""
MADE = ("ttwid", "UIFID_TEMP", "UIFID", "s_v_web_id", "msToken")
"""Cookies that make a guest."""
RENEWAL = 600.0
"""Seconds in which a guest identity is renewed at most once: if the new one is refused too, it is not to blame."""


class Guest:
    """The device half of a profile: cookies that the server issues to anyone, kept until it refuses them.

    A login brings its own; only what its jar lacks is made, with that jar, because Douyin refuses a mixture.
    """

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
        self._lock = asyncio.Lock()
        self._renewed: float | None = None

    @property
    def uifid(self) -> str:
        """The server-issued device id that signed calls carry; empty if there is none yet."""
        return self._cookie("UIFID") or self._cookie("UIFID_TEMP")

    @property
    def verify_fp(self) -> str:
        """The `s_v_web_id` that queries repeat as `verifyFp` and `fp`."""
        return self._cookie("s_v_web_id")

    @property
    def ms_token(self) -> str:
        """The newest token the server gave; empty is accepted for guests (reported by Evil0ctal v5, 2026-09)."""
        return self._cookie("msToken")

    async def ready(self) -> str:
        """Make what is missing, and name the identity. Raises RiskControl when Douyin does not hand it out, NetworkError."""
        async with self._lock:
            await self._make()
            return self._name

    async def renew(self, refused: str) -> bool:
        """Make a new guest instead of the one that `ready` named `refused`; False if that was tried just before.

        True also if another call renewed it meanwhile. Nothing of a login is thrown away: it belongs to a person.
        """
        async with self._lock:
            if not self._http.profile.is_guest:
                return False
            if self._name != refused:
                return True
            if self._renewed is not None and abs(self._clock() - self._renewed) < RENEWAL:
                return False
            self._renewed = self._clock()
            log.debug("douyin: the guest identity is refused, making a new one")
            self._http.drop_cookies(*MADE)
            await self._make()
            return True

    @property
    def _name(self) -> str:
        """What tells one guest from another; never leaves this process."""
        return f"{self._cookie('ttwid')} {self.uifid}"

    async def _make(self) -> None:
        if not self.verify_fp:
            value = verify_fp(now_ms=int(self._clock() * 1000), random=self._draw)
            self._http.set_cookie("s_v_web_id", value, url=SITE_URL)
        if not self._cookie("ttwid"):
            await self._register()
        if not self.uifid:
            await self._fetch_uifid()

    def _cookie(self, name: str) -> str:
        return self._http.cookie(name, url=SITE_URL) or ""

    async def _register(self) -> None:
        answer = await self._send(
            lambda: Request(
                method="POST",
                url=REGISTER_URL,
                headers={"Content-Type": "application/json"},
                content=REGISTER_BODY,
                login=False,
            ),
            "ttwid",
        )
        for value in answer.set_cookies("ttwid"):
            self._http.set_cookie("ttwid", value, url=SITE_URL, domain="douyin.com")
        if not self._cookie("ttwid"):
            raise UnexpectedResponse("douyin: registering a guest gave no ttwid cookie", endpoint="ttwid")

    async def _fetch_uifid(self) -> None:
        """First the short way over the live page, then the challenge of the main page."""
        await self._send(lambda: Request(url=LIVE_URL, headers=PAGE_HEADERS), "live page")
        if self.uifid:
            return
        await self._send(lambda: Request(url=SITE_URL, headers=PAGE_HEADERS), "home page")
        await self._pass_challenge(PAGE_URL)
        if not self.uifid:
            raise RiskControl(
                "douyin: no device id (UIFID_TEMP) is handed to this address now",
                hint="wait some minutes, try another network, or add a login: dyvine login add FILE",
                endpoint="guest",
            )

    async def _pass_challenge(self, url: str) -> Answer | None:
        """Answer the script challenge: the nonce cookie of the first page, signed."""
        nonce = self._cookie("__ac_nonce")
        if not nonce:
            return None
        from dyvine_cli.sites.douyin import sign  # only for this answer

        signature = sign.ac_signature(
            "www.douyin.com/",
            nonce,
            self._http.profile.user_agent or USER_AGENT,
            now_s=int(self._clock()),
            constants=self._constants or sign.CONSTANTS,
        )
        self._http.set_cookie("__ac_signature", signature, url=SITE_URL)
        return await self._send(lambda: Request(url=url, headers=PAGE_HEADERS), "page")

    async def page(self, url: str) -> str:
        """The HTML of a www.douyin.com page, through the challenge. Raises RiskControl on a captcha page."""
        answer = await self._send(lambda: Request(url=url, headers=PAGE_HEADERS), "page")
        if "__ac_nonce" in answer.text or "RENDER_DATA" not in answer.text:
            answer = await self._pass_challenge(url) or answer
        judge_page(answer, endpoint="page")
        return answer.text

    async def _send(self, make: Callable[[], Request], endpoint: str) -> Answer:
        return await self._http.send(make, call="page", endpoint=endpoint)


PAGE_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "zh-CN,zh;q=0.9",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
    "Upgrade-Insecure-Requests": "1",
}
