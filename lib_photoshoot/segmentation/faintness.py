"""How much of an outline runs where the picture shows no edge."""

from __future__ import annotations

import cv2
import numpy as np

from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.masks.comparison import boundary
from lib_photoshoot.masks.morphology import bounding_rect

REACH = 3
"""Pixels from the outline to where the colours inside and outside are taken: beyond the edge's own blur."""
STEP = 4.0
"""Difference in L*a*b* (CIE 1976) below which two places look alike but for noise."""

FAINT = 0.07
"""Share of an outline along which both sides look alike, from which its course is a guess: whole products lie below."""


def faint_share(image: np.ndarray, solid: np.ndarray) -> float:
    """Return the share in [0, 1] of the outline of ``solid`` (bool) along which inside and outside look alike.

    ``image`` is uint8 sRGB (height, width, 3) of the mask's size. Gaps and straps narrower than :data:`REACH` do not
    count, nor does the picture's edge; 0 where nothing is left.
    """
    rect = bounding_rect(solid, 3 * REACH)
    if rect is None:
        return 0.0
    crop = np.ascontiguousarray(solid[rect.slices])
    smooth = cv2.blur(image[rect.slices], (3, 3))
    rows, columns = np.nonzero(boundary(crop))
    down, across = _inwards(crop, rows, columns)

    def beside(steps: int) -> tuple[np.ndarray, np.ndarray]:
        y, x = (np.rint(at + steps * way).astype(int) for at, way in ((rows, down), (columns, across)))
        return np.clip(y, 0, crop.shape[0] - 1), np.clip(x, 0, crop.shape[1] - 1)

    inner, outer = beside(REACH), beside(-REACH - 1)
    across_edge = crop[inner] & ~crop[outer]
    if not across_edge.any():
        return 0.0
    lab = SRGB.to_lab(np.stack([smooth[inner], smooth[outer]])[:, across_edge])
    return float((np.linalg.norm(lab[0] - lab[1], axis=1) < STEP).mean())


def _inwards(mask: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ways into the mask at some pixels, of length 1, down and to the right."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 2)
    down, across = (cv2.Sobel(soft, cv2.CV_32F, *order)[rows, columns] for order in ((0, 1), (1, 0)))
    length = np.maximum(np.hypot(down, across), np.float32(1e-6))
    return down / length, across / length
