"""Settings: flags over environment over TOML file over defaults, each value with its origin.

Nothing heavy is imported before it is needed: every command loads this package.
"""

from dyvine_cli.config.edit import Draft, editing, read_said
from dyvine_cli.config.folders import FILE_NAME, Folders, example, find, locate, write_fresh
from dyvine_cli.config.resolve import load, survey
from dyvine_cli.config.settings import (
    ArchiveSettings,
    LimitSettings,
    NetworkSettings,
    NotifySettings,
    Origin,
    ServeSettings,
    Settings,
    Shown,
    SiteSettings,
    Source,
    StorageSettings,
    SyncSettings,
    Target,
    WantedIdentity,
)
from dyvine_cli.quantities import Wrong, parse_date, parse_duration, parse_rate, parse_size, spelt

__all__ = [
    "FILE_NAME",
    "ArchiveSettings",
    "Draft",
    "Folders",
    "LimitSettings",
    "NetworkSettings",
    "NotifySettings",
    "Origin",
    "ServeSettings",
    "Settings",
    "Shown",
    "SiteSettings",
    "Source",
    "StorageSettings",
    "SyncSettings",
    "Target",
    "WantedIdentity",
    "Wrong",
    "editing",
    "example",
    "find",
    "load",
    "locate",
    "parse_date",
    "parse_duration",
    "parse_rate",
    "parse_size",
    "read_said",
    "spelt",
    "survey",
    "write_fresh",
]
