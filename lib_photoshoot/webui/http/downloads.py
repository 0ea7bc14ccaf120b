"""Model files brought in the background, with their progress."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from lib_photoshoot.webui.http.background import BackgroundJob, JobState

Get = Callable[[str, Callable[[int, int], None]], Any]
"""Brings a model by name, telling (bytes done, bytes in all). Raises PhotoshootError."""


class Downloads:
    """At most one download for each name; safe to call from several threads."""

    def __init__(self, get: Get | None = None) -> None:
        self._get = get or _get
        self._lock = threading.Lock()
        self._jobs: dict[str, BackgroundJob] = {}

    def start(self, name: str) -> JobState:
        """Begin a download, or return the one that is under way."""
        with self._lock:
            job = self._jobs.setdefault(name, BackgroundJob(f"download of {name}"))
            if not job.state.busy:
                job.start("", lambda state: self._get(name, state.count))
            return job.state

    def find(self, name: str) -> JobState | None:
        """Return the latest download of that name."""
        with self._lock:
            return self._jobs[name].state if name in self._jobs else None


def _get(name: str, progress: Callable[[int, int], None]) -> Any:
    from lib_photoshoot.weights.download import get

    return get(name, progress)
