"""Every option that has a value, of every command, with a value that cannot be: what is told, and that nothing is begun."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.cli.grammar import NOUNS, load
from tests.cli.conftest import Program

POST = "douyin:post:7691173170486214656"

WRONG: dict[str, dict[str, str]] = {
    # option: a value that cannot be, and part of what the cure says
    "--batch-file": {"nope.txt": "one link a line", ".": "one link a line", "": "one link a line"},
    "--bundle": {".": "name a file", "no/such/folder/x": "make it first", "": "name a file"},
    "--ca-file": {"nope.pem": "PEM", "": "name a file"},
    "--codec": {"h266": "did you mean", "": "any, h264 or h265"},
    "--config": {"nope.toml": "config init", ".": "TOML file", "": "name a file"},
    "--connect-to": {"nonsense": "for example", "": "not empty"},
    "--convert-subs": {"vtt": "none or srt", "": "none or srt"},
    "--cookies": {"nope.txt": "login add", "": "name a file"},
    "--cookies-from-browser": {"netscape": "firefox, chromium", "": "not empty"},
    "--depth": {"deep": "all or newest", "": "all or newest"},
    "--every": {"seldom": "6h", "": "6h"},
    "--exec": {"'": "quotes", "sh -c 'echo {title}'": "as an argument of its own", "": "not empty"},
    "--from-export": {"nope.json": "user_data_tiktok.json", "": "name a file"},
    "--jobs": {"x": "from 1 to 64", "65": "from 1 to 64", "": "from 1 to 64"},
    "--kind": {"vidoe": "video", "": "video"},
    "--limit": {"x": "a whole number", "0": "a whole number", "": "a whole number"},
    "--limit-rate": {"fast": "500K, 2M", "": "500K, 2M"},
    "--match": {"lieks > 1": "did you mean likes?", "likes >": "such as", "likes > many": "10K", "": "not empty"},
    "--max-filesize": {"big": "500K, 2M", "": "500K, 2M"},
    "--max-height": {"x": "a whole number", "": "a whole number"},
    "--name": {"": "not empty"},
    "--output": {"{foo}": "fields: site, user", "{id": "write {{", "../{id}": "downwards", "": "not empty"},
    "--pace": {"norml": "did you mean 'normal'?", "": "slow, normal, fast or off"},
    "--parallel": {"x": "from 1 to 64", "65": "from 1 to 64", "": "from 1 to 64"},
    "--path": {"": "name a file or folder"},
    "--print": {"{foo}": "path", "": "path"},
    "--profile": {"nobody": "login add", "": "write a name"},
    "--proxy": {"foo": "http://host:port", "gopher://x": "socks5://host:port", "": "not empty"},
    "--quality": {"hd": "best, worst, original", "": "best, worst, original"},
    "--replay": {"nope": "--bundle FILE", "": "name a file"},
    "--retries": {"-1": "from 0 to 100", "x": "from 0 to 100", "": "from 0 to 100"},
    "--section": {"like": "likes, favorites", "": "likes, favorites"},
    "--segments": {"0": "from 1 to 16", "": "from 1 to 16"},
    "--since": {"someday": "today-2weeks", "2026-02-30": "a day that there is", "": "today-2weeks"},
    "--site": {"youtube": "douyin or tiktok", "": "douyin or tiktok"},
    "--tag": {"a b": "one word", "": "--tag friends"},
    "--until": {"someday": "today-2weeks", "": "today-2weeks"},
}  # fmt: skip

WITH = {"--from-export": ["--section", "likes"], "--section": ["--from-export", "x.json"]}
"""What an option is nothing without."""

FINE = {
    ("config init", "--config"): ("nope.toml", "."),  # the file to write
    ("config path", "--config"): ("nope.toml", "."),  # where it would be
    ("sync add", "--print"): ("{foo}", ""),  # is for one run, whatever it says
    ("sync add", "--exec"): ("sh -c 'echo {title}'",),
    ("sync add", "--config"): ("nope.toml",),  # would be made, and says what it needs for that
    ("sync add", "--profile"): ("nobody",),  # may be added later
    ("login add", "--profile"): ("nobody",),  # the name of the new one
    ("login add", "--cookies"): ("nope.txt",),  # FILE, by another name
    ("config show", "--profile"): ("nobody",),  # only shown
    ("config show", "--cookies"): ("nope.txt",),
    ("config show", "--ca-file"): ("nope.pem",),
    ("config show", "--connect-to"): ("nonsense",),
    ("config show", "--exec"): ("sh -c 'echo {title}'",),
    ("config show", "--print"): ("{foo}", ""),
    ("doctor", "--ca-file"): ("nope.pem",),  # a stage of its own tells it
}
"""Values that mean something to one command."""


def commands() -> Iterator[tuple[str, Any]]:
    """Every noun with each of its verbs."""
    for noun in NOUNS:
        command = load(noun)
        for verb, each in getattr(command, "commands", {"": command}).items():
            yield f"{noun} {verb}".rstrip(), each


def valued(command: Any) -> list[str]:
    """The long names of the options that have a value."""
    return [
        next(name for name in each.opts if name.startswith("--"))
        for each in command.params
        if each.param_type_name == "option" and not each.is_flag and not each.count
    ]


def words_of(command: str, option: str) -> list[str]:
    """What a call of the command needs besides."""
    if command == "login add":
        return [] if option.startswith("--cookies") else ["sessionid=1"]
    if command == "sync remove":
        return ["courtyard"]
    bare = ("login", "config", "demo", "sync run", "sync retry", "archive stats")
    return [] if command.startswith(bare) else [POST]


COMMANDS = dict(commands())
FIRST = {option: command for command, each in reversed(COMMANDS.items()) for option in valued(each)}
"""The first command that has an option."""


@pytest.mark.parametrize("option", FIRST)
def test_a_value_that_cannot_be_is_told_before_anything_is_begun(dyvine: Program, option: str) -> None:
    """One line that names the option, one that says what it takes; exit status 2; nothing on stdout, nothing on disk."""
    need_told(dyvine, FIRST[option], option)


@pytest.mark.slow
@pytest.mark.parametrize("command", [name for name, each in COMMANDS.items() if valued(each)])
def test_every_command_tells_it_alike(dyvine: Program, command: str) -> None:
    """As above, for each option of each command."""
    for option in valued(COMMANDS[command]):
        need_told(dyvine, command, option)


def need_told(dyvine: Program, command: str, option: str) -> None:
    """The assertions for every wrong value of an option."""
    if command.startswith("sync") and not dyvine.home.exists():
        dyvine.home.mkdir()
        source = '[[source]]\nurl = "@twelve.months"\nname = "courtyard"\n'
        (dyvine.home / "config.toml").write_text(f'path = "{dyvine.work}/videos"\n{source}')
    before = on_disk(dyvine)
    for value in WRONG[option].keys() - set(FINE.get((command, option), ())):
        arguments = [*command.split(), option, value, *WITH.get(option, ()), *words_of(command, option)]
        done = dyvine.inside(*arguments)
        row = f"{arguments}: {done.err}"

        assert done.code == 2, row
        assert len(done.complaints()) == len(done.complaints("hint")) == 1, row
        assert option in done.err, row
        assert WRONG[option][value] in done.complaints("hint")[0], row
        assert "Traceback" not in done.err, row
        assert done.out == "", row
        assert on_disk(dyvine) == before, row


def on_disk(dyvine: Program) -> set[Path]:
    """What stands in the home and in the folder, but for the lock that two syncs share."""
    return {each for each in dyvine.home.parent.rglob("*") if each.name not in ("home", "state", "sync.lock")}
