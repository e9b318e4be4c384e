"""What tests of browsers need: a machine without one, and word on what is installed."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from dyvine_cli.browsers.machine import Machine

NEEDS = {"ytdlp": find_spec("yt_dlp"), "chromium_profile": shutil.which("chromium") and find_spec("yt_dlp")}
"""Fixtures that need something installed, and whether it is."""

_left_out = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs yt-dlp or Chromium where they are missing; in CI they have to be there."""
    if os.environ.get("CI") == "true":
        return
    missing = {name for name, found in NEEDS.items() if not found}
    left_out = [item for item in items if missing.intersection(getattr(item, "fixturenames", ()))]
    config.stash[_left_out] = len(left_out)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what took no part."""
    if count := config.stash.get(_left_out, 0):
        terminalreporter.write_line(f"browsers: {count} tests left out, yt-dlp or chromium is not installed")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files; whatever was read, and however it ended, no copy stays there."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A Linux user without a browser."""
    (tmp_path / "home").mkdir()
    return Machine(platform="linux", home=tmp_path / "home")


@pytest.fixture
def ytdlp(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is installed, the desktop has no keyring."""
    assert NEEDS["ytdlp"], "yt-dlp has to be installed"
    for variable in (
        "XDG_CURRENT_DESKTOP",
        "DESKTOP_SESSION",
        "GNOME_DESKTOP_SESSION_ID",
        "KDE_FULL_SESSION",
    ):
        monkeypatch.delenv(variable, raising=False)
