"""TikTok's pages and calls: one method each, address and parameters in, raw answers out.

Pages carry their data and need no signature. Calls below `/api/` are signed for every try: the query as it is sent,
then `X-Dynosaur`, `msToken`, `X-Bogus` and `X-Gnarly` (SDK 5.3, 2026-10). Any of them may be refused at any time.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from dyvine_cli.errors import (
    LoginExpired,
    NetworkError,
    RateLimited,
    Refused,
    RiskControl,
    SignatureRejected,
    SiteError,
    UnexpectedResponse,
)
from dyvine_cli.http.api import Answer, ApiClient, Request
from dyvine_cli.identity import Profile
from dyvine_cli.models import Cursor, Ref
from dyvine_cli.sites.availability import EXPIRED_HINT
from dyvine_cli.sites.ciphers import Random
from dyvine_cli.sites.forms import STABLE_PREFIX
from dyvine_cli.sites.tiktok import PAGE_SIZE, parse, urls
from dyvine_cli.sites.tiktok.guest import SITE_URL, Guest
from dyvine_cli.sites.tiktok.refusals import judge_api, judge_page, rejected

if TYPE_CHECKING:
    from dyvine_cli.sites.tiktok.sign import Constants, Visit

log = logging.getLogger(__name__)

Raw = Mapping[str, Any]
Pairs = Sequence[tuple[str, str]]

SITE = "https://www.tiktok.com"
USER_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
"""One agent for pages, signatures and calls; Chrome 140 to 149 were refused for a while (yt-dlp #17403, 2026-08)."""
BOT = "facebookexternalhit/1.1"
"""Browsers at a server's address are led from `/t/` links to the front page (yt-dlp, gallery-dl)."""
HEADERS = {"Accept": "*/*", "Accept-Language": "en-US,en;q=0.9"}

FIRST = Cursor("0")
"""Where every list of the API begins."""
BEAT = f"{SITE}/passport/token/beat/web/?aid=1459&device_platform=web&scene=active"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A signed call below `/api/`: `own` are its parameters besides the common ones, `kind` its class in the budget.

    `page` is where a browser would make it. `key` is what a page of a listing must hold. `quiet` keeps its refusals
    from the budget, because they have been told already.
    """

    path: str
    own: Pairs
    kind: str
    ref: Ref
    page: str = SITE_URL
    from_page: str = ""
    key: str | None = None
    quiet: bool = False

    @property
    def endpoint(self) -> str:
        """The name in errors and logs."""
        return self.path.rstrip("/")


class Found(NamedTuple):
    """A raw post; `by_detail` says that it comes from the API's detail call, whose addresses of media differ."""

    raw: Raw
    by_detail: bool


class Api:
    """The web app's pages and calls with one identity. `constants` None are those that come with the program."""

    def __init__(
        self,
        http: ApiClient,
        *,
        constants: Constants | None = None,
        clock: Callable[[], float] = time.time,
        draw: Random = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._own_constants = constants
        self._clock = clock
        self._draw = draw
        self._begun = clock()
        self._visit: Visit | None = None
        self._trying = asyncio.Lock()
        self._tried = False
        self._last: dict[tuple[str, Ref], tuple[Cursor, frozenset[str]]] = {}
        self.guest = Guest(http, clock=clock, draw=draw, sleep=sleep)
        self._routes: dict[str, Callable[[Ref], Awaitable[Found]]] = {
            "page": self._post_page,
            "api": self._post_api,
        }

    @property
    def identity(self) -> Profile:
        """The profile in use."""
        return self._http.profile

    @property
    def logged_in(self) -> bool:
        """Whether calls carry a login."""
        return not self._http.profile.is_guest

    # --- one post -------------------------------------------------------------------------------------------------

    async def post_detail(self, ref: Ref) -> Found:
        """One post from its page, else from the API if only the page is refused. Raises what the page said."""
        try:
            return await self._post_page(ref)
        except RateLimited:
            raise
        except (RiskControl, UnexpectedResponse) as error:
            log.debug("tiktok: %s: route page: %s", ref, error)
            try:
                return await self._post_api(ref)
            except (SiteError, NetworkError) as other:
                log.debug("tiktok: %s: route api: %s", ref, other)
            if isinstance(error, Refused):
                self._http.refused("page", error)
            raise

    @property
    def routes(self) -> tuple[str, ...]:
        """The names of the routes to a post, the next to be tried first."""
        return tuple(self._routes)

    async def detail_by(self, route: str, ref: Ref) -> Found:
        """One post's raw object by one route alone. Raises KeyError for a route that is not there."""
        return await self._routes[route](ref)

    async def _post_page(self, ref: Ref) -> Found:
        """Photo posts, too, are asked for as videos: only that page carries them."""
        html = await self.page(f"{SITE}/@_/video/{ref.id}", ref=ref, quiet=True)
        try:
            return Found(parse.item_of_page(html, ref, login=self.logged_in), by_detail=False)
        except RiskControl:
            other = self._other_page(html, ref)
            if other is None:
                raise
        html = await self.page(other, ref=ref, quiet=True)
        return Found(parse.item_of_page(html, ref, login=self.logged_in), by_detail=False)

    def _other_page(self, html: str, ref: Ref) -> str | None:
        """The address that a page without the post names as the post's own; None if it names no other."""
        named = parse.canonical(html)
        path = urlsplit(named).path
        same = urls.match(named) == ref and path != f"/@_/video/{ref.id}" if named else False
        return f"{SITE}{path}" if same else None

    async def _post_api(self, ref: Ref) -> Found:
        call = Call(
            path="item/detail/",
            own=[("itemId", ref.id)],
            kind="list",
            ref=ref,
            page=f"{SITE}/@_/video/{ref.id}",
            from_page="video",
            quiet=True,
        )
        return Found(parse.classify_detail(await self._get(call), ref, login=self.logged_in), by_detail=True)

    # --- accounts -------------------------------------------------------------------------------------------------

    async def profile(self, ref: Ref) -> str:
        """The HTML of an account's page; a handle, a number and a stable id all lead to it."""
        return await self.page(account_page(ref.id), endpoint="profile page", ref=ref)

    async def embed(self, ref: Ref, handle: str) -> str:
        """The HTML of an account's embed page, with its newest ten to twelve posts."""
        return await self.page(f"{SITE}/embed/@{quote(handle, safe='')}", endpoint="embed", ref=ref)

    async def page(
        self, url: str, *, endpoint: str = "page", ref: Ref | None = None, quiet: bool = False
    ) -> str:
        """The HTML of a page; a login is tried before its first use. Raises like `Guest.page`, LoginExpired."""
        await self.try_login()
        return await self.guest.page(url, endpoint=endpoint, ref=ref, quiet=quiet)

    async def try_login(self) -> None:
        """Ask once whether the login is alive, because a dead one is answered as a guest. Raises LoginExpired."""
        if not self.logged_in:
            return
        async with self._trying:
            if not self._tried:
                await self.beat()
                self._tried = True

    async def beat(self) -> None:
        """Ask whether the login is alive. Raises LoginExpired."""
        answer = await self._http.send(
            lambda: Request(url=BEAT, headers={**HEADERS, "Referer": SITE_URL}), call="page", endpoint="login"
        )
        self.guest.note(answer)
        judge_page(answer, endpoint="login")
        found = answer.json("tiktok login")
        if not isinstance(found, dict) or found.get("message") != "success":
            raise LoginExpired("tiktok: the login is no longer accepted", hint=EXPIRED_HINT, endpoint="login")
        self._http.found_alive()

    # --- listings -------------------------------------------------------------------------------------------------

    async def posts(self, ref: Ref, handle: str, cursor: Cursor | None) -> Raw:
        """One page of an account's posts, newest first after the pinned ones; the cursor is a time in ms."""
        return await self._list(_of_user("post/item_list/", ref, handle, cursor, newest_first=True), cursor)

    async def likes(self, ref: Ref, handle: str, cursor: Cursor | None) -> Raw:
        """One page of the posts an account likes."""
        return await self._list(_of_user("favorite/item_list/", ref, handle, cursor), cursor)

    async def reposts(self, ref: Ref, handle: str, cursor: Cursor | None) -> Raw:
        """One page of the posts of others that an account shows; the cursor is the number of posts before."""
        return await self._list(_of_user("repost/item_list/", ref, handle, cursor), cursor)

    async def favorites(self, ref: Ref, handle: str, cursor: Cursor | None) -> Raw:
        """One page of the posts that the own account saved."""
        return await self._list(_of_user("user/collect/item_list/", ref, handle, cursor), cursor)

    async def mixes(self, ref: Ref, handle: str, cursor: Cursor | None) -> Raw:
        """One page of an account's playlists."""
        own = [("secUid", ref.id), ("count", "20"), ("cursor", cursor or FIRST)]
        return await self._list(
            Call(
                path="user/playlist/",
                own=own,
                kind="list",
                ref=ref,
                page=account_page(handle),
                from_page="user",
                key="playList",
            ),
            cursor,
        )

    async def mix_detail(self, ref: Ref) -> Raw:
        """A playlist's description."""
        own = [("mixId", ref.id)]
        return await self._get(Call(path="mix/detail/", own=own, kind="list", ref=ref, page=urls.url(ref)))

    async def mix_posts(self, ref: Ref, cursor: Cursor | None) -> Raw:
        """One page of a playlist's posts."""
        own = [("mixId", ref.id), ("count", str(PAGE_SIZE)), ("cursor", cursor or FIRST)]
        return await self._list(
            Call(path="mix/item_list/", own=own, kind="list", ref=ref, page=urls.url(ref), key="itemList"),
            cursor,
        )

    async def collection_posts(self, ref: Ref, cursor: Cursor | None) -> Raw:
        """One page of someone's collection of posts."""
        own = [("collectionId", ref.id), ("count", str(PAGE_SIZE)), ("cursor", cursor or FIRST)]
        return await self._list(
            Call(
                path="collection/item_list/",
                own=[*own, ("sourceType", "113")],
                kind="list",
                ref=ref,
                page=urls.url(ref),
                key="itemList",
            ),
            cursor,
        )

    async def _list(self, call: Call, cursor: Cursor | None) -> Raw:
        """One page of a listing; one that only repeats the page before it is asked for as another device.

        Raises SignatureRejected if that changes nothing.
        """
        found = await self._get(call)
        if self._is_repeated(call, cursor, found):
            log.debug("tiktok: %s repeats itself, drawing another device id", call.endpoint)
            self.guest.redraw()
            found = await self._get(call)
            if self._is_repeated(call, cursor, found):
                error = rejected(call.endpoint, "the same page again and again", call.ref)
                self._http.refused(call.kind, error)
                raise error
        self._last[call.path, call.ref] = (cursor or FIRST, _ids(found, call))
        return found

    def _is_repeated(self, call: Call, cursor: Cursor | None, found: Raw) -> bool:
        ids, here = _ids(found, call), cursor or FIRST
        at, before = self._last.get((call.path, call.ref), (here, ids))
        return at != here and bool(ids) and ids <= before

    # --- the signed call ------------------------------------------------------------------------------------------

    async def _get(self, call: Call) -> Raw:
        """Make a signed call. What is refused is asked for once more, once as another visitor, once like a browser.

        The first call of a visitor is often answered with nothing, and the second served (gallery-dl, 2026). Of the same
        call one client got nothing and one that imitates a browser all of it (brennoflavio/tokai, 2026-10).
        """
        await self.try_login()
        visitor = await self.guest.ready(call.page)
        try:
            return await self._send_signed(call)
        except _VisitorRefused as refusal:
            error = refusal.error
        for remedy in (_nothing, partial(self.guest.renew, visitor, call.page), self._imitate):
            if not await remedy():
                continue
            try:
                return await self._send_signed(call)
            except _VisitorRefused as refusal:
                error = refusal.error
        self._http.explain(error)
        raise self._told(call, error)

    async def _imitate(self) -> bool:
        """Speak like a browser; False if that is no news."""
        return self._http.imitate()

    def _told(self, call: Call, error: Refused) -> Refused:
        """A refusal that the budget knows of; if the page loads another signing script than ours, it may be the reason."""
        build = self.guest.build
        if isinstance(error, SignatureRejected) and build not in (None, self._constants.build.scm):
            log.debug("tiktok: the page loads webmssdk %s, we sign as %s", build, self._constants.build.scm)
        if not call.quiet:
            self._http.refused(call.kind, error)
        return error

    async def _send_signed(self, call: Call) -> Raw:
        """Send and judge. Raises _VisitorRefused for what another visitor may be given, and the budget is not told."""
        found: Raw | None = None

        def judge(answer: Answer) -> None:
            nonlocal found
            try:
                found = self._judged(answer, call)
            except (SignatureRejected, RiskControl) as error:
                if not _is_about_visitor(answer, error):
                    raise
                refused.append(error)

        refused: list[Refused] = []
        answer = await self._http.send(
            lambda: self._signed(call), call=call.kind, endpoint=call.endpoint, judge=judge, ref=call.ref
        )
        self.guest.note(answer)
        if found is None:
            raise _VisitorRefused(refused[-1])
        return found

    def _judged(self, answer: Answer, call: Call) -> Raw:
        found = judge_api(answer, endpoint=call.endpoint, ref=call.ref, login=self.logged_in)
        if call.key and found.get(call.key) is None and found.get("hasMore"):
            raise rejected(call.endpoint, "it promises more and sends no list", call.ref)
        return found

    @property
    def _constants(self) -> Constants:
        from dyvine_cli.sites.tiktok import sign

        return self._own_constants or sign.CONSTANTS

    def _signed(self, call: Call) -> Request:
        from dyvine_cli.sites.tiktok import sign  # pages are loaded without a signature

        agent = self._http.profile.user_agent or USER_AGENT
        page = urlsplit(call.page)
        visit = self._visit or sign.Visit.begin(now_ms=int(self._begun * 1000), random=self._draw)
        self._visit = visit.next()
        query = sign.signed(
            sign.encode(self._pairs(call, agent)),
            agent,
            replace(visit, page=f"{page.hostname}{page.path}"),
            now_s=int(self._clock()),
            random=self._draw,
            ms_token=self.guest.ms_token,
            constants=self._constants,
        )
        return Request(url=f"{SITE}/api/{call.path}?{query}", headers={**HEADERS, "Referer": call.page})

    def _pairs(self, call: Call, agent: str) -> list[tuple[str, str]]:
        device = self.guest.device
        told = {
            **common(agent, login=self.logged_in),
            **(device.query() if device else {}),
            "from_page": call.from_page,
            **dict(call.own),
        }
        return sorted(told.items(), key=lambda pair: pair[0].lower())


class _VisitorRefused(Exception):
    """This visitor was refused; `error` is what to say if no other is served."""

    def __init__(self, error: Refused) -> None:
        super().__init__(str(error))
        self.error = error


async def _nothing() -> bool:
    """The remedy that is another try."""
    return True


def _is_about_visitor(answer: Answer, error: Refused) -> bool:
    """Whether another try, token or device may be served: a success without what was asked for, and no captcha."""
    return answer.status == 200 and (isinstance(error, SignatureRejected) or not answer.body.strip())


def _ids(found: Raw, call: Call) -> frozenset[str]:
    entries = found.get(call.key or "")
    return frozenset(
        str(entry["id"])
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, Mapping) and "id" in entry
    )


def account_page(id: str) -> str:
    """The page of an account by handle, number or stable id."""
    return f"{SITE}/@{quote(id, safe='')}"


def is_stable(id: str) -> bool:
    """Whether an id is the lasting one."""
    return id.startswith(STABLE_PREFIX)


def _of_user(path: str, ref: Ref, handle: str, cursor: Cursor | None, *, newest_first: bool = False) -> Call:
    own = [
        ("secUid", ref.id),
        ("count", str(PAGE_SIZE)),
        ("cursor", cursor or FIRST),
        ("coverFormat", "2"),
    ]
    if newest_first:
        own += [("post_item_list_request_type", "0"), ("needPinnedItemIds", "true")]
    return Call(
        path=path,
        own=own,
        kind="signed_list",
        ref=ref,
        page=account_page(handle or ref.id),
        from_page="user",
        key="itemList",
    )


def common(agent: str, *, login: bool) -> dict[str, str]:
    """The parameters that every web call carries besides the device's."""
    return {
        "aid": "1988",
        "app_language": "en",
        "app_name": "tiktok_web",
        "browser_language": "en-US",
        "browser_name": "Mozilla",
        "browser_online": "true",
        "browser_platform": _platform(agent)[0],
        "browser_version": agent.removeprefix("Mozilla/"),
        "channel": "tiktok_web",
        "cookie_enabled": "true",
        "data_collection_enabled": _word(login),
        "device_platform": "web_pc",
        "focus_state": "true",
        "history_len": "3",
        "is_fullscreen": "false",
        "is_page_visible": "true",
        "language": "en",
        "os": _platform(agent)[1],
        "priority_region": "",
        "referer": "",
        "root_referer": SITE_URL,
        "screen_height": "1080",
        "screen_width": "1920",
        "tz_name": "Etc/UTC",
        "user_is_login": _word(login),
        "webcast_language": "en",
    }


def _platform(agent: str) -> tuple[str, str]:
    """`browser_platform` and `os` of an agent; they must agree with it."""
    if "Macintosh" in agent:
        return "MacIntel", "mac"
    return ("Linux x86_64", "linux") if "Linux" in agent else ("Win32", "windows")


def _word(truth: bool) -> str:
    return "true" if truth else "false"
