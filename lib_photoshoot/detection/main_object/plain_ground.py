"""One thing on a plain ground, as a shop's pack shot has it: where the ground ends, the thing begins.

Salience networks lose thin and branching things, such as a bonsai, where nothing could be simpler to see.
"""

from __future__ import annotations

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import fill_holes

RING = 0.02
"""The ground is what lies along the picture's border, so wide, as a share of its shorter side."""
LIKE_GROUND, GROUND_SHARE = 14, 0.97
"""A ground is plain where this share of it differs by no more than so much, of 255, from its median in any channel."""
UNLIKE_GROUND = 24
"""What differs by more is none of it."""
ONE_THING = 0.95
"""One thing holds at least this share of all that is not ground."""
SPECK = 0.0005
PINHOLE = 0.02


def thing_on_plain_ground(image: np.ndarray) -> np.ndarray | None:
    """Return what alone stands on the plain ground of ``image``, uint8 RGB (height, width, 3), as a mask (bool).

    None where the ground is not plain, or more than one thing stands on it.
    """
    inset = max(1, round(RING * min(image.shape[:2])))
    sides = (image[:inset], image[-inset:], image[:, :inset], image[:, -inset:])
    ring = np.concatenate([side.reshape(-1, 3) for side in sides])
    ground = np.median(ring, axis=0)
    if (np.abs(ring - ground).max(axis=1) <= LIKE_GROUND).mean() < GROUND_SHARE:
        return None
    apart = (np.abs(image.astype(np.float32) - ground).max(axis=2) > UNLIKE_GROUND).astype(np.uint8)
    joined = cv2.morphologyEx(apart, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    areas = np.where(areas >= SPECK * joined.size, areas, 0)
    if count == 1 or areas.max() < ONE_THING * areas.sum() or not areas.any():
        return None
    return fill_holes(labels == int(areas.argmax()) + 1, PINHOLE)
