"""The scene's colour cast on the product, where the user asks for it: the one thing here that changes its colours."""

from __future__ import annotations

import numpy as np

from lib_photoshoot.colour.space import ColourSpace
from lib_photoshoot.masks.morphology import bounding_rect

_SHARE = 0.5
"""Share of the surroundings' colour that falls on the product at strength 1."""
_MOST = 14.0
"""Largest shift of a* and b* together: a loud wall is no light of its colour."""
_AROUND = 0.15
"""How far the surroundings reach, as a share of the product's longer side."""


def with_cast(
    article: np.ndarray, alpha: np.ndarray, scene: np.ndarray, strength: float, space: ColourSpace
) -> np.ndarray:
    """Return the article's colours shifted towards those of the scene around it; lightness stays.

    ``article`` and ``scene`` are uint8 or uint16 (height, width, 3) in ``space``, ``alpha`` uint8 (height, width),
    ``strength`` in [0, 1].
    """
    rect = bounding_rect(alpha)
    if rect is None or strength <= 0:
        return article
    reach = max(4, round(_AROUND * max(rect.x1 - rect.x0, rect.y1 - rect.y0)))
    wider = bounding_rect(alpha, reach)
    assert wider is not None
    ring = alpha[wider.slices] == 0
    if not ring.any():
        return article
    lab = space.to_lab(np.ascontiguousarray(scene[wider.slices]))
    shift = strength * _SHARE * lab[ring][:, 1:].mean(axis=0)
    shift *= min(1.0, _MOST / max(float(np.hypot(*shift)), 1e-6))
    result = article.copy()
    part = np.ascontiguousarray(article[rect.slices])
    colours = space.to_lab(part)
    colours[..., 1:] += shift
    changed = space.from_lab(colours, part.dtype)
    result[rect.slices] = np.where(alpha[rect.slices][..., None] > 0, changed, part)
    return result
