"""`dyvine archive` on the command line: tables, objects of the published schema, statuses, wrong input."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.errors import Busy
from dyvine_cli.operations.alone import REBUILD, alone
from dyvine_cli.simulator.world import World
from tests.cli.conftest import PATIENCE, Program, valid
from tests.test_encode import check

POSTS = (World.SMALL, World.IMAGES)
REF = f"douyin:post:{World.SMALL}"


@pytest.fixture
def keeper(dyvine: Program) -> Program:
    """The program, with a video and twelve pictures with their sound on record."""
    assert dyvine.inside("post", *POSTS).code == 0
    return dyvine


def strictly(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The objects, once the schema takes them and names all that they say."""
    for each in found:
        check(each, "archive")
    return [valid("archive", each) for each in found]


def test_stats_are_the_default_and_a_table(keeper: Program) -> None:
    """Site, account, kind, files and size, aligned, with their sum; the same numbers as objects."""
    done = keeper.inside("archive")
    told = keeper.inside("archive", "stats", "--json")
    found = strictly(told.objects)

    assert (done.code, told.code, done.err) == (0, 0, "")
    assert done.lines[0].split() == ["site", "account", "kind", "files", "size"]
    assert {(each["kind"], each["files"]) for each in found} == {("video", 1), ("picture", 12), ("sound", 1)}
    assert done.lines[-1].startswith("14 files of ")
    assert all(each["name"] in done.out for each in found)
    assert keeper.inside("--site", "tiktok", "archive", "stats", "--json").lines == []


def test_list_gives_rows_objects_and_paths(keeper: Program) -> None:
    """One line a file; what `--print path` gives is on disk; filters before the noun count, too."""
    rows = keeper.inside("archive", "list", REF)
    objects = strictly(keeper.inside("archive", "list", "-j").objects)
    paths = keeper.inside("archive", "list", "--print", "path", "--kind", "picture,sound").lines
    limited = keeper.inside("--limit", "2", "archive", "list", "--json")

    assert re.fullmatch(rf"2026-\d\d-\d\d  {REF}  video +300 kB  /.+\.mp4\n", rows.out)
    assert {each["path"] for each in objects} == {str(path) for path in keeper.files}
    assert len(paths) == 13
    assert all(Path(path).is_file() for path in paths)
    assert len(limited.lines) == 2


def test_list_tells_what_failed_is_gone_ignored_or_missing(keeper: Program, platform: Any) -> None:
    """Each in rows and in objects of the schema; nothing there is a warning and status 0."""
    platform.faults.set("empty-200")
    failed = keeper.inside("-R", "0", "post", World.NOTE)
    platform.faults.clear()
    (video,) = [path for path in keeper.files if path.suffix == ".mp4"]
    video.unlink()
    platform.faults.set("detail-filtered")
    gone = keeper.inside("archive", "repair", REF)
    platform.faults.clear()
    keeper.inside("archive", "ignore", REF)
    found = {
        state: strictly(keeper.inside("archive", "list", f"--{state}", "--json").objects)
        for state in ("failed", "gone", "ignored", "missing")
    }
    texts = {state: keeper.inside("archive", "list", f"--{state}").out for state in found}
    keeper.inside("archive", "forget", REF)
    empty = keeper.inside("archive", "list", "--ignored")

    assert (failed.code, gone.code) != (0, 0)
    assert {state: rows[0]["type"] for state, rows in found.items()} == {
        "failed": "failure", "gone": "gone", "ignored": "ignored", "missing": "file"
    }  # fmt: skip
    assert found["gone"][0]["state"] == "deleted"
    assert all(rows[0]["ref"] in texts[state] for state, rows in found.items())
    assert "1 post not shown by their site any more" in gone.err
    assert (empty.code, empty.out) == (0, "")
    assert empty.complaints("warning") == ["nothing in the archive is what was asked for"]


def test_verify_and_repair_go_together(keeper: Program) -> None:
    """Status 3 with a line for each bad file, then all whole again; `-q` says nothing about what is well."""
    pictures = [path for path in keeper.files if path.suffix == ".jpg"]
    pictures[0].unlink()
    os.truncate(pictures[1], 10)
    bad = keeper.inside("archive", "verify", "--deep")
    *told, last = strictly(keeper.inside("archive", "verify", "--json").objects)
    dry = keeper.inside("archive", "repair", "-s")
    repaired = keeper.inside("archive", "repair", "--json")
    whole = keeper.inside("-q", "archive", "verify", "--deep")

    assert bad.code == 3
    assert [line.split("  ")[0].strip() for line in bad.lines] == ["missing", "wrong size"]
    assert "2 of 14 files" in bad.err
    assert [each["state"] for each in told] == ["missing", "size"]
    assert (last["files"], last["bad"], last["deep"]) == (14, 2, False)
    assert dry.err.count("would save ") == 2
    assert [each["event"] for each in repaired.objects].count("saved") == 2
    assert "2 of 2 missing or damaged files are whole again" in repaired.err
    assert (repaired.code, whole.code, whole.out, whole.err) == (0, 0, "", "")


def test_an_ignored_post_is_an_event_of_the_schema(keeper: Program) -> None:
    """Named by itself it is skipped with its reason."""
    ignored = keeper.inside("archive", "ignore", World.SMALL)
    done = keeper.inside("--json", "post", World.SMALL)
    events = [valid("event", each) for each in done.objects]

    assert ignored.err == "1 post will not come again; `dyvine archive forget` takes that back\n"
    assert [each["reason"] for each in events if each["event"] == "skipped"] == ["ignored"]


def test_forget_takes_a_batch_file(keeper: Program) -> None:
    """As every other noun does, bad lines with their number."""
    file = keeper.work / "forget.txt"
    file.write_text(f"# two\n{REF}\nnonsense\n{World.IMAGES}\n", encoding="utf-8")
    done = keeper.inside("archive", "forget", "-a", file)

    assert done.code == 3
    assert "forgot 2 posts" in done.err
    assert "line 3" in done.err
    assert keeper.inside("archive", "stats", "--json").lines == []


def test_a_damaged_archive_is_rebuilt_as_its_error_says(keeper: Program) -> None:
    """Status 12 names the cure; the cure works, and a second download fetches nothing."""
    place = keeper.home / "state" / "archive.sqlite3"
    place.write_bytes(b"\0" * 40_000)
    broken = keeper.inside("archive")
    cure = keeper.inside("archive", "repair", "--rebuild")
    again = keeper.inside("post", *POSTS)

    assert broken.code == 12
    assert "`dyvine archive repair --rebuild`" in broken.err
    assert cure.code == 0
    assert len(cure.complaints("warning")) == 1
    assert "recorded 14 files" in cure.err
    assert "nothing new" in again.err


def test_a_rebuilding_wants_the_archive_to_itself(keeper: Program) -> None:
    """While `sync` runs it is Busy, and `sync` while it rebuilds, each told by its name."""
    state = keeper.home / "state"
    with alone(state):
        refused = keeper.inside("archive", "repair", "--rebuild")
    with (
        alone(state, REBUILD),
        pytest.raises(Busy, match="runs `dyvine archive repair --rebuild`"),
        alone(state),
    ):
        pass

    assert refused.code == 14
    assert "runs `dyvine sync`" in refused.err
    assert keeper.inside("archive", "repair", "--rebuild").code == 0


WRONG = [
    (["list", "--failed", "--gone"], "--failed and --gone exclude each other"),
    (["list", "--kind", "film"], "'film' is no kind of file"),
    (["list", "--kind", ","], "',' is no kind of file"),
    (["list", "--print", "{id}"], "`archive list` prints paths only"),
    (["list", "--since", "2026-13-01"], "--since: '2026-13-01' is no date of the calendar"),
    (["list", "--gone", "--since", "2026-01-01"], "--gone cannot be combined with dates or kinds"),
    (["list", "@nobody"], "the archive knows no account nobody of tiktok"),
    (["verify", "douyin:mix:7372484719365098803"], "is a mix: the archive knows posts and accounts"),
    (["ignore", f"https://www.douyin.com/user/{World.OPEN}"], "is an account: only posts can be ignored"),
    (["forget"], "nothing to forget: no link, id or batch file"),
    (["ignore"], "nothing to ignore: no link, id or batch file"),
    (["repair", "--rebuild", REF], "--rebuild takes the whole archive"),
    (["stats", "--no-config", "--config", "x"], "exclude each other"),
]


@pytest.mark.parametrize(
    ("words", "complaint"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_wrong_input_is_told(dyvine: Program, words: list[str], complaint: str) -> None:
    """Status 2, one error with its reason, and no network."""
    done = dyvine.inside("archive", *words)

    assert done.code == 2
    assert len(done.complaints()) == 1
    assert complaint in done.complaints()[0]


def test_without_an_archive_there_is_nothing_to_see(keeper: Program) -> None:
    """`--no-archive` is a mistake here, not an empty answer."""
    done = keeper.inside("--no-archive", "archive")

    assert done.code == 2
    assert "switched off" in done.complaints()[0]


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="looks into a process where the system shows it"
)
def test_ctrl_c_in_a_deep_verification_keeps_its_place(keeper: Program) -> None:
    """Status 130 at once, in the midst of a large file, and a word; what was checked before it is not read again."""
    place = keeper.home / "state" / "archive.sqlite3"
    with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as archive:
        *key, folder, name = archive.execute(
            "SELECT post, asset, folder, name FROM file ORDER BY site DESC, post DESC, asset DESC"
        ).fetchone()
        os.truncate(Path(folder, name), LARGE)
        archive.execute("UPDATE saved SET size = ? WHERE post = ? AND asset = ?", (LARGE, *key))
        process = keeper.start("archive", "verify", "--deep")
        assert waited_for(lambda: reads(process.pid, Path(folder, name)))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
        checked = archive.execute("SELECT files FROM verifying").fetchone()

    assert process.returncode == 130
    assert b"the same command goes on where this one ended" in err
    assert checked == (13,)


LARGE = 20_000_000_000
"""Bytes of a file without a block on disk, which takes long to hash."""


def waited_for(is_so: Callable[[], bool]) -> bool:
    """Whether something came true while there was patience."""
    end = time.monotonic() + PATIENCE
    while not is_so() and time.monotonic() < end:
        time.sleep(0.01)
    return is_so()


def reads(pid: int, path: Path) -> bool:
    """Whether a process has a file open."""
    with contextlib.suppress(OSError):
        return any(each.readlink() == path for each in Path(f"/proc/{pid}/fd").iterdir())
    return False


def test_times_are_those_of_the_clock_on_the_wall(keeper: Program) -> None:
    """As --since and --until read them; objects have UTC."""
    zones = ("Pacific/Kiritimati", "Pacific/Pago_Pago")  # never the same day
    keeper.inside("archive", "ignore", REF)
    days = {keeper.inside("archive", "list", "--ignored", env={"TZ": zone}).out.split()[3] for zone in zones}
    (told,) = keeper.inside("archive", "list", "--ignored", "--json", env={"TZ": zones[0]}).objects

    assert len(days) == 2
    assert told["since"].endswith("Z")
