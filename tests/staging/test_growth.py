"""What may be more of a product, and what tells that it is: on scenes painted by arithmetic."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lib_photoshoot.staging.growth import pieces, share_gained
from lib_photoshoot.staging.look_alikes import Surroundings, surroundings
from lib_photoshoot.staging.protocol import Textures

SIDE = 400
PRODUCT = (slice(140, 260), slice(150, 250))
ELSEWHERE = (slice(100, 300), slice(85, 115))
WINE, SAND = (120, 24, 48), (206, 190, 160)


def scene(seed: int, colour: tuple[int, int, int]) -> np.ndarray:
    """A surface of one colour with some noise in it."""
    noise = np.random.default_rng(seed).normal(0, 3, (SIDE, SIDE, 3))
    return np.clip(np.asarray(colour) + noise, 0, 255).astype(np.uint8)


ALPHA = np.zeros((SIDE, SIDE), np.uint8)
ALPHA[PRODUCT] = 255
START = scene(0, (225, 225, 222))
START[PRODUCT] = scene(1, WINE)[PRODUCT]


def near() -> Surroundings:
    found = surroundings(ALPHA)
    assert found is not None
    return found


def gained(
    part: np.ndarray,
    colour: tuple[int, int, int],
    products: np.ndarray = ALPHA,
    textures: Textures | None = None,
) -> float:
    """What is measured where a part (bool) of this colour was painted on."""
    painted = scene(2, SAND)
    painted[part] = scene(3, colour)[part]
    painted[products > 127] = scene(1, WINE)[products > 127]
    return share_gained(near(), pieces(near(), products, START, painted, textures))


def strap() -> np.ndarray:
    drawn = np.zeros((SIDE, SIDE), np.uint8)
    cv2.ellipse(drawn, (200, 140), (40, 45), 0, 180, 360, 255, 7)
    return (drawn > 127) & (ALPHA == 0)


def letter() -> np.ndarray:
    drawn = np.zeros((SIDE, SIDE), np.uint8)
    cv2.putText(drawn, "S", (236, 215), cv2.FONT_HERSHEY_SIMPLEX, 2.0, 255, 7)
    return (drawn > 127) & (ALPHA == 0)


@pytest.mark.parametrize("part", [strap(), letter()], ids=["strap", "letter"])
def test_a_thin_part_of_the_products_colour_is_seen(part: np.ndarray) -> None:
    true = np.count_nonzero(part) / np.count_nonzero(ALPHA)
    assert 0.02 < gained(part, WINE) < 1.35 * true


@pytest.mark.parametrize("part", [strap(), letter()], ids=["strap", "letter"])
def test_the_same_part_in_another_colour_is_the_scenes(part: np.ndarray) -> None:
    assert gained(part, (40, 90, 150)) == 0.0


def test_a_part_is_the_scenes_where_the_scene_has_more_of_its_colour() -> None:
    part = strap()
    part[ELSEWHERE] = True
    assert gained(part, WINE) == 0.0


class TexturedLike:
    """Gives the product and other places one texture, and the rest another."""

    def __init__(self, places: np.ndarray) -> None:
        self.places = ((places | (ALPHA > 127)) * 255).astype(np.uint8)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        share = near().part(self.places)[..., None].astype(np.float32) / 255
        noise = np.random.default_rng(4).normal(0, 0.3, (*image.shape[:2], 8)).astype(np.float32)
        return noise + np.array([1.0, -1.0] * 4, np.float32) * (2 * share - 1)


def test_a_part_of_a_colour_that_the_scene_has_too_is_told_by_its_texture() -> None:
    part = strap()
    elsewhere = part.copy()
    elsewhere[ELSEWHERE] = True
    assert gained(elsewhere, WINE, textures=TexturedLike(part)) > 0.02
    assert gained(elsewhere, WINE, textures=TexturedLike(np.zeros_like(part))) == 0.0


def test_another_product_of_the_same_colour_is_none_of_the_scene() -> None:
    products = ALPHA.copy()
    products[ELSEWHERE] = 255
    assert gained(strap(), WINE, products) > 0.02


def test_another_product_of_the_same_colour_that_touches_it_is_no_growth() -> None:
    products = ALPHA.copy()
    products[200:260, 250:290] = 255
    assert gained(np.zeros((SIDE, SIDE), bool), WINE, products) == 0.0
