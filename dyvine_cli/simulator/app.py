"""The server: HTTP/1.1 on the loopback, one port for all hosts of all platforms; `Host` decides which one answers."""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
import ssl
import tempfile
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dyvine_cli.simulator import control
from dyvine_cli.simulator.faults import ANSWERS, WIRE, Fault, Faults, answer_instead
from dyvine_cli.simulator.media import FileHosts, Leak, Media
from dyvine_cli.simulator.messages import Request, Response
from dyvine_cli.simulator.tiktok_media import TiktokMedia
from dyvine_cli.simulator.wire import READ, Answered, Connection, Line, Log, Served

if TYPE_CHECKING:
    import trustme

    from dyvine_cli.simulator.douyin import Douyin
    from dyvine_cli.simulator.tiktok import Tiktok
    from dyvine_cli.simulator.world import World

Platform = Callable[[Request], Response | Awaitable[Response | None] | None]
"""Answers the requests of its hosts, None for those of others."""

WRITE_AHEAD = 2**19
BACKLOG = 512


class Clock:
    """Unix seconds that can be moved on."""

    def __init__(self, base: Callable[[], float] = time.time) -> None:
        self._base = base
        self._ahead = 0.0

    def __call__(self) -> float:
        """The time now."""
        return self._base() + self._ahead

    @property
    def ahead(self) -> float:
        """Seconds by which it was moved on so far."""
        return self._ahead

    def advance(self, seconds: float) -> None:
        """Let so much time pass at once (links end, logins end)."""
        self._ahead += seconds


class Simulator:
    """Both platforms in small.

    `platforms` are asked in turn; None for Douyin with `world` (None for the invented one of `seed`) and TikTok. `rtt`, `rate` and
    `handshake` are those of `Line`. `log` is how many requests are remembered. Tests read `requests` (oldest first),
    `leaks`, `counts()`, and set `faults` and `clock`.
    """

    def __init__(
        self,
        *,
        world: World | None = None,
        platforms: Sequence[Platform] | None = None,
        faults: Faults | None = None,
        rtt: float = 0.0,
        rate: float | None = None,
        handshake: float = 2.0,
        clock: Callable[[], float] = time.time,
        tls: bool = False,
        seed: int = 1,
        log: int = 10_000,
    ) -> None:
        self.clock = clock if isinstance(clock, Clock) else Clock(clock)
        self.faults = faults if faults is not None else Faults()
        self.media = Media(self.clock, self.faults)
        self.tiktok_media = TiktokMedia(self.clock, self.faults)
        self.tiktok_media.leaks = self.media.leaks
        self._hosts: tuple[FileHosts, ...] = (self.media, self.tiktok_media)
        self.line = Line(rtt=rtt, rate=rate, handshake=handshake)
        self.log = Log(requests=deque(maxlen=log))
        self.tls = tls
        self.port = 0
        self.ca_file: Path | None = None
        """PEM of the throw-away authority, while a simulator with `tls` runs."""
        self.world = world
        self.douyin: Douyin | None = None
        """The platform that answers, with its `reasons`; None where other platforms were given."""
        self.tiktok: Tiktok | None = None
        """The other one, likewise; `tiktok.world` are its people."""
        if platforms is None:
            platforms = self._invented(seed)
        self._platforms = platforms
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def _invented(self, seed: int) -> Sequence[Platform]:
        """The platforms with their invented people."""
        from dyvine_cli.simulator.douyin import Douyin
        from dyvine_cli.simulator.tiktok import Tiktok
        from dyvine_cli.simulator.tiktok_world import TiktokWorld
        from dyvine_cli.simulator.world import World

        self.world = self.world or World(seed)
        self.douyin = Douyin(self.world, self.media, self.faults, self.clock)
        self.tiktok = Tiktok(TiktokWorld(seed), self.tiktok_media, self.faults, self.clock)
        return (self.douyin.answer, self.tiktok.answer)

    @property
    def requests(self) -> list[Served]:
        """What was served, oldest first; safe to read from another thread."""
        return list(self.log.requests)

    @property
    def leaks(self) -> list[Leak]:
        """Headers with credentials that arrived at media hosts."""
        return list(self.media.leaks)

    @property
    def connect_to(self) -> str:
        """The value for `--connect-to` that leads every platform host here."""
        return f"*:{443 if self.tls else 80}:127.0.0.1:{self.port}"

    def counts(self) -> dict[str, int]:
        """Connections, TLS handshakes, open and most open connections, answers, bytes sent."""
        return self.log.counts()

    async def start(self, port: int = 0, address: str = "127.0.0.1") -> int:
        """Listen, on a free port if `port` is 0, and return the port. Raises ValueError for a non-loopback address."""
        if not ipaddress.ip_address(address).is_loopback:
            raise ValueError(f"the simulator listens on the loopback only, not on {address}")
        context = self._context() if self.tls else None
        self._server = await asyncio.start_server(
            self._serve,
            address,
            port,
            limit=READ,
            backlog=BACKLOG,
            ssl=context,
            ssl_shutdown_timeout=1 if context else None,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is None:
            return
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._server.wait_closed()
        self._server = None
        if self._folder:
            self._folder.cleanup()
            self._folder = self.ca_file = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from accept to close."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.log.connections += 1
        self.log.handshakes += self.tls
        self.log.open += 1
        self.log.most_open = max(self.log.most_open, self.log.open)
        writer.transport.set_write_buffer_limits(high=WRITE_AHEAD)
        number = self.log.connections
        try:
            await Connection(reader, writer, self.line, self.log, self.clock, self._answer, number).serve()
        except asyncio.CancelledError:
            writer.transport.abort()  # the task ends here: it was `stop` that cancelled it
        finally:
            writer.close()
            with suppress(ConnectionError, TimeoutError, ssl.SSLError, asyncio.CancelledError):
                await writer.wait_closed()
            self.log.open -= 1
            self._tasks.discard(task)

    async def _answer(self, request: Request) -> Answered:
        """Whoever's host it is answers; the wire may have something to add."""
        if request.host == control.HOST:
            return Answered(response=control.answer(request, self), logged=False)
        hosts = next((hosts for hosts in self._hosts if hosts.kind_of(request)), self.media)
        kind = hosts.kind_of(request)
        response = await self._asked(request, hosts, kind)
        return Answered(response=response, kind=kind, fault=self._mishap(request, hosts, kind))

    def _mishap(self, request: Request, hosts: FileHosts, kind: str) -> Fault | None:
        """What goes wrong with this answer on its way."""
        if request.method == "HEAD":
            return None
        wire = WIRE if hosts.is_first_mirror(request) else _WIRE_OF_OTHERS
        return self.faults.take_any(wire, request, kind)

    async def _asked(self, request: Request, hosts: FileHosts, kind: str) -> Response:
        """The answer of the media hosts or of the first platform that has one."""
        if not kind and (fault := self.faults.take_any(ANSWERS, request)):
            return answer_instead(fault, request)
        if kind and (given := hosts.answer(request)):
            return given
        for platform in self._platforms:
            answer = platform(request)
            response = await answer if inspect.isawaitable(answer) else answer
            if response is not None:
                return response
        body = f"nobody here answers for {request.host}{request.path}\n".encode()
        return Response(status=404, headers=[("Content-Type", "text/plain; charset=utf-8")], body=body)

    def _context(self) -> ssl.SSLContext:
        """A TLS context with a certificate for whatever name the client asks for."""
        import trustme

        authority = trustme.CA()
        self._folder = tempfile.TemporaryDirectory(prefix="dyvine-simulator-")
        self.ca_file = Path(self._folder.name, "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        made: dict[str, ssl.SSLContext] = {}

        def choose(carrier: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            if name and name not in made:
                made[name] = _certified(authority, name)
            if name:
                carrier.context = made[name]

        context = _certified(authority, "localhost", "127.0.0.1")
        context.sni_callback = choose
        return context


_WIRE_OF_OTHERS = tuple(name for name in WIRE if name != "dead-mirror")


def _certified(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """A server's context with a certificate for these names."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context


@contextmanager
def running(*, port: int = 0, **options: Any) -> Iterator[Simulator]:
    """A simulator in a thread of its own, from the first line of the block to its last; `options` as for Simulator."""
    simulator = Simulator(**options)
    ready: Future[Callable[[], object]] = Future()
    thread = threading.Thread(target=_run, args=(simulator, port, ready), name="simulator", daemon=True)
    thread.start()
    stop = ready.result()
    try:
        yield simulator
    finally:
        stop()
        thread.join()


def _run(simulator: Simulator, port: int, ready: Future[Callable[[], object]]) -> None:
    """The thread's work: serve until told to stop; a failure to start goes to `ready`."""

    async def serve() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        try:
            await simulator.start(port)
        except (OSError, ImportError) as error:
            ready.set_exception(error)
            return
        ready.set_result(lambda: loop.call_soon_threadsafe(stopped.set))
        await stopped.wait()
        await simulator.stop()

    asyncio.run(serve())
