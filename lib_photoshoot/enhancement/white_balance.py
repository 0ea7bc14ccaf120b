"""White balance from what is known to be neutral: a surface that the user names, or a white sweep. Never the article.

An article's own soft colours cannot be told from a cast, and taking them out is what buyers send it back for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import cv2
import numpy as np

from lib_photoshoot.colour.space import ColourSpace
from lib_photoshoot.enhancement.protocol import EnhancementError
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.masks.morphology import bounding_rect

OFF, SWEEP = "off", "sweep"
Gains = tuple[float, float]
"""Factors on the cube roots of X/Xn and Z/Zn; (1, 1) leaves colours as they are."""

_POINT = re.compile(r"\s*(\d+(?:\.\d+)?)(%?)\s*,\s*(\d+(?:\.\d+)?)(%?)\s*")
_PATCH = 0.004
"""Half the side of the patch around a point, as a share of the picture's longest side."""
_DARK, _BLOWN = 15.0, 97.0
_SIDE = 512
"""Longest side, in pixels, of the small picture in which a sweep is looked for."""
_WHITE, _UNIFORM, _STRONGEST = 75.0, 2.5, 16.0
"""A sweep is at least so light (L*), differs nearly everywhere by at most so much (a*b*), and has no more chroma."""
_NEARLY_ALL = 0.85


class WhiteBalanceError(PhotoshootError, ValueError):
    """The wish cannot be understood."""


class NeutralError(EnhancementError):
    """The place named as neutral cannot be in this picture."""


@dataclass(frozen=True)
class Neutral:
    """Where the neutral surface is: at a point (x, y, in pixels or in shares of the picture), or a sweep around it."""

    point: tuple[float, float] | None = None
    shares: bool = False

    @classmethod
    def parse(cls, text: str) -> Neutral | None:
        """``off``, ``sweep``, ``X,Y`` in pixels of the upright picture or ``X%,Y%``. Raises WhiteBalanceError."""
        if text.strip() in (OFF, ""):
            return None
        if text.strip() == SWEEP:
            return cls()
        found = _POINT.fullmatch(text)
        if found is None or found[2] != found[4] or (found[2] and max(float(found[1]), float(found[3])) > 100):
            raise WhiteBalanceError(
                f"White balance is {text!r}; give off, sweep, or a neutral place as X,Y in pixels or as X%,Y%."
            )
        scale = 100 if found[2] else 1
        return cls((float(found[1]) / scale, float(found[3]) / scale), bool(found[2]))

    def gains(self, image: np.ndarray, mask: np.ndarray, space: ColourSpace) -> Gains | None:
        """Return what makes the neutral surface neutral, measured on the whole picture; None where there is no such
        sweep.

        ``image`` is RGB (height, width, 3) in ``space``, ``mask`` bool (height, width) the product. NeutralError where
        the point is not in the picture, or too dark or bright to tell a colour by.
        """
        return _sweep(image, mask, space) if self.point is None else self._at_point(image, space)

    def _at_point(self, image: np.ndarray, space: ColourSpace) -> Gains:
        assert self.point is not None
        height, width = image.shape[:2]
        x, y = (
            round(p * (n - 1)) if self.shares else round(p) for p, n in zip(self.point, (width, height), strict=True)
        )
        if not (x < width and y < height):
            raise NeutralError(f"The neutral place {x},{y} lies outside the picture of {width} x {height} pixels.")
        reach = max(2, round(_PATCH * max(width, height)))
        patch = image[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        light, a, b = np.median(space.to_lab(np.ascontiguousarray(patch)).reshape(-1, 3), axis=0)
        if not _DARK < light < _BLOWN:
            raise NeutralError(
                f"The neutral place {x},{y} is too {'dark' if light <= _DARK else 'bright'} to tell the light's colour "
                "by; name another one."
            )
        return gains_of(light, a, b)


def gains_of(light: float, a: float, b: float) -> Gains:
    """Return the gains that make this colour neutral: von Kries' rule on X, Y and Z, written for L*a*b*."""
    middle = (light + 16) / 116
    return float(middle / (middle + a / 500)), float(middle / (middle - b / 200))


def balanced(light: np.ndarray, a: np.ndarray, b: np.ndarray, gains: Gains) -> tuple[np.ndarray, np.ndarray]:
    """Return a* and b* of pixels with the gains applied; blown pixels, which show no light's colour, stay."""
    middle = (light + 16) * np.float32(1 / 116)
    shows = np.clip((100 - light) * np.float32(0.1), 0, 1)
    red, blue = (1 + (np.float32(gain) - 1) * shows for gain in gains)
    root_x, root_z = middle + a * np.float32(1 / 500), middle - b * np.float32(1 / 200)
    return 500 * (root_x * red - middle), 200 * (middle - root_z * blue)


def _sweep(image: np.ndarray, mask: np.ndarray, space: ColourSpace) -> Gains | None:
    rect = bounding_rect(mask)
    if rect is None:
        return None
    scale = min(1.0, _SIDE / max(mask.shape))
    size = max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    inside = (cv2.resize(mask.view(np.uint8) * np.uint8(255), size, interpolation=cv2.INTER_AREA) > 0).view(np.uint8)
    # Close by, shadows and the article's own colour on the ground; far away, other things.
    near, far = (max(2, round(share * scale * max(rect.x1 - rect.x0, rect.y1 - rect.y0))) for share in (0.04, 0.2))
    inner, outer = (cv2.dilate(inside, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) for reach in (near, far))
    ring = (outer > 0) & (inner == 0)
    if not ring.any():
        return None
    lab = space.to_lab(small)[ring]
    light, a, b = np.median(lab, axis=0)
    uniform = (np.hypot(lab[:, 1] - a, lab[:, 2] - b) < _UNIFORM) & (lab[:, 0] > _WHITE - 10)
    if light < _WHITE or np.hypot(a, b) > _STRONGEST or uniform.mean() < _NEARLY_ALL:
        return None
    return gains_of(light, a, b)
