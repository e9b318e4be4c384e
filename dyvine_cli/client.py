"""The library: resolve what a person pasted, and ask the right site for posts, accounts and listings."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit

from dyvine_cli import cookies as cookie_files
from dyvine_cli import links
from dyvine_cli.budget import Budget, Pace, load_rates
from dyvine_cli.errors import InputError, LoginExpired, RateLimited, UnsupportedURL
from dyvine_cli.events import Report, Warned, ignore
from dyvine_cli.http.addresses import within
from dyvine_cli.http.api import Answer, ApiClient
from dyvine_cli.http.connect import ConnectTo
from dyvine_cli.http.exchange import Trace
from dyvine_cli.http.network import Network
from dyvine_cli.identity import GUEST, Profile, Profiles, of_environment
from dyvine_cli.listing import Walk, check_likes, check_listable
from dyvine_cli.models import Cursor, Health, Listing, Mix, Page, Post, Ref, RefKind, User
from dyvine_cli.redact import Redactor, link
from dyvine_cli.sites import HOSTS, SITES
from dyvine_cli.sites.base import Platform, Site

BARE_ID = re.compile(r"@?[A-Za-z0-9_.-]{2,120}")
"""An id, handle or 抖音号 without a link around it."""
HANDLE = re.compile(r"@[A-Za-z0-9_.-]{2,40}")
"""A handle that says that it is one."""

ID_SITE = "douyin"
"""Whose a bare id is, unless a site is named: ids look alike on all."""
HANDLE_SITE = "tiktok"
"""Whose a bare `@handle` is, unless a site is named."""

_TITLES = " and ".join(site.title for site in SITES)
_DOMAINS = " and ".join(site.hosts[0] for site in SITES)

T = TypeVar("T")

Who = Callable[[str], Profile | Sequence[Profile]]
"""Site name to the profile to use there, or to several that take turns by their health."""
Reach = Callable[[str, str | None], Network]
"""Site name and its profile's own proxy (None: it has none) to the network for its calls."""


class Client:
    """One person's view of the platforms: `async with Client() as client: post = await client.post(url)`.

    Without `who`, each site is visited as a guest, or with `cookies` (the text of a header, Netscape or JSON export).
    `state` is the folder that keeps guests and budgets; None keeps nothing. `pace` is one for all sites or by site.
    `network` is how sockets are opened, for all sites or by site; one that is given is not closed here. `budget` is a
    request budget to share with others, None for one of its own; `sleep` waits between tries. `default_site` is whose
    bare ids and handles are, None for Douyin's ids and TikTok's handles. `constants` are files over the signing
    constants, by site. `trace` receives every exchange, secrets and all: whoever shows it redacts it.
    """

    def __init__(
        self,
        *,
        cookies: str | None = None,
        who: Who | None = None,
        state: Path | None = None,
        network: Network | Reach | None = None,
        proxy: str | None = None,
        ca_file: Path | None = None,
        connect_to: str | None = None,
        pace: Pace | Mapping[str, Pace] = "normal",
        budget: Budget | None = None,
        retries: int = 3,
        default_site: str | None = None,
        report: Report = ignore,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        constants: Mapping[str, Path] | None = None,
        trace: Trace | None = None,
    ) -> None:
        self._state = state
        self._store = Profiles(state) if state else None
        self._who = who or self._guest_or(cookies)
        self._own_networks: list[Network] = []
        self._reach = self._reach_of(network, proxy, ca_file, connect_to)
        self._pace = pace
        self._shared_budget = budget
        self._budgets: dict[str, Budget] = {}
        self._retries = retries
        self._default_site = default_site
        self._report = report
        self._sleep = sleep
        self._constants = constants or {}
        self._trace = trace
        self._sites: dict[str, Site] = {}
        self._callers: dict[str, ApiClient] = {}
        self._tried: dict[str, Profile] = {}
        self._turns: dict[str, list[Profile]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        for network in self._own_networks:
            await network.aclose()

    def _guest_or(self, text: str | None) -> Who:
        def who(site: str) -> Profile:
            if text is not None:
                return of_environment(site, cookie_files.read(text, site=site))
            stored = self._store.load(site, GUEST) if self._store else None
            return stored or Profile(site=site, name=GUEST, session=False)

        return who

    def _reach_of(
        self, network: Network | Reach | None, proxy: str | None, ca_file: Path | None, connect_to: str | None
    ) -> Reach:
        if isinstance(network, Network):
            given = network
            return lambda site, own: given
        if network is not None:
            return network
        led = ConnectTo.parse(connect_to) if connect_to else None

        def opened(by: str | None) -> Network:
            made = Network(proxy=by, ca_file=ca_file, connect_to=led, listed=HOSTS)
            self._own_networks.append(made)
            return made

        usual = opened(proxy)
        return lambda site, own: opened(own) if own else usual

    def site(self, name: str) -> Site:
        """The site of that name, spoken to with its profile. Raises UnsupportedURL for one that is not there."""
        if name not in self._sites:
            platform = _platform(name)
            tried = self._tried.get(name)
            profile = tried or self._whose_turn(name)
            http = ApiClient(
                self._reach(name, profile.proxy),
                profile,
                self.budget(name),
                retries=self._retries,
                store=self._store.save if self._store and not tried else None,
                trace=self._trace,
                report=self._report,
                sleep=self._sleep,
            )
            self._callers[name] = http
            self._sites[name] = platform.visit(http, constants=self._constants.get(name))
        return self._sites[name]

    def _whose_turn(self, name: str) -> Profile:
        """The profile for a site: of several the healthiest, of equal ones that which rested longest."""
        if name not in self._turns:
            found = self._who(name)
            profiles = [found] if isinstance(found, Profile) else list(found)
            if len(profiles) > 1:
                profiles.sort(key=lambda each: _illness(self.health(each)))
            self._turns[name] = profiles
        return self._turns[name][0]

    async def _ask(self, name: str, work: Callable[[Site], Awaitable[T]]) -> T:
        """What `work` gets from a site; where a profile is ended for this run or its login is dead, the next one goes on."""
        while True:
            site = self.site(name)
            caller = self._callers[name]
            try:
                return await work(site)
            except LoginExpired:
                caller.found_dead()
                if not self._pass_on(name, site, dead=True):
                    raise
            except RateLimited as error:
                # The budget's word names a class of calls or nothing; a single answer's is not the end.
                is_budgets = error.endpoint is None or error.call is not None
                if not is_budgets or not self._pass_on(name, site):
                    raise

    def _pass_on(self, name: str, site: Site, *, dead: bool = False) -> bool:
        """Give the turn to the next profile, because the site wants no more calls of this one or its login is `dead`.

        False if there is none.
        """
        if self._sites.get(name) is not site:  # another call has done it
            return True
        turns = self._turns.get(name, [])
        if name in self._tried or len(turns) < 2:
            return False
        ended = turns.pop(0)
        del self._sites[name]
        why = (
            f"the {name} login '{ended.name}' is no longer accepted"
            if dead
            else f"{name} wants no more calls of the profile '{ended.name}'"
        )
        cure = f"log in again in the browser, then run: dyvine login add --site {name} --profile {ended.name} FILE"
        self._report(Warned(message=f"{why}; going on as '{turns[0].name}'", hint=cure if dead else None))
        return True

    def budget(self, site: str) -> Budget:
        """The request budget of a site."""
        if self._shared_budget is not None:
            return self._shared_budget
        if site not in self._budgets:
            pace = self._pace if isinstance(self._pace, str) else self._pace.get(site, "normal")
            self._budgets[site] = Budget(
                {site: load_rates(_platform(site).pace)},
                pace=pace,
                report=self._report,
                folder=self._state,
            )
        return self._budgets[site]

    def estimate(self, ref: Ref, what: Listing | None, declared: int | None) -> tuple[int | None, float]:
        """How many calls a listing of so many entries takes, and the seconds that they will wait for their turn.

        None and 0 if it is not known how many entries there are.
        """
        site = _platform(ref.site)
        calls = -(-declared // site.page_size) if declared else None
        budget = self.budget(ref.site)
        return calls, budget.estimate(ref.site, site.call(ref, what), calls) if calls else 0.0

    def next_try(self) -> datetime | None:
        """When a site that refused us may be asked again, the earliest of several; None if all may be asked now."""
        times = [
            self.budget(name).next_try(name, site.profile.desk)
            for name, site in self._sites.items()
            if site.profile
        ]
        return min((each for each in times if each is not None), default=None)

    @property
    def in_use(self) -> tuple[Profile, ...]:
        """The profiles that sites were visited as."""
        return tuple(site.profile for site in self._sites.values())

    def health(self, profile: Profile) -> Health:
        """How a profile gets on with its site."""
        found = self.budget(profile.site).health(profile.site, profile.desk)
        return replace(found, dead=profile.dead)

    def try_as(self, profile: Profile) -> None:
        """Visit a site as another profile from now on, without keeping what its cookies become."""
        self._tried[profile.site] = profile
        self._sites.pop(profile.site, None)

    def profile(self, site: str) -> Profile:
        """The profile in use at a site, with the cookies that it gave since."""
        return self.site(site).profile

    async def login(self, site: str) -> User:
        """The account of the login in use. Raises LoginNeeded for a guest, LoginExpired for a dead login."""
        return await self._ask(site, lambda site: site.login())

    # --- what a link means ----------------------------------------------------------------------------------------

    async def resolve(self, text: str, *, kind: RefKind | None = None) -> Ref:
        """The ref that a link, share text, bare id, `@handle` or `site:kind:id` means; short links are followed.

        Of several links the first that can be used counts. `kind` says what a bare id is the id of, None leaves that
        to its form. Raises UnsupportedURL, NotFound for a short link that has run out, NetworkError.
        """
        ref = self.match(text, kind=kind)
        return await self._ask(ref.site, lambda site: site.follow(ref)) if ref.kind == "short" else ref

    def match(self, text: str, *, kind: RefKind | None = None) -> Ref:
        """What `text` means as far as it can be said without asking anyone. Raises UnsupportedURL."""
        return match(text, kind=kind, default_site=self._default_site)

    # --- what is there --------------------------------------------------------------------------------------------

    async def post(self, what: str | Ref) -> Post:
        """One post with fresh links. Raises the causes of `errors.NotFound`, LoginNeeded, Refused, NetworkError."""
        ref = await self._ref(what, "post")
        return await self._ask(ref.site, lambda site: site.post(ref))

    def check(self, post: Post) -> None:
        """Raise what keeps a listed post from us, if there is nothing of it to be had."""
        self.site(post.ref.site).check(post)

    async def user(self, what: str | Ref) -> User:
        """An account, by link, stable id, `self` or handle. A private or banned one is a User with that `state`."""
        ref = await self._ref(what, "user")
        return await self._ask(ref.site, lambda site: site.user(ref))

    async def mix(self, what: str | Ref) -> Mix:
        """A mix's description."""
        ref = await self._ref(what, "mix")
        return await self._ask(ref.site, lambda site: site.mix(ref))

    def list(
        self,
        ref: Ref,
        what: Listing | None = None,
        *,
        cursor: Cursor | None = None,
        declared: int | None = None,
        counted: int | None = None,
        enough: int | None = None,
    ) -> Walk:
        """The posts (or mixes) of a user or mix, as an async iterator that holds one page.

        `what` None is the listing that the ref names, or its kind's own. `cursor` goes on where a former walk was cut,
        `counted` is how many entries came before that place. `enough` is how many entries may do, None for all: see
        `Walk`. `declared` is the number of posts the profile claims; an
        end far before it is an error. While iterating raises ListingIncomplete, or the cause itself if not even one
        page came.
        """
        self.site(ref.site)  # who cannot be asked is told before the first page
        chosen = what or ref.listing

        async def fetch(at: Cursor | None) -> Page:
            return await self._ask(ref.site, lambda site: site.page(ref, chosen, at))

        return Walk(fetch, ref, cursor=cursor, declared=declared, counted=counted, enough=enough)

    async def posts(self, what: str | Ref) -> AsyncIterator[Post]:
        """Every post of a user or mix, newest first as the platform lists them (pinned ones before).

        Raises Private or Banned for an account whose posts cannot be listed, ListingIncomplete when the list ends
        before its end, which an empty page that promises more is, too.
        """
        walk = await self._walk(what if isinstance(what, Ref) else await self.resolve(what))
        async for entry in walk:
            if isinstance(entry, Post):
                yield entry

    async def _walk(self, ref: Ref) -> Walk:
        if ref.kind == "collection":
            return self.list(ref)
        if ref.kind != "user":
            mix = await self.mix(ref)
            return self.list(mix.ref, declared=mix.declared)
        user = await self.user(ref)
        check_listable(user)
        if ref.listing == "likes":
            check_likes(user)
        own = ref.listing in (None, "posts")
        return self.list(user.ref, ref.listing, declared=user.declared if own else None)

    async def _ref(self, what: str | Ref, kind: RefKind) -> Ref:
        ref = what if isinstance(what, Ref) else await self.resolve(what, kind=kind)
        if ref.kind != kind:
            raise InputError(f"{what} is a {ref.kind}, not a {kind}", hint=_other_noun(ref, what))
        return ref


def match(text: str, *, kind: RefKind | None = None, default_site: str | None = None) -> Ref:
    """What `text` means as far as it can be said without asking anyone; see `Client`. Raises UnsupportedURL."""
    text = text.strip()
    ref = Ref.parse(text)
    if ref is not None:
        return ref
    if HANDLE.fullmatch(text):
        return Ref(default_site or HANDLE_SITE, "user", text.removeprefix("@"))
    if kind is not None and BARE_ID.fullmatch(text) and (kind == "user" or text.isdigit()):
        name = default_site or ID_SITE
        bare = _platform(name).match(text)
        return bare if bare is not None and bare.kind == kind else Ref(name, kind, text)
    return _first_known(text, default_site or ID_SITE)


def _first_known(text: str, usual: str) -> Ref:
    """The first link in `text` that a site knows, or what the whole of it means; the usual site is asked first."""
    refusals: list[UnsupportedURL] = []
    for candidate in (*links.find(text), text):
        for site in sorted(SITES, key=lambda site: site.name != usual):
            try:
                found = site.match(candidate)
            except UnsupportedURL as refusal:
                refusals.append(refusal)
                continue
            if found is not None:
                return found
    raise refusals[0] if refusals else _unsupported(text)


def address(ref: Ref) -> str:
    """A link that `match` takes for this ref: the page a person would open, or the ref itself where there is none.

    Raises UnsupportedURL for a site or kind that is not there.
    """
    page = _platform(ref.site).url(ref)
    try:
        return page if match(page) == ref else str(ref)
    except UnsupportedURL:
        return str(ref)


def _illness(health: Health) -> tuple[bool, bool, bool, bool, int, float]:
    """What speaks against a profile, the worst first; the last is when it was used."""
    dead = health.dead is not None
    refused = health.refused is not None and (health.accepted is None or health.accepted < health.refused)
    used = max((each.timestamp() for each in (health.used, health.accepted) if each), default=0.0)
    return (dead, health.ended, health.closed_until is not None, refused, health.refusals, used)


def elsewhere(text: str, site: str) -> str | None:
    """Another site than `site` whose id or handle `text` may be; None if it says whose it is."""
    if Ref.parse(text) is not None or not BARE_ID.fullmatch(text):
        return None
    return next((each.name for each in SITES if each.name != site), None)


def reread(answer: Answer) -> str | None:
    """What a recorded answer of any site is, read again offline by its parser; None if it is none of theirs.

    Raises what the parser raises: UnexpectedResponse names the field that breaks.
    """
    told = (site.reread(answer) for site in SITES)
    return next((each for each in told if each is not None), None)


def _platform(name: str) -> type[Platform]:
    """The platform of that name. Raises UnsupportedURL for one that is not there."""
    found = next((each for each in SITES if each.name == name), None)
    if found is None:
        raise UnsupportedURL(f"{name} is not supported yet", hint=f"this version speaks {_TITLES}")
    return found


def _other_noun(ref: Ref, what: str | Ref) -> str:
    """The command that takes what this one does not, as far as there is one."""
    if ref.kind in ("post", "user", "mix", "collection"):
        return f"try: dyvine {'get' if ref.kind == 'collection' else ref.kind} {what}"
    return "posts, users, mixes and collections can be had"


def _unsupported(text: str) -> UnsupportedURL:
    """Why nothing in `text` can be used, in words that fit it."""
    found = links.find(text)
    hosts = [host for each in found if (host := urlsplit(each).hostname)]
    if hosts and any(within(hosts[0], site.hosts) for site in SITES):
        return UnsupportedURL(
            f"{link(found[0])} names no post, user or list",
            hint="copy the link of the post or account itself: its number may be cut off or misspelt",
        )
    if hosts:
        return UnsupportedURL(
            f"{hosts[0]} is no site that dyvine knows",
            hint=f"it takes links of {_DOMAINS}, ids and refs such as douyin:post:7372484719365098803",
        )
    return UnsupportedURL(
        f"no link or id in: {Redactor().text(text[:400])[:80]!r}",
        hint="paste a link, a post's number, a ref such as douyin:post:7372484719365098803, or share text in single quotes:"
        " a shell stops at # and takes & and ? for itself",
    )
