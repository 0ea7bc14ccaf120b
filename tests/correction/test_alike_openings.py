"""One step for all openings that look alike, and what was drawn to the pixel among the answers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lib_photoshoot.correction.alternatives import Alternative, Answers, differing
from lib_photoshoot.correction.openings import alike_openings
from lib_photoshoot.masks.comparison import mask_iou

SHAPE = (240, 320)
GAPS = [(60 + 40 * at, 60, 80 + 40 * at, 180) for at in range(5)]


def fence(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A dark fence with five gaps before an uneven light ground, and its outline."""
    rng = np.random.default_rng(seed)
    pixels = np.full((*SHAPE, 3), (205, 198, 190), np.int16)
    pixels += np.linspace(-10, 10, SHAPE[1]).astype(np.int16)[None, :, None]
    mask = np.zeros(SHAPE, bool)
    mask[40:200, 40:280] = True
    for x0, y0, x1, y1 in GAPS:
        mask[y0:y1, x0:x1] = False
    pixels[mask] = (60, 45, 40)
    pixels += rng.integers(-5, 6, pixels.shape).astype(np.int16)
    return cv2.GaussianBlur(np.clip(pixels, 0, 255).astype(np.uint8), (0, 0), 0.7), mask


def filled() -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[40:200, 40:280] = True
    return mask


@pytest.mark.parametrize("gap", range(5))
def test_a_click_into_one_gap_takes_all_of_them(gap: int) -> None:
    image, mask = fence()
    x0, y0, x1, y1 = GAPS[gap]
    found = list(alike_openings(image, filled(), ((x0 + x1) / 2, (y0 + y1) / 2, False)))
    assert found and max(mask_iou(one.mask, mask) for one in found) > 0.97
    assert not any((one.mask & ~filled()).any() for one in found)


def test_another_colour_is_left_alone_and_one_gap_alone_is_nobodys_answer() -> None:
    image, _ = fence()
    image[60:180, 140:160] = (40, 120, 60)  # a leaf in the third gap
    found = list(alike_openings(image, filled(), (70, 120, False)))
    assert all(one.mask[70:170, 145:155].all() for one in found) and found
    assert list(alike_openings(image, filled(), (150, 120, False))) == []
    assert list(alike_openings(image, filled(), (20, 20, False))) == [], "outside of the outline"


def test_a_click_that_adds_fills_all_holes_that_are_alike() -> None:
    image, mask = fence()
    (first, *_) = alike_openings(image, mask, (70, 120, True))
    assert mask_iou(first.mask, filled()) > 0.97
    open_below = mask.copy()
    open_below[180:, 60:80] = False
    assert list(alike_openings(image, open_below, (70, 120, True))) == [], "a gap that is open is no hole"


def test_specks_and_the_rim_of_an_outline_are_no_openings() -> None:
    image, _ = fence()
    loose = cv2.dilate(filled().view(np.uint8), np.ones((3, 3), np.uint8)).view(bool)
    image[100, 90] = (205, 198, 190)
    (first, *_) = alike_openings(image, loose, (70, 120, False))
    assert first.mask[100, 90] and (first.mask | ~loose)[39, 40:280].all()


def test_what_was_drawn_is_offered_where_another_answer_is_much_like_it() -> None:
    before, drawn = np.zeros(SHAPE, bool), filled()
    nearly = drawn.copy()
    nearly[100:104, 60:80] = False  # a gap of half a percent
    offered = differing(before, [Alternative("Nearest edges", nearly), Alternative("As drawn", drawn)])
    assert {one.name for one in offered} == {"Nearest edges", "As drawn"}
    other = differing(before, [Alternative("Nearest edges", nearly), Alternative("By colour", drawn)])
    assert [one.name for one in other] == ["Nearest edges"]
    same = differing(before, [Alternative("Nearest edges", drawn), Alternative("As drawn", drawn.copy())])
    assert [one.name for one in same] == ["Nearest edges"]


def test_answers_of_one_name_say_how_large_they_are() -> None:
    mask = filled()
    named = Answers.of(
        [Alternative(name, mask) for name in ("Same colour", "Object here", "Object here", "Best guess")]
    )
    assert named.names == ("Same colour", "Object here, small", "Object here, large", "Best guess")
    three = Answers.of([Alternative("Another part", mask)] * 3)
    assert three.names == ("Another part, small", "Another part, medium", "Another part, large")
    four = Answers.of([Alternative("Another part", mask)] * 4)
    assert four.names[-1] == "Another part, 4 of 4"
