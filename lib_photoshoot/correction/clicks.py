"""Clicks and a box to an outline, through SAM's decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from lib_photoshoot.masks.morphology import mask_box
from lib_photoshoot.results import Box
from lib_photoshoot.segmentation.protocol import SoftCandidate

Click = tuple[float, float, bool]
"""x and y in pixels, and whether that place belongs to the product."""


class ClickSegmenter(Protocol):
    """What answers clicks: see :class:`lib_photoshoot.segmentation.sam.SamSegmenter`."""

    def prompted(
        self, image: np.ndarray, box: Box | None, points: Sequence[Click], prior: np.ndarray | None = None
    ) -> list[SoftCandidate]: ...

    def embed_ahead(self, image: np.ndarray) -> None: ...


def outlined(
    segmenter: ClickSegmenter, image: np.ndarray, start: np.ndarray | None, box: Box | None, clicks: Sequence[Click]
) -> np.ndarray:
    """Return the outline that a person means, bool (height, width).

    ``image`` is uint8 RGB (height, width, 3); ``start`` the outline from which the clicks correct, None for a new one.
    """
    if box is None and not clicks:
        return start.copy() if start is not None else np.zeros(image.shape[:2], bool)
    prior = None if start is None else start.astype(np.float32)
    if box is None and start is not None:
        box = mask_box(start | _at(clicks, start.shape))
    answers = segmenter.prompted(image, box, clicks, prior)
    best = max(answers, key=lambda answer: _obeyed(answer.probability, clicks) + answer.quality)
    return best.probability > 0.5


def _at(clicks: Sequence[Click], shape: tuple[int, ...]) -> np.ndarray:
    """Return where the clicks say that the product is, bool of ``shape``."""
    found = np.zeros(shape, bool)
    for x, y, inside in clicks:
        if inside and 0 <= y < shape[0] and 0 <= x < shape[1]:
            found[int(y), int(x)] = True
    return found


def _obeyed(probability: np.ndarray, clicks: Sequence[Click]) -> int:
    """How many clicks an answer agrees with."""
    height, width = probability.shape
    places = [(min(int(y), height - 1), min(int(x), width - 1), inside) for x, y, inside in clicks]
    return sum((probability[y, x] > 0.5) == inside for y, x, inside in places)
