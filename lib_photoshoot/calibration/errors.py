"""What is wrong with a chart or a calibration, as one sentence."""

from __future__ import annotations

from lib_photoshoot.errors import PhotoshootError


class CalibrationError(PhotoshootError):
    """A chart cannot be measured, or a calibration not be used."""


class NoChartError(CalibrationError):
    """There is no whole chart in the picture."""
