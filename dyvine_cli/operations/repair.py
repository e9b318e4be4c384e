"""Files that are missing or damaged, fetched again from their sites to where they were recorded."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dyvine_cli.archive.base import Gone, GonePost, SavedAsset
from dyvine_cli.errors import Deleted, DiskError, NotFound, Private
from dyvine_cli.events import Failed, Finished, Report, Skipped, Summarized
from dyvine_cli.models import Post, Ref
from dyvine_cli.operations.asked import Asked
from dyvine_cli.operations.attempts import Attempts
from dyvine_cli.operations.download import Errand, save_posts
from dyvine_cli.operations.library import Wanted, named
from dyvine_cli.operations.selection import Selection
from dyvine_cli.operations.tally import Tally
from dyvine_cli.operations.verify import Finding, Verified, Watch, findings
from dyvine_cli.operations.workspace import Workspace

Damaged = dict[Ref, dict[str, SavedAsset]]
"""What is to be fetched again, by post and asset."""


@dataclass(slots=True, kw_only=True)
class Repaired:
    """How a repair came out: bad files found, those whole again, posts that the sites do not show any more."""

    bad: int = 0
    whole: int = 0
    gone: list[GonePost] = field(default_factory=list)


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
        self.outcome = Repaired()

    async def run(
        self, asked: Sequence[Asked], wanted: Wanted, show: Callable[[Finding], None], watch: Watch
    ) -> int:
        """Find and mend; the exit status. Raises DiskError when nothing stands where it was put: a disk is missing."""
        filters = await named(self._workspace, asked, wanted, self._attempts)
        state = Verified(deep=self._deep)
        damaged: Damaged = {}
        async for finding in findings(self._workspace.archive, filters, state, watch):
            show(finding)
            damaged.setdefault(finding.file.ref, {})[finding.file.asset] = finding.file
        self.outcome.bad = state.bad
        if not asked and state.files > 1 and state.bad == state.files:
            raise _no_disk(state.files)
        if self._simulate:
            self._tell(damaged)
        elif damaged:
            await self._fetch(damaged)
        summary = self._summary()
        self._report(summary)
        return summary.exit_code

    def _tell(self, damaged: Damaged) -> None:
        self._tally.posts = len(damaged)
        for ref, files in damaged.items():
            for asset, file in files.items():
                self._report(Skipped(ref=ref, asset=asset, reason="simulated", path=file.path))

    def _summary(self) -> Summarized:
        return self._tally.summary(next_try=self._workspace.client.next_try())

    async def _fetch(self, damaged: Damaged) -> None:
        errand = Errand(
            workspace=self._workspace,
            wish=self._wish,
            report=self._report,
            tally=self._tally,
            named=True,
            again=damaged,
        )
        await save_posts(self._posts(damaged), errand)
        self._attempts.tell_left()
        await self._workspace.rows.write()
        left = {(each.ref, each.asset) for each in await self._workspace.archive.damaged()}
        self.outcome.whole = sum(
            (ref, asset) not in left for ref, files in damaged.items() for asset in files
        )

    async def _posts(self, damaged: Mapping[Ref, Mapping[str, SavedAsset]]) -> AsyncGenerator[Post]:
        """The posts with fresh links; those that are gone are noted."""
        for ref, files in damaged.items():
            each = Asked(str(ref))
            if not self._attempts.goes_on(each):
                continue
            found: list[Post] = []
            with self._attempts.one(each):
                found.append(await self._asked(ref))
            if not found:
                self._report(Finished(ref=ref, state="failed"))
            for post in found:
                self._mind_lost(post, files)
                yield post

    async def _asked(self, ref: Ref) -> Post:
        archive = self._workspace.archive
        try:
            post = await self._workspace.client.post(ref)
            self._workspace.client.check(post)
        except (Deleted, Private) as error:
            state: Gone = "deleted" if isinstance(error, Deleted) else "private"
            gone = GonePost(ref=ref, state=state, noticed=datetime.now(UTC))
            await archive.add_gone([gone])
            self.outcome.gone.append(gone)
            raise
        await archive.drop_gone([ref])
        return post

    def _mind_lost(self, post: Post, files: Mapping[str, SavedAsset]) -> None:
        """Say which files the post does not have any more."""
        for asset in sorted(set(files) - {each.id for each in post.assets}):
            error = NotFound(f"{post.ref} has no {asset} any more", ref=post.ref)
            self._tally.fail(error)
            self._report(Failed(ref=post.ref, asset=asset, error=error))


def _no_disk(count: int) -> DiskError:
    return DiskError(
        f"not one of the {count:,} recorded files stands where it was put",
        hint="mount the disk that they are on; if they are really gone, name the accounts or posts to fetch again",
    )
