"""What the doctor found, a line a stage, and what a record says when it is read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dyvine_cli.cli.output import say, words
from dyvine_cli.cli.output.jsonl import line
from dyvine_cli.encode import error_fields
from dyvine_cli.errors import DyvineError, UnexpectedResponse
from dyvine_cli.operations.bundle import Reading
from dyvine_cli.operations.doctor import Finding

STATE = 9
NAME = 15
"""Widths of the first two columns."""


def show_finding(found: Finding, *, json: bool) -> None:
    """One stage: a line, and its cure in another; or an object."""
    say(line(_finding(found)) if json else "\n".join(_lines(found)))


def _lines(found: Finding) -> Iterator[str]:
    told = found.detail if found.error is None else _complaint(found.error)
    yield f"{words.clean(found.state):{STATE}}  {words.clean(found.stage):{NAME}}  {words.clean(told)}".rstrip()
    if found.error is not None and found.error.hint:
        yield f"{'':{STATE}}  {'':{NAME}}  hint: {words.clean(found.error.hint)}"


def _complaint(error: DyvineError) -> str:
    return error.message if type(error) is DyvineError else f"{error.name}: {error.message}"


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "v": 1,
        "type": "stage",
        "stage": found.stage,
        "state": found.state,
        "needed": found.needed,
        "detail": found.detail or None,
        "seconds": round(found.seconds, 3),
        "failed": error_fields(found.error) if found.error else None,
    }


def show_readings(readings: Sequence[Reading], *, json: bool) -> int:
    """Every recorded answer, and the exit status: that of UnexpectedResponse when a field breaks."""
    for each in readings:
        say(line(_reading(each)) if json else _line(each))
    breaks = any(each.state == "breaks" for each in readings)
    return UnexpectedResponse.exit_code if breaks else 0


def _line(reading: Reading) -> str:
    told = reading.detail if reading.error is None else _complaint(reading.error)
    return f"{words.clean(reading.state):{STATE}}  {words.clean(reading.endpoint):{NAME}}  {words.clean(told)}".rstrip()


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "v": 1,
        "type": "answer",
        "endpoint": reading.endpoint,
        "url": reading.url,
        "state": reading.state,
        "detail": reading.detail or None,
        "failed": error_fields(reading.error) if reading.error else None,
    }
