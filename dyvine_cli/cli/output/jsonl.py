"""Events and objects as JSON lines on stdout."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dyvine_cli.encode import dumps, encode_event
from dyvine_cli.events import Advanced, Cut, Event, Failed, Finished, Listed

if TYPE_CHECKING:
    from dyvine_cli.cli.output.pipe import Pipe

EVERY = 1.0
"""Seconds between two `progress` lines of a run, at the least."""


class JsonLines:
    """A listener that writes one object a line; many small steps become one `progress` a second."""

    def __init__(self, pipe: Pipe, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._pipe = pipe
        self._clock = clock
        self._last = clock()
        self._bytes = self._posts = self._listed = 0

    def __call__(self, event: Event) -> None:
        """Write the event, or count it towards the next `progress`."""
        match event:
            case Advanced():
                self._bytes += event.count
                self._progress()
            case Finished():
                self._posts += 1
            case _:
                if isinstance(event, Listed):
                    self._listed = event.total
                self.write(encode_event(event))

    def close(self) -> None:
        """Nothing stays open."""

    def _progress(self) -> None:
        if self._clock() - self._last >= EVERY:
            self._last = self._clock()
            self.write(progress(posts=self._posts, listed=self._listed, size=self._bytes))

    def write(self, found: Mapping[str, Any]) -> None:
        """One object, one line, at once."""
        self._pipe.write(line(found))


class FailureLines:
    """A listener that writes only what failed or was cut, beside the objects that a command gives."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def __call__(self, event: Event) -> None:
        """Write a failure."""
        if isinstance(event, Failed | Cut):
            self._pipe.write(line(encode_event(event)))

    def close(self) -> None:
        """Nothing stays open."""


def line(found: Mapping[str, Any]) -> str:
    """An object on one line, nothing in which a terminal or a reader of lines would obey."""
    return dumps(found)


def progress(*, posts: int, listed: int, size: int) -> dict[str, Any]:
    """The `progress` event: posts done, posts listed and bytes received so far."""
    from dyvine_cli.encode import stamp

    return {**stamp("progress"), "ref": None, "posts": posts, "listed": listed, "size": size}
