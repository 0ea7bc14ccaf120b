"""What stands behind the products before anything is painted: colours, a picture, or their own surroundings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from PIL import ImageColor

from lib_photoshoot.colour.space import ColourSpace
from lib_photoshoot.scene_settings import BLURRED, ORIGINAL
from lib_photoshoot.staging.plan import StageError

Colour = tuple[int, int, int]

_BLUR = 0.025
"""Standard deviation of the blurred surroundings, as a share of the longer side."""
_SMALL = 512
"""Longest side, in pixels, at which surroundings are filled and blurred: nothing finer is left of them."""


class BackdropKind(str, Enum):
    """What a backdrop is made of."""

    ORIGINAL = ORIGINAL
    BLURRED = BLURRED
    COLOURS = "colours"
    PICTURE = "picture"


@dataclass(frozen=True)
class Backdrop:
    """What users typed, understood: ``colours`` in sRGB from the top down, or the ``picture``'s path as given."""

    kind: BackdropKind
    colours: tuple[Colour, ...] = ()
    picture: str = ""


def read_backdrop(text: str) -> Backdrop:
    """Return the backdrop that a text means. Raises StageError.

    ``original``, ``blurred``, a colour as ``#f4f4f4`` or ``white``, two of them with ``to`` between, or a picture's
    path after ``@``: whether that is there, and may be read, is the caller's to say.

    >>> read_backdrop("#ffffff to #d8d8d8").colours
    ((255, 255, 255), (216, 216, 216))
    >>> read_backdrop("@wood.jpg").picture
    'wood.jpg'
    """
    wanted = text.strip()
    if wanted.lower() in (ORIGINAL, BLURRED):
        return Backdrop(BackdropKind(wanted.lower()))
    if wanted.startswith("@") and wanted[1:].strip():
        return Backdrop(BackdropKind.PICTURE, picture=wanted[1:].strip())
    parts = re.split(r"\s+to\s+", wanted, flags=re.IGNORECASE)
    try:
        colours = tuple(ImageColor.getrgb(part) for part in parts)
    except ValueError:
        colours = ()
    if 1 <= len(colours) <= 2 and all(len(colour) == 3 for colour in colours):
        return Backdrop(BackdropKind.COLOURS, tuple((red, green, blue) for red, green, blue, *_ in colours))
    raise StageError(
        f"The backdrop {wanted[:200]!r} cannot be understood: write original, blurred, a colour as #f4f4f4, two as "
        "#ffffff to #d8d8d8, or a picture as @/folder/picture.jpg."
    )


def coloured(
    colours: tuple[Colour, ...], width: int, height: int, space: ColourSpace, dtype: np.dtype | type
) -> np.ndarray:
    """Return sRGB colours as a surface (height, width, 3) in ``space``: one, or the first fading into the second."""
    ends = space.from_srgb(np.array(colours, np.uint8)[None], dtype)[0].astype(np.float32)
    if (ends == ends[0]).all():
        return np.full((height, width, 3), ends[0].astype(dtype), dtype)
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    column = ends[0] + share * (ends[-1] - ends[0])
    if np.dtype(dtype) != np.uint8:
        return np.repeat(np.rint(column).astype(dtype)[:, None], width, axis=1)
    # Steps of one level would show as bands: each row's fraction is spread over its pixels, always alike.
    tile = np.random.default_rng(0).random((64, 64), np.float32)
    noise = np.tile(tile, (height // 64 + 1, width // 64 + 1))[:height, :width]
    result = np.empty((height, width, 3), np.uint8)
    for channel in range(3):
        result[..., channel] = column[:, channel, None] + noise
    return result


def covering(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return the picture's middle, uint8 or uint16 (height, width, 3), scaled so that it covers the canvas."""
    scale = max(width / picture.shape[1], height / picture.shape[0])
    across = min(picture.shape[1], max(1, round(width / scale)))
    down = min(picture.shape[0], max(1, round(height / scale)))
    left, top = (picture.shape[1] - across) // 2, (picture.shape[0] - down) // 2
    return resized(picture[top : top + down, left : left + across], width, height)


def resized(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return pixels at another size, by area where they get fewer and by Lanczos where they get more."""
    if pixels.shape[1::-1] == (width, height):
        return pixels.copy()
    fewer = width * height < pixels.shape[0] * pixels.shape[1]
    how = cv2.INTER_AREA if fewer else cv2.INTER_LANCZOS4
    return cv2.resize(pixels, (width, height), interpolation=how)


def blurred_surroundings(picture: np.ndarray, products: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return the picture out of focus and without its products, covering the canvas.

    ``picture`` is uint8 or uint16 (height, width, 3), ``products`` bool (height, width).
    """
    small, hole = _small(picture, products)
    calm = filled(small, hole)
    sigma = _BLUR * max(calm.shape[:2])
    calm = cv2.GaussianBlur(calm, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    most = np.iinfo(picture.dtype).max
    return covering(np.clip(np.rint(calm), 0, most).astype(picture.dtype), width, height)


def widened(picture: np.ndarray, x: int, y: int, width: int, height: int) -> np.ndarray:
    """Return a canvas with the picture (uint8 or uint16) at ``x``, ``y``, and beyond it what its edges fade into."""
    result = np.zeros((height, width, 3), picture.dtype)
    top, left = max(y, 0), max(x, 0)
    bottom, right = min(y + picture.shape[0], height), min(x + picture.shape[1], width)
    if top < bottom and left < right:
        result[top:bottom, left:right] = picture[top - y : bottom - y, left - x : right - x]
    empty = np.ones((height, width), bool)
    empty[top:bottom, left:right] = False
    return without_products(result, empty)


def without_products(picture: np.ndarray, products: np.ndarray) -> np.ndarray:
    """Return a copy of the picture (uint8 or uint16) in which ``products`` (bool) are filled in from around."""
    result = picture.copy()
    if products.any() and not products.all():
        small, hole = _small(picture, products)
        # Enlarged in the picture's own type: as floats a large one would not fit into memory.
        calm = np.clip(np.rint(filled(small, hole)), 0, np.iinfo(picture.dtype).max).astype(picture.dtype)
        np.copyto(result, resized(calm, picture.shape[1], picture.shape[0]), where=products[..., None])
    return result


def filled(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Return float32 (height, width, 3) with its ``hole`` (bool) filled from around, the smoother the further in.

    A pyramid of means of what is known, from which each level takes what it does not know (pull-push: Gortler et al.
    1996, https://doi.org/10.1145/237170.237200). All hole stays as it is.
    """
    if hole.all() or not hole.any():
        return picture
    known = (~hole).astype(np.float32)
    if min(hole.shape) <= 2:
        mean = (picture * known[..., None]).sum((0, 1)) / known.sum()
        return np.where(hole[..., None], mean, picture).astype(np.float32)
    size = ((hole.shape[1] + 1) // 2, (hole.shape[0] + 1) // 2)
    weight = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(picture * known[..., None], size, interpolation=cv2.INTER_AREA)
    coarse = filled(total / np.maximum(weight, 1e-6)[..., None], weight < 1e-3)
    up = cv2.resize(coarse, hole.shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.where(hole[..., None], up, picture).astype(np.float32)


def _small(picture: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture as float32 and its hole, bool, at most :data:`_SMALL` pixels long, the hole rather larger."""
    scale = min(1.0, _SMALL / max(hole.shape))
    width, height = max(1, round(hole.shape[1] * scale)), max(1, round(hole.shape[0] * scale))
    known = resized((~hole).astype(np.uint8) * np.uint8(255), width, height)
    small = resized(picture, width, height).astype(np.float32)
    return small, known < 255
