"""What will probably be asked about next, prepared by one thread: the latest wish counts, older ones are dropped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress


class Ahead:
    """Calls ``prepare`` for one number after the other, in a thread that ends when nothing is left to do."""

    def __init__(self, prepare: Callable[[int], None]) -> None:
        self._prepare = prepare
        self._lock = threading.Lock()
        self._wished: list[int] = []
        self._thread: threading.Thread | None = None

    def wish(self, numbers: Sequence[int]) -> None:
        """Prepare these, in this order, once the one at hand is done; returns at once."""
        with self._lock:
            self._wished = list(numbers)
            if self._wished and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="ahead", daemon=True)
                self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait until nothing is left to do, at most so long."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(seconds)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._wished:
                    self._thread = None
                    return
                number = self._wished.pop(0)
            # Whoever asks about it is told; nobody has asked yet.
            with suppress(Exception):
                self._prepare(number)
