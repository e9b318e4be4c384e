"""TikTok keeps to the contract of a site."""

from __future__ import annotations

from typing import ClassVar

import pytest

from dyvine_cli.models import Ref
from dyvine_cli.simulator.tiktok_world import TIKTOK, TiktokWorld

from ..contract import SiteContract

pytestmark = pytest.mark.anyio

_MANY = TIKTOK.creator(TiktokWorld.ACCOUNTS[200])
assert _MANY is not None


class TestTiktok(SiteContract):
    """Its invented things."""

    site = "tiktok"
    post = Ref("tiktok", "post", TiktokWorld.VIDEO)
    missing = Ref("tiktok", "post", "7000000000000000000")
    user = Ref("tiktok", "user", _MANY.sec_uid)
    nobody = Ref("tiktok", "user", TiktokWorld.MISSING_ACCOUNT)
    mix = Ref("tiktok", "mix", TiktokWorld.PLAYLIST)
    listed = 200
    links: ClassVar[dict[str, Ref]] = {
        f"https://www.tiktok.com/@x/video/{TiktokWorld.VIDEO}": Ref("tiktok", "post", TiktokWorld.VIDEO),
        f"https://www.tiktok.com/@x/photo/{TiktokWorld.PHOTO}?lang=en": Ref("tiktok", "post", TiktokWorld.PHOTO),
        "https://www.tiktok.com/@two.hundred.days": Ref("tiktok", "user", "two.hundred.days"),
        "@two.hundred.days": Ref("tiktok", "user", "two.hundred.days"),
        f"tiktokuser:{_MANY.sec_uid}": Ref("tiktok", "user", _MANY.sec_uid),
        f"https://www.tiktok.com/@x/playlist/a%20b-{TiktokWorld.PLAYLIST}": Ref("tiktok", "mix", TiktokWorld.PLAYLIST),
    }  # fmt: skip
