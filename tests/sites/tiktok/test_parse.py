"""Posts, accounts and playlists read from small answers of our own making."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.errors import (
    Deleted,
    DyvineError,
    InReview,
    LoginExpired,
    LoginNeeded,
    Private,
    UnexpectedResponse,
)
from dyvine_cli.models import Author, Mention, Post, Ref, Rendition, Sound, Statistics, Tag
from dyvine_cli.sites.tiktok import page_data, parse, renditions

MIRA = Author(id="", uid="6800000000000000001", handle="mira.holm", nickname="Mira Holm 🌿")
REFERER = {"Referer": "https://www.tiktok.com/"}
TOKEN = "invented+token/=="

Raw = dict[str, Any]
Item = Callable[[str], Raw]


@pytest.fixture
def item(data: Path) -> Item:
    """The raw post of a kind, fresh each time."""

    def _item(kind: str) -> Raw:
        page = json.loads((data / "tiktok" / f"page_{kind}.json").read_text("utf-8"))
        found: Raw = page["__DEFAULT_SCOPE__"]["webapp.video-detail"]["itemInfo"]["itemStruct"]
        return found

    return _item


@pytest.fixture
def info(data: Path) -> Raw:
    """The `userInfo` of a profile page."""
    page = json.loads((data / "tiktok" / "page_user.json").read_text("utf-8"))
    found: Raw = page["__DEFAULT_SCOPE__"]["webapp.user-detail"]["userInfo"]
    return found


def assets(post: Post) -> list[str]:
    """The ids of a post's assets, in order."""
    return [asset.id for asset in post.assets]


def encodings(post: Post, id: str = "video") -> tuple[Rendition, ...]:
    """The renditions of one asset."""
    return next(each for each in post.assets if each.id == id).renditions


# -- words -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("video", ["video", "sound", "cover", "subtitle.deu-DE", "subtitle.eng-US"]),
        ("photo", ["picture_01", "picture_02", "sound", "cover"]),
    ],
)
def test_every_kind_of_post_has_its_assets(item: Item, kind: str, expected: list[str]) -> None:
    """A photo post is told by `imagePost`: it has a `video`, too, an empty one."""
    post = parse.post(item(kind))

    assert post.kind == {"video": "video", "photo": "images"}[kind]
    assert assets(post) == expected
    assert all(each.renditions for each in post.assets)


def test_the_facts_of_a_post_are_read(item: Item) -> None:
    """Author, time, text, exact counts, tags, mentions, playlist, notice and sound come from their fields."""
    raw = item("video")
    post = parse.post(raw)

    assert post.ref == Ref("tiktok", "post", "7600000000000000001")
    assert post.url == "https://www.tiktok.com/@mira.holm/video/7600000000000000001"
    assert post.author.id == raw["author"]["secUid"]
    assert (post.author.uid, post.author.handle, post.author.nickname) == (
        MIRA.uid,
        MIRA.handle,
        MIRA.nickname,
    )
    assert post.created == datetime(2026, 1, 27, 15, 54, 56, tzinfo=UTC)
    assert post.text == "🌅 Morning at the river #river with @Jonas Berg ☀️ #dawn"
    assert (post.title, post.duration, post.region) == ("", 12, "NO")
    assert post.statistics == Statistics(likes=5678, comments=34, favorites=12, shares=9, plays=61400)
    assert post.tags == (
        Tag(name="river", id="1600000000000001"),
        Tag(name="dawn", id="1600000000000002"),
        Tag(name="walks", id="1600000000000003"),
    )
    assert post.mentions == (Mention(user_id="MS4wLjABAAAAinvented-Jonas", name="jonasb"),)
    assert post.mix is not None
    assert str(post.mix.ref) == "tiktok:mix:7700000000000000077"
    assert post.notice == (
        "Participating in this activity could result in you getting hurt. Creator labeled as AI-generated"
    )
    assert isinstance(post.sound, Sound)
    assert (post.sound.ref.id, post.sound.duration, post.sound.original) == (
        "7500000000000000901",
        12.345,
        True,
    )
    assert (post.pinned, post.story, post.ad, post.login_only, post.access) == (False,) * 4 + ("public",)


def test_a_photo_post_keeps_the_order_of_its_pictures(item: Item) -> None:
    """Its title is its own, its pages are numbered, each with mirrors on two hosts; its sound comes along."""
    post = parse.post(item("photo"))
    first, second = encodings(post, "picture_01")[0], encodings(post, "picture_02")[0]

    assert post.url == "https://www.tiktok.com/@mira.holm/photo/7600000000000000002"
    assert (post.title, post.text, post.duration) == ("From the river bed", "Two stones", None)
    assert [("stone1" in first.mirrors[0]), ("stone2" in second.mirrors[0])] == [True, True]
    assert (first.ext, second.ext, len(first.mirrors)) == ("jpg", "webp", 2)
    assert (first.width, first.height, second.height) == (1080, 1440, 1350)
    assert first.expires == datetime.fromtimestamp(1_790_262_000, UTC)
    assert (first.headers, first.mirror_headers) == ({}, {})
    assert encodings(post, "sound")[0].ext == "mp3"


def test_a_mention_without_a_handle_has_the_words_of_the_text(item: Item) -> None:
    """Places in the text are counted in UTF-16 units: the emoji before counts twice."""
    raw = item("video")
    raw["textExtra"][1]["userUniqueId"] = ""

    assert parse.post(raw).mentions[0].name == "Jonas Berg"


def test_marks_are_found_paragraph_by_paragraph(item: Item) -> None:
    """Some answers have them in `contents` only."""
    raw = item("video")
    raw["contents"] = [{"desc": raw["desc"], "textExtra": raw.pop("textExtra")}]

    assert [each.name for each in parse.post(raw).tags] == ["river", "dawn", "walks"]


@pytest.mark.parametrize(
    ("author", "beside", "expected"),
    [
        (None, {}, ("", "", "_")),
        ({"uniqueId": "mira.holm"}, {}, ("mira.holm", "mira.holm", "mira.holm")),
        ("mira.holm", {"authorId": "68", "authorSecId": "MS4w"}, ("MS4w", "mira.holm", "mira.holm")),
        ({"uniqueId": "a/../b", "secUid": "MS4w"}, {}, ("MS4w", "a/../b", "a%2F..%2Fb")),
    ],
    ids=["nobody", "handle only", "handle as text", "a handle with slashes"],
)
def test_an_author_is_read_as_far_as_he_is_named(
    item: Item, author: object, beside: Raw, expected: tuple[str, str, str]
) -> None:
    """Some old posts have none, old containers only a handle; the post's page does not depend on it."""
    post = parse.post({**item("video"), "author": author, **beside})

    assert (post.author.id, post.author.handle, post.url.split("/")[3].removeprefix("@")) == expected


@pytest.mark.parametrize(
    ("field", "attribute"), [("isPinnedItem", "pinned"), ("isAd", "ad")], ids=["pinned", "ad"]
)
def test_flags_of_a_post_are_read(item: Item, field: str, attribute: str) -> None:
    """Pinned posts and advertisements say so."""
    assert getattr(parse.post({**item("video"), field: True}), attribute) is True


def test_rounded_counts_stand_in_for_exact_ones(item: Item) -> None:
    """Without `statsV2`, `stats` counts; a number below zero is an overflow."""
    raw = item("video")
    raw["statsV2"] = None
    raw["stats"]["commentCount"] = -1_614_092_016

    assert parse.post(raw).statistics == Statistics(likes=5700, favorites=12, shares=9, plays=61400)


def test_a_licensed_sound_is_named_without_a_file(item: Item) -> None:
    """Its `playUrl` is empty."""
    raw = item("photo")
    raw["music"]["playUrl"] = ""
    post = parse.post(raw)

    assert post.sound is not None
    assert post.sound.rendition is None
    assert "sound" not in assets(post)


# -- encodings ---------------------------------------------------------------------------------------------------------


def test_the_ladder_is_ordered_and_the_download_is_last(item: Item) -> None:
    """Most pixels, then frames, then H.265; what nobody can play is left out; the page's own file stands once."""
    found = encodings(parse.post(item("video")))
    best = found[0]

    assert [(each.label, each.codec, each.watermarked) for each in found] == [
        ("adapt_lowest_1080_1", "h265", False),
        ("adapt_lower_720_1", "h265", False),
        ("normal_720_0", "h264", False),
        ("normal_540_0", "h264", False),
        ("download", None, True),
    ]
    assert (best.width, best.height, best.fps, best.bit_rate) == (1080, 1920, 60, 1_600_000)
    assert (best.size, best.size_is_exact, best.ext) == (5_000_000, True, "mp4")
    assert (best.md5, best.md5_is_exact) == (f"{0x12:032x}", True)
    assert len(best.mirrors) == 3
    assert best.expires == datetime.fromtimestamp(1_790_262_381, UTC)


def test_addresses_stay_as_they_are(item: Item) -> None:
    """The signature covers every character, the empty `&&` too."""
    raw = item("video")
    given = raw["video"]["bitrateInfo"][1]["PlayAddr"]["UrlList"]

    assert "&&" in given[0]
    assert list(encodings(parse.post(raw))[0].mirrors) == given


def test_a_detail_answer_puts_the_players_address_first(item: Item) -> None:
    """There the media hosts refuse (reported); pages and lists keep their order."""
    mirrors = encodings(parse.post(item("video"), by_detail=True))[0].mirrors

    assert mirrors[0].startswith("https://www.tiktok.com/aweme/v1/play/")
    assert len(mirrors) == 3


@pytest.mark.parametrize("shape", ["values", "one"])
def test_a_ladder_may_be_an_object(item: Item, shape: str) -> None:
    """Reported once: keys to entries, or the entry itself."""
    raw = item("video")
    gears = raw["video"]["bitrateInfo"]
    raw["video"]["bitrateInfo"] = (
        {str(at): each for at, each in enumerate(gears)} if shape == "values" else gears[1]
    )

    assert encodings(parse.post(raw))[0].label == "adapt_lowest_1080_1"


def test_without_a_ladder_the_pages_own_file_is_taken(item: Item) -> None:
    """With its description there are size and MD5, without it only its size."""
    raw = item("video")
    raw["video"]["bitrateInfo"] = []
    described = encodings(parse.post(raw))[0]
    del raw["video"]["PlayAddrStruct"]
    plain = encodings(parse.post(raw))[0]

    assert (described.label, described.size, described.md5, described.codec) == (
        "playAddr",
        4_000_000,
        f"{0x11:032x}",
        "h264",
    )
    assert (plain.label, plain.size, plain.size_is_exact, plain.md5) == ("playAddr", 4_000_000, True, None)
    assert (plain.width, plain.height, len(plain.mirrors)) == (720, 1280, 1)


def test_a_file_with_one_track_is_taken_last(item: Item) -> None:
    """Addresses with `/media-video-hvc1/` have no sound; beside a whole one they are no mirrors."""
    raw = item("video")
    best, second = raw["video"]["bitrateInfo"][1:3]
    best["PlayAddr"]["UrlList"] = [
        "https://v16-webapp-prime.tiktok.com/x/media-video-hvc1/y/?tk=tt_chain_token"
    ]
    second["PlayAddr"]["UrlList"].insert(0, "https://v16-webapp-prime.tiktok.com/x/media-video-hvc1/z/")
    found = encodings(parse.post(raw))

    assert [each.label for each in found if not each.has_sound] == ["adapt_lowest_1080_1"]
    assert found[-2].label == "adapt_lowest_1080_1"
    assert len(found[0].mirrors) == 3


@pytest.mark.parametrize("claimed", ["", "xyz", "0" * 31])
def test_a_hash_that_is_none_is_no_promise(item: Item, claimed: str) -> None:
    """Only 32 hexadecimal digits are enforced."""
    raw = item("video")
    raw["video"]["bitrateInfo"][1]["PlayAddr"]["FileHash"] = claimed
    best = encodings(parse.post(raw))[0]

    assert (best.md5, best.md5_is_exact) == (None, False)


def test_the_first_frame_is_the_cover(item: Item) -> None:
    """A photo post has a cover of its own, with mirrors."""
    raw = item("video")

    assert "/origin~" in encodings(parse.post(raw), "cover")[0].mirrors[0]
    raw["video"]["originCover"] = ""
    assert "/cover~" in encodings(parse.post(raw), "cover")[0].mirrors[0]
    assert len(encodings(parse.post(item("photo")), "cover")[0].mirrors) == 2


def test_of_several_subtitles_in_a_language_the_creators_is_taken(item: Item) -> None:
    """WebVTT before SRT; TikTok's own JSON form is left out; the captions' addresses are mirrors."""
    english = encodings(parse.post(item("video")), "subtitle.eng-US")
    german = encodings(parse.post(item("video")), "subtitle.deu-DE")

    assert [(each.ext, each.label, len(each.mirrors)) for each in english] == [
        ("vtt", "LC", 2),
        ("srt", "LC", 1),
    ]
    assert [(each.ext, each.label) for each in german] == [("vtt", "MT")]
    assert english[0].expires == datetime.fromtimestamp(1_790_262_381, UTC)
    assert (english[0].size, english[0].size_is_exact) == (748, False)


# -- who gets what -----------------------------------------------------------------------------------------------------


def test_only_tiktoks_own_hosts_get_a_referer(item: Item) -> None:
    """Sounds, pictures and covers are on other hosts, which do not ask for it."""
    post = parse.post(item("video"))
    sent = {
        url: renditions.headers_for(each, url)
        for asset in post.assets
        for each in asset.renditions
        for url in each.mirrors
    }

    assert {url for url, headers in sent.items() if headers} == {url for url in sent if ".tiktok.com/" in url}
    assert all(headers in ({}, REFERER) for headers in sent.values())


def test_the_chain_cookie_goes_to_the_addresses_that_ask_for_it_only(item: Item) -> None:
    """With Referer, and to no host of another domain, no subtitle, no picture."""
    post = parse.unlocked(parse.post(item("video")), TOKEN)
    sent = {
        url: renditions.headers_for(each, url).get("Cookie")
        for asset in post.assets
        for each in asset.renditions
        for url in each.mirrors
    }
    asking = {url for url in sent if "tk=tt_chain_token" in url}

    assert len(asking) == 4 * 3 + 1
    assert all(sent[url] == f"tt_chain_token={TOKEN}" for url in asking)
    assert not any(sent[url] for url in sent if url not in asking)
    best = encodings(post)[0]
    assert renditions.headers_for(best, best.mirrors[0])["Referer"] == REFERER["Referer"]


@pytest.mark.parametrize(
    "url",
    [
        "https://v16.tiktok.com/x/?tk=sessionid",
        "https://v16.tiktok.com/x/?tk=tt_chain_token&tk=sessionid",
        "https://v16.tiktok.com.evil.example/x/?tk=tt_chain_token",
        "https://eviltiktok.com/x/?tk=tt_chain_token",
        "https://v16.tiktokcdn.com/x/?tk=tt_chain_token",
        "http://v16.tiktok.com/x/?tk=tt_chain_token",
        "https://v16.tiktok.com/x/?n=tk=tt_chain_token",
    ],
    ids=["login", "two", "suffix", "prefix", "cdn", "plain http", "another parameter"],
)
def test_an_address_cannot_ask_for_another_cookie_or_for_another_host(url: str) -> None:
    """The name in `tk` comes from the platform; it never decides which cookie is sent, nor a look-alike host."""
    rendition = renditions.unlocked(Rendition(mirrors=(url,), ext="mp4"), TOKEN)

    assert rendition.mirror_headers == {}


@pytest.mark.parametrize("token", ["", "a;b", "a\r\nX: y", "a b", "é", "a" * 2000])
def test_a_token_that_is_no_cookie_value_is_not_sent(item: Item, token: str) -> None:
    """Nothing that could end the header or begin another cookie."""
    post = parse.post(item("video"))

    assert parse.unlocked(post, token) == post


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "https://user:word@v16.tiktok.com/x",
        "https://[::1/x",
        "javascript:alert(1)",
        "ftp://h/x",
    ],
)
def test_addresses_that_are_no_web_addresses_are_left_out(item: Item, url: str) -> None:
    """Only http and https without a login inside are media addresses."""
    raw = item("video")
    raw["video"]["bitrateInfo"][1]["PlayAddr"]["UrlList"].insert(0, url)
    raw["music"]["playUrl"] = url
    post = parse.post(raw)

    assert "sound" not in assets(post)
    assert url not in encodings(post)[0].mirrors


# -- who may see a post ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "access", "error"),
    [
        ({"takeDown": 1}, "prohibited", Deleted),
        ({"isProhibited": True}, "prohibited", Deleted),
        ({"privateItem": True}, "private", Private),
        ({"secret": True}, "private", Private),
        ({"forFriend": True}, "friends", Private),
        ({"isReviewing": True}, "in_review", InReview),
    ],
    ids=["taken down", "prohibited", "private", "secret", "friends", "reviewing"],
)
def test_a_withheld_post_says_why(item: Item, fields: Raw, access: str, error: type[DyvineError]) -> None:
    """A post without media carries its access, and asking for it raises the error of that name."""
    post = parse.post({**item("video"), **fields, "video": {"playAddr": ""}})

    assert post.access == access
    with pytest.raises(error, match=post.ref.id):
        parse.ensure_available(post)


@pytest.mark.parametrize("login", [False, True])
def test_a_gated_post_asks_for_a_login(item: Item, login: bool) -> None:
    """`isContentClassified` without a video is the gate; with one it is a label only."""
    gated = parse.post({**item("video"), "isContentClassified": True, "video": None})

    assert gated.login_only
    assert not parse.post({**item("video"), "isContentClassified": True}).login_only
    with pytest.raises(LoginNeeded) as told:
        parse.ensure_available(gated, login=login)
    assert not isinstance(told.value, LoginExpired)


@pytest.mark.parametrize(
    ("kind", "fields", "named"),
    [
        ("video", {"video": {"playAddr": ""}}, r"video\.playAddr"),
        ("video", {"video": None}, r"video\.playAddr"),
        ("photo", {"imagePost": {"images": [], "title": "x"}}, r"imagePost\.images"),
        (
            "photo",
            {"imagePost": {"images": [{"imageURL": {"urlList": []}}]}},
            r"images\[0\]\.imageURL\.urlList",
        ),
    ],
    ids=["no address", "no video", "no pictures", "a picture without address"],
)
def test_an_open_post_without_media_is_an_unexpected_answer(
    item: Item, kind: str, fields: Raw, named: str
) -> None:
    """No reason and no media: the platform changed, and the field is named."""
    with pytest.raises(UnexpectedResponse, match=named):
        parse.post({**item(kind), **fields})


# -- accounts and playlists --------------------------------------------------------------------------------------------


def test_the_facts_of_an_account_are_read(info: Raw) -> None:
    """Exact counts come first; those of `stats` are rounded and overflow."""
    user = parse.user(info)

    assert user.ref == Ref("tiktok", "user", info["user"]["secUid"])
    assert (user.uid, user.handle, user.nickname) == (MIRA.uid, MIRA.handle, MIRA.nickname)
    assert user.url == "https://www.tiktok.com/@mira.holm"
    assert (user.declared, user.followers, user.following) == (63, 1234, 56)
    assert (user.likes_received, user.likes_given, user.likes_are_public) == (99887, 17, True)
    assert (user.state, user.verified, user.region, user.live_room) == ("public", "verified", "NO", None)
    assert user.avatar is not None
    assert "1080:1080" in user.avatar.mirrors[0]


def test_hidden_likes_are_not_none_at_all(info: Raw) -> None:
    """An account that hides them is said to have given 0; one that shows them may really have."""
    info["statsV2"]["diggCount"] = "0"
    shown = parse.user(info)
    info["user"]["openFavorite"] = False
    hidden = parse.user(info)
    del info["user"]["openFavorite"]

    assert (shown.likes_given, shown.likes_are_public) == (0, True)
    assert (hidden.likes_given, hidden.likes_are_public) == (None, False)
    assert parse.user(info).likes_are_public is None


def test_overflowed_likes_are_not_believed(info: Raw) -> None:
    """`heartCount` ran over in `stats` (recorded); `heart` did not."""
    del info["statsV2"]

    assert parse.user(info).likes_received == 100_000


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"privateAccount": True}, "private"),
        ({"secret": True}, "private"),
        ({"privateAccount": True, "relation": 1}, "public"),
        ({"privateAccount": True, "relation": 2}, "public"),
        ({"privateAccount": True, "relation": 4}, "private"),
    ],
    ids=["private", "secret", "followed", "friends", "asked"],
)
def test_a_private_account_is_open_to_its_followers(info: Raw, fields: Raw, state: str) -> None:
    """State is public when the posts can be listed by us."""
    info["user"].update(fields)

    assert parse.user(info).state == state


@pytest.mark.parametrize(("status", "room"), [(2, "7500000000000000055"), (4, None), (None, None)])
def test_a_room_id_alone_is_no_broadcast(info: Raw, status: int | None, room: str | None) -> None:
    """`roomId` stays after the end."""
    info["user"].update({"roomId": "7500000000000000055", "status": status})
    found = parse.user(info).live_room

    assert (found.id if found else None) == room


@pytest.mark.parametrize(
    "cover", ["https://p16.tiktokcdn.com/list~x.jpeg", {"urlList": ["https://p16.tiktokcdn.com/list~x.jpeg"]}]
)
def test_a_playlist_is_read(cover: object) -> None:
    """Its names, count, creator and cover, which comes as an address or an object."""
    raw = {
        "mixId": "77",
        "mixName": "River walks",
        "videoCount": 24,
        "cover": cover,
        "creator": {"secUid": "MS4w"},
    }
    mix = parse.mix_of({"mixInfo": raw, "statusCode": 0}, Ref("tiktok", "mix", "77"))

    assert (str(mix.ref), mix.title, mix.declared) == ("tiktok:mix:77", "River walks", 24)
    assert mix.author is not None
    assert mix.author.id == "MS4w"
    assert mix.cover is not None


def test_reading_leaves_the_raw_answer_as_it_was(item: Item) -> None:
    """The raw post is kept for those who ask for it, unchanged."""
    raw = item("video")
    before = copy.deepcopy(raw)

    assert parse.post(raw).raw == before


def test_an_entry_of_a_list_is_a_playlist(item: Item) -> None:
    """`playList` and `mixInfo` have one shape; a post knows only the id of its playlist."""
    mix = parse.mix({"id": "7700000000000000077", "name": "River walks"})
    known = parse.post(item("video")).mix

    assert known is not None
    assert (mix.ref, mix.title, mix.declared, mix.author) == (known.ref, "River walks", None, None)


@pytest.mark.parametrize(
    ("type", "ext"), [("audio_mpeg", "mp3"), ("audio_mp4", "m4a"), ("text_html", "mp3"), ("video_mp4", "mp3")]
)
def test_a_sounds_type_is_taken_from_a_fixed_list_only(item: Item, type: str, ext: str) -> None:
    """The address names it in `mime_type`; a value from there never becomes an extension by itself."""
    raw = item("photo")
    raw["music"]["playUrl"] = f"https://v77.tiktokcdn.com/x/?mime_type={type}"

    assert encodings(parse.post(raw), "sound")[0].ext == ext


def test_a_post_may_be_without_sound_and_playlist(item: Item) -> None:
    """What is not said is None."""
    post = parse.post({**item("video"), "music": None, "playlistId": "", "warnInfo": None, "IsAigc": False})

    assert (post.sound, post.mix, post.notice) == (None, None, "")


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        pytest.param(
            '{"acrawler":"https://sf16.x.com/obj/webmssdk/2.0.0.561/webmssdk.js"}', "2.0.0.561", id="plain"
        ),
        pytest.param(
            r"https:\u002F\u002Fx\u002Fwebmssdk\u002F1.0.0.417\u002Fwebmssdk.js", "1.0.0.417", id="escaped"
        ),
        pytest.param("<html>webmssdk.js</html>", None, id="none"),
    ],
)
def test_the_build_that_a_page_names(page: str, expected: str | None) -> None:
    """The SDK's version stands in its address, so that a new one is noticed."""
    assert page_data.build_named_by(page) == expected
