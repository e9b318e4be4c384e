"""How requests leave this machine: connections, proxies, connect-to, address rules, one lane per host.

Both clients send through `Network.send`; nothing else opens a socket to a host that is not ours.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Collection,
    Mapping,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import httpcore

from dyvine_cli.errors import AddressRefused, NetworkError, ProxyFailure, Timeout
from dyvine_cli.http import sockets, tls
from dyvine_cli.http.addresses import Address, IPNetwork, is_address, is_local_name, is_public, split, within
from dyvine_cli.http.chunks import Chunks, Timeouts
from dyvine_cli.http.connect import ConnectTo, Route
from dyvine_cli.http.failures import mapped, reason
from dyvine_cli.http.imitation import Browser, Imitation
from dyvine_cli.http.lane import CONNECTIONS, Connection, Lane
from dyvine_cli.http.proxies import LARGEST, PREFIX, Order, ProxyList
from dyvine_cli.http.proxy import Proxy
from dyvine_cli.rests import Rest, Rests

if TYPE_CHECKING:
    import ssl

    from dyvine_cli.http.curl import Workshop

# Its debug records show whole heads, Set-Cookie included.
logging.getLogger("httpcore").setLevel(logging.WARNING)

_LANES = 48  # hosts whose connections are kept
_GREETING = 3.0  # seconds for a handshake with this machine itself
_EVERYWHERE = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
_Key = tuple[str, str, int, str | None]  # an origin, and whom its connections imitate
_SMALL = 2**16  # a body that is read to its end to keep the connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The head of an answer and its body as it comes on the wire.

    `headers` are pairs with lower-case names, in the server's order; `length` is the promised size of the body, None
    if there is none. `chunks` raises Timeout, or Truncated when fewer or more bytes than promised come.
    """

    status: int
    headers: Sequence[tuple[str, str]]
    length: int | None
    chunks: AsyncGenerator[bytes, None] = field(repr=False)

    def header(self, name: str) -> str | None:
        """The values of a header, joined; `name` in lower case. None if it is not there."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None

    async def drain(self) -> None:
        """Read a small body to its end, so that the connection can serve the next request."""
        if self.length is not None and self.length <= _SMALL:
            async for _ in self.chunks:
                pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How requests to a host leave: `host` is whose name is looked up here, `shown` where the socket goes, for people."""

    kind: Literal["direct", "proxy", "connect-to"]
    host: str
    port: int
    shown: str


class Network:
    """Opens connections by the rules of this run.

    `connect_to` leads sockets elsewhere and goes before the proxy. `proxy` is one or, as `list:FILE` or `list:URL`,
    several, of which each new connection takes one by `proxy_order` and the next where that fails; `rests`
    remembers which failed, None for this object alone. `ca_file` adds authorities, `verify` False trusts
    anyone. `listed` are the platforms' domains: over verified TLS they may resolve to any address; every other host
    must resolve to a public one or one in `allow`. `imitation` says which sites' calls speak like a browser. `resolve`
    gives the addresses of a name.
    Raises ConfigError for a proxy that cannot be used.
    """

    def __init__(
        self,
        *,
        connect_to: ConnectTo | None = None,
        proxy: str | None = None,
        proxy_order: Order = "round-robin",
        rests: Rests | None = None,
        ca_file: Path | None = None,
        verify: bool = True,
        allow: Sequence[IPNetwork] = (),
        listed: Collection[str] = (),
        imitation: Imitation | None = None,
        timeouts: Timeouts | None = None,
        resolve: sockets.Resolver = sockets.resolve,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.timeouts = timeouts or Timeouts()
        self.imitation = imitation or Imitation()
        self._connect_to = connect_to or ConnectTo()
        several = proxy is not None and proxy.startswith(PREFIX)
        self._proxy = Proxy.parse(proxy) if proxy and not several else None
        self._proxies = (
            ProxyList(proxy, fetch=self._fetched, order=proxy_order, rests=rests)
            if proxy and several
            else None
        )
        self._ca_file = ca_file
        self._verify = verify
        self._allow = tuple(allow)
        self._listed = frozenset(listed)
        self._resolve = resolve
        self._clock = clock
        self._lanes: dict[_Key, Lane] = {}
        self._workshop: Workshop | None = None
        self._speaks_tls: dict[tuple[str, int], bool] = {}

    def is_listed(self, host: str) -> bool:
        """Whether a host is one of the platforms'."""
        return within(host, self._listed)

    @asynccontextmanager
    async def send(
        self,
        method: str,
        url: str | Address,
        headers: Mapping[str, str],
        content: bytes = b"",
        *,
        like: Browser | None = None,
    ) -> AsyncIterator[Response]:
        """Send one request with exactly these headers (and Host) and give the answer, whatever its status.

        No redirect is followed. A GET that meets a kept connection which the host had closed is sent once more. Leaving the context early closes the connection. Over TLS it is spoken `like` a browser,
        None for our own way; its client hints go along.
        Raises AddressRefused, Timeout, TLSFailure, ProxyFailure, NetworkError, InputError.
        """
        address = split(url) if isinstance(url, str) else url
        lane = await self._enter(address, like.target if like else None)
        headers = {**headers, **like.hints} if like else headers
        try:
            request = _request(lane, address, method, headers, content, self._login(lane))
            begin = partial(self._begin, address.host, request)
            async with lane.answer(begin, repeatable=method in ("GET", "HEAD")) as answer:
                if lane.forwarded and answer.status == 407 and self._proxy:
                    raise self._proxy.login_failure()
                response = self._response(lane, address, method, answer)
                async with aclosing(response.chunks):
                    yield response
        finally:
            lane.users -= 1

    # --- one step of the way alone, for those who look for the one that fails -------------------------------------

    def way(self, url: str) -> Way:
        """How a request to `url` would leave."""
        address = split(url)
        route = self._route(address)
        if route is not None:
            shown = f"{route.host}:{route.port}"
            return Way(kind="connect-to", host=route.host, port=route.port, shown=shown)
        if self._proxy is not None:
            proxy = self._proxy
            return Way(kind="proxy", host=proxy.host, port=proxy.port, shown=str(proxy))
        if self._proxies is not None:
            shown = str(self._proxies)
            host, port = next(
                ((each.host, each.port) for each in self._proxies.known), (address.host, address.port)
            )
            return Way(kind="proxy", host=host, port=port, shown=shown)
        return Way(kind="direct", host=address.host, port=address.port, shown=address.host)

    async def look_up(self, host: str, port: int = 443) -> Sequence[str]:
        """The addresses of a name. Raises NetworkError, Timeout."""
        return await self._looked_up(host, port)

    async def try_proxy(self, url: str) -> None:
        """Have the proxy lead a connection to the host of `url`, and close it; nothing without a proxy.

        Raises ProxyFailure, NetworkError when the proxy works and the host cannot be reached.
        """
        if self._proxy is not None:
            stream = await self._proxied(split(url), self._proxy, forwarded=False)()
            await stream.aclose()
        elif self._proxies is not None:
            stream = await self._by_turns(split(url), self._proxies)()
            await stream.aclose()

    def resting(self) -> tuple[Rest, ...]:
        """Which proxies of a list rest because they failed, the next to come back first."""
        return self._proxies.resting() if self._proxies else ()

    async def aclose(self) -> None:
        """Close every connection."""
        lanes, self._lanes = list(self._lanes.values()), {}
        for lane in lanes:
            await lane.aclose()
        workshop, self._workshop = self._workshop, None
        if workshop is not None:
            workshop.close()

    async def _begin(self, host: str, request: httpcore.Request, connection: Connection) -> httpcore.Response:
        """Send a request and read the head of its answer."""
        request.extensions["timeout"] = self._limits()
        try:
            with mapped(host):
                async with asyncio.timeout(self.timeouts.head):
                    return await connection.handle_async_request(request)
        except TimeoutError as exc:
            raise Timeout(f"{host} gave no answer within {self.timeouts.head:.0f} s") from exc

    def _limits(self) -> dict[str, float | None]:
        limits = self.timeouts
        return {"connect": limits.connect, "read": limits.read, "write": limits.read}

    def _response(self, lane: Lane, address: Address, method: str, answer: httpcore.Response) -> Response:
        headers = tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in answer.headers
        )
        length = _promised(method, answer.status, dict(headers))
        body = Chunks(answer, address.host, length, self.timeouts, keep=lane.keep, clock=self._clock)
        return Response(status=answer.status, headers=headers, length=length, chunks=body.read())

    async def _enter(self, address: Address, target: str | None) -> Lane:
        """The lane to a host with one more user; the longest unused one is closed when there are too many."""
        key = (*address.origin, target)
        lane = self._lanes.pop(key, None)
        if lane is None:
            made = await self._made(address, target)
            lane = self._lanes.pop(key, made)
        self._lanes[key] = lane
        lane.users += 1
        try:
            await self._close_one_of_many()
        except BaseException:
            lane.users -= 1
            raise
        return lane

    async def _close_one_of_many(self) -> None:
        if len(self._lanes) > _LANES:
            unused = next((key for key, lane in self._lanes.items() if not lane.users), None)
            if unused is not None:
                await self._lanes.pop(unused).aclose()

    async def _made(self, address: Address, target: str | None) -> Lane:
        route = self._route(address)
        encrypted = address.scheme == "https"
        forwarded = False
        opener: sockets.Opener
        if route is not None:
            encrypted = encrypted and await self._encrypts(route)
            opener = self._routed(route)
        elif self._proxy is not None:
            forwarded = not (encrypted or self._proxy.is_socks)
            opener = self._proxied(address, self._proxy, forwarded=forwarded)
        elif self._proxies is not None:
            opener = self._by_turns(address, self._proxies)
        else:
            opener = self._direct(address)
        trust = self._trust() if encrypted else None
        made = self._imitating(address.host, opener, target) if target and encrypted else None
        return Lane(address.host, address.port, opener, trust=trust, forwarded=forwarded, made=made)

    def _imitating(self, host: str, opener: sockets.Opener, target: str) -> Callable[[], Connection]:
        """Makes connections that speak like the browser `target`."""
        from dyvine_cli.http.curl import Workshop  # its library takes 0.15 s to load

        self._workshop = shop = self._workshop or Workshop(self._trust())
        return lambda: shop.connection(host, opener, target)

    def _route(self, address: Address) -> Route | None:
        encrypted = address.scheme == "https"
        listed = self.is_listed(address.host)
        return self._connect_to.route(address.host, address.port, tls=encrypted, listed=listed)

    def _trust(self) -> ssl.SSLContext:
        return tls.context(self._ca_file, verify=self._verify)

    def _login(self, lane: Lane) -> str | None:
        return self._proxy.authorization if lane.forwarded and self._proxy else None

    def _direct(self, address: Address) -> sockets.Opener:
        """A connection to the host itself; the addresses are looked up and judged anew for every connection."""

        async def open_it() -> sockets.Stream:
            found = await self._looked_up(address.host, address.port)
            judged = self._permitted(address, found)
            return await sockets.connect(address.host, judged, address.port, self.timeouts.connect)

        return open_it

    def _routed(self, route: Route) -> sockets.Opener:
        """A connection to where connect-to leads: the person's own word, so no address is refused."""

        async def open_it() -> sockets.Stream:
            found = await self._looked_up(route.host, route.port)
            return await sockets.connect(route.host, found, route.port, self.timeouts.connect)

        return open_it

    def _proxied(self, address: Address, proxy: Proxy, *, forwarded: bool) -> sockets.Opener:
        """A connection to the proxy, led on to the host unless the proxy gets whole requests (`forwarded`)."""
        self._check_name(address)

        async def open_it() -> sockets.Stream:
            stream = await self._to_proxy(proxy)
            if not forwarded:
                await proxy.tunnel(stream, address.host, address.port, self.timeouts.connect)
            return stream

        return open_it

    def _by_turns(self, address: Address, proxies: ProxyList) -> sockets.Opener:
        """A connection through one of several proxies; the next one is tried where one fails.

        A host that a proxy cannot reach is tried through the others, too, but does not speak against the proxy.
        """
        self._check_name(address)

        async def open_it() -> sockets.Stream:
            fault: NetworkError | None = None
            for proxy in await proxies.in_turn():
                try:
                    stream = await self._proxied(address, proxy, forwarded=False)()
                except ProxyFailure as exc:
                    proxies.failed(proxy)
                    fault = exc
                except NetworkError as exc:
                    fault = exc
                else:
                    proxies.worked(proxy)
                    return stream
            raise fault or ProxyFailure(f"the {proxies} has no proxy in it")

        return open_it

    async def _fetched(self, url: str) -> bytes:
        """A list of proxies. Its address is the person's own word, so none is refused; no proxy is used.

        Raises ProxyFailure.
        """
        plain = Network(
            ca_file=self._ca_file,
            verify=self._verify,
            allow=_EVERYWHERE,
            timeouts=self.timeouts,
            resolve=self._resolve,
        )
        data = bytearray()
        try:
            async with plain.send("GET", url, {"Accept-Encoding": "identity"}) as answer:
                async for chunk in answer.chunks:
                    data += chunk
                    if len(data) > LARGEST:
                        break
        except NetworkError as exc:
            raise ProxyFailure(f"the list of proxies cannot be fetched: {exc}") from exc
        finally:
            await plain.aclose()
        if answer.status != 200:
            raise ProxyFailure(
                f"the list of proxies at {split(url).host} is answered with status {answer.status}"
            )
        return bytes(data)

    async def _to_proxy(self, proxy: Proxy) -> sockets.Stream:
        try:
            found = await self._looked_up(proxy.host, proxy.port)
            stream = await sockets.connect(proxy.host, found, proxy.port, self.timeouts.connect)
            if proxy.scheme == "https":
                await stream.start_tls(self._trust(), proxy.host, self.timeouts.connect)
        except (NetworkError, httpcore.TimeoutException, httpcore.NetworkError) as exc:
            raise proxy.failure(f"it cannot be reached ({reason(exc)})") from exc
        return stream

    async def _looked_up(self, host: str, port: int) -> Sequence[str]:
        if is_address(host):
            return [host]
        try:
            async with asyncio.timeout(self.timeouts.connect):
                found = await self._resolve(host, port)
        except TimeoutError as exc:
            raise Timeout(f"the name {host} could not be looked up in time") from exc
        except OSError as exc:
            raise NetworkError(f"the name {host} cannot be looked up: {exc.strerror or exc}") from exc
        if not found:
            raise NetworkError(f"the name {host} has no address")
        return found

    def _permitted(self, address: Address, found: Sequence[str]) -> Sequence[str]:
        """Those of a host's addresses that may be connected to; its certificate is a listed host's proof."""
        if address.scheme == "https" and self._verify and self.is_listed(address.host):
            return found
        permitted = [ip for ip in found if is_public(ip) or self._is_allowed(ip)]
        if not permitted:
            raise _inner(address.host, found[0])
        return permitted

    def _is_allowed(self, ip: str) -> bool:
        parsed = ipaddress.ip_address(ip.partition("%")[0])
        return any(parsed.version == network.version and parsed in network for network in self._allow)

    def _check_name(self, address: Address) -> None:
        """What can be said of a host that the proxy will look up."""
        if self.is_listed(address.host):
            return
        if is_address(address.host):
            self._permitted(address, [address.host])
        elif is_local_name(address.host):
            raise _inner(address.host, "a local name")

    async def _encrypts(self, route: Route) -> bool:
        """Whether TLS is spoken where a connect-to rule leads; asked once per address."""
        if route.tls != "ask":
            return route.tls == "yes"
        place = route.host, route.port
        if place not in self._speaks_tls:
            self._speaks_tls[place] = await self._probe(route)
        return self._speaks_tls[place]

    async def _probe(self, route: Route) -> bool:
        """Try a handshake; silence counts as plain HTTP, no connection as TLS (the request will say what is wrong)."""
        try:
            stream = await self._routed(route)()
        except (httpcore.TimeoutException, httpcore.NetworkError, NetworkError):
            return True
        try:
            limit = min(_GREETING, self.timeouts.connect)
            await stream.start_tls(tls.context(None, verify=False), route.host, limit)
        except (NetworkError, httpcore.TimeoutException, httpcore.NetworkError):
            return False
        await stream.aclose()
        return True


def _request(
    lane: Lane, address: Address, method: str, headers: Mapping[str, str], content: bytes, login: str | None
) -> httpcore.Request:
    """The request as it goes on the wire: a proxy that gets whole requests sees the whole address."""
    sent = {"Host": address.authority, **headers}
    if content or method not in ("GET", "HEAD"):
        sent["Content-Length"] = str(len(content))
    if login is not None:
        sent["Proxy-Authorization"] = login
    target = str(address) if lane.forwarded else address.target
    return httpcore.Request(
        method,
        httpcore.URL(
            scheme=lane.scheme.encode(), host=address.host.encode(), port=address.port, target=target.encode()
        ),
        headers=[(name.encode(), value.encode()) for name, value in sent.items()],
        content=content,
    )


def _promised(method: str, status: int, headers: Mapping[str, str]) -> int | None:
    """The size of the body that the head promises."""
    if method == "HEAD" or status in (204, 304):
        return 0
    if "transfer-encoding" in headers or "content-length" not in headers:
        return None
    return int(headers["content-length"].partition(",")[0])


def _inner(host: str, what: str) -> AddressRefused:
    return AddressRefused(
        f"{host} leads into a private network ({what}) and is not opened",
        hint="if that is wanted, add the range to network.allow in the configuration",
    )


__all__ = ["CONNECTIONS", "Network", "Response", "Timeouts", "Way"]
