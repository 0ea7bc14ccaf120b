"""Views of pictures that a served page asks for and that lie nowhere: drawn when first asked for, in a folder apart."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lib_photoshoot.images import write_image

if TYPE_CHECKING:
    from PIL import Image

THUMBNAIL_SIDE, LARGEST_SIDE = 560, 2560
"""Pixels on the longer side, of a thumbnail and of everything else."""
_READERS = threading.Semaphore(2)
"""A page asks for many at once, and each decoded picture may be large."""


class DrawnFiles:
    """JPEG files in a temporary folder. Safe across threads."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="photoshoot-views-")
        self.path = Path(self._folder.name)

    def file(self, source: Path, key: object, small: bool, draw: Callable[[], Image.Image]) -> Path:
        """Return the file of a view of the picture at ``source``, drawn anew where that has changed.

        ``key`` is hashable, and tells its views apart. Raises whatever ``draw`` does, and ImageError.
        """
        # Nothing of the picture's own name: it may have the longest length, or no text at all.
        path = self.path / f"{abs(hash((source, key, small, _stamp(source))))}.jpg"
        with _READERS:
            if not path.is_file():
                write_image(
                    _within(draw(), THUMBNAIL_SIDE if small else LARGEST_SIDE), path, quality=85 if small else 92
                )
        return path

    def close(self) -> None:
        """Remove all files."""
        self._folder.cleanup()


def _within(picture: Image.Image, side: int) -> Image.Image:
    from PIL import Image

    picture.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return picture


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:  # to read the picture says it in a sentence
        return 0, 0
    return status.st_size, status.st_mtime_ns
