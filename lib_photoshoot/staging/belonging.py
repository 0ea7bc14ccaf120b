"""Whether what begins at a product's edge is more of it: a few measures, weighed together.

A gained part has the product's very colours, which the rest of the scene has not: the nearest colours tell that, where
frequencies in coarse bins do not. It is set off from the scene around it, and ends not far from the product.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import bounding_rect, distance_to
from lib_photoshoot.staging.look_alikes import Surroundings

SURE = 1.7
"""Logit from which something is believed to be more of the product. Chosen on even pairs of the benchmark."""
_WEIGHTS = (3.66, -1.58, 0.049, -2.11, -9.27)
_BIAS = 4.79
"""Weights of a logistic regression, in the order of :class:`Evidence`. Fitted on 110 other pairs, made as those of
``benchmarks/growth.py``: outlines of ECSSD that are in none of its cut-outs, in photos of COCO, with the colours of
half of the parts and the sharpness of half of the scenes changed.
"""
_NEAREST = 5
"""Nearest colours whose mean distance counts."""
_TOLERANCE = 2.0
"""Difference of colours (CIE 1976) that says nothing: noise, and a scene's light."""
_OF_PRODUCT, _OF_REST, _OF_PIECE = 1200, 2400, 150
"""Pixels that are compared."""


@dataclass(frozen=True)
class Evidence:
    """What tells that a piece is more of a product.

    ``nearer`` is the mean logarithm of how much nearer its colours are to the product's than to the rest's, ``far``
    that of their distance from the product's; ``set_off`` the difference (CIE 1976) from the scene beside it that three
    quarters of its border exceed; ``solid`` its share of its convex hull; ``extent`` its largest distance from the
    product, as a share of that one's longer side.
    """

    nearer: float
    far: float
    set_off: float
    solid: float
    extent: float

    @property
    def total(self) -> float:
        """The measures, weighed: the larger, the surer that it is more of the product."""
        measures = (self.nearer, self.far, self.set_off, self.solid, self.extent)
        return _BIAS + sum(weight * measure for weight, measure in zip(_WEIGHTS, measures, strict=True))


class Belonging:
    """Looks at pieces of one painted scene.

    ``lab`` are the surroundings in CIE L*a*b*, float32 (height, width, 3); ``products`` (bool) all products in them:
    another of the same colours is none of the scene.
    """

    def __init__(self, near: Surroundings, lab: np.ndarray, products: np.ndarray) -> None:
        self._near = near
        self._scene = distance_to(products) > 4
        self._lab = lab
        self._colours = cv2.GaussianBlur(lab, (0, 0), 0.7)
        inside = distance_to(~near.own) > 2
        self._product = self._some(inside if np.count_nonzero(inside) >= 50 else near.own, _OF_PRODUCT)

    def evidence(self, piece: np.ndarray) -> Evidence:
        """Return what is to be measured of a piece, bool of the size of ``near.own``."""
        rest = self._scene & (cv2.dilate(piece.astype(np.uint8), np.ones((7, 7), np.uint8)) == 0)
        colours = self._some(piece, _OF_PIECE)
        far = _nearest(colours, self._product)
        nearer = np.log((_nearest(colours, self._some(rest, _OF_REST)) + _TOLERANCE) / (far + _TOLERANCE))
        return Evidence(
            nearer=float(nearer.mean()),
            far=float(np.log(far + _TOLERANCE).mean()),
            set_off=self._set_off(piece),
            solid=_solid(piece),
            extent=float(self._near.distance[piece].max()) / self._near.side,
        )

    def _some(self, mask: np.ndarray, count: int) -> np.ndarray:
        """Return up to ``count`` colours of a mask, evenly drawn."""
        places = np.flatnonzero(mask)
        places = places[np.linspace(0, places.size - 1, min(count, places.size)).astype(int)]
        return self._colours.reshape(-1, 3)[places]

    def _set_off(self, piece: np.ndarray) -> float:
        rect = bounding_rect(piece, 8)
        assert rect is not None
        inside = piece[rect.slices]
        outside = ~inside & ~self._near.own[rect.slices]
        lab = self._lab[rect.slices]
        border = (cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~inside
        border &= self._near.distance[rect.slices] > 4
        if not border.any():
            return 0.0
        step = np.linalg.norm(_spread(lab, inside) - _spread(lab, outside), axis=2)
        return float(np.percentile(step[border], 25))


def _nearest(colours: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return each colour's mean distance from the nearest ones of the others."""
    count = min(_NEAREST, len(others) - 1)
    if count < 0:
        return np.full(len(colours), 100.0)
    squared = (colours**2).sum(1)[:, None] + (others**2).sum(1)[None] - 2 * colours @ others.T
    return np.sqrt(np.maximum(np.partition(squared, count, axis=1)[:, : count + 1].mean(1), 0))


def _spread(lab: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return colours as they are within a mask, smoothed, and the nearest of them outside."""
    weight = mask.astype(np.float32)
    share = np.asarray(cv2.GaussianBlur(weight, (0, 0), 1.5))[..., None]
    return np.asarray(cv2.GaussianBlur(lab * weight[..., None], (0, 0), 1.5)) / np.maximum(share, 1e-3)


def _solid(piece: np.ndarray) -> float:
    contours, _ = cv2.findContours(piece.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.contourArea(cv2.convexHull(max(contours, key=len)))
    return float(np.count_nonzero(piece)) / max(hull, 1.0)
