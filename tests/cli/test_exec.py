"""`--exec` and `[notify]` on the command line: the program, the stand-in platform, real commands, a real receiver."""

from __future__ import annotations

import json
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from dyvine_cli.simulator.world import World
from tests.cli.conftest import PATIENCE, Program

SMALL = f"https://www.douyin.com/video/{World.SMALL}"
GUEST = f"https://www.douyin.com/user/{World.ACCOUNTS[63]}"


@pytest.fixture
def hook(tmp_path: Path) -> str:
    """A command that prints what it got on one line of its stdout."""
    path = tmp_path / "hook.py"
    path.write_text("import os, sys\nprint('HOOK', os.environ['DYVINE_EVENT'], *sys.argv[1:], flush=True)\n")
    return f"'{sys.executable}' '{path}'"


@pytest.fixture
def received() -> Iterator[tuple[str, list[Any]]]:
    """The address of someone who takes everything but at `/refused`, and what they got."""
    got: list[Any] = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(403 if "refused" in self.path else 204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Take)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/planted-path", got
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_command_prints_to_stderr_because_stdout_is_data(dyvine: Program, hook: str) -> None:
    """As a process: one line of JSON a file on stdout, the command's words beside our own."""
    done = dyvine("post", SMALL, "--exec", f"{hook} own", "--print", "path")
    hooks = [line for line in done.err.splitlines() if line.startswith("HOOK")]

    assert (done.code, done.lines) == (0, [str(dyvine.files[0])])
    assert hooks == [f"HOOK saved own {dyvine.files[0]}", "HOOK finished own"]


def test_a_quiet_run_with_a_silent_command_prints_nothing(dyvine: Program, tmp_path: Path) -> None:
    """Under cron."""
    done = dyvine.inside("-q", "post", SMALL, "--exec", f"touch {tmp_path / 'ran'}")

    assert (done.code, done.out, done.err) == (0, "", "")
    assert (tmp_path / "ran").exists()


ROWS = {
    "fails": (("--exec", "saved:false"), 0, "warning: --exec: false ended with status 1 for douyin:post:"),
    "no program": (("--exec", "no-such-program {path}"), 2, "error: --exec: there is no program 'no-such-program'"),
    "quote": (("--exec", "echo 'a"), 2, "error: --exec: has a quote that is not closed"),
    "code": (("--exec", "sh -c 'echo {title}'"), 2, "error: --exec: a placeholder stands in a text that is run"),
    "none": (("--exec", "none"), 0, ""),
    "simulated": (("-s", "--exec", "saved:false"), 0, ""),
    "shown": (("-j", "--exec", "false"), 0, ""),
}  # fmt: skip


@pytest.mark.parametrize(("options", "code", "said"), ROWS.values(), ids=list(ROWS))
def test_what_is_said_of_a_command(dyvine: Program, options: tuple[str, ...], code: int, said: str) -> None:
    """A wrong one ends the run before it begins; one that fails changes no exit status; questions start none."""
    done = dyvine.inside(
        "post", SMALL, *options, env={"DYVINE_EXEC": "" if "none" not in options else "false"}
    )

    assert done.code == code
    assert said in done.err
    assert said or ("warning" not in done.err and "error" not in done.err)
    assert bool(dyvine.files) == (code == 0 and options[0] == "--exec")


@pytest.mark.parametrize("call", [("config", "check"), ("post", SMALL)], ids=["checked", "run"])
def test_a_wrong_command_of_the_configuration_is_told_with_its_line(
    dyvine: Program, call: Sequence[str]
) -> None:
    """Also by `config check`, so that cron does not meet it first."""
    dyvine.home.mkdir()
    file = dyvine.home / "config.toml"
    file.write_text('path = "/srv"\n[notify]\nexec = "sh -c {title}"\n')
    done = dyvine.inside(*call)
    of_variable = dyvine.inside("config", "check", env={"DYVINE_EXEC": "no-such-program"})

    assert done.code == 2
    assert done.complaints()[0].startswith(f"{file}:3: [notify] exec: a placeholder stands in a text")
    assert of_variable.complaints() == ["DYVINE_EXEC: there is no program 'no-such-program'"]


def test_who_is_told_and_what_is_not_shown(dyvine: Program, received: tuple[str, list[Any]]) -> None:
    """A cut listing is told once to the webhook; its address is nowhere, however loud the run is."""
    url, got = received
    env = {
        "DYVINE_NOTIFY_WEBHOOK": url,
        "DYVINE_NOTIFY_SECRET": "planted-key",
        "DYVINE_NOTIFY_ON": "failure,new",
    }
    first = dyvine.inside("-vv", "--print-traffic", "user", GUEST, env=env)
    second = dyvine.inside("-vv", "--print-traffic", "user", GUEST, env=env)
    shown = dyvine.inside("config", "show", env=env)
    kept = "".join(each.read_text(errors="replace") for each in dyvine.home.rglob("*.json"))

    assert (first.code, second.code) == (7, 7)
    assert [each["on"] for each in got] == [["failure", "new"]]
    assert "listed 20 of 63" in got[0]["text"]
    assert "planted" not in first.err + second.err + shown.out + kept
    assert url not in first.err


def test_a_webhook_that_refuses_is_a_warning(dyvine: Program, received: tuple[str, list[Any]]) -> None:
    """The run's own status and words stay; nothing of the address is said."""
    address = (
        received[0]
        .replace("127.0.0.1", "user:planted@127.0.0.1")
        .replace("planted-path", "refused?key=planted")
    )
    done = dyvine.inside("user", GUEST, env={"DYVINE_NOTIFY_WEBHOOK": address})

    assert done.code == 7
    assert done.complaints("warning") == ["the webhook was not told: it answered with status 403"]
    assert "planted" not in done.err


def test_a_signal_ends_commands_within_two_seconds(dyvine: Program, tmp_path: Path) -> None:
    """One that comes while a command sleeps: the status is the signal's."""
    slow = tmp_path / "slow.py"
    slow.write_text(f"import time\nopen({str(tmp_path / 'begun')!r}, 'w')\ntime.sleep(60)\n")
    with dyvine.start("post", SMALL, "--exec", f"saved:'{sys.executable}' '{slow}'") as process:
        end = time.monotonic() + PATIENCE
        while not (tmp_path / "begun").exists():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.01)
        stop(process, signal.SIGTERM)


def test_a_signal_ends_messages_within_two_seconds(dyvine: Program) -> None:
    """One that comes while the receiver of a message is silent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        env = {"DYVINE_NOTIFY_WEBHOOK": address, "DYVINE_NOTIFY_ON": "new"}
        with dyvine.start("post", SMALL, env=env) as process, silent.accept()[0]:
            stop(process, signal.SIGINT)


def stop(process: Any, number: int) -> None:
    """Send a signal; the process ends in time and with its status."""
    began = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=PATIENCE)

    assert process.returncode == 128 + number
    assert time.monotonic() - began < 2


def test_a_missing_extra_is_told_before_the_run(dyvine: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its pip line, and nothing was asked for."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = dyvine.inside("post", SMALL, env={"DYVINE_NOTIFY_URLS": "ntfy://planted"})

    assert done.code == 2
    assert "hint: pip install 'dyvine-cli[notify]'" in done.err
    assert "planted" not in done.err
    assert dyvine.files == []
