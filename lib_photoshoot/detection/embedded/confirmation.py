"""A second opinion on a cut-out, from the embedded classifier, for the words that it knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier, square_cutout
from lib_photoshoot.detection.embedded.joining import joined
from lib_photoshoot.detection.embedded.seeds import seen_at
from lib_photoshoot.detection.embedded.vocabulary import load_vocabulary
from lib_photoshoot.detection.small.protocol import SmallDetector
from lib_photoshoot.detection.small.words import labels_for
from lib_photoshoot.detection.verification import area
from lib_photoshoot.products import Product
from lib_photoshoot.results import Box

RECOGNISED = 0.18
"""From this probability the classifier needs no help."""


class CutoutConfirmer:
    """Scores how much a cut-out alone looks like its product."""

    def __init__(self, classifier: ImageNetClassifier, small: SmallDetector | None = None) -> None:
        """``small`` is asked where the classifier hardly recognises what it is shown, as in a scene."""
        self._classifier = classifier
        self._small = small

    def scores(self, images: Sequence[np.ndarray], box: Box, product: Product) -> list[float] | None:
        """Return the probability in [0, 1] that the box shows ``product``, for each state of a picture.

        None when no word of it is known.
        """
        vocabulary = load_vocabulary()
        if not any(vocabulary.knows(word) for word in product.words):
            return None
        indices = list(vocabulary.classes_for(product))
        probabilities = self._classifier.classify([square_cutout(image, box) for image in images])
        shown = [float(score) for score in probabilities[:, indices].sum(1)]
        if self._small is None or max(shown) >= RECOGNISED:
            return shown
        own = labels_for(product.words, self._small.labels, vocabulary.key).own
        if not own:
            return shown
        seen = [seen_at(self._small.boxes(image), own, box) for image in images]
        share = area(box) / (images[0].shape[0] * images[0].shape[1])
        return [max(alone, joined(alone, sight, share)) for alone, sight in zip(shown, seen, strict=True)]

    def evidence(self, image: np.ndarray, masks: Sequence[np.ndarray], product: Product) -> list[float] | None:
        """Return how much each mask (bool) of ``image`` shows ``product``, in [0, 1]; None when no word is known.

        See :meth:`ImageNetClassifier.evidence`.
        """
        vocabulary = load_vocabulary()
        if not any(vocabulary.knows(word) for word in product.words):
            return None
        classes, rivals = vocabulary.classes_for(product), vocabulary.rivals_for(product)
        return self._classifier.evidence(image, masks, list(classes), rivals)
