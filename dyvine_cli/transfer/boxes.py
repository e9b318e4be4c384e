"""The boxes of MP4, QuickTime, M4A, HEIC and AVIF (ISO/IEC 14496-12): where each one lies, and what the tracks hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

CODECS: Mapping[bytes, str] = {
    b"avc1": "h264",
    b"avc3": "h264",
    b"hvc1": "h265",
    b"hev1": "h265",
    b"dvh1": "h265",
    b"dvhe": "h265",
    b"vvc1": "h266",
    b"vvi1": "h266",
    b"bvc2": "bytevc2",
    b"av01": "av1",
    b"vp09": "vp9",
    b"mp4v": "mpeg4",
}
"""Four-letter codes of video sample entries (MP4 registration authority; `bvc2` is ByteDance's own) to codec names."""

MOST_PARTS = 1 << 20
"""Parts that a real file may have on one level; a file made of more is only there to keep us walking."""


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its four letters, where its payload begins and where it ends, in bytes from the file's beginning."""

    type: bytes
    start: int
    end: int


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """The boxes that lie between two positions, in order; reads headers only.

    A box may claim to end behind `end`; then it is the last one given. Raises ValueError where no box can begin.
    """
    for _ in range(MOST_PARTS):
        if start >= end:
            return
        box = _box(file, start, end)
        yield box
        start = box.end
    raise ValueError("it has more boxes than a real file")


def _box(file: BinaryIO, start: int, end: int) -> Box:
    file.seek(start)
    head = file.read(min(16, end - start))
    if len(head) < 8 or not head[4:8].isascii():
        raise ValueError(f"no box begins at byte {start}")
    size, header = int.from_bytes(head[:4], "big"), 8
    if size == 1:
        size, header = int.from_bytes(head[8:16], "big"), 16
    elif size == 0:
        size = end - start
    if size < header or not head[4:8].strip(b"\0"):
        raise ValueError(f"no box begins at byte {start}")
    return Box(head[4:8], start + header, start + size)


def video_codec(file: BinaryIO, size: int) -> str | None:
    """The codec of the first video track, None if there is none; an unknown one by its four letters."""
    for track in _inside(file, Box(b"file", 0, size), b"moov", b"trak"):
        for media in _inside(file, track, b"mdia"):
            if _handler(file, media) == b"vide":
                return _first_entry(file, media)
    return None


def _inside(file: BinaryIO, box: Box, *path: bytes) -> Iterator[Box]:
    """All boxes below `box` that this path of names leads to."""
    if not path:
        yield box
        return
    for child in boxes(file, box.start, box.end):
        if child.type == path[0]:
            yield from _inside(file, child, *path[1:])


def _handler(file: BinaryIO, media: Box) -> bytes:
    for box in _inside(file, media, b"hdlr"):
        file.seek(box.start + 8)
        return file.read(4)
    return b""


def _first_entry(file: BinaryIO, media: Box) -> str | None:
    for box in _inside(file, media, b"minf", b"stbl", b"stsd"):
        file.seek(box.start + 12)
        letters = file.read(4)
        return CODECS.get(letters, letters.decode("latin-1"))
    return None
