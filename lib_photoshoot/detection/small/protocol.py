"""What a small detector is asked: the boxes of the things that it was trained on, however unsure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torchvision.ops import batched_nms

from lib_photoshoot.results import Box

LOWEST_SCORE = 0.05
"""Below this a box is noise for every one of these networks."""
SAME_THING_IOU = 0.55
MOST_BOXES = 100


@dataclass(frozen=True)
class SmallBox:
    """One thing that was seen: its label, one of the network's own, its score in [0, 1], and its box in pixels."""

    label: str
    score: float
    box: Box


class SmallDetector(Protocol):
    """A network with a fixed list of labels."""

    name: str
    """Its file's name in the weights manifest."""
    labels: tuple[str, ...]

    def boxes(self, image: np.ndarray) -> list[SmallBox]:
        """Return what is seen in ``image``, uint8 RGB (height, width, 3), best first. Raises WeightsError."""
        ...


def best_boxes(
    corners: np.ndarray, scores: np.ndarray, labels: tuple[str, ...], width: int, height: int
) -> list[SmallBox]:
    """Return the boxes that stand for one thing each, best first, at most :data:`MOST_BOXES`.

    ``corners`` is float32 (n, 4): left, top, right and bottom as shares of the picture; ``scores`` float32 (n, labels)
    in [0, 1]. Of boxes of one label in one place the best is kept; boxes of different labels do not compete.
    """
    rows, columns = np.nonzero(scores >= LOWEST_SCORE)
    if not len(rows):
        return []
    chosen = corners[rows].clip(0, 1) * np.array((width, height, width, height), np.float32)
    values = scores[rows, columns]
    kept = batched_nms(
        torch.from_numpy(np.ascontiguousarray(chosen, np.float32)),
        torch.from_numpy(np.ascontiguousarray(values, np.float32)),
        torch.from_numpy(columns),
        SAME_THING_IOU,
    )
    found = []
    for index in kept[:MOST_BOXES].tolist():
        x0, y0, x1, y1 = map(float, chosen[index])
        if x1 > x0 and y1 > y0:
            found.append(SmallBox(labels[columns[index]], float(values[index]), (x0, y0, x1, y1)))
    return found
