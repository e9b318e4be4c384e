"""dyvine login: show, add and remove logins."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyvine_cli.cli.app import finish
from dyvine_cli.cli.call import Run, noun_app, verb
from dyvine_cli.cli.download import wait_for
from dyvine_cli.cli.options import Common, Reach, Show
from dyvine_cli.errors import InputError, LoginExpired

if TYPE_CHECKING:
    from dyvine_cli.cookies import Cookie
    from dyvine_cli.events import Report
    from dyvine_cli.operations.selection import Selection
    from dyvine_cli.operations.workspace import Workspace

app = noun_app()

SITES = ("douyin", "tiktok")


DEAD = LoginExpired.exit_code


@app.callback()
def login() -> None:
    """Show, add and remove logins. A login is the cookies of a browser in which you are logged in."""


@verb(app, Reach, Show)
def status(given: Common) -> Run:
    """Show every stored login: whose it is, what is missing, when it ends. Exit status 4 when one is dead.

    With -v also when the site last answered and last refused it, and until when it is left alone.
    """

    async def operation(workspace: Workspace, wish: Selection, report: Report) -> int:
        from dyvine_cli.cli.output.logins import show_logins
        from dyvine_cli.operations import login as logins

        found = await logins.status(workspace, SITES, name=given.reach.profile)
        show_logins(found, json=bool(given.show.json), health=bool(given.show.verbose))
        statuses = [each.error.exit_code for each in found if each.error]
        return DEAD if DEAD in statuses else next(iter(statuses), 0)

    return lambda: finish(given, operation, events=False)


@verb(app, Reach, Show)
def add(
    given: Common,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE|COOKIES|-]",
            help="A cookie file, a Cookie header in quotes, or - for stdin; left out with --cookies-from-browser.",
        ),
    ] = None,
    no_test: Annotated[bool, typer.Option("--no-test", help="Keep it without asking the site.")] = False,
) -> Run:
    """Take a login from a browser's cookies: its own, a Netscape cookies.txt, a JSON export, or a Cookie header.

    It is tried before it is kept; an older login of the same name stays until the new one has passed. A --proxy is kept
    with it: every later call of this login goes that way.

    \b
    To export them, log in at www.douyin.com (or www.tiktok.com) in a browser,
    then one of these:
      a header     F12, Network, reload, click the first entry, copy the value of
                   Cookie under Request Headers; run `dyvine login add -`, paste,
                   press Enter and Ctrl-D
      a file       an extension such as "Get cookies.txt LOCALLY" (Netscape) or
                   Cookie-Editor (JSON) writes it; `dyvine login add cookies.txt`
      the browser  `dyvine login add --cookies-from-browser firefox`
    """  # noqa: D301 - the one backslash keeps typer from folding the lines
    file, browser = given.reach.cookies, given.reach.cookies_from_browser
    named = sum(each is not None for each in (source, file, browser))
    if named != 1:
        raise InputError(
            "two sources of cookies are named" if named else "no cookies are named",
            hint="give one: dyvine login add FILE, or dyvine login add --cookies-from-browser firefox",
        )
    text = source if file is None else str(file)

    def run() -> int:
        from dyvine_cli.cli.settings import settings_of

        settings = settings_of(given)
        site = given.reach.site or SITES[0]
        jar = _jar(text, browser, site)
        proxy = settings.network.proxy if given.reach.proxy else None
        # They are the answer now, not a wish for this run's identity.
        bare = replace(
            given, reach=replace(given.reach, cookies_from_browser=None, cookies=None, profile=None)
        )

        async def operation(workspace: Workspace, wish: Selection, report: Report) -> int:
            from dyvine_cli.cli.output.logins import show_logins
            from dyvine_cli.operations import login as logins

            found = await logins.add(
                workspace, jar, site=site, name=given.reach.profile, proxy=proxy, test=not no_test
            )
            show_logins([found], json=bool(given.show.json))
            return 0

        return finish(bare, operation, events=False)

    return run


def _jar(source: str | None, browser: str | None, site: str) -> tuple[Cookie, ...]:
    """The cookies of the one source that is named."""
    if browser is None:
        return _read(source or "", site)
    from dyvine_cli.operations.workspace import cookies_of_browser

    return cookies_of_browser(browser, site)


def _read(source: str, site: str) -> tuple[Cookie, ...]:
    from dyvine_cli import cookies
    from dyvine_cli.config import readers

    if source == "-":
        wait_for("cookies: paste them, press Enter")
        return cookies.read(sys.stdin.read(), site=site, filename="stdin")
    if not readers.stands(source):
        if "=" in source:
            return cookies.read(source, site=site)
        if not readers.is_file_name(source):
            raise InputError("these are no cookies, and there is no file of this name", hint=_NO_COOKIES)
    return cookies.read_file(Path(source).expanduser(), site=site)


_NO_COOKIES = (
    "a value alone is not enough: give the whole Cookie header, or a file; see `dyvine login add --help`"
)


@verb(app, Reach, Show)
def remove(given: Common) -> Run:
    """Forget a login (main, or the one named with --profile). The session at the site itself goes on."""

    async def operation(workspace: Workspace, wish: Selection, report: Report) -> int:
        from dyvine_cli.cli.output import say
        from dyvine_cli.operations import login as logins

        site = given.reach.site or SITES[0]
        name = logins.remove(workspace, site=site, name=given.reach.profile)
        say(f"removed the {site} profile {name}")
        return 0

    return lambda: finish(given, operation, events=False)
