"""Every fault of the simulator's media hosts, and hosts out of reach, x (fresh, resumed, segmented) x (small, large)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
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
    TLSFailure,
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

SIZES = {"small": 60_000, "large": 3_300_000}
REFERER = {"Referer": "https://www.douyin.com/"}


class Case(NamedTuple):
    """A fault that stays, with its value: the error that it ends in, None where the file comes whole.

    `hosts` are the mirrors, all of which have it (`dead-mirror`: only the first).
    """

    error: type[DyvineError] | None
    value: str | None = None
    hosts: int = 1


CASES = {
    "204": Case(NetworkError),
    "403": Case(LinkExpired),
    "403 of all mirrors": Case(LinkExpired, hosts=3),
    "404": Case(LinkExpired),
    "410": Case(LinkExpired),
    "429": Case(RateLimited),
    "429 absurd": Case(RateLimited, "99999999"),
    "429 absurd of all mirrors": Case(RateLimited, "99999999", hosts=2),
    "429 until 2099": Case(RateLimited, "Wed, 21 Oct 2099 07:28:00 GMT"),
    "429 nonsense": Case(RateLimited, "soon"),
    "500": Case(NetworkError),
    "503": Case(NetworkError),
    "503 absurd": Case(NetworkError, "99999999"),
    "empty-200": Case(Truncated),
    "html-200": Case(Truncated),
    "html-200 as video": Case(Truncated, "video/mp4"),
    "json-200": Case(Truncated),
    "json-200 as video": Case(Truncated, "video/mp4"),
    "bomb": Case(NetworkError, "8"),
    "redirect": Case(AddressRefused, "http://10.0.0.1/secret"),
    "redirect to a file of ours": Case(AddressRefused, "file:///etc/passwd"),
    "redirect-loop": Case(AddressRefused),
    "wrong-range": Case(None),
    "wrong-range ahead": Case(None, "1000"),
    "range-ignored": Case(None),
    "wrong-total": Case(None),
    "wrong-total shorter": Case(None, "-1000"),
    "416": Case(None),
    "changed-etag": Case(None),
    "changed-etag in spite of If-Range": Case(None, "206"),
    "changed-size": Case(None),
    "changed-size shorter": Case(None, "-1000"),
    "short-file": Case(Truncated),
    "weak-etag": Case(None),
    "no-validator": Case(None),
    "jpeg-for-video": Case(Truncated),
    "jpeg-for-video as video": Case(Truncated, "video/mp4"),
    "gzip-unasked": Case(NetworkError),
    "expired-link": Case(LinkExpired),
    "expired-link of all mirrors": Case(LinkExpired, hosts=3),
    "cut-body": Case(Truncated),
    "wrong-length": Case(Truncated),
    "wrong-length shorter": Case(Truncated, "shorter"),
    "wrong-length absurd": Case(Truncated, "99999999999999999"),
    "wrong-length no number": Case(NetworkError, "many"),
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
    "dead-mirror": Case(None, hosts=2),
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
    hosts: int = 1

    @property
    def content(self) -> bytes:
        return self.simulator.media.content("h264", self.size, 5).read(0, self.size)

    def links(self) -> list[str]:
        """Fresh links of it, one for each host."""
        return self.simulator.media.urls("h264", self.size, 5, hosts=self.hosts, play=False)

    async def fetch(
        self, *, links: Sequence[str] = (), network: Network | None = None, **limits: object
    ) -> bytes:
        """Fetch it with these links, else with fresh ones; the bytes under the final name.

        The own network is hasty while a fault makes hosts silent, and patient otherwise: a busy machine is no fault.
        """
        silent = any(fault.name in SILENT for fault in self.simulator.faults.active())
        self.network.timeouts = HASTY if silent else PATIENT
        mirrors = tuple(links or self.links())
        rendition = Rendition(mirrors=mirrors, ext="mp4", size=self.size, headers=REFERER)
        reader = HttpMediaReader(network or self.network)
        options = {"sleep": rests, "split_from": self.size // 2, "segments": 1, "fast": math.inf, **limits}
        fetched = await Engine(reader, **options).fetch(
            rendition, self.folder / "film.mp4", family="video", root=self.folder
        )
        content = fetched.path.read_bytes()
        assert hashlib.sha256(content).hexdigest() == fetched.sha256
        return content

    async def begin(self, way: str) -> None:
        """Fetch a half of it and break off, where the way has been gone before."""
        if "resumed" in way:
            self.simulator.faults.set("cut-body")
            with pytest.raises(Truncated):
                await self.fetch(retries=0, segments=WAYS[way])
            self.simulator.faults.clear()
            assert self.kept > 0

    @property
    def kept(self) -> int:
        """Bytes that a part has and its note vouches for."""
        part = self.folder / "film.mp4.part"
        note = part.with_name(part.name + ".json")
        if not note.exists():
            return 0
        written = json.loads(note.read_text())["written"]
        return part.stat().st_size if written is None else sum(end - start for start, end in written)

    async def other(self) -> bytes:
        """The whole file as it stands under the address now."""
        (url,) = self.simulator.media.urls("h264", self.size, 5, hosts=1, play=False)
        async with HttpMediaReader(self.network).open(url, REFERER) as answer:
            return b"".join([chunk async for chunk in answer.chunks])

    async def changed(self, case: str) -> bytes:
        """The file that is there from the second answer on."""
        self.simulator.faults.set(fault_of(case), value=CASES[case].value)
        return await self.other()

    @property
    def sent(self) -> int:
        """Bytes of media sent so far."""
        return self.simulator.counts()["sent"]

    def left(self) -> list[str]:
        """What stands in the folder."""
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())


async def rests(seconds: float) -> None:
    """Waits not at all."""


PATIENT = Timeouts(connect=10, head=10, read=10, window=10, floor=1000)
HASTY = Timeouts(connect=2, head=0.3, read=0.25, window=0.2, floor=1000)
SILENT = {"stall", "drip"}
"""Faults that only a time-out ends."""


@pytest.fixture
async def stand(simulator: Simulator, tmp_path: Path, size: str) -> AsyncIterator[Stand]:
    """One file of either size, without faults; nothing of an earlier test is still on its way."""
    async with asyncio.timeout(30):
        while simulator.counts()["open"]:  # noqa: ASYNC110 - another thread counts
            await asyncio.sleep(0.002)
    network = Network(
        connect_to=ConnectTo.parse(simulator.connect_to), listed=["douyinvod.com"], timeouts=PATIENT
    )
    yield Stand(simulator, network, tmp_path / "saved", SIZES[size])
    await network.aclose()
    simulator.faults.clear()


WAYS = {"fresh": 1, "resumed": 1, "segmented": 4, "segmented, resumed": 4}
"""How the file comes: over how many connections, and whether a half of it is there."""
FINAL = {
    "403",
    "404",
    "410",
    "429 absurd",
    "429 until 2099",
    "503 absurd",
    "redirect",
    "redirect-loop",
    "expired-link",
}
"""What gives up an address at the first word, so that no later try can mend it."""
OTHERS = {"changed-etag", "changed-size"}


def test_every_fault_of_the_media_hosts_has_a_row():
    """A new fault of the simulator asks for a row here."""
    assert {fault_of(case) for case in CASES} == set(CORE)


def is_final(case: str) -> bool:
    """Whether one time is enough to give up every address."""
    return case in FINAL or fault_of(case) in {"redirect", "expired-link"}


def cells(cases: Iterable[str], ways: Iterable[str]) -> list[object]:
    """Every case in every way and size; small files where only a time-out ends it or in mixed ways are slow tests."""
    return [
        pytest.param(
            case,
            way,
            size,
            id=f"{case}-{way}-{size}",
            marks=[pytest.mark.slow] if size == "small" and (fault_of(case) in SILENT or "," in way) else [],
        )
        for case in cases
        for way in ways
        for size in SIZES
    ]


@pytest.mark.parametrize(
    ("case", "way", "size"),
    cells([case for case in CASES if not is_final(case)], [*WAYS, "segmented, later"]),
)
async def test_fault_that_happens_once_costs_a_try(stand, case, way):
    """The file ends right byte for byte, or it wholly is the other one that took its place."""
    segments = WAYS.get(way, 4)
    await stand.begin(way)
    stand.hosts = CASES[case].hosts
    later = way == "segmented, later"
    stand.simulator.faults.set(fault_of(case), value=CASES[case].value, count=1, skip=int(later))
    allowed = [stand.content]
    if fault_of(case) in OTHERS:
        stand.simulator.faults.set(fault_of(case), value=CASES[case].value, skip=int(later))
        allowed = [await stand.other()] if not later else [stand.content, await stand.changed(case)]
    content = await stand.fetch(segments=segments)

    assert content in allowed
    assert stand.left() == ["film.mp4"]


@pytest.mark.parametrize(("case", "way", "size"), cells(CASES, WAYS))
async def test_fault_that_stays_ends_in_its_cause(stand, case, way):
    """The right file, or the true error, nothing under the final name, and a part that the next run continues."""
    segments, expected = WAYS[way], CASES[case].error
    await stand.begin(way)
    begun = stand.kept
    stand.hosts = CASES[case].hosts
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
    kept, before = stand.kept, stand.sent
    content = await stand.fetch(segments=segments)

    assert ended is expected or (case == "surplus" and ended is None)  # it came too late to be seen
    assert stand.simulator.faults.taken[fault_of(case)] > taken or (
        way == "fresh" and fault_of(case) in ONLY_RANGES
    )
    assert content == stand.content
    assert stand.left() == ["film.mp4"]
    if fault_of(case) in SAYS_NOTHING:
        assert kept >= begun
        assert stand.sent - before <= stand.size - (kept if segments == 1 else kept // 2) + LATE
    if fault_of(case) in GIVES_BYTES and case not in ("stall head", "reset head"):
        assert kept > begun


LATE = 200
"""Bytes of a refusal's text that the simulator may count after the client has turned away."""
ONLY_RANGES = {"wrong-range", "range-ignored", "wrong-total", "416"}
GIVES_BYTES = {"cut-body", "stall", "reset"}
"""What breaks off after bytes that are worth keeping."""
SAYS_NOTHING = {
    *GIVES_BYTES,
    "204",
    "403",
    "404",
    "410",
    "429",
    "500",
    "503",
    "expired-link",
    "redirect",
    "redirect-loop",
}
"""What says nothing against the bytes that are there: they are gone on with."""


@pytest.fixture(scope="module")
def sealed() -> Iterator[Simulator]:
    """One that speaks TLS with a certificate of nobody that we trust."""
    with running(tls=True, platforms=[]) as simulator:
        yield simulator


AWAY = {
    "no such name": ("https://v3.invalid/video", NetworkError),
    "closed port": ("https://closed.douyinvod.com/video", NetworkError),
    "untrusted certificate": ("https://sealed.douyinvod.com/video", TLSFailure),
    "private address": ("http://10.0.0.1/video", AddressRefused),
    "no address at all": ("https://[::video", AddressRefused),
}
"""An address that leads nowhere, and the error when there is no other."""


@pytest.fixture
async def map_of_dead_ends(simulator: Simulator, sealed: Simulator) -> AsyncIterator[Network]:
    """A network in which some hosts are out of reach."""
    rules = ["closed.douyinvod.com:443:127.0.0.1:1", f"sealed.douyinvod.com:443:127.0.0.1:{sealed.port}"]
    network = Network(
        connect_to=ConnectTo.parse(",".join([*rules, simulator.connect_to])),
        listed=["douyinvod.com"],
        timeouts=PATIENT,
    )
    yield network
    await network.aclose()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", AWAY)
async def test_host_out_of_reach_is_named_or_passed_over(stand, map_of_dead_ends, place, way):
    """Alone it ends in the true error and costs no byte that is there; before a good mirror it costs nothing."""
    link, expected = AWAY[place]
    await stand.begin(way)
    begun, before = stand.kept, stand.sent
    options = {"network": map_of_dead_ends, "segments": WAYS[way]}
    with pytest.raises(DyvineError) as caught:
        await stand.fetch(links=[link], retries=0, **options)
    kept = stand.kept
    content = await stand.fetch(links=[link, *stand.links()], retries=0, **options)

    assert type(caught.value) is expected
    assert kept == begun
    assert content == stand.content
    assert stand.sent - before <= stand.size - (kept if WAYS[way] == 1 else kept // 2)
    assert stand.left() == ["film.mp4"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", WAYS)
async def test_redirect_to_another_host_brings_the_file(stand, way):
    """An address that leads on is followed, with the range, and what is there is continued."""
    await stand.begin(way)
    kept, before = stand.kept, stand.sent
    stand.simulator.faults.set("redirect", value=stand.links()[0], count=1)
    content = await stand.fetch(retries=0, segments=WAYS[way])

    assert content == stand.content
    assert stand.sent - before <= stand.size - (kept if WAYS[way] == 1 else kept // 2)


@pytest.mark.slow
@pytest.mark.parametrize("size", ["large"])
@pytest.mark.parametrize("segments", [1, 2])
async def test_time_runs_out_on_silence_not_on_length(stand, segments):
    """A transfer that takes several times as long as the time-outs ends well as long as bytes come."""
    short = Timeouts(connect=2, head=0.6, read=0.6, window=0.6, floor=1000)
    network = Network(
        connect_to=ConnectTo.parse(stand.simulator.connect_to), listed=["douyinvod.com"], timeouts=short
    )
    stand.simulator.faults.set("slow", value=stand.size // (2 * segments))
    began = asyncio.get_running_loop().time()
    content = await stand.fetch(retries=0, segments=segments, network=network)
    took = asyncio.get_running_loop().time() - began
    await network.aclose()

    assert content == stand.content
    assert took > 2 * short.read
