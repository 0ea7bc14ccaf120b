"""Colour differences, CIEDE2000, by colour-science."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType

import numpy as np

COMPARED = 20_000
"""Pixels that a difference between two pictures is measured on, evenly spread: more change no figure that is shown."""


@dataclass(frozen=True)
class Difference:
    """CIEDE2000 between two states of an article: over its pixels, and the direction of the mean colours.

    ``before`` and ``after`` are the mean L*, a*, b*.
    """

    mean: float
    percentile_95: float
    before: tuple[float, float, float]
    after: tuple[float, float, float]


@lru_cache(maxsize=1)
def colour_science() -> ModuleType:
    """Return the package ``colour``, loaded when first needed: that takes a second, and it warns of what it can do
    without.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import colour
    return colour


def delta_e(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """CIEDE2000 between L*a*b* values (..., 3), float64 (...); 1 is about what an eye can see side by side.

    CIE 142-2001, "Improvement to industrial colour-difference evaluation".

    >>> red, darker = np.array([53.2, 80.1, 67.2]), np.array([50.0, 80.1, 67.2])
    >>> round(float(delta_e(red, darker)), 1)
    3.2
    """
    return np.asarray(colour_science().delta_E(one, other, method="CIE 2000"))


def difference(before: np.ndarray, after: np.ndarray) -> Difference:
    """Difference of two sets of L*a*b* values (N, 3) of the same pixels. ValueError for none."""
    if not len(before):
        raise ValueError("a difference needs at least one pixel")
    step = -(-len(before) // COMPARED)
    one, other = before[::step].astype(np.float64), after[::step].astype(np.float64)
    each = delta_e(one, other)
    means = [tuple(float(value) for value in values.mean(axis=0)) for values in (one, other)]
    return Difference(float(each.mean()), float(np.percentile(each, 95)), *means)  # type: ignore[arg-type]
