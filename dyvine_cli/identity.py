"""Profiles: who we are at a site, and the store that keeps them (no HTTP here).

A profile is a file of mode 0600, `profiles/<site>/<name>.json` in the state folder. `guest` exists by itself, `main` is
the login that is used unless another is asked for, `env` comes from the environment or `--cookies` and is never written.
"""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import logging
import os
import secrets
import stat
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from dyvine_cli.cookies import SITES, Cookie, has_session, value
from dyvine_cli.errors import ConfigError, DiskError, DiskFull, NotWritable

log = logging.getLogger(__name__)

GUEST = "guest"
MAIN = "main"
ENV = "env"

_VERSION = 1
_LARGEST = 4 * 1024 * 1024
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Profile:
    """A named identity for one site.

    `user_agent` None is the site's usual browser, `proxy` None no proxy of its own. `device` holds the ids that belong
    to these cookies (`uifid`, `verify_fp`, …). `session` False says that the cookies were given without a login in
    them. `secret` True keeps the profile out of the store. `alive` is when its login was last found alive, None if it
    never was or has died since; `dead` is when it was found dead, None if it was not or is alive again. `mark` tells
    identities of one name apart, empty where there is one.
    """

    site: str
    name: str
    cookies: tuple[Cookie, ...] = ()
    user_agent: str | None = None
    device: Mapping[str, str] = field(default_factory=dict)
    proxy: str | None = None
    session: bool = True
    secret: bool = False
    alive: datetime | None = None
    dead: datetime | None = None
    mark: str = ""

    @property
    def desk(self) -> str:
        """The name under which its calls are counted: two logins do not share a cool-down, the same one does."""
        return f"{self.name}-{self.mark}" if self.mark else self.name

    @property
    def is_guest(self) -> bool:
        """Whether it never had a login; a login whose cookies have run out is not a guest but an error."""
        return self.name == GUEST or not self.session

    def replace(self, **changes: Any) -> Self:
        """The same profile with these fields changed."""
        return dataclasses.replace(self, **changes)

    def __repr__(self) -> str:
        return f"<Profile {self.site}:{self.name} with {len(self.cookies)} cookies>"


class Profiles:
    """The profiles kept below the state folder `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "profiles"

    def load(self, site: str, name: str) -> Profile | None:
        """The stored profile, None if there is none.

        Permissions that let others read it are put right with a warning. Raises ConfigError when the file is damaged,
        a link, or was written by a newer dyvine.
        """
        path = self._path(site, name)
        for folder in (self._folder, path.parent):
            if folder.is_symlink():
                raise ConfigError(
                    f"{folder}: not a folder but a link", hint="remove it; dyvine follows none here"
                )
        data = _read(path)
        if data is None:
            return None
        try:
            return _decode(site, name, json.loads(data))
        except _Newer:
            raise ConfigError(f"{path}: written by a newer dyvine", hint="update dyvine") from None
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError):
            # Not chained: the JSON error carries the whole text, secrets included.
            raise ConfigError(
                f"{path}: the {site} profile '{name}' is damaged", hint=_cure(site, name, path)
            ) from None

    def save(self, profile: Profile) -> None:
        """Write the profile so that either the old or the new one survives a crash; secret ones are not written.

        Raises NotWritable or DiskFull.
        """
        path = self._path(profile.site, profile.name)
        if profile.secret or profile.name == ENV:
            return
        text = json.dumps(_encode(profile), ensure_ascii=False, indent=1)
        try:
            _private_folder(self._folder, path.parent)
            _write(path, text.encode())
        except OSError as exc:
            raise _disk_error(exc, path) from exc

    def remove(self, site: str, name: str) -> bool:
        """Forget a profile; False if there was none."""
        path = self._path(site, name)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as exc:
            raise _disk_error(exc, path) from exc
        return True

    def names(self, site: str) -> tuple[str, ...]:
        """The names of the stored profiles of a site, sorted."""
        _check_site(site)
        try:
            found = [path.stem for path in (self._folder / site).iterdir() if path.suffix == ".json"]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as exc:
            raise _disk_error(exc, self._folder / site) from exc
        return tuple(sorted(name for name in found if _name_fault(name) is None))

    def _path(self, site: str, name: str) -> Path:
        _check_site(site)
        if fault := _name_fault(name):
            raise ConfigError(f"'{_printable(name)}' is no profile name: {fault}")
        return self._folder / site / f"{name}.json"


def choose(
    profiles: Profiles,
    site: str,
    wanted: str | None,
    env_cookies: Iterable[Cookie] = (),
    *,
    user_agent: str | None = None,
) -> Profile:
    """The profile to be for this run.

    `wanted` is what the person named, None for the usual choice: cookies of the environment, else `main` if it is
    stored, else `guest` (new if it is not stored). `user_agent` is the person's own word for `env` and `guest`; a stored
    login keeps the one it was taken with. Raises ConfigError for a name that is not stored.
    """
    cookies = tuple(env_cookies)
    if wanted == ENV or (wanted is None and cookies):
        return of_environment(site, cookies, user_agent)
    if wanted in (None, MAIN) and (stored := profiles.load(site, MAIN)):
        return stored
    if wanted in (None, GUEST):
        guest = profiles.load(site, GUEST) or Profile(site=site, name=GUEST, session=False)
        return guest.replace(user_agent=user_agent) if user_agent else guest
    stored = profiles.load(site, wanted)
    if stored is None:
        others = ", ".join(profiles.names(site)) or "none but guest"
        raise ConfigError(
            f"there is no {site} profile '{wanted}'",
            hint=f"stored are: {others}; `dyvine login add --site {site} --profile {wanted}` makes it",
        )
    return stored


def of_environment(site: str, cookies: tuple[Cookie, ...], user_agent: str | None = None) -> Profile:
    """The profile `env` of cookies that are given for one run. Raises ConfigError if there are none."""
    if not cookies:
        raise ConfigError(
            f"the {site} profile 'env' has no cookies",
            hint=f"it comes from {site.upper()}_COOKIE or --cookies; stored ones have names of their own",
        )
    session = has_session(cookies, site)
    return Profile(
        site=site,
        name=ENV,
        cookies=cookies,
        user_agent=user_agent,
        session=session,
        secret=True,
        mark=_mark(site, cookies) if session else "",
    )


def _mark(site: str, cookies: tuple[Cookie, ...]) -> str:
    """Eight digits that follow from a login and lead to none: a session has some hundred bits, this is 32 of a hash."""
    values = (value(cookies, name) for name in SITES[site].session)
    session = next((each for each in values if each), "")
    return hashlib.blake2b(session.encode(), digest_size=4, person=b"dyvine.env").hexdigest()


# -- names -------------------------------------------------------------------------------------------------------


def _check_site(site: str) -> None:
    if site not in SITES:
        raise ConfigError(f"'{_printable(site)}' is no site", hint=f"known are: {', '.join(SITES)}")


def _name_fault(name: str) -> str | None:
    """Why a profile cannot have this name, None if it can: it becomes a file name on every system."""
    if not name or len(name) > 40:
        return "it has 1 to 40 characters"
    if not all(char.isalnum() or char in "-_" for char in name) or name.startswith("-"):
        return "it consists of letters, digits, - and _"
    if unicodedata.normalize("NFKC", name).casefold() != name:
        return (
            f"it is written in lower case and plain forms: '{unicodedata.normalize('NFKC', name).casefold()}'"
        )
    return "Windows keeps it for a device" if name in _DEVICES else None


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text[:60])


def _cure(site: str, name: str, path: Path) -> str:
    if name == GUEST:
        return f"delete {path}; the next run makes a new guest"
    return f"`dyvine login add --site {site} --profile {name}` stores the login anew"


# -- form of the file --------------------------------------------------------------------------------------------


class _Newer(Exception):
    """The file's version is above ours."""


def _encode(profile: Profile) -> dict[str, Any]:
    return {
        "v": _VERSION,
        "user_agent": profile.user_agent,
        "proxy": profile.proxy,
        "session": profile.session,
        "alive": profile.alive.isoformat() if profile.alive else None,
        "dead": profile.dead.isoformat() if profile.dead else None,
        "device": dict(profile.device),
        "cookies": [_encode_cookie(cookie) for cookie in profile.cookies],
    }


def _encode_cookie(cookie: Cookie) -> dict[str, Any]:
    fields = {each.name: getattr(cookie, each.name) for each in dataclasses.fields(cookie)}
    return fields | {"expires": cookie.expires.isoformat() if cookie.expires else None}


def _decode(site: str, name: str, data: Any) -> Profile:
    if data["v"] > _VERSION:
        raise _Newer
    return Profile(
        site=site,
        name=name,
        user_agent=_text_or_none(data["user_agent"]),
        proxy=_text_or_none(data["proxy"]),
        session=data["session"] is True,
        alive=_time(data.get("alive")),
        dead=_time(data.get("dead")),
        device={_text(key): _text(value) for key, value in data["device"].items()},
        cookies=tuple(_decode_cookie(each) for each in data["cookies"]),
    )


def _decode_cookie(data: Mapping[str, Any]) -> Cookie:
    return Cookie(
        _text(data["name"]),
        _text(data["value"]),
        _text(data["domain"]),
        path=_text(data["path"]),
        secure=data["secure"] is True,
        expires=_time(data["expires"]),
        host_only=data["host_only"] is True,
    )


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError
    return time


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


# -- the disk ----------------------------------------------------------------------------------------------------


def _read(path: Path) -> bytes | None:
    """A profile's bytes, None if there is no file; a link or anything but a regular file is refused."""
    try:
        descriptor = os.open(
            path, os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        if path.is_symlink():
            raise ConfigError(
                f"{path}: a link where a profile should be", hint="remove it; dyvine follows none"
            ) from exc
        raise ConfigError(
            f"{path}: cannot be read: {exc.strerror}", hint="check its owner and permissions"
        ) from exc
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise ConfigError(f"{path}: not a file", hint="remove it; profiles are files")
        _heal(path, facts, 0o600, descriptor)
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ConfigError(f"{path}: larger than a profile can be", hint="delete it and add the login again")
    return data


def _heal(path: Path, facts: os.stat_result, mode: int, descriptor: int | None = None) -> None:
    """Take the permissions of others away, and say so."""
    if os.name == "nt" or not stat.S_IMODE(facts.st_mode) & 0o077:
        return
    try:
        path.chmod(mode) if descriptor is None else os.fchmod(descriptor, mode)
    except OSError:
        log.warning(
            "%s can be read by other users of this machine and its permissions cannot be changed", path
        )
    else:
        log.warning("%s could be read by other users of this machine; its permissions are now %o", path, mode)


def _private_folder(top: Path, folder: Path) -> None:
    """Make the profile folders, mode 0700; a link in their place is refused."""
    top.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in (top, folder):
        with suppress(FileExistsError):
            each.mkdir(mode=0o700)
        facts = each.lstat()
        if not stat.S_ISDIR(facts.st_mode):
            raise NotWritable(
                f"{each}: not a folder",
                hint="remove what stands there; dyvine follows no links to its secrets",
            )
        _heal(each, facts, 0o700)


def _write(path: Path, data: bytes) -> None:
    """Put `data` at `path` by way of a fresh file beside it: flushed, then renamed."""
    beside = path.with_name(f".{path.stem}.{secrets.token_hex(8)}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | getattr(os, "O_BINARY", 0)
    descriptor = os.open(beside, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _disk_error(exc: OSError, path: Path) -> DiskError:
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"{path}: no space left for the profile")
    return NotWritable(
        f"{path}: {exc.strerror or exc}", hint="check the owner and permissions of this folder"
    )
