"""A second opinion on a cut-out, from the embedded classifier, for the words whose meaning it knows."""

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
from lib_photoshoot.products import Product, Way
from lib_photoshoot.results import Box

RECOGNISED = 0.18
"""From this probability the classifier needs no help."""


class CutoutConfirmer:
    """Scores how much a cut-out alone looks like its product."""

    def __init__(
        self, classifier: ImageNetClassifier, small: SmallDetector | None = None, guesses: bool = True
    ) -> None:
        """``small`` is asked where the classifier hardly recognises what it is shown, as in a scene.

        ``guesses`` lets wider kinds stand in for words, and the few kinds of a thing that it knows for the thing. One
        who overrules a detector that knows the word itself must not guess: an ordinary bed is no four-poster.
        """
        self._classifier = classifier
        self._small = small
        self._guesses = guesses
        # One who must not guess does not take a small detector's word for a product either.
        self._vocabulary = load_vocabulary(small.labels if small and guesses else ())

    def scores(self, images: Sequence[np.ndarray], box: Box, product: Product) -> list[float] | None:
        """Return the probability in [0, 1] that the box shows ``product``, for each state of a picture.

        None when no word of it is known.
        """
        indices = self._classes(product)
        if indices is None:
            return None
        probabilities = self._classifier.classify([square_cutout(image, box) for image in images])
        shown = [min(1.0, float(score)) for score in probabilities[:, indices].sum(1)]
        if self._small is None or max(shown) >= RECOGNISED:
            return shown
        own = labels_for(product.words, self._small.labels, self._vocabulary.key).own
        if not own:
            return shown
        seen = [seen_at(self._small.boxes(image), own, box) for image in images]
        share = area(box) / (images[0].shape[0] * images[0].shape[1])
        enough = self._vocabulary.is_seen(product)
        return [max(alone, joined(alone, sight, share, enough)) for alone, sight in zip(shown, seen, strict=True)]

    def evidence(self, image: np.ndarray, masks: Sequence[np.ndarray], product: Product) -> list[float] | None:
        """Return how much each mask (bool) of ``image`` shows ``product``, in [0, 1].

        None when no class shows it, and for what is no kind of thing, the main object.

        See :meth:`ImageNetClassifier.evidence`.
        """
        indices = self._classes(product)
        if not indices:
            return None
        return self._classifier.evidence(image, masks, indices, self._vocabulary.rivals_for(product))

    def _classes(self, product: Product) -> list[int] | None:
        """Return the classes that show a product; None where no word of it is known, or known well enough."""
        vocabulary = self._vocabulary
        if product.way is Way.MAIN_OBJECT:
            return None  # "cup = product" is whatever is shown, called a cup
        answers = vocabulary.answers_for(product).values()
        means_less = any(answer.wider or any(entry.means_less for entry in answer.things) for answer in answers)
        if not answers or (means_less and not self._guesses):
            return None
        return list(vocabulary.classes_for(product))
