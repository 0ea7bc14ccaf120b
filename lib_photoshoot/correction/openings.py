"""All openings of a product that look alike, from a click into one of them: gaps between stems, holes of a chair.

Each of them would cost a step. What is seen through a product is mostly one ground, so what is like the place that was
clicked, and lies as apart from the rest as that, is meant too, or is not: it is one of several answers.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from lib_photoshoot.correction.alternatives import Alternative
from lib_photoshoot.correction.changes import Click, place_of
from lib_photoshoot.correction.snapping import FINER
from lib_photoshoot.masks.morphology import fill_holes

SIDE = 1024
"""Longest side, in pixels, in which openings are looked for; small pictures are enlarged: gaps may be a pixel wide."""
AROUND = 2
"""Pixels of that size around a click whose colour counts."""
LEVELS = (14.0, 26.0)
"""Differences of colour in Lab (CIE76) up to which a place is like the one clicked: a narrow answer, a wide one."""
LEAST, SHARE = 10, 0.02
"""An opening has so many pixels of that size, and so much of the largest one."""


def alike_openings(image: np.ndarray, mask: np.ndarray, click: Click) -> Iterator[Alternative]:
    """Yield outlines, bool (height, width), without all that is like the place clicked, or with all such holes filled.

    ``image`` is uint8 RGB (height, width, 3). Nothing is yielded where the place is alone of its kind: other answers
    are about it.
    """
    free = fill_holes(mask) & ~mask if click[2] else mask
    row, column = place_of(click, mask.shape)
    if not free[row, column]:
        return
    scale = min(FINER, SIDE / max(mask.shape))
    size = (max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    may = cv2.resize(free.view(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    y, x = min(int(row * scale), size[1] - 1), min(int(column * scale), size[0] - 1)
    near = slice(max(0, y - AROUND), y + AROUND + 1), slice(max(0, x - AROUND), x + AROUND + 1)
    colour = np.median(lab[near][may[near]], axis=0) if may[near].any() else lab[y, x]
    difference = np.linalg.norm(lab - colour, axis=2)
    before = 0
    for level in LEVELS:
        found = _openings(may & (difference < level))
        large = cv2.resize(found.astype(np.float32), image.shape[1::-1], interpolation=cv2.INTER_LINEAR) > 0.5
        changed, count = _whole(large, free) if click[2] else large & free, int(np.count_nonzero(large))
        if cv2.connectedComponents(found.view(np.uint8), connectivity=8)[0] > 2 and count > before:
            yield Alternative("All like it", mask | changed if click[2] else mask & ~changed)
        before = count


def _whole(alike: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """Return the holes, bool (height, width), that are alike for the greater part: one is filled to its edge."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(holes.view(np.uint8), connectivity=8)
    held = np.bincount(labels[alike & holes], minlength=len(stats))
    return holes & (2 * held > stats[:, cv2.CC_STAT_AREA])[labels]


def _openings(alike: np.ndarray) -> np.ndarray:
    """Return the pieces, bool (height, width), without specks and without the rim that an outline leaves."""
    # A rim is two pixels wide at most, and no hand has clicked on it.
    opened = cv2.morphologyEx(alike.view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA]
    areas[0] = 0
    kept = areas >= max(LEAST, SHARE * areas.max())
    # The corners that opening took are part of them.
    return (cv2.dilate(kept[labels].view(np.uint8), np.ones((3, 3), np.uint8)) > 0) & alike
