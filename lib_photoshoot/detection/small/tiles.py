"""A picture's quarters, looked at one by one: a network of 300 pixels sees small things in a part of a scene only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lib_photoshoot.detection.small.protocol import SAME_THING_IOU, SmallBox, SmallDetector
from lib_photoshoot.detection.verification import iou
from lib_photoshoot.results import Box

TILE = 0.6
"""Share of a side that a tile has; so four overlap by a third of it, and what is cut by one lies whole in another."""
CUT = 0.01
"""A box that ends so near a tile's inner edge, as a share of the longer side, is of a part."""


def with_tiles(detector: SmallDetector, image: np.ndarray, boxes: Sequence[SmallBox]) -> list[SmallBox]:
    """Return ``boxes``, seen in the whole of ``image`` (uint8 RGB), and what else is seen in its tiles, best first.

    What a tile cuts off is left out, and of boxes of one label in one place the best is kept.
    """
    height, width = image.shape[:2]
    found = [*boxes]
    for left, top, right, bottom in _tiles(width, height):
        for seen in detector.boxes(np.ascontiguousarray(image[top:bottom, left:right])):
            x0, y0, x1, y1 = seen.box
            box = (x0 + left, y0 + top, x1 + left, y1 + top)
            if not _is_cut(box, (left, top, right, bottom), width, height):
                found.append(SmallBox(seen.label, seen.score, box))
    kept: list[SmallBox] = []
    for one in sorted(found, key=lambda box: -box.score):
        if all(one.label != other.label or iou(one.box, other.box) < SAME_THING_IOU for other in kept):
            kept.append(one)
    return kept


def _tiles(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield left, top, right and bottom of each tile in pixels."""
    for y in (0.0, 1 - TILE):
        for x in (0.0, 1 - TILE):
            yield int(x * width), int(y * height), int((x + TILE) * width), int((y + TILE) * height)


def _is_cut(box: Box, tile: tuple[int, int, int, int], width: int, height: int) -> bool:
    near = CUT * max(width, height)
    inner = (tile[0] > 0, tile[1] > 0, tile[2] < width, tile[3] < height)
    return any(is_inner and abs(box[side] - tile[side]) < near for side, is_inner in enumerate(inner))
