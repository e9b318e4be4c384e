"""The `dyvine` program: a command line in, one run of one operation, its exit status."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dyvine_cli.cli.call import Call, takes
from dyvine_cli.cli.grammar import Root, misuse
from dyvine_cli.cli.options import Common, Reach, Show, Take
from dyvine_cli.errors import DyvineError

if TYPE_CHECKING:
    from dyvine_cli.cli.stop import Stop
    from dyvine_cli.config import Settings
    from dyvine_cli.events import Report
    from dyvine_cli.operations.reminders import Logins
    from dyvine_cli.operations.selection import Selection
    from dyvine_cli.operations.workspace import ArchiveUse, Workspace

EXIT_STATUSES = """Exit statuses: 0 done or nothing new; 1 unexpected; 2 wrong input; 3 some of several failed; 4 login needed;
5 not there (deleted, private, banned); 6 refused by the platform; 7 listing cut short; 8 unknown answer; 9 network; 10 disk;
11 target; 12 archive; 13 not live; 14 another run is busy; 15 nothing new (--fail-if-nothing-new); 130 Ctrl-C; 143 SIGTERM;
141 stdout closed."""

app = typer.Typer(
    name="dyvine",
    cls=Root,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_STATUSES,
)


def _version(wanted: bool) -> None:
    if wanted:
        from dyvine_cli._version import VERSION

        typer.echo(VERSION)
        raise typer.Exit


@app.callback()
@takes(Reach, Show, Take)
def root(
    given: Common,
    version: Annotated[
        bool | None, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = None,
) -> None:
    """Keep what is published on Douyin and TikTok: posts, pictures, whole accounts.

    `dyvine LINK` downloads whatever the link is; paste share text as it is. The options of a command (`dyvine get
    --help`) may also stand before it.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, that of this process if None is given; the exit status."""
    try:
        call = parse(sys.argv[1:] if arguments is None else arguments)
        return call if isinstance(call, int) else call.run()
    except DyvineError as error:
        from dyvine_cli.cli.output import tell

        tell(error)
        return error.exit_code


def parse(arguments: Sequence[str]) -> Call | int:
    """What a command line means; an exit status where help or the version was all it asked for. Raises InputError."""
    command: Any = typer.main.get_command(app)
    try:
        outcome = command.main(args=list(arguments), prog_name="dyvine", standalone_mode=False)
    except typer.TyperException as error:
        raise misuse(error) from None
    return outcome if isinstance(outcome, Call) else int(outcome or 0)


Operation = Callable[["Workspace", "Selection", "Report"], Awaitable[int]]
"""What a command asks for; returns the exit status."""


Run = Callable[["Settings", "Report"], Awaitable[int]]
"""A whole run: it opens what it needs itself; returns the exit status."""


def finish(
    given: Common, operation: Operation, *, events: bool = True, archive: ArchiveUse = "optional"
) -> int:
    """Open the workspace, run one operation, show what happens; its exit status.

    `events` False keeps events off stdout, because the operation's answer goes there; `archive` is what the operation
    wants of it. Raises what ends the run.
    """
    reminders: list[str] = []
    logins: Logins = []

    async def run(settings: Settings, report: Report) -> int:
        from dyvine_cli.cli.settings import selection_of
        from dyvine_cli.operations.reminders import due
        from dyvine_cli.operations.workspace import open_workspace

        async with open_workspace(settings, report, archive=archive) as workspace:
            try:
                code = await operation(workspace, selection_of(settings), report)
            finally:
                logins.extend(workspace.client.in_use)
            reminders.extend(due(workspace.client.in_use, settings.folders.state))
            return code

    code = conduct(given, run, events=events, logins=logins)
    if reminders:
        from dyvine_cli.cli.output import warn

        warn(*reminders)
    return code


def conduct(
    given: Common, run: Run, *, events: bool = True, summed: bool = False, logins: Logins | None = None
) -> int:
    """Do a run, show what happens, tell who is to be told; its exit status, or that of what stopped it.

    `summed` says that what fails is told by its source at the end. `logins` are the profiles that were in use, filled by
    the run. Raises what ends the run.
    """
    import asyncio  # help and completion do without it

    from dyvine_cli.cli.output import choose
    from dyvine_cli.cli.output.logs import set_up_logging
    from dyvine_cli.cli.outside import outside_of
    from dyvine_cli.cli.settings import settings_of
    from dyvine_cli.cli.stop import Stop

    settings = settings_of(given)
    set_up_logging(settings.verbose, traffic=settings.print_traffic)
    # Questions are answered to whoever asks; only what is done may concern others.
    outside = outside_of(settings) if events and not given.take.simulate else None
    unsaid: list[str] = []
    work: Callable[[Report], Awaitable[int]] = partial(run, settings)
    if outside is not None:
        work = partial(outside.around, work, logins=[] if logins is None else logins, warnings=unsaid)
    stop = Stop()
    try:
        with choose(given, settings, stop.on_fault, events=events, summed=summed) as report:
            code = asyncio.run(_until_stopped(work(report), stop))
    except KeyboardInterrupt:  # where the loop has no signal handlers
        stop.number = 2
        code = 130
    finally:
        if unsaid:
            from dyvine_cli.cli.output import warn

            warn(*unsaid)
    if stop.number:
        from dyvine_cli.cli.output import note

        note("stopped; the same command goes on where this one ended")
    return code


async def _until_stopped(run: Awaitable[int], stop: Stop) -> int:
    """The outcome of a run that whatever stops it ends early."""
    from asyncio import CancelledError

    stop.listen()
    try:
        code = await run
    except CancelledError:
        if stop.code is None:
            raise
        return stop.code
    return code if stop.code is None else stop.code
