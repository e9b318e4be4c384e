"""Douyin keeps to the contract of all sites."""

from __future__ import annotations

from typing import ClassVar

import pytest

from dyvine_cli.models import Ref
from dyvine_cli.simulator.world import World

from ..contract import SiteContract

pytestmark = pytest.mark.anyio


class TestDouyin(SiteContract):
    """The contract on the stand-in."""

    site = "douyin"
    post = Ref("douyin", "post", World.VIDEO)
    missing = Ref("douyin", "post", World.MISSING)
    user = Ref("douyin", "user", World.OPEN)
    nobody = Ref("douyin", "user", World.NOBODY)
    mix = Ref("douyin", "mix", World.MIX)
    listed = 24
    links: ClassVar = {
        f"https://www.douyin.com/video/{World.VIDEO}": post,
        f"https://www.iesdouyin.com/share/video/{World.VIDEO}/?region=CN": post,
        f"https://www.douyin.com/user/{World.OPEN}": user,
        f"https://www.douyin.com/collection/{World.MIX}": mix,
    }
