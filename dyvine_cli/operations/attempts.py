"""Trying each thing asked for: one's failure is counted and told, the others go on, an ended site is told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from dyvine_cli.client import Client, elsewhere
from dyvine_cli.errors import DyvineError, InputError, LoginExpired, NotFound, RateLimited
from dyvine_cli.events import Failed, Report, Warned
from dyvine_cli.models import RefKind
from dyvine_cli.operations.asked import Asked
from dyvine_cli.operations.tally import Tally

MOST_TOLD = 20
"""Lines of a batch file that name nothing and are complained about one by one."""


class Attempts:
    """What became of the things asked for in one call; `kind` is what its noun expects."""

    def __init__(self, client: Client, tally: Tally, report: Report, kind: RefKind | None) -> None:
        self._client = client
        self._tally = tally
        self._report = report
        self._kind = kind
        self._ended: dict[str, DyvineError] = {}
        self._left: Counter[str] = Counter()
        self._bad_lines = 0

    def goes_on(self, each: Asked, parts: int = 1) -> bool:
        """Whether a thing is to be tried; what an ended site still has, each of its `parts`, is only counted."""
        if not self._ended:
            return True
        site = self._site_of(each)
        if site not in self._ended:
            return True
        self._left[site] += parts
        for _ in range(parts):
            self._tally.fail(self._ended[site])
        return False

    @contextmanager
    def one(self, each: Asked, assets: Iterable[str | None] = (None,)) -> Iterator[None]:
        """Count and report the failure of one thing; nothing is raised but what is no error of ours.

        `assets` are the files of it that are wanted: it is a failure of each.
        """
        try:
            yield
        except DyvineError as error:
            assets = tuple(assets)
            for _ in assets:
                self._tally.fail(error.with_traceback(None))  # it is kept to the end, its frames need not be
            if each.line is not None and isinstance(error, InputError):
                self._bad_lines += 1
                if self._bad_lines > MOST_TOLD:
                    return
            self.mind(self._site_of(each), error)
            self._mind_site(each, error)
            ref = getattr(error, "ref", None)
            for asset in assets:
                self._report(Failed(ref=ref, asset=asset, error=error, text=each.place))

    def _mind_site(self, each: Asked, error: DyvineError) -> None:
        """Ids look alike on all sites: one that was not found may be another's."""
        own = self._site_of(each)
        other = elsewhere(each.text, own) if type(error) is NotFound else None
        if other is not None:
            error.hint = f"it was looked up at {own}: check it, or say --site {other} if it is from there"

    def mind(self, site: str, error: DyvineError | None) -> None:
        """A dead login, or a budget that asks no more (its word names no endpoint), ends the site for this run."""
        if isinstance(error, RateLimited) and error.endpoint is None:
            self._tally.refusals.append(error)
            self._ended.setdefault(site, error)
        elif isinstance(error, LoginExpired):
            self._ended.setdefault(site, error)

    def tell_left(self) -> None:
        """Say how many bad lines there were beyond those told, and for each ended site how many things were not tried."""
        if self._bad_lines > MOST_TOLD:
            more = f"{self._bad_lines - MOST_TOLD:,} more lines cannot be used"
            self._report(Warned(message=more, hint="check that it is the file of links that was meant"))
        for site, count in self._left.items():
            self._report(Failed(ref=None, error=self._ended[site], text=f"{count} more of {site}, not tried"))

    def _site_of(self, each: Asked) -> str:
        """The site that a thing is at, as far as that can be said; empty if it names nothing."""
        try:
            return self._client.match(each.text, kind=self._kind).site
        except InputError:
            return ""
