"""`--connect-to`: the socket goes elsewhere, everything else stays that of the real host (pure).

The grammar is curl's: `HOST:PORT:ADDRESS:PORT`, several with commas. An empty first port means any port, an empty
address or second port means the real one, IPv6 stands in brackets, `*` is every listed host of the platforms.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

from dyvine_cli.errors import ConfigError
from dyvine_cli.http.addresses import is_address, normalise

_RULE = re.compile(r"(\[[^\]]*\]|[^:]*):(\d*):(\[[^\]]*\]|[^:]*):(\d*)")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a socket goes; `tls` is for https requests: `yes`, `no` (plain HTTP), `ask` (whatever is spoken there)."""

    host: str
    port: int
    tls: Literal["yes", "no", "ask"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `port` None is any port, `address` empty and `address_port` None are the real ones."""

    host: str
    port: int | None
    address: str
    address_port: int | None

    @property
    def is_loopback(self) -> bool:
        """Whether the rule leads to this machine."""
        if is_address(self.address):
            return ipaddress.ip_address(self.address).is_loopback
        return self.address == "localhost"

    def covers(self, host: str, *, listed: bool) -> bool:
        """Whether the rule is for this host; `listed` says that it is one of the platforms'."""
        return listed if self.host == "*" else self.host == host

    def route(self, host: str, port: int, tls: Literal["yes", "no", "ask"]) -> Route:
        """The rule applied to a host and port."""
        return Route(self.address or host, self.address_port or port, tls)


@dataclass(frozen=True, slots=True)
class ConnectTo:
    """The rules in their order; the first that fits is taken."""

    rules: tuple[Rule, ...] = ()

    @classmethod
    def parse(cls, text: str) -> ConnectTo:
        """Read `HOST:PORT:ADDRESS:PORT,…`; empty text has no rules. Raises ConfigError naming the bad rule."""
        return cls(tuple(_rule(part.strip()) for part in text.split(",") if part.strip()))

    def route(self, host: str, port: int, *, tls: bool, listed: bool) -> Route | None:
        """Where a connection to a normalised host goes; None when no rule is for it.

        A rule for port 80 that leads to loopback takes the host's https too, in plain HTTP.
        """
        rules = [rule for rule in self.rules if rule.covers(host, listed=listed)]
        for rule in rules:
            if rule.port in (None, port):
                return rule.route(host, port, "ask" if tls and rule.is_loopback else "yes")
        for rule in rules:
            if tls and port == 443 and rule.port == 80 and rule.is_loopback:
                return rule.route(host, 80, "no")
        return None


def _rule(text: str) -> Rule:
    found = _RULE.fullmatch(text)
    if not found:
        raise _nonsense(text, "it has not the form HOST:PORT:ADDRESS:PORT")
    host, port, address, address_port = found.groups()
    if not host:
        raise _nonsense(text, "the host is missing (* is every host of the platforms)")
    if not (address or address_port):
        raise _nonsense(text, "it leads nowhere else")
    try:
        return Rule(
            host if host == "*" else normalise(host),
            _port(port),
            normalise(address) if address else "",
            _port(address_port),
        )
    except ValueError as exc:
        raise _nonsense(text, str(exc)) from exc


def _port(text: str) -> int | None:
    if not text:
        return None
    port = int(text[:6])
    if not 0 < port < 65536:
        raise ValueError(f"not a port: {text[:6]}")
    return port


def _nonsense(text: str, why: str) -> ConfigError:
    return ConfigError(
        f"connect-to rule {text!r} cannot be read: {why}",
        hint="for example --connect-to '*:80:127.0.0.1:8080' or --connect-to www.douyin.com:443:127.0.0.1:8443",
    )
