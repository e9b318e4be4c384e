"""Posts, accounts and mixes read from small answers of our own making."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.errors import (
    Deleted,
    DyvineError,
    InReview,
    LoginNeeded,
    Paid,
    Private,
    UnexpectedResponse,
)
from dyvine_cli.models import Author, Mention, Post, Ref, Sound, Statistics, Tag
from dyvine_cli.sites.douyin import parse

SEC_UID = "MS4wLjABAAAAinvented-Lin_Xiaohe0000000000000000000000000000001"
LIN = Author(id=SEC_UID, uid="90071992547409931", handle="lin_xiaohe", nickname="林小河")
KINDS = ("video", "images", "live_photo", "slides", "note", "article")

Raw = dict[str, Any]
Load = Callable[[str], Raw]


@pytest.fixture
def load(data: Path) -> Load:
    """An answer of ours by its name, fresh each time."""
    return lambda name: json.loads((data / "douyin" / f"{name}.json").read_text("utf-8"))


@pytest.fixture
def aweme(load: Load) -> Load:
    """The raw post of a kind."""
    return lambda kind: load(f"detail_{kind}")["aweme_detail"]


def assets(post: Post) -> list[str]:
    """The ids of a post's assets, in order."""
    return [asset.id for asset in post.assets]


def asset(post: Post, id: str) -> Any:
    """One asset by its id."""
    return next(each for each in post.assets if each.id == id)


# -- kinds and words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("video", ["video", "sound", "cover", "subtitle.zh-Hans"]),
        ("images", ["picture_01", "picture_02", "cover"]),
        ("live_photo", ["picture_01", "clip_01", "picture_02", "sound", "cover"]),
        ("slides", ["picture_01", "clip_01", "picture_02", "sound", "cover"]),
        ("note", ["text", "picture_01", "sound", "cover"]),
        ("article", ["text", "picture_01", "picture_02", "sound", "cover"]),
    ],
    ids=KINDS,
)
def test_every_kind_of_post_has_its_assets(aweme: Load, kind: str, expected: list[str]) -> None:
    """A post is of the kind its fields say, not its aweme_type, and becomes the files of that kind."""
    post = parse.post(aweme(kind))

    assert post.kind == kind
    assert assets(post) == expected
    assert all(each.renditions or each.text for each in post.assets)


def test_the_facts_of_a_post_are_read(aweme: Load) -> None:
    """Author, time, text, counts, tags, mentions, co-authors, mix, notice and sound come from their fields."""
    post = parse.post(aweme("video"))

    assert post.ref == Ref("douyin", "post", "7400000000000000001")
    assert post.url == "https://www.douyin.com/video/7400000000000000001"
    assert post.author == LIN
    assert post.created == datetime(2024, 9, 10, 20, 26, 40, tzinfo=UTC)
    assert post.text == "清晨的河 #河边 @阿岩 ☀️"
    assert post.duration == 12.345
    assert post.statistics == Statistics(likes=5678, comments=34, favorites=12, shares=9, plays=None)
    assert post.tags == (Tag(name="河边", id="1600000000000001"),)
    assert post.mentions == (Mention(user_id="MS4wLjABAAAAinvented-Ayan", name="阿岩"),)
    assert [each.nickname for each in post.co_authors] == ["阿岩"]
    assert post.mix is not None
    assert (str(post.mix.ref), post.mix.title, post.mix.declared) == (
        "douyin:mix:7380000000000000077",
        "河边四季",
        24,
    )
    assert post.episode == 3
    assert post.notice == "作品含 AI 生成内容"
    assert post.region == "CN"
    assert isinstance(post.sound, Sound)
    assert (post.sound.ref.id, post.sound.duration, post.sound.original) == ("7399999999999999901", 34, True)
    assert (post.pinned, post.story, post.ad, post.paid, post.login_only) == (False,) * 5


@pytest.mark.parametrize(
    ("field", "value", "attribute"),
    [
        ("is_top", 1, "pinned"),
        ("is_24_story", 1, "story"),
        ("is_moment_story", True, "story"),
        ("is_ads", True, "ad"),
        ("pc_need_login", True, "login_only"),
        ("series_paid_info", {"item_price": 600, "series_paid_status": 1}, "paid"),
        ("entertainment_video_paid_way", {"paid_type": 1, "paid_ways": []}, "paid"),
    ],
    ids=["pinned", "day story", "moment story", "ad", "login only", "paid series", "paid way"],
)
def test_flags_of_a_post_are_read(aweme: Load, field: str, value: object, attribute: str) -> None:
    """Pinned, story, advertisement, paid and login-only posts say so."""
    post = parse.post({**aweme("video"), field: value})

    assert getattr(post, attribute) is True


def test_a_place_of_the_address_stands_before_the_region_code(aweme: Load) -> None:
    """`ip_attribution` names the province; the words for "place of the address" are left out."""
    assert parse.post({**aweme("video"), "ip_attribution": "IP属地：浙江"}).region == "浙江"


def test_challenges_are_tags_too_and_stand_once(aweme: Load) -> None:
    """The challenge list adds what the text does not mark."""
    post = parse.post(
        {**aweme("video"), "cha_list": [{"cha_name": "河边", "cid": "1"}, {"cha_name": "日出", "cid": 2}]}
    )

    assert post.tags == (Tag(name="河边", id="1600000000000001"), Tag(name="日出", id="2"))


def test_mentions_behind_an_emoji_are_cut_in_utf16_units(aweme: Load) -> None:
    """The platform counts positions in UTF-16 units, so one emoji counts as two."""
    marks = [{"start": 3, "end": 6, "type": 0, "sec_uid": "MS4wA"}]
    post = parse.post({**aweme("video"), "desc": "😀 @阿岩 来", "text_extra": marks})

    assert post.mentions == (Mention(user_id="MS4wA", name="阿岩"),)


def test_a_short_drama_names_its_series_when_it_has_no_mix(aweme: Load) -> None:
    """The series stands in for the mix, by its string id where there is one."""
    post = parse.post({**aweme("images"), "series_basic_info": {"series_id": 7600000000000000017}})

    assert post.mix is not None
    assert str(post.mix.ref) == "douyin:series:7600000000000000017"


# -- galleries ---------------------------------------------------------------------------------------------------------


def test_pictures_are_jpeg_first_then_webp_and_the_watermark_last(aweme: Load) -> None:
    """Encodings of the same size are renditions of their own; hosts of one encoding are its mirrors."""
    renditions = asset(parse.post(aweme("images")), "picture_01").renditions

    assert [(each.ext, len(each.mirrors), each.watermarked) for each in renditions] == [
        ("jpg", 1, False),
        ("webp", 2, False),
        ("jpg", 1, True),
        ("webp", 1, True),
    ]
    assert {(each.width, each.height) for each in renditions} == {(960, 1353)}
    assert renditions[0].headers == {}
    assert renditions[0].expires == datetime(2026, 9, 11, 9, 0, tzinfo=UTC)
    assert "tplv-dy-water" in renditions[2].mirrors[0]


def test_the_picture_without_watermark_of_app_answers_comes_first(aweme: Load) -> None:
    """`watermark_free_download_url_list` leads its encoding."""
    raw = aweme("images")
    free = "https://p3-sign.douyinpic.com/free~x.jpeg"
    raw["images"][0]["watermark_free_download_url_list"] = [free]

    assert asset(parse.post(raw), "picture_01").renditions[0].mirrors[0] == free


def test_an_image_that_only_has_a_watermarked_copy_is_still_kept(aweme: Load) -> None:
    """The last resort is better than nothing, and says what it is."""
    raw = aweme("images")
    raw["images"][0]["url_list"] = None

    assert all(each.watermarked for each in asset(parse.post(raw), "picture_01").renditions)


@pytest.mark.parametrize("name", ["image_infos", "image_post_info"])
def test_pictures_are_found_where_older_answers_have_them(aweme: Load, name: str) -> None:
    """`image_infos` and `image_post_info.images` make a gallery, too."""
    raw = aweme("images")
    images, raw["images"] = raw["images"], None
    raw[name] = images if name == "image_infos" else {"images": [{"display_image": images[0], "width": 1}]}
    post = parse.post(raw)

    assert post.kind == "images"
    assert asset(post, "picture_01").renditions[0].ext == "jpg"


@pytest.mark.parametrize("kind", ["live_photo", "slides"])
def test_a_clip_has_the_number_of_its_still(aweme: Load, kind: str) -> None:
    """Still and clip are saved as a pair; the clip's length in bytes is exact."""
    post = parse.post(aweme(kind))
    clip = asset(post, "clip_01")

    assert (clip.kind, clip.index, asset(post, "picture_01").index) == ("clip", 1, 1)
    assert (clip.renditions[0].size, clip.renditions[0].size_is_exact) == (434486, True)
    assert post.duration is None


def test_the_placeholder_means_no_sound_and_muted_music_has_none(aweme: Load) -> None:
    """A gallery with the no-sound file has no sound asset; music with an empty address list no rendition."""
    post = parse.post(aweme("images"))

    assert "sound" not in assets(post)
    assert post.sound is not None
    assert post.sound.rendition is None


def test_a_sound_without_an_extension_is_called_by_the_usual_one(aweme: Load) -> None:
    """The extension is only a proposal: bytes decide later."""
    sound = asset(parse.post(aweme("slides")), "sound").renditions[0]

    assert sound.mirrors == ("https://sf11-cdn-tos.douyinstatic.com/obj/tos-cn-ve-2774/oNoExtension",)
    assert (sound.ext, sound.headers) == ("mp3", {})


def test_a_gallery_without_a_sound_of_its_own_has_its_music(aweme: Load) -> None:
    """Without `video.play_addr` the music's address is taken."""
    raw = aweme("live_photo")
    raw["video"]["play_addr"] = None

    assert "ies-music" in asset(parse.post(raw), "sound").renditions[0].mirrors[0]


# -- notes and articles ------------------------------------------------------------------------------------------------


def test_a_long_note_says_that_its_text_is_cut(aweme: Load) -> None:
    """The platform's mark is not the author's text; the saved text says that it is only the beginning."""
    post = parse.post(aweme("note"))

    assert post.text_is_cut
    assert post.text == "水位一年里升降三次，我们量了每一次……"
    assert post.title == "水位"
    assert asset(post, "text").text.startswith("# 水位\n\n水位一年里")
    assert "Only the beginning" in asset(post, "text").text


def test_stills_under_a_whole_long_text_are_a_note(aweme: Load) -> None:
    """App answers hold the whole text: its length decides."""
    post = parse.post({**aweme("images"), "desc": "河" * 1001})

    assert (post.kind, post.text_is_cut) == ("note", False)
    assert asset(post, "text").text == "河" * 1001 + "\n"


def test_an_article_is_markdown_with_pictures_by_asset_id(aweme: Load) -> None:
    """Pictures in the text are linked by the id of their asset; no signed address stands in the file."""
    post = parse.post(aweme("article"))
    text = asset(post, "text").text

    assert post.title == "河的地图"
    assert post.url == "https://www.douyin.com/article/7400000000000000006"
    assert (
        text == "# 河的地图\n\n## 上游\n\n从这里开始。\n\n![桥](picture_01)\n\n## 下游\n\n![](picture_02)\n"
    )
    assert not post.text_is_cut
    assert [each.ext for each in asset(post, "picture_01").renditions] == ["jpg", "jpg", "webp"]
    assert "origin" in asset(post, "picture_01").renditions[0].mirrors[0]


def test_an_article_from_a_listing_says_that_its_text_is_cut(aweme: Load) -> None:
    """Listings cut the text at about 499 characters, so such an article has to be asked for once more."""
    raw = aweme("article")
    raw["article_info"]["article_content"] = json.dumps({"markdown": "河" * 499})

    assert parse.post(raw, listed=True).text_is_cut
    assert not parse.post(raw).text_is_cut


# -- video renditions --------------------------------------------------------------------------------------------------


def test_the_ladder_is_sorted_and_without_dash(aweme: Load) -> None:
    """Most pixels first, then frames, then bits within a codec; no picture without sound; the watermark last."""
    renditions = asset(parse.post(aweme("video")), "video").renditions

    assert [(each.label, each.codec) for each in renditions] == [
        ("adapt_lowest_1440_1", "h265"),
        ("adapt_lowest_1080_1", "h265"),
        ("normal_1080_0", "h264"),
        ("normal_540_0", "h264"),
        ("low_540_0", "h264"),
        ("original", None),
        ("download", None),
    ]
    best = renditions[0]
    assert (best.width, best.height, best.fps, best.bit_rate) == (1440, 2560, 30, 2_200_000)
    assert (best.size, best.size_is_exact, best.md5) == (3_500_000, True, f"{512:032x}")
    assert best.headers == {"Referer": "https://www.douyin.com/"}
    assert len(best.mirrors) == 3
    assert best.expires == datetime.fromtimestamp(0x6A7C6578, UTC)
    assert [each.watermarked for each in renditions] == [False] * 6 + [True]


def test_the_original_upload_is_asked_for_without_and_with_a_referer(aweme: Load) -> None:
    """Its size is unknown; the second mirror sends the Referer that the first leaves out."""
    original = next(each for each in asset(parse.post(aweme("video")), "video").renditions if each.original)

    assert original.size is None
    assert original.headers == {}
    assert original.mirrors[0].startswith(
        "https://www.iesdouyin.com/aweme/v1/play/?video_id=v0200fg10000invented"
    )
    assert "ratio=default" in original.mirrors[0]
    assert "watermark=0" in original.mirrors[0]
    assert original.mirror_headers == {original.mirrors[1]: {"Referer": "https://www.douyin.com/"}}


def test_an_original_that_needs_a_cookie_is_asked_for_by_its_flag(aweme: Load) -> None:
    """`is_need_set_cookie` adds `ss_is_p_v_ss=1`."""
    raw = aweme("video")
    raw["video"]["is_need_set_cookie"] = True
    original = next(each for each in asset(parse.post(raw), "video").renditions if each.original)

    assert all(url.endswith("&ss_is_p_v_ss=1") for url in original.mirrors)


def test_single_picks_stand_in_for_a_missing_ladder(aweme: Load) -> None:
    """With `bit_rate` null the play addresses are the renditions, each once."""
    raw = aweme("video")
    raw["video"]["bit_rate"] = None
    renditions = asset(parse.post(raw), "video").renditions

    assert [(each.label, each.codec, each.size) for each in renditions][:2] == [
        ("play_addr_265", "h265", 1_900_000),
        ("play_addr", "h264", 4_000_000),
    ]


def test_a_ladder_of_dash_only_falls_back_to_the_play_address(aweme: Load) -> None:
    """Pictures without sound are never the best there is."""
    raw = aweme("video")
    raw["video"]["bit_rate"] = [each for each in raw["video"]["bit_rate"] if each["format"] == "dash"]

    assert asset(parse.post(raw), "video").renditions[0].label == "play_addr_265"


def test_the_share_pages_address_loses_its_watermark(load: Load) -> None:
    """`/playwm/` becomes `/play/`; the size of the marked file is not promised."""
    post = parse.post(load("share_items")["item_list"][0])
    rendition = asset(post, "video").renditions[0]

    assert rendition.mirrors == (
        "https://aweme.snssdk.com/aweme/v1/play/?video_id=v0200fg10000invented0000000001&ratio=720p&line=0",
    )
    assert (rendition.watermarked, rendition.size, rendition.width) == (False, None, 720)


def test_a_watermarked_mirror_is_left_out_beside_clean_ones(aweme: Load) -> None:
    """Mirrors are addresses of the same bytes, so a marked one is none."""
    raw = aweme("video")
    address = raw["video"]["bit_rate"][0]["play_addr"]
    address["url_list"].append("https://www.douyin.com/aweme/v1/play/?video_id=x&watermark=1")
    renditions = asset(parse.post(raw), "video").renditions

    assert len(next(each for each in renditions if each.label == "normal_1080_0").mirrors) == 3


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://user:word@evil.example/x.mp4",
        "https://evil.example/a b.mp4",
        "https://[::1/x.mp4",
        "ftp://evil.example/x.mp4",
        "https:///x.mp4",
        "",
    ],
)
def test_addresses_that_are_no_web_addresses_are_left_out(aweme: Load, url: str) -> None:
    """Only http and https without a login inside are media addresses."""
    raw = aweme("images")
    raw["images"][0]["url_list"].append(url)
    every = [mirror for each in parse.post(raw).assets for one in each.renditions for mirror in one.mirrors]

    assert url not in every


@pytest.mark.parametrize(
    "suffix", ["exe", "desktop", "html", "svg", "php", "mp4/../../x", "jpeg%00.exe", "webloc"]
)
def test_an_extension_from_the_server_is_taken_from_a_fixed_list_only(aweme: Load, suffix: str) -> None:
    """A remote value never becomes a file extension by itself."""
    raw = aweme("images")
    raw["images"][0]["url_list"] = [f"https://p3-sign.douyinpic.com/x.{suffix}"]
    raw["images"][0]["download_url_list"] = []

    assert [each.ext for each in asset(parse.post(raw), "picture_01").renditions] == ["jpg"]


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ((), "uncropped"),
        (("cover_original_scale",), "first"),
        (("cover_original_scale", "origin_cover"), "cropped"),
    ],
    ids=["uncropped", "first frame", "cropped"],
)
def test_the_uncropped_cover_is_preferred(aweme: Load, missing: tuple[str, ...], expected: str) -> None:
    """Cover order: uncropped, first frame, the author's crop; the stated pixels are not the real ones."""
    raw = aweme("video")
    for name in missing:
        raw["video"][name] = {"uri": "", "url_list": []}
    cover = asset(parse.post(raw), "cover").renditions[0]

    assert expected in cover.mirrors[0]
    assert (cover.width, len(cover.mirrors)) == (None, 2)


# -- who may see a post ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "access", "error"),
    [
        ({"is_delete": True}, "deleted", Deleted),
        ({"is_prohibited": True}, "prohibited", Deleted),
        ({"private_status": 1}, "private", Private),
        ({"private_status": 2}, "friends", Private),
        ({"part_see": 1}, "friends", Private),
        ({"in_reviewing": True}, "in_review", InReview),
        ({"review_result": {"review_status": 3}}, "in_review", InReview),
    ],
    ids=["deleted", "prohibited", "private", "friends", "some", "reviewing", "review failed"],
)
def test_a_withheld_post_says_why(aweme: Load, status: Raw, access: str, error: type[DyvineError]) -> None:
    """A post without media carries its access, and asking for it raises the error of that name."""
    raw = aweme("video")
    raw["status"].update(status)
    raw["video"] = {"bit_rate": None, "play_addr": {"uri": "", "url_list": []}}
    post = parse.post(raw)

    assert post.access == access
    with pytest.raises(error, match=post.ref.id):
        parse.ensure_available(post)


def test_a_private_post_is_available_to_the_one_who_is_given_it(aweme: Load) -> None:
    """The author, logged in, gets the media: then nothing is withheld. A deleted one stays deleted."""
    raw = aweme("video")
    raw["status"]["private_status"] = 1
    post = parse.post(raw)

    assert post.access == "private"
    assert parse.ensure_available(post) is post


@pytest.mark.parametrize(
    ("fields", "login", "error"),
    [
        ({"series_paid_info": {"item_price": 600, "series_paid_status": 1}}, False, Paid),
        ({"pc_need_login": True}, False, LoginNeeded),
        ({"pc_need_login": True}, True, LoginNeeded),
    ],
    ids=["paid", "login needed", "another login needed"],
)
def test_paid_and_login_only_posts_say_so(
    aweme: Load, fields: Raw, login: bool, error: type[DyvineError]
) -> None:
    """Without media, the reason becomes the error; a login that does not help is not dead for that."""
    raw = {**aweme("video"), **fields, "video": None}

    with pytest.raises(error) as told:
        parse.ensure_available(parse.post(raw), login=login)
    assert type(told.value) is error


def test_an_open_post_without_media_is_an_unexpected_answer(aweme: Load) -> None:
    """No reason and no media: the platform changed, and the field is named."""
    with pytest.raises(UnexpectedResponse, match=r"video\.play_addr"):
        parse.post({**aweme("video"), "video": {"bit_rate": []}})


def test_a_live_card_is_no_post(aweme: Load) -> None:
    """A card that announces a broadcast is refused by name."""
    with pytest.raises(UnexpectedResponse, match="live card"):
        parse.post({**aweme("video"), "aweme_type": 101})


# -- accounts and mixes ------------------------------------------------------------------------------------------------


def test_the_facts_of_an_account_are_read(load: Load) -> None:
    """A public profile with its counts, its place and the lasting number of the room it broadcasts in."""
    user = parse.user_of(load("profile"), None)

    assert str(user.ref) == f"douyin:user:{SEC_UID}"
    assert user.author == LIN
    assert user.url == f"https://www.douyin.com/user/{SEC_UID}"
    assert (user.declared, user.followers, user.following, user.mixes) == (63, 1234, 56, 2)
    assert (user.likes_received, user.likes_given, user.likes_are_public) == (99887, 17, True)
    assert (user.region, user.state, user.state_reason) == ("浙江", "public", "")
    assert user.live_room == Ref("douyin", "room", "600112233445")
    assert user.avatar is not None
    assert user.avatar.ext == "jpg"


def test_the_h5_profile_is_the_same_account(load: Load) -> None:
    """`user_info` lacks flags, not the account; digits in strings are numbers; what is not said is None."""
    user = parse.user_of(load("user_info"), None)

    assert user.author == LIN
    assert (user.declared, user.likes_received) == (63, 99887)
    assert (user.likes_given, user.likes_are_public, user.live_room) == (None, None, None)


@pytest.mark.parametrize(
    ("fields", "state", "reason"),
    [
        ({"secret": 1, "special_state_info": {"special_state": 4, "title": "私密账号", "content": "关注账号"}},
         "private", "私密账号：关注账号"),
        ({"is_ban": True}, "banned", ""),
        ({"special_state_info": {"special_state": 1, "title": "账号已被封禁", "content": ""}}, "banned", "账号已被封禁"),
        ({"user_canceled": True}, "cancelled", ""),
        ({"user_deleted": True, "special_state_info": {"special_state": 1, "title": "账号已经注销"}},
         "cancelled", "账号已经注销"),
    ],
    ids=["private", "ban flag", "ban sentence", "cancelled flag", "deleted flag"],
)  # fmt: skip
def test_an_account_that_cannot_be_listed_says_why(load: Load, fields: Raw, state: str, reason: str) -> None:
    """Private, banned and cancelled are states with the platform's own sentence, not errors."""
    user = parse.user({**load("profile")["user"], **fields})

    assert (user.state, user.state_reason) == (state, reason)


def test_a_room_is_named_by_the_broadcast_when_its_number_is_not_given(load: Load) -> None:
    """The string twin is taken: the number `room_id` was rounded on its way."""
    user = parse.user({**load("profile")["user"], "room_data": ""})

    assert user.live_room == Ref("douyin", "room", "7542487426976074550")


def test_a_mix_is_read_from_its_detail_answer(load: Load) -> None:
    """Title, author, declared posts and times of a mix."""
    raw = load("mixes_page")["mix_infos"][0]
    mix = parse.mix_of({"mix_info": raw, "status_code": 0}, Ref("douyin", "mix", "7380000000000000077"))

    assert (mix.title, mix.description, mix.declared) == ("河边四季", "沿河走一年", 24)
    assert mix.author == Author(id=SEC_UID, uid="90071992547409931", handle="lin_xiaohe", nickname="林小河")
    assert mix.created == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert mix.cover is not None


def test_a_series_is_a_mix_of_another_kind() -> None:
    """`series_info` has names of its own."""
    raw = {"series_id": 7600000000000000017, "series_name": "渡口", "stats": {"updated_to_episode": 60}}
    mix = parse.mix_of({"series_info": raw}, Ref("douyin", "series", "7600000000000000017"))

    assert (str(mix.ref), mix.title, mix.declared) == ("douyin:series:7600000000000000017", "渡口", 60)


def test_reading_leaves_the_raw_answer_as_it_was(aweme: Load) -> None:
    """The raw post is kept for those who ask for it, unchanged."""
    raw = aweme("video")
    before: Mapping[str, Any] = copy.deepcopy(raw)

    assert parse.post(raw).raw == before
