"""Every command as a process beside the simulator: stdout, stderr, exit status and files."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.config.settings import places
from dyvine_cli.simulator.app import Simulator
from dyvine_cli.simulator.world import World
from tests.cli.conftest import Done, Program, valid

USER = "https://www.douyin.com/user/"
OPEN = USER + World.OPEN
CUT = USER + World.ACCOUNTS[63]
LOGIN = f"sessionid={World.SESSION}; ttwid=1%7Cx"


def test_pasted_share_text_becomes_a_file(dyvine: Program, platform: Simulator) -> None:
    """Words typed without quotes: the link among them is found, its file complete, its time that of publishing."""
    world = platform.world
    assert world is not None
    post = world.post(World.SMALL)
    assert post is not None
    done = dyvine(*world.share_text(World.SMALL).split())
    (file,) = dyvine.files

    assert (done.code, done.out) == (0, "")
    assert re.fullmatch(rf"2026-\d\d-\d\d_{World.SMALL}_.+\.mp4", file.name)
    assert file.stat().st_size == post.gears[0].size
    assert file.stat().st_mtime == post.created_s
    assert re.fullmatch(r"saved 1 file \(300 kB\) in [\d.]+ s: douyin/.+\.mp4\n", done.err)


KINDS = {
    World.VIDEO: {".mp4": 1},
    World.IMAGES: {".jpg": 12, ".mp3": 1},
    World.LIVE_PHOTO: {".jpg": 7, ".mp4": 3, ".mp3": 1},
    World.SLIDES: {".jpg": 4, ".mp4": 4, ".mp3": 1},
    World.ARTICLE: {".md": 1, ".jpg": 3, ".mp3": 1},
    World.NOTE: {".md": 1, ".jpg": 1, ".mp3": 1},
    World.MUTED: {".jpg": 1},
    World.CO_AUTHORED: {".mp4": 1},
}


def test_every_kind_of_post_comes_to_disk(dyvine: Program) -> None:
    """One call with a post of each kind; every event is valid, and every file is what its event says."""
    done = dyvine("--json", "post", *KINDS)
    events = [valid("event", each) for each in done.objects]
    saved = [each for each in events if each["event"] == "saved"]
    found = {id: Counter(path.suffix for path in dyvine.files if f"_{id}_" in path.name) for id in KINDS}

    assert done.code == 0
    assert found == KINDS
    assert {each["path"] for each in saved} == {str(path) for path in dyvine.files}
    assert all(sha256(Path(each["path"])) == each["sha256"] for each in saved)
    assert events[-1]["event"] == "summary"
    assert events[-1]["files"] == len(saved)
    assert events[-1]["exit_code"] == 0


def sha256(path: Path) -> str:
    """The digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_account_ends_with_its_balance(dyvine: Program) -> None:
    """Everything listed is saved; the second run saves nothing; the third, of files moved away, fetches nothing either."""
    first = dyvine("user", OPEN)
    count = len(dyvine.files)
    second = dyvine("user", OPEN)
    for file in dyvine.files:
        file.unlink()
    third = dyvine("user", OPEN)

    assert (first.code, second.code, third.code) == (0, 0, 0)
    assert count == 54
    assert "listed 24 of 24 declared, saved 24, known 0; complete" in first.err
    assert "saved 0, known 24; complete" in second.err
    assert "nothing new" in third.err
    assert dyvine.files == []


def test_a_list_that_is_cut_has_its_own_status(dyvine: Program) -> None:
    """A guest sees 20 of 63: status 7, the cause once, the cure; a login then brings the rest."""
    cut = dyvine("user", CUT)
    whole = dyvine("user", CUT, env={"DOUYIN_COOKIE": LOGIN})

    assert cut.code == 7
    assert cut.err.count("guests only the newest posts") == 1
    assert "dyvine login add" in cut.err
    assert "cut short" in cut.err
    assert whole.code == 0
    assert "63 declared" in whole.err
    assert not list((dyvine.home / "state" / "profiles").rglob("env*"))


def test_a_named_file_that_stands_is_reported_and_a_lost_one_fetched_again(dyvine: Program) -> None:
    """`post` trusts the disk: its path is printed as if saved; once deleted it comes again."""
    first = dyvine("post", "--print", "path", World.SMALL)
    second = dyvine("post", "--print", "path", World.SMALL)
    dyvine.files[0].unlink()
    third = dyvine("post", "--print", "path", World.SMALL)

    assert first.lines == second.lines == third.lines == [str(dyvine.files[0])]
    assert "1 post known already" in second.err
    assert "saved 1 file" in third.err


TEXTS: list[tuple[list[str], str]] = [
    (["post", "info", World.VIDEO], f"douyin:post:{World.VIDEO}"),
    (["user", "info", World.OPEN], "shan_ye_041"),
    (["user", "info", "shan_ye_041"], World.OPEN),
    (["mix", "info", World.MIX], "山野食堂"),
    (["user", "mixes", CUT], World.MIX),
    (["user", "posts", "--limit", "3", OPEN], "pinned"),
    (["user", "posts", "--likes", "--limit", "3", World.LIKES], "douyin:post:"),
    (["post", "-F", World.VIDEO], "adapt_lowest_1440_1"),
    (["post", "-g", World.VIDEO], "https://"),
    (["-g", f"douyin:post:{World.IMAGES}"], "https://"),
]


@pytest.mark.parametrize(("arguments", "part"), TEXTS, ids=[" ".join(line[:2]) for line, _ in TEXTS])
def test_what_is_known_is_shown_and_nothing_saved(dyvine: Program, arguments: list[str], part: str) -> None:
    """The answer is on stdout, stderr is empty, no file is made."""
    done = dyvine.inside(*arguments)

    assert (done.code, done.err) == (0, "")
    assert part in done.out
    assert dyvine.files == []


OBJECTS: list[tuple[list[str], str, int]] = [
    (["post", "info", "--json", World.VIDEO, World.IMAGES], "post", 2),
    (["-j", f"douyin:post:{World.VIDEO}"], "post", 1),
    (["user", "-j", "--limit", "20", OPEN], "post", 20),
    (["user", "info", "--json", World.OPEN], "user", 1),
    (["user", "posts", "--json", OPEN], "post", 24),
    (["user", "mixes", "--json", CUT], "mix", 3),
    (["mix", "info", "--json", World.MIX], "mix", 1),
    (["mix", "-j", World.MIX], "post", 32),
]


@pytest.mark.parametrize(
    ("arguments", "name", "count"), OBJECTS, ids=[" ".join(line[:3]) for line, *_ in OBJECTS]
)
def test_objects_are_those_of_the_schema(
    dyvine: Program, arguments: list[str], name: str, count: int
) -> None:
    """One valid object a line, nothing else on stdout, nothing saved."""
    done = dyvine.inside(*arguments)

    assert (done.code, done.err) == (0, "")
    assert len([valid(name, each) for each in done.objects]) == count
    assert dyvine.files == []


@pytest.mark.parametrize(
    "arguments", [["post", "--raw"], ["post", "-j", "--raw"], ["post", "info", "--raw"]], ids=" ".join
)
def test_raw_is_the_platforms_own_object(dyvine: Program, arguments: list[str]) -> None:
    """--raw gives the object as it came, and downloads nothing."""
    (found,) = dyvine(*arguments, World.SMALL).objects

    assert found["aweme_id"] == World.SMALL
    assert dyvine.files == []


def test_formats_and_addresses_are_objects_under_json(dyvine: Program) -> None:
    """-F and -g give the post object with --json: its renditions and addresses are in it."""
    (found,) = dyvine("post", "-F", "--json", World.VIDEO).objects

    assert valid("post", found)["assets"][0]["renditions"][0]["mirrors"]


def test_simulating_writes_nothing(dyvine: Program) -> None:
    """-s says what would be saved, with every file of every kind; --print gives the same paths on stdout."""
    done = dyvine("-s", "--print", "path", "post", World.ARTICLE, World.SMALL)
    would = [line.removeprefix("would save ") for line in done.err.splitlines() if line.startswith("would")]

    assert done.code == 0
    assert sorted(would) == sorted(done.lines)
    assert sorted(Path(line).suffix for line in would) == [".jpg", ".jpg", ".jpg", ".md", ".mp3", ".mp4"]
    assert "nothing was saved, as asked: 2 posts to save" in done.err
    assert dyvine.files == []


def test_what_was_simulated_is_not_remembered(dyvine: Program) -> None:
    """A dry run leaves no trace in the archive: the next run saves everything."""
    dyvine("-s", "user", OPEN)
    done = dyvine("user", "--limit", "2", OPEN)

    assert "saved 2, known 0" in done.err


TEMPLATES = [
    ("path", rf"/.+/2026-\d\d-\d\d_{World.SMALL}_.+\.mp4"),
    ("{id} {size}", f"{World.SMALL} 300000"),
    ("{date:%Y} {kind} {asset} {ext} {uid}", r"2026 video video mp4 \d+"),
    ("{nickname:.4}|{sha256}", r".+\|[0-9a-f]{64}"),
    ("plain", "plain"),
]


@pytest.mark.parametrize(("template", "line"), TEMPLATES, ids=[template for template, _ in TEMPLATES])
def test_a_line_is_printed_for_each_saved_file(dyvine: Program, template: str, line: str) -> None:
    """--print fills the template, one line on stdout for the file."""
    done = dyvine.inside("post", "--print", template, World.SMALL)

    assert done.code == 0
    assert len(done.lines) == 1
    assert re.fullmatch(line, done.lines[0])


BATCH = (
    f"\ufeff# my links\r\n\r\n   \r\n{World.SMALL}\r\n"
    f"7.43 看看【作品】 https://www.douyin.com/video/{World.NO_LADDER} 复制\r\n"
    f"  douyin:post:{World.SMALL}  \r\nhttps://www.douyin.com/video/{World.SMALL}?previous_page=x\n#{World.VIDEO}"
).encode()


@pytest.mark.parametrize("stdin", [False, True], ids=["file", "stdin"])
def test_links_come_from_a_batch(dyvine: Program, tmp_path: Path, *, stdin: bool) -> None:
    """Comments, blank lines, CRLF and BOM are passed over, share text is understood, doubles are done once."""
    (tmp_path / "links.txt").write_bytes(BATCH)
    done = dyvine(
        "--json", "post", "-a", "-" if stdin else tmp_path / "links.txt", stdin=BATCH if stdin else ""
    )

    assert done.code == 0
    assert done.objects[-1]["posts"] == 2
    assert len(dyvine.files) == 2


def test_words_and_batch_are_taken_together(dyvine: Program, tmp_path: Path) -> None:
    """A call may name links and a file of links."""
    (tmp_path / "links.txt").write_text(World.SMALL)
    done = dyvine("post", World.NO_LADDER, "-a", tmp_path / "links.txt")

    assert done.code == 0
    assert len(dyvine.files) == 2


def test_an_empty_batch_is_nothing_to_do(dyvine: Program) -> None:
    """A pipeline that found nothing is no mistake; --fail-if-nothing-new makes it a status."""
    assert dyvine("get", "-a", "-", stdin="\n# nothing\n").code == 0
    assert dyvine("get", "-a", "-", "--fail-if-nothing-new", stdin="").code == 15


def test_a_batch_of_a_hundred_thousand_lines(dyvine: Program) -> None:
    """Doubles cost nothing, each bad line is told, the good ones are saved."""
    lines = [World.SMALL] * 49_990 + ["no link here"] * 20 + ["# comment"] * 49_990
    done = dyvine("-q", "post", "-a", "-", stdin="\n".join(lines))

    assert done.code == 3
    assert len(done.complaints()) == 20
    assert done.complaints()[-1].startswith("line 50010:")
    assert len(dyvine.files) == 1


SIDECARS = [
    (["--write-info-json"], World.SMALL, [".info.json", ".mp4"]),
    (["--write-thumbnail"], World.SMALL, [".mp4", "_cover.jpg"]),
    (["--write-sound"], World.SMALL, [".mp4", "_sound.mp3"]),
    (["--no-sound"], World.MUTED, [".jpg"]),
    (["--no-sound"], World.NOTE, [".md", ".jpg"]),
    (["--no-sound", "--sound"], World.NOTE, [".md", ".jpg", "_sound.mp3"]),
]


@pytest.mark.parametrize(
    ("options", "post", "ends"), SIDECARS, ids=[" ".join([*row[0], row[1]]) for row in SIDECARS]
)
def test_more_or_less_of_a_post_is_saved(
    dyvine: Program, options: list[str], post: str, ends: list[str]
) -> None:
    """Sidecars, covers and sounds come and stay away as the options say."""
    done = dyvine.inside("post", *options, post)
    names = dyvine.names

    assert done.code == 0
    assert len(names) == len(ends)
    assert all(any(name.endswith(end) for name in names) for end in ends)


def test_metadata_beside_the_file_holds_no_signed_address(dyvine: Program) -> None:
    """The info JSON is a valid post object without anything that expires or is secret."""
    dyvine("post", "--write-info-json", World.SMALL, env={"DOUYIN_COOKIE": LOGIN})
    text = next(path for path in dyvine.files if path.name.endswith(".info.json")).read_text("utf-8")

    assert valid("post", json.loads(text))["id"] == World.SMALL
    assert "douyinvod.com" not in text
    assert World.SESSION not in text


CHOICES = [
    ([], 1_660_000),
    (["--codec", "h264"], 1_704_000),
    (["--codec", "h265"], 1_660_000),
    (["--max-height", "1080"], 1_020_000),
    (["--max-height", "720"], 940_000),
    (["--quality", "worst"], 610_000),
    (["--quality", "720p"], 940_000),
    (["--codec", "h264", "--quality", "1080"], 1_704_000),
    (["--max-filesize", "1M"], 1_020_000),
    (["--max-filesize", "700K"], 610_000),
]


def test_the_rendition_is_the_one_asked_for(dyvine: Program) -> None:
    """Quality, codec, height and size pick one of five encodings; a file that does not satisfy them is fetched anew."""
    found = []
    for options, _ in CHOICES:
        done = dyvine.inside("--json", "--overwrite", "post", *options, World.VIDEO)
        found.append([each["size"] for each in done.objects if each["event"] == "saved"])

    assert found == [[size] for _, size in CHOICES]


def test_a_named_post_that_does_not_fit_is_left_out_with_a_note(dyvine: Program) -> None:
    """It is no error, and neither a file nor an object comes of it; -q says nothing."""
    wish = ("post", "--match", "kind == article", World.SMALL)
    saved, shown, hushed = dyvine.inside(*wish), dyvine.inside("-j", *wish), dyvine.inside("-q", *wish)
    unfit = "is left out: it does not fit --kind, --since, --until or --match"

    assert [done.code for done in (saved, shown, hushed)] == [0, 0, 0]
    assert unfit in saved.err
    assert unfit in shown.err
    assert saved.out == shown.out == hushed.out == hushed.err == ""
    assert dyvine.files == []


def test_nothing_within_the_limits_is_told(dyvine: Program) -> None:
    """No encoding is small enough: a warning says so, and no file is made."""
    done = dyvine("post", "--max-filesize", "100K", World.VIDEO)

    assert "nothing within the limits" in done.complaints("warning")[0]
    assert dyvine.files == []


FILTERS = [
    (["--kind", "images"], 1),
    (["--kind", "images,slides"], 2),
    (["--limit", "5"], 5),
    (["--limit", "2", "--kind", "video"], 2),
    (["--since", "2026-09-29"], 6),
    (["--until", "2026-09-24"], 2),
    (["--dateafter", "20260926", "--datebefore", "20260927"], 8),
    (["--match", "likes > 5万 and duration < 1m", "--since", "2026-09-26"], 2),
]


@pytest.mark.parametrize(("options", "count"), FILTERS, ids=[" ".join(options) for options, _ in FILTERS])
def test_filters_choose_the_posts(dyvine: Program, options: list[str], count: int) -> None:
    """Kinds, days and numbers; the same posts for a listing and for a download that is only simulated."""
    env = {"TZ": "Asia/Shanghai"}
    shown = {each["id"] for each in dyvine.inside("user", "-j", *options, OPEN, env=env).objects}
    simulated = dyvine.inside("--json", "-s", "user", *options, OPEN, env=env).objects
    saved = {each["ref"].split(":")[2] for each in simulated if each.get("reason") == "simulated"}

    assert shown == saved
    assert len(shown) == count


@pytest.mark.slow
def test_overwriting_replaces_and_no_archive_remembers_nothing(dyvine: Program) -> None:
    """--overwrite fetches again; --no-archive neither reads nor writes the archive."""
    dyvine("post", World.SMALL)
    again = dyvine("post", "--overwrite", World.SMALL)
    unread = dyvine("user", "--no-archive", "--limit", "1", OPEN)
    after = dyvine("user", "--limit", "1", OPEN)

    assert "saved 1 file" in again.err
    assert len([name for name in dyvine.names if World.SMALL in name]) == 1
    assert "saved 1, known 0" in unread.err
    assert "saved 1, known 0" in after.err or "saved 0" in after.err


def test_a_good_quiet_run_prints_not_one_byte(dyvine: Program) -> None:
    """What cron relies on, for a new account and for one where nothing is new."""
    for _ in range(2):
        done = dyvine("-q", "user", OPEN)

        assert (done.code, done.out, done.err) == (0, "", "")


def test_a_quiet_run_still_tells_errors(dyvine: Program) -> None:
    """-q leaves the error and its hint, and nothing else."""
    done = dyvine("-q", "post", World.SMALL, World.LOGIN_ONLY)

    assert done.code == 3
    assert [line.partition(":")[0] for line in done.err.splitlines()] == ["error", "hint"]


@pytest.mark.parametrize("option", ["-v", "-vv", "-vvv", "--print-traffic"])
def test_talking_runs_show_routes_and_no_secret(dyvine: Program, option: str) -> None:
    """The log is on stderr; neither the login nor a signed query is in it."""
    done = dyvine(option, "post", World.SMALL, env={"DOUYIN_COOKIE": LOGIN})

    assert done.code == 0
    assert "dyvine_cli." in done.err
    assert World.SESSION not in done.err
    assert "a_bogus" not in done.err
    assert done.out == ""


# -- configuration -----------------------------------------------------------------------------------------------------


def settings(done: Done) -> dict[str, tuple[str, str]]:
    """What `config show --json` said: key to value and origin."""
    return {each["key"]: (each["value"], each["origin"]) for each in done.objects}


def test_options_win_over_environment_over_file_over_defaults(dyvine: Program) -> None:
    """The nearest place wins, and `config show` names it."""
    dyvine.home.mkdir()
    file = dyvine.home / "config.toml"
    file.write_text(
        'codec = "h264"\nquality = "720"\nwrite_info_json = true\n[limits]\nparallel = 2\nretries = 5\n'
    )
    env = {"DYVINE_QUALITY": "1080", "DYVINE_PARALLEL": "3"}
    found = settings(dyvine("-N", "4", "-R", "0", "config", "--json", "--no-write-info-json", env=env))

    assert found["codec"] == ('"h264"', f"file {file}:1")
    assert found["quality"] == ('"1080"', "environment DYVINE_QUALITY")
    assert found["limits.parallel"] == ("4", "flag --parallel")
    assert found["limits.retries"] == ("0", "flag --retries")
    assert found["write_info_json"] == ("false", "flag --no-write-info-json")
    assert found["overwrite"] == ("false", "default")


def test_what_a_file_turns_off_can_be_turned_on(dyvine: Program) -> None:
    """Switches that a file turns off come back by their opposite: the archive, the progress, the sound."""
    dyvine.home.mkdir()
    (dyvine.home / "config.toml").write_text("sound = false\nprogress = false\n[archive]\nenabled = false\n")
    off = settings(dyvine("config", "show", "--json"))
    on = settings(dyvine("--archive", "config", "show", "--json", "--sound", "--progress"))

    keys = ("sound", "progress", "archive.enabled")
    assert [off[key][0] for key in keys] == ["false"] * 3
    assert [on[key] for key in keys] == [
        ("true", f"flag --{name}") for name in ("sound", "progress", "archive")
    ]


VALUES = {
    "kind": "video", "match": "likes", "since": "2026-01-01", "until": "2026-01-02", "quality": "720", "codec": "h264", "site": "douyin",
    "max_filesize": "5M", "limits.rate": "5M", "limits.pace": "slow", "douyin.pace": "slow", "tiktok.pace": "slow",
    "network.proxy": "http://127.0.0.1:1", "network.proxy_order": "first", "douyin.proxy": "none", "tiktok.proxy": "none", "network.allow": "10.0.0.0/8",
    "network.impersonate": "off", "convert_subs": "srt", "notify.on": "new", "notify.digest_at": "07:30",
    "notify.urls": "ntfy://a", "notify.webhook": "https://h/", "notify.exec_timeout": "90s", "network.connect_to": "*:80:127.0.0.1:1", "storage.to": "r2", "sync.full_every": "7d",
    "cookies_from_browser": "firefox",
}  # fmt: skip


def test_every_setting_has_its_variable(dyvine: Program) -> None:
    """DYVINE_… sets each of them; `config show` says so."""
    env = {"R2_BUCKET_NAME": "videos"}
    for place in places():
        usual = (
            "1"
            if isinstance(place.default, bool | int) or "height" in place.field or place.field == "limit"
            else "x"
        )
        env[place.variable] = VALUES.get(place.key, usual)
    found = settings(dyvine("config", "show", "--json", env=env))

    assert {key: origin for key, (_, origin) in found.items() if not key.startswith("target.")} == {
        place.key: f"environment {place.variable}" for place in places()
    }


def test_configuration_is_written_found_shown_and_checked(dyvine: Program) -> None:
    """Init writes it once with mode 0600, path names it, check takes it, show reads it."""
    written, again = dyvine("config", "init"), dyvine("config", "init")
    file = dyvine.home / "config.toml"

    assert (written.code, again.code) == (0, 2)
    assert str(file) in written.out
    assert "is already there" in again.complaints()[0]
    assert os.name == "nt" or file.stat().st_mode & 0o777 == 0o600
    assert str(file) in dyvine("config", "path").out
    assert dyvine("config", "check").out == f"{file}: ok\n"
    assert f"file {file}" in settings(dyvine("config", "show", "--json"))["path"][1]


def test_a_file_can_be_named_and_left_out(dyvine: Program, tmp_path: Path) -> None:
    """--config and DYVINE_CONFIG name another file, --no-config reads none."""
    dyvine.home.mkdir()
    (dyvine.home / "config.toml").write_text('codec = "h264"\n')
    other = tmp_path / "other.toml"
    other.write_text('codec = "h265"\n')

    assert settings(dyvine("config", "--json"))["codec"][0] == '"h264"'
    assert settings(dyvine("config", "--json", "--config", other))["codec"][0] == '"h265"'
    assert settings(dyvine("config", "--json", env={"DYVINE_CONFIG": str(other)}))["codec"][0] == '"h265"'
    assert settings(dyvine("config", "--json", "--no-config"))["codec"][0] == '"any"'


def test_home_moves_everything(dyvine: Program) -> None:
    """With DYVINE_HOME nothing is written elsewhere but the files asked for."""
    dyvine("post", World.SMALL)
    outside = [path for path in dyvine.home.parent.iterdir() if path not in (dyvine.home, dyvine.work)]

    assert outside == []
    assert (dyvine.home / "state" / "archive.sqlite3").exists()
    assert os.name == "nt" or (dyvine.home / "state").stat().st_mode & 0o077 == 0


def test_an_unknown_variable_is_a_warning(dyvine: Program) -> None:
    """A misspelt variable is told with what was meant, and the run goes on."""
    done = dyvine("-q", "post", World.SMALL, env={"DYVINE_PARALEL": "3"})

    assert done.code == 0
    assert done.complaints("warning") == [
        "the variable DYVINE_PARALEL is not used; did you mean DYVINE_PARALLEL?"
    ]


def test_files_go_where_path_and_template_say(dyvine: Program, tmp_path: Path) -> None:
    """-P and -o; the environment's path counts where no option is given."""
    dyvine("post", "-P", tmp_path / "a", "-o", "{kind}/{id}.{ext}", World.SMALL)
    dyvine("post", World.NO_LADDER, env={"DYVINE_PATH": str(tmp_path / "b"), "DYVINE_OUTPUT": "{id}.{ext}"})

    assert (tmp_path / "a" / "video" / f"{World.SMALL}.mp4").exists()
    assert (tmp_path / "b" / f"{World.NO_LADDER}.mp4").exists()


# -- logins ------------------------------------------------------------------------------------------------------------

EXPORTS = {
    "header": LOGIN,
    "netscape": "# Netscape HTTP Cookie File\n"
    + "".join(
        f".douyin.com\tTRUE\t/\tTRUE\t4102444800\t{name}\t{value}\n"
        for name, value in (("sessionid", World.SESSION), ("ttwid", "1%7Cx"))
    ),
    "json": json.dumps([{"name": "sessionid", "value": World.SESSION, "domain": ".douyin.com", "path": "/"}]),
}


@pytest.mark.parametrize("export", EXPORTS.values(), ids=list(EXPORTS))
@pytest.mark.parametrize("way", ["file", "stdin"])
def test_a_login_is_tried_kept_shown_and_removed(
    dyvine: Program, tmp_path: Path, export: str, way: str
) -> None:
    """Whatever form it has: found cookies, missing ones, whose it is; a file of mode 0600; no value is shown."""
    jar = tmp_path / "jar"
    jar.write_text(export)
    added = dyvine("login", "add", jar) if way == "file" else dyvine("login", "add", "-", stdin=export)
    kept = dyvine.home / "state" / "profiles" / "douyin" / "main.json"
    mode = kept.stat().st_mode & 0o777
    shown = dyvine("login", "--json").objects
    removed = dyvine("login", "remove")

    assert (added.code, removed.code) == (0, 0)
    assert "cookie" in added.out
    assert "missing: " in added.out
    assert "logged in as" in added.out
    assert World.SESSION not in added.out + added.err + json.dumps(shown)
    assert os.name == "nt" or mode == 0o600
    assert [each["account"]["id"] for each in shown if each["profile"] == "main"] == [World.SELF]
    assert not kept.exists()


def test_a_login_header_may_stand_in_the_call(dyvine: Program) -> None:
    """A header in quotes, under a name of one's own; `--profile` then chooses it."""
    added = dyvine("login", "add", "--profile", "second", LOGIN)
    used = dyvine("user", "info", "--profile", "second", World.SELF)

    assert (added.code, used.code) == (0, 0)
    assert "douyin second: logged in as" in added.out


def test_a_dead_login_ends_the_run_and_shows_in_the_status(dyvine: Program) -> None:
    """Never a silent guest: exit status 4, the cure, nothing downloaded."""
    dead = f"sessionid={World.DEAD_SESSION}"
    dyvine("login", "add", "--no-test", dead)
    status = dyvine("login")
    used = dyvine("user", CUT)

    assert status.code == 4
    assert "LoginExpired" in status.out
    assert used.code == 4
    assert "dyvine login add" in "".join(used.complaints("hint"))
    assert dyvine.files == []


def test_cookies_of_one_run_are_kept_nowhere(dyvine: Program, tmp_path: Path) -> None:
    """--cookies brings what only a login sees, and leaves nothing of it behind."""
    jar = tmp_path / "jar"
    jar.write_text(EXPORTS["netscape"])
    done = dyvine("post", "--cookies", jar, World.LOGIN_ONLY)
    traces = [
        path
        for path in dyvine.home.rglob("*")
        if path.is_file() and World.SESSION.encode() in path.read_bytes()
    ]

    assert done.code == 0
    assert traces == []


def every_event(done: Done) -> list[Any]:
    """The events of a run, each held to the schema."""
    return [valid("event", each) for each in done.objects]


def test_events_of_a_cut_list_are_valid(dyvine: Program) -> None:
    """A run with a listing, a cut and a failure speaks only words of the schema."""
    done = dyvine("--json", "user", CUT, USER + World.BANNED_ACCOUNT)
    names = [each["event"] for each in every_event(done)]

    assert done.code == 7
    assert {"source", "listed", "started", "saved", "failed", "cut", "summary"} <= set(names)
    assert names[-1] == "summary"
    assert done.objects[-1]["exit_code"] == 7


def test_a_batch_file_alone_is_get(dyvine: Program) -> None:
    """`dyvine -a FILE` is `dyvine get -a FILE`."""
    (dyvine.work.parent / "links.txt").write_text(f"https://www.douyin.com/video/{World.SMALL}\n")
    done = dyvine.inside("-a", dyvine.work.parent / "links.txt")

    assert done.code == 0
    assert len(dyvine.files) == 1


def test_printed_lines_know_the_rendition(dyvine: Program) -> None:
    """Pixels and codec of what was saved, the same when the file is there already."""
    line = ["post", "--print", "{width}x{height} {codec}", World.SMALL]
    first, second = dyvine.inside(*line), dyvine.inside(*line)

    assert re.fullmatch(r"\d+x\d+ h26[45]\n", first.out)
    assert second.out == first.out


@pytest.mark.parametrize(
    "given", [["post", "info", World.DELETED], ["user", "info", World.NOBODY]], ids=" ".join
)
def test_what_cannot_be_shown_has_its_name(dyvine: Program, given: list[str]) -> None:
    """At the end of the error for a person; with --json as an event on stdout."""
    plain, events = dyvine.inside(*given), dyvine.inside(*given, "--json")
    (failed,) = events.objects

    assert plain.complaints()[0].endswith(f"({failed['error']})")
    assert failed["event"] == "failed"
    assert plain.code == events.code == failed["exit_code"] == 5


def test_a_list_without_entries_says_so(dyvine: Program) -> None:
    """An account without mixes: a sentence on stderr, nothing on stdout, and no failure."""
    done = dyvine.inside("user", "mixes", World.ACCOUNTS[0])

    assert "has no mixes to show" in done.err
    assert (done.code, done.out) == (0, "")


def test_a_guest_exists_before_it_is_stored(dyvine: Program) -> None:
    """`login status --profile guest` describes it, and does not say that there is none."""
    done = dyvine.inside("login", "status", "--profile", "guest")

    assert done.code == 0
    assert "douyin guest: a guest" in done.out


def test_settings_without_a_value_are_shown_as_such(dyvine: Program) -> None:
    """`config show` has no line that ends in nothing."""
    lines = dyvine.inside("config", "show").lines

    assert any(" = -  #" in line for line in lines)
    assert not any(" =   #" in line for line in lines)
