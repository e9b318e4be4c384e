"""Where browsers keep their profiles on each system (pure)."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from dyvine_cli.errors import InputError

TITLES: Mapping[str, str] = {
    "firefox": "Firefox",
    "chromium": "Chromium",
    "chrome": "Chrome",
    "edge": "Edge",
    "brave": "Brave",
    "safari": "Safari",
}
"""Every browser we read and what errors call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The user's system as far as it decides about places; `platform` is `sys.platform`'s word."""

    platform: str
    home: Path
    env: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def this(cls) -> Self:
        """The one we run on. Raises InputError if it does not say where the home folder is."""
        try:
            home = Path.home()
        except RuntimeError:
            raise InputError(
                "this user has no home folder to look for browsers in", hint="set HOME"
            ) from None
        return cls(platform=sys.platform, home=home, env=os.environ)

    def folder(self, variable: str, below_home: str) -> Path:
        """The folder that an environment variable names, else its usual place below the home folder."""
        named = self.env.get(variable)
        return Path(named) if named else self.home / below_home

    def path(self, text: str) -> Path:
        """A path as a person writes it, `~` for the home folder."""
        return self.home / text[1:].lstrip("/\\") if text[:2] in ("~", "~/", "~\\") else Path(text)


def is_path(profile: str) -> bool:
    """Whether a profile is given by its place rather than by its name."""
    return profile.startswith("~") or "/" in profile or "\\" in profile


def firefox_roots(machine: Machine) -> tuple[Path, ...]:
    """The folders that may hold Firefox's `profiles.ini`."""
    if machine.platform == "win32":
        # The second one is Firefox from the Microsoft Store.
        store = "Packages/Mozilla.Firefox_n80bbvh6b1yt2/LocalCache/Roaming/Mozilla/Firefox"
        return (
            machine.folder("APPDATA", "AppData/Roaming") / "Mozilla/Firefox",
            machine.folder("LOCALAPPDATA", "AppData/Local") / store,
        )
    if machine.platform == "darwin":
        return (machine.home / "Library/Application Support/Firefox",)
    flatpak = machine.home / ".var/app/org.mozilla.firefox"
    return (
        # New installations from Firefox 147 on follow the XDG rules (bugzilla 259356).
        machine.folder("XDG_CONFIG_HOME", ".config") / "mozilla/firefox",
        machine.home / ".mozilla/firefox",
        machine.home / "snap/firefox/common/.mozilla/firefox",
        flatpak / ".mozilla/firefox",
        flatpak / "config/mozilla/firefox",
    )


# Per browser below the folder for applications of Windows, macOS and Linux; then whole places of snap and flatpak below
# the home folder. From Chromium's docs/user_data_dir.md and the manifests of the packages.
_CHROMIUM: Mapping[str, tuple[str, str, str, tuple[str, ...]]] = {
    "chromium": (
        "Chromium/User Data",
        "Chromium",
        "chromium",
        ("snap/chromium/common/chromium", ".var/app/org.chromium.Chromium/config/chromium"),
    ),
    "chrome": (
        "Google/Chrome/User Data",
        "Google/Chrome",
        "google-chrome",
        (".var/app/com.google.Chrome/config/google-chrome",),
    ),
    "edge": (
        "Microsoft/Edge/User Data",
        "Microsoft Edge",
        "microsoft-edge",
        (".var/app/com.microsoft.Edge/config/microsoft-edge",),
    ),
    "brave": (
        "BraveSoftware/Brave-Browser/User Data",
        "BraveSoftware/Brave-Browser",
        "BraveSoftware/Brave-Browser",
        (
            "snap/brave/current/.config/BraveSoftware/Brave-Browser",
            ".var/app/com.brave.Browser/config/BraveSoftware/Brave-Browser",
        ),
    ),
}


def chromium_roots(browser: str, machine: Machine) -> tuple[Path, ...]:
    """The user data folders that a browser of Chromium's family may have."""
    windows, mac, linux, packaged = _CHROMIUM[browser]
    if machine.platform == "win32":
        return (machine.folder("LOCALAPPDATA", "AppData/Local") / windows,)
    if machine.platform == "darwin":
        return (machine.home / "Library/Application Support" / mac,)
    config = machine.folder("XDG_CONFIG_HOME", ".config")
    return (config / linux, *(machine.home / place for place in packaged))
