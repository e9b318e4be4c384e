"""Everything that people get wrong: one line with the cause, one with the cure, the exit status, nothing half-written."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from dyvine_cli.simulator.app import Simulator
from dyvine_cli.simulator.world import World
from tests.cli.conftest import Program

USER = "https://www.douyin.com/user/"
ROW = tuple[list[str], int, str, str]

MISTAKES: dict[str, ROW] = {
    # what is asked for, exit status, part of the cause, part of the cure (empty: there is none)
    "unknown host": (["https://example.com/video/1"], 2, "example.com is no site that dyvine knows", "douyin.com"),
    "host that looks alike": (["https://www.douyin.com.example.com/video/1"], 2, "is no site that dyvine knows", "douyin.com"),
    "link of TikTok": (["https://www.tiktok.com/@a/video/7123456789012345678"], 5, "does not exist", "another country"),
    "live link given to post": (["post", "https://live.douyin.com/123456"], 2, "is a room", "posts"),
    "link of the site that names nothing": (["https://www.douyin.com/video/abc"], 2, "error: https://www.douyin.com/video/abc names no post, user or list", "copy the link"),
    "page that is a feed": (["https://www.douyin.com/jingxuan"], 2, "error: www.douyin.com/jingxuan: this Douyin page is a feed", ""),
    "live link to show": (["post", "info", "https://live.douyin.com/123456"], 2, "is a room, not a post", "posts, users, mixes"),
    "share text cut at #": (["7.43", "复制打开抖音"], 2, "'7.43' is neither a command nor a link", "single quotes"),
    "noun that is none": (["video", World.SMALL], 2, "'video' is neither a command nor a link", "dyvine --help"),
    "two lists at once": (["user", "--likes", "--reposts", "@someone"], 2, "--likes and --reposts are two lists", "once for each"),
    "reposts of Douyin": (["user", "--reposts", USER + World.OPEN], 2, "reposts of a user cannot be listed", "likes and mixes"),
    "option of another noun": (["get", "--likes", World.SMALL], 2, "there is no option --likes", "see: dyvine get --help"),
    "dates the wrong way round": (["user", "--since", "2026-02-01", "--until", "2026-01-01", "1"], 2, "--since 2026-02-01 is later than --until 2026-01-01", "exchange"),
    "proxy without a port": (["--proxy", "foo", "post", "1"], 2, "'foo' is no proxy address", ""),
    "profile to look at": (["login", "status", "--profile", "nobody"], 2, "there is no profile 'nobody'", "none but guest"),
    "user link given to post": (["post", USER + World.OPEN], 2, "is a user, not a post", "dyvine user"),
    "post link given to user": (["user", f"https://www.douyin.com/video/{World.VIDEO}"], 2, "is a post, not a user", "dyvine post"),
    "word that is no id": (["post", "hello"], 2, "no link or id in: 'hello'", "paste"),
    "dead short link": (["post", World.DEAD_SHORT], 5, "leads nowhere", "copy the link again"),
    "id that does not exist": (["post", World.MISSING], 5, "there is no such post", "--site tiktok"),
    "link of a post that does not exist": (["https://www.douyin.com/video/" + World.MISSING], 5, "there is no such post", "check the link"),
    "deleted post": (["post", World.DELETED], 5, "deleted", "nothing can be done"),
    "private post": (["post", World.PRIVATE], 5, "only its author can see", "only a login that may see it"),
    "post for friends": (["post", World.FRIENDS], 5, "only people its author chose", "dyvine login add"),
    "post in review": (["post", World.IN_REVIEW], 5, "in review", "try again"),
    "login-only post": (["post", World.LOGIN_ONLY], 4, "only for those who are logged in", "dyvine login add"),
    "paid post": (["post", World.PAID], 5, "only for those who bought it", "dyvine login add FILE"),
    "banned account": (["user", USER + World.BANNED_ACCOUNT], 5, "is banned", "nothing can be done"),
    "cancelled account": (["user", USER + World.CANCELLED_ACCOUNT], 5, "is cancelled", "nothing can be done"),
    "private account": (["user", USER + World.PRIVATE_ACCOUNT], 5, "is private", "dyvine login add"),
    "account that does not exist": (["user", USER + World.NOBODY], 5, "no such account", "check the link"),
    "hidden likes": (["user", "--likes", USER + World.LIKES_HIDDEN], 5, "hides the posts they like", "login"),
    "unknown template field": (["post", "-o", "{foo}", World.SMALL], 2, "unknown field {foo}", "fields: site"),
    "template with attributes": (["post", "-o", "{id.__class__}", World.SMALL], 2, "id.__class__", ""),
    "unknown field to print": (["post", "--print", "{foo}", World.SMALL], 2, "unknown field {foo}", "path"),
    "batch file that is missing": (["get", "-a", "nope.txt"], 2, "nope.txt cannot be read", "one link a line"),
    "folder as batch file": (["get", "-a", "."], 2, "cannot be read", "one link a line"),
    "two ways of configuration": (["--config", "a.toml", "--no-config", "post", "1"], 2, "exclude each other", "only one"),
    "configuration that is missing": (["--config", "nope.toml", "post", "1"], 2, "nope.toml: there is no such file", "config init"),
    "no number": (["post", "-N", "x", "1"], 2, "--parallel: 'x' is no whole number", "from 1 to 64"),
    "number out of range": (["post", "--limit", "0", "1"], 2, "--limit: 0 is out of range", "a whole number from 1"),
    "day that no month has": (["user", "--since", "2026-02-30", "1"], 2, "--since: '2026-02-30' is no date", "a day that there is"),
    "no size": (["post", "--max-filesize", "big", "1"], 2, "--max-filesize", ""),
    "no date": (["user", "--since", "someday", "1"], 2, "--since", ""),
    "unknown codec": (["post", "--codec", "h266", "1"], 2, "--codec: 'h266' is none of", "h26"),
    "unknown pace": (["post", "--pace", "norml", "1"], 2, "--pace", "did you mean 'normal'?"),
    "unknown kind": (["user", "--kind", "vidoe", "1"], 2, "--kind", "did you mean 'video'?"),
    "unknown field": (["user", "--match", "lieks > 1", "1"], 2, "--match: column 1 (▸lieks > 1): there is no field", "did you mean likes?"),
    "unknown profile": (["post", "--profile", "nobody", World.SMALL], 2, "there is no profile 'nobody'", "login add"),
    "profile to remove": (["login", "remove"], 2, "there is no douyin profile 'main'", "stored are"),
    "unusable proxy": (["--proxy", "gopher://x", "post", "1"], 2, "--proxy", ""),
    "connect-to without ports": (["--connect-to", "nonsense", "post", "1"], 2, "nonsense", ""),
}  # fmt: skip


@pytest.mark.parametrize("row", MISTAKES.values(), ids=list(MISTAKES))
def test_a_mistake_is_one_error_with_its_cure(dyvine: Program, row: ROW) -> None:
    """Cause, cure and exit status are as the row says; no traceback, nothing on stdout, nothing on disk."""
    arguments, code, cause, cure = row
    done = dyvine.inside(*arguments)

    assert_told(done.err, cause, cure)
    assert done.code == code
    assert done.out == ""
    assert dyvine.files == []


def test_a_name_that_cannot_be_looked_up_says_what_to_check(dyvine: Program) -> None:
    """No such host where the call is led: the cause in words, without Python's own."""
    done = dyvine("-R", "0", "--connect-to=*:443:nowhere.invalid:443", "post", World.SMALL)

    assert_told(done.err, "the name nowhere.invalid cannot be looked up", "check the connection")
    assert done.code == 9
    assert "Errno" not in done.err


def test_a_file_of_authorities_that_is_none_is_told(dyvine: Program) -> None:
    """--ca-file with something else in it: what it takes."""
    (dyvine.home.parent / "ca.pem").write_text("nothing")
    done = dyvine(
        "--ca-file", dyvine.home.parent / "ca.pem", "post", World.SMALL, env={"DYVINE_CONNECT_TO": ""}
    )

    assert_told(done.err, "ca.pem cannot be read: it holds no PEM certificate", "BEGIN CERTIFICATE")
    assert done.code == 2


def assert_told(err: str, cause: str, cure: str) -> None:
    """One error line with the cause, at most one hint line, with the cure if there is one."""
    errors = [line for line in err.splitlines() if line.startswith("error:")]
    assert err.count("https://www.douyin.com/video/abc") <= 1
    hints = [line for line in err.splitlines() if line.startswith("hint:")]
    assert len(errors) == 1, err
    assert cause in errors[0]
    assert len(hints) == 1 if cure else len(hints) <= 1
    assert cure in "".join(hints)
    assert "Traceback" not in err
    assert "Usage:" not in err


COOKIES: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, "there is no such file"),
    "empty": (b"", "empty"),
    "binary": (bytes(range(256)), "this is not text"),
    "web page": (b"<!DOCTYPE html><html>", "this is a web page"),
    "another site's": (b"# Netscape HTTP Cookie File\n.youtube.com\tTRUE\t/\tTRUE\t0\tSID\tx\n", "no cookie in it is of douyin"),
    "broken JSON": (b'[{"name": "sessionid",', ""),
}  # fmt: skip


@pytest.mark.parametrize(
    "command", [["post", World.SMALL, "--cookies"], ["login", "add"]], ids=["post", "login add"]
)
@pytest.mark.parametrize(("content", "cause"), COOKIES.values(), ids=list(COOKIES))
def test_a_cookie_file_that_is_none_is_refused(
    dyvine: Program, command: list[str], content: bytes | None, cause: str
) -> None:
    """A jar that cannot be used ends the run before anything is asked; no login is kept."""
    jar = dyvine.home.parent / "cookies.txt"
    if content is not None:
        jar.write_bytes(content)
    done = dyvine.inside(*command, jar)

    assert_told(done.err, cause, "dyvine login add --help")
    assert done.code == 2
    assert dyvine.files == []
    assert not (dyvine.home / "state" / "profiles" / "douyin" / "main.json").exists()


def test_a_folder_of_cookies_is_refused(dyvine: Program) -> None:
    """A folder given as cookie file is named as such."""
    done = dyvine("post", World.SMALL, World.VIDEO, "--cookies", dyvine.work)

    assert_told(done.err, "this is a folder", "login add")
    assert done.code == 2


def test_cookies_without_a_login_are_no_login(dyvine: Program) -> None:
    """Cookies of a browser that is not logged in are refused, with what is missing."""
    done = dyvine("login", "add", "ttwid=1%7Cabc; UIFID=x")

    assert_told(done.err, "no login among them (missing: sessionid", "log in at the site")
    assert done.code == 2


def test_a_login_that_ended_by_its_own_dates_says_when(dyvine: Program) -> None:
    """Its cookies are no longer sent, so the site knows nobody; the day on which they ended is told."""
    jar = dyvine.home.parent / "cookies.txt"
    row = f".douyin.com\tTRUE\t/\tTRUE\t1700000000\tsessionid\t{World.SESSION}\n"
    jar.write_text(f"# Netscape HTTP Cookie File\n{row}")
    done = dyvine("login", "add", jar)

    assert_told(done.err, "the login of these cookies ended on 2023-11-14", "dyvine login add FILE")
    assert done.code == 4


def test_a_dead_login_is_refused(dyvine: Program) -> None:
    """A login that the platform does not accept is not kept."""
    done = dyvine("login", "add", f"sessionid={World.DEAD_SESSION}")

    assert_told(done.err, "", "log in again")
    assert done.code == 4
    assert not (dyvine.home / "state" / "profiles" / "douyin" / "main.json").exists()


FILES: dict[str, tuple[str, str, str]] = {
    "no TOML": ("quality = \n", ":1: no valid TOML", "texts in quotes"),
    "unknown setting": ('quality = "best"\n\npathh = "/x"\n', ":3: unknown setting 'pathh'", "did you mean 'path'?"),
    "unknown setting of a table": ("[limits]\nparalel = 3\n", ":2: unknown setting 'paralel' in [limits]", "did you mean 'parallel'?"),
    "value of another type": ("[limits]\nparallel = []\n", ":2: [limits] parallel", ""),
    "relative path": ('path = "videos"\n', ":1: path: 'videos' is not absolute", "begins with / or ~"),
    "connect-to": ('[network]\nconnect_to = "*:80:127.0.0.1:1"\n', ":2: [network] connect_to cannot be set in a file", "--connect-to"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "cause", "cure"), FILES.values(), ids=list(FILES))
def test_a_mistake_in_the_configuration_names_its_line(
    dyvine: Program, text: str, cause: str, cure: str
) -> None:
    """File and line, and what was meant; nothing is downloaded."""
    dyvine.home.mkdir()
    (dyvine.home / "config.toml").write_text(text)
    done = dyvine.inside("post", World.SMALL, env={"DYVINE_CONNECT_TO": ""})

    assert_told(done.err, f"config.toml{cause}", cure)
    assert done.code == 2
    assert dyvine.files == []


def test_config_check_lists_every_mistake(dyvine: Program) -> None:
    """What no line of its own has is told, too: settings that do not go together, a command, a variable."""
    dyvine.home.mkdir()
    file = dyvine.home / "config.toml"
    file.write_text(
        "since = 2026-02-01\nuntil = 2026-01-01\n[limits]\npaice = 1\n[notify]\nexec = \"sh -c '{title}'\"\n"
    )
    done = dyvine.inside(
        "config", "check", env={"DYVINE_RETRIES": "x", "DYVINE_PROFILE": "a", "DOUYIN_COOKIE": "a=b"}
    )

    assert done.complaints() == [
        "DYVINE_RETRIES: 'x' is no whole number",
        f"{file}:4: unknown setting 'paice' in [limits]",
        f"{file}:6: [notify] exec: a placeholder stands in a text that is run as a program, where a title could be code",
        f"{file}:1: since 2026-02-01 is later than {file}:2: until 2026-01-01",
        "environment DYVINE_PROFILE and environment DOUYIN_COOKIE exclude each other",
    ]  # fmt: skip
    assert len(done.complaints("hint")) == 5
    assert done.err.endswith("\n5 mistakes\n")
    assert (done.code, done.out) == (2, "")


@pytest.mark.parametrize(
    "content", [b"quality = \nsite = 'x'\n[limits\n", b"site = '\xff'\n"], ids=["no TOML", "no UTF-8"]
)
def test_a_file_that_cannot_be_read_is_one_mistake(dyvine: Program, content: bytes) -> None:
    """Nothing can be said of the rest."""
    dyvine.home.mkdir()
    (dyvine.home / "config.toml").write_bytes(content)
    done = dyvine.inside("config", "check")

    assert len(done.complaints()) == len(done.complaints("hint")) == 1
    assert "config.toml:1: " in done.complaints()[0]
    assert done.code == 2


def test_a_folder_that_cannot_be_written_ends_the_run(dyvine: Program) -> None:
    """A file stands where the folder should be: DiskError, told once though three posts were asked for."""
    (dyvine.work / "taken").write_text("a file")
    done = dyvine("post", "-P", "taken", World.SMALL, World.VIDEO, World.TWINS[0])

    assert done.code == 10
    assert "taken is a file, not a folder" in done.complaints()[0]
    assert "move it away or choose another folder" in done.complaints("hint")[0]
    assert "Traceback" not in done.err
    assert dyvine.names == ["taken"]


def free_port() -> int:
    """A port of the loopback on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


REFUSED: dict[str, tuple[Callable[[int], list[str]], dict[str, str], str, str]] = {
    "port": (lambda port: [f"--connect-to=*:443:127.0.0.1:{port}"], {}, "the connection was refused", "--proxy"),
    "proxy": (lambda port: [f"--proxy=http://u:secret@127.0.0.1:{port}"], {}, "the proxy", "--proxy"),
    "socks proxy": (lambda port: [f"--proxy=socks5://127.0.0.1:{port}"], {}, "the proxy", "--proxy"),
    "proxy of the environment": (lambda port: [], {"https_proxy": "http://127.0.0.1:{port}"}, "the proxy", "https_proxy"),
}  # fmt: skip


@pytest.mark.parametrize("row", REFUSED.values(), ids=list(REFUSED))
def test_a_port_that_nobody_listens_on_is_a_network_error(
    dyvine: Program, row: tuple[Callable[[int], list[str]], dict[str, str], str, str]
) -> None:
    """Port or proxy refused: exit status 9 with the cause, and no password in it."""
    arguments, environment, cause, cure = row
    port = free_port()
    env = {name: value.format(port=port) for name, value in environment.items()}
    done = dyvine("-R", "0", *arguments(port), "post", World.SMALL, env={"DYVINE_CONNECT_TO": "", **env})

    assert_told(done.err, cause, cure)
    assert done.code == 9
    assert "secret" not in done.err
    assert "Errno" not in done.err
    assert "Connect call" not in done.err
    assert dyvine.files == []


def test_a_proxy_variable_that_cannot_be_used_is_named(dyvine: Program) -> None:
    """The variable is named; nothing goes out without the proxy."""
    done = dyvine("post", World.SMALL, env={"all_proxy": "gopher://x", "DYVINE_CONNECT_TO": ""})

    assert_told(done.err, "all_proxy", "")
    assert done.code == 2


@pytest.mark.parametrize("off", [600, -600], ids=["behind", "ahead"])
def test_a_clock_that_is_off_is_told(dyvine: Program, platform: Simulator, off: int) -> None:
    """More than 2 minutes between our clock and the platform's: the run says so, because signatures carry the time."""
    platform.clock.advance(off)
    done = dyvine("post", World.SMALL)

    assert "clock" in done.err
    assert "set the clock" in done.err


def test_one_bad_of_several_is_told_and_the_others_are_saved(dyvine: Program) -> None:
    """Exit status 3, one error, and the good posts are there."""
    done = dyvine("post", World.SMALL, World.DELETED, World.NO_LADDER)

    assert done.code == 3
    assert len(done.complaints()) == 1
    assert len(dyvine.files) == 2


def test_several_that_fail_alike_have_their_common_status(dyvine: Program) -> None:
    """All asked for failed for the same cause class: its status, not 3."""
    done = dyvine("post", World.DELETED, World.PRIVATE)

    assert done.code == 5
    assert len(done.complaints()) == 2


def test_an_error_goes_to_json_in_the_same_words(dyvine: Program) -> None:
    """With --json the failure is an event with the error's name, and stderr says the same."""
    done = dyvine("--json", "post", World.DELETED)
    failed = [each for each in done.objects if each["event"] == "failed"]

    assert [each["error"] for each in failed] == ["Deleted"]
    assert failed[0]["exit_code"] == done.code == 5
    assert failed[0]["message"] in done.err


def test_a_batch_file_of_mistakes_names_their_lines(dyvine: Program, tmp_path: Path) -> None:
    """Each bad line is told with its number and reason, whatever line ends and byte order mark the file has."""
    file = tmp_path / "links.txt"
    text = f"# links\r\n\r\nhttps://example.com/1\r\n{World.SMALL}\r\nnot a link at all\r\n  # more\r\n{World.SMALL}\r\n"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    done = dyvine("post", "-a", file)

    assert [each.partition(":")[0] for each in done.complaints()] == ["line 3", "line 5"]
    assert done.code == 3
    assert len(dyvine.files) == 1
