"""Makes the tiny media of `dyvine_cli/simulator/files` (run by hand: `python tests/simulator/make_media.py FOLDER`).

Needs PyAV (extra `live`) and Pillow, neither of which the simulator itself uses. The HEIC container is written here by
`struct`, since neither library writes one; its picture is an x265 key frame.
"""

from __future__ import annotations

import io
import math
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
from PIL import Image, ImageDraw

VIDEO_SIZE = (90, 160)
PICTURE_SIZE = (720, 960)
SECONDS = 2
FRAMES_A_SECOND = 12
SAMPLES_A_SECOND = 44_100


def drawing(width: int, height: int, turn: float) -> Image.Image:
    """A flat picture with a ball whose place depends on `turn` (0 to 1)."""
    picture = Image.new("RGB", (width, height), (28, 36, 52))
    draw = ImageDraw.Draw(picture)
    x, y = width * (0.5 + 0.3 * math.cos(math.tau * turn)), height * (0.5 + 0.3 * math.sin(math.tau * turn))
    radius = width * 0.15
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(240, 180, 60))
    draw.rectangle((0, height * 0.92, width, height), fill=(70, 120, 110))
    return picture


def add_video(container: av.container.OutputContainer, codec: str) -> av.VideoStream:
    """A stream for the drawing."""
    stream = container.add_stream(codec, rate=FRAMES_A_SECOND)
    stream.width, stream.height = VIDEO_SIZE
    stream.pix_fmt = "yuv420p"
    stream.options = {"crf": "34", "preset": "veryslow", "x265-params": "log-level=none:info=0"}
    if codec == "libx265":
        stream.codec_context.codec_tag = "hvc1"
    return stream


def encode_video(container: av.container.OutputContainer, stream: av.VideoStream) -> None:
    """Two seconds of the drawing."""
    total = SECONDS * FRAMES_A_SECOND
    for number in range(total):
        frame = av.VideoFrame.from_image(drawing(*VIDEO_SIZE, number / total))
        frame.pts, frame.time_base = number, Fraction(1, FRAMES_A_SECOND)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def add_sound(container: av.container.OutputContainer, codec: str, bit_rate: int) -> av.AudioStream:
    """A stream for the tone."""
    stream = container.add_stream(codec, rate=SAMPLES_A_SECOND)
    stream.bit_rate = bit_rate
    stream.layout = "mono"
    return stream


def encode_sound(container: av.container.OutputContainer, stream: av.AudioStream) -> None:
    """Two seconds of a quiet tone."""
    layout = "fltp" if stream.codec_context.name == "aac" else "s16p"
    step = 1152
    for start in range(0, SECONDS * SAMPLES_A_SECOND, step):
        tone = [0.2 * math.sin(math.tau * 440 * (start + i) / SAMPLES_A_SECOND) for i in range(step)]
        frame = av.AudioFrame(format=layout, layout="mono", samples=step)
        packed = (
            struct.pack(f"<{step}f", *tone)
            if layout == "fltp"
            else struct.pack(f"<{step}h", *(int(32_000 * value) for value in tone))
        )
        frame.planes[0].update(packed.ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate, frame.pts, frame.time_base = SAMPLES_A_SECOND, start, Fraction(1, SAMPLES_A_SECOND)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


@contextmanager
def written(
    form: str, options: dict[str, str]
) -> Iterator[tuple[av.container.OutputContainer, Callable[[], bytes]]]:
    """A container on disk (`faststart` reads back what it wrote) and a function that gives its bytes once closed."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "made")
        kept: list[bytes] = []
        with av.open(str(path), "w", format=form, options={"fflags": "+bitexact", **options}) as container:
            yield container, lambda: kept[0]
        kept.append(path.read_bytes())


def video(codec: str, *, sound: bool = True) -> bytes:
    """An MP4 with `moov` in front."""
    with written("mp4", {"movflags": "+faststart"}) as (container, result):
        pictures = add_video(container, codec)
        tone = add_sound(container, "aac", 16_000) if sound else None
        encode_video(container, pictures)
        if tone:
            encode_sound(container, tone)
    return result()


def sound(form: str, codec: str, bit_rate: int, options: dict[str, str]) -> bytes:
    """A sound file without pictures."""
    with written(form, options) as (container, result):
        encode_sound(container, add_sound(container, codec, bit_rate))
    return result()


def picture(form: str, **options: object) -> bytes:
    """The drawing as a still."""
    buffer = io.BytesIO()
    still = drawing(*PICTURE_SIZE, 0.125)
    if form == "PNG":
        still = still.quantize(8)
    still.save(buffer, form, **options)
    return buffer.getvalue()


def webp() -> bytes:
    """A WebP in the extended form (VP8X), which is the one that may carry further chunks."""
    plain = picture("WEBP", quality=30, method=6)
    width, height = PICTURE_SIZE
    extended = (
        b"VP8X"
        + struct.pack("<II", 10, 0)
        + (width - 1).to_bytes(3, "little")
        + (height - 1).to_bytes(3, "little")
    )
    payload = b"WEBP" + extended + plain[12:]
    return b"RIFF" + struct.pack("<I", len(payload)) + payload


def box(kind: bytes, *parts: bytes) -> bytes:
    """One ISO box."""
    payload = b"".join(parts)
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def full_box(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    """One ISO box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def key_frame() -> tuple[bytes, bytes]:
    """The `hvcC` record and the length-prefixed units of one x265 key frame."""
    with written("mp4", {}) as (container, result):
        stream = container.add_stream("libx265", rate=1)
        stream.width, stream.height = PICTURE_SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "38", "preset": "slow", "x265-params": "log-level=none:info=0:keyint=1"}
        stream.codec_context.codec_tag = "hvc1"
        container.mux(stream.encode(av.VideoFrame.from_image(drawing(*PICTURE_SIZE, 0.125))))
        container.mux(stream.encode(None))
    made = result()
    start = made.index(b"hvcC") - 4
    record = made[start + 8 : start + int.from_bytes(made[start : start + 4], "big")]
    with av.open(io.BytesIO(made)) as container:
        return record, b"".join(bytes(packet) for packet in container.demux(video=0) if packet.size)


def heic() -> bytes:
    """A HEIC with one picture item (ISO/IEC 23008-12: `meta` with hdlr, pitm, iloc, iinf, iprp; data in `mdat`)."""
    record, units = key_frame()
    brand = box(b"ftyp", b"heic", bytes(4), b"mif1heic")

    def meta(position: int) -> bytes:
        entry = full_box(b"infe", struct.pack(">HH4sB", 1, 0, b"hvc1", 0), version=2)
        shape = full_box(b"ispe", struct.pack(">II", *PICTURE_SIZE))
        places = struct.pack(">BBHHHHII", 0x44, 0x00, 1, 1, 0, 1, position, len(units))
        links = struct.pack(">IHBBB", 1, 1, 2, 0x81, 0x02)
        return full_box(
            b"meta",
            full_box(b"hdlr", struct.pack(">I4s12xB", 0, b"pict", 0)),
            full_box(b"pitm", struct.pack(">H", 1)),
            full_box(b"iloc", places),
            full_box(b"iinf", struct.pack(">H", 1), entry),
            box(b"iprp", box(b"ipco", box(b"hvcC", record), shape), full_box(b"ipma", links)),
        )

    return brand + meta(len(brand) + len(meta(0)) + 8) + box(b"mdat", units)


def main(folder: Path) -> None:
    """Write every file and say how large it is."""
    files = {
        "h264.mp4": video("libx264"),
        "h265.mp4": video("libx265"),
        "dash.mp4": video("libx264", sound=False),
        "picture.jpeg": picture("JPEG", quality=20, optimize=True),
        "picture.webp": webp(),
        "picture.png": picture("PNG", optimize=True),
        "picture.heic": heic(),
        "sound.mp3": sound("mp3", "libmp3lame", 16_000, {"id3v2_version": "0", "write_xing": "0"}),
        "sound.m4a": sound("ipod", "aac", 16_000, {"movflags": "+faststart"}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
        sys.stdout.write(f"{len(content):7} {name}\n")
    sys.stdout.write(f"{sum(map(len, files.values())):7} together\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
