"""Clicks and a box to an outline, through SAM's decoder.

An outline that is wrong in one place is right in the others, and SAM, asked about all of it anew, errs elsewhere. So of
an answer only that counts which changes something at the newest click, and in the way that the click says (FocalClick,
Chen et al. 2022, https://arxiv.org/abs/2204.02574, merges likewise). Measured on the outlines that our filter gets
wrong, its vote of several views does harm here: they have erred already. ``benchmarks/correction_clicks.py``.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import cv2
import numpy as np

from lib_photoshoot.detection.verification import iou
from lib_photoshoot.masks.comparison import mask_iou
from lib_photoshoot.masks.morphology import distance_to, mask_box
from lib_photoshoot.results import Box
from lib_photoshoot.segmentation.outlining import VOTE_SIDE
from lib_photoshoot.segmentation.protocol import SoftCandidate
from lib_photoshoot.segmentation.working_copy import resized_mask

Click = tuple[float, float, bool]
"""x and y in pixels, and whether that place belongs to the product."""
MOST_CHANGED = 0.3
"""What a second question changes is no more than this share of the outline: it knows less of what is meant."""
LIKE_BEFORE = 0.5
"""How much of the overlap with the outline so far counts beside SAM's own word on its answers."""
SAME_THING = 0.8
"""Overlap from which a separate piece and the thing at a click are one."""
CRUMB = 0.005
"""As a share of the outline: smaller islands and holes that an answer brings are its noise, and nobody means them."""
ANSWERS_KEPT = 32
"""The last click of several asks again about the others: their answers are known, 3 MB each at most."""


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


class ClickOutliner:
    """Outlines by clicks; methods may be called from several threads."""

    def __init__(self, segmenter: ClickSegmenter) -> None:
        self._segmenter = segmenter
        self._asking = threading.Lock()
        self._answers: OrderedDict[tuple[Any, ...], np.ndarray] = OrderedDict()

    def prepare(self, image: np.ndarray) -> None:
        """Look at a picture, uint8 RGB (height, width, 3), ahead of the clicks: this takes seconds."""
        self._segmenter.embed_ahead(image)

    def outline(
        self, image: np.ndarray, start: np.ndarray | None, box: Box | None, clicks: Sequence[Click]
    ) -> np.ndarray:
        """Return the outline that a person means, bool (height, width).

        ``start`` is the outline that the clicks correct, None for a new one. A ``box`` begins anew: it holds all of the
        product.
        """
        if box is not None or (start is not None and not start.any()):
            start = None
        if start is None and box is None and not clicks:
            return np.zeros(image.shape[:2], bool)
        # Without an outline or a box it is the first click that says what is meant.
        first = 0 if start is not None or box is not None else 1
        with self._asking:
            begun = (_digest(image), None if start is None else _digest(start), box)
            mask = start
            if mask is None:
                mask = self._once((*begun, *clicks[:first]), partial(self._new, image, box, clicks[:first]))
            for number in range(first + 1, len(clicks) + 1):
                so_far = clicks[:number]
                mask = self._once((*begun, *so_far), partial(self._tidied, image, mask, so_far))
        return mask.copy()

    def _new(self, image: np.ndarray, box: Box | None, clicks: Sequence[Click]) -> np.ndarray:
        shape = vote_shape(image)
        answers = self._segmenter.prompted(image, box, clicks, shape)
        drawn = None if box is None else _scaled(box, shape[1] / image.shape[1])

        def rank(answer: SoftCandidate) -> float:
            around = mask_box(answer.probability > 0.5)
            # A box is drawn around the whole product: what fills less of it is a part.
            return answer.quality + (iou(around, drawn) if around is not None and drawn is not None else 0.0)

        return _tidy(_enlarged(max(answers, key=rank).probability, image))

    def _tidied(self, image: np.ndarray, mask: np.ndarray, clicks: Sequence[Click]) -> np.ndarray:
        return _tidy(self._corrected(image, mask, clicks), mask, clicks[-1])

    def _corrected(self, image: np.ndarray, mask: np.ndarray, clicks: Sequence[Click]) -> np.ndarray:
        """Return the mask, changed at the last click."""
        piece = None if clicks[-1][2] else _changed(np.zeros_like(mask), mask, clicks[-1])
        if piece is not None and (mask & ~piece).any() and self._is_thing(image, piece, clicks[-1]):
            return mask & ~piece
        box, most = _box_around(mask, clicks), MOST_CHANGED * np.count_nonzero(mask)
        for prior in (mask.astype(np.float32), None):
            answer = self._best(image, box, clicks, mask, prior)
            changed = _changed(answer, mask, clicks[-1])
            if changed is not None and (prior is not None or np.count_nonzero(changed) <= most):
                if clicks[-1][2] and not _touches(changed, mask):
                    changed = self._alone(image, mask, changed, clicks[-1])
                return mask ^ changed
        return mask ^ _around(mask, clicks[-1])

    def _is_thing(self, image: np.ndarray, piece: np.ndarray, click: Click) -> bool:
        """Whether a piece of an outline is, as a whole, the thing at a click."""
        return mask_iou(self._new(image, None, [(click[0], click[1], True)]), piece) >= SAME_THING

    def _alone(self, image: np.ndarray, mask: np.ndarray, changed: np.ndarray, click: Click) -> np.ndarray:
        """Return what is at a click apart from the rest, where it is a thing of its own that holds what was added."""
        thing = _changed(self._new(image, None, [click]), mask, click)
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
        places = [(_place((x * factor, y * factor, inside), shape), inside) for x, y, inside in clicks]

        def rank(answer: SoftCandidate) -> float:
            obeyed = sum((answer.probability[place] > 0.5) == inside for place, inside in places)
            return obeyed + answer.quality + LIKE_BEFORE * mask_iou(answer.probability > 0.5, now)

        answers = self._segmenter.prompted(image, box, clicks, shape, prior)
        return _enlarged(max(answers, key=rank).probability, image)

    def _once(self, key: tuple[Any, ...], make: Callable[[], np.ndarray]) -> np.ndarray:
        if key not in self._answers:
            self._answers[key] = make()
            while len(self._answers) > ANSWERS_KEPT:
                self._answers.popitem(last=False)
        return self._answers[key]


def vote_shape(image: np.ndarray) -> tuple[int, int]:
    """Return the size (height, width) in which answers are given: that of the outliner's vote."""
    scale = min(1.0, VOTE_SIDE / max(image.shape[:2]))
    return max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale))


def _changed(answer: np.ndarray, mask: np.ndarray, click: Click) -> np.ndarray | None:
    """Return what an answer adds, or takes away, at a click, bool; None for nothing."""
    wanted = answer & ~mask if click[2] else mask & ~answer
    _, labels = cv2.connectedComponents(wanted.view(np.uint8), connectivity=8)
    label = labels[_place(click, mask.shape)]
    return labels == label if label else None


def _tidy(mask: np.ndarray, before: np.ndarray | None = None, click: Click | None = None) -> np.ndarray:
    """Return a mask without crumbs: small islands and holes, but not those of ``before``, nor the one at the click."""
    least = CRUMB * np.count_nonzero(mask)
    result = mask.copy()
    for value in (True, False):
        labels, areas = _pieces(result == value)
        crumbs = areas < least
        crumbs[0] = False
        if click is not None:
            crumbs[labels[_place(click, mask.shape)]] = False
        if before is not None and crumbs.any():
            pixels = np.flatnonzero(crumbs[labels])
            numbers, first = np.unique(labels.ravel()[pixels], return_index=True)
            old, old_areas = _pieces(before == value)
            old_areas[0] = 0
            # A connected piece that lies in an old one of its very size is that one.
            crumbs[numbers[old_areas[old.ravel()[pixels[first]]] == areas[numbers]]] = False
        result[crumbs[labels]] = not value
    return result


def _pieces(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the pieces, 0 for what is none, and their areas by number."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    return labels, stats[:, cv2.CC_STAT_AREA]


def _touches(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((cv2.dilate(one.view(np.uint8), np.ones((5, 5), np.uint8)).view(bool) & other).any())


def _around(mask: np.ndarray, click: Click) -> np.ndarray:
    """Return a disc at a click that reaches to the mask's edge: what is changed where SAM sees nothing to change."""
    row, column = _place(click, mask.shape)
    inside = bool(mask[row, column])
    if inside == click[2]:
        return np.zeros(mask.shape, bool)
    depth = float(distance_to(~mask if inside else mask)[row, column])
    radius = max(1, round(min(depth, 0.05 * max(mask.shape))))
    disc = np.zeros(mask.shape, np.uint8)
    cv2.circle(disc, (column, row), radius, (1,), cv2.FILLED)
    return (disc > 0) & (mask == inside)


def _enlarged(answer: np.ndarray, image: np.ndarray) -> np.ndarray:
    return cv2.resize(answer, image.shape[1::-1], interpolation=cv2.INTER_LINEAR) > 0.5


def _place(click: Click, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the row and column of a click, in a mask of ``shape`` (height, width)."""
    return min(max(int(click[1]), 0), shape[0] - 1), min(max(int(click[0]), 0), shape[1] - 1)


def _box_around(mask: np.ndarray, clicks: Sequence[Click]) -> Box | None:
    """Return the box of a mask and of the clicks that belong to the product; None for neither."""
    marked = mask.copy()
    for click in clicks:
        if click[2]:
            marked[_place(click, mask.shape)] = True
    return mask_box(marked)


def _scaled(box: Box, factor: float) -> Box:
    x0, y0, x1, y1 = (side * factor for side in box)
    return x0, y0, x1, y1


def _digest(pixels: np.ndarray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16).digest()
