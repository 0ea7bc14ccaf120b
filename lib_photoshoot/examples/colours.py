"""The colours of a product as a histogram in CIELAB, compared so that light matters less than hue."""

from __future__ import annotations

import cv2
import numpy as np

from lib_photoshoot.colour.space import SRGB

CHROMA_BINS, LIGHT_BINS = 14, 6
_CHROMA_RANGE = 84.0
"""a* and b* from minus this to this; what lies beyond counts in the outermost bin."""
_MOST_PIXELS = 160 * 160
SIZE = CHROMA_BINS**2 + LIGHT_BINS


def colours_of(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return how often each colour occurs where ``mask`` is True: float32 (:data:`SIZE`,), chroma before lightness.

    ``image`` is uint8 sRGB (height, width, 3), ``mask`` bool of its size. Both parts sum to 1; all 0 for an empty mask.
    """
    scale = min(1.0, float(np.sqrt(_MOST_PIXELS / mask.size)))
    size = (max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    if not inside.any():
        return np.zeros(SIZE, np.float32)
    lab = SRGB.to_lab(small[inside][None])[0].astype(np.float32)
    places = np.clip((lab[:, 1:] + _CHROMA_RANGE) / (2 * _CHROMA_RANGE) * CHROMA_BINS, 0, CHROMA_BINS - 1).astype(int)
    chroma = np.zeros((CHROMA_BINS, CHROMA_BINS), np.float32)
    np.add.at(chroma, (places[:, 0], places[:, 1]), 1)
    # A colour at a bin's edge belongs to both sides.
    blurred = cv2.GaussianBlur(chroma, (0, 0), 0.8)
    light = np.histogram(lab[:, 0], LIGHT_BINS, (0, 100))[0].astype(np.float32)
    return np.concatenate([(blurred / blurred.sum()).ravel(), light / light.sum()]).astype(np.float32)


def colour_likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Return in [0, 1] how far two histograms overlap (Swain and Ballard 1991), hue four times as much as light."""
    common = np.minimum(one, other)
    chroma = CHROMA_BINS**2
    return float(0.8 * common[:chroma].sum() + 0.2 * common[chroma:].sum())
