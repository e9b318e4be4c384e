"""What is known about posts, accounts and mixes, without downloading them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from dyvine_cli.errors import DyvineError, ListingIncomplete
from dyvine_cli.events import Cut, Failed, Report
from dyvine_cli.models import Listing, Mix, Post, Ref, RefKind, User
from dyvine_cli.operations import selection
from dyvine_cli.operations.accounts import check_listable
from dyvine_cli.operations.asked import Asked
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

    async def one(ref: Ref) -> None:
        show(await _found(workspace, ref))

    return await _through(workspace, asked, kind, one, report)


async def _found(workspace: Workspace, ref: Ref) -> Post | User | Mix:
    client = workspace.client
    if ref.kind == "user":
        return await client.user(ref)
    if ref.kind == "mix":
        return await client.mix(ref)
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
    tally = Tally()

    async def one(ref: Ref) -> None:
        declared = None
        if ref.kind == "user":
            user = await workspace.client.user(ref)
            check_listable(user)
            ref, declared = user.ref, user.declared if what in (None, "posts") else None
        try:
            await _show_entries(workspace, ref, what, wish, show, declared)
        except ListingIncomplete as cut:
            report(Cut(ref=ref, error=cut, listed=0, declared=declared, resumable=cut.cursor is not None))
            tally.cuts.append(cut)

    code = await _through(workspace, asked, kind, one, report)
    return code if code and not tally.cuts else tally.exit_code()


async def _show_entries(
    workspace: Workspace, ref: Ref, what: Listing | None, wish: Selection, show: Show, declared: int | None
) -> None:
    shown = 0
    async for entry in workspace.client.list(ref, what, declared=declared):
        if wish.limit is not None and shown >= wish.limit:
            return
        if isinstance(entry, Post):
            if wish.since and not entry.pinned and entry.created < wish.since and what in (None, "posts"):
                return
            if not selection.wanted(entry, wish):
                continue
        show(entry)
        shown += 1


async def posts(
    workspace: Workspace,
    asked: Sequence[Asked],
    kind: RefKind | None,
    wish: Selection,
    show: Callable[[Post], None],
    report: Report,
) -> int:
    """Show the posts that a download would take: those named, and those of the listings named; the exit status."""

    def show_post(entry: Post | User | Mix) -> None:
        if isinstance(entry, Post):
            show(entry)

    async def one(ref: Ref) -> None:
        if ref.kind in ("user", "mix"):
            await _show_entries(workspace, ref, ref.listing, wish, show_post, None)
        else:
            show(await workspace.client.post(ref))

    return await _through(workspace, asked, kind, one, report)


async def _through(
    workspace: Workspace,
    asked: Sequence[Asked],
    kind: RefKind | None,
    one: Callable[[Ref], Awaitable[None]],
    report: Report,
) -> int:
    tally = Tally()
    for each in asked:
        try:
            ref = await workspace.client.resolve(each.text, kind=kind)
            await one(ref)
            tally.done += 1
        except ListingIncomplete as cut:
            report(
                Cut(ref=cut.ref or ref, error=cut, listed=0, declared=None, resumable=cut.cursor is not None)
            )
            tally.cuts.append(cut)
        except DyvineError as error:
            tally.fail(error)
            report(Failed(ref=None, error=error, text=each.place if each.line else each.text))
    return tally.exit_code()
