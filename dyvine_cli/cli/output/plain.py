"""What happens, as plain lines on stderr: for pipes, logs and cron."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from dyvine_cli.cli.output import words
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

EVERY = 30.0
"""Seconds between two lines of progress."""


class Plain:
    """A listener that writes lines; `quiet` leaves only warnings and errors."""

    def __init__(
        self, stream: TextIO, *, quiet: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._quiet = quiet
        self._clock = clock
        self._last = clock()
        self._bytes = self._files = self._posts = self._listed = 0

    def __call__(self, event: Event) -> None:
        """Count the event, and say it if it is worth a line."""
        self._tally(event)
        for line in self._lines(event):
            print(line, file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing stays open."""

    def _tally(self, event: Event) -> None:
        match event:
            case Advanced():
                self._bytes += event.count
            case Saved():
                self._files += 1
            case Finished():
                self._posts += 1
            case Listed():
                self._listed = event.total

    def _lines(self, event: Event) -> tuple[str, ...]:
        match event:
            case Failed():
                return words.failed(event)
            case Warned():
                return words.warned(event)
            case Cut():
                return words.complaint(event.error)
        return () if self._quiet else self._talk(event)

    def _talk(self, event: Event) -> tuple[str, ...]:
        match event:
            case SourceBegun(estimate=float() as seconds, calls=int() as calls):
                return (f"{words.clean(event.title)}: about {calls:,} calls, {words.duration(seconds)}",)
            case Skipped(reason="simulated", path=Path() as path):
                return (f"would save {words.clean(str(path))}",)
            case Waiting():
                return (words.waiting(event),)
            case Summarized():
                return (*map(words.balance, event.balances), words.summary(event))
            case Advanced() | Listed() if self._clock() - self._last >= EVERY:
                self._last = self._clock()
                of = f" of {self._listed:,} listed" if self._listed else ""
                return (
                    f"{self._posts:,}{of} posts done, {words.count(self._files, 'file')}, {words.size(self._bytes)}",
                )
        return ()
