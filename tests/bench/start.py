"""How long the program takes to start, and to bring one small post at a distance of 40 ms.

Bars: `--version` 0.05 s and `--help` 0.2 s on an idle machine; one post of 0.3 MB for a known guest 0.8 s in all, of
TikTok 0.7 s.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import (
    MEDIA_HEADERS,
    PROGRAM,
    Platform,
    emptied,
    has,
    interleaved,
    platform,
    seconds,
    surroundings,
    table,
)

from dyvine_cli.simulator.tiktok_world import TiktokWorld
from dyvine_cli.simulator.world import World

RTT = 0.04


def start_up(home: Path, runs: int) -> None:
    """The program without anything to do."""
    env = surroundings(home)
    medians = interleaved(
        {
            "python -c pass": lambda: seconds([sys.executable, "-c", "pass"], env=env),
            "dyvine --version": lambda: seconds([*PROGRAM, "--version"], env=env),
            "dyvine --help": lambda: seconds([*PROGRAM, "--help"], env=env),
            "dyvine post --help": lambda: seconds([*PROGRAM, "post", "--help"], env=env),
        },
        runs,
    )
    bars = {"dyvine --version": "bar 0.05 s", "dyvine --help": "bar 0.2 s"}
    table("start", medians, against="python -c pass", bars=bars)


def one_post(place: Path, stand_in: Platform, runs: int) -> None:
    """One post of 0.3 MB, against programs that are handed its media address."""
    env = surroundings(place / "home", stand_in)
    post = [*PROGRAM, "--pace", "off", "-q", "post", World.SMALL]
    seconds([*post, "-P", str(place / "first")], env=env)  # makes the guest
    folder = place / "out"
    tiktok = [*post[:-1], f"tiktok:post:{TiktokWorld.SMALL}"]
    seconds([*tiktok, "-P", str(place / "first")], env=env)
    again = ["--overwrite", "-P"]
    contenders = {
        "dyvine post": lambda: seconds([*post, *again, str(emptied(folder))], env=env),
        "dyvine post (TikTok)": lambda: seconds([*tiktok, *again, str(emptied(folder))], env=env),
    }
    if has("curl"):
        contenders["curl"] = lambda: seconds(curl(address(post, env), stand_in, emptied(folder)))
    if has("aria2c"):
        contenders["aria2c"] = lambda: seconds(aria2c(address(post, env), stand_in, emptied(folder)))
    medians = interleaved(contenders, runs)
    title = "one post of 0.3 MB, 40 ms round trip (curl and aria2c are handed the media address)"
    bars = {"dyvine post": "bar 0.8 s", "dyvine post (TikTok)": "bar 0.7 s"}
    table(title, medians, against="curl", bars=bars)


def address(post: list[str], env: dict[str, str]) -> str:
    """A fresh media address of the post."""
    return subprocess.run([*post, "-g"], env=env, capture_output=True, text=True, check=True).stdout.split()[
        0
    ]


def headers(option: str, host: str) -> list[str]:
    """The headers of a media request as options of another program."""
    return [
        word
        for name, value in {**MEDIA_HEADERS, "Host": host}.items()
        for word in (option, f"{name}: {value}")
    ]


def curl(url: str, stand_in: Platform, folder: Path) -> list[str]:
    """The call of curl for one file."""
    here, host = stand_in.here(url)
    return ["curl", "-sSf", "-o", str(folder / "file"), *headers("-H", host), here]


def aria2c(url: str, stand_in: Platform, folder: Path) -> list[str]:
    """The call of aria2c for one file."""
    here, host = stand_in.here(url)
    return ["aria2c", "-q", "-d", str(folder), "-o", "file", *headers("--header", host), here]


def main() -> None:
    """Run both parts and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="runs of each contender after a warm-up")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="dyvine-bench-") as place, platform(rtt=RTT) as stand_in:
        start_up(Path(place), runs)
        one_post(Path(place), stand_in, runs)


if __name__ == "__main__":
    main()
