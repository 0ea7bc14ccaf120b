"""Placing: the fill share is met, the product is never enlarged beyond the limit, and stays inside the frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_photoshoot.errors import ExportError
from lib_photoshoot.export.placing import (
    crop_to_product,
    fill_share,
    in_frame,
    is_cut_off,
    plan,
    scale_product,
)
from lib_photoshoot.export.profile import Canvas, FrameRule, Measure, load_profile
from tests.export.conftest import cutout

CANVAS = Canvas(2000, 2000, 1000, 1000, 10000)


def wanted(fill: float = 0.9, enlarge: float = 2.0, measure: Measure = Measure.SIDE, margin: float = 0.02) -> FrameRule:
    return FrameRule(fill, 0.1, 1.0, margin, enlarge, measure)


sides = st.integers(1, 6000)


@given(sides, sides, st.floats(0.2, 0.95), st.floats(1, 4))
def test_the_plan_keeps_every_limit(width: int, height: int, fill: float, enlarge: float) -> None:
    place = plan(width, height, CANVAS, wanted(fill, enlarge))
    assert place.scale <= enlarge * (1 + 1e-9)
    assert 1000 <= place.frame_width == place.frame_height <= 2000
    assert place.x >= 0 and place.x + place.width <= place.frame_width
    assert place.y >= 0 and place.y + place.height <= place.frame_height
    # In the middle, to a pixel.
    assert abs(2 * place.x + place.width - place.frame_width) <= 1
    assert abs(2 * place.y + place.height - place.frame_height) <= 1
    share = max(place.width, place.height) / place.frame_width
    assert share <= fill + 2 / place.frame_width
    if max(width, height) * enlarge >= fill * 1000:
        assert share >= fill - 2 / place.frame_width


def test_a_small_product_gets_a_smaller_frame_and_then_less_of_it() -> None:
    assert plan(900, 300, CANVAS, wanted(0.9, 1)).frame_width == 1000
    assert plan(1350, 300, CANVAS, wanted(0.9, 1)).frame_width == 1500
    small = plan(90, 30, CANVAS, wanted(0.9, 2))
    assert (small.frame_width, small.width) == (1000, 180)
    assert plan(90, 30, CANVAS, wanted(0.9, 2), enlarge=10).width == 900


def test_the_share_by_area() -> None:
    place = plan(3000, 3000, CANVAS, wanted(0.49, measure=Measure.AREA))
    assert place.width == 1400
    # A thin product cannot fill half of the area: it ends at the margin.
    assert plan(3000, 300, CANVAS, wanted(0.49, measure=Measure.AREA)).width == 1920


@pytest.mark.parametrize(("width", "height"), [(900, 900), (1000, 1800), (1900, 1000), (40, 78)])
def test_ottos_frame_follows_a_long_product_so_that_it_fills_its_area(width: int, height: int) -> None:
    otto = load_profile("otto-main")
    place = plan(width, height, otto.canvas, otto.product, enlarge=100)
    assert place.width * place.height / (place.frame_width * place.frame_height) >= otto.product.least
    assert sorted((place.frame_width, place.frame_height)) >= [500, 1000]


def test_fill_share() -> None:
    mask = np.zeros((100, 200), np.bool_)
    assert fill_share(mask, Measure.SIDE) == 0
    mask[10:60, 20:60] = True
    assert fill_share(mask, Measure.SIDE) == 0.5
    assert fill_share(mask, Measure.AREA) == pytest.approx(0.1)


def test_cropping_and_the_empty_cutout() -> None:
    assert crop_to_product(cutout(300, 200)).shape == (203, 303, 4)
    with pytest.raises(ExportError, match="transparent everywhere"):
        crop_to_product(np.zeros((5, 5, 4), np.uint8))


def test_scaling_shows_no_rim_of_what_lies_under_transparency() -> None:
    rgba = cutout()
    rgba[rgba[:, :, 3] == 0, :3] = (255, 0, 255)
    rgba[rgba[:, :, 3] > 0, :3] = (0, 128, 0)
    product = crop_to_product(rgba)
    for fill in (0.2, 0.8):
        place = plan(product.shape[1], product.shape[0], CANVAS, wanted(fill, 4))
        scaled = scale_product(product, place)
        assert scaled[scaled[:, :, 3] > 40][:, 0].max() <= 12, "magenta shines through the edge"
        frame = in_frame(scaled, place)
        assert frame.shape == (place.frame_height, place.frame_width, 4)
        assert np.count_nonzero(frame[:, :, 3]) == np.count_nonzero(scaled[:, :, 3])


def test_lanczos_leaves_no_haze_around_the_product() -> None:
    product = crop_to_product(cutout(1501, 1003))
    for fill in (0.31, 0.5, 0.9):
        alpha = scale_product(product, plan(product.shape[1], product.shape[0], CANVAS, wanted(fill, 4)))[:, :, 3]
        assert not np.isin(alpha, (1, 2, 3, 252, 253, 254)).any()


def test_an_enlarged_outline_has_no_stairs() -> None:
    rgba = np.zeros((80, 80, 4), np.uint8)
    rows, columns = np.mgrid[:80, :80]
    rgba[np.hypot(rows - 40, columns - 40) < 30] = (90, 90, 90, 255)
    place = plan(60, 60, CANVAS, wanted(0.36, 12))
    alpha = scale_product(crop_to_product(rgba), place)[:, :, 3]
    middle = (np.array(alpha.shape) - 1) / 2
    rows, columns = np.mgrid[: alpha.shape[0], : alpha.shape[1]]
    radius = np.hypot(rows - middle[0], columns - middle[1])
    outline = radius[(alpha > 96) & (alpha < 160)]
    assert outline.std() < 3, "the steps of 12 pixels are still there"


def test_cut_off_by_the_pictures_edge() -> None:
    rgba = cutout()
    assert not is_cut_off(rgba)
    assert is_cut_off(rgba[:, 100:])
    assert not is_cut_off(crop_to_product(rgba)), "trimmed on all sides is not cut off"
