"""ColorCheckers as a camera of known spectral sensitivities sees them, under lights of known spectra; and their sheets.

For tests and ``benchmarks/colour_charts.py``. The camera's three values are written as if they were sRGB, as a camera
does that knows no colour correction.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from lib_photoshoot.colour.difference import colour_science

CAMERA = "Nikon 5100 (NPL)"
SIDE, GAP, FRAME = 40, 8, 14
"""Of the flat chart, in its own units: a patch's side, the gap between two, and the frame around all."""
WHITE_AT = 0.8
"""What a perfect white gives on the sensor, of what it can hold."""


@lru_cache(maxsize=1)
def _shape():
    return colour_science().SpectralShape(400, 700, 10)


def _values(spectra) -> np.ndarray:
    colour = colour_science()
    shape = _shape()
    return np.array([colour.SpectralDistribution(s).align(shape).values for s in spectra])


@lru_cache(maxsize=4)
def chart_reflectances(name: str = "BabelColor Average") -> np.ndarray:
    """The 24 patches (24, wavelengths), in the chart's order."""
    return _values(s.copy() for s in colour_science().SDS_COLOURCHECKERS[name].values())


@lru_cache(maxsize=1)
def object_reflectances() -> np.ndarray:
    """The 99 colour evaluation samples of ANSI/IES TM-30: textiles, paints, skin, plants (99, wavelengths)."""
    from colour.quality.cfi2017 import load_TCS_CIE2017

    samples = load_TCS_CIE2017(colour_science().SpectralShape(380, 780, 5))
    wavelengths = np.arange(400, 701, 10)
    return np.array([np.interp(wavelengths, samples.wavelengths, v) for v in samples.values.T])


@lru_cache(maxsize=32)
def light(name: str) -> np.ndarray:
    """Relative spectral power (wavelengths,) of an illuminant or source of colour-science."""
    colour = colour_science()
    if name.endswith(" K"):
        xy = colour.temperature.CCT_to_xy_CIE_D(float(name[:-2]) * 1.4388 / 1.4380)
        return _values([colour.sd_CIE_illuminant_D_series(xy)])[0]
    return _values([{**colour.SDS_ILLUMINANTS, **colour.SDS_LIGHT_SOURCES}[name].copy()])[0]


def seen(reflectances: np.ndarray, under: str, balanced_for: str | None = None, camera: str = CAMERA) -> np.ndarray:
    """The camera's linear values (N, 3); white balance for another light leaves a cast."""
    sensitivity = colour_science().MSDS_CAMERA_SENSITIVITIES[camera].copy().align(_shape()).values
    raw = (reflectances * light(under)) @ sensitivity
    white = light(balanced_for or under) @ sensitivity
    return raw / white * (light(balanced_for or under) @ sensitivity)[1] / (light(under) @ sensitivity)[1] * WHITE_AT


def true_lab(reflectances: np.ndarray) -> np.ndarray:
    """L*a*b* (N, 3) of D65 of the surfaces in CIE D50, adapted by Bradford: what a chart's published values mean."""
    colour = colour_science()
    cmfs = colour.MSDS_CMFS["CIE 1931 2 Degree Standard Observer"].copy().align(_shape())
    power = light("D50")
    xyz = (reflectances * power) @ cmfs.values / (power @ cmfs.values[:, 1])
    whites = [colour.xy_to_XYZ(colour.CCS_ILLUMINANTS[cmfs.name][name]) for name in ("D50", "D65")]
    adapted = colour.chromatic_adaptation(xyz, *whites, transform="Bradford")
    return colour.XYZ_to_Lab(adapted, colour.CCS_ILLUMINANTS[cmfs.name]["D65"])


def flat_chart(values: np.ndarray, columns: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """A chart of linear values (N, 3) as a picture, seen from straight above, and the middles of its corner patches."""
    rows = -(-len(values) // columns)
    step = SIDE + GAP
    size = (2 * FRAME + rows * step - GAP, 2 * FRAME + columns * step - GAP)
    picture = np.full((*size, 3), 0.02, np.float32)
    for number, value in enumerate(values):
        y, x = FRAME + number // columns * step, FRAME + number % columns * step
        picture[y : y + SIDE, x : x + SIDE] = value
    near, right, bottom = FRAME + SIDE / 2, size[1] - FRAME - SIDE / 2, size[0] - FRAME - SIDE / 2
    return picture, np.array([[near, near], [right, near], [right, bottom], [near, bottom]], np.float32)


def encoded(linear: np.ndarray, dtype: type = np.uint8) -> np.ndarray:
    """Linear values as sRGB writes them."""
    linear = np.clip(linear, 0, 1)
    codes = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(codes * np.iinfo(dtype).max).astype(dtype)


def photograph(
    values: np.ndarray,
    size: tuple[int, int] = (600, 420),
    width: float = 0.6,
    centre: tuple[float, float] = (0.5, 0.5),
    turn: float = 4.0,
    tilt: float = 0.06,
    shading: float = 0.0,
    noise: float = 0.004,
    columns: int = 6,
    onto: np.ndarray | None = None,
    seed: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """A chart lying in a scene: linear picture (height, width, 3), and where the corner patches' middles are (4, 2).

    ``turn`` in degrees; ``tilt`` is how much narrower the far side looks; ``shading`` how much the light falls off over
    the picture; ``noise`` the standard deviation at white. ``onto`` is a linear scene of that size.
    """
    flat, corners = flat_chart(values, columns)
    height, breadth = flat.shape[:2]
    scale = width * size[0] / breadth
    outer = np.array([[0, 0], [breadth, 0], [breadth, height], [0, height]], np.float32)
    centred = (outer - outer.mean(axis=0)) * scale
    centred[:2, 0] *= 1 - tilt
    angle = np.deg2rad(turn)
    turned = centred @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    placed = (turned + np.array(centre) * size).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(outer, placed)
    source = np.random.default_rng(seed)
    scene = np.full((size[1], size[0], 3), 0.28, np.float32) if onto is None else onto.astype(np.float32).copy()
    scene *= 1 + 0.03 * source.standard_normal((*scene.shape[:2], 1)).astype(np.float32)
    big = cv2.resize(flat, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    matrix2 = matrix @ np.diag([0.5, 0.5, 1])
    # Drawn twice as large and reduced: edges are soft, as a lens makes them.
    twice = np.diag([2.0, 2.0, 1.0])
    whole = (2 * size[0], 2 * size[1])
    drawn = cv2.warpPerspective(big, twice @ matrix2, whole, flags=cv2.INTER_LINEAR)
    there = cv2.warpPerspective(np.ones(big.shape[:2], np.float32), twice @ matrix2, whole)[..., None]
    drawn, there = (cv2.resize(item, size, interpolation=cv2.INTER_AREA) for item in (drawn, there))
    scene = scene * (1 - there[..., None]) + drawn
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, size[0]), np.linspace(-0.5, 0.5, size[1]))
    scene *= (1 + shading * (0.8 * x + 0.6 * y)).astype(np.float32)[..., None]
    scene += source.standard_normal(scene.shape) * noise * np.sqrt(np.clip(scene, 0.02, 1))
    return scene, cv2.perspectiveTransform(corners[None], matrix)[0]
