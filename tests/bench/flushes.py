"""Runs `dyvine` as it is and writes down what its flushes took: `flushes.py REPORT ARGUMENT…`.

The report is JSON: how many flushes, their seconds added up over all threads, and for how long at least one was going
on. Those of SQLite are not seen; with its write-ahead log they are few.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

_lock = threading.Lock()
_count = _running = 0
_total = _together = _since = 0.0
_fsync = os.fsync


def timed(fd: int) -> None:
    """`os.fsync` with a look at the clock before and after."""
    global _count, _running, _total, _together, _since
    began = time.perf_counter()
    with _lock:
        if not _running:
            _since = began
        _running += 1
    try:
        _fsync(fd)
    finally:
        ended = time.perf_counter()
        with _lock:
            _running -= 1
            _count += 1
            _total += ended - began
            if not _running:
                _together += ended - _since


def main() -> None:
    """Run the program with the arguments behind the report's path."""
    report = Path(sys.argv[1])
    sys.argv[1:] = sys.argv[2:]
    os.fsync = timed
    from dyvine_cli.__main__ import main as dyvine

    began = time.perf_counter()
    try:
        dyvine()
    finally:
        wall = time.perf_counter() - began
        found = {"flushes": _count, "added": _total, "together": _together, "wall": wall}
        report.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
