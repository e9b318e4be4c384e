"""What a person sees on a terminal, and how a run ends: signals, closed pipes, other people's characters."""

from __future__ import annotations

import io
import os
import re
import select
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import pytest

from dyvine_cli.cli.output import words
from dyvine_cli.cli.output.pipe import Pipe
from dyvine_cli.cli.output.plain import Plain
from dyvine_cli.cli.output.terminal import Terminal
from dyvine_cli.errors import ListingIncomplete, NotFound
from dyvine_cli.events import Balance, Failed, Finished, Listed, SourceBegun, Summarized, Waiting
from dyvine_cli.models import Ref
from dyvine_cli.simulator.app import Simulator
from dyvine_cli.simulator.world import World
from tests.cli.conftest import PATIENCE, Program

OPEN = "https://www.douyin.com/user/" + World.OPEN
CUT = "https://www.douyin.com/user/" + World.ACCOUNTS[63]
LOGIN = {"DOUYIN_COOKIE": f"sessionid={World.SESSION}; ttwid=1%7Cx"}
HOSTILE = "https://www.douyin.com/user/" + World.ACCOUNTS[2000]

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has neither these signals nor pseudo-terminals")


# -- how a run ends ----------------------------------------------------------------------------------------------------


def begun(process: subprocess.Popen[bytes]) -> None:
    """Wait until a run that prints events has one file on its way."""
    assert process.stdout is not None
    for line in process.stdout:
        if b'"event":"started"' in line:
            return
    raise AssertionError("the run ended before a file began")


@posix
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_signal_ends_the_run_within_two_seconds(
    dyvine: Program, platform: Simulator, number: int, code: int
) -> None:
    """The exit status says which signal it was, one sentence says how to go on, only `.part` files are left."""
    platform.line.rate = 200_000
    with dyvine.start("--json", "post", World.BIG) as process:
        begun(process)
        then = time.monotonic()
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == code
    assert err.decode() == "stopped; the same command goes on where this one ended\n"
    assert time.monotonic() - then < 2
    assert all(".part" in name for name in dyvine.names)


@posix
@pytest.mark.slow
def test_a_stopped_run_goes_on_where_it_ended(dyvine: Program, platform: Simulator) -> None:
    """After Ctrl-C in an account the same command brings what was missing."""
    platform.line.rate = 300_000
    with dyvine.start("--json", "user", OPEN) as process:
        begun(process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    platform.line.rate = None
    done = dyvine("user", OPEN)

    assert done.code == 0
    assert len(dyvine.files) == 54


@posix
def test_a_second_signal_ends_the_process_at_once(dyvine: Program, platform: Simulator) -> None:
    """Two signals right after each other: still the first one's status, and no traceback."""
    platform.line.rate = 200_000
    with dyvine.start("--json", "post", World.BIG) as process:
        begun(process)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    assert b"Traceback" not in err


CLOSING = [
    ["user", "--json", OPEN],
    ["user", "--print", "path", OPEN],
    ["user", "posts", OPEN],
    ["user", "-j", OPEN],
]


@pytest.mark.parametrize("arguments", CLOSING, ids=[" ".join(line[:2]) for line in CLOSING])
def test_a_reader_that_leaves_ends_the_run_quietly(
    dyvine: Program, platform: Simulator, arguments: list[str]
) -> None:
    """`| head -1`: exit status 141 and nothing on stderr."""
    platform.line.rtt = 0.02
    with dyvine.start(*arguments) as process:
        assert process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()

    assert process.returncode == 141
    assert err == b""


def test_a_log_reader_that_leaves_ends_the_run_quietly(dyvine: Program, platform: Simulator) -> None:
    """`2>&1 | head -1` with errors coming: exit status 141."""
    platform.line.rtt = 0.02
    missing = [str(7_499_999_999_999_999_000 + number) for number in range(40)]
    with dyvine.start("post", *missing, stderr=subprocess.STDOUT) as process:
        assert process.stdout.readline()

    assert process.returncode == 141


@posix
@pytest.mark.parametrize("streams", [">&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_streams_that_were_closed_before_harm_nothing(dyvine: Program, streams: str) -> None:
    """A service without streams saves its files all the same, and nothing of ours is written into them."""
    command = f'exec "{sys.executable}" -m dyvine_cli --json post {World.SMALL} {streams}'
    code = subprocess.run(
        ["sh", "-c", command], cwd=dyvine.work, env=dyvine.environment, check=False
    ).returncode

    assert code == 0
    assert [path.stat().st_size for path in dyvine.files] == [300_000]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize(
    "arguments", [["user", "--json", OPEN], ["user", "posts", OPEN]], ids=["events", "list"]
)
def test_a_full_disk_behind_stdout_is_an_error(dyvine: Program, arguments: list[str]) -> None:
    """Data that cannot be written ends the run with its own status."""
    with Path("/dev/full").open("wb") as full, dyvine.start(*arguments, stdout=full) as process:
        _, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 10
    assert err.decode().count("cannot be written") == 1
    assert "hint: make space where it goes" in err.decode()


# -- characters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locale", ["C", "POSIX", "xx_XX.ISO-8859-1"])
def test_output_is_utf8_whatever_the_locale(dyvine: Program, locale: str) -> None:
    """Names come out as UTF-8 on both streams; the file's name on disk is the same."""
    env = {"LC_ALL": locale, "LANG": locale}
    done = dyvine("post", "--print", "{title}", World.SMALL, env=env)
    told = dyvine("user", "info", World.BANNED_ACCOUNT, World.NOBODY, env=env)

    assert done.code == 0
    assert re.search("[\u4e00-\u9fff]", done.out)
    assert re.search("[\u4e00-\u9fff]", told.out + told.err)


def controls(text: str) -> set[str]:
    """The characters in a text that a terminal or an editor obeys, besides line ends."""
    return {char for char in text if unicodedata.category(char) in ("Cc", "Cf") and char != "\n"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["user", "posts", "--limit", "40", HOSTILE],
        ["user", "info", HOSTILE],
        ["user", "-s", "--limit", "40", HOSTILE],
        ["user", "--limit", "20", "--print", "{nickname} {title}", HOSTILE],
        ["user", "-vv", "--limit", "20", HOSTILE],
    ],
    ids=["list", "info", "simulate", "print", "log"],
)
def test_terminal_escapes_in_titles_and_names_are_not_obeyed(dyvine: Program, arguments: list[str]) -> None:
    """Escape sequences, bidirectional marks and control characters of others reach neither stream."""
    done = dyvine(*arguments, env=LOGIN)

    assert done.code == 0
    assert controls(done.out) == set()
    assert controls(done.err) == set()


def test_line_breaks_in_titles_do_not_break_json_lines(dyvine: Program) -> None:
    """Each line of -j is one whole object, whatever the title holds."""
    done = dyvine("user", "-j", "--limit", "40", HOSTILE, env=LOGIN)

    assert len(done.objects) == 40


# -- a terminal --------------------------------------------------------------------------------------------------------


def on_terminal(
    dyvine: Program, *arguments: str, columns: int = 100, env: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run with stderr on a pseudo-terminal; the exit status and everything that was written there."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    env = {"TERM": "xterm-256color", **(env or {})}
    process = dyvine.start(*arguments, env=env, stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    written = b""
    while True:
        ready, _, _ = select.select([ours], [], [], PATIENCE)
        assert ready, "nothing was written for too long"
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    return process.wait(PATIENCE), written.decode()


def screen(written: str) -> str:
    """What stays on the screen: lines that were drawn over are gone, colours, too."""
    lines: list[str] = []
    row = 0
    for token in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r\n|\n|\r|[^\x1b\r\n]+", written):
        lines += [""] * (row + 1 - len(lines))
        if token in ("\n", "\r\n"):
            row += 1
        elif match := re.fullmatch(r"\x1b\[(\d*)A", token):
            row = max(0, row - int(match[1] or 1))
        elif token == "\x1b[2K":
            lines[row] = ""
        elif not token.startswith(("\x1b", "\r")):
            lines[row] += token
    return "\n".join(lines).strip("\n")


@posix
def test_progress_appears_and_is_cleared(dyvine: Program, platform: Simulator) -> None:
    """While files come there are lines with name, size and speed; at the end only the summary is left."""
    platform.line.rate = 400_000
    code, written = on_terminal(dyvine, "post", World.SMALL)

    assert code == 0
    assert "━" in written
    assert "/ 300 kB" in written
    assert "kB/s" in written
    assert written.rstrip().endswith(".mp4")
    assert re.fullmatch(r"saved 1 file \(300 kB\) in [\d.]+ s: \S+.*", screen(written).replace("\n", ""))
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") > 0


@posix
def test_failures_stay_on_the_screen(dyvine: Program) -> None:
    """Errors and their hints stand above what was drawn over; a hint is dim."""
    code, written = on_terminal(dyvine, "post", World.LOGIN_ONLY, World.SMALL)
    shown = screen(written)

    assert code == 3
    assert shown.count("error: ") == 1
    assert "hint: add a login" in shown
    assert "\x1b[2mhint:" in written
    assert "saved 1 file" in shown


@posix
def test_a_cut_list_is_told_once(dyvine: Program) -> None:
    """The cause stands in the error, the table only says that the list was cut short."""
    code, written = on_terminal(dyvine, "user", CUT)
    shown = screen(written)

    assert code == 7
    assert shown.count("guests only the newest") == 1
    assert re.search(r"20 +63 +20 +0 +cut short", shown)
    assert "63 posts declared" in shown


@posix
@pytest.mark.parametrize(
    "columns", [40, *(pytest.param(wide, marks=pytest.mark.slow) for wide in (100, 200))]
)
def test_no_line_of_progress_is_wider_than_the_terminal(
    dyvine: Program, platform: Simulator, columns: int
) -> None:
    """Long Chinese names are cut to what the terminal leaves, counted in columns."""
    platform.line.rate = 1_000_000
    _, written = on_terminal(dyvine, "post", World.LONG_TITLE, World.SMALL, columns=columns)
    drawn = [
        line for line in re.split(r"\r|\n", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)) if "/s" in line
    ]

    assert drawn
    assert max(map(words.width, drawn)) <= columns


@posix
def test_markup_in_names_is_text(dyvine: Program, platform: Simulator) -> None:
    """Square brackets and escapes in other people's names are neither colours nor links on a terminal."""
    platform.line.rate = 2_000_000
    code, written = on_terminal(dyvine, "user", "--limit", "40", HOSTILE, columns=200, env=LOGIN)
    left = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)

    assert code == 0
    assert controls(left) <= {"\r"}
    assert "\x1b]" not in written


@posix
def test_no_colour_is_respected(dyvine: Program) -> None:
    """With NO_COLOR nothing is coloured."""
    _, written = on_terminal(dyvine, "post", World.DELETED, env={"NO_COLOR": "1"})

    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", written)


@posix
@pytest.mark.parametrize("option", ["--no-progress", "-q", "-v"])
def test_progress_can_be_left_out(dyvine: Program, option: str) -> None:
    """No cursor is moved on a terminal under these options."""
    _, written = on_terminal(dyvine, option, "post", World.SMALL)

    assert "\x1b[" not in written


# -- words -------------------------------------------------------------------------------------------------------------

REF = Ref("douyin", "post", "1")
LISTING = Balance(
    ref=Ref("douyin", "user", "u"), title="山", listed=3, declared=5, hidden=1, saved=1, known=0, filtered=0,
    failed=1, complete=False, stopped="why", reasons={"Private": 1},
)  # fmt: skip
SUMMARY = Summarized(files=2, size=1_500_000, posts=1, known=0, failed=0, seconds=75.0, exit_code=0)

SENTENCES = [
    (words.clean("a\x1b[31mb\u202ec\nd\u200b"), "a [31mbc d"),
    (words.fit("山高水长.mp4", 8), "山高水…"),
    (words.fit("short", 8), "short"),
    (words.tail("山高水长.mp4", 8), "…长.mp4"),
    (words.size(0), "0 B"),
    (words.size(999_949), "1000 kB"),
    (words.size(1_500_000), "1.5 MB"),
    (words.size(2.5e12), "2.5 TB"),
    (words.duration(0.42), "0.4 s"),
    (words.duration(59), "59 s"),
    (words.duration(60), "1 min"),
    (words.duration(220), "3 min 40 s"),
    (words.duration(16_800), "4 h 40 min"),
    (words.count(1, "post"), "1 post"),
    (words.count(1204, "post"), "1,204 posts"),
    (words.reasons({"Private": 1, "Timeout": 2}), "2 Timeout, 1 Private"),
    (words.balance(LISTING), "山: listed 3 of 5 declared, saved 1, known 0, hidden 1, failed 1 (Private); why"),
    (words.balance(LISTING, cut=True).rpartition("; ")[2], "cut short"),
    (words.summary(SUMMARY, "a/b.mp4"), "saved 2 files (1.5 MB) in 1 min 15 s: a/b.mp4"),
    (words.failed(Failed(ref=REF, error=NotFound("gone")))[0], "error: douyin:post:1: gone"),
    (words.failed(Failed(ref=REF, error=NotFound("douyin:post:1: gone")))[0], "error: douyin:post:1: gone"),
    (words.failed(Failed(ref=REF, asset="video", error=NotFound("douyin:post:1: gone")))[0], "error: douyin:post:1 video: gone"),
    (words.failed(Failed(ref=REF, asset="video", error=NotFound("douyin:post:1: no video")))[0], "error: douyin:post:1: no video"),
    (words.failed(Failed(ref=REF, asset="video", error=NotFound("gone"), text=str(REF)))[0], "error: douyin:post:1 video: gone"),
    (words.failed(Failed(ref=None, error=NotFound("gone"), text="line 3"))[0], "error: line 3: gone"),
    (words.failed(Failed(ref=None, error=NotFound("www.douyin.com/x: a feed"), text="line 3: https://www.douyin.com/x?a=1"))[0], "error: line 3: www.douyin.com/x: a feed"),
    (words.failed(Failed(ref=None, error=NotFound("gone"), text="line 3: abc"))[0], "error: line 3: abc: gone"),
    (words.failed(Failed(ref=REF, error=NotFound("gone", endpoint="detail")), named=True, traced=True)[0], "error: douyin:post:1: gone [detail] (NotFound)"),
    (words.failed(Failed(ref=REF, error=NotFound("douyin:post:1: gone"), text="my cat"))[0], "error: my cat: douyin:post:1: gone"),
    (words.failed(Failed(ref=REF, error=NotFound("douyin:post:1: gone"), text="https://v.douyin.com/x/"))[0], "error: douyin:post:1: gone"),
    (words.fit("a\U0001f44b\U0001f3fd\u200db", 9), "a\U0001f44bb"),
    (words.complaint(ListingIncomplete("cut", cursor=None, hint="log in"))[1], "hint: log in"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "wanted"), SENTENCES, ids=[wanted for _, wanted in SENTENCES])
def test_sentences(said: str, wanted: str) -> None:
    """Numbers and sentences as people read them."""
    assert said == wanted


def test_waits_that_only_keep_to_the_pace_are_no_lines_of_a_log() -> None:
    """Off a terminal a line comes for half a minute and more, and for every cool-down; a hint comes once."""
    out = io.StringIO()
    say = Plain(Pipe(out, print))
    say(Waiting(seconds=1.8, reason="pace", routine=True))
    say(Waiting(seconds=31, reason="pace", routine=True))
    say(Waiting(seconds=5, reason="refused"))
    say(Failed(ref=REF, error=NotFound("gone")))
    say(Failed(ref=REF, error=NotFound("gone")))

    assert [line.partition(":")[0] for line in out.getvalue().splitlines()] == [
        "waiting 31 s", "waiting 5.0 s", "error", "hint", "error",
    ]  # fmt: skip


def test_a_short_wait_stands_behind_what_is_done() -> None:
    """The headline keeps its counts, and the time left is not below what the estimate leaves."""
    terminal = Terminal(io.StringIO())
    try:
        terminal(SourceBegun(ref=LISTING.ref, declared=1000, calls=50, estimate=600.0))
        terminal(Listed(ref=LISTING.ref, count=100, total=100))
        terminal(Finished(ref=REF, state="saved"))
        terminal(Waiting(seconds=2, reason="pace", routine=True))

        assert terminal._headline().startswith("1 of 1,000 posts")
        assert terminal._left() >= 540
        terminal(Waiting(seconds=60, reason="refused"))
        assert terminal._headline() == "waiting 1 min: refused"
    finally:
        terminal.close()


def test_posts_of_other_lists_do_not_count_in_the_headline() -> None:
    """With several sources at once the counts are those of the list that began last."""
    other = Ref("douyin", "user", "other")
    terminal = Terminal(io.StringIO())
    try:
        terminal(SourceBegun(ref=other, declared=1000))
        terminal(SourceBegun(ref=LISTING.ref, declared=2))
        terminal(Listed(ref=other, count=100, total=100))
        terminal(Finished(ref=REF, state="saved", source=other))
        terminal(Finished(ref=REF, state="saved", source=LISTING.ref))

        assert terminal._headline().startswith("1 of 2 posts")
    finally:
        terminal.close()
