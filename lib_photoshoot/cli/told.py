"""Long work told as lines, where there is no terminal that could show a bar."""

from __future__ import annotations

import threading
import time

from lib_photoshoot.cli.exits import say

EVERY_S = 10.0


class ToldInLines:
    """While open: what is being done, on standard error every few seconds, also when nothing new is heard of it.

    Work that is done sooner is not told at all. ``every`` is in seconds.
    """

    def __init__(self, text: str, every: float = EVERY_S) -> None:
        self._text, self._every = text, every
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> ToldInLines:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def tell(self, text: str) -> None:
        """Keep what is done now, to tell it with the next line."""
        self._text = text

    def tell_now(self, text: str) -> None:
        """Tell at once what is done now, as for a new stage."""
        if text != self._text:
            self._text = text
            say(text)

    def _run(self) -> None:
        begun = time.monotonic()
        while not self._done.wait(self._every):
            say(f"{self._text} ({time.monotonic() - begun:.0f} s)")
