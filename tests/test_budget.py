"""Turns, cool-downs and estimates, on a clock that only sleeping moves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.budget import Budget, Rate, load_rates
from dyvine_cli.errors import ConfigError, RateLimited, Refused, RiskControl
from dyvine_cli.events import Event, Waiting

pytestmark = pytest.mark.anyio

RATES = {"douyin": {"detail": Rate(10, 1.5), "list": Rate(6, 2.0)}, "tiktok": {"list": Rate(1, 6.0)}}
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
