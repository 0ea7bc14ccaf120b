"""Whether a picture surely shows one main object, or a few alike, and where: without any word.

1. What stands out, and holds in the mirror (:mod:`standing_out`).
2. SAM, told where it is, draws the same outline: then it is one thing, and not a corner of a scene.
3. It ends inside the picture, leaves some of it free, and is no person (:mod:`people`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lib_photoshoot.detection.main_object.people import holds_a_face
from lib_photoshoot.detection.main_object.standing_out import Looking, Piece, StandingOut, look_twice
from lib_photoshoot.masks.morphology import border_share, mask_box
from lib_photoshoot.results import Reason
from lib_photoshoot.segmentation.outlining import vote_copy
from lib_photoshoot.segmentation.protocol import SoftSegmenter
from lib_photoshoot.segmentation.views import soft_iou
from lib_photoshoot.segmentation.working_copy import resized_mask

SURE = 0.5
"""Sureness from which a picture has a main object."""
SMALLEST = 0.003
"""Share of the frame below which nothing is its main object."""
LARGEST = 0.9
"""Share of the frame above which a thing is the ground itself."""
MOST_BORDER = 0.5
ALIKE = 0.5
"""A part of at least this share of the largest is as much a main object as that."""
MOST = 8
"""More things alike than these are a crowd, of which none is the main object."""
Picture = np.ndarray


@dataclass(frozen=True, eq=False)
class MainObject:
    """One of a picture's main objects: its ``mask`` (bool, the picture's size) and how sure it is, in [0, 1]."""

    mask: np.ndarray
    sureness: float


@dataclass(frozen=True, eq=False)
class MainObjects:
    """A picture's main objects, largest first; ``reason`` says why they do not count, None where they do."""

    objects: tuple[MainObject, ...]
    reason: Reason | None = None


class MainObjectFinder:
    """Finds what a picture is of."""

    def __init__(
        self,
        segmenter: SoftSegmenter,
        network: Looking,
        is_person: Callable[[Picture, np.ndarray], bool] = holds_a_face,
    ) -> None:
        """``network`` is the quick salience network; ``is_person`` tells of a picture, uint8 RGB, and a mask in it."""
        self._segmenter = segmenter
        self._network = network
        self._is_person = is_person

    def find(self, image: np.ndarray) -> MainObjects:
        """Return the main objects of ``image``, uint8 RGB (height, width, 3), or why there are none to be sure of."""
        small = vote_copy(image)
        standing = look_twice(self._network, small)
        if not standing.parts or standing.parts[0].pixels < SMALLEST * standing.seen.size:
            return MainObjects((), Reason.NO_MAIN_OBJECT)
        alike = [part for part in standing.parts if part.pixels >= ALIKE * standing.parts[0].pixels]
        together = np.logical_or.reduce([part.mask for part in alike])
        reason = _refusal(alike, together)
        sure = [0.0] * len(alike) if reason else self._sureness(image, alike, standing)
        if reason is None and max(sure) < SURE:
            reason = Reason.UNSURE_MAIN_OBJECT
        if reason is None and self._is_person(small, together):
            reason = Reason.PERSON
        objects = [
            MainObject(resized_mask(part.mask, image.shape), score) for part, score in zip(alike, sure, strict=True)
        ]
        return MainObjects(tuple(objects), reason)

    def _sureness(self, image: np.ndarray, parts: Sequence[Piece], standing: StandingOut) -> list[float]:
        shape = standing.seen.shape
        scale = image.shape[1] / shape[1]
        return [
            sureness(part.agreement, standing.rest, self._drawn(image, part, standing.seen, scale)) for part in parts
        ]

    def _drawn(self, image: np.ndarray, part: Piece, seen: np.ndarray, scale: float) -> float:
        """Return the overlap, in [0, 1], of a part with the outline that SAM draws nearest to it."""
        x0, y0, x1, y1 = mask_box(part.mask) or (0.0, 0.0, 0.0, 0.0)
        box = (x0 * scale, y0 * scale, x1 * scale, y1 * scale)
        answers = self._segmenter.soft(image, box, seen.shape)
        return max((soft_iou(answer.probability, seen * part.mask) for answer in answers), default=0.0)


def sureness(agreement: float, rest: float, drawn: float) -> float:
    """Return how sure a part is the main object, in [0, 1].

    ``agreement`` of both looks, ``rest`` of the picture that stands out as well, ``drawn``: overlap with SAM's outline;
    each in [0, 1].
    """
    return agreement * drawn * (1 - rest)


def _refusal(alike: Sequence[Piece], together: np.ndarray) -> Reason | None:
    """Return why parts cannot be main objects, whatever they show; None where they can."""
    if len(alike) > MOST:
        return Reason.UNSURE_MAIN_OBJECT
    if together.mean() > LARGEST or border_share(together) > MOST_BORDER:
        return Reason.NO_MAIN_OBJECT
    # With nothing of its surroundings on any side, nobody can say where it ends.
    if all(side.any() for side in (together[0], together[-1], together[:, 0], together[:, -1])):
        return Reason.UNSURE_MAIN_OBJECT
    return None


def main_object_mask(image: np.ndarray, finder: MainObjectFinder) -> tuple[np.ndarray, float] | None:
    """Return all of the main objects of a picture as one mask (bool), and how sure that is, in [0, 1].

    None where there surely is none to take. ``image`` is uint8 RGB (height, width, 3).
    """
    found = finder.find(image)
    if found.reason is not None:
        return None
    mask = np.logical_or.reduce([one.mask for one in found.objects])
    return mask, min(one.sureness for one in found.objects)
