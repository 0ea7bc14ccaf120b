"""Which candidates of a detector are believed. "Nothing here" is an answer; every refusal keeps its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lib_photoshoot.masks.comparison import SAME_PLACE_IOU
from lib_photoshoot.results import Box, Detection, Reason, Rejection

MOST_INSTANCES = 12
"""So many instances of a product are worked on in one picture; further ones are told, and left as they are."""
# Below this side, in pixels, there is nothing to enhance and SAM's masks are noise.
SMALLEST_SIDE = 8
# A detector that sees nothing tends to answer with the whole picture at a middling score.
WHOLE_IMAGE_SHARE = 0.95
WHOLE_IMAGE_SCORE = 0.5
# A part of a product already found (a car's wheel, one strap) is no further instance of it.
PART_SHARE = 0.8
# With the lid of a Passport in it, a box is no more than this much card.
CARD_SHARE = 0.4


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
    detections: Sequence[Detection], thresholds: Mapping[str, float], width: int, height: int
) -> tuple[list[Detection], list[Rejection]]:
    """Split candidates into believed and rejected, both best first.

    ``thresholds`` holds one score in [0, 1] for each product name.
    """
    kept: list[Detection] = []
    rejected: list[Rejection] = []
    for detection in sorted(detections, key=lambda d: -d.score):
        reason = _doubt(detection, thresholds[detection.product], width, height, kept)
        if reason is None:
            kept.append(detection)
        else:
            rejected.append(reject(detection, reason))
    return kept, rejected


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
    if sum(better.product == detection.product for better in kept) >= MOST_INSTANCES:
        return Reason.TOO_MANY
    return None
