"""The one door to yt-dlp, which decrypts what Chromium's family and Safari store; it is no promised interface there."""

from __future__ import annotations

import importlib
import logging
import sqlite3
import struct
from collections.abc import Iterable
from http.cookiejar import Cookie
from pathlib import Path
from typing import Any

from dyvine_cli.errors import InputError, MissingExtra

log = logging.getLogger(__name__)


class _Silence:
    """A logger for yt-dlp that keeps nothing: its messages may quote what it reads."""

    def debug(self, message: str) -> None:
        """Drop it."""

    def info(self, message: str) -> None:
        """Drop it."""

    def warning(self, message: str, only_once: bool = False) -> None:
        """Drop it."""

    def error(self, message: str) -> None:
        """Drop it."""


def require(title: str) -> Any:
    """yt-dlp's module about cookies; `title` is the browser. Raises MissingExtra."""
    try:
        return importlib.import_module("yt_dlp.cookies")
    except ImportError:
        raise MissingExtra(
            f"reading the cookies of {title} needs an extra", hint="pip install 'dyvine-cli[browser]'"
        ) from None


def extract(browser: str, title: str, profile: Path | None) -> list[Cookie]:
    """Every cookie that yt-dlp can decrypt in a profile, with raw ends. None is the browser's usual place.

    Raises MissingExtra, InputError when yt-dlp fails (its words are left out), PermissionError, FileNotFoundError.
    """
    module = require(title)
    try:
        jar: Iterable[Cookie] = module.extract_cookies_from_browser(
            browser, str(profile) if profile else None, _Silence()
        )
        return list(jar)
    except (PermissionError, FileNotFoundError):
        raise
    except _failures(module) as exc:
        log.debug("yt-dlp failed on %s with %s", browser, type(exc).__name__)
        raise InputError(
            f"the cookies of {title} could not be decrypted",
            hint="pip install -U 'dyvine-cli[browser]' and unlock the system's keyring, or export the cookies",
        ) from None


def _failures(module: Any) -> tuple[type[Exception], ...]:
    """What can come out of yt-dlp when a format, a keyring or its own interface is not as expected."""
    own = [importlib.import_module("yt_dlp.utils").YoutubeDLError, getattr(module, "ParserError", None)]
    try:
        own.append(importlib.import_module("secretstorage").exceptions.SecretStorageException)
    except ImportError:
        log.debug("secretstorage is not installed: no keyring of GNOME")
    theirs = [each for each in own if isinstance(each, type)]
    return (*theirs, *_GENERAL)


_GENERAL = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    sqlite3.Error,
    struct.error,
)
