"""An enhancer's work on the products of a picture: what becomes of each of them, and of its colour.

Of what an enhancement spoils the original stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lib_photoshoot.colour.difference import COMPARED, Difference, difference
from lib_photoshoot.colour.space import ColourSpace
from lib_photoshoot.compose import changed_outside, compose
from lib_photoshoot.enhancement.protocol import Enhancer
from lib_photoshoot.masks.morphology import merge
from lib_photoshoot.products import Product
from lib_photoshoot.results import ProductRegion, Reason, Rejection, matte_of

Lost = Callable[[np.ndarray, Sequence[ProductRegion]], list[Rejection]]
"""Which of the products are lost in a picture, uint8 sRGB (height, width, 3), that was made of another."""


@dataclass(frozen=True, eq=False)
class Enhanced:
    """``image`` is the picture itself where no enhancement stands; ``changed`` counts pixels changed outside products.

    ``regions`` are all that were to be enhanced, measured anew where they were; ``rejected`` has those that stayed.
    """

    image: np.ndarray
    changed: int
    regions: list[ProductRegion]
    rejected: list[Rejection]


def enhance_products(
    image: np.ndarray,
    space: ColourSpace,
    regions: Sequence[ProductRegion],
    products: Sequence[Product],
    enhancer: Enhancer,
    lost: Lost | None = None,
) -> Enhanced:
    """Enhance the products of a picture, uint8 or uint16 RGB (height, width, 3) in ``space``.

    Those stay as they were which the enhancer refuses, which ``lost`` names, and which are of another colour then than
    ``products`` say. Raises EnhancementError.
    """
    enhanced = _enhanced_by(enhancer, image, regions, space)
    rejected = _refused_by(enhancer)
    kept = without(regions, rejected)
    while kept:
        alpha = _weight(enhancer, kept, image.shape[:2])
        result = compose(image, enhanced, alpha)
        srgb = space.to_srgb(result)
        undone = lost(srgb, kept) if lost is not None else []
        checked = with_checks(srgb, kept, products)
        undone += colour_off(without(checked, undone))
        if not undone:
            new = dict(zip(map(id, kept), checked, strict=True))
            seen = [new.get(id(region), region) for region in regions]
            seen = _with_colours(seen, image, result, space)
            return Enhanced(result, changed_outside(image, result, alpha), seen, rejected)
        # Only the products that the enhancement spoiled go back to the original.
        rejected += undone
        kept = without(kept, undone)
    return Enhanced(image, 0, list(regions), rejected)


def with_checks(srgb: np.ndarray, regions: Sequence[ProductRegion], products: Sequence[Product]) -> list[ProductRegion]:
    """Return the regions with their colours in a picture, uint8 sRGB (height, width, 3), where products have a
    reference.
    """
    references = {product.name: product.colour for product in products}
    if not any(references.get(region.product) for region in regions):
        return list(regions)
    from lib_photoshoot.colour.comparison import measure_colour

    found = []
    for region in regions:
        reference = references.get(region.product)
        check = None if reference is None else measure_colour(srgb, region.solid, reference)
        found.append(replace(region, colour_check=check))
    return found


def colour_off(regions: Sequence[ProductRegion]) -> list[Rejection]:
    """Of checked regions those that lie beyond their tolerance."""
    return [
        Rejection(region.product, region.box, region.score, Reason.COLOUR_OFF, region.colour_check)
        for region in regions
        if region.colour_check is not None and region.colour_check.is_off
    ]


def _enhanced_by(
    enhancer: Enhancer, image: np.ndarray, regions: Sequence[ProductRegion], space: ColourSpace
) -> np.ndarray:
    """Return what an enhancer makes of a picture in any space; one that knows sRGB alone is given that.

    ``image`` is uint8 or uint16 RGB (height, width, 3) in ``space``, and so is the result. Raises EnhancementError.
    """
    if getattr(enhancer, "any_space", False):
        return enhancer.enhance(image, regions, space)  # type: ignore[call-arg]
    return space.from_srgb(enhancer.enhance(space.to_srgb(image), regions), image.dtype)


def _with_colours(
    regions: Sequence[ProductRegion], before: np.ndarray, after: np.ndarray, space: ColourSpace
) -> list[ProductRegion]:
    """Return the regions, each with the difference that an enhancement made to its colours."""
    return [replace(region, colour=_difference(region.solid, before, after, space)) for region in regions]


def _difference(mask: np.ndarray, before: np.ndarray, after: np.ndarray, space: ColourSpace) -> Difference | None:
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return None
    step = -(-len(rows) // COMPARED)
    at = rows[::step], columns[::step]
    one, other = (space.to_lab(pixels[at][None])[0] for pixels in (before, after))
    return difference(one, other)


def _refused_by(enhancer: Enhancer) -> list[Rejection]:
    """Return the products that the enhancer itself would have left as they were; see ``Enhancer``."""
    return list(getattr(enhancer, "refused", ()))


def without(regions: Sequence[ProductRegion], lost: Sequence[Rejection]) -> list[ProductRegion]:
    """Return the regions that were not rejected."""
    gone = {(item.product, item.box) for item in lost}
    return [region for region in regions if (region.product, region.box) not in gone]


def _weight(enhancer: Enhancer, regions: Sequence[ProductRegion], shape: tuple[int, ...]) -> np.ndarray:
    """Return how much of the enhanced picture counts, float32 (height, width) in [0, 1].

    An enhancer that leaves shapes as they are counts as much as each pixel is product; others have a soft edge of their
    own.
    """
    alpha = enhancer.alpha(merge([region.solid for region in regions], shape))
    matte = matte_of(regions)
    if matte is None or not getattr(enhancer, "keeps_shape", False):
        return alpha
    # Where the enhancer has not worked nothing counts.
    return np.where(alpha > 0, matte.astype(np.float32) / 255, np.float32(0))
