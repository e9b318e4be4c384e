"""dyvine post LINK...: download posts, or show what is known about them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from dyvine_cli.cli.call import Run, noun_app, verb
from dyvine_cli.cli.download import download, exported
from dyvine_cli.cli.inform import show_each
from dyvine_cli.cli.options import Ask, Common, Reach, Show, Take, Words, choice, location
from dyvine_cli.errors import InputError

app = noun_app()

FromExport = Annotated[
    Path | None,
    location(
        "--from-export", metavar="FILE", help="Posts named in the copy of your data that TikTok gave you."
    ),
]
Section = Annotated[
    str | None,
    choice(
        "--section",
        metavar="SECTION",
        among=("likes", "favorites", "history", "posts"),
        help="Which of its lists: likes, favorites, history or posts.",
    ),
]


@app.callback()
def post() -> None:
    """Download posts (video, pictures, live photos, slides, articles), or show what is known about them."""


@verb(app, Reach, Show, Take)
def get(given: Common, words: Words = None, from_export: FromExport = None, section: Section = None) -> Run:
    """Download posts."""
    if (from_export is None) != (section is None):
        raise InputError(
            "--from-export and --section belong together",
            hint="dyvine post --from-export user_data_tiktok.json --section likes",
        )
    more = exported(from_export, section) if from_export is not None and section is not None else None
    return download(given, words or [], kind="post", more=more)


@verb(app, Reach, Show, Ask)
def info(given: Common, words: Words = None) -> Run:
    """Show what is known about posts; nothing is downloaded."""
    return show_each(given, words or [], kind="post")
