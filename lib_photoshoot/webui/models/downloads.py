"""Model files brought in the background, with their progress."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lib_photoshoot.errors import PhotoshootError

Get = Callable[[str, Callable[[int, int], None]], Any]
"""Brings a model by name, telling (bytes done, bytes in all). Raises PhotoshootError."""


@dataclass
class Download:
    """One download: ``done`` of ``total`` bytes; ``error`` is a sentence once it has failed."""

    done: int = 0
    total: int = 0
    running: bool = True
    error: str | None = None

    def tell(self, done: int, total: int) -> None:
        """Note the progress."""
        self.done, self.total = done, total


class Downloads:
    """At most one download for each name; safe to call from several threads."""

    def __init__(self, get: Get | None = None) -> None:
        self._get = get or _get
        self._lock = threading.Lock()
        self._downloads: dict[str, Download] = {}

    def start(self, name: str) -> Download:
        """Begin a download, or return the one that is under way."""
        with self._lock:
            found = self._downloads.get(name)
            if found is not None and found.running:
                return found
            download = self._downloads[name] = Download()
        threading.Thread(target=self._run, args=(name, download), name=f"download {name}", daemon=True).start()
        return download

    def find(self, name: str) -> Download | None:
        """The latest download of that name."""
        with self._lock:
            return self._downloads.get(name)

    def _run(self, name: str, download: Download) -> None:
        try:
            self._get(name, download.tell)
        except PhotoshootError as error:
            download.error = str(error)
        except Exception as error:  # whatever it is, the one who asks for the progress must hear of it
            download.error = f"{name} could not be brought ({type(error).__name__}: {error})."
        finally:
            download.running = False


def _get(name: str, progress: Callable[[int, int], None]) -> Any:
    from lib_photoshoot.weights.download import get

    return get(name, progress)
