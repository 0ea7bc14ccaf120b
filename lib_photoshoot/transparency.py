"""Transparent pictures: what lies below full transparency is no product, and nothing gets more opaque than it was.

What a file holds where its alpha is 0 nobody sees: often the whole uncut photo, or black.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lib_photoshoot.results import ProductRegion

if TYPE_CHECKING:
    from PIL import Image

    from lib_photoshoot.images import Picture

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
_GREY: Colour = (128, 128, 128)
_PALE = 225
"""Mean value from which a product would hardly be seen in front of white."""


def flattened(picture: Picture, colour: Colour = WHITE) -> np.ndarray:
    """Return the picture in sRGB, uint8 (H, W, 3), with ``colour`` behind what is transparent."""
    return picture.srgb if picture.alpha is None else _over(picture.srgb, picture.alpha, colour)


def rgba(picture: Picture) -> np.ndarray:
    """Return what the product filter is given of a picture: all its bits (H, W, 4), or (H, W, 3) where it is opaque."""
    if picture.alpha is None or picture.alpha.min() == 255:
        return picture.best
    scale = picture.best.dtype.type(1 if picture.deep is None else 257)
    return np.dstack([picture.best, picture.alpha.astype(picture.best.dtype) * scale])


def rgba_of(image: Image.Image) -> np.ndarray:
    """Return the same of a Pillow image in memory."""
    transparent = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    pixels = np.asarray(image.convert("RGBA" if transparent else "RGB"))
    return pixels if not transparent or pixels[:, :, 3].min() < 255 else np.ascontiguousarray(pixels[:, :, :3])


def split(image: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Pixels (H, W, 3) of uint8 or uint16 (H, W, 3 or 4), and alpha, uint8 (H, W); the array, and None, without."""
    if image.shape[2] == 3:
        return image, None
    from lib_photoshoot.colour.space import eight_bit

    return image[:, :, :3], eight_bit(image[:, :, 3])


def on_neutral_ground(pixels: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """Pixels (H, W, 3) as they are looked at: on white, or on grey where what is visible is nearly white itself."""
    if alpha is None:
        return pixels
    return _over(pixels, alpha, _GREY if _is_pale(pixels, alpha) else WHITE)


def over_white(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return pixels, uint8 or uint16 (H, W, 3) of any colour space, as they are seen on white; opaque ones stay."""
    result = pixels.copy()
    white = np.float32(np.iinfo(pixels.dtype).max)
    for rows in _strips(alpha):
        share = alpha[rows, :, None].astype(np.float32) / 255
        result[rows] = np.rint(pixels[rows] * share + white * (1 - share))
    return result


def within(regions: Iterable[ProductRegion], alpha: np.ndarray) -> tuple[list[ProductRegion], list[ProductRegion]]:
    """Return the regions as far as a picture's alpha, uint8 (H, W), shows them, and apart from them those of which
    nothing is.

    Each pixel of a product is as opaque as the picture there at most. Not their product: at a soft edge the outliner
    has measured the picture's own softness already.
    """
    seen: list[ProductRegion] = []
    unseen: list[ProductRegion] = []
    for region in regions:
        visible = _visible(region, alpha)
        (unseen if visible is None else seen).append(visible or region)
    return seen, unseen


def _visible(region: ProductRegion, alpha: np.ndarray) -> ProductRegion | None:
    from lib_photoshoot.masks.morphology import feather, fill_holes

    mask = fill_holes(region.mask & (alpha > 0))
    openings = mask & (alpha == 0)
    if region.openings is not None:
        openings |= mask & region.openings
    matte = region.alpha
    if matte is None:
        matte = np.rint(feather(mask & ~openings, 1.5) * 255).astype(np.uint8)
    matte = np.minimum(matte, alpha)
    if not matte.any() or not (mask & ~openings).any():
        return None
    return replace(region, mask=mask, openings=openings if openings.any() else None, alpha=matte)


def _is_pale(pixels: np.ndarray, alpha: np.ndarray) -> bool:
    total = count = 0
    for rows in _strips(alpha):
        visible = pixels[rows][alpha[rows] > 127]
        total += int(visible.sum(dtype=np.int64))
        count += visible.size
    return count > 0 and total / count >= _PALE


def _over(pixels: np.ndarray, alpha: np.ndarray, colour: Colour) -> np.ndarray:
    from PIL import Image

    result = np.empty(pixels.shape, np.uint8)
    for rows in _strips(alpha):
        part, opaque = (Image.fromarray(np.ascontiguousarray(values[rows])) for values in (pixels, alpha))
        ground = Image.new("RGB", part.size, colour)
        ground.paste(part, mask=opaque)
        result[rows] = np.asarray(ground)
    return result


def _strips(alpha: np.ndarray) -> Iterator[slice]:
    """Rows at a time: whole, a large picture would be in memory several times over."""
    from lib_photoshoot.masks.morphology import row_strips

    for strip in row_strips(alpha.shape):
        yield slice(strip.start, strip.stop)
