"""`--exec`: what a command gets of a post, and what the words of strangers cannot do with it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.errors import InputError
from dyvine_cli.events import Event, Finished, Report, Saved, Summarized, Warned
from dyvine_cli.models import Asset, Author, Post, Ref
from dyvine_cli.operations.notify import hooks
from dyvine_cli.operations.notify.hooks import Command, Hooks
from dyvine_cli.operations.notify.outside import Outside

pytestmark = pytest.mark.anyio

DUMP = """
import json, os, sys
found = {"argv": sys.argv[1:], "stdin": sys.stdin.read(), "env": {k: v for k, v in os.environ.items() if "DYVINE" in k}}
found["all"] = sorted(os.environ)
open(os.path.join(os.path.dirname(__file__), f"{os.getpid()}.json"), "w").write(json.dumps(found))
print("printed")
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A program that writes down what it got."""
    path = tmp_path / "dump.py"
    path.write_text(DUMP)
    return path


def post(number: int = 1, title: str = "a title", nickname: str = "Anna", files: int = 1) -> Post:
    """An invented post."""
    ref = Ref("douyin", "post", str(7_000_000_000_000_000_000 + number))
    kind = "video" if files == 1 else "images"
    assets = tuple(
        Asset(
            id="video" if files == 1 else f"picture_{each}",
            kind="video" if files == 1 else "picture",
            index=each,
        )
        for each in range(1, files + 1)
    )
    author = Author(id="x", uid="1", handle="h", nickname=nickname)
    return Post(ref=ref, kind=kind, url="https://www.douyin.com/video/1", title=title, author=author, assets=assets,
                created=datetime(2026, 9, 1, tzinfo=UTC))  # fmt: skip


def files_of(each: Post, name: str = "file") -> list[Saved]:
    """Its files, the last one first, as they may arrive."""
    found = [
        Saved(
            ref=each.ref,
            asset=asset.id,
            path=Path(f"/v/{name}_{asset.index}.mp4"),
            size=5,
            sha256="0" * 64,
            post=each,
        )
        for asset in each.assets
    ]
    return found[::-1]


def heard(*posts: Post) -> list[Event]:
    """What a run reports of posts that it saves."""
    return [event for each in posts for event in (*files_of(each), Finished(ref=each.ref, state="saved"))]


async def run(
    command: str | Command,
    *events: Event,
    env: dict[str, str] | None = None,
    limit: float = 20,
    code: int = 0,
) -> tuple[int, list[str]]:
    """One run with a command; its exit status and what it warned of."""
    warned: list[str] = []
    parsed = Command.parse(command) if isinstance(command, str) else command

    async def work(report: Report) -> int:
        for event in events:
            report(event)
        await asyncio.sleep(0)
        return code

    def report(event: Event) -> None:
        if isinstance(event, Warned):
            warned.append(event.message)

    outside = Outside(
        hooks=Hooks(
            parsed,
            timeout=limit,
            environment={**os.environ, **(env or {})},
            output=os.open(os.devnull, os.O_WRONLY),
        )
    )
    return await outside.around(work, report, warnings=[]), warned


def got(script: Path) -> list[Any]:
    """What the script wrote down, a run after the other."""
    found = [json.loads(each.read_text()) for each in script.parent.glob("*.json")]
    return sorted(
        found, key=lambda each: (each["env"]["DYVINE_EVENT"] == "finished", each["env"].get("DYVINE_ID", ""))
    )


def python(script: Path, arguments: str = "") -> str:
    """The command that starts the script."""
    return f"'{sys.executable}' '{script}' {arguments}"


# --- what it gets -------------------------------------------------------------------------------------------------


async def test_a_command_runs_for_each_saved_post_and_at_the_end(script: Path) -> None:
    """Paths appended in the order of the post, the facts in its environment, the objects on its stdin."""
    known, lost = post(8), post(9)
    others = [Finished(ref=known.ref, state="known"), *files_of(lost), Finished(ref=lost.ref, state="failed")]
    summary = Summarized(files=3, size=15, posts=2, known=1, failed=1, seconds=1, exit_code=3)
    code, warned = await run(
        python(script, "own"), *heard(post(1), post(2, files=2)), *others, summary, code=3
    )
    first, second, end = got(script)
    lines = [json.loads(line) for line in second["stdin"].splitlines()]

    assert (code, warned) == (3, [])
    assert first["argv"] == ["own", "/v/file_1.mp4"]
    assert second["argv"] == ["own", "/v/file_1.mp4", "/v/file_2.mp4"]
    assert second["env"].items() >= {
        "DYVINE_EVENT": "saved", "DYVINE_SITE": "douyin", "DYVINE_ID": "7000000000000000002", "DYVINE_TITLE": "a title",
        "DYVINE_AUTHOR": "Anna", "DYVINE_PATHS": "/v/file_1.mp4\n/v/file_2.mp4",
    }.items()  # fmt: skip
    assert [each.get("type", each.get("event")) for each in lines] == ["post", "saved", "saved"]
    assert end["argv"] == ["own"]
    assert end["env"].items() >= {
        "DYVINE_EVENT": "finished", "DYVINE_NEW": "2", "DYVINE_FAILED": "1", "DYVINE_EXIT": "3"
    }.items()  # fmt: skip
    assert json.loads(end["stdin"])["event"] == "summary"


ARGUMENTS = {
    "nothing": ("-v", ["-v", "/v/file_1.mp4", "/v/file_2.mp4"]),
    "path": ("{path} -to /x", ["/v/file_1.mp4", "/v/file_2.mp4", "-to", "/x"]),
    "braces": ("{}", ["/v/file_1.mp4", "/v/file_2.mp4"]),
    "within": ("--file={path}", ["--file=/v/file_1.mp4", "--file=/v/file_2.mp4"]),
    "fields": ("{id} '{nickname}: {title:.7}'", ["7000000000000000001", "Anna: a title"]),
    "own braces": ("'{{\"a\": 1}}' {}", ['{"a": 1}', "/v/file_1.mp4", "/v/file_2.mp4"]),
    "doubled only": ("{{}}", ["{}", "/v/file_1.mp4", "/v/file_2.mp4"]),
    "part": ("{path}{part}", ["/v/file_1.mp4_01", "/v/file_2.mp4_02"]),
}  # fmt: skip


@pytest.mark.parametrize(("words", "arguments"), ARGUMENTS.values(), ids=list(ARGUMENTS))
def test_the_arguments_of_a_command(words: str, arguments: list[str]) -> None:
    """`{path}` repeats its argument for every file; without any placeholder the paths are appended."""
    each = post(files=2)

    assert Command.parse(f"true {words}").saved(each, files_of(each)[::-1]) == arguments


MOMENTS = {
    "both": ("true", {"saved", "finished"}),
    "placeholder": ("true {path}", {"saved"}),
    "saved": ("saved: true", {"saved"}),
    "finished": ("finished:true", {"finished"}),
}


@pytest.mark.parametrize(("text", "moments"), MOMENTS.values(), ids=list(MOMENTS))
def test_when_a_command_runs(text: str, moments: set[str]) -> None:
    """With placeholders only where there is something to put in; a prefix chooses."""
    assert Command.parse(text).moments == moments


REFUSED = {
    "open quote": ("echo 'a", "quote is not closed", None),
    "nothing": ("''", "no command is named", None),
    "no program": ("no-such-program {path}", "there is no program 'no-such-program'", "PATH"),
    "unknown field": ("echo {nme}", "unknown field {nme}", "write {{ and }}"),
    "attribute": ("echo {title.__class__}", "unknown field", None),
    "placeholder at the end": ("finished:echo {path}", "no post to put in", "DYVINE_NEW"),
    "program from a post": ("{title} a", "the program itself cannot come from a post", None),
    "sh -c": ("sh -c 'echo {title}'", "run as a program", "echo \"$1\""),
    "bash -lc": ("bash -lc 'mv {path} /x'", "run as a program", None),
    "glued": ("python3 -c'print({title})'", "run as a program", None),
    "python": ("/usr/bin/python3.11 -c 'print(\"{title}\")'", "run as a program", None),
    "wrapped": ("env A=1 sh -c 'echo {id}'", "run as a program", None),
    "wrapped program": ("timeout -k 1 5m {title}", "the program itself cannot come from a post", None),
    "wrapped variable": ("env {title} ls", "the program itself cannot come from a post", None),
    "in a box": ("docker exec box sh -c 'echo {title}'", "run as a program", "echo \"$1\""),
    "found": ("find . -exec bash -c 'echo {title}' ;", "run as a program", None),
    "split": ("env -S 'echo {title}'", "run as a program", None),
    "query": ("psql --command='select {id}'", "run as a program", None),
    "sqlite": ("sqlite3 a.db 'select {title}'", "reads its arguments as a command line", None),
    "sed": ("sed s/a/{title}/ x", "run as a program", None),
    "long sed": ("sed --expression={title} x", "run as a program", None),
    "perl": ("perl -ne 'print q({title})' x", "run as a program", None),
    "node": ("node --eval 'console.log({title})'", "run as a program", None),
    "ssh": ("ssh host cat {path}", "reads its arguments as a command line", "script of your own"),
    "sudo ssh": ("sudo ssh host", "reads its arguments as a command line", None),
    "cmd": ("cmd.exe /c echo {title}", "reads its arguments as a command line", None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message", "hint"), REFUSED.values(), ids=list(REFUSED))
def test_a_command_in_which_a_title_would_be_code_is_refused(
    text: str, message: str, hint: str | None
) -> None:
    """Before the run begins, with the cure."""
    with pytest.raises(InputError) as raised:
        Command.parse(text, find=lambda name: None if name == "no-such-program" else f"/usr/bin/{name}")

    assert message in raised.value.message
    assert hint is None or hint in (raised.value.hint or "")


SAFE = ["sh -c 'echo \"$1\"' - {title}", "sh -c 'echo $DYVINE_TITLE'", "python3 my.py --title={title} {path}",
        "sed -n p {path}", "tar -c {path}", "curl -d {title} https://example.org", "env A=1 my-tool {path}",
        "docker exec box sh -c 'echo \"$1\"' - {title}", "grep -e {title} sh", "bash", "logger -t watch {title}"]  # fmt: skip


@pytest.mark.parametrize("text", SAFE)
def test_a_command_in_which_a_title_is_an_argument_is_taken(text: str) -> None:
    """What hands data over as data is not refused."""
    assert Command.parse(text, find=lambda name: f"/usr/bin/{name}").moments


@pytest.mark.parametrize("name", ["hook.bat", "C:/tools/hook.CMD", "hook.cmd ."])
def test_a_batch_file_on_windows_is_refused(name: str) -> None:
    """Its interpreter reads the arguments again: %VAR%, quotes and & in a title would count."""
    with pytest.raises(InputError, match="reads the arguments"):
        Command.parse(f"'{name}' {{path}}", find=lambda found: found, platform="win32")

    assert Command.parse(f"'{name}'", find=lambda found: found, platform="linux")


def test_an_error_repeats_no_token_of_a_command() -> None:
    """Commands have headers and keys in them."""
    with pytest.raises(InputError) as raised:
        Command.parse("curl -H 'X-Token: a1b2c3d4e5f6a7b8c9d0e1f2{x}'")

    assert "a1b2c3d4" not in f"{raised.value.message} {raised.value.hint}"


# --- what strangers write -----------------------------------------------------------------------------------------

TITLES = {
    "semicolon": "; touch {ran} #",
    "substitution": "$(touch {ran})",
    "back-ticks": "`touch {ran}`",
    "quotes": "'; touch {ran}; '\" && touch {ran} \"",
    "windows": '%COMSPEC% ^& "& touch {ran}',
    "option": "-rf",
    "lines": "one\ntouch {ran}\r\n",
    "nul": "a\0b",
    "template": "{title} {{path}} {0.__class__} %(x)s",
    "long": "长" * 100_000,
    "empty": "",
}


@pytest.mark.parametrize("title", TITLES.values(), ids=list(TITLES))
async def test_a_title_is_one_argument_and_nothing_else(title: str, script: Path) -> None:
    """Shells, quotes, options, line breaks, NUL, templates and 100,000 letters in a title do nothing."""
    ran = script.parent / "ran"
    title = title.replace("{ran}", str(ran))
    each = post(title=title, nickname=title)
    _, warned = await run(python(script, "{title} --title={title} {path}"), *heard(each))
    (found,) = got(script)
    first, second, path = found["argv"]

    assert warned == []
    assert not ran.exists()
    assert second == f"--title={first.removeprefix('_') if title.startswith('-') else first}"[: len(second)]
    assert path == "/v/file_1.mp4"
    assert not first.startswith("-")
    assert first == "_-rf" if title == "-rf" else len(first.encode()) <= hooks.LONGEST_ARGUMENT
    assert "\n" not in found["env"]["DYVINE_TITLE"]
    assert json.loads(found["stdin"].splitlines()[0])["title"] == title


async def test_more_files_than_the_system_takes_are_a_warning(script: Path) -> None:
    """The cause is told and the run goes on; where only the variable is too long, it is left out."""
    many = post(files=30)
    long = [
        Saved(
            ref=many.ref,
            asset=asset.id,
            path=Path(f"/v/{'x' * 4000}{asset.index}"),
            size=1,
            sha256="0" * 64,
            post=many,
        )
        for asset in many.assets
    ]
    huge = [*long * 30, Finished(ref=many.ref, state="saved")]
    _, told = await run(python(script, "saved"), *long * 1, *long, Finished(ref=many.ref, state="saved"))
    _, refused = await run(f"saved:{python(script)}", *huge)
    found = got(script)

    assert told == []
    assert "DYVINE_PATHS" not in found[0]["env"]
    assert len(found[0]["argv"]) == 61
    assert len(refused) == 1
    assert "could not be started: the post has more, or longer, files" in refused[0]


async def test_a_command_gets_no_secret_of_ours(script: Path) -> None:
    """Neither cookies nor keys nor addresses of services; what is the person's own stays."""
    names = ("DOUYIN_COOKIE", "DYVINE_TIKTOK_COOKIE", "DYVINE_SERVE_KEY", "DYVINE_NOTIFY_URLS", "DYVINE_PROXY",
                     "DYVINE_EXEC", "R2_SECRET_ACCESS_KEY", "R2_ACCESS_KEY_ID", "MY_OWN")  # fmt: skip
    env = dict.fromkeys(names, "planted")
    await run(f"finished:{python(script)}", env=env | {"DYVINE_HOME": "/h"})
    (found,) = got(script)

    assert "MY_OWN" in found["all"]
    assert found["env"]["DYVINE_HOME"] == "/h"
    assert not env.keys() - {"MY_OWN"} & set(found["all"])


# --- how it ends --------------------------------------------------------------------------------------------------

FAILURES = {
    "status": ("import sys; sys.exit(7)", "ended with status 7 for douyin:post:7000000000000000001"),
    "signal": ("import os; os.kill(os.getpid(), 9)", "was ended by signal 9"),
    "does not read": ("import os; os.close(0)", None),
}


@pytest.mark.parametrize(("code", "complaint"), FAILURES.values(), ids=list(FAILURES))
async def test_a_command_that_fails_is_a_warning(code: str, complaint: str | None, tmp_path: Path) -> None:
    """With its name and status, never its arguments; the run ends as it would have."""
    script = tmp_path / "planted-argument.py"
    script.write_text(code)
    ended, warned = await run(f"saved:{python(script)}", *heard(post()), code=3)

    assert ended == 3
    assert len(warned) == (complaint is not None)
    assert complaint is None or complaint in warned[0]
    assert "planted" not in "".join(warned)


async def test_many_commands_that_fail_are_told_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones one by one, then all together at the end."""
    monkeypatch.setattr(hooks, "MOST_TOLD", 2)
    _, warned = await run("saved:false", *heard(*(post(each) for each in range(6))))

    assert len(warned) == 3
    assert warned[-1] == "--exec: 6 of 6 commands failed"


async def test_a_command_that_hangs_is_ended_with_everything_it_started(tmp_path: Path) -> None:
    """After its time, even one that does not mind SIGTERM; its children, too."""
    script = tmp_path / "hang"  # a shell is there long before the limit, however busy the machine is
    script.write_text(f"#!/bin/sh\ntrap '' TERM\ncd '{tmp_path}'\nsleep 60 &\n: > $!\n: > $$\nwait\n")
    script.chmod(0o755)
    began = time.monotonic()
    _, warned = await run(f"saved:'{script}'", *heard(post()), limit=0.5)
    pids = _pids(tmp_path)

    assert time.monotonic() - began < 4
    assert "took longer than 0.5 s and was ended" in warned[0]
    assert len(pids) == 2
    assert await _gone(pids)


async def test_at_most_two_run_at_a_time_and_stopping_ends_them(tmp_path: Path) -> None:
    """A run that is cancelled ends its commands within two seconds and starts no more."""
    script = tmp_path / "wait.py"
    script.write_text(
        f"import os, time\nopen({str(tmp_path)!r} + '/' + str(os.getpid()), 'w')\ntime.sleep(60)\n"
    )
    task = asyncio.ensure_future(run(python(script), *heard(*(post(each) for each in range(5)))))
    for _ in range(500):
        if len(_pids(tmp_path)) == 2:
            break
        await asyncio.sleep(0.02)
    pids = _pids(tmp_path)
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert time.monotonic() - began < 2
    assert len(pids) == 2
    assert _pids(tmp_path) == pids
    assert await _gone(pids)


def _pids(folder: Path) -> list[int]:
    return sorted(int(each.name) for each in folder.iterdir() if each.name.isdigit())


async def _gone(pids: Sequence[int]) -> bool:
    """Whether processes end within a second."""
    for _ in range(50):
        if not any(map(_lives, pids)):
            return True
        await asyncio.sleep(0.02)
    return False


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIG_DFL)
    except ProcessLookupError:
        return False
    return (
        not Path(f"/proc/{pid}/stat").exists()
        or Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    )
