"""Whatever was named, one after the other: posts and listings into one pipeline, with one summary."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence

from dyvine_cli.errors import InputError
from dyvine_cli.events import Report
from dyvine_cli.models import Listing, Post, Ref, RefKind
from dyvine_cli.operations.asked import Asked
from dyvine_cli.operations.attempts import Attempts
from dyvine_cli.operations.download import Errand, save_posts
from dyvine_cli.operations.selection import Selection
from dyvine_cli.operations.tally import Tally
from dyvine_cli.operations.workspace import Workspace

LISTED: tuple[RefKind, ...] = ("user", "mix", "collection")


class Getting:
    """One call of a download command.

    `kind` is what the noun expects (None takes whatever a link is), `what` which listing of a user is taken.
    """

    def __init__(
        self,
        workspace: Workspace,
        wish: Selection,
        report: Report,
        *,
        kind: RefKind | None = None,
        what: Listing | None = None,
        simulate: bool = False,
    ) -> None:
        self._workspace = workspace
        self._wish = wish
        self._report = report
        self._kind = kind
        self._what = what
        self._simulate = simulate
        self._tally = Tally()
        self._named: set[Ref] = set()
        self._done: set[tuple[Ref, Listing | None]] = set()
        self._attempts = Attempts(workspace.client, self._tally, report, kind)

    async def run(self, asked: Iterable[Asked], *, fail_if_nothing_new: bool = False) -> int:
        """Get everything asked for; the exit status. One thing's failure does not end the others."""
        await self._all(list(asked))
        self._attempts.tell_left()
        await self._workspace.rows.write()
        summary = self._tally.summary(
            fail_if_nothing_new=fail_if_nothing_new, next_try=self._workspace.client.next_try()
        )
        self._report(summary)
        return summary.exit_code

    async def _all(self, asked: Sequence[Asked]) -> None:
        """Single posts share one pipeline; a listing between them has the pipeline for itself."""
        listings: list[tuple[Ref, Asked]] = []
        await save_posts(self._single_posts(asked, listings), self._errand())
        for ref, each in listings:
            if self._tally.stop is not None:
                return
            if self._attempts.goes_on(each):
                with self._attempts.one(each):
                    await self._list(ref)

    def _errand(self) -> Errand:
        return Errand(
            workspace=self._workspace,
            wish=self._wish,
            report=self._report,
            tally=self._tally,
            named=True,
            simulate=self._simulate,
        )

    async def _single_posts(
        self, asked: Sequence[Asked], listings: list[tuple[Ref, Asked]]
    ) -> AsyncGenerator[Post]:
        client = self._workspace.client
        for each in asked:
            post = None
            if not self._attempts.goes_on(each):
                continue
            with self._attempts.one(each):
                ref = await self._resolve(each)
                if ref is not None and ref.kind in LISTED:
                    listings.append((ref, each))
                elif ref is not None:
                    post = await client.post(ref)
            if post is not None:
                yield post

    async def _resolve(self, each: Asked) -> Ref | None:
        """The ref, None for one that was named before. Raises InputError for a kind that this noun does not take."""
        ref = await self._workspace.client.resolve(each.text, kind=self._kind)
        if ref in self._named:
            return None
        self._named.add(ref)
        if ref.kind not in ("post", *LISTED):
            raise InputError(
                f"{each.shown} is a {ref.kind}: that cannot be downloaded yet",
                hint="posts, users, mixes and collections can",
            )
        if self._kind is not None and ref.kind != self._kind:
            raise InputError(
                f"{each.shown} is a {ref.kind}, not a {self._kind}",
                hint=f"try: dyvine {ref.kind} {each.shown}",
            )
        return ref

    async def _list(self, ref: Ref) -> None:
        from dyvine_cli.operations.accounts import Run, source_of  # single posts do without them

        source = await source_of(self._workspace.client, ref, self._what)
        if (source.ref, source.what) in self._done:  # named by handle and by id
            return
        self._done.add((source.ref, source.what))
        cuts = len(self._tally.cuts)
        await Run(source, self._errand()).run()
        for cut in self._tally.cuts[cuts:]:
            self._attempts.mind(ref.site, cut.cause)
