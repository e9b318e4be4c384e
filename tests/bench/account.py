"""A whole account against a C downloader that is handed the finished list, and against its own pace.

200 posts, about 460 files and 350 MB, 40 ms round trip, 8 MB/s per connection. Bars: wall at most 2.0 x `aria2c -j16`;
at the normal pace at most 1.1 x (calls - burst) x interval. With `--memory`: 20,000 archived posts listed again.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from measure import (
    MEDIA_HEADERS,
    PROGRAM,
    Platform,
    emptied,
    files_of,
    has,
    interleaved,
    platform,
    seconds,
    surroundings,
    table,
)

import dyvine_cli
from dyvine_cli.simulator.world import World

RTT, RATE, PARALLEL = 0.04, "8M", "16"
POSTS = "/aweme/v1/web/aweme/post/"
PACE = Path(dyvine_cli.__file__).parent / "sites" / "douyin" / "pace.toml"


class Account:
    """The account to fetch, with the login that sees all of it."""

    def __init__(self, place: Path, stand_in: Platform, posts: int) -> None:
        self.place = place
        self.stand_in = stand_in
        self.link = f"https://www.douyin.com/user/{World.ACCOUNTS[posts]}"
        self.login = place / "login"
        self.out = place / "out"
        seconds(
            [*PROGRAM, "login", "add", f"sessionid={World.SESSION}"], env=surroundings(self.login, stand_in)
        )

    def home(self) -> Path:
        """A home that knows the login and nothing else."""
        home = self.place / "home"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(self.login, home)
        return home

    def dyvine(self, pace: str) -> float:
        """Seconds of a whole run into an empty folder."""
        env = surroundings(self.home(), self.stand_in)
        return seconds(self.command(pace, emptied(self.out)), env=env)

    def command(self, pace: str, folder: Path) -> list[str]:
        """The call of a whole run."""
        return [*PROGRAM, "--pace", pace, "-q", "user", "-N", PARALLEL, "-P", str(folder), self.link]

    def addresses(self) -> list[str]:
        """The finished list: one media address per file."""
        env = surroundings(self.home(), self.stand_in)
        command = [*PROGRAM, "--pace", "off", "-g", "user", self.link]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.split()

    def aria2c(self, addresses: list[str]) -> float:
        """Seconds of aria2c with the finished list."""
        entries = [
            "\n  ".join([here, f"out={number}", *(f"header={each}" for each in headers(host))])
            for number, (here, host) in enumerate(map(self.stand_in.here, addresses))
        ]
        wanted = self.place / "list"
        wanted.write_text("\n".join(entries) + "\n", encoding="utf-8")
        return seconds(["aria2c", "-q", f"-j{PARALLEL}", "-d", str(emptied(self.out)), "-i", str(wanted)])

    def calls(self) -> int:
        """How many pages were asked of the simulator since it was asked last."""
        log = self.stand_in.ask("/log", {"clear": True})
        return sum(each["path"] == POSTS for each in log["requests"])


def headers(host: str) -> list[str]:
    """The headers of a media request, which aria2c takes with each address."""
    return [f"{name}: {value}" for name, value in {**MEDIA_HEADERS, "Host": host}.items()]


def against_aria2c(account: Account, runs: int) -> None:
    """Wall time without a pace, and of aria2c with the list."""
    contenders = {"dyvine user": lambda: account.dyvine("off")}
    if has("aria2c"):
        contenders["aria2c -j16"] = lambda: account.aria2c(account.addresses())
    medians = interleaved(contenders, runs)
    account.dyvine("off")
    count, size = files_of(account.out)
    title = f"account of 200 posts: {count} files, {size / 1e6:.0f} MB, 40 ms, 8 MB/s per connection, -N 16"
    table(title, medians, against="aria2c -j16", bars={"dyvine user": "bar 2.0 x"})


def against_its_pace(account: Account) -> None:
    """One run at the normal pace, and the least that its calls may take."""
    rate = tomllib.loads(PACE.read_text(encoding="utf-8"))["list"]
    account.calls()
    took = account.dyvine("normal")
    calls = account.calls()
    floor = max(0, calls - rate["burst"]) * rate["interval"]
    table(
        f"the same at the normal pace: {calls} pages",
        {"dyvine user": took, "(calls - burst) x interval": floor},
        against="(calls - burst) x interval",
        bars={"dyvine user": "bar 1.1 x"},
    )


def memory(account: Account) -> None:
    """Peak memory of a full listing of posts that are all archived."""
    env = surroundings(account.home(), account.stand_in)
    folder = emptied(account.out)
    command = account.command("off", folder)
    first = peak(command, env)
    again = peak([*command, "--full"], env)
    count, size = files_of(folder)
    print(f"\n20,000 posts: {count} files, {size / 1e6:.0f} MB")
    print(f"  downloading     {first / 1e6:6.0f} MB")
    print(f"  listing again   {again / 1e6:6.0f} MB  bar 120 MB")


def peak(command: list[str], env: dict[str, str]) -> int:
    """The most memory that a run held, in bytes."""
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)[:200]}: status {process.returncode}")
    return kibibytes(usage) * 1024


def kibibytes(usage: resource.struct_rusage) -> int:
    """The resident size; macOS counts it in bytes."""
    return usage.ru_maxrss // 1024 if sys.platform == "darwin" else usage.ru_maxrss


def main() -> None:
    """Run the parts and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each contender after a warm-up")
    parser.add_argument("--memory", action="store_true", help="measure memory with 20,000 posts (minutes)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dyvine-bench-") as place:
        if options.memory:
            with platform(rtt=0.0) as stand_in:
                memory(Account(Path(place), stand_in, 20_000))
            return
        with platform(rtt=RTT, rate=RATE) as stand_in:
            account = Account(Path(place), stand_in, 200)
            against_aria2c(account, options.runs)
            against_its_pace(account)


if __name__ == "__main__":
    main()
