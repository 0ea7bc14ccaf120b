"""From a mask that a person drew to a region with a soft edge; and a run's region read back from its files.

The person drew on a copy of at most 2048 pixels, and clicks or a brush are not exact to the pixel: as with the
outliner's vote, the edge runs where the picture has one, near the drawn line. What is hollow in the drawing stays open.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lib_photoshoot.catalog.outputs import cutout_name
from lib_photoshoot.confined import inside
from lib_photoshoot.errors import CatalogError, ImageError
from lib_photoshoot.images import Picture, read_picture
from lib_photoshoot.masks.edges import edge_alpha
from lib_photoshoot.masks.morphology import fill_holes, mask_box
from lib_photoshoot.results import Outline, OutlineSource, ProductRegion
from lib_photoshoot.segmentation.outlining import vote_copy
from lib_photoshoot.transparency import on_neutral_ground, within

THIN_PIXELS = 5
"""Of the drawing: what is thinner stands as it was drawn, part or gap."""
JAG_AREA = 25
"""Pixels of the drawing: thin gaps that are smaller are jags of its line, which the edge smooths."""
OPENING_SHARE = 1e-4
"""Smaller holes, as a share of the area inside the outline, are the edge's own and are filled."""
UNSURE_PIXELS, BAND = 1.0, 1.0
"""Standard deviation, and how far the edge is looked for, in pixels of the vote's copy, of where a person's line lies:
it is nearer to what is meant than the outliner's vote."""


def drawn_region(
    picture: Picture, drawn: np.ndarray, product: str, score: float = 1.0, quality: float = 1.0
) -> ProductRegion:
    """Return the region of a drawing: bool (height, width) of the picture's size or of a copy. Raises CatalogError."""
    soft = vote_copy(drawn.astype(np.float32))
    solid = soft > 0.5
    seen = on_neutral_ground(picture.srgb, picture.alpha)
    alpha = edge_alpha(seen, solid, cv2.GaussianBlur(soft, (0, 0), UNSURE_PIXELS), BAND)
    alpha = _with_thin_gaps(_with_thin_parts(alpha, drawn), drawn)
    outlined = alpha > 127
    mask = fill_holes(outlined)
    box = mask_box(mask)
    if box is None:
        raise CatalogError(f"The outline of {product} is empty; draw it, or remove the product.")
    opened = mask & ~fill_holes(outlined, OPENING_SHARE)
    outline = Outline(1.0, (), OutlineSource.HAND)
    region = ProductRegion(product, box, score, mask, quality, opened if opened.any() else None, alpha, outline)
    if picture.alpha is None or picture.alpha.min() == 255:
        return region
    visible, _ = within([region], picture.alpha)
    if not visible:
        raise CatalogError(f"The outline of {product} lies where the picture is transparent; mark what can be seen.")
    return visible[0]


def _with_thin_parts(alpha: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return the alpha, uint8, with what is drawn so thin that no edge was looked for inside it, as an aerial is.

    Only what hangs together with the rest: specks are nobody's drawing.
    """
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (THIN_PIXELS, THIN_PIXELS))
    line = drawn.view(np.uint8)
    thick = cv2.morphologyEx(line, cv2.MORPH_OPEN, ellipse)
    _, labels = cv2.connectedComponents(line, connectivity=8)
    # With the pixel by which it hangs on the rest.
    near = cv2.dilate(line - thick, np.ones((3, 3), np.uint8)).view(bool)
    thin = drawn & near & np.isin(labels, np.unique(labels[thick > 0]))
    return np.maximum(alpha, _enlarged(thin, alpha))


def _with_thin_gaps(alpha: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return the alpha, uint8, without what is drawn as a gap so thin that the edge would close it, as between an arm
    and a body of one colour: somebody took it away.
    """
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (THIN_PIXELS, THIN_PIXELS))
    ground = (~drawn).view(np.uint8)
    narrow = ground - cv2.morphologyEx(ground, cv2.MORPH_OPEN, ellipse)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(narrow, connectivity=8)
    gaps = stats[:, cv2.CC_STAT_AREA] >= JAG_AREA
    gaps[0] = False
    # With the pixel by which it opens to the ground.
    near = cv2.dilate(gaps[labels].view(np.uint8), np.ones((3, 3), np.uint8)).view(bool)
    return np.minimum(alpha, 255 - _enlarged(near & ~drawn, alpha))


def _enlarged(mask: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return a mask of the drawing's size as an alpha, uint8, of the size of another."""
    size = (alpha.shape[1], alpha.shape[0])
    soft = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    result: np.ndarray = np.round(255 * soft).astype(np.uint8)
    return result


def read_region_mask(out: Path, region: Mapping[str, Any], shape: tuple[int, int]) -> np.ndarray | None:
    """Return a region's solid mask, bool of ``shape`` (height, width); None where the run wrote none.

    ``region`` is an entry of the report. Raises CatalogError, ImageError.
    """
    return None if region["mask"] is None else _read(out, region, shape)[0]


def read_region(out: Path, region: Mapping[str, Any], shape: tuple[int, int]) -> ProductRegion:
    """Return a region as the run wrote it: mask, openings and alpha. Raises CatalogError, ImageError."""
    solid, mask, alpha = _read(out, region, shape)
    openings = mask & ~solid
    x0, y0, x1, y1 = (float(side) for side in region["box"])
    found = (region["product"], (x0, y0, x1, y1), float(region["score"]), mask, float(region.get("quality") or 0.0))
    by_hand = (region.get("outline") or {}).get("source") == OutlineSource.HAND.value
    outline = Outline(1.0, (), OutlineSource.HAND) if by_hand else None
    also = tuple(region.get("also", ()))
    return ProductRegion(*found, openings if openings.any() else None, alpha, outline, also=also)


def _read(out: Path, region: Mapping[str, Any], shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what is cut out of a region, its mask without holes, and its alpha."""
    mask = read_picture(inside(out, region["mask"]), shape[0] * shape[1]).pixels[:, :, 0] > 127
    if mask.shape != shape:
        raise ImageError(f"{region['mask']} and its picture differ in size; run `filter` on it again.")
    alpha = mask.astype(np.uint8) * np.uint8(255)
    place = region.get("cutout_at")
    if place is None:
        return mask, mask, alpha
    cutout = read_picture(inside(out, cutout_name(region["mask"])), shape[0] * shape[1])
    x, y = (int(value) for value in place)
    target = alpha[y : y + cutout.height, x : x + cutout.width] if min(x, y) >= 0 else alpha[:0]
    if target.shape != (cutout.height, cutout.width) or cutout.alpha is None:
        raise ImageError(f"The cut-out of {region['mask']} does not lie in its picture; run `filter` on it again.")
    alpha[:] = 0
    target[:] = cutout.alpha
    # A matte ends inside the mask where there is an opening, and at its edge.
    solid = fill_holes(mask & (alpha > 127), OPENING_SHARE)
    opened = fill_holes(solid) & ~solid
    return mask & ~opened, mask, alpha
