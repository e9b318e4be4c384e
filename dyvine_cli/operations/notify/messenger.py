"""A process of its own that hands one message to apprise: `python -P messenger.py`, everything over stdin and stdout.

Nothing of this package is imported, so that what the library and its plug-ins do to logs, warnings, threads and proxies
ends with the process; and it can be ended at once. stdin has `{"addresses": [...], "title": ..., "text": ...,
"seconds": ...}`, stdout gets a list with one `{"service": ..., "state": "sent" | "unknown" | "failed" | "late",
"status": ...}` for each address, in their order. What the library logs is dropped: it may quote an address.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
import time
from typing import Any

_STATUS = re.compile(r"error=([1-5][0-9]{2})\b")


class _Statuses(logging.Handler):
    """Keeps only the HTTP status that a warning of the library names, for the thread that logged it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: dict[int | None, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the number, drop the words."""
        if status := _STATUS.search(record.getMessage()):
            self.found[record.thread] = int(status[1])


class _Errand(threading.Thread):
    """One address, and what the library makes of it; `outcome` says how it went, `late` until it is known."""

    def __init__(self, apprise: Any, address: str, title: str, text: str, statuses: _Statuses) -> None:
        super().__init__(daemon=True)
        self._apprise = apprise
        self._title = title
        self._text = text
        self._statuses = statuses
        self._asset = apprise.AppriseAsset(app_id="dyvine", app_desc="dyvine", async_mode=False)
        self._service = apprise.Apprise.instantiate(address, asset=self._asset)
        name = str(self._service.service_name or "")[:40] if self._service else None
        self.outcome: dict[str, Any] = {
            "service": name,
            "state": "late" if self._service else "unknown",
            "status": None,
        }

    def run(self) -> None:
        """Send the message as plain text, which the library escapes for services that read markup."""
        if not self._service:
            return
        messenger = self._apprise.Apprise(asset=self._asset)
        messenger.add(self._service)
        sent = messenger.notify(
            body=self._text, title=self._title, body_format=self._apprise.NotifyFormat.TEXT
        )
        status = None if sent else self._statuses.found.get(threading.get_ident())
        self.outcome = {**self.outcome, "state": "sent" if sent else "failed", "status": status}


def main() -> None:
    """Send what stdin asks for, say how it went, end without waiting for anyone."""
    asked = json.loads(sys.stdin.buffer.read())
    answer, sys.stdout = sys.stdout, open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - for good
    statuses = _Statuses()
    logging.getLogger().addHandler(statuses)
    import apprise

    errands = [
        _Errand(apprise, address, asked["title"], asked["text"], statuses) for address in asked["addresses"]
    ]
    # What the library takes to load is not the services' time.
    until = time.monotonic() + float(asked["seconds"])
    for each in errands:
        each.start()
    for each in errands:
        each.join(max(0.0, until - time.monotonic()))
    answer.write(json.dumps([each.outcome for each in errands]))
    answer.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
