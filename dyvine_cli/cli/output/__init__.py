"""Events and objects for a person or a pipe; the only folder that prints."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from dyvine_cli.cli.output import words

if TYPE_CHECKING:
    from dyvine_cli.cli.options import Common
    from dyvine_cli.config import Settings
    from dyvine_cli.errors import DyvineError
    from dyvine_cli.events import Event, Report


@contextmanager
def choose(given: Common, settings: Settings, *, events: bool = True) -> Iterator[Report]:
    """The listeners for this call: data on stdout if asked for, everything else on stderr.

    `events` False keeps them off stdout and shows no progress: the command's answer is what it prints.
    """
    with ExitStack() as stack:
        listeners = [*(_on_stdout(given) if events else ()), _on_stderr(given, settings, progress=events)]
        for each in listeners:
            stack.callback(each.close)

        def report(event: Event) -> None:
            for each in listeners:
                each(event)

        yield report


def _on_stdout(given: Common) -> list[Listener]:
    if given.show.json:
        from dyvine_cli.cli.output.jsonl import JsonLines

        return [JsonLines(sys.stdout)]
    if given.take.print_:
        from dyvine_cli.cli.output.lines import PrintedLines

        return [PrintedLines(sys.stdout, given.take.print_)]
    return []


def _on_stderr(given: Common, settings: Settings, *, progress: bool) -> Listener:
    data = bool(given.show.json or given.take.print_)
    talks = settings.quiet or settings.verbose or settings.print_traffic or given.show.verbose
    drawn = progress and settings.progress and not talks and not given.take.simulate
    if drawn and sys.stderr.isatty() and not (data and sys.stdout.isatty()):
        from dyvine_cli.cli.output.terminal import Terminal

        return Terminal(sys.stderr)
    from dyvine_cli.cli.output.plain import Plain

    return Plain(sys.stderr, quiet=settings.quiet or not progress)


def tell(error: DyvineError) -> None:
    """Say an error that ended the run, with its hint, on stderr."""
    for line in words.complaint(error):
        print(line, file=sys.stderr, flush=True)


def say(*lines: str) -> None:
    """Write lines of an answer to stdout."""
    for line in lines:
        print(line, flush=True)


if TYPE_CHECKING:
    from typing import Protocol

    class Listener(Protocol):
        """Something that receives events and is closed at the end."""

        def __call__(self, event: Event) -> None:
            """Take one event in."""

        def close(self) -> None:
            """Give back what was taken."""


__all__ = ["choose", "say", "tell"]
