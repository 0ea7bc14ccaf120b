"""Where the light comes from, by the shading of the product itself.

A matt surface is the lighter the more it faces the light. Along an outline the surface faces the picture's own plane,
in the outline's direction, so the outline alone tells how the shading runs around the object: P. Nillius and J.-O.
Eklundh, "Automatic estimation of the projected light source direction", CVPR 2001,
https://doi.org/10.1109/CVPR.2001.990650; with ambient light M. K. Johnson and H. Farid, "Exposing digital forgeries by
detecting inconsistencies in lighting", ACM Multimedia and Security 2005, https://doi.org/10.1145/1073170.1073171. Only
the direction in the picture can be had that way, and not how far the light stands in front.

Behind the outline the surface is taken to be round, as a balloon of that outline. What is printed on the product would
be taken for shading; so only how the light changes over a short way counts, between pixels of one hue, and what changes
at once, as at an edge of a print, counts next to nothing (E. H. Land and J. J. McCann, "Lightness and retinex theory",
J. Opt. Soc. Am. 61 (1971) 1-11, https://doi.org/10.1364/JOSA.61.000001). Of flat sides only left and right are told.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.consistency.traits import Measured
from lib_photoshoot.masks.morphology import bounding_rect, distance_to

_SIDE = 160
"""Pixels to which the product's longer side is scaled."""
_RIM, _BALLOON = 0.015, 0.25
"""Shares of that side: the outline itself, where background shines in, and how far in the balloon is flat."""
_STEPS, _SAME_HUE = (4, 12), 3.0
"""Pixels over which changes are looked at, and how far two pixels of one hue may differ in a* and b* at L* 60."""
_PARTS, _FEWEST_PARTS = 5, 6
"""The parts, each way, of which one after the other is left out, and the fewest that a word is based on."""
_DARKEST, _LIGHTEST = 3.0, 99.0
"""Lightness (L*) beyond which a pixel is clipped and shows no shading."""
_LEAST = 400
"""Pixels, of the scaled product, below which nothing is said."""
_ROUNDS, _BEND, _FINEST = 10, 2.385, 0.004
"""Rounds of reweighting, Cauchy's constant (95 % efficient), and the least noise of a logarithm of light."""
_SURE, _STRONG = 20.0, 0.15
"""Degrees of standard error at which the confidence has fallen to 0.6, and the shading (the logarithm of the light
between facing it and facing aside) at which it has risen to that."""


def light_by_shading(picture: np.ndarray, mask: np.ndarray) -> Measured | None:
    """Return where the light comes from, in degrees counterclockwise from the right; None where no shading tells.

    ``picture`` is uint8 RGB in sRGB (height, width, 3), ``mask`` bool (height, width).
    """
    rect = bounding_rect(mask)
    if rect is None:
        return None
    scale = min(1.0, _SIDE / max(rect.x1 - rect.x0, rect.y1 - rect.y0))
    size = max(1, round((rect.x1 - rect.x0) * scale)), max(1, round((rect.y1 - rect.y0) * scale))
    inside = cv2.resize(mask[rect.slices].astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    inside = np.pad(inside, 1)
    lab = SRGB.to_lab(cv2.resize(np.ascontiguousarray(picture[rect.slices]), size, interpolation=cv2.INTER_AREA))
    lab = np.pad(lab, ((1, 1), (1, 1), (0, 0)))
    depth = distance_to(~inside)
    used = (depth > max(1.0, _RIM * max(size))) & (lab[..., 0] > _DARKEST) & (lab[..., 0] < _LIGHTEST)
    if np.count_nonzero(used) < _LEAST:
        return None
    facing = np.dstack(_facing(inside, depth, max(size)))
    return _direction(*_steps(lab, facing, used))


def _facing(inside: np.ndarray, depth: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how far the balloon's surface faces to the right and upwards, each float32 in [-1, 1]."""
    # The distance is smoothed: along its ridges the direction would jump.
    reach = _BALLOON * side
    smooth = cv2.GaussianBlur(np.where(inside, np.minimum(depth, reach), 0), (0, 0), max(1.0, 0.02 * side))
    right, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    length = np.maximum(cv2.magnitude(right, down), 1e-6)
    steep = np.sqrt(np.clip(1 - (np.minimum(depth, reach) / reach) ** 2, 0, 1))
    # Of a smoothed ridge little is left: there the balloon looks at the camera.
    steep = steep * np.clip(length / 8, 0, 1)
    return -right / length * steep, down / length * steep


def _log_light(lightness: np.ndarray) -> np.ndarray:
    """Return the logarithm of the luminance: what light adds to it is the same on a dark and on a light surface."""
    root = (lightness.astype(np.float64) + 16) / 116
    return np.log(np.where(lightness > 8, root**3, lightness / 903.3) + 0.01)


def _steps(lab: np.ndarray, facing: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return by how much light and facing change over a short way, (N,) and (N, 2), and the part (N,) in which that is.

    Only between pixels of one hue: shading leaves the quotients of L*, a* and b* as they are, and a print does not.
    """
    hue = lab[..., 1:] / np.maximum(lab[..., :1], 8.0) * 60
    light = _log_light(lab[..., 0])
    height, width = used.shape
    part = np.arange(height)[:, None] * _PARTS // height * _PARTS + np.arange(width) * _PARTS // width
    changes, turns, parts = [], [], []
    for step in _STEPS:
        for down, right in ((0, step), (step, 0)):
            here, there = np.s_[: height - down, : width - right], np.s_[down:, right:]
            like = used[here] & used[there] & (np.abs(hue[there] - hue[here]).max(axis=2) < _SAME_HUE)
            changes.append((light[there] - light[here])[like])
            turns.append((facing[there] - facing[here])[like])
            parts.append(part[here][like])
    return np.concatenate(changes), np.concatenate(turns), np.concatenate(parts)


def _direction(light: np.ndarray, facing: np.ndarray, parts: np.ndarray) -> Measured | None:
    """Return the direction in which the light grows with the facing, and how sure it is.

    The error is Tukey's jackknife: how far the answer moves when one part after the other of the product is left out.
    """
    there = np.unique(parts)
    if len(there) < _FEWEST_PARTS:
        return None
    weights = np.ones(len(light))
    for _ in range(_ROUNDS):
        slope = _solved(_moments(light, facing, weights, np.zeros(len(light), int), 1)[0])
        off = light - facing @ slope
        spread = max(1.4826 * float(np.median(np.abs(off))), _FINEST)
        # Cauchy's: an edge of the print is far off, and counts next to nothing.
        weights = 1 / (1 + (off / (_BEND * spread)) ** 2)
    by_part = _moments(light, facing, weights, parts, _PARTS**2)
    whole = by_part.sum(axis=0)
    left_out = np.array([_solved(whole - by_part[number]) for number in there])
    moved = left_out - left_out.mean(axis=0)
    covariance = (len(there) - 1) / len(there) * moved.T @ moved
    strength = float(np.hypot(*slope))
    if strength < 1e-6:
        return None
    aside = np.array([-slope[1], slope[0]]) / strength
    error = math.degrees(math.atan2(math.sqrt(max(float(aside @ covariance @ aside), 0.0)), strength))
    confidence = math.exp(-0.5 * (error / _SURE) ** 2) * (1 - math.exp(-strength / _STRONG))
    return Measured((math.degrees(math.atan2(slope[1], slope[0])) % 360,), confidence)


def _moments(light: np.ndarray, facing: np.ndarray, weights: np.ndarray, parts: np.ndarray, count: int) -> np.ndarray:
    """Return of each part the sums (count, 5) that a weighted least squares fit needs."""
    x, y = facing.T
    products = (x * x, x * y, y * y, x * light, y * light)
    return np.stack([np.bincount(parts, weights * one, count) for one in products], axis=1)


def _solved(sums: np.ndarray) -> np.ndarray:
    a, b, c, p, q = sums
    ridge = 1e-3 * (a + c) + 1e-9
    a, c = a + ridge, c + ridge
    determinant = a * c - b * b
    return np.array([(c * p - b * q) / determinant, (a * q - b * p) / determinant])
