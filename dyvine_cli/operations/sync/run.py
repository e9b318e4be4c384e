"""Sources that are kept in sync: which are due, the longest unchecked first, several at a time; and what failed, again."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dyvine_cli.archive.base import CheckedSource, FailedAsset
from dyvine_cli.client import Client
from dyvine_cli.errors import DyvineError, InputError, LoginExpired, NotWritable, RateLimited
from dyvine_cli.events import Failed, Report, SyncedSource, Warned
from dyvine_cli.models import Listing, Ref
from dyvine_cli.operations.sync import again
from dyvine_cli.operations.sync.again import Failures, Owner
from dyvine_cli.operations.sync.check import Check, Round, is_the_budgets, owner_of
from dyvine_cli.operations.sync.gone import MOST
from dyvine_cli.operations.tally import Tally
from dyvine_cli.operations.workspace import Entry, Workspaces

EARLY = 0.05
"""The part of `every` by which a source may be checked too early: cron does not start to the second."""

_NEVER = datetime.min.replace(tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC)


def no_sources() -> InputError:
    """The complaint about a configuration without anything to keep in sync."""
    return InputError(
        "there is nothing to keep in sync yet", hint="add an account or a mix: dyvine sync add LINK"
    )


Key = tuple[str, Listing | None, str]
"""Link and listing of a source, as they stand in the settings, and what tells it from others of them: by these its
checks are on record.
"""


Waiting = dict[Owner, dict[Ref, list[FailedAsset]]]
"""Failures by who waits for them."""


def key(entry: Entry) -> Key:
    """What the checks of a source are on record by."""
    return entry.link, entry.what, entry.apart


def by_key(rows: Iterable[CheckedSource]) -> dict[Key, CheckedSource]:
    """The last checks by what they are on record by."""
    return {(row.link, row.what, row.name): row for row in rows}


def due_at(entry: Entry, last: CheckedSource | None, now: datetime) -> datetime | None:
    """When a source may be checked again; None for now, as for one that was checked by a clock ahead of its time."""
    if last is None or entry.named or last.began > now:
        return None
    if last.next_try is not None:
        return last.next_try
    if entry.every is None or last.ended is None:
        return None
    return last.began + timedelta(seconds=entry.every * (1 - EARLY))


def in_turn(entries: Iterable[Entry], checked: dict[Key, CheckedSource]) -> list[Entry]:
    """The longest unchecked first: those that never were, in their order, then by the time when the last check began."""

    def began(entry: Entry) -> datetime:
        last = checked.get(key(entry))
        return last.began if last else _NEVER

    return sorted(entries, key=began)


def _not_tried(turn: _Turn, error: DyvineError) -> SyncedSource:
    ref = turn.last.ref if turn.last else None
    return SyncedSource(ref=ref, name=turn.entry.title, state="not tried", error=error.message)


def _has_entries(folder: Path) -> bool:
    """Whether there is anything in a folder, as far as can be seen: what cannot be looked into is left to the saving."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except FileNotFoundError:
        return False
    except OSError:
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """What one source gets in this run."""

    entry: Entry
    last: CheckedSource | None
    failures: Failures
    listing: bool


class Sync:
    """One run over sources. `clock` tells the time of day, `lookups` is how many vanished posts are looked up."""

    def __init__(
        self,
        places: Workspaces,
        report: Report,
        *,
        simulate: bool = False,
        clock: Callable[[], datetime] = _now,
        lookups: int = MOST,
    ) -> None:
        self._places = places
        self._report = report
        self._round = Round(places=places, report=report, simulate=simulate, clock=clock, lookups=lookups)
        self._clock = clock
        self._tally = Tally()
        self._rows: list[SyncedSource] = []
        self._ended_sites: dict[str, DyvineError] = {}
        self._ended_clients: dict[tuple[str, Client], DyvineError] = {}
        self._not_tried: Counter[tuple[str, DyvineError]] = Counter()

    async def run(self, entries: Sequence[Entry]) -> int:
        """Check what is due of these sources; the exit status. Raises ArchiveError, NotWritable for a missing disk."""
        now = self._clock()
        wanted = [each for each in entries if each.enabled or each.named]
        checked = await self._checked()
        failures = await self._failures()
        turns = []
        for entry in in_turn(wanted, checked):
            last = checked.get(key(entry))
            when = due_at(entry, last, now)
            turn = _Turn(
                entry=entry,
                last=last,
                failures=again.due(self._of(entry, last, failures), now),
                listing=when is None or when <= now,
            )
            if turn.listing or turn.failures:
                turns.append(turn)
        await self._all(await self._with_disks(turns))
        return await self._conclude()

    async def retry(self, entries: Sequence[Entry]) -> int:
        """Try all that failed of these sources again, whenever that would be due; the exit status.

        Raises ArchiveError, NotWritable for a missing disk.
        """
        checked = await self._checked()
        failures = await self._failures()
        self._join_orphans(entries, checked, failures)
        turns, left = [], Counter[str]()
        for entry in in_turn(entries, checked):
            last = checked.get(key(entry))
            own = self._of(entry, last, failures)
            trying = again.due(own, None)
            left.update(row.error for ref in own.keys() - trying.keys() for row in own[ref][:1])
            if trying:
                turns.append(_Turn(entry=entry, last=last, failures=trying, listing=False))
        if left:
            causes = ", ".join(f"{count} {name}" for name, count in left.most_common())
            self._report(
                Warned(
                    message=f"{left.total():,} not tried, because that does not pass by itself: {causes}",
                    notice=True,
                )
            )
        await self._all(await self._with_disks(turns))
        return await self._conclude()

    async def _with_disks(self, turns: Sequence[_Turn]) -> list[_Turn]:
        """The turns whose folders are there; the others are told and counted.

        Raises NotWritable where the disks of all are missing, before anything is asked for.
        """
        roots = [self._places.root_of(turn.entry) for turn in turns]
        missing = {root: error for root in dict.fromkeys(roots) if (error := await self._missing(root))}
        if missing and len(missing) == len(set(roots)):
            raise next(iter(missing.values()))
        for root, error in missing.items():
            count = roots.count(root)
            text = f"{count:,} {'sources' if count > 1 else 'source'}, not tried"
            self._report(Failed(ref=None, error=error, text=text))
        for turn, root in zip(turns, roots, strict=True):
            if root in missing:
                self._tally.errors.append(missing[root])  # it ends these, not the run
                self._rows.append(_not_tried(turn, missing[root]))
        return [turn for turn, root in zip(turns, roots, strict=True) if root not in missing]

    async def _missing(self, root: Path) -> NotWritable | None:
        """The error for a folder that is empty or missing though files were saved there: its disk is not mounted."""
        if await asyncio.to_thread(_has_entries, root):
            return None
        files = await self._places.shared.archive.files_below(root)
        if not files:
            return None
        saved = f"none of the {files:,} files saved there is" if files > 1 else "the file saved there is not"
        return NotWritable(
            f"{root}: {saved} there: is the disk mounted?",
            hint=f"mount it; if you moved them away on purpose, put any file or folder into {root}",
        )

    async def _checked(self) -> dict[Key, CheckedSource]:
        return by_key(await self._places.shared.archive.checked())

    async def _failures(self) -> Waiting:
        return again.by_owner(await self._places.shared.archive.failures())

    def _of(self, entry: Entry, last: CheckedSource | None, failures: Waiting) -> Failures:
        """The failures that wait for a source."""
        owner = self._owner(entry, last) if failures else None
        return failures.get(owner, {}) if owner is not None else {}

    def _owner(self, entry: Entry, last: CheckedSource | None) -> Owner | None:
        """By whom a source is remembered; None if that cannot be said, which its check tells."""
        if last is None or last.ref is None:
            return None
        try:
            return owner_of(self._places, entry, last.ref)
        except InputError:
            return None

    def _join_orphans(
        self, entries: Iterable[Entry], checked: dict[Key, CheckedSource], failures: Waiting
    ) -> None:
        """Let each source try what waits for nobody of its listing any more, because its filters were edited."""
        owners = {self._owner(entry, checked.get(key(entry))) for entry in entries} if failures else set()
        orphans = {owner: failures[owner] for owner in failures.keys() - owners}
        for owner in owners - {None}:
            for (listing, _), posts in orphans.items():
                if owner is not None and listing == owner[0]:
                    failures[owner] = posts | failures.get(owner, {})

    # --- several at a time ----------------------------------------------------------------------------------------

    async def _all(self, turns: Sequence[_Turn]) -> None:
        slots = asyncio.Semaphore(self._places.jobs)

        async def one(turn: _Turn) -> None:
            try:
                await self._one(turn)
            finally:
                slots.release()

        async with asyncio.TaskGroup() as group:
            for turn in turns:
                await slots.acquire()
                if self._tally.stop is not None:
                    slots.release()
                    break
                if self._mind_ended(turn):
                    slots.release()
                else:
                    group.create_task(one(turn))

    async def _one(self, turn: _Turn) -> None:
        check = Check(turn.entry, turn.last, self._round, failures=turn.failures, listing=turn.listing)
        await check.run()
        row = check.row
        if not row.is_news:
            check.tally.balances.clear()
        self._tally.add(check.tally)
        self._rows.append(row)
        self._mind(turn.entry, row, check.cause)

    def _mind(self, entry: Entry, row: SyncedSource, cause: DyvineError | None) -> None:
        """The budget's word ends a site for this run, a dead login ends it for whoever it belongs to."""
        if row.ref is None:
            return
        if isinstance(cause, RateLimited) and is_the_budgets(cause):
            self._ended_sites.setdefault(row.ref.site, cause)
            if row.is_trouble:
                self._tally.refusals.append(cause)
        elif isinstance(cause, LoginExpired):
            workspace, _ = self._places.of(entry)
            self._ended_clients.setdefault((row.ref.site, workspace.client), cause)

    def _mind_ended(self, turn: _Turn) -> bool:
        """Whether a source is not tried because its site or login ended for this run; that is counted."""
        if not (self._ended_sites or self._ended_clients):
            return False
        try:
            workspace, _ = self._places.of(turn.entry)
            site = (
                turn.last.ref.site
                if turn.last and turn.last.ref
                else workspace.client.match(turn.entry.link).site
            )
        except InputError:
            return False
        error = self._ended_sites.get(site) or self._ended_clients.get((site, workspace.client))
        if error is None:
            return False
        self._tally.fail(error)
        if isinstance(error, RateLimited) and not self._tally.refusals:
            self._tally.refusals.append(error)
        self._not_tried[site, error] += 1
        self._rows.append(_not_tried(turn, error))
        return True

    async def _conclude(self) -> int:
        for (site, error), count in self._not_tried.items():
            self._report(Failed(ref=None, error=error, text=f"{count:,} more of {site}, not tried"))
        shared = self._places.shared
        await shared.rows.write()
        times = [when for client in self._places.clients if (when := client.next_try()) is not None]
        summary = self._tally.summary(
            fail_if_nothing_new=shared.fail_if_nothing_new,
            next_try=min(times, default=None),
            sources=tuple(self._rows),
        )
        self._report(summary)
        return summary.exit_code
