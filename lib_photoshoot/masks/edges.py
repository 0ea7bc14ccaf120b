"""Where exactly a product's edge runs, and how much of each pixel along it is product.

The views that outline a product see its edge in a few hundred cells. A random walker (Grady 2006,
https://doi.org/10.1109/TPAMI.2006.233) moves it to the picture's own edges: as smooth as the vote where the picture
shows none, since a shop's articles have clean edges. Only where the vote itself is unsure along most of the outline, as
with fur, do colours decide the alpha of each pixel (:mod:`lib_photoshoot.masks.matting`).
"""

from __future__ import annotations

import cv2
import numpy as np

from lib_photoshoot.masks.comparison import boundary
from lib_photoshoot.masks.matting import conjugate_gradients, matte, tiles
from lib_photoshoot.masks.morphology import bounding_rect, distance_to, row_strips

MARGIN = 12
"""Pixels around the outline in which its edge may lie."""
WORKING_SIDE = 1536
"""Longest side, in pixels, of a product whose edge is looked for as it is; a larger one's is brought to its size."""
BAND = 2.0
"""Half the width, in pixels of the outline's size, of the band in which the edge is looked for."""
WIDEST = 6
"""The band is at most so many times wider, where the views are not sure."""
UNSURE = 0.1
SOFT_WIDTH = 5.0
"""Mean width of the zone in which the views are not sure, in pixels of the outline's size, of a product without a clear
edge."""
CONTRAST = 400.0
"""How fast the walker's way across a step of colour gets longer; of squared differences of colours in [0, 1]."""
FLAT = 1e-3
"""How easily the walker passes the strongest step."""
VOTE = 0.01
"""How strongly the vote holds a pixel where the picture says nothing."""
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))


def edge_alpha(image: np.ndarray, solid: np.ndarray, soft: np.ndarray, band: float = BAND) -> np.ndarray:
    """Return a product's alpha in the picture's own size, uint8 (height, width), 255 where there is product alone.

    ``image`` is uint8 RGB (height, width, 3). ``solid`` (bool) is the outline and ``soft`` (float32 in [0, 1]) how sure
    it is, both of one size, which may be smaller than the picture's. ``band`` is half the width, in pixels of the
    outline's size, in which the edge is looked for.
    """
    alpha = np.zeros(image.shape[:2], np.uint8)
    rect = bounding_rect(solid, MARGIN)
    if rect is None:
        return alpha
    scale = image.shape[1] / solid.shape[1]
    x0, y0 = int(rect.x0 * scale), int(rect.y0 * scale)
    x1, y1 = min(image.shape[1], round(rect.x1 * scale)), min(image.shape[0], round(rect.y1 * scale))
    crop, target = image[y0:y1, x0:x1], alpha[y0:y1, x0:x1]
    factor = min(1.0, WORKING_SIDE / max(crop.shape[:2]))
    size = (max(1, round(crop.shape[1] * factor)), max(1, round(crop.shape[0] * factor)))
    small = crop if factor == 1 else cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    sure = cv2.resize(soft[rect.slices], size, interpolation=cv2.INTER_LINEAR)
    inside = cv2.resize(solid[rect.slices].astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5
    # Inside and outside of the band the outline has the last word; openings and filled holes are its own.
    prior = np.where(inside, np.maximum(sure, 0.55), np.minimum(sure, 0.45)).astype(np.float32)
    reach = max(band, band * scale * factor)
    if soft_width(soft, solid) > SOFT_WIDTH:
        solved = matte(small, edge_band(inside, sure, reach), inside, prior)
        if (solved > 0.5).any():
            enlarged = solved if factor == 1 else _guided_upsampling(small, solved, crop)
            target[:] = np.rint(255 * enlarged)
            return alpha
    _write_contour(settled(small, edge_band(inside, sure, reach), inside, prior), target)
    if not (target > 127).any():  # too small to have an edge
        target[:] = 255 * cv2.resize(inside.view(np.uint8), target.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return alpha


def soft_width(soft: np.ndarray, solid: np.ndarray) -> float:
    """Return the mean width in pixels of the zone along an outline in which the vote ``soft`` is not sure."""
    return np.count_nonzero((soft > 0.2) & (soft < 0.8)) / max(np.count_nonzero(boundary(solid)), 1)


def edge_band(inside: np.ndarray, sure: np.ndarray, reach: float) -> np.ndarray:
    """Return where alpha is not known, bool: the outline, ``reach`` pixels to each side, and what the views doubt."""
    distance = np.minimum(distance_to(inside), WIDEST * reach) + np.minimum(distance_to(~inside), WIDEST * reach) - 1
    doubted = (sure > UNSURE) & (sure < 1 - UNSURE) & (distance <= WIDEST * reach)
    return (distance <= reach) | doubted


def settled(image: np.ndarray, band: np.ndarray, inside: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return a smooth field, float32 (height, width) in [0, 1], whose level 0.5 is the product's edge.

    Arguments as of :func:`lib_photoshoot.masks.matting.matte`: the probability that a random walker, who avoids steps
    of colour, comes to the inside first; ``prior`` pulls a little everywhere in ``band``.
    """
    field = inside.astype(np.float32)
    for outer, inner in tiles(band):
        solved = _walk(image[outer.slices], band[outer.slices], inside[outer.slices], prior[outer.slices])
        rows = slice(inner.y0 - outer.y0, inner.y1 - outer.y0)
        columns = slice(inner.x0 - outer.x0, inner.x1 - outer.x0)
        field[inner.slices] = solved[rows, columns]
    return field


def _walk(image: np.ndarray, band: np.ndarray, inside: np.ndarray, prior: np.ndarray) -> np.ndarray:
    from scipy.sparse import coo_matrix, diags

    field = np.where(band, prior, inside).astype(np.float32)
    near = cv2.dilate(band.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    count = int(np.count_nonzero(near))
    if count == 0:
        return field
    numbers = np.full(near.shape, -1)
    numbers[near] = np.arange(count)
    # Noise makes no edges.
    colours = cv2.GaussianBlur(image, (0, 0), 0.8).astype(np.float32) / 255
    first, second, ease = [], [], []
    height, width = near.shape
    for down, right in _NEIGHBOURS:
        here = (slice(0, height - down), slice(max(0, -right), width - max(0, right)))
        there = (slice(down, height), slice(max(0, right), width - max(0, -right)))
        both = near[here] & near[there]
        step = ((colours[here] - colours[there]) ** 2).sum(2)[both]
        first.append(numbers[here][both])
        second.append(numbers[there][both])
        ease.append((np.exp(-CONTRAST * step) + FLAT) / np.hypot(down, right))
    ways = coo_matrix((np.concatenate(ease), (np.concatenate(first), np.concatenate(second))), shape=(count, count))
    ways = (ways + ways.T).tocsr()
    wanted = field[near].astype(np.float64)
    # What is not in the band is certain.
    hold = np.where(band[near], VOTE, 100.0)
    degree = np.asarray(ways.sum(axis=1)).ravel()
    solved = conjugate_gradients(diags(degree + hold) - ways, hold * wanted, wanted)
    field[near] = np.clip(solved, 0, 1)
    return field


def _write_contour(field: np.ndarray, target: np.ndarray) -> None:
    """Write the inside of a field's level 0.5 into ``target``, uint8 of any size, with an anti-aliased edge."""
    height, width = target.shape
    for strip in row_strips(target.shape, overlap=4):
        # The centres of these rows' pixels, in rows of the field.
        centres = (np.arange(strip.outer_start, strip.outer_stop) + 0.5) * (len(field) / height) - 0.5
        above = np.clip(np.floor(centres).astype(int), 0, len(field) - 1)
        share = np.clip(centres - above, 0, 1).astype(np.float32)[:, None]
        rows = field[above] * (1 - share) + field[np.minimum(above + 1, len(field) - 1)] * share
        level = cv2.resize(rows, (width, len(rows)), interpolation=cv2.INTER_LINEAR)
        target[strip.start : strip.stop] = np.rint(255 * _contour(level)[strip.inner])


def _contour(level: np.ndarray) -> np.ndarray:
    """Return alpha, float32 in [0, 1], of the area above level 0.5: distance to it, cut off at half a pixel."""
    smooth = cv2.GaussianBlur(level, (0, 0), 0.7)
    across = cv2.Scharr(smooth, cv2.CV_32F, 1, 0, scale=1 / 32)
    down = cv2.Scharr(smooth, cv2.CV_32F, 0, 1, scale=1 / 32)
    slope = np.maximum(np.hypot(across, down), np.float32(1e-3))
    return np.clip(0.5 + (smooth - 0.5) / slope, 0, 1)


def _guided_upsampling(small: np.ndarray, alpha: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Bring alpha to the size of ``image``, its edges at the picture's own (He, Sun & Tang 2013, guided filter)."""
    guide = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    size = (3, 3)
    mean_guide, mean_alpha = cv2.blur(guide, size), cv2.blur(alpha, size)
    variance = cv2.blur(guide * guide, size) - mean_guide**2
    slope = (cv2.blur(guide * alpha, size) - mean_guide * mean_alpha) / (variance + 1e-4)
    offset = mean_alpha - slope * mean_guide
    large = image.shape[1::-1]
    slope, offset = (
        cv2.resize(cv2.blur(part, size), large, interpolation=cv2.INTER_LINEAR) for part in (slope, offset)
    )
    refined = slope * (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255) + offset
    plain = cv2.resize(alpha, large, interpolation=cv2.INTER_LINEAR)
    # Away from the edge nothing is to be refined, and texture would show through.
    return np.where((plain > 0.004) & (plain < 0.996), np.clip(refined, 0, 1), plain)
