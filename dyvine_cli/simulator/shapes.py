"""Odd answers that every platform's API has been reported to give in place of the true one."""

from __future__ import annotations

from collections.abc import Callable

from dyvine_cli.simulator.faults import Fault
from dyvine_cli.simulator.messages import Response

EDGE = ("401", "403", "405", "412", "429", "444")
SHAPES = {
    **{f"edge-{status}": f"{status} of the edge with a text, as when asked too often" for status in EDGE},
    "api-empty": "200 with zero bytes",
    "api-captcha-html": "200 with the captcha page where JSON was asked for",
    "api-status": "200 with the status_code of the value (default 4)",
    "api-soft-block": '200 with {"status_code":0} alone',
    "api-cut-json": "200 with JSON that ends in the middle",
    "api-null": "200 with null",
    "api-array": "200 with an empty array",
    "api-nan": "200 with NaN in a number's place",
    "api-deep": "200 with 100,000 arrays inside one another",
    "api-huge": "200 with so many MiB of JSON (value, default 80)",
}
_TEXT = ("Content-Type", "text/plain; charset=utf-8")
_JSON = ("Content-Type", "application/json; charset=utf-8")


def shaped(fault: Fault, *, key: str, cursor: str) -> Response | None:
    """The answer of one of `SHAPES`, None for one that each platform words itself.

    `key` and `cursor` are the platform's names for a list's entries and its cursor.
    """
    if fault.name.startswith("edge-"):
        return Response(status=int(fault.name[5:]), headers=[_TEXT], body=b"refused at the edge")
    bodies: dict[str, Callable[[], bytes]] = {
        "api-soft-block": lambda: b'{"status_code":0}',
        "api-cut-json": lambda: f'{{"status_code":0,"{key}":[{{"id":"76'.encode(),
        "api-null": lambda: b"null",
        "api-array": lambda: b"[]",
        "api-nan": lambda: f'{{"status_code":0,"{cursor}":NaN}}'.encode(),
        "api-deep": lambda: f'{{"status_code":0,"{key}":'.encode() + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "api-huge": lambda: b'{"status_code":0,"log_pb":"' + b"x" * (fault.number(80) << 20) + b'"}',
    }
    make = bodies.get(fault.name)
    return Response(headers=[_JSON], body=make()) if make else None
