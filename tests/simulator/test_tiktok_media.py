"""TikTok's files: addresses bound to a cookie, hosts, ends, hashes and subtitles."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from dyvine_cli.simulator.app import Clock
from dyvine_cli.simulator.faults import Faults
from dyvine_cli.simulator.messages import Request
from dyvine_cli.simulator.tiktok_media import FORMS_OF_TEXT, TiktokMedia, subtitle
from dyvine_cli.simulator.tiktok_world import TIKTOK

pytestmark = pytest.mark.anyio


async def whole(answer: Any) -> bytes:
    """The body, however it is sent."""
    if isinstance(answer.body, bytes):
        return answer.body
    return b"".join([chunk async for chunk in answer.body])


async def test_every_encoding_is_as_long_and_as_it_says(visitor: Any) -> None:
    """DataSize and FileHash are true for both hosts of each gear, and the picture sizes fall."""
    video = visitor.item(TIKTOK.VIDEO)["video"]
    for entry in video["bitrateInfo"]:
        addr = entry["PlayAddr"]
        for url in addr["UrlList"][:2]:
            answer = visitor.fetch(url)
            data = await whole(answer)

            assert answer.status == 200
            assert str(len(data)) == addr["DataSize"]
            assert hashlib.md5(data).hexdigest() == addr["FileHash"]
    assert video["playAddr"] == video["PlayAddrStruct"]["UrlList"][0]
    assert video["size"] == video["PlayAddrStruct"]["DataSize"]


async def test_the_redirect_leads_to_the_same_file_without_cookie(visitor: Any) -> None:
    """302 to a CDN that wants no cookie and gets none."""
    addr = visitor.item(TIKTOK.SMALL)["video"]["bitrateInfo"][0]["PlayAddr"]
    answer = visitor.fetch(addr["UrlList"][2])
    location = dict(answer.headers)["Location"]

    assert answer.status == 302
    assert urlsplit(location).netloc.endswith("tiktokcdn-eu.com")
    assert hashlib.md5(await whole(visitor.fetch(location))).hexdigest() == addr["FileHash"]


def _play(visitor: Any) -> str:
    url: str = visitor.item(TIKTOK.SMALL)["video"]["playAddr"]
    return url


REFUSALS = {
    "another end": lambda url: url.replace("expire=1790972800", "expire=1790972801"),
    "another order": lambda url: url.replace("&policy=2", "").replace("?", "?policy=2&"),
    "tidied up": lambda url: url.replace("&&", "&"),
    "encoded anew": lambda url: url.replace("%3D%3D", "=="),
    "without signature": lambda url: url.partition("&signature=")[0],
    "another file": lambda url: url.replace("/o4", "/o5"),
}


@pytest.mark.parametrize("change", REFUSALS.values(), ids=REFUSALS.keys())
def test_an_address_must_not_be_changed(visitor: Any, change: Any) -> None:
    """403 or 404 for anything but the text that the page had."""
    url = _play(visitor)
    assert change(url) != url

    assert visitor.fetch(change(url)).status in (403, 404)


def test_the_chain_cookie_and_the_referer_are_wanted(visitor: Any) -> None:
    """Each missing alone is 403, and the user agent does not matter (reported, 2026-09-28)."""
    url = _play(visitor)
    assert visitor.fetch(url, **{"user-agent": "anything"}).status == 200
    assert visitor.fetch(url, referer="").status == 403
    assert visitor.fetch(url, referer="https://example.com/").status == 403
    chain = visitor.jar.pop("tt_chain_token")
    assert visitor.fetch(url).status == 403
    visitor.jar["tt_chain_token"] = chain[::-1]

    assert visitor.fetch(url).status == 403


def test_a_page_without_chain_cookie_gives_addresses_that_do_not_work(newcomer: Any, faults: Faults) -> None:
    """The cookie is what they are bound to."""
    faults.set("chain-withheld")
    url = _play(newcomer)

    assert newcomer.fetch(url).status == 403


def test_a_range_of_a_video(visitor: Any) -> None:
    """206 with the same validator as the whole."""
    url = _play(visitor)
    part, all_of_it = visitor.fetch(url, range="bytes=100-199"), visitor.fetch(url)

    assert part.status == 206
    assert dict(part.headers)["Content-Range"] == "bytes 100-199/300000"
    assert dict(part.headers)["ETag"] == dict(all_of_it.headers)["ETag"]


def test_credentials_at_a_cdn_are_refused_and_noted(visitor: Any, tiktok_media: TiktokMedia) -> None:
    """No cookie for tiktokcdn; at tiktok.com others than the chain are noted, as browsers send them."""
    sound = visitor.item(TIKTOK.PHOTO)["music"]["playUrl"]
    assert visitor.fetch(sound).status == 200
    assert visitor.fetch(sound, cookie="sessionid=x").status == 403
    assert visitor.request(_play(visitor)).status == 200

    noted = {leak.header for leak in tiktok_media.leaks}
    assert noted == {"cookie", "cookie ttwid", "cookie msToken", "cookie tt_csrf_token"}


def test_links_end_when_they_say(faults: Faults, visitor: Any) -> None:
    """Videos after 48 hours, sounds after 12, pictures after 47."""
    item = visitor.item(TIKTOK.PHOTO)
    urls = {
        "video": (_play(visitor), 48),
        "sound": (item["music"]["playUrl"], 12),
        "picture": (item["imagePost"]["images"][0]["imageURL"]["urlList"][0], 47),
    }
    clock = Clock(lambda: visitor.now)
    visitor.media.clock = clock
    for hours in (1, 13, 47.5, 48.5):
        clock.advance(hours * 3600 - clock.ahead)
        for url, life in urls.values():
            assert visitor.fetch(url).status == (200 if hours < life else 403)


def test_links_end_by_a_switch_and_new_ones_work(visitor: Any, faults: Faults) -> None:
    """What a fault ended comes back with a fresh page."""
    url = _play(visitor)
    faults.set("expired-link", count=1)
    assert visitor.fetch(url).status == 403
    assert visitor.fetch(url).status == 403

    assert visitor.fetch(_play(visitor)).status == 200


def test_photos_have_two_equal_mirrors_and_a_sound(visitor: Any) -> None:
    """Order, sizes and types; the title is another text than the caption."""
    item = visitor.item(TIKTOK.WEBP)
    post = item["imagePost"]
    mimes = [
        [dict(visitor.fetch(url).headers)["Content-Type"] for url in image["imageURL"]["urlList"]]
        for image in post["images"]
    ]

    assert mimes == [["image/jpeg"] * 2, ["image/webp"] * 2] * 2
    assert "audio_mp4" in item["music"]["playUrl"]
    assert dict(visitor.fetch(item["music"]["playUrl"]).headers)["Content-Type"] == "audio/mp4"
    assert post["title"] not in ("", item["desc"])
    assert item["video"]["playAddr"] == ""


def test_a_picture_without_its_query_is_refused(visitor: Any) -> None:
    """The signature covers all of it."""
    url = visitor.item(TIKTOK.ONE_PHOTO)["imagePost"]["images"][0]["imageURL"]["urlList"][0]

    assert visitor.fetch(url).status == 200
    assert visitor.fetch(url.partition("?")[0]).status == 403
    assert visitor.fetch(url.replace("dr=10375", "dr=1")).status == 403
    assert visitor.fetch(url.replace("~tplv-photomode-image", "~tplv-other")).status == 403


def test_embedded_videos_need_nothing(visitor: Any) -> None:
    """No cookie, no Referer; photos have no address."""
    handle = TIKTOK.ACCOUNTS[12]
    node = visitor.embedded(handle)["source"]["data"][f"/embed/@{handle}"]
    videos = [post for post in node["videoList"] if post["playAddr"]]
    visitor.jar = {}

    assert all(visitor.fetch(post["playAddr"], referer="").status == 200 for post in videos)
    assert {post["width"] for post in node["videoList"] if not post["playAddr"]} == {0}


def test_subtitles_are_there_in_each_form(visitor: Any) -> None:
    """Their size is true, the redirect gives the same text, a changed address nothing."""
    video = visitor.item(TIKTOK.SUBTITLES)["video"]
    for told, again in zip(video["subtitleInfos"], video["claInfo"]["captionInfos"], strict=True):
        answer = visitor.fetch(told["Url"])
        redirected = dict(visitor.fetch(again["urlList"][2]).headers)["Location"]

        assert answer.status == 200
        assert len(answer.body) == int(told["Size"])
        assert visitor.fetch(redirected).body == answer.body
        assert visitor.fetch(told["Url"].replace("bt=2051", "bt=1")).status == 403
    assert [told["Format"] for told in video["subtitleInfos"]] == [
        "webvtt",
        "webvtt",
        "srt",
        "creator_caption",
    ]


@pytest.mark.parametrize("form", FORMS_OF_TEXT)
@pytest.mark.parametrize("seed", range(4))
def test_a_subtitle_is_a_real_file(form: Any, seed: int) -> None:
    """UTF-8 with head, times and texts of its form."""
    text = subtitle(form, seed).decode()
    if form == "creator_caption":
        assert json.loads(text)["utterances"][0]["end_time"] == 2000
        return
    assert text.startswith("WEBVTT\n\n00:00:00.000 --> " if form == "webvtt" else "1\n00:00:00,000 --> ")
    assert text.count(" --> ") >= 5


def test_subtitles_end_too(visitor: Any, faults: Faults) -> None:
    """By the clock of their address and by a switch."""
    url = visitor.item(TIKTOK.SUBTITLES)["video"]["subtitleInfos"][0]["Url"]
    faults.set("expired-link", where="subtitle")

    assert visitor.fetch(url).status == 403


def test_the_detail_api_gives_redirects_only(visitor: Any) -> None:
    """Its other mirrors are 403; the redirect needs no cookie there."""
    item = visitor.get("item/detail", itemId=TIKTOK.SMALL)["itemInfo"]["itemStruct"]
    first, second, redirect = item["video"]["PlayAddrStruct"]["UrlList"]
    assert [visitor.fetch(url).status for url in (first, second)] == [403, 403]
    visitor.jar = {}

    assert visitor.fetch(redirect).status == 302


def test_a_single_track_encoding_is_not_there(visitor: Any, faults: Faults) -> None:
    """The switch gives the best gear a path that answers 404 (yt-dlp #16622)."""
    faults.set("media-video")
    entry = visitor.item(TIKTOK.VIDEO)["video"]["bitrateInfo"][0]

    assert [visitor.fetch(url).status for url in entry["PlayAddr"]["UrlList"]] == [404, 404]


def test_the_first_mirror_is_known(visitor: Any, tiktok_media: TiktokMedia) -> None:
    """So that `dead-mirror` kills that one only."""
    urls = visitor.item(TIKTOK.SMALL)["video"]["PlayAddrStruct"]["UrlList"]
    firsts = []
    for url in urls:
        parts = urlsplit(url)
        asked = Request(method="GET", host=parts.netloc, path=parts.path, query=parts.query, headers={})
        firsts.append(tiktok_media.is_first_mirror(asked))

    assert firsts == [True, False, False]


@pytest.mark.parametrize(
    "url",
    [
        "https://v16-webapp-prime.tiktok.com/video/tos/x/oAAAAAAAAAAAAAAAAAAAAAA/?signature=1",
        "https://p16-common-sign.tiktokcdn-eu.com/tos/00000000000000000000000000000000~tplv-x.jpeg",
        "https://v16-webapp.tiktok.com/00/00/video/",
        "https://v45.tiktokcdn-eu.com/nothing",
        "https://www.tiktok.com/aweme/v1/play/?file_id=zz&signaturev3=AAAA",
        "https://www.tiktok.com/aweme/v1/play/",
    ],
)
def test_unknown_objects_are_refused_not_raised(newcomer: Any, url: str) -> None:
    """Whatever is asked for at a media host gets an answer."""
    assert newcomer.fetch(url).status in (403, 404)
