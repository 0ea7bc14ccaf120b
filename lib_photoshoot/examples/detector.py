"""Detection of products that are named by examples of them.

1. *Is there a trace?* One pass of the embedded network over the whole picture, compared in windows of many sizes, and,
   for printed products, local features. Without a trace nothing else runs.
2. *Where exactly?* The places of prints, the best windows, and the main object: SAM, asked with a point in the middle
   of what stands out there, or with the window, outlines what is not known by a print.
3. *Is it this product?* :mod:`lib_photoshoot.examples.matching`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lib_photoshoot.detection.verification import iou
from lib_photoshoot.errors import WeightsError
from lib_photoshoot.examples import calibration
from lib_photoshoot.examples.cutting import ExampleCutter
from lib_photoshoot.examples.features import EmbeddedFeatures, Features, looks_alike
from lib_photoshoot.examples.identity import Identity, identity_of
from lib_photoshoot.examples.keeping import keep_signature, kept_signature, key_of, unpacked
from lib_photoshoot.examples.looking import Looked
from lib_photoshoot.examples.matching import Place, Resemblance, Sameness, compare, print_places
from lib_photoshoot.examples.second import second_features
from lib_photoshoot.examples.signature import Signature, make_signature, said_of
from lib_photoshoot.examples.sources import ExampleFiles, Kept, list_examples
from lib_photoshoot.masks.comparison import SAME_PLACE_IOU
from lib_photoshoot.masks.morphology import border_share, mask_box, remove_islands
from lib_photoshoot.paths import signatures_folder
from lib_photoshoot.products import Product
from lib_photoshoot.results import Box, Detection, Doubt, Reason
from lib_photoshoot.segmentation.working_copy import resized_mask

if TYPE_CHECKING:
    from pathlib import Path

    from lib_photoshoot.detection.protocol import Given, Signatures
    from lib_photoshoot.segmentation.sam import SamSegmenter

WINDOWS = 3
"""Windows that are looked at more closely: further instances of a plain product."""
MOST_BORDER = 0.5
"""A mask along more of the picture's border is the background."""
LEAST_COVER = 0.3
"""Of a window that a mask covers, or of a mask that lies in the window: less is another thing."""
SMALLEST = 8.0
GOOD_MASK = 0.9
"""Predicted IoU from which a mask is lent to the pipeline."""


@dataclass(frozen=True, eq=False)
class Sighting:
    """Where a product may be, in the pixels of :class:`Looked`; ``mask`` (bool) and ``quality`` where SAM drew it."""

    box: Box
    place: Place | None = None
    mask: np.ndarray | None = None
    quality: float | None = None


def load(given: Given) -> ExampleDetector:
    """Make the finder out of what every filter has loaded; see ``build.WAYS``. Raises WeightsError."""
    if given.quick is None:
        raise WeightsError("Products by example are cut out by u2netp: get it with `models get u2netp`.")
    features = EmbeddedFeatures(given.classifier)
    cutter = ExampleCutter(given.segmenter, given.quick)
    return ExampleDetector(features, cutter, given.segmenter, given=given.signatures, second=second_features())


class ExampleDetector:
    """Finds products by example; a signature is made when its product is first asked for, and kept on disk."""

    name = "examples"
    default_threshold = calibration.THRESHOLD

    def __init__(
        self,
        features: Features,
        cutter: ExampleCutter,
        segmenter: SamSegmenter,
        folder: Path | None = None,
        kept: Kept = lambda _: None,
        given: Signatures | None = None,
        second: Features | None = None,
    ) -> None:
        """``folder`` is where signatures are kept, ``kept`` knows products that were taught under a name, ``given`` is
        what is known already: the examples of those products are not looked at. ``second`` is the second network.
        """
        self._features, self._second = features, second
        self._cutter = cutter
        self._segmenter = segmenter
        self._folder = folder
        self._kept = kept
        self._given = {examples: unpacked(data) for examples, data in (given or {}).items()}
        self._made: dict[tuple[str, ...], tuple[str, ExampleFiles, Signature]] = {}

    def threshold_for(self, product: Product) -> float:
        """See :class:`~lib_photoshoot.detection.protocol.Detector`."""
        return self.default_threshold

    def signature(self, product: Product) -> Signature:
        """Return what is known of a product, made anew when its examples changed. Raises ExamplesError."""
        given = self._given.get(product.examples)
        return self.known(product)[1] if given is None else given

    def says(self, product: Product) -> tuple[str, ...]:
        """Return what is to be said about a product's examples, a sentence each. Raises ExamplesError."""
        return tuple(said_of(*self.known(product)))

    def known(self, product: Product) -> tuple[ExampleFiles, Signature]:
        """Return a product's examples and what is known by them. Raises ExamplesError."""
        files = list_examples(product.name, product.examples, self._kept)
        names = [self._features.name] + ([] if self._second is None else [self._second.name])
        key = key_of(files.digest, " ".join(names))
        known = self._made.get(product.examples)
        if known is None or known[0] != key:
            folder = self._folder or signatures_folder()
            signature = kept_signature(folder, key)
            if signature is None:
                signature = make_signature(files, self._features, self._cutter, self._second)
                keep_signature(folder, key, signature)
            known = self._made[product.examples] = (key, files, signature)
        return files, known[2]

    def detect(self, image: np.ndarray, products: Sequence[Product]) -> list[Detection]:
        """See :class:`~lib_photoshoot.detection.protocol.Detector`. Raises ExamplesError."""
        looked = Looked(image, self._features, self._second)
        return [found for product in products for found in self._found(product, self.signature(product), looked)]

    def scores(self, images: Sequence[np.ndarray], box: Box, product: Product) -> list[float]:
        """See :class:`~lib_photoshoot.detection.protocol.Confirmer`: how surely each state shows *this product*."""
        signature = self.signature(product)
        return [self._score_in(image, box, signature) for image in images]

    def identity(self, image: np.ndarray, mask: np.ndarray, product: Product) -> Identity:
        """Return whether ``mask`` (bool, not empty) outlines *this product* in ``image``, uint8 RGB."""
        return identity_of(self.signature(product), self._features, image, mask, self._second)

    def _score_in(self, image: np.ndarray, box: Box, signature: Signature) -> float:
        margin = 0.1 * max(box[2] - box[0], box[3] - box[1])
        x0, y0 = max(0, int(box[0] - margin)), max(0, int(box[1] - margin))
        crop = np.ascontiguousarray(image[y0 : round(box[3] + margin), x0 : round(box[2] + margin)])
        looked = Looked(crop, self._features, self._second)
        width, height = looked.to_picture
        inner = ((box[0] - x0) / width, (box[1] - y0) / height, (box[2] - x0) / width, (box[3] - y0) / height)
        place = next(iter(print_places(signature, looked)), None) if signature.is_printed else None
        return compare(signature, looked, inner, place).score

    def _found(self, product: Product, signature: Signature, looked: Looked) -> list[Detection]:
        windows = looked.windows_like(signature.looks, WINDOWS)
        places = print_places(signature, looked) if signature.is_printed else []
        if windows[0][1] < calibration.TRACE_LOOK and not any(p.odds > calibration.TRACE_PRINT for p in places):
            return []
        candidates = [Sighting(place.box, place) for place in places if _is_large(place.box)]
        likely = [box for box, likeness in windows if likeness >= calibration.TRACE_LOOK]
        if signature.is_printed:
            # Without its print a printed product is hardly ever believed: an outline would be drawn for nothing.
            candidates += [Sighting(box) for box in likely if _is_new(box, candidates)]
        else:
            candidates += self._outlined(looked, signature, likely)
        judged = [(candidate, self._judge(signature, looked, candidate)) for candidate in candidates]
        return [_detection(product, candidate, likeness, looked) for candidate, likeness in judged]

    def _judge(self, signature: Signature, looked: Looked, candidate: Sighting) -> Resemblance:
        return compare(signature, looked, candidate.box, candidate.place, candidate.mask)

    def _outlined(self, looked: Looked, signature: Signature, windows: Sequence[Box]) -> list[Sighting]:
        """Return the objects in the windows, and the main object."""
        main = self._cutter.standing_out(looked.image)
        chosen: list[Sighting] = []
        for box in [*windows, *([] if main is None else [main[1]])]:
            candidate = self._object_in(signature, looked, box, None if main is None else main[0])
            if _is_new(candidate.box, chosen):
                chosen.append(candidate)
        return chosen

    def _object_in(self, signature: Signature, looked: Looked, box: Box, main: np.ndarray | None) -> Sighting:
        """Return the outline, of those that SAM draws in a window, that is most like the examples; else the window."""
        point = _middle_of(box, main)
        told = self._segmenter.candidates(looked.image, [None], [point])[0]
        told += self._segmenter.candidates(looked.image, [box], [None])[0]
        options = [Sighting(box)]
        for answer in told:
            mask = remove_islands(answer.mask)
            found = mask_box(mask)
            if found is not None and _is_large(found) and border_share(mask) <= MOST_BORDER and _shares(mask, box):
                options.append(Sighting(found, None, mask, answer.quality))
        distinct = _distinct(options)
        whole = [looked.look(option.box) for option in distinct]
        likeness = looks_alike(np.stack(whole), signature.looks)
        return distinct[int(likeness.argmax())]


def _detection(product: Product, candidate: Sighting, likeness: Resemblance, looked: Looked) -> Detection:
    width, height = looked.to_picture
    x0, y0, x1, y1 = candidate.box
    box = (x0 * width, y0 * height, x1 * width, y1 * height)
    threshold = calibration.THRESHOLD if product.threshold is None else product.threshold
    other = likeness.score < threshold and likeness.answer is not Sameness.ABSENT
    refused = Reason.OTHER_OF_ITS_KIND if other else None
    # Who sets a threshold of his own says what he takes for his product.
    doubt = Doubt.PERHAPS_ANOTHER if product.threshold is None and likeness.answer is not Sameness.THIS else None
    found = Detection(product.name, box, likeness.score, refused=refused, doubt=doubt)
    if candidate.mask is None or (candidate.quality or 0.0) < GOOD_MASK:
        return found
    mask = resized_mask(candidate.mask, (round(looked.image.shape[0] * height), round(looked.image.shape[1] * width)))
    return replace(found, mask=mask, quality=candidate.quality)


def _is_new(box: Box, known: Sequence[Sighting]) -> bool:
    return all(iou(box, other.box) <= SAME_PLACE_IOU for other in known)


def _is_large(box: Box) -> bool:
    return min(box[2] - box[0], box[3] - box[1]) >= SMALLEST


def _shares(mask: np.ndarray, box: Box) -> bool:
    """Whether a mask is about what the window shows: covers a good part of it, or lies in it for a good part."""
    x0, y0, x1, y1 = (round(side) for side in box)
    inside = np.count_nonzero(mask[y0:y1, x0:x1])
    return inside >= LEAST_COVER * max(1, (x1 - x0) * (y1 - y0)) or inside >= 0.7 * np.count_nonzero(mask)


def _middle_of(box: Box, main: np.ndarray | None) -> tuple[float, float]:
    """Return the point of what stands out in a window that lies deepest inside it; the window's middle without any."""
    import cv2

    x0, y0, x1, y1 = (round(side) for side in box)
    if main is not None and main[y0:y1, x0:x1].mean() > 0.05:
        depth = cv2.distanceTransform(np.pad(main[y0:y1, x0:x1].astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        return float(x0 + column), float(y0 + row)
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _distinct(options: Sequence[Sighting]) -> list[Sighting]:
    kept: list[Sighting] = []
    for option in options:
        if all(iou(option.box, other.box) < 0.95 for other in kept):
            kept.append(option)
    return kept
