"""Speaking like a browser: real TLS over real sockets, with the rules that hold for every other connection."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamEnded

from dyvine_cli.errors import (
    AddressRefused,
    DyvineError,
    InputError,
    NetworkError,
    ProxyFailure,
    Timeout,
    TLSFailure,
    Truncated,
    UnexpectedResponse,
)
from dyvine_cli.http import tls
from dyvine_cli.http.body import read_body
from dyvine_cli.http.connect import ConnectTo
from dyvine_cli.http.curl import Workshop
from dyvine_cli.http.imitation import Browser
from dyvine_cli.http.network import Network, Timeouts

from ..hello import hello_of
from .conftest import Asked, Serve, Server, free_port, reply
from .test_network import BROKEN, leading_to, patience, raw
from .test_proxies import listed
from .test_proxy import StartProxy, start_proxy

__all__ = ["start_proxy"]

pytestmark = pytest.mark.anyio

Make = Callable[..., Network]
Certified = Callable[[str], ssl.SSLContext]
CHROME = Browser("chrome146", {"sec-ch-ua": '"Chromium";v="146"'})


async def read(
    network: Network, url: str, method: str = "GET", content: bytes = b"", **headers: str
) -> tuple[int, bytes]:
    """Status and body of one request that is made like a browser."""
    async with network.send(method, url, headers, content, like=CHROME) as response:
        return response.status, b"".join([chunk async for chunk in response.chunks])


@pytest.fixture
def trusting(network: Make, ca_file: Path) -> Make:
    """Makes networks that trust the authority of the tests."""
    return lambda **options: network(**{"ca_file": ca_file, **options})


@pytest.fixture
def secure(serve: Serve, certified: Certified) -> Serve:
    """A function that starts a server for https://localhost."""
    return lambda answer, name="localhost": serve(answer, tls=certified(name))


# -- what is said ------------------------------------------------------------------------------------------------


async def test_a_request_goes_out_byte_for_byte_in_a_browsers_order(secure: Serve, trusting: Make) -> None:
    """Nothing that curl would add by itself, and no path that it would tidy up."""
    server = await secure(reply(b"{}"))
    target = "/api/../x?aweme_id=1&X-Gnarly=a%2Fb%3d'%7e!"
    headers = {"Cookie": "sessionid=1", "X-Odd": "", "Accept": "*/*", "User-Agent": "UA"}
    found = await read(trusting(), f"https://localhost:{server.port}{target}", **headers)
    (asked,) = server.asked

    assert found == (200, b"{}")
    assert asked.target == target
    assert list(asked.headers.items()) == [
        ("host", f"localhost:{server.port}"),
        ("sec-ch-ua", '"Chromium";v="146"'),
        ("user-agent", "UA"),
        ("accept", "*/*"),
        ("x-odd", ""),
        ("cookie", "sessionid=1"),
    ]


async def test_a_body_is_sent_and_a_head_has_none(secure: Serve, trusting: Make) -> None:
    """POST with and without a body, HEAD; all over one connection."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> bytes:
        return reply(b"", Content_Length="9") if asked.method == "HEAD" else reply(asked.body)

    server = await secure(answer)
    net, url = trusting(), f"https://localhost:{server.port}/"
    found = [
        await read(net, url, "POST", b'{"a": 1}', **{"Content-Type": "application/json"}),
        await read(net, url, "POST"),
        await read(net, url, "HEAD"),
        await read(net, url),
    ]

    assert found == [(200, b'{"a": 1}'), (200, b""), (200, b""), (200, b"")]
    assert [each.headers.get("content-length") for each in server.asked] == ["8", "0", None, None]
    assert "content-type" not in server.asked[1].headers
    assert server.connections == 1


async def test_the_client_hello_is_a_browsers(network: Make) -> None:
    """Chrome's ciphers in Chrome's order, HTTP/2 offered, its own settings for it; ours are none of this."""
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(5)
        heard.append(head + await reader.readexactly(int.from_bytes(head[3:], "big")))
        writer.transport.abort()

    listening = await asyncio.start_server(listen, "127.0.0.1", 0)
    url = f"https://localhost:{listening.sockets[0].getsockname()[1]}/"
    net = network()
    for like in (CHROME, None):
        with pytest.raises(NetworkError, match="broke off the TLS handshake"):
            async with net.send("GET", url, {}, like=like):
                pass
    listening.close()
    (chrome, its), (own, ours) = map(hello_of, heard)

    assert [f"{each:x}" for each in chrome[:4]] == ["1301", "1302", "1303", "c02b"]
    assert (its[16], 17613 in its) == (b"\x00\x0c\x02h2\x08http/1.1", True)  # ALPN, ALPS
    assert chrome != own
    assert (b"h2" in ours.get(16, b""), 17613 in ours) == (False, False)


@pytest.mark.parametrize("value", ["sessionid=secret\r\nX: y", "secret\0", "secret\n"])
async def test_a_header_that_http_forbids_does_not_show_itself(
    value: str, secure: Serve, trusting: Make
) -> None:
    """What curl would put on the wire as it is."""
    server = await secure(reply(b"x"))
    with pytest.raises(InputError) as caught:
        await read(trusting(), f"https://localhost:{server.port}/", Cookie=value)

    assert "secret" not in str(caught.value)
    assert not server.asked


async def test_curl_keeps_no_cookies_and_follows_no_redirect(secure: Serve, trusting: Make) -> None:
    """What an answer sets is ours to keep, where it leads ours to judge."""
    server = await secure(reply(b"", status=302, Location="/next", Set_Cookie="a=b; Path=/"))
    net, url = trusting(), f"https://localhost:{server.port}/"
    async with net.send("GET", url, {}, like=CHROME) as response:
        found = response.status, response.header("location"), response.header("set-cookie")
    await read(net, url)

    assert found == (302, "/next", "a=b; Path=/")
    assert [(each.target, "cookie" in each.headers) for each in server.asked] == [("/", False)] * 2


async def test_variables_and_files_of_curl_mean_nothing(
    secure: Serve, trusting: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a proxy nor a login nor an authority comes from the environment behind our back."""
    (tmp_path / ".netrc").write_text("machine localhost login me password hush", encoding="utf-8")
    for name in ("https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "none.pem"))
    server = await secure(reply(b"x"))
    found = await read(trusting(), f"https://localhost:{server.port}/")

    assert found == (200, b"x")
    assert "authorization" not in server.asked[0].headers


@dataclass
class Second:
    """A server that speaks HTTP/2: what it was asked, and over how many connections."""

    said: list[tuple[str, str]]
    body: bytes
    cut: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer every request of a connection."""
        self.connections += 1
        spoken = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        spoken.initiate_connection()
        writer.write(spoken.data_to_send())
        while data := await reader.read(65536):
            for event in spoken.receive_data(data):
                if isinstance(event, RequestReceived):
                    self.asked.append({str(name): str(value) for name, value in event.headers})
                elif isinstance(event, StreamEnded):
                    self._answer(spoken, event.stream_id)
            writer.write(spoken.data_to_send())
        writer.close()

    def _answer(self, spoken: H2Connection, stream: int) -> None:
        spoken.send_headers(stream, self.said)
        for at in range(0, len(self.body), 16_000):
            spoken.send_data(stream, self.body[at : at + 16_000])
        if self.cut:
            spoken.reset_stream(stream)
        else:
            spoken.end_stream(stream)


@pytest.fixture
async def second(certified: Certified) -> AsyncIterator[Callable[[Second], Awaitable[int]]]:
    """Starts servers for https://localhost that speak HTTP/2 alone."""
    running: list[asyncio.Server] = []

    async def start(server: Second) -> int:
        context = certified("localhost")
        context.set_alpn_protocols(["h2"])
        running.append(await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context))
        return int(running[-1].sockets[0].getsockname()[1])

    yield start
    for each in running:
        each.close()


async def test_http_2_is_spoken_where_the_server_speaks_it(
    second: Callable[[Second], Awaitable[int]], trusting: Make
) -> None:
    """Names and order of a browser's pseudo headers, one connection, the whole body."""
    server = Second([(":status", "200"), ("set-cookie", "a=1"), ("set-cookie", "b=2")], b"x" * 60_000)
    port = await second(server)
    net = trusting()
    for _ in range(3):
        async with net.send(
            "GET", f"https://localhost:{port}/a?b=%2F", {"Cookie": "c=d"}, like=CHROME
        ) as answer:
            cookies = [value for name, value in answer.headers if name == "set-cookie"]
            body = b"".join([chunk async for chunk in answer.chunks])

    assert (answer.status, answer.length, len(body)) == (200, None, 60_000)
    assert cookies == ["a=1", "b=2"]
    assert server.connections == 1
    assert list(server.asked[0].items()) == [
        (":method", "GET"),
        (":authority", f"localhost:{port}"),
        (":scheme", "https"),
        (":path", "/a?b=%2F"),
        ("sec-ch-ua", '"Chromium";v="146"'),
        ("cookie", "c=d"),
    ]


@pytest.mark.parametrize(("length", "cut"), [("100", True), ("100", False), ("40000", False)])
async def test_a_body_over_http_2_is_held_to_its_length(
    length: str, cut: bool, second: Callable[[Second], Awaitable[int]], trusting: Make
) -> None:
    """A stream that is reset, is longer or shorter than promised, is no whole body."""
    said = [(":status", "200"), ("content-length", length)]
    port = await second(Second(said, b"x" * (50 if cut or length == "100" else 50_000), cut))

    with pytest.raises(Truncated):
        await read(trusting(), f"https://localhost:{port}/")


# -- where to ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "[::1]", "169.254.169.254"])
async def test_an_inner_address_is_refused(host: str, network: Make) -> None:
    """Where a connection leads is not for curl to say."""
    with pytest.raises(AddressRefused, match="private network"):
        await read(network(allow=()), f"https://{host}/latest/meta-data/")


async def test_dns_rebinding_is_refused(secure: Serve, trusting: Make) -> None:
    """A name is judged at every connection, by the address that is connected to."""
    answers = iter([["127.0.0.2"], ["127.0.0.1"]])

    async def resolve(host: str, port: int) -> Sequence[str]:
        return next(answers)

    server = await secure(reply(b"secret"), "rebinding.example")
    net = trusting(allow=[ipaddress.ip_network("127.0.0.2/32")], resolve=resolve)
    url = f"https://rebinding.example:{server.port}/"
    with pytest.raises(NetworkError, match="cannot be reached"):
        await read(net, url)

    with pytest.raises(AddressRefused):
        await read(net, url)
    assert not server.asked


async def test_connect_to_moves_only_the_socket(secure: Serve, trusting: Make) -> None:
    """Name, certificate and Host header stay those of the real host; plain HTTP there is spoken our own way."""
    server = await secure(reply(b"x"), "www.douyin.com")

    rules = ConnectTo.parse(
        f"www.douyin.com:443:127.0.0.1:{server.port},v.douyin.com:443:127.0.0.1:{server.port}"
    )
    net = trusting(allow=(), connect_to=rules)
    found = await read(net, "https://www.douyin.com/")

    assert found == (200, b"x")
    assert server.asked[0].headers["host"] == "www.douyin.com"
    with pytest.raises(TLSFailure, match="douyin"):
        await read(net, "https://v.douyin.com/")


async def test_a_stand_in_without_tls_is_spoken_to_as_it_is(serve: Serve, network: Make) -> None:
    """There is nothing to imitate in plain HTTP."""
    server = await serve(reply(b"x"))
    net = network(connect_to=ConnectTo.parse(f"*:80:127.0.0.1:{server.port}"), listed=["a.com"])

    assert await read(net, "https://a.com/") == (200, b"x")


async def test_it_goes_through_proxies_with_their_logins(
    secure: Serve, trusting: Make, start_proxy: StartProxy, tmp_path: Path
) -> None:
    """The login goes to the proxy alone, dead ones of a list are passed over, the target's certificate is checked."""
    server = await secure(reply(b"x", Connection="close"))
    strange = await secure(reply(b"x"), "other.example")
    web, socks = await start_proxy("http", "me:hush"), await start_proxy("socks5")
    dead = f"http://me:hush@127.0.0.1:{free_port()}"
    setting = listed(tmp_path, f"http://me:hush@127.0.0.1:{web}", dead, f"socks5://127.0.0.1:{socks}")
    net = trusting(proxy=setting, listed=["localhost"])
    found = [await read(net, f"https://localhost:{server.port}/") for _ in range(3)]

    assert found == [(200, b"x")] * 3
    assert server.connections == 3
    assert "proxy-authorization" not in server.asked[0].headers
    with pytest.raises(TLSFailure, match="localhost"):
        await read(net, f"https://localhost:{strange.port}/")


async def test_a_proxy_that_fails_is_told_without_its_login(trusting: Make) -> None:
    """As for every other connection."""
    net = trusting(proxy=f"http://me:hush@127.0.0.1:{free_port()}", listed=["localhost"])
    with pytest.raises(ProxyFailure) as caught:
        await read(net, "https://localhost:1/")

    assert "hush" not in f"{caught.value!r} {caught.value.hint}"


# -- trust -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("localhost", {"ca_file": None}, "certificate of localhost"),
        ("other.example", {}, "certificate of localhost"),
    ],
    ids=["authority", "name"],
)
async def test_a_certificate_that_proves_nothing_is_refused(
    name: str, options: Mapping[str, object], match: str, secure: Serve, trusting: Make
) -> None:
    """Before anything is sent, with the same words as elsewhere."""
    server = await secure(reply(b"x"), name)
    with pytest.raises(TLSFailure, match=match) as caught:
        await read(trusting(**options), f"https://localhost:{server.port}/")

    assert "--ca-file" in (caught.value.hint or "")
    assert not server.asked


async def test_unchecked_certificates_are_the_persons_choice(secure: Serve, network: Make) -> None:
    """`verify` False takes any certificate."""
    server = await secure(reply(b"x"), "other.example")

    assert await read(network(verify=False), f"https://localhost:{server.port}/") == (200, b"x")


async def test_plain_http_on_a_tls_port_is_no_certificate_matter(serve: Serve, network: Make) -> None:
    """The message says that no TLS is spoken."""
    server = await serve(reply(b"x"))

    with pytest.raises(TLSFailure, match="does not speak TLS"):
        await read(network(), f"https://localhost:{server.port}/")


# -- answers -----------------------------------------------------------------------------------------------------

BOUND = [each for each in BROKEN if each.id not in ("surplus", "much-surplus")]


@pytest.mark.parametrize(("text", "then", "error", "match"), BOUND)
async def test_a_broken_answer_has_its_cause(
    text: bytes, then: str, error: type[DyvineError], match: str, secure: Serve, trusting: Make
) -> None:
    """The same table as for our own connections, and the same words."""
    server = await secure(raw(text, then))
    with pytest.raises(error, match=match) as caught:
        await read(trusting(timeouts=patience(error)), f"https://localhost:{server.port}/")

    assert type(caught.value) is error
    assert str(caught.value).isprintable()


async def test_surplus_bytes_do_not_reach_the_next_request(secure: Serve, trusting: Make) -> None:
    """They are left out; no answer can be smuggled behind another."""
    server = await secure(reply(b"ok") + reply(b"smuggled"))
    net = trusting()
    found = [await read(net, f"https://localhost:{server.port}/") for _ in range(3)]

    assert found == [(200, b"ok")] * 3


async def test_a_bomb_is_unpacked_no_further_than_its_limit(secure: Serve, trusting: Make) -> None:
    """Packed bodies come as they are: our own limits hold."""
    server = await secure(reply(gzip.compress(bytes(40 * 2**20), 1), Content_Encoding="gzip"))
    with pytest.raises(UnexpectedResponse, match="larger than"):
        async with trusting().send("GET", f"https://localhost:{server.port}/", {}, like=CHROME) as response:
            await read_body(response, "x")


async def endless(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A body that never ends."""
    writer.write(reply(b"", Content_Length="10000000000"))
    with suppress(OSError):
        while not writer.is_closing():
            writer.write(b"x" * 65536)
            await writer.drain()
            await asyncio.sleep(0)  # over TLS, `drain` need not let the loop hear of a lost connection


def descriptors() -> int:
    """How many files and sockets are open, as far as the system tells."""
    place = Path("/proc/self/fd")
    return len(list(place.iterdir())) if place.is_dir() else 0


async def test_leaving_early_and_cancelling_end_the_transfer(secure: Serve, trusting: Make) -> None:
    """Its connection, its thread and its sockets are gone at once, and curl does not run ahead of its reader."""
    server: Server = await secure(endless)
    net, url = trusting(), f"https://localhost:{server.port}/"
    before = descriptors()

    async def leave() -> None:
        async with net.send("GET", url, {}, like=CHROME) as response:
            await anext(response.chunks)
            await asyncio.sleep(0.02)

    async def stay() -> None:
        async with net.send("GET", url, {}, like=CHROME) as response:
            async for _ in response.chunks:
                pass

    for _ in range(3):
        await leave()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(stay()) for _ in range(4)]
        await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
    await server.thins_out()

    assert server.open == 0
    assert descriptors() <= before + 2


async def test_a_server_that_says_nothing_is_given_up(secure: Serve, trusting: Make) -> None:
    """A silent answer costs the read limit; a request that is cancelled meanwhile costs nothing."""
    server = await secure(raw(b"", "silent"))
    with pytest.raises(Timeout, match="in time"):
        await read(trusting(timeouts=Timeouts(read=0.1)), f"https://localhost:{server.port}/")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await read(trusting(), f"https://localhost:{server.port}/")


async def test_a_connection_that_the_server_closed_is_not_used(secure: Serve, trusting: Make) -> None:
    """A dead idle connection is noticed before the next request."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(b"bye"))
        await writer.drain()

    server = await secure(answer)
    net = trusting()
    for _ in range(2):
        assert await read(net, f"https://localhost:{server.port}/") == (200, b"bye")
        await asyncio.sleep(0.05)

    assert server.connections == 2


async def test_where_sockets_have_no_folder_a_port_leads_to_the_tunnel(
    serve: Serve, certified: Certified, ca_file: Path
) -> None:
    """As on Windows: the certificate is checked for the real name, the Host header is the real one."""
    server = await serve(reply(b"x"), tls=certified("far.example"))
    shop = Workshop(tls.context(ca_file, verify=True), by_port=True)
    net = Network(
        ca_file=ca_file, resolve=leading_to("127.0.0.1"), allow=[ipaddress.ip_network("127.0.0.0/8")]
    )
    net._workshop = shop
    try:
        found = await read(net, f"https://far.example:{server.port}/")
    finally:
        await net.aclose()

    assert found == (200, b"x")
    assert server.asked[0].headers["host"] == f"far.example:{server.port}"


async def test_cut_bodies_say_how_far_they_came(secure: Serve, trusting: Make) -> None:
    """A body that ends early is Truncated whatever came before."""
    server = await secure(raw(reply(b"x" * 200_000, Content_Length="300000")))

    with pytest.raises(Truncated, match="200000 of 300000"):
        await read(trusting(), f"https://localhost:{server.port}/")
