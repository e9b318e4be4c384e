"""A TikTok that serves browsers only: pages and signed calls are asked for once more like one, then always."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from dyvine_cli.client import Client
from dyvine_cli.errors import Refused
from dyvine_cli.http.connect import ConnectTo
from dyvine_cli.http.imitation import Imitation
from dyvine_cli.http.network import Network
from dyvine_cli.models import Ref
from dyvine_cli.simulator.app import Simulator, running
from dyvine_cli.simulator.tiktok_world import TiktokWorld
from dyvine_cli.sites import HOSTS

from ..conftest import MakeClient

pytestmark = pytest.mark.anyio

Imitating = Callable[..., Client]
POST = Ref("tiktok", "post", TiktokWorld.VIDEO)
OWNER = Ref("tiktok", "user", TiktokWorld.ACCOUNTS[200])


@pytest.fixture
def platform() -> Iterator[Simulator]:
    """TikTok in small, behind TLS."""
    with running(tls=True) as simulator:
        yield simulator


@pytest.fixture
async def imitating(platform: Simulator, make_client: MakeClient) -> AsyncIterator[Imitating]:
    """Makes clients that reach it, with the extra or without."""
    networks: list[Network] = []

    def make(*, installed: bool = True) -> Client:
        imitation = Imitation(installed=lambda: installed)
        networks.append(
            Network(
                connect_to=ConnectTo.parse(platform.connect_to),
                ca_file=platform.ca_file,
                listed=HOSTS,
                imitation=imitation,
            )
        )
        return make_client(network=networks[-1])

    yield make
    for each in networks:
        await each.aclose()


def manners(platform: Simulator) -> list[tuple[str, bool]]:
    """The first part of the path of each page and call, and whether a browser's hints came along."""
    return [
        (each.path.split("/")[1], "sec-ch-ua" in each.headers) for each in platform.requests if not each.kind
    ]


async def test_a_page_that_stays_refused_is_asked_for_like_a_browser(
    platform: Simulator, imitating: Imitating
) -> None:
    """After other headers did not help; every later call, also another client's of this process, goes that way."""
    platform.faults.set("page-risk", count=2)
    client = imitating()
    found = [await client.post(POST) for _ in range(2)]

    assert found[0].assets
    assert manners(platform) == [("@_", False), ("@_", False), ("@_", True), ("@_", True)]


async def test_a_signed_call_that_stays_refused_is_made_like_a_browser(
    platform: Simulator, imitating: Imitating
) -> None:
    """After another try and another visitor, with a fresh signature."""
    client = imitating()
    user = await client.user(OWNER)
    platform.faults.set("signed-closed", count=3)
    page = await client.site("tiktok").page(user.ref, "reposts", None)
    calls = [manner for place, manner in manners(platform) if place == "api"]

    assert page.cut is None
    assert calls == [False, False, False, True]


async def test_without_the_extra_the_refusal_names_it(platform: Simulator, imitating: Imitating) -> None:
    """Nothing is asked twice for it."""
    platform.faults.set("page-risk")
    with pytest.raises(Refused) as caught:
        await imitating(installed=False).post(POST)

    assert "pip install 'dyvine-cli[impersonate]'" in (caught.value.hint or "")
