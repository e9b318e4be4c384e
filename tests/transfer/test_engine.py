"""The engine on real sockets: mirrors, slots, waits, names, promises of the platform, cancels, other processes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dyvine_cli.errors import Busy, LinkExpired, NetworkError, NotWritable, RateLimited, Truncated
from dyvine_cli.models import Rendition
from dyvine_cli.transfer.partial import Part
from tests.transfer.conftest import PATIENT, name_space, says_length

pytestmark = pytest.mark.anyio


async def fetch(bench, rendition, name="film.mp4", family="video", engine=None, **options):
    """One fetch into the bench's folder."""
    engine = engine or bench.engine()
    return await engine.fetch(rendition, bench.folder / name, family=family, root=bench.folder, **options)


async def test_file_comes_whole_with_its_facts(bench, film, video):
    """What comes back names path, size, hash, type, codec and host."""
    rendition = video(bench.host.put("/film", film))
    fetched = await fetch(bench, rendition, "user/film.mp4")

    assert fetched.path == bench.folder / "user" / "film.mp4"
    assert fetched.path.read_bytes() == film
    assert (fetched.size, fetched.sha256) == (len(film), hashlib.sha256(film).hexdigest())
    assert (fetched.ext, fetched.codec, fetched.found, fetched.warnings) == ("mp4", "h264", False, ())
    assert fetched.mirror == f"127.0.0.1:{bench.host.port}"


async def test_listener_hears_start_and_every_byte(bench, film, video, faults):
    """Counts add up to the size, through a start over too."""
    rendition = video(bench.host.put("/film", film))
    bench.host.faults = [faults["cut"], faults["other_etag"]]
    started, counts = [], []
    await fetch(
        bench, rendition, on_start=lambda size, there: started.append((size, there)), on_bytes=counts.append
    )

    assert started == [(len(film), 0)]
    assert sum(counts) == len(film)


async def test_listener_hears_what_is_there_already(bench, film, video, faults):
    """A continued transfer begins with what an earlier run left."""
    rendition = video(bench.host.put("/film", film))
    bench.host.faults = [faults["cut"]]
    with pytest.raises(Truncated):
        await fetch(bench, rendition, engine=bench.engine(retries=0))
    started, counts = [], []
    await fetch(
        bench, rendition, on_start=lambda size, there: started.append((size, there)), on_bytes=counts.append
    )

    assert started == [(len(film), len(film) // 2)]
    assert sum(counts) == len(film) - len(film) // 2


@pytest.mark.parametrize(
    ("file", "asked", "family", "name"),
    [
        ("picture.webp", "a.jpeg", "picture", "a.webp"),
        ("picture.jpeg", "a.jpeg", "picture", "a.jpeg"),
        ("picture.jpeg", "a.jpg", "picture", "a.jpg"),
        ("picture.jpeg", "a.webp", "picture", "a.jpg"),
        ("picture.avif", "a.heic", "picture", "a.avif"),
        ("sound_only.mp4", "a.mp3", "sound", "a.m4a"),
        ("sound.mp3", "a.mp3", "sound", "a.mp3"),
        ("video.mov", "a.mp4", "video", "a.mov"),
        ("picture.png", "v1.5 final", "any", "v1.5 final.png"),
    ],
)
async def test_name_gets_the_true_extension(bench, media, file, asked, family, name):
    """Bytes decide the extension, not the address, the content type or the platform."""
    url = bench.host.put("/x.exe", media[file])
    fetched = await fetch(bench, Rendition(mirrors=(url,), ext="exe"), asked, family)

    assert bench.leftovers() == [name]
    assert fetched.path.name == name
    assert fetched.ext == name.rpartition(".")[2]


@pytest.mark.parametrize(
    ("file", "family"),
    [
        ("picture.jpeg", "video"),
        ("sound.mp3", "video"),
        ("sound_only.mp4", "video"),
        ("video.mp4", "picture"),
        ("video.mp4", "sound"),
        ("sound.m4a", "picture"),
    ],
)
async def test_media_of_another_family_is_refused(bench, media, file, family):
    """A picture is never saved as a video, nor a sound as a picture."""
    url = bench.host.put("/x", media[file])
    with pytest.raises(Truncated):
        await fetch(bench, Rendition(mirrors=(url,), ext="x"), "x.bin", family)

    assert bench.leftovers() == []


async def test_mirrors_are_tried_in_order(bench, mirror, film, video, faults):
    """The first mirror is asked first; the next one goes on where it broke off."""
    rendition = video(bench.host.put("/a", film), mirror.put("/b", film))
    bench.host.faults = [faults["cut"]]
    fetched = await fetch(bench, rendition)

    assert fetched.path.read_bytes() == film
    assert bench.host.sent + mirror.sent == len(film)
    assert mirror.requests[0].headers["range"] == f"bytes={len(film) // 2}-"
    assert mirror.requests[0].headers["if-range"] == bench.host.files["/a"].facts["ETag"]
    assert bench.waits == []


async def test_mirror_with_another_file_is_never_spliced(bench, mirror, film, grow, media, video, faults):
    """Halves of two files of the same length are not joined; the first mirror goes on with its own."""
    other = grow(media["video.mp4"], len(film), seed=1)
    rendition = video(bench.host.put("/a", film), mirror.put("/b", other))
    bench.host.faults = [faults["cut"]]
    mirror.always = faults["other_etag"]
    fetched = await fetch(bench, rendition)

    assert fetched.path.read_bytes() == film
    assert bench.host.sent == len(film)


@pytest.mark.parametrize("segments", [1, 4], ids=["one", "several"])
async def test_mirror_that_has_the_same_file_goes_on_wherever_it_stands(
    bench, mirror, film, video, faults, segments
):
    """Another run meets the mirrors in another order: the one that can go on does, and no byte comes twice."""
    limits = {"segments": segments, "split_from": 400_000}
    bench.host.faults = [faults["straight"], *[faults["cut"]] * 8] if segments > 1 else [faults["cut"]]
    with pytest.raises(Truncated):
        await fetch(
            bench,
            video(bench.host.put("/a", film), size=len(film)),
            engine=bench.engine(retries=0, **limits),
        )
    bench.host.faults, before = [], bench.host.sent
    stranger = mirror.put("/b", film, ETag='"of another vendor"')
    rendition = video(stranger, bench.host.url("/a"), size=len(film))
    fetched = await fetch(bench, rendition, engine=bench.engine(retries=0, **limits))

    assert fetched.path.read_bytes() == film
    assert fetched.mirror == f"127.0.0.1:{bench.host.port}"
    assert bench.host.sent == len(film)
    assert before < bench.host.sent
    assert len(mirror.requests) == 1


async def test_file_that_nobody_goes_on_with_is_begun_anew(bench, mirror, film, video, faults):
    """When every mirror has another version, or is dead, a stranger's file comes whole."""
    bench.host.faults = [faults["cut"]]
    with pytest.raises(Truncated):
        await fetch(bench, video(bench.host.put("/a", film)), engine=bench.engine(retries=0))
    bench.host.always = faults["server_error"]
    stranger = mirror.put("/b", film, ETag='"of another vendor"')
    fetched = await fetch(bench, video(bench.host.url("/a"), stranger))

    assert fetched.path.read_bytes() == film
    assert fetched.mirror == f"127.0.0.1:{mirror.port}"


async def test_file_that_changes_between_tries_is_never_spliced(bench, film, grow, media, video):
    """When the file behind the address changes in mid-transfer, the new one comes whole."""
    changed = grow(media["h265.mp4"], len(film), seed=2)
    url = bench.host.put("/film", film)

    async def cut_and_change(request, file, reply):
        await reply.head(200, {"Content-Length": str(len(film)), **file.facts})
        await reply.body(film[:400_000])
        bench.host.put("/film", changed)
        raise ConnectionError

    bench.host.faults = [cut_and_change]
    fetched = await fetch(bench, video(url))

    assert fetched.path.read_bytes() == changed
    assert fetched.codec == "h265"


async def test_last_modified_is_enough_to_go_on(bench, film, video, faults):
    """Without an ETag an old enough date proves the same file."""
    facts = {"Last_Modified": "Fri, 31 Jul 2026 12:00:00 GMT", "Date": "Sat, 01 Aug 2026 12:00:00 GMT"}
    rendition = video(bench.host.put("/film", film, **facts))
    bench.host.faults = [faults["cut"]]
    fetched = await fetch(bench, rendition)

    assert fetched.path.read_bytes() == film
    assert bench.host.sent == len(film)


@pytest.mark.parametrize("facts", [{"ETag": 'W/"a"'}, {"Server": "x"}], ids=["weak", "none"])
async def test_without_a_strong_validator_it_starts_over(bench, film, video, faults, facts):
    """A weak ETag, or none, proves nothing: the second try asks for the whole file."""
    rendition = video(bench.host.put("/film", film, **facts))
    bench.host.faults = [faults["cut"]]
    fetched = await fetch(bench, rendition)

    assert fetched.path.read_bytes() == film
    assert "range" not in bench.host.requests[1].headers


async def test_refused_continuation_keeps_the_part(bench, film, video, faults):
    """A web page instead of the rest does not cost what is there."""
    rendition = video(bench.host.put("/film", film))
    bench.host.faults = [faults["cut"], faults["web_page"], faults["json"]]
    await fetch(bench, rendition)

    assert bench.host.requests[-1].headers["range"] == f"bytes={len(film) // 2}-"


@pytest.mark.parametrize("retries", [0, 2])
async def test_rounds_end(bench, film, video, faults, retries):
    """Every round asks once, with growing waits between them."""
    rendition = video(bench.host.put("/film", film))
    bench.host.always = faults["server_error"]
    with pytest.raises(NetworkError, match="status 500"):
        await fetch(bench, rendition, engine=bench.engine(retries=retries))

    assert len(bench.host.requests) == retries + 1
    assert len(bench.waits) == retries
    assert bench.waits == sorted(bench.waits)


async def test_dead_mirror_is_asked_last_from_then_on(bench, mirror, film, video, faults):
    """A host that gave no answer once does not hold up the next file."""
    bench.host.always = faults["stall_at_once"]
    engine = bench.engine()
    for number in range(3):
        rendition = video(bench.host.put(f"/a{number}", film), mirror.put(f"/b{number}", film))
        await fetch(bench, rendition, f"{number}.mp4", engine=engine)

    assert len(bench.host.requests) == 1
    assert len(mirror.requests) == 3


async def test_closed_port_and_unknown_name_are_survived(bench, mirror, film, video):
    """A first mirror that cannot be reached or has no address costs nothing but its try."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}/film"
    rendition = video(dead, "http://v3.invalid/film", "http://[::bad/film", mirror.put("/b", film))
    fetched = await fetch(bench, rendition)

    assert fetched.mirror == f"127.0.0.1:{mirror.port}"


@pytest.mark.parametrize("names", [["forbidden"], ["not_found", "gone"], ["gone", "forbidden"]])
async def test_all_mirrors_expired_is_a_link_expired(bench, mirror, film, video, faults, names):
    """When every mirror says 403, 404 or 410, the site is to be asked again, without another round."""
    hosts = [bench.host, mirror][: len(names)]
    for host, name in zip(hosts, names, strict=True):
        host.always = faults[name]
    rendition = video(*(host.put("/film", film) for host in hosts))
    with pytest.raises(LinkExpired):
        await fetch(bench, rendition)

    assert [len(host.requests) for host in hosts] == [1] * len(hosts)
    assert bench.leftovers() == []
    assert list(bench.folder.iterdir()) == []


async def test_expired_next_to_a_dead_mirror_is_a_link_expired(bench, mirror, film, video, faults):
    """Fresh addresses help when the only host that answers says that its address ran out."""
    mirror.always = faults["forbidden"]
    rendition = video("http://v3.invalid/film", mirror.put("/film", film))
    with pytest.raises(LinkExpired):
        await fetch(bench, rendition)

    assert len(mirror.requests) == 1


async def test_expired_next_to_a_sick_mirror_is_the_sickness(bench, mirror, film, video, faults):
    """A mirror that answers with an error of its own is not an expired one."""
    bench.host.always, mirror.always = faults["forbidden"], faults["server_error"]
    rendition = video(bench.host.put("/film", film), mirror.put("/film", film))
    with pytest.raises(NetworkError, match="status 500"):
        await fetch(bench, rendition)

    assert len(bench.host.requests) == 1
    assert len(mirror.requests) == 4


async def test_no_address_is_a_link_expired(bench, video):
    """A rendition without a mirror asks for the site, too."""
    with pytest.raises(LinkExpired):
        await fetch(bench, video())

    assert bench.leftovers() == []


async def test_retry_after_is_obeyed(bench, film, video, faults):
    """The wait that a host asks for is waited out before the next request to it."""
    rendition = video(bench.host.put("/film", film))
    bench.host.faults = [faults["too_many"], faults["unavailable"]]
    fetched = await fetch(bench, rendition)

    assert fetched.path.read_bytes() == film
    assert [round(wait) for wait in bench.waits if wait > 3] == [7, 5]


async def test_length_that_nobody_believes_is_no_full_disk(bench, film, video, faults):
    """A mirror that promises 250 GB of a file of 700 kB is passed over; the run goes on with the next one."""
    other = bench.host.put("/other", film)
    lying = bench.host.put("/film", film)
    bench.host.faults = [says_length("250000000000")]
    fetched = await bench.engine().fetch(
        video(lying, other, size=len(film)), bench.folder / "film.mp4", family="video", root=bench.folder
    )

    assert fetched.path.read_bytes() == film
    assert [request.path for request in bench.host.requests] == ["/film", "/other"]


async def test_absurd_retry_after_ends_the_host(bench, mirror, film, video, faults):
    """A host that wants to be left alone for years is left alone: others serve, and later files do not wait."""
    bench.host.always = faults["too_many_absurd"]
    engine = bench.engine()
    first = await fetch(
        bench, video(bench.host.put("/a", film), mirror.put("/b", film)), "a.mp4", engine=engine
    )
    with pytest.raises(RateLimited) as caught:
        await fetch(bench, video(bench.host.url("/a")), "b.mp4", engine=engine)

    assert first.mirror == f"127.0.0.1:{mirror.port}"
    assert caught.value.retry_after == 99999999
    assert len(bench.host.requests) == 1
    assert bench.waits == []


async def test_slots_hold_for_host_and_whole(bench, mirror, film, video, faults):
    """No more transfers than slots, at one host and altogether."""
    bench.host.always = mirror.always = faults["slow"]
    engine = bench.engine(parallel=5, per_host=3)
    async with asyncio.TaskGroup() as group:
        for number in range(8):
            host = mirror if number % 2 else bench.host
            rendition = video(host.put(f"/{number}", film))
            group.create_task(fetch(bench, rendition, f"{number}.mp4", engine=engine))

    assert bench.host.busiest == 3
    assert mirror.busiest <= 3
    assert len(bench.leftovers()) == 8


async def test_rate_limit_holds_for_all_together(bench, film, video):
    """Two transfers share one limit of speed."""
    engine = bench.engine(rate=2_000_000, sleep=asyncio.sleep)
    begun = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as group:
        for number in range(2):
            rendition = video(bench.host.put(f"/{number}", film))
            group.create_task(fetch(bench, rendition, f"{number}.mp4", engine=engine))

    assert asyncio.get_running_loop().time() - begun > 2 * len(film) / 2_000_000 - 0.25


async def test_only_the_headers_of_the_rendition_are_sent(bench, mirror, film, video, faults):
    """Headers come from the rendition, those of one mirror in their place; no cookie, nothing compressed."""
    bench.host.always = faults["not_found"]
    urls = bench.host.put("/a", film), mirror.put("/b", film)
    rendition = video(
        *urls, headers={"Referer": "https://www.douyin.com/"}, mirror_headers={urls[1]: {"X-B": "1"}}
    )
    await fetch(bench, rendition)

    assert bench.host.requests[0].headers["referer"] == "https://www.douyin.com/"
    assert "referer" not in mirror.requests[0].headers
    assert mirror.requests[0].headers["x-b"] == "1"
    assert mirror.requests[0].headers["accept-encoding"] == "identity"
    assert "cookie" not in mirror.requests[0].headers


async def test_exact_size_is_enforced(bench, mirror, film, video):
    """A mirror with another length than the platform promises is passed over."""
    rendition = video(
        bench.host.put("/a", film + bytes(10)), mirror.put("/b", film), size=len(film), size_is_exact=True
    )
    fetched = await fetch(bench, rendition)

    assert fetched.mirror == f"127.0.0.1:{mirror.port}"
    assert bench.host.requests
    assert bench.waits == []


async def test_inexact_size_is_not_enforced(bench, film, video):
    """A size that is only a guess holds nothing up."""
    fetched = await fetch(bench, video(bench.host.put("/a", film), size=1000))

    assert fetched.size == len(film)


async def test_exact_size_lets_a_file_without_length_go_on(bench, film, video, faults):
    """With the platform's promise a chunked transfer that broke off is continued."""
    bench.host.faults = [faults["chunked_cut"]]
    rendition = video(bench.host.put("/a", film), size=len(film), size_is_exact=True)
    fetched = await fetch(bench, rendition)

    assert fetched.path.read_bytes() == film
    assert "range" in bench.host.requests[1].headers


async def test_early_end_without_a_length_needs_the_platforms_promise(bench, film, video, faults):
    """A host that says no length and hangs up early is found out by the promised size."""
    bench.host.always = faults["unframed_cut"]
    rendition = video(bench.host.put("/a", film), size=len(film), size_is_exact=True)
    with pytest.raises(Truncated, match="of 700000 bytes"):
        await fetch(bench, rendition)

    assert not (bench.folder / "film.mp4").exists()


async def test_other_md5_is_only_a_warning(bench, film, video):
    """The platform's MD5 is a claim: a mismatch is told, the file is kept."""
    good = await fetch(bench, video(bench.host.put("/a", film), md5=hashlib.md5(film).hexdigest()), "a.mp4")
    bad = await fetch(bench, video(bench.host.put("/a", film), md5="0" * 32), "b.mp4")

    assert good.warnings == ()
    assert "MD5" in bad.warnings[0]


async def test_other_md5_than_an_exact_one_is_no_whole_file(bench, mirror, film, grow, media, video):
    """Where the platform's MD5 holds for every whole file, another one sends on to the next mirror."""
    other = grow(media["video.mp4"], len(film), seed=3)
    named = {"md5": hashlib.md5(film).hexdigest(), "md5_is_exact": True}
    fetched = await fetch(bench, video(bench.host.put("/a", other), mirror.put("/b", film), **named))
    with pytest.raises(Truncated, match="MD5"):
        await fetch(bench, video(bench.host.put("/c", other), **named), "other.mp4")

    assert fetched.path.read_bytes() == film
    assert bench.leftovers() == ["film.mp4"]


async def test_md5_covers_a_continued_file(bench, film, video, faults):
    """Hashes of a continued file are those of all its bytes."""
    rendition = video(bench.host.put("/a", film), md5=hashlib.md5(film).hexdigest())
    bench.host.faults = [faults["cut"]]
    with pytest.raises(Truncated):
        await fetch(bench, rendition, engine=bench.engine(retries=0))
    fetched = await fetch(bench, rendition)

    assert fetched.warnings == ()
    assert fetched.sha256 == hashlib.sha256(film).hexdigest()


async def test_fresh_addresses_continue_the_same_rendition(bench, mirror, film, video, faults):
    """After the site gave fresh addresses the part goes on; another rendition starts over."""
    bench.host.faults = [faults["cut"], faults["cut"]]
    rendition = video(bench.host.put("/old", film), label="1080p")
    for name in ("a.mp4", "b.mp4"):
        with pytest.raises(Truncated):
            await fetch(bench, rendition, name, engine=bench.engine(retries=0))
    fresh = mirror.put("/new", film)
    await fetch(bench, video(fresh, label="1080p"), "a.mp4")
    await fetch(bench, video(fresh, label="720p"), "b.mp4")

    assert ["range" in request.headers for request in mirror.requests] == [True, False]


async def test_whole_file_that_is_there_is_the_answer(bench, film, video):
    """A kill between rename and record costs no second download."""
    rendition = video(bench.host.put("/a", film), size=len(film), size_is_exact=True)
    first = await fetch(bench, rendition)
    second = await fetch(bench, rendition)

    assert len(bench.host.requests) == 1
    assert (second.found, second.mirror, second.sha256) == (True, None, first.sha256)
    assert bench.leftovers() == ["film.mp4"]


@pytest.mark.parametrize("content", [b"my diary", b"", b"half"], ids=["text", "empty", "cut"])
async def test_other_file_under_the_name_is_left_alone(bench, film, video, content):
    """What is there and is not this rendition stays, and the error says so."""
    content = film[:5_000] if content == b"half" else content
    bench.folder.mkdir()
    (bench.folder / "film.mp4").write_bytes(content)
    with pytest.raises(NotWritable, match="another file"):
        await fetch(bench, video(bench.host.put("/a", film)))

    assert (bench.folder / "film.mp4").read_bytes() == content
    assert bench.leftovers() == ["film.mp4"]
    assert bench.host.requests == []


async def test_overwrite_replaces_what_is_there(bench, film, video, faults):
    """--overwrite fetches again; until the new file is whole the old one stays."""
    bench.folder.mkdir()
    (bench.folder / "film.mp4").write_bytes(b"old")
    rendition = video(bench.host.put("/a", film))
    bench.host.always = faults["cut"]
    with pytest.raises(Truncated):
        await fetch(bench, rendition, overwrite=True, engine=bench.engine(retries=0))
    between = (bench.folder / "film.mp4").read_bytes()
    bench.host.always = faults["straight"]
    fetched = await fetch(bench, rendition, overwrite=True)

    assert between == b"old"
    assert fetched.path.read_bytes() == film


async def test_folder_under_the_name_is_said(bench, film, video):
    """A folder where the file should go is an error, with --overwrite too."""
    (bench.folder / "film.mp4").mkdir(parents=True)
    for overwrite in (False, True):
        with pytest.raises(NotWritable):
            await fetch(bench, video(bench.host.put("/a", film)), overwrite=overwrite)

    assert (bench.folder / "film.mp4").is_dir()


async def test_folders_are_flushed_once_for_many_files(bench, film, video, monkeypatch):
    """Every file is flushed before it gets its name, its folder once for all of them, as soon as that is asked for."""
    flushed: list[str] = []

    def flush(descriptor: int, real: Callable[[int], None] = os.fsync) -> None:
        flushed.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real(descriptor)

    for name in ("a", "b"):
        (bench.folder / name).mkdir(parents=True)
    engine = bench.engine()
    monkeypatch.setattr(os, "fsync", flush)
    for number in range(6):
        rendition = video(bench.host.put(f"/{number}", film))
        await fetch(bench, rendition, name=f"{'ab'[number % 2]}/{number}.mp4", engine=engine)
    before = list(flushed)
    await engine.settle()
    await engine.settle()

    assert before == ["file"] * 6
    assert flushed[6:] == ["folder"] * 2


async def test_same_path_twice_is_fetched_once(bench, film, video, faults):
    """Two fetches of one path take turns; the second finds the file of the first."""
    rendition = video(bench.host.put("/a", film))
    bench.host.always = faults["slow"]
    engine = bench.engine()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(fetch(bench, rendition, engine=engine)) for _ in range(3)]

    assert sorted(task.result().found for task in tasks) == [False, True, True]
    assert len(bench.host.requests) == 1


async def test_complete_part_needs_no_network(bench, film, video, monkeypatch):
    """A kill between the last byte and the rename: the next run checks the part and asks nobody."""
    rendition = video(bench.host.put("/a", film))
    monkeypatch.setattr("os.link", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        await fetch(bench, rendition)
    monkeypatch.undo()
    left = bench.leftovers()
    fetched = await fetch(bench, rendition)

    assert left == ["film.mp4.part", "film.mp4.part.json"]
    assert len(bench.host.requests) == 1
    assert fetched.path.read_bytes() == film
    assert fetched.mirror is None


def _interrupted(*args: object, **kwargs: object) -> None:
    raise KeyboardInterrupt


async def test_cancel_leaves_a_part_that_goes_on(bench, film, video, faults):
    """Ctrl-C in mid-transfer: the next run fetches only what is missing."""
    rendition = video(bench.host.put("/a", film))
    bench.host.always = faults["stall"]
    bench.network.timeouts = PATIENT
    part = bench.folder / "film.mp4.part"
    task = asyncio.ensure_future(fetch(bench, rendition))
    await until(lambda: part.exists() and part.stat().st_size == len(film) // 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    bench.host.always, bench.host.sent = faults["straight"], 0
    fetched = await fetch(bench, rendition)

    assert fetched.path.read_bytes() == film
    assert bench.host.sent == len(film) - len(film) // 2


async def until(holds):
    """Wait until something holds, half a minute at most."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - a file and another process set no event
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4, 0.6, 0.8])
async def test_kill_at_any_byte_is_continued(bench, film, video, faults, child, share):
    """SIGKILL in mid-transfer: nothing under the final name, and the next run fetches only what is missing."""
    url = bench.host.put("/a", film)
    bench.host.always = faults["slow"]
    bench.folder.mkdir()
    process = await child(url, bench.folder / "film.mp4")
    await until(lambda: bench.host.sent >= len(film) * share)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    left = bench.leftovers()
    there = (bench.folder / "film.mp4.part").stat().st_size
    bench.host.always = faults["straight"]
    fetched = await fetch(bench, video(url))

    assert left == ["film.mp4.part", "film.mp4.part.json"]
    assert fetched.path.read_bytes() == film
    assert there > 0
    assert bench.host.requests[-1].headers["range"] == f"bytes={there}-"


async def test_two_processes_fetch_a_file_once(bench, film, video, faults, child):
    """Two processes on one path: one fetches, the other waits and finds the file."""
    url = bench.host.put("/a", film)
    bench.host.always = faults["slow"]
    bench.folder.mkdir()
    processes = [await child(url, bench.folder / "film.mp4") for _ in range(2)]
    said = sorted([(await process.communicate())[0].decode().split() for process in processes])

    sha256 = hashlib.sha256(film).hexdigest()
    assert said == [["fetched", sha256], ["found", sha256]]
    assert bench.host.sent == len(film)
    assert bench.leftovers() == ["film.mp4"]


async def test_part_of_a_run_without_headway_is_busy(bench, film, video):
    """A process that holds the part and adds nothing is named by its id, and nothing is touched."""
    bench.folder.mkdir()
    code = f"""
import time
from collections.abc import Callable
from pathlib import Path
from dyvine_cli.transfer.partial import Part, Promise
folder = Path({str(bench.folder)!r})
part = Part.open(folder / "film.mp4", folder, "r")
part.begin(Promise(700_000, '"abc"'))
print("ready", flush=True)
time.sleep(60)
"""
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    await holder.stdout.readline()
    try:
        with pytest.raises(Busy) as caught:
            await fetch(bench, video(bench.host.put("/a", film)))
    finally:
        holder.kill()
        await holder.communicate()
    fetched = await fetch(bench, video(bench.host.url("/a")))

    assert f"process {holder.pid}" in str(caught.value)
    assert fetched.path.read_bytes() == film


FULL_DISK = """
import asyncio, ipaddress, subprocess, sys
from collections.abc import Callable
from pathlib import Path
from dyvine_cli.errors import DyvineError
from dyvine_cli.http.network import Network
from dyvine_cli.http.reader import HttpMediaReader
from dyvine_cli.models import Rendition
from dyvine_cli.transfer.engine import Engine

async def main(url, folder, how):
    folder = Path(folder)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], check=True)
    naps = []
    async def nap(seconds):
        naps.append(seconds)
        if len(naps) == (2 if how == "later" else 0):
            (folder / "filler").write_bytes(bytes(500_000))
    if how == "before":
        (folder / "filler").write_bytes(bytes(900_000))
    network = Network(allow=[ipaddress.ip_network("127.0.0.0/8")])
    engine = Engine(HttpMediaReader(network), rate=1000, sleep=nap)
    rendition = Rendition(mirrors=(url,), ext="mp4")
    try:
        await engine.fetch(rendition, folder / "film.mp4", family="video")
    except DyvineError as exc:
        print(exc.name, exc.exit_code, exc.hint)
    print(sorted(path.name for path in folder.iterdir()))
    (folder / "filler").unlink()
    fetched = await engine.fetch(rendition, folder / "film.mp4", family="video")
    print(fetched.sha256)
    await network.aclose()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("how", "left", "again"),
    [("before", ["filler"], 1.0), ("later", ["film.mp4.part", "film.mp4.part.json", "filler"], 0.6)],
)
async def test_full_disk_is_said_and_continued(bench, film, tmp_path, faults, how, left, again):
    """A full disk ends in DiskFull before or in mid-transfer; with room made, the next run goes on."""
    url = bench.host.put("/a", film)
    bench.host.always = faults["slow"]
    volume = tmp_path / "volume"
    volume.mkdir()
    process = await asyncio.create_subprocess_exec(
        *(*name_space(), sys.executable, "-c", FULL_DISK),
        *(url, str(volume), how),
        stdout=asyncio.subprocess.PIPE,
    )
    said, names, sha256 = (await process.communicate())[0].decode().splitlines()

    assert said.startswith("DiskFull 10 make room")
    assert names == str(sorted(left))
    assert sha256 == hashlib.sha256(film).hexdigest()
    assert bench.host.sent <= len(film) * (1 + again)


async def test_symlink_in_the_chosen_folder_does_not_lead_out(bench, tmp_path, film, video):
    """A link among the folders of the path ends in an error before a byte is fetched."""
    outside = tmp_path / "outside"
    outside.mkdir()
    bench.folder.mkdir()
    (bench.folder / "user").symlink_to(outside)
    with pytest.raises(NotWritable):
        await fetch(bench, video(bench.host.put("/a", film)), "user/film.mp4")

    assert list(outside.iterdir()) == []
    assert bench.host.requests == []


async def test_errors_name_hosts_and_no_address(bench, film, video, faults):
    """A signed address never stands in an error."""
    for name in ("forbidden", "cut", "web_page", "stall_at_once", "too_many_absurd", "longer"):
        url = bench.host.put("/secret-path", film)
        bench.host.always = faults[name]
        with pytest.raises((NetworkError, RateLimited)) as caught:
            await fetch(bench, video(url), f"{name}.mp4", engine=bench.engine(retries=0))

        assert "secret" not in f"{caught.value} {caught.value.hint}"


async def test_nothing_is_left_open(bench, film, video, faults):
    """After good and bad ends no descriptor of a part or, once flushed, a folder is open, and no slot is taken."""
    engine = bench.engine(parallel=1, retries=0)
    url = bench.host.put("/a", film)
    await fetch(bench, video(url), "warm.mp4", engine=engine)
    await engine.settle()
    before = _open_files(bench.folder)
    for name in ("cut", "forbidden", "web_page", "straight"):
        bench.host.faults = [faults[name]]
        try:
            await fetch(bench, video(url), f"{name}.mp4", engine=engine)
        except NetworkError:
            continue
    await engine.settle()

    assert _open_files(bench.folder) == before == []


def _open_files(folder: Path) -> list[str]:
    targets = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return [str(target) for target in targets if str(target).startswith(str(folder))]


async def test_part_lock_is_free_after_a_fetch(bench, film, video):
    """What a fetch locked can be had again at once."""
    await fetch(bench, video(bench.host.put("/a", film)))
    part = Part.open(bench.folder / "film.mp4", bench.folder, "r")
    part.close()

    assert bench.leftovers() == ["film.mp4"]


@pytest.mark.parametrize(
    ("size", "exact", "warns"),
    [(None, False, True), (5_000_000, False, True), (50_000_000, False, False)],
    ids=["unknown", "small", "large"],
)
async def test_mere_warning_is_not_worth_hashing_a_large_file_twice(bench, film, video, size, exact, warns):
    """MD5 takes twice as long as SHA-256: where it only warns, it is left out for what is said to be large."""
    rendition = video(bench.host.put("/film", film), md5="0" * 32, md5_is_exact=exact, size=size)
    fetched = await fetch(bench, rendition)

    assert bool(fetched.warnings) is warns


async def test_exact_md5_is_held_against_a_large_file(bench, film, video):
    """A promise is worth it at any size."""
    rendition = video(bench.host.put("/film", film), md5="0" * 32, md5_is_exact=True, size=50_000_000)
    with pytest.raises(Truncated, match="MD5"):
        await fetch(bench, rendition)
