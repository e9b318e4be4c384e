"""How the checks of `sync` came out: a table, or an error line for each source in trouble (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dyvine_cli.cli.output import words
from dyvine_cli.events import SyncedSource
from dyvine_cli.operations.backoff import may_pass_by_name

HEADINGS = ("source", "new", "failed", "hidden", "bytes", "time", "state")
WIDEST = 32
"""Columns of a source's name."""


def told(sources: Sequence[SyncedSource]) -> list[SyncedSource]:
    """The sources of which there is something to say; those not tried stand in one line of their own."""
    return [each for each in sources if each.is_news and each.state != "not tried"]


def cells(each: SyncedSource) -> tuple[str, ...]:
    """One source as a row of the table."""
    numbers = (f"{each.new:,}", f"{each.failed:,}", f"{each.hidden:,}")
    name = words.called(each.name or str(each.ref), each.title, WIDEST)
    return (name, *numbers, words.size(each.size), words.duration(each.seconds), state(each))


def state(each: SyncedSource) -> str:
    """How it ended, with what is wrong."""
    parts = [each.state if each.state != "cut" else "cut short", words.reasons(each.reasons)]
    return ": ".join(filter(None, parts))


def quiet_ones(sources: Sequence[SyncedSource]) -> str:
    """The line on those with nothing new; empty if there are none."""
    count = sum(not each.is_news for each in sources)
    gaps = sum(each.state == "gap" for each in sources if not each.is_news)
    more = f", {gaps:,} of them with older posts that could not be had" if gaps else ""
    return f"{words.count(count, 'source')} with nothing new{more}" if count else ""


def lines(sources: Sequence[SyncedSource]) -> Iterator[str]:
    """The table as plain text, and the line on the others."""
    rows = [HEADINGS, *map(cells, told(sources))]
    if len(rows) > 1:
        yield from words.aligned(rows)
    if others := quiet_ones(sources):
        yield others


HINT = "hint: they are tried again by themselves, later each time; dyvine sync status"
MEND = (
    "hint: make room, or see that the disk is there and writable; the next run goes on where this one stopped"
)
_OF_THE_DISK = {"DiskError", "DiskFull", "NotWritable"}
LASTING = "hint: that does not pass by itself, so they are left alone from now on; dyvine sync status"


def troubles(sources: Sequence[SyncedSource]) -> Iterator[str]:
    """An error line for each source with posts that failed; what ended a source itself was told when it did."""
    for each in sources:
        name = words.called(each.name, each.title)
        if each.state == "stopped":
            yield f"error: {name}: {words.clean(each.error)}"
            if _OF_THE_DISK & each.reasons.keys():
                yield MEND
        elif each.failed:
            yield f"error: {name}: {words.count(each.failed, 'post')} failed ({words.reasons(each.reasons)})"
            yield HINT if any(map(may_pass_by_name, each.reasons)) else LASTING
