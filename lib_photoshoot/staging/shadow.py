"""A soft contact shadow: dark where the product touches the ground, and gone a little further on.

Whatever hangs above the ground (:mod:`lib_photoshoot.staging.ground`) casts the fainter a shadow the higher it hangs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import bounding_rect
from lib_photoshoot.results import ProductRegion
from lib_photoshoot.staging.ground import ground_under

# Shares of the product's longer side.
_GAP = 0.018
"""Height above the ground over which the shadow falls to a third."""
_DEPTH = 0.012
"""Half of the shadow's height on the ground."""
_TIGHT, _WIDE = 0.008, 0.028
"""Blurs of the two layers: the dark line of contact and the soft light around it."""
_REACH = 3.0
"""Blurs are cut off after so many standard deviations, so that white is 255 again near by."""
_SHADED = 0.1
"""How far a contact shadow reaches beyond its product, rather further than it does."""
_MARGIN = 8
"""Pixels beyond that."""


def contact_shadows(regions: Sequence[ProductRegion], shape: tuple[int, ...], strength: float) -> np.ndarray:
    """Darkness of the ground below all products of a picture of ``shape``, float32 (height, width) in [0, strength]."""
    dark = np.zeros(shape[:2], np.float32)
    for region in regions:
        rect = None if region.alpha is None else bounding_rect(region.alpha)
        if rect is not None and region.alpha is not None:
            # As far as the shadow reaches, and no more of a large picture.
            reach = math.ceil(_SHADED * max(rect.x1 - rect.x0, rect.y1 - rect.y0)) + _MARGIN
            around = bounding_rect(region.alpha, reach)
            assert around is not None
            part = dark[around.slices]
            np.maximum(part, contact_shadow(region.alpha[around.slices], strength), out=part)
    return dark


def contact_shadow(alpha: np.ndarray, strength: float) -> np.ndarray:
    """Darkness of the ground, float32 in [0, strength], for a product's alpha (uint8, height, width) in its frame.

    All 0 for a product without any opaque pixel.
    """
    ground = ground_under(alpha)
    if ground is None:
        return np.zeros(alpha.shape, np.float32)
    side = ground.side
    weight = np.exp(-ground.gap / (_GAP * side)) * ground.level
    print_ = _footprint(alpha.shape, ground.columns, ground.rows, weight, max(1.0, _DEPTH * side))
    tight = _blurred(print_, _TIGHT * side)
    wide = _blurred(print_, _WIDE * side)
    return np.clip(strength * (0.65 * tight + 0.75 * wide), 0, strength).astype(np.float32)


def _footprint(
    shape: tuple[int, ...], columns: np.ndarray, ground: np.ndarray, weight: np.ndarray, depth: float
) -> np.ndarray:
    """Return the shadow before it is blurred: a band of ``2 * depth`` rows along the ground."""
    result = np.zeros(shape, np.float32)
    reach = math.ceil(depth)
    for offset in range(-reach, reach + 1):
        rows = np.rint(ground).astype(int) + offset
        inside = (rows >= 0) & (rows < shape[0])
        result[rows[inside], columns[inside]] = weight[inside]
    return result


def _blurred(values: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur, flatter than wide, as the ground is seen from the side; nothing is mirrored at the frame."""
    across, down = max(sigma, 0.5), max(sigma * 0.45, 0.5)
    size = (2 * math.ceil(_REACH * across) + 1, 2 * math.ceil(_REACH * down) + 1)
    return cv2.GaussianBlur(values, size, across, sigmaY=down, borderType=cv2.BORDER_CONSTANT)
