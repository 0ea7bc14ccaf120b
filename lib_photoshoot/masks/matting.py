"""How much of each pixel along a soft edge is product, and what colour that part has.

Closed-form matting (Levin, Lischinski & Weiss 2008, https://doi.org/10.1109/TPAMI.2007.1177) in a band along the
outline, with a weak prior where colours decide nothing; solved in tiles, so that memory does not grow with the picture.
The colours of the edge come from the blur fusion of Forte (2021, "Approximate fast
foreground colour estimation", ICIP).
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import Rect, bounding_rect

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


def matte(image: np.ndarray, band: np.ndarray, inside: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Return alpha, float32 (height, width) in [0, 1].

    ``image`` is uint8 RGB (height, width, 3). Outside of ``band`` (bool) alpha is 1 where ``inside`` (bool) and 0
    elsewhere; in it colours decide, and ``prior`` (float32 in [0, 1]) where they cannot.
    """
    alpha = inside.astype(np.float32)
    for outer, inner in tiles(band):
        solved = _solve(image[outer.slices], band[outer.slices], inside[outer.slices], prior[outer.slices])
        rows = slice(inner.y0 - outer.y0, inner.y1 - outer.y0)
        columns = slice(inner.x0 - outer.x0, inner.x1 - outer.x0)
        here = band[inner.slices]
        alpha[inner.slices][here] = solved[rows, columns][here]
    return alpha


def tiles(band: np.ndarray, overlap: int = OVERLAP) -> Iterator[tuple[Rect, Rect]]:
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
    solved = conjugate_gradients(system, weights * wanted, wanted)
    result = np.where(band, prior, inside).astype(np.float32)
    result[rect.slices][taking_part] = np.clip(solved, 0, 1)
    return result


def conjugate_gradients(system, right: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Solve a sparse symmetric positive definite system well enough for alpha, from ``start``."""
    import inspect

    from scipy.sparse import diags
    from scipy.sparse.linalg import cg

    # SciPy renamed the relative tolerance in 1.12 and dropped the old name in 1.14.
    tolerance = {"rtol" if "rtol" in inspect.signature(cg).parameters else "tol": 1e-4}
    solved, _ = cg(system, right, x0=start, M=diags(1 / system.diagonal()), maxiter=200, **tolerance)
    return solved


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
    """Return the product's own colours, as ``image`` has them, where it shares pixels with the background.

    ``image`` is uint8 or uint16 RGB (height, width, 3), ``alpha`` uint8 (height, width). Opaque pixels keep their
    colours; ``bleed`` pixels beyond the edge have the product's too, so that resizing does not darken it; further out
    it is black.
    """
    some = (alpha > 0).astype(np.uint8)
    result = image * some[..., None].astype(image.dtype)
    edge = cv2.dilate(some, np.ones((2 * bleed + 1, 2 * bleed + 1), np.uint8)) > 0
    edge &= alpha < 255
    for outer, inner in tiles(edge, FUSION_RADIUS + 4):
        colours = _fusion(image[outer.slices], alpha[outer.slices])
        rows = slice(inner.y0 - outer.y0, inner.y1 - outer.y0)
        columns = slice(inner.x0 - outer.x0, inner.x1 - outer.x0)
        here = edge[inner.slices]
        result[inner.slices][here] = colours[rows, columns][here]
    return result


def _fusion(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Two rounds of blur fusion, the second one close by; like ``image``."""
    most = float(np.iinfo(image.dtype).max)
    pixels, opaque = image.astype(np.float32), (alpha.astype(np.float32) / 255)[..., None]
    fore, back = pixels, pixels
    for reach in (FUSION_RADIUS, 3):
        fore, back = _fused(pixels, fore, back, opaque, (2 * reach + 1, 2 * reach + 1))
        fore = np.clip(fore, 0, most)
    return np.rint(fore).astype(image.dtype)


def _fused(
    pixels: np.ndarray, fore: np.ndarray, back: np.ndarray, opaque: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """One round of Forte's blur fusion: neighbours' colours, corrected so that the pixel is their mixture."""
    share = cv2.blur(opaque, size)[..., None]
    near_fore = cv2.blur(fore * opaque, size) / np.maximum(share, 1e-5)
    near_back = cv2.blur(back * (1 - opaque), size) / np.maximum(1 - share, 1e-5)
    corrected = near_fore + opaque * (pixels - opaque * near_fore - (1 - opaque) * near_back)
    return corrected, near_back
