"""Large pictures are looked at in a smaller copy, and the masks brought back to their size."""

from __future__ import annotations

import hashlib
import weakref

import cv2
import numpy as np

# SAM looks at 1024 pixels; a working copy of twice that keeps the mask's edge while a 144-megapixel picture fits.
WORKING_SIDE = 2048


_known: dict[int, tuple[weakref.ref[np.ndarray], bytes]] = {}
"""Digests of arrays that nobody can write to, by ``id``, as long as they live."""


def picture_digest(image: np.ndarray) -> bytes:
    """Identify a picture by its pixels: what was made of it is reused for the same picture, never for another.

    An array of its own pixels that nobody can write to is looked at once.
    """
    if image.flags.writeable or not image.flags.owndata:
        return _digest(image)
    number = id(image)
    known = _known.get(number)
    if known is None or known[0]() is not image:
        known = weakref.ref(image, lambda _: _known.pop(number, None)), _digest(image)
        _known[number] = known
    return known[1]


def _digest(image: np.ndarray) -> bytes:
    digest = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16)
    digest.update(repr(image.shape).encode())
    return digest.digest()


def working_copy(image: np.ndarray) -> np.ndarray:
    """Return the picture itself, or scaled down so that its longest side is :data:`WORKING_SIDE` pixels."""
    height, width = image.shape[:2]
    scale = WORKING_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def resized_mask(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the mask (bool) in the size of a picture of ``shape`` (height, width, ...); itself when it has that
    size.
    """
    height, width = shape[:2]
    if mask.shape == (height, width):
        return mask
    return cv2.resize(mask.astype(np.uint8) * 255, (width, height), interpolation=cv2.INTER_LINEAR) > 127
