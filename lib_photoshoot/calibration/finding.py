"""Where a ColorChecker lies in a picture, by colour-checker-detection (its segmentation), which is optional."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from lib_photoshoot.calibration.chart import COLUMNS, CORNERS, ROWS
from lib_photoshoot.calibration.errors import CalibrationError, NoChartError

# Without its dependencies: it asks for opencv-python, which would overwrite the headless build of the same modules.
_INSTALL = '-m pip install --no-deps "colour-checker-detection>=0.2.1,<0.2.2"'
_WORKING_SIDE = 1440
_GRID = np.array([(x, y) for y in range(ROWS) for x in range(COLUMNS)], np.float32)


def can_find() -> bool:
    """Whether charts can be found here, or have to be pointed at."""
    return _segmenter() is not None


def find_chart(srgb: np.ndarray, name: str) -> np.ndarray:
    """Return the middles of the corner patches (4, 2) of the one chart in a picture, uint8 sRGB (H, W, 3).

    They go around the chart from any of them. Raises NoChartError where there is none that is whole, and
    CalibrationError for more than one, and where the package is not installed.
    """
    found = find_charts(srgb)
    if not found:
        raise NoChartError(
            f"No ColorChecker Classic with all of its 24 patches was found in {name}; photograph it whole, flat and "
            "larger, or give the middles of its four corner patches with --corners."
        )
    if len(found) > 1:
        raise CalibrationError(
            f"There are {len(found)} ColorCheckers in {name}; leave one of them in the picture, or say which by the "
            "middles of its four corner patches with --corners."
        )
    return found[0]


def find_charts(srgb: np.ndarray) -> list[np.ndarray]:
    """Every chart that seems to be there, as :func:`find_chart` gives it. CalibrationError without the package."""
    check_can_find()
    segmenter = _segmenter()
    assert segmenter is not None
    return _found(segmenter, srgb)


def check_can_find() -> None:
    """Check that charts can be found here. Raises CalibrationError, which says what to do."""
    if _segmenter() is None:
        raise CalibrationError(
            "Finding a chart in a picture needs the package colour-checker-detection, which is not installed; run: "
            f"{sys.executable} {_INSTALL}, or give the middles of the chart's four corner patches with --corners."
        )


def _found(segmenter: Callable[..., Any], srgb: np.ndarray) -> list[np.ndarray]:
    # The package turns upright pictures on their side and scales both; done here, the way back is known.
    upright = srgb.shape[0] > srgb.shape[1]
    image = cv2.rotate(srgb, cv2.ROTATE_90_CLOCKWISE) if upright else srgb
    scale = _WORKING_SIDE / image.shape[1]
    small = cv2.resize(image, (_WORKING_SIDE, round(image.shape[0] * scale)), interpolation=cv2.INTER_AREA)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = segmenter(small.astype(np.float32) / 255, apply_cctf_encoding=False, additional_data=True)
    charts = []
    for rectangle in found.rectangles:
        corners = (_refined(np.asarray(rectangle, np.float32), np.asarray(found.swatches)) + 0.5) / scale
        charts.append(_turned_back(corners, srgb.shape[0]) if upright else corners)
    return charts


def _refined(rectangle: np.ndarray, swatches: np.ndarray) -> np.ndarray:
    """Corner patches' middles in perspective; the package knows the upright rectangle around the chart alone."""
    if np.linalg.norm(rectangle[1] - rectangle[0]) < np.linalg.norm(rectangle[2] - rectangle[1]):
        rectangle = np.roll(rectangle, 1, axis=0)
    outer = np.array([[-0.5, -0.5], [5.5, -0.5], [5.5, 3.5], [-0.5, 3.5]], np.float32)
    to_grid = cv2.getPerspectiveTransform(rectangle, outer)
    middles = swatches.reshape(-1, 4, 2).mean(axis=1).astype(np.float32)
    places = cv2.perspectiveTransform(middles[None], to_grid)[0]
    cells = np.rint(places)
    close = (np.abs(places - cells) < 0.4).all(axis=1)
    close &= ((cells >= 0) & (cells < (COLUMNS, ROWS))).all(axis=1)
    back = np.linalg.inv(to_grid)
    if close.sum() >= 8:
        better, _ = cv2.findHomography(cells[close], middles[close], cv2.RANSAC, 4.0)
        back = back if better is None else better
    return cv2.perspectiveTransform(_GRID[list(CORNERS)][None], back)[0]


def _turned_back(points: np.ndarray, height: int) -> np.ndarray:
    return np.column_stack([points[:, 1], height - points[:, 0]]).astype(np.float32)


@lru_cache(maxsize=1)
def _segmenter() -> Callable[..., Any] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from colour_checker_detection.detection.segmentation import segmenter_default
    except ImportError:
        return None
    return segmenter_default
