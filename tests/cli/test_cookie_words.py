"""Cookies given where something else is meant: their values are never repeated."""

from __future__ import annotations

import pytest

from dyvine_cli.simulator.world import World
from tests.cli.conftest import Program

SEKRIT = "SEKRIT0a1b2c3d4e5f6071"
HEADER = f"sessionid={SEKRIT}; ttwid=1"
LONG = f"sessionid={SEKRIT}; " + "; ".join(f"name{number}={SEKRIT}" for number in range(200))
WORDS = {
    "header as file": ["post", World.SMALL, "--cookies", HEADER],
    "long header as file": ["post", World.SMALL, "--cookies", LONG],
    "one pair as file": ["post", World.SMALL, "--cookies", f"sessionid={SEKRIT}"],
    "value as file": ["post", World.SMALL, "--cookies", SEKRIT],
    "value to add": ["login", "add", SEKRIT],
    "long value to add": ["login", "add", SEKRIT * 20],
    "value with a tilde to add": ["login", "add", f"~{SEKRIT}"],
    "header without its verb": ["login", HEADER],
    "value without its verb": ["login", SEKRIT],
    "header without its noun": [HEADER],
    "header after a verb that takes none": ["config", "show", HEADER],
}


@pytest.mark.parametrize("words", WORDS.values(), ids=list(WORDS))
def test_cookies_in_the_wrong_place_are_not_repeated(dyvine: Program, words: list[str]) -> None:
    """One error with what to do instead."""
    done = dyvine.inside(*words)

    assert done.code == 2, done.err
    assert SEKRIT not in done.out + done.err
    assert "Traceback" not in done.err
    assert len(done.complaints()) == 1
    assert "login add" in done.err


@pytest.mark.parametrize("command", [["config", "show"], ["config", "check"], ["post", World.SMALL]])
@pytest.mark.parametrize("value", [HEADER, SEKRIT, f"Cookie: {HEADER}"], ids=["header", "value", "named"])
@pytest.mark.parametrize("place", ["environment", "file"])
def test_cookies_as_a_setting_for_a_file_are_not_shown(
    dyvine: Program, command: list[str], value: str, place: str
) -> None:
    """Neither by `config show` nor in the error, whether they come from the environment or the file."""
    file = dyvine.home.parent / "config.toml"
    file.write_text(f'cookies = "{value}"\n' if place == "file" else "")
    done = dyvine.inside(
        "--config", file, *command, env={"DYVINE_COOKIES": value if place == "environment" else ""}
    )

    assert done.code == 2
    assert SEKRIT not in done.out + done.err
    assert "DOUYIN_COOKIE" in done.err


def test_a_file_whose_name_looks_like_a_header_is_read(dyvine: Program) -> None:
    """What stands there is a file."""
    jar = dyvine.work / "a=b; c=d"
    jar.write_text(f"sessionid={SEKRIT}; sid_guard=1; ttwid=2; UIFID=3")
    done = dyvine.inside("config", "show", "--cookies", jar.name)

    assert done.code == 0
    assert SEKRIT not in done.out + done.err
