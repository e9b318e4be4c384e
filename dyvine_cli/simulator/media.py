"""The hosts that give out files: links that end, ranges, validators, Referer rules, and what may go wrong with them."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from email.utils import formatdate
from itertools import count
from urllib.parse import parse_qs, quote, urlencode

from dyvine_cli.simulator.content import CHUNK, FORMS, KINDS, Content, Seed, content, number, smallest
from dyvine_cli.simulator.faults import ANSWERS, CONTENT, Fault, Faults, answer_instead, packed
from dyvine_cli.simulator.messages import Request, Response

VIDEO_HOSTS = ("v3-web.douyinvod.com", "v26-web.douyinvod.com", "v11-weba.douyinvod.com")
PICTURE_HOSTS = ("p3-pc-sign.douyinpic.com", "p9-pc-sign.douyinpic.com", "p6-pc-sign.douyinpic.com")
SOUND_HOSTS = (
    "sf5-hl-cdn-tos.douyinstatic.com",
    "sf6-cdn-tos.douyinstatic.com",
    "lf26-music-east.douyinstatic.com",
)
AVATAR_HOST = "p3-pc.douyinpic.com"
COLD_HOST = "v96-hcc.douyinvod.com"
"""Where original uploads are kept; it refuses a Referer (Index103000, douyin.md 5.3)."""

PLAY_HOSTS = ("www.douyin.com", "www.iesdouyin.com", "aweme.snssdk.com")
PLAY_PATHS = ("/aweme/v1/play/", "/aweme/v1/playwm/")
HOSTS = {"video": VIDEO_HOSTS, "picture": PICTURE_HOSTS, "sound": SOUND_HOSTS}
DOMAINS = {
    "douyinvod.com": "video",
    "zjcdn.com": "video",
    "douyinpic.com": "picture",
    "byteimg.com": "picture",
    "douyinstatic.com": "sound",
}
REFERER = "https://www.douyin.com/"
VIDEO_LIFE = 3600
PICTURE_LIFE = 30 * 86_400
SECRETS = ("cookie", "authorization", "uifid", "x-secsdk-web-signature", "x-secsdk-csrf-token")
"""Headers that never belong to a media host."""

_NAME = re.compile(r"/o([A-Za-z0-9_-]{22})(?=[~./]|$)")
_VIDEO_PATH = re.compile(r"/(?P<sign>[0-9a-f]{32})/(?P<expires>[0-9a-f]{8})(?P<path>/video/.+)")
_MASK = hashlib.blake2b(b"names", digest_size=16).digest()
_SECRET = b"links of the simulator"
_FIRST_MODIFIED = 1_767_225_600


@dataclass(frozen=True, slots=True)
class Leak:
    """A header that a media host should not have received."""

    host: str
    path: str
    header: str


@dataclass(frozen=True, slots=True)
class Link:
    """What a link names and how it is told to be genuine: `issue` counts the answers that links were handed out in."""

    kind: str
    size: int
    seed: int
    expires: int | None
    issue: int
    genuine: bool

    @property
    def file(self) -> tuple[str, int, int]:
        """Kind, size and seed."""
        return self.kind, self.size, self.seed


@dataclass(slots=True, kw_only=True)
class _Plan:
    """What is to be served; faults change it before it becomes an answer."""

    content: Content
    mime: str
    size: int
    honours_range: bool = True
    honours_if_range: bool = True
    refuses_range: bool = False
    shift: int = 0
    wrong_total: int = 0
    strong: bool = True
    has_validator: bool = True
    packs: bool = False


class FileHosts(ABC):
    """What the media hosts of every platform have in common: files, ranges, links that end, and their faults.

    `leaks` lists every credential that arrived where none belongs. `clock` gives Unix seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.time, faults: Faults | None = None) -> None:
        self.clock = clock
        self.faults = faults if faults is not None else Faults()
        self.leaks: list[Leak] = []
        self._issues = count(1)
        self._issued = 0
        self._ended: dict[tuple[str, int, int], int] = {}
        self._renewed: set[tuple[str, int, int]] = set()

    @abstractmethod
    def kind_of(self, request: Request) -> str:
        """Family and kind of the file that is asked for, `play play` for the redirects; empty if it is no media."""

    @abstractmethod
    def is_first_mirror(self, request: Request) -> bool:
        """Whether the host is the one that the file's links name first."""

    @abstractmethod
    def _play(self, request: Request) -> Response:
        """Redirect to a fresh link of the file that the address names."""

    @abstractmethod
    def _link(self, request: Request) -> Link | None:
        """Read an address of a media host; None if it names no file."""

    @abstractmethod
    def _refuse_headers(self, request: Request, link: Link) -> Response | None:
        """What the host of this file says about the request's headers; None if they are right."""

    def content(self, kind: str, size: int, seed: Seed) -> Content:
        """The file behind the links of the same arguments; ValueError for an unknown kind or too small a size."""
        return content(kind, size, seed)

    def answer(self, request: Request) -> Response | None:
        """The answer of a media host or of a play address; None for other hosts."""
        kind = self.kind_of(request)
        if not kind:
            return None
        if request.method not in {"GET", "HEAD"}:
            return Response(status=405, headers=[("Allow", "GET, HEAD")])
        if fault := self.faults.take_any(ANSWERS, request, kind):
            return answer_instead(fault, request)
        return self._play(request) if kind == "play play" else self._file(request, kind)

    def _hand_out(self, made: Content) -> None:
        """Count an answer that hands out links of this file."""
        self._issued = next(self._issues)
        if (file := (made.kind, made.size, made.seed)) in self._ended:
            self._renewed.add(file)

    def _has_ended(self, file: tuple[str, int, int]) -> bool:
        """Whether all links of the file ended and no new ones were handed out."""
        return file in self._ended and file not in self._renewed

    def _file(self, request: Request, kind: str) -> Response:
        """One file, if the link is genuine and fresh and the headers are those its host wants."""
        link = self._link(request)
        if link is None:
            return refused(404, "no such object")
        refusal = self._refuse_secrets(request) or self._refuse_link(request, link, kind)
        refusal = refusal or self._refuse_headers(request, link)
        if refusal:
            return refusal
        made = content(*link.file)
        plan = _Plan(content=made, mime=made.form.mime, size=made.size)
        for name in _RANGE_CHANGES + _CHANGES if "range" in request.headers else _CHANGES:
            if fault := self.faults.take(name, request, kind):
                plan = _changed(plan, fault)
        return self._served(plan, request)

    def _refuse_secrets(self, request: Request) -> Response | None:
        found = [name for name in SECRETS if name in request.headers]
        self.leaks.extend(Leak(request.host, request.path, name) for name in found)
        return refused(403, "a media host takes no credentials") if found else None

    def _refuse_link(self, request: Request, link: Link, kind: str) -> Response | None:
        if not link.genuine:
            return refused(403, "the signature does not fit")
        if link.expires is not None and link.expires < self.clock():
            return refused(403, "this link has ended")
        if 0 < link.issue <= self._ended.get(link.file, 0) or self._ends_now(request, link, kind):
            return refused(403, "this link has ended")
        return None

    def _ends_now(self, request: Request, link: Link, kind: str) -> bool:
        """Whether `expired-link` happens here; with a count or `once` all links of the file end that exist by now."""
        if any(fault.value == "once" for fault in self.faults.active()) and link.file in self._ended:
            return False
        fault = self.faults.take("expired-link", request, kind)
        if fault and (fault.count is not None or fault.value == "once"):
            self._ended[link.file] = self._issued
            self._renewed.discard(link.file)
        return fault is not None

    def _served(self, plan: _Plan, request: Request) -> Response:
        """The answer that a plan becomes for this request."""
        if plan.packs:
            headers = [("Content-Type", plan.mime), ("Content-Encoding", "gzip"), ("ETag", plan.content.etag)]
            return Response(headers=headers, body=packed(plan.content.read(0, plan.size)))
        headers = [("Content-Type", plan.mime), ("Accept-Ranges", "bytes"), *_validators(plan)]
        wanted = _range_of(request, plan)
        if wanted == (0, 0) or plan.refuses_range:
            return _unsatisfiable(plan.size)
        start, end = wanted or (0, plan.size)
        if wanted:
            start, end = _shifted(start, end, plan)
            total = plan.size + plan.wrong_total
            headers.append(("Content-Range", f"bytes {start}-{end - 1}/{total}"))
        length = end - start
        body: bytes | AsyncIterator[bytes] = (
            plan.content.read(start, length) if length <= CHUNK else plan.content.chunks(start, end)
        )
        return Response(status=206 if wanted else 200, headers=headers, body=body, length=length)

    def _log_id(self) -> str:
        """Time and, in the place of random digits, the count of answers that handed out links."""
        return time.strftime("%Y%m%d%H%M%S", time.gmtime(self.clock())) + f"{self._issued:020X}"


class Media(FileHosts):
    """Douyin's media hosts; a request with one of `SECRETS` is refused."""

    def urls(
        self,
        kind: str,
        size: int,
        seed: Seed,
        *,
        life: int | None = None,
        hosts: int = 2,
        play: bool = True,
        video_id: str | None = None,
        template: str = "dy-aweme-images:q75",
        ext: str | None = None,
    ) -> list[str]:
        """Fresh addresses of one file in the platform's form, one for each of `hosts` mirrors.

        `life` is seconds, None for the usual (video 1 h, pictures 30 days; sounds never end). Videos get the play
        address as their last one, if `play`; `video_id` is its post's (`video_id()`), None for one of this file.
        `template` is the picture's name behind `~tplv-`, `ext` its ending if not the kind's own.
        """
        made = content(kind, size, seed)
        family = made.form.family
        self._hand_out(made)
        chosen = mirrors(HOSTS[family], made.seed)[:hosts]
        if family == "sound":
            return [f"https://{host}/obj/ies-music/{object_name(made)}.{made.form.ext}" for host in chosen]
        if family == "picture":
            expires = int(self.clock()) + (PICTURE_LIFE if life is None else life)
            path = f"/tos-cn-i-0813c000-ce/{object_name(made)}~tplv-{template}.{ext or made.form.ext}"
            return [self._picture_url(host, path, expires) for host in chosen]
        expires = int(self.clock()) + (VIDEO_LIFE if life is None else life)
        signed = [self._video_url(host, made, expires) for host in chosen]
        return [*signed, self.play_url(kind, size, seed, video_id=video_id)] if play else signed

    def play_url(self, kind: str, size: int, seed: Seed, *, video_id: str | None = None) -> str:
        """The address that redirects to a fresh link of exactly this file; it never ends."""
        made = content(kind, size, seed)
        query = {
            "video_id": video_id or self.video_id(size, seed),
            "line": "0",
            "file_id": pack(made.kind, made.size, made.seed).hex(),
            "sign": made.md5,
            "is_play_url": "1",
            "source": "PackSourceEnum_AWEME_DETAIL",
        }
        return f"https://www.douyin.com/aweme/v1/play/?{urlencode(query)}"

    def video_id(self, size: int, seed: Seed) -> str:
        """The `uri` of a video whose original upload (kind `original`) has this size.

        Behind `/aweme/v1/play/?video_id=…` stands the original for `ratio=default`, an H.264 transcode of half its
        size for other ratios and without one; behind `/aweme/v1/playwm/` and `watermark=1` the `watermarked` kind.
        """
        text = base64.b32hexencode(pack("original", max(size, smallest("original")), number(seed)))
        return "v0300fg10000" + text.decode().rstrip("=").lower()

    def avatar(self, seed: Seed, pixels: int = 1080) -> list[str]:
        """The address of an account's picture, a JPEG of 20 kB; unsigned and without end."""
        made = content("jpeg", 20_000, seed)
        return [
            f"https://{AVATAR_HOST}/aweme/{pixels}x{pixels}/aweme-avatar/{object_name(made)}.jpeg?from=327834062"
        ]

    def kind_of(self, request: Request) -> str:
        """Family and kind of the file that is asked for, `play play` for the redirects; empty if it is no media."""
        if self._is_play(request):
            return "play play"
        family = _family(request.host)
        if not family:
            return ""
        file = file_in(request.path)
        return f"{family} {file[0] if file else 'unknown'}"

    def is_first_mirror(self, request: Request) -> bool:
        """Whether the host is the one that the file's links name first."""
        file, family = file_in(request.path), _family(request.host)
        return bool(file and family and mirrors(HOSTS[family], file[2])[0] == request.host)

    def _is_play(self, request: Request) -> bool:
        return request.host in PLAY_HOSTS and request.path in PLAY_PATHS

    def _play(self, request: Request) -> Response:
        """Redirect to a fresh link of the file that the address names."""
        query = {name: values[-1] for name, values in parse_qs(request.query).items()}
        file = _played(request.path, query)
        if file is None:
            return refused(404, "no such video")
        if self._has_ended(file):
            return refused(403, "this address has ended")
        made = content(*file)
        host = COLD_HOST if made.kind == "original" else mirrors(VIDEO_HOSTS, made.seed)[-1]
        self._issued = next(self._issues)
        location = self._video_url(host, made, int(self.clock()) + VIDEO_LIFE)
        return Response(status=302, headers=[("Location", location), ("Cache-Control", "no-cache")])

    def _refuse_headers(self, request: Request, link: Link) -> Response | None:
        """The rules of douyin.md 5.8: transcodes want Referer and a browser, cold storage no Referer, the rest a browser."""
        if not request.headers.get("user-agent", "").startswith("Mozilla/5.0"):
            return refused(403, "no browser")
        if FORMS[link.kind].family != "video":
            return None
        referer = request.headers.get("referer", "")
        if request.host == COLD_HOST:
            return refused(403, "Index103000", ("X-CCDN-FORBID-CODE", "103000")) if referer else None
        if not referer.startswith(REFERER):
            return refused(403, "Forbidden", ("X-CCDN-FORBID-CODE", "020200"))
        return None

    def _link(self, request: Request) -> Link | None:
        """Read an address of a media host; None if it names no file."""
        file = file_in(request.path)
        if file is None or FORMS[file[0]].family != _family(request.host):
            return None
        query = parse_qs(request.query)
        issue = whole_number(query.get("l", [""])[0][14:], 16)
        if FORMS[file[0]].family == "sound" or request.host == AVATAR_HOST:
            return Link(*file, None, 0, True)
        if FORMS[file[0]].family == "picture":
            expires = whole_number(query.get("x-expires", [""])[0], 10)
            given = query.get("x-signature", [""])[0]
            wanted = _picture_signature(request.host, request.path, expires, issue)
            return Link(*file, expires, issue, given == wanted)
        parts = _VIDEO_PATH.fullmatch(request.path)
        if parts is None:
            return None
        wanted = _video_signature(request.host, parts["path"], parts["expires"], issue)
        return Link(*file, int(parts["expires"], 16), issue, parts["sign"] == wanted)

    def _video_url(self, host: str, made: Content, expires: int) -> str:
        path = f"/video/tos/cn/tos-cn-ve-15c000-ce/{object_name(made)}/"
        sign = _video_signature(host, path, f"{expires:08x}", self._issued)
        query = f"a=6383&ch=26&cr=3&dr=0&lr=all&cv=1&cs=0&mime_type=video_mp4&qs=0&l={self._log_id()}"
        return f"https://{host}/{sign}/{expires:08x}{path}?{query}"

    def _picture_url(self, host: str, path: str, expires: int) -> str:
        sign = quote(_picture_signature(host, path, expires, self._issued), safe="")
        query = f"lk3s=138a59ce&x-expires={expires}&x-signature={sign}&from=327834062"
        return f"https://{host}{path}?{query}&s=PackSourceEnum_AWEME_DETAIL&sc=image&l={self._log_id()}"


_RANGE_CHANGES = ("wrong-range", "range-ignored", "wrong-total", "416")
_CHANGES = tuple(name for name in CONTENT if name not in {*_RANGE_CHANGES, "expired-link"})


def _changed(plan: _Plan, fault: Fault) -> _Plan:
    """The plan after one fault of `CONTENT`."""
    changes: dict[str, Callable[[], _Plan]] = {
        "wrong-range": lambda: replace(plan, shift=fault.number(-1000)),
        "range-ignored": lambda: replace(plan, honours_range=False),
        "wrong-total": lambda: replace(plan, wrong_total=fault.number(1000)),
        "416": lambda: replace(plan, refuses_range=True),
        "changed-etag": lambda: _other(plan, plan.content.changed(), fault.value != "206"),
        "changed-size": lambda: _other(plan, plan.content.changed(fault.number(1000))),
        "short-file": lambda: replace(plan, size=min(plan.size, fault.number(plan.size // 2))),
        "weak-etag": lambda: replace(plan, strong=False),
        "no-validator": lambda: replace(plan, has_validator=False),
        "jpeg-for-video": lambda: _as_picture(plan, fault.value or "image/jpeg"),
        "gzip-unasked": lambda: replace(plan, packs=True),
    }
    return changes[fault.name]()


def _other(plan: _Plan, made: Content, honours_if_range: bool = True) -> _Plan:
    return replace(plan, content=made, size=made.size, honours_if_range=honours_if_range)


def _as_picture(plan: _Plan, mime: str) -> _Plan:
    made = content("jpeg", max(plan.size, smallest("jpeg")), plan.content.seed)
    return replace(plan, content=made, size=made.size, mime=mime)


def _validators(plan: _Plan) -> list[tuple[str, str]]:
    if not plan.has_validator:
        return []
    if not plan.strong:
        return [("ETag", "W/" + plan.content.etag)]
    return [("ETag", plan.content.etag), ("Last-Modified", _last_modified(plan.content))]


def _last_modified(made: Content) -> str:
    seconds = _FIRST_MODIFIED + made.seed % 8_000_000 + made.generation * 60
    return formatdate(seconds, usegmt=True)


def _range_of(request: Request, plan: _Plan) -> tuple[int, int] | None:
    """First byte and the one after the last; None for the whole file, (0, 0) if the range lies outside.

    Only single ranges are honoured, and only if `If-Range` (a strong ETag or the exact date) names this version.
    """
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", "").strip())
    if wanted is None or not (wanted[1] or wanted[2]) or not plan.honours_range or request.method != "GET":
        return None
    version = request.headers.get("if-range")
    current = [value for _, value in _validators(plan) if not value.startswith("W/")]
    if version is not None and version not in current and plan.honours_if_range:
        return None
    if not wanted[1]:
        length = min(int(wanted[2]), plan.size)
        return (plan.size - length, plan.size) if length else (0, 0)
    first, last = int(wanted[1]), int(wanted[2]) if wanted[2] else plan.size - 1
    if wanted[2] and last < first:
        return None
    return (first, min(last + 1, plan.size)) if first < plan.size else (0, 0)


def _shifted(start: int, end: int, plan: _Plan) -> tuple[int, int]:
    """The range that a plan with a shift serves: another start, inside the file."""
    if not plan.shift:
        return start, end
    other = start + plan.shift
    if not 0 <= other < plan.size:
        other = min(start + abs(plan.shift), plan.size - 1)
    return other, max(other + 1, min(end + other - start, plan.size))


def _unsatisfiable(size: int) -> Response:
    return Response(status=416, headers=[("Content-Range", f"bytes */{size}")])


def refused(status: int, reason: str, *headers: tuple[str, str]) -> Response:
    """A media host's no, with its reason as text."""
    return Response(status=status, headers=[("Content-Type", "text/plain"), *headers], body=reason.encode())


def whole_number(text: str, base: int) -> int:
    """The number that a text is, 0 if it is none."""
    try:
        return int(text, base)
    except ValueError:
        return 0


def _played(path: str, query: dict[str, str]) -> tuple[str, int, int] | None:
    """The file behind a play address: a rendition by `file_id`, else what `video_id` and `ratio` say."""
    try:
        whole = unpack(base64.b32hexdecode(query["video_id"][12:].upper() + "======"))
        chosen = unpack(bytes.fromhex(query["file_id"])) if "file_id" in query else None
    except (KeyError, ValueError):
        return None
    if whole is None or chosen:
        return chosen
    _, size, seed = whole
    if path == "/aweme/v1/playwm/" or query.get("watermark") == "1":
        return "watermarked", size, seed
    if query.get("ratio") == "default":
        return "original", size, seed
    return "h264", max(size // 2, smallest("h264")), seed


def _family(host: str) -> str:
    """What a host gives out: video, picture, sound or nothing."""
    return next((family for domain, family in DOMAINS.items() if host.endswith("." + domain)), "")


def mirrors(hosts: tuple[str, ...], seed: int) -> tuple[str, ...]:
    """The hosts in the order that this file's links name them."""
    first = seed % len(hosts)
    return hosts[first:] + hosts[:first]


def object_name(made: Content) -> str:
    """The object's name in a path; it says what the object is."""
    packed_name = pack(made.kind, made.size, made.seed)
    return "o" + base64.urlsafe_b64encode(packed_name).decode().rstrip("=")


def file_in(path: str) -> tuple[str, int, int] | None:
    """Kind, size and seed of the object that a path names; None if it names none."""
    found = _NAME.search(path)
    return unpack(base64.urlsafe_b64decode(found[1] + "==")) if found else None


def pack(kind: str, size: int, seed: int) -> bytes:
    """Sixteen bytes that name a file: kind, size, seed, checksum."""
    facts = bytes([KINDS.index(kind)]) + size.to_bytes(5, "big") + seed.to_bytes(8, "big")
    return _masked(facts + hashlib.blake2b(facts, digest_size=2).digest())


def unpack(name: bytes) -> tuple[str, int, int] | None:
    """What `_pack` packed; None for anything else."""
    plain = _masked(name)
    facts, check = plain[:14], plain[14:]
    if len(name) != 16 or check != hashlib.blake2b(facts, digest_size=2).digest() or facts[0] >= len(KINDS):
        return None
    return KINDS[facts[0]], int.from_bytes(facts[1:6], "big"), int.from_bytes(facts[6:], "big")


def _masked(name: bytes) -> bytes:
    """The bytes under a fixed mask, so that names do not all begin alike; its own inverse."""
    return bytes(left ^ right for left, right in zip(name, _MASK, strict=False))


def _video_signature(host: str, path: str, expires: str, issue: int) -> str:
    facts = f"{host}{path}{expires}{issue}".encode()
    return hashlib.blake2b(facts, digest_size=16, key=_SECRET).hexdigest()


def _picture_signature(host: str, path: str, expires: int, issue: int) -> str:
    facts = f"{host}{path}{expires}{issue}".encode()
    digest = hashlib.blake2b(facts, digest_size=20, key=_SECRET).digest()
    return base64.b64encode(digest).decode()
