"""What a retouch does to one product: measured on it, and applied strip by strip."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from lib_photoshoot.colour.difference import COMPARED, delta_e
from lib_photoshoot.colour.space import SRGB, ColourSpace
from lib_photoshoot.declared import check_fields, setting
from lib_photoshoot.enhancement.white_balance import Gains, balanced
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.masks.morphology import Rect

MEAN_LIMIT, HIGH_LIMIT = 0.8, 1.6
"""CIEDE2000 that a faithful retouch may reach on an article: mean and 95th percentile, with room for rounding below the
1 and 2 that are promised."""

STRIP_PIXELS = 1 << 20


_SAMPLES = 60_000


_BASE_SIZE = 256
"""Longest side, in pixels, of the small picture that the large-radius blur is computed on."""


_WARP_LIMIT = 16_384
"""OpenCV's warps go to 32,767 pixels a side."""


_TRIED_PIXELS = 400_000
"""Pixels of a product on which a faithful retouch is tried before it is done."""


class RetouchSettingsError(PhotoshootError, ValueError):
    """A retouch setting is out of its range."""


@dataclass(frozen=True)
class RetouchSettings:
    """How much of what. The defaults are those of the faithful retouch.

    ``strength`` scales everything; 0 changes nothing. ``exposure`` in EV is measured when None. ``local_contrast`` is
    the amount of a large-radius unsharp mask, ``saturation`` a vibrance, which spares colours that are strong already,
    ``sharpness`` the amount of a small-radius unsharp mask on lightness, ``feather`` the width in pixels of the
    transition to the untouched picture. ``faithful`` keeps hue and chroma, and scales all of it down until the
    article's colours stay within :data:`MEAN_LIMIT` and :data:`HIGH_LIMIT`. RetouchSettingsError for values out of
    range.
    """

    strength: float = setting(1.0, lowest=0, highest=2)
    exposure: float | None = setting(0.0, lowest=-2, highest=2, optional=True)
    local_contrast: float = setting(0.3, lowest=0, highest=1)
    saturation: float = setting(0.0, lowest=-1, highest=1)
    sharpness: float = setting(0.5, lowest=0, highest=2)
    feather: float = setting(3.0, lowest=0, highest=200)
    faithful: bool = True

    def __post_init__(self) -> None:
        check_fields(self, lambda name, meta: f"Retouch setting '{name}'", RetouchSettingsError)


FAITHFUL = RetouchSettings()


LIVELY = RetouchSettings(exposure=None, saturation=0.15, faithful=False)


@dataclass(frozen=True)
class Measurement:
    """The product's tones: L* percentiles (0..100)."""

    shadow: float
    median: float
    highlight: float


def within_limits(plan: Toning, crop: np.ndarray, mask: np.ndarray) -> Toning:
    """Return the plan, weakened until the product's colours stay within the limits, measured on the finished pixels.

    White balance is not counted: it is what the user asked for.
    """
    bare = replace(plan, gains=None)
    for _ in range(3):
        off = _differences(bare, crop, mask)
        if not off.size:
            return plan
        scale = min(MEAN_LIMIT / max(off.mean(), 1e-6), HIGH_LIMIT / max(float(np.percentile(off, 95)), 1e-6))
        if scale >= 1:
            break
        # Differences grow a little slower than the strength: what rounding adds does not shrink.
        bare = bare.weaker(0.97 * scale)
    return replace(bare, gains=plan.gains)


def _differences(plan: Toning, crop: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """CIEDE2000 of masked pixels before and after, in bands of rows that cover the product evenly."""
    height, width = mask.shape
    bands = max(1, min(16, height // 16))
    thick = min(max(1, _TRIED_PIXELS // (bands * width)), -(-height // bands))
    found = []
    for top in np.linspace(0, height - thick, bands).astype(int):
        outer = Rect(0, max(0, top - plan.overlap), width, min(height, top + thick + plan.overlap))
        rows = slice(top, top + thick)
        inner = slice(top - outer.y0, top - outer.y0 + thick)
        inside = mask[rows]
        if inside.any():
            after = plan.apply(crop[outer.slices], outer)[inner]
            before, after = (plan.space.to_lab(pixels) for pixels in (crop[rows], after))
            found += [(before[inside], after[inside])]
    if not found:
        return np.zeros(0)
    before, after = (np.concatenate(side) for side in zip(*found, strict=True))
    step = -(-len(before) // COMPARED)
    return delta_e(before[::step], after[::step])


@dataclass(frozen=True, eq=False)
class Toning:
    """Everything that is decided once for a product, so that its strips fit together without seams."""

    space: ColourSpace
    exposure: float
    gains: Gains | None
    """White balance; None leaves it alone."""
    base: np.ndarray
    """Small picture of the product's smoothed lightness."""
    scale: tuple[float, float]
    """Size of ``base`` over the size of the crop, x and y."""
    local_contrast: float
    vibrance: float
    sharpness: float
    sigma: float
    keeps_chroma: bool

    @property
    def overlap(self) -> int:
        return math.ceil(4 * self.sigma) + 1

    @cached_property
    def lut(self) -> np.ndarray:
        """L* 0..100 in 1024 steps to L* after the tone curve."""
        return tone_curve(self.exposure)

    @classmethod
    def make(
        cls,
        crop: np.ndarray,
        mask: np.ndarray,
        settings: RetouchSettings,
        space: ColourSpace,
        gains: Gains | None,
    ) -> Toning:
        strength = settings.strength
        exposure = settings.exposure
        if exposure is None:
            exposure = automatic_exposure(measure(crop, mask, space))
        base, scale = _base_lightness(crop, mask, space)
        return cls(
            space=space,
            exposure=exposure * strength,
            gains=gains,
            base=base,
            scale=scale,
            local_contrast=settings.local_contrast * strength,
            vibrance=settings.saturation * strength,
            sharpness=settings.sharpness * strength,
            # A fine edge is about as wide as the picture's resolution makes it: sharpen a little wider in large ones.
            sigma=float(np.clip(max(mask.shape) / 900, 0.8, 2.0)),
            keeps_chroma=settings.faithful,
        )

    def weaker(self, scale: float) -> Toning:
        """Return the same plan with this share of its strength."""
        return replace(
            self,
            exposure=self.exposure * scale,
            local_contrast=self.local_contrast * scale,
            vibrance=self.vibrance * scale,
            sharpness=self.sharpness * scale,
        )

    def apply(self, crop: np.ndarray, rect: Rect) -> np.ndarray:
        """Retouch the rows ``crop`` of the picture, which lie at ``rect`` of the product's crop."""
        lab = self.space.to_lab(crop)
        light, a, b = lab[..., 0].copy(), lab[..., 1], lab[..., 2]
        toned = self._toned(light)
        detail = self._detail(light, rect)
        # Detail may use a part of the room to white and black, so that it never clips; least near white, where a
        # blown patch is what one sees first.
        room = np.maximum(100 - toned, 0)
        lighter = toned + np.clip(detail, -0.5 * toned, 0.5 * room * np.minimum(room / 25, 1))
        if self.gains is not None:
            a, b = balanced(light, a, b, self.gains)
        if not self.keeps_chroma:
            a, b = self._livelier(light, toned, lighter, a, b)
        return self.space.from_lab(cv2.merge([lighter, a, b]), crop.dtype)

    def _toned(self, light: np.ndarray) -> np.ndarray:
        if not self.exposure:
            return light
        return np.interp(light, np.linspace(0, 100, len(self.lut)), self.lut).astype(np.float32)

    def _detail(self, light: np.ndarray, rect: Rect) -> np.ndarray:
        """Return what local contrast and sharpness add to L*."""
        detail = np.zeros_like(light)
        if self.local_contrast:
            coarse = light - self._base_rows(rect)
            # Large steps are the product's shape, not its texture: they saturate, which also keeps halos away.
            detail += self.local_contrast * 12 * np.tanh(coarse / 12)
        if self.sharpness:
            fine = light - cv2.GaussianBlur(light, (0, 0), self.sigma)
            # Coring: differences about as small as noise are not sharpened.
            detail += self.sharpness * fine * (fine * fine / (fine * fine + 1.0))
        return detail

    def _livelier(
        self, light: np.ndarray, toned: np.ndarray, lighter: np.ndarray, a: np.ndarray, b: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        chroma = np.hypot(a, b)
        # Vibrance: most for faint colours, nothing from chroma 80 on; less near white, where the gamut is narrow.
        boost = 1 + self.vibrance * np.clip(1 - chroma / 80, 0, 1) * np.clip((100 - lighter) / 20, 0, 1)
        # Light makes colours brighter and stronger together; the 10 keeps the noise of deep shadows grey.
        boost *= np.clip((toned + 10) / (light + 10), 0.75, 1.25)
        return a * boost, b * boost

    def _base_rows(self, rect: Rect) -> np.ndarray:
        """Return the smoothed lightness, enlarged to ``rect``; the same values whatever the strips are."""
        if rect.x1 - rect.x0 > _WARP_LIMIT:
            middle = (rect.x0 + rect.x1) // 2
            halves = (Rect(rect.x0, rect.y0, middle, rect.y1), Rect(middle, rect.y0, rect.x1, rect.y1))
            return np.hstack([self._base_rows(half) for half in halves])
        sx, sy = self.scale
        matrix = np.array([[sx, 0, sx * (rect.x0 + 0.5) - 0.5], [0, sy, sy * (rect.y0 + 0.5) - 0.5]])
        size = (rect.x1 - rect.x0, rect.y1 - rect.y0)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(self.base, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def measure(image: np.ndarray, mask: np.ndarray, space: ColourSpace = SRGB) -> Measurement:
    """Measure the masked pixels of a picture in ``space``, on an even sample of them when there are many."""
    step = max(1, math.isqrt(mask.size // _SAMPLES))
    sampled = mask[::step, ::step]
    pixels = image[::step, ::step][sampled] if sampled.any() else image[mask]
    light = space.to_lab(pixels[None])[0, :, 0]
    return Measurement(*(float(v) for v in np.percentile(light, (2, 50, 98))))


def automatic_exposure(measured: Measurement) -> float:
    """Exposure in EV, within -0.25..0.8: dull pictures get lighter, good and bright ones stay.

    Highlights lead, so that a black product with bright reflections stays black.
    """
    dull = np.clip((92 - measured.highlight) / 40, 0, 1)
    dark = np.clip((50 - measured.median) / 40, 0, 1)
    glaring = np.clip((measured.median - 88) / 12, 0, 1)
    return float(0.5 * dull + 0.3 * dark - 0.25 * glaring)


def tone_curve(exposure: float) -> np.ndarray:
    """L* to L*, 1024 float32 values: an exposure change in EV with a soft shoulder.

    In linear light y = g x / (1 + (g - 1) x): slope g = 2**exposure in the shadows, black and white fixed, strictly
    monotone, so that nothing clips.
    """
    light = np.linspace(0, 100, 1024)
    linear = np.where(light > 8, ((light + 16) / 116) ** 3, light / 903.3)
    gain = 2.0**exposure
    exposed = gain * linear / (1 + (gain - 1) * linear)
    return np.where(exposed > 216 / 24389, 116 * np.cbrt(exposed) - 16, 903.3 * exposed).astype(np.float32)


def _base_lightness(crop: np.ndarray, mask: np.ndarray, space: ColourSpace) -> tuple[np.ndarray, tuple[float, float]]:
    """Return the product's lightness blurred over about a twelfth of its size, small; and its scale.

    A normalised blur over the mask only: the background's lightness stays out, so that no halo forms at the outline.
    """
    height, width = mask.shape
    ratio = min(1.0, _BASE_SIZE / max(height, width))
    size = (max(round(width * ratio), 1), max(round(height * ratio), 1))
    # Reduced before the conversion to float, which keeps a large picture's memory bounded.
    light = space.to_lab(cv2.resize(crop, size, interpolation=cv2.INTER_AREA))[..., 0]
    covered = cv2.resize(mask.view(np.uint8) * np.uint8(255), size, interpolation=cv2.INTER_AREA)
    weight = covered.astype(np.float32) / 255
    sigma = max(size) / 12
    blurred, total = (cv2.GaussianBlur(values, (0, 0), sigma) for values in (light * weight, weight))
    # Where no product is near, the picture's own lightness stands, which gives no detail.
    nothing = np.float32(1e-6)
    return (blurred + nothing * light) / (total + nothing), (size[0] / width, size[1] / height)
