"""A person's own files under the names that an article and its facts would get."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dyvine_cli.events import Warned
from dyvine_cli.simulator.world import World

from .conftest import Outcome, Person

pytestmark = pytest.mark.anyio

ARTICLE = f"douyin:post:{World.ARTICLE}"
ENDINGS = (".md", ".info.json")
OWN = b"my own notes"


async def places(person: Person) -> dict[str, Path]:
    """Where the two files go; nothing is left there, and the archive knows nothing of them."""
    await person.get(ARTICLE, write_info_json=True, archive=False)
    found = {end: path for end in ENDINGS for path in person.files() if path.name.endswith(end)}
    for path in person.files():
        path.unlink()
    return found


async def again(person: Person, **flags: object) -> Outcome:
    """The article with its facts."""
    return await person.get(ARTICLE, write_info_json=True, **flags)


def complaints(outcome: Outcome) -> list[str]:
    """The warnings about files that are left alone."""
    return [event.message for event in outcome.of(Warned) if "is left as it is" in event.message]


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_file_of_a_person_is_left_alone(person: Person, ending: str) -> None:
    """With a warning that names it; --overwrite replaces it."""
    path = (await places(person))[ending]
    path.write_bytes(OWN)
    first = await again(person)
    kept = path.read_bytes()
    await again(person, overwrite=True)

    assert kept == OWN
    assert complaints(first) == [f"{path} is not ours and is left as it is"]
    assert path.read_bytes() != OWN


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_symlink_in_the_place_is_not_followed(person: Person, tmp_path: Path, ending: str) -> None:
    """What it leads to stays, and so does the link; --overwrite replaces the link alone."""
    path = (await places(person))[ending]
    target = tmp_path / "target"
    target.write_bytes(OWN)
    path.symlink_to(target)
    first = await again(person)
    was_link = path.is_symlink()
    await again(person, overwrite=True)

    assert len(complaints(first)) == 1
    assert was_link
    assert not path.is_symlink()
    assert target.read_bytes() == OWN


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_hard_link_in_the_place_does_not_carry_writes(
    person: Person, tmp_path: Path, ending: str
) -> None:
    """The file under its other name is never written through."""
    path = (await places(person))[ending]
    other = tmp_path / "other"
    other.write_bytes(OWN)
    os.link(other, path)
    first = await again(person)
    kept = path.read_bytes()
    await again(person, overwrite=True)

    assert len(complaints(first)) == 1
    assert kept == OWN
    assert other.read_bytes() == OWN
    assert path.read_bytes() != OWN


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_pipe_in_the_place_does_not_hang_the_run(person: Person, ending: str) -> None:
    """It is no file of ours."""
    path = (await places(person))[ending]
    os.mkfifo(path)
    first = await again(person)

    assert len(complaints(first)) == 1
    assert path.is_fifo()


async def test_facts_of_another_post_are_left_alone(person: Person) -> None:
    """JSON of our form about something else is not this post's."""
    path = (await places(person))[".info.json"]
    path.write_text(json.dumps({"v": 1, "type": "post", "ref": f"douyin:post:{World.VIDEO}"}))
    before = path.read_bytes()
    outcome = await again(person)

    assert len(complaints(outcome)) == 1
    assert path.read_bytes() == before


async def test_our_own_facts_are_brought_up_to_date(person: Person) -> None:
    """What we wrote about the same post gives way without a word."""
    path = (await places(person))[".info.json"]
    path.write_text(json.dumps({"v": 1, "type": "post", "ref": ARTICLE}))
    outcome = await again(person)

    assert complaints(outcome) == []
    assert "text" in json.loads(path.read_text("utf-8"))


async def test_an_article_that_a_person_wrote_into_is_left_alone(person: Person) -> None:
    """The archive knows the file, but its content is no longer what was saved."""
    await again(person)
    (path,) = (each for each in person.files() if each.suffix == ".md")
    path.write_bytes(path.read_bytes() + OWN)
    outcome = await again(person)

    assert path.read_bytes().endswith(OWN)
    assert len(complaints(outcome)) == 1
