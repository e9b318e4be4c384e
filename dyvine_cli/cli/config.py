"""dyvine config: show, create, find and check the configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dyvine_cli.cli.call import Run, noun_app, verb
from dyvine_cli.cli.options import Choose, Common, Few, Reach, Save, Show, Where
from dyvine_cli.errors import InputError

if TYPE_CHECKING:
    from dyvine_cli.config import Settings

app = noun_app()

SITES = ("douyin", "tiktok")


@app.callback()
def config() -> None:
    """Show, create, find and check the configuration."""


@verb(app, Reach, Show, Save, Choose, Few)
def show(given: Common) -> Run:
    """Show every setting in force and where it comes from; secrets are masked."""

    def run() -> int:
        from dyvine_cli.cli.output import say
        from dyvine_cli.cli.output.jsonl import line
        from dyvine_cli.cli.settings import settings_of

        for each in settings_of(given).shown():
            found = {"v": 1, "key": each.key, "value": each.value, "origin": each.origin}
            say(line(found) if given.show.json else f"{each.key} = {_text(each.value)}  # {each.origin}")
        return 0

    return run


@verb(app, Where)
def init(given: Common) -> Run:
    """Write a configuration file with every setting explained; an existing one is left alone."""

    def run() -> int:
        from dyvine_cli import config
        from dyvine_cli.cli.output import say
        from dyvine_cli.cli.settings import file_of

        downloads = Path.home() / "dyvine"
        place = file_of(given)
        config.write_fresh(place, downloads=downloads)
        say(f"wrote {place}", f"downloads go to {downloads}; another folder: line `path` of that file, or -P")
        return 0

    return run


@verb(app, Where)
def path(given: Common) -> Run:
    """Print where dyvine keeps its configuration, state and cache."""

    def run() -> int:
        from dyvine_cli import config
        from dyvine_cli.cli.output import say
        from dyvine_cli.cli.settings import file_of

        folders = config.locate(os.environ)
        say(f"config  {file_of(given)}", f"state   {folders.state}", f"cache   {folders.cache}")
        return 0

    return run


@verb(app, Where)
def check(given: Common) -> Run:
    """Check the configuration file and the environment, and tell every mistake with its line and cure.

    Exit status 2 when there is one.
    """

    def run() -> int:
        from dyvine_cli import config
        from dyvine_cli.cli.output import note, say, tell, warn
        from dyvine_cli.cli.settings import survey_of

        settings, wrong = survey_of(given)
        mistakes = [*wrong, *_wrong_together(settings)]
        for mistake in mistakes:
            tell(mistake)
        warn(*settings.warnings)
        if mistakes:
            note(f"{len(mistakes):,} mistake{'s' if len(mistakes) > 1 else ''}")
            return InputError.exit_code
        file = None if given.reach.no_config else config.find(os.environ, given.reach.config)
        say(f"{file or 'no configuration file'}: ok")
        return 0

    return run


def _wrong_together(settings: Settings) -> Iterable[InputError]:
    """What is wrong with settings of which each alone can be read; every mistake once."""
    from dyvine_cli.cli.outside import outside_of
    from dyvine_cli.cli.settings import selection_of

    found: dict[str, InputError] = {}
    looks: tuple[Callable[[Settings], object], ...] = (
        outside_of,
        selection_of,
        *(partial(_identity, site) for site in SITES),
    )
    for look in looks:
        try:
            look(settings)
        except InputError as error:
            found.setdefault(error.message, error)
    return found.values()


def _identity(site: str, settings: Settings) -> object:
    return settings.identity(site)


def _text(value: object) -> str:
    """A value for a person; `-` for none."""
    return "-" if value in (None, "", (), []) else str(value)
