"""One run at a time of those that need a state folder to themselves: a lock that ends with its process, and a note."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from dyvine_cli import lock
from dyvine_cli.errors import Busy, NotWritable

NAME = "sync.lock"
SYNC, REBUILD = RUNS = ("sync", "archive repair --rebuild")
"""The commands that need it."""
_LARGEST = 1024
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def alone(state: Path, run: str = SYNC) -> Iterator[None]:
    """Hold the lock of the state folder, as one of RUNS. Raises Busy, naming the other run and its start; NotWritable."""
    path = state / NAME
    descriptor = _open(path)
    try:
        if not lock.take(descriptor):
            raise _busy(descriptor)
        _sign(descriptor, run)
        try:
            yield
        finally:
            lock.free(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, _FLAGS, 0o600)
    except OSError as error:
        raise NotWritable(
            f"{path}: {error.strerror}", hint="check the owner and permissions of this folder"
        ) from error


def _sign(descriptor: int, run: str) -> None:
    """Say who has the lock; a full disk only leaves the next one without a name."""
    now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    data = json.dumps({"pid": os.getpid(), "began": now, "run": run}).encode()
    try:
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, data)
    except OSError:
        return


def _busy(descriptor: int) -> Busy:
    owner, run = "another process", SYNC
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        note = json.loads(os.read(descriptor, _LARGEST))
        pid, began = int(note["pid"]), datetime.fromisoformat(note["began"])
        owner = f"process {pid} (since {began:%Y-%m-%d %H:%M:%S})"
        run = RUNS[RUNS.index(note.get("run", SYNC))]
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        pass
    return Busy(
        f"{owner} runs `dyvine {run}` with this state folder",
        hint="wait until it ends, or stop it; `dyvine sync status` may be called meanwhile",
    )
