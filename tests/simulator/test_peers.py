"""Other people's downloaders, unmodified and as processes, take the simulator for TikTok and bring the very bytes that it holds.

They speak TLS with it under its throw-away authority and reach it through a proxy that knows no other way, so nothing
leaves the loopback.
"""

from __future__ import annotations

import os
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dyvine_cli.simulator.app import Simulator, running
from dyvine_cli.simulator.content import content
from dyvine_cli.simulator.tiktok_world import TIKTOK, Upload

CHUNK = 2**16

Run = Callable[..., "subprocess.CompletedProcess[str]"]


class Tunnel(socketserver.StreamRequestHandler):
    """A proxy's CONNECT that leads to the port of the simulator, whichever host was asked for."""

    port: int

    def handle(self) -> None:
        """Answer the request, then pass bytes both ways until both sides are through."""
        while self.rfile.readline().strip():
            pass
        with socket.create_connection(("127.0.0.1", self.port)) as platform:
            self.connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            answers = threading.Thread(target=pass_on, args=(platform, self.connection))
            answers.start()
            pass_on(self.connection, platform)
            answers.join()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Bytes of one direction, and its end."""
    with suppress(OSError):
        while chunk := source.recv(CHUNK):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def platform() -> Iterator[Simulator]:
    """The simulator in TLS."""
    with running(tls=True) as platform:
        yield platform


@pytest.fixture(scope="module")
def proxy(platform: Simulator) -> Iterator[str]:
    """The address of a proxy that knows one way only."""
    handler = type("ToPlatform", (Tunnel,), {"port": platform.port})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def start(platform: Simulator, tmp_path: Path) -> Run:
    """Runs a tool of the environment in an empty home that trusts the simulator's authority."""
    home = tmp_path / "home"
    home.mkdir()
    surroundings = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "SSL_CERT_FILE": str(platform.ca_file),
    }

    def run(module: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", module, *options]
        return subprocess.run(
            command, env=surroundings, capture_output=True, text=True, encoding="utf-8", timeout=120
        )

    return run


def post(id: str) -> Upload:
    """A post of the invented people."""
    found = TIKTOK.post(id)
    assert found is not None
    return found


def link(upload: Upload, form: str) -> str:
    """The address of its page."""
    return f"https://www.tiktok.com/@{upload.creator.handle}/{form}/{upload.id}"


def held(kind: str, size: int, seed: int | str) -> bytes:
    """A file of the simulator."""
    made = content(kind, size, seed)
    return made.read(0, made.size)


def test_yt_dlp_brings_the_video(start: Run, proxy: str, tmp_path: Path) -> None:
    """The best encoding of a video post, byte for byte."""
    video = post(TIKTOK.VIDEO)
    folder = tmp_path / "out"
    options = ["--ignore-config", "--proxy", proxy, "--compat-options", "no-certifi", "-P", str(folder)]
    done = start("yt_dlp", *options, "-o", "%(id)s.%(ext)s", link(video, "video"))
    best = max(video.gears, key=lambda gear: (gear.width, gear.size))

    assert done.returncode == 0, done.stdout + done.stderr
    assert [each.name for each in folder.iterdir()] == [f"{video.id}.mp4"]
    assert (folder / f"{video.id}.mp4").read_bytes() == held(best.codec, best.size, best.seed)


def test_gallery_dl_brings_the_photos(start: Run, proxy: str, platform: Simulator, tmp_path: Path) -> None:
    """All pictures of a photo post in their order, and its sound, byte for byte."""
    photos = post(TIKTOK.PHOTO)
    folder = tmp_path / "out"
    options = ["--config-ignore", "--proxy", proxy, "-o", f"verify={platform.ca_file}", "-D", str(folder)]
    done = start("gallery_dl", *options, "-f", "{num}.{extension}", link(photos, "photo"))
    track = photos.track
    expected = {f"{n}.jpg": held("jpeg", each.size, each.seed) for n, each in enumerate(photos.pictures, 1)}
    expected["0.mp3"] = held(photos.track_kind, track.size, track.seed)
    found = {each.name: each.read_bytes() for each in folder.iterdir()}

    assert done.returncode == 0, done.stdout + done.stderr
    assert found == expected
