"""How the product stands in its frame: how large it is, and where its lowest point lies."""

from __future__ import annotations

import numpy as np

from lib_photoshoot.consistency.traits import Measured
from lib_photoshoot.masks.morphology import Rect, bounding_rect

_WISP = 0.02
"""A row of the outline counts from this share of the product's width on: a thread that hangs down is no foot."""

_GUESSED = 0.25
"""Confidence in the size of what is cut off."""


def size_in_frame(mask: np.ndarray) -> Measured | None:
    """Return the longer of the product's width and height, each as a share of the frame's; None for an empty mask.

    One that fills the frame from edge to edge has 1, however much of it lies beyond; of one that a single edge cuts off
    nobody knows how large it is, which the confidence says.

    >>> mask = np.zeros((10, 20), bool)
    >>> mask[4:9, 5:10] = True
    >>> size_in_frame(mask), ground_line(mask)
    (Measured(values=(0.5,), confidence=1.0), Measured(values=(0.9, 0.65), confidence=1.0))
    """
    rect = bounding_rect(mask)
    if rect is None:
        return None
    height, width = mask.shape
    share = max((rect.x1 - rect.x0) / width, (rect.y1 - rect.y0) / height)
    sure = share == 1 or not _cut_off(rect, mask.shape)
    return Measured((share,), 1.0 if sure else _GUESSED)


def ground_line(mask: np.ndarray) -> Measured | None:
    """Return where the product's lowest point and its middle lie, as shares of the frame's height from its top.

    None for an empty mask, and where the picture's lower edge cuts the product off: its foot is not seen then.
    """
    rect = bounding_rect(mask)
    if rect is None or rect.y1 >= mask.shape[0]:
        return None
    least = max(1.0, _WISP * (rect.x1 - rect.x0))
    rows = np.flatnonzero(np.count_nonzero(mask, axis=1) >= least)
    lowest = int(rows[-1]) + 1 if rows.size else rect.y1
    return Measured((lowest / mask.shape[0], (rect.y0 + lowest) / 2 / mask.shape[0]), 1.0)


def _cut_off(rect: Rect, shape: tuple[int, ...]) -> bool:
    return rect.x0 == 0 or rect.y0 == 0 or rect.x1 == shape[1] or rect.y1 == shape[0]
