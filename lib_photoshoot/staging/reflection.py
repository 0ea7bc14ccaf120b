"""A hint of the product's mirror image on the ground: faded with depth, and a little blurred."""

from __future__ import annotations

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import Rect
from lib_photoshoot.staging.ground import ground_under

_FADE = 0.22
"""Share of the product's height over which the mirror image falls to a third."""
_BLUR = 0.006
"""Blur of the mirror image, as a share of the product's longer side."""
_STRONGEST = 0.6
"""Weight of the mirror image at the ground, at strength 1: nothing but a mirror shows more."""


def reflected(surface: np.ndarray, article: np.ndarray, alpha: np.ndarray, strength: float) -> np.ndarray:
    """Return the surface with the product's mirror image below the ground it stands on.

    ``surface`` and ``article`` are uint8 or uint16 (height, width, 3), ``alpha`` uint8 (height, width), ``strength`` in
    [0, 1]. The surface itself where there is nothing to see.
    """
    ground = ground_under(alpha)
    if ground is None or strength <= 0:
        return surface
    height, width = alpha.shape
    columns = np.arange(width)
    standing = ground.level * np.exp(-ground.gap / max(1.0, 0.02 * ground.side)) > 0.3
    if not standing.any():
        return surface
    # Beyond the outermost places where it stands the ground goes on level: there the hull is the product's side.
    axis = np.interp(columns, ground.columns[standing], ground.rows[standing])
    top = int(np.flatnonzero((alpha > 0).any(axis=1))[0])
    first, last = int(axis.min()), min(height, int(np.ceil(2 * axis.max() - top)) + 2)
    x0, x1 = max(0, int(ground.columns[0]) - 2), min(width, int(ground.columns[-1]) + 3)
    if first >= last:
        return surface
    rect = Rect(x0, first, x1, last)
    rows = np.arange(first, last, dtype=np.float32)[:, None]
    line = axis[None, x0:x1].astype(np.float32)
    # Only the product itself is mirrored: of a large picture more would not fit into memory.
    seen_from = np.s_[top:, x0:x1]
    where_y = 2 * line + 1 - rows - top
    where_x = np.broadcast_to(columns[None, x0:x1].astype(np.float32) - x0, where_y.shape)
    depth = np.maximum(rows - line, 0)
    opaque = alpha[seen_from].astype(np.float32) / 255
    weighted = article[seen_from].astype(np.float32) * opaque[..., None]
    mirrored, shown = (
        cv2.remap(values, where_x, where_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        for values in (weighted, opaque)
    )
    below = (rows > line).astype(np.float32)
    mirrored, shown = mirrored * below[..., None], shown * below
    sigma = max(0.6, _BLUR * ground.side)
    mirrored, shown = (cv2.GaussianBlur(values, (0, 0), sigma) for values in (mirrored, shown))
    fade = strength * _STRONGEST * np.exp(-depth / max(1.0, _FADE * (axis.max() - top)))
    result = surface.copy()
    part = result[rect.slices]
    seen = (shown * fade)[..., None]
    part[:] = np.rint(np.clip(part * (1 - seen) + mirrored * fade[..., None], 0, np.iinfo(part.dtype).max))
    return result
