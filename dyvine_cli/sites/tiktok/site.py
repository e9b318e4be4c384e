"""TikTok as it is spoken to: joins the rooms beside this file into a Site."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dyvine_cli.errors import InputError, LoginExpired, LoginNeeded, Private, Refused, UnexpectedResponse
from dyvine_cli.http.api import ApiClient
from dyvine_cli.identity import Profile
from dyvine_cli.models import Cursor, Listing, Mix, Page, Post, Ref, User
from dyvine_cli.sites.availability import EXPIRED_HINT
from dyvine_cli.sites.short_links import ENDPOINT, Follower
from dyvine_cli.sites.tiktok import Tiktok, parse, urls
from dyvine_cli.sites.tiktok.api import BOT, FIRST, USER_AGENT, Api, Found, is_stable
from dyvine_cli.sites.tiktok.guest import SITE_URL
from dyvine_cli.sites.tiktok.refusals import judge_page

if TYPE_CHECKING:
    from dyvine_cli.sites.tiktok.sign import Constants

log = logging.getLogger(__name__)

REST_REFUSED = "TikTok refused the rest"


class TiktokSite(Tiktok):
    """The Site of TikTok, spoken to through its pages and its web app's calls."""

    def __init__(self, http: ApiClient, *, constants: Path | None = None) -> None:
        """`constants` is a person's file over the signing constants; ConfigError if it cannot be used."""
        if http.profile.user_agent is None:
            http.profile = http.profile.replace(user_agent=USER_AGENT)
        self.api = Api(http, constants=_constants(constants) if constants else None)
        self._people: dict[str, User] = {}
        self._links = Follower(
            platform=self.title,
            hosts=urls.HOSTS,
            http=http,
            agent=BOT,
            judge=partial(judge_page, endpoint=ENDPOINT),
            match=urls.match,
            is_home=urls.is_home,
        )

    @property
    def profile(self) -> Profile:
        """The identity in use, with the cookies that TikTok gave since."""
        return self.api.identity

    async def follow(self, ref: Ref) -> Ref:
        """What a short link leads to; see `Follower.follow`."""
        return await self._links.follow(ref)

    async def post(self, ref: Ref) -> Post:
        """One post with fresh links. Raises Deleted, Private, InReview, NotInRegion, LoginNeeded, NotFound."""
        return self._read(await self.api.post_detail(ref), ref)

    def _read(self, found: Found, ref: Ref) -> Post:
        """A post with the cookie that its addresses were made for."""
        post = parse.post(found.raw, ref=ref, by_detail=found.by_detail)
        self.check(post)
        return parse.unlocked(post, self.api.guest.chain_token)

    def check(self, post: Post) -> None:
        """Raise what keeps a post from us, if there is nothing of it to be had; of a partial post nothing is known."""
        if not post.partial:
            parse.ensure_available(post, login=self.api.logged_in)

    async def user(self, ref: Ref) -> User:
        """An account's profile by handle, number or stable id; `self` is the login's own, which sees all its lists."""
        if ref.id == "self":
            return await self.login()
        found = parse.user_of_page(await self.api.profile(ref), ref, login=self.api.logged_in)
        if self._is_own(found):
            found = replace(found, likes_are_public=None)
        self._people[found.ref.id] = found
        return found

    async def login(self) -> User:
        """The account of the login in use."""
        if not self.api.logged_in:
            raise LoginNeeded("tiktok: nobody is logged in", hint="dyvine login add FILE --site tiktok")
        await self.api.beat()
        context = parse.app_context(await self.api.page(SITE_URL))
        own = context.get("user")
        named = own if isinstance(own, Mapping) else {}
        id = next((str(named[name]) for name in ("uniqueId", "secUid", "uid") if named.get(name)), "")
        if not id:
            raise LoginExpired("tiktok: the login is no longer accepted", hint=EXPIRED_HINT)
        return await self.user(Ref(self.name, "user", id))

    async def mix(self, ref: Ref) -> Mix:
        """A playlist's description."""
        return parse.mix_of(await self.api.mix_detail(ref), ref)

    # --- listings -------------------------------------------------------------------------------------------------

    async def page(self, ref: Ref, what: Listing | None, cursor: Cursor | None) -> Page:
        """One page of a listing: posts, likes, reposts, saved posts or playlists of a user, posts of a mix or collection.

        The first page of an account's posts is the sample that its embed page shows, unless that is refused.
        """
        try:
            return await self._page(ref, what, cursor)
        except Refused as error:
            if cursor is not None and error.endpoint:  # without one it is the budget's own word
                error.message = f"{REST_REFUSED} ({error.message})"
            raise

    async def _page(self, ref: Ref, what: Listing | None, cursor: Cursor | None) -> Page:
        if ref.kind == "mix":
            return self._posts(await self.api.mix_posts(ref, cursor), ref, "mix")
        if ref.kind == "collection":
            return self._posts(await self.api.collection_posts(ref, cursor), ref, "collection")
        if ref.kind != "user":
            raise InputError(f"{ref}: a {ref.kind} cannot be listed yet")
        return await self._of_user(ref, what or "posts", cursor)

    async def _of_user(self, ref: Ref, what: Listing, cursor: Cursor | None) -> Page:
        owner = await self._owner(ref)
        if what == "posts" and cursor is None and (sample := await self._sample(owner)):
            return sample
        match what:
            case "posts":
                answer = await self.api.posts(owner.ref, owner.handle, cursor)
            case "likes":
                answer = await self.api.likes(owner.ref, owner.handle, cursor)
            case "reposts":
                answer = await self.api.reposts(owner.ref, owner.handle, cursor)
            case "favorites":
                self._check_own(owner)
                answer = await self.api.favorites(owner.ref, owner.handle, cursor)
            case "mixes":
                raw = await self.api.mixes(owner.ref, owner.handle, cursor)
                return parse.mixes_page(raw, ref=owner.ref, login=self.api.logged_in)
            case _:
                raise InputError(
                    f"{ref}: {what} of a user cannot be listed",
                    hint="its posts, likes, reposts, saved posts and mixes can",
                )
        return self._posts(answer, owner.ref if what == "posts" else replace(owner.ref, listing=what), what)

    def _is_own(self, account: User) -> bool:
        return self.api.logged_in and account.uid == self.api.guest.me != ""

    def _check_own(self, account: User) -> None:
        """Raise for a list that only its owner sees: LoginNeeded for a guest, Private for another login."""
        if self._is_own(account):
            return
        told = f"only {account.nickname} sees the posts that they saved"
        if not self.api.logged_in:
            raise LoginNeeded(
                told, hint="if that is you: dyvine login add FILE --site tiktok", ref=account.ref
            )
        raise Private(
            told, hint="`self` is the account of the login: dyvine user self --favorites", ref=account.ref
        )

    async def _sample(self, owner: User) -> Page | None:
        """The newest posts as the embed page shows them, of which only a part is known; None if it is refused."""
        if not owner.handle:
            return None
        try:
            page = parse.embed_page(
                await self.api.embed(owner.ref, owner.handle), owner.ref, author=owner.author
            )
        except (Refused, UnexpectedResponse) as error:
            log.debug("tiktok: %s: no embed page: %s", owner.ref, error)
            return None
        items = tuple(replace(each, partial=True) for each in page.items if isinstance(each, Post))
        return replace(page, items=items, next=FIRST, cut=None, sample=True)

    async def _owner(self, ref: Ref) -> User:
        """The account with its stable id and its handle, both of which its lists need."""
        if is_stable(ref.id) and ref.id in self._people:
            return self._people[ref.id]
        return await self.user(Ref(self.name, "user", ref.id))

    def _posts(self, answer: Mapping[str, object], ref: Ref, what: str) -> Page:
        page = parse.posts_page(answer, ref=ref, what=what, login=self.api.logged_in)
        token = self.api.guest.chain_token
        return replace(
            page,
            items=tuple(
                parse.unlocked(each, token) if isinstance(each, Post) else each for each in page.items
            ),
        )

    # --- one step alone, for `dyvine doctor` ----------------------------------------------------------------------

    @property
    def routes(self) -> tuple[str, ...]:
        """The names of the ways to a post, the next to be tried first."""
        return self.api.routes

    async def post_by(self, route: str, ref: Ref) -> Post:
        """One post by one way alone. Raises like `post`."""
        return self._read(await self.api.detail_by(route, ref), ref)

    async def identity(self) -> str:
        """Have TikTok give a visitor's cookies and ids; whether they were there before. Raises RiskControl, RateLimited."""
        before = self.api.guest.device
        await self.api.guest.page(SITE_URL)
        return "kept from an earlier run" if before and before == self.api.guest.device else "new"


def _constants(path: Path) -> Constants:
    """The signing constants with a person's over them. Raises ConfigError if they cannot be used."""
    from dyvine_cli.sites.tiktok import sign

    return sign.Constants.load(path)
