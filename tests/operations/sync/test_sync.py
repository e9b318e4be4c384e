"""Sources over the years: nothing is missed, nothing comes twice, nothing is asked for in vain."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dyvine_cli import lock
from dyvine_cli.errors import Busy, ConfigError, InputError, NotWritable
from dyvine_cli.events import Cut, Failed, Saved, Warned
from dyvine_cli.models import Ref
from dyvine_cli.operations.alone import alone
from dyvine_cli.operations.sync.upkeep import covers
from dyvine_cli.simulator.douyin_guest import login_header
from dyvine_cli.simulator.tiktok_world import TiktokWorld
from dyvine_cli.simulator.world import World

from ..conftest import Person
from .keeping import VIDEOS, Keeper, order, rows, states, videos

pytestmark = pytest.mark.anyio

OPEN = World.OPEN
LONG = World.ACCOUNTS[200]
SHORT = World.ACCOUNTS[63]
DAY = timedelta(days=1)


@pytest.fixture
def keeper(person: Person) -> Keeper:
    """Someone with an empty configuration and archive."""
    return Keeper(person)


def listed(keeper: Keeper, since: int = 0) -> int:
    """How many pages of posts were asked for, after so many calls."""
    return sum("/aweme/post/" in call for call in keeper.calls()[since:])


def ref(id: str) -> Ref:
    """A post's ref."""
    return Ref("douyin", "post", id)


async def settled(keeper: Keeper, account: str, **more: object) -> int:
    """The account is a source that was listed to its end, all of it known; how many calls that took."""
    keeper.person.platform.faults.set("guests-see-all")
    keeper.source(account, **more)
    await keeper.knows(account, videos(account))
    outcome = await keeper.run()
    assert states(outcome) == [("complete", 0, 0)]
    return len(keeper.calls())


# --- what is new ------------------------------------------------------------------------------------------------------


async def test_first_run_then_nothing_new_is_one_call(keeper: Keeper) -> None:
    """The first run takes what is not there; the next one asks for one page and nothing else."""
    ids = videos(OPEN)
    keeper.source(OPEN, name="open")
    await keeper.knows(OPEN, ids[3:])
    first = await keeper.run()
    before = len(keeper.calls())
    second = await keeper.run()

    assert (first.code, states(first)) == (0, [("complete", 3, 0)])
    assert {event.ref.id for event in first.of(Saved)} == set(ids[:3])
    assert (second.code, states(second)) == (0, [("complete", 0, 0)])
    assert [call.rpartition("/web")[2] for call in keeper.calls()[before:]] == ["/aweme/post/"]


async def test_a_long_account_with_nothing_new_is_one_call(keeper: Keeper) -> None:
    """However many posts there are, pinned ones on top included."""
    before = await settled(keeper, SHORT)
    await keeper.run()

    assert len(keeper.calls()) - before == 1


async def test_new_posts_are_taken_down_to_the_last_known_one(keeper: Keeper) -> None:
    """Pinned posts are known and on top, and end nothing."""
    before = await settled(keeper, SHORT)
    new = await keeper.publishes(SHORT, 20)
    outcome = await keeper.run()

    assert states(outcome) == [("complete", len(new), 0)]
    assert listed(keeper, before) == 2


async def test_a_post_that_was_fetched_alone_hides_nothing_below_it(keeper: Keeper) -> None:
    """Known is only what was known when the list was looked at last."""
    await settled(keeper, SHORT)
    new = await keeper.publishes(SHORT, 30)
    await keeper.knows(SHORT, new[:18], completed=datetime.now(UTC) + timedelta(minutes=5))
    outcome = await keeper.run()

    assert states(outcome) == [("complete", len(new) - 18, 0)]


async def test_posts_that_are_not_wanted_do_not_lengthen_the_walk(keeper: Keeper) -> None:
    """An account of which one post in twenty is taken needs one page, too."""
    await settled(keeper, OPEN, kind=["note"])
    before = len(keeper.calls())
    outcome = await keeper.run()

    assert states(outcome) == [("complete", 0, 0)]
    assert len(keeper.calls()) - before == 1


async def test_other_filters_list_everything_again(keeper: Keeper) -> None:
    """What was left out before may be wanted now."""
    await settled(keeper, SHORT)
    keeper.sources[0]["kind"] = ["video", "note"]
    before = len(keeper.calls())
    await keeper.run(simulate=True)

    assert listed(keeper, before) == 4


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("", "kind=video", True),
        ("kind=video", "kind=video", True),
        ("kind=video", "", False),
        ("kind=video", "kind=images", False),
        ("kind=video", "kind=video limit=3", True),
        ("kind=video limit=3", "kind=video limit=2", False),
        ("kind=video limit=3", "kind=video", False),
        ("since=2026-01-01T00:00:00+00:00", "since=2026-02-01T00:00:00+01:00", True),
        ("since=2026-02-01T00:00:00+00:00", "since=2026-01-01T00:00:00+00:00", False),
        ("kind=video since=2026-01-01T00:00:00+00:00", "since=2026-02-01T00:00:00+00:00", False),
        (
            "kind=video since=2026-01-01T00:00:00+00:00 limit=3",
            "kind=video since=2026-01-02T00:00:00+00:00 limit=3",
            True,
        ),
    ],
)
def test_filters_that_cover_others(before: str, now: str, expected: bool) -> None:
    """A first date that moves on covers itself; nothing else that differs does."""
    assert covers(before, now) is expected


async def test_a_date_is_an_end(keeper: Keeper) -> None:
    """What is older is not wanted: the listing is whole without it, and the next run is one call."""
    keeper.source(OPEN, since="2026-09-28")
    first = await keeper.run(simulate=False)
    before = len(keeper.calls())
    second = await keeper.run()

    assert (first.code, states(first)[0][0]) == (0, "complete")
    assert states(second) == [("complete", 0, 0)]
    assert len(keeper.calls()) - before == 1


async def test_newest_takes_the_first_page_and_what_comes_later(keeper: Keeper) -> None:
    """The rest is not wanted, so a guest's wall is no error."""
    keeper.source(World.ACCOUNTS[2000], depth="newest", kind=["note"])
    first = await keeper.run()
    before = len(keeper.calls())
    second = await keeper.run()

    assert (first.code, states(first)[0][0]) == (0, "complete")
    assert listed(keeper) == 2
    assert (second.code, states(second)) == (0, [("complete", 0, 0)])
    assert len(keeper.calls()) - before == 1


async def test_mix_with_as_many_episodes_as_before_is_one_call(keeper: Keeper) -> None:
    """Its new episodes come last: the number says whether there are any."""
    keeper.sources.append({"url": f"douyin:mix:{World.MIX}", **VIDEOS})
    await keeper.knows(SHORT, videos(SHORT))
    first = await keeper.run()
    before = len(keeper.calls())
    second = await keeper.run()

    assert states(first) == states(second) == [("complete", 0, 0)]
    assert [call.rpartition("/web")[2] for call in keeper.calls()[before:]] == ["/mix/detail/"]


async def test_likes_are_a_source_of_their_own(keeper: Keeper) -> None:
    """What was liked last is noted, and with nothing new the next run is one call; one to come again comes."""
    keeper.source(World.LIKES, listing="likes")
    ids = [*videos(SHORT, *range(23)), *videos(LONG, *range(23))]
    await keeper.knows(SHORT, ids)
    await keeper.run()
    before = len(keeper.calls())
    await keeper.forgets(videos(SHORT, 2))
    second = await keeper.run()

    assert states(second) == [("complete", 1, 0)]
    assert len(keeper.calls()) - before == 1


async def test_new_likes_that_are_saved_already_hide_nothing_below_them(keeper: Keeper) -> None:
    """A whole page that the authors' own sources brought was not in this list before: only what was ends it."""
    keeper.source(World.LIKES, listing="likes")
    liked = Ref("douyin", "user", World.LIKES)
    ids = [*videos(SHORT, *range(23)), *videos(LONG, *range(23))]
    await keeper.knows(SHORT, ids)
    await keeper.run()
    async with keeper.person.at_work() as workspace:
        (row,) = await workspace.archive.listings(liked, "likes")
        assert row.top is not None
        await workspace.archive.add_listed(replace(row, top=row.top[-8:]))
    await keeper.forgets(ids[-4:-3])
    before = len(keeper.calls())
    second = await keeper.run()
    pages = len(keeper.calls()) - before
    await keeper.run()
    async with keeper.person.at_work() as workspace:
        (after,) = await workspace.archive.listings(liked, "likes")

    assert states(second) == [("complete", 1, 0)]
    assert pages > 1
    assert after.top == row.top
    assert len(keeper.calls()) - before - pages == 1


async def test_simulation_changes_nothing(keeper: Keeper) -> None:
    """It says what would be saved, and the next run does all of it."""
    ids = videos(OPEN)
    keeper.source(OPEN)
    await keeper.knows(OPEN, ids[2:])
    simulated = await keeper.run(simulate=True)
    async with keeper.person.at_work() as workspace:
        checked = await workspace.archive.checked()
    done = await keeper.run()

    assert (states(simulated), checked) == ([("complete", 2, 0)], ())
    assert states(done) == [("complete", 2, 0)]


# --- cuts and gaps ----------------------------------------------------------------------------------------------------


async def test_a_cut_listing_goes_on_where_it_was(keeper: Keeper) -> None:
    """Status 7, then the newest page, the rest, and no page twice."""
    faults = keeper.person.platform.faults
    faults.set("guests-see-all")
    faults.set("reset", value="head", skip=2, where="/aweme/post/")
    keeper.source(SHORT)
    await keeper.knows(SHORT, videos(SHORT))
    first = await keeper.run(retries=0)
    faults.clear("reset")
    before = len(keeper.calls())
    second = await keeper.run()

    assert (first.code, states(first)) == (7, [("cut", 0, 0)])
    assert len(first.of(Cut)) == 1
    assert (second.code, states(second)) == (0, [("complete", 0, 0)])
    assert listed(keeper, before) == 1 + 4 - 2


async def test_a_gap_is_remembered_and_closed(keeper: Keeper) -> None:
    """Posts between a cut and what was known before come later, down to there and no further."""
    faults = keeper.person.platform.faults
    before = await settled(keeper, SHORT)
    new = await keeper.publishes(SHORT, 40)
    faults.set("cut-body", skip=1, where="/aweme/post/")
    first = await keeper.run(retries=0)
    faults.clear("cut-body")
    cut = len(keeper.calls())
    second = await keeper.run()

    assert (first.code, states(first)[0][0]) == (7, "cut")
    assert listed(keeper, before) - listed(keeper, cut) == 2
    assert states(second) == [("complete", len(new) - states(first)[0][1], 0)]
    assert listed(keeper, cut) == 3, "the newest page, and two from the place on: not the whole list"


async def test_a_second_cut_keeps_the_first_gap(keeper: Keeper) -> None:
    """While the newest posts are cut short, too, what was left behind stays on record."""
    faults = keeper.person.platform.faults
    await settled(keeper, SHORT)
    await keeper.publishes(SHORT, 60)
    faults.set("reset", value="head", skip=2, where="/aweme/post/")
    await keeper.run(retries=0)
    faults.clear("reset")
    await keeper.publishes(SHORT, 20)
    faults.set("reset", value="head", skip=1, where="/aweme/post/")
    second = await keeper.run(retries=0)
    faults.clear("reset")
    third = await keeper.run()
    async with keeper.person.at_work() as workspace:
        known = await workspace.archive.known([ref(id) for id in videos(SHORT)])

    assert second.code == 7
    assert (third.code, states(third)[0][0]) == (0, "complete")
    assert len(known) == len(videos(SHORT))


async def test_guest_is_cut_once_and_then_sees_what_is_new(keeper: Keeper) -> None:
    """The wall is an error where nothing was known; later it is a gap, and costs one call."""
    keeper.source(World.ACCOUNTS[2000])
    await keeper.knows(World.ACCOUNTS[2000], videos(World.ACCOUNTS[2000]))
    first = await keeper.run()
    before = len(keeper.calls())
    await keeper.forgets(videos(World.ACCOUNTS[2000], 0))
    second = await keeper.run()
    between = len(keeper.calls())
    third = await keeper.run()

    assert (first.code, states(first)) == (7, [("cut", 0, 0)])
    assert (second.code, states(second)) == (0, [("gap", 1, 0)])
    assert (third.code, states(third)) == (0, [("gap", 0, 0)])
    assert (between - before, len(keeper.calls()) - between) == (1, 1)


async def test_login_closes_the_gap_that_a_guest_left(keeper: Keeper) -> None:
    """What the wall hid is listed from there on."""
    keeper.source(SHORT)
    ids = videos(SHORT)
    await keeper.knows(SHORT, ids[:-2])
    guest = await keeper.run()
    keeper.person.env["DOUYIN_COOKIE"] = login_header(keeper.person.platform.clock())
    login = await keeper.run()

    assert (guest.code, states(guest)) == (7, [("cut", 0, 0)])
    assert (login.code, states(login)) == (0, [("complete", 2, 0)])


async def test_more_new_posts_than_a_guest_sees_are_an_error(keeper: Keeper) -> None:
    """Without an overlap something is missing, and nobody is told otherwise; once."""
    account = World.ACCOUNTS[2000]
    keeper.full_every = "never"
    keeper.source(account)
    await keeper.knows(account, videos(account))
    await keeper.run()
    await keeper.publishes(account, 30)
    cut = await keeper.run()
    after = await keeper.run()

    assert (cut.code, states(cut)[0][0]) == (7, "cut")
    assert (after.code, states(after)) == (0, [("gap", 0, 0)])


async def test_full_lists_everything_again(keeper: Keeper) -> None:
    """By the option, and by itself when the last time is long ago."""
    before = await settled(keeper, SHORT)
    await keeper.run(full=True)
    option = len(keeper.calls())
    keeper.ahead = 31 * DAY
    await keeper.run()

    assert (listed(keeper, before), listed(keeper, option)) == (8, 4)


# --- failures ---------------------------------------------------------------------------------------------------------


async def test_a_failed_post_comes_by_its_id_when_it_is_due(keeper: Keeper) -> None:
    """It closes its page, rests an hour, then twice as long, and costs one call when it is tried again."""
    id = videos(OPEN)[0]
    keeper.source(OPEN)
    await keeper.knows(OPEN, videos(OPEN)[1:])
    keeper.person.platform.faults.set("404")
    first = await keeper.run()
    at_once = await keeper.run()
    keeper.ahead = timedelta(hours=1, minutes=1)
    due = await keeper.run()
    keeper.ahead = timedelta(hours=2, minutes=30)
    resting = await keeper.run()
    keeper.person.platform.faults.clear()
    keeper.ahead = timedelta(hours=4)
    before = len(keeper.calls())
    mended = await keeper.run()

    assert (first.code, states(first)) == (3, [("complete", 0, 1)])
    assert (at_once.code, states(at_once)) == (0, [("complete", 0, 0)])
    assert states(due) == [("complete", 0, 1)]
    assert states(resting) == [("complete", 0, 0)]
    assert (mended.code, states(mended)) == (0, [("complete", 1, 0)])
    assert len(keeper.calls()) - before == 2, "the post and the newest page"
    async with keeper.person.at_work() as workspace:
        assert await workspace.archive.failures() == ()
        assert await workspace.archive.knows(ref(id))


async def test_retry_tries_only_what_failed_and_leaves_out_what_stays(keeper: Keeper) -> None:
    """No list is asked for, nothing waits for its time, causes that do not pass are named and left alone."""
    keeper.source(OPEN)
    ids = videos(OPEN)
    await keeper.knows(OPEN, ids[2:])
    keeper.person.platform.faults.set("404")
    await keeper.run()
    keeper.person.platform.faults.clear()
    async with keeper.person.at_work() as workspace:
        source = Ref("douyin", "user", OPEN)
        await workspace.archive.add_failed(ref("7499999999999999999"), None, "Deleted", "", source=source)
    before = len(keeper.calls())
    outcome = await keeper.run(retry=True)

    assert (outcome.code, states(outcome)) == (0, [("retried", 2, 0)])
    assert listed(keeper, before) == 0
    assert [event.message for event in outcome.of(Warned)] == [
        "1 not tried, because that does not pass by itself: 1 Deleted"
    ]


async def test_a_post_that_is_closed_to_us_is_complained_about_once(keeper: Keeper) -> None:
    """The list says each time that it needs a login; only the first run fails for it, and a login gets it."""
    keeper.source(World.SAMPLES)
    keeper.sources[0]["since"] = "2026-09-26"
    await keeper.knows(World.SAMPLES, [id for id in videos(World.SAMPLES) if id != World.LOGIN_ONLY])
    first = await keeper.run()
    second = await keeper.run()
    keeper.person.env["DOUYIN_COOKIE"] = login_header(keeper.person.platform.clock())
    keeper.ahead = timedelta(hours=2)
    login = await keeper.run(full=True)

    assert states(first) == [("complete", 0, 1)]
    assert (second.code, states(second)) == (0, [("complete", 0, 0)])
    assert (login.code, states(login)) == (0, [("complete", 1, 0)])


async def test_an_entry_that_cannot_be_read_is_complained_about_once(keeper: Keeper) -> None:
    """It is tried again by its id, when it is due."""
    await settled(keeper, OPEN)
    keeper.person.platform.faults.set("list-entry-odd", where="/aweme/post/")
    first = await keeper.run()
    second = await keeper.run()

    assert states(first) == [("complete", 0, 1)]
    assert (second.code, states(second)) == (0, [("complete", 0, 0)])


# --- what vanishes ----------------------------------------------------------------------------------------------------


async def test_posts_that_vanished_are_marked_and_unmarked(keeper: Keeper) -> None:
    """Deleted, or only off the list, with the time; one that comes back is as before."""
    world = keeper.person.platform.world
    assert world is not None
    await settled(keeper, SHORT)
    ids = videos(SHORT, 22, 23)
    world.withdraw(ids[0], "status_deleted")
    world.withdraw(ids[1], None)
    keeper.ahead = 31 * DAY
    first = await keeper.run()
    async with keeper.person.at_work() as workspace:
        gone = {each.ref.id: each.state for each in await workspace.archive.gone()}
    world.bring_back(ids[0])
    keeper.ahead = 62 * DAY
    await keeper.run()
    async with keeper.person.at_work() as workspace:
        left = {each.ref.id for each in await workspace.archive.gone()}
        known = await workspace.archive.knows(ref(ids[1]))

    assert (first.code, states(first)) == (0, [("complete", 0, 0)])
    assert gone == {ids[0]: "deleted", ids[1]: "hidden"}
    assert left == {ids[1]}
    assert known, "what is saved stays on record"


async def test_a_number_that_stays_wrong_is_told_once_and_then_costs_one_call(keeper: Keeper) -> None:
    """Posts that an account counts and does not list are an error the first time, and again when they are more."""
    world = keeper.person.platform.world
    assert world is not None
    keeper.person.platform.faults.set("guests-see-all")
    keeper.source(SHORT, name="it")
    unlisted = videos(SHORT)[-9:]
    await keeper.knows(SHORT, videos(SHORT)[:-9])
    for id in unlisted:
        world.withdraw(id, None)
    outcomes, pages = [], []
    for days in (0, 1, 2, 3, 34, 65, 66, 67):
        keeper.ahead = days * DAY
        if days == 3:
            await keeper.publishes(SHORT, 5)
        if days == 65:
            for id in videos(SHORT)[10:14]:
                world.withdraw(id, None)
        before = len(keeper.calls())
        outcomes.append(await keeper.run())
        pages.append(listed(keeper, before))
    async with keeper.person.at_work() as workspace:
        (row,) = await workspace.archive.listings(Ref("douyin", "user", SHORT), None)

    assert [each.code for each in outcomes] == [7, 0, 0, 0, 0, 0, 0, 0]
    assert [row.state for each in outcomes for row in rows(each).values()] == [
        *["cut", "complete", "complete", "complete", "complete"],
        *["gap", "complete", "complete"],
    ]
    assert pages == [4, 4, 1, 1, 4, 4, 4, 1]
    assert (row.listed, row.declared, row.cause) == (50, 63, "")


async def test_many_vanished_posts_are_looked_up_in_several_runs(keeper: Keeper) -> None:
    """A run looks up so many; the next one goes on with the others."""
    world = keeper.person.platform.world
    assert world is not None
    await settled(keeper, SHORT)
    for id in videos(SHORT, 22, 23):
        world.withdraw(id, "status_self_see")
    keeper.ahead = 31 * DAY
    found = []
    for _ in range(2):
        await keeper.run(lookups=1)
        async with keeper.person.at_work() as workspace:
            found.append([each.state for each in await workspace.archive.gone()])

    assert found == [["private"], ["private"] * 2]


@pytest.mark.parametrize(
    ("state", "error"), [("private", "Private"), ("banned", "Banned"), ("cancelled", "Banned")]
)
async def test_an_account_that_closes_is_an_error_and_rests(keeper: Keeper, state: str, error: str) -> None:
    """Its cause is that of the profile; the next runs leave it alone for longer and longer, unless it is named."""
    world = keeper.person.platform.world
    assert world is not None
    await settled(keeper, OPEN, name="open")
    world.turn(OPEN, state)  # type: ignore[arg-type]
    closed = await keeper.run()
    resting = await keeper.run()
    named = await keeper.run("open")
    keeper.ahead = timedelta(hours=1, minutes=30)
    still = await keeper.run()
    world.turn(OPEN, "public")
    keeper.ahead = timedelta(hours=3)
    back = await keeper.run()

    assert (closed.code, states(closed)) == (5, [("failed", 0, 0)])
    assert [event.error.name for event in closed.of(Failed)] == [error]
    assert ("dyvine sync remove open" in str(closed.of(Failed)[0].error.hint)) is (error == "Banned")
    assert (resting.code, states(resting)) == (0, [])
    assert named.code == 5
    assert states(still) == []
    assert (back.code, states(back)) == (0, [("complete", 0, 0)])


async def test_an_account_that_took_everything_down_is_no_error(keeper: Keeper) -> None:
    """An empty list is believed when the profile says the same."""
    world = keeper.person.platform.world
    assert world is not None
    keeper.source(World.ACCOUNTS[1], kind=["video", "images"])
    first = await keeper.run()
    world.withdraw(next(iter(videos(World.ACCOUNTS[1]))), "status_deleted")
    second = await keeper.run()

    assert states(first) == [("complete", 1, 0)]
    assert second.code == 0
    async with keeper.person.at_work() as workspace:
        assert [each.state for each in await workspace.archive.gone()] == ["deleted"]


async def test_an_account_without_posts_is_one_call(keeper: Keeper) -> None:
    """Nothing was there, and nothing is: that is not odd."""
    keeper.source(World.ACCOUNTS[0])
    await keeper.run()
    before = len(keeper.calls())
    second = await keeper.run()

    assert states(second) == [("complete", 0, 0)]
    assert len(keeper.calls()) - before == 1


async def test_a_renamed_account_is_told_and_keeps_its_names(keeper: Keeper) -> None:
    """No extra call; the name that it had stays on record."""
    world = keeper.person.platform.world
    assert world is not None
    keeper.source(OPEN)
    await keeper.knows(OPEN, videos(OPEN)[1:])
    await keeper.run()
    world.rename(OPEN, "另一个名字")
    before = len(keeper.calls())
    second = await keeper.run()
    third = await keeper.run()
    async with keeper.person.at_work() as workspace:
        found = await workspace.archive.user("douyin", OPEN)

    (told,) = second.of(Warned)
    assert told.notice
    assert "另一个名字" in told.message
    assert list(rows(second)) == ["另一个名字"]
    assert third.of(Warned) == []
    assert len(keeper.calls()) - before == 2
    assert found is not None
    assert [name.nickname for name in found.names][-1] == "另一个名字"
    assert len(found.names) == 2


# --- which, when, and how many at once --------------------------------------------------------------------------------

FEW = (World.ACCOUNTS[0], World.ACCOUNTS[1], World.LIKES)


def few(keeper: Keeper, **more: object) -> None:
    """Three sources that are quickly done."""
    for number, account in enumerate(FEW):
        keeper.source(account, name="abc"[number], kind=["note"], **more)


async def test_the_longest_unchecked_comes_first(keeper: Keeper) -> None:
    """Those that never were before all others, in their order."""
    few(keeper)
    await keeper.run("b")
    keeper.ahead = DAY
    await keeper.run("c")
    keeper.ahead = 2 * DAY

    assert order(await keeper.run()) == ["a", "b", "c"]
    keeper.ahead = 3 * DAY
    await keeper.run("a")
    keeper.ahead = 4 * DAY
    assert order(await keeper.run()) == ["b", "c", "a"]


async def test_a_source_has_its_own_time(keeper: Keeper) -> None:
    """`every` leaves it out until it is due, nearly to the minute; its name brings it in any case, its tag does not."""
    few(keeper, every="1d", tags=["slow"])
    await keeper.run()
    soon = await keeper.run()
    by_tag = await keeper.run("slow")
    by_name = await keeper.run("b")
    keeper.ahead = DAY - timedelta(minutes=5)
    due = await keeper.run()

    assert order(soon) == order(by_tag) == []
    assert order(by_name) == ["b"]
    assert sorted(order(due)) == ["a", "b", "c"]


async def test_a_source_that_is_off_runs_only_by_name(keeper: Keeper) -> None:
    """It stays in the configuration for another day."""
    few(keeper, enabled=False)

    assert order(await keeper.run()) == []
    assert order(await keeper.run("c")) == ["c"]


async def test_several_at_once(keeper: Keeper) -> None:
    """All are done, each once."""
    few(keeper)
    outcome = await keeper.run(jobs=3)

    assert sorted(order(outcome)) == ["a", "b", "c"]
    assert outcome.code == 0


async def test_sources_at_once_that_want_the_same_posts_save_them_once(keeper: Keeper) -> None:
    """Each with a folder of its own: a post stands in one of them, and that one is on record."""
    for number in range(3):
        keeper.source(OPEN, name=f"{number}", path=str(keeper.person.home / f"place{number}"))
    outcome = await keeper.run(jobs=3)
    saved = [event.path for event in outcome.events if isinstance(event, Saved)]
    on_disk = [path for path in keeper.person.home.glob("place*/**/*") if path.is_file()]
    async with keeper.person.at_work() as workspace:
        (count,) = [each.files for each in await workspace.archive.stats() if each.kind == "video"]

    assert outcome.code == 0
    assert len(on_disk) == len(set(saved)) == len(saved) == count > 3


async def test_an_account_that_fails_does_not_end_the_others(keeper: Keeper) -> None:
    """Several sources of which one fails are status 3."""
    few(keeper)
    keeper.source(World.NOBODY, name="nobody")
    keeper.sources.append({"url": "https://www.douyin.com/video/7372484719365098803", "name": "a post"})
    outcome = await keeper.run()

    assert outcome.code == 3
    assert {name: row.state for name, row in rows(outcome).items()} == {
        "a": "complete",
        "b": "complete",
        "c": "complete",
        "nobody": "failed",
        "a post": "failed",
    }


async def test_a_refusal_ends_its_site_and_the_other_goes_on(keeper: Keeper) -> None:
    """What is left of the site is counted as not tried, and comes first the next time."""
    few(keeper)
    keeper.source(OPEN, name="d")
    keeper.sources.append({"url": f"tiktok:user:{TiktokWorld.ACCOUNTS[0]}", "name": "other", **VIDEOS})
    keeper.person.platform.faults.set("edge-429", where="www.douyin.com/aweme/")
    outcome = await keeper.run()
    keeper.person.platform.faults.clear()
    keeper.person.time.now += 8_000
    again = await keeper.run()

    assert outcome.code == 6
    found = {name: row.state for name, row in rows(outcome).items()}
    assert found["other"] == "complete"
    assert "not tried" in found.values()
    assert set(found.values()) == {"complete", "failed", "not tried"}
    assert again.code in (0, 7)
    assert not {"failed", "not tried"} & {row.state for row in rows(again).values()}


async def test_a_dead_login_ends_its_site(keeper: Keeper) -> None:
    """Status 4, said once, and no second source is asked for."""
    keeper.person.env["DOUYIN_COOKIE"] = login_header(keeper.person.platform.clock())
    keeper.person.platform.faults.set("login-expired")
    keeper.source(OPEN, name="a")
    keeper.source(SHORT, name="b")
    outcome = await keeper.run()

    assert outcome.code == 4
    assert [row.state for row in rows(outcome).values()] == ["failed", "not tried"]


async def test_a_disk_that_takes_nothing_ends_the_run(keeper: Keeper) -> None:
    """Nothing is settled that was not saved: the next run does all of it."""
    keeper.source(OPEN, name="first")
    few(keeper)
    await keeper.knows(OPEN, videos(OPEN)[1:])
    keeper.person.folder.mkdir()
    blocked = keeper.person.folder / "douyin"
    blocked.write_text("a file in the way")
    first = await keeper.run()
    then, *others = await keeper.standings()
    blocked.unlink()
    second = await keeper.run()
    now, *_ = await keeper.standings()

    assert first.code == 10
    assert (then.state, then.error, then.needs_person, then.due) == ("stopped", "NotWritable", True, None)
    assert not any(each.needs_person for each in others)
    assert (now.state, now.error, now.needs_person) == ("complete", "", False)
    assert order(first) == ["first"]
    assert rows(first)["first"].state == "stopped"
    assert rows(second)["first"].new == 1


@pytest.mark.parametrize("left", ["empty", "missing"])
async def test_a_disk_that_is_not_mounted_ends_the_run_before_anything_is_asked(
    keeper: Keeper, left: str
) -> None:
    """Nothing is saved on the mount point; a folder with anything in it is a folder in use, whatever was moved away."""
    keeper.source(OPEN, name="it")
    few(keeper)
    await keeper.knows(OPEN, videos(OPEN)[2:])
    first = await keeper.run()
    folder = keeper.person.folder
    folder.rename(keeper.person.home / "disk")
    if left == "empty":
        folder.mkdir()
    before = len(keeper.calls())
    with pytest.raises(
        NotWritable, match="none of the 2 files saved there is there: is the disk mounted"
    ) as missing:
        await keeper.run()
    asked = len(keeper.calls()) - before
    (folder / "any").mkdir(parents=True)
    moved = await keeper.run()

    assert (first.code, moved.code) == (0, 0)
    assert asked == 0
    assert str(folder) in str(missing.value)


async def test_a_disk_of_one_source_that_is_not_mounted_ends_that_one_only(keeper: Keeper) -> None:
    """The others go on; the row and the error say which folder is missing, and nothing is saved there."""
    place = keeper.person.home / "stick"
    keeper.source(OPEN, name="there", path=str(place))
    await keeper.run()
    place.rename(keeper.person.home / "unplugged")
    few(keeper)
    outcome = await keeper.run()
    told = [event for event in outcome.events if isinstance(event, Failed)]

    assert {name: row.state for name, row in rows(outcome).items()} == {
        "there": "not tried",
        "a": "complete",
        "b": "complete",
        "c": "complete",
    }
    assert "is the disk mounted?" in rows(outcome)["there"].error
    assert [(event.text, event.error.exit_code) for event in told] == [("1 source, not tried", 10)]
    assert outcome.code == 3
    assert not place.exists()


# --- sources of their own kind ----------------------------------------------------------------------------------------


async def test_each_source_has_its_own_folder_name_and_login(keeper: Keeper) -> None:
    """Path, names and profile of a source hold for it alone; one archive remembers all."""
    own = keeper.person.home / "own"
    keeper.source(OPEN, path=str(own), output="{id}.{ext}")
    keeper.source(World.SELF, profile=["nobody"], name="unknown login")
    await keeper.knows(OPEN, videos(OPEN)[1:])
    outcome = await keeper.run()

    assert [path.name for path in own.iterdir()] == [f"{videos(OPEN)[0]}.mp4"]
    assert rows(outcome)["unknown login"].state == "failed"
    assert "nobody" in rows(outcome)["unknown login"].error


async def test_a_source_adds_what_it_wants_of_posts_that_another_brought(keeper: Keeper) -> None:
    """The post is saved once, where the first one puts it; its cover comes with the second, without another list."""
    covers = keeper.person.home / "covers"
    keeper.source(OPEN, name="videos")
    keeper.source(OPEN, name="covers", path=str(covers), write_thumbnail=True)
    await keeper.knows(OPEN, videos(OPEN))
    await keeper.run()
    (new, *_) = await keeper.publishes(OPEN, 1)
    before = len(keeper.calls())
    second = await keeper.run()
    third = await keeper.run()
    found = [event for event in second.of(Saved) if event.ref.id == new]

    assert {event.asset: event.path.is_relative_to(covers) for event in found} == {
        "video": False,
        "cover": True,
    }
    assert len(found) == 2
    assert states(third) == [("complete", 0, 0)] * 2
    assert listed(keeper, before) == 4


async def test_an_option_of_one_run_takes_nothing_from_a_source(keeper: Keeper) -> None:
    """What a run left out by its options is not left out for ever, and nothing else is listed again."""
    before = await settled(keeper, SHORT)
    new = await keeper.publishes(SHORT, 5)
    few = await keeper.run(limit=1)
    rest = await keeper.run()
    quiet = await keeper.run()

    assert [states(each)[0][1] for each in (few, rest, quiet)] == [1, len(new) - 1, 0]
    assert listed(keeper, before) == 3


async def test_there_must_be_sources_and_known_words(keeper: Keeper) -> None:
    """Each complaint names its cure."""
    with pytest.raises(InputError) as nothing:
        await keeper.run()
    keeper.source(OPEN, name="kitchen")
    with pytest.raises(InputError) as misspelt:
        await keeper.run("kitchn")

    assert "dyvine sync add" in str(nothing.value.hint)
    assert "kitchen" in str(misspelt.value.hint)


async def test_without_an_archive_there_is_no_sync(keeper: Keeper) -> None:
    """It could not know what is new."""
    keeper.source(OPEN)
    with pytest.raises(InputError) as refused:
        await keeper.run(no_archive=True)

    assert "--no-archive" in str(refused.value.hint)


def test_sync_needs_an_absolute_folder(keeper: Keeper) -> None:
    """Cron starts it anywhere."""
    keeper.source(OPEN)
    with pytest.raises(ConfigError):
        keeper.settings(path="here").lasting_path("sync")


# --- one at a time ----------------------------------------------------------------------------------------------------


def test_two_runs_at_once_are_refused_with_pid_and_start(keeper: Keeper) -> None:
    """The second one says whose turn it is."""
    state = keeper.person.home / "state"
    with alone(state), pytest.raises(Busy) as busy, alone(state):
        pass

    assert f"process {os.getpid()} (since {datetime.now(UTC).astimezone():%Y-%m-%d}" in str(busy.value)


@pytest.mark.parametrize(
    "note", ['{"pid": 1, "began": "2020-01-01 00:00:00+00:00"}', "", "[]", "\x00\xff" * 600]
)
def test_the_lock_of_a_dead_process_is_taken_over(keeper: Keeper, note: str) -> None:
    """What stands in the file is for people; the lock ended with its process."""
    path = keeper.person.home / "sync.lock"
    path.write_text(note)
    with alone(keeper.person.home):
        taken = json.loads(path.read_text())

    assert taken["pid"] == os.getpid()


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="the system has no such links")
def test_a_link_in_the_place_of_the_lock_is_not_followed(keeper: Keeper) -> None:
    """The file behind it keeps its content."""
    target = keeper.person.home / "mine"
    target.write_text("mine")
    (keeper.person.home / "sync.lock").symlink_to(target)
    with pytest.raises(NotWritable), alone(keeper.person.home):
        pass

    assert target.read_text() == "mine"


def test_a_lock_with_a_damaged_note_is_still_a_lock(keeper: Keeper) -> None:
    """Another process is named as such."""
    path = keeper.person.home / "sync.lock"
    path.write_text("{")
    held = os.open(path, os.O_RDWR)
    try:
        assert lock.take(held)
        with pytest.raises(Busy, match="another process"), alone(keeper.person.home):
            pass
    finally:
        os.close(held)


async def test_a_run_that_is_stopped_continues(keeper: Keeper) -> None:
    """Sources that were done are not done again before the others, and the one on its way goes on at its place."""
    keeper.person.platform.faults.set("guests-see-all")
    keeper.source(World.ACCOUNTS[0], name="done")
    keeper.source(LONG, name="long")
    keeper.source(World.ACCOUNTS[1], name="later", kind=["note"])
    ids = videos(LONG)
    await keeper.knows(LONG, [id for id in ids if id not in ids[100:110]])
    keeper.person.platform.faults.set("stall", value="head")
    task = asyncio.create_task(keeper.run(parallel=16))
    while listed(keeper) < 10:  # another thread counts
        assert not task.done(), "it ended before it was stopped"
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    keeper.person.platform.faults.clear("stall")
    before = len(keeper.calls())
    second = await keeper.run()

    assert order(second) == ["later", "done", "long"]
    assert rows(second)["long"].new == 10
    assert listed(keeper, before) < 12
