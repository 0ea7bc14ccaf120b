"""An enhancer whose products keep their colour, around one that paints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from lib_photoshoot.colour.difference import Difference
from lib_photoshoot.enhancement.colour_hold import ColourChange, colour_change, hold_colour
from lib_photoshoot.enhancement.protocol import Enhancer
from lib_photoshoot.results import ProductRegion, Reason, Rejection

Original = Callable[[ProductRegion], "np.ndarray | None"]
"""The picture that has a product's own colours, uint8 sRGB (height, width, 3); None for the one that is enhanced."""

WORST = 2.5
"""Times a strict limit that the colour of the worst twentieth of a product may differ: a part that has another colour
hardly moves the mean. Measured with a limit of 4 (``benchmarks/identity.py``): six hundredths of a carton in another
hue are beyond it for 7 of 8 cartons, three for 1; of five harmless changes 1 in 40 is."""


@dataclass(frozen=True, eq=False)
class HeldRegion:
    """What a pass did to the colour of one product."""

    region: ProductRegion
    change: ColourChange


class HoldingEnhancer:
    """An ``Enhancer`` for one picture: what ``inner`` paints, with each product's colour held.

    ``strength`` 0..1 is the share of the shift that is taken back; with 0 it is only measured. ``limit`` is the mean
    CIEDE2000 from which on the original stays, None for none. ``strict`` are limits by product that hold whatever
    ``limit`` says, and for the worst part of the product too: of articles whose look is known. After :meth:`enhance`,
    ``held`` says what was measured, one entry for each product that was painted, and ``refused`` which ones are beyond
    their limit.
    """

    def __init__(
        self,
        inner: Enhancer,
        strength: float,
        limit: float | None,
        original: Original | None = None,
        strict: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self.inner = inner
        self.name = inner.name
        self.strength = strength
        self.limit = limit
        self.original = original
        self.strict = strict
        self.held: list[HeldRegion] = []
        self.refused: list[Rejection] = []

    def alpha(self, mask: np.ndarray) -> np.ndarray:
        """See ``Enhancer``."""
        return self.inner.alpha(mask)

    def enhance(self, image: np.ndarray, regions: Sequence[ProductRegion]) -> np.ndarray:
        """See ``Enhancer``."""
        self.held, self.refused = [], []
        result = self.inner.enhance(image, regions)
        taken = np.zeros(image.shape[:2], np.bool_)
        for region in regions:
            own = self._own_pixels(region, regions, taken)
            taken |= region.solid
            inside = own > 0
            if (result[inside] != image[inside]).any():
                result = self._held(image, result, region, own)
        return result

    def _held(self, image: np.ndarray, painted: np.ndarray, region: ProductRegion, own: np.ndarray) -> np.ndarray:
        photo = self.original(region) if self.original is not None else None
        true = image if photo is None else photo
        result = hold_colour(true, painted, own, self.strength)
        change = colour_change(true, painted, result, own)
        if change is None:
            return painted
        self.held.append(HeldRegion(region, change))
        if self._is_off(region.product, change.held):
            self.refused.append(Rejection(region.product, region.box, region.score, Reason.COLOUR_OFF))
            # Not left to the caller alone: a neighbour's soft edge may reach into this product.
            return np.where((own > 0)[..., None], image, painted)
        return result

    def _is_off(self, product: str, left: Difference) -> bool:
        """Whether what is left of a shift is beyond the product's limit."""
        strict = self.strict.get(product)
        if strict is not None:
            return left.mean > strict or left.percentile_95 > WORST * strict
        return self.limit is not None and left.mean > self.limit

    def _own_pixels(self, region: ProductRegion, regions: Sequence[ProductRegion], taken: np.ndarray) -> np.ndarray:
        """How much of each pixel is this product, float32 (height, width); 0 in others, and where nothing is painted.

        Where outlines overlap, the pixels belong to the first.
        """
        solid = region.solid
        alpha = solid.astype(np.float32) if region.alpha is None else region.alpha.astype(np.float32) / 255
        others = taken.copy()
        for other in regions:
            if other is not region:
                others |= other.solid & ~solid
        alpha[others | (self.inner.alpha(solid) == 0)] = 0
        return alpha
