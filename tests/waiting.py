"""A clock that nobody waits for."""

from __future__ import annotations

from dataclasses import dataclass, field

from dyvine_cli.budget import Budget, Pace, load_rates
from dyvine_cli.events import Report, ignore
from dyvine_cli.sites import SITES


@dataclass
class Time:
    """Seconds that pass only when someone sleeps; `slept` are the waits of a second and more, in their order."""

    now: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        """The seconds now."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let them pass at once."""
        if seconds >= 1:
            self.slept.append(round(seconds))
        self.now += seconds

    def budget(self, *, pace: Pace = "off", report: Report = ignore) -> Budget:
        """A budget of this clock."""
        return Budget(
            {site.name: load_rates(site.pace) for site in SITES},
            pace=pace,
            report=report,
            clock=self.clock,
            sleep=self.sleep,
            random=lambda: 0.5,
        )
