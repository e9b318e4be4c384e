"""What runs dyvine for a person: the container's entry point, compose file, systemd units."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dyvine_cli.cli.app import parse
from dyvine_cli.cli.call import Call

ROOT = Path(__file__).parent.parent
ENTRY = ROOT / "packaging" / "entrypoint.sh"
NOBODY = "65534"


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other users may enter, with a `dyvine` that tells who runs it, with what, and an empty `/data`."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        place.chmod(0o755)
        program = place / "dyvine"
        program.write_text('#!/bin/sh\necho "$(id -u):$(id -g) $HOME $*"\n', encoding="utf-8")
        program.chmod(0o755)
        copy = place / "entrypoint"
        copy.write_bytes(ENTRY.read_bytes())
        copy.chmod(0o755)
        (place / "data").mkdir()
        yield place


def enter(place: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Start the entry point as the container would."""
    env = {"PATH": f"{place}:{os.environ['PATH']}", "DYVINE_HOME": str(place / "data"), **variables}
    return subprocess.run(
        [place / "entrypoint", *words], env=env, capture_output=True, text=True, cwd=place / "data"
    )


def test_the_entry_point_never_runs_as_root(place: Path) -> None:
    """Root becomes the owner that PUID and PGID name, anyone else stays who they are; words pass as they are."""
    done = enter(place, "sync", "add", "a b; $(id)", PUID=NOBODY, PGID=NOBODY)
    who = f"{NOBODY}:{NOBODY}" if os.geteuid() == 0 else f"{os.geteuid()}:{os.getegid()}"

    assert done.stderr == ""
    assert done.stdout.startswith(f"{who} ")
    assert done.stdout.endswith(" sync add a b; $(id)\n")
    config = (place / "data" / "config.toml").read_text(encoding="utf-8")
    assert f'path = "{place}/data/media"' in config


def test_the_entry_point_leaves_a_config_alone(place: Path) -> None:
    """What a person wrote stays."""
    mine = place / "data" / "config.toml"
    mine.write_text("# mine\n", encoding="utf-8")
    enter(place, PUID=NOBODY, PGID=NOBODY)

    assert mine.read_text(encoding="utf-8") == "# mine\n"


@pytest.mark.parametrize("owner", ["0", "root", "1000; id", "-1"])
def test_an_owner_that_is_none_is_refused(place: Path, owner: str) -> None:
    """PUID is a number above 0; without root it does not matter."""
    done = enter(place, PUID=owner)

    assert done.returncode == (2 if os.geteuid() == 0 else 0)
    assert not done.stderr or done.stderr.startswith("error: ")


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """What the files of the packaging run."""
    for name in ("Dockerfile", "compose.yaml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for found in re.findall(r"^\s*(?:CMD|command:) (\[.*\])$", text, re.MULTILINE):
            yield name, json.loads(found)
        for found in re.findall(r"^# docker compose run --rm dyvine (.*?)(?:  .*)?$", text, re.MULTILINE):
            yield f"{name}, a comment", shlex.split(found)
    unit = units()["dyvine-sync.service"]
    yield "systemd", shlex.split(unit["Service"]["ExecStart"])[1:]


def units() -> dict[str, configparser.ConfigParser]:
    """The systemd units by file name."""
    found = {}
    for path in sorted((ROOT / "packaging").glob("*.service")) + sorted((ROOT / "packaging").glob("*.timer")):
        unit = configparser.ConfigParser(interpolation=None, comment_prefixes=("#",))
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read_string(path.read_text(encoding="utf-8"))
        found[path.name] = unit
    return found


@pytest.mark.parametrize(("name", "words"), [pytest.param(*each, id=each[0]) for each in command_lines()])
def test_what_they_run_is_a_command_line_of_ours(name: str, words: list[str]) -> None:
    """No file of the packaging names a verb or option that is not there."""
    call = parse(words)

    assert isinstance(call, Call)
    assert call.noun in ("sync", "login")


def test_the_timer_starts_the_service() -> None:
    """Both have one name, the service ends by itself, and a run that finds another one at it is no failure."""
    found = units()

    assert set(found) == {"dyvine-sync.service", "dyvine-sync.timer"}
    assert found["dyvine-sync.service"]["Service"]["Type"] == "oneshot"
    assert found["dyvine-sync.service"]["Service"]["SuccessExitStatus"] == "14"
    assert found["dyvine-sync.timer"]["Timer"]["Persistent"] == "true"


def test_the_image_copies_what_is_there() -> None:
    """Every source of a COPY from the context exists and is let through by .dockerignore."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = [word for line in re.findall(r"^COPY (.*)$", text, re.MULTILINE) for word in line.split()[:-1]]
    sources = [word for word in copied if not word.startswith("--")]
    let_through = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)

    assert sources
    for source in sources:
        assert (ROOT / source).exists()
        assert source.split("/")[0] in let_through
