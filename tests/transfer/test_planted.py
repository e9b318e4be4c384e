"""The whole program where someone planted links at its names, or where names are alike: nothing leads out, nothing mixes."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dyvine_cli.simulator.app import Simulator, running
from dyvine_cli.simulator.world import World
from tests.cli.conftest import Program

DIARY = b"dear diary"
NAME = f"{World.SMALL}.mp4"


@pytest.fixture(scope="module")
def platform() -> Iterator[Simulator]:
    """A simulator for all of them."""
    with running() as simulator:
        yield simulator


@pytest.fixture
def dyvine(platform: Simulator, tmp_path: Path) -> Program:
    """The program beside it."""
    return Program(tmp_path, platform.connect_to)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of the person's that has nothing to do with downloads."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "diary").write_bytes(DIARY)
    return folder


def target(name: str, *, to: str) -> Callable[[Path, Path], None]:
    """Plants a symlink below the folder of the post."""

    def plant(folder: Path, outside: Path) -> None:
        folder.mkdir()
        (folder / name).symlink_to(outside / to)

    return plant


def parent(folder: Path, outside: Path) -> None:
    """Plants a symlink where the folder of the post belongs."""
    folder.symlink_to(outside)


def hard(name: str) -> Callable[[Path, Path], None]:
    """Plants a second name of the diary."""

    def plant(folder: Path, outside: Path) -> None:
        folder.mkdir()
        (folder / name).hardlink_to(outside / "diary")

    return plant


REFUSED, SAVED = 10, 0
PLANTS = {
    "symlink at the target": (target(NAME, to="diary"), REFUSED, SAVED),
    "symlink to nothing at the target": (target(NAME, to="new"), REFUSED, SAVED),
    "symlink to a folder at the target": (target(NAME, to="."), REFUSED, SAVED),
    "symlink at the parent": (parent, REFUSED, REFUSED),
    "symlink at the temp name": (target(f"{NAME}.part", to="diary"), REFUSED, REFUSED),
    "symlink to nothing at the temp name": (target(f"{NAME}.part", to="new"), REFUSED, REFUSED),
    "symlink at the note": (target(f"{NAME}.part.json", to="diary"), SAVED, SAVED),
    "hard link at the target": (hard(NAME), REFUSED, SAVED),
    "hard link at the temp name": (hard(f"{NAME}.part"), SAVED, SAVED),
    "hard link at the note": (hard(f"{NAME}.part.json"), SAVED, SAVED),
}
"""What is planted, the exit status, and that with --overwrite."""


@pytest.mark.parametrize("flags", [(), ("--overwrite",)], ids=["plain", "overwrite"])
@pytest.mark.parametrize("plant", PLANTS)
def test_planted_link_leads_nowhere(
    dyvine: Program, outside: Path, plant: str, flags: tuple[str, ...]
) -> None:
    """The run ends in an error with its cure, or the file is saved in the link's place; outside nothing changes."""
    put, plain, forced = PLANTS[plant]
    put(dyvine.work / "user", outside)
    done = dyvine.inside("post", "-o", "user/{id}.{ext}", *flags, World.SMALL)
    saved = dyvine.work / "user" / NAME

    assert done.code == (forced if flags else plain), done.err
    assert [path.name for path in outside.iterdir()] == ["diary"]
    assert (outside / "diary").read_bytes() == DIARY
    if done.code:
        assert "hint:" in done.err
    else:
        assert saved.is_file()
        assert not saved.is_symlink()
        assert saved.stat().st_size == 300_000
        assert saved.stat().st_nlink == (outside / "diary").stat().st_nlink == 1


def folded(path: str) -> str:
    """A name as file systems see it that know neither case nor forms of characters."""
    return unicodedata.normalize("NFKC", path).casefold()


@pytest.mark.parametrize("template", ["{title}.{ext}", "x.{ext}"])
@pytest.mark.slow
def test_names_that_fold_to_the_same_are_files_of_their_own(
    dyvine: Program, platform: Simulator, template: str
) -> None:
    """200 hostile titles (equal, other case, NFC and NFD, dots, empty): no two posts share a name on any file system."""
    platform.faults.set("guests-see-all")
    account = f"douyin:user:{World.ACCOUNTS[2000]}"
    done = dyvine.inside("user", "-s", "--json", "--kind", "video", "-o", template, "--limit", "120", account)
    paths = [each["path"] for each in done.objects if each["event"] == "skipped" and each.get("path")]

    assert len(paths) > 100
    assert len({folded(path) for path in paths}) == len(paths)
    assert all(Path(path).is_relative_to(dyvine.work) for path in paths)


def test_twins_under_one_template_are_fetched_both(dyvine: Program) -> None:
    """Two posts of one second and one text, a template without id: both files, both right, and known the next time."""
    twins = list(World.TWINS)
    first = dyvine.inside("post", "-o", "{date:%Y}/{title}.{ext}", *twins)
    again = dyvine.inside("post", "-o", "{date:%Y}/{title}.{ext}", *twins)
    files = [path for path in dyvine.files if path.suffix == ".mp4"]

    assert (first.code, again.code) == (0, 0)
    assert len(files) == len({folded(path.name) for path in files}) == 2
    assert len({hashlib.sha256(path.read_bytes()).hexdigest() for path in files}) == 2
