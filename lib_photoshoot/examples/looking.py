"""A picture as it is compared with signatures: looked at once, whatever is looked for."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np

from lib_photoshoot.detection.embedded.classifier import square_cutout
from lib_photoshoot.detection.verification import iou
from lib_photoshoot.examples.features import Features, looks_alike, unit
from lib_photoshoot.examples.prints import Print, take_print
from lib_photoshoot.results import Box

SIDE = 1024
"""Longest side, in pixels, of what is looked at."""
_SIDES = (2, 3, 4, 5, 7, 9, 11, 13)
"""Sides of the windows in cells, of which the longer side of a picture has thirteen."""
_MOST_ASPECT = 2.6
SAME_WINDOW = 0.35


class Looked:
    """A picture, uint8 RGB; boxes are in the pixels of its smaller copy ``image``."""

    def __init__(self, image: np.ndarray, features: Features, second: Features | None = None) -> None:
        scale = min(1.0, SIDE / max(image.shape[:2]))
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        self.image = image if scale == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        self.to_picture = (image.shape[1] / self.image.shape[1], image.shape[0] / self.image.shape[0])
        self._features, self._second = features, second
        self._looks: dict[Box, np.ndarray] = {}

    @cached_property
    def print(self) -> Print:
        """Its local features."""
        return take_print(self.image)

    @property
    def print_scale(self) -> float:
        """Pixels of ``image`` to one of the print's copy."""
        return self.image.shape[1] / self.print.small.shape[1]

    def look(self, box: Box) -> np.ndarray:
        """Return the unit vector (d,) of what a box shows."""
        if box not in self._looks:
            self._looks[box] = self._features.cutouts([square_cutout(self.image, box)])[0]
        return self._looks[box]

    def second_look(self, box: Box) -> np.ndarray | None:
        """Return the unit vector (e,) of what a box shows to the second network; None without one."""
        return None if self._second is None else self._second.cutouts([square_cutout(self.image, box)])[0]

    @cached_property
    def _windows(self) -> tuple[list[Box], np.ndarray]:
        cells = self._features.cells(self.image)
        rows, columns, depth = cells.shape
        total = np.zeros((rows + 1, columns + 1, depth), np.float32)
        total[1:, 1:] = cells.cumsum(0).cumsum(1)
        height, width = self.image.shape[0] / rows, self.image.shape[1] / columns
        boxes, sums = [], []
        for h in sorted({min(side, rows) for side in _SIDES}):
            for w in sorted({min(side, columns) for side in _SIDES}):
                if max(h, w) > _MOST_ASPECT * min(h, w) and (h < rows or w < columns):
                    continue
                step = max(1, min(h, w) // 3)
                for y in _steps(rows - h, step):
                    for x in _steps(columns - w, step):
                        boxes.append((x * width, y * height, (x + w) * width, (y + h) * height))
                        sums.append(total[y + h, x + w] - total[y, x + w] - total[y + h, x] + total[y, x])
        return boxes, unit(np.array(sums))

    def windows_like(self, looks: np.ndarray, most: int) -> list[tuple[Box, float]]:
        """Return the windows most like ``looks`` (n, d), best first, none mostly another one, with their likeness."""
        boxes, seen = self._windows
        likeness = looks_alike(seen, looks)
        chosen: list[tuple[Box, float]] = []
        for index in np.argsort(-likeness):
            if all(iou(boxes[index], other) < SAME_WINDOW for other, _ in chosen):
                chosen.append((boxes[index], float(likeness[index])))
                if len(chosen) == most:
                    break
        return chosen


def _steps(last: int, step: int) -> list[int]:
    return sorted({*range(0, last + 1, step), last})
