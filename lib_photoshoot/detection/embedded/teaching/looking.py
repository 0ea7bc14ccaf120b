"""The views of a picture from which words are learned: as the detector will see products, whole, in part and alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from lib_photoshoot.detection.embedded.classifier import ImageNetClassifier, square_cutout
from lib_photoshoot.detection.embedded.teaching.lessons import number_of
from lib_photoshoot.masks.morphology import bounding_rect

CUTOUT, CELL, POOLED = 0, 1, 2
"""Kinds of views: a square cut-out, one cell of a picture, and the mean of a rectangle of cells."""

LONGEST_SIDE = 1024
MAP_SIDES = (288, 352, 416)
INNER = (0.28, 0.72)
"""Between these parts of its sides the subject of a picture of one thing is all but sure to cover a cell."""
INNER_CELLS, OTHER_CELLS, RECTANGLES = 6, 20, 4
ALONE_SHARE = 0.25
"""Of pictures of one thing, how many are also seen without their background."""
LEAST_SUBJECT = 0.03


@dataclass(frozen=True)
class PictureViews:
    """Features float32 (n, 1280) of a picture's views, and the kind of each, int (n)."""

    features: np.ndarray
    kinds: np.ndarray


def views_of(
    classifier: ImageNetClassifier,
    image: np.ndarray,
    key: str,
    *,
    is_subject: bool,
    salience: Callable[[np.ndarray], np.ndarray] | None = None,
) -> PictureViews:
    """Return the features of views of ``image``, uint8 RGB; which views, follows from ``key``.

    ``is_subject``: the picture is of one thing that is to be learned, so its middle, its cut-outs and the thing alone
    on white or grey (where ``salience`` tells what stands out, see
    :class:`~lib_photoshoot.segmentation.salience.Salience`) all show it. Else any cells and rectangles are taken: they
    are examples of what is not meant.
    """
    random = np.random.default_rng(number_of(key))
    image = _reduced(image)
    # Half the time on a CPU that has it, for differences smaller than those of one more JPEG.
    with torch.autocast("cpu", torch.bfloat16):
        cells = classifier.cell_features(image, int(random.choice(MAP_SIDES))).float().numpy()
        seen = list(_subject_cells(cells, random) if is_subject else _any_cells(cells, random))
        if is_subject:
            cutouts = list(_subject_cutouts(image, random, salience))
            seen += [(CUTOUT, row) for row in classifier.cutout_features(cutouts).float().numpy()]
    return PictureViews(np.stack([features for _, features in seen]), np.array([kind for kind, _ in seen]))


def _reduced(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    scale = LONGEST_SIDE / max(height, width)
    if scale >= 1:
        return image
    return cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)


def _subject_cells(cells: np.ndarray, random: np.random.Generator) -> Iterator[tuple[int, np.ndarray]]:
    rows, columns = cells.shape[1:]
    for _ in range(INNER_CELLS):
        yield CELL, cells[:, int(random.uniform(*INNER) * rows), int(random.uniform(*INNER) * columns)]
    yield POOLED, cells.mean((1, 2))
    yield POOLED, _rectangle(cells, random.uniform(0, 0.25, 2), random.uniform(0.75, 1, 2))


def _any_cells(cells: np.ndarray, random: np.random.Generator) -> Iterator[tuple[int, np.ndarray]]:
    for _ in range(OTHER_CELLS):
        yield CELL, cells[:, random.integers(cells.shape[1]), random.integers(cells.shape[2])]
    yield POOLED, cells.mean((1, 2))
    for _ in range(RECTANGLES):
        start = random.uniform(0, 0.6, 2)
        yield POOLED, _rectangle(cells, start, start + random.uniform(0.25, 0.9, 2))


def _rectangle(cells: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the mean of the cells from ``start`` to ``end``, row and column as parts of the sides; at least one."""
    shape = np.array(cells.shape[1:])
    first = (start * shape).astype(int)
    last = np.clip((end * shape).astype(int), first + 1, shape)
    return cells[:, first[0] : last[0], first[1] : last[1]].mean((1, 2))


def _subject_cutouts(
    image: np.ndarray, random: np.random.Generator, salience: Callable[[np.ndarray], np.ndarray] | None
) -> Iterator[np.ndarray]:
    height, width = image.shape[:2]
    whole = square_cutout(image, (0.0, 0.0, float(width), float(height)), 0)
    yield np.ascontiguousarray(whole[:, ::-1]) if random.random() < 0.5 else whole
    if salience is not None and random.random() < ALONE_SHARE:
        mask = salience(image) > 0.5
        rect = bounding_rect(mask)
        if rect is not None and mask.mean() > LEAST_SUBJECT:
            background = np.uint8(255 if random.random() < 0.5 else 128)
            alone = np.where(mask[..., None], image, background)[rect.slices]
            yield square_cutout(alone, (0.0, 0.0, float(alone.shape[1]), float(alone.shape[0])))
            return
    left, top, right, bottom = random.uniform(0.03, 0.12, 4)
    yield square_cutout(image, (left * width, top * height, (1 - right) * width, (1 - bottom) * height), 0)
