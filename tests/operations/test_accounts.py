"""Whole listings: filters that end the paging, the place of a run that was stopped, likes, mixes, the estimate."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from dyvine_cli.archive.base import StoredCursor
from dyvine_cli.events import Event, Failed, Finished, Listed, Saved, Skipped, SourceBegun
from dyvine_cli.models import Ref
from dyvine_cli.operations.asked import Asked
from dyvine_cli.operations.get import Getting
from dyvine_cli.operations.selection import Selection
from dyvine_cli.simulator.world import NEWEST_MS, World

from .conftest import Outcome, Person

pytestmark = pytest.mark.anyio

BIG = Ref("douyin", "user", World.ACCOUNTS[2000])
OPEN = Ref("douyin", "user", World.OPEN)
NEWEST = datetime.fromtimestamp(NEWEST_MS / 1000, UTC)


def pages(person: Person) -> int:
    """How many pages of posts were asked for."""
    return len(person.calls("/aweme/post/"))


def ago(days: float) -> str:
    """A date on the command line."""
    return (NEWEST - timedelta(days=days)).strftime("%Y-%m-%d")


def states(outcome: Outcome) -> tuple[int, int, int, int]:
    """Saved, known, filtered, failed."""
    balance = outcome.balance
    return balance.saved, balance.known, balance.filtered, balance.failed


# --- what ends the paging ---------------------------------------------------------------------------------------------


async def test_limit_ends_the_paging(person: Person) -> None:
    """The page that has the last wanted post is the last that is asked for."""
    person.platform.faults.set("guests-see-all")
    outcome = await person.get(str(BIG), limit=18, simulate=True)

    assert outcome.code == 0
    assert states(outcome) == (18, 0, 0, 0)
    assert outcome.balance.stopped == "ended at --limit"
    assert pages(person) == 1


async def test_limit_counts_after_the_filters(person: Person) -> None:
    """Posts of other kinds do not count."""
    person.platform.faults.set("guests-see-all")
    outcome = await person.get(str(BIG), limit=3, kind="images", simulate=True)

    assert outcome.balance.saved == 3
    assert outcome.balance.filtered > 20


async def test_limit_counts_what_an_expression_lets_through(person: Person) -> None:
    """The posts that do not fit are told as filtered, and paging ends with the last that does."""
    person.platform.faults.set("guests-see-all")
    outcome = await person.get(str(BIG), limit=3, match="likes > 5万 and duration < 30", simulate=True)

    assert outcome.balance.saved == 3
    assert outcome.balance.filtered > 5
    assert outcome.balance.stopped == "ended at --limit"
    assert {event.reason for event in outcome.of(Skipped)} == {"simulated", "filtered"}


async def test_an_expression_that_takes_too_long_ends_the_listing_with_an_error(person: Person) -> None:
    """Its posts do not count as filtered: the status is 2, and the listing is not on record as complete."""
    outcome = await person.get(str(BIG), match="text ~ '(?R)x|y'")

    assert outcome.code == 2
    assert {event.error.name for event in outcome.of(Failed)} == {"InputError"}
    assert "takes too long" in outcome.of(Failed)[0].error.message
    assert not outcome.of(Saved)


async def test_since_ends_the_paging_and_passes_over_pinned_posts(person: Person) -> None:
    """Old pinned posts on top do not end the list; the first old one below them does."""
    person.platform.faults.set("guests-see-all")
    outcome = await person.get(str(BIG), since=ago(5), simulate=True)

    assert outcome.code == 0
    assert outcome.balance.stopped == "ended at --since"
    assert 30 < outcome.balance.saved < 40
    assert outcome.balance.filtered == 2, "the two old pinned posts"
    assert pages(person) == 2


async def test_until_leaves_out_the_newest(person: Person) -> None:
    """Posts newer than the date are listed and left out."""
    outcome = await person.get(str(OPEN), until=ago(3), simulate=True)

    assert outcome.balance.complete
    assert outcome.balance.filtered > 5
    assert outcome.balance.saved + outcome.balance.filtered == 24


async def test_stop_at_known_asks_for_one_page(person: Person) -> None:
    """What is known and not pinned ends the list; what is new before it is fetched."""
    await person.get(str(OPEN), quality="worst")
    before = pages(person)
    again = await person.get(str(OPEN), quality="worst", stop_at_known=True)

    assert again.code == 0
    assert again.balance.stopped == "ended at a known post"
    assert not again.balance.complete
    assert pages(person) - before == 1


async def test_full_looks_at_everything(person: Person) -> None:
    """With --full neither a known post nor a kept place shortens the list."""
    await person.get(str(OPEN), quality="worst")
    async with person.at_work() as workspace:
        now = datetime.now(UTC)
        await workspace.archive.keep_cursor(
            StoredCursor(ref=OPEN, what=None, cursor="1", started=now, kept=now, listed=20)  # type: ignore[arg-type]
        )
    before = pages(person)
    again = await person.get(str(OPEN), quality="worst", full=True)

    assert again.balance.complete
    assert again.balance.known == 24
    assert pages(person) - before == 2


# --- a run that was stopped -------------------------------------------------------------------------------------------


async def test_a_run_that_is_stopped_goes_on_where_it_was(person: Person) -> None:
    """After a stop midway the next run lists the first page and then from the place; nothing comes twice."""
    person.platform.faults.set("guests-see-all")
    account = Ref("douyin", "user", World.ACCOUNTS[63])
    events: list[Event] = []
    enough = asyncio.Event()

    def report(event: Event) -> None:
        events.append(event)
        if sum(isinstance(each, Finished) for each in events) >= 45:
            enough.set()

    async def run() -> None:
        async with person.at_work(events, quality="worst", parallel=2) as workspace:
            wish = Selection(quality="worst", kinds=frozenset({"video"}))
            await Getting(workspace, wish, report).run([Asked(str(account))])

    task = asyncio.create_task(run())
    await enough.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    saved = {event.path for event in events if isinstance(event, Saved)}
    async with person.at_work() as workspace:
        place = await workspace.archive.cursor(account, None)
    before = pages(person)
    second = await person.get(str(account), quality="worst", kind="video")
    more = {event.path for event in second.of(Saved)}

    assert place is not None
    assert place.listed >= 18
    assert second.code == 0
    assert second.balance.complete
    assert second.balance.listed == 63
    assert not saved & more
    assert len(person.files()) == 54, "the videos, with those that were whole and not yet recorded"
    assert pages(person) - before == 1 + -(-(63 - place.listed) // 18)


async def test_the_listing_waits_while_all_slots_are_taken(person: Person) -> None:
    """No page is fetched far ahead of the posts that are on their way."""
    person.platform.faults.set("guests-see-all")
    person.platform.line.rtt = 0.01
    outcome = await person.get(
        f"douyin:user:{World.ACCOUNTS[200]}", quality="worst", kind="video", parallel=2, limit=90
    )
    listed, done, ahead = 0, 0, []
    for event in outcome.events:
        if isinstance(event, Listed):
            ahead.append(listed - done)
            listed = event.total
        elif isinstance(event, Finished):
            done += 1

    assert outcome.code == 0
    assert len(ahead) >= 5
    assert max(ahead) <= 18 + 20 + 3, "about a page in the line, and what is on its way"


# --- other listings ---------------------------------------------------------------------------------------------------


async def test_likes_are_a_listing_of_their_own(person: Person) -> None:
    """The posts that an account likes, with their own place and balance; the authors' folders hold them."""
    outcome = await person.get(
        f"douyin:user:{World.LIKES}", noun="user", what="likes", quality="worst", kind="video"
    )

    assert outcome.code == 0
    assert outcome.balance.complete
    assert (outcome.balance.listed, outcome.balance.hidden, outcome.balance.declared) == (44, 1, 45)
    assert "likes" in outcome.balance.title
    assert len({path.parent.name for path in person.files()}) == 2


@pytest.mark.parametrize("by", ["option", "link"])
async def test_hidden_likes_are_private(person: Person, by: str) -> None:
    """A list that its owner hides is Private, status 5."""
    named = f"https://www.douyin.com/user/{World.LIKES_HIDDEN}" + ("?showTab=like" if by == "link" else "")
    outcome = await person.get(named, what="likes" if by == "option" else None)

    assert outcome.code == 5
    assert [event.error.name for event in outcome.of(Failed)] == ["Private"]


async def test_a_mix_is_listed_first_episode_first(person: Person) -> None:
    """A mix is a listing like an account's."""
    outcome = await person.get(f"https://www.douyin.com/collection/{World.MIX}", simulate=True)
    posts = outcome.of(Finished)

    assert outcome.code == 0
    assert (outcome.balance.listed, outcome.balance.declared) == (32, 32)
    assert outcome.balance.title == "山野食堂"
    assert int(posts[0].ref.id) < int(posts[-1].ref.id)


async def test_the_own_account(person: Person) -> None:
    """`self` is the login's account; a guest is told that a login is needed."""
    from dyvine_cli.simulator.douyin_guest import login_header

    guest = await person.get("douyin:user:self", simulate=True)
    person.env["DOUYIN_COOKIE"] = login_header(person.platform.clock())
    login = await person.get("douyin:user:self", simulate=True)
    favorites = await person.get(
        "https://www.douyin.com/user/self?showTab=favorite_collection", simulate=True
    )

    assert guest.code == 4
    assert (login.code, login.balance.listed) == (0, 12)
    assert favorites.code == 2
    assert "favorites" in str(favorites.of(Failed)[0].error)


async def test_mixes_of_an_account_are_not_downloaded_at_once(person: Person) -> None:
    """The listing of mixes names the command that takes one."""
    outcome = await person.get(f"douyin:user:{World.ACCOUNTS[63]}:mixes", simulate=True)

    assert outcome.code == 2
    assert "dyvine mix get" in str(outcome.of(Failed)[0].error.hint)


# --- what is told -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "calls"), [(World.ACCOUNTS[2000], 112), (World.ACCOUNTS[20000], 1112), (World.OPEN, None)]
)
async def test_a_long_listing_is_estimated_beforehand(
    person: Person, account: str, calls: int | None
) -> None:
    """Calls and seconds at the pace chosen, from a minute on."""
    outcome = await person.get(f"douyin:user:{account}", pace="normal", simulate=True)
    begun = outcome.of(SourceBegun)[0]

    assert begun.calls == calls
    assert begun.estimate == (None if calls is None else (calls - 6) * 2.0)


@pytest.mark.parametrize(
    ("account", "code", "name"),
    [
        (World.PRIVATE_ACCOUNT, 5, "Private"),
        (World.BANNED_ACCOUNT, 5, "Banned"),
        (World.CANCELLED_ACCOUNT, 5, "Banned"),
        (World.NOBODY, 5, "NotFound"),
    ],
)
async def test_accounts_that_cannot_be_listed(person: Person, account: str, code: int, name: str) -> None:
    """Each has its cause, and no page is asked for."""
    outcome = await person.get(f"douyin:user:{account}")

    assert outcome.code == code
    assert [event.error.name for event in outcome.of(Failed)] == [name]
    assert pages(person) == 0


async def test_an_empty_account_is_complete(person: Person) -> None:
    """Nothing is there, and that is all of it."""
    outcome = await person.get(f"douyin:user:{World.ACCOUNTS[0]}")

    assert outcome.code == 0
    assert outcome.balance.complete
    assert outcome.balance.listed == 0


async def test_a_renamed_author_keeps_the_folder(person: Person) -> None:
    """The folder is found by the account's number, whatever name stands before it, also without the archive."""
    await person.get(str(OPEN), quality="worst", limit=6)
    (before,) = {path.parent for path in person.files()}
    assert person.platform.world is not None
    person.platform.world.rename(World.OPEN, "另一个名字")
    outcome = await person.get(str(OPEN), quality="worst", no_archive=True)

    assert outcome.code == 0
    assert outcome.balance.title == "另一个名字"
    assert {path.parent for path in person.files()} == {before}
