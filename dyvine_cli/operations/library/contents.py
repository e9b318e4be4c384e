"""What a person does with the archive: look into it, and say which posts may come again and which never.

Nothing here asks a site, but for what a short link means.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from dyvine_cli.archive.base import Archive, FailedAsset, GonePost, SavedAsset
from dyvine_cli.archive.holdings import Counts, FileFilter, FileKey, IgnoredPost, RecordedFile, Tally
from dyvine_cli.errors import InputError
from dyvine_cli.events import Report, Warned
from dyvine_cli.models import AssetKind, Ref
from dyvine_cli.operations import tally as runs
from dyvine_cli.operations.asked import Asked
from dyvine_cli.operations.attempts import Attempts
from dyvine_cli.operations.selection import Selection
from dyvine_cli.operations.workspace import Workspace, no_archive

__all__ = [
    "FailedAsset",
    "GonePost",
    "IgnoredPost",
    "Overview",
    "RecordedFile",
    "Row",
    "Tally",
    "Wanted",
    "files",
    "forget",
    "ignore",
    "key",
    "kinds_of",
    "listed",
    "named",
    "need_archive",
    "overview",
]

State = Literal["saved", "missing", "failed", "gone", "ignored"]
"""What is listed: recorded files, those of them that are not there, failures, posts that are gone, ignored posts."""

KINDS: tuple[AssetKind, ...] = get_args(AssetKind)

Row = RecordedFile | FailedAsset | GonePost | IgnoredPost

FORGOTTEN = "forgotten"
"""The cause on record for an account of which a post may come again: its next listing looks at everything."""

PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which part of the archive is meant, besides the posts and accounts that are named.

    `since` and `until` are times of publishing, both included. `site` counts where nothing is named. `limit` is the
    number of rows, None for all.
    """

    state: State = "saved"
    site: str | None = None
    kinds: tuple[AssetKind, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the archive holds: files by site, account and kind, and how many posts or files have their own story."""

    tallies: tuple[Tally, ...]
    counts: Counts


def kinds_of(text: str | None) -> tuple[AssetKind, ...]:
    """The kinds of files in a list with commas; empty for None. Raises InputError for a word that is none."""
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    found = [kind for name in names for kind in KINDS if kind == name]
    if len(found) < len(names) or (text is not None and not found):
        bad = next((name for name in names if name not in KINDS), text)
        raise InputError(f"--kind: {bad!r} is no kind of file", hint=f"there are: {', '.join(KINDS)}")
    return tuple(dict.fromkeys(found))


async def overview(archive: Archive, site: str | None = None) -> Overview:
    """Everything counted, of one site or of all."""
    tallies = await archive.stats()
    return Overview(
        tallies=tuple(each for each in tallies if site in (None, each.site)),
        counts=await archive.counts(site),
    )


# --- looking ----------------------------------------------------------------------------------------------------------


async def listed(
    workspace: Workspace,
    asked: Sequence[Asked],
    wanted: Wanted,
    show: Callable[[Row], None],
    report: Report,
) -> int:
    """Show what the archive holds, row by row; the exit status. Raises InputError for filters that cannot be met."""
    _check(wanted)
    count = runs.Tally()
    filters = await named(workspace, asked, wanted, Attempts(workspace.client, count, report, "post"))
    shown = 0
    async with aclosing(_rows(workspace.archive, filters, wanted)) as rows:
        async for row in rows:
            show(row)
            shown += 1
            if shown == wanted.limit:
                break
    count.done += bool(shown)
    if not shown and not count.errors:
        report(Warned(message="nothing in the archive is what was asked for"))
    return count.exit_code()


def _check(wanted: Wanted) -> None:
    if wanted.state in ("saved", "missing"):
        return
    if wanted.since or wanted.until or (wanted.kinds and wanted.state != "failed"):
        raise InputError(
            f"--{wanted.state} cannot be combined with dates or kinds: they are not on record there",
            hint="filter by --site, links, or a tool that reads --json",
        )


async def named(
    workspace: Workspace, asked: Sequence[Asked], wanted: Wanted, attempts: Attempts
) -> tuple[FileFilter, ...]:
    """One filter for each post and account that is named, accounts first; one for everything if nothing is."""
    base = FileFilter(kinds=wanted.kinds, since=wanted.since, until=_after(wanted.until))
    if not asked:
        return (replace(base, site=wanted.site),)
    users: dict[FileFilter, None] = {}
    posts: dict[FileFilter, None] = {}
    for each in asked:
        with attempts.one(each):
            ref = await _resolved(workspace, each)
            if ref.kind == "post":
                posts[replace(base, post=ref)] = None
            else:
                users |= {replace(base, user=user): None for user in await _accounts(workspace.archive, ref)}
    alone = [each for each in posts if each.post and not await _is_by(workspace.archive, each.post, users)]
    return (*users, *alone)


async def _is_by(archive: Archive, post: Ref, users: Iterable[FileFilter]) -> bool:
    """Whether a post's files are meant already because its account is."""
    authors = {Ref(post.site, "user", file.user) for file in (await archive.saved_assets(post)).values()}
    return any(each.user in authors for each in users)


def _after(until: datetime | None) -> datetime | None:
    """The first whole second that is not wanted any more: the archive keeps no fractions."""
    return None if until is None else datetime.fromtimestamp(int(until.timestamp()) + 1, until.tzinfo)


async def _resolved(workspace: Workspace, each: Asked) -> Ref:
    ref = await workspace.client.resolve(each.text, kind="post")
    if ref.kind not in ("post", "user"):
        raise InputError(
            f"{each.shown} is a {ref.kind}: the archive knows posts and accounts",
            hint="name the posts or the account",
        )
    return ref


async def _accounts(archive: Archive, ref: Ref) -> tuple[Ref, ...]:
    """The accounts on record that a ref may mean: a handle may have been several's. Raises InputError for none."""
    found = await archive.find_users(ref.site, ref.id)
    if not found:
        raise InputError(
            f"the archive knows no account {ref.id} of {ref.site}",
            hint="`dyvine archive stats --json` shows the ids of all that it knows",
        )
    return tuple(Ref(ref.site, "user", id) for id in found)


async def files(
    archive: Archive, wanted: FileFilter, *, after: FileKey | None = None
) -> AsyncIterator[tuple[RecordedFile, ...]]:
    """The recorded files that a filter means, in pages, from behind `after` on."""
    while page := await archive.files(wanted, after=after, limit=PAGE):
        yield page
        after = key(page[-1].saved)
        await asyncio.sleep(0)  # a signal may come in


def key(row: SavedAsset) -> FileKey:
    """What the archive tells a file by."""
    return row.ref.site, row.ref.id, row.asset


async def _rows(archive: Archive, filters: Sequence[FileFilter], wanted: Wanted) -> AsyncGenerator[Row]:
    if wanted.state in ("saved", "missing"):
        for each in filters:
            async for page in files(archive, each):
                for row in page if wanted.state == "saved" else await asyncio.to_thread(_missing, page):
                    yield row
        return
    async with aclosing(_stories(archive, wanted)) as stories:
        last = None
        async for story in stories:
            if wanted.kinds and not _is_of_kind(story, wanted.kinds):
                continue
            what = (story.ref, story.asset if isinstance(story, FailedAsset) else None)
            if what == last:
                continue  # it is on record for each source that waits for it, side by side
            if await _is_named(archive, story, filters):
                last = what
                yield story


def _missing(page: Sequence[RecordedFile]) -> list[RecordedFile]:
    return [row for row in page if not row.saved.path.exists()]


async def _stories(archive: Archive, wanted: Wanted) -> AsyncGenerator[FailedAsset | GonePost | IgnoredPost]:
    match wanted.state:
        case "failed":
            async with aclosing(archive.each_failure(wanted.site)) as parts:
                async for part in parts:
                    for row in part:
                        yield row
                    await asyncio.sleep(0)  # a signal may come in
        case "gone":
            for gone in await archive.gone(wanted.site):
                yield gone
        case _:
            for ignored in await archive.ignored_posts(wanted.site):
                yield ignored


async def _is_named(
    archive: Archive, row: FailedAsset | GonePost | IgnoredPost, filters: Sequence[FileFilter]
) -> bool:
    """Whether a post is one of those named, or its account is, as far as the archive knows its author."""
    for each in filters:
        if each.post is None and each.user is None:
            return True
        if each.post is not None and (each.post.site, each.post.id) == (row.ref.site, row.ref.id):
            return True
        if each.user is not None and each.user in await _people(archive, row):
            return True
    return False


async def _people(archive: Archive, row: FailedAsset | GonePost | IgnoredPost) -> set[Ref]:
    """The accounts that a post has to do with: whose files are recorded, and whose listing brought it."""
    saved = await archive.saved_assets(row.ref)
    found = {Ref(row.ref.site, "user", file.user) for file in saved.values()}
    source = row.source if isinstance(row, FailedAsset) else None
    return found | {replace(source, listing=None)} if source else found


def _is_of_kind(row: Row, kinds: tuple[AssetKind, ...]) -> bool:
    name = row.asset if isinstance(row, FailedAsset) and row.asset else ""
    return name.partition(".")[0].rstrip("0123456789_") in kinds


# --- deciding ---------------------------------------------------------------------------------------------------------


async def forget(workspace: Workspace, asked: Sequence[Asked], report: Report) -> tuple[int, int]:
    """Drop what is on record about posts, or about all posts of accounts; their files stay. Posts dropped, exit status.

    The next listing of their accounts goes to its end, so that they come again wherever they stand in it.
    """
    archive, count = workspace.archive, runs.Tally()
    attempts = Attempts(workspace.client, count, report, "post")
    dropped = 0
    for each in asked:
        with attempts.one(each):
            ref = await _resolved(workspace, each)
            refs = (ref,) if ref.kind == "post" else await _posts_of(archive, await _accounts(archive, ref))
            for post in refs:
                dropped += await _forget(archive, post, report)
            count.done += 1
    attempts.tell_left()
    return dropped, count.exit_code()


async def _posts_of(archive: Archive, users: Iterable[Ref]) -> tuple[Ref, ...]:
    found: dict[Ref, None] = {}
    for user in users:
        found |= dict.fromkeys(await archive.posts_of(user.site, user.id))
        async for page in files(archive, FileFilter(user=user)):
            found |= dict.fromkeys(row.saved.ref for row in page)
    return tuple(found)


async def _forget(archive: Archive, post: Ref, report: Report) -> bool:
    saved = await archive.saved_assets(post)
    on_record = (
        saved or await archive.knows(post) or await archive.failed(post) or await archive.ignored([post])
    )
    if not on_record:
        report(Warned(message=f"nothing is on record about {post}", ref=post))
        return False
    await archive.forget(post)
    for user in {Ref(post.site, "user", file.user) for file in saved.values()}:
        for last in await archive.listings(user, None):
            if not last.cause:
                await archive.add_listed(replace(last, full=None, cause=FORGOTTEN))
    return True


async def ignore(workspace: Workspace, asked: Sequence[Asked], report: Report) -> tuple[int, int]:
    """Note posts that shall never come again; what is saved of them stays. Posts noted, exit status."""
    count = runs.Tally()
    attempts = Attempts(workspace.client, count, report, "post")
    refs: dict[Ref, None] = {}
    for each in asked:
        with attempts.one(each):
            ref = await _resolved(workspace, each)
            if ref.kind != "post":
                raise InputError(
                    f"{each.shown} is an account: only posts can be ignored",
                    hint="leave the account out of your sources, or ignore its posts one by one",
                )
            refs[ref] = None
            count.done += 1
    attempts.tell_left()
    if refs:
        await workspace.archive.ignore(tuple(refs))
    return len(refs), count.exit_code()


def need_archive(wish: Selection) -> None:
    """Raise InputError where no archive is wanted."""
    if not wish.archive:
        raise no_archive()
