"""What TikTok's tests ask for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dyvine_cli.simulator.app import Simulator


@pytest.fixture
def asked(platform: Simulator) -> Callable[[], list[str]]:
    """The paths of the pages and calls so far, without media."""
    return lambda: [each.path for each in platform.requests if not each.kind]
