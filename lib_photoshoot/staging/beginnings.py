"""What begins at a product's edge in a painted scene and may be more of it: outlines from colours alone.

A part that a product gained may be told from the scene by the product's colours as a whole
(:func:`lib_photoshoot.staging.look_alikes.look_alikes`), by those that the scene hardly has, or, as a letter or a
strap, only by being one even patch. Each way misses what another finds; all are asked, and what they find is judged
later.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from lib_photoshoot.staging.look_alikes import Surroundings, joined, rim_of

LEAST = 0.008
"""Share of the product's area from which something counts."""
MOST = 0.6
"""Share of the product's area up to which an even patch counts."""
MOST_OF_A_KIND = 8
"""Look-alikes that are taken of each kind, the largest first."""
ENCLOSED = 0.6
"""Share of a piece's border along the product from which it is an opening of the product, and shows the scene."""
_LIKELIER = 1.0
"""Logarithm of the ratio of a colour's frequencies from which it is the product's."""
_EVEN = (5.0, 9.0)
"""Differences (CIE 1976) from pixel to pixel up to which a patch is even."""
_UNLIKE = -0.5
"""Mean logarithm of the ratio of frequencies below which a patch has none of the product's colours."""
_BESIDE = 5
"""Pixels from the product within which a patch has to begin."""
_SAME = 0.8
"""Intersection over union from which two patches are the same."""
_BINS = 16
_RARE = 1e-4


def beginnings(
    near: Surroundings, lab: np.ndarray, products: np.ndarray, alike: np.ndarray, known: np.ndarray
) -> list[np.ndarray]:
    """Return the pixels (bool, of the size of ``near.own``) of everything that may be more of the product.

    ``lab`` are the surroundings in CIE L*a*b*, float32 (height, width, 3); ``products`` all products in them, ``alike``
    what looks like this one, ``known`` what did so at the start of the scene, all bool.
    """
    own = np.count_nonzero(near.own)
    likelier = _likelier(near, lab)
    free = ~(rim_of(near) | products)
    reach = near.within_reach() & free
    coloured = joined(near, reach & (cv2.GaussianBlur(likelier, (0, 0), 1.0) > _LIKELIER))
    found = [piece for mask in (alike & free, coloured) for piece in _largest(mask & ~known, LEAST * own)]
    found += _distinct(_even_patches(near, lab, likelier, free))
    return [piece for piece in found if near.along(piece) < ENCLOSED]


def _likelier(near: Surroundings, lab: np.ndarray) -> np.ndarray:
    """Return the logarithm of how much more frequent each pixel's colour is in the product than around it."""
    lightness = lab[..., 0] * np.float32(2.55)
    steps = np.clip(np.dstack([lightness, lab[..., 1:] + 128]) * np.float32(_BINS / 256), 0, _BINS - 1).astype(np.int32)
    bins = (steps[..., 0] * _BINS + steps[..., 1]) * _BINS + steps[..., 2]
    around = near.distance > 2
    return (_frequencies(bins[near.own]) - _frequencies(bins[around]))[bins].astype(np.float32)


def _frequencies(bins: np.ndarray) -> np.ndarray:
    """Return the logarithms of smoothed frequencies."""
    counts = np.bincount(bins, minlength=_BINS**3).astype(np.float64).reshape(_BINS, _BINS, _BINS) / max(bins.size, 1)
    for axis in range(3):
        wide = np.moveaxis(np.pad(counts, [(int(a == axis),) * 2 for a in range(3)], mode="edge"), axis, 0)
        counts = np.moveaxis(0.25 * wide[:-2] + 0.5 * wide[1:-1] + 0.25 * wide[2:], 0, axis)
    return np.log(counts + _RARE).ravel()


def _largest(mask: np.ndarray, least: float) -> list[np.ndarray]:
    solid = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    order = np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:MOST_OF_A_KIND] + 1
    return [labels == index for index in order if stats[index, cv2.CC_STAT_AREA] >= least]


def _even_patches(near: Surroundings, lab: np.ndarray, likelier: np.ndarray, free: np.ndarray) -> Iterator[np.ndarray]:
    """Yield patches without an edge in them that begin beside the product and end within reach."""
    own = np.count_nonzero(near.own)
    flat = cv2.bilateralFilter(lab, 7, 12, 3)
    across = np.linalg.norm(flat[:, 1:] - flat[:, :-1], axis=2)
    down = np.linalg.norm(flat[1:] - flat[:-1], axis=2)
    reach = near.within_reach()
    beside = near.distance <= _BESIDE
    for step in _EVEN:
        even = free.copy()
        even[:, 1:] &= across <= step
        even[1:] &= down <= step
        count, labels, stats, _ = cv2.connectedComponentsWithStats(even.astype(np.uint8), connectivity=4)
        areas = stats[:, cv2.CC_STAT_AREA]
        likeness = np.bincount(labels.ravel(), likelier.ravel(), minlength=count) / np.maximum(areas, 1)
        for index in np.unique(labels[beside & even]):
            if LEAST * own <= areas[index] <= MOST * own and likeness[index] >= _UNLIKE:
                patch = (cv2.dilate((labels == index).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & free
                if not (patch & ~reach).any():
                    yield patch


def _distinct(patches: Iterator[np.ndarray]) -> list[np.ndarray]:
    kept: list[np.ndarray] = []
    for patch in sorted(patches, key=np.count_nonzero, reverse=True):
        if all(np.count_nonzero(patch & other) < _SAME * np.count_nonzero(patch | other) for other in kept):
            kept.append(patch)
    return kept
