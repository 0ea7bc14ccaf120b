"""Colour spaces of pictures: code values of 8 or 16 bits to CIE L*a*b* and back, without loss that one could see.

L*a*b* is that of D65 for every space, so that two pictures can be compared: a space's own white is neutral in all.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache

import cv2
import numpy as np

from lib_photoshoot.colour.icc import Curve, grey_curve, matrix_profile
from lib_photoshoot.colour.profiles import convert, is_srgb, srgb_profile
from lib_photoshoot.masks.morphology import row_strips

_CACHED_PIXELS = 1 << 16
_FINE = 1 << 16
"""Steps of a table from linear light to code values; over the light's square root, where dark tones are."""

_SRGB_TO_XYZ_D50 = np.array(
    [[0.4360657, 0.3851515, 0.1430784], [0.2224932, 0.7168870, 0.0606169], [0.0139160, 0.0970764, 0.7140961]]
)
"""Linear sRGB to XYZ relative to D50, Bradford, as the profiles of the ICC have it."""
_SRGB_TO_WHITE = np.array(
    [[0.433953, 0.376219, 0.189828], [0.212671, 0.715160, 0.072169], [0.017758, 0.109477, 0.872766]]
)
"""Linear sRGB to X/Xn, Y/Yn, Z/Zn of D65, as OpenCV has it."""
_LAB = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]], np.float32)


class ColourSpace:
    """sRGB, and the base of all others. Pixels are uint8 or uint16 RGB (H, W, 3), L*a*b* float32 (H, W, 3)."""

    icc: bytes | None = None
    """The profile that belongs to the pixels; None for sRGB that nobody wrote down."""

    def to_lab(self, pixels: np.ndarray) -> np.ndarray:
        """Return the colours in L*a*b*."""
        if pixels.dtype == np.uint16:
            return _exact_srgb().to_lab(pixels)
        return cv2.cvtColor(_unit(pixels), cv2.COLOR_RGB2Lab)

    def from_lab(self, lab: np.ndarray, dtype: np.dtype | type = np.uint8) -> np.ndarray:
        """Return L*a*b* as code values, rounded; what the space cannot hold is clipped."""
        if dtype != np.uint8:
            return _exact_srgb().from_lab(lab, dtype)
        return _whole(np.clip(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), 0, 1), dtype)

    def to_srgb(self, pixels: np.ndarray) -> np.ndarray:
        """Return the pixels as uint8 sRGB, as a colour-managed reader shows them; the same array where they are."""
        return eight_bit(pixels)

    def from_srgb(self, pixels: np.ndarray, dtype: np.dtype | type = np.uint8) -> np.ndarray:
        """Return uint8 sRGB pixels in this space."""
        return pixels if dtype == np.uint8 else pixels.astype(np.uint16) * np.uint16(257)


class MatrixSpace(ColourSpace):
    """The space of an RGB profile of matrix and curves. Raises ProfileError for others."""

    def __init__(self, icc: bytes) -> None:
        self.icc = self.profile = icc
        profile = matrix_profile(icc)
        to_white = _SRGB_TO_WHITE @ np.linalg.inv(_SRGB_TO_XYZ_D50) @ profile.matrix
        self._to_white = to_white.astype(np.float32)
        self._from_white = np.linalg.inv(to_white).astype(np.float32)
        self._curves = profile.curves

    def to_lab(self, pixels: np.ndarray) -> np.ndarray:
        lab = np.empty(pixels.shape, np.float32)
        for rows in _few_rows(pixels.shape):
            lab[rows] = cv2.transform(_f(self._light(pixels[rows])), _LAB)
        lab[..., 0] -= 16
        return lab

    def from_lab(self, lab: np.ndarray, dtype: np.dtype | type = np.uint8) -> np.ndarray:
        pixels = np.empty(lab.shape, dtype)
        for rows in _few_rows(lab.shape):
            pixels[rows] = self._from_lab(lab[rows], dtype)
        return pixels

    def _from_lab(self, lab: np.ndarray, dtype: np.dtype | type) -> np.ndarray:
        middle = (lab[..., 0] + 16) * np.float32(1 / 116)
        roots = cv2.merge(
            [middle + lab[..., 1] * np.float32(1 / 500), middle, middle - lab[..., 2] * np.float32(1 / 200)]
        )
        return self._encoded(_f_inverse(roots), dtype)

    def to_srgb(self, pixels: np.ndarray) -> np.ndarray:
        if pixels.dtype == np.uint8:
            return convert(pixels, self.profile, srgb_profile())
        # LittleCMS would get rounded values, and round them again: half of what one may be off.
        result = np.empty(pixels.shape, np.uint8)
        for rows in _few_rows(pixels.shape):
            result[rows] = _exact_srgb()._encoded(self._light(pixels[rows]), np.uint8)
        return result

    def from_srgb(self, pixels: np.ndarray, dtype: np.dtype | type = np.uint8) -> np.ndarray:
        return super().from_srgb(convert(pixels, srgb_profile(), self.profile), dtype)

    def _light(self, pixels: np.ndarray) -> np.ndarray:
        """X/Xn, Y/Yn, Z/Zn of code values."""
        tables = self._decode16 if pixels.dtype == np.uint16 else self._decode8
        linear = cv2.merge([np.take(table, pixels[..., c]) for c, table in enumerate(tables)])
        return cv2.transform(linear, self._to_white)

    def _encoded(self, light: np.ndarray, dtype: np.dtype | type) -> np.ndarray:
        """Code values of X/Xn, Y/Yn, Z/Zn."""
        linear = np.clip(cv2.transform(light, self._from_white), 0, 1)
        steps = np.rint(np.sqrt(linear) * (_FINE - 1)).astype(np.int32)
        return _whole(cv2.merge([np.take(table, steps[..., c]) for c, table in enumerate(self._encode)]), dtype)

    @cached_property
    def _decode8(self) -> list[np.ndarray]:
        return [_decoding(curve, 256) for curve in self._curves]

    @cached_property
    def _decode16(self) -> list[np.ndarray]:
        return [_decoding(curve, 65536) for curve in self._curves]

    @cached_property
    def _encode(self) -> list[np.ndarray]:
        codes = np.linspace(0, 1, _FINE)
        light = np.linspace(0, 1, _FINE) ** 2
        # Interpolation wants a rising curve; a flat foot stays where it is.
        tables = (np.interp(light, np.maximum.accumulate(curve(codes)), codes) for curve in self._curves)
        return [table.astype(np.float32) for table in tables]


SRGB = ColourSpace()


@lru_cache(maxsize=1)
def _exact_srgb() -> MatrixSpace:
    """For 16 bits: OpenCV's own curve of sRGB is a spline, exact to 8."""
    return MatrixSpace(srgb_profile())


@lru_cache(maxsize=64)
def space_of(icc: bytes | None) -> ColourSpace:
    """Return the space of an RGB picture by its profile; sRGB without one. Raises ProfileError for what cannot be
    used.
    """
    if icc is None:
        return SRGB
    space = MatrixSpace(icc)
    if is_srgb(icc):
        named = ColourSpace()
        named.icc = icc
        return named
    return space


def grey_to_srgb(pixels: np.ndarray, icc: bytes) -> np.ndarray:
    """uint8 or uint16 pixels with three equal channels, of a grey profile, as sRGB. Raises ProfileError."""
    most = int(np.iinfo(pixels.dtype).max)
    light = np.clip(grey_curve(icc)(np.linspace(0, 1, most + 1)), 0, 1)
    codes = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.take(np.rint(codes * most).astype(pixels.dtype), pixels)


def eight_bit(pixels: np.ndarray) -> np.ndarray:
    """uint8 or uint16 values as uint8, rounded."""
    if pixels.dtype == np.uint8:
        return pixels
    # In 32 bits only strip by strip: a large picture would be in memory three times over.
    result = np.empty(pixels.shape, np.uint8)
    for strip in row_strips(pixels.shape):
        rows = slice(strip.start, strip.stop)
        result[rows] = (pixels[rows].astype(np.uint32) + 128) // 257
    return result


def _few_rows(shape: tuple[int, ...]) -> Iterator[slice]:
    """So few rows at a time that what lies between the steps of a conversion stays in the processor's cache."""
    return (slice(strip.start, strip.stop) for strip in row_strips(shape, pixels=_CACHED_PIXELS))


def _decoding(curve: Curve, count: int) -> np.ndarray:
    return np.clip(curve(np.linspace(0, 1, count)), 0, 1).astype(np.float32)


def _unit(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) * np.float32(1 / np.iinfo(pixels.dtype).max)


def _whole(values: np.ndarray, dtype: np.dtype | type) -> np.ndarray:
    if dtype == np.uint8:
        return cv2.convertScaleAbs(values, alpha=255)
    return np.rint(values * np.float32(65535)).astype(np.uint16)


def _f(ratios: np.ndarray) -> np.ndarray:
    """CIE 15: the cube root, with a straight foot, which also holds for colours outside sRGB's gamut."""
    return np.where(ratios > 216 / 24389, cv2.pow(ratios, 1 / 3), ratios * np.float32(841 / 108) + np.float32(4 / 29))


def _f_inverse(roots: np.ndarray) -> np.ndarray:
    return np.where(roots > 6 / 29, roots * roots * roots, (roots - np.float32(4 / 29)) * np.float32(108 / 841))
