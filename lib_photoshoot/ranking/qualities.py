"""Measured qualities of one product in one picture, each a number in [0, 1] with its reason in words.

A picture is uint8 RGB (height, width, 3), a mask bool (height, width). Sharpness and outline are measured with the
product's longer side scaled to one length, so that pictures of different sizes compare.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import bounding_rect, distance_to

_SIDE = 512
"""Length in pixels to which the product's longer side is scaled."""
_HALF_SHARP = 500.0
"""Variance of the Laplacian (of 0..255 grey) that scores 1/2. Measured on the middle of 43 product photos: half of them
lie from 300 to 1,290, nine in ten above 120; the same blurred by 1/250 of their side all below 5."""
_INNER = 10.0
"""Pixels along the outline that are left out of the sharpness: there the background's contrast would be measured."""
_CLIPPED_SCALE = 0.15
"""Share of clipped pixels at which the exposure has fallen to 1/e."""
_BLACK, _WHITE = 2, 253
_MEAN = (0.04, 0.18, 0.85, 0.97)
"""Mean brightness, 0..1: nothing below the first or above the last is good, everything between the middle two is."""
_SMALL, _LARGE = 0.05, 0.45
"""Side of a square of the product's area, as a share of one of the frame's: 0 at the first, 1 from the second on."""
_CUT_OFF = 0.5
"""What is left of the size's score when the picture's edge cuts the product off."""
_OUTLINE, _BESIDE = 1.5, 8.0
"""Pixels from the outline: up to the first lies the edge itself, from twice that up to the second its surroundings."""


@dataclass(frozen=True)
class Quality:
    """``score`` in [0, 1], 1 best."""

    name: str
    score: float
    reason: str


def detection(score: float) -> Quality:
    """Return the detector's own certainty, in [0, 1]."""
    return Quality("detection", _clipped(score), f"recognised with {score:.2f}")


def mask_quality(picture: np.ndarray, mask: np.ndarray, predicted_iou: float | None = None) -> Quality:
    """How well the mask follows an edge of the picture; half of it the segmenter's predicted IoU, where that is known.

    The edge counts by the gradient along the outline as a share of that and its surroundings' together: 1/2 means that
    the outline runs where the picture has no more of an edge than beside it.
    """
    grey, inside = _normalised(picture, mask)
    gradient = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    distance = np.maximum(distance_to(inside), distance_to(~inside))
    along = _mean(gradient, distance <= _OUTLINE)
    beside = _mean(gradient, (distance > 2 * _OUTLINE) & (distance <= _BESIDE))
    share = along / (along + beside) if along + beside > 0 else 0.0
    edge = _clipped((share - 0.4) / 0.45)
    if predicted_iou is None:
        return Quality("mask", edge, f"the outline holds {share:.0%} of the gradient around it")
    reason = f"predicted IoU {predicted_iou:.2f}, the outline holds {share:.0%} of the gradient around it"
    return Quality("mask", (edge + _clipped(predicted_iou)) / 2, reason)


def sharpness(picture: np.ndarray, mask: np.ndarray) -> Quality:
    """Variance of the Laplacian inside the product.

    J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative study", ICPR 2000,
    https://doi.org/10.1109/ICPR.2000.903548.
    """
    grey, inside = _normalised(picture, mask)
    core = distance_to(~inside) > _INNER
    values = cv2.Laplacian(grey, cv2.CV_32F)[core if core.any() else inside]
    variance = float(values.var(dtype=np.float64)) if values.size else 0.0
    score = variance / (variance + _HALF_SHARP)
    word = "sharp" if score > 0.35 else "soft" if score > 0.08 else "blurred"
    return Quality("sharpness", score, f"{word}, variance of the Laplacian {variance:.0f}")


def exposure(picture: np.ndarray, mask: np.ndarray) -> Quality:
    """Return the share of the product's pixels that are clipped to black or white, and its mean brightness."""
    values = picture[mask]
    if not values.size:
        return Quality("exposure", 0.0, "no pixel of the product")
    clipped = float(np.mean((values <= _BLACK).all(axis=1) | (values >= _WHITE).all(axis=1)))
    # Rec. 601 luma, as OpenCV's grey.
    mean = float((values @ np.array([0.299, 0.587, 0.114])).mean()) / 255
    score = math.exp(-clipped / _CLIPPED_SCALE) * float(np.interp(mean, _MEAN, (0, 1, 1, 0)))
    return Quality("exposure", score, f"{clipped:.1%} clipped, mean brightness {mean:.2f}")


def size(mask: np.ndarray) -> Quality:
    """How much of the picture the product takes, and whether the picture's edge cuts it off."""
    share = math.sqrt(np.count_nonzero(mask) / mask.size)
    score = float(np.interp(share, (_SMALL, _LARGE), (0, 1)))
    reason = f"as large as a square of {share:.0%} of the frame's side"
    if mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any():
        return Quality("size", score * _CUT_OFF, f"{reason}, cut off by the picture's edge")
    return Quality("size", score, reason)


def _normalised(picture: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the product with its surroundings in float32 grey, and its mask, with its longer side scaled to
    ``_SIDE``.
    """
    rect = bounding_rect(mask)
    if rect is None:
        return np.zeros((1, 1), np.float32), np.zeros((1, 1), np.bool_)
    side = max(rect.x1 - rect.x0, rect.y1 - rect.y0)
    around = bounding_rect(mask, math.ceil(2 * _BESIDE * side / _SIDE))
    assert around is not None
    grey = cv2.cvtColor(np.ascontiguousarray(picture[around.slices]), cv2.COLOR_RGB2GRAY).astype(np.float32)
    scale = _SIDE / side
    width, height = (max(1, round(length * scale)) for length in (grey.shape[1], grey.shape[0]))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    inside = cv2.resize(mask[around.slices].astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) >= 0.5
    return cv2.resize(grey, (width, height), interpolation=method), inside


def _mean(values: np.ndarray, where: np.ndarray) -> float:
    return float(values[where].mean()) if where.any() else 0.0


def _clipped(value: float) -> float:
    return min(max(float(value), 0.0), 1.0)
