"""What a product seems to have gained in a painted scene: limbs, necks, straps, text (Eshratifar et al. 2024, "Salient
object-aware background generation using text-guided diffusion models").

The same look is taken twice, at the start of the scene and at what was painted, and the two are compared: what the look
takes for product in both cases says nothing about the painting.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import bounding_rect, grow

_SURE = 0.5
_EDGE = 0.012
"""Width of the rim around a product, as a share of its longer side, in which outlines differ for no reason."""


@dataclass(frozen=True)
class Growth:
    """``gained`` is the area that a product seems to have gained outside its alpha and ``hidden`` that which is no
    longer seen, both as shares of its area; ``floating`` that it touches no surface.
    """

    gained: float
    hidden: float = 0.0
    floating: bool = False


def measure_growth(alpha: np.ndarray, before: np.ndarray, after: np.ndarray) -> Growth:
    """Return what a product of this ``alpha`` (uint8, height, width) gained and lost between two looks.

    ``before`` is what the look took for the product at the start of the scene, ``after`` in the painted one: float32 in
    [0, 1] or bool (height, width). ``floating`` is not judged here.
    """
    own = alpha > 0
    rect = bounding_rect(own)
    if rect is None:
        return Growth(0.0)
    side = max(rect.x1 - rect.x0, rect.y1 - rect.y0)
    area = float(np.count_nonzero(alpha >= 128)) or float(np.count_nonzero(own))
    rim = max(2, round(_EDGE * side))
    new = (after > _SURE) & ~(before > _SURE) & ~grow(own, rim)
    # Only what hangs together with the product is more of it, across the rim that was left out.
    reach = grow(own, rim + 2)
    count, labels = cv2.connectedComponents((new | reach).astype(np.uint8), connectivity=8)
    joined = labels[own]
    gained = new & np.isin(labels, np.unique(joined[joined > 0])) if count > 1 else new
    hidden = (alpha == 255) & (before > _SURE) & ~(after > _SURE)
    return Growth(np.count_nonzero(gained) / area, np.count_nonzero(hidden) / area)
