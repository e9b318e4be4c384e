"""The installed program as a process beside a simulator, in folders of its own."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from jsonschema import Draft202012Validator

from dyvine_cli.cli.app import main
from dyvine_cli.simulator.app import Simulator, running

KEPT = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "COVERAGE_PROCESS_START")
PATIENCE = 60
"""Seconds after which a process counts as hung."""


@pytest.fixture(scope="session")
def _simulator() -> Iterator[Simulator]:
    with running() as simulator:
        yield simulator


@pytest.fixture
def platform(_simulator: Simulator) -> Iterator[Simulator]:
    """A simulator without faults, at full speed."""
    yield _simulator
    _simulator.faults.clear()
    _simulator.line.rtt, _simulator.line.rate = 0.0, None
    _simulator.clock.advance(-_simulator.clock.ahead)


@dataclass(frozen=True, slots=True)
class Done:
    """How a process ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of stdout."""
        return self.out.splitlines()

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The lines of stdout, read as JSON."""
        return [json.loads(line) for line in self.lines]

    def complaints(self, kind: str = "error") -> list[str]:
        """What stands behind `error:` (or another word) in the lines of stderr."""
        return [
            line.removeprefix(f"{kind}: ") for line in self.err.splitlines() if line.startswith(f"{kind}:")
        ]


class Program:
    """`dyvine`, started in an empty folder with an empty home; every host leads to the simulator."""

    def __init__(self, folder: Path, connect_to: str) -> None:
        self.home = folder / "home"
        self.work = folder / "work"
        self.work.mkdir()
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.environment = {
            **kept,
            "HOME": str(folder),
            "DYVINE_HOME": str(self.home),
            "DYVINE_CONNECT_TO": connect_to,
            "DYVINE_PACE": "off",
        }

    def start(self, *arguments: str | Path, env: Mapping[str, str] | None = None, **options: Any) -> Any:
        """The process, with its streams as pipes unless `options` say otherwise; `env` is added, empty values removed."""
        merged = {name: value for name, value in {**self.environment, **(env or {})}.items() if value}
        streams: dict[str, Any] = {
            "stdin": subprocess.DEVNULL,
            **dict.fromkeys(("stdout", "stderr"), subprocess.PIPE),
        }
        command = [sys.executable, "-m", "dyvine_cli", *map(str, arguments)]
        return subprocess.Popen(command, cwd=self.work, env=merged, **{**streams, **options})

    def __call__(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None, stdin: str | bytes = ""
    ) -> Done:
        """Run to the end; what was written is decoded as strict UTF-8."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        with self.start(*arguments, env=env, stdin=subprocess.PIPE) as process:
            out, err = process.communicate(given, timeout=PATIENCE)
        return Done(process.returncode, out.decode(), err.decode())

    def inside(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Done:
        """The same in this process, for tables of many rows: everything but the interpreter's start is as above."""
        merged = {name: value for name, value in {**self.environment, **(env or {})}.items() if value}
        out, err = io.StringIO(), io.StringIO()
        with (
            zone_as_before(),
            mock.patch.dict(os.environ, merged, clear=True),
            contextlib.chdir(self.work),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            logs_as_before(),
        ):
            time.tzset()
            code = main(list(map(str, arguments)))
        return Done(code, out.getvalue(), err.getvalue())

    @property
    def files(self) -> list[Path]:
        """Every file below the folder in which it runs, by name."""
        return sorted(each for each in self.work.rglob("*") if each.is_file())

    @property
    def names(self) -> list[str]:
        """The names of these files."""
        return [each.name for each in self.files]


@contextlib.contextmanager
def zone_as_before() -> Iterator[None]:
    """Undo what another TZ in the environment did to this process."""
    try:
        yield
    finally:
        time.tzset()


@contextlib.contextmanager
def logs_as_before() -> Iterator[None]:
    """Undo what a run in this process does to the package's logger, which other tests listen to."""
    ours, traffic = logging.getLogger("dyvine_cli"), logging.getLogger("dyvine_cli.traffic")
    before = (list(ours.handlers), ours.level, ours.propagate, traffic.level)
    try:
        yield
    finally:
        ours.handlers[:], ours.propagate = before[0], before[2]
        ours.setLevel(before[1])
        traffic.setLevel(before[3])


@pytest.fixture
def dyvine(platform: Simulator, tmp_path: Path) -> Program:
    """The program beside the simulator."""
    return Program(tmp_path, platform.connect_to)


def valid(name: str, found: Any) -> Any:
    """`found` itself, once the published schema of that name takes it."""
    file = resources.files("dyvine_cli").joinpath("schemas", f"{name}.schema.json")
    Draft202012Validator(json.loads(file.read_text("utf-8"))).validate(found)
    return found
