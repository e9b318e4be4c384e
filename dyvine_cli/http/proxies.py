"""Lists of proxies: where they come from, whose turn it is, which of them rest because they failed."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from dyvine_cli.errors import ConfigError
from dyvine_cli.http.proxy import Proxy
from dyvine_cli.rests import Rest, Rests

Order = Literal["round-robin", "random", "first"]

PREFIX = "list:"
"""What a proxy setting begins with that names a list: `list:FILE` or `list:https://…`."""
LARGEST = 1024 * 1024
"""Bytes of a list at most."""


class ProxyList:
    """The proxies of a list; each new connection takes the next one, one at random, or the first that works.

    `fetch` gives the text of an address; it is asked once, at the first connection. Those that failed come last as long
    as `rests` has them rest. Raises ConfigError for a file that cannot be used; no error shows a line.
    """

    def __init__(
        self,
        setting: str,
        *,
        fetch: Callable[[str], Awaitable[bytes]],
        order: Order = "round-robin",
        rests: Rests | None = None,
        shuffled: Callable[[Sequence[Proxy]], list[Proxy]] = lambda found: random.sample(found, len(found)),
    ) -> None:
        self._source = setting.removeprefix(PREFIX)
        self._fetch = fetch
        self._order = order
        self._rests = rests or Rests(None)
        self._shuffled = shuffled
        self._turn = 0
        self._all: tuple[Proxy, ...] = () if self.is_remote else self._read_file()

    def __str__(self) -> str:
        """The list as it may be shown: of an address only the host."""
        parts = urlsplit(self._source)
        return f"list at {parts.hostname}" if self.is_remote else f"list {self._source}"

    @property
    def is_remote(self) -> bool:
        """Whether the list has to be fetched."""
        return self._source.startswith(("http://", "https://"))

    @property
    def known(self) -> tuple[Proxy, ...]:
        """The proxies, none as long as a list is not fetched."""
        return self._all

    async def in_turn(self) -> Iterator[Proxy]:
        """The proxies in the order in which one new connection tries them; those that rest come last."""
        if not self._all:
            data = await self._fetch(self._source)
            self._all = self._all or self._parsed(data)
        ordered = self._ordered()
        left = self._rests.left([each.address for each in ordered])
        return iter([each for _, each in sorted(zip(left, ordered, strict=True), key=lambda pair: pair[0])])

    def failed(self, proxy: Proxy) -> None:
        """Let a proxy rest."""
        self._rests.failed(proxy.address, str(proxy))

    def worked(self, proxy: Proxy) -> None:
        """Forget a proxy's failures."""
        self._rests.worked(proxy.address)

    def resting(self) -> tuple[Rest, ...]:
        """Which of them rest, the next to come back first."""
        ours = {str(each) for each in self._all}
        return tuple(each for each in self._rests.resting() if each.shown in ours)

    def _ordered(self) -> list[Proxy]:
        if self._order == "random":
            return self._shuffled(self._all)
        first = self._turn % len(self._all) if self._order == "round-robin" else 0
        self._turn += 1
        return [*self._all[first:], *self._all[:first]]

    def _read_file(self) -> tuple[Proxy, ...]:
        path = Path(self._source).expanduser()
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST + 1)
        except OSError as exc:
            raise ConfigError(
                f"the {self} cannot be read: {exc.strerror}", hint='proxy = "list:FILE" names a text file'
            ) from exc
        return self._parsed(data)

    def _parsed(self, data: bytes) -> tuple[Proxy, ...]:
        """One proxy a line, `http://` if no kind is named; empty lines and those that begin with # do not count."""
        hint = "one proxy a line: http://USER:PASSWORD@HOST:PORT, socks5://HOST:PORT or HOST:PORT"
        if len(data) > LARGEST:
            raise ConfigError(f"the {self} is larger than 1 MiB", hint=hint)
        found: list[Proxy] = []
        for number, line in enumerate(data.decode("utf-8-sig", "replace").splitlines(), start=1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            try:
                found.append(Proxy.parse(_with_kind(text)))
            except ConfigError as exc:
                raise ConfigError(f"the {self}, line {number}: {exc.message}", hint=hint) from None
        if not found:
            raise ConfigError(f"the {self} has no proxy in it", hint=hint)
        return tuple(dict.fromkeys(found))


def _with_kind(text: str) -> str:
    kind, colons, rest = text.partition("://")
    if not colons:
        return f"http://{text}"
    return f"{'socks5' if kind.lower() == 'socks' else kind.lower()}://{rest}"
