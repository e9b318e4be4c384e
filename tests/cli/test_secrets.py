"""Two hundred secrets, planted wherever one can stand; none comes out again."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.simulator.app import Simulator, running
from dyvine_cli.simulator.douyin_guest import login_cookies
from dyvine_cli.simulator.messages import Request, Response
from dyvine_cli.simulator.world import World
from tests.cli.conftest import Done, Program
from tests.rows import some_fast

NUMBERS = {
    "jar": 45,
    "set-cookie": 25,
    "header": 20,
    "body": 40,
    "query": 20,
    "proxy": 4,
    "environment": 26,
    "config": 20,
}
"""How many stand in which place."""


def secret(place: str, number: int) -> str:
    """A secret of one of the forms that tokens have; always the same one for its place."""
    digest = hashlib.sha512(f"{place} {number}".encode()).hexdigest()
    middle = f"{place[:3]}{number:02d}"
    return (
        digest[:32],
        f"{digest[:9]}Zq{middle}_{digest[9:20]}-X",
        f"1|{middle}{digest[:20]}|1790740800|{digest[20:52]}",
        f"{digest[:8]}-{digest[8:12]}-4{digest[12:15]}-a{digest[15:18]}-{digest[18:30]}",
        f"eyJh{digest[:12]}.{middle}Q{digest[12:24]}.{digest[24:36]}",
    )[number % 5].replace("|", "%7C" if place in ("jar", "set-cookie") else "|")


PLANTED = {place: [secret(place, each) for each in range(count)] for place, count in NUMBERS.items()}
ALL = sorted({each for some in PLANTED.values() for each in some})


def planting(simulator: Simulator) -> Any:
    """The platform, its answers full of secrets: in headers, new cookies, and wherever JSON has room."""
    assert simulator.douyin is not None
    answer = simulator.douyin.answer

    def planted(request: Request) -> Response | None:
        response = answer(request)
        if response is None:
            return None
        response.headers += [(f"x-tt-word-{i}", each) for i, each in enumerate(PLANTED["header"])]
        response.headers += [
            ("Set-Cookie", f"c{i}={each}; Path=/; Domain=.douyin.com; Secure")
            for i, each in enumerate(PLANTED["set-cookie"])
        ]
        if isinstance(response.body, bytes) and response.body.startswith(b"{"):
            response.body = json.dumps(_filled(json.loads(response.body)), ensure_ascii=False).encode()
        return response

    return planted


def _filled(found: dict[str, Any]) -> dict[str, Any]:
    """An answer with the secrets of bodies in front and behind, under names that tell and names that do not."""
    words = PLANTED["body"]
    first = {f"msToken{i}": each for i, each in enumerate(words[:10])}
    last = {
        "odd": words[10:20],
        "extra": json.dumps({"inner": words[20:25]}),
        "links": [f"https://p3.douyinpic.com/a.jpeg?x-signature={each}" for each in words[25:30]],
        **dict.fromkeys(words[30:35], 1),
        "session": {"deep": [{"word": each} for each in words[35:]]},
    }
    return {**first, **found, **last}


@pytest.fixture(scope="module")
def platform() -> Iterator[Simulator]:
    """Douyin in small, with loose lips."""
    with running() as simulator:
        simulator._platforms = (planting(simulator),)
        yield simulator


@pytest.fixture
def jar(dyvine: Program) -> Path:
    """The cookies of a living login among others."""
    cookies = {**login_cookies(0), **{f"planted{i}": each for i, each in enumerate(PLANTED["jar"])}}
    path = dyvine.work.parent / "cookies.txt"
    lines = [f".douyin.com\tTRUE\t/\tTRUE\t0\t{name}\t{value}" for name, value in cookies.items()]
    path.write_text("# Netscape HTTP Cookie File\n" + "\n".join(lines) + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def settings(dyvine: Program) -> Path:
    """A configuration file with every secret that may stand in one."""
    words = PLANTED["config"]
    path = dyvine.work.parent / "config.toml"
    path.write_text(
        f"""[network]
proxy = "http://{words[0]}:{words[1]}@127.0.0.1:9"
[tiktok]
proxy = "socks5://{words[2]}:{words[3]}@127.0.0.1:9"
[notify]
urls = ["ntfy://{words[4]}", "tgram://{words[5]}/{words[6]}"]
webhook = "https://example.org/{words[7]}?key={words[8]}"
[serve]
key = "{words[9]}"
database = "postgresql://{words[10]}:{words[11]}@db/dyvine"
[[target]]
name = "cloud"
kind = "r2"
access_key_id = "{words[12]}"
secret_access_key = "{words[13]}"
"""
    )
    path.chmod(0o600)
    return path


VIDEO = f"https://www.douyin.com/video/{World.SMALL}"
LOUD = ("-vv", "--print-traffic")


def link(url: str) -> str:
    """A pasted address with everything that trackers append."""
    return f"{url}?" + "&".join(f"share_word{i}={each}" for i, each in enumerate(PLANTED["query"]))


class Watch:
    """Collects the command lines of a process and its descendants while it runs."""

    def __init__(self, root: int) -> None:
        self.lines: set[str] = set()
        self._root = root
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> set[str]:
        """What was seen."""
        self._ended.set()
        self._thread.join()
        return self.lines

    def _look(self) -> None:
        while not self._ended.wait(0.01):
            parents = dict(_processes())
            for pid in parents:
                if self._root in _line(pid, parents):
                    self.lines.add(_command(pid))


def _processes() -> Iterator[tuple[int, int]]:
    """Every process with its parent."""
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                yield int(each.name), int((each / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue


def _line(pid: int, parents: Mapping[int, int]) -> set[int]:
    found: set[int] = set()
    while pid in parents and pid not in found:
        found.add(pid)
        pid = parents[pid]
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def run(dyvine: Program, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Done:
    """Run to the end; no command line of it or its children may hold a secret that was not on ours."""
    process: subprocess.Popen[bytes] = dyvine.start(*arguments, env=env)
    watch = Watch(process.pid)
    with process:
        out, err = process.communicate(timeout=60)
    given = " ".join(map(str, arguments))
    seen = " ".join(watch.stop())
    assert found(seen) <= found(given), "a secret stands in the process list"
    return Done(process.returncode, out.decode(), err.decode())


def found(text: str) -> set[str]:
    """The planted secrets in a text, whole or by any part of sixteen letters, encoded or not."""
    return {each for each in (*ALL, World.SESSION) if each in text or _core(each) in text}


def _core(word: str) -> str:
    """The part of a secret that no encoding changes."""
    return max(word.replace("%7C", "|").split("|"), key=len)[:32]


def written(dyvine: Program) -> str:
    """Everything below the folder in which it ran and its home, but the profiles in the state folder."""
    profiles = dyvine.home / "state" / "profiles"
    files = [
        path
        for top in (dyvine.work, dyvine.home)
        for path in top.rglob("*")
        if path.is_file() and profiles not in path.parents
    ]
    return "\n".join([*map(str, files), *(path.read_bytes().decode("latin-1") for path in files)])


def test_two_hundred_are_planted() -> None:
    """All different, and long enough to be told from words."""
    assert sum(NUMBERS.values()) == len(ALL) == 200
    assert min(map(len, ALL)) >= 20


RUNS: dict[str, Sequence[str]] = {
    "post": (*LOUD, "post", link(VIDEO), "--write-info-json", "--print", "path"),
    "post-json": (*LOUD, "post", link(VIDEO), "--json"),
    "info-json": (*LOUD, "post", "info", link(VIDEO), "--json"),
    "dump-json": (*LOUD, "post", link(VIDEO), "-j"),
    "user": (*LOUD, "user", link(f"https://www.douyin.com/user/{World.OPEN}"), "--limit", "2", "--json"),
    "short": (*LOUD, "get", link(World.DEAD_SHORT)),
    "unknown": (*LOUD, "get", link("https://example.org/video/1")),
    "missing": (*LOUD, "get", link(f"https://www.douyin.com/video/{World.MISSING}"), "--json"),
    "wrong-noun": (*LOUD, "user", link(VIDEO)),
    "login": ("login", "status", *LOUD, "--json"),
    "doctor": ("doctor", *LOUD, link(VIDEO), "--bundle", "record.json"),
    "doctor-json": ("doctor", *LOUD, link(VIDEO), "--json"),
}


@pytest.mark.parametrize("name", some_fast(RUNS.keys(), "user", "doctor-json"))
def test_no_secret_leaves_through_output_or_files(dyvine: Program, jar: Path, name: str) -> None:
    """Cookies, answers and pasted links, at the loudest: none on a stream, in a file, or in the process list."""
    added = run(dyvine, "login", "add", jar, *LOUD)
    done = run(dyvine, *RUNS[name])

    assert added.code == 0, added.err
    assert found(added.out + added.err) == set()
    assert found(done.out + done.err) == set()
    assert found(written(dyvine)) == set()
    assert "Traceback" not in done.err


def test_a_cookie_file_and_a_batch_leak_nothing(dyvine: Program, jar: Path) -> None:
    """`--cookies FILE` leaves no profile; lines that cannot be used are told by their number."""
    batch = dyvine.work.parent / "links.txt"
    batch.write_text(f"{link(VIDEO)}\n{link('https://example.org/1')}\n{PLANTED['query'][0]}\n")
    done = run(dyvine, *LOUD, "get", "-a", batch, "--cookies", jar, "--json")

    assert done.code == 3
    assert found(done.out + done.err) == set()
    assert found(written(dyvine)) == set()


def test_the_environment_leaks_nothing(dyvine: Program) -> None:
    """Cookie header, keys, passwords and tokens of other programs."""
    words = PLANTED["environment"]
    env = {f"OTHER_{i}_TOKEN": each for i, each in enumerate(words[:14])}
    env |= {
        "DOUYIN_COOKIE": "; ".join(f"k{i}={each}" for i, each in enumerate(words[14:22])),
        "R2_SECRET_ACCESS_KEY": words[22],
        "R2_ACCESS_KEY_ID": words[23],
        "DYVINE_SERVE_KEY": words[24],
        "DYVINE_NOTIFY_WEBHOOK": f"https://example.org/{words[25]}",
    }
    shown = [
        run(dyvine, *arguments, env=env)
        for arguments in (
            [*LOUD, "post", VIDEO, "--json"],
            ["doctor", VIDEO, *LOUD, "--bundle", "record.json"],
            ["config", "show"],
            ["config", "show", "--json"],
        )
    ]

    assert [done.code for done in shown] == [0, 0, 0, 0], [done.err for done in shown]
    assert found("".join(done.out + done.err for done in shown)) == set()
    assert found(written(dyvine)) == set()


@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "ftp"])
@pytest.mark.slow
def test_the_login_of_a_proxy_leaks_nothing(dyvine: Program, scheme: str) -> None:
    """A proxy that is not there, or of a kind that does not exist, is named without its login."""
    user, password, other, token = PLANTED["proxy"]
    env = {
        "DYVINE_CONNECT_TO": "",
        "DYVINE_PROXY": f"{scheme}://{user}:{password}@127.0.0.1:9",
        "all_proxy": f"{scheme}://{other}:{token}@127.0.0.1:9",
    }
    shown = [
        run(dyvine, *arguments, env=env)
        for arguments in (
            [*LOUD, "-R", "0", "post", VIDEO, "--json"],
            ["doctor", *LOUD, VIDEO, "--bundle", "record.json"],
            ["config", "show"],
        )
    ]

    assert all(done.code for done in shown[:2])
    assert "127.0.0.1:9" in shown[0].err + shown[1].out or scheme == "ftp"
    assert found("".join(done.out + done.err for done in shown)) == set()
    assert found(written(dyvine)) == set()


def test_the_configuration_leaks_nothing(dyvine: Program, settings: Path) -> None:
    """Whatever is shown of it."""
    calls = (["config", "show"], ["config", "show", "--json"], ["config", "check"], [*LOUD, "post", VIDEO])
    shown = [run(dyvine, *arguments, "--config", settings) for arguments in calls]

    assert [done.code for done in shown] == [0, 0, 0, 0], [done.err for done in shown]
    assert found("".join(done.out + done.err for done in shown)) == set()
    assert found(written(dyvine)) == set()


MISTAKES = {
    "wrong-place": '[douyin]\ncookie = "{}"\n',
    "unknown-key": '[serve]\nkeey = "{}"\n',
    "unknown-table": '[serv]\nkey = "{}"\n',
    "not-closed": '[serve]\nkey = "{}\n',
    "not-toml": "sessionid={}; path=/\n",
    "wrong-type": '[serve]\nkey = ["{}"]\n',
    "proxy": '[network]\nproxy = "ftp://a:{}@h"\n',
    "proxy-port": '[network]\nproxy = "http://a:{}@h:port"\n',
}


@pytest.mark.parametrize("mistake", some_fast(MISTAKES.keys(), "not-toml", "proxy"))
def test_a_mistake_in_the_configuration_shows_no_secret(dyvine: Program, mistake: str) -> None:
    """File, line and key are named, the value is not."""
    path = dyvine.work.parent / "wrong.toml"
    for word in PLANTED["config"][14:]:
        path.write_text(MISTAKES[mistake].format(word))
        done = run(dyvine, *LOUD, "config", "check", "--config", path)

        assert done.code == 2
        assert found(done.out + done.err) == set()


JARS = {
    "garbage": "{}\n",
    "cut-json": '[{{"name": "sessionid", "value": "{}"',
    "odd-json": '[{{"name": "sessionid", "value": ["{}"], "domain": ".douyin.com"}}]',
    "html": "<html><body>{}</body></html>",
    "other-site": "# Netscape HTTP Cookie File\n.example.org\tTRUE\t/\tTRUE\t0\tsessionid\t{}\n",
    "control": "sessionid={}\x01\x02; a=b",
}


@pytest.mark.parametrize("form", some_fast(JARS.keys(), "html"))
def test_cookies_that_are_none_are_not_shown(dyvine: Program, form: str) -> None:
    """What is wrong with a file is told without its content."""
    path = dyvine.work.parent / "odd.txt"
    for word in PLANTED["jar"][:5]:
        path.write_text(JARS[form].format(word))
        done = run(dyvine, *LOUD, "login", "add", path)

        assert found(done.out + done.err) == set()
        assert found(written(dyvine)) == set()


@pytest.mark.parametrize(
    "broken", ["os.fsync", "json.dumps", "ssl.SSLContext", "http.cookies.SimpleCookie", "hmac.new"]
)
def test_a_traceback_shows_no_secret(dyvine: Program, jar: Path, tmp_path: Path, broken: str) -> None:
    """A bug in the middle of a run shows where, not with what."""
    module, _, name = broken.rpartition(".")
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        f"import {module}\ndef fail(*a, **k):\n    raise RuntimeError('a bug')\n{module}.{name} = fail\n"
    )
    env = {"PYTHONPATH": os.pathsep.join([str(folder), dyvine.environment.get("PYTHONPATH", "")])}
    done = run(dyvine, *LOUD, "--cookies", jar, "post", VIDEO, "--json", env=env)

    assert found(done.out + done.err) == set()
    assert found(written(dyvine)) == set()
    if broken in ("os.fsync", "json.dumps"):
        assert "RuntimeError: a bug" in done.err
