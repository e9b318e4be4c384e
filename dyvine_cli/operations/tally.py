"""How a run came out: counts, failures by cause, and the exit status that says it all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from dyvine_cli.errors import (
    ArchiveError,
    Busy,
    DiskError,
    DyvineError,
    ListingIncomplete,
    Refused,
    StorageError,
)
from dyvine_cli.events import Balance, Summarized, SyncedSource

STOPPING = (DiskError, StorageError, ArchiveError, Busy)
"""What ends the whole run, because the next item would meet it too."""
SOME_FAILED = 3
NOTHING_NEW = 15


@dataclass(slots=True)
class Tally:
    """Counts of a run. `done` and `errors` count posts, and listings that ended well or gave nothing.

    `stop` is what ended the whole run, `refusals` what ended one site for it.
    """

    clock: Callable[[], float] = time.monotonic
    begun: float = 0.0
    files: int = 0
    size: int = 0
    posts: int = 0
    known: int = 0
    done: int = 0
    errors: list[DyvineError] = field(default_factory=list)
    cuts: list[ListingIncomplete] = field(default_factory=list)
    stop: DyvineError | None = None
    refusals: list[Refused] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begun = self.clock()

    def fail(self, error: DyvineError) -> None:
        """Count something asked for that failed."""
        self.errors.append(error)
        if isinstance(error, STOPPING) and self.stop is None:
            self.stop = error

    def add(self, other: Tally) -> None:
        """Count what a part of the run counted by itself."""
        self.files += other.files
        self.size += other.size
        self.posts += other.posts
        self.known += other.known
        self.done += other.done
        self.errors += other.errors
        self.cuts += other.cuts
        self.refusals += other.refusals
        self.balances += other.balances
        self.stop = self.stop or other.stop

    def exit_code(self, *, fail_if_nothing_new: bool = False) -> int:
        """What stops a run wins, then a cut listing; one cause for all is its status, several are 3."""
        if self.stop is not None:
            return self.stop.exit_code
        if self.cuts:
            return ListingIncomplete.exit_code
        if self.refusals:
            return self.refusals[0].exit_code
        if self.errors:
            codes = {error.exit_code for error in self.errors}
            return SOME_FAILED if self.done or len(codes) > 1 else codes.pop()
        return NOTHING_NEW if fail_if_nothing_new and not self.files else 0

    def summary(
        self,
        *,
        fail_if_nothing_new: bool = False,
        next_try: datetime | None = None,
        sources: tuple[SyncedSource, ...] | None = None,
    ) -> Summarized:
        """The run's last event; `next_try` is when a site that refused us may be asked again, `sources` are of `sync`."""
        return Summarized(
            files=self.files,
            size=self.size,
            posts=self.posts,
            known=self.known,
            failed=len(self.errors) + len(self.cuts),
            seconds=self.clock() - self.begun,
            exit_code=self.exit_code(fail_if_nothing_new=fail_if_nothing_new),
            balances=tuple(self.balances),
            reasons=dict(Counter(error.name for error in (*self.errors, *self.cuts))),
            next_try=next_try,
            sources=sources,
        )
