"""The stand-in platforms as a process, and `dyvine` itself as a process beside it, in folders of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import dyvine_cli
from dyvine_cli.errors import DyvineError, NotWritable

LIVES = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TERM",
    "COLORTERM",
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "TMPDIR",
)
"""Variables that the processes keep; proxies, logins and settings of the person stay out of it."""
LINE = ("--rtt", "0.02", "--rate", "1M")
"""A line on which progress can be seen: 20 ms, 1 MB/s for each connection."""
PROGRAM = (sys.executable, "-P", "-m")
"""Python without the current folder in its path: what lies where the files go is not run."""


class Stage:
    """A simulator that runs while the context is open; `folder` is where files go, `home` where dyvine keeps its own.

    The folder stays, the home goes. Raises NotWritable, and DyvineError when the simulator does not start.
    """

    def __init__(self, folder: Path | None = None) -> None:
        try:
            self.folder = (folder or Path(tempfile.mkdtemp(prefix="dyvine-demo-"))).expanduser().absolute()
            self.folder.mkdir(parents=True, exist_ok=True)
            self.home = Path(tempfile.mkdtemp(prefix="dyvine-demo-home-"))
        except OSError as error:
            raise NotWritable(
                f"{error.filename}: {error.strerror}", hint="choose another folder: -P DIR"
            ) from error
        self._facts: dict[str, Any] = {}
        self._simulator: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._simulator = subprocess.Popen(  # noqa: S603 - ourselves
            [*PROGRAM, "dyvine_cli.simulator", *LINE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=self._environment(),
        )
        assert self._simulator.stdout is not None
        line = self._simulator.stdout.readline()
        if not line:
            self.close()
            raise DyvineError(
                "the built-in simulator did not start", hint="run: python -m dyvine_cli.simulator"
            )
        self._facts = json.loads(line)
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the simulator and remove what dyvine kept for itself."""
        if self._simulator is not None:
            self._simulator.communicate()  # it ends when its stdin closes
        shutil.rmtree(self.home, ignore_errors=True)

    def link(self, name: str) -> str:
        """The address of one of the invented things to show: account, post or guest."""
        return str(self._facts["shown"][name])

    def run(self, arguments: Sequence[str]) -> int:
        """Run `dyvine` with these arguments, its streams being ours; the exit status, negative for a signal."""
        command = [*PROGRAM, "dyvine_cli", *arguments]
        ended: list[int] = []  # a signal that ended us while the process is made would leave it behind
        leave = signal.signal(signal.SIGTERM, lambda number, frame: ended.append(number))
        process = subprocess.Popen(command, cwd=self.folder, env=self._environment())  # noqa: S603 - ourselves
        try:
            signal.signal(signal.SIGTERM, leave)
            if ended:
                signal.raise_signal(signal.SIGTERM)
            return process.wait()
        finally:
            process.kill()
            process.wait()

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in LIVES if name in os.environ}
        own = {
            "DYVINE_HOME": str(self.home),
            "PYTHONPATH": str(Path(dyvine_cli.__file__).parents[1]),
            "PYTHONUTF8": "1",
        }
        if self._facts:
            own["DYVINE_CONNECT_TO"] = str(self._facts["connect_to"])
        return {**kept, **own}
