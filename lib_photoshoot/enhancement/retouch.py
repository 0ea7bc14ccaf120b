"""Retouch the product without a diffusion model: sharpness and local contrast; lively also exposure and colour.

Every correction is measured on the masked product alone and works in CIE L*a*b* (L* 0..100): lightness and colour are
treated apart, so that sharpening makes no coloured fringes. Pictures of any size pass in strips of rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lib_photoshoot.colour.space import SRGB, ColourSpace
from lib_photoshoot.enhancement.toning import FAITHFUL, LIVELY, STRIP_PIXELS, RetouchSettings, Toning, within_limits
from lib_photoshoot.enhancement.white_balance import Neutral
from lib_photoshoot.masks.morphology import Rect, bounding_rect, check_mask, feather, grow, merge, row_strips
from lib_photoshoot.model_names import RetouchName
from lib_photoshoot.results import ProductRegion


def retouch_of(name: str | RetouchName, white_balance: str = "off") -> Retouch | None:
    """Return the enhancer of that name; None for ``off``. Raises WhiteBalanceError for an unusable
    ``white_balance``.
    """
    neutral = Neutral.parse(white_balance)
    if RetouchName(name) is RetouchName.OFF and neutral is None:
        return None
    settings = {RetouchName.LIVELY: LIVELY, RetouchName.OFF: replace(FAITHFUL, strength=0.0)}
    return Retouch(settings.get(RetouchName(name), FAITHFUL), neutral)


class Retouch:
    """The enhancer of the embedded default; an ``Enhancer`` that works in the picture's own colour space."""

    name = "retouch"
    keeps_shape = True
    any_space = True

    def __init__(self, settings: RetouchSettings | None = None, neutral: Neutral | None = None) -> None:
        """``neutral`` is what white balance is measured on; None leaves it alone."""
        self.settings = settings or RetouchSettings()
        self.neutral = neutral

    def alpha(self, mask: np.ndarray) -> np.ndarray:
        """Return the mask, feathered by the settings' own radius; see ``Enhancer``."""
        return feather(mask, self.settings.feather)

    def enhance(self, image: np.ndarray, regions: Sequence[ProductRegion], space: ColourSpace = SRGB) -> np.ndarray:
        """Retouch each region by its own measurement; see ``Enhancer``.

        ``image`` is uint8 or uint16 RGB (height, width, 3) in ``space``, and so is the result. ValueError for other
        shapes or types, NeutralError where the place named as neutral cannot be in this picture.
        """
        if image.dtype not in (np.uint8, np.uint16) or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(
                f"image must be uint8 or uint16 of shape (height, width, 3), not {image.dtype} {image.shape}"
            )
        for region in regions:
            check_mask(region.mask)
            if region.mask.shape != image.shape[:2]:
                raise ValueError(f"mask of shape {region.mask.shape} does not fit a picture of shape {image.shape[:2]}")
        result = image.copy()
        if self.settings.strength == 0 and self.neutral is None:
            return result
        for region in regions:
            # Where products touch, each keeps its own pixels and only the free surroundings are shared.
            others = [other.solid for other in regions if other is not region]
            self._retouch(image, region.solid, merge(others, region.mask.shape) if others else None, result, space)
        return result

    def _retouch(
        self, image: np.ndarray, mask: np.ndarray, others: np.ndarray | None, result: np.ndarray, space: ColourSpace
    ) -> None:
        margin = math.ceil(self.settings.feather) + 1
        rect = bounding_rect(mask, margin)
        if rect is None:
            return
        crop, inside, target = image[rect.slices], mask[rect.slices], result[rect.slices]
        support = grow(inside, margin)
        if others is not None:
            support &= inside | ~others[rect.slices]
        gains = None if self.neutral is None else self.neutral.gains(image, mask, space)
        plan = Toning.make(crop, inside, self.settings, space, gains)
        if self.settings.faithful:
            plan = within_limits(plan, crop, inside)
        for strip in row_strips(inside.shape, overlap=plan.overlap, pixels=STRIP_PIXELS):
            rows = slice(strip.start, strip.stop)
            outer = Rect(0, strip.outer_start, inside.shape[1], strip.outer_stop)
            retouched = plan.apply(crop[outer.slices], outer)[strip.inner]
            np.copyto(target[rows], retouched, where=support[rows, :, None])
