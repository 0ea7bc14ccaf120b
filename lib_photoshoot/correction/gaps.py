"""What of a part that was drawn around is the ground behind it, as between legs or inside a handle.

Who draws around a stool means the stool. SAM sees through it, but overlooks thin and pointed parts just as well;
colours tell the two apart, as the ground goes on outside of the line. Of pictures of ECSSD (even numbers) drawn around
by a simulated hand, 60 with their gaps come from a mean IoU of 0.899 to 0.938, 60 without them from 0.971 to 0.973.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import cKDTree

from lib_photoshoot.masks.morphology import bounding_rect, grow

SEAM_PART = 6
"""A gap is at least as wide as twice how far a hand may be off, divided by this: else it is a seam."""
GROUND_LIKE = 0.4
"""Share of a gap's pixels that are more like the ground than like the rest of the part."""
AROUND = 0.3
"""How far around the part its ground is looked at, as a share of the part's longer side."""
SAMPLES, GAP_SAMPLES, NEIGHBOURS = 3000, 400, 3
LEAST = 50
"""Pixels of the part, or of its ground, below which their colours say nothing."""
LOOKED_SIDE = 512
"""Of a part and its ground, about so many rows and columns of pixels are looked at."""


def gaps_of(part: np.ndarray, seen: np.ndarray, reach: float) -> np.ndarray:
    """Return what of a part SAM has not ``seen`` as it, bool (height, width); seams along its edge are left out.

    ``reach`` is how far a hand may be off, in pixels.
    """
    side = 2 * max(1, round(reach / SEAM_PART)) + 1
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.morphologyEx((part & ~seen).view(np.uint8), cv2.MORPH_OPEN, ellipse).view(bool)


def like_ground(image: np.ndarray, gaps: np.ndarray, part: np.ndarray, drawn: np.ndarray, reach: float) -> np.ndarray:
    """Return the ``gaps`` of a ``part`` that look like the ground outside of what was ``drawn``, bool (height, width).

    ``image`` is uint8 RGB (height, width, 3), the masks are bool (height, width); ``reach`` as of :func:`gaps_of`.
    """
    result = np.zeros_like(gaps)
    if not gaps.any():
        return result
    around = bounding_rect(drawn)
    assert around is not None, "a gap lies in what was drawn"
    rect = bounding_rect(drawn, round(AROUND * max(around.x1 - around.x0, around.y1 - around.y0)))
    assert rect is not None
    crop, pieces = image[rect.slices], gaps[rect.slices]
    # Some pixels of the part and its ground do: all of a large picture would take longer than SAM.
    each = max(1, max(pieces.shape) // LOOKED_SIDE)
    sampled = (slice(None, None, each),) * 2
    rest = part[rect.slices][sampled] & ~pieces[sampled]
    ground = ~grow(drawn[rect.slices][sampled], reach / each)
    if min(np.count_nonzero(ground), np.count_nonzero(rest)) < LEAST:
        return result
    rng = np.random.default_rng(0)
    nearest_ground, nearest_part = (cKDTree(_colours(crop[sampled], side, SAMPLES, rng)) for side in (ground, rest))
    count, labels = cv2.connectedComponents(pieces.view(np.uint8))
    for number in range(1, count):
        piece = labels == number
        colours = _colours(crop, piece, GAP_SAMPLES, rng)
        to_ground, to_part = (
            tree.query(colours, k=NEIGHBOURS)[0].mean(axis=1) for tree in (nearest_ground, nearest_part)
        )
        if np.mean(to_ground < to_part) >= GROUND_LIKE:
            result[rect.slices] |= piece
    return result


def _colours(image: np.ndarray, where: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return the colours, float32 Lab (count, 3), of at most so many pixels."""
    pixels = image[where]
    pixels = pixels[rng.permutation(len(pixels))[:most]]
    lab: np.ndarray = cv2.cvtColor(pixels[:, None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[:, 0]
    return lab
