"""TikTok's media hosts: addresses bound to a cookie, addresses that carry their end, and the redirects on the main host."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import struct
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, quote

from dyvine_cli.simulator.content import FORMS, Content, Seed, content
from dyvine_cli.simulator.media import (
    FileHosts,
    Leak,
    Link,
    file_in,
    mirrors,
    object_name,
    pack,
    refused,
    unpack,
    whole_number,
)
from dyvine_cli.simulator.messages import Request, Response

CHAIN_HOSTS = ("v16-webapp-prime.tiktok.com", "v19-webapp-prime.tiktok.com")
"""Hosts of a page's videos: they want the cookie that the page set (tiktok.md 5.3)."""
CDN_HOSTS = ("v45.tiktokcdn-eu.com", "v77.tiktokcdn-eu.com")
"""Hosts of embedded videos and of what the redirects lead to: no cookie."""
SOUND_HOSTS = ("v16m.tiktokcdn-us.com", "v77.tiktokcdn.com")
PICTURE_HOSTS = ("p16-common-sign.tiktokcdn-eu.com", "p19-common-sign.tiktokcdn-eu.com")
SUBTITLE_HOSTS = ("v16-webapp.tiktok.com", "v16m-webapp.tiktokcdn-us.com")
PLAY = "/aweme/v1/play/"
REFERER = "https://www.tiktok.com/"
CHAIN_COOKIE = "tt_chain_token"

VIDEO_LIFE = 48 * 3600
SOUND_LIFE = 12 * 3600
PICTURE_LIFE = 47 * 3600

Family = Literal["video", "sound", "picture", "subtitle"]
SubtitleForm = Literal["webvtt", "srt", "creator_caption"]
FORMS_OF_TEXT: tuple[SubtitleForm, ...] = ("webvtt", "srt", "creator_caption")

_SECRET = b"links of the other half"
_ANYONE = "anyone"
_HOSTS: tuple[tuple[re.Pattern[str], Family], ...] = (
    (re.compile(r"v\d+-webapp-prime(?:\.us)?\.tiktok\.com"), "video"),
    (re.compile(r"v\d+m?-webapp\.tiktok(?:cdn-\w+)?\.com"), "subtitle"),
    (re.compile(r"p\d+-[\w-]+\.tiktokcdn(?:-\w+)?\.com"), "picture"),
    (re.compile(r"v\d+m?\.tiktokcdn(?:-\w+)?\.com"), "video"),
)
_CARRIED = re.compile(r"/(?P<sign>[0-9a-f]{32})/(?P<expires>[0-9a-f]{8})(?P<path>/video/.+)")
_PICTURE = re.compile(r"/(?P<name>[0-9a-f]{32})~tplv-")
_TEXT = re.compile(r"/(?P<name>[0-9a-f]{32})/$")
_SIGNATURE = re.compile(r"(?<=&signature=)[0-9a-f]*")
_SIGNATURE_V3 = re.compile(r"(?<=&signaturev3=)[^&]*")
_PICTURE_SIGNATURE = re.compile(r"(?<=&x-signature=)[^&]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who addresses are made for: `chain` is the cookie they are bound to.

    None where the channel binds its redirects to nobody and its other addresses to nothing that exists, as that of
    `/api/item/detail/` does.
    """

    chain: str | None


class TiktokMedia(FileHosts):
    """Hands out TikTok's addresses and answers them. Nothing of an address may be changed: all of it is signed."""

    # -- addresses -----------------------------------------------------------------------------------------------------

    def video(
        self, kind: str, size: int, seed: Seed, owner: Owner, *, item_id: str, video_id: str
    ) -> list[str]:
        """The three addresses of one encoding: two hosts and the redirect."""
        made = content(kind, size, seed)
        self._hand_out(made)
        expires = int(self.clock()) + VIDEO_LIFE
        path = f"/video/tos/alisg/tos-alisg-pve-0037c001/{object_name(made)}/"
        query = (
            f"a=1988&bti=ODszNWYuMDE6&&bt={size // 1024}&ft=-Csk_m.APD12NGiuNn-Ux_M5hY3W3wv251cAp&mime_type=video_mp4"
            f"&rc={_noise(made)}%3D%3D&expire={expires}&l={self._log_id()}&ply_type=2&policy=2&signature="
            f"&tk={CHAIN_COOKIE}&btag=e00088000"
        )
        sign = _digest(path, query, owner.chain or "nobody at all")
        query = _SIGNATURE.sub(sign, query)
        direct = [f"https://{host}{path}?{query}" for host in CHAIN_HOSTS]
        return [*direct, self._redirect(pack(kind, made.size, made.seed).hex(), owner, item_id, video_id)]

    def _redirect(self, file_id: str, owner: Owner, item_id: str, video_id: str) -> str:
        query = (
            f"faid=1988&file_id={file_id}&is_play_url=1&item_id={item_id}&line=0&ply_type=2&signaturev3="
            f"&tk={CHAIN_COOKIE}&video_id={video_id}"
        )
        sign = _signature_v3(_digest(PLAY, query, owner.chain or _ANYONE))
        return f"https://www.tiktok.com{PLAY}?{_SIGNATURE_V3.sub(sign, query)}"

    def embedded(self, kind: str, size: int, seed: Seed) -> str:
        """The address of a video that needs no cookie, as embed pages have it."""
        made = content(kind, size, seed)
        self._hand_out(made)
        return self._carried(mirrors(CDN_HOSTS, made.seed)[0], made, "a=1233", VIDEO_LIFE)

    def sound(self, kind: str, size: int, seed: Seed) -> str:
        """The address of a post's music."""
        made = content(kind, size, seed)
        self._hand_out(made)
        return self._carried(mirrors(SOUND_HOSTS, made.seed)[0], made, "a=1180", SOUND_LIFE)

    def _carried(self, host: str, made: Content, head: str, life: int) -> str:
        """An address that carries its end and its signature in the path."""
        path = f"/video/tos/alisg/tos-alisg-ve-37c799-sg/{object_name(made)}/"
        mime = {"mp4": "video_mp4", "mp3": "audio_mpeg", "m4a": "audio_mp4"}[made.form.ext]
        query = (
            f"{head}&bti=ODszNWYuMDE6&&bt={made.size // 1024}&ft=4d.SeDPRe2NvjVeG.VTzfuWrl6AnBnRQjlmPXtG&mime_type={mime}"
            f"&rc={_noise(made)}%3D%3D&vvpl=1&l={self._log_id()}&btag=e000bd000&sp_exp=hash_v0"
        )
        expires = f"{int(self.clock()) + life:08x}"
        return f"https://{host}/{_digest(path, query, expires)}/{expires}{path}?{query}"

    def picture(
        self, kind: str, size: int, seed: Seed, *, template: str = "tiktokx-origin.image"
    ) -> list[str]:
        """The two equal addresses of a picture; `template` is its name behind `~tplv-`."""
        made = content(kind, size, seed)
        self._hand_out(made)
        path = f"/tos-maliva-i-photomode-us/{pack(kind, made.size, made.seed).hex()}~tplv-{template}"
        query = (
            f"dr=10375&x-expires={int(self.clock()) + PICTURE_LIFE}&x-signature=&t={self._issued:08x}"
            "&ps=13740610&shp=81f88b70&shcp=9b759fb9&idc=no1a&ftpl=1"
        )
        return [
            f"https://{host}{path}?{_signed_picture(host, path, query)}"
            for host in mirrors(PICTURE_HOSTS, made.seed)
        ]

    def avatar(self, seed: Seed, edge: int = 1080) -> str:
        """The address of an account's picture."""
        return self.picture("jpeg", 20_000, seed, template=f"tiktokx-cropcenter:{edge}:{edge}.jpeg")[0]

    def subtitle(self, form: SubtitleForm, seed: int, *, video_id: str, language: str) -> list[str]:
        """The addresses of one subtitle track: two equal ones and the redirect."""
        name = _text_name(form, seed)
        host = SUBTITLE_HOSTS[seed % 2]
        direct = self._subtitle_url(host, name)
        code = quote(base64.b64encode(f"video_id;file_id;item_id.{name}".encode()).decode(), safe="")
        redirect = (
            f"https://www.tiktok.com{PLAY}?faid=1988&format={form}&is_play_url=1&language={language}&line=0"
            f"&signaturev3={code}&source=SmartPlayerSubtitleRedirect&version=4&video_id={video_id}"
        )
        return [direct, direct, redirect]

    def _subtitle_url(self, host: str, name: str) -> str:
        self._issued = next(self._issues)
        path = f"/video/tos/alisg/tos-alisg-pv-0037/{name}/"
        query = f"a=1988&bti=ODszNWYuMDE6&&bt=2051&mime_type=video_mp4&l={self._log_id()}&btag=e00048000"
        expires = f"{int(self.clock()) + VIDEO_LIFE:08x}"
        return f"https://{host}/{_digest(path, query, expires)}/{expires}{path}?{query}"

    # -- answers -------------------------------------------------------------------------------------------------------

    def kind_of(self, request: Request) -> str:
        """Family and kind of the file that is asked for, `play play` for the redirects; empty if it is no media."""
        if request.host == "www.tiktok.com" and request.path == PLAY:
            return "play play"
        family = _family(request.host)
        if family == "subtitle":
            found = _text_in(request.path)
            return f"subtitle {found[0] if found else 'unknown'}"
        file = _named(request.path)
        return (
            f"{FORMS[file[0]].family} {file[0]}" if family and file else f"{family} unknown" if family else ""
        )

    def is_first_mirror(self, request: Request) -> bool:
        """Whether the host is the one that the file's links name first."""
        file = _named(request.path)
        if file is None or not _family(request.host):
            return False
        sets = (CHAIN_HOSTS, *(mirrors(hosts, file[2]) for hosts in (CDN_HOSTS, SOUND_HOSTS, PICTURE_HOSTS)))
        return any(request.host == hosts[0] for hosts in sets)

    def _play(self, request: Request) -> Response:
        """302 to an address without cookie. The page's redirects want its cookie, the API's do not."""
        query = {name: values[-1] for name, values in parse_qs(request.query).items()}
        try:
            said = base64.b64decode(query["signaturev3"], validate=True).decode()
        except (KeyError, ValueError):
            return refused(403, "no signature")
        said = said.removeprefix("video_id;file_id;item_id.")
        self._issued = next(self._issues)
        if query.get("source") == "SmartPlayerSubtitleRedirect":
            if _text_in(f"/{said}/") is None:
                return refused(404, "no such subtitle")
            return _to(self._subtitle_url(SUBTITLE_HOSTS[1], said))
        unsigned = _SIGNATURE_V3.sub("", request.query)
        chain = _chain_of(request)
        if said not in [_digest(PLAY, unsigned, name) for name in (chain, _ANYONE) if name]:
            return refused(403, "the signature does not fit, or the cookie of its page is missing")
        file = _unhex(query.get("file_id", ""))
        if file is None:
            return refused(404, "no such video")
        if self._has_ended(file):
            return refused(403, "this address has ended")
        made = content(*file)
        return _to(self._carried(mirrors(CDN_HOSTS, made.seed)[-1], made, "a=1988", VIDEO_LIFE))

    def _file(self, request: Request, kind: str) -> Response:
        """Subtitles are texts, made at once; everything else is a file like any other."""
        if not kind.startswith("subtitle"):
            return super()._file(request, kind)
        found, parts = _text_in(request.path), _CARRIED.fullmatch(request.path)
        if found is None or parts is None:
            return refused(404, "no such object")
        genuine = parts["sign"] == _digest(parts["path"], request.query, parts["expires"])
        ends_now = self.faults.take("expired-link", request, kind) is not None
        if refusal := self._refuse_secrets(request):
            return refusal
        if not genuine or int(parts["expires"], 16) < self.clock() or ends_now:
            return refused(403, "the signature does not fit or this link has ended")
        return Response(headers=[("Content-Type", "application/octet-stream")], body=subtitle(*found))

    def _refuse_secrets(self, request: Request) -> Response | None:
        """Nothing for the CDN; hosts of tiktok.com get what browsers send, and what is not theirs is noted."""
        own = request.host.endswith(".tiktok.com")
        names = [name for name in ("authorization",) if name in request.headers]
        if own:
            self.leaks.extend(
                Leak(request.host, request.path, f"cookie {name}")
                for name in request.cookies
                if name != CHAIN_COOKIE
            )
        elif "cookie" in request.headers:
            names.append("cookie")
        self.leaks.extend(Leak(request.host, request.path, name) for name in names)
        return refused(403, "a media host takes no credentials") if names else None

    def _refuse_headers(self, request: Request, link: Link) -> Response | None:
        """Videos of a page want its Referer (reported, 2026-09-28); any user agent will do."""
        if request.host not in CHAIN_HOSTS or request.headers.get("referer", "").startswith(REFERER):
            return None
        return refused(403, "no Referer")

    def _link(self, request: Request) -> Link | None:
        file, family = _named(request.path), _family(request.host)
        if file is None or family is None or "/media-video-" in request.path:
            return None
        query = parse_qs(request.query)
        issue = whole_number(query.get("l", [""])[0][14:], 16)
        if family == "picture":
            return _picture_link(request, file, query)
        if request.host in CHAIN_HOSTS:
            given = query.get("signature", [""])[0]
            chain = _chain_of(request)
            wanted = _digest(request.path, _SIGNATURE.sub("", request.query), chain) if chain else ""
            expires = whole_number(query.get("expire", [""])[0], 10)
            return Link(*file, expires, issue, bool(given) and given == wanted)
        parts = _CARRIED.fullmatch(request.path)
        if parts is None:
            return None
        genuine = parts["sign"] == _digest(parts["path"], request.query, parts["expires"])
        return Link(*file, int(parts["expires"], 16), issue, genuine)


# -- small rules -------------------------------------------------------------------------------------------------------


def _family(host: str) -> Family | None:
    """What a host gives out, None if it is no media host of TikTok."""
    return next((family for pattern, family in _HOSTS if pattern.fullmatch(host)), None)


def _to(location: str) -> Response:
    return Response(status=302, headers=[("Location", location), ("Cache-Control", "no-cache")])


def _chain_of(request: Request) -> str:
    """The cookie that a page's addresses are bound to, empty if it did not come; quotes around it do not count."""
    return request.cookies.get(CHAIN_COOKIE, "").strip('"')


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16, key=_SECRET).hexdigest()


def _signature_v3(digest: str) -> str:
    return base64.b64encode(f"video_id;file_id;item_id.{digest}".encode()).decode().rstrip("=")


def _noise(made: Content) -> str:
    return base64.urlsafe_b64encode(made.seal * 2).decode().rstrip("=")


def _signed_picture(host: str, path: str, query: str) -> str:
    raw = base64.b64encode(bytes.fromhex(_digest(host, path, query))).decode()
    return _PICTURE_SIGNATURE.sub(quote(raw, safe=""), query)


def _picture_link(request: Request, file: tuple[str, int, int], query: dict[str, list[str]]) -> Link:
    unsigned = _PICTURE_SIGNATURE.sub("", request.query)
    genuine = request.query == _signed_picture(request.host, request.path, unsigned)
    expires = whole_number(query.get("x-expires", [""])[0], 10)
    return Link(*file, expires, whole_number(query.get("t", [""])[0], 16), genuine)


def _unhex(name: str) -> tuple[str, int, int] | None:
    try:
        return unpack(bytes.fromhex(name))
    except ValueError:
        return None


def _named(path: str) -> tuple[str, int, int] | None:
    """Kind, size and seed of the object that a path names; None if it names none."""
    found = _PICTURE.search(path)
    return _unhex(found["name"]) if found else file_in(path)


# -- subtitles ---------------------------------------------------------------------------------------------------------

_TEXT_MARK = b"text"
_LINES = (
    "So this is where it began.", "Wait for it…", "You have to stir, never shake.", "[music]", "I did not expect that.",
    "Look at the cat.", "¿Ya está?", "C’est presque fini.", "One more time!", "See you tomorrow 👋",
)  # fmt: skip


def _text_name(form: SubtitleForm, seed: int) -> str:
    facts = _TEXT_MARK + bytes([FORMS_OF_TEXT.index(form)]) + struct.pack(">Q", seed)
    return (facts + hashlib.blake2b(facts, digest_size=3).digest()).hex()


def _text_in(path: str) -> tuple[SubtitleForm, int] | None:
    """Form and seed of the subtitle that a path names; None if it names none."""
    found = _TEXT.search(path)
    if found is None:
        return None
    raw = bytes.fromhex(found["name"])
    if raw[:4] != _TEXT_MARK or raw[4] >= len(FORMS_OF_TEXT):
        return None
    form, (seed,) = FORMS_OF_TEXT[raw[4]], struct.unpack(">Q", raw[5:13])
    return (form, seed) if _text_name(form, seed) == found["name"] else None


def subtitle(form: SubtitleForm, seed: int) -> bytes:
    """A real small subtitle file: five to nine lines of two seconds."""
    draw = random.Random(f"subtitle {seed}")
    cues = [(n * 2500, n * 2500 + 2000, draw.choice(_LINES)) for n in range(draw.randrange(5, 10))]
    if form == "creator_caption":
        lines = [{"start_time": start, "end_time": end, "text": text} for start, end, text in cues]
        return json.dumps({"utterances": lines}, ensure_ascii=False).encode()
    if form == "srt":
        blocks = [
            f"{n}\n{_time(start, ',')} --> {_time(end, ',')}\n{text}\n"
            for n, (start, end, text) in enumerate(cues, 1)
        ]
        return "\n".join(blocks).encode()
    blocks = [f"{_time(start, '.')} --> {_time(end, '.')}\n{text}\n" for start, end, text in cues]
    return ("WEBVTT\n\n" + "\n".join(blocks)).encode()


def _time(ms: int, point: str) -> str:
    """`00:00:02` and the milliseconds behind a point or a comma."""
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{ms:03}"
