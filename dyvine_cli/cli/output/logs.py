"""The package's log on stderr, for -v: what others wrote is cleaned before a terminal sees it."""

from __future__ import annotations

import logging
import sys

from dyvine_cli.cli.output.words import clean


class OneLine(logging.Formatter):
    """Level, room and message on one line without escape characters."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record; a warning looks as warnings of a run do."""
        if record.levelno >= logging.WARNING:
            return clean(f"{record.levelname.lower()}: {record.getMessage()}")
        return clean(f"{record.levelname} {record.name}: {record.getMessage()}")


def set_up_logging(verbose: int, *, traffic: bool) -> None:
    """Show our log: 1 routes and answers, 2 everything; `traffic` adds requests. Others' logs stay silent."""
    level = logging.DEBUG if verbose > 1 else logging.INFO if verbose else logging.WARNING
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    ours = logging.getLogger("dyvine_cli")
    ours.handlers[:] = [handler]
    ours.setLevel(level)
    ours.propagate = False
    logging.getLogger("dyvine_cli.traffic").setLevel(logging.DEBUG if traffic else logging.NOTSET)
