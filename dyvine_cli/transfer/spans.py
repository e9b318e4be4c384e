"""Which bytes of a file are there, when they come in any order. Pure."""

from __future__ import annotations

from collections.abc import Iterable

Pair = tuple[int, int]
"""First byte and the one behind the last."""


class Spans:
    """Stretches of bytes, in order and apart from each other; another thread may read what one adds to."""

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        self.pairs: tuple[Pair, ...] = ()
        for start, end in pairs:
            self.add(start, end)

    def add(self, start: int, end: int) -> None:
        """Note that the bytes from `start` up to `end` are there."""
        if start >= end:
            return
        apart = []
        for first, last in self.pairs:
            if first <= end and last >= start:
                start, end = min(start, first), max(end, last)
            else:
                apart.append((first, last))
        self.pairs = tuple(sorted([*apart, (start, end)]))

    @property
    def front(self) -> int:
        """How many bytes are there without a gap, from the first one on."""
        return self.pairs[0][1] if self.pairs and self.pairs[0][0] == 0 else 0

    @property
    def count(self) -> int:
        """How many bytes are there."""
        return sum(end - start for start, end in self.pairs)

    @property
    def end(self) -> int:
        """Where the last stretch ends."""
        return self.pairs[-1][1] if self.pairs else 0

    def within(self, length: int) -> Spans:
        """What of it lies before `length`."""
        return Spans((start, min(end, length)) for start, end in self.pairs)

    def gaps(self, length: int) -> list[Pair]:
        """What is missing of a file of that length, in order."""
        borders = [0, *(border for pair in self.within(length).pairs for border in pair), length]
        starts, ends = borders[::2], borders[1::2]
        return [(start, end) for start, end in zip(starts, ends, strict=True) if start < end]
