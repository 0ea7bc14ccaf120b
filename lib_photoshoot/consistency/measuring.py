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
    close, outline = space.to_srgb(_resized(picture, _CLOSE)), _shrunk(mask, _CLOSE) > 0.5
    lab, small = SRGB.to_lab(_resized(close, _SIDE)), _shrunk(mask, _SIDE) > 0.5
    known = ~small
    for hidden in (others, None if alpha is None else alpha < 255):
        if hidden is not None:
            known &= _shrunk(hidden, _SIDE) == 0
    found = {
        Trait.LIGHT: light_by_shading(close, outline),
        Trait.SHADOW: light_by_shadow(lab, small, known),
        Trait.WHITE: white_point(lab, small, known),
        Trait.SIZE: size_in_frame(mask),
        Trait.GROUND: ground_line(mask),
        Trait.ELEVATION: elevation(outline),
        Trait.LEAN: lean(outline),
    }
    return {trait: one for trait, one in found.items() if one is not None}


def _shrunk(mask: np.ndarray, side: int) -> np.ndarray:
    """Return by how much a mask covers each pixel of a copy with at most that longer side, float32 in [0, 1]."""
    return _resized(mask.view(np.uint8) * np.uint8(255), side).astype(np.float32) / 255


def _resized(values: np.ndarray, side: int) -> np.ndarray:
    height, width = values.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return values
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(np.ascontiguousarray(values), size, interpolation=cv2.INTER_AREA)
