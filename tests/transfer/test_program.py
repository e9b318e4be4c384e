"""The whole program where it hurts: kills, a full disk, a second process on the same account and folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dyvine_cli.simulator.app import Simulator, running
from dyvine_cli.simulator.wire import Served
from dyvine_cli.simulator.world import World
from tests.transfer.conftest import name_space

ACCOUNT = f"douyin:user:{World.OPEN}"
FILES = 54
BENCH = Path(__file__).parents[1] / "bench" / "kill.py"
KEPT = ("PATH", "HOME", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV")
PATIENCE = 60
BIG = f"douyin:post:{World.BIG}"


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


def disk_of(size: int, place: Place, copy: Path) -> tuple[str, ...]:
    """A command that runs another in a name space of its own, where the output folder is a disk of so many MB.

    That is a tmpfs, or an ext4 in a file where that is not allowed. What is on it at the end is copied to `copy`,
    because it vanishes with the name space.
    """
    out, image = f'"{place.out}"', f'"{place.home}.img"'
    memory = f"mount -t tmpfs -o size={size}m tmpfs {out}"
    file = f"truncate -s {size}M {image} && mkfs.ext4 -q {image} && mount -o loop {image} {out}"
    script = (
        f'{memory} || {{ {file}; }} || exit 99; "$0" "$@"; status=$?; cp -a {out}/. "{copy}"; exit $status'
    )
    return (*name_space(), "sh", "-c", script)


@pytest.mark.slow
def test_full_disk_ends_the_run_cleanly_and_the_next_one_goes_on(place, tmp_path):
    """16 MB of some 40: status 10, the archive whole, each file right; with room only what is missing is fetched."""
    copy = tmp_path / "copy"
    code, said = place.run("user", f"douyin:user:{World.ACCOUNTS[200]}", before=disk_of(16, place, copy))
    shutil.copytree(copy, place.out, dirs_exist_ok=True)
    first, rows, sent = place.files(), place.rows(), place.sent
    kept = sum(path.stat().st_size for path in copy.rglob("*") if path.is_file() and path.suffix != ".json")
    again, _ = place.run("user", f"douyin:user:{World.ACCOUNTS[200]}")
    total = sum(path.stat().st_size for path in place.out.rglob("*") if path.is_file())

    assert code == 10, said
    assert "Traceback" not in said
    assert len(re.findall(r"^error: .*\bno space left", said, re.MULTILINE)) == 1
    assert first
    assert set(rows) <= set(first.values())
    assert again in {0, 7}  # a guest is not shown all of it
    assert sorted(place.rows()) == sorted(place.files().values())
    assert place.sent - sent <= total - kept + 1_000_000
    assert {name: place.files()[name] for name in first} == first


def test_room_for_a_large_file_is_asked_for_first(place, tmp_path):
    """500 MB do not fit on a disk of 16 MB: that is said before they come."""
    copy = tmp_path / "copy"
    code, said = place.run("post", f"douyin:post:{World.BIG}", before=disk_of(16, place, copy))

    assert code == 10
    assert "no space left" in said
    assert place.sent < 100_000_000
    assert [path for path in copy.rglob("*") if path.is_file()] == []


@pytest.mark.slow
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


@pytest.mark.slow
def test_killed_process_holds_nobody_up(place, platform):
    """A second process goes on at once where a killed one held its locks."""
    platform.line.rate = 600_000
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


def wait_for(process: subprocess.Popen[str], holds: Callable[[], bool]) -> None:
    """Wait until something holds while a process runs."""
    until = time.monotonic() + PATIENCE
    while not holds():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.005)


def begun(place: Place, process: subprocess.Popen[str], least: int = 1) -> None:
    """Wait until so many bytes are on the disk."""
    wait_for(process, lambda: sum(path.stat().st_blocks * 512 for path in place.out.rglob("*.part")) >= least)


def until_it_reads(process: subprocess.Popen[str]) -> None:
    """Wait until a process has a part open."""
    wait_for(process, lambda: any(target.endswith(".part") for target in open_files(process.pid)))


def asked(platform: Simulator) -> list[Served]:
    """The requests for a video."""
    return [each for each in platform.requests if each.kind.startswith("video")]


def open_files(process: int) -> Iterator[str]:
    """What the descriptors of a process lead to."""
    for each in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):
            yield str(each.readlink())


def stopped(process: subprocess.Popen[str], number: int) -> tuple[int, str, float]:
    """Send a signal; exit status, stderr, and the seconds that it took."""
    then = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE)
    return process.returncode, said, time.monotonic() - then


def is_on_its_way(process: subprocess.Popen[str], number: int) -> bool:
    """Whether a process has a signal still before it."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    waiting = [int(line.split()[1], 16) for line in lines if line.startswith(("SigPnd", "ShdPnd"))]
    return any(mask >> (number - 1) & 1 for mask in waiting)


@pytest.mark.parametrize(("segments", "most"), [("1", 1), ("3", 3)])
def test_segments_say_how_many_connections_a_large_file_takes(place, platform, segments, most):
    """`--segments 1` asks for the whole file, `--segments 3` for ranges over three connections."""
    platform.line.rate = 4_000_000
    process = place.start("post", BIG, "--segments", segments)
    begun(place, process, least=1_000_000)
    wait_for(process, lambda: len({each.connection for each in asked(platform)}) >= most)
    time.sleep(0.1)
    process.kill()
    process.communicate()
    media = asked(platform)

    assert len({each.connection for each in media}) == most
    assert all(("range" in each.headers) == (most > 1) for each in media)


@pytest.mark.slow
@pytest.mark.parametrize("again", [False, True], ids=["on_the_way", "while_it_is_read_again"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_amid_a_large_file_ends_the_run_within_two_seconds(place, platform, number, code, again):
    """Over sixteen connections, and while the bytes of an earlier run are hashed: nothing that came is lost."""
    platform.line.rate = 25_000_000
    process = place.start("post", BIG)
    begun(place, process, least=300_000_000 if again else 20_000_000)
    if again:
        process.kill()
        process.communicate()
        process = place.start("post", BIG)
        until_it_reads(process)
    ended, said, took = stopped(process, number)
    note = json.loads(next(place.out.rglob("*.part.json")).read_text())
    there = sum(end - start for start, end in note["written"])
    platform.line.rate = None
    sent = place.sent
    done, _ = place.run("post", BIG)

    assert ended == code
    assert took < 2
    assert said.splitlines()[-1] == "stopped; the same command goes on where this one ended"
    assert there > (200_000_000 if again else 10_000_000)
    assert done == 0
    assert place.sent - sent <= 500_000_000 - there + 16_000_000
    assert [path.stat().st_size for path in place.out.rglob("*") if path.is_file()] == [500_000_000]


@pytest.mark.slow
def test_second_signal_amid_a_large_file_ends_the_process_at_once(place, platform):
    """The second Ctrl-C waits for nothing; what was noted is gone on with."""
    platform.line.rate = 25_000_000
    process = place.start("post", BIG)
    begun(place, process, least=100_000_000)
    process.send_signal(signal.SIGINT)
    while process.poll() is None and is_on_its_way(
        process, signal.SIGINT
    ):  # two of a kind would arrive as one
        time.sleep(0.001)
    code, _, took = stopped(process, signal.SIGINT)
    platform.line.rate, sent = None, place.sent
    done, _ = place.run("post", BIG)

    assert (code, done) == (130, 0)
    assert took < 0.5
    assert place.sent - sent < 450_000_000


@pytest.mark.slow
def test_two_processes_share_a_large_file(place, platform):
    """One fetches it over several connections, the other waits and finds it; one row, every byte once."""
    platform.line.rate = 25_000_000
    both = [place.start("post", BIG) for _ in range(2)]
    ends = [(process.communicate(timeout=PATIENCE)[1], process.returncode) for process in both]

    assert [code for _, code in ends] == [0, 0], ends
    assert place.sent <= 500_000_000 + 16_000_000
    assert place.rows() == list(place.files().values())


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
