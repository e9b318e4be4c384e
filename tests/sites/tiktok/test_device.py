"""Device ids and tokens: what a page gave, what is drawn, what is sent."""

from __future__ import annotations

import random
from typing import Any

import pytest

from dyvine_cli.sites.tiktok.device import Device, newest_token

CONTEXT = {
    "wid": "7515045088717112839",
    "odinId": "7515045088717112840",
    "webIdCreatedTime": "1749732790",
    "region": "DE",
}
TOKEN = "invented_Token-0001=="
OLDER = "invented_Token-0000=="


def test_a_page_gives_the_ids() -> None:
    """The ids that the page gave its visitor go into every call."""
    device = Device.of_page(CONTEXT)

    assert device is not None
    assert device.query() == {
        "device_id": "7515045088717112839",
        "odinId": "7515045088717112840",
        "WebIdLastTime": "1749732790",
        "region": "DE",
    }


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({"wid": 7515045088717112839}, CONTEXT["wid"], id="number"),
        pytest.param({"wid": ""}, None, id="empty"),
        pytest.param({"wid": None}, None, id="null"),
        pytest.param({"wid": True}, None, id="truth"),
        pytest.param({"wid": "0123"}, None, id="leading-zero"),
        pytest.param({"wid": "1&aid=2"}, None, id="more-than-a-number"),
        pytest.param({"wid": "٧٥١٥"}, None, id="other-digits"),
        pytest.param({"wid": "9" * 21}, None, id="too-long"),
    ],
)
def test_device_id_of_a_page(changed: dict[str, Any], expected: str | None) -> None:
    """Only a number in its form is taken for a device."""
    device = Device.of_page(CONTEXT | changed)

    assert (device and device.device_id) == expected


@pytest.mark.parametrize("region", ["", "de", "DEU", None, "D&"])
def test_ids_that_a_page_does_not_say_are_left_out(region: str | None) -> None:
    """A device is enough; everything else is sent only when it is known and has its form."""
    device = Device.of_page({"wid": "75", "region": region})

    assert device == Device(device_id="75")
    assert device.query() == {"device_id": "75"}


def test_a_profile_keeps_the_ids() -> None:
    """What was kept is the same device again; an empty profile has none."""
    device = Device.of_page(CONTEXT)

    assert device is not None
    assert Device.of_profile(device.kept() | {"uifid": "x"}) == device
    assert Device.of_profile({}) is None


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param(0.0, "7250000000000000000", id="first"),
        pytest.param(1 - 2**-53, "7325099899999994577", id="last"),
    ],
)
def test_range_of_drawn_ids(number: float, expected: str) -> None:
    """A drawn id stays in the range that other tools draw from."""
    device = Device.drawn(lambda: number, now_s=1795305600)

    assert abs(int(device.device_id) - int(expected)) < 2**14
    assert 7250000000000000000 <= int(device.device_id) <= 7325099899999994577
    assert device.created == "1795305600"


def test_drawn_ids_differ() -> None:
    """Another draw is another device."""
    source = random.Random(1).random

    assert len({Device.drawn(source, now_s=1).device_id for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"header": TOKEN, "cookie": OLDER, "known": OLDER}, TOKEN, id="header-first"),
        pytest.param({"cookie": TOKEN, "known": OLDER}, TOKEN, id="cookie-next"),
        pytest.param({"known": OLDER}, OLDER, id="known-last"),
        pytest.param({"header": "", "cookie": "", "known": OLDER}, OLDER, id="empty-ones-change-nothing"),
        pytest.param({"header": "a b&c=d" * 5, "cookie": TOKEN}, TOKEN, id="no-token-is-passed-over"),
        pytest.param({"header": "x" * 600}, "", id="too-long"),
        pytest.param({}, "", id="none"),
    ],
)
def test_newest_token(given: dict[str, str], expected: str) -> None:
    """The token sent next is the newest that the server issued, or empty; never one of our making."""
    assert newest_token(**given) == expected
