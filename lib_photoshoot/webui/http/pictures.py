"""Pictures inside JSON: files in base64."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any

import numpy as np
from PIL import Image

from lib_photoshoot.images import Picture, to_image
from lib_photoshoot.webui.http.errors import RequestError


def from_base64(text: Any, name: str) -> bytes:
    """Return the bytes of the field ``name``, also of a data URL. Raises RequestError."""
    if not isinstance(text, str):
        raise RequestError(f"'{name}' must be a picture file in base64.")
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(f"'{name}' is not base64 ({error}); send a whole picture file in base64.") from error


def png_text(pixels: np.ndarray, alpha: np.ndarray | None, like: Picture) -> str:
    """Return the picture as a PNG file in base64, with the bits, profile and metadata of the one that it was made
    from.
    """
    options = like.options("PNG")
    if pixels.dtype == np.uint16:
        from lib_photoshoot.colour.deep import encode_deep

        return base64.b64encode(encode_deep(pixels, alpha, options)).decode("ascii")
    return _saved(to_image(pixels, alpha), **options)


def mask_text(mask: np.ndarray) -> str:
    """Return a mask, bool (height, width), as a black and white PNG file in base64."""
    from lib_photoshoot.masks.cutout import mask_image

    return _saved(mask_image(mask))


def _saved(image: Image.Image, **options: Any) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=4, **options)
    return base64.b64encode(buffer.getbuffer()).decode("ascii")
