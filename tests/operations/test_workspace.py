"""What a run works with: identities, ways to the network by site, folders that accounts keep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pytest

from dyvine_cli import cookies
from dyvine_cli.errors import ConfigError, DyvineError, InputError, NotWritable
from dyvine_cli.events import Event, Failed, Warned
from dyvine_cli.operations import login
from dyvine_cli.operations.workspace import open_workspace
from dyvine_cli.simulator.douyin_guest import login_header
from dyvine_cli.simulator.tiktok_guest import login_header as tiktok_header
from dyvine_cli.simulator.tiktok_world import TiktokWorld
from dyvine_cli.simulator.world import World

from .conftest import Person

pytestmark = pytest.mark.anyio

SMALL = f"douyin:post:{World.SMALL}"


@dataclass
class Proxy:
    """A proxy that notes who is asked for and lets nobody through."""

    asked: list[str] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one head, refuse it."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split(b" ")[1].decode())
        writer.write(b"HTTP/1.1 502 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy on the loopback."""
    found = Proxy()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


PLACES = {
    "flag": ({"proxy": "{}"}, {}, True),
    "environment": ({}, {"https_proxy": "{}"}, True),
    "its own": ({}, {"DYVINE_DOUYIN_PROXY": "{}"}, True),
    "the other site's": ({}, {"DYVINE_TIKTOK_PROXY": "{}"}, False),
    "own none over the environment": ({}, {"https_proxy": "{}", "DYVINE_DOUYIN_PROXY": "none"}, False),
    "exempt": ({}, {"https_proxy": "{}", "no_proxy": "douyin.com"}, False),
    "exempt elsewhere": ({}, {"https_proxy": "{}", "no_proxy": "example.com"}, True),
}


@pytest.mark.parametrize(("flags", "env", "used"), PLACES.values(), ids=PLACES.keys())
async def test_each_site_takes_its_own_way(
    person: Person, flags: dict[str, str], env: dict[str, str], used: bool
) -> None:
    """A site's proxy is its own or the general one, and what no_proxy names goes direct."""
    async with proxy() as by:
        address = f"http://127.0.0.1:{by.port}"
        person.env |= {name: value.format(address) for name, value in env.items()}
        # Nothing is led elsewhere; direct connections end at a port where nobody listens.
        wanted = {name: value.format(address) for name, value in flags.items()}
        led = (
            f"www.douyin.com:443:127.0.0.1:{person.platform.port}"
            if not used
            else "example.com:443:127.0.0.1:9"
        )
        outcome = await person.get(SMALL, connect_to=led, retries=0, simulate=True, **wanted)

    assert bool(by.asked) == used
    assert (outcome.code == 9) == used
    if used:
        assert by.asked[0] == "www.douyin.com:443"
        assert "proxy" in str(outcome.of(Failed)[0].error)


@pytest.mark.parametrize("value", ["ftp://127.0.0.1:1", "http://", "socks9://x:1"])
async def test_a_proxy_that_cannot_be_used_is_told_first(person: Person, value: str) -> None:
    """Nothing is asked with a proxy that nobody understands."""
    with pytest.raises(ConfigError):
        await person.get(SMALL, proxy=value)

    assert person.calls() == []


async def test_unchecked_certificates_are_warned_about(person: Person) -> None:
    """Once a run, whatever the number of sites."""
    events: list[Event] = []
    async with person.at_work(events, no_check_certificates=True):
        pass

    assert len([event for event in events if isinstance(event, Warned)]) == 1


COOKIES = {
    "a folder": (".", InputError),
    "no such file": ("nothing.txt", InputError),
    "another site's": ("tiktok.txt", InputError),
}


@pytest.mark.parametrize(("name", "kind"), COOKIES.values(), ids=COOKIES.keys())
async def test_cookies_that_are_none_end_the_run_before_it_begins(
    person: Person, name: str, kind: type[DyvineError]
) -> None:
    """A wrong cookie file is told with its cause; nobody is asked as a guest instead."""
    (person.home / "tiktok.txt").write_text(
        "# Netscape HTTP Cookie File\n.tiktok.com\tTRUE\t/\tTRUE\t2000000000\tsessionid\tabc\n"
    )
    with pytest.raises(kind):
        await person.get(SMALL, site="douyin", cookies=str(person.home / name))

    assert person.calls() == []


NETSCAPE = "# Netscape HTTP Cookie File\n.{}.com\tTRUE\t/\tTRUE\t2000000000\tsessionid\t" + "5" * 32 + "\n"
OTHERS = {
    "another site's file": ("douyin", NETSCAPE.format("tiktok"), SMALL),
    "the other way round": ("tiktok", NETSCAPE.format("douyin"), f"tiktok:post:{TiktokWorld.VIDEO}"),
    "a header that is the usual site's": (
        "tiktok",
        "sessionid=" + "5" * 32,
        f"tiktok:post:{TiktokWorld.VIDEO}",
    ),
}


@pytest.mark.parametrize(("site", "text", "link"), OTHERS.values(), ids=list(OTHERS))
async def test_cookies_of_another_site_make_no_silent_guest(
    site: str, text: str, link: str, person: Person
) -> None:
    """The site is not asked as a guest; a login that is stored for it is used as ever."""
    jar = person.home / "jar.txt"
    jar.write_text(text)
    outcome = await person.get(link, cookies=str(jar))
    (failed,) = outcome.of(Failed)
    calls = person.calls()
    header = (login_header if site == "douyin" else tiktok_header)(person.platform.clock())
    async with person.at_work() as workspace:
        await login.add(workspace, cookies.read(header, site=site), site=site, name=None, test=False)
    stored = await person.get(link, cookies=str(jar))

    other = "tiktok" if site == "douyin" else "douyin"
    assert outcome.code == InputError.exit_code
    assert f"cookies of {other} only" in failed.error.message
    assert f"dyvine login add --site {site}" in (failed.error.hint or "")
    assert calls == []
    assert stored.code == 0


async def test_a_file_of_one_site_serves_its_own_links_beside_others(person: Person) -> None:
    """Only the links of the site without cookies fail."""
    jar = person.home / "jar.txt"
    jar.write_text(NETSCAPE.format("douyin").replace("5" * 32, World.SESSION))
    outcome = await person.get(
        f"douyin:post:{World.LOGIN_ONLY}", f"tiktok:post:{TiktokWorld.VIDEO}", cookies=str(jar)
    )

    assert outcome.code == 3
    assert [each.error.exit_code for each in outcome.of(Failed)] == [2]


@pytest.mark.parametrize("spec", ["netscape", "firefox:no-such-profile"])
async def test_a_browser_that_gives_no_cookies_is_an_error(person: Person, spec: str) -> None:
    """Cookies of a browser that is not there are never a silent guest."""
    with pytest.raises(InputError):
        await person.get(SMALL, site="douyin", cookies_from_browser=spec)

    assert person.calls() == []


async def test_the_environments_cookies_are_used_and_not_kept(person: Person) -> None:
    """A login of the environment sees what only logins see, and leaves no file."""
    person.env["DOUYIN_COOKIE"] = login_header(person.platform.clock())
    outcome = await person.get(f"douyin:post:{World.LOGIN_ONLY}", simulate=True)
    text = "".join(
        path.read_text(errors="replace") for path in (person.home / "state").rglob("*") if path.is_file()
    )

    assert outcome.code == 0
    assert World.SESSION not in text


async def test_two_logins_of_the_environment_do_not_share_a_cool_down(person: Person) -> None:
    """What one of them was refused does not hold the other up; the same one is held up wherever it comes from."""
    header = login_header(person.platform.clock())
    jar = person.home / "jar"
    jar.write_text(header)
    person.platform.faults.set("429", value=1200, count=1, where="aweme/detail")

    async def post(**flags: str) -> int:
        """The status of a run with the budget of this machine."""
        async with open_workspace(person.settings(pace="off", **flags), lambda event: None) as workspace:
            try:
                await workspace.client.post(f"douyin:post:{World.LOGIN_ONLY}")
            except DyvineError as error:
                return error.exit_code
        return 0

    person.env["DOUYIN_COOKIE"] = header
    refused, again = await post(), await post(cookies=str(jar))
    person.env["DOUYIN_COOKIE"] = "ttwid=1; sessionid=" + "7" * 32
    other = await post()

    assert (refused, again) == (6, 6)
    assert other != 6


async def test_new_values_of_a_logins_cookies_are_kept(person: Person) -> None:
    """What answers set replaces what was stored, in its file; the session stays."""
    jar = cookies.read(login_header(person.platform.clock()), site="douyin")
    old = tuple(each for each in jar if each.name != "ttwid")
    async with person.at_work() as workspace:
        await login.add(workspace, old, site="douyin", name=None, test=False)
    await person.get(f"douyin:post:{World.LOGIN_ONLY}", simulate=True)
    async with person.at_work() as workspace:
        kept = workspace.profiles.load("douyin", "main")

    assert kept is not None
    assert cookies.value(kept.cookies, "ttwid")
    assert cookies.value(kept.cookies, "sessionid") == World.SESSION


async def test_an_accounts_folder_is_found_when_it_comes(person: Person) -> None:
    """Folders are looked up again when one came since; a file of that name is none."""
    parent = PurePosixPath("douyin")
    async with person.at_work() as workspace:
        assert workspace.folder(parent, "_1") is None
        (person.folder / "douyin" / "名字_1").mkdir(parents=True)
        (person.folder / "douyin" / "a_2").write_text("")

        assert workspace.folder(parent, "_1") == "名字_1"
        assert workspace.folder(parent, "_2") is None


async def test_a_folder_that_cannot_be_read_is_a_disk_error(person: Person) -> None:
    """What the system refuses is told as ours."""
    person.folder.mkdir()
    (person.folder / "douyin").symlink_to(person.folder / "douyin")
    async with person.at_work() as workspace:
        with pytest.raises(NotWritable):
            workspace.folder(PurePosixPath("douyin"), "_1")
