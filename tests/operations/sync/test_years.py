"""Years of `sync` at random, and what went wrong in some of them: nothing is ever missing unseen."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dyvine_cli.errors import NetworkError
from dyvine_cli.models import Cursor, Listing, Page, Ref
from dyvine_cli.operations.pages import TOP

from .happenings import Years
from .years import EVE, FAN, GUESTS_SEE, MIX, OWNERS, PAGE, Item, Told

pytestmark = pytest.mark.anyio

ANN = OWNERS[0]


class Script(Years):
    """A life in which only happens what a test says; one account, one source of it."""

    def __init__(self, home: Path) -> None:
        super().__init__(0, home)
        self.world.items.clear()
        self.sources.clear()
        self.add_source("ann", f"douyin:user:{ANN}")

    def publish(self, count: int, **facts: object) -> list[Item]:
        """Posts of the account, the oldest first."""
        found = [self.world.publish(ANN) for _ in range(count)]
        for item in found:
            item.kind, item.login_only, item.failing, item.in_mix = "article", False, None, False
            for name, value in facts.items():
                setattr(item, name, value)
        return found

    async def again(self, **how: object) -> Told:
        """`dyvine sync` a while later, and what it says is true."""
        self.world.now += timedelta(hours=1)
        began = self.world.now
        told = await self.sync(**how)  # type: ignore[arg-type]
        await self.check_run(told, began)
        await self.check_status()
        return told

    async def has(self, *items: Item) -> list[bool]:
        """Whether posts are saved."""
        return [await self.archive.knows(item.ref) for item in items]


def _empty_at(life: Script, item: Item) -> Callable[[], None]:
    """Let the page behind a post be empty, and promise more; the way to undo that."""
    honest = life.platform._honest
    lost = str(int(item.created.timestamp() * 1000))

    def empty(ref: Ref, what: Listing | None, cursor: Cursor | None) -> Page:
        page = honest(ref, what, cursor)
        return Page(items=(), next=page.next) if cursor == lost else page

    def undo() -> None:
        life.platform._honest = honest  # type: ignore[method-assign]

    life.platform._honest = empty  # type: ignore[method-assign]
    return undo


def states(told: Told) -> list[tuple[str, int, int]]:
    """State, new and failed of each source."""
    return [(row.state, row.new, row.failed) for row in told.rows]


@pytest.fixture
def life(tmp_path: Path) -> Script:
    """Someone who keeps an account in sync."""
    return Script(tmp_path)


# --- at random --------------------------------------------------------------------------------------------------------


async def lived(seeds: range, steps: int, folder: Path) -> None:
    """Lives of so many steps each; the seed of one that went wrong is told."""
    for seed in seeds:
        home = folder / str(seed)
        home.mkdir()
        await Years(seed, home).live(steps)


async def test_nothing_is_missing_unseen_in_short_lives(tmp_path: Path) -> None:
    """A platform that lies, refuses and changes, and a person who does, too; at the end everything is there."""
    await lived(range(8), 30, tmp_path)


@pytest.mark.slow
async def test_nothing_is_missing_unseen_in_long_lives(tmp_path: Path) -> None:
    """More of them; `DYVINE_SEED` begins elsewhere. (tests/bench/years.py looks for rare ones among thousands.)"""
    first = int(os.environ.get("DYVINE_SEED", "1000"))
    await lived(range(first, first + 20), 80, tmp_path)


# --- what went wrong --------------------------------------------------------------------------------------------------


async def test_a_post_that_fails_by_its_id_again_is_put_off(life: Script) -> None:
    """It ends neither the run nor the others, and has its next try."""
    (item,) = life.publish(1, failing=NetworkError)
    await life.again()
    second = await life.again()
    third = await life.again()
    item.failing = None
    await life.again()

    assert (second.code, states(second)) == (3, [("complete", 0, 1)])
    assert states(third) == [("complete", 0, 0)]
    assert await life.has(item) == [True]


async def test_a_post_fetched_alone_while_the_list_is_read_hides_nothing(life: Script) -> None:
    """What was published after the list was asked for is no sign that what is below it was there."""
    life.publish(2 * PAGE)
    later: list[Item] = []

    async def meanwhile() -> None:
        if not later:
            later.extend(life.publish(PAGE + 2))
            await life.fetch(later[-1])

    await life.again()
    life.publish(2 * PAGE)
    life.world.before_call = meanwhile
    first = await life.again()
    second = await life.again()

    assert later
    assert first.code == second.code == 0
    assert all(await life.has(*later))


async def test_stop_at_known_passes_a_post_that_was_fetched_alone(life: Script) -> None:
    """`dyvine user --stop-at-known` ends at what its last listing knew; else `sync` would believe it."""
    life.publish(PAGE)
    await life.again()
    new = life.publish(2 * PAGE)
    await life.fetch(new[-1])
    await life.user(ANN, stop_at_known=True)
    await life.again()

    assert all(await life.has(*new))


async def test_an_empty_page_above_what_is_known_is_a_gap_until_it_is_read(life: Script) -> None:
    """The page promised more and was empty: what is new may belong there, and the status says so."""
    life.publish(PAGE)
    await life.again()
    new = life.publish(2 * PAGE)
    undo = _empty_at(life, new[PAGE])
    first = await life.again()
    (shown,) = await life.status()
    undo()
    second = await life.again()

    assert (first.code, states(first)) == (0, [("gap", PAGE, 0)])
    assert (shown.state, shown.cut) == ("gap", "ListingIncomplete")
    assert (second.code, states(second)) == (0, [("complete", PAGE, 0)])


async def test_an_empty_page_that_stays_empty_is_believed(life: Script) -> None:
    """The second run that meets it settles: removed posts leave such pages for ever."""
    life.publish(PAGE)
    await life.again()
    new = life.publish(2 * PAGE)
    _empty_at(life, new[PAGE])
    await life.again()
    for item in new[:PAGE]:
        item.back = True
    second = await life.again()
    before = life.world.calls
    await life.again()

    assert states(second) == [("complete", 0, 0)]
    assert life.world.calls - before == 1


async def test_a_mix_that_lost_one_and_got_one_is_listed(life: Script) -> None:
    """As many episodes as before are no proof; the time of its last change is asked, too."""
    life.sources = [{"name": "mix", "url": f"douyin:mix:{MIX}"}]
    old = life.publish(PAGE, in_mix=True)
    await life.again()
    old[0].shown = False
    (new,) = life.publish(1, in_mix=True)
    second = await life.again()

    assert states(second) == [("complete", 1, 0)]
    assert await life.has(new) == [True]


async def test_the_first_posts_of_an_account_are_not_taken_for_all_of_them(life: Script) -> None:
    """It had none when it was listed, so the old number says nothing; a guest meets the wall."""
    life.world.login, life.world.walls = False, True
    await life.again()
    life.publish(2 * GUESTS_SEE)
    second = await life.again()

    assert (second.code, states(second)) == (7, [("cut", GUESTS_SEE, 0)])


async def test_an_account_that_shows_nothing_settles_nothing(life: Script) -> None:
    """It may be closed just now: what it published meanwhile is new when it opens."""
    await life.again()
    life.world.owners[ANN].state = "private"
    new = life.publish(2 * PAGE)
    await life.sync()
    await life.fetch(new[-1])
    life.world.owners[ANN].state = "public"
    await life.again()

    assert all(await life.has(*new))


async def test_a_narrower_source_at_the_wall_does_not_speak_for_the_other(life: Script) -> None:
    """What one source of an account left out is new for the other one, also where both meet a guest's wall."""
    life.add_source("notes", f"douyin:user:{ANN}:posts", kind=["note"])
    life.world.login, life.world.walls = False, True
    life.publish(2 * GUESTS_SEE)
    await life.again()
    new = life.publish(GUESTS_SEE)
    life.sources.reverse()
    await life.again()
    life.world.login = True
    life.publish(1)
    await life.again()

    assert all(await life.has(*new))


async def test_a_failure_is_not_dropped_by_a_source_that_does_not_want_it(life: Script) -> None:
    """Two sources of one account: each tries again what it wants."""
    life.sources.insert(0, {"name": "notes", "url": f"douyin:user:{ANN}:posts", "kind": ["note"]})
    (item,) = life.publish(1, failing=NetworkError)
    await life.again()
    await life.again()
    item.failing = None
    for _ in range(3):
        life.world.now += timedelta(hours=5)
        await life.again()

    assert await life.has(item) == [True]
    assert await life.archive.failures() == ()


async def test_a_limit_takes_no_older_posts_run_by_run(life: Script) -> None:
    """What it left out of the first listing stays out; what is new comes, at most so many."""
    life.sources[0]["limit"] = 2
    life.publish(PAGE + 2)
    first = await life.again()
    second = await life.again()
    life.publish(1)
    third = await life.again()

    assert [states(told) for told in (first, second, third)] == [
        [("complete", 2, 0)],
        [("complete", 0, 0)],
        [("complete", 1, 0)],
    ]


async def test_a_clock_that_ran_ahead_for_a_run_hides_nothing(life: Script) -> None:
    """What it settled, and when it wanted to try again, is not believed once the clock is right."""
    failing = life.publish(PAGE) and life.publish(1, failing=NetworkError)
    life.world.now += timedelta(days=3650)
    await life.sync()
    life.world.now -= timedelta(days=3650)
    new = life.publish(2 * PAGE)
    await life.fetch(new[-1])
    failing[0].failing = None
    told = await life.again()

    assert told.code == 0
    assert all(await life.has(*new, *failing))


async def test_what_fails_for_two_sources_of_a_listing_is_tried_once_a_run(life: Script) -> None:
    """The second source does not ask again for what the first one could not have."""
    life.add_source("again", f"douyin:user:{ANN}:posts")
    life.publish(1, failing=NetworkError)
    await life.again()
    life.world.now += timedelta(days=1)
    before = life.world.calls
    await life.again()
    (failure,) = await life.archive.failures()

    assert life.world.calls - before == 1 + 2, "the post once, and the list for each source"
    assert failure.attempts == 2


async def test_older_posts_are_not_missed_where_only_the_newest_are_wanted(life: Script) -> None:
    """A run of `user` that left off somewhere is no gap of such a source."""
    life.sources[0]["depth"] = "newest"
    life.publish(2 * PAGE)
    await life.again()
    life.publish(2 * PAGE)
    await life.user(ANN, limit=PAGE + 1)
    (shown,) = await life.status()

    assert (shown.state, shown.cut) == ("complete", "")


async def test_a_list_that_leads_back_above_its_place_is_not_counted_twice(life: Script) -> None:
    """What came before a place stands for nothing that did not come: a list that ends early there is not whole."""
    old = life.publish(8 * PAGE)
    honest = life.platform._honest
    back = honest(Ref("douyin", "user", ANN), None, None).next
    led: list[Cursor | None] = []

    def lying(ref: Ref, what: Listing | None, cursor: Cursor | None) -> Page:
        page = honest(ref, what, cursor)
        led.append(cursor)
        if len(led) == 4:
            raise NetworkError("no route")
        if len(led) == 6:
            return replace(page, next=back)  # above the place
        return replace(page, next=None) if len(led) > 6 and cursor == back else page

    life.platform._honest = lying  # type: ignore[method-assign]
    first = await life.again()
    second = await life.again()
    third = await life.again()

    assert [states(told)[0][0] for told in (first, second, third)] == ["cut", "gap", "complete"]
    assert all(await life.has(*old))


# --- several sources of one list, and lists that share posts ----------------------------------------------------------

NOTHING = ("complete", 0, 0)


def second(**more: object) -> dict[str, object]:
    """Another source of the same account, by the same link."""
    return {"name": "second", "url": f"douyin:user:{ANN}", **more}


def mixed(life: Script, count: int) -> list[Item]:
    """Posts of the account, articles and notes in turn, half of them liked by many."""
    found = life.publish(count)
    for number, item in enumerate(found):
        item.kind = "note" if number % 2 else "article"
        item.likes = 9 if number % 4 < 2 else 0
    return found


def of_eve(life: Script, count: int) -> list[Item]:
    """Posts of an account that is no source."""
    found = [life.world.publish(EVE) for _ in range(count)]
    for item in found:
        item.kind, item.login_only, item.failing = "article", False, None
    return found


def like(life: Script, *items: Item) -> None:
    """The fan likes posts, the last one last."""
    for item in items:
        life.world.now += timedelta(seconds=2)
        item.liked = life.world.now


async def calls(life: Script) -> tuple[int, list[tuple[str, int, int]]]:
    """What a run asked for, and how its sources came out in the order of their checks."""
    before = life.world.calls
    told = await life.again()
    return life.world.calls - before, states(told)


async def test_sources_of_one_account_with_other_filters_are_one_call_each(life: Script) -> None:
    """Neither speaks for the other: what is new comes to both, a post that both want once."""
    life.sources[0]["match"] = "likes > 4"
    life.sources.append(second(kind=["note"]))
    mixed(life, 5 * PAGE)
    await life.again()
    quiet = await calls(life)
    mixed(life, 4)
    news = await calls(life)
    again = await calls(life)

    assert quiet == again == (2, [NOTHING, NOTHING])
    assert news == (4, [("complete", 2, 0), ("complete", 1, 0)]), "a page of new ones, and one that was there"


async def test_sources_with_other_first_dates_are_one_call_each(life: Script) -> None:
    """The later date does not make the other look at everything again."""
    day = life.world.now
    for number, item in enumerate(life.publish(3 * PAGE)):
        item.created = day - timedelta(days=number)
    life.sources[0]["since"] = f"{day - timedelta(days=9):%Y-%m-%d}"
    life.sources.append(second(since=f"{day - timedelta(days=3):%Y-%m-%d}"))
    await life.again()
    counts = [await calls(life)]
    for _ in range(3):
        life.publish(1)
        await life.again()
        life.sources.reverse()
        counts.append(await calls(life))

    assert counts == [(2, [NOTHING, NOTHING])] * 4


async def test_a_filter_that_lets_more_through_looks_at_everything_once(life: Script) -> None:
    """What was left out comes, by one walk to the end; then nothing new is one call again."""
    life.sources[0]["kind"] = ["note"]
    old = mixed(life, 4 * PAGE)
    await life.again()
    life.sources[0]["kind"] = ["article", "note"]
    edited = await calls(life)
    quiet = await calls(life)

    assert edited == (1 + 4, [("complete", 2 * PAGE, 0)]), "who it is, and four pages"
    assert quiet == (1, [NOTHING])
    assert all(await life.has(*old))


async def test_a_filter_that_lets_less_through_lists_nothing_again(life: Script) -> None:
    """All that it wants was dealt with, or is on record as failed; back again, what it left out meanwhile comes."""
    (failing,) = life.publish(1, failing=NetworkError)
    mixed(life, 4 * PAGE)
    await life.again()
    life.sources[0]["kind"] = ["article"]
    (new,) = life.publish(1, kind="note")
    less = await calls(life)
    failing.failing = None
    life.world.now += timedelta(days=8)
    mended = await calls(life)
    del life.sources[0]["kind"]
    back = await calls(life)

    assert less == (1, [NOTHING])
    assert mended == (2, [("complete", 1, 0)]), "what failed by its id, and the list"
    assert back == (1, [("complete", 1, 0)])
    assert await life.has(new, failing) == [True, True]


async def test_a_name_a_link_and_a_rest_change_nothing(life: Script) -> None:
    """A source is remembered by what it wants of which list, also after it was taken out for a while."""
    life.publish(4 * PAGE)
    await life.again()
    life.sources[0] |= second(url=f"douyin:user:{ANN}:posts")
    renamed = await calls(life)
    out = life.sources.pop()
    life.sources.append(second(name="notes", kind=["note"]))
    await life.again()
    (new,) = life.publish(1)
    life.sources = [out]
    back = await calls(life)

    assert renamed == (2, [NOTHING]), "what it is called is asked for, too"
    assert back == (1, [("complete", 1, 0)])
    assert await life.has(new) == [True]


@pytest.mark.parametrize(
    "flags",
    [{"limit": 2}, {"kinds": frozenset(["note"])}, {"stop_at_known": True}, {"full": True}, {}],
    ids=["limit", "kind", "stop at known", "full", "all"],
)
async def test_a_run_by_hand_takes_nothing_from_a_source(life: Script, flags: dict[str, object]) -> None:
    """Whatever it wanted, and however it ended, the source only looks at what is new."""
    mixed(life, 5 * PAGE)
    await life.again()
    new = mixed(life, 2)
    await life.user(ANN, **flags)
    after = await calls(life)
    quiet = await calls(life)

    assert (after[0], quiet) == (1, (1, [NOTHING]))
    assert all(await life.has(*new))


async def test_what_a_source_knows_ends_a_run_by_hand(life: Script) -> None:
    """`dyvine user --stop-at-known` for an account that is kept in sync is one page, after who it is."""
    mixed(life, 5 * PAGE)
    await life.again()
    before = life.world.calls
    await life.user(ANN, stop_at_known=True)

    assert life.world.calls - before == 2


async def test_what_was_remembered_before_there_were_scopes_is_taken_over(life: Script) -> None:
    """An archive of an older version: nobody lists anything again who wants the same, and what failed is tried again."""
    life.publish(1, failing=NetworkError)
    mixed(life, 4 * PAGE)
    await life.again()
    for table in ("listed", "unfinished", "failed"):
        life.archive._db.execute(f"UPDATE {table} SET scope = ''")
    (shown,) = await life.status()
    life.sources.append(second(url=f"douyin:user:{ANN}:posts", kind=["article"]))
    first = await calls(life)
    life.world.now += timedelta(days=8)
    again = await calls(life)
    attempts = {each.attempts for each in await life.archive.failures()}

    assert shown.failed == {"NetworkError": 1}
    assert first == (1 + 2, [NOTHING, NOTHING]), "what the new one is called is asked for"
    assert again[0] == 1 + 2, "what failed, once for both"
    assert attempts == {2}


async def test_likes_of_an_account_that_is_kept_in_sync_hide_nothing(life: Script) -> None:
    """A page of likes that the archive knows by way of their account is not one that this list had before."""
    life.add_source("fan", f"douyin:user:{FAN}", listing="likes")
    old = life.publish(4 * PAGE)
    like(life, *old[: 2 * PAGE])
    await life.again()
    quiet = await calls(life)
    others = of_eve(life, 3)
    like(life, *others, *old[2 * PAGE :])
    news = await calls(life)
    again = await calls(life)

    assert quiet == again == (2, [NOTHING, NOTHING])
    assert news == (1 + 4, [NOTHING, ("complete", 3, 0)])
    assert all(await life.has(*others))


async def test_likes_that_are_taken_back_do_not_lengthen_the_walk(life: Script) -> None:
    """What was liked last may be gone from the list: what is left of it was there before."""
    life.sources = [{"name": "fan", "url": f"douyin:user:{FAN}", "listing": "likes"}]
    liked = of_eve(life, 4 * PAGE)
    like(life, *liked)
    await life.again()
    for item in liked[-3:]:
        item.liked = None
    shorter = await calls(life)
    like(life, *of_eve(life, 1))
    longer = await calls(life)

    assert shorter == (1, [NOTHING])
    assert longer == (2, [("complete", 1, 0)])


async def test_a_list_whose_first_posts_nobody_noted_gets_them_noted(life: Script) -> None:
    """Likes that an older version settled are not listed again, but for as many as are remembered from now on."""
    life.sources = [{"name": "fan", "url": f"douyin:user:{FAN}", "listing": "likes"}]
    liked = of_eve(life, TOP + 5 * PAGE)
    like(life, *liked)
    await life.again()
    life.archive._db.execute("UPDATE listed SET scope = '', top = NULL")
    first = await calls(life)
    row, _ = await life.archive.listings(Ref("douyin", "user", FAN), "likes")
    quiet = await calls(life)

    assert first == (TOP // PAGE, [NOTHING])
    assert row.top == tuple(each.id for each in reversed(liked))[:TOP]
    assert quiet == (1, [NOTHING])
