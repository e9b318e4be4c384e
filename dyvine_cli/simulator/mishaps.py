"""The ways in which a right answer goes wrong between the server and its client: the faults of `WIRE`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from dyvine_cli.simulator.content import CHUNK
from dyvine_cli.simulator.faults import Fault
from dyvine_cli.simulator.messages import Response

if TYPE_CHECKING:
    from dyvine_cli.simulator.wire import Connection


class Closed(Exception):
    """This connection is done with."""


async def chunks_of(response: Response) -> AsyncGenerator[bytes, None]:
    """The body, at most one chunk at a time."""
    if isinstance(response.body, bytes):
        for start in range(0, len(response.body), CHUNK):
            yield response.body[start : start + CHUNK]
        return
    async for chunk in response.body:
        yield chunk


def length_of(response: Response) -> int | None:
    """The promised length of the body; None if only its end will tell."""
    if response.length is not None:
        return response.length
    return len(response.body) if isinstance(response.body, bytes) else None


def _known(response: Response) -> int:
    """The length, 0 for a body whose end only will tell."""
    return length_of(response) or 0


def _part(response: Response, fault: Fault) -> int:
    """How many bytes come through: the fault's value or half of them."""
    return min(fault.number(_known(response) // 2), _known(response))


async def _cut_body(connection: Connection, response: Response, fault: Fault) -> None:
    await connection.raw(response, length=length_of(response), until=_part(response, fault))
    raise Closed


async def _wrong_length(connection: Connection, response: Response, fault: Fault) -> None:
    true = _known(response)
    claimed = {"shorter": true // 2, None: true + 1000, "longer": true + 1000}.get(fault.value)
    await connection.raw(response, length=fault.value if claimed is None else claimed)
    raise Closed


async def _surplus(connection: Connection, response: Response, fault: Fault) -> None:
    await connection.raw(response, length=length_of(response))
    await connection.write(b"?" * fault.number(1000))
    raise Closed


async def _no_length(connection: Connection, response: Response, fault: Fault) -> None:
    until = _part(response, fault) if fault.value == "cut" else None
    await connection.raw(response, extra=(("Connection", "close"),), until=until)
    raise Closed


async def _negative_length(connection: Connection, response: Response, fault: Fault) -> None:
    await connection.raw(response, length=-1)
    raise Closed


async def _double_length(connection: Connection, response: Response, fault: Fault) -> None:
    other = str(_known(response) + 1)
    await connection.raw(response, length=length_of(response), extra=(("Content-Length", other),))
    raise Closed


async def _chunked(connection: Connection, response: Response, fault: Fault) -> None:
    await connection.send(response, chunked=True)


async def _cut_chunk(connection: Connection, response: Response, fault: Fault) -> None:
    empty = Response(status=response.status, headers=response.headers)
    await connection.raw(empty, extra=(("Transfer-Encoding", "chunked"),))
    await connection.write(f"{_known(response):x}\r\n".encode(), body=0)
    left = _part(response, fault)
    async with aclosing(chunks_of(response)) as chunks:
        async for chunk in chunks:
            await connection.write(chunk[:left])
            left -= len(chunk)
            if left <= 0:
                break
    raise Closed


async def _stall(connection: Connection, response: Response, fault: Fault) -> None:
    if fault.value != "head":
        await connection.raw(response, length=length_of(response), until=_part(response, fault))
    await connection.client_leaves()
    raise Closed


async def _late(connection: Connection, response: Response, fault: Fault) -> None:
    await asyncio.sleep(fault.seconds(2.0))
    await connection.send(response)


async def _drip(connection: Connection, response: Response, fault: Fault) -> None:
    pause = 1 / fault.number(20)
    await connection.raw(
        Response(status=response.status, headers=response.headers), length=length_of(response)
    )
    async with aclosing(chunks_of(response)) as chunks:
        async for chunk in chunks:
            for place in range(len(chunk)):
                await asyncio.sleep(pause)
                await connection.write(chunk[place : place + 1])
    raise Closed


async def _slow(connection: Connection, response: Response, fault: Fault) -> None:
    connection.rate = float(fault.number(65_536))
    await connection.send(response)


async def _reset(connection: Connection, response: Response, fault: Fault) -> None:
    if fault.value != "head":
        await connection.raw(response, length=length_of(response), until=_part(response, fault))
    connection.reset()
    raise Closed


async def _dead(connection: Connection, response: Response, fault: Fault) -> None:
    raise Closed


async def _close_silently(connection: Connection, response: Response, fault: Fault) -> None:
    await connection.send(response)
    raise Closed


WAYS: dict[str, Callable[[Connection, Response, Fault], Awaitable[None]]] = {
    "cut-body": _cut_body,
    "wrong-length": _wrong_length,
    "surplus": _surplus,
    "no-length": _no_length,
    "negative-length": _negative_length,
    "double-length": _double_length,
    "chunked": _chunked,
    "cut-chunk": _cut_chunk,
    "stall": _stall,
    "late": _late,
    "drip": _drip,
    "slow": _slow,
    "reset": _reset,
    "dead-mirror": _dead,
    "close-silently": _close_silently,
}
