"""The simulator's files and the hosts that give them out, asked without sockets."""

from __future__ import annotations

import hashlib
import io
from urllib.parse import urlsplit

import av
import pytest
from PIL import Image

from dyvine_cli.simulator.app import Clock
from dyvine_cli.simulator.content import FORMS, KINDS, content, smallest
from dyvine_cli.simulator.faults import Faults
from dyvine_cli.simulator.media import COLD_HOST, Media
from dyvine_cli.simulator.messages import Request, Response

pytestmark = pytest.mark.anyio

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64)", "referer": "https://www.douyin.com/"}
PICTURES = ("jpeg", "webp", "png")
CONTAINERS = tuple(kind for kind in KINDS if kind not in PICTURES)
ROOMS = (0, 1, 7, 64, 5_001, 70_000, 300_001)


def ask(media: Media, url: str, **headers: str) -> Response:
    """What the media hosts answer to a browser."""
    return sent(media, url, {**BROWSER, **headers})


def sent(media: Media, url: str, headers: dict[str, str], method: str = "GET") -> Response:
    """What the media hosts answer to exactly these headers."""
    parts = urlsplit(url)
    request = Request(
        method=method, host=parts.netloc, path=parts.path, query=parts.query, headers=dict(headers)
    )
    answer = media.answer(request)
    assert answer is not None
    return answer


def header(response: Response, name: str) -> str | None:
    """The value of one header."""
    return dict(response.headers).get(name)


async def whole(response: Response) -> bytes:
    """The body, however it is sent."""
    if isinstance(response.body, bytes):
        return response.body
    return b"".join([chunk async for chunk in response.body])


@pytest.fixture
def media() -> Media:
    """Media hosts at a fixed time."""
    return Media(Clock(lambda: 1_790_000_000.0), Faults())


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("kind", KINDS)
def test_size_is_met_to_the_byte(kind: str, room: int) -> None:
    """Every kind has the size that was asked for, a WebP at most one byte more."""
    made = content(kind, smallest(kind) + room, 5)

    assert len(made.read()) == made.size
    assert made.size - smallest(kind) - room == (made.size - smallest(kind) != room)
    assert made.size == smallest(kind) + room or kind == "webp"


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("kind", CONTAINERS)
def test_videos_and_sounds_decode(kind: str, room: int) -> None:
    """FFmpeg decodes every frame whatever the padding."""
    made = content(kind, smallest(kind) + room, 5)
    with av.open(io.BytesIO(made.read())) as container:
        streams = {stream.type: stream.codec_context.name for stream in container.streams}
        frames = sum(1 for _ in container.decode(container.streams[0]))

    codec = {"h265": "hevc", "heic": "hevc", "mp3": "mp3float", "m4a": "aac"}.get(kind, "h264")
    assert codec in streams.values()
    assert frames == {"heic": 1, "mp3": 78, "m4a": 87}.get(kind, 24)
    assert ("audio" in streams) == (kind not in {"dash", "heic"})


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_decode(kind: str, room: int) -> None:
    """Pillow loads the picture in the pixels that the form names."""
    made = content(kind, smallest(kind) + room, 5)
    with Image.open(io.BytesIO(made.read())) as picture:
        picture.load()
        size = picture.size

    assert size == (FORMS[kind].width, FORMS[kind].height)


@pytest.mark.parametrize("kind", KINDS)
def test_reading_in_pieces_gives_the_same_bytes(kind: str) -> None:
    """Any piece equals the same slice of the whole."""
    made = content(kind, 900_001, 7)
    full = made.read()
    places = [(0, 10), (1, 300_000), (262_143, 3), (524_288, 262_144), (899_990, 50), (900_002, 5)]

    assert [made.read(start, length) for start, length in places] == [
        full[start : start + length] for start, length in places
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [20_000, 262_200, 40_000_003])
def test_hashes_are_those_of_the_bytes(kind: str, size: int) -> None:
    """`md5` and `sha256` agree with the bytes, the short way of MP4 included."""
    made = content(kind, size, 11)
    full = made.read()

    assert made.md5 == hashlib.md5(full).hexdigest()
    assert made.sha256 == hashlib.sha256(full).hexdigest()


def test_other_seed_size_or_version_is_other_bytes() -> None:
    """No two files can be spliced unnoticed: they differ in the first and in the last padding."""
    first = content("h264", 500_000, 1)
    others = [content("h264", 500_000, 2), content("h264", 500_001, 1), first.changed(), first.changed(10)]

    assert all(other.read(490_000) != first.read(490_000) for other in others)
    assert first.changed().read(20_000, 1000) != first.read(20_000, 1000)
    assert len({first.etag, *(other.etag for other in others)}) == 5


def test_a_piece_at_a_wrong_round_offset_is_wrong() -> None:
    """The padding does not repeat at any MiB."""
    made = content("h264", 9_000_000, 1)
    pieces = {made.read(30_000 + n * 2**20, 100) for n in range(8)}

    assert len(pieces) == 8


def test_a_size_too_small_is_refused() -> None:
    """A file cannot be smaller than its base."""
    with pytest.raises(ValueError, match="at least"):
        content("h264", 100, 1)


def test_package_files_are_small() -> None:
    """The tiny files together stay under 60 kB."""
    assert sum(smallest(kind) for kind in {form.file: kind for kind, form in FORMS.items()}.values()) < 60_000


@pytest.mark.parametrize("kind", KINDS)
async def test_every_address_of_a_file_gives_its_bytes(media: Media, kind: str) -> None:
    """All mirrors, and the play address by its redirect, lead to the same bytes with their type and length."""
    made = media.content(kind, 400_000, "7372")
    for url in media.urls(kind, 400_000, "7372", hosts=3):
        answer = ask(media, url)
        if answer.status == 302:
            headers = {
                name: value for name, value in BROWSER.items() if kind != "original" or name != "referer"
            }
            answer = sent(media, header(answer, "Location") or "", headers)
        body = await whole(answer)

        assert answer.status == 200
        assert header(answer, "Content-Type") == made.form.mime
        assert answer.length == 400_000
        assert hashlib.sha256(body).hexdigest() == made.sha256


def test_play_address_carries_the_hash(media: Media) -> None:
    """`sign` of a play address is the rendition's MD5 (`file_hash`)."""
    url = media.urls("h265", 300_000, 3)[-1]

    assert f"sign={media.content('h265', 300_000, 3).md5}" in url


async def test_mirrors_begin_at_different_hosts(media: Media) -> None:
    """Not all files have the same first host, and the first is known as such."""
    urls = [media.urls("h264", 20_000, seed)[0] for seed in range(6)]

    assert len({urlsplit(url).netloc for url in urls}) == 3


@pytest.mark.parametrize(
    ("wanted", "status", "content_range", "length"),
    [
        pytest.param("bytes=0-99", 206, "bytes 0-99/20000", 100, id="first"),
        pytest.param("bytes=100-", 206, "bytes 100-19999/20000", 19_900, id="open"),
        pytest.param("bytes=-5", 206, "bytes 19995-19999/20000", 5, id="suffix"),
        pytest.param("bytes=19990-90000", 206, "bytes 19990-19999/20000", 10, id="beyond"),
        pytest.param("bytes=-90000", 206, "bytes 0-19999/20000", 20_000, id="long suffix"),
        pytest.param("bytes=20000-", 416, "bytes */20000", None, id="outside"),
        pytest.param("bytes=-0", 416, "bytes */20000", None, id="empty suffix"),
        pytest.param("bytes=5-2", 200, None, 20_000, id="backwards"),
        pytest.param("bytes=0-1,5-6", 200, None, 20_000, id="several"),
        pytest.param("lines=0-1", 200, None, 20_000, id="other unit"),
        pytest.param("bytes=-", 200, None, 20_000, id="nothing"),
    ],
)
async def test_ranges(
    media: Media, wanted: str, status: int, content_range: str | None, length: int | None
) -> None:
    """Single ranges are answered as RFC 9110 says, others ignored."""
    made = media.content("mp3", 20_000, 1)
    answer = ask(media, media.urls("mp3", 20_000, 1)[0], range=wanted)
    body = await whole(answer)

    assert answer.status == status
    assert header(answer, "Content-Range") == content_range
    assert answer.length == length
    if status == 206 and content_range:
        start = int(content_range.split()[1].split("-")[0])
        assert body == made.read(start, length)


@pytest.mark.parametrize(("which", "status"), [("etag", 206), ("date", 206), ("other", 200), ("weak", 200)])
def test_if_range_decides_whether_a_range_is_given(media: Media, which: str, status: int) -> None:
    """Only the strong validator of this version, or its exact date, lets a range through."""
    url = media.urls("h264", 20_000, 1)[0]
    first = ask(media, url)
    given = {
        "etag": header(first, "ETag"),
        "date": header(first, "Last-Modified"),
        "other": '"0123"',
        "weak": f"W/{header(first, 'ETag')}",
    }[which]

    assert ask(media, url, **{"range": "bytes=10-", "if-range": given or ""}).status == status


def test_head_promises_what_get_sends(media: Media) -> None:
    """HEAD has the headers of GET; other methods are refused."""
    url = media.urls("jpeg", 20_000, 1)[0]
    head = sent(media, url, BROWSER, "HEAD")

    assert (head.status, head.length) == (200, 20_000)
    assert sent(media, url, BROWSER, "POST").status == 405


@pytest.mark.parametrize("kind", ["h264", "jpeg"])
def test_links_end(media: Media, kind: str) -> None:
    """A link answers until its time and 403 after it; a longer life lasts longer."""
    short, long = media.urls(kind, 20_000, 1, life=60)[0], media.urls(kind, 20_000, 1, life=7200)[0]
    before = ask(media, short).status
    media.clock.advance(61)

    assert before == 200
    assert ask(media, short).status == 403
    assert ask(media, long).status == 200


@pytest.mark.parametrize("kind", ["mp3", "play", "avatar"])
def test_some_addresses_never_end(media: Media, kind: str) -> None:
    """Sounds, play addresses and avatars work for ever."""
    url = {
        "mp3": media.urls("mp3", 20_000, 1)[0],
        "play": media.play_url("h264", 20_000, 1),
        "avatar": media.avatar(1)[0],
    }[kind]
    media.clock.advance(10_000_000)

    assert ask(media, url).status in {200, 302}


@pytest.mark.parametrize("kind", ["h264", "jpeg"])
def test_a_changed_link_is_refused(media: Media, kind: str) -> None:
    """Signature, end, host and issue belong together."""
    url = media.urls(kind, 20_000, 1)[0]
    parts = urlsplit(url)
    other = {"h264": "v99-web.douyinvod.com", "jpeg": "p99-sign.douyinpic.com"}[kind]

    assert ask(media, url.replace(parts.netloc, other)).status == 403
    assert ask(media, url[:-1] + ("0" if url[-1] != "0" else "1")).status == 403


@pytest.mark.parametrize(
    ("kind", "headers", "status"),
    [
        pytest.param("h264", BROWSER, 200, id="transcode with referer"),
        pytest.param("h264", {"user-agent": "Mozilla/5.0"}, 403, id="transcode without referer"),
        pytest.param(
            "h264", {**BROWSER, "referer": "https://evil.example/"}, 403, id="transcode with another"
        ),
        pytest.param("h264", {"referer": BROWSER["referer"], "user-agent": "curl/8"}, 403, id="no browser"),
        pytest.param("jpeg", {"user-agent": "Mozilla/5.0"}, 200, id="picture without referer"),
        pytest.param("mp3", {"user-agent": "Mozilla/5.0"}, 200, id="sound without referer"),
        pytest.param("mp3", {}, 403, id="nothing at all"),
    ],
)
def test_header_rules(media: Media, kind: str, headers: dict[str, str], status: int) -> None:
    """Each host wants what douyin.md 5.8 says."""
    answer = sent(media, media.urls(kind, 20_000, 1)[0], headers)

    assert answer.status == status
    if kind == "h264" and status == 403 and headers["user-agent"].startswith("Mozilla"):
        assert header(answer, "X-CCDN-FORBID-CODE") == "020200"


def test_cold_storage_refuses_a_referer(media: Media) -> None:
    """The original upload comes from a host that answers only without Referer."""
    video_id = media.video_id(50_000, 4)
    address = f"https://www.iesdouyin.com/aweme/v1/play/?video_id={video_id}&ratio=default&line=0"
    target = header(ask(media, address), "Location") or ""
    answer = sent(media, target, {"user-agent": "Mozilla/5.0"})

    assert urlsplit(target).netloc == COLD_HOST
    assert ask(media, target).status == 403
    assert (answer.status, answer.length) == (200, 50_000)


@pytest.mark.parametrize(
    ("path", "query", "kind"),
    [("play", "", "h264"), ("play", "&ratio=720p", "h264"), ("playwm", "", "watermarked")],
)
def test_play_addresses_without_a_file(media: Media, path: str, query: str, kind: str) -> None:
    """A bare `video_id` gives a transcode, `playwm` the watermarked one."""
    url = f"https://aweme.snssdk.com/aweme/v1/{path}/?video_id={media.video_id(60_000, 4)}{query}"
    target = header(ask(media, url), "Location") or ""
    parts = urlsplit(target)
    request = Request(method="GET", host=parts.netloc, path=parts.path, query=parts.query, headers={})

    assert media.kind_of(request) == f"video {kind}"
    assert ask(media, url.replace("video_id=v0", "video_id=x0x")).status == 404


@pytest.mark.parametrize("name", ["cookie", "authorization", "uifid"])
def test_credentials_at_a_media_host_are_refused_and_noted(media: Media, name: str) -> None:
    """Whoever sends a login to a media host gets 403 and stands in `leaks`."""
    answer = ask(media, media.urls("h264", 20_000, 1)[0], **{name: "secret"})

    assert answer.status == 403
    assert [leak.header for leak in media.leaks] == [name]


def test_unknown_objects_are_not_found(media: Media) -> None:
    """A path without an object, or with one of another family, is 404; other hosts are none of ours."""
    request = Request(method="GET", host="www.tiktok.com", path="/", query="", headers={})

    assert ask(media, "https://v3-web.douyinvod.com/nothing").status == 404
    assert (
        ask(media, media.urls("mp3", 20_000, 1)[0].replace("sf6-cdn-tos.douyinstatic", "p3.douyinpic")).status
        == 404
    )
    assert media.answer(request) is None
