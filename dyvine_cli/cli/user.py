"""dyvine user LINK...: download whole accounts, or show and list them."""

from __future__ import annotations

from typing import Annotated

import typer

from dyvine_cli.cli.app import common
from dyvine_cli.cli.download import download
from dyvine_cli.cli.grammar import Noun, takes
from dyvine_cli.cli.inform import show_each, show_listed
from dyvine_cli.cli.options import Reach, Show, Take, Words

app = typer.Typer(cls=Noun, rich_markup_mode=None, pretty_exceptions_enable=False)

Likes = Annotated[bool | None, typer.Option("--likes", help="The posts that the account likes, not its own.")]


@app.callback()
def user() -> None:
    """Download whole accounts, or show and list them."""


@app.command()
@takes(Reach, Show, Take)
def get(
    ctx: typer.Context, words: Words = None, likes: Likes = None, *, reach: Reach, show: Show, take: Take
) -> None:
    """Download everything that accounts have published, and say at the end what is missing and why."""
    download(common(ctx, reach, show, take), words or [], kind="user", what="likes" if likes else None)


@app.command()
@takes(Reach, Show, Take)
def info(ctx: typer.Context, words: Words = None, *, reach: Reach, show: Show, take: Take) -> None:
    """Show an account's profile."""
    show_each(common(ctx, reach, show, take), words or [], kind="user")


@app.command()
@takes(Reach, Show, Take)
def posts(
    ctx: typer.Context, words: Words = None, likes: Likes = None, *, reach: Reach, show: Show, take: Take
) -> None:
    """List an account's posts without downloading any."""
    show_listed(common(ctx, reach, show, take), words or [], "likes" if likes else "posts")


@app.command()
@takes(Reach, Show, Take)
def mixes(ctx: typer.Context, words: Words = None, *, reach: Reach, show: Show, take: Take) -> None:
    """List an account's mixes."""
    show_listed(common(ctx, reach, show, take), words or [], "mixes")
