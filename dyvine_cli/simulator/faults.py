"""Every misbehaviour as a named switch: once, a number of times or until cleared, for all media or one place."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from dyvine_cli.simulator.messages import Request, Response

ANSWERS = {
    "204": "204 without a body",
    "403": "403 with a text",
    "404": "404 with a text",
    "410": "410 with a text",
    "429": "429; the value is Retry-After as it stands (default 1; absurd ones welcome)",
    "500": "500 with a text",
    "503": "503; a value is sent as Retry-After",
    "empty-200": "200 with Content-Length 0",
    "html-200": "200 with a captcha page; the value is the Content-Type (default text/html)",
    "json-200": '200 with {"status_code":0}; the value is the Content-Type (default application/json)',
    "bomb": "200 with gzip that unpacks to so many MiB of zeros (value, default 256)",
    "redirect": "302 to the value",
    "redirect-loop": "302 to the same address; with a count so many hops, then the true answer",
}
"""Another answer in place of the true one."""

CONTENT = {
    "wrong-range": "206 of another range, honestly labelled; the value is the shift in bytes (default -1000)",
    "range-ignored": "200 with the whole file for a range",
    "wrong-total": "206 whose Content-Range names another total; the value is the difference (default 1000)",
    "416": "416 for a range",
    "changed-etag": "another file of the same size under the same address; value 206: If-Range is ignored",
    "changed-size": "another file under the same address, longer by the value (default 1000)",
    "short-file": "the file ends early but consistently; the value is its size (default half)",
    "weak-etag": 'the ETag is weak (W/"...") and there is no Last-Modified',
    "no-validator": "neither ETag nor Last-Modified",
    "jpeg-for-video": "a picture's bytes; the value is the Content-Type (default image/jpeg)",
    "gzip-unasked": "the right bytes under Content-Encoding: gzip though identity was asked for",
    "expired-link": "403 for links handed out so far, new ones work; value once: each file's first links only; "
    "without count and value every link",
}
"""The file is not what it was or not what was asked for."""

WIRE = {
    "cut-body": "the body stops and the connection closes; the value is the bytes sent (default half)",
    "wrong-length": "Content-Length says longer (default), shorter or the number given; all bytes are sent",
    "surplus": "bytes after the end of the body; the value is their number (default 1000)",
    "no-length": "no Content-Length, the end is the close; value cut: it comes at half",
    "negative-length": "Content-Length: -1",
    "double-length": "two Content-Length headers that disagree",
    "chunked": "chunked coding without Content-Length",
    "cut-chunk": "chunked coding that breaks off inside a chunk",
    "stall": "half the body, then silence; value head: silence before the first byte",
    "late": "the answer comes so many seconds late (value, default 2)",
    "drip": "one byte at a time; the value is bytes a second (default 20)",
    "slow": "the value is bytes a second for this answer (default 65536)",
    "reset": "half the body, then a TCP reset; value head: before the first byte",
    "dead-mirror": "the first host of a list of mirrors closes every connection without an answer",
    "close-silently": "the right answer, then a close that was not announced",
}
"""The answer is right and its way to the client is not."""

CORE: Mapping[str, str] = {**ANSWERS, **CONTENT, **WIRE}


@dataclass(slots=True, kw_only=True)
class Fault:
    """One switch that is on.

    `count` is how often it will still happen, None for always; `skip` how many fitting requests pass before. `where`
    is a part of `FAMILY KIND METHOD HOST/PATH?QUERY` (family and kind only for media: `video h264`, `play play`).
    `ranged` is whether the request must (True) or must not (False) ask for a range, None for both.
    """

    name: str
    value: str | None = None
    count: int | None = None
    skip: int = 0
    where: str = ""
    ranged: bool | None = None

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read `NAME[:COUNT][@WHERE][=VALUE]`. Raises ValueError if COUNT is no number above 0."""
        head, given, value = text.partition("=")
        head, _, where = head.partition("@")
        name, counted, count = head.partition(":")
        if counted and not (count.isdecimal() and int(count)):
            raise ValueError(f"{text!r}: the count must be a number above 0")
        return cls(
            name=name, value=value if given else None, count=int(count) if counted else None, where=where
        )

    def fits(self, request: Request, kind: str) -> bool:
        """Whether this request is one that the switch is for; without `where`, core faults are for media only."""
        if self.ranged is not None and self.ranged != ("range" in request.headers):
            return False
        if not self.where:
            return bool(kind) or self.name not in CORE
        query = f"?{request.query}" if request.query else ""
        return self.where in f"{kind} {request.method} {request.host}{request.path}{query}"

    def number(self, default: int) -> int:
        """The value as a whole number, `default` if it is none."""
        return int(self.seconds(default))

    def seconds(self, default: float) -> float:
        """The value as a number, `default` if it is none."""
        try:
            return float(self.value or "")
        except ValueError:
            return default


class Faults:
    """The switches of one simulator; may be set from any thread.

    `taken` counts by name what happened. Platforms add their own names with `register` and ask with `take`.
    """

    def __init__(self) -> None:
        self.meanings: dict[str, str] = dict(CORE)
        self.taken: Counter[str] = Counter()
        self._on: list[Fault] = []
        self._lock = threading.Lock()

    def register(self, meanings: Mapping[str, str]) -> None:
        """Add names, each with a sentence that says what happens."""
        self.meanings.update(meanings)

    def set(
        self,
        name: str,
        *,
        value: str | int | None = None,
        count: int | None = None,
        skip: int = 0,
        where: str = "",
        ranged: bool | None = None,
    ) -> None:
        """Turn a fault on; see `Fault` for the arguments. Raises ValueError for an unknown name."""
        text = None if value is None else str(value)
        self.add(Fault(name=name, value=text, count=count, skip=skip, where=where, ranged=ranged))

    def add(self, fault: Fault) -> None:
        """Turn a fault on. Raises ValueError for an unknown name."""
        if fault.name not in self.meanings:
            raise ValueError(f"no fault {fault.name!r}; there are {', '.join(sorted(self.meanings))}")
        with self._lock:
            self._on.append(replace(fault))

    def clear(self, name: str | None = None) -> None:
        """Turn one fault off, or all."""
        with self._lock:
            self._on = [fault for fault in self._on if name is not None and fault.name != name]

    def active(self) -> list[Fault]:
        """What is on now, with the counts that are left."""
        with self._lock:
            return [replace(fault) for fault in self._on]

    def take(self, name: str, request: Request, kind: str = "") -> Fault | None:
        """The fault that happens to this request now, None for none; uses up one of its count."""
        return self.take_any((name,), request, kind)

    def take_any(self, names: Iterable[str], request: Request, kind: str = "") -> Fault | None:
        """Like `take` for the first of `names` (in the order they were set) that fits."""
        if not self._on:
            return None
        with self._lock:
            for fault in self._on:
                if fault.name in names and fault.fits(request, kind) and not self._passes(fault):
                    return self._use(fault)
        return None

    @staticmethod
    def _passes(fault: Fault) -> bool:
        """Whether this request is one of those let through first."""
        passes = fault.skip > 0
        fault.skip -= passes
        return passes

    def _use(self, fault: Fault) -> Fault:
        self.taken[fault.name] += 1
        if fault.count is not None:
            fault.count -= 1
            if fault.count == 0:
                self._on.remove(fault)
        return replace(fault)


def answer_instead(fault: Fault, request: Request) -> Response:
    """The answer that a fault of `ANSWERS` gives."""
    if fault.name in {"redirect", "redirect-loop"}:
        query = f"?{request.query}" if request.query else ""
        here = f"https://{request.host}{request.path}{query}"
        return Response(status=302, headers=[("Location", fault.value or here)])
    if fault.name == "bomb":
        packed = _zeros(fault.number(256))
        return Response(headers=[("Content-Type", "video/mp4"), ("Content-Encoding", "gzip")], body=packed)
    if fault.name.endswith("-200"):
        return _odd_success(fault)
    return _refusal(fault)


def _odd_success(fault: Fault) -> Response:
    """A 200 that is not what it should be."""
    body, mime = {
        "empty-200": (b"", "text/plain"),
        "json-200": (b'{"status_code":0}', "application/json"),
        "html-200": (CAPTCHA_PAGE, "text/html; charset=utf-8"),
    }[fault.name]
    return Response(headers=[("Content-Type", fault.value or mime)], body=body)


def _refusal(fault: Fault) -> Response:
    """A status that says no."""
    status = int(fault.name)
    headers = [("Content-Type", "text/plain")]
    waiting = fault.value or ("1" if status == 429 else None)
    if waiting is not None and status in {429, 503}:
        headers.append(("Retry-After", waiting))
    return Response(status=status, headers=headers, body=b"" if status == 204 else b"refused by a fault\n")


CAPTCHA_PAGE = (
    '<!DOCTYPE html><html><head><meta charset="utf-8"><title>验证码中间页</title></head>'
    '<body><div id="captcha_container"></div></body></html>'
).encode()


@lru_cache(maxsize=2)
def _zeros(mebibytes: int) -> bytes:
    """Gzip of so many MiB of zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(2**20)
    return b"".join(packer.compress(block) for _ in range(mebibytes)) + packer.flush()


def packed(body: bytes) -> bytes:
    """Gzip of a body."""
    return gzip.compress(body, 1, mtime=0)
