"""The instances of a product that were found so far, and the picture without them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from lib_photoshoot.detection.verification import area, overlap
from lib_photoshoot.results import Box, Detection

MOST_COVERED = 0.5
"""A ragged outline over so much of an instance is of the background around it."""
MOST_HELD = 0.7
"""Of two boxes of which one holds so much of the other, both are of one instance."""


class Instances:
    """The instances of a product so far, and the picture without them."""

    def __init__(self, image: np.ndarray) -> None:
        self.detections: list[Detection] = []
        self.view = image
        self.seen = np.zeros(image.shape[:2], bool)
        self._image = image

    def holds(self, box: Box) -> bool:
        """Whether a box is of an instance that is known."""
        return any(overlap(box, d.box) > MOST_HELD * min(area(box), area(d.box)) for d in self.detections)

    def add(self, detection: Detection | None, seen: np.ndarray) -> bool:
        """Keep an instance, and paint over what was seen of it; returns whether it is a new one.

        The background around another one is none, and of two of one place the likelier is kept.
        """
        if detection is None:
            return False
        same = [d for d in self.detections if overlap(d.box, detection.box) > MOST_HELD * area(d.box)]
        same += [d for d in self.detections if overlap(d.box, detection.box) > MOST_HELD * area(detection.box)]
        if not _is_around(detection, self.detections) and all(detection.score > d.score for d in same):
            self.detections = [*(d for d in self.detections if d not in same), detection]
        self.seen = self.seen | seen
        self.view = self.view.copy()
        self.view[seen] = np.median(self._image[~seen], axis=0) if not seen.all() else 0
        return not same


def _is_around(detection: Detection, found: Sequence[Detection]) -> bool:
    """Whether a ragged outline reaches over most of an instance already found: it is the background around that one,
    in which the gap still has the product's shape."""
    covered = (overlap(detection.box, other.box) >= MOST_COVERED * area(other.box) for other in found)
    return detection.mask is None and any(covered)


def hint_elsewhere(heat: np.ndarray, seen: np.ndarray) -> float:
    """Return the highest heat among the cells that neither ``seen`` (bool, picture's size) nor its rim covers."""
    covered = cv2.resize(seen.astype(np.float32), heat.shape[::-1], interpolation=cv2.INTER_AREA) > 0
    covered = cv2.dilate(covered.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return float(heat[~covered].max()) if not covered.all() else 0.0
