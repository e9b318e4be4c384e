"""Nothing is lost between runs: whatever ended one, the next takes what it left; and every balance adds up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dyvine_cli.cli.settings import selection_of
from dyvine_cli.errors import Deleted, LinkExpired, LoginExpired, LoginNeeded, Paid, RateLimited
from dyvine_cli.events import Balance, Event, Finished
from dyvine_cli.models import Cursor, Post, Ref
from dyvine_cli.operations.asked import Asked
from dyvine_cli.operations.backoff import may_pass
from dyvine_cli.operations.get import Getting
from dyvine_cli.operations.pages import Pages, Place
from dyvine_cli.simulator.douyin_guest import login_header
from dyvine_cli.simulator.world import World

from ..rows import some_fast
from .conftest import Person

pytestmark = pytest.mark.anyio

ACCOUNT = Ref("douyin", "user", World.ACCOUNTS[63])
SMALL = {"quality": "worst", "kind": "video"}
FAST: dict[str, Any] = {**SMALL, "retries": 0}
ON_PAGE_1, ON_PAGE_3 = 8, 45
"""Posts in the list's order, three pinned ones before them."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A run: how many posts are done when it is killed (None: it ends), which posts fail, as whom, with what."""

    killed: int | None = None
    failing: tuple[int, ...] = ()
    login: bool = True
    flags: dict[str, Any] = field(default_factory=dict)


NEXT = Step()
NEWS = Step(flags={"stop_at_known": True})

SCENARIOS: dict[str, list[Step]] = {
    "killed at once, then news": [Step(killed=1), NEWS],
    "killed on page 1, then news": [Step(killed=5), NEWS],
    "killed twice": [Step(killed=25), Step(killed=3), NEXT],
    "killed on page 1, then on page 2": [Step(killed=5), Step(killed=25, flags=NEWS.flags), NEWS],
    "killed on page 3, then news": [Step(killed=45), NEWS],
    "failed on page 1": [Step(failing=(ON_PAGE_1,)), NEXT],
    "failed on page 1, then news": [Step(failing=(ON_PAGE_1,)), NEWS],
    "failed on page 3": [Step(failing=(ON_PAGE_3,)), NEXT],
    "failed on page 3, then news": [Step(failing=(ON_PAGE_3,)), NEWS],
    "failed on pages 1 and 3": [Step(failing=(ON_PAGE_1, ON_PAGE_3)), Step(failing=(ON_PAGE_3,)), NEWS],
    "failed on page 3, then killed there": [Step(failing=(ON_PAGE_3,)), Step(killed=2), NEXT],
    "a guest, then a login": [Step(login=False), NEXT],
    "a guest, then news of a login": [Step(login=False), NEWS],
    "a guest's failure, then a login": [Step(login=False, failing=(ON_PAGE_1,)), NEXT],
    "a guest's failure, then news of a login": [Step(login=False, failing=(ON_PAGE_1,)), NEWS],
    "a guest's failure twice": [Step(login=False, failing=(ON_PAGE_1,)), Step(failing=(ON_PAGE_1,)), NEWS],
    "a guest, killed with the login": [Step(login=False), Step(killed=30), NEWS],
    "a few, then news": [Step(flags={"limit": 5}), NEWS],
    "two pages, then news": [Step(flags={"limit": 30}), NEWS],
    "a cut, then a few, then the rest": [Step(login=False), Step(flags={"limit": 30}), NEXT],
    "other kinds, then news": [Step(flags={"kind": "images"}), NEWS],
    "killed among other kinds": [Step(killed=45, flags={"kind": "images"}), NEXT],
    "a guest's pictures, then all of a login": [Step(login=False, flags={"kind": "images"}), NEXT],
}


async def listed(person: Person) -> list[Post]:
    """The posts of the account in the list's order."""
    async with person.at_work() as workspace:
        return [entry async for entry in workspace.client.list(ACCOUNT) if isinstance(entry, Post)]


def break_media(person: Person, post: Post) -> None:
    """Every file of a post is gone from the media hosts."""
    for url in {url for asset in post.assets for each in asset.renditions for url in each.mirrors}:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        names = query.get("file_id") or query.get("video_id") or parts.path.rstrip("/").split("/")
        name = names[-1]
        person.platform.faults.set("404", where=name)


async def run(person: Person, step: Step) -> tuple[int, Balance | None]:
    """One step; status -1 and no balance if it was killed."""
    person.env = {"DOUYIN_COOKIE": login_header(person.platform.clock())} if step.login else {}
    flags = FAST | step.flags
    events: list[Event] = []
    enough = asyncio.Event()

    def report(event: Event) -> None:
        events.append(event)
        if step.killed and sum(isinstance(each, Finished) for each in events) >= step.killed:
            enough.set()

    async def work() -> int:
        async with person.at_work(events, parallel=2, **flags) as workspace:
            wish = selection_of(person.settings(**flags))
            return await Getting(workspace, wish, report).run([Asked(str(ACCOUNT))])

    task = asyncio.create_task(work())
    if step.killed:
        await enough.wait()
        task.cancel()
        await asyncio.wait({task})
        return -1, None
    code = await task
    (balance,) = events[-1].balances  # type: ignore[union-attr]
    return code, balance


def check(balance: Balance) -> None:
    """Every entry that counts as listed has its fate."""
    dealt_with = balance.saved + balance.known + balance.filtered + balance.failed
    assert balance.listed == balance.earlier + dealt_with
    assert balance.listed <= 63


@pytest.mark.parametrize(
    "steps",
    some_fast(SCENARIOS, "killed on page 1, then news", "failed on page 1", "a guest, then news of a login"),
)
async def test_nothing_is_lost_between_runs(person: Person, steps: list[Step]) -> None:
    """The last run of each row leaves the account whole, its balance adds up, and only then is news enough."""
    posts = await listed_by_login(person)
    videos = sum(post.kind == "video" for post in posts)
    code, balance = 0, None
    for step in steps:
        for number in step.failing:
            break_media(person, posts[number])
        code, balance = await run(person, step)
        person.platform.faults.clear()
        if balance is not None:
            check(balance)
            assert (balance.failed > 0) == bool(step.failing), "the rows break videos"
    assert balance is not None
    assert (code, balance.complete, balance.listed) == (0, True, 63)
    names = {path.name for path in person.files() if path.suffix == ".mp4"}
    asked = len(person.calls("/aweme/post/"))
    again, news = await run(person, NEWS)

    assert len(names) >= videos
    assert all(any(post.ref.id in name for name in names) for post in posts if post.kind == "video")
    assert (again, news and news.saved) == (0, 0)
    assert len(person.calls("/aweme/post/")) - asked == 1


async def listed_by_login(person: Person) -> list[Post]:
    """The posts in the list's order, as a login sees them."""
    person.env = {"DOUYIN_COOKIE": login_header(person.platform.clock())}
    posts = await listed(person)
    assert [posts[each].kind for each in (ON_PAGE_1, ON_PAGE_3)] == ["video", "video"]
    return posts


async def test_a_failure_keeps_its_page(person: Person) -> None:
    """A list that came to its end with a failure on page 3 is complete, status 3, and goes on with page 3."""
    posts = await listed_by_login(person)
    break_media(person, posts[ON_PAGE_3])
    code, balance = await run(person, NEXT)
    async with person.at_work() as workspace:
        place = await workspace.archive.cursor(ACCOUNT, None)
        last = await workspace.archive.listed(ACCOUNT, None)
    asked = len(person.calls("/aweme/post/"))
    _, second = await run(person, NEXT)
    pages = len(person.calls("/aweme/post/")) - asked

    assert balance is not None
    assert place is not None
    assert last is not None
    assert second is not None
    assert (code, balance.complete, balance.listed, balance.failed) == (3, True, 63, 1)
    assert (place.listed, place.cause, last.cause) == (36, "LinkExpired", "LinkExpired")
    assert (pages, second.saved + second.failed) == (3, 1)


async def test_what_an_earlier_run_listed_is_told_apart(person: Person) -> None:
    """A resumed run says how much of what is listed it did not look at."""
    await run(person, Step(login=False))
    _, balance = await run(person, NEXT)

    assert balance is not None
    assert balance.listed == 63
    assert 10 <= balance.earlier <= 20


ERRORS = {
    "gone": (Deleted("gone"), False),
    "paid": (Paid("paid"), False),
    "login wanted": (LoginNeeded("login"), False),
    "login ended": (LoginExpired("login"), True),
    "links ended": (LinkExpired("links"), True),
    "refused": (RateLimited("slow"), True),
}


@pytest.mark.parametrize(("error", "expected"), ERRORS.values(), ids=ERRORS.keys())
def test_which_failures_are_worth_coming_back_for(error: Any, expected: bool) -> None:
    """What is gone stays gone."""
    assert may_pass(error) is expected


def test_a_page_is_open_until_all_of_it_is_done() -> None:
    """In hand, on its way, failed: the first page with any of it is where to go on."""
    top, second = Place(None, 0, 0), Place(Cursor("b"), 2, 1)
    pages = Pages()
    pages.begin(top)
    pages.add("1")
    pages.begin(second)
    pages.add("2")
    begun = pages.first()
    pages.finish("1")
    later = pages.first()
    pages.finish("2")
    in_hand = pages.first()
    pages.lay_down()

    assert (begun, later, in_hand, pages.first()) == (top, second, second, None)
