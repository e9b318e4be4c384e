"""Real proxies on loopback: HTTP and SOCKS 5, plain and encrypted targets."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import trustme

from dyvine_cli.errors import AddressRefused, ConfigError, NetworkError, ProxyFailure, TLSFailure
from dyvine_cli.http.connect import ConnectTo
from dyvine_cli.http.network import CONNECTIONS, Network, Timeouts
from dyvine_cli.http.proxy import Proxy

from .conftest import Serve, free_port, read, reply

pytestmark = pytest.mark.anyio

Make = Callable[..., Network]
StartProxy = Callable[..., Awaitable[int]]
PPROXY = "import sys, pproxy.server; sys.exit(pproxy.server.main())"


async def listening(port: int) -> None:
    """Return once something accepts connections on a port."""
    async with asyncio.timeout(15):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                await writer.wait_closed()
                return


@pytest.fixture
async def start_proxy() -> AsyncIterator[StartProxy]:
    """Starts a pproxy process: kind (http, socks5, http+ssl) and what stands behind the address."""
    running: list[asyncio.subprocess.Process] = []

    async def start(kind: str, login: str = "", *more: str) -> int:
        port = free_port()
        place = f"{kind}://127.0.0.1:{port}" + (f"#{login}" if login else "")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PPROXY,
            "-l",
            place,
            *more,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        running.append(process)
        await listening(port)
        return port

    yield start
    for process in running:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("kind", ["http", "socks5", "socks5h"])
async def test_plain_and_encrypted_targets_go_through_a_proxy(
    kind: str,
    serve: Serve,
    network: Make,
    start_proxy: StartProxy,
    certified: Callable[[str], ssl.SSLContext],
    ca_file: Path,
) -> None:
    """The proxy looks the name up, the target's certificate is still checked, connections are kept."""
    plain = await serve(reply(b"plain"))
    secret = await serve(reply(b"secret"), tls=certified("localhost"))
    strange = await serve(reply(b"strange"), tls=certified("other.example"))
    port = await start_proxy(kind.removesuffix("h"))
    net = network(proxy=f"{kind}://127.0.0.1:{port}", ca_file=ca_file, listed=["localhost"])
    found = [await read(net, f"http://localhost:{plain.port}/a?b=1") for _ in range(3)]
    found += [await read(net, f"https://localhost:{secret.port}/") for _ in range(3)]

    assert found == [(200, b"plain")] * 3 + [(200, b"secret")] * 3
    assert (plain.asked[0].target, plain.asked[0].headers["host"]) == ("/a?b=1", f"localhost:{plain.port}")
    assert (plain.connections, secret.connections) == (1, 1)
    for _ in range(20):
        with pytest.raises(TLSFailure, match="localhost"):
            await read(net, f"https://localhost:{strange.port}/")
    assert not strange.asked


@pytest.mark.parametrize("kind", ["http", "socks5"])
@pytest.mark.parametrize(
    ("login", "accepted"),
    [("person:pass%20word%C3%A9@", True), ("person:wrong@", False), ("", False)],
    ids=["right", "wrong", "none"],
)
async def test_a_proxys_login_is_sent_and_never_shown(
    kind: str, login: str, accepted: bool, serve: Serve, network: Make, start_proxy: StartProxy
) -> None:
    """A right login passes; a wrong or missing one is a ProxyFailure without the password."""
    server = await serve(reply(b"x"))
    port = await start_proxy(kind, "person:pass wordé")
    net = network(proxy=f"{kind}://{login}127.0.0.1:{port}", listed=["localhost"])
    if accepted:
        assert await read(net, f"http://localhost:{server.port}/") == (200, b"x")
        assert "proxy-authorization" not in server.asked[0].headers
        return
    with pytest.raises(ProxyFailure) as caught:
        await read(net, f"http://localhost:{server.port}/")

    assert not any(word in str(caught.value) for word in ("person", "wrong", "pass"))
    assert f"127.0.0.1:{port}" in str(caught.value)


async def test_a_proxy_over_tls_is_verified_too(
    serve: Serve,
    network: Make,
    start_proxy: StartProxy,
    authority: trustme.CA,
    certified: Callable[[str], ssl.SSLContext],
    ca_file: Path,
    tmp_path: Path,
) -> None:
    """TLS inside TLS works, and a proxy that cannot prove its name is refused."""
    pem = tmp_path / "proxy.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(pem)
    secret = await serve(reply(b"secret"), tls=certified("localhost"))
    port = await start_proxy("http+ssl", "", "--ssl", str(pem))
    net = network(proxy=f"https://localhost:{port}", ca_file=ca_file, listed=["localhost"])
    found = await read(net, f"https://localhost:{secret.port}/")

    assert found == (200, b"secret")
    for proxy, trust in ((f"https://127.0.0.1:{port}", ca_file), (f"https://localhost:{port}", None)):
        with pytest.raises(ProxyFailure, match="certificate"):
            await read(
                network(proxy=proxy, ca_file=trust, listed=["localhost"]), f"https://localhost:{secret.port}/"
            )


@pytest.mark.parametrize("kind", ["http", "https", "socks5"])
async def test_a_proxy_that_is_not_there_is_a_proxy_failure(kind: str, network: Make) -> None:
    """The proxy is named with its login masked, and where it may be set."""
    net = network(proxy=f"{kind}://me:hush@127.0.0.1:{free_port()}", listed=["a.com"])
    with pytest.raises(ProxyFailure, match=r"\*\*\*@127\.0\.0\.1") as caught:
        await read(net, "https://a.com/")

    assert "hush" not in f"{caught.value!r} {caught.value} {caught.value.hint}"
    assert "http_proxy" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("kind", "said", "error", "match"),
    [
        ("http", reply(b"no", status=403), ProxyFailure, "status 403"),
        ("http", reply(b"no", status=407), ProxyFailure, "asks for a login"),
        ("http", reply(b"no", status=502), NetworkError, "could not reach"),
        ("http", b"HTTP/1.1 100 Wait\r\n\r\n" + reply(b"no", status=403), ProxyFailure, "status 403"),
        ("http", b"HTTP/1.1 102 Wait\r\n\r\n" * 50, ProxyFailure, "status 102"),
        ("http", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n", ProxyFailure, "not a proxy"),
        ("http", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 600_000, ProxyFailure, "not a proxy"),
        ("http", b"HTTP/1.1\r\n\r\n", ProxyFailure, "not a proxy"),
        ("http", b"SSH-2.0\r\n\r\n", ProxyFailure, "not a proxy"),
        ("http", b"", ProxyFailure, "not a proxy"),
        ("socks5", b"HTTP/1.1 400 Bad Request\r\n\r\n", ProxyFailure, "not a proxy"),
        ("socks5", b"\x05\xff", ProxyFailure, "asks for a login"),
        ("socks5", b"\x05\x00\x05\x05\x00\x01" + b"\x00" * 6, NetworkError, "connection refused"),
        ("socks5", b"\x05\x00\x05\x02\x00\x01" + b"\x00" * 6, ProxyFailure, "rules"),
        ("socks5", b"\x05\x00\x05\x00\x00\x03", ProxyFailure, "not a proxy"),
    ],
)
async def test_a_proxy_that_refuses_says_why(
    kind: str, said: bytes, error: type[NetworkError], match: str, network: Make
) -> None:
    """Refusals, endless heads and services that are no proxy have their words."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(said)
        try:
            await writer.drain()
            writer.write_eof()
            await reader.read()
        except OSError:
            pass
        writer.transport.abort()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(error, match=match) as caught:
        await read(network(proxy=f"{kind}://127.0.0.1:{port}", listed=["a.com"]), "https://a.com/")
    server.close()

    assert type(caught.value) is error


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_silent_proxy_is_given_up(kind: str, network: Make) -> None:
    """A proxy that takes the connection and says nothing does not hold us, nor any of our places."""
    talks: list[asyncio.Task[None] | None] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(asyncio.current_task())
        await reader.read()
        writer.transport.abort()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    net = network(proxy=f"{kind}://127.0.0.1:{port}", listed=["a.com"], timeouts=Timeouts(connect=0.5))
    ends = await asyncio.gather(*(read(net, "https://a.com/") for _ in range(20)), return_exceptions=True)
    server.close()
    await asyncio.gather(*filter(None, talks))

    assert len(ends) > CONNECTIONS
    for each in ends:
        assert isinstance(each, ProxyFailure)
        assert "does not answer" in str(each)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "0x7f.1", "[::1]", "169.254.169.254", "localhost", "router", "printer.local"]
)
async def test_a_proxy_is_not_asked_for_inner_addresses(host: str, network: Make) -> None:
    """What stands near the proxy or in its network stays closed to data."""
    net = network(allow=(), proxy=f"http://127.0.0.1:{free_port()}")

    with pytest.raises(AddressRefused):
        await read(net, f"http://{host}/admin")


async def test_connect_to_goes_before_the_proxy(serve: Serve, network: Make) -> None:
    """A connect-to rule never goes through a proxy; other hosts do."""
    server = await serve(reply(b"x"))
    rules = ConnectTo.parse(f"a.com:80:127.0.0.1:{server.port}")
    net = network(proxy=f"http://127.0.0.1:{free_port()}", connect_to=rules, listed=["a.com", "b.com"])
    found = await read(net, "http://a.com/")

    assert found == (200, b"x")
    with pytest.raises(ProxyFailure):
        await read(net, "http://b.com/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h:1",
        "socks4://h:1",
        "h:1",
        "//h:1",
        "http://",
        "http://h:0",
        "http://h:x",
        "http://h:99999",
        "http://h/path",
        "http://a b:1",
        f"http://{'u' * 256}:p@h:1",
    ],
)
def test_a_proxy_that_cannot_be_used_is_a_config_error(url: str) -> None:
    """The form is explained, a password is not repeated."""
    with pytest.raises(ConfigError):
        Proxy.parse(url)


def test_a_proxy_shows_itself_without_its_login() -> None:
    """Neither text nor repr hold user or password."""
    proxy = Proxy.parse("socks5h://user:hush@[::1]:1080")

    assert str(proxy) == "socks5h://***@[::1]:1080"
    assert "hush" not in repr(proxy)
    assert "user" not in repr(proxy)
