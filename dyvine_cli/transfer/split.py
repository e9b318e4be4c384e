"""One file over several connections: every piece's answer has to prove that it belongs to the file that was begun."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from dyvine_cli.errors import ContentChanged, DiskError, DyvineError, RateLimited, Truncated
from dyvine_cli.http.media import MediaAnswer
from dyvine_cli.transfer.answer import begins, gives, refusal
from dyvine_cli.transfer.check import HEAD
from dyvine_cli.transfer.hosts import Host
from dyvine_cli.transfer.intake import agreed, judge
from dyvine_cli.transfer.partial import Promise
from dyvine_cli.transfer.pieces import Piece, Pieces
from dyvine_cli.transfer.threads import in_thread
from dyvine_cli.transfer.throttle import Throttle
from dyvine_cli.transfer.work import Work

LARGE = 1 << 24
"""Bytes from which a file is split; its pieces have at least a quarter of that."""

FAST = 100_000_000
"""Bytes a second from which a connection is no brake: on such a line further ones cost CPU time and bring nothing."""

_FEW = 2
"""Connections that keep a fast line busy, also while one of them asks for its next piece."""
_GAUGE = 0.01
"""Seconds that the first connection is watched before others join."""
_AGAIN = 0.25
"""Seconds until the connections are looked at again, long enough for the stalls of a disk."""

Ask = Callable[[int, int], AbstractAsyncContextManager[MediaAnswer]]
"""Asks for the bytes from the first to the last number, both included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """How a file is shared out: up to `hands` connections, pieces of at least `least` bytes.

    Two connections are enough where each gives `fast` bytes a second.
    """

    hands: int
    least: int
    fast: float = FAST


class Split:
    """Fetches what is missing of a file with several connections to one host, as `division` says.

    The caller holds one of the host's slots, which the first connection uses; each further one takes a slot that nobody
    else waits for, and gives it back after its piece. A connection that breaks leaves its piece to the others.
    """

    def __init__(self, work: Work, host: Host, ask: Ask, throttle: Throttle, division: Division) -> None:
        self._work = work
        self._part = work.part
        self._host = host
        self._ask = ask
        self._throttle = throttle
        self._most = hands = division.hands
        self._fast = division.fast
        self._is_fast = False
        self._seen = work.meter.clock(), work.part.size
        self._pieces = Pieces(work.part.spans, work.part.promise.length or 0, hands, division.least)
        begun = self._pieces.take() if work.part.size else None
        self._first = begun or Piece(0, max(division.least, (work.rendition.size or 0) // hands // 2))
        self._new: Promise | None = None
        self._opening = b""
        self._helpers = 0
        self._errors: list[DyvineError] = []
        self._cares: set[Callable[[], None]] = set()
        self._group = asyncio.TaskGroup()

    @property
    def first(self) -> tuple[int, int]:
        """First and last byte of what to ask for first."""
        return self._first.at, self._first.end - 1

    async def run(self, answer: MediaAnswer, leave: Callable[[], Awaitable[None]]) -> None:
        """Take the answer to what was asked for `first`, `leave` it, and fetch all the rest.

        Raises ContentChanged if the host does not prove that it gives ranges of one and the same file, Truncated,
        DiskFull, NotWritable, and what the connections ended in when all did.
        """
        if self._part.size:
            self._go_on(answer)
        else:
            self._begin(answer)
        try:
            async with self._group:
                await self._lead(answer, leave)
        except ExceptionGroup as broken:
            raise _cause(broken) from None
        if not self._part.is_complete:
            raise self._verdict()

    def _begin(self, answer: MediaAnswer) -> None:
        promise = begins(answer, self._first.end - 1)
        if promise is None or promise.length is None:
            raise self._disagrees()
        self._new = agreed(promise, self._work, self._host.name)
        self._first.end = min(self._first.end, promise.length)
        self._pieces.length = promise.length
        self._pieces.claim(self._first)

    def _go_on(self, answer: MediaAnswer) -> None:
        if not gives(answer, self._part.promise, *self.first):
            raise self._disagrees()
        self._work.start(self._part.promise.length)
        self._part.scatter()

    def _verdict(self) -> DyvineError:
        """What the first connection to break ended in; a host that asked for a rest gets it."""
        error = self._errors[0]
        if isinstance(error, RateLimited):
            self._host.refuses(error, error.retry_after)
        return error

    def _disagrees(self) -> ContentChanged:
        return ContentChanged(f"{self._host.name} does not go on with the file that was begun")

    async def _lead(self, answer: MediaAnswer, leave: Callable[[], Awaitable[None]]) -> None:
        """The first connection; nobody joins before the bytes of a new file were judged."""
        if self._new is None:
            self._group.create_task(self._gauge())
        try:
            try:
                await self._pour(self._first, answer, self._first.end)
            finally:
                self._pieces.give_back(self._first)
                await leave()
            while (piece := self._pieces.take()) is not None:
                await self._fetch(piece)
        except (ContentChanged, DiskError):
            raise
        except DyvineError as exc:
            self._errors.append(exc)

    async def _gauge(self) -> None:
        """Watch the first connection for a moment, then let others join."""
        self._seen = self._work.meter.clock(), self._part.size
        await asyncio.sleep(_GAUGE)
        self._look(_GAUGE / 2)
        self._recruit()

    def _look(self, least: float) -> None:
        """See how fast the connections were since the last look, if that is `least` seconds ago."""
        now, size = self._work.meter.clock(), self._part.size
        since, before = self._seen
        if now - since >= least:
            self._seen = now, size
            self._is_fast = size - before >= self._fast * (now - since) * (1 + self._helpers)

    def _recruit(self) -> None:
        """Have further connections begin, as far as line and missing bytes are worth it and slots are free."""
        self._pieces.hands = min(self._most, _FEW) if self._is_fast else self._most
        free = self._pieces.worth - 1 - self._helpers
        for _ in range(free):
            self._helpers += 1
            self._group.create_task(self._help())

    async def _help(self) -> None:
        """A further connection, for as long as nobody else waits for its slot."""
        try:
            while not self._host.slots.locked() and (piece := self._pieces.take()) is not None:
                async with self._host.slots:
                    await self._fetch(piece)
        except (ContentChanged, DiskError):
            raise
        except DyvineError as exc:
            self._errors.append(exc)
            self._most -= 1
        finally:
            self._helpers -= 1

    async def _fetch(self, piece: Piece) -> None:
        first, last = piece.at, piece.end - 1
        try:
            async with self._ask(first, last) as answer:
                if answer.status not in {200, 206, 416}:
                    raise refusal(answer, self._host.name)
                if not gives(answer, self._part.promise, first, last):
                    raise self._disagrees()
                await self._pour(piece, answer, last + 1)
        finally:
            self._pieces.give_back(piece)

    async def _pour(self, piece: Piece, answer: MediaAnswer, asked: int) -> None:
        """Put the bytes of an answer, `asked` for up to there, in their place, up to where the piece ends by now."""
        try:
            async for chunk in answer.chunks:
                for share in self._throttle.shares(chunk):
                    await self._throttle.take(len(share))
                    self._take(piece, share, asked)
                    if piece.at >= piece.end < asked:
                        return
        except Truncated:
            if piece.at >= asked:  # then more came than was asked for, and none of it is believed
                raise self._disagrees() from None
            raise
        if self._new is not None:
            self._take(piece, b"", asked, last=True)
        if piece.left:
            raise Truncated(f"{self._host.name} broke off {piece.left} bytes before the end of a range")

    def _take(self, piece: Piece, chunk: bytes, asked: int, *, last: bool = False) -> None:
        if self._new is not None:
            self._opening += chunk
            if len(self._opening) < HEAD and not last:
                return
            chunk, self._opening = self._opening, b""
            self._open(chunk)
        if len(chunk) > asked - piece.at:
            raise self._disagrees()
        kept = memoryview(chunk)[: piece.left]
        self._part.put(kept, piece.at)
        piece.at += len(kept)
        self._work.meter.count(len(kept))
        self._care()

    def _open(self, head: bytes) -> None:
        """Judge the first bytes of a new file; from here on others may help."""
        assert self._new is not None
        judge(head, self._work.family, self._host.name)
        self._work.begin(self._new, scattered=True)
        self._pieces.there = self._part.spans
        self._new = None
        self._group.create_task(self._gauge())

    def _care(self) -> None:
        for wanted, work in (
            (self._part.wants_care, self._part.care),
            (self._part.wants_flush, self._part.flush),
        ):
            if wanted and work not in self._cares:
                self._cares.add(work)
                self._group.create_task(self._tend(work))

    async def _tend(self, work: Callable[[], None]) -> None:
        try:
            await in_thread(work)
        finally:
            self._cares.remove(work)
        self._look(_AGAIN)
        self._recruit()


def _cause(broken: ExceptionGroup[Exception]) -> Exception:
    """The one error of several that says most: a disk that is full, then an answer that disagrees."""
    if not all(isinstance(each, DyvineError) for each in broken.exceptions):
        return broken
    return min(broken.exceptions, key=lambda each: not isinstance(each, DiskError))
