"""`dyvine` and `python -m dyvine_cli`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the program. A closed stdout ends it quietly with status 141, a stray Ctrl-C with 130."""
    if sys.argv[1:] == ["--version"]:  # answered before anything heavy is imported
        from dyvine_cli._version import VERSION

        sys.stdout.write(VERSION + "\n")
        return
    for stream in (sys.stdout, sys.stderr, sys.stdin):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace" if stream is not sys.stdin else "replace")
    try:
        from dyvine_cli.cli.app import main as run

        run()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
