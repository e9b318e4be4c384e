"""What of a run is worth telling people who are not there, and the words for it (pure).

Everything that a platform wrote is data: it is put on one line, cut, and sent as plain text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dyvine_cli.encode import encode_event, moment, stamp
from dyvine_cli.errors import ArchiveError, DiskError, DyvineError, LoginExpired
from dyvine_cli.events import Cut, Event, Failed, Finished, Saved, SourceBegun, Summarized, SyncedSource
from dyvine_cli.models import Ref
from dyvine_cli.naming import Line, cut, readable
from dyvine_cli.operations.notify.told import Counts
from dyvine_cli.redact import Redactor

LINES = 20
"""Failures, or accounts, that one message names."""
LONGEST = 3_500
"""Bytes of a message; Telegram takes 4,096 characters."""
LONGEST_LINE = 300
LONGEST_NAME = 60
TITLES = 3
"""New posts of an account that a message names."""

NEEDS_NOBODY = frozenset({0, 13, 14, 15, 130, 141, 143})
"""Exit statuses that are no failure: done, off air, another run is at it, nothing new, stopped by a person or a pipe."""
MEANINGS: Mapping[int, str] = {
    1: "something unexpected happened",
    2: "it cannot be done as written",
    3: "some of several things failed",
    4: "a login is needed",
    5: "it is not there, or not for us",
    6: "the platform refused us",
    7: "a list was cut short",
    8: "the platform answered in an unknown way",
    9: "the network failed",
    10: "the disk did not take a file",
    11: "a copy at a storage target failed",
    12: "the archive cannot be used",
}
"""What an exit status says, in words."""

_MOST_FINGERPRINTS = 10_000
_MOST_ACCOUNTS = 1_000
_BREAK = "\u2060"  # a word joiner: not seen, and a chat finds no mention over it
_MENTION = re.compile("<|@(?=all|channel|everyone|here)", re.IGNORECASE)
"""How a message to a chat calls all who are in it; Feishu, Slack and Google Chat have a form in angle brackets."""
_HOLDS_PATHS = (DiskError, ArchiveError)
_TITLE = Line.parse("{title:.80}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message: a title and plain text for people, and the event for programs."""

    title: str
    text: str
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Failure:
    """A line on something that failed; `in_source` says that it came from a listing."""

    line: str
    in_source: bool


@dataclass(slots=True)
class _Account:
    """The new posts of one account."""

    name: str
    count: int = 0
    posts: list[tuple[str, str]] = field(default_factory=list)


class Gathered:
    """A listener that keeps what a notice needs, whatever the length of the run; `secrets` are never repeated."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.summary: Summarized | None = None
        self.new = 0
        self.failures: list[_Failure] = []
        self.events: list[Mapping[str, Any]] = []
        self.hints: dict[str, None] = {}
        self.unnamed = 0
        self.dead: dict[str, str] = {}
        self.accounts: dict[str, _Account] = {}
        self._reasons: dict[str, int] = {}
        self._prints: set[int] = set()
        self._titles: dict[Ref, str] = {}
        self._saved: dict[Ref, tuple[str, str, str]] = {}
        self._files = self._size = 0
        self._redactor = Redactor(secrets)

    def take(self, event: Event) -> None:
        """Take one event in."""
        match event:
            case SourceBegun():
                self._titles[event.ref] = event.title
            case Saved():
                self._save(event)
            case Finished():
                self._finish(event)
            case Failed():
                self._fail(event.error, event, about=self._about(event))
            case Cut():
                self._fail(event.error, event, about=self._titles.get(event.ref, ""), ref=event.ref)
            case Summarized():
                self.summary = event
                for source in event.sources or ():
                    if source.is_trouble:
                        self._print(f"{source.name} {source.state} {sorted(source.reasons)}")

    def end(self, error: DyvineError) -> None:
        """Take in the error that ended the run."""
        self._fail(error, Failed(ref=getattr(error, "ref", None), error=error), about="")

    def ended(self, code: int) -> Summarized:
        """How the run came out; made up from what was heard when it ended without a summary."""
        return self.summary or Summarized(
            files=self._files,
            size=self._size,
            posts=self.new,
            known=0,
            failed=len(self.failures) + self.unnamed,
            seconds=0,
            exit_code=code,
            reasons=self._reasons,
        )

    def fingerprint(self, code: int) -> str:
        """The same for a run that failed in the same things for the same causes."""
        sorted_prints = ",".join(f"{each:x}" for each in sorted(self._prints))
        return hashlib.sha256(f"{code} {sorted_prints}".encode()).hexdigest()[:32]

    def counts(self, code: int, began: float) -> Counts:
        """This run for the digest; `began` is Unix seconds."""
        ended = self.ended(code)
        counts = Counts(
            since=began,
            runs=1,
            posts=self.new,
            files=ended.files,
            size=ended.size,
            failed=ended.failed,
            reasons=dict(ended.reasons),
        )
        for key, account in self.accounts.items():
            counts.add_posts(key, account.name, account.count)
        return counts

    # --- one event -----------------------------------------------------------------------------------------------

    def _save(self, event: Saved) -> None:
        self._files += 1
        self._size += event.size
        if event.post is not None and event.ref not in self._saved:
            author = event.post.author
            title = _TITLE.render(event.post, more={})
            self._saved[event.ref] = f"{event.ref.site}:{author.id}", author.nickname, title

    def _finish(self, event: Finished) -> None:
        found = self._saved.pop(event.ref, None)
        if event.state != "saved" or found is None:
            return
        self.new += 1
        key, name, title = found
        if key not in self.accounts and len(self.accounts) >= _MOST_ACCOUNTS:
            return
        account = self.accounts.setdefault(key, _Account(self.quoted(name)))
        account.count += 1
        if len(account.posts) < TITLES:
            account.posts.append((str(event.ref), self.quoted(title)))

    def _about(self, event: Failed) -> str:
        """What failed: the listing it came from, the post, the file."""
        source = self._titles.get(event.source, "") if event.source else ""
        what = self._redactor.text(event.text) or str(event.ref or "")
        return " ".join(filter(None, (source and f"{source}:", what, event.asset)))

    def _fail(self, error: DyvineError, event: Failed | Cut, *, about: str, ref: Ref | None = None) -> None:
        self._reasons[error.name] = self._reasons.get(error.name, 0) + 1
        where = ref or event.ref
        # Counts in the text ("12 more of douyin") may change while the failure does not.
        text = "" if isinstance(event, Cut) or where else re.sub("[0-9]+", "#", event.text)
        self._print(f"{error.name} {where} {text}")
        if isinstance(error, LoginExpired):
            site = where.site if where else ""
            self.dead.setdefault(f"dead:{site}", self._line("", error))
        if len(self.failures) >= LINES:
            self.unnamed += 1
            return
        in_source = isinstance(event, Failed) and event.source is not None
        self.failures.append(_Failure(self._line(about, error), in_source))
        self.events.append(self._encoded(event))
        if error.hint:
            self.hints[_calling_nobody(self.said(error.hint, error))] = None

    def _print(self, facts: str) -> None:
        """Take something that failed into the fingerprint."""
        if len(self._prints) < _MOST_FINGERPRINTS:
            self._prints.add(int.from_bytes(hashlib.sha256(facts.encode("utf-8", "replace")).digest()[:8]))

    def lines(self) -> list[str]:
        """A line for each source in trouble and each failure, LINES at most, then how many others there are.

        What a source's own line says is not said again.
        """
        sources = self.summary.sources if self.summary is not None else None
        if sources is None:
            found = [each.line for each in self.failures]
        else:
            found = [self._source_line(each) for each in sources if each.is_trouble]
            found += [each.line for each in self.failures if each.in_source]
        more = len(found[LINES:]) + self.unnamed
        return [*found[:LINES], *([f"… and {more:,} more"] if more else [])]

    def _source_line(self, source: SyncedSource) -> str:
        reasons = ", ".join(f"{count:,} {name}" for name, count in _most(source.reasons))
        failed = f", {source.failed:,} failed" + (f" ({reasons})" if reasons else "") if source.failed else ""
        error = _calling_nobody(self._redactor.text(readable(source.error)))
        return cut(
            f"{self.quoted(source.name, 120)}: {source.state}{failed}" + (f": {error}" if error else ""),
            LONGEST_LINE,
        )

    def _line(self, about: str, error: DyvineError) -> str:
        message = _calling_nobody(self.said(error.message, error))
        about = self.quoted(about, 120)
        prefix = "" if not about or about in message else f"{about}: "
        return f"{cut(prefix + message, LONGEST_LINE)} ({error.name})"

    def _encoded(self, event: Failed | Cut) -> Mapping[str, Any]:
        """The event as JSON, its words as a message has them."""
        found = encode_event(event)
        said = {name: self.said(str(found[name]), event.error) for name in ("message", "hint") if found[name]}
        return {
            **found,
            **said,
            **({"text": self._redactor.text(readable(found["text"]))} if "text" in found else {}),
        }

    def said(self, text: str, error: DyvineError) -> str:
        """What an error says: on one line, without anything that looks like a secret.

        An error of the disk names a file, whose name looks like one; only what is known to be a secret goes there.
        """
        text = readable(text)
        return self._redactor.told(text) if isinstance(error, _HOLDS_PATHS) else self._redactor.text(text)

    def quoted(self, name: str, limit: int = LONGEST_NAME) -> str:
        """A name or title of the platform's: on one line, cut, and calling nobody in a chat (`@everyone`, `<at …>`)."""
        text = self._redactor.told(readable(name[:2000]))
        return re.sub("[@<]", rf"\g<0>{_BREAK}", cut(text, limit * 2))


# --- the run's notice ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What of a run is to be told now; `logins` are sentences."""

    failure: bool = False
    new: bool = False
    logins: tuple[str, ...] = ()

    @property
    def occasions(self) -> tuple[str, ...]:
        """Their names, as `[notify] on` has them."""
        return tuple(
            name
            for name, is_due in (("failure", self.failure), ("new", self.new), ("login", bool(self.logins)))
            if is_due
        )


def notice(gathered: Gathered, code: int, due: Due) -> Notice:
    """One message for everything of a run that is to be told."""
    ended = gathered.ended(code)
    parts = [*(_failed(gathered, code) if due.failure else ())]
    if due.logins:
        parts += [_block("", due.logins)]
    if due.new:
        parts += [_block(f"{_many(gathered.new, 'new post')}:", _new(gathered.accounts.values()))]
    return Notice(
        title=_title(gathered, ended, due),
        text=_fitted(parts),
        event={
            **encode_event(ended),
            "on": list(due.occasions),
            "failures": gathered.events if due.failure else [],
            "unnamed": gathered.unnamed if due.failure else 0,
            "new": _accounts(gathered) if due.new else [],
            "logins": list(due.logins),
        },
    )


def _title(gathered: Gathered, ended: Summarized, due: Due) -> str:
    if due.failure:
        return f"dyvine: {max(1, ended.failed):,} failed, exit status {ended.exit_code}"
    if due.logins:
        return "dyvine: a login needs you"
    return f"dyvine: {_many(gathered.new, 'new post')}"


def _failed(gathered: Gathered, code: int) -> Iterator[str]:
    yield f"{MEANINGS.get(code, 'it failed').capitalize()} (exit status {code})."
    if lines := gathered.lines():
        yield _block("", lines)
    if gathered.hints:
        yield _block("", [f"hint: {each}" for each in list(gathered.hints)[:3]])


def _new(accounts: Iterable[_Account]) -> Iterator[str]:
    ordered = sorted(accounts, key=lambda each: -each.count)
    for account in ordered[:LINES]:
        titles = "; ".join(title for _, title in account.posts if title)
        more = "; …" if titles and account.count > len(account.posts) else ""
        yield f"{account.name} ({account.count:,})" + (f": {titles}{more}" if titles else "")
    if len(ordered) > LINES:
        yield f"… and {_many(len(ordered) - LINES, 'more account')}"


def _accounts(gathered: Gathered) -> list[dict[str, Any]]:
    ordered = sorted(gathered.accounts.items(), key=lambda each: -each[1].count)
    return [
        {
            "account": key,
            "nickname": account.name,
            "count": account.count,
            "posts": [{"ref": ref, "title": title} for ref, title in account.posts],
        }
        for key, account in ordered[:LINES]
    ]


# --- the digest ---------------------------------------------------------------------------------------------------


def digest(counts: Counts, now: datetime) -> Notice:
    """What happened since the last digest, in one message."""
    since = datetime.fromtimestamp(counts.since, UTC) if counts.since is not None else now
    reasons = ", ".join(f"{count:,} {name}" for name, count in _most(counts.reasons))
    parts = [
        f"Since {since.astimezone():%Y-%m-%d %H:%M}: {_many(counts.runs, 'run')}, "
        f"{_many(counts.posts, 'new post')}, {_many(counts.files, 'file')} ({_size(counts.size)}), "
        f"{counts.failed:,} failed" + (f" ({reasons})" if reasons else "")
    ]
    ordered = sorted(counts.accounts.values(), key=lambda each: -each[1])
    lines = [f"{name}: {count:,}" for name, count in ordered[:LINES]]
    rest = sum(count for _, count in ordered[LINES:]) + counts.others
    lines += [f"other accounts: {rest:,}"] if rest else []
    parts += [_block("New posts:", lines)] if lines else []
    return Notice(
        title=f"dyvine: {_many(counts.posts, 'new post')}, {counts.failed:,} failed",
        text=_fitted(parts),
        event={
            **stamp("digest", time=now),
            "ref": None,
            "since": moment(since),
            "runs": counts.runs,
            "posts": counts.posts,
            "files": counts.files,
            "size": counts.size,
            "failed": counts.failed,
            "reasons": dict(sorted(counts.reasons.items())),
            "new": [
                {"account": key, "nickname": name, "count": count}
                for key, (name, count) in sorted(counts.accounts.items(), key=lambda each: -each[1][1])[
                    :LINES
                ]
            ],
        },
    )


def _most(reasons: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda each: -each[1])[:5]


# --- words --------------------------------------------------------------------------------------------------------


def _calling_nobody(text: str) -> str:
    """An error's words, which may hold a stranger's; addresses and names of files in them can still be copied."""
    return _MENTION.sub(rf"\g<0>{_BREAK}", text)


def _block(head: str, lines: Iterable[str]) -> str:
    return "\n".join([*([head] if head else []), *lines])


def _fitted(parts: Sequence[str]) -> str:
    """The parts below each other with a line between, whole lines left out at the end where they are too long."""
    kept: list[str] = []
    left = LONGEST - len("\n…")
    for line in "\n\n".join(parts).split("\n"):
        left -= len(line.encode("utf-8", "replace")) + 1
        if left < 0:
            return "\n".join([*kept, "…"])
        kept.append(line)
    return "\n".join(kept)


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}" + ("" if count == 1 else "s")


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit in ("B", "kB") else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
