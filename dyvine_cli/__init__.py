"""Keep what is published on Douyin and TikTok.

`async with Client() as client: post = await client.post(url)`; `async for post in client.posts(url)`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dyvine_cli._version import VERSION as __version__  # noqa: N811 - the name every package has
    from dyvine_cli.client import Client
    from dyvine_cli.errors import (
        ArchiveError,
        Banned,
        Busy,
        ConfigError,
        ContentChanged,
        Deleted,
        DiskError,
        DiskFull,
        DyvineError,
        InputError,
        InReview,
        LinkExpired,
        ListingIncomplete,
        LoginExpired,
        LoginNeeded,
        MissingExtra,
        NetworkError,
        NotFound,
        NotInRegion,
        NotLive,
        NotWritable,
        Paid,
        Private,
        ProxyFailure,
        RateLimited,
        Refused,
        RiskControl,
        SignatureRejected,
        SiteError,
        StorageError,
        Timeout,
        TLSFailure,
        Truncated,
        UnexpectedResponse,
        UnsupportedURL,
    )
    from dyvine_cli.models import (
        Asset,
        Author,
        Mix,
        Page,
        Post,
        Ref,
        Rendition,
        Sound,
        Statistics,
        User,
    )

_MODELS = ("Asset", "Author", "Mix", "Page", "Post", "Ref", "Rendition", "Sound", "Statistics", "User")

__all__ = [
    "ArchiveError",
    "Asset",
    "Author",
    "Banned",
    "Busy",
    "Client",
    "ConfigError",
    "ContentChanged",
    "Deleted",
    "DiskError",
    "DiskFull",
    "DyvineError",
    "InReview",
    "InputError",
    "LinkExpired",
    "ListingIncomplete",
    "LoginExpired",
    "LoginNeeded",
    "MissingExtra",
    "Mix",
    "NetworkError",
    "NotFound",
    "NotInRegion",
    "NotLive",
    "NotWritable",
    "Page",
    "Paid",
    "Post",
    "Private",
    "ProxyFailure",
    "RateLimited",
    "Ref",
    "Refused",
    "Rendition",
    "RiskControl",
    "SignatureRejected",
    "SiteError",
    "Sound",
    "Statistics",
    "StorageError",
    "TLSFailure",
    "Timeout",
    "Truncated",
    "UnexpectedResponse",
    "UnsupportedURL",
    "User",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for, so that `dyvine --version` costs nothing."""
    if name == "__version__":
        return import_module("dyvine_cli._version").VERSION
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = "client" if name == "Client" else "models" if name in _MODELS else "errors"
    return getattr(import_module(f"dyvine_cli.{room}"), name)
