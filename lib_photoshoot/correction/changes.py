"""What an answer changes of an outline at one place, and what is too small for anybody to have meant it.

Masks are ``bool`` arrays (height, width); a click is (x, y, whether that place belongs to the product), in pixels.
"""

from __future__ import annotations

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import bounding_rect, distance_to, grow

Click = tuple[float, float, bool]
CRUMB = 0.005
"""As a share of the outline: smaller islands and holes that an answer brings are its noise, and nobody means them."""
SEAM = 0.001
"""Half the width of the gaps that are closed where a part is joined, as a share of the picture's longest side."""
SPECK = 6
"""Side of a hole there that is filled too, in such halves."""
DISC = 0.05
"""Largest radius of what is changed where nothing is seen to change, as a share of the picture's longest side."""


def place_of(click: Click, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the row and column of a click, in a mask of ``shape`` (height, width)."""
    return min(max(int(click[1]), 0), shape[0] - 1), min(max(int(click[0]), 0), shape[1] - 1)


def changed_at(answer: np.ndarray, mask: np.ndarray, click: Click) -> np.ndarray | None:
    """Return what an answer adds to a mask, or takes away, at a click; None for nothing."""
    wanted = answer & ~mask if click[2] else mask & ~answer
    _, labels = cv2.connectedComponents(wanted.view(np.uint8), connectivity=8)
    label = labels[place_of(click, mask.shape)]
    return labels == label if label else None


def pieces_along(mask: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Return the pieces of a mask that a line (bool) meets."""
    _, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=8)
    met = np.zeros(int(labels.max()) + 1, bool)
    met[labels[line & mask]] = True
    met[0] = False
    return met[labels]


def tidied(mask: np.ndarray, before: np.ndarray | None = None, click: Click | None = None) -> np.ndarray:
    """Return a mask without crumbs: small islands and holes, but not those of ``before``, nor the one at the click."""
    least = CRUMB * np.count_nonzero(mask)
    result = mask.copy()
    for value in (True, False):
        labels, areas = _pieces(result == value)
        crumbs = areas < least
        crumbs[0] = False
        if click is not None:
            crumbs[labels[place_of(click, mask.shape)]] = False
        if before is not None and crumbs.any():
            pixels = np.flatnonzero(crumbs[labels])
            numbers, first = np.unique(labels.ravel()[pixels], return_index=True)
            old, old_areas = _pieces(before == value)
            old_areas[0] = 0
            # A connected piece that lies in an old one of its very size is that one.
            crumbs[numbers[old_areas[old.ravel()[pixels[first]]] == areas[numbers]]] = False
        if crumbs.any():
            result[crumbs[labels]] = not value
    return result


def without(mask: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return a mask from which a part is taken away, without the rim of crumbs that is left where the outline ran a
    little outside of it. The part itself, however small an opening it is, is no crumb: somebody pointed at it.
    """
    labels, areas = _pieces(part & mask)
    areas[0] = 0
    return tidied(mask & ~part, mask) & ~((labels == np.argmax(areas)) & part)


def joined(mask: np.ndarray, part: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return a mask and a part that is added to it, without the gaps and specks of holes along the seam between them.

    Only what was ``drawn``, bool (height, width), is closed, and nothing that lies beside one of the two alone.
    """
    result, radius = mask | part, max(1, round(SEAM * max(mask.shape)))
    rect = bounding_rect(drawn, SPECK * radius)
    if rect is None:
        return result
    both, within = result[rect.slices], drawn[rect.slices]
    seam = grow(mask[rect.slices], 2 * radius) & grow(part[rect.slices], 2 * radius) & within
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    both |= cv2.morphologyEx(both.view(np.uint8), cv2.MORPH_CLOSE, kernel).view(bool) & seam
    labels, areas = _pieces(~both)
    specks = (areas <= (SPECK * radius) ** 2) & (np.bincount(labels[seam], minlength=len(areas)) > 0)
    specks[0] = False
    # What reaches the frame goes on beyond it.
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        specks[side] = False
    both |= specks[labels] & within
    return result


def disc_at(mask: np.ndarray, click: Click) -> np.ndarray:
    """Return a disc at a click that reaches to the mask's edge: what is changed where nothing is seen to change."""
    row, column = place_of(click, mask.shape)
    inside = bool(mask[row, column])
    if inside == click[2]:
        return np.zeros(mask.shape, bool)
    depth = float(distance_to(~mask if inside else mask)[row, column])
    radius = max(1, round(min(depth, DISC * max(mask.shape))))
    disc = np.zeros(mask.shape, np.uint8)
    cv2.circle(disc, (column, row), radius, (1,), cv2.FILLED)
    return (disc > 0) & (mask == inside)


def touches(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two masks meet, or nearly."""
    return bool((cv2.dilate(one.view(np.uint8), np.ones((5, 5), np.uint8)).view(bool) & other).any())


def _pieces(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the pieces, 0 for what is none, and their areas by number."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    return labels, stats[:, cv2.CC_STAT_AREA]
