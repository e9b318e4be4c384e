"""Firefox's cookies, read from databases in its schemas while it runs and after."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dyvine_cli import browsers
from dyvine_cli.browsers.machine import Machine, firefox_roots
from dyvine_cli.cookies import Cookie
from dyvine_cli.errors import InputError

SECRET = "planted-secret-5b1c"


class Firefox:
    """A Firefox profile; schema 17 counts milliseconds, 14 seconds."""

    def __init__(self, folder: Path, *, schema: int = 17) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.database = folder / "cookies.sqlite"
        # Firefox opens its databases like this; nobody else may open them meanwhile.
        self.connection = sqlite3.connect(self.database)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self.connection.execute("PRAGMA wal_autocheckpoint = 0")
        self.connection.execute(f"PRAGMA user_version = {schema}")
        raw = "rawSameSite INTEGER DEFAULT 0," if schema < 15 else ""
        late = ", updateTime INTEGER" if schema >= 17 else ""
        self.connection.execute(
            "CREATE TABLE moz_cookies (id INTEGER PRIMARY KEY, originAttributes TEXT NOT NULL DEFAULT '', name TEXT,"
            " value TEXT, host TEXT, path TEXT, expiry INTEGER, lastAccessed INTEGER, creationTime INTEGER,"
            " isSecure INTEGER, isHttpOnly INTEGER, inBrowserElement INTEGER DEFAULT 0, sameSite INTEGER DEFAULT 0,"
            f" {raw} schemeMap INTEGER DEFAULT 0, isPartitionedAttributeSet INTEGER DEFAULT 0{late},"
            " CONSTRAINT moz_uniqueid UNIQUE (name, host, path, originAttributes))"
        )
        self.connection.commit()

    def add(
        self,
        name: str,
        value: str | bytes = SECRET,
        *,
        host: str = ".douyin.com",
        expiry: int = 1_900_000_000_000,
        attributes: str = "",
        secure: bool = True,
    ) -> Firefox:
        """Set a cookie."""
        text = value.encode() if isinstance(value, str) else value
        self.connection.execute(
            "INSERT INTO moz_cookies (name, value, host, path, expiry, isSecure, originAttributes)"
            " VALUES (?, CAST(? AS TEXT), ?, '/', ?, ?, ?)",
            (name, text, host, expiry, secure, attributes),
        )
        self.connection.commit()
        return self

    def close(self) -> Firefox:
        """Close the browser: the log goes into the database."""
        self.connection.close()
        return self


@pytest.fixture
def firefox(machine: Machine) -> Iterator[Firefox]:
    """The default profile of a running Firefox."""
    root = machine.home / ".mozilla/firefox"
    made = Firefox(root / "x1y2.default-release")
    (root / "profiles.ini").write_text(
        "[Install4F96D1932A9F858E]\nDefault=x1y2.default-release\nLocked=1\n\n"
        "[Profile1]\nName=old\nIsRelative=1\nPath=a1b2.old\nDefault=1\n\n"
        "[Profile0]\nName=default-release\nIsRelative=1\nPath=x1y2.default-release\n\n[General]\nVersion=2\n"
    )
    yield made
    made.close()


def names(found: tuple[Cookie, ...]) -> list[str]:
    """The cookies by name."""
    return [cookie.name for cookie in found]


def refused(spec: str, machine: Machine, site: str = "douyin") -> InputError:
    """The error that a spec ends with; no cookie's value is anywhere in what a person or a log could see of it."""
    with pytest.raises(InputError) as caught:
        browsers.read(spec, site=site, machine=machine)
    assert SECRET not in "".join(traceback.format_exception(caught.value)) + str(caught.value.hint)
    return caught.value


def test_cookies_that_are_only_in_the_log_of_a_running_firefox_are_read(
    firefox: Firefox, machine: Machine
) -> None:
    """The database file has not even its table yet, and an exclusive lock is held."""
    firefox.add("sessionid").add("ttwid", "1%7Ca", host="www.douyin.com", secure=False)
    before = {file.name: file.read_bytes() for file in firefox.folder.iterdir()}
    assert SECRET.encode() not in before["cookies.sqlite"]

    found = browsers.read("firefox", site="douyin", machine=machine)

    assert [(each.name, each.value, each.domain, each.host_only, each.secure) for each in found] == [
        ("sessionid", SECRET, "douyin.com", False, True),
        ("ttwid", "1%7Ca", "www.douyin.com", True, False),
    ]
    assert {file.name: file.read_bytes() for file in firefox.folder.iterdir()} == before


def test_a_closed_firefox_is_read(firefox: Firefox, machine: Machine) -> None:
    """Without a log the database alone is enough."""
    firefox.add("sessionid").close()

    assert names(browsers.read("firefox", site="douyin", machine=machine)) == ["sessionid"]
    assert [file.name for file in firefox.folder.iterdir()] == ["cookies.sqlite"]


@pytest.mark.parametrize(
    ("schema", "expiry"),
    [(14, 1_900_000_000), (16, 1_900_000_000_000), (17, 1_900_000_000_000)],
    ids=["seconds", "milliseconds", "with update time"],
)
def test_the_end_of_a_cookie_is_in_the_unit_of_the_schema(
    tmp_path: Path, machine: Machine, schema: int, expiry: int
) -> None:
    """Schema 16 changed seconds to milliseconds."""
    Firefox(tmp_path / "p", schema=schema).add("sessionid", expiry=expiry).close()

    (cookie,) = browsers.read(f"firefox:{tmp_path / 'p'}", site="douyin", machine=machine)

    assert cookie.expires == datetime.fromtimestamp(1_900_000_000, UTC)


def test_only_the_sites_own_cookies_are_taken(firefox: Firefox, machine: Machine) -> None:
    """A stranger whose name ends alike is no part of the site."""
    for host in (
        ".tiktok.com",
        ".notdouyin.com",
        "douyin.com.example.org",
        "example.com",
        "www.iesdouyin.com",
    ):
        firefox.add("sessionid", host=host)

    found = browsers.read("firefox", site="douyin", machine=machine)

    assert [cookie.domain for cookie in found] == ["www.iesdouyin.com"]


# -- containers, private windows, partitions ---------------------------------------------------------------------


@pytest.fixture
def containers(firefox: Firefox) -> Firefox:
    """One visitor and two logins, each in its container."""
    identities = [
        {"userContextId": 1, "public": True, "l10nId": "user-context-personal"},
        {"userContextId": 2, "public": True, "l10nID": "userContextWork.label"},
        {"userContextId": 6, "public": True, "name": "Second account"},
        {"userContextId": 5, "public": False, "name": "userContextIdInternal.thumbnail"},
    ]
    (firefox.folder / "containers.json").write_text(json.dumps({"version": 5, "identities": identities}))
    firefox.add("ttwid", "none").add("sessionid", "work", attributes="^userContextId=2")
    return firefox.add(
        "sessionid", "second", attributes="^userContextId=6&partitionKey=%28https%2Cdouyin.com%29"
    )


@pytest.mark.parametrize(
    ("spec", "values"),
    [
        ("firefox", ["none"]),
        ("firefox::none", ["none"]),
        ("firefox::Work", ["work"]),
        ("firefox::work", ["work"]),
        ("firefox::2", ["work"]),
        ("firefox:default-release::Second account", ["second"]),
    ],
)
def test_accounts_in_containers_are_never_mixed(
    containers: Firefox, machine: Machine, spec: str, values: list[str]
) -> None:
    """Each container is its own jar; without a name only what is outside of all is taken."""
    found = browsers.read(spec, site="douyin", machine=machine)

    assert [cookie.value for cookie in found] == values


def test_a_login_that_is_only_in_a_container_is_told(
    containers: Firefox, machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    """A jar without a login says where the logins are."""
    browsers.read("firefox", site="douyin", machine=machine)

    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "the login of douyin is in a container of Firefox: firefox::Work takes it",
        "the login of douyin is in a container of Firefox: firefox::Second account takes it",
    ]


def test_containers_that_have_no_such_name_or_no_cookies_say_what_there_is(
    containers: Firefox, machine: Machine
) -> None:
    """The hint is what to type instead."""
    assert refused("firefox::Bank", machine).hint == "it has Personal, Work, Second account"
    assert refused("firefox::1", machine).hint == (
        "there are some in firefox::none, firefox::Work, firefox::Second account"
    )


@pytest.mark.parametrize(
    "damage", ["", "[]", '{"identities": [{}]}', "[" * 100_000], ids=["empty", "list", "no id", "deep"]
)
def test_a_damaged_list_of_containers_costs_only_the_names(
    containers: Firefox, machine: Machine, damage: str
) -> None:
    """The numbers still work."""
    (containers.folder / "containers.json").write_text(damage)

    assert names(browsers.read("firefox::2", site="douyin", machine=machine)) == ["sessionid"]


@pytest.mark.parametrize(
    "attributes",
    ["^privateBrowsingId=1", "^partitionKey=%28https%2Cexample.com%29", "^firstPartyDomain=example.com"],
    ids=["private window", "frame elsewhere", "first party elsewhere"],
)
def test_cookies_of_another_context_are_left_out(firefox: Firefox, machine: Machine, attributes: str) -> None:
    """What the site set in a frame of a stranger's page or in a private window is not the person's login."""
    firefox.add("sessionid", attributes=attributes)

    assert "has no cookies of douyin" in refused("firefox", machine).message


def test_of_equal_cookies_the_unconfined_one_wins(firefox: Firefox, machine: Machine) -> None:
    """The site's own partition counts only where there is no ordinary cookie of that name."""
    own = "^partitionKey=%28https%2Cdouyin.com%29"
    firefox.add("ttwid", "ordinary").add("ttwid", "confined", attributes=own).add(
        "odin_tt", "b", attributes=own
    )

    found = browsers.read("firefox", site="douyin", machine=machine)

    assert {cookie.name: cookie.value for cookie in found} == {"ttwid": "ordinary", "odin_tt": "b"}


# -- profiles ----------------------------------------------------------------------------------------------------


def test_an_installations_own_profile_comes_before_the_old_default(
    firefox: Firefox, machine: Machine
) -> None:
    """From Firefox 67 on each installation has its own; `Default=1` is what older ones use."""
    firefox.add("sessionid", "new")
    Firefox(machine.home / ".mozilla/firefox/a1b2.old").add("sessionid", "old").close()

    read = {
        spec: browsers.read(spec, site="douyin", machine=machine)[0].value
        for spec in ("firefox", "firefox:old")
    }

    assert read == {"firefox": "new", "firefox:old": "old"}


@pytest.mark.parametrize(
    "spec",
    [
        "firefox:default-release",
        "firefox:x1y2.default-release",
        "FIREFOX",
        "firefox:",
        "firefox:~/.mozilla/firefox",
    ],
)
def test_a_profile_is_known_by_name_folder_or_place(firefox: Firefox, machine: Machine, spec: str) -> None:
    """Every way of naming the one profile."""
    firefox.add("sessionid")

    assert names(browsers.read(spec, site="douyin", machine=machine)) == ["sessionid"]


@pytest.mark.parametrize("place", ["", "/cookies.sqlite"], ids=["folder", "file"])
def test_a_path_needs_no_profiles_ini(tmp_path: Path, machine: Machine, place: str) -> None:
    """A profile in an odd place, or a copy of one."""
    Firefox(tmp_path / "copied profile").add("sessionid").close()

    found = browsers.read(f"firefox:{tmp_path / 'copied profile'}{place}", site="douyin", machine=machine)

    assert names(found) == ["sessionid"]


@pytest.mark.parametrize(
    "ini", [None, "no section\n", "[Profile0]\nName=x\n"], ids=["none", "damaged", "no path"]
)
def test_without_a_usable_profiles_ini_the_profile_used_last_is_taken(
    firefox: Firefox, machine: Machine, ini: str | None
) -> None:
    """Folders with cookies are enough."""
    firefox.add("sessionid")
    file = machine.home / ".mozilla/firefox/profiles.ini"
    file.unlink()
    if ini is not None:
        file.write_text(ini)

    assert names(browsers.read("firefox", site="douyin", machine=machine)) == ["sessionid"]


@pytest.mark.parametrize("index", range(5), ids=["xdg", "classic", "snap", "flatpak", "flatpak xdg"])
def test_every_place_of_linux_is_looked_at(firefox: Firefox, machine: Machine, index: int) -> None:
    """Packages of distributions, snap and flatpak keep profiles in places of their own."""
    firefox.add("sessionid").close()
    root = firefox_roots(machine)[index]
    if root != firefox.folder.parent:
        root.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(firefox.folder.parent, root)

    assert names(browsers.read("firefox", site="douyin", machine=machine)) == ["sessionid"]


@pytest.mark.parametrize(
    ("platform", "env", "place"),
    [
        ("darwin", {}, "Library/Application Support/Firefox"),
        ("win32", {}, "AppData/Roaming/Mozilla/Firefox"),
        ("win32", {"APPDATA": "HOME/roaming"}, "roaming/Mozilla/Firefox"),
        ("linux", {"XDG_CONFIG_HOME": "HOME/conf"}, "conf/mozilla/firefox"),
    ],
)
def test_other_systems_have_their_own_places(
    tmp_path: Path, platform: str, env: dict[str, str], place: str
) -> None:
    """macOS, Windows and what environment variables move."""
    Firefox(tmp_path / place / "Profiles/x1y2.default").add("sessionid").close()
    variables = {name: value.replace("HOME", str(tmp_path)) for name, value in env.items()}
    machine = Machine(platform=platform, home=tmp_path, env=variables)

    assert names(browsers.read("firefox", site="douyin", machine=machine)) == ["sessionid"]


# -- what goes wrong ---------------------------------------------------------------------------------------------


def test_no_firefox_says_where_it_was_looked_for(machine: Machine) -> None:
    """A person with a profile elsewhere learns how to give it."""
    error = refused("firefox", machine)

    assert error.message.startswith("Firefox has no profiles here; looked in ")
    assert str(machine.home / "snap/firefox/common/.mozilla/firefox") in error.message
    assert error.hint == "give the profile's folder: firefox:/path/to/profile"


@pytest.mark.parametrize(
    ("spec", "message", "hint"),
    [
        ("firefox:work", "Firefox has no profile 'work'", "profiles with cookies: default-release"),
        ("firefox:old", "Firefox profile old has no cookies yet", "profiles with cookies: default-release"),
        ("firefox:~/nowhere", "there is no such folder", "about:profiles in Firefox shows it"),
        ("firefox:~/.mozilla", "no Firefox profile there", "about:profiles in Firefox shows it"),
    ],
)
def test_no_such_profile_names_those_that_are_there(
    firefox: Firefox, machine: Machine, spec: str, message: str, hint: str
) -> None:
    """A wrong name, an empty profile, wrong places."""
    firefox.add("sessionid")
    error = refused(spec, machine)

    assert message in error.message
    assert hint in str(error.hint)


@pytest.mark.parametrize(
    ("host", "message"),
    [
        (".tiktok.com", "Firefox profile x1y2.default-release has no cookies of douyin, only of tiktok"),
        (".example.com", "Firefox profile x1y2.default-release has no cookies of douyin"),
    ],
)
def test_no_cookies_of_the_site_says_what_to_do(
    firefox: Firefox, machine: Machine, host: str, message: str
) -> None:
    """The cure is to log in, in this browser."""
    firefox.add("sessionid", host=host)
    error = refused("firefox", machine)

    assert error.message == message
    assert error.hint == "log in at www.douyin.com in this profile of Firefox, or name another profile"


def test_values_that_cannot_be_sent_never_show_in_an_error(firefox: Firefox, machine: Machine) -> None:
    """A login with bytes that are no text, or that would become another header, ends with its name only."""
    firefox.add("sessionid", SECRET.encode() + b"\xff\xfe")
    assert "the value of sessionid has characters no cookie has" in refused("firefox", machine).message

    firefox.connection.execute("UPDATE moz_cookies SET value = ?", (f"{SECRET}\r\nX-Other: 1",))
    firefox.connection.commit()
    assert "the value of sessionid has characters no cookie has" in refused("firefox", machine).message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"SQLite format", b"MySQL  format"),
        (b"TABLE moz_cookies", b"TAB\xeaE moz_cookies"),
        (b"expiry", b"expire"),
    ],
    ids=["head", "schema that is no text", "unknown column"],
)
def test_a_damaged_database_says_so_without_its_content(
    firefox: Firefox, machine: Machine, old: bytes, new: bytes
) -> None:
    """Damage anywhere is an error with a cure, not a traceback."""
    firefox.add("sessionid").close()
    firefox.database.write_bytes(firefox.database.read_bytes().replace(old, new))
    error = refused("firefox", machine)

    assert str(firefox.database) in error.message
    assert error.hint in ("give the profile's folder", "close Firefox and try again, or export the cookies")


def test_a_database_that_is_written_meanwhile_is_read_whole(firefox: Firefox, machine: Machine) -> None:
    """The log goes back into the database again and again while it is copied."""
    firefox.add("sessionid").close()
    done = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(firefox.database)) as connection:
            while not done.is_set():
                connection.execute("REPLACE INTO moz_cookies (id, name, host) VALUES (9, 'x', 'example.com')")
                connection.commit()
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                done.wait(0.002)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        read = [browsers.read("firefox", site="douyin", machine=machine) for _ in range(5)]
    finally:
        done.set()
        writer.join()

    assert [names(found) for found in read] == [["sessionid"]] * 5


def test_a_database_of_another_kind_is_no_cookie_jar(firefox: Firefox, machine: Machine) -> None:
    """SQLite, but not Firefox's cookies."""
    firefox.connection.execute("ALTER TABLE moz_cookies RENAME TO moz_places")
    firefox.connection.commit()

    assert "this is not a cookie database of Firefox" in refused("firefox", machine).message


def test_a_folder_in_the_place_of_the_database_is_told(firefox: Firefox, machine: Machine) -> None:
    """What the system refuses becomes one line too."""
    log = firefox.database.with_name("cookies.sqlite-wal")
    firefox.add("sessionid").close()
    log.mkdir()

    assert refused("firefox", machine).message.startswith("the cookies of Firefox cannot be read: ")


@pytest.mark.parametrize("spec", ["opera", "", ":x", "chrome+kwallet"])
def test_an_unknown_browser_names_the_known_ones(machine: Machine, spec: str) -> None:
    """Checked before anything is looked for."""
    error = refused(spec, machine)

    assert error.name == "ConfigError"
    assert "firefox, chromium, chrome, edge, brave, safari" in str(error.hint)
