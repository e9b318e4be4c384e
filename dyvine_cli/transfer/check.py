"""What a file is by its first bytes, and whether it is whole by its structure. Pure over an open file.

A structure check reads headers and skips what they measure; only a picture with bytes behind its end is read through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

from dyvine_cli.transfer.boxes import MOST_PARTS, Box, boxes, video_codec

Family = Literal["video", "picture", "sound", "subtitle", "any"]
"""What an asset may be; `any` is every type known here."""

HEAD = 2048
"""As many first bytes as `sniff` needs."""


@dataclass(frozen=True, slots=True)
class FileType:
    """A type of file: its name for people, the extension it gets, its family, other extensions that mean the same."""

    name: str
    ext: str
    family: Family
    aliases: tuple[str, ...] = ()

    def suits(self, family: Family) -> bool:
        """Whether a file that begins like this may be of that family (an MP4 may hold sound alone)."""
        return family in {"any", self.family} or (family == "sound" and self is MP4)

    def has(self, ext: str) -> bool:
        """Whether a file of this type may carry that extension."""
        return ext.lower() in {self.ext, *self.aliases}


MP4 = FileType("MP4", "mp4", "video", ("m4v",))
MOV = FileType("QuickTime", "mov", "video")
M4A = FileType("M4A", "m4a", "sound")
MP3 = FileType("MP3", "mp3", "sound")
AAC = FileType("AAC", "aac", "sound")
JPEG = FileType("JPEG", "jpg", "picture", ("jpeg",))
PNG = FileType("PNG", "png", "picture")
GIF = FileType("GIF", "gif", "picture")
WEBP = FileType("WebP", "webp", "picture")
HEIC = FileType("HEIC", "heic", "picture", ("heif",))
AVIF = FileType("AVIF", "avif", "picture")
VTT = FileType("WebVTT", "vtt", "subtitle")
SRT = FileType("SubRip", "srt", "subtitle")

TYPES = (MP4, MOV, M4A, MP3, AAC, JPEG, PNG, GIF, WEBP, HEIC, AVIF, VTT, SRT)

_BRANDS = {
    b"qt  ": MOV,
    b"M4A ": M4A,
    b"M4B ": M4A,
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), HEIC),
    **dict.fromkeys((b"avif", b"avis"), AVIF),
}
_OLD_QUICKTIME = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_SRT_START = re.compile(rb"\d+\r?\n\d\d:\d\d:\d\d[,.]\d{3} --> ")


def sniff(head: bytes) -> FileType | None:
    """The type of a file that begins with `head` (up to HEAD bytes of it); None for everything that is not media.

    Web pages, JSON, plain text and unknown formats are None.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    return _sniff_boxes(head) or _sniff_frames(head) or _sniff_text(head)


def _sniff_boxes(head: bytes) -> FileType | None:
    if len(head) < 12:
        return None
    if head[4:8] != b"ftyp":
        return MOV if head[4:8] in _OLD_QUICKTIME and head[:2] < b"\x20" else None
    major, compatible = head[8:12], head[16 : int.from_bytes(head[:4], "big")]
    if major in {b"mif1", b"msf1"} and (b"avif" in compatible or b"avis" in compatible):
        return AVIF
    return _BRANDS.get(major, MP4)


def _sniff_frames(head: bytes) -> FileType | None:
    if head.startswith(b"ID3") and len(head) >= 10:
        return MP3
    for type, length in ((MP3, _mp3_frame), (AAC, _aac_frame)):
        size = length(head)
        if size and (len(head) < size + 7 or length(head[size:])):
            return type
    return None


def _sniff_text(head: bytes) -> FileType | None:
    text = head.removeprefix(b"\xef\xbb\xbf")
    if re.match(rb"WEBVTT(\s|$)", text):
        return VTT
    return SRT if _SRT_START.match(text.lstrip()) else None


def describe(head: bytes) -> str:
    """What came instead of media, in words for a message."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:512]
    if not head:
        return "nothing"
    if re.match(rb"<(!doctype|html|head|body|script|!--)", start, re.IGNORECASE):
        return "a web page"
    if start.startswith((b"{", b"[")):
        return "JSON"
    if start.startswith(b"<"):
        return "XML"
    if start.startswith(b"\x1f\x8b"):
        return "compressed data"
    return "text" if start.isascii() and b"\0" not in start else "an unknown type of file"


def whole(file: BinaryIO, type: FileType, size: int, *, length_known: bool = False) -> str | None:
    """Why a file of `size` bytes is not a whole one of its type; None if it is whole.

    `length_known` says that as many bytes arrived as the server promised. MP3 and AAC are rows of frames without an
    end mark, and encoders leave all sorts of tails, so then only their first frames are looked at.
    """
    if size == 0:
        return "it is empty"
    file.seek(0)
    try:
        return _STRUCTURES[type.name](file, size, length_known)
    except ValueError as exc:
        return str(exc)


def settle(file: BinaryIO, type: FileType, size: int) -> tuple[FileType, str | None]:
    """The exact type of a whole file and the codec of its video track, None where it has none.

    An MP4 without a video track is an M4A.
    """
    if type not in {MP4, MOV, M4A}:
        return type, None
    try:
        codec = video_codec(file, size)
    except ValueError:
        return type, None
    return (M4A if type is MP4 and codec is None else type), codec


def _whole_movie(file: BinaryIO, size: int, length_known: bool) -> str | None:
    seen = {box.type for box in _closed_boxes(file, size)}
    missing = sorted(_letters(name) for name in {b"moov", b"mdat"} - seen)
    return f"it has no {' and no '.join(missing)} box" if missing else None


def _whole_still(file: BinaryIO, size: int, length_known: bool) -> str | None:
    found = {box.type: box for box in _closed_boxes(file, size)}
    meta = found.get(b"meta")
    if meta is None:
        return "it has no meta box"
    inner = {box.type for box in boxes(file, meta.start + 4, meta.end)}
    return None if b"mdat" in found or b"idat" in inner else "it has no picture data"


def _closed_boxes(file: BinaryIO, size: int) -> Iterator[Box]:
    """The boxes of a file, all of which must end within it."""
    for box in boxes(file, 0, size):
        if box.end > size:
            raise ValueError(
                f"its {_letters(box.type)} box ends {box.end - size} bytes behind the end of the file"
            )
        yield box


def _letters(type: bytes) -> str:
    return type.decode("latin-1")


def _whole_jpeg(file: BinaryIO, size: int, length_known: bool) -> str | None:
    scan = _jpeg_scan(file, size)
    file.seek(max(size - 2, scan))
    if file.read(2) == b"\xff\xd9":
        return None
    file.seek(scan)
    return None if _contains(file, b"\xff\xd9") else "it has no end mark"


def _jpeg_scan(file: BinaryIO, size: int) -> int:
    """Where the compressed picture begins; raises ValueError if the file ends before."""
    place = 2
    for _ in range(MOST_PARTS):
        file.seek(place)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            raise ValueError(f"no JPEG segment begins at byte {place}")
        if head[1] == 0xFF:
            place += 1
            continue
        place += 2 + int.from_bytes(head[2:4], "big")
        if place > size:
            raise ValueError("it ends inside its header")
        if head[1] == 0xDA:
            return place
    raise ValueError("it has more segments than a real picture")


def _contains(file: BinaryIO, mark: bytes) -> bool:
    """Whether `mark` (two bytes) stands anywhere from here to the end."""
    last = b""
    while block := file.read(1 << 16):
        if mark in last + block:
            return True
        last = block[-1:]
    return False


def _whole_png(file: BinaryIO, size: int, length_known: bool) -> str | None:
    place = 8
    for _ in range(MOST_PARTS):
        head = _at(file, place, 8)
        place += 12 + int.from_bytes(head[:4], "big")
        if len(head) < 8 or place > size:
            return "it ends before its IEND chunk"
        if head[4:8] == b"IEND":
            return None
    return "it has more chunks than a real picture"


def _whole_webp(file: BinaryIO, size: int, length_known: bool) -> str | None:
    promised = int.from_bytes(file.read(8)[4:8], "little") + 8
    if promised > size:
        return f"its header promises {promised} bytes, it has {size}"
    file.seek(12)
    return None if file.read(3) == b"VP8" else "it has no picture"


def _whole_gif(file: BinaryIO, size: int, length_known: bool) -> str | None:
    head = file.read(13)
    file.seek(_colours(head[10:11]), 1)
    while mark := file.read(1):
        if mark == b";":
            return None
        if mark == b"!":
            file.seek(1, 1)
        elif mark == b",":
            file.seek(_colours(file.read(9)[8:9]) + 1, 1)
        else:
            return f"no GIF block begins at byte {file.tell() - 1}"
        _skip_pieces(file)
    return "it ends before its end mark"


def _skip_pieces(file: BinaryIO) -> None:
    """Go behind the pieces of a GIF block, each of which begins with its length; the last one is empty."""
    for _ in range(MOST_PARTS):
        length = file.read(1)
        if length in {b"", b"\0"}:
            return
        file.seek(length[0], 1)
    raise ValueError("it has more pieces than a real picture")


def _colours(flags: bytes) -> int:
    """Bytes of the colour table that these flags announce."""
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


_BIT_RATES = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def _mp3_frame(head: bytes) -> int:
    """Length in bytes of the MPEG layer III frame that begins here, 0 if none does (ISO/IEC 11172-3, 13818-3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, rate, sampling = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or rate in {0, 15} or sampling == 3:
        return 0
    kbit = _BIT_RATES[1 if version == 3 else 2][rate]
    samples = 144_000 if version == 3 else 72_000
    return samples * kbit // _SAMPLE_RATES[version][sampling] + (head[2] >> 1 & 1)


def _aac_frame(head: bytes) -> int:
    """Length in bytes of the ADTS frame that begins here, 0 if none does (ISO/IEC 13818-7)."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length > 7 else 0


_FEW = 3


def _whole_frames(file: BinaryIO, size: int, length_known: bool) -> str | None:
    place, count = _after_tags(file), 0
    lacking = 0 if length_known else _written_length(file, place) - (size - place)
    if lacking > 0:
        return f"its header promises {lacking} bytes more"
    while place < size:
        file.seek(place)
        head = file.read(16)
        length = _mp3_frame(head) or _aac_frame(head)
        if not length:
            break
        place, count = place + length, count + 1
        if place > size:
            return None if length_known and count > _FEW else f"its last frame lacks {place - size} bytes"
        if length_known and count > _FEW:
            return None
    if not count:
        return "it has no sound frame"
    return None if place == size or _is_tail(file, place) else f"no sound frame begins at byte {place}"


def _written_length(file: BinaryIO, place: int) -> int:
    """Bytes of the frames by the Xing or Info header in the first one, 0 if there is none that says it."""
    found = re.search(rb"(?:Xing|Info)(.{4})", _at(file, place, 64), re.DOTALL)
    flags = found.group(1)[3] if found else 0
    if not found or not flags & 2:
        return 0
    return int.from_bytes(_at(file, place + found.end() + (4 if flags & 1 else 0), 4), "big")


def _after_tags(file: BinaryIO) -> int:
    """Where the first frame begins, behind all ID3v2 tags and the zeros that some writers leave after them."""
    place = 0
    while (head := _at(file, place, 10))[:3] == b"ID3" and len(head) == 10:
        place += 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]) + (10 if head[5] & 0x10 else 0)
    while block := _at(file, place, 4096):
        rest = block.lstrip(b"\0")
        place += len(block) - len(rest)
        if rest:
            break
    return place


def _is_tail(file: BinaryIO, place: int) -> bool:
    """Whether what follows the last frame is a tag (ID3v1, APE, Lyrics3) or padding."""
    tail = _at(file, place, 4096)
    return tail.startswith((b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"ID3")) or not tail.strip(b"\0")


def _at(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)


def _whole_text(file: BinaryIO, size: int, length_known: bool) -> str | None:
    return None


_STRUCTURES = {
    **dict.fromkeys(("MP4", "QuickTime", "M4A"), _whole_movie),
    **dict.fromkeys(("HEIC", "AVIF"), _whole_still),
    **dict.fromkeys(("MP3", "AAC"), _whole_frames),
    **dict.fromkeys(("WebVTT", "SubRip"), _whole_text),
    "JPEG": _whole_jpeg,
    "PNG": _whole_png,
    "GIF": _whole_gif,
    "WebP": _whole_webp,
}
