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
from dyvine_cli.simulator.tiktok_media import subtitle
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
def start(platform: Simulator, proxy: str, tmp_path: Path) -> Iterator[Run]:
    """Runs a tool of the environment in an empty home; it trusts the simulator's authority and knows our proxy only."""
    home = tmp_path / "home"
    home.mkdir()
    surroundings = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "SSL_CERT_FILE": str(platform.ca_file),
    }

    def run(module: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", module, "--proxy", proxy, *options]
        return subprocess.run(
            command, env=surroundings, capture_output=True, text=True, encoding="utf-8", timeout=120
        )

    yield run
    platform.faults.clear()


@pytest.fixture
def yt_dlp(start: Run, tmp_path: Path) -> Run:
    """Runs yt-dlp on links, into the folder `out`."""
    usual = ["--ignore-config", "--no-cache-dir", "--compat-options", "no-certifi"]
    usual += ["-P", str(tmp_path / "out"), "-o", "%(id)s.%(ext)s"]
    return lambda *options: start("yt_dlp", *usual, *options)


@pytest.fixture
def gallery_dl(start: Run, platform: Simulator, tmp_path: Path) -> Run:
    """Runs gallery-dl on links, into the folder `out`."""
    usual = ["--config-ignore", "-o", f"verify={platform.ca_file}", "-D", str(tmp_path / "out")]
    return lambda *options: start("gallery_dl", *usual, "-f", "{id}.{num}.{extension}", *options)


def post(id: str) -> Upload:
    """A post of the invented people."""
    found = TIKTOK.post(id)
    assert found is not None
    return found


def link(id: str, form: str = "video") -> str:
    """The address of a post's page."""
    return f"https://www.tiktok.com/@{post(id).creator.handle}/{form}/{id}"


def video(id: str) -> bytes:
    """The best encoding of a video."""
    best = max(post(id).gears, key=lambda gear: (gear.width, gear.size))
    return held(best.codec, best.size, best.seed)


def sound(id: str) -> bytes:
    """The sound of a post."""
    track = post(id).track
    return held(post(id).track_kind, track.size, track.seed)


def held(kind: str, size: int, seed: int | str) -> bytes:
    """A file of the simulator."""
    made = content(kind, size, seed)
    return made.read(0, made.size)


def brought(folder: Path) -> dict[str, bytes]:
    """What lies in a folder."""
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_yt_dlp_brings_videos_subtitles_and_sounds(yt_dlp: Run, tmp_path: Path) -> None:
    """The best encodings, the tracks of three languages and a photo post's sound; a short link leads to its post."""
    short = TIKTOK.short_link("post", TIKTOK.SMALL)
    links = [link(TIKTOK.VIDEO), link(TIKTOK.SUBTITLES), link(TIKTOK.PHOTO), short]
    done = yt_dlp("--write-subs", "--all-subs", *links)
    texts = {
        f"{TIKTOK.SUBTITLES}.{each.language}.{'srt' if each.form == 'srt' else 'vtt'}": each
        for each in post(TIKTOK.SUBTITLES).captions
        if each.form != "creator_caption"
    }

    assert done.returncode == 0, done.stdout + done.stderr
    assert brought(tmp_path / "out") == {
        **{f"{id}.mp4": video(id) for id in (TIKTOK.VIDEO, TIKTOK.SUBTITLES, TIKTOK.SMALL)},
        f"{TIKTOK.PHOTO}.mp3": sound(TIKTOK.PHOTO),
        **{name: subtitle(each.form, each.seed) for name, each in texts.items()},
    }


def test_gallery_dl_brings_videos_photos_and_their_sound(gallery_dl: Run, tmp_path: Path) -> None:
    """All pictures of a photo post in their order; of a video the file that its page plays."""
    done = gallery_dl(link(TIKTOK.PHOTO, "photo"), link(TIKTOK.SMALL))
    pictures = enumerate(post(TIKTOK.PHOTO).pictures, start=1)

    assert done.returncode == 0, done.stdout + done.stderr
    assert brought(tmp_path / "out") == {
        **{f"{TIKTOK.PHOTO}.{n}.jpg": held("jpeg", each.size, each.seed) for n, each in pictures},
        f"{TIKTOK.PHOTO}.0.mp3": sound(TIKTOK.PHOTO),
        f"{TIKTOK.SMALL}.0.mp4": video(TIKTOK.SMALL),
    }


def test_yt_dlp_solves_our_proof_of_work(yt_dlp: Run, platform: Simulator, tmp_path: Path) -> None:
    """The page comes for its answer, so the challenge is the one that it knows."""
    platform.faults.set("waf-challenge")
    done = yt_dlp(link(TIKTOK.SMALL))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Solving JS challenge" in done.stdout
    assert brought(tmp_path / "out") == {f"{TIKTOK.SMALL}.mp4": video(TIKTOK.SMALL)}


REFUSALS = {
    TIKTOK.DELETED: "Your IP address is blocked",
    TIKTOK.PRIVATE: "permission to view this post",
    TIKTOK.STATUS[10222]: "permission to view this post",
    TIKTOK.AGE_GATED: "may not be comfortable for some audiences",
    TIKTOK.LOGIN_WALL: "requiring login",
}


def test_yt_dlp_reads_our_refusals(yt_dlp: Run) -> None:
    """Status codes and gates mean to it what they mean to us."""
    done = yt_dlp("--ignore-errors", *map(link, REFUSALS))
    told = {id: line for line in done.stderr.splitlines() for id in REFUSALS if f"{id}:" in line}

    assert done.returncode != 0
    assert told.keys() == REFUSALS.keys()
    for id, words in REFUSALS.items():
        assert words in told[id]
