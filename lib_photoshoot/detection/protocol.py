"""What the pipeline asks of a detector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from lib_photoshoot.products import Product
from lib_photoshoot.results import Detection


class Detector(Protocol):
    """Text classes in, boxes out. Every candidate is returned, also weak ones: verification decides."""

    name: str
    default_threshold: float
    """The score from which a detection counts, for products without a threshold of their own."""

    def detect(self, image: np.ndarray, products: Sequence[Product]) -> list[Detection]:
        """Return candidates for ``products`` in ``image`` (uint8 RGB). Raises ProductsError for an unusable word."""
        ...
