"""Logins for a person or a pipe; never a cookie's value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from dyvine_cli.cli.output import say, words
from dyvine_cli.cli.output.jsonl import line
from dyvine_cli.encode import error_fields, moment
from dyvine_cli.models import Health
from dyvine_cli.operations.login import Login, days_left


def show_logins(logins: Sequence[Login], *, json: bool, health: bool = False) -> None:
    """Each login: whose it is, what its cookies lack, when it ends; with `health` how the site treats it."""
    if json:
        say(*(_line(each) for each in logins))
        return
    if not logins:
        say("no profile is stored; you are a guest", "to add a login: dyvine login add FILE")
    for each in logins:
        say(*_described(each), *(_health(each.health) if health else ()))


def _described(login: Login) -> Iterator[str]:
    yield f"{login.site} {login.name}: {_state(login)}"
    report = login.cookies
    if not report.found and not report.login:
        yield "  nothing is stored yet: the first run makes what a guest needs"
        return
    yield f"  {words.count(report.found, 'cookie')} found"
    if report.missing_needed:
        yield f"  missing: {', '.join(report.missing_needed)}"
    if report.ends is not None and report.login:
        yield f"  ends: {report.ends:%Y-%m-%d} ({words.count(max(0, days_left(login) or 0), 'day')} left)"
    if login.error is not None and login.error.hint:
        yield f"  hint: {words.clean(login.error.hint)}"


def _health(health: Health) -> Iterator[str]:
    yield f"  last used: {_time(health.used or health.accepted)}"
    yield f"  last answer: {_time(health.accepted)}"
    refusals = f" ({words.count(health.refusals, 'refusal')} count)" if health.refusals else ""
    yield f"  last refusal: {_time(health.refused)}{refusals}"
    if health.dead is not None:
        yield f"  found dead: {_time(health.dead.astimezone())}"
    if health.closed_until is not None:
        yield f"  cools down until: {_time(health.closed_until)}"


def _time(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M}" if when else "none on record"


def _state(login: Login) -> str:
    if login.account is not None:
        return f"logged in as {words.clean(login.account.nickname, 40)} ({login.account.handle or login.account.uid})"
    if login.error is not None:
        return f"{login.error.name}: {words.clean(login.error.message)}"
    return "a guest" if not login.cookies.login else "not tried"


def _line(login: Login) -> str:
    report, account = login.cookies, login.account
    found: dict[str, Any] = {
        "v": 1,
        "type": "login",
        "site": login.site,
        "profile": login.name,
        "login": report.login,
        "account": {"id": account.ref.id, "uid": account.uid, "nickname": account.nickname}
        if account
        else None,
        "cookies": report.found,
        "missing": list(report.missing_needed),
        "ends": _moment(report.ends),
        "health": {
            "used": _moment(login.health.used),
            "accepted": _moment(login.health.accepted),
            "refused": _moment(login.health.refused),
            "refusals": login.health.refusals,
            "cools_down_until": _moment(login.health.closed_until),
            "dead": _moment(login.health.dead),
        },
        "failed": error_fields(login.error) if login.error else None,
    }
    return line(found)


def _moment(when: datetime | None) -> str | None:
    return moment(when) if when else None
