"""Types by first bytes and wholeness by structure, on small real media."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis.strategies import binary, integers

from dyvine_cli.transfer.check import HEAD, describe, settle, sniff, whole

# File, its type's name, extension and video codec.
TYPES = [
    ("video.mp4", "MP4", "mp4", "h264"),
    ("moov_last.mp4", "MP4", "mp4", "h264"),
    ("h265.mp4", "MP4", "mp4", "h265"),
    ("fragments.mp4", "MP4", "mp4", "h264"),
    ("video.mov", "QuickTime", "mov", "h264"),
    ("sound.m4a", "M4A", "m4a", None),
    ("sound_only.mp4", "M4A", "m4a", None),
    ("sound.mp3", "MP3", "mp3", None),
    ("plain.mp3", "MP3", "mp3", None),
    ("sound.aac", "AAC", "aac", None),
    ("picture.jpeg", "JPEG", "jpg", None),
    ("progressive.jpeg", "JPEG", "jpg", None),
    ("picture.png", "PNG", "png", None),
    ("picture.webp", "WebP", "webp", None),
    ("moving.webp", "WebP", "webp", None),
    ("picture.gif", "GIF", "gif", None),
    ("picture.avif", "AVIF", "avif", None),
]
IDS = [row[0] for row in TYPES]


def box(type: bytes, payload: bytes) -> bytes:
    """One box of an MP4 or HEIC file."""
    return struct.pack(">I4s", len(payload) + 8, type) + payload


def heic(brand: bytes = b"heic", compatible: bytes = b"mif1heic") -> bytes:
    """The outer boxes of a HEIC file."""
    meta = box(b"meta", bytes(4) + box(b"hdlr", bytes(8) + b"pict" + bytes(13)))
    return box(b"ftyp", brand + bytes(4) + compatible) + meta + box(b"mdat", b"x" * 100)


def flaw(data: bytes, **known: bool) -> str | None:
    """Why a file is not whole, None if it is."""
    type = sniff(data[:HEAD])
    assert type is not None
    return whole(io.BytesIO(data), type, len(data), **known)


@pytest.mark.parametrize(("name", "type", "ext", "codec"), TYPES, ids=IDS)
def test_real_file_is_whole_and_known(media, name, type, ext, codec):
    """Every type of file that the platforms serve is recognised, whole, and gets its extension and codec."""
    data = media[name]
    found = sniff(data[:HEAD])
    settled, found_codec = settle(io.BytesIO(data), found, len(data))

    assert whole(io.BytesIO(data), found, len(data)) is None
    assert (settled.name, settled.ext, found_codec) == (type, ext, codec)


# Frames without an end mark, and an optional last box: a cut between two of them cannot be seen in the file itself.
BLIND = {"plain.mp3": 21, "sound.aac": 11, "fragments.mp4": 1}


@pytest.mark.parametrize("name", IDS)
def test_cut_file_is_not_whole(media, name):
    """A file that is cut anywhere behind its first bytes is not whole, but for cuts between frames."""
    data = media[name]
    type = sniff(data)
    unseen = [end for end in range(32, len(data)) if whole(io.BytesIO(data[:end]), type, end) is None]

    assert len(unseen) <= BLIND.get(name, 0)


@pytest.mark.parametrize("name", IDS)
def test_empty_file_is_not_whole(media, name):
    """Nothing is no file of any type."""
    assert whole(io.BytesIO(b""), sniff(media[name]), 0) == "it is empty"


@pytest.mark.parametrize(
    ("brand", "compatible", "name"),
    [
        (b"heic", b"mif1heic", "HEIC"),
        (b"heix", b"", "HEIC"),
        (b"mif1", b"mif1heic", "HEIC"),
        (b"mif1", b"mif1avifmiaf", "AVIF"),
        (b"avis", b"", "AVIF"),
        (b"M4A ", b"isom", "M4A"),
        (b"qt  ", b"", "QuickTime"),
        (b"isom", b"iso2avc1mp41", "MP4"),
        (b"3gp5", b"", "MP4"),
        (b"????", b"", "MP4"),
    ],
)
def test_brand_names_the_type(brand, compatible, name):
    """The brand in the first box tells stills, sounds and films apart."""
    assert sniff(heic(brand, compatible)).name == name


def test_still_needs_its_picture_data():
    """A HEIC file cut behind its description is not whole, one with the data inside of it is."""
    inside = box(b"meta", bytes(4) + box(b"idat", b"x" * 40))

    assert flaw(heic()) is None
    assert flaw(heic()[:-108]) == "it has no picture data"
    assert flaw(box(b"ftyp", b"heic" + bytes(4)) + inside) is None
    assert flaw(box(b"ftyp", b"heic" + bytes(4)) + box(b"mdat", b"x")) == "it has no meta box"


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "nothing"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"\xef\xbb\xbf\n <HTML>", "a web page"),
        (b"<script>1</script>", "a web page"),
        (b"<?xml version='1.0'?><Error/>", "XML"),
        (b'{"status_code":0}', "JSON"),
        (b"[1,2]", "JSON"),
        (b"Access denied", "text"),
        ("访问被拒绝".encode("utf-16"), "an unknown type of file"),
        (b"\x1f\x8b\x08\x00\x00", "compressed data"),
        (b"MZ\x90\x00\x03", "an unknown type of file"),
        (b"%PDF-1.7", "text"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\n", "text"),
        (b"ID", "text"),
        (b"\xff\xfb", "an unknown type of file"),
        (b"RIFF\x00\x00\x00\x00WAVE", "an unknown type of file"),
        (b"\x00" * 64, "an unknown type of file"),
    ],
)
def test_html_json_and_text_are_no_media(head, words):
    """What hosts send instead of media has no type, and a name for people."""
    assert sniff(head) is None
    assert describe(head) == words


def test_subtitles_are_told_from_text():
    """WebVTT and SubRip are known by how they begin."""
    assert sniff(b"\xef\xbb\xbfWEBVTT\n\n00:00.000 --> 00:01.000\nhi").name == "WebVTT"
    assert sniff(b"1\r\n00:00:00,000 --> 00:00:01,000\r\nhi").name == "SubRip"
    assert sniff(b"WEBVTTX") is None


def test_bytes_behind_the_end_of_a_picture_are_let_pass(media):
    """Cameras and hosts append things to pictures; viewers stop at the end mark."""
    assert flaw(media["picture.jpeg"] + b"trailer") is None
    assert flaw(media["picture.png"] + b"trailer") is None
    assert flaw(media["picture.webp"] + b"trailer") is None
    assert flaw(media["picture.gif"] + b"trailer") is None


def test_thumbnail_does_not_end_a_jpeg(media):
    """The end mark of a picture inside of the header does not count."""
    picture = media["picture.jpeg"]
    thumbnail = picture[:2] + b"\xff\xe1" + struct.pack(">H", len(picture) + 2) + picture
    nested = thumbnail + picture[2:]

    assert flaw(nested) is None
    assert flaw(thumbnail) is not None
    assert flaw(nested[:-1]) is not None


def test_zeros_behind_a_movie_are_not_whole(media):
    """A movie that goes on with what is no box is not whole."""
    assert flaw(media["video.mp4"] + bytes(64)) is not None


@pytest.mark.parametrize(
    "tail", [b"TAG" + bytes(125), b"APETAGEX" + bytes(24), bytes(500)], ids=["id3v1", "ape", "zeros"]
)
def test_tags_around_sound_are_no_flaw(media, tail):
    """Tags before and behind the frames of an MP3 belong to it."""
    tagged = b"ID3\x04\x00\x00\x00\x00\x02\x00" + bytes(256) + media["plain.mp3"] + tail

    assert flaw(tagged) is None


def test_odd_end_of_sound_passes_when_its_length_was_promised(media):
    """Encoders leave half frames; with the promised length there nothing is missing."""
    odd = media["plain.mp3"][:-5]

    assert flaw(odd) is not None
    assert flaw(odd, length_known=True) is None
    assert flaw(odd[:90], length_known=True) is not None


@pytest.mark.parametrize(
    "data",
    [
        box(b"ftyp", b"isom" + bytes(4)) + b"\x00\x00\x00\x01mdat" + b"\xff" * 8 + bytes(64),
        box(b"ftyp", b"isom" + bytes(4)) + b"\x00\x00\x00\x04moov" + bytes(64),
        box(b"ftyp", b"isom" + bytes(4)) + b"\x00\x00\x00\x01mdat" + bytes(8) + bytes(64),
        b"\x89PNG\r\n\x1a\n" + b"\xff\xff\xff\xffIDAT" + bytes(64),
        b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(64),
        b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(64),
        b"\xff\xd8\xff\xe0\xff\xff" + bytes(64),
        b"\xff\xd8\xff" + b"\xff" * 64,
        b"GIF89a\x01\x00\x01\x00\x87\x00\x00" + bytes(8),
        b"GIF89a",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff" + b"\xff" * 11_000,
        box(b"ftyp", b"isom" + bytes(4)) + box(b"free", b"") * 11_000,
    ],
    ids=[
        "huge",
        "tiny",
        "zero",
        "png",
        "webp",
        "id3",
        "jpeg",
        "jpeg_fill",
        "gif",
        "gif_head",
        "jpeg_head",
        "png_head",
        "segments",
        "boxes",
    ],
)
def test_hostile_lengths_end_in_a_reason(data, monkeypatch):
    """Lengths that lead anywhere give a reason, no crash and no endless walk."""
    for room in ("boxes", "check"):
        monkeypatch.setattr(f"dyvine_cli.transfer.{room}.MOST_PARTS", 10_000)

    assert flaw(data) is not None


@pytest.mark.parametrize(
    ("name", "family", "suits"),
    [
        ("video.mp4", "video", True),
        ("video.mp4", "sound", True),
        ("video.mp4", "picture", False),
        ("sound.mp3", "video", False),
        ("picture.webp", "picture", True),
        ("picture.webp", "video", False),
        ("picture.jpeg", "any", True),
    ],
)
def test_type_suits_its_family(media, name, family, suits):
    """A picture never passes for a video; an MP4 may turn out to be sound alone."""
    assert sniff(media[name]).suits(family) is suits


@pytest.mark.parametrize("name", IDS)
@settings(deadline=None, max_examples=60)
@given(place=integers(0, 1 << 16), put=binary(max_size=24), keep=integers(0, 1 << 16))
def test_damaged_file_never_crashes_the_check(media, name, place, put, keep):
    """Whatever bytes come, the check ends with whole or a reason, and the codec with a name or None."""
    data = bytearray(media[name])
    data[place % len(data) : place % len(data) + len(put)] = put
    damaged = bytes(data[: keep % len(data) + 1])
    type = sniff(damaged)
    if type is None:
        return
    reason = whole(io.BytesIO(damaged), type, len(damaged))
    codec = settle(io.BytesIO(damaged), type, len(damaged))[1]

    assert reason is None or isinstance(reason, str)
    assert codec is None or isinstance(codec, str)


class Counted(io.RawIOBase):
    """A file that knows how many bytes were read of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.count = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


def looked_at(file: BinaryIO, size: int, *, length_known: bool = True) -> tuple[str | None, str | None, int]:
    """Why a file is not whole, the codec of its video, and how many bytes it took to know both."""
    counted = Counted(file)
    counted.seek(0)
    reader = io.BufferedReader(counted)  # as a part is read
    type = sniff(reader.read(HEAD))
    reason = whole(reader, type, size, length_known=length_known)
    return reason, settle(reader, type, size)[1], counted.count


GIGABYTES = 2 << 30


@pytest.fixture(params=["moov first", "moov last", "fragments"])
def giant(request, media, tmp_path) -> Path:
    """A movie of 2 GB that takes no room on the disk: most of it is a hole."""
    path = tmp_path / "giant.mp4"
    boxes = {name: media["video.mp4"][start:end] for name, start, end in outer(media["video.mp4"])}
    heap = struct.pack(">I4sQ", 1, b"mdat", GIGABYTES)
    with path.open("wb") as file:
        if request.param == "moov last":
            file.write(boxes[b"ftyp"] + heap)
            file.seek(len(boxes[b"ftyp"]) + GIGABYTES)
            file.write(boxes[b"moov"])
        elif request.param == "moov first":
            file.write(boxes[b"ftyp"] + boxes[b"moov"] + heap)
            file.truncate(file.tell() - len(heap) + GIGABYTES)
        else:
            file.write(boxes[b"ftyp"] + boxes[b"moov"])
            for _ in range(256):
                file.write(box(b"moof", bytes(100)) + struct.pack(">I4s", 1 << 23, b"mdat"))
                file.seek((1 << 23) - 8, io.SEEK_CUR)
            file.truncate()
    return path


def outer(data: bytes) -> list[tuple[bytes, int, int]]:
    """The outer boxes of a movie: name, begin, end."""
    found, place = [], 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        found.append((data[place + 4 : place + 8], place, place + size))
        place += size
    return found


def test_movie_of_two_gigabytes_is_not_read_through(giant):
    """Headers tell that it is whole: some kilobytes are read of 2 GB, and a byte that is missing is noticed."""
    size = giant.stat().st_size
    with giant.open("rb", buffering=0) as file:
        reason, codec, count = looked_at(file, size)
        short = looked_at(file, size - 1)[0]

    assert (reason, codec) == (None, "h264")
    assert size >= GIGABYTES
    assert count < size // 500
    assert short is not None


def grown(media: dict[str, bytes], name: str, by: int) -> bytes:
    """A real file made longer where its format has room."""
    data = media[name]
    if name.endswith("mp4"):
        return data + box(b"free", bytes(by))
    if name.endswith("jpeg"):
        comment = b"\xff\xfe\xff\xff" + b"c" * 65_533
        return data[:2] + comment * (by // len(comment) + 1) + data[2:]
    if name.endswith("png"):
        return data[:-12] + struct.pack(">I4s", by, b"pdPd") + bytes(by + 4) + data[-12:]
    if name.endswith("webp"):
        longer = data + struct.pack("<4sI", b"PADD", by) + bytes(by)
        return longer[:4] + struct.pack("<I", len(longer) - 8) + longer[8:]
    if name.endswith("avif"):
        return data + box(b"free", bytes(by))
    return data * (by // len(data) + 1)


@pytest.mark.parametrize(
    "name",
    ["video.mp4", "picture.jpeg", "picture.png", "picture.webp", "picture.avif", "plain.mp3", "sound.aac"],
)
def test_check_reads_what_it_must_and_no_more(media, name):
    """Of a file of 20 MB only headers are read; cut in its middle it is not whole, or its length tells."""
    data = grown(media, name, 20_000_000)
    reason, _, count = looked_at(io.BytesIO(data), len(data))
    cut = data[: len(data) // 2 + 5]
    without_length = looked_at(io.BytesIO(cut), len(cut), length_known=False)[0]

    assert reason is None
    assert count < (3_000_000 if name == "picture.jpeg" else 50_000)
    assert without_length is not None


def test_heic_of_twenty_megabytes_is_not_read_through():
    """The boxes of a still tell its end."""
    data = heic()[:-108] + box(b"mdat", bytes(20_000_000))
    reason, _, count = looked_at(io.BytesIO(data), len(data))

    assert reason is None
    assert count < 50_000
    assert flaw(data[:-1]) is not None


def test_picture_is_read_to_its_end_mark_and_not_behind(media):
    """A JPEG with bytes behind its end is read as far as the mark."""
    data = media["picture.jpeg"] + b"x" * 20_000_000
    reason, _, count = looked_at(io.BytesIO(data), len(data))

    assert reason is None
    assert count < len(media["picture.jpeg"]) + 200_000
