"""dyvine user LINK...: download whole accounts, or show and list them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from dyvine_cli.cli.call import Run, noun_app, verb
from dyvine_cli.cli.download import download
from dyvine_cli.cli.inform import show_each, show_listed
from dyvine_cli.cli.options import Ask, Choose, Common, Few, Likes, Reach, Show, Take, Words
from dyvine_cli.errors import InputError

if TYPE_CHECKING:
    from dyvine_cli.models import Listing

app = noun_app()

Reposts = Annotated[
    bool | None, typer.Option("--reposts", help="The posts of others that the account passes on (TikTok).")
]
Favorites = Annotated[
    bool | None, typer.Option("--favorites", help="The posts that the login's own account saved (TikTok).")
]


@app.callback()
def user() -> None:
    """Download whole accounts, or show and list them."""


@verb(app, Reach, Show, Take)
def get(
    given: Common,
    words: Words = None,
    likes: Likes = None,
    reposts: Reposts = None,
    favorites: Favorites = None,
) -> Run:
    """Download everything that accounts have published, and say at the end what is missing and why."""
    what = _listing(likes=likes, reposts=reposts, favorites=favorites)
    return download(given, words or [], kind="user", what=what)


@verb(app, Reach, Show, Ask)
def info(given: Common, words: Words = None) -> Run:
    """Show an account's profile."""
    return show_each(given, words or [], kind="user")


@verb(app, Reach, Show, Ask, Choose, Few)
def posts(
    given: Common,
    words: Words = None,
    likes: Likes = None,
    reposts: Reposts = None,
    favorites: Favorites = None,
) -> Run:
    """List an account's posts without downloading any."""
    what = _listing(likes=likes, reposts=reposts, favorites=favorites)
    return show_listed(given, words or [], what or "posts")


@verb(app, Reach, Show, Ask, Few)
def mixes(given: Common, words: Words = None) -> Run:
    """List an account's mixes."""
    return show_listed(given, words or [], "mixes")


def _listing(**asked: bool | None) -> Listing | None:
    """The listing that a switch names, None without one. Raises InputError for more than one."""
    named = [name for name, is_on in asked.items() if is_on]
    if len(named) > 1:
        raise InputError(f"--{named[0]} and --{named[1]} are two lists", hint="call dyvine once for each")
    return cast("Listing", named[0]) if named else None
