"""A calibration: made from one picture of a chart, kept as a small JSON file, applied to other pictures."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from lib_photoshoot.calibration.chart import PLACES, ChartKind, read_chart, true_light
from lib_photoshoot.calibration.errors import CalibrationError
from lib_photoshoot.calibration.finding import find_chart
from lib_photoshoot.calibration.fitting import Error, Fit, FitKind, fit_chart
from lib_photoshoot.calibration.light import ProfileError, changed_light
from lib_photoshoot.colour.profiles import is_srgb
from lib_photoshoot.files import shown, write_atomic
from lib_photoshoot.images import Picture

PROGRAM, VERSION = "product-photoshoot calibration", 1
_LARGEST_FILE = 1 << 20
_LARGEST_NUMBER = 1e3
_FAR = 1e6
"""Pixels that no picture has on a side."""
_WORST = 6.0
"""Mean CIEDE2000 on the chart from which on a calibration would do harm: a tone curve or a picture style is in it."""


@dataclass(frozen=True)
class Calibration:
    """How light is corrected, how well that did on its own chart, and what it was made from.

    ``name`` is that of its file or picture. ``error`` is CIEDE2000 on the chart's patches, ``left_out`` on patches left
    out of the fit. ``made_from`` has words and numbers for people alone.
    """

    name: str
    fit: Fit
    error: Error
    left_out: Error
    made_from: dict[str, Any]

    @property
    def told(self) -> str:
        """One line for reports."""
        return (
            f"calibrated with {self.name} ({self.fit.kind.value}), own error {self.error.mean:.1f} mean, "
            f"{self.error.max:.1f} max CIEDE2000"
        )

    @property
    def digest(self) -> str:
        """By which a run knows that it was begun with the same correction."""
        return hashlib.sha256(self.fit.kind.value.encode() + self.fit.coefficients.tobytes()).hexdigest()[:12]

    def apply(self, pixels: np.ndarray, icc: bytes | None, name: str) -> np.ndarray:
        """Return uint8 or uint16 pixels (H, W, 3) calibrated, in their own colour space and type.

        Raises CalibrationError for a profile that has no matrix and curves. ``name`` stands for the picture in it.
        """
        try:
            return changed_light(pixels, icc, self.fit)
        except ProfileError as error:
            raise _unusable_profile(name, error) from error


def calibrate(
    picture: Picture,
    name: str,
    corners: np.ndarray | None = None,
    kind: ChartKind = ChartKind.CLASSIC,
    light: str = "",
) -> tuple[Calibration, np.ndarray]:
    """Return the calibration that a picture of a chart gives, and the middles of the chart's corner patches (4, 2).

    ``corners`` say where these are, in pixels, around the chart from any of them; without, the chart is looked for.
    ``light`` is a note on the light. Raises CalibrationError with what is wrong with picture or chart.
    """
    if corners is None:
        corners = find_chart(picture.srgb, name)
    try:
        reading = read_chart(picture.best, picture.icc, corners, name, kind)
    except ProfileError as error:
        raise _unusable_profile(name, error) from error
    found = fit_chart(reading.seen, true_light(kind)[reading.numbers], reading.places)
    if found.own.mean > _WORST:
        raise CalibrationError(
            f"The chart in {name} cannot be brought to its colours (mean error {found.own.mean:.1f} CIEDE2000 after "
            "the best fit); a picture style, a filter or two kinds of light are in it: photograph it in a neutral "
            "style or raw, under one light."
        )
    made_from = {
        "picture": name,
        "chart": kind.value,
        "corners": [[round(float(value), 1) for value in point] for point in reading.corners],
        "patches": len(reading.seen),
        "light": light,
        "light_falls_off": [round(math.expm1(value), 3) for value in found.shading],
        "colour_space": "sRGB" if picture.icc is None or is_srgb(picture.icc) else "its own ICC profile",
    }
    return Calibration(name, found.fit, found.own, found.left_out, made_from), reading.corners


def write_calibration(calibration: Calibration, path: Path) -> None:
    """Write the JSON file, whole or not at all; raises OSError as it comes."""
    values = {
        "program": PROGRAM,
        "version": VERSION,
        "fit": calibration.fit.kind.value,
        "coefficients": calibration.fit.coefficients.tolist(),
        "error": _values(calibration.error),
        "left_out_error": _values(calibration.left_out),
        "made_from": calibration.made_from,
    }
    text = json.dumps(values, indent=1, ensure_ascii=False) + "\n"
    write_atomic(path, text.encode("utf-8", "backslashreplace"))


def read_calibration(path: Path) -> Calibration:
    """Read what :func:`write_calibration` wrote. Raises CalibrationError for anything else."""
    name = shown(path)
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise CalibrationError(
            f"The calibration {name} cannot be read ({error.strerror or error}); check the path."
        ) from error
    again = "make it again from the picture of the chart with colour calibrate"
    try:
        values = json.loads(data) if len(data) <= _LARGEST_FILE else None
    except (ValueError, RecursionError) as error:
        if data.lstrip().startswith(b"{"):
            raise CalibrationError(f"The calibration {name} is damaged: it is no JSON any more; {again}.") from error
        values = None
    if not isinstance(values, dict) or values.get("program") != PROGRAM:
        raise CalibrationError(f"{name} is no calibration; make one from a picture of a chart with colour calibrate.")
    if values.get("version") != VERSION:
        raise CalibrationError(f"The calibration {name} is of another version of this program; {again}.")
    try:
        return _calibration(shown(path.name), values)
    except _DamagedError as error:
        raise CalibrationError(f"The calibration {name} is damaged: {error}; {again}.") from error


def is_calibration(path: Path) -> bool:
    """Whether a file can be read as one, so that a new one may take its place."""
    try:
        read_calibration(path)
    except CalibrationError:
        return False
    return True


class _DamagedError(Exception):
    """What is wrong with a value of a calibration's file."""


def _calibration(name: str, values: dict[str, Any]) -> Calibration:
    made_from = values.get("made_from")
    if not isinstance(made_from, dict):
        raise _DamagedError("its made_from is no object")
    error, left_out = _error(values, "error", _WORST), _error(values, "left_out_error", _LARGEST_NUMBER)
    return Calibration(name, _fit(values), error, left_out, made_from)


def _fit(values: dict[str, Any]) -> Fit:
    kind = next((kind for kind in FitKind if kind.value == values.get("fit")), None)
    if kind is None:
        raise _DamagedError(f"its fit is none of {', '.join(kind.value for kind in FitKind)}")
    rows = values.get("coefficients")
    if not (isinstance(rows, list) and len(rows) == 3 and all(_is_row(row, kind.terms) for row in rows)):
        most = f"{_LARGEST_NUMBER:g}"
        raise _DamagedError(f"its coefficients are not 3 rows of {kind.terms} numbers from -{most} to {most}")
    fit = Fit(kind, np.array(rows, np.float64))
    if not 1 / _LARGEST_NUMBER <= fit(np.ones((1, 3))).mean() <= _LARGEST_NUMBER:
        raise _DamagedError("its coefficients would make all pictures black or white")
    return fit


def _values(error: Error) -> dict[str, float]:
    return {"mean": round(error.mean, 3), "max": round(error.max, 3)}


def _error(values: dict[str, Any], field: str, most: float) -> Error:
    """Return a mean up to ``most``, and a greatest error that is no less."""
    found = values.get(field)
    mean, greatest = (found.get("mean"), found.get("max")) if isinstance(found, dict) else (None, None)
    if not _is_number(mean, 0) or not _is_number(greatest, mean) or mean > most:
        raise _DamagedError(f"its {field} is no mean from 0 to {most:g} with a max from there on")
    return Error(float(mean), float(greatest))


def _is_row(value: Any, length: int) -> bool:
    return isinstance(value, list) and len(value) == length and all(_is_number(it, -_LARGEST_NUMBER) for it in value)


def _is_number(value: Any, least: float) -> TypeGuard[float]:
    """Also false for NaN, and for true and false, which are numbers in Python."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= _LARGEST_NUMBER


def _unusable_profile(name: str, error: ProfileError) -> CalibrationError:
    return CalibrationError(
        f"The colour profile of {name} cannot be used for a calibration ({error}); save the picture in sRGB."
    )


def parse_corners(texts: Sequence[str]) -> np.ndarray:
    """Four points "x,y" in pixels as (4, 2). Raises CalibrationError that names the one that is none."""
    how = "for example 120,80 640,92 655,430 110,421, the middles of the chart's corner patches in pixels, around it"
    if len(texts) != len(PLACES):
        raise CalibrationError(f"--corners wants four points and has {len(texts)}; give four, {how}.")
    points = []
    for place, text in zip(PLACES, texts, strict=True):
        try:
            x, y = (float(value) for value in text.split(","))
        except ValueError:
            x = y = math.nan
        if not max(abs(x), abs(y)) < _FAR:
            raise CalibrationError(f"The {place} corner {text[:40]!r} is no point x,y; write it in pixels, {how}.")
        points.append((x, y))
    return np.array(points, np.float32)
