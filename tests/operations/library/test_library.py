"""What a person does with the archive: looking, checking, repairing, forgetting, ignoring, rebuilding."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.archive.base import SavedAsset
from dyvine_cli.archive.database import open_reading
from dyvine_cli.archive.holdings import FileFilter
from dyvine_cli.archive.sqlite import SqliteArchive
from dyvine_cli.errors import DiskError, InputError
from dyvine_cli.events import Event, Failed, Saved, Skipped, Summarized, Warned
from dyvine_cli.models import Ref
from dyvine_cli.operations.asked import Asked
from dyvine_cli.operations.library import contents, rebuild
from dyvine_cli.operations.library.contents import FailedAsset, RecordedFile, Row, Wanted
from dyvine_cli.operations.library.repair import Repair, look_for_one
from dyvine_cli.operations.library.verify import Finding, Verified, findings, verify
from dyvine_cli.operations.selection import Selection
from dyvine_cli.operations.workspace import archive_place, open_archive
from dyvine_cli.simulator.world import World

from ...archive.test_sqlite import unprivileged
from ..conftest import Outcome, Person

pytestmark = pytest.mark.anyio

SMALL = Ref("douyin", "post", World.SMALL)
IMAGES = Ref("douyin", "post", World.IMAGES)
NOTE = Ref("douyin", "post", World.NOTE)
ACCOUNT = Ref("douyin", "user", World.ACCOUNTS[1])


@pytest.fixture
async def keeper(person: Person) -> Person:
    """Someone who has three posts: a video, twelve pictures with their sound, a note."""
    await person.get(str(SMALL), str(IMAGES), str(NOTE))
    return person


async def rows(person: Person, *asked: str, **wanted: Any) -> list[Row]:
    """What `archive list` gives."""
    found: list[Row] = []
    async with person.at_work() as workspace:
        await contents.listed(
            workspace, [Asked(each) for each in asked], Wanted(**wanted), found.append, lambda event: None
        )
    return found


def names(found: Sequence[Row]) -> list[str]:
    """Post and asset of files, sorted by the archive."""
    return [f"{each.saved.ref.id} {each.saved.asset}" for each in found if isinstance(each, RecordedFile)]


async def checked(
    person: Person, *asked: str, deep: bool = False, **wanted: Any
) -> tuple[list[tuple[str, str]], int]:
    """What `archive verify` finds, as asset and state, and its status."""
    found: list[Finding] = []
    async with person.at_work() as workspace:
        things = [Asked(each) for each in asked]
        _, code = await verify(
            workspace,
            things,
            Wanted(**wanted),
            found.append,
            lambda state: None,
            lambda event: None,
            deep=deep,
        )
    return [(each.file.asset, each.state) for each in found], code


async def repaired(
    person: Person, *asked: str, deep: bool = False, simulate: bool = False, wish: Selection | None = None
) -> Outcome:
    """A run of `archive repair`."""
    events: list[Event] = []
    async with person.at_work(events) as workspace:
        job = Repair(workspace, wish or Selection(), events.append, deep=deep, simulate=simulate)
        code = await job.run(
            [Asked(each) for each in asked], Wanted(), lambda found: None, lambda state: None
        )
    return Outcome(code, events)


def file(person: Person, ending: str) -> Path:
    """The one file whose name ends so."""
    (found,) = [each for each in person.files() if each.name.endswith(ending)]
    return found


def scratch(path: Path) -> None:
    """Change one byte in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


# --- looking ----------------------------------------------------------------------------------------------------------


async def test_files_of_posts_and_accounts_are_listed(keeper: Person) -> None:
    """By ref, by link, by the account's id, number or handle, and by kind; each file once."""
    async with keeper.at_work() as workspace:
        (row,) = await workspace.archive.files(FileFilter(post=SMALL))
        author = await workspace.archive.user("douyin", row.saved.user)
    assert author is not None
    whole = names(await rows(keeper))
    of_author = names(await rows(keeper, f"douyin:user:{author.id}"))

    assert len(whole) == len(keeper.files())
    assert names(await rows(keeper, f"https://www.douyin.com/video/{SMALL.id}")) == [f"{SMALL.id} video"]
    assert f"{SMALL.id} video" in of_author
    for name in (f"douyin:user:{author.uid}", f"douyin:user:{author.names[0].handle}"):
        assert names(await rows(keeper, name, str(SMALL), name)) == of_author
    assert names(await rows(keeper, kinds=("sound",))) == [each for each in whole if each.endswith("sound")]
    assert names(await rows(keeper, site="tiktok")) == []
    assert names(await rows(keeper, limit=2)) == whole[:2]


async def test_files_are_listed_by_the_time_of_publishing(keeper: Person) -> None:
    """Both ends are included."""
    (row,) = [each for each in await rows(keeper, str(SMALL)) if isinstance(each, RecordedFile)]
    assert row.created is not None
    second = timedelta(seconds=1)

    assert names(await rows(keeper, str(SMALL), since=row.created, until=row.created)) == [
        f"{SMALL.id} video"
    ]
    assert names(await rows(keeper, str(SMALL), since=row.created + second)) == []
    assert names(await rows(keeper, str(SMALL), until=row.created - second)) == []


async def test_what_failed_is_gone_or_missing_is_listed(keeper: Person) -> None:
    """Each story by itself, also of one post or of the account that it has to do with."""
    lost = keeper.files()[0]
    lost.unlink()
    other = Ref("douyin", "post", "7372484719365098803")
    async with keeper.at_work() as workspace:
        await workspace.archive.add_failed(other, "video", "Timeout", "slow", source=ACCOUNT)
        await workspace.archive.ignore([SMALL])
    missing = await rows(keeper, state="missing")
    (failed,) = await rows(keeper, state="failed")

    assert [each.saved.path for each in missing if isinstance(each, RecordedFile)] == [lost]
    assert isinstance(failed, FailedAsset)
    assert (failed.ref, failed.source) == (other, ACCOUNT)
    assert await rows(keeper, state="failed", kinds=("sound",)) == []
    assert [
        each.ref for each in await rows(keeper, state="ignored") if not isinstance(each, RecordedFile)
    ] == [SMALL]
    with pytest.raises(InputError, match="cannot be combined"):
        await rows(keeper, state="gone", since=datetime.now(UTC))


async def test_many_failures_are_listed_in_little_memory(keeper: Person) -> None:
    """Ten thousand pass by in their order, and what is held of them stays a small part."""
    async with keeper.at_work() as workspace:
        with workspace.archive._writing() as db:  # type: ignore[attr-defined]
            db.executemany(
                "INSERT INTO failed (site, kind, post, asset, error, message, attempts, first, last)"
                " VALUES ('douyin', 'post', ?, 'video', 'Timeout', ?, 1, ?, 0)",
                ((str(number), "slow " * 50, -number) for number in range(10_000)),
            )
        seen: list[int] = []

        def show(row: Row) -> None:
            seen.append(int(row.ref.id) if isinstance(row, FailedAsset) else -1)

        tracemalloc.start()
        await contents.listed(workspace, [], Wanted(state="failed"), show, lambda event: None)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert seen == [*reversed(range(10_000))]
    assert peak < 4_000_000


async def test_nothing_of_it_asks_a_site(keeper: Person) -> None:
    """Looking, checking, forgetting and ignoring by links, ids and refs work without any network."""
    before = len(keeper.platform.requests)
    await rows(keeper, f"https://www.douyin.com/video/{SMALL.id}", SMALL.id)
    await checked(keeper, deep=True)
    async with keeper.at_work() as workspace:
        await contents.ignore(workspace, [Asked(SMALL.id)], lambda event: None)
        await contents.forget(workspace, [Asked(SMALL.id)], lambda event: None)
        await contents.overview(workspace.archive)

    assert len(keeper.platform.requests) == before


# --- checking ---------------------------------------------------------------------------------------------------------


async def test_ctrl_c_in_a_verification_keeps_its_place(
    keeper: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that is cancelled between two files leaves off behind the last one."""
    monkeypatch.setattr("dyvine_cli.operations.library.verify.SLICE", 0.0)
    places: list[Verified] = []

    async with keeper.at_work() as workspace:

        def watch(state: Verified) -> None:
            places.append(replace(state))
            if state.files == 5:
                task.cancel()

        task = asyncio.create_task(
            verify(workspace, [], Wanted(), lambda found: None, watch, lambda event: None, deep=True)
        )
        with pytest.raises(asyncio.CancelledError):
            await task
        place = await workspace.archive.verification("")

    assert place is not None
    assert place.files == places[-1].files == 5


async def test_a_whole_archive_verifies(keeper: Person) -> None:
    """Nothing is found, and the status is 0."""
    assert await checked(keeper) == ([], 0)
    assert await checked(keeper, deep=True) == ([], 0)


async def test_each_damage_is_told_apart(keeper: Person) -> None:
    """Gone, cut off, changed and unreadable; what only a deep look finds stays known to a quick one; files are not touched."""
    file(keeper, "_01.jpg").unlink()
    os.truncate(file(keeper, "_02.jpg"), 10)
    scratch(file(keeper, "_03.jpg"))
    folder = file(keeper, "_04.jpg")
    folder.unlink()
    folder.mkdir()
    before = {path: path.read_bytes() for path in keeper.files()}
    quick = await checked(keeper, str(IMAGES))
    deep = await checked(keeper, str(IMAGES), deep=True)
    again = await checked(keeper, str(IMAGES))

    assert quick == ([("picture_01", "missing"), ("picture_02", "size"), ("picture_04", "unreadable")], 3)
    assert deep == (
        [
            ("picture_01", "missing"),
            ("picture_02", "size"),
            ("picture_03", "hash"),
            ("picture_04", "unreadable"),
        ],
        3,
    )
    assert again == deep
    assert {path: path.read_bytes() for path in keeper.files()} == before


async def test_a_file_that_is_put_back_is_whole_again(keeper: Person) -> None:
    """A record of damage does not outlive the damage."""
    path = file(keeper, "_03.jpg")
    data = path.read_bytes()
    scratch(path)
    first = await checked(keeper, deep=True)
    path.write_bytes(data)

    assert first == ([("picture_03", "hash")], 3)
    assert await checked(keeper) == ([], 0)


async def test_a_pipe_planted_in_a_files_place_does_not_hang(keeper: Person) -> None:
    """Only plain files are opened."""
    path = file(keeper, "_03.jpg")
    path.unlink()
    os.mkfifo(path)
    async with asyncio.timeout(10):
        found = await checked(keeper, deep=True)

    assert found == ([("picture_03", "unreadable")], 3)


async def test_a_stopped_verification_goes_on_where_it_was(
    keeper: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run reads only the rest, and tells what the first one found, too; `full` begins anew."""
    monkeypatch.setattr("dyvine_cli.operations.library.verify.SLICE", 0.0)
    async with keeper.at_work() as workspace:
        archive = workspace.archive
        first, *_, last = [row.saved for row in await archive.files(FileFilter())]
        scratch(first.path)
        scratch(last.path)
        begun = Verified(deep=True)
        async with aclosing(findings(archive, [FileFilter()], begun, lambda state: None)) as found:
            early = [await anext(found)]
        resumed, whole = Verified(deep=True), Verified(deep=True)
        later = [each async for each in findings(archive, [FileFilter()], resumed, lambda state: None)]
        anew = [
            each async for each in findings(archive, [FileFilter()], whole, lambda state: None, full=True)
        ]

    assert [each.file.path for each in early] == [first.path]
    assert begun.files == 1
    assert [each.file.path for each in later] == [each.file.path for each in anew] == [first.path, last.path]
    assert resumed.resumed is not None
    assert whole.resumed is None
    assert resumed.files == whole.files == len(keeper.files())


# --- repairing --------------------------------------------------------------------------------------------------------


def touched(path: Path) -> tuple[int, int]:
    """What differs after any change of a file; the number of a removed one is soon another's."""
    status = path.stat()
    return status.st_ino, status.st_ctime_ns


async def test_repair_brings_back_what_is_missing_or_damaged(keeper: Person) -> None:
    """Only these files are fetched, to where they were; the others are not touched; nothing stays on record as bad."""
    kept = {path: (touched(path), path.read_bytes()) for path in keeper.files()}
    file(keeper, "_01.jpg").unlink()
    os.truncate(file(keeper, "_02.jpg"), 10)
    scratch(file(keeper, "_03.jpg"))
    file(keeper, ".md").write_text("")
    done = await repaired(keeper, deep=True)
    changed = {path for path in keeper.files() if touched(path) != kept[path][0]}

    assert done.code == 0
    assert {path: path.read_bytes() for path in keeper.files()} == {
        path: data for path, (_, data) in kept.items()
    }
    assert {each.asset for each in done.of(Saved)} >= {"picture_01", "picture_02", "picture_03"}
    assert len(changed) == 4
    assert await checked(keeper, deep=True) == ([], 0)


async def test_repair_goes_to_where_the_file_was_recorded(keeper: Person) -> None:
    """Another folder of the run does not move it."""
    path = file(keeper, ".mp4")
    path.unlink()
    keeper.folder = keeper.home / "elsewhere"
    done = await repaired(keeper, str(SMALL))

    assert [each.path for each in done.of(Saved)] == [path]
    assert not keeper.folder.exists()


async def test_a_damaged_file_stays_until_the_new_one_is_whole(keeper: Person) -> None:
    """Where media cannot be had, what there is is left alone, and the status says so."""
    path = file(keeper, ".mp4")
    os.truncate(path, 1000)
    keeper.platform.faults.set("empty-200")
    done = await repaired(keeper, str(SMALL))
    keeper.platform.faults.clear()

    assert done.code != 0
    assert path.stat().st_size == 1000
    assert (await repaired(keeper)).code == 0


async def test_a_post_that_is_gone_is_noted(keeper: Person) -> None:
    """Its files cannot come back; the archive says since when, and the others are repaired."""
    file(keeper, ".mp4").unlink()
    keeper.platform.faults.set("detail-filtered")
    done = await repaired(keeper, str(SMALL))
    keeper.platform.faults.clear()
    async with keeper.at_work() as workspace:
        gone = await workspace.archive.gone()

    assert done.code == 5
    assert [type(each.error).__name__ for each in done.of(Failed)] == ["Deleted"]
    assert [(each.ref, each.state) for each in gone] == [(SMALL, "deleted")]
    assert (await repaired(keeper)).code == 0
    async with keeper.at_work() as workspace:
        assert await workspace.archive.gone() == ()


async def test_each_file_that_stays_bad_is_told_with_its_own_cause(keeper: Person) -> None:
    """A post that is gone is a failure of each of its files; of one post every file has the cause that it met."""
    for lost in keeper.files():
        if SMALL.id in lost.name or (IMAGES.id in lost.name and re.search("_(0[123]|sound)[.]", lost.name)):
            lost.unlink()
    keeper.platform.faults.set("detail-filtered", where=SMALL.id)
    keeper.platform.faults.set("jpeg-for-video", where="sound")
    keeper.platform.faults.set("404", where="picture")
    done = await repaired(keeper)
    keeper.platform.faults.clear()
    told = {(each.ref, each.asset): type(each.error).__name__ for each in done.of(Failed)}
    summary = done.of(Summarized)[0]

    assert told == {
        (SMALL, "video"): "Deleted",
        (IMAGES, "picture_01"): "LinkExpired",
        (IMAGES, "picture_02"): "LinkExpired",
        (IMAGES, "picture_03"): "LinkExpired",
        (IMAGES, "sound"): "Truncated",
    }
    assert (summary.failed, summary.reasons) == (5, {"Deleted": 1, "LinkExpired": 3, "Truncated": 1})
    assert done.code == 3
    assert (await repaired(keeper)).code == 0


async def test_a_file_beyond_the_limits_says_so(keeper: Person) -> None:
    """What is offered of it is larger than what is wanted now: not a word would be a riddle."""
    file(keeper, ".mp4").unlink()
    done = await repaired(keeper, wish=Selection(max_filesize=1))
    (failed,) = done.of(Failed)

    assert (failed.ref, failed.asset, done.code) == (SMALL, "video", 2)
    assert "--max-filesize" in (failed.error.hint or "")


async def test_a_simulated_repair_says_what_it_would_fetch(keeper: Person) -> None:
    """Nothing is asked, nothing is written."""
    path = file(keeper, ".mp4")
    path.unlink()
    before = len(keeper.platform.requests)
    done = await repaired(keeper, simulate=True)

    assert [(each.path, each.reason) for each in done.of(Skipped)] == [(path, "simulated")]
    assert len(keeper.platform.requests) == before
    assert not path.exists()


async def test_a_disk_that_is_not_mounted_is_not_filled_again(keeper: Person) -> None:
    """Where nothing stands, something else is wrong; what a person names is fetched all the same."""
    keeper.folder.rename(keeper.home / "unmounted")
    with pytest.raises(DiskError, match="not one of"):
        await repaired(keeper)
    named = await repaired(keeper, str(SMALL))

    assert named.code == 0
    assert len(keeper.files()) == 1


def test_files_that_may_not_be_read_are_not_fetched_again() -> None:
    """The cause is told, not a disk that is missing; one file that can be seen is enough to go on."""
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)
        shut, opened = Path(home, "shut"), Path(home, "opened")
        for folder in (shut, opened):
            folder.mkdir()
            (folder / "a.mp4").touch()
        files = [
            SavedAsset(
                ref=SMALL, asset="video", user="u", path=folder / "a.mp4", size=0, sha256="", saved=datetime.now(UTC)
            )
            for folder in (shut, opened)
        ]  # fmt: skip
        shut.chmod(0)
        with unprivileged():
            with pytest.raises(DiskError, match="may be read") as caught:
                look_for_one(files[:1] * 2)
            look_for_one(files)
        shut.chmod(0o755)

    assert "mount" not in str(caught.value.hint)


async def test_a_long_list_of_bad_files_is_read_in_parts(
    keeper: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A post whose files lie on both sides of a part's end is asked for once, and everything comes back."""
    monkeypatch.setattr("dyvine_cli.operations.library.verify.PAGE", 3)
    for number in range(1, 9):
        file(keeper, f"_{number:02}.jpg").unlink()
    file(keeper, ".mp4").unlink()
    before = len(keeper.calls("detail"))
    done = await repaired(keeper)

    assert done.code == 0
    assert len(done.of(Saved)) == 9
    assert len(keeper.calls("detail")) - before == 2
    assert await checked(keeper) == ([], 0)


async def test_a_verification_of_an_archive_that_cannot_be_written_only_tells(keeper: Person) -> None:
    """What is bad is shown with its status, and a word that nothing is noted."""
    file(keeper, ".mp4").unlink()
    place = archive_place(keeper.settings())
    archive = SqliteArchive(open_reading(place), place, lambda: datetime.now(UTC), read_only=True)
    events: list[Event] = []
    found: list[Finding] = []
    async with keeper.at_work() as workspace:
        _, code = await verify(
            replace(workspace, archive=archive), [], Wanted(), found.append, lambda state: None, events.append,
            deep=True,
        )  # fmt: skip
    await archive.aclose()

    assert [each.state for each in found] == ["missing"]
    assert code == 3
    assert ["not noted" in each.message for each in events if isinstance(each, Warned)] == [True]


# --- deciding ---------------------------------------------------------------------------------------------------------


async def test_a_forgotten_post_comes_again_with_its_account(person: Person) -> None:
    """Its file stays; the next listing looks at everything although it may stop at what it knows."""
    await person.get(str(ACCOUNT))
    (row,) = [
        each for each in await rows(person, kinds=("video",), limit=1) if isinstance(each, RecordedFile)
    ]
    row.saved.path.unlink()
    async with person.at_work() as workspace:
        count, code = await contents.forget(workspace, [Asked(str(row.saved.ref))], lambda event: None)
    again = await person.get(str(ACCOUNT), stop_at_known=True)

    assert (count, code) == (1, 0)
    assert [each.path for each in again.of(Saved)] == [row.saved.path]


async def test_an_account_is_forgotten_with_all_its_posts(person: Person) -> None:
    """Nothing of it is counted any more; files stay."""
    await person.get(str(ACCOUNT))
    files = person.files()
    async with person.at_work() as workspace:
        count, _ = await contents.forget(workspace, [Asked(str(ACCOUNT))], lambda event: None)
        left = await workspace.archive.stats()

    assert count > 0
    assert left == ()
    assert person.files() == files


async def test_an_ignored_post_never_comes(person: Person) -> None:
    """Neither with its account nor by itself, which is told with its cure; forgetting it takes that back."""
    async with person.at_work() as workspace:
        await contents.ignore(workspace, [Asked(str(SMALL))], lambda event: None)
    named = await person.get(str(SMALL), overwrite=True)
    async with person.at_work() as workspace:
        await contents.forget(workspace, [Asked(str(SMALL))], lambda event: None)
    again = await person.get(str(SMALL))

    assert [(each.reason, each.asset) for each in named.of(Skipped)] == [("ignored", None)]
    assert [each.hint for each in named.of(Warned)] == [f"`dyvine archive forget {SMALL}` takes that back"]
    assert named.code == 0
    assert again.summary.files == 1


async def test_what_cannot_be_done_is_told_and_the_rest_goes_on(keeper: Person) -> None:
    """An account is not ignored, a mix is not known, nothing is on record about a strange post."""
    events: list[Event] = []
    async with keeper.at_work() as workspace:
        ignored = await contents.ignore(
            workspace, [Asked(str(ACCOUNT), 1), Asked(str(SMALL), 2)], events.append
        )
        forgotten = await contents.forget(
            workspace, [Asked("douyin:mix:7"), Asked("douyin:post:7372484719365098803")], events.append
        )

    assert ignored == (1, 3)
    assert forgotten == (0, 3)
    assert [type(each.error).__name__ for each in events if isinstance(each, Failed)] == ["InputError"] * 2
    assert ["nothing is on record" in each.message for each in events if isinstance(each, Warned)] == [True]


# --- rebuilding -------------------------------------------------------------------------------------------------------

EVERY_KIND = [
    World.VIDEO,
    World.IMAGES,
    World.LIVE_PHOTO,
    World.SLIDES,
    World.ARTICLE,
    World.NOTE,
    World.MUTED,
]


async def rebuilt(person: Person, events: list[Event] | None = None, *more: Path) -> rebuild.Rebuilt:
    """A run of `archive repair --rebuild`; `more` are the folders of sources."""
    report: Callable[[Event], None] = (events if events is not None else []).append
    settings = person.settings()
    return await rebuild.rebuild(
        archive_place(settings),
        (person.folder, *more),
        ("douyin", "tiktok"),
        opened=lambda: open_archive(settings, report),
        watch=lambda state: None,
        report=report,
    )


async def on_record(person: Person) -> dict[tuple[str, str, str], SavedAsset]:
    """Everything that is recorded, without what a tree does not tell."""
    archive = SqliteArchive.open(archive_place(person.settings()))
    found = [row.saved for row in await archive.files(FileFilter(), limit=10_000)]
    await archive.aclose()
    never = datetime.fromtimestamp(0, UTC)
    return {
        contents.key(row): replace(row, codec=None, width=None, height=None, saved=never, user="")
        for row in found
    }


async def test_a_lost_archive_is_rebuilt_from_the_tree(person: Person) -> None:
    """Files of every kind of post are recorded as they were; a list then fetches nothing, and their account is itself."""
    await person.get(*EVERY_KIND)
    before = await on_record(person)
    archive_place(person.settings()).unlink()
    outcome = await rebuilt(person)
    served = sum(1 for each in person.platform.requests if each.kind)
    again = await person.get(*EVERY_KIND)

    assert await on_record(person) == before
    assert (outcome.damage, outcome.files, outcome.flawed) == (None, len(before), [])
    assert again.code == 0
    assert sum(1 for each in person.platform.requests if each.kind) == served


async def test_a_lost_archive_is_rebuilt_from_the_folders_of_sources_too(
    person: Person, tmp_path: Path
) -> None:
    """Files in a second folder count as much; one that is not there is passed over."""
    await person.get(World.VIDEO, World.IMAGES)
    before = await on_record(person)
    archive_place(person.settings()).unlink()
    person.folder.rename(tmp_path / "other")
    outcome = await rebuilt(person, None, tmp_path / "other", tmp_path / "nowhere")

    assert (outcome.files, outcome.flawed) == (len(before), [])
    assert {key: row.path.name for key, row in (await on_record(person)).items()} == {
        key: row.path.name for key, row in before.items()
    }


async def test_a_damaged_archive_is_rebuilt_and_a_list_fetches_nothing(person: Person) -> None:
    """What could not be read is found again by its name, what is not whole is left out and told."""
    await person.get(str(ACCOUNT))
    place = archive_place(person.settings())
    before = await on_record(person)
    place.write_bytes(b"\xff" * 50_000)
    scratched, *_ = person.files()
    os.truncate(scratched, 100)
    events: list[Event] = []
    outcome = await rebuilt(person, events)
    after = await on_record(person)

    assert outcome.aside is not None
    assert outcome.aside.read_bytes() == b"\xff" * 50_000
    assert [path for path, _ in outcome.flawed] == [scratched]
    assert next(each.message for each in events if isinstance(each, Warned)).startswith(str(scratched))
    assert after == {key: row for key, row in before.items() if row.path != scratched}


async def test_rebuilding_a_whole_archive_changes_nothing(keeper: Person) -> None:
    """Rows that are there stay as they are."""
    before = await on_record(keeper)
    outcome = await rebuilt(keeper)

    assert await on_record(keeper) == before
    assert (outcome.damage, outcome.aside, outcome.files, outcome.known) == (None, None, 0, len(before))
