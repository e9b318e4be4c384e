"""Long tables of slow rows: some in the fast suite, all in the slow one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest


def some_fast(table: Mapping[str, Any] | Iterable[str], *fast: str) -> list[Any]:
    """The rows of a table with their ids, all but the named ones marked as slow. Raises KeyError for one not there."""
    rows = dict(table) if isinstance(table, Mapping) else {name: name for name in table}
    for name in fast:
        rows[name]
    return [
        pytest.param(*row, id=name, marks=() if name in fast else pytest.mark.slow)
        if isinstance(row, tuple)
        else pytest.param(row, id=name, marks=() if name in fast else pytest.mark.slow)
        for name, row in rows.items()
    ]
