"""dyvine post LINK...: download posts, or show what is known about them."""

from __future__ import annotations

from dyvine_cli.cli.call import Run, noun_app, verb
from dyvine_cli.cli.download import download
from dyvine_cli.cli.inform import show_each
from dyvine_cli.cli.options import Common, Reach, Show, Take, Words

app = noun_app()


@app.callback()
def post() -> None:
    """Download posts (video, pictures, live photos, slides, articles), or show what is known about them."""


@verb(app, Reach, Show, Take)
def get(given: Common, words: Words = None) -> Run:
    """Download posts."""
    return download(given, words or [], kind="post")


@verb(app, Reach, Show, Take)
def info(given: Common, words: Words = None) -> Run:
    """Show what is known about posts; nothing is downloaded."""
    return show_each(given, words or [], kind="post")
