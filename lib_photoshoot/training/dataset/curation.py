"""Which training pictures show a product, and where, by our own filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_photoshoot.images import read_picture
from lib_photoshoot.results import Box
from lib_photoshoot.training.dataset.dataset import Counting, TrainingImage
from lib_photoshoot.transparency import flattened

if TYPE_CHECKING:
    from lib_photoshoot.pipeline import ProductFilter
    from lib_photoshoot.products import Product

CROP_MARGIN = 0.1
"""Room around the products when a picture is cropped to them, as a share of the box's longer side."""


@dataclass(frozen=True)
class Curated:
    """What our product filter saw in a training image.

    ``products`` are the names found; ``crop`` is the box around all of them with a margin, in pixels of the upright
    picture with whole numbers, None where nothing was found.
    """

    image: TrainingImage
    products: tuple[str, ...]
    crop: Box | None

    @property
    def found(self) -> bool:
        """Whether a product is in the picture."""
        return bool(self.products)


def curate(
    images: Sequence[TrainingImage],
    product_filter: ProductFilter,
    products: Sequence[Product],
    margin: float = CROP_MARGIN,
    progress: Counting | None = None,
) -> tuple[Curated, ...]:
    """Look for the products in every image, so that pictures without them can be left out or cropped to them.

    ``margin`` is the room around the products, as a share of their box's longer side. Raises ProductsError for an
    unusable product word, and ImageError for a picture that is no longer there.
    """
    curated = []
    for done, image in enumerate(images, 1):
        regions = product_filter.detect(flattened(read_picture(image.path)), products).regions
        names = tuple(dict.fromkeys(name for region in regions for name in region.products))
        crop = _around([region.box for region in regions], margin, image.width, image.height) if regions else None
        curated.append(Curated(image, names, crop))
        if progress is not None:
            progress(done, len(images))
    return tuple(curated)


def _around(boxes: Sequence[Box], margin: float, width: int, height: int) -> Box:
    """Return the box around ``boxes`` with a margin, in whole pixels, inside the picture."""
    x0, y0 = min(box[0] for box in boxes), min(box[1] for box in boxes)
    x1, y1 = max(box[2] for box in boxes), max(box[3] for box in boxes)
    room = margin * max(x1 - x0, y1 - y0)
    left, top = max(0, round(x0 - room)), max(0, round(y0 - room))
    return float(left), float(top), float(min(width, round(x1 + room))), float(min(height, round(y1 + room)))
