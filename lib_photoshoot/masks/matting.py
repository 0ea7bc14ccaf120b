"""From an outline to alpha: how much of each pixel along the edge is product, and what colour that part has.

Closed-form matting (Levin, Lischinski & Weiss 2008, https://doi.org/10.1109/TPAMI.2007.1177) in a band along the
outline, with the vote of the views as a weak prior where colours decide nothing; solved in tiles, so that memory does
not grow with the picture. The colours of the edge come from the blur fusion of Forte (2021,
"Approximate fast foreground colour estimation", ICIP).
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import Rect, bounding_rect, distance_to

MARGIN = 12
"""Pixels around the outline in which its edge may lie."""
MATTE_SIDE = 1536
"""Longest side, in pixels, of a product whose matte is solved as it is; a larger one's is brought to its size."""
BAND = 2.0
"""Half the width of the band, in pixels of the outline's size."""
WIDEST = 6
"""The band is at most so many times wider, where the views are not sure."""
UNSURE = 0.1
TILE = 384
"""Side of the tiles in which the matte is solved, in pixels."""
OVERLAP = 24
EPSILON = 1e-5
"""Regularisation of the colour line model, for colours in [0, 1]."""
PRIOR = 2e-3
"""How strongly the prior pulls a pixel whose colours decide nothing."""
KNOWN = 100.0
FUSION_RADIUS = 24
"""How far, in pixels, the colours on both sides of an edge are looked for."""
_WINDOW = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


def edge_alpha(image: np.ndarray, solid: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """Return a product's alpha in the picture's own size, uint8 (height, width), 255 where there is product alone.

    ``image`` is uint8 RGB (height, width, 3). ``solid`` (bool) is the outline and ``soft`` (float32 in [0, 1]) how sure
    it is, both of one size, which may be smaller than the picture's.
    """
    alpha = np.zeros(image.shape[:2], np.uint8)
    rect = bounding_rect(solid, MARGIN)
    if rect is None:
        return alpha
    scale = image.shape[1] / solid.shape[1]
    x0, y0 = int(rect.x0 * scale), int(rect.y0 * scale)
    x1, y1 = min(image.shape[1], round(rect.x1 * scale)), min(image.shape[0], round(rect.y1 * scale))
    crop, target = image[y0:y1, x0:x1], alpha[y0:y1, x0:x1]
    factor = min(1.0, MATTE_SIDE / max(crop.shape[:2]))
    size = (max(1, round(crop.shape[1] * factor)), max(1, round(crop.shape[0] * factor)))
    small = crop if factor == 1 else cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    sure = cv2.resize(soft[rect.slices], size, interpolation=cv2.INTER_LINEAR)
    inside = cv2.resize(solid[rect.slices].astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5
    band = edge_band(inside, sure, max(BAND, BAND * scale * factor))
    # Inside and outside of the band the outline has the last word; openings and filled holes are its own.
    prior = np.where(inside, np.maximum(sure, 0.5), np.minimum(sure, 0.5))
    solved = matte(small, band, inside, prior.astype(np.float32))
    if not (solved > 0.5).any():
        solved = inside.astype(np.float32)  # too small for colours to tell anything
    target[:] = np.rint(255 * (solved if factor == 1 else _guided_upsampling(small, solved, crop)))
    return alpha


def edge_band(inside: np.ndarray, sure: np.ndarray, reach: float) -> np.ndarray:
    """Return where alpha is not known, bool: the outline, ``reach`` pixels to each side, and what the views doubt."""
    distance = np.minimum(distance_to(inside), WIDEST * reach) + np.minimum(distance_to(~inside), WIDEST * reach) - 1
    doubted = (sure > UNSURE) & (sure < 1 - UNSURE) & (distance <= WIDEST * reach)
    return (distance <= reach) | doubted


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


def matte(image: np.ndarray, band: np.ndarray, inside: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return alpha, float32 (height, width) in [0, 1].

    ``image`` is uint8 RGB (height, width, 3). Outside of ``band`` (bool) alpha is 1 where ``inside`` (bool) and 0
    elsewhere; in it colours decide, and ``prior`` (float32 in [0, 1]) where they cannot.
    """
    alpha = inside.astype(np.float32)
    for outer, inner in _tiles(band):
        solved = _solve(image[outer.slices], band[outer.slices], inside[outer.slices], prior[outer.slices])
        rows = slice(inner.y0 - outer.y0, inner.y1 - outer.y0)
        columns = slice(inner.x0 - outer.x0, inner.x1 - outer.x0)
        here = band[inner.slices]
        alpha[inner.slices][here] = solved[rows, columns][here]
    return alpha


def _tiles(band: np.ndarray, overlap: int = OVERLAP) -> Iterator[tuple[Rect, Rect]]:
    """Yield what to read and what to write of each tile that holds some of the band."""
    height, width = band.shape
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            inner = Rect(left, top, min(left + TILE, width), min(top + TILE, height))
            if band[inner.slices].any():
                outer = Rect(
                    max(left - overlap, 0),
                    max(top - overlap, 0),
                    min(inner.x1 + overlap, width),
                    min(inner.y1 + overlap, height),
                )
                yield outer, inner


def _solve(image: np.ndarray, band: np.ndarray, inside: np.ndarray, prior: np.ndarray) -> np.ndarray:
    from scipy.sparse import diags
    from scipy.sparse.linalg import cg

    # Pixels further away than a window reaches take no part.
    near = cv2.dilate(band.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    rect = bounding_rect(near)
    if rect is None or min(rect.x1 - rect.x0, rect.y1 - rect.y0) < 3:
        return np.where(band, prior, inside).astype(np.float32)
    colours = image[rect.slices].astype(np.float64) / 255
    unknown, start = band[rect.slices], np.where(band, prior, inside)[rect.slices].astype(np.float64)
    numbers = np.full(unknown.shape, -1)
    taking_part = near[rect.slices]
    numbers[taking_part] = np.arange(np.count_nonzero(taking_part))
    laplacian = matting_laplacian(colours, unknown, numbers)
    wanted = start[taking_part]
    weights = np.where(unknown[taking_part], PRIOR, KNOWN)
    system = laplacian + diags(weights)
    inverse = diags(1 / system.diagonal())
    solved, _ = cg(system, weights * wanted, x0=wanted, M=inverse, maxiter=200, **_tolerance(cg))
    result = np.where(band, prior, inside).astype(np.float32)
    result[rect.slices][taking_part] = np.clip(solved, 0, 1)
    return result


def _tolerance(cg) -> dict[str, float]:
    """SciPy renamed the relative tolerance in 1.12 and dropped the old name in 1.14."""
    import inspect

    return {"rtol" if "rtol" in inspect.signature(cg).parameters else "tol": 1e-4}


def matting_laplacian(colours: np.ndarray, unknown: np.ndarray, numbers: np.ndarray):
    """Return Levin's matting Laplacian as a sparse matrix over the pixels that ``numbers`` counts from 0 (-1: none).

    ``colours`` is float (height, width, 3) in [0, 1]. Only the 3 x 3 windows that hold an ``unknown`` pixel count.
    """
    from scipy.sparse import coo_matrix

    width = unknown.shape[1]
    touched = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
    rows, columns = np.nonzero(touched)
    members = np.stack([(rows + 1 + dy) * width + columns + 1 + dx for dy, dx in _WINDOW], 1)
    values = colours.reshape(-1, 3)[members]
    centred = values - values.mean(1, keepdims=True)
    covariance = centred.transpose(0, 2, 1) @ centred / 9 + EPSILON / 9 * np.eye(3)
    affinity = (1 + centred @ np.linalg.inv(covariance) @ centred.transpose(0, 2, 1)) / 9
    blocks = np.eye(9) - affinity
    index = numbers.reshape(-1)[members]
    count = int(numbers.max()) + 1
    where = (np.repeat(index, 9, axis=1).ravel(), np.tile(index, (1, 9)).ravel())
    return coo_matrix((blocks.ravel(), where), shape=(count, count)).tocsr()


def edge_colours(image: np.ndarray, alpha: np.ndarray, bleed: int = 2) -> np.ndarray:
    """Return the product's own colours, uint8 (height, width, 3), where it shares pixels with the background.

    ``image`` is uint8 RGB, ``alpha`` uint8 (height, width). Opaque pixels keep their colours; ``bleed`` pixels beyond
    the edge have the product's too, so that resizing does not darken it; further out it is black.
    """
    some = (alpha > 0).astype(np.uint8)
    result = image * some[..., None]
    edge = cv2.dilate(some, np.ones((2 * bleed + 1, 2 * bleed + 1), np.uint8)) > 0
    edge &= alpha < 255
    for outer, inner in _tiles(edge, FUSION_RADIUS + 4):
        colours = _fusion(image[outer.slices], alpha[outer.slices])
        rows = slice(inner.y0 - outer.y0, inner.y1 - outer.y0)
        columns = slice(inner.x0 - outer.x0, inner.x1 - outer.x0)
        here = edge[inner.slices]
        result[inner.slices][here] = colours[rows, columns][here]
    return result


def _fusion(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Two rounds of blur fusion, the second one close by; uint8 like ``image``."""
    pixels, opaque = image.astype(np.float32), (alpha.astype(np.float32) / 255)[..., None]
    fore, back = pixels, pixels
    for reach in (FUSION_RADIUS, 3):
        fore, back = _fused(pixels, fore, back, opaque, (2 * reach + 1, 2 * reach + 1))
    return np.clip(np.rint(fore), 0, 255).astype(np.uint8)


def _fused(
    pixels: np.ndarray, fore: np.ndarray, back: np.ndarray, opaque: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """One round of Forte's blur fusion: neighbours' colours, corrected so that the pixel is their mixture."""
    share = cv2.blur(opaque, size)[..., None]
    near_fore = cv2.blur(fore * opaque, size) / np.maximum(share, 1e-5)
    near_back = cv2.blur(back * (1 - opaque), size) / np.maximum(1 - share, 1e-5)
    corrected = near_fore + opaque * (pixels - opaque * near_fore - (1 - opaque) * near_back)
    return np.clip(corrected, 0, 255), near_back
