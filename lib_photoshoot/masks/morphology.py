"""Clean, grow, feather and combine masks.

A mask is a ``bool`` array of shape (height, width). Nothing here changes its arguments. Work is limited to the mask's
bounding box, and distances are computed in strips of rows, so that a 12,000 x 12,000 picture needs little memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cv2
import numpy as np

_STRIP_PIXELS = 1 << 21
_ROUNDING = 1e-3
"""OpenCV's distances differ in their last digit from call to call, and a pixel at exactly the radius must not flicker.
Distances between pixels are roots of whole numbers: up to a radius of 500 none lies so close above it."""


class Rect(NamedTuple):
    """Integer pixel rectangle; ``x1`` and ``y1`` are exclusive."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the rectangle in a (height, width, ...) array."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)


class Strip(NamedTuple):
    """Rows ``start:stop`` to write, and the wider ``outer_start:outer_stop`` to read for filters that look around."""

    start: int
    stop: int
    outer_start: int
    outer_stop: int

    @property
    def inner(self) -> slice:
        """The rows to write, counted from ``outer_start``."""
        return slice(self.start - self.outer_start, self.stop - self.outer_start)


def check_mask(mask: np.ndarray) -> None:
    """Raise ValueError unless ``mask`` is a ``bool`` array of shape (height, width)."""
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise ValueError(f"mask must be a bool array of shape (height, width), not {mask.dtype} {mask.shape}")


def bounding_rect(values: np.ndarray, margin: int = 0) -> Rect | None:
    """Smallest rectangle around the non-zero pixels of an HW array, grown by ``margin`` pixels inside the picture.

    None when every pixel is zero.

    >>> mask = np.zeros((5, 6), bool)
    >>> mask[1:3, 2:5] = True
    >>> bounding_rect(mask), bounding_rect(mask, margin=9)
    (Rect(x0=2, y0=1, x1=5, y1=3), Rect(x0=0, y0=0, x1=6, y1=5))
    """
    rows = np.flatnonzero(values.any(axis=1))
    if rows.size == 0:
        return None
    height, width = values.shape
    columns = np.flatnonzero(values[rows[0] : rows[-1] + 1].any(axis=0))
    return Rect(
        max(int(columns[0]) - margin, 0),
        max(int(rows[0]) - margin, 0),
        min(int(columns[-1]) + 1 + margin, width),
        min(int(rows[-1]) + 1 + margin, height),
    )


def mask_box(mask: np.ndarray) -> tuple[float, float, float, float] | None:
    """Return the bounding box of a mask (bool) in its pixels; None for an empty one."""
    rect = bounding_rect(mask)
    return None if rect is None else (float(rect.x0), float(rect.y0), float(rect.x1), float(rect.y1))


def border_share(mask: np.ndarray) -> float:
    """Return the largest share in [0, 1] of a frame of pixels, at the picture's edge or just inside, that is masked.

    SAM's masks are ragged at the very edge: what fills the border is seen a hundredth of the picture further in.
    """
    inset = max(1, round(0.01 * min(mask.shape)))
    shares = []
    for depth in {0, inset} if min(mask.shape) > 2 * inset + 2 else {0}:
        inner = mask[depth : mask.shape[0] - depth, depth : mask.shape[1] - depth]
        shares.append(float(np.concatenate([inner[0], inner[-1], inner[:, 0], inner[:, -1]]).mean()))
    return max(shares)


def row_strips(shape: tuple[int, ...], overlap: int = 0, pixels: int = _STRIP_PIXELS) -> Iterator[Strip]:
    """Split an array's rows into strips of about ``pixels`` pixels, each readable ``overlap`` rows further.

    ``shape`` is (height, width, ...).
    """
    height, width = shape[:2]
    rows = max(pixels // max(width, 1), 16)
    for start in range(0, height, rows):
        stop = min(start + rows, height)
        yield Strip(start, stop, max(start - overlap, 0), min(stop + overlap, height))


def distance_to(mask: np.ndarray) -> np.ndarray:
    """Euclidean distance in pixels, float32 HW, of every pixel to the nearest True pixel; infinite if there is none."""
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32)
    return cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def fill_holes(mask: np.ndarray, max_share: float = 1.0) -> np.ndarray:
    """Fill background that the mask encloses; background that reaches the picture's edge is not a hole.

    A hole larger than ``max_share`` of the area inside the mask's outlines stays open: with 1.0 every hole is filled,
    with for example 0.02 the opening under a bag's handle is kept and pinholes are closed.

    >>> ring = np.array([[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 1, 0, 1, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]], bool)
    >>> int(ring.sum()), int(fill_holes(ring).sum())
    (8, 9)
    """
    check_mask(mask)
    rect = bounding_rect(mask)
    result = mask.copy()
    if rect is None:
        return result
    crop = np.ascontiguousarray(mask[rect.slices])
    # One pixel of padding joins all background outside the outlines, also where the picture's edge cuts an opening.
    outside = np.pad(crop.view(np.uint8), 1)
    cv2.floodFill(outside, None, (0, 0), 2, flags=4)  # type: ignore[call-overload]
    outer = outside[1:-1, 1:-1] == 2
    holes = ~(outer | crop)
    if max_share < 1.0 and holes.any():
        _, labels, stats, _ = cv2.connectedComponentsWithStats(holes.view(np.uint8), connectivity=4)
        fill = stats[:, cv2.CC_STAT_AREA] <= max_share * np.count_nonzero(~outer)
        fill[0] = False
        holes = fill[labels]
    result[rect.slices] |= holes
    return result


def remove_islands(mask: np.ndarray, keep_share: float = 0.1) -> np.ndarray:
    """Drop 8-connected components smaller than ``keep_share`` (0..1) of the largest one."""
    check_mask(mask)
    rect = bounding_rect(mask)
    result = mask.copy()
    if rect is None:
        return result
    crop = np.ascontiguousarray(mask[rect.slices])
    count, labels, stats, _ = cv2.connectedComponentsWithStats(crop.view(np.uint8), connectivity=8)
    if count > 2:
        areas = stats[:, cv2.CC_STAT_AREA]
        keep = areas >= keep_share * areas[1:].max()
        keep[0] = False
        result[rect.slices] = keep[labels]
    return result


def clean(mask: np.ndarray, keep_share: float = 0.1, hole_share: float = 1.0) -> np.ndarray:
    """Fill the holes, then remove the islands; doing it twice changes nothing more."""
    return remove_islands(fill_holes(mask, hole_share), keep_share)


def grow(mask: np.ndarray, pixels: float) -> np.ndarray:
    """Grow the mask by a disc of radius ``pixels``; a negative radius shrinks it.

    Beyond the picture's edge nothing is known, so a mask that touches the edge does not shrink away from it.

    >>> dot = np.zeros((5, 5), bool)
    >>> dot[2, 2] = True
    >>> grow(dot, 1).astype(int).tolist()[1:4]
    [[0, 0, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]
    >>> bool((grow(grow(dot, 1), -1) == dot).all())
    True
    """
    check_mask(mask)
    if pixels < 0:
        return ~_grow(~mask, -pixels, bounding_rect(mask))
    return _grow(mask, pixels, bounding_rect(mask, math.ceil(pixels)))


def _grow(mask: np.ndarray, pixels: float, rect: Rect | None) -> np.ndarray:
    """Pixels within ``pixels`` of the mask; only pixels inside ``rect`` may be added."""
    result = mask.copy()
    if rect is None or pixels == 0:
        return result
    reach = math.ceil(pixels) + 1
    # Read one reach beyond the rectangle, so that True pixels just outside it count.
    height, width = mask.shape
    x0, x1 = max(rect.x0 - reach, 0), min(rect.x1 + reach, width)
    for strip in row_strips((rect.y1 - rect.y0, x1 - x0)):
        top, bottom = rect.y0 + strip.start, rect.y0 + strip.stop
        outer_top, outer_bottom = max(top - reach, 0), min(bottom + reach, height)
        near = distance_to(mask[outer_top:outer_bottom, x0:x1]) <= pixels + _ROUNDING
        result[top:bottom, x0:x1] |= near[top - outer_top : bottom - outer_top]
    return result


def feather(mask: np.ndarray, radius: float) -> np.ndarray:
    """Soft alpha of a mask: float32 HW in [0, 1].

    1 deeper than ``radius`` pixels inside, 1/2 on the outline, and exactly 0.0 from ``radius`` pixels outside on, so
    that its support lies inside ``grow(mask, radius)``. A radius of at most 1 gives the hard mask.
    """
    check_mask(mask)
    if not 0 <= radius < math.inf:
        raise ValueError(f"feather radius must be finite and not negative, not {radius}")
    # The pixels on both sides of the outline are at distance 1.
    if radius <= 1:
        return mask.astype(np.float32)
    reach = math.ceil(radius) + 1
    alpha = np.zeros(mask.shape, np.float32)
    rect = bounding_rect(mask, reach)
    if rect is None:
        return alpha
    crop, target = mask[rect.slices], alpha[rect.slices]
    for strip in row_strips(crop.shape, overlap=reach):
        part = crop[strip.outer_start : strip.outer_stop]
        # One of the two distances is 0 everywhere, so the difference is the signed distance to the outline. Beyond
        # the reach a strip sees a distance too large, never too small, and the clip makes both the same.
        signed = np.minimum(distance_to(~part), reach) - np.minimum(distance_to(part), reach)
        np.round(signed, 3, out=signed)
        t = np.clip((signed[strip.inner] + np.float32(radius)) / np.float32(2 * radius), 0, 1)
        target[strip.start : strip.stop] = t * t * (3 - 2 * t)
    return alpha


def merge(masks: Iterable[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Union of the masks, of shape (height, width); all False for no masks."""
    result = np.zeros(shape, np.bool_)
    for mask in masks:
        check_mask(mask)
        if mask.shape != result.shape:
            raise ValueError(f"mask of shape {mask.shape} does not fit a picture of shape {result.shape}")
        result |= mask
    return result


def invert(mask: np.ndarray) -> np.ndarray:
    """Everything but the mask."""
    check_mask(mask)
    return ~mask
