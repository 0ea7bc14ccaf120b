"""Where the product stands in the frame, and how large: arithmetic, and the arrays that follow from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image

from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.profile import Canvas, FrameRule, Measure
from lib_photoshoot.masks.morphology import bounding_rect

VISIBLE = 12
"""Alpha, of 255, above which a pixel belongs to the product's bounding box."""
_NEARLY = 4
"""Lanczos rings: alphas this near to 0 or 255 are meant to be exactly that, and white must stay 255."""

_STEP = 1.2
"""Blur of an enlarged outline, in pixels of the cut-out: about the length of its steps."""
_STEEP = 2.5
"""How much steeper the outline is made after that blur."""


@dataclass(frozen=True)
class FramePlacement:
    """The frame's size, and the product's box in it, in pixels; ``scale`` is relative to the cut-out."""

    frame_width: int
    frame_height: int
    x: int
    y: int
    width: int
    height: int
    scale: float


def crop_to_product(rgba: np.ndarray) -> np.ndarray:
    """Return the cut-out (uint8, height, width, 4) without the transparent rows and columns around it. Raises
    ExportError.
    """
    rect = bounding_rect(rgba[:, :, 3] > VISIBLE)
    if rect is None:
        raise ExportError("The cut-out is transparent everywhere; make it again from a picture that shows the product.")
    return rgba[rect.slices]


def is_cut_off(rgba: np.ndarray) -> bool:
    """Whether the product ends at the cut-out's border: the filter leaves a margin there, unless the picture ended.

    One that touches all four sides was trimmed to the product by another program, which says nothing.
    """
    solid = rgba[:, :, 3] >= 128
    touched = [bool(side.any()) for side in (solid[0], solid[-1], solid[:, 0], solid[:, -1])]
    return any(touched) and not all(touched)


def plan(width: int, height: int, canvas: Canvas, product: FrameRule, enlarge: float | None = None) -> FramePlacement:
    """Place a product of ``width`` x ``height`` pixels in the middle of the frame.

    ``enlarge`` replaces the profile's limit. A product too small for the full frame gets a smaller one, down to the
    channel's least; where that is still too large the product fills less of it than asked, as the check will say.
    """
    canvas = _following(canvas, width / height)
    limit = product.enlarge if enlarge is None else enlarge
    wanted = _scale(width, height, canvas.width, canvas.height, product)
    least = max(canvas.least_width / canvas.width, canvas.least_height / canvas.height)
    shrink = min(1.0, max(limit / wanted, least))
    frame_width, frame_height = _rounded(canvas.width * shrink), _rounded(canvas.height * shrink)
    scale = min(limit, _scale(width, height, frame_width, frame_height, product))
    # Never a pixel more than the share allows, so that a limit is met and not just missed by rounding.
    new_width, new_height = max(1, math.floor(width * scale)), max(1, math.floor(height * scale))
    x, y = (frame_width - new_width) // 2, (frame_height - new_height) // 2
    return FramePlacement(frame_width, frame_height, x, y, new_width, new_height, scale)


def _following(canvas: Canvas, shape: float) -> Canvas:
    """Return the canvas with a side shortened towards the product's proportions, as far as it may be stretched."""
    if canvas.stretch == 1:
        return canvas
    wanted = min(max(shape, 1 / canvas.stretch), canvas.stretch) * canvas.height / canvas.width
    across, down = min(1.0, wanted), min(1.0, 1 / wanted)
    return replace(
        canvas,
        width=round(canvas.width * across),
        height=round(canvas.height * down),
        least_width=round(canvas.least_width * across),
        least_height=round(canvas.least_height * down),
    )


def _rounded(side: float) -> int:
    """Up to the next whole pixel, but not for a rounding error."""
    return math.ceil(side - 1e-6)


def _scale(width: int, height: int, frame_width: int, frame_height: int, product: FrameRule) -> float:
    """Return the factor by which the product fills the frame as asked, inside the margins."""
    if product.measure is Measure.SIDE:
        return product.fill * min(frame_width / width, frame_height / height)
    inner = 1 - 2 * product.margin
    wanted = math.sqrt(product.fill * frame_width * frame_height / (width * height))
    return min(wanted, inner * frame_width / width, inner * frame_height / height)


def scale_product(rgba: np.ndarray, placement: FramePlacement) -> np.ndarray:
    """Return the cut-out at its size in the frame, by Lanczos with colours weighted by alpha, so that no rim
    appears.
    """
    # Pillow multiplies RGBA by its alpha before it resizes, and divides afterwards.
    image = Image.fromarray(np.ascontiguousarray(rgba), "RGBA")
    scaled = np.array(image.resize((placement.width, placement.height), Image.Resampling.LANCZOS))
    alpha = scaled[:, :, 3]
    if placement.scale > 1:
        alpha[:] = _without_stairs(alpha, placement.scale)
    alpha[alpha < _NEARLY] = 0
    alpha[alpha > 255 - _NEARLY] = 255
    return scaled


def _without_stairs(alpha: np.ndarray, scale: float) -> np.ndarray:
    """Enlarged, the steps of the outline's pixels would show: it is blurred over them, and made steep again."""
    # Beyond its box the product is as it is at the box's edge, so that what touches it does not fade.
    blurred = cv2.GaussianBlur(alpha.astype(np.float32), (0, 0), _STEP * scale, borderType=cv2.BORDER_REPLICATE)
    return np.clip((blurred - 127.5) * _STEEP + 127.5, 0, 255)


def in_frame(scaled: np.ndarray, placement: FramePlacement) -> np.ndarray:
    """Return the scaled product in an otherwise transparent frame: uint8 (frame height, frame width, 4)."""
    frame = np.zeros((placement.frame_height, placement.frame_width, 4), np.uint8)
    rows = slice(placement.y, placement.y + placement.height)
    frame[rows, placement.x : placement.x + placement.width] = scaled
    return frame


def fill_share(mask: np.ndarray, measure: Measure) -> float:
    """Return the share of the frame, 0..1, that the bounding box of a bool mask fills."""
    rect = bounding_rect(mask)
    if rect is None:
        return 0.0
    across, down = (rect.x1 - rect.x0) / mask.shape[1], (rect.y1 - rect.y0) / mask.shape[0]
    return across * down if measure is Measure.AREA else max(across, down)
