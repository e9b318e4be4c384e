"""What leaves a run for those who are not there: messages, a webhook's event, commands. The run knows nothing of it.

Nothing here changes how a run ends: what cannot be sent, and a command that fails, is a warning.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from dyvine_cli._version import VERSION
from dyvine_cli.errors import DyvineError
from dyvine_cli.events import Event, Report
from dyvine_cli.identity import Profile
from dyvine_cli.operations.notify.hooks import Hooks
from dyvine_cli.operations.notify.messages import Messages
from dyvine_cli.operations.notify.notices import NEEDS_NOBODY, Due, Gathered, Notice, digest, notice
from dyvine_cli.operations.notify.told import Counts, Sheet, Told, Unkept
from dyvine_cli.operations.notify.webhook import NotTaken, Webhook
from dyvine_cli.operations.reminders import ending

log = logging.getLogger(__name__)

PATIENCE = 28.0
"""Seconds that the end of a run waits for everything that is sent."""

Work = Callable[[Report], Awaitable[int]]
"""A run: it reports what happens and gives its exit status. Raises what ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Who is told, and when: `on` are occasions, `digest_at` the local time of the daily digest (`08:00`)."""

    state: Path
    on: frozenset[str]
    digest_at: str = "08:00"
    messages: Messages | None = None
    webhook: Webhook | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may repeat."""
        addresses = self.messages.addresses if self.messages else ()
        own = (self.webhook.url, self.webhook.secret or "") if self.webhook else ()
        return (*addresses, *own)


@dataclass(slots=True, kw_only=True)
class Outside:
    """What a run has outside of itself; `hooks` None runs no command, `wanted` None tells nobody.

    `secrets` are texts that no message may repeat. `now` is the time of day.
    """

    hooks: Hooks | None = None
    wanted: Wanted | None = None
    secrets: Sequence[str] = field(default=(), repr=False)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def around(
        self, work: Work, report: Report, *, logins: Sequence[Profile] = (), warnings: list[str]
    ) -> int:
        """Do `work` and then tell whoever is to be told; its exit status, or the error that ended it.

        `logins` are the profiles in use, looked at when `work` is done; `warnings` gets what could not be told. When the
        run is cancelled nothing is sent, and the commands that run are ended.
        """
        began = time.time()
        gathered = Gathered((*self.secrets, *(self.wanted.secrets if self.wanted else ())))
        try:
            code, error = await self._work(work, report, gathered)
        except asyncio.CancelledError:
            self._count(gathered, began)
            raise
        if self.wanted is not None:
            warnings += await Telling(self.wanted, self.now()).tell(gathered, code, began, logins)
        if error is not None:
            raise error
        return code

    async def _work(self, work: Work, report: Report, gathered: Gathered) -> tuple[int, DyvineError | None]:
        """The run and its commands; its exit status and the error that ended it."""
        error: DyvineError | None = None

        def heard(event: Event) -> None:
            report(event)
            gathered.take(event)
            if self.hooks is not None:
                self.hooks.take(event)

        async with AsyncExitStack() as stack:
            if self.hooks is not None:
                await stack.enter_async_context(self.hooks.at_work(report))
            try:
                code = await work(heard)
            except DyvineError as exc:
                error, code = exc, exc.exit_code
                gathered.end(exc)
        if self.hooks is not None:
            await self.hooks.finish(gathered.ended(code), code, gathered.new)
        return code, error

    def _count(self, gathered: Gathered, began: float) -> None:
        """Keep what a run that was stopped had saved for the next digest."""
        if self.wanted is not None and "digest" in self.wanted.on:
            try:
                with Told(self.wanted.state).open() as sheet:
                    sheet.counts.add(gathered.counts(0, began))
            except Unkept as exc:
                log.debug("the digest's counts cannot be kept: %s", exc)


class Telling:
    """The end of one run: what is due, to whom, and what to remember of it."""

    def __init__(self, wanted: Wanted, now: datetime) -> None:
        self._wanted = wanted
        self._now = now
        self._told = Told(wanted.state)

    async def tell(
        self, gathered: Gathered, code: int, began: float, logins: Sequence[Profile]
    ) -> tuple[str, ...]:
        """Send what is due; what went wrong, in sentences. What nobody got is due again."""
        ends = {**ending(logins, self._now), **gathered.dead} if "login" in self._wanted.on else {}
        fingerprint = gathered.fingerprint(code)
        counts = gathered.counts(code, began)
        due, summed = self._claim(gathered, code, fingerprint, ends, counts)
        complaints: list[str] = []

        async def send(told: Notice, undo: Callable[[Sheet], None]) -> None:
            reached, found = await self._send(told)
            complaints.extend(found)
            if not reached:
                self._give_back(undo)

        async with asyncio.TaskGroup() as group:
            if due.occasions:
                undo = partial(_forget, fingerprint=fingerprint, logins=ends)
                group.create_task(send(notice(gathered, code, due), undo))
            if summed is not None:
                group.create_task(send(digest(summed, self._now), partial(_restore, counts=summed)))
        return tuple(dict.fromkeys(complaints))

    def _claim(
        self,
        gathered: Gathered,
        code: int,
        fingerprint: str,
        ends: Mapping[str, str],
        counts: Counts,
    ) -> tuple[Due, Counts | None]:
        """What this run is to tell, so that no other does; and the digest's counts if that is due."""
        on = self._wanted.on
        failed = "failure" in on and code not in NEEDS_NOBODY
        new = "new" in on and gathered.new > 0
        try:
            with self._told.open() as sheet:
                failure = failed and sheet.claim_failure(fingerprint, self._now)
                keys = sheet.claim_logins(ends, self._now)
                logins = tuple(ends[key] for key in keys if not (failure and key in gathered.dead))
                summed = self._summed(sheet, counts) if "digest" in on else None
                return Due(failure=failure, new=new, logins=logins), summed
        except Unkept as exc:
            log.debug("what was told cannot be remembered: %s", exc)
            return Due(failure=failed, new=new, logins=tuple(ends.values())), None

    def _summed(self, sheet: Sheet, counts: Counts) -> Counts | None:
        sheet.counts.add(counts)
        return sheet.claim_digest(self._wanted.digest_at, self._now)

    def _give_back(self, change: Callable[[Sheet], None]) -> None:
        try:
            with self._told.open() as sheet:
                change(sheet)
        except Unkept as exc:
            log.debug("what was not told cannot be remembered: %s", exc)

    async def _send(self, told: Notice) -> tuple[int, tuple[str, ...]]:
        """Send to everyone at once; how many were reached, and what went wrong in sentences."""
        found: list[str] = []
        reached = 0

        async def to_people(messages: Messages) -> None:
            nonlocal reached
            count, complaints = await messages.send(told.title, told.text)
            reached += count
            found.extend(complaints)

        async def to_webhook(webhook: Webhook) -> None:
            nonlocal reached
            try:
                await webhook.post({**told.event, "text": told.text}, version=VERSION)
                reached += 1
            except NotTaken as error:
                found.append(f"the webhook was not told: {error.message}")

        try:
            async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
                if self._wanted.messages is not None:
                    group.create_task(to_people(self._wanted.messages))
                if self._wanted.webhook is not None:
                    group.create_task(to_webhook(self._wanted.webhook))
        except TimeoutError:
            found.append(f"not everyone was told: it took longer than {PATIENCE:.0f} s")
        return reached, tuple(found)


def _forget(sheet: Sheet, fingerprint: str, logins: Mapping[str, str]) -> None:
    sheet.failures.pop(fingerprint, None)
    for key in logins:
        sheet.logins.pop(key, None)


def _restore(sheet: Sheet, counts: Counts) -> None:
    sheet.digest = ""
    sheet.counts.add(counts)
