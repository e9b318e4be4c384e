"""Logins: tried before they are kept, the old one staying until the new one passed; shown; removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dyvine_cli import cookies
from dyvine_cli.cookies import Cookie
from dyvine_cli.errors import InputError, LoginExpired, RateLimited
from dyvine_cli.models import Health
from dyvine_cli.operations import login
from dyvine_cli.operations.login import Login
from dyvine_cli.simulator.douyin_guest import login_header
from dyvine_cli.simulator.world import World

from .conftest import Person

pytestmark = pytest.mark.anyio


def jar(person: Person, **options: str) -> tuple[Cookie, ...]:
    """The cookies of the known login, or of another session."""
    return cookies.read(login_header(person.platform.clock(), **options), site="douyin")


def session(person: Person, found: tuple[Cookie, ...]) -> str | None:
    """The session in a jar."""
    return cookies.value(found, "sessionid")


async def add(
    person: Person, found: tuple[Cookie, ...], *, name: str | None = None, test: bool = True
) -> Login:
    """One `login add`."""
    async with person.at_work() as workspace:
        return await login.add(workspace, found, site="douyin", name=name, test=test)


async def kept(person: Person, name: str = "main") -> tuple[Cookie, ...] | None:
    """The cookies of a stored profile."""
    async with person.at_work() as workspace:
        profile = workspace.profiles.load("douyin", name)
    return profile.cookies if profile else None


async def test_a_login_is_tried_and_kept(person: Person) -> None:
    """Whose account it is, what was found and when it ends; the next run uses it."""
    found = await add(person, jar(person))
    outcome = await person.get(f"douyin:post:{World.LOGIN_ONLY}")

    assert found.account is not None
    assert found.account.ref.id == World.SELF
    assert found.cookies.found >= 10
    assert found.cookies.missing_needed == ()
    assert 50 < (login.days_left(found, datetime.fromtimestamp(person.platform.clock(), UTC)) or 0) <= 60
    assert outcome.code == 0


async def test_the_old_login_stays_until_the_new_one_passed(person: Person) -> None:
    """A dead export does not replace a login that works."""
    await add(person, jar(person))
    with pytest.raises(LoginExpired):
        await add(person, jar(person, session=World.DEAD_SESSION))
    stayed = await kept(person)

    assert stayed is not None
    assert session(person, stayed) == World.SESSION


async def test_a_login_may_be_kept_untried(person: Person) -> None:
    """Without a test no call is made, and a dead one is found at its first use."""
    found = await add(person, jar(person, session=World.DEAD_SESSION), test=False)
    calls = person.calls()
    outcome = await person.get(f"douyin:post:{World.SMALL}")

    assert found.account is None
    assert calls == []
    assert outcome.code == 4


async def test_cookies_without_a_login_are_none(person: Person) -> None:
    """A guest's cookies are refused, and what is missing is named."""
    guest = tuple(each for each in jar(person) if not each.name.startswith(("sid_", "session")))

    with pytest.raises(InputError, match="no login among them"):
        await add(person, guest)

    assert await kept(person) is None


@pytest.mark.parametrize("name", ["guest", "env"])
async def test_names_that_mean_something_else(person: Person, name: str) -> None:
    """`guest` has no login and `env` is never stored: neither can be the name of one."""
    with pytest.raises(InputError, match=name):
        await add(person, jar(person), name=name)

    assert await kept(person, name) is None


async def test_every_stored_login_is_shown_with_its_state(person: Person) -> None:
    """A living, a dead and a guest profile; only logins are tried."""
    await add(person, jar(person))
    await add(person, jar(person, session=World.DEAD_SESSION), name="old", test=False)
    await person.get(f"douyin:user:{World.ACCOUNTS[1]}", profile="guest", simulate=True)
    async with person.at_work() as workspace:
        shown = await login.status(workspace, ["douyin"])

    assert [(each.name, each.account is not None, type(each.error)) for each in shown] == [
        ("guest", False, type(None)),
        ("main", True, type(None)),
        ("old", False, LoginExpired),
    ]


async def test_a_login_is_shown_with_how_the_site_treated_it(person: Person) -> None:
    """Its last answer and refusal, and until when it is left alone, as they were before it was tried."""
    await add(person, jar(person))
    async with person.at_work(pace="fast") as workspace:
        budget = workspace.client.budget("douyin")
        (fresh,) = await login.status(workspace, ["douyin"])
        (tried,) = await login.status(workspace, ["douyin"])
        budget.refused("douyin", "main", "list", RateLimited("429", retry_after=100))
        (refused,) = await login.status(workspace, ["douyin"])

    assert fresh.health == Health()
    assert tried.health.accepted is not None
    assert refused.health.refusals == 1
    assert refused.health.refused is not None
    assert refused.health.closed_until is not None


async def test_a_login_that_is_removed_is_gone(person: Person) -> None:
    """Removing forgets it; removing it again says what there is."""
    await add(person, jar(person))
    async with person.at_work() as workspace:
        assert login.remove(workspace, site="douyin", name=None) == "main"
        with pytest.raises(InputError, match="no douyin profile 'main'"):
            login.remove(workspace, site="douyin", name=None)

    assert await kept(person) is None


def test_days_left() -> None:
    """Whole days; unknown ends and guests have none."""
    now = datetime(2026, 10, 1, tzinfo=UTC)
    report = cookies.report((), "douyin")
    ending = type(report)(**{**_fields(report), "ends": now + timedelta(days=2, hours=5)})

    assert login.days_left(Login(site="douyin", name="main", cookies=ending), now) == 2
    assert login.days_left(Login(site="douyin", name="guest", cookies=ending), now) is None
    assert login.days_left(Login(site="douyin", name="main", cookies=report), now) is None


def _fields(report: cookies.CookieReport) -> dict[str, object]:
    return {name: getattr(report, name) for name in report.__dataclass_fields__}
