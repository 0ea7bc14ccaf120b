"""Bring an article's colour back after a diffusion pass has shifted it, and leave the new texture and light alone.

Colour is taken apart into lightness and the two ratios a* / (L* + 16), b* / (L* + 16): a surface keeps its ratios
under more or less of the same light, so that they tell the article's colour from shading. How far each has moved is
found on a small copy, on which texture is averaged out, as a local linear function of the new picture itself: a
guided filter (He, Sun, Tang 2013, "Guided Image Filtering"; its fast form, He and Sun 2015), by box filters, weighted
by the article's own pixels and, in some rounds, by how well they fit, so that a light edge or reflection that has
moved does not count as colour. The functions, enlarged, are applied to every pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from lib_photoshoot.colour.difference import Difference, difference
from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.masks.morphology import Rect, bounding_rect, row_strips

_SIZE = 256
"""Longest side, in pixels, of the small copy."""
_STRIP_PIXELS = 1 << 18
_RATIO = 66.0
"""Makes a ratio as large as the chroma at L* 50, so that all three channels have one unit."""
_CHANNELS = 3


@dataclass(frozen=True)
class Parameters:
    """How colour is held; lengths are shares of the root of the article's area.

    ``reach`` is the half width of the guided filter's window, ``softness`` its epsilon: steps of less than that many
    units of L* are no boundary between colours. ``outlier`` is the misfit, in L*, at which a pixel counts half;
    ``blown`` the room to white, in L*, below which a pixel is taken for blown, more and more.
    """

    reach: float = 0.18
    softness: float = 10.0
    outlier: float = 3.0
    blown: float = 4.0
    rounds: int = 3


@dataclass(frozen=True)
class ColourChange:
    """How far a pass moved an article's colour (``painted``), and how far it still is once held (``held``).

    Each is CIEDE2000 against the picture before, of what an eye sees as the article's colour: see :func:`seen_colour`.
    """

    painted: Difference
    held: Difference


PARAMETERS = Parameters()


def hold_colour(
    before: np.ndarray, painted: np.ndarray, alpha: np.ndarray, strength: float = 1.0, how: Parameters = PARAMETERS
) -> np.ndarray:
    """``painted`` with the article's colour of ``before``, as a new picture.

    Both are uint8 sRGB (height, width, 3), ``alpha`` is how much of each pixel is article, float32 (height, width) in
    [0, 1]: where it is 0 nothing changes. ``strength`` is the share of the shift that is taken back, 0..1. ValueError
    for other shapes or values.
    """
    _check(before, painted, alpha, strength)
    result = painted.copy()
    rect = bounding_rect(alpha)
    if rect is None or strength == 0:
        return result
    source, target, weight = painted[rect.slices], result[rect.slices], alpha[rect.slices]
    field = _Field.make(before[rect.slices], source, weight, how)
    for strip in row_strips(weight.shape, pixels=_STRIP_PIXELS):
        rows = slice(strip.start, strip.stop)
        part = Rect(0, strip.start, weight.shape[1], strip.stop)
        share = weight[rows] * np.float32(strength)
        held = field.apply(source[rows], share, part)
        np.copyto(target[rows], held, where=(share > 0)[..., None])
    return result


def colour_change(before: np.ndarray, painted: np.ndarray, held: np.ndarray, alpha: np.ndarray) -> ColourChange | None:
    """Return what the pass, and what pass and hold together, changed of the article's colour; None for an empty
    ``alpha``.

    Arguments as in :func:`hold_colour`.
    """
    rect = bounding_rect(alpha)
    if rect is None:
        return None
    was, new, now = (seen_colour(pixels[rect.slices], alpha[rect.slices]) for pixels in (before, painted, held))
    return ColourChange(difference(was, new), difference(was, now))


def seen_colour(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Return the article's colour without its texture: L*a*b* (N, 3) of the article's pixels on a copy of at most 256
    pixels.

    Each is the mean, weighted by ``alpha`` and a Gaussian, of the article around it: sigma is 1/24 of the root of its
    area, which an eye that sees the whole article takes as one colour.
    """
    small, weight = _reduced(pixels, alpha)
    sigma = max(math.sqrt(float(weight.sum())) / 24, 0.5)
    total = cv2.GaussianBlur(weight, (0, 0), sigma)
    mean = cv2.GaussianBlur(SRGB.to_lab(small) * weight[..., None], (0, 0), sigma) / np.maximum(total, 1e-6)[..., None]
    inside = weight >= min(0.5, float(weight.max()))
    return mean[inside]


@dataclass(frozen=True, eq=False)
class _Field:
    """The correction of a crop as a linear function of its channels at each place of the small copy."""

    slopes: np.ndarray
    """float32 (height, width, 9), row by row of a 3 x 3 matrix."""
    offsets: np.ndarray
    """float32 (height, width, 3)."""
    shape: tuple[int, ...]
    """Height and width of the crop."""
    blown: float

    @classmethod
    def make(cls, before: np.ndarray, painted: np.ndarray, alpha: np.ndarray, how: Parameters) -> _Field:
        (small_before, weight), (small_painted, _) = _reduced(before, alpha), _reduced(painted, alpha)
        guide = _channels(SRGB.to_lab(small_painted))
        moved = _channels(SRGB.to_lab(small_before)) - guide
        inner = _inner(weight)
        side = math.sqrt(float(weight.sum()))
        radius = max(round(how.reach * side), 1)
        slopes, offsets = _guided(guide, moved, inner, radius, how.softness)
        for _ in range(how.rounds):
            misfit = np.linalg.norm(moved - _applied(slopes, offsets, guide), axis=-1)
            trust = inner / (1 + np.square(misfit / np.float32(how.outlier)))
            slopes, offsets = _guided(guide, moved, trust, radius, how.softness)
        return cls(slopes, offsets, alpha.shape, how.blown)

    def apply(self, pixels: np.ndarray, share: np.ndarray, rows: Rect) -> np.ndarray:
        """Return the uint8 RGB rows ``pixels``, which lie at ``rows`` of the crop, corrected by ``share`` of it."""
        lab = SRGB.to_lab(pixels)
        channels = _channels(lab)
        slopes, offsets = (self._enlarged(values, rows) for values in (self.slopes, self.offsets))
        correction = _applied(slopes, offsets, channels)
        # What is blown is the light's colour, not the article's.
        lit = np.clip((100 - lab[..., :1]) / self.blown, 0, 1)
        channels += correction * share[..., None] * lit
        return SRGB.from_lab(_to_lab(channels))

    def _enlarged(self, values: np.ndarray, rows: Rect) -> np.ndarray:
        height, width = self.shape
        sy, sx = values.shape[0] / height, values.shape[1] / width
        matrix = np.array([[sx, 0, sx * (rows.x0 + 0.5) - 0.5], [0, sy, sy * (rows.y0 + 0.5) - 0.5]])
        size = (rows.x1 - rows.x0, rows.y1 - rows.y0)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        planes = [
            cv2.warpAffine(plane, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
            for plane in cv2.split(values)
        ]
        return cv2.merge(planes)


def _guided(
    guide: np.ndarray, values: np.ndarray, weight: np.ndarray, radius: int, softness: float
) -> tuple[np.ndarray, np.ndarray]:
    """Slopes (height, width, 9) and offsets (height, width, 3) of ``values`` as a function of ``guide``."""

    def mean(planes: np.ndarray) -> np.ndarray:
        return (
            cv2.boxFilter(
                planes * weight[..., None], -1, (2 * radius + 1,) * 2, normalize=False, borderType=cv2.BORDER_CONSTANT
            )
            / total
        )

    total = cv2.boxFilter(weight, -1, (2 * radius + 1,) * 2, normalize=False, borderType=cv2.BORDER_CONSTANT)
    total = np.maximum(total, 1e-6)[..., None]
    guide_mean, value_mean = mean(guide), mean(values)
    shape = guide.shape[:2]
    covariance = np.empty((*shape, 3, 3), np.float32)
    cross = np.empty((*shape, 3, 3), np.float32)
    for i in range(_CHANNELS):
        covariance[..., i, :] = mean(guide[..., i : i + 1] * guide) - guide_mean[..., i : i + 1] * guide_mean
        cross[..., i, :] = mean(guide[..., i : i + 1] * values) - guide_mean[..., i : i + 1] * value_mean
    covariance += np.float32(softness**2) * np.eye(3, dtype=np.float32)
    slopes = np.linalg.solve(covariance, cross).swapaxes(-1, -2)
    offsets = value_mean - np.einsum("hwij,hwj->hwi", slopes, guide_mean)
    return mean(slopes.reshape(*shape, 9)), mean(offsets)


def _applied(slopes: np.ndarray, offsets: np.ndarray, channels: np.ndarray) -> np.ndarray:
    columns = [
        sum(slopes[..., 3 * i + j] * channels[..., j] for j in range(_CHANNELS)) + offsets[..., i]
        for i in range(_CHANNELS)
    ]
    return np.stack(columns, axis=-1)


def _channels(lab: np.ndarray) -> np.ndarray:
    """Lightness and the two ratios, in units of L*."""
    scale = _RATIO / (lab[..., 0] + 16)
    return np.stack([lab[..., 0], lab[..., 1] * scale, lab[..., 2] * scale], axis=-1)


def _to_lab(channels: np.ndarray) -> np.ndarray:
    light = np.clip(channels[..., 0], 0, 100)
    scale = (light + 16) / _RATIO
    return np.stack([light, channels[..., 1] * scale, channels[..., 2] * scale], axis=-1)


def _reduced(pixels: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    height, width = alpha.shape
    ratio = min(1.0, _SIZE / max(height, width))
    size = (max(round(width * ratio), 1), max(round(height * ratio), 1))
    return tuple(cv2.resize(values, size, interpolation=cv2.INTER_AREA) for values in (pixels, alpha))  # type: ignore


def _inner(weight: np.ndarray) -> np.ndarray:
    """Return the weight without the outermost pixels, whose colour is partly the background's."""
    padded = cv2.copyMakeBorder(weight, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    eroded = cv2.erode(padded, np.ones((5, 5), np.uint8))[1:-1, 1:-1]
    # Thin parts keep a little, so that there is a colour everywhere.
    return np.maximum(eroded, np.float32(1e-3) * weight)


def _check(before: np.ndarray, painted: np.ndarray, alpha: np.ndarray, strength: float) -> None:
    for name, pixels in (("before", before), ("painted", painted)):
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape != (*alpha.shape, 3):
            raise ValueError(f"{name} must be uint8 {(*alpha.shape, 3)}, not {pixels.dtype} {pixels.shape}")
    if alpha.dtype != np.float32 or (alpha.size and not (alpha.min() >= 0 and alpha.max() <= 1)):
        raise ValueError("alpha must be float32 in [0, 1]")
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must lie in [0, 1], not {strength}")
