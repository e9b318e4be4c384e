"""Whether every recorded file still is what was saved: its size, or with all its bytes its SHA-256. Changes no file."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dyvine_cli.archive.base import Archive, SavedAsset
from dyvine_cli.archive.holdings import Damage, DamagedAsset, FileFilter, FileKey, Verification
from dyvine_cli.events import Report, Warned
from dyvine_cli.operations.asked import Asked
from dyvine_cli.operations.attempts import Attempts
from dyvine_cli.operations.library.contents import PAGE, Wanted, files, key, named
from dyvine_cli.operations.tally import SOME_FAILED, Tally
from dyvine_cli.operations.workspace import Workspace

SLICE = 0.25
"""Seconds of work between two looks at what else there is to do."""
KEEP = 2.0
"""Seconds after which the place is written down; so much work is done twice after a kill."""
LARGE = 64 * 1024 * 1024
"""Bytes of a file from which it is a slice of its own: what is before it is not lost with it when it is stopped."""
CHUNK = 1 << 20

_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
"""A pipe that somebody put in a file's place is not waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A recorded file that is not what it was; `found` is its present size, None if it is not there."""

    file: SavedAsset
    state: Damage
    found: int | None = None


@dataclass(slots=True, kw_only=True)
class Verified:
    """How far a verification is: files and bytes looked at, files found bad. `resumed` is when it was begun, by an
    earlier run; None if this one began it. `deep` says that every byte is read.
    """

    deep: bool
    files: int = 0
    size: int = 0
    bad: int = 0
    resumed: datetime | None = None


Watch = Callable[[Verified], None]
"""Told a few times a second how far it is."""


async def verify(
    workspace: Workspace,
    asked: Sequence[Asked],
    wanted: Wanted,
    show: Callable[[Finding], None],
    watch: Watch,
    report: Report,
    *,
    deep: bool = False,
    full: bool = False,
) -> tuple[Verified, int]:
    """Show each file that is missing or damaged; how it came out, and the exit status: 3 if any is bad.

    `deep` reads every byte; a run of it that is stopped is gone on with by the next one that asks for the same, unless
    `full`. What is found stays on record until the file is saved again or found whole.
    """
    count = Tally()
    filters = await named(workspace, asked, wanted, Attempts(workspace.client, count, report, "post"))
    state = Verified(deep=deep)
    if workspace.archive.read_only:
        report(Warned(message="the archive cannot be written: what is found is shown and not noted in it"))
    async with aclosing(findings(workspace.archive, filters, state, watch, full=full)) as found:
        async for finding in found:
            show(finding)
    return state, count.exit_code() or (SOME_FAILED if state.bad else 0)


async def findings(
    archive: Archive, filters: Sequence[FileFilter], state: Verified, watch: Watch, *, full: bool = False
) -> AsyncGenerator[Finding]:
    """What is bad among the files that some filters mean; `state` is kept up to date, `watch` told.

    A deep round keeps its place whatever ends it, and goes on from there, unless `full`.
    """
    if full and state.deep:
        await _drop(archive, filters)
    for each in filters:
        async with aclosing(_Round(archive, each, state, watch).run()) as found:
            async for finding in found:
                yield finding
    if state.deep:
        await _drop(archive, filters)
    watch(state)


async def _drop(archive: Archive, filters: Iterable[FileFilter]) -> None:
    for each in () if archive.read_only else filters:
        await archive.drop_verification(_scope(each))


async def on_record(archive: Archive, wanted: FileFilter) -> AsyncGenerator[SavedAsset]:
    """The files that a filter means and that are on record as bad, in the order of their keys."""
    if wanted.user is not None or wanted.post is not None:
        async for page in files(archive, wanted):
            bad = await archive.known_damaged([key(row.saved) for row in page])
            for row in page:
                if key(row.saved) in bad:
                    yield row.saved
        return
    after: FileKey | None = None
    while found := await archive.damaged(wanted.site, after=after, limit=PAGE):
        keys = {(each.ref.site, each.ref.id, each.asset) for each in found}
        for ref in dict.fromkeys(each.ref for each in found):
            for row in await archive.files(replace(wanted, post=ref)):
                if key(row.saved) in keys:
                    yield row.saved
        after = found[-1].ref.site, found[-1].ref.id, found[-1].asset


_Checked = tuple[SavedAsset, Damage | None, int | None]
"""A file, what is wrong with it, its present size."""


class _Round:
    """The verification of the files that one filter means."""

    def __init__(self, archive: Archive, wanted: FileFilter, state: Verified, watch: Watch) -> None:
        self._archive = archive
        self._wanted = wanted
        self._state = state
        self._watch = watch
        self._place = Verification(
            scope=_scope(wanted), last=("", "", ""), began=datetime.now(UTC), files=0, size=0
        )
        self._kept = time.monotonic()
        self._stopped = threading.Event()
        self._doubtful: frozenset[FileKey] = frozenset()

    async def run(self) -> AsyncGenerator[Finding]:
        """First what an earlier run of this round found, then the rest. Files on record as bad are always read whole."""
        await self._take_up()
        try:
            async with aclosing(on_record(self._archive, self._wanted)) as doubtful:
                async for row in doubtful:
                    if key(row) > self._place.last:
                        break
                    async for finding in self._some([row]):
                        yield finding
            async for page in files(self._archive, self._wanted, after=self._place.last):
                async for finding in self._some([row.saved for row in page], forward=True):
                    yield finding
        finally:
            self._stopped.set()
            await self._keep()

    async def _take_up(self) -> None:
        place = await self._archive.verification(self._place.scope) if self._state.deep else None
        if place is not None:
            self._place = place
            self._state.resumed = min(self._state.resumed or place.began, place.began)
            self._state.files += place.files
            self._state.size += place.size

    async def _some(self, rows: Sequence[SavedAsset], *, forward: bool = False) -> AsyncGenerator[Finding]:
        """The bad ones of some files; `forward` moves the place on, otherwise they were counted before."""
        left = list(rows)
        self._doubtful = await self._archive.known_damaged([key(row) for row in rows])
        while left:
            checked = await asyncio.to_thread(self._check_some, tuple(left))
            del left[: len(checked)]
            bad = [found for each in checked if (found := await self._sure(*each))]
            await self._note(checked, bad)
            if forward:
                self._move(checked)
            if time.monotonic() - self._kept > KEEP:
                await self._keep()
            self._state.bad += len(bad)
            for finding in bad:
                yield finding
            self._watch(self._state)

    def _check_some(self, rows: Sequence[SavedAsset]) -> list[_Checked]:
        """As many files as fit in SLICE seconds, at least one."""
        done: list[_Checked] = []
        until = time.monotonic() + SLICE
        for row in rows:
            if done and row.size > LARGE:
                break
            deep = self._state.deep or key(row) in self._doubtful
            done.append((row, *check(row, deep=deep, stopped=self._stopped.is_set)))
            if time.monotonic() > until:
                break
        return done

    async def _sure(self, row: SavedAsset, state: Damage | None, size: int | None) -> Finding | None:
        """The finding, unless the file was saved again or forgotten since its row was read."""
        if state is None:
            return None
        now = await self._archive.saved(row.ref, row.asset)
        if now is None or now == row:
            return Finding(file=now, state=state, found=size) if now else None
        again, found = await asyncio.to_thread(check, now, deep=self._state.deep)
        return Finding(file=now, state=again, found=found) if again else None

    async def _note(self, checked: Sequence[_Checked], bad: Sequence[Finding]) -> None:
        """Put on record what is bad, and take off what was and is not any more."""
        if self._archive.read_only:
            return
        if bad:
            await self._archive.add_damaged([_damaged(each) for each in bad])
        keys = {key(each.file) for each in bad}
        whole = [key(row) for row, _, _ in checked if key(row) in self._doubtful - keys]
        if whole:
            await self._archive.drop_damaged(whole)

    def _move(self, checked: Sequence[_Checked]) -> None:
        size = sum(row.size for row, _, _ in checked)
        self._state.files += len(checked)
        self._state.size += size
        self._place = replace(
            self._place,
            last=key(checked[-1][0]),
            files=self._place.files + len(checked),
            size=self._place.size + size,
        )

    async def _keep(self) -> None:
        self._kept = time.monotonic()
        if self._state.deep and self._place.files and not self._archive.read_only:
            await self._archive.keep_verification(self._place)


def _damaged(found: Finding) -> DamagedAsset:
    file = found.file
    return DamagedAsset(ref=file.ref, asset=file.asset, state=found.state, noticed=datetime.now(UTC))


def _scope(wanted: FileFilter) -> str:
    """Which files are meant, as a text to compare; empty for all."""
    given = {
        "site": wanted.site,
        "user": wanted.user,
        "post": wanted.post,
        "kinds": ",".join(wanted.kinds),
        "since": wanted.since and wanted.since.isoformat(),
        "until": wanted.until and wanted.until.isoformat(),
    }
    return " ".join(f"{name}={value}" for name, value in given.items() if value)


def check(
    row: SavedAsset, *, deep: bool, stopped: Callable[[], bool] = lambda: False
) -> tuple[Damage | None, int | None]:
    """What is wrong with a recorded file, None if nothing is, and its present size. Links are followed.

    `stopped` is asked while it is read; the answer means nothing after that.
    """
    try:
        found = row.path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "missing", None
    except (OSError, ValueError):
        return "unreadable", None
    if not stat.S_ISREG(found.st_mode):
        return "unreadable", None
    if found.st_size != row.size:
        return "size", found.st_size
    if not deep:
        return None, found.st_size
    try:
        digest = _digest(row, stopped)
    except OSError:
        return "unreadable", found.st_size
    return (None if digest == row.sha256 or stopped() else "hash"), found.st_size


def _digest(row: SavedAsset, stopped: Callable[[], bool]) -> str:
    digest = hashlib.sha256()
    with os.fdopen(os.open(row.path, _OPEN), "rb", buffering=0) as file:
        while (data := file.read(CHUNK)) and not stopped():
            digest.update(data)
    return digest.hexdigest()
