"""The media reader: bytes of an address, with nothing sent but what its rendition names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from dyvine_cli.errors import AddressRefused, NetworkError
from dyvine_cli.http.addresses import Address, split
from dyvine_cli.http.media import MediaAnswer
from dyvine_cli.http.network import Network, Response
from dyvine_cli.http.redirects import STATUSES, carried, follow

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
"""Who media hosts believe to speak to: they refuse agents that are no browser, and look no closer than that."""

_HOPS = 5


class HttpMediaReader:
    """Reads media through a network; implements `MediaReader`. `user_agent` is sent where a rendition names none."""

    def __init__(self, network: Network, *, user_agent: str = BROWSER) -> None:
        self._network = network
        self._user_agent = user_agent

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
            async with self._network.send("GET", address, sent) as response:
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
