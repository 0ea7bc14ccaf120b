"""A soft contact shadow: dark where the product touches the ground, and gone a little further on.

The ground under a photographed product is seen at an angle, so a car's four wheels touch it at different heights of the
picture. It is taken to run along the lower convex hull of the product's outline: every point in which the product
stands lies on that hull, and whatever hangs above it casts the fainter a shadow the higher it hangs.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

_STEEPEST = 0.6
"""Slope of the hull, rows a column, beyond which it is the product's side and not the ground it stands on."""
# Shares of the product's longer side.
_GAP = 0.018
"""Height above the ground over which the shadow falls to a third."""
_DEPTH = 0.012
"""Half of the shadow's height on the ground."""
_TIGHT, _WIDE = 0.008, 0.028
"""Blurs of the two layers: the dark line of contact and the soft light around it."""
_REACH = 3.0
"""Blurs are cut off after so many standard deviations, so that white is 255 again near by."""


def contact_shadow(alpha: np.ndarray, strength: float) -> np.ndarray:
    """Darkness of the ground, float32 in [0, strength], for a product's alpha (uint8, height, width) in its frame.

    All 0 for a product without any opaque pixel.
    """
    solid = alpha >= 128
    columns = np.flatnonzero(solid.any(axis=0))
    shape = alpha.shape
    if columns.size == 0:
        return np.zeros(shape, np.float32)
    lowest = shape[0] - 1 - np.argmax(solid[::-1, columns], axis=0)
    rows = np.flatnonzero(solid.any(axis=1))
    side = max(int(columns[-1] - columns[0]), int(rows[-1] - rows[0])) + 1
    ground, level = _ground(columns, lowest)
    gap = ground - lowest
    weight = np.exp(-gap / (_GAP * side)) * level
    print_ = _footprint(shape, columns, ground, weight, max(1.0, _DEPTH * side))
    tight = _blurred(print_, _TIGHT * side)
    wide = _blurred(print_, _WIDE * side)
    return np.clip(strength * (0.65 * tight + 0.75 * wide), 0, strength).astype(np.float32)


def _ground(columns: np.ndarray, lowest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row of the ground under each column (float), and 1 where the hull is level, falling to 0 where it is steep."""
    hull: list[tuple[int, int]] = []
    for x, y in zip(columns.tolist(), lowest.tolist(), strict=True):
        # Rows count downwards: the lower hull keeps the points with the largest rows (Andrew's monotone chain).
        while len(hull) > 1 and _turns_up(hull[-2], hull[-1], (x, y)):
            hull.pop()
        hull.append((x, y))
    corners = np.array(hull, np.float64)
    ground = np.interp(columns, corners[:, 0], corners[:, 1])
    slope = np.zeros(len(columns))
    if len(hull) > 1:
        slopes = np.abs(np.diff(corners[:, 1]) / np.diff(corners[:, 0]))
        slope = slopes[np.clip(np.searchsorted(corners[:, 0], columns, "right") - 1, 0, len(slopes) - 1)]
    return ground, np.clip(1 - slope / _STEEPEST, 0, 1)


def _turns_up(first: tuple[int, int], middle: tuple[int, int], last: tuple[int, int]) -> bool:
    cross = (middle[0] - first[0]) * (last[1] - first[1]) - (middle[1] - first[1]) * (last[0] - first[0])
    return cross >= 0


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
