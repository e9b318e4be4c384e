"""What can happen during a run, as small dataclasses, and the callable that receives them.

A listener converts; it never decides. Terminal, JSON lines, a server job and a test's list are four listeners.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from dyvine_cli.errors import DyvineError
from dyvine_cli.models import Post, Ref, Rendition


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceBegun:
    """Work on one of the things asked for begins; `title` is its name as a person knows it, empty if unknown yet.

    `declared` is the number of posts the platform claims, None outside of listings. `estimate` is what the listing
    will take in seconds at the pace chosen, `calls` the number of its pages; None when it is small or unknown. `limit`
    is how many posts a person wants at the most, None for all.
    """

    ref: Ref
    title: str = ""
    declared: int | None = None
    calls: int | None = None
    estimate: float | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of a listing arrived: `count` more posts, `total` so far."""

    ref: Ref
    count: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """An asset or a whole post was not fetched.

    `reason` is one of known, filtered, unavailable, simulated, ignored (`dyvine archive ignore`).
    `path` is the file that is there already (simulated: that would be there), None if it is elsewhere or gone. `asset`
    is None for a whole post. `rendition` is what that file is, as far as it was recorded.
    """

    ref: Ref
    asset: str | None
    reason: str
    path: Path | None = None
    post: Post | None = field(default=None, repr=False)
    source: Ref | None = None
    rendition: Rendition | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The transfer of an asset begins; `size` is None when the server did not say; `begun` bytes are there already."""

    ref: Ref
    asset: str
    path: Path
    size: int | None
    begun: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """`count` more bytes of an asset are on disk (negative when a transfer starts over)."""

    ref: Ref
    asset: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """An asset is whole under its final name.

    `post` is the post that it belongs to, `rendition` the one that was saved, None for a text.
    """

    ref: Ref
    asset: str
    path: Path
    size: int
    sha256: str
    post: Post | None = field(default=None, repr=False)
    source: Ref | None = None
    rendition: Rendition | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """All assets of a post are saved, skipped or failed; `state` is saved, known, filtered or failed."""

    ref: Ref
    state: str
    source: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One asset, post or source failed and the run goes on; `asset` is None for a whole post or source.

    `text` is what was asked for as the person wrote it, `title` what the account of a source calls itself; empty if unknown.
    """

    ref: Ref | None
    error: DyvineError
    asset: str | None = None
    source: Ref | None = None
    text: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The run pauses for `seconds`; `reason` says why in words.

    `routine` says that it only keeps to the pace, as it does before most calls of a long listing.
    """

    seconds: float
    reason: str
    site: str | None = None
    routine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something a person should know and may ignore; `notice` says that nothing is wrong."""

    message: str
    hint: str | None = None
    ref: Ref | None = None
    notice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A listing ended before its end; the next run goes on from there if `resumable`.

    `name` is what a source of `sync` is called in the settings, empty in every other run.
    """

    ref: Ref
    error: DyvineError
    listed: int
    declared: int | None
    resumable: bool
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """How a listing came out. `complete` is False when it was cut.

    `listed` is the sum of `earlier`, `saved`, `known`, `filtered` and `failed`. `earlier` is what an earlier run listed
    before the place where this one went on; `hidden` includes what it found there.

    `hidden` were listed without content, `reasons` counts the failures by error name, `stopped` says in words why it
    ended before its end.
    """

    ref: Ref
    title: str
    listed: int
    declared: int | None
    hidden: int
    saved: int
    known: int
    filtered: int
    failed: int
    complete: bool
    stopped: str = ""
    reasons: Mapping[str, int] = field(default_factory=dict)
    earlier: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedSource:
    """How the check of one source came out; `ref` is None when its link was not understood.

    `state` is `complete`, `gap` (what is new is here, something older could not be had), `cut`, `failed`, `stopped`,
    `not tried`, or `retried` when only what had failed before was tried. `new`, `failed` and `hidden` count posts, `size`
    bytes. `error` is what is wrong in one line, empty when nothing is; `reasons` counts the failures by error name.
    `title` is the nickname or the mix's title, empty until it is known.
    """

    ref: Ref | None
    name: str
    state: str
    new: int = 0
    failed: int = 0
    hidden: int = 0
    size: int = 0
    seconds: float = 0.0
    error: str = ""
    reasons: Mapping[str, int] = field(default_factory=dict)
    title: str = ""

    @property
    def is_news(self) -> bool:
        """Whether there is anything to say of it."""
        return bool(self.new or self.is_trouble)

    @property
    def is_trouble(self) -> bool:
        """Whether something is wrong that a person should hear of."""
        return bool(self.failed) or self.state in ("cut", "failed", "stopped", "not tried")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summarized:
    """The end of a run: files and bytes saved, posts skipped, failures by error name, and the exit status.

    `sources` are those that `sync` checked, None in every other run.
    """

    files: int
    size: int
    posts: int
    known: int
    failed: int
    seconds: float
    exit_code: int
    balances: tuple[Balance, ...] = ()
    reasons: Mapping[str, int] = field(default_factory=dict)
    next_try: datetime | None = None
    sources: tuple[SyncedSource, ...] | None = None


Event = (
    SourceBegun
    | Listed
    | Skipped
    | Started
    | Advanced
    | Saved
    | Finished
    | Failed
    | Waiting
    | Warned
    | Cut
    | Summarized
)
Report = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The listener for those who do not listen."""
