"""Captions of a bare machine: the product's name in a plain sentence, from the embedded detector's classifier.

EfficientNet-Lite2 looks at the whole picture, at two centre crops and at every place of it; words that both the whole
and some place speak for are named. Measured on 43 product photos, see tests/training/test_captioning.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from lib_photoshoot.detection.embedded.vocabulary import Entry, load_vocabulary

if TYPE_CHECKING:
    import numpy as np

    from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier

UNKNOWN = "a product photo"
# The middle of a product photo is the product; shares of the sides.
VIEWS = (1.0, 0.8, 0.6)
# Least probability of a product's classes over the views, and at its best place.
FIRST_WHOLE, FIRST_PLACE = 0.12, 0.5
# A second product covers less of the picture, and must be quite sure where it is.
SECOND_WHOLE, SECOND_PLACE = 0.06, 0.9
# A bag is never less likely than a handbag: of words about equally likely, the narrowest says most.
NEARLY_BEST = 0.9
_PLURALS = frozenset({"jeans", "pyjamas", "swimming trunks", "sunglasses", "binoculars"})
_UNCOUNTABLE = frozenset(
    {"lotion", "sunscreen", "perfume", "face powder", "hairspray", "toilet paper"}
    | {"bread", "ice cream", "guacamole", "carbonara", "broccoli"}
)
# Spelled with a vowel and spoken without, or the other way round.
_SPOKEN = {"unicycle": "a", "hourglass": "an", "mp3 player": "an"}


class _Sight(NamedTuple):
    """An entry's probability in [0, 1]: over the views of the picture, and at its best place in it."""

    entry: Entry
    whole: float
    place: float


class EmbeddedCaptioner:
    """Names up to two products of the embedded vocabulary."""

    name = "embedded"
    batch_size = 1

    def __init__(self, classifier: ImageNetClassifier) -> None:
        self._classifier = classifier

    @classmethod
    def load(cls) -> EmbeddedCaptioner:
        """With the classifier's own weights. Raises WeightsError with the command that gets a missing file."""
        from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier
        from lib_photoshoot.weights.store import find

        return cls(ImageNetClassifier.from_file(find("efficientnet-lite2")))

    def caption(self, images: Sequence[np.ndarray]) -> list[str]:
        """See :class:`~lib_photoshoot.training.captions.protocol.Captioner`."""
        return [sentence(self._products(image)) for image in images]

    def _products(self, image: np.ndarray) -> list[str]:
        """Names of the products that the picture shows, the clearest first; at most two."""
        sights = self._sights(image)
        first = _clearest(sights, FIRST_WHOLE, FIRST_PLACE)
        if first is None:
            return []
        others = [sight for sight in sights if first.classes.keys().isdisjoint(sight.entry.classes)]
        second = _clearest(others, SECOND_WHOLE, SECOND_PLACE)
        return [first.name] if second is None else [first.name, second.name]

    def _sights(self, image: np.ndarray) -> list[_Sight]:
        """How likely the picture shows every entry of the vocabulary."""
        import cv2

        from lib_photoshoot.detection.embedded.classifier import square_cutout

        height, width = image.shape[:2]
        boxes = [
            (width * (1 - view) / 2, height * (1 - view) / 2, width * (1 + view) / 2, height * (1 + view) / 2)
            for view in VIEWS
        ]
        views = self._classifier.classify([square_cutout(image, box, 0) for box in boxes]).mean(0)
        cells = self._classifier.class_map(image)
        sights = []
        for entry in load_vocabulary().entries:
            indices = list(entry.classes)
            places = cv2.blur(cells[indices].sum(0), (3, 3), borderType=cv2.BORDER_REPLICATE)
            sights.append(_Sight(entry, float(views[indices].sum()), float(places.max())))
        return sights


def sentence(products: Sequence[str]) -> str:
    """Return ``a photo of a handbag and a shoe``; :data:`UNKNOWN` for no product."""
    return "a photo of " + " and ".join(_with_article(product) for product in products) if products else UNKNOWN


def _with_article(product: str) -> str:
    if product in _PLURALS | _UNCOUNTABLE:
        return product
    article = _SPOKEN.get(product, "an" if product[0] in "aeiou" else "a")
    return f"{article} {product}"


def _clearest(sights: Sequence[_Sight], least_whole: float, least_place: float) -> Entry | None:
    """Return the narrowest of the likeliest entries that pass both thresholds."""
    passing = [sight for sight in sights if sight.whole >= least_whole and sight.place >= least_place]
    if not passing:
        return None
    best = max(sight.whole for sight in passing)
    likeliest = [sight.entry for sight in passing if sight.whole >= NEARLY_BEST * best]
    return min(likeliest, key=lambda entry: len(entry.classes))
