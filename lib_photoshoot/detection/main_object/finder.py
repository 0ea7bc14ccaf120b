"""Whether a picture surely shows one main object, or a few alike, and where: without any word.

1. What stands out, and holds in the mirror (:mod:`standing_out`).
2. SAM, told where it is, draws the same outline: then it is one thing, and not a corner of a scene.
   On a plain ground where the looks do not agree, what alone stands there is looked at instead
   (:mod:`plain_ground`).
3. It ends inside the picture, leaves some of it free, and is no person (:mod:`people`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lib_photoshoot.detection.main_object.people import person_cue, without_hands
from lib_photoshoot.detection.main_object.plain_ground import thing_on_plain_ground
from lib_photoshoot.detection.main_object.standing_out import Looking, Piece, StandingOut, look_twice
from lib_photoshoot.masks.morphology import border_share, bounding_rect, mask_box
from lib_photoshoot.results import Reason
from lib_photoshoot.segmentation.outlining import vote_copy
from lib_photoshoot.segmentation.protocol import SoftSegmenter
from lib_photoshoot.segmentation.views import soft_iou
from lib_photoshoot.segmentation.working_copy import picture_digest, resized_mask

SURE = 0.75
"""Sureness from which a picture has a main object."""
HOPELESS = 0.3
"""Where both looks agree less, SAM need not be asked."""
DRAWN = (0.8, 1.0)
"""Overlaps with SAM's outline from which it speaks for a thing, and at which nothing else is asked."""
SMALLEST = 0.003
"""Share of the frame below which nothing is its main object."""
LARGEST = 0.9
"""Share of the frame above which a thing is the ground itself."""
MOST_BORDER = 0.35
"""Share of the picture's border above which a thing goes on beyond it."""
FILLING, EDGE = 0.5, 0.01
"""A thing of this share of the frame that comes to all four edges, within this share of the sides, is too near."""
ALIKE = 0.5
"""A part of at least this share of the largest is as much a main object as that."""
MOST = 8
"""More things alike than these are a crowd, of which none is the main object."""


@dataclass(frozen=True, eq=False)
class MainObject:
    """One of a picture's main objects: its ``mask``, bool in the vote's copy of the picture, and how sure it is."""

    mask: np.ndarray
    sureness: float


@dataclass(frozen=True, eq=False)
class MainObjects:
    """A picture's main objects, largest first; ``reason`` says why they do not count, however sure they are."""

    objects: tuple[MainObject, ...]
    reason: Reason | None = None

    @property
    def sureness(self) -> float:
        """How sure it is, in [0, 1], that these and no others are what the picture is of."""
        return min((one.sureness for one in self.objects), default=0.0)


class MainObjectFinder:
    """Finds what a picture is of."""

    def __init__(
        self,
        segmenter: SoftSegmenter,
        network: Looking,
        is_person: Callable[[np.ndarray, np.ndarray], bool] | None = None,
    ) -> None:
        """``network`` is the quick salience network; ``is_person`` see ``people.person_cue``, None for faces alone."""
        self._segmenter = segmenter
        self._network = network
        self._is_person = is_person or person_cue(None)
        self._last: tuple[bytes, MainObjects] | None = None

    def find(self, image: np.ndarray) -> MainObjects:
        """Return the main objects of ``image``, uint8 RGB (height, width, 3), or why there are none to be sure of.

        The last picture's are kept.
        """
        key = picture_digest(image)
        if self._last is None or self._last[0] != key:
            self._last = (key, self._find(image))
        return self._last[1]

    def _find(self, image: np.ndarray) -> MainObjects:
        small = vote_copy(image)
        standing = look_twice(self._network, small)
        found = self._standing(image, small, standing)
        return found if found.sureness >= SURE else self._alone(image, small) or found

    def _alone(self, image: np.ndarray, small: np.ndarray) -> MainObjects | None:
        """Return the thing that stands alone on a plain ground, as sure as SAM draws it; None without one."""
        mask = thing_on_plain_ground(small)
        if mask is None or mask.mean() < SMALLEST:
            return None
        thing = Piece(mask, 1.0)
        reason = _refusal([thing], mask) or (Reason.PERSON if self._is_person(small, mask) else None)
        sure = 0.0 if reason else self._drawn(image, thing, mask.astype(np.float32))
        return MainObjects((MainObject(mask, sure),), reason) if reason or sure >= SURE else None

    def _standing(self, image: np.ndarray, small: np.ndarray, standing: StandingOut) -> MainObjects:
        if not standing.parts or standing.parts[0].pixels < SMALLEST * standing.seen.size:
            return MainObjects((), Reason.NO_MAIN_OBJECT)
        alike = _alike(small, standing.parts)
        together = np.logical_or.reduce([part.mask for part in alike])
        reason = _refusal(alike, together)
        if reason is None and self._is_person(small, together):
            reason = Reason.PERSON
        sure = [0.0 if reason else self._sureness(image, part, standing) for part in alike]
        return MainObjects(tuple(map(MainObject, (part.mask for part in alike), sure)), reason)

    def _sureness(self, image: np.ndarray, part: Piece, standing: StandingOut) -> float:
        if part.agreement * (1 - standing.rest) < HOPELESS:
            return sureness(part.agreement, standing.rest, 0.0)
        return sureness(part.agreement, standing.rest, self._drawn(image, part, standing.seen))

    def _drawn(self, image: np.ndarray, part: Piece, seen: np.ndarray) -> float:
        """Return the overlap, in [0, 1], of a part with the outline that SAM draws nearest to it."""
        x0, y0, x1, y1 = mask_box(part.mask) or (0.0, 0.0, 0.0, 0.0)
        scale = image.shape[1] / seen.shape[1]
        box = (x0 * scale, y0 * scale, x1 * scale, y1 * scale)
        answers = self._segmenter.soft(image, box, seen.shape)
        return max((soft_iou(answer.probability, seen * part.mask) for answer in answers), default=0.0)


def sureness(agreement: float, rest: float, drawn: float) -> float:
    """Return how sure a part is the main object, in [0, 1].

    ``agreement`` of both looks, ``rest`` of the picture that stands out as well, ``drawn``: overlap with SAM's outline;
    each in [0, 1]. Where SAM draws the same outline, it answers for what the mirror leaves open.
    """
    mirrored = agreement * (1 - rest)
    return mirrored ** (1 - min(1.0, max(0.0, (drawn - DRAWN[0]) / (DRAWN[1] - DRAWN[0]))))


def _alike(small: np.ndarray, parts: Sequence[Piece]) -> list[Piece]:
    """Return the parts that are as much a main object as the largest; a hand beside a product is none."""
    kept = {id(mask) for mask in without_hands(small, [part.mask for part in parts])}
    things = [part for part in parts if id(part.mask) in kept]
    return [part for part in things if part.pixels >= ALIKE * things[0].pixels]


def _refusal(alike: Sequence[Piece], together: np.ndarray) -> Reason | None:
    """Return why parts cannot be main objects, whatever they show; None where they can."""
    if len(alike) > MOST:
        return Reason.UNSURE_MAIN_OBJECT
    if together.mean() > LARGEST or border_share(together) > MOST_BORDER:
        return Reason.NO_MAIN_OBJECT
    return Reason.UNSURE_MAIN_OBJECT if together.mean() > FILLING and _reaches_all_edges(together) else None


def _reaches_all_edges(mask: np.ndarray) -> bool:
    """Whether a mask comes to all four edges of its picture: with nothing around it, nobody can say where it ends."""
    rect = bounding_rect(mask)
    if rect is None:
        return False
    near_y, near_x = EDGE * mask.shape[0], EDGE * mask.shape[1]
    return (
        rect.x0 <= near_x
        and rect.y0 <= near_y
        and rect.x1 >= mask.shape[1] - near_x
        and rect.y1 >= mask.shape[0] - near_y
    )


def main_object_mask(image: np.ndarray, finder: MainObjectFinder) -> tuple[np.ndarray, float] | None:
    """Return all of the main objects of a picture as one mask (bool), and how sure that is, in [0, 1].

    None where there surely is none to take. ``image`` is uint8 RGB (height, width, 3).
    """
    found = finder.find(image)
    if found.reason is not None or found.sureness < SURE:
        return None
    mask = np.logical_or.reduce([one.mask for one in found.objects])
    return resized_mask(mask, image.shape), found.sureness
