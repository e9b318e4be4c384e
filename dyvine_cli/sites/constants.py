"""A site's signing constants: TOML that comes with the program, and a person's file over it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dyvine_cli.errors import ConfigError


def tables(ours: Path, own: Path | None = None) -> dict[str, Any]:
    """The tables of `ours` with the values of the TOML file `own` in their place; lists become tuples.

    Raises ConfigError naming the key for one that does not exist or has another type.
    """
    merged = _read(ours)
    if own is not None:
        merged = _replaced(merged, _read(own), str(own))
    return {name: _frozen(table) for name, table in merged.items()}


def check_alphabet(name: str, digits: str, where: str) -> None:
    """Raise ConfigError unless `digits` can be the 64 digits of a base64."""
    if len(set(digits)) != 64 or len(digits) != 64 or not digits.isascii():
        raise ConfigError(f"{where}: alphabets: {name}: must be 64 different ASCII characters")


@contextmanager
def trying(where: str) -> Iterator[None]:
    """Turn what fails in the middle of a trial signature into ConfigError."""
    try:
        yield
    except (ArithmeticError, LookupError, StopIteration, TypeError, ValueError) as exc:
        raise ConfigError(f"{where}: these constants cannot be signed with: {exc!r}") from exc


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as exc:
        raise ConfigError(f"{path}: the signing constants cannot be read: {exc}") from exc


def _replaced(ours: Mapping[str, Any], theirs: Mapping[str, Any], where: str) -> dict[str, Any]:
    """`ours` with the values of `theirs`, which may add no key and change no type."""
    merged = dict(ours)
    for key, value in theirs.items():
        place = f"{where}: {key}"
        if key not in ours:
            raise ConfigError(f"{place}: no such signing constant", hint=f"known here: {', '.join(ours)}")
        if not _alike(ours[key], value):
            raise ConfigError(f"{place}: must be written like {ours[key]!r}")
        merged[key] = _replaced(ours[key], value, place) if isinstance(value, dict) else value
    return merged


def _alike(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, list) and isinstance(theirs, list):
        return not ours or (bool(theirs) and all(_alike(ours[0], value) for value in theirs))
    return type(ours) is type(theirs)


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _frozen(inner) for key, inner in value.items()}
    return tuple(_frozen(inner) for inner in value) if isinstance(value, list) else value
