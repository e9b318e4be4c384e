"""The proxies that the environment names for every program."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping


def variables(env: Mapping[str, str]) -> tuple[str, ...]:
    """The variables that may name a proxy for HTTPS, in order; the lower-case one hides its upper-case twin."""
    return tuple(name if name in env else name.upper() for name in ("https_proxy", "all_proxy"))


def exempt_hosts(env: Mapping[str, str]) -> tuple[str, ...]:
    """What `no_proxy` lists, in lower case."""
    text = env.get("no_proxy", env.get("NO_PROXY", ""))
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


def is_exempt(host: str, exempt: Iterable[str]) -> bool:
    """Whether `no_proxy` names this host, a domain above it or everything."""
    for entry in exempt:
        domain = re.sub(r":[0-9]+$", "", entry).removeprefix("*").removeprefix(".")
        if entry == "*" or (domain and (host == domain or host.endswith(f".{domain}"))):
            return True
    return False
