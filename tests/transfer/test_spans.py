"""Which bytes are there, and who fetches the missing ones."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dyvine_cli.transfer.pieces import Pieces
from dyvine_cli.transfer.spans import Spans

PAIRS = some.lists(some.tuples(some.integers(0, 60), some.integers(0, 60)), max_size=12)


@given(PAIRS, some.integers(0, 70))
def test_spans_are_a_set_of_bytes(pairs, length):
    """Spans say of every byte what a set of numbers would."""
    spans = Spans(pairs)
    there = {byte for start, end in pairs for byte in range(start, end)}
    gaps = {byte for start, end in spans.gaps(length) for byte in range(start, end)}
    front = next(byte for byte in range(100) if byte not in there)

    assert {byte for start, end in spans.pairs for byte in range(start, end)} == there
    assert list(spans.pairs) == sorted(spans.pairs)
    assert all(one[1] < other[0] for one, other in zip(spans.pairs, spans.pairs[1:], strict=False))
    assert (spans.count, spans.front, spans.end) == (len(there), front, max(there, default=-1) + 1)
    assert gaps == set(range(length)) - there
    assert Spans(spans.within(length).pairs).count == len({byte for byte in there if byte < length})


@given(PAIRS, some.integers(1, 200), some.integers(1, 6), some.integers(0, 9999))
def test_pieces_cover_every_missing_byte_once(pairs, length, hands, seed):
    """However fast the hands are and whichever drop their piece, each byte is fetched, and only once."""
    random = Random(seed)
    there = Spans(pairs).within(length)
    pieces = Pieces(there, length, hands, least=8)
    fetched = []
    working = []
    while there.count < length:
        if len(working) < hands and (piece := pieces.take()) is not None:
            working.append(piece)
            continue
        piece = random.choice(working)
        step = random.randint(0, piece.left)
        fetched += range(piece.at, piece.at + step)
        there.add(piece.at, piece.at + step)
        piece.at += step
        if not piece.left or random.random() < 0.1:
            working.remove(piece)
            pieces.give_back(piece)
    missing = set(range(length)) - {byte for start, end in pairs for byte in range(start, end)}

    assert sorted(fetched) == sorted(missing)


@pytest.mark.parametrize(
    ("left", "hands", "worth"), [(1000, 4, 4), (250, 4, 2), (100, 4, 1), (99, 4, 1), (0, 4, 1)]
)
def test_few_bytes_are_worth_few_hands(left, hands, worth):
    """No more hands than there are pieces of the least size."""
    pieces = Pieces(Spans([(0, 5000)]), 5000 + left, hands, least=100)

    assert pieces.worth == worth


def test_large_pieces_come_first():
    """Pieces become smaller towards the end, so that all hands are done at about the same time."""
    pieces = Pieces(Spans(), 64_000, 4, least=1000)
    sizes = []
    while (piece := pieces.take()) and sum(sizes) < 64_000:
        sizes.append(piece.left)

    assert sizes[0] == 8000
    assert sizes[:10] == sorted(sizes[:10], reverse=True)
    assert min(sizes) >= 500
