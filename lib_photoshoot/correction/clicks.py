"""Clicks and a box to an outline, through SAM's decoder.

An outline that is wrong in one place is right in the others, and SAM, asked about all of it anew, errs elsewhere. So of
an answer only that counts which changes something at the newest click (as the progressive merge of FocalClick does,
Chen et al. 2022, https://arxiv.org/abs/2204.02574). What SAM answers is put to the same vote as the filter's own
outlines: salience networks look at the picture before anybody clicks.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import mask_box
from lib_photoshoot.results import Box
from lib_photoshoot.segmentation.outlining import VOTE_SIDE, vote_copy
from lib_photoshoot.segmentation.protocol import SoftCandidate
from lib_photoshoot.segmentation.salience import Salience
from lib_photoshoot.segmentation.views import Views, near

Click = tuple[float, float, bool]
"""x and y in pixels, and whether that place belongs to the product."""
PICTURES_KEPT = 4
"""Pictures whose maps stay in memory, 8 MB each at most."""
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

    def __init__(self, segmenter: ClickSegmenter, quick: Salience | None = None, fine: Salience | None = None) -> None:
        """``quick`` and ``fine`` are the outliner's salience networks; without them SAM's answer stands alone."""
        self._segmenter = segmenter
        self._networks = {"quick": quick, "fine": fine}
        self._asking, self._looking = threading.Lock(), threading.Lock()
        self._seen: OrderedDict[bytes, dict[str, np.ndarray]] = OrderedDict()
        self._answers: OrderedDict[tuple[Any, ...], np.ndarray] = OrderedDict()

    def prepare(self, image: np.ndarray) -> None:
        """Look at a picture, uint8 RGB (height, width, 3), ahead of the clicks: this takes seconds."""
        self._segmenter.embed_ahead(image)
        self._maps(image, picture_digest(image))

    def outline(
        self, image: np.ndarray, start: np.ndarray | None, box: Box | None, clicks: Sequence[Click]
    ) -> np.ndarray:
        """Return the outline that a person means, bool (height, width).

        ``start`` is the outline that the clicks correct, None for a new one. A ``box`` begins anew: it holds all of the
        product.
        """
        if box is not None or (start is not None and not start.any()):
            start = None
        digest = picture_digest(image)
        with self._asking:
            maps = self._maps(image, digest)
            mask, first = start, 0 if start is not None or box is not None else 1
            beginning = (digest, None if start is None else picture_digest(start), box)
            if mask is None:
                if box is None and not clicks:
                    return np.zeros(image.shape[:2], bool)
                mask = self._once((*beginning, *clicks[:first]), lambda: self._new(image, maps, box, clicks[:first]))
            for number in range(first + 1, len(clicks) + 1):
                before, so_far = mask, clicks[:number]
                mask = self._once((*beginning, *so_far), lambda: self._corrected(image, maps, before, so_far))  # noqa: B023
        return mask.copy()

    def _new(
        self, image: np.ndarray, maps: Mapping[str, np.ndarray], box: Box | None, clicks: Sequence[Click]
    ) -> np.ndarray:
        return _enlarged(self._answer(image, maps, box, clicks, None), image)

    def _corrected(
        self, image: np.ndarray, maps: Mapping[str, np.ndarray], mask: np.ndarray, clicks: Sequence[Click]
    ) -> np.ndarray:
        """Return the mask, changed at the last click."""
        answer = _enlarged(self._answer(image, maps, _box_around(mask, clicks), clicks, mask), image)
        _, labels = cv2.connectedComponents((answer ^ mask).view(np.uint8), connectivity=8)
        label = labels[_place(clicks[-1], mask.shape)]
        return mask ^ (labels == label) if label else mask

    def _answer(
        self,
        image: np.ndarray,
        maps: Mapping[str, np.ndarray],
        box: Box | None,
        clicks: Sequence[Click],
        mask: np.ndarray | None,
    ) -> np.ndarray:
        """Return how much each pixel belongs to the product, float32 in [0, 1] of the size of an answer."""
        shape = vote_shape(image)
        prior = None if mask is None else mask.astype(np.float32)
        answers = self._segmenter.prompted(image, box, clicks, shape, prior)
        factor = shape[1] / image.shape[1]
        places = [(_place((x * factor, y * factor, inside), shape), inside) for x, y, inside in clicks]

        def rank(answer: SoftCandidate) -> float:
            return sum((answer.probability[place] > 0.5) == inside for place, inside in places) + answer.quality

        best = max(answers, key=rank)
        return _voted(best, maps)

    def _once(self, key: tuple[Any, ...], make: Any) -> np.ndarray:
        if key not in self._answers:
            self._answers[key] = make()
            while len(self._answers) > ANSWERS_KEPT:
                self._answers.popitem(last=False)
        return self._answers[key]

    def _maps(self, image: np.ndarray, digest: bytes) -> dict[str, np.ndarray]:
        """Return what the networks see in a picture, float32 of the size of an answer."""
        with self._looking:
            if digest not in self._seen:
                small = vote_copy(image)
                self._seen[digest] = {name: one.map(small) for name, one in self._networks.items() if one is not None}
                while len(self._seen) > PICTURES_KEPT:
                    self._seen.popitem(last=False)
            return self._seen[digest]


def vote_shape(image: np.ndarray) -> tuple[int, int]:
    """Return the size (height, width) of answers: that of the outliner's vote."""
    scale = min(1.0, VOTE_SIDE / max(image.shape[:2]))
    return max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale))


def picture_digest(image: np.ndarray) -> bytes:
    """Identify a picture or mask by its pixels."""
    return hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()


def _voted(best: SoftCandidate, maps: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the vote of an answer and of the networks, as far as these see the same."""
    hint = best.probability > 0.5
    around = mask_box(hint)
    if around is None:
        return best.probability
    views = Views(hint, [[best]])
    area = near(hint, around)
    for name, seen in maps.items():
        setattr(views, name, seen * area)
    return views.vote()


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
