"""Small files of our own making, put in place whole: beside, flushed, renamed."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from dyvine_cli.transfer.engine import Fetched
from dyvine_cli.transfer.folder import Folder, writing


def place(path: Path, data: bytes, *, root: Path) -> Fetched:
    """Write `data` to `path` at or below `root`, replacing a file of that name; no link on the way is followed.

    Raises DiskFull, NotWritable, DiskError.
    """
    beside = f"{path.name}.part"
    with writing(path), Folder.open(path.parent, root) as folder:
        folder.remove(beside)
        try:
            _write(folder, beside, data)
            folder.rename(beside, path.name, overwrite=True)
        except OSError:
            with suppress(OSError):
                folder.remove(beside)
            raise
    return Fetched(path=path, size=len(data), sha256=sha256(data).hexdigest(), ext=path.suffix.lstrip("."))


def _write(folder: Folder, name: str, data: bytes) -> None:
    with os.fdopen(folder.open_file(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
