"""Safari, on macOS only: yt-dlp knows where its cookie file is and what it holds."""

from __future__ import annotations

from dyvine_cli.browsers import ytdlp
from dyvine_cli.browsers.machine import Machine, is_path
from dyvine_cli.browsers.rows import Row, belongs, jar, none_of
from dyvine_cli.cookies import Cookie
from dyvine_cli.errors import InputError


def read(profile: str | None, *, site: str, machine: Machine) -> tuple[Cookie, ...]:
    """The site's cookies in Safari; see `browsers.read`. Raises InputError, MissingExtra, OSError.

    `profile` can only be the path of a `Cookies.binarycookies`.
    """
    if machine.platform != "darwin":
        raise InputError("Safari is there on macOS only", hint="name another browser, or export the cookies")
    if profile is not None and not is_path(profile):
        raise InputError(
            "profiles of Safari have no names here", hint="give the path of a Cookies.binarycookies, or none"
        )
    try:
        stored = ytdlp.extract("safari", "Safari", machine.path(profile) if profile else None)
    except FileNotFoundError:
        raise InputError("Safari has no cookies here", hint="start Safari and log in there") from None
    rows = [
        Row(
            host=each.domain,
            name=each.name,
            value=each.value or "",
            path=each.path,
            secure=bool(each.secure),
            expires=each.expires,
        )
        for each in stored
        if belongs(each.domain, site)
    ]
    if not rows:
        raise none_of(site, (each.domain for each in stored), "Safari", "Safari")
    return jar(rows, site=site, source="Safari")
