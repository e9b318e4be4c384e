"""The invented people and posts: stable ids, cheap on memory, and every oddity that listings are tested with."""

from __future__ import annotations

import tracemalloc

import pytest

from dyvine_cli.simulator.world import Account, Published, World, post_id, sec_uid

NAMED = [
    name
    for name, value in vars(World).items()
    if isinstance(value, str) and name.isupper() and value.isdigit()
]


def _account(world: World, posts: int) -> Account:
    account = world.account(World.ACCOUNTS[posts])
    assert account is not None
    return account


def _all(world: World, posts: int) -> list[Published]:
    account = _account(world, posts)
    return [world.at(account, index) for index in range(account.posts)]


@pytest.mark.parametrize("name", [name for name in NAMED if name not in ("MISSING", "MIX")])
def test_named_posts_are_found_by_their_id(world: World, name: str) -> None:
    """Every constant is the 19-digit id of one post."""
    id = getattr(World, name)
    post = world.post(id)

    assert len(id) == 19
    assert post is not None
    assert post.id == id
    assert int(id) >> 32 == post.created_s


@pytest.mark.parametrize(
    "id", [World.MISSING, "", "1", "abc", "7" * 19, "7" * 40, "７" * 19, str(int(World.VIDEO) + 1)]
)
def test_other_ids_are_nobodys(world: World, id: str) -> None:
    """Neighbours of an id, other digits and other lengths find nothing."""
    assert world.post(id) is None


def test_ids_do_not_depend_on_the_seed_and_names_do() -> None:
    """Two worlds share their ids but not their people."""
    one, other = World(1), World(2)

    assert {account.sec_uid for account in one._accounts.values()} == {
        a.sec_uid for a in other._accounts.values()
    }
    assert [post.text for post in _all(one, 63)] != [post.text for post in _all(other, 63)]
    assert [post.text for post in _all(one, 63)] == [post.text for post in _all(World(1), 63)]


@pytest.mark.parametrize("posts", [0, 1, 63, 200, 2_000, 20_000])
def test_accounts_have_their_number_of_posts_with_ids_of_their_own(world: World, posts: int) -> None:
    """Every post has another id and they fall in time without a tie in milliseconds."""
    account = _account(world, posts)
    times = [account.created_ms(index) for index in range(posts)]

    assert account.declared == posts
    assert len({post_id(account, index) for index in range(posts)}) == posts
    assert times == sorted(times, reverse=True)
    assert len(set(times)) == posts


@pytest.mark.slow
def test_a_large_account_costs_no_memory(world: World) -> None:
    """Walking its last 5,000 posts holds one of them at a time."""
    account = _account(world, 20_000)
    tracemalloc.start()
    count = sum(1 for _ in world.posts(account, account.created_ms(15_000)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 4_998
    assert peak < 500_000


def test_two_posts_share_second_and_text(world: World) -> None:
    """The twins differ in their id only."""
    for first, second in (World.TWINS, (_all(world, 63)[7].id, _all(world, 63)[8].id)):
        one, other = world.post(first), world.post(second)

        assert one is not None
        assert other is not None
        assert (one.created_s, one.text) == (other.created_s, other.text)
        assert one.id != other.id


def test_the_account_of_200_has_about_460_files_and_350_mb(world: World) -> None:
    """What the bench downloads: best gear of each video, pictures with clips and sound, texts."""
    shown = [post for post in _all(world, 200) if not post.hidden]
    files = sum(_files(post) for post in shown)
    size = sum(_size(post) for post in shown)

    assert 430 <= files <= 490
    assert 330e6 <= size <= 370e6


def _files(post: Published) -> int:
    if post.kind == "video":
        return 1
    clips = sum(1 for picture in post.pictures if picture.clip)
    return len(post.pictures) + clips + bool(post.track.size) + (post.kind in ("article", "note"))


def _size(post: Published) -> int:
    if post.kind == "video":
        return max(post.gears, key=lambda gear: gear.width).size
    return post.track.size + sum(page.size + sum(gear.size for gear in page.clip) for page in post.pictures)


def test_the_account_of_200_has_every_kind_and_oddity(world: World) -> None:
    """Kinds, pinned, hidden, co-authors and mixes all occur."""
    posts = _all(world, 200)

    assert {post.kind for post in posts} == {"video", "images", "live_photo", "slides", "article", "note"}
    assert sum(post.pinned for post in posts) == 3
    assert sum(post.hidden for post in posts) == 4
    assert any(post.co_authors for post in posts)
    assert any(world.mix_of(post) for post in posts)


def test_hostile_texts_cover_the_known_tricks(world: World) -> None:
    """Paths, device names, bidi and control characters, templates, long CJK, equal and folding names."""
    texts = [post.text for post in _all(world, 2_000)]

    assert max(map(len, texts)) >= 300
    assert texts.count("同名") > 1
    for trick in (
        "..",
        "",
        "CON",
        "nul.mp4",
        "\u202e",
        "\x00",
        "{0.__class__}",
        "Straße",
        "e\u0301",
        "👨‍👩‍👧‍👦",
        "../../",
    ):
        assert any(trick in text for text in texts), trick


def test_pictures_account_is_a_thousand_files_of_40_kb(world: World) -> None:
    """Fifty posts of twenty pictures without sound."""
    account = world.account(World.PICTURES)
    assert account is not None
    posts = list(world.posts(account))

    assert sum(_files(post) for post in posts) == 1_000
    assert {page.size for post in posts for page in post.pictures} == {40_000}


def test_small_and_big_post(world: World) -> None:
    """One file of 0.3 MB, one of 500 MB."""
    small, big = world.post(World.SMALL), world.post(World.BIG)

    assert small is not None
    assert [gear.size for gear in small.gears] == [300_000]
    assert big is not None
    assert [gear.size for gear in big.gears] == [500_000_000]


def test_short_links_lead_back(world: World) -> None:
    """Posts, accounts and mixes have a code; the share text carries it."""
    for kind, id in (("post", World.VIDEO), ("user", World.ACCOUNTS[63]), ("mix", World.MIX)):
        code = world.short_link(kind, id).rstrip("/").rpartition("/")[2]  # type: ignore[arg-type]

        assert 6 <= len(code) <= 12
        assert World().behind(code) == (kind, id)
    assert world.short_link("post", World.VIDEO) in world.share_text(World.VIDEO)


def test_a_mix_counts_its_episodes_from_the_oldest(world: World) -> None:
    """Episode 1 was published first."""
    mix = world.mix(World.MIX)
    assert mix is not None
    posts = [world.at(mix.account, place) for place in mix.places]

    assert len(posts) == 32
    assert [mix.episode(post.index) for post in posts] == list(range(1, 33))
    assert posts[0].created_s < posts[-1].created_s


def test_nobody_has_no_account(world: World) -> None:
    """A well-formed id alone makes no person."""
    assert sec_uid(999) == World.NOBODY
    assert world.account(World.NOBODY) is None
