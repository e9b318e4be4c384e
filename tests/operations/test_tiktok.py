"""TikTok's posts on their way to the disk: the cookie of media, subtitles, what a refused list leaves behind."""

from __future__ import annotations

import pytest

from dyvine_cli.events import Cut, Saved
from dyvine_cli.simulator.tiktok_world import TiktokWorld

from .conftest import Person

pytestmark = pytest.mark.anyio

MANY = f"@{TiktokWorld.ACCOUNTS[348]}"
TWELVE = f"@{TiktokWorld.ACCOUNTS[12]}"


def post(id: str) -> str:
    """A post as a person may name it."""
    return f"tiktok:post:{id}"


async def test_a_video_and_photos_are_saved(person: Person) -> None:
    """The video, nine pictures in their order and their sound; no host got a cookie that is not its own."""
    outcome = await person.get(post(TiktokWorld.VIDEO), post(TiktokWorld.PHOTO))
    names = [path.name for path in person.files()]

    assert outcome.code == 0
    assert sum(name.endswith(".mp4") for name in names) == 1
    assert [f"_{number:02}.jpg" in "".join(names) for number in range(1, 10)] == [True] * 9
    assert sum("_sound" in name for name in names) == 1
    assert person.platform.leaks == []


async def test_no_secret_leaves_for_media(person: Person) -> None:
    """Of all cookies only tt_chain_token reaches a media host, and only those of tiktok.com."""
    await person.get(
        post(TiktokWorld.VIDEO), post(TiktokWorld.PHOTO), post(TiktokWorld.SUBTITLES), write_subs=True
    )
    media = [each for each in person.platform.requests if each.kind]
    with_cookie = {each.host for each in media if "cookie" in each.headers}

    assert with_cookie
    assert all(host.endswith(".tiktok.com") for host in with_cookie)
    assert person.platform.leaks == []


async def test_subtitles_in_both_forms(person: Person) -> None:
    """`--write-subs` keeps what the platform has: WebVTT and SRT, by language."""
    outcome = await person.get(post(TiktokWorld.SUBTITLES), write_subs=True)
    found = {path.name.rpartition("_sub.")[2] for path in person.files() if "_sub." in path.name}

    assert outcome.code == 0
    assert found == {"eng-US.vtt", "spa-ES.vtt", "fra-FR.srt"}


async def test_expired_links_are_renewed(person: Person) -> None:
    """A page that is asked again brings addresses for the cookie that came with it."""
    person.platform.faults.set("expired-link", count=1)
    outcome = await person.get(post(TiktokWorld.SMALL))

    assert outcome.code == 0
    assert len(person.files()) == 1


async def test_a_whole_small_account(person: Person) -> None:
    """Posts that the embed page shows in part are asked for whole: photo posts have all their pictures."""
    outcome = await person.get(TWELVE)

    assert outcome.code == 0
    assert (outcome.balance.listed, outcome.balance.declared) == (12, 12)
    assert outcome.balance.complete
    assert any("_07." in path.name for path in person.files())


async def test_a_refused_list_saves_what_came_and_goes_on_later(person: Person) -> None:
    """Exit 7; nothing of the list itself came, so the next run begins at its top, saves the rest and is complete."""
    person.platform.faults.set("signed-closed")
    first = await person.get(MANY, quality="worst")
    (cut,) = first.of(Cut)
    assert cut.ref is not None
    async with person.at_work() as workspace:
        place = await workspace.archive.cursor(cut.ref, None)
    person.platform.faults.clear()
    second = await person.get(MANY, quality="worst")
    third = await person.get(MANY, quality="worst")

    assert first.code == 7
    assert str(cut.error).startswith("listed 10 of 348: TikTok refused the rest")
    assert first.balance.saved == first.balance.listed == 10
    assert place is None
    assert second.code == 0
    assert (second.balance.listed, second.balance.saved, second.balance.known) == (348, 338, 10)
    assert second.balance.complete
    assert third.of(Saved) == []
