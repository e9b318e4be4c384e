"""Douyin: what is known of it without asking it anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dyvine_cli.models import Listing, Ref
from dyvine_cli.sites.douyin import urls

if TYPE_CHECKING:
    from dyvine_cli.http.api import Answer, ApiClient
    from dyvine_cli.sites.base import Site

PAGE_SIZE = 18
"""Posts in a page of a listing (Douyin caps them at about 20)."""
OTHER_HOSTS = (
    "amemv.com",
    "snssdk.com",
    "bytedance.com",
    "zijieapi.com",
    "douyinvod.com",
    "douyinpic.com",
    "douyinstatic.com",
    "douyincdn.com",
    "byteimg.com",
    "zjcdn.com",
    "ixigua.com",
)
"""Domains of its calls and of its media (public notes of 2026-09); links to them mean nothing."""


class Douyin:
    """What is known of Douyin."""

    name = "douyin"
    title = "Douyin"
    hosts = urls.HOSTS
    all_hosts = (*urls.HOSTS, *OTHER_HOSTS)
    pace = Path(__file__).with_name("pace.toml")
    page_size = PAGE_SIZE

    home = "https://www.douyin.com/"
    sample = Ref("douyin", "post", "7372484719365098803")
    """A public video that documentation of this field shows, for those who ask whether Douyin answers at all."""

    signed_route = "web"
    """The way to a post that stands behind every gate."""

    @staticmethod
    def visit(http: ApiClient, *, constants: Path | None = None) -> Site:
        """The site as it is spoken to; see `Platform.visit`."""
        from dyvine_cli.sites.douyin.site import DouyinSite  # its rooms are loaded for those who ask it

        return DouyinSite(http, constants=constants)

    @staticmethod
    def match(text: str) -> Ref | None:
        """What a link or bare id means here; see `Platform.match`."""
        return urls.match(text)

    @staticmethod
    def url(ref: Ref) -> str:
        """The address a person would open for this ref."""
        return urls.url(ref)

    @staticmethod
    def call(ref: Ref, what: Listing | None) -> str:
        """The budget's class of a listing's calls."""
        return "list"

    @staticmethod
    def reread(answer: Answer) -> str | None:
        """What a recorded answer is, read again by its parser; see `replay.reread`."""
        from dyvine_cli.sites.douyin import replay

        return replay.reread(answer)
