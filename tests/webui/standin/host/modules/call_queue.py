"""One caller at a time uses the models."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


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

    def locked(self) -> bool:
        """Whether anybody has the turn."""
        return self._lock.locked()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


queue_lock = FIFOLock()


def wrap_queued_call(func: Callable[..., Any]) -> Callable[..., Any]:
    """The function, in the queue."""

    def f(*args: Any, **kwargs: Any) -> Any:
        with queue_lock:
            return func(*args, **kwargs)

    return f
