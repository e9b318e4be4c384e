"""An advisory lock on an open file: kept by one run at a time, and gone with the process that had it."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress

_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 40  # Windows locks bytes, and others may not read them: so one behind every real file

    def take(fd: int) -> bool:
        """Lock the file; False if another run has it."""
        place = os.lseek(fd, 0, os.SEEK_CUR)
        os.lseek(fd, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError as exc:
            if exc.errno in _TAKEN:
                return False
            raise
        finally:
            os.lseek(fd, place, os.SEEK_SET)
        return True

    def free(fd: int) -> None:
        """Let the next one have the lock."""
        os.lseek(fd, _FAR, os.SEEK_SET)
        with suppress(OSError):
            msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def take(fd: int) -> bool:
        """Lock the file; False if another run has it. A volume without locks lets everyone in."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            return exc.errno not in _TAKEN
        return True

    def free(fd: int) -> None:
        """Let the next one have the lock, even if a child process has a copy of the descriptor."""
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_UN)
