"""From a cut-out to the picture of a channel: pure functions on arrays, no files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from lib_photoshoot.compose import compose
from lib_photoshoot.export.placing import VISIBLE, FramePlacement, crop_to_product, in_frame, plan, scale_product
from lib_photoshoot.export.profile import Ground, Profile
from lib_photoshoot.staging.shadow import contact_shadow

_OPAQUE = np.float32(255)


@dataclass(frozen=True, eq=False)
class Rendered:
    """``pixels`` is uint8 RGB, or RGBA on a transparent background. ``product`` marks its visible pixels, and
    ``empty`` those of nothing but background, neither product nor shadow."""

    pixels: np.ndarray
    product: np.ndarray
    empty: np.ndarray
    placement: FramePlacement


def render(
    rgba: np.ndarray, profile: Profile, backdrop: np.ndarray | None = None, enlarge: float | None = None
) -> Rendered:
    """Scale, place, shadow and compose a cut-out (uint8, height, width, 4, sRGB) as the profile says.

    ``backdrop`` (uint8 RGB) is needed for a profile whose background is a picture. ``enlarge`` replaces the profile's
    limit of enlargement. Raises ExportError for a cut-out without a product.
    """
    product = crop_to_product(rgba)
    placement = plan(product.shape[1], product.shape[0], profile.canvas, profile.product, enlarge)
    frame = in_frame(scale_product(product, placement), placement)
    alpha = frame[:, :, 3]
    product_mask = alpha > VISIBLE
    shadow = contact_shadow(alpha, profile.shadow.strength) if profile.shadow.on else np.zeros(alpha.shape, np.float32)
    if profile.background.kind is Ground.TRANSPARENT:
        pixels = _over_nothing(frame, shadow)
        return Rendered(pixels, product_mask, pixels[:, :, 3] == 0, placement)
    ground = _ground(profile, placement, backdrop)
    shaded = np.rint(ground * (1 - shadow[:, :, None])).astype(np.uint8)
    pixels = compose(shaded, np.ascontiguousarray(frame[:, :, :3]), alpha / _OPAQUE)
    return Rendered(pixels, product_mask, (alpha == 0) & (shaded == ground).all(axis=2), placement)


def _ground(profile: Profile, placement: FramePlacement, backdrop: np.ndarray | None) -> np.ndarray:
    size = placement.frame_width, placement.frame_height
    if profile.background.kind is Ground.PICTURE:
        if backdrop is None:
            raise ValueError("a profile whose background is a picture needs a backdrop")
        return _covering(backdrop, *size)
    colour = (255, 255, 255) if profile.background.kind is Ground.WHITE else profile.background.colour
    return np.full((size[1], size[0], 3), colour, np.uint8)


def _covering(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return the picture's middle, scaled so that it covers the frame."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    scale = max(width / image.width, height / image.height)
    across, down = width / scale, height / scale
    left, top = (image.width - across) / 2, (image.height - down) / 2
    box = (left, top, left + across, top + down)
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, box=box))


def _over_nothing(frame: np.ndarray, shadow: np.ndarray) -> np.ndarray:
    """Return the product over its own black shadow, RGBA with straight alpha."""
    product = frame[:, :, 3:].astype(np.float32) / _OPAQUE
    both = product + shadow[:, :, None] * (1 - product)
    colour = np.divide(frame[:, :, :3] * product, both, out=np.zeros((*frame.shape[:2], 3), np.float32), where=both > 0)
    return np.rint(np.concatenate([colour, both * _OPAQUE], axis=2)).astype(np.uint8)
