"""A calibration in a run: what becomes of each photo, and where its card lies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib_photoshoot.calibration.calibration import Calibration, calibrate, read_calibration
from lib_photoshoot.calibration.chart import card_box
from lib_photoshoot.calibration.errors import CalibrationError, NoChartError
from lib_photoshoot.calibration.finding import can_find, check_can_find, find_charts
from lib_photoshoot.errors import ImageError
from lib_photoshoot.images import Picture
from lib_photoshoot.results import Box

AUTO = "auto"
"""In place of a file: each photo by the card that it holds."""


@dataclass(frozen=True)
class Calibrated:
    """A photo as it is worked on, one line about its calibration, and the boxes of the cards in it."""

    picture: Picture
    told: str
    cards: tuple[Box, ...]


@dataclass(frozen=True)
class Calibrator:
    """Calibrates the photos of a run: with one ``calibration``, or (None) each by its own card."""

    calibration: Calibration | None = None

    def __call__(self, picture: Picture, name: str) -> Calibrated:
        """Return the calibrated photo. Raises ImageError where it cannot be calibrated with the run's calibration."""
        if self.calibration is None:
            return _by_its_card(picture, name)
        try:
            changed = _changed(picture, self.calibration, name)
        except CalibrationError as error:
            raise ImageError(str(error)) from error
        cards = tuple(card_box(corners) for corners in find_charts(picture.srgb)) if can_find() else ()
        return Calibrated(changed, self.calibration.told, cards)


def calibrator_for(name: str) -> tuple[Calibrator, dict[str, str]]:
    """Return the calibrator for a file, or for ``auto``, and how a run's settings tell it. Raises CalibrationError."""
    if name == AUTO:
        check_can_find()
        return Calibrator(), {"calibration": AUTO}
    calibration = read_calibration(Path(name))
    return Calibrator(calibration), {"calibration": f"{calibration.name} {calibration.digest}"}


def _by_its_card(picture: Picture, name: str) -> Calibrated:
    try:
        calibration, corners = calibrate(picture, name)
        told = replace(calibration, name="its own card").told
        return Calibrated(_changed(picture, calibration, name), told, (card_box(corners),))
    except NoChartError:
        return Calibrated(picture, "not calibrated: it holds no whole ColorChecker", ())
    except CalibrationError as error:
        # A card that cannot be measured is no product either.
        cards = tuple(card_box(found) for found in find_charts(picture.srgb))
        return Calibrated(picture, f"not calibrated: {error}", cards)


def _changed(picture: Picture, calibration: Calibration, name: str) -> Picture:
    changes: dict[str, Any] = {"pixels": calibration.apply(picture.pixels, picture.icc, name)}
    if picture.deep is not None:
        changes["deep"] = calibration.apply(picture.deep, picture.icc, name)
    return replace(picture, **changes)
