"""dyvine post LINK...: download posts, or show what is known about them."""

from __future__ import annotations

import typer

from dyvine_cli.cli.app import common
from dyvine_cli.cli.download import download
from dyvine_cli.cli.grammar import Noun, takes
from dyvine_cli.cli.inform import show_each
from dyvine_cli.cli.options import Reach, Show, Take, Words

app = typer.Typer(cls=Noun, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback()
def post() -> None:
    """Download posts (video, pictures, live photos, slides, articles), or show what is known about them."""


@app.command()
@takes(Reach, Show, Take)
def get(ctx: typer.Context, words: Words = None, *, reach: Reach, show: Show, take: Take) -> None:
    """Download posts."""
    download(common(ctx, reach, show, take), words or [], kind="post")


@app.command()
@takes(Reach, Show, Take)
def info(ctx: typer.Context, words: Words = None, *, reach: Reach, show: Show, take: Take) -> None:
    """Show what is known about posts; nothing is downloaded."""
    show_each(common(ctx, reach, show, take), words or [], kind="post")
