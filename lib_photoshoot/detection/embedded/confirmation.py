"""A second opinion on a cut-out, from the embedded classifier, for the words that it knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier, square_cutout
from lib_photoshoot.detection.embedded.vocabulary import load_vocabulary
from lib_photoshoot.products import Product
from lib_photoshoot.results import Box


class CutoutConfirmer:
    """Scores how much a cut-out alone looks like its product."""

    def __init__(self, classifier: ImageNetClassifier) -> None:
        self._classifier = classifier

    def scores(self, images: Sequence[np.ndarray], box: Box, product: Product) -> list[float] | None:
        """Return the probability in [0, 1] that the box shows ``product``, for each state of a picture.

        None when no word of it is known.
        """
        vocabulary = load_vocabulary()
        if not any(vocabulary.knows(word) for word in product.words):
            return None
        indices = list(vocabulary.classes_for(product))
        probabilities = self._classifier.classify([square_cutout(image, box) for image in images])
        return [min(1.0, float(score)) for score in probabilities[:, indices].sum(1)]

    def evidence(self, image: np.ndarray, masks: Sequence[np.ndarray], product: Product) -> list[float] | None:
        """Return how much each mask (bool) of ``image`` shows ``product``, in [0, 1]; None when no word is known.

        See :meth:`ImageNetClassifier.evidence`.
        """
        vocabulary = load_vocabulary()
        if not any(vocabulary.knows(word) for word in product.words):
            return None
        return self._classifier.evidence(image, masks, list(vocabulary.classes_for(product)))
