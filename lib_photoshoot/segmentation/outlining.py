"""From a detected product to its whole outline: which object it is, how far it goes, and how sure that is.

1. *Which object.* The detector may have recognised a part (a bottle by its label, a car by its door). What stands out
   in the picture around it is another candidate; the class evidence decides between the two.
2. *How far it goes.* SAM and the salience networks vote (:mod:`lib_photoshoot.segmentation.views`). The dear views, a
   crop encoded anew and IS-Net, are asked only where the cheap ones disagree or the product is small.
3. *How sure.* :mod:`lib_photoshoot.segmentation.doubts` says what speaks against the outline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from lib_photoshoot.masks.comparison import mask_iou
from lib_photoshoot.masks.matting import edge_alpha
from lib_photoshoot.masks.morphology import Rect, border_share, clean, fill_holes, mask_box, remove_islands
from lib_photoshoot.products import Product
from lib_photoshoot.results import Box, Detection, ProductRegion, Reason, Rejection
from lib_photoshoot.segmentation.doubts import Likeness, judge, measure
from lib_photoshoot.segmentation.openings import OPENING_SHARE, find_openings
from lib_photoshoot.segmentation.protocol import MaskCandidate, OutliningSegmenter
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
EXTENDS = 1.05
"""What stands out is another thing than what was detected if it is this much larger, or smaller."""
HELD = 0.7
"""A part lies inside a whole with at least this share of its pixels."""
LARGEST = 6.0
"""A product is hardly ever recognised by less than a sixth of it; what is larger is its surroundings."""
OBJECT_IOU = 0.9
"""What stands out is one object where SAM draws the same outline."""
OBJECTS_EVIDENCE, EVIDENCE_KEPT = 0.55, 0.8
"""Shares of the best class evidence that one object, and anything else, has to keep to be the product."""
GROW = (0.25, 0.5)
"""How far around a part the rest of its product is looked for, as shares of the part's longer side."""
SURE_OBJECT = 0.95
"""Predicted IoU from which SAM is sure of an object."""
LARGER = 1.15
"""What stands out this much larger than the outline is worth a doubt, if it looks like the product."""
MOST_BORDER = 0.5
SAME = 0.6
"""An outline so much inside another one of the same picture is no further product."""


class Evidence(Protocol):
    """How much a cut-out, alone, looks like its product."""

    def evidence(self, image: np.ndarray, masks: Sequence[np.ndarray], product: Product) -> list[float] | None:
        """Return one score in [0, 1] for each mask (bool, the picture's size); None where the word is unknown."""
        ...


@dataclass(frozen=True, eq=False)
class Seen:
    """One product as the views saw it, in the vote's copy of the picture.

    ``soft`` is the vote, float32 in [0, 1]; ``mask`` what is more likely product than not, with its holes, bool.
    ``stands_out`` is what the quick network saw in the whole picture, float32; None without one.
    """

    soft: np.ndarray
    mask: np.ndarray
    box: Box
    views: Views
    stands_out: np.ndarray | None
    looked_closer: bool
    asked_fine: bool


class Outliner:
    """Outlines detected products by a vote of several views."""

    def __init__(
        self,
        segmenter: OutliningSegmenter,
        quick: Salience | None = None,
        fine: Salience | None = None,
        evidence: Evidence | None = None,
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
        """Outline each detection in ``image``, uint8 RGB (height, width, 3); see ``outline`` for what is left out."""
        by_name = {product.name: product for product in products}
        regions, rejected = [], []
        for detection, seen in zip(detections, self.outline(image, detections, products), strict=True):
            if isinstance(seen, Reason):
                rejected.append(Rejection(detection.product, detection.box, detection.score, seen))
            else:
                regions.append(self._region(image, detection, seen, by_name[detection.product]))
        return regions, rejected

    def _region(self, image: np.ndarray, detection: Detection, seen: Seen, product: Product) -> ProductRegion:
        """Bring an outline to the picture's own size, with the openings and the alpha of its edge."""
        to_picture = image.shape[1] / seen.mask.shape[1]
        full = resized_mask(seen.mask, image.shape)
        openings = find_openings(image, _scaled(seen.box, to_picture), full, self._segmenter)
        solid = clean(seen.mask, ISLAND)
        if openings is not None:
            solid &= ~resized_mask(openings, solid.shape)
        alpha = edge_alpha(image, solid, seen.soft)
        outlined = remove_islands(alpha > 127, ISLAND)
        mask = fill_holes(outlined)
        openings = mask & ~fill_holes(outlined, OPENING_SHARE)
        box = mask_box(mask) or detection.box
        quality = max(c.quality for c in seen.views.told[-1])
        outline = judge(
            measure(seen.views, seen.soft, solid, seen.stands_out, self._looks_like(image, seen, solid, product))
        )
        return ProductRegion(
            detection.product, box, detection.score, mask, quality, openings if openings.any() else None, alpha, outline
        )

    def outline(
        self, image: np.ndarray, detections: Sequence[Detection], products: Sequence[Product]
    ) -> list[Seen | Reason]:
        """Return how each detection in ``image``, uint8 RGB (height, width, 3), was seen.

        EMPTY_MASK where there is no object, and DUPLICATE where a better detection has outlined it.
        """
        small = vote_copy(image)
        scale = small.shape[1] / image.shape[1]
        by_name = {product.name: product for product in products}
        quick = self._quick.map(small) if self._quick and detections else None
        seeds = [self._seed(image, small, scale, detection) for detection in detections]
        hints = self._hints(image, small, seeds, quick, [by_name[detection.product] for detection in detections])
        found: list[Seen | Reason] = []
        for hint in hints:
            seen = Reason.EMPTY_MASK if hint is None else self._look(image, small, hint, quick, found)
            found.append(seen)
        return found

    def _looks_like(self, image: np.ndarray, seen: Seen, solid: np.ndarray, product: Product) -> Likeness:
        """Return how much the outline, and what stands out around it, look like the product."""
        around = None if seen.stands_out is None else standing_out(seen.stands_out, solid)
        larger = around is not None and np.count_nonzero(around) > LARGER * np.count_nonzero(solid)
        masks = [solid, around] if around is not None and larger else [solid]
        scores = self._evidence.evidence(vote_copy(image), masks, product) if self._evidence else None
        if scores is None:
            return Likeness(None, None)
        return Likeness(scores[0], scores[1] if len(scores) > 1 else None)

    def _seed(self, image: np.ndarray, small: np.ndarray, scale: float, detection: Detection) -> np.ndarray | None:
        """Return what the detector saw, bool, in the vote's copy; None for nothing."""
        if detection.mask is not None:
            mask = cv2.resize(detection.mask.view(np.uint8) * np.uint8(255), small.shape[1::-1]) > 127
        else:
            answers = self._segmenter.soft(image, detection.box, small.shape[:2])
            mask = max(answers, key=lambda answer: answer.quality).probability > 0.5
        mask = remove_islands(mask)
        return mask if mask.any() else None

    def _told(self, image: np.ndarray, small: np.ndarray, around: np.ndarray) -> list[MaskCandidate]:
        """Return what SAM, given the box of what stands out, takes for the object, but for the background."""
        box = mask_box(around)
        if box is None:
            return []
        answers = self._segmenter.soft(image, _scaled(box, image.shape[1] / small.shape[1]), around.shape)
        masks = [MaskCandidate(remove_islands(answer.probability > 0.5), answer.quality) for answer in answers[:3]]
        return [answer for answer in masks if answer.mask.any() and border_share(answer.mask) <= MOST_BORDER]

    def _grown(
        self,
        image: np.ndarray,
        small: np.ndarray,
        seed: np.ndarray,
        around: np.ndarray,
        product: Product,
        seeds_evidence: float,
    ) -> np.ndarray:
        """Return the largest object around a part that SAM is sure of and that still looks like the product.

        What stands out holds more than the product here (the hands that hold it), but some of it may be missing.
        """
        box = mask_box(seed)
        if box is None or self._evidence is None:
            return seed
        answers: list[np.ndarray] = []
        for share in GROW:
            reach = max(1, round(share * max(box[2] - box[0], box[3] - box[1])))
            kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
            wider = mask_box(seed | (around & (cv2.dilate(seed.view(np.uint8), kernel) > 0)))
            if wider is None:
                continue
            to_picture = image.shape[1] / small.shape[1]
            soft = self._segmenter.soft(image, _scaled(wider, to_picture), seed.shape)
            answers += [c.probability > 0.5 for c in soft if c.quality >= SURE_OBJECT]
        wholes = [mask for mask in answers if _holds(mask, seed) and border_share(mask) <= MOST_BORDER]
        scores = self._evidence.evidence(small, wholes, product) if wholes else None
        likely = [m for m, s in zip(wholes, scores or [], strict=False) if s >= EVIDENCE_KEPT * seeds_evidence]
        return max(likely, key=np.count_nonzero) if likely else seed

    def _hints(
        self,
        image: np.ndarray,
        small: np.ndarray,
        seeds: Sequence[np.ndarray | None],
        quick: np.ndarray | None,
        products: Sequence[Product],
    ) -> list[np.ndarray | None]:
        """Decide for each seed whether the product is what was detected, or the larger thing that stands out around."""
        hints: list[np.ndarray | None] = list(seeds)
        if quick is None or self._evidence is None:
            return hints
        for index, seed in enumerate(seeds):
            around = None if seed is None else standing_out(quick, seed)
            if seed is None or around is None or border_share(around) > MOST_BORDER:
                continue
            others = [o for n, o in enumerate(seeds) if n != index and o is not None and _is_beside(o, seed, around)]
            told = self._told(image, small, around)
            masks = [seed, around, *(answer.mask for answer in told), *others]
            scores = self._evidence.evidence(small, masks, products[index])
            if scores is not None:
                chosen = _chosen(seed, around, told, scores[: 2 + len(told)], scores[2 + len(told) :])
                hints[index] = (
                    self._grown(image, small, seed, around, products[index], scores[0]) if chosen is None else chosen
                )
        return hints

    def _look(
        self,
        image: np.ndarray,
        small: np.ndarray,
        hint: np.ndarray,
        quick: np.ndarray | None,
        found: Sequence[Seen | Reason],
    ) -> Seen | Reason:
        shape = (small.shape[0], small.shape[1])
        box = mask_box(hint)
        if box is None:
            return Reason.EMPTY_MASK
        if _covered(hint, found):
            return Reason.DUPLICATE
        to_picture = image.shape[1] / small.shape[1]
        views = Views(hint)
        area = near(hint, box)
        views.told.append(self._segmenter.soft(image, _scaled(box, to_picture), shape))
        if quick is not None:
            views.quick = quick * area
        rect = view_rect(box, shape)
        shows_more = (rect.x1 - rect.x0) * (rect.y1 - rect.y0) < FILLS_VIEW * shape[0] * shape[1]
        is_small = max(box[2] - box[0], box[3] - box[1]) < SMALL_SIDE * max(shape)
        agreement = views.agreement()
        closer = shows_more and (is_small or agreement < AGREED or self._thorough)
        part = _part(image, rect, to_picture) if closer else image
        if closer:
            part_shape = (rect.y1 - rect.y0, rect.x1 - rect.x0)
            x0, y0, x1, y1 = box
            inner = (x0 - rect.x0, y0 - rect.y0, x1 - rect.x0, y1 - rect.y0)
            answers = self._segmenter.soft(part, _scaled(inner, part.shape[1] / part_shape[1]), part_shape)
            views.told.append([type(a)(placed(a.probability, rect, shape), a.quality) for a in answers])
            if self._quick is not None:
                views.quick = placed(_resized(self._quick.map(vote_copy(part)), part_shape), rect, shape) * area
            agreement = views.agreement()
        asked = self._fine is not None and (agreement < AGREED or self._thorough)
        if asked and self._fine is not None:
            fine = self._fine.map(vote_copy(part))
            views.fine = (placed(_resized(fine, part_shape), rect, shape) if closer else _resized(fine, shape)) * area
        soft = views.vote()
        mask = remove_islands(soft > 0.5, ISLAND)
        final = mask_box(mask)
        if final is None:
            return Reason.EMPTY_MASK
        if _covered(mask, found):
            return Reason.DUPLICATE
        return Seen(soft, mask, final, views, quick, closer, asked)


ISLAND = 0.02
"""Least share of the largest piece that a further piece of a product has."""


def vote_copy(image: np.ndarray) -> np.ndarray:
    """Return the picture itself, or scaled down so that its longest side is :data:`VOTE_SIDE` pixels."""
    scale = VOTE_SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _chosen(
    seed: np.ndarray,
    around: np.ndarray,
    told: Sequence[MaskCandidate],
    scores: Sequence[float],
    beside: Sequence[float],
) -> np.ndarray | None:
    """Choose the product among what was detected (``seed``), what stands out around it, and what SAM makes of that.

    ``scores`` is the class evidence of these, in that order, ``beside`` that of other detections inside of what stands
    out. None where the seed stays, and something larger stands out that does not look like the product.
    """
    pixels, standing = np.count_nonzero(seed), np.count_nonzero(around)
    if standing < pixels / EXTENDS:
        # The seed holds more than the one thing in it that stands out: the pedestal below a vase.
        return around if scores[1] >= scores[0] and _inside(around, seed) else seed
    best = max(scores[0], *scores[2:], 0)
    # Two shoes stand out as one: each is as much a shoe as both. The parts of one shoe are not.
    several = any(score >= OBJECTS_EVIDENCE * max(best, scores[1]) for score in beside)
    is_object = any(mask_iou(answer.mask, around) >= OBJECT_IOU for answer in told)
    whole = _inside(seed, around) and standing <= LARGEST * pixels and not several
    candidates = [seed] if scores[0] >= EVIDENCE_KEPT * best else []
    for answer, score in zip(told, scores[2:], strict=True):
        is_sure = answer.quality >= SURE_OBJECT and _inside(seed, answer.mask)
        if whole and score >= (OBJECTS_EVIDENCE if is_sure else EVIDENCE_KEPT) * best:
            candidates.append(answer.mask)
    if whole and scores[1] >= (OBJECTS_EVIDENCE if is_object else EVIDENCE_KEPT) * best:
        candidates.append(around)
    chosen = max(candidates, key=np.count_nonzero, default=seed)
    return None if chosen is seed and standing > EXTENDS * pixels else chosen


def _inside(part: np.ndarray, whole: np.ndarray) -> bool:
    return np.count_nonzero(part & whole) >= HELD * np.count_nonzero(part)


def _holds(mask: np.ndarray, seed: np.ndarray) -> bool:
    pixels = np.count_nonzero(seed)
    return np.count_nonzero(mask & seed) >= 0.9 * pixels and np.count_nonzero(mask) > EXTENDS * pixels


def _is_beside(other: np.ndarray, seed: np.ndarray, around: np.ndarray) -> bool:
    """Whether another detection lies inside what stands out, and outside the seed."""
    pixels = np.count_nonzero(other)
    inside, shared = np.count_nonzero(other & around), np.count_nonzero(other & seed)
    return inside >= HELD * pixels and shared < 0.2 * min(pixels, np.count_nonzero(seed))


def _covered(mask: np.ndarray, found: Sequence[Seen | Reason]) -> bool:
    pixels = np.count_nonzero(mask)
    return any(np.count_nonzero(mask & seen.mask) > SAME * pixels for seen in found if isinstance(seen, Seen))


def _part(image: np.ndarray, rect: Rect, to_picture: float) -> np.ndarray:
    x0, y0, x1, y1 = (round(side * to_picture) for side in rect)
    return np.ascontiguousarray(image[y0:y1, x0:x1])


def _resized(soft: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return soft if soft.shape == shape else cv2.resize(soft, shape[::-1], interpolation=cv2.INTER_LINEAR)


def _scaled(box: Box, factor: float) -> Box:
    return box[0] * factor, box[1] * factor, box[2] * factor, box[3] * factor
