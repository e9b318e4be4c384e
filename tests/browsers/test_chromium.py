"""Chromium's cookies: its schema, its profiles, and a profile that a real Chromium wrote."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import ssl
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from dyvine_cli import browsers
from dyvine_cli.browsers.machine import Machine, chromium_roots
from dyvine_cli.errors import InputError, MissingExtra

SECRET = "planted-secret-5b1c"


class Chromium:
    """A profile in Chromium's schema whose values are not encrypted, as Chromium can read them too."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.database = folder / "Cookies"
        self.connection = sqlite3.connect(self.database)
        self.connection.executescript(
            "CREATE TABLE meta (key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);"
            "INSERT INTO meta VALUES ('version', '24');"
            "CREATE TABLE cookies (creation_utc INTEGER NOT NULL, host_key TEXT NOT NULL, top_frame_site_key TEXT NOT"
            " NULL, name TEXT NOT NULL, value TEXT NOT NULL, encrypted_value BLOB NOT NULL, path TEXT NOT NULL,"
            " expires_utc INTEGER NOT NULL, is_secure INTEGER NOT NULL);"
        )

    def add(
        self,
        name: str,
        value: str = SECRET,
        *,
        host: str = ".douyin.com",
        encrypted: bytes = b"",
        page: str = "",
        expires: int = 0,
    ) -> Chromium:
        """Set a cookie."""
        self.connection.execute(
            "INSERT INTO cookies VALUES (0, ?, ?, ?, ?, ?, '/', ?, 1)",
            (host, page, name, "" if encrypted else value, encrypted, expires),
        )
        self.connection.commit()
        return self


@pytest.fixture
def chromium(machine: Machine) -> Iterator[Chromium]:
    """The only profile of a Chromium."""
    made = Chromium(machine.home / ".config/chromium/Default")
    yield made
    made.connection.close()


class _Page(BaseHTTPRequestHandler):
    """Every host's page; what it sets depends on the host."""

    COOKIES = (
        f"sessionid={SECRET}; Domain=.douyin.com; Path=/; Max-Age=864000; Secure; HttpOnly",
        "ttwid=1%7Cabc; Path=/; Max-Age=864000",
        "s_v_web_id=verify_x; Path=/; Max-Age=864000; Secure; SameSite=None; Partitioned",
    )

    def do_GET(self) -> None:
        self.send_response(200)
        host = self.headers["Host"].split(":")[0]
        for cookie in self.COOKIES if host.endswith(".douyin.com") else (f"other={SECRET}; Max-Age=864000",):
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>a page</title>")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def pages() -> Iterator[int]:
    """The port of a TLS server that is every host."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("www.douyin.com", "www.example.com").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def chromium_profile(tmp_path: Path, pages: int) -> Path:
    """The user data folder of a real Chromium that visited www.douyin.com and a stranger, both on loopback."""
    program = shutil.which("chromium")
    assert program, "chromium has to be installed (apt-get install chromium)"
    folder = tmp_path / "user data"
    for host in ("www.douyin.com", "www.example.com"):
        subprocess.run(
            [
                program,
                *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
                *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
                *("--disable-dev-shm-usage", "--password-store=basic", "--ignore-certificate-errors"),
                f"--user-data-dir={folder}",
                f"--host-resolver-rules=MAP * 127.0.0.1:{pages}",
                "--dump-dom",
                f"https://{host}/",
            ],
            env={**os.environ, "HOME": str(tmp_path)},
            capture_output=True,
            check=True,
            timeout=120,
        )
    return folder


def refused(spec: str, machine: Machine) -> InputError:
    """The error that a spec ends with; no cookie's value is anywhere in what a person or a log could see of it."""
    with pytest.raises(InputError) as caught:
        browsers.read(spec, site="douyin", machine=machine)
    assert SECRET not in "".join(traceback.format_exception(caught.value)) + str(caught.value.hint)
    return caught.value


@pytest.mark.slow
@pytest.mark.usefixtures("ytdlp")
def test_a_real_chromium_profile_is_read(
    chromium_profile: Path, machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    """Encrypted values, ends, host-only and partitioned cookies as Chromium itself wrote them."""
    found = browsers.read(f"chromium:{chromium_profile}", site="douyin", machine=machine)

    kept = {each.name: (each.value, each.domain, each.host_only, each.secure) for each in found}
    assert kept == {
        "sessionid": (SECRET, "douyin.com", False, True),
        "ttwid": ("1%7Cabc", "www.douyin.com", True, False),
        "s_v_web_id": ("verify_x", "www.douyin.com", True, True),
    }
    ten_days = datetime.now(UTC) + timedelta(days=10)
    assert all(each.expires and abs(each.expires - ten_days) < timedelta(minutes=5) for each in found)
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("ytdlp")
def test_only_the_sites_own_cookies_are_taken(chromium: Chromium, machine: Machine) -> None:
    """A stranger's, and what the site set in a stranger's frame, stay where they are; the database is untouched."""
    chromium.add("a", "1").add("a", "2", host=".example.com").add("b", "3", page="https://example.com")
    chromium.add("c", "4", page="https://douyin.com").add("c", "5").add("d", "6", page="https://douyin.com")
    before = chromium.database.read_bytes()

    found = browsers.read("chromium", site="douyin", machine=machine)

    assert {each.name: each.value for each in found} == {"a": "1", "c": "5", "d": "6"}
    assert chromium.database.read_bytes() == before


@pytest.mark.usefixtures("ytdlp")
@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_running_chromium_is_read(chromium: Chromium, machine: Machine, mode: str) -> None:
    """Its exclusive lock does not matter, and what stands only in a write-ahead log is read too."""
    chromium.connection.execute(f"PRAGMA journal_mode = {mode}")
    chromium.connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    chromium.add("sessionid", expires=13_500_000_000_000_000)

    (cookie,) = browsers.read("chromium", site="douyin", machine=machine)

    assert cookie.value == SECRET
    assert cookie.expires == datetime.fromtimestamp(13_500_000_000 - 11_644_473_600, UTC)


@pytest.mark.usefixtures("ytdlp")
def test_keys_tied_to_the_program_on_windows_send_to_an_export(chromium: Chromium, machine: Machine) -> None:
    """Values that start with v20 are for Chrome alone."""
    chromium.add("sessionid", encrypted=b"v20" + SECRET.encode())
    error = refused("chromium", machine)

    assert "ties its cookies to itself" in error.message
    assert "export the cookies" in str(error.hint)


@pytest.mark.usefixtures("ytdlp")
@pytest.mark.parametrize("encrypted", [b"v11" + b"x" * 48, b"v99" + b"x" * 48, b"v10" + b"x" * 5], ids=str)
def test_values_that_nobody_here_can_decrypt_are_told(
    chromium: Chromium, machine: Machine, encrypted: bytes
) -> None:
    """No key in the keyring, a scheme to come, damage."""
    chromium.add("sessionid", encrypted=encrypted)
    error = refused("chromium", machine)

    assert "could not be decrypted" in error.message
    assert "keyring" in str(error.hint)


@pytest.mark.usefixtures("ytdlp")
def test_some_undecrypted_values_are_a_warning(
    chromium: Chromium, machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    """The rest may be enough; `report` says what is missing."""
    chromium.add("ttwid").add("sessionid", encrypted=b"v11" + b"x" * 48)

    assert len(browsers.read("chromium", site="douyin", machine=machine)) == 1
    assert "1 of 2 cookies of douyin could not be decrypted" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.usefixtures("ytdlp")
def test_profiles_are_known_by_folder_and_shown_name(machine: Machine) -> None:
    """Without a name it is the one that was open last, by the browser's own account."""
    root = machine.home / ".config/chromium"
    for folder in ("Default", "Profile 1", "Profile 2"):
        Chromium(root / folder).add("sessionid", folder).connection.close()
    shown = {"Default": {"name": "Person 1"}, "Profile 1": {"name": "Work"}}
    (root / "Local State").write_text(
        json.dumps({"profile": {"last_used": "Profile 1", "info_cache": shown}})
    )

    specs = ("chromium", "chromium:Person 1", "chromium:Profile 2", f"chromium:{root}/Default/Cookies")
    read = [browsers.read(spec, site="douyin", machine=machine)[0].value for spec in specs]

    assert read == ["Profile 1", "Default", "Profile 2", "Default"]
    assert (
        refused("chromium:Profile 9", machine).hint == "profiles with cookies: Default, Profile 1, Profile 2"
    )


@pytest.mark.usefixtures("ytdlp")
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize("browser", ["chromium", "chrome", "edge", "brave"])
def test_every_place_of_the_family_is_looked_at(tmp_path: Path, platform: str, browser: str) -> None:
    """Each browser has its places on each system."""
    machine = Machine(platform=platform, home=tmp_path)
    for place in chromium_roots(browser, machine):
        profile = Chromium(place / "Default").add("sessionid", place.name)
        profile.connection.close()
        (cookie,) = browsers.read(browser, site="douyin", machine=machine)
        profile.database.unlink()

        assert cookie.value == place.name


def test_no_browser_no_profile_no_cookies_and_no_extra_are_told_apart(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody installs an extra for a browser that is not there."""
    monkeypatch.setitem(sys.modules, "yt_dlp.cookies", None)
    assert refused("chromium", machine).message.startswith("Chromium has no profiles here; looked in ")
    root = machine.home / ".config/chromium"
    root.mkdir(parents=True)
    assert refused("chromium", machine).message == "Chromium has no cookies yet"
    assert "there is no such folder" in refused("chromium:~/nowhere", machine).message
    Chromium(root / "Default").add("sessionid").connection.close()

    error = refused("chromium", machine)

    assert isinstance(error, MissingExtra)
    assert error.hint == "pip install 'dyvine-cli[browser]'"


@pytest.mark.usefixtures("ytdlp")
def test_no_cookies_of_the_site_are_told(chromium: Chromium, machine: Machine) -> None:
    """Logged in elsewhere only."""
    chromium.add("sessionid", host=".tiktok.com")

    assert (
        refused("chromium", machine).message
        == "Chromium profile Default has no cookies of douyin, only of tiktok"
    )


@pytest.mark.parametrize(
    ("spec", "message"),
    [("safari", "Safari is there on macOS only"), ("chrome::Work", "Chrome has no containers")],
)
def test_what_a_browser_cannot_have_is_told(machine: Machine, spec: str, message: str) -> None:
    """Safari off macOS, containers off Firefox."""
    assert refused(spec, machine).message == message
