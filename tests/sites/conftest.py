"""The stand-in platform, and clients that reach it over real sockets without waiting for real."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.client import Client
from dyvine_cli.events import Event
from dyvine_cli.simulator.app import Simulator, running

from ..waiting import Time

MakeClient = Callable[..., Client]


@pytest.fixture
def platform() -> Iterator[Simulator]:
    """Douyin in small, on the loopback."""
    with running() as simulator:
        yield simulator


@pytest.fixture
def time() -> Time:
    """A clock that nobody waits for."""
    return Time()


@pytest.fixture
def events() -> list[Event]:
    """What the clients told."""
    return []


@pytest.fixture
async def make_client(
    platform: Simulator, time: Time, events: list[Event], tmp_path: Path
) -> AsyncIterator[MakeClient]:
    """Makes clients with a state folder of their own, and closes them; options as for Client."""
    made: list[Client] = []

    def make(**options: Any) -> Client:
        usual = {
            "connect_to": platform.connect_to,
            "state": tmp_path,
            "budget": time.budget(report=events.append),
            "sleep": time.sleep,
            "report": events.append,
        }
        made.append(Client(**usual | options))
        return made[-1]

    yield make
    for client in made:
        await client.aclose()


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    """A guest's client."""
    return make_client()
