"""What ends a run from outside: Ctrl-C, SIGTERM, or a stream that takes no more lines."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

SIGNALS = (signal.SIGINT, signal.SIGTERM)
CLOSED = 128 + 13
"""Exit status when nobody reads our output any more; SIGPIPE is 13 (and missing on Windows)."""
SHOW_CURSOR = "\x1b[?25h"


class Stop:
    """Cancels the running task once; a second signal ends the process at once.

    `number` is the signal that came, 0 for none; `fault` is why a stream takes no more lines, None while it does.
    """

    def __init__(self) -> None:
        self.number = 0
        self.fault: OSError | None = None
        self._task: asyncio.Task[object] | None = None

    def listen(self) -> None:
        """Stop the task that calls this when a signal comes."""
        self._task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            try:
                loop.add_signal_handler(number, self._on_signal, number)
            except NotImplementedError:  # Windows: asyncio.run turns Ctrl-C into KeyboardInterrupt by itself
                return

    def on_fault(self, fault: OSError) -> None:
        """Stop because a stream could not be written."""
        if self.fault is None:
            self.fault = fault
            self._cancel()

    @property
    def code(self) -> int | None:
        """The exit status of what stopped us, None while nothing did. Raises NotWritable for a stream that is full."""
        if self.fault is not None and not isinstance(self.fault, BrokenPipeError):
            from dyvine_cli.cli.output import unwritable  # it is loaded where there is a stream

            raise unwritable(self.fault) from self.fault
        if self.fault is not None:
            return CLOSED
        return 128 + self.number if self.number else None

    def _on_signal(self, number: int) -> None:
        if self.number:
            if sys.stderr.isatty():
                sys.stderr.write(SHOW_CURSOR)
                sys.stderr.flush()
            os._exit(128 + number)
        self.number = number
        self._cancel()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
