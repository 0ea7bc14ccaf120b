"""White balance: from a named place or an even white ground, never from the article."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lib_photoshoot.colour.space import SRGB
from lib_photoshoot.enhancement.retouch import retouch_of
from lib_photoshoot.enhancement.white_balance import Neutral, NeutralError, WhiteBalanceError
from lib_photoshoot.results import ProductRegion

WARM = np.array([1.0, 0.94, 0.84])


def scene(ground: tuple[int, int, int] = (225, 225, 225), article: tuple[int, int, int] = (140, 120, 104)):
    """An article on a ground under warm light: picture, mask, and the article's colour under white light."""
    mask = np.zeros((120, 160), bool)
    mask[40:80, 50:110] = True
    picture = np.where(mask[..., None], article, ground) * WARM
    return np.rint(picture).astype(np.uint8), mask, SRGB.to_lab(np.array([[article]], np.uint8))[0, 0]


def region(mask: np.ndarray) -> ProductRegion:
    return ProductRegion("bag", (0.0, 0.0, 1.0, 1.0), 0.9, mask, 0.9)


def colour(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.median(SRGB.to_lab(picture[mask][None])[0], axis=0)


@pytest.mark.parametrize("wish", ["sweep", "5,5", "3%,4%"])
def test_the_articles_colour_is_that_under_white_light(wish: str) -> None:
    picture, mask, true = scene()
    balanced = retouch_of("off", wish)
    assert balanced is not None
    result = balanced.enhance(picture, [region(mask)])
    before, after = (math.dist(colour(p, mask)[1:], true[1:]) for p in (picture, result))
    assert before > 6 and after < 2
    assert np.array_equal(result[:20], picture[:20])


def test_only_an_even_white_ground_is_a_sweep() -> None:
    picture, mask, _ = scene(ground=(120, 160, 90))
    assert Neutral().gains(picture, mask, SRGB) is None
    patterned, mask, _ = scene()
    patterned[:, ::2] = np.where(mask[:, ::2, None], patterned[:, ::2], (250, 180, 180))
    assert Neutral().gains(patterned, mask, SRGB) is None
    assert Neutral().gains(picture, np.ones(mask.shape, bool), SRGB) is None
    assert Neutral().gains(picture, np.zeros(mask.shape, bool), SRGB) is None


def test_blown_pixels_stay_white() -> None:
    picture, mask, _ = scene()
    picture[50:60, 60:70] = 255
    result = retouch_of("off", "sweep").enhance(picture, [region(mask)])
    assert (result[52:58, 62:68] >= 253).all()


@pytest.mark.parametrize("text", ["grey", "3", "3,", "1,2,3", "-1,5", "nan,1", "5%,5", "120%,5%"])
def test_what_cannot_be_understood_is_told(text: str) -> None:
    with pytest.raises(WhiteBalanceError, match="give off, sweep, or a neutral place"):
        Neutral.parse(text)


def test_a_place_that_cannot_be_neutral_here_is_told() -> None:
    picture, mask, _ = scene()
    with pytest.raises(NeutralError, match="outside the picture of 160 x 120"):
        Neutral.parse("500,5").gains(picture, mask, SRGB)
    picture[:12, :12] = 255
    picture[:12, 30:] = 4
    with pytest.raises(NeutralError, match="too bright"):
        Neutral.parse("3,3").gains(picture, mask, SRGB)
    with pytest.raises(NeutralError, match="too dark"):
        Neutral.parse("60,3").gains(picture, mask, SRGB)


def test_off_is_nothing() -> None:
    assert Neutral.parse("off") is None and Neutral.parse(" ") is None
