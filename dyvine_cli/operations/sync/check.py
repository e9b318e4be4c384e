"""One check of one source of `sync`: what had failed, then what its listing has new, then what has vanished from it."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from dyvine_cli.archive.base import CheckedSource, ListedSource
from dyvine_cli.errors import (
    Banned,
    Deleted,
    DyvineError,
    InputError,
    LoginExpired,
    LoginNeeded,
    NotFound,
    RateLimited,
    RiskControl,
    UnexpectedResponse,
)
from dyvine_cli.events import Cut, Event, Failed, Finished, Report, SyncedSource, Warned
from dyvine_cli.models import Listing, Ref
from dyvine_cli.operations import backoff
from dyvine_cli.operations.accounts import UNSEEN, Source, source_of
from dyvine_cli.operations.download import Errand
from dyvine_cli.operations.sync import again, upkeep
from dyvine_cli.operations.sync.again import Failures, Owner
from dyvine_cli.operations.sync.gone import MOST, look_up
from dyvine_cli.operations.sync.upkeep import ODD, Plan, Upkeep, named
from dyvine_cli.operations.tally import STOPPING, Tally
from dyvine_cli.operations.workspace import Entry, Workspace, Workspaces

_FOR_GOOD = (NotFound, Deleted, Banned)
"""What is said of an account or a mix that seldom comes back."""
CHECKING = "checking"
"""The state on record while a check is on its way."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Round:
    """What the checks of one run share.

    `lookups` are how many vanished posts may still be looked up, `tried` the posts that failed again in this run.
    """

    places: Workspaces
    report: Report
    simulate: bool = False
    clock: Callable[[], datetime] = _now
    lookups: int = MOST
    tried: set[Ref] = field(default_factory=set)
    _gone: dict[str, frozenset[Ref]] = field(default_factory=dict)

    async def gone(self, site: str) -> frozenset[Ref]:
        """The posts of a site that are on record as gone when the run begins."""
        if site not in self._gone:
            found = await self.places.shared.archive.gone(site)
            self._gone[site] = frozenset(each.ref for each in found)
        return self._gone[site]


def listing_of(ref: Ref, what: Listing | None) -> Listing | None:
    """Which listing of an account is meant: the entry's own word, then its link's; None for its posts."""
    chosen = what or ref.listing
    return None if chosen == "posts" else chosen


def owner_of(places: Workspaces, entry: Entry, ref: Ref) -> Owner:
    """By whom a source is remembered once its link is understood. Raises InputError for what it cannot want."""
    scope = upkeep.scope_of(places.wish_of(entry), newest=wants_newest(entry, ref))
    return named(ref, listing_of(ref, entry.what)), scope


def wants_newest(entry: Entry, ref: Ref) -> bool:
    """Whether a source wants nothing older than its first run found; a mix is wanted whole."""
    return entry.newest and ref.kind != "mix"


class Check:
    """The turn of one source. `before` is its last check, None for none; `failures` are those to be tried now.

    `listing` False only tries those. Afterwards `error` is what ended it, None if nothing did, `cause` the error behind
    that, or behind a cut that is none for the source, and `row` how it came out.
    """

    def __init__(
        self,
        entry: Entry,
        before: CheckedSource | None,
        round: Round,
        *,
        failures: Failures,
        listing: bool = True,
    ) -> None:
        self._entry = entry
        self._before = before
        self._round = round
        self._failures = failures
        self._listing = listing
        self._began = round.clock()
        self._clock = time.monotonic()
        self._ref = before.ref if before else None
        self._title = before.title if before else ""
        self._state = "retried"
        self._message = ""
        self._new = self._hidden = 0
        self._reasons: dict[str, int] = {}
        self.tally = Tally()
        self.error: DyvineError | None = None
        self.cause: DyvineError | None = None

    async def run(self) -> None:
        """Do it; nothing is raised but what is no error of ours."""
        try:
            await self._note_begun()
            await self._work()
        except DyvineError as error:
            self._fail(error)
        await self._note_ended()

    def _fail(self, error: DyvineError) -> None:
        self.error = self.cause = error.with_traceback(None)
        if type(error) in _FOR_GOOD:
            name = shlex.quote(self._entry.source.name or self._entry.title)
            error.hint = f"check the link; if it is gone for good: dyvine sync remove {name}; your files stay"
        self._state, self._message = "failed", error.message
        self.tally.fail(error)
        ref = getattr(error, "ref", None) or self._ref
        self._round.report(Failed(ref=ref, error=error, text=self._entry.title, title=self._title))

    @property
    def row(self) -> SyncedSource:
        """How it came out, in a line."""
        failed = len(self.tally.errors) - (self._state == "failed")
        return SyncedSource(
            ref=self._ref and named(self._ref, self._what(self._ref)),
            name=self.name,
            state=self._state,
            new=self._new,
            failed=failed,
            hidden=self._hidden,
            size=self.tally.size,
            seconds=time.monotonic() - self._clock,
            error=self._message,
            reasons=self._reasons,
            title=self._title,
        )

    @property
    def name(self) -> str:
        """What people call the source: its name in the settings, else the account's, else its link."""
        entry = self._entry
        return entry.source.name or self._title or entry.title

    def _what(self, ref: Ref) -> Listing | None:
        return listing_of(ref, self._entry.what)

    # --- the work -------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        workspace, wish = self._round.places.of(self._entry)
        errand = Errand(
            workspace=workspace,
            wish=wish,
            report=self._hear,
            tally=self.tally,
            simulate=self._round.simulate,
            backs_off=True,
            clock=self._round.clock,
        )
        if self._ref is not None and self._failures:
            listing, scope = owner_of(self._round.places, self._entry, self._ref)
            await again.retry(self._failures, replace(errand, source=listing, scope=scope), self._round.tried)
        if self._listing and self.tally.stop is None:
            await self._check(errand)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Finished):
            self._new += event.state == "saved"
        elif isinstance(event, Failed):
            self._reasons[event.error.name] = self._reasons.get(event.error.name, 0) + 1
        elif isinstance(event, Cut):
            event = replace(event, name=self._entry.source.name or "")
        self._round.report(event)

    async def _check(self, errand: Errand) -> None:
        """List what is new. Who is known well is asked for one page, and who they are only if that is odd."""
        ref = self._ref = await self._resolved(errand.workspace)
        what = self._what(ref)
        plan = await self._plan(errand, ref, what)
        if self._title and plan.is_small and ref.kind != "mix":
            try:
                if await self._glance(errand, ref, what, plan):
                    return
            except DyvineError as error:
                if not _may_be_the_account(error):
                    raise
            plan = _whole(plan)
        source = await source_of(errand.workspace.client, ref, what)
        if source.ref != ref:
            plan = await self._plan(errand, source.ref, source.what)
        if source.ref.kind == "mix" and not plan.rest and not plan.whole:
            if plan.row is not None and _is_as_listed(source, plan.row):
                self._meet(source)
                self._state = "complete"
                self.tally.done += 1
                return
            plan = _whole(plan)
        await self._list(errand, source, plan)

    async def _resolved(self, workspace: Workspace) -> Ref:
        """What the link means. Raises InputError for what cannot be listed, NotFound for a short link that has run out."""
        if self._ref is not None:
            return self._ref
        ref = await workspace.client.resolve(self._entry.link, kind="user")
        if ref.kind not in ("user", "mix", "collection"):
            raise InputError(
                f"{self._entry.title} is a {ref.kind}: that cannot be kept in sync",
                hint="the link of an account, a mix or a collection can",
            )
        return ref

    async def _plan(self, errand: Errand, ref: Ref, what: Listing | None) -> Plan:
        return await upkeep.plan(
            errand.workspace.archive,
            replace(ref, listing=None),
            what,
            errand.wish,
            newest=wants_newest(self._entry, ref),
            guest=errand.workspace.client.profile(ref.site).is_guest,
            full_every=self._round.places.full_every,
            now=self._round.clock(),
            simulate=errand.simulate,
        )

    async def _glance(self, errand: Errand, ref: Ref, what: Listing | None, plan: Plan) -> bool:
        """Look at the newest page; False if the list ended before it came to anything known."""
        row = plan.row
        source = Source(
            ref=replace(ref, listing=None),
            what=what,
            title=self._title,
            declared=(row.declared or None) if row else None,  # that it had none says nothing of now
            dated=ref.kind == "user" and what is None,
            recalled=True,
        )
        listed = await self._run(errand, source, plan)
        if listed.state == ODD:
            return False
        self._conclude(listed)
        await self._mind_name(errand, listed, source)
        return True

    async def _list(self, errand: Errand, source: Source, plan: Plan) -> None:
        self._meet(source)
        listed = await self._run(errand, source, plan)
        self._conclude(listed)
        await self._mind_name(errand, listed, source)
        if listed.at_end and plan.whole and source.what is None and source.ref.kind == "user":
            await self._look_for_vanished(errand, source, listed)

    def _meet(self, source: Source) -> None:
        self._ref = replace(source.ref, listing=None)
        self._title = source.title

    async def _run(self, errand: Errand, source: Source, plan: Plan) -> Upkeep:
        gone = await self._round.gone(source.ref.site)
        listed = Upkeep(source, errand, plan, gone=gone)
        await listed.run()
        return listed

    def _conclude(self, listed: Upkeep) -> None:
        self._state, self._hidden = listed.state, listed.hidden
        if self.tally.stop is not None:
            self._message = self.tally.stop.message
        elif listed.cut is not None:
            self._message, self.cause = listed.cut.message, listed.cut.cause
            if listed.state == "cut":
                self.error = listed.cut

    async def _mind_name(self, errand: Errand, listed: Upkeep, source: Source) -> None:
        """Remember another name of the account, and say so; its folder stays."""
        before, author = self._before, listed.author
        if source.what is not None or source.ref.kind != "user":
            return
        self._title = author.nickname if author and author.nickname else source.title
        if before is None or not before.title or before.title == self._title or errand.simulate:
            return
        if author is not None:
            await errand.workspace.archive.add_user(source.ref.site, author, seen=_now())
        self._round.report(
            Warned(
                message=f"{before.title} is called {self._title} now; the folder stays",
                ref=source.ref,
                notice=True,
            )
        )

    # --- what vanished --------------------------------------------------------------------------------------------

    async def _look_for_vanished(self, errand: Errand, source: Source, listed: Upkeep) -> None:
        """Look up the saved posts that a listing to the end did not have; if that are many, the next run goes on."""
        archive, client = errand.workspace.archive, errand.workspace.client
        saved = await archive.posts_of(source.ref.site, source.ref.id)
        missing = [
            ref
            for ref, created in saved.items()
            if ref.id not in listed.seen and (listed.seen_until is None or created <= listed.seen_until)
        ]
        if not missing or errand.simulate:
            return
        now = missing[: self._round.lookups]
        self._round.lookups -= len(now)
        gone, left = await look_up(now, client, self._round.clock())
        await archive.add_gone(gone)
        if (left or len(now) < len(missing)) and (gone or not now):
            row = await archive.listed(source.ref, source.what, listed.scope)
            if row is not None:
                await archive.add_listed(replace(row, cause=UNSEEN, full=None))
        if gone:
            states = [each.state for each in gone]
            counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
            self._round.report(
                Warned(
                    message=f"{self.name}: not shown any more: {counts}; what is saved stays",
                    ref=source.ref,
                    notice=True,
                )
            )

    # --- what stays on record -------------------------------------------------------------------------------------

    async def _note_begun(self) -> None:
        if self._listing and not self._round.simulate:
            await self._add(state=CHECKING, ended=None)

    async def _note_ended(self) -> None:
        if not self._listing or self._round.simulate:
            return
        if isinstance(self.tally.stop, STOPPING):
            await self._note_stopped(self.tally.stop)
            return
        try:
            await self._add(state=self._state, ended=self._round.clock())
        except DyvineError as error:
            self._fail(error)

    async def _note_stopped(self, stop: DyvineError) -> None:
        """Why it did not end, for the status; an archive that takes nothing more was told of, or will be."""
        if self._state == "retried":
            self._state, self._message = "stopped", stop.message
        with contextlib.suppress(*STOPPING):
            await self._add(state=self._state, ended=None, error=stop)

    async def _add(self, *, state: str, ended: datetime | None, error: DyvineError | None = None) -> None:
        error = error or self.error
        before, row = self._before, self.row
        troubles = before.troubles if before else 0
        later = before.next_try if before and ended is None else None
        if ended is not None:
            own = self.error is not None and is_its_own(self.error)
            troubles = troubles + 1 if own else troubles if state == "failed" else 0
            later = ended + backoff.pause(troubles) if own else None
        await self._round.places.shared.archive.add_checked(
            CheckedSource(
                link=self._entry.link,
                what=self._entry.what,
                ref=self._ref,
                title=self._title,
                began=self._began,
                ended=ended,
                state=state,
                error=error.name if error else "",
                message=row.error,
                new=row.new,
                failed=row.failed,
                hidden=row.hidden,
                size=row.size,
                troubles=troubles,
                next_try=later,
                name=self._entry.apart,
            )
        )


def _whole(plan: Plan) -> Plan:
    return Plan(
        row=plan.row,
        filters=plan.filters,
        scope=plan.scope,
        whole=not plan.newest,
        settled=plan.settled,
        known=plan.known,
        newest=plan.newest,
        first=plan.newest,
    )


def _is_as_listed(mix: Source, row: ListedSource) -> bool:
    """Whether a mix is as it was: it has as many episodes, and has not changed since then as far as it says."""
    if mix.declared is None or mix.declared != row.declared:
        return False
    return mix.updated is None or mix.updated < row.time


def _may_be_the_account(error: DyvineError) -> bool:
    """Whether a list that gave nothing may be explained by its account: private, banned, gone, emptied."""
    if isinstance(error, RiskControl):
        return error.endpoint is None  # found by the walk, not by a gate
    return isinstance(error, NotFound | UnexpectedResponse | LoginNeeded) and not isinstance(
        error, LoginExpired
    )


def is_its_own(error: DyvineError) -> bool:
    """Whether an error is of the source alone, so that it rests: not of its site, the network or this machine."""
    kinds = (NotFound, UnexpectedResponse, LoginNeeded)
    return isinstance(error, kinds) and not isinstance(error, LoginExpired)


def is_the_budgets(error: DyvineError | None) -> bool:
    """Whether an error is the budget's word that a site is not asked any more in this run."""
    return isinstance(error, RateLimited) and error.endpoint is None
