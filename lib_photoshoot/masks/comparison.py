"""How near one outline is to another: overlap, boundary F-measure, and whether a product is whole.

Masks are ``bool`` arrays of one shape (height, width).
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import bounding_rect, check_mask, distance_to

TOLERANCE_SHARE = 0.003
"""Tolerance of the boundary F-measure, as a share of the picture's diagonal."""
WHOLE_SHARE = 0.97
"""Recall and precision of the area from which a product counts as whole."""

SAME_PLACE_IOU = 0.7
"""Overlap of two boxes or masks from which they are one product, seen twice."""
RAGGED = 1.6
"""Raggedness from which an outline is frayed: measured, whole products lie below it, straps and legs included."""


def mask_iou(one: np.ndarray, other: np.ndarray) -> float:
    """Return intersection over union in [0, 1]; 1 for two empty masks.

    >>> left, whole = np.eye(4, dtype=bool) * False, np.ones((4, 4), bool)
    >>> left[:, :2] = True
    >>> float(mask_iou(left, whole)), float(mask_iou(left, left))
    (0.5, 1.0)
    """
    union = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / union if union else 1.0


def boundary(mask: np.ndarray) -> np.ndarray:
    """Return the pixels of the mask that touch its background, bool; the picture's edge is no background."""
    check_mask(mask)
    inside = cv2.erode(mask.view(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return mask & (inside == 0)


def boundary_f(mask: np.ndarray, truth: np.ndarray, tolerance: float | None = None) -> float:
    """Return the boundary F-measure in [0, 1] (Martin, Fowlkes & Malik 2004) of ``mask`` against ``truth``.

    A boundary pixel is right where the other boundary runs within ``tolerance`` pixels; None for
    :data:`TOLERANCE_SHARE` of the diagonal.
    """
    if tolerance is None:
        tolerance = TOLERANCE_SHARE * math.hypot(*truth.shape)
    ours, theirs = boundary(mask), boundary(truth)
    if not ours.any() or not theirs.any():
        return float(ours.any() == theirs.any())
    precision = float((distance_to(theirs)[ours] <= tolerance).mean())
    recall = float((distance_to(ours)[theirs] <= tolerance).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def is_whole(mask: np.ndarray, truth: np.ndarray) -> bool:
    """Return whether ``mask`` holds the product and little else: recall and precision of :data:`WHOLE_SHARE`."""
    common = np.count_nonzero(mask & truth)
    return common >= WHOLE_SHARE * max(np.count_nonzero(mask), np.count_nonzero(truth), 1)


def raggedness(mask: np.ndarray) -> float:
    """Return the outline's length over that of the same outline without details of a hundredth of the product's size.

    About 1 for a clean edge.
    """
    rect = bounding_rect(mask, 8)
    if rect is None:
        return 1.0
    crop = np.ascontiguousarray(mask[rect.slices])
    sigma = max(1.5, 0.01 * max(crop.shape))
    smooth = cv2.GaussianBlur(crop.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE) > 0.5
    return np.count_nonzero(boundary(crop)) / max(np.count_nonzero(boundary(smooth)), 1)
