"""Following a short link: `Location` only, a few hops, never off the platform's own hosts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin

from dyvine_cli.errors import AddressRefused, NotFound, UnsupportedURL
from dyvine_cli.http.addresses import split, within
from dyvine_cli.http.api import Answer, ApiClient, Request
from dyvine_cli.models import Ref

HOPS = 5
ENDPOINT = "short link"
"""Its name in errors and logs."""

_ONWARD = (301, 302, 303, 307, 308)
_NOWHERE = (404, 410)


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """How one platform's short links are followed.

    `agent` is the user agent that is led to the thing itself. `judge` raises for an answer that is no redirect: the
    platform's rate limits and refusals. `match` and `is_home` are the platform's of `urls`.
    """

    platform: str
    http: ApiClient
    agent: str
    judge: Callable[[Answer], None]
    hosts: tuple[str, ...]
    match: Callable[[str], Ref | None]
    is_home: Callable[[str], bool]

    async def follow(self, ref: Ref) -> Ref:
        """What a short link leads to, at most 5 hops away; a ref that is no short link is itself.

        Raises NotFound for a code that has run out (it leads to the bare home page), UnsupportedURL when it leads astray.
        """
        if ref.kind != "short":
            return ref
        url = ref.id
        for _ in range(HOPS):
            target = await self._target(url)
            if target is None or self.is_home(target):
                raise NotFound(
                    f"the short link {ref.id} leads nowhere: it has expired or was never valid",
                    hint="copy the link again from the app",
                    ref=ref,
                )
            found = self.match(target)
            if found is not None and found.kind != "short":
                return found
            url = found.id if found else self._next(ref, target)
        raise UnsupportedURL(f"the short link {ref.id} was redirected more than {HOPS} times")

    async def _target(self, url: str) -> str | None:
        """Where one hop leads, as an absolute address; None when it leads nowhere. Its landing page is not read."""

        def judge(answer: Answer) -> None:
            if answer.status not in (*_ONWARD, *_NOWHERE):
                self.judge(answer)

        answer = await self.http.send(
            lambda: Request(url=url, headers={"User-Agent": self.agent}, login=False),
            call="page",
            endpoint=ENDPOINT,
            judge=judge,
        )
        target = answer.headers.get("location") if answer.status in _ONWARD else None
        return urljoin(url, target) if target else None

    def _next(self, ref: Ref, target: str) -> str:
        """Where a redirect without a meaning of its own is followed to: the platform's own hosts only, over HTTPS."""
        away = UnsupportedURL(f"the short link {ref.id} leads away from {self.platform}")
        try:
            address = split(target)
        except AddressRefused:
            raise away from None
        if address.port not in (80, 443) or not within(address.host, self.hosts):
            raise away
        return f"https://{address.host}{address.target}"
