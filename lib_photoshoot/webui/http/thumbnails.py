"""Small JPEG copies of pictures for the page."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lib_photoshoot.images import read_picture
from lib_photoshoot.transparency import flattened

SIDES = (16, 2048)
"""Pixels on the longer side."""

# A page asks for many at once, and each decoded picture may be large.
_READERS = threading.Semaphore(2)


@dataclass(frozen=True)
class Thumbnail:
    """``data`` is a JPEG file, empty where the caller's copy, marked by ``mark``, is still right."""

    mark: str
    data: bytes = b""


def thumbnail(path: Path, side: int, known: str = "") -> Thumbnail:
    """Return the picture, upright and at most ``side`` pixels long; ``known`` is the mark of the caller's copy.

    Raises ImageError.
    """
    mark = _mark(path, side)
    if known and known == mark:
        return Thumbnail(mark)
    with _READERS:
        pixels = flattened(read_picture(path))
        # A first reduction by whole pixels: the filter need not look at all of a photo for a thumbnail.
        step = max(1, max(pixels.shape) // (side * 4))
        image = Image.fromarray(np.ascontiguousarray(pixels[::step, ::step]))
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return Thumbnail(mark, buffer.getvalue())


def _mark(path: Path, side: int) -> str:
    try:
        status = path.stat()
    except OSError:  # read_picture says it in a sentence
        return ""
    return f"{status.st_mtime_ns:x}-{status.st_size:x}-{side}"
