"""A folder below the person's own one, held open: no link on the way or at a name is followed, nothing is clobbered."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from dyvine_cli.errors import DiskError, DiskFull, NotWritable

AT_FOLDER = os.open in os.supports_dir_fd and os.link in os.supports_dir_fd
"""Whether names are looked up in an open folder; Windows knows paths only."""

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_PLAIN = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
"""Bytes as they are, closed in child processes, and no waiting for the other end of a planted pipe."""

_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES}
_CURES = {
    errno.EACCES: "give yourself the right to write there, or choose another folder with -P",
    errno.EPERM: "give yourself the right to write there, or choose another folder with -P",
    errno.EROFS: "the volume is read-only: choose another folder with -P",
    errno.ENOTDIR: "a file stands where a folder is needed: move it away or choose another folder with -P",
    errno.EISDIR: "a folder stands where the file should go: move it away",
    errno.EEXIST: "move it away, or use --overwrite",
    errno.ELOOP: "a symbolic link stands there and is not followed: remove it, or name its destination with -P",
    errno.ENAMETOOLONG: "shorten the template with -o, or choose a folder with a shorter path with -P",
    errno.EFBIG: "the volume takes no file of that size: choose another folder with -P",
    errno.EINVAL: "the volume does not take this name: choose another template with -o",
}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system says while `path` is written into DiskFull, NotWritable or DiskError."""
    try:
        yield
    except OSError as exc:
        raise disk_error(exc, path) from exc


def disk_error(exc: OSError, path: Path) -> DiskError:
    """Our error for one of the system's."""
    if exc.errno in {errno.ENOSPC, errno.EDQUOT}:
        what = "no space" if exc.errno == errno.ENOSPC else "no quota"
        return DiskFull(
            f"{what} left for {path}",
            hint="make room and run the same command again: it goes on where it stopped",
        )
    reason = (exc.strerror or str(exc)).lower()
    if exc.errno in _CURES:
        return NotWritable(f"cannot write {path}: {reason}", hint=_CURES[exc.errno])
    return DiskError(f"cannot write {path}: {reason}")


class Folder:
    """One open folder. Its methods take plain names and raise OSError."""

    def __init__(self, path: Path, fd: int | None, made: int = 0) -> None:
        self.path = path
        self.made = made  # how many of the last folders of `path` did not exist before
        self._fd = fd

    @classmethod
    def open(cls, path: Path, root: Path, *, create: bool = True) -> Folder:
        """Open the folder `path`, which is `root` or lies below it; missing ones are made.

        `root` is the person's word and may be or contain a link; below it a link raises OSError (ELOOP or ENOTDIR).
        Raises NotWritable for a path that leads out of it.
        """
        root = root.absolute()
        below = _below(path.absolute(), root)
        if create:
            _make_root(root)
        return cls._walk(root, below, create) if AT_FOLDER else cls._check(root, below, create)

    @classmethod
    def _walk(cls, root: Path, below: tuple[str, ...], create: bool) -> Folder:
        folder = cls(root, os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        for name in below:
            try:
                inner = folder._enter(name, create)
            finally:
                folder.close()
            folder = inner
        return folder

    def _enter(self, name: str, create: bool) -> Folder:
        made = create and self._make(name)
        self._refuse_link(name)
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | _NO_FOLLOW
        return Folder(
            self.path / name, os.open(name, flags, dir_fd=self._fd), self.made + made if made else 0
        )

    def _make(self, name: str) -> bool:
        try:
            os.mkdir(self._name(name), dir_fd=self._fd)
        except FileExistsError:
            return False
        self.flush()
        return True

    @classmethod
    def _check(cls, root: Path, below: tuple[str, ...], create: bool) -> Folder:
        folder = cls(root, None)
        for name in below:
            made = create and folder._make(name)
            folder._refuse_link(name)
            folder = cls(folder.path / name, None, folder.made + made if made else 0)
        return folder

    def _refuse_link(self, name: str) -> None:
        found = self.status(name)
        if found and _is_link(found):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(self.path / name))

    def open_file(self, name: str, flags: int) -> int:
        """A descriptor of a file here, which never is what a link of that name leads to."""
        if not _NO_FOLLOW:
            self._refuse_link(name)
        return os.open(self._name(name), flags | _NO_FOLLOW | _PLAIN, 0o666, dir_fd=self._fd)

    def status(self, name: str) -> os.stat_result | None:
        """What stands under a name, links themselves included; None if nothing does."""
        try:
            return os.stat(self._name(name), dir_fd=self._fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(self._name(name), dir_fd=self._fd)

    def remove_folder(self, name: str) -> None:
        """Remove an empty folder."""
        os.rmdir(self._name(name), dir_fd=self._fd)

    def rename(self, name: str, to: str, *, overwrite: bool) -> None:
        """Give a file its final name, at once or not at all; raises FileExistsError unless `overwrite`.

        Where the volume has no hard links the check and the rename are two steps.
        """
        if overwrite:
            os.replace(self._name(name), self._name(to), src_dir_fd=self._fd, dst_dir_fd=self._fd)
        elif AT_FOLDER:
            self._link(name, to)
        else:
            Path(self._name(name)).rename(self._name(to))  # refuses an existing name on Windows

    def _link(self, name: str, to: str) -> None:
        try:
            os.link(name, to, src_dir_fd=self._fd, dst_dir_fd=self._fd, follow_symlinks=False)
        except OSError as exc:
            if exc.errno not in _NO_HARD_LINKS:
                raise
            self._rename_if_free(name, to)
        else:
            self.remove(name)

    def _rename_if_free(self, name: str, to: str) -> None:
        if self.status(to):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self.path / to))
        os.rename(name, to, src_dir_fd=self._fd, dst_dir_fd=self._fd)

    def flush(self) -> None:
        """Put the names themselves on the disk; a volume that cannot do it for folders is let be."""
        if self._fd is not None:
            with suppress(OSError):
                os.fsync(self._fd)

    @property
    def identity(self) -> tuple[int, int] | None:
        """Volume and number, the same for every way to it; None where folders are not held open."""
        if self._fd is None:
            return None
        found = os.fstat(self._fd)
        return found.st_dev, found.st_ino

    def duplicate(self) -> int:
        """Another descriptor of it, for the caller to close; only where `identity` is not None."""
        assert self._fd is not None
        return os.dup(self._fd)

    def close(self) -> None:
        """Let go of the folder."""
        if self._fd is not None:
            os.close(self._fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _name(self, name: str) -> str:
        return name if self._fd is not None else str(self.path / name)


def remove_made(folder: Folder, root: Path) -> None:
    """Remove the folders that were made for `folder`, as far as they are empty."""
    path = folder.path
    for _ in range(folder.made):
        try:
            with Folder.open(path.parent, root, create=False) as above:
                above.remove_folder(path.name)
        except OSError:
            return
        path = path.parent


def _make_root(root: Path) -> None:
    """Make the person's own folder. Raises NotWritable for a file of that name, OSError."""
    try:
        root.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotWritable(f"{root} is a file, not a folder", hint=_CURES[errno.ENOTDIR]) from None


def _below(path: Path, root: Path) -> tuple[str, ...]:
    """The names that lead from `root` to `path`; both are absolute."""
    names = path.relative_to(root).parts if path.is_relative_to(root) else ("..",)
    if ".." in names:
        raise NotWritable(f"{path} lies outside of {root}", hint="choose another template with -o")
    return names


def _is_link(found: os.stat_result) -> bool:
    """A symbolic link, or a junction of Windows."""
    reparse = getattr(found, "st_file_attributes", 0) & getattr(stat, "FILE_ATTRIBUTE_REPARSE_POINT", 0)
    return stat.S_ISLNK(found.st_mode) or bool(reparse)


MOST_FOLDERS = 64
"""Folders that wait for their flush at most."""


class Changed:
    """Folders in which names were changed and not flushed yet, each once. Each keeps a descriptor open."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], int] = {}

    def add(self, folder: Folder) -> None:
        """Flush this one, too; it may be closed meanwhile."""
        if folder.identity is not None and folder.identity not in self._kept:
            self._kept[folder.identity] = folder.duplicate()

    @property
    def is_many(self) -> bool:
        """Whether it is time to flush, for the sake of the descriptors."""
        return len(self._kept) >= MOST_FOLDERS

    def flush(self) -> None:
        """Put the names on the disk. Blocks."""
        while self._kept:
            _, descriptor = self._kept.popitem()
            with suppress(OSError):  # as in `Folder.flush`
                os.fsync(descriptor)
            os.close(descriptor)
