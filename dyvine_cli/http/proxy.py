"""Proxies: what a proxy URL says, and how a connection is led through one (HTTP CONNECT, SOCKS 5)."""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import httpcore

from dyvine_cli.errors import ConfigError, NetworkError, ProxyFailure
from dyvine_cli.http.addresses import is_address, normalise
from dyvine_cli.http.sockets import Stream

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_HINT = "check --proxy, the configuration and the variables http_proxy, https_proxy, all_proxy"
_INTERIM = 10
"""Heads of a proxy's answer that are read, those before the last with a status of 1xx."""
_UNREACHABLE = (502, 503, 504)  # the proxy works, what is behind it does not
_SOCKS_REPLIES = {  # RFC 1928, section 6
    1: "general failure",
    2: "its rules do not allow the connection",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "time to live expired",
    7: "command not supported",
    8: "address type not supported",
}
_SOCKS_UNREACHABLE = (3, 4, 5, 6)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy of the kinds http, https, socks5, socks5h (names are resolved by the proxy for both)."""

    scheme: str
    host: str
    port: int
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """Read a proxy URL. Raises ConfigError, which does not show the password."""
        try:
            parts = urlsplit(url)
            host, port = normalise(parts.hostname or ""), parts.port
            user, password = unquote(parts.username or ""), unquote(parts.password or "")
        except ValueError as exc:
            raise ConfigError(
                "a proxy needs the form http://HOST:PORT or socks5://HOST:PORT", hint=_HINT
            ) from exc
        if parts.scheme not in _PORTS:
            kinds = ", ".join(_PORTS)
            raise ConfigError(
                f"a proxy of the kind {parts.scheme!r} is not supported, only {kinds}", hint=_HINT
            )
        if parts.path.strip("/") or parts.query or port == 0 or len(user) > 255 or len(password) > 255:
            raise ConfigError("a proxy needs the form http://HOST:PORT or socks5://HOST:PORT", hint=_HINT)
        return cls(parts.scheme, host, port or _PORTS[parts.scheme], user, password)

    def __str__(self) -> str:
        """The proxy as it may be shown: a login is masked."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{'***@' if self.username or self.password else ''}{host}:{self.port}"

    @property
    def address(self) -> str:
        """The proxy with its login: what tells it from others, not to be shown."""
        return f"{self.scheme}://{self.username}:{self.password}@{self.host}:{self.port}"

    @property
    def is_socks(self) -> bool:
        """Whether it leads bytes of any kind, not HTTP alone."""
        return self.scheme.startswith("socks")

    @property
    def authorization(self) -> str | None:
        """The value of Proxy-Authorization, None without a login."""
        if not (self.username or self.password):
            return None
        return "Basic " + b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")

    async def tunnel(self, stream: Stream, host: str, port: int, limit: float) -> None:
        """Have the proxy at the other end of `stream` connect it to `host` within `limit` seconds.

        The stream is closed when that fails. Raises ProxyFailure, or NetworkError when the proxy works and the host
        cannot be reached.
        """
        lead = self._socks if self.is_socks else self._connect
        try:
            async with asyncio.timeout(limit):
                await lead(stream, host, port)
        except BaseException as exc:
            await stream.aclose()
            if isinstance(exc, TimeoutError):
                raise self.failure("it does not answer") from exc
            if isinstance(exc, EOFError | OSError | ValueError | IndexError | httpcore.NetworkError):
                raise self.failure("it closed the connection or is not a proxy of this kind") from exc
            raise

    def failure(self, reason: str) -> ProxyFailure:
        """The error for this proxy."""
        return ProxyFailure(f"the proxy {self} failed: {reason}", hint=_HINT)

    def login_failure(self) -> ProxyFailure:
        """The error for a login that is missing or wrong."""
        given = self.username or self.password
        return self.failure("it does not accept the login given" if given else "it asks for a login")

    def _unreachable(self, host: str, reason: str) -> NetworkError:
        return NetworkError(f"the proxy {self} could not reach {host}: {reason}")

    async def _connect(self, stream: Stream, host: str, port: int) -> None:
        """RFC 9110, section 9.3.6."""
        name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        login = f"Proxy-Authorization: {self.authorization}\r\n" if self.authorization else ""
        await stream.write(f"CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n{login}\r\n".encode("ascii"))
        for _ in range(_INTERIM):
            status = _status(await stream.read_head())
            if status >= 200:
                break
        if status == 407:
            raise self.login_failure()
        if status in _UNREACHABLE:
            raise self._unreachable(host, f"status {status}")
        if not 200 <= status < 300:
            raise self.failure(f"it refused the connection to {host} with status {status}")

    async def _socks(self, stream: Stream, host: str, port: int) -> None:
        """RFC 1928 and, for the login, RFC 1929."""
        await self._greet(stream)
        await stream.write(b"\x05\x01\x00" + _socks_address(host) + struct.pack("!H", port))
        version, reply, _, kind = await stream.read_exactly(4)
        if version != 5:
            raise ValueError(version)
        if reply:
            reason = _SOCKS_REPLIES.get(reply, f"reply {reply}")
            if reply in _SOCKS_UNREACHABLE:
                raise self._unreachable(host, reason)
            raise self.failure(f"it refused the connection to {host}: {reason}")
        length = {1: 4, 4: 16}.get(kind) or (await stream.read_exactly(1))[0]
        await stream.read_exactly(length + 2)

    async def _greet(self, stream: Stream) -> None:
        login = bool(self.username or self.password)
        await stream.write(b"\x05\x02\x00\x02" if login else b"\x05\x01\x00")
        version, method = await stream.read_exactly(2)
        if version != 5:
            raise ValueError(version)
        if method == 2 and login:
            user, password = self.username.encode(), self.password.encode()
            await stream.write(b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password)
            method = (await stream.read_exactly(2))[1]
        if method:
            raise self.login_failure()


def _status(head: bytes) -> int:
    line = head.partition(b"\n")[0].split()
    if not line[0].startswith(b"HTTP/1."):
        raise ValueError(line[0])
    return int(line[1])


def _socks_address(host: str) -> bytes:
    if not is_address(host):
        name = host.encode("ascii")
        return bytes([3, len(name)]) + name
    ip = ipaddress.ip_address(host)
    return bytes([1 if ip.version == 4 else 4]) + ip.packed
