"""A part that a person drew around or along, brought to the picture's own edges.

A hand is off by some pixels of the screen, so of a loop only a band along its line is open: inside of it the part's
colours are known, outside those of what is around it, and each pixel of the band goes to the side that it is like
(GrabCut: Rother, Kolmogorov & Blake 2004, https://doi.org/10.1145/1015706.1015720). A patch about a place goes as far
as its colour does.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from lib_photoshoot.correction.changes import pieces_along
from lib_photoshoot.masks.morphology import bounding_rect, distance_to

Path = Sequence[tuple[float, float]]

WORKING_SIDE = 440
"""Longest side, in pixels, in which colours are told apart: more takes seconds and finds the same edges."""
WIDE_SIDE = 300
"""The same where nearly all is open, as within a box: it takes longest then, and the edges are rough anyway."""
PATCH_SIDE = 960
FINER = 2.0
"""A small part is looked at enlarged: its thin legs and straps are more than a pixel or two then."""
ROUNDS = 1
"""Where a hand drew says what is inside as well as a first round does: more of them found edges no better, and took as
long again each.
"""
MORE_ROUNDS = 3
"""A line says less, and of a hollow part not even what is inside."""
EVEN = 2
"""Largest difference in a channel, of 255, that tells nothing: what was drawn stands."""
SURE_SHARE = 0.6
"""A part that is thinner than the hand is unsure keeps its middle: what lies deeper than this share of its depth."""
SEED, NEAR, FAR = 0.05, 0.15, 3.0
"""Of a line, in shares of how far a hand may be off: how wide it surely is on the part, how far to each side it likely
is, and how far the part may reach."""
BESIDE = 0.5
"""How far around a loop the ground is looked at, as a share of its longer side."""
PATCH_LEVELS = (4.0, 6.0, 8.0, 11.0, 15.0, 20.0, 27.0, 36.0)
"""Differences of colour in Lab (CIE76) up to which a patch may go."""
PATCHES = 3


def loop_inside(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Return what a closed line holds, bool of ``shape`` (height, width)."""
    inside = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(inside, [_fixed(path)], (1,), shift=4)
    return inside > 0


def line_of(path: Path, shape: tuple[int, ...], width: float) -> np.ndarray:
    """Return the pixels of an open line of a ``width`` in pixels, bool of ``shape`` (height, width)."""
    line = np.zeros(shape[:2], np.uint8)
    points = _fixed(path)
    cv2.polylines(line, [points], False, (1,), max(1, round(width)), shift=4)
    return line > 0


def snapped(
    image: np.ndarray, inside: np.ndarray, reach: float, hollow: bool = False, side: int = WORKING_SIDE
) -> np.ndarray:
    """Return a drawn part with its edge where colours change, bool (height, width).

    ``image`` is uint8 RGB (height, width, 3), ``inside`` (bool) what was drawn around, ``reach`` how far its line may
    be off, in pixels. Of a ``hollow`` one, as a chair, what is like the ground around it is left out inside too.
    ``side`` is the longest side in which colours are told apart.
    """
    rect = bounding_rect(inside, max(8, round(3 * reach)))
    if rect is None:
        return inside
    crop, drawn = image[rect.slices], inside[rect.slices]
    scale = min(FINER, side / max(drawn.shape))
    size = (max(1, round(drawn.shape[1] * scale)), max(1, round(drawn.shape[0] * scale)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    if np.ptp(small.reshape(-1, 3), axis=0).max() <= EVEN:
        return inside
    part = cv2.resize(drawn.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5
    found = _separated(small, _trimap(part, max(1.5, reach * scale), hollow), MORE_ROUNDS if hollow else ROUNDS)
    result = np.zeros_like(inside)
    way = cv2.INTER_LINEAR if scale < 1 else cv2.INTER_AREA
    enlarged = cv2.resize(found.astype(np.float32), drawn.shape[::-1], interpolation=way) > 0.5
    result[rect.slices] = enlarged
    return result


def ground_within(image: np.ndarray, mask: np.ndarray, drawn: np.ndarray, reach: float) -> np.ndarray:
    """Return what of an outline within a loop is more like the ground than like the rest, bool (height, width).

    ``image`` is uint8 RGB (height, width, 3); ``mask`` (bool) is the outline, ``drawn`` (bool) what was drawn around,
    and ``reach`` as of :func:`snapped`.
    """
    result = np.zeros_like(mask)
    loop = bounding_rect(drawn)
    if loop is None:
        return result
    rect = bounding_rect(drawn, round(max(3 * reach, BESIDE * max(loop.x1 - loop.x0, loop.y1 - loop.y0))))
    assert rect is not None
    crop, outline, inside = image[rect.slices], mask[rect.slices], drawn[rect.slices]
    scale = min(FINER, WORKING_SIDE / max(outline.shape))
    size = (max(1, round(outline.shape[1] * scale)), max(1, round(outline.shape[0] * scale)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    part = cv2.resize(outline.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5
    doubted = cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5
    labels = np.where(part, cv2.GC_FGD, cv2.GC_BGD).astype(np.uint8)
    labels[part & doubted] = cv2.GC_PR_FGD
    found = _separated(small, labels, MORE_ROUNDS)
    way = cv2.INTER_LINEAR if scale < 1 else cv2.INTER_AREA
    result[rect.slices] = cv2.resize(found.astype(np.float32), outline.shape[::-1], interpolation=way) <= 0.5
    return result & mask & drawn


def _trimap(part: np.ndarray, reach: float, hollow: bool) -> np.ndarray:
    """Return GrabCut's labels: what is sure, and what is likely, on both sides."""
    depth = distance_to(~part)
    # How deep a part is where a pixel lies: the middle of a thin one is sure too.
    widest = cv2.dilate(depth, np.ones((2 * round(reach) + 1,) * 2, np.uint8))
    sure = part & ((depth > reach) | (depth > SURE_SHARE * widest))
    labels = np.where(part, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    if not hollow:
        labels[sure] = cv2.GC_FGD
    labels[~part & (distance_to(part) > reach)] = cv2.GC_BGD
    return labels


def _separated(image: np.ndarray, labels: np.ndarray, rounds: int) -> np.ndarray:
    """Return which pixels GrabCut gives to the part, bool."""
    inner = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    if inner.sum() < 8 or (~inner).sum() < 8:
        return inner
    cv2.setRNGSeed(0)
    labels = labels.copy()
    models = np.zeros((1, 65)), np.zeros((1, 65))
    try:
        cv2.grabCut(image, labels, (0, 0, 1, 1), *models, rounds, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # a side of one colour alone
        return inner
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def along_line(image: np.ndarray, path: Path, free: np.ndarray, reach: float) -> np.ndarray:
    """Return what is like the pixels below a line and hangs together with it, bool (height, width).

    ``free`` (bool) is where the part may lie; ``reach`` as of :func:`snapped`.
    """
    line = line_of(path, image.shape, max(1.0, SEED * reach)) & free
    around = FAR * reach
    rect = bounding_rect(line, round(around) + 4)
    if rect is None:
        return line
    crop, seeds, may = image[rect.slices], line[rect.slices], free[rect.slices]
    scale = min(FINER, WORKING_SIDE / max(seeds.shape))
    size = (max(1, round(seeds.shape[1] * scale)), max(1, round(seeds.shape[0] * scale)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    sure = cv2.resize(seeds.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.3
    can = cv2.resize(may.view(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    distance = distance_to(sure)
    labels = np.where(can & (distance < around * scale), cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8)
    labels[can & (distance < NEAR * reach * scale)] = cv2.GC_PR_FGD
    labels[sure] = cv2.GC_FGD
    found = pieces_along(_separated(small, labels, MORE_ROUNDS) & can, sure)
    result = np.zeros_like(line)
    result[rect.slices] = cv2.resize(found.astype(np.float32), seeds.shape[::-1], interpolation=cv2.INTER_AREA) > 0.5
    return result & free


def colour_patches(image: np.ndarray, place: tuple[float, float], free: np.ndarray) -> list[np.ndarray]:
    """Return patches of one colour about a place, bool (height, width), the smallest first.

    ``free`` (bool) is where they may lie. Of all differences of colour those count from which a patch grows least: its
    edge is the picture's.
    """
    column, row = min(int(place[0]), image.shape[1] - 1), min(int(place[1]), image.shape[0] - 1)
    if not free[row, column]:
        return []
    scale = min(1.0, PATCH_SIDE / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (0, 0), 1.0), cv2.COLOR_RGB2LAB).astype(np.float32)
    lab[:, :, 0] *= 100 / 255
    may = cv2.resize(free.view(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    x, y = min(int(column * scale), size[0] - 1), min(int(row * scale), size[1] - 1)
    seed = np.median(lab[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].reshape(-1, 3), axis=0)
    difference = np.sqrt(((lab - seed) ** 2).sum(2))
    grown = []
    for level in PATCH_LEVELS:
        near = (may & (difference < level)).astype(np.uint8)
        near[y, x] = 1
        _, labels = cv2.connectedComponents(near, connectivity=4)
        grown.append(labels == labels[y, x])
    areas = [max(1, int(np.count_nonzero(one))) for one in grown]
    order = sorted(range(len(grown) - 1), key=lambda at: areas[at + 1] / areas[at])
    result: list[np.ndarray] = []
    for at in sorted(order[:PATCHES], key=lambda at: areas[at]):
        if areas[at] < 12:
            continue
        closed = cv2.morphologyEx(grown[at].astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        large = cv2.resize(closed.astype(np.float32), image.shape[1::-1], interpolation=cv2.INTER_LINEAR) > 0.5
        result.append(large & free)
    return result


def _fixed(path: Path) -> np.ndarray:
    """Return a path's points as OpenCV takes them with a shift of four: sixteenths of a pixel, from its centre."""
    return np.round((np.asarray(path, float).reshape(-1, 1, 2) - 0.5) * 16).astype(np.int32)
