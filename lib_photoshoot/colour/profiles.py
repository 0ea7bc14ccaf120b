"""Colours in sRGB, by LittleCMS through Pillow's ImageCms."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from lib_photoshoot.export.errors import ExportError

_CREATED = slice(24, 36)
"""Where an ICC header has its date: six numbers of two bytes."""
_SAME = 4
"""Levels of 255 by which a profile may move a colour and still count as sRGB; published variants differ by up to 3."""


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """An ICC profile of sRGB (IEC 61966-2-1), made by LittleCMS; always the same bytes."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # LittleCMS writes the time of making it into the header, and no two exports of a picture would be the same file.
    data[_CREATED] = b"".join(value.to_bytes(2, "big") for value in (1999, 10, 18, 0, 0, 0))
    return bytes(data)


def to_srgb(pixels: np.ndarray, icc: bytes | None, name: str) -> np.ndarray:
    """Pixels (uint8 RGB) in sRGB; without a profile they are taken to be that. ``name`` stands for the file in errors.

    Raises ExportError for a damaged profile: guessed colours would be sold as the product's own.
    """
    if icc is None or is_srgb(icc):
        return pixels
    try:
        return _convert(pixels, icc)
    except (ImageCms.PyCMSError, OSError) as error:
        raise ExportError(
            f"The colour profile of {name} cannot be used ({error}); convert the picture to sRGB and save it again."
        ) from error


def is_srgb(icc: bytes) -> bool:
    """Whether a profile leaves colours as sRGB has them; its description may say anything."""
    steps = np.arange(0, 256, 51, dtype=np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(6, 36, 3)
    try:
        moved = np.abs(_convert(colours, icc).astype(int) - colours)
    except (ImageCms.PyCMSError, OSError):
        return False
    return int(moved.max()) <= _SAME


def _convert(pixels: np.ndarray, icc: bytes) -> np.ndarray:
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    target = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
    image = Image.fromarray(np.ascontiguousarray(pixels))
    converted = ImageCms.profileToProfile(
        image, source, target, ImageCms.Intent.RELATIVE_COLORIMETRIC, outputMode="RGB"
    )
    return np.asarray(converted)
