"""From a detected product to its whole outline: which object it is, how far it goes, and how sure that is.

1. *Which object*: :mod:`lib_photoshoot.segmentation.choosing`.
2. *How far it goes.* SAM and the salience networks vote (:mod:`lib_photoshoot.segmentation.views`). The dear views, a
   crop encoded anew and IS-Net, are asked only where the cheap ones disagree or the product is small.
3. *How sure.* :mod:`lib_photoshoot.segmentation.doubts` says what speaks against the outline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from lib_photoshoot.masks.comparison import SAME_PLACE_IOU, mask_iou
from lib_photoshoot.masks.edges import edge_alpha
from lib_photoshoot.masks.morphology import Rect, clean, fill_holes, mask_box, merge, remove_islands
from lib_photoshoot.products import Product
from lib_photoshoot.results import Box, Detection, ProductRegion, Reason, Rejection
from lib_photoshoot.segmentation.choosing import ClassEvidence, choose_objects
from lib_photoshoot.segmentation.doubts import Likeness, judge, measure
from lib_photoshoot.segmentation.faintness import faint_share
from lib_photoshoot.segmentation.openings import OPENING_SHARE, find_openings
from lib_photoshoot.segmentation.protocol import OutliningSegmenter, SoftCandidate
from lib_photoshoot.segmentation.salience import Salience
from lib_photoshoot.segmentation.views import Views, near, placed, standing_out, view_rect
from lib_photoshoot.segmentation.working_copy import resized_mask

VOTE_SIDE = 1024
"""Longest side, in pixels, of the copy in which the views are compared: SAM's own input."""
AGREED = 0.93
"""Overlap of SAM and the quick network from which no dearer view is asked."""
SMALL_SIDE = 0.4
"""A product shorter than this share of the picture is always looked at more closely."""
FILLS_VIEW = 0.6
"""A crop of more than this share of the picture would show nothing new."""
LARGER = 1.15
"""What stands out this much larger than the outline is worth a doubt, if it looks like the product."""
EXTENDED = 1.25
"""An outline this much larger than what was detected holds things that nobody recognised."""
COVERED = 0.6
"""An outline so much inside another one of the same product is no further instance of it."""
ISLAND = 0.02
"""Least share of the largest piece that a further piece of a product has."""


@dataclass(eq=False)
class Subject:
    """A picture, uint8 RGB (height, width, 3), with its copy for the vote and what SAM has said of the whole of it.

    ``stands_out`` is what the quick network sees in the copy, float32 in [0, 1]; None without one.
    """

    image: np.ndarray
    small: np.ndarray
    segmenter: OutliningSegmenter
    stands_out: np.ndarray | None
    _answers: dict[Box, list[SoftCandidate]] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        return self.small.shape[0], self.small.shape[1]

    @property
    def to_picture(self) -> float:
        """Pixels of the picture to one of the copy."""
        return self.image.shape[1] / self.small.shape[1]

    def told(self, box: Box) -> list[SoftCandidate]:
        """See :class:`lib_photoshoot.segmentation.choosing.Looker`; nothing is asked twice."""
        if box not in self._answers:
            self._answers[box] = self.segmenter.soft(self.image, _scaled(box, self.to_picture), self.shape)
        return self._answers[box]

    def crop(self, rect: Rect) -> np.ndarray:
        """Return a part of the picture, of ``rect`` in the copy's pixels."""
        x0, y0, x1, y1 = (round(side * self.to_picture) for side in rect)
        return np.ascontiguousarray(self.image[y0:y1, x0:x1])


@dataclass(frozen=True, eq=False)
class Seen:
    """One product as the views saw it, in the vote's copy of the picture.

    ``soft`` is the vote, float32 in [0, 1]; ``mask`` what is more likely product than not, with its holes, bool;
    ``extended`` says that this is a good deal more than what was detected.
    """

    soft: np.ndarray
    mask: np.ndarray
    box: Box
    views: Views
    extended: bool


class Outliner:
    """Outlines detected products by a vote of several views."""

    def __init__(
        self,
        segmenter: OutliningSegmenter,
        quick: Salience | None = None,
        fine: Salience | None = None,
        evidence: ClassEvidence | None = None,
        thorough: bool = False,
    ) -> None:
        """``quick`` looks at every product, ``fine`` only where the others disagree, or always if ``thorough``."""
        self._segmenter = segmenter
        self._quick = quick
        self._fine = fine
        self._evidence = evidence
        self._thorough = thorough

    def regions(
        self, image: np.ndarray, detections: Sequence[Detection], products: Sequence[Product]
    ) -> tuple[list[ProductRegion], list[Rejection]]:
        """Outline each detection in ``image``, uint8 RGB (height, width, 3).

        EMPTY_MASK is rejected where there is no object, DUPLICATE where a better detection has outlined it.
        """
        by_name = {product.name: product for product in products}
        regions: list[ProductRegion] = []
        rejected: list[Rejection] = []
        subject = self._subject(image)
        looks = self.look(subject, detections, products)
        for index, (detection, seen) in enumerate(zip(detections, looks, strict=True)):
            if isinstance(seen, Reason):
                rejected.append(Rejection(detection.product, detection.box, detection.score, seen))
                continue
            others = [other.mask for n, other in enumerate(looks) if n != index and isinstance(other, Seen)]
            regions.append(self._region(subject, detection, seen, others, by_name[detection.product]))
        return regions, rejected

    def look(
        self, subject: Subject, detections: Sequence[Detection], products: Sequence[Product]
    ) -> list[Seen | Reason]:
        """Return how each detection was seen, or why it is no product of its own."""
        by_name = {product.name: product for product in products}
        seeds = [_seed(subject, detection) for detection in detections]
        hints = seeds
        if subject.stands_out is not None and self._evidence is not None:
            wanted = [by_name[detection.product] for detection in detections]
            hints = choose_objects(subject, seeds, subject.stands_out, self._evidence, wanted)
        found: list[Seen | Reason] = []
        for detection, seed, hint in zip(detections, seeds, hints, strict=True):
            if seed is None or hint is None:
                found.append(Reason.EMPTY_MASK)
                continue
            before = [
                (earlier.product == detection.product, seen.mask)
                for earlier, seen in zip(detections, found, strict=False)
                if isinstance(seen, Seen)
            ]
            found.append(self._look(subject, seed, hint, before))
        return found

    def _subject(self, image: np.ndarray) -> Subject:
        small = vote_copy(image)
        return Subject(image, small, self._segmenter, self._quick.map(small) if self._quick else None)

    def _look(
        self, subject: Subject, seed: np.ndarray, hint: np.ndarray, before: Sequence[tuple[bool, np.ndarray]]
    ) -> Seen | Reason:
        """Look at one object; ``before`` holds the outlines so far, and whether each is of the same product."""
        box = mask_box(hint)
        if box is None:
            return Reason.EMPTY_MASK
        if _is_known(hint, before):
            return Reason.DUPLICATE
        views = self._views(subject, hint, box)
        soft = views.vote()
        mask = remove_islands(soft > 0.5, ISLAND)
        outer = mask_box(mask)
        if outer is None:
            return Reason.EMPTY_MASK
        if _is_known(mask, before):
            return Reason.DUPLICATE
        extended = np.count_nonzero(mask) > EXTENDED * np.count_nonzero(seed)
        return Seen(soft, mask, outer, views, extended)

    def _views(self, subject: Subject, hint: np.ndarray, box: Box) -> Views:
        """Look at the object ``hint`` in ``box``, first at little cost, and again where that was not enough."""
        views = Views(hint, [subject.told(box)])
        area = near(hint, box)
        if subject.stands_out is not None:
            views.quick = subject.stands_out * area
        agreement = views.agreement()
        whole = Rect(0, 0, subject.shape[1], subject.shape[0])
        rect = view_rect(box, subject.shape)
        shows_more = _area(rect) < FILLS_VIEW * _area(whole)
        is_small = max(box[2] - box[0], box[3] - box[1]) < SMALL_SIDE * max(subject.shape)
        part = subject.image
        if shows_more and (is_small or agreement < AGREED or self._thorough):
            part = subject.crop(rect)
            views.told.append(self._told_of(part, box, rect, subject.shape))
            if self._quick is not None:
                views.quick = _shown(self._quick, part, rect, subject.shape) * area
            agreement = views.agreement()
        else:
            rect = whole
        if self._fine is not None and (agreement < AGREED or self._thorough):
            views.fine = _shown(self._fine, part, rect, subject.shape) * area
        return views

    def _told_of(self, part: np.ndarray, box: Box, rect: Rect, shape: tuple[int, int]) -> list[SoftCandidate]:
        """Return what SAM sees in a part of the picture, encoded anew."""
        size = (rect.y1 - rect.y0, rect.x1 - rect.x0)
        x0, y0, x1, y1 = box
        inner = (x0 - rect.x0, y0 - rect.y0, x1 - rect.x0, y1 - rect.y0)
        answers = self._segmenter.soft(part, _scaled(inner, part.shape[1] / size[1]), size, refine=True)
        return [SoftCandidate(placed(answer.probability, rect, shape), answer.quality) for answer in answers]

    def _region(
        self, subject: Subject, detection: Detection, seen: Seen, others: Sequence[np.ndarray], product: Product
    ) -> ProductRegion:
        """Bring an outline to the picture's own size, with the openings and the alpha of its edge."""
        image = subject.image
        full = resized_mask(seen.mask, image.shape)
        openings = find_openings(image, _scaled(seen.box, subject.to_picture), full, self._segmenter)
        solid = clean(seen.mask, ISLAND)
        if openings is not None:
            solid &= ~resized_mask(openings, solid.shape)
        alpha = edge_alpha(image, solid, seen.soft)
        outlined = remove_islands(alpha > 127, ISLAND)
        mask = fill_holes(outlined)
        opened = mask & ~fill_holes(outlined, OPENING_SHARE)
        # What another outline holds is not missing in this one.
        elsewhere = None if subject.stands_out is None else subject.stands_out * ~merge(others, solid.shape)
        likeness = self._likeness(subject, solid, elsewhere, product)
        edge = cv2.resize(alpha, subject.shape[::-1], interpolation=cv2.INTER_LINEAR) > 127
        faint = faint_share(subject.small, clean(edge, ISLAND, OPENING_SHARE))
        measured = measure(seen.views, seen.soft, solid, elsewhere, likeness, seen.extended, faint)
        return ProductRegion(
            detection.product,
            mask_box(mask) or detection.box,
            detection.score,
            mask,
            max(candidate.quality for candidate in seen.views.told[-1]),
            opened if opened.any() else None,
            alpha,
            judge(measured).with_doubt(detection.doubt),
            also=detection.also,
        )

    def _likeness(
        self, subject: Subject, solid: np.ndarray, stands_out: np.ndarray | None, product: Product
    ) -> Likeness:
        """Return how much the outline, and something larger that stands out around it, look like the product."""
        around = None if stands_out is None else standing_out(stands_out, solid)
        if around is None or np.count_nonzero(around) <= LARGER * np.count_nonzero(solid) or self._evidence is None:
            return Likeness(None, None)
        scores = self._evidence.evidence(subject.small, [solid, around], product)
        return Likeness(None, None) if scores is None else Likeness(scores[0], scores[1])


def vote_copy(image: np.ndarray) -> np.ndarray:
    """Return the picture itself, or scaled down so that its longest side is :data:`VOTE_SIDE` pixels."""
    scale = VOTE_SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _seed(subject: Subject, detection: Detection) -> np.ndarray | None:
    """Return what the detector saw, bool, in the vote's copy; None for nothing."""
    if detection.mask is not None:
        mask = resized_mask(detection.mask, subject.shape)
    else:
        answers = subject.told(_scaled(detection.box, 1 / subject.to_picture))
        mask = max(answers, key=lambda answer: answer.quality).probability > 0.5
    mask = remove_islands(mask)
    return mask if mask.any() else None


def _is_known(mask: np.ndarray, before: Sequence[tuple[bool, np.ndarray]]) -> bool:
    """Whether an outline is a part of one of the same product, or the very one of another: a cup may hold a spoon."""
    pixels = np.count_nonzero(mask)
    return any(
        np.count_nonzero(mask & other) > COVERED * pixels if same else mask_iou(mask, other) > SAME_PLACE_IOU
        for same, other in before
    )


def _shown(network: Salience, part: np.ndarray, rect: Rect, shape: tuple[int, int]) -> np.ndarray:
    """Return a network's map of a part of the picture, in its place."""
    size = (rect.x1 - rect.x0, rect.y1 - rect.y0)
    return placed(cv2.resize(network.map(vote_copy(part)), size, interpolation=cv2.INTER_LINEAR), rect, shape)


def _area(rect: Rect) -> int:
    return (rect.x1 - rect.x0) * (rect.y1 - rect.y0)


def _scaled(box: Box, factor: float) -> Box:
    return box[0] * factor, box[1] * factor, box[2] * factor, box[3] * factor
