"""Where an example shows the product: by its own transparency, else by what stands out, as SAM and the small network
see it together.
"""

from __future__ import annotations

import numpy as np

from lib_photoshoot.examples.sources import ExamplePicture
from lib_photoshoot.masks.morphology import fill_holes, mask_box, remove_islands
from lib_photoshoot.results import Box
from lib_photoshoot.segmentation.protocol import SoftSegmenter
from lib_photoshoot.segmentation.salience import Salience
from lib_photoshoot.segmentation.views import Views, soft_iou

STANDS_OUT = 0.5
LEAST_SHARE, MOST_SHARE = 0.01, 0.97
"""Of the picture: less is a speck, more is no outline but the whole picture."""
LEAST_ACCORD = 0.4
"""Overlap of SAM and the network below which they see two things, and the network alone is believed."""


class ExampleCutter:
    """Cuts examples out; knows no word."""

    def __init__(self, segmenter: SoftSegmenter, quick: Salience) -> None:
        self._segmenter = segmenter
        self._quick = quick

    def mask(self, picture: ExamplePicture) -> np.ndarray:
        """Return where ``picture`` shows the product, bool (height, width); all of it where nothing stands out."""
        if picture.alpha is not None:
            return picture.alpha > 127
        found = self.standing_out(picture.pixels)
        if found is None:
            return np.ones(picture.pixels.shape[:2], bool)
        hint, box, seen = found
        told = self._segmenter.soft(picture.pixels, box, hint.shape, refine=True)
        views = Views(hint, [told], seen)
        if soft_iou(np.mean(views.picks(), axis=0), seen) < LEAST_ACCORD:
            return hint
        mask = fill_holes(remove_islands(views.vote() > 0.5))
        return mask if mask.any() else hint

    def standing_out(self, image: np.ndarray) -> tuple[np.ndarray, Box, np.ndarray] | None:
        """Return mask (bool), box and map (float32) of what stands out in ``image``, uint8 RGB; None for nothing."""
        seen = self._quick.map(image)
        hint = remove_islands(seen >= STANDS_OUT)
        box = mask_box(hint)
        if box is None or not LEAST_SHARE <= hint.mean() <= MOST_SHARE:
            return None
        return hint, box, seen
