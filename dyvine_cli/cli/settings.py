"""From the options of a call to the settings of its run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dyvine_cli import config
from dyvine_cli.errors import ConfigError, InputError
from dyvine_cli.operations.selection import Selection

if TYPE_CHECKING:
    from dyvine_cli.cli.options import Common
    from dyvine_cli.config import Settings
    from dyvine_cli.match import Match

NOT_SETTINGS = frozenset(
    {
        "config",
        "no_config",
        "json",
        "batch_file",
        "simulate",
        "list_formats",
        "get_url",
        "print_",
        "dump_json",
        "raw",
    }
)
"""Options that belong to one call and have no place in a file."""
MOST_VERBOSE = 2


def settings_of(given: Common) -> Settings:
    """Flags over environment over configuration file over defaults. Raises ConfigError."""
    file, named = _file_read(given)
    return config.load(_flags(given), os.environ, file, named=named)


def survey_of(given: Common) -> tuple[Settings, list[ConfigError]]:
    """What can be read of the settings, and every mistake in them. Raises ConfigError for a file that cannot be read."""
    file, named = _file_read(given)
    return config.survey(_flags(given), os.environ, file, named=named)


def _file_read(given: Common) -> tuple[Path | None, str]:
    """The configuration file, None without one, and what named it. Raises ConfigError."""
    if given.reach.config and given.reach.no_config:
        raise ConfigError("--config and --no-config exclude each other", hint="give only one of them")
    file = None if given.reach.no_config else config.find(os.environ, given.reach.config)
    named = "--config" if given.reach.config else "DYVINE_CONFIG" if os.environ.get("DYVINE_CONFIG") else ""
    return file, named


def file_of(given: Common) -> Path:
    """The configuration file that is read, or would be if it were there."""
    return config.find(os.environ, given.reach.config) or config.locate(os.environ).config / config.FILE_NAME


def _flags(given: Common) -> dict[str, Any]:
    """The options that are settings, as `config.load` names them: `no_sound` off is `sound`, `quiet` off is `no_quiet`."""
    flags = {name: value for name, value in given.given().items() if name not in NOT_SETTINGS}
    for name in [name for name, value in flags.items() if value is False]:
        del flags[name]
        flags[name.removeprefix("no_") if name.startswith("no_") else f"no_{name}"] = True
    if "verbose" in flags:
        flags["verbose"] = min(flags["verbose"], MOST_VERBOSE)
    return flags


def selection_of(settings: Settings) -> Selection:
    """The wishes of a run for posts and their files. Raises InputError for dates between which nothing can be."""
    if settings.since and settings.until and settings.since > settings.until:
        first, last = (each.astimezone() for each in (settings.since, settings.until))
        raise InputError(
            f"{settings.place('since')} {first:%Y-%m-%d} is later than {settings.place('until')} {last:%Y-%m-%d}",
            hint="nothing can be between them: exchange the two",
        )
    sound = False if not settings.sound else True if settings.write_sound else None
    return Selection(
        kinds=settings.kind,
        since=settings.since,
        until=settings.until,
        match=_match(settings.match),
        limit=settings.limit,
        quality=settings.quality,
        codec=settings.codec,
        max_height=settings.max_height,
        max_filesize=settings.max_filesize,
        sound=sound,
        thumbnail=settings.write_thumbnail,
        subtitles=settings.write_subs,
        convert_subs=settings.convert_subs,
        info_json=settings.write_info_json,
        mtime=settings.mtime,
        overwrite=settings.overwrite,
        archive=settings.archive.enabled,
        stop_at_known=settings.stop_at_known,
        full=settings.full,
    )


def _match(text: str | None) -> Match | None:
    if text is None:
        return None
    from dyvine_cli import match  # only for those who use it

    return match.parse(text)
