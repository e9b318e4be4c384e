"""Files below a download folder, told by their names: which post and which file of it each one is.

Only names of the standard template are read (`naming.STANDARD`): site, the account's number at the end of its folder,
post id and part. What a name does not hold is not guessed: stable account ids, times of publishing beyond the day,
codecs, pixels.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dyvine_cli.models import Ref
from dyvine_cli.transfer.check import HEAD, sniff, whole

_FOLDER = re.compile(r".*_(?P<uid>\d{1,25})")
_NAME = re.compile(
    r"(?P<stem>\d{4}-\d\d-\d\d_(?P<id>\d{5,25})(?:_.*?)?)(?P<role>_sound|_cover|_sub\.[A-Za-z0-9-]{1,24})?"
)
_NUMBERED = re.compile(r"(?P<stem>.*)_(?P<number>\d{2,3})")

_VIDEOS = frozenset({"mp4", "mov", "webm", "mkv", "flv", "ts"})
_PICTURES = frozenset({"jpg", "png", "webp", "gif", "heic", "avif"})
_SOUNDS = frozenset({"mp3", "m4a", "aac", "ogg", "wav", "mp4"})
_TEXTS = frozenset({"vtt", "srt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file whose name says what it is; `uid` is its account's number."""

    path: Path
    ref: Ref
    asset: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    path: Path
    stem: str
    role: str
    ext: str


def accounts(root: Path, sites: Iterable[str]) -> Iterator[tuple[str, str, Path]]:
    """Site, account number and path of each account's folder below `root`; links are not followed."""
    for site in sites:
        for folder in _folders(root / site):
            if name := _FOLDER.fullmatch(folder.name):
                yield site, name["uid"], folder


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(each for each in place.iterdir() if each.is_dir() and not each.is_symlink())
    except OSError:
        return []


def read(site: str, uid: str, folder: Path) -> Iterator[Found]:
    """The files of one account's folder whose names say what they are, post by post. Unfinished ones are left out."""
    posts: dict[str, list[_Named]] = defaultdict(list)
    for path in _files(folder):
        name, _, ext = path.name.rpartition(".")
        if found := _NAME.fullmatch(name):
            posts[found["id"]].append(
                _Named(path=path, stem=found["stem"], role=found["role"] or "", ext=ext.lower())
            )
    for id, files in sorted(posts.items()):
        for asset, path in _assets(files).items():
            yield Found(path=path, ref=Ref(site, "post", id), asset=asset, uid=uid)


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if each.is_file() and not each.is_symlink())
    except OSError:
        return []


def _assets(files: Iterable[_Named]) -> Mapping[str, Path]:
    """The assets that the files of one post are; of two that would be the same the first stays."""
    found: dict[str, Path] = {}
    main = [each for each in files if not each.role and each.ext in _VIDEOS | _PICTURES | {"md"}]
    pages = _pages(main)
    stills = {each.stem for each in main if each.ext in _PICTURES}
    for each in files:
        if asset := _asset(each, pages, stills):
            found.setdefault(asset, each.path)
    return found


def _asset(file: _Named, pages: Mapping[Path, int], stills: set[str]) -> str:
    """The asset's id, empty for a file that is none."""
    role, _, language = file.role.partition(".")
    match role:
        case "_sound":
            return "sound" if file.ext in _SOUNDS else ""
        case "_cover":
            return "cover" if file.ext in _PICTURES else ""
        case "_sub":
            return f"subtitle.{language}" if file.ext in _TEXTS else ""
    if file.ext == "md":
        return "text"
    if file.ext in _PICTURES:
        return f"picture_{pages.get(file.path, 1):02}"
    if file.ext in _VIDEOS:
        page = pages.get(file.path)
        return f"clip_{page or 1:02}" if page or file.stem in stills else "video"
    return ""


def _pages(files: Iterable[_Named]) -> Mapping[Path, int]:
    """The page numbers of the files whose names end in one.

    A title may end in a number, too: so a lone video has none, and neither has one without brothers of its stem.
    """
    numbered: dict[str, list[tuple[Path, int]]] = defaultdict(list)
    pictures: set[str] = set()
    for each in files:
        if name := _NUMBERED.fullmatch(each.stem):
            numbered[name["stem"]].append((each.path, int(name["number"])))
            pictures |= {name["stem"]} if each.ext in _PICTURES else set()
    return {
        path: number
        for stem, pages in numbered.items()
        if stem in pictures or len({number for _, number in pages}) > 1
        for path, number in pages
        if number
    }


def flaw(path: Path) -> str | None:
    """Why a file is not whole by its structure, None if it is. Raises OSError."""
    with path.open("rb") as file:
        size = path.stat().st_size
        if path.suffix == ".md":
            return None if size else "it is empty"
        kind = sniff(file.read(HEAD))
        if kind is None:
            return "it is no media file" if size else "it is empty"
        return whole(file, kind, size)
