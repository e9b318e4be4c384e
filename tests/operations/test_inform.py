"""What is shown without downloading: posts, accounts, mixes, lists; no media call, the same statuses."""

from __future__ import annotations

import pytest

from dyvine_cli.cli.settings import selection_of
from dyvine_cli.events import Cut, Event, Failed
from dyvine_cli.models import Listing, Mix, Post, RefKind, User
from dyvine_cli.operations import inform
from dyvine_cli.operations.asked import Asked
from dyvine_cli.simulator.world import World

from .conftest import Person

pytestmark = pytest.mark.anyio

Shown = Post | User | Mix


async def each(
    person: Person, *texts: str, kind: RefKind | None = None
) -> tuple[int, list[Shown], list[Event]]:
    """Status, objects and events of `info`."""
    shown: list[Shown] = []
    events: list[Event] = []
    async with person.at_work(events, site="douyin") as workspace:
        code = await inform.each(
            workspace, [Asked(text) for text in texts], kind, shown.append, events.append
        )
    return code, shown, events


async def listed(
    person: Person, *texts: str, what: Listing | None = "posts", **flags: object
) -> tuple[int, list[Shown], list[Event]]:
    """Status, objects and events of a listing verb."""
    shown: list[Shown] = []
    events: list[Event] = []
    wish = selection_of(person.settings(**flags))
    async with person.at_work(events) as workspace:
        code = await inform.listed(
            workspace, [Asked(text) for text in texts], what, wish, shown.append, events.append
        )
    return code, shown, events


async def test_each_thing_is_shown_as_what_it_is(person: Person) -> None:
    """A post, an account by handle and a mix, in the order they were named."""
    code, shown, _ = await each(
        person, f"douyin:post:{World.VIDEO}", "@shan_ye_041", f"https://www.douyin.com/collection/{World.MIX}"
    )

    assert code == 0
    assert [type(found) for found in shown] == [Post, User, Mix]
    assert not [served for served in person.platform.requests if served.kind]


async def test_a_private_account_can_be_shown(person: Person) -> None:
    """Its state is part of what is shown, no error."""
    code, shown, _ = await each(person, World.PRIVATE_ACCOUNT, kind="user")

    assert code == 0
    assert shown[0].state == "private"  # type: ignore[union-attr]


async def test_what_fails_does_not_hide_the_others(person: Person) -> None:
    """One that is deleted and one that is no link beside one that is there."""
    code, shown, events = await each(
        person, f"douyin:post:{World.DELETED}", "nothing", f"douyin:post:{World.SMALL}"
    )

    assert code == 3
    assert len(shown) == 1
    assert [event.error.name for event in events if isinstance(event, Failed)] == [
        "Deleted",
        "UnsupportedURL",
    ]


async def test_a_list_without_any_media_call(person: Person) -> None:
    """All posts of an account, and not one request for a file."""
    code, shown, _ = await listed(person, f"douyin:user:{World.OPEN}")

    assert (code, len(shown)) == (0, 24)
    assert not [served for served in person.platform.requests if served.kind]


async def test_a_list_that_is_cut_says_so(person: Person) -> None:
    """Status 7 with what was listed; the next account is listed all the same."""
    code, shown, events = await listed(
        person, f"douyin:user:{World.ACCOUNTS[63]}", f"douyin:user:{World.OPEN}"
    )
    (cut,) = [event for event in events if isinstance(event, Cut)]

    assert code == 7
    assert len(shown) == 20 + 24
    assert (cut.listed, cut.declared, cut.resumable) == (20, 63, True)


async def test_filters_hold_for_lists(person: Person) -> None:
    """A number ends the paging; kinds leave out."""
    person.platform.faults.set("guests-see-all")
    _, few, _ = await listed(person, f"douyin:user:{World.ACCOUNTS[200]}", limit=5)
    pages = len(person.calls("/aweme/post/"))
    _, pictures, _ = await listed(person, f"douyin:user:{World.OPEN}", kind="images")

    assert (len(few), pages) == (5, 1)
    assert {found.kind for found in pictures} == {"images"}  # type: ignore[union-attr]


async def test_mixes_are_listed(person: Person) -> None:
    """An account's mixes, each with its title."""
    code, shown, _ = await listed(person, f"douyin:user:{World.ACCOUNTS[63]}", what="mixes")

    assert code == 0
    assert [found.title for found in shown] == ["山野食堂", "雨天收集", "旧物新生"]  # type: ignore[union-attr]


async def test_entries_that_cannot_be_read_are_told(person: Person) -> None:
    """A list with an odd entry has status 3 and names it."""
    person.platform.faults.set("list-entry-odd", count=1)
    code, shown, events = await listed(person, f"douyin:user:{World.OPEN}")

    assert code == 3
    assert len(shown) == 23
    assert [event.error.name for event in events if isinstance(event, Failed)] == ["UnexpectedResponse"]


async def test_posts_of_whatever_is_named(person: Person) -> None:
    """What a download would take: the post itself, and the posts of a list."""
    shown: list[Post] = []
    wish = selection_of(person.settings(limit=4))
    things = [Asked(f"douyin:post:{World.SMALL}"), Asked(f"douyin:user:{World.OPEN}")]
    async with person.at_work() as workspace:
        code = await inform.posts(workspace, things, None, wish, shown.append, lambda event: None)

    assert code == 0
    assert shown[0].ref.id == World.SMALL
    assert len(shown) == 5


async def test_an_ended_site_is_told_once(person: Person) -> None:
    """The rest is counted and not asked for."""
    person.platform.faults.set("edge-429", where="/aweme/")
    code, _, events = await each(
        person, *(f"douyin:post:{7_300_000_000_000_000_000 + n}" for n in range(100))
    )
    texts = [event.text for event in events if isinstance(event, Failed)]

    assert code == 6
    assert texts[1:] == ["99 more of douyin, not tried"]
