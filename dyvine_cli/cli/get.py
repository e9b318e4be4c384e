"""dyvine get TEXT...: download whatever a link is."""

from __future__ import annotations

from dyvine_cli.cli.call import Run, alone_app, verb
from dyvine_cli.cli.download import download
from dyvine_cli.cli.options import Common, Reach, Show, Take, Words

app = alone_app()


@verb(app, Reach, Show, Take)
def get(given: Common, words: Words = None) -> Run:
    """Download whatever the links in TEXT are: posts, whole accounts, mixes."""
    return download(given, words or [])
