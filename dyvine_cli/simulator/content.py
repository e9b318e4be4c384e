"""Small real media of any size: a tiny file of the package, padded as its format allows, the same for the same seed."""

from __future__ import annotations

import hashlib
import random
import struct
import zlib
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from typing import Literal

Kind = Literal["h264", "h265", "original", "watermarked", "dash", "jpeg", "webp", "png", "heic", "mp3", "m4a"]
Family = Literal["video", "picture", "sound"]
Seed = int | str

CHUNK = 2**18
"""Bytes handed to the socket at once."""

PERIOD = 1_048_573
"""Length of the padding's pattern: a prime, so that a piece put at a wrong round offset never looks right."""

VARIANTS = 16
BIG, MIDDLE, SMALL = 2**24, 2**18, 2**14
SEAL = 16
ROOM = 64
"""Bytes of padding that every file has at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One kind of file: the package's tiny one and what it truly is (pixels, seconds)."""

    file: str
    ext: str
    mime: str
    family: Family
    width: int = 0
    height: int = 0
    duration: float = 0.0


def _video(file: str) -> Form:
    return Form(file=file, ext="mp4", mime="video/mp4", family="video", width=90, height=160, duration=2.0)


def _picture(ext: str) -> Form:
    return Form(file=f"picture.{ext}", ext=ext, mime=f"image/{ext}", family="picture", width=720, height=960)


FORMS: dict[str, Form] = {
    "h264": _video("h264.mp4"),
    "h265": _video("h265.mp4"),
    "original": _video("h264.mp4"),
    "watermarked": _video("h264.mp4"),
    "dash": _video("dash.mp4"),
    "jpeg": _picture("jpeg"),
    "webp": _picture("webp"),
    "png": _picture("png"),
    "heic": _picture("heic"),
    "mp3": Form(file="sound.mp3", ext="mp3", mime="audio/mpeg", family="sound", duration=2.0),
    "m4a": Form(file="sound.m4a", ext="m4a", mime="audio/mp4", family="sound", duration=2.0),
}
"""Every kind; `original` and `watermarked` are H.264 like `h264` but other bytes, `dash` has no sound."""

KINDS: tuple[str, ...] = tuple(FORMS)


def number(seed: Seed) -> int:
    """The 64-bit number that a seed stands for; decimal texts stand for themselves."""
    if isinstance(seed, int) or (seed.isdecimal() and len(seed) < 20):
        return int(seed) % 2**64
    return int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=8).digest(), "big")


def smallest(kind: str) -> int:
    """The least size in bytes that a file of this kind can have."""
    return len(_base(kind)) + ROOM


@lru_cache(maxsize=1024)
def content(kind: str, size: int, seed: Seed, generation: int = 0) -> Content:
    """The file of this kind, size and seed; `generation` counts later versions of it, which are other bytes.

    A WebP of odd size gets one byte more (RIFF pads to even). Raises ValueError for an unknown kind and a size
    below `smallest(kind)`.
    """
    if kind not in FORMS:
        raise ValueError(f"no media of kind {kind!r}; there are {', '.join(KINDS)}")
    if size < smallest(kind):
        raise ValueError(f"a {kind} has at least {smallest(kind)} bytes, not {size}")
    return Content(kind, size + size % 2 if kind == "webp" else size, number(seed), generation)


class Content:
    """The bytes of one file, made where they are read: patches over an endless pattern."""

    def __init__(self, kind: str, size: int, seed: int, generation: int) -> None:
        self.kind, self.size, self.seed, self.generation = kind, size, seed, generation
        self.form = FORMS[kind]
        place = KINDS.index(kind) * VARIANTS + (seed * 0x9E3779B1 + generation) % VARIANTS
        self._shift = place * 5_003 % PERIOD
        self._patches = sorted(_PADDING[self.form.ext](self))
        self._places = [offset for offset, _ in self._patches]

    @cached_property
    def seal(self) -> bytes:
        """Sixteen bytes that stand in this file only."""
        facts = f"{self.kind} {self.size} {self.seed} {self.generation}"
        return hashlib.blake2b(facts.encode(), digest_size=SEAL).digest()

    @property
    def etag(self) -> str:
        """The strong validator, with its quotes."""
        return f'"{self.seal.hex().upper()}"'

    @cached_property
    def md5(self) -> str:
        """MD5 in hex. For MP4 it costs little whatever the size: files share the beginnings of their padding."""
        if self.form.ext != "mp4":
            return self._digest("md5")
        counts, done = _boxes(self.size - len(_base(self.kind)))
        digest = _beginning(self.kind, self._shift, *counts).copy()
        digest.update(self.read(len(_base(self.kind)) + done))
        return digest.hexdigest()

    @cached_property
    def sha256(self) -> str:
        """SHA-256 in hex; reads the whole file."""
        return self._digest("sha256")

    def changed(self, by: int = 0) -> Content:
        """The next version of this file: other bytes under the same address, `by` bytes longer."""
        return content(self.kind, self.size + by, self.seed, self.generation + 1)

    def read(self, offset: int = 0, length: int | None = None) -> bytes:
        """At most `length` bytes from `offset`, to the end if None."""
        end = self.size if length is None else min(self.size, offset + length)
        return b"".join(self._pieces(offset, end))

    async def chunks(self, offset: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `offset` up to `end`, 256 kB at a time."""
        for piece in self._pieces(offset, end):
            yield piece

    def _pieces(self, offset: int, end: int) -> Iterator[bytes]:
        while offset < end:
            length = min(CHUNK, end - offset)
            yield self._piece(offset, length)
            offset += length

    def _piece(self, offset: int, length: int) -> bytes:
        """Up to one chunk: the pattern, with the patches that reach into it."""
        piece = _pattern_at(self._shift, offset, length)
        index = max(0, bisect_right(self._places, offset) - 1)
        patched: bytearray | None = None
        for start, patch in self._patches[index:]:
            if start >= offset + length:
                break
            first, last = max(start, offset), min(start + len(patch), offset + length)
            if first < last:
                patched = bytearray(piece) if patched is None else patched
                patched[first - offset : last - offset] = patch[first - start : last - start]
        return piece if patched is None else bytes(patched)

    def _digest(self, name: str) -> str:
        digest = hashlib.new(name, usedforsecurity=False)
        for piece in self._pieces(0, self.size):
            digest.update(piece)
        return digest.hexdigest()

    def noise(self, offset: int, length: int) -> Iterator[bytes]:
        """The bare pattern from `offset`, for formats that carry a checksum of their padding."""
        for start in range(offset, offset + length, CHUNK):
            yield _pattern_at(self._shift, start, min(CHUNK, offset + length - start))


Patches = Iterator[tuple[int, bytes]]


def _free_boxes(made: Content) -> Patches:
    """MP4, M4A, HEIC: `free` boxes behind the file."""
    base = _base(made.kind)
    yield 0, base
    offset = len(base)
    counts, done = _boxes(made.size - offset)
    for count, length in zip(counts, (BIG, MIDDLE, SMALL), strict=True):
        for _ in range(count):
            yield offset, struct.pack(">I4s", length, b"free")
            offset += length
    yield offset, struct.pack(">I4s", made.size - len(base) - done, b"free")
    yield made.size - SEAL, made.seal


def _boxes(room: int) -> tuple[tuple[int, int, int], int]:
    """How many full boxes of each length fill the room, and what they take; the rest is one last box.

    Long ones first, so that files of different sizes begin alike and can share the work on their digests.
    """
    big, rest = divmod(room - ROOM // 2, BIG)
    middle, rest = divmod(rest, MIDDLE)
    small = rest // SMALL
    return (big, middle, small), big * BIG + middle * MIDDLE + small * SMALL


def _comments(made: Content) -> Patches:
    """JPEG: COM segments between the JFIF header and the picture."""
    base = _base(made.kind)
    head = 4 + int.from_bytes(base[4:6], "big")
    yield 0, base[:head]
    offset, end = head, made.size - (len(base) - head)
    while offset < end:
        rest = end - offset
        length = rest if rest <= 65_000 else min(65_000, rest - ROOM // 2)
        yield offset, b"\xff\xfe" + struct.pack(">H", length - 2)
        offset += length
    yield head + 4, made.seal
    yield end, base[head:]


def _ancillary_chunk(made: Content) -> Patches:
    """PNG: one private chunk before IEND."""
    base = _base(made.kind)
    head, end = base[:-12], base[-12:]
    length = made.size - len(base) - 12
    start = len(head) + 8
    yield 0, head
    yield len(head), struct.pack(">I4s", length, b"pdPd")
    yield start, made.seal
    check = zlib.crc32(b"pdPd" + made.seal)
    for piece in made.noise(start + SEAL, length - SEAL):
        check = zlib.crc32(piece, check)
    yield start + length, struct.pack(">I", check) + end


def _unknown_chunk(made: Content) -> Patches:
    """WebP: one chunk of an unknown name at the end."""
    base = _base(made.kind)
    yield 0, base[:4] + struct.pack("<I", made.size - 8) + base[8:]
    yield len(base), struct.pack("<4sI", b"PADD", made.size - len(base) - 8)
    yield len(base) + 8, made.seal


def _private_frame(made: Content) -> Patches:
    """MP3: an ID3v2.4 tag with one PRIV frame in front."""
    base = _base(made.kind)
    tag = made.size - len(base) - 10
    owner = b"padding\0"
    yield 0, b"ID3\x04\x00\x00" + _syncsafe(tag) + b"PRIV" + _syncsafe(tag - 10) + b"\0\0" + owner
    yield 20 + len(owner), made.seal
    yield 10 + tag, base


def _syncsafe(value: int) -> bytes:
    """Four bytes of seven bits each, as ID3 counts."""
    return bytes(value >> shift & 0x7F for shift in (21, 14, 7, 0))


_PADDING: dict[str, Callable[[Content], Patches]] = {
    "mp4": _free_boxes,
    "m4a": _free_boxes,
    "heic": _free_boxes,
    "jpeg": _comments,
    "png": _ancillary_chunk,
    "webp": _unknown_chunk,
    "mp3": _private_frame,
}


@lru_cache(maxsize=2**15)
def _beginning(kind: str, shift: int, big: int, middle: int, small: int) -> hashlib._Hash:
    """MD5 over the tiny file and so many full boxes; only ever copied."""
    base = _base(kind)
    offset = len(base) + big * BIG + middle * MIDDLE + small * SMALL
    if small:
        digest, length = _beginning(kind, shift, big, middle, small - 1).copy(), SMALL
    elif middle:
        digest, length = _beginning(kind, shift, big, middle - 1, 0).copy(), MIDDLE
    elif big:
        digest, length = _beginning(kind, shift, big - 1, 0, 0).copy(), BIG
    else:
        return hashlib.md5(base, usedforsecurity=False)
    digest.update(struct.pack(">I4s", length, b"free"))
    for start in range(offset - length + 8, offset, CHUNK):
        digest.update(_pattern_at(shift, start, min(CHUNK, offset - start)))
    return digest


@cache
def _base(kind: str) -> bytes:
    """The package's tiny file."""
    return files(__package__).joinpath("files", FORMS[kind].file).read_bytes()


@cache
def _pattern() -> bytes:
    """One period of noise and as much again as one chunk needs."""
    noise = random.Random("padding").randbytes(PERIOD)
    return noise + noise[:CHUNK]


def _pattern_at(shift: int, offset: int, length: int) -> bytes:
    """At most one chunk of the endless pattern."""
    start = (offset + shift) % PERIOD
    return _pattern()[start : start + length]
