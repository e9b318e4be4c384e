"""dyvine mix LINK...: download mixes (series of posts), or show them."""

from __future__ import annotations

from dyvine_cli.cli.call import Run, noun_app, verb
from dyvine_cli.cli.download import download
from dyvine_cli.cli.inform import show_each
from dyvine_cli.cli.options import Ask, Common, Reach, Show, Take, Words

app = noun_app()


@app.callback()
def mix() -> None:
    """Download mixes (合集, series of posts), or show them."""


@verb(app, Reach, Show, Take)
def get(given: Common, words: Words = None) -> Run:
    """Download every post of a mix."""
    return download(given, words or [], kind="mix")


@verb(app, Reach, Show, Ask)
def info(given: Common, words: Words = None) -> Run:
    """Show a mix's title, author and number of posts."""
    return show_each(given, words or [], kind="mix")
