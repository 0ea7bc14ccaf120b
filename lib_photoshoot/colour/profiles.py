"""Profiles by LittleCMS through Pillow's ImageCms, in 8 bits."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from lib_photoshoot.masks.morphology import row_strips

_CREATED = slice(24, 36)
"""Where an ICC header has its date: six numbers of two bytes."""
_STRIP_PIXELS = 1 << 21
_SAME = 4
"""Levels of 255 by which a profile may move a colour and still count as sRGB; published variants differ by up to 3."""


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """Return an ICC profile of sRGB (IEC 61966-2-1), made by LittleCMS; always the same bytes."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # LittleCMS writes the time of making it into the header, and no two exports of a picture would be the same file.
    data[_CREATED] = b"".join(value.to_bytes(2, "big") for value in (1999, 10, 18, 0, 0, 0))
    return bytes(data)


@lru_cache(maxsize=64)
def is_srgb(icc: bytes) -> bool:
    """Whether a profile leaves colours as sRGB has them; its description may say anything."""
    steps = np.arange(0, 256, 51, dtype=np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(6, 36, 3)
    try:
        moved = np.abs(convert(colours, icc, srgb_profile()).astype(int) - colours)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return False
    return int(moved.max()) <= _SAME


def convert(pixels: np.ndarray, source: bytes, target: bytes) -> np.ndarray:
    """uint8 RGB (H, W, 3) from one profile to another, relative colorimetric. Raises ImageCms.PyCMSError, OSError."""
    transform = _transform(source, target)
    result = np.empty(pixels.shape, np.uint8)
    # In strips: Pillow holds a picture of four bytes a pixel beside the result.
    for strip in row_strips(pixels.shape, pixels=_STRIP_PIXELS):
        rows = slice(strip.start, strip.stop)
        part = Image.fromarray(np.ascontiguousarray(pixels[rows]))
        result[rows] = np.asarray(ImageCms.applyTransform(part, transform))
    return result


@lru_cache(maxsize=16)
def _transform(source: bytes, target: bytes) -> Any:
    profiles: list[Any] = [ImageCms.ImageCmsProfile(io.BytesIO(icc)) for icc in (source, target)]
    return ImageCms.buildTransform(profiles[0], profiles[1], "RGB", "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
