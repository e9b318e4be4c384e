"""`dyvine doctor` as a person runs it: its lines, its objects, its record, and what goes over the wire."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.simulator.app import Simulator
from dyvine_cli.simulator.world import World
from tests.cli.conftest import Program
from tests.test_encode import check

VIDEO = f"https://www.douyin.com/video/{World.SMALL}"


def of_schema(found: list[Any]) -> list[Any]:
    """The objects, once the published schema takes them and names all that they say."""
    for each in found:
        check(each, "doctor")
    return found


def test_one_line_a_stage(dyvine: Program) -> None:
    """State, stage and what was found; nothing on stderr, and status 0."""
    done = dyvine("doctor", "看看", VIDEO, "复制打开抖音")

    assert (done.code, done.err) == (0, "")
    assert [line.split()[0] for line in done.lines].count("ok") == len(done.lines) - 3
    assert any(line.startswith("ok         post embed       douyin:post:") for line in done.lines)


def test_a_failed_stage_has_its_cause_and_cure(dyvine: Program, platform: Simulator) -> None:
    """Error name, message and hint; what needs it is not tried; the status is that of the error."""
    platform.faults.set("signed-closed")
    done = dyvine("doctor", VIDEO)
    at = next(index for index, line in enumerate(done.lines) if line.startswith("failed"))

    assert done.code == 6
    assert "signature" in done.lines[at]
    assert "SignatureRejected: " in done.lines[at]
    assert done.lines[at + 1].strip().startswith("hint: ")
    assert "needs signature" in next(line for line in done.lines if "listing" in line)


def test_stages_as_objects(dyvine: Program, platform: Simulator) -> None:
    """One JSON object a line, errors with the fields that they have everywhere."""
    platform.faults.set("edge-429")
    done = dyvine("doctor", VIDEO, "--json")
    guest = next(each for each in done.objects if each["stage"] == "guest")

    assert done.code == 6
    assert {each["state"] for each in of_schema(done.objects)} == {"ok", "failed", "not tried"}
    assert guest["state"] == "failed"
    assert guest["failed"]["error"] == "RateLimited"
    assert guest["failed"]["exit_code"] == 6


def test_a_link_of_nobody_is_wrong_input(dyvine: Program) -> None:
    """It is told before anything is asked."""
    done = dyvine("doctor", "https://example.org/1")

    assert done.code == 2
    assert done.out == ""


# --- the record ---------------------------------------------------------------------------------------------------------


def test_a_record_can_be_read_again_offline(dyvine: Program) -> None:
    """Every answer with a parser is read; the file is for its owner's eyes only."""
    made = dyvine("doctor", VIDEO, "--bundle", "record.json")
    read = dyvine(
        "doctor", "--replay", "record.json", "--json", env={"DYVINE_CONNECT_TO": "*:80:127.0.0.1:9"}
    )
    states = {each["endpoint"]: each["state"] for each in of_schema(read.objects)}

    assert made.code == read.code == 0
    assert stat.S_IMODE((dyvine.work / "record.json").stat().st_mode) == 0o600
    assert {"aweme/detail", "detail (embed)", "aweme/post", "page", "app feed"} <= states.keys()
    assert set(states.values()) == {"ok", "no parser"}


@pytest.mark.parametrize("field", ["author", "create_time", "desc"], ids=str)
def test_a_field_that_breaks_is_named(dyvine: Program, platform: Simulator, field: str) -> None:
    """What the platform changed stands in the record, and the reading says which field; status 8 if it breaks."""
    platform.faults.set("detail-field-missing", value=field)
    dyvine("doctor", VIDEO, "--bundle", "record.json")
    read = dyvine("doctor", "--replay", "record.json")
    broken = [line for line in read.lines if line.startswith("breaks")]

    assert read.code == (8 if broken else 0)
    assert all(field in line for line in broken)
    assert bool(broken) == (field != "desc")


def test_a_record_is_written_although_stages_fail(dyvine: Program, platform: Simulator) -> None:
    """That is when it is wanted; it holds the findings, too."""
    platform.faults.set("api-empty")
    done = dyvine("doctor", VIDEO, "--bundle", "record.json")
    record = json.loads((dyvine.work / "record.json").read_text(encoding="utf-8"))
    read = dyvine("doctor", "--replay", "record.json")

    assert done.code == 6
    assert (
        next(each for each in record["findings"] if each["stage"] == "guest")["failed"]["error"]
        == "RiskControl"
    )
    assert any(line.startswith("refused    query/user") for line in read.lines)
    assert read.code == 0


def test_a_record_replaces_a_file_and_follows_no_link(dyvine: Program) -> None:
    """A planted link is replaced, what it leads to is left alone."""
    other = dyvine.work / "other"
    other.write_text("mine")
    (dyvine.work / "record.json").symlink_to(other)
    dyvine("doctor", "--bundle", "record.json")

    assert other.read_text() == "mine"
    assert not (dyvine.work / "record.json").is_symlink()
    assert dyvine.names == ["other", "record.json"]


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "[]",
        "{",
        '{"exchanges": 1}',
        '{"v": 99, "exchanges": []}',
        '{"v": 1, "exchanges": [{}]}',
        "[" * 10**5,
    ],
    ids=["missing", "empty", "list", "cut", "odd", "newer", "odd-exchange", "deep"],
)
def test_a_file_that_is_no_record_is_wrong_input(dyvine: Program, content: str | None) -> None:
    """It is named, and nothing breaks."""
    if content is not None:
        (dyvine.work / "record.json").write_text(content)
    done = dyvine("doctor", "--replay", "record.json")

    assert done.code == 2
    assert "record.json" in done.complaints()[0]
    assert "Traceback" not in done.err


def test_a_record_where_nothing_can_be_written_is_a_disk_error(dyvine: Program) -> None:
    """The findings are shown all the same."""
    done = dyvine("doctor", "--bundle", f"{'x' * 300}.json")

    assert done.code == 10
    assert done.lines


@pytest.mark.parametrize("place", [".", "missing/record.json"], ids=["a folder", "no folder"])
def test_a_record_that_cannot_have_its_name_is_told_at_once(dyvine: Program, place: str) -> None:
    """Nothing is examined whose record would be lost."""
    done = dyvine.inside("doctor", "--bundle", place)

    assert done.code == 2
    assert "--bundle: " in done.complaints()[0]
    assert done.complaints("hint")
    assert done.lines == []


# --- what is told of the wire -------------------------------------------------------------------------------------------


def test_v_names_route_status_bytes_and_time(dyvine: Program) -> None:
    """A line for each call on stderr; stdout stays data."""
    done = dyvine("-v", "post", VIDEO, "--print", "path")
    call = next(line for line in done.err.splitlines() if "detail (embed): GET" in line)

    assert "https://www.douyin.com/aweme/v1/web/aweme/detail/: status 200, " in call
    assert call.endswith(" ms")
    assert " bytes, " in call
    assert all(Path(line).is_file() for line in done.lines)


def test_traffic_shows_both_sides(dyvine: Program) -> None:
    """Method, host, path, harmless parameters, header names; status, type, size, time, the start of the body."""
    done = dyvine("--print-traffic", "post", VIDEO, "--print", "path")
    asked = next(line for line in done.err.splitlines() if "> GET" in line and "aweme/detail" in line)
    came = next(line for line in done.err.splitlines() if '"aweme_detail"' in line)
    media = next(line for line in done.err.splitlines() if "> GET" in line and "douyinvod.com" in line)

    assert f"aweme_id={World.SMALL}&aid=6383 " in asked
    assert "< 200 application/json" in came
    assert came.endswith("…")
    assert len(came) < 500
    assert "x-expires" not in media
    assert all(Path(line).is_file() for line in done.lines)


def test_traffic_is_silent_unless_asked_for(dyvine: Program) -> None:
    """-v alone shows no body."""
    done = dyvine("-vv", "post", VIDEO)

    assert "dyvine_cli.traffic" not in done.err


def test_signing_constants_are_named_in_the_configuration(dyvine: Program) -> None:
    """`[douyin] sign` leads to the file; a mistake in it names file and key."""
    (dyvine.work / "sign.toml").write_text('[web_signature]\nsalt = "another"\n')
    (dyvine.work / "odd.toml").write_text("[dhzx]\nsalt = 1\n")
    for name in ("sign", "odd"):
        (dyvine.work / f"c-{name}.toml").write_text(f'[douyin]\nsign = "{dyvine.work / name}.toml"\n')
    refused = dyvine("doctor", VIDEO, "--config", "c-sign.toml")
    wrong = dyvine("doctor", VIDEO, "--config", "c-odd.toml")

    assert refused.code == 6
    assert "failed     signature" in refused.out
    assert wrong.code == 2
    assert "odd.toml: dhzx: salt" in wrong.complaints()[0]
