"""Measures all traits of one product in one picture."""

from __future__ import annotations

import cv2
import numpy as np

from lib_photoshoot.colour.space import SRGB, ColourSpace
from lib_photoshoot.consistency.camera import elevation, lean
from lib_photoshoot.consistency.placed import ground_line, size_in_frame
from lib_photoshoot.consistency.shading import light_by_shading
from lib_photoshoot.consistency.shadow import light_by_shadow
from lib_photoshoot.consistency.traits import Measured, Trait
from lib_photoshoot.consistency.white import white_point

_SIDE, _CLOSE = 384, 1024
"""Longer side, in pixels, of the copies that background and product are looked at in."""


def measure_traits(
    picture: np.ndarray,
    mask: np.ndarray,
    space: ColourSpace = SRGB,
    others: np.ndarray | None = None,
    alpha: np.ndarray | None = None,
) -> dict[Trait, Measured]:
    """Return what can be told of the product that ``mask`` (bool, height, width) outlines; nothing for an empty one.

    ``picture`` is uint8 or uint16 RGB (height, width, 3) in ``space``. ``others`` (bool) are further products, which
    are no background; neither is what ``alpha`` (uint8) says is not opaque.
    """
    if not mask.any():
        return {}
    hidden = np.zeros(mask.shape, bool) if others is None else others
    if alpha is not None:
        hidden = hidden | (alpha < 255)
    small, outline = _copy(picture, space, _SIDE), _shrunk(mask, _SIDE) > 0.5
    known = ~outline & (_shrunk(hidden, _SIDE) == 0)
    lab = SRGB.to_lab(small)
    close = _copy(picture, space, _CLOSE)
    found = {
        Trait.LIGHT: light_by_shading(close, _shrunk(mask, _CLOSE) > 0.5),
        Trait.SHADOW: light_by_shadow(lab, outline, known),
        Trait.WHITE: white_point(lab, outline, known),
        Trait.SIZE: size_in_frame(mask),
        Trait.GROUND: ground_line(mask),
        Trait.ELEVATION: elevation(mask),
        Trait.LEAN: lean(mask),
    }
    return {trait: one for trait, one in found.items() if one is not None}


def _copy(picture: np.ndarray, space: ColourSpace, side: int) -> np.ndarray:
    """Return a copy with at most that longer side, as uint8 in sRGB."""
    return space.to_srgb(_resized(picture, side))


def _shrunk(mask: np.ndarray, side: int) -> np.ndarray:
    return _resized(mask.view(np.uint8) * np.uint8(255), side).astype(np.float32) / 255


def _resized(values: np.ndarray, side: int) -> np.ndarray:
    height, width = values.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return values
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(np.ascontiguousarray(values), size, interpolation=cv2.INTER_AREA)
