"""dyvine get TEXT...: download whatever a link is."""

from __future__ import annotations

import typer

from dyvine_cli.cli.app import common
from dyvine_cli.cli.download import download
from dyvine_cli.cli.grammar import takes
from dyvine_cli.cli.options import Reach, Show, Take, Words

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
@takes(Reach, Show, Take)
def get(ctx: typer.Context, words: Words = None, *, reach: Reach, show: Show, take: Take) -> None:
    """Download whatever the links in TEXT are: posts, whole accounts, mixes."""
    download(common(ctx, reach, show, take), words or [])
