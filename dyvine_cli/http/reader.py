"""The media reader: bytes of an address, with nothing sent but what its rendition names."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from dyvine_cli.errors import AddressRefused, DyvineError, NetworkError
from dyvine_cli.http.addresses import Address, safe_url, split
from dyvine_cli.http.exchange import Exchange, Trace
from dyvine_cli.http.media import MediaAnswer
from dyvine_cli.http.network import Network, Response
from dyvine_cli.http.redirects import STATUSES, carried, follow

log = logging.getLogger(__name__)

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
"""Who media hosts believe to speak to: they refuse agents that are no browser, and look no closer than that."""

_HOPS = 5


class HttpMediaReader:
    """Reads media through a network; implements `MediaReader`.

    `user_agent` is sent where a rendition names none. `trace` receives every head that came; sizes are those promised.
    """

    def __init__(self, network: Network, *, user_agent: str = BROWSER, trace: Trace | None = None) -> None:
        self._network = network
        self._user_agent = user_agent
        self._trace = trace

    @asynccontextmanager
    async def open(
        self, url: str, headers: Mapping[str, str], range: tuple[int, int | None] | None = None
    ) -> AsyncIterator[MediaAnswer]:
        """Send one GET and follow up to five redirects; see `MediaReader.open`.

        Cookies and tokens do not follow a redirect to another origin. Raises AddressRefused for an address or redirect
        that is not opened.
        """
        address = split(url)
        sent = {"User-Agent": self._user_agent, **_sent(headers, range)}
        visited = {str(address)}
        while True:
            async with self._sent(address, sent) as response:
                location = response.header("location") if response.status in STATUSES else None
                if location is None:
                    yield _answer(address, response)
                    return
                after = follow(address, location)
                await response.drain()
            if str(after) in visited or len(visited) > _HOPS:
                raise AddressRefused(f"{address.host} redirects in a circle or more than {_HOPS} times")
            visited.add(str(after))
            sent, address = carried(sent, address, after), after

    @asynccontextmanager
    async def _sent(self, address: Address, sent: Mapping[str, str]) -> AsyncIterator[Response]:
        """One request, told as soon as its head is there or failed to come."""
        begun = time.perf_counter()
        made = Exchange(
            endpoint="media",
            method="GET",
            url=safe_url(str(address)),
            status=None,
            size=0,
            seconds=0,
            full_url=str(address),
            sent=sent,
        )
        answered = False
        try:
            async with self._network.send("GET", address, sent) as response:
                answered = True
                self._tell(_answered(made, response), begun)
                yield response
        except DyvineError as exc:
            if not answered:
                self._tell(replace(made, fault=exc.name), begun)
            raise

    def _tell(self, made: Exchange, begun: float) -> None:
        made = replace(made, seconds=time.perf_counter() - begun)
        log.debug("%s: status %s, %.0f ms", made.url, made.status or made.fault, made.seconds * 1000)
        if self._trace is not None:
            self._trace(made)


def _answered(made: Exchange, response: Response) -> Exchange:
    headers = {name: response.header(name) or "" for name, _ in response.headers if name != "set-cookie"}
    cookies = tuple(value for name, value in response.headers if name == "set-cookie")
    return replace(
        made, status=response.status, size=response.length or 0, received=headers, set_cookies=cookies
    )


def _sent(headers: Mapping[str, str], range: tuple[int, int | None] | None) -> dict[str, str]:
    sent = {
        name: value
        for name, value in headers.items()
        if name.lower() not in ("host", "accept-encoding", "range")
    }
    sent["Accept-Encoding"] = "identity"
    if range is not None:
        first, last = range
        sent["Range"] = f"bytes={first}-{'' if last is None else last}"
    return sent


def _answer(address: Address, response: Response) -> MediaAnswer:
    encoding = response.header("content-encoding") or "identity"
    if response.status in (200, 206) and encoding.strip().lower() != "identity":
        raise NetworkError(f"{address.host} packed the file ({encoding[:40]}) although asked for it as it is")
    return MediaAnswer(
        status=response.status,
        headers={name: response.header(name) or "" for name, _ in response.headers},
        url=str(address),
        chunks=response.chunks,
    )
