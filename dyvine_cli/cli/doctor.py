"""dyvine doctor: try every stage alone; write a record of it for a bug report, or read such a record again."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyvine_cli.cli.call import Run, alone_app, verb
from dyvine_cli.cli.options import Common, Reach, Show, location
from dyvine_cli.errors import InputError

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
        location("--bundle", metavar="FILE", help="Write every request and answer there, redacted."),
    ] = None,
    replay: Annotated[
        Path | None,
        location("--replay", metavar="FILE", help="Read such a record again, offline, and name what breaks."),
    ] = None,
) -> Run:
    """Try each stage between a link and a file alone: one line each, with the cause and the cure of what failed.

    Exit status 0 when all that is needed works, else that of the first failure.
    """
    if bundle is not None:
        bundle = bundle.expanduser()
        _need_place(bundle)

    def run() -> int:
        if replay is not None:
            from dyvine_cli.cli.output.doctor import show_readings
            from dyvine_cli.operations import bundle as records

            return show_readings(records.replay(replay.expanduser()), json=bool(given.show.json))
        return _examine(given, " ".join(words or ()), bundle)

    return run


def _need_place(bundle: Path) -> None:
    """Raise InputError where no file can be made: what the stages show would be lost at the end."""
    if os.path.isdir(bundle):  # noqa: PTH112 - a name may be too long to look at
        raise InputError(f"--bundle: {bundle} is a folder", hint="name a file in it: --bundle record.json")
    if not bundle.parent.is_dir():
        raise InputError(
            f"--bundle: there is no folder {bundle.parent}", hint="make it first, or name another file"
        )


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
