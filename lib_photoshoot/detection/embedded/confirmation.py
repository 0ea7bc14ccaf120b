"""A second opinion on a cut-out, from the embedded classifier, for the words whose meaning it knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier, square_cutout
from lib_photoshoot.detection.embedded.vocabulary import load_vocabulary
from lib_photoshoot.products import Product, Way
from lib_photoshoot.results import Box


class CutoutConfirmer:
    """Scores how much a cut-out alone looks like its product."""

    def __init__(self, classifier: ImageNetClassifier, guesses: bool = True) -> None:
        """``guesses`` lets wider kinds stand in for words, and the few kinds of a thing that it knows for the thing.

        One who overrules a detector that knows the word itself must not guess: an ordinary bed is no four-poster.
        """
        self._classifier = classifier
        self._guesses = guesses

    def scores(self, images: Sequence[np.ndarray], box: Box, product: Product) -> list[float] | None:
        """Return the probability in [0, 1] that the box shows ``product``, for each state of a picture.

        None when no word of it is known.
        """
        indices = self._classes(product)
        if indices is None:
            return None
        probabilities = self._classifier.classify([square_cutout(image, box) for image in images])
        return [float(score) for score in probabilities[:, indices].sum(1)]

    def evidence(self, image: np.ndarray, masks: Sequence[np.ndarray], product: Product) -> list[float] | None:
        """Return how much each mask (bool) of ``image`` shows ``product``, in [0, 1].

        None when no word is known, and for what is no kind of thing, the main object.

        See :meth:`ImageNetClassifier.evidence`.
        """
        indices = self._classes(product)
        return None if indices is None else self._classifier.evidence(image, masks, indices)

    def _classes(self, product: Product) -> list[int] | None:
        """Return the classes that show a product; None where no word of it is known, or known well enough."""
        vocabulary = load_vocabulary()
        if product.way is Way.MAIN_OBJECT:
            return None  # "cup = product" is whatever is shown, called a cup
        answers = vocabulary.answers_for(product).values()
        means_less = any(answer.wider or any(entry.means_less for entry in answer.things) for answer in answers)
        if not answers or (means_less and not self._guesses):
            return None
        return list(vocabulary.classes_for(product))
