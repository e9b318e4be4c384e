"""The sources of `sync` for a person or a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dyvine_cli.cli.output import say, words
from dyvine_cli.cli.output.jsonl import line
from dyvine_cli.config import Source, spelt
from dyvine_cli.operations.sync.sources import Means, called, encoded

_WIDEST = 40
"""Columns of a name and of tags."""


def show_sources(sources: Sequence[Source], means: Means, *, json: bool) -> None:
    """Every source: its name, what it is, its tags, how often it is due, its link."""
    if json:
        say(*(line(encoded(each, means)) for each in sources))
        return
    rows = [("NAME", "WHAT", "TAGS", "EVERY", "LINK"), *(_row(each, means) for each in sources)]
    say(*words.aligned(rows))


def show_changed(word: str, sources: Iterable[Source], means: Means, *, json: bool) -> None:
    """What happened to sources: `word` is added or removed."""
    for each in sources:
        say(line(encoded(each, means)) if json else f"{word} {words.clean(each.title)}  {each.shown_url}")


def _row(source: Source, means: Means) -> tuple[str, ...]:
    kind = called(source, means)
    what = f"{kind}, {source.listing}" if source.listing not in (None, "posts") else kind
    every = spelt(source.every) if source.every is not None else "each run"
    return (
        words.fit(source.name or "-", _WIDEST),
        f"{what}, newest" if source.depth == "newest" else what,
        words.fit(" ".join(source.tags) or "-", _WIDEST),
        every if source.enabled else "off",
        words.clean(source.shown_url),
    )
