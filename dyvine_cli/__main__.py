"""`dyvine` and `python -m dyvine_cli`."""

from __future__ import annotations

import gc
import os
import sys

CLOSED = 141
UNWRITABLE = 10
STREAMS = (0, 1, 2)

GARBAGE = (100_000, 20, 20)
"""When to look for cycles: loading the program makes 50,000 objects and no garbage, which usual thresholds search for."""


def main() -> None:
    """Run the program. A closed stdout ends it quietly with status 141, a stray Ctrl-C with 130."""
    if sys.argv[1:] == ["--version"]:  # answered before anything heavy is imported
        from dyvine_cli._version import VERSION

        sys.stdout.write(VERSION + "\n")
        return
    gc.set_threshold(*GARBAGE)
    _prepare_streams()
    try:
        from dyvine_cli.cli.app import main as run

        code = run()
    except BrokenPipeError:
        code = CLOSED
    except KeyboardInterrupt:
        code = 130
    gc.freeze()  # else the interpreter searches all that was loaded for cycles once more, to no end but its own
    sys.exit(_flushed(code))


def _flushed(code: int) -> int:
    """The exit status once what is buffered was written, or was given up because it cannot be."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        _let_go()
        return CLOSED
    except OSError:
        _let_go()
        return code or UNWRITABLE
    return code


def _prepare_streams() -> None:
    """UTF-8 whatever the locale; a stream that was closed before we began leads to nowhere, not to our next file."""
    for number in STREAMS:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or os.fdopen(0, "r", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(
                encoding="utf-8", errors="replace" if stream is sys.stdin else "backslashreplace"
            )


def _let_go() -> None:
    """What is still buffered goes nowhere, so that the interpreter's own flush at the end stays quiet."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)


if __name__ == "__main__":
    main()
