"""Detection without a hub, a GPU or a download: ImageNet class maps propose, SAM's masks outline, cut-outs confirm.

1. The picture's class map: where a product's ImageNet classes are likely, there is a peak. No peak: nothing is there,
   and SAM never runs.
2. Each peak prompts SAM as a point and, unless that outlines it whole, as the box of the cells around it.
3. Each mask's cut-out is classified alone; the best is the detection, its probability the score.
Further peaks outside the masks found so far are further instances of the product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier, square_cutout
from lib_photoshoot.detection.embedded.vocabulary import load_vocabulary
from lib_photoshoot.detection.verification import area, iou, overlap
from lib_photoshoot.masks.morphology import border_share, mask_box, remove_islands
from lib_photoshoot.products import Product
from lib_photoshoot.results import Box, Detection
from lib_photoshoot.segmentation.protocol import MaskCandidate
from lib_photoshoot.segmentation.working_copy import resized_mask, working_copy

if TYPE_CHECKING:
    from lib_photoshoot.detection.protocol import Given

# Below this, averaged over 3 x 3 cells, hardly any product of the measured pictures was ever confirmed.
PEAK = 0.09
# Further instances must stand out more than the first one: each costs a prompt.
FURTHER_PEAK = 0.25
# A mask along more of the picture's border than this is the background around the product, not the product.
MOST_BORDER = 0.5
MOST_COVERED = 0.5
NEARLY_BEST = 0.9
# A larger mask is believed where it keeps this share of the best one's evidence, alone; masks of far less likely boxes
# are not looked at.
EVIDENCE_KEPT = 0.8
CONTENDS = 0.3
SAME_BOX_IOU = 0.95
MOST_INSTANCES = 4
# Predicted IoU from which a mask is lent to the pipeline; a worse one is ragged, and its box prompts a smoother one.
GOOD_MASK = 0.9
# A product so sure, outlined over so much of its cells, needs no second prompt.
SURE, WHOLE_SHARE = 0.5, 0.9
# Without so much heat beside the first instance, looking again without that instance has never shown a further one.
FURTHER_HINT = 0.05

Outlined = tuple[MaskCandidate, Box]


class PromptedSegmenter(Protocol):
    """What the detector asks of a SAM: several masks for a box or point prompt."""

    def candidates(
        self, image: np.ndarray, boxes: Sequence[Box | None], points: Sequence[tuple[float, float] | None]
    ) -> list[list[MaskCandidate]]: ...


def load(given: Given) -> EmbeddedDetector:
    """Make the detector out of what every filter has loaded; see ``model_names.DETECTORS``."""
    return EmbeddedDetector(given.classifier, given.segmenter)


class EmbeddedDetector:
    """The detector of a bare machine; knows the products of its vocabulary only."""

    name = "embedded"
    default_threshold = 0.18

    def __init__(self, classifier: ImageNetClassifier, segmenter: PromptedSegmenter) -> None:
        self._classifier = classifier
        self._segmenter = segmenter

    def threshold_for(self, product: Product) -> float:
        """See :class:`~lib_photoshoot.detection.protocol.Detector`."""
        return self.default_threshold

    def detect(self, image: np.ndarray, products: Sequence[Product]) -> list[Detection]:
        """See :class:`~lib_photoshoot.detection.protocol.Detector`. Raises UnknownProductError."""
        vocabulary = load_vocabulary()
        vocabulary.check(products)
        classes = {product.name: list(vocabulary.classes_for(product)) for product in products}
        # A dozen full-size masks of a 144-megapixel picture would take 4 GB, and show nothing that this does not.
        working = working_copy(image)
        scale_x, scale_y = image.shape[1] / working.shape[1], image.shape[0] / working.shape[0]
        probabilities = self._classifier.class_map(working)
        return [
            replace(
                detection,
                box=scaled(detection.box, scale_x, scale_y),
                mask=None if detection.mask is None else resized_mask(detection.mask, image.shape),
            )
            for name, indices in classes.items()
            for detection in self._instances(working, name, indices, _heat(probabilities, indices))
        ]

    def _instances(self, image: np.ndarray, name: str, indices: list[int], heat: np.ndarray) -> list[Detection]:
        found: list[Detection] = []
        first = heat.copy()
        view = image
        tried = np.zeros(heat.shape, bool)
        for least in [PEAK] + [FURTHER_PEAK] * (MOST_INSTANCES - 1):
            row, column = np.unravel_index(heat.argmax(), heat.shape)
            if heat[row, column] < least:
                break
            # Every turn has a new peak, whatever the masks.
            tried[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = True
            detection, seen = self._outline(image, view, name, indices, heat, (int(row), int(column)))
            if detection is not None:
                if not _is_around(detection, found):
                    found.append(detection)
                if _hint_elsewhere(first, seen) < FURTHER_HINT:
                    break
                # Further instances must be recognised without those already found: the background around a car
                # is no second car.
                view = view.copy()
                view[seen] = np.median(image[~seen], axis=0) if not seen.all() else 0
                heat = _heat(self._classifier.class_map(view), indices)
            heat[tried] = 0
        return found

    def _outline(
        self,
        image: np.ndarray,
        view: np.ndarray,
        name: str,
        indices: list[int],
        heat: np.ndarray,
        peak: tuple[int, int],
    ) -> tuple[Detection | None, np.ndarray]:
        height, width = image.shape[:2]
        cell_height, cell_width = height / heat.shape[0], width / heat.shape[1]
        point = ((peak[1] + 0.5) * cell_width, (peak[0] + 0.5) * cell_height)
        x, y, w, h = _blob(heat >= heat[peak] / 2, peak)
        cells = (x * cell_width, y * cell_height, (x + w) * cell_width, (y + h) * cell_height)
        outlined = _outlined(self._segmenter.candidates(image, [None], [point])[0])
        kept = _distinct(_products_own(outlined))
        scores = self._scores(view, indices, kept)
        if not any(_is_whole(c, b, score, cells) for (c, b), score in zip(kept, scores, strict=True)):
            outlined += _outlined(self._segmenter.candidates(image, [cells], [None])[0])
            known = len(kept)  # earlier masks stay first, so only the new ones are classified
            kept = _distinct(_products_own(outlined) or outlined)
            scores = np.concatenate([scores, self._scores(view, indices, kept[known:])])
        if not kept:
            return None, np.zeros((height, width), bool)
        # A dial is as much a watch as the watch: of the masks about equally likely, the largest is the whole product.
        best = max(np.flatnonzero(scores >= NEARLY_BEST * scores.max()), key=lambda i: kept[i][0].mask.sum())
        chosen, outer = self._whole(view, indices, kept, scores, int(best))
        box = kept[best][1]
        # Masks nearly as likely outline the same instance, a little more or less of it.
        seen = np.any([c.mask for (c, _), score in zip(kept, scores, strict=True) if score >= scores[best] / 2], axis=0)
        score = self._classifier.consistent_score(view, box, indices)
        if chosen.quality < GOOD_MASK:
            return Detection(name, outer, score), seen
        return Detection(name, outer, score, chosen.mask, chosen.quality), seen

    def _whole(
        self, view: np.ndarray, indices: list[int], kept: Sequence[Outlined], scores: np.ndarray, best: int
    ) -> Outlined:
        """Return the largest mask that, alone, still shows the product: a door looks like its car in its box only."""
        pixels = [np.count_nonzero(candidate.mask) for candidate, _ in kept]
        likely = [kept[i] for i in np.flatnonzero(scores >= CONTENDS * scores.max()) if pixels[i] >= pixels[best]]
        if len(likely) == 1:
            return likely[0]
        evidence = np.array(self._classifier.evidence(view, [candidate.mask for candidate, _ in likely], indices))
        enough = np.flatnonzero(evidence >= EVIDENCE_KEPT * evidence.max())
        return likely[max(enough, key=lambda i: np.count_nonzero(likely[i][0].mask))]

    def _scores(self, view: np.ndarray, indices: list[int], outlined: Sequence[Outlined]) -> np.ndarray:
        """Return each cut-out's probability for the classes ``indices``."""
        if not outlined:
            return np.zeros(0, np.float32)
        return self._classifier.classify([square_cutout(view, box) for _, box in outlined])[:, indices].sum(1)


def _outlined(candidates: Sequence[MaskCandidate]) -> list[Outlined]:
    """Return the masks that are not empty, without specks: one in a corner would stretch the box over the picture."""
    cleaned = [MaskCandidate(remove_islands(candidate.mask), candidate.quality) for candidate in candidates]
    return [(candidate, box) for candidate in cleaned if (box := mask_box(candidate.mask)) is not None]


def _products_own(outlined: Sequence[Outlined]) -> list[Outlined]:
    """Leave out masks that outline the background around the product."""
    return [(candidate, box) for candidate, box in outlined if border_share(candidate.mask) <= MOST_BORDER]


def _is_around(detection: Detection, found: Sequence[Detection]) -> bool:
    """Whether a ragged outline reaches over most of an instance already found: it is the background around that one,
    in which the gap still has the product's shape."""
    covered = (overlap(detection.box, other.box) >= MOST_COVERED * area(other.box) for other in found)
    return detection.mask is None and any(covered)


def _is_whole(candidate: MaskCandidate, box: Box, score: float, cells: Box) -> bool:
    """Whether a mask of the point prompt is clean, surely the product, and spans all cells that show it."""
    spans = overlap(box, cells) >= WHOLE_SHARE * area(cells)
    return spans and score >= SURE and candidate.quality >= GOOD_MASK


def scaled(box: Box, scale_x: float, scale_y: float) -> Box:
    """Return a box in the pixels of a picture of another size."""
    return box[0] * scale_x, box[1] * scale_y, box[2] * scale_x, box[3] * scale_y


def _blob(hot: np.ndarray, peak: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return x, y, width, height in cells of the connected region around ``peak``."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(hot.astype(np.uint8), connectivity=8)
    x, y, w, h, _ = stats[labels[peak]]
    return int(x), int(y), int(w), int(h)


def _heat(probabilities: np.ndarray, indices: list[int]) -> np.ndarray:
    """Return how likely each cell shows the classes ``indices``, averaged over 3 x 3 cells."""
    return cv2.blur(probabilities[indices].sum(0), (3, 3), borderType=cv2.BORDER_REPLICATE)


def _hint_elsewhere(heat: np.ndarray, seen: np.ndarray) -> float:
    """Return the highest heat among the cells that neither ``seen`` (bool, picture's size) nor its rim covers."""
    covered = cv2.resize(seen.astype(np.float32), heat.shape[::-1], interpolation=cv2.INTER_AREA) > 0
    covered = cv2.dilate(covered.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return float(heat[~covered].max()) if not covered.all() else 0.0


def _distinct(outlined: Sequence[Outlined]) -> list[Outlined]:
    """Drop masks whose box is that of an earlier one: their cut-outs would be the same."""
    kept: list[Outlined] = []
    for candidate, box in outlined:
        if all(iou(box, other) < SAME_BOX_IOU for _, other in kept):
            kept.append((candidate, box))
    return kept
