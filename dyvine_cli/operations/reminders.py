"""Logins that end soon: told in a run's last line, once a day; the state folder remembers the day."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dyvine_cli import cookies
from dyvine_cli.identity import Profile

Logins = list[Profile]
"""The profiles that a run used, gathered while it goes on."""
SOON = timedelta(days=5)
_LARGEST = 64 * 1024


def due(profiles: Iterable[Profile], state: Path, now: datetime | None = None) -> tuple[str, ...]:
    """What is to be said today of the logins among `profiles`, and not again until tomorrow.

    `now` None is the time of day. A folder that cannot be written only makes it be said more often.
    """
    now = now or datetime.now(UTC)
    today = now.astimezone().date().isoformat()
    path = state / "reminders.json"
    told = {key: day for key, day in _read(path).items() if day == today}
    found = ending(profiles, now)
    new = {key: text for key, text in found.items() if key not in told}
    if new:
        _write(path, told | dict.fromkeys(new, today))
    return tuple(new.values())


def ending(profiles: Iterable[Profile], now: datetime) -> dict[str, str]:
    """What is to be said of each login, `site:name`, that ends soon."""
    return {f"{each.site}:{each.name}": text for each in profiles if (text := _reminder(each, now))}


def _reminder(profile: Profile, now: datetime) -> str | None:
    """The sentence on a login that ends soon; None for one that lasts, has ended or does not say."""
    report = cookies.report(profile.cookies, profile.site)
    if profile.is_guest or not report.login or report.ends is None or not now < report.ends <= now + SOON:
        return None
    days = (report.ends - now).days
    left = "today" if days == 0 else "in 1 day" if days == 1 else f"in {days} days"
    add = f"dyvine login add --site {profile.site} --profile {profile.name} FILE"
    cure = "export its cookies again" if profile.secret else add
    return f"the {profile.site} login '{profile.name}' ends {left} ({report.ends.astimezone():%Y-%m-%d %H:%M}): log in in the browser again, then {cure}"


def _read(path: Path) -> dict[str, str]:
    """Profile to the day on which it was told; a damaged file is as good as none."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return {key: day for key, day in found.items() if isinstance(day, str)} if isinstance(found, dict) else {}


def _write(path: Path, told: dict[str, str]) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(told, file)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
