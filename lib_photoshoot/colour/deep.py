"""Pictures of 16 bits a channel, which Pillow reads and writes with 8: read by OpenCV, written as PNG."""

from __future__ import annotations

import io
import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import Image

DEEP_PIXELS = 64_000_000
"""Pictures with more pixels are read with 8 bits: both depths are held in memory."""
_SIGNATURE = 8
_SAME = 2
"""Levels of 255 by which two readers of one file may differ."""


def is_deep(image: Any) -> bool:
    """Whether an opened Pillow picture, not yet loaded, has 16 bits a channel and can be read so."""
    return (
        image.format in ("PNG", "TIFF")
        and image.mode in ("RGB", "RGBA", "LA")
        and bool(image.tile)
        and ";16" in str(image.tile[0][3])
        and image.width * image.height <= DEEP_PIXELS
    )


def begin_deep(file: BinaryIO) -> Future[Any]:
    """Let OpenCV decode the file beside Pillow, which is as slow: neither holds Python's lock."""
    before = file.tell()
    file.seek(0, os.SEEK_SET)
    data = np.frombuffer(file.read(), np.uint8)
    file.seek(before)
    beside = ThreadPoolExecutor(1)
    found = beside.submit(cv2.imdecode, data, cv2.IMREAD_UNCHANGED)
    beside.shutdown(wait=False)
    return found


def read_deep(begun: Future[Any], pixels: np.ndarray) -> np.ndarray | None:
    """Return the file's pixels as uint16 RGB (H, W, 3), as they lie in it; None where OpenCV sees other ones than
    Pillow did.

    ``begun`` is of :func:`begin_deep`. ``pixels`` are Pillow's, uint8 (H, W, 3): OpenCV alone would take a truncated
    file for a whole one.
    """
    try:
        found = begun.result()
    except cv2.error:
        return None
    if found is None or found.dtype != np.uint16 or found.ndim != 3 or found.shape[:2] != pixels.shape[:2]:
        return None
    deep = cv2.cvtColor(found, cv2.COLOR_BGR2RGB if found.shape[2] == 3 else cv2.COLOR_BGRA2RGB)
    step = max(1, len(deep) // 64)
    off = np.abs((deep[::step] // 256).astype(np.int16) - pixels[::step])
    return deep if off.max(initial=0) <= _SAME else None


def encode_deep(pixels: np.ndarray, alpha: np.ndarray | None, options: dict[str, Any]) -> bytes:
    """Return a PNG of uint16 RGB (H, W, 3) with a uint8 alpha (H, W) or none; ``options`` are Pillow's for a PNG."""
    channels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    if alpha is not None:
        channels = np.dstack([channels, alpha.astype(np.uint16) * np.uint16(257)])
    done, data = cv2.imencode(".png", channels, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise OSError("the picture could not be encoded as PNG")
    # OpenCV writes pixels alone: profile, EXIF and texts are taken from a PNG of one pixel that Pillow wrote.
    small = io.BytesIO()
    Image.new("RGB", (1, 1)).save(small, "PNG", **options)
    encoded = data.tobytes()
    first = _SIGNATURE + 25  # behind the header chunk
    return encoded[:first] + _ancillary(small.getvalue()) + encoded[first:]


def _ancillary(png: bytes) -> bytes:
    """All chunks but those that make the pixels."""
    place, kept = _SIGNATURE, b""
    while place < len(png):
        end = place + 12 + int.from_bytes(png[place : place + 4], "big")
        if png[place + 4 : place + 8] not in (b"IHDR", b"IDAT", b"IEND"):
            kept += png[place:end]
        place = end
    return kept
