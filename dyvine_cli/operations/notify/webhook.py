"""One event, posted to a person's own address and signed, so that the receiver knows whose it is."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from dyvine_cli.encode import dumps
from dyvine_cli.errors import AddressRefused, ConfigError, NetworkError
from dyvine_cli.http.addresses import Address, is_address, is_local_name, is_public, split
from dyvine_cli.http.connect import ConnectTo
from dyvine_cli.http.network import Network, Timeouts
from dyvine_cli.http.proxies import Order

TRIES = 3
WAITS = (1.0, 3.0)
"""Seconds before the second and third try; a server that names others is obeyed up to LONGEST_WAIT."""
LONGEST_WAIT = 10.0
PATIENCE = 10.0
"""Seconds that one try may take."""
ANYWHERE = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
"""The address is the person's own word, so it may be in their network."""

_BUSY = 429


class NotTaken(NetworkError):
    """The receiver did not take the event; `again` says that another try may help, `wait` in how many seconds."""

    def __init__(self, message: str, *, again: bool, wait: float | None = None) -> None:
        super().__init__(message)
        self.again = again
        self.wait = wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the receiver is reached: the settings of `[network]`."""

    connect_to: str = ""
    proxy: str | None = field(default=None, repr=False)
    proxy_order: Order = "round-robin"
    ca_file: Path | None = None
    verify: bool = True

    def network(self, host: str) -> Network:
        """A network for `host`, which is not asked of a proxy if it is of this machine or its network."""
        inner = not is_public(host) if is_address(host) else is_local_name(host)
        return Network(
            connect_to=ConnectTo.parse(self.connect_to),
            proxy=None if inner else self.proxy,
            proxy_order=self.proxy_order,
            ca_file=self.ca_file,
            verify=self.verify,
            allow=ANYWHERE,
            timeouts=Timeouts(connect=5, head=PATIENCE, read=5),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where events go; the address and the `secret` that signs them are shown to nobody."""

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    way: Way = Way()
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def post(self, event: Mapping[str, Any], *, version: str) -> None:
        """Post an event, trying again where that can help. Raises NotTaken with a message that names no address."""
        try:
            address, login = _parts(self.url)
            network = self.way.network(address.host)
        except (AddressRefused, ConfigError):
            raise NotTaken("its address, or the way to it, cannot be used", again=False) from None
        body = dumps(event).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"dyvine/{version}",
            "Accept-Encoding": "identity",
            "X-Dyvine-Event": str(event["event"]),
            "X-Dyvine-Delivery": str(uuid.uuid4()),
            **login,
        }
        try:
            await self._try(network, address, headers, body)
        finally:
            await network.aclose()

    async def _try(self, network: Network, address: Address, headers: Mapping[str, str], body: bytes) -> None:
        for number in range(TRIES):
            try:
                await self._once(network, address, {**headers, **self._signature(body)}, body)
                return
            except NotTaken as error:
                if not error.again or number == TRIES - 1:
                    raise
                await self.sleep(WAITS[number] if error.wait is None else error.wait)

    async def _once(
        self, network: Network, address: Address, headers: Mapping[str, str], body: bytes
    ) -> None:
        try:
            async with (
                asyncio.timeout(PATIENCE),
                network.send("POST", address, headers, body) as answer,
            ):
                status, wait = answer.status, answer.header("retry-after")
        except TimeoutError:
            raise NotTaken(f"it gave no answer within {PATIENCE:.0f} s", again=True) from None
        except NetworkError as error:
            # The host may be the secret: some services give everyone a host of their own.
            words = error.message.replace(address.host, "it")
            raise NotTaken(words, again=error.retryable) from None
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            raise NotTaken(
                f"it answered with a redirect (status {status}), which is not followed", again=False
            )
        again = status == _BUSY or status >= 500
        raise NotTaken(f"it answered with status {status}", again=again, wait=_seconds(wait))

    def _signature(self, body: bytes) -> dict[str, str]:
        """The header that proves who sent `body`, and when; none without a secret."""
        if self.secret is None:
            return {}
        moment = int(self.clock())
        signed = hmac.new(self.secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
        return {"X-Dyvine-Signature": f"t={moment},v1={signed.hexdigest()}"}


def _parts(url: str) -> tuple[Address, dict[str, str]]:
    """The address, and the header of the login that stands in it."""
    parts = urlsplit(url)
    address = split(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
    if parts.username is None:
        return address, {}
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return address, {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


def _seconds(retry_after: str | None) -> float | None:
    """How long the server wants us to wait, within bounds; None if it does not say in seconds."""
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit():
        return None
    return min(float(retry_after[:6]), LONGEST_WAIT)
