"""The media reader: redirects, ranges, and what is never sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dyvine_cli.errors import AddressRefused, NetworkError
from dyvine_cli.http.connect import ConnectTo
from dyvine_cli.http.network import Network
from dyvine_cli.http.reader import HttpMediaReader

from .conftest import Asked, Serve, Server, reply

pytestmark = pytest.mark.anyio

Make = Callable[..., Network]
SECRETS = {"Cookie": "tt_chain_token=secret", "Authorization": "Bearer secret", "X-Signature": "secret"}


async def fetched(
    net: Network, url: str, headers: dict[str, str] | None = None, **more: tuple[int, int | None]
) -> tuple[int, bytes]:
    """Status and bytes of one media read."""
    async with HttpMediaReader(net).open(url, headers or {}, **more) as answer:
        return answer.status, b"".join([chunk async for chunk in answer.chunks])


async def to_loopback(host: str, port: int) -> Sequence[str]:
    """Every name is this machine."""
    return ["127.0.0.1"]


async def chain(serve: Serve, *locations: str) -> Server:
    """A server whose path /N redirects to the N-th location (`{port}` is its own), /end is a file."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> bytes:
        name = asked.target[1:]
        if not name.isdigit():
            return reply(b"file")
        return reply(b"moved", status=302, Location=locations[int(name)].format(port=server.port))

    server = await serve(answer)
    return server


async def test_only_what_the_rendition_names_is_sent(serve: Serve, network: Make) -> None:
    """Host, Accept-Encoding and the rendition's headers, nothing else."""
    server = await serve(reply(b"file"))
    found = await fetched(
        network(),
        f"http://127.0.0.1:{server.port}/a",
        {"User-Agent": "UA", "Referer": "https://www.douyin.com/"},
    )

    assert found == (200, b"file")
    assert server.asked[0].headers == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": "UA",
        "referer": "https://www.douyin.com/",
        "accept-encoding": "identity",
    }


@pytest.mark.parametrize(("asked_for", "sent"), [((0, None), "bytes=0-"), ((5, 9), "bytes=5-9")])
async def test_a_range_is_first_and_last_byte(
    asked_for: tuple[int, int | None], sent: str, serve: Serve, network: Make
) -> None:
    """The range goes out as HTTP has it, in place of one that the headers name."""
    server = await serve(reply(b"file", status=206, Content_Range="bytes 5-8/9"))
    url = f"http://127.0.0.1:{server.port}/a"
    async with HttpMediaReader(network()).open(url, {"range": "bytes=1-1"}, asked_for) as answer:
        head = answer.status, answer.headers["content-range"], answer.url

    assert head == (206, "bytes 5-8/9", url)
    assert server.asked[0].headers["range"] == sent


@pytest.mark.parametrize("status", [200, 204, 304, 403, 404, 410, 416, 429, 500, 503])
async def test_any_status_is_an_answer(status: int, serve: Serve, network: Make) -> None:
    """What a status means is for the engine to say."""
    server = await serve(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
    found = await fetched(network(), f"http://127.0.0.1:{server.port}/a")

    assert found == (status, b"")


async def test_redirects_are_followed_on_kept_connections(serve: Serve, network: Make) -> None:
    """Relative and absolute ones, with all headers on the same origin."""
    server = await chain(serve, "/1", "http://127.0.0.1:{port}/2", "end")
    found = await fetched(network(), f"http://127.0.0.1:{server.port}/0", SECRETS)

    assert found == (200, b"file")
    assert [asked.target for asked in server.asked] == ["/0", "/1", "/2", "/end"]
    assert all(asked.headers["cookie"] == SECRETS["Cookie"] for asked in server.asked)
    assert server.connections == 1


@pytest.mark.parametrize(
    "host", ["other.example:{port}", "media.example.evil:{port}", "sub.media.example:{port}"]
)
async def test_redirect_to_another_host_takes_no_secret_along(host: str, serve: Serve, network: Make) -> None:
    """Cookie, authorization and signature stay; user agent, referer and range go on."""
    server = await chain(serve, f"http://{host}/end?x=1")
    harmless = {"User-Agent": "UA", "Referer": "R"}
    net = network(resolve=to_loopback)
    await fetched(net, f"http://media.example:{server.port}/0", {**SECRETS, **harmless}, range=(0, 3))
    first, last = server.asked

    assert first.headers["cookie"] == SECRETS["Cookie"]
    assert last.target == "/end?x=1"
    assert set(last.headers) == {"host", "user-agent", "referer", "range", "accept-encoding"}


async def test_redirect_to_another_port_takes_no_secret_along(serve: Serve, network: Make) -> None:
    """Another port is another origin."""
    other = await serve(reply(b"file"))
    server = await chain(serve, f"http://127.0.0.1:{other.port}/end")
    await fetched(network(), f"http://127.0.0.1:{server.port}/0", SECRETS)

    assert "secret" not in str(other.asked[0].headers)


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "gopher://127.0.0.1/x",
        "data:text/plain,x",
        "http://user@127.0.0.1:{port}/end",
        "http://[::bad/",
        "http://127.0.0.1:{port}/\x7fend",
        "//",
    ],
)
async def test_redirect_to_another_scheme_or_trick_is_refused(
    location: str, serve: Serve, network: Make
) -> None:
    """Nothing but plain http and https addresses is followed."""
    server = await chain(serve, location)

    with pytest.raises(AddressRefused):
        await fetched(network(), f"http://127.0.0.1:{server.port}/0")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "017700000001",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "169.254.169.254",
        "192.168.0.1",
        "[fe80::1]",
        "inner.example",
    ],
)
async def test_redirect_to_loopback_and_other_inner_addresses_is_refused(
    host: str, serve: Serve, network: Make
) -> None:
    """A media host cannot make us ask what stands in our own network, whatever the spelling or the name."""
    server = await chain(serve, f"http://{host}:{{port}}/end")
    rules = ConnectTo.parse(f"media.example:80:127.0.0.1:{server.port}")
    net = network(allow=(), connect_to=rules, resolve=to_loopback)

    with pytest.raises(AddressRefused):
        await fetched(net, "http://media.example/0")
    assert len(server.asked) == 1


async def test_redirect_from_https_to_http_is_refused(
    serve: Serve, network: Make, certified: Callable[[str], ssl.SSLContext], ca_file: Path
) -> None:
    """What began encrypted does not go on in the open."""
    plain = await serve(reply(b"file"))
    server = await serve(
        reply(status=302, Location=f"http://media.example:{plain.port}/end"), tls=certified("media.example")
    )

    with pytest.raises(AddressRefused, match="https to plain http"):
        await fetched(network(ca_file=ca_file, resolve=to_loopback), f"https://media.example:{server.port}/0")
    assert not plain.asked


async def test_redirect_in_a_circle_is_refused(serve: Serve, network: Make) -> None:
    """A loop ends at once."""
    server = await chain(serve, "/1", "/0")

    with pytest.raises(AddressRefused, match="circle"):
        await fetched(network(), f"http://127.0.0.1:{server.port}/0")
    assert len(server.asked) == 2


async def test_more_than_five_redirects_are_refused(serve: Serve, network: Make) -> None:
    """Five are followed, the sixth is not."""
    server = await chain(serve, *(f"/{number}" for number in range(1, 10)))

    with pytest.raises(AddressRefused, match="5 times"):
        await fetched(network(), f"http://127.0.0.1:{server.port}/0")
    assert len(server.asked) == 6


async def test_five_redirects_are_followed(serve: Serve, network: Make) -> None:
    """The limit itself is allowed."""
    server = await chain(serve, "/1", "/2", "/3", "/4", "/end")
    found = await fetched(network(), f"http://127.0.0.1:{server.port}/0")

    assert found == (200, b"file")


async def test_a_redirect_without_location_is_an_answer(serve: Serve, network: Make) -> None:
    """There is nowhere to go."""
    server = await serve(reply(b"", status=302))
    found = await fetched(network(), f"http://127.0.0.1:{server.port}/0")

    assert found == (302, b"")


async def test_a_packed_file_is_refused(serve: Serve, network: Make) -> None:
    """Bytes that are not the file never count as the file."""
    server = await serve(reply(b"packed", Content_Encoding="gzip"))

    with pytest.raises(NetworkError, match="packed"):
        await fetched(network(), f"http://127.0.0.1:{server.port}/0")


async def test_a_large_file_comes_in_large_pieces(
    serve: Serve, network: Make, certified: Callable[[str], ssl.SSLContext], ca_file: Path
) -> None:
    """Over TLS a piece is more than one record, and every byte is there."""
    body = bytes(range(256)) * 40_000
    server = await serve(reply(body), tls=certified("media.example"))
    net = network(ca_file=ca_file, resolve=to_loopback)
    async with HttpMediaReader(net).open(f"https://media.example:{server.port}/a", {}) as answer:
        pieces = [chunk async for chunk in answer.chunks]

    assert b"".join(pieces) == body
    assert max(map(len, pieces)) > 2**15
