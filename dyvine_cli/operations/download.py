"""The one way of a post: selection, archive check, name, transfer, time, row; and many posts at once."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dyvine_cli import naming
from dyvine_cli.archive.base import CompletePost, SavedAsset
from dyvine_cli.client import Client
from dyvine_cli.errors import DyvineError, LinkExpired, NetworkError, Refused, Truncated, UnexpectedResponse
from dyvine_cli.events import Advanced, Failed, Finished, Report, Saved, Skipped, Started, Waiting, Warned
from dyvine_cli.models import Asset, Post, Ref, Rendition
from dyvine_cli.operations import selection
from dyvine_cli.operations.backoff import next_try
from dyvine_cli.operations.selection import Selection
from dyvine_cli.operations.tally import STOPPING, Tally
from dyvine_cli.operations.workspace import Workspace
from dyvine_cli.transfer.folder import writing

if TYPE_CHECKING:
    from dyvine_cli.transfer.check import Family
    from dyvine_cli.transfer.engine import Fetched

log = logging.getLogger(__name__)

FAMILIES: dict[str, Family] = {
    "video": "video",
    "clip": "video",
    "picture": "picture",
    "cover": "picture",
    "sound": "sound",
    "subtitle": "subtitle",
}

BUSY = 60.0
"""Seconds that a file of another run is waited for as long as it does not grow."""

_AHEAD = 20
"""Posts that are listed before there is a slot for them: about a page, so that the next one is asked for in time."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What one run does with each of its posts.

    `named` says that a person named the post itself: then a recorded file counts only where it still stands.
    `source` is the listing that the posts come from, None for single posts, `scope` for whom; see `ListedSource`. `backs_off` says that what fails is tried
    again by itself, later each time; `clock` tells from when on. `begun` is when their listing was asked for first: what
    it brings counts as complete from then on, None for the moment when it is. `told` is what needs saying only once. `again` are
    recorded files of posts of which nothing else is wanted: they are fetched to where they were recorded, in place of
    what stands there.
    """

    workspace: Workspace
    wish: Selection
    report: Report
    tally: Tally
    named: bool = False
    source: Ref | None = None
    scope: str = ""
    simulate: bool = False
    backs_off: bool = False
    clock: Callable[[], datetime] = _now
    begun: datetime | None = None
    told: set[str] = field(default_factory=set)
    again: Mapping[Ref, Mapping[str, SavedAsset]] = field(default_factory=dict)


async def save_posts(posts: AsyncGenerator[Post], errand: Errand) -> None:
    """Save posts as they come, several at once; the listing goes on meanwhile, about a page ahead.

    One post's failure is reported and counted, the others go on. A full disk or a broken archive ends it: nothing more
    is listed, what is on its way is finished. What cuts the listing is raised after that. All that was saved is on
    record then. Raises ArchiveError, DiskFull when the last of it could not be recorded.
    """
    slots = asyncio.Semaphore(errand.workspace.parallel)
    listed: asyncio.Queue[Post | None] = asyncio.Queue(_AHEAD)
    stopped: DyvineError | None = None

    async def one(post: Post) -> None:
        try:
            await save_post(post, errand)
        finally:
            slots.release()

    async def list_all() -> None:
        nonlocal stopped
        try:
            async with aclosing(posts) as coming:
                async for post in coming:
                    if post.text_is_cut and errand.tally.stop is None:
                        # It asks the site as well, and has to before the next page does.
                        await slots.acquire()
                        await one(post)
                    else:
                        await listed.put(post)
        except DyvineError as error:  # in the group it would cancel the running saves and come out wrapped
            stopped = error
        await listed.put(None)

    async with asyncio.TaskGroup() as group:
        listing = group.create_task(list_all())
        if not errand.simulate:
            group.create_task(errand.workspace.load_engine())
        while (post := await listed.get()) is not None:
            await slots.acquire()
            if errand.tally.stop is not None:
                slots.release()
                listing.cancel()
                break
            group.create_task(one(post))
    await errand.workspace.rows.write()
    if stopped is not None:
        raise stopped


async def save_post(post: Post, errand: Errand) -> None:
    """Save everything the wish takes of one post; failures are reported and counted, never raised."""
    workspace = errand.workspace
    try:
        async with workspace.posts.of(post.ref):
            if workspace.rows.holds(post.ref):  # another source of this run has just saved it
                await workspace.rows.write()
            state = await _save(post, errand)
    except DyvineError as error:
        await _fail(post, None, error, errand)
        state = "failed"
    errand.report(Finished(ref=post.ref, state=state, source=errand.source))


async def _save(post: Post, errand: Errand) -> str:
    wish, archive = errand.wish, errand.workspace.archive
    if post.ref in errand.again:
        return await _save_again(post, errand)
    if not selection.wanted(post, wish):
        return _filtered(post, errand)
    if await archive.ignored([post.ref]):
        _ignore(post, errand)
        return "filtered"
    known = {} if wish.overwrite else await archive.saved_assets(post.ref)
    if not _due(post, known, errand) and await archive.knows(post.ref):
        _pass_over(post, known, errand)
        _Way(post, errand, fresh=_Fresh(post, errand), known=known).mind_place()
        return _count([], errand, is_new=False)
    post = await _ready(post, errand)
    if not selection.wanted(post, wish):
        return _filtered(post, errand)
    due = _due(post, known, errand)
    _pass_over(post, known, errand)
    way = _Way(post, errand, fresh=_Fresh(post, errand), known=known)
    way.mind_place()
    failures = await way.save_all(due)
    if way.has_left_out and not failures and not way.paths:
        return "filtered"
    if not failures:
        await way.write_sidecars()
        if not way.has_left_out:
            await _complete(post, errand)
    return _count(failures, errand, is_new=way.is_new)


async def _save_again(post: Post, errand: Errand) -> str:
    """Save the files of a post that are to be fetched again; one that it does not have any more is left alone."""
    known = await errand.workspace.archive.saved_assets(post.ref)
    way = _Way(post, errand, fresh=_Fresh(post, errand), known=known)
    failures = await way.save_all([asset for asset in post.assets if asset.id in errand.again[post.ref]])
    return _count(failures, errand, is_new=way.is_new)


def _ignore(post: Post, errand: Errand) -> None:
    """Report a post that a person never wants again, with the cure if they named it now."""
    if errand.named:
        errand.report(
            Warned(
                message=f"{post.ref} is ignored and was not fetched",
                hint=f"`dyvine archive forget {post.ref}` takes that back",
                ref=post.ref,
            )
        )
    errand.report(Skipped(ref=post.ref, asset=None, reason="ignored", source=errand.source))


def _filtered(post: Post, errand: Errand) -> str:
    errand.report(Skipped(ref=post.ref, asset=None, reason="filtered", source=errand.source))
    return "filtered"


async def _ready(post: Post, errand: Errand) -> Post:
    """The post, if a listing gave enough of it. Raises what keeps it from us, and what asking for the rest raises."""
    if errand.source is None:
        return post
    errand.workspace.client.check(post)
    return await whole(post, errand.workspace.client)


async def whole(post: Post, client: Client) -> Post:
    """The post with all its facts and files: asked for again where its list gave only some, or cut an article's text.

    Raises what asking for it raises.
    """
    cut = post.kind == "article" and post.text_is_cut  # lists cut it after some 500 characters
    return await client.post(post.ref) if post.partial or cut else post


def _due(post: Post, known: Mapping[str, SavedAsset], errand: Errand) -> list[Asset]:
    return [
        asset
        for asset in selection.assets(post, errand.wish)
        if not _is_there(asset, known.get(asset.id), errand)
    ]


def _pass_over(post: Post, known: Mapping[str, SavedAsset], errand: Errand) -> None:
    """Report what need not be fetched."""
    for asset in selection.assets(post, errand.wish):
        row = known.get(asset.id)
        if row is not None and _is_there(asset, row, errand):
            path = row.path if row.path.exists() else None
            _report_known(post, asset, path, errand, rendition=_recorded(asset, row))


def _report_known(
    post: Post, asset: Asset, path: Path | None, errand: Errand, *, rendition: Rendition | None
) -> None:
    errand.report(
        Skipped(
            ref=post.ref,
            asset=asset.id,
            reason="known",
            path=path,
            post=post if errand.named else None,
            source=errand.source,
            rendition=rendition,
        )
    )


def _recorded(asset: Asset, row: SavedAsset) -> Rendition:
    """What a saved file is, as far as its row says; what the platform still offers like it says the rest."""
    facts = (row.codec, row.width, row.height)
    alike = (each for each in asset.renditions if (each.codec, each.width, each.height) == facts)
    bare = Rendition(
        mirrors=(), ext=row.path.suffix.removeprefix("."), codec=row.codec, width=row.width, height=row.height
    )
    return next(alike, bare)


def _is_there(asset: Asset, row: SavedAsset | None, errand: Errand) -> bool:
    """Whether an asset need not be fetched: lists trust the archive, what is named singly must still stand there."""
    if row is None:
        return False
    if not errand.named:
        return True
    if not row.path.is_file() or row.path.stat().st_size != row.size:
        return False
    return _satisfies(asset, row, errand.wish)


def _satisfies(asset: Asset, row: SavedAsset, wish: Selection) -> bool:
    """Whether the recorded rendition is what the options ask for now; asked only where they ask for something."""
    if asset.kind == "subtitle":
        return wish.convert_subs == "none" or row.path.suffix != ".vtt"
    usual = Selection()
    if (wish.quality, wish.codec, wish.max_height) == (usual.quality, usual.codec, usual.max_height):
        return True
    best = next(iter(selection.choices(asset, wish)), None)
    recorded = (row.codec, row.width, row.height)
    return best is None or None in recorded or (best.codec, best.width, best.height) == recorded


def _count(failures: Sequence[DyvineError], errand: Errand, *, is_new: bool) -> str:
    tally = errand.tally
    if failures:
        tally.fail(failures[0])
        return "failed"
    tally.done += 1
    if not is_new:
        tally.known += 1
        return "known"
    tally.posts += 1
    return "saved"


async def _fail(post: Post, asset: Asset | None, error: DyvineError, errand: Errand) -> None:
    """Tell and record a failure; what ends the run is told of the first of the files that it hits at once."""
    if not isinstance(error, STOPPING) or error.name not in errand.told:
        errand.report(
            Failed(ref=post.ref, asset=asset.id if asset else None, error=error, source=errand.source)
        )
    if isinstance(error, STOPPING):
        errand.told.add(error.name)
    if asset is None:
        errand.tally.fail(error)
    await note_failure(post.ref, asset.id if asset else None, error, errand)


async def note_failure(ref: Ref, asset: str | None, error: DyvineError, errand: Errand) -> None:
    """Put a failure on record, with the time of its next try if the errand backs off; not what ends the whole run."""
    archive = errand.workspace.archive
    if isinstance(error, STOPPING) or (errand.backs_off and errand.simulate):
        return
    later = None
    if errand.backs_off:
        before = (await archive.failed(ref)).get(asset)
        later = next_try(error, before.attempts + 1 if before else 1, errand.clock())
    await archive.add_failed(
        ref, asset, error.name, error.message, source=errand.source, scope=errand.scope, next_try=later
    )


async def _complete(post: Post, errand: Errand) -> None:
    workspace = errand.workspace
    if errand.simulate or not selection.assets(post, errand.wish):
        return
    now = errand.clock()
    made = CompletePost(
        ref=post.ref, user=post.author.id, created=post.created, completed=errand.begun or now
    )
    await workspace.rows.complete(made, post.author, seen=now)


class _Fresh:
    """A post whose links can be renewed, once, by whichever of its assets meets an expired link first."""

    def __init__(self, post: Post, errand: Errand) -> None:
        self.post = post
        self._errand = errand
        self._lock = asyncio.Lock()
        self._renewed = False

    async def again(self) -> Post:
        """The post with fresh links. Raises what asking for it raises."""
        async with self._lock:
            if not self._renewed:
                log.debug("%s: its links have expired, asking again", self.post.ref)
                self._renewed = True
                self.post = await self._errand.workspace.client.post(self.post.ref)
        return self.post


class _Way:
    """The way of one post's assets to the disk; `is_new` once one was not there before.

    `paths` are the files by asset that are there, `has_left_out` says that the limits left none for some asset.
    """

    def __init__(self, post: Post, errand: Errand, *, fresh: _Fresh, known: Mapping[str, SavedAsset]) -> None:
        self._post = post
        self._errand = errand
        self._fresh = fresh
        self.is_new = self.has_left_out = False
        self._known = known
        self.paths = {id: row.path for id, row in known.items()}
        self._parts = naming.pages(post)
        self._again = errand.again.get(post.ref, {})

    async def save_all(self, assets: Sequence[Asset]) -> list[DyvineError]:
        """Save assets at once; the errors of those that failed."""
        failures: list[DyvineError] = []

        async def one(asset: Asset) -> None:
            try:
                await self._save(asset)
            except DyvineError as error:
                failures.append(error)
                await _fail(self._post, asset, error, self._errand)

        async with asyncio.TaskGroup() as group:
            for asset in assets:
                if asset.kind != "text":
                    group.create_task(one(asset))
        for asset in assets:
            if asset.kind == "text":  # it links the files that are there by now
                await one(asset)
        failures.sort(key=lambda error: not isinstance(error, STOPPING))
        return failures

    async def _save(self, asset: Asset) -> None:
        if asset.kind == "text":
            await self._write_text(asset)
            return
        choices = selection.choices(asset, self._errand.wish)
        if not choices:
            self._leave_out(asset)
            return
        self._mind_codec(asset, choices[0])
        path = self.path(asset, choices[0], choices[0].ext)
        if self._errand.simulate:
            self._report_simulated(asset, self._converted_path(asset, path), choices[0])
            return
        rendition, fetched = await self._fetch(asset, choices, path)
        await self._keep(asset, rendition, await self._converted(asset, fetched))

    def _converted_path(self, asset: Asset, path: Path) -> Path:
        """Where a file stands once it is in the form that was asked for."""
        is_vtt = asset.kind == "subtitle" and path.suffix == ".vtt"
        return path.with_suffix(".srt") if is_vtt and self._errand.wish.convert_subs == "srt" else path

    async def _converted(self, asset: Asset, fetched: Fetched) -> Fetched:
        """Subtitles in the form that was asked for; as they came, with a warning, where they cannot be read."""
        path = self._converted_path(asset, fetched.path)
        if path == fetched.path:
            return fetched
        from dyvine_cli import captions

        with writing(fetched.path):
            data = await asyncio.to_thread(fetched.path.read_bytes)
        try:
            text = captions.srt(data.decode("utf-8", "replace"))
        except ValueError as error:
            told = f"{self._post.ref} {asset.id}: kept as WebVTT: {error}"
            self._errand.report(Warned(message=told, ref=self._post.ref))
            return fetched
        row = self._known.get(asset.id)
        placed = await self._place(
            path, text, lambda found: row is not None and row.path == path and _is_content_of(row, found)
        )
        if placed is None:
            return fetched
        with writing(fetched.path):
            await asyncio.to_thread(fetched.path.unlink, missing_ok=True)
        return placed

    def _report_simulated(self, asset: Asset, path: Path, rendition: Rendition | None) -> None:
        self.is_new = True
        self.paths[asset.id] = path
        self._errand.report(
            Skipped(
                ref=self._post.ref,
                asset=asset.id,
                reason="simulated",
                path=path,
                post=self._post,
                source=self._errand.source,
                rendition=rendition,
            )
        )

    def _leave_out(self, asset: Asset) -> None:
        """Nothing fits the limits, or the platform offers nothing (a muted sound): not a failure of ours."""
        if not asset.renditions and asset.kind in ("video", "picture", "clip"):
            raise UnexpectedResponse(
                f"{self._post.ref}: the platform names no file for {asset.id}", ref=self._post.ref
            )
        reason = "filtered" if asset.renditions else "unavailable"
        self.has_left_out = self.has_left_out or reason == "filtered"
        self._errand.report(
            Skipped(ref=self._post.ref, asset=asset.id, reason=reason, source=self._errand.source)
        )

    def _mind_codec(self, asset: Asset, chosen: Rendition) -> None:
        wish = self._errand.wish
        if asset.kind == "video" and wish.codec != "any" and chosen.codec not in (wish.codec, None):
            self._errand.report(
                Warned(
                    message=f"{self._post.ref}: not there in {wish.codec}, taking {chosen.codec}",
                    ref=self._post.ref,
                )
            )

    def path(self, asset: Asset, rendition: Rendition | None, ext: str) -> Path:
        """Where an asset goes: below the run's folder, or to where it was recorded if it is fetched again."""
        if asset.id in self._again:
            return self._again[asset.id].path.with_suffix(f".{ext}")
        workspace = self._errand.workspace
        return workspace.root / workspace.template.path(
            self._post,
            asset,
            ext,
            parts=self._parts,
            rendition=rendition,
            folder=workspace.folder,
            limit=workspace.limit,
        )

    def _root(self, path: Path) -> Path:
        """The folder that the way to `path` may not lead out of: the run's, or the deepest there is of its own."""
        root = self._errand.workspace.root
        if path.is_relative_to(root):
            return root
        return next(each for each in path.parents if each.is_dir())

    async def _fetch(
        self, asset: Asset, choices: Sequence[Rendition], path: Path
    ) -> tuple[Rendition, Fetched]:
        """The best rendition that can be had; an expired link asks the site for the post once more."""
        last: DyvineError | None = None
        for choice in choices[:3]:
            try:
                return choice, await self._transfer(asset, choice, path)
            except LinkExpired as error:
                log.debug("%s %s: %s", self._post.ref, asset.id, error)
                try:
                    fresh = await self._renewed(asset, choice)
                    if fresh is not None:
                        return fresh, await self._transfer(asset, fresh, path)
                except (LinkExpired, Truncated) as again:
                    error = again if isinstance(again, LinkExpired) else error
                last = error
            except Truncated as error:
                last = error
        raise last or NetworkError(f"{self._post.ref} {asset.id}: nothing to fetch")

    async def _renewed(self, asset: Asset, choice: Rendition) -> Rendition | None:
        try:
            post = await self._fresh.again()
        except (Refused, UnexpectedResponse) as error:
            log.debug("%s: no fresh links: %s", self._post.ref, error)
            return None
        return selection.same_rendition(post, asset, choice, self._errand.wish)

    async def _transfer(self, asset: Asset, rendition: Rendition, path: Path) -> Fetched:
        ref, report = self._post.ref, self._errand.report

        def on_start(size: int | None, begun: int) -> None:
            report(Started(ref=ref, asset=asset.id, path=path, size=size, begun=begun))

        def on_wait(pid: int | None) -> None:
            who = f"another run (pid {pid})" if pid else "another run"
            report(Waiting(seconds=BUSY, reason=f"{who} is fetching {path.name}"))

        def on_bytes(count: int) -> None:
            report(Advanced(ref=ref, asset=asset.id, count=count))

        return await self._errand.workspace.engine.fetch(
            rendition,
            path if path.suffix == f".{rendition.ext}" else path.with_suffix(f".{rendition.ext}"),
            family=FAMILIES.get(asset.kind, "any"),
            root=self._root(path),
            overwrite=self._errand.wish.overwrite
            or asset.id in self._again
            or await self._is_ours(asset, path, rendition),
            on_start=on_start,
            on_wait=on_wait,
            on_bytes=on_bytes,
        )

    async def _is_ours(self, asset: Asset, path: Path, rendition: Rendition) -> bool:
        """Whether the file in the way is the one that we saved there, in a rendition that is not wanted now."""
        row = self._known.get(asset.id)
        if row is None or row.path not in (path, path.with_suffix(f".{rendition.ext}")):
            return False
        return await asyncio.to_thread(_is_as_recorded, row)

    def mind_place(self) -> None:
        """Say once where a file stands that is not saved again though another place was asked for."""
        errand = self._errand
        if not errand.named or "place" in errand.told:
            return
        for asset in selection.assets(self._post, errand.wish):
            row = self._known.get(asset.id)
            if row is None or not _is_there(asset, row, errand):
                continue
            asked = self.path(asset, _recorded(asset, row), row.path.suffix.removeprefix("."))
            if asked != row.path:
                errand.told.add("place")
                errand.report(
                    Warned(
                        message=f"{self._post.ref} was saved before and stands at {row.path}",
                        hint="--no-archive saves another copy here, --overwrite fetches it again",
                        ref=self._post.ref,
                    )
                )
                return

    async def _keep(self, asset: Asset, rendition: Rendition | None, fetched: Fetched) -> None:
        for message in fetched.warnings:
            self._errand.report(Warned(message=f"{self._post.ref} {asset.id}: {message}", ref=self._post.ref))
        self._set_time(fetched.path)
        self.paths[asset.id] = fetched.path
        if rendition is not None:
            rendition = replace(rendition, codec=rendition.codec or fetched.codec)
        await self._errand.workspace.rows.add(
            SavedAsset(
                ref=self._post.ref,
                asset=asset.id,
                user=self._post.author.id,
                path=fetched.path,
                size=fetched.size,
                sha256=fetched.sha256,
                saved=datetime.now(UTC),
                codec=rendition.codec if rendition else fetched.codec,
                width=rendition.width if rendition else None,
                height=rendition.height if rendition else None,
            )
        )
        if fetched.found:  # whole on disk without a row, after a crash or from another archive
            _report_known(self._post, asset, fetched.path, self._errand, rendition=rendition)
        else:
            self._report_saved(asset, fetched, rendition)

    def _report_saved(self, asset: Asset, fetched: Fetched, rendition: Rendition | None) -> None:
        self.is_new = True
        self._errand.tally.files += 1
        self._errand.tally.size += fetched.size
        self._errand.report(
            Saved(
                ref=self._post.ref,
                asset=asset.id,
                path=fetched.path,
                size=fetched.size,
                sha256=fetched.sha256,
                post=self._post,
                source=self._errand.source,
                rendition=rendition,
            )
        )

    def _set_time(self, path: Path) -> None:
        if not self._errand.wish.mtime:
            return
        moment = self._post.created.timestamp()
        try:
            os.utime(path, (moment, moment), follow_symlinks=os.utime not in os.supports_follow_symlinks)
        except OSError as error:  # the file is whole; not every volume keeps times
            log.debug("%s: its time cannot be set: %s", path, error)

    async def _write_text(self, asset: Asset) -> None:
        path = self.path(asset, None, "md")
        if self._errand.simulate:
            self._report_simulated(asset, path, None)
            return
        row = self._known.get(asset.id)

        def is_ours(found: bytes) -> bool:
            return row is not None and row.path == path and _is_content_of(row, found)

        replaced = None if asset.id in self._again else is_ours
        written = await self._place(path, self._linked(asset.text or "", path), replaced)
        if written is not None:
            await self._keep(asset, None, written)

    def _linked(self, text: str, path: Path) -> str:
        """An article whose pictures are the files beside it; one that was not saved keeps its number."""

        def link(found: re.Match[str]) -> str:
            file = self.paths.get(found[1])
            return f"]({_link(file, path.parent)})" if file else found[0]

        return re.sub(r"\]\((picture_\d+)\)", link, text)

    async def write_sidecars(self) -> None:
        """The metadata beside the files, if asked for."""
        if not self._errand.wish.info_json or self._errand.simulate:
            return
        from dyvine_cli import sidecar  # only for those who want them

        workspace = self._errand.workspace
        path = workspace.root / workspace.template.sidecar(
            self._post, "info.json", folder=workspace.folder, limit=workspace.limit
        )
        is_ours = partial(sidecar.is_info_of, self._post)
        if await self._place(path, sidecar.info_json(self._post), is_ours) is not None:
            self._set_time(path)

    async def _place(self, path: Path, text: str, is_ours: Callable[[bytes], bool] | None) -> Fetched | None:
        """Write a small file; None, with a warning, when a person's own stands under its name."""
        from dyvine_cli.transfer.place import place  # it comes with the engine

        written = await asyncio.to_thread(
            place,
            path,
            text.encode("utf-8", "replace"),
            root=self._root(path),
            is_ours=None if self._errand.wish.overwrite else is_ours,
        )
        if written is None:
            self._errand.report(
                Warned(
                    message=f"{path} is not ours and is left as it is",
                    hint="move it away, or replace it with --overwrite",
                    ref=self._post.ref,
                )
            )
        return written


def _is_as_recorded(row: SavedAsset) -> bool:
    """Whether the recorded file still is what was saved. Reads all of it."""
    try:
        if row.path.is_symlink() or row.path.stat().st_size != row.size:
            return False
        with row.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == row.sha256
    except OSError:
        return False


def _is_content_of(row: SavedAsset, data: bytes) -> bool:
    """Whether a file's content still is what was saved."""
    return len(data) == row.size and hashlib.sha256(data).hexdigest() == row.sha256


def _link(file: Path, folder: Path) -> str:
    """A file as the target of a Markdown link in `folder`."""
    relative = Path(os.path.relpath(file, folder)).as_posix()
    return re.sub(r"[%#?()<>\s]", lambda found: f"%{ord(found[0]):02X}", relative)
