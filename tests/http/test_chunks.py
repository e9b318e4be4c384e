"""Long bodies, which are read past the parser: their bytes, their ends, and what becomes of their connections."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from dyvine_cli.errors import Timeout, Truncated
from dyvine_cli.http.network import Network, Timeouts

from .conftest import Asked, Serve, read, reply

pytestmark = pytest.mark.anyio

Make = Callable[..., Network]
LONG = bytes(range(256)) * 12_000


def kept(net: Network) -> int:
    """Connections of long bodies that wait for a next request."""
    return sum(len(lane._backend._kept) for lane in net._lanes.values())


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_long_body_leaves_its_connection_to_the_next_request(
    scheme: str, serve: Serve, network: Make, authority: trustme.CA, ca_file: Path
) -> None:
    """Long and short bodies by turns come over one connection, as encrypted as it was."""
    context = None
    if scheme == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> bytes:
        return reply(LONG if asked.target == "/long" else b"short")

    server = await serve(answer, context)
    net = network(ca_file=ca_file)
    base = f"{scheme}://127.0.0.1:{server.port}"
    for _ in range(3):
        assert await read(net, f"{base}/long") == (200, LONG)
        assert kept(net) == 1
        assert await read(net, f"{base}/short") == (200, b"short")

    assert (len(server.asked), server.connections) == (6, 1)


@pytest.mark.parametrize(
    "said",
    [
        reply(LONG, Connection="close"),
        reply(LONG, Connection="foo, Close"),
        reply(LONG).replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
    ids=["close", "close among others", "HTTP/1.0"],
)
async def test_a_connection_that_ends_with_its_answer_is_not_kept(
    said: bytes, serve: Serve, network: Make
) -> None:
    """The head says so; nothing is left open."""
    server = await serve(said)
    net = network()
    for _ in range(2):
        assert await read(net, f"http://127.0.0.1:{server.port}/") == (200, LONG)
        assert kept(net) == 0
    await asyncio.sleep(0.05)

    assert (server.connections, server.open) == (2, 0)


async def test_surplus_after_a_long_body_does_not_reach_the_next_request(serve: Serve, network: Make) -> None:
    """More than was promised is an error, and its connection serves no more."""
    many = reply(LONG + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", Content_Length=str(len(LONG)))

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> bytes:
        return many if asked.target == "/many" else reply(b"good")

    server = await serve(answer)
    net = network()
    with pytest.raises(Truncated, match="more than the 3072000 it promised"):
        await read(net, f"http://127.0.0.1:{server.port}/many")

    assert kept(net) == 0
    assert await read(net, f"http://127.0.0.1:{server.port}/") == (200, b"good")


@pytest.mark.parametrize(
    ("then", "error", "words"),
    [
        ("close", Truncated, "broke off after 2072000 of 3072000"),
        ("silence", Timeout, "silent after 2072000"),
    ],
)
async def test_a_long_body_that_does_not_end_has_its_cause(
    then: str, error: type[Exception], words: str, serve: Serve, network: Make
) -> None:
    """Every byte that came is counted."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(LONG)[:-1_000_000])
        await writer.drain()
        if then == "silence":
            await asyncio.sleep(0.6)
        else:
            writer.close()
            await writer.wait_closed()

    server = await serve(answer)
    net = network(timeouts=Timeouts(connect=2, head=2, read=0.3))

    with pytest.raises(error, match=words):
        await read(net, f"http://127.0.0.1:{server.port}/")
    assert kept(net) == 0


async def test_a_long_body_left_in_the_middle_closes_its_connection(serve: Serve, network: Make) -> None:
    """So does the end of the network before the end of a body."""
    server = await serve(reply(LONG))
    net = network()
    url = f"http://127.0.0.1:{server.port}/"
    async with net.send("GET", url, {}) as response:
        for _ in range(3):
            await anext(response.chunks)
    async with net.send("GET", url, {}) as response:
        await anext(response.chunks)
        await net.aclose()
        async for _ in response.chunks:
            pass
    await asyncio.sleep(0.05)

    assert (server.connections, server.open, kept(net)) == (2, 0, 0)


async def test_a_kept_connection_of_a_long_body_that_the_host_closed_is_not_used(
    serve: Serve, network: Make
) -> None:
    """It is noticed before the next request."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(LONG))
        await writer.drain()

    server = await serve(answer)
    net = network()
    for _ in range(2):
        assert await read(net, f"http://127.0.0.1:{server.port}/") == (200, LONG)
        await asyncio.sleep(0.05)

    assert server.connections == 2
