"""Logins for a person or a pipe; never a cookie's value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dyvine_cli.cli.output import say, words
from dyvine_cli.cli.output.jsonl import line
from dyvine_cli.encode import error_fields, moment
from dyvine_cli.operations.login import Login, days_left


def show_logins(logins: Sequence[Login], *, json: bool) -> None:
    """Each login: whose it is, what its cookies lack, when it ends."""
    if json:
        say(*(_line(each) for each in logins))
        return
    if not logins:
        say("no profile is stored; you are a guest", "to add a login: dyvine login add FILE")
    for each in logins:
        say(*_described(each))


def _described(login: Login) -> Iterator[str]:
    yield f"{login.site} {login.name}: {_state(login)}"
    report = login.cookies
    yield f"  {words.count(report.found, 'cookie')} found"
    if report.missing_needed:
        yield f"  missing: {', '.join(report.missing_needed)}"
    if report.ends is not None and report.login:
        yield f"  ends: {report.ends:%Y-%m-%d} ({words.count(max(0, days_left(login) or 0), 'day')} left)"
    if login.error is not None and login.error.hint:
        yield f"  hint: {words.clean(login.error.hint)}"


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
        "site": login.site,
        "profile": login.name,
        "login": report.login,
        "account": {"id": account.ref.id, "uid": account.uid, "nickname": account.nickname}
        if account
        else None,
        "cookies": report.found,
        "missing": list(report.missing_needed),
        "ends": moment(report.ends) if report.ends else None,
        "failed": error_fields(login.error) if login.error else None,
    }
    return line(found)
