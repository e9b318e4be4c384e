"""`dyvine sync add`, `list` and `remove`: what people type, what they read, what stands in their file."""

from __future__ import annotations

import asyncio
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.archive.base import CheckedSource
from dyvine_cli.archive.sqlite import SqliteArchive
from tests.cli.conftest import Program, valid

A = "https://www.douyin.com/user/MS4wLjABAAAAaaaaaaaaaaaaaaaa"
MIX = "https://www.douyin.com/collection/7300000000012000036"


@pytest.fixture
def file(dyvine: Program) -> Path:
    """The configuration of somebody with a folder and a comment."""
    dyvine.home.mkdir()
    path = dyvine.home / "config.toml"
    path.write_text('# mine\npath = "/srv/videos"\n', encoding="utf-8")
    return path


def entries(file: Path) -> list[dict[str, Any]]:
    """The sources that stand in a file."""
    found: list[dict[str, Any]] = tomllib.loads(file.read_text("utf-8")).get("source", [])
    return found


def test_a_link_is_added_again_with_a_name_of_its_own(dyvine: Program, file: Path) -> None:
    """Each has its settings; the same name twice is the same source."""
    first = dyvine.inside("sync", "add", A, "--name", "all")
    other = dyvine.inside("sync", "add", A, "--name", "videos", "--kind", "video", "--quality", "720")
    again = dyvine.inside("sync", "add", A, "--name", "videos")
    listed = dyvine.inside("sync", "list")

    assert (first.code, other.code, again.code) == (0, 0, 0)
    assert other.lines == [f"added videos  {A}"]
    assert "is already there as videos" in again.err
    assert "as all" not in again.err
    assert [line.split()[0] for line in listed.lines] == ["NAME", "all", "videos"]


def test_sources_are_added_listed_and_removed(dyvine: Program, file: Path) -> None:
    """The way of a source through the program, as a process; the file is in the end what it was."""
    before = file.read_bytes()
    added = dyvine("sync", "add", A, MIX, "--tag", "friends,daily", "--every", "6h", "--depth", "newest")
    again = dyvine.inside("sync", "add", A)
    listed = dyvine.inside("sync", "list", "friends")
    removed = dyvine.inside("sync", "remove", "daily")

    assert (added.code, added.err) == (0, "")
    assert added.lines == [f"added douyin-aaaaaaaa  {A}", f"added mix-12000036  {MIX}"]
    assert (again.code, again.out) == (0, "")
    assert again.err.startswith(f"{A} is already there as douyin-aaaaaaaa; it stays as it is (another --name")
    assert [line.split() for line in listed.lines] == [
        ["NAME", "WHAT", "TAGS", "EVERY", "LINK"],
        ["douyin-aaaaaaaa", "user,", "newest", "friends", "daily", "6h", A],
        ["mix-12000036", "mix,", "newest", "friends", "daily", "6h", MIX],
    ]
    assert removed.lines == [f"removed douyin-aaaaaaaa  {A}", f"removed mix-12000036  {MIX}"]
    assert file.read_bytes() == before


def test_a_removed_source_leaves_no_check_behind(dyvine: Program, file: Path) -> None:
    """The others' stay; an archive is not needed, not made for it, and a damaged one is no hindrance."""
    place = dyvine.home / "state" / "archive.sqlite3"
    dyvine.inside("sync", "add", A, "--name", "ann")
    dyvine.inside("sync", "add", MIX, "--name", "mix")
    place.parent.mkdir(exist_ok=True)
    asyncio.run(check(place, A, MIX))
    removed = dyvine.inside("sync", "remove", "ann")
    left = asyncio.run(links(place))
    place.write_bytes(b"damaged" * 1000)
    warned = dyvine.inside("sync", "remove", "mix")
    place.unlink()
    dyvine.inside("sync", "add", A, "--name", "ann")
    without = dyvine.inside("sync", "remove", "ann")

    assert (removed.code, removed.err, left) == (0, "", [MIX])
    assert (warned.code, len(warned.complaints("warning"))) == (0, 1)
    assert (without.code, without.err, place.exists()) == (0, "", False)


async def check(place: Path, *found: str) -> None:
    """Put a check of these links on record."""
    archive, now = SqliteArchive.open(place), datetime.now(UTC)
    for link in found:
        facts: dict[str, Any] = {"ref": None, "title": "", "began": now, "ended": now, "state": "complete"}
        await archive.add_checked(CheckedSource(link=link, what=None, **facts))
    await archive.aclose()


async def links(place: Path) -> list[str]:
    """The links of which a check is on record."""
    archive = SqliteArchive.open(place)
    found = [each.link for each in await archive.checked()]
    await archive.aclose()
    return found


def test_options_are_kept_with_the_source(dyvine: Program, file: Path) -> None:
    """Each option that says what is taken stands in the file as a person would write it."""
    dyvine.inside(
        "sync", "--quality", "1080p", "add", A, "--name", "Anna", "--kind", "video,images", "--since", "today-2weeks",
        "--limit", "5", "--codec", "h264", "--max-height", "1080", "--max-filesize", "50M", "--no-sound",
        "--write-subs", "--convert-subs", "srt", "-o", "{id}.{ext}", "-P", "own", "--profile", "a,b", "--likes",
    )  # fmt: skip

    assert entries(file) == [
        {
            "url": A, "name": "Anna", "listing": "likes", "kind": ["video", "images"], "since": "today-2weeks",
            "limit": 5, "quality": "1080p", "codec": "h264", "max_height": 1080, "max_filesize": "50M",
            "output": "{id}.{ext}", "path": str(dyvine.work / "own"), "sound": False, "write_subs": True,
            "convert_subs": "srt", "profile": ["a", "b"],
        }
    ]  # fmt: skip
    assert dyvine.inside("config", "check").code == 0


@pytest.mark.parametrize("verb", [["list"], ["add", A, MIX], ["remove", "x"]], ids=lambda verb: verb[0])
def test_objects_are_of_their_schema(dyvine: Program, file: Path, verb: list[str]) -> None:
    """With --json each source is an object; its link holds no login."""
    with file.open("a") as more:
        more.write(
            '[[source]]\nurl = "https://me:5ecre7@www.douyin.com/user/self?token=5ecre7"\nname = "x"\n'
        )
        more.write("since = 2026-01-01\nto = []\nevery = '1d'\nkind = ['video']\npath = '/own'\n")
    done = dyvine.inside("sync", *verb, "--json")

    assert done.objects
    assert [valid("source", each)["type"] for each in done.objects] == ["source"] * len(done.objects)
    assert "5ecre7" not in done.out + done.err


MISTAKES = [
    (["add"], 2, "nothing to add", "-a FILE"),
    (["add", A, "--tag", "a b"], 2, "--tag: 'a b' is no tag", ""),
    (["add", A, "--every", "seldom"], 2, "--every: 'seldom' is no duration", ""),
    (["add", A, "--depth", "deep"], 2, "--depth: 'deep' is none of all, newest", ""),
    (["add", A, "--since", "soon"], 2, "--since: 'soon' is no date", ""),
    (["add", A, "--overwrite"], 2, "--overwrite is for one run", "sync run"),
    (["add", A, "--print", "path"], 2, "--print is for one run", "sync run"),
    (["add", A, MIX, "--name", "x"], 2, "one name is given for 2 sources", "--tag"),
    (["add", A, "--no-config"], 2, "--no-config says that there is none", "--config FILE"),
    (["add", MIX, "--likes"], 2, "is a mix, and only accounts have likes", "--likes"),
    (
        ["add", "douyin:post:7691173170486214656"],
        2,
        "is a post",
        "dyvine get douyin:post:7691173170486214656",
    ),
    (["add", A, "-a", "missing.txt"], 2, "--batch-file: missing.txt cannot be read", "one link a line"),
    (["list", "freinds"], 2, "no source is called 'freinds'", "did you mean 'friends'?"),
    (["remove"], 2, "nothing to remove", "sync list"),
    (["remove", "freinds"], 2, "no source is called 'freinds'", "did you mean 'friends'?"),
    (["remove", "friends", "--no-config"], 2, "--no-config says that there is none", "--config FILE"),
]


@pytest.mark.parametrize(
    ("line", "code", "cause", "cure"), MISTAKES, ids=[" ".join(line).replace(A, "A") for line, *_ in MISTAKES]
)
def test_a_mistake_is_told_and_changes_nothing(
    dyvine: Program, file: Path, line: list[str], code: int, cause: str, cure: str
) -> None:
    """One line with the cause, one with the cure, and the file as it was."""
    with file.open("a") as more:
        more.write('[[source]]\nurl = "x"\ntags = ["friends"]\n')
    before = file.read_bytes()
    done = dyvine.inside("sync", *line)

    assert done.code == code
    assert cause in "".join(done.complaints())
    assert cure in "".join(done.complaints("hint"))
    assert file.read_bytes() == before


def test_the_first_source_brings_the_configuration(dyvine: Program) -> None:
    """Without a file, -P is the folder that the new one names; without -P nothing is made up."""
    without = dyvine.inside("sync", "add", A)
    with_it = dyvine.inside("sync", "add", A, "-P", "videos")
    file = dyvine.home / "config.toml"

    assert (without.code, with_it.code) == (2, 0)
    assert "-P /srv/videos" in "".join(without.complaints("hint"))
    assert f"{file} is new: {dyvine.work / 'videos'} is its path" in with_it.err
    assert f'path = "{dyvine.work / "videos"}"' in file.read_text("utf-8")
    assert entries(file) == [{"url": A, "name": "douyin-aaaaaaaa"}]


def test_the_named_file_is_the_one_that_is_edited(dyvine: Program, file: Path) -> None:
    """--config and DYVINE_CONFIG, also for a file that is not there yet."""
    first, second = dyvine.work / "first.toml", dyvine.work / "second.toml"
    dyvine.inside("sync", "add", A, "--config", first, "-P", "/srv")
    dyvine.inside("sync", "add", MIX, env={"DYVINE_CONFIG": str(second), "DYVINE_PATH": "/srv"})

    assert [each["url"] for path in (first, second) for each in entries(path)] == [A, MIX]
    assert entries(file) == []
    assert dyvine.inside("sync", "remove", A, "--config", first).code == 0
    assert entries(first) == []


def test_a_batch_is_added_and_its_bad_lines_are_told(dyvine: Program, file: Path) -> None:
    """Lines that cannot be used have their number, the others are sources, status 3; a dry run writes nothing."""
    (dyvine.work / "links.txt").write_text(
        f"# mine\n{A}\r\n\nhttps://example.com/x\n{MIX}\n", encoding="utf-8"
    )
    before = file.read_bytes()
    dry = dyvine.inside("sync", "add", "-s", "-a", "links.txt")
    unchanged = file.read_bytes()
    done = dyvine.inside("-q", "sync", "add", "-a", "links.txt", "--tag", "b")

    assert (dry.code, dry.lines) == (3, [f"would add douyin-aaaaaaaa  {A}", f"would add mix-12000036  {MIX}"])
    assert unchanged == before
    assert (done.code, done.out) == (3, "")
    assert "line 4: " in done.complaints()[0]
    assert [each["tags"] for each in entries(file)] == [["b"], ["b"]]


def test_sources_without_a_folder_are_warned_about(dyvine: Program, file: Path) -> None:
    """Who adds sources to a configuration without `path` is told before cron is."""
    file.write_text("# nothing\n", encoding="utf-8")

    assert "no setting names one" in dyvine.inside("sync", "add", A).complaints("warning")[0]
    assert dyvine.inside("sync", "add", MIX, "-P", "own").err == ""


def test_no_sources_are_said_to_be_none(dyvine: Program) -> None:
    """An empty list is a sentence for a person and nothing for a pipe."""
    done = dyvine.inside("sync", "list")

    assert (done.code, done.out) == (0, "")
    assert done.err == "there are no sources yet; to add some: dyvine sync add LINK\n"
    assert dyvine.inside("sync", "list", "--json").out == ""


def test_tags_are_words(dyvine: Program, file: Path) -> None:
    """Blanks around them and doubles are dropped; an empty one is told, with nothing written."""
    before = file.read_bytes()
    empty = dyvine.inside("sync", "add", A, "--tag", "a,")
    unchanged = file.read_bytes() == before
    done = dyvine.inside("sync", "add", A, "--tag", "a, b", "--tag", "b")

    assert (empty.code, empty.complaints(), unchanged) == (2, ["--tag: a tag is empty"], True)
    assert (done.code, entries(file)[0]["tags"]) == (0, ["a", "b"])


def test_a_link_that_no_site_knows_is_called_so(dyvine: Program, file: Path) -> None:
    """It may have been written by hand; a short link is another thing."""
    file.write_text(
        '[[source]]\nurl = "https://example.org/a"\n[[source]]\nurl = "https://v.douyin.com/Lsjh2ZvriQo/"\n'
    )
    rows = dyvine.inside("sync", "list").lines

    assert ["unknown link" in rows[1], "short link" in rows[2]] == [True, True]


def test_an_archive_that_cannot_be_used_keeps_no_source_out(dyvine: Program, file: Path) -> None:
    """The configuration is another file."""
    (dyvine.home / "state").mkdir()
    (dyvine.home / "state" / "archive.sqlite3").write_bytes(b"no database" * 1000)
    done = dyvine.inside("sync", "add", A)

    assert (done.code, done.err, len(entries(file))) == (0, "", 1)
