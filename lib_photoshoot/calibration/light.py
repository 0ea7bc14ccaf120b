"""Code values of a picture to linear light, and back: float, in the primaries of ITU-R BT.2020 (D65).

All that cameras and editors write lies within these, so that light is hardly ever negative, and the same surface has
the same light whatever profile its picture has. 1 is the white of the picture's space.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache

import numpy as np

from lib_photoshoot.colour.difference import colour_science
from lib_photoshoot.colour.icc import ProfileError, matrix_profile
from lib_photoshoot.colour.profiles import is_srgb
from lib_photoshoot.masks.morphology import row_strips

_SPACE = "ITU-R BT.2020"
_FINE = 1 << 16
"""Steps of a table from light to code values; over the light's square root, where dark tones are."""
_STRIP_PIXELS = 1 << 19
_D50 = (0.9642, 1.0, 0.8249)


class PictureLight:
    """The light of pictures with one profile; None is sRGB. Raises ProfileError where it has no matrix and curves."""

    def __init__(self, icc: bytes | None) -> None:
        colour = colour_science()
        wide = colour.RGB_COLOURSPACES[_SPACE]
        if icc is None or is_srgb(icc):
            self._curves: Sequence[Callable[[np.ndarray], np.ndarray]] = [colour.models.eotf_sRGB] * 3
            matrix = np.asarray(colour.matrix_RGB_to_RGB(colour.RGB_COLOURSPACES["sRGB"], wide))
        else:
            profile = matrix_profile(icc)
            self._curves = profile.curves
            white = colour.xy_to_XYZ(wide.whitepoint)
            adapted = colour.adaptation.matrix_chromatic_adaptation_VonKries(white, np.array(_D50), "Bradford")
            matrix = np.linalg.inv(adapted @ wide.matrix_RGB_to_XYZ) @ profile.matrix
        self._matrix, self._back = matrix.astype(np.float32), np.linalg.inv(matrix).astype(np.float32)
        # Interpolation wants a rising curve; a flat foot stays where it is.
        codes, light = np.linspace(0, 1, _FINE), np.linspace(0, 1, _FINE) ** 2
        self._encode = [np.interp(light, np.maximum.accumulate(curve(codes)), codes) for curve in self._curves]

    def decode(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 or uint16 (..., 3) to light, float32 (..., 3)."""
        tables = self._decode8 if pixels.dtype == np.uint8 else self._decode16
        own = np.stack([np.take(table, pixels[..., c]) for c, table in enumerate(tables)], axis=-1)
        return own @ self._matrix.T

    @cached_property
    def _decode8(self) -> list[np.ndarray]:
        return self._decoding(1 << 8)

    @cached_property
    def _decode16(self) -> list[np.ndarray]:
        return self._decoding(1 << 16)

    def _decoding(self, count: int) -> list[np.ndarray]:
        codes = np.linspace(0, 1, count)
        return [np.clip(curve(codes), 0, 1).astype(np.float32) for curve in self._curves]

    def encode(self, light: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Light (..., 3) to code values, rounded; what the picture's space cannot hold is clipped."""
        own = np.clip(light.astype(np.float32) @ self._back.T, 0, 1)
        steps = np.rint(np.sqrt(own) * np.float32(_FINE - 1)).astype(np.int32)
        most = np.iinfo(dtype).max
        tables = [np.rint(table * most).astype(dtype) for table in self._encode]
        return np.stack([np.take(table, steps[..., c]) for c, table in enumerate(tables)], axis=-1)


@lru_cache(maxsize=16)
def light_of(icc: bytes | None) -> PictureLight:
    """Return the light of pictures with this profile, kept for the next one. Raises ProfileError."""
    return PictureLight(icc)


def changed_light(pixels: np.ndarray, icc: bytes | None, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return the pixels (H, W, 3) after a change of their light, in their own space and of their own type.
    ProfileError.
    """
    space = light_of(icc)
    result = np.empty_like(pixels)
    # In strips: as floats, a large picture would be in memory many times over.
    for strip in row_strips(pixels.shape, pixels=_STRIP_PIXELS):
        rows = slice(strip.start, strip.stop)
        result[rows] = space.encode(change(space.decode(pixels[rows])), pixels.dtype)
    return result


def to_lab(light: np.ndarray) -> np.ndarray:
    """Light (..., 3) as L*a*b* (D65), float64; values outside any gamut are not clipped."""
    colour = colour_science()
    wide = colour.RGB_COLOURSPACES[_SPACE]
    return np.asarray(colour.XYZ_to_Lab(np.asarray(light, np.float64) @ wide.matrix_RGB_to_XYZ.T, wide.whitepoint))


def from_surface(xyy: np.ndarray, illuminant: np.ndarray) -> np.ndarray:
    """Surfaces (N, 3) in CIE xyY under an illuminant (x, y) as light, float64, adapted by Bradford's transform."""
    colour = colour_science()
    wide = colour.RGB_COLOURSPACES[_SPACE]
    whites = colour.xy_to_XYZ(illuminant), colour.xy_to_XYZ(wide.whitepoint)
    adapted = colour.chromatic_adaptation(colour.xyY_to_XYZ(xyy), *whites, transform="Bradford")
    return np.asarray(adapted @ np.linalg.inv(wide.matrix_RGB_to_XYZ).T)


__all__ = ["PictureLight", "ProfileError", "changed_light", "from_surface", "light_of", "to_lab"]
