"""Several things in one call: doubles, failures of one, an ended site, the common summary."""

from __future__ import annotations

import pytest

from dyvine_cli.events import Failed, Saved
from dyvine_cli.operations.asked import from_lines
from dyvine_cli.simulator.douyin_guest import login_header
from dyvine_cli.simulator.world import World

from .conftest import Person

pytestmark = pytest.mark.anyio

SMALL = f"douyin:post:{World.SMALL}"
ONE = f"douyin:user:{World.ACCOUNTS[1]}"
NONE = f"douyin:user:{World.ACCOUNTS[0]}"


async def test_one_account_does_not_end_the_others(person: Person) -> None:
    """Private, missing and empty accounts stand beside one that comes; the summary has all of them."""
    outcome = await person.get(
        f"douyin:user:{World.PRIVATE_ACCOUNT}", ONE, f"douyin:user:{World.NOBODY}", NONE, noun="user"
    )

    assert outcome.code == 3
    assert [balance.complete for balance in outcome.summary.balances] == [True, True]
    assert outcome.summary.reasons == {"Private": 1, "NotFound": 1}
    assert outcome.summary.files == 1


async def test_a_refused_account_does_not_end_the_others(person: Person) -> None:
    """A refusal of one account's list is waited out, and the next account is asked for."""
    person.platform.faults.set("api-captcha-html", count=1, where="/aweme/post/")
    outcome = await person.get(ONE, f"douyin:user:{World.OPEN}", quality="worst", limit=2)

    assert outcome.code == 3
    assert outcome.summary.reasons == {"RiskControl": 1}
    assert outcome.summary.posts == 2
    assert person.time.slept == [60]


async def test_doubles_are_done_once(person: Person) -> None:
    """The same account by handle, id and link, and the same post twice."""
    link = f"https://www.douyin.com/user/{World.ACCOUNTS[1]}"
    outcome = await person.get(
        "@shan_ye_011",
        ONE,
        link,
        SMALL,
        SMALL,
        f"https://www.douyin.com/video/{World.SMALL}",
        site="douyin",
    )

    assert outcome.code == 0
    assert len(outcome.summary.balances) == 1
    assert len(outcome.of(Saved)) == 2
    assert len(person.calls("/aweme/detail/")) == 1


async def test_two_listings_of_one_account_are_two(person: Person) -> None:
    """An account's posts and its likes are different things."""
    account = f"douyin:user:{World.LIKES}"
    outcome = await person.get(account, f"{account}:likes", simulate=True)

    assert [balance.listed for balance in outcome.summary.balances] == [2, 44]


async def test_a_batch_names_its_lines(person: Person) -> None:
    """A line that cannot be used is told with its number, and the others go on."""
    lines = (
        f"\ufeff# mine\r\n\r\n{SMALL}\r\nnot a link\r\nhttps://example.com/x\r\ndouyin:post:{World.DELETED}\n"
    )
    outcome = await person.get(*from_lines(lines))

    assert outcome.code == 3
    assert [(event.text, event.error.name) for event in outcome.of(Failed)] == [
        ("line 4: not a link", "UnsupportedURL"),
        ("line 5: https://example.com/x", "UnsupportedURL"),
        (f"line 6: douyin:post:{World.DELETED}", "Deleted"),
    ]


async def test_an_ended_site_is_told_once(person: Person) -> None:
    """When the site asks for a long pause, the remaining ten thousand things are one line."""
    person.platform.faults.set("edge-429", where="/aweme/")
    lines = "\n".join(f"douyin:post:{7_300_000_000_000_000_000 + n}" for n in range(10_000))
    outcome = await person.get(*from_lines(lines))
    failed = outcome.of(Failed)

    assert outcome.code == 6
    assert [event.text for event in failed] == [
        "line 1: douyin:post:7300000000000000000",
        "9999 more of douyin, not tried",
    ]
    assert outcome.summary.failed == 10_000
    assert outcome.summary.next_try is not None
    assert person.time.slept == [60, 120]


async def test_refusals_end_the_site_in_the_end(person: Person) -> None:
    """A captcha before every post is not asked for ten thousand times."""
    for route in (
        "embed-closed",
        "signed-closed",
        "slidesinfo-closed",
        "batch-closed",
        "ssr-closed",
        "feed-closed",
    ):
        person.platform.faults.set(route)
    lines = "\n".join(f"douyin:post:{7_300_000_000_000_000_000 + n}" for n in range(50))
    outcome = await person.get(*from_lines(lines))

    assert outcome.code == 6
    assert len(outcome.of(Failed)) <= 5
    assert outcome.summary.failed == 50


async def test_a_dead_login_stops_before_the_first_download(person: Person) -> None:
    """Status 4, one line for the first thing and one for all others, and no call but the one that tried it."""
    person.env["DOUYIN_COOKIE"] = login_header(person.platform.clock(), session=World.DEAD_SESSION)
    outcome = await person.get(SMALL, ONE, f"douyin:post:{World.VIDEO}")

    assert outcome.code == 4
    assert {event.error.name for event in outcome.of(Failed)} == {"LoginExpired"}
    assert len(outcome.of(Failed)) == 2
    assert person.calls() == ["/aweme/v1/web/user/profile/self/"]
    assert person.files() == []


@pytest.mark.parametrize("stored", [True, False], ids=["main", "--cookies"])
async def test_a_stored_login_that_is_dead_is_no_guest(person: Person, stored: bool) -> None:
    """Neither the stored login nor a cookie file becomes a guest by dying."""
    header = login_header(person.platform.clock())
    file = person.home / "cookies.txt"
    file.write_text(header)
    if stored:
        from dyvine_cli import cookies
        from dyvine_cli.operations import login

        async with person.at_work() as workspace:
            await login.add(workspace, cookies.read(header, site="douyin"), site="douyin", name=None)
    person.platform.faults.set("login-expired")
    outcome = await person.get(SMALL, **({} if stored else {"cookies": str(file)}))
    guest = await person.get(SMALL, profile="guest")

    assert outcome.code == 4
    assert guest.code == 0


async def test_another_kind_is_told(person: Person) -> None:
    """A live link given to `post` is said so, and what would take it."""
    outcome = await person.get(
        "https://live.douyin.com/123456", f"https://www.douyin.com/user/{World.OPEN}", noun="post"
    )

    assert outcome.code == 2
    assert [event.error.name for event in outcome.of(Failed)] == ["InputError", "InputError"]


@pytest.mark.parametrize(("again", "code"), [(False, 0), (True, 15)])
async def test_nothing_new(person: Person, again: bool, code: int) -> None:
    """Status 15 only where it was asked for, and only when nothing was saved."""
    if again:
        await person.get(SMALL)
    outcome = await person.get(SMALL, fail_if_nothing_new=True)

    assert outcome.code == code
