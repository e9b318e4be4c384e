"""The end of a fetch: the part is checked and gets its final name, or the file that is there already is the answer."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dyvine_cli.errors import NotWritable, Truncated
from dyvine_cli.transfer.check import HEAD, M4A, MP4, TYPES, Family, FileType, describe, settle, sniff, whole
from dyvine_cli.transfer.folder import writing
from dyvine_cli.transfer.partial import file_sha256
from dyvine_cli.transfer.work import WORDS, Work

_EXTENSIONS = {ext for type in TYPES for ext in (type.ext, *type.aliases)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A whole file under its final name.

    `path` has the true extension `ext`. `mirror` is the host that gave the last byte, None if no host was asked.
    `found` says that the file was there already. `codec` is that of the video track, None if there is none.
    `warnings` are sentences for a person.
    """

    path: Path
    size: int
    sha256: str
    ext: str
    mirror: str | None = None
    found: bool = False
    codec: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Finding:
    """What a look into a file gave: its type and video codec, and why it is not whole or of another family."""

    type: FileType
    codec: str | None
    flaw: str | None


def finish(work: Work, mirror: str | None) -> Fetched:
    """Check the part and give it its final name. Blocks.

    Raises Truncated (it is no whole file of the family; the part is then empty), NotWritable, DiskFull, DiskError.
    """
    part = work.part
    part.catch_up()
    with part.reader() as file:
        finding = _examined(file, part.size, work.family, length_known=part.promise.length is not None)
    if flaw := finding.flaw or _other_md5(work):
        work.start_over()
        raise Truncated(f"{mirror or work.path.name} gave no whole file: {flaw}")
    path = _named(work.path, finding.type)
    part.publish(path.name, overwrite=work.overwrite)
    return Fetched(
        path=path,
        size=part.size,
        sha256=part.sha256,
        ext=path.suffix.removeprefix("."),
        mirror=mirror,
        codec=finding.codec,
        warnings=tuple(_warnings(work)),
    )


def found(work: Work) -> Fetched:
    """The file that is there already, if it is the one wanted; it is then left as it is. Blocks.

    Raises NotWritable if something else stands there.
    """
    folder, path = work.part.folder, work.path
    with writing(path):
        status = folder.status(path.name)
        if not status or not stat.S_ISREG(status.st_mode):
            raise NotWritable(f"{path} is there already and is no file", hint="move it away")
        with os.fdopen(folder.open_file(path.name, os.O_RDONLY), "rb") as file:
            finding = _examined(file, status.st_size, work.family, length_known=True)
        if flaw := _other_size(work, status.st_size) or finding.flaw:
            raise NotWritable(
                f"{path} is there already and is another file: {flaw}",
                hint="move it away, or use --overwrite",
            )
        sha256 = file_sha256(folder, path.name)
    ext = path.suffix.removeprefix(".")
    return Fetched(path=path, size=status.st_size, sha256=sha256, ext=ext, found=True, codec=finding.codec)


def _other_size(work: Work, size: int) -> str | None:
    return None if work.exact_size in {None, size} else f"it has {size} bytes instead of {work.exact_size}"


def _examined(file: BinaryIO, size: int, family: Family, *, length_known: bool) -> _Finding:
    head = file.read(HEAD)
    type = sniff(head)
    if type is None:
        return _Finding(MP4, None, f"it is {describe(head)}")
    if not type.suits(family):
        return _Finding(type, None, f"it is a {type.name} file, not {WORDS[family]}")
    if flaw := whole(file, type, size, length_known=length_known):
        return _Finding(type, None, flaw)
    type, codec = settle(file, type, size)
    if family == "video" and type is M4A:
        return _Finding(type, codec, "it has no picture track")
    if family == "sound" and type is MP4:
        return _Finding(type, codec, "it has a picture track")
    return _Finding(type, codec, None)


def _other_md5(work: Work) -> str | None:
    return "its MD5 is not the promised one" if work.rendition.md5_is_exact and _differs(work) else None


def _differs(work: Work) -> bool:
    named, found = work.rendition.md5, work.part.md5
    return named is not None and found is not None and found != named.lower()


def _warnings(work: Work) -> Iterator[str]:
    if _differs(work):
        yield f"the MD5 of {work.path.name} is not the one that the platform names"


def _named(path: Path, type: FileType) -> Path:
    """The path with the extension of its true type; one that fits already stays."""
    ext = path.suffix.removeprefix(".")
    if type.has(ext):
        return path
    return path.with_suffix("." + type.ext) if ext.lower() in _EXTENSIONS else Path(f"{path}.{type.ext}")
