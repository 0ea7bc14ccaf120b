"""A hand that draws around a part and along one, as inexactly as people do. Masks are ``bool`` (height, width)."""

from __future__ import annotations

import heapq

import cv2
import numpy as np

HAND = 0.008
"""Standard deviation of a hand's way from the line that it means, as a share of the picture's longest side: about 7
pixels on a stage of 900."""
EVERY = 0.02
"""How far apart, as a share of the longest side, places lie that the hand errs at on its own."""


def is_thin(part: np.ndarray) -> bool:
    """Whether a part is so thin that a person draws along it, as along a chain."""
    inner = cv2.distanceTransform(np.pad(part.astype(np.uint8), 1), cv2.DIST_L2, 5)
    return bool(inner.max() < 1.25 * HAND * max(part.shape))


def loop_around(part: np.ndarray, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Return a closed line around the largest piece of a part, as a hand draws it."""
    side = max(part.shape)
    outer = _outer(part)
    line = _evenly(outer, EVERY * side, closed=True)
    normals = np.roll(line, -1, axis=0) - np.roll(line, 1, axis=0)
    normals = np.stack([normals[:, 1], -normals[:, 0]], axis=1) / (np.hypot(*normals.T)[:, None] + 1e-6)
    off = rng.normal(0, HAND * side, len(line))
    return [(float(x), float(y)) for x, y in line + normals * off[:, None]]


def line_along(part: np.ndarray, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Return an open line along the middle of a part's largest piece, as a hand draws it."""
    side = max(part.shape)
    piece = _largest(part)
    inner = cv2.distanceTransform(np.pad(piece.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    # From end to end of the piece, by the way through its deepest places.
    start = _farthest(inner, _farthest(inner, tuple(np.argwhere(piece)[0]))[-1])
    way = np.array([(column, row) for row, column in start], float) + 0.5
    line = _evenly(way, EVERY * side, closed=False)
    shake = rng.normal(0, min(HAND * side, 0.35 * float(inner.max())), line.shape)
    return [(float(x), float(y)) for x, y in line + shake]


def _farthest(depth: np.ndarray, start: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the cheapest way from a place to the one that is farthest by it, where deep places are cheap."""
    scale = max(1, max(depth.shape) // 160)
    small = cv2.resize(
        depth, (max(1, depth.shape[1] // scale), max(1, depth.shape[0] // scale)), interpolation=cv2.INTER_AREA
    )
    cost = np.full(small.shape, np.inf)
    back: dict[tuple[int, int], tuple[int, int]] = {}
    inside = small > 0
    if not inside.any():
        return [start]
    places = np.argwhere(inside)
    first = tuple(int(at) for at in places[np.argmin(((places - np.array(start) / scale) ** 2).sum(1))])
    cost[first] = 0
    queue = [(0.0, first)]
    while queue:
        so_far, here = heapq.heappop(queue)
        if so_far > cost[here]:
            continue
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                there = here[0] + down, here[1] + right
                if (
                    (down or right)
                    and 0 <= there[0] < small.shape[0]
                    and 0 <= there[1] < small.shape[1]
                    and inside[there]
                ):
                    new = so_far + np.hypot(down, right) * (1 + 4 / float(small[there]))
                    if new < cost[there]:
                        cost[there], back[there] = new, here
                        heapq.heappush(queue, (float(new), there))
    far = np.where(np.isfinite(cost), cost, -1)
    here = tuple(int(at) for at in np.unravel_index(np.argmax(far), far.shape))
    way = [here]
    while here in back:
        here = back[here]
        way.append(here)
    return [(row * scale + scale // 2, column * scale + scale // 2) for row, column in reversed(way)]


def _largest(part: np.ndarray) -> np.ndarray:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(part.astype(np.uint8), connectivity=8)
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))


def _outer(part: np.ndarray) -> np.ndarray:
    contours, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return max(contours, key=cv2.contourArea)[:, 0].astype(float) + 0.5


def _evenly(line: np.ndarray, apart: float, closed: bool) -> np.ndarray:
    if closed:
        line = np.concatenate([line, line[:1]])
    ways = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    count = max(8 if closed else 2, round(ways[-1] / apart))
    at = np.linspace(0, ways[-1], count, endpoint=not closed)
    return np.stack([np.interp(at, ways, line[:, 0]), np.interp(at, ways, line[:, 1])], axis=1)
