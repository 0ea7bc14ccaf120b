"""How a product looks to a network that need not know its name: one vector a cut-out, one a cell of a picture.

The embedded classifier's features, less what they are on average in pictures of anything (``background.npz`` holds that
mean and nothing of any picture). Decorrelating
them as well was measured and made no product easier to tell from others.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np

from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier

_BACKGROUND = Path(__file__).with_name("background.npz")


class Features(Protocol):
    """What signatures are made with; another network may stand behind it."""

    @property
    def name(self) -> str:
        """Changes whenever the vectors do: signatures are kept under it."""
        ...

    def cutouts(self, cutouts: Sequence[np.ndarray]) -> np.ndarray:
        """Return unit vectors, float32 (n, d), of square uint8 RGB pictures of the classifier's size."""
        ...

    def cells(self, image: np.ndarray) -> np.ndarray:
        """Return float32 (rows, columns, d) of ``image``, uint8 RGB: a mean over cells, made of unit length by
        :func:`unit`, compares with :meth:`cutouts`.
        """
        ...


class EmbeddedFeatures:
    """Those of the embedded classifier."""

    name = "efficientnet-lite2/1"

    def __init__(self, classifier: ImageNetClassifier) -> None:
        self._classifier = classifier

    def cutouts(self, cutouts: Sequence[np.ndarray]) -> np.ndarray:
        """See :class:`Features`."""
        return unit(self._classifier.cutout_features(cutouts).numpy() - _background())

    def cells(self, image: np.ndarray) -> np.ndarray:
        """See :class:`Features`."""
        return self._classifier.cell_features(image).numpy().transpose(1, 2, 0) - _background()


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return the vectors of the last axis with length 1; one of length 0 stays."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def looks_alike(seen: np.ndarray, looks: np.ndarray) -> np.ndarray:
    """Return how much unit vectors (m, d) are like a product's (n, d), in [-1, 1], to the nearest example and three."""
    each = np.sort(seen @ looks.T, axis=1)
    return 0.5 * each[:, -1] + 0.5 * each[:, -3:].mean(1)


@cache
def _background() -> np.ndarray:
    with np.load(_BACKGROUND, allow_pickle=False) as kept:
        return kept["mean"].astype(np.float32)
