"""Whether pictures show the very product of a folder of photos: what ``rank --like`` asks of each."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from lib_photoshoot.build import ModelChoice, load_models
from lib_photoshoot.errors import WeightsError
from lib_photoshoot.examples.identity import Identity
from lib_photoshoot.products import Product

if TYPE_CHECKING:
    from lib_photoshoot.examples.detector import ExampleDetector


class KnownProduct:
    """A product as photos show it."""

    def __init__(self, detector: ExampleDetector, product: Product) -> None:
        self._detector = detector
        self._product = product

    def identity(self, picture: np.ndarray, mask: np.ndarray) -> Identity:
        """Compare what ``mask`` (bool, not empty) outlines in ``picture``, uint8 RGB, with the photos."""
        return self._detector.identity(picture, mask, self._product)


def known_product(folder: Path, tell: Callable[[str], None]) -> KnownProduct | None:
    """Return the product that the photos in a folder show, made known once and kept; None, told, without its models.

    Raises ExamplesError where no photo can be used.
    """
    product = Product("product", examples=(os.path.abspath(folder),))
    try:
        detector = cast("ExampleDetector", load_models(ModelChoice()).detector.finder(product))
    except WeightsError as error:
        tell(f"Whether the pictures show the product of the photos is not looked at: {error}")
        return None
    for sentence in detector.says(product):
        tell(sentence)
    return KnownProduct(detector, product)
