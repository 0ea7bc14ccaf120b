"""A second opinion on a cut-out, from the embedded classifier, for the words that it knows."""

from __future__ import annotations

import numpy as np

from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier, square_cutout
from lib_photoshoot.detection.embedded.vocabulary import load_vocabulary
from lib_photoshoot.products import Product
from lib_photoshoot.results import Box


class CutoutConfirmer:
    """Scores how much a cut-out alone looks like its product."""

    def __init__(self, classifier: ImageNetClassifier) -> None:
        self._classifier = classifier

    def score(self, image: np.ndarray, box: Box, product: Product) -> float | None:
        """Return the probability in [0, 1] that the box shows ``product``; None when no word of it is known."""
        vocabulary = load_vocabulary()
        if not any(vocabulary.knows(word) for word in product.words):
            return None
        indices = list(vocabulary.classes_for(product))
        return float(self._classifier.classify([square_cutout(image, box)])[0, indices].sum())
