"""The `dyvine` program: options before the noun, one run of one operation, its exit status."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dyvine_cli.cli.grammar import Root, takes
from dyvine_cli.cli.options import Common, Reach, Show, Take, nearest
from dyvine_cli.errors import DyvineError

if TYPE_CHECKING:
    from dyvine_cli.config import Settings
    from dyvine_cli.events import Report
    from dyvine_cli.operations.selection import Selection
    from dyvine_cli.operations.workspace import Workspace

EXIT_STATUSES = """Exit statuses: 0 done or nothing new; 1 unexpected; 2 wrong input; 3 some of several failed; 4 login needed;
5 not there (deleted, private, banned); 6 refused by the platform; 7 listing cut short; 8 unknown answer; 9 network; 10 disk;
11 target; 12 archive; 13 not live; 14 another run is busy; 15 nothing new (--fail-if-nothing-new); 130/143 stopped."""

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
    ctx: typer.Context,
    *,
    version: Annotated[
        bool | None, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = None,
    reach: Reach,
    show: Show,
    take: Take,
) -> None:
    """Keep what is published on Douyin: posts, pictures, whole accounts.

    `dyvine LINK` downloads whatever the link is. The options of a command (`dyvine get --help`) may also stand before
    it.
    """
    ctx.obj = Common(reach=reach, show=show, take=take)


def common(ctx: typer.Context, reach: Reach, show: Show, take: Take | None = None) -> Common:
    """The shared options of this call, the nearest place winning."""
    outer = ctx.find_object(Common) or Common()
    return Common(
        reach=nearest(reach, outer.reach),
        show=nearest(show, outer.show),
        take=nearest(take or Take(), outer.take),
    )


Operation = Callable[["Workspace", "Selection", "Report"], Awaitable[int]]
"""What a command asks for; returns the exit status."""


def finish(given: Common, operation: Operation, *, events: bool = True) -> None:
    """Open the workspace, run one operation, show what happens, and leave with its exit status.

    `events` False keeps events off stdout, because the operation's answer goes there.
    """
    from dyvine_cli.cli.output import choose, tell
    from dyvine_cli.cli.settings import settings_of

    try:
        settings = settings_of(given)
        set_up_logging(given.show.verbose or settings.verbose, traffic=settings.print_traffic)
        with choose(given, settings, events=events) as report:
            code = asyncio.run(_run(settings, operation, report))
    except DyvineError as error:
        tell(error)
        code = error.exit_code
    raise typer.Exit(code)


def simply(action: Callable[[], int | None]) -> None:
    """Run something without a workspace; its errors are told the same way."""
    from dyvine_cli.cli.output import tell

    try:
        code = action() or 0
    except DyvineError as error:
        tell(error)
        code = error.exit_code
    raise typer.Exit(code)


async def _run(settings: Settings, operation: Operation, report: Report) -> int:
    """The operation, stopped by Ctrl-C and SIGTERM within two seconds; a second Ctrl-C ends the process at once."""
    from dyvine_cli.cli.settings import selection_of
    from dyvine_cli.operations.workspace import open_workspace

    stopped: list[int] = []
    task = asyncio.current_task()

    def stop(number: int) -> None:
        if stopped or task is None:
            os._exit(128 + number)
        stopped.append(number)
        task.cancel()

    _listen(stop)
    try:
        async with open_workspace(settings, report) as workspace:
            return await operation(workspace, selection_of(settings), report)
    except asyncio.CancelledError:
        if not stopped:
            raise
        sys.stderr.write("stopped; the same command goes on where this one ended\n")
        return 128 + stopped[0]


def _listen(stop: Callable[[int], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop, number)
        except NotImplementedError:  # Windows: Ctrl-C cancels through KeyboardInterrupt
            return


def set_up_logging(verbose: int, *, traffic: bool) -> None:
    """Show the package's log on stderr: -v routes and answers, -vv everything of ours; others' logs stay silent."""
    level = logging.DEBUG if verbose >= 2 else logging.INFO if verbose else logging.WARNING
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    ours = logging.getLogger("dyvine_cli")
    ours.handlers[:] = [handler]
    ours.setLevel(level)
    ours.propagate = False
    if traffic:
        logging.getLogger("dyvine_cli.traffic").setLevel(logging.DEBUG)


def main(*args: Any) -> None:
    """Run the command line of this process."""
    app(*args, prog_name="dyvine")
