"""Every fault of a media host against a fresh and a continued transfer: the right bytes, or the true error."""

from __future__ import annotations

import pytest

from dyvine_cli.errors import (
    AddressRefused,
    LinkExpired,
    NetworkError,
    RateLimited,
    Timeout,
    Truncated,
)

pytestmark = pytest.mark.anyio

# Fault, the error of a fresh fetch and of a continued one when the host never does better (None: the file comes
# whole), and whether the bytes of a fresh fetch are kept for the next one.
TABLE = [
    ("straight", None, None, False),
    ("cut", Truncated, Truncated, True),
    ("cut_at_once", Truncated, Truncated, False),
    ("reset", Truncated, Truncated, True),
    ("stall", Timeout, Timeout, True),
    ("stall_at_once", Timeout, Timeout, False),
    ("drip", Timeout, Timeout, False),
    ("unframed", None, None, False),
    ("unframed_cut", Truncated, Truncated, False),
    ("chunked", None, None, False),
    ("chunked_cut", Truncated, Truncated, False),
    ("longer", Truncated, Truncated, False),
    ("shorter", Truncated, Truncated, False),
    ("surplus", Truncated, Truncated, False),
    ("negative_length", NetworkError, NetworkError, False),
    ("odd_length", NetworkError, NetworkError, False),
    ("absurd_length", Truncated, Truncated, False),
    ("ignores_range", None, None, False),
    ("refuses_range", None, None, False),
    ("other_range", None, None, False),
    ("other_total", None, None, False),
    ("unknown_total", None, None, False),
    ("no_range_said", None, None, False),
    ("other_etag", None, None, False),
    ("no_etag", None, None, False),
    ("packed", NetworkError, NetworkError, False),
    ("web_page", Truncated, Truncated, False),
    ("json", Truncated, Truncated, False),
    ("text", Truncated, Truncated, False),
    ("empty", Truncated, Truncated, False),
    ("no_content", NetworkError, NetworkError, False),
    ("partial_unasked", NetworkError, NetworkError, False),
    ("not_modified", NetworkError, NetworkError, False),
    ("redirect_nowhere", AddressRefused, AddressRefused, False),
    ("forbidden", LinkExpired, LinkExpired, False),
    ("not_found", LinkExpired, LinkExpired, False),
    ("gone", LinkExpired, LinkExpired, False),
    ("bad_request", NetworkError, NetworkError, False),
    ("too_many", RateLimited, RateLimited, False),
    ("too_many_absurd", RateLimited, RateLimited, False),
    ("server_error", NetworkError, NetworkError, False),
    ("unavailable", NetworkError, NetworkError, False),
]
IDS = [row[0] for row in TABLE]
# What gives up an address at the first word, so that no later try can mend it.
FINAL = {"redirect_nowhere", "forbidden", "not_found", "gone", "too_many_absurd"}


@pytest.mark.parametrize("size", [8_000, 700_000], ids=["small", "large"])
@pytest.mark.parametrize("resumed", [False, True], ids=["fresh", "resumed"])
@pytest.mark.parametrize("name", [name for name in IDS if name not in FINAL])
async def test_one_fault_is_mended_by_the_next_try(bench, media, grow, video, faults, name, resumed, size):
    """A host that misbehaves once costs a try, and the file is right byte for byte."""
    content = grow(media["video.mp4"], size)
    rendition = video(bench.host.put("/film", content))
    path = bench.folder / "film.mp4"
    if resumed:
        await begin(bench, faults, rendition, path)
    bench.host.faults = [faults[name]]
    fetched = await bench.engine().fetch(rendition, path, family="video")

    assert fetched.path.read_bytes() == content
    assert bench.leftovers() == ["film.mp4"]


@pytest.mark.parametrize("resumed", [False, True], ids=["fresh", "resumed"])
@pytest.mark.parametrize(("name", "fresh", "again", "kept"), TABLE, ids=IDS)
async def test_lasting_fault_ends_in_the_true_error(
    bench, film, video, faults, name, fresh, again, kept, resumed
):
    """A host that never does better ends in the true error; nothing stands under the final name."""
    rendition = video(bench.host.put("/film", film))
    path = bench.folder / "film.mp4"
    if resumed:
        await begin(bench, faults, rendition, path)
    bench.host.always = faults[name]
    error = await outcome(bench.engine(retries=1), rendition, path)
    bench.host.always = faults["straight"]
    bench.host.sent = 0
    fetched = await bench.engine().fetch(rendition, path, family="video")

    assert error is (again if resumed else fresh)
    assert fetched.path.read_bytes() == film
    assert bench.leftovers() == ["film.mp4"]
    assert bench.host.sent < len(film) or not kept


@pytest.mark.parametrize(
    "name", ["forbidden", "server_error", "too_many", "unavailable", "cut", "stall", "reset", "bad_request"]
)
async def test_part_outlives_a_refusal_and_is_continued(bench, film, video, faults, name):
    """What was begun is kept through errors that say nothing against it; only the rest is fetched later."""
    rendition = video(bench.host.put("/film", film))
    path = bench.folder / "film.mp4"
    await begin(bench, faults, rendition, path)
    bench.host.always = faults[name]
    await outcome(bench.engine(retries=0), rendition, path)
    there = path.with_name("film.mp4.part").stat().st_size
    bench.host.always, bench.host.sent = faults["straight"], 0
    fetched = await bench.engine().fetch(rendition, path, family="video")

    assert there >= len(film) // 2
    assert bench.host.sent == len(film) - there
    assert fetched.path.read_bytes() == film


async def begin(bench, faults, rendition, path):
    """Fetch half of a file and break off."""
    bench.host.faults = [faults["cut"]]
    with pytest.raises(Truncated):
        await bench.engine(retries=0).fetch(rendition, path, family="video")
    assert path.with_name(path.name + ".part").stat().st_size > 0


async def outcome(engine, rendition, path):
    """The class of the error that a fetch ends in, None if it ends well; a file that came is removed again."""
    try:
        fetched = await engine.fetch(rendition, path, family="video")
    except NetworkError as exc:
        return type(exc)
    except RateLimited as exc:
        return type(exc)
    fetched.path.unlink()
    return None
