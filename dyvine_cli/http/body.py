"""Bodies of API answers: read to the end, unpacked, and never larger than allowed."""

from __future__ import annotations

import zlib

from dyvine_cli.errors import Truncated, UnexpectedResponse
from dyvine_cli.http.network import Response

LARGEST = 16 * 2**20
"""Bytes of an unpacked API answer; the largest known is below 5 MB."""

ACCEPTED = "gzip, deflate"

_EITHER = zlib.MAX_WBITS | 32  # gzip or zlib, by the first bytes


async def read_body(response: Response, what: str, *, largest: int = LARGEST) -> bytes:
    """The whole unpacked body of an answer; `what` names it in errors.

    Raises UnexpectedResponse when it is larger than `largest` or packed as we did not ask for, Truncated when it breaks
    off, Timeout.
    """
    body = _unpacking(response, what, largest)
    async for chunk in response.chunks:
        body.feed(chunk)
    return body.finish()


def _unpacking(response: Response, what: str, largest: int) -> _Plain:
    encoding = (response.header("content-encoding") or "identity").strip().lower()
    if response.status in (204, 304) or encoding in ("identity", ""):
        return _Plain(what, largest)
    if encoding in ("gzip", "x-gzip", "deflate"):
        return _Packed(what, largest)
    raise UnexpectedResponse(f"{what}: packed as {encoding[:40]!r}, which was not asked for")


class _Plain:
    """A body that comes as it is."""

    def __init__(self, what: str, largest: int) -> None:
        self._what = what
        self._largest = largest
        self._body = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes from the wire."""
        self._add(chunk)

    def finish(self) -> bytes:
        """The body, once the wire has nothing more."""
        return bytes(self._body)

    def _add(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > self._largest:
            raise UnexpectedResponse(f"{self._what}: the answer is larger than {self._largest} bytes")


class _Packed(_Plain):
    """A gzip or deflate body, unpacked no further than one byte over the limit."""

    def __init__(self, what: str, largest: int) -> None:
        super().__init__(what, largest)
        self._unpacker = zlib.decompressobj(_EITHER)
        self._begun = False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes from the wire."""
        try:
            self._add(self._unpack(chunk))
        except zlib.error as exc:
            raise UnexpectedResponse(f"{self._what}: the packed answer is damaged") from exc
        self._begun = True

    def finish(self) -> bytes:
        """The body, once the wire has nothing more."""
        if self._begun and not self._unpacker.eof:
            raise Truncated(f"{self._what}: the packed answer breaks off")
        return super().finish()

    def _unpack(self, chunk: bytes) -> bytes:
        room = self._largest - len(self._body) + 1
        try:
            return self._unpacker.decompress(chunk, room)
        except zlib.error:
            if self._begun:
                raise
            self._unpacker = zlib.decompressobj(-zlib.MAX_WBITS)  # some servers call a bare stream deflate
            return self._unpacker.decompress(chunk, room)
