"""What stands out in a picture, seen twice: as it is and in the mirror. What holds is a thing, what changes is chance.

A salient-object network answers every picture, also one of a meadow. Its answers about a scene without a main object
change when the picture is mirrored, those about a pack shot hardly do. Its highest answer, before it is stretched, is
near 0 in a blank picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import mask_box
from lib_photoshoot.segmentation.views import near, soft_iou

PEAK = 0.5
"""The network's own highest answer below which nothing stands out."""
LEAST_SHARE = 0.25
"""Parts smaller than this share of the largest are no objects of their own."""


class Looking(Protocol):
    """A salience network that tells how strong its answer is; see ``OnnxSalience.look``."""

    def look(self, image: np.ndarray) -> tuple[np.ndarray, float]: ...


@dataclass(frozen=True, eq=False)
class Piece:
    """A connected thing that stands out: ``mask`` (bool), and how far both looks agree about it, in [0, 1]."""

    mask: np.ndarray
    agreement: float

    @property
    def pixels(self) -> int:
        return int(np.count_nonzero(self.mask))


@dataclass(frozen=True, eq=False)
class StandingOut:
    """``seen`` is the mean of both looks, float32 (height, width) in [0, 1]; ``parts`` are the large ones, largest
    first; ``rest`` is the share in [0, 1] of all that stands out that is in none of them.
    """

    seen: np.ndarray
    parts: tuple[Piece, ...]
    rest: float


def look_twice(network: Looking, image: np.ndarray) -> StandingOut:
    """Look at a picture, uint8 RGB (height, width, 3), and at its mirror image."""
    first, peak = network.look(image)
    second, other = network.look(np.ascontiguousarray(image[:, ::-1]))
    second = second[:, ::-1]
    seen = (first + second) / 2
    if min(peak, other) < PEAK:
        return StandingOut(seen, (), 1.0)
    parts = _parts(seen, first, second)
    inside = np.zeros(seen.shape, bool)
    for part in parts:
        inside |= part.mask
    # What only one of the looks sees is there as well.
    either = np.maximum(first, second)
    return StandingOut(seen, parts, float(either[~inside].sum() / max(float(either.sum()), 1e-6)))


def _parts(seen: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[Piece, ...]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats((seen > 0.5).astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if count == 1:
        return ()
    chosen = [n for n in np.argsort(-areas, kind="stable") if areas[n] >= LEAST_SHARE * areas.max()]
    return tuple(Piece(mask, _agreement(mask, first, second)) for mask in (labels == n + 1 for n in chosen))


def _agreement(mask: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """Return the overlap of both looks in and around a part."""
    box = mask_box(mask)
    area = mask if box is None else near(mask, box)
    return soft_iou(first * area, second * area)
