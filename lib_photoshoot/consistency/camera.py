"""How the camera stood, as far as an outline tells: how high it looks down, and whether it is tilted.

A round base, as of a cup or a bottle, is a circle on the ground, and its picture an ellipse: the quotient of its axes
is the sine of the camera's elevation (under weak perspective: R. Hartley and A. Zisserman, "Multiple View Geometry in
Computer Vision", 2nd ed. 2004, section 6.3). Only the front half is seen, between two upright sides. A box, a ball or a
dress has no such base, and nothing is said; neither is it of a base that looks straight, as it may be that of a box.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from lib_photoshoot.consistency.traits import Measured
from lib_photoshoot.masks.morphology import bounding_rect

_SIDE, _NARROWEST = 320, 12
"""Pixels to which the product's longer side is scaled, and the least half width of a base then."""
_FLATTEST, _DEEPEST = 0.05, 0.8
"""Quotients of the base's axes between which it is told from a straight edge and from a ball."""
_UPRIGHT, _TAPER, _EVEN = 0.7, 0.25, 0.01
"""Height of the sides above the base's corners, as a share of the base's half width, that has to be straight; the most
that they may run together over it, and the mean distance from straight ones, in the same measure."""
_LOOSEST = 0.04
"""Mean distance of the base from its ellipse, as a share of its half width, from which on it is none."""
_MIDDLE = (0.25, 0.75)
"""Part of the product's height in which its sides are looked at."""
_STRAIGHT, _LIKE, _MOST_LEAN = 0.008, 6.0, 15.0
"""Mean distance of a side from its line, as a share of the height; how far (degrees) the sides' slopes may differ from
each other's mirror image; the most lean that is taken for one."""


def elevation(mask: np.ndarray) -> Measured | None:
    """Return how high the camera looks down, in degrees above the horizon, by the ellipse of a round base.

    ``mask`` is bool (height, width). None where the outline has no such base.
    """
    outline = _scaled(mask)
    if outline is None:
        return None
    rows = np.flatnonzero(outline.any(axis=1))
    lowest = int(rows[-1])
    # A handle widens the outline on one side: the base is looked for in the run of pixels above the lowest ones.
    foot = outline[lowest - max(1, outline.shape[0] // 50) : lowest + 1].any(axis=0)
    middle = round(float(np.flatnonzero(foot).mean()))
    ends = np.array([_run(row, middle) for row in outline[: lowest + 1]], np.float64)
    return _base(ends, (ends[:, 1] - ends[:, 0]) / 2, lowest)


def _run(row: np.ndarray, at: int) -> tuple[int, int]:
    """Return where the run of True pixels around a column begins and ends; (at, at) where it is False."""
    if not row[at]:
        return at, at
    gaps = np.flatnonzero(~row)
    before, after = gaps[gaps < at], gaps[gaps > at]
    return (int(before[-1]) + 1 if before.size else 0), (int(after[0]) if after.size else len(row))


def _base(ends: np.ndarray, half: np.ndarray, lowest: int) -> Measured | None:
    """Fit the lower half of an ellipse under two straight sides; ``ends`` are the outline's, (rows, 2), left and right,
    and ``half`` is half of what lies between."""
    found: Measured | None = None
    for corner in range(lowest - 1, max(lowest // 3, 0), -1):
        a, b = float(half[corner]), float(lowest + 1 - corner)
        first = corner - math.ceil(_UPRIGHT * a)
        if a < _NARROWEST or first < 0 or not _FLATTEST <= b / a <= _DEEPEST:
            continue
        rows = np.arange(first, corner + 1)
        taper, a = np.polyfit(rows - corner, half[first : corner + 1], 1)
        uneven = np.abs(half[first : corner + 1] - (a + taper * (rows - corner))).mean() / a
        if uneven > _EVEN or abs(taper) > _TAPER:
            continue
        below = slice(corner, lowest + 1)
        expected = a * np.sqrt(np.clip(1 - ((np.arange(corner, lowest + 1) + 0.5 - corner) / b) ** 2, 0, 1))
        off = float(np.abs(half[below] - expected).mean()) / a
        aside = float(np.abs(ends[below].mean(axis=1) - ends[corner].mean()).mean()) / a
        confidence = 1 - max(off, aside) / _LOOSEST
        if confidence > 0 and b <= a and (found is None or confidence > found.confidence):
            found = Measured((math.degrees(math.asin(b / a)),), confidence)
    return found


def lean(mask: np.ndarray) -> Measured | None:
    """Return how far the product leans, in degrees clockwise, by its straight sides.

    None where the sides are not straight, or not each other's mirror image. That the camera is tilted and that the
    product stands askew look alike.
    """
    outline = _scaled(mask)
    if outline is None:
        return None
    rows = np.flatnonzero(outline.any(axis=1))
    top, height = int(rows[0]), len(rows)
    chosen = np.arange(top + round(_MIDDLE[0] * height), top + round(_MIDDLE[1] * height))
    if len(chosen) < 24:
        return None
    ends = np.array([(np.argmax(row), len(row) - 1 - np.argmax(row[::-1])) for row in outline[chosen]], np.float64)
    slopes, off = [], 0.0
    for side in ends.T:
        line = np.polyfit(chosen, side, 1)
        off = max(off, float(np.abs(side - np.polyval(line, chosen)).mean()) / height)
        slopes.append(math.degrees(math.atan(line[0])))
    left, right = slopes
    leaning = -(left + right) / 2
    if off > _STRAIGHT or abs(left - right) > _LIKE or abs(leaning) > _MOST_LEAN:
        return None
    return Measured((leaning,), (1 - off / _STRAIGHT) * (1 - abs(left - right) / _LIKE))


def _scaled(mask: np.ndarray) -> np.ndarray | None:
    """Return the product's own frame, its longer side scaled; None where that is small, or the picture cuts it off."""
    rect = bounding_rect(mask)
    height, width = mask.shape
    if rect is None or rect.x0 == 0 or rect.y0 == 0 or rect.x1 == width or rect.y1 == height:
        return None
    scale = _SIDE / max(rect.x1 - rect.x0, rect.y1 - rect.y0)
    if scale > 4:
        return None
    size = max(1, round((rect.x1 - rect.x0) * scale)), max(1, round((rect.y1 - rect.y0) * scale))
    crop = mask[rect.slices].astype(np.float32)
    scaled = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR) > 0.5
    return scaled if scaled.any() else None
