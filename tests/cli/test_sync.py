"""`dyvine sync run`, `status` and `retry` as a person and cron see them."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from dyvine_cli.cli.output import checks
from dyvine_cli.cli.upkeep import staying
from dyvine_cli.errors import Busy, ConfigError
from dyvine_cli.events import SyncedSource
from dyvine_cli.models import Ref
from dyvine_cli.operations.alone import alone
from dyvine_cli.simulator.app import Simulator
from dyvine_cli.simulator.world import World
from tests.cli.conftest import Program, valid

ONE = f"douyin:user:{World.ACCOUNTS[1]}"
OPEN = f"douyin:user:{World.OPEN}"
CUT = f"douyin:user:{World.ACCOUNTS[63]}"
NOBODY = f"douyin:user:{World.NOBODY}"


def configure(dyvine: Program, *sources: str, more: str = "") -> None:
    """Write a configuration with these sources, which take little."""
    dyvine.home.mkdir(exist_ok=True)
    tables = [f'[[source]]\nurl = "{url}"\nname = "s{number}"\n' for number, url in enumerate(sources)]
    head = f'path = "{dyvine.work}"\nquality = "worst"\nkind = ["video"]\n{more}\n'
    (dyvine.home / "config.toml").write_text(head + "\n".join(tables), encoding="utf-8")


def test_a_run_shows_a_table_and_the_next_one_a_line(dyvine: Program) -> None:
    """What is new and what is wrong has a row, all others stand in one line."""
    configure(dyvine, ONE, CUT)
    first = dyvine.inside("sync")
    second = dyvine.inside("sync", "run", "s0", "s1")

    assert first.code == 7
    assert first.out == ""
    assert first.complaints()[0].startswith("s1 (晚舟和猫): listed 20 of 63")
    lines = first.err.splitlines()
    assert lines[2].split() == list(checks.HEADINGS)
    assert [line.split()[:3] for line in lines[3:5]] == [
        ["s0", "(北野研究所)", "1"],
        ["s1", "(晚舟和猫)", "17"],
    ]
    assert lines[4].endswith("cut short")
    assert second.code == 0
    assert second.err.startswith(
        "2 sources with nothing new, 1 of them with older posts that could not be had\nnothing new in "
    )


def test_a_quiet_run_says_only_what_is_wrong(dyvine: Program, platform: Simulator) -> None:
    """Nothing when all is well; else an error line for each source, however many posts failed."""
    configure(dyvine, OPEN, ONE)
    well = dyvine.inside("-q", "sync", "s1")
    platform.faults.set("404")
    failing = dyvine.inside("-q", "sync")
    platform.faults.clear()
    configure(dyvine, NOBODY)
    wrong = dyvine.inside("-q", "sync")

    assert (well.code, well.out, well.err) == (0, "", "")
    assert failing.code == 3
    assert failing.complaints() == ["s0 (星野工作室): 21 posts failed (LinkExpired)"]
    assert failing.complaints("hint") == [checks.HINT.removeprefix("hint: ")]
    assert wrong.code == 5
    assert len(wrong.complaints()) == 1
    assert wrong.complaints()[0].startswith("s0: ")


def test_events_of_a_run_are_those_of_the_schema(dyvine: Program) -> None:
    """The summary has a row for each source."""
    configure(dyvine, ONE, NOBODY)
    done = dyvine.inside("--json", "sync")
    events = [valid("event", each) for each in done.objects]
    rows = events[-1]["sources"]

    assert done.code == 3
    assert [(row["name"], row["state"], row["new"]) for row in rows] == [
        ("s0", "complete", 1),
        ("s1", "failed", 0),
    ]
    assert rows[0]["ref"] == ONE
    assert rows[1]["error"]


def test_status_tells_what_is_wrong_without_asking_anyone(dyvine: Program, platform: Simulator) -> None:
    """Status 3 where something needs a person; objects are those of the schema; no call is made."""
    configure(dyvine, ONE, CUT, NOBODY, OPEN)
    new = dyvine.inside("sync", "status", "--json")
    dyvine.inside("-q", "sync", "s0", "s1", "s2")
    platform.faults.set("404")
    dyvine.inside("-q", "sync", "s3")
    platform.faults.clear()
    before = len(platform.requests)
    status = dyvine.inside("sync", "status")
    objects = dyvine.inside("sync", "status", "--json")
    well = dyvine.inside("sync", "status", "s0")

    assert new.code == 0
    assert {valid("source_status", each)["state"] for each in new.objects} == {"never checked"}
    assert (status.code, objects.code, well.code) == (3, 3, 0)
    assert any(
        line.startswith("s1 (晚舟和猫): older posts are missing: listed 20 of 63: ")
        and line.endswith(" (LoginNeeded)")
        for line in status.lines
    )
    assert status.lines[-1].startswith("hint: ")
    assert "dyvine sync remove NAME" in status.lines[-1]
    assert any(line.startswith("s2: ") and "(NotFound" in line for line in status.lines)
    assert any(
        line.startswith("s3 (星野工作室): failed and tried again: 21 LinkExpired, next try")
        for line in status.lines
    )
    found = {each["name"]: valid("source_status", each) for each in objects.objects}
    assert [each["needs_person"] for each in found.values()] == [False, False, True, False]
    assert found["s2"]["due"] is not None
    assert found["s3"]["failed"] == {"LinkExpired": 21}
    assert len(platform.requests) == before


def test_retry_brings_what_failed(dyvine: Program, platform: Simulator) -> None:
    """At once, and without walking the list."""
    configure(dyvine, ONE)
    platform.faults.set("404")
    dyvine.inside("-q", "sync")
    platform.faults.clear()
    done = dyvine.inside("sync", "retry", "s0")

    assert done.code == 0
    assert done.err.splitlines()[1].split()[:4] == ["s0", "(北野研究所)", "1", "0"]
    assert done.err.splitlines()[1].endswith("retried")


WRONG = {
    "no sources": ([], ["sync"], 2, "dyvine sync add"),
    "a name that is none": ([ONE], ["sync", "s00"], 2, "did you mean 's0'?"),
    "jobs that are no number": ([ONE], ["sync", "--jobs", "many"], 2, ""),
    "a time that is none": ([ONE], ["sync", "--every", "soon"], 2, ""),
    "no time at all": ([ONE], ["sync", "--every", "0s"], 2, ""),
    "an option for single things": ([ONE], ["sync", "-F"], 2, "dyvine get LINK"),
    "no archive": ([ONE], ["sync", "--no-archive"], 2, "--no-archive"),
    "a folder that depends on where it runs": ([ONE], ["sync", "-P", "here"], 2, "name the folder from /"),
    "retry without sources": ([], ["sync", "retry"], 2, "dyvine sync add"),
}


@pytest.mark.parametrize(("sources", "arguments", "code", "hint"), WRONG.values(), ids=WRONG.keys())
def test_mistakes_have_a_cause_and_a_cure(
    dyvine: Program, sources: list[str], arguments: list[str], code: int, hint: str
) -> None:
    """Status 2 before anything is asked."""
    configure(dyvine, *sources)
    done = dyvine.inside(*arguments)

    assert done.code == code
    assert len(done.complaints()) == 1
    assert hint in "".join(done.complaints("hint"))


@pytest.mark.parametrize(
    ("said", "code", "says"),
    [
        pytest.param('path = "{}"', 0, "", id="its own folder is enough"),
        pytest.param('path = "videos"', 2, "is not absolute", id="one of the current folder"),
        pytest.param("", 2, "needs a folder", id="none"),
        pytest.param(None, 2, "nothing to keep in sync yet", id="no sources"),
    ],
)
def test_every_source_has_a_folder(dyvine: Program, said: str | None, code: int, says: str) -> None:
    """A folder of the source does where the settings name none, as after `sync add -P`."""
    dyvine.home.mkdir()
    text = "" if said is None else f'[[source]]\nurl = "{ONE}"\n{said.format(dyvine.work)}\n'
    (dyvine.home / "config.toml").write_text(text, encoding="utf-8")
    done = dyvine.inside("-q", "sync")

    assert done.code == code
    assert says in done.err


def test_without_a_folder_there_is_no_run(dyvine: Program) -> None:
    """The configuration has to name one, because cron starts it anywhere."""
    dyvine.home.mkdir()
    (dyvine.home / "config.toml").write_text(f'[[source]]\nurl = "{ONE}"\n', encoding="utf-8")
    done = dyvine.inside("sync")

    assert done.code == 2
    assert "needs a folder" in done.complaints()[0]


def test_a_second_run_is_busy(dyvine: Program) -> None:
    """Status 14; what only looks is not held up."""
    configure(dyvine, ONE)
    with alone(dyvine.home / "state"):
        busy = [dyvine.inside("sync"), dyvine.inside("sync", "retry")]
        looks = [dyvine.inside("sync", "status"), dyvine.inside("sync", "list")]

    assert [done.code for done in busy] == [14, 14]
    assert "process" in busy[0].complaints()[0]
    assert [done.code for done in looks] == [0, 0]


def row(name: str, state: str = "complete", **more: object) -> SyncedSource:
    """A row of the table."""
    return SyncedSource(ref=Ref("douyin", "user", "x"), name=name, state=state, **more)  # type: ignore[arg-type]


def test_names_from_the_platform_do_not_reach_the_terminal_as_they_are() -> None:
    """Escape sequences, line ends and endless names are taken out of the table and of error lines."""
    hostile = "\x1b[2J\n" + "猫" * 200
    rows = [row(hostile, new=1), row(hostile, "stopped", error="\x1b]0;x\x07")]
    shown = [*checks.lines(rows), *checks.troubles(rows)]

    assert not [line for line in shown if any(ord(char) < 32 or char == "\x7f" for char in line)]
    assert max(map(len, shown)) < 200


def test_posts_that_are_gone_are_not_said_to_be_tried_again() -> None:
    """Only causes that may pass are; a source that has both is hinted at the next try."""
    failed = [
        row("a", failed=2, reasons={"Deleted": 1, "Private": 1}),
        row("b", failed=2, reasons={"Deleted": 1, "Timeout": 1}),
    ]

    assert [line for line in checks.troubles(failed) if line.startswith("hint: ")] == [
        checks.LASTING,
        checks.HINT,
    ]


def test_a_full_disk_is_told_with_its_cure() -> None:
    """Also where the run says one line for each source only."""
    stopped = row("a", "stopped", failed=1, error="no space left for a.mp4.part", reasons={"DiskFull": 1})

    assert list(checks.troubles([stopped])) == ["error: a: no space left for a.mp4.part", checks.MEND]


def test_sources_with_nothing_new_are_one_line() -> None:
    """A thousand of them, too."""
    shown = list(checks.lines([row(str(number)) for number in range(1000)]))

    assert shown == ["1,000 sources with nothing new"]


# --- again and again --------------------------------------------------------------------------------------------------


def test_staying_goes_on_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later run that cannot be done is told; one that is stopped ends it with its status."""
    outcomes = iter([0, Busy("somebody is at it"), 3, 143])
    monkeypatch.setattr("dyvine_cli.cli.upkeep._is_stopped", lambda seconds: False)

    def once() -> int:
        outcome = next(outcomes)
        if isinstance(outcome, Busy):
            raise outcome
        return outcome

    assert staying(once, "1h")() == 143
    assert next(outcomes, None) is None


def test_staying_does_not_begin_with_a_mistake() -> None:
    """What is wrong with the first run ends it, as without --every."""

    def once() -> int:
        raise ConfigError("no folder")

    with pytest.raises(ConfigError):
        staying(once, "1h")()


@pytest.mark.slow
def test_sigterm_between_two_runs_is_a_clean_end(dyvine: Program) -> None:
    """Within two seconds, status 0, and two runs were made."""
    configure(dyvine, ONE)
    with dyvine.start("--json", "sync", "run", "--every", "2s") as process:
        summaries = 0
        while summaries < 2:
            summaries += json.loads(process.stdout.readline())["event"] == "summary"
        time.sleep(0.4)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)

    assert process.returncode == 0
    assert time.monotonic() - began < 2


@pytest.mark.slow
def test_a_killed_run_goes_on_and_its_lock_is_taken_over(dyvine: Program, platform: Simulator) -> None:
    """`kill -9` in the middle of a source: the next run is let in, saves the rest, and nothing twice."""
    configure(dyvine, OPEN, ONE)
    platform.line.rate = 400_000
    with dyvine.start("--json", "sync", "run") as process:
        saved: set[str] = set()
        while len(saved) < 5:
            event = json.loads(process.stdout.readline())
            saved |= {event["path"]} if event["event"] == "saved" else set()
        process.kill()
        process.communicate(timeout=20)
    platform.line.rate = None
    again = dyvine("--json", "sync")
    later = {each["path"] for each in again.objects if each["event"] == "saved"}
    names = [path.name for path in dyvine.files]

    assert again.code == 0
    assert [row["name"] for row in again.objects[-1]["sources"]] == ["s1", "s0"]
    assert not saved & later
    assert len(names) == len(set(names)) == 22
    assert all(Path(path).exists() for path in saved | later)
