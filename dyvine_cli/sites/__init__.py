"""The platforms, in the order they are asked what a link means."""

from __future__ import annotations

from dyvine_cli.sites.base import Platform
from dyvine_cli.sites.douyin import Douyin
from dyvine_cli.sites.tiktok import Tiktok

SITES: tuple[type[Platform], ...] = (Douyin, Tiktok)

HOSTS: tuple[str, ...] = tuple(host for site in SITES for host in site.all_hosts)
"""Every platform host: may resolve anywhere over verified TLS, and is what `*` of --connect-to covers."""
