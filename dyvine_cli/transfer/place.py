"""Small files of our own making, put in place whole: beside, flushed, renamed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from dyvine_cli.transfer.engine import Fetched
from dyvine_cli.transfer.folder import Folder, writing

_LARGEST = 64 * 1024 * 1024
"""Bytes of a file in the way that are looked at; ours are far smaller."""


def place(
    path: Path, data: bytes, *, root: Path, is_ours: Callable[[bytes], bool] | None = None
) -> Fetched | None:
    """Write `data` to `path` at or below `root`; no link is followed, on the way or in its place.

    What stands there under that name is replaced if its content is `data` already or `is_ours`, otherwise left alone
    and None returned; `is_ours` None replaces whatever it is. Raises DiskFull, NotWritable, DiskError.
    """
    beside = f"{path.name}.part"
    with writing(path), Folder.open(path.parent, root) as folder:
        stands = folder.status(path.name) is not None
        if stands and is_ours is not None and not _gives_way(folder, path.name, data, is_ours):
            return None
        folder.remove(beside)
        try:
            _write(folder, beside, data)
            folder.rename(beside, path.name, overwrite=stands or is_ours is None)
        except FileExistsError:  # it came in between
            folder.remove(beside)
            return None
        except OSError:
            with suppress(OSError):
                folder.remove(beside)
            raise
    return Fetched(path=path, size=len(data), sha256=sha256(data).hexdigest(), ext=path.suffix.lstrip("."))


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


def _write(folder: Folder, name: str, data: bytes) -> None:
    with os.fdopen(folder.open_file(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
