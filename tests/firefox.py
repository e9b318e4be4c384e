"""A small Firefox profile for tests of whatever reads one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

FAR = 4_102_444_800_000
"""The end of a browser's cookies, in milliseconds."""


def firefox(home: Path, session: str, *, profile: str = "default", host: str = ".douyin.com") -> None:
    """A Firefox profile of Linux with a login in it."""
    top = home / ".mozilla" / "firefox"
    folder = top / f"abc.{profile}"
    folder.mkdir(parents=True)
    number = len(list(top.glob("abc.*"))) - 1
    with (top / "profiles.ini").open("a") as file:
        file.write(f"[Profile{number}]\nName={profile}\nIsRelative=1\nPath=abc.{profile}\n\n")
    with closing(sqlite3.connect(folder / "cookies.sqlite")) as database, database:
        database.execute("PRAGMA user_version = 17")
        database.execute(
            "CREATE TABLE moz_cookies (id INTEGER PRIMARY KEY, originAttributes TEXT NOT NULL DEFAULT '', name TEXT,"
            " value TEXT, host TEXT, path TEXT, expiry INTEGER, isSecure INTEGER)"
        )
        database.executemany(
            "INSERT INTO moz_cookies (name, value, host, path, expiry, isSecure) VALUES (?, ?, ?, '/', ?, 1)",
            [("sessionid", session, host, FAR), ("ttwid", "1%7Cx", host, FAR)],
        )
