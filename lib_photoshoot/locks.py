"""Locks on files that the system frees when their holder dies, however it dies.

Not the library ``filelock``: it wants a file of its own beside each that it guards, which it empties and users would
find in their folders, has no locks that are shared, and stops with an error where a network file system has none.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import BinaryIO

_POLL_S = 0.02


def hold(path: Path, patience: float = 0.0, shared: bool = False) -> BinaryIO | None:
    """Lock a file as long as the returned stream is open; None where another process holds it for ``patience`` seconds.

    ``shared`` locks keep out others that are not, where the system has such. The folder must exist. Raises OSError as
    it comes.
    """
    stream = open(path, "a+b")  # noqa: SIM115 (the caller holds it open)
    end = time.monotonic() + patience
    while not lock(stream.fileno(), shared):
        if time.monotonic() >= end:
            stream.close()
            return None
        time.sleep(_POLL_S)
    return stream


def is_held(path: Path) -> bool:
    """Whether some process holds the file's lock now."""
    try:
        # Shared, so that those who ask at the same time do not take each other for a holder.
        stream = hold(path, shared=True) if path.exists() else None
    except OSError:  # it may not be read: then nobody of ours holds it
        return False
    if stream is None:
        return path.exists()
    stream.close()
    return False


def lock(handle: int, shared: bool = False, place: int = 0) -> bool:
    """Lock an open file until it is closed; False where another holds it.

    On Windows the byte at ``place`` is locked, which nobody else can read or write then; it need not be there.
    """
    if os.name == "nt":
        import msvcrt

        os.lseek(handle, place, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems have no locks: go on without
        return True
    return True
