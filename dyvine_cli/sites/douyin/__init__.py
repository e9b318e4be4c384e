"""Douyin: joins the rooms beside this file into a Site."""

from __future__ import annotations

from pathlib import Path

from dyvine_cli.errors import InputError, LoginNeeded, NotFound, UnsupportedURL
from dyvine_cli.http.api import ApiClient
from dyvine_cli.identity import Profile
from dyvine_cli.models import Cursor, Listing, Mix, Page, Post, Ref, User
from dyvine_cli.sites.douyin import parse, sign, urls
from dyvine_cli.sites.douyin.api import Api

PACE = Path(__file__).with_name("pace.toml")
HOPS = 5
OTHER_HOSTS = (
    "amemv.com",
    "snssdk.com",
    "bytedance.com",
    "zijieapi.com",
    "douyinvod.com",
    "douyinpic.com",
    "douyinstatic.com",
    "douyincdn.com",
    "byteimg.com",
    "zjcdn.com",
    "ixigua.com",
)
"""Domains of its calls and of its media (public notes of 2026-09); links to them mean nothing."""


class Douyin:
    """The Site of Douyin, spoken to through its web client's calls."""

    name = "douyin"
    hosts = urls.HOSTS
    all_hosts = (*urls.HOSTS, *OTHER_HOSTS)

    def __init__(self, http: ApiClient) -> None:
        if http.profile.user_agent is None:
            http.profile = http.profile.replace(user_agent=sign.USER_AGENT)
        self.api = Api(http)

    @property
    def profile(self) -> Profile:
        """The identity in use, with the cookies that Douyin gave since."""
        return self.api.identity

    @staticmethod
    def match(text: str) -> Ref | None:
        """What a link or bare id means here; see `Site.match`."""
        return urls.match(text)

    @staticmethod
    def url(ref: Ref) -> str:
        """The address a person would open for this ref."""
        return urls.url(ref)

    async def follow(self, ref: Ref) -> Ref:
        """What a short link leads to: `Location` only, at most 5 hops, never off Douyin's hosts.

        Raises NotFound for a code that has run out (it leads to the bare home page), UnsupportedURL when it leads astray.
        """
        url = ref.id
        for _ in range(HOPS):
            target = await self.api.location(url)
            if target is None or urls.is_home(target):
                raise NotFound(
                    f"the short link {ref.id} leads nowhere: it has expired or was never valid",
                    hint="copy the link again from the app",
                    ref=ref,
                )
            found = urls.match(target)
            if found is None:
                raise UnsupportedURL(
                    f"the short link {ref.id} leads away from Douyin or to a page without a post"
                )
            if found.kind != "short":
                return found
            url = found.id
        raise UnsupportedURL(f"the short link {ref.id} leads around in circles")

    async def post(self, ref: Ref) -> Post:
        """One post with fresh links. Raises Deleted, Private, InReview, Paid, LoginNeeded, NotFound."""
        post = parse.post(await self.api.post_detail(ref), ref=ref)
        self.check(post)
        return post

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
        if not ref.id.startswith("MS4wLjABAAAA"):
            return parse.user_of(await self.api.profile_by_handle(ref.id), ref)
        return parse.user_of(await self.api.profile(ref), ref)

    async def login(self) -> User:
        """The account of the login in use."""
        if not self.api.logged_in:
            raise LoginNeeded("douyin: nobody is logged in", hint="dyvine login add FILE")
        return parse.user_of(await self.api.profile_self(), None)

    async def mix(self, ref: Ref) -> Mix:
        """A mix's description."""
        return parse.mix_of(await self.api.mix_detail(ref), ref)

    async def page(self, ref: Ref, what: Listing | None, cursor: Cursor | None) -> Page:
        """One page of a listing: posts, likes or mixes of a user, posts of a mix."""
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
        raise InputError(f"{ref}: {what} of a user cannot be listed yet")
