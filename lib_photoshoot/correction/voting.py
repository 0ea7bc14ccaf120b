"""Where the edge lies that a hand drew around: a vote of the drawing, the picture's colours, and SAM.

A hand is off by up to some pixels of the screen, and its line is taken as no better than that at first. Where it runs
beside the edges that the others find, as one that was traced with care does, it is taken as exactly as that, and they
look again in the narrower band. Of 30 pictures of ECSSD (even numbers) the mean IoU is 0.980 in place of 0.977 for a
simulated hand that is off by 0.15 % of the longest side, 0.974 in place of 0.972 for 0.4 %, 0.967 for 0.966 for 0.8 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lib_photoshoot.correction.prompting import enlarged
from lib_photoshoot.correction.snapping import snapped
from lib_photoshoot.masks.comparison import boundary
from lib_photoshoot.masks.morphology import bounding_rect, distance_to, grow

THIN_HOLDS = 0.55
"""What a drawing says at least of what lies within it, in [0, 1]: a thin or pointed part stands as soon as the colours
or SAM say so too, though a hand that is off could have missed all of it.
"""
FIRMLY = 3
"""What SAM says of a gap weighs so much, the drawing and the edges 1 each: they take all that was drawn around."""
OFF_SHARE = 75
"""Per cent of a line's pixels that are off by no more than what the hand is taken to be."""
OFF_MORE, OFF_LEAST, OFF_MOST = 2.0, 0.15, 0.9
"""How many times that far the edges are looked for; at least and, else the first look holds, at most as shares of how
far a hand may be off.
"""


@dataclass(frozen=True, eq=False)
class Edges:
    """Where colours say that the edges of a drawn part are, masks bool (height, width)."""

    rough: np.ndarray
    """The hand held to be off by as much as it may be."""
    reach: float
    """That much, in pixels."""
    fine: np.ndarray | None
    """The hand held to be off by what its line says; None where that is about as much."""
    off: float
    """That much, in pixels."""


def edges_by(image: np.ndarray, drawn: np.ndarray, reach: float) -> Edges:
    """Return the edges of what was ``drawn``, bool (height, width), in ``image``, uint8 RGB (height, width, 3).

    ``reach`` is how far a hand may be off, in pixels.
    """
    rough = snapped(image, drawn, reach)
    off = max(OFF_MORE * _hand_off(drawn, rough), OFF_LEAST * reach)
    fine = snapped(image, drawn, off) if off < OFF_MOST * reach else None
    return Edges(rough, reach, fine, off)


class EdgeVote:
    """The vote on what a person drew around.

    ``image`` is uint8 RGB (height, width, 3), ``small`` what was drawn, float32 of the vote's size, and ``seen`` what
    SAM sees there, float32 of the vote's size in [0, 1], None where it sees another thing.
    """

    def __init__(self, image: np.ndarray, small: np.ndarray, edges: Edges, seen: np.ndarray | None) -> None:
        self._image, self._small, self._seen = image, small, seen
        self._edges = edges
        found, reach = (edges.rough, edges.reach) if edges.fine is None else (edges.fine, edges.off)
        self._votes = self._voted(found, reach)

    @property
    def outline(self) -> np.ndarray:
        """What most say, bool (height, width)."""
        return enlarged(np.mean(self._votes, axis=0), self._image)

    def farther(self) -> np.ndarray | None:
        """Return what most say with the rough edges, bool (height, width); None where there are no finer ones."""
        if self._edges.fine is None:
            return None
        return enlarged(np.mean(self._voted(self._edges.rough, self._edges.reach), axis=0), self._image)

    @property
    def seen_through(self) -> np.ndarray:
        """The same, bool (height, width), without what SAM alone is sure to be no part of it; without SAM all of it."""
        weights = (1, 1, FIRMLY)[: len(self._votes)]
        return enlarged(np.average(self._votes, axis=0, weights=weights), self._image)

    def _voted(self, edge: np.ndarray, reach: float) -> list[np.ndarray]:
        off, inside = reach * self._small.shape[1] / self._image.shape[1], self._small > 0.5
        blurred = cv2.GaussianBlur(self._small, (0, 0), max(1.0, off / 2))
        votes = [np.maximum(blurred, THIN_HOLDS * inside)]
        votes.append(cv2.resize(edge.astype(np.float32), self._small.shape[::-1], interpolation=cv2.INTER_AREA))
        if self._seen is not None:
            votes.append(np.where(grow(inside, off), self._seen, np.float32(0)))
        return votes


def _hand_off(drawn: np.ndarray, edge: np.ndarray) -> float:
    """Return how far the line of what was drawn runs from the edge that was found, in pixels."""
    rect = bounding_rect(drawn | edge, 2)
    if rect is None:
        return float("inf")
    inside = np.zeros(drawn.shape, bool)
    inside[1:-1, 1:-1] = True  # the frame's edge is nobody's
    line, found = boundary(drawn[rect.slices]) & inside[rect.slices], boundary(edge[rect.slices])
    if not line.any() or not found.any():
        return float("inf")
    return float(np.percentile(distance_to(found)[line], OFF_SHARE))
