"""The colour of the light, by a neutral ground or by highlights; never by the product's own colours.

A light ground of one weak colour is taken for white paper under the light. Where there is none, the lightest pixels
that are not clipped stand for it, as highlights have the light's colour: H.-C. Lee, "Method for computing the
scene-illuminant chromaticity from specular highlights", J. Opt. Soc. Am. A 3 (1986) 1694-1699,
https://doi.org/10.1364/JOSAA.3.001694. That is a weaker word, and its confidence says so. A white wall and a cream one
are not told apart: in a set of pictures both are a departure.
"""

from __future__ import annotations

import cv2
import numpy as np

from lib_photoshoot.consistency.traits import Measured

_RIM = 0.03
"""Share of the picture's longer side around the product that is left out."""
_LIGHT, _UNIFORM, _STRONGEST = 60.0, 5.0, 24.0
"""A neutral ground is at least so light (L*), nearly of one colour (a*b*), and has no more chroma."""
_LEAST, _MOST = 0.1, 0.5
"""Shares of the background: less neutral ground says nothing, from the second on it is believed fully."""
_TOP, _CLIPPED = 98.0, 99.5
"""Highlights are the pixels above this percentile of L*, without those of a lightness at which a channel is clipped."""
_HIGHLIGHTS = 0.5
"""The most that highlights are believed."""


def white_point(lab: np.ndarray, mask: np.ndarray, known: np.ndarray) -> Measured | None:
    """Return a* and b* of what is white in the picture; None where nothing is.

    ``lab`` is CIELAB float32 (height, width, 3) of a small copy of the picture, ``mask`` bool (height, width) the
    product, ``known`` bool where the picture's background is to be seen.
    """
    reach = max(1, round(_RIM * max(mask.shape)))
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    ground = lab[known & ~grown]
    light = ground[ground[:, 0] >= _LIGHT]
    if len(light) > 50:
        a, b = _mode(light[:, 1:])
        near = np.hypot(light[:, 1] - a, light[:, 2] - b) < _UNIFORM
        share = float(near.sum()) / len(ground)
        a, b = np.median(light[near][:, 1:], axis=0)
        if share >= _LEAST and np.hypot(a, b) <= _STRONGEST:
            return Measured((float(a), float(b)), min(1.0, share / _MOST))
    return _highlights(lab[known | mask])


def _mode(hue: np.ndarray) -> tuple[float, float]:
    """Return the middle of the most frequent colours, a* and b*."""
    counts, a, b = np.histogram2d(hue[:, 0], hue[:, 1], bins=40, range=((-40, 40), (-40, 40)))
    smooth = cv2.blur(counts.astype(np.float32), (3, 3))
    i, j = np.unravel_index(int(np.argmax(smooth)), counts.shape)
    return float(a[i] + a[i + 1]) / 2, float(b[j] + b[j + 1]) / 2


def _highlights(lab: np.ndarray) -> Measured | None:
    if len(lab) < 200:
        return None
    shown = lab[lab[:, 0] < _CLIPPED]
    if len(shown) < 200:
        return None
    top = shown[shown[:, 0] >= np.percentile(shown[:, 0], _TOP)]
    a, b = np.median(top[:, 1:], axis=0)
    near = float((np.hypot(top[:, 1] - a, top[:, 2] - b) < _UNIFORM).mean())
    if np.hypot(a, b) > 2 * _STRONGEST or float(top[:, 0].mean()) < _LIGHT:
        return None
    return Measured((float(a), float(b)), _HIGHLIGHTS * near)
