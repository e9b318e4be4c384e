"""Several logins that take turns: chosen by health, passed on when the site wants no more of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from dyvine_cli import cookies
from dyvine_cli.client import Client
from dyvine_cli.errors import ConfigError, LoginExpired, RateLimited, RiskControl
from dyvine_cli.events import Warned
from dyvine_cli.identity import Profile
from dyvine_cli.operations import login
from dyvine_cli.simulator.douyin_guest import login_header
from dyvine_cli.simulator.tiktok_guest import login_header as tiktok_header
from dyvine_cli.simulator.tiktok_world import TiktokWorld
from dyvine_cli.simulator.world import World

from ..waiting import Time
from .conftest import Outcome, Person

pytestmark = pytest.mark.anyio

LIST = "/aweme/v1/web/aweme/post/"
LONG = 1200
"""Seconds that end a profile for a run."""


async def add(person: Person, *names: str, dead: Sequence[str] = (), site: str = "douyin") -> None:
    """Store a login under each of these names, dead ones included."""
    header = login_header if site == "douyin" else tiktok_header
    living = header(person.platform.clock())
    over = header(person.platform.clock(), session=World.DEAD_SESSION)
    async with person.at_work() as workspace:
        for name in names:
            jar = cookies.read(over if name in dead else living, site=site)
            await login.add(workspace, jar, site=site, name=name, test=False)


def passed_on(outcome: Outcome) -> list[str]:
    """What was told of turns."""
    return [each.message for each in outcome.of(Warned) if "going on as" in each.message]


async def test_a_listing_goes_on_with_the_next_login(person: Person) -> None:
    """After the second page the site closes for the first login; the other one lists the rest, and all is saved."""
    await add(person, "a", "b")
    person.platform.faults.set("429", value=LONG, count=1, skip=2, where=LIST)
    outcome = await person.get(f"douyin:user:{World.ACCOUNTS[63]}", profile="a,b")

    assert outcome.code == 0
    assert (outcome.balance.listed, outcome.balance.declared) == (63, 63)
    assert passed_on(outcome) == ["douyin wants no more calls of the profile 'a'; going on as 'b'"]


async def test_when_the_last_login_is_ended_so_is_the_site(person: Person) -> None:
    """Each is passed on once; the listing is cut with the cause and its cursor is kept."""
    await add(person, "a", "b")
    person.platform.faults.set("429", value=LONG, skip=2, where=LIST)
    outcome = await person.get(f"douyin:user:{World.ACCOUNTS[63]}", profile="a,b")

    assert outcome.code == 7
    assert 0 < outcome.balance.listed < 63
    assert len(passed_on(outcome)) == 1


async def test_posts_on_their_way_all_go_on(person: Person) -> None:
    """Several posts at once meet the end of a login; it is told once and none is lost."""
    await add(person, "a", "b")
    person.platform.faults.set("429", value=LONG, count=1, skip=1, where="/aweme/v1/web/aweme/detail/")
    outcome = await person.get(
        *(f"douyin:post:{each}" for each in (World.LOGIN_ONLY, World.SMALL, World.NOTE)), profile="a,b"
    )

    assert outcome.code == 0
    assert len(passed_on(outcome)) <= 1


async def test_a_single_login_waits_for_nobody(person: Person) -> None:
    """Without another one the site is ended as ever."""
    await add(person, "a")
    person.platform.faults.set("429", value=LONG, where=LIST)
    outcome = await person.get(f"douyin:user:{World.ACCOUNTS[63]}", profile="a")

    assert outcome.code == 6
    assert passed_on(outcome) == []


async def test_a_name_that_is_not_stored_is_wrong_input(person: Person) -> None:
    """A list is no reason to leave one out silently."""
    await add(person, "a")

    with pytest.raises(ConfigError, match="there is no profile 'nobody'"):
        await person.get(f"douyin:post:{World.SMALL}", profile="a,nobody")


WANTED = {
    "douyin": (f"douyin:post:{World.LOGIN_ONLY}", f"douyin:user:{World.ACCOUNTS[63]}"),
    "tiktok": (f"tiktok:post:{TiktokWorld.VIDEO}", f"tiktok:post:{TiktokWorld.PHOTO}"),
}


@pytest.mark.parametrize("site", WANTED)
async def test_a_dead_login_passes_on(site: str, person: Person) -> None:
    """The next one does all of it; it is told once with the cure, and kept for the next run and `login status`."""
    await add(person, "a", "b", dead=["a"], site=site)
    outcome = await person.get(*WANTED[site], profile="a,b")
    (told,) = [each for each in outcome.of(Warned) if "going on as" in each.message]
    later = await person.get(*WANTED[site], profile="a,b", overwrite=True)
    async with person.at_work() as workspace:
        shown = {each.name: each.health.dead for each in await login.status(workspace, [site])}

    assert (outcome.code, later.code) == (0, 0)
    assert told.message == f"the {site} login 'a' is no longer accepted; going on as 'b'"
    assert f"dyvine login add --site {site} --profile a FILE" in (told.hint or "")
    assert passed_on(later) == []
    assert (shown["a"] is not None, shown["b"]) == (True, None)


async def test_when_all_logins_are_dead_the_site_is_ended(person: Person) -> None:
    """None of them becomes a silent guest: no post is asked for, and the status is that of a dead login."""
    await add(person, "a", "b", dead=["a", "b"])
    outcome = await person.get(*WANTED["douyin"], profile="a,b")

    assert outcome.code == LoginExpired.exit_code
    assert len(passed_on(outcome)) == 1
    assert person.calls("aweme/detail") == person.calls("aweme/post") == []


async def test_a_login_that_is_renewed_or_comes_back_is_not_dead(person: Person) -> None:
    """A new one of that name begins afresh; one that passes its trial is alive."""
    await add(person, "a", "b", dead=["a"])
    await person.get(WANTED["douyin"][0], profile="a,b")
    await add(person, "a")
    async with person.at_work() as workspace:
        renewed = workspace.profiles.load("douyin", "a")
        assert renewed is not None
        workspace.profiles.save(renewed.replace(dead=datetime.now(UTC)))
        await login.status(workspace, ["douyin"], name="a")
        tried = workspace.profiles.load("douyin", "a")

    assert renewed.dead is None
    assert tried is not None
    assert tried.dead is None


def chosen(time: Time, names: Sequence[str], past: Sequence[tuple[str, str]]) -> str:
    """Whose turn it is among these names after what happened to them, one event each ten seconds."""
    budget = time.budget(pace="fast")
    for name, happened in past:
        time.now += 10
        match happened:
            case "answered":
                budget.accepted("douyin", name, "list")
            case "refused":
                budget.refused("douyin", name, "list", RiskControl("empty"))
            case "ended":
                budget.refused("douyin", name, "list", RateLimited("429", retry_after=LONG))
            case "an hour":
                time.now += timedelta(hours=1).total_seconds()
    profiles = [Profile(site="douyin", name=name) for name in names]
    client = Client(who=lambda site: profiles, budget=budget)
    return client.profile("douyin").name


PASTS = {
    "nothing happened": ([], "a"),
    "the first was used": ([("a", "answered")], "b"),
    "all were used": ([("b", "answered"), ("a", "answered"), ("c", "answered")], "b"),
    "a refusal counts more than use": ([("b", "refused"), ("a", "answered"), ("c", "answered")], "a"),
    "an end counts more than a refusal": ([("a", "ended"), ("b", "refused"), ("c", "ended")], "b"),
    "an old refusal still counts": (
        [("a", "refused"), ("b", "answered"), ("c", "answered"), ("", "an hour")],
        "b",
    ),
    "an answer afterwards heals": (
        [
            ("a", "refused"),
            ("", "an hour"),
            ("", "an hour"),
            ("a", "answered"),
            ("b", "refused"),
            ("c", "ended"),
        ],
        "a",
    ),
}


@pytest.mark.parametrize(("past", "name"), PASTS.values(), ids=list(PASTS))
async def test_the_healthiest_login_is_chosen(past: Sequence[tuple[str, str]], name: str) -> None:
    """Cool-down, last refusal against last answer, refusals, and of equal ones that which rested longest."""
    assert chosen(Time(), ("a", "b", "c"), past) == name
