"""Lists of proxies: real proxies on loopback take turns, dead ones rest, and nothing of a login is shown."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dyvine_cli.errors import AddressRefused, ConfigError, NetworkError, ProxyFailure, TLSFailure
from dyvine_cli.http.network import Network, Timeouts
from dyvine_cli.http.proxies import Order, ProxyList
from dyvine_cli.rests import Rests

from .conftest import Serve, free_port, read, reply
from .test_proxy import StartProxy, start_proxy

__all__ = ["start_proxy"]

pytestmark = pytest.mark.anyio

Make = Callable[..., Network]


async def unasked(url: str) -> bytes:
    """The fetcher of a list that is a file."""
    raise AssertionError(url)


def listed(folder: Path, *lines: str) -> str:
    """The setting of a list with these lines."""
    path = folder / "proxies.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return f"list:{path}"


async def test_connections_go_through_the_proxies_of_a_list(
    serve: Serve,
    network: Make,
    start_proxy: StartProxy,
    certified: Callable[[str], ssl.SSLContext],
    ca_file: Path,
    tmp_path: Path,
) -> None:
    """Kinds may be mixed, logins are sent, dead ones are passed over, the target's certificate is still checked."""
    close = reply(b"secret", Connection="close")
    secret = await serve(close, tls=certified("localhost"))
    strange = await serve(close, tls=certified("other.example"))
    plain = await serve(reply(b"plain", Connection="close"))
    web = await start_proxy("http", "person:hush")
    socks = await start_proxy("socks5")
    setting = listed(
        tmp_path,
        "# ours",
        f"person:hush@127.0.0.1:{web}",
        "",
        f"http://127.0.0.1:{free_port()}",
        f"socks5://127.0.0.1:{socks}",
    )
    net = network(proxy=setting, ca_file=ca_file, listed=["localhost"])
    found = [await read(net, f"https://localhost:{secret.port}/") for _ in range(4)]
    found.append(await read(net, f"http://localhost:{plain.port}/"))

    assert found == [(200, b"secret")] * 4 + [(200, b"plain")]
    assert secret.connections == 4
    assert "proxy-authorization" not in plain.asked[0].headers
    for _ in range(2):
        with pytest.raises(TLSFailure, match="localhost"):
            await read(net, f"https://localhost:{strange.port}/")
    assert not strange.asked


async def test_a_list_of_dead_proxies_is_a_proxy_failure(network: Make, tmp_path: Path) -> None:
    """The last one is named, without its login."""
    net = network(
        proxy=listed(tmp_path, *(f"http://me:hush@127.0.0.1:{free_port()}" for _ in range(3))),
        listed=["a.com"],
    )
    with pytest.raises(ProxyFailure, match=r"\*\*\*@127") as caught:
        await read(net, "https://a.com/")

    assert "hush" not in f"{caught.value!r} {caught.value.hint}"


async def test_a_proxy_that_failed_rests_for_the_next_run_too(
    serve: Serve, network: Make, start_proxy: StartProxy, tmp_path: Path
) -> None:
    """The first run meets it once; what the state folder keeps of it is no login, and people are shown none."""
    server = await serve(reply(b"x", Connection="close"))
    dead, alive = free_port(), await start_proxy("http", "me:hush")
    setting = listed(tmp_path, *(f"http://me:hush@127.0.0.1:{port}" for port in (dead, alive)))
    state = tmp_path / "state"
    found = []
    for _ in range(2):
        net = network(proxy=setting, proxy_order="first", listed=["localhost"], rests=Rests(state))
        found.append(
            ([each.failures for each in net.resting()], await read(net, f"http://localhost:{server.port}/"))
        )
    (shown,) = net.resting()

    assert found == [([], (200, b"x")), ([1], (200, b"x"))]
    assert (shown.shown, shown.failures) == (f"http://***@127.0.0.1:{dead}", 1)
    assert "hush" not in (state / "proxies.json").read_text(encoding="utf-8")


async def test_a_host_that_no_proxy_reaches_speaks_against_none(
    serve: Serve, network: Make, start_proxy: StartProxy, tmp_path: Path
) -> None:
    """What is behind the proxies is down: the others are asked, too, and none of them rests."""
    ports = [await start_proxy("socks5"), await start_proxy("socks5")]
    net = network(
        proxy=listed(tmp_path, *(f"socks5://127.0.0.1:{port}" for port in ports)),
        listed=["localhost"],
        timeouts=Timeouts(connect=5),
    )
    with pytest.raises(NetworkError):
        await read(net, f"https://localhost:{free_port()}/")


async def test_inner_addresses_stay_closed(network: Make, tmp_path: Path) -> None:
    """A list changes nothing about where data may lead."""
    net = network(allow=(), proxy=listed(tmp_path, "http://127.0.0.1:1"))

    with pytest.raises(AddressRefused):
        await read(net, "http://169.254.169.254/latest")


async def test_a_list_is_fetched_once_and_without_a_proxy(
    serve: Serve,
    network: Make,
    start_proxy: StartProxy,
    certified: Callable[[str], ssl.SSLContext],
    ca_file: Path,
) -> None:
    """Its address may be on this machine, its certificate is checked, its token is in no text."""
    target = await serve(reply(b"x", Connection="close"))
    port = await start_proxy("http")
    source = await serve(reply(f"127.0.0.1:{port}\n".encode()), tls=certified("localhost"))
    setting = f"list:https://localhost:{source.port}/proxies?token=hush"
    net = network(proxy=setting, ca_file=ca_file, listed=["localhost"])
    found = [await read(net, f"http://localhost:{target.port}/") for _ in range(3)]
    untrusting = network(proxy=setting, listed=["localhost"])
    with pytest.raises(ProxyFailure, match="certificate") as caught:
        await read(untrusting, f"http://localhost:{target.port}/")

    assert found == [(200, b"x")] * 3
    assert [each.target for each in source.asked] == ["/proxies?token=hush"]
    assert "hush" not in f"{caught.value} {net.way('https://localhost/')}"


BODIES = {
    "missing": (reply(b"no", status=404), ProxyFailure, "status 404"),
    "moved": (reply(b"", status=302, Location="http://127.0.0.1/"), ProxyFailure, "status 302"),
    "empty": (reply(b"\n# none\n"), ConfigError, "no proxy in it"),
    "page": (reply(b"<html>hush</html>"), ConfigError, "line 1"),
    "endless": (reply(b"http://a.example:1\n" * 60_000), ConfigError, "larger than 1 MiB"),
}


@pytest.mark.parametrize(("said", "error", "match"), BODIES.values(), ids=list(BODIES))
async def test_what_is_fetched_and_no_list(
    said: bytes, error: type[Exception], match: str, serve: Serve, network: Make
) -> None:
    """The cause is told, the content is not."""
    source = await serve(said)
    net = network(proxy=f"list:http://127.0.0.1:{source.port}/", listed=["a.com"])
    with pytest.raises(error, match=match) as caught:
        await read(net, "https://a.com/")

    assert "hush" not in str(caught.value)


FILES = {
    "a line that is none": (["http://a.example:1", "ftp://me:hush@a.example"], "line 2"),
    "only words": (["hush hush"], "line 1"),
    "nothing": ([], "no proxy in it"),
}


@pytest.mark.parametrize(("lines", "match"), FILES.values(), ids=list(FILES))
def test_a_file_that_cannot_be_used(lines: list[str], match: str, tmp_path: Path) -> None:
    """It is told before anything is asked, by its line and without its content."""
    with pytest.raises(ConfigError, match=match) as caught:
        ProxyList(listed(tmp_path, *lines), fetch=unasked)

    assert "hush" not in f"{caught.value} {caught.value.hint}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The file is named."""
    with pytest.raises(ConfigError, match=r"gone\.txt"):
        ProxyList(f"list:{tmp_path / 'gone.txt'}", fetch=unasked)


async def hosts(proxies: ProxyList) -> str:
    """The order of one connection, a letter per proxy."""
    return "".join(each.host[0] for each in await proxies.in_turn())


ORDERS: dict[Order, Sequence[str]] = {
    "round-robin": ("abc", "bca", "cab", "abc"),
    "first": ("abc", "abc", "abc", "abc"),
    "random": ("cba", "cba", "cba", "cba"),
}


@pytest.mark.parametrize(("order", "turns"), ORDERS.items(), ids=list(ORDERS))
async def test_orders(order: Order, turns: Sequence[str], tmp_path: Path) -> None:
    """Which proxy each of four connections tries, and which ones after it; doubles count once."""
    setting = listed(tmp_path, "a.example:1", "b.example:1", "a.example:1", "SOCKS://c.example:1")
    proxies = ProxyList(setting, fetch=unasked, order=order, shuffled=lambda found: list(reversed(found)))

    assert [await hosts(proxies) for _ in range(4)] == list(turns)


async def test_what_failed_rests_and_comes_back(tmp_path: Path) -> None:
    """A minute, then two, at most an hour; it is still the last resort, and one success forgives all."""
    at = [0.0]
    setting = listed(tmp_path, "a.example:1", "b.example:1", "c.example:1")
    proxies = ProxyList(setting, fetch=unasked, order="first", rests=Rests(None, clock=lambda: at[0]))
    a, b, _ = proxies.known
    orders = []
    for seconds in (0, 59, 2, 60, 70):
        if seconds in (0, 2):
            proxies.failed(a)
        at[0] += seconds
        orders.append(await hosts(proxies))
    proxies.failed(b)
    orders.append(await hosts(proxies))
    for _ in range(20):
        proxies.failed(a)
    at[0] += 3601
    orders.append(await hosts(proxies))
    proxies.failed(a)
    proxies.worked(a)
    orders.append(await hosts(proxies))

    assert orders == ["bca", "bca", "bca", "bca", "abc", "acb", "abc", "abc"]
