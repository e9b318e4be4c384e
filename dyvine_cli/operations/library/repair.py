"""Files that are missing or damaged, fetched again from their sites to where they were recorded.

However many are bad, few are held in memory: a verification puts them on record, and they are read from there.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dyvine_cli.archive.base import Gone, GonePost, SavedAsset
from dyvine_cli.archive.holdings import FileFilter
from dyvine_cli.errors import Deleted, DiskError, DyvineError, InputError, NotFound, Private
from dyvine_cli.events import Event, Failed, Finished, Report, Saved, Skipped, Summarized
from dyvine_cli.models import Asset, Post, Ref
from dyvine_cli.operations import selection
from dyvine_cli.operations.asked import Asked
from dyvine_cli.operations.attempts import Attempts
from dyvine_cli.operations.download import Errand, save_posts
from dyvine_cli.operations.library.contents import Wanted, named
from dyvine_cli.operations.library.verify import Finding, Verified, Watch, findings, on_record
from dyvine_cli.operations.selection import Selection
from dyvine_cli.operations.tally import Tally
from dyvine_cli.operations.workspace import Workspace

SAMPLE = 1000
"""Files that tell whether their disk is there."""


@dataclass(slots=True, kw_only=True)
class Repaired:
    """How a repair came out: bad files found, those whole again, posts that the sites do not show any more."""

    bad: int = 0
    whole: int = 0
    gone: int = 0


class Repair:
    """One repair: a verification, then each bad file fetched to the place where it was recorded.

    A damaged file stays until the new one is whole. `simulate` only says what would be fetched.
    """

    def __init__(
        self,
        workspace: Workspace,
        wish: Selection,
        report: Report,
        *,
        deep: bool = False,
        simulate: bool = False,
    ) -> None:
        self._workspace = workspace
        self._wish = wish
        self._report = report
        self._deep = deep
        self._simulate = simulate
        self._tally = Tally()
        self._attempts = Attempts(workspace.client, self._tally, report, "post")
        self._under_way: dict[Ref, Mapping[str, SavedAsset]] = {}
        self._failed: set[Ref] = set()
        self.outcome = Repaired()

    async def run(
        self, asked: Sequence[Asked], wanted: Wanted, show: Callable[[Finding], None], watch: Watch
    ) -> int:
        """Find and mend; the exit status. Raises DiskError where no file of a sample can be seen: a disk is missing."""
        filters = await named(self._workspace, asked, wanted, self._attempts)
        if not asked:
            await self._need_disk(filters)
        state = Verified(deep=self._deep)
        async with aclosing(findings(self._workspace.archive, filters, state, watch)) as found:
            async for finding in found:
                show(finding)
        self.outcome.bad = state.bad
        if self._simulate:
            await self._tell(filters)
        elif state.bad:
            await self._fetch(filters)
        summary = self._summary()
        self._report(summary)
        return summary.exit_code

    async def _need_disk(self, filters: Iterable[FileFilter]) -> None:
        for each in filters:
            files = await self._workspace.archive.sample(each, SAMPLE)
            if len(files) > 1:
                await asyncio.to_thread(look_for_one, files)

    async def _tell(self, filters: Iterable[FileFilter]) -> None:
        async with aclosing(self._bad(filters)) as bad:
            async for ref, files in bad:
                self._tally.posts += 1
                for asset, file in files.items():
                    self._report(Skipped(ref=ref, asset=asset, reason="simulated", path=file.path))

    def _summary(self) -> Summarized:
        return self._tally.summary(next_try=self._workspace.client.next_try())

    async def _fetch(self, filters: Iterable[FileFilter]) -> None:
        errand = Errand(
            workspace=self._workspace,
            wish=self._wish,
            report=self._heard,
            tally=self._tally,
            named=True,
            again=self._under_way,
        )
        await save_posts(self._posts(filters), errand)
        self._attempts.tell_left()

    def _heard(self, event: Event) -> None:
        """Count the files that are whole again and those that failed, and let go of the posts that are done."""
        if isinstance(event, Saved) and event.asset in self._under_way.get(event.ref, ()):
            self.outcome.whole += 1
        elif isinstance(event, Failed) and event.ref is not None and event.asset is not None:
            if event.ref in self._failed:  # of a post's failures the first is counted where it is saved
                self._tally.fail(event.error)
            self._failed.add(event.ref)
        elif isinstance(event, Finished):
            self._under_way.pop(event.ref, None)
            self._failed.discard(event.ref)
        self._report(event)

    async def _posts(self, filters: Iterable[FileFilter]) -> AsyncGenerator[Post]:
        """The posts with fresh links; those that are gone are noted."""
        async with aclosing(self._bad(filters)) as bad:
            async for ref, files in bad:
                each = Asked(str(ref))
                if not self._attempts.goes_on(each, len(files)):
                    continue
                found: list[Post] = []
                with self._attempts.one(each, files):
                    found.append(await self._asked(ref))
                offered = self._offered(found[0], files) if found else {}
                if not offered:
                    self._report(Finished(ref=ref, state="failed"))
                    continue
                self._under_way[found[0].ref] = offered
                yield found[0]

    async def _bad(
        self, filters: Iterable[FileFilter]
    ) -> AsyncGenerator[tuple[Ref, Mapping[str, SavedAsset]]]:
        """What is on record as bad, post by post."""
        files: dict[str, SavedAsset] = {}
        ref: Ref | None = None
        for each in filters:
            async with aclosing(on_record(self._workspace.archive, each)) as rows:
                async for row in rows:
                    if ref is not None and ref != row.ref:
                        yield ref, files
                        files = {}
                    ref = row.ref
                    files[row.asset] = row
        if ref is not None:
            yield ref, files

    async def _asked(self, ref: Ref) -> Post:
        archive = self._workspace.archive
        try:
            post = await self._workspace.client.post(ref)
            self._workspace.client.check(post)
        except (Deleted, Private) as error:
            state: Gone = "deleted" if isinstance(error, Deleted) else "private"
            gone = GonePost(ref=ref, state=state, noticed=datetime.now(UTC))
            await archive.add_gone([gone])
            self.outcome.gone += 1
            raise
        await archive.drop_gone([ref])
        return post

    def _offered(self, post: Post, files: Mapping[str, SavedAsset]) -> Mapping[str, SavedAsset]:
        """The files that the post still has, within the limits that are set; what is wrong with the others is told."""
        assets = {each.id: each for each in post.assets}
        for name in sorted(files):
            error = self._missing(post, name, assets.get(name))
            if error is not None:
                self._tally.fail(error)
                self._report(Failed(ref=post.ref, asset=name, error=error))
                assets.pop(name, None)
        return {name: file for name, file in files.items() if name in assets}

    def _missing(self, post: Post, name: str, asset: Asset | None) -> DyvineError | None:
        """Why there is nothing to fetch for a file; None if there is."""
        if asset is None or (asset.kind != "text" and not asset.renditions):
            return NotFound(f"{post.ref} has no {name} any more", ref=post.ref)
        if asset.kind != "text" and not selection.choices(asset, self._wish):
            return InputError(
                f"{post.ref}: nothing that is offered for {name} is within the limits",
                hint="allow more with --max-height or --max-filesize",
            )
        return None


def look_for_one(files: Sequence[SavedAsset]) -> None:
    """Raise DiskError with the cause where none of some files can be seen; ends with the first that can."""
    locked: Path | None = None
    for file in files:
        try:
            file.path.stat()
        except PermissionError:
            locked = locked or file.path
        except (OSError, ValueError):
            continue
        else:
            if os.access(file.path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
                return
            locked = locked or file.path
    looked = f"not one of the {len(files):,} recorded files that were looked at"
    if locked is not None:
        raise DiskError(
            f"{looked} may be read: {locked.parent} is closed to your user",
            hint="run dyvine as the user whose files they are, or give yourself the right to read them",
        )
    raise DiskError(
        f"{looked} stands where it was put",
        hint="mount the disk that they are on; if they are really gone, name the accounts or posts to fetch again",
    )
