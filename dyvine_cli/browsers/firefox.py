"""Firefox: `profiles.ini`, containers and `cookies.sqlite`, also while it runs.

The schema is that of netwerk/cookie/CookiePersistentStorage.cpp; versions to 17 are known.
"""

from __future__ import annotations

import configparser
import json
import logging
import re
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from dyvine_cli.browsers.database import columns, copied, last_used, opened
from dyvine_cli.browsers.machine import Machine, firefox_roots, is_path
from dyvine_cli.browsers.rows import Row, belongs, jar, none_of
from dyvine_cli.cookies import Cookie, has_session
from dyvine_cli.errors import InputError

log = logging.getLogger(__name__)

_DATABASE = "cookies.sqlite"
_MILLISECONDS_FROM = 16  # schema of Firefox 142; `expiry` counted seconds before


def read(profile: str | None, container: str | None, *, site: str, machine: Machine) -> tuple[Cookie, ...]:
    """The site's cookies in a Firefox profile; see `browsers.read`. Raises InputError, OSError."""
    database = _locate(profile, machine)
    source = f"Firefox profile {database.parent.name}"
    with copied(database, "Firefox") as copy, opened(copy) as connection:
        stored = [each for each in _stored(connection, database) if each.is_for(site)]
        hosts = [each.row.host for each in stored if belongs(each.row.host, site)] or _hosts(connection)
    ours = [each for each in stored if belongs(each.row.host, site)]
    containers = _containers(database.parent)
    wanted = _container_id(container, containers, source)
    chosen = [each.row for each in ours if each.container == wanted]
    if not chosen:
        raise _nothing(site, source, hosts, {each.container for each in ours}, container, containers)
    found = jar(chosen, site=site, source=source)
    if wanted == 0 and not has_session(found, site):
        _tell_of_logins(ours, containers, site, source)
    return found


# -- the profile -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Profile:
    name: str
    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / _DATABASE


def _locate(profile: str | None, machine: Machine) -> Path:
    """The cookie database meant; of several the one that was used last."""
    if profile is not None and is_path(profile):
        return _at(machine.path(profile))
    places = firefox_roots(machine)
    roots = [root for root in places if root.is_dir()]
    if not roots:
        looked = ", ".join(str(place) for place in places)
        raise InputError(
            f"Firefox has no profiles here; looked in {looked}",
            hint="give the profile's folder: firefox:/path/to/profile",
        )
    known = [each for root in roots for each in _profiles(root)]
    if profile is None:
        chosen = [each for root in roots for each in _defaults(root)] or known
    else:
        chosen = [each for each in known if profile in (each.name, each.folder.name)]
    usable = [each for each in chosen if each.database.is_file()]
    if usable:
        return max((each.database for each in usable), key=last_used)
    if chosen:
        raise InputError(f"Firefox profile {chosen[0].name} has no cookies yet", hint=_others(known))
    raise InputError(
        f"Firefox has no profile {profile!r}" if profile else "Firefox has no profile yet",
        hint=_others(known),
    )


def _others(known: Iterable[_Profile]) -> str:
    names = sorted({each.name for each in known if each.database.is_file()})
    return f"profiles with cookies: {', '.join(names)}" if names else "start Firefox and log in there"


def _at(path: Path) -> Path:
    """The database at a path: itself, in a profile's folder, or of the default profile of a folder with profiles."""
    if path.is_file():
        return path
    if (path / _DATABASE).is_file():
        return path / _DATABASE
    inside = [each.database for each in _defaults(path) or _profiles(path) if each.database.is_file()]
    if inside:
        return max(inside, key=last_used)
    raise InputError(
        f"{path}: no Firefox profile there" if path.exists() else f"{path}: there is no such folder",
        hint=f"give the folder that holds {_DATABASE}; about:profiles in Firefox shows it",
    )


def _profiles(root: Path) -> list[_Profile]:
    """The profiles that `profiles.ini` lists, else the folders with cookies."""
    listed = [
        _Profile(section.get("Name", ""), _folder(root, section["Path"], section.get("IsRelative", "1")))
        for name, section in _ini(root).items()
        if name.startswith("Profile") and "Path" in section
    ]
    if listed:
        return listed
    return [
        _Profile(file.parent.name, file.parent)
        for pattern in ("*", "Profiles/*")
        for file in sorted(root.glob(f"{pattern}/{_DATABASE}"))
    ]


def _defaults(root: Path) -> list[_Profile]:
    """The profiles that installations of Firefox start with; before Firefox 67 there was one for all."""
    sections = _ini(root)
    profiles = {each.folder: each for each in _profiles(root)}
    started = [
        _folder(root, section["Default"], "0" if Path(section["Default"]).is_absolute() else "1")
        for name, section in sections.items()
        if name.startswith("Install") and "Default" in section
    ]
    chosen = [profiles.get(folder, _Profile(folder.name, folder)) for folder in started]
    chosen = [each for each in chosen if each.database.is_file()]
    if chosen:
        return chosen
    marked = {
        _folder(root, section["Path"], section.get("IsRelative", "1"))
        for name, section in sections.items()
        if name.startswith("Profile") and "Path" in section and section.get("Default") == "1"
    }
    return [
        profile for folder, profile in profiles.items() if folder in marked and profile.database.is_file()
    ]


def _folder(root: Path, path: str, relative: str) -> Path:
    return root / path if relative != "0" else Path(path)


def _ini(root: Path) -> Mapping[str, Mapping[str, str]]:
    """The sections of `profiles.ini`, none if there is no such file or it is damaged."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string((root / "profiles.ini").read_text(encoding="utf-8-sig", errors="replace"))
    except (FileNotFoundError, NotADirectoryError, configparser.Error):
        return {}
    return {name: parser[name] for name in parser.sections()}


# -- containers --------------------------------------------------------------------------------------------------


def _containers(profile: Path) -> dict[int, str]:
    """The names of the profile's containers by number; those that Firefox brings along by their English word."""
    try:
        listed = json.loads((profile / "containers.json").read_text(encoding="utf-8"))["identities"]
        return {each["userContextId"]: _container_name(each) for each in listed if each.get("public", True)}
    except FileNotFoundError:
        return {}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        log.debug("containers.json of a Firefox profile is damaged; its containers have numbers only")
        return {}


def _container_name(identity: Mapping[str, Any]) -> str:
    label = str(identity.get("l10nId") or identity.get("l10nID") or "")
    own = re.fullmatch(r"user-?context-?([a-z]+)(\.label)?", label, re.IGNORECASE)
    return str(identity.get("name") or (own[1].capitalize() if own else identity["userContextId"]))


def _container_id(wanted: str | None, containers: Mapping[int, str], source: str) -> int:
    """The number of a container given by name or number, 0 for none."""
    if wanted is None or wanted.lower() == "none":
        return 0
    for number, name in containers.items():
        if wanted.lower() in (name.lower(), str(number)):
            return number
    if re.fullmatch(r"[0-9]{1,9}", wanted):
        return int(wanted)
    names = ", ".join(containers.values())
    raise InputError(
        f"{source} has no container {wanted!r}", hint=f"it has {names}" if names else "it has no containers"
    )


def _nothing(
    site: str,
    source: str,
    hosts: Iterable[str],
    found: Iterable[int],
    container: str | None,
    containers: Mapping[int, str],
) -> InputError:
    """Why nothing was chosen: the site's cookies are in other containers, or there are none."""
    places = [_spec(containers.get(each, str(each)) if each else "none") for each in sorted(found)]
    if not places:
        return none_of(site, hosts, source, "Firefox")
    where = f"container {container!r}" if container else "no cookies outside of containers"
    return InputError(
        f"{source} has no cookies of {site} in {where}" if container else f"{source} has {where} of {site}",
        hint=f"there are some in {', '.join(places)}",
    )


def _spec(container: str) -> str:
    return f"firefox::{container}"


def _tell_of_logins(stored: Iterable[_Stored], containers: Mapping[int, str], site: str, source: str) -> None:
    """Say where a login of the site is when the cookies outside of containers have none."""
    rows: dict[int, list[Row]] = {}
    for each in stored:
        if each.container:
            rows.setdefault(each.container, []).append(each.row)
    for number, inside in sorted(rows.items()):
        if has_session(jar(inside, site=site, source=source), site):
            name = containers.get(number, str(number))
            log.warning("the login of %s is in a container of Firefox: %s takes it", site, _spec(name))


# -- the cookies -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class _Stored:
    """A row and the origin attributes it is stored under."""

    row: Row
    attributes: Mapping[str, str]

    @property
    def container(self) -> int:
        number = self.attributes.get("userContextId", "0")
        return int(number) if number.isdecimal() else 0

    @property
    def is_partitioned(self) -> bool:
        return "partitionKey" in self.attributes or "firstPartyDomain" in self.attributes

    def is_for(self, site: str) -> bool:
        """Whether pages of the site itself use the cookie: none of a private window or of a frame elsewhere."""
        if self.attributes.get("privateBrowsingId", "0") != "0":
            return False
        first_party = self.attributes.get("firstPartyDomain")
        # `(https,douyin.com)`: the scheme and site of the page that the cookie is confined to
        partition = self.attributes.get("partitionKey", "").strip("()").split(",")
        pages = [page for page in (first_party, partition[1] if len(partition) > 1 else None) if page]
        return all(belongs(page, site) for page in pages)


def _stored(connection: sqlite3.Connection, database: Path) -> list[_Stored]:
    """Every row, those confined to a page first, so that of equal cookies the ordinary one wins."""
    if not columns(connection, "moz_cookies"):
        raise InputError(
            f"{database}: this is not a cookie database of Firefox", hint="give the profile's folder"
        )
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    unit = 1000 if version >= _MILLISECONDS_FROM else 1
    rows = connection.execute(
        "SELECT host, name, value, path, expiry, isSecure, originAttributes FROM moz_cookies ORDER BY id"
    )
    found = [
        _Stored(
            Row(
                host=str(host or ""),
                name=str(name or ""),
                value=str(value or ""),
                path=str(path or "/"),
                secure=bool(secure),
                expires=expiry / unit if isinstance(expiry, int) else None,
            ),
            dict(parse_qsl(str(attributes or "").removeprefix("^"))),
        )
        for host, name, value, path, expiry, secure, attributes in rows
    ]
    return sorted(found, key=lambda each: not each.is_partitioned)


def _hosts(connection: sqlite3.Connection) -> list[str]:
    return [str(host) for (host,) in connection.execute("SELECT DISTINCT host FROM moz_cookies")]
