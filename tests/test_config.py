"""Settings: who wins, what is refused and where, what is shown."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any, get_args

import pytest

from dyvine_cli import browsers, config
from dyvine_cli.config import Settings
from dyvine_cli.config.settings import LISTS, Browser, places, places_of
from dyvine_cli.errors import ConfigError, DiskFull, NotWritable

SECRET = "5ecre7c0ffee5ecre7"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A config file's path; nothing is there yet."""
    return tmp_path / "config.toml"


def loaded(
    file: Path, text: str, env: Mapping[str, str] | None = None, flags: Mapping[str, Any] | None = None
) -> Settings:
    """The settings with this text as config file."""
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return config.load(flags or {}, env or {}, file)


# -- who wins ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "env", "text", "value", "origin"),
    [
        pytest.param({}, {}, "", 8, "default", id="default"),
        pytest.param({}, {}, "[limits]\nparallel = 2", 2, "file {file}:2", id="file"),
        pytest.param(
            {}, {"DYVINE_PARALLEL": "3"}, "[limits]\nparallel = 2", 3, "environment DYVINE_PARALLEL", id="env"
        ),
        pytest.param(
            {"parallel": 4},
            {"DYVINE_PARALLEL": "3"},
            "[limits]\nparallel = 2",
            4,
            "flag --parallel",
            id="flag",
        ),
        pytest.param(
            {"parallel": None}, {"DYVINE_PARALLEL": ""}, "", 8, "default", id="None and empty are not given"
        ),
    ],
)
def test_flag_wins_over_environment_over_file_over_default(
    file: Path, flags: dict[str, Any], env: dict[str, str], text: str, value: int, origin: str
) -> None:
    """The nearest value counts and tells where it comes from."""
    settings = loaded(file, text, env, flags)

    assert settings.limits.parallel == value
    assert settings.origin("parallel") == settings.origin("limits.parallel") == origin.format(file=file)


@pytest.mark.parametrize("place", places(), ids=lambda place: place.key)
def test_every_setting_has_a_variable(place: Any) -> None:
    """Each setting can be given by its variable and says so."""
    samples = {
        "network.proxy": "http://h:1", "network.proxy_order": "first", "douyin.proxy": "http://h:1", "tiktok.proxy": "http://h:1",
        "network.allow": "10.0.0.0/8", "site": "tiktok", "codec": "h264", "kind": "video", "max_filesize": "1M",
        "since": "2026-01-01", "until": "2026-01-01", "match": "likes", "limits.rate": "1M", "limits.pace": "slow", "quality": "720",
        "douyin.pace": "slow", "tiktok.pace": "slow", "notify.urls": "ntfy://a", "notify.webhook": "https://h/",
        "network.impersonate": "off", "convert_subs": "srt", "notify.on": "new", "notify.digest_at": "07:30",
        "cookies_from_browser": "firefox:work",
    }  # fmt: skip
    value = samples.get(place.key, "1")
    if place.key == "storage.to":
        env = {"R2_BUCKET_NAME": "b", place.variable: "r2"}
    else:
        env = {place.variable: value}

    assert config.load({}, env, None).origin(place.key) == f"environment {place.variable}"


@pytest.mark.parametrize(
    ("flags", "env", "origin"),
    [
        pytest.param({"no_archive": True}, {}, "flag --no-archive", id="flag"),
        pytest.param({"archive": False}, {}, "flag --archive", id="flag turned off"),
        pytest.param({}, {"DYVINE_NO_ARCHIVE": "1"}, "environment DYVINE_NO_ARCHIVE", id="variable"),
        pytest.param({}, {"DYVINE_ARCHIVE": "off"}, "environment DYVINE_ARCHIVE", id="variable turned off"),
    ],
)
def test_switch_is_turned_off_by_its_negative_name(
    flags: dict[str, Any], env: dict[str, str], origin: str
) -> None:
    """`--no-archive` and `DYVINE_NO_ARCHIVE` mean what they say."""
    settings = config.load(flags, env, None)

    assert settings.archive.enabled is False
    assert settings.origin("archive.enabled") == origin


def test_negative_flag_that_is_false_says_nothing() -> None:
    """A flag that was not given does not turn anything on."""
    settings = config.load({"no_archive": False}, {}, None)

    assert settings.origin("archive.enabled") == "default"


def test_flag_without_a_setting_is_a_mistake_of_ours() -> None:
    """A misspelt flag cannot pass unnoticed."""
    with pytest.raises(TypeError, match="paralel"):
        config.load({"paralel": 1}, {}, None)


def test_unknown_origin_is_a_mistake_of_ours() -> None:
    """Only settings have an origin; a name that several tables have needs its table."""
    with pytest.raises(KeyError):
        config.load({}, {}, None).origin("user_agent")


def test_whole_file_is_read(file: Path, tmp_path: Path) -> None:
    """Every type of value arrives as what it means."""
    settings = loaded(
        file,
        f"""
path = "{tmp_path}"
quality = 1080
kind = ["video", "images"]
max_filesize = "2M"
since = 2026-01-31
[network]
allow = ["10.0.0.0/8", "fd00::/8", "192.168.1.7"]
[limits]
rate = "500K"
[douyin]
profile = ["a", "b"]
[storage]
to = "nas"
[[target]]
name = "nas"
kind = "folder"
path = "/mnt/nas"
[[source]]
url = "https://www.douyin.com/user/MS4"
every = "6h"
to = ["nas"]
[[source]]
url = "douyin:mix:7"
listing = "posts"
enabled = false
""",
    )

    assert settings.path == tmp_path
    assert settings.quality == "1080"
    assert settings.kind == {"video", "images"}
    assert settings.max_filesize == 2 * 1024**2
    assert settings.since is not None
    assert settings.since.tzinfo is UTC
    assert settings.network.allow == (
        ip_network("10.0.0.0/8"),
        ip_network("fd00::/8"),
        ip_network("192.168.1.7"),
    )
    assert settings.limits.rate == 500 * 1024
    assert settings.douyin.profile == ("a", "b")
    assert settings.storage.to == ("nas",)
    assert [(target.name, target.path) for target in settings.targets] == [("nas", Path("/mnt/nas"))]
    assert [(source.url, source.every, source.enabled) for source in settings.sources] == [
        ("https://www.douyin.com/user/MS4", 21600, True),
        ("douyin:mix:7", None, False),
    ]
    assert settings.warnings == ()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbfsite = 'tiktok'\n", id="BOM"),
        pytest.param(b"site = 'tiktok'\r\n[limits]\r\n", id="CRLF"),
        pytest.param(b"site = 'tiktok'", id="no line end"),
    ],
)
def test_file_of_another_system_is_read(file: Path, data: bytes) -> None:
    """A mark and other line ends make no difference."""
    file.write_bytes(data)

    assert config.load({}, {}, file).site == "tiktok"


# -- what is wrong, and where -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "says", "hint"),
    [
        pytest.param("paht = '/x'", 1, "unknown setting 'paht'", "did you mean 'path'?", id="misspelt"),
        pytest.param("# a\n\n[limits]\nparalel = 3", 4, "unknown setting 'paralel' in [limits]", "'parallel'", id="in table"),
        pytest.param("[limit]\nparallel = 3", 1, "limit is a setting, not a table", "'limits'", id="misspelt table"),
        pytest.param("[networks]\nproxy = 'none'", 1, "unknown setting 'networks'", "'network'", id="plural table"),
        pytest.param("parallel = 3", 1, "unknown setting 'parallel'", "in [limits] as 'parallel'", id="in no table"),
        pytest.param("limit-rate = 3", 1, "unknown", "in [limits] as 'rate'", id="by its flag"),
        pytest.param("[douyin]\npath = '/x'", 2, "in [douyin]", "above the first [table]", id="below a table"),
        pytest.param("no_mtime = true", 1, "unknown", "write mtime = false", id="negative name"),
        pytest.param("archive = false", 1, "archive is a table", None, id="table as value"),
        pytest.param("[site]\nx = 1", 1, "site is a setting, not a table", None, id="value as table"),
        pytest.param("[source]\nurl = 'x'", 1, "source is a list of tables", "write [[source]]", id="one bracket"),
        pytest.param("\n[[source]]\nname = 'x'", 2, "this [[source]] has no url", None, id="source without url"),
        pytest.param("[[source]]\nurl='a'\n[[source]]\nurl='b'\nevry='6h'", 5, "in [[source]]", "'every'", id="second source"),
        pytest.param("[[source]]\nurl='a'\n[[source]]\nurl='b'\nevery='6x'", 5, "no duration", None, id="source's value"),
        pytest.param("[[source]]\nurl='a'\nname='Me'\n[[source]]\nurl='b'\nname='ME'", 6, "two sources are called 'ME'", "toml:1:", id="source's name"),
        pytest.param("[[source]]\nurl='a'\n[[source]]\nurl='a'\nlisting='posts'", 4, "'a' is a source already", "toml:1:", id="source twice"),
        pytest.param("[[source]]\nurl='a'\nname='b'\n[[source]]\nurl='a'\nkind='note'", 5, "'a' is a source already", "give each a name", id="source twice, one without a name"),
        pytest.param("[[source]]\nurl='a'\ntags=['b c']", 3, "'b c' is no tag", None, id="tag of two words"),
        pytest.param("[[source]]\nurl='a'\ndepth='new'", 3, "'new' is none of all, newest", None, id="source's depth"),
        pytest.param("[[source]]\nurl='a'\npath='videos'", 3, "is not absolute", None, id="source's path"),
        pytest.param("[[source]]\nurl='a'\nsince='2026-02-01'\nuntil='2026-01-01'", 4, "until lies before since", "exchange", id="source's dates"),
        pytest.param("[sync]\njobs = 0", 2, "out of range: 1 to 64", None, id="jobs"),
        pytest.param("[sync]\nfull_every = 'rarely'", 2, "'rarely' is no duration", None, id="full_every"),
        pytest.param("kind = [ # ]\n'video', # [\n]\noutput = '''['''' # ]]\nnoise = 1", 5, "unknown setting 'noise'", None, id="brackets in texts"),
        pytest.param("[[target]]\nname='a'\nkind='ftp'", 3, "'ftp' is none of folder, s3, r2, drive", None, id="kind"),
        pytest.param("[limits]\nparallel = 'many'", 2, "'many' is no whole number", None, id="no number"),
        pytest.param("[limits]\nparallel = 3.5", 2, "'3.5' is no whole number", None, id="fraction"),
        pytest.param("[limits]\nparallel = true", 2, "'True' is no whole number", None, id="truth as number"),
        pytest.param("[limits]\nparallel = 0", 2, "out of range: 1 to 64", None, id="too small"),
        pytest.param("[limits]\nparallel = 99999999999999999999", 2, "is no whole number", None, id="too large"),
        pytest.param("[limits]\nrate = 'fast'", 2, "'fast' is no rate", None, id="no rate"),
        pytest.param("[limits]\nretries = [\n  3,\n]", 2, "no whole number", None, id="value of several lines"),
        pytest.param("mtime = 'maybe'", 1, "neither true nor false", None, id="no truth"),
        pytest.param("site = 'tictok'", 1, "'tictok' is none of douyin, tiktok", "'tiktok'", id="misspelt word"),
        pytest.param("quality = 'bset'", 1, "'bset' is no quality", "'best'", id="misspelt quality"),
        pytest.param("kind = ['video', 'pictures']", 1, "'pictures' is none of", None, id="one of a list"),
        pytest.param("kind = 3", 1, "needs a list", None, id="no list"),
        pytest.param("output = ''", 1, "needs a text", None, id="empty text"),
        pytest.param("output = 3", 1, "needs a text", None, id="number as text"),
        pytest.param('output = "a\\u001b[2J"', 1, "control characters", None, id="terminal escape"),
        pytest.param("since = '2026-02-31'", 1, "no date of the calendar", None, id="no such day"),
        pytest.param("since = 'soon'", 1, "'soon' is no date", None, id="no date"),
        pytest.param("path = 'videos'", 1, "'videos' is not absolute", "begins with /", id="relative path"),
        pytest.param("path = '$HOME/videos'", 1, "is not absolute", None, id="variable in a path"),
        pytest.param("[network]\nproxy = 'ftp://h:1'", 2, "'ftp://h:1' is no proxy", None, id="proxy scheme"),
        pytest.param("[network]\nallow = ['10.0.0.0/99']", 2, "is no address range", None, id="no range"),
        pytest.param("[network]\nconnect_to = '*:80:127.0.0.1:1'", 2, "cannot be set in a file", "--connect-to", id="connect-to"),
        pytest.param("[douyin]\ncookie = 'a=b'", 2, "cannot be set in a file", "login add", id="cookie"),
        pytest.param("profile = 'a'", 1, "cannot be set in a file", "[douyin]", id="profile of no site"),
        pytest.param("[storage]\nto = ['nsa']\n[[target]]\nname='nas'\nkind='folder'", 2, "no target 'nsa'", "'nas'", id="no target"),
        pytest.param("[[source]]\nurl='x'\nto='a'", 3, "no target 'a'", "targets are: none", id="source's target"),
        pytest.param("[[target]]\nname='a'\nkind='s3'\n[[target]]\nname='a'\nkind='s3'", 5, "two targets", None, id="same name"),
        pytest.param("[notify]\nurls = ['planted']", 2, "number 1 is no address of a service", "appriseit", id="no apprise address"),
        pytest.param("[notify]\nwebhook = 'ftp://planted'", 2, "needs an address like https://HOST/PATH", None, id="no webhook"),
        pytest.param("[notify]\non = ['failures']", 2, "'failures' is none of failure, new, login, digest", "'failure'", id="no occasion"),
        pytest.param("[notify]\ndigest_at = '24:00'", 2, "'24:00' is no time of day", None, id="no time of day"),
        pytest.param("[notify]\nexec = \"a 'planted\"", 2, "a quote that is not closed", None, id="open quote"),
        pytest.param("a = \n", 1, "no valid TOML: invalid value", None, id="invalid TOML"),
        pytest.param("x = 1\n[limits\nparallel = 3", 2, "no valid TOML", None, id="open bracket"),
        pytest.param("path = 'a'\npath = 'b'", 2, "no valid TOML: cannot overwrite", "take one of the two out", id="twice"),
        pytest.param("# a\n[notify]\n[limits]\nparallel = 2\n[notify]\nurls = []", 5, "no valid TOML: cannot declare", "the [notify] of line 2", id="table twice"),
        pytest.param("path = '''\n\n", 3, "no valid TOML", None, id="open text"),
        pytest.param('note = """\npath = 1\n"""\n"p a" = 1', 1, "unknown setting 'note'", None, id="key inside a text"),
        pytest.param('output = """a\npath = 1\n"""', 1, "one line", None, id="text of several lines"),
        pytest.param("match = 'likes > x'", 1, "match: column 9 (likes > ▸x): 'x' is no number", None, id="expression"),
        pytest.param('match = """\nlikes\nand lieks"""', 1, "column 11", "did you mean likes?", id="long expression"),
        pytest.param("[[source]]\nurl = 'x'\nmatch = 'kind = gif'", 3, "'gif' is none of", None, id="a source's"),
        pytest.param("limits.parallel = 'x'", 1, "no whole number", None, id="dotted key"),
        pytest.param("limits = {parallel = 'x'}", 1, "no whole number", None, id="inline table"),
        pytest.param("# \u2028 a\n# b\x85c\nsite = 'x'", 3, "none of", None, id="odd separators are no line ends"),
    ],
)  # fmt: skip
def test_mistake_in_the_file_is_told_with_its_line(
    file: Path, text: str, line: int, says: str, hint: str | None
) -> None:
    """Whatever is wrong, the message begins with the place and the hint has the cure."""
    with pytest.raises(ConfigError) as caught:
        loaded(file, text)

    assert caught.value.message.startswith(f"{file}:{line}: ")
    assert says in caught.value.message
    assert caught.value.hint
    assert (hint or "") in caught.value.hint
    assert "\x1b" not in caught.value.message
    assert "planted" not in f"{caught.value.message} {caught.value.hint}"


MISTAKEN = """\
paht = "/x"
quality = "hd"
output = "{foo}"
profile = "a"
limits.parallel = "x"
[limit]
pace = "slow"
[network]
proxy = "foo"
connect_to = 3
[storage]
to = ["nsa", "nas"]
[[target]]
name = "nas"
kind = "ftp"
[[source]]
name = "x"
[[source]]
url = "a"
evry = "6h"
output = "{id"
[[source]]
url = "a"
since = 2026-02-01
until = 2026-01-01
"""
WRONG_LINES = (1, 2, 3, 4, 5, 6, 9, 10, 12, 15, 16, 20, 21, 23, 25)


def test_a_survey_finds_every_mistake(file: Path) -> None:
    """Each once, in the order of the file, after those of variables, with a place and a cure; the rest is read."""
    file.write_text(MISTAKEN + "[douyin]\npace = 'slow'\n")
    settings, mistakes = config.survey({}, {"DYVINE_RETRIES": "many"}, file)
    first, *others = mistakes

    assert first.message == "DYVINE_RETRIES: 'many' is no whole number"
    assert tuple(each.line for each in others) == WRONG_LINES
    assert all(each.message.startswith(f"{file}:{each.line}: ") for each in others)
    assert all(each.hint for each in mistakes)
    assert settings.douyin.pace == "slow"


def test_a_survey_looks_behind_what_hides_a_mistake(file: Path) -> None:
    """A run that names the pace itself goes well, and a look at the file tells what the next one meets."""
    flags, env = {"pace": "fast"}, {"DYVINE_PACE": "slow", "DYVINE_RETRIES": "2"}
    text = "[limits]\npace = 'norml'\nretries = 'x'\n"

    assert loaded(file, text, env, flags).limits.pace == "fast"
    assert [each.line for each in config.survey(flags, env, file)[1]] == [2, 3]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(MISTAKEN, "did you mean 'path'?; 14 more mistakes in the configuration: dyvine config check", id="many"),
        pytest.param("mtime = 1\nsite = 'x'", "write true or false; 1 more mistake in the configuration: dyvine config check", id="two"),
        pytest.param("mtime = 1", "write true or false", id="one"),
    ],
)  # fmt: skip
def test_the_first_mistake_says_how_many_more_there_are(file: Path, text: str, told: str) -> None:
    """Whoever runs something meets one error, and learns that it is not the last."""
    with pytest.raises(ConfigError) as caught:
        loaded(file, text)

    assert caught.value.hint == told


@pytest.mark.parametrize(
    ("flags", "env", "says"),
    [
        pytest.param({"limit_rate": "fast"}, {}, "--limit-rate: 'fast' is no rate", id="flag"),
        pytest.param({"max_height": "tall"}, {}, "--max-height: ", id="flag with hyphen"),
        pytest.param({}, {"DYVINE_RETRIES": "-1"}, "DYVINE_RETRIES: -1 is out of range", id="variable"),
        pytest.param(
            {}, {"DYVINE_DOUYIN_PROXY": "gopher://x"}, "DYVINE_DOUYIN_PROXY: ", id="variable of a table"
        ),
        pytest.param({}, {"DYVINE_NO_ARCHIVE": "x"}, "DYVINE_NO_ARCHIVE: ", id="negative variable"),
    ],
)
def test_mistake_outside_the_file_names_its_place(
    flags: dict[str, Any], env: dict[str, str], says: str
) -> None:
    """A wrong flag or variable is called by its name."""
    with pytest.raises(ConfigError) as caught:
        config.load(flags, env, None)

    assert caught.value.message.startswith(says)


def test_file_that_is_not_utf8_is_told_with_its_line(file: Path) -> None:
    """Another encoding is named as such."""
    file.write_bytes("site = 'douyin'\nmatch = 'müde'\n".encode("latin-1"))

    with pytest.raises(ConfigError, match=r"config\.toml:2: not written in UTF-8"):
        config.load({}, {}, file)


def test_missing_or_wrong_file_is_explained(tmp_path: Path, file: Path) -> None:
    """A named file must be there and be a file."""
    with pytest.raises(ConfigError, match="there is no such file"):
        config.load({}, {}, file)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="this is a pipe"):
        config.load({}, {}, tmp_path / "pipe")
    with pytest.raises(ConfigError, match="this is a pipe"), config.editing(tmp_path / "pipe"):
        pass
    with pytest.raises(ConfigError, match="this is a folder"):
        config.load({}, {}, tmp_path)


def test_endless_file_is_not_read_to_its_end() -> None:
    """Reading stops at a bound."""
    with pytest.raises(ConfigError, match="larger than 16 MiB"):
        config.load({}, {}, Path("/dev/zero"))


def test_file_nested_too_deep_is_explained(file: Path) -> None:
    """Depth is no crash."""
    with pytest.raises(ConfigError, match="no valid TOML"):
        loaded(file, "path = " + "[" * 50_000)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"# x\n{'a.' * 3000}a = 1", id="unknown name"),
        pytest.param(f"# x\nlimits.parallel.{'a.' * 3000}a = 1", id="number"),
        pytest.param(f"# x\n[{'a.' * 3000}a]", id="header"),
        pytest.param(f"# x\nlimits.parallel = {'[' * 100}{']' * 100}", id="lists"),
        pytest.param(f"# x\n[[source]]\n{'a.' * 3000}a = 1", id="in a list of tables"),
    ],
)
def test_dotted_key_three_thousand_deep_is_explained(file: Path, text: str) -> None:
    """What the parser takes in its stride is no crash later, and its line is told."""
    with pytest.raises(ConfigError, match=r"config\.toml:[23]: nested too deep"):
        loaded(file, text)


@pytest.mark.parametrize(
    ("text", "flags", "env"),
    [
        pytest.param(
            "[network]\nconnect_to='*:443:h:1'", {}, {"DYVINE_CONNECT_TO": "*:80:h:1"}, id="variable"
        ),
        pytest.param("[network]\nconnect_to='*:443:h:1'", {"connect_to": "*:80:h:1"}, {}, id="flag"),
        pytest.param("[douyin]\ncookie='a=b'", {}, {"DOUYIN_COOKIE": "sessionid=x"}, id="cookie"),
    ],
)
def test_connect_to_in_a_file_is_refused_behind_a_variable(
    file: Path, text: str, flags: dict[str, Any], env: dict[str, str]
) -> None:
    """What no file may set is refused even when a nearer place hides it for this run."""
    with pytest.raises(ConfigError, match=r"config\.toml:2: .* cannot be set in a file"):
        loaded(file, text, env, flags)


def test_many_lines_are_read_in_time(file: Path) -> None:
    """Tens of thousands of sources are no problem, and the line of the last is found."""
    text = "".join(f"[[source]]\nurl = '{number}'\n" for number in range(20_000)) + "evry = 1\n"
    with pytest.raises(ConfigError, match=r":40001: unknown setting 'evry'"):
        loaded(file, text)


def test_wrong_secret_is_not_quoted(file: Path) -> None:
    """Errors about secret settings show no value."""
    with pytest.raises(ConfigError) as caught:
        loaded(file, f"[serve]\nkey = ['{SECRET}']")
    assert SECRET not in caught.value.message
    with pytest.raises(ConfigError) as caught:
        config.load({}, {"https_proxy": f"http://user:{SECRET}/x@h:99999999"}, None)
    assert SECRET not in caught.value.message
    assert "https_proxy" in caught.value.message


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(f"user:pa://{SECRET}@h:1", id="no scheme"),
        pytest.param(f"http://user:{SECRET}://x@h:1", id="before"),
        pytest.param(f"http://user:x://{SECRET}@h:1", id="behind"),
        pytest.param(f"socks4://user:{SECRET}://x@h:1", id="unknown scheme"),
        pytest.param(f"user:{SECRET}@h", id="neither scheme nor port"),
        pytest.param(f"{SECRET}://x@h:1", id="as a scheme"),
    ],
)
def test_password_with_a_scheme_in_it_is_not_quoted(value: str) -> None:
    """Where the login cannot be told from the rest, nothing of the address is shown."""
    with pytest.raises(ConfigError, match=r"^https_proxy: '\*\*\*'") as caught:
        config.load({}, {"https_proxy": value}, None)

    assert SECRET.lower() not in f"{caught.value.message} {caught.value.hint}".lower()


def test_misspelt_variable_is_warned_about() -> None:
    """A variable that sets nothing is named, with the one that was meant."""
    settings = config.load({}, {"DYVINE_PARALEL": "3", "DYVINE_HOME": "/data"}, None)

    assert settings.warnings == ("the variable DYVINE_PARALEL is not used; did you mean DYVINE_PARALLEL?",)


def test_open_file_with_secrets_is_warned_about(file: Path) -> None:
    """Secrets that others can read are worth a word; a file without them is not."""
    loaded(file, f"[serve]\nkey = '{SECRET}'\n")
    file.chmod(0o644)

    (warning,) = config.load({}, {}, file).warnings
    assert "chmod 600" in warning
    assert SECRET not in warning
    file.write_text("[network]\nproxy = 'http://h:1'\n")
    assert config.load({}, {}, file).warnings == ()


# -- proxies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("http://h:8080", "http://h:8080", id="http"),
        pytest.param("HTTPS://h:8080/", "https://h:8080", id="https"),
        pytest.param("socks5://u:p@h:1080", "socks5://u:p@h:1080", id="socks5"),
        pytest.param("socks5h://h:1080", "socks5h://h:1080", id="socks5h"),
        pytest.param("socks://h:1080", "socks5://h:1080", id="socks is socks5"),
        pytest.param("127.0.0.1:7890", "http://127.0.0.1:7890", id="no scheme"),
        pytest.param("http://[::1]:7890", "http://[::1]:7890", id="IPv6"),
        pytest.param("none", None, id="none"),
    ],
)
def test_proxy_is_read_as_people_write_it(value: str, expected: str | None) -> None:
    """Usual forms become the one that the network takes."""
    assert config.load({"proxy": value}, {}, None).proxy_of("douyin") == expected


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "DYVINE_PROXY"])
@pytest.mark.parametrize(
    "value",
    [
        "socks4://h:1",
        "file:///etc/passwd",
        "http://",
        "http://h:0",
        "http://h:65536",
        "http://a b:1",
        "http://h/x",
    ],
)
def test_unusable_proxy_of_the_environment_is_named(variable: str, value: str) -> None:
    """The variable is named, so that it can be found."""
    with pytest.raises(ConfigError, match=f"^{variable}: "):
        config.load({}, {variable: value}, None)


@pytest.mark.parametrize(
    ("flags", "env", "text", "douyin", "tiktok"),
    [
        pytest.param({}, {}, "", None, None, id="nothing"),
        pytest.param({}, {"https_proxy": "http://e:1"}, "", "http://e:1", "http://e:1", id="environment"),
        pytest.param({}, {"all_proxy": "http://e:1"}, "", "http://e:1", "http://e:1", id="for all"),
        pytest.param(
            {},
            {"https_proxy": "http://e:1", "all_proxy": "http://a:1"},
            "",
            "http://e:1",
            "http://e:1",
            id="both",
        ),
        pytest.param(
            {}, {"https_proxy": "", "HTTPS_PROXY": "http://E:1"}, "", None, None, id="empty lower case hides"
        ),
        pytest.param({}, {"http_proxy": "http://e:1"}, "", None, None, id="for http alone"),
        pytest.param(
            {},
            {"https_proxy": "http://e:1"},
            "[douyin]\nproxy='none'",
            None,
            "http://e:1",
            id="none for one site",
        ),
        pytest.param(
            {},
            {"https_proxy": "http://e:1"},
            "[network]\nproxy='http://f:1'",
            "http://f:1",
            "http://f:1",
            id="file",
        ),
        pytest.param(
            {},
            {},
            "[network]\nproxy='http://f:1'\n[tiktok]\nproxy='http://t:1'",
            "http://f:1",
            "http://t:1",
            id="site",
        ),
        pytest.param(
            {},
            {"DYVINE_PROXY": "http://d:1"},
            "[tiktok]\nproxy='http://t:1'",
            "http://d:1",
            "http://d:1",
            id="ours",
        ),
        pytest.param({"proxy": "none"}, {"DYVINE_PROXY": "http://d:1"}, "", None, None, id="flag none"),
        pytest.param(
            {}, {"https_proxy": "http://e:1", "no_proxy": "*"}, "", None, None, id="no proxy at all"
        ),
        pytest.param(
            {},
            {"https_proxy": "http://e:1", "no_proxy": "localhost, .Douyin.com"},
            "",
            None,
            "http://e:1",
            id="exempt",
        ),
        pytest.param(
            {},
            {"https_proxy": "http://e:1", "NO_PROXY": "uyin.com"},
            "",
            "http://e:1",
            "http://e:1",
            id="not on a border",
        ),
        pytest.param(
            {"proxy": "http://f:1"},
            {"no_proxy": "*"},
            "",
            "http://f:1",
            "http://f:1",
            id="no_proxy is not for flags",
        ),
    ],
)
def test_each_site_gets_its_proxy(
    file: Path, flags: dict[str, Any], env: dict[str, str], text: str, douyin: str | None, tiktok: str | None
) -> None:
    """What is given nearer to the run wins, then what is given for the site."""
    settings = loaded(file, text, env, flags)

    assert (settings.proxy_of("douyin"), settings.proxy_of("tiktok")) == (douyin, tiktok)


def test_proxy_for_http_alone_is_warned_about() -> None:
    """People who set only http_proxy expect it to be used."""
    (warning,) = config.load({}, {"http_proxy": "http://h:1"}, None).warnings

    assert "https_proxy" in warning


# -- who to be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "env", "text", "expected"),
    [
        pytest.param({}, {}, "", {}, id="the usual"),
        pytest.param({"profile": "work"}, {}, "", {"profiles": ("work",)}, id="flag"),
        pytest.param({}, {}, "[douyin]\nprofile='a'", {"profiles": ("a",)}, id="file"),
        pytest.param(
            {"profile": "work"}, {}, "[douyin]\nprofile='a'", {"profiles": ("work",)}, id="flag over file"
        ),
        pytest.param(
            {}, {"DOUYIN_COOKIE": "a=b"}, "[douyin]\nprofile='a'", {"cookie": "a=b"}, id="cookie over file"
        ),
        pytest.param(
            {"profile": "guest"},
            {"DOUYIN_COOKIE": "a=b"},
            "",
            {"profiles": ("guest",)},
            id="flag over cookie",
        ),
        pytest.param(
            {"cookies": "/jar"}, {"DOUYIN_COOKIE": "a=b"}, "", {"cookies": Path("/jar")}, id="file of cookies"
        ),
        pytest.param(
            {}, {"DYVINE_COOKIES_FROM_BROWSER": "firefox"}, "", {"browser": "firefox"}, id="browser"
        ),
        pytest.param({}, {}, "[tiktok]\nprofile='a'", {}, id="of the other site"),
    ],
)
def test_identity_is_what_the_person_says_nearest(
    file: Path, flags: dict[str, Any], env: dict[str, str], text: str, expected: dict[str, Any]
) -> None:
    """Profile, cookie, cookie file or browser: the nearest of them counts."""
    assert loaded(file, text, env, flags).identity("douyin") == config.WantedIdentity(**expected)


def test_two_identities_at_once_are_refused() -> None:
    """Nobody can say which one was meant."""
    settings = config.load({"profile": "a", "cookies": "/jar"}, {}, None)
    with pytest.raises(ConfigError, match="flag --profile and flag --cookies exclude each other"):
        settings.identity("douyin")


def test_cookie_of_the_environment_is_for_its_site_only() -> None:
    """DOUYIN_COOKIE says nothing about TikTok."""
    settings = config.load({}, {"DOUYIN_COOKIE": f"sessionid={SECRET}", "DOUYIN_USER_AGENT": "UA"}, None)

    assert settings.identity("tiktok") == config.WantedIdentity()
    assert settings.douyin.user_agent == "UA"
    assert settings.tiktok.user_agent is None


@pytest.mark.parametrize(
    ("flags", "text", "expected"),
    [
        pytest.param({}, "", "normal", id="default"),
        pytest.param({}, "[limits]\npace='fast'\n[douyin]\npace='slow'", "slow", id="site over general"),
        pytest.param({"pace": "off"}, "[douyin]\npace='slow'", "off", id="flag over file"),
    ],
)
def test_pace_is_the_sites_own_or_the_nearer_one(
    file: Path, flags: dict[str, Any], text: str, expected: str
) -> None:
    """As with proxies."""
    assert loaded(file, text, {}, flags).pace_of("douyin") == expected


# -- sources -----------------------------------------------------------------------------------------------------

SAYS_ALL = """
[[source]]
url = "@someone"
name = "me"
tags = ["friends", "daily"]
depth = "newest"
kind = ["video"]
match = "likes > 5"
since = 2026-01-01
until = 2026-02-01
limit = 3
quality = "720"
codec = "h264"
max_height = 720
max_filesize = "5M"
output = "{id}.{ext}"
path = "/srv/own"
sound = false
write_sound = true
write_thumbnail = true
write_subs = true
convert_subs = "srt"
write_comments = true
write_info_json = true
to = []
every = "6h"
"""


def test_a_source_says_everything_that_holds_for_it(file: Path) -> None:
    """What a source says stands in its settings with its origin; the rest is as in general."""
    general = loaded(file, "quality = '1080'\noverwrite = true\n" + SAYS_ALL)
    (source,) = general.sources
    own = general.for_source(source)

    assert (source.title, source.tags, source.depth, source.every) == (
        "me",
        ("friends", "daily"),
        "newest",
        21600,
    )
    for name in {each.name for each in fields(source)} & {each.name for each in fields(own)} - {"profile"}:
        assert getattr(own, name) == getattr(source, name) != getattr(general, name), name
    assert own.origin("quality") == "file [[source]] me"
    assert (own.overwrite, own.origin("overwrite")) == (True, f"file {file}:2")
    assert own.storage.to == ()


def test_a_source_that_says_nothing_changes_nothing(file: Path) -> None:
    """What is absent is inherited, also what only variables say."""
    settings = loaded(file, "sound = false\n[[source]]\nurl = 'a'", {"DYVINE_QUALITY": "720"})
    (source,) = settings.sources

    assert settings.for_source(source) == settings
    assert source.depth == "all"


def test_the_command_line_wins_over_a_source(file: Path) -> None:
    """A flag is for this run, whatever a source says; a variable is as general as the file."""
    target = "[[target]]\nname = 'nas'\nkind = 'folder'\npath = '/nas'\n"
    text = "[[source]]\nurl = 'a'\nquality = '720'\nlimit = 3\nto = 'nas'\nprofile = 'b'\n"
    flags = {"quality": "best", "to": "", "profile": "c"}
    settings = loaded(file, target + text, {"DYVINE_LIMIT": "9"}, flags)
    own = settings.for_source(settings.sources[0])

    assert (own.quality, own.limit, own.storage.to) == ("best", 3, ())
    assert own.identity("douyin").profiles == ("c",)


@pytest.mark.parametrize(
    ("env", "text"),
    [
        pytest.param({}, "[douyin]\nprofile = ['a', 'b']\n", id="profiles"),
        pytest.param({}, "cookies = '/jar'\n", id="cookies"),
        pytest.param({"DOUYIN_COOKIE": "a=b"}, "", id="variable"),
        pytest.param({"DYVINE_PROFILE": "a"}, "", id="general variable"),
    ],
)
def test_the_profile_of_a_source_is_who_it_is_fetched_as(file: Path, env: dict[str, str], text: str) -> None:
    """No other way of saying who to be excludes or hides it."""
    settings = loaded(file, text + "[[source]]\nurl = 'a'\nprofile = 'own'", env)
    own = settings.for_source(settings.sources[0])

    for site in ("douyin", "tiktok"):
        assert own.identity(site) == config.WantedIdentity(profiles=("own",))


def test_one_link_may_be_a_source_for_each_of_its_listings(file: Path) -> None:
    """The posts and the likes of an account are two sources."""
    settings = loaded(file, "[[source]]\nurl = 'a'\n[[source]]\nurl = 'a'\nlisting = 'likes'")

    assert [source.listing for source in settings.sources] == [None, "likes"]


def test_one_link_may_be_several_sources_that_have_names(file: Path) -> None:
    """Each with the posts that it wants, and a folder and quality of its own."""
    best = "[[source]]\nurl = 'a'\nname = 'best'\nmatch = 'likes > 1000'\npath = '/best'\nquality = 'best'\n"
    settings = loaded(file, best + "[[source]]\nurl = 'a'\nname = 'pictures'\nkind = 'images'\n")

    assert [(source.url, source.name) for source in settings.sources] == [("a", "best"), ("a", "pictures")]


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        pytest.param("", 30 * 86400, "30d", id="default"),
        pytest.param("[sync]\nfull_every = '36h'", 36 * 3600, "36h", id="hours"),
        pytest.param("[sync]\nfull_every = 90", 90, "90s", id="seconds"),
        pytest.param("[sync]\nfull_every = 'never'", None, "none", id="never"),
    ],
)
def test_full_runs_come_as_often_as_wanted(file: Path, text: str, seconds: float | None, shown: str) -> None:
    """A duration, or never; it is shown as people write it."""
    settings = loaded(file, text)

    assert settings.sync.full_every == seconds
    assert f'"{shown}"' in [each.value for each in settings.shown() if each.key == "sync.full_every"]


@pytest.mark.parametrize(
    ("flags", "text", "says"),
    [
        pytest.param({}, "", "no setting names one", id="none"),
        pytest.param(
            {"path": "videos"}, "path = '/srv'", "--path: 'videos' is not absolute", id="relative flag"
        ),
    ],
)
def test_unattended_commands_need_a_lasting_folder(
    file: Path, flags: dict[str, Any], text: str, says: str
) -> None:
    """`sync` and `serve` may start in any folder, so the current one will not do."""
    with pytest.raises(ConfigError, match=says):
        loaded(file, text, {}, flags).lasting_path("sync")
    assert loaded(file, "path = '/srv'").lasting_path("sync") == Path("/srv")


def test_logins_and_tokens_in_links_are_not_in_the_repr(file: Path) -> None:
    """A traceback or log with the settings in it tells no secret."""
    link = f"https://u:{SECRET}@h.example/b?token={SECRET}"
    settings = loaded(
        file, f"[[target]]\nname='t'\nkind='r2'\nbucket='b'\nendpoint='{link}'\n[[source]]\nurl='{link}'"
    )
    own = settings.for_source(settings.sources[0])

    assert SECRET not in repr(settings) + repr(own) + settings.sources[0].title + str(own.origins)


def test_two_thousand_sources_are_read_in_time(file: Path) -> None:
    """Reading them, their own settings and the line of the last stay well under a second."""
    text = "".join(
        f"[[source]]\nurl = 'https://x/{n}'\nname = 'n{n}'\nsince = '2026-01-01'\n" for n in range(2000)
    )
    began = time.process_time()
    settings = loaded(file, text)
    own = [settings.for_source(source) for source in settings.sources]

    assert own[-1].since is not None
    assert str(settings.origins["source.1999.since"]).endswith(":8000")
    assert time.process_time() - began < 1


# -- targets of the environment ----------------------------------------------------------------------------------

R2 = {
    "R2_ACCOUNT_ID": "acc",
    "R2_ACCESS_KEY_ID": "key",
    "R2_SECRET_ACCESS_KEY": SECRET,
    "R2_BUCKET_NAME": "videos",
}


def test_r2_variables_make_a_target() -> None:
    """The usual variables are enough for a target called r2."""
    settings = config.load({"to": "r2"}, R2, None)

    (target,) = settings.targets
    assert (target.name, target.kind, target.bucket, target.account_id) == ("r2", "r2", "videos", "acc")
    assert target.secret_access_key == SECRET


def test_r2_variables_complete_the_target_of_the_file(file: Path) -> None:
    """Environment over file; the rest of the target stays."""
    settings = loaded(file, "[[target]]\nname='cloud'\nkind='r2'\nbucket='old'\nprefix='p'", R2)

    (target,) = settings.targets
    assert (target.name, target.bucket, target.prefix, target.access_key_id) == (
        "cloud",
        "videos",
        "p",
        "key",
    )


def test_keys_without_a_bucket_make_no_target() -> None:
    """Variables that other programs use do not switch anything on."""
    assert config.load({}, R2 | {"R2_BUCKET_NAME": ""}, None).targets == ()


# -- showing -----------------------------------------------------------------------------------------------------


def test_secrets_are_masked_when_shown(file: Path) -> None:
    """`config show`, repr and str of the settings show neither keys nor cookies nor passwords."""
    env = R2 | {"DOUYIN_COOKIE": f"sessionid={SECRET}", "https_proxy": f"http://u:{SECRET}@h:1"}
    settings = loaded(
        file,
        f"""
[serve]
key = "{SECRET}"
database = "postgresql://u:{SECRET}@db/x"
[notify]
urls = ["ntfy://{SECRET}"]
webhook = "https://h/{SECRET}"
secret = "{SECRET}"
[tiktok]
proxy = "http://u:{SECRET}@h:2"
""",
        env,
    )
    shown = {line.key: line.value for line in settings.shown()}

    assert SECRET not in repr(settings) + str(settings) + str(settings.shown()) + repr(
        settings.identity("douyin")
    )
    assert shown["serve.key"] == shown["douyin.cookie"] == shown["target.0.secret_access_key"] == '"***"'
    assert shown["network.proxy"] == '"http://***@h:1"'
    assert shown["tiktok.proxy"] == '"http://***@h:2"'


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        pytest.param(f"https://u:{SECRET}@h.example/b", "https://h.example/b", id="login"),
        pytest.param(f"u:{SECRET}@h.example", "h.example", id="login without scheme"),
        pytest.param(f"https://www.douyin.com/user/MS4wLjABAAAAx?token={SECRET}&aweme_id=1",
            "https://www.douyin.com/user/MS4wLjABAAAAx?aweme_id=1", id="token"),
        pytest.param(f"www.douyin.com/video/1?share_token={SECRET}", "www.douyin.com/video/1", id="no scheme"),
        pytest.param("https://www.douyin.com/video/7", "https://www.douyin.com/video/7", id="nothing secret"),
        pytest.param("@name", "@name", id="handle"),
    ],
)  # fmt: skip
def test_logins_and_tokens_in_links_are_masked_when_shown(file: Path, link: str, shown: str) -> None:
    """`config show` tells of a target's endpoint and a source's link only what is no secret."""
    text = f"[[target]]\nname='t'\nkind='r2'\nbucket='b'\nendpoint='{link}'\n[[source]]\nurl='{link}'"
    settings = loaded(file, text)
    lines = {line.key: line.value for line in settings.shown()}

    assert settings.sources[0].url == settings.targets[0].endpoint == link
    assert lines["target.0.endpoint"] == lines["source.0.url"] == f'"{shown}"'


def test_a_token_in_a_command_is_masked_when_shown(file: Path) -> None:
    """`config show` tells the command without what looks like a secret in it."""
    settings = loaded(file, "[notify]\nexec = 'curl -H X-Token:a1b2c3d4e5f6a7b8c9d0e1f2 {path}'")
    shown = {line.key: line.value for line in settings.shown()}

    assert shown["notify.exec"] == '"curl -H X-Token:REDACTED {path}"'


def test_several_services_stand_in_one_variable() -> None:
    """Between commas or blanks; a comma within an address stays."""
    env = {"DYVINE_NOTIFY_URLS": "mailto://u:p@h?to=a,b, ntfy://topic tgram://t/c"}

    assert config.load({}, env, None).notify.urls == ("mailto://u:p@h?to=a,b", "ntfy://topic", "tgram://t/c")


def test_every_setting_is_shown_with_its_origin(file: Path) -> None:
    """One line for each setting, also of targets and sources."""
    settings = loaded(
        file, "kind = ['video', 'images']\n[douyin]\nproxy='none'\n[[source]]\nurl='x'\n", {}, {"quiet": True}
    )
    lines = {line.key: (line.value, line.origin) for line in settings.shown()}

    assert lines.keys() >= {place.key for place in places()}
    assert lines["quiet"] == ("true", "flag --quiet")
    assert lines["kind"] == ('["images", "video"]', f"file {file}:1")
    assert lines["douyin.proxy"] == ('"none"', f"file {file}:3")
    assert lines["source.0.url"] == ('"x"', f"file {file}:5")
    assert lines["max_height"] == ("", "default")


# -- quantities --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0), ("123", 123), (123, 123), ("500K", 512000), ("2M", 2097152), ("1.5G", 1610612736), ("2MB", 2000000),
        ("2MiB", 2097152), ("2m", 2097152), (" 1 K ", 1024), ("1T", 1024**4), ("10B", 10),
    ],
)  # fmt: skip
def test_sizes(text: str | int, size: int) -> None:
    """Bare letters are powers of 1024 as in yt-dlp, `KB` powers of 1000."""
    assert config.parse_size(text) == size


@pytest.mark.parametrize("text", ["", "M", "-1", "1X", "1e5", "1,5M", "٣M", "nan", True, "1 000"])
def test_no_sizes(text: str) -> None:
    """What is no size is said to be none."""
    with pytest.raises(ValueError, match="is no size"):
        config.parse_size(text)


@pytest.mark.parametrize(
    ("text", "rate"), [("2M", 2097152), ("500K/s", 512000), ("0", None), (0, None), ("none", None), (9, 9)]
)
def test_rates(text: str | int, rate: int | None) -> None:
    """Zero means no limit."""
    assert config.parse_rate(text) == rate


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        (90, 90),
        (1.5, 1.5),
        ("90s", 90),
        ("15m", 900),
        ("6h", 21600),
        ("1h30m", 5400),
        ("2d", 172800),
        ("1W", 604800),
    ],
)
def test_durations(text: str | float, seconds: float) -> None:
    """Units can be joined."""
    assert config.parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", -1, "1y", "m", True, float("nan"), float("inf"), "1h 30m x"]
)
def test_no_durations(text: Any) -> None:
    """What is no duration is said to be none."""
    with pytest.raises(ValueError, match="is no duration"):
        config.parse_duration(text)


@pytest.fixture
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine eight hours ahead of UTC."""
    monkeypatch.setenv("TZ", "UTC-8")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


NOW = datetime(2026, 3, 30, 20, 30, tzinfo=UTC)  # already the 31st in Shanghai


@pytest.mark.usefixtures("shanghai")
@pytest.mark.parametrize(
    ("text", "end", "moment"),
    [
        ("2026-01-31", False, "2026-01-30T16:00:00"),
        ("2026-01-31", True, "2026-01-31T15:59:59.999999"),
        ("20260131", False, "2026-01-30T16:00:00"),
        ("today", False, "2026-03-30T16:00:00"),
        ("Today", True, "2026-03-31T15:59:59.999999"),
        ("yesterday", False, "2026-03-29T16:00:00"),
        ("today-2weeks", False, "2026-03-16T16:00:00"),
        ("today-1month", False, "2026-02-27T16:00:00"),
        ("20240229+1year", False, "2025-02-27T16:00:00"),
        ("today+1day", False, "2026-03-31T16:00:00"),
        ("now", False, "2026-03-30T20:30:00"),
        ("now-6hours", False, "2026-03-30T14:30:00"),
        ("now-1day", True, "2026-03-29T20:30:00"),
        ("today-6hours", False, "2026-03-30T10:00:00"),
        ("2026-01-31T12:00", False, "2026-01-31T04:00:00"),
        ("2026-01-31T12:00+00:00", False, "2026-01-31T12:00:00"),
        ("2026-01-31T12:00Z", True, "2026-01-31T12:00:00"),
    ],
)
def test_dates(text: str, end: bool, moment: str) -> None:
    """Days are those of the machine's zone and mean their first or last moment."""
    assert config.parse_date(text, end=end, now=NOW) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "31.01.2026",
        "2026-13-01",
        "2026-1-1",
        "today-",
        "today-2",
        "today-2fortnights",
        "today-999999years",
        "٢٠٢٦٠١٣١",
        "tomorrowT",
    ],
)
def test_no_dates(text: str) -> None:
    """What is no date, or outside the calendar, is said to be none."""
    with pytest.raises(ValueError, match="is no date"):
        config.parse_date(text)


# -- folders and files -------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="XDG variables are not for Windows")
@pytest.mark.parametrize(
    ("env", "expected"),
    [
        pytest.param({"DYVINE_HOME": "/data"}, ("/data", "/data/state", "/data/cache"), id="DYVINE_HOME"),
        pytest.param(
            {"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "/k"},
            ("/c/dyvine", "/s/dyvine", "/k/dyvine"),
            id="XDG",
        ),
        pytest.param(
            {"DYVINE_HOME": "/data", "XDG_CONFIG_HOME": "/c"},
            ("/data", "/data/state", "/data/cache"),
            id="both",
        ),
    ],
)
def test_folders_are_where_the_environment_says(env: dict[str, str], expected: tuple[str, str, str]) -> None:
    """`DYVINE_HOME` holds everything; XDG variables count on every Unix."""
    folders = config.locate(env)

    assert (folders.config, folders.state, folders.cache) == tuple(map(Path, expected))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other places")
def test_folders_are_those_platformdirs_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without variables, and with relative ones, our short way gives what the library gives."""
    platformdirs = pytest.importorskip("platformdirs")
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/me")
    folders = config.locate({"HOME": "/home/me", "XDG_CONFIG_HOME": "relative"})

    assert folders.config == platformdirs.user_config_path("dyvine")
    assert folders.state == platformdirs.user_state_path("dyvine")
    assert folders.cache == platformdirs.user_cache_path("dyvine")


def test_relative_home_is_refused() -> None:
    """Nothing of ours depends on the current folder."""
    with pytest.raises(ConfigError, match="DYVINE_HOME: 'data' is not absolute"):
        config.locate({"DYVINE_HOME": "data"})


def test_file_is_found_by_name_or_in_its_folder(tmp_path: Path) -> None:
    """--config before DYVINE_CONFIG before the usual place, which may be empty."""
    env = {"DYVINE_HOME": str(tmp_path)}
    usual = tmp_path / "config.toml"

    assert config.find(env) is None
    usual.touch()
    assert config.find(env) == usual
    assert config.find(env | {"DYVINE_CONFIG": "/other.toml"}) == Path("/other.toml")
    assert config.find(env | {"DYVINE_CONFIG": "/other.toml"}, Path("/third.toml")) == Path("/third.toml")


def test_config_of_the_working_directory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that came with a download has no say."""
    (tmp_path / "config.toml").write_text("site = 'tiktok'")
    (tmp_path / "dyvine.toml").write_text("site = 'tiktok'")
    monkeypatch.chdir(tmp_path)

    assert config.find({"DYVINE_HOME": str(tmp_path / "home")}) is None


def test_settings_know_their_folders() -> None:
    """What is below the settings need not look at the environment again."""
    assert config.load({}, {"DYVINE_HOME": "/data"}, None).folders == config.locate({"DYVINE_HOME": "/data"})


# -- the example -------------------------------------------------------------------------------------------------

ROOT = Path(__file__).parent.parent


def uncommented() -> str:
    """The example with every setting switched on."""
    return re.sub(r"^# (?=\[\[|[a-z_]+ = )", "", config.example(), flags=re.MULTILINE)


def test_example_of_the_repository_is_the_packages() -> None:
    """People find the file in both places, equal byte for byte."""
    assert (ROOT / "config.example.toml").read_text("utf-8") == config.example()


def test_example_sets_nothing(file: Path) -> None:
    """As it comes it changes no default."""
    assert loaded(file, config.example()) == config.load({}, {}, None)


def test_example_holds_every_setting(file: Path) -> None:
    """Whatever a file may set stands in the example, and what stands there is accepted."""
    data = tomllib.loads(uncommented())
    loaded(file, uncommented())

    for place in places():
        table = data[place.table] if place.table else data
        assert (place.field in table) is (place.option.not_in_file is None), place.key
    for name, shape in LISTS.items():
        given = {key for entry in data[name] for key in entry}
        assert given == {place.field for place in places_of(shape, name)}


def test_example_shows_the_defaults(file: Path) -> None:
    """A commented-out line shows the default wherever there is one."""
    settings, usual = loaded(file, uncommented()), config.load({}, {}, None)
    shown = {line.key: line.value for line in settings.shown()}
    examples = {"path", "kind", "douyin.proxy", "tiktok.proxy"}

    for line in usual.shown():
        if line.value not in ("", "[]") and line.key not in examples:
            assert shown[line.key] == line.value, line.key


def test_template_is_the_standard_one() -> None:
    """The default shown to people is the one that names are made with."""
    from dyvine_cli import naming

    assert Settings().output == naming.STANDARD


# -- config init -------------------------------------------------------------------------------------------------


def test_fresh_file_is_the_example_with_the_folder(tmp_path: Path) -> None:
    """`config init` writes the commented example, private, with an absolute folder for downloads."""
    path = tmp_path / "new" / "config.toml"
    config.write_fresh(path, downloads=tmp_path / 'vi"de\\os 视频')

    settings = config.load({}, {}, path)
    assert settings.path == tmp_path / 'vi"de\\os 视频'
    assert len(path.read_text("utf-8").splitlines()) == len(config.example().splitlines())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_fresh_file_never_replaces_what_is_there(file: Path, tmp_path: Path, kind: str) -> None:
    """A person's file, or a planted link, stays as it is."""
    if kind == "file":
        file.write_text("site = 'tiktok'")
    else:
        file.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ConfigError, match="already there"):
        config.write_fresh(file, downloads=tmp_path)
    assert not (tmp_path / "elsewhere").exists()
    assert [each.name for each in tmp_path.iterdir()] == ["config.toml"]


def test_fresh_file_needs_an_absolute_folder(file: Path) -> None:
    """A relative folder would mean another one in every run."""
    with pytest.raises(ConfigError, match="is not absolute"):
        config.write_fresh(file, downloads=Path("videos"))
    assert not file.exists()


def test_full_disk_leaves_no_half_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the text cannot be flushed nothing stays behind."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull):
        config.write_fresh(file, downloads=Path("/srv"))

    assert list(file.parent.iterdir()) == []


def test_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    """A file in the way of the config folder is told."""
    (tmp_path / "taken").touch()

    with pytest.raises(NotWritable, match=r"config\.toml"):
        config.write_fresh(tmp_path / "taken" / "config.toml", downloads=Path("/srv"))


def test_config_is_light_to_import() -> None:
    """Every command loads it, so nothing heavy may come along."""
    heavy = "{'httpx', 'rich', 'tomlkit', 'tomllib', 'tomli_w', 'platformdirs', 'typer', 'difflib'}"
    code = f"import sys, dyvine_cli.config; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_the_browsers_of_the_settings_are_those_that_are_read() -> None:
    """Each that may be named can be read, and the other way round."""
    assert get_args(Browser) == browsers.BROWSERS
