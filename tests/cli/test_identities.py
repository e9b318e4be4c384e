"""Who a run is: logins out of a browser, their health, taking turns."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from dyvine_cli.simulator.world import World
from tests.cli.conftest import Program
from tests.firefox import firefox
from tests.test_encode import check

WAYS = {
    "option": (["--cookies-from-browser", "firefox"], {}, ""),
    "variable": ([], {"DYVINE_COOKIES_FROM_BROWSER": "firefox"}, ""),
    "file": ([], {}, 'cookies_from_browser = "firefox"\n'),
}


@pytest.mark.parametrize(("options", "env", "file"), WAYS.values(), ids=list(WAYS))
def test_a_run_takes_its_login_from_the_browser(
    dyvine: Program, tmp_path: Path, options: list[str], env: dict[str, str], file: str
) -> None:
    """What only a login sees comes, and nothing of the login stays behind."""
    firefox(tmp_path, World.SESSION)
    dyvine.home.mkdir()
    (dyvine.home / "config.toml").write_text(file)
    done = dyvine("post", *options, World.LOGIN_ONLY, env=env)
    traces = [
        path
        for path in dyvine.home.rglob("*")
        if path.is_file() and World.SESSION.encode() in path.read_bytes()
    ]

    assert done.code == 0
    assert World.SESSION not in done.out + done.err
    assert traces == []


def test_a_login_is_added_out_of_a_browser(dyvine: Program, tmp_path: Path) -> None:
    """The profile of the browser is chosen, tried and kept; the browser is not needed any more."""
    firefox(tmp_path, World.DEAD_SESSION)
    firefox(tmp_path, World.SESSION, profile="work")
    dead = dyvine("login", "add", "--cookies-from-browser", "firefox:default")
    added = dyvine("login", "add", "--profile", "second", "--cookies-from-browser", "firefox:work")
    used = dyvine("post", "--profile", "second", World.LOGIN_ONLY)

    assert (dead.code, added.code, used.code) == (4, 0, 0)
    assert "douyin second: logged in as" in added.out
    assert not (dyvine.home / "state" / "profiles" / "douyin" / "main.json").exists()


MISTAKES = {
    "none": ([], "no cookies are named"),
    "two": (["jar", "--cookies-from-browser", "firefox"], "two sources"),
    "unknown": (["--cookies-from-browser", "lynx"], "'lynx' is none of firefox, chromium"),
    "missing": (["--cookies-from-browser", "firefox"], "Firefox"),
}


@pytest.mark.parametrize(("arguments", "said"), MISTAKES.values(), ids=list(MISTAKES))
def test_what_no_login_can_be_taken_from_is_wrong_input(
    dyvine: Program, arguments: list[str], said: str
) -> None:
    """Exit status 2, the cause, and how to do it."""
    done = dyvine.inside("login", "add", *arguments)

    assert done.code == 2
    assert said in done.complaints()[0]
    assert done.complaints("hint")


def test_a_browser_and_a_profile_exclude_each_other(dyvine: Program, tmp_path: Path) -> None:
    """A run is one identity: two that are named equally near are refused by their names."""
    firefox(tmp_path, World.SESSION)
    done = dyvine.inside("post", "--profile", "main", "--cookies-from-browser", "firefox", World.SMALL)

    assert done.code == 2
    assert "--profile and" in done.complaints()[0]
    assert "--cookies-from-browser" in done.complaints()[0]


def ending(days: float) -> str:
    """A Cookie file of a login that ends after so many days."""
    ends = int(time.time() + days * 86_400)
    return f"# Netscape HTTP Cookie File\n.douyin.com\tTRUE\t/\tTRUE\t{ends}\tsessionid\t{World.SESSION}\n"


@pytest.mark.parametrize("options", [["-q"], ["--json"], []], ids=["quiet", "json", "usual"])
@pytest.mark.slow
def test_a_login_that_ends_soon_is_told_in_the_last_line_once_a_day(
    dyvine: Program, tmp_path: Path, options: list[str]
) -> None:
    """The warning is the last line on stderr of the first run of the day, and of no other."""
    (tmp_path / "jar").write_text(ending(3.5))
    dyvine("login", "add", "--no-test", tmp_path / "jar")
    first, second = (dyvine(*options, "post", "--overwrite", World.LOGIN_ONLY) for _ in range(2))

    assert (first.code, second.code) == (0, 0)
    assert first.err.splitlines()[-1].startswith("warning: the douyin login 'main' ends in 3 days (")
    assert "ends in" not in second.err
    assert "ends in" not in first.out


@pytest.mark.slow
def test_the_status_of_logins_is_made_for_monitoring(dyvine: Program, tmp_path: Path) -> None:
    """One object per login with its health; -v tells it to people; a dead one gives status 4, whatever else fails."""
    (tmp_path / "jar").write_text(ending(40))
    dyvine("login", "add", tmp_path / "jar")
    dyvine("post", World.LOGIN_ONLY, env={"DYVINE_PACE": "fast"})
    (found,) = dyvine("login", "status", "--json").objects
    told = dyvine("login", "-v")
    dyvine("login", "add", "--no-test", "--profile", "old", f"sessionid={World.DEAD_SESSION}")
    dead = dyvine("login", "--json")

    for each in (found, *dead.objects):
        check(each, "login")
    assert found["account"]["id"] == World.SELF
    assert found["health"]["accepted"].endswith("Z")
    assert (found["health"]["refused"], found["health"]["cools_down_until"]) == (None, None)
    assert found["health"]["refusals"] == 0
    assert "  last refusal: none on record" in told.out.splitlines()
    assert re.search(r"^  last answer: 20\d\d-", told.out, re.MULTILINE)
    assert told.code == 0
    assert dead.code == 4
    assert [(each["profile"], (each["failed"] or {}).get("error")) for each in dead.objects] == [
        ("main", None),
        ("old", "LoginExpired"),
    ]
    assert World.SESSION not in dead.out + told.out + told.err


@pytest.mark.slow
def test_a_login_keeps_its_proxy(dyvine: Program) -> None:
    """It is its way from then on, unless a run names another one; a renewed login keeps it."""
    proxied = {"DYVINE_CONNECT_TO": ""}
    header = f"sessionid={World.SESSION}"
    dyvine("login", "add", "--no-test", "--proxy", "socks5://me:hush@127.0.0.1:9", header)
    used = dyvine("post", "-R", "0", World.LOGIN_ONLY, env=proxied)
    over = dyvine("post", "-R", "0", "--proxy", "http://127.0.0.1:10", World.LOGIN_ONLY, env=proxied)
    dyvine("login", "add", "--no-test", header)
    renewed = dyvine("login", env=proxied)

    assert (used.code, over.code, renewed.code) == (9, 9, 9)
    assert "the proxy socks5://***@127.0.0.1:9 failed" in used.err
    assert "the proxy http://127.0.0.1:10 failed" in over.err
    assert "the proxy socks5://***@127.0.0.1:9 failed" in renewed.out
    assert "hush" not in used.out + used.err + over.err + renewed.out + renewed.err


@pytest.mark.slow
def test_a_list_of_proxies_is_a_setting(dyvine: Program, tmp_path: Path) -> None:
    """In the file it is absolute; a bad one is told before anything is asked, without a login in it."""
    dyvine.home.mkdir()
    (tmp_path / "proxies.txt").write_text("http://me:hush@127.0.0.1:9\nnonsense hush\n")
    config = dyvine.home / "config.toml"
    config.write_text(f'[network]\nproxy = "list:{tmp_path}/proxies.txt"\nproxy_order = "first"\n')
    bad = dyvine("post", World.SMALL)
    (tmp_path / "proxies.txt").write_text("http://me:hush@127.0.0.1:9\n")
    used = dyvine("post", "-R", "0", World.SMALL, env={"DYVINE_CONNECT_TO": ""})
    config.write_text('[network]\nproxy = "list:proxies.txt"\n')
    relative = dyvine("post", World.SMALL)
    config.write_text('[network]\nproxy = "list:https://127.0.0.1:9/list?token=hush"\n')
    shown = dyvine("config", "show")

    assert (bad.code, used.code, relative.code, shown.code) == (2, 9, 2, 0)
    assert "proxies.txt, line 2" in bad.err
    assert "the proxy http://***@127.0.0.1:9 failed" in used.err
    assert "not absolute" in relative.err
    assert "list:https://127.0.0.1:9/***" in shown.out
    assert "hush" not in "".join(each.out + each.err for each in (bad, used, relative, shown))
