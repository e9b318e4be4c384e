"""Answers recorded from Douyin in 2025 and 2026, read to the values that stand in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dyvine_cli.errors import NotFound, SignatureRejected
from dyvine_cli.models import Asset, Author, Post, Ref, Statistics, Tag
from dyvine_cli.sidecar import info_json
from dyvine_cli.sites.douyin import parse

pytestmark = pytest.mark.recordings

Recorded = Callable[[str], Any]
VIDEO_HOSTS = ["v11-weba.douyinvod.com", "v26-web.douyinvod.com", "www.douyin.com"]


@pytest.fixture
def recorded(recordings: Path) -> Recorded:
    """A recorded answer by its name."""
    return lambda name: json.loads((recordings / "samples" / "douyin" / f"{name}.json").read_text("utf-8"))


@pytest.fixture
def read(recorded: Recorded) -> Callable[[str, str], Post]:
    """The post of a recorded detail answer, by the way that the client takes."""

    def _read(name: str, id: str) -> Post:
        ref = Ref("douyin", "post", id)
        return parse.ensure_available(parse.post(parse.classify_detail(recorded(name), ref), ref=ref))

    return _read


def asset(post: Post, id: str) -> Asset:
    """One asset by its id."""
    return next(each for each in post.assets if each.id == id)


def hosts(post: Post, id: str, rendition: int = 0) -> list[str | None]:
    """The hosts of a rendition's mirrors, in order."""
    return [urlsplit(url).hostname for url in asset(post, id).renditions[rendition].mirrors]


def ids(post: Post) -> list[str]:
    """The ids of a post's assets, in order."""
    return [each.id for each in post.assets]


def test_the_recorded_video(read: Callable[[str, str], Post]) -> None:
    """Three H.264 gears at 540p: the highest bit rate wins, the watermarked download is last."""
    post = read("detail_video", "7554555892894436666")
    renditions = asset(post, "video").renditions
    best = renditions[0]

    assert post.kind == "video"
    assert post.url == "https://www.douyin.com/video/7554555892894436666"
    assert post.author == Author(
        id="MS4wLjABAAAAc4dDyECPdz8bhZCetK2dItLX-48qq1PfLtajyoqe_x6-QIWjNdqFJiEzNWcM_3FM",
        uid="3293789928295395",
        handle="wang_daodao",
        nickname="王叨叨",
    )
    assert post.created == datetime(2025, 9, 27, 0, 15, 15, tzinfo=UTC)
    assert (post.text, post.title, post.duration) == ("", "", 10.055)
    assert post.statistics == Statistics(likes=3, comments=0, favorites=0, shares=0, plays=None)
    assert (post.notice, post.region, post.access) == ("作品含 AI 生成内容", "CN", "public")
    assert (post.mix, post.episode, post.co_authors, post.tags, post.paid) == (None, None, (), (), False)
    assert ids(post) == ["video", "sound", "cover"]
    assert [(each.label, each.size) for each in renditions] == [
        ("low_540_0", 2_214_705),
        ("normal_540_0", 2_214_084),
        ("adapt_low_540_0", 1_511_552),
        ("original", None),
        ("download", None),
    ]
    assert (best.width, best.height, best.fps, best.codec, best.bit_rate) == (736, 544, 24, "h264", 1_762_072)
    assert (best.size_is_exact, best.md5, best.ext) == (True, "bbf12d1cb3bd40518e2a96f674853051", "mp4")
    assert hosts(post, "video") == VIDEO_HOSTS
    assert best.expires == datetime.fromtimestamp(1_786_537_336, UTC)
    assert best.headers == {"Referer": "https://www.douyin.com/"}
    assert "video_id=v1e00fgi0000d3bip0nog65tk5ulr8og&" in renditions[3].mirrors[0]
    assert [each.watermarked for each in renditions] == [False, False, False, False, True]
    assert hosts(post, "cover") == ["p3-pc-sign.douyinpic.com", "p9-pc-sign.douyinpic.com"]
    assert (
        "o8DEBAqSQWAeJrAgI70M8lzAlALAkfRXSJf8EJ~tplv-dy-360p.jpeg"
        in asset(post, "cover").renditions[0].mirrors[0]
    )
    assert post.sound is not None
    assert (post.sound.ref.id, post.sound.title) == (
        "7542275209210923776",
        "@荆棘鸟🌻（拒合拍拒私聊）创作的原声",
    )
    assert (post.sound.duration, post.sound.original) == (12, True)
    assert hosts(post, "sound") == ["lf26-music-east.douyinstatic.com", "lf9-music-east.douyinstatic.com"]


def test_the_recorded_picture_post(read: Callable[[str, str], Post]) -> None:
    """One picture of aweme_type 0, muted music, and the placeholder that means no sound."""
    post = read("detail_note_images", "7469411074119322899")
    picture = asset(post, "picture_01")

    assert post.kind == "images"
    assert post.url == "https://www.douyin.com/note/7469411074119322899"
    assert (post.author.nickname, post.author.handle, post.author.uid) == (
        "kamada",
        "34428129295",
        "93390477132",
    )
    assert post.created == datetime(2025, 2, 9, 13, 30, 1, tzinfo=UTC)
    assert post.text == "不老实的Mortis.#mygo #长崎素世 #若叶睦"
    assert post.tags == (
        Tag(name="mygo", id="1731493533302796"),
        Tag(name="长崎素世", id="1771457983506436"),
        Tag(name="若叶睦", id="1773397438572552"),
    )
    assert post.statistics == Statistics(likes=3059, comments=136, favorites=363, shares=1338, plays=None)
    assert (post.duration, post.text_is_cut) == (None, False)
    assert ids(post) == ["picture_01", "cover"]
    assert [(each.ext, len(each.mirrors), each.watermarked) for each in picture.renditions] == [
        ("jpg", 1, False),
        ("webp", 2, False),
        ("jpg", 1, True),
        ("webp", 2, True),
    ]
    assert (picture.renditions[0].width, picture.renditions[0].height) == (960, 1353)
    assert hosts(post, "picture_01") == ["p3-pc-sign.douyinpic.com"]
    assert picture.renditions[0].expires == datetime.fromtimestamp(1_789_117_200, UTC)
    assert post.sound is not None
    assert (post.sound.title, post.sound.rendition) == ("@用户创作的原声", None)


def test_the_recorded_live_photos(read: Callable[[str, str], Post]) -> None:
    """Three live photos, then three stills; each clip has the number of its still."""
    post = read("detail_note_live_photo", "7591875747808560613")
    clips = [each for each in post.assets if each.kind == "clip"]
    stills = [each for each in post.assets if each.kind == "picture"]

    assert post.kind == "live_photo"
    assert post.created == datetime(2026, 1, 5, 13, 55, 17, tzinfo=UTC)
    assert post.text.endswith("#原神 #爱诺 #伊涅芙 #原神泡泡玛特")
    assert [each.name for each in post.tags] == ["原神", "爱诺", "伊涅芙", "原神泡泡玛特"]
    assert ids(post)[:4] == ["picture_01", "clip_01", "picture_02", "clip_02"]
    assert [(each.renditions[0].width, each.renditions[0].height) for each in stills] == [
        (1080, 1440), (1440, 1080), (1080, 1440), (1079, 1309), (1253, 682), (1253, 932),
    ]  # fmt: skip
    assert [(each.index, each.renditions[0].size, each.renditions[0].md5) for each in clips] == [
        (1, 434_486, "5cb2d7851b17eac0364be5da99e3d011"),
        (2, 208_859, "6b3b9b0882542075f7df4af67add89c3"),
        (3, 264_813, "88c3d82736c06e1ffb6353488fd96d85"),
    ]
    assert (clips[0].renditions[0].label, clips[0].renditions[0].fps) == ("normal_720_0", 23)
    assert hosts(post, "clip_01") == VIDEO_HOSTS
    assert hosts(post, "sound") == ["sf6-cdn-tos.douyinstatic.com", "sf11-cdn-tos.douyinstatic.com"]
    assert asset(post, "sound").renditions[0].mirrors[0].endswith("/obj/ies-music/7551753708619434803.mp3")


def test_the_recorded_slides(read: Callable[[str, str], Post]) -> None:
    """Four clip pages, each with its still; a sound whose address has no extension."""
    post = read("detail_slides", "7450744229229235491")
    clips = [asset(post, f"clip_{n:02}").renditions[0] for n in range(1, 5)]

    assert post.kind == "slides"
    assert post.created == datetime(2024, 12, 21, 6, 13, 26, tzinfo=UTC)
    assert post.text == "小米塔可爱捏 #米塔 #steam游戏"
    assert post.author.nickname == "平平淡淡-"
    assert [each.kind for each in post.assets] == ["picture", "clip"] * 4 + ["sound", "cover"]
    assert (clips[0].size, clips[0].md5) == (488_288, "63f40aa84f58b293837ec995b575df79")
    assert (clips[3].size, clips[3].width, clips[3].height) == (1_235_133, 1152, 720)
    assert clips[3].md5 == "53cb2827c744db9f58767448aeacf4ba"
    assert asset(post, "picture_04").renditions[0].width == 2560
    assert post.sound is not None
    assert (post.sound.title, post.sound.author, post.sound.original) == ("Happy Heart", "Dudley G", False)
    assert asset(post, "sound").renditions[0].ext == "mp3"


def test_the_recorded_long_note(read: Callable[[str, str], Post]) -> None:
    """The web answer cuts the text and says so; the mark is not taken for the author's words."""
    post = read("detail_long_note", "7664861346790614702")
    text = asset(post, "text").text or ""

    assert (post.kind, post.text_is_cut) == ("note", True)
    assert post.created == datetime(2026, 7, 21, 6, 16, 41, tzinfo=UTC)
    assert post.text.startswith("被爱的前提是漂亮吗？")
    assert post.text.endswith("是从杂志封面……")
    assert len(post.text) == 92
    assert text.startswith("被爱的前提是漂亮吗？")
    assert "Only the beginning" in text
    assert ids(post) == ["text", "picture_01", "sound", "cover"]
    assert (
        asset(post, "picture_01").renditions[0].width,
        asset(post, "picture_01").renditions[0].height,
    ) == (1170, 336)
    assert post.author.nickname == "用户0629"


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("detail_video", "7554555892894436666"),
        ("detail_note_images", "7469411074119322899"),
        ("detail_note_live_photo", "7591875747808560613"),
        ("detail_slides", "7450744229229235491"),
        ("detail_long_note", "7664861346790614702"),
    ],
)
def test_no_sidecar_of_a_recording_holds_an_address_of_media(
    read: Callable[[str, str], Post], name: str, id: str
) -> None:
    """Signed addresses run out and may identify a person: none stands in the info file."""
    text = info_json(read(name, id))

    assert text.count("https://") == 1
    assert not any(word in text for word in ("x-signature", "x-expires", "douyinvod", "douyinpic", "sign="))


def test_the_recorded_unknown_id(recorded: Recorded) -> None:
    """`core_dep` means that the id does not exist."""
    with pytest.raises(NotFound, match="there is no such post") as caught:
        parse.classify_detail(recorded("detail_not_found"), Ref("douyin", "post", "123456789"))
    assert type(caught.value) is NotFound


def test_the_recorded_refusal_of_a_search(recorded: Recorded) -> None:
    """An unsigned search answers success with `invalid_app`."""
    with pytest.raises(SignatureRejected, match="invalid_app"):
        parse.classify_search(recorded("search_refused"))


def test_the_recorded_private_account(recorded: Recorded) -> None:
    """A private account hides its counts and says so in its own words."""
    user = parse.user_of(recorded("user_profile_private"), None)

    assert user.ref.id == "MS4wLjABAAAAHghfTK_0oCnHfvK1dI_lQFR6mOqG0ubruxoKqK9yKX4"
    assert (user.uid, user.handle, user.nickname) == ("505388048332680", "dyxz200qj0sh", "Mr.Coder")
    assert (user.state, user.state_reason) == ("private", "私密账号：关注账号即可查看内容和喜欢")
    assert (user.declared, user.followers, user.likes_given, user.mixes) == (0, 0, 0, 0)
    assert (user.likes_are_public, user.live_room, user.region, user.verified) == (True, None, None, "")
    assert user.avatar is not None
    assert (urlsplit(user.avatar.mirrors[0]).hostname, user.avatar.ext) == ("tvax4.sinaimg.cn", "gif")


def test_the_recorded_account_on_air(recordings: Path) -> None:
    """While live, `room_data` names the lasting number of the room; without it, the broadcast's string id is taken."""
    file = recordings / "samples" / "live" / "douyin_user_profile_room_data_2025-08.json"
    raw = {
        **json.loads(file.read_text("utf-8"))["data"]["user"],
        "sec_uid": "MS4wLjABAAAAleft-out-by-the-republisher",
    }
    user = parse.user(raw)

    assert user.live_room == Ref("douyin", "room", "44877280699")
    assert parse.user({**raw, "room_data": ""}).live_room == Ref("douyin", "room", "7542487426976074550")
    assert (user.region, user.nickname) == ("河南", "漯河市豫剧艺术中心（漯河市豫剧团）")
