"""Profiles: kept private, written whole, chosen as the person means it."""

from __future__ import annotations

import json
import logging
import os
import re
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dyvine_cli import cookies, identity
from dyvine_cli.cookies import Cookie
from dyvine_cli.errors import ConfigError, DiskFull, NotWritable
from dyvine_cli.identity import Profile, Profiles, of_environment

SECRET = "5ecre7c0ffee5ecre7c0ffee5ecre7c0"
LOGIN = Cookie(
    "sessionid", SECRET, "douyin.com", secure=True, expires=datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
)
DEVICE = Cookie("s_v_web_id", "verify_1", "www.douyin.com", path="/a", host_only=True)
MAIN = Profile(
    site="douyin",
    name="main",
    cookies=(LOGIN, DEVICE),
    user_agent="Mozilla/5.0",
    device={"uifid": "f" * 160},
    proxy=f"http://user:{SECRET}@proxy:8080",
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder that does not exist yet."""
    return tmp_path / "state"


@pytest.fixture
def profiles(state: Path) -> Profiles:
    """The store in it."""
    return Profiles(state)


def mode(path: Path) -> int:
    """The permission bits of a file or folder."""
    return stat.S_IMODE(path.lstat().st_mode)


def file_of(state: Path, name: str = "main") -> Path:
    """Where a profile is kept."""
    return state / "profiles" / "douyin" / f"{name}.json"


# -- keeping -----------------------------------------------------------------------------------------------------


def test_profile_comes_back_as_it_was_saved(profiles: Profiles) -> None:
    """Every field survives the file."""
    profiles.save(MAIN)

    assert profiles.load("douyin", "main") == MAIN
    assert profiles.names("douyin") == ("main",)
    assert profiles.names("tiktok") == ()


def test_missing_profile_is_none(profiles: Profiles) -> None:
    """Nothing stored is no error and makes no folder."""
    assert profiles.load("douyin", "main") is None
    assert profiles.names("douyin") == ()
    assert not profiles.remove("douyin", "main")


def test_newer_profile_replaces_the_older_one(profiles: Profiles, state: Path) -> None:
    """Saving again leaves one file and nothing beside it."""
    profiles.save(MAIN)
    profiles.save(MAIN.replace(cookies=(DEVICE,)))

    loaded = profiles.load("douyin", "main")
    assert loaded is not None
    assert loaded.cookies == (DEVICE,)
    assert [path.name for path in file_of(state).parent.iterdir()] == ["main.json"]


def test_removed_profile_is_gone(profiles: Profiles) -> None:
    """Removing tells whether there was one."""
    profiles.save(MAIN)

    assert profiles.remove("douyin", "main")
    assert profiles.load("douyin", "main") is None


def test_profile_is_readable_by_its_owner_only(profiles: Profiles, state: Path) -> None:
    """Files are 0600 and folders 0700 whatever the umask."""
    old = os.umask(0)
    try:
        profiles.save(MAIN)
    finally:
        os.umask(old)

    assert mode(file_of(state)) == 0o600
    assert {mode(folder) for folder in (state, state / "profiles", state / "profiles" / "douyin")} == {0o700}


def test_open_permissions_are_put_right(
    profiles: Profiles, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What others could read is closed again, with a warning that shows no value."""
    profiles.save(MAIN)
    file_of(state).chmod(0o644)
    file_of(state).parent.chmod(0o755)
    with caplog.at_level(logging.WARNING):
        loaded = profiles.load("douyin", "main")
        profiles.save(MAIN)

    assert loaded == MAIN
    assert mode(file_of(state)) == 0o600
    assert mode(file_of(state).parent) == 0o700
    assert "could be read by other users" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "profile",
    [
        pytest.param(MAIN.replace(name="env"), id="env"),
        pytest.param(MAIN.replace(secret=True), id="secret"),
    ],
)
def test_profile_of_the_environment_is_never_written(
    profiles: Profiles, state: Path, profile: Profile
) -> None:
    """`DOUYIN_COOKIE` and `--cookies` leave no secret behind."""
    profiles.save(profile)

    assert not state.exists()


def test_symlink_in_the_place_of_a_profile_is_not_followed(
    profiles: Profiles, state: Path, tmp_path: Path
) -> None:
    """A planted link is refused when read and replaced, not written through, when saved."""
    profiles.save(MAIN)
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text(file_of(state).read_text())
    before = elsewhere.read_text()
    file_of(state).unlink()
    file_of(state).symlink_to(elsewhere)

    with pytest.raises(ConfigError, match="a link where a profile should be"):
        profiles.load("douyin", "main")
    profiles.save(MAIN.replace(cookies=()))
    assert not file_of(state).is_symlink()
    assert elsewhere.read_text() == before


@pytest.mark.parametrize("level", ["profiles", "profiles/douyin"])
def test_symlink_in_the_place_of_a_profile_folder_is_refused(
    profiles: Profiles, state: Path, tmp_path: Path, level: str
) -> None:
    """Secrets are not written through a planted folder link."""
    target = tmp_path / "target"
    target.mkdir()
    (state / level).parent.mkdir(parents=True)
    (state / level).symlink_to(target)

    with pytest.raises(NotWritable, match="not a folder"):
        profiles.save(MAIN)
    with pytest.raises(ConfigError, match="not a folder"):
        profiles.load("douyin", "main")
    assert list(target.iterdir()) == []


def test_fifo_in_the_place_of_a_profile_does_not_hang(profiles: Profiles, state: Path) -> None:
    """Only a regular file is read."""
    file_of(state).parent.mkdir(parents=True, mode=0o700)
    os.mkfifo(file_of(state))

    with pytest.raises(ConfigError, match="not a file"):
        profiles.load("douyin", "main")


def good() -> dict[str, object]:
    """The content of a sound profile file."""
    return {"v": 1, "user_agent": None, "proxy": None, "session": True, "device": {}, "cookies": []}


COOKIE = {
    "name": "a", "value": SECRET, "domain": "douyin.com", "path": "/", "secure": True, "expires": None, "host_only": False,
}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(json.dumps(good())[:-9], id="cut"),
        pytest.param(
            '{"v": 1, "cookies": [{"name": "sessionid", "value": "' + SECRET, id="cut inside a secret"
        ),
        pytest.param("\x00\x00\x00", id="zeros after a power loss"),
        pytest.param("[]", id="a list"),
        pytest.param("null", id="null"),
        pytest.param(json.dumps(good() | {"cookies": None}), id="no cookies"),
        pytest.param(json.dumps(good() | {"cookies": [{"name": "a"}]}), id="half a cookie"),
        pytest.param(json.dumps(good() | {"cookies": [COOKIE | {"value": 1}]}), id="number as value"),
        pytest.param(json.dumps(good() | {"cookies": [COOKIE | {"expires": "soon"}]}), id="no date"),
        pytest.param(
            json.dumps(good() | {"cookies": [COOKIE | {"expires": "2030-01-01"}]}), id="date without zone"
        ),
        pytest.param(json.dumps(good() | {"device": {"uifid": 1}}), id="number as device id"),
        pytest.param(json.dumps(good() | {"v": "1"}), id="version as text"),
        pytest.param("[" * 100_000, id="very deep"),
    ],
)
@pytest.mark.parametrize("name", ["main", "guest"])
def test_damaged_profile_is_an_error_with_its_cure(
    profiles: Profiles, state: Path, text: str, name: str
) -> None:
    """A damaged login is never taken for a guest, and nothing of it is shown."""
    file_of(state).parent.mkdir(parents=True, mode=0o700)
    path = file_of(state, name)
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(ConfigError, match=f"the douyin profile '{name}' is damaged") as caught:
        profiles.load("douyin", name)
    assert caught.value.hint
    assert ("login add" in caught.value.hint) is (name == "main")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert SECRET not in f"{caught.value!r}{caught.value.hint}"


def test_profile_of_a_newer_dyvine_is_left_alone(profiles: Profiles, state: Path) -> None:
    """A form that we do not know is no damage."""
    file_of(state).parent.mkdir(parents=True, mode=0o700)
    file_of(state).write_text(json.dumps(good() | {"v": 2}))
    file_of(state).chmod(0o600)

    with pytest.raises(ConfigError, match="newer dyvine"):
        profiles.load("douyin", "main")


def test_profile_of_absurd_size_is_refused(profiles: Profiles, state: Path) -> None:
    """Reading stops at a bound."""
    file_of(state).parent.mkdir(parents=True, mode=0o700)
    with file_of(state).open("wb") as file:
        file.truncate(10**10)
    file_of(state).chmod(0o600)

    with pytest.raises(ConfigError, match="larger than a profile"):
        profiles.load("douyin", "main")


def test_file_in_the_place_of_the_state_folder_is_explained(state: Path, profiles: Profiles) -> None:
    """What cannot be written says where."""
    state.write_text("in the way")

    with pytest.raises(NotWritable, match="main"):
        profiles.save(MAIN)


def test_full_disk_keeps_the_old_profile(
    profiles: Profiles, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the new file cannot be flushed, the old one stays and nothing is left beside it."""
    profiles.save(MAIN)
    real = os.fsync

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull):
        profiles.save(MAIN.replace(cookies=()))
    monkeypatch.setattr(os, "fsync", real)

    assert profiles.load("douyin", "main") == MAIN
    assert [path.name for path in file_of(state).parent.iterdir()] == ["main.json"]


def test_readers_see_whole_profiles_while_others_write(state: Path) -> None:
    """Two writers and a reader at once: every read is one of the written profiles."""
    store = Profiles(state)
    choices = [MAIN, MAIN.replace(cookies=(DEVICE,) * 200)]
    store.save(MAIN)

    def write(profile: Profile) -> None:
        for _ in range(40):
            store.save(profile)

    threads = [threading.Thread(target=write, args=(profile,)) for profile in choices]
    for thread in threads:
        thread.start()
    seen = [store.load("douyin", "main") for _ in range(100)]
    for thread in threads:
        thread.join()

    assert all(profile in choices for profile in seen)


# -- names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["work", "a", "second-login", "x_2", "小号", "7"])
def test_ordinary_names_are_profile_names(profiles: Profiles, name: str) -> None:
    """Letters of any script, digits, hyphen and underscore make a name."""
    profiles.save(MAIN.replace(name=name))

    assert profiles.names("douyin") == (name,)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="empty"),
        pytest.param(".", id="this folder"),
        pytest.param("..", id="upper folder"),
        pytest.param("../main", id="path up"),
        pytest.param("a/b", id="slash"),
        pytest.param("a\\b", id="backslash"),
        pytest.param("/etc/passwd", id="absolute"),
        pytest.param("a\0b", id="NUL"),
        pytest.param("a\nb", id="line break"),
        pytest.param("a.json", id="dot"),
        pytest.param("-rf", id="option"),
        pytest.param("con", id="device"),
        pytest.param("com1", id="another device"),
        pytest.param("com¹", id="disguised device"),
        pytest.param("Work", id="upper case"),
        pytest.param("ｗork", id="full-width"),
        pytest.param("x" * 41, id="too long"),
        pytest.param("~", id="home"),
        pytest.param("a:b", id="stream"),
        pytest.param("a\u202eb", id="direction mark"),
    ],
)
def test_name_that_is_a_path_trick_is_refused(profiles: Profiles, state: Path, name: str) -> None:
    """No name leads out of the folder or to another file on some system."""
    with pytest.raises(ConfigError, match="is no profile name"):
        profiles.load("douyin", name)
    with pytest.raises(ConfigError):
        profiles.save(MAIN.replace(name=name))
    with pytest.raises(ConfigError):
        profiles.remove("douyin", name)
    assert not state.exists()


def test_unknown_site_is_refused(profiles: Profiles) -> None:
    """A site is a folder name, too."""
    with pytest.raises(ConfigError, match="is no site"):
        profiles.load("../douyin", "main")


def test_strange_files_are_no_profiles(profiles: Profiles, state: Path) -> None:
    """Left-over and foreign files are not listed."""
    profiles.save(MAIN)
    for name in (".main.ab12.new", "notes.txt", "Bad Name.json", "con.json"):
        (file_of(state).parent / name).touch()

    assert profiles.names("douyin") == ("main",)


# -- choosing ----------------------------------------------------------------------------------------------------

GUEST = Profile(site="douyin", name="guest", device={"uifid": "1"}, session=False)


@pytest.mark.parametrize(
    ("stored", "wanted", "env", "name"),
    [
        pytest.param([], None, (), "guest", id="nothing stored"),
        pytest.param([GUEST], None, (), "guest", id="guest stored"),
        pytest.param([GUEST, MAIN], None, (), "main", id="main is used once it is there"),
        pytest.param([GUEST, MAIN], "guest", (), "guest", id="guest by name avoids main"),
        pytest.param([MAIN], "guest", (), "guest", id="guest by name is made"),
        pytest.param([MAIN, MAIN.replace(name="work")], "work", (), "work", id="another login"),
        pytest.param([MAIN], None, (LOGIN,), "env", id="cookies of the environment before main"),
        pytest.param([MAIN], "main", (LOGIN,), "main", id="a name before the environment"),
        pytest.param([MAIN], "env", (LOGIN,), "env", id="the environment by name"),
    ],
)
def test_profile_is_chosen(
    profiles: Profiles, stored: list[Profile], wanted: str | None, env: tuple[Cookie, ...], name: str
) -> None:
    """What is named, else the environment, else main, else guest."""
    for profile in stored:
        profiles.save(profile)

    chosen = identity.choose(profiles, "douyin", wanted, env)
    assert (chosen.site, chosen.name) == ("douyin", name)
    assert chosen.is_guest is (name == "guest")


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        pytest.param("work", "stored are: main", id="not stored"),
        pytest.param("env", "DOUYIN_COOKIE", id="no environment"),
    ],
)
def test_profile_that_is_not_there_is_an_error_not_a_guest(
    profiles: Profiles, wanted: str, hint: str
) -> None:
    """Whoever names a login gets it or an error."""
    profiles.save(MAIN)

    with pytest.raises(ConfigError) as caught:
        identity.choose(profiles, "douyin", wanted)
    assert caught.value.hint
    assert hint in caught.value.hint


def test_main_by_name_is_not_replaced_by_a_guest(profiles: Profiles) -> None:
    """`--profile main` without a stored login is an error."""
    with pytest.raises(ConfigError, match="no douyin profile 'main'"):
        identity.choose(profiles, "douyin", "main")


def test_cookies_without_a_login_make_a_guest_of_the_environment(profiles: Profiles) -> None:
    """What was given decides, not what is left of it later."""
    given = identity.choose(profiles, "douyin", None, (DEVICE,))
    login = identity.choose(profiles, "douyin", None, (LOGIN, DEVICE))

    assert (given.name, given.is_guest, given.secret) == ("env", True, True)
    assert not login.replace(cookies=(DEVICE,)).is_guest


def test_login_whose_session_was_deleted_is_no_guest(profiles: Profiles) -> None:
    """A dead login stays a login, so that it is reported."""
    profiles.save(MAIN.replace(cookies=(DEVICE,)))

    assert not identity.choose(profiles, "douyin", None).is_guest


def test_user_agent_is_kept_with_the_login_it_was_taken_with(profiles: Profiles) -> None:
    """A user agent of the environment is for env and guest."""
    profiles.save(MAIN)

    assert identity.choose(profiles, "douyin", None, user_agent="X").user_agent == "Mozilla/5.0"
    assert identity.choose(profiles, "douyin", "guest", user_agent="X").user_agent == "X"
    assert identity.choose(profiles, "douyin", None, (LOGIN,), user_agent="X").user_agent == "X"


@pytest.mark.parametrize("form", [repr, str, lambda profile: repr([profile]), lambda profile: f"{profile}"])
def test_profile_shows_no_secret(form) -> None:
    """Neither cookies nor device ids nor the proxy's password are shown."""
    shown = form(MAIN)

    assert shown.strip("[]") == "<Profile douyin:main with 2 cookies>"


def test_logins_of_the_environment_do_not_share_a_budget() -> None:
    """The same login is counted under the same name wherever it stands, another one under another, and neither tells it."""
    jars = [
        cookies.read(text, site="douyin")
        for text in (
            "sessionid=" + "a" * 32,
            "ttwid=1; sessionid=" + "a" * 32,
            "sessionid=" + "b" * 32,
            "ttwid=1",
        )
    ]
    one, again, other, guest = (of_environment("douyin", jar).desk for jar in jars)

    assert one == again != other
    assert re.fullmatch("env-[0-9a-f]{8}", one)
    assert guest == "env"
    assert of_environment("douyin", jars[0]).replace(cookies=jars[2]).desk == one
    assert Profile(site="douyin", name="main", cookies=jars[0]).desk == "main"
