"""Addresses as text: what a URL names, which hosts belong to a domain, which IP addresses are public (pure)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlsplit

from dyvine_cli.errors import AddressRefused

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_PORTS = {"http": 80, "https": 443}

_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_-])?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_KEPT = "!#$%&'()*+,-./:;=?@[]_~|"
_SECRET = re.compile(r"[0-9a-fA-F]{32,}")
_LOCAL_NAMES = ("localhost", "local", "internal", "localdomain", "lan", "home.arpa")

# Neither private nor reserved by the registries, and yet inside someone's network.
_INNER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",  # metadata of Azure machines (Microsoft Learn, "What is IP address 168.63.129.16")
        "192.88.99.0/24",  # 6to4 relays, withdrawn by RFC 7526
        "2001::/32",  # Teredo, RFC 4380: leads to the IPv4 address inside
        "fec0::/10",  # site-local, withdrawn by RFC 3879
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")  # RFC 3056
_COMPATIBLE = ipaddress.IPv6Network("::/96")  # RFC 4291 2.5.5.1


@dataclass(frozen=True, slots=True)
class Address:
    """An http or https URL in its parts; `host` is normalised, `target` is path and query as they go on the wire."""

    scheme: str
    host: str
    port: int
    target: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"

    @property
    def authority(self) -> str:
        """Host and port as the `Host` header has them: without the scheme's own port, IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """What two URLs must share for a cookie or token to go from one to the other."""
        return self.scheme, self.host, self.port


def split(url: str) -> Address:
    """The parts of an http or https URL; what it percent-encodes is left as it is.

    Raises AddressRefused for other schemes, a user name, control characters, and hosts and ports that are none.
    """
    if _CONTROL.search(url):
        raise AddressRefused("an address with control characters is not opened")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = normalise(parts.hostname or "")
    except ValueError as exc:
        raise AddressRefused(f"not an address that can be opened: {safe_url(url)}") from exc
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS:
        raise AddressRefused(
            f"only http and https addresses are opened, not {scheme or 'an address without scheme'}"
        )
    if "@" in parts.netloc or "\\" in parts.netloc or port == 0:
        raise AddressRefused(f"an address with a user name or an impossible port is not opened: {host}")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(scheme, host, port or DEFAULT_PORTS[scheme], quote(target, safe=_KEPT))


@lru_cache(maxsize=4096)
def normalise(host: str) -> str:
    """A host as it is compared and connected to: lower case, IDNA, no trailing dot, IP addresses in one spelling.

    `0x7f.1`, `2130706433` and `017700000001` become `127.0.0.1`. Raises ValueError for what is no host.
    """
    try:
        return _normalised(host)
    except ValueError as exc:
        raise ValueError(f"not a host: {host[:80]!r}") from exc


def within(host: str, domains: Collection[str]) -> bool:
    """Whether `host` is one of `domains` or below one of them, compared label by label."""
    try:
        name = normalise(host)
    except ValueError:
        return False
    return any(name == domain or name.endswith(f".{domain}") for domain in domains)


def is_address(host: str) -> bool:
    """Whether a normalised host is an IP address."""
    return ":" in host or _is_number(host.rpartition(".")[2])


def is_local_name(host: str) -> bool:
    """Whether a normalised name can only mean this machine or its network: no dots, or a domain kept for that."""
    return not is_address(host) and ("." not in host or within(host, _LOCAL_NAMES))


def is_public(ip: str | IPAddress) -> bool:
    """Whether an IP address is on the open internet, whatever it is spelled or wrapped like.

    Not public: private, loopback, link-local, metadata, shared, reserved and multicast ranges, and IPv6 forms that
    carry such an IPv4 address. Text that is no IP address is not public.
    """
    if isinstance(ip, str):
        try:
            ip = ipaddress.ip_address(normalise(ip))
        except ValueError:
            return False
    inner = _carried(ip)
    if inner is not None:
        return is_public(inner)
    if any(ip in network for network in _INNER if network.version == ip.version):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def safe_url(url: str) -> str:
    """A URL that may be shown: scheme, host and path, without user, query and long tokens in the path."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "(not a URL)"
    path = _SECRET.sub("…", _CONTROL.sub("", parts.path))
    return f"{parts.scheme}://{host}{path}" if host else f"{parts.scheme}:…"


def _normalised(host: str) -> str:
    text = host.strip("[]") if host.startswith("[") else host
    if ":" in text:
        return str(ipaddress.IPv6Address(text.partition("%")[0]))
    text = text.encode("idna").decode("ascii") if not text.isascii() else text
    text = text.lower().removesuffix(".")
    if not _HOST.fullmatch(text) or ".." in text or len(text) > 253:
        raise ValueError("letters, digits and hyphens between dots")
    return str(_ipv4(text)) if _is_number(text.rpartition(".")[2]) else text


def _carried(ip: IPAddress) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to."""
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip in _SIX_TO_FOUR:
        return ipaddress.IPv4Address(int(ip) >> 80 & 0xFFFFFFFF)
    if ip in _NAT64 or ip in _COMPATIBLE:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None


def _is_number(label: str) -> bool:
    """Whether resolvers read this label as a number; a name that ends in one is an IPv4 address or nothing."""
    return label.isdigit() or re.fullmatch(r"0x[0-9a-f]*", label) is not None


def _ipv4(text: str) -> ipaddress.IPv4Address:
    """One to four numbers, decimal, octal or hexadecimal, the last one filling what is left (as inet_aton reads)."""
    numbers = [_number(label) for label in text.split(".")]
    if len(numbers) > 4 or any(number > 255 for number in numbers[:-1]):
        raise ValueError(f"not an IPv4 address: {text!r}")
    if numbers[-1] >= 256 ** (5 - len(numbers)):
        raise ValueError(f"not an IPv4 address: {text!r}")
    value = numbers[-1]
    for place, number in enumerate(numbers[:-1]):
        value += number << 8 * (3 - place)
    return ipaddress.IPv4Address(value)


def _number(label: str) -> int:
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    if len(label) > 1 and label.startswith("0"):
        return int(label, 8)
    return int(label)
