"""What every browser's cookies have in common once they are out of its files (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from dyvine_cli import cookies
from dyvine_cli.cookies import SITES, Cookie
from dyvine_cli.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Row:
    """One stored cookie. `host` has a leading dot unless the cookie is for that host alone.

    `expires` is a unix time in seconds, None for a session cookie.
    """

    host: str
    name: str
    value: str
    path: str
    secure: bool
    expires: float | None


def belongs(host: str, site: str) -> bool:
    """Whether a cookie's host or a page's host is the site's."""
    return any(("." + host.lstrip(".").lower()).endswith("." + domain) for domain in SITES[site].domains)


def jar(rows: Iterable[Row], *, site: str, source: str) -> tuple[Cookie, ...]:
    """The rows of `site` as cookies, the later of equal ones; `source` is what errors call the place.

    They go through the same door as an export does, so that nothing unsendable passes. Raises InputError.
    """
    ours = [row for row in rows if belongs(row.host, site)]
    return cookies.read(json.dumps([_export(row) for row in ours]), site=site, filename=source)


def none_of(site: str, hosts: Iterable[str], source: str, browser: str) -> InputError:
    """The error for a profile without cookies of the site; `hosts` are those it has cookies of."""
    known = list(hosts)
    other = next((each for each in SITES if any(belongs(host, each) for host in known)), None)
    has = f", only of {other}" if other else ""
    return InputError(
        f"{source} has no cookies of {site}{has}",
        hint=f"log in at www.{SITES[site].domains[0]} in this profile of {browser}, or name another profile",
    )


def _export(row: Row) -> dict[str, str | bool | float]:
    return {
        "name": row.name,
        "value": row.value,
        "domain": row.host,
        "path": row.path or "/",
        "secure": row.secure,
        "hostOnly": not row.host.startswith("."),
        "expirationDate": row.expires or 0,
    }
