"""Where the light comes from, by the shadow that the product casts on a plain ground.

On a plain ground a shadow is what is darker than the ground around it, hardly of another hue, and begins at the product
(M. Salvador, A. Cavallaro and T. Ebrahimi, "Cast shadow segmentation using invariant color features", CVIU 95 (2004)
238-259, https://doi.org/10.1016/j.cviu.2004.03.008). It falls away from the light. How high that stands, and whether a
shadow runs towards the camera or is short, looks much alike: of the direction, left and right are the surer part.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from lib_photoshoot.consistency.traits import Measured
from lib_photoshoot.masks.morphology import bounding_rect

_AROUND, _RIM = 0.8, 0.02
"""Shares of the product's longer side: how far around it the ground is looked at, and where its own edge shines in."""
_ROUNDS = 6
_PLAIN, _MOST_SPREAD = 0.45, 2.5
"""A ground is plain where so much of it lies within the noise of a smooth surface, and that noise is so small (L*)."""
_DARKER, _OTHER_HUE = 2.0, 8.0
"""A shadow's least darkness (L*), and how far its hue (a*b*) may be from the ground's."""
_LEAST = 0.004
"""The least area, as a share of the product's."""
_SURE = 0.12
"""How far aside of the product a shadow lies, in halves of its width, that is believed to 0.6."""


def light_by_shadow(lab: np.ndarray, mask: np.ndarray, known: np.ndarray) -> Measured | None:
    """Return where the light comes from, in degrees counterclockwise from the right; None where no shadow tells.

    ``lab`` is CIELAB float32 (height, width, 3) of a small copy of the picture, ``mask`` bool (height, width) the
    product, ``known`` bool where the picture's background is to be seen.
    """
    rect = bounding_rect(mask)
    if rect is None:
        return None
    side = max(rect.x1 - rect.x0, rect.y1 - rect.y0)
    around = bounding_rect(mask, math.ceil(_AROUND * side))
    assert around is not None
    lab, inside = lab[around.slices], mask[around.slices].astype(np.uint8)
    reach = max(1, round(_RIM * side))
    grown = cv2.dilate(inside, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    ground = known[around.slices] & ~grown
    if np.count_nonzero(ground) < 200:
        return None
    darker = _darker_than_ground(lab, ground)
    if darker is None:
        return None
    dark = _touching(ground & (darker > 0), cv2.dilate(grown.view(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    area = float(np.count_nonzero(dark)) / max(np.count_nonzero(inside), 1)
    if area < _LEAST:
        return None
    rows, columns = np.nonzero(dark)
    weights = darker[dark]
    bottom = np.flatnonzero(inside.any(axis=1))[-1]
    foot = np.flatnonzero(inside[max(0, bottom - side // 12) : bottom + 1].any(axis=0))
    x, y = (foot[0] + foot[-1]) / 2, float(bottom)
    aside = float((weights * (columns - x)).sum() / weights.sum())
    below = float((weights * (rows - y)).sum() / weights.sum())
    half = (rect.x1 - rect.x0) / 2
    confidence = 1 - math.exp(-abs(aside) / half / _SURE) if half else 0.0
    return Measured((math.degrees(math.atan2(below, -aside)) % 360,), confidence)


def _darker_than_ground(lab: np.ndarray, ground: np.ndarray) -> np.ndarray | None:
    """Return by how much L* a pixel of the ground is darker than the smooth lit ground, 0 where it is within the noise
    or of another hue; None where the ground is not plain."""
    height, width = ground.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    v, u = rows / max(height - 1, 1) - 0.5, columns / max(width - 1, 1) - 0.5
    terms = np.stack([np.ones_like(u), u, v, u * v, u * u, v * v], axis=-1)
    x, y = terms[ground], lab[..., 0][ground]
    weights = np.ones(len(y), np.float32)
    spread = 1.0
    for _ in range(_ROUNDS):
        w = weights[:, None]
        solution = np.linalg.lstsq((x * w).T @ x + 1e-3 * np.eye(6), (x * w).T @ y, rcond=None)[0]
        off = y - x @ solution
        # Shadows lie on one side only: what is lighter than the fit says how much noise there is.
        lighter = off[off > 0]
        spread = max(0.3, 1.4826 * float(np.median(lighter))) if lighter.size else 0.3
        weights = np.where(off < 0, 1 / (1 + (off / (1.5 * spread)) ** 2) ** 2, 1.0).astype(np.float32)
    plain = np.abs(off) < 3 * spread
    if spread > _MOST_SPREAD or plain.mean() < _PLAIN:
        return None
    a, b = (float(np.median(lab[..., channel][ground][plain])) for channel in (1, 2))
    fall = (terms @ solution) - lab[..., 0]
    # In the shadow chroma falls with the light.
    hue = np.hypot(lab[..., 1] - a, lab[..., 2] - b) < _OTHER_HUE
    return np.where(hue & (fall > max(_DARKER, 3 * spread)), fall, 0)


def _touching(dark: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Return those pieces of a mask that begin at the product."""
    _, labels = cv2.connectedComponents(dark.astype(np.uint8), connectivity=8)
    return dark & np.isin(labels, np.unique(labels[dark & near]))
