"""The colours of a product, part by part: what tells a colour variant or another print from a repeated picture."""

from __future__ import annotations

import cv2
import numpy as np

from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.masks.morphology import bounding_rect, distance_to

CELLS = 8
"""The product's frame is divided into so many cells each way; what is smaller than one shows in its mean alone."""
SAME = 8.0
"""Difference (CIE 1976, in CIELAB) up to which a cell has the same colour. A repeat at JPEG quality 80, 2 pixels aside
or 5 % lighter stays below 6 (tests/ranking/test_colours.py); colours that one would sell as two are 10 and more apart.
"""
_COVERED = 0.5
_SIDE = 32 * CELLS
_RIM = 5
"""Pixels along the outline, of ``_SIDE``, that are left out: an outline drawn anew lies elsewhere by as much."""


def colours(picture: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
    """Mean CIELAB colour of each cell of the product's frame, float32 (CELLS, CELLS, 3); None for an empty mask.

    ``picture`` is uint8 RGB (H, W, 3), ``mask`` bool (H, W). A cell of which less than half is product is NaN: the
    background says nothing about the product.
    """
    rect = bounding_rect(mask)
    if rect is None:
        return None
    size = (_SIDE, _SIDE)
    scaled = cv2.resize(mask[rect.slices].astype(np.float32), size, interpolation=cv2.INTER_AREA)
    core = distance_to(scaled < _COVERED) > _RIM
    inside = core.astype(np.float32) if core.any() else scaled
    rgb = cv2.resize(np.ascontiguousarray(picture[rect.slices]), size, interpolation=cv2.INTER_AREA)
    lab = SRGB.to_lab(rgb)
    covered = _means(inside)
    sums = np.dstack([_means(lab[:, :, channel] * inside) for channel in range(3)])
    return np.where(covered[:, :, None] >= _COVERED, sums / np.maximum(covered, _COVERED)[:, :, None], np.nan)


def same_colours(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    """Whether no part differs; also where colours were not measured, or have no cell in common."""
    if one is None or other is None:
        return True
    difference = np.sqrt(((one - other) ** 2).sum(axis=2))
    # A comparison with NaN is False.
    return not (difference > SAME).any()


def _means(values: np.ndarray) -> np.ndarray:
    return values.reshape(CELLS, _SIDE // CELLS, CELLS, _SIDE // CELLS).mean(axis=(1, 3))
