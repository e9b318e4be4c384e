"""Douyin's endpoints through the stand-in: routes to a post, refusals as errors, pauses, short links, the clock."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dyvine_cli import cookies
from dyvine_cli.client import Client
from dyvine_cli.errors import (
    Deleted,
    DyvineError,
    InReview,
    LoginExpired,
    LoginNeeded,
    NetworkError,
    NotFound,
    NotInRegion,
    Private,
    RateLimited,
    Refused,
    RiskControl,
    SignatureRejected,
    UnexpectedResponse,
    UnsupportedURL,
)
from dyvine_cli.events import Event, Waiting, Warned
from dyvine_cli.identity import Profile
from dyvine_cli.models import Ref
from dyvine_cli.simulator.app import Simulator
from dyvine_cli.simulator.douyin_guest import login_header
from dyvine_cli.simulator.world import World

from ...waiting import Time
from ..conftest import MakeClient

pytestmark = pytest.mark.anyio

CLOSING = {
    "embed": "embed-closed",
    "web": "signed-closed",
    "slidesinfo": "slidesinfo-closed",
    "batch": "batch-closed",
    "page": "ssr-closed",
    "app": "feed-closed",
}
"""Route to the switch that closes it, in the order in which they are tried."""


def post(id: str) -> Ref:
    """A post's ref."""
    return Ref("douyin", "post", id)


def user(id: str) -> Ref:
    """An account's ref."""
    return Ref("douyin", "user", id)


def close(platform: Simulator, *routes: str) -> None:
    """Switch routes off."""
    for route in routes:
        platform.faults.set(CLOSING[route])


def answered_by(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The routes that answered, by the debug log."""
    lines = (record.getMessage() for record in caplog.records if "answered by route" in record.getMessage())
    return [line.rpartition(" ")[2] for line in lines]


def asked(platform: Simulator) -> list[str]:
    """Host and path of the calls so far."""
    return [f"{each.host}{each.path}" for each in platform.requests]


# --- routes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", CLOSING)
@pytest.mark.parametrize("id", [World.SMALL, World.IMAGES], ids=["video", "pictures"])
async def test_each_route_answers_when_those_before_are_closed(
    client: Client, platform: Simulator, caplog: pytest.LogCaptureFixture, route: str, id: str
) -> None:
    """A post comes by the first route that is open, and the debug log says which."""
    if (route, id) == ("app", World.IMAGES):
        id = World.VIDEO  # the app's feed holds no picture posts
    names = list(CLOSING)
    close(platform, *names[: names.index(route)])

    with caplog.at_level(logging.DEBUG, "dyvine_cli.sites.douyin.api"):
        found = await client.post(post(id))

    assert found.ref == post(id)
    assert found.assets
    assert answered_by(caplog) == [route]


async def test_all_routes_closed_is_the_signature_gate(
    client: Client, platform: Simulator, time: Time
) -> None:
    """When nothing answers, the best-informed refusal is told, and the budget hears of one refusal."""
    close(platform, *CLOSING)

    with pytest.raises(SignatureRejected) as caught:
        await client.post(post(World.SMALL))

    assert caught.value.ref == post(World.SMALL)
    assert "signature" in str(caught.value)
    assert client.next_try() is not None


FINAL = {
    "deleted": (World.DELETED, Deleted),
    "private": (World.PRIVATE, Private),
    "friends": (World.FRIENDS, Private),
    "in review": (World.IN_REVIEW, InReview),
    "removed": (World.REMOVED, InReview),
    "rights": (World.FOREIGN_RIGHTS, NotInRegion),
    "music": (World.MUSIC_DELETED, NotInRegion),
    "missing": (World.MISSING, NotFound),
}


@pytest.mark.parametrize(("id", "kind"), FINAL.values(), ids=FINAL.keys())
@pytest.mark.parametrize("closed", [(), ("embed",)], ids=["embed", "web"])
async def test_a_final_word_ends_the_search(
    client: Client, platform: Simulator, id: str, kind: type[DyvineError], closed: tuple[str, ...]
) -> None:
    """What the first two routes say about a post is not asked again elsewhere."""
    close(platform, *closed)

    with pytest.raises(kind) as caught:
        await client.post(post(id))

    assert type(caught.value) is kind
    assert not {"slidesinfo", "multi", "feed", "jingxuan"} & {
        part for each in asked(platform) for part in each.split("/")
    }


async def test_a_reason_of_the_batch_route_is_final(client: Client, platform: Simulator) -> None:
    """A later route's explicit reason counts, its silence does not."""
    close(platform, "embed", "web", "slidesinfo")

    with pytest.raises(Deleted):
        await client.post(post(World.DELETED))


async def test_silence_of_later_routes_is_no_absence(client: Client, platform: Simulator) -> None:
    """A post that nobody shows while the gates are shut is not called missing."""
    close(platform, "embed", "web")

    with pytest.raises(SignatureRejected):
        await client.post(post(World.MISSING))


async def test_images_base_asks_the_next_route(
    client: Client, platform: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason `images_base` is about the route, not about the post."""
    platform.faults.set("detail-filtered", value="images_base", count=1)

    with caplog.at_level(logging.DEBUG, "dyvine_cli.sites.douyin.api"):
        found = await client.post(post(World.OTHER_AID))

    assert found.kind == "images"
    assert answered_by(caplog) == ["web"]


async def test_the_app_feed_may_hold_it_second_or_not_at_all(client: Client, platform: Simulator) -> None:
    """Another post is never taken for the one that was asked for."""
    close(platform, *list(CLOSING)[:5])
    platform.faults.set("feed-wanted-second", count=1)

    assert (await client.post(post(World.VIDEO))).ref.id == World.VIDEO
    platform.faults.set("feed-wanted-missing")
    with pytest.raises(SignatureRejected):
        await client.post(post(World.VIDEO))


async def test_a_route_that_works_is_preferred(client: Client, platform: Simulator) -> None:
    """A closed first route is not tried again for every post."""
    close(platform, "embed")
    await client.post(post(World.SMALL))
    before = len(platform.requests)
    await client.post(post(World.VIDEO))

    assert len(platform.requests) - before == 1


async def test_batch_detail(client: Client) -> None:
    """Up to 20 posts come in one call; those that are not there are left out."""
    ids = [World.VIDEO, World.MISSING, World.IMAGES, World.DELETED]
    found = await client.site("douyin").posts([post(id) for id in ids])

    assert [each.ref.id for each in found] == [World.VIDEO, World.IMAGES]


# --- refusals ---------------------------------------------------------------------------------------------------------

SHAPES: dict[str, tuple[str, Any, type[DyvineError]]] = {
    "argus: no device id": ("argus-uifid-not-found", None, SignatureRejected),
    "argus: no signature": ("argus-signature-not-found", None, SignatureRejected),
    "argus: wrong device id": ("argus-validate-error", None, SignatureRejected),
    "argus: wrong signature": ("argus-sign-invalid", None, SignatureRejected),
    "edge 401": ("edge-401", None, RateLimited),
    "edge 403": ("edge-403", None, RateLimited),
    "edge 405": ("edge-405", None, RateLimited),
    "edge 412": ("edge-412", None, RateLimited),
    "edge 429": ("edge-429", None, RateLimited),
    "edge 444": ("edge-444", None, RateLimited),
    "no bytes": ("api-empty", None, RiskControl),
    "captcha page": ("api-captcha-html", None, RiskControl),
    "verify_ticket": ("api-verify-ticket", None, RiskControl),
    "verify_center": ("api-verify-center", None, RiskControl),
    "bdturing": ("api-bdturing", None, RiskControl),
    "vc-bdturing": ("api-vc-bdturing", None, RiskControl),
    "status 0 alone": ("api-soft-block", None, RiskControl),
    "code 2": ("api-status", 2, NotFound),
    "code 4": ("api-status", 4, RateLimited),
    "code 5": ("api-status", 5, UnexpectedResponse),
    "code 8": ("api-status", 8, LoginNeeded),
    "code 2053": ("api-status", 2053, NotFound),
    "code 2065": ("api-status", 2065, NotFound),
    "code 2096": ("api-status", 2096, Private),
    "code 2154": ("api-status", 2154, RiskControl),
    "code 2156": ("api-status", 2156, RiskControl),
    "code 2483": ("api-status", 2483, LoginNeeded),
    "code 10000": ("api-status", 10000, RiskControl),
    "code 10001": ("api-status", 10001, RiskControl),
    "code 10011": ("api-status", 10011, RateLimited),
    "unknown code": ("api-status", 77, UnexpectedResponse),
    "half an object": ("api-cut-json", None, UnexpectedResponse),
    "null": ("api-null", None, UnexpectedResponse),
    "an array": ("api-array", None, UnexpectedResponse),
    "too deep": ("api-deep", None, UnexpectedResponse),
    "too large": ("api-huge", 65, UnexpectedResponse),
    "server error": ("500", None, Refused),
    "gone": ("404", None, UnexpectedResponse),
    "broken line": ("reset", "head", NetworkError),
}
TOLD = (RateLimited, RiskControl, SignatureRejected, Refused)


@pytest.mark.parametrize(("name", "value", "kind"), SHAPES.values(), ids=SHAPES.keys())
async def test_every_shape_of_a_list_is_the_named_error(
    client: Client, platform: Simulator, time: Time, name: str, value: Any, kind: type[DyvineError]
) -> None:
    """A page that is none becomes the error that fits, and every refusal is told to the budget."""
    platform.faults.set(name, value=value, where="/aweme/post/")

    with pytest.raises(kind) as caught:
        await anext(aiter(client.list(user(World.OPEN))))

    assert type(caught.value) is kind
    assert (client.next_try() is not None) == issubclass(kind, TOLD)
    if kind is RiskControl and name not in ("api-empty", "api-soft-block"):
        assert "dyvine login add" in str(caught.value.hint)


@pytest.mark.parametrize(("name", "value", "kind"), SHAPES.values(), ids=SHAPES.keys())
async def test_every_shape_of_a_detail_is_the_named_error(
    client: Client, platform: Simulator, name: str, value: Any, kind: type[DyvineError]
) -> None:
    """The same shapes at every door to a post end in the same error."""
    platform.faults.set(name, value=value, where="/aweme/")
    platform.faults.set("ssr-closed")

    with pytest.raises(DyvineError) as caught:
        await client.post(post(World.SMALL))

    # The captcha before the page explains more than an odd answer.
    assert type(caught.value) is (RiskControl if kind is UnexpectedResponse else kind)


@pytest.mark.parametrize("status", [403, 405, 412, 429, 444])
async def test_the_edge_is_waited_out(
    client: Client, platform: Simulator, time: Time, events: list[Event], status: int
) -> None:
    """A refusal of the edge is tried again after a pause that doubles; the pauses are told."""
    platform.faults.set(f"edge-{status}", count=2, where="/aweme/post/")

    first = await anext(aiter(client.list(user(World.OPEN))))

    assert first.ref.kind == "post"
    assert time.slept == [60, 120]
    assert [round(event.seconds) for event in events if isinstance(event, Waiting)] == [60, 120]


async def test_the_edge_that_stays_ends_the_site(client: Client, platform: Simulator, time: Time) -> None:
    """The third refusal asks for more than two minutes: the site is left alone, with the time of the next try."""
    platform.faults.set("edge-429", where="/aweme/post/")

    with pytest.raises(RateLimited) as caught:
        await anext(aiter(client.list(user(World.OPEN))))

    assert time.slept == [60, 120]
    assert "the next try makes sense after" in str(caught.value)
    assert len([each for each in asked(platform) if "/aweme/post/" in each]) == 3


async def test_retry_after_is_obeyed(client: Client, platform: Simulator, time: Time) -> None:
    """The server's own word goes before the usual pause."""
    platform.faults.set("429", value="7", count=1, where="/aweme/post/")

    await anext(aiter(client.list(user(World.OPEN))))

    assert time.slept == [7]


# --- identities -------------------------------------------------------------------------------------------------------


async def test_a_dead_login_is_never_a_silent_guest(make_client: MakeClient, platform: Simulator) -> None:
    """The login is tried before its first use, and nothing else is asked when it is dead."""
    header = login_header(platform.clock(), session=World.DEAD_SESSION)
    client = make_client(cookies=header)

    for call in (client.post(post(World.SMALL)), client.user(user(World.OPEN))):
        with pytest.raises(LoginExpired):
            await call
    with pytest.raises(LoginExpired):
        await anext(aiter(client.list(user(World.OPEN))))
    assert {each.rpartition("/web/")[2] for each in asked(platform)} == {"user/profile/self/"}


async def test_a_living_login_is_tried_once(make_client: MakeClient, platform: Simulator) -> None:
    """One call more in a run, and posts for logins come by the signed route with the session."""
    client = make_client(cookies=login_header(platform.clock()))
    await client.post(post(World.LOGIN_ONLY))
    await client.post(post(World.SMALL))

    assert [each.path.rpartition("/web/")[2] for each in platform.requests] == [
        "user/profile/self/",
        "aweme/detail/",
        "aweme/detail/",
    ]
    assert all("sessionid" in each.headers.get("cookie", "") for each in platform.requests)


def seen_alive(platform: Simulator, ago: timedelta, **options: Any) -> Profile:
    """A stored login that was found alive so long ago."""
    jar = cookies.read(login_header(platform.clock(), **options), site="douyin")
    return Profile(site="douyin", name="main", cookies=jar, alive=datetime.now(UTC) - ago)


@pytest.mark.parametrize(("minutes", "tries"), [(0, 0), (59, 0), (61, 1), (-59, 0), (-61, 1)])
async def test_a_login_that_was_alive_a_short_while_ago_is_not_tried(
    make_client: MakeClient, platform: Simulator, minutes: int, tries: int
) -> None:
    """One call less in the runs that follow each other within an hour, whichever way the clock went."""
    login = seen_alive(platform, timedelta(minutes=minutes))
    client = make_client(who=lambda site: login)
    await anext(aiter(client.list(user(World.OPEN))))

    assert len([each for each in asked(platform) if each.endswith("profile/self/")]) == tries


async def test_a_login_that_died_since_is_found_out_by_what_only_guests_get(
    make_client: MakeClient, platform: Simulator
) -> None:
    """A list that ends as for guests casts doubt on a login that was alive minutes before."""
    login = seen_alive(platform, timedelta(minutes=1), session=World.DEAD_SESSION)
    client = make_client(who=lambda site: login)

    with pytest.raises(LoginExpired):
        await anext(aiter(client.list(user(World.ACCOUNTS[63]))))
    assert client.profile("douyin").alive is None


async def test_a_login_only_post_casts_doubt_on_the_login(
    make_client: MakeClient, platform: Simulator
) -> None:
    """A post that is kept from a login as from a guest has the login tried."""
    login = seen_alive(platform, timedelta(minutes=1), session=World.DEAD_SESSION)
    client = make_client(who=lambda site: login)

    with pytest.raises(LoginExpired):
        await client.post(post(World.LOGIN_ONLY))


async def test_a_login_that_dies_midway_is_said(make_client: MakeClient, platform: Simulator) -> None:
    """A session that ends during a run is LoginExpired, not another route as a guest."""
    client = make_client(cookies=login_header(platform.clock()))
    await client.post(post(World.SMALL))
    platform.faults.set("login-expired")

    with pytest.raises(LoginExpired):
        await client.post(post(World.VIDEO))


async def test_a_logins_refused_signature_is_not_renewed(
    make_client: MakeClient, platform: Simulator
) -> None:
    """The device ids of a login belong to a person: they are neither thrown away nor made anew."""
    client = make_client(cookies=login_header(platform.clock()))
    before = {each.name: each.value for each in client.profile("douyin").cookies}
    platform.faults.set("argus-sign-invalid", where="/aweme/post/")

    with pytest.raises(SignatureRejected):
        await anext(aiter(client.list(user(World.OPEN))))
    after = {each.name: each.value for each in client.profile("douyin").cookies}

    assert not [each for each in asked(platform) if "ttwid" in each or "live." in each]
    assert {name: after[name] for name in ("ttwid", "UIFID", "s_v_web_id")} == {
        name: before[name] for name in ("ttwid", "UIFID", "s_v_web_id")
    }


# --- accounts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("handle", ["shan_ye_041", "@shan_ye_041"])
async def test_a_handle_is_looked_up(make_client: MakeClient, handle: str) -> None:
    """A 抖音号 leads to the account with its lasting id and its whole profile."""
    found = await make_client(default_site="douyin").user(handle)

    assert found.ref == user(World.OPEN)
    assert found.declared == 24


async def test_a_numeric_id_leads_nowhere(client: Client) -> None:
    """An account's number cannot be looked up; the hint says what can."""
    with pytest.raises(NotFound) as caught:
        await client.user("3290000000324679")

    assert "numeric id" in str(caught.value)
    assert "copy the link" in str(caught.value.hint)


async def test_self_is_the_logins_own_account(make_client: MakeClient, platform: Simulator) -> None:
    """`douyin:user:self` and its likes are those of the login; a guest is told."""
    with pytest.raises(LoginNeeded):
        await make_client().user("douyin:user:self")
    own = make_client(cookies=login_header(platform.clock()))

    assert (await own.user("https://www.douyin.com/user/self?showTab=like")).ref.id == World.SELF
    assert len([entry async for entry in own.posts("douyin:user:self")]) == 12


async def test_hidden_likes_are_private(client: Client, platform: Simulator) -> None:
    """An empty first page of likes is the owner's wish, no refusal, and no new guest is made for it."""
    with pytest.raises(Private):
        await anext(aiter(client.list(user(World.LIKES_HIDDEN), "likes")))

    assert client.next_try() is None
    assert len([each for each in asked(platform) if "ttwid" in each]) == 1


# --- short links ------------------------------------------------------------------------------------------------------


async def test_short_links_of_every_kind(client: Client, platform: Simulator) -> None:
    """A short link is followed to what it means, and its landing page is not read."""
    world = platform.world
    assert world is not None
    found = [
        await client.resolve(world.short_link("post", World.VIDEO)),
        await client.resolve(world.share_text(World.IMAGES)),
        await client.resolve(world.short_link("user", World.OPEN)),
        await client.resolve(world.short_link("mix", World.MIX)),
    ]

    assert [str(each) for each in found] == [
        f"douyin:post:{World.VIDEO}",
        f"douyin:post:{World.IMAGES}",
        f"douyin:user:{World.OPEN}",
        f"douyin:mix:{World.MIX}",
    ]
    assert {each.host for each in platform.requests} == {"v.douyin.com"}
    assert not any("cookie" in each.headers for each in platform.requests)


async def test_a_dead_short_link_is_not_found(client: Client) -> None:
    """A code that nobody knows any more is said so."""
    with pytest.raises(NotFound, match="expired"):
        await client.resolve(World.DEAD_SHORT)


GOES: dict[str, tuple[str, type[DyvineError] | None]] = {
    "one more hop": ("https://www.iesdouyin.com/somewhere/else?x=1", None),
    "relative": (f"/share/video/{World.VIDEO}/", None),
    "another short link": ("https://v.douyin.com/iRNBho8Gone/", NotFound),
    "another site": ("https://example.com/video/7372484719365098803", UnsupportedURL),
    "a host that only looks like it": (
        f"https://www.douyin.com.evil.example/video/{World.VIDEO}",
        UnsupportedURL,
    ),
    "a login in the address": (f"https://www.douyin.com@evil.example/video/{World.VIDEO}", UnsupportedURL),
    "another port": ("https://www.douyin.com:8443/somewhere", UnsupportedURL),
    "a file": ("file:///etc/passwd", UnsupportedURL),
    "a feed": ("https://www.douyin.com/jingxuan", UnsupportedURL),
    "itself, for ever": ("https://v.douyin.com/abcdefg/", UnsupportedURL),
}


@pytest.mark.parametrize(("target", "error"), GOES.values(), ids=GOES.keys())
async def test_where_a_short_link_may_lead(
    client: Client, platform: Simulator, target: str, error: type[DyvineError] | None
) -> None:
    """Known hosts over HTTPS only, and at most five hops."""
    platform.faults.set("redirect", value=target, where="v.douyin.com/abcdefg/")
    platform.faults.set(
        "redirect",
        value=f"https://www.iesdouyin.com/share/video/{World.VIDEO}/",
        where="www.iesdouyin.com/somewhere",
    )

    if error is None:
        assert await client.resolve("https://v.douyin.com/abcdefg/") == post(World.VIDEO)
    else:
        with pytest.raises(error):
            await client.resolve("https://v.douyin.com/abcdefg/")

    assert len(platform.requests) <= 5


@pytest.mark.parametrize(
    ("name", "kind"),
    [("429", RateLimited), ("html-200", RiskControl), ("empty-200", RiskControl), ("500", Refused)],
)
async def test_a_refused_short_link_is_not_called_dead(
    client: Client, platform: Simulator, name: str, kind: type[DyvineError]
) -> None:
    """Only a link that leads nowhere has expired."""
    platform.faults.set(name, where="v.douyin.com/")

    with pytest.raises(kind) as caught:
        await client.resolve("https://v.douyin.com/abcdefg/")

    assert type(caught.value) is kind


# --- the clock --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"), [(600.0, "10 min behind"), (-600.0, "10 min ahead of"), (60.0, "")]
)
async def test_a_clock_that_is_off_is_told_once(
    client: Client, platform: Simulator, events: list[Event], seconds: float, words: str
) -> None:
    """Minutes of difference are a warning, once, with the cure; less is nobody's business."""
    platform.clock.advance(seconds)
    await client.post(post(World.SMALL))
    await client.post(post(World.VIDEO))
    told = [event for event in events if isinstance(event, Warned)]

    assert len(told) == (1 if words else 0)
    assert all(words in event.message and "set the clock" in str(event.hint) for event in told)


async def test_a_refusal_names_the_clock(client: Client, platform: Simulator) -> None:
    """A signature that is refused while the clock is off points there first."""
    platform.clock.advance(3_600.0)
    platform.faults.set("argus-sign-invalid", where="/aweme/post/")

    with pytest.raises(SignatureRejected) as caught:
        await anext(aiter(client.list(user(World.OPEN))))

    assert "60 min behind" in str(caught.value.hint)
