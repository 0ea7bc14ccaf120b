"""One caller at a time uses the models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modules import fifo_lock

queue_lock = fifo_lock.FIFOLock()


def wrap_queued_call(func: Callable[..., Any]) -> Callable[..., Any]:
    """The function, in the queue."""

    def f(*args: Any, **kwargs: Any) -> Any:
        with queue_lock:
            return func(*args, **kwargs)

    return f
