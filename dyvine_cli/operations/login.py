"""Logins: taken from what a person exports, tried before they are kept, watched until they end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dyvine_cli import cookies
from dyvine_cli.cookies import Cookie, CookieReport
from dyvine_cli.errors import ConfigError, DyvineError, InputError, LoginExpired, LoginNeeded
from dyvine_cli.identity import ENV, GUEST, MAIN, Profile
from dyvine_cli.models import Health, User
from dyvine_cli.operations.workspace import Workspace

RESERVED = {GUEST: "of those who are not logged in", ENV: "of cookies that are given for one run"}
"""Profiles that are no stored logins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A profile as it stands: what its cookies are, whose account it is, and what is wrong with it.

    `account` is None when it was not tried, is a guest, or did not pass; `error` says why it did not. `health` is how it
    got on with the site before it was tried just now.
    """

    site: str
    name: str
    cookies: CookieReport
    account: User | None = None
    error: DyvineError | None = None
    health: Health = field(default_factory=Health)


async def add(
    workspace: Workspace,
    jar: Sequence[Cookie],
    *,
    site: str,
    name: str | None,
    proxy: str | None = None,
    test: bool = True,
) -> Login:
    """Try a login and keep it; an older one of that name stays until the new one has passed.

    `proxy` is kept with it and is its way to the site from then on; None keeps that of the older one.

    Raises LoginExpired when the platform does not accept it, InputError when there is no login in it or the name means
    something else, NetworkError.
    """
    if name in (GUEST, ENV):
        raise InputError(
            f"a login cannot be called '{name}': that is the profile {RESERVED[name]}",
            hint="leave --profile out, or choose another name",
        )
    report = cookies.report(jar, site)
    if not cookies.has_session(jar, site):
        raise InputError(
            f"{len(jar)} cookies of {site} found, but no login among them"
            f" (missing: {', '.join((cookies.SITES[site].session[0], *report.missing_needed))})",
            hint="log in at the site in the browser first, then export its cookies again",
        )
    profile = Profile(site=site, name=name or MAIN, cookies=tuple(jar))
    profile = profile.replace(proxy=proxy or _proxy_before(workspace, profile))
    account = await _account(workspace, profile) if test else None
    kept = workspace.client.profile(site) if test else profile
    workspace.profiles.save(kept)
    return Login(site=site, name=profile.name, cookies=report, account=account)


def _proxy_before(workspace: Workspace, profile: Profile) -> str | None:
    """The proxy of the login that a new one replaces; one that is damaged is as good as none."""
    try:
        before = workspace.profiles.load(profile.site, profile.name)
    except ConfigError:
        return None
    return before.proxy if before else None


async def _account(workspace: Workspace, profile: Profile) -> User:
    """Whose the login is. Raises LoginExpired, with the day if its cookies name one that is past."""
    workspace.client.try_as(profile)
    try:
        return await workspace.client.login(profile.site)
    except LoginNeeded as error:
        ends = cookies.report(profile.cookies, profile.site).ends
        if ends is None or ends > datetime.now(UTC):
            raise
        raise LoginExpired(
            f"{profile.site}: the login of these cookies ended on {ends:%Y-%m-%d}",
            hint=LoginExpired.cure,
            endpoint=error.endpoint,
        ) from error


async def status(workspace: Workspace, sites: Sequence[str], *, name: str | None = None) -> list[Login]:
    """Every stored login, tried; guests are only described. Raises InputError when `name` is not stored.

    A guest exists by itself: one that is named and not yet stored has no cookies.
    """
    stored = list(_stored(workspace, sites, name))
    if name == GUEST:
        known = {each.site for each in stored}
        stored += [Profile(site=site, name=GUEST, session=False) for site in sites if site not in known]
    if name is not None and not stored:
        others = ", ".join(sorted({other for site in sites for other in workspace.profiles.names(site)}))
        raise InputError(f"there is no profile '{name}'", hint=f"stored are: {others or 'none but guest'}")
    return [await _tried(workspace, profile) for profile in stored]


async def _tried(workspace: Workspace, profile: Profile) -> Login:
    report = cookies.report(profile.cookies, profile.site)
    health = workspace.client.health(profile)
    account, fault = None, None
    if not profile.is_guest:
        try:
            account = await _account(workspace, profile)
        except DyvineError as error:
            fault = error
    _note(workspace, profile, alive=account is not None, dead=isinstance(fault, LoginExpired))
    return Login(
        site=profile.site, name=profile.name, cookies=report, account=account, error=fault, health=health
    )


def _note(workspace: Workspace, profile: Profile, *, alive: bool, dead: bool) -> None:
    """Keep what a trial showed, if it is news; what else it changed of the profile is not kept."""
    if alive and profile.dead is not None:
        workspace.profiles.save(profile.replace(dead=None))
    elif dead and profile.dead is None:
        workspace.profiles.save(profile.replace(alive=None, dead=datetime.now(UTC)))


def _stored(workspace: Workspace, sites: Sequence[str], name: str | None) -> Iterator[Profile]:
    for site in sites:
        for each in workspace.profiles.names(site):
            profile = workspace.profiles.load(site, each)
            if profile is not None and name in (None, each):
                yield profile


def remove(workspace: Workspace, *, site: str, name: str | None) -> str:
    """Delete a stored profile; its name. Raises InputError when there is none of that name."""
    chosen = name or MAIN
    if not workspace.profiles.remove(site, chosen):
        others = ", ".join(workspace.profiles.names(site)) or "none"
        raise InputError(f"there is no {site} profile '{chosen}'", hint=f"stored are: {others}")
    return chosen


def days_left(login: Login, now: datetime | None = None) -> int | None:
    """Whole days until the login ends by itself; None if its cookies do not say."""
    if login.name == GUEST or login.cookies.ends is None:
        return None
    return (login.cookies.ends - (now or datetime.now(UTC))).days
