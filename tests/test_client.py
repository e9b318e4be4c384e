"""The library: links to refs, posts, accounts and lists, without the command line and without leftovers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from dyvine_cli import Client, Post, Ref
from dyvine_cli.errors import (
    Banned,
    InputError,
    ListingIncomplete,
    NotFound,
    Private,
    UnsupportedURL,
)
from dyvine_cli.http.network import Network
from dyvine_cli.identity import Profile, Profiles
from dyvine_cli.models import Mix
from dyvine_cli.simulator.app import Simulator, running
from dyvine_cli.simulator.douyin_guest import login_header
from dyvine_cli.simulator.world import World

pytestmark = pytest.mark.anyio

VIDEO = f"https://www.douyin.com/video/{World.VIDEO}"


@pytest.fixture(scope="module")
def _simulator() -> Iterator[Simulator]:
    with running() as simulator:
        yield simulator


@pytest.fixture
def platform(_simulator: Simulator) -> Iterator[Simulator]:
    """Douyin in small, without faults."""
    yield _simulator
    _simulator.faults.clear()


def client_of(platform: Simulator, **options: object) -> Client:
    """A guest's client at full speed."""
    return Client(connect_to=platform.connect_to, pace="off", **options)  # type: ignore[arg-type]


LINKS = {
    "a link": (VIDEO, Ref("douyin", "post", World.VIDEO)),
    "share text": (f"看看【猫】 {VIDEO} 复制此链接", Ref("douyin", "post", World.VIDEO)),
    "without a scheme": (f"www.douyin.com/video/{World.VIDEO}", Ref("douyin", "post", World.VIDEO)),
    "a bare id": (World.VIDEO, Ref("douyin", "post", World.VIDEO)),
    "a ref": (f"douyin:post:{World.VIDEO}", Ref("douyin", "post", World.VIDEO)),
    "a ref with a listing": ("douyin:user:self:likes", Ref("douyin", "user", "self", "likes")),
    "a tab": (
        f"https://www.douyin.com/user/{World.OPEN}?showTab=like",
        Ref("douyin", "user", World.OPEN, "likes"),
    ),
    "a stable id": (World.OPEN, Ref("douyin", "user", World.OPEN)),
    "a handle": ("@shan_ye_041", Ref("tiktok", "user", "shan_ye_041")),
    "an unsupported link before": (
        f"https://www.ixigua.com/7000000000000000000 {VIDEO}",
        Ref("douyin", "post", World.VIDEO),
    ),
    "a foreign link before": (f"https://example.com/a {VIDEO}", Ref("douyin", "post", World.VIDEO)),
}


@pytest.mark.parametrize(("text", "ref"), LINKS.values(), ids=LINKS.keys())
async def test_what_a_text_means(text: str, ref: Ref) -> None:
    """Whatever a person pastes becomes the ref of the first link that can be used."""
    async with Client() as client:
        assert await client.resolve(text) == ref


UNUSABLE = {
    "words": ("hello there", "no link or id"),
    "another site": ("https://example.com/video/1", "example.com"),
    "Xigua": ("https://www.ixigua.com/7000000000000000000", "Xigua"),
    "a feed": ("https://www.douyin.com/jingxuan", "feed"),
}


@pytest.mark.parametrize(("text", "words"), UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_what_cannot_be_used_is_said_why(text: str, words: str) -> None:
    """Text without a usable link is UnsupportedURL, in words that fit it."""
    async with Client() as client:
        with pytest.raises(UnsupportedURL, match=words):
            await client.resolve(text)


async def test_the_example_of_the_readme(platform: Simulator) -> None:
    """A post, an account, its posts, a listing that can be gone on with."""
    async with client_of(platform) as client:
        post = await client.post(VIDEO)
        user = await client.user(f"https://www.douyin.com/user/{World.OPEN}")
        posts = [each async for each in client.posts(user.ref)]
        mixes = [each async for each in client.list(Ref("douyin", "user", World.ACCOUNTS[63]), "mixes")]
        mix = await client.mix(mixes[0].ref)

    assert (post.kind, post.assets[0].kind) == ("video", "video")
    assert (user.declared, len(posts)) == (24, 24)
    assert all(isinstance(each, Mix) for each in mixes)
    assert mix.title == mixes[0].title  # type: ignore[union-attr]


async def test_a_list_that_is_cut_can_be_gone_on_with(platform: Simulator) -> None:
    """The cut says where, and a walk from there gives the rest and nothing else."""
    account = Ref("douyin", "user", World.ACCOUNTS[63])
    seen: list[str] = []

    async def look(posts: AsyncIterator[Post]) -> None:
        async for each in posts:
            seen.append(each.ref.id)  # noqa: PERF401 - what came before the cut counts

    async with client_of(platform) as guest:
        with pytest.raises(ListingIncomplete) as caught:
            await look(guest.posts(account))
    async with client_of(platform, cookies=login_header(platform.clock())) as login:
        rest = [each.ref.id async for each in login.list(account, cursor=caught.value.cursor)]

    assert len(seen) == 20
    assert len(set(seen) | set(rest)) == 63


@pytest.mark.parametrize(
    ("id", "kind"),
    [
        (World.PRIVATE_ACCOUNT, Private),
        (World.BANNED_ACCOUNT, Banned),
        (World.CANCELLED_ACCOUNT, Banned),
        (World.NOBODY, NotFound),
    ],
)
async def test_an_account_that_cannot_be_listed_is_no_empty_list(
    platform: Simulator, id: str, kind: type[Exception]
) -> None:
    """Private and banned accounts are errors of `posts`, and Users with a state of `user`."""
    async with client_of(platform) as client:
        with pytest.raises(kind):
            await anext(client.posts(Ref("douyin", "user", id)))


async def test_likes_of_a_link(platform: Simulator) -> None:
    """A link that names the likes lists the likes; hidden ones are Private."""
    async with client_of(platform) as client:
        likes = [each async for each in client.posts(f"douyin:user:{World.LIKES}:likes")]
        with pytest.raises(Private):
            await anext(client.posts(f"douyin:user:{World.LIKES_HIDDEN}:likes"))

    assert len(likes) == 44, "one of the 45 was removed by its author"
    assert len({each.author.id for each in likes}) == 2


async def test_another_kind_is_said(platform: Simulator) -> None:
    """A user's link given to `post` names what would take it."""
    async with client_of(platform) as client:
        with pytest.raises(InputError, match="is a user, not a post"):
            await client.post(f"https://www.douyin.com/user/{World.OPEN}")


async def test_a_listing_may_be_left_early(platform: Simulator) -> None:
    """Leaving after a few posts asks for one page, and nothing is left open."""
    before = len(platform.requests)
    async with client_of(platform) as client:
        count = 0
        async for _ in client.posts(f"douyin:user:{World.OPEN}"):
            count += 1
            if count == 3:
                break

    assert len([each for each in platform.requests[before:] if "aweme/post" in each.path]) == 1


async def test_state_keeps_the_guest_and_cookies_are_never_kept(platform: Simulator, tmp_path: Path) -> None:
    """A guest made in one client is the guest of the next; what a login's cookies become is not written."""
    account = Ref("douyin", "user", World.OPEN)
    async with client_of(platform, state=tmp_path) as first:
        await first.user(account)
    async with client_of(platform, state=tmp_path) as second:
        kept = second.profile("douyin")
    async with client_of(platform, state=tmp_path, cookies=login_header(platform.clock())) as login:
        await login.user(account)

    assert {"ttwid", "UIFID_TEMP", "s_v_web_id"} <= {each.name for each in kept.cookies}
    assert Profiles(tmp_path).names("douyin") == ("guest",)
    stored = Profiles(tmp_path).load("douyin", "guest")
    assert stored is not None
    assert "sessionid" not in {each.name for each in stored.cookies}


async def test_each_site_and_profile_has_its_way(platform: Simulator) -> None:
    """The network is asked for by site and by the profile's own proxy, before the first call."""
    asked: list[tuple[str, str | None]] = []
    network = Network()

    def reach(site: str, own: str | None) -> Network:
        asked.append((site, own))
        return network

    mine = Profile(site="douyin", name="mine", proxy="socks5://127.0.0.1:9")
    async with Client(network=reach, who=lambda site: mine) as client:
        client.site("douyin")
    await network.aclose()

    assert asked == [("douyin", "socks5://127.0.0.1:9")]


async def test_each_site_has_its_pace() -> None:
    """A pace by site reaches that site's budget."""
    async with Client(pace={"douyin": "slow"}) as slow, Client() as normal:
        assert slow.budget("douyin").estimate("douyin", "list", 106) == 2 * normal.budget("douyin").estimate(
            "douyin", "list", 106
        )


SCRIPT = """
import asyncio, sys
from dyvine_cli import Client, NotFound

async def main():
    async with Client(connect_to=sys.argv[1], pace="off") as client:
        post = await client.post(sys.argv[2])
        posts = [each.ref.id async for each in client.posts(sys.argv[3])]
        try:
            await client.post("douyin:post:7499999999999999999")
        except NotFound as error:
            print(error.name)
    print(post.ref, len(posts))

asyncio.run(main())
print(sorted({"typer", "rich", "click", "dyvine_cli.cli", "dyvine_cli.operations"} & set(sys.modules)))
"""


def test_a_fresh_process_needs_no_command_line_and_leaves_nothing_open(platform: Simulator) -> None:
    """The library works without Typer and rich, and closes without a ResourceWarning."""
    command = [sys.executable, "-W", "error", "-c", SCRIPT, platform.connect_to, VIDEO]
    done = subprocess.run(
        [*command, f"douyin:user:{World.OPEN}"], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.stderr == ""
    assert done.stdout.splitlines() == ["NotFound", f"douyin:post:{World.VIDEO} 24", "[]"]
    assert done.returncode == 0


def test_every_public_method_says_what_it_gives() -> None:
    """Docstrings of the library are for people who do not read its code."""
    missing = [
        f"{each.__name__}.{name}"
        for each in (Client, Post, Ref)
        for name, member in vars(each).items()
        if callable(member) and not name.startswith("_") and not (member.__doc__ or "").strip()
    ]

    assert missing == []
