"""What `dyvine sync run`, `status` and `retry` do: sources in, one run over them, once or again and again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dyvine_cli.cli.app import conduct
from dyvine_cli.errors import ConfigError, DyvineError, InputError

if TYPE_CHECKING:
    from dyvine_cli.cli.call import Run
    from dyvine_cli.cli.options import Common
    from dyvine_cli.config import Settings
    from dyvine_cli.events import Report
    from dyvine_cli.operations.reminders import Logins
    from dyvine_cli.operations.workspace import Entry, Workspaces

MEANINGLESS = {
    "batch_file": "-a",
    "list_formats": "-F",
    "get_url": "-g",
    "dump_json": "-j",
    "raw": "--raw",
    "stop_at_known": "--stop-at-known",
}
"""Options that say nothing about sources, as they are typed."""
STOPPED = (130, 141, 143)
"""Exit statuses of a run that was ended from outside."""
JITTER = 0.1
"""The part by which the time between two runs is longer or shorter, so that not all machines ask at once."""


def run(given: Common, words: list[str], *, jobs: str | None = None) -> Run:
    """Check the sources that are due; those that are named in any case. Raises InputError for options of no use."""
    return _over_sources(given, words, jobs=jobs, retry=False)


def retry(given: Common, words: list[str]) -> Run:
    """Try what failed of the sources again. Raises InputError for options of no use."""
    return _over_sources(given, words, jobs=None, retry=True)


def _over_sources(given: Common, words: list[str], *, jobs: str | None, retry: bool) -> Run:
    _refuse_meaningless(given)
    logins: Logins = []
    reminders: list[str] = []

    async def work(settings: Settings, report: Report) -> int:
        from dyvine_cli.cli.settings import selection_of
        from dyvine_cli.operations.alone import alone
        from dyvine_cli.operations.reminders import due
        from dyvine_cli.operations.sync.run import Sync
        from dyvine_cli.operations.workspace import open_workspaces

        _need_folders(settings)
        settings = _with_jobs(settings, jobs)
        with alone(settings.folders.state):
            async with open_workspaces(settings, report, selection_of) as places:
                entries = entries_of(settings, places, words)
                sync = Sync(places, report, simulate=bool(given.take.simulate))
                try:
                    code = await (sync.retry(entries) if retry else sync.run(entries))
                finally:
                    logins.extend(profile for client in places.clients for profile in client.in_use)
                reminders.extend(due(logins, settings.folders.state))
                return code

    def once() -> int:
        logins.clear()
        reminders.clear()
        code = conduct(given, work, summed=True, logins=logins)
        if reminders:
            from dyvine_cli.cli.output import warn

            warn(*reminders)
        return code

    return once


def _need_folders(settings: Settings) -> None:
    """Raises InputError when there are no sources, ConfigError for one without a folder that is the same anywhere."""
    from dyvine_cli.operations.sync.run import no_sources

    if not settings.sources:
        raise no_sources()
    for source in settings.sources:
        settings.for_source(source).lasting_path("sync")


def entries_of(settings: Settings, places: Workspaces, words: Sequence[str]) -> list[Entry]:
    """The sources that the words name, all without any; a tag names a group, but none of its sources.

    Raises InputError for a word that names none, and when there are no sources at all.
    """
    from dyvine_cli.operations.sync.run import no_sources
    from dyvine_cli.operations.sync.sources import chosen, means_at

    if not settings.sources:
        raise no_sources()
    means = means_at(settings.named_site)
    found = chosen(settings.sources, words, means)
    tags = {tag.casefold() for source in settings.sources for tag in source.tags}
    names = [word for word in words if word.casefold() not in tags]
    named = chosen(settings.sources, names, means) if names else ()
    return places.entries(found, named=named)


def status(given: Common, words: list[str]) -> Run:
    """Show how the sources stand; 0 if nothing is wrong that no later run mends, else 3."""

    async def work(settings: Settings, report: Report) -> int:
        from datetime import UTC, datetime

        from dyvine_cli.cli.output.standings import show
        from dyvine_cli.cli.settings import selection_of
        from dyvine_cli.operations.sync.standing import standings
        from dyvine_cli.operations.tally import SOME_FAILED
        from dyvine_cli.operations.workspace import open_workspaces

        async with open_workspaces(settings, report, selection_of) as places:
            found = await standings(places, entries_of(settings, places, words), datetime.now(UTC))
        show(found, json=bool(given.show.json))
        return SOME_FAILED if any(each.needs_person for each in found) else 0

    return lambda: conduct(given, work, events=False)


def _refuse_meaningless(given: Common) -> None:
    for name in given.given():
        if name in MEANINGLESS:
            raise InputError(
                f"{MEANINGLESS[name]} says nothing about sources",
                hint="`dyvine sync --help` shows what does; to get a single thing: dyvine get LINK",
            )


def _with_jobs(settings: Settings, jobs: str | None) -> Settings:
    """The settings with so many sources at once. Raises ConfigError."""
    from dyvine_cli.config import Wrong, readers

    if jobs is None:
        return settings
    try:
        return replace(settings, sync=replace(settings.sync, jobs=readers.whole(1, 64, jobs)))
    except Wrong as error:
        raise ConfigError(f"--jobs: {error}", hint=error.hint) from None


# --- again and again --------------------------------------------------------------------------------------------------


def staying(once: Run, every: str | None) -> Run:
    """`once`, or with `every` again after each such time until it is stopped. Raises ConfigError.

    The outcome is 0 when it is stopped between two runs, else that of the run that was stopped.
    """
    if every is None:
        return once
    pause = _seconds(every)

    def stay() -> int:
        began, code = time.monotonic(), once()
        while code not in STOPPED:
            again = began + pause * random.uniform(1 - JITTER, 1 + JITTER)
            if _is_stopped(max(0.0, again - time.monotonic())):
                return 0
            began, code = time.monotonic(), _once_more(once)
        return code

    return stay


def _once_more(once: Run) -> int:
    """A later run; what is wrong with it is said, and the one after it may be well again."""
    from dyvine_cli.cli.output import tell

    try:
        return once()
    except DyvineError as error:
        tell(error)
        return error.exit_code


def _seconds(every: str) -> float:
    from dyvine_cli.config import Wrong, parse_duration

    try:
        seconds = parse_duration(every)
    except Wrong as error:
        raise ConfigError(f"--every: {error}", hint=error.hint) from None
    if seconds < 1:
        raise ConfigError(
            "--every: less than a second", hint="6h is usual; the site is asked for each source"
        )
    return seconds


def _is_stopped(seconds: float) -> bool:
    """Wait so long; True when a signal ended that."""
    from dyvine_cli.cli.stop import Stop

    stop = Stop()

    async def wait() -> None:
        stop.listen()
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            if not stop.number:
                raise

    try:
        asyncio.run(wait())
    except KeyboardInterrupt:  # where the loop has no signal handlers
        return True
    return bool(stop.number)
