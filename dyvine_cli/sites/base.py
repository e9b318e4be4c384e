"""What is known of every site, and what every site can do; `client` knows nothing else about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dyvine_cli.http.api import Answer, ApiClient
    from dyvine_cli.identity import Profile
    from dyvine_cli.models import Cursor, Listing, Mix, Page, Post, Ref, User


class Platform(Protocol):
    """What is known of one platform without asking it anything: what links mean takes none of the rooms that ask."""

    name: str
    title: str
    """The name as people write it."""

    hosts: tuple[str, ...]
    """Domains whose links belong to this site (label borders: `douyin.com` covers `www.douyin.com`)."""

    all_hosts: tuple[str, ...]
    """These and the domains of its calls and media: they may resolve anywhere, because TLS proves them."""

    pace: Path
    """The file with the rates of its budget."""

    page_size: int
    """Posts in a full page of a listing, for estimates."""

    home: str
    sample: Ref
    """A public post, for those who ask whether the platform answers at all."""

    signed_route: str
    """The way to a post that stands behind every gate."""

    @staticmethod
    def visit(http: ApiClient, *, constants: Path | None = None) -> Site:
        """The platform as it is spoken to through `http`.

        `constants` is a person's file over the signing constants; ConfigError if it cannot be used.
        """
        ...

    @staticmethod
    def match(text: str) -> Ref | None:
        """What a link or bare id means here; a `short` ref must be followed; None if it is not ours.

        Raises UnsupportedURL for a link of this site whose kind is out of scope.
        """
        ...

    @staticmethod
    def url(ref: Ref) -> str:
        """The address a person would open for this ref."""
        ...

    @staticmethod
    def call(ref: Ref, what: Listing | None) -> str:
        """The budget's class of a listing's calls."""
        ...

    @staticmethod
    def reread(answer: Answer) -> str | None:
        """What a recorded answer is, in words, read again by its parser; None if it is none of this platform's."""
        ...


class Site(Platform, Protocol):
    """One platform, spoken to. Methods raise the errors of `errors.SiteError` and `NetworkError`, nothing else."""

    @property
    def profile(self) -> Profile:
        """The identity in use, with the cookies that the platform gave since."""
        ...

    async def follow(self, ref: Ref) -> Ref:
        """What a `short` ref leads to, any other ref itself.

        Raises NotFound when it has run out, UnsupportedURL when it leads astray.
        """
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

    # --- one step alone, for `dyvine doctor` ----------------------------------------------------------------------

    @property
    def routes(self) -> tuple[str, ...]:
        """The names of the ways to a post, the next to be tried first."""
        ...

    async def post_by(self, route: str, ref: Ref) -> Post:
        """One post by one way alone. Raises like `post`."""
        ...

    async def identity(self) -> str:
        """Make what a guest needs where it is missing, and have it answered; whether it was there before."""
        ...
