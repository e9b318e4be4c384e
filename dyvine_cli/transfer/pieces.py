"""Who of several workers fetches which piece of a file: large pieces first, smaller ones towards the end. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dyvine_cli.transfer.spans import Spans


@dataclass(slots=True, eq=False)
class Piece:
    """Bytes from `at` up to `end` that one worker fetches; both move, `at` with the bytes, `end` when others help."""

    at: int
    end: int

    @property
    def left(self) -> int:
        """Bytes still to come."""
        return self.end - self.at


class Pieces:
    """The pieces of a file of `length` bytes that several `hands` share; `there` grows as bytes are written.

    None has fewer than `least` bytes: then a request's round trip costs more than a further connection gains.
    """

    def __init__(self, there: Spans, length: int, hands: int, least: int) -> None:
        self.there = there
        self.length = length
        self.hands = hands
        self._least = least
        self._taken: list[Piece] = []

    @property
    def left(self) -> int:
        """Bytes that are missing."""
        return self.length - self.there.count

    @property
    def worth(self) -> int:
        """How many hands the missing bytes are worth."""
        return max(1, min(self.hands, self.left // self._least))

    def take(self) -> Piece | None:
        """The next piece: the first that nobody has, else half of the largest under way; None if neither is worth it."""
        spoken_for = Spans([*self.there.pairs, *((piece.at, piece.end) for piece in self._taken)])
        gaps = spoken_for.gaps(self.length)
        piece = self._first_of(gaps) if gaps else self._half()
        if piece is not None:
            self._taken.append(piece)
        return piece

    def claim(self, piece: Piece) -> None:
        """Someone fetches this piece."""
        self._taken.append(piece)

    def give_back(self, piece: Piece) -> None:
        """Nobody fetches this piece any more; what is missing of it is free again."""
        self._taken.remove(piece)

    def _first_of(self, gaps: list[tuple[int, int]]) -> Piece:
        start, end = gaps[0]
        size = max(self._least, sum(b - a for a, b in gaps) // self.hands // 2)
        return Piece(start, end if end - start - size < self._least // 2 else start + size)

    def _half(self) -> Piece | None:
        """The second half of the piece of which most is left; whoever fetches it stops there."""
        largest = max(self._taken, key=lambda piece: piece.left, default=None)
        if largest is None or largest.left < 2 * self._least:
            return None
        middle = largest.at + largest.left // 2
        piece = Piece(middle, largest.end)
        largest.end = middle
        return piece
