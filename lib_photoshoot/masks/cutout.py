"""Masks and products as pictures: black-and-white masks, RGBA cut-outs."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lib_photoshoot.errors import ImageError
from lib_photoshoot.masks.matting import edge_colours
from lib_photoshoot.masks.morphology import Rect, bounding_rect, check_mask, distance_to, feather, row_strips

_MARGIN = 4
"""Transparent pixels around a cut-out, beyond the feather."""
_BLEED = 2
"""Pixels by which colours go on under full transparency, so that resizing the cut-out does not darken its edge."""


def mask_image(mask: np.ndarray) -> Image.Image:
    """Return the mask as an 'L' picture: 255 on the product, 0 elsewhere."""
    check_mask(mask)
    return Image.fromarray(mask.view(np.uint8) * np.uint8(255), "L")


def save_mask(mask: np.ndarray, path: str | Path) -> None:
    """Write the mask as a black-and-white PNG. ImageError when the file cannot be written."""
    try:
        mask_image(mask).save(path, format="PNG")
    except OSError as error:
        raise ImageError(
            f"The mask {path} cannot be written ({error.strerror or error}); check the folder and the free space."
        ) from error


def cut_out(
    image: np.ndarray, mask: np.ndarray, feather_radius: float = 1.5, matte: np.ndarray | None = None
) -> Image.Image:
    """Return the product alone as a picture of 8 bits; see :func:`cut_out_pixels`.

    >>> picture, mask = np.full((40, 60, 3), 90, np.uint8), np.zeros((40, 60), bool)
    >>> mask[10:30, 20:50] = True
    >>> alone = cut_out(picture, mask)
    >>> alone.mode, alone.getpixel((0, 0))[3], alone.getpixel((alone.width // 2, alone.height // 2))
    ('RGBA', 0, (90, 90, 90, 255))
    """
    if image.dtype != np.uint8:
        raise ValueError(f"image must be uint8, not {image.dtype}")
    return Image.fromarray(np.dstack(cut_out_pixels(image, mask, feather_radius, matte)), "RGBA")


def cut_out_pixels(
    image: np.ndarray, mask: np.ndarray, feather_radius: float = 1.5, matte: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the product alone, cropped to its bounding box with a small transparent margin: RGB, and alpha (uint8).

    ``image`` is uint8 or uint16 RGB (height, width, 3), and so is the RGB. ``matte``, uint8 (height, width), is the
    product's alpha as the outliner found it. Without one the edge of ``mask`` is anti-aliased over ``feather_radius``
    pixels to each side. The colours of the edge are the product's own, so that no rim of the old background shows.
    ValueError for other shapes or types and for an empty mask.
    """
    check_mask(mask)
    if image.dtype not in (np.uint8, np.uint16) or image.shape != (*mask.shape, 3):
        raise ValueError(f"image must be uint8 or uint16 of shape {(*mask.shape, 3)}, not {image.dtype} {image.shape}")
    rect = cutout_rect(mask, matte, feather_radius)
    if rect is None:
        raise ValueError("an empty mask has nothing to cut out")
    if matte is not None:
        if matte.dtype != np.uint8 or matte.shape != mask.shape:
            raise ValueError(f"matte must be uint8 of shape {mask.shape}, not {matte.dtype} {matte.shape}")
        crop, opaque = image[rect.slices], matte[rect.slices]
        return edge_colours(crop, opaque, _BLEED), opaque
    crop, inside = image[rect.slices], mask[rect.slices]
    colours, opaque = np.zeros_like(crop), np.zeros(inside.shape, np.uint8)
    reach = math.ceil(feather_radius) + _BLEED
    alpha = feather(inside, feather_radius)
    for strip in row_strips(inside.shape, overlap=2 * reach + 8):
        outer, rows = slice(strip.outer_start, strip.outer_stop), slice(strip.start, strip.stop)
        colours[rows] = _extend_colours(crop[outer], inside[outer], reach)[strip.inner]
        opaque[rows] = np.rint(alpha[rows] * 255)
    return colours, opaque


def cutout_rect(mask: np.ndarray, matte: np.ndarray | None = None, feather_radius: float = 1.5) -> Rect | None:
    """Return the part of the picture that :func:`cut_out` shows; None where there is nothing to cut out."""
    if matte is not None:
        return bounding_rect(matte, _MARGIN)
    return bounding_rect(mask, math.ceil(feather_radius) + _MARGIN)


def _extend_colours(image: np.ndarray, mask: np.ndarray, reach: int) -> np.ndarray:
    """Replace the colours at and up to ``reach`` pixels outside the outline with the nearest colours from inside.

    Returns what ``image`` is, (height, width, 3), black further out.
    """
    if not mask.any():
        return np.zeros_like(image)
    # A camera mixes product and background over about a pixel: the outermost row of the mask is not trusted.
    depth = distance_to(~mask)
    core = depth > 1.5
    # Parts too thin to have a core (straps, laces) keep their own colours rather than borrow far ones.
    source = core | (mask & (distance_to(core) > 3))
    # The nearest source pixel always lies on the source's rim; the interior is left out to save time.
    rim = source & (depth <= 4)
    if not rim.any():
        return image
    distance, labels = cv2.distanceTransformWithLabels(
        (~rim).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(labels.max()) + 1, 3), image.dtype)
    colours[labels[rim]] = image[rim]
    extended = image * source[..., None]
    edge = ~source & (mask | (distance <= reach + 3))
    extended[edge] = colours[labels[edge]]
    return extended
