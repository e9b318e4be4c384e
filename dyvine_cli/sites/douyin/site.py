"""Douyin as it is spoken to: joins the rooms beside this file into a Site."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dyvine_cli.errors import InputError, LoginExpired, LoginNeeded, NotFound
from dyvine_cli.http.api import ApiClient
from dyvine_cli.identity import Profile
from dyvine_cli.models import Cursor, Listing, Mix, Page, Post, Ref, User
from dyvine_cli.sites.douyin import Douyin, parse, urls
from dyvine_cli.sites.douyin.api import PHONE, Api
from dyvine_cli.sites.douyin.queries import USER_AGENT
from dyvine_cli.sites.douyin.refusals import judge_page
from dyvine_cli.sites.forms import STABLE_PREFIX
from dyvine_cli.sites.short_links import ENDPOINT, Follower

if TYPE_CHECKING:
    from dyvine_cli.sites.douyin.sign import Constants


class DouyinSite(Douyin):
    """The Site of Douyin, spoken to through its web client's calls."""

    def __init__(self, http: ApiClient, *, constants: Path | None = None) -> None:
        """`constants` is a person's file over the signing constants; ConfigError if it cannot be used."""
        if http.profile.user_agent is None:
            http.profile = http.profile.replace(user_agent=USER_AGENT)
        self.api = Api(http, constants=_constants(constants) if constants else None)
        self._links = Follower(
            platform=self.title,
            hosts=urls.HOSTS,
            http=http,
            agent=PHONE,
            judge=partial(judge_page, endpoint=ENDPOINT),
            match=urls.match,
            is_home=urls.is_home,
        )

    @property
    def profile(self) -> Profile:
        """The identity in use, with the cookies that Douyin gave since."""
        return self.api.identity

    async def follow(self, ref: Ref) -> Ref:
        """What a short link leads to; see `Follower.follow`."""
        return await self._links.follow(ref)

    async def post(self, ref: Ref) -> Post:
        """One post with fresh links. Raises Deleted, Private, InReview, Paid, LoginNeeded, LoginExpired, NotFound."""
        try:
            post = parse.post(await self.api.post_detail(ref), ref=ref)
            self.check(post)
        except LoginExpired:
            raise
        except LoginNeeded:
            await self._doubt_login()
            raise
        return post

    async def _doubt_login(self) -> None:
        """Something was kept from us as from a guest. Raises LoginExpired if that is because the login is dead."""
        if self.api.logged_in:
            await self.api.trial.doubt()

    def check(self, post: Post) -> None:
        """Raise what keeps a post from us, if there is nothing of it to be had."""
        parse.ensure_available(post, login=self.api.logged_in)

    async def posts(self, refs: list[Ref]) -> list[Post]:
        """Up to 20 posts in one call; those that are not there are left out."""
        found = await self.api.batch_detail(refs)
        return [parse.post(found[ref.id], ref=ref) for ref in refs if ref.id in found]

    async def user(self, ref: Ref) -> User:
        """An account's profile; `self` is the login's own, a 抖音号 is looked up first."""
        if ref.id == "self":
            return await self.login()
        if not ref.id.startswith(STABLE_PREFIX):
            ref = await self._by_handle(ref)
        return parse.user_of(await self.api.profile(ref), ref)

    async def _by_handle(self, ref: Ref) -> Ref:
        """The account that has this 抖音号 now. No public call leads from the numeric id of an account to it."""
        try:
            return parse.user_of(await self.api.profile_by_handle(ref), ref).ref
        except NotFound as error:
            told = "no account has this 抖音号"
            if ref.id.isdigit():
                told += ", and Douyin has no public way from an account's numeric id to the account"
            raise NotFound(
                f"{ref}: {told}",
                hint="open the account's page, or one of its posts, and copy the link (…/user/MS4wLjABAAAA…)",
                ref=ref,
            ) from error

    # --- one step alone, for `dyvine doctor` ----------------------------------------------------------------------

    @property
    def routes(self) -> tuple[str, ...]:
        """The names of the ways to a post, the next to be tried first."""
        return self.api.routes

    async def post_by(self, route: str, ref: Ref) -> Post:
        """One post by one way alone. Raises like `post`."""
        post = parse.post(await self.api.detail_by(route, ref), ref=ref)
        self.check(post)
        return post

    async def identity(self) -> str:
        """Make what a guest needs where it is missing, and have Douyin answer it; whether it was there before.

        Raises RiskControl, RateLimited, UnexpectedResponse. What the login is worth is not asked.
        """
        before = self.api.guest.uifid
        with suppress(LoginNeeded):
            await self.api.whoami()
        return "kept from an earlier run" if before and before == self.api.guest.uifid else "new"

    async def login(self) -> User:
        """The account of the login in use."""
        if not self.api.logged_in:
            raise LoginNeeded("douyin: nobody is logged in", hint="dyvine login add FILE")
        return parse.user_of(await self.api.profile_self(), None)

    async def mix(self, ref: Ref) -> Mix:
        """A mix's description."""
        return parse.mix_of(await self.api.mix_detail(ref), ref)

    async def page(self, ref: Ref, what: Listing | None, cursor: Cursor | None) -> Page:
        """One page of a listing: posts, likes or mixes of a user, posts of a mix. Raises LoginExpired for a dead login."""
        page = await self._page(ref, what, cursor)
        if page.cut is not None:
            await self._doubt_login()
        return page

    async def _page(self, ref: Ref, what: Listing | None, cursor: Cursor | None) -> Page:
        if ref.kind == "mix":
            return parse.posts_page(await self.api.mix_posts(ref, cursor), ref=ref, what="mix")
        if ref.kind != "user":
            raise InputError(f"{ref}: a {ref.kind} cannot be listed yet")
        match what:
            case None | "posts":
                return parse.posts_page(await self.api.posts(ref, cursor), ref=ref, what="posts")
            case "likes":
                return parse.posts_page(await self.api.likes(ref, cursor), ref=ref, what="likes")
            case "mixes":
                return parse.mixes_page(await self.api.mixes(ref, cursor), ref=ref)
        raise InputError(
            f"{ref}: {what} of a user cannot be listed yet", hint="its posts, likes and mixes can"
        )


def _constants(path: Path) -> Constants:
    """The signing constants with a person's over them. Raises ConfigError if they cannot be used."""
    from dyvine_cli.sites.douyin import sign

    return sign.Constants.load(path)
