"""dyvine doctor: try every stage alone; write a record of it for a bug report, or read such a record again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyvine_cli.cli.call import Run, alone_app, verb
from dyvine_cli.cli.options import Common, Reach, Show

if TYPE_CHECKING:
    from dyvine_cli.cli.stop import Stop
    from dyvine_cli.config import Settings
    from dyvine_cli.events import Report

app = alone_app()

Link = Annotated[
    list[str] | None,
    typer.Argument(metavar="[LINK]", help="A post, user or mix to try; without it a well-known post."),
]


@verb(app, Reach, Show)
def doctor(
    given: Common,
    words: Link = None,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="FILE", help="Write every request and answer there, redacted."),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            "--replay", metavar="FILE", help="Read such a record again, offline, and name what breaks."
        ),
    ] = None,
) -> Run:
    """Try each stage between a link and a file alone: one line each, with the cause and the cure of what failed.

    Exit status 0 when all that is needed works, else that of the first failure.
    """

    def run() -> int:
        if replay is not None:
            from dyvine_cli.cli.output.doctor import show_readings
            from dyvine_cli.operations import bundle as records

            return show_readings(records.replay(replay), json=bool(given.show.json))
        return _examine(given, " ".join(words or ()), bundle)

    return run


def _examine(given: Common, text: str, bundle: Path | None) -> int:
    from dyvine_cli.cli.output import choose
    from dyvine_cli.cli.output.logs import set_up_logging
    from dyvine_cli.cli.settings import settings_of
    from dyvine_cli.cli.stop import Stop

    settings = settings_of(given)
    set_up_logging(settings.verbose, traffic=settings.print_traffic)
    stop = Stop()
    with choose(given, settings, stop.on_fault, events=False) as report:
        return asyncio.run(_run(given, settings, report, stop, text, bundle))


async def _run(
    given: Common, settings: Settings, report: Report, stop: Stop, text: str, bundle: Path | None
) -> int:
    from dyvine_cli.cli.output.doctor import show_finding
    from dyvine_cli.operations.visit import visit
    from dyvine_cli.operations.workspace import open_subject

    stop.listen()
    try:
        return await visit(
            lambda record: open_subject(settings, report, text or None, record),
            lambda found: show_finding(found, json=bool(given.show.json)),
            bundle=bundle,
        )
    except asyncio.CancelledError:
        if stop.code is None:
            raise
        return stop.code
