"""Which browser a site's calls imitate below HTTP, and when: its TLS, its HTTP/2, and the headers that go with them.

A platform may turn away clients that say they are a browser and do not speak like one. What is imitated follows from the
user agent, so that agent, client hints and TLS tell of the same browser; an agent that is no browser's is left as it is.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import Literal

from dyvine_cli.errors import DyvineError, MissingExtra

log = logging.getLogger(__name__)

When = Literal["auto", "off", "always"]
"""`auto`: from the first refusal on that may be about the way we speak."""

PIP = "pip install 'dyvine-cli[impersonate]'"

_NAME = re.compile(r"(chrome|firefox|safari)([0-9]+)[a-z]?(_android|_ios)?")
_CHROMIUM = re.compile(r"Chrome/([0-9]{2,4})\.")
_EDGE = re.compile(r" Edg/([0-9]{2,4})\.")
_FIREFOX = re.compile(r" Firefox/([0-9]{2,4})\.")
_SAFARI = re.compile(r" Version/([0-9]{1,3})\.([0-9]{1,2})[0-9. ]* (?:Mobile/\w+ )?Safari/")
_OTHERS = re.compile(r"OPR/|CriOS/|FxiOS/|EdgiOS/|; wv\)|HeadlessChrome|Brave/|YaBrowser|SamsungBrowser")
"""Browsers that share a name with another one and do not speak like it."""

# Chromium's components/embedder_support/user_agent_utils.cc: what stands in the brand that is none, and the orders.
_ODD = " (:-./);=?_"
_ODD_VERSIONS = ("8", "99", "24")
_ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))


@dataclass(frozen=True, slots=True)
class Browser:
    """Whom to speak like: `target` is the name that curl_cffi has for it, `hints` are the headers that it always sends."""

    target: str
    hints: Mapping[str, str] = field(default_factory=dict)


class Imitation:
    """Whether a site's calls imitate a browser; remembered for all sites as long as the process lives.

    `installed` says whether the extra is there, `targets` names the browsers that it knows.
    Raises MissingExtra for `always` without the extra.
    """

    def __init__(
        self,
        when: When = "auto",
        *,
        installed: Callable[[], bool] = lambda: find_spec("curl_cffi") is not None,
        targets: Callable[[], Sequence[str]] | None = None,
    ) -> None:
        self._when = when
        self._installed = installed
        self._targets = targets or _known
        self._begun: set[str] = set()
        if when == "always" and not installed():
            raise MissingExtra("[network] impersonate = \"always\" needs the extra 'impersonate'", hint=PIP)

    def browser(self, site: str, agent: str) -> Browser | None:
        """Whom a call to `site` imitates that says it is `agent`; None to speak as we are."""
        return self._of(agent) if self._when == "always" or site in self._begun else None

    def begin(self, site: str, agent: str) -> bool:
        """Imitate a browser at this site from now on; False if that changes nothing or cannot be."""
        if self._when != "auto" or site in self._begun or not self._installed():
            return False
        found = self._of(agent)
        if found is None:
            return False
        self._begun.add(site)
        log.info("%s: speaking like %s from now on", site, found.target)
        return True

    def explain(self, error: DyvineError) -> None:
        """Name what is missing in the hint of a refusal that may be about the way we speak."""
        if self._when == "off" or self._installed():
            return
        more = f"it may be that only browsers are served: {PIP}"
        error.hint = f"{error.hint}; {more}" if error.hint else more

    def _of(self, agent: str) -> Browser | None:
        target = nearest(agent, self._targets())
        return Browser(target, client_hints(agent)) if target else None


def nearest(agent: str, targets: Sequence[str]) -> str | None:
    """Of `targets` the one that speaks like the browser named by `agent`; None if there is none.

    It is the browser's own version or the newest before it, else the oldest one. Chrome 150 is imitated as Chrome 150
    although that was refused where 146 was served (yt-dlp #17604, 2026-09): an agent that does not fit is refused too.
    """
    wanted = _wanted(agent)
    if wanted is None:
        return None
    kind, version = wanted
    known = sorted(
        (_version(found[1], found[2]), found[0]) for found in map(_parts, targets) if found[1] == kind
    )
    older = [name for each, name in known if each <= version]
    return older[-1] if older else (known[0][1] if known else None)


def client_hints(agent: str) -> dict[str, str]:
    """The headers in which a Chromium names itself; none for other browsers, which send none."""
    chromium = _CHROMIUM.search(agent)
    if chromium is None or _OTHERS.search(agent):
        return {}
    brand = "Microsoft Edge" if _EDGE.search(agent) else "Google Chrome"
    return {
        "sec-ch-ua": _brands(int(chromium[1]), brand),
        "sec-ch-ua-mobile": "?1" if " Mobile " in agent else "?0",
        "sec-ch-ua-platform": f'"{_platform(agent)}"',
    }


def _wanted(agent: str) -> tuple[str, tuple[int, ...]] | None:
    """Kind and version of the browser that an agent names; None for what is none, or speaks in its own way."""
    if not agent.startswith("Mozilla/5.0 (") or _OTHERS.search(agent):
        return None
    if found := _CHROMIUM.search(agent):
        return f"chrome{'_android' if 'Android' in agent else ''}", (int(found[1]),)
    if found := _FIREFOX.search(agent):
        return None if "Android" in agent else ("firefox", (int(found[1]),))
    if found := _SAFARI.search(agent):
        return f"safari{'_ios' if ' Mobile/' in agent else ''}", (int(found[1]), int(found[2]))
    return None


@cache
def _parts(target: str) -> tuple[str, str, str]:
    """A target's name, its kind as `_wanted` has it, and the digits of its version; empty ones for other names."""
    found = _NAME.fullmatch(target)
    return (target, found[1] + (found[3] or ""), found[2]) if found else (target, "", "")


def _version(kind: str, digits: str) -> tuple[int, ...]:
    """Safari's digits run together: 184 is 18.4, 2601 is 26.0.1."""
    if kind.startswith("safari"):
        return (int(digits[:2]), *map(int, digits[2:]))
    return (int(digits),)


def _brands(version: int, brand: str) -> str:
    odd = f"Not{_ODD[version % 11]}A{_ODD[(version + 1) % 11]}Brand"
    named = ((odd, _ODD_VERSIONS[version % 3]), ("Chromium", str(version)), (brand, str(version)))
    placed = sorted(zip(_ORDERS[version % 6], named, strict=True))
    return ", ".join(f'"{name}";v="{number}"' for _, (name, number) in placed)


def _platform(agent: str) -> str:
    """The system as Chromium calls it."""
    names = {"Android": "Android", "Macintosh": "macOS", "CrOS": "Chrome OS", "Linux": "Linux"}
    return next((name for word, name in names.items() if word in agent), "Windows")


def _known() -> Sequence[str]:
    from dyvine_cli.http import curl  # its library takes 0.15 s to load

    return curl.targets()
