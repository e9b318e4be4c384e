"""Fetches renditions to whole, checked files: mirrors in order, slots per host, bytes per second."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path

from dyvine_cli.errors import (
    ContentChanged,
    DiskError,
    DyvineError,
    LinkExpired,
    NetworkError,
    Timeout,
    Truncated,
)
from dyvine_cli.http.media import MediaAnswer, MediaReader
from dyvine_cli.models import Rendition
from dyvine_cli.transfer.answer import goes_on, promised, refusal, retry_after, validator
from dyvine_cli.transfer.check import Family
from dyvine_cli.transfer.finish import Fetched, finish, found
from dyvine_cli.transfer.folder import Changed
from dyvine_cli.transfer.hosts import Clock, Host, Hosts, Sleep
from dyvine_cli.transfer.intake import Intake, agreed
from dyvine_cli.transfer.partial import Part, busy, holder
from dyvine_cli.transfer.split import FAST, LARGE, Division, Split
from dyvine_cli.transfer.threads import in_thread
from dyvine_cli.transfer.throttle import Throttle
from dyvine_cli.transfer.turns import Turns
from dyvine_cli.transfer.work import Meter, Work

__all__ = ["Engine", "Fetched"]

SEGMENTS = 16
"""Connections for one large file, as far as its host's slots allow."""

_POLL = 0.2
_POLLS = 300
"""A minute: how long another process may keep a part without adding to it."""
_TOLD_AFTER = 5
"""Polls, a second: how long it is waited without a word."""

_FLAWS = 2
"""How often one address may give a broken file before it is left alone."""


class Engine:
    """Downloads renditions; one per process, so that its limits hold for the whole.

    `parallel` transfers run at once, `per_host` at one host; `rate` is bytes per second for all together, None for no
    limit; `retries` are rounds over the mirrors after the first. A file of at least `split_from` bytes comes
    over up to `segments` connections to its host, within `per_host`; 1 is off. Two are enough where each gives `fast`
    bytes a second.
    """

    def __init__(
        self,
        reader: MediaReader,
        *,
        parallel: int = 8,
        per_host: int = 6,
        rate: int | None = None,
        retries: int = 3,
        segments: int = SEGMENTS,
        split_from: int = LARGE,
        fast: float = FAST,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._reader = reader
        self._retries = retries
        self._segments = segments
        self._split_from = split_from
        self._fast = fast
        self._clock = clock
        self._sleep = sleep
        self._hosts = Hosts(per_host, clock)
        self._slots = asyncio.Semaphore(parallel)
        self._files = asyncio.Semaphore(4 * parallel)  # those that wait between tries keep their part open
        self._throttle = Throttle(rate, clock, sleep)
        self._turns = Turns()
        self._changed = Changed()
        self._settling = asyncio.Lock()

    async def fetch(
        self,
        rendition: Rendition,
        path: Path,
        *,
        family: Family,
        root: Path | None = None,
        overwrite: bool = False,
        on_start: Callable[[int | None, int], None] = lambda size, begun: None,
        on_bytes: Callable[[int], None] = lambda count: None,
        on_wait: Callable[[int | None], None] = lambda pid: None,
    ) -> Fetched:
        """Download one rendition to `path`, which gets the extension that its bytes call for.

        Nothing is written outside of `root` (None: the folder of `path`), whatever links stand below it. Mirrors are
        tried in order, in rounds with growing waits. `path.part` is continued only if a server confirms the length and
        validator noted before. A file that is there already is the answer if it is this rendition, whole; else it is
        left alone unless `overwrite`. `on_start` gets the size in bytes (None: the server did not say) and how many
        are there, `on_bytes` how many more, negative when a transfer starts over. `on_wait` is called once when another
        process has the part for a second, with that one's id, None if it is not known.

        Raises LinkExpired (ask the site again), Truncated, Timeout, TLSFailure, ProxyFailure, AddressRefused,
        NetworkError, RateLimited, DiskFull, NotWritable, DiskError, Busy. What can be continued stays as `path.part`.
        """
        async with self._turns.of(_key(path)), self._files:
            with closing(await self._claim(rendition, path, root or path.parent, on_wait)) as part:
                meter = Meter(on_bytes, self._clock)
                work = Work(rendition, family, path, overwrite, part, meter, on_start)
                try:
                    result = await self._fetch(work)
                finally:
                    meter.tell()
                if not result.found:
                    self._changed.add(part.folder)
            if self._changed.is_many:
                await self.settle()
            return result

    async def settle(self) -> None:
        """Flush the folders of all files that were finished, so that their names survive a loss of power, too.

        The files' bytes are on the disk before they get their names; their folders are flushed many files at a time.
        """
        async with self._settling:  # who comes while a flush is under way may not go on before its end
            await in_thread(self._changed.flush)

    async def _claim(
        self, rendition: Rendition, path: Path, root: Path, on_wait: Callable[[int | None], None]
    ) -> Part:
        """The part of `path`, as soon as no other process works on it. Raises Busy if that one makes no headway."""
        identity, polls, waited = _identity(rendition), 0, 0
        before: tuple[int, int] | None = None
        while (part := Part.open(path, root, identity, md5=_is_worth_md5(rendition))) is None:
            now = _state(path.with_name(path.name + ".part"))
            polls = polls + 1 if now == before else 0
            if polls >= _POLLS:
                raise busy(path)
            before = now
            waited += 1
            if waited == _TOLD_AFTER:
                on_wait(holder(path))
            await self._sleep(_POLL)
        return part

    async def _fetch(self, work: Work) -> Fetched:
        part = work.part
        if not work.overwrite and part.folder.status(work.path.name):
            result = await in_thread(lambda: found(work))
            part.discard()
            return result
        if part.has_leftover():
            steps = part.recover()
            while await in_thread(lambda: next(steps, None)):
                pass
        if part.is_complete:
            with suppress(Truncated):
                work.start(part.size)
                return await in_thread(lambda: finish(work, None))
        if not work.mirrors:
            raise LinkExpired(f"there is no address to fetch {work.path.name} from")
        return await self._rounds(work)

    async def _rounds(self, work: Work) -> Fetched:
        try:
            return await self._round(work)
        except DyvineError as exc:
            if not _is_worth_another_try(exc, work):
                raise
            return await self._more_rounds(work, exc)

    async def _more_rounds(self, work: Work, first: DyvineError) -> Fetched:
        """Wait and try again after the error of the `first` round."""
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

        again = AsyncRetrying(
            retry=retry_if_exception(lambda exc: _is_worth_another_try(exc, work)),
            wait=wait_exponential_jitter(multiplier=0.5, max=20, jitter=0.5),
            stop=stop_after_attempt(self._retries + 1),
            sleep=self._sleep,
            reraise=True,
        )
        failed = [first]

        async def round() -> Fetched:
            if failed:
                raise failed.pop()
            return await self._round(work)

        return await again(round)

    async def _round(self, work: Work) -> Fetched:
        """Try every mirror that is left once."""
        for url in self._hosts.in_order(work.mirrors):
            host = self._hosts.of(url)
            try:
                return await self._from(work, url, host)
            except DiskError:
                raise
            except DyvineError as exc:
                work.failures[url] = exc
                if not exc.retryable or host.is_barred or work.flaws.get(url, 0) >= _FLAWS:
                    work.mirrors.remove(url)
        raise work.verdict()

    async def _from(self, work: Work, url: str, host: Host) -> Fetched:
        """Fetch what is missing from one mirror, and finish the file."""
        work.silent.discard(url)
        await host.rest(self._sleep)
        async with host.slots, self._slots:
            await self._receive(work, url, host)
        host.is_silent = False
        try:
            return await in_thread(lambda: finish(work, host.name))
        except Truncated:
            work.flaws[url] = work.flaws.get(url, 0) + 1
            work.whole = True  # its ranges may be what is wrong
            raise

    async def _receive(self, work: Work, url: str, host: Host) -> None:
        """Go on with what is there if this mirror has the same file, else take it from the first byte."""
        try:
            if self._is_split(work, host):
                await self._split(work, url, host)
                return
            if work.part.size and work.part.promise.validator:
                await self._continue(work, url, host)
                return
        except ContentChanged:
            if work.may_leave(url):
                work.strangers.add(url)
                raise
            work.whole = True
        async with self._open(work, url, host) as answer:
            await self._take_whole(work, url, answer, host)

    def _is_split(self, work: Work, host: Host) -> bool:
        """Whether a file comes in ranges: one that was begun so, or a large one from a host that gives them."""
        part, size = work.part, work.rendition.size or 0
        if part.is_scattered:
            return True
        if part.size:
            size = (part.promise.length or 0) - part.size if part.promise.validator else 0
        return size >= self._split_from and self._segments > 1 and host.gives_ranges and not work.whole

    async def _split(self, work: Work, url: str, host: Host) -> None:
        """Fetch what is missing in ranges. Raises ContentChanged if this mirror does not prove what they belong to."""
        is_shared = host.gives_ranges and not work.whole
        hands = self._throttle.connections(self._segments) if is_shared else 1
        division = Division(hands=hands, least=self._split_from // 4, fast=self._fast)
        split = Split(work, host, partial(self._piece, work, url, host), self._throttle, division)
        async with AsyncExitStack() as stack:
            answer = await stack.enter_async_context(self._piece(work, url, host, *split.first))
            if answer.status == 206:
                try:
                    await split.run(answer, stack.aclose)
                except ContentChanged:
                    host.gives_ranges = False
                    raise
            elif answer.status == 416:
                raise ContentChanged(f"{host.name} does not go on with the file that was begun")
            else:
                if answer.status == 200 and _is_same_or_new(work.part, answer):
                    host.gives_ranges = False
                await self._take_whole(work, url, answer, host)

    def _piece(
        self, work: Work, url: str, host: Host, first: int, last: int
    ) -> AbstractAsyncContextManager[MediaAnswer]:
        return self._open(work, url, host, (first, last))

    async def _continue(self, work: Work, url: str, host: Host) -> None:
        """Fetch the rest of what was begun. Raises ContentChanged if this mirror does not prove to have the same."""
        part = work.part
        async with self._open(work, url, host, (part.size, None)) as answer:
            if answer.status == 206 and goes_on(answer, part.promise, part.size):
                work.start(part.promise.length)
                await self._pour(work, answer, Intake(work, None, host.name))
            elif answer.status in {206, 416}:
                raise ContentChanged(f"{host.name} does not go on with the file that was begun")
            else:
                await self._take_whole(work, url, answer, host)

    async def _take_whole(self, work: Work, url: str, answer: MediaAnswer, host: Host) -> None:
        """Take a file from its first byte on, instead of what is there unless another mirror may go on with that."""
        if answer.status == 200 and work.part.size and work.may_leave(url):
            raise ContentChanged(f"{host.name} has another file than the one that was begun")
        if answer.status != 200:
            error = refusal(answer, host.name)
            if answer.status in {429, 503}:
                host.refuses(error, retry_after(answer.headers))
            raise error
        promise = agreed(promised(answer), work, host.name)
        await self._pour(work, answer, Intake(work, promise, host.name))

    async def _pour(self, work: Work, answer: MediaAnswer, intake: Intake) -> None:
        part = work.part
        try:
            async for chunk in answer.chunks:
                for share in self._throttle.shares(chunk):
                    await self._throttle.take(len(share))
                    intake.take(share)
                if part.wants_hashing:
                    await in_thread(part.catch_up)
                if part.wants_flush:
                    await in_thread(part.flush)
            intake.end()
        except Truncated:
            if part.is_complete:  # then more came than was promised, and none of it is believed
                work.start_over()
            raise

    @asynccontextmanager
    async def _open(
        self, work: Work, url: str, host: Host, range: tuple[int, int | None] | None = None
    ) -> AsyncIterator[MediaAnswer]:
        """Ask a mirror for the file or a range of it; remembers whether it answers."""
        headers = dict(work.rendition.mirror_headers.get(url, work.rendition.headers))
        if range and work.part.size:
            headers["If-Range"] = work.part.promise.validator or ""
        answered = False
        try:
            async with self._reader.open(url, headers, range) as answer:
                answered = True
                yield answer
        except DyvineError as exc:
            if not answered:
                work.silent.add(url)
            if isinstance(exc, Timeout) or (isinstance(exc, NetworkError) and not answered):
                host.is_silent = True
            raise


def _key(path: Path) -> str:
    return os.path.normcase(path.absolute())


def _is_worth_another_try(exc: BaseException, work: Work) -> bool:
    return isinstance(exc, DyvineError) and exc.retryable and bool(work.mirrors)


def _is_same_or_new(part: Part, answer: MediaAnswer) -> bool:
    """Whether a host that gave all instead of a range had no other file as its reason."""
    return not part.size or validator(answer.headers) == part.promise.validator


def _is_worth_md5(rendition: Rendition) -> bool:
    """Whether to compute MD5, which takes twice as long as SHA-256: for a mere warning not over a large file."""
    return bool(rendition.md5) and (rendition.md5_is_exact or (rendition.size or 0) < LARGE)


def _identity(rendition: Rendition) -> str:
    """Names a rendition by what does not change when the site gives fresh addresses."""
    size = rendition.size if rendition.size_is_exact else None
    facts = [rendition.md5, size, rendition.codec, rendition.width, rendition.height, rendition.label]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _state(path: Path) -> tuple[int, int] | None:
    """What changes with every write to a file; None if it is not there."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
