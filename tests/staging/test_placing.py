"""Where products stand on the canvas: as wished, never cut off, and nothing moves that need not."""

from __future__ import annotations

import pytest

from lib_photoshoot.masks.morphology import Rect
from lib_photoshoot.staging.placing import LARGEST, place
from lib_photoshoot.staging.plan import StageError, StagePlan

BOX = Rect(100, 50, 180, 200)


def test_without_wishes_the_picture_stays_as_it_is() -> None:
    assert place(400, 300, BOX, StagePlan()).is_picture(400, 300)


@pytest.mark.parametrize("share", [0.3, 0.85, 1.0])
def test_the_share_is_that_of_the_side_that_fills_most(share: float) -> None:
    placing = place(400, 300, BOX, StagePlan(canvas=(1000, 1000), share=share))
    now = placing.rect(BOX)
    assert (now.y1 - now.y0) / 1000 == pytest.approx(share, abs=0.002)
    assert now.x0 >= 0 and now.y0 >= 0 and now.x1 <= 1000 and now.y1 <= 1000


def test_it_stands_on_the_ground_line_with_its_middle_where_asked() -> None:
    placing = place(400, 300, BOX, StagePlan(canvas=(1000, 800), share=0.5, ground=0.9, across=0.25))
    now = placing.rect(BOX)
    assert now.y1 == pytest.approx(720, abs=1)
    assert (now.x0 + now.x1) / 2 == pytest.approx(250, abs=1)


def test_a_product_larger_than_the_canvas_is_scaled_down_and_told() -> None:
    placing = place(400, 300, BOX, StagePlan(canvas=(64, 64)))
    now = placing.rect(BOX)
    assert placing.scale < 1 and now.x0 >= 0 and now.y0 >= 0 and now.x1 <= 64 and now.y1 <= 64
    assert placing.notes == ("The product is larger than the canvas and was scaled to 38%.",)


def test_the_ground_line_limits_the_size() -> None:
    placing = place(400, 300, BOX, StagePlan(share=0.9, ground=0.4))
    now = placing.rect(BOX)
    assert now.y0 >= 0 and now.y1 == pytest.approx(120, abs=1) and "ground line" in placing.notes[0]


def test_a_ratio_holds_the_whole_picture_and_keeps_its_pixels() -> None:
    placing = place(400, 300, BOX, StagePlan(canvas=4 / 5))
    assert (placing.width, placing.height, placing.scale) == (400, 500, 1.0)
    assert 0 <= placing.y <= 200 and placing.x == 0


def test_a_small_product_that_is_enlarged_is_told() -> None:
    assert "enlarged 4.0 times" in place(400, 300, BOX, StagePlan(canvas=(600, 600), share=1.0)).notes[0]


def test_an_edge_cut_off_by_the_picture_is_told_where_it_shows() -> None:
    cut = Rect(100, 100, 200, 300)
    assert not place(400, 300, cut, StagePlan(ground=1.0)).notes
    assert "cuts the product off" in place(400, 300, cut, StagePlan(ground=0.8, share=0.5)).notes[-1]


def test_a_canvas_without_end_is_refused() -> None:
    with pytest.raises(StageError, match="give the canvas in pixels"):
        place(LARGEST, 2000, BOX, StagePlan(canvas=0.1))


@pytest.mark.parametrize("ratio", [0.8, 1.0, 16 / 9])
@pytest.mark.parametrize("box", [Rect(500, 100, 2500, 700), Rect(500, 100, 700, 1700), Rect(0, 0, 3000, 2000)])
@pytest.mark.parametrize("ground", [None, 0.85])
def test_a_ratio_with_a_share_takes_the_canvas_in_which_nothing_is_resampled(ratio, box, ground) -> None:
    placing = place(3000, 2000, box, StagePlan(canvas=ratio, share=0.7, ground=ground))
    there = placing.rect(box)
    width, height = there.x1 - there.x0, there.y1 - there.y0
    assert placing.scale == 1 and placing.width / placing.height == pytest.approx(ratio, abs=0.002)
    assert max(width / placing.width, height / placing.height) == pytest.approx(0.7, abs=0.003)
    assert ground is None or there.y1 == pytest.approx(ground * placing.height, abs=1)


def test_a_small_product_is_enlarged_to_a_picture_that_can_be_used() -> None:
    placing = place(1024, 700, Rect(400, 300, 520, 380), StagePlan(canvas=0.8, share=0.7))
    assert (placing.width, placing.height) == (400, 500) and placing.scale > 2 and "enlarged" in placing.notes[0]
    # Of a small photo no larger one is made than that with room for it.
    assert place(100, 80, Rect(10, 10, 40, 40), StagePlan(canvas=1.0, share=0.7)).height == 100
