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


def loaded(*arguments: str, env: Mapping[str, str] | None = None, probe: str = PROBE) -> set[str]:
    """The modules that a command line loads, as `probe` tells them."""
    done = subprocess.run(
        [sys.executable, "-c", probe, *arguments], capture_output=True, text=True, check=True, env=env
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


QUESTION = """
import sys
asked = []
sys.addaudithook(lambda event, _: asked or event != "socket.connect" or asked.extend(sys.modules))
""" + PROBE.replace("sys.modules", "asked")
"""Tells what was loaded when the first request left."""


@pytest.mark.parametrize(
    ("post", "own", "other"),
    [
        pytest.param(f"douyin:post:{World.SMALL}", "douyin", "tiktok", id="douyin"),
        pytest.param(f"tiktok:post:{TiktokWorld.SMALL}", "tiktok", "douyin", id="tiktok"),
    ],
)
def test_a_post_is_asked_for_before_anything_else_is_loaded(
    dyvine: Program, post: str, own: str, other: str
) -> None:
    """Of the other site only what its links mean is known; what signs, lists and tries again comes when needed."""
    found = loaded("-q", "post", post, "-P", str(dyvine.work), env=dyvine.environment, probe=QUESTION)
    rooms = {name.rpartition(".")[2] for name in found if name.startswith(f"dyvine_cli.sites.{other}.")}

    assert len(dyvine.files) == 1
    assert f"dyvine_cli.sites.{own}.api" in found
    assert rooms == {"urls"}
    assert found.isdisjoint(
        {
            f"dyvine_cli.sites.{own}.sign",
            f"dyvine_cli.sites.{own}.replay",
            "dyvine_cli.archive.holdings",
            "dyvine_cli.operations.accounts",
            "dyvine_cli.sidecar",
            "tenacity",
            "rich",
        }
    )


def test_what_is_only_shown_loads_nothing_that_fetches(dyvine: Program) -> None:
    """An account is shown without the engine."""
    found = loaded("user", "info", f"douyin:user:{World.OPEN}", env=dyvine.environment)

    assert "dyvine_cli.client" in found
    assert "dyvine_cli.transfer.engine" not in found
