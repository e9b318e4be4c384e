"""Turns, cool-downs and estimates, on a clock that only sleeping moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.budget import Budget, Rate, load_rates
from dyvine_cli.errors import ConfigError, RateLimited, Refused, RiskControl, SignatureRejected
from dyvine_cli.events import Event, Waiting, Warned
from dyvine_cli.models import Health

pytestmark = pytest.mark.anyio

RATES = {
    "douyin": {"detail": Rate(10, 1.5), "list": Rate(6, 2.0)},
    "tiktok": {"list": Rate(1, 6.0), "signed": Rate(3, 6.0, alone=True)},
}
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@dataclass
class Desk:
    """A budget, its clock and what it reported."""

    at: float = 1000.0
    drawn: float = 0.5
    slept: list[float] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    budget: Budget = field(init=False)

    def __post_init__(self) -> None:
        self.use()

    def use(self, **options: Any) -> Desk:
        """Begin with a fresh budget."""
        self.budget = Budget(
            RATES,
            report=self.events.append,
            clock=lambda: self.at,
            sleep=self.sleep,
            random=lambda: self.drawn,
            now=lambda: NOON + timedelta(seconds=self.at - 1000),
            **options,
        )
        return self

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    async def calls(
        self, count: int, call: str = "list", site: str = "douyin", profile: str = "main"
    ) -> None:
        """Make so many calls, one after the other."""
        for _ in range(count):
            async with self.budget.turn(site, profile, call):
                pass

    def refused(self, error: Refused | None = None) -> None:
        self.budget.refused("douyin", "main", "list", error or RiskControl("empty"))


@pytest.fixture
def desk() -> Desk:
    """A budget at the normal pace without jitter."""
    return Desk()


@pytest.mark.parametrize(("pace", "waited"), [("slow", 56.0), ("normal", 28.0), ("fast", 14.0), ("off", 0.0)])
async def test_a_burst_then_one_call_per_interval(pace: str, waited: float, desk: Desk) -> None:
    """Twenty list pages at each pace take exactly what the estimate says."""
    desk.use(pace=pace)
    await desk.calls(20)

    assert sum(desk.slept) == pytest.approx(waited)
    assert desk.budget.estimate("douyin", "list", 20) == pytest.approx(waited)


async def test_time_spent_elsewhere_is_not_waited_again(desk: Desk) -> None:
    """A pause fills the burst, never more than the burst."""
    await desk.calls(6)
    desk.at += 3600
    await desk.calls(7)

    assert sum(desk.slept) == pytest.approx(2.0)


async def test_jitter_changes_waits_and_not_the_pace(desk: Desk) -> None:
    """Intervals vary by a fifth around the same mean."""
    draws = iter([0.0, 1.0] * 500)
    desk.use()
    desk.budget._random = lambda: next(draws)
    await desk.calls(506)

    assert len({round(seconds, 3) for seconds in desk.slept}) > 1
    assert sum(desk.slept) == pytest.approx(1000, rel=0.01)


async def test_classes_sites_and_profiles_have_their_own_rates(desk: Desk) -> None:
    """One class used up takes nothing from another."""
    await desk.calls(6)
    await desk.calls(10, "detail")
    await desk.calls(6, profile="other")
    await desk.calls(1, site="tiktok")

    assert desk.slept == []


async def test_one_call_of_a_profile_is_in_flight(desk: Desk) -> None:
    """Calls of one profile follow each other, those of another do not wait."""
    order: list[str] = []
    gate = asyncio.Event()

    async def call(name: str, profile: str) -> None:
        async with desk.budget.turn("douyin", profile, "list"):
            order.append(name)
            if name == "first":
                await gate.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(call("first", "main"))
        await asyncio.sleep(0)
        group.create_task(call("second", "main"))
        group.create_task(call("other", "guest"))
        await asyncio.sleep(0.01)
        before = list(order)
        gate.set()

    assert before == ["first", "other"]
    assert order == ["first", "other", "second"]


async def test_waits_of_a_second_are_reported(desk: Desk) -> None:
    """The person sees how long and why; shorter waits are not worth a line."""
    await desk.calls(7)
    await desk.use(pace="fast").calls(7, "detail")

    assert [(type(event), event.site) for event in desk.events] == [(Waiting, "douyin")]
    assert desk.events[0].seconds == pytest.approx(2.0)
    assert "pace" in desk.events[0].reason


async def test_a_refusal_cools_down_and_halves_the_rate(desk: Desk) -> None:
    """60 s, then twice the interval."""
    await desk.calls(6)
    desk.refused()
    await desk.calls(1)
    desk.at += 1000
    desk.slept.clear()
    await desk.calls(8)

    assert desk.slept == [pytest.approx(4.0)] * 2


@pytest.mark.parametrize("pace", ["slow", "normal", "fast", "off"])
async def test_every_pace_keeps_the_cool_down(pace: str, desk: Desk) -> None:
    """`off` is no licence to go on after a refusal."""
    desk.use(pace=pace).refused()
    await desk.calls(1)

    assert desk.slept == [pytest.approx(60)]
    assert isinstance(desk.events[0], Waiting)


async def test_cool_downs_double_and_a_long_one_ends_the_site(desk: Desk) -> None:
    """60 and 120 s are waited out, 240 s are not: the error names the next try."""
    for _ in range(2):
        desk.refused()
        await desk.calls(1)
    desk.refused()
    with pytest.raises(
        RateLimited, match=r"douyin refused the profile 'main' 3 times.* after 12:07"
    ) as caught:
        await desk.calls(1)

    assert desk.slept == [pytest.approx(60), pytest.approx(120)]
    assert caught.value.retry_after == pytest.approx(240)
    assert desk.budget.next_try("douyin", "main") == NOON + timedelta(seconds=420)


async def test_four_refusals_end_the_site(desk: Desk) -> None:
    """However short the pauses that the server asks for."""
    for _ in range(3):
        desk.refused(RateLimited("429", retry_after=1))
        await desk.calls(1)
    desk.refused(RateLimited("429", retry_after=1))

    with pytest.raises(RateLimited, match="4 times"):
        await desk.calls(1)


async def test_the_other_site_and_profile_go_on(desk: Desk) -> None:
    """A refusal is of one profile at one site."""
    for _ in range(4):
        desk.refused()
    await desk.calls(1, profile="other")
    await desk.calls(1, site="tiktok")

    assert desk.slept == []


@pytest.mark.parametrize(
    ("asked", "waited"),
    [(5.0, 5.0), (0.0, 1.0), (90.0, 90.0), (120.0, 120.0), (None, 60.0), (float("nan"), 60.0), (-9.0, 1.0)],
)
async def test_retry_after_is_obeyed_within_reason(asked: float | None, waited: float, desk: Desk) -> None:
    """The server's word goes before ours, but never below a second."""
    desk.refused(RateLimited("429", retry_after=asked))
    await desk.calls(1)

    assert desk.slept == [pytest.approx(waited)]


@pytest.mark.parametrize("asked", [121.0, 3600.0, 1e18, float("inf")])
async def test_an_absurd_retry_after_ends_the_site(asked: float, desk: Desk) -> None:
    """Nobody waits longer than two minutes, and the next try is within the hour."""
    desk.refused(RateLimited("429", retry_after=asked))
    with pytest.raises(RateLimited) as caught:
        await desk.calls(1)

    assert desk.slept == []
    assert 120 < (caught.value.retry_after or 0) <= 3600


async def test_a_site_that_ended_may_be_asked_after_its_pause(desk: Desk) -> None:
    """The next try that was named is a real one."""
    for _ in range(4):
        desk.refused()
    desk.at += 3601
    await desk.calls(1)

    assert desk.budget.next_try("douyin", "main") is None


async def test_good_answers_take_a_refusal_back(desk: Desk) -> None:
    """Thirty in a row restore the rate."""
    desk.refused()
    desk.at += 61
    for _ in range(30):
        desk.budget.accepted("douyin", "main", "list")
    desk.slept.clear()
    await desk.calls(7)

    assert desk.slept == [pytest.approx(2.0)]


# --- a class that is refused alone --------------------------------------------------------------------------------------


def refuse_signed(desk: Desk, error: Refused | None = None) -> None:
    """A refusal of a class whose refusals concern it alone."""
    desk.budget.refused("tiktok", "main", "signed", error or SignatureRejected("nothing came"))


async def test_a_class_that_is_refused_alone_closes_no_other(desk: Desk) -> None:
    """Others go on at once and at their rate; the class itself waits, then goes at half of it."""
    refuse_signed(desk)
    await desk.calls(2, "list", site="tiktok")
    others = list(desk.slept)
    desk.slept.clear()
    await desk.calls(4, "signed", site="tiktok")

    assert others == [pytest.approx(6.0)]
    assert desk.slept == [pytest.approx(54.0), pytest.approx(12.0)]


async def test_a_class_that_ends_names_itself_and_others_go_on(desk: Desk) -> None:
    """Three refusals are too long a pause: the error is about the class, not about the site."""
    for _ in range(3):
        refuse_signed(desk)
    with pytest.raises(RateLimited, match="refused signed calls to the profile 'main' 3 times") as caught:
        await desk.calls(1, "signed", site="tiktok")
    await desk.calls(1, "list", site="tiktok")

    assert (caught.value.call, caught.value.endpoint) == ("signed", "signed")
    assert desk.slept == []
    assert desk.budget.next_try("tiktok", "main") == NOON + timedelta(seconds=240)
    assert desk.budget.health("tiktok", "main").closed_until is None


@pytest.mark.parametrize(
    ("site", "call", "error"),
    [("tiktok", "signed", RateLimited("429")), ("tiktok", "list", RiskControl("captcha"))],
    ids=["too many calls", "another class"],
)
async def test_what_concerns_all_closes_all(site: str, call: str, error: Refused, desk: Desk) -> None:
    """A rate limit is about the address, whatever was asked for."""
    desk.budget.refused(site, "main", call, error)
    await desk.calls(1, "list", site="tiktok")
    await desk.calls(1, "signed", site="tiktok")

    assert desk.slept == [pytest.approx(60.0)]


async def test_good_answers_of_a_class_take_its_refusal_back(desk: Desk) -> None:
    """Thirty of its own; other classes' prove nothing."""
    await desk.calls(1, "signed", site="tiktok")
    refuse_signed(desk)
    for _ in range(30):
        desk.budget.accepted("tiktok", "main", "list")
    before = standing_of(desk, "signed")
    for _ in range(30):
        desk.budget.accepted("tiktok", "main", "signed")

    assert (before, standing_of(desk, "signed")) == (1, 0)


def standing_of(desk: Desk, call: str) -> int:
    """The refusals of a class that count now."""
    return next(each.refusals for each in desk.budget.standings() if each.call == call)


async def test_a_clock_that_jumps_back_does_not_freeze_the_budget(desk: Desk) -> None:
    """A wait is never longer than the calls made justify."""
    await desk.calls(6)
    desk.at -= 10_000
    await desk.calls(1)

    assert sum(desk.slept) <= 12


async def test_a_turn_is_given_back_after_an_error(desk: Desk) -> None:
    """A call that fails does not hold the next."""
    with pytest.raises(RiskControl):
        async with desk.budget.turn("douyin", "main", "list"):
            raise RiskControl("empty")
    await desk.calls(1)

    assert desk.slept == []


@pytest.mark.parametrize(("calls", "seconds"), [(0, 0), (6, 0), (7, 2), (112, 212)])
def test_an_estimate_counts_what_the_burst_leaves(calls: int, seconds: float, desk: Desk) -> None:
    """112 pages of a list are 3 min 32 s at the normal pace."""
    found = desk.budget.estimate("douyin", "list", calls)

    assert found == seconds


def test_the_pace_of_douyin_is_read() -> None:
    """The package's own data has every class, each with its source."""
    path = Path(str(files("dyvine_cli") / "sites" / "douyin" / "pace.toml"))
    rates = load_rates(path)

    assert set(rates) == {"page", "detail", "list", "search", "live"}
    assert (rates["detail"], rates["list"]) == (Rate(10, 1.5), Rate(6, 2.0))
    assert path.read_text(encoding="utf-8").count("source = ") == len(rates)


@pytest.mark.parametrize(
    "text",
    [
        "[list",
        "list = 1",
        "[list]",
        "[list]\nburst = 0\ninterval = 1",
        "[list]\nburst = 1.5\ninterval = 1",
        "[list]\nburst = 1\ninterval = -1",
        "[list]\nburst = 1\ninterval = nan",
        "[list]\nburst = 1\ninterval = inf",
        "[list]\nburst = '1'\ninterval = 1",
    ],
)
def test_a_pace_that_cannot_be_read_is_a_config_error(text: str, tmp_path: Path) -> None:
    """The file is named, and the class where there is one."""
    path = tmp_path / "pace.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=r"pace\.toml"):
        load_rates(path)


def test_an_unknown_pace_is_a_config_error() -> None:
    """The known ones are listed."""
    with pytest.raises(ConfigError, match="slow, normal, fast, off"):
        Budget(RATES, pace="warp")  # type: ignore[arg-type]


# --- shared by processes ----------------------------------------------------------------------------------------


@dataclass
class Machine:
    """A machine with a state folder: every run on it has a budget of its own and the same clock."""

    folder: Path
    at: float = 1000.0
    day: float = 0.0
    boot: str = "first"
    slept: list[float] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def run(self, pace: str = "normal", sleep: Callable[[float], Awaitable[None]] | None = None) -> Budget:
        """A fresh process, as far as the budget can tell; it sleeps on the machine's clock."""
        return Budget(
            RATES,
            pace=pace,  # type: ignore[arg-type]
            folder=self.folder,
            report=self.events.append,
            clock=lambda: self.at,
            sleep=sleep or self.sleep,
            random=lambda: 0.5,
            now=lambda: NOON + timedelta(seconds=self.at - 1000 + self.day),
            boot=self.boot,
        )

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds
        await asyncio.sleep(0)

    def restart(self, off: float) -> None:
        """Switch the machine off and on again after so many seconds: its clock begins anew, the day goes on."""
        self.boot += "+"
        self.day += self.at - 20 + off
        self.at = 20.0

    @property
    def file(self) -> Path:
        return self.folder / "budget" / "douyin.main.json"

    @property
    def warnings(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Warned)]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with an empty state folder."""
    return Machine(tmp_path / "state")


async def calls(budget: Budget, count: int, call: str = "list", profile: str = "main") -> None:
    """Make so many calls, one after the other."""
    for _ in range(count):
        async with budget.turn("douyin", profile, call):
            pass


@asynccontextmanager
async def waiting(machine: Machine) -> AsyncIterator[None]:
    """Inside, another run waits for its turn at a listing; at the end it gives up."""
    asleep = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(calls(machine.run(sleep=sleep), 1))
    await asleep.wait()
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_run_that_was_killed_in_the_line_is_passed(machine: Machine) -> None:
    """It never looks again; the next one waits less than half a second for it."""
    await calls(machine.run(), 6)
    async with waiting(machine):
        machine.at += 2
        await calls(machine.run(), 1)

    assert sum(machine.slept) < 0.5


async def test_runs_share_a_burst(machine: Machine) -> None:
    """What one run used up is missing to the next, and its interval is kept."""
    await calls(machine.run(), 6)
    await calls(machine.run(), 3)

    assert sum(machine.slept) == pytest.approx(6.0)
    assert machine.warnings == []


async def test_runs_of_other_profiles_and_classes_share_nothing(machine: Machine) -> None:
    """The budget is one profile's, per class of call."""
    await calls(machine.run(), 6)
    await calls(machine.run(), 6, profile="other")
    await calls(machine.run(), 10, "detail")

    assert machine.slept == []


async def test_one_call_of_a_profile_is_in_flight_in_all_runs(machine: Machine) -> None:
    """A call of another run waits until the answer is there, whatever its class."""
    first, second = machine.run(), machine.run()
    order: list[str] = []

    async def other() -> None:
        async with second.turn("douyin", "main", "detail"):
            order.append("second")

    async with asyncio.TaskGroup() as group, first.turn("douyin", "main", "list"):
        group.create_task(other())
        for _ in range(20):
            await asyncio.sleep(0)
        order.append("first ends")

    assert order == ["first ends", "second"]


async def test_runs_go_in_the_order_in_which_they_came(machine: Machine) -> None:
    """Whoever waits longest goes next, however often the others ask."""
    order: list[int] = []

    async def caller(number: int) -> None:
        budget = machine.run()
        for _ in range(5):
            async with budget.turn("douyin", "main", "list"):
                order.append(number)

    await calls(machine.run(), 6)
    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(caller(number))

    assert sorted(order[:4]) == sorted(order[4:8]) == sorted(order[-4:]) == [0, 1, 2, 3]


async def test_a_class_that_waits_holds_up_no_other(machine: Machine) -> None:
    """A listing that has to wait lets the details of another run through."""
    await calls(machine.run(), 6)
    async with waiting(machine):
        await calls(machine.run(), 1, "detail")

    assert machine.slept == []


async def test_a_run_that_gives_up_holds_up_nobody(machine: Machine) -> None:
    """A cancelled wait leaves the line at once."""
    await calls(machine.run(), 6)
    async with waiting(machine):
        pass
    machine.at += 2
    await calls(machine.run(), 1)

    assert machine.slept == []


async def test_a_refusal_of_one_run_closes_the_site_for_all(machine: Machine) -> None:
    """A run that begins later waits for the rest of the cool-down, and is told once."""
    machine.run().refused("douyin", "main", "list", RiskControl("empty"))
    machine.at += 15
    await calls(machine.run(), 1)

    assert sum(machine.slept) == pytest.approx(45)
    assert [round(event.seconds) for event in machine.events if isinstance(event, Waiting)] == [45]


async def test_a_long_cool_down_outlives_the_run(machine: Machine) -> None:
    """The next run ends at once and names the same time."""
    first = machine.run()
    for _ in range(4):
        first.refused("douyin", "main", "list", RiskControl("empty"))
    machine.at += 600
    second = machine.run()
    with pytest.raises(RateLimited, match=r"4 times.* after 13:00"):
        await calls(second, 1)

    assert second.next_try("douyin", "main") == NOON + timedelta(hours=1)
    assert machine.slept == []


@pytest.mark.parametrize(("off", "left"), [(600, 3000), (0, 3600), (7200, None), (-90_000, 3600)])
async def test_a_cool_down_survives_a_restart_of_the_machine(
    off: float, left: float | None, machine: Machine
) -> None:
    """Its clock begins at zero again; the time of day tells how long it was off, and a wrong one costs an hour."""
    for _ in range(4):
        machine.run().refused("douyin", "main", "list", RiskControl("empty"))
    machine.restart(off)
    found = machine.run().next_try("douyin", "main")

    assert found == (NOON + timedelta(seconds=off + left) if left else None)


async def test_a_jump_of_the_time_of_day_changes_nothing(machine: Machine) -> None:
    """Turns and cool-downs count the seconds since the machine started."""
    await calls(machine.run(), 6)
    machine.day -= 1e8
    await calls(machine.run(), 1)
    machine.run().refused("douyin", "main", "list", RateLimited("429", retry_after=10))
    machine.day += 2e8
    await calls(machine.run(), 1)

    assert sum(machine.slept) == pytest.approx(2 + 10)


async def test_a_machine_that_starts_anew_waits_for_no_dead_run(machine: Machine) -> None:
    """Calls in line before the restart are gone with their runs."""
    await calls(machine.run(), 6)
    async with waiting(machine):
        text = machine.file.read_bytes()
    machine.file.write_bytes(text)
    machine.restart(60)
    await calls(machine.run(), 1)

    assert b'"list",10' in text
    assert machine.slept == []


async def test_time_takes_refusals_back(machine: Machine) -> None:
    """An hour after a cool-down counts like thirty answers, so that no run of next week pays for it."""
    for _ in range(3):
        machine.run().refused("douyin", "main", "list", RiskControl("empty"))
    machine.at += 240
    found = []
    for _ in range(4):
        found.append(machine.run().standings()[0].refusals)
        machine.at += 3600

    assert found == [3, 2, 1, 0]


async def test_answers_of_all_runs_take_a_refusal_back(machine: Machine) -> None:
    """Fifteen here and fifteen there are thirty."""
    machine.run().refused("douyin", "main", "list", RiskControl("empty"))
    machine.at += 60
    for budget in (machine.run(), machine.run()):
        await calls(budget, 1)
        for _ in range(15):
            budget.accepted("douyin", "main", "list")

    assert machine.run().standings()[0].refusals == 0


async def test_the_pace_off_leaves_the_disk_alone(machine: Machine) -> None:
    """No file and no folder as long as nobody is refused."""
    budget = machine.run("off")
    await calls(budget, 100)
    budget.accepted("douyin", "main", "list")

    assert not machine.folder.exists()


async def test_the_pace_off_records_and_honours_cool_downs(machine: Machine) -> None:
    """Its refusals close the site for others, and theirs for it, within a second of its run."""
    off = machine.run("off")
    await calls(off, 1)
    machine.run().refused("douyin", "main", "list", RateLimited("429", retry_after=9))
    machine.at += 1
    await calls(off, 1)
    off.refused("douyin", "main", "list", RateLimited("429", retry_after=20))
    await calls(machine.run(), 1)

    assert sum(machine.slept) == pytest.approx(8 + 20)


async def test_standings_name_profile_class_next_try_and_refusals(machine: Machine) -> None:
    """A run that only asks sees what the others left, and creates nothing."""
    await calls(machine.run(), 7)
    await calls(machine.run(), 1, "detail", "other")
    machine.run().refused("douyin", "third", "list", RiskControl("empty"))
    rows = [
        (row.site, row.profile, row.call, row.next_try, row.refusals, row.used)
        for row in machine.run().standings()
    ]
    now = NOON + timedelta(seconds=2)

    assert rows == [
        ("douyin", "main", "list", now + timedelta(seconds=2), 0, now),
        ("douyin", "other", "detail", None, 0, now),
        ("douyin", "third", None, now + timedelta(seconds=60), 1, None),
    ]


async def test_health_tells_the_last_answers_and_the_cool_down(machine: Machine) -> None:
    """What one run went through, another one and the next day's know."""
    used = machine.run()
    await calls(used, 1)
    used.accepted("douyin", "main", "list")
    machine.at += 10
    used.refused("douyin", "main", "list", RateLimited("429", retry_after=600))
    closed = machine.run().health("douyin", "main")
    machine.at += 700
    machine.run().accepted("douyin", "main", "list")
    later = machine.run().health("douyin", "main")

    assert (closed.used, closed.accepted) == (NOON, NOON)
    assert closed.refused == NOON + timedelta(seconds=10)
    assert (closed.closed_until, closed.ended) == (NOON + timedelta(seconds=610), True)
    assert closed.refusals == 1
    assert later.accepted == NOON + timedelta(seconds=710)
    assert (later.closed_until, later.ended) == (None, False)
    assert machine.run().health("douyin", "nobody") == Health()


async def test_good_answers_are_written_down_once_a_minute(machine: Machine) -> None:
    """The disk is not touched for every answer."""
    budget = machine.run()
    times = []
    for _ in range(7):
        budget.accepted("douyin", "main", "list")
        times.append(machine.run().health("douyin", "main").accepted)
        machine.at += 20

    assert times == [NOON + timedelta(seconds=each) for each in (0, 0, 0, 60, 60, 60, 120)]


def test_standings_without_a_record_are_empty(machine: Machine) -> None:
    """Nothing was asked yet."""
    assert machine.run().standings() == ()
    assert not machine.folder.exists()


@pytest.mark.parametrize("inside", [False, True], ids=["between calls", "while a call is in flight"])
async def test_state_that_cannot_be_written_stops_nothing(inside: bool, machine: Machine) -> None:
    """The budget goes on in its own process, keeps what it knows and warns once."""
    budget = machine.run()
    await calls(budget, 5)
    async with budget.turn("douyin", "main", "list"):
        if inside:
            block(machine)
            budget.refused("douyin", "main", "list", RateLimited("429", retry_after=10))
    if not inside:
        block(machine)
        budget.refused("douyin", "main", "list", RateLimited("429", retry_after=10))
    await calls(budget, 6)

    assert sum(machine.slept) == pytest.approx(10 + 2)
    assert len(machine.warnings) == 1
    assert "not shared with other runs" in machine.warnings[0]


def block(machine: Machine) -> None:
    """Put a file where the folder was; the old files stay open to nobody."""
    machine.file.parent.rename(machine.folder / "moved")
    machine.file.parent.write_text("in the way")


async def test_damaged_state_begins_anew_with_what_the_run_knows(machine: Machine) -> None:
    """A run in the middle mends the file; later ones know its cool-down again."""
    budget = machine.run()
    await calls(budget, 6)
    machine.file.write_bytes(b"\0" * 700)
    budget.refused("douyin", "main", "list", RateLimited("429", retry_after=10))
    await calls(machine.run(), 6)

    assert sum(machine.slept) == pytest.approx(10 + 2)
    assert machine.warnings == ["the request budget of douyin:main was damaged and begins anew"]


async def test_a_run_that_was_suspended_in_a_call_stops_nobody_for_good(machine: Machine) -> None:
    """After two minutes the others go on, and a person is told what they wait for."""
    suspended = machine.run().turn("douyin", "main", "list")
    await suspended.__aenter__()
    await calls(machine.run(), 2, "detail")
    await suspended.__aexit__(None, None, None)
    await calls(machine.run(), 1, "detail")

    assert sum(machine.slept) == pytest.approx(120, abs=0.1)
    assert [event.reason for event in machine.events] == ["another run is asking douyin as 'main'"]
