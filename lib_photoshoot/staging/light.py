"""New light for a painted scene: what of it takes that light, and how, so that no detail is painted anew.

A diffusion model that relights a picture paints all of it again, lettering and texture too. What is kept of its answer
is how much lighter, darker or more coloured a place has become, in the large: the fine details stay those of the
picture. Neighbours of IC-Light call that the transfer of details, by a difference of Gaussians.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from lib_photoshoot.masks.morphology import bounding_rect
from lib_photoshoot.staging.plan import Staged
from lib_photoshoot.staging.protocol import LightPainter
from lib_photoshoot.staging.shadow import contact_shadows

_FINE = 0.01
"""Standard deviation of the blur that tells light from details, as a share of the picture's longer side."""
_REACH = 3
"""Standard deviations after which the blur ends."""


@dataclass(frozen=True)
class Light:
    """The light that a scene takes from a ``painter``, in ``strength`` from 0 to 1.

    It falls on the products' soft edges and on the ground that they shade; where ``product`` says so, on all of them.
    """

    painter: LightPainter
    product: bool = False
    strength: float = 1.0

    def on(self, picture: np.ndarray, staged: Staged) -> np.ndarray:
        """Return a picture like ``staged.image``, the products in it, in the new light.

        Raises EnhancementError, EnhancementStopped as the painter does.
        """
        before = staged.space.to_srgb(picture)
        after = with_light(before, self.painter.relit(before, staged), staged, self.product, self.strength)
        changed = (after != before).any(axis=2)
        result = picture.copy()
        result[changed] = staged.space.from_srgb(after, picture.dtype)[changed]
        return result


def with_light(
    picture: np.ndarray, relit: np.ndarray, staged: Staged, product: bool = False, strength: float = 1.0
) -> np.ndarray:
    """Return the picture with the light of ``relit``, where :func:`taking` says so; both are uint8 sRGB (height, width,
    3) and as large as ``staged``. ValueError for another size or type.
    """
    if relit.shape != picture.shape or relit.dtype != np.uint8 or picture.dtype != np.uint8:
        raise ValueError(f"both must be uint8 of one shape, not {picture.dtype} {picture.shape} and {relit.shape}")
    weight = taking(staged, product) * np.float32(strength)
    sigma = max(1.0, _FINE * max(weight.shape))
    rect = bounding_rect(weight, math.ceil(_REACH * sigma))
    if rect is None:
        return picture
    own, change = picture[rect.slices].astype(np.float32), relit[rect.slices].astype(np.float32)
    change -= own
    solid = (staged.alpha[rect.slices].astype(np.float32) / 255)[..., None]
    # Each side of the edge has a light of its own: what shines behind a product does not fall on its front.
    light = solid * _in_the_large(change, solid, sigma) + (1 - solid) * _in_the_large(change, 1 - solid, sigma)
    result = picture.copy()
    result[rect.slices] = np.clip(np.rint(own + weight[rect.slices][..., None] * light), 0, 255)
    return result


def taking(staged: Staged, product: bool = False) -> np.ndarray:
    """Return how far each pixel takes a new light, float32 (height, width) in [0, 1].

    Soft edges do so the more, the more they are mixed; the ground as far as the products shade it, whatever shadow was
    asked for. Where alpha is 255 it is 0, unless ``product`` asks for all of the products: there it is alpha then.
    """
    alpha = staged.alpha.astype(np.float32) / 255
    free = 1 - alpha
    ground = contact_shadows(staged.regions, alpha.shape, 1.0) * free
    return np.maximum(alpha if product else 4 * alpha * free, ground)


def _in_the_large(values: np.ndarray, share: np.ndarray, sigma: float) -> np.ndarray:
    """Return the values (height, width, 3) blurred among those pixels that count, by their ``share``."""
    size = 2 * math.ceil(_REACH * sigma) + 1
    total = cv2.GaussianBlur(values * share, (size, size), sigma, borderType=cv2.BORDER_REPLICATE)
    known = cv2.GaussianBlur(share, (size, size), sigma, borderType=cv2.BORDER_REPLICATE)
    return total / np.maximum(known, np.float32(1e-3))[..., None]
