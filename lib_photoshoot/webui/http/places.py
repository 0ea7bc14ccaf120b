"""Work for requests in a bounded number of threads, so that the host's own are left for its pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

Result = TypeVar("Result")


class Places:
    """At most ``number`` requests are worked on at once; the others wait without a thread, in the order they came.

    The host has forty threads for everything that it answers, and a request may wait for its queue for minutes.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._limiter: anyio.CapacityLimiter | None = None

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return what ``work`` returns, or raises, in a thread."""
        if self._limiter is None:  # it can be made where an event loop runs only
            self._limiter = anyio.CapacityLimiter(self._number)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)
