"""Exit statuses from what happened (pure): one named, several, and what wins over what."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from dyvine_cli.errors import (
    ArchiveError,
    Deleted,
    DiskFull,
    DyvineError,
    InputError,
    ListingIncomplete,
    LoginExpired,
    LoginNeeded,
    NetworkError,
    Private,
    RateLimited,
    RiskControl,
    UnexpectedResponse,
)
from dyvine_cli.operations.tally import Tally

CUT = ListingIncomplete("cut", cursor=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What happened in a run, and its exit status."""

    code: int
    done: int = 0
    errors: tuple[DyvineError, ...] = ()
    cuts: int = 0
    ended: bool = False
    files: int = 1
    wants_new: bool = False


CASES = {
    "all done": Case(done=3, code=0),
    "nothing to do": Case(code=0, files=0),
    "nothing new, and that is an error": Case(done=1, files=0, wants_new=True, code=15),
    "something new": Case(done=1, wants_new=True, code=0),
    "one named, wrong input": Case(errors=(InputError(""),), code=2),
    "one named, login needed": Case(errors=(LoginNeeded(""),), code=4),
    "one named, deleted": Case(errors=(Deleted(""),), code=5),
    "one named, refused": Case(errors=(RiskControl(""),), code=6),
    "one named, odd answer": Case(errors=(UnexpectedResponse(""),), code=8),
    "one named, network": Case(errors=(NetworkError(""),), code=9),
    "all failed alike": Case(errors=(Deleted(""), Private("")), code=5),
    "all failed, differently": Case(errors=(Deleted(""), NetworkError("")), code=3),
    "some failed": Case(done=1, errors=(Deleted(""),), code=3),
    "a dead login for all": Case(errors=(LoginExpired(""), LoginExpired("")), code=4),
    "one refused, others done": Case(done=1, errors=(RateLimited(""),), code=3),
    "the site ended": Case(done=9, errors=(RateLimited(""), Deleted("")), ended=True, code=6),
    "a cut wins over failures": Case(done=9, errors=(Deleted(""),), cuts=1, code=7),
    "a cut by the end of the site": Case(done=9, cuts=1, ended=True, code=7),
    "nothing new does not hide a failure": Case(errors=(Deleted(""),), files=0, wants_new=True, code=5),
    "a full disk wins over all": Case(
        done=9, errors=(Deleted(""), DiskFull("")), cuts=1, ended=True, code=10
    ),
    "the first stop counts": Case(errors=(ArchiveError(""), DiskFull("")), code=12),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_exit_status_says_it_all(case: Case) -> None:
    """The table of exit statuses, as cron and `&&` rely on it."""
    tally = Tally(done=case.done, files=case.files, cuts=[CUT] * case.cuts)
    if case.ended:
        tally.refusals.append(RateLimited("later"))
    for error in case.errors:
        tally.fail(error)
    summary = tally.summary(fail_if_nothing_new=case.wants_new)

    assert summary.exit_code == case.code
    assert summary.failed == len(case.errors) + case.cuts
    assert sum(summary.reasons.values()) == summary.failed


def test_seconds_are_counted_from_the_start() -> None:
    """The run's time is that of the clock that was given."""
    times = iter([10.0, 14.5])
    tally = Tally(clock=lambda: next(times))

    assert tally.summary().seconds == 4.5
