"""`dyvine sync status`: how the sources stand, for a person or a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from dyvine_cli.cli.output import say, words
from dyvine_cli.cli.output.jsonl import line
from dyvine_cli.operations.accounts import not_shown
from dyvine_cli.operations.sync.standing import Standing, encoded

_FOR_GOOD = ("NotFound", "Deleted", "Banned")
"""Errors of an account after which it seldom comes back."""
_WIDEST = 32
"""Columns of a name."""


def show(standings: Sequence[Standing], *, json: bool) -> None:
    """One line a source, then what there is to know about those that are not simply well."""
    if json:
        say(*(line(encoded(each)) for each in standings))
        return
    rows = [("SOURCE", "STATE", "CHECKED", "DUE", "LISTED", "FAILED", "GONE"), *map(_row, standings)]
    say(
        *words.aligned(rows),
        *(text for each in standings for text in _details(each)),
        *_cooling(standings),
        *_cure(standings),
    )


def _row(each: Standing) -> tuple[str, ...]:
    due = _time(each.due) if each.due else "now"
    of = f" of {each.declared:,}" if each.declared is not None else ""
    failed = sum(each.failed.values()) + sum(each.lasting.values())
    return (
        words.called(each.name, each.title, _WIDEST),
        each.state,
        _time(each.checked) if each.checked else "-",
        due if each.enabled else "off",
        f"{each.listed:,}{of}" if each.listed is not None else "-",
        f"{failed:,}" if failed else "-",
        f"{sum(each.gone.values()):,}" if each.gone else "-",
    )


def _details(each: Standing) -> Iterator[str]:
    name = words.called(each.name, each.title)
    if each.state == "failed" or (each.state == "stopped" and each.error):
        times = f", {each.troubles:,} times in a row" if each.troubles > 1 else ""
        yield f"{name}: {words.clean(each.message)} ({each.error}{times})"
    if each.failed:
        then = f", next try {_time(each.next_try)}" if each.next_try else ""
        yield f"{name}: failed and tried again: {_counts(each.failed)}{then}"
    if each.lasting:
        yield f"{name}: failed and left alone, because that does not pass: {_counts(each.lasting)}"
    if each.cut:
        why = f": {words.clean(each.message)}" if each.state in ("cut", "gap") and each.message else ""
        yield f"{name}: older posts are missing{why} ({each.cut})"
    if each.unshown and not each.cut:
        yield f"{name}: {not_shown(each.unshown)}"
    if each.gone:
        yield f"{name}: not shown any more, saved here: {_counts(each.gone)}"


def _cooling(standings: Sequence[Standing]) -> Iterator[str]:
    """Each site and profile that is left alone for now, once."""
    found = {
        (each.ref.site, each.profile): each.cools_until for each in standings if each.ref and each.cools_until
    }
    for (site, profile), until in found.items():
        yield f"{site} as {profile} cools down until {_time(until)}"


def _cure(standings: Sequence[Standing]) -> Iterator[str]:
    """What to do about sources of which there will be no more."""
    if any(each.state == "failed" and each.error in _FOR_GOOD for each in standings):
        yield "hint: not to be told of what is gone for good: dyvine sync remove NAME; your files stay"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())


def _time(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M}"
