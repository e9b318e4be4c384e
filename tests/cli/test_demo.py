"""`dyvine demo`: the installed program against its own simulator, from an empty home."""

from __future__ import annotations

import os
import re
import shlex
import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import PATIENCE, Program


def left(program: Program) -> list[Path]:
    """Temporary folders that a demo made and did not remove, besides that of its files."""
    return list(program.home.parent.glob("tmp/dyvine-demo-home-*"))


@pytest.fixture
def demo(dyvine: Program) -> Program:
    """The program with a temporary folder of its own, and without the way to the tests' simulator."""
    (dyvine.home.parent / "tmp").mkdir()
    dyvine.environment.pop("DYVINE_CONNECT_TO")
    dyvine.environment["TMPDIR"] = str(dyvine.home.parent / "tmp")
    return dyvine


@pytest.mark.slow
def test_the_demo_shows_what_it_does_and_leaves_only_its_files(demo: Program) -> None:
    """Command lines, paths, balance, cut, tree and what to type next; the folder it names holds the files.

    Proxies, logins and settings of the person do not take part.
    """
    env = {"https_proxy": "http://127.0.0.1:1", "DOUYIN_COOKIE": "sessionid=x", "DYVINE_OUTPUT": "{id}.{ext}"}
    then = time.monotonic()
    done = demo("demo", env=env)
    named = re.search(r"^What is in (\S+) now:$", done.out, flags=re.MULTILINE)

    assert done.code == 0
    assert time.monotonic() - then < 30
    assert len(re.findall(r"^\$ dyvine ", done.out, flags=re.MULTILINE)) == 4
    for line in re.findall(r"^\$ (dyvine .*)$", done.out, flags=re.MULTILINE):
        assert shlex.split(line, comments=True) == shlex.split(line), (
            "a shell would take a part for a comment"
        )
    assert re.search(r"^\$ dyvine -q --print path '[^']*#[^']*https://", done.out, flags=re.MULTILINE)
    assert "listed 24 of 24 declared, saved 24" in done.err
    assert "saved 0, known 24; complete" in done.err
    assert "cut short" in done.err
    assert "Exit status 7" in done.out
    assert "└── " in done.out
    assert "dyvine https://v.douyin.com/" in done.out
    assert "!!" not in done.out
    assert named is not None
    assert len([path for path in Path(named[1]).rglob("*") if path.is_file()]) > 100
    assert left(demo) == []
    assert not demo.home.exists()
    assert demo.files == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to catch")
def test_a_demo_that_is_ended_cleans_up(demo: Program) -> None:
    """SIGTERM in the middle: status 143, no home and no process left behind."""
    with demo.start("demo", "-P", "shown") as process:
        assert process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)

    assert process.returncode == 143
    assert (demo.work / "shown").is_dir()
    assert left(demo) == []


def test_a_folder_that_cannot_be_used_is_told(demo: Program) -> None:
    """A file in the place of the folder: an error with its cure."""
    (demo.work / "taken").write_text("a file")
    done = demo("demo", "-P", "taken")

    assert done.code == 10
    assert "taken" in done.complaints()[0]
    assert done.complaints("hint") == ["choose another folder: -P DIR"]
