"""What every site can do; `client` knows nothing else about them."""

from __future__ import annotations

from typing import Protocol

from dyvine_cli.models import Cursor, Listing, Mix, Page, Post, Ref, User


class Site(Protocol):
    """One platform. Methods raise the errors of `errors.SiteError` and `NetworkError`, nothing else."""

    name: str
    hosts: tuple[str, ...]
    """Domains whose links belong to this site (label borders: `douyin.com` covers `www.douyin.com`)."""

    all_hosts: tuple[str, ...]
    """These and the domains of its calls and media: they may resolve anywhere, because TLS proves them."""

    def match(self, text: str) -> Ref | None:
        """What a link or bare id means here; a `short` ref must be followed; None if it is not ours.

        Raises UnsupportedURL for a link of this site whose kind is out of scope.
        """
        ...

    def url(self, ref: Ref) -> str:
        """The address a person would open for this ref."""
        ...

    async def follow(self, ref: Ref) -> Ref:
        """What a `short` ref leads to. Raises NotFound when it has run out, UnsupportedURL when it leads astray."""
        ...

    async def post(self, ref: Ref) -> Post:
        """One post with fresh links."""
        ...

    def check(self, post: Post) -> None:
        """Raise Private, Paid, LoginNeeded, … when a post, as it stands in a listing, has nothing for us."""
        ...

    async def user(self, ref: Ref) -> User:
        """An account's profile. A private or banned account is a User with that `state`, not an error."""
        ...

    async def mix(self, ref: Ref) -> Mix:
        """A mix's description."""
        ...

    async def page(self, ref: Ref, what: Listing | None, cursor: Cursor | None) -> Page:
        """One page of a listing; `what` None is the kind's own (posts of a user, posts of a mix).

        `cursor` None is the first page. An answer that cannot be a page is an error, never an empty page.
        """
        ...

    async def login(self) -> User:
        """The account of the profile in use. Raises LoginNeeded for a guest, LoginExpired for a dead login."""
        ...
