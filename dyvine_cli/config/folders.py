"""Where dyvine keeps its files, and the first config file."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dyvine_cli.errors import ConfigError, DiskFull, NotWritable
from dyvine_cli.quantities import quoted

FILE_NAME = "config.toml"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where dyvine keeps its own files; none of them is made before something is written."""

    config: Path
    state: Path
    cache: Path


def locate(env: Mapping[str, str]) -> Folders:
    """The folders of this system and environment.

    `DYVINE_HOME` holds all three: `config.toml` in itself, `state` and `cache` below. XDG variables count on macOS, too;
    where they are not set platformdirs knows the system's places. Raises ConfigError for a relative `DYVINE_HOME`.
    """
    if home := env.get("DYVINE_HOME", "").strip():
        try:
            top = Path(home).expanduser()
        except RuntimeError:
            top = Path()
        if not top.is_absolute():
            raise ConfigError(f"DYVINE_HOME: {quoted(home)} is not absolute", hint="give it from / or ~ on")
        return Folders(top, top / "state", top / "cache")
    return Folders(
        _folder(env, "XDG_CONFIG_HOME", ".config", "user_config_path"),
        _folder(env, "XDG_STATE_HOME", ".local/state", "user_state_path"),
        _folder(env, "XDG_CACHE_HOME", ".cache", "user_cache_path"),
    )


def _folder(env: Mapping[str, str], variable: str, usual: str, system: str) -> Path:
    """One folder: the XDG variable (ignored if relative, as its specification says), else the system's place."""
    named = Path(env.get(variable, "").strip())
    if named.is_absolute() and sys.platform != "win32":
        return named / "dyvine"
    if sys.platform in ("win32", "darwin"):
        import platformdirs

        found: Path = getattr(platformdirs, system)("dyvine", appauthor=False)
        return found
    # What platformdirs answers here, without the 30 ms of its import.
    return Path(env.get("HOME") or Path.home()) / usual / "dyvine"


def find(env: Mapping[str, str], named: Path | None = None) -> Path | None:
    """The config file of a run: the one named by `--config`, by `DYVINE_CONFIG`, or the usual one if it is there.

    A named file is returned whether it exists or not, so that `load` can say so.
    """
    if named is not None:
        return named.expanduser()
    if variable := env.get("DYVINE_CONFIG", "").strip():
        return Path(variable).expanduser()
    usual = locate(env).config / FILE_NAME
    return usual if usual.exists() else None


def example() -> str:
    """The text of `config.example.toml`: every setting with its default, commented out."""
    from importlib.resources import files

    return files("dyvine_cli").joinpath("config.example.toml").read_text("utf-8")


def write_fresh(path: Path, *, downloads: Path) -> None:
    """Write the example to `path` with `downloads`, an absolute folder, as the place for downloads.

    Written beside, flushed, then put in place. Raises ConfigError if something is there already, NotWritable, DiskFull.
    """
    import tomli_w

    if not downloads.is_absolute():
        raise ConfigError(
            f"{quoted(downloads)} is not absolute", hint="name the folder for downloads from / on"
        )
    line = tomli_w.dumps({"path": str(downloads)}).rstrip("\n")
    text = re.sub(r"^# path = .*$", lambda _: line, example(), count=1, flags=re.MULTILINE)
    with writing(path):
        try:
            if not path.parent.is_dir():
                path.parent.mkdir(mode=0o700, parents=True)
            _put(path, text.encode())
        except FileExistsError:
            if not path.parent.is_dir():
                raise NotWritable(f"{path}: a file stands where its folder should be") from None
            raise ConfigError(f"{path} is already there", hint="edit it, or move it away first") from None


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the system says when a config file cannot be written into DiskFull or NotWritable."""
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"{path}: no space left") from exc
        raise NotWritable(
            f"{path}: {exc.strerror}", hint="check the owner and permissions of its folder"
        ) from exc


def _put(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 whole or not at all, never over another one (FileExistsError)."""
    if path.is_symlink() or path.exists():
        raise FileExistsError
    with beside(path, data) as made:
        _rename_new(made, path)


@contextmanager
def beside(path: Path, data: bytes, like: os.stat_result | None = None) -> Iterator[Path]:
    """A flushed file beside `path`, of its mode and owner if `like` is its state, else for its owner only; gone at the end."""
    made = path.with_name(f".{path.name}.{os.urandom(8).hex()}.new")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if like is not None and sys.platform != "win32":
                with suppress(OSError):  # only root may give files away
                    os.fchown(file.fileno(), like.st_uid, like.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(like.st_mode))
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield made
    finally:
        with suppress(OSError):
            made.unlink()


def _rename_new(made: Path, path: Path) -> None:
    """Give a file its name unless that is taken; where hard links are missing a moment stays between look and rename."""
    try:
        path.hardlink_to(made)
    except FileExistsError:
        raise
    except OSError:
        made.rename(path)
