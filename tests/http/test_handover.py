"""Bytes that somebody waits for are handed over as they came; none is lost, doubled or out of order."""

from __future__ import annotations

import asyncio

import pytest

from dyvine_cli.http.sockets import _Counted

pytestmark = pytest.mark.anyio


async def test_bytes_keep_their_order() -> None:
    """What comes before the reader wakes up stands behind what woke it."""
    reader = _Counted()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(reader.take(100, 0))
        await asyncio.sleep(0)
        reader.feed_data(b"one ")
        reader.feed_data(b"two ")
        reader.feed_data(b"three")
    second = await reader.take(100, 4)

    assert (first.result(), second) == (b"one ", b"two three")
    assert reader.fed == 13


async def test_bytes_that_wait_come_from_the_buffer() -> None:
    """Nobody waited: they are read like from any other stream, no more than asked for."""
    reader = _Counted()
    reader.feed_data(b"one two")
    parts = [await reader.take(4, 0), await reader.take(100, 4)]

    assert parts == [b"one ", b"two"]


@pytest.mark.parametrize("waiting", [True, False])
async def test_end_gives_nothing(waiting: bool) -> None:
    """The end of the stream is empty bytes, before the reader waits and while it does."""
    reader = _Counted()
    if not waiting:
        reader.feed_eof()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(reader.take(100, 0))
        await asyncio.sleep(0)
        if waiting:
            reader.feed_eof()

    assert task.result() == b""
    assert await reader.take(100, 0) == b""


@pytest.mark.parametrize("waiting", [True, False])
async def test_failure_is_raised(waiting: bool) -> None:
    """A connection that breaks says so to whoever reads."""
    reader = _Counted()
    if not waiting:
        reader.set_exception(ConnectionResetError("gone"))
    task = asyncio.ensure_future(reader.take(100, 0))
    await asyncio.sleep(0)
    if waiting:
        reader.set_exception(ConnectionResetError("gone"))

    with pytest.raises(ConnectionResetError):
        await task


async def test_read_that_is_given_up_loses_nothing() -> None:
    """A read that is cancelled before anything came leaves the next bytes to the next reader."""
    reader = _Counted()
    task = asyncio.ensure_future(reader.take(100, 0))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    reader.feed_data(b"later")

    assert await reader.take(100, 0) == b"later"


async def test_read_that_is_given_up_with_bytes_in_hand_ends_the_connection() -> None:
    """Bytes that came for a cancelled read are gone: nothing behind the hole is given out."""
    reader = _Counted()
    task = asyncio.ensure_future(reader.take(100, 0))
    await asyncio.sleep(0)
    reader.feed_data(b"lost")
    task.cancel()
    await asyncio.wait([task])
    reader.feed_data(b"behind the hole")

    with pytest.raises(ConnectionError):
        await reader.take(100, 0)
