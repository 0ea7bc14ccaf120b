"""A calibration: made from one picture of a chart, kept as a small JSON file, applied to other pictures."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lib_photoshoot.calibration.chart import ChartKind, read_chart, true_light
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
    """The calibration that a picture of a chart gives, and the middles of the chart's corner patches (4, 2).

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
    write_atomic(path, lambda file: file.writelines([text.encode("utf-8", "backslashreplace")]))


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
    try:
        values = json.loads(data) if len(data) <= _LARGEST_FILE else None
        if not isinstance(values, dict) or values.get("program") != PROGRAM:
            raise CalibrationError(
                f"{name} is no calibration; make one from a picture of a chart with colour calibrate."
            )
        if values["version"] != VERSION:
            raise CalibrationError(f"The calibration {name} is of another version of this program; make it again.")
        return Calibration(
            shown(path.name),
            _fit(values),
            _error(values["error"]),
            _error(values["left_out_error"]),
            dict(values["made_from"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CalibrationError(f"The calibration {name} is damaged ({error}); make it again.") from error


def _fit(values: dict[str, Any]) -> Fit:
    kind = FitKind(values["fit"])
    coefficients = np.array(values["coefficients"], np.float64)
    if coefficients.shape != (3, kind.terms) or not (np.abs(coefficients) <= _LARGEST_NUMBER).all():
        raise ValueError("its coefficients are none of this fit")
    return Fit(kind, coefficients)


def _values(error: Error) -> dict[str, float]:
    return {"mean": round(error.mean, 3), "max": round(error.max, 3)}


def _error(values: dict[str, Any]) -> Error:
    return Error(float(values["mean"]), float(values["max"]))


def _unusable_profile(name: str, error: ProfileError) -> CalibrationError:
    return CalibrationError(
        f"The colour profile of {name} cannot be used for a calibration ({error}); save the picture in sRGB."
    )


def parse_corners(texts: Sequence[str]) -> np.ndarray:
    """Four points "x,y" in pixels as (4, 2). Raises CalibrationError."""
    try:
        points = np.array([[float(value) for value in text.split(",")] for text in texts], np.float32)
    except ValueError:
        points = np.zeros(0, np.float32)
    if points.shape != (4, 2) or not np.isfinite(points).all():
        raise CalibrationError(
            "--corners wants four points, for example 120,80 640,92 655,430 110,421: the middles of the chart's corner "
            "patches in pixels, around it."
        )
    return points
