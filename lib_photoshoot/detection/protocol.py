"""What the pipeline asks of a detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from lib_photoshoot.products import Product
from lib_photoshoot.results import Box, Detection

if TYPE_CHECKING:
    from pathlib import Path

    from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier
    from lib_photoshoot.detection.small.protocol import SmallDetector
    from lib_photoshoot.segmentation.salience import OnnxSalience
    from lib_photoshoot.segmentation.sam import SamSegmenter

Signatures = Mapping[tuple[str, ...], bytes]
"""Packed signatures by the ``examples`` of their products."""


class Detector(Protocol):
    """Text classes in, boxes out. Every candidate is returned, also weak ones: verification decides."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    @property
    def default_threshold(self) -> float:
        """The score from which a detection by words counts, for products without a threshold of their own."""
        ...

    def threshold_for(self, product: Product) -> float:
        """Return the score in [0, 1] from which a detection of ``product`` counts, where it sets none."""
        ...

    def detect(self, image: np.ndarray, products: Sequence[Product]) -> list[Detection]:
        """Return candidates for ``products`` in ``image`` (uint8 RGB). Raises ProductsError for an unusable word."""
        ...


class Confirmer(Protocol):
    """A second opinion on a cut-out."""

    def scores(self, images: Sequence[np.ndarray], box: Box, product: Product) -> list[float] | None:
        """Return in [0, 1] how surely the box shows ``product``, for one or more states of a picture.

        None where there is no opinion.
        """
        ...


class Finder(Detector, Confirmer, Protocol):
    """A way to find products otherwise than by words, and to recognise them again."""


@dataclass(frozen=True, eq=False)
class Given:
    """What a detector may be made of: its own weights, in the order of its entry, and what every filter has loaded.

    ``device`` is a torch device; ``bf16`` asks for bfloat16, faster and less exact. ``folder`` is the user's own, for a
    detector that is read from one; ``quick`` the salience network that looks at every product, ``small`` the small
    detector, where a file of one is there. ``signatures`` is what is known already of products by example.
    """

    weights: tuple[Path, ...]
    classifier: ImageNetClassifier
    segmenter: SamSegmenter
    device: str = "cpu"
    bf16: bool = False
    folder: Path | None = None
    quick: OnnxSalience | None = None
    small: SmallDetector | None = None
    signatures: Signatures = field(default_factory=dict)
