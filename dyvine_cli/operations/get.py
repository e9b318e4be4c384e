"""Whatever was named, one after the other: posts and listings into one pipeline, with one summary."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence

from dyvine_cli.errors import DyvineError, InputError, ListingIncomplete, Refused
from dyvine_cli.events import Failed, Report
from dyvine_cli.models import Listing, Post, Ref, RefKind
from dyvine_cli.operations.accounts import Run, source_of
from dyvine_cli.operations.asked import Asked
from dyvine_cli.operations.download import Errand, save_posts
from dyvine_cli.operations.selection import Selection
from dyvine_cli.operations.tally import Tally
from dyvine_cli.operations.workspace import Workspace

LISTED: tuple[RefKind, ...] = ("user", "mix")


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
        self._done: set[Ref] = set()
        self._refused: dict[str, DyvineError] = {}

    async def run(self, asked: Iterable[Asked], *, fail_if_nothing_new: bool = False) -> int:
        """Get everything asked for; the exit status. One thing's failure does not end the others."""
        await self._all(list(asked))
        await self._workspace.rows.write()
        summary = self._tally.summary(fail_if_nothing_new=fail_if_nothing_new)
        self._report(summary)
        return summary.exit_code

    async def _all(self, asked: Sequence[Asked]) -> None:
        """Single posts share one pipeline; a listing between them has the pipeline for itself."""
        listings: list[Ref] = []
        await save_posts(self._single_posts(asked, listings), self._errand())
        for ref in listings:
            if self._tally.stop is not None:
                return
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

    async def _single_posts(self, asked: Sequence[Asked], listings: list[Ref]) -> AsyncGenerator[Post]:
        for each in asked:
            try:
                ref = await self._resolve(each)
                if ref is None:
                    continue
                if ref.kind in LISTED:
                    listings.append(ref)
                    continue
                post = await self._post(ref)
            except DyvineError as error:
                self._fail(error, each)
                continue
            yield post

    async def _resolve(self, each: Asked) -> Ref | None:
        """The ref, None for one that was named before. Raises InputError for a kind that this noun does not take."""
        ref = await self._workspace.client.resolve(each.text, kind=self._kind)
        if ref in self._done:
            return None
        self._done.add(ref)
        if self._kind is not None and ref.kind != self._kind:
            raise InputError(
                f"{each.place} is a {ref.kind}, not a {self._kind}",
                hint=f"try: dyvine {NOUNS.get(ref.kind, 'get')} {each.text}",
            )
        if ref.kind not in ("post", *LISTED):
            raise InputError(
                f"{each.place}: a {ref.kind} cannot be downloaded yet", hint="posts, users and mixes can"
            )
        return ref

    async def _post(self, ref: Ref) -> Post:
        if ref.site in self._refused:
            raise self._refused[ref.site]
        try:
            return await self._workspace.client.post(ref)
        except Refused as error:
            self._refused[ref.site] = error
            raise

    async def _list(self, ref: Ref) -> None:
        try:
            if ref.site in self._refused:
                raise self._refused[ref.site]
            source = await source_of(ref, self._what, self._errand())
            if source.ref != ref and source.ref in self._done:  # named by handle and by id
                return
            self._done.add(source.ref)
            await Run(source, self._errand()).run()
        except Refused as error:
            self._refused[ref.site] = error
            self._fail(error, Asked(str(ref)), ref)
        except DyvineError as error:
            self._fail(error, Asked(str(ref)), ref)
        self._note_refusal(ref)

    def _note_refusal(self, ref: Ref) -> None:
        """A listing that was cut by a refusal ends this site for this run."""
        for cut in self._tally.cuts:
            if isinstance(cut, ListingIncomplete) and isinstance(cut.cause, Refused) and cut.ref == ref:
                self._refused[ref.site] = cut.cause

    def _fail(self, error: DyvineError, each: Asked, ref: Ref | None = None) -> None:
        self._tally.fail(error)
        self._report(Failed(ref=ref, error=error, text=each.place if each.line else each.text))


NOUNS: dict[RefKind, str] = {
    "post": "post",
    "user": "user",
    "mix": "mix",
    "room": "live",
    "sound": "sound",
    "hashtag": "hashtag",
}
"""The noun of the command line for each kind of ref."""
