"""Files over several connections: every fault of a host, wherever it strikes, and what is kept of it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import os

import pytest

from dyvine_cli.errors import (
    AddressRefused,
    LinkExpired,
    NetworkError,
    RateLimited,
    Timeout,
    Truncated,
)

from .conftest import Reply, Request, Stored, padded

pytestmark = pytest.mark.anyio

SPLIT = {"segments": 4, "split_from": 400_000}
"""Pieces of 100 kB and more of a film of 700 kB."""

# Fault, the error of a fetch when the host never does better (None: the file comes whole), and whether bytes of it are
# kept for the next one.
TABLE = [
    ("straight", None, False),
    ("cut", Truncated, True),
    ("cut_at_once", Truncated, False),
    ("reset", Truncated, True),
    ("stall", Timeout, True),
    ("stall_at_once", Timeout, False),
    ("drip", Timeout, False),
    ("unframed", None, False),
    ("unframed_cut", Truncated, False),
    ("chunked", None, False),
    ("chunked_cut", Truncated, False),
    ("longer", Truncated, False),
    ("shorter", Truncated, False),
    ("surplus", Truncated, False),
    ("negative_length", NetworkError, False),
    ("odd_length", NetworkError, False),
    ("absurd_length", Truncated, False),
    ("ignores_range", None, False),
    ("refuses_range", None, False),
    ("other_range", None, False),
    ("other_total", None, False),
    ("unknown_total", None, False),
    ("no_range_said", None, False),
    ("other_etag", None, False),
    ("no_etag", None, False),
    ("range_surplus", None, False),
    ("range_too_long", None, False),
    ("range_too_short", None, False),
    ("range_chunked", None, False),
    ("range_packed", NetworkError, False),
    ("packed", NetworkError, False),
    ("web_page", Truncated, False),
    ("json", Truncated, False),
    ("text", Truncated, False),
    ("empty", Truncated, False),
    ("no_content", NetworkError, False),
    ("partial_unasked", NetworkError, False),
    ("not_modified", NetworkError, False),
    ("redirect_nowhere", AddressRefused, False),
    ("forbidden", LinkExpired, False),
    ("not_found", LinkExpired, False),
    ("gone", LinkExpired, False),
    ("bad_request", NetworkError, False),
    ("too_many", RateLimited, False),
    ("too_many_absurd", RateLimited, False),
    ("server_error", NetworkError, False),
    ("unavailable", NetworkError, False),
]
IDS = [row[0] for row in TABLE]
FINAL = {"redirect_nowhere", "forbidden", "not_found", "gone", "too_many_absurd"}


async def fetch(bench, rendition, **limits):
    """One fetch over several connections."""
    engine = bench.engine(**{**SPLIT, **limits})
    return await engine.fetch(rendition, bench.folder / "film.mp4", family="video", root=bench.folder)


async def outcome(bench, rendition, **limits):
    """The class of the error that a fetch ends in, None if it ends well; a file that came is removed again."""
    try:
        fetched = await fetch(bench, rendition, **limits)
    except (NetworkError, RateLimited) as exc:
        return type(exc)
    fetched.path.unlink()
    return None


@pytest.fixture
def rendition(bench, film, video):
    """A film of 700 kB, its size known from the site."""
    return video(bench.host.put("/film", film), size=len(film))


async def begin(bench, faults, rendition):
    """Fetch a part with gaps and break off: each of the first ranges comes by half."""
    bench.host.faults = [faults["straight"], *[faults["cut"]] * 8]
    with pytest.raises(Truncated):
        await fetch(bench, rendition, retries=0)
    bench.host.faults = []


def there(bench) -> int:
    """How many bytes the note vouches for."""
    note = json.loads((bench.folder / "film.mp4.part.json").read_text())
    return sum(end - start for start, end in note["written"])


async def test_ranges_of_a_large_file_come_at_once(bench, film, rendition, faults):
    """Several connections give one file, hashed as a whole; no byte comes twice."""
    bench.host.always = faults["slow"]
    fetched = await fetch(bench, rendition)

    assert fetched.path.read_bytes() == film
    assert fetched.sha256 == hashlib.sha256(film).hexdigest()
    assert bench.host.sent == len(film)
    assert bench.host.busiest > 1
    assert all("range" in request.headers for request in bench.host.requests)
    assert bench.leftovers() == ["film.mp4"]


def in_steps(bench, pause: float, *, after: int = 0):
    """Gives ranges 100 kB at a time, with a pause behind each once the host gave `after` bytes."""

    async def fault(request: Request, file: Stored, reply: Reply) -> None:
        first, last, rest = request.wanted(file)
        headers = {"Content-Length": str(len(rest)), **file.facts}
        await reply.head(206, {**headers, "Content-Range": f"bytes {first}-{last}/{len(file.content)}"})
        for at in range(0, len(rest), 100_000):
            await reply.body(rest[at : at + 100_000])
            if bench.host.sent > after:
                await asyncio.sleep(pause)

    return fault


@pytest.mark.parametrize(("fast", "is_fast"), [(0, True), (math.inf, False)], ids=["fast", "not fast"])
async def test_fast_line_gets_two_connections(bench, media, video, fast, is_fast):
    """On a line that one connection fills, further ones would only cost."""
    content = padded(media["video.mp4"], 6_000_000)
    rendition = video(bench.host.put("/film", content), size=len(content))
    bench.host.always = in_steps(bench, 0.003)
    fetched = await fetch(bench, rendition, segments=6, fast=fast, split_from=800_000)

    assert fetched.path.read_bytes() == content
    assert (bench.host.busiest == 2) is is_fast


async def test_line_that_becomes_slow_gets_all_connections(bench, media, video):
    """A fast beginning is no promise."""
    content = padded(media["video.mp4"], 16_000_000)
    rendition = video(bench.host.put("/film", content), size=len(content))
    bench.host.always = in_steps(bench, 0.02, after=3_000_000)
    at_once: list[int] = []
    engine = bench.engine(segments=6, split_from=1_000_000, fast=20_000_000)
    fetched = await engine.fetch(
        rendition,
        bench.folder / "film.mp4",
        family="video",
        root=bench.folder,
        on_bytes=lambda count: at_once.append(bench.host.busiest),
    )

    assert fetched.path.read_bytes() == content
    assert at_once[-1] == 6


async def test_small_file_is_not_split(bench, media, video):
    """Below the bar one connection without a range is enough."""
    content = media["video.mp4"]
    rendition = video(bench.host.put("/film", content), size=len(content))
    await fetch(bench, rendition)

    assert [request.range for request in bench.host.requests] == [None]


async def test_one_segment_is_off(bench, film, rendition):
    """With one segment a large file comes in one piece."""
    await fetch(bench, rendition, segments=1)

    assert [request.range for request in bench.host.requests] == [None]


async def test_wrong_size_of_the_site_does_no_harm(bench, media, film, video):
    """What the site says of the size is a hint: the true length is the server's."""
    small = video(bench.host.put("/small", media["video.mp4"]), size=5_000_000)
    await fetch(bench, small)
    (bench.folder / "film.mp4").unlink()
    large = video(bench.host.put("/film", film), size=450_000)
    fetched = await fetch(bench, large)

    assert fetched.path.read_bytes() == film


async def test_slots_of_the_host_hold_for_segments(bench, film, rendition, faults):
    """No more connections work at once than the host has slots."""
    bench.host.always = faults["slow"]
    await fetch(bench, rendition, per_host=2, segments=8)

    assert bench.host.busiest == 2


async def test_files_that_wait_go_before_further_segments(bench, film, video, faults):
    """A large file leaves slots to others; each of them is finished."""
    bench.host.always = faults["slow"]
    large = video(bench.host.put("/film", film), size=len(film))
    others = [video(bench.host.put(f"/{number}", film)) for number in range(3)]
    engine = bench.engine(**SPLIT, per_host=2)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(engine.fetch(each, bench.folder / f"{number}.mp4", family="video"))
            for number, each in enumerate([large, *others])
        ]

    assert bench.host.busiest == 2
    assert all(task.result().path.read_bytes() == film for task in tasks)


async def test_rate_holds_for_all_segments_together(bench, film, rendition):
    """However many connections there are, the waits add up to the time that the limit asks for."""
    now = [100.0]

    async def sleep(seconds):
        now[0] += seconds
        await asyncio.sleep(0)

    await fetch(bench, rendition, rate=100_000, sleep=sleep, clock=lambda: now[0])

    assert now[0] - 100 >= 0.95 * len(film) / 100_000


async def test_low_rate_takes_one_connection(bench, film, rendition):
    """Others would fill their buffers at full speed."""
    await fetch(bench, rendition, rate=900_000)

    assert bench.host.busiest == 1


async def test_late_range_costs_no_byte_of_the_others(bench, film, rendition, faults):
    """While its head is awaited, others take over a part of it: the answer is longer than needed, and is no fault."""

    async def late(request: Request, file: Stored, reply: Reply) -> None:
        await asyncio.sleep(0.3)
        await faults["straight"](request, file, reply)

    bench.host.always = in_steps(bench, 0.002)
    bench.host.faults = [in_steps(bench, 0.002), late]
    fetched = await fetch(bench, rendition, segments=3, split_from=100_000)

    assert fetched.path.read_bytes() == film
    assert bench.host.sent <= 1.5 * len(film)
    assert all(request.range for request in bench.host.requests)


async def test_listener_hears_every_byte_once(bench, film, rendition, faults):
    """Counts of several connections add up to the size."""
    bench.host.faults = [faults["straight"], faults["cut"]]
    counts = []
    engine = bench.engine(**SPLIT)
    await engine.fetch(rendition, bench.folder / "film.mp4", family="video", on_bytes=counts.append)

    assert sum(counts) == len(film)


async def test_connection_that_breaks_leaves_its_piece_to_the_others(bench, film, rendition, faults):
    """One reset among several costs no round and no byte that came."""
    bench.host.faults = [faults["straight"], faults["cut"], faults["straight"]]
    fetched = await fetch(bench, rendition)

    assert fetched.path.read_bytes() == film
    assert bench.host.sent == len(film)
    assert bench.waits == []


async def test_slow_connection_is_helped(bench, film, rendition, faults):
    """Who is done takes over half of what a slow connection has left, which then stops there."""
    bench.host.faults = [faults["slow"]]
    fetched = await fetch(bench, rendition, segments=2, split_from=200_000)

    assert fetched.path.read_bytes() == film
    assert len({request.range for request in bench.host.requests}) == len(bench.host.requests)


async def test_host_without_ranges_is_asked_for_none_again(bench, film, video, faults):
    """A host that ignored a range once gets whole requests from then on."""
    bench.host.always = faults["ignores_range"]
    engine = bench.engine(**SPLIT)
    for name in ("a", "b"):
        each = video(bench.host.put(f"/{name}", film), size=len(film))
        await engine.fetch(each, bench.folder / f"{name}.mp4", family="video")

    assert [request.range is None for request in bench.host.requests] == [False, True]


@pytest.mark.parametrize("facts", [{"ETag": 'W/"a"'}, {"Server": "x"}], ids=["weak", "none"])
async def test_without_a_strong_validator_it_is_not_split(bench, film, video, facts):
    """Ranges of a file that nothing identifies are not put together."""
    rendition = video(bench.host.put("/film", film, **facts), size=len(film))
    fetched = await fetch(bench, rendition)

    assert fetched.path.read_bytes() == film
    assert bench.host.requests[-1].range is None


@pytest.mark.parametrize("honours", [True, False], ids=["if_range", "no_if_range"])
async def test_file_that_changes_between_ranges_is_never_spliced(
    bench, film, rendition, grow, media, faults, honours
):
    """Another file behind the address in mid-transfer: the new one comes whole, whatever If-Range does."""
    changed = grow(media["h265.mp4"], len(film), seed=2)

    async def change(request, file, reply):
        bench.host.put("/film", changed)
        now = bench.host.files["/film"]
        if not honours:
            request.headers.pop("if-range", None)
        await faults["straight"](request, now, reply)

    bench.host.faults = [faults["straight"], change]
    fetched = await fetch(bench, rendition)

    assert fetched.path.read_bytes() == changed


@pytest.mark.parametrize("segments", [1, 4], ids=["one", "several"])
async def test_part_with_gaps_is_continued(bench, film, rendition, faults, segments):
    """What came out of order is kept; only the gaps are fetched, over however many connections."""
    await begin(bench, faults, rendition)
    kept, bench.host.sent = there(bench), 0
    fetched = await fetch(bench, rendition, segments=segments)

    assert 0 < kept < len(film)
    assert bench.host.sent == len(film) - kept
    assert fetched.path.read_bytes() == film
    assert fetched.sha256 == hashlib.sha256(film).hexdigest()
    assert bench.leftovers() == ["film.mp4"]


async def test_part_of_one_connection_is_continued_by_several(bench, film, video, faults):
    """What one connection began is gone on with in ranges."""
    rendition = video(bench.host.put("/film", film), size=len(film))
    bench.host.faults = [faults["cut"]]
    with pytest.raises(Truncated):
        await fetch(bench, rendition, retries=0, segments=1)
    bench.host.sent = 0
    fetched = await fetch(bench, rendition, split_from=200_000)

    assert fetched.path.read_bytes() == film
    assert bench.host.sent == len(film) - len(film) // 2
    assert len(bench.host.requests) > 2


@pytest.mark.parametrize("begun", [False, True], ids=["fresh", "resumed"])
@pytest.mark.parametrize("place", [0, 1, 3], ids=["first", "second", "last"])
@pytest.mark.parametrize("name", [name for name in IDS if name not in FINAL])
async def test_one_fault_is_mended(bench, film, rendition, faults, name, place, begun):
    """A host that misbehaves once, on whichever connection, costs a try, and the file is right byte for byte."""
    if begun:
        await begin(bench, faults, rendition)
    bench.host.faults = [*[faults["straight"]] * place, faults[name]]
    fetched = await fetch(bench, rendition)

    assert fetched.path.read_bytes() == film
    assert fetched.sha256 == hashlib.sha256(film).hexdigest()
    assert bench.leftovers() == ["film.mp4"]


@pytest.mark.parametrize("begun", [False, True], ids=["fresh", "resumed"])
@pytest.mark.parametrize(("name", "error", "kept"), TABLE, ids=IDS)
async def test_lasting_fault_ends_in_the_true_error(bench, film, rendition, faults, name, error, kept, begun):
    """A host that never does better ends in the true error; the next run goes on with what is right."""
    if begun:
        await begin(bench, faults, rendition)
    bench.host.always = faults[name]
    ended = await outcome(bench, rendition, retries=1)
    bench.host.always, bench.host.sent = faults["straight"], 0
    fetched = await fetch(bench, rendition)

    assert ended is error
    assert fetched.path.read_bytes() == film
    assert bench.leftovers() == ["film.mp4"]
    assert bench.host.sent < len(film) or not (kept or (begun and name in KEEPS))


KEEPS = {
    "forbidden",
    "gone",
    "not_found",
    "server_error",
    "too_many",
    "unavailable",
    "bad_request",
    "stall_at_once",
}
"""What says nothing against the bytes that are there."""


@pytest.fixture
def bytes_read(monkeypatch) -> list[int]:
    """How many bytes each read of a part gave."""
    counts: list[int] = []
    one, several = os.pread, os.preadv

    def pread(*args):
        data = one(*args)
        counts.append(len(data))
        return data

    def preadv(*args):
        counts.append(several(*args))
        return counts[-1]

    monkeypatch.setattr(os, "pread", pread)
    monkeypatch.setattr(os, "preadv", preadv)
    return counts


@pytest.mark.parametrize(
    ("segments", "begun", "most"),
    [(1, False, 0), (1, True, 0.5), (4, False, 1), (4, True, 1)],
    ids=["fresh", "resumed", "segmented", "segmented_resumed"],
)
async def test_no_byte_is_read_back_twice(bench, film, rendition, faults, bytes_read, segments, begun, most):
    """What passes by in order is hashed as it comes, the rest is read once; the check adds only headers."""
    if begun:
        bench.host.faults = [faults["cut"]] if segments == 1 else [faults["straight"], *[faults["cut"]] * 8]
        with pytest.raises(Truncated):
            await fetch(bench, rendition, retries=0, segments=segments)
        bench.host.faults = []
    bytes_read.clear()
    fetched = await fetch(bench, rendition, segments=segments)

    assert fetched.sha256 == hashlib.sha256(film).hexdigest()
    assert sum(bytes_read) <= most * len(film) + 40_000
