"""Douyin as HTML in small: short links, share pages, the challenge before a page and the data inside."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from dyvine_cli.simulator.faults import Faults
from dyvine_cli.simulator.messages import Response
from dyvine_cli.simulator.world import World

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1"


def _location(answer: Response) -> str | None:
    return next((value for name, value in answer.headers if name == "Location"), None)


def _text(answer: Response) -> str:
    assert isinstance(answer.body, bytes)
    return answer.body.decode()


def _render_data(answer: Response) -> Any:
    found = re.search(r'<script id="RENDER_DATA"[^>]*>([^<]*)</script>', _text(answer))
    assert found is not None
    return json.loads(unquote(found[1]))


# -- short links -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "id", "path"),
    [
        ("post", World.VIDEO, f"/share/video/{World.VIDEO}/"),
        ("post", World.IMAGES, f"/share/note/{World.IMAGES}/"),
        ("post", World.SLIDES, f"/share/slides/{World.SLIDES}/"),
        ("post", World.NOTE, f"/share/video/{World.NOTE}/"),
        ("user", World.OPEN, f"/share/user/{World.OPEN}?"),
        ("mix", World.MIX, f"/share/mix/detail/{World.MIX}/"),
    ],
)
def test_short_links_lead_to_share_pages(
    new_browser: Callable[..., Any], world: World, kind: Any, id: str, path: str
) -> None:
    """302 with the right path; long notes are shared as videos, as recorded."""
    answer = new_browser(agent=PHONE).request(world.short_link(kind, id))

    assert answer.status == 302
    assert (_location(answer) or "").startswith(f"https://www.iesdouyin.com{path}")


def test_a_dead_short_link_leads_to_the_front_page(new_browser: Callable[..., Any], world: World) -> None:
    """The code is case sensitive; HEAD is not known."""
    browser = new_browser(agent=PHONE)
    right = world.short_link("post", World.VIDEO)

    assert _location(browser.request(World.DEAD_SHORT)) == "https://www.douyin.com"
    assert (
        _location(browser.request(right.replace("douyin.com/", "douyin.com/X"))) == "https://www.douyin.com"
    )
    assert browser.request(right, method="HEAD").status == 404


@pytest.mark.parametrize(("path", "page"), [("video", "video"), ("note", "note"), ("slides", "note")])
def test_desktops_are_sent_on(new_browser: Callable[..., Any], path: str, page: str) -> None:
    """The second hop for anything but a phone."""
    answer = new_browser().request(f"https://www.iesdouyin.com/share/{path}/{World.VIDEO}/?region=CN")

    assert _location(answer) == f"https://www.douyin.com/{page}/{World.VIDEO}?previous_page=app_code_link"


# -- share pages -------------------------------------------------------------------------------------------------------


def _shared(browser: Any, id: str) -> Any:
    text = _text(browser.request(f"https://www.iesdouyin.com/share/video/{id}/"))
    found = re.search(r"window\._ROUTER_DATA = (\{.*\})</script>", text)
    return json.loads(found[1])["loaderData"]["video_(id)/page"]["videoInfoRes"] if found else None


def test_share_page_of_a_phone_with_ttwid(guest: Any, faults: Faults) -> None:
    """Poor data: a watermarked address, no ladder; nothing without ttwid or with the door closed."""
    guest.agent = PHONE
    item = _shared(guest, World.VIDEO)["item_list"][0]

    assert item["aweme_id"] == World.VIDEO
    assert item["video"]["bit_rate"] is None
    assert "/playwm/" in item["video"]["play_addr"]["url_list"][0]
    faults.set("share-closed", count=1)
    assert _shared(guest, World.VIDEO) is None
    del guest.jar["ttwid"]
    assert _shared(guest, World.VIDEO) is None


@pytest.mark.parametrize(
    ("name", "reason"), [("DELETED", "status_deleted"), ("MISSING", "SYSTEM_ITEM_NOT_EXIST")]
)
def test_share_page_says_why_a_post_is_gone(guest: Any, name: str, reason: str) -> None:
    """The filter list has the reason."""
    guest.agent = PHONE
    shared = _shared(guest, getattr(World, name))

    assert shared["item_list"] == []
    assert shared["filter_list"][0]["filter_reason"] == reason


# -- the challenge -----------------------------------------------------------------------------------------------------


def test_first_page_is_the_challenge(new_browser: Callable[..., Any]) -> None:
    """72 KB and a nonce of 21 digits; without its signature the challenge stays."""
    browser = new_browser()
    first = browser.request("https://www.douyin.com/")

    assert 70_000 < len(first.body) < 74_000
    assert re.fullmatch(r"0[0-9a-f]{20}", browser.jar["__ac_nonce"])
    assert len(browser.request("https://www.douyin.com/jingxuan").body) > 70_000
    assert "UIFID_TEMP" not in browser.jar


def test_a_signed_nonce_opens_the_page_and_gives_a_device_id(guest: Any) -> None:
    """160 hex digits, once: whoever shows one gets no other."""
    del guest.jar["UIFID_TEMP"]
    guest.pass_challenge()
    guest.request("https://www.douyin.com/jingxuan")
    given = guest.jar["UIFID_TEMP"]
    again = guest.request("https://www.douyin.com/jingxuan")

    assert re.fullmatch(r"[0-9a-f]{160}", given)
    assert not [value for name, value in again.headers if name == "Set-Cookie"]
    guest.uifid = given
    assert guest.get("aweme/detail", aweme_id=World.VIDEO)["aweme_detail"]


@pytest.mark.parametrize("wrong", ["nonce", "agent", "site", "text"])
def test_a_wrong_page_signature_is_a_captcha(guest: Any, wrong: str) -> None:
    """About 6 KB with the title of the captcha page."""
    guest.pass_challenge(site="live.douyin.com/" if wrong == "site" else "www.douyin.com/")
    if wrong == "nonce":
        signature = guest.jar["__ac_signature"]
        del guest.jar["__ac_nonce"], guest.jar["__ac_signature"]
        guest.request("https://www.douyin.com/")
        guest.jar["__ac_signature"] = signature
    elif wrong == "agent":
        guest.agent = guest.agent.replace("150", "149")
    elif wrong == "text":
        guest.jar["__ac_signature"] = "_02B4Z6wo00f01x"
    answer = guest.request("https://www.douyin.com/jingxuan")

    assert "验证码中间页" in _text(answer)
    assert 5_000 < len(answer.body) < 7_000


def test_a_nonce_ends_after_half_an_hour(guest: Any, douyin: Any) -> None:
    """Then the challenge comes again."""
    guest.pass_challenge()
    late = guest.douyin._pages._clock() + 1_801
    douyin._pages._clock = lambda: late

    assert len(guest.request("https://www.douyin.com/jingxuan").body) > 70_000


def test_live_page_registers_a_device(new_browser: Callable[..., Any], faults: Faults) -> None:
    """A ttwid always, the device id with `from_nav=1` unless withheld."""
    plain, nav, withheld = new_browser(), new_browser(), new_browser()
    plain.request("https://live.douyin.com/")
    nav.request("https://live.douyin.com/?from_nav=1")
    faults.set("live-uifid-withheld")
    withheld.request("https://live.douyin.com/?from_nav=1")

    assert [set(browser.jar) for browser in (plain, nav, withheld)] == [
        {"ttwid"},
        {"ttwid", "UIFID_TEMP"},
        {"ttwid"},
    ]


# -- the data inside ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["jingxuan?modal_id={}", "video/{}", "?modal_id={}"])
def test_page_data_in_camel_case(guest: Any, address: str) -> None:
    """The same encodings as the API, under the page's names."""
    guest.pass_challenge()
    detail = _render_data(guest.request("https://www.douyin.com/" + address.format(World.VIDEO)))["app"][
        "videoDetail"
    ]
    api = guest.get("aweme/detail", aweme_id=World.VIDEO)["aweme_detail"]

    assert detail["awemeId"] == World.VIDEO
    assert detail["desc"] == api["desc"]
    assert detail["authorInfo"]["secUid"] == api["author"]["sec_uid"]
    assert [gear["gearName"] for gear in detail["video"]["bitRateList"]] == [
        gear["gear_name"] for gear in api["video"]["bit_rate"]
    ]
    assert detail["video"]["bitRateList"][0]["playAddr"][0]["src"].startswith("//")


def test_page_data_of_pictures(guest: Any) -> None:
    """Pictures with their clips."""
    guest.pass_challenge()
    detail = _render_data(guest.request(f"https://www.douyin.com/note/{World.LIVE_PHOTO}"))["app"][
        "videoDetail"
    ]

    assert [bool(image.get("video")) for image in detail["images"]] == [True] * 3 + [False] * 4
    assert detail["images"][0]["urlList"][-1].split("?")[0].endswith(".jpeg")


@pytest.mark.parametrize("fault", ["ssr-closed", "ssr-without-data", "challenge-again"])
def test_pages_can_be_closed(guest: Any, faults: Faults, fault: str) -> None:
    """Captcha, a page without data, or the challenge once more."""
    guest.pass_challenge()
    faults.set(fault)
    answer = guest.request(f"https://www.douyin.com/video/{World.VIDEO}")

    assert answer.status == 200
    assert World.VIDEO not in unquote(_text(answer)).replace(f"/video/{World.VIDEO}", "")
