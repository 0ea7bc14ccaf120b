"""A lock that goes to the one who waits longest."""

from __future__ import annotations

import threading


class FIFOLock:
    """As the host's, not for the same thread twice; where the host's would hang, this one says so."""

    def __init__(self) -> None:
        self._lock, self._owner = threading.Lock(), 0

    def acquire(self, blocking: bool = True) -> bool:
        """Wait for our turn."""
        assert self._owner != threading.get_ident(), "the queue's own holder waits for it: the host would hang"
        taken = self._lock.acquire(blocking)
        if taken:
            self._owner = threading.get_ident()
        return taken

    def release(self) -> None:
        """Let the next one in."""
        self._owner = 0
        self._lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()
