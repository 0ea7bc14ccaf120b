"""Where in a picture a product of examples may be, and whether it is this product, another of its kind, or neither."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import cv2
import numpy as np

from lib_photoshoot.detection.verification import iou
from lib_photoshoot.examples import calibration
from lib_photoshoot.examples.calibration import NO_PRINT, PLAIN, PRINT, PRINTED, probability
from lib_photoshoot.examples.colours import colour_likeness, colours_of
from lib_photoshoot.examples.features import looks_alike
from lib_photoshoot.examples.looking import Looked
from lib_photoshoot.examples.prints import Print, PrintMatch, compare_prints, evidence, find_print
from lib_photoshoot.examples.signature import Signature
from lib_photoshoot.masks.comparison import SAME_PLACE_IOU
from lib_photoshoot.results import Box

PRINT_CLIP = 6.0
"""Log odds beyond which a print decides nothing more."""
USUAL_COLOUR = 0.55
"""Sameness of the colours of one product in two photos, where a single example cannot tell."""
ROUNDING = 1e-5
MIDDLE = 0.8
"""Share of a box's sides whose ellipse is taken for the product where no mask is known."""


class Sameness(str, Enum):
    """What a candidate is; the values are stable codes."""

    THIS = "this_product"
    KIND = "this_kind"
    ABSENT = "not_here"


@dataclass(frozen=True)
class Resemblance:
    """How a candidate compares with a product's examples.

    ``look`` is the network's likeness in [-1, 1], ``colour`` how far the colours fall short of what two examples of the
    product have in common (0: not at all), ``print`` the log odds of the print (None for a product without one),
    ``score`` in [0, 1] how sure it is that this is what the examples show. Without a print that is a kind of thing, and
    ``lead`` says how much more like the examples it is than they are like each other (None with a print).
    """

    look: float
    colour: float
    print: float | None
    score: float
    lead: float | None = None

    @property
    def answer(self) -> Sameness:
        """Return this product, only its kind, or neither."""
        if self.score >= calibration.THRESHOLD:
            told_apart = self.lead is None or self.lead >= calibration.LEAD
            return Sameness.THIS if told_apart else Sameness.KIND
        return Sameness.KIND if self.look >= calibration.KIND_LOOK else Sameness.ABSENT


@dataclass(frozen=True, eq=False)
class Place:
    """Where an example's print was found, in the pixels of :class:`Looked`: outline (n, 2), box, log odds."""

    outline: np.ndarray
    box: Box
    odds: float
    inliers: int

    def mask(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the outline filled, bool of ``shape`` (height, width, ...)."""
        filled = np.zeros(shape[:2], np.uint8)
        cv2.fillPoly(filled, [np.round(self.outline).astype(np.int32)], (1,))
        return filled > 0


def print_places(signature: Signature, looked: Looked) -> list[Place]:
    """Return where the prints of the examples are seen, surest first, each place once and every instance.

    A product of which a picture shows several is found as often: what was found is taken away and looked for again.
    """
    found: list[Place] = []
    for example in signature.prints:
        remaining = looked.print
        while (match := find_print(example, remaining)) is not None:
            found.append(_place(example, looked, match))
            kept = _outside(remaining, match, found[-1], looked)
            if len(kept.points) == len(remaining.points):
                break
            remaining = kept
    chosen: list[Place] = []
    for place in sorted(found, key=lambda place: -place.odds):
        if all(iou(place.box, other.box) <= SAME_PLACE_IOU for other in chosen):
            chosen.append(place)
    return chosen


def compare(
    signature: Signature, looked: Looked, box: Box, place: Place | None = None, mask: np.ndarray | None = None
) -> Resemblance:
    """Compare what a box shows with the examples.

    ``place`` is where a print was found in it, ``mask`` (bool, of ``looked.image``) which pixels are the candidate.
    """
    look = float(looks_alike(looked.look(box)[None], signature.looks)[0])
    found = judged(signature, look, colour_lack(signature, looked.image, box, place, mask), place)
    return _seconded(found, signature, looked, box) if found.answer is Sameness.THIS else found


def _seconded(found: Resemblance, signature: Signature, looked: Looked, box: Box) -> Resemblance:
    """Let the second network, where there is one, say whether what the first takes for the product leads at all."""
    least = signature.least_second
    seen = None if least is None else looked.second_look(box)
    if found.lead is None or least is None or seen is None or signature.second is None:
        return found
    short = least - float(looks_alike(seen[None], signature.second)[0])
    # What is the very same differs by rounding alone.
    return found if short <= ROUNDING else replace(found, lead=min(found.lead, calibration.LEAD - short))


def judged(signature: Signature, look: float, colour: float, place: Place | None) -> Resemblance:
    """Weigh the parts of the evidence."""
    if not signature.is_printed:
        score = probability(PLAIN.log_odds((look, signature.cohesion, colour)))
        return Resemblance(look, colour, None, score, look - signature.own_likeness)
    odds = NO_PRINT if place is None else place.odds
    clipped = float(np.clip(odds, -PRINT_CLIP, PRINT_CLIP))
    return Resemblance(look, colour, odds, probability(PRINTED.log_odds((clipped, look, colour))))


def colour_lack(
    signature: Signature, image: np.ndarray, box: Box, place: Place | None, mask: np.ndarray | None
) -> float:
    """Return how much less the colours have in common with the nearest example's than two examples have, at least 0."""
    if mask is None:
        mask = place.mask(image.shape) if place is not None else _middle(box, image.shape)
    x0, y0, x1, y1 = (max(0, round(side)) for side in box)
    seen = colours_of(image[y0:y1, x0:x1], mask[y0:y1, x0:x1]) if y1 > y0 and x1 > x0 else None
    if seen is None:
        return 0.0
    usual = signature.steady_colour
    usual = USUAL_COLOUR if usual is None else usual
    return max(0.0, usual - max(colour_likeness(seen, one) for one in signature.colours))


def _place(example: Print, looked: Looked, match: PrintMatch) -> Place:
    """Bring the example's outline to where its print is."""
    contours, _ = cv2.findContours(example.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    corners = cv2.convexHull(max(contours, key=cv2.contourArea))[:, 0].astype(np.float64)
    outline = (corners @ match.place[:, :2].T + match.place[:, 2]) * looked.print_scale
    height, width = looked.image.shape[:2]
    outline = np.clip(outline, 0, [width, height])
    (x0, y0), (x1, y1) = outline.min(0), outline.max(0)
    odds = PRINT.log_odds(evidence(match, compare_prints(example, looked.print, match)))
    return Place(outline, (float(x0), float(y0), float(x1), float(y1)), odds, match.inliers)


def _outside(picture: Print, match: PrintMatch, place: Place, looked: Looked) -> Print:
    """Return the features that neither agreed on a place nor lie in it."""
    covered = place.mask(looked.image.shape)
    scale = looked.print_scale
    columns = np.clip((picture.points[:, 0] * scale).astype(int), 0, covered.shape[1] - 1)
    rows = np.clip((picture.points[:, 1] * scale).astype(int), 0, covered.shape[0] - 1)
    agreed = {tuple(point) for point in match.targets.tolist()}
    other = np.array([tuple(point) not in agreed for point in picture.points.tolist()], bool)
    kept = ~covered[rows, columns] & other
    return Print(picture.small, picture.mask, picture.points[kept], picture.descriptors[kept])


def _middle(box: Box, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape[:2], np.uint8)
    middle = (round((box[0] + box[2]) / 2), round((box[1] + box[3]) / 2))
    axes = (max(1, round((box[2] - box[0]) * MIDDLE / 2)), max(1, round((box[3] - box[1]) * MIDDLE / 2)))
    cv2.ellipse(mask, middle, axes, 0, 0, 360, (1,), -1)
    return mask > 0
