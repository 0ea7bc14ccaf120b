"""From the light that a camera saw to the light that it should have seen: matrix or root polynomial.

The mathematics is colour-science's: Finlayson, Mackiewicz and Hurlbert, "Color Correction Using Root-Polynomial
Regression", IEEE Transactions on Image Processing 24 (2015). Both kinds are exact in exposure: twice the light in is
twice the light out. Which is taken is decided by the error on patches that were left out of the fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from lib_photoshoot.calibration.light import to_lab
from lib_photoshoot.colour.difference import colour_science, delta_e

_SHADING_ROUNDS = 4
_LEAST_LIGHT = 0.01
_CLEARLY = 0.95
"""A more flexible fit must have this share, or less, of a plainer one's error on patches left out."""


class FitKind(str, Enum):
    """How light is corrected: by 9 numbers, by 18 or by 39."""

    MATRIX = "matrix"
    ROOT_POLYNOMIAL = "root-polynomial"
    ROOT_POLYNOMIAL_3 = "root-polynomial-3"

    @property
    def degree(self) -> int:
        """Of the polynomial."""
        return list(FitKind).index(self) + 1

    @property
    def terms(self) -> int:
        """Numbers for each channel."""
        return (3, 6, 13)[self.degree - 1]


@dataclass(frozen=True)
class Fit:
    """A correction of light; ``coefficients`` are float64 (3, terms of the kind)."""

    kind: FitKind
    coefficients: np.ndarray

    def __call__(self, light: np.ndarray) -> np.ndarray:
        """Return the corrected light (..., 3)."""
        colour = colour_science()
        return np.asarray(
            colour.characterisation.apply_matrix_colour_correction_Finlayson2015(
                light, self.coefficients, self.kind.degree, True
            )
        )


@dataclass(frozen=True)
class Error:
    """CIEDE2000 over the patches of a chart."""

    mean: float
    max: float


@dataclass(frozen=True)
class Fitted:
    """A fit, its own error on its patches, and the mean and greatest error on each patch when that was left out.

    ``shading`` says how much the light changes over the chart, as logarithms, from left to right and top to bottom; it
    is no part of the correction, only kept out of it.
    """

    fit: Fit
    own: Error
    left_out: Error
    shading: tuple[float, float] = (0.0, 0.0)


def fit_chart(seen: np.ndarray, true: np.ndarray, places: np.ndarray) -> Fitted:
    """Fit light as seen (N, 3) to true light (N, 3), of patches at ``places`` (N, 2) on the chart, from -0.5 to 0.5."""
    best: Fitted | None = None
    for kind in FitKind:
        for shaded in (False, True):
            if len(seen) < 1.5 * kind.terms:
                continue
            found = _fitted(kind, shaded, seen, true, places)
            if best is None or found.left_out.mean < _CLEARLY * best.left_out.mean:
                best = found
    if best is None:
        raise ValueError(f"{len(seen)} patches are too few for a fit")
    return best


def errors_of(fit: Fit, seen: np.ndarray, true: np.ndarray) -> np.ndarray:
    """CIEDE2000 (N,) that a fit leaves."""
    return delta_e(to_lab(np.maximum(fit(seen), 0)), to_lab(true))


def _fitted(kind: FitKind, shaded: bool, seen: np.ndarray, true: np.ndarray, places: np.ndarray) -> Fitted:
    fit, slopes = _solve(kind, shaded, seen, true, places)
    own = errors_of(fit, _evened(seen, places, slopes), true)
    left_out = np.array(list(_left_out(kind, shaded, seen, true, places)))
    return Fitted(fit, _error(own), _error(left_out), (float(slopes[0]), float(slopes[1])))


def _left_out(kind: FitKind, shaded: bool, seen: np.ndarray, true: np.ndarray, places: np.ndarray) -> Iterator[float]:
    for number in range(len(seen)):
        others = np.arange(len(seen)) != number
        fit, slopes = _solve(kind, shaded, seen[others], true[others], places[others])
        one = slice(number, number + 1)
        yield float(errors_of(fit, _evened(seen[one], places[one], slopes), true[one])[0])


def _solve(
    kind: FitKind, shaded: bool, seen: np.ndarray, true: np.ndarray, places: np.ndarray
) -> tuple[Fit, np.ndarray]:
    """Return a fit and the slopes (2,) of the light's logarithm over the chart, found in turns."""
    slopes = np.zeros(2)
    fit = _solved(kind, seen, true)
    for _ in range(_SHADING_ROUNDS if shaded else 0):
        ratio = np.log(_brightness(fit(seen)) / _brightness(true))
        plane = np.column_stack([places, np.ones(len(places))])
        slopes = np.linalg.lstsq(plane, ratio, rcond=None)[0][:2]
        fit = _solved(kind, _evened(seen, places, slopes), true)
    return fit, slopes


def _solved(kind: FitKind, seen: np.ndarray, true: np.ndarray) -> Fit:
    # Least squares would see the light patches alone. Scaled alike on both sides, which these fits allow, dark ones
    # count as much as eyes see of them: L* rises with the cube root of the light.
    weight = (_brightness(true) ** (-2 / 3))[:, None]
    solve = colour_science().characterisation.matrix_colour_correction_Finlayson2015
    return Fit(kind, np.asarray(solve(weight * seen, weight * true, kind.degree, True)))


def _evened(seen: np.ndarray, places: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    return seen * np.exp(-(places @ slopes))[:, None]


def _brightness(light: np.ndarray) -> np.ndarray:
    return np.maximum(light.mean(axis=1), _LEAST_LIGHT)


def _error(values: np.ndarray) -> Error:
    return Error(float(values.mean()), float(values.max()))
