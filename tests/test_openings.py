"""What shows through a product, with a segmenter that answers as SAM does: one thing first, another when told more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lib_photoshoot.masks.morphology import clean
from lib_photoshoot.results import ProductRegion
from lib_photoshoot.segmentation.openings import find_openings
from lib_photoshoot.segmentation.protocol import MaskCandidate, Point
from lib_photoshoot.segmentation.working_copy import WORKING_SIDE

BOX = (10.0, 10.0, 90.0, 90.0)


def square(x0: int, y0: int, x1: int, y1: int, side: int = 100) -> np.ndarray:
    mask = np.zeros((side, side), bool)
    mask[y0:y1, x0:x1] = True
    return mask


WHOLE = square(10, 10, 90, 90)
HANDLE = square(20, 20, 80, 50)
"""The opening as it is."""
SEEN = square(60, 20, 80, 50)
"""What the first answer leaves open of it."""


class Told:
    """A segmenter that knows better once it is told; remembers what it was told."""

    name = "told"

    def __init__(self, *answers: tuple[np.ndarray, float]) -> None:
        self.answers = [MaskCandidate(mask, quality) for mask, quality in answers]
        self.told: list[tuple[tuple[int, ...], tuple[float, ...], Sequence[Point]]] = []

    def segment(self, image, boxes):
        raise AssertionError("the first question has been answered")

    def without(self, image, box, background):
        self.told.append((image.shape, box, background))
        return self.answers


def picture(side: int = 100) -> np.ndarray:
    return np.zeros((side, side, 3), np.uint8)


def test_the_segmenter_is_told_what_is_background_and_shows_the_whole_opening() -> None:
    segmenter = Told((WHOLE & ~SEEN, 0.8), (WHOLE & ~HANDLE, 0.9))
    openings = find_openings(picture(), BOX, WHOLE & ~SEEN, segmenter)
    ((_, box, points),) = segmenter.told
    assert box == BOX and len(points) == 1
    (x, y) = points[0]
    assert 65 <= x < 75 and 25 <= y < 45, "a point well inside of what the first answer left open"
    assert np.array_equal(openings, HANDLE)
    region = ProductRegion("bag", BOX, 0.9, clean(WHOLE & ~SEEN), 0.9, openings)
    assert np.array_equal(region.mask, WHOLE) and np.array_equal(region.solid, WHOLE & ~HANDLE)


@pytest.mark.parametrize("mask", [WHOLE, WHOLE & ~square(40, 40, 47, 47)], ids=["no hole", "a pinhole"])
def test_nothing_is_asked_about_a_product_without_openings(mask: np.ndarray) -> None:
    segmenter = Told()
    assert find_openings(picture(), BOX, mask, segmenter) is None
    assert not segmenter.told


def test_an_answer_with_another_outline_does_not_count() -> None:
    half = square(10, 10, 90, 60)
    openings = find_openings(picture(), BOX, WHOLE & ~SEEN, Told((half & ~HANDLE, 0.99)))
    assert np.array_equal(openings, SEEN)


def test_an_answer_that_fills_everything_leaves_nothing_open() -> None:
    assert find_openings(picture(), BOX, WHOLE & ~SEEN, Told((WHOLE, 0.9))) is None


def test_two_openings_are_two_points() -> None:
    two = square(20, 20, 30, 80) | square(60, 20, 80, 80)
    segmenter = Told((WHOLE & ~two, 0.9))
    assert np.array_equal(find_openings(picture(), BOX, WHOLE & ~two, segmenter), two)
    assert [round(x / 10) for x, _ in segmenter.told[0][2]] in ([2, 7], [7, 2])


def test_a_background_that_reaches_the_edge_of_the_picture_is_no_opening() -> None:
    cut = square(0, 0, 100, 100) & ~square(0, 40, 50, 60)
    assert find_openings(picture(), BOX, cut, Told()) is None


def test_a_large_picture_is_asked_about_in_its_working_copy() -> None:
    side = 2 * WORKING_SIDE
    whole, seen = square(400, 400, 3600, 3600, side), square(1000, 1000, 2000, 2000, side)
    small = square(200, 200, 1800, 1800, WORKING_SIDE) & ~square(500, 500, 1000, 1000, WORKING_SIDE)
    segmenter = Told((small, 0.9))
    openings = find_openings(picture(side), (400.0, 400.0, 3600.0, 3600.0), whole & ~seen, segmenter)
    ((shape, box, _),) = segmenter.told
    assert shape == (WORKING_SIDE, WORKING_SIDE, 3) and box == (200.0, 200.0, 1800.0, 1800.0)
    assert openings is not None and openings.shape == (side, side)
    assert np.count_nonzero(openings ^ seen) <= 4 * 1000, "but for the pixels of its edge"
