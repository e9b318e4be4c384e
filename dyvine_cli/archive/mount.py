"""On what kind of file system a path lies, as far as SQLite must know it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

NETWORK = frozenset(
    {"9p", "afs", "afpfs", "beegfs", "ceph", "cifs", "coda", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4"}
    | {"ocfs2", "orangefs", "smb2", "smb3", "smbfs", "webdav"}
    | {"fuse.ceph", "fuse.cifs", "fuse.davfs2", "fuse.glusterfs", "fuse.juicefs", "fuse.nfs", "fuse.rclone"}
    | {"fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs"}
)
"""File systems whose locks or shared memory SQLite cannot trust (sqlite.org/wal.html, "same host computer")."""

_ESCAPED = re.compile(r"\\([0-7]{3})")


def network_file_system(path: Path) -> str | None:
    """The name of the network file system that `path` lies on, None if it is local or cannot be told."""
    if sys.platform == "win32":
        return "a network share" if path.resolve().drive.startswith("\\\\") else None
    try:
        table = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    kind = file_system(path.resolve(), table)
    return kind if kind in NETWORK else None


def file_system(path: Path, mountinfo: str) -> str | None:
    """The file system type of `path` by the text of Linux's `/proc/self/mountinfo`; None if nothing matches."""
    best, kind = -1, None
    for line in mountinfo.splitlines():
        left, separator, right = line.partition(" - ")
        fields = left.split(" ")
        if not separator or len(fields) < 5:
            continue
        point = Path(_ESCAPED.sub(lambda match: chr(int(match[1], 8)), fields[4]))
        # Of two mounts on one point the later one covers the earlier.
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), right.split(" ")[0]
    return kind
