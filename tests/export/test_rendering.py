"""The picture as arrays: backgrounds are exact, the product is the cut-out's, shadows only where asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lib_photoshoot.export.profile import Background, Ground, load_profile
from lib_photoshoot.export.rendering import render
from tests.export.conftest import cutout

AMAZON, SHOP, CLEAR = load_profile("amazon-main"), load_profile("shopify"), load_profile("transparent")


def test_white_is_255_everywhere_but_in_the_product() -> None:
    rendered = render(cutout(1500, 900), AMAZON)
    assert rendered.pixels.shape == (1667, 1667, 3) or rendered.pixels.shape == (2000, 2000, 3)
    assert (rendered.pixels[rendered.empty] == 255).all()
    assert np.count_nonzero(~rendered.empty & ~rendered.product) < 0.02 * rendered.empty.size
    assert rendered.pixels[rendered.product].mean() < 150


def test_the_shadow_lies_outside_the_product_and_only_where_asked_for() -> None:
    plain, shaded = render(cutout(1500, 900), replace(SHOP, shadow=AMAZON.shadow)), render(cutout(1500, 900), SHOP)
    differs = (plain.pixels != shaded.pixels).any(axis=2)
    assert differs.any() and not (differs & plain.product & (shaded.pixels.max(axis=2) < 10)).any()
    assert (shaded.pixels[differs].astype(int) <= plain.pixels[differs]).all()
    assert not differs[: differs.shape[0] // 2].any()


def test_a_colour_and_a_picture_as_background() -> None:
    colour = replace(AMAZON, background=Background(Ground.COLOUR, (10, 200, 30)))
    rendered = render(cutout(), colour)
    assert (rendered.pixels[rendered.empty] == (10, 200, 30)).all()
    picture = replace(AMAZON, background=Background(Ground.PICTURE))
    backdrop = np.zeros((50, 300, 3), np.uint8)
    backdrop[:, 100:200] = (1, 2, 250)
    rendered = render(cutout(), picture, backdrop)
    assert (rendered.pixels[0, 500] == (1, 2, 250)).all(), "the middle of the picture covers the frame"
    with pytest.raises(ValueError, match="backdrop"):
        render(cutout(), picture)


def test_transparent_keeps_the_products_colours_and_has_a_shadow() -> None:
    rgba = cutout(1700, 900)
    rgba[:, :, :3] = (200, 100, 50)
    rendered = render(rgba, CLEAR)
    assert rendered.pixels.shape[2] == 4
    opaque = rendered.pixels[rendered.pixels[:, :, 3] == 255]
    assert (np.abs(opaque[:, :3].astype(int) - (200, 100, 50)) <= 1).all()
    assert (rendered.pixels[rendered.empty] == 0).all()
    shadow = ~rendered.product & ~rendered.empty & (rendered.pixels[:, :, :3].max(axis=2) == 0)
    assert np.count_nonzero(shadow) > 1000
