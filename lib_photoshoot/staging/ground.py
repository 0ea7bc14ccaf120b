"""The ground under a product, as far as its outline tells.

The ground under a photographed product is seen at an angle, so a car's four wheels touch it at different heights of the
picture. It is taken to run along the lower convex hull of the product's outline: every point in which the product
stands lies on that hull.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_STEEPEST = 0.6
"""Slope of the hull, rows a column, beyond which it is the product's side and not the ground it stands on."""


@dataclass(frozen=True, eq=False)
class StandingOn:
    """The ground under each of the product's ``columns`` (int).

    ``rows`` (float) are those of the ground, ``gap`` how many rows the product ends above it, ``level`` 1 where the
    ground is level and 0 where it is so steep that it is the product's side. ``side`` is the product's longer side.
    """

    columns: np.ndarray
    rows: np.ndarray
    gap: np.ndarray
    level: np.ndarray
    side: int


def ground_under(alpha: np.ndarray) -> StandingOn | None:
    """Return the ground for a product's alpha (uint8, height, width); None without any opaque pixel."""
    solid = alpha >= 128
    columns = np.flatnonzero(solid.any(axis=0))
    if columns.size == 0:
        return None
    lowest = alpha.shape[0] - 1 - np.argmax(solid[::-1, columns], axis=0)
    rows = np.flatnonzero(solid.any(axis=1))
    side = max(int(columns[-1] - columns[0]), int(rows[-1] - rows[0])) + 1
    ground, level = _hull(columns, lowest)
    return StandingOn(columns, ground, ground - lowest, level, side)


def _hull(columns: np.ndarray, lowest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row of the ground under each column (float), and 1 where the hull is level, falling to 0 where it is steep."""
    hull: list[tuple[int, int]] = []
    for x, y in zip(columns.tolist(), lowest.tolist(), strict=True):
        # Rows count downwards: the lower hull keeps the points with the largest rows (Andrew's monotone chain).
        while len(hull) > 1 and _turns_up(hull[-2], hull[-1], (x, y)):
            hull.pop()
        hull.append((x, y))
    corners = np.array(hull, np.float64)
    ground = np.interp(columns, corners[:, 0], corners[:, 1])
    slope = np.zeros(len(columns))
    if len(hull) > 1:
        slopes = np.abs(np.diff(corners[:, 1]) / np.diff(corners[:, 0]))
        slope = slopes[np.clip(np.searchsorted(corners[:, 0], columns, "right") - 1, 0, len(slopes) - 1)]
    return ground, np.clip(1 - slope / _STEEPEST, 0, 1)


def _turns_up(first: tuple[int, int], middle: tuple[int, int], last: tuple[int, int]) -> bool:
    cross = (middle[0] - first[0]) * (last[1] - first[1]) - (middle[1] - first[1]) * (last[0] - first[0])
    return cross >= 0
