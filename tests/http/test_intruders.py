"""Bytes that nobody asked for: before the handshake, behind an answer, on a kept connection; none becomes an answer."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from dyvine_cli.errors import DyvineError, TLSFailure
from dyvine_cli.http import sockets
from dyvine_cli.http.network import Network

from .conftest import Asked, Serve, read, reply

pytestmark = pytest.mark.anyio

Make = Callable[..., Network]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
EVIL = reply(b"evil!")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Somebody on the way to the host itself."""
    writer.write(EVIL)


def behind_connect(said: bytes) -> Talk:
    """An HTTP proxy whose answer goes on after its head."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said + EVIL)

    return talk


async def behind_socks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A SOCKS proxy that sends more than its reply."""
    await reader.readexactly((await reader.readexactly(2))[1])
    writer.write(b"\x05\x00")
    await reader.readexactly((await reader.readexactly(5))[4] + 2)
    writer.write(b"\x05\x00\x00\x01" + bytes(6) + EVIL)


@pytest.mark.parametrize(
    ("talk", "scheme", "addresses"),
    [
        (at_once, "", ["127.0.0.1"]),
        (at_once, "", ["127.0.0.1", "127.0.0.2"]),
        (behind_connect(b"HTTP/1.1 200 OK\r\n\r\n"), "http", ["127.0.0.1"]),
        (behind_connect(b"HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\n"), "http", ["127.0.0.1"]),
        (behind_socks, "socks5", ["127.0.0.1"]),
    ],
    ids=["direct", "two addresses", "CONNECT", "CONNECT with a body", "SOCKS"],
)
async def test_an_answer_sent_in_the_clear_before_the_handshake_is_not_the_hosts(
    talk: Talk,
    scheme: str,
    addresses: Sequence[str],
    serve: Serve,
    network: Make,
    certified: Callable[[str], ssl.SSLContext],
    ca_file: Path,
) -> None:
    """Whoever stands on the way cannot slip an answer in front of the encrypted ones."""
    good = await serve(reply(b"good"), certified("good.example"))

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await talk(reader, writer)
        behind, before = await asyncio.open_connection("127.0.0.1", good.port)
        await asyncio.gather(copy(reader, before), copy(behind, writer))

    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    listening = await asyncio.start_server(lead, "0.0.0.0" if len(addresses) > 1 else "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    proxy = {"proxy": f"{scheme}://127.0.0.1:{port}"} if scheme else {}
    net = network(ca_file=ca_file, resolve=resolve, **proxy)

    with pytest.raises(DyvineError) as caught:
        await read(net, f"https://good.example:{port}/")
    assert isinstance(caught.value, TLSFailure) or not scheme
    listening.close()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass everything on."""
    try:
        while data := await reader.read(2**16):
            writer.write(data)
    except OSError:
        pass
    finally:
        writer.close()


def chunks(body: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """A chunked answer."""
    return CHUNKED + b"%x\r\n" % len(body) + body + b"\r\n" + end


@pytest.mark.parametrize(
    "end", [b"0\r\n\r\n", b"0;a=b\r\nTrailer: x\r\n\r\n"], ids=["plain", "with a trailer"]
)
async def test_a_second_answer_behind_a_chunked_one_answers_nobody(
    end: bytes, serve: Serve, network: Make
) -> None:
    """A whole chunked answer in the same bytes as the first is not what the next request gets."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> bytes:
        mine = chunks(b"for " + asked.target.encode(), end)
        return mine + chunks(b"evil") if asked.target == "/first" else mine

    server = await serve(answer)
    net = network()
    found = [
        await read(net, f"http://127.0.0.1:{server.port}/{name}") for name in ("first", "second", "third")
    ]

    assert found == [(200, b"for /first"), (200, b"for /second"), (200, b"for /third")]


async def test_a_chunked_answer_leaves_its_connection_to_the_next_request(
    serve: Serve, network: Make
) -> None:
    """Ten of them come over one connection."""
    server = await serve(chunks(b"said"))
    net = network()
    for _ in range(10):
        assert await read(net, f"http://127.0.0.1:{server.port}/") == (200, b"said")

    assert server.connections == 1


async def test_bytes_that_came_while_nobody_looked_are_seen_before_the_next_request(
    serve: Serve, network: Make
) -> None:
    """The system has them, the loop has not read them yet: the connection is out of step all the same."""
    writers: list[asyncio.StreamWriter] = []

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> bytes:
        writers.append(writer)
        return reply(b"good")

    server = await serve(answer)
    net = network()
    url = f"http://127.0.0.1:{server.port}/"
    await read(net, url)
    os.write(
        writers[0].get_extra_info("socket").fileno(), EVIL
    )  # no turn of the loop between this and the request

    assert await read(net, url) == (200, b"good")
    assert server.connections == 2


@pytest.mark.parametrize("turns", range(14))
async def test_connecting_that_is_broken_off_leaves_no_socket(turns: int, serve: Serve) -> None:
    """Cancelled at any turn of the loop, also between the win of one address and the end of the race."""
    server = await asyncio.start_server(hold, "0.0.0.0", 0)
    port = server.sockets[0].getsockname()[1]
    before = descriptors()
    for _ in range(5):
        connecting = asyncio.ensure_future(
            sockets.connect("host.example", ["127.0.0.1", "127.0.0.2"], port, 5)
        )
        for _ in range(turns):
            await asyncio.sleep(0)
        connecting.cancel()
        with suppress(asyncio.CancelledError):
            await (await connecting).aclose()
    for _ in range(100):
        if descriptors() == before:
            break
        await asyncio.sleep(0.01)

    assert descriptors() == before
    server.close()


def descriptors() -> int:
    """How many files and sockets this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Keep a connection until the other end closes it."""
    try:
        await reader.read()
    except OSError:
        pass
    finally:
        writer.transport.abort()
