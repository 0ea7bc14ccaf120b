"""What the pipeline asks of a segmenter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lib_photoshoot.results import Box

Point = tuple[float, float]
"""(x, y) in pixels of the picture."""


@dataclass(frozen=True, eq=False)
class MaskCandidate:
    """One mask of a prompt: ``bool`` array of the picture's size and the model's predicted IoU."""

    mask: np.ndarray
    quality: float


@dataclass(frozen=True, eq=False)
class SoftCandidate:
    """One answer to a prompt before it is cut off: float32 (height, width) in [0, 1], and its predicted IoU."""

    probability: np.ndarray
    quality: float


class SoftSegmenter(Protocol):
    """A box in, several soft masks out."""

    def soft(self, image: np.ndarray, box: Box, shape: tuple[int, ...], refine: bool = False) -> list[SoftCandidate]:
        """Return what the object in ``box`` may be, each of ``shape`` (height, width). ``image`` is uint8 RGB.

        ``refine`` adds one more look, which starts from the best of the others.
        """
        ...


class Segmenter(Protocol):
    """Boxes in, masks out."""

    name: str

    def segment(self, image: np.ndarray, boxes: Sequence[Box]) -> list[MaskCandidate]:
        """Return the best mask of each box, in order. ``image`` is uint8 RGB (height, width, 3)."""
        ...

    def without(self, image: np.ndarray, box: Box, background: Sequence[Point]) -> list[MaskCandidate]:
        """Return the masks that the object in ``box`` can have when the points ``background`` are none of it."""
        ...


class OutliningSegmenter(Segmenter, SoftSegmenter, Protocol):
    """What the outliner asks."""
