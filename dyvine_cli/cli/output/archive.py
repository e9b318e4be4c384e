"""What the archive holds, and what a check of its files found, for a person or a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from dyvine_cli.cli.output import note, say, warn, words
from dyvine_cli.cli.output.jsonl import line
from dyvine_cli.encode import VERSION, moment
from dyvine_cli.operations.library.contents import (
    FailedAsset,
    GonePost,
    IgnoredPost,
    Overview,
    RecordedFile,
    Row,
    Tally,
)

if TYPE_CHECKING:
    from dyvine_cli.config import Settings
    from dyvine_cli.operations.library.rebuild import Rebuilt
    from dyvine_cli.operations.library.repair import Repaired
    from dyvine_cli.operations.library.verify import Finding, Verified

EVERY = 30.0
"""Seconds between two lines of progress off a terminal."""
DRAWN = 0.1
"""Seconds between two states of the line on a terminal."""

DAMAGE = {"missing": "missing", "size": "wrong size", "hash": "wrong hash", "unreadable": "unreadable"}

# --- what there is ----------------------------------------------------------------------------------------------------


def show_overview(found: Overview, *, json: bool) -> None:
    """The counts as a table with their sum, or one object for each account and kind."""
    if json:
        say(*(line(_tally(each)) for each in found.tallies))
        return
    if found.tallies:
        say(*table(("site", "account", "kind", "files", "size"), map(_cells, found.tallies), right=2))
    files, size = sum(each.files for each in found.tallies), sum(each.size for each in found.tallies)
    accounts = len({(each.site, each.user) for each in found.tallies})
    say(f"{words.count(files, 'file')} of {words.count(accounts, 'account')}, {words.size(size)}")
    told = {
        "failed": found.counts.failed,
        "missing or damaged": found.counts.damaged,
        "gone from their site": found.counts.gone,
        "ignored": found.counts.ignored,
    }
    more = ", ".join(f"{number:,} {what}" for what, number in told.items() if number)
    if more:
        say(more)


def _cells(each: Tally) -> tuple[str, ...]:
    name = words.fit(each.name, 40) or words.fit(each.user, 40)
    return each.site, name, each.kind, f"{each.files:,}", words.size(each.size)


def _tally(each: Tally) -> dict[str, Any]:
    facts = {"site": each.site, "user": each.user, "name": each.name, "kind": each.kind}
    return {**_head("tally"), **facts, "files": each.files, "size": each.size}


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, right: int = 0) -> Iterator[str]:
    """Aligned lines, the last `right` columns to the right; a Chinese character counts as two columns."""
    cells = [tuple(titles), *map(tuple, rows)]
    widths = [max(words.width(row[column]) for row in cells) for column in range(len(titles))]
    for row in cells:
        yield "  ".join(
            _aligned(cell, width, to_right=column >= len(titles) - right)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()


def _aligned(cell: str, width: int, *, to_right: bool) -> str:
    gap = " " * (width - words.width(cell))
    return gap + cell if to_right else cell + gap


def row_shower(*, json: bool, paths: bool) -> Callable[[Row], None]:
    """What shows one row of the archive after the other, as it comes."""
    if json:
        return lambda row: say(line(_object(row)))
    if paths:
        return lambda row: say(*([_shown(row.saved.path)] if isinstance(row, RecordedFile) else ()))
    return lambda row: say(_text(row))


def _text(row: Row) -> str:
    match row:
        case RecordedFile(saved=file):
            day = f"{_day(row.created)}" if row.created else " " * 10
            size = words.size(file.size)
            return f"{day}  {file.ref}  {words.clean(file.asset):<10}  {size:>8}  {_shown(file.path)}"
        case FailedAsset():
            about = f"{row.ref}  {words.clean(row.asset or 'the post'):<10}  {row.error}"
            tries = f"{row.attempts} {'try' if row.attempts == 1 else 'tries'} until {_minute(row.last)}"
            return f"{about}  {tries}  {words.clean(row.message, 120)}"
        case GonePost():
            return f"{row.ref}  {row.state:<8}  noticed {_minute(row.noticed)}"
        case IgnoredPost():
            return f"{row.ref}  ignored since {_minute(row.since)}"


def _day(when: datetime) -> str:
    return f"{_local(when):%Y-%m-%d}"


def _minute(when: datetime) -> str:
    return f"{_local(when):%Y-%m-%d %H:%M}"


def _local(when: datetime) -> datetime:
    """A time as the clock on the wall has it; what no calendar has there stays UTC."""
    try:
        return when.astimezone()
    except (OverflowError, OSError):
        return when


def _object(row: Row) -> dict[str, Any]:
    match row:
        case RecordedFile(saved=file):
            return {
                **_head("file"),
                "ref": str(file.ref),
                "site": file.ref.site,
                "user": file.user,
                "asset": file.asset,
                "path": _plain(file.path),
                "size": file.size,
                "sha256": file.sha256,
                "saved": moment(file.saved),
                "created": _moment(row.created),
                "codec": file.codec,
                "width": file.width,
                "height": file.height,
            }
        case FailedAsset():
            return {
                **_head("failure"),
                "ref": str(row.ref),
                "asset": row.asset,
                "error": row.error,
                "message": row.message,
                "attempts": row.attempts,
                "first": moment(row.first),
                "last": moment(row.last),
                "next_try": _moment(row.next_try),
                "source": str(row.source) if row.source else None,
            }
        case GonePost():
            return {**_head("gone"), "ref": str(row.ref), "state": row.state, "noticed": moment(row.noticed)}
        case IgnoredPost():
            return {**_head("ignored"), "ref": str(row.ref), "since": moment(row.since)}


def _head(kind: str) -> dict[str, Any]:
    return {"v": VERSION, "type": kind}


def _moment(when: datetime | None) -> str | None:
    return moment(when) if when else None


def _plain(path: Path) -> str:
    return str(path).encode("utf-8", "replace").decode()


def _shown(path: Path) -> str:
    return words.clean(_plain(path))


def tell_forgotten(count: int, *, quiet: bool) -> None:
    """Say how many posts were dropped."""
    if not quiet and count:
        note(f"forgot {words.count(count, 'post')}; what is on disk stays")


def tell_ignored(count: int, *, quiet: bool) -> None:
    """Say how many posts are ignored from now on."""
    if not quiet and count:
        note(f"{words.count(count, 'post')} will not come again; `dyvine archive forget` takes that back")


# --- checks -----------------------------------------------------------------------------------------------------------


class Checking:
    """A check of files while it runs: what it finds on stdout, how far it is on stderr; a context manager.

    On a terminal the progress is one line that comes and goes, elsewhere a line every 30 seconds, with -q nothing.
    """

    def __init__(
        self, settings: Settings, *, json: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._json = json
        self._quiet = settings.quiet
        self._drawn = settings.progress and not settings.quiet and sys.stderr.isatty()
        self._clock = clock
        self._last = clock()
        self._is_drawn = self._told = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wipe()

    def show(self, found: Finding) -> None:
        """One bad file."""
        self._wipe()
        say(line(_finding(found)) if self._json else _found(found))

    def pass_over(self, found: Finding) -> None:
        """One bad file that is not shown: what becomes of it will be."""

    def watch(self, state: Verified) -> None:
        """How far a verification is."""
        if state.resumed is not None and not self._told:
            self._told = True
            if not self._quiet:
                self._wipe()
                note(
                    f"going on where the verification of {state.resumed.astimezone():%Y-%m-%d %H:%M} was stopped"
                )
        bad = f", {state.bad:,} bad" if state.bad else ""
        self._progress(f"checked {words.count(state.files, 'file')} ({words.size(state.size)}){bad}")

    def watch_tree(self, state: Rebuilt) -> None:
        """How far the reading of the files is."""
        known = f", {state.known:,} known already" if state.known else ""
        self._progress(f"recorded {words.count(state.files, 'file')} ({words.size(state.size)}){known}")

    def _progress(self, text: str) -> None:
        if self._quiet or self._clock() - self._last < (DRAWN if self._drawn else EVERY):
            return
        self._last = self._clock()
        if self._drawn:
            self._is_drawn = True
            sys.stderr.write(f"\r\x1b[2K{text}")
            sys.stderr.flush()
        else:
            note(text)

    def _wipe(self) -> None:
        if self._is_drawn:
            self._is_drawn = False
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()

    def conclude(self, state: Verified) -> None:
        """How a verification came out."""
        self._wipe()
        if self._json:
            counts = {"files": state.files, "size": state.size, "bad": state.bad, "deep": state.deep}
            say(line({**_head("verification"), **counts}))
        checked = f"{words.count(state.files, 'file')} ({words.size(state.size)})"
        if state.bad:
            note(
                f"{state.bad:,} of {checked} are missing or damaged; `dyvine archive repair` fetches them again"
            )
        elif not self._quiet and state.files:
            note(f"{checked}: all whole" if state.deep else f"{checked}: all there in their sizes")

    def conclude_repair(self, outcome: Repaired, *, simulated: bool) -> None:
        """How a repair came out."""
        self._wipe()
        if self._quiet or simulated:
            return
        gone = outcome.gone
        more = f"; {words.count(gone, 'post')} not shown by their site any more" if gone else ""
        note(
            f"{outcome.whole:,} of {outcome.bad:,} missing or damaged files are whole again{more}"
            if outcome.bad
            else "nothing to repair: every file is there"
        )

    def conclude_rebuilding(self, outcome: Rebuilt, roots: Sequence[Path]) -> None:
        """How a rebuilding came out."""
        self._wipe()
        if outcome.aside is not None:
            rows = sum(outcome.rows.get(name, 0) for name in ("saved", "post"))
            warn(f"the archive was damaged ({outcome.damage}); it is kept as {outcome.aside}")
            if not self._quiet:
                note(f"{words.count(rows, 'row')} of files and posts could be read from it")
        if not self._quiet:
            recorded = f"{words.count(outcome.files, 'file')} ({words.size(outcome.size)})"
            places = ", ".join(map(_shown, roots))
            note(f"recorded {recorded} found below {places}, {outcome.known:,} were on record already")


def _found(found: Finding) -> str:
    file = found.file
    detail = (
        f"  {words.size(found.found or 0)} instead of {words.size(file.size)}"
        if found.state == "size"
        else ""
    )
    return (
        f"{DAMAGE[found.state]:<10}  {file.ref}  {words.clean(file.asset):<10}  {_shown(file.path)}{detail}"
    )


def _finding(found: Finding) -> dict[str, Any]:
    file = found.file
    return {
        **_head("finding"),
        "ref": str(file.ref),
        "asset": file.asset,
        "state": found.state,
        "path": _plain(file.path),
        "size": file.size,
        "found": found.found,
    }
