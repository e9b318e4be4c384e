"""Lines on stdout and stderr, and what happens when nobody takes them any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

OnFault = Callable[[OSError], None]
"""Told once, when a stream could not be written."""


class Pipe:
    """Writes lines for a listener. A listener never raises into the run: after the first fault it drops its lines."""

    def __init__(self, stream: TextIO, on_fault: OnFault) -> None:
        self._stream = stream
        self._on_fault = on_fault
        self._broken = False

    def write(self, *lines: str) -> None:
        """Each line at once, so that a pipe's reader sees it."""
        if self._broken or not lines:
            return
        try:
            self._stream.write("".join(f"{line}\n" for line in lines))
            self._stream.flush()
        except OSError as fault:
            self._broken = True
            self._on_fault(fault)
