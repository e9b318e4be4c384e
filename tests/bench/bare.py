"""The least that a downloader in Python can do: asyncio sockets, no checks, no hashes, no flush, no redirects.

Reads a list of requests (JSON: host, path, headers, out, start, end) and fetches them over so many connections.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

READ = 1 << 18


async def work(port: int, wanted: list[dict[str, Any]], folder: Path) -> None:
    """One connection: a request after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=READ)
    while wanted:
        each = wanted.pop()
        writer.write(request(each))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = re.search(r"(?im)^content-length: (\d+)", head)
        if head.split()[1] not in ("200", "206") or length is None:
            sys.exit(f"no file: {head}")
        fd = os.open(folder / each["out"], os.O_WRONLY | os.O_CREAT, 0o644)
        place, left = each.get("start", 0), int(length[1])
        while left:
            data = await reader.read(READ)
            if not data:
                sys.exit("the file was cut")
            os.pwrite(fd, data, place)
            place, left = place + len(data), left - len(data)
        os.close(fd)
    writer.close()


def request(each: dict[str, Any]) -> bytes:
    """One request as it goes over the line."""
    headers = {"Host": each["host"], **each["headers"]}
    if "end" in each:
        headers["Range"] = f"bytes={each['start']}-{each['end'] - 1}"
    lines = [f"GET {each['path']} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


async def fetch(port: int, wanted: list[dict[str, Any]], folder: Path, connections: int) -> None:
    """All of the list."""
    async with asyncio.TaskGroup() as group:
        for _ in range(min(connections, len(wanted))):
            group.create_task(work(port, wanted, folder))


def main() -> None:
    """Fetch the list; arguments are the port, the list, the folder and the number of connections."""
    port, listed, folder, connections = sys.argv[1:]
    wanted = json.loads(Path(listed).read_text(encoding="utf-8"))[::-1]
    asyncio.run(fetch(int(port), wanted, Path(folder), int(connections)))


if __name__ == "__main__":
    main()
