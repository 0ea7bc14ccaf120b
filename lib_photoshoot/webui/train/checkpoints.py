"""The host's checkpoints with the ones first that can be trained on."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_photoshoot.errors import TrainingError
from lib_photoshoot.training.checkpoint import check_checkpoint
from lib_photoshoot.webui.http.errors import RequestError

if TYPE_CHECKING:
    from lib_photoshoot.webui.train.host import HostCheckpoint

_ORDER = {True: 0, None: 1, False: 2}


class Checkpoints:
    """Reads each file's header once. Safe across threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[Path, int, int], bool | None] = {}

    def listed(self, checkpoints: Sequence[HostCheckpoint]) -> list[dict[str, Any]]:
        """Name, path and whether it ``fits``: true, false, or null where the file does not tell."""
        entries = [{"name": one.name, "path": str(one.path), "fits": self._fits(one.path)} for one in checkpoints]
        return sorted(entries, key=lambda entry: _ORDER[entry["fits"]])

    def _fits(self, path: Path) -> bool | None:
        try:
            status = path.stat()
        except OSError:
            return False
        key = path, status.st_size, status.st_mtime_ns
        with self._lock:
            if key not in self._known:
                self._known[key] = _is_stable_diffusion_1(path)
            return self._known[key]


def _is_stable_diffusion_1(path: Path) -> bool | None:
    try:
        return True if check_checkpoint(path).looked_into else None
    except TrainingError:
        return False


def find_checkpoint(checkpoints: Sequence[HostCheckpoint], text: str) -> Path:
    """Return the file of a checkpoint that the host lists, by its name or its path. Raises RequestError 404."""
    for one in checkpoints:
        # The host puts a hash behind a name once it has read the file: the page may know the shorter one.
        if text in (one.name, one.name.rpartition(" [")[0], str(one.path)):
            return one.path
    raise RequestError(f"The WebUI lists no checkpoint {text!r}; choose one of its list.", 404)
