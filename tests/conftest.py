"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("patient", settings.default, deadline=None)  # a busy machine is no fault
settings.load_profile("patient")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests on real recordings where no recordings are given."""
    if os.environ.get("DYVINE_RECORDINGS"):
        return
    kept = [item for item in items if item.get_closest_marker("recordings") is None]
    left_out = [item for item in items if item.get_closest_marker("recordings") is not None]
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say as the last line whether the recordings took part."""
    folder = os.environ.get("DYVINE_RECORDINGS")
    terminalreporter.write_line(f"recordings: {'read' if folder else 'not given'}")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder with recorded answers and third-party vectors."""
    return Path(os.environ["DYVINE_RECORDINGS"])


@pytest.fixture(scope="session")
def data() -> Path:
    """Small answers of our own making."""
    return Path(__file__).parent / "data"
