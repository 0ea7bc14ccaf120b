"""From a picture and its products to the start of a scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from lib_photoshoot.colour.space import SRGB, ColourSpace
from lib_photoshoot.masks.matting import edge_colours
from lib_photoshoot.masks.morphology import Rect, bounding_rect, feather, grow, mask_box, row_strips
from lib_photoshoot.results import ProductRegion
from lib_photoshoot.staging.backdrops import (
    Backdrop,
    BackdropKind,
    blurred_surroundings,
    coloured,
    covering,
    read_backdrop,
    resized,
    widened,
    without_products,
)
from lib_photoshoot.staging.composition import put_back
from lib_photoshoot.staging.placing import Placing, place
from lib_photoshoot.staging.plan import Staged, StageError, StagePlan
from lib_photoshoot.staging.reflection import reflected
from lib_photoshoot.staging.shadow import contact_shadows

_BLEED = 2
"""Pixels by which the product's colours go on beyond its edge, so that resizing does not darken it."""
_NEARLY = 4
"""Alphas this near to 0 or 255 after resizing are meant to be exactly that."""
_MARGIN = 8
_AROUND = 6
"""Pixels around a product in which its old surroundings may still show its colours."""


def stage(
    image: np.ndarray,
    regions: Sequence[ProductRegion],
    plan: StagePlan,
    backdrop: np.ndarray | None = None,
    space: ColourSpace = SRGB,
) -> Staged:
    """Return the products of a picture on the canvas that the plan wishes.

    ``image`` is uint8 or uint16 RGB (height, width, 3) in ``space``; one with transparency is given on a ground.
    ``backdrop`` holds the pixels, uint8 sRGB (height, width, 3), of a plan whose backdrop is a picture. Raises
    StageError where there is no product, where the backdrop's picture is not given, and for what the plan's texts
    mean.
    """
    height, width = image.shape[:2]
    alphas = [_alpha_of(region) for region in regions]
    together = np.maximum.reduce(alphas) if alphas else np.zeros((height, width), np.uint8)
    box = bounding_rect(together)
    if box is None:
        raise StageError("There is no product to stage in the picture; name one that it shows.")
    placing = place(width, height, box, plan)
    article, alpha, placed = _placed(image, regions, alphas, together, placing)
    wanted = read_backdrop(plan.backdrop)
    surface = _surface(image, together, wanted, backdrop, space, placing)
    keeps_all = placing.is_picture(width, height) and wanted.kind is BackdropKind.ORIGINAL
    surface = _with_reflections(surface, article, placed, plan)
    surface = _with_shadows(surface, placed, plan.shadow)
    staged = Staged(
        surface,
        surface,
        article,
        alpha,
        placed,
        placing.scale,
        placing.notes,
        plan.ground is not None,
        plan.cast,
        space,
    )
    if keeps_all and not (plan.shadow or plan.reflection or plan.cast):
        # Nothing was moved: the edge is best as it was photographed.
        return replace(staged, image=image.copy())
    return replace(staged, image=put_back(surface, staged))


def _alpha_of(region: ProductRegion) -> np.ndarray:
    if region.alpha is not None:
        return region.alpha
    return np.rint(feather(region.solid, 1.5) * 255).astype(np.uint8)


def _placed(
    image: np.ndarray,
    regions: Sequence[ProductRegion],
    alphas: Sequence[np.ndarray],
    together: np.ndarray,
    placing: Placing,
) -> tuple[np.ndarray, np.ndarray, tuple[ProductRegion, ...]]:
    """Return the article, its alpha and the regions on the canvas."""
    shape = (placing.height, placing.width)
    rect = bounding_rect(together, _MARGIN)
    assert rect is not None
    there = placing.rect(rect)
    colours = edge_colours(np.ascontiguousarray(image[rect.slices]), together[rect.slices], _BLEED)
    part, opaque = _scaled(colours, together[rect.slices], there)
    article = _laid(part, there, np.zeros((*shape, 3), image.dtype))
    alpha = _laid(opaque, there, np.zeros(shape, np.uint8))
    article[alpha == 0] = 0
    if placing.is_picture(image.shape[1], image.shape[0]):
        known = tuple(replace(region, alpha=own) for region, own in zip(regions, alphas, strict=True))
        return article, alpha, known
    moved = []
    for region, own in zip(regions, alphas, strict=True):
        mask = _moved_mask(region.mask, rect, there, shape)
        openings = None if region.openings is None else _moved_mask(region.openings, rect, there, shape) & mask
        own_alpha = _laid(_resized_alpha(own[rect.slices], there), there, np.zeros(shape, np.uint8))
        moved.append(
            replace(
                region,
                box=mask_box(mask) or mask_box(own_alpha > 0) or region.box,
                mask=mask,
                openings=openings if openings is not None and openings.any() else None,
                alpha=own_alpha,
            )
        )
    return article, alpha, tuple(moved)


def _scaled(colours: np.ndarray, alpha: np.ndarray, there: Rect) -> tuple[np.ndarray, np.ndarray]:
    """Return colours and alpha at the size of ``there``; colours are weighted by alpha, so that no rim appears."""
    size = (there.x1 - there.x0, there.y1 - there.y0)
    if colours.shape[1::-1] == size:
        return colours, alpha
    opaque = _resized_alpha(alpha, there)
    weight = alpha.astype(np.float32) / 255
    weighted = resized(colours * weight[..., None], *size)
    share = resized(weight, *size)
    most = np.iinfo(colours.dtype).max
    part = np.clip(np.rint(weighted / np.maximum(share, 1e-3)[..., None]), 0, most).astype(colours.dtype)
    return part, opaque


def _resized_alpha(alpha: np.ndarray, there: Rect) -> np.ndarray:
    size = (there.x1 - there.x0, there.y1 - there.y0)
    if alpha.shape[::-1] == size:
        return alpha
    result = resized(alpha, *size)
    result[result < _NEARLY] = 0
    result[result > 255 - _NEARLY] = 255
    return result


def _moved_mask(mask: np.ndarray, rect: Rect, there: Rect, shape: tuple[int, int]) -> np.ndarray:
    size = (there.x1 - there.x0, there.y1 - there.y0)
    part = mask[rect.slices].astype(np.uint8) * np.uint8(255)
    if part.shape[::-1] != size:
        how = cv2.INTER_AREA if size[0] < part.shape[1] else cv2.INTER_LINEAR
        part = cv2.resize(part, size, interpolation=how).astype(np.uint8)
    return _laid(part, there, np.zeros(shape, np.uint8)) > 127


def _laid(part: np.ndarray, there: Rect, canvas: np.ndarray) -> np.ndarray:
    """Write a part into the canvas at its place, as far as it lies within."""
    height, width = canvas.shape[:2]
    x0, y0, x1, y1 = max(there.x0, 0), max(there.y0, 0), min(there.x1, width), min(there.y1, height)
    if x0 < x1 and y0 < y1:
        canvas[y0:y1, x0:x1] = part[y0 - there.y0 : y1 - there.y0, x0 - there.x0 : x1 - there.x0]
    return canvas


def _surface(
    image: np.ndarray,
    products: np.ndarray,
    wanted: Backdrop,
    backdrop: np.ndarray | None,
    space: ColourSpace,
    placing: Placing,
) -> np.ndarray:
    """Return what is behind the products."""
    width, height = placing.width, placing.height
    if wanted.kind is BackdropKind.COLOURS:
        return coloured(wanted.colours, width, height, space, image.dtype)
    if wanted.kind is BackdropKind.PICTURE:
        if backdrop is None:
            raise StageError(f"The backdrop's picture {wanted.picture!r} was not read; check the path.")
        return space.from_srgb(covering(backdrop, width, height), image.dtype)
    if wanted.kind is BackdropKind.BLURRED:
        return blurred_surroundings(image, grow(products > 0, _AROUND), width, height)
    empty = without_products(image, grow(products > 0, 1))
    size = max(1, round(image.shape[1] * placing.scale)), max(1, round(image.shape[0] * placing.scale))
    return widened(resized(empty, *size), placing.x, placing.y, width, height)


def _with_reflections(
    surface: np.ndarray, article: np.ndarray, regions: Sequence[ProductRegion], plan: StagePlan
) -> np.ndarray:
    for region in regions:
        if region.alpha is not None:
            surface = reflected(surface, article, region.alpha, plan.reflection)
    return surface


def _with_shadows(surface: np.ndarray, regions: Sequence[ProductRegion], strength: float) -> np.ndarray:
    if strength <= 0:
        return surface
    dark = contact_shadows(regions, surface.shape[:2], strength)
    result = surface.copy()
    for strip in row_strips(dark.shape):
        rows = slice(strip.start, strip.stop)
        result[rows] = np.rint(surface[rows] * (1 - dark[rows, :, None]))
    return result
