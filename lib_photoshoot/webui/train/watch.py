"""Keeps the host's models out of the way while a run is at work, and puts them back when it has ended."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from lib_photoshoot.errors import PhotoshootError

if TYPE_CHECKING:
    from lib_photoshoot.training.run.folder import RunFolder
    from lib_photoshoot.webui.train.host import TrainingHost

_POLL_S = 2.0
_AGAIN_S = 30.0
"""How often the models of a generation in the middle of a run are moved away: not between those of one series."""
_PATIENCE_S = 60.0


class RunWatch:
    """One watching thread, which ends with the run it watches. Safe across threads."""

    def __init__(self, host: TrainingHost, poll: float = _POLL_S, again: float = _AGAIN_S) -> None:
        self._host = host
        self._poll = poll
        self._again = again
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def make_room(self) -> None:
        """Take the host's models away, waiting at most a minute for a generation under way; then that goes on alone."""
        thread = threading.Thread(target=self._host.make_room, name="photoshoot room", daemon=True)
        thread.start()
        thread.join(_PATIENCE_S)

    def follow(self, run: RunFolder) -> None:
        """Watch a run that is at work, whoever has started it; nothing where one is watched already."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, args=(run,), name="photoshoot run", daemon=True)
                self._thread.start()

    def give_back(self) -> None:
        """Put the host's models back."""
        self._host.give_back()

    def _watch(self, run: RunFolder) -> None:
        moved = float("-inf")
        try:
            while run.status().state.active:
                if time.monotonic() - moved > self._again:
                    self._host.make_room()
                    moved = time.monotonic()
                time.sleep(self._poll)
        except PhotoshootError:  # the run's folder was taken away
            pass
        finally:
            self._host.give_back()
