"""TikTok: what is known of it without asking it anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dyvine_cli.models import Listing, Ref
from dyvine_cli.sites.tiktok import urls

if TYPE_CHECKING:
    from dyvine_cli.http.api import Answer, ApiClient
    from dyvine_cli.sites.base import Site

PAGE_SIZE = 30
"""Posts asked for in a call: 16 on the page itself, 30 and 35 in tools, 35 at most (reported 2026)."""
OTHER_HOSTS = (
    "tiktokcdn.com",
    "tiktokcdn-us.com",
    "tiktokcdn-eu.com",
    "tiktokcdn-in.com",
    "tiktokw.us",
    "ttwstatic.com",
    "ibytedtos.com",
    "byteoversea.com",
)
"""Domains of its media (public notes of 2026-10); links to them mean nothing."""


class Tiktok:
    """What is known of TikTok."""

    name = "tiktok"
    title = "TikTok"
    hosts = urls.HOSTS
    all_hosts = (*urls.HOSTS, *OTHER_HOSTS)
    pace = Path(__file__).with_name("pace.toml")
    page_size = PAGE_SIZE

    home = "https://www.tiktok.com/"
    sample = Ref("tiktok", "post", "6748451240264420610")
    """A public video that yt-dlp's tests name, for those who ask whether TikTok answers at all."""

    signed_route = "api"
    """The way to a post that needs a signature."""

    @staticmethod
    def visit(http: ApiClient, *, constants: Path | None = None) -> Site:
        """The site as it is spoken to; see `Platform.visit`."""
        from dyvine_cli.sites.tiktok.site import TiktokSite  # its rooms are loaded for those who ask it

        return TiktokSite(http, constants=constants)

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
        return "signed_list" if ref.kind == "user" and what != "mixes" else "list"

    @staticmethod
    def reread(answer: Answer) -> str | None:
        """What a recorded answer is, read again by its parser; see `replay.reread`."""
        from dyvine_cli.sites.tiktok import replay

        return replay.reread(answer)
