"""Being TikTok's visitor: what pages give, the proof of work, second chances, tokens, becoming another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dyvine_cli.client import Client
from dyvine_cli.errors import (
    LoginNeeded,
    NotInRegion,
    RateLimited,
    Refused,
    RiskControl,
)
from dyvine_cli.identity import Profiles
from dyvine_cli.models import Ref
from dyvine_cli.simulator.app import Simulator
from dyvine_cli.simulator.tiktok_world import TiktokWorld

from ..conftest import MakeClient

pytestmark = pytest.mark.anyio

POST = Ref("tiktok", "post", TiktokWorld.VIDEO)
OWNER = f"tiktok:user:{TiktokWorld.ACCOUNTS[200]}"
PLAYLIST = Ref("tiktok", "mix", TiktokWorld.PLAYLIST)


def cookies(client: Client) -> dict[str, str]:
    """The jar in use."""
    return {each.name: each.value for each in client.profile("tiktok").cookies}


async def test_a_page_makes_a_visitor(client: Client, tmp_path: Any) -> None:
    """Cookies and ids come with the first page, and the next run has them, too."""
    await client.post(POST)
    kept = Profiles(tmp_path).load("tiktok", "guest")

    assert {"ttwid", "tt_chain_token", "msToken"} <= set(cookies(client))
    assert kept is not None
    assert kept.cookies == client.profile("tiktok").cookies
    assert set(kept.device) == {"device_id", "odin_id", "created", "region"}
    assert all(kept.device.values())


async def test_a_kept_visitor_needs_no_page(make_client: MakeClient, asked: Callable[[], list[str]]) -> None:
    """A signed call of a later run goes without a page before it."""
    await make_client().post(POST)
    await make_client().mix(PLAYLIST)

    assert asked() == [f"/@_/video/{POST.id}", "/api/mix/detail/"]


async def test_a_signed_call_gets_its_visitor_from_its_own_page(
    client: Client, asked: Callable[[], list[str]]
) -> None:
    """Someone new loads the page from which a browser would make the call."""
    await client.mix(PLAYLIST)

    assert asked() == [f"/@_/playlist/_-{PLAYLIST.id}", "/api/mix/detail/"]


async def test_the_newest_token_goes_along(client: Client, platform: Simulator) -> None:
    """Each answer brings another msToken; no call of a whole listing sent one that was not the newest."""
    assert platform.tiktok is not None
    async for _ in client.posts(OWNER):
        pass

    assert not platform.tiktok.reasons
    assert len(cookies(client)["msToken"]) == 172


async def test_without_a_token_the_empty_one_is_sent(client: Client, platform: Simulator) -> None:
    """Where TikTok issues none, none is invented."""
    assert platform.tiktok is not None
    platform.faults.set("token-withheld")
    found = await client.mix(PLAYLIST)

    assert found.title
    assert "msToken" not in cookies(client)
    assert not platform.tiktok.reasons


# --- the proof of work --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["waf-challenge", "waf-one-cookie"])
async def test_the_proof_of_work_is_solved(
    client: Client, platform: Simulator, asked: Callable[[], list[str]], fault: str
) -> None:
    """The same page is asked for again with the answer, whose cookies are forgotten after that."""
    platform.faults.set("waf-challenge", count=1)
    if fault != "waf-challenge":
        platform.faults.set(fault)
    post = await client.post(POST)

    assert post.ref == POST
    assert asked() == [f"/@_/video/{POST.id}"] * 2
    assert not any(name.startswith(("waf", "_waf")) for name in cookies(client))


@pytest.mark.parametrize("fault", ["waf-again", "waf-unsolvable"])
async def test_a_challenge_that_stays_is_a_refusal(client: Client, platform: Simulator, fault: str) -> None:
    """A second challenge after a right answer, or one without an answer, is not tried again."""
    platform.faults.set("waf-challenge")
    platform.faults.set(fault)
    with pytest.raises(RiskControl) as caught:
        await client.post(POST)

    assert "proof of work" in str(caught.value)


# --- second chances -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "value"),
    [("page-shell", None), ("page-risk", None), ("page-picky", "junk"), ("page-maintenance", None)],
)
async def test_a_page_gets_a_second_chance(
    client: Client, platform: Simulator, fault: str, value: str | None
) -> None:
    """A shell, and an edge that dislikes our headers, are asked once more."""
    platform.faults.set(fault, count=None if value else 1, value=value)
    post = await client.post(POST)

    assert post.ref == POST


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    [
        ("page-shell", RiskControl, "only a shell"),
        ("page-risk", RiskControl, "does not serve our address"),
        ("page-maintenance", RiskControl, "maintenance"),
        ("page-captcha", RiskControl, "captcha"),
        ("page-login", LoginNeeded, "logged in"),
        ("page-discontinued", NotInRegion, "no service"),
    ],
)
async def test_a_refused_page_has_its_cause(
    client: Client, platform: Simulator, fault: str, kind: type[Refused], told: str
) -> None:
    """What comes instead of a page is an error with a name, and says what helps."""
    platform.faults.set(fault)
    with pytest.raises(kind, match=told) as caught:
        await client.user(OWNER)

    assert caught.value.hint


async def test_an_edge_that_is_tired_ends_the_run(client: Client, platform: Simulator) -> None:
    """A 429 without a time means five minutes, longer than a person is kept waiting."""
    platform.faults.set("edge-429")
    with pytest.raises(RateLimited) as caught:
        await client.post(POST)

    assert caught.value.hint


async def test_a_circle_of_redirects_ends(client: Client, platform: Simulator) -> None:
    """The login wall is not walked into: one page was asked for."""
    platform.faults.set("page-login")
    with pytest.raises(LoginNeeded):
        await client.post(POST)

    assert len(platform.requests) == 1


# --- becoming another one -----------------------------------------------------------------------------------------------


async def test_a_refused_visitor_becomes_another(client: Client, platform: Simulator) -> None:
    """After two empty answers the cookies and ids are thrown away, and a new visitor asks."""
    await client.post(POST)
    before = cookies(client)
    found = await client.user(OWNER)
    platform.faults.set("signed-closed", count=2)
    page = await client.site("tiktok").page(found.ref, "reposts", None)

    assert page.cut is None
    assert cookies(client)["ttwid"] != before["ttwid"]


async def test_a_visitor_that_stays_refused_is_told(client: Client, platform: Simulator) -> None:
    """If the new one is refused too, it is not to blame; the hint says what helps."""
    platform.faults.set("signed-closed")
    site = client.site("tiktok")
    user = await client.user(OWNER)
    with pytest.raises(Refused, match="an empty answer") as caught:
        await site.page(user.ref, "reposts", None)

    assert "another network" in str(caught.value.hint)
