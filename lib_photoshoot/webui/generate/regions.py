"""Products whose outlines come with the request: nothing is looked for then."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lib_photoshoot.declared import check_names
from lib_photoshoot.images import Picture, decode_picture
from lib_photoshoot.products import Product, check_products
from lib_photoshoot.results import Decision, FilterResult, ProductRegion, Rejection
from lib_photoshoot.transparency import within
from lib_photoshoot.webui.http.errors import RequestError
from lib_photoshoot.webui.http.pictures import from_base64

if TYPE_CHECKING:
    from lib_photoshoot.colour.space import ColourSpace
    from lib_photoshoot.enhancement.protocol import Enhancer
    from lib_photoshoot.staging.protocol import SceneLook
    from lib_photoshoot.staging.scenery import Scenery

MOST_REGIONS = 20
_FIELDS = ("product", "mask", "score", "box", "cutout", "outline", "also")


def regions_of(
    values: Any, products: Sequence[Product], picture: Picture, limit: int
) -> tuple[list[ProductRegion], tuple[Product, ...]]:
    """Return the regions of a request and their products; those that ``detect`` returns with ``masks`` can be sent
    back.
    """
    if not isinstance(values, list) or not 1 <= len(values) <= MOST_REGIONS:
        raise RequestError(f"'regions' must be a list of 1 to {MOST_REGIONS} objects with 'mask' and 'product'.")
    known = {product.name: product for product in products}
    only = products[0].name if len(products) == 1 else "product"
    regions = [_region(value, number, only, picture, limit) for number, value in enumerate(values, 1)]
    names = dict.fromkeys(name for region in regions for name in region.products)
    return regions, check_products([*known.values(), *(Product(name) for name in names if name not in known)])


def _region(value: Any, number: int, product: str, picture: Picture, limit: int) -> ProductRegion:
    from lib_photoshoot.masks.morphology import bounding_rect
    from lib_photoshoot.products import normalise_word

    where = f"Region {number}"
    if not isinstance(value, Mapping) or value.get("mask") is None:
        raise RequestError(f"{where} has no 'mask'; give a black and white picture in base64, white on the product.")
    check_names(value, _FIELDS, f"{where} has the unknown field {{}}", RequestError)
    name = value.get("product", product)
    if not isinstance(name, str):
        raise RequestError(f"{where} has the product {name!r}; give its name.")
    also = value.get("also", [])
    if not isinstance(also, list) or not all(isinstance(word, str) for word in also):
        raise RequestError(f"{where} is also {also!r}; give a list of product names.")
    data = from_base64(value["mask"], "mask")
    mask = decode_picture(data, f"The mask of {where.lower()}", limit).pixels[:, :, 0] > 127
    if mask.shape != (picture.height, picture.width):
        raise RequestError(
            f"{where} has a mask of {mask.shape[1]}x{mask.shape[0]} pixels for a picture of "
            f"{picture.width}x{picture.height}; make them the same size."
        )
    rect = bounding_rect(mask)
    if rect is None:
        raise RequestError(f"{where} has an empty mask; paint the product white.")
    box = (float(rect.x0), float(rect.y0), float(rect.x1), float(rect.y1))
    region = ProductRegion(normalise_word(name), box, 1.0, mask, 1.0, also=tuple(map(normalise_word, also)))
    if picture.alpha is None or picture.alpha.min() == 255:
        return region
    seen, _ = within([region], picture.alpha)
    if not seen:
        raise RequestError(f"{where} lies where the picture is transparent; mark what can be seen.")
    return seen[0]


def enhance_regions(
    pixels: np.ndarray,
    opacity: np.ndarray | None,
    regions: Sequence[ProductRegion],
    enhancer: Enhancer | None,
    scenery: Scenery | None,
    space: ColourSpace,
    products: Sequence[Product] = (),
    look: SceneLook | None = None,
) -> FilterResult:
    """Enhance where the user says the products are, or paint a scene around them: nothing is looked for, so no
    enhanced product is looked for again either. With a ``look`` a scene in which they grew is tried again.

    ``pixels`` is uint8 or uint16 RGB (height, width, 3) in ``space``, ``opacity`` its alpha, uint8 (height, width), if
    it has any. Regions are compared with the colours of their ``products``. When the enhancement fails, the picture
    stays and the note says why.
    """
    from lib_photoshoot.enhancement.applying import with_checks
    from lib_photoshoot.new_scene import NOT_MADE, Checks, failure_of, make_picture

    height, width = pixels.shape[:2]
    image, changed, note, scene = pixels, 0, None, None
    rejected: list[Rejection] = []
    start, checks = time.perf_counter(), Checks(look=look)
    regions = with_checks(space.to_srgb(pixels), regions, products)
    if enhancer is not None or scenery is not None:
        try:
            done, scene = make_picture(pixels, opacity, space, regions, products, enhancer, scenery, checks)
            image, changed, regions, rejected = done.image, done.changed, done.regions, done.rejected
        except NOT_MADE as error:
            rejected = [Rejection(r.product, r.box, r.score, failure_of(error)) for r in regions]
            note = str(error)
    seconds = {"enhance" if scenery is None else "scene": round(time.perf_counter() - start, 4)}
    return FilterResult(
        width, height, Decision.MATCH, None, tuple(regions), tuple(rejected), image, changed, seconds, note, scene
    )
