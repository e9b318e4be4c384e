"""Who speaks TLS like a browser, and a gate that lets nobody else through."""

from __future__ import annotations

import asyncio
from contextlib import suppress


def hello_of(data: bytes) -> tuple[list[int], dict[int, bytes]]:
    """Ciphers and extensions of a ClientHello (RFC 8446, section 4.1.2), without the values that mean nothing."""
    at = 5 + 4 + 2 + 32
    at += 1 + data[at]
    size = int.from_bytes(data[at : at + 2], "big")
    ciphers = [int.from_bytes(data[each : each + 2], "big") for each in range(at + 2, at + 2 + size, 2)]
    at += 2 + size
    at += 1 + data[at] + 2
    extensions = {}
    while at < len(data):
        kind, size = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
        extensions[kind] = data[at + 4 : at + 4 + size]
        at += 4 + size
    return [each for each in ciphers if each & 0x0F0F != 0x0A0A], extensions


class Gate:
    """A listener that lets browsers through to `port`, and hangs up on everyone else."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.open: list[asyncio.StreamWriter] = []

    async def lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Look at the ClientHello."""
        self.open.append(writer)
        hello = await reader.readexactly(5)
        hello += await reader.readexactly(int.from_bytes(hello[3:], "big"))
        if 17613 not in hello_of(hello)[1]:
            writer.transport.abort()
            return
        far_reader, far = await asyncio.open_connection("127.0.0.1", self._port)
        self.open.append(far)
        far.write(hello)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while data := await source.read(65536):
                    sink.write(data)
            sink.close()

        async with asyncio.TaskGroup() as group:
            group.create_task(pump(reader, far))
            group.create_task(pump(far_reader, writer))

    async def close(self) -> None:
        """Break every connection off."""
        for each in self.open:
            each.transport.abort()
        await asyncio.sleep(0.01)  # lets them close their sockets
