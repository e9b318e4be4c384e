"""Starting up: what each command loads, and what it does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import pytest

from dyvine_cli.simulator.tiktok_world import TiktokWorld
from dyvine_cli.simulator.world import World
from tests.cli.conftest import Program

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


def loaded(*arguments: str, env: Mapping[str, str] | None = None) -> set[str]:
    """The modules that a command line loads."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=True, env=env
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


@pytest.mark.parametrize(
    ("post", "other"),
    [
        pytest.param(f"douyin:post:{World.SMALL}", "tiktok", id="douyin"),
        pytest.param(f"tiktok:post:{TiktokWorld.SMALL}", "douyin", id="tiktok"),
    ],
)
def test_a_post_loads_the_rooms_of_its_own_site_only(dyvine: Program, post: str, other: str) -> None:
    """Of the site that is not asked only what its links mean is known."""
    found = loaded("-q", "post", post, "-P", str(dyvine.work), env=dyvine.environment)
    rooms = {name.rpartition(".")[2] for name in found if name.startswith(f"dyvine_cli.sites.{other}.")}

    assert len(dyvine.files) == 1
    assert rooms == {"urls"}
