"""Where in a picture a product may be: peaks of its class map, and boxes of a small detector.

Where there is a trace, two copies of the picture are classified, as it is and mirrored: a product stays itself in a
mirror, and what one of them sees at the edge of two cells the other sees in the middle of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from lib_photoshoot.detection.small.protocol import SmallBox
from lib_photoshoot.detection.verification import area, iou, overlap
from lib_photoshoot.results import Box

SAME_SEED_IOU = 0.6
TRACE = 0.02
"""Below this heat of the picture as it is, the mirror image has hardly ever shown a product."""


class ClassMapper(Protocol):
    """What classifies a picture cell by cell."""

    def class_map(self, image: np.ndarray) -> np.ndarray:
        """Return float32 probabilities (classes, rows, columns)."""
        ...


@dataclass(frozen=True)
class Seed:
    """One place: its box in pixels; ``heat`` of the class map and score ``seen`` by the small detector, in [0, 1].

    ``point`` lies inside the product; None where only the box is known.
    """

    box: Box
    heat: float
    seen: float
    point: tuple[float, float] | None = None


def class_map(classifier: ClassMapper, image: np.ndarray, sought: Sequence[Sequence[int]]) -> np.ndarray:
    """Return the class map of ``image``, uint8 RGB, and where it has a trace its mean with that of its mirror image.

    ``sought`` are the classes of each product.
    """
    plain = classifier.class_map(image)
    if all(heat_of(plain, indices).max() < TRACE for indices in sought):
        return plain
    mirrored = np.ascontiguousarray(image[:, ::-1])
    return (plain + classifier.class_map(mirrored)[:, :, ::-1]) / 2


def heat_of(probabilities: np.ndarray, indices: Sequence[int]) -> np.ndarray:
    """Return how likely each cell shows the classes ``indices``, averaged over 3 x 3 cells."""
    return cv2.blur(probabilities[list(indices)].sum(0), (3, 3), borderType=cv2.BORDER_REPLICATE)


def peak_of(heat: np.ndarray) -> tuple[int, int]:
    """Return row and column of the hottest cell."""
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    return int(row), int(column)


def at_peak(heat: np.ndarray, peak: tuple[int, int], shape: tuple[int, ...], share: float = 0.5) -> Seed:
    """Return the seed of the cells around ``peak`` that hold ``share`` of its heat, in a picture of ``shape``."""
    cell_height, cell_width = shape[0] / heat.shape[0], shape[1] / heat.shape[1]
    x, y, w, h = _blob(heat >= heat[peak] * share, peak)
    box = (x * cell_width, y * cell_height, (x + w) * cell_width, (y + h) * cell_height)
    point = ((peak[1] + 0.5) * cell_width, (peak[0] + 0.5) * cell_height)
    return Seed(box, float(heat[peak]), 0.0, point)


def of_boxes(boxes: Sequence[SmallBox], labels: frozenset[str], least: float) -> list[Seed]:
    """Return the seeds of what a small detector saw under one of ``labels`` with a score of ``least``, best first."""
    seeds: list[Seed] = []
    for found in boxes:
        is_new = all(iou(found.box, other.box) < SAME_SEED_IOU for other in seeds)
        if is_new and found.label in labels and found.score >= least:
            seeds.append(Seed(found.box, 0.0, found.score))
    return seeds


def seen_at(boxes: Sequence[SmallBox], labels: frozenset[str], box: Box) -> float:
    """Return the best score in [0, 1] that a small detector gave one of ``labels`` in the place of ``box``."""
    return max((b.score for b in boxes if b.label in labels and _is_there(b.box, box)), default=0.0)


def other_at(boxes: Sequence[SmallBox], labels: frozenset[str], box: Box) -> float:
    """Return the best score in [0, 1] that a small detector gave to what is none of ``labels`` in the place of ``box``.

    People do not count: they wear and hold products.
    """
    others = (b for b in boxes if b.label not in labels and _is_thing(b))
    return max((b.score for b in others if _is_there(b.box, box)), default=0.0)


def surest(boxes: Sequence[SmallBox]) -> float:
    """Return the best score in [0, 1] that a small detector gave anything but people."""
    return max((b.score for b in boxes if _is_thing(b)), default=0.0)


def _is_thing(seen: SmallBox) -> bool:
    return seen.label.lower() != "person"


def _is_there(seen: Box, box: Box) -> bool:
    """Whether two boxes are of one thing: alike, or one a part that makes most of the other."""
    common = overlap(seen, box)
    return iou(seen, box) >= 0.4 or (iou(seen, box) >= 0.25 and common >= 0.8 * min(area(seen), area(box)))


def _blob(hot: np.ndarray, peak: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return x, y, width, height in cells of the connected region around ``peak``."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(hot.astype(np.uint8), connectivity=8)
    x, y, w, h, _ = stats[labels[peak]]
    return int(x), int(y), int(w), int(h)
