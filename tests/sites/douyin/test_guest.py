"""A guest identity: made with as few calls as can be, kept, renewed once when it is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dyvine_cli.client import Client
from dyvine_cli.errors import RiskControl, SignatureRejected, UnexpectedResponse
from dyvine_cli.identity import Profiles
from dyvine_cli.models import Post, Ref
from dyvine_cli.simulator.app import Simulator
from dyvine_cli.simulator.douyin_guest import is_ttwid, is_uifid
from dyvine_cli.simulator.world import World

from ..conftest import MakeClient

pytestmark = pytest.mark.anyio

OPEN = Ref("douyin", "user", World.OPEN)
REGISTER = "ttwid.bytedance.com/ttwid/union/register/"
LIVE = "live.douyin.com/"
HOME = "www.douyin.com/"
PAGE = "www.douyin.com/jingxuan"
LIST = "www.douyin.com/aweme/v1/web/aweme/post/"


def asked(platform: Simulator) -> list[str]:
    """Host and path of the calls so far."""
    return [f"{each.host}{each.path}" for each in platform.requests]


async def first_of(client: Client) -> Post:
    """The first post of an account, which takes a signed call."""
    found = await anext(aiter(client.list(OPEN)))
    assert isinstance(found, Post)
    return found


async def test_a_guest_is_made_by_two_calls(client: Client, platform: Simulator) -> None:
    """A device is registered and the live page hands out its id; then the signed call passes every gate."""
    await first_of(client)
    jar = {each.name: each for each in client.profile("douyin").cookies}

    assert asked(platform) == [REGISTER, LIVE, LIST]
    assert is_ttwid(jar["ttwid"].value)
    assert is_uifid(jar["UIFID_TEMP"].value)
    assert jar["ttwid"].domain == "douyin.com"
    assert jar["s_v_web_id"].value.startswith("verify_")
    assert platform.douyin is not None
    assert not platform.douyin.reasons


async def test_the_challenge_is_the_other_way_to_an_id(client: Client, platform: Simulator) -> None:
    """Where the live page sets no id, the nonce of the home page is signed and a real page sets it."""
    platform.faults.set("live-uifid-withheld")

    await first_of(client)

    assert asked(platform) == [REGISTER, LIVE, HOME, PAGE, LIST]
    assert not platform.douyin.reasons  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("switch", "kind"),
    [
        ("uifid-withheld", RiskControl),
        ("challenge-again", RiskControl),
        ("ttwid-withheld", UnexpectedResponse),
    ],
)
async def test_an_identity_that_is_not_handed_out(
    client: Client, platform: Simulator, switch: str, kind: type[Exception]
) -> None:
    """Without an id no signed call is made, and the hint says what can be done."""
    platform.faults.set(switch)
    platform.faults.set("live-uifid-withheld")

    with pytest.raises(kind):
        await first_of(client)

    assert LIST not in asked(platform)


async def test_a_post_needs_no_identity_while_the_first_door_is_open(
    client: Client, platform: Simulator
) -> None:
    """One call, no cookie, nothing registered."""
    await client.post(Ref("douyin", "post", World.SMALL))

    assert len(platform.requests) == 1
    assert "cookie" not in platform.requests[0].headers


async def test_a_known_guest_makes_no_extra_calls(
    make_client: MakeClient, platform: Simulator, tmp_path: Path
) -> None:
    """The identity is kept in the state folder, and the next run begins with the call that it wants."""
    await first_of(make_client())
    kept = Profiles(tmp_path).load("douyin", "guest")
    before = len(platform.requests)
    again = make_client()
    await first_of(again)

    assert kept is not None
    assert asked(platform)[before:] == [LIST]
    assert {each.name for each in kept.cookies} <= {each.name for each in again.profile("douyin").cookies}


REFUSALS = ["argus-validate-error", "argus-uifid-not-found", "argus-sign-invalid", "api-empty"]


@pytest.mark.parametrize("switch", REFUSALS)
async def test_a_refused_guest_is_renewed_once(
    make_client: MakeClient, platform: Simulator, switch: str
) -> None:
    """The first refusal makes a new guest at once, without a pause; the call is made again with it."""
    client = make_client()
    await first_of(client)
    old = {each.name: each.value for each in client.profile("douyin").cookies}
    platform.requests.clear()
    before = len(platform.requests)
    platform.faults.set(switch, count=1, where="/aweme/post/")
    await first_of(client)
    new = {each.name: each.value for each in client.profile("douyin").cookies}

    assert asked(platform)[before:] == [LIST, REGISTER, LIVE, LIST]
    assert all(new[name] != old[name] for name in ("ttwid", "UIFID_TEMP"))
    assert client.next_try() is None


async def test_a_guest_that_is_refused_again_is_not_renewed_for_ever(
    client: Client, platform: Simulator
) -> None:
    """A second refusal is not the identity's fault: it is told, and no further guest is registered."""
    platform.faults.set("argus-validate-error", where="/aweme/post/")

    for _ in range(2):
        with pytest.raises(SignatureRejected):
            await first_of(client)

    assert asked(platform).count(REGISTER) == 2
    assert client.next_try() is not None


async def test_calls_at_once_share_one_renewal(client: Client, platform: Simulator) -> None:
    """Whoever is refused with the old identity uses the one that another call has made meanwhile."""
    await first_of(client)
    platform.faults.set("ttwid-refused", count=1)
    refs = [Ref("douyin", "user", id) for id in (World.OPEN, World.SAMPLES, World.LIKES)]

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client.user(ref)) for ref in refs]

    assert [task.result().ref for task in tasks] == refs
    assert asked(platform).count(REGISTER) == 2


async def test_cookies_go_home_only(client: Client, platform: Simulator) -> None:
    """The device's cookies reach Douyin's own hosts, and neither the register nor the phone page's API."""
    platform.faults.set("embed-closed")
    platform.faults.set("signed-closed")
    await client.post(Ref("douyin", "post", World.IMAGES))
    with_cookies = {each.host for each in platform.requests if "ttwid" in each.headers.get("cookie", "")}

    assert with_cookies == {"www.douyin.com", "live.douyin.com"}
