"""What is known about posts, accounts and mixes, without downloading them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

from dyvine_cli.client import Client
from dyvine_cli.errors import DyvineError, InputError, ListingIncomplete
from dyvine_cli.events import Cut, Failed, Report, Skipped, Warned
from dyvine_cli.listing import Walk
from dyvine_cli.models import Listing, Mix, Post, Ref, RefKind, User
from dyvine_cli.operations import selection
from dyvine_cli.operations.accounts import Source, source_of
from dyvine_cli.operations.asked import Asked
from dyvine_cli.operations.attempts import Attempts
from dyvine_cli.operations.download import whole
from dyvine_cli.operations.get import LISTED
from dyvine_cli.operations.selection import Selection
from dyvine_cli.operations.tally import Tally
from dyvine_cli.operations.workspace import Workspace

Show = Callable[[Post | User | Mix], None]


async def each(
    workspace: Workspace,
    asked: Sequence[Asked],
    kind: RefKind | None,
    show: Show,
    report: Report,
) -> int:
    """Show what is known about each thing named; the exit status."""

    async def one(ref: Ref, tally: Tally) -> None:
        show(await _found(workspace, ref))

    return await _through(workspace, asked, kind, one, report)


async def _found(workspace: Workspace, ref: Ref) -> Post | User | Mix:
    client = workspace.client
    if ref.kind == "user":
        return await client.user(ref)
    if ref.kind == "mix":
        return await client.mix(ref)
    if ref.kind == "collection":
        raise InputError(f"{ref}: nothing describes a collection but its posts", hint=f"try: dyvine -j {ref}")
    return await client.post(ref)


async def listed(
    workspace: Workspace,
    asked: Sequence[Asked],
    what: Listing | None,
    wish: Selection,
    show: Show,
    report: Report,
    *,
    kind: RefKind = "user",
) -> int:
    """Show the entries of each named account's or mix's listing as they come, without any media call; the exit status."""

    async def one(ref: Ref, tally: Tally) -> None:
        await _show_listing(
            workspace, await source_of(workspace.client, ref, what), wish, show, report, tally
        )

    return await _through(workspace, asked, kind, one, report)


async def _show_listing(
    workspace: Workspace, source: Source, wish: Selection, show: Show, report: Report, tally: Tally
) -> None:
    """Show a listing's entries; a cut after its first page is reported and counted."""
    client = workspace.client
    walk = client.list(source.ref, source.what, declared=source.declared, enough=wish.limit)
    try:
        async with aclosing(_entries(walk, client, source, wish, report, tally)) as entries:
            shown = await _show_wanted(entries, source, wish, show)
        if not shown:
            report(Warned(message=_nothing(source, walk.listed), ref=source.ref))
    except ListingIncomplete as cut:
        tally.cuts.append(cut)
        report(
            Cut(
                ref=source.ref,
                error=cut,
                listed=walk.listed,
                declared=source.declared,
                resumable=cut.cursor is not None,
            )
        )


def _nothing(source: Source, listed: int) -> str:
    """Why a list shows nothing."""
    if listed:
        return f"{source.title}: nothing of {listed} fits what was asked for"
    return f"{source.title.removesuffix(': mixes')} has no {'mixes' if source.what == 'mixes' else 'posts'} to show"


async def _entries(
    walk: Walk, client: Client, source: Source, wish: Selection, report: Report, tally: Tally
) -> AsyncGenerator[Post | Mix]:
    """The entries of a listing, posts as whole as a download has them; those that cannot be had are reported and counted."""

    def fail(error: DyvineError, ref: Ref | None) -> None:
        tally.fail(error)
        report(Failed(ref=ref, error=error, source=source.ref))

    async with aclosing(walk.batches()) as batches:
        async for batch in batches:
            for error in walk.errors:
                fail(error, getattr(error, "ref", None))
            for entry in batch:
                if isinstance(entry, Post) and selection.wanted(entry, wish):
                    try:
                        entry = await whole(entry, client)
                    except DyvineError as error:
                        fail(error, entry.ref)
                        continue
                yield entry


async def _show_wanted(
    entries: AsyncGenerator[Post | Mix], source: Source, wish: Selection, show: Show
) -> int:
    """Show the entries that the filters let through, and count them; a date or a number ends the paging early."""
    shown = 0
    async for entry in entries:
        if isinstance(entry, Post):
            if source.dated and selection.is_older(entry, wish):
                break
            if not selection.wanted(entry, wish):
                continue
        show(entry)
        shown += 1
        if wish.limit is not None and shown >= wish.limit:
            break
    return shown


async def posts(
    workspace: Workspace,
    asked: Sequence[Asked],
    kind: RefKind | None,
    wish: Selection,
    show: Callable[[Post], None],
    report: Report,
    *,
    what: Listing | None = None,
) -> int:
    """Show the posts that a download would take: those named, and those of the listings named; the exit status."""

    def show_post(entry: Post | User | Mix) -> None:
        if isinstance(entry, Post):
            show(entry)

    async def one(ref: Ref, tally: Tally) -> None:
        if ref.kind in LISTED:
            source = await source_of(workspace.client, ref, what)
            await _show_listing(workspace, source, wish, show_post, report, tally)
        else:
            post = await workspace.client.post(ref)
            if selection.wanted(post, wish):
                show(post)
            else:
                report(Skipped(ref=post.ref, asset=None, reason="filtered"))

    return await _through(workspace, asked, kind, one, report)


async def _through(
    workspace: Workspace,
    asked: Sequence[Asked],
    kind: RefKind | None,
    one: Callable[[Ref, Tally], Awaitable[None]],
    report: Report,
) -> int:
    """Do `one` for each thing asked for; one's failure does not end the others."""
    tally = Tally()
    attempts = Attempts(workspace.client, tally, report, kind)
    for each in asked:
        if not attempts.goes_on(each):
            continue
        if tally.stop is not None:
            break
        with attempts.one(each):
            ref = await workspace.client.resolve(each.text, kind=kind)
            cuts = len(tally.cuts)
            await one(ref, tally)
            tally.done += 1
            for cut in tally.cuts[cuts:]:
                attempts.mind(ref.site, cut.cause)
    attempts.tell_left()
    return tally.exit_code()
