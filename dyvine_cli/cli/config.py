"""dyvine config: show, create, find and check the configuration."""

from __future__ import annotations

import json
import os
from pathlib import Path

import typer

from dyvine_cli.cli.app import common, simply
from dyvine_cli.cli.grammar import NounAlone, takes
from dyvine_cli.cli.options import Reach, Show, Take

app = typer.Typer(cls=NounAlone, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback()
def config() -> None:
    """Show, create, find and check the configuration."""


@app.command()
@takes(Reach, Show, Take)
def show(ctx: typer.Context, *, reach: Reach, show: Show, take: Take) -> None:
    """Show every setting in force and where it comes from; secrets are masked."""
    given = common(ctx, reach, show, take)

    def action() -> None:
        from dyvine_cli.cli.output import say
        from dyvine_cli.cli.settings import settings_of

        for each in settings_of(given).shown():
            if given.show.json:
                say(
                    json.dumps(
                        {"v": 1, "key": each.key, "value": each.value, "origin": each.origin},
                        ensure_ascii=False,
                    )
                )
            else:
                say(f"{each.key} = {each.value}  # {each.origin}")

    simply(action)


@app.command()
@takes(Reach)
def init(ctx: typer.Context, *, reach: Reach) -> None:
    """Write a configuration file with every setting explained; an existing one is left alone."""
    given = common(ctx, reach, Show())

    def action() -> None:
        from dyvine_cli import config
        from dyvine_cli.cli.output import say

        place = (
            given.reach.config
            or config.find(os.environ)
            or config.locate(os.environ).config / config.FILE_NAME
        )
        config.write_fresh(place, downloads=Path.home() / "dyvine")
        say(f"wrote {place}", f"downloads of sync and serve go to {Path.home() / 'dyvine'}")

    simply(action)


@app.command()
@takes(Reach)
def path(ctx: typer.Context, *, reach: Reach) -> None:
    """Print where dyvine keeps its configuration, state and cache."""
    given = common(ctx, reach, Show())

    def action() -> None:
        from dyvine_cli import config
        from dyvine_cli.cli.output import say

        folders = config.locate(os.environ)
        file = config.find(os.environ, given.reach.config) or folders.config / config.FILE_NAME
        say(f"config  {file}", f"state   {folders.state}", f"cache   {folders.cache}")

    simply(action)


@app.command()
@takes(Reach)
def check(ctx: typer.Context, *, reach: Reach) -> None:
    """Check the configuration file and the environment; exit status 2 names the first mistake and its line."""
    given = common(ctx, reach, Show())

    def action() -> None:
        from dyvine_cli import config
        from dyvine_cli.cli.output import say
        from dyvine_cli.cli.settings import settings_of
        from dyvine_cli.naming import Template

        settings = settings_of(given)
        if settings.output:
            Template.parse(settings.output)
        say(*(f"warning: {each}" for each in settings.warnings))
        file = config.find(os.environ, given.reach.config)
        say(f"{file or 'no configuration file'}: ok")

    simply(action)
