"""What SAM is asked about a step, in the terms in which it answers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Protocol

import cv2
import numpy as np

from lib_photoshoot.correction.changes import Click, place_of
from lib_photoshoot.masks.morphology import mask_box
from lib_photoshoot.pages.fixing import Step, StepKind
from lib_photoshoot.results import Box
from lib_photoshoot.segmentation.outlining import VOTE_SIDE
from lib_photoshoot.segmentation.protocol import SoftCandidate
from lib_photoshoot.segmentation.working_copy import picture_digest

QUESTIONS_KEPT = 8
"""A step asks about half as many; three answers of up to 4 MB each."""


class ClickSegmenter(Protocol):
    """What answers clicks: see :class:`lib_photoshoot.segmentation.sam.SamSegmenter`."""

    def prompted(
        self,
        image: np.ndarray,
        box: Box | None,
        points: Sequence[Click],
        shape: tuple[int, ...],
        prior: np.ndarray | None = None,
    ) -> list[SoftCandidate]: ...

    def embed_ahead(self, image: np.ndarray) -> None: ...


class RememberingSegmenter:
    """Answers each of the last questions once: the likely answer to a step and the other ones ask some of the same.

    A ``prior`` is bool here.
    """

    def __init__(self, segmenter: ClickSegmenter) -> None:
        self._segmenter = segmenter
        self._answers: OrderedDict[tuple[Any, ...], list[SoftCandidate]] = OrderedDict()

    def embed_ahead(self, image: np.ndarray) -> None:
        """See :class:`ClickSegmenter`."""
        self._segmenter.embed_ahead(image)

    def prompted(
        self,
        image: np.ndarray,
        box: Box | None,
        points: Sequence[Click],
        shape: tuple[int, ...],
        prior: np.ndarray | None = None,
    ) -> list[SoftCandidate]:
        """See :class:`ClickSegmenter`."""
        shown = None if prior is None else picture_digest(np.packbits(prior))
        key = (picture_digest(image), box, tuple(points), shape, shown)
        if key not in self._answers:
            soft = None if prior is None else prior.astype(np.float32)
            self._answers[key] = self._segmenter.prompted(image, box, points, shape, soft)
            while len(self._answers) > QUESTIONS_KEPT:
                self._answers.popitem(last=False)
        return self._answers[key]


def vote_shape(image: np.ndarray) -> tuple[int, int]:
    """Return the size (height, width) in which answers are given: that of the outliner's vote."""
    scale = min(1.0, VOTE_SIDE / max(image.shape[:2]))
    return max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale))


def box_of(step: Step) -> Box:
    """Return the box that a step's path spans."""
    columns, rows = zip(*step.path, strict=True)
    return min(columns), min(rows), max(columns), max(rows)


def spread(path: Sequence[tuple[float, float]], count: int) -> list[tuple[float, float]]:
    """Return ``count`` places at even distances along a path, its very ends left out."""
    line = np.asarray(path, float)
    ways = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    if ways[-1] == 0:
        return [(float(line[0][0]), float(line[0][1]))]
    at = (np.arange(count) + 0.5) / count * ways[-1]
    return [
        (float(x), float(y))
        for x, y in zip(np.interp(at, ways, line[:, 0]), np.interp(at, ways, line[:, 1]), strict=True)
    ]


def clicks_of(steps: Sequence[Step]) -> list[Click]:
    """Return the clicks among steps; of a line the middle."""
    places = [(spread(step.path, 1)[0], step) for step in steps if step.kind in (StepKind.CLICK, StepKind.LINE)]
    return [(x, y, step.inside) for (x, y), step in places]


def enlarged(answer: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Return an answer, float32 in [0, 1], as a mask of the picture's size, bool (height, width)."""
    return cv2.resize(answer, image.shape[1::-1], interpolation=cv2.INTER_LINEAR) > 0.5


def box_around(mask: np.ndarray, clicks: Sequence[Click]) -> Box | None:
    """Return the box of a mask and of the clicks that belong to the product; None for neither."""
    marked = mask.copy()
    for click in clicks:
        if click[2]:
            marked[place_of(click, mask.shape)] = True
    return mask_box(marked)
