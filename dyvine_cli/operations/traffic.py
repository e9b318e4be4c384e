"""What goes over the wire, told redacted while it happens: `--print-traffic`."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from dyvine_cli.http.exchange import Exchange, Trace
from dyvine_cli.redact import Redactor

log = logging.getLogger("dyvine_cli.traffic")

CUT = 300
"""Characters of a body that are shown."""
_LARGEST = 2_000_000  # bytes of a body that are looked at

_ACCOUNT = (
    *("uid", "sec_uid", "unique_id", "short_id", "nickname", "user_uid", "id", "user_unique_id"),
    *("secUid", "uniqueId", "nickName", "odinId", "wid"),
    *("user_id", "user_id_str", "sec_user_id", "screen_name", "username"),
)
_OWN = ("user/profile/self/", "query/user/", "token/beat/web/", "account/info/")
"""Calls whose answers are about whoever asks."""
_ASKING = b'"webapp.app-context":'
"""Behind this a page of TikTok tells who asks for it, whatever it is about: the account, else the visitor."""
_ECHO = "x-ms-token"
"""The header that repeats the value of a cookie."""


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
        shown = self._redactor.body(body[:_LARGEST])
        return shown if len(shown) <= CUT else shown[:CUT] + "…"


def both(first: Trace, second: Trace) -> Trace:
    """One listener for two."""

    def trace(made: Exchange) -> None:
        first(made)
        second(made)

    return trace


def learn(redactor: Redactor, made: Exchange) -> None:
    """Tell a redactor the cookies that an exchange sent and got, and what it says of the person's own account.

    They go wherever else they stand.
    """
    for name, value in made.sent.items():
        if name.lower() == "cookie":
            redactor.learn_cookies(value)
    for header in made.set_cookies:
        redactor.learn_cookies(header.partition(";")[0])
    redactor.learn(made.received.get(_ECHO, ""))
    if urlsplit(made.full_url).path.endswith(_OWN):
        redactor.learn_account(*_ids(made.body.decode("utf-8-sig", "replace")))
    elif (at := made.body.find(_ASKING)) >= 0:
        redactor.learn_account(*_ids(made.body[at + len(_ASKING) :].decode("utf-8", "replace")))


def _ids(text: str) -> Iterator[str]:
    """The ids and names in a record about the person's own account or device; what follows it does not matter."""
    with suppress(ValueError, RecursionError):
        found, _ = json.JSONDecoder().raw_decode(text.lstrip())
        records = (found, found.get("user"), found.get("data")) if isinstance(found, dict) else ()
        for record in records:
            if isinstance(record, dict):
                yield from (str(record[name]) for name in _ACCOUNT if record.get(name))
