"""Answers and pages recorded from TikTok in 2025 and 2026, read to the values that stand in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dyvine_cli.errors import Banned, NotFound, RiskControl
from dyvine_cli.models import Asset, Author, Mention, Post, Ref, Statistics, Tag
from dyvine_cli.sidecar import info_json
from dyvine_cli.sites.tiktok import parse
from dyvine_cli.sites.tiktok.device import Device

pytestmark = pytest.mark.recordings

VIDEO = Ref("tiktok", "post", "7524919459643919624")
PHOTO = Ref("tiktok", "post", "7681723633164717325")
SUBTITLES = Ref("tiktok", "post", "7686600539525762318")
VIDEO_HOSTS = ["v16-webapp-prime.tiktok.com", "v19-webapp-prime.tiktok.com", "www.tiktok.com"]

Recorded = Callable[[str], str]


@pytest.fixture
def recorded(recordings: Path) -> Recorded:
    """A recorded page or answer by its file name."""
    return lambda name: (recordings / "samples" / "tiktok" / name).read_text("utf-8")


@pytest.fixture
def scopes(recorded: Recorded) -> Callable[[str], Any]:
    """The scopes of a recorded page by its name."""

    def _scopes(name: str) -> Any:
        found = json.loads(recorded(f"{name}.json"))
        return found.get("__DEFAULT_SCOPE__", found)

    return _scopes


@pytest.fixture
def read(scopes: Callable[[str], Any]) -> Callable[[str, Ref], Post]:
    """The post of a recorded scope, by the way that the client takes."""

    def _read(name: str, ref: Ref) -> Post:
        item = parse.classify_detail(scopes(name)["webapp.video-detail"], ref)
        return parse.ensure_available(parse.post(item, ref=ref))

    return _read


def page(state: object, id: str = "__UNIVERSAL_DATA_FOR_REHYDRATION__") -> str:
    """A page around recorded data."""
    return f'<script id="{id}" type="application/json">{json.dumps(state)}</script>'


def asset(post: Post, id: str) -> Asset:
    """One asset by its id."""
    return next(each for each in post.assets if each.id == id)


def hosts(post: Post, id: str) -> list[str | None]:
    """The hosts of an asset's best rendition, in order."""
    return [urlsplit(url).hostname for url in asset(post, id).renditions[0].mirrors]


def ids(post: Post) -> list[str]:
    """The ids of a post's assets, in order."""
    return [each.id for each in post.assets]


def test_the_recorded_page_of_a_video(recorded: Recorded) -> None:
    """Half a megabyte of page: four gears, two subtitles, the music, all with their signed addresses."""
    html = recorded("page_video_hydration_2025-08.html")
    post = parse.post(parse.item_of_page(html, VIDEO))
    renditions = asset(post, "video").renditions
    best = renditions[0]

    assert (post.kind, post.url) == ("video", "https://www.tiktok.com/@embongdaily/video/7524919459643919624")
    assert post.author == Author(
        id="MS4wLjABAAAA8oxTioN8FY3-RbE_XDjpGS8o965teCESjnSAA_Exmtd3HMmZ35Bb3BD0bGRlW0Du",
        uid="7353514153761358855",
        handle="embongdaily",
        nickname="Em Bống 🐣",
    )
    assert post.created == datetime(2025, 7, 9, 3, 30, 45, tzinfo=UTC)
    assert post.text == "Nhất kiến chung tình với cô Hà 🥴🥴 "
    assert post.statistics == Statistics(
        likes=384_500, comments=1893, favorites=13_833, shares=9258, plays=9_400_000
    )
    assert (post.duration, post.region, post.access, post.notice) == (31, "VN", "public", "")
    assert (post.tags, post.mentions, post.mix, post.pinned, post.ad) == ((), (), None, False, False)
    assert ids(post) == ["video", "sound", "cover", "subtitle.vie-VN", "subtitle.eng-US"]
    assert [(each.label, each.codec, each.width, each.fps, each.size, each.md5) for each in renditions] == [
        ("adapt_lowest_1080_1", "h265", 1080, 60, 4_889_785, "5d4a334a602929f966a4db371d82be55"),
        ("adapt_lower_720_1", "h265", 720, 30, 2_247_541, "91cb75dfe67e812efca233e2f21adb33"),
        ("adapt_540_1", "h265", 576, 30, 1_916_815, "c7ea2f2deb72f2cb533d6078bf3eefba"),
        ("normal_540_0", "h264", 576, 30, 3_853_020, "c8ec21bb87c609b88c61a6ab17ef2445"),
        ("download", None, None, None, None, None),
    ]
    assert (best.height, best.bit_rate, best.size_is_exact, best.md5_is_exact) == (
        1920,
        1_226_086,
        True,
        True,
    )
    assert [each.watermarked for each in renditions] == [False] * 4 + [True]
    assert hosts(post, "video") == VIDEO_HOSTS
    assert best.expires == datetime.fromtimestamp(1_754_394_419, UTC)
    assert post.sound is not None
    assert (post.sound.ref.id, post.sound.title) == ("7524919488710593296", "nhạc nền - Em Bống 🐣")
    assert (post.sound.author, post.sound.duration, post.sound.original) == ("Em Bống 🐣", 31.94775, True)
    assert (asset(post, "sound").renditions[0].ext, hosts(post, "sound")) == ("mp3", ["v77.tiktokcdn.com"])
    assert asset(post, "sound").renditions[0].expires == datetime.fromtimestamp(0x68909DB2, UTC)
    assert hosts(post, "cover") == ["p16-sign-sg.tiktokcdn.com"]
    subtitle = asset(post, "subtitle.vie-VN")
    assert (subtitle.language, subtitle.renditions[0].ext, subtitle.renditions[0].size) == (
        "vie-VN",
        "vtt",
        748,
    )
    assert hosts(post, "subtitle.vie-VN") == ["v16-webapp.tiktok.com", "vas-alisg16.tiktokv.com"]
    assert asset(post, "subtitle.eng-US").renditions[0].label == "MT"


def test_the_recorded_page_names_its_visitor(recorded: Recorded, scopes: Callable[[str], Any]) -> None:
    """The ids that calls repeat, and the page's own address."""
    html = recorded("page_video_hydration_2025-08.html")
    device = Device.of_page(parse.app_context(html))

    assert device == Device(
        device_id="7515045088717112839",
        odin_id="7515044990029972498",
        created="1749732790",
        region="VN",
    )
    assert device == Device.of_page(scopes("scope_app_context_2025-08")["webapp.app-context"])
    assert parse.canonical(html) == "https://www.tiktok.com/@embongdaily/video/7524919459643919624"


def test_the_recorded_cookie_goes_to_three_hosts(recorded: Recorded) -> None:
    """Every address of the video asks for `tt_chain_token`; sound, cover and subtitles do not."""
    html = recorded("page_video_hydration_2025-08.html")
    post = parse.unlocked(parse.post(parse.item_of_page(html, VIDEO)), "token")
    sent = {
        urlsplit(url).hostname
        for each in post.assets
        for rendition in each.renditions
        for url, headers in rendition.mirror_headers.items()
        if "Cookie" in headers
    }

    assert sent == set(VIDEO_HOSTS)


def test_the_recorded_scope_is_that_of_the_page(recorded: Recorded, read: Callable[[str, Ref], Post]) -> None:
    """The extracted scope gives the same post."""
    html = recorded("page_video_hydration_2025-08.html")

    assert read("scope_video_detail_2025-08", VIDEO) == parse.post(parse.item_of_page(html, VIDEO))


def test_the_recorded_photo_post(read: Callable[[str, Ref], Post]) -> None:
    """Two pictures in order, on two hosts each; a title of its own; a sound without an address."""
    post = read("scope_video_detail_photo_2026-09", PHOTO)
    pictures = [each.renditions[0] for each in post.assets if each.kind == "picture"]

    assert (post.kind, post.url) == ("images", "https://www.tiktok.com/@nasa/photo/7681723633164717325")
    assert post.title == "What’s next for NASA’s Roman Space Telescope?"
    assert post.text.startswith("Roman’s first images will be so large and detailed")
    assert post.created == datetime(2026, 9, 4, 16, 51, 37, tzinfo=UTC)
    assert (post.duration, post.region) == (None, "US")
    assert post.statistics == Statistics(likes=13_200, comments=264, favorites=940, shares=385, plays=254_100)
    assert ids(post) == ["picture_01", "picture_02", "cover"]
    assert [(each.ext, each.width, each.height, len(each.mirrors)) for each in pictures] == [
        ("jpg", 1080, 1436, 2),
        ("jpg", 1080, 1424, 2),
    ]
    assert hosts(post, "picture_01") == [
        "p16-common-sign.tiktokcdn-eu.com",
        "p19-common-sign.tiktokcdn-eu.com",
    ]
    assert "6d5fe602159d40809b622acba205baae" in pictures[0].mirrors[0]
    assert pictures[0].expires == datetime.fromtimestamp(1_790_262_000, UTC)
    assert asset(post, "cover").renditions[0].width == 1203
    assert post.sound is not None
    assert (post.sound.title, post.sound.duration, post.sound.rendition) == ("INTERESTELLAR", 73, None)


def test_the_recorded_subtitles_and_mentions(read: Callable[[str, Ref], Post]) -> None:
    """The tag that stands twice is one; the mention has the handle, not the words of the text."""
    post = read("scope_video_detail_subtitles_mentions_2026-09", SUBTITLES)
    best, download = asset(post, "video").renditions
    subtitle = asset(post, "subtitle.eng-US").renditions[0]

    assert post.created == datetime(2026, 9, 17, 20, 16, 4, tzinfo=UTC)
    assert post.tags == (
        Tag(name="1", id="1618821630922757"),
        Tag(name="papatui", id="1674978567976962"),
        Tag(name="mensskincare", id="1644031559710725"),
    )
    assert post.mentions == (
        Mention(
            user_id="MS4wLjABAAAAl5wrDFqIobguFhiVWwBEVUWjbvcrICt3-0glqsgiEAF3fwDFxdMpEePitwhDSEn4",
            name="papatui",
        ),
    )
    assert (best.label, best.size, best.size_is_exact, best.md5) == ("playAddr", 5_739_693, True, None)
    assert (best.width, best.height, best.bit_rate, best.codec) == (720, 1280, 964_978, None)
    assert (download.label, download.watermarked) == ("download", True)
    assert (subtitle.ext, subtitle.size, subtitle.label) == ("vtt", 1056, "ASR")
    assert subtitle.expires == datetime.fromtimestamp(1_790_262_381, UTC)
    assert subtitle.mirror_headers == {}


def test_the_recorded_missing_post(scopes: Callable[[str], Any]) -> None:
    """10204: it never was, is gone, or is not shown to us; TikTok does not say which."""
    ref = Ref("tiktok", "post", "7000000000000000000")
    with pytest.raises(NotFound, match=r"code 10204: item doesn't exist") as caught:
        parse.item_of_page(page({"__DEFAULT_SCOPE__": scopes("scope_video_detail_missing_2026-09")}), ref)
    assert type(caught.value) is NotFound


def test_the_recorded_profile_page(scopes: Callable[[str], Any]) -> None:
    """Exact counts although the rounded one overflowed; likes given are hidden."""
    scope = scopes("scope_user_detail_2026-09")
    user = parse.user_of_page(page({"__DEFAULT_SCOPE__": scope}), Ref("tiktok", "user", "khaby.lame"))

    assert user.ref.id == "MS4wLjABAAAAwAg0rSzO65WQfz4RzQgGv2Xdv108BgPXhRrrmNVIHQZ9PO8-flwwRtEppYTS0OjA"
    assert (user.uid, user.handle, user.nickname) == ("127905465618821121", "khaby.lame", "Khabane lame")
    assert (user.declared, user.followers, user.following) == (1353, 162_986_107, 81)
    assert (user.likes_received, user.likes_given, user.likes_are_public) == (2_680_875_280, None, False)
    assert (user.state, user.verified, user.live_room, user.region) == ("public", "verified", None, None)
    assert user.signature.startswith("Se vuoi ridere")
    assert user.avatar is not None
    assert "1080:1080" in user.avatar.mirrors[0]


def test_the_recorded_unavailable_profile(scopes: Callable[[str], Any]) -> None:
    """TikTok calls accounts banned that never were; the message says both."""
    scope = scopes("scope_user_detail_unavailable_2026-09")
    with pytest.raises(Banned, match=r"or there never was one \(code 10221: user banned\)"):
        parse.user_of_page(page({"__DEFAULT_SCOPE__": scope}), Ref("tiktok", "user", "nobody"))


def test_the_recorded_profile_answer(recorded: Recorded) -> None:
    """The API's answer has the shape of the page."""
    user = parse.user_of(json.loads(recorded("user_detail_api_2025-10.json")), None)

    assert user.ref.id == "MS4wLjABAAAAkagks5n_8XDIMWf94LZDUYs54FG5bJmEFJkWtjA__uRUN8QWaavHhzSyEO6WBPQj"
    assert (user.handle, user.nickname, user.verified) == ("zg.520", "小邹旅行🇨🇳", "")
    assert (user.declared, user.followers, user.likes_received) == (1605, 427_682, 6_764_096)


def test_the_recorded_page_of_a_list(recorded: Recorded) -> None:
    """One pinned video of the newest order, with five gears, on hosts that ask for the visitor's cookie."""
    found = parse.posts_page(
        json.loads(recorded("post_item_list_newest_2025-10.json")),
        ref=Ref("tiktok", "user", "zg.520"),
    )
    post = found.items[0]

    assert (len(found.items), found.next, found.hidden, found.skipped) == (1, "1758331327601", 0, 0)
    assert isinstance(post, Post)
    assert (post.ref.id, post.pinned, post.duration) == ("7513039993741397256", True, 18)
    assert post.created == datetime(2025, 6, 7, 3, 12, 22, tzinfo=UTC)
    assert post.tags == (Tag(name="china", id="5873"), Tag(name="中国高铁🚅", id="7025577443821879297"))
    assert [(each.label, each.size) for each in asset(post, "video").renditions] == [
        ("adapt_lowest_1080_1", 2_001_466),
        ("adapt_lower_720_1", 955_721),
        ("adapt_540_1", 772_994),
        ("normal_540_0", 926_762),
        ("lowest_540_0", 369_147),
        ("download", None),
    ]
    assert hosts(post, "video") == [
        "v16-webapp-prime.us.tiktok.com",
        "v19-webapp-prime.us.tiktok.com",
        "www.tiktok.com",
    ]
    assert [each.id for each in post.assets if each.kind == "subtitle"] == [
        "subtitle.eng-US",
        "subtitle.cmn-Hant-CN",
    ]


def test_the_recorded_embed(recorded: Recorded) -> None:
    """Two of the newest posts, with a date from their ids and one encoding each."""
    html = page(json.loads(recorded("embed_user_state_2026-09.json")), "__FRONTITY_CONNECT_STATE__")
    found = parse.embed_page(html, Ref("tiktok", "user", "nasa"))
    first, second = (each for each in found.items if isinstance(each, Post))

    assert found.cut is not None
    assert (first.ref.id, first.text) == ("7665075736742530317", "Something big just landed on TikTok.")
    assert first.created == datetime(2026, 7, 21, 20, 8, 37, tzinfo=UTC)
    assert (first.author.uid, first.author.handle) == ("7664638705177150477", "nasa")
    assert (first.statistics.plays, second.statistics.plays) == (1_400_000, 93_300)
    assert (hosts(first, "video"), hosts(first, "cover")) == (
        ["v45.tiktokcdn-eu.com"],
        ["p16-common-sign.tiktokcdn-eu.com"],
    )
    assert asset(first, "video").renditions[0].expires == datetime.fromtimestamp(0x6AB53C54, UTC)
    assert (asset(second, "video").renditions[0].width, ids(second)) == (540, ["video", "cover"])


@pytest.mark.parametrize("read_page", [parse.item_of_page, parse.user_of_page, parse.embed_page])
def test_the_recorded_proof_of_work_is_no_page(
    recorded: Recorded, read_page: Callable[[str, Ref], object]
) -> None:
    """Whatever was asked for, the page that comes instead is named."""
    with pytest.raises(RiskControl, match="proof of work"):
        read_page(recorded("waf_challenge_page_2026-09.html"), VIDEO)


@pytest.mark.parametrize(
    ("name", "ref"),
    [
        ("scope_video_detail_2025-08", VIDEO),
        ("scope_video_detail_photo_2026-09", PHOTO),
        ("scope_video_detail_subtitles_mentions_2026-09", SUBTITLES),
    ],
    ids=["video", "photo", "subtitles"],
)
def test_no_sidecar_of_a_recording_holds_an_address_of_media(
    read: Callable[[str, Ref], Post], name: str, ref: Ref
) -> None:
    """Signed addresses run out and may identify a person; nor does the cookie stand there."""
    text = info_json(parse.unlocked(read(name, ref), "invented-token"))

    assert text.count("https://") == 1
    assert not any(word in text for word in ("signature=", "x-expires", "tiktokcdn", "invented-token"))
