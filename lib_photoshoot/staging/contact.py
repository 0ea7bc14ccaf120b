"""Whether a product in a picture touches the ground: by the shade where it stands."""

from __future__ import annotations

import cv2
import numpy as np

from lib_photoshoot.staging.shadow import contact_shadow

_SHADED = 0.02
"""Least darkening where a product stands, against the ground around, as a share of its light."""


def is_floating(image: np.ndarray, alpha: np.ndarray) -> bool:
    """Whether nothing is darker where the product would touch the ground than the ground around.

    ``image`` is uint8 sRGB (height, width, 3) with the product in it, ``alpha`` uint8 (height, width). False where the
    ground lies beyond the picture.
    """
    near = contact_shadow(alpha, 1.0)
    near[alpha > 0] = 0
    if near.max() < 0.05:
        return False
    light = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    contact = near > 0.5 * near.max()
    around = (near <= 0.1 * near.max()) & (near > 0)
    if not contact.any() or not around.any():
        return False
    level = float(np.median(light[around]))
    return level - float(np.median(light[contact])) < _SHADED * max(level, 1.0)
