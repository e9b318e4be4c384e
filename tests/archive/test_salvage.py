"""A damaged archive: how it shows, and what is left of it afterwards."""

# ruff: noqa: ASYNC240 - nothing else runs in the loop of a test

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dyvine_cli.archive import schema
from dyvine_cli.archive.base import CompletePost, SavedAsset
from dyvine_cli.archive.salvage import damage, in_use, replace_damaged
from dyvine_cli.archive.sqlite import SqliteArchive
from dyvine_cli.errors import ArchiveError
from dyvine_cli.models import Author, Ref

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
COUNT = 3000
PAGE = 4096
IGNORED = Ref("douyin", "post", "9")


def post(number: int) -> Ref:
    """One of our posts."""
    return Ref("douyin", "post", f"73724847193650{number:05}")


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A closed archive with COUNT posts of one video each."""
    path = tmp_path / "archive.sqlite3"
    archive = SqliteArchive.open(path)
    rows = [
        SavedAsset(
            ref=post(number), asset="video", user="u", path=Path(f"/v/a_1/{number}_标题.mp4"), size=1,
            sha256="ab" * 32, saved=NOW,
        )
        for number in range(COUNT)
    ]  # fmt: skip
    await archive.add_saved(rows)
    await archive.add_posts([CompletePost(ref=row.ref, user="u", created=NOW, completed=NOW) for row in rows])
    await archive.add_user("douyin", Author(id="u", uid="1", handle="h", nickname="Ann"), seen=NOW)
    await archive.ignore([IGNORED])
    await archive.aclose()
    return path


def cut(path: Path) -> None:
    """Lose the second half."""
    os.truncate(path, path.stat().st_size // 2)


def scratch(path: Path) -> None:
    """Lose some pages in the middle, as a disk does."""
    with path.open("r+b") as file:
        for number in (40, 41, 42, 60, 100):
            file.seek(number * PAGE)
            file.write(os.urandom(PAGE))


def clear(path: Path) -> None:
    """Lose everything but the name, as a power cut does."""
    os.truncate(path, 0)


def overwrite(path: Path) -> None:
    """Become something else."""
    path.write_bytes(b"<html>not a database</html>" * 1000)


def behead(path: Path) -> None:
    """Lose the first page."""
    with path.open("r+b") as file:
        file.write(b"\0" * PAGE)


DAMAGES = [
    pytest.param(cut, 0, id="cut in half"),
    pytest.param(scratch, COUNT // 3, id="pages of rubbish"),
    pytest.param(clear, 0, id="no byte left"),
    pytest.param(overwrite, 0, id="not SQLite"),
    pytest.param(behead, 0, id="first page gone"),
]


@pytest.mark.parametrize(("harm", "least"), DAMAGES)
async def test_damage_is_an_archive_error_that_names_its_cure(
    path: Path, harm: Callable[[Path], None], least: int
) -> None:
    """When it is opened, or when the page in question is read; never a wrong answer, never a new archive."""
    harm(path)

    async def look() -> None:
        archive = SqliteArchive.open(path)
        try:
            for number in range(COUNT):
                assert await archive.saved(post(number), "video")
                assert await archive.knows(post(number))
        finally:
            await archive.aclose()

    with pytest.raises(ArchiveError, match="damaged") as caught:
        await look()

    assert "dyvine archive repair --rebuild" in str(caught.value.hint)
    assert damage(path) is not None


@pytest.mark.parametrize(("harm", "least"), DAMAGES)
async def test_damaged_archive_is_replaced_by_what_can_be_read(
    path: Path, harm: Callable[[Path], None], least: int
) -> None:
    """The new one is whole and private, what it says is true, and the damaged bytes stay beside it."""
    harm(path)
    before = path.read_bytes()
    aside, rows = replace_damaged(path, NOW)
    archive = SqliteArchive.open(path)
    found = [await archive.saved(post(number), "video") for number in range(COUNT)]
    kept = [row for row in found if row]
    tally = sum(each.files for each in await archive.stats())
    await archive.aclose()

    assert damage(path) is None
    assert len(kept) == tally == rows.get("saved", 0) >= least
    assert all(row.path == Path(f"/v/a_1/{int(row.ref.id[-5:])}_标题.mp4") for row in kept)
    assert aside.name == "archive.sqlite3.damaged-20260131-120000"
    assert aside.read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name, aside.name]


async def test_an_older_archive_is_salvaged_with_the_keys_that_it_had(tmp_path: Path) -> None:
    """Failures and checks had shorter keys once; their rows are taken over all the same."""
    path = tmp_path / "archive.sqlite3"
    SqliteArchive.open(path, migrations=schema.MIGRATIONS[:3])._db.close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(
            "INSERT INTO failed VALUES ('douyin', 'post', '8', '', 'Timeout', '', 3, 0, 0, NULL, 'douyin:user:u')"
        )
        db.execute(
            "INSERT INTO checked VALUES ('a', '', '', 'Ann', 0, 0, 'complete', '', '', 0, 0, 0, 0, 0, NULL)"
        )
    replace_damaged(path, NOW)
    archive = SqliteArchive.open(path)
    failures, checks = await archive.failures(), await archive.checked()
    await archive.aclose()

    assert [(each.ref.id, each.attempts, each.source, each.scope) for each in failures] == [
        ("8", 3, Ref("douyin", "user", "u"), "")
    ]
    assert [(each.link, each.title, each.name) for each in checks] == [("a", "Ann", "")]


async def test_decisions_of_a_person_are_salvaged(path: Path) -> None:
    """Ignored posts and names of accounts are taken over; how far listings got is not, because it may not be true."""
    scratch(path)
    replace_damaged(path, NOW)
    archive = SqliteArchive.open(path)
    found = (await archive.ignored([IGNORED]), await archive.user("douyin", "u"))
    await archive.aclose()

    assert found[0] == {IGNORED}
    assert found[1] is not None
    assert [name.nickname for name in found[1].names] == ["Ann"]


@contextlib.contextmanager
def opened_elsewhere(path: Path) -> Iterator[None]:
    """While another process has read from the archive and keeps it open."""
    code = f"import sqlite3; db = sqlite3.connect({str(path)!r}); db.execute('SELECT * FROM post'); print(); input()"
    command = [sys.executable, "-S", "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        yield
        other.communicate(b"\n")


async def test_archive_that_another_process_has_open_is_in_use(path: Path) -> None:
    """Also while it does nothing; once it is gone, or where there is nothing, nobody has it."""
    with opened_elsewhere(path):
        during = in_use(path)

    assert during
    assert not in_use(path)
    assert not in_use(path.with_name("none"))


async def test_whole_archive_and_none_are_not_damaged(path: Path) -> None:
    """Nothing is said against what is well, or not there."""
    assert damage(path) is None
    assert damage(path.with_name("none")) is None


async def test_disk_without_space_leaves_the_damaged_archive_where_it_is(path: Path) -> None:
    """A rebuilding that cannot write ends with an error, and can be tried again."""
    scratch(path)
    before = path.read_bytes()
    path.with_name(f"{path.name}.rebuilt").mkdir()
    with pytest.raises(ArchiveError, match="cannot be rebuilt"):
        replace_damaged(path, NOW)

    assert path.read_bytes() == before


async def test_account_known_by_its_number_becomes_itself(tmp_path: Path) -> None:
    """A tree of files tells numbers only; once the account is met, its files and counts are under its id."""
    archive = SqliteArchive.open(tmp_path / "archive.sqlite3")
    row = SavedAsset(
        ref=post(1), asset="video", user="42", path=Path("/v/a_42/x.mp4"), size=5, sha256="ab" * 32, saved=NOW
    )
    await archive.add_saved([row])
    await archive.add_user("douyin", Author(id="MS4wA", uid="42", handle="h", nickname="Ann"), seen=NOW)
    found, tallies = await archive.saved(post(1), "video"), await archive.stats()
    await archive.aclose()

    assert found is not None
    assert found.user == "MS4wA"
    assert [(each.user, each.files, each.size) for each in tallies] == [("MS4wA", 1, 5)]
