"""The stand-in platforms as a process, and `dyvine` itself as a process beside it, in folders of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from dyvine_cli.errors import DyvineError

LIVES = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TERM",
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "TMPDIR",
    "PYTHONPATH",
    "VIRTUAL_ENV",
)
"""Variables that the processes keep; proxies, logins and settings of the person stay out of it."""


class Stage:
    """A simulator that runs while the context is open; `folder` is where files go, `home` where dyvine keeps its own."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or Path(tempfile.mkdtemp(prefix="dyvine-demo-"))).absolute()
        self.home = Path(tempfile.mkdtemp(prefix="dyvine-demo-home-"))
        self._facts: dict[str, Any] = {}
        self._simulator: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._simulator = subprocess.Popen(
            [sys.executable, "-m", "dyvine_cli.simulator", "--rtt", "0.02", "--rate", "12M"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=self._environment(),
        )
        assert self._simulator.stdout is not None
        line = self._simulator.stdout.readline()
        if not line:
            raise DyvineError(
                "the built-in simulator did not start", hint="run: python -m dyvine_cli.simulator"
            )
        self._facts = json.loads(line)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._simulator is not None:
            self._simulator.communicate()  # it ends when its stdin closes
        _remove(self.home)

    def link(self, name: str) -> str:
        """The address of one of the invented things to show."""
        return str(self._facts["shown"][name])

    def run(self, arguments: Sequence[str]) -> int:
        """Run `dyvine` with these arguments, its streams being ours; the exit status."""
        command = [sys.executable, "-m", "dyvine_cli", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=self._environment(), check=False)  # noqa: S603 - ourselves
        return done.returncode

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in LIVES if name in os.environ}
        own = {"DYVINE_HOME": str(self.home), "PYTHONUTF8": "1"}
        if self._facts:
            own["DYVINE_CONNECT_TO"] = str(self._facts["connect_to"])
        return {**kept, **own}


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
