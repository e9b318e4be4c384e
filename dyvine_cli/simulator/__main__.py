"""`python -m dyvine_cli.simulator`: the simulator as a process that tells its port and ends with its parent."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable

from dyvine_cli.simulator.app import Simulator
from dyvine_cli.simulator.faults import Fault
from dyvine_cli.simulator.tiktok_world import TIKTOK
from dyvine_cli.simulator.world import World

STDIN = 0
UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM, Ctrl-C or, where stdin is a pipe, its end; one line of JSON says when it is ready."""
    options = _parser().parse_args(arguments)
    simulator = Simulator(
        rtt=options.rtt,
        rate=options.rate,
        handshake=options.handshake,
        tls=options.tls,
        seed=options.seed,
    )
    if options.list_faults:
        _list_faults(simulator)
        return 0
    try:
        for fault in options.fault:
            simulator.faults.add(Fault.parse(fault))
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    asyncio.run(_serve(simulator, options.port))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dyvine_cli.simulator",
        description="Douyin and TikTok in small on the loopback; ends with SIGTERM or when the pipe on its stdin closes.",
    )
    add = parser.add_argument
    add("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    add("--seed", type=int, default=1, help="which invented people")
    add(
        "--rtt",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="round-trip time, waited before every answer",
    )
    add(
        "--handshake",
        type=float,
        default=2.0,
        metavar="ROUNDS",
        help="round trips more for a connection's first",
    )
    add("--rate", type=_rate, default=None, metavar="BYTES", help="bytes a second and connection: 8M, 500k")
    add("--tls", action="store_true", help="speak TLS under a throw-away authority (needs trustme)")
    add(
        "--fault", action="append", default=[], metavar="NAME[:COUNT][@WHERE][=VALUE]", help="turn a fault on"
    )
    add("--list-faults", action="store_true", help="print every fault with what it does")
    return parser


def _rate(text: str) -> float:
    """`8M` or `500k` as bytes a second."""
    unit = text[-1:] if text[-1:] in UNITS else ""
    try:
        value = float(text.removesuffix(unit)) * UNITS[unit]
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no rate such as 8M or 500k")
    return value


def _list_faults(simulator: Simulator) -> None:
    meanings = simulator.faults.meanings
    width = max(map(len, meanings))
    for name in sorted(meanings):
        print(f"{name:{width}}  {meanings[name]}")


async def _serve(simulator: Simulator, port: int) -> None:
    """Listen, say so, wait for the end, close."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    await simulator.start(port)
    _on_signals(loop, stopped.set)
    _on_end_of_stdin(lambda: loop.call_soon_threadsafe(stopped.set))
    facts: dict[str, object] = {
        "port": simulator.port,
        "connect_to": simulator.connect_to,
        "pid": os.getpid(),
    }
    if simulator.world:
        facts["shown"] = _shown(simulator.world)
    if simulator.ca_file:
        facts["ca_file"] = str(simulator.ca_file)
    print(json.dumps(facts), flush=True)
    await stopped.wait()
    await simulator.stop()


def _shown(world: World) -> dict[str, str]:
    """What a demonstration asks for: an account that guests see completely, a share text, one that is cut for guests.

    Of TikTok a short link to a video and a small account.
    """
    page = "https://www.douyin.com/user/"
    return {
        "account": page + world.OPEN,
        "post": world.share_text(world.VIDEO),
        "guest": page + world.ACCOUNTS[63],
        "tiktok_post": TIKTOK.short_link("post", TIKTOK.VIDEO),
        "tiktok_account": f"https://www.tiktok.com/@{TIKTOK.ACCOUNTS[12]}",
    }


def _on_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], object]) -> None:
    """Call `stop` on SIGTERM and Ctrl-C; Windows has no signal handlers in its loop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


def _on_end_of_stdin(stop: Callable[[], object]) -> None:
    """Call `stop` when the parent is gone: its end of our stdin closes. A terminal or /dev/null tells nothing."""
    try:
        mode = os.fstat(STDIN).st_mode
    except OSError:
        return
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        threading.Thread(target=_drain, args=(stop,), name="stdin", daemon=True).start()


def _drain(stop: Callable[[], object]) -> None:
    while os.read(STDIN, 4096):
        pass
    stop()


if __name__ == "__main__":
    sys.exit(main())
