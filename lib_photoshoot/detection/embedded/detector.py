"""Detection without a hub, a GPU or a download: places are proposed, looked at alone, outlined, and looked at again.

1. *Seeds*: peaks of the picture's class map, and boxes of a small detector where one is there
   (:mod:`lib_photoshoot.detection.embedded.seeds`). None: nothing is there.
2. *A first look*: each seed's cut-out is classified. Where none is at all like the product, SAM never runs.
3. *Outlines*: a seed prompts SAM, by the peak's point and, unless that outlines it whole, by its box.
4. *The score*: each mask's cut-out is classified alone; the best is the detection, and its score joins what the
   classifier and the small detector say of it (:mod:`lib_photoshoot.detection.embedded.joining`).
Further peaks outside the masks found so far are further instances of the product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier, square_cutout
from lib_photoshoot.detection.embedded.instances import Instances, hint_elsewhere
from lib_photoshoot.detection.embedded.joining import against_rivals, joined
from lib_photoshoot.detection.embedded.seeds import (
    Seed,
    at_peak,
    class_map,
    heat_of,
    of_boxes,
    other_at,
    peak_of,
    seen_at,
    surest,
)
from lib_photoshoot.detection.embedded.vocabulary import load_vocabulary
from lib_photoshoot.detection.small.protocol import SmallBox, SmallDetector
from lib_photoshoot.detection.small.tiles import with_tiles
from lib_photoshoot.detection.small.words import Labels, labels_for
from lib_photoshoot.detection.verification import MOST_INSTANCES, area, iou, overlap
from lib_photoshoot.masks.morphology import border_share, mask_box, remove_islands
from lib_photoshoot.products import Product
from lib_photoshoot.results import Box, Detection
from lib_photoshoot.segmentation.protocol import MaskCandidate
from lib_photoshoot.segmentation.working_copy import resized_mask, working_copy

if TYPE_CHECKING:
    from lib_photoshoot.detection.protocol import Given

PEAK = 0.05
"""Below this, averaged over 3 x 3 cells, hardly any product of the measured pictures was ever confirmed."""
WHOLE = 0.1
"""From this probability on, the picture as one thing is a seed whatever its cells show."""
SEEN = 0.2
"""Below this a small detector's box is no seed."""
FAINT = 0.1
"""From this on a small detector's box is a trace: what hardly shows in the whole picture is clear in a part of it."""
PROMISING = 0.06
"""Below this joined score of its first look, hardly any seed of the measured pictures came to the threshold."""
MOST_OF_IT = 0.4
"""What the picture shows as one thing says nothing about a place that is less of it."""
FURTHER_PEAK = 0.25
"""Further instances must stand out more than the first one: each costs a prompt."""
MOST_SEEDS = 16
"""So many seeds of a product get a first look."""
GROWN = 0.25
"""By this share of its sides a peak's box is grown for one more first look: cells are coarse."""
# A mask along more of the picture's border than this is the background around the product, not the product.
MOST_BORDER = 0.5
MOST_IN_VAIN = 2
NEARLY_BEST = 0.9
# A larger mask is believed where it keeps this share of the best one's evidence, alone; masks of far less likely boxes
# are not looked at.
EVIDENCE_KEPT = 0.8
CONTENDS = 0.3
SAME_BOX_IOU = 0.95
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
    return EmbeddedDetector(given.classifier, given.segmenter, given.small)


@dataclass(frozen=True, eq=False)
class Sought:
    """A product as this detector looks for it: its classes and labels."""

    name: str
    classes: list[int]
    rivals: list[int]
    labels: Labels
    enough: bool = False
    """Whether the small detector's word alone may do."""


@dataclass(frozen=True, eq=False)
class Searched:
    """A picture, uint8 RGB, with what was seen of it as a whole."""

    image: np.ndarray
    probabilities: np.ndarray
    """Of its cells, float32 (classes, rows, columns)."""
    whole: np.ndarray
    """Of the picture as one thing, float32 (classes,)."""
    boxes: Sequence[SmallBox]

    def share(self, box: Box) -> float:
        """Return how much of the picture a box is."""
        return min(1.0, area(box) / (self.image.shape[0] * self.image.shape[1]))


class EmbeddedDetector:
    """The detector of a bare machine; knows the products of its vocabulary only."""

    name = "embedded"
    default_threshold = 0.18

    def __init__(
        self, classifier: ImageNetClassifier, segmenter: PromptedSegmenter, small: SmallDetector | None = None
    ) -> None:
        self._classifier = classifier
        self._segmenter = segmenter
        self._small = small
        self._vocabulary = load_vocabulary(small.labels if small else ())

    def threshold_for(self, product: Product) -> float:
        """See :class:`~lib_photoshoot.detection.protocol.Detector`."""
        return self.default_threshold

    def detect(self, image: np.ndarray, products: Sequence[Product]) -> list[Detection]:
        """See :class:`~lib_photoshoot.detection.protocol.Detector`. Raises UnknownProductError."""
        self._vocabulary.check(products)
        # A dozen full-size masks of a 144-megapixel picture would take 4 GB, and show nothing that this does not.
        working = working_copy(image)
        scale_x, scale_y = image.shape[1] / working.shape[1], image.shape[0] / working.shape[0]
        height, width = working.shape[:2]
        whole = self._classifier.classify([square_cutout(working, (0.0, 0.0, float(width), float(height)), 0.0)])[0]
        sought = [self._sought(product) for product in products]
        boxes = self._boxes(working, sought)
        cells = class_map(self._classifier, working, [one.classes for one in sought])
        looked = Searched(working, cells, whole, boxes)
        return [
            replace(
                detection,
                box=scaled(detection.box, scale_x, scale_y),
                mask=None if detection.mask is None else resized_mask(detection.mask, image.shape),
            )
            for one in sought
            for detection in self._instances(looked, one)
        ]

    def _sought(self, product: Product) -> Sought:
        vocabulary = self._vocabulary
        labels = Labels(frozenset(), frozenset())
        if self._small:
            labels = labels_for(product.words, self._small.labels, vocabulary.key)
        classes = list(vocabulary.classes_for(product))
        rivals = list(vocabulary.rivals_for(product))
        return Sought(product.name, classes, rivals, labels, vocabulary.is_seen(product))

    def _boxes(self, image: np.ndarray, sought: Sequence[Sought]) -> Sequence[SmallBox]:
        """Return what the small detector sees, in the picture's tiles too where there is a trace of a product."""
        if self._small is None:
            return []
        boxes = self._small.boxes(image)
        labels = frozenset(label for one in sought for label in one.labels.all)
        if any(box.label in labels and box.score >= FAINT for box in boxes):
            return with_tiles(self._small, image, boxes)
        return boxes

    def _instances(self, looked: Searched, sought: Sought) -> list[Detection]:
        """Return the instances of a product, or the one candidate that came nearest."""
        heat = heat_of(looked.probabilities, sought.classes)
        peak = peak_of(heat)
        seeds = of_boxes(looked.boxes, sought.labels.all, SEEN)
        alone = against_rivals(looked.whole, sought.classes, sought.rivals)
        if heat[peak] >= PEAK or alone >= WHOLE:
            seeds.append(at_peak(heat, peak, looked.image.shape))
        if not seeds:
            return []
        looks = self._first_look(looked, sought, seeds[:MOST_SEEDS])
        first = list(looks)
        if seeds[-1].point is not None:
            # Of one thing that fills the picture the cells may show parts alone.
            first[-1:] = [max(first[-1], alone, PROMISING if heat[peak] >= SURE else 0.0)]
        order = [n for n in np.argsort(first)[::-1] if first[n] >= PROMISING]
        if not order:
            best = int(np.argmax(first))
            return [Detection(sought.name, seeds[best].box, first[best])]
        found = Instances(looked.image)
        further = []
        for n, seed, score in ((n, seeds[n], first[n]) for n in order):
            if found.holds(seed.box):
                continue
            if len(found.detections) < MOST_INSTANCES:
                detection, seen = self._outline(looked, found.view, sought, seed)
                if detection is not None and seed.heat >= SURE:
                    # What the cells are sure of is not lost by one cut-out more or less.
                    likely = score if looked.share(detection.box) >= MOST_OF_IT else looks[n]
                    detection = replace(detection, score=max(detection.score, (detection.score + likely) / 2))
                found.add(detection, seen)
            else:
                # What is too many is told by the verification.
                further.append(Detection(sought.name, seed.box, score))
        self._look_again(looked, sought, heat, found)
        return found.detections + further

    def _first_look(self, looked: Searched, sought: Sought, seeds: Sequence[Seed]) -> list[float]:
        """Return the joined score of each seed's box, before anything is outlined."""
        views, owners = [], []
        for number, seed in enumerate(seeds):
            margins = (0.08,) if seed.point is None else (0.08, GROWN)
            views += [square_cutout(looked.image, seed.box, margin) for margin in margins]
            owners += [number] * len(margins)
        told = self._classifier.classify(views) if sought.classes else np.zeros((len(views), 0), np.float32)
        shown = [against_rivals(p, sought.classes, sought.rivals) for p in told]
        best = [max(p for p, owner in zip(shown, owners, strict=True) if owner == n) for n in range(len(seeds))]
        return [self._joined(looked, sought, p, seed.box) for p, seed in zip(best, seeds, strict=True)]

    def _look_again(self, looked: Searched, sought: Sought, heat: np.ndarray, found: Instances) -> None:
        """Look for further instances at the peaks that remain without those already found.

        They must be recognised without them: the background around a car is no second car.
        """
        first = heat
        tried = np.zeros(heat.shape, bool)
        in_vain = 0
        while found.detections and len(found.detections) < MOST_INSTANCES and in_vain < MOST_IN_VAIN:
            if hint_elsewhere(first, found.seen) < FURTHER_HINT:
                return
            heat = heat_of(class_map(self._classifier, found.view, [sought.classes]), sought.classes)
            heat[tried] = 0
            peak = peak_of(heat)
            if heat[peak] < FURTHER_PEAK:
                return
            # Every turn has a new peak, whatever the masks.
            tried[max(0, peak[0] - 1) : peak[0] + 2, max(0, peak[1] - 1) : peak[1] + 2] = True
            seed = at_peak(heat, peak, looked.image.shape)
            in_vain += not found.add(*self._outline(looked, found.view, sought, seed))

    def _joined(self, looked: Searched, sought: Sought, shown: float, box: Box) -> float:
        """Return the score of a product of which the classifier is sure by ``shown`` in the place of ``box``."""
        seen = seen_at(looked.boxes, sought.labels.own, box) if sought.labels.own else None
        other = other_at(looked.boxes, sought.labels.all, box)
        return joined(shown, seen, looked.share(box), sought.enough, other, surest(looked.boxes))

    def _outline(
        self, looked: Searched, view: np.ndarray, sought: Sought, seed: Seed
    ) -> tuple[Detection | None, np.ndarray]:
        """Return the product at a seed, and the pixels that were seen to be it, bool."""
        image = looked.image
        kept: list[Outlined] = []
        outlined: list[Outlined] = []
        scores = np.zeros(0, np.float32)
        if seed.point is not None:
            outlined = _outlined(self._segmenter.candidates(image, [None], [seed.point])[0])
            kept = _distinct(_products_own(outlined))
            scores = self._scores(view, sought, kept)
        if not any(_is_whole(c, b, score, seed.box) for (c, b), score in zip(kept, scores, strict=True)):
            outlined += _outlined(self._segmenter.candidates(image, [seed.box], [None])[0])
            known = len(kept)  # earlier masks stay first, so only the new ones are classified
            kept = _distinct(_products_own(outlined) or outlined)
            scores = np.concatenate([scores, self._scores(view, sought, kept[known:])])
        if not kept:
            return None, np.zeros(image.shape[:2], bool)
        by_box = seed.point is None
        if by_box:
            # Of a thing too small for the classifier the detector knows better how far it goes.
            reach = np.array([iou(box, seed.box) for _, box in kept], np.float32)
            scores = reach if sought.enough else scores * reach
        # A dial is as much a watch as the watch: of the masks about equally likely, the largest is the whole product.
        best = max(np.flatnonzero(scores >= NEARLY_BEST * scores.max()), key=lambda i: kept[i][0].mask.sum())
        unsure = by_box and sought.enough
        chosen, outer = kept[best] if unsure else self._whole(view, sought, kept, scores, int(best))
        # Masks nearly as likely outline the same instance, a little more or less of it.
        seen = np.any([c.mask for (c, _), score in zip(kept, scores, strict=True) if score >= scores[best] / 2], axis=0)
        score = self._score(looked, view, sought, kept[best][1], seed)
        if chosen.quality < GOOD_MASK:
            return Detection(sought.name, outer, score), seen
        return Detection(sought.name, outer, score, chosen.mask, chosen.quality), seen

    def _score(self, looked: Searched, view: np.ndarray, sought: Sought, box: Box, seed: Seed) -> float:
        """Return how sure it is that the product is in ``box``, and in the seed's own where that was detected."""
        shown = against_rivals(self._classifier.consistent(view, box), sought.classes, sought.rivals)
        return self._joined(looked, sought, shown, box if seed.point is not None else seed.box)

    def _whole(
        self, view: np.ndarray, sought: Sought, kept: Sequence[Outlined], scores: np.ndarray, best: int
    ) -> Outlined:
        """Return the largest mask that, alone, still shows the product: a door looks like its car in its box only."""
        pixels = [np.count_nonzero(candidate.mask) for candidate, _ in kept]
        likely = [kept[i] for i in np.flatnonzero(scores >= CONTENDS * scores.max()) if pixels[i] >= pixels[best]]
        if len(likely) == 1:
            return likely[0]
        masks = [candidate.mask for candidate, _ in likely]
        evidence = np.array(self._classifier.evidence(view, masks, sought.classes, sought.rivals))
        enough = np.flatnonzero(evidence >= EVIDENCE_KEPT * evidence.max())
        return likely[max(enough, key=lambda i: np.count_nonzero(likely[i][0].mask))]

    def _scores(self, view: np.ndarray, sought: Sought, outlined: Sequence[Outlined]) -> np.ndarray:
        """Return how much each cut-out shows the product."""
        if not outlined:
            return np.zeros(0, np.float32)
        told = self._classifier.classify([square_cutout(view, box) for _, box in outlined])
        return np.array([against_rivals(one, sought.classes, sought.rivals) for one in told], np.float32)


def _outlined(candidates: Sequence[MaskCandidate]) -> list[Outlined]:
    """Return the masks that are not empty, without specks: one in a corner would stretch the box over the picture."""
    cleaned = [MaskCandidate(remove_islands(candidate.mask), candidate.quality) for candidate in candidates]
    return [(candidate, box) for candidate in cleaned if (box := mask_box(candidate.mask)) is not None]


def _products_own(outlined: Sequence[Outlined]) -> list[Outlined]:
    """Leave out masks that outline the background around the product."""
    return [(candidate, box) for candidate, box in outlined if border_share(candidate.mask) <= MOST_BORDER]


def _is_whole(candidate: MaskCandidate, box: Box, score: float, cells: Box) -> bool:
    """Whether a mask of the point prompt is clean, surely the product, and spans all cells that show it."""
    spans = overlap(box, cells) >= WHOLE_SHARE * area(cells)
    return spans and score >= SURE and candidate.quality >= GOOD_MASK


def scaled(box: Box, scale_x: float, scale_y: float) -> Box:
    """Return a box in the pixels of a picture of another size."""
    return box[0] * scale_x, box[1] * scale_y, box[2] * scale_x, box[3] * scale_y


def _distinct(outlined: Sequence[Outlined]) -> list[Outlined]:
    """Drop masks whose box is that of an earlier one: their cut-outs would be the same."""
    kept: list[Outlined] = []
    for candidate, box in outlined:
        if all(iou(box, other) < SAME_BOX_IOU for _, other in kept):
            kept.append((candidate, box))
    return kept
