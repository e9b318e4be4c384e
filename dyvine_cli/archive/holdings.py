"""What a person sees of the archive and minds: recorded files and their damage, accounts, counts. A download needs none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from dyvine_cli.archive.base import SavedAsset
from dyvine_cli.models import AssetKind, Ref

Damage = Literal["missing", "size", "hash", "unreadable"]
"""What is wrong with a recorded file: not there, of another length or content, or there but not to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoredPost:
    """A post that a person never wants to come again."""

    ref: Ref
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedAsset:
    """A recorded file that was found missing or damaged, and not saved or found whole since."""

    ref: Ref
    asset: str
    state: Damage
    noticed: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFilter:
    """Which recorded files are meant; None and empty leave none out.

    `user` and `post` are an account and a post. `since` is the first, `until` the first moment after the wanted times
    of publishing; with either, posts that were not completed are out: when they were published is not on record.
    """

    site: str | None = None
    user: Ref | None = None
    post: Ref | None = None
    kinds: tuple[AssetKind, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFile:
    """A saved file as the archive lists it; `created` is when its post was published, None until that was complete."""

    saved: SavedAsset
    created: datetime | None


FileKey = tuple[str, str, str]
"""Site, post id and asset id of a file: the order in which files are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Where a verification stands that was not brought to its end: `last` and all files before it are checked.

    `scope` says in words which files it is about. `files` and `size` are what was checked so far.
    """

    scope: str
    last: FileKey
    began: datetime
    files: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownName:
    """A name that an account had, and when we first met it under that name."""

    nickname: str
    handle: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownUser:
    """An account as last met; `names` are all that it had, oldest first; `folder` is None before its first file."""

    site: str
    id: str
    uid: str
    folder: Path | None
    names: tuple[KnownName, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Saved files of one account and kind (`video`, `picture`, …): how many, and their bytes together.

    `name` is the account's latest nickname, empty if none was met.
    """

    site: str
    user: str
    kind: str
    files: int
    size: int
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Failures, posts that are gone, ignored posts, missing or damaged files."""

    failed: int
    gone: int
    ignored: int
    damaged: int
