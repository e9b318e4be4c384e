"""The way of a post to the disk: what is fetched, what is passed over, what fails and how that is told."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote

import pytest

from dyvine_cli.events import Failed, Finished, Saved, Skipped, Started, Waiting, Warned
from dyvine_cli.models import Ref
from dyvine_cli.simulator.world import World
from dyvine_cli.transfer.partial import Part, Promise

from .conftest import Outcome, Person

pytestmark = pytest.mark.anyio

SMALL = Ref("douyin", "post", World.SMALL)
IMAGES = Ref("douyin", "post", World.IMAGES)


def media(person: Person) -> int:
    """How many requests for media were served."""
    return sum(1 for each in person.platform.requests if each.kind)


def passed(outcome: Outcome) -> list[tuple[str | None, str, bool]]:
    """Asset, reason and whether a path is named, of everything that was passed over."""
    return [(each.asset, each.reason, each.path is not None) for each in outcome.of(Skipped)]


async def test_a_post_comes_to_disk_once(person: Person) -> None:
    """One file with the post's time; a second call fetches nothing and reports the path as if saved."""
    first = await person.get(str(SMALL))
    served = media(person)
    second = await person.get(str(SMALL))
    (path,) = person.files()
    (saved,) = first.of(Saved)

    assert (first.code, second.code) == (0, 0)
    assert saved.path == path
    assert saved.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.stat().st_mtime == saved.post.created.timestamp()  # type: ignore[union-attr]
    assert media(person) == served
    assert [(each.path, each.post is not None) for each in second.of(Skipped)] == [(path, True)]
    assert (second.summary.files, second.summary.known) == (0, 1)


async def test_a_named_post_whose_file_is_gone_is_fetched_again(person: Person) -> None:
    """A row without its file does not count where the post itself was named."""
    await person.get(str(SMALL))
    (path,) = person.files()
    path.unlink()
    again = await person.get(str(SMALL))

    assert again.summary.files == 1
    assert person.files() == [path]


async def test_a_list_trusts_the_archive(person: Person) -> None:
    """What a list brings and the archive knows does not come back, moved, renamed or deleted as it may be."""
    account = f"douyin:user:{World.ACCOUNTS[1]}"
    await person.get(account)
    for path in person.files():
        path.unlink()
    again = await person.get(account)

    assert again.code == 0
    assert person.files() == []
    assert again.balance.known == 1


async def test_a_file_that_was_cut_off_is_fetched_again(person: Person) -> None:
    """A recorded file of another size is not the one that was recorded; the person's file is not overwritten."""
    await person.get(str(SMALL))
    (path,) = person.files()
    os.truncate(path, 1000)
    again = await person.get(str(SMALL))
    replaced = await person.get(str(SMALL), overwrite=True)

    assert again.code == 10
    assert "--overwrite" in str(again.of(Failed)[0].error.hint)
    assert replaced.code == 0
    assert path.stat().st_size == 300_000


async def test_a_whole_file_without_a_row_is_adopted(person: Person) -> None:
    """After a crash between rename and row the file is recorded, not fetched, and no bytes are claimed."""
    await person.get(str(IMAGES))
    for path in (person.home / "state").rglob("archive.sqlite3*"):
        path.unlink()
    served = media(person)
    again = await person.get(str(IMAGES))
    third = await person.get(str(IMAGES))

    assert again.code == 0
    assert media(person) == served
    assert (again.summary.files, again.summary.size, again.summary.known) == (0, 0, 1)
    assert not again.of(Saved)
    assert all(reason == "known" and named for _, reason, named in passed(again))
    assert not third.of(Started)


async def test_overwrite_and_no_archive(person: Person) -> None:
    """`--overwrite` fetches and replaces; without an archive the file that is there already counts."""
    await person.get(str(SMALL))
    (path,) = person.files()
    before = path.stat().st_ino
    replaced = await person.get(str(SMALL), overwrite=True)
    unarchived = await person.get(str(SMALL), no_archive=True)

    assert replaced.summary.files == 1
    assert path.stat().st_ino != before
    assert unarchived.summary.files == 0
    assert unarchived.code == 0


async def test_another_quality_of_a_named_post_is_fetched(person: Person) -> None:
    """A recorded file satisfies a call only if it is the rendition that the options ask for."""
    post = f"douyin:post:{World.VIDEO}"
    await person.get(post, quality="worst")
    same = await person.get(post, quality="worst")
    plain = await person.get(post)
    other = await person.get(post, quality="720", overwrite=True)

    assert [same.summary.files, plain.summary.files, other.summary.files] == [0, 0, 1]


async def test_twins_are_two_files(person: Person) -> None:
    """Two posts with the same second and the same text do not take each other's name."""
    outcome = await person.get(*(f"douyin:post:{id}" for id in World.TWINS))

    assert outcome.summary.files == 2
    assert len(person.files()) == 2


async def test_links_that_end_midway_are_asked_for_once(person: Person) -> None:
    """When a post's links have run out, the post is asked for once more, whatever number of files it has."""
    person.platform.faults.set("expired-link", value="once")
    outcome = await person.get(str(IMAGES), parallel=16)

    assert outcome.code == 0
    assert outcome.summary.files == 13
    assert len(person.calls("/aweme/detail/")) == 2


async def test_a_failed_asset_is_recorded_and_mended(person: Person) -> None:
    """The cause stands in the archive until the next run has the file; the other files are there already."""
    person.platform.faults.set("404", where="sound")
    first = await person.get(str(IMAGES))
    async with person.at_work() as workspace:
        failed = await workspace.archive.failed(IMAGES)
        known = await workspace.archive.knows(IMAGES)
    person.platform.faults.clear()
    second = await person.get(str(IMAGES))
    async with person.at_work() as workspace:
        mended = await workspace.archive.failed(IMAGES)

    assert first.code == 9
    assert {name: row.error for name, row in failed.items()} == {"sound": "LinkExpired"}
    assert not known
    assert first.of(Finished)[0].state == "failed"
    assert (second.code, second.summary.files) == (0, 1)
    assert mended == {}


async def test_the_pictures_of_an_article_are_the_files_beside_it(person: Person) -> None:
    """Every link of the text leads to a saved file, and the heading does not end in half a hashtag."""
    await person.get(f"douyin:post:{World.ARTICLE}")
    (text,) = [path for path in person.files() if path.suffix == ".md"]
    links = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text.read_text(encoding="utf-8"))

    assert links
    assert all((text.parent / unquote(link)).is_file() for link in links)
    assert not text.read_text(encoding="utf-8").splitlines()[0].endswith("#")


async def test_our_own_file_gives_way_to_the_rendition_that_is_asked_for(person: Person) -> None:
    """A recorded file that still is what was saved is replaced; what a person changed is left alone."""
    post = f"douyin:post:{World.VIDEO}"
    await person.get(post, quality="worst")
    (path,) = person.files()
    before = path.stat().st_size
    replaced = await person.get(post, quality="720")
    after = path.stat().st_size
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    refused = await person.get(post, quality="worst")

    assert (replaced.code, replaced.summary.files, person.files()) == (0, 1, [path])
    assert before != after
    assert refused.code == 10
    assert path.read_bytes() == data
    assert str(path) in refused.of(Failed)[0].error.message


async def test_another_place_is_told_where_the_file_stands(person: Person) -> None:
    """What was saved elsewhere is not saved again, and is told once with the way to a copy here."""
    await person.get(str(SMALL), str(IMAGES))
    (path,) = [path for path in person.files() if World.SMALL in path.name]
    again = await person.get(str(SMALL), str(IMAGES), path=str(person.home / "other"))
    (warned,) = again.of(Warned)
    same = await person.get(str(SMALL))

    assert again.code == 0
    assert str(path.parent) in warned.message
    assert "--no-archive" in (warned.hint or "")
    assert not same.of(Warned)


async def test_a_file_that_another_run_fetches_is_waited_for_in_the_open(person: Person) -> None:
    """It is said once which run has the file; one that adds nothing for a minute ends the wait."""
    (would,) = (await person.get(str(SMALL), simulate=True)).of(Skipped)
    assert would.path is not None
    part = Part.open(would.path, person.folder, "another's")
    assert part is not None
    with closing(part):
        part.begin(Promise(300_000, '"a"'))
        outcome = await person.get(str(SMALL))
    waits = [each.reason for each in outcome.of(Waiting)]

    assert outcome.code == 14
    assert waits == [f"another run (pid {os.getpid()}) is fetching {would.path.name}"]


async def test_a_post_that_no_limit_lets_through_is_filtered(person: Person) -> None:
    """Nothing of it fits: it is neither saved nor known, and comes once the limit is gone."""
    none = await person.get(str(SMALL), max_height=100)
    async with person.at_work() as workspace:
        known = await workspace.archive.knows(SMALL)
    later = await person.get(str(SMALL))

    assert none.of(Finished)[0].state == "filtered"
    assert (none.code, none.summary.known, known) == (0, 0, False)
    assert later.summary.files == 1


LIES = {
    "a captcha page": ("html-200", 9),
    "JSON": ("json-200", 9),
    "nothing": ("empty-200", 9),
    "a picture": ("jpeg-for-video", 9),
    "half a file": ("short-file", 9),
}


@pytest.mark.parametrize(("fault", "code"), LIES.values(), ids=LIES.keys())
async def test_what_is_no_video_never_gets_its_name(person: Person, fault: str, code: int) -> None:
    """Whatever a media host sends instead leaves no file, and has its status."""
    person.platform.faults.set(fault)
    outcome = await person.get(str(SMALL), retries=0)

    assert outcome.code == code
    assert [path for path in person.files() if not path.name.endswith((".part", ".part.json"))] == []


async def test_simulate_touches_nothing(person: Person) -> None:
    """The paths are told, and neither a file nor a row comes of it."""
    outcome = await person.get(str(IMAGES), simulate=True)
    async with person.at_work() as workspace:
        known = await workspace.archive.saved_assets(IMAGES)

    assert outcome.code == 0
    assert len(outcome.of(Skipped)) == 13
    assert all(each.reason == "simulated" and each.path for each in outcome.of(Skipped))
    assert not person.folder.exists()
    assert not known
    assert media(person) == 0


async def test_sidecars_and_extras(person: Person) -> None:
    """Only what was asked for lies beside the media."""
    await person.get(
        f"douyin:post:{World.VIDEO}", write_info_json=True, write_thumbnail=True, write_sound=True
    )
    names = [name.partition(World.VIDEO)[2] for name in person.names()]

    assert len(names) == 4
    assert {name.rpartition(".")[2] for name in names} == {"mp4", "mp3", "jpg", "json"}


async def test_an_article_of_a_list_is_asked_for_itself(person: Person) -> None:
    """Lists cut its text; the file holds all of it."""
    await person.get(f"douyin:user:{World.SAMPLES}", kind="article")
    (text,) = [path for path in person.files() if path.suffix == ".md"]

    assert len(text.read_text(encoding="utf-8")) > 600
    assert len(person.calls("/aweme/detail/")) == 1


async def test_posts_that_are_not_for_us_fail_in_a_list_alone(person: Person) -> None:
    """A login-only and a paid post of an account have their causes; the others come."""
    outcome = await person.get(f"douyin:user:{World.SAMPLES}", simulate=True)

    assert outcome.code == 3
    assert outcome.balance.reasons == {"LoginNeeded": 1, "Paid": 1}
    assert (outcome.balance.saved, outcome.balance.failed) == (18, 2)


@pytest.fixture
def tiny(tmp_path: Path) -> list[str]:
    """A command that runs another in a name space of its own, where `full` is a disk of 2 MB."""
    folder = tmp_path / "full"
    folder.mkdir()
    script = f'mount -t tmpfs -o size=2m tmpfs "{folder}" && exec "$0" "$@"'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]
    if (
        sys.platform != "linux"
        or subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    ):
        return []
    return command


def test_a_full_disk_ends_the_run(person: Person, tiny: list[str]) -> None:
    """No space left is status 10, said once for the run; nothing broken stands under a final name."""
    limits = ["sh", "-c", 'ulimit -f 2000; trap "" XFSZ; exec "$0" "$@"']
    program = [sys.executable, "-m", "dyvine_cli", "user", f"douyin:user:{World.ACCOUNTS[63]}", "-N", "1"]
    env = {
        **os.environ,
        "DYVINE_HOME": str(person.home / "state"),
        "DYVINE_CONNECT_TO": person.platform.connect_to,
        "DYVINE_PATH": str(person.home / "full"),
    }
    run = [*(tiny or limits), *program, "--pace", "off"]
    done = subprocess.run(run, env=env, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 10, done.stderr
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("error:")]) <= 2
    assert len(person.calls("/aweme/post/")) <= 2
