"""A file that still grows: `<name>.part`, its lock, and the note `<name>.part.json` that says what it will be.

The note holds the promised length, the validator (strong ETag, else Last-Modified), which rendition it is and which
bytes are there, but no address. A part without a fitting note is begun anew. A part grows at its end, or, once it is
scattered, at several places at once.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import stat
import threading
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from dyvine_cli import lock
from dyvine_cli.errors import Busy, ContentChanged
from dyvine_cli.transfer.digests import MUCH, Digests, read_at
from dyvine_cli.transfer.folder import Folder, disk_error, remove_made, writing
from dyvine_cli.transfer.spans import Pair, Spans

NOTE_FROM = 1 << 17
"""From so many promised bytes on a note is written before the first byte; smaller ones get it when they are cut short."""

FLUSH_EVERY = 1 << 26
"""Bytes between two flushes of a growing part: what a loss of power may cost."""

HASH_ASIDE = 1 << 20
"""From so many promised bytes on hashing is left to a thread; below, that costs more than it gains."""

CARE_EVERY = 1 << 22
"""Bytes between two notes on a scattered part: what a kill may cost."""

_NOTE = 1 << 10
_TRIES = 10


@dataclass(frozen=True, slots=True)
class Promise:
    """What an answer says about the whole file.

    `length` in bytes is None when it does not say; `validator` is what If-Range takes, None if there is no strong one.
    """

    length: int | None
    validator: str | None


@dataclass(frozen=True, slots=True)
class Note:
    """What is remembered next to a part.

    The bytes of `flushed` are surely on the disk. As long as the machine runs (`boot` is the same) those of `written`
    are there too; None means that the part grows at its end, so that its size tells. `pid` and `begun` name the run
    that wrote it.
    """

    length: int
    validator: str
    rendition: str
    flushed: tuple[Pair, ...]
    written: tuple[Pair, ...] | None
    boot: str | None
    pid: int
    begun: str

    @classmethod
    def read(cls, text: bytes) -> Note | None:
        """The note in a file's content; None if it is no note of ours."""
        try:
            facts = json.loads(text)
            if facts.pop("sum") != _sum(facts):
                return None  # an older and a newer note in one, after a loss of power
            known = {key: facts[key] for key in cls.__slots__}
            known["flushed"] = _pairs(known["flushed"])
            known["written"] = None if known["written"] is None else _pairs(known["written"])
            note = cls(**known)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return None
        return note if note._is_sound() else None

    def _is_sound(self) -> bool:
        numbers = type(self.length) is int and type(self.pid) is int
        words = all(isinstance(word, str) for word in (self.validator, self.rendition, self.begun))
        return numbers and words and self.length > 0 and self.validator.isprintable()

    def text(self) -> bytes:
        """The file's content, filled up so that a longer one before it is covered."""
        facts = {"v": 1, **asdict(self)}
        text = json.dumps({**facts, "sum": _sum(facts)}).encode()
        return text.ljust(-(-len(text) // _NOTE) * _NOTE)


def _sum(facts: dict[str, Any]) -> int:
    """A checksum of a note's facts in their order."""
    return zlib.crc32(json.dumps(facts).encode())


def _pairs(found: Any) -> tuple[Pair, ...]:
    """Stretches of bytes as they stand in a note. Raises ValueError, TypeError for anything else."""
    pairs = tuple((start, end) for start, end in found)
    for start, end in pairs:
        if type(start) is not int or type(end) is not int or not 0 <= start < end:
            raise ValueError("no stretch of bytes")
    return pairs


class Part:
    """An open and locked part. `spans` are the bytes that are there and right; `promise` is what they belong to.

    Bytes of a small part are hashed as they are written, those of a larger one by `care` and `catch_up`, in a thread.
    """

    def __init__(self, folder: Folder, root: Path, name: str, fd: int, rendition: str, *, md5: bool) -> None:
        self.folder = folder
        self.promise = Promise(None, None)
        self._root = root
        self._name = name
        self._fd = fd
        self._rendition = rendition
        self._with_md5 = md5
        self._note: Note | None = None
        self._noting = threading.Lock()
        self._gone = False
        self._empty()

    def _empty(self) -> None:
        self.spans = Spans()
        self.is_scattered = False
        self._flushed = Spans()
        self._noted = 0
        self._digests = Digests(md5=self._with_md5)
        self._hashes_aside = False

    @classmethod
    def open(cls, path: Path, root: Path, rendition: str, *, md5: bool = False) -> Part | None:
        """Open and lock the part of the file `path`, new or left by an earlier run; None if another run has it.

        Missing folders are made; `root` is the folder that nothing may lead out of. `rendition` identifies what is
        fetched: a part of something else is begun anew. Raises NotWritable, DiskFull, DiskError.
        """
        with writing(path):
            for _ in range(_TRIES):
                folder = Folder.open(path.parent, root)
                try:
                    fd = open_locked(folder, path.name)
                except FileNotFoundError:  # another run removed the empty folder that both use
                    folder.close()
                    continue
                except OSError:
                    folder.close()
                    raise
                if fd is None:
                    folder.close()
                    return None
                return cls(folder, root, path.name, fd, rendition, md5=md5)
            raise FileNotFoundError(errno.ENOENT, "its folder vanishes again and again", str(path))

    @property
    def path(self) -> Path:
        """Where it stands."""
        return self.folder.path / (self._name + ".part")

    @property
    def size(self) -> int:
        """How many bytes are there."""
        return self.spans.count

    @property
    def sha256(self) -> str:
        """Of the bytes hashed so far, in hex."""
        return self._digests.sha256.hex

    @property
    def md5(self) -> str | None:
        """Of the bytes hashed so far, in hex; None if it was not asked for."""
        return self._digests.md5.hex if self._digests.md5 else None

    @property
    def is_complete(self) -> bool:
        """Whether all promised bytes are there."""
        return self.promise.length is not None and self.size == self.promise.length

    def has_leftover(self) -> bool:
        """Whether an earlier run left bytes here."""
        return os.fstat(self._fd).st_size > 0

    def recover(self) -> Iterator[int]:
        """Take over what an earlier run left, hashing what is there without a gap; what no note vouches for is dropped.

        Reads all that and pauses every 32 MiB with the bytes so far, so that it can be left.
        """
        with writing(self.path):
            note = self._read_note()
            if note is None or note.rendition != self._rendition:
                self.restart()
                return
            there = min(os.fstat(self._fd).st_size, note.length)
            self.spans = self._trusted(note, there).within(there)
            os.ftruncate(self._fd, self.spans.end)
            self._note, self._flushed = note, Spans(note.flushed).within(self.spans.end)
            self.is_scattered = note.written is not None
            self.promise = Promise(note.length, note.validator)
            self._hashes_aside = note.length >= HASH_ASIDE
            self._need(note.length - self.size)
            yield from self._digests.read(self._fd, self.spans.front)
            os.lseek(self._fd, self.spans.end, os.SEEK_SET)

    def _trusted(self, note: Note, there: int) -> Spans:
        if note.boot is None or note.boot != boot():
            return Spans(note.flushed)
        return Spans([(0, there)]) if note.written is None else Spans(note.written)

    def restart(self) -> None:
        """Forget all bytes and the note; the note goes first, so that it never vouches for other bytes."""
        with writing(self.path):
            self.folder.remove(self._name + ".part.json")
            os.ftruncate(self._fd, 0)
            os.lseek(self._fd, 0, os.SEEK_SET)
        self._note, self.promise = None, Promise(None, None)
        self._empty()

    def begin(self, promise: Promise, *, scattered: bool = False) -> None:
        """Prepare the empty part for a file of which `promise` is known; `scattered` for bytes in any order."""
        self.promise, self.is_scattered = promise, scattered
        self._hashes_aside = (promise.length or 0) >= HASH_ASIDE
        if promise.length is not None and promise.length >= NOTE_FROM:
            with writing(self.path):
                self._need(promise.length)
                self._write_note()

    def scatter(self) -> None:
        """From here on bytes may come in any order. The note says so before one does."""
        if not self.is_scattered:
            self.is_scattered = True
            with writing(self.path):
                self._write_note()

    def _need(self, count: int) -> None:
        """Raise ENOSPC where the volume has not room for that many bytes, before they are fetched."""
        if hasattr(os, "fstatvfs"):
            volume = os.fstatvfs(self._fd)
            if volume.f_blocks and volume.f_bavail * volume.f_frsize < count:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write(self, data: bytes) -> None:
        """Append bytes. Raises DiskFull, NotWritable; what did reach the disk is counted."""
        rest, size = memoryview(data), self.spans.end
        try:
            while rest:
                count = os.write(self._fd, rest)
                if not self._hashes_aside:
                    self._digests.add(rest[:count])
                size += count
                rest = rest[count:]
        except OSError as exc:
            raise disk_error(exc, self.path) from exc
        finally:
            self.spans.add(0, size)

    def put(self, data: bytes | memoryview, at: int) -> None:
        """Write bytes of a scattered part to their place. Raises DiskFull, NotWritable; what reached the disk counts."""
        rest, end = memoryview(data), at
        try:
            while rest:
                count = _write_at(self._fd, rest, end)
                end += count
                rest = rest[count:]
        except OSError as exc:
            raise disk_error(exc, self.path) from exc
        finally:
            self.spans.add(at, end)

    @property
    def wants_flush(self) -> bool:
        """Whether so much is unflushed that a loss of power would hurt."""
        return self.size - self._flushed.count >= FLUSH_EVERY

    @property
    def wants_hashing(self) -> bool:
        """Whether so much is not hashed that the end would have to wait for it."""
        return self.spans.front - self._digests.sha256.count >= MUCH

    @property
    def wants_care(self) -> bool:
        """Whether so much was put that a kill would hurt."""
        return self.size - self._noted >= CARE_EVERY

    def care(self) -> None:
        """Note what was put, hash what has no gap any more. Blocks; a flush may run beside it."""
        with writing(self.path):
            self._noted = self.size
            self._write_note()
        if _READS_ASIDE:
            self.catch_up()

    def catch_up(self) -> None:
        """Hash what is there without a gap. Blocks."""
        with writing(self.path):
            self._digests.catch_up(self._fd, self.spans.front)

    def flush(self) -> None:
        """Put the bytes so far on the disk and note it."""
        with writing(self.path):
            written = Spans(self.spans.pairs)
            os.fsync(self._fd)
            self._flushed = written
            if self._note:
                self._write_note()

    def reader(self) -> BinaryIO:
        """The bytes so far as a file of its own, to look at their structure."""
        with writing(self.path):
            return io.BufferedReader(_View(self._fd))

    def publish(self, name: str, *, overwrite: bool) -> None:
        """Flush the part and give it the final name; the note goes last, and the folder is flushed later. Blocks.

        If a file of that name is there already with the very same bytes, it stays. Raises NotWritable (another file
        stands there, or the part was exchanged by someone), DiskFull.
        """
        with writing(self.folder.path / name):
            os.fsync(self._fd)
            if not _is_ours(self.folder, self._name + ".part", self._fd):
                raise ContentChanged(f"{self.path} was exchanged while it was written")
            try:
                self._move(name, overwrite)
            except FileExistsError:
                if not self._is_the_same(name):
                    raise
                self.folder.remove(self._name + ".part")
            self._gone = True
            self.folder.remove(self._name + ".part.json")

    def _move(self, name: str, overwrite: bool) -> None:
        if os.name == "nt":  # Windows renames no open file
            os.close(self._fd)
            self._fd = -1
        self.folder.rename(self._name + ".part", name, overwrite=overwrite)

    def _is_the_same(self, name: str) -> bool:
        found = self.folder.status(name)
        if not found or not stat.S_ISREG(found.st_mode) or found.st_size != self.size:
            return False
        return file_sha256(self.folder, name) == self.sha256

    def discard(self) -> None:
        """Remove the part and its note."""
        with writing(self.path):
            self.folder.remove(self._name + ".part")
            self._gone = True
            self.folder.remove(self._name + ".part.json")

    def close(self) -> None:
        """Let go of the part; what was cut short gets its note, an empty one is removed with the folders made for it."""
        try:
            if not self._gone:
                self._leave()
        except OSError:
            pass  # a full disk keeps the note out: then the next run begins anew
        finally:
            if self._fd >= 0:
                os.close(self._fd)
            self.folder.close()

    def _leave(self) -> None:
        if not self.size and not os.fstat(self._fd).st_size:
            self.discard()
            remove_made(self.folder, self._root)
            return
        if boot() is None:
            os.fsync(self._fd)
            self._flushed = Spans(self.spans.pairs)
        self._write_note()

    def _read_note(self) -> Note | None:
        try:
            fd = self.folder.open_file(self._name + ".part.json", os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            return Note.read(os.read(fd, 1 << 16)) if stat.S_ISREG(os.fstat(fd).st_mode) else None
        finally:
            os.close(fd)

    def _write_note(self) -> None:
        """Overwrite the note in one go; without a length and a validator there is nothing to go on from."""
        length, validator = self.promise.length, self.promise.validator
        if length is None or validator is None:
            return
        with self._noting:
            self._write_note_of(length, validator)

    def _write_note_of(self, length: int, validator: str) -> None:
        begun = self._note.begun if self._note else datetime.now(UTC).isoformat(timespec="seconds")
        self._note = Note(
            length=length,
            validator=validator,
            rendition=self._rendition,
            flushed=self._flushed.pairs,
            written=self.spans.pairs if self.is_scattered else None,
            boot=boot(),
            pid=os.getpid(),
            begun=begun,
        )
        fd = _open_note(self.folder, self._name + ".part.json")
        try:
            # One write and no cut to zero before it: a kill leaves the old note or the new one.
            count = os.write(fd, self._note.text())
            os.ftruncate(fd, count)
        finally:
            os.close(fd)


class _View(io.RawIOBase):
    """Reads a descriptor from its own place, which leaves the writer's place alone."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        base = (0, self._place, os.fstat(self._fd).st_size)[whence]
        self._place = base + offset
        return self._place

    def readinto(self, buffer: Any) -> int:
        data = read_at(self._fd, len(buffer), self._place)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


_READS_ASIDE = hasattr(os, "pread")
"""Whether a thread may read a part while it is written: elsewhere both share one place in the file."""


def _write_at(fd: int, data: memoryview, place: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(fd, data, place)
    os.lseek(fd, place, os.SEEK_SET)
    return os.write(fd, data)


def open_locked(folder: Folder, name: str) -> int | None:
    """The locked part of the file `name`; None if another run has it."""
    while True:
        fd = _open_part(folder, name + ".part")
        try:
            if not lock.take(fd):
                os.close(fd)
                return None
            if _is_ours(folder, name + ".part", fd):
                if not os.fstat(fd).st_size:
                    folder.remove(name + ".part.json")  # it would vouch for bytes that it never saw
                return fd
        except OSError:
            os.close(fd)
            raise
        os.close(fd)


def _open_part(folder: Folder, name: str) -> int:
    """A new part, or the one that is there; never through a link."""
    while True:
        try:
            return folder.open_file(name, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            pass
        try:
            return folder.open_file(name, os.O_RDWR)
        except FileNotFoundError:
            continue


def _open_note(folder: Folder, name: str) -> int:
    """A note to be overwritten; one that has a second name elsewhere is left alone and a fresh one made."""
    found = folder.status(name)
    if found and (not stat.S_ISREG(found.st_mode) or found.st_nlink > 1):
        folder.remove(name)
    return folder.open_file(name, os.O_WRONLY | os.O_CREAT)


def _is_ours(folder: Folder, name: str, fd: int) -> bool:
    """Whether the locked file still is what stands under the name, and under no other.

    A second name means that it was published before a kill, or was planted: only the part's name is then removed.
    """
    held, found = os.fstat(fd), folder.status(name)
    if not stat.S_ISREG(held.st_mode):
        raise OSError(errno.EEXIST, "something else than a file stands there", str(folder.path / name))
    if found is None or not os.path.samestat(held, found):
        return False
    if held.st_nlink > 1:
        folder.remove(name)
        return False
    return True


def file_sha256(folder: Folder, name: str) -> str:
    """SHA-256 of a file in hex. Reads all of it."""
    with os.fdopen(folder.open_file(name, os.O_RDONLY), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _note_at(path: Path) -> Note | None:
    """What the run that has the part of `path` noted; None if it noted nothing, as for small files."""
    try:
        return Note.read(path.with_name(path.name + ".part.json").read_bytes())
    except OSError:
        return None


def holder(path: Path) -> int | None:
    """The process that has the part of `path`, None if it left no note of itself."""
    note = _note_at(path)
    return note.pid if note else None


def busy(path: Path) -> Busy:
    """The error that names the run which has the part of `path`."""
    note = _note_at(path)
    owner = f"process {note.pid} (since {note.begun})" if note else "another run"
    return Busy(f"{owner} is fetching {path}", hint="wait until it ends, or stop it")


@cache
def boot() -> str | None:
    """A name for the time since the machine was started; None where the system does not tell (only Linux does)."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return None
