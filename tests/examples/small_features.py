"""Features without a network: a cut-out's colours and light in a coarse grid. What stands out does so by its colour."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from lib_photoshoot.examples.features import unit
from lib_photoshoot.results import Box
from lib_photoshoot.segmentation.protocol import MaskCandidate, Point, SoftCandidate

_GRID = 6


class GridFeatures:
    """Counts how often it was asked, so that a test sees when a signature is made."""

    name = "grid/1"

    def __init__(self) -> None:
        self.asked = 0

    def cutouts(self, cutouts: Sequence[np.ndarray]) -> np.ndarray:
        self.asked += 1
        small = [cv2.resize(cutout, (_GRID, _GRID), interpolation=cv2.INTER_AREA) for cutout in cutouts]
        return unit(np.stack(small).reshape(len(small), -1).astype(np.float32) - 128)

    def cells(self, image: np.ndarray) -> np.ndarray:
        """Each cell a whole vector, so that a mean over cells is like a cut-out of one colour."""
        small = cv2.resize(image, (13, 13), interpolation=cv2.INTER_AREA).astype(np.float32) - 128
        return np.tile(small, (1, 1, _GRID * _GRID))


class ColourfulSalience:
    """What is colourful, or much darker or lighter than the picture's border, stands out."""

    name = "colourful"

    def map(self, image: np.ndarray) -> np.ndarray:
        lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
        border = np.median(np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]]), axis=0)
        return np.clip(np.linalg.norm(lab - border, axis=2) / 40, 0, 1).astype(np.float32)


class ColourfulSegmenter:
    """Outlines what stands out in a box, or around a point."""

    def soft(self, image: np.ndarray, box: Box, shape: tuple[int, ...], refine: bool = False) -> list[SoftCandidate]:
        return [SoftCandidate(self._in(image, box).astype(np.float32), 0.95)]

    def candidates(
        self, image: np.ndarray, boxes: Sequence[Box | None], points: Sequence[Point | None]
    ) -> list[list[MaskCandidate]]:
        whole = (0.0, 0.0, float(image.shape[1]), float(image.shape[0]))
        return [[MaskCandidate(self._in(image, box or whole), 0.95)] for box in boxes]

    def _in(self, image: np.ndarray, box: Box) -> np.ndarray:
        x0, y0, x1, y1 = (round(side) for side in box)
        inside = np.zeros(image.shape[:2], bool)
        inside[y0:y1, x0:x1] = True
        return (ColourfulSalience().map(image) > 0.5) & inside
