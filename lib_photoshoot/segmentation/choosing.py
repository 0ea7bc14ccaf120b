"""Which object a detection is of: what was detected, the larger or smaller thing that stands out there, or between.

A detector recognises a product by any part of it (a bottle by its label, a car by its door), or with something else
beside it (a vase on its pedestal). A network that knows no word shows what stands out there, SAM what may be one
object, and the class evidence of each alone decides. The limits were chosen on ECSSD's odd pictures, COCO's train2017
sample and the shared product photos, where whole ranges of them do alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np

from lib_photoshoot.masks.comparison import mask_iou
from lib_photoshoot.masks.morphology import border_share, mask_box, remove_islands
from lib_photoshoot.products import Product
from lib_photoshoot.results import Box
from lib_photoshoot.segmentation.protocol import MaskCandidate, SoftCandidate
from lib_photoshoot.segmentation.views import standing_out

SAME_OUTLINE = 0.93
"""What stands out and was detected with so much in common is one thing: there is nothing to choose."""
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
MOST_BORDER = 0.5


class ClassEvidence(Protocol):
    """How much a cut-out, alone, looks like its product."""

    def evidence(self, image: np.ndarray, masks: Sequence[np.ndarray], product: Product) -> list[float] | None:
        """Return one score in [0, 1] for each mask (bool, the picture's size); None where the word is unknown."""
        ...


class Looker(Protocol):
    """The picture at hand."""

    small: np.ndarray
    """The copy in which masks are compared, uint8 RGB (height, width, 3)."""

    def told(self, box: Box) -> list[SoftCandidate]:
        """Return what SAM takes for the object in ``box``, in pixels of the copy."""
        ...


def choose_objects(
    subject: Looker,
    seeds: Sequence[np.ndarray | None],
    stands_out: np.ndarray,
    evidence: ClassEvidence,
    products: Sequence[Product],
) -> list[np.ndarray | None]:
    """Return for each seed, the mask (bool) of a detection of the product beside it, the mask of the whole product.

    ``stands_out`` is float32 (height, width) in [0, 1].
    """
    chosen: list[np.ndarray | None] = []
    for index, seed in enumerate(seeds):
        around = None if seed is None else standing_out(stands_out, seed)
        if seed is None or around is None or _is_settled(seed, around):
            chosen.append(seed)
            continue
        others = [o for n, o in enumerate(seeds) if n != index and o is not None and _is_beside(o, seed, around)]
        chosen.append(_choose(subject, seed, around, others, evidence, products[index]))
    return chosen


def _is_settled(seed: np.ndarray, around: np.ndarray) -> bool:
    """Whether both are one thing, or what stands out is the background."""
    return mask_iou(seed, around) >= SAME_OUTLINE or border_share(around) > MOST_BORDER


def _choose(
    subject: Looker,
    seed: np.ndarray,
    around: np.ndarray,
    others: Sequence[np.ndarray],
    evidence: ClassEvidence,
    product: Product,
) -> np.ndarray:
    scores = evidence.evidence(subject.small, [seed, around, *others], product)
    if scores is None:
        return seed
    seeds, arounds, *beside = scores
    pixels, standing = np.count_nonzero(seed), np.count_nonzero(around)
    if standing < pixels / EXTENDS:
        # The seed holds more than the one thing in it that stands out: the pedestal below a vase.
        return around if arounds >= seeds and _inside(around, seed) else seed
    # Two shoes stand out as one: each is as much a shoe as both. The parts of one shoe are not.
    several = any(score >= OBJECTS_EVIDENCE * max(seeds, arounds) for score in beside)
    if several or not _inside(seed, around) or standing > LARGEST * pixels:
        return seed if standing <= EXTENDS * pixels else _grown(subject, seed, around, seeds, evidence, product)
    if arounds >= EVIDENCE_KEPT * seeds:
        return around
    return _among(subject, seed, around, (seeds, arounds), evidence, product)


def _among(
    subject: Looker,
    seed: np.ndarray,
    around: np.ndarray,
    scores: tuple[float, float],
    evidence: ClassEvidence,
    product: Product,
) -> np.ndarray:
    """Choose where what stands out looks less like the product than the part: SAM tells what may be one object."""
    seeds, arounds = scores
    answers = [answer for answer in _objects(subject, around) if _inside(seed, answer.mask)]
    told = evidence.evidence(subject.small, [answer.mask for answer in answers], product) or []
    best = max([seeds, *told])
    candidates = [
        answer.mask
        for answer, score in zip(answers, told, strict=True)
        if score >= best * (OBJECTS_EVIDENCE if answer.quality >= SURE_OBJECT else EVIDENCE_KEPT)
    ]
    is_object = any(mask_iou(answer.mask, around) >= OBJECT_IOU for answer in answers)
    if is_object and arounds >= OBJECTS_EVIDENCE * best:
        candidates.append(around)
    larger = [mask for mask in candidates if np.count_nonzero(mask) > np.count_nonzero(seed)]
    if larger:
        return max(larger, key=np.count_nonzero)
    return _grown(subject, seed, around, seeds, evidence, product)


def _objects(subject: Looker, around: np.ndarray) -> list[MaskCandidate]:
    """Return what SAM, given the box of what stands out, takes for the object, but for the background."""
    box = mask_box(around)
    answers = subject.told(box) if box is not None else []
    masks = [MaskCandidate(remove_islands(answer.probability > 0.5), answer.quality) for answer in answers]
    return [answer for answer in masks if answer.mask.any() and border_share(answer.mask) <= MOST_BORDER]


def _grown(
    subject: Looker, seed: np.ndarray, around: np.ndarray, seeds: float, evidence: ClassEvidence, product: Product
) -> np.ndarray:
    """Return the largest object around a part that SAM is sure of and that still looks like the product.

    What stands out holds more than the product here (the hands that hold it), but some of it may be missing.
    """
    box = mask_box(seed)
    if box is None:
        return seed
    wholes: list[np.ndarray] = []
    for share in GROW:
        reach = max(1, round(share * max(box[2] - box[0], box[3] - box[1])))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        wider = mask_box(seed | (around & (cv2.dilate(seed.view(np.uint8), kernel) > 0)))
        answers = subject.told(wider) if wider is not None else []
        masks = (answer.probability > 0.5 for answer in answers if answer.quality >= SURE_OBJECT)
        wholes += [mask for mask in masks if _holds(mask, seed) and border_share(mask) <= MOST_BORDER]
    scores = evidence.evidence(subject.small, wholes, product) if wholes else None
    likely = [mask for mask, score in zip(wholes, scores or [], strict=False) if score >= EVIDENCE_KEPT * seeds]
    return max(likely, key=np.count_nonzero, default=seed)


def _inside(part: np.ndarray, whole: np.ndarray) -> bool:
    return np.count_nonzero(part & whole) >= HELD * np.count_nonzero(part)


def _holds(mask: np.ndarray, seed: np.ndarray) -> bool:
    pixels = np.count_nonzero(seed)
    return np.count_nonzero(mask & seed) >= 0.9 * pixels and np.count_nonzero(mask) > EXTENDS * pixels


def _is_beside(other: np.ndarray, seed: np.ndarray, around: np.ndarray) -> bool:
    """Whether another detection lies inside what stands out, and outside the seed."""
    pixels = np.count_nonzero(other)
    shared = np.count_nonzero(other & seed)
    return _inside(other, around) and shared < 0.2 * min(pixels, np.count_nonzero(seed))
