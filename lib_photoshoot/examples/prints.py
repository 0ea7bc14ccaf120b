"""What is printed on a product, or structured so: local features, where they lie again in a picture, and whether the
rest of the print agrees.

SIFT (Lowe 2004, https://doi.org/10.1023/B:VISI.0000029664.99615.94) with the ratio test, compared by Hellinger's kernel
(Arandjelovic and Zisserman 2012, https://doi.org/10.1109/CVPR.2012.6248018), and RANSAC (Fischler and Bolles 1981,
https://doi.org/10.1145/358669.358692) for the place. Two cartons of one brand share logo and layout, so that many
features agree on a wrong one: :func:`compare_prints` brings the picture over the example and looks at every patch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from lib_photoshoot.examples.calibration import NO_PRINT, PRINT

SIDE = 512
"""Longest side, in pixels, of what local features are taken from."""
MOST_FEATURES = 1200
CONTRAST = 0.03
RATIO = 0.8
"""Lowe's ratio: a feature counts whose nearest neighbour is so much nearer than the second."""
LEAST_INLIERS = 6
REPROJECTION = 8.0
"""Pixels at :data:`SIDE` that a feature may lie off its place: cartons bend, and shirts more."""
LEAST_SCALE, MOST_SCALE, MOST_SHEAR = 0.12, 8.0, 4.0

REACH = 1.7
"""What differs lies beside what was found again: that far beyond it the print is compared."""
CELL = 20
"""Side of a patch, in pixels of the example."""
SEARCH = 5
"""A patch may lie so many pixels off its place."""
TEXTURED = 5.0
"""Standard deviation of lightness from which a patch has something to compare."""


@dataclass(frozen=True, eq=False)
class Print:
    """Local features of a picture of which ``small`` is the copy they were taken from, uint8 RGB.

    ``points`` is float32 (n, 2), x and y in pixels of the copy, ``descriptors`` uint8 (n, 128): square roots of SIFT's,
    times 255, of unit length. ``mask`` says where the copy shows the product, bool.
    """

    small: np.ndarray
    mask: np.ndarray
    points: np.ndarray
    descriptors: np.ndarray


@dataclass(frozen=True, eq=False)
class PrintMatch:
    """Where an example's print lies in a picture: ``place`` (2, 3) takes the example's pixels to the picture's.

    ``inliers`` features agree on it, which cover ``spread`` of the example's mask.
    """

    place: np.ndarray
    inliers: int
    spread: float
    sources: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class PrintAgreement:
    """How the whole print agrees, patch by patch.

    ``cells`` is how many patches could be compared, less where the picture has fewer pixels of them. ``structure`` is
    the mean correlation of the textured ones, ``apart`` the share of them that are something else, ``chroma`` the mean
    and ``worst_chroma`` the ninth decile of the patches' differences in a* and b*.
    """

    structure: float
    apart: float
    chroma: float
    worst_chroma: float
    cells: float


def take_print(image: np.ndarray, mask: np.ndarray | None = None, side: int = SIDE, most: int = MOST_FEATURES) -> Print:
    """Return at most ``most`` local features of ``image`` (uint8 RGB), scaled to ``side`` pixels.

    With ``mask`` (bool, its size) only those where it is True.
    """
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    inside = np.ones(small.shape[:2], bool)
    if mask is not None:
        inside = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    # Not among the names that OpenCV tells type checkers of.
    sift: Any = cv2.SIFT_create(  # type: ignore[attr-defined]
        nfeatures=min(most, MOST_FEATURES), contrastThreshold=CONTRAST
    )
    keypoints, found = sift.detectAndCompute(
        cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), None if mask is None else inside.astype(np.uint8)
    )
    if found is None:
        return Print(small, inside, np.zeros((0, 2), np.float32), np.zeros((0, 128), np.uint8))
    roots = np.sqrt(found / np.maximum(found.sum(1, keepdims=True), 1e-6))
    points = np.array([keypoint.pt for keypoint in keypoints], np.float32)
    return Print(small, inside, points, np.round(roots * 255).astype(np.uint8))


def find_print(example: Print, picture: Print) -> PrintMatch | None:
    """Return where the example's print lies in the picture; None where too few features agree on a place."""
    if min(len(example.points), len(picture.points)) < LEAST_INLIERS:
        return None
    likeness = _unit(picture.descriptors) @ _unit(example.descriptors).T
    nearest = likeness.argmax(1)
    rows = np.arange(len(nearest))
    best = likeness[rows, nearest]
    likeness[rows, nearest] = -1
    second = likeness.max(1)
    good = np.flatnonzero(1 - best < RATIO**2 * (1 - second))
    # Each feature of the example once: a repeated pattern would else vote many times for one place.
    good = good[np.argsort(-best[good])]
    _, first = np.unique(nearest[good], return_index=True)
    good = good[first]
    if len(good) < LEAST_INLIERS:
        return None
    sources, targets = example.points[nearest[good]], picture.points[good]
    place, agree = cv2.estimateAffine2D(
        sources, targets, method=cv2.RANSAC, ransacReprojThreshold=REPROJECTION, maxIters=500, confidence=0.99
    )
    if place is None or not _is_possible(place):
        return None
    inside = agree[:, 0] > 0
    if np.count_nonzero(inside) < LEAST_INLIERS:
        return None
    hull = cv2.contourArea(cv2.convexHull(sources[inside]))
    spread = float(hull / max(1, np.count_nonzero(example.mask)))
    return PrintMatch(place, int(np.count_nonzero(inside)), spread, sources[inside], targets[inside])


def _unit(descriptors: np.ndarray) -> np.ndarray:
    values = descriptors.astype(np.float32)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)


def _is_possible(place: np.ndarray) -> bool:
    """Whether the product may lie so: not mirrored, not squeezed to a line, of some size."""
    large, small = np.linalg.svd(place[:, :2], compute_uv=False)
    scale = float(np.sqrt(large * small))
    turned = float(np.linalg.det(place[:, :2])) > 0
    return turned and LEAST_SCALE <= scale <= MOST_SCALE and large <= MOST_SHEAR * small


def compare_prints(example: Print, picture: Print, match: PrintMatch, reach: float = REACH) -> PrintAgreement:
    """Bring the picture over the example and compare patch by patch, in the matched area grown ``reach`` times."""
    warp, height, width = _refined(match), *example.small.shape[:2]
    over = cv2.warpPerspective(
        picture.small, warp, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=(0, 0, 0)
    )
    known = cv2.warpPerspective(
        np.ones(picture.small.shape[:2], np.uint8),
        warp,
        (width, height),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
    )
    area = _area(match.sources, (height, width), reach) & example.mask & (known > 0)
    # As blurred as the other: a small or unsharp print has no fine structure to disagree.
    scale = float(np.sqrt(abs(np.linalg.det(match.place[:, :2]))))
    sigma = 0.8 * max(1.0, 1 / scale)
    one, other = (cv2.cvtColor(cv2.GaussianBlur(p, (0, 0), sigma), cv2.COLOR_RGB2LAB).astype(np.float32)
                  for p in (example.small, over))  # fmt: skip
    correlations, chroma = [], []
    for y in range(SEARCH, height - CELL - SEARCH, CELL * 3 // 4):
        for x in range(SEARCH, width - CELL - SEARCH, CELL * 3 // 4):
            if area[y : y + CELL, x : x + CELL].mean() < 0.8:
                continue
            patch = one[y : y + CELL, x : x + CELL]
            window = other[y - SEARCH : y + CELL + SEARCH, x - SEARCH : x + CELL + SEARCH]
            seen = other[y : y + CELL, x : x + CELL]
            if patch[..., 0].std() >= TEXTURED:
                found = cv2.matchTemplate(window[..., 0], patch[..., 0], cv2.TM_CCOEFF_NORMED)
                correlations.append(float(found.max()))
            chroma.append(patch[..., 1:].mean((0, 1)) - seen[..., 1:].mean((0, 1)))
    if not chroma:
        return PrintAgreement(0.0, 1.0, 60.0, 60.0, 0)
    shifts = np.array(chroma)
    # The light's colour, within what white balance leaves.
    shifts -= np.clip(np.median(shifts, axis=0), -8, 8)
    sizes = np.hypot(shifts[:, 0], shifts[:, 1])
    values = np.array(correlations or [0.0])
    return PrintAgreement(
        float(values.mean()),
        float((values < 0.4).mean()),
        float(sizes.mean()),
        float(np.quantile(sizes, 0.9)),
        len(chroma) * min(1.0, scale) ** 2,
    )


def _refined(match: PrintMatch) -> np.ndarray:
    """Return the place as a homography (3, 3): of the inliers where they are many, else the affine one."""
    affine = np.vstack([match.place, [0, 0, 1]])
    if match.inliers < 12:
        return affine
    found, _ = cv2.findHomography(match.sources, match.targets, cv2.RANSAC, 5.0, maxIters=300)
    if found is None:
        return affine
    corners = np.array([match.sources.min(0), match.sources.max(0)], np.float32)[:, None]
    near = cv2.perspectiveTransform(corners, found) - cv2.perspectiveTransform(corners, affine)
    return found if np.abs(near).max() < 40 else affine


def _area(points: np.ndarray, shape: tuple[int, int], reach: float) -> np.ndarray:
    """Return the points' convex hull, ``reach`` times as large, bool of ``shape``."""
    hull = cv2.convexHull(points)[:, 0]
    middle = hull.mean(0)
    grown = np.round(middle + (hull - middle) * reach).astype(np.int32)
    area = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(area, grown, (1,))
    return area > 0


def evidence(match: PrintMatch, agreement: PrintAgreement) -> np.ndarray:
    """Return what :data:`~lib_photoshoot.examples.calibration.PRINT` weighs, float64 (7,)."""
    return np.array([
        np.log(match.inliers),
        np.log(match.spread + 0.01),
        agreement.structure,
        agreement.apart,
        np.log(agreement.chroma + 1),
        np.log(agreement.worst_chroma + 1),
        np.log(agreement.cells + 5),
    ])  # fmt: skip


def print_score(example: Print, picture: Print) -> float:
    """Return the log odds that the picture shows the example's print; :data:`NO_PRINT` where no place was found."""
    match = find_print(example, picture)
    return NO_PRINT if match is None else PRINT.log_odds(evidence(match, compare_prints(example, picture, match)))
