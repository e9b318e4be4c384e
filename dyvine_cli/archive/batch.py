"""Rows of saved files and complete posts, written together: at most 64 files at once, at most one second late."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from dyvine_cli.archive.base import Archive, CompletePost, SavedAsset
from dyvine_cli.models import Author, Ref

MOST_ROWS = 64
LONGEST_WAIT = 1.0


class Batch:
    """Collects rows and hands them to the archive; an async context manager that ends with everything written.

    A row may be added once its file is whole and flushed under its final name; `before` flushes the folders of those
    names and is called before the rows are written. A post becomes complete after the rows of its files. A kill in
    between loses at most `wait` seconds of rows, never a file: what is on disk without a row is found again by its
    name. Whoever notes that something is dealt with writes first.
    """

    def __init__(
        self,
        archive: Archive,
        *,
        before: Callable[[], Awaitable[None]] | None = None,
        most: int = MOST_ROWS,
        wait: float = LONGEST_WAIT,
    ) -> None:
        self._archive = archive
        self._before = before
        self._most = most
        self._wait = wait
        self._rows: list[SavedAsset] = []
        self._posts: list[CompletePost] = []
        self._authors: dict[tuple[str, str], tuple[Author, datetime]] = {}
        self._waiting: set[Ref] = set()
        self._writer: asyncio.Task[None] | None = None
        self._now = asyncio.Event()

    async def add(self, row: SavedAsset) -> None:
        """Take a row; writes when the batch is full. Raises ArchiveError, DiskFull (also of an earlier write)."""
        await self._end_broken()
        self._rows.append(row)
        self._waiting.add(row.ref)
        self._begin()
        if len(self._rows) >= self._most:
            await self.write()

    async def complete(self, post: CompletePost, author: Author, *, seen: datetime) -> None:
        """Take a post of which every file was added, and its author as `seen` then. Raises like `add`."""
        await self._end_broken()
        self._posts.append(post)
        self._waiting.add(post.ref)
        self._authors[post.ref.site, author.id] = author, seen
        self._begin()
        if len(self._posts) >= self._most:
            await self.write()

    def holds(self, ref: Ref) -> bool:
        """Whether rows of a post are not in the archive yet."""
        return ref in self._waiting

    async def _end_broken(self) -> None:
        if self._writer is not None and self._writer.done():
            await self.write()

    def _begin(self) -> None:
        if self._writer is None:
            self._now.clear()
            self._writer = asyncio.create_task(self._write_in_time())

    async def write(self) -> None:
        """Write what is waiting, at once. Raises ArchiveError, DiskFull."""
        writer = self._writer
        if writer is None:
            return
        self._now.set()
        await asyncio.wait({writer})  # unlike awaiting the task, leaves it alone when the caller is cancelled
        if self._writer is writer:
            self._writer = None
        writer.result()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.write()

    async def _write_in_time(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._wait):
                await self._now.wait()
        while self._rows or self._posts:
            rows, self._rows = self._rows[: self._most], self._rows[self._most :]
            posts, self._posts = ([], self._posts) if self._rows else (self._posts, [])
            if rows:
                await self._write_rows(rows)
            if posts:
                await self._write_posts(posts)
        self._waiting.clear()

    async def _write_rows(self, rows: list[SavedAsset]) -> None:
        if self._before is not None:
            await self._before()
        await self._archive.add_saved(rows)

    async def _write_posts(self, posts: list[CompletePost]) -> None:
        authors, self._authors = self._authors, {}
        await self._archive.add_posts(posts)
        for (site, _), (author, seen) in authors.items():
            await self._archive.add_user(site, author, seen=seen)
