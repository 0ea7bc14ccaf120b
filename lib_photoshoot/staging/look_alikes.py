"""Where a product's surroundings have its own colours, and hang together with it: what may be more of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import Rect, bounding_rect, distance_to

SIDE = 150
"""Longer side of a product, in pixels, at which its surroundings are compared with it."""
REACH = 0.5
"""How far from the product more of it is looked for, as a share of its longer side."""
_MARGIN = 0.6
_ROUNDS = 2
RIM = 0.012
"""Rim around a product, as a share of its longer side, which is half product itself."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """A product and what is around it, small: ``own`` is the product (bool), in the part ``rect`` of a copy of the
    picture of ``shape`` (height, width); ``scale`` is the picture's size relative to that copy.
    """

    own: np.ndarray
    rect: Rect
    shape: tuple[int, int]
    scale: float

    @cached_property
    def side(self) -> int:
        """The product's longer side."""
        rect = bounding_rect(self.own)
        return 0 if rect is None else max(rect.x1 - rect.x0, rect.y1 - rect.y0)

    @cached_property
    def distance(self) -> np.ndarray:
        """How far each pixel is from the product, float32, 0 in it."""
        return distance_to(self.own)

    def within_reach(self) -> np.ndarray:
        """Return where more of the product is looked for, and the product itself, bool."""
        return self.distance <= REACH * self.side

    def along(self, piece: np.ndarray) -> float:
        """Return the share of a piece's border that runs along the product; both are bool."""
        ring = (cv2.dilate(piece.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0) & ~piece
        beside = cv2.dilate(self.own.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        return np.count_nonzero(ring & beside) / max(1, np.count_nonzero(ring))

    def part(self, image: np.ndarray) -> np.ndarray:
        """Return the surroundings in a picture of the product's own size."""
        height, width = self.shape
        how = cv2.INTER_AREA if self.scale > 1 else cv2.INTER_LINEAR
        return np.ascontiguousarray(cv2.resize(image, (width, height), interpolation=how)[self.rect.slices])

    def in_picture(self, x: float, y: float) -> tuple[float, float]:
        """Return a place of the surroundings in the picture's pixels."""
        return (self.rect.x0 + x + 0.5) * self.scale, (self.rect.y0 + y + 0.5) * self.scale


def surroundings(alpha: np.ndarray) -> Surroundings | None:
    """Return a product of this ``alpha`` (uint8, height, width) with what is around it; None where there is none."""
    rect = bounding_rect(alpha > 127)
    if rect is None:
        return None
    scale = max(1.0, max(rect.x1 - rect.x0, rect.y1 - rect.y0) / SIDE)
    shape = (max(1, round(alpha.shape[0] / scale)), max(1, round(alpha.shape[1] / scale)))
    small = cv2.resize(alpha, shape[::-1], interpolation=cv2.INTER_AREA) > 127
    inner = bounding_rect(small)
    if inner is None:
        return None
    around = bounding_rect(small, round(_MARGIN * max(inner.x1 - inner.x0, inner.y1 - inner.y0)))
    assert around is not None
    return Surroundings(np.ascontiguousarray(small[around.slices]), around, shape, alpha.shape[1] / shape[1])


def look_alikes(near: Surroundings, image: np.ndarray) -> np.ndarray:
    """Return what around a product is more like it than like the rest, bool of the size of ``near.own``.

    ``image`` is uint8 sRGB (height, width, 3). Two models of colours and the picture's edges decide (Rother, Kolmogorov
    & Blake 2004, "GrabCut", https://doi.org/10.1145/1015706.1015720); only what touches the product counts.
    """
    own = near.own
    seen = np.full(own.shape, cv2.GC_PR_BGD, np.uint8)
    seen[~near.within_reach()] = cv2.GC_BGD
    seen[own] = cv2.GC_FGD
    if (seen == cv2.GC_FGD).all() or np.count_nonzero(own) < 16:
        return np.zeros(own.shape, bool)
    lab = cv2.cvtColor(near.part(image), cv2.COLOR_RGB2Lab)
    cv2.setRNGSeed(0)  # its clusters begin at random
    cv2.grabCut(lab, seen, None, np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    return joined(near, (seen == cv2.GC_FGD) | (seen == cv2.GC_PR_FGD))


def rim_of(near: Surroundings) -> np.ndarray:
    """Return the rim around a product, bool, with the product itself."""
    return near.distance <= max(1.5, RIM * near.side)


def joined(near: Surroundings, mask: np.ndarray) -> np.ndarray:
    """Return what of a mask (bool) hangs together with the product, without the rim around it."""
    rim = rim_of(near)
    _, labels = cv2.connectedComponents((mask | rim).astype(np.uint8), connectivity=8)
    held = np.unique(labels[near.own])
    return mask & ~rim & np.isin(labels, held[held > 0])
