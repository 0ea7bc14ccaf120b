"""Several independent looks at one product, and their vote.

SAM is told where the product is, and sees its edge in 256 cells; a salient-object network is told nothing, and sees
only what stands out. Each errs in its own way: measured on pictures with true outlines, the mean of their soft masks is
better than any one of them, and where they disagree the outline is often wrong.

Soft masks are float32 (height, width) in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import Rect, bounding_rect
from lib_photoshoot.results import Box
from lib_photoshoot.segmentation.protocol import SoftCandidate

VIEW_MARGIN = 0.2
"""A crop reaches so far beyond the product's box, as a share of its sides: SAM needs some of the background."""
REACH = 0.06
"""A network that knows no word counts only so near to the product, as a share of the box's longer side."""
SHARES = {"sam": 1.0, "quick": 1.0, "fine": 2.5}
"""Weights of the views in the vote; chosen on ECSSD's odd pictures."""

STRANGER, FRIEND = 0.55, 0.9
"""Overlaps with SAM's picks below which a network does not count, and from which it counts fully."""


@dataclass(eq=False)
class Views:
    """What was seen of one product so far.

    ``told`` holds one list of candidates for each look of SAM; ``quick`` and ``fine`` the networks' maps, already
    limited to the product's surroundings; ``hint`` is the outline that led here.
    """

    hint: np.ndarray
    told: list[list[SoftCandidate]] = field(default_factory=list)
    quick: np.ndarray | None = None
    fine: np.ndarray | None = None

    def networks(self) -> list[tuple[str, np.ndarray]]:
        """Return the maps that are there, with the names of their weights."""
        return [(name, seen) for name, seen in (("quick", self.quick), ("fine", self.fine)) if seen is not None]

    def picks(self) -> list[np.ndarray]:
        """Return of each look of SAM the candidate nearest to what all views see on average."""
        best = [max(candidates, key=lambda c: c.quality).probability for candidates in self.told]
        middle = np.mean([*best, *(seen for _, seen in self.networks()), self.hint.astype(np.float32)], axis=0)
        return [max((c.probability for c in some), key=lambda p: soft_iou(p, middle)) for some in self.told]

    def vote(self) -> np.ndarray:
        """Return the weighted mean of the picks and the networks."""
        picks = self.picks()
        told = np.mean(picks, axis=0)
        weighted = [(SHARES["sam"] / len(picks), pick) for pick in picks]
        # A network that sees something else says nothing of this product's edge.
        weighted += [(SHARES[name] * _trust(soft_iou(told, seen)), seen) for name, seen in self.networks()]
        total = np.float32(sum(weight for weight, _ in weighted))
        return np.sum([np.float32(weight) / total * seen for weight, seen in weighted], axis=0)

    def agreement(self) -> float:
        """Return the least overlap, in [0, 1], between SAM's picks together and a network; 1 without networks."""
        told = np.mean(self.picks(), axis=0)
        return min((soft_iou(told, seen) for _, seen in self.networks()), default=1.0)


def _trust(accord: float) -> float:
    return min(1.0, max(0.0, (accord - STRANGER) / (FRIEND - STRANGER)))


def soft_iou(one: np.ndarray, other: np.ndarray) -> float:
    """Return intersection over union of two soft masks in [0, 1] (Jaccard index with minimum and maximum)."""
    return float(np.minimum(one, other).sum() / max(float(np.maximum(one, other).sum()), 1e-6))


def view_rect(box: Box, shape: tuple[int, ...], margin: float = VIEW_MARGIN) -> Rect:
    """Return the pixels around a box that a closer look is given, in a picture of ``shape`` (height, width, ...)."""
    x0, y0, x1, y1 = box
    dx, dy = (x1 - x0) * margin, (y1 - y0) * margin
    left, top = max(0, int(x0 - dx)), max(0, int(y0 - dy))
    return Rect(left, top, min(shape[1], int(np.ceil(x1 + dx))), min(shape[0], int(np.ceil(y1 + dy))))


def near(hint: np.ndarray, box: Box) -> np.ndarray:
    """Return where a network may add to the outline ``hint`` of the product in ``box``, bool (height, width)."""
    pixels = max(1, round(REACH * max(box[2] - box[0], box[3] - box[1])))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    rect = bounding_rect(hint, pixels)
    grown = np.zeros(hint.shape, bool)
    if rect is not None:
        crop = np.ascontiguousarray(hint[rect.slices]).view(np.uint8)
        grown[rect.slices] = cv2.dilate(crop, kernel) > 0
    return grown


def placed(part: np.ndarray, rect: Rect, shape: tuple[int, int]) -> np.ndarray:
    """Return a soft mask of ``shape`` that is ``part`` inside ``rect`` and 0 elsewhere."""
    whole = np.zeros(shape, np.float32)
    whole[rect.slices] = part
    return whole


def standing_out(seen: np.ndarray, seed: np.ndarray, least: float = 0.05) -> np.ndarray | None:
    """Return the connected parts of a map that hold at least ``least`` of ``seed``, bool; None without one."""
    count, labels = cv2.connectedComponents((seen > 0.5).astype(np.uint8), connectivity=8)
    held = np.bincount(labels[seed], minlength=count)
    held[0] = 0
    chosen = held >= max(least * np.count_nonzero(seed), 1)
    return chosen[labels] if chosen.any() else None
