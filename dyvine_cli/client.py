"""The library: resolve what a person pasted, and ask the right site for posts, accounts and listings."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from dyvine_cli import cookies as cookie_files
from dyvine_cli import links
from dyvine_cli.budget import Budget, Pace, load_rates
from dyvine_cli.errors import InputError, UnsupportedURL
from dyvine_cli.events import Report, ignore
from dyvine_cli.http.addresses import within
from dyvine_cli.http.api import ApiClient
from dyvine_cli.http.connect import ConnectTo
from dyvine_cli.http.network import Network
from dyvine_cli.identity import Profile, Profiles
from dyvine_cli.listing import Walk
from dyvine_cli.models import Cursor, Listing, Mix, Page, Post, Ref, RefKind, User
from dyvine_cli.sites import HOSTS, SITES
from dyvine_cli.sites.douyin import PACE, Douyin

BARE_ID = re.compile(r"@?[A-Za-z0-9_.-]{2,120}")
"""An id, handle or 抖音号 without a link around it."""
Who = Callable[[str], Profile]
"""Site name to the profile to use there."""


class Client:
    """One person's view of the platforms: `async with Client() as client: post = await client.post(url)`.

    Without `who`, each site is visited as a guest, or with `cookies` (the text of a header, Netscape or JSON export).
    `state` is the folder that keeps guest identities; None keeps nothing. A `network` given is not closed here.
    """

    def __init__(
        self,
        *,
        cookies: str | None = None,
        who: Who | None = None,
        state: Path | None = None,
        network: Network | None = None,
        proxy: str | None = None,
        ca_file: Path | None = None,
        connect_to: str | None = None,
        pace: Pace = "normal",
        retries: int = 3,
        default_site: str = "douyin",
        report: Report = ignore,
    ) -> None:
        self._store = Profiles(state) if state else None
        self._who = who or self._guest_or(cookies)
        self._own_network = network is None
        self.network = network or Network(
            proxy=proxy,
            ca_file=ca_file,
            connect_to=ConnectTo.parse(connect_to) if connect_to else None,
            listed=HOSTS,
        )
        self.budget = Budget({"douyin": load_rates(PACE)}, pace=pace, report=report)
        self._retries = retries
        self._default_site = default_site
        self._sites: dict[str, Douyin] = {}
        self._tried: dict[str, Profile] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        if self._own_network:
            await self.network.aclose()

    def _guest_or(self, text: str | None) -> Who:
        def who(site: str) -> Profile:
            if text is not None:
                return Profile(site=site, name="env", cookies=cookie_files.read(text, site=site))
            stored = self._store.load(site, "guest") if self._store else None
            return stored or Profile(site=site, name="guest")

        return who

    def site(self, name: str) -> Douyin:
        """The site of that name, spoken to with its profile. Raises UnsupportedURL for one that is not there."""
        if name not in self._sites:
            builder = next((each for each in SITES if each.name == name), None)
            if builder is None:
                raise UnsupportedURL(f"{name} is not supported yet", hint="this version speaks Douyin")
            tried = self._tried.get(name)
            http = ApiClient(
                self.network,
                tried or self._who(name),
                self.budget,
                retries=self._retries,
                store=self._store.save if self._store and not tried else None,
            )
            self._sites[name] = builder(http)
        return self._sites[name]

    def try_as(self, profile: Profile) -> None:
        """Visit a site as another profile from now on, without keeping what its cookies become."""
        self._tried[profile.site] = profile
        self._sites.pop(profile.site, None)

    def profile(self, site: str) -> Profile:
        """The profile in use at a site, with the cookies that it gave since."""
        return self.site(site).profile

    async def login(self, site: str) -> User:
        """The account of the login in use. Raises LoginNeeded for a guest, LoginExpired for a dead login."""
        return await self.site(site).login()

    # --- what a link means ----------------------------------------------------------------------------------------

    async def resolve(self, text: str, *, kind: RefKind | None = None) -> Ref:
        """The ref that a link, share text, bare id or `site:kind:id` means; short links are followed.

        `kind` says what a bare id is the id of, None leaves that to its form. Raises UnsupportedURL, NotFound for a
        short link that has run out, NetworkError.
        """
        ref = self.match(text, kind=kind)
        return await self.site(ref.site).follow(ref) if ref.kind == "short" else ref

    def match(self, text: str, *, kind: RefKind | None = None) -> Ref:
        """What `text` means as far as it can be said without asking anyone. Raises UnsupportedURL."""
        text = text.strip()
        ref = Ref.parse(text)
        if ref is not None:
            return ref
        if kind is not None and BARE_ID.fullmatch(text):
            bare = next(iter(self._in_order())).match(text)
            return (
                bare
                if bare is not None and bare.kind == kind
                else Ref(self._default_site, kind, text.lstrip("@"))
            )
        for candidate in (*links.find(text), text):
            for site in self._in_order():
                found = site.match(candidate)
                if found is not None:
                    return found
        raise _unsupported(text)

    def _in_order(self) -> Sequence[type[Douyin]]:
        return sorted(SITES, key=lambda site: site.name != self._default_site)

    # --- what is there --------------------------------------------------------------------------------------------

    async def post(self, what: str | Ref) -> Post:
        """One post with fresh links. Raises the causes of `errors.NotFound`, LoginNeeded, Refused, NetworkError."""
        ref = await self._ref(what, "post")
        return await self.site(ref.site).post(ref)

    def check(self, post: Post) -> None:
        """Raise what keeps a listed post from us, if there is nothing of it to be had."""
        self.site(post.ref.site).check(post)

    async def user(self, what: str | Ref) -> User:
        """An account. A private or banned one is a User with that `state`."""
        ref = await self._ref(what, "user")
        return await self.site(ref.site).user(ref)

    async def mix(self, what: str | Ref) -> Mix:
        """A mix's description."""
        ref = await self._ref(what, "mix")
        return await self.site(ref.site).mix(ref)

    def list(
        self,
        ref: Ref,
        what: Listing | None = None,
        *,
        cursor: Cursor | None = None,
        declared: int | None = None,
    ) -> Walk:
        """The posts (or mixes) of a user or mix, as an async iterator that holds one page.

        `what` None is the listing that the ref names, or its kind's own. `cursor` goes on where a former walk was cut.
        `declared` is the number of posts the profile claims; an end far before it is an error. While iterating raises
        ListingIncomplete, or the cause itself if not even one page came.
        """
        site = self.site(ref.site)
        chosen = what or ref.listing

        async def fetch(at: Cursor | None) -> Page:
            return await site.page(ref, chosen, at)

        return Walk(fetch, ref, cursor=cursor, declared=declared)

    async def posts(self, what: str | Ref) -> AsyncIterator[Post]:
        """Every post of a user or mix, newest first as the platform lists them."""
        ref = what if isinstance(what, Ref) else await self.resolve(what)
        async for entry in self.list(ref):
            if isinstance(entry, Post):
                yield entry

    async def _ref(self, what: str | Ref, kind: str) -> Ref:
        ref = what if isinstance(what, Ref) else await self.resolve(what)
        if ref.kind != kind:
            raise InputError(f"{what} is a {ref.kind}, not a {kind}", hint=f"try: dyvine {_noun(ref)} {what}")
        return ref


def _noun(ref: Ref) -> str:
    return "live" if ref.kind == "room" else "get" if ref.kind in ("series", "film", "replay") else ref.kind


def _unsupported(text: str) -> UnsupportedURL:
    """Why nothing in `text` can be used, in words that fit it."""
    found = links.find(text)
    hosts = [host for each in found if (host := urlsplit(each).hostname)]
    if any(within(host, ("tiktok.com",)) for host in hosts):
        return UnsupportedURL("TikTok links are not supported yet", hint="this version speaks Douyin")
    if hosts:
        return UnsupportedURL(
            f"{hosts[0]} is no site that dyvine knows, or the link has no post in it",
            hint="it takes links of douyin.com, ids and refs such as douyin:post:7372484719365098803",
        )
    return UnsupportedURL(
        f"no link or id in: {text[:80]!r}",
        hint="paste the whole share text, a link, a post's number or a ref such as douyin:post:7372484719365098803",
    )
