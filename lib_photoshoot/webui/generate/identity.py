"""Whether the products of a new scene are still those of their photo, as the networks see them.

That no pixel changed is counted elsewhere. This asks what a buyer would: made smaller, in other light, repainted or
with another colour cast, is it the same article? The photo itself is the example, unless the user gave others.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.masks.cutout import cut_out_pixels

if TYPE_CHECKING:
    from lib_photoshoot.colour.space import ColourSpace
    from lib_photoshoot.products import Product
    from lib_photoshoot.results import FilterResult, ProductRegion

LEAST_SIDE = 48
"""Pixels of a product's longer side below which the networks see too little of it."""


def identities(
    models: Any, products: Sequence[Product], result: FilterResult, space: ColourSpace
) -> list[dict[str, Any]]:
    """Return for each product of a result in a new scene ``product``, ``same`` and ``says``, a sentence's part.

    ``models`` are those of a :class:`~lib_photoshoot.build.Models`, ``space`` is that of the result's pixels. ``same``
    is None where it cannot be told, and ``says`` why.
    """
    assert result.scene is not None, "there is no scene to look at"
    picture = space.to_srgb(result.image)
    named = {product.name: product for product in products}
    return [
        _identity(models, named[photo.product], space.to_srgb(result.scene.photo), photo, picture, placed)
        for photo, placed in zip(result.regions, result.scene.regions, strict=True)
    ]


def _identity(
    models: Any,
    product: Product,
    photo: np.ndarray,
    region: ProductRegion,
    picture: np.ndarray,
    placed: ProductRegion,
) -> dict[str, Any]:
    entry: dict[str, Any] = {"product": product.name, "same": None}
    if max(placed.box[2] - placed.box[0], placed.box[3] - placed.box[1]) < LEAST_SIDE:
        return entry | {"says": "identity not checked: it is too small to be recognised"}
    with tempfile.TemporaryDirectory(prefix="photoshoot-") as folder:
        if not product.examples:
            path = Path(folder) / "photo.png"
            pixels, alpha = cut_out_pixels(photo, region.solid, matte=region.alpha)
            Image.fromarray(np.dstack([pixels, alpha])).save(path, compress_level=1)
            product = replace(product, examples=(str(path),))
        try:
            found = models.detector.finder(product).identity(picture, placed.mask, product)
        except PhotoshootError as error:
            return entry | {"says": f"identity not checked: {str(error).rstrip('.')}"}
    return entry | {"same": found.is_same, "says": found.in_words()}
