"""Imports go one way: the parts that speak to a platform, move bytes, remember and talk to a person stay apart."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import dyvine_cli

PACKAGE = Path(dyvine_cli.__file__).parent

FACTS = {"models", "errors", "events", "_version"}
"""What everyone may know."""

ALLOWED = {
    # the way down: a person's wish, the operation, the site and its answers, bytes, memory
    "__main__": {"cli"},
    "cli": {"operations", "config", "naming", "encode", "cookies", "links", "redact", "match"},
    "config": {"redact", "quantities", "match", "naming", "lock"},
    "operations": {"client", "sites", "http", "identity", "transfer", "archive", "config"}
    | {"naming", "sidecar", "captions", "encode", "match", "cookies", "links", "listing", "redact"}
    | {"browsers", "budget", "lock", "rests"},
    "client": {"sites", "http", "identity", "budget", "cookies", "links", "listing", "redact"},
    "sites/*": {"sites", "http", "identity"},
    "sites": {"http", "identity"},
    "http": {"budget", "identity", "cookies", "redact", "rests"},
    "transfer": {"http", "lock"},
    "archive": set(),
    # stores and pure rooms
    "identity": {"cookies"},
    "budget": {"ledger"},
    "ledger": {"lock"},
    "rests": {"lock"},
    "lock": set(),
    "redact": set(),
    "cookies": set(),
    "browsers": {"cookies"},
    "links": set(),
    "listing": set(),
    "naming": set(),
    "quantities": set(),
    "match": {"quantities"},
    "sidecar": {"encode"},
    "captions": set(),
    "encode": set(),
    # the stand-in knows the platforms, not us; so a wrong idea of ours cannot cancel itself out
    "simulator": set(),
}
"""Room to the rooms it may import from, besides the facts and itself. `sites/*` is any one site."""

ONLY_IN = {
    ("operations", "config"): {"operations/workspace.py", "operations/sync/sources.py"},
    ("operations", "sites"): {"operations/workspace.py"},
    ("operations", "browsers"): {"operations/workspace.py"},
    ("operations", "budget"): {"operations/workspace.py"},
    ("cli", "naming"): {"cli/output/lines.py"},
    ("cli", "cookies"): {"cli/login.py"},
    ("cli", "links"): {"cli/grammar.py"},
}
"""Imports that one or two files of a room may make and the others may not."""

DOORS = {
    "typer": {"cli"},
    "rich": {"cli"},
    "httpcore": {"http"},
    "sqlite3": {"archive", "browsers"},
    "h11": {"simulator"},
    "regex": {"match"},
    "apprise": {"operations"},
}
"""Foreign packages to the rooms that may use them."""

FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py" or path.parent != PACKAGE)


def room(parts: tuple[str, ...]) -> str:
    """The room that a module's name or a file's path below the package belongs to."""
    if parts[0] == "sites" and len(parts) > 1 and (PACKAGE / "sites" / parts[1]).is_dir():
        return f"sites/{parts[1]}"
    return parts[0]


def imported(path: Path) -> Iterator[str]:
    """The full names of the modules, or of names in them, that a file imports anywhere."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are written in full"
            yield from (f"{node.module}.{each.name}" for each in node.names)


def home(path: Path) -> tuple[str, str]:
    """A file's place below the package and its room."""
    place = path.relative_to(PACKAGE)
    return place.as_posix(), room(place.with_suffix("").parts)


def own(path: Path) -> set[str]:
    """The rooms of this package that a file imports from, besides its own and the facts."""
    names = [tuple(name.split(".")) for name in imported(path) if name.startswith("dyvine_cli.")]
    return {room(parts[1:]) for parts in names} - FACTS - {home(path)[1], "__version__"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_imports_only_what_its_room_may_know(path: Path) -> None:
    """Every import inside the package goes in a direction that the table allows."""
    place, where = home(path)
    if where in FACTS:
        assert own(path) == set(), "a fact knows no room"
        return
    sites_below = {each for each in own(path) if each.startswith("sites/")}
    below = own(path) - sites_below
    if sites_below:
        assert where in ("client", "sites"), f"{place} knows a single site"
    allowed = ALLOWED["sites/*" if where.startswith("sites/") else where]
    closed = {to for to in below if place not in ONLY_IN.get((where, to), {place})}

    assert below <= allowed
    assert not closed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_foreign_package_is_used_at_one_door(path: Path) -> None:
    """A library that could be exchanged is known in one room only."""
    used = {name.split(".")[0] for name in imported(path)} & DOORS.keys()

    assert {name for name in used if home(path)[1] not in DOORS[name]} == set()


def test_every_room_stands_in_the_table() -> None:
    """A new file or folder of the package has to say where it belongs."""
    rooms = {home(path)[1] for path in FILES}

    assert {"sites/*" if each.startswith("sites/") else each for each in rooms} - FACTS <= ALLOWED.keys()


def test_the_library_does_not_load_the_command_line() -> None:
    """`from dyvine_cli import Client` works without Typer, rich and our own command line."""
    asked = "import sys; from dyvine_cli import Client; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "dyvine_cli.client" in loaded
    assert {"typer", "rich", "click", "dyvine_cli.cli", "dyvine_cli.operations"}.isdisjoint(loaded)


def test_the_version_loads_nothing_heavy() -> None:
    """`dyvine --version` is answered before anything of ours but the version is imported."""
    asked = "import sys; sys.argv[1:] = ['--version']; from dyvine_cli.__main__ import main; main(); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    ).stdout.split()

    assert {name for name in loaded if name.startswith("dyvine_cli.")} == {
        "dyvine_cli.__main__",
        "dyvine_cli._version",
    }
    assert {"typer", "rich", "httpcore", "asyncio"}.isdisjoint(loaded)
