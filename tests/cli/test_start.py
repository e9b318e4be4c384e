"""Starting up: what each command loads, and what it does not."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "rich",
    "httpx",
    "httpcore",
    "sqlite3",
    "asyncio",
    "tenacity",
    "platformdirs",
    "tomlkit",
    "pydantic",
    "click",
    "dyvine_cli.models",
    "dyvine_cli.links",
)

PROBE = """
import sys
from dyvine_cli.__main__ import main
sys.argv = ["dyvine", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
sys.stderr.write(" ".join(sys.modules))
"""


def loaded(*arguments: str) -> set[str]:
    """The modules that a command line loads."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


def test_the_version_loads_nothing() -> None:
    """`--version` is answered before typer is loaded."""
    found = loaded("--version")

    assert "typer" not in found
    assert not found.intersection(HEAVY)
    assert "dyvine_cli.errors" not in found


@pytest.mark.parametrize(
    "arguments", [["--help"], ["post", "--help"], ["user", "posts", "--help"]], ids=" ".join
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """Help needs neither the network nor the archive nor a drawing library, and only the noun it is about."""
    found = loaded(*arguments)

    assert not found.intersection(HEAVY)
    assert not {name for name in found if name.startswith(("dyvine_cli.sites", "dyvine_cli.archive"))}
    assert "dyvine_cli.cli.login" not in found
