"""Whether what begins at a product's edge is more of it: a few measures, weighed together.

A gained part has the product's very colours and textures, which the rest of the scene has not: the nearest ones tell
that, where frequencies in coarse bins do not. It is set off from the scene around it, and ends not far from the
product. Textures are what the first stages of a network trained for something else say of each pixel; such features
tell materials apart (Zhang et al. 2018, "The unreasonable effectiveness of deep features as a perceptual metric",
https://arxiv.org/abs/1801.03924).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import bounding_rect, distance_to
from lib_photoshoot.staging.look_alikes import Surroundings

_OF_COLOURS = (3.09, 3.66, -1.58, 0.049, -2.11, -9.27)
"""Weights of a logistic regression, the constant first, then in the order of :class:`Evidence`, where there are no
textures. Fitted on 110 other pairs, made as those of ``benchmarks/growth.py``: outlines of ECSSD that are in none of
its cut-outs, in photos of COCO, with the colours of half of the parts and the sharpness of half of the scenes changed.
"""
_WITH_TEXTURES = (-7.66, 2.318, -2.268, 0.0448, -4.175, -3.423, -4.852, 24.68, 7.049)
"""The same with textures. Fitted on 240 other pairs, made likewise in photos of rooms and landscapes. Above 0
something is believed to be more of the product: this constant was chosen for that on those pairs and the even ones.
"""
_NEAREST = 5
"""Nearest colours whose mean distance counts."""
_TOLERANCE = 2.0
"""Difference of colours (CIE 1976) that says nothing: noise, and a scene's light."""
_TEXTURE_TOLERANCE = 1.0
"""Difference of textures that says nothing, in deviations of each channel."""
_OF_PIECE, _OF_PRODUCT, _OF_REST = 150, 1200, 2400
"""Pixels whose colours are compared."""
_TEXTURES_OF_PIECE, _TEXTURES_OF_PRODUCT, _TEXTURES_OF_REST = 80, 800, 1500
"""Pixels whose textures are compared, which costs more for each."""


@dataclass(frozen=True)
class Evidence:
    """What tells that a piece is more of a product.

    ``nearer`` is the mean logarithm of how much nearer its colours are to the product's than to the rest's, ``far``
    that of their distance from the product's; ``set_off`` the difference (CIE 1976) from the scene beside it that three
    quarters of its border exceed; ``solid`` its share of its convex hull; ``extent`` its largest distance from the
    product, as a share of that one's longer side; ``along`` the share of its border that runs along the product.
    ``textures`` are as ``nearer`` and ``far`` for textures, None where there are none.
    """

    nearer: float
    far: float
    set_off: float
    solid: float
    extent: float
    along: float
    textures: tuple[float, float] | None = None

    @property
    def total(self) -> float:
        """The measures, weighed: the larger, the surer that it is more of the product, which is believed above 0."""
        measures: tuple[float, ...] = (1.0, self.nearer, self.far, self.set_off, self.solid, self.extent)
        weights: tuple[float, ...] = _OF_COLOURS
        if self.textures is not None:
            measures, weights = (*measures, self.along, *self.textures), _WITH_TEXTURES
        return sum(weight * measure for weight, measure in zip(weights, measures, strict=True))


class Belonging:
    """Looks at pieces of one painted scene.

    ``lab`` are the surroundings in CIE L*a*b*, float32 (height, width, 3); ``products`` (bool) all products in them:
    another of the same colours is none of the scene. ``textures`` is float32 (height, width, channels), if it is known.
    """

    def __init__(
        self, near: Surroundings, lab: np.ndarray, products: np.ndarray, textures: np.ndarray | None = None
    ) -> None:
        self._near = near
        self._scene = distance_to(products) > 4
        self._lab = lab
        self._colours = cv2.GaussianBlur(lab, (0, 0), 0.7)
        self._textures = textures
        inside = distance_to(~near.own) > 2
        self._product = inside if np.count_nonzero(inside) >= 50 else near.own

    def evidence(self, piece: np.ndarray) -> Evidence:
        """Return what is to be measured of a piece, bool of the size of ``near.own``."""
        rest = self._scene & (cv2.dilate(piece.astype(np.uint8), np.ones((7, 7), np.uint8)) == 0)
        masks, textures = (piece, self._product, rest), None
        nearer, far = _likeness(self._colours, masks, (_OF_PIECE, _OF_PRODUCT, _OF_REST), _TOLERANCE)
        if self._textures is not None:
            counts = (_TEXTURES_OF_PIECE, _TEXTURES_OF_PRODUCT, _TEXTURES_OF_REST)
            textures = _likeness(self._textures, masks, counts, _TEXTURE_TOLERANCE)
        return Evidence(
            nearer=nearer,
            far=far,
            set_off=self._set_off(piece),
            solid=_solid(piece),
            extent=float(self._near.distance[piece].max()) / self._near.side,
            along=self._near.along(piece),
            textures=textures,
        )

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


def _likeness(
    picture: np.ndarray, masks: tuple[np.ndarray, ...], counts: tuple[int, ...], tolerance: float
) -> tuple[float, float]:
    """Return the mean logarithms of how much nearer a piece's pixels are to a product's than to the rest's, and of
    their distance from the product's; of each of the three masks so many are compared.
    """
    piece, product, rest = (_some(picture, mask, count) for mask, count in zip(masks, counts, strict=True))
    far = _nearest(piece, product) + tolerance
    return float(np.log((_nearest(piece, rest) + tolerance) / far).mean()), float(np.log(far).mean())


def _some(picture: np.ndarray, mask: np.ndarray, count: int) -> np.ndarray:
    """Return up to ``count`` of a picture's pixels in a mask, evenly drawn."""
    places = np.flatnonzero(mask)
    places = places[np.linspace(0, places.size - 1, min(count, places.size)).astype(int)]
    drawn: np.ndarray = picture.reshape(-1, picture.shape[2])[places]
    return drawn


def _nearest(pixels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return each pixel's mean distance from the nearest ones of the others."""
    count = min(_NEAREST, len(others) - 1)
    if count < 0:
        return np.full(len(pixels), 100.0)
    squared = (pixels**2).sum(1)[:, None] + (others**2).sum(1)[None] - 2 * pixels @ others.T
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
