"""dyvine demo: the installed program, as a process, against the built-in simulator."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

from dyvine_cli.cli.call import Run, alone_app, verb
from dyvine_cli.cli.options import Common, location

app = alone_app()


@verb(app)
def demo(
    given: Common,
    path: Annotated[
        Path | None,
        location(
            "-P",
            "--path",
            metavar="DIR",
            help="Folder for the files; else one in the system's temporary folder.",
        ),
    ] = None,
) -> Run:
    """Download an invented account and a few posts from the built-in simulator: no account, no internet.

    Everything it writes is in one temporary folder, which is named at the end.
    """

    def run() -> int:
        from dyvine_cli.cli.output.demo import Tour
        from dyvine_cli.operations.stage import Stage

        signal.signal(signal.SIGTERM, _leave)
        with Stage(path or given.take.path) as stage:
            return Tour(stage).show()

    return run


def _leave(number: int, frame: object) -> None:
    """End as a signal asks for, by way of everything that is to be cleaned up."""
    sys.exit(128 + number)
