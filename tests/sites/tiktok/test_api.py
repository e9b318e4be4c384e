"""TikTok's pages and calls through the stand-in: posts, accounts, lists that are refused, logins, short links."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from dyvine_cli.client import Client
from dyvine_cli.encode import encode
from dyvine_cli.errors import (
    Banned,
    InReview,
    ListingIncomplete,
    LoginExpired,
    LoginNeeded,
    NotFound,
    NotInRegion,
    Private,
    Refused,
    SignatureRejected,
    SiteError,
    UnexpectedResponse,
    UnsupportedURL,
)
from dyvine_cli.models import Post, Ref
from dyvine_cli.simulator.app import Simulator
from dyvine_cli.simulator.tiktok_guest import login_header
from dyvine_cli.simulator.tiktok_world import TIKTOK, TiktokWorld, short_code

from ..conftest import MakeClient

pytestmark = pytest.mark.anyio

Asked = Callable[[], list[str]]


def post(id: str) -> Ref:
    """A post's ref."""
    return Ref("tiktok", "post", id)


def login(platform: Simulator, *, session: str = TiktokWorld.SESSION) -> str:
    """The cookies of someone who is logged in."""
    return login_header(datetime.now(UTC).timestamp(), session=session)


# --- one post -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", [TiktokWorld.VIDEO, TiktokWorld.PHOTO, TiktokWorld.NO_LADDER])
async def test_a_post_takes_one_page(client: Client, asked: Asked, id: str) -> None:
    """Videos and photo posts come with their page, without a signature."""
    found = await client.post(post(id))

    assert found.ref == post(id)
    assert found.assets[0].renditions
    assert asked() == [f"/@_/video/{id}"]


@pytest.mark.parametrize(
    ("id", "kind"),
    [
        (TiktokWorld.DELETED, NotFound),
        (TiktokWorld.STATUS[10215], Private),
        (TiktokWorld.PRIVATE, Private),
        (TiktokWorld.IN_REVIEW, InReview),
        (TiktokWorld.STATUS[10222], Private),
        (TiktokWorld.STATUS[10223], LoginNeeded),
        (TiktokWorld.NOT_HERE, NotInRegion),
        (TiktokWorld.STATUS[10299], UnexpectedResponse),
        (TiktokWorld.AGE_GATED, LoginNeeded),
        (TiktokWorld.LOGIN_WALL, LoginNeeded),
        (TiktokWorld.FRIENDS, Private),
    ],
)
async def test_what_keeps_a_post_from_us_has_a_name(client: Client, id: str, kind: type[SiteError]) -> None:
    """Each status code, gate and wall is the error that it stands for."""
    with pytest.raises(kind) as caught:
        await client.post(post(id))

    assert caught.value.ref == post(id)


async def test_a_page_without_the_post_leaves_the_api(
    client: Client, platform: Simulator, asked: Asked
) -> None:
    """If only the page is refused, the signed call answers; its videos come from the player's address first."""
    platform.faults.set("page-without-data")
    found = await client.post(post(TiktokWorld.VIDEO))

    assert asked()[-1] == "/api/item/detail/"
    assert found.assets[0].renditions[0].mirrors[0].startswith("https://www.tiktok.com/aweme/v1/play/")


async def test_a_page_without_the_post_names_another(
    client: Client, platform: Simulator, asked: Asked
) -> None:
    """The address that the page calls its own is asked before anything else."""
    platform.faults.set("page-without-data", count=1)
    found = await client.post(post(TiktokWorld.VIDEO))

    assert asked()[1:] == [f"/@{found.author.handle}/video/{TiktokWorld.VIDEO}"]


async def test_another_post_is_no_answer(client: Client, platform: Simulator) -> None:
    """A page about another post is not taken for the one that was asked for."""
    platform.faults.set("page-other-item")
    platform.faults.set("api-empty", where="/api/")
    with pytest.raises(UnexpectedResponse, match="not the post"):
        await client.post(post(TiktokWorld.VIDEO))


# --- the cookie of media ------------------------------------------------------------------------------------------------


async def test_only_addresses_that_name_the_cookie_get_it(client: Client) -> None:
    """Video hosts of tiktok.com get cookie and Referer; pictures, sounds and other hosts neither; a printed post has none."""
    found = await client.post(post(TiktokWorld.SUBTITLES))
    token = next(each.value for each in client.profile("tiktok").cookies if each.name == "tt_chain_token")
    renditions = [each for asset in found.assets for each in asset.renditions]
    with_cookie = {url for each in renditions for url, own in each.mirror_headers.items() if "Cookie" in own}

    assert with_cookie
    assert all("tk=tt_chain_token" in url and ".tiktok.com/" in url for url in with_cookie)
    assert all(not each.headers for each in renditions)
    assert token not in str(encode(found, urls=True))
    assert token not in repr(found)


# --- accounts -----------------------------------------------------------------------------------------------------------


async def test_an_account_by_every_name(client: Client) -> None:
    """Handle, number, stable id and convention of other tools lead to the same account with exact counts."""
    samples = TIKTOK.creator(TiktokWorld.SAMPLES)
    assert samples is not None
    found = [
        await client.user(text)
        for text in (f"@{samples.handle}", f"tiktok:user:{samples.id}", f"tiktokuser:{samples.sec_uid}")
    ]

    assert {each.ref.id for each in found} == {samples.sec_uid}
    assert found[0].likes_received == samples.hearts


async def test_accounts_that_show_nothing(client: Client) -> None:
    """Private is a state; banned and never there are one error, because TikTok does not tell them apart."""
    private = await client.user(f"@{TiktokWorld.PRIVATE_ACCOUNT}")
    with pytest.raises(Banned):
        await client.user(f"@{TiktokWorld.BANNED_ACCOUNT}")

    assert private.state == "private"
    with pytest.raises(Private):
        async for _ in client.posts(private.ref):
            pass


# --- listings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 12, 200, 348])
async def test_a_whole_account_is_listed(client: Client, count: int) -> None:
    """Every post once, photo posts and pinned ones among them."""
    found = [each async for each in client.posts(f"@{TiktokWorld.ACCOUNTS[count]}")]

    assert len({each.ref for each in found}) == len(found) == count


async def test_a_small_account_needs_no_signature(client: Client, asked: Asked) -> None:
    """Where the embed page shows all that the profile declares, no signed call is made."""
    found = [each async for each in client.posts(f"@{TiktokWorld.ACCOUNTS[12]}")]

    assert len(found) == 12
    assert not [path for path in asked() if path.startswith("/api/")]


@pytest.mark.parametrize(("what", "count"), [("likes", 45), ("reposts", 40)])
async def test_other_lists_of_an_account(client: Client, what: str, count: int) -> None:
    """Likes that are open and reposts, whose cursors count in other ways."""
    found = [each async for each in client.posts(f"tiktok:user:{TiktokWorld.LIKES_ACCOUNT}:{what}")]

    assert len({each.ref for each in found}) == count


async def test_hidden_likes_are_told(client: Client, asked: Asked) -> None:
    """An account that hides what it likes is not asked for it."""
    with pytest.raises(Private):
        async for _ in client.posts(f"tiktok:user:{TiktokWorld.LIKES_HIDDEN_ACCOUNT}:likes"):
            pass

    assert not [path for path in asked() if path.startswith("/api/")]


async def test_a_collection_is_listed(client: Client) -> None:
    """50 posts of several people."""
    found = [each async for each in client.posts(f"tiktok:collection:{TiktokWorld.COLLECTION}")]

    assert len({each.ref for each in found}) == 50
    assert len({each.author.id for each in found}) == 3


async def test_a_refused_list_is_cut_with_its_place(client: Client, platform: Simulator) -> None:
    """The newest posts come, then the refusal is told: how many of how many, why, what helps, where it goes on."""
    platform.faults.set("signed-closed")
    found: list[Post] = []

    async def collect() -> None:
        async for each in client.posts(f"@{TiktokWorld.ACCOUNTS[348]}"):
            found.append(each)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(ListingIncomplete) as caught:
        await collect()

    assert str(caught.value).startswith(f"listed {len(found)} of 348: TikTok refused the rest")
    assert 10 <= len(found) <= 12
    assert all(each.partial for each in found)
    assert isinstance(caught.value.cause, SignatureRejected)
    assert caught.value.cursor == "0"
    for help in ("login", "another network", "waiting"):
        assert help in str(caught.value.hint)


async def test_a_list_that_was_cut_later_goes_on(client: Client, platform: Simulator) -> None:
    """A refusal after some pages keeps the cursor of the page that did not come."""
    platform.faults.set("signed-closed", skip=4)
    user = await client.user(f"@{TiktokWorld.ACCOUNTS[200]}")
    walk = client.list(user.ref, declared=user.declared)
    seen: set[str] = set()
    with pytest.raises(ListingIncomplete) as caught:
        seen.update([each.ref.id async for each in walk])
    platform.faults.clear()
    cursor = caught.value.cursor
    assert cursor
    rest = [each.ref.id async for each in client.list(user.ref, cursor=cursor)]

    assert walk.listed + len(rest) == 200


async def test_a_disliked_device_is_drawn_anew(client: Client, platform: Simulator) -> None:
    """A list that repeats its first page for ever gets another device id, and goes on."""
    platform.faults.set("device-disliked")
    found = [each async for each in client.posts(f"@{TiktokWorld.ACCOUNTS[200]}")]

    assert len({each.ref for each in found}) == 200


async def test_without_an_embed_page_the_list_comes_alone(client: Client, platform: Simulator) -> None:
    """A refused sample is no loss."""
    platform.faults.set("page-risk", where="/embed/")
    page = await client.site("tiktok").page(
        (await client.user(f"@{TiktokWorld.ACCOUNTS[200]}")).ref, None, None
    )

    assert not page.sample
    assert page.next


# --- logins -------------------------------------------------------------------------------------------------------------


async def test_a_login_sees_what_is_its_own(make_client: MakeClient, platform: Simulator) -> None:
    """The account of the login, its saved posts, and a post behind the age gate."""
    client = make_client(cookies=login(platform))
    own = await client.login("tiktok")
    saved = [each async for each in client.posts("tiktok:user:self:favorites")]
    gated = await client.post(post(TiktokWorld.AGE_GATED))

    assert own.handle == TiktokWorld.SELF
    assert len(saved) == 37
    assert gated.assets


async def test_a_dead_login_stops_before_the_first_page(
    make_client: MakeClient, platform: Simulator, asked: Asked
) -> None:
    """It is tried once before anything is asked with it."""
    client = make_client(cookies=login(platform, session="0" * 32))
    with pytest.raises(LoginExpired):
        await client.post(post(TiktokWorld.VIDEO))

    assert asked() == ["/passport/token/beat/web/"]


async def test_a_guest_has_no_saved_posts(client: Client) -> None:
    """Saved posts are their owner's."""
    with pytest.raises(LoginNeeded):
        async for _ in client.posts(f"tiktok:user:{TiktokWorld.SELF}:favorites"):
            pass


# --- short links --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["vm.tiktok.com", "vt.tiktok.com", "www.tiktok.com/t"])
async def test_a_short_link_costs_one_request(client: Client, asked: Asked, host: str) -> None:
    """Only where it leads is read."""
    code = short_code("post", TiktokWorld.VIDEO)
    found = await client.resolve(f"https://{host}/{code}/")

    assert found == post(TiktokWorld.VIDEO)
    assert len(asked()) == 1


@pytest.mark.parametrize("code", ["Zdoesnotex", short_code("gone", "1")])
async def test_a_dead_short_link_is_not_found(client: Client, code: str) -> None:
    """The front page and "not found" are no meaning."""
    with pytest.raises((NotFound, UnsupportedURL)):
        await client.resolve(f"https://vm.tiktok.com/{code}/")


# --- the API's odd answers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", ["api-empty", "api-verify", "api-not-empty", "edge-403", "token-refused", "ttwid-refused"]
)
async def test_an_odd_answer_is_never_an_empty_list(client: Client, platform: Simulator, fault: str) -> None:
    """Nothing, a captcha, a promise without a list, a stale token: each is a refusal."""
    user = await client.user(f"@{TiktokWorld.LIKES_ACCOUNT}")
    platform.faults.set(fault, where="/api/")
    with pytest.raises(Refused):
        await client.site("tiktok").page(user.ref, "reposts", None)
