"""Put the enhanced product back: outside the feathered mask the picture stays bit for bit what it was."""

from __future__ import annotations

import numpy as np

from lib_photoshoot.masks.morphology import bounding_rect, row_strips

_STRIP_PIXELS = 1 << 19


def compose(original: np.ndarray, enhanced: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Blend ``enhanced`` over ``original`` with ``alpha``, as a new picture.

    Both pictures are uint8 or uint16 (height, width, channels) of one shape and type, ``alpha`` is float32 (height,
    width) in [0, 1]. Where alpha is 0 the result is the original exactly, where it is 1 the enhanced picture exactly,
    and in between the blend rounded to the nearest value. ValueError for other shapes, types or an alpha outside
    [0, 1].

    >>> black, white = np.zeros((1, 3, 3), np.uint8), np.full((1, 3, 3), 255, np.uint8)
    >>> compose(black, white, np.array([[0, 0.5, 1]], np.float32))[0, :, 0].tolist()
    [0, 128, 255]
    """
    _check_pictures(original, enhanced, "enhanced")
    _check_alpha(alpha, original)
    result = original.copy()
    rect = bounding_rect(alpha)
    if rect is None:
        return result
    before, after, target, weight = (array[rect.slices] for array in (original, enhanced, result, alpha))
    for strip in row_strips(weight.shape, pixels=_STRIP_PIXELS):
        rows = slice(strip.start, strip.stop)
        blend = after[rows].astype(np.float32)
        blend -= before[rows]
        blend *= weight[rows, :, None]
        blend += before[rows]
        target[rows] = np.rint(blend, out=blend)
    return result


def changed_outside(original: np.ndarray, result: np.ndarray, alpha: np.ndarray) -> int:
    """Count the pixels with alpha exactly 0 that differ in any channel. Shapes and errors as in ``compose``."""
    _check_pictures(original, result, "result")
    _check_alpha(alpha, original)
    count = 0
    for strip in row_strips(alpha.shape):
        rows = slice(strip.start, strip.stop)
        differs = (original[rows] != result[rows]).any(axis=2)
        count += int(np.count_nonzero(differs & (alpha[rows] == 0)))
    return count


def _check_pictures(original: np.ndarray, other: np.ndarray, name: str) -> None:
    if original.dtype not in (np.uint8, np.uint16) or original.ndim != 3:
        raise ValueError(
            "original must be uint8 or uint16 of shape (height, width, channels), not "
            f"{original.dtype} {original.shape}"
        )
    if other.dtype != original.dtype or other.shape != original.shape:
        raise ValueError(f"{name} must be {original.dtype} of shape {original.shape}, not {other.dtype} {other.shape}")


def _check_alpha(alpha: np.ndarray, picture: np.ndarray) -> None:
    if alpha.dtype != np.float32 or alpha.shape != picture.shape[:2]:
        raise ValueError(f"alpha must be float32 of shape {picture.shape[:2]}, not {alpha.dtype} {alpha.shape}")
    # Written so that NaN fails too.
    if alpha.size and not (alpha.min() >= 0 and alpha.max() <= 1):
        raise ValueError("alpha must lie in [0, 1]")
