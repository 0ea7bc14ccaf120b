"""Outlines along which nothing is to be seen, on drawn scenes."""

from __future__ import annotations

import numpy as np
import pytest

from lib_photoshoot.segmentation.faintness import FAINT, faint_share

SIDE = 120
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]
DISC = np.hypot(ROWS - 60, COLUMNS - 60) < 40
RED, GREY = (180, 40, 40), (128, 128, 128)


def scene(solid: np.ndarray, product=RED, ground=GREY) -> np.ndarray:
    return np.where(solid[..., None], np.uint8(product), np.uint8(ground))


@pytest.mark.parametrize(
    ("product", "share"), [(RED, 0), ((144, 128, 128), 0), ((129, 130, 128), 1), (GREY, 1), ((128, 128, 140), 0)]
)
def test_a_step_counts_from_what_an_eye_sees_through_the_noise(product, share):
    grain = np.random.default_rng(1).normal(0, 2, (SIDE, SIDE, 3))
    image = np.clip(scene(DISC, product) + grain, 0, 255).astype(np.uint8)
    assert faint_share(image, DISC) == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize("part", [0.25, 0.5, 0.75])
def test_it_is_a_share_of_the_outlines_length(part):
    turn = np.arctan2(ROWS - 59.5, COLUMNS - 59.5) / (2 * np.pi) % 1
    assert faint_share(scene(DISC | (turn < part)), DISC) == pytest.approx(part, abs=0.06)


def test_an_opening_has_an_outline_too():
    ring = DISC & (np.hypot(ROWS - 60, COLUMNS - 60) > 20)
    assert faint_share(scene(DISC), ring) == pytest.approx(1 / 3, abs=0.05)
    assert faint_share(scene(ring), ring) == 0


def test_gaps_too_narrow_to_look_into_and_the_pictures_edge_say_nothing():
    bars = (ROWS > 20) & (ROWS < 100) & (COLUMNS > 20) & (COLUMNS < 100) & (COLUMNS % 12 > 2)
    assert faint_share(scene(bars), bars) < FAINT
    lower = ROWS > 60
    assert faint_share(scene(lower), lower) == 0


@pytest.mark.parametrize("solid", [np.zeros((SIDE, SIDE), bool), np.ones((SIDE, SIDE), bool), (ROWS + COLUMNS) == 0])
def test_without_an_outline_nothing_is_faint(solid):
    assert faint_share(scene(solid), solid) == 0
