"""TikTok's posts on their way to the disk: the cookie of media, subtitles, what a refused list leaves behind."""

from __future__ import annotations

import re

import pytest

from dyvine_cli import cookies
from dyvine_cli.captions import srt
from dyvine_cli.cli.settings import selection_of
from dyvine_cli.errors import SignatureRejected
from dyvine_cli.events import Cut, Event, Failed, Saved, Skipped, Waiting, Warned
from dyvine_cli.models import Listing, Mix, Post, User
from dyvine_cli.operations import inform, login, selection
from dyvine_cli.operations.asked import Asked
from dyvine_cli.simulator.content import content
from dyvine_cli.simulator.tiktok_guest import login_header
from dyvine_cli.simulator.tiktok_world import TIKTOK, TiktokWorld

from .conftest import Person

pytestmark = pytest.mark.anyio

MANY = f"@{TiktokWorld.ACCOUNTS[348]}"
TWELVE = f"@{TiktokWorld.ACCOUNTS[12]}"


def post(id: str) -> str:
    """A post as a person may name it."""
    return f"tiktok:post:{id}"


async def test_a_video_and_photos_are_saved(person: Person) -> None:
    """The video, nine pictures in their order and their sound; no host got a cookie that is not its own."""
    outcome = await person.get(post(TiktokWorld.VIDEO), post(TiktokWorld.PHOTO))
    names = [path.name for path in person.files()]

    assert outcome.code == 0
    assert sum(name.endswith(".mp4") for name in names) == 1
    assert [f"_{number:02}.jpg" in "".join(names) for number in range(1, 10)] == [True] * 9
    assert sum("_sound" in name for name in names) == 1
    assert person.platform.leaks == []


async def test_no_secret_leaves_for_media(person: Person) -> None:
    """Of all cookies only tt_chain_token reaches a media host, and only those of tiktok.com."""
    await person.get(
        post(TiktokWorld.VIDEO), post(TiktokWorld.PHOTO), post(TiktokWorld.SUBTITLES), write_subs=True
    )
    media = [each for each in person.platform.requests if each.kind]
    with_cookie = {each.host for each in media if "cookie" in each.headers}

    assert with_cookie
    assert all(host.endswith(".tiktok.com") for host in with_cookie)
    assert person.platform.leaks == []


async def test_subtitles_in_both_forms(person: Person) -> None:
    """`--write-subs` keeps what the platform has: WebVTT and SRT, by language."""
    outcome = await person.get(post(TiktokWorld.SUBTITLES), write_subs=True)
    found = {path.name.rpartition("_sub.")[2] for path in person.files() if "_sub." in path.name}

    assert outcome.code == 0
    assert found == {"eng-US.vtt", "spa-ES.vtt", "fra-FR.srt"}


async def test_expired_links_are_renewed(person: Person) -> None:
    """A page that is asked again brings addresses for the cookie that came with it."""
    person.platform.faults.set("expired-link", count=1)
    outcome = await person.get(post(TiktokWorld.SMALL))

    assert outcome.code == 0
    assert len(person.files()) == 1


def kept(person: Person) -> dict[str, str]:
    """The subtitles in the person's folder, by language and form."""
    found = [path for path in person.files() if "_sub." in path.name]
    return {path.name.rpartition("_sub.")[2]: path.read_text("utf-8") for path in found}


async def test_subtitles_in_the_form_that_players_read(person: Person) -> None:
    """`--convert-subs srt`: WebVTT becomes SubRip, also where it was saved as WebVTT before; a second run changes nothing."""
    await person.get(post(TiktokWorld.SUBTITLES), write_subs=True)
    served = kept(person)
    first = await person.get(post(TiktokWorld.SUBTITLES), write_subs=True, convert_subs="srt")
    again = await person.get(post(TiktokWorld.SUBTITLES), write_subs=True, convert_subs="srt")

    assert first.code == again.code == 0
    assert kept(person) == {
        "eng-US.srt": srt(served["eng-US.vtt"]),
        "spa-ES.srt": srt(served["spa-ES.vtt"]),
        "fra-FR.srt": served["fra-FR.srt"],
    }
    assert len(first.of(Saved)) == 2
    assert again.of(Saved) == []


async def test_subtitles_that_are_a_persons_own_stay(person: Person) -> None:
    """What stands under the name is left alone, and the platform's file beside it."""
    simulated = await person.get(
        post(TiktokWorld.SUBTITLES), write_subs=True, convert_subs="srt", simulate=True
    )
    own = next(each.path for each in simulated.of(Skipped) if each.asset == "subtitle.eng-US")
    assert own is not None
    own.parent.mkdir(parents=True)
    own.write_text("mine", "utf-8")
    outcome = await person.get(post(TiktokWorld.SUBTITLES), write_subs=True, convert_subs="srt")

    assert outcome.code == 0
    assert own.suffix == ".srt"
    assert own.read_text("utf-8") == "mine"
    assert own.with_suffix(".vtt").exists()
    assert "not ours" in str(outcome.of(Warned)[0].message)


@pytest.mark.parametrize("fault", ["changed-etag", "changed-size", "short-file"])
async def test_another_file_than_promised_is_not_kept(person: Person, fault: str) -> None:
    """Its length is as promised, its MD5 is not, or its length is not: the next mirror is asked, and has the true one."""
    person.platform.faults.set(fault, count=1)
    outcome = await person.get(post(TiktokWorld.SMALL))
    (path,) = person.files()

    assert outcome.code == 0
    assert path.read_bytes() == video(TiktokWorld.SMALL)
    assert len({each.host for each in person.platform.requests if each.kind}) == 2


async def test_a_file_that_is_never_as_promised_fails(person: Person) -> None:
    """Nothing stands under its name."""
    person.platform.faults.set("changed-etag")
    outcome = await person.get(post(TiktokWorld.SMALL))

    assert outcome.code == 9
    assert [path for path in person.files() if path.suffix == ".mp4"] == []


@pytest.mark.parametrize(
    ("wish", "fault", "expected"),
    [
        ({}, None, ("h265", 1080)),
        ({"codec": "h264"}, None, ("h264", 720)),
        ({"max_height": 720}, None, ("h265", 720)),
        ({"quality": "576", "codec": "h264"}, None, ("h264", 576)),
        ({}, "ladder-short", ("h265", 720)),
        ({}, "media-video", ("h265", 720)),
    ],
    ids=["best", "h264", "720p", "576p in h264", "a short ladder", "the best has no sound"],
)
async def test_the_ladder_is_chosen_from(
    person: Person, wish: dict[str, object], fault: str | None, expected: tuple[str, int]
) -> None:
    """Codec and pixels as wished for; what is left where a rung is missing or silent."""
    if fault:
        person.platform.faults.set(fault)
    outcome = await person.get(post(TiktokWorld.VIDEO), simulate=True, **wish)
    (found,) = [each.rendition for each in outcome.of(Skipped) if each.rendition]

    assert outcome.code == 0
    assert (found.codec, min(found.width or 0, found.height or 0)) == expected
    assert found.size_is_exact
    assert found.md5_is_exact


async def test_a_whole_small_account(person: Person) -> None:
    """Posts that the embed page shows in part are asked for whole: photo posts have all their pictures."""
    outcome = await person.get(TWELVE)

    assert outcome.code == 0
    assert (outcome.balance.listed, outcome.balance.declared) == (12, 12)
    assert outcome.balance.complete
    assert any("_07." in path.name for path in person.files())


@pytest.mark.slow
async def test_a_refused_list_saves_what_came_and_goes_on_later(person: Person) -> None:
    """Exit 7 at once, because pages are asked on without a pause; nothing of the list itself came, so the next run begins at its top, saves the rest and is complete."""
    person.platform.faults.set("signed-closed")
    first = await person.get(MANY, quality="worst")
    (cut,) = first.of(Cut)
    assert cut.ref is not None
    async with person.at_work() as workspace:
        place = await workspace.archive.cursor(cut.ref, None)
    person.platform.faults.clear()
    second = await person.get(MANY, quality="worst")
    third = await person.get(MANY, quality="worst")

    assert first.code == 7
    assert str(cut.error).startswith("listed 10 of 348: TikTok refused the rest")
    assert first.balance.saved == first.balance.listed == 10
    assert first.of(Waiting) == []
    assert place is None
    assert second.code == 0
    assert (second.balance.listed, second.balance.saved, second.balance.known) == (348, 338, 10)
    assert second.balance.complete
    assert third.of(Saved) == []


async def test_refused_lists_do_not_end_the_run(person: Person) -> None:
    """Each account's newest posts come; its list is waited for twice, then told to be closed without waiting."""
    person.platform.faults.set("signed-closed")
    named = [
        f"@{TiktokWorld.ACCOUNTS[200]}",
        MANY,
        f"@{TiktokWorld.HOSTILE_ACCOUNT}",
        f"@{TiktokWorld.SAMPLES}",
    ]
    outcome = await person.get(*named, simulate=True)
    waits = [each for each in outcome.of(Waiting) if not each.routine]

    assert outcome.code == 7
    assert [each.listed for each in outcome.summary.balances] == [11, 10, 12, 10]
    assert [round(each.seconds, -1) for each in waits] == [60, 120]
    assert "refused signed list calls to the profile 'guest' 3 times" in str(outcome.of(Cut)[-1].error)


async def test_a_list_goes_on_with_the_next_login(person: Person) -> None:
    """A login whose lists are closed for long passes the turn on, and its pages would still be served."""
    jar = cookies.read(login_header(person.platform.clock()), site="tiktok")
    events: list[Event] = []
    async with person.at_work(site="tiktok") as workspace:
        for name in ("a", "b"):
            await login.add(workspace, jar, site="tiktok", name=name, test=False)
    async with person.at_work(events, profile="a,b", site="tiktok") as workspace:
        client = workspace.client
        first = client.profile("tiktok").name
        for _ in range(3):
            client.budget("tiktok").refused("tiktok", first, "signed_list", SignatureRejected("no"))
        found = [each async for each in client.posts(f"@{TiktokWorld.ACCOUNTS[200]}")]

    assert len(found) == 200
    assert client.profile("tiktok").name != first
    assert [each.message for each in events if isinstance(each, Warned)] == [
        "tiktok wants no more calls of the profile 'a'; going on as 'b'"
    ]


# --- other lists of an account ------------------------------------------------------------------------------------------


@pytest.fixture
def follower(person: Person) -> Person:
    """Someone who is logged in at TikTok."""
    jar = person.home / "jar"
    jar.write_text(login_header(person.platform.clock()), encoding="utf-8")
    person.env["DYVINE_COOKIES"] = str(jar)
    return person


@pytest.mark.parametrize(
    ("account", "what", "count"),
    [
        (TiktokWorld.LIKES_ACCOUNT, "likes", 45),
        (TiktokWorld.LIKES_ACCOUNT, "reposts", 40),
        (TiktokWorld.SELF, "likes", 33),
        (TiktokWorld.SELF, "favorites", 37),
    ],
    ids=["open likes", "reposts", "own likes", "own saved posts"],
)
async def test_lists_of_others_posts(follower: Person, account: str, what: Listing, count: int) -> None:
    """What an account likes, passes on and saved; its own hidden lists are there for a login."""
    outcome = await follower.get(f"@{account}", noun="user", what=what, simulate=True, site="tiktok")

    assert outcome.code == 0
    assert outcome.balance.listed == count


@pytest.mark.parametrize(
    ("account", "what", "code", "told"),
    [
        (TiktokWorld.LIKES_ACCOUNT, "favorites", 5, "only .* sees the posts that they saved"),
        (TiktokWorld.LIKES_HIDDEN_ACCOUNT, "likes", 5, "hides the posts they like"),
        (TiktokWorld.SELF, "history", 2, "history of a user cannot be listed"),
    ],
)
async def test_lists_that_are_not_ours_are_told(
    follower: Person, account: str, what: Listing, code: int, told: str
) -> None:
    """Another's saved posts and hidden likes are theirs; nothing is asked of the list."""
    outcome = await follower.get(f"@{account}", noun="user", what=what, site="tiktok")
    (failed,) = outcome.of(Failed)

    assert outcome.code == code
    assert re.search(told, str(failed.error))
    assert failed.error.hint
    assert not follower.calls("/api/")


async def test_a_guest_is_asked_to_log_in_for_saved_posts(person: Person) -> None:
    """Exit 4, with the command that adds a login."""
    outcome = await person.get(f"@{TiktokWorld.SELF}", noun="user", what="favorites")
    (failed,) = outcome.of(Failed)

    assert outcome.code == 4
    assert "dyvine login add FILE --site tiktok" in str(failed.error.hint)


def video(id: str) -> bytes:
    """The best encoding of a video of the invented people."""
    found = TIKTOK.post(id)
    assert found is not None
    best = max(found.gears, key=lambda gear: (gear.width, gear.size))
    made = content(best.codec, best.size, best.seed)
    return made.read(0, made.size)


# --- what is shown is what would be saved -------------------------------------------------------------------------------


async def shown(person: Person, account: str, **flags: object) -> tuple[int, list[Post], list[Event]]:
    """Status, posts and events of a listing that is shown, as by -j, -g and -F."""
    found: list[Post | User | Mix] = []
    events: list[Event] = []
    wish = selection_of(person.settings(**flags))
    async with person.at_work(events, **flags) as workspace:
        code = await inform.posts(workspace, [Asked(account)], "user", wish, found.append, events.append)
    return code, [each for each in found if isinstance(each, Post)], events


def files_of(posts: list[Post]) -> int:
    """How many files a download of these posts would bring."""
    wish = selection.Selection()
    return sum(len([each for each in selection.assets(post, wish) if each.renditions]) for post in posts)


@pytest.mark.parametrize(("count", "files", "calls"), [(12, 26, 14), (200, 340, 9)])
async def test_a_shown_account_names_every_file(person: Person, count: int, files: int, calls: int) -> None:
    """Posts come with all their pictures and encodings: from their pages where no list is needed, else from the list."""
    code, posts, _ = await shown(person, f"@{TiktokWorld.ACCOUNTS[count]}")
    labels = {each.label for post in posts for asset in post.assets for each in asset.renditions}

    assert (code, len(posts), files_of(posts)) == (0, count, files)
    assert not [post for post in posts if post.partial]
    assert "embed" not in labels
    assert len(person.calls()) == calls


async def test_a_few_of_the_newest_need_no_signature(person: Person) -> None:
    """`--limit 3` is served by the embed page and three pages of posts."""
    code, posts, _ = await shown(person, MANY, limit=3)

    assert (code, len(posts), files_of(posts)) == (0, 3, 3)
    assert not person.calls("/api/")
    assert len(person.calls("/video/")) == 3


async def test_what_a_refused_list_leaves_is_shown_whole(person: Person) -> None:
    """Ten posts by their pages, then the cut; one that cannot be had is told and the others are shown."""
    person.platform.faults.set("signed-closed")
    person.platform.faults.set("page-other-item", count=1, where="/video/")
    person.platform.faults.set("api-empty", where="/api/item/")
    code, posts, events = await shown(person, MANY)
    (failed,) = [each for each in events if isinstance(each, Failed)]
    (cut,) = [each for each in events if isinstance(each, Cut)]

    assert code == 7
    assert len(posts) == 9
    assert not [post for post in posts if post.partial]
    assert failed.ref not in [post.ref for post in posts]
    assert str(cut.error).startswith("listed 10 of 348: TikTok refused the rest")
