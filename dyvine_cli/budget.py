"""The request budget: how often a profile may ask a site, and what a refusal costs.

Per site and profile one call is in flight. Per class of call there is a burst, then one call per interval. After a
refusal nothing is asked for a while and everything goes at half the rate.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, get_args

from dyvine_cli.errors import ConfigError, RateLimited, Refused
from dyvine_cli.events import Report, Waiting, ignore

Pace = Literal["slow", "normal", "fast", "off"]
"""`off` never waits for its turn; a refusal's cool-down holds for every pace."""

_STRETCH: Mapping[Pace, float] = {"slow": 2.0, "normal": 1.0, "fast": 0.5, "off": 0.0}
_JITTER = 0.2  # an interval is stretched or shortened by up to this part, 0 on average
_FIRST = 60.0  # seconds of the first cool-down, doubled by every further refusal
_LONGEST = 3600.0
_PATIENCE = 120.0  # a longer cool-down ends the site for this run
_REFUSALS = 4  # so many end it too
_FORGIVEN = 30  # calls in a row that are answered take one refusal back
_SHOWN = 1.0  # shorter waits are not reported


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` calls at once, then one per `interval` seconds."""

    burst: int
    interval: float


@dataclass(slots=True)
class Standing:
    """How a profile stands with a site; times are seconds of the budget's clock.

    `due` is, per class of call, when the calls so far will have been worked off at one per interval.
    """

    due: dict[str, float] = field(default_factory=dict)
    refusals: int = 0
    answered: int = 0
    closed_until: float = -math.inf
    in_flight: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)


def load_rates(path: Path) -> dict[str, Rate]:
    """The rates of a pace.toml by class of call. Raises ConfigError naming the file and the class."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise ConfigError(f"{path}: the pace cannot be read: {exc}") from exc
    return {call: _rate(path, call, table) for call, table in tables.items()}


class Budget:
    """Hands out turns. `rates` are by site, then by class of call.

    `clock` counts seconds, `now` is the time of day in messages, `random` gives numbers from 0 to 1.
    """

    def __init__(
        self,
        rates: Mapping[str, Mapping[str, Rate]],
        *,
        pace: Pace = "normal",
        report: Report = ignore,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random.random,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        if pace not in get_args(Pace):
            raise ConfigError(f"there is no pace {pace!r}, only {', '.join(get_args(Pace))}")
        self._rates = rates
        self._stretch = _STRETCH[pace]
        self._report = report
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._now = now
        self._standings: dict[tuple[str, str], Standing] = {}

    @asynccontextmanager
    async def turn(self, site: str, profile: str, call: str) -> AsyncIterator[None]:
        """Wait until one call of this class may be made; no other of the profile is made inside.

        Waits of a second and more are reported. Raises RateLimited, naming the next try, when the cool-down is longer
        than two minutes or the site refused four times.
        """
        standing = self._standing(site, profile)
        async with standing.in_flight:
            await self._cool_down(site, profile, standing)
            await self._await_rate(site, call, standing)
            yield

    def refused(self, site: str, profile: str, call: str, error: Refused) -> None:
        """Note a refusal: half the rate from now on, and a pause.

        The pause is what the server asked for (at most an hour), else 60 s, doubled by each refusal up to an hour.
        """
        standing = self._standing(site, profile)
        standing.refusals += 1
        standing.answered = 0
        pause = min(_FIRST * 2 ** (standing.refusals - 1), _LONGEST)
        asked = error.retry_after if isinstance(error, RateLimited) else None
        if asked is not None and not math.isnan(asked):
            pause = min(max(asked, 1.0), _LONGEST)
        if standing.refusals >= _REFUSALS:
            pause = _LONGEST
        standing.closed_until = max(standing.closed_until, self._clock() + pause)

    def accepted(self, site: str, profile: str, call: str) -> None:
        """Note an answer: thirty in a row take one refusal back, and the rate rises again."""
        standing = self._standing(site, profile)
        standing.answered += 1
        if standing.answered >= _FORGIVEN and standing.refusals:
            standing.refusals -= 1
            standing.answered = 0

    def estimate(self, site: str, call: str, calls: int) -> float:
        """Seconds that so many calls of a class will wait at this pace, from a full burst and without refusals."""
        rate = self._rates[site][call]
        return max(0, calls - rate.burst) * rate.interval * self._stretch

    def next_try(self, site: str, profile: str) -> datetime | None:
        """When this site may be asked again after a refusal; None if it may now."""
        left = self._standing(site, profile).closed_until - self._clock()
        return self._now() + timedelta(seconds=left) if left > 0 else None

    def _standing(self, site: str, profile: str) -> Standing:
        return self._standings.setdefault((site, profile), Standing())

    async def _cool_down(self, site: str, profile: str, standing: Standing) -> None:
        left = min(standing.closed_until - self._clock(), _LONGEST)
        if left <= 0:
            return
        if left > _PATIENCE or standing.refusals >= _REFUSALS:
            raise self._ended(site, profile, standing, left)
        await self._wait(left, site, f"{site} refused a request and asks for a pause")

    async def _await_rate(self, site: str, call: str, standing: Standing) -> None:
        rate = self._rates[site][call]
        interval = rate.interval * self._stretch * 2**standing.refusals
        if not interval:
            return
        # A clock that jumped back must not make a wait of the jump.
        due = min(standing.due.get(call, -math.inf), self._clock() + (rate.burst + _JITTER) * interval)
        left = due - (rate.burst - 1) * interval - self._clock()
        if left > 0:
            await self._wait(left, site, f"keeping to the pace of {site} ({call} calls)")
        jitter = 1 + _JITTER * (2 * self._random() - 1)
        standing.due[call] = max(due, self._clock()) + interval * jitter

    async def _wait(self, seconds: float, site: str, reason: str) -> None:
        if seconds >= _SHOWN:
            self._report(Waiting(seconds=seconds, reason=reason, site=site))
        await self._sleep(seconds)

    def _ended(self, site: str, profile: str, standing: Standing, left: float) -> RateLimited:
        when = self._now() + timedelta(seconds=left)
        times = "once" if standing.refusals == 1 else f"{standing.refusals} times"
        return RateLimited(
            f"{site} refused the profile {profile!r} {times}; the next try makes sense after {when:%H:%M}",
            hint="use --pace slow next time, or add another login: dyvine login add FILE --profile NAME",
            retry_after=left,
        )


def _rate(path: Path, call: str, table: object) -> Rate:
    match table:
        case {"burst": int(burst), "interval": int() | float() as interval}:
            if burst >= 1 and 0 <= interval < math.inf:
                return Rate(burst, float(interval))
    raise ConfigError(f"{path}: [{call}] needs a burst of 1 or more and an interval in seconds")
