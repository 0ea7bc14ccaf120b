"""What the pipeline asks of a detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from lib_photoshoot.products import Product
from lib_photoshoot.results import Detection

if TYPE_CHECKING:
    from pathlib import Path

    from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier
    from lib_photoshoot.segmentation.sam import SamSegmenter


class Detector(Protocol):
    """Text classes in, boxes out. Every candidate is returned, also weak ones: verification decides."""

    name: str
    default_threshold: float
    """The score from which a detection counts, for products without a threshold of their own."""

    def detect(self, image: np.ndarray, products: Sequence[Product]) -> list[Detection]:
        """Return candidates for ``products`` in ``image`` (uint8 RGB). Raises ProductsError for an unusable word."""
        ...


@dataclass(frozen=True, eq=False)
class Given:
    """What a detector may be made of: its own weights, in the order of its entry, and what every filter has loaded.

    ``device`` is a torch device; ``bf16`` asks for bfloat16, faster and less exact.
    """

    weights: tuple[Path, ...]
    classifier: ImageNetClassifier
    segmenter: SamSegmenter
    device: str = "cpu"
    bf16: bool = False
