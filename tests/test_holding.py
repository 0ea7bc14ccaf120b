"""An enhancer whose products keep their colour: several, touching, overlapping, and those that cannot be held."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.enhancement.holding import HoldingEnhancer
from lib_photoshoot.results import ProductRegion, Reason
from lib_photoshoot.webui.generate.service import enhance_regions

RED, BLUE, WALL = (180, 40, 40), (40, 60, 170), (220, 220, 215)


class Painting:
    """Paints what it is told to, and counts it for as many pixels around the mask as ``spill``."""

    name = "painting"

    def __init__(self, painted: np.ndarray, spill: int = 0) -> None:
        self.painted, self.spill = painted, spill

    def alpha(self, mask: np.ndarray) -> np.ndarray:
        from lib_photoshoot.masks.morphology import grow

        return grow(mask, self.spill).astype(np.float32)

    def enhance(self, image: np.ndarray, regions: list[ProductRegion]) -> np.ndarray:
        return self.painted.copy()


def region(product: str, x0: int, x1: int, alpha: np.ndarray | None = None) -> ProductRegion:
    mask = np.zeros((60, 120), np.bool_)
    mask[10:50, x0:x1] = True
    return ProductRegion(product, (float(x0), 10.0, float(x1), 50.0), 0.9, mask, 0.9, alpha=alpha)


def drawn(left: tuple[int, ...], right: tuple[int, ...]) -> np.ndarray:
    picture = np.full((60, 120, 3), WALL, np.uint8)
    picture[10:50, 20:60], picture[10:50, 60:100] = left, right
    return picture


LEFT, RIGHT = region("bag", 20, 60), region("shoe", 60, 100)


def apart(one: np.ndarray, other: tuple[int, ...]) -> float:
    return float(np.abs(SRGB.to_lab(one) - SRGB.to_lab(np.full_like(one, other))).max())


def test_touching_products_keep_each_its_own_colour() -> None:
    before, painted = drawn(RED, BLUE), drawn((150, 70, 40), (70, 100, 160))
    enhancer = HoldingEnhancer(Painting(painted, spill=4), 1.0, None)
    result = enhancer.enhance(before, [LEFT, RIGHT])
    assert apart(result[12:48, 20:60], RED) < 3 and apart(result[12:48, 60:100], BLUE) < 3
    assert (result[:10] == painted[:10]).all(), "around them the pass's pixels stay"
    assert [one.region.product for one in enhancer.held] == ["bag", "shoe"]
    assert all(one.change.painted.mean > 5 and one.change.held.mean < 1 for one in enhancer.held)


def test_overlapping_outlines_are_held_once() -> None:
    before, painted = drawn(RED, RED), drawn((150, 70, 40), (150, 70, 40))
    wide = region("shoe", 40, 100)
    result = HoldingEnhancer(Painting(painted), 1.0, None).enhance(before, [LEFT, wide])
    assert apart(result[12:48, 20:100], RED) < 3


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_one_product_beyond_the_limit_stays_and_the_other_is_enhanced(strength: float) -> None:
    before, painted = drawn(RED, BLUE), drawn((40, 170, 40), (44, 62, 172))
    # What is held comes back near enough; without a hold only the small shift is within the limit.
    enhancer = HoldingEnhancer(Painting(painted, spill=4), strength, 3.0)
    result = enhance_regions(before, None, [LEFT, RIGHT], enhancer, None, SRGB)
    refused = [(item.product, item.reason) for item in result.rejected]
    assert refused == ([] if strength else [("bag", Reason.COLOUR_OFF)])
    if not strength:
        assert (result.image[10:50, 20:60] == before[10:50, 20:60]).all()
        assert (result.image[10:50, 60:100] == painted[10:50, 60:100]).all()
    assert result.changed_outside == 0


def test_a_soft_edge_and_only_what_is_painted_count() -> None:
    before, painted = drawn(RED, RED), drawn((150, 70, 40), (150, 70, 40))
    alpha = np.zeros((60, 120), np.uint8)
    alpha[8:52, 18:62] = 128
    alpha[10:50, 20:60] = 255
    soft = replace(LEFT, alpha=alpha)
    result = HoldingEnhancer(Painting(painted, spill=3), 1.0, None).enhance(before, [soft])
    assert (result[alpha == 0] == painted[alpha == 0]).all() and (result[9, 20:60] != painted[9, 20:60]).any()
    shrunk = HoldingEnhancer(Painting(painted, spill=-6), 1.0, None).enhance(before, [soft])
    assert (shrunk[10:16] == painted[10:16]).all()


def test_a_product_that_was_not_painted_is_not_measured() -> None:
    before, painted = drawn(RED, BLUE), drawn(RED, (70, 100, 160))
    enhancer = HoldingEnhancer(Painting(painted), 1.0, None)
    enhancer.enhance(before, [LEFT, RIGHT])
    assert [one.region.product for one in enhancer.held] == ["shoe"]
    enhancer.enhance(before, [LEFT])
    assert enhancer.held == [], "each call begins anew"


def test_a_product_whose_look_is_known_has_a_limit_of_its_own_also_for_its_worst_part() -> None:
    before = drawn(RED, BLUE)
    recoloured = drawn((40, 170, 40), BLUE)
    in_part = drawn(RED, BLUE)
    in_part[10:50, 20:24] = (40, 170, 40)
    for painted, strict, refused in (
        (recoloured, {"bag": 4.0}, ["bag"]),
        (recoloured, {"shoe": 4.0}, []),
        (in_part, {"bag": 8.0}, ["bag"]),
        (in_part, {}, []),
        (drawn((176, 42, 41), BLUE), {"bag": 4.0}, []),
    ):
        enhancer = HoldingEnhancer(Painting(painted), 0.0, None, strict=strict)
        enhancer.enhance(before, [LEFT, RIGHT])
        assert [item.product for item in enhancer.refused] == refused
        assert all(item.reason is Reason.COLOUR_OFF for item in enhancer.refused)


def test_what_a_part_of_another_colour_moves() -> None:
    """The mean alone would let it pass: that is what the second limit is for."""
    before, in_part = drawn(RED, BLUE), drawn(RED, BLUE)
    in_part[10:50, 20:24] = (40, 170, 40)
    enhancer = HoldingEnhancer(Painting(in_part), 0.0, None, strict={"bag": 8.0})
    enhancer.enhance(before, [LEFT, RIGHT])
    (held,) = enhancer.held
    assert held.change.held.mean < 8 < held.change.held.percentile_95 / 2.5
