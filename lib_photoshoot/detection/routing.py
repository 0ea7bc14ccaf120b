"""Several ways to find products behind one detector: by words, by examples, or as what a picture shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from lib_photoshoot.detection.protocol import Confirmer, Detector, Finder
from lib_photoshoot.products import Product, Way
from lib_photoshoot.results import Box, Detection


class RoutedDetector:
    """Sends each product to what can find it; a way is made ready when the first product needs it."""

    def __init__(self, words: Detector, others: Mapping[Way, Callable[[], Finder]]) -> None:
        """``words`` finds by name; ``others`` make what finds in another way."""
        self.words = words
        self._others = {way: cache(make) for way, make in others.items()}

    @property
    def name(self) -> str:
        """What finds by words is what a run is told of."""
        return self.words.name

    @property
    def default_threshold(self) -> float:
        """That of what finds by words."""
        return self.words.default_threshold

    def finder(self, product: Product) -> Finder | None:
        """Return what finds a product otherwise than by its words; None where those are what it is looked for by."""
        return None if product.way is Way.WORDS else self._others[product.way]()

    def threshold_for(self, product: Product) -> float:
        """See :class:`~lib_photoshoot.detection.protocol.Detector`."""
        return (self.finder(product) or self.words).threshold_for(product)

    def detect(self, image: np.ndarray, products: Sequence[Product]) -> list[Detection]:
        """See :class:`~lib_photoshoot.detection.protocol.Detector`."""
        detections = []
        for way in Way:
            asked = [product for product in products if product.way is way]
            if asked:
                detector = self.words if way is Way.WORDS else self._others[way]()
                detections += detector.detect(image, asked)
        return detections


class RoutedConfirmer:
    """A second opinion by words for products looked for by words, else by what found them."""

    def __init__(self, words: Confirmer, detector: RoutedDetector) -> None:
        self._words = words
        self._detector = detector

    def scores(self, images: Sequence[np.ndarray], box: Box, product: Product) -> list[float] | None:
        """See :class:`~lib_photoshoot.detection.protocol.Confirmer`."""
        return (self._detector.finder(product) or self._words).scores(images, box, product)
