"""Makes the small media in tests/data/media with PyAV and Pillow; run once: python tests/transfer/make_media.py."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from PIL import Image

FOLDER = Path(__file__).parents[1] / "data" / "media"
MOVIES = {
    "video.mp4": ("libx264", "aac", {"movflags": "faststart"}),
    "moov_last.mp4": ("libx264", None, {}),
    "h265.mp4": ("libx265", None, {}),
    "fragments.mp4": ("libx264", None, {"movflags": "frag_keyframe+empty_moov"}),
    "video.mov": ("libx264", None, {}),
    "sound.m4a": (None, "aac", {}),
    "sound_only.mp4": (None, "aac", {}),
    "sound.mp3": (None, "libmp3lame", {}),
    "plain.mp3": (None, "libmp3lame", {"write_xing": "0", "id3v2_version": "0"}),
    "sound.aac": (None, "aac", {}),
}


def movie(name: str, video: str | None, sound: str | None, options: dict[str, str]) -> None:
    """Ten frames of a moving square, half a second of a tone."""
    formats = {"sound.m4a": "ipod", "sound_only.mp4": "mp4", "sound.aac": "adts"}
    with av.open(str(FOLDER / name), "w", options=options, format=formats.get(name)) as out:
        streams = []
        if video:
            stream = out.add_stream(video, rate=20, options={"crf": "40", "x265-params": "log-level=error"})
            stream.width, stream.height, stream.pix_fmt = 64, 96, "yuv420p"
            streams.append((stream, _frames()))
        if sound:
            stream = out.add_stream(sound, rate=22050, layout="mono")
            stream.bit_rate = 24_000
            streams.append((stream, _tones(stream)))
        for stream, frames in streams:
            for frame in [*frames, None]:
                out.mux(stream.encode(frame))


def _frames():
    for number in range(10):
        image = Image.new("RGB", (64, 96), (30, 60, 90))
        image.paste((220, 160, 40), (number * 4, number * 6, number * 4 + 20, number * 6 + 20))
        yield VideoFrame.from_image(image)


def _tones(stream):
    size = 1024
    for number in range(11):
        values = [int(9000 * math.sin((number * size + place) / 8)) for place in range(size)]
        frame = AudioFrame(format="s16", layout="mono", samples=size)
        frame.planes[0].update(struct.pack(f"<{size}h", *values).ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate, frame.pts, frame.time_base = 22050, number * size, Fraction(1, 22050)
        yield frame


def pictures() -> None:
    """A gradient in every picture format that Pillow writes."""
    image = Image.linear_gradient("L").resize((48, 64)).convert("RGB")
    other = Image.new("RGB", (48, 64), (200, 40, 40))
    image.save(FOLDER / "picture.jpeg", quality=60)
    image.save(FOLDER / "progressive.jpeg", quality=60, progressive=True)
    image.save(FOLDER / "picture.png", optimize=True)
    image.save(FOLDER / "picture.webp", quality=40)
    image.save(FOLDER / "picture.avif", quality=40)
    image.quantize(8).save(FOLDER / "picture.gif", save_all=True, append_images=[other.quantize(8)])
    image.save(FOLDER / "moving.webp", save_all=True, append_images=[other], quality=30)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (video, sound, options) in MOVIES.items():
        movie(name, video, sound, options)
    pictures()
