"""What goes over the wire, told redacted while it happens: `--print-traffic`."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from dyvine_cli.http.exchange import Exchange
from dyvine_cli.redact import Redactor

log = logging.getLogger("dyvine_cli.traffic")

CUT = 300
"""Characters of a body that are shown."""
_CUT_BYTES = 2_000_000


class Traffic:
    """Logs every exchange in two lines: what was asked, what came. No cookie, token or signature is in them."""

    def __init__(self) -> None:
        self._redactor = Redactor()

    def __call__(self, made: Exchange) -> None:
        """Tell one exchange."""
        if not log.isEnabledFor(logging.DEBUG):
            return
        learn(self._redactor, made)
        log.debug("> %s", " ".join(self._asked(made)))
        log.debug("< %s", " ".join(self._came(made)))

    def _asked(self, made: Exchange) -> list[str]:
        kept, others = self._redactor.allowed(urlsplit(made.full_url).query)
        query = f"?{kept}" if kept else ""
        more = [f"(and {others} more parameters)"] if others else []
        names = [f"with {', '.join(made.sent)}"] if made.sent else []
        body = [f"{len(made.content)} bytes: {self._body(made.content)}"] if made.content else []
        return [made.method, self._redactor.url(made.url) + query, *more, *names, *body]

    def _came(self, made: Exchange) -> list[str]:
        if made.status is None:
            return [made.fault or "no answer", f"after {made.seconds * 1000:.0f} ms"]
        kind = self._redactor.text(made.received.get("content-type", "no type"))
        told = [str(made.status), f"{kind},", f"{made.size} bytes,", f"{made.seconds * 1000:.0f} ms"]
        return [*told, self._body(made.body)] if made.body else told

    def _body(self, body: bytes) -> str:
        shown = self._redactor.body(body[:_CUT_BYTES])
        return shown if len(shown) <= CUT else shown[:CUT] + "…"


def learn(redactor: Redactor, made: Exchange) -> None:
    """Tell a redactor the cookies that an exchange sent and got, so that they go wherever else they stand."""
    for name, value in made.sent.items():
        if name.lower() == "cookie":
            redactor.learn_cookies(value)
    for header in made.set_cookies:
        redactor.learn_cookies(header.partition(";")[0])
