"""A picture as the bytes of a file: format, quality under a limit of bytes, sRGB profile, metadata."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from lib_photoshoot.colour.profiles import srgb_profile
from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.profile import Encoding
from lib_photoshoot.provenance.metadata import NOTHING, Metadata, save_options

_LOSSY = ("JPEG", "WEBP")


def encode(pixels: np.ndarray, format_: str, quality: int, metadata: Metadata = NOTHING) -> bytes:
    """uint8 pixels, RGB or RGBA, as a file's bytes with sRGB profile; ``quality`` (1..100) is for JPEG and WebP."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    buffer = io.BytesIO()
    image.save(buffer, format_, **_options(format_, quality), **save_options(format_, metadata, icc=srgb_profile()))
    return buffer.getvalue()


def encode_under(pixels: np.ndarray, file: Encoding, metadata: Metadata = NOTHING) -> tuple[bytes, int]:
    """Return the bytes in the profile's format under its limit, and the best quality, found by bisection, that allows
    it.

    Raises ExportError when even the least quality needs more bytes.
    """
    data = encode(pixels, file.format, file.quality, metadata)
    if len(data) <= file.most_bytes:
        return data, file.quality
    low, high = (file.least_quality, file.quality - 1) if file.format in _LOSSY else (1, 0)
    smallest, best = len(data), None
    while low <= high:
        # The lowest first: where not even that is small enough, there is nothing to search.
        quality = low if best is None else (low + high + 1) // 2
        data = encode(pixels, file.format, quality, metadata)
        if len(data) <= file.most_bytes:
            best, low = (data, quality), quality + 1
        else:
            smallest = min(smallest, len(data))
            high = quality - 1
    if best is None:
        raise ExportError(
            f"The picture needs {smallest:,} bytes as {file.format} and the profile allows {file.most_bytes:,}; "
            "allow a lower quality or a smaller canvas in the profile."
        )
    return best


def _options(format_: str, quality: int) -> dict[str, Any]:
    if format_ == "JPEG":
        # Without subsampling the product's colours do not bleed into the white beside it.
        return {"quality": quality, "subsampling": 0, "optimize": True}
    if format_ == "WEBP":
        return {"quality": quality, "method": 4}
    return {"compression": "tiff_lzw"} if format_ == "TIFF" else {"optimize": True}
