"""What shows through a product: the background under a bag's handle, inside a cup's, between a chair's legs.

SAM outlines a product well, but of an opening it often sees a part only, and counts the rest to the product. So it is
asked once more, and told that what it left open is background. Measured with MobileSAM on 51 real pictures: what it
leaves open in more than :data:`OPENING_SHARE` of the product is an opening, what is smaller often is not.
"""

from __future__ import annotations

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import clean, distance_to, fill_holes
from lib_photoshoot.results import Box
from lib_photoshoot.segmentation.protocol import Point, Segmenter
from lib_photoshoot.segmentation.working_copy import resized_mask, working_copy

OPENING_SHARE = 0.01
"""Least share of the area inside a product's outlines; smaller holes are taken for mistakes and filled."""
SAME_OUTLINE_IOU = 0.95
"""An answer to the second question counts only where its outlines are those of the first."""


def find_openings(image: np.ndarray, box: Box, mask: np.ndarray, segmenter: Segmenter) -> np.ndarray | None:
    """Where the background shows through a product: bool (height, width), inside the outlines; None for nowhere.

    ``mask`` is the segmenter's own, with its holes, of a product in ``box`` of ``image``, uint8 RGB (height, width, 3).
    """
    small = working_copy(image)
    scale = small.shape[1] / image.shape[1]
    x0, y0, x1, y1 = (side * scale for side in box)
    found = _find(small, (x0, y0, x1, y1), resized_mask(mask, small.shape), segmenter)
    return resized_mask(found, mask.shape) & clean(mask) if found.any() else None


def _find(image: np.ndarray, box: Box, mask: np.ndarray, segmenter: Segmenter) -> np.ndarray:
    seen = _openings(mask)
    if not seen.any():
        return seen
    outlined = clean(mask)
    answers = segmenter.without(image, box, _deepest(seen))
    alike = [answer for answer in answers if _overlap(clean(answer.mask), outlined) >= SAME_OUTLINE_IOU]
    return _openings(max(alike, key=lambda answer: answer.quality).mask) if alike else seen


def _openings(mask: np.ndarray) -> np.ndarray:
    return fill_holes(mask) & ~fill_holes(mask, OPENING_SHARE)


def _deepest(areas: np.ndarray) -> list[Point]:
    """Of each connected area the pixel furthest from its edge, as (x, y)."""
    count, labels = cv2.connectedComponents(areas.view(np.uint8), connectivity=4)
    depth = distance_to(~areas)
    points = []
    for label in range(1, count):
        y, x = np.unravel_index(np.argmax(depth * (labels == label)), depth.shape)
        points.append((float(x), float(y)))
    return points


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.count_nonzero(one & other) / max(np.count_nonzero(one | other), 1))
