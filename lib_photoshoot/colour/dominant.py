"""The colours that an article is mostly made of, by area.

Shading, light edges and texture spread one material along a line in CIE L*a*b*, from its own colour to black and to the
light's white (S. A. Shafer, "Using color to separate reflection components", Color Research & Application 10, 1985). So
each material is a ridge of the colours' density: peaks with no valley between them are one (F. Chazal et al.,
"Persistence-Based Clustering in Riemannian Manifolds", J. ACM 60, 2013). Its colour is that of its lit part, between
two percentiles of its lightness: a mean moves with every shadow, a peak of a flat ridge with every fold.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.masks.morphology import bounding_rect, distance_to

Lab = tuple[float, float, float]

_SIDE = 256
"""Pixels of the article's longer side, to which it is reduced: finer texture is seen as one colour, as from afar."""
_RIM = 5.0
"""Pixels along the outline, of ``_SIDE``, that are left out: the background shines there, and the outline may err."""
_LEAST_CORE = 0.1
"""Share of the article that must be left without its rim; of a thin one the rim counts too."""
_CELL = 2.0
_SMOOTHING = 1.5
"""Side of a cell of the density and its smoothing, in L*a*b* units and cells: about the noise of one material."""
_MARGIN = 8
"""Cells around those with a colour, further than the smoothing reaches: the outermost ones stay empty."""
_VALLEY = 0.6
"""Two peaks are one material where the density between them falls to no less than this share of the lower one."""
_LIT = (65, 85)
"""Percentiles of a material's lightness between which it is lit."""
_LEAST_SHARE = 0.03
"""Smaller parts are clasps, crevices, glare and noise."""
_SHARE_OF_PEAK = 1e-3
"""Cells with less of the highest density are empty."""


@dataclass(frozen=True)
class DominantColour:
    """``lab`` is CIE L*a*b* (D65) of one of an article's colours, ``share`` its part of the article's area, 0..1."""

    lab: Lab
    share: float


def dominant_colours(pixels: np.ndarray, mask: np.ndarray) -> tuple[DominantColour, ...]:
    """Return the article's colours, the largest first; none for an empty mask.

    ``pixels`` is uint8 sRGB (H, W, 3), ``mask`` bool (H, W). Parts below 3 % of the area are left out, so the shares
    may add up to less than 1.
    """
    values = core_colours(pixels, mask)
    if not len(values):
        return ()
    labels = _materials(values)
    found = []
    for label in np.unique(labels):
        own = values[labels == label]
        share = len(own) / len(values)
        if share >= _LEAST_SHARE:
            found.append(DominantColour(_lit(own), share))
    return tuple(sorted(found, key=lambda colour: -colour.share))


def core_colours(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """L*a*b* of the article without its rim, reduced to at most 256 pixels a side, float32 (N, 3)."""
    rect = bounding_rect(mask)
    if rect is None:
        return np.zeros((0, 3), np.float32)
    picture, inside = np.ascontiguousarray(pixels[rect.slices]), mask[rect.slices]
    scale = min(1.0, _SIDE / max(inside.shape))
    size = (max(1, round(inside.shape[1] * scale)), max(1, round(inside.shape[0] * scale)))
    covered = cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    lab = SRGB.to_lab(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    article = covered > 0.5 if (covered > 0.5).any() else covered > 0
    # A frame of background, so that an edge of the picture that cuts the article off is its outline too.
    distance = distance_to(np.pad(~article, 1, constant_values=True))[1:-1, 1:-1]
    core = distance > _RIM * max(size) / _SIDE
    return lab[core if core.sum() >= _LEAST_CORE * article.sum() else article]


def _materials(values: np.ndarray) -> np.ndarray:
    """Return a number for each of the colours (N, 3): equal for those of one ridge."""
    cells = ((values - values.min(axis=0)) / _CELL).astype(np.intp) + _MARGIN
    shape = tuple(cells.max(axis=0) + _MARGIN + 1)
    density = np.zeros(shape, np.float32)
    np.add.at(density, tuple(cells.T), 1)
    density = ndimage.gaussian_filter(density, _SMOOTHING, truncate=4.0)
    return _ridges(density)[tuple(cells.T)]


def _ridges(density: np.ndarray) -> np.ndarray:
    """Each cell's ridge, named by the index of its peak, -1 for cells that are empty; int (the shape of ``density``).

    Cells are added from the densest down. One joins the highest neighbour's ridge, and two that meet in it become one
    where the lower of their peaks stands out too little.
    """
    flat = density.ravel()
    owner = np.full(flat.size, -1)
    occupied = np.flatnonzero(flat > _SHARE_OF_PEAK * flat.max())
    order = occupied[np.argsort(-flat[occupied], kind="stable")]
    steps = [
        int(np.dot(step, np.array(density.strides) // density.itemsize))
        for step in (np.indices((3, 3, 3)).reshape(3, -1).T - 1)
        if step.any()
    ]

    def root(cell: int) -> int:
        while owner[cell] != cell:
            owner[cell] = owner[owner[cell]]
            cell = owner[cell]
        return cell

    for cell in order.tolist():
        near = {root(other) for step in steps if owner[other := cell + step] >= 0}
        if not near:
            owner[cell] = cell
            continue
        highest = max(near, key=flat.__getitem__)
        owner[cell] = highest
        for other in near - {highest}:
            if flat[cell] >= _VALLEY * flat[other]:
                owner[other] = highest
    for cell in order.tolist():
        owner[cell] = root(cell)
    return owner.reshape(density.shape)


def _lit(values: np.ndarray) -> Lab:
    """Return the mean of the lit part of one material (N, 3): without its shadows and its brightest spots."""
    low, high = np.percentile(values[:, 0], _LIT)
    lit = values[(values[:, 0] >= low) & (values[:, 0] <= high)]
    lightness, a, b = (round(float(value), 2) for value in lit.mean(axis=0, dtype=np.float64))
    return lightness, a, b
