"""Where a redirect leads and what may go along."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urljoin

from dyvine_cli.errors import AddressRefused
from dyvine_cli.http.addresses import Address, split

STATUSES = frozenset({301, 302, 303, 307, 308})

# Everything else may be a login, a token or a signature.
_HARMLESS = frozenset(
    {"user-agent", "accept", "accept-encoding", "accept-language", "range", "if-range", "referer"}
)


def follow(address: Address, location: str) -> Address:
    """The address that a redirect of `address` names. Raises AddressRefused for one that is not followed."""
    try:
        found = split(urljoin(str(address), location.strip()))
    except ValueError as exc:
        raise AddressRefused(f"{address.host} redirects to something that is no address") from exc
    if address.scheme == "https" and found.scheme == "http":
        raise AddressRefused(f"{address.host} redirects from https to plain http on {found.host}")
    return found


def carried(headers: Mapping[str, str], before: Address, after: Address) -> dict[str, str]:
    """The headers that go along: all on the same origin, only harmless ones elsewhere."""
    if before.origin == after.origin:
        return dict(headers)
    return {name: value for name, value in headers.items() if name.lower() in _HARMLESS}
