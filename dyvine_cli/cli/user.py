"""dyvine user LINK...: download whole accounts, or show and list them."""

from __future__ import annotations

from typing import Annotated

import typer

from dyvine_cli.cli.call import Run, noun_app, verb
from dyvine_cli.cli.download import download
from dyvine_cli.cli.inform import show_each, show_listed
from dyvine_cli.cli.options import Common, Reach, Show, Take, Words

app = noun_app()

Likes = Annotated[bool | None, typer.Option("--likes", help="The posts that the account likes, not its own.")]


@app.callback()
def user() -> None:
    """Download whole accounts, or show and list them."""


@verb(app, Reach, Show, Take)
def get(given: Common, words: Words = None, likes: Likes = None) -> Run:
    """Download everything that accounts have published, and say at the end what is missing and why."""
    return download(given, words or [], kind="user", what="likes" if likes else None)


@verb(app, Reach, Show, Take)
def info(given: Common, words: Words = None) -> Run:
    """Show an account's profile."""
    return show_each(given, words or [], kind="user")


@verb(app, Reach, Show, Take)
def posts(given: Common, words: Words = None, likes: Likes = None) -> Run:
    """List an account's posts without downloading any."""
    return show_listed(given, words or [], "likes" if likes else "posts")


@verb(app, Reach, Show, Take)
def mixes(given: Common, words: Words = None) -> Run:
    """List an account's mixes."""
    return show_listed(given, words or [], "mixes")
