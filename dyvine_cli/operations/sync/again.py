"""What failed before, tried again by its id: no list is walked for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from dyvine_cli.archive.base import FailedAsset
from dyvine_cli.errors import DyvineError, LoginExpired, RateLimited
from dyvine_cli.events import Event, Failed, Finished
from dyvine_cli.models import Post, Ref
from dyvine_cli.operations.backoff import LONGEST, may_pass_by_name
from dyvine_cli.operations.download import Errand, note_failure, save_posts
from dyvine_cli.operations.tally import STOPPING

Failures = Mapping[Ref, Sequence[FailedAsset]]
"""What of each post failed and was not saved since."""

Owner = tuple[Ref, str]
"""Who waits for what failed: a listing, and the scope of those of its sources that want the same posts."""


def by_owner(failures: Sequence[FailedAsset]) -> dict[Owner, dict[Ref, list[FailedAsset]]]:
    """The failures by who waits for them; those of posts that were named themselves are left out."""
    found: dict[Owner, dict[Ref, list[FailedAsset]]] = {}
    for each in failures:
        if each.source is not None:
            found.setdefault((each.source, each.scope), {}).setdefault(each.ref, []).append(each)
    return found


def due(failures: Failures, now: datetime | None) -> Failures:
    """Those whose next try has come, with `now` None all that may pass at all; causes that stay are left out.

    A next try that is further away than any can be was noted by a clock ahead of its time, and has come, too.
    """
    return {
        ref: rows
        for ref, rows in failures.items()
        if any(may_pass_by_name(each.error) and _has_come(each, now) for each in rows)
    }


def _has_come(failure: FailedAsset, now: datetime | None) -> bool:
    return now is None or failure.next_try is None or not now < failure.next_try <= now + LONGEST


async def retry(failures: Failures, errand: Errand, tried: set[Ref]) -> None:
    """Try these posts again; what fails again is put on record with its next try.

    `tried` are those that failed again in this run, for another source: they are left out and added.
    Raises LoginExpired, and RateLimited when the budget of the site has ended.
    """
    done: list[Ref] = []

    def report(event: Event) -> None:
        if isinstance(event, Finished):
            if event.state == "failed":
                tried.add(event.ref)
            else:  # complete, or not wanted any more: either way nothing is left to try
                done.append(event.ref)
        errand.report(event)

    trying = replace(errand, report=report)
    try:
        await save_posts(_posts(failures, trying, tried), trying)
    finally:
        if done and not errand.simulate:
            await errand.workspace.archive.drop_failed(done, source=errand.source, scope=errand.scope)


async def _posts(failures: Failures, errand: Errand, tried: set[Ref]) -> AsyncGenerator[Post]:
    for ref, rows in failures.items():
        owner = rows[0]
        left = await errand.workspace.archive.failed(ref, source=owner.source, scope=owner.scope)
        if ref in tried or not left:
            continue  # another source could not have it, or got it
        try:
            post = await errand.workspace.client.post(ref)
        except DyvineError as error:
            if _ends(error):
                raise
            for row in rows:
                await note_failure(ref, row.asset, error, errand)
            errand.tally.fail(error.with_traceback(None))
            errand.report(Failed(ref=ref, error=error, source=errand.source))
            errand.report(Finished(ref=ref, state="failed", source=errand.source))
            continue
        yield post


def _ends(error: DyvineError) -> bool:
    """Whether the next post would meet it, too: a dead login, the budget's own word, a full disk."""
    is_budget = isinstance(error, RateLimited) and error.endpoint is None
    return is_budget or isinstance(error, (LoginExpired, *STOPPING))
