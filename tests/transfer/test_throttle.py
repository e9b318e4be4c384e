"""The shared limit of speed."""

from __future__ import annotations

import pytest

from dyvine_cli.transfer.throttle import Throttle

pytestmark = pytest.mark.anyio


class Time:
    """A clock that moves when someone sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("chunk", [1_000, 16_384, 262_144])
@pytest.mark.parametrize("rate", [300_000, 1_000_000, 20_000_000])
async def test_rate_holds_within_five_percent_over_ten_seconds(rate, chunk):
    """Ten seconds of transfer bring ten seconds' worth of bytes, whatever the size of the chunks."""
    time = Time()
    throttle = Throttle(rate, time.clock, time.sleep)
    passed = 0
    while time.now < 110:
        await throttle.take(chunk)
        passed += chunk

    assert passed == pytest.approx(10 * rate, rel=0.05, abs=chunk)


async def test_pause_is_not_saved_up():
    """After a pause the limit holds at once: what was not used is gone."""
    time = Time()
    throttle = Throttle(1_000, time.clock, time.sleep)
    time.now += 3600
    await throttle.take(10_000)

    assert time.now - 3700 > 9.5


async def test_no_limit_never_waits():
    """Without a rate nothing is held up."""
    time = Time()
    await Throttle(None, time.clock, time.sleep).take(1 << 40)

    assert time.now == 100.0


@pytest.mark.parametrize(
    ("rate", "most"), [(None, 16), (100_000_000, 16), (3_500_000, 3), (1_000_000, 1), (50_000, 1)]
)
async def test_low_rate_leaves_room_for_few_connections(rate, most):
    """Each connection fills its buffers at full speed before the limit is felt."""
    time = Time()

    assert Throttle(rate, time.clock, time.sleep).connections(16) == most


@pytest.mark.parametrize(
    ("rate", "largest"), [(None, 262_144), (20_000_000, 262_144), (1_000_000, 100_000), (50_000, 16_384)]
)
async def test_chunk_is_let_through_in_portions(rate, largest):
    """A slow run writes what it has paid for, a tenth of a second's worth at a time; no byte is lost."""
    time = Time()
    chunk = bytes(range(256)) * 1024
    shares = list(Throttle(rate, time.clock, time.sleep).shares(chunk))

    assert max(map(len, shares)) == largest
    assert b"".join(shares) == chunk
