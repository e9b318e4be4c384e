"""A whole account against a C downloader that is handed the finished list, and against its own pace.

200 posts, 40 ms round trip, 8 MB/s per connection: about 460 files and 350 MB of Douyin, or with `--site tiktok` 340
files of TikTok. Bars: wall at most 2.0 x `aria2c -j16` (TikTok 1.5 x); at the normal pace at most 1.1 x (calls - burst)
x interval. With `--memory`: 20,000 archived posts of Douyin listed again.
"""

from __future__ import annotations

import argparse
import http.client
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

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
from dyvine_cli.simulator import tiktok_guest
from dyvine_cli.simulator.tiktok_world import TiktokWorld
from dyvine_cli.simulator.world import World

RTT, RATE, PARALLEL = 0.04, "8M", "16"
SITES = Path(dyvine_cli.__file__).parent / "sites"


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a site's bench needs to know."""

    name: str
    page: str
    """The address of an account, before its id."""
    accounts: Mapping[int, str]
    """Account ids by number of posts."""
    login: str
    """The login's cookies, as a `Cookie` header has them."""
    posts: str
    """The path of the list's pages."""
    call: str
    """Their class in pace.toml."""
    referer: str
    chain: str
    """The cookie of media addresses on the site's own hosts; empty where there is none."""
    bar: float
    """Most times as long as aria2c."""


def douyin() -> Place:
    """The account with videos, pictures and their sounds."""
    return Place(
        name="douyin",
        page="https://www.douyin.com/user/",
        accounts=World.ACCOUNTS,
        login=f"sessionid={World.SESSION}",
        posts="/aweme/v1/web/aweme/post/",
        call="list",
        referer="https://www.douyin.com/",
        chain="",
        bar=2.0,
    )


def tiktok() -> Place:
    """The account of videos and photo posts; its videos want the cookie of the login's jar."""
    now = time.time()
    return Place(
        name="tiktok",
        page="https://www.tiktok.com/@",
        accounts=TiktokWorld.ACCOUNTS,
        login=tiktok_guest.login_header(now),
        posts="/api/post/item_list/",
        call="signed_list",
        referer="https://www.tiktok.com/",
        chain=tiktok_guest.login_cookies(now)["tt_chain_token"],
        bar=1.5,
    )


PLACES = {"douyin": douyin, "tiktok": tiktok}


class Account:
    """The account to fetch, with the login that sees all of it."""

    def __init__(self, place: Path, stand_in: Platform, site: Place, posts: int) -> None:
        self.place = place
        self.stand_in = stand_in
        self.site = site
        self.link = site.page + site.accounts[posts]
        self.login = place / "login"
        self.out = place / "out"
        jar = place / "jar"
        jar.write_text(site.login, encoding="utf-8")
        add = [*PROGRAM, "login", "add", "--site", site.name, str(jar)]
        seconds(add, env=surroundings(self.login, stand_in))

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
        """The finished list: one media address per file, behind its redirect, which leads to a host that only we know."""
        env = surroundings(self.home(), self.stand_in)
        command = [*PROGRAM, "--pace", "off", "-g", "user", self.link]
        told = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.split()
        return [self.behind(url) for url in told]

    def behind(self, url: str) -> str:
        """Where an address of the site itself leads; other addresses are files already."""
        parts = urlsplit(url)
        if not parts.path.startswith("/aweme/v1/play/"):
            return url
        connection = http.client.HTTPConnection("127.0.0.1", self.stand_in.port, timeout=30)
        told = dict(each.split(": ", 1) for each in self.headers(parts.netloc))
        connection.request("GET", f"{parts.path}?{parts.query}", headers=told)
        location = connection.getresponse().getheader("Location")
        connection.close()
        return location or url

    def aria2c(self, addresses: list[str]) -> float:
        """Seconds of aria2c with the finished list."""
        entries = [
            "\n  ".join([here, f"out={number}", *(f"header={each}" for each in self.headers(host))])
            for number, (here, host) in enumerate(map(self.stand_in.here, addresses))
        ]
        wanted = self.place / "list"
        wanted.write_text("\n".join(entries) + "\n", encoding="utf-8")
        return seconds(["aria2c", "-q", f"-j{PARALLEL}", "-d", str(emptied(self.out)), "-i", str(wanted)])

    def calls(self) -> int:
        """How many pages were asked of the simulator since it was asked last."""
        log = self.stand_in.ask("/log", {"clear": True})
        return sum(each["path"] == self.site.posts for each in log["requests"])

    def headers(self, host: str) -> list[str]:
        """The headers of a media request, which aria2c takes with each address."""
        told = {**MEDIA_HEADERS, "Referer": self.site.referer, "Host": host}
        if self.site.chain and host.endswith(".tiktok.com"):
            told["Cookie"] = f"tt_chain_token={self.site.chain}"
        return [f"{name}: {value}" for name, value in told.items()]


def against_aria2c(account: Account, runs: int) -> None:
    """Wall time without a pace, and of aria2c with the list."""
    contenders = {"dyvine user": lambda: account.dyvine("off")}
    if has("aria2c"):
        contenders["aria2c -j16"] = lambda: account.aria2c(account.addresses())
    medians = interleaved(contenders, runs)
    account.dyvine("off")
    count, size = files_of(account.out)
    title = f"account of 200 posts: {count} files, {size / 1e6:.0f} MB, 40 ms, 8 MB/s per connection, -N 16"
    table(title, medians, against="aria2c -j16", bars={"dyvine user": f"bar {account.site.bar} x"})


def against_its_pace(account: Account) -> None:
    """One run at the normal pace, and the least that its calls may take."""
    rates = tomllib.loads((SITES / account.site.name / "pace.toml").read_text(encoding="utf-8"))
    rate = rates[account.site.call]
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
    parser.add_argument("--site", choices=PLACES, default="douyin", help="whose account (default: douyin)")
    parser.add_argument("--memory", action="store_true", help="measure memory with 20,000 posts (minutes)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dyvine-bench-") as place:
        if options.memory:
            with platform(rtt=0.0) as stand_in:
                memory(Account(Path(place), stand_in, douyin(), 20_000))
            return
        with platform(rtt=RTT, rate=RATE) as stand_in:
            account = Account(Path(place), stand_in, PLACES[options.site](), 200)
            against_aria2c(account, options.runs)
            against_its_pace(account)


if __name__ == "__main__":
    main()
