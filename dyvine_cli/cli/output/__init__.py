"""Events and objects for a person or a pipe; the only folder that prints."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from dyvine_cli.cli.output import words
from dyvine_cli.errors import NotWritable

if TYPE_CHECKING:
    from dyvine_cli.cli.options import Common
    from dyvine_cli.cli.output.pipe import OnFault
    from dyvine_cli.config import Settings
    from dyvine_cli.errors import DyvineError
    from dyvine_cli.events import Event, Report


@contextmanager
def choose(
    given: Common, settings: Settings, on_fault: OnFault, *, events: bool = True, summed: bool = False
) -> Iterator[Report]:
    """The listeners for this call: data on stdout if asked for, everything else on stderr.

    `events` False keeps them off stdout, but for failures under --json, and shows no progress: the command's answer is
    what it prints. `summed` says that what fails is told by its source at the end. `on_fault` is told when a stream takes no more lines.
    """
    with ExitStack() as stack:
        listeners = [
            *(_on_stdout(given, on_fault) if events else _failures_on_stdout(given, on_fault)),
            _on_stderr(given, settings, on_fault, events=events, summed=summed),
        ]
        for each in listeners:
            stack.callback(each.close)

        def report(event: Event) -> None:
            for each in listeners:
                each(event)

        yield report


def _on_stdout(given: Common, on_fault: OnFault) -> list[Listener]:
    from dyvine_cli.cli.output.pipe import Pipe

    if given.show.json:
        from dyvine_cli.cli.output.jsonl import JsonLines

        return [JsonLines(Pipe(sys.stdout, on_fault))]
    if given.take.print_ is not None:
        from dyvine_cli.cli.output.lines import PrintedLines

        return [PrintedLines(Pipe(sys.stdout, on_fault), given.take.print_)]
    return []


def _failures_on_stdout(given: Common, on_fault: OnFault) -> list[Listener]:
    """Under --json, what failed stands between the objects."""
    from dyvine_cli.cli.output.pipe import Pipe

    if not given.show.json:
        return []
    from dyvine_cli.cli.output.jsonl import FailureLines

    return [FailureLines(Pipe(sys.stdout, on_fault))]


def _on_stderr(
    given: Common, settings: Settings, on_fault: OnFault, *, events: bool, summed: bool
) -> Listener:
    data = bool(given.show.json or given.take.print_)
    talks = settings.quiet or settings.verbose or settings.print_traffic
    drawn = events and settings.progress and not talks and not given.take.simulate
    if drawn and sys.stderr.isatty() and not (data and sys.stdout.isatty()):
        from dyvine_cli.cli.output.terminal import Terminal

        return Terminal(sys.stderr, summed=summed)
    from dyvine_cli.cli.output.pipe import Pipe
    from dyvine_cli.cli.output.plain import Plain

    return Plain(
        Pipe(sys.stderr, on_fault),
        quiet=settings.quiet,
        named=not events,
        traced=bool(settings.verbose),
        summed=summed,
    )


def tell(error: DyvineError) -> None:
    """Say an error that ended the run, with its hint, on stderr."""
    _complain(*words.complaint(error))


def warn(*messages: str) -> None:
    """Say what a person should know, on stderr."""
    _complain(*(f"warning: {words.clean(each)}" for each in messages))


def note(message: str) -> None:
    """Say how a run ended, on stderr."""
    _complain(message)


def _complain(*lines: str) -> None:
    for line in lines:
        print(words.styled(line) if sys.stderr.isatty() else line, file=sys.stderr, flush=True)


def say(*lines: str) -> None:
    """Write lines of an answer to stdout. Raises BrokenPipeError when nobody reads it, NotWritable."""
    try:
        for line in lines:
            print(line, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritable(error) from error


def unwritable(fault: OSError) -> NotWritable:
    """The error for a stream that takes no more lines."""
    return NotWritable(
        f"the output cannot be written: {fault.strerror}",
        hint="make space where it goes, or send it elsewhere; files that were saved stay",
    )


if TYPE_CHECKING:
    from typing import Protocol

    class Listener(Protocol):
        """Something that receives events and is closed at the end."""

        def __call__(self, event: Event) -> None:
            """Take one event in."""

        def close(self) -> None:
            """Give back what was taken."""


__all__ = ["choose", "note", "say", "tell", "warn"]
