"""Regular expressions that can neither hang nor eat the memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dyvine_cli.quantities import quoted

if TYPE_CHECKING:
    from regex import Pattern

PATIENCE = 0.1
"""Seconds that one search may take."""
LONGEST = 1_000
"""Characters of one."""
_MOST_BRACKETS = 50
_MOST_WRITTEN_OUT = 100_000  # `regex` writes x{1000,} out when it compiles: some 500 bytes for each x
_LEAST_REPEAT = re.compile(r"\{([0-9]+)(?:,[0-9]*)?\}")


def compiled(pattern: str) -> Pattern[str]:
    """A regular expression whose searches can be given a time. Raises ValueError with a sentence."""
    import regex  # it takes longer to import than all of this, and few expressions use it

    _check_bounds(pattern)
    try:
        return regex.compile(pattern, regex.IGNORECASE)
    except (regex.error, OverflowError, ValueError) as error:
        raise ValueError(f"{quoted(pattern)} is no regular expression: {error}") from None


def _check_bounds(pattern: str) -> None:
    """Raise ValueError for what would take long or much memory to compile."""
    if len(pattern) > LONGEST:
        raise ValueError(f"a regular expression may have {LONGEST:,} characters")
    bare = re.sub(r"\\.", "", pattern, flags=re.DOTALL)
    if bare.count("(") > _MOST_BRACKETS or bare.count("[") > _MOST_BRACKETS:
        raise ValueError(f"{quoted(pattern)} has more than {_MOST_BRACKETS} brackets")
    if re.search(r"\(\?[a-zA-Z0-9-]*x", pattern):
        raise ValueError(f"{quoted(pattern)}: the flag x is of no use in one line")  # and would hide repeats
    written_out = len(pattern)
    for count in _LEAST_REPEAT.findall(pattern):
        written_out *= int(count) or 1
    if written_out > _MOST_WRITTEN_OUT:
        raise ValueError(f"{quoted(pattern)} repeats too much: write + or {{1,1000}} for {{1000}}")
