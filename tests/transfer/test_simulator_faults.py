"""Every fault of the simulator's media hosts x (fresh, resumed, segmented) x (small, large)."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from dyvine_cli.errors import (
    AddressRefused,
    DyvineError,
    LinkExpired,
    NetworkError,
    RateLimited,
    Timeout,
    Truncated,
)
from dyvine_cli.http.connect import ConnectTo
from dyvine_cli.http.network import Network, Timeouts
from dyvine_cli.http.reader import HttpMediaReader
from dyvine_cli.models import Rendition
from dyvine_cli.simulator.app import Simulator, running
from dyvine_cli.simulator.faults import CORE
from dyvine_cli.transfer.engine import Engine

pytestmark = pytest.mark.anyio

SIZES = {"small": 60_000, "large": 900_000}
REFERER = {"Referer": "https://www.douyin.com/"}


class Case(NamedTuple):
    """A fault that stays, with its value: the error that it ends in, None where the file comes whole."""

    error: type[DyvineError] | None
    value: str | None = None


CASES = {
    "204": Case(NetworkError),
    "403": Case(LinkExpired),
    "404": Case(LinkExpired),
    "410": Case(LinkExpired),
    "429": Case(RateLimited),
    "429 absurd": Case(RateLimited, "99999999"),
    "500": Case(NetworkError),
    "503": Case(NetworkError),
    "empty-200": Case(Truncated),
    "html-200": Case(Truncated),
    "html-200 as video": Case(Truncated, "video/mp4"),
    "json-200": Case(Truncated),
    "json-200 as video": Case(Truncated, "video/mp4"),
    "bomb": Case(NetworkError, "8"),
    "redirect": Case(AddressRefused, "http://10.0.0.1/secret"),
    "redirect-loop": Case(AddressRefused),
    "wrong-range": Case(None),
    "range-ignored": Case(None),
    "wrong-total": Case(None),
    "416": Case(None),
    "changed-etag": Case(None),
    "changed-etag in spite of If-Range": Case(None, "206"),
    "changed-size": Case(None),
    "short-file": Case(Truncated),
    "weak-etag": Case(None),
    "no-validator": Case(None),
    "jpeg-for-video": Case(Truncated),
    "gzip-unasked": Case(NetworkError),
    "expired-link": Case(LinkExpired),
    "cut-body": Case(Truncated),
    "wrong-length": Case(Truncated),
    "wrong-length shorter": Case(Truncated, "shorter"),
    "surplus": Case(Truncated),
    "no-length": Case(None),
    "no-length cut": Case(Truncated, "cut"),
    "negative-length": Case(NetworkError),
    "double-length": Case(NetworkError),
    "chunked": Case(None),
    "cut-chunk": Case(Truncated),
    "stall": Case(Timeout),
    "stall head": Case(Timeout, "head"),
    "late": Case(None, "0.05"),
    "drip": Case(Timeout),
    "slow": Case(None, "20000000"),
    "reset": Case(Truncated),
    "reset head": Case(NetworkError, "head"),
    "dead-mirror": Case(None),
    "close-silently": Case(None),
}


def fault_of(case: str) -> str:
    """The name of the switch."""
    return case.partition(" ")[0]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """A simulator for all of them."""
    with running() as simulator:
        yield simulator


@dataclass
class Stand:
    """A file on the simulator and the folder for it."""

    simulator: Simulator
    network: Network
    folder: Path
    size: int
    hosts: int

    @property
    def content(self) -> bytes:
        return self.simulator.media.content("h264", self.size, 5).read(0, self.size)

    async def fetch(self, **limits: object) -> bytes:
        """Fetch it with fresh links; the bytes under the final name."""
        urls = self.simulator.media.urls("h264", self.size, 5, hosts=self.hosts, play=False)
        rendition = Rendition(mirrors=tuple(urls), ext="mp4", size=self.size, headers=REFERER)
        reader = HttpMediaReader(self.network)
        options = {"sleep": rests, "split_from": 400_000, "segments": 1, **limits}
        fetched = await Engine(reader, **options).fetch(
            rendition, self.folder / "film.mp4", family="video", root=self.folder
        )
        content = fetched.path.read_bytes()
        assert hashlib.sha256(content).hexdigest() == fetched.sha256
        return content

    async def begin(self, **limits: object) -> None:
        """Fetch a half of it and break off."""
        self.simulator.faults.set("cut-body")
        with pytest.raises(Truncated):
            await self.fetch(retries=0, **limits)
        self.simulator.faults.clear()

    async def other(self) -> bytes:
        """The whole file as it stands under the address now."""
        (url,) = self.simulator.media.urls("h264", self.size, 5, hosts=1, play=False)
        async with HttpMediaReader(self.network).open(url, REFERER) as answer:
            return b"".join([chunk async for chunk in answer.chunks])

    @property
    def sent(self) -> int:
        """Bytes of media sent so far."""
        return self.simulator.counts()["sent"]

    def left(self) -> list[str]:
        """What stands in the folder."""
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())


async def rests(seconds: float) -> None:
    """Waits not at all."""


@pytest.fixture
async def stand(simulator: Simulator, tmp_path: Path, size: str) -> AsyncIterator[Stand]:
    """One file of either size, without faults."""
    timeouts = Timeouts(connect=2, head=0.5, read=0.3, window=0.25, floor=1000)
    network = Network(
        connect_to=ConnectTo.parse(simulator.connect_to), listed=["douyinvod.com"], timeouts=timeouts
    )
    yield Stand(simulator, network, tmp_path / "saved", SIZES[size], hosts=1)
    await network.aclose()
    simulator.faults.clear()


WAYS = {"fresh": 1, "resumed": 1, "segmented": 4, "segmented, resumed": 4}
FINAL = {"403", "404", "410", "429 absurd", "redirect", "redirect-loop", "expired-link"}
"""What gives up an address at the first word, so that no later try can mend it."""
OTHERS = {"changed-etag", "changed-size"}


def test_every_fault_of_the_media_hosts_has_a_row():
    """A new fault of the simulator asks for a row here."""
    assert {fault_of(case) for case in CASES} == set(CORE)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", [case for case in CASES if case not in FINAL])
async def test_fault_that_happens_once_costs_a_try(stand, case, way):
    """The file ends right byte for byte, or it wholly is the other one that took its place."""
    segments = WAYS[way]
    if "resumed" in way:
        await stand.begin(segments=segments)
    stand.hosts = 2 if case == "dead-mirror" else 1
    stand.simulator.faults.set(fault_of(case), value=CASES[case].value, count=1)
    allowed = [stand.content]
    if fault_of(case) in OTHERS:
        stand.simulator.faults.set(fault_of(case), value=CASES[case].value)
        allowed = [await stand.other()]
    content = await stand.fetch(segments=segments)

    assert content in allowed
    assert stand.left() == ["film.mp4"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
async def test_fault_that_stays_ends_in_its_cause(stand, case, way):
    """The right file, or the true error and nothing under the final name; the next run brings the file."""
    segments, expected = WAYS[way], CASES[case].error
    if "resumed" in way:
        await stand.begin(segments=segments)
    begun = sum(path.stat().st_size for path in stand.folder.rglob("*.part"))
    stand.hosts = 2 if case == "dead-mirror" else 1
    stand.simulator.faults.set(fault_of(case), value=CASES[case].value)
    ended: type[DyvineError] | None = None
    taken = stand.simulator.faults.taken[fault_of(case)]
    try:
        content = await stand.fetch(retries=1, segments=segments)
        assert content == (await stand.other() if fault_of(case) in OTHERS else stand.content)
    except DyvineError as error:
        ended = type(error)
        assert not (stand.folder / "film.mp4").exists()
    stand.simulator.faults.clear()
    (stand.folder / "film.mp4").unlink(missing_ok=True)
    before = stand.sent
    content = await stand.fetch(segments=segments)

    assert ended is expected or (case == "surplus" and ended is None)  # it came too late to be seen
    if way != "fresh" or fault_of(case) not in ONLY_RANGES:
        assert stand.simulator.faults.taken[fault_of(case)] > taken or stand.size < 400_000
    assert content == stand.content
    assert stand.left() == ["film.mp4"]
    if expected is not None and begun and case in SAYS_NOTHING:
        assert stand.sent - before <= stand.size - begun // 2


ONLY_RANGES = {"wrong-range", "range-ignored", "wrong-total", "416"}
SAYS_NOTHING = {
    "403",
    "404",
    "410",
    "429",
    "429 absurd",
    "500",
    "503",
    "expired-link",
    "reset head",
    "stall head",
}
"""What says nothing against the bytes that are there: they are gone on with."""
