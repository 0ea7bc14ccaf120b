"""What a person drew, as the region that is cut out."""

from __future__ import annotations

import numpy as np
import pytest

from lib_photoshoot.correction.regions import drawn_region
from lib_photoshoot.images import Picture


def test_a_thin_part_stands_as_it_was_drawn_and_a_speck_does_not() -> None:
    pixels = np.full((300, 400, 3), 200, np.uint8)
    drawn = np.zeros((300, 400), bool)
    drawn[100:250, 100:300] = True
    pixels[drawn] = (30, 60, 90)
    drawn[40:100, 200:202] = True  # an aerial, of which the picture shows next to nothing
    drawn[20:22, 20:22] = True
    solid = drawn_region(Picture(pixels, None, 400, 300), drawn, "car").solid
    assert solid[45:100, 200:202].all() and not solid[:, :50].any()


@pytest.mark.parametrize("is_open", [True, False], ids=["from the ground", "enclosed"])
def test_a_thin_gap_stands_as_it_was_drawn_and_a_jag_does_not(is_open: bool) -> None:
    pixels = np.full((300, 400, 3), 200, np.uint8)
    drawn = np.zeros((300, 400), bool)
    drawn[100:250, 100:300] = True
    pixels[drawn] = (30, 60, 90)  # a dark gap in a dark thing: the picture shows no edge of it
    gap = np.zeros_like(drawn)
    gap[100 if is_open else 130 : 180, 200:203] = True
    jag = np.zeros_like(drawn)
    jag[100:102, 140:142] = True
    solid = drawn_region(Picture(pixels, None, 400, 300), drawn & ~gap & ~jag, "doll").solid
    assert not solid[gap].any() and solid[gap[:, ::-1]].all()
    assert solid[101, 141]
