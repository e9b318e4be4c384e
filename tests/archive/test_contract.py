"""What every archive promises; an implementation joins by a row in OPENERS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dyvine_cli.archive.base import (
    Archive,
    CheckedSource,
    CompletePost,
    GonePost,
    ListedSource,
    SavedAsset,
    StoredCursor,
)
from dyvine_cli.archive.holdings import (
    Counts,
    DamagedAsset,
    FileFilter,
    IgnoredPost,
    KnownName,
    Tally,
    Verification,
)
from dyvine_cli.archive.sqlite import SqliteArchive
from dyvine_cli.models import Author, Cursor, Ref

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
POST = Ref("douyin", "post", "7372484719365098803")
OTHER = Ref("tiktok", "post", "7372484719365098803")
USER = Ref("douyin", "user", "MS4wLjABAAAAxyz")

OPENERS: dict[str, Callable[[Path, Callable[[], datetime]], Archive]] = {
    "sqlite": lambda folder, clock: SqliteArchive.open(folder / "archive.sqlite", clock=clock),
    "in memory": lambda folder, clock: SqliteArchive.in_memory(clock=clock),
}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The archive's clock."""
    return Clock()


@pytest.fixture(params=OPENERS)
async def archive(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[Archive]:
    """Each kind of archive, empty."""
    archive = OPENERS[request.param](tmp_path, clock)
    yield archive
    await archive.aclose()


def saved(
    asset: str = "video", ref: Ref = POST, name: str = "2026_a.mp4", folder: str = "/v/a_1"
) -> SavedAsset:
    """A saved file as an operation hands it over."""
    return SavedAsset(
        ref=ref,
        asset=asset,
        user="MS4wA",
        path=Path(folder, name),
        size=1000,
        sha256="ab" * 32,
        saved=NOW,
        codec="h264",
        width=1080,
        height=1920,
    )


async def test_saved_file_comes_back_as_it_was_given(archive: Archive) -> None:
    """Every field survives the way in and out."""
    row = saved()
    await archive.add_saved([row])

    assert await archive.saved(POST, "video") == row


async def test_unknown_file_is_none(archive: Archive) -> None:
    """A file that was never saved is no error."""
    await archive.add_saved([saved()])

    assert await archive.saved(POST, "cover") is None
    assert await archive.saved(OTHER, "video") is None
    assert await archive.saved_assets(OTHER) == {}


async def test_files_of_a_post_come_together(archive: Archive) -> None:
    """Names of one stem, of another folder and of no likeness all come back whole."""
    rows = [
        saved("picture_01", name="2026_标题_01.jpg"),
        saved("picture_02", name="2026_标题_02.jpg"),
        saved("clip_02", name="2026_标题_02.mp4"),
        saved("sound", name="2026_标题", folder="/elsewhere"),
        saved("cover", name="x"),
        replace(saved("text", name="2026_标题.md"), codec=None, width=None, height=None),
    ]
    await archive.add_saved(rows[:2])
    await archive.add_saved(rows[2:])

    assert await archive.saved_assets(POST) == {row.asset: row for row in rows}


async def test_same_post_id_on_two_sites_is_two_posts(archive: Archive) -> None:
    """The site is part of the key."""
    await archive.add_saved([saved(), saved(ref=OTHER, name="b.mp4")])
    found = await archive.saved(OTHER, "video")

    assert found is not None
    assert found.path.name == "b.mp4"


async def test_saving_again_replaces(archive: Archive) -> None:
    """An overwritten file has its new path, size and hash."""
    await archive.add_saved([saved(), saved("cover", name="2026_a_cover.jpg")])
    again = replace(saved(name="2026_b.mp4", folder="/w"), size=7, sha256="cd" * 32, codec="h265")
    await archive.add_saved([again])

    assert await archive.saved(POST, "video") == again
    assert await archive.saved(POST, "cover") == saved("cover", name="2026_a_cover.jpg")


async def test_impossible_pixel_counts_are_forgotten(archive: Archive) -> None:
    """A width of 2^63 from the platform does not stop the row."""
    await archive.add_saved([replace(saved(), width=2**63, height=-1)])
    found = await archive.saved(POST, "video")

    assert found is not None
    assert (found.width, found.height) == (None, None)


async def test_user_ids_that_differ_by_case_are_two_users(archive: Archive) -> None:
    """Stable ids are compared byte by byte."""
    await archive.add_saved([saved(), replace(saved(ref=OTHER), ref=replace(POST, id="1"), user="MS4wa")])

    assert [tally.user for tally in await archive.stats()] == ["MS4wA", "MS4wa"]


async def test_post_is_known_only_when_complete(archive: Archive) -> None:
    """Saved files alone do not make a post complete."""
    await archive.add_saved([saved()])
    before = await archive.knows(POST)
    await archive.add_posts([CompletePost(ref=POST, user="MS4wA", created=NOW, completed=NOW)])

    assert not before
    assert await archive.knows(POST)
    assert await archive.known([POST, OTHER]) == {POST}


async def test_the_time_of_completion_is_on_record(archive: Archive) -> None:
    """Only complete posts have one."""
    await archive.add_saved([saved(), saved(ref=OTHER)])
    await archive.add_posts([CompletePost(ref=POST, user="MS4wA", created=NOW, completed=NOW)])

    assert await archive.completed([POST, OTHER]) == {POST: NOW}


async def test_failures_of_what_is_not_wanted_are_dropped(archive: Archive) -> None:
    """Only those of the posts that are named, and twice is not too often."""
    await archive.add_failed(POST, "video", "Timeout", "")
    await archive.add_failed(OTHER, None, "Timeout", "")
    await archive.drop_failed([POST])
    await archive.drop_failed([POST])

    assert [item.ref for item in await archive.failures()] == [OTHER]


async def test_post_may_be_completed_before_its_files_are_recorded(archive: Archive) -> None:
    """The order of the two calls does not matter, and both may be repeated."""
    complete = CompletePost(ref=POST, user="MS4wA", created=NOW, completed=NOW)
    await archive.add_posts([complete, complete])
    await archive.add_saved([saved()])
    await archive.add_saved([saved()])

    assert await archive.knows(POST)
    assert await archive.saved(POST, "video") == saved()


async def test_failures_are_counted_with_their_last_cause(archive: Archive, clock: Clock) -> None:
    """Attempts add up, the first time stays, cause and next try are the last ones."""
    await archive.add_failed(POST, "video", "Timeout", "too slow")
    clock.now += timedelta(hours=1)
    later = clock.now + timedelta(hours=6)
    await archive.add_failed(POST, "video", "Truncated", "half a file", next_try=later)
    await archive.add_failed(POST, None, "Deleted", "gone")
    found = await archive.failed(POST)

    assert set(found) == {"video", None}
    video = found["video"]
    assert (video.error, video.message, video.attempts) == ("Truncated", "half a file", 2)
    assert (video.first, video.last, video.next_try) == (NOW, clock.now, later)
    assert found[None].next_try is None


async def test_saving_forgets_the_failure_of_that_file_only(archive: Archive) -> None:
    """What is saved has not failed any more."""
    await archive.add_failed(POST, "video", "Timeout", "")
    await archive.add_failed(POST, "cover", "Timeout", "")
    await archive.add_saved([saved()])

    assert set(await archive.failed(POST)) == {"cover"}


async def test_completing_forgets_all_failures_of_the_post(archive: Archive) -> None:
    """A complete post is out of the list of failures."""
    await archive.add_failed(POST, "cover", "Timeout", "")
    await archive.add_failed(POST, None, "Timeout", "")
    await archive.add_failed(OTHER, None, "Timeout", "")
    await archive.add_posts([CompletePost(ref=POST, user="MS4wA", created=NOW, completed=NOW)])

    assert await archive.failed(POST) == {}
    assert [item.ref for item in await archive.failures()] == [OTHER]
    assert await archive.failures("douyin") == ()


async def test_failures_come_in_parts_in_the_same_order(archive: Archive, clock: Clock) -> None:
    """Oldest first, and however many there are; a reading that is left leaves nothing behind."""
    for number in range(1100):
        clock.now += timedelta(seconds=-1 if number % 3 else 2)
        await archive.add_failed(replace(POST, id=f"{number}"), None, "Timeout", "")
    await archive.add_failed(OTHER, "video", "Timeout", "")
    parts = [part async for part in archive.each_failure()]
    async with aclosing(archive.each_failure("tiktok")) as begun:
        first = await anext(begun)

    assert tuple(row for part in parts for row in part) == await archive.failures()
    assert len(parts) > 1
    assert [row.ref for row in first] == [OTHER]
    await archive.add_failed(OTHER, "cover", "Timeout", "")


async def test_failure_text_with_a_lone_surrogate_is_kept(archive: Archive) -> None:
    """JSON can smuggle in half a character; it becomes a question mark."""
    await archive.add_failed(POST, None, "Deleted", "a\ud83d")

    assert (await archive.failed(POST))[None].message == "a?"


def place(cursor: str = "c1", hours: int = 0, listed: int = 18) -> StoredCursor:
    """A place in the posts of USER, of the listing begun `hours` later."""
    started = NOW + timedelta(hours=hours)
    return StoredCursor(
        ref=USER,
        what="posts",
        cursor=Cursor(cursor),
        started=started,
        kept=NOW,
        listed=listed,
        cause="Timeout",
    )


async def test_cursor_moves_on_with_its_listing(archive: Archive) -> None:
    """One listing has one place, with what came before it."""
    later = replace(place("c2", listed=36), above=NOW - timedelta(days=9))
    await archive.keep_cursor(place("c1"))
    await archive.keep_cursor(later)

    assert await archive.cursor(USER, "posts") == later
    assert await archive.cursors(USER, "posts") == (later,)


async def test_cursor_belongs_to_its_listing(archive: Archive) -> None:
    """Likes and posts, and users of like names, have places of their own."""
    await archive.keep_cursor(place())

    assert await archive.cursor(USER, "likes") is None
    assert await archive.cursor(USER, None) is None
    assert await archive.cursor(replace(USER, id=USER.id.upper()), "posts") is None


async def test_older_cuts_stay_as_gaps(archive: Archive) -> None:
    """A listing that begins anew does not hide the gap that an earlier one left."""
    await archive.keep_cursor(place("old", hours=0))
    await archive.keep_cursor(place("new", hours=5))
    both = await archive.cursors(USER, "posts")
    await archive.drop_cursor(USER, "posts", NOW + timedelta(hours=5))

    assert [kept.cursor for kept in both] == ["new", "old"]
    assert await archive.cursor(USER, "posts") == place("old")


async def test_dropping_without_a_time_drops_all(archive: Archive) -> None:
    """A full listing closes every gap."""
    await archive.keep_cursor(place("old"))
    await archive.keep_cursor(place("new", hours=5))
    await archive.drop_cursor(USER, "posts")
    await archive.drop_cursor(USER, "posts")

    assert await archive.cursors(USER, "posts") == ()


async def test_listing_keeps_the_time_of_the_last_full_one(archive: Archive) -> None:
    """A cut listing does not make us forget when the account was last seen whole."""
    whole = ListedSource(ref=USER, what=None, time=NOW, listed=63, hidden=2, declared=65, full=NOW)
    await archive.add_listed(whole)
    first = await archive.listed(USER, None)
    later = NOW + timedelta(days=1)
    await archive.add_listed(ListedSource(ref=USER, what=None, time=later, listed=20, cause="RateLimited"))

    assert first == whole
    assert await archive.listed(USER, None) == ListedSource(
        ref=USER, what=None, time=later, listed=20, full=NOW, cause="RateLimited"
    )
    assert await archive.listed(USER, "likes") is None


async def test_each_scope_has_its_own_memory_of_a_listing(archive: Archive) -> None:
    """Sources that want different posts of one account do not speak for each other."""
    hand = ListedSource(ref=USER, what=None, time=NOW, listed=63, full=NOW)
    later = NOW + timedelta(days=1)
    source = replace(
        hand, scope="sync kind=note", time=later, filters="kind=note", full=None, cause="Timeout"
    )
    here, there = replace(place("c1"), what=None), replace(place("c2"), what=None, scope="sync kind=note")
    for row, kept in ((hand, here), (source, there)):
        await archive.add_listed(row)
        await archive.keep_cursor(kept)
    before = [await archive.listed(USER, None, each) for each in ("", "sync kind=note", "sync")]
    places = [await archive.cursor(USER, None, each) for each in ("", "sync kind=note", "sync")]
    await archive.drop_cursor(USER, None, scope="sync kind=note")

    assert before == [hand, source, None]
    assert places == [here, there, None]
    assert await archive.listings(USER, None) == (source, hand)
    assert await archive.cursors(USER, None) == (here,)
    assert await archive.cursors(USER, None, "sync kind=note") == ()


@pytest.mark.parametrize("top", [None, (), ("7001", "7002")], ids=["unknown", "empty list", "two"])
async def test_first_posts_of_a_list_are_kept_in_their_order(
    archive: Archive, top: tuple[str, ...] | None
) -> None:
    """An empty list is known to be empty, which is not the same as unknown."""
    await archive.add_listed(ListedSource(ref=USER, what="likes", time=NOW, listed=2, top=top))
    await archive.keep_cursor(replace(place(), what="likes", top=top))
    row, kept = await archive.listed(USER, "likes"), await archive.cursor(USER, "likes")

    assert row is not None
    assert kept is not None
    assert row.top == kept.top == top


async def test_another_scope_takes_over_what_is_remembered(archive: Archive) -> None:
    """Row, places and failures of that listing; what it has already stays, and so do others' failures."""
    likes = Ref("douyin", "user", USER.id, "likes")
    await archive.add_listed(ListedSource(ref=USER, what=None, time=NOW, listed=63, full=NOW))
    await archive.keep_cursor(replace(place(), what=None))
    await archive.add_failed(POST, None, "Timeout", "", source=USER)
    await archive.add_failed(OTHER, None, "Timeout", "", source=likes)
    await archive.keep_listed(USER, None, "sync", like="")
    await archive.drop_cursor(USER, None)
    await archive.add_listed(ListedSource(ref=USER, what=None, time=NOW, listed=1))
    await archive.keep_listed(USER, None, "sync", like="")
    row = await archive.listed(USER, None, "sync")

    assert row == ListedSource(ref=USER, what=None, time=NOW, listed=63, full=NOW, scope="sync")
    assert await archive.cursor(USER, None, "sync") == replace(place(), what=None, scope="sync")
    assert set(await archive.failed(POST, source=USER, scope="sync")) == {None}
    assert await archive.failed(OTHER, source=likes, scope="sync") == {}


async def test_sources_of_one_link_have_checks_of_their_own(archive: Archive) -> None:
    """They are told apart by name; one that is taken out leaves the other's, and what it left when it was alone goes."""
    rows = [replace(CHECK, name=name, new=number) for number, name in enumerate(("", "best", "notes"))]
    for row in rows:
        await archive.add_checked(row)
    before = await archive.checked()
    await archive.drop_checked(CHECK.link, CHECK.what, "best")

    assert before == tuple(rows)
    assert await archive.checked() == (rows[2],)


async def test_account_keeps_its_names_and_folder(archive: Archive) -> None:
    """A rename adds a name; what is not said stays as it was."""
    author = Author(id="MS4wA", uid="42", handle="ann", nickname="Ann")
    later = NOW + timedelta(days=30)
    await archive.add_user("douyin", author, seen=NOW, folder=Path("/v/Ann_42"))
    await archive.add_user("douyin", author, seen=later)
    await archive.add_user("douyin", replace(author, nickname="Bea", uid=""), seen=later)
    found = await archive.user("douyin", "MS4wA")

    assert found is not None
    assert (found.uid, found.folder) == ("42", Path("/v/Ann_42"))
    assert found.names == (
        KnownName(nickname="Ann", handle="ann", since=NOW),
        KnownName(nickname="Bea", handle="ann", since=later),
    )


async def test_account_known_from_a_file_alone_is_none(archive: Archive) -> None:
    """Only `add_user` makes an account known by name."""
    await archive.add_saved([saved()])

    assert await archive.user("douyin", "MS4wA") is None
    assert await archive.user("douyin", "nobody") is None


async def test_stats_count_by_account_and_kind(archive: Archive) -> None:
    """Numbers and languages of assets do not matter; replacing a file does not count it twice."""
    names = ("picture_01", "picture_02", "clip_02", "subtitle.zh", "subtitle.picture_1", "sound")
    await archive.add_saved([saved(name) for name in names])
    await archive.add_saved([replace(saved("sound"), size=5), saved(ref=OTHER)])
    found = {(tally.site, tally.kind): (tally.files, tally.size) for tally in await archive.stats()}

    assert found == {
        ("douyin", "picture"): (2, 2000),
        ("douyin", "clip"): (1, 1000),
        ("douyin", "subtitle"): (2, 2000),
        ("douyin", "sound"): (1, 5),
        ("tiktok", "video"): (1, 1000),
    }


async def test_forgotten_post_may_come_again(archive: Archive) -> None:
    """Nothing of it is left, also not in the counts; others stay."""
    await archive.add_saved([saved(), saved("cover"), saved(ref=OTHER)])
    await archive.add_posts([CompletePost(ref=POST, user="MS4wA", created=NOW, completed=NOW)])
    await archive.add_failed(POST, "sound", "Timeout", "")
    await archive.forget(POST)
    await archive.forget(POST)

    assert await archive.saved_assets(POST) == {}
    assert not await archive.knows(POST)
    assert await archive.failed(POST) == {}
    assert await archive.stats() == (Tally(site="tiktok", user="MS4wA", kind="video", files=1, size=1000),)


async def test_failure_keeps_the_listing_that_brought_the_post(archive: Archive) -> None:
    """Trying a post by itself does not make us forget where it came from; one that was named has no source."""
    likes = Ref("douyin", "user", USER.id, "likes")
    await archive.add_failed(POST, "video", "Timeout", "", source=likes)
    await archive.add_failed(POST, "video", "Timeout", "")
    await archive.add_failed(OTHER, None, "Timeout", "")

    assert {row.ref: row.source for row in await archive.failures()} == {POST: likes, OTHER: None}


async def test_what_failed_is_on_record_for_each_who_waits_for_it(archive: Archive, clock: Clock) -> None:
    """A try counts for all of them; one that wants it no more leaves the others theirs; it counts once."""
    await archive.add_failed(POST, "video", "Timeout", "", source=USER, scope="sync")
    clock.now += timedelta(hours=1)
    await archive.add_failed(POST, "video", "Truncated", "", source=USER, scope="sync kind=video")
    await archive.keep_failed(POST, source=replace(USER, listing="likes"), scope="sync")
    await archive.keep_failed(POST, source=replace(USER, listing="likes"), scope="sync")
    rows = await archive.failures()
    counts = await archive.counts()
    await archive.drop_failed([POST], source=USER, scope="sync")
    left = {(str(row.source), row.scope) for row in await archive.failures()}

    assert {(row.error, row.attempts, row.first) for row in rows} == {("Truncated", 2, NOW)}
    assert (len(rows), counts.failed) == (3, 1)
    assert await archive.failed(POST, source=USER, scope="sync") == {}
    assert left == {(str(USER), "sync kind=video"), (f"{USER}:likes", "sync")}


async def test_completing_leaves_a_file_that_another_source_waits_for(archive: Archive) -> None:
    """Whoever completed the post may not have wanted its cover."""
    await archive.add_failed(POST, "cover", "Timeout", "", source=USER, scope="sync thumbnail")
    await archive.add_failed(POST, None, "Timeout", "", source=USER, scope="sync")
    await archive.add_posts([CompletePost(ref=POST, user="MS4wA", created=NOW, completed=NOW)])

    assert set(await archive.failed(POST)) == {"cover"}


CHECK = CheckedSource(
    link="https://www.douyin.com/user/MS4wLjABAAAAxyz",
    what="likes",
    ref=USER,
    title="Ann: likes",
    began=NOW,
    ended=NOW + timedelta(seconds=4),
    state="failed",
    error="RateLimited",
    message="too often",
    new=1,
    failed=2,
    hidden=3,
    size=4_000_000_000,
    troubles=5,
    next_try=NOW + timedelta(hours=1),
)


async def test_checked_source_comes_back_as_it_was_given(archive: Archive) -> None:
    """Every field survives; a check that began is replaced by how it came out, the other listing stays."""
    begun = replace(CHECK, ref=None, ended=None, error="", next_try=None)
    own = CheckedSource(
        link=CHECK.link, what=None, ref=None, title="", began=NOW - timedelta(days=1), ended=None, state=""
    )
    await archive.add_checked(begun)
    first = await archive.checked()
    for row in (CHECK, own):
        await archive.add_checked(row)
    both = await archive.checked()
    await archive.drop_checked(CHECK.link, "likes")
    await archive.drop_checked(CHECK.link, "likes")

    assert first == (begun,)
    assert both == (own, CHECK)
    assert await archive.checked() == (own,)


async def test_gone_post_keeps_the_time_it_was_noticed(archive: Archive) -> None:
    """Noticing it again changes nothing, another state has a time of its own, and it may come back."""
    later = NOW + timedelta(days=1)
    await archive.add_gone([GonePost(ref=POST, state="hidden", noticed=NOW)])
    await archive.add_gone([GonePost(ref=POST, state="hidden", noticed=later)])
    same = await archive.gone()
    await archive.add_gone([GonePost(ref=ref, state="deleted", noticed=later) for ref in (POST, OTHER)])
    changed = await archive.gone("douyin")
    await archive.drop_gone([POST, POST])

    assert same == (GonePost(ref=POST, state="hidden", noticed=NOW),)
    assert changed == (GonePost(ref=POST, state="deleted", noticed=later),)
    assert [post.ref for post in await archive.gone()] == [OTHER]


async def test_posts_of_an_account_are_the_complete_ones_that_are_there(archive: Archive) -> None:
    """Neither another account's, nor one half saved, nor one that is gone."""
    refs = [replace(POST, id=id) for id in "1234"]
    times = [NOW - timedelta(days=day) for day in range(4)]
    await archive.add_posts(
        [
            CompletePost(ref=ref, user=user, created=time, completed=NOW)
            for ref, time, user in zip(refs, times, ["a", "a", "a", "b"], strict=True)
        ]
    )
    await archive.add_saved([replace(saved(ref=replace(POST, id="5")), user="a")])
    await archive.add_gone([GonePost(ref=refs[1], state="deleted", noticed=NOW)])

    assert await archive.posts_of("douyin", "a") == {refs[0]: times[0], refs[2]: times[2]}
    assert await archive.posts_of("tiktok", "a") == {}


async def test_ignored_post_is_not_known_and_has_not_failed(archive: Archive, clock: Clock) -> None:
    """The decision stands apart from what is saved, keeps its first time, and `forget` takes it back."""
    await archive.add_failed(POST, None, "Timeout", "")
    await archive.ignore([POST, OTHER])
    clock.now += timedelta(days=1)
    await archive.ignore([POST])
    all_of_them = await archive.ignored_posts()
    found = await archive.ignored([POST, USER])
    knows, failures = await archive.knows(POST), await archive.failures()
    await archive.forget(POST)

    assert all_of_them == (IgnoredPost(ref=POST, since=NOW), IgnoredPost(ref=OTHER, since=NOW))
    assert found == {POST}
    assert (knows, failures) == (False, ())
    assert await archive.ignored([POST, OTHER]) == {OTHER}
    assert await archive.ignored_posts("douyin") == ()


FILES = [
    replace(saved(asset, ref=Ref(site, "post", id), name=f"{id}_{asset}.x"), user=user)
    for site, id, user in [
        ("douyin", "1", "a"),
        ("douyin", "2", "b"),
        ("douyin", "3", "a"),
        ("tiktok", "1", "a"),
    ]
    for asset in ("picture_01", "picture_02", "subtitle.zh_1", "video")
]


@pytest.fixture
async def full(archive: Archive) -> Archive:
    """An archive with FILES; the posts of site douyin are complete, each a day younger than the one before."""
    await archive.add_saved(FILES)
    await archive.add_posts(
        [
            CompletePost(
                ref=Ref("douyin", "post", id), user=user, created=NOW + timedelta(days=int(id)), completed=NOW
            )
            for id, user in [("1", "a"), ("2", "b"), ("3", "a")]
        ]
    )
    return archive


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param(FileFilter(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], id="all"),
        pytest.param(FileFilter(site="tiktok"), [12, 13, 14, 15], id="site"),
        pytest.param(FileFilter(post=Ref("douyin", "post", "2")), [4, 5, 6, 7], id="post"),
        pytest.param(FileFilter(user=Ref("douyin", "user", "a")), [0, 1, 2, 3, 8, 9, 10, 11], id="account"),
        pytest.param(FileFilter(user=Ref("douyin", "user", "A")), [], id="account by its exact id"),
        pytest.param(FileFilter(kinds=("video", "subtitle")), [2, 3, 6, 7, 10, 11, 14, 15], id="kinds"),
        pytest.param(
            FileFilter(since=NOW + timedelta(days=2), until=NOW + timedelta(days=3)), [4, 5, 6, 7], id="dates"
        ),
        pytest.param(
            FileFilter(user=Ref("douyin", "user", "a"), kinds=("video",), since=NOW + timedelta(days=2)),
            [11],
            id="together",
        ),
    ],
)
async def test_files_come_in_pages_by_key(full: Archive, wanted: FileFilter, expected: list[int]) -> None:
    """Each filter leaves its files, whole and in order, also across the borders of pages."""
    found = list(await full.files(wanted, limit=3))
    while (
        page := await full.files(
            wanted, after=(found[-1].saved.ref.site, found[-1].saved.ref.id, found[-1].saved.asset), limit=3
        )
        if found
        else ()
    ):
        found += page

    assert [FILES.index(row.saved) for row in found] == expected


async def test_files_tell_when_their_post_was_published(full: Archive) -> None:
    """It is on record once the post is complete."""
    found = await full.files(FileFilter(kinds=("video",)))

    assert [row.created for row in found] == [*(NOW + timedelta(days=day) for day in (1, 2, 3)), None]


async def test_damage_stays_on_record_until_the_file_is_whole(full: Archive) -> None:
    """Saved again, found whole or forgotten, it is off; noticed again, it keeps its time."""
    later = NOW + timedelta(days=1)
    rows = [
        DamagedAsset(ref=Ref("douyin", "post", id), asset="video", state="size", noticed=NOW) for id in "123"
    ]
    await full.add_damaged([*rows, DamagedAsset(ref=OTHER, asset="video", state="missing", noticed=NOW)])
    await full.add_damaged([replace(rows[0], noticed=later), replace(rows[1], state="hash", noticed=later)])
    before = await full.damaged("douyin")
    await full.add_saved([FILES[3]])
    await full.drop_damaged([("douyin", "2", "video")])
    await full.forget(OTHER)

    assert before == (rows[0], replace(rows[1], state="hash", noticed=later), rows[2])
    assert await full.damaged() == (rows[2],)


async def test_damage_is_read_in_parts_and_asked_by_key(full: Archive) -> None:
    """So nobody has to hold all of it."""
    refs = [Ref("douyin", "post", id) for id in "123"] + [OTHER]
    rows = tuple(DamagedAsset(ref=ref, asset="video", state="missing", noticed=NOW) for ref in refs)
    await full.add_damaged(rows)
    first = await full.damaged(limit=2)
    rest = await full.damaged("douyin", after=("douyin", "2", "video"), limit=2)

    assert first == rows[:2]
    assert rest == rows[2:3]
    assert await full.known_damaged([("douyin", "2", "video"), ("douyin", "2", "cover")]) == {
        ("douyin", "2", "video")
    }


async def test_stories_are_counted(full: Archive) -> None:
    """By site, or all of them."""
    await full.add_failed(POST, "video", "Timeout", "slow")
    await full.add_gone([GonePost(ref=ref, state="deleted", noticed=NOW) for ref in (POST, OTHER)])
    await full.ignore([OTHER])
    await full.add_damaged([DamagedAsset(ref=POST, asset="video", state="size", noticed=NOW)])

    assert await full.counts() == Counts(failed=1, gone=2, ignored=1, damaged=1)
    assert await full.counts("tiktok") == Counts(failed=0, gone=1, ignored=1, damaged=0)


async def test_sample_is_spread_over_what_is_meant(archive: Archive) -> None:
    """All files where there are few; else about as many as asked for, from the first to the last."""
    refs = [Ref("douyin", "post", f"{number:05}") for number in range(2000)]
    await archive.add_saved([saved(ref=ref) for ref in refs])
    some = await archive.sample(FileFilter(), 200)

    assert len(await archive.sample(FileFilter(), 2000)) == 2000
    assert await archive.sample(FileFilter(site="tiktok"), 200) == ()
    assert 100 < len(some) < 400
    assert (some[0].ref.id < "00300", some[-1].ref.id > "01700") == (True, True)


async def test_verification_goes_on_where_it_stood(archive: Archive) -> None:
    """One place for each set of files, moved on and dropped."""
    place = Verification(scope="", last=("douyin", "1", "video"), began=NOW, files=3, size=5_000_000_000)
    moved = replace(place, last=("tiktok", "1", "video"), files=9)
    await archive.keep_verification(place)
    await archive.keep_verification(moved)
    found = [await archive.verification(scope) for scope in ("", "--site tiktok")]
    await archive.drop_verification("")

    assert found == [moved, None]
    assert await archive.verification("") is None


async def test_stats_tell_the_latest_name(archive: Archive) -> None:
    """An account is told by the name it has now; one that was never met has none."""
    author = Author(id="MS4wA", uid="42", handle="ann", nickname="Ann")
    for row in (saved(), saved(ref=OTHER)):
        await archive.add_saved([row])
    for nickname in ("Ann", "Bea"):
        await archive.add_user("douyin", replace(author, nickname=nickname), seen=NOW)

    assert [(tally.site, tally.name) for tally in await archive.stats()] == [
        ("douyin", "Bea"),
        ("tiktok", ""),
    ]


async def test_rows_are_added_all_or_none(archive: Archive) -> None:
    """A row that cannot be stored takes the others of its call with it."""
    with pytest.raises(ValueError, match="fromhex"):
        await archive.add_saved([saved(), replace(saved("cover"), sha256="no hash")])

    assert await archive.saved_assets(POST) == {}


async def test_closing_twice_is_allowed(archive: Archive) -> None:
    """The end of a run and an error on the way may both close."""
    await archive.aclose()
    await archive.aclose()
