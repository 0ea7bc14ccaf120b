"""The ColorChecker Classic: its 24 patches as data, and what a picture shows of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import cv2
import numpy as np

from lib_photoshoot.calibration.errors import CalibrationError, NoChartError
from lib_photoshoot.calibration.light import from_surface, light_of
from lib_photoshoot.colour.difference import colour_science

COLUMNS, ROWS = 6, 4
CORNERS = (0, 5, 23, 18)
"""The corner patches, clockwise: dark skin, bluish green, black, white."""
PLACES = ("first", "second", "third", "fourth")
"""What a corner is called, by when it was given."""
_WHITE = 18
_SAMPLED = 0.24
"""How far from a patch's middle is measured, of the step to the next one; its edge lies at about 0.4."""
_SMALLEST_STEP = 8
_CLIPPED_SHARE = 0.02
_MOST_CLIPPED = 4
_CHART_LIKE = 0.65
"""See :func:`_likeness`. Rendered charts have 0.9 and more, three stops over-exposed 0.69; of 450 places at random in
photos of products none had more than 0.63."""
_GRID = np.array([(x, y) for y in range(ROWS) for x in range(COLUMNS)], np.float32)


class ChartKind(str, Enum):
    """Which formulation of the patches: the maker changed some in November 2014."""

    CLASSIC = "classic"
    BEFORE_2014 = "classic-before-2014"


_DATA = {
    ChartKind.CLASSIC: "ColorChecker24 - After November 2014",
    ChartKind.BEFORE_2014: "ColorChecker24 - Before November 2014",
}


@dataclass(frozen=True, eq=False)
class Reading:
    """What a picture shows of a chart. ``corners`` are the middles of the corner patches (4, 2), as ``CORNERS`` names.

    ``seen`` is the light of the patches that can be used, float64 (N, 3), and ``numbers`` says which those are.
    """

    corners: np.ndarray
    seen: np.ndarray
    numbers: np.ndarray

    @property
    def places(self) -> np.ndarray:
        """Where the patches lie on the chart, (N, 2) from -0.5 to 0.5."""
        return places_of(self.numbers)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Around the whole card with its frame, in pixels: x0, y0, x1, y1."""
        return card_box(self.corners)


@lru_cache(maxsize=2)
def true_light(kind: ChartKind = ChartKind.CLASSIC) -> np.ndarray:
    """Light of the 24 patches as published (24, 3)."""
    data = colour_science().CCS_COLOURCHECKERS[_DATA[kind]]
    return from_surface(np.array(list(data.data.values())), data.illuminant)


def patch_names() -> tuple[str, ...]:
    """Of the 24 patches, in the chart's order."""
    return tuple(colour_science().CCS_COLOURCHECKERS[_DATA[ChartKind.CLASSIC]].data)


def places_of(numbers: np.ndarray) -> np.ndarray:
    """Where patches lie on the chart, (N, 2) from -0.5 to 0.5."""
    return _GRID[numbers] / (COLUMNS - 1, ROWS - 1) - 0.5


def card_box(corners: np.ndarray) -> tuple[float, float, float, float]:
    """Around the whole card with its frame, in pixels, from the middles of its corner patches."""
    frame = np.array([[-0.9, -0.9], [5.9, -0.9], [5.9, 3.9], [-0.9, 3.9]], np.float32)
    x, y = _placed(corners, frame).T
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def read_chart(
    pixels: np.ndarray, icc: bytes | None, corners: np.ndarray, name: str, kind: ChartKind = ChartKind.CLASSIC
) -> Reading:
    """Measure a chart whose corner patches' middles are ``corners`` (4, 2), around it from any of them.

    ``pixels`` are uint8 or uint16 (H, W, 3). Raises CalibrationError, as for over-exposed patches, and
    NoChartError where no chart lies there.
    """
    _check_place(corners, pixels.shape, name)
    # Which corner is which is seen in the colours, whatever the light.
    turns = list(_turns(np.asarray(corners, np.float32)))
    alike = [_likeness(pixels, turned, kind) for turned in turns]
    best = int(np.argmax(alike))
    if alike[best] < _CHART_LIKE:
        raise NoChartError(_no_chart(pixels, turns[best], name))
    reading = _measured(pixels, icc, turns[best])
    _check_exposure(reading, pixels, name)
    return reading


def _turns(corners: np.ndarray) -> Iterator[np.ndarray]:
    for around in (corners, corners[::-1]):
        for start in range(4):
            yield np.roll(around, start, axis=0)


def _likeness(pixels: np.ndarray, corners: np.ndarray, kind: ChartKind) -> float:
    """How the patches' code values go with what they should be, -1..1: the mean of the channels' correlations.

    Under- and over-exposure and the light's colour hardly matter to it, and neither does a picture style.
    """
    spots = [pixels[spot] for spot in _spots(corners, pixels.shape)]
    if not all(map(len, spots)):
        return 0.0
    seen = np.array([spot.mean(axis=0) for spot in spots])
    return float((_standard(seen) * _standard(np.cbrt(true_light(kind)))).mean())


def _standard(values: np.ndarray) -> np.ndarray:
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)


def _no_chart(pixels: np.ndarray, corners: np.ndarray, name: str) -> str:
    where = f"between these corners in {name}"
    most = np.iinfo(pixels.dtype).max
    white = sum(_share(pixels[spot] >= most) > _CLIPPED_SHARE for spot in _spots(corners, pixels.shape))
    if white > COLUMNS * ROWS / 2:
        return (
            f"No ColorChecker Classic is to be seen {where}, where nearly all is clipped; correct the corners, or "
            "photograph the chart with far less exposure."
        )
    return (
        f"What lies {where} is no ColorChecker Classic; give the middles of its four corner patches, around the chart."
    )


def _check_place(corners: np.ndarray, shape: Sequence[int], name: str) -> None:
    """Raise CalibrationError, with the corner at fault, unless a whole chart can lie there."""
    points = np.asarray(corners, np.float32)
    height, width = shape[:2]
    for number, (place, (x, y)) in enumerate(zip(PLACES, points.tolist(), strict=True)):
        corner = f"The {place} corner of the chart in {name} ({x:g},{y:g})"
        if not (0 <= x <= width and 0 <= y <= height):
            raise CalibrationError(f"{corner} lies outside the picture of {width} x {height} pixels; correct it.")
        others = np.delete(points, number, axis=0)
        if cv2.pointPolygonTest(others, (x, y), False) >= 0:
            raise CalibrationError(
                f"{corner} lies between the other three or on one of them; name the middle of a corner patch."
            )
    if not cv2.isContourConvex(points):
        raise CalibrationError(
            f"The four corners given for {name} lie crosswise and do not go around a chart; name the middles of its "
            "corner patches one after the other, around the chart."
        )
    ends = _placed(points, np.array([[-0.4, -0.4], [5.4, -0.4], [5.4, 3.4], [-0.4, 3.4]], np.float32))
    for place, (x, y) in zip(PLACES, ends.tolist(), strict=True):
        if not (0 <= x <= width and 0 <= y <= height):
            raise CalibrationError(
                f"The chart in {name} goes on beyond the picture's edge at its {place} corner ({x:.0f},{y:.0f}); "
                "photograph it whole, or correct that corner."
            )
    if _step(points) < _SMALLEST_STEP:
        raise CalibrationError(
            f"The chart in {name} is too small to be measured; let each of its patches have 10 pixels at least."
        )


def _check_exposure(reading: Reading, pixels: np.ndarray, name: str) -> None:
    usable = set(reading.numbers.tolist())
    lost = [number for number in range(COLUMNS * ROWS) if number not in usable]
    if _WHITE in usable and len(lost) <= _MOST_CLIPPED:
        return
    spots = [pixels[spot] for spot in _spots(reading.corners, pixels.shape)]
    bright = [number for number in lost if _share(spots[number] >= np.iinfo(pixels.dtype).max) > _CLIPPED_SHARE]
    if not bright:
        raise CalibrationError(
            f"The chart in {name} is under-exposed: {len(lost)} of its patches are black in a channel; photograph it "
            "again with more light, or in a wider colour space."
        )
    named = ", ".join(patch_names()[number] for number in bright)
    raise CalibrationError(
        f"The chart in {name} is over-exposed ({named} clipped); photograph it again with less exposure."
    )


def _measured(pixels: np.ndarray, icc: bytes | None, corners: np.ndarray) -> Reading:
    space, most = light_of(icc), np.iinfo(pixels.dtype).max
    seen, numbers = [], []
    for number, spot in enumerate(_spots(corners, pixels.shape)):
        codes = pixels[spot]
        clipped = _share(codes >= most) > _CLIPPED_SHARE or _share(codes == 0) > 0.5
        if len(codes) and not clipped:
            seen.append(space.decode(codes).astype(np.float64).mean(axis=0))
            numbers.append(number)
    return Reading(corners, np.array(seen).reshape(-1, 3), np.array(numbers, int))


def _share(wrong: np.ndarray) -> float:
    """Of pixels (N, 3), the greatest share in a channel."""
    return float(wrong.mean(axis=0).max()) if len(wrong) else 0.0


def _spots(corners: np.ndarray, shape: Sequence[int]) -> Iterator[tuple[slice, slice] | tuple[np.ndarray, np.ndarray]]:
    """Index of the pixels in the middle of each patch."""
    around = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32) * _SAMPLED
    for middle in _GRID:
        spot = np.rint(_placed(corners, middle + around) - 0.5).astype(np.int32)
        x0, y0 = np.maximum(spot.min(axis=0), 0)
        x1, y1 = np.minimum(spot.max(axis=0) + 1, (shape[1], shape[0]))
        mask = np.zeros((max(0, y1 - y0), max(0, x1 - x0)), np.uint8)
        if mask.size:
            cv2.fillConvexPoly(mask, np.asarray(spot - (x0, y0), np.int32), (1,))
        rows, columns = np.nonzero(mask)
        yield rows + y0, columns + x0


def _placed(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points in steps of the chart's grid, in the picture's pixels."""
    return cv2.perspectiveTransform(points.reshape(1, -1, 2).astype(np.float32), _to_picture(corners))[0]


def _to_picture(corners: np.ndarray) -> np.ndarray:
    return cv2.getPerspectiveTransform(_GRID[list(CORNERS)], np.asarray(corners, np.float32))


def _step(corners: np.ndarray) -> float:
    points = _placed(corners, _GRID).reshape(ROWS, COLUMNS, 2)
    return float(min(np.linalg.norm(np.diff(points, axis=axis), axis=-1).min() for axis in (0, 1)))
