"""A downloader of other people, unmodified, takes the TikTok half for TikTok."""

from __future__ import annotations

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
from dyvine_cli.simulator.tiktok_world import TIKTOK

Run = Callable[..., "subprocess.CompletedProcess[str]"]


class Detour(socketserver.StreamRequestHandler):
    """A proxy's end of one connection: whatever host is asked for, the simulator is behind it."""

    port = 0

    def handle(self) -> None:
        """Answer CONNECT and carry the bytes both ways."""
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.port)) as there:
            back = threading.Thread(target=carry, args=(there, self.connection))
            back.start()
            carry(self.connection, there)
            back.join()


def carry(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes on until one side is gone."""
    with suppress(OSError):
        while data := source.recv(2**16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Both platforms behind TLS."""
    with running(tls=True) as simulator:
        yield simulator


@pytest.fixture
def proxy(simulator: Simulator) -> Iterator[str]:
    """The address of a proxy that leads to the simulator only."""
    handler = type("Detour", (Detour,), {"port": simulator.port})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def yt_dlp(proxy: str, tmp_path: Path) -> Run:
    """Runs yt-dlp on posts, into the test's folder."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "yt_dlp", "--ignore-config", "--no-cache-dir", "--proxy", proxy]
        command += ["--no-check-certificates", "-P", str(tmp_path), "-o", "%(id)s.%(ext)s", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, encoding="utf-8")

    return run


def page(id: str) -> str:
    """The address of a post."""
    return f"https://www.tiktok.com/@_/video/{id}"


def test_videos_subtitles_sounds_and_short_links(yt_dlp: Run, tmp_path: Path) -> None:
    """It finds the best encoding of each, every subtitle, and a photo post's sound."""
    links = [page(TIKTOK.SUBTITLES), page(TIKTOK.PHOTO), TIKTOK.short_link("post", TIKTOK.SMALL)]
    done = yt_dlp("--write-subs", "--all-subs", *links)
    sizes = {path.name.removeprefix(path.name[:19]): path.stat().st_size for path in tmp_path.iterdir()}

    assert done.returncode == 0, done.stderr
    assert set(sizes) == {".mp4", ".mp3", ".eng-US.vtt", ".spa-ES.vtt", ".fra-FR.srt"}
    assert (tmp_path / f"{TIKTOK.SMALL}.mp4").stat().st_size == 300_000


def test_it_solves_our_proof_of_work(yt_dlp: Run, simulator: Simulator, tmp_path: Path) -> None:
    """The page comes for its answer, so the challenge is the one that it knows."""
    simulator.faults.set("waf-challenge")
    done = yt_dlp(page(TIKTOK.SMALL))

    assert done.returncode == 0, done.stderr
    assert "Solving JS challenge" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == [f"{TIKTOK.SMALL}.mp4"]


@pytest.mark.parametrize(
    ("id", "words"),
    [
        (TIKTOK.DELETED, "Your IP address is blocked"),
        (TIKTOK.PRIVATE, "permission to view this post"),
        (TIKTOK.STATUS[10222], "permission to view this post"),
        (TIKTOK.AGE_GATED, "may not be comfortable for some audiences"),
        (TIKTOK.LOGIN_WALL, "requiring login"),
    ],
    ids=["deleted", "private post", "private account", "age gate", "login wall"],
)
def test_it_reads_our_refusals(yt_dlp: Run, id: str, words: str) -> None:
    """Status codes and gates mean to it what they mean to us."""
    done = yt_dlp(page(id))

    assert done.returncode != 0
    assert words in done.stderr
