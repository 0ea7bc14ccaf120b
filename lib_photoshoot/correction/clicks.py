"""Clicks, lines, loops and boxes to an outline, through SAM's decoder and the picture's own edges.

An outline that is wrong in one place is right in the others, and SAM, asked about all of it anew, errs elsewhere. So of
an answer only that counts which changes something at the newest step, and in the way that the step says (FocalClick,
Chen et al. 2022, https://arxiv.org/abs/2204.02574, merges likewise). Measured on the outlines that our filter gets
wrong, its vote of several views does harm here: they have erred already. What one step may mean is more than one thing,
so there are several answers, and a person chooses. ``benchmarks/correction_clicks.py``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from lib_photoshoot.correction.alternatives import Alternative, Answers
from lib_photoshoot.correction.answering import Answering, OvertakenError, Overtaking, Remembered, Wanted, always
from lib_photoshoot.correction.changes import Click, changed_at, disc_at, place_of, tidied, touches
from lib_photoshoot.correction.drawn import lined, looped
from lib_photoshoot.correction.openings import alike_openings
from lib_photoshoot.correction.prompting import (
    ClickSegmenter,
    RememberingSegmenter,
    box_around,
    box_of,
    clicks_of,
    enlarged,
    vote_shape,
)
from lib_photoshoot.correction.snapping import WIDE_SIDE, colour_patches, loop_inside, snapped
from lib_photoshoot.correction.unsure import unsure_places
from lib_photoshoot.detection.verification import iou
from lib_photoshoot.masks.comparison import mask_iou
from lib_photoshoot.masks.morphology import mask_box
from lib_photoshoot.pages.fixing import Step, StepKind
from lib_photoshoot.results import Box
from lib_photoshoot.segmentation.protocol import SoftCandidate
from lib_photoshoot.segmentation.salience import Salience
from lib_photoshoot.segmentation.working_copy import picture_digest, resized_mask

MOST_CHANGED = 0.3
"""What a second question changes is no more than this share of the outline: it knows less of what is meant."""
LIKE_BEFORE = 0.5
"""How much of the overlap with the outline so far counts beside SAM's own word on its answers."""
AGREED = 0.9
"""Overlap from which two ways to find what lies at a click mean the same: then it has an edge of its own."""
CLOSED_SIDE = 0.006
"""Side of the smallest thing that they may find, as a share of the picture's longest side: smaller ones are grain."""
SAME_THING = 0.8
"""Overlap from which a separate piece and the thing at a click are one."""


class ClickOutliner:
    """Outlines by clicks, lines, loops and boxes; methods may be called from several threads."""

    def __init__(self, segmenter: ClickSegmenter, quick: Salience | None = None) -> None:
        """``quick`` also says where an outline may be wrong; without it SAM alone does."""
        self._segmenter = RememberingSegmenter(segmenter)
        self._quick = quick
        self._asking = threading.Lock()
        self._remembered = Remembered()
        self.overtaking = Overtaking()
        """Which answers for chips a newer step makes stale."""

    def prepare(self, image: np.ndarray) -> None:
        """Look at a picture, uint8 RGB (height, width, 3), ahead of the clicks: this takes seconds."""
        self._segmenter.embed_ahead(image)

    def outline(self, image: np.ndarray, start: np.ndarray | None, steps: Sequence[Step]) -> np.ndarray:
        """Return the outline that a person means, bool (height, width): of the last step's answers the one chosen."""
        return self.first(image, start, steps).mask

    def first(self, image: np.ndarray, start: np.ndarray | None, steps: Sequence[Step]) -> Alternative:
        """Return the answer to the last step that its ``choice`` names, or the likely one, which is known long before
        the others; arguments as of :meth:`answers`.
        """
        with self._asking:
            answering, before = self._answering(image, start, steps)
            return Alternative("", before) if answering is None else answering.chosen(steps[-1].choice)

    def answers(
        self, image: np.ndarray, start: np.ndarray | None, steps: Sequence[Step], wanted: Wanted = always
    ) -> Answers:
        """Return the answers to the last step; each step before is what its ``choice`` says.

        ``start`` is the outline that the steps correct, None for a new one. A box begins anew: it holds all of the
        product. Raises OvertakenError as soon as they are no longer ``wanted``.
        """
        with self._asking:
            if not wanted():
                raise OvertakenError
            answering, before = self._answering(image, start, steps)
            return Answers.of([Alternative("", before)]) if answering is None else answering.all(wanted)

    def _answering(
        self, image: np.ndarray, start: np.ndarray | None, steps: Sequence[Step]
    ) -> tuple[Answering | None, np.ndarray]:
        """Return the answering of the last step, None without one, and the outline before it."""
        begins = max((at for at, step in enumerate(steps) if step.kind is StepKind.BOX), default=-1)
        if begins >= 0:
            start, steps = None, steps[begins:]
        mask = np.zeros(image.shape[:2], bool) if start is None else start
        if not steps:
            return None, mask
        begun = (picture_digest(image), None if start is None else picture_digest(start))
        for number in range(1, len(steps) + 1):
            so_far = steps[:number]
            # What the last step is answered does not hang on which of the answers is chosen.
            key = (*begun, *((one, one.choice) for one in so_far[:-1]), so_far[-1])
            answering = self._remembered.once(key, partial(self._begun, image, mask, so_far))
            if number < len(steps):
                mask = answering.chosen(so_far[-1].choice).mask
        return answering, mask

    def _begun(self, image: np.ndarray, mask: np.ndarray, steps: Sequence[Step]) -> Answering:
        last = steps[-1]
        if last.kind is StepKind.BOX:
            found = self._boxed(image, last)
        elif last.kind is StepKind.LOOP:
            found = looped(self._segmenter, image, mask, last)
        elif last.kind is StepKind.LINE:
            found = lined(self._segmenter, image, mask, steps)
        elif last.kind is StepKind.UNSURE:
            found = unsure_places(self._segmenter, self._quick, image, mask)
        else:
            found = self._clicked(image, mask, steps)
        return Answering(mask, found)

    def _clicked(self, image: np.ndarray, mask: np.ndarray, steps: Sequence[Step]) -> Iterator[Alternative]:
        clicks = clicks_of(steps)
        click = clicks[-1]
        disc = None
        if not mask.any() and len(clicks) == 1:
            yield Alternative("Best guess", self._new(image, None, clicks))
        else:
            likely = self._corrected(image, mask, clicks)
            if likely is None:
                disc = mask ^ disc_at(mask, click)
                closed = None if click[2] else self._closed(image, mask, click)
                likely = disc if closed is None else mask & ~closed
            yield Alternative("Best guess", tidied(likely, mask, click))
        yield from alike_openings(image, mask, click)

        found = self._here(image, mask, click)
        if mask.any():
            box = box_around(mask, clicks)
            for answer in self._segmenter.prompted(image, box, clicks, vote_shape(image), mask):
                found.append(("Another part", changed_at(enlarged(answer.probability, image), mask, click)))
        for name, part in found:
            if part is not None and part.any():
                yield Alternative(name, tidied(mask | part if click[2] else mask & ~part, mask, click))
        if disc is not None:
            yield Alternative("Round spot", tidied(disc, mask, click))

    def _here(self, image: np.ndarray, mask: np.ndarray, click: Click) -> list[tuple[str, np.ndarray | None]]:
        """Return what lies at a click, whatever the outline is there: patches of a colour, and things."""
        free, here = ~mask if click[2] else mask, (click[0], click[1], True)
        found: list[tuple[str, np.ndarray | None]]
        found = [("Same colour", patch) for patch in colour_patches(image, click[:2], free)]
        for answer in self._segmenter.prompted(image, None, [here], vote_shape(image)):
            found.append(("Object here", changed_at(enlarged(answer.probability, image) & free, ~free, here)))
        return found

    def _closed(self, image: np.ndarray, mask: np.ndarray, click: Click) -> np.ndarray | None:
        """Return what has an edge of its own at a click, as what is seen between legs: two of the ways to find
        something there agree on it. None where nothing has.
        """
        least, most = (CLOSED_SIDE * max(mask.shape)) ** 2, MOST_CHANGED * np.count_nonzero(mask)
        parts = [part for _, part in self._here(image, mask, click) if part is not None]
        parts = [part for part in parts if least <= np.count_nonzero(part) <= most]
        # Patches come from small to large and end a little before the edge, so of two the later one is taken.
        pairs = [(mask_iou(one, parts[at]), at) for at in range(len(parts)) for one in parts[:at]]
        agreed, at = max(pairs, default=(0.0, 0))
        return parts[at] if agreed >= AGREED else None

    def _boxed(self, image: np.ndarray, step: Step) -> Iterator[Alternative]:
        box = box_of(step)
        ranked = self._ranked(image, box, [])
        yield Alternative("Best guess", _whole(ranked[0], image))
        inside = loop_inside([(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])], image.shape)
        for answer in ranked[1:]:
            yield Alternative("Another part", _whole(answer, image))
        reach = 0.25 * min(box[2] - box[0], box[3] - box[1])
        yield Alternative("By colour", tidied(snapped(image, inside, reach, side=WIDE_SIDE)))

    def _new(self, image: np.ndarray, box: Box | None, clicks: Sequence[Click]) -> np.ndarray:
        return _whole(self._ranked(image, box, clicks)[0], image)

    def _ranked(self, image: np.ndarray, box: Box | None, clicks: Sequence[Click]) -> list[SoftCandidate]:
        """Return SAM's answers about something new, the likeliest first."""
        shape = vote_shape(image)
        answers = self._segmenter.prompted(image, box, clicks, shape)
        drawn = None if box is None else _scaled(box, shape[1] / image.shape[1])

        def rank(answer: SoftCandidate) -> float:
            around = mask_box(answer.probability > 0.5)
            # A box is drawn around the whole product: what fills less of it is a part.
            return answer.quality + (iou(around, drawn) if around is not None and drawn is not None else 0.0)

        return sorted(answers, key=rank, reverse=True)

    def _corrected(self, image: np.ndarray, mask: np.ndarray, clicks: Sequence[Click]) -> np.ndarray | None:
        """Return the mask, changed at the last click; None where SAM sees nothing to change there."""
        piece = None if clicks[-1][2] else changed_at(np.zeros_like(mask), mask, clicks[-1])
        if piece is not None and (mask & ~piece).any() and self._is_thing(image, piece, clicks[-1]):
            return mask & ~piece
        box, most = box_around(mask, clicks), MOST_CHANGED * np.count_nonzero(mask)
        for prior in (mask, None):
            answer = self._best(image, box, clicks, mask, prior)
            changed = changed_at(answer, mask, clicks[-1])
            if changed is not None and (prior is not None or np.count_nonzero(changed) <= most):
                if clicks[-1][2] and not touches(changed, mask):
                    changed = self._alone(image, mask, changed, clicks[-1])
                return mask ^ changed
        return None

    def _is_thing(self, image: np.ndarray, piece: np.ndarray, click: Click) -> bool:
        """Whether a piece of an outline is, as a whole, the thing at a click."""
        return mask_iou(self._new(image, None, [(click[0], click[1], True)]), piece) >= SAME_THING

    def _alone(self, image: np.ndarray, mask: np.ndarray, changed: np.ndarray, click: Click) -> np.ndarray:
        """Return what is at a click apart from the rest, where it is a thing of its own that holds what was added."""
        thing = changed_at(self._new(image, None, [click]), mask, click)
        if thing is None or np.count_nonzero(thing & changed) < SAME_THING * np.count_nonzero(changed):
            return changed
        return thing if np.count_nonzero(thing) <= 2 * np.count_nonzero(mask) else changed

    def _best(
        self,
        image: np.ndarray,
        box: Box | None,
        clicks: Sequence[Click],
        mask: np.ndarray,
        prior: np.ndarray | None,
    ) -> np.ndarray:
        """Return the answer that obeys most of the clicks, and then is most like the mask; bool of the picture's
        size.
        """
        shape = vote_shape(image)
        now = resized_mask(mask, shape)
        factor = shape[1] / image.shape[1]
        places = [(place_of((x * factor, y * factor, inside), shape), inside) for x, y, inside in clicks]

        def rank(answer: SoftCandidate) -> float:
            obeyed = sum((answer.probability[place] > 0.5) == inside for place, inside in places)
            return obeyed + answer.quality + LIKE_BEFORE * mask_iou(answer.probability > 0.5, now)

        answers = self._segmenter.prompted(image, box, clicks, shape, prior)
        return enlarged(max(answers, key=rank).probability, image)


def _whole(answer: SoftCandidate, image: np.ndarray) -> np.ndarray:
    return tidied(enlarged(answer.probability, image))


def _scaled(box: Box, factor: float) -> Box:
    x0, y0, x1, y1 = (side * factor for side in box)
    return x0, y0, x1, y1
