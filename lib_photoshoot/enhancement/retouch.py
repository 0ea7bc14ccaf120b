"""Retouch the product without a diffusion model: exposure, white balance, local contrast, colour, sharpness.

Every correction is measured on the masked product alone and works in CIE L*a*b* (L* 0..100): lightness and colour are
treated apart, so that sharpening makes no coloured fringes. Pictures of any size pass in strips of rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np

from lib_photoshoot.colour.lab import to_lab, to_rgb
from lib_photoshoot.errors import PhotoshootError
from lib_photoshoot.masks.morphology import Rect, bounding_rect, check_mask, feather, grow, merge, row_strips
from lib_photoshoot.results import ProductRegion

_RANGES = {
    "strength": (0.0, 2.0),
    "exposure": (-2.0, 2.0),
    "white_balance": (0.0, 1.0),
    "local_contrast": (0.0, 1.0),
    "saturation": (-1.0, 1.0),
    "sharpness": (0.0, 2.0),
    "feather": (0.0, 200.0),
}
_AUTOMATIC = ("exposure", "white_balance")

_STRIP_PIXELS = 1 << 20
_SAMPLES = 60_000
_BASE_SIZE = 256
"""Longest side, in pixels, of the small picture that the large-radius blur is computed on."""
_WARP_LIMIT = 16_384
"""OpenCV's warps go to 32,767 pixels a side."""
_NEUTRAL_CHROMA = 12.0
"""Lab chroma up to which a pixel may be a grey one under coloured light, rather than a coloured one."""


class RetouchSettingsError(PhotoshootError, ValueError):
    """A retouch setting is out of its range."""


@dataclass(frozen=True)
class RetouchSettings:
    """How much of what. The defaults are a restrained automatic retouch.

    ``strength`` (0..2) scales everything; 0 changes nothing. ``exposure`` in EV (-2..2) and ``white_balance`` (0..1,
    the share of the measured cast to take out) are measured when None. ``local_contrast`` (0..1) is the amount of a
    large-radius unsharp mask, ``saturation`` (-1..1) a vibrance, which spares colours that are strong already,
    ``sharpness`` (0..2) the amount of a small-radius unsharp mask on lightness, ``feather`` (0..200 pixels) the width
    of the transition to the untouched picture. RetouchSettingsError for values out of range.
    """

    strength: float = 1.0
    exposure: float | None = None
    white_balance: float | None = None
    local_contrast: float = 0.3
    saturation: float = 0.15
    sharpness: float = 0.5
    feather: float = 3.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.name in _AUTOMATIC:
                continue
            low, high = _RANGES[field.name]
            # Written so that NaN fails too.
            if not isinstance(value, (int, float)) or not low <= value <= high:
                raise RetouchSettingsError(
                    f"Retouch setting '{field.name}' is {value!r}; give a number from {low:g} to {high:g}."
                )


@dataclass(frozen=True)
class Measurement:
    """The product's tones: L* percentiles (0..100), mean a*, b* of its near-neutral pixels, and their share (0..1)."""

    shadow: float
    median: float
    highlight: float
    cast_a: float
    cast_b: float
    neutral_share: float


class Retouch:
    """The enhancer of the embedded default; an ``Enhancer``."""

    name = "retouch"
    keeps_shape = True

    def __init__(self, settings: RetouchSettings | None = None) -> None:
        self.settings = settings or RetouchSettings()

    def alpha(self, mask: np.ndarray) -> np.ndarray:
        """The mask, feathered by the settings' own radius; see ``Enhancer``."""
        return feather(mask, self.settings.feather)

    def enhance(self, image: np.ndarray, regions: Sequence[ProductRegion]) -> np.ndarray:
        """Retouch each region by its own measurement; see ``Enhancer``. ValueError for other shapes or types."""
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"image must be uint8 of shape (height, width, 3), not {image.dtype} {image.shape}")
        for region in regions:
            check_mask(region.mask)
            if region.mask.shape != image.shape[:2]:
                raise ValueError(f"mask of shape {region.mask.shape} does not fit a picture of shape {image.shape[:2]}")
        result = image.copy()
        if self.settings.strength == 0:
            return result
        for region in regions:
            # Where products touch, each keeps its own pixels and only the free surroundings are shared.
            others = [other.solid for other in regions if other is not region]
            self._retouch(image, region.solid, merge(others, region.mask.shape) if others else None, result)
        return result

    def _retouch(self, image: np.ndarray, mask: np.ndarray, others: np.ndarray | None, result: np.ndarray) -> None:
        margin = math.ceil(self.settings.feather) + 1
        rect = bounding_rect(mask, margin)
        if rect is None:
            return
        crop, inside, target = image[rect.slices], mask[rect.slices], result[rect.slices]
        support = grow(inside, margin)
        if others is not None:
            support &= inside | ~others[rect.slices]
        plan = _Plan.make(crop, inside, self.settings)
        for strip in row_strips(inside.shape, overlap=plan.overlap, pixels=_STRIP_PIXELS):
            rows = slice(strip.start, strip.stop)
            outer = Rect(0, strip.outer_start, inside.shape[1], strip.outer_stop)
            retouched = plan.apply(crop[outer.slices], outer)[strip.inner]
            np.copyto(target[rows], retouched, where=support[rows, :, None])


@dataclass(frozen=True, eq=False)
class _Plan:
    """Everything that is decided once for a product, so that its strips fit together without seams."""

    lut: np.ndarray
    """L* 0..100 in 1024 steps to L* after the tone curve."""
    shift_a: float
    shift_b: float
    base: np.ndarray
    """Small picture of the product's smoothed lightness."""
    scale: tuple[float, float]
    """Size of ``base`` over the size of the crop, x and y."""
    local_contrast: float
    vibrance: float
    sharpness: float
    sigma: float

    @property
    def overlap(self) -> int:
        return math.ceil(4 * self.sigma) + 1

    @classmethod
    def make(cls, crop: np.ndarray, mask: np.ndarray, settings: RetouchSettings) -> _Plan:
        measured = measure(crop, mask)
        strength = settings.strength
        exposure = automatic_exposure(measured) if settings.exposure is None else settings.exposure
        balance = automatic_balance(measured) if settings.white_balance is None else settings.white_balance
        base, scale = _base_lightness(crop, mask)
        return cls(
            lut=tone_curve(exposure * strength),
            shift_a=-measured.cast_a * min(balance * strength, 1.0),
            shift_b=-measured.cast_b * min(balance * strength, 1.0),
            base=base,
            scale=scale,
            local_contrast=settings.local_contrast * strength,
            vibrance=settings.saturation * strength,
            sharpness=settings.sharpness * strength,
            # A fine edge is about as wide as the picture's resolution makes it: sharpen a little wider in large ones.
            sigma=float(np.clip(max(mask.shape) / 900, 0.8, 2.0)),
        )

    def apply(self, crop: np.ndarray, rect: Rect) -> np.ndarray:
        """Retouch the uint8 RGB rows ``crop``, which lie at ``rect`` of the product's crop."""
        lab = to_lab(crop)
        light, a, b = lab[..., 0].copy(), lab[..., 1], lab[..., 2]
        detail = np.zeros_like(light)
        if self.local_contrast:
            coarse = light - self._base_rows(rect)
            # Large steps are the product's shape, not its texture: they saturate, which also keeps halos away.
            detail = detail + self.local_contrast * 12 * np.tanh(coarse / 12)
        if self.sharpness:
            fine = light - cv2.GaussianBlur(light, (0, 0), self.sigma)
            # Coring: differences about as small as noise are not sharpened.
            detail = detail + self.sharpness * fine * (fine * fine / (fine * fine + 1.0))
        toned = np.take(self.lut, np.rint(light * (1023 / 100)).astype(np.int32), mode="clip")
        # Detail may use a part of the room to white and black, so that it never clips; least near white, where a
        # blown patch is what one sees first.
        room = np.maximum(100 - toned, 0)
        lighter = toned + np.clip(detail, -0.5 * toned, 0.5 * room * np.minimum(room / 25, 1))
        # The cast is that of the light, which black and blown pixels do not show.
        lit = np.clip(np.minimum(light / 25, (100 - light) / 15), 0, 1)
        a = a + self.shift_a * lit
        b = b + self.shift_b * lit
        chroma = np.hypot(a, b)
        # Vibrance: most for faint colours, nothing from chroma 80 on; less near white, where the gamut is narrow.
        boost = 1 + self.vibrance * np.clip(1 - chroma / 80, 0, 1) * np.clip((100 - lighter) / 20, 0, 1)
        # Light makes colours brighter and stronger together; the 10 keeps the noise of deep shadows grey.
        boost *= np.clip((toned + 10) / (light + 10), 0.75, 1.25)
        return to_rgb(cv2.merge([lighter, a * boost, b * boost]))

    def _base_rows(self, rect: Rect) -> np.ndarray:
        """The smoothed lightness, enlarged to ``rect``; the same values whatever the strips are."""
        if rect.x1 - rect.x0 > _WARP_LIMIT:
            middle = (rect.x0 + rect.x1) // 2
            halves = (Rect(rect.x0, rect.y0, middle, rect.y1), Rect(middle, rect.y0, rect.x1, rect.y1))
            return np.hstack([self._base_rows(half) for half in halves])
        sx, sy = self.scale
        matrix = np.array([[sx, 0, sx * (rect.x0 + 0.5) - 0.5], [0, sy, sy * (rect.y0 + 0.5) - 0.5]])
        size = (rect.x1 - rect.x0, rect.y1 - rect.y0)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(self.base, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def measure(image: np.ndarray, mask: np.ndarray) -> Measurement:
    """Measure the masked pixels of a uint8 RGB picture, on an even sample of them when there are many."""
    step = max(1, math.isqrt(mask.size // _SAMPLES))
    sampled = mask[::step, ::step]
    pixels = image[::step, ::step][sampled] if sampled.any() else image[mask]
    light, a, b = to_lab(pixels[None])[0].T
    shadow, median, highlight = (float(v) for v in np.percentile(light, (2, 50, 98)))
    neutral = (np.hypot(a, b) < _NEUTRAL_CHROMA) & (light > 25) & (light < 96)
    share = float(neutral.mean())
    cast_a, cast_b = (float(np.median(c[neutral])) if neutral.any() else 0.0 for c in (a, b))
    return Measurement(shadow, median, highlight, cast_a, cast_b, share)


def automatic_exposure(measured: Measurement) -> float:
    """Exposure in EV, within -0.25..0.8: dull pictures get lighter, good and bright ones stay.

    Highlights lead, so that a black product with bright reflections stays black.
    """
    dull = np.clip((92 - measured.highlight) / 40, 0, 1)
    dark = np.clip((50 - measured.median) / 40, 0, 1)
    glaring = np.clip((measured.median - 88) / 12, 0, 1)
    return float(0.5 * dull + 0.3 * dark - 0.25 * glaring)


def automatic_balance(measured: Measurement) -> float:
    """Share of the cast to take out, 0..0.6: the fewer near-neutral pixels there are, the less they are trusted."""
    return float(0.6 * np.clip((measured.neutral_share - 0.1) / 0.3, 0, 1))


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


def _base_lightness(crop: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """The product's lightness blurred over about a twelfth of its size, small; and its scale.

    A normalised blur over the mask only: the background's lightness stays out, so that no halo forms at the outline.
    """
    height, width = mask.shape
    ratio = min(1.0, _BASE_SIZE / max(height, width))
    size = (max(round(width * ratio), 1), max(round(height * ratio), 1))
    # Reduced before the conversion to float, which keeps a large picture's memory bounded.
    light = to_lab(cv2.resize(crop, size, interpolation=cv2.INTER_AREA))[..., 0]
    covered = cv2.resize(mask.view(np.uint8) * np.uint8(255), size, interpolation=cv2.INTER_AREA)
    weight = covered.astype(np.float32) / 255
    sigma = max(size) / 12
    blurred, total = (cv2.GaussianBlur(values, (0, 0), sigma) for values in (light * weight, weight))
    # Where no product is near, the picture's own lightness stands, which gives no detail.
    nothing = np.float32(1e-6)
    return (blurred + nothing * light) / (total + nothing), (size[0] / width, size[1] / height)
