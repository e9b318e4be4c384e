"""Chromium and its family: finding the profile and its cookies ourselves, decrypting the site's values with yt-dlp."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dyvine_cli.browsers import ytdlp
from dyvine_cli.browsers.database import columns, copied, last_used, opened
from dyvine_cli.browsers.machine import TITLES, Machine, chromium_roots, is_path
from dyvine_cli.browsers.rows import Row, belongs, jar, none_of
from dyvine_cli.cookies import Cookie
from dyvine_cli.errors import InputError

log = logging.getLogger(__name__)

_DATABASES = ("Network/Cookies", "Cookies")  # Chromium 96 moved it on some systems
_STATE = "Local State"
_EPOCH = 11_644_473_600  # seconds from 1601, where Chromium's clock begins, to 1970


def read(browser: str, profile: str | None, *, site: str, machine: Machine) -> tuple[Cookie, ...]:
    """The site's cookies in a profile; see `browsers.read`. Raises InputError, MissingExtra, OSError."""
    title = TITLES[browser]
    place = _locate(browser, profile, machine)
    source = f"{title} profile {place.name}"
    ytdlp.require(title)
    with copied(place.database, title) as copy:
        with opened(copy, write=True) as connection:
            stored = _keep(connection, site, place, title)
        if any(each.bound for each in stored):
            raise InputError(
                f"{source}: on Windows {title} ties its cookies to itself, no other program can read them",
                hint="export the cookies with an extension, or log in with Firefox and name firefox",
            )
        values = _values(browser, copy, place, title)
    # A wrong key often yields an empty value; an empty cookie is of no use anyway.
    rows = [each.row(values[each.key]) for each in stored if values.get(each.key)]
    if not rows:
        raise InputError(
            f"{source}: the cookies of {site} could not be decrypted", hint=_keyring_hint(machine.platform)
        )
    if lost := len(stored) - len(values):
        log.warning("%s: %d of %d cookies of %s could not be decrypted", source, lost, len(stored), site)
    return jar(rows, site=site, source=source)


def _keyring_hint(platform: str) -> str:
    if platform == "linux":
        return (
            "unlock the desktop's keyring; on GNOME also `pip install secretstorage`; or export the cookies"
        )
    return "run as the user whose browser it is and allow the access to its key, or export the cookies"


# -- the profile -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Profile:
    """A profile's folder, and the name that the browser shows for it, empty if it tells none."""

    folder: Path
    shown: str = ""

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def database(self) -> Path:
        places = [self.folder / place for place in _DATABASES]
        return max(places, key=last_used)


def _locate(browser: str, profile: str | None, machine: Machine) -> _Profile:
    """The profile meant, one that has cookies; of several installations the one that was used last."""
    title = TITLES[browser]
    if profile is not None and is_path(profile):
        return _at(machine.path(profile), title)
    places = chromium_roots(browser, machine)
    roots = [root for root in places if root.is_dir()]
    if not roots:
        looked = ", ".join(str(place) for place in places)
        raise InputError(
            f"{title} has no profiles here; looked in {looked}",
            hint=f"give the profile's folder: {browser}:/path/to/profile",
        )
    if profile is None:
        chosen = [each for root in roots if (each := _default(root)) is not None]
    else:
        chosen = [each for root in roots for each in _profiles(root) if profile in (each.name, each.shown)]
    if chosen:
        return max(chosen, key=lambda each: last_used(each.database))
    names = sorted({each.name for root in roots for each in _profiles(root)})
    raise InputError(
        f"{title} has no profile {profile!r} with cookies" if profile else f"{title} has no cookies yet",
        hint=f"profiles with cookies: {', '.join(names)}" if names else f"start {title} and log in there",
    )


def _at(path: Path, title: str) -> _Profile:
    """The profile at a path: its folder, its cookie file, or the default one of a user data folder."""
    if path.is_file():
        return _Profile(path.parent.parent if path.parent.name == "Network" else path.parent)
    if _has_cookies(path):
        return _Profile(path)
    inside = _default(path) if path.is_dir() else None
    if inside is not None:
        return inside
    raise InputError(
        f"{path}: no profile of {title} there" if path.exists() else f"{path}: there is no such folder",
        hint=f"give the Profile Path that chrome://version shows in {title}",
    )


def _has_cookies(folder: Path) -> bool:
    return any((folder / place).is_file() for place in _DATABASES)


def _profiles(root: Path) -> list[_Profile]:
    """The profiles with cookies below a user data folder."""
    shown = _state(root).get("info_cache")
    names = shown if isinstance(shown, dict) else {}
    return [
        _Profile(
            folder, str(facts.get("name", "")) if isinstance(facts := names.get(folder.name), dict) else ""
        )
        for folder in sorted(root.iterdir())
        if folder.is_dir() and _has_cookies(folder)
    ]


def _default(root: Path) -> _Profile | None:
    """The profile that was open last by the browser's own account, else by its files; None if there is none."""
    profiles = _profiles(root)
    opened_last = _state(root).get("last_used")
    for profile in profiles:
        if profile.name == opened_last:
            return profile
    return max(profiles, key=lambda each: last_used(each.database), default=None)


def _state(root: Path) -> Mapping[str, Any]:
    """What the browser notes about its profiles, empty if it notes nothing."""
    try:
        state = json.loads((root / _STATE).read_text(encoding="utf-8"))["profile"]
    except (FileNotFoundError, ValueError, LookupError, TypeError, RecursionError):
        return {}
    return state if isinstance(state, dict) else {}


# -- the cookies -------------------------------------------------------------------------------------------------


class _Key(NamedTuple):
    host: str
    name: str
    path: str


@dataclass(frozen=True, slots=True, repr=False)
class _Stored:
    """A cookie without its value. `page` is the site it is confined to, empty if it is not; `bound` says that its
    value is encrypted for the browser alone (Windows, version 127 on).
    """

    id: int
    key: _Key
    secure: bool
    expires: int
    page: str
    bound: bool

    def row(self, value: str) -> Row:
        return Row(
            host=self.key.host,
            name=self.key.name,
            value=value,
            path=self.key.path,
            secure=self.secure,
            expires=self.expires / 1_000_000 - _EPOCH if self.expires else None,
        )


def _keep(connection: sqlite3.Connection, site: str, place: _Profile, title: str) -> list[_Stored]:
    """The site's cookies; all others are deleted from the copy, so that yt-dlp never decrypts a stranger's."""
    if not columns(connection, "cookies"):
        raise InputError(
            f"{place.database}: this is not a cookie database of {title}", hint="give the profile's folder"
        )
    rows = _stored(connection)
    # Of equal cookies the one that is not confined to a page wins, then the newest.
    ours = [
        each for each in rows if belongs(each.key.host, site) and (not each.page or belongs(each.page, site))
    ]
    kept = {each.key: each for each in sorted(ours, key=lambda each: (not each.page, each.id))}
    if not kept:
        raise none_of(site, (each.key.host for each in rows), f"{title} profile {place.name}", title)
    wanted = {each.id for each in kept.values()}
    connection.executemany(
        "DELETE FROM cookies WHERE rowid = ?", [(each.id,) for each in rows if each.id not in wanted]
    )
    connection.commit()
    connection.execute("PRAGMA journal_mode = DELETE")  # what stood in a log is in the file now
    return list(kept.values())


def _stored(connection: sqlite3.Connection) -> list[_Stored]:
    known = columns(connection, "cookies")
    # Chromium before 2017 wrote `secure`, before 2022 it knew no partitions.
    secure = "is_secure" if "is_secure" in known else "secure"
    page = "top_frame_site_key" if "top_frame_site_key" in known else "''"
    rows = connection.execute(
        f"SELECT rowid, host_key, name, path, {secure}, expires_utc, {page},"  # noqa: S608 - two fixed words each
        " CAST(substr(encrypted_value, 1, 3) AS TEXT) FROM cookies"
    )
    return [
        _Stored(
            id,
            _Key(str(host), str(name), str(path)),
            bool(secure),
            expires if isinstance(expires, int) else 0,
            urlsplit(str(page)).hostname or "",
            scheme == "v20",
        )
        for id, host, name, path, secure, expires, page, scheme in rows
    ]


def _values(browser: str, copy: Path, place: _Profile, title: str) -> dict[_Key, str]:
    """The decrypted values; yt-dlp gets the copy in the layout it expects, with the key file of Windows beside it."""
    profile = copy.parent / "User Data" / "Default"
    profile.mkdir(parents=True)
    copy.rename(profile / "Cookies")
    for folder in (place.folder.parent, place.folder):
        if (folder / _STATE).is_file():
            shutil.copyfile(folder / _STATE, profile.parent / _STATE)
            break
    return {
        _Key(each.domain, each.name, each.path): each.value or ""
        for each in ytdlp.extract(browser, title, profile)
    }
