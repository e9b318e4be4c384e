"""The host `control.simulator`: faults, log, clock and line of a running simulator, from another process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dyvine_cli.simulator.faults import Fault
from dyvine_cli.simulator.messages import Request, Response

if TYPE_CHECKING:
    from dyvine_cli.simulator.app import Simulator

HOST = "control.simulator"


def answer(request: Request, simulator: Simulator) -> Response:
    """Do what a POST asks; its body is a JSON object, an empty one only looks.

    `/faults` {"clear": true or [names], "set": ["NAME:COUNT@WHERE=VALUE" or an object with Fault's fields]}
    `/log` {"clear": true} gives requests, counts, leaks and what faults happened, as they were before clearing
    `/counts` {} gives only the counts
    `/clock` {"advance": seconds}
    `/line` {"rtt": seconds, "rate": bytes per second or null, "handshake": round trips}
    """
    act = _PATHS.get(request.path)
    if act is None:
        return _json(404, {"error": f"there are {', '.join(_PATHS)}"})
    if request.method != "POST":
        return _json(405, {"error": "POST a JSON object"})
    try:
        wishes = json.loads(request.body or b"{}")
        if not isinstance(wishes, dict):
            return _json(400, {"error": "the body must be a JSON object"})
        return _json(200, act(simulator, wishes))
    except (ValueError, TypeError) as error:
        return _json(400, {"error": str(error)})


def _faults(simulator: Simulator, wishes: dict[str, Any]) -> dict[str, Any]:
    cleared = wishes.get("clear", [])
    for name in [None] if cleared is True else cleared or []:
        simulator.faults.clear(name)
    for wish in wishes.get("set", []):
        simulator.faults.add(Fault.parse(wish) if isinstance(wish, str) else Fault(**wish))
    return {
        "active": [asdict(fault) for fault in simulator.faults.active()],
        "taken": dict(simulator.faults.taken),
    }


def _log(simulator: Simulator, wishes: dict[str, Any]) -> dict[str, Any]:
    found = {
        "requests": [served.as_json() for served in simulator.requests],
        "counts": simulator.counts(),
        "leaks": [asdict(leak) for leak in simulator.leaks],
        "taken": dict(simulator.faults.taken),
    }
    if wishes.get("clear"):
        simulator.log.requests.clear()
        simulator.media.leaks.clear()
        simulator.faults.taken.clear()
    return found


def _counts(simulator: Simulator, wishes: dict[str, Any]) -> dict[str, Any]:
    return dict(simulator.counts())


def _clock(simulator: Simulator, wishes: dict[str, Any]) -> dict[str, Any]:
    simulator.clock.advance(float(wishes.get("advance", 0)))
    return {"now": simulator.clock()}


def _line(simulator: Simulator, wishes: dict[str, Any]) -> dict[str, Any]:
    line = simulator.line
    line.rtt = float(wishes.get("rtt", line.rtt))
    line.handshake = float(wishes.get("handshake", line.handshake))
    rate = wishes.get("rate", line.rate)
    line.rate = None if rate is None else float(rate)
    return asdict(line)


_PATHS: dict[str, Callable[[Simulator, dict[str, Any]], dict[str, Any]]] = {
    "/faults": _faults,
    "/log": _log,
    "/counts": _counts,
    "/clock": _clock,
    "/line": _line,
}


def _json(status: int, value: dict[str, Any]) -> Response:
    return Response(
        status=status,
        headers=[("Content-Type", "application/json")],
        body=json.dumps(value, ensure_ascii=False).encode(),
    )
