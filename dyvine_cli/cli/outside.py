"""From the settings to what a run has outside of itself: who is told, and which command is started."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dyvine_cli.errors import InputError

if TYPE_CHECKING:
    from dyvine_cli.config import Settings
    from dyvine_cli.operations.notify.hooks import Command, Hooks
    from dyvine_cli.operations.notify.messages import Messages
    from dyvine_cli.operations.notify.outside import Outside, Wanted
    from dyvine_cli.operations.notify.webhook import Webhook


def outside_of(settings: Settings) -> Outside | None:
    """What `[notify]` and --exec ask for, None if they ask for nothing.

    Raises MissingExtra, ConfigError, InputError: whatever cannot work is told before the run begins.
    """
    wished = settings.notify
    if not (wished.urls or wished.webhook or wished.exec):
        return None
    from dyvine_cli.operations.notify.outside import Outside

    return Outside(hooks=_hooks(settings), wanted=_wanted(settings), secrets=tuple(_secrets(settings)))


def _hooks(settings: Settings) -> Hooks | None:
    command = command_of(settings)
    if command is None:
        return None
    from dyvine_cli.operations.notify.hooks import Hooks

    return Hooks(
        command, timeout=settings.notify.exec_timeout, environment=os.environ, output=_descriptor_of_stderr()
    )


def command_of(settings: Settings) -> Command | None:
    """The command that is to be started, None for none. Raises ConfigError, InputError that name where it stands."""
    if settings.notify.exec is None:
        return None
    from dyvine_cli.operations.notify.hooks import Command

    try:
        return Command.parse(settings.notify.exec)
    except InputError as error:
        where = settings.place("notify.exec")
        raise type(error)(error.message.replace("--exec", where, 1), hint=error.hint) from None


def _descriptor_of_stderr() -> int:
    """Where a command writes to: our stderr, also when it was led elsewhere."""
    try:
        return sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):  # closed, or no file
        return 2


def _wanted(settings: Settings) -> Wanted | None:
    wished = settings.notify
    if not (wished.urls or wished.webhook):
        return None
    from dyvine_cli.operations.notify.outside import Wanted

    return Wanted(
        state=settings.folders.state,
        on=frozenset(wished.on),
        digest_at=wished.digest_at,
        messages=_messages(settings),
        webhook=_webhook(settings),
    )


def _messages(settings: Settings) -> Messages | None:
    if not settings.notify.urls:
        return None
    from dyvine_cli.operations.notify.messages import Messages

    messages = Messages(addresses=settings.notify.urls, proxy=_proxy_of_messages(settings))
    messages.check()
    return messages


def _proxy_of_messages(settings: Settings) -> str | None:
    """The proxy for services, empty for none; None leaves it to the environment, which their library reads itself."""
    origin, proxy = settings.origin("network.proxy"), settings.network.proxy
    is_ours = origin.startswith(("flag", "file", "environment DYVINE_"))
    if not is_ours or (proxy is not None and proxy.startswith("list:")):
        return None
    return proxy or ""


def _webhook(settings: Settings) -> Webhook | None:
    if settings.notify.webhook is None:
        return None
    from dyvine_cli.config.proxies import is_exempt
    from dyvine_cli.operations.notify.webhook import Way, Webhook

    reach = settings.network
    host = urlsplit(settings.notify.webhook).hostname or ""
    way = Way(
        connect_to=reach.connect_to or "",
        proxy=None if is_exempt(host, reach.no_proxy) else reach.proxy,
        proxy_order=reach.proxy_order,
        ca_file=reach.ca_file,
        verify=reach.check_certificates,
    )
    return Webhook(url=settings.notify.webhook, secret=settings.notify.secret, way=way)


def _secrets(settings: Settings) -> Iterator[str]:
    """What the settings hold that nobody is to read: keys, and the values of cookies."""
    for cookie in (settings.douyin.cookie, settings.tiktok.cookie):
        for pair in (cookie or "").split(";"):
            yield pair.partition("=")[2].strip()
    for proxy in (settings.network.proxy, settings.douyin.proxy, settings.tiktok.proxy):
        if proxy and "@" in proxy:
            yield urlsplit(proxy).password or ""
    yield settings.serve.key or ""
    for target in settings.targets:
        yield target.access_key_id or ""
        yield target.secret_access_key or ""
