"""How far a picture lies from the photos that the LoRA was trained on, by their colours, brightness and proportions.

The distance is Mahalanobis' (https://en.wikipedia.org/wiki/Mahalanobis_distance) with the covariance shrunk towards a
multiple of the identity, as a few photos give no usable covariance of their own: O. Ledoit and M. Wolf, "A
well-conditioned estimator for large-dimensional covariance matrices", J. Multivariate Analysis 88 (2004) 365-411,
https://doi.org/10.1016/S0047-259X(03)00096-4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.ranking.qualities import Quality

FEATURES = ("brightness", "red or green", "yellow or blue", "contrast", "colourfulness", "proportions")
# A spread of every feature that no set of photos falls below: two copies of one photo would else make anything far.
_LEAST_SPREAD = np.array([6.0, 3.0, 3.0, 5.0, 4.0, 0.1])
_SIDE = 256


def features(picture: np.ndarray) -> np.ndarray:
    """Six figures of a whole picture (uint8 RGB): CIELAB means of L, a, b, spread of L, mean chroma, log of width to
    height. Whole pictures on both sides, because training photos have no masks."""
    height, width = picture.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    small = cv2.resize(
        picture, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    lab = SRGB.to_lab(small).reshape(-1, 3).astype(np.float64)
    chroma = np.hypot(lab[:, 1], lab[:, 2]).mean()
    return np.array([*lab.mean(axis=0), lab[:, 0].std(), chroma, math.log(width / height)])


@dataclass(frozen=True, eq=False)
class PhotoStatistics:
    """Mean and inverse covariance of the features of ``count`` photos, scaled by their least spreads."""

    mean: np.ndarray
    inverse: np.ndarray
    count: int

    def likeness(self, picture: np.ndarray) -> Quality:
        """1 for a picture in the middle of the photos, falling with its distance from them."""
        off = (features(picture) - self.mean) / _LEAST_SPREAD
        squared = float(off @ self.inverse @ off)
        # Of a picture out of the same distribution, the expected squared distance is the number of features.
        score = math.exp(-squared / (4 * len(FEATURES)))
        furthest = FEATURES[int(np.argmax(off**2 * np.diag(self.inverse)))]
        reason = f"distance {math.sqrt(squared):.1f} from {self.count} photos, most by {furthest}"
        return Quality("likeness", score, reason)


def photo_statistics(rows: Sequence[np.ndarray]) -> PhotoStatistics:
    """Statistics of at least one photo's :func:`features`, independent of their order."""
    # Sums of floats depend on their order; a sorted one does not.
    values = np.array(sorted(map(tuple, rows)), np.float64)
    mean = values.mean(axis=0)
    covariance = _shrunk((values - mean) / _LEAST_SPREAD)
    return PhotoStatistics(mean, np.linalg.inv(covariance + np.eye(len(FEATURES))), len(values))


def _shrunk(centred: np.ndarray) -> np.ndarray:
    """Ledoit and Wolf's estimate (their section 3.2) from centred rows."""
    count, dimensions = centred.shape
    sample = centred.T @ centred / count
    level = np.trace(sample) / dimensions
    target = level * np.eye(dimensions)
    spread = ((sample - target) ** 2).sum()
    noise = sum(((np.outer(row, row) - sample) ** 2).sum() for row in centred) / count**2
    share = 1.0 if spread == 0 else min(noise / spread, 1.0)
    return share * target + (1 - share) * sample
