"""Which candidates of a detector are believed. "Nothing here" is an answer; every refusal keeps its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lib_photoshoot.detection.pairs import sold_by_the_pair
from lib_photoshoot.masks.comparison import SAME_PLACE_IOU
from lib_photoshoot.results import Box, Detection, ProductRegion, Reason, Rejection

MOST_INSTANCES = 12
"""So many instances of a product, or pairs of it, are worked on in one picture; further ones are told, and left as they
are."""
# Below this side, in pixels, there is nothing to enhance and SAM's masks are noise.
SMALLEST_SIDE = 8
# A detector that sees nothing tends to answer with the whole picture at a middling score.
WHOLE_IMAGE_SHARE = 0.95
WHOLE_IMAGE_SCORE = 0.5
# A part of a product already found (a car's wheel, one strap) is no further instance of it.
PART_SHARE = 0.8
# With the lid of a Passport in it, a box is no more than this much card.
CARD_SHARE = 0.4


@dataclass(frozen=True)
class Kinship:
    """Which products may be one thing: ``pairs`` of names. ``stand_ins`` are looked for as a wider kind of theirs;
    ``leading`` have settings of their own, by which the thing is worked on.
    """

    pairs: frozenset[frozenset[str]] = frozenset()
    stand_ins: frozenset[str] = frozenset()
    leading: frozenset[str] = frozenset()


UNRELATED = Kinship()


def area(box: Box) -> float:
    """Return the area in square pixels; 0 for an empty box."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def overlap(a: Box, b: Box) -> float:
    """Return the area of the intersection in square pixels."""
    return area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))


def iou(a: Box, b: Box) -> float:
    """Return intersection over union in [0, 1]."""
    common = overlap(a, b)
    union = area(a) + area(b) - common
    return common / union if union > 0 else 0.0


def verify(
    detections: Sequence[Detection],
    thresholds: Mapping[str, float],
    width: int,
    height: int,
    kinship: Kinship = UNRELATED,
) -> tuple[list[Detection], list[Rejection]]:
    """Split candidates into believed and rejected, both best first, those by wider kinds last.

    ``thresholds`` holds one score in [0, 1] for each product name. Products at the same place that may be one thing are
    one detection, ``also`` of the others.
    """
    kept: list[Detection] = []
    rejected: list[Rejection] = []
    # What a product's own word names is that product's, whatever a wider kind would make of it.
    for detection in sorted(detections, key=lambda d: (d.product in kinship.stand_ins, -d.score)):
        reason = _doubt(detection, thresholds[detection.product], width, height, kept)
        if reason is None:
            kept.append(detection)
        elif reason is not Reason.DUPLICATE or not _joined(detection, kept, kinship):
            rejected.append(reject(detection, reason))
    return kept, rejected


def _joined(detection: Detection, kept: list[Detection], kinship: Kinship) -> bool:
    """Whether the detection is one thing with a kept one, which is of both products from now on."""
    for number, better in enumerate(kept):
        if iou(detection.box, better.box) > SAME_PLACE_IOU and is_one_thing(detection.product, better, kinship):
            names = [better.product, *better.also]
            names.insert(0 if detection.product in kinship.leading else len(names), detection.product)
            kept[number] = replace(better, product=names[0], also=tuple(names[1:]))
            return True
    return False


def is_one_thing(product: str, found: Detection | ProductRegion, kinship: Kinship) -> bool:
    """Return whether a product may be what was found as another one, and as what that is besides."""
    others = (found.product, *found.also)
    return product not in others and all(frozenset((product, other)) in kinship.pairs for other in others)


def with_kin(
    regions: Sequence[ProductRegion], rejected: Sequence[Rejection], kinship: Kinship
) -> tuple[list[ProductRegion], list[Rejection]]:
    """Join what was found to have the outline of another product, where both may be one thing."""
    found, others = list(regions), []
    for item in rejected:
        for number, region in enumerate(found if item.reason is Reason.DUPLICATE else ()):
            if iou(item.box, region.box) > SAME_PLACE_IOU and is_one_thing(item.product, region, kinship):
                found[number] = replace(region, also=(*region.also, item.product))
                break
        else:
            others.append(item)
    return found, others


def without_cards(detections: Sequence[Detection], cards: Sequence[Box]) -> tuple[list[Detection], list[Rejection]]:
    """Split candidates into those that are no colour card and those that are; ``cards`` are the boxes of the cards."""
    kept: list[Detection] = []
    rejected: list[Rejection] = []
    for detection in detections:
        share = max((overlap(detection.box, card) for card in cards), default=0.0)
        if share > CARD_SHARE * area(detection.box):
            rejected.append(reject(detection, Reason.COLOUR_CARD))
        else:
            kept.append(detection)
    return kept, rejected


def reject(detection: Detection, reason: Reason) -> Rejection:
    """Keep a refused candidate with its reason."""
    return Rejection(detection.product, detection.box, detection.score, reason)


def _doubt(detection: Detection, threshold: float, width: int, height: int, kept: Sequence[Detection]) -> Reason | None:
    box = detection.box
    if detection.refused is not None:
        return detection.refused
    if detection.score < threshold:
        return Reason.BELOW_THRESHOLD
    if min(box[2] - box[0], box[3] - box[1]) < min(SMALLEST_SIDE, width, height):
        return Reason.TOO_SMALL
    if area(box) >= WHOLE_IMAGE_SHARE * width * height and detection.score < max(WHOLE_IMAGE_SCORE, threshold):
        return Reason.WHOLE_IMAGE
    for better in kept:
        if iou(box, better.box) > SAME_PLACE_IOU:
            return Reason.DUPLICATE
        same = better.product == detection.product
        if same and overlap(box, better.box) > PART_SHARE * min(area(box), area(better.box)):
            return Reason.DUPLICATE
    most = MOST_INSTANCES * (2 if sold_by_the_pair(detection.product) else 1)
    if sum(better.product == detection.product for better in kept) >= most:
        return Reason.TOO_MANY
    return None
