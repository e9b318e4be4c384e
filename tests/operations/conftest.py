"""A person with dyvine in folders of their own, the stand-in platform beside them, and a clock that nobody waits for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from dyvine_cli import config
from dyvine_cli.budget import Pace
from dyvine_cli.cli.settings import selection_of
from dyvine_cli.events import Balance, Event, Summarized
from dyvine_cli.models import Listing, RefKind
from dyvine_cli.operations.asked import Asked
from dyvine_cli.operations.get import Getting
from dyvine_cli.operations.workspace import Workspace, open_workspace
from dyvine_cli.simulator.app import Simulator, running

from ..waiting import Time

E = TypeVar("E")


@dataclass
class Outcome:
    """How a run came out."""

    code: int
    events: list[Event]

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def summary(self) -> Summarized:
        """The last event."""
        return self.of(Summarized)[-1]

    @property
    def balance(self) -> Balance:
        """The balance of the only listing."""
        (only,) = self.summary.balances
        return only


class Person:
    """Runs operations as the command line does; `flags` of a call are names of settings."""

    def __init__(self, platform: Simulator, home: Path) -> None:
        self.platform = platform
        self.home = home
        self.folder = home / "downloads"
        self.time = Time()
        self.env: dict[str, str] = {}

    def settings(self, **flags: Any) -> config.Settings:
        """The settings of one run."""
        env = {"DYVINE_HOME": str(self.home / "state"), **self.env}
        usual = {"connect_to": self.platform.connect_to, "path": str(self.folder)}
        return config.load(usual | flags, env, None)

    @asynccontextmanager
    async def at_work(
        self, events: list[Event] | None = None, *, pace: Pace = "off", **flags: Any
    ) -> AsyncIterator[Workspace]:
        """A workspace; nothing in it waits for real."""
        heard: list[Event] = [] if events is None else events
        budget = self.time.budget(pace=pace, report=heard.append)
        opened = open_workspace(self.settings(**flags), heard.append, budget=budget, sleep=self.time.sleep)
        async with opened as workspace:
            yield workspace

    async def get(
        self,
        *asked: str | Asked,
        noun: RefKind | None = None,
        what: Listing | None = None,
        simulate: bool = False,
        pace: Pace = "off",
        fail_if_nothing_new: bool = False,
        **flags: Any,
    ) -> Outcome:
        """Download what is named."""
        events: list[Event] = []
        wish = selection_of(self.settings(**flags))
        async with self.at_work(events, pace=pace, **flags) as workspace:
            getting = Getting(workspace, wish, events.append, kind=noun, what=what, simulate=simulate)
            things = [each if isinstance(each, Asked) else Asked(each) for each in asked]
            code = await getting.run(things, fail_if_nothing_new=fail_if_nothing_new)
        return Outcome(code, events)

    def files(self) -> list[Path]:
        """What lies in the download folder, sorted."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def names(self) -> list[str]:
        """Their names."""
        return [path.name for path in self.files()]

    def calls(self, path: str = "") -> list[str]:
        """The paths of API calls so far that contain `path`, in order."""
        return [each.path for each in self.platform.requests if not each.kind and path in each.path]


@pytest.fixture
def platform() -> Iterator[Simulator]:
    """Douyin in small, on the loopback."""
    with running(log=200_000) as simulator:
        yield simulator


@pytest.fixture
def person(platform: Simulator, tmp_path: Path) -> Person:
    """Someone who has not run dyvine before."""
    return Person(platform, tmp_path)


def asked_lines(texts: Sequence[str]) -> list[Asked]:
    """Lines of a batch file."""
    return [Asked(text, number) for number, text in enumerate(texts, start=1)]
