"""Logins that end soon are told once a day."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dyvine_cli.cookies import Cookie
from dyvine_cli.identity import Profile
from dyvine_cli.operations import reminders

NOW = datetime(2026, 10, 1, 12).astimezone()


def login(
    left: timedelta | None, *, name: str = "main", secret: bool = False, session: bool = True
) -> Profile:
    """A login that ends after so long."""
    jar = Cookie("sessionid", "planted-secret", ".douyin.com", expires=None if left is None else NOW + left)
    return Profile(site="douyin", name=name, cookies=(jar,), secret=secret, session=session)


ENDS = {
    "six days": (login(timedelta(days=6)), None),
    "five days": (login(timedelta(days=5)), "in 5 days"),
    "a day": (login(timedelta(days=1, hours=3)), "in 1 day "),
    "hours": (login(timedelta(hours=3)), "ends today"),
    "over": (login(timedelta(seconds=-1)), None),
    "unknown": (login(None), None),
    "guest": (login(timedelta(days=1), name="guest", session=False), None),
    "environment": (login(timedelta(days=1), name="env", secret=True), "export its cookies again"),
}


@pytest.mark.parametrize(("profile", "said"), ENDS.values(), ids=list(ENDS))
def test_a_login_is_told_in_its_last_five_days(profile: Profile, said: str | None, tmp_path: Path) -> None:
    """How long it lasts and the cure; never a value of it."""
    found = reminders.due([profile], tmp_path, NOW)

    assert len(found) == (said is not None)
    assert said is None or said in found[0]
    assert "planted-secret" not in "".join(found)


def test_it_is_told_once_a_day(tmp_path: Path) -> None:
    """Each login for itself; the note holds no secret and belongs to its owner alone."""
    state = tmp_path / "state"
    one, two = login(timedelta(days=3)), login(timedelta(days=3), name="second")
    times = [
        len(reminders.due(profiles, state, NOW + timedelta(hours=hours)))
        for profiles, hours in (([one], 0), ([one], 2), ([one, two], 3), ([one, two], 4), ([one, two], 26))
    ]
    (note,) = state.iterdir()

    assert times == [1, 0, 1, 0, 2]
    assert os.name == "nt" or note.stat().st_mode & 0o777 == 0o600
    assert "planted-secret" not in note.read_text()


@pytest.mark.parametrize("damage", [b"", b"[1]", b"\xff", b"{" * 70_000, b'{"douyin:main": 1}'])
def test_a_damaged_note_begins_anew(damage: bytes, tmp_path: Path) -> None:
    """It is said again, and then not."""
    (tmp_path / "reminders.json").write_bytes(damage)
    found = [len(reminders.due([login(timedelta(days=3))], tmp_path, NOW)) for _ in range(2)]

    assert found == [1, 0]


def test_a_state_folder_that_cannot_be_written_only_repeats_it(tmp_path: Path) -> None:
    """Nothing is raised for a reminder."""
    (tmp_path / "state").write_text("a file")

    assert [len(reminders.due([login(timedelta(days=3))], tmp_path / "state", NOW)) for _ in range(2)] == [
        1,
        1,
    ]
