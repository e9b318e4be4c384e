"""Fetches one rendition after the other to whole, checked files: mirrors in order, slots per host, bytes per second."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeVar

from dyvine_cli.errors import (
    ContentChanged,
    DiskError,
    DyvineError,
    LinkExpired,
    NetworkError,
    NotWritable,
    Timeout,
    Truncated,
)
from dyvine_cli.http.media import MediaAnswer, MediaReader
from dyvine_cli.models import Rendition
from dyvine_cli.transfer.answer import goes_on, promised, refusal, retry_after
from dyvine_cli.transfer.check import HEAD, M4A, MP4, TYPES, Family, FileType, describe, settle, sniff, whole
from dyvine_cli.transfer.folder import writing
from dyvine_cli.transfer.hosts import Clock, Host, Hosts, Sleep
from dyvine_cli.transfer.intake import LARGEST, WORDS, Intake, Meter
from dyvine_cli.transfer.partial import Part, Promise, busy, file_sha256
from dyvine_cli.transfer.throttle import Throttle

T = TypeVar("T")

_POLL = 0.2
_POLLS = 300
_FLAWS = 2
"""How often one address may give a broken file before it is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A whole file under its final name.

    `path` has the true extension `ext`. `mirror` is the host that gave the last byte, None if no host was asked.
    `found` says that the file was there already. `codec` is that of the video track, None if there is none.
    `warnings` are sentences for a person.
    """

    path: Path
    size: int
    sha256: str
    ext: str
    mirror: str | None = None
    found: bool = False
    codec: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Work:
    """One fetch on its way.

    `mirrors` are those not given up, `failures` the last error of each, `silent` those that gave no answer, `flaws` how
    often each gave a broken file.
    """

    rendition: Rendition
    family: Family
    path: Path
    overwrite: bool
    part: Part
    meter: Meter
    on_start: Callable[[int | None, int], None]
    mirrors: list[str]
    failures: dict[str, DyvineError] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    flaws: dict[str, int] = field(default_factory=dict)
    started: bool = False

    def start(self, length: int | None) -> None:
        """Tell once that the transfer begins."""
        if not self.started:
            self.started = True
            self.on_start(length, self.part.size)

    def start_over(self) -> None:
        """Drop all bytes."""
        self.meter.count(-self.part.size)
        self.part.restart()

    def verdict(self) -> DyvineError:
        """The one error for what all mirrors did.

        LinkExpired if every host that answered at all said so; else the last error of a host that answered, else the
        last error; one that another try may cure comes first.
        """
        answered = [error for url, error in self.failures.items() if url not in self.silent]
        others = [error for error in answered if not isinstance(error, LinkExpired)]
        if answered and not others:
            return answered[-1]
        errors = others or list(self.failures.values())
        return ([error for error in errors if error.retryable] or errors)[-1]


class Engine:
    """Downloads renditions; one per process, so that its limits hold for the whole.

    `parallel` transfers run at once, `per_host` at one host; `rate` is bytes per second for all together, None for no
    limit; `retries` are rounds over the mirrors after the first.
    """

    def __init__(
        self,
        reader: MediaReader,
        *,
        parallel: int = 8,
        per_host: int = 6,
        rate: int | None = None,
        retries: int = 3,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._reader = reader
        self._retries = retries
        self._clock = clock
        self._sleep = sleep
        self._hosts = Hosts(per_host, clock)
        self._slots = asyncio.Semaphore(parallel)
        self._files = asyncio.Semaphore(4 * parallel)  # those that wait between tries keep their part open
        self._throttle = Throttle(rate, clock, sleep)
        self._turns = _Turns()

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
    ) -> Fetched:
        """Download one rendition to `path`, which gets the extension that its bytes call for.

        Nothing is written outside of `root` (None: the folder of `path`), whatever links stand below it. Mirrors are
        tried in order, in rounds with growing waits. `path.part` is continued only if a server confirms the length and
        validator noted before. A file that is there already is the answer if it is this rendition, whole; else it is
        left alone unless `overwrite`. `on_start` gets the size in bytes (None: the server did not say) and how many
        are there, `on_bytes` how many more, negative when a transfer starts over.

        Raises LinkExpired (ask the site again), Truncated, ContentChanged, Timeout, TLSFailure, ProxyFailure,
        NetworkError, RateLimited, DiskFull, NotWritable, DiskError, Busy. What can be continued stays as `path.part`.
        """
        async with self._turns.of(path), self._files:
            with closing(await self._claim(rendition, path, root or path.parent)) as part:
                meter = Meter(on_bytes, self._clock)
                mirrors = list(dict.fromkeys(rendition.mirrors))
                work = _Work(rendition, family, path, overwrite, part, meter, on_start, mirrors)
                try:
                    return await self._fetch(work)
                finally:
                    meter.tell()

    async def _claim(self, rendition: Rendition, path: Path, root: Path) -> Part:
        """The part of `path`, as soon as no other process works on it. Raises Busy if that one makes no headway."""
        identity, size, polls = _identity(rendition), -1, 0
        while (part := Part.open(path, root, identity, md5=bool(rendition.md5))) is None:
            now = _size(path.with_name(path.name + ".part"))
            polls = polls + 1 if now == size else 0
            if polls >= _POLLS:
                raise busy(path)
            size = now
            await self._sleep(_POLL)
        return part

    async def _fetch(self, work: _Work) -> Fetched:
        part = work.part
        if not work.overwrite and part.folder.status(work.path.name):
            found = await _in_thread(lambda: _found(work))
            part.discard()
            return found
        if part.has_leftover():
            steps = part.recover()
            while await _in_thread(lambda: next(steps, None)):
                pass
        if part.is_complete:
            with suppress(Truncated):
                work.start(part.size)
                return await _in_thread(lambda: _finish(work, None))
        if not work.mirrors:
            raise LinkExpired(f"there is no address to fetch {work.path.name} from")
        return await self._rounds(work)

    async def _rounds(self, work: _Work) -> Fetched:
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

        again = AsyncRetrying(
            retry=retry_if_exception(lambda exc: _is_worth_another_try(exc, work)),
            wait=wait_exponential_jitter(multiplier=0.5, max=20, jitter=0.5),
            stop=stop_after_attempt(self._retries + 1),
            sleep=self._sleep,
            reraise=True,
        )
        return await again(self._round, work)

    async def _round(self, work: _Work) -> Fetched:
        """Try every mirror that is left once."""
        for url in self._hosts.in_order(work.mirrors):
            host = self._hosts.of(url)
            try:
                return await self._from(work, url, host)
            except DiskError:
                raise
            except DyvineError as exc:
                if not exc.retryable or host.is_barred or work.flaws.get(url, 0) >= _FLAWS:
                    work.mirrors.remove(url)
                work.failures[url] = exc
        raise work.verdict()

    async def _from(self, work: _Work, url: str, host: Host) -> Fetched:
        """Fetch what is missing from one mirror, and finish the file."""
        work.silent.discard(url)
        await host.rest(self._sleep)
        async with host.slots, self._slots:
            await self._receive(work, url, host)
        host.is_silent = False
        try:
            return await _in_thread(lambda: _finish(work, host.name))
        except Truncated:
            work.flaws[url] = work.flaws.get(url, 0) + 1
            raise

    async def _receive(self, work: _Work, url: str, host: Host) -> None:
        if work.part.size and work.part.promise.validator:
            with suppress(ContentChanged):
                await self._continue(work, url, host)
                return
        if work.part.size:
            work.start_over()
        async with self._open(work, url, host) as answer:
            await self._take_whole(work, answer, host)

    async def _continue(self, work: _Work, url: str, host: Host) -> None:
        """Fetch the rest of what was begun. Raises ContentChanged if this mirror does not prove to have the same."""
        part = work.part
        async with self._open(work, url, host, part.size) as answer:
            if answer.status == 206 and goes_on(answer, part.promise, part.size):
                work.start(part.promise.length)
                await self._pour(answer, Intake(part, None, work.family, host.name, work.meter), part)
            elif answer.status in {206, 416}:
                raise ContentChanged(f"{host.name} does not go on with the file that was begun")
            else:
                await self._take_whole(work, answer, host)

    async def _take_whole(self, work: _Work, answer: MediaAnswer, host: Host) -> None:
        """Take a file from its first byte on, instead of what is there."""
        if answer.status != 200:
            error = refusal(answer, host.name)
            if answer.status in {429, 503}:
                host.refuses(error, retry_after(answer.headers))
            raise error
        promise = _agreed(promised(answer), work, host.name)
        if work.part.size:
            work.start_over()
        work.start(promise.length)
        await self._pour(answer, Intake(work.part, promise, work.family, host.name, work.meter), work.part)

    async def _pour(self, answer: MediaAnswer, intake: Intake, part: Part) -> None:
        async for chunk in answer.chunks:
            await self._throttle.take(len(chunk))
            intake.take(chunk)
            if part.wants_flush:
                await _in_thread(part.flush)
        intake.end()

    @asynccontextmanager
    async def _open(self, work: _Work, url: str, host: Host, begun: int = 0) -> AsyncIterator[MediaAnswer]:
        """Ask a mirror for the file, or for what is behind `begun` bytes; remembers whether and how it answers."""
        headers = dict(work.rendition.mirror_headers.get(url, work.rendition.headers))
        if begun:
            headers["If-Range"] = work.part.promise.validator or ""
        answered = False
        try:
            async with self._reader.open(url, headers, (begun, None) if begun else None) as answer:
                answered = True
                yield answer
        except DyvineError as exc:
            if not answered:
                work.silent.add(url)
            if isinstance(exc, Timeout) or (isinstance(exc, NetworkError) and not answered):
                host.is_silent = True
            raise


class _Turns:
    """Lets one fetch of this process at a time work on a path."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, path: Path) -> AsyncIterator[None]:
        key = _key(path)
        lock, waiting = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks.pop(key)
            if waiting > 1:
                self._locks[key] = (lock, waiting - 1)


def _key(path: Path) -> str:
    return os.path.normcase(path.absolute())


def _is_worth_another_try(exc: BaseException, work: _Work) -> bool:
    return isinstance(exc, DyvineError) and exc.retryable and bool(work.mirrors)


def _agreed(promise: Promise, work: _Work, host: str) -> Promise:
    """The server's promise, held against the platform's. Raises Truncated if they contradict each other."""
    rendition = work.rendition
    expected = rendition.size if rendition.size_is_exact else None
    if expected is not None and promise.length not in {None, expected}:
        raise Truncated(f"{host} has {promise.length} bytes of a file of {expected}")
    if promise.length == 0:
        raise Truncated(f"{host} sent nothing instead of {WORDS[work.family]}")
    if promise.length is not None and promise.length > LARGEST[work.family]:
        raise Truncated(f"{host} promises {promise.length} bytes, which is too much for {WORDS[work.family]}")
    return promise if promise.length is not None else Promise(expected, promise.validator)


def _finish(work: _Work, mirror: str | None) -> Fetched:
    """Check the part and give it its final name. Blocks. Raises Truncated (the part is then empty), DiskError."""
    part = work.part
    with part.reader() as file:
        type, codec, flaw = _examined(
            file, part.size, work.family, length_known=part.promise.length is not None
        )
    if type is None or flaw:
        work.start_over()
        raise Truncated(f"{mirror or work.path.name} gave no whole file: {flaw}")
    path = _named(work.path, type)
    part.publish(path.name, overwrite=work.overwrite)
    return Fetched(
        path=path,
        size=part.size,
        sha256=part.sha256,
        ext=path.suffix.removeprefix("."),
        mirror=mirror,
        codec=codec,
        warnings=tuple(_warnings(work, part.md5)),
    )


def _examined(
    file: BinaryIO, size: int, family: Family, *, length_known: bool
) -> tuple[FileType | None, str | None, str | None]:
    """Type, video codec and flaw of a file; the flaw is None if it is whole and of the family."""
    head = file.read(HEAD)
    type = sniff(head)
    if type is None or not type.suits(family):
        return None, None, f"it is {f'a {type.name} file' if type else describe(head)}, not {WORDS[family]}"
    if flaw := whole(file, type, size, length_known=length_known):
        return type, None, flaw
    type, codec = settle(file, type, size)
    if family == "video" and type is M4A:
        return type, None, "it has no picture track"
    if family == "sound" and type is MP4:
        return type, codec, "it has a picture track"
    return type, codec, None


def _warnings(work: _Work, md5: str | None) -> Iterator[str]:
    if md5 and work.rendition.md5 and md5 != work.rendition.md5.lower():
        yield f"the MD5 of {work.path.name} is not the one that the platform names"


def _found(work: _Work) -> Fetched:
    """The file that is there already, if it is the one wanted; NotWritable otherwise. Blocks."""
    folder, path, rendition = work.part.folder, work.path, work.rendition
    with writing(path):
        status = folder.status(path.name)
        if not status or not stat.S_ISREG(status.st_mode):
            raise NotWritable(f"{path} is there already and is no file", hint="move it away")
        with os.fdopen(folder.open_file(path.name, os.O_RDONLY), "rb") as file:
            type, codec, flaw = _examined(file, status.st_size, work.family, length_known=True)
        if rendition.size_is_exact and rendition.size not in {None, status.st_size}:
            flaw = f"it has {status.st_size} bytes instead of {rendition.size}"
        if type is None or flaw:
            raise NotWritable(
                f"{path} is there already and is another file: {flaw}",
                hint="move it away, or use --overwrite",
            )
        sha256 = file_sha256(folder, path.name)
    ext = path.suffix.removeprefix(".")
    return Fetched(path=path, size=status.st_size, sha256=sha256, ext=ext, found=True, codec=codec)


_EXTENSIONS = {ext for type in TYPES for ext in (type.ext, *type.aliases)}


def _named(path: Path, type: FileType) -> Path:
    """The path with the extension of its true type; one that fits already stays."""
    ext = path.suffix.removeprefix(".")
    if type.has(ext):
        return path
    return path.with_suffix("." + type.ext) if ext.lower() in _EXTENSIONS else Path(f"{path}.{type.ext}")


def _identity(rendition: Rendition) -> str:
    """Names a rendition by what does not change when the site gives fresh addresses."""
    size = rendition.size if rendition.size_is_exact else None
    facts = [rendition.md5, size, rendition.codec, rendition.width, rendition.height, rendition.label]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


async def _in_thread(call: Callable[[], T]) -> T:
    """Run something that blocks and uses an open part; a cancel waits for its end, so that nothing is closed under it."""
    future = asyncio.get_running_loop().run_in_executor(None, call)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({future})
        if not future.cancelled():
            future.exception()  # seen, and of no interest after a cancel
        raise
