"""How a run came out: counts, failures by cause, and the exit status that says it all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from dyvine_cli.errors import (
    ArchiveError,
    Busy,
    DiskError,
    DyvineError,
    ListingIncomplete,
    Refused,
    StorageError,
)
from dyvine_cli.events import Balance, Summarized

STOPPING = (DiskError, StorageError, ArchiveError, Busy)
"""What ends the whole run, because the next item would meet it too."""
SOME_FAILED = 3
NOTHING_NEW = 15


@dataclass(slots=True)
class Tally:
    """Counts of a run. `done` and `errors` count the things asked for: posts, or listings that gave nothing."""

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
    balances: list[Balance] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begun = self.clock()

    def fail(self, error: DyvineError) -> None:
        """Count something asked for that failed."""
        self.errors.append(error)
        if isinstance(error, STOPPING) and self.stop is None:
            self.stop = error

    @property
    def reasons(self) -> dict[str, int]:
        """The failures by error name."""
        return dict(Counter(error.name for error in self.errors))

    def exit_code(self, *, fail_if_nothing_new: bool = False) -> int:
        """What stops a run wins, then a cut listing; one cause for all is its status, several are 3."""
        if self.stop is not None:
            return self.stop.exit_code
        if self.cuts:
            return ListingIncomplete.exit_code
        if self.errors:
            return self._failed_code()
        return NOTHING_NEW if fail_if_nothing_new and not self.files else 0

    def _failed_code(self) -> int:
        refused = next((error for error in self.errors if isinstance(error, Refused)), None)
        codes = {error.exit_code for error in self.errors}
        if not self.done and len(codes) == 1:
            return codes.pop()
        return refused.exit_code if refused else SOME_FAILED

    def summary(self, *, fail_if_nothing_new: bool = False) -> Summarized:
        """The run's last event."""
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
        )
