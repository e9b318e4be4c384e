"""Small files of our own making, put in place whole: beside, flushed, renamed."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from dyvine_cli.transfer.engine import Fetched
from dyvine_cli.transfer.folder import Folder, writing
from dyvine_cli.transfer.partial import busy, open_locked

_LARGEST = 64 * 1024 * 1024
"""Bytes of a file in the way that are looked at; ours are far smaller."""

_TRIES = 10
_POLL = 0.01
_PATIENCE = 10.0
"""Seconds for another run to finish a file that takes it a few milliseconds."""


def place(
    path: Path, data: bytes, *, root: Path, is_ours: Callable[[bytes], bool] | None = None
) -> Fetched | None:
    """Write `data` to `path` at or below `root`; no link is followed, on the way or in its place.

    What stands there under that name is replaced if its content is `data` already or `is_ours`, otherwise left alone
    and None returned; `is_ours` None replaces whatever it is. Raises DiskFull, NotWritable, DiskError, Busy.
    """
    with writing(path), Folder.open(path.parent, root) as folder:
        for _ in range(_TRIES):
            stands = folder.status(path.name) is not None
            if stands and is_ours is not None and not _gives_way(folder, path.name, data, is_ours):
                return None
            with suppress(FileExistsError, FileNotFoundError):  # another run was at it: look again
                _put(folder, path.name, data, overwrite=stands or is_ours is None)
                digest = sha256(data).hexdigest()
                return Fetched(path=path, size=len(data), sha256=digest, ext=path.suffix.lstrip("."))
    return None


def _gives_way(folder: Folder, name: str, data: bytes, is_ours: Callable[[bytes], bool]) -> bool:
    """Whether the plain file of that name may be replaced; a link, a folder or an unreadable file never is."""
    try:
        with os.fdopen(folder.open_file(name, os.O_RDONLY), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return False
            found = file.read(_LARGEST + 1)
    except OSError:
        return False
    return found == data or (len(found) <= _LARGEST and is_ours(found))


def _put(folder: Folder, name: str, data: bytes, *, overwrite: bool) -> None:
    """Write a file beside, which other runs leave alone meanwhile, and give it its name.

    Raises FileExistsError, FileNotFoundError if another run came in between all the same, Busy, OSError.
    """
    beside = f"{name}.part"
    fd = _claim(folder, name)
    try:
        with os.fdopen(fd, "wb") as file:
            file.truncate()
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if os.name != "nt":  # Windows renames no open file
                folder.rename(beside, name, overwrite=overwrite)
        if os.name == "nt":
            folder.rename(beside, name, overwrite=overwrite)
    except OSError:
        with suppress(OSError):
            folder.remove(beside)
        raise


def _claim(folder: Folder, name: str) -> int:
    """The locked file beside, as soon as no other run writes it. Raises Busy if that takes too long."""
    found = folder.status(f"{name}.part")
    if found and (not stat.S_ISREG(found.st_mode) or found.st_nlink > 1):
        folder.remove(f"{name}.part")
    deadline = time.monotonic() + _PATIENCE
    while (fd := open_locked(folder, name)) is None:
        if time.monotonic() > deadline:
            raise busy(folder.path / name)
        time.sleep(_POLL)
    return fd
