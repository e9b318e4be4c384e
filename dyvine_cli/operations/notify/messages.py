"""Messages to people through apprise (extra `notify`): mail, Telegram, Bark, WeCom, Feishu, DingTalk, ntfy and others."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dyvine_cli.errors import MissingExtra

PATIENCE = 20.0
"""Seconds that the services have."""
_START = 15.0  # seconds more for the process itself; on a small machine the library loads for several
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_SCRIPT = Path(__file__).with_name("messenger.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Where messages go: apprise addresses, which are secrets.

    `proxy` is that of the settings for these hosts, empty for none, None for whatever the environment says.
    """

    addresses: tuple[str, ...] = field(repr=False)
    proxy: str | None = field(default=None, repr=False)

    def check(self) -> None:
        """Raise MissingExtra if the library is not installed, so that nobody learns it at the first failure."""
        if importlib.util.find_spec("apprise") is None:
            raise MissingExtra(
                "[notify] urls need the package apprise, which is not installed",
                hint="pip install 'dyvine-cli[notify]'",
            )

    async def send(self, title: str, text: str) -> tuple[int, tuple[str, ...]]:
        """Send a message to every address; how many took it, and what went wrong, in sentences that quote none."""
        try:
            return _outcome(json.loads(await self._sent(title, text)))
        except TimeoutError:
            return 0, ("no message was sent: the services did not answer in time",)
        except OSError as error:
            return 0, (f"no message was sent: no process can be started for it: {error.strerror}",)
        except (ValueError, TypeError, LookupError, AttributeError):
            return 0, ("no message was sent: apprise ended with an error; try: pip install -U apprise",)

    async def _sent(self, title: str, text: str) -> bytes:
        """What the process says. Raises TimeoutError, OSError."""
        asked = {"addresses": self.addresses, "title": title, "text": text, "seconds": PATIENCE}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # nothing is imported from the working folder
            str(_SCRIPT),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=self._environment(),
        )
        try:
            async with asyncio.timeout(PATIENCE + _START):
                out, _ = await process.communicate(json.dumps(asked).encode())
                return out
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    def _environment(self) -> dict[str, str]:
        """Our variables, with the proxy of the settings in place of theirs."""
        env = dict(os.environ)
        if self.proxy is None:
            return env
        env = {name: value for name, value in env.items() if name.lower() not in (*_PROXIES, "no_proxy")}
        return env | (dict.fromkeys(_PROXIES, self.proxy) if self.proxy else {"no_proxy": "*"})


def _outcome(outcomes: Sequence[dict[str, Any]]) -> tuple[int, tuple[str, ...]]:
    complaints = [_complaint(number, outcome) for number, outcome in enumerate(outcomes, start=1)]
    return complaints.count(""), tuple(filter(None, complaints))


def _complaint(number: int, outcome: dict[str, Any]) -> str:
    """What became of one address, by its place in the list."""
    which = f"number {number} of [notify] urls"
    service = f"{outcome['service']}, " if outcome["service"] else ""
    match outcome["state"]:
        case "sent":
            return ""
        case "unknown":
            return f"{which} is no address that apprise knows"
        case "late":
            return f"no message was sent: {service}{which}, did not answer in time"
    status = f" (status {int(outcome['status'])})" if outcome["status"] else ""
    return f"no message was sent: {service}{which}, did not take it{status}"
