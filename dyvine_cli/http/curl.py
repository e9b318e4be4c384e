"""Connections that speak TLS and HTTP/2 like a browser, by way of curl_cffi (extra `impersonate`).

curl gets no say in where a connection leads: it speaks into a tunnel whose other end is opened like every other connection
here, so looking up, address rules, proxies and connect-to are the same. Cookies, redirects and unpacking are off.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import ssl
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path

import httpcore
from curl_cffi import Curl, CurlError, CurlHttpVersion, CurlOpt
from curl_cffi.requests import BrowserType

from dyvine_cli.errors import NetworkError
from dyvine_cli.http import tls
from dyvine_cli.http.failures import BrokenHandshake
from dyvine_cli.http.sockets import CHUNK, Opener, Stream

_AHEAD = 8  # chunks of a body that curl may be ahead of its reader
_LARGEST_HEAD = 100_000  # bytes, as h11 has it
_DIGITS = 20  # of a length
_IDLE = 30.0  # seconds that an unused connection is kept
_THREADS = 16
_STOP = 0xFFFFFFFF  # what a callback gives to end the transfer (CURL_WRITEFUNC_ERROR)
_PLACES = count()

_STATUS_LINE = re.compile(rb"HTTP/[0-9.]{1,4} ([1-5][0-9]{2})(?:[ \r\n]|$)")
_FIELD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_UNSAFE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_TOLD = re.compile(r"curl: \(\d+\) (.*?)\.? See https?://", re.DOTALL)

# libcurl's error codes (https://curl.se/libcurl/c/libcurl-errors.html)
_HANDSHAKE, _UNTRUSTED, _TIMED_OUT = 35, (51, 60), 28
_CUT = (18, 52, 55, 56, 92)
_BROKEN = re.compile(r"SYSCALL|ZERO_RETURN|EOF|reset|closed", re.IGNORECASE)

_ORDER = [
    "host",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "upgrade-insecure-requests",
    "user-agent",
    "content-type",
    "accept",
    "origin",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-user",
    "sec-fetch-dest",
    "referer",
    "accept-encoding",
    "accept-language",
    "cookie",
]
"""How Chrome puts its headers; others come before the cookies, in the order in which the site gave them."""


def targets() -> tuple[str, ...]:
    """The browsers that the installed curl_cffi knows, by its names."""
    return tuple(each.value for each in BrowserType)


class Workshop:
    """What the connections of a network share: threads, a private folder, the authorities of `trust`.

    `by_port` leads curl to a tunnel by a port of the loopback, where asyncio has no sockets in folders.
    """

    def __init__(self, trust: ssl.SSLContext, *, by_port: bool = sys.platform == "win32") -> None:
        self._by_port = by_port
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="curl")
        self._folder = Path(tempfile.mkdtemp(prefix="dyvine-"))
        self._authorities: Path | None = None
        if trust.verify_mode != ssl.CERT_NONE:
            self._authorities = self._folder / "authorities.pem"
            found = trust.get_ca_certs(binary_form=True)
            self._authorities.write_text("".join(map(ssl.DER_cert_to_PEM_cert, found)), encoding="ascii")

    def connection(self, host: str, opener: Opener, target: str) -> httpcore.AsyncConnectionInterface:
        """A connection to `host` that `opener` makes, for one request at a time; `target` is whom it imitates."""
        tunnel = Tunnel(opener, None if self._by_port else self._folder / str(next(_PLACES)))
        return Connection(host, tunnel, target, self._authorities, self._threads)

    def close(self) -> None:
        """Remove the folder; connections must be closed before."""
        self._threads.shutdown(wait=False)
        shutil.rmtree(self._folder, ignore_errors=True)


class Tunnel:
    """Leads what curl says to where `opener` leads, and back; `fault` is why that could not be opened.

    Its near end is the socket `place`, in a private folder; for None it is one `port` of the loopback.
    `heard` is when the last bytes came from the other side.
    """

    def __init__(self, opener: Opener, place: Path | None) -> None:
        self._opener = opener
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.place = place
        self.port = 0
        self.fault: Exception | None = None
        self.opening = False
        self.heard = 0.0
        self.ended = False

    async def listen(self) -> None:
        """Make the near end."""
        if self._server is not None:
            return
        if self.place is None:
            self._server = await asyncio.start_server(self._lead, "127.0.0.1", 0, limit=CHUNK)
            self.port = self._server.sockets[0].getsockname()[1]
        else:
            self._server = await asyncio.start_unix_server(self._lead, self.place, limit=CHUNK)

    def close(self) -> None:
        """Break everything off."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        self.ended = True

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of curl's, from its beginning to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.opening, self.ended, self.fault = True, False, None
        try:
            far = await self._open()
            if far is not None:
                await self._pass_on(reader, writer, far)
        except asyncio.CancelledError:
            writer.transport.abort()  # the task ends here: it was `close` that cancelled it
        finally:
            self.ended = True
            writer.close()
            self._tasks.discard(task)

    async def _open(self) -> Stream | None:
        try:
            return await self._opener()
        except (NetworkError, httpcore.TimeoutException, httpcore.NetworkError) as exc:
            self.fault = exc
            return None
        finally:
            self.opening = False
            self.heard = time.monotonic()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, far: Stream) -> None:
        """Both directions, until one of them ends."""

        async def back() -> None:
            while data := await far.take():
                self.heard = time.monotonic()
                writer.write(data)
                await writer.drain()

        async def forth() -> None:
            while data := await reader.read(CHUNK):
                await far.write(data)

        async def one(way: Callable[[], Awaitable[None]]) -> None:
            with suppress(OSError, httpcore.NetworkError, httpcore.TimeoutException):
                await way()
            for task in tasks:
                task.cancel()

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(way)) for way in (back, forth)]
        finally:
            await far.aclose()


class Connection(httpcore.AsyncConnectionInterface):
    """One connection that curl speaks over, in a thread while it has a request.

    `authorities` None takes any certificate.
    """

    def __init__(
        self, host: str, tunnel: Tunnel, target: str, authorities: Path | None, threads: ThreadPoolExecutor
    ) -> None:
        self._host = host
        self._tunnel = tunnel
        self._target = target
        self._authorities = authorities
        self._threads = threads
        self._curl = Curl(cacert=str(authorities or ""))
        self._transfer: _Transfer | None = None
        self._closed = False

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request and give the head of its answer. Raises httpcore's errors, TLSFailure and the opener's."""
        limits = request.extensions.get("timeout", {})
        headers = _fields(request.headers)
        content = b"".join([part async for part in _parts(request)])
        await self._tunnel.listen()
        self._tunnel.fault = None
        loop = asyncio.get_running_loop()
        transfer = self._transfer = _Transfer(loop, self._tunnel, limits.get("read"))
        self._set_up(request, headers, content, transfer)
        transfer.thread = loop.run_in_executor(self._threads, self._perform, transfer)
        head = await transfer.head()
        if head is None:
            raise self._fault(await transfer.outcome())
        status, received = head
        body = _Body(transfer, self._fault, _promised(request.method, status, received))
        return httpcore.Response(status, headers=received, content=body)

    def _set_up(
        self, request: httpcore.Request, headers: list[bytes], content: bytes, transfer: _Transfer
    ) -> None:
        curl = self._curl
        curl.reset()
        if curl.impersonate(self._target, default_headers=False):
            raise httpcore.UnsupportedProtocol(f"curl_cffi does not know {self._target}")
        method = request.method.decode("ascii")
        options: dict[CurlOpt, object] = {
            CurlOpt.URL: _url(request.url, self._tunnel.port),
            CurlOpt.PATH_AS_IS: 1,
            CurlOpt.CUSTOMREQUEST: method,
            CurlOpt.NOBODY: int(method == "HEAD"),
            CurlOpt.HTTP_VERSION: CurlHttpVersion.V2TLS,
            CurlOpt.PROXY: "",  # no variable of the environment names one: the tunnel has it
            CurlOpt.NOSIGNAL: 1,
            CurlOpt.FOLLOWLOCATION: 0,
            CurlOpt.HTTP_CONTENT_DECODING: 0,
            CurlOpt.SSL_VERIFYPEER: int(self._authorities is not None),
            CurlOpt.SSL_VERIFYHOST: 2 if self._authorities is not None else 0,
            CurlOpt.HEADERFUNCTION: transfer.take_header,
            CurlOpt.WRITEFUNCTION: transfer.take_body,
            **self._way(),
        }
        if content or method == "POST":
            options |= {CurlOpt.POSTFIELDSIZE: len(content), CurlOpt.POSTFIELDS: content}
        for option, value in options.items():
            curl.setopt(option, value)
        curl.setopt(CurlOpt.HTTPHEADER, headers)

    def _way(self) -> dict[CurlOpt, object]:
        """The options that lead to the near end of the tunnel."""
        if self._tunnel.place is not None:
            return {CurlOpt.UNIX_SOCKET_PATH: str(self._tunnel.place)}
        return {CurlOpt.RESOLVE: [f"{self._host}:{self._tunnel.port}:127.0.0.1"]}

    def _perform(self, transfer: _Transfer) -> None:
        """In a thread: the whole exchange."""
        fault: CurlError | None = None
        try:
            self._curl.perform()
        except CurlError as exc:
            fault = exc
        transfer.finish(fault)

    def _fault(self, exc: CurlError | None) -> Exception:
        """Why an exchange ended before its end, as the errors that the other connections raise."""
        if self._tunnel.fault is not None:
            return self._tunnel.fault
        transfer = self._transfer
        if transfer is not None and transfer.refusal:
            return httpcore.RemoteProtocolError(transfer.refusal)
        if exc is None:
            return httpcore.RemoteProtocolError("no answer came")
        told = _TOLD.search(str(exc))
        said = told[1] if told else f"curl error {exc.code}"
        if exc.code in _UNTRUSTED:
            return tls.untrusted(self._host, said)
        if exc.code == _HANDSHAKE:
            return BrokenHandshake(said) if _BROKEN.search(said) else tls.no_tls(self._host, said)
        if exc.code == _TIMED_OUT:
            return httpcore.ReadTimeout(said)
        if exc.code in _CUT:
            return httpcore.ReadError(said)
        return httpcore.RemoteProtocolError(said)

    # --- httpcore's questions -------------------------------------------------------------------------------------

    def is_available(self) -> bool:
        """Whether another request can be sent."""
        is_free = self._transfer is None or self._transfer.ended is not None
        return is_free and not self._closed and not self._tunnel.ended

    def has_expired(self) -> bool:
        """Whether it was unused for too long, or its other end is gone."""
        ended = self._transfer.ended if self._transfer else None
        return self._tunnel.ended or (ended is not None and time.monotonic() - ended > _IDLE)

    def is_idle(self) -> bool:
        """Whether no request is on its way."""
        return self.is_available()

    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def can_handle_request(self, origin: httpcore.Origin) -> bool:
        """Whether it leads to `origin`."""
        return origin.host == self._host.encode()

    def info(self) -> str:
        """What it is, for people."""
        return f"curl as {self._target}"

    async def aclose(self) -> None:
        """Break off what is on its way, and close."""
        self._closed = True
        self._tunnel.close()
        transfer, self._transfer = self._transfer, None
        if transfer is not None and not await transfer.give_up():
            return  # the thread still uses it; it is cleaned up with the object
        self._curl.close()


class _Transfer:
    """One exchange on its way from curl's thread to its reader, a few chunks ahead of it at most.

    `limit` is seconds of silence, None for no limit. `refusal` is why we ended it ourselves; `ended` is when it came to a
    good end.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, tunnel: Tunnel, limit: float | None) -> None:
        self._loop = loop
        self._tunnel = tunnel
        self._limit = limit
        self._came = asyncio.Event()
        self._chunks: deque[bytes] = deque()
        self._head: tuple[int, list[tuple[bytes, bytes]]] | None = None
        self._lines: list[bytes] = []
        self._size = 0
        self._room = threading.Semaphore(_AHEAD)
        self._left = False
        self._done = False
        self._error: CurlError | None = None
        self.refusal = ""
        self.ended: float | None = None
        self.thread: asyncio.Future[None] | None = None

    # --- in curl's thread -----------------------------------------------------------------------------------------

    def take_header(self, line: bytes) -> int:
        """One line of a head; what follows a body is left out."""
        if self._head is not None:
            return len(line)
        self._size += len(line)
        if self._size > _LARGEST_HEAD:
            self.refusal = "the head of the answer does not end"
            return _STOP
        if line.strip():
            self._lines.append(line)
            return len(line)
        return self._end_head(len(line))

    def _end_head(self, size: int) -> int:
        first, *fields = self._lines or [b""]
        found = _STATUS_LINE.match(first)
        if found is None:
            self.refusal = "the answer has no status"
            return _STOP
        self._lines = []
        status = int(found[1])
        if status >= 200:
            pairs = (line.partition(b":") for line in fields)
            self._head = status, [(name.strip(), value.strip()) for name, colon, value in pairs if colon]
            self._tell()
        return size

    def take_body(self, data: bytes) -> int:
        """A piece of a body; waits while the reader is behind."""
        self._room.acquire()
        if self._left:
            return _STOP
        self._chunks.append(bytes(data))
        self._tell()
        return len(data)

    def finish(self, error: CurlError | None) -> None:
        """Nothing more comes."""
        self._error = error
        self._done = True
        self._tell()

    def _tell(self) -> None:
        if not self._left:
            self._loop.call_soon_threadsafe(self._came.set)

    # --- for the reader -------------------------------------------------------------------------------------------

    async def head(self) -> tuple[int, list[tuple[bytes, bytes]]] | None:
        """Status and headers; None if none came. Raises httpcore.ReadTimeout."""
        await self._until(lambda: self._head is not None or self._done)
        return self._head

    async def chunk(self) -> bytes | None:
        """The next piece of the body, None at its end. Raises httpcore.ReadTimeout."""
        await self._until(lambda: bool(self._chunks) or self._done)
        if not self._chunks:
            return None
        self._room.release()
        return self._chunks.popleft()

    async def outcome(self) -> CurlError | None:
        """What curl says of the whole once it is over."""
        if self.thread is not None:
            await self.thread
        if self._error is None:
            self.ended = time.monotonic()
        return self._error

    async def give_up(self) -> bool:
        """End the exchange wherever it is; False if its thread does not end."""
        self._left = True
        self._room.release()
        if self.thread is None:
            return True
        done, _ = await asyncio.wait([self.thread], timeout=1)
        return bool(done)

    async def _until(self, ready: Callable[[], bool]) -> None:
        """Wait; every byte on the wire begins the limit anew, and opening the way there has limits of its own."""
        since = time.monotonic()
        while True:
            self._came.clear()
            if ready():
                return
            left = self._limit and max(since, self._tunnel.heard) + self._limit - time.monotonic()
            if left is not None and left <= 0 and not self._tunnel.opening:
                raise httpcore.ReadTimeout("silence")
            with suppress(TimeoutError):
                async with asyncio.timeout(None if left is None else max(left, 0.05)):
                    await self._came.wait()


class _Body:
    """The body of an answer, held to its promised length."""

    def __init__(
        self, transfer: _Transfer, fault: Callable[[CurlError | None], Exception], promised: int | None
    ) -> None:
        self._transfer = transfer
        self._fault = fault
        self._promised = promised

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        while (chunk := await self._transfer.chunk()) is not None:
            size += len(chunk)
            yield chunk
        error = await self._transfer.outcome()
        if error is not None:
            raise self._fault(error)
        if self._promised is not None and size != self._promised:
            raise httpcore.RemoteProtocolError("not as long as promised")


def _url(url: httpcore.URL, port: int) -> bytes:
    """The address, byte for byte as it was given; `port` is that of the tunnel, 0 for the address's own."""
    host = b"[" + url.host + b"]" if b":" in url.host else url.host
    return b"https://%b:%d%b" % (host, port or url.port or 443, url.target)


async def _parts(request: httpcore.Request) -> AsyncIterator[bytes]:
    assert isinstance(request.stream, AsyncIterable)
    async for part in request.stream:
        yield part


def _fields(headers: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """The headers as curl takes them, in a browser's order; those that curl would add by itself are switched off.

    Raises httpcore.LocalProtocolError for characters that would end a header.
    """
    given = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    for name, value in given:
        if not _FIELD.fullmatch(name) or _UNSAFE.search(value):
            raise httpcore.LocalProtocolError("a header with characters that HTTP does not allow")
    names = {name.lower() for name, _ in given}
    unwanted = [name + b":" for name in (b"Accept", b"Content-Type", b"Expect") if name.lower() not in names]
    ordered = sorted(given, key=lambda pair: _rank(pair[0].lower().decode("ascii")))
    return [*unwanted, *(name + b": " + value if value else name + b";" for name, value in ordered)]


def _rank(name: str) -> float:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER) - 1.5


def _promised(method: bytes, status: int, headers: Sequence[tuple[bytes, bytes]]) -> int | None:
    """The size of the body as the head has it; None if it has none. Raises httpcore.RemoteProtocolError."""
    lengths = {value for name, value in headers if name.lower() == b"content-length"}
    if method == b"HEAD" or status in (204, 304) or not lengths:
        return None
    length = lengths.pop()
    if lengths or not length.isdigit() or len(length) > _DIGITS:
        raise httpcore.RemoteProtocolError("a length that is none")
    return int(length)
