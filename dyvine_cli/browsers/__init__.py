"""Cookies out of a browser's own profile on this machine, for one site; nothing here opens a connection.

| browser | read by | tested with |
|---|---|---|
| `firefox` | ourselves, no extra | databases in Firefox's schemas (seconds and milliseconds), also while it runs |
| `chromium` | yt-dlp (extra `browser`) | a real Chromium profile on Linux |
| `chrome`, `edge`, `brave` | yt-dlp (extra `browser`) | their places only; the format is Chromium's |
| `safari` | yt-dlp (extra `browser`), macOS | untested |

Not tested at all: keyrings (GNOME, KWallet, the keychain of macOS) and Windows. Chrome and Edge from version 127 on
tie their cookies on Windows to the program itself; nobody else can read them, so there an export is needed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dyvine_cli.browsers import chromium, firefox, safari
from dyvine_cli.browsers.machine import TITLES, Machine
from dyvine_cli.cookies import SITES, Cookie
from dyvine_cli.errors import ConfigError, InputError

BROWSERS: tuple[str, ...] = tuple(TITLES)
"""What a person may name."""


class _Spec(NamedTuple):
    browser: str
    profile: str | None
    container: str | None


def read(spec: str, *, site: str, machine: Machine | None = None) -> tuple[Cookie, ...]:
    """The cookies of `site` in the browser that `spec` names: `BROWSER[:PROFILE][::CONTAINER]`.

    PROFILE is a profile's name, its folder's name or a path; without it the browser's default profile is taken.
    CONTAINER is a Firefox container by name or number; without it only cookies outside of containers are taken.
    `machine` None is the one we run on. Cookies that Firefox keeps only until it is closed are not on disk.
    Raises InputError (no such browser, profile, container, cookies; not readable), MissingExtra.
    """
    browser, profile, container = _parse(spec)
    machine = machine or Machine.this()
    if site not in SITES:
        raise ConfigError(f"there is no site {site!r}", hint=f"known are {', '.join(SITES)}")
    try:
        if browser == "firefox":
            return firefox.read(profile, container, site=site, machine=machine)
        if container is not None:
            raise InputError(f"{TITLES[browser]} has no containers", hint="only Firefox has; leave out ::…")
        if browser == "safari":
            return safari.read(profile, site=site, machine=machine)
        return chromium.read(browser, profile, site=site, machine=machine)
    except PermissionError as exc:
        raise _not_permitted(browser, machine, exc) from exc
    except OSError as exc:
        raise InputError(
            f"the cookies of {TITLES[browser]} cannot be read: {exc.strerror or 'the disk refused'}",
            hint="close the browser and try again, or export the cookies",
        ) from exc


def _parse(spec: str) -> _Spec:
    r"""The parts of a spec; a single colon may stand in a profile (`firefox:C:\…`). Raises ConfigError."""
    found = re.fullmatch(r"([^:]+)(?::(?!:)(.*?))?(?:::(.*))?", spec.strip(), re.DOTALL)
    browser = found[1].strip().lower() if found else ""
    if found is None or browser not in TITLES:
        raise ConfigError(
            f"there is no browser {browser!r}" if browser else "no browser is named",
            hint=f"known are {', '.join(BROWSERS)}, each also with :PROFILE",
        )
    return _Spec(browser, found[2] or None, found[3] or None)


def _not_permitted(browser: str, machine: Machine, exc: PermissionError) -> InputError:
    """Why the system refused: another user's files, a running browser on Windows, privacy settings on macOS."""
    name = TITLES[browser]
    hint = "run as the user whose browser it is, or export the cookies"
    if machine.platform == "win32":
        return InputError(
            f"the cookies of {name} are locked: it holds them while it runs",
            hint=f"close {name} completely, background processes too, or export the cookies",
        )
    if machine.platform == "darwin":
        hint = "give the terminal Full Disk Access in the privacy settings of macOS, or export the cookies"
    return InputError(f"the cookies of {name} may not be read: {exc.strerror or 'no permission'}", hint=hint)
