"""Connections: where they lead, whom they trust, how they are used again and given up."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from dyvine_cli.errors import (
    AddressRefused,
    ConfigError,
    DyvineError,
    InputError,
    NetworkError,
    Timeout,
    TLSFailure,
    Truncated,
)
from dyvine_cli.http.connect import ConnectTo
from dyvine_cli.http.network import CONNECTIONS, Network, Timeouts

from .conftest import Asked, Serve, read, reply

pytestmark = pytest.mark.anyio

Make = Callable[..., Network]
HASTY = Timeouts(connect=2, head=2, read=0.2)
PATIENT = Timeouts(connect=10, head=10, read=10)
"""For what no time-out ends: a busy machine is no fault."""


def leading_to(*addresses: str) -> Callable[[str, int], object]:
    """A resolver that gives these addresses for every name."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


# -- reuse -------------------------------------------------------------------------------------------------------


async def test_twenty_requests_use_one_connection(serve: Serve, network: Make) -> None:
    """A connection is kept and used again."""
    server = await serve(reply(b"x" * 1000))
    net = network()
    for _ in range(20):
        await read(net, f"http://127.0.0.1:{server.port}/")

    assert (len(server.asked), server.connections) == (20, 1)


async def test_a_host_gets_sixteen_connections_at_most(serve: Serve, network: Make) -> None:
    """Forty requests at once wait for their places."""
    gate = asyncio.Event()

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> bytes:
        await gate.wait()
        return reply(b"done")

    server = await serve(answer)
    net = network()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(read(net, f"http://127.0.0.1:{server.port}/")) for _ in range(40)]
        await server.busy.wait()
        await asyncio.sleep(0.05)
        gate.set()

    assert {task.result() for task in tasks} == {(200, b"done")}
    assert server.most_open == CONNECTIONS


async def test_a_connection_that_the_server_closed_is_not_used(serve: Serve, network: Make) -> None:
    """A dead idle connection is noticed before the next request."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(b"bye"))
        await writer.drain()

    server = await serve(answer)
    net = network()
    await read(net, f"http://127.0.0.1:{server.port}/")
    await asyncio.sleep(0.05)
    await read(net, f"http://127.0.0.1:{server.port}/")

    assert server.connections == 2


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 2"], ids=["nothing", "a part of a head"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_kept_connection_that_ends_with_nothing_said_costs_a_get_no_error(
    method: str, said: bytes, serve: Serve, network: Make
) -> None:
    """What nobody read is sent once more over a new connection, if it may be; a begun answer is the host's failure."""
    served: set[asyncio.StreamWriter] = set()

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> bytes | None:
        if writer in served:
            writer.write(said)
            await writer.drain()
            return None
        served.add(writer)
        return reply(b"one each")

    server = await serve(answer)
    net = network()
    url = f"http://127.0.0.1:{server.port}/"
    await read(net, url)
    mended = method == "GET" and not said

    if mended:
        assert await read(net, url) == (200, b"one each")
    else:
        with pytest.raises(NetworkError, match="broke off"):
            await read(net, url, method)
    assert (server.connections, len(server.asked)) == ((2, 3) if mended else (1, 2))


async def test_a_host_that_closes_every_connection_is_asked_twice_and_no_more(
    serve: Serve, network: Make
) -> None:
    """The new connection's end is an error."""
    served = 0

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> bytes | None:
        nonlocal served
        served += 1
        return reply(b"once") if served == 1 else None

    server = await serve(answer)
    net = network()
    url = f"http://127.0.0.1:{server.port}/"
    await read(net, url)

    with pytest.raises(NetworkError, match="broke off"):
        await read(net, url)
    assert (server.connections, len(server.asked)) == (2, 3)


async def test_leaving_early_and_cancelling_give_the_place_back(serve: Serve, network: Make) -> None:
    """Bodies left in the middle cost their connection, never a place."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(b"x" * 70_000, Content_Length="10000000"))
        while not writer.is_closing():
            await writer.drain()
            await asyncio.sleep(0.01)
            writer.write(b"x" * 1000)

    server = await serve(answer)
    net = network()
    url = f"http://127.0.0.1:{server.port}/"

    async def leave() -> None:
        async with net.send("GET", url, {}) as response:
            await anext(response.chunks)

    async def stay() -> None:
        async with net.send("GET", url, {}) as response:
            async for _ in response.chunks:
                pass

    for _ in range(20):
        await leave()
    for _ in range(3):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(stay()) for _ in range(24)]
            await asyncio.sleep(0.05)
            for task in tasks:
                task.cancel()
    async with asyncio.timeout(5):
        await leave()
    await server.thins_out()

    assert server.open == 0


async def test_connections_of_many_hosts_are_given_up(serve: Serve, network: Make) -> None:
    """The longest unused host's connection is closed when there are many."""
    server = await serve(reply(b"x"))
    net = network(resolve=leading_to("127.0.0.1"))
    for number in range(60):
        await read(net, f"http://host{number}.example:{server.port}/")
    await server.thins_out(48)

    assert server.connections == 60
    assert server.open <= 48


# -- where to ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "169.254.169.254",
        "10.1.2.3",
        "[fd00:ec2::254]",
    ],
)
async def test_an_inner_address_is_refused(host: str, network: Make) -> None:
    """No spelling of a private, loopback, link-local or metadata address is opened."""
    net = network(allow=())

    with pytest.raises(AddressRefused, match="private network"):
        await read(net, f"http://{host}/latest/meta-data/")


async def test_dns_rebinding_is_refused(serve: Serve, network: Make) -> None:
    """A name is judged at every connection, by the address that is connected to."""
    answers = iter([["127.0.0.2"], ["127.0.0.1"]])
    looked_up = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        looked_up.append(host)
        return next(answers)

    server = await serve(reply(b"secret", Connection="close"))
    net = network(allow=[ipaddress.ip_network("127.0.0.2/32")], resolve=resolve)
    if_first_answer_reaches_nothing = f"http://rebinding.example:{server.port}/"
    with pytest.raises(NetworkError, match="cannot be reached"):
        await read(net, if_first_answer_reaches_nothing)

    with pytest.raises(AddressRefused):
        await read(net, if_first_answer_reaches_nothing)
    assert looked_up == ["rebinding.example"] * 2
    assert not server.asked


async def test_an_inner_address_among_public_ones_is_not_tried(serve: Serve, network: Make) -> None:
    """Of mixed answers only those that may be opened are connected to."""
    server = await serve(reply(b"x"))
    net = network(resolve=leading_to("10.0.0.1", "169.254.169.254", "127.0.0.1"))
    found = await read(net, f"http://mixed.example:{server.port}/")

    assert found == (200, b"x")


async def test_a_listed_host_over_verified_tls_may_resolve_anywhere(
    serve: Serve, network: Make, certified: Callable[[str], ssl.SSLContext], ca_file: Path
) -> None:
    """A platform's certificate is its proof, so fake-ip proxies and hosts files work."""
    server = await serve(reply(b"x"), tls=certified("www.listed.example"))
    net = network(allow=(), listed=["listed.example"], ca_file=ca_file, resolve=leading_to("127.0.0.1"))
    found = await read(net, f"https://www.listed.example:{server.port}/")

    assert found == (200, b"x")


@pytest.mark.parametrize(
    ("url", "verify"),
    [
        ("http://www.listed.example/", True),
        ("https://www.listed.example/", False),
        ("https://listed.example.evil/", True),
    ],
    ids=["plain", "not-verified", "not-listed"],
)
async def test_without_that_proof_the_address_must_be_public(url: str, verify: bool, network: Make) -> None:
    """A listed name alone proves nothing."""
    net = network(allow=(), listed=["listed.example"], verify=verify, resolve=leading_to("127.0.0.1"))

    with pytest.raises(AddressRefused):
        await read(net, url)


async def test_a_slow_address_is_overtaken_by_the_next(serve: Serve, network: Make) -> None:
    """The next address of a name is tried beside one that does not answer."""
    server = await serve(reply(b"x"))
    silent = socket.socket()
    silent.bind(("127.0.0.2", server.port))
    net = network(resolve=leading_to("127.0.0.3", "127.0.0.2", "127.0.0.1"))
    try:
        found = await read(net, f"http://slow.example:{server.port}/")
    finally:
        silent.close()

    assert found == (200, b"x")


async def test_a_name_that_is_not_there_and_a_closed_port_are_network_errors(network: Make) -> None:
    """The cause is named with the host."""

    async def nowhere(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(NetworkError, match=r"gone\.example cannot be looked up: Name or service not known"):
        await read(network(resolve=nowhere), "http://gone.example/")
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1 cannot be reached"):
        await read(network(), "http://127.0.0.1:9/")


# -- connect-to --------------------------------------------------------------------------------------------------


async def test_connect_to_moves_only_the_socket(serve: Serve, network: Make) -> None:
    """Host header and path stay those of the real host; https to a rule for port 80 goes in plain HTTP."""
    server = await serve(reply(b"x"))
    rules = ConnectTo.parse(f"*:80:127.0.0.1:{server.port}")
    net = network(allow=(), connect_to=rules, listed=["douyin.com"], proxy="http://127.0.0.1:9")
    found = await read(net, "https://www.douyin.com/video/1?x=%2F")

    assert found == (200, b"x")
    assert (server.asked[0].target, server.asked[0].headers["host"]) == ("/video/1?x=%2F", "www.douyin.com")


async def test_connect_to_falls_to_plain_http_once_per_address(serve: Serve, network: Make) -> None:
    """A loopback peer that speaks no TLS is asked in plain HTTP, and that is remembered."""
    server = await serve(reply(b"x"))
    rules = ConnectTo.parse(
        f"www.douyin.com:443:127.0.0.1:{server.port},v.douyin.com::127.0.0.1:{server.port}"
    )
    net = network(connect_to=rules)
    found = [await read(net, f"https://{host}.douyin.com/") for host in ("www", "v", "www")]

    assert found == [(200, b"x")] * 3
    assert server.connections == 3


async def test_connect_to_falls_to_plain_http_on_silence(serve: Serve, network: Make) -> None:
    """A peer that waits for the rest of the greeting speaks no TLS either."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(reply(b"x"))
            await writer.drain()
        writer.transport.abort()

    listening = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    net = network(connect_to=ConnectTo.parse(f"a.com:443:127.0.0.1:{port}"), timeouts=Timeouts(connect=0.4))
    found = await read(net, "https://a.com/")
    listening.close()

    assert found == (200, b"x")


async def test_connect_to_keeps_tls_where_it_is_spoken(
    serve: Serve, network: Make, certified: Callable[[str], ssl.SSLContext], ca_file: Path
) -> None:
    """The certificate is checked for the real host's name."""
    server = await serve(reply(b"x"), tls=certified("www.douyin.com"))
    rules = ConnectTo.parse(
        f"www.douyin.com:443:127.0.0.1:{server.port},v.douyin.com:443:127.0.0.1:{server.port}"
    )
    net = network(connect_to=rules, ca_file=ca_file)
    found = await read(net, "https://www.douyin.com/")

    assert found == (200, b"x")
    with pytest.raises(TLSFailure):
        await read(net, "https://v.douyin.com/")


# -- trust -------------------------------------------------------------------------------------------------------


async def test_an_untrusted_certificate_is_refused_with_its_cure(
    serve: Serve, network: Make, certified: Callable[[str], ssl.SSLContext]
) -> None:
    """Without its authority the connection ends before anything is sent."""
    server = await serve(reply(b"x"), tls=certified("safe.example"))
    net = network(resolve=leading_to("127.0.0.1"))
    with pytest.raises(TLSFailure, match=r"certificate of safe\.example") as caught:
        await read(net, f"https://safe.example:{server.port}/")

    assert "--ca-file" in (caught.value.hint or "")
    assert not server.asked


async def test_a_certificate_for_another_name_is_refused(
    serve: Serve, network: Make, certified: Callable[[str], ssl.SSLContext], ca_file: Path
) -> None:
    """A trusted authority does not help a stranger."""
    server = await serve(reply(b"x"), tls=certified("other.example"))
    net = network(resolve=leading_to("127.0.0.1"), ca_file=ca_file)

    with pytest.raises(TLSFailure, match=r"safe\.example"):
        await read(net, f"https://safe.example:{server.port}/")


async def test_unchecked_certificates_are_the_persons_choice(
    serve: Serve, network: Make, certified: Callable[[str], ssl.SSLContext]
) -> None:
    """`verify` False takes any certificate."""
    server = await serve(reply(b"x"), tls=certified("other.example"))
    net = network(resolve=leading_to("127.0.0.1"), verify=False)
    found = await read(net, f"https://safe.example:{server.port}/")

    assert found == (200, b"x")


async def test_plain_http_on_a_tls_port_is_no_certificate_matter(serve: Serve, network: Make) -> None:
    """The message says that no TLS is spoken."""
    server = await serve(reply(b"x"))

    with pytest.raises(NetworkError, match="TLS"):
        await read(network(), f"https://127.0.0.1:{server.port}/")


@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=["missing", "empty", "text"])
async def test_a_bad_ca_file_is_a_config_error(content: bytes | None, network: Make, tmp_path: Path) -> None:
    """The file is named."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"ca\.pem"):
        await read(network(ca_file=path), "https://127.0.0.1:9/")


async def test_the_trust_is_loaded_once(network: Make, authority: trustme.CA, ca_file: Path) -> None:
    """All networks of the process share one context."""
    first, second = network(ca_file=ca_file), network(ca_file=ca_file)

    assert first._trust() is second._trust()


# -- bodies ------------------------------------------------------------------------------------------------------


def raw(text: bytes, then: str = "close") -> Callable[[Asked, asyncio.StreamWriter], object]:
    """A server that sends these bytes and then closes, resets, or falls silent."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()
        if then == "silent":
            await asyncio.sleep(30)
        elif then == "close":
            writer.close()
            await writer.wait_closed()

    return answer


BROKEN = [
    pytest.param(reply(b"short", Content_Length="10"), "close", Truncated, "5 of 10 bytes", id="cut-body"),
    pytest.param(
        reply(b"long", Content_Length="2"), "close", Truncated, "2 bytes more than the 2", id="surplus"
    ),
    pytest.param(
        reply(b"x" * 300_000, Content_Length="2"),
        "silent",
        Truncated,
        "more than the 2",
        id="much-surplus",
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "close",
        Truncated,
        "broke off",
        id="cut-chunk",
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        "close",
        Truncated,
        "2 bytes",
        id="cut-between-chunks",
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nab\r\n",
        "close",
        Truncated,
        "broke off",
        id="bad-chunk",
    ),
    pytest.param(reply(b"x", Content_Length="-5"), "close", NetworkError, "speak HTTP", id="negative-length"),
    pytest.param(
        reply(b"x", Content_Length="ten"), "close", NetworkError, "speak HTTP", id="length-in-words"
    ),
    pytest.param(
        reply(b"x", Content_Length="1\r\nContent-Length: 2"),
        "close",
        NetworkError,
        "speak HTTP",
        id="two-lengths",
    ),
    pytest.param(reply(b"x", Content_Length="9" * 20), "close", Truncated, "1 of 9999", id="absurd-length"),
    pytest.param(
        reply(b"x", Content_Length="9" * 6000), "close", NetworkError, "speak HTTP", id="longer-length"
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000 + b"\r\n\r\n",
        "close",
        NetworkError,
        "speak HTTP",
        id="huge-header",
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
        "close",
        NetworkError,
        "speak HTTP",
        id="many-headers",
    ),
    pytest.param(b"SSH-2.0-OpenSSH\r\n", "close", NetworkError, "speak HTTP", id="not-http"),
    pytest.param(b"\x1b]0;title\x07\r\n\r\n", "close", NetworkError, "speak HTTP", id="escape-sequences"),
    pytest.param(b"", "close", NetworkError, "broke off", id="no-answer"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab",
        "silent",
        Timeout,
        "silent after 2 of 9",
        id="stall-in-body",
    ),
    pytest.param(b"HTTP/1.1 200 OK\r\nCont", "silent", Timeout, "in time", id="stall-in-head"),
    pytest.param(b"", "silent", Timeout, "in time", id="stall-before-head"),
]
"""What a server sends, what it does then, and the error with its words."""


def patience(error: type[DyvineError]) -> Timeouts:
    """Little where the waiting is to end in a time-out."""
    return HASTY if error is Timeout else PATIENT


@pytest.mark.parametrize(("text", "then", "error", "match"), BROKEN)
async def test_a_broken_answer_has_its_cause(
    text: bytes, then: str, error: type[DyvineError], match: str, serve: Serve, network: Make
) -> None:
    """Every way in which an answer can break is one of our errors, without control characters."""
    server = await serve(raw(text, then))
    with pytest.raises(error, match=match) as caught:
        await read(network(timeouts=patience(error)), f"http://127.0.0.1:{server.port}/")

    assert type(caught.value) is error
    assert str(caught.value).isprintable()


async def test_surplus_bytes_do_not_reach_the_next_request(serve: Serve, network: Make) -> None:
    """A connection with bytes left over is not used again, so no answer can be smuggled."""
    smuggled = reply(b"smuggled")
    server = await serve(reply(b"ok") + smuggled)
    net = network()
    for _ in range(3):
        with pytest.raises(Truncated, match="more than"):
            await read(net, f"http://127.0.0.1:{server.port}/")

    assert server.connections == 3


async def test_surplus_bytes_after_the_last_chunk_do_not_reach_the_next_request(
    serve: Serve, network: Make
) -> None:
    """A chunked body that is followed by more costs its connection; one that is not keeps it."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    clean, followed = await serve(chunked), await serve(chunked + reply(b"smuggled"))
    net = network()
    found = [await read(net, f"http://127.0.0.1:{each.port}/") for each in (clean, followed) * 3]

    assert found == [(200, b"ok")] * 6
    assert (clean.connections, followed.connections) == (1, 3)


async def test_late_surplus_bytes_do_not_reach_the_next_request(serve: Serve, network: Make) -> None:
    """Bytes that come while a connection is idle close it."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> bytes:
        asyncio.get_running_loop().call_later(0.02, writer.write, reply(b"smuggled"))
        return reply(b"ok")

    server = await serve(answer)
    net = network()
    first = await read(net, f"http://127.0.0.1:{server.port}/")
    await asyncio.sleep(0.06)
    second = await read(net, f"http://127.0.0.1:{server.port}/")

    assert first == second == (200, b"ok")
    assert server.connections == 2


async def test_an_interim_answer_is_not_counted(serve: Serve, network: Make) -> None:
    """103 before 200 neither confuses the length nor costs the connection."""
    server = await serve(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + reply(b"body"))
    net = network()
    found = [await read(net, f"http://127.0.0.1:{server.port}/") for _ in range(2)]

    assert found == [(200, b"body")] * 2
    assert server.connections == 1


async def test_an_empty_answer_is_an_answer(serve: Serve, network: Make) -> None:
    """200 with nothing, 204 and 304 are for the caller to judge."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> bytes:
        status = int(asked.target[1:])
        return reply(status=status) if status == 200 else f"HTTP/1.1 {status} X\r\n\r\n".encode()

    server = await serve(answer)
    net = network()
    found = [await read(net, f"http://127.0.0.1:{server.port}/{status}") for status in (200, 204, 304)]

    assert found == [(200, b""), (204, b""), (304, b"")]
    assert server.connections == 1


async def test_a_slow_drip_is_given_up(serve: Serve, network: Make) -> None:
    """A server that sends a byte before every time-out is too slow, however long it goes on."""

    async def drip(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(Content_Length="1000"))
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    server = await serve(drip)
    limits = Timeouts(read=1, window=0.2, floor=1000)

    with pytest.raises(Timeout, match="too slow"):
        await read(network(timeouts=limits), f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize(
    "before", [pytest.param(b"1;", id="chunk extension"), pytest.param(b"1\r\nx\r\n0\r\nX: ", id="trailer")]
)
async def test_a_drip_beside_the_body_is_given_up(before: bytes, serve: Serve, network: Make) -> None:
    """Bytes that belong to no body keep the line busy, but do not hold the body's time-out off."""

    async def drip(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + before)
        while not writer.is_closing():
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.02)

    server = await serve(drip)
    limits = Timeouts(read=1, window=0.2, floor=1000)

    with pytest.raises(Timeout, match="too slow"):
        async with asyncio.timeout(5):
            await read(network(timeouts=limits), f"http://127.0.0.1:{server.port}/")


async def test_a_slow_reader_is_not_the_servers_fault(serve: Serve, network: Make) -> None:
    """Only the waiting for the server counts against the floor."""
    server = await serve(reply(b"x" * 600_000))
    now = [0.0]
    net = network(timeouts=Timeouts(window=10, floor=10**9), clock=lambda: now[0])
    async with net.send("GET", f"http://127.0.0.1:{server.port}/", {}) as response:
        size = 0
        async for chunk in response.chunks:
            size += len(chunk)
            now[0] += 60

    assert size == 600_000


async def test_a_dripping_head_is_given_up(serve: Serve, network: Make) -> None:
    """The time for everything before the body is limited as a whole."""

    async def drip(asked: Asked, writer: asyncio.StreamWriter) -> None:
        for letter in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100:
            writer.write(bytes([letter]))
            await writer.drain()
            await asyncio.sleep(0.02)

    server = await serve(drip)

    with pytest.raises(Timeout, match="within"):
        await read(network(timeouts=Timeouts(head=0.3)), f"http://127.0.0.1:{server.port}/")


# -- secrets -----------------------------------------------------------------------------------------------------


async def test_a_header_that_http_forbids_does_not_show_itself(network: Make, serve: Serve) -> None:
    """A cookie with a line break is refused without being printed."""
    server = await serve(reply(b"x"))
    with pytest.raises(InputError) as caught:
        await read(network(), f"http://127.0.0.1:{server.port}/", Cookie="sessionid=secret\r\nX: y")

    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert not server.asked


async def test_the_library_below_logs_no_heads(
    serve: Serve, network: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Even at the debug level neither sent nor received cookies reach a log."""
    caplog.set_level(logging.DEBUG)
    server = await serve(reply(b"x", Set_Cookie="sessionid=received"))
    await read(network(), f"http://127.0.0.1:{server.port}/?msToken=token", Cookie="sessionid=sent")

    assert not any(word in caplog.text for word in ("received", "sent", "token"))
