"""What a person drew, as the region that is cut out."""

from __future__ import annotations

import numpy as np

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
