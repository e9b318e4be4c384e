"""What happens, as plain lines on stderr: for pipes, logs and cron."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dyvine_cli.cli.output import checks, words
from dyvine_cli.cli.output.places import Places
from dyvine_cli.events import (
    Advanced,
    Cut,
    Event,
    Failed,
    Finished,
    Listed,
    Saved,
    Skipped,
    SourceBegun,
    Summarized,
    Waiting,
    Warned,
)
from dyvine_cli.models import Ref

if TYPE_CHECKING:
    from dyvine_cli.cli.output.pipe import Pipe

EVERY = 30.0
"""Seconds between two lines of progress, and of a wait for the pace that is worth a line."""


class Plain:
    """A listener that writes lines; `quiet` leaves only warnings and errors.

    `named` adds the error's name to each failure, for runs that end without a summary; `traced` the route. `summed` says
    that what fails is told by its source at the end: then `quiet` keeps the single failures back.
    """

    def __init__(
        self,
        pipe: Pipe,
        *,
        quiet: bool = False,
        named: bool = False,
        traced: bool = False,
        summed: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pipe = pipe
        self._quiet = quiet
        self._named = named
        self._traced = traced
        self._summed = summed
        self._hints: set[str] = set()
        self._simulated = False
        self._clock = clock
        self._last = clock()
        self._places = Places()
        self._cut: set[Ref] = set()
        self._titles: dict[Ref, str] = {}
        self._bytes = self._files = self._posts = self._listed = 0

    def __call__(self, event: Event) -> None:
        """Count the event, and say it if it is worth a line."""
        self._tally(event)
        self._pipe.write(*words.unsaid(self._lines(event), self._hints))

    def close(self) -> None:
        """Nothing stays open."""

    def _tally(self, event: Event) -> None:
        self._places.take(event)
        match event:
            case Advanced():
                self._bytes += event.count
            case Saved():
                self._files += 1
            case Finished():
                self._posts += 1
            case Listed():
                self._listed = event.total
            case SourceBegun():
                self._titles[event.ref] = words.clean(event.title, 60)
            case Cut():
                self._cut.add(event.ref)
            case Skipped(reason="simulated"):
                self._simulated = True

    def _lines(self, event: Event) -> tuple[str, ...]:
        match event:
            case Failed(source=Ref()) if self._quiet and self._summed:
                return ()
            case Summarized(sources=tuple() as sources) if self._quiet:
                return tuple(checks.troubles(sources))
            case Warned() if self._quiet and event.notice:
                return ()
            case Failed():
                return words.failed(event, named=self._named, traced=self._traced)
            case Warned():
                return words.warned(event)
            case Cut():
                title = self._titles.get(event.ref, "" if event.name else str(event.ref))
                about = words.called(event.name, title) if self._summed else ""
                return words.complaint(event.error, about, named=self._named, traced=self._traced)
        return () if self._quiet else self._talk(event)

    def _talk(self, event: Event) -> tuple[str, ...]:
        match event:
            case SourceBegun(estimate=float() as seconds, calls=int() as calls):
                return (f"{words.clean(event.title)}: about {calls:,} calls, {words.duration(seconds)}",)
            case Skipped(reason="simulated", path=Path() as path):
                return (f"would save {words.clean(str(path))}",)
            case Waiting() if event.seconds >= EVERY or not event.routine:
                return (words.waiting(event),)
            case Summarized():
                return tuple(self._conclusion(event))
            case Skipped():
                return words.skipped(event)
            case Advanced() | Listed() if self._clock() - self._last >= EVERY:
                self._last = self._clock()
                of = f" of {self._listed:,} listed" if self._listed else ""
                return (
                    f"{self._posts:,}{of} posts done, {words.count(self._files, 'file')}, {words.size(self._bytes)}",
                )
        return ()

    def _conclusion(self, event: Summarized) -> Iterator[str]:
        simulated = self._simulated
        if event.sources is not None:
            yield from checks.lines(event.sources)
        for each in event.balances if event.sources is None else ():
            yield words.balance(each, cut=each.ref in self._cut, simulated=simulated)
        yield words.summary(event, str(self._places), simulated=simulated)
