"""dyvine mix LINK...: download mixes (series of posts), or show them."""

from __future__ import annotations

import typer

from dyvine_cli.cli.app import common
from dyvine_cli.cli.download import download
from dyvine_cli.cli.grammar import Noun, takes
from dyvine_cli.cli.inform import show_each
from dyvine_cli.cli.options import Reach, Show, Take, Words

app = typer.Typer(cls=Noun, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback()
def mix() -> None:
    """Download mixes (合集, series of posts), or show them."""


@app.command()
@takes(Reach, Show, Take)
def get(ctx: typer.Context, words: Words = None, *, reach: Reach, show: Show, take: Take) -> None:
    """Download every post of a mix."""
    download(common(ctx, reach, show, take), words or [], kind="mix")


@app.command()
@takes(Reach, Show, Take)
def info(ctx: typer.Context, words: Words = None, *, reach: Reach, show: Show, take: Take) -> None:
    """Show a mix's title, author and number of posts."""
    show_each(common(ctx, reach, show, take), words or [], kind="mix")
