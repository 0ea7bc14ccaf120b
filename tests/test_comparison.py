"""How near one outline is to another, on arrays small enough to see."""

from __future__ import annotations

import numpy as np
import pytest

from lib_photoshoot.masks.comparison import RAGGED, boundary, boundary_f, is_whole, mask_iou, raggedness


def mask(*rows: str) -> np.ndarray:
    return np.array([[c == "#" for c in row] for row in rows])


SQUARE = mask("......", ".####.", ".####.", ".####.", ".####.", "......")
SHIFTED = mask("......", "..####", "..####", "..####", "..####", "......")
EMPTY = np.zeros((6, 6), bool)


@pytest.mark.parametrize(
    ("one", "other", "iou"),
    [(SQUARE, SQUARE, 1.0), (SQUARE, SHIFTED, 12 / 20), (SQUARE, EMPTY, 0.0), (EMPTY, EMPTY, 1.0)],
)
def test_overlap(one, other, iou):
    assert mask_iou(one, other) == pytest.approx(iou)


def test_the_boundary_is_the_masks_own_pixels_beside_the_background_not_beside_the_pictures_edge():
    assert np.array_equal(boundary(SQUARE), SQUARE & ~mask("......", "......", "..##..", "..##..", "......", "......"))
    assert not boundary(np.ones((4, 4), bool)).any()


@pytest.mark.parametrize(
    ("one", "other", "tolerance", "expected"),
    [
        (SQUARE, SQUARE, 0, 1.0),
        # Six pixels are shared, of ten (the right side lies at the picture's edge) and of twelve.
        (SHIFTED, SQUARE, 0, 6 / 11),
        (SHIFTED, SQUARE, 1, 1.0),
        (EMPTY, SQUARE, 1, 0.0),
        (EMPTY, EMPTY, 1, 1.0),
    ],
)
def test_the_boundary_f_measure_forgives_what_lies_within_the_tolerance(one, other, tolerance, expected):
    assert boundary_f(one, other, tolerance) == pytest.approx(expected, abs=1e-6)


def test_the_tolerance_grows_with_the_picture():
    one, other = np.zeros((2000, 2000), bool), np.zeros((2000, 2000), bool)
    one[500:1500, 500:1500] = True
    other[508:1508, 500:1500] = True
    assert boundary_f(one, other) == 1.0, "0.3 % of the diagonal are 8.5 pixels"
    assert boundary_f(one, other, 1) < 0.6


def test_whole_means_hardly_anything_missing_and_hardly_anything_too_much():
    truth = np.zeros((100, 100), bool)
    truth[:50] = True
    less, more = truth.copy(), truth.copy()
    less[48:50] = False
    more[50:52] = True
    assert is_whole(truth, truth) and not is_whole(less, truth) and not is_whole(more, truth)
    less[48] = True
    assert is_whole(less, truth), "98 % are enough"


def test_a_frayed_edge_is_long():
    clean = np.zeros((400, 400), bool)
    clean[100:300, 100:300] = True
    frayed = clean.copy()
    frayed[88:100, 100:300:6] = True
    frayed[300:312, 100:300:6] = True
    assert raggedness(clean) == pytest.approx(1, abs=0.05)
    assert raggedness(frayed) > RAGGED
    assert raggedness(np.zeros((9, 9), bool)) == 1.0
