"""Who we are to TikTok: the cookies and ids that its pages give a visitor, kept until a list refuses them.

Nothing is invented but a device id where a page named none: every page sets `ttwid`, `tt_chain_token` and `msToken`, and
tells the visitor's ids in its data (measured by brennoflavio/tokai, 2026-10).
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urljoin, urlsplit

from dyvine_cli.errors import RateLimited, Refused, SiteError
from dyvine_cli.http.addresses import within
from dyvine_cli.http.api import Answer, ApiClient, Request
from dyvine_cli.models import Ref
from dyvine_cli.sites.ciphers import Random
from dyvine_cli.sites.tiktok import parse, proof
from dyvine_cli.sites.tiktok.device import Device, newest_token
from dyvine_cli.sites.tiktok.page_data import build_named_by
from dyvine_cli.sites.tiktok.refusals import blocked, is_shell, judge_page, judge_status

log = logging.getLogger(__name__)

SITE_URL = "https://www.tiktok.com/"
DOMAIN = "tiktok.com"
PAGE_HEADERS: Mapping[str, str] = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.9",
    "Referer": SITE_URL,
}
"""Any Referer cures a refusal of some browsers' agents (yt-dlp #17403, 2026-08)."""

MADE = ("ttwid", "tt_chain_token", "tt_csrf_token", "msToken", "odin_tt")
"""Cookies that make a visitor."""
RENEWAL = 600.0
"""Seconds in which a visitor is renewed at most once: if the new one is refused too, it is not to blame."""
SHELL_PAUSE = 1.0
"""Seconds after which a page that came without its data is asked for again (reported by tokai, 2026-09)."""
REDIRECTS = 3

_CONSONANTS = "bcdfghjklmnpqrstvwxz"


class Guest:
    """The visitor half of a profile: cookies and device ids as the pages give them. A login's jar is kept as it is."""

    def __init__(
        self,
        http: ApiClient,
        *,
        clock: Callable[[], float] = time.time,
        draw: Random = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._clock = clock
        self._draw = draw
        self._sleep = sleep
        self._lock = asyncio.Lock()
        self._renewed: float | None = None
        self.build: str | None = None
        """The version of the signing script that the last page loads, None if none named it."""
        self.me = ""
        """The number of the account that the last page was made for, "" for a visitor."""

    @property
    def device(self) -> Device | None:
        """The ids of signed calls, None before the first page."""
        return Device.of_profile(self._http.profile.device)

    @property
    def ms_token(self) -> str:
        """The newest token that TikTok issued to this visitor, or "": an invented one is refused."""
        return newest_token(cookie=self._cookie("msToken"))

    @property
    def chain_token(self) -> str:
        """The value of `tt_chain_token` now: addresses of media that name it work with the one they came with."""
        return self._cookie("tt_chain_token")

    async def ready(self, page: str) -> str:
        """Have what a signed call needs, from the page it belongs to if it is missing, and name the visitor.

        Raises what `page` raises.
        """
        async with self._lock:
            await self._make(page)
            return self._name

    async def renew(self, refused: str, page: str) -> bool:
        """Become another visitor instead of the one that `ready` named `refused`; False if that was tried just before.

        True also if another call renewed it meanwhile. A login keeps its cookies and only draws another device id.
        """
        async with self._lock:
            if self._name != refused:
                return True
            if self._renewed is not None and abs(self._clock() - self._renewed) < RENEWAL:
                return False
            self._renewed = self._clock()
            log.debug("tiktok: this visitor is refused, becoming another one")
            if self._http.profile.is_guest:
                self._http.drop_cookies(*MADE)
                self._http.set_device({})
                await self._make(page)
            else:
                self._http.set_device(self._drawn().kept())
            return True

    def redraw(self) -> None:
        """Take another device id: one that a list has taken a dislike to gets the same page for ever (yt-dlp #14031)."""
        self._http.set_device(self._drawn().kept())

    async def page(
        self, url: str, *, endpoint: str = "page", ref: Ref | None = None, quiet: bool = False
    ) -> str:
        """The HTML of a page, through the proof of work where one is asked for.

        `quiet` keeps a refusal other than a rate limit from the budget, because another route follows.
        Raises RiskControl for a captcha, a second challenge and a refused address, RateLimited, LoginNeeded at the login
        wall, NotInRegion, NetworkError.
        """
        answer = await self._fetch(url, endpoint, ref)
        html = answer.text
        if proof.is_challenge(html):
            answer = await self._prove(answer, url, endpoint, ref)
        elif is_shell(html):
            await self._sleep(SHELL_PAUSE)
            answer = await self._fetch(url, endpoint, ref)
        elif _is_blocked(answer):
            answer = await self._otherwise(url, endpoint, ref)
        try:
            judge_page(answer, endpoint=endpoint, ref=ref)
        except RateLimited:
            raise  # the budget knows it already
        except Refused as error:
            if _is_blocked(answer):
                self._http.explain(error)
            if not quiet:
                self._http.refused("page", error)
            raise
        html = answer.text
        self._learn(html)
        return html

    async def _otherwise(self, url: str, endpoint: str, ref: Ref | None) -> Answer:
        """A page that the edge refused, asked for with other headers, then as a browser if that is possible and new."""
        answer = await self._fetch(url, endpoint, ref, others=self._junk())
        if _is_blocked(answer) and self._http.imitate():
            answer = await self._fetch(url, endpoint, ref)
        return answer

    def note(self, answer: Answer) -> None:
        """Keep the token of an answer: the header names it also where no cookie does."""
        given = next(iter(answer.set_cookies("msToken")), None)
        newest = newest_token(header=answer.headers.get("x-ms-token"), cookie=given, known=self.ms_token)
        if newest != self.ms_token:
            self._http.set_cookie("msToken", newest, url=SITE_URL, domain=DOMAIN)

    # --- pages ----------------------------------------------------------------------------------------------------

    async def _fetch(
        self,
        url: str,
        endpoint: str,
        ref: Ref | None,
        *,
        call: str = "page",
        others: Mapping[str, str] | None = None,
    ) -> Answer:
        """One page as it comes, behind its redirects but not at the login wall; only rate limits are judged."""
        for _ in range(REDIRECTS + 1):
            answer = await self._once(url, endpoint, ref, call, others or {})
            target = _next(answer)
            if target is None:
                return answer
            url = target
        raise blocked(endpoint, "it redirects in a circle", ref)

    async def _once(
        self, url: str, endpoint: str, ref: Ref | None, call: str, others: Mapping[str, str]
    ) -> Answer:
        answer = await self._http.send(
            lambda: Request(url=url, headers={**PAGE_HEADERS, **others}),
            call=call,
            endpoint=endpoint,
            judge=lambda answer: _rate_only(answer, endpoint, ref),
            ref=ref,
        )
        self.note(answer)
        return answer

    async def _prove(self, challenge: Answer, url: str, endpoint: str, ref: Ref | None) -> Answer:
        """The same page again at once, with the challenge's answer in its cookies, which are forgotten after that."""
        cookies = await asyncio.to_thread(proof.solve, challenge.text)
        log.debug("tiktok: proof of work solved before %s", endpoint)
        for name, value in cookies.items():
            self._http.set_cookie(name, value, url=SITE_URL, domain=DOMAIN)
        try:
            return await self._fetch(url, endpoint, ref, call="proof")
        finally:
            self._http.drop_cookies(*cookies)

    def _junk(self) -> dict[str, str]:
        """2 to 8 headers without a meaning, after which a blocked page was served (yt-dlp PR #17452, 2026-08)."""
        return {
            self._letters(8 + int(self._draw() * 17)): self._letters(16 + int(self._draw() * 17))
            for _ in range(2 + int(self._draw() * 7))
        }

    def _letters(self, count: int) -> str:
        return "".join(_CONSONANTS[int(self._draw() * len(_CONSONANTS))] for _ in range(count))

    def _learn(self, html: str) -> None:
        """Keep the ids that a page gave its visitor; they belong to the cookies that came with it."""
        self.build = build_named_by(html) or self.build
        context = parse.app_context(html)
        if context:  # embed pages say nothing of their visitor
            self.me = parse.own_number(context)
        found = Device.of_page(context)
        if found is not None and found != self.device:
            self._http.set_device(found.kept())

    # --- the visitor ----------------------------------------------------------------------------------------------

    async def _make(self, page: str) -> None:
        if not self._cookie("ttwid") or self.device is None:
            await self.page(page)
        if self.device is None:
            self.redraw()

    @property
    def _name(self) -> str:
        """What tells one visitor from another; never leaves this process."""
        return f"{self._cookie('ttwid')} {self.device.device_id if self.device else ''}"

    def _drawn(self) -> Device:
        return Device.drawn(self._draw, now_s=int(self._clock()))

    def _cookie(self, name: str) -> str:
        return self._http.cookie(name, url=SITE_URL) or ""


def _next(answer: Answer) -> str | None:
    """Where a page's redirect leads, if that is another page of TikTok's; None for the login wall and for all else."""
    if answer.status not in (301, 302, 303, 307, 308):
        return None
    target = urljoin(answer.url, answer.headers.get("location", ""))
    parts = urlsplit(target)
    own = parts.scheme == "https" and within(parts.hostname or "", (DOMAIN,))
    return target if own and not parts.path.startswith("/login") else None


def _rate_only(answer: Answer, endpoint: str, ref: Ref | None) -> None:
    """See rate limits only: they are waited out; what else is wrong is judged when the page had its second chance."""
    try:
        judge_status(answer, endpoint=endpoint, ref=ref)
    except RateLimited:
        raise
    except SiteError:
        return


def _is_blocked(answer: Answer) -> bool:
    """Whether the edge refused a client or address: it has served other headers then."""
    return (
        answer.status == 403
        or "x-tt-system-error" in answer.headers
        or "<title>Site Under Maintenance" in answer.text
    )
