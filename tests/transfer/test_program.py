"""The whole program where it hurts: kills, a full disk, a second process on the same account and folder."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dyvine_cli.simulator.app import Simulator, running
from dyvine_cli.simulator.world import World

ACCOUNT = f"douyin:user:{World.OPEN}"
FILES = 54
BENCH = Path(__file__).parents[1] / "bench" / "kill.py"
KEPT = ("PATH", "HOME", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")
PATIENCE = 60


@pytest.fixture
def platform() -> Iterator[Simulator]:
    """A simulator of its own, whose log is this test's."""
    with running() as simulator:
        yield simulator


class Place:
    """A home and a folder for files; `dyvine` writes there."""

    def __init__(self, folder: Path, platform: Simulator) -> None:
        self.home = folder / "home"
        self.out = folder / "out"
        self.out.mkdir()
        self._platform = platform
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        self._environment = {
            **kept,
            "DYVINE_HOME": str(self.home),
            "DYVINE_CONNECT_TO": platform.connect_to,
            "DYVINE_PACE": "off",
        }

    def start(self, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """The process; `before` is a command that runs it."""
        command = [*before, sys.executable, "-m", "dyvine_cli", *arguments, "-P", str(self.out)]
        return subprocess.Popen(
            command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *arguments: str, before: tuple[str, ...] = ()) -> tuple[int, str]:
        """Exit status and stderr."""
        with self.start(*arguments, before=before) as process:
            _, said = process.communicate(timeout=PATIENCE)
        return process.returncode, said

    @property
    def sent(self) -> int:
        """Bytes of media that went out so far."""
        return sum(each.sent for each in self._platform.requests if each.kind)

    def files(self) -> dict[str, str]:
        """SHA-256 of every file that is no part, by its path."""
        paths = [path for path in self.out.rglob("*") if path.is_file() and ".part" not in path.name]
        return {
            str(each.relative_to(self.out)): hashlib.sha256(each.read_bytes()).hexdigest() for each in paths
        }

    def rows(self) -> list[str]:
        """SHA-256 of every recorded file; the archive is checked on the way."""
        archive = sqlite3.connect(next(self.home.rglob("archive.sqlite3")))
        whole = archive.execute("PRAGMA integrity_check").fetchone()
        rows = [row[0].hex() for row in archive.execute("SELECT sha256 FROM saved")]
        archive.close()
        assert whole == ("ok",)
        return rows


@pytest.fixture
def place(tmp_path: Path, platform: Simulator) -> Place:
    """An empty home and folder."""
    return Place(tmp_path, platform)


def disk_of(size: str, place: Place, copy: Path) -> tuple[str, ...]:
    """A command that runs another in a name space of its own, where the output folder is a disk of that size.

    What is on it at the end is copied to `copy`, because it vanishes with the name space.
    """
    script = (
        f'mount -t tmpfs -o size={size} tmpfs "{place.out}" || exit 99; '
        f'"$0" "$@"; status=$?; cp -a "{place.out}/." "{copy}"; exit $status'
    )
    return ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script)


def test_full_disk_ends_the_run_cleanly_and_the_next_one_goes_on(place, tmp_path):
    """16 MB of some 40: status 10, the archive whole, each file right; with room only what is missing is fetched."""
    copy = tmp_path / "copy"
    code, said = place.run("user", f"douyin:user:{World.ACCOUNTS[200]}", before=disk_of("16m", place, copy))
    shutil.copytree(copy, place.out, dirs_exist_ok=True)
    first, rows, sent = place.files(), place.rows(), place.sent
    kept = sum(path.stat().st_size for path in copy.rglob("*") if path.is_file() and path.suffix != ".json")
    again, _ = place.run("user", f"douyin:user:{World.ACCOUNTS[200]}")
    total = sum(path.stat().st_size for path in place.out.rglob("*") if path.is_file())

    assert code == 10, said
    assert "Traceback" not in said
    assert re.search(r"^error: no space left", said, re.MULTILINE)
    assert first
    assert set(rows) <= set(first.values())
    assert again in {0, 7}  # a guest is not shown all of it
    assert sorted(place.rows()) == sorted(place.files().values())
    assert place.sent - sent <= total - kept + 1_000_000
    assert {name: place.files()[name] for name in first} == first


def test_room_for_a_large_file_is_asked_for_first(place, tmp_path):
    """500 MB do not fit on a disk of 16 MB: that is said before they come."""
    copy = tmp_path / "copy"
    code, said = place.run("post", f"douyin:post:{World.BIG}", before=disk_of("16m", place, copy))

    assert code == 10
    assert "no space left" in said
    assert place.sent < 100_000_000
    assert list(copy.rglob("*")) == []


def test_two_processes_share_an_account_and_a_folder(place, platform):
    """Both end well, every byte comes once, every file is right and recorded once."""
    platform.line.rate = 2_000_000
    both = [place.start("user", ACCOUNT) for _ in range(2)]
    ends = [(process.communicate(timeout=PATIENCE)[1], process.returncode) for process in both]
    total = sum(path.stat().st_size for path in place.out.rglob("*") if path.is_file())

    assert [code for _, code in ends] == [0, 0], ends
    assert place.sent == total
    assert len(place.files()) == FILES
    assert sorted(place.rows()) == sorted(place.files().values())


def test_killed_process_holds_nobody_up(place, platform):
    """A second process goes on at once where a killed one held its locks."""
    platform.line.rate = 100_000
    first = place.start("user", ACCOUNT)
    while not list(place.out.rglob("*.part")):
        assert first.poll() is None
    second = place.start("user", ACCOUNT)
    first.kill()
    first.communicate()
    platform.line.rate = None
    said = second.communicate(timeout=PATIENCE)[1]

    assert second.returncode == 0, said
    assert len(place.files()) == FILES


@pytest.mark.slow
def test_twenty_kills_at_random_moments(tmp_path, capsys):
    """What is recorded is there, what is there is right, what was begun is continued; the seed is printed."""
    done = subprocess.run(
        [sys.executable, str(BENCH), "--kills", "20"],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    with capsys.disabled():
        sys.stdout.write(f"\n{done.stdout}")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "large: " in done.stdout
